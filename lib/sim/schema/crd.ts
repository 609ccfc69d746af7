// Shapes of custom resources, from the structural OpenAPI v3 schema of their definition.
// Knows nothing of how they are served; pruning and defaults are custom.ts's work on these shapes.
import { anything, type Field, type Merge, plain, type Shape, type StructShape, typeNamed } from './shape.ts'

/** JSONSchemaProps as a CustomResourceDefinition holds it */
export interface JsonSchema {
  type?: string
  format?: string
  nullable?: boolean
  default?: unknown
  properties?: Record<string, JsonSchema>
  additionalProperties?: boolean | JsonSchema
  items?: JsonSchema | JsonSchema[]
  required?: string[]
  enum?: unknown[]
  minimum?: number
  maximum?: number
  exclusiveMinimum?: boolean
  exclusiveMaximum?: boolean
  multipleOf?: number
  minLength?: number
  maxLength?: number
  pattern?: string
  minItems?: number
  maxItems?: number
  uniqueItems?: boolean
  minProperties?: number
  maxProperties?: number
  allOf?: JsonSchema[]
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  not?: JsonSchema
  'x-kubernetes-preserve-unknown-fields'?: boolean
  'x-kubernetes-embedded-resource'?: boolean
  'x-kubernetes-int-or-string'?: boolean
  'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map'
  'x-kubernetes-list-map-keys'?: string[]
  'x-kubernetes-map-type'?: 'atomic' | 'granular'
}

const known = new WeakMap<JsonSchema, Shape>()

/** The shape of a custom kind: apiVersion, kind and metadata are added. Kept as long as the schema object lives. */
export function shapeOfCrd(openAPIV3Schema: JsonSchema): Shape {
  const made = known.get(openAPIV3Schema)
  if (made) return made
  const shape = withTypeMeta(structOf(openAPIV3Schema))
  known.set(openAPIV3Schema, shape)
  return shape
}
const field = (name: string, shape: Shape, schema: JsonSchema, required: boolean): Field => ({
  name,
  shape,
  pointer: true,
  omit: 'empty',
  required,
  nullable: schema.nullable === true,
  default: schema.default,
  keyDefault: schema.default,
  merge: mergeOf(schema),
  strategies: [],
  mergeKey: undefined,
})
function mergeOf(schema: JsonSchema): Merge {
  const list = schema['x-kubernetes-list-type']
  const atomic = schema['x-kubernetes-map-type'] === 'atomic'
  if (list === undefined && !atomic) return plain
  return { list: list ?? 'atomic', keys: schema['x-kubernetes-list-map-keys'] ?? [], atomic }
}
function withTypeMeta(shape: StructShape): StructShape {
  const fields = new Map(shape.fields)
  const string: JsonSchema = { type: 'string' }
  fields.set('apiVersion', field('apiVersion', { type: 'string', go: 'string' }, string, false))
  fields.set('kind', field('kind', { type: 'string', go: 'string' }, string, false))
  fields.set('metadata', field('metadata', typeNamed('meta/v1.ObjectMeta'), {}, false))
  return { ...shape, fields }
}
function structOf(schema: JsonSchema): StructShape {
  const fields = new Map<string, Field>()
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    fields.set(name, field(name, shapeFor(property), property, schema.required?.includes(name) ?? false))
  const struct: StructShape = {
    type: 'struct',
    go: 'object',
    name: '',
    id: '',
    fields,
    numbers: new Map(),
    atomic: schema['x-kubernetes-map-type'] === 'atomic',
    open: schema['x-kubernetes-preserve-unknown-fields'] === true,
    embedded: schema['x-kubernetes-embedded-resource'] === true,
  }
  return struct.embedded ? withTypeMeta(struct) : struct
}
function shapeFor(schema: JsonSchema): Shape {
  if (schema['x-kubernetes-int-or-string']) return { type: 'any', go: 'any' }
  switch (schema.type) {
    case 'object':
      if (typeof schema.additionalProperties === 'object')
        return { type: 'map', go: 'object', value: shapeFor(schema.additionalProperties), merge: mergeOf(schema) }
      if (schema.additionalProperties === true) return { type: 'map', go: 'object', value: anything, merge: mergeOf(schema) }
      return structOf(schema)
    case 'array': {
      const items = Array.isArray(schema.items) ? schema.items[0] : schema.items
      return {
        type: 'list',
        go: 'array',
        element: items ? shapeFor(items) : anything,
        pointer: false,
        wrapped: false,
        merge: mergeOf(schema),
      }
    }
    case undefined:
      return schema['x-kubernetes-preserve-unknown-fields'] ? { ...structOf(schema), open: true } : anything
    default:
      // Types are judged by the schema's own validation, with its own words; here everything scalar passes.
      return { type: 'any', go: schema.type }
  }
}
