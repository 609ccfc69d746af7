// The session's socket: GET /ws/session/:id?ticket=…&after=N. A snapshot, then numbered events; terminals as binary frames with
// acknowledgements; limits on everything a peer can send. Knows the protocol and sessions; nothing of HTTP routes.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import { type Grant, type Known, requireHost, requireOrigin, type Tickets } from '#lib/auth/index.ts'
import {
  asLabError,
  type ClientMessage,
  clientMessage,
  closeCodes,
  decodeFrame,
  encodeFrame,
  LabError,
  limits,
  type ServerMessage,
  statusOf,
} from '#lib/protocol/index.ts'
import type { Listener, Log, Session, Sessions } from '#lib/session/index.ts'
import type { Viewer } from '#lib/terminal/index.ts'

export interface SocketsOptions {
  known: () => Known
  tickets: Tickets
  sessions: Sessions
  log: Log
  /** milliseconds between pings; a peer that has not answered by the next one is dropped. Default 20 000 */
  pingMs?: number
  /** sockets of one session, default 16 */
  perSession?: number
  /** messages a peer may send per second, and at once; beyond it is made to wait. Default 1 000 and 4 000 */
  messages?: { perSecond: number; burst: number }
}

/** bytes that may wait for a peer which reads nothing, terminals excepted (they have their own bound), before it is dropped */
const bufferLimit = 16 * 1024 * 1024
/** bytes in wait above which pictures of the cluster are held back: only the newest counts */
const busyBytes = 512 * 1024
const pathPattern = /^\/ws\/session\/([A-Za-z0-9-]{1,64})$/

export class Sockets {
  readonly #options: SocketsOptions
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: limits.messageBytes,
    perMessageDeflate: false,
    clientTracking: true,
  })
  readonly #perSession = new Map<string, number>()
  /** who is at the other end of each */
  readonly #grants = new Map<WebSocket, Grant>()
  readonly #awaiting = new WeakSet<WebSocket>()
  readonly #ping: NodeJS.Timeout

  constructor(options: SocketsOptions) {
    this.#options = options
    this.#ping = setInterval(() => {
      for (const socket of this.#server.clients) {
        if (this.#awaiting.has(socket)) {
          socket.terminate()
          continue
        }
        this.#awaiting.add(socket)
        socket.ping()
      }
    }, options.pingMs ?? 20_000)
    this.#ping.unref()
  }

  /** how many are open */
  get count(): number {
    return this.#server.clients.size
  }
  /** Whether a path is one of ours. */
  static isOurs(pathname: string): boolean {
    return pathname.startsWith('/ws/')
  }

  /** Takes an upgrade over: Host, Origin and path are refused with an HTTP answer, a ticket by closing with `closeCodes.ticket`. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy())
    const url = new URL(request.url ?? '/', 'http://localhost')
    const session = pathPattern.exec(url.pathname)?.[1]
    try {
      requireHost(this.#options.known(), request)
      requireOrigin(this.#options.known(), request)
      if (session === undefined) throw new LabError('not-found', 'There is no such socket.')
    } catch (thrown) {
      refuse(socket, asLabError(thrown))
      return
    }
    const grant = this.#options.tickets.redeem(url.searchParams.get('ticket'), session)
    const after = url.searchParams.get('after')
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      ws.on('pong', () => this.#awaiting.delete(ws))
      ws.on('error', () => {}) // ws closes by itself: a message too large with 1009
      if (grant === null) {
        ws.close(closeCodes.ticket, 'the ticket is missing, used or expired')
        return
      }
      const open = this.#perSession.get(session) ?? 0
      if (open >= (this.#options.perSession ?? 16)) {
        ws.close(closeCodes.protocol, 'too many connections to this session')
        return
      }
      this.#perSession.set(session, open + 1)
      this.#grants.set(ws, grant)
      ws.once('close', () => {
        this.#grants.delete(ws)
        const left = (this.#perSession.get(session) ?? 1) - 1
        if (left > 0) this.#perSession.set(session, left)
        else this.#perSession.delete(session)
      })
      // What arrives before the session is found waits in the kernel.
      ws.pause()
      this.#options.sessions.open(grant.owner, session).then(
        (found) => {
          const watcher = grant.watcher === undefined ? null : { id: grant.person, name: grant.watcher }
          new Connection(ws, found, this.#options, watcher).start(after !== null && /^\d{1,15}$/.test(after) ? Number(after) : undefined)
          ws.resume()
        },
        (thrown: unknown) => {
          this.#options.log.info({ session, error: asLabError(thrown).message }, 'socket to a session that is not there')
          ws.resume()
          ws.close(closeCodes.gone, 'there is no such session')
        },
      )
    })
  }

  /** Ends the sockets of a person, or of one sign-in of theirs; what they have sent and is not yet handled is dropped. */
  dismiss(of: { person: string } | { login: string }): void {
    for (const [ws, grant] of this.#grants) {
      if ('person' in of ? grant.person !== of.person : grant.login !== of.login) continue
      ws.pause()
      ws.close(closeCodes.signedOut, 'you have been signed out')
      setTimeout(() => ws.terminate(), 1000).unref()
    }
  }

  /** Says goodbye to all; pages come back by themselves. Resolves when they are gone, at the latest after a second. */
  async close(): Promise<void> {
    clearInterval(this.#ping)
    const clients = [...this.#server.clients]
    const gone = Promise.all(clients.map((client) => new Promise<void>((resolve) => client.once('close', () => resolve()))))
    for (const client of clients) client.close(closeCodes.shutdown, 'the server is restarting')
    const timer = setTimeout(() => {
      for (const client of clients) client.terminate()
    }, 1000)
    await gone
    clearTimeout(timer)
    this.#server.close()
  }
}

/** Answers an upgrade over plain HTTP and ends the connection. */
export function refuse(socket: Duplex, error: LabError): void {
  const body = JSON.stringify({ error: error.view() })
  const status = statusOf(error.code)
  const reason = status === 404 ? 'Not Found' : status === 403 ? 'Forbidden' : 'Bad Request'
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
  socket.once('finish', () => socket.destroy())
}

class Connection implements Listener {
  readonly #ws: WebSocket
  readonly #session: Session
  readonly #log: Log
  readonly #watcher: { id: string; name: string } | null
  readonly #viewers = new Map<number, Viewer>()
  readonly #rate: { perSecond: number; burst: number }
  #tokens: number
  #refilledAt = Date.now()
  #pictures: { topology: string | null; events: string | null } = { topology: null, events: null }
  #pictureTimer: NodeJS.Timeout | null = null
  #stop: () => void = () => {}
  /** messages are handled in the order they came, whatever each has to wait for */
  #queue: Promise<void> = Promise.resolve()
  #queued = 0

  /** @param watcher somebody who is not its learner: they look, and type only while that learner lets them */
  constructor(ws: WebSocket, session: Session, options: SocketsOptions, watcher: { id: string; name: string } | null) {
    this.#ws = ws
    this.#watcher = watcher
    this.#session = session
    this.#log = options.log
    this.#rate = options.messages ?? { perSecond: 1000, burst: 4000 }
    this.#tokens = this.#rate.burst
  }

  start(after: number | undefined): void {
    const { events, seq, view } = this.#session.snapshot(after)
    this.#send({ type: 'snapshot', seq, now: Date.now(), session: view })
    for (const numbered of events) this.event(numbered)
    const { clusterEvents, topology } = this.#session.latest
    if (topology !== null) this.topology(topology)
    if (clusterEvents !== null) this.clusterEvents(clusterEvents)
    // Nothing can have happened in between: all of this is one turn of the event loop.
    this.#stop = this.#session.listen(this)
    const leave = this.#watcher === null ? () => {} : this.#session.company.watch(this.#watcher.id, this.#watcher.name)
    this.#ws.on('message', (data, isBinary) => this.#receive(data, isBinary))
    this.#ws.once('close', () => {
      this.#stop()
      leave()
      if (this.#pictureTimer !== null) clearTimeout(this.#pictureTimer)
      for (const viewer of this.#viewers.values()) viewer.close()
      this.#viewers.clear()
    })
  }

  // ---- from the session

  event(numbered: Parameters<Listener['event']>[0]): void {
    this.#send({ type: 'event', ...numbered })
  }
  topology(topology: Parameters<Listener['topology']>[0]): void {
    this.#pictures.topology = JSON.stringify({ type: 'topology', topology } satisfies ServerMessage)
    this.#sendPictures()
  }
  clusterEvents(events: Parameters<Listener['clusterEvents']>[0]): void {
    this.#pictures.events = JSON.stringify({ type: 'cluster-events', events } satisfies ServerMessage)
    this.#sendPictures()
  }
  trouble(error: LabError, terminal?: number): void {
    this.#send({ type: 'error', error: error.view(), ...(terminal === undefined ? {} : { terminal }) })
  }

  #sendPictures(): void {
    if (this.#ws.bufferedAmount > busyBytes) {
      this.#pictureTimer ??= setTimeout(() => {
        this.#pictureTimer = null
        this.#sendPictures()
      }, 500)
      return
    }
    for (const text of [this.#pictures.topology, this.#pictures.events]) if (text !== null) this.#raw(text)
    this.#pictures = { topology: null, events: null }
  }
  #send(message: ServerMessage): void {
    this.#raw(JSON.stringify(message))
  }
  #raw(data: string | Uint8Array): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return
    if (this.#ws.bufferedAmount > bufferLimit) {
      this.#log.warn({ session: this.#session.id }, 'a page reads nothing and is dropped')
      this.#ws.terminate()
      return
    }
    this.#ws.send(data)
  }

  // ---- from the page

  #receive(data: RawData, isBinary: boolean): void {
    this.#spend()
    const bytes = Array.isArray(data) ? Buffer.concat(data) : data instanceof ArrayBuffer ? Buffer.from(data) : data
    if (isBinary) {
      const frame = decodeFrame(bytes)
      if (frame === null || frame.kind !== 'input') {
        this.#protocolError('A binary message must be an input frame.')
        return
      }
      if (frame.bytes.byteLength > limits.inputBytes) {
        this.#protocolError(`An input frame may have ${limits.inputBytes} bytes.`)
        return
      }
      // A copy: the queue may hold it longer than ws does.
      const input = frame.bytes.slice()
      this.#enqueue(frame.terminal, async () => {
        const terminal = this.#session.terminals.loaded(frame.terminal)
        if (terminal === undefined || !this.#viewers.has(frame.terminal))
          throw new LabError('not-found', `Terminal ${frame.terminal} is not open on this connection.`, { hint: 'Send `open` first.' })
        const found = await terminal
        // Asked at the very moment: leave that was taken back while the bytes waited is no leave.
        if (this.#watcher !== null && !this.#session.company.drives(this.#watcher.id)) throw onlyLooking()
        if (this.#watcher === null) this.#session.keyed()
        found.input(input)
      })
      return
    }
    let message: ClientMessage
    try {
      message = clientMessage.parse(JSON.parse(bytes.toString('utf8')))
    } catch {
      this.#protocolError('This message is not understood.')
      return
    }
    // An acknowledgement waits for nothing: it is what lets bytes flow again.
    if (message.type === 'ack') this.#viewers.get(message.terminal)?.ack(message.offset)
    else this.#enqueue(message.terminal, () => this.#handle(message))
  }

  #enqueue(terminal: number | undefined, work: () => Promise<void>): void {
    this.#queued += 1
    if (this.#queued > 1000) this.#ws.pause()
    this.#queue = this.#queue.then(async () => {
      try {
        await work()
      } catch (thrown) {
        const error = asLabError(thrown)
        if (error.code === 'internal')
          this.#log.error({ session: this.#session.id, terminal, error: error.message }, 'a message could not be handled')
        this.trouble(error, terminal)
      } finally {
        this.#queued -= 1
        if (this.#queued === 1000) this.#ws.resume()
      }
    })
  }

  async #handle(message: Exclude<ClientMessage, { type: 'ack' }>): Promise<void> {
    switch (message.type) {
      case 'open': {
        const size = { cols: message.cols, rows: message.rows }
        if (message.terminal === undefined && message.place === undefined)
          throw new LabError('bad-request', 'To open a terminal, name a place or the terminal.')
        if (this.#watcher !== null && message.terminal === undefined) throw onlyLooking()
        const terminal =
          message.terminal === undefined
            ? await this.#session.openTerminal(message.place!, size)
            : await this.#session.terminals.get(message.terminal)
        if (this.#ws.readyState !== this.#ws.OPEN) return
        const { id } = terminal.view
        this.#viewers.get(id)?.close()
        const viewer = terminal.watch(
          {
            opened: (offset, lost, head) => this.#send({ type: 'opened', terminal: terminal.view, offset, lost, head }),
            output: (bytes, offset) => this.#raw(encodeFrame({ kind: 'output', terminal: id, offset, bytes })),
          },
          message.from,
        )
        this.#viewers.set(id, viewer)
        // Its size is its learner's.
        if (this.#session.cluster !== null && this.#watcher === null) {
          terminal.resize(size)
          terminal.attachOrRetry()
        }
        return
      }
      case 'resize':
        if (this.#watcher !== null) return
        ;(await this.#session.terminals.get(message.terminal)).resize({ cols: message.cols, rows: message.rows })
        return
      case 'close':
        this.#viewers.get(message.terminal)?.close()
        this.#viewers.delete(message.terminal)
        if (this.#watcher !== null) return
        await this.#session.terminals.close(message.terminal)
        return
    }
  }

  #protocolError(what: string): void {
    this.trouble(new LabError('bad-request', what))
    this.#ws.close(closeCodes.protocol, what)
  }

  /** A token bucket; a peer that is too fast is not read for a while. */
  #spend(): void {
    const now = Date.now()
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + ((now - this.#refilledAt) / 1000) * this.#rate.perSecond) - 1
    this.#refilledAt = now
    if (this.#tokens >= 0 || this.#ws.isPaused) return
    this.#ws.pause()
    setTimeout(() => this.#ws.resume(), Math.ceil((-this.#tokens / this.#rate.perSecond) * 1000) + 50).unref()
  }
}

const onlyLooking = () =>
  new LabError(
    'forbidden',
    { en: 'You only look at this terminal.', ko: '이 터미널은 보기만 할 수 있습니다.' },
    { hint: { en: 'Ask its learner; once they allow it you can type.', ko: '학생에게 요청하십시오. 허락하면 입력할 수 있습니다.' } },
  )
