// Defaulting, as the API server does it after decoding: a walk along the shape that lets each type's defaulter act, the outer before the
// inner. Knows nothing of kinds beyond types.ts.
import type { KubeObject } from '../../kube.ts'
import { copy } from '../patch.ts'
import { type Shape, type StructShape, shapeOf } from '../shape.ts'
import { defaulters, roundUpResources } from './types.ts'

/**
 * A copy with the defaults of its kind, and with what the server's conversions settle (a Secret's stringData becomes data, serviceAccount
 * follows serviceAccountName). Expects what `coerce` gives; custom resources come back as they are (see defaultsOfCrd).
 */
export function defaults(object: KubeObject): KubeObject {
  const shape = shapeOf(object.apiVersion, object.kind)
  if (!shape) return object
  const result = copy(object)
  fill(result, shape)
  return result
}

const concerned = new Map<Shape, boolean>()
/** whether anything below has a default: most of an object has none and need not be walked */
function matters(shape: Shape, above: ReadonlySet<Shape> = new Set()): boolean {
  const known = concerned.get(shape)
  if (known !== undefined) return known
  if (above.has(shape)) return false
  const within = new Set([...above, shape])
  let found: boolean
  if (shape.type === 'struct')
    found =
      shape.id in defaulters || [...shape.fields.values()].some((field) => field.default !== undefined || matters(field.shape, within))
  else if (shape.type === 'list') found = matters(shape.element, within)
  else if (shape.type === 'map') found = shape.go === 'v1.ResourceList' || matters(shape.value, within)
  else found = false
  // Within a cycle, false may only mean that the question is being asked further out.
  if (found || above.size === 0) concerned.set(shape, found)
  return found
}

function fill(value: unknown, shape: Shape): void {
  if (typeof value !== 'object' || value === null || !matters(shape)) return
  if (shape.type === 'struct') struct(value as Record<string, unknown>, shape)
  else if (shape.type === 'list') {
    if (Array.isArray(value)) for (const item of value) fill(item, shape.element)
  } else if (shape.type === 'map') {
    if (shape.go === 'v1.ResourceList') roundUpResources(value as Record<string, string>)
    else for (const item of Object.values(value)) fill(item, shape.value)
  }
}
function struct(value: Record<string, unknown>, shape: StructShape): void {
  defaulters[shape.id]?.(value)
  for (const field of shape.fields.values()) {
    const had = value[field.name]
    if (field.default !== undefined && (had === undefined || had === null || had === '')) value[field.name] = field.default
    else if (had !== undefined) fill(had, field.shape)
  }
}
