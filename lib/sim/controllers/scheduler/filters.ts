// The scheduler's filters: why a node is not for a pod, in the words of the real plugins (pkg/scheduler/framework/plugins). Pure functions.
import type { KubeObject } from '../../kube.ts'
import { type LabelSelector, selects } from '../objects.ts'
import { matchesNode, tolerates, untolerated } from '../placement.ts'
import { hostPorts, type NodeInfo, requestsOf } from './snapshot.ts'

export interface Rejection {
  plugin: string
  reasons: string[]
  /** removing other pods would not help */
  final: boolean
}
/** what filters may look at besides the node */
export interface World {
  nodes: ReadonlyMap<string, NodeInfo>
  /** labels of a namespace, for namespaceSelector */
  namespaceLabels(name: string): Readonly<Record<string, string>>
}
const no = (plugin: string, reason: string, final = false): Rejection => ({ plugin, reasons: [reason], final })
const unschedulable = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }

/** what needs nothing but the node and the pods on it */
export function fitsAlone(pod: KubeObject, info: NodeInfo): Rejection | undefined {
  const { node } = info
  const tolerations = pod.spec.tolerations ?? []
  if (node.spec?.unschedulable && !tolerations.some((one: KubeObject) => tolerates(one, unschedulable))) {
    return no('NodeUnschedulable', 'node(s) were unschedulable', true)
  }
  if (pod.spec.nodeName && pod.spec.nodeName !== info.name) return no('NodeName', "node(s) didn't match the requested node name", true)
  if (untolerated(node.spec?.taints, tolerations, ['NoSchedule', 'NoExecute']))
    return no('TaintToleration', 'node(s) had untolerated taint(s)', true)
  if (!matchesNode(pod.spec, node)) return no('NodeAffinity', "node(s) didn't match Pod's node affinity/selector", true)
  return ports(pod, info) ?? resources(pod, info)
}
function ports(pod: KubeObject, info: NodeInfo): Rejection | undefined {
  const wanted = hostPorts(pod)
  if (wanted.length === 0) return undefined
  for (const other of info.pods) {
    for (const used of hostPorts(other)) {
      const clash = wanted.some(
        (one) =>
          one.port === used.port && one.protocol === used.protocol && (one.ip === used.ip || one.ip === '0.0.0.0' || used.ip === '0.0.0.0'),
      )
      if (clash) return no('NodePorts', "node(s) didn't have free ports for the requested pod ports")
    }
  }
  return undefined
}
function resources(pod: KubeObject, info: NodeInfo): Rejection | undefined {
  const reasons: string[] = []
  let final = true
  if (info.pods.length + 1 > info.allocatable.pods) {
    reasons.push('Too many pods')
    final = false
  }
  for (const [name, wanted] of Object.entries(requestsOf(pod))) {
    const all = info.allocatable[name] ?? 0
    if (wanted === 0 || wanted <= all - (info.requested[name] ?? 0)) continue
    reasons.push(`Insufficient ${name}`)
    if (wanted <= all) final = false
  }
  return reasons.length === 0 ? undefined : { plugin: 'NodeResourcesFit', reasons, final }
}

interface Term {
  selector: LabelSelector | undefined
  topologyKey: string
  /** whether a pod in this namespace is meant */
  inNamespace(name: string): boolean
}
export function terms(pod: KubeObject, list: readonly KubeObject[] | undefined, world: World): Term[] {
  return (list ?? []).map((term) => {
    const names: string[] = term.namespaces ?? []
    const selector: LabelSelector | undefined = term.namespaceSelector ?? undefined
    const own = names.length === 0 && selector === undefined
    return {
      selector: term.labelSelector,
      topologyKey: term.topologyKey,
      inNamespace: (name) =>
        own
          ? name === pod.metadata.namespace
          : names.includes(name) || (selector !== undefined && selects(selector, world.namespaceLabels(name))),
    }
  })
}
export const means = (term: Term, other: KubeObject): boolean =>
  term.inNamespace(other.metadata.namespace) && selects(term.selector, other.metadata.labels)
export const requiredAffinity = (pod: KubeObject, world: World): Term[] =>
  terms(pod, pod.spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution, world)
export const requiredAnti = (pod: KubeObject, world: World): Term[] =>
  terms(pod, pod.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution, world)

const domain = (info: NodeInfo, key: string): string | undefined => info.node.metadata.labels?.[key]

/** rules between pods: asked once per pod, the answer is asked per node */
export function betweenPods(pod: KubeObject, world: World): (info: NodeInfo) => Rejection | undefined {
  const spread = spreading(pod, world)
  const affinity = requiredAffinity(pod, world)
  const anti = requiredAnti(pod, world)
  const all = [...world.nodes.values()]
  // Domains in which a pod that runs does not want this one.
  const refused = new Set<string>()
  for (const info of all) {
    for (const other of info.pods) {
      for (const term of requiredAnti(other, world))
        if (means(term, pod)) refused.add(`${term.topologyKey}=${domain(info, term.topologyKey)}`)
    }
  }
  // Each term counts the pods that match all of them for affinity, its own for anti-affinity.
  const near = new Set<string>()
  const far = new Set<string>()
  for (const info of all) {
    for (const other of info.pods) {
      if (affinity.length > 0 && affinity.every((term) => means(term, other))) {
        for (const { topologyKey } of affinity)
          if (domain(info, topologyKey) !== undefined) near.add(`${topologyKey}=${domain(info, topologyKey)}`)
      }
      for (const term of anti) if (means(term, other)) far.add(`${term.topologyKey}=${domain(info, term.topologyKey)}`)
    }
  }
  // The first pod of a group that wants to be together has nobody to be with.
  const first = near.size === 0 && affinity.every((term) => means(term, pod))
  return (info) => {
    const spreads = spread(info)
    if (spreads !== undefined) return spreads
    const here = (key: string) => `${key}=${domain(info, key)}`
    if (affinity.length > 0) {
      const labelled = affinity.every((term) => domain(info, term.topologyKey) !== undefined)
      if (!labelled || !(first || affinity.every((term) => near.has(here(term.topologyKey))))) {
        return no('InterPodAffinity', "node(s) didn't match pod affinity rules", true)
      }
    }
    if (anti.some((term) => domain(info, term.topologyKey) !== undefined && far.has(here(term.topologyKey)))) {
      return no('InterPodAffinity', "node(s) didn't match pod anti-affinity rules")
    }
    for (const key of refused) {
      const at = key.indexOf('=')
      if (domain(info, key.slice(0, at)) === key.slice(at + 1)) {
        return no('InterPodAffinity', "node(s) didn't satisfy existing pods anti-affinity rules")
      }
    }
    return undefined
  }
}

/** the labelSelector of a constraint with what matchLabelKeys adds to it */
export function spreadSelector(pod: KubeObject, constraint: KubeObject): LabelSelector {
  const keys: string[] = (constraint.matchLabelKeys ?? []).filter((key: string) => pod.metadata.labels?.[key] !== undefined)
  const own: LabelSelector = constraint.labelSelector ?? {}
  if (keys.length === 0) return own
  const added = keys.map((key) => ({ key, operator: 'In', values: [pod.metadata.labels[key] as string] }))
  return { ...own, matchExpressions: [...(own.matchExpressions ?? []), ...added] }
}
/** whether a node counts for a constraint (nodeAffinityPolicy, nodeTaintsPolicy) */
export function counts(constraint: KubeObject, pod: KubeObject, info: NodeInfo): boolean {
  if ((constraint.nodeAffinityPolicy ?? 'Honor') === 'Honor' && !matchesNode(pod.spec, info.node)) return false
  if (constraint.nodeTaintsPolicy !== 'Honor') return true
  return untolerated(info.node.spec?.taints, pod.spec.tolerations, ['NoSchedule', 'NoExecute']) === undefined
}
export const matching = (info: NodeInfo, selector: LabelSelector, namespace: string): number =>
  info.pods.filter(
    (pod) => pod.metadata.namespace === namespace && !pod.metadata.deletionTimestamp && selects(selector, pod.metadata.labels),
  ).length

function spreading(pod: KubeObject, world: World): (info: NodeInfo) => Rejection | undefined {
  const constraints: KubeObject[] = (pod.spec.topologySpreadConstraints ?? []).filter(
    (one: KubeObject) => one.whenUnsatisfiable === 'DoNotSchedule',
  )
  if (constraints.length === 0) return () => undefined
  const rules = constraints.map((constraint) => {
    const selector = spreadSelector(pod, constraint)
    const domains = new Map<string, number>()
    for (const info of world.nodes.values()) {
      const value = domain(info, constraint.topologyKey)
      const labelled = constraints.every((one) => domain(info, one.topologyKey) !== undefined)
      if (value === undefined || !labelled || !counts(constraint, pod, info)) continue
      domains.set(value, (domains.get(value) ?? 0) + matching(info, selector, pod.metadata.namespace))
    }
    const least = domains.size < (constraint.minDomains ?? 1) ? 0 : Math.min(...domains.values())
    return { constraint, domains, least, self: selects(selector, pod.metadata.labels) ? 1 : 0 }
  })
  return (info) => {
    for (const { constraint, domains, least, self } of rules) {
      const value = domain(info, constraint.topologyKey)
      if (value === undefined) {
        return no('PodTopologySpread', "node(s) didn't match pod topology spread constraints (missing required label)", true)
      }
      if ((domains.get(value) ?? 0) + self - (Number.isFinite(least) ? least : 0) > constraint.maxSkew) {
        return no('PodTopologySpread', "node(s) didn't match pod topology spread constraints")
      }
    }
    return undefined
  }
}

/** `2 Insufficient cpu, 1 node(s) had …`, sorted as text */
export function histogram(reasons: readonly string[], more?: readonly [number, string]): string {
  const counts = new Map<string, number>()
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  if (more !== undefined) counts.set(more[1], (counts.get(more[1]) ?? 0) + more[0])
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort()
    .join(', ')
}
