// Port-forward: connections of a client to a port in a pod, as frames of SPDY/3.1 in a WebSocket (kubectl) or as channels (client libraries).
// What answers is a listener of the simulated network. Sources: client-go/tools/portforward, the SPDY/3.1 draft, KEP-4006.
import { constants, createDeflate, createInflate, type Deflate, type Inflate } from 'node:zlib'
import type { WebSocket } from 'ws'
import type { Failed, Opened } from '../net.ts'
import { conversation } from './conversation.ts'
import { dictionary } from './spdy-dictionary.ts'

type Open = (port: number) => Opened | Failed

/** why a port cannot be had, as the kubelet's container runtime says it */
const refusal = (port: number, failed: Failed): string =>
  `error forwarding port ${port} to pod, uid : failed to execute portforward in network namespace: failed to connect to localhost:${port} inside namespace, IPv4: dial tcp4 127.0.0.1:${port}: connect: ${failed.outcome === 'refused' ? 'connection refused' : failed.outcome === 'timeout' ? 'connection timed out' : 'no route to host'} `

// Channels: two per port, data and error, each opened by the port's number.

export function forwardV4(ws: WebSocket, open: Open, ports: readonly number[]): void {
  const sendOn = (channel: number, bytes: Uint8Array | string) => {
    if (ws.readyState === ws.OPEN) ws.send(Buffer.concat([Buffer.from([channel]), typeof bytes === 'string' ? Buffer.from(bytes) : bytes]))
  }
  const talks = ports.map((port, at) => {
    const number = Buffer.alloc(2)
    number.writeUInt16LE(port)
    sendOn(at * 2, number)
    sendOn(at * 2 + 1, number)
    const opened = open(port)
    if (opened.outcome !== 'open') {
      sendOn(at * 2 + 1, refusal(port, opened))
      return undefined
    }
    return conversation(opened, { data: (bytes) => sendOn(at * 2, bytes), end: () => ws.close(1000) })
  })
  ws.on('message', (data: Buffer) => {
    const channel = data[0] ?? 0
    if (channel % 2 === 0) talks[channel / 2]?.write(data.subarray(1))
  })
  ws.on('close', () => {
    for (const talk of talks) talk?.close()
  })
  ws.on('error', () => ws.terminate())
}

// SPDY/3.1

const [synStream, synReply, rstStream, ping, goAway, windowUpdate] = [1, 2, 3, 6, 7, 9]
const fin = 1
interface Stream {
  kind: 'data' | 'error'
  request: string
  port: number
}

/** Every pair of streams, one for errors and one for data of the same request, is one connection to the pod. */
export function forwardTunnelled(ws: WebSocket, open: Open): void {
  const streams = new Map<number, Stream>()
  const talks = new Map<number, { write(bytes: Uint8Array): void; close(): void }>()
  const headersIn = new HeaderReader()
  const headersOut = new HeaderWriter()
  let rest = Buffer.alloc(0)
  // One frame after the other: header blocks share a compression state.
  let queue = Promise.resolve()

  const frame = (bytes: Buffer) => {
    if (ws.readyState === ws.OPEN) ws.send(bytes)
  }
  const control = (type: number, flags: number, body: Buffer) => {
    const head = Buffer.alloc(8)
    head.writeUInt16BE(0x8003, 0)
    head.writeUInt16BE(type, 2)
    head.writeUInt32BE((flags << 24) | body.length, 4)
    frame(Buffer.concat([head, body]))
  }
  const data = (id: number, bytes: Uint8Array, flags = 0) => {
    // In pieces: the other side's window is 64 KiB, and it never waits long.
    for (let at = 0; at === 0 || at < bytes.length; at += 16_384) {
      const piece = bytes.subarray(at, at + 16_384)
      const head = Buffer.alloc(8)
      head.writeUInt32BE(id & 0x7fffffff, 0)
      head.writeUInt32BE(((at + 16_384 >= bytes.length ? flags : 0) << 24) | piece.length, 4)
      frame(Buffer.concat([head, piece]))
    }
  }
  const connect = (id: number, { port, request }: Stream) => {
    const error = [...streams].find(([, stream]) => stream.kind === 'error' && stream.request === request)?.[0]
    const opened = open(port)
    if (opened.outcome !== 'open') {
      if (error !== undefined) data(error, Buffer.from(refusal(port, opened)), fin)
      data(id, Buffer.alloc(0), fin)
      return
    }
    talks.set(
      id,
      conversation(opened, {
        data: (bytes) => data(id, bytes),
        end: () => {
          data(id, Buffer.alloc(0), fin)
          if (error !== undefined) data(error, Buffer.alloc(0), fin)
          talks.delete(id)
        },
      }),
    )
  }
  const onControl = async (type: number, body: Buffer) => {
    if (type === synStream) {
      const id = body.readUInt32BE(0) & 0x7fffffff
      const headers = await headersIn.read(body.subarray(10))
      streams.set(id, {
        kind: headers.streamtype === 'error' ? 'error' : 'data',
        request: headers.requestid ?? headers.requestID ?? '',
        port: Number(headers.port ?? 0),
      })
      const reply = Buffer.alloc(4)
      reply.writeUInt32BE(id, 0)
      control(synReply, 0, Buffer.concat([reply, await headersOut.write({})]))
      const stream = streams.get(id)
      if (stream?.kind === 'data') connect(id, stream)
    } else if (type === ping) control(ping, 0, body)
    else if (type === rstStream) {
      const id = body.readUInt32BE(0) & 0x7fffffff
      talks.get(id)?.close()
      talks.delete(id)
      streams.delete(id)
    } else if (type === goAway) ws.close(1000)
    else if (type === windowUpdate) return
  }
  const onFrame = async (head: Buffer, body: Buffer) => {
    if ((head[0] ?? 0) & 0x80) return await onControl(head.readUInt16BE(2), body)
    const id = head.readUInt32BE(0) & 0x7fffffff
    if (body.length > 0) {
      talks.get(id)?.write(body)
      const update = Buffer.alloc(8)
      update.writeUInt32BE(id, 0)
      update.writeUInt32BE(body.length, 4)
      control(windowUpdate, 0, update)
    }
    if ((head[4] ?? 0) & fin && streams.get(id)?.kind === 'data') {
      talks.get(id)?.close()
    }
  }
  ws.on('message', (message: Buffer) => {
    rest = rest.length === 0 ? Buffer.from(message) : Buffer.concat([rest, message])
    while (rest.length >= 8) {
      const length = rest.readUInt32BE(4) & 0xffffff
      if (rest.length < 8 + length) break
      const [head, body] = [rest.subarray(0, 8), rest.subarray(8, 8 + length)]
      rest = rest.subarray(8 + length)
      queue = queue.then(() => onFrame(head, body)).catch(() => ws.terminate())
    }
  })
  ws.on('close', () => {
    for (const talk of talks.values()) talk.close()
    headersIn.close()
    headersOut.close()
  })
  ws.on('error', () => ws.terminate())
}

class HeaderReader {
  readonly #inflate: Inflate = createInflate({ dictionary, finishFlush: constants.Z_SYNC_FLUSH })
  async read(block: Buffer): Promise<Record<string, string>> {
    const bytes = await through(this.#inflate, block)
    const headers: Record<string, string> = {}
    let at = 4
    const text = () => {
      const length = bytes.readUInt32BE(at)
      at += 4 + length
      return bytes.subarray(at - length, at).toString('latin1')
    }
    for (let count = bytes.readUInt32BE(0); count > 0; count--) {
      const name = text().toLowerCase()
      headers[name] = text().split('\0')[0] ?? ''
    }
    return headers
  }
  close(): void {
    this.#inflate.close()
  }
}
class HeaderWriter {
  readonly #deflate: Deflate = createDeflate({ dictionary })
  async write(headers: Record<string, string>): Promise<Buffer> {
    const number = (value: number) => {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32BE(value)
      return bytes
    }
    const entries = Object.entries(headers).flatMap(([name, value]) => [
      number(name.length),
      Buffer.from(name),
      number(value.length),
      Buffer.from(value),
    ])
    return await through(this.#deflate, Buffer.concat([number(Object.keys(headers).length), ...entries]))
  }
  close(): void {
    this.#deflate.close()
  }
}
/** what comes out of a stream that keeps its state, for what goes in */
function through(stream: Inflate | Deflate, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const out: Buffer[] = []
    const onData = (chunk: Buffer) => out.push(chunk)
    stream.on('data', onData)
    stream.once('error', reject)
    const done = () => {
      stream.off('data', onData)
      stream.off('error', reject)
      resolve(Buffer.concat(out))
    }
    stream.write(bytes, (error) => {
      if (error) return reject(error)
      stream.flush(constants.Z_SYNC_FLUSH, done)
    })
  })
}
