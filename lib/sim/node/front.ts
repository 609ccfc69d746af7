// Where real clients meet the API server: TLS with the certificate that its flags name, over the host's loopback or over connections that come out of a
// sandbox. Nobody listens while the API server does not run. Knows nothing of what is asked.
import { createServer as createPlain, type Server as PlainServer, request as plainRequest } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import type { ApiServer } from '../api/index.ts'
import type { HttpAnswer, HttpRequest } from '../net.ts'
import type { Serving } from './controlplane.ts'

export class Front {
  #server: Server | undefined
  #port = 0
  #serving: Serving | undefined
  /** whose certificate, key and authorities the server has */
  #shown: Pick<Serving, 'certificate' | 'key' | 'clientCa'> | undefined
  /** what is asked of it in turn, so that listening and closing never overlap */
  #turn: Promise<void> = Promise.resolve()
  readonly #sockets = new Set<Socket>()
  /** what came while one lab's state is exchanged for another's; answered by what serves then */
  #held: (() => void)[] | undefined
  #closed = false

  /** the port on 127.0.0.1, the same for the life of the lab; chosen when the first API server begins to serve */
  get port(): number {
    return this.#port
  }
  get serving(): Serving | undefined {
    return this.#serving
  }
  /** keep a port that a lab had before; to be called before anybody serves */
  claim(port: number): void {
    this.#port = port
  }
  /**
   * From now until `release`, nobody's going is noticed: connections stay, what they ask waits. For the exchange of a lab's whole state, which takes
   * less time than a connection that is broken under a client's hands.
   */
  hold(): void {
    this.#held ??= []
  }
  release(): void {
    const held = this.#held ?? []
    this.#held = undefined
    if (!this.#serving) this.serve(undefined)
    for (const act of held) act()
  }
  serve(serving: Serving | undefined): void {
    this.#serving = serving
    if (serving === undefined && this.#held) return
    this.#turn = this.#turn.then(() => this.#settle()).catch(() => {})
  }
  /** when all that was asked so far is done */
  ready(): Promise<void> {
    return this.#turn
  }
  async #settle(): Promise<void> {
    const wanted = this.#closed ? undefined : this.#serving
    if (wanted === undefined) {
      const server = this.#server
      this.#server = undefined
      for (const socket of this.#sockets) socket.destroy()
      if (server) await new Promise<void>((resolve) => server.close(() => resolve()))
      return
    }
    if (this.#server) {
      const shown = this.#shown
      // One that came back with what it had goes on with it: connections that are there see no difference.
      if (shown?.certificate === wanted.certificate && shown.key === wanted.key && shown.clientCa === wanted.clientCa) return
      this.#server.setSecureContext({ cert: wanted.certificate, key: wanted.key, ca: wanted.clientCa })
      this.#shown = { certificate: wanted.certificate, key: wanted.key, clientCa: wanted.clientCa }
      return
    }
    const server = createServer(
      {
        cert: wanted.certificate,
        key: wanted.key,
        ca: wanted.clientCa,
        requestCert: true,
        // Who is not known is anonymous, or is told 401 by the API server itself.
        rejectUnauthorized: false,
        keepAliveTimeout: 90_000,
      },
      (request, response) => {
        const answer = () => {
          const serving = this.#serving
          if (serving) serving.server.handle(request, response)
          else if (this.#held) this.#held.push(answer)
          else response.destroy()
        }
        answer()
      },
    )
    server.on('upgrade', (request, socket, head) => {
      const answer = () => {
        const serving = this.#serving
        if (serving) serving.server.upgrade(request, socket, head)
        else if (this.#held) this.#held.push(answer)
        else socket.destroy()
      }
      answer()
    })
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => {})
    })
    server.on('tlsClientError', () => {})
    server.on('clientError', (_error, socket) => socket.destroy())
    this.#server = server
    this.#shown = { certificate: wanted.certificate, key: wanted.key, clientCa: wanted.clientCa }
    const listen = (port: number) =>
      new Promise<boolean>((resolve) => {
        const failed = () => resolve(false)
        server.once('error', failed)
        server.listen(port, '127.0.0.1', () => {
          server.off('error', failed)
          resolve(true)
        })
      })
    // Somebody else may have taken the port while nobody listened: then another one has to do.
    if (!(await listen(this.#port))) await listen(0)
    server.unref()
    const address = server.address()
    if (address && typeof address === 'object') this.#port = address.port
  }
  /** a connection that came out of a sandbox and that the lab's network let through */
  take(socket: Socket): void {
    if (this.#server) this.#server.emit('connection', socket)
    else socket.resetAndDestroy()
  }
  async close(): Promise<void> {
    this.#closed = true
    this.serve(undefined)
    await this.#turn
  }
}

const bridges = new WeakMap<ApiServer, PlainServer>()
/** An HTTP request without a socket: the API server's own handler answers it, as if it came over one without a client certificate. */
export function bridge(server: ApiServer, request: HttpRequest): Promise<HttpAnswer> {
  let plain = bridges.get(server)
  if (!plain) {
    plain = createPlain((incoming, response) => server.handle(incoming, response))
    bridges.set(server, plain)
  }
  const [near, far] = duplexPair()
  plain.emit('connection', far)
  return new Promise((resolve, reject) => {
    const outgoing = plainRequest(
      {
        method: request.method,
        path: request.path,
        headers: { host: 'localhost', ...request.headers, connection: 'close' },
        createConnection: () => near as unknown as Socket,
      },
      (incoming) => {
        const parts: Buffer[] = []
        incoming.on('data', (part: Buffer) => parts.push(part))
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 500,
            headers: Object.fromEntries(Object.entries(incoming.headers).map(([key, value]) => [key, String(value)])),
            body: Buffer.concat(parts),
          }),
        )
        incoming.on('error', reject)
      },
    )
    outgoing.on('error', reject)
    outgoing.end(request.body)
  })
}
