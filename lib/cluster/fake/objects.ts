// Objects of the fake cluster: a store with resource versions and a history to watch. Knows nothing of HTTP; runs no controllers.
import { randomUUID } from 'node:crypto'
import { canonical } from '../canonical.ts'

export interface StoredObject {
  apiVersion?: string
  kind?: string
  metadata: {
    name: string
    namespace?: string
    generateName?: string
    uid?: string
    resourceVersion?: string
    generation?: number
    creationTimestamp?: string
    labels?: Record<string, string>
    [key: string]: unknown
  }
  [key: string]: unknown
}
export interface Change {
  version: number
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  collection: string
  object: StoredObject
  before?: StoredObject
}
/** Where an object lives: `G/V/resource` (group empty for core), namespace empty for cluster-wide ones. */
export interface Address {
  collection: string
  namespace: string
  name: string
}

const historyLimit = 2000
export const objectLimit = 5000
const keyOf = ({ collection, namespace, name }: Address) => `${collection}\n${namespace}\n${name}`

/** The store. `changed` is called after each change, with it. */
export class Objects {
  version = 1
  private readonly rows = new Map<string, { address: Address; object: StoredObject }>()
  private history: Change[] = []
  private readonly watchers = new Set<(change: Change) => void>()
  private readonly now: () => Date

  constructor(now: () => Date) {
    this.now = now
  }

  get size(): number {
    return this.rows.size
  }
  get(address: Address): StoredObject | undefined {
    return this.rows.get(keyOf(address))?.object
  }
  list(collection: string, namespace?: string): StoredObject[] {
    return [...this.rows.values()]
      .filter(({ address }) => address.collection === collection && (namespace === undefined || address.namespace === namespace))
      .map(({ object }) => object)
      .sort((a, b) => `${a.metadata.namespace}/${a.metadata.name}`.localeCompare(`${b.metadata.namespace}/${b.metadata.name}`))
  }
  /** Creates or replaces; metadata that the server owns is kept or made here. */
  put(address: Address, object: StoredObject): StoredObject {
    const before = this.get(address)
    const version = ++this.version
    const stored: StoredObject = {
      ...object,
      metadata: {
        ...object.metadata,
        name: address.name,
        ...(address.namespace ? { namespace: address.namespace } : {}),
        uid: before?.metadata.uid ?? randomUUID(),
        creationTimestamp:
          before?.metadata.creationTimestamp ??
          this.now()
            .toISOString()
            .replace(/\.\d+Z$/, 'Z'),
        generation:
          before && JSON.stringify(before.spec) !== JSON.stringify(object.spec)
            ? (before.metadata.generation ?? 1) + 1
            : (before?.metadata.generation ?? 1),
        resourceVersion: String(version),
      },
    }
    this.rows.set(keyOf(address), { address, object: stored })
    this.record({ version, type: before ? 'MODIFIED' : 'ADDED', collection: address.collection, object: stored, before })
    return stored
  }
  /** Removes it, and what is in it when it is a namespace. */
  remove(address: Address): StoredObject | undefined {
    const before = this.get(address)
    if (!before) return undefined
    this.rows.delete(keyOf(address))
    const version = ++this.version
    this.record({
      version,
      type: 'DELETED',
      collection: address.collection,
      object: { ...before, metadata: { ...before.metadata, resourceVersion: String(version) } },
      before,
    })
    if (address.collection === '/v1/namespaces') {
      for (const row of [...this.rows.values()]) if (row.address.namespace === address.name) this.remove(row.address)
    }
    return before
  }
  /** Changes after `version`, oldest first; undefined when they are no longer known. */
  since(version: number): Change[] | undefined {
    if (this.history.length > 0 && version < this.history[0]!.version - 1) return undefined
    return this.history.filter((change) => change.version > version)
  }
  watch(listener: (change: Change) => void): () => void {
    this.watchers.add(listener)
    return () => this.watchers.delete(listener)
  }
  dump(): { address: Address; object: StoredObject }[] {
    return structuredClone([...this.rows.values()])
  }
  /** Puts back what `dump` gave: what is not in it goes, what differs is replaced, watchers see both. */
  load(rows: readonly { address: Address; object: StoredObject }[]): void {
    const wanted = new Map(rows.map((row) => [keyOf(row.address), row]))
    for (const [key, row] of [...this.rows]) if (!wanted.has(key)) this.remove(row.address)
    for (const row of wanted.values()) {
      const is = this.get(row.address)
      if (!is || normalised(is) !== normalised(row.object)) this.put(row.address, row.object)
    }
  }
  private record(change: Change): void {
    this.history.push(change)
    if (this.history.length > historyLimit) this.history = this.history.slice(-historyLimit / 2)
    for (const watcher of this.watchers) watcher(change)
  }
}

/** An object as text that is equal for equal content, whatever the server has stamped on it. */
export function normalised(object: StoredObject): string {
  const { uid: _u, resourceVersion: _r, creationTimestamp: _c, generation: _g, ...metadata } = object.metadata
  return canonical({ ...object, metadata })
}

/** RFC 7396. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch
  const out: Record<string, unknown> =
    target !== null && typeof target === 'object' && !Array.isArray(target) ? { ...(target as Record<string, unknown>) } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key]
    else out[key] = mergePatch(out[key], value)
  }
  return out
}

type JsonPatchStep = { op: string; path: string; value?: unknown; from?: string }
/** RFC 6902: add, replace, remove, test. @throws Error with the step that did not apply */
export function jsonPatch(target: unknown, steps: readonly JsonPatchStep[]): unknown {
  const root: { '': unknown } = { '': structuredClone(target) }
  for (const step of steps) {
    const path = [
      '',
      ...step.path
        .split('/')
        .slice(1)
        .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')),
    ]
    const last = path.pop()!
    let at: unknown = root
    for (const part of path) at = (at as Record<string, unknown> | undefined)?.[part]
    if (at === null || typeof at !== 'object') throw new Error(`the path ${step.path} does not exist`)
    const holder = at as Record<string, unknown>
    const index = Array.isArray(at) ? (last === '-' ? at.length : Number(last)) : -1
    const exists = Array.isArray(at) ? index < at.length : last in holder
    if (step.op !== 'add' && !exists) throw new Error(`the path ${step.path} does not exist`)
    if (step.op === 'test' && canonical(holder[last]) !== canonical(step.value)) throw new Error(`test of ${step.path} failed`)
    if (step.op === 'remove') Array.isArray(at) ? at.splice(index, 1) : delete holder[last]
    if (step.op === 'add' && Array.isArray(at)) at.splice(index, 0, step.value)
    else if (step.op === 'add' || step.op === 'replace') holder[Array.isArray(at) ? String(index) : last] = step.value
    else if (!['remove', 'test'].includes(step.op)) throw new Error(`the operation ${step.op} is not supported`)
  }
  return root['']
}
