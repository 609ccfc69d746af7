// What the workload controllers share about pods: readiness, creation from a template, adoption and release, and which one goes first.

import type { Recorder } from '../events.ts'
import { ApiError, type Client, type KubeObject, type Resource } from '../kube.ts'
import { unless } from './context.ts'
import { condition, controllerOf, parseTime } from './objects.ts'

export const isTerminal = (pod: KubeObject): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
export const isActive = (pod: KubeObject): boolean => !isTerminal(pod) && !pod.metadata.deletionTimestamp
/** on its way out, and not at its end yet */
export const isTerminating = (pod: KubeObject): boolean => !isTerminal(pod) && !!pod.metadata.deletionTimestamp
export const isReady = (pod: KubeObject): boolean => condition(pod, 'Ready')?.status === 'True'
/** ready for `minReadySeconds` */
export function isAvailable(pod: KubeObject, minReadySeconds: number, now: number): boolean {
  const ready = condition(pod, 'Ready')
  if (ready?.status !== 'True') return false
  return minReadySeconds === 0 || parseTime(ready.lastTransitionTime) + minReadySeconds * 1000 <= now
}
/** ms until the next of these pods becomes available by the passing of time alone; undefined when none will */
export function nextAvailable(pods: readonly KubeObject[], minReadySeconds: number, now: number): number | undefined {
  let next: number | undefined
  for (const pod of pods) {
    const ready = condition(pod, 'Ready')
    if (ready?.status !== 'True') continue
    const left = parseTime(ready.lastTransitionTime) + minReadySeconds * 1000 - now
    if (left > 0 && (next === undefined || left < next)) next = left
  }
  return next
}

/** A pod of a template; `metadata` may name it, else its name is generated from `owner`'s. */
export function podOf(template: KubeObject, owner: KubeObject, ownerReference: KubeObject, metadata: KubeObject = {}): KubeObject {
  const { labels, annotations, finalizers } = template.metadata ?? {}
  // A prefix that is no valid name with its dash is used without (pkg/controller/controller_utils.go getPodsPrefix).
  const prefix = owner.metadata.name.length > 252 ? owner.metadata.name : `${owner.metadata.name}-`
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: prefix,
      namespace: owner.metadata.namespace,
      ...(labels ? { labels: { ...labels } } : {}),
      ...(annotations ? { annotations: { ...annotations } } : {}),
      ...(finalizers ? { finalizers: [...finalizers] } : {}),
      ownerReferences: [ownerReference],
      ...metadata,
    },
    spec: template.spec,
  }
}

/** whether creation failed because the namespace ends */
export const namespaceEnds = (error: unknown): boolean =>
  error instanceof ApiError && (error.status.details?.causes ?? []).some((cause) => cause.reason === 'NamespaceTerminating')

/** Creates a pod and says so at its owner. Throws what the API answers. */
export function createPod(client: Client, record: Recorder, owner: KubeObject, pod: KubeObject): KubeObject {
  try {
    const created = client.create('v1/pods', pod)
    record(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name}`)
    return created
  } catch (error) {
    if (error instanceof Error && !namespaceEnds(error)) record(owner, 'Warning', 'FailedCreate', `Error creating: ${error.message}`)
    throw error
  }
}
/** Deletes a pod and says so at its owner; one that is gone is no error. */
export function deletePod(client: Client, record: Recorder, owner: KubeObject, pod: KubeObject): void {
  try {
    if (unless([404], () => client.delete('v1/pods', pod.metadata.name, pod.metadata.namespace))) {
      record(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`)
    }
  } catch (error) {
    if (error instanceof Error) record(owner, 'Warning', 'FailedDelete', `Error deleting: ${error.message}`)
    throw error
  }
}

/**
 * What of `objects` belongs to `owner`: what it controls and selects stays, what it selects and nobody controls is adopted, what it controls and does not
 * select any more is released (pkg/controller/controller_ref_manager.go).
 */
export function claim(
  client: Client,
  resource: Resource,
  owner: KubeObject,
  reference: KubeObject,
  objects: readonly KubeObject[],
  matches: (object: KubeObject) => boolean,
): KubeObject[] {
  const claimed: KubeObject[] = []
  for (const object of objects) {
    const { name, namespace, uid } = object.metadata
    const controller = controllerOf(object)
    if (controller !== undefined) {
      if (controller.uid !== owner.metadata.uid) continue
      if (matches(object)) claimed.push(object)
      else if (!owner.metadata.deletionTimestamp) {
        const patch = { metadata: { uid, ownerReferences: [{ $patch: 'delete', uid: owner.metadata.uid }] } }
        unless([404, 422], () => client.patch(resource, name, namespace, 'strategic', patch))
      }
      continue
    }
    if (owner.metadata.deletionTimestamp || object.metadata.deletionTimestamp || !matches(object)) continue
    unless([404], () => {
      claimed.push(client.patch(resource, name, namespace, 'strategic', { metadata: { uid, ownerReferences: [reference] } }))
    })
  }
  return claimed
}

const phaseRank: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 }
const restarts = (pod: KubeObject): number =>
  (pod.status?.containerStatuses ?? []).reduce((sum: number, one: KubeObject) => Math.max(sum, one.restartCount ?? 0), 0)
/** an age as a power of two, so that pods of about the same age are chosen among at random */
const ageRank = (since: number, now: number): number => Math.floor(Math.log2(Math.max(1, (now - since) * 1e6)))

/**
 * Sorts pods so that the one to be deleted first comes first (pkg/controller/controller_utils.go ActivePodsWithRanks). `related`: the pods whose
 * crowding on a node counts.
 */
export function byDeletionOrder(pods: readonly KubeObject[], related: readonly KubeObject[], now: number): KubeObject[] {
  const onNode = new Map<string, number>()
  for (const pod of related) if (isActive(pod)) onNode.set(pod.spec.nodeName ?? '', (onNode.get(pod.spec.nodeName ?? '') ?? 0) + 1)
  const cost = (pod: KubeObject) => Number(pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0) || 0
  const readySince = (pod: KubeObject) => parseTime(condition(pod, 'Ready')?.lastTransitionTime)
  const compare = (a: KubeObject, b: KubeObject): number => {
    if (!a.spec.nodeName !== !b.spec.nodeName) return a.spec.nodeName ? 1 : -1
    const phase = (phaseRank[a.status?.phase] ?? 0) - (phaseRank[b.status?.phase] ?? 0)
    if (phase !== 0) return phase
    if (isReady(a) !== isReady(b)) return isReady(a) ? 1 : -1
    if (cost(a) !== cost(b)) return cost(a) - cost(b)
    const crowd = (onNode.get(b.spec.nodeName ?? '') ?? 0) - (onNode.get(a.spec.nodeName ?? '') ?? 0)
    if (crowd !== 0) return crowd
    if (isReady(a) && isReady(b) && readySince(a) !== readySince(b)) {
      const rank = ageRank(readySince(a), now) - ageRank(readySince(b), now)
      return rank !== 0 ? rank : a.metadata.uid < b.metadata.uid ? -1 : 1
    }
    if (restarts(a) !== restarts(b)) return restarts(b) - restarts(a)
    const created = ageRank(parseTime(a.metadata.creationTimestamp), now) - ageRank(parseTime(b.metadata.creationTimestamp), now)
    return created !== 0 ? created : a.metadata.uid < b.metadata.uid ? -1 : 1
  }
  return [...pods].sort(compare)
}
