// DNS as it stands in packets (RFC 1035): for real programs that ask the lab's name servers. Knows nothing of who answers.
import type { DnsAnswer, DnsQuestion, DnsRecord } from '../net.ts'
import { parseIp } from './ip.ts'

const types: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  ANY: 255,
}
const codes: Readonly<Record<DnsAnswer['rcode'] | 'FORMERR' | 'NOTIMP', number>> = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
}
/** without EDNS a client takes no more */
const largest = 512
const [headerBytes, questionBytes] = [12, 4]

export interface Asked {
  question: DnsQuestion
  /** the packet up to the end of its question: what an answer begins with */
  head: Buffer
}
/** The one question of a packet; a packet with the server's refusal for what it cannot read, undefined for what is no question at all. */
export function readQuestion(packet: Uint8Array): Asked | Buffer | undefined {
  const bytes = Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength)
  if (bytes.length < headerBytes || (bytes.readUInt16BE(2) & 0x8000) !== 0) return undefined
  const labels: string[] = []
  let at = headerBytes
  for (;;) {
    const length = bytes[at]
    // A question has nothing before it that its name could point to.
    if (length === undefined || length > 63 || at + 1 + length > bytes.length || labels.length > 127)
      return head(bytes.subarray(0, headerBytes), codes.FORMERR, 0, 0, 0)
    at += 1
    if (length === 0) break
    labels.push(bytes.toString('latin1', at, at + length))
    at += length
  }
  if (at + questionBytes > bytes.length || bytes.readUInt16BE(4) !== 1) return head(bytes.subarray(0, headerBytes), codes.FORMERR, 0, 0, 0)
  const [number, asked] = [bytes.readUInt16BE(at), bytes.subarray(0, at + questionBytes)]
  const type = Object.keys(types).find((name) => types[name] === number) as DnsQuestion['type'] | undefined
  if (type === undefined || (bytes.readUInt16BE(2) & 0x7800) !== 0)
    return Buffer.concat([head(asked, codes.NOTIMP, 1, 0, 0), asked.subarray(headerBytes)])
  return { question: { name: `${labels.join('.')}.`, type }, head: Buffer.from(asked) }
}
/** A packet that answers what was asked; what does not go into one is left out, and the packet says so. */
export function writeAnswer({ head: asked }: Asked, answer: DnsAnswer): Buffer {
  const sections = [answer.answers, answer.authority ?? []].map((records) => records.flatMap((one) => writeRecord(one) ?? []))
  const room = largest - asked.length
  const size = (records: readonly Buffer[]) => records.reduce((sum, one) => sum + one.length, 0)
  const [answers = [], authority = []] = sections
  const cut = size(answers) > room
  while (size(answers) > room) answers.pop()
  if (size(answers) + size(authority) > room) authority.length = 0
  const flags = codes[answer.rcode] | (answer.authoritative ? 0x0400 : 0) | (cut ? 0x0200 : 0)
  return Buffer.concat([head(asked, flags, 1, answers.length, authority.length), asked.subarray(headerBytes), ...answers, ...authority])
}
function head(asked: Buffer, flags: number, questions: number, answers: number, authority: number): Buffer {
  const bytes = Buffer.alloc(headerBytes)
  bytes.writeUInt16BE(asked.readUInt16BE(0), 0)
  // An answer, with recursion wanted as it was asked for and offered.
  bytes.writeUInt16BE(0x8080 | (asked.readUInt16BE(2) & 0x7900) | flags, 2)
  for (const [at, count] of [questions, answers, authority, 0].entries()) bytes.writeUInt16BE(count, 4 + 2 * at)
  return bytes
}
const labels = (name: string): Buffer =>
  Buffer.concat([
    ...name
      .split('.')
      .filter((label) => label !== '')
      .map((label) => Buffer.from([Math.min(63, label.length), ...Buffer.from(label, 'latin1').subarray(0, 63)])),
    Buffer.from([0]),
  ])
const numbers = (bytes: 2 | 4, ...values: number[]): Buffer => {
  const out = Buffer.alloc(bytes * values.length)
  for (const [at, value] of values.entries()) out.writeUIntBE(value, at * bytes, bytes)
  return out
}
/** undefined for what has no form in a packet here */
function writeRecord({ name, type, ttl, data }: DnsRecord): Buffer | undefined {
  const number = types[type]
  const bytes = dataOf(type, data)
  if (number === undefined || bytes === undefined) return undefined
  return Buffer.concat([labels(name), numbers(2, number, 1), numbers(4, ttl), numbers(2, bytes.length), bytes])
}
/** `data` is as dig prints it */
function dataOf(type: string, data: string): Buffer | undefined {
  const words = data.split(/\s+/)
  const count = words.slice(0, -1).map(Number)
  switch (type) {
    case 'A': {
      const ip = parseIp(data)
      return ip === undefined ? undefined : numbers(4, ip)
    }
    case 'NS':
    case 'CNAME':
    case 'PTR':
      return labels(data)
    case 'MX':
    case 'SRV':
      return count.some(Number.isNaN) ? undefined : Buffer.concat([numbers(2, ...count), labels(words.at(-1) as string)])
    case 'SOA': {
      const [primary = '', mailbox = '', ...rest] = words
      return Buffer.concat([labels(primary), labels(mailbox), numbers(4, ...rest.map(Number))])
    }
    case 'TXT': {
      const texts = [...data.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((match) => match[1] as string)
      return Buffer.concat(
        (texts.length > 0 ? texts : [data]).flatMap((text) => [
          Buffer.from([Math.min(255, text.length)]),
          Buffer.from(text, 'latin1').subarray(0, 255),
        ]),
      )
    }
    default:
      return undefined
  }
}
