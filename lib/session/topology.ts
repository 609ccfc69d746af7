// What a cluster looks like now, out of watches on its API: nodes, pods, services with their endpoints, events. Knows nothing of
// scenarios or sessions. While the API does not answer, nodes are shown as unknown with the reason and the rest as last seen.
import { type Cluster, type KubeObject, kubernetesApi, type ObjectRef } from '#lib/cluster/index.ts'
import type { ClusterEvent, Topology } from '#lib/protocol/index.ts'

/** namespaces that Kubernetes and the lab bring with them */
const systemNamespaces = new Set(['kube-system', 'kube-public', 'kube-node-lease', 'kube-flannel', 'local-path-storage'])
const debounceMs = 300
const most = { pods: 500, services: 300, events: 200 } as const

type Pod = Topology['pods'][number]
type Node = Topology['nodes'][number]

/** What `kubectl get pods` prints under STATUS, as in k8s.io/kubernetes/pkg/printers/internalversion/printers.go, printPod. */
export function podStatus(pod: KubeObject): { status: string; restarts: number; ready: boolean; state: Pod['state'] } {
  const { metadata, status = {}, spec = {} } = pod
  let reason: string = status.reason ?? status.phase ?? 'Unknown'
  const containers = status.containerStatuses ?? []
  const inits = status.initContainerStatuses ?? []
  let restarts = containers.reduce((sum: number, one: KubeObject) => sum + (one.restartCount ?? 0), 0)
  let initializing = false
  for (const [index, one] of inits.entries()) {
    const { terminated, waiting } = one.state ?? {}
    if (terminated?.exitCode === 0 || one.started) continue
    initializing = true
    restarts = inits.reduce((sum: number, other: KubeObject) => sum + (other.restartCount ?? 0), 0)
    if (terminated)
      reason = `Init:${terminated.reason || (terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`)}`
    else if (waiting?.reason && waiting.reason !== 'PodInitializing') reason = `Init:${waiting.reason}`
    else reason = `Init:${index}/${(spec.initContainers ?? []).length}`
    break
  }
  let running = false
  if (!initializing) {
    for (const one of [...containers].reverse()) {
      const { terminated, waiting, running: runs } = one.state ?? {}
      if (waiting?.reason) reason = waiting.reason
      else if (terminated)
        reason = terminated.reason || (terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`)
      else if (one.ready && runs) running = true
    }
    if (reason === 'Completed' && running) reason = 'Running'
  }
  if (metadata.deletionTimestamp) reason = status.reason === 'NodeLost' ? 'Unknown' : 'Terminating'
  const total = (spec.containers ?? []).length
  const ready = total > 0 && containers.filter((one: KubeObject) => one.ready).length === total
  const done = status.phase === 'Succeeded' || reason === 'Completed'
  const waiting =
    reason === 'Pending' ||
    reason === 'ContainerCreating' ||
    reason === 'PodInitializing' ||
    reason === 'Terminating' ||
    /^Init:\d/.test(reason)
  return { status: reason, restarts, ready, state: done ? 'done' : waiting ? 'pending' : ready && reason === 'Running' ? 'ok' : 'broken' }
}

function nodesOf(cluster: Cluster, seen: ReadonlyMap<string, KubeObject>, unreachable: string | null): Node[] {
  return cluster.nodes.map((node) => {
    const base = { name: node.name, place: node.place, role: node.role, address: node.address, unschedulable: false }
    const object = seen.get(`/${node.name}`)
    if (unreachable !== null) return { ...base, state: 'unknown', reason: unreachable, unschedulable: object?.spec?.unschedulable === true }
    if (object === undefined) return { ...base, state: 'gone', reason: 'The API server has no such node.' }
    const ready = (object.status?.conditions ?? []).find((one: KubeObject) => one.type === 'Ready')
    const state = ready?.status === 'True' ? 'ready' : ready?.status === 'False' ? 'not-ready' : 'unknown'
    return {
      ...base,
      state,
      unschedulable: object.spec?.unschedulable === true,
      ...(state === 'ready' ? {} : { reason: String(ready?.message || ready?.reason || 'The node has not reported yet.').slice(0, 500) }),
    }
  })
}

/** Objects of one kind, kept up to date. */
class Kept {
  readonly objects = new Map<string, KubeObject>()
  static key = (object: KubeObject): string => `${object.metadata.namespace ?? ''}/${object.metadata.name}`
}

/** What was left of an object is what is drawn of it: a cluster may hold thousands of large ones. */
function slim(object: KubeObject): KubeObject {
  const { metadata } = object
  return {
    ...object,
    metadata: {
      name: metadata.name,
      namespace: metadata.namespace,
      labels: metadata.labels,
      deletionTimestamp: metadata.deletionTimestamp,
      creationTimestamp: metadata.creationTimestamp,
    },
  }
}

export interface TopologyOptions {
  signal: AbortSignal
  onTopology(topology: Topology): void
  /** newest 200 at most, oldest first; the whole list each time */
  onEvents(events: ClusterEvent[]): void
  now?: () => number
}

/** Watches until the signal aborts; tells at most every 300 ms. Never throws: an API that is down is what it tells. */
export function watchTopology(cluster: Cluster, options: TopologyOptions): void {
  const { signal } = options
  const now = options.now ?? Date.now
  const api = kubernetesApi(cluster.kubeconfig)
  const nodes = new Kept()
  const pods = new Kept()
  const services = new Kept()
  const slices = new Kept()
  const events = new Kept()
  let unreachable: string | null = 'The API server has not answered yet.'
  const loaded = new Set<string>()
  const pending = { topology: false, events: false }
  let timer: NodeJS.Timeout | undefined

  const tell = () => {
    timer = undefined
    if (signal.aborted) return
    if (pending.topology) options.onTopology(draw())
    if (pending.events) options.onEvents(eventsOf(events.objects))
    pending.topology = false
    pending.events = false
  }
  const changed = (what: keyof typeof pending) => {
    pending[what] = true
    timer ??= setTimeout(tell, debounceMs)
  }

  function draw(): Topology {
    const podList = [...pods.objects.values()].slice(0, most.pods)
    const byService = new Map<string, KubeObject[]>()
    for (const slice of slices.objects.values()) {
      const service = slice.metadata.labels?.['kubernetes.io/service-name']
      if (service === undefined) continue
      const key = `${slice.metadata.namespace}/${service}`
      byService.set(key, [...(byService.get(key) ?? []), ...(slice.endpoints ?? [])])
    }
    return {
      at: now(),
      nodes: nodesOf(cluster, nodes.objects, unreachable),
      pods: podList.map((pod) => ({
        namespace: pod.metadata.namespace,
        name: pod.metadata.name,
        node: pod.spec?.nodeName ?? null,
        system: systemNamespaces.has(pod.metadata.namespace),
        ...podStatus(pod),
      })),
      // The grader's own, made for one look, would only be in the way.
      services: [...services.objects.values()]
        .filter((service) => service.metadata.labels?.['app.kubernetes.io/managed-by'] !== 'grader')
        .slice(0, most.services)
        .map((service) => {
          const endpoints = byService.get(Kept.key(service)) ?? []
          const isReady = (endpoint: KubeObject) => endpoint.conditions?.ready !== false
          const names = endpoints.flatMap((endpoint) => (endpoint.targetRef?.kind === 'Pod' ? [String(endpoint.targetRef.name)] : []))
          return {
            namespace: service.metadata.namespace,
            name: service.metadata.name,
            type: service.spec?.type ?? 'ClusterIP',
            clusterIP: service.spec?.clusterIP ?? null,
            ports: (service.spec?.ports ?? []).map(
              (port: KubeObject) => `${port.port}${port.nodePort ? `:${port.nodePort}` : ''}/${port.protocol ?? 'TCP'}`,
            ),
            readyEndpoints: endpoints.filter(isReady).length,
            notReadyEndpoints: endpoints.filter((endpoint) => !isReady(endpoint)).length,
            pods: [...new Set(names)].slice(0, 100),
            system:
              systemNamespaces.has(service.metadata.namespace) ||
              (service.metadata.namespace === 'default' && service.metadata.name === 'kubernetes'),
          }
        }),
    }
  }

  const follow = (ref: ObjectRef, kept: Kept, what: keyof typeof pending) =>
    api
      .watch(
        ref,
        {
          reset(objects) {
            kept.objects.clear()
            for (const object of objects) kept.objects.set(Kept.key(object), slim(object))
            loaded.add(ref.kind)
            // Until the nodes are known, none of them is missing.
            if (loaded.has('Node')) unreachable = null
            changed(what)
            if (what === 'events') changed('topology')
          },
          event({ type, object }) {
            if (type === 'DELETED') kept.objects.delete(Kept.key(object))
            else if (type === 'ADDED' || type === 'MODIFIED') kept.objects.set(Kept.key(object), slim(object))
            // Events outlive what they speak of: the oldest go first.
            if (what === 'events' && kept.objects.size > 4 * most.events) {
              const oldest = [...kept.objects.entries()]
                .sort(([, left], [, right]) => atOf(left) - atOf(right))
                .slice(0, kept.objects.size - 2 * most.events)
              for (const [key] of oldest) kept.objects.delete(key)
            }
            changed(what)
          },
          broken(error) {
            // An API server ends watches by itself now and then; only one that cannot be reached is down.
            if ('code' in error && error.code === 'cluster-unreachable') {
              unreachable = error.message
              changed('topology')
            }
          },
        },
        signal,
      )
      .catch(() => {})

  void Promise.all([
    follow({ apiVersion: 'v1', kind: 'Node' }, nodes, 'topology'),
    follow({ apiVersion: 'v1', kind: 'Pod' }, pods, 'topology'),
    follow({ apiVersion: 'v1', kind: 'Service' }, services, 'topology'),
    follow({ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' }, slices, 'topology'),
    follow({ apiVersion: 'v1', kind: 'Event' }, events, 'events'),
  ]).finally(() => {
    clearTimeout(timer)
    api.close()
  })
  changed('topology')
}

const atOf = (event: KubeObject): number =>
  Date.parse(event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? 0) || 0
function eventsOf(objects: ReadonlyMap<string, KubeObject>): ClusterEvent[] {
  return [...objects.values()]
    .map((event): ClusterEvent => {
      const { kind = '', name = '', namespace = '' } = event.involvedObject ?? {}
      return {
        at: atOf(event),
        type: event.type === 'Warning' ? 'Warning' : 'Normal',
        reason: String(event.reason ?? ''),
        object: `${kind}/${name}`,
        namespace: String(namespace || event.metadata.namespace || ''),
        message: String(event.message ?? '').slice(0, 1000),
        count: Number(event.series?.count ?? event.count ?? 1),
      }
    })
    .sort((left, right) => left.at - right.at)
    .slice(-most.events)
}
