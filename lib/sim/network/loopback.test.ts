// What curl, wget and nc find at their place's own loopback, where real programs listen.
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect as dial } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { Tool } from '../process.ts'
import { lab } from './fixture.ts'
import { tools } from './index.ts'

let server: Server
let port: number
beforeAll(async () => {
  server = createServer((asked, answer) => answer.end(`forwarded ${asked.url}`))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(() => void server.close())
const open: (() => void)[] = []
afterEach(() => {
  for (const close of open.splice(0)) close()
})

async function run(...argv: string[]) {
  const at = lab()
  open.push(at.close)
  const machine = [...at.machines.values()][0]
  if (!machine) throw new Error('no machine')
  machine.files.write('/etc/hosts', '127.0.0.1 localhost\n')
  let out = ''
  const connect = (to: number) =>
    new Promise<Duplex>((resolve, reject) => {
      const socket = dial(to, '127.0.0.1', () => resolve(socket))
      socket.on('error', reject)
    })
  const code = await (tools(at.network)[argv[0] as string] as Tool)({
    ...{ place: { machine, net: machine.net, files: machine.files }, argv, cwd: '/', env: {}, uid: 0, clock: at.clock, connect },
    stdin: (async function* () {
      yield Buffer.from('GET /raw HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    })(),
    out: (text) => {
      out += Buffer.from(text as string)
    },
    err: (text) => {
      out += Buffer.from(text as string)
    },
    signal: new AbortController().signal,
  })
  return { code, out }
}

it('curl, wget and nc reach a real listener, and are refused where there is none', async () => {
  expect(await run('curl', '-sS', `http://localhost:${port}/x?y=1`)).toEqual({ code: 0, out: 'forwarded /x?y=1' })
  expect(await run('wget', '-qO-', `localhost:${port}/w`)).toEqual({ code: 0, out: 'forwarded /w' })
  expect((await run('nc', 'localhost', String(port))).out).toContain('forwarded /raw')
  expect((await run('nc', '-zv', 'localhost', String(port))).out).toMatch(/succeeded!/)
  expect(await run('curl', '-sS', 'http://127.0.0.1:1/')).toEqual({
    code: 7,
    out: expect.stringMatching(/^curl: \(7\) Failed to connect to 127.0.0.1 port 1 after \d+ ms: Could not connect to server\n$/),
  })
})
