// A client's bytes to a listener of the simulated network, and what it answers: HTTP where the listener speaks it, else raw bytes. Knows nothing of
// how the bytes came here.
import type { HttpAnswer, Opened } from '../net.ts'

export interface Answers {
  data(bytes: Uint8Array): void
  /** the listener closed the connection */
  end(): void
}

/** One connection. Answers come in the order of what was asked. */
export function conversation(opened: Opened, on: Answers): { write(bytes: Uint8Array): void; close(): void } {
  const { listener, from } = opened
  let rest = Buffer.alloc(0)
  let queue = Promise.resolve()
  let closed = false
  const answer = (bytes: Uint8Array) => {
    if (!closed && bytes.length > 0) on.data(bytes)
  }
  const end = () => {
    if (closed) return
    closed = true
    on.end()
  }
  const next = (work: () => Promise<void>) => {
    queue = queue.then(work).catch(end)
  }
  return {
    write(bytes) {
      if (listener.http === undefined) {
        const raw = listener.raw
        if (raw !== undefined) next(async () => answer(await raw(bytes)))
        return
      }
      rest = Buffer.concat([rest, bytes])
      for (let request = parse(rest); request !== undefined; request = parse(rest)) {
        const { method, path, headers, body, length, keep } = request
        rest = rest.subarray(length)
        next(async () => {
          const said = await listener.http?.({ method, path, headers, body, from })
          if (said !== undefined) answer(format(said, method, keep))
          if (!keep) end()
        })
      }
    },
    close() {
      // What is under way is still answered: a client that has said all may wait for it.
      queue.then(() => {
        closed = true
      })
    },
  }
}

interface Parsed {
  method: string
  path: string
  headers: Record<string, string>
  body: Uint8Array
  length: number
  keep: boolean
}
/** undefined until a whole request is there */
function parse(bytes: Buffer): Parsed | undefined {
  const head = bytes.indexOf('\r\n\r\n')
  if (head < 0) return undefined
  const [first = '', ...lines] = bytes.subarray(0, head).toString('latin1').split('\r\n')
  const [method = 'GET', path = '/', protocol = 'HTTP/1.1'] = first.split(' ')
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon > 0) headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
  }
  const size = Number(headers['content-length'] ?? 0)
  const start = head + 4
  if (bytes.length < start + size) return undefined
  const connection = (headers.connection ?? '').toLowerCase()
  return {
    method,
    path,
    headers,
    body: bytes.subarray(start, start + size),
    length: start + size,
    keep: protocol === 'HTTP/1.0' ? connection === 'keep-alive' : connection !== 'close',
  }
}
const reasons: Record<number, string> = {
  200: 'OK',
  204: 'No Content',
  301: 'Moved Permanently',
  302: 'Found',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
}
function format({ status, headers, body }: HttpAnswer, method: string, keep: boolean): Buffer {
  const all: Record<string, string> = { ...headers, 'content-length': String(body.length), connection: keep ? 'keep-alive' : 'close' }
  const lines = [`HTTP/1.1 ${status} ${reasons[status] ?? 'Status'}`, ...Object.entries(all).map(([name, value]) => `${name}: ${value}`)]
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
  return method === 'HEAD' ? head : Buffer.concat([head, body])
}
