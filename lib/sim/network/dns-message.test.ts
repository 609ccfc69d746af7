// Packets of DNS, read and written. The questions are those that glibc and Go send.
import { expect, test } from 'vitest'
import { type Asked, readQuestion, writeAnswer } from './dns-message.ts'

const packet = (name: string, type: number, more = '') =>
  Buffer.from(
    `1234 0120 0001 0000 0000 0001 ${[...name.split('.').filter(Boolean), '']
      .map((label) => `${label.length.toString(16).padStart(2, '0')}${Buffer.from(label).toString('hex')}`)
      .join('')} ${type.toString(16).padStart(4, '0')} 0001 ${more}`.replaceAll(' ', ''),
    'hex',
  )
// Go's offer of larger answers
const edns = '00 0029 04d0 00000000 0000'

test('a question is read, and its answer says what was asked', () => {
  const asked = readQuestion(packet('Lab-control-plane.kind', 1, edns)) as Asked
  expect(asked.question).toEqual({ name: 'Lab-control-plane.kind.', type: 'A' })
  const answer = writeAnswer(asked, {
    rcode: 'NOERROR',
    answers: [{ name: 'Lab-control-plane.kind.', type: 'A', ttl: 600, data: '172.18.0.3' }],
  })
  expect(answer.toString('hex')).toBe(
    `${'1234 8180 0001 0001 0000 0000'.replaceAll(' ', '')}${packet('Lab-control-plane.kind', 1).toString('hex').slice(24)}${packet('Lab-control-plane.kind', 1).toString('hex').slice(24)}${'00000258 0004 ac120003'.replaceAll(' ', '')}`,
  )
})
test('records that hold names and numbers', () => {
  const asked = readQuestion(packet('_https._tcp.kubernetes.default.svc.cluster.local', 33)) as Asked
  const answer = writeAnswer(asked, {
    rcode: 'NXDOMAIN',
    authoritative: true,
    answers: [{ name: 'a.', type: 'SRV', ttl: 5, data: '0 100 443 b.c.' }],
    authority: [{ name: 'z.', type: 'SOA', ttl: 30, data: 'ns.z. root.z. 1 7200 1800 86400 30' }],
  })
  expect(answer.readUInt16BE(2)).toBe(0x8583)
  expect(answer.toString('hex')).toContain('0161000021000100000005000b0000006401bb0162016300')
  expect(answer.toString('hex')).toContain('0000000100001c20000007080001518 0 0000001e'.replaceAll(' ', ''))
})
test('what is too long is left out, and the answer says so', () => {
  const asked = readQuestion(packet('many.', 16)) as Asked
  const answer = writeAnswer(asked, {
    rcode: 'NOERROR',
    answers: Array.from({ length: 9 }, () => ({ name: 'many.', type: 'TXT', ttl: 5, data: `"${'x'.repeat(100)}"` })),
  })
  expect(answer.length).toBeLessThanOrEqual(512)
  expect(answer.readUInt16BE(2) & 0x0200).toBe(0x0200)
  expect(answer.readUInt16BE(6)).toBe(4)
})
test('what is no question is refused or gets no answer', () => {
  expect(readQuestion(Buffer.from('short'))).toBeUndefined()
  const said = packet('a.', 1)
  said.writeUInt16BE(0x8180, 2)
  expect(readQuestion(said)).toBeUndefined()
  expect((readQuestion(packet('a.', 1).subarray(0, 16)) as Buffer).readUInt16BE(2) & 15).toBe(1)
  expect((readQuestion(packet('a.', 65)) as Buffer).readUInt16BE(2) & 15).toBe(4)
})
