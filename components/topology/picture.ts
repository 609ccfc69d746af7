// What the cluster's picture shows, from what the cluster says: pods by node, services with what is behind them, what is broken.
// Pure; knows nothing of how it is drawn.
import type { Topology } from '#lib/protocol/index.ts'

export type Node = Topology['nodes'][number]
export type Pod = Topology['pods'][number]
export type Service = Topology['services'][number]
export interface Column {
  /** null: pods that are on no node, or on one that the cluster no longer knows */
  node: Node | null
  pods: Pod[]
}
export interface Show {
  system: boolean
  onlyBroken: boolean
}

export const podKey = (pod: { namespace: string; name: string }): string => `${pod.namespace}/${pod.name}`
/** A service that should have somebody behind it and has nobody ready. ExternalName has no endpoints by design. */
export const isEmpty = (service: Service): boolean =>
  service.readyEndpoints === 0 && service.type !== 'ExternalName' && !(service.namespace === 'default' && service.name === 'kubernetes')
export const isAmiss = (service: Service): boolean => isEmpty(service) || service.notReadyEndpoints > 0

const severity: Record<Pod['state'], number> = { broken: 0, pending: 1, ok: 2, done: 3 }
/** The worst first, the learner's own before the system's, then by name. */
const byNeed = (a: Pod, b: Pod) =>
  severity[a.state] - severity[b.state] || Number(a.system) - Number(b.system) || podKey(a).localeCompare(podKey(b))

/** Nodes in the order of their roles with the pods on each; a last column for pods on none, if there are any. */
export function columns(topology: Topology, show: Show): Column[] {
  const seen = (pod: Pod) =>
    (show.system || !pod.system || pod.state === 'broken') && (!show.onlyBroken || pod.state === 'broken' || pod.state === 'pending')
  const pods = topology.pods.filter(seen).sort(byNeed)
  const nodes = [...topology.nodes].sort((a, b) => (a.role === b.role ? a.name.localeCompare(b.name) : a.role === 'control-plane' ? -1 : 1))
  const known = new Set(nodes.map((node) => node.name))
  const placed = nodes.map((node): Column => ({ node, pods: pods.filter((pod) => pod.node === node.name) }))
  const homeless = pods.filter((pod) => pod.node === null || !known.has(pod.node))
  return homeless.length > 0 ? [...placed, { node: null, pods: homeless }] : placed
}

export function services(topology: Topology, show: Show): Service[] {
  return topology.services
    .filter((service) => (show.system || !service.system || isEmpty(service)) && (!show.onlyBroken || isAmiss(service)))
    .sort((a, b) => Number(isAmiss(b)) - Number(isAmiss(a)) || Number(a.system) - Number(b.system) || podKey(a).localeCompare(podKey(b)))
}

/** The one line that is always seen. */
export interface Summary {
  nodes: { ready: number; total: number }
  pods: { broken: number; total: number }
  services: { empty: number; total: number }
}
export const summary = (topology: Topology): Summary => ({
  nodes: { ready: topology.nodes.filter((node) => node.state === 'ready').length, total: topology.nodes.length },
  pods: {
    broken: topology.pods.filter((pod) => pod.state === 'broken').length,
    total: topology.pods.filter((pod) => pod.state !== 'done').length,
  },
  services: { empty: topology.services.filter(isEmpty).length, total: topology.services.length },
})

/** Keys of the pods behind a service. */
export const behind = (service: Service): ReadonlySet<string> =>
  new Set(service.pods.map((name) => podKey({ namespace: service.namespace, name })))
