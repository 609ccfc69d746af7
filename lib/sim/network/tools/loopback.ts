// What a real program in the caller's place listens on, at its own loopback (`kubectl port-forward` in another terminal): tools that find nothing of the
// lab's there ask it. Knows nothing of what the tools print.
import { request } from 'node:http'
import type { Duplex } from 'node:stream'
import { connect as secure } from 'node:tls'
import type { Failed, HttpAnswer, HttpRequest, Listener, Opened } from '../../net.ts'
import type { ToolCall } from '../../process.ts'
import type { SimNetwork } from '../network.ts'

/** `network.open` over TCP from where the tool was called. `tls`: whether the tool means to speak it to what it finds. */
export async function openFrom(network: SimNetwork, call: ToolCall, address: string, port: number, tls = false): Promise<Opened | Failed> {
  const opened = network.open(call.place.net, 'tcp', address, port)
  if (opened.outcome !== 'refused' || !address.startsWith('127.') || call.connect === undefined) return opened
  let stream: Duplex
  try {
    stream = await call.connect(port)
  } catch {
    return opened
  }
  stream.on('error', () => {})
  call.signal.addEventListener('abort', () => stream.destroy(), { once: true })
  return { outcome: 'open', listener: listenerOf(stream, port, tls), to: { netns: call.place.net, address, port }, from: address }
}
/** good for one conversation */
function listenerOf(stream: Duplex, port: number, tls: boolean): Listener {
  return {
    ...{ protocol: 'tcp', address: '127.0.0.1', port, program: { name: 'kubectl', pid: 0 } },
    ...(tls ? { tls } : {}),
    http: (asked) => converse(tls ? secure({ socket: stream, rejectUnauthorized: false }) : stream, asked),
    raw: async (bytes) => {
      stream.end(bytes)
      const parts: Uint8Array[] = []
      for await (const part of stream) parts.push(part)
      return Buffer.concat(parts)
    },
  }
}
function converse(stream: Duplex, asked: HttpRequest): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    stream.on('error', reject)
    const call = request({ createConnection: () => stream, method: asked.method, path: asked.path, headers: asked.headers }, (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (part: Buffer) => parts.push(part))
      answer.on('error', reject)
      answer.on('end', () => {
        stream.destroy()
        const headers = Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)]))
        resolve({ status: answer.statusCode ?? 0, headers, body: Buffer.concat(parts) })
      })
    })
    call.on('error', reject)
    call.end(Buffer.from(asked.body))
  })
}
