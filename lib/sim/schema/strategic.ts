// Strategic merge patch: lists merge by their key, directives ($patch, $retainKeys, $deleteFromPrimitiveList, $setElementOrder) as in
// k8s.io/apimachinery/pkg/util/strategicpatch. Leaves its arguments alone. Knows nothing of types beyond merge keys and strategies.
import { ApiError, type KubeObject } from '../kube.ts'
import { copy, equal } from './patch.ts'
import type { Field, Shape, StructShape } from './shape.ts'
import { goValue } from './text.ts'

type Obj = Record<string, unknown>
const isObject = (value: unknown): value is Obj => typeof value === 'object' && value !== null && !Array.isArray(value)
const deletion = '$deleteFromPrimitiveList/'
const ordering = '$setElementOrder/'

const refused = (message: string) => new ApiError(400, 'BadRequest', message)
const badRetainKeys = 'invalid patch format of retainKeys'
/** NewGenericServerResponse(422) as the server makes it for a list of lists or a missing merge key */
const unprocessable = (message: string) =>
  new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', { causes: [{ message }] })
const internal = (message: string) => new ApiError(500, '', message)
const noMergeKey = (map: Obj, key: string) => internal(`map: ${goValue(map)} does not contain declared merge key: ${key}`)

/** what the schema says of one field; a map's values have no metadata of their own */
interface Meta {
  below: Shape | undefined
  strategy: string
  mergeKey: string
}
function meta(shape: Shape | undefined, key: string): Meta {
  if (shape?.type === 'map') return { below: shape.value, strategy: '', mergeKey: '' }
  const field: Field | undefined = shape?.type === 'struct' ? shape.fields.get(key) : undefined
  if (!field) {
    if (shape?.type === 'struct' && !shape.open)
      throw internal(`unable to find api field in struct ${shape.name} for the json field ${JSON.stringify(key)}`)
    return { below: undefined, strategy: '', mergeKey: '' }
  }
  return {
    below: field.shape.type === 'list' ? field.shape.element : field.shape,
    strategy: field.strategies.find((strategy) => strategy !== 'retainKeys') ?? '',
    mergeKey: field.mergeKey ?? '',
  }
}

/** Throws ApiError: 400 for a malformed patch, 422 for lists of lists, 500 (as the server does) for a list item without its merge key. */
export function strategicMerge(object: KubeObject, patch: unknown, shape: StructShape): KubeObject {
  if (!isObject(patch)) {
    const what = Array.isArray(patch) ? 'array' : typeof patch === 'boolean' ? 'bool' : typeof patch
    throw refused(`json: cannot unmarshal ${what} into Go value of type map[string]interface {}`)
  }
  return mergeMap(copy(object), copy(patch), shape)
}

function mergeMap(original: Obj, patch: Obj, shape: Shape | undefined): Obj {
  if ('$patch' in patch) {
    const directive = patch.$patch
    if (directive === 'replace') {
      delete patch.$patch
      return patch
    }
    if (directive === 'delete') return {}
    throw internal(`unknown patch type: ${goValue(directive)} in map: ${goValue(patch)}`)
  }
  retainKeys(original, patch)
  setElementOrder(original, patch, shape)
  for (const [name, value] of Object.entries(patch)) {
    const deleting = name.startsWith(deletion)
    const key = deleting ? name.slice(deletion.length) : name
    if (value === null) {
      delete original[key]
      continue
    }
    const had = original[key]
    if (!(key in original) || kindOf(had) !== kindOf(value)) {
      if (!deleting) {
        discardNulls(value)
        const kept = withoutDirectives(value)
        if (kept === dropped) delete original[key]
        else original[key] = kept
      }
      continue
    }
    if (isObject(value)) {
      const { below, strategy } = meta(shape, key)
      original[key] = strategy === 'replace' ? value : mergeMap(had as Obj, value, below)
    } else if (Array.isArray(value)) {
      const { below, strategy, mergeKey } = meta(shape, key)
      original[key] = strategy === 'merge' || deleting ? mergeList(had as unknown[], value, below, mergeKey, deleting) : value
    } else original[key] = value
  }
  return original
}
const kindOf = (value: unknown): string =>
  Array.isArray(value)
    ? 'list'
    : value === null
      ? 'null'
      : typeof value === 'number'
        ? Number.isInteger(value)
          ? 'int'
          : 'float'
        : typeof value

const goType = (value: unknown): string =>
  isObject(value)
    ? 'map[string]interface {}'
    : typeof value === 'boolean'
      ? 'bool'
      : typeof value === 'string'
        ? 'string'
        : kindOf(value) === 'int'
          ? 'int64'
          : 'float64'
function discardNulls(value: unknown): void {
  if (Array.isArray(value)) value.forEach(discardNulls)
  else if (isObject(value))
    for (const key of Object.keys(value)) {
      if (value[key] === null) delete value[key]
      else discardNulls(value[key])
    }
}
const dropped = Symbol('dropped')
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== dropped)
  if (!isObject(value)) return value
  if ('$patch' in value) return dropped
  for (const key of Object.keys(value)) {
    const kept = withoutDirectives(value[key])
    if (kept === dropped) delete value[key]
    else value[key] = kept
  }
  return value
}
function retainKeys(original: Obj, patch: Obj): void {
  if (!('$retainKeys' in patch)) return
  const keys = patch.$retainKeys
  delete patch.$retainKeys
  if (!Array.isArray(keys)) throw refused(badRetainKeys)
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || key.startsWith(deletion) || key.startsWith(ordering)) continue
    if (!keys.includes(key)) throw refused(badRetainKeys)
  }
  for (const key of Object.keys(original)) if (!keys.includes(key)) delete original[key]
}
function setElementOrder(original: Obj, patch: Obj, shape: Shape | undefined): void {
  for (const name of Object.keys(patch)) {
    if (!name.startsWith('$setElementOrder')) continue
    const order = patch[name]
    delete patch[name]
    const key = name.slice(ordering.length)
    if (!Array.isArray(order)) throw internal(`expected a []interface {}, but received a ${goType(order)}`)
    const had = original[key]
    const given = patch[key]
    if (had !== undefined && !Array.isArray(had)) throw internal(`expected a []interface {}, but received a ${goType(had)}`)
    if (given !== undefined && !Array.isArray(given))
      throw internal(`expected a []interface {}, but received a ${given === null ? '%!s(<nil>)' : goType(given)}`)
    const { below, strategy, mergeKey } = meta(shape, key)
    agree((given as unknown[] | undefined) ?? [], order, mergeKey)
    let result: unknown[]
    if (had === undefined && given === undefined) continue
    if (given === undefined) result = had as unknown[]
    else if (had === undefined) result = withoutDirectives(given) as unknown[]
    else result = strategy === 'merge' ? mergeList(had as unknown[], given as unknown[], below, mergeKey, false) : (given as unknown[])
    const [inPatch, serverOnly] = partition(result, order, mergeKey)
    original[key] = ordered(inPatch, serverOnly, order, (had as unknown[] | undefined) ?? [], mergeKey)
    delete patch[key]
  }
}
/** what the patch lists must come in the order that it sets */
function agree(given: readonly unknown[], order: readonly unknown[], mergeKey: string): void {
  if (order.length === 0 || given.length === 0) return
  const items = given.filter((item) => !(isObject(item) && '$patch' in item))
  let at = 0
  for (const wanted of order) if (at < items.length && same(items[at], wanted, mergeKey)) at += 1
  if (at < items.length)
    throw internal(`The order in patch list:\n${goValue(given)}\n doesn't match $setElementOrder list:\n${goValue(order)}\n`)
}
const keyOf = (item: unknown, mergeKey: string): unknown => (mergeKey !== '' && isObject(item) ? item[mergeKey] : item)
function same(a: unknown, b: unknown, mergeKey: string): boolean {
  return equal(keyOf(a, mergeKey), keyOf(b, mergeKey))
}
function mergeList(original: unknown[], patch: unknown[], element: Shape | undefined, mergeKey: string, deleting: boolean): unknown[] {
  if (original.length === 0 && patch.length === 0) return original
  const first = original[0] ?? patch[0]
  if (Array.isArray(first)) throw unprocessable('lists of lists are not supported')
  let merged: unknown[]
  let serverOrder = original
  let given = patch
  if (!isObject(first)) {
    if (deleting) return original.filter((item) => !patch.includes(item))
    merged = [...new Set([...original, ...patch])]
  } else {
    if (mergeKey === '') throw internal(`cannot merge lists without merge key for ${element?.type === 'struct' ? element.name : ''}`)
    let replace = false
    const plain: Obj[] = []
    let kept = [...original]
    for (const item of patch) {
      if (!isObject(item)) throw internal(`expected a map[string]interface {}, but received a ${kindOf(item)}`)
      if (!('$patch' in item)) plain.push(item)
      else if (item.$patch === 'delete') {
        if (!(mergeKey in item)) throw noMergeKey(item, mergeKey)
        kept = kept.filter((had) => !same(had, item, mergeKey))
      } else if (item.$patch === 'replace') replace = true
      else if (item.$patch === 'merge') throw internal('merging lists cannot yet be specified in the patch')
      else throw internal(`unknown patch type: ${goValue(item.$patch)} in map: ${goValue(item)}`)
    }
    if (replace) return plain
    given = plain
    merged = kept
    serverOrder = [...kept]
    for (const item of plain) {
      if (!(mergeKey in item)) throw noMergeKey(item, mergeKey)
      const at = merged.findIndex((had) => isObject(had) && same(had, item, mergeKey))
      if (at >= 0) merged[at] = mergeMap(merged[at] as Obj, item, element)
      else {
        merged.push(item)
      }
    }
  }
  const [inPatch, serverOnly] = partition(merged, given, mergeKey)
  return ordered(inPatch, serverOnly, given, serverOrder, mergeKey)
}
function partition(list: readonly unknown[], by: readonly unknown[], mergeKey: string): [unknown[], unknown[]] {
  const present: unknown[] = []
  const rest: unknown[] = []
  for (const item of list) (by.some((other) => same(item, other, mergeKey)) ? present : rest).push(item)
  return [present, rest]
}
/** items of the patch in its order, the server's own in theirs, woven together by where the server had them */
function ordered(
  inPatch: unknown[],
  serverOnly: unknown[],
  patchOrder: readonly unknown[],
  serverOrder: readonly unknown[],
  mergeKey: string,
): unknown[] {
  const at = (order: readonly unknown[], item: unknown) => order.findIndex((other) => same(item, other, mergeKey))
  const sorted = (items: unknown[], order: readonly unknown[]) => [...items].sort((a, b) => at(order, a) - at(order, b))
  const left = sorted(serverOnly, serverOrder)
  const right = sorted(inPatch, patchOrder)
  const result: unknown[] = []
  while (left.length > 0 || right.length > 0) {
    if (left.length === 0) result.push(right.shift())
    else if (right.length === 0) result.push(left.shift())
    else {
      const [l, r] = [at(serverOrder, left[0]), at(serverOrder, right[0])]
      result.push(l >= 0 && r >= 0 && l < r ? left.shift() : right.shift())
    }
  }
  return result
}
