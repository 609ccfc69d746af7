// The default scheduler: one pod after another, by priority; what fits nowhere waits until something changes that could help (pkg/scheduler).
import type { Timer } from '../../clock.ts'
import { ApiError, type KubeObject, Unreachable } from '../../kube.ts'
import { keyOf, type Run, splitKey, unless } from '../context.ts'
import { condition, controllerOf, hasLabels, type LabelSelector, parseTime, same, selects, stamp } from '../objects.ts'
import { isTerminal } from '../pods.ts'
import { betweenPods, fitsAlone, histogram, type Rejection, type World } from './filters.ts'
import { preempt } from './preemption.ts'
import { score } from './scores.ts'
import { NodeInfo, snapshot } from './snapshot.ts'
import { bound, claimNames, type Volumes, volumesOf } from './volumes.ts'

// podInitialBackoffSeconds, podMaxBackoffSeconds, podMaxInUnschedulablePodsDuration, VolumeBinding's bindTimeoutSeconds
const backOffMs = 1000
const backOffMaxMs = 10_000
const unschedulableMs = 300_000
const bindMs = 600_000

interface Waiting {
  key: string
  uid: string
  attempts: number
  /** when it was tried last */
  tried: number
  /** what rejected it last; empty: it is to be tried (again) */
  plugins: Set<string>
  timer?: Timer | undefined
}
/** what a change in the cluster may help against */
type Change = 'node' | 'podGone' | 'podCame' | 'volume'
const helps: Readonly<Record<Exclude<Change, 'node'>, readonly string[]>> = {
  podGone: ['NodeResourcesFit', 'NodePorts', 'InterPodAffinity', 'PodTopologySpread', 'VolumeRestrictions'],
  podCame: ['InterPodAffinity', 'PodTopologySpread'],
  volume: ['VolumeBinding', 'VolumeRestrictions'],
}
const none = 'no nodes available to schedule pods'

export function startDefaultScheduler(run: Run): void {
  const client = run.client('kube-scheduler')
  const record = run.events('default-scheduler', 'kube-scheduler')
  const queue = new Map<string, Waiting>()
  const active = new Set<string>()
  /** pods that have a node and wait for their volumes */
  const binding = new Map<string, { pod: KubeObject; node: string; since: number }>()
  let armed = false

  const mine = (pod: KubeObject): boolean =>
    (pod.spec.schedulerName ?? 'default-scheduler') === 'default-scheduler' &&
    !pod.spec.nodeName &&
    !isTerminal(pod) &&
    !pod.metadata.deletionTimestamp
  const wake = (): void => {
    if (armed || active.size === 0 || run.stopped) return
    armed = true
    run.after(0, () => {
      armed = false
      if (cycle()) wake()
    })
  }
  const activate = (waiting: Waiting): void => {
    waiting.timer?.cancel()
    waiting.timer = undefined
    waiting.plugins.clear()
    active.add(waiting.key)
    wake()
  }
  /** to be tried again once it has waited long enough since the last time */
  const backOff = (waiting: Waiting): void => {
    const left = waiting.tried + Math.min(backOffMs * 2 ** Math.max(0, waiting.attempts - 1), backOffMaxMs) - run.clock.now()
    if (waiting.attempts === 0 || left <= 0) {
      activate(waiting)
      return
    }
    waiting.timer?.cancel()
    waiting.plugins.clear()
    waiting.timer = run.after(left, () => activate(waiting))
  }
  const forget = (key: string): void => {
    queue.get(key)?.timer?.cancel()
    queue.delete(key)
    active.delete(key)
    binding.delete(key)
  }
  const enqueue = (pod: KubeObject): void => {
    const key = keyOf(pod)
    const known = queue.get(key)
    if (known?.uid === pod.metadata.uid) return
    if (known !== undefined) forget(key)
    const waiting: Waiting = { key, uid: pod.metadata.uid, attempts: 0, tried: 0, plugins: new Set() }
    queue.set(key, waiting)
    if (!gated(pod)) activate(waiting)
  }
  const moved = (change: Exclude<Change, 'node'>): void => {
    for (const waiting of queue.values()) if (helps[change].some((plugin) => waiting.plugins.has(plugin))) backOff(waiting)
  }
  const nodeChanged = (node: KubeObject): void => {
    for (const waiting of queue.values()) {
      if (waiting.plugins.size === 0) continue
      const pod = run.seen('v1/pods').get(waiting.key)
      if (pod === undefined) continue
      const info = new NodeInfo(node)
      // Room on it is counted in the cycle; here it only must not be hopeless.
      if (fitsAlone(pod, info) === undefined) backOff(waiting)
    }
  }

  const gated = (pod: KubeObject): boolean => {
    const gates: string[] = (pod.spec.schedulingGates ?? []).map((gate: KubeObject) => gate.name)
    return gates.length > 0
  }
  run.watch('v1/pods', {
    added: (pod) => {
      if (mine(pod)) enqueue(pod)
      else if (pod.spec.nodeName && !isTerminal(pod)) moved('podCame')
    },
    updated: (pod, old) => {
      if (mine(pod)) {
        const waiting = queue.get(keyOf(pod))
        if (waiting === undefined || waiting.uid !== pod.metadata.uid) enqueue(pod)
        else if (gated(old) && !gated(pod)) activate(waiting)
        else if (waiting.plugins.size > 0 && !(same(pod.spec, old.spec) && same(pod.metadata.labels, old.metadata.labels))) backOff(waiting)
        return
      }
      forget(keyOf(pod))
      if (!pod.spec.nodeName) return
      if (!old.spec.nodeName) moved('podCame')
      else if (isTerminal(pod) && !isTerminal(old)) moved('podGone')
      else if (!same(pod.metadata.labels, old.metadata.labels)) moved('podCame')
    },
    deleted: (pod) => {
      forget(keyOf(pod))
      if (pod.spec.nodeName || pod.status?.nominatedNodeName) moved('podGone')
    },
  })
  run.watch('v1/nodes', {
    added: nodeChanged,
    updated: (node, old) => {
      const seen = (one: KubeObject) => [one.spec?.taints, one.spec?.unschedulable, one.metadata.labels, one.status?.allocatable]
      if (!same(seen(node), seen(old))) nodeChanged(node)
    },
  })
  const volumeChanged = () => {
    for (const [key, one] of binding) finish(key, one)
    moved('volume')
  }
  run.watch('v1/persistentvolumeclaims', { added: volumeChanged, updated: volumeChanged })
  run.watch('v1/persistentvolumes', { added: volumeChanged, updated: volumeChanged })
  run.watch('storage.k8s.io/v1/storageclasses', { added: volumeChanged, updated: volumeChanged })
  for (const resource of ['v1/services', 'apps/v1/replicasets', 'apps/v1/statefulsets', 'v1/replicationcontrollers', 'v1/namespaces']) {
    run.watch(resource, {})
  }

  /** false when the API did not answer: it is tried again after a while */
  const cycle = (): boolean => {
    let infos: Map<string, NodeInfo>
    try {
      infos = snapshot(run.list('v1/nodes'), run.list('v1/pods'))
    } catch (error) {
      if (!(error instanceof ApiError || error instanceof Unreachable)) throw error
      run.after(backOffMs, wake)
      return false
    }
    for (const { pod, node } of binding.values()) infos.get(node)?.add(pod)
    const pods = [...active]
      .map((key) => run.seen('v1/pods').get(key))
      .filter((pod): pod is KubeObject => pod !== undefined && mine(pod))
      .sort(
        (a, b) =>
          (b.spec.priority ?? 0) - (a.spec.priority ?? 0) ||
          parseTime(a.metadata.creationTimestamp) - parseTime(b.metadata.creationTimestamp) ||
          Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion),
      )
    active.clear()
    for (const pod of pods) {
      if (run.stopped) return false
      const waiting = queue.get(keyOf(pod))
      if (waiting === undefined) continue
      waiting.attempts += 1
      waiting.tried = run.clock.now()
      try {
        schedule(pod, waiting, infos)
      } catch (error) {
        if (!(error instanceof ApiError || error instanceof Unreachable)) throw error
        // It is gone, or the API is: what is still there comes again.
        run.log('E', 'schedule_one.go:1046', 'Error scheduling pod; retrying', { err: error.message, pod: waiting.key })
        backOff(waiting)
      }
    }
    return true
  }
  const schedule = (listed: KubeObject, waiting: Waiting, infos: Map<string, NodeInfo>): void => {
    const { namespace, name } = splitKey(waiting.key)
    const pod = run.reader.find('v1/pods', name, namespace)
    if (pod === undefined || pod.metadata.uid !== listed.metadata.uid || !mine(pod)) {
      if (pod === undefined || !mine(pod)) forget(waiting.key)
      return
    }
    const volumes = volumesOf(run.reader, pod, () => [...infos.values()].flatMap((info) => info.pods))
    if (infos.size === 0) {
      failed(pod, waiting, none, ['NodeName'])
      return
    }
    const rejections = new Map<string, Rejection>()
    const world = worldOf(withNominated(pod, infos))
    const fitting = volumes.message === undefined ? filter(pod, world, volumes, rejections) : []
    if (fitting.length > 0) {
      const chosen = choose(pod, fitting, world)
      place(pod, waiting, infos.get(chosen) as NodeInfo, volumes)
      return
    }
    if (volumes.message !== undefined) {
      run.log('E', 'schedule_one.go:182', 'Status after running PostFilter plugins for pod', {
        logger: 'UnhandledError',
        pod: waiting.key,
        status: 'not found',
      })
      // What fails before the nodes are looked at leaves the claims' plugin without its state: its `not found` is what the real one prints, too.
      failed(pod, waiting, `0/${infos.size} nodes are available: ${volumes.message}. not found`, ['VolumeBinding'])
      return
    }
    const outcome = preempt({
      run,
      client,
      record,
      pod,
      infos,
      rejections,
      fits: (info, others) => {
        const changed = worldOf(new Map(others).set(info.name, info))
        return (fitsAlone(pod, info) ?? volumes.filter(info) ?? betweenPods(pod, changed)(info)) === undefined
      },
    })
    const all = [...rejections.values()]
    const reasons = histogram(
      all.flatMap((one) => one.reasons),
      absent(pod, infos, rejections),
    )
    const after = outcome.nominated === undefined ? ` no new claims to deallocate, preemption: ${outcome.message}` : ''
    const plugins = all.map((one) => one.plugin)
    failed(pod, waiting, `0/${infos.size} nodes are available: ${reasons}.${after}`, plugins, outcome.nominated ?? '')
  }
  const worldOf = (nodes: ReadonlyMap<string, NodeInfo>): World => ({
    nodes,
    namespaceLabels: (name) => run.seen('v1/namespaces').get(name)?.metadata.labels ?? {},
  })
  /** pods that wait for room that they have made count as if they were there already */
  const withNominated = (pod: KubeObject, infos: Map<string, NodeInfo>): Map<string, NodeInfo> => {
    let result = infos
    for (const key of queue.keys()) {
      const other = run.seen('v1/pods').get(key)
      const node = other?.status?.nominatedNodeName
      if (!node || other.metadata.uid === pod.metadata.uid || (other.spec.priority ?? 0) < (pod.spec.priority ?? 0)) continue
      const info = result.get(node)
      if (info !== undefined && mine(other)) result = new Map(result).set(node, info.with([...info.pods, other]))
    }
    return result
  }
  /** nodes that a pod names in its affinity are the only ones that are looked at (the pods of a DaemonSet) */
  const named = (pod: KubeObject): Set<string> | undefined => {
    const terms: KubeObject[] = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
    if (terms.length === 0) return undefined
    const names = new Set<string>()
    for (const term of terms) {
      const field = (term.matchFields ?? []).find((one: KubeObject) => one.key === 'metadata.name' && one.operator === 'In')
      if (field === undefined) return undefined
      for (const name of field.values ?? []) names.add(name)
    }
    return names
  }
  const absent = (
    pod: KubeObject,
    infos: ReadonlyMap<string, NodeInfo>,
    rejections: ReadonlyMap<string, Rejection>,
  ): [number, string] | undefined =>
    named(pod) !== undefined && rejections.size < infos.size
      ? [infos.size - rejections.size, "node(s) didn't satisfy plugin(s) [NodeAffinity]"]
      : undefined
  const filter = (pod: KubeObject, world: World, volumes: Volumes, rejections: Map<string, Rejection>): NodeInfo[] => {
    const only = named(pod)
    const between = betweenPods(pod, world)
    const fitting: NodeInfo[] = []
    for (const info of world.nodes.values()) {
      if (only !== undefined && !only.has(info.name)) continue
      const rejection = fitsAlone(pod, info) ?? volumes.filter(info) ?? between(info)
      if (rejection === undefined) fitting.push(info)
      else rejections.set(info.name, rejection)
    }
    return fitting
  }
  const choose = (pod: KubeObject, fitting: readonly NodeInfo[], world: World): string => {
    const nominated = fitting.find((info) => info.name === pod.status?.nominatedNodeName)
    if (nominated !== undefined) return nominated.name
    if (fitting.length === 1) return (fitting[0] as NodeInfo).name
    const scores = score(pod, fitting, world, groupsOf(pod))
    const most = Math.max(...scores)
    const winners = fitting.filter((_, at) => scores[at] === most)
    return (winners[run.random.int(winners.length)] as NodeInfo).name
  }
  /** what the pod belongs to: Services and its owner (plugins/helper DefaultSelector) */
  const groupsOf = (pod: KubeObject): LabelSelector[] => {
    const groups: LabelSelector[] = []
    for (const service of run.seen('v1/services').values()) {
      if (service.metadata.namespace === pod.metadata.namespace && hasLabels(pod.metadata.labels, service.spec.selector)) {
        groups.push({ matchLabels: service.spec.selector })
      }
    }
    const owner = controllerOf(pod)
    if (owner === undefined) return groups
    const resource = {
      ReplicaSet: 'apps/v1/replicasets',
      StatefulSet: 'apps/v1/statefulsets',
      ReplicationController: 'v1/replicationcontrollers',
    }[owner.kind as string]
    const found = resource === undefined ? undefined : run.seen(resource).get(`${pod.metadata.namespace}/${owner.name}`)
    if (found === undefined) return groups
    const selector = owner.kind === 'ReplicationController' ? { matchLabels: found.spec.selector } : found.spec.selector
    if (selects(selector, pod.metadata.labels)) groups.push(selector)
    return groups
  }

  const place = (pod: KubeObject, waiting: Waiting, info: NodeInfo, volumes: Volumes): void => {
    if (volumes.reserve(client, info.node)) {
      info.add(pod)
      binding.set(waiting.key, { pod, node: info.name, since: run.clock.now() })
      run.after(bindMs, () => {
        const one = binding.get(waiting.key)
        if (one !== undefined && run.clock.now() - one.since >= bindMs)
          unbind(waiting.key, one.pod, 'binding volumes: context deadline exceeded')
      })
      // What had been bound in the meantime needs no event any more.
      finish(waiting.key, binding.get(waiting.key) as { pod: KubeObject; node: string })
      return
    }
    bind(pod, info.name)
    info.add(pod)
  }
  const bind = (pod: KubeObject, node: string): void => {
    const { name, namespace, uid } = pod.metadata
    client.create(
      'v1/pods',
      { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace, uid }, target: { apiVersion: 'v1', kind: 'Node', name: node } },
      { subresource: 'binding' },
    )
    forget(keyOf(pod))
    record(pod, 'Normal', 'Scheduled', `Successfully assigned ${namespace}/${name} to ${node}`)
  }
  const finish = (key: string, { pod, node }: { pod: KubeObject; node: string }): void => {
    run.attempt(() => {
      for (const { name } of claimNames(pod)) {
        const claim = run.reader.find('v1/persistentvolumeclaims', name, pod.metadata.namespace)
        if (claim === undefined) {
          unbind(key, pod, `binding volumes: persistentvolumeclaim ${JSON.stringify(name)} not found`)
          return
        }
        if (bound(claim)) continue
        const wish = claim.metadata.annotations?.['volume.kubernetes.io/selected-node']
        // The provisioner took the wish back: this node will not do.
        if (wish !== undefined && wish !== node)
          unbind(key, pod, `binding volumes: pvc ${JSON.stringify(name)} is selected for another node`)
        return
      }
      binding.delete(key)
      bind(pod, node)
    })
  }
  const unbind = (key: string, pod: KubeObject, message: string): void => {
    binding.delete(key)
    const waiting = queue.get(key)
    if (waiting === undefined) return
    failed(pod, waiting, message, ['VolumeBinding'])
    backOff(waiting)
  }

  const failed = (pod: KubeObject, waiting: Waiting, message: string, plugins: readonly string[], nominated?: string): void => {
    waiting.plugins = new Set(plugins)
    waiting.timer?.cancel()
    waiting.timer = run.after(unschedulableMs, () => activate(waiting))
    record(pod, 'Warning', 'FailedScheduling', message.length > 1024 ? `${message.slice(0, 1021)}...` : message)
    const before = condition(pod, 'PodScheduled')
    const current = pod.status?.nominatedNodeName ?? ''
    const unchanged = before?.status === 'False' && before.reason === 'Unschedulable' && before.message === message
    if (unchanged && (nominated === undefined || nominated === current)) return
    const now = stamp(run.clock.now())
    const next = {
      type: 'PodScheduled',
      observedGeneration: pod.metadata.generation,
      status: 'False',
      lastProbeTime: null,
      lastTransitionTime: before?.status === 'False' ? before.lastTransitionTime : now,
      reason: 'Unschedulable',
      message,
    }
    const status = {
      conditions: [next],
      ...(nominated === undefined || nominated === current ? {} : { nominatedNodeName: nominated === '' ? null : nominated }),
    }
    unless([404], () =>
      client.patch('v1/pods', pod.metadata.name, pod.metadata.namespace, 'strategic', { status }, { subresource: 'status' }),
    )
  }
}
