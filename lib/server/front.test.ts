// Who may ask what: Host, Origin, tickets, paths, sizes, over a real port.
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import WebSocket from 'ws'
import { type ErrorView, limits } from '#lib/protocol/index.ts'
import { Client } from './client.ts'
import { readConfig } from './config.ts'
import { TestLab } from './testing.ts'

let lab: TestLab
let client: Client
let id: string
beforeAll(async () => {
  lab = await TestLab.open({ sockets: { pingMs: 2000 } })
  client = new Client(lab.url)
  id = await client.begin('Two nodes no longer take part')
  const page = await client.open(id)
  await page.inState('ready')
  await page.close()
})
afterAll(() => lab.close())

/** A request with any header, which fetch would not send. */
function raw(options: {
  path?: string
  method?: string
  headers?: Record<string, string>
  body?: string
}): Promise<{ status: number; headers: Record<string, unknown>; error?: ErrorView; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest(
      new URL(options.path ?? '/api/health', lab.url),
      { method: options.method ?? 'GET', headers: options.headers ?? {} },
      (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text
        })
        response.on('end', () => {
          let error: ErrorView | undefined
          try {
            error = JSON.parse(body).error
          } catch {
            error = undefined
          }
          resolve({ status: response.statusCode!, headers: response.headers, body, ...(error === undefined ? {} : { error }) })
        })
      },
    )
    asked.on('error', reject)
    asked.end(options.body)
  })
}
/** How an upgrade ends: an HTTP status, or a close code. */
function upgrade(path: string, headers: Record<string, string> = {}): Promise<{ status?: number; code?: number; reason?: string }> {
  return new Promise((resolve) => {
    const socket = new WebSocket(lab.url.replace('http', 'ws') + path, { headers: { origin: lab.url, ...headers } })
    socket.on('unexpected-response', (_request, response) => resolve({ status: response.statusCode! }))
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }))
    socket.on('error', () => {})
    socket.on('message', () => socket.close(1000, 'it was let in'))
  })
}
const ticket = async () => (await client.post<{ ticket: string }>(`/api/sessions/${id}/ticket`)).ticket

test('a page of another site changes nothing', async () => {
  const body = JSON.stringify({ scenario: 'x' })
  for (const origin of ['http://evil.test', 'null', lab.url.replace('http:', 'https:'), `${lab.url}.evil.test`]) {
    const answer = await raw({ path: '/api/sessions', method: 'POST', headers: { origin, 'content-type': 'application/json' }, body })
    expect([answer.status, answer.error?.code], origin).toEqual([403, 'foreign-origin'])
  }
  const none = await raw({
    path: `/api/sessions/${id}/ticket`,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
  expect(none.error).toMatchObject({ code: 'foreign-origin', message: expect.stringContaining('no Origin') })
})

test('a name that somebody points at this machine gets nothing, not even to look', async () => {
  const answer = await raw({ path: '/api/sessions', headers: { host: 'rebound.evil.test' } })
  expect([answer.status, answer.error?.code]).toEqual([403, 'foreign-origin'])
  expect(await upgrade(`/ws/session/${id}?ticket=${await ticket()}`, { host: 'rebound.evil.test' })).toEqual({ status: 403 })
})

test('a socket from another site is refused before it is one', async () => {
  expect(await upgrade(`/ws/session/${id}?ticket=${await ticket()}`, { origin: 'http://evil.test' })).toEqual({ status: 403 })
})

test('a socket without a ticket, with one that was used, or with one for another session is closed', async () => {
  expect(await upgrade(`/ws/session/${id}`)).toMatchObject({ code: 4001 })
  expect(await upgrade(`/ws/session/${id}?ticket=made-up`)).toMatchObject({ code: 4001 })
  const once = await ticket()
  expect(await upgrade(`/ws/session/${id}?ticket=${once}`)).toMatchObject({ code: 1000 })
  expect(await upgrade(`/ws/session/${id}?ticket=${once}`)).toMatchObject({ code: 4001 })
  expect(await upgrade(`/ws/session/0123456789abcdef?ticket=${await ticket()}`)).toMatchObject({ code: 4001 })
})

test('an upgrade to a path that is nobody’s is refused at once', async () => {
  for (const path of ['/', '/ws', '/ws/', '/ws/other', `/ws/session/${id}/more`, '/_next/webpack-hmr', '/api/health'])
    expect(await upgrade(path), path).toEqual({ status: 404 })
})

test('an oversized message ends the connection', async () => {
  const page = await client.open(id)
  page.socket.send(Buffer.alloc(limits.messageBytes + 1))
  await page.until(() => page.closed, 'the close', true)
  expect(page.closed!.code).toBe(1009)
})

test('an input frame above its own limit, nonsense, and an output frame from a page are protocol errors', async () => {
  const frame = (kind: number, bytes: number) => {
    const data = Buffer.alloc(13 + bytes)
    data[0] = kind
    return data
  }
  for (const data of [frame(2, limits.inputBytes + 1), Buffer.from('x'), frame(1, 3), '{"type":"open"', '{"type":"nothing"}', '[]']) {
    const page = await client.open(id)
    page.socket.send(data)
    await page.until(() => page.closed, 'the close', true)
    expect(page.closed!.code).toBe(4400)
  }
})

test('a peer that answers no ping is dropped', async () => {
  const granted = await ticket()
  const { hostname, port } = new URL(lab.url)
  const socket = connect(Number(port), hostname)
  socket.write(
    `GET /ws/session/${id}?ticket=${granted} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nOrigin: ${lab.url}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`,
  )
  socket.resume()
  await new Promise((resolve) => socket.on('close', resolve))
})

test('a page that sends faster than it may is slowed down, not cut off, and loses nothing', async () => {
  const slow = await TestLab.open({ sockets: { messages: { perSecond: 2000, burst: 100 } } })
  const own = new Client(slow.url)
  const page = await own.open(await own.begin('Two nodes no longer take part'))
  await page.inState('ready')
  await page.terminal('workstation')
  // A reader whose input is the terminal's: what arrives is counted where it ends.
  await page.run('stty -echo')
  page.type('head -c 700 | wc -c\r')
  for (let index = 0; index < 700; index++) page.type(index === 699 ? '\r' : 'x')
  await page.until(() => /\b700\b/.test(page.text()), 'the count')
  await page.close()
  await slow.close()
})

test('paths in the editor stay what they say they are', async () => {
  const ask = async (path: string, place = 'worker-1') => {
    const response = await fetch(`${lab.url}/api/sessions/${id}/files?place=${encodeURIComponent(place)}&path=${encodeURIComponent(path)}`)
    return [response.status, ((await response.json()) as { error?: ErrorView }).error?.message] as const
  }
  for (const path of [
    'etc/agent.conf',
    '/etc/../../../../etc/passwd',
    '/..',
    '/etc/./agent.conf',
    '/etc/agent.conf\u0000.yaml',
    '/etc/a\nb',
    '/proc/1/environ',
    '/sys/kernel',
    '/dev/sda',
    '/dev',
    '',
  ]) {
    const [status, message] = await ask(path)
    expect([path, status]).toEqual([path, 400])
    expect(message).toBeTruthy()
  }
  expect((await ask('/etc/nothing'))[0]).toBe(404)
  expect((await ask('/etc/agent.conf', 'worker-9'))[0]).toBe(404)
  expect((await ask('/etc/agent.conf', '../workstation'))[0]).toBe(400)
  expect((await ask('/etc/agent.conf'))[0]).toBe(200)
  expect((await ask('/'))[0]).toBe(200)
})

test('a save that would overwrite what its writer has not seen is refused with what is there', async () => {
  const target = `/api/sessions/${id}/files`
  const save = async (content: string, version: string | null, path = '/etc/editor.conf') => {
    const response = await client.send('PUT', target, { place: 'worker-1', path, content, version })
    return {
      status: response.status,
      body: (await response.json()) as {
        version?: string
        content?: string
        error?: ErrorView
        current?: { content: string; version: string } | null
      },
    }
  }
  const first = await save('하나\n', null)
  expect(first).toMatchObject({ status: 200, body: { content: '하나\n' } })
  expect((await save('two', null)).body).toMatchObject({ error: { code: 'conflict' }, current: { content: '하나\n' } })
  const second = await save('two\n', first.body.version!)
  expect(second.status).toBe(200)
  const stale = await save('three\n', first.body.version!)
  expect(stale).toMatchObject({ status: 409, body: { current: { content: 'two\n', version: second.body.version } } })
  expect(await save('x', 'a'.repeat(64), '/etc/gone.conf')).toMatchObject({ status: 409, body: { current: null } })
  expect((await save('x', null, '/etc')).status).toBe(400)
  // Two at once: one of them wins, the other hears of it.
  const both = await Promise.all([save('left', second.body.version!), save('right', second.body.version!)])
  expect(both.map((one) => one.status).sort()).toEqual([200, 409])
})

test('what is no text, and what is too large, is not opened and the reason said', async () => {
  const page = await client.open(id)
  const terminal = await page.terminal('worker-1')
  await page.run(
    'printf "a\\0b" > $ROOT/etc/binary; head -c 1500000 /dev/zero | tr "\\0" x > $ROOT/etc/large; printf "\\377" > $ROOT/etc/latin',
    terminal,
  )
  const ask = async (path: string) => client.get(`/api/sessions/${id}/files?place=worker-1&path=${path}`)
  await expect(ask('/etc/binary')).rejects.toThrow(/400.*not a text file/)
  await expect(ask('/etc/latin')).rejects.toThrow(/400.*not a text file/)
  await expect(ask('/etc/large')).rejects.toThrow(/413.*1024 KiB/)
  await page.close()
})

test('a body that is no JSON, too large or not what is asked for is refused in words', async () => {
  const post = (body: string, type = 'application/json') =>
    raw({ path: '/api/sessions', method: 'POST', headers: { origin: lab.url, 'content-type': type }, body })
  expect((await post('{}', 'text/plain')).error).toMatchObject({ code: 'bad-request' })
  expect((await post('{')).error?.message).toMatch(/not JSON/)
  expect((await post('{"scenario":3,"extra":1}')).error?.message).toMatch(/scenario/)
  expect((await post(JSON.stringify({ scenario: 'x'.repeat(5 * 1024 * 1024) }))).status).toBe(413)
  expect((await post('{"scenario":"nothing"}')).error).toMatchObject({ code: 'not-found' })
})

test('every answer carries the security headers, and scripts a nonce of its own', async () => {
  const [one, two] = await Promise.all([raw({}), raw({ path: '/nothing' })])
  for (const answer of [one, two]) {
    expect(answer.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
    })
    expect(answer.headers['content-security-policy']).toMatch(/default-src 'self'; script-src 'self' 'nonce-[\w+/=]+';/)
  }
  expect(one.headers['content-security-policy']).not.toBe(two.headers['content-security-policy'])
})

test('set-up is started by consent, from the machine itself', async () => {
  const post = (headers: Record<string, string>, body: string) =>
    raw({ path: '/api/setup', method: 'POST', headers: { origin: lab.url, 'content-type': 'application/json', ...headers }, body })
  expect((await post({}, '{}')).status).toBe(400)
  expect((await post({ 'x-forwarded-for': '10.0.0.1' }, '{"consent":true}')).error).toMatchObject({ code: 'forbidden' })
})

test('settings that are wrong are all said at once', () => {
  const wrong = () =>
    readConfig({
      PORT: '99999',
      KUBEMEND_POOL: 'many',
      KUBEMEND_BACKENDS: 'kind,moon',
      PUBLIC_URL: 'ftp://x',
      HOST: '0.0.0.0',
      KUBEMEND_KUBERNETES: '1.35',
    })
  for (const name of ['PORT=99999', 'KUBEMEND_POOL=many', 'KUBEMEND_BACKENDS=kind,moon', 'PUBLIC_URL=ftp://x']) expect(wrong).toThrow(name)
  expect(() => readConfig({ HOST: '0.0.0.0' })).toThrow(/KUBEMEND_TRUST_LEARNERS=1/)
  expect(() => readConfig({ KUBEMEND_KUBERNETES: '1.35' })).toThrow(/KUBEMEND_KUBERNETES/)
  expect(readConfig({ HOST: '0.0.0.0', KUBEMEND_TRUST_LEARNERS: '1', PORT: '' })).toMatchObject({ host: '0.0.0.0', port: 3000 })
})
