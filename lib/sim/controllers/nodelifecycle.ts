// Node health: a node that stops reporting becomes Unknown, its conditions become taints, its pods become not ready (pkg/controller/nodelifecycle).
import { ApiError, type KubeObject } from '../kube.ts'
import type { Run } from './context.ts'
import { condition, parseTime, same, stamp } from './objects.ts'
import type { Taint } from './placement.ts'

// --node-monitor-period, --node-startup-grace-period, --node-eviction-rate, --unhealthy-zone-threshold, --large-cluster-size-threshold
const periodMs = 5000
const graceMs = 50_000
const startupGraceMs = 60_000
const taintEveryMs = 10_000
const unhealthyShare = 0.55
const notReady = 'node.kubernetes.io/not-ready'
const unreachable = 'node.kubernetes.io/unreachable'
const unschedulable = 'node.kubernetes.io/unschedulable'
/** the taint of a condition with a status */
const conditionTaints: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Ready: { False: notReady, Unknown: unreachable },
  MemoryPressure: { True: 'node.kubernetes.io/memory-pressure' },
  DiskPressure: { True: 'node.kubernetes.io/disk-pressure' },
  NetworkUnavailable: { True: 'node.kubernetes.io/network-unavailable' },
  PIDPressure: { True: 'node.kubernetes.io/pid-pressure' },
}
const managedTaints = new Set([unschedulable, ...Object.values(conditionTaints).flatMap((one) => Object.values(one))])
const mirroredLabels = [
  ['kubernetes.io/os', 'beta.kubernetes.io/os'],
  ['kubernetes.io/arch', 'beta.kubernetes.io/arch'],
] as const

type ZoneState = 'Initial' | 'Normal' | 'PartialDisruption' | 'FullDisruption'
interface Health {
  /** ms at which the node was last heard of */
  probe: number
  heartbeat: string | undefined
  /** whether there was a Ready condition */
  reported: boolean
  renewed: string | undefined
}

export function startNodeLifecycle(run: Run): void {
  const client = run.client('node-controller')
  const record = run.events('node-controller', 'node-controller')
  const health = new Map<string, Health>()
  const known = new Map<string, KubeObject>()
  const retry = new Set<string>()
  let zone: ZoneState | undefined
  /** nodes that wait for their NoExecute taint, one every 10 s; none while all nodes are down */
  const waiting = new Set<string>()
  let nextTaint = 0
  let limited = false

  const queue = run.queue('node_lifecycle_controller', (name) => {
    const node = run.reader.find('v1/nodes', name)
    if (node === undefined) return
    noScheduleTaints(node)
    labels(node)
  })
  run.watch('v1/nodes', {
    added: (node) => queue.add(node.metadata.name),
    updated: (node, old) => {
      const seen = (one: KubeObject) => [
        one.spec,
        one.metadata.labels,
        (one.status?.conditions ?? []).map((c: KubeObject) => [c.type, c.status]),
      ]
      if (!same(seen(node), seen(old))) queue.add(node.metadata.name)
    },
    deleted: (node) => health.delete(node.metadata.name),
    synced: () => {
      run.attempt(monitor)
      run.every(periodMs, monitor)
    },
  })
  // A pod that comes to a node which is not ready is marked at once.
  run.watch('v1/pods', {
    added: (pod) => assigned(pod),
    updated: (pod, old) => {
      if (pod.spec.nodeName !== old.spec.nodeName) assigned(pod)
    },
  })
  const assigned = (pod: KubeObject): void => {
    if (!pod.spec.nodeName || !known.has(pod.spec.nodeName)) return
    run.after(0, () =>
      run.attempt(() => {
        const node = run.reader.find('v1/nodes', pod.spec.nodeName)
        const ready = node && condition(node, 'Ready')
        if (ready !== undefined && ready.status !== 'True') markPod(run.reader.find('v1/pods', pod.metadata.name, pod.metadata.namespace))
      }),
    )
  }

  const noScheduleTaints = (node: KubeObject): void => {
    const wanted: Taint[] = []
    for (const one of node.status?.conditions ?? []) {
      const key = conditionTaints[one.type]?.[one.status]
      if (key !== undefined) wanted.push({ key, effect: 'NoSchedule' })
    }
    if (node.spec?.unschedulable) wanted.push({ key: unschedulable, effect: 'NoSchedule' })
    const gone = ((node.spec?.taints ?? []) as Taint[]).filter(
      (taint) => taint.effect === 'NoSchedule' && managedTaints.has(taint.key) && !wanted.some((one) => one.key === taint.key),
    )
    swap(node, wanted, gone)
  }
  /** adds and removes taints of a node; what it has already stays untouched */
  const swap = (node: KubeObject, add: readonly Taint[], remove: readonly Taint[]): boolean => {
    const has: Taint[] = node.spec?.taints ?? []
    const isSame = (a: Taint, b: Taint) => a.key === b.key && a.effect === b.effect
    const fresh = add.filter((taint) => !has.some((one) => isSame(one, taint)))
    const kept = has.filter((taint) => !remove.some((one) => isSame(one, taint)))
    if (fresh.length === 0 && kept.length === has.length) return false
    const timeAdded = stamp(run.clock.now())
    const taints = [...fresh.map(({ key, effect }) => ({ effect, key, timeAdded })), ...kept]
    client.patch('v1/nodes', node.metadata.name, undefined, 'merge', {
      metadata: { resourceVersion: node.metadata.resourceVersion },
      spec: { taints: taints.length > 0 ? taints : null },
    })
    return true
  }
  const labels = (node: KubeObject): void => {
    const own = node.metadata.labels ?? {}
    const patch: Record<string, string> = {}
    for (const [primary, secondary] of mirroredLabels)
      if (own[primary] !== undefined && own[primary] !== own[secondary]) patch[secondary] = own[primary]
    if (Object.keys(patch).length > 0) client.patch('v1/nodes', node.metadata.name, undefined, 'strategic', { metadata: { labels: patch } })
  }

  const reference = (node: KubeObject) => ({ kind: 'Node', name: node.metadata.name, uid: node.metadata.uid, apiVersion: 'v1' })
  const monitor = (): void => {
    const nodes = run.list('v1/nodes')
    for (const node of nodes) {
      const { name } = node.metadata
      const before = known.get(name)
      known.set(name, node)
      if (before !== undefined) continue
      record(reference(node), 'Normal', 'RegisteredNode', `Node ${name} event: Registered Node ${name} in Controller`)
      reachable(node)
    }
    for (const [name, node] of known) {
      if (nodes.some((one) => one.metadata.name === name)) continue
      known.delete(name)
      waiting.delete(name)
      record(reference(node), 'Normal', 'RemovingNode', `Node ${name} event: Removing Node ${name} from Controller`)
    }
    if (zone === undefined && nodes.length > 0) {
      zone = 'Initial'
      run.log('I', 'node_lifecycle_controller.go:1234', 'Initializing eviction metric for zone', { zone: '' })
    }
    const statuses: (string | undefined)[] = []
    for (const node of nodes) {
      try {
        statuses.push(check(node))
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        run.log(
          'E',
          'node_lifecycle_controller.go:725',
          'Update health of Node from Controller error, Skipping - no pods will be evicted',
          {
            node: node.metadata.name,
            err: error.message,
          },
        )
      }
    }
    disruption(nodes, statuses)
    taintWaiting()
  }
  /** the status of Ready, after it was set to Unknown when the node is silent for too long */
  const check = (node: KubeObject): string | undefined => {
    const { name } = node.metadata
    const observed = condition(node, 'Ready')
    let current = observed
    const now = run.clock.now()
    const lease = run.reader.find('coordination.k8s.io/v1/leases', name, 'kube-node-lease')
    let seen = health.get(name)
    const heartbeat: string | undefined = observed?.lastHeartbeatTime
    if (seen === undefined) {
      if (observed !== undefined)
        run.log('I', 'node_lifecycle_controller.go:886', 'Missing timestamp for Node. Assuming now as a timestamp', { node: name })
      const probe = observed === undefined ? parseTime(node.metadata.creationTimestamp) : now
      seen = { probe, heartbeat, reported: observed !== undefined, renewed: undefined }
    } else if (seen.reported !== (observed !== undefined) || seen.heartbeat !== heartbeat) {
      seen = { ...seen, probe: now, heartbeat, reported: observed !== undefined }
    }
    const renewed: string | undefined = lease?.spec?.renewTime
    if (renewed !== undefined && (seen.renewed === undefined || parseTime(seen.renewed) < parseTime(renewed)))
      seen = { ...seen, renewed, probe: now }
    health.set(name, seen)

    let after = node
    const grace = observed === undefined ? startupGraceMs : (run.options.nodeMonitorGraceMs ?? graceMs)
    if (now > seen.probe + grace && observed?.status !== 'Unknown') {
      after = client.update('v1/nodes', silent(node, now), { subresource: 'status' })
      current = condition(after, 'Ready')
      health.set(name, { ...seen, heartbeat: current?.lastHeartbeatTime, reported: true })
    }
    if (current === undefined) return undefined
    executeTaint(after, current.status)
    const lost = current.status !== 'True' && observed?.status === 'True'
    if (lost) record(reference(node), 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`)
    // Taken up after a restart of this controller too: what the pods say must agree with their node.
    if (lost || (retry.has(name) && current.status !== 'True')) {
      retry.add(name)
      for (const pod of run.list('v1/pods', { fieldSelector: `spec.nodeName=${name}` })) markPod(pod)
    }
    retry.delete(name)
    return current.status
  }
  const silent = (node: KubeObject, now: number): KubeObject => {
    const conditions: KubeObject[] = [...(node.status?.conditions ?? [])]
    for (const type of ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']) {
      const at = conditions.findIndex((one) => one.type === type)
      const lastTransitionTime = stamp(now)
      if (at < 0) {
        conditions.push({
          type,
          status: 'Unknown',
          lastHeartbeatTime: node.metadata.creationTimestamp,
          lastTransitionTime,
          reason: 'NodeStatusNeverUpdated',
          message: 'Kubelet never posted node status.',
        })
      } else if (conditions[at].status !== 'Unknown') {
        const message = 'Kubelet stopped posting node status.'
        conditions[at] = { ...conditions[at], status: 'Unknown', lastTransitionTime, reason: 'NodeStatusUnknown', message }
      }
    }
    return { ...node, status: { ...node.status, conditions } }
  }
  const markPod = (pod: KubeObject | undefined): void => {
    const ready = pod && condition(pod, 'Ready')
    if (ready === undefined || ready.status === 'False') return
    const conditions = pod.status.conditions.map((one: KubeObject) =>
      one.type === 'Ready' ? { ...one, status: 'False', lastTransitionTime: stamp(run.clock.now()) } : one,
    )
    try {
      client.update('v1/pods', { ...pod, status: { ...pod.status, conditions } }, { subresource: 'status' })
    } catch (error) {
      // The kubelet of a node that is not gone writes at the same time.
      if (!(error instanceof ApiError && (error.code === 404 || error.code === 409))) throw error
      if (error.code === 409) retry.add(pod.spec.nodeName)
      return
    }
    record(pod, 'Warning', 'NodeNotReady', 'Node is not ready')
  }

  const noExecute = (key: string): Taint => ({ key, effect: 'NoExecute' })
  const tainted = (node: KubeObject, key: string): boolean =>
    ((node.spec?.taints ?? []) as Taint[]).some((taint) => taint.key === key && taint.effect === 'NoExecute')
  const reachable = (node: KubeObject): void => {
    swap(node, [], [noExecute(notReady), noExecute(unreachable)])
    waiting.delete(node.metadata.name)
  }
  const executeTaint = (node: KubeObject, status: string): void => {
    if (status === 'True') {
      reachable(node)
      return
    }
    const [mine, other] = status === 'False' ? [notReady, unreachable] : [unreachable, notReady]
    if (tainted(node, other)) swap(node, [noExecute(mine)], [noExecute(other)])
    else if (!tainted(node, mine)) waiting.add(node.metadata.name)
  }
  const taintWaiting = (): void => {
    const now = run.clock.now()
    if (limited || waiting.size === 0) return
    if (now < nextTaint) {
      run.after(nextTaint - now, () => run.attempt(taintWaiting))
      return
    }
    const name = waiting.values().next().value as string
    waiting.delete(name)
    const node = run.reader.find('v1/nodes', name)
    const status = node && condition(node, 'Ready')?.status
    if (status === 'False' || status === 'Unknown') {
      const [mine, other] = status === 'False' ? [notReady, unreachable] : [unreachable, notReady]
      swap(node, [noExecute(mine)], [noExecute(other)])
      nextTaint = now + taintEveryMs
    }
    if (waiting.size > 0) run.after(Math.max(0, nextTaint - now), () => run.attempt(taintWaiting))
  }

  const disruption = (nodes: readonly KubeObject[], statuses: readonly (string | undefined)[]): void => {
    if (statuses.length === 0) return
    const ready = statuses.filter((status) => status === 'True').length
    const bad = statuses.length - ready
    let next: ZoneState = 'Normal'
    if (ready === 0) next = 'FullDisruption'
    else if (bad > 2 && bad / statuses.length >= unhealthyShare) next = 'PartialDisruption'
    const before = zone ?? 'Initial'
    if (next === before) return
    zone = next
    const place = 'node_lifecycle_controller.go:1038'
    if (next === 'FullDisruption') {
      run.log('I', place, 'Controller detected that all Nodes are not-Ready. Entering master disruption mode')
      for (const node of nodes) {
        const latest = run.reader.find('v1/nodes', node.metadata.name)
        if (latest !== undefined) reachable(latest)
      }
      limited = true
    } else if (before === 'FullDisruption') {
      run.log('I', 'node_lifecycle_controller.go:1057', 'Controller detected that some Nodes are Ready. Exiting master disruption mode')
      const now = run.clock.now()
      for (const [name, one] of health) health.set(name, { ...one, probe: now })
      // A cluster this small evicts nothing while a zone is partly down.
      limited = next === 'PartialDisruption'
    } else {
      run.log('I', 'node_lifecycle_controller.go:1080', 'Controller detected that zone is now in new state', { zone: '', newState: next })
      limited = next === 'PartialDisruption'
    }
  }
}
