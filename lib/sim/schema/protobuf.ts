// Bodies in Kubernetes' protobuf: the `k8s\0` envelope and the messages of generated.proto, by the numbers of the types' table. Decoding
// only: answers are JSON. Knows nothing of what the fields mean.
import { ApiError, type KubeObject } from '../kube.ts'
import { type Field, type Shape, type StructShape, shapeOf, typeNamed } from './shape.ts'

const bad = (why: string): ApiError => new ApiError(400, 'BadRequest', why)

class Reader {
  at = 0
  readonly bytes: Uint8Array
  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
  get done(): boolean {
    return this.at >= this.bytes.length
  }
  /** unsigned, 64 bits */
  varint(): bigint {
    let result = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.bytes[this.at++]
      if (byte === undefined) throw bad('unexpected EOF')
      result |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, result)
    }
    throw bad('proto: integer overflow')
  }
  tag(): { number: number; wire: number } {
    const tag = Number(this.varint())
    return { number: tag >>> 3, wire: tag & 7 }
  }
  chunk(): Uint8Array {
    const length = Number(this.varint())
    if (this.at + length > this.bytes.length) throw bad('unexpected EOF')
    const chunk = this.bytes.subarray(this.at, this.at + length)
    this.at += length
    return chunk
  }
  skip(wire: number): void {
    if (wire === 0) this.varint()
    else if (wire === 1) this.at += 8
    else if (wire === 2) this.chunk()
    else if (wire === 5) this.at += 4
    else throw bad(`proto: illegal wireType ${wire}`)
    if (this.at > this.bytes.length) throw bad('unexpected EOF')
  }
  double(): number {
    const at = this.at
    this.at += 8
    if (this.at > this.bytes.length) throw bad('unexpected EOF')
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + at, 8).getFloat64(0, true)
  }
}
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
/** the fields of a message whose meaning the caller knows */
function* messages(bytes: Uint8Array): Generator<{ number: number; chunk: Uint8Array; int: number }> {
  const reader = new Reader(bytes)
  while (!reader.done) {
    const { number, wire } = reader.tag()
    if (wire === 2) yield { number, chunk: reader.chunk(), int: 0 }
    else if (wire === 0) yield { number, chunk: new Uint8Array(), int: Number(BigInt.asIntN(64, reader.varint())) }
    else reader.skip(wire)
  }
}

const magic = [0x6b, 0x38, 0x73, 0]
/**
 * A body of `application/vnd.kubernetes.protobuf` as a JSON object with apiVersion and kind. Empty strings, false and 0 that protobuf cannot
 * tell from nothing are left out. Throws ApiError 400.
 */
export function decode(bytes: Uint8Array): KubeObject {
  if (bytes.length < 4 || magic.some((byte, index) => bytes[index] !== byte))
    throw bad(
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    )
  let apiVersion = ''
  let kind = ''
  let raw = new Uint8Array()
  let contentType = ''
  for (const outer of messages(bytes.subarray(4))) {
    if (outer.number === 1)
      for (const inner of messages(outer.chunk)) {
        if (inner.number === 1) apiVersion = text(inner.chunk)
        if (inner.number === 2) kind = text(inner.chunk)
      }
    if (outer.number === 2) raw = outer.chunk as Uint8Array<ArrayBuffer>
    if (outer.number === 4) contentType = text(outer.chunk)
  }
  if (contentType === 'application/json') return JSON.parse(text(raw)) as KubeObject
  const shape = shapeOf(apiVersion, kind)
  if (!shape) throw bad(`no kind "${kind}" is registered for version "${apiVersion}"`)
  return { apiVersion, kind, ...message(raw, shape) }
}

function message(bytes: Uint8Array, shape: StructShape, into: Record<string, unknown> = {}): Record<string, unknown> {
  const reader = new Reader(bytes)
  while (!reader.done) {
    const { number, wire } = reader.tag()
    const field = shape.numbers.get(number)
    if (field === undefined) reader.skip(wire)
    else if ('type' in field) message(reader.chunk(), field, into)
    else take(reader, wire, field, into)
  }
  return into
}
function take(reader: Reader, wire: number, field: Field, into: Record<string, unknown>): void {
  const { shape, name } = field
  if (shape.type === 'list' && !shape.wrapped) {
    const list = (into[name] as unknown[] | undefined) ?? []
    into[name] = list
    // Numbers may come packed; Kubernetes writes them one by one.
    if (wire === 2 && (shape.element.type === 'int32' || shape.element.type === 'int64')) {
      const packed = new Reader(reader.chunk())
      while (!packed.done) list.push(single(packed, 0, shape.element))
    } else list.push(single(reader, wire, shape.element))
  } else if (shape.type === 'map') {
    const map = (into[name] as Record<string, unknown> | undefined) ?? {}
    into[name] = map
    const entry = new Reader(reader.chunk())
    let key = ''
    let value: unknown
    while (!entry.done) {
      const { number, wire: inner } = entry.tag()
      if (number === 1) key = text(entry.chunk())
      else if (number === 2) value = single(entry, inner, shape.value)
      else entry.skip(inner)
    }
    map[key] = value ?? (shape.value.type === 'string' || shape.value.type === 'bytes' ? '' : shape.value.type === 'bool' ? false : null)
  } else {
    const value = single(reader, wire, shape)
    // Protobuf (proto2, as Kubernetes writes it) carries zeros of fields that are no pointers.
    if (!field.pointer && (value === '' || value === 0 || value === false) && field.omit !== 'never') return
    into[name] = value
  }
}
function single(reader: Reader, wire: number, shape: Shape): unknown {
  switch (shape.type) {
    case 'string':
      return text(reader.chunk())
    case 'bytes':
      return Buffer.from(reader.chunk()).toString('base64')
    case 'bool':
      return reader.varint() !== 0n
    case 'int32':
      return Number(BigInt.asIntN(32, reader.varint()))
    case 'int64':
      return Number(BigInt.asIntN(64, reader.varint()))
    case 'float64':
      return reader.double()
    case 'struct':
      return message(reader.chunk(), shape)
    case 'list': {
      // a named list: a message with its items in field 1
      const items: unknown[] = []
      const inner = new Reader(reader.chunk())
      while (!inner.done) {
        const { number, wire: w } = inner.tag()
        if (number === 1) items.push(single(inner, w, shape.element))
        else inner.skip(w)
      }
      return items
    }
    case 'quantity': {
      let value = '0'
      for (const part of messages(reader.chunk())) if (part.number === 1) value = text(part.chunk)
      return value
    }
    case 'intstr': {
      let type = 0
      let int = 0
      let string = ''
      for (const part of messages(reader.chunk())) {
        if (part.number === 1) type = part.int
        if (part.number === 2) int = part.int
        if (part.number === 3) string = text(part.chunk)
      }
      return type === 1 ? string : int
    }
    case 'time':
    case 'microtime': {
      let seconds = 0
      let nanos = 0
      let any = false
      for (const part of messages(reader.chunk())) {
        any = true
        if (part.number === 1) seconds = part.int
        if (part.number === 2) nanos = part.int
      }
      if (!any) return null
      const whole = new Date(seconds * 1000).toISOString().slice(0, 19)
      return shape.type === 'time' ? `${whole}Z` : `${whole}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z`
    }
    case 'duration': {
      let nanos = 0
      for (const part of messages(reader.chunk())) if (part.number === 1) nanos = part.int
      return `${nanos / 1e9}s`
    }
    case 'schema': {
      // JSONSchemaPropsOr…: (schema, list of schemas), (allows, schema), (schema, strings)
      const props = typeNamed('apiextensions/v1.JSONSchemaProps')
      let result: unknown = null
      for (const part of messages(reader.chunk())) {
        if (part.chunk.length === 0 && part.number === 1) result = shape.go.endsWith('OrBool') ? part.int !== 0 : {}
        else if (shape.go.endsWith('OrBool') ? part.number === 2 : part.number === 1) result = message(part.chunk, props)
        else if (part.number === 2)
          result = [
            ...(Array.isArray(result) ? result : []),
            shape.go.endsWith('StringArray') ? text(part.chunk) : message(part.chunk, props),
          ]
      }
      return result
    }
    case 'any': {
      if (wire !== 2) {
        reader.skip(wire)
        return null
      }
      // RawExtension, FieldsV1 and JSON: their bytes in field 1
      for (const part of messages(reader.chunk())) if (part.number === 1 && part.chunk.length > 0) return JSON.parse(text(part.chunk))
      return null
    }
    default:
      return null
  }
}
