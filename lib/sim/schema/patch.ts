// JSON patch (RFC 6902) and merge patch (RFC 7386) as the API server applies them, with its library's errors. Both leave their arguments
// alone. Know nothing of types.
import { ApiError, type KubeObject } from '../kube.ts'

type Container = Record<string, unknown> | unknown[]
const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null

export interface JsonPatchOperation {
  op: string
  path?: string
  from?: string
  value?: unknown
}
/** as the server answers: a 422 that says little, with the reason only in its log */
const unprocessable = (_why: string): ApiError =>
  new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request')
class Failed extends Error {}
const most = 10_000

/** Throws ApiError: 400 for what is no patch, 413 for more than 10 000 operations, 422 when an operation does not apply. */
export function jsonPatch(object: KubeObject, patch: readonly JsonPatchOperation[]): KubeObject {
  if (!Array.isArray(patch))
    throw new ApiError(
      400,
      'BadRequest',
      `error decoding patch: json: cannot unmarshal ${typeof patch === 'object' ? 'object' : typeof patch} into Go value of type []handlers.jsonPatchOp`,
    )
  if (patch.length > most)
    throw new ApiError(
      413,
      'RequestEntityTooLarge',
      `Request entity is too large: limit is ${most}: The allowed maximum operations in a JSON patch is ${most}, got ${patch.length}`,
    )
  const root = { document: copy(object) as Container }
  try {
    for (const operation of patch) apply(root, operation)
  } catch (error) {
    if (error instanceof Failed) throw unprocessable(error.message)
    throw error
  }
  return root.document
}

function apply(root: { document: Container }, operation: JsonPatchOperation): void {
  const { op, path, from, value } = operation
  const needsPath = () => {
    if (typeof path !== 'string') throw new Failed(`${op} operation failed to decode path: missing value`)
    return path
  }
  switch (op) {
    case 'add':
      add(root.document, needsPath(), copy(value))
      return
    case 'remove': {
      const found = find(root.document, needsPath())
      if (!found) throw new Failed(`remove operation does not apply: doc is missing path: ${JSON.stringify(path)}: missing value`)
      inside(`error in remove for path: '${path}'`, () => remove(found.parent, found.key))
      return
    }
    case 'replace': {
      if (needsPath() === '') {
        if (!isContainer(value)) throw new Failed('replace operation value must be object or array: %!w(<nil>)')
        root.document = copy(value)
        return
      }
      const found = find(root.document, path as string)
      if (!found) throw new Failed(`replace operation does not apply: doc is missing path: ${path}: missing value`)
      // In an object, the library that the server uses replaces what was not there.
      if (Array.isArray(found.parent) && !has(found.parent, found.key))
        throw new Failed(`replace operation does not apply: doc is missing key: ${path}: missing value`)
      put(found.parent, found.key, copy(value))
      return
    }
    case 'move': {
      const found = typeof from === 'string' ? find(root.document, from) : undefined
      if (!found) throw new Failed(`move operation does not apply: doc is missing from path: ${from ?? ''}: missing value`)
      const moved = inside(`error in move for path: '${found.key}'`, () => read(found.parent, found.key))
      inside(`error in move for path: '${found.key}'`, () => remove(found.parent, found.key))
      const to = find(root.document, needsPath())
      if (!to) throw new Failed(`move operation does not apply: doc is missing destination path: ${path}: missing value`)
      inside(`error in move for path: '${path}'`, () => insert(to.parent, to.key, moved))
      return
    }
    case 'copy': {
      const found = typeof from === 'string' ? find(root.document, from) : undefined
      if (!found) throw new Failed(`copy operation does not apply: doc is missing from path: ${from ?? ''}: missing value`)
      const copied = inside(`error in copy for from: '${from}'`, () => read(found.parent, found.key))
      const to = find(root.document, needsPath())
      if (!to) throw new Failed(`copy operation does not apply: doc is missing destination path: ${path}: missing value`)
      inside('error while adding value during copy', () => insert(to.parent, to.key, copy(copied)))
      return
    }
    case 'test': {
      if (needsPath() === '') {
        if (!equal(root.document, value)) throw new Failed(`testing value ${path} failed: test failed`)
        return
      }
      const found = find(root.document, path as string)
      if (!found) throw new Failed(`test operation does not apply: is missing path: ${path}: missing value`)
      const had = inside(`error in test for path: '${path}'`, () => read(found.parent, found.key))
      if (!equal(had ?? null, value ?? null)) throw new Failed(`testing value ${path} failed: test failed`)
      return
    }
    default:
      throw new Failed(`Unexpected kind: ${op ?? 'unknown'}`)
  }
}
function inside<T>(where: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    if (error instanceof Failed) throw new Failed(`${where}: ${error.message}`)
    throw error
  }
}
function add(document: Container, path: string, value: unknown): void {
  const found = find(document, path)
  if (!found) throw new Failed(`add operation does not apply: doc is missing path: ${JSON.stringify(path)}: missing value`)
  inside(`error in add for path: '${path}'`, () => insert(found.parent, found.key, value))
}
/** what contains the last part of the path */
function find(document: Container, path: string): { parent: Container; key: string } | undefined {
  const parts = path.split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  if (parts.length < 2) return undefined
  let parent = document
  for (const part of parts.slice(1, -1)) {
    const next = has(parent, part)
      ? (parent as Record<string, unknown>)[Array.isArray(parent) ? String(wrapped(parent, part)) : part]
      : undefined
    if (!isContainer(next)) return undefined
    parent = next
  }
  return { parent, key: parts.at(-1) as string }
}
const wrapped = (list: readonly unknown[], key: string): number => (Number(key) < 0 ? Number(key) + list.length : Number(key))
const isIndex = (key: string): boolean => /^[+-]?\d+$/.test(key)
function has(parent: Container, key: string): boolean {
  if (!Array.isArray(parent)) return Object.hasOwn(parent, key)
  return isIndex(key) && wrapped(parent, key) >= 0 && wrapped(parent, key) < parent.length
}
function index(key: string, length: number): number {
  if (!isIndex(key)) throw new Failed(`strconv.Atoi: parsing ${JSON.stringify(key)}: invalid syntax`)
  const at = Number(key) < 0 ? Number(key) + length : Number(key)
  if (at < 0 || at >= length) throw new Failed(`Unable to access invalid index: ${Number(key)}: invalid index referenced`)
  return at
}
function read(parent: Container, key: string): unknown {
  return Array.isArray(parent) ? parent[index(key, parent.length)] : Object.hasOwn(parent, key) ? parent[key] : undefined
}
function put(parent: Container, key: string, value: unknown): void {
  if (Array.isArray(parent)) parent[index(key, parent.length)] = value
  else parent[key] = value
}
function insert(parent: Container, key: string, value: unknown): void {
  if (!Array.isArray(parent)) {
    parent[key] = value
    return
  }
  if (key === '-') parent.push(value)
  else {
    if (!isIndex(key))
      throw new Failed(`value was not a proper array index: '${key}': strconv.Atoi: parsing ${JSON.stringify(key)}: invalid syntax`)
    parent.splice(index(key, parent.length + 1), 0, value)
  }
}
function remove(parent: Container, key: string): void {
  if (Array.isArray(parent)) parent.splice(index(key, parent.length), 1)
  else {
    if (!Object.hasOwn(parent, key)) throw new Failed(`Unable to remove nonexistent key: ${key}: missing value`)
    delete parent[key]
  }
}
/** a deep copy of JSON; several times as fast as structuredClone */
export function copy<T>(value: T): T {
  if (!isContainer(value)) return value
  if (Array.isArray(value)) return value.map(copy) as T
  const result: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    const item = copy((value as Record<string, unknown>)[key])
    if (key === '__proto__') Object.defineProperty(result, key, { value: item, enumerable: true, configurable: true, writable: true })
    else result[key] = item
  }
  return result as T
}
/** JSON values; the order of keys does not matter */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (!isContainer(a) || !isContainer(b) || Array.isArray(a) !== Array.isArray(b)) return false
  if (Array.isArray(a)) return a.length === (b as unknown[]).length && a.every((item, at) => equal(item, (b as unknown[])[at]))
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && equal(a[key], (b as Record<string, unknown>)[key]))
  )
}

/** null removes; lists are replaced. Throws ApiError 400 when the patch is no object. */
export function mergePatch(object: KubeObject, patch: unknown): KubeObject {
  if (!isContainer(patch) || Array.isArray(patch)) {
    const what = Array.isArray(patch) ? 'array' : patch === null ? 'null' : typeof patch === 'boolean' ? 'bool' : typeof patch
    throw new ApiError(
      400,
      'BadRequest',
      what === 'null'
        ? 'Invalid JSON Patch'
        : `error decoding patch: json: cannot unmarshal ${what} into Go value of type map[string]interface {}`,
    )
  }
  return merged(object, patch)
}
function merged(had: unknown, patch: unknown): unknown {
  if (!isContainer(patch) || Array.isArray(patch)) return copy(patch)
  const result: Record<string, unknown> = isContainer(had) && !Array.isArray(had) ? { ...had } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = merged(result[key], value)
  }
  return result
}
