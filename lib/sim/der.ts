// DER, as far as X.509 certificates and PKCS#10 requests need it: writing values, reading them back. After ITU-T X.690.
// Knows nothing of certificates.

const length = (size: number): Buffer => {
  if (size < 0x80) return Buffer.from([size])
  const bytes: number[] = []
  for (let left = size; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256)
  return Buffer.from([0x80 | bytes.length, ...bytes])
}
export const tlv = (tag: number, ...content: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(content)
  return Buffer.concat([Buffer.from([tag]), length(body.length), body])
}
export const sequence = (...items: readonly Uint8Array[]): Buffer => tlv(0x30, ...items)
export const set = (...items: readonly Uint8Array[]): Buffer => tlv(0x31, ...items)
/** of unsigned big-endian bytes */
export const integer = (bytes: Uint8Array): Buffer => {
  let from = 0
  while (from < bytes.length - 1 && bytes[from] === 0) from += 1
  const trimmed = bytes.subarray(from)
  return tlv(0x02, (trimmed[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), trimmed]) : trimmed)
}
export const boolean = (value: boolean): Buffer => tlv(0x01, Buffer.from([value ? 0xff : 0]))
export const octets = (bytes: Uint8Array): Buffer => tlv(0x04, bytes)
export const bits = (bytes: Uint8Array, unused = 0): Buffer => tlv(0x03, Buffer.from([unused]), bytes)
export const oid = (dotted: string): Buffer => {
  const [first, second, ...rest] = dotted.split('.').map(Number) as [number, number, ...number[]]
  const bytes = [first * 40 + second]
  for (const part of rest) {
    const groups = [part & 0x7f]
    for (let left = part >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80)
    bytes.push(...groups)
  }
  return tlv(0x06, Buffer.from(bytes))
}
/** PrintableString where it can, else UTF8String, as Go chooses */
export const text = (value: string): Buffer => tlv(/^[A-Za-z0-9 '()+,\-./:=?]*$/.test(value) ? 0x13 : 0x0c, Buffer.from(value))
/** UTCTime until 2049, GeneralizedTime after */
export const time = (ms: number): Buffer => {
  const iso = new Date(Math.floor(ms / 1000) * 1000).toISOString()
  const digits = iso.replace(/\.\d+Z$/, '').replace(/\D/g, '')
  return Number(iso.slice(0, 4)) < 2050 ? tlv(0x17, Buffer.from(`${digits.slice(2)}Z`)) : tlv(0x18, Buffer.from(`${digits}Z`))
}

/** One value that was read, with its whole encoding. */
export interface Value {
  tag: number
  content: Buffer
  whole: Buffer
  /** of constructed ones */
  items: Value[]
}
/** @throws Error for what is no DER */
export function parse(bytes: Buffer): Value {
  const { value, end } = one(bytes, 0, 0)
  if (end !== bytes.length) throw new Error('asn1: syntax error: trailing data')
  return value
}
function one(bytes: Buffer, at: number, depth: number): { value: Value; end: number } {
  if (depth > 32 || at + 2 > bytes.length) throw new Error('asn1: syntax error: truncated tag or length')
  const tag = bytes[at] as number
  let size = bytes[at + 1] as number
  let from = at + 2
  if (size & 0x80) {
    const count = size & 0x7f
    if (count === 0 || count > 4 || from + count > bytes.length) throw new Error('asn1: structure error: length')
    size = 0
    for (let index = 0; index < count; index += 1) size = size * 256 + (bytes[from + index] as number)
    from += count
  }
  const end = from + size
  if (end > bytes.length) throw new Error('asn1: syntax error: data truncated')
  const items: Value[] = []
  if (tag & 0x20) {
    for (let next = from; next < end; ) {
      const item = one(bytes.subarray(0, end), next, depth + 1)
      items.push(item.value)
      next = item.end
    }
  }
  return { value: { tag, content: bytes.subarray(from, end), whole: bytes.subarray(at, end), items }, end }
}
export function readOid(value: Value): string {
  const bytes = value.content
  const parts = [Math.floor((bytes[0] ?? 0) / 40), (bytes[0] ?? 0) % 40]
  let number = 0
  for (const byte of bytes.subarray(1)) {
    number = number * 128 + (byte & 0x7f)
    if (!(byte & 0x80)) {
      parts.push(number)
      number = 0
    }
  }
  return parts.join('.')
}
