// The garbage collector: what only gone owners own is deleted; owners that wait for their dependents, or leave them orphaned, are let go when that is
// done (pkg/controller/garbagecollector).
import { ApiError, type KubeObject, type Resource } from '../kube.ts'
import { followKinds, type Kind, kindOf } from './catalog.ts'
import { keyOf, type Run, SyncError, splitKey, unless } from './context.ts'
import { same } from './objects.ts'

const foreground = 'foregroundDeletion'
const orphan = 'orphan'

interface Dependent {
  resource: Resource
  key: string
}
const has = (object: KubeObject, finalizer: string): boolean => (object.metadata.finalizers ?? []).includes(finalizer)
const waits = (object: KubeObject): boolean => !!object.metadata.deletionTimestamp && has(object, foreground)
const orphans = (object: KubeObject): boolean => !!object.metadata.deletionTimestamp && has(object, orphan)
const id = (resource: Resource, key: string): string => `${resource} ${key}`

export function startGarbageCollector(run: Run): void {
  const client = run.client('generic-garbage-collector')
  /** by the owner's uid; only objects that have owners are in here */
  const dependents = new Map<string, Map<string, Dependent>>()
  const remove = run.queue('garbage_collector_attempt_to_delete', (item) => attempt(item))
  const release = run.queue('garbage_collector_attempt_to_orphan', (item) => letGo(item))

  const link = (resource: Resource, object: KubeObject): void => {
    const key = keyOf(object)
    for (const owner of object.metadata.ownerReferences ?? []) {
      const all = dependents.get(owner.uid) ?? new Map<string, Dependent>()
      all.set(id(resource, key), { resource, key })
      dependents.set(owner.uid, all)
    }
  }
  const unlink = (resource: Resource, object: KubeObject): void => {
    for (const owner of object.metadata.ownerReferences ?? []) {
      const all = dependents.get(owner.uid)
      all?.delete(id(resource, keyOf(object)))
      if (all?.size === 0) dependents.delete(owner.uid)
    }
  }
  const ending = (resource: Resource, object: KubeObject): void => {
    if (orphans(object)) release.add(id(resource, keyOf(object)))
    else if (waits(object)) {
      for (const one of dependents.get(object.metadata.uid)?.values() ?? []) remove.add(id(one.resource, one.key))
      remove.add(id(resource, keyOf(object)))
    }
  }
  const owners = (object: KubeObject): void => {
    for (const owner of object.metadata.ownerReferences ?? []) {
      const kind = kindOf(run, owner.apiVersion, owner.kind)
      if (kind === undefined) continue
      const found = run.seen(kind.resource).get(kind.namespaced ? `${object.metadata.namespace}/${owner.name}` : owner.name)
      if (found !== undefined && found.metadata.uid === owner.uid && waits(found)) remove.add(id(kind.resource, keyOf(found)))
    }
  }
  const come = ({ resource }: Kind): void => {
    run.watch(resource, {
      added: (object) => {
        link(resource, object)
        if ((object.metadata.ownerReferences ?? []).length > 0) remove.add(id(resource, keyOf(object)))
        if (object.metadata.deletionTimestamp) ending(resource, object)
      },
      updated: (object, old) => {
        if (!same(object.metadata.ownerReferences, old.metadata.ownerReferences)) {
          unlink(resource, old)
          link(resource, object)
          owners(old)
          owners(object)
          if ((object.metadata.ownerReferences ?? []).length > 0) remove.add(id(resource, keyOf(object)))
        }
        if ((waits(object) && !waits(old)) || (orphans(object) && !orphans(old))) ending(resource, object)
      },
      deleted: (object) => {
        unlink(resource, object)
        owners(object)
        for (const one of dependents.get(object.metadata.uid)?.values() ?? []) remove.add(id(one.resource, one.key))
      },
    })
  }
  // Events have no owners that matter, and are many (the real collector leaves them out, too).
  followKinds(
    run,
    (kind) => {
      if (kind.name !== 'events') come(kind)
    },
    (kind) => run.unwatch(kind.resource),
  )

  const parse = (item: string): { resource: Resource; namespace: string | undefined; name: string } => {
    const at = item.indexOf(' ')
    return { resource: item.slice(0, at), ...splitKey(item.slice(at + 1)) }
  }
  const attempt = (item: string): void => {
    const { resource, namespace, name } = parse(item)
    const object = find(resource, name, namespace)
    if (object === undefined) return
    if (waits(object)) {
      finishForeground(resource, object)
      return
    }
    if (object.metadata.deletionTimestamp) return
    const references: KubeObject[] = object.metadata.ownerReferences ?? []
    if (references.length === 0) return
    const solid: KubeObject[] = []
    const waiting: KubeObject[] = []
    for (const reference of references) {
      const owner = ownerOf(object, reference)
      if (owner === undefined) continue
      if (waits(owner)) waiting.push(reference)
      else solid.push(reference)
    }
    if (solid.length > 0) {
      if (solid.length < references.length) write(resource, object, { ownerReferences: solid })
      return
    }
    const mine = dependents.get(object.metadata.uid)
    let propagationPolicy: 'Background' | 'Foreground' | 'Orphan' = 'Background'
    if (waiting.length > 0 && mine !== undefined && mine.size > 0) {
      // A circle of owners that all wait would never end.
      const circular = [...mine.values()].some((one) => {
        const { namespace: inside, name: called } = splitKey(one.key)
        const dependent = find(one.resource, called, inside)
        return dependent !== undefined && waits(dependent)
      })
      if (circular) write(resource, object, { ownerReferences: references.map((one) => ({ ...one, blockOwnerDeletion: false })) })
      propagationPolicy = 'Foreground'
    } else if (has(object, orphan)) propagationPolicy = 'Orphan'
    else if (has(object, foreground)) propagationPolicy = 'Foreground'
    unless([404], () => client.delete(resource, name, namespace, { propagationPolicy, preconditions: { uid: object.metadata.uid } }))
  }
  /** undefined for what is gone, or not served any more */
  const find = (resource: Resource, name: string, namespace: string | undefined): KubeObject | undefined => {
    try {
      return run.reader.find(resource, name, namespace)
    } catch (error) {
      if (error instanceof ApiError && error.code === 404) return undefined
      throw error
    }
  }
  const ownerOf = (object: KubeObject, reference: KubeObject): KubeObject | undefined => {
    const kind = kindOf(run, reference.apiVersion, reference.kind)
    if (kind === undefined) {
      throw new SyncError(`unable to get REST mapping for ${reference.apiVersion}/${reference.kind}.`)
    }
    // An object of the cluster cannot have an owner in a namespace: such a reference is left as it is.
    if (kind.namespaced && !object.metadata.namespace) return object
    const owner = find(kind.resource, reference.name, kind.namespaced ? object.metadata.namespace : undefined)
    return owner?.metadata.uid === reference.uid ? owner : undefined
  }
  const finishForeground = (resource: Resource, owner: KubeObject): void => {
    let blocked = false
    for (const one of dependents.get(owner.metadata.uid)?.values() ?? []) {
      const { namespace, name } = splitKey(one.key)
      const dependent = find(one.resource, name, namespace)
      const reference = dependent?.metadata.ownerReferences?.find((other: KubeObject) => other.uid === owner.metadata.uid)
      if (reference?.blockOwnerDeletion !== true) continue
      blocked = true
      if (!waits(dependent)) remove.add(id(one.resource, one.key))
    }
    if (!blocked) write(resource, owner, { finalizers: owner.metadata.finalizers.filter((one: string) => one !== foreground) })
  }
  const letGo = (item: string): void => {
    const { resource, namespace, name } = parse(item)
    const owner = find(resource, name, namespace)
    if (owner === undefined || !orphans(owner)) return
    for (const one of dependents.get(owner.metadata.uid)?.values() ?? []) {
      const inside = splitKey(one.key)
      const dependent = find(one.resource, inside.name, inside.namespace)
      if (dependent === undefined) continue
      const kept = (dependent.metadata.ownerReferences ?? []).filter((other: KubeObject) => other.uid !== owner.metadata.uid)
      write(one.resource, dependent, { ownerReferences: kept })
    }
    write(resource, owner, { finalizers: owner.metadata.finalizers.filter((one: string) => one !== orphan) })
  }
  /** replaces one list in an object's metadata, unless it has changed in the meantime (then the item comes again) */
  const write = (resource: Resource, object: KubeObject, metadata: { ownerReferences?: KubeObject[]; finalizers?: string[] }): void => {
    const { name, namespace, resourceVersion } = object.metadata
    const lists = Object.fromEntries(Object.entries(metadata).map(([key, list]) => [key, list.length > 0 ? list : null]))
    unless([404], () => client.patch(resource, name, namespace, 'merge', { metadata: { resourceVersion, ...lists } }))
  }
}
