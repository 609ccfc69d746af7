// IPv4 addresses as numbers, and prefixes. Knows nothing of interfaces or packets.

/** undefined for what is no dotted IPv4 address */
export function parseIp(text: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (parts === null) return undefined
  let ip = 0
  for (const part of parts.slice(1)) {
    const byte = Number(part)
    if (byte > 255) return undefined
    ip = ip * 256 + byte
  }
  return ip
}
/** @throws Error for what is no address; for texts that the caller made */
export function ip(text: string): number {
  const parsed = parseIp(text)
  if (parsed === undefined) throw new Error(`${text} is not an IPv4 address`)
  return parsed
}
export const formatIp = (ip: number): string => `${ip >>> 24}.${(ip >>> 16) & 255}.${(ip >>> 8) & 255}.${ip & 255}`
export const maskOf = (bits: number): number => (bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0)

export interface Prefix {
  ip: number
  bits: number
}
/** `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, or an address alone (/32); host bits are kept. undefined when it is none */
export function parsePrefix(text: string): Prefix | undefined {
  const [address = '', length] = text.split('/')
  const ip = parseIp(address)
  if (ip === undefined) return undefined
  if (length === undefined) return { ip, bits: 32 }
  if (/^\d+$/.test(length)) return Number(length) <= 32 ? { ip, bits: Number(length) } : undefined
  const mask = parseIp(length)
  if (mask === undefined) return undefined
  const bits = 32 - Math.log2(2 ** 32 - mask)
  return Number.isInteger(bits) ? { ip, bits } : undefined
}
export const network = (prefix: Prefix): Prefix => ({ ip: (prefix.ip & maskOf(prefix.bits)) >>> 0, bits: prefix.bits })
export const contains = (prefix: Prefix, ip: number): boolean => ((prefix.ip ^ ip) & maskOf(prefix.bits)) === 0
export const formatPrefix = (prefix: Prefix): string => `${formatIp(prefix.ip)}/${prefix.bits}`
export const isLoopback = (ip: number): boolean => ip >>> 24 === 127
