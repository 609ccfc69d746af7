// Custom resources by their structural schema: whether a schema is one, defaults, pruning, validation. The words are those of
// apiextensions-apiserver (pkg/apiserver/schema, kube-openapi's validation). CEL rules are not evaluated. Knows nothing of definitions.
import type { KubeObject } from '../kube.ts'
import { type Cause, forbidden, invalidValue, notSupported, requiredValue, typeInvalid } from './cause.ts'
import type { JsonSchema } from './crd.ts'
import { equal } from './patch.ts'

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string']
type Obj = Record<string, unknown>
const isObject = (value: unknown): value is Obj => typeof value === 'object' && value !== null && !Array.isArray(value)
const itemsOf = (schema: JsonSchema): JsonSchema | undefined => (Array.isArray(schema.items) ? schema.items[0] : schema.items)

/** What keeps a schema from being structural; `at`: the path of the schema in its definition. */
export function schemaProblems(schema: JsonSchema, at: string): Cause[] {
  const causes: Cause[] = []
  if (schema.type !== 'object')
    causes.push(
      schema.type
        ? invalidValue(`${at}.type`, schema.type, 'must be object at the root')
        : requiredValue(`${at}.type`, 'must not be empty at the root'),
    )
  for (const problem of within(schema, at, true)) causes.push(problem)
  return causes
}
function* within(schema: JsonSchema, at: string, root: boolean, where = 'specified object fields'): Generator<Cause> {
  const free = schema['x-kubernetes-preserve-unknown-fields'] || schema['x-kubernetes-int-or-string']
  if (schema.default !== undefined && schema.type && !root) {
    const wrong = validate(schema.default, schema, '', undefined)
    for (const cause of wrong)
      yield { ...cause, message: cause.message, field: cause.field === '' ? `${at}.default` : `${at}.default.${cause.field}` }
  }
  if (!root && !schema.type && !free) yield requiredValue(`${at}.type`, `must not be empty for ${where}`)
  else if (schema.type && !types.includes(schema.type)) yield notSupported(`${at}.type`, schema.type, types)
  if (schema.properties && schema.additionalProperties)
    yield forbidden(`${at}.additionalProperties`, 'additionalProperties and properties are mutual exclusive')
  if (schema.additionalProperties === false) yield forbidden(`${at}.additionalProperties`, 'additionalProperties cannot be set to false')
  if (schema.uniqueItems)
    yield forbidden(`${at}.uniqueItems`, 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic')
  for (const [name, property] of Object.entries(schema.properties ?? {})) yield* within(property, `${at}.properties[${name}]`, false)
  if (typeof schema.additionalProperties === 'object')
    yield* within(schema.additionalProperties, `${at}.additionalProperties`, false, 'specified additionalProperties')
  const items = itemsOf(schema)
  if (schema.type === 'array' && !items) yield requiredValue(`${at}.items`, 'must be specified')
  if (items) yield* within(items, `${at}.items`, false, 'specified array items')
  if (schema['x-kubernetes-list-type'] === 'map' && !schema['x-kubernetes-list-map-keys']?.length)
    yield requiredValue(`${at}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map')
}

/** A copy with the schema's defaults where something is missing (null counts as missing unless it is nullable). */
export function defaultsOfCrd(object: KubeObject, schema: JsonSchema): KubeObject {
  return filled(object, schema)
}
function filled(value: unknown, schema: JsonSchema): unknown {
  if (Array.isArray(value)) {
    const items = itemsOf(schema)
    return items ? value.map((item) => filled(item, items)) : value
  }
  if (!isObject(value)) return value
  const result: Obj = { ...value }
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const missing = result[key] === undefined || (result[key] === null && !property.nullable && property.default !== undefined)
    if (missing && property.default !== undefined) result[key] = structuredClone(property.default)
    if (result[key] !== undefined) result[key] = filled(result[key], property)
  }
  const extra = schema.additionalProperties
  if (typeof extra === 'object')
    for (const key of Object.keys(result)) {
      if (key in (schema.properties ?? {})) continue
      if (result[key] === null && !extra.nullable && extra.default !== undefined) result[key] = structuredClone(extra.default)
      result[key] = filled(result[key], extra)
    }
  return result
}
/** A copy without what the schema does not know; apiVersion, kind and metadata of the object stay. */
export function prune(object: KubeObject, schema: JsonSchema): KubeObject {
  return pruned(object, schema, true)
}
function pruned(value: unknown, schema: JsonSchema, top: boolean): unknown {
  if (Array.isArray(value)) {
    const items = itemsOf(schema)
    return items ? value.map((item) => pruned(item, items, false)) : value
  }
  if (!isObject(value)) return value
  const result: Obj = {}
  const own = top || schema['x-kubernetes-embedded-resource']
  for (const [key, item] of Object.entries(value)) {
    const property = schema.properties?.[key]
    if (own && (key === 'apiVersion' || key === 'kind' || key === 'metadata')) result[key] = item
    else if (property) result[key] = pruned(item, property, false)
    else if (typeof schema.additionalProperties === 'object') result[key] = pruned(item, schema.additionalProperties, false)
    else if (schema.additionalProperties === true || schema['x-kubernetes-preserve-unknown-fields']) result[key] = item
  }
  return result
}

/** What the schema has against a custom object; its apiVersion, kind and metadata are not looked at. */
export function validateCustom(object: KubeObject, schema: JsonSchema): Cause[] {
  const { apiVersion: _version, kind: _kind, metadata: _metadata, ...rest } = object
  const { apiVersion: _v, kind: _k, metadata: _m, ...properties } = schema.properties ?? {}
  const required = schema.required?.filter((name) => !['apiVersion', 'kind', 'metadata'].includes(name))
  return [...validate(rest, { ...schema, properties, ...(required ? { required } : {}) }, '', undefined)]
}
const typeOf = (value: unknown): string =>
  value === null
    ? 'null'
    : Array.isArray(value)
      ? 'array'
      : typeof value === 'number'
        ? Number.isInteger(value)
          ? 'integer'
          : 'number'
        : typeof value
const join = (at: string, name: string): string => (at === '' ? name : `${at}.${name}`)
const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

function* validate(value: unknown, schema: JsonSchema, at: string, _parent: unknown): Generator<Cause> {
  if (value === null && schema.nullable) return
  const type = typeOf(value)
  if (schema['x-kubernetes-int-or-string']) {
    if (type !== 'integer' && type !== 'string')
      yield typeInvalid(at, type, `${at} in body must be of type integer,string: ${JSON.stringify(type)}`)
    return
  }
  if (schema.type && type !== schema.type && !(schema.type === 'number' && type === 'integer')) {
    yield typeInvalid(at, type, `${at} in body must be of type ${schema.type}: ${JSON.stringify(type)}`)
  }
  if (schema.enum && !schema.enum.some((one) => equal(one, value))) yield notSupported(at, value, schema.enum.map(shown))
  if (typeof value === 'string') {
    const length = [...value].length
    if (schema.maxLength !== undefined && length > schema.maxLength)
      yield { reason: 'FieldValueTooLong', message: `Too long: may not be more than ${schema.maxLength} bytes`, field: at }
    else if (schema.minLength !== undefined && length < schema.minLength)
      yield invalidValue(at, value, `${at} in body should be at least ${schema.minLength} chars long`)
    else if (schema.pattern !== undefined && !matches(schema.pattern, value))
      yield invalidValue(at, value, `${at} in body should match '${schema.pattern}'`)
    if (schema.format && !formats[schema.format]?.test(value) && formats[schema.format])
      yield typeInvalid(at, value, `${at} in body must be of type ${schema.format}: ${JSON.stringify(value)}`)
  }
  if (typeof value === 'number') {
    if (schema.maximum !== undefined && (schema.exclusiveMaximum ? value >= schema.maximum : value > schema.maximum))
      yield invalidValue(at, value, `${at} in body should be less than ${schema.exclusiveMaximum ? '' : 'or equal to '}${schema.maximum}`)
    if (schema.minimum !== undefined && (schema.exclusiveMinimum ? value <= schema.minimum : value < schema.minimum))
      yield invalidValue(
        at,
        value,
        `${at} in body should be greater than ${schema.exclusiveMinimum ? '' : 'or equal to '}${schema.minimum}`,
      )
    if (schema.multipleOf && value % schema.multipleOf !== 0)
      yield invalidValue(at, value, `${at} in body should be a multiple of ${schema.multipleOf}`)
  }
  if (Array.isArray(value)) {
    if (schema.minItems !== undefined && value.length < schema.minItems)
      yield invalidValue(at, value.length, `${at} in body should have at least ${schema.minItems} items`)
    if (schema.maxItems !== undefined && value.length > schema.maxItems)
      yield { reason: 'FieldValueTooMany', message: `Too many: ${value.length}: must have at most ${schema.maxItems} items`, field: at }
    const items = itemsOf(schema)
    if (items) for (const [index, item] of value.entries()) yield* validate(item, items, `${at}[${index}]`, undefined)
    yield* unique(value, schema, at)
  }
  if (isObject(value)) {
    for (const name of schema.required ?? []) if (value[name] === undefined) yield requiredValue(join(at, name))
    const count = Object.keys(value).length
    if (schema.minProperties !== undefined && count < schema.minProperties)
      yield invalidValue(at, count, `${at} in body should have at least ${schema.minProperties} properties`)
    if (schema.maxProperties !== undefined && count > schema.maxProperties)
      yield { reason: 'FieldValueTooMany', message: `Too many: ${count}: must have at most ${schema.maxProperties} items`, field: at }
    for (const [key, item] of Object.entries(value)) {
      const property =
        schema.properties?.[key] ?? (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined)
      if (property) yield* validate(item, property, join(at, key), undefined)
    }
  }
  const fits = (one: JsonSchema) => validate(value, one, at, undefined).next().done === true
  for (const one of schema.allOf ?? []) yield* validate(value, one, at, undefined)
  if (schema.anyOf && !schema.anyOf.some(fits))
    yield invalidValue(at, value, `${JSON.stringify(at)} must validate at least one schema (anyOf)`)
  if (schema.oneOf && schema.oneOf.filter(fits).length !== 1)
    yield invalidValue(at, value, `${JSON.stringify(at)} must validate one and only one schema (oneOf)`)
  if (schema.not && fits(schema.not)) yield invalidValue(at, value, `${JSON.stringify(at)} must not validate the schema (not)`)
}
function* unique(value: readonly unknown[], schema: JsonSchema, at: string): Generator<Cause> {
  const kind = schema['x-kubernetes-list-type']
  if (kind !== 'set' && kind !== 'map') return
  const seen: unknown[] = []
  for (const [index, item] of value.entries()) {
    const key =
      kind === 'set'
        ? item
        : Object.fromEntries((schema['x-kubernetes-list-map-keys'] ?? []).map((name) => [name, (item as Obj | null)?.[name]]))
    if (seen.some((one) => equal(one, key)))
      yield { reason: 'FieldValueDuplicate', message: `Duplicate value: ${JSON.stringify(key)}`, field: `${at}[${index}]` }
    seen.push(key)
  }
}
function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(value)
  } catch {
    // What only Go's syntax knows is not held against the object.
    return true
  }
}
const formats: Record<string, RegExp> = {
  date: /^\d{4}-\d\d-\d\d$/,
  'date-time': /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/,
  uuid: /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i,
  ipv4: /^(\d{1,3}\.){3}\d{1,3}$/,
  email: /^[^@\s]+@[^@\s]+$/,
}
