// The DaemonSet controller: one pod per node that it fits on, replaced node by node when the template changes (pkg/controller/daemon).
import { ApiError, type KubeObject } from '../kube.ts'
import { keyOf, type Run, splitKey, unhandled } from './context.ts'
import { currentRevision, revisionLabel, revisionsOf, trimRevisions } from './history.ts'
import { controllerOf, controllerRef, isEmptySelector, parseTime, same, scaled, selects } from './objects.ts'
import { matchesNode, untolerated } from './placement.ts'
import { claim, createPod, deletePod, isAvailable, isReady, isTerminal, namespaceEnds, podOf } from './pods.ts'

const resource = 'apps/v1/daemonsets'
const generationAnnotation = 'deprecated.daemonset.template.generation'
// pkg/controller/daemon/daemon_controller.go and cmd/kube-controller-manager/app/apps.go
const burst = 250
const backOffMs = 1000
const backOffMaxMs = 900_000

// pkg/controller/daemon/util AddOrUpdateDaemonPodTolerations
const ownTolerations = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
]
const hostNetworkToleration = { key: 'node.kubernetes.io/network-unavailable', operator: 'Exists', effect: 'NoSchedule' }
const tolerationsOf = (spec: KubeObject): KubeObject[] => {
  const added = spec.hostNetwork ? [...ownTolerations, hostNetworkToleration] : ownTolerations
  const own: KubeObject[] = spec.tolerations ?? []
  const twin = (a: KubeObject, b: KubeObject) =>
    a.key === b.key && a.operator === b.operator && a.effect === b.effect && (a.value ?? '') === (b.value ?? '')
  const kept = own.map((one) => added.find((other) => twin(one, other)) ?? one)
  return [...kept, ...added.filter((one) => !own.some((other) => twin(one, other)))]
}

/** whether a pod of the set is to be started on a node, and whether one that runs there may stay */
export function fits(set: KubeObject, node: KubeObject): { run: boolean; stay: boolean } {
  const spec = set.spec.template.spec
  if (spec.nodeName && spec.nodeName !== node.metadata.name) return { run: false, stay: false }
  if (!matchesNode(spec, node)) return { run: false, stay: false }
  const tolerations = tolerationsOf(spec)
  if (untolerated(node.spec?.taints, tolerations, ['NoExecute', 'NoSchedule']) !== undefined) {
    return { run: false, stay: untolerated(node.spec?.taints, tolerations, ['NoExecute']) === undefined }
  }
  return { run: true, stay: true }
}

/** the node that a pod runs on, or is meant for by its affinity */
function nodeOf(pod: KubeObject): string | undefined {
  if (pod.spec.nodeName) return pod.spec.nodeName
  const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  for (const term of terms) {
    for (const field of term.matchFields ?? []) {
      if (field.key === 'metadata.name' && field.operator === 'In') return field.values?.[0]
    }
  }
  return undefined
}
const meantFor = (affinity: KubeObject | undefined, node: string): KubeObject => ({
  ...affinity,
  nodeAffinity: {
    ...affinity?.nodeAffinity,
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }],
    },
  },
})
/** bound before unbound, running before pending, old before young */
const byAge = (a: KubeObject, b: KubeObject): number =>
  Number(!a.spec.nodeName) - Number(!b.spec.nodeName) ||
  parseTime(a.metadata.creationTimestamp) - parseTime(b.metadata.creationTimestamp) ||
  (a.metadata.name < b.metadata.name ? -1 : 1)

export function startDaemonSet(run: Run): void {
  const client = run.client('daemon-set-controller')
  const record = run.events('daemonset-controller', 'daemon-set-controller')
  const queue = run.queue('daemonset', (key) => sync(key), {
    said: (key, error) => unhandled('daemon_controller.go:356', `${key} failed with : ${error.message}`),
  })
  const backOff = new Map<string, { delay: number; at: number }>()

  run.watch(resource, {
    added: (set) => queue.add(keyOf(set)),
    updated: (set) => queue.add(keyOf(set)),
    deleted: (set) => {
      for (const key of backOff.keys()) if (key.startsWith(`${set.metadata.uid}/`)) backOff.delete(key)
    },
  })
  const ofPod = (pod: KubeObject) => {
    const owner = controllerOf(pod)
    if (owner !== undefined) {
      if (owner.kind === 'DaemonSet') queue.add(`${pod.metadata.namespace}/${owner.name}`)
      return
    }
    for (const [key, set] of run.seen(resource)) {
      if (set.metadata.namespace === pod.metadata.namespace && selects(set.spec.selector, pod.metadata.labels)) queue.add(key)
    }
  }
  run.watch('v1/pods', {
    added: ofPod,
    updated: (pod, old) => {
      const before = controllerOf(old)
      if (before?.kind === 'DaemonSet' && before.uid !== controllerOf(pod)?.uid) queue.add(`${pod.metadata.namespace}/${before.name}`)
      ofPod(pod)
    },
    deleted: (pod) => {
      if (controllerOf(pod)?.kind === 'DaemonSet') ofPod(pod)
    },
  })
  run.watch('apps/v1/controllerrevisions', {
    updated: ofPod,
    deleted: (revision) => {
      if (controllerOf(revision)?.kind === 'DaemonSet') ofPod(revision)
    },
  })
  run.watch('v1/nodes', {
    added: (node) => {
      for (const [key, set] of run.seen(resource)) if (fits(set, node).run) queue.add(key)
    },
    updated: (node, old) => {
      if (same(node.metadata.labels, old.metadata.labels) && same(node.spec?.taints, old.spec?.taints)) return
      for (const [key, set] of run.seen(resource)) if (!same(fits(set, node), fits(set, old))) queue.add(key)
    },
    // The pods of a node that is gone are deleted by the pod garbage collector, which brings the set back here.
    deleted: (node) => {
      for (const [key, set] of run.seen(resource)) if (fits(set, node).run) queue.add(key)
    },
  })

  const sync = (key: string): void => {
    const { namespace, name } = splitKey(key)
    const set = run.reader.find(resource, name, namespace)
    if (set === undefined) return
    if (isEmptySelector(set.spec.selector)) {
      record(set, 'Warning', 'SelectingAll', 'This daemon set is selecting all pods. A non-empty selector is required.')
      return
    }
    if (set.metadata.deletionTimestamp) return
    const all = revisionsOf(run, client, set)
    const { current, old } = currentRevision(client, set, all, (collisionCount) =>
      client.update(resource, { ...set, status: { ...set.status, collisionCount } }, { subresource: 'status' }),
    )
    const digest = current.metadata.labels[revisionLabel]
    const nodes = run.list('v1/nodes')
    let failure: unknown
    try {
      manage(set, nodes, digest)
      if (set.spec.updateStrategy?.type === 'RollingUpdate') update(set, nodes, digest)
      const inUse = new Set<string>([...podsByNode(set).values()].flat().map((pod) => pod.metadata.labels?.[revisionLabel]))
      trimRevisions(client, old, set.spec.revisionHistoryLimit ?? 10, inUse)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      failure = error
    }
    status(set, nodes, digest)
    if (failure !== undefined) throw failure
  }

  /** the set's pods by node; one that ended and is being deleted does not count any more */
  const podsByNode = (set: KubeObject): Map<string, KubeObject[]> => {
    const mine = run
      .list('v1/pods', { namespace: set.metadata.namespace })
      .filter((pod) => controllerOf(pod) === undefined || controllerOf(pod)?.uid === set.metadata.uid)
    const matches = (pod: KubeObject) => selects(set.spec.selector, pod.metadata.labels)
    const byNode = new Map<string, KubeObject[]>()
    for (const pod of claim(client, 'v1/pods', set, controllerRef(set), mine, matches)) {
      const node = nodeOf(pod)
      if (node === undefined || (pod.metadata.deletionTimestamp && isTerminal(pod))) continue
      byNode.set(node, [...(byNode.get(node) ?? []), pod])
    }
    return byNode
  }
  const limits = (set: KubeObject, desired: number): { surge: number; unavailable: number } => {
    if (set.spec.updateStrategy?.type !== 'RollingUpdate') return { surge: 0, unavailable: 0 }
    const { maxSurge, maxUnavailable } = set.spec.updateStrategy.rollingUpdate ?? {}
    const surge = scaled(maxSurge, desired, true)
    const unavailable = scaled(maxUnavailable ?? 1, desired, true)
    return { surge, unavailable: desired > 0 && surge === 0 && unavailable === 0 ? 1 : unavailable }
  }
  const available = (set: KubeObject, pod: KubeObject): boolean => isAvailable(pod, set.spec.minReadySeconds ?? 0, run.clock.now())

  const manage = (set: KubeObject, nodes: readonly KubeObject[], digest: string): void => {
    const byNode = podsByNode(set)
    const missing: string[] = []
    const doomed: KubeObject[] = []
    for (const node of nodes) {
      const here = byNode.get(node.metadata.name)
      const may = fits(set, node)
      if (may.run && here === undefined) missing.push(node.metadata.name)
      else if (may.stay) keep(set, node.metadata.name, here ?? [], may.run, digest, missing, doomed)
      else doomed.push(...(here ?? []).filter((pod) => !pod.metadata.deletionTimestamp))
    }
    // A pod meant for a node that is gone would never be scheduled, and nobody else deletes it.
    const names = new Set(nodes.map((node) => node.metadata.name))
    for (const [node, pods] of byNode) if (!names.has(node)) doomed.push(...pods.filter((pod) => !pod.spec.nodeName))
    apply(set, missing, doomed, digest)
  }
  const keep = (
    set: KubeObject,
    node: string,
    here: readonly KubeObject[],
    mayRun: boolean,
    digest: string,
    missing: string[],
    doomed: KubeObject[],
  ): void => {
    const running: KubeObject[] = []
    for (const pod of here) {
      if (pod.metadata.deletionTimestamp) continue
      const subject = `daemon pod ${pod.metadata.namespace}/${pod.metadata.name} on node ${node}`
      if (pod.status?.phase === 'Failed') {
        const key = `${set.metadata.uid}/${node}`
        const now = run.clock.now()
        const last = backOff.get(key)
        if (last !== undefined && now - last.at < last.delay) {
          queue.addAfter(keyOf(set), last.at + last.delay - now)
          continue
        }
        const long = last === undefined || now - last.at > 2 * backOffMaxMs
        backOff.set(key, { delay: long ? backOffMs : Math.min(last.delay * 2, backOffMaxMs), at: now })
        record(set, 'Warning', 'FailedDaemonPod', `Found failed ${subject}, will try to kill it`)
        doomed.push(pod)
      } else if (pod.status?.phase === 'Succeeded') {
        record(set, 'Normal', 'SucceededDaemonPod', `Found succeeded ${subject}, will try to delete it`)
        doomed.push(pod)
      } else running.push(pod)
    }
    running.sort(byAge)
    if (limits(set, 1).surge === 0) {
      doomed.push(...running.slice(1))
      return
    }
    if (running.length === 0 && mayRun) missing.push(node)
    if (running.length <= 1) return
    // A surge: two stay only while the old one serves and the new one does not yet.
    const young = running.find((pod) => pod.metadata.labels?.[revisionLabel] === digest)
    const old = running.find((pod) => pod.metadata.labels?.[revisionLabel] !== digest)
    doomed.push(...running.filter((pod) => pod !== young && pod !== old))
    if (young !== undefined && old !== undefined && (!isReady(old) || available(set, young))) doomed.push(old)
  }
  const apply = (set: KubeObject, missing: readonly string[], doomed: readonly KubeObject[], digest: string): void => {
    let failure: unknown
    let left = Math.min(missing.length, burst)
    let at = 0
    const { spec, metadata } = set.spec.template
    const generation = set.metadata.annotations?.[generationAnnotation]
    const labels = {
      ...metadata?.labels,
      ...(generation === undefined ? {} : { 'pod-template-generation': generation }),
      [revisionLabel]: digest,
    }
    for (let batch = Math.min(left, 1); batch > 0 && failure === undefined; batch = Math.min(2 * batch, left)) {
      for (const node of missing.slice(at, at + batch)) {
        const template = {
          metadata: { ...metadata, labels },
          spec: { ...spec, tolerations: tolerationsOf(spec), affinity: meantFor(spec.affinity, node) },
        }
        try {
          createPod(client, record, set, podOf(template, set, controllerRef(set)))
        } catch (error) {
          if (!namespaceEnds(error)) failure ??= error
        }
      }
      at += batch
      left -= batch
    }
    for (const pod of doomed.slice(0, burst)) {
      try {
        deletePod(client, record, set, pod)
      } catch (error) {
        failure ??= error
      }
    }
    if (failure !== undefined) throw failure
  }

  const update = (set: KubeObject, nodes: readonly KubeObject[], digest: string): void => {
    const byNode = podsByNode(set)
    const may = new Map(nodes.map((node) => [node.metadata.name as string, fits(set, node).run]))
    const desired = [...may.values()].filter(Boolean).length
    for (const [node, runs] of may) if (runs && !byNode.has(node)) byNode.set(node, [])
    const { surge, unavailable } = limits(set, desired)
    const replace: KubeObject[] = []
    const candidates: KubeObject[] = []
    let busy = 0
    const more: string[] = []
    const moreMaybe: string[] = []
    for (const [node, pods] of byNode) {
      const live = pods.filter((pod) => !pod.metadata.deletionTimestamp)
      const young = live.filter((pod) => pod.metadata.labels?.[revisionLabel] === digest)
      const old = live.filter((pod) => pod.metadata.labels?.[revisionLabel] !== digest)
      // Too many pods are the business of `manage`; until then the node counts as not done.
      if (young.length > 1 || old.length > 1) busy += 1
      else if (surge === 0) {
        if (young.length === old.length) busy += 1
        else if (young[0] !== undefined) busy += available(set, young[0]) ? 0 : 1
        else if (old[0] !== undefined && !available(set, old[0])) {
          replace.push(old[0])
          busy += 1
        } else if (old[0] !== undefined && busy < unavailable) candidates.push(old[0])
      } else if (old[0] !== undefined && young[0] === undefined) {
        if (!may.get(node)) replace.push(old[0])
        else if (!available(set, old[0])) more.push(node)
        else if (busy < surge) moreMaybe.push(node)
      } else if (old[0] !== undefined && young[0] !== undefined) {
        if (available(set, young[0])) replace.push(old[0])
        else busy += 1
      }
    }
    if (surge === 0) apply(set, [], [...replace, ...candidates.slice(0, Math.max(0, unavailable - busy))], digest)
    else apply(set, [...more, ...moreMaybe.slice(0, Math.max(0, surge - busy))], replace, digest)
  }

  const status = (set: KubeObject, nodes: readonly KubeObject[], digest: string): void => {
    const byNode = podsByNode(set)
    const count = { desired: 0, current: 0, wrong: 0, ready: 0, updated: 0, available: 0 }
    for (const node of nodes) {
      const pod = [...(byNode.get(node.metadata.name) ?? [])].sort(byAge)[0]
      if (!fits(set, node).run) {
        if (pod !== undefined) count.wrong += 1
        continue
      }
      count.desired += 1
      if (pod === undefined) continue
      count.current += 1
      if (isReady(pod)) count.ready += 1
      if (available(set, pod)) count.available += 1
      if (pod.metadata.labels?.[revisionLabel] === digest) count.updated += 1
    }
    const before = set.status ?? {}
    const next = {
      currentNumberScheduled: count.current,
      numberMisscheduled: count.wrong,
      desiredNumberScheduled: count.desired,
      numberReady: count.ready,
      observedGeneration: set.metadata.generation,
      ...(count.updated > 0 ? { updatedNumberScheduled: count.updated } : {}),
      ...(count.available > 0 ? { numberAvailable: count.available } : {}),
      ...(count.desired > count.available ? { numberUnavailable: count.desired - count.available } : {}),
      ...(before.collisionCount === undefined ? {} : { collisionCount: before.collisionCount }),
      ...(before.conditions === undefined ? {} : { conditions: before.conditions }),
    }
    if (!same(next, before)) {
      // Its own history may have made it newer in between.
      const latest = run.reader.find(resource, set.metadata.name, set.metadata.namespace)
      if (latest?.metadata.uid !== set.metadata.uid) return
      client.update(resource, { ...latest, status: next }, { subresource: 'status' })
    }
    const minReady = set.spec.minReadySeconds ?? 0
    if (minReady > 0 && count.ready !== count.available) queue.addAfter(keyOf(set), minReady * 1000)
  }
}
