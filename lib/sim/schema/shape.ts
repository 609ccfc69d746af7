// What a kind is made of: fields, their Go types, how lists and maps merge. Built-in kinds come from data/types.jsonl (generated, see
// data/NOTICE.md), custom ones from their OpenAPI schema (crd.ts). Knows nothing of values. Shapes are made once per process and shared.
import { readFileSync } from 'node:fs'

export type Scalar =
  | 'string'
  | 'bool'
  | 'int32'
  | 'int64'
  | 'float64'
  | 'bytes'
  | 'quantity'
  | 'intstr'
  | 'time'
  | 'microtime'
  | 'duration'
  /** anything, kept as it is: RawExtension, FieldsV1, JSON, what a custom resource leaves open */
  | 'any'
  /** a JSONSchemaProps, or in its place a list of them, a boolean, or strings */
  | 'schema'

export interface ScalarShape {
  readonly type: Scalar
  /** as Go prints the type: `int32`, `v1.Protocol` */
  readonly go: string
}
export interface ListShape {
  readonly type: 'list'
  readonly go: string
  readonly element: Shape
  readonly pointer: boolean
  /** protobuf wraps a named list type in a message */
  readonly wrapped: boolean
  /** set on a custom resource's list that has no field of its own around it */
  readonly merge?: Merge
}
export interface MapShape {
  readonly type: 'map'
  readonly go: string
  readonly value: Shape
  readonly merge?: Merge
}
export interface StructShape {
  readonly type: 'struct'
  readonly go: string
  /** Go's name of the type without its package: `PodSpec` */
  readonly name: string
  /** package and name of a built-in type: `core/v1.PodSpec`; empty for a custom one */
  readonly id: string
  /** JSON name → field, in Go's order; inlined structs are flattened */
  readonly fields: ReadonlyMap<string, Field>
  /** the whole is one value for server-side apply */
  readonly atomic: boolean
  /** fields that nobody declared are kept (custom resources that preserve unknown fields) */
  readonly open: boolean
  /** protobuf number → field or inlined message */
  readonly numbers: ReadonlyMap<number, Field | StructShape>
  /** an object within the object (x-kubernetes-embedded-resource): its apiVersion, kind and metadata belong to it */
  readonly embedded?: boolean
  readonly merge?: Merge
}
export type Shape = ScalarShape | ListShape | MapShape | StructShape

/** how server-side apply and strategic merge treat what a field holds */
export interface Merge {
  /** of a list: `atomic` (default), `set`, or `map` by `keys` */
  readonly list: 'atomic' | 'set' | 'map'
  readonly keys: readonly string[]
  /** of a map or struct: one value for server-side apply */
  readonly atomic: boolean
}
export interface Field {
  readonly name: string
  readonly shape: Shape
  readonly pointer: boolean
  /** when Go leaves the field out: never, when empty, when zero (structs too) */
  readonly omit: 'never' | 'empty' | 'zero'
  readonly required: boolean
  /** null is a value (custom resources) */
  readonly nullable?: boolean
  /** the OpenAPI default; only server-side apply reads it here, for the keys of lists */
  readonly default: unknown
  /** what stands for the field in the key of a list when it is missing: its default, or an empty one */
  readonly keyDefault: unknown
  readonly merge: Merge
  /** x-kubernetes-patch-strategy: merge, replace, retainKeys */
  readonly strategies: readonly string[]
  readonly mergeKey: string | undefined
}

interface Row {
  t: string
  p?: number
  o?: number
  i?: number
  s?: string
  k?: string
  l?: 'set' | string[]
  a?: number
  d?: unknown
  z?: number
  r?: number
}
type Entry = string | { f: Record<string, Row>; kind?: string; atomic?: number }

let table: Record<string, Entry> | undefined
const kinds = new Map<string, string>()
const made = new Map<string, Shape>()

/** a file of data/: one JSON value a line */
export const readLines = (file: string): [string, unknown][] =>
  JSON.parse(
    `[${readFileSync(new URL(`./data/${file}`, import.meta.url), 'utf8')
      .trim()
      .replaceAll('\n', ',')}]`,
  )

function entries(): Record<string, Entry> {
  if (table) return table
  const read = Object.fromEntries(readLines('types.jsonl')) as Record<string, Entry>
  for (const [name, entry] of Object.entries(read)) if (typeof entry !== 'string' && entry.kind) kinds.set(entry.kind, name)
  table = read
  return read
}

const scalars: Record<string, ScalarShape> = Object.fromEntries(
  (
    [
      ['string', 'string', 'string'],
      ['bool', 'bool', 'bool'],
      ['byte', 'int32', 'uint8'],
      ['int', 'int64', 'int'],
      ['int32', 'int32', 'int32'],
      ['int64', 'int64', 'int64'],
      ['float64', 'float64', 'float64'],
      ['bytes', 'bytes', '[]uint8'],
      ['quantity', 'quantity', 'resource.Quantity'],
      ['intstr', 'intstr', 'intstr.IntOrString'],
      ['time', 'time', 'v1.Time'],
      ['microtime', 'microtime', 'v1.MicroTime'],
      ['duration', 'duration', 'v1.Duration'],
      ['fields', 'any', 'v1.FieldsV1'],
      ['raw', 'any', 'runtime.RawExtension'],
      ['json', 'any', 'v1.JSON'],
      ['schemaOrArray', 'schema', 'v1.JSONSchemaPropsOrArray'],
      ['schemaOrBool', 'schema', 'v1.JSONSchemaPropsOrBool'],
      ['schemaOrStrings', 'schema', 'v1.JSONSchemaPropsOrStringArray'],
    ] as const
  ).map(([name, type, go]) => [name, { type, go }]),
)
export const anything: ScalarShape = scalars.json as ScalarShape
export const plain: Merge = { list: 'atomic', keys: [], atomic: false }
const goName = (name: string): string => name.slice(name.lastIndexOf('/') + 1)

/** a type as the table writes it (`[]core/v1.Container`, `{}string`, `*int32`, `core/v1.PodSpec`) */
function shapeNamed(name: string): Shape {
  const known = scalars[name] ?? made.get(name)
  if (known) return known
  const shape = make(name)
  if (!made.has(name)) made.set(name, shape)
  return shape
}
function make(name: string): Shape {
  if (name.startsWith('*')) return shapeNamed(name.slice(1))
  if (name.startsWith('[]')) {
    const element = shapeNamed(name.slice(2))
    const pointer = name[2] === '*'
    return { type: 'list', go: `[]${pointer ? '*' : ''}${element.go}`, element, pointer, wrapped: false }
  }
  if (name.startsWith('{')) {
    const end = name.indexOf('}')
    const key = name.slice(1, end)
    const value = shapeNamed(name.slice(end + 1))
    return { type: 'map', go: `map[${key === '' ? 'string' : goName(key)}]${value.go}`, value }
  }
  const entry = entries()[name]
  if (entry === undefined) throw new Error(`no type ${name} in data/types.jsonl`)
  if (typeof entry === 'string') {
    const under = shapeNamed(entry)
    return under.type === 'list' ? { ...under, go: goName(name), wrapped: true } : { ...under, go: goName(name) }
  }
  const fields = new Map<string, Field>()
  const numbers = new Map<number, Field | StructShape>()
  const struct: StructShape = {
    type: 'struct',
    go: goName(name),
    name: name.slice(name.lastIndexOf('.') + 1),
    id: name,
    fields,
    numbers,
    atomic: entry.atomic === 1,
    open: false,
  }
  // Before its fields: some types contain themselves.
  made.set(name, struct)
  for (const [jsonName, row] of Object.entries(entry.f)) {
    const shape = shapeNamed(row.t.replace(/^\*/, ''))
    if (row.i) {
      const inner = shape as StructShape
      for (const field of inner.fields.values()) fields.set(field.name, field)
      if (row.p) numbers.set(row.p, inner)
      continue
    }
    const field: Field = {
      name: jsonName,
      shape,
      pointer: row.t.startsWith('*'),
      omit: row.o === 2 ? 'zero' : row.o === 1 ? 'empty' : 'never',
      required: row.r === 1,
      default: row.d,
      keyDefault: row.d ?? (row.z ? (shape.type === 'string' ? '' : shape.type === 'bool' ? false : 0) : undefined),
      merge:
        row.l !== undefined || row.a
          ? {
              list: row.l === undefined ? 'atomic' : row.l === 'set' ? 'set' : 'map',
              keys: Array.isArray(row.l) ? row.l : [],
              atomic: row.a === 1,
            }
          : plain,
      strategies: row.s?.split(',') ?? [],
      mergeKey: row.k,
    }
    fields.set(jsonName, field)
    if (row.p) numbers.set(row.p, field)
  }
  return struct
}

/** The shape of a built-in kind, `Scale` and `Eviction` and the like included; undefined for what Kubernetes does not have. */
export function shapeOf(apiVersion: string, kind: string): StructShape | undefined {
  entries()
  const own = kinds.get(`${apiVersion} ${kind}`)
  if (own) return shapeNamed(own) as StructShape
  // Options and Status are in every group.
  const common = `meta/v1.${kind}`
  return /^(\w*Options|Status|List|PartialObjectMetadata)$/.test(kind) && common in entries()
    ? (shapeNamed(common) as StructShape)
    : undefined
}
/** The shape of a type by its package and name: `core/v1.PodTemplateSpec`. Throws for what is not in the table. */
export const typeNamed = (name: string): StructShape => shapeNamed(name) as StructShape
