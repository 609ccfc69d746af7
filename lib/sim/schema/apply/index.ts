// Server-side apply and managedFields: who set which field, as k8s.io/apimachinery/pkg/util/managedfields. Knows nothing of admission or
// storage: what the server itself sets after `track` belongs to nobody.
import { ApiError, type KubeObject } from '../../kube.ts'
import { coerce } from '../coerce.ts'
import { defaults } from '../defaults/index.ts'
import { equal } from '../patch.ts'
import type { Shape } from '../shape.ts'
import { FieldSet, type Path, pathText } from './set.ts'
import { compare, fieldSet, merge, problems, SchemaError, whole, withNamedFields, without } from './typed.ts'

export interface TrackOptions {
  /** `kubectl-create`; empty: `unknown` */
  manager: string
  operation: 'Update'
  /** of this write: RFC 3339, whole seconds, Z */
  time: string
  shape: Shape
  /** the version in which the request came */
  apiVersion: string
  /** '' or `status`, `scale` … */
  subresource?: string | undefined
  /** fields of the top that this endpoint does not write; default `status`, for subresource status everything else that is `spec` */
  ignored?: readonly string[]
}
export interface ApplyOptions extends Omit<TrackOptions, 'operation'> {
  /** take over what others manage instead of a conflict */
  force: boolean
}

interface Manager {
  manager: string
  operation: 'Apply' | 'Update'
  apiVersion: string
  subresource: string
  time?: string
  set: FieldSet
}
type Managers = Map<string, Manager>

/** appliers are the same whatever version they apply */
const identity = (m: Pick<Manager, 'manager' | 'operation' | 'apiVersion' | 'subresource'>): string =>
  JSON.stringify([m.manager, m.operation, m.operation === 'Apply' ? '' : m.apiVersion, m.subresource])

function decoded(entries: KubeObject): Managers {
  const managers: Managers = new Map()
  for (const entry of Array.isArray(entries) ? entries : []) {
    if (entry?.operation !== 'Apply' && entry?.operation !== 'Update') continue
    const manager: Manager = {
      manager: entry.manager ?? '',
      operation: entry.operation,
      apiVersion: entry.apiVersion ?? '',
      subresource: entry.subresource ?? '',
      set: FieldSet.fromJson(entry.fieldsV1),
    }
    if (entry.time) manager.time = entry.time
    managers.set(identity(manager), manager)
  }
  return managers
}
function encoded(managers: Managers): KubeObject[] {
  return [...managers.values()]
    .sort(
      (a, b) =>
        text(a.operation, b.operation) ||
        text(a.time ?? '', b.time ?? '') ||
        text(a.manager, b.manager) ||
        text(a.apiVersion, b.apiVersion) ||
        text(a.subresource, b.subresource),
    )
    .map((m) => ({
      manager: m.manager,
      operation: m.operation,
      apiVersion: m.apiVersion,
      ...(m.time ? { time: m.time } : {}),
      fieldsType: 'FieldsV1',
      fieldsV1: m.set.toJson(),
      ...(m.subresource ? { subresource: m.subresource } : {}),
    }))
}
const text = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function withManagers(object: KubeObject, managers: Managers | undefined): KubeObject {
  const { managedFields: _was, ...metadata } = object.metadata ?? {}
  return { ...object, metadata: managers && managers.size > 0 ? { ...metadata, managedFields: encoded(managers) } : metadata }
}
const bare = (object: KubeObject): KubeObject => withManagers(object, undefined)

/** never anybody's */
const stripped = new FieldSet()
for (const path of [['f:apiVersion'], ['f:kind'], ['f:metadata']]) stripped.insert(path)
for (const field of [
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'clusterName',
  'generation',
  'managedFields',
  'resourceVersion',
])
  stripped.insert(['f:metadata', `f:${field}`])

function ignoredBy({
  ignored,
  subresource,
  shape,
}: {
  ignored?: readonly string[]
  subresource?: string | undefined
  shape: Shape
}): string[] {
  if (ignored) return ignored.map((field) => `f:${field}`)
  if (shape.type !== 'struct' || !shape.fields.has('status') || !shape.fields.has('metadata')) return []
  return subresource === 'status' ? ['f:spec'] : subresource ? [] : ['f:status']
}
/** what Go has of a kind before anything is set */
const empties = new WeakMap<Shape, KubeObject>()
function nothing(object: KubeObject, shape: Shape): KubeObject {
  const empty = { apiVersion: object.apiVersion, kind: object.kind }
  if (shape.type !== 'struct' || shape.id === '') return empty
  const known = empties.get(shape)
  if (known) return known
  const made = coerce(empty, shape)
  empties.set(shape, made)
  return made
}

const most = 10
/**
 * `changed` with metadata.managedFields as an ordinary write leaves them. `old`: the object before, undefined for a creation. What `changed`
 * brings of managedFields counts, unless it has none; `[]` or `[{}]` in it clears them.
 */
export function track(old: KubeObject | undefined, changed: KubeObject, options: TrackOptions): KubeObject {
  const given = changed.metadata?.managedFields
  const reset = Array.isArray(given) && (given.length === 0 || (given.length === 1 && Object.keys(given[0]).length === 0))
  let managers: Managers = new Map()
  if (!reset) {
    if (!options.subresource) managers = decoded(given)
    if (managers.size === 0) managers = decoded(old?.metadata?.managedFields)
  }
  // Tracking begins with creation or with the first apply.
  if (managers.size === 0 && old !== undefined) return bare(changed)
  const shape = options.shape
  const before = bare(old ?? nothing(changed, shape))
  const after = bare(changed)
  let own: FieldSet
  try {
    own = updated(before, after, managers, options)
  } catch (error) {
    // Lists that no key tells apart cannot be tracked: the server then forgets who manages what.
    if (error instanceof SchemaError) return after
    throw error
  }
  if (!own.empty) {
    const entry: Manager = {
      manager: options.manager || 'unknown',
      operation: 'Update',
      apiVersion: options.apiVersion,
      subresource: options.subresource ?? '',
      time: options.time,
      set: own,
    }
    const key = identity(entry)
    const previous = managers.get(key)
    if (previous) entry.set = own.union(previous.set)
    managers.set(key, entry)
  }
  cap(managers)
  return withManagers(after, managers)
}
/** takes from every manager what changed or went, and gives back what changed or came */
function updated(before: KubeObject, after: KubeObject, managers: Managers, options: Omit<TrackOptions, 'operation'>): FieldSet {
  const typed = whole(options.shape)
  const ignored = ignoredBy(options)
  const { added, modified, removed } = compare(before, after, typed)
  const changes = modified.union(added).without(ignored)
  const gone = removed.without(ignored)
  release(managers, changes.union(gone))
  return changes.difference(stripped)
}
function release(managers: Managers, set: FieldSet, except?: string): void {
  for (const [key, manager] of [...managers]) {
    if (key === except) continue
    const rest = manager.set.difference(set)
    if (rest.empty) managers.delete(key)
    else managers.set(key, { ...manager, set: rest })
  }
}
/** of more than ten who updated, the oldest become one */
function cap(managers: Managers): void {
  const updaters = [...managers].filter(([, m]) => m.operation === 'Update')
  if (updaters.length <= most) return
  updaters.sort(([a, x], [b, y]) => text(x.time ?? '', y.time ?? '') || text(a, b))
  let count = updaters.length
  const first = new Map<string, string>()
  for (const [key, manager] of updaters) {
    if (count <= most) break
    const version = manager.apiVersion
    const ancient: Manager = { ...manager, manager: 'ancient-changes', operation: 'Update', subresource: '' }
    const bucket = identity(ancient)
    const earliest = first.get(version)
    if (earliest === undefined) {
      first.set(version, key)
      continue
    }
    const held = managers.get(bucket) ?? managers.get(earliest)
    if (!managers.has(bucket)) managers.delete(earliest)
    managers.delete(key)
    managers.set(bucket, { ...ancient, set: held ? manager.set.union(held.set) : manager.set })
    count -= 1
  }
}

/**
 * Server-side apply: the live object (undefined: it is created) with the applied configuration merged in, what the manager no longer
 * applies taken out, and managedFields kept. Throws ApiError: 409 when another manager has what would change (unless `force`), 400 for a
 * wrong version or managedFields in the body, 500 (as the server does) when the body does not fit the schema.
 */
export function apply(live: KubeObject | undefined, applied: KubeObject, options: ApplyOptions): KubeObject {
  const { shape, apiVersion } = options
  const typed = whole(shape)
  if (applied.apiVersion !== apiVersion)
    throw new ApiError(
      400,
      'BadRequest',
      `Incorrect version specified in apply patch. Specified patch version: ${applied.apiVersion}, expected: ${apiVersion}`,
    )
  if (applied.metadata?.managedFields !== undefined) throw new ApiError(400, 'BadRequest', 'metadata.managedFields must be nil')
  const wrong = problems(applied, typed)
  if (wrong.length > 0) {
    const name = applied.metadata?.namespace
      ? `${applied.metadata.namespace}/${applied.metadata?.name ?? ''}`
      : `/${applied.metadata?.name ?? ''}`
    const all = wrong.length === 1 ? wrong[0] : `errors:\n${wrong.map((problem) => `  ${problem}`).join('\n')}`
    throw new ApiError(
      500,
      '',
      `failed to create typed patch object (${name}; ${apiVersion.includes('/') ? '' : '/'}${apiVersion}, Kind=${applied.kind}): ${all}`,
    )
  }
  const managers = decoded(live?.metadata?.managedFields)
  const before = bare(live ?? nothing(applied, shape))
  if (live !== undefined && managers.size === 0) {
    const entry: Manager = {
      manager: 'before-first-apply',
      operation: 'Update',
      apiVersion,
      subresource: options.subresource ?? '',
      time: options.time,
      set: updated(bare(nothing(live, shape)), before, new Map(), options),
    }
    if (!entry.set.empty) managers.set(identity(entry), entry)
  }
  const key = identity({ manager: options.manager, operation: 'Apply', apiVersion, subresource: options.subresource ?? '' })
  const last = managers.get(key)
  const set = fieldSet(applied, typed).without(ignoredBy(options)).difference(stripped)
  const entry: Manager = {
    manager: options.manager,
    operation: 'Apply',
    apiVersion,
    subresource: options.subresource ?? '',
    time: last?.time ?? options.time,
    set,
  }
  managers.set(key, entry)
  const all = fieldSet(applied, typed).without(ignoredBy(options))
  let after = merge(before, applied, typed) as KubeObject
  if (last && !last.set.empty) after = pruned(after, last.set, all, managers, options)
  after = { apiVersion: applied.apiVersion, kind: applied.kind, ...after }

  const { added, modified, removed } = compare(before, after, typed)
  const changes = modified.union(added).without(ignoredBy(options))
  const conflicts: { manager: Manager; path: Path }[] = []
  for (const [other, manager] of managers)
    if (other !== key) for (const path of manager.set.intersection(changes).paths()) conflicts.push({ manager, path })
  if (conflicts.length > 0 && !options.force) {
    const rest = options.manager === 'kubectl' ? conflicts.filter(({ path }) => !clientSideApplied(live, shape)?.has(path)) : conflicts
    if (rest.length > 0) throw conflictError(rest)
  }
  release(managers, changes.union(removed.without(ignoredBy(options))), key)
  if (set.empty) managers.delete(key)

  if (equal(before, after) && live !== undefined) {
    // Nothing but perhaps who manages what has changed: the time stays, and who comes new gets none.
    const { time: _time, ...timeless } = entry
    if (!set.empty) managers.set(key, last?.time ? { ...entry, time: last.time } : timeless)
    return withManagers(before, managers)
  }
  if (!set.empty) managers.set(key, { ...entry, time: options.time })
  if (shape.type === 'struct' && shape.id !== '') after = defaults(coerce(after, shape))
  if (options.manager === 'kubectl' && after.metadata?.annotations?.[lastApplied]) after = withLastApplied(after, applied)
  return withManagers(after, managers)
}
/** what the manager applied before and applies no more goes, unless somebody else has it */
function pruned(merged: KubeObject, last: FieldSet, own: FieldSet, managers: Managers, options: ApplyOptions): KubeObject {
  const typed = whole(options.shape)
  const named = (set: FieldSet) => withNamedFields(set, typed)
  const asSet = (value: unknown) => named(fieldSet(value ?? {}, typed))
  let result = without(merged, named(last), typed)
  let managed = own
  for (const manager of managers.values()) managed = managed.union(manager.set)
  const all = asSet(merged)
  result = without(merged, all.difference(asSet(result).union(named(managed))), typed)
  result = without(merged, all.difference(asSet(result)).intersection(named(last)), typed)
  return result as KubeObject
}

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'
/** fields that still are as kubectl's client-side apply left them: the same kubectl may take them over */
function clientSideApplied(live: KubeObject | undefined, shape: Shape): FieldSet | undefined {
  const annotation = live?.metadata?.annotations?.[lastApplied]
  if (!annotation) return undefined
  try {
    const before = JSON.parse(annotation) as KubeObject
    if (before.apiVersion !== live.apiVersion) return undefined
    const { added, modified, removed } = compare(before, bare(live), whole(shape))
    return fieldSet(before, whole(shape)).difference(modified).difference(added).difference(removed)
  } catch {
    return undefined
  }
}
function withLastApplied(object: KubeObject, applied: KubeObject): KubeObject {
  const { [lastApplied]: _old, ...annotations } = applied.metadata?.annotations ?? {}
  const config = {
    ...applied,
    metadata: { ...applied.metadata, ...(applied.metadata?.annotations ? { annotations } : {}) },
  }
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [lastApplied]: `${JSON.stringify(sorted(config))}\n` } },
  }
}
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => text(a, b))
      .map(([key, item]) => [key, sorted(item)]),
  )
}

function managerText(m: Manager): string {
  const name = `${JSON.stringify(m.manager)}${m.subresource ? ` with subresource ${JSON.stringify(m.subresource)}` : ''}`
  return m.operation === 'Update' ? `${name} using ${m.apiVersion}` : name
}
function conflictError(conflicts: readonly { manager: Manager; path: Path }[]): ApiError {
  const causes = conflicts.map(({ manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${managerText(manager)}`,
    field: pathText(path),
  }))
  let message: string
  const [only] = conflicts
  if (conflicts.length === 1 && only)
    message = `Apply failed with 1 conflict: conflict with ${managerText(only.manager)}: ${pathText(only.path)}`
  else {
    const lines: string[] = []
    for (const manager of [...new Set(conflicts.map((conflict) => conflict.manager))].sort((a, b) => text(a.manager, b.manager))) {
      lines.push(`conflicts with ${managerText(manager)}:`)
      for (const conflict of conflicts) if (conflict.manager === manager) lines.push(`- ${pathText(conflict.path)}`)
    }
    message = `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`
  }
  return new ApiError(409, 'Conflict', message, { causes })
}
