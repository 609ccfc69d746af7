// Tickets and addresses at their door; what the server makes of them is tested in lib/server.
import { expect, test } from 'vitest'
import { isLoopback, knownAs, requireHost, requireOrigin, Tickets } from './index.ts'

test('a ticket works once, in time, for its session', () => {
  let now = 0
  const tickets = new Tickets({ now: () => now, limit: 3 })
  const grant = { session: 'a', person: 'p', login: 'l', owner: 'p' }
  const one = tickets.issue(grant)
  expect(one.ticket).toMatch(/^[\w-]{43}$/)
  expect(tickets.redeem(one.ticket, 'a')).toEqual(grant)
  expect(tickets.redeem(one.ticket, 'a')).toBeNull()
  const foreign = tickets.issue(grant)
  expect(tickets.redeem(foreign.ticket, 'b')).toBeNull()
  expect(tickets.redeem(foreign.ticket, 'a')).toBeNull()
  const late = tickets.issue(grant)
  now = 30_000
  expect(tickets.redeem(late.ticket, 'a')).toBeNull()
  expect(tickets.redeem(null, 'a')).toBeNull()
  expect(tickets.redeem('x'.repeat(10_000), 'a')).toBeNull()
  for (let index = 0; index < 3; index++) tickets.issue(grant)
  expect(() => tickets.issue(grant)).toThrow(/Too many/)
  now = 60_000
  tickets.issue(grant)
})

test('Host and Origin are compared exactly', () => {
  const known = knownAs({ host: '127.0.0.1', port: 3000 }, 'https://lab.example')
  for (const host of ['127.0.0.1:3000', 'localhost:3000', '[::1]:3000', 'LOCALHOST:3000', 'lab.example'])
    requireHost(known, { headers: { host } })
  for (const host of [
    'localhost',
    'localhost:3001',
    'evil.test:3000',
    'lab.example:3000',
    'lab.example.evil.test',
    '127.0.0.1.nip.io:3000',
    undefined,
  ])
    expect(() => requireHost(known, { headers: { host } }), String(host)).toThrow(/does not answer/)
  for (const origin of ['http://127.0.0.1:3000', 'http://localhost:3000', 'https://lab.example'])
    requireOrigin(known, { headers: { origin } })
  for (const origin of [
    'https://localhost:3000',
    'http://lab.example',
    'http://localhost:3000.evil.test',
    'null',
    'http://localhost',
    undefined,
  ])
    expect(() => requireOrigin(known, { headers: { origin } }), String(origin)).toThrow()
  expect(knownAs({ host: '0.0.0.0', port: 80 }).hosts.has('localhost')).toBe(true)
  expect(knownAs({ host: '192.0.2.7', port: 3000 }).hosts).toEqual(new Set(['192.0.2.7:3000']))
})

test('loopback is told from the rest', () => {
  for (const address of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1']) expect(isLoopback(address)).toBe(true)
  for (const address of ['10.0.0.1', '::ffff:10.0.0.1', undefined, '128.0.0.1']) expect(isLoopback(address)).toBe(false)
})
