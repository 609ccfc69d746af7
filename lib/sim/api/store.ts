// What etcd holds: objects at their storage version, one revision for all of them, and the changes of a while ago so that a watch can catch up.
// Objects are frozen and shared: a dump, a load and every reader have the same ones. Knows nothing of users, versions of an API or HTTP.
import type { Clock } from '../clock.ts'
import type { KubeObject } from '../kube.ts'

/** The whole content. Plain JSON; objects are shared with the store that made it, and frozen. */
export interface StoreDump {
  revision: number
  /** by bucket (`pods`, `deployments.apps`), sorted by key */
  objects: Record<string, readonly KubeObject[]>
}
/** One write. `previous` is what was there before; for DELETED, `object` is the last state with the revision of its deletion. */
export interface Change {
  revision: number
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  object: KubeObject
  previous: KubeObject | undefined
}
export type ChangeListener = (change: Change) => void

/** changes that a bucket remembers; the real server's watch cache begins with 100 per resource and grows to thousands */
const remembered = 256

interface Bucket {
  namespaces: Map<string, Map<string, KubeObject>>
  listeners: Set<ChangeListener>
  history: Change[]
  /** changes up to this revision are forgotten */
  forgotten: number
  /** writes of this bucket so far, for caches that follow from its content */
  generation: number
}

export class Store {
  #revision = 1
  #forgotten = 0
  readonly #buckets = new Map<string, Bucket>()
  #pending: { bucket: Bucket; change: Change }[] = []

  /** the time of the lab that the content belongs to */
  readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** `dump` may come from JSON: what is not frozen yet is frozen in place. */
  static load(dump: StoreDump, clock: Clock): Store {
    const store = new Store(clock)
    store.#revision = dump.revision
    store.#forgotten = dump.revision
    for (const [name, objects] of Object.entries(dump.objects)) {
      const bucket = store.#bucket(name)
      for (const object of objects) {
        put(bucket, deepFreeze(object))
      }
    }
    return store
  }
  dump(): StoreDump {
    const objects: StoreDump['objects'] = {}
    for (const name of [...this.#buckets.keys()].sort()) {
      const list = this.list(name)
      if (list.length > 0) objects[name] = list
    }
    return { revision: this.#revision, objects }
  }

  get revision(): number {
    return this.#revision
  }
  /** names of all buckets that ever held something */
  buckets(): readonly string[] {
    return [...this.#buckets.keys()]
  }
  get(bucket: string, namespace: string, name: string): KubeObject | undefined {
    return this.#buckets.get(bucket)?.namespaces.get(namespace)?.get(name)
  }
  /** sorted as etcd's keys are: namespace/name; of all namespaces when none is named */
  list(bucket: string, namespace?: string): KubeObject[] {
    const all = this.#buckets.get(bucket)?.namespaces
    if (all === undefined) return []
    if (namespace !== undefined) {
      const objects = all.get(namespace)
      return objects === undefined ? [] : [...objects.keys()].sort().map((name) => objects.get(name))
    }
    const found: [key: string, object: KubeObject][] = []
    for (const [space, objects] of all) for (const [name, object] of objects) found.push([`${space}/${name}`, object])
    return found.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object)
  }
  count(bucket: string): number {
    let count = 0
    for (const objects of this.#buckets.get(bucket)?.namespaces.values() ?? []) count += objects.size
    return count
  }
  /** grows with every write of this bucket: what was computed from its content is stale when this differs */
  generation(bucket: string): number {
    return this.#bucket(bucket).generation
  }

  /** Writes an object under its namespace and name, gives it the next revision and freezes it; returns what is now stored. */
  put(bucket: string, object: KubeObject): KubeObject {
    const into = this.#bucket(bucket)
    const revision = ++this.#revision
    const stored = deepFreeze({ ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } })
    const previous = put(into, stored)
    this.#changed(into, { revision, type: previous === undefined ? 'ADDED' : 'MODIFIED', object: stored, previous })
    return stored
  }
  /** undefined when it was not there */
  remove(bucket: string, namespace: string, name: string): KubeObject | undefined {
    const from = this.#bucket(bucket)
    const objects = from.namespaces.get(namespace)
    const previous = objects?.get(name)
    if (objects === undefined || previous === undefined) return undefined
    objects.delete(name)
    if (objects.size === 0) from.namespaces.delete(namespace)
    const revision = ++this.#revision
    const object = deepFreeze({ ...previous, metadata: { ...previous.metadata, resourceVersion: String(revision) } })
    this.#changed(from, { revision, type: 'DELETED', object, previous })
    return object
  }

  /**
   * Changes of a bucket after `revision`, those of the past first; undefined when they are forgotten (410 Gone). Listeners are called in
   * microtasks after the write, in the order of revisions.
   */
  subscribe(name: string, revision: number, listener: ChangeListener): { past: readonly Change[]; stop(): void } | undefined {
    const bucket = this.#bucket(name)
    if (revision < bucket.forgotten) return undefined
    const heard = this.#revision
    const past = revision >= heard ? [] : bucket.history.filter((change) => change.revision > revision)
    // What was written before this moment and is not told yet is in `past`.
    const only = (change: Change) => {
      if (change.revision > heard) listener(change)
    }
    bucket.listeners.add(only)
    return { past, stop: () => bucket.listeners.delete(only) }
  }

  /** whether changes of a bucket since this revision are remembered */
  knows(name: string, revision: number): boolean {
    return revision >= this.#bucket(name).forgotten
  }

  #bucket(name: string): Bucket {
    let bucket = this.#buckets.get(name)
    if (bucket === undefined) {
      bucket = { namespaces: new Map(), listeners: new Set(), history: [], forgotten: this.#forgotten, generation: 0 }
      this.#buckets.set(name, bucket)
    }
    return bucket
  }
  #changed(bucket: Bucket, change: Change): void {
    bucket.generation += 1
    bucket.history.push(change)
    if (bucket.history.length > remembered) {
      const gone = bucket.history.splice(0, bucket.history.length - remembered / 2)
      bucket.forgotten = gone.at(-1)?.revision ?? bucket.forgotten
    }
    if (bucket.listeners.size === 0) return
    this.#pending.push({ bucket, change })
    if (this.#pending.length === 1) queueMicrotask(() => this.#tell())
  }
  #tell(): void {
    const pending = this.#pending
    this.#pending = []
    // One listener's failure must not keep a change from the others.
    const failed: unknown[] = []
    for (const { bucket, change } of pending) {
      for (const listener of [...bucket.listeners]) {
        if (!bucket.listeners.has(listener)) continue
        try {
          listener(change)
        } catch (error) {
          failed.push(error)
        }
      }
    }
    if (failed.length > 0) throw failed[0]
  }
}

/** returns what was there before */
function put(bucket: Bucket, object: KubeObject): KubeObject | undefined {
  const namespace: string = object.metadata.namespace ?? ''
  let objects = bucket.namespaces.get(namespace)
  if (objects === undefined) {
    objects = new Map()
    bucket.namespaces.set(namespace, objects)
  }
  const previous = objects.get(object.metadata.name)
  objects.set(object.metadata.name, object)
  return previous
}

/** Freezes in place; parts that are frozen already are taken to be frozen throughout. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const key in value) deepFreeze(value[key])
  return Object.freeze(value)
}

/** Equality of JSON: the order of an object's keys does not matter, undefined is the same as absent. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    for (let at = 0; at < a.length; at++) if (!equal(a[at], b[at])) return false
    return true
  }
  const left = a as Record<string, unknown>
  const right = b as Record<string, unknown>
  for (const key in left) if (!equal(left[key], right[key])) return false
  for (const key in right) if (right[key] !== undefined && left[key] === undefined) return false
  return true
}
