// Objects seen through their schema, as structured-merge-diff sees them: which paths a value sets, how two values differ, how one is merged
// into another, and what remains when paths are taken out. Knows nothing of managers.
import { equal } from '../patch.ts'
import { type Field, type Merge, plain, type Shape } from '../shape.ts'
import { FieldSet, type Path } from './set.ts'

type Obj = Record<string, unknown>
const isObject = (value: unknown): value is Obj => typeof value === 'object' && value !== null && !Array.isArray(value)

/** what one value is: a leaf, a map to walk or a list to walk; what the schema leaves open is told by the value */
type Atom =
  | { kind: 'leaf' }
  | { kind: 'map'; atomic: boolean; field(name: string): { shape: Shape; merge: Merge } | undefined; rest: Shape | undefined }
  | { kind: 'list'; atomic: boolean; element: Shape; keys: readonly string[] }
const leaf: Atom = { kind: 'leaf' }
const open: Shape = { type: 'any', go: '' }
const deducedMap: Atom = { kind: 'map', atomic: false, field: () => undefined, rest: open }
const atomicList: Atom = { kind: 'list', atomic: true, element: open, keys: [] }

/** a custom resource's scalars, by the schema's type → what the library says it expected */
const scalarOf: Record<string, string> = { integer: 'numeric', number: 'numeric', string: 'string', boolean: 'boolean' }
export interface Typed {
  shape: Shape
  merge: Merge
}
function atomOf({ shape, merge }: Typed, value: unknown): Atom {
  switch (shape.type) {
    case 'struct':
      return {
        kind: 'map',
        atomic: shape.atomic || merge.atomic,
        field: (name) => {
          const field: Field | undefined = shape.fields.get(name)
          return field && { shape: field.shape, merge: mergeOf(field.shape, field.merge) }
        },
        rest: shape.open ? open : undefined,
      }
    case 'map':
      return { kind: 'map', atomic: merge.atomic, field: () => undefined, rest: shape.value }
    case 'list':
      return { kind: 'list', atomic: merge.list === 'atomic', element: shape.element, keys: merge.list === 'map' ? merge.keys : [] }
    case 'any':
    case 'schema':
      // A RawExtension is one value.
      if (shape.go === 'runtime.RawExtension' || scalarOf[shape.go]) return leaf
      return isObject(value) ? deducedMap : Array.isArray(value) ? atomicList : leaf
    default:
      return leaf
  }
}
const mergeOf = (shape: Shape, merge: Merge): Merge => ('merge' in shape && shape.merge ? shape.merge : merge)
const below = (shape: Shape): Typed => ({ shape, merge: mergeOf(shape, plain) })
export const whole = (shape: Shape): Typed => below(shape)
function child(atom: Atom & { kind: 'map' }, key: string): Typed & { known: boolean } {
  const field = atom.field(key)
  return field ? { ...field, known: true } : { ...below(atom.rest ?? open), known: false }
}

export class SchemaError extends Error {}
function element(atom: Atom & { kind: 'list' }, item: unknown): string {
  if (atom.keys.length === 0) {
    if (isObject(item)) throw new SchemaError("associative list without keys has an element that's a map type")
    if (Array.isArray(item)) throw new SchemaError('not supported: associative list with lists as elements')
    if (item === null) throw new SchemaError("associative list without keys has an element that's an explicit null")
    return `v:${JSON.stringify(item)}`
  }
  if (item === null) throw new SchemaError('associative list with keys may not have a null element')
  if (!isObject(item)) throw new SchemaError('associative list with keys may not have non-map elements')
  const keys: Obj = {}
  for (const key of [...atom.keys].sort()) {
    const value = key in item ? item[key] : atom.element.type === 'struct' ? atom.element.fields.get(key)?.keyDefault : undefined
    if (value !== undefined) keys[key] = value
  }
  if (Object.keys(keys).length === 0)
    throw new SchemaError(
      `associative list with keys has an element that omits all key fields [${atom.keys.map((key) => JSON.stringify(key)).join(' ')}] (and doesn't have default values for any key fields)`,
    )
  return `k:${JSON.stringify(keys)}`
}

const kinds: Record<string, string> = { integer: 'int64', number: 'float64', string: 'string', boolean: 'bool' }
/** What the schema has against a value, as `path: problem`; empty when nothing. */
export function problems(value: unknown, typed: Typed, path = '', duplicates = false): string[] {
  const atom = atomOf(typed, value)
  const at = (problem: string) => [path === '' ? problem : `${path}: ${problem}`]
  if (value === null || value === undefined) return []
  if (atom.kind === 'map') {
    if (!isObject(value)) return at(`expected map, got &{${goScalar(value)}}`)
    const found: string[] = []
    for (const [key, item] of Object.entries(value)) {
      const below = child(atom, key)
      if (!below.known && !atom.rest) {
        found.push(`${path}.${key}: field not declared in schema`)
        continue
      }
      found.push(...problems(item, below, `${path}.${key}`, duplicates))
    }
    return found
  }
  if (atom.kind === 'list') {
    if (!Array.isArray(value)) return at(`expected list, got &{${goScalar(value)}}`)
    const found: string[] = []
    const seen = new Set<string>()
    for (const [index, item] of value.entries()) {
      let name = `[${index}]`
      if (!atom.atomic) {
        try {
          const key = element(atom, item)
          name = printed(key)
          if (seen.has(key) && !duplicates) found.push(...at(`duplicate entries for key ${name}`))
          seen.add(key)
        } catch (error) {
          if (!(error instanceof SchemaError)) throw error
          found.push(...at(`element ${index}: ${error.message}`))
          return found
        }
      }
      found.push(...problems(item, below(atom.element), `${path}${name}`, duplicates))
    }
    return found
  }
  switch (scalarOf[typed.shape.go] && typed.shape.type === 'any' ? kinds[typed.shape.go] : typed.shape.type) {
    case 'string':
    case 'bytes':
    case 'time':
    case 'microtime':
    case 'duration':
      return typeof value === 'string' ? [] : at(`expected string, got &value.valueUnstructured{Value:${goScalar(value)}}`)
    case 'int32':
    case 'int64':
    case 'float64':
      return typeof value === 'number' ? [] : at(`expected numeric (int or float), got ${goType(value)}`)
    case 'bool':
      return typeof value === 'boolean' ? [] : at(`expected boolean, got &{${goScalar(value)}}`)
    default:
      return typeof value === 'object' ? at(`expected any scalar, got &{${goScalar(value)}}`) : []
  }
}
const goType = (value: unknown): string =>
  Array.isArray(value) ? '[]interface {}' : isObject(value) ? 'map[string]interface {}' : typeof value === 'boolean' ? 'bool' : typeof value
const goScalar = (value: unknown): string =>
  isObject(value)
    ? `map[${Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, item]) => `${key}:${goScalar(item)}`)
        .join(' ')}]`
    : Array.isArray(value)
      ? `[${value.map(goScalar).join(' ')}]`
      : String(value)
function printed(key: string): string {
  if (key.startsWith('v:')) return `[=${key.slice(2)}]`
  const keys = JSON.parse(key.slice(2)) as Obj
  return `[${Object.keys(keys)
    .map((name) => `${name}=${JSON.stringify(keys[name])}`)
    .join(',')}]`
}

/** The paths that a value sets: leaves, items of lists, keys of maps; not the structs around them. */
export function fieldSet(value: unknown, typed: Typed): FieldSet {
  const set = new FieldSet()
  collect(value, typed, [], set)
  return set
}
function collect(value: unknown, typed: Typed, path: Path, set: FieldSet): void {
  const atom = atomOf(typed, value)
  if (atom.kind === 'leaf' || atom.atomic) {
    set.insert(path)
    return
  }
  if (atom.kind === 'list') {
    if (!Array.isArray(value)) return
    const names = value.map((item) => element(atom, item))
    for (const [index, name] of names.entries()) {
      const own = [...path, name]
      if (names.indexOf(name) === names.lastIndexOf(name)) collect(value[index], below(atom.element), own, set)
      set.insert(own)
    }
    return
  }
  if (!isObject(value)) return
  for (const [key, item] of Object.entries(value)) {
    const own = [...path, `f:${key}`]
    const inner = child(atom, key)
    collect(item, inner, own, set)
    if (!inner.known || item === null || (isObject(item) && Object.keys(item).length === 0)) set.insert(own)
  }
}

export interface Comparison {
  added: FieldSet
  modified: FieldSet
  removed: FieldSet
}
/** How `right` differs from `left`; undefined is "not there". */
export function compare(left: unknown, right: unknown, typed: Typed): Comparison {
  const result = { added: new FieldSet(), modified: new FieldSet(), removed: new FieldSet() }
  walk(left, right, typed, [], result)
  return result
}
const noItems = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (Array.isArray(value) ? value.length === 0 : isObject(value) ? Object.keys(value).length === 0 : true)

function walk(left: unknown, right: unknown, typed: Typed, path: Path, result: Comparison): void {
  const atom = atomOf(typed, right ?? left)
  const deduced = typed.shape.type === 'any' || typed.shape.type === 'schema'
  const mixed = deduced && left !== undefined && right !== undefined && atomOf(typed, left).kind !== atom.kind
  if (atom.kind === 'leaf' || atom.atomic || mixed || (noItems(left) && noItems(right))) {
    if (left === undefined) result.added.insert(path)
    else if (right === undefined) result.removed.insert(path)
    else if (!equal(left, right)) result.modified.insert(path)
    return
  }
  if (atom.kind === 'map') {
    const l = isObject(left) ? left : {}
    const r = isObject(right) ? right : {}
    for (const key of Object.keys(l)) walk(l[key], r[key], child(atom, key), [...path, `f:${key}`], result)
    for (const key of Object.keys(r)) if (!(key in l)) walk(undefined, r[key], child(atom, key), [...path, `f:${key}`], result)
  } else {
    const l = grouped(left, atom)
    const r = grouped(right, atom)
    const inner = below(atom.element)
    for (const name of new Set([...l.keys(), ...r.keys()])) {
      const ls = l.get(name) ?? []
      const rs = r.get(name) ?? []
      const own = [...path, name]
      if (ls.length <= 1 && rs.length <= 1) walk(ls[0], rs[0], inner, own, result)
      else if (ls.length >= 2 && rs.length >= 2) {
        if (!equal(ls, rs)) result.modified.insert(own)
      } else if (ls.length >= 2) {
        if (rs.length > 0) walk(undefined, rs[0], inner, own, result)
        result.removed.insert(own)
      } else {
        if (ls.length > 0) walk(ls[0], undefined, inner, own, result)
        result.added.insert(own)
      }
    }
  }
  if (left === undefined) result.added.insert(path)
  else if (right === undefined) result.removed.insert(path)
}
function grouped(value: unknown, atom: Atom & { kind: 'list' }): Map<string, unknown[]> {
  const groups = new Map<string, unknown[]>()
  for (const item of Array.isArray(value) ? value : []) {
    const name = element(atom, item)
    const group = groups.get(name)
    if (group) group.push(item)
    else groups.set(name, [item])
  }
  return groups
}

/** `right` over `left`; undefined when nothing is left of both. Order: the right's, with what only the left has where it stood. */
export function merge(left: unknown, right: unknown, typed: Typed): unknown {
  const atom = atomOf(typed, right ?? left)
  if (atom.kind === 'leaf' || atom.atomic || (noItems(left) && noItems(right))) return right === undefined ? left : right
  if (atom.kind === 'map') {
    if (left !== undefined && left !== null && !isObject(left)) return right
    const l = isObject(left) ? left : {}
    const r = isObject(right) ? right : {}
    const result: Obj = {}
    for (const key of new Set([...Object.keys(l), ...Object.keys(r)])) {
      const merged = merge(l[key], r[key], child(atom, key))
      if (merged !== undefined) result[key] = merged
    }
    return Object.keys(result).length > 0 ? result : undefined
  }
  const result = mergeLists(Array.isArray(left) ? left : [], Array.isArray(right) ? right : [], atom)
  return result.length > 0 ? result : undefined
}
function mergeLists(left: readonly unknown[], right: readonly unknown[], atom: Atom & { kind: 'list' }): unknown[] {
  const inner = below(atom.element)
  const names = (list: readonly unknown[]) => list.map((item) => element(atom, item))
  const lNames = names(left)
  const rNames = names(right)
  // What is twice on the left counts as nothing to merge with.
  const single = (list: readonly unknown[], all: readonly string[], name: string) =>
    all.indexOf(name) === all.lastIndexOf(name) ? list[all.indexOf(name)] : null
  const shared = rNames.filter((name) => lNames.includes(name))
  let next = shared.shift()
  const done = new Set<string>()
  const out: unknown[] = []
  const take = (name: string) => {
    const merged = merge(lNames.includes(name) ? single(left, lNames, name) : undefined, right[rNames.indexOf(name)], inner)
    if (merged !== undefined && merged !== null) out.push(merged)
    done.add(name)
  }
  let l = 0
  let r = 0
  while (l < lNames.length || r < rNames.length) {
    if (l < lNames.length && r < rNames.length) {
      const name = lNames[l] as string
      if (name === rNames[r]) {
        take(name)
        l += 1
        r += 1
        next = shared.shift()
        continue
      }
      if (rNames.includes(name) && next !== undefined && next !== name) {
        l += 1
        continue
      }
    }
    if (l < lNames.length) {
      const name = lNames[l] as string
      if (!rNames.includes(name)) {
        out.push(left[l])
        l += 1
        continue
      }
      if (done.has(name)) l += 1
    }
    if (r < rNames.length) {
      const name = rNames[r] as string
      take(name)
      r += 1
      if (next === name) next = shared.shift()
    }
  }
  return out
}

/** The value without the paths of the set; undefined when nothing is left. Atomic values stay whole. */
export function without(value: unknown, set: FieldSet, typed: Typed): unknown {
  const atom = atomOf(typed, value)
  if (atom.kind === 'leaf') return value
  if (noItems(value) || atom.atomic) return undefined
  if (atom.kind === 'list') {
    const kept: unknown[] = []
    for (const item of value as unknown[]) {
      const name = element(atom, item)
      if (set.members.has(name)) continue
      const inner = set.children.get(name)
      kept.push(inner && !inner.empty ? (without(item, inner, below(atom.element)) ?? null) : item)
    }
    return kept.length > 0 ? kept : undefined
  }
  const kept: Obj = {}
  for (const [key, item] of Object.entries(value as Obj)) {
    const name = `f:${key}`
    if (set.members.has(name)) continue
    const inner = set.children.get(name)
    if (!inner || inner.empty) kept[key] = item
    else kept[key] = without(item, inner, child(atom, key)) ?? null
  }
  return Object.keys(kept).length > 0 ? kept : undefined
}

/** The set with the structs around its paths as members, as pruning needs it. */
export function withNamedFields(set: FieldSet, typed: Typed | undefined): FieldSet {
  const result = new FieldSet()
  for (const member of set.members) result.members.add(member)
  const atom = typed && atomOf(typed, typed.shape.type === 'any' ? {} : undefined)
  for (const [name, inner] of set.children) {
    let next: Typed | undefined
    if (name.startsWith('f:') && atom?.kind === 'map') {
      const found = child(atom, name.slice(2))
      if (found.known) result.members.add(name)
      next = found.known || atom.rest ? found : undefined
    } else if (name.startsWith('k:') && atom?.kind === 'list') next = below(atom.element)
    result.children.set(name, withNamedFields(inner, next))
  }
  return result
}
