// Empties and removes a namespace that is being deleted, pods first (pkg/controller/namespace).
import { ApiError, type KubeObject } from '../kube.ts'
import { kinds } from './catalog.ts'
import { keyOf, type Run, unhandled, unless } from './context.ts'
import { stamp } from './objects.ts'

const resource = 'v1/namespaces'
// namespaceDeletionGracePeriod, finalizerEstimateSeconds
const graceMs = 5000
const finalizerSeconds = 15

const fine: readonly [string, string, string][] = [
  ['NamespaceDeletionDiscoveryFailure', 'ResourcesDiscovered', 'All resources successfully discovered'],
  ['NamespaceDeletionGroupVersionParsingFailure', 'ParsedGroupVersions', 'All legacy kube types successfully parsed'],
  ['NamespaceDeletionContentFailure', 'ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
  ['NamespaceContentRemaining', 'ContentRemoved', 'All content successfully removed'],
  ['NamespaceFinalizersRemaining', 'ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
]
interface Left {
  counts: Map<string, number>
  finalizers: Map<string, number>
  errors: string[]
  /** seconds until it is worth looking again */
  estimate: number
}

export function startNamespace(run: Run): void {
  const client = run.client('namespace-controller')
  const queue = run.queue('namespace', (name) => sync(name), {
    said: (name, error) => unhandled('namespace_controller.go:166', `deletion of namespace ${name} failed: ${error.message}`),
  })
  const look = (namespace: KubeObject) => {
    if (namespace.metadata.deletionTimestamp) queue.addAfter(keyOf(namespace), graceMs)
  }
  run.watch(resource, {
    added: look,
    updated: look,
    deleted: (namespace) =>
      run.log('I', 'namespace_controller.go:187', 'Namespace has been deleted', { namespace: namespace.metadata.name }),
  })

  const sync = (name: string): void => {
    let namespace = run.reader.find(resource, name)
    if (namespace === undefined || !namespace.metadata.deletionTimestamp) return
    if (namespace.status?.phase !== 'Terminating') {
      namespace = client.update(
        resource,
        { ...namespace, status: { ...namespace.status, phase: 'Terminating' } },
        { subresource: 'status' },
      )
    }
    if (!(namespace.spec?.finalizers ?? []).includes('kubernetes')) return
    const left = empty(namespace)
    const conditions = conditionsOf(namespace, left)
    if (conditions !== undefined) {
      namespace = client.update(resource, { ...namespace, status: { ...namespace.status, conditions } }, { subresource: 'status' })
    }
    if (left.counts.size > 0 || left.errors.length > 0) {
      queue.addAfter(name, (Math.floor(left.estimate / 2) + 1) * 1000)
      return
    }
    const finalizers = namespace.spec.finalizers.filter((one: string) => one !== 'kubernetes')
    unless([404], () => client.update(resource, { ...namespace, spec: { ...namespace.spec, finalizers } }, { subresource: 'finalize' }))
  }

  const empty = (namespace: KubeObject): Left => {
    const left: Left = { counts: new Map(), finalizers: new Map(), errors: [], estimate: 0 }
    const all = kinds(run).filter((kind) => kind.namespaced)
    const pods = all.filter((kind) => kind.resource === 'v1/pods')
    const others = all.filter((kind) => kind.resource !== 'v1/pods')
    for (const part of [pods, others]) {
      for (const { resource: one, name, group } of part) {
        try {
          remove(namespace, one, `${name}.${group}`, left)
        } catch (error) {
          if (!(error instanceof ApiError)) throw error
          if (error.code !== 404 && error.code !== 405) left.errors.push(error.message)
        }
      }
      if (left.counts.size > 0 && part === pods) break
    }
    return left
  }
  const remove = (namespace: KubeObject, one: string, called: string, left: Left): void => {
    const { name } = namespace.metadata
    const before = run.list(one, { namespace: name })
    if (before.length === 0) return
    let estimate = 0
    if (one === 'v1/pods') {
      for (const pod of before) {
        const ended = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
        if (!ended) estimate = Math.max(estimate, pod.spec.terminationGracePeriodSeconds ?? 0)
      }
      if ((run.clock.now() - Date.parse(namespace.metadata.deletionTimestamp)) / 1000 >= estimate) estimate = 0
    }
    for (const object of before) {
      if (object.metadata.deletionTimestamp && one !== 'v1/pods') continue
      unless([404], () => client.delete(one, object.metadata.name, name, { propagationPolicy: 'Background' }))
    }
    const after = run.list(one, { namespace: name })
    if (after.length === 0) return
    left.counts.set(called, after.length)
    let held = false
    for (const object of after) {
      for (const finalizer of object.metadata.finalizers ?? []) {
        held = true
        left.finalizers.set(finalizer, (left.finalizers.get(finalizer) ?? 0) + 1)
      }
    }
    left.estimate = Math.max(left.estimate, estimate > 0 || !held ? estimate : finalizerSeconds)
  }

  /** undefined when nothing has changed */
  const conditionsOf = (namespace: KubeObject, left: Left): KubeObject[] | undefined => {
    const bad = new Map<string, [string, string]>()
    const listed = (map: ReadonlyMap<string, number>, word: string) =>
      [...map]
        .map(([name, count]) => `${name} ${word} ${count} resource instances`)
        .sort()
        .join(', ')
    if (left.counts.size > 0)
      bad.set('NamespaceContentRemaining', ['SomeResourcesRemain', `Some resources are remaining: ${listed(left.counts, 'has')}`])
    if (left.finalizers.size > 0) {
      const message = `Some content in the namespace has finalizers remaining: ${listed(left.finalizers, 'in')}`
      bad.set('NamespaceFinalizersRemaining', ['SomeFinalizersRemain', message])
    }
    if (left.errors.length > 0) {
      const message = `Failed to delete all resource types, ${left.errors.length} remaining: ${[...left.errors].sort().join(', ')}`
      bad.set('NamespaceDeletionContentFailure', ['ContentDeletionFailed', message])
    }
    const conditions: KubeObject[] = [...(namespace.status?.conditions ?? [])]
    let changed = false
    for (const [type, okReason, okMessage] of fine) {
      const failure = bad.get(type)
      const [reason, message] = failure ?? [okReason, okMessage]
      const status = failure === undefined ? 'False' : 'True'
      const at = conditions.findIndex((one) => one.type === type)
      const before = conditions[at]
      if (before?.status === status && before.reason === reason && before.message === message) continue
      changed = true
      const lastTransitionTime = before?.status === status ? before.lastTransitionTime : stamp(run.clock.now())
      const next = { type, status, lastTransitionTime, reason, message }
      if (at < 0) conditions.push(next)
      else conditions[at] = next
    }
    return changed ? conditions : undefined
  }
}
