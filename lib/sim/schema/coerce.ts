// From JSON to what Go keeps of it: types are checked with encoding/json's own words, unknown fields and empty optional ones go, what Go
// always writes (`status: {}`, `resources: {}`) is there, quantities and times get their canonical form. Knows nothing of defaults.
import { ApiError, type KubeObject } from '../kube.ts'
import { invalid, invalidValue } from './cause.ts'
import { equal } from './patch.ts'
import { canonicalQuantity, quantityError } from './quantity.ts'
import type { Field, ScalarShape, Shape, StructShape } from './shape.ts'
import { typeNamed } from './shape.ts'
import { goValue } from './text.ts'

/** Thrown where Go's decoder stops at once (UnmarshalJSON of a type failed); a mismatch of types is remembered and decoding goes on. */
class Stop extends Error {}
interface Context {
  struct: string
  path: string[]
  saved: string | undefined
  /** decoded from a map, not from text (strategic merge): the converter has words of its own, and stops at once */
  unstructured?: boolean
}

const wordFor = (value: unknown): string =>
  Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value === 'boolean' ? 'bool' : typeof value
function mismatch(context: Context, value: unknown, go: string): undefined {
  if (context.unstructured) {
    const from = Array.isArray(value)
      ? 'slice'
      : typeof value === 'object'
        ? 'map'
        : typeof value === 'number'
          ? Number.isInteger(value)
            ? 'int64'
            : 'float64'
          : typeof value === 'boolean'
            ? 'bool'
            : 'string'
    if (go.startsWith('[]')) throw new Stop(`cannot restore slice from ${from}`)
    if (go.startsWith('map[')) throw new Stop(`cannot restore map from ${from}`)
    if (go.startsWith('v1.') || go.startsWith('v2.')) throw new Stop(`cannot restore struct from: ${from}`)
    // Go converts numbers into each other and whole numbers into letters, so those alone come as far as to be refused in words
    // (apimachinery/pkg/runtime/converter.go, fromUnstructured).
    const convertible = /^(int64|float64)$/.test(from) && (/^(u?int|float)/.test(go) || (from === 'int64' && go === 'string'))
    throw new Stop(convertible ? `cannot convert ${from} to ${go}` : `unrecognized type: ${go}`)
  }
  const what = typeof value === 'number' && /^u?int/.test(go) ? `number ${value}` : wordFor(value)
  context.saved ??= `json: cannot unmarshal ${what} into Go ${
    context.struct === '' ? 'value' : `struct field ${context.struct}.${context.path.join('.')}`
  } of type ${go}`
  return undefined
}

/**
 * The object as the API server would keep it after decoding. Throws ApiError 400 with the server's message when a type does not fit:
 * `Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal string into Go struct field …`. Leaves its argument alone.
 */
export function coerce(object: KubeObject, shape: Shape): KubeObject {
  const { result, wrong } = attempt(object, shape, false)
  if (wrong !== undefined) {
    const { apiVersion = '', kind = '' } = plainObject(object) ? (object as KubeObject) : {}
    const version = String(apiVersion).split('/').at(-1)
    throw new ApiError(400, 'BadRequest', `${kind} in version "${version}" cannot be handled as a ${kind}: ${wrong}`)
  }
  return result
}
/**
 * The same for what a patch has made of an object: the server then speaks of the patch (ApiError 422, `patch: Invalid value: …`).
 * `patch`: the strategic merge patch; left out for JSON and merge patches, where the whole result is shown.
 */
export function coercePatched(patched: KubeObject, shape: Shape, patch?: unknown): KubeObject {
  const { result, wrong } = attempt(patched, shape, patch !== undefined)
  if (wrong !== undefined) throw badPatch(patched, patch, wrong)
  return result
}
/** What the server answers for a patch whose result it does not take, `wrong` being why; `patch` as above. */
export function badPatch(patched: KubeObject, patch: unknown, wrong: string): ApiError {
  // The patched document's own keys come sorted.
  const sorted = () => JSON.stringify(Object.fromEntries(Object.entries(patched).sort(([a], [b]) => byBytes(a, b))))
  return invalid('', '', '', [invalidValue('patch', patch === undefined ? sorted() : goValue(patch), wrong)])
}
function attempt(object: KubeObject, shape: Shape, unstructured: boolean): { result: KubeObject; wrong: string | undefined } {
  const context: Context = { struct: '', path: [], saved: undefined, unstructured }
  try {
    const result = value(object, shape, false, context)
    return { result, wrong: context.saved }
  } catch (error) {
    if (!(error instanceof Stop)) throw error
    return { result: undefined, wrong: error.message }
  }
}

const plainObject = (given: unknown): given is Record<string, unknown> =>
  typeof given === 'object' && given !== null && !Array.isArray(given)

const custom = new Set(['object', 'array'])
/** undefined: nothing that could be kept */
function value(given: unknown, shape: Shape, pointer: boolean, context: Context): unknown {
  // Custom resources are judged by their schema's validation, not by the decoder.
  if (custom.has(shape.go) && (shape.type === 'list' ? !Array.isArray(given) : !plainObject(given))) return given
  switch (shape.type) {
    case 'struct':
      return plainObject(given) ? struct(given, shape, context) : mismatch(context, given, shape.go)
    case 'list': {
      if (!Array.isArray(given)) return mismatch(context, given, shape.go)
      return given.map((item) =>
        item === null || item === undefined ? zero(shape.element, shape.pointer) : value(item, shape.element, shape.pointer, context),
      )
    }
    case 'map': {
      if (!plainObject(given)) return mismatch(context, given, shape.go)
      const result: Record<string, unknown> = {}
      // Go writes the keys of a map sorted.
      for (const key of Object.keys(given).sort(byBytes)) {
        const item = given[key]
        const kept = item === null ? zero(shape.value, false) : value(item, shape.value, false, context)
        set(result, key, kept)
      }
      return result
    }
    default:
      return scalar(given, shape, pointer, context)
  }
}
/** `__proto__` is a key like any other */
function set(result: Record<string, unknown>, key: string, kept: unknown): void {
  if (key === '__proto__') Object.defineProperty(result, key, { value: kept, enumerable: true, configurable: true, writable: true })
  else result[key] = kept
}
const byBytes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function struct(given: Record<string, unknown>, shape: StructShape, context: Context): Record<string, unknown> {
  const { struct: name, path } = context
  const result: Record<string, unknown> = {}
  for (const field of shape.fields.values()) {
    const had = Object.hasOwn(given, field.name) ? given[field.name] : undefined
    let kept: unknown
    if (had !== undefined && had !== null) {
      context.struct = shape.name
      // The metadata of a custom resource is decoded by itself.
      context.path = shape.go === 'object' && field.name === 'metadata' ? [] : [...path, field.name]
      kept = value(had, field.shape, field.pointer, context)
    }
    const written = had === null && field.nullable ? null : emitted(kept, field, shape.open)
    if (written !== undefined) result[field.name] = written
  }
  if (shape.open) for (const key of Object.keys(given)) if (!shape.fields.has(key) && given[key] !== undefined) set(result, key, given[key])
  context.struct = name
  context.path = path
  return result
}
/** what Go's encoder writes for a field; undefined: nothing */
function emitted(kept: unknown, field: Field, open: boolean): unknown {
  if (open) return kept
  if (field.pointer) return kept === undefined ? (field.omit === 'never' ? null : undefined) : kept
  if (kept === undefined || kept === null) {
    if (field.omit === 'zero') return undefined
    if (field.omit === 'empty' && !alwaysWritten(field.shape)) return undefined
    return zero(field.shape, false)
  }
  if (field.omit === 'never') {
    // What went through protobuf once has no empty lists and maps.
    return isEmpty(kept) && (field.shape.type === 'list' || field.shape.type === 'map') ? null : kept
  }
  if (alwaysWritten(field.shape))
    return field.omit === 'zero' && field.shape.type === 'struct' && isZeroStruct(kept, field.shape) ? undefined : kept
  if (field.shape.type === 'any' || field.shape.type === 'schema') return kept
  return isEmpty(kept) ? undefined : kept
}
/** omitempty does not leave these out */
const alwaysWritten = (shape: Shape): boolean =>
  shape.type === 'struct' ||
  shape.type === 'quantity' ||
  shape.type === 'intstr' ||
  shape.type === 'time' ||
  shape.type === 'microtime' ||
  shape.type === 'duration'
const isEmpty = (kept: unknown): boolean =>
  kept === '' ||
  kept === 0 ||
  kept === false ||
  (Array.isArray(kept) ? kept.length === 0 : typeof kept === 'object' && kept !== null && Object.keys(kept).length === 0)
const zeroes = new WeakMap<Shape, unknown>()
function isZeroStruct(kept: unknown, shape: StructShape): boolean {
  if (!zeroes.has(shape)) zeroes.set(shape, zero(shape, false))
  return equal(kept, zeroes.get(shape))
}

/** Go's zero value as JSON */
function zero(shape: Shape, pointer: boolean): unknown {
  if (pointer) return null
  switch (shape.type) {
    case 'struct':
      return struct({}, shape, { struct: '', path: [], saved: undefined })
    case 'string':
      return ''
    case 'bool':
      return false
    case 'int32':
    case 'int64':
    case 'float64':
    case 'intstr':
      return 0
    case 'quantity':
      return '0'
    case 'duration':
      return '0s'
    default:
      return null
  }
}

function scalar(given: unknown, shape: ScalarShape, _pointer: boolean, context: Context): unknown {
  switch (shape.type) {
    case 'string':
      return typeof given === 'string' ? given : mismatch(context, given, shape.go)
    case 'bool':
      return typeof given === 'boolean' ? given : mismatch(context, given, shape.go)
    case 'int32':
    case 'int64':
      if (typeof given !== 'number') return mismatch(context, given, shape.go)
      if (!Number.isInteger(given) || (shape.type === 'int32' && (given > 2147483647 || given < -2147483648)) || Math.abs(given) >= 2 ** 63)
        return mismatch(context, given, shape.go)
      return given
    case 'float64':
      return typeof given === 'number' ? given : mismatch(context, given, shape.go)
    case 'bytes':
      return typeof given === 'string' ? base64(given, context) : mismatch(context, given, shape.go)
    case 'quantity': {
      // A quantity's own decoder sees the raw JSON: whatever it is, it is no quantity.
      const text = typeof given === 'string' || typeof given === 'number' ? String(given).trim() : ''
      const canonical = canonicalQuantity(text)
      if (canonical === undefined) throw new Stop(quantityError)
      return canonical
    }
    case 'intstr':
      if (typeof given === 'string') return given
      if (typeof given === 'number' && Number.isInteger(given) && Math.abs(given) <= 2147483648) return given
      return stop(mismatchText(context, given, 'int32'))
    case 'time':
    case 'microtime':
      if (typeof given !== 'string') return stop(mismatchText(context, given, 'string'))
      return time(given, shape.type)
    case 'duration':
      if (typeof given !== 'string') return stop(mismatchText(context, given, 'string'))
      return given
    case 'schema':
      if (plainObject(given)) return value(given, typeNamed('apiextensions/v1.JSONSchemaProps'), false, context)
      if (Array.isArray(given))
        return given.map((item) => (plainObject(item) ? value(item, typeNamed('apiextensions/v1.JSONSchemaProps'), false, context) : item))
      return given
    default:
      return given
  }
}
function stop(text: string): never {
  throw new Stop(text)
}
function mismatchText(context: Context, given: unknown, go: string): string {
  const probe: Context = { ...context, saved: undefined }
  mismatch(probe, given, go)
  return probe.saved ?? ''
}

const layout = { time: '2006-01-02T15:04:05Z07:00', microtime: '2006-01-02T15:04:05.000000Z07:00' }
const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)([.,]\d+)?(Z|[+-]\d\d:\d\d)$/
/** RFC 3339 in UTC, whole seconds for Time, six digits for MicroTime */
function time(text: string, type: 'time' | 'microtime'): string {
  const match = rfc3339.exec(text)
  const at = match ? Date.parse(text.replace(/[.,]\d+/, '')) : Number.NaN
  if (!match || Number.isNaN(at)) {
    const rest = /^\d{4}$/.test(text.slice(0, 4)) ? (text[4] === '-' ? text : text.slice(4)) : text
    const wanted = rest === text && !/^\d{4}-/.test(text) ? '2006' : rest === text ? '01' : '-'
    throw new Stop(
      `parsing time ${JSON.stringify(text)} as "${layout[type]}": cannot parse ${JSON.stringify(wanted === '01' ? text.slice(5) : rest)} as "${wanted}"`,
    )
  }
  const whole = new Date(at).toISOString().slice(0, 19)
  if (type === 'time') return `${whole}Z`
  return `${whole}.${(match[7]?.slice(1) ?? '').padEnd(6, '0').slice(0, 6)}Z`
}
/** standard base64 with padding; new lines are skipped, as Go's decoder does */
function base64(text: string, context: Context): string | undefined {
  const clean = text.replace(/[\r\n]/g, '')
  const bad = /[^A-Za-z0-9+/]/.exec(clean.replace(/={1,2}$/, ''))
  const fine = bad === null && clean.length % 4 === 0 && !/^=|^.=/.test(clean.slice(-4))
  if (fine) return clean
  const body = clean.replace(/=+$/, '')
  const at = bad ? bad.index : clean.length === body.length ? clean.length - (clean.length % 4) : body.length
  context.saved ??= `illegal base64 data at input byte ${at}`
  return undefined
}
