// The status of PodDisruptionBudgets: how many of a budget's pods may be evicted now (pkg/controller/disruption).
import type { KubeObject } from '../kube.ts'
import { keyOf, type Run, splitKey } from './context.ts'
import { controllerOf, isEmptySelector, parseTime, same, scaled, selects, stamp } from './objects.ts'
import { isReady, isTerminal } from './pods.ts'

const resource = 'policy/v1/poddisruptionbudgets'
// DeletionTimeout: an eviction that was allowed and did not happen is forgotten
const deletionMs = 120_000
const scalable: Readonly<Record<string, string>> = {
  ReplicaSet: 'apps/v1/replicasets',
  Deployment: 'apps/v1/deployments',
  StatefulSet: 'apps/v1/statefulsets',
  ReplicationController: 'v1/replicationcontrollers',
}

export function startDisruption(run: Run): void {
  const client = run.client('disruption-controller')
  const record = run.events('controllermanager', 'disruption-controller')
  const queue = run.queue('disruption', (key) => sync(key))
  const add = (budget: KubeObject) => queue.add(keyOf(budget))
  run.watch(resource, { added: add, updated: add })
  const ofPod = (...pods: KubeObject[]) => {
    for (const [key, budget] of run.seen(resource)) {
      if (pods.some((pod) => pod.metadata.namespace === budget.metadata.namespace && covers(budget, pod))) queue.add(key)
    }
  }
  run.watch('v1/pods', { added: (pod) => ofPod(pod), updated: (pod, old) => ofPod(pod, old), deleted: (pod) => ofPod(pod) })
  // How many pods there should be is the owner's to say.
  const ofOwner = (owner: KubeObject) => {
    for (const [key, budget] of run.seen(resource)) if (budget.metadata.namespace === owner.metadata.namespace) queue.add(key)
  }
  for (const kind of Object.values(scalable)) {
    run.watch(kind, {
      updated: (owner, old) => {
        if (owner.spec.replicas !== old.spec.replicas) ofOwner(owner)
      },
    })
  }
  const covers = (budget: KubeObject, pod: KubeObject): boolean =>
    isEmptySelector(budget.spec.selector) ? budget.spec.selector !== undefined : selects(budget.spec.selector, pod.metadata.labels)

  const sync = (key: string): void => {
    const { namespace, name } = splitKey(key)
    const budget = run.reader.find(resource, name, namespace)
    if (budget === undefined) return
    const pods = run.list('v1/pods', { namespace }).filter((pod) => covers(budget, pod))
    if (pods.length === 0) record(budget, 'Normal', 'NoPods', 'No matching pods found')
    const live = pods.filter((pod) => !isTerminal(pod))
    const { expected, desired, problem } = counts(budget, pods)
    const now = run.clock.now()
    const disrupted: Record<string, string> = {}
    for (const [pod, time] of Object.entries<string>(budget.status?.disruptedPods ?? {})) {
      const found = live.find((one) => one.metadata.name === pod)
      if (found === undefined || found.metadata.deletionTimestamp) continue
      const left = parseTime(time) + deletionMs - now
      if (left > 0) {
        disrupted[pod] = time
        queue.addAfter(key, left)
      } else record(found, 'Warning', 'NotDeleted', `Pod was expected by PDB ${key} to be deleted but it wasn't`)
    }
    const healthy = live.filter(
      (pod) => !pod.metadata.deletionTimestamp && disrupted[pod.metadata.name] === undefined && isReady(pod),
    ).length
    const allowed = expected <= 0 || problem ? 0 : Math.max(0, healthy - desired)
    const before = (budget.status?.conditions ?? []).find((one: KubeObject) => one.type === 'DisruptionAllowed')
    const value = allowed > 0 ? 'True' : 'False'
    const reason = problem ? 'SyncFailed' : allowed > 0 ? 'SufficientPods' : 'InsufficientPods'
    const lastTransitionTime = before?.status === value ? before.lastTransitionTime : stamp(now)
    const condition = {
      type: 'DisruptionAllowed',
      status: value,
      observedGeneration: budget.metadata.generation,
      lastTransitionTime,
      reason,
      message: problem ?? '',
    }
    const status = {
      observedGeneration: budget.metadata.generation,
      ...(Object.keys(disrupted).length > 0 ? { disruptedPods: disrupted } : {}),
      disruptionsAllowed: allowed,
      currentHealthy: healthy,
      desiredHealthy: desired,
      expectedPods: expected,
      conditions: [...(budget.status?.conditions ?? []).filter((one: KubeObject) => one !== before), condition],
    }
    if (!same(status, budget.status)) client.update(resource, { ...budget, status }, { subresource: 'status' })
  }
  const counts = (budget: KubeObject, pods: readonly KubeObject[]): { expected: number; desired: number; problem?: string } => {
    const { minAvailable, maxUnavailable } = budget.spec
    if (maxUnavailable === undefined && typeof minAvailable !== 'string') return { expected: pods.length, desired: minAvailable ?? 0 }
    const seen = new Set<string>()
    let expected = 0
    let unmanaged = false
    for (const pod of pods) {
      const owner = controllerOf(pod)
      if (owner === undefined) {
        unmanaged = true
        continue
      }
      const found = scale(owner, pod.metadata.namespace)
      if (found === undefined) {
        const problem = `found no controllers for pod "${pod.metadata.name}"`
        record(budget, 'Warning', 'CalculateExpectedPodCountFailed', `Failed to calculate the number of expected pods: ${problem}`)
        return { expected: 0, desired: 0, problem }
      }
      if (seen.has(found.uid)) continue
      seen.add(found.uid)
      expected += found.replicas
    }
    if (unmanaged) {
      const selector = JSON.stringify(budget.spec.selector)
      const advice = 'To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.'
      const consequence = 'As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior.'
      const message = `Pods selected by this PodDisruptionBudget (selector: ${selector}) were found to be unmanaged. ${consequence} ${advice}`
      record(budget, 'Warning', 'UnmanagedPods', message)
    }
    if (maxUnavailable !== undefined) return { expected, desired: Math.max(0, expected - scaled(maxUnavailable, expected, true)) }
    return { expected, desired: scaled(minAvailable, expected, true) }
  }
  const scale = (owner: KubeObject, namespace: string): { uid: string; replicas: number } | undefined => {
    const resourceOf = scalable[owner.kind]
    const found = resourceOf === undefined ? undefined : run.seen(resourceOf).get(`${namespace}/${owner.name}`)
    if (found === undefined || found.metadata.uid !== owner.uid) return undefined
    const above = owner.kind === 'ReplicaSet' ? controllerOf(found) : undefined
    if (above?.kind === 'Deployment') return scale(above, namespace)
    return { uid: found.metadata.uid, replicas: found.spec.replicas ?? 0 }
  }
}
