// The page's one socket to its session, kept alive: a ticket per connection, resume after the last number seen, exponential
// back-off with jitter, terminals by offset with acknowledgements. Holds the state that the page draws.
// Knows the protocol; knows nothing of React, of the DOM or of how a terminal is drawn: those hand in sinks and listen.
import {
  applyEvent,
  type ClientMessage,
  type ClusterEvent,
  closeCodes,
  decodeFrame,
  type ErrorView,
  encodeFrame,
  type Place,
  type SessionView,
  serverMessage,
  type TerminalView,
  type Topology,
} from '#lib/protocol/index.ts'

export interface Clock {
  now(): number
  /** Runs `task` after `ms`; the answer cancels it. */
  after(ms: number, task: () => void): () => void
}
export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, task) => {
    const timer = setTimeout(task, ms)
    return () => clearTimeout(timer)
  },
}

/** What a terminal on the page offers to the socket. */
export interface TerminalSink {
  size(): { cols: number; rows: number }
  /** `lost` bytes before `offset` are gone for good; 0 when the stream simply continues. Bytes before `head` are a replay. */
  opened(offset: number, lost: number, head?: number): void
  /** `end` is the offset after the last of these bytes: pass it to `parsed` once they have been drawn. */
  output(bytes: Uint8Array, end: number): void
  failed(error: ErrorView): void
}

export type Connection =
  | { state: 'connecting' }
  | { state: 'open' }
  /** the next attempt begins at `retryAt`, on the page's clock */
  | { state: 'waiting'; retryAt: number; attempt: number }
  | { state: 'gone'; error: ErrorView | null }

export interface LabState {
  connection: Connection
  /** the first snapshot is in; until then `session` is what the server drew the page with, or null */
  live: boolean
  session: SessionView | null
  /** number of the last event that `session` contains */
  seq: number
  /** when `session.spentMs` was true, epoch ms on the server's clock */
  spentAt: number
  /** server's clock minus the page's, ms */
  skew: number
  topology: Topology | null
  clusterEvents: readonly ClusterEvent[]
  /** an error that belongs to no terminal, newest */
  problem: ErrorView | null
}

/** A refusal by the server that no retry will change, e.g. the session is gone. */
export class TicketRefused extends Error {
  readonly error: ErrorView | null
  constructor(error: ErrorView | null) {
    super(error?.message ?? 'refused')
    this.name = 'TicketRefused'
    this.error = error
  }
}

export interface SocketOptions {
  /** A fresh single-use ticket. Throws TicketRefused when asking again is of no use. */
  ticket(): Promise<string>
  url(ticket: string, after: number): string
  clock?: Clock
  /** 0…1 */
  random?: () => number
  create?: (url: string) => WebSocket
  /** what the page was drawn with */
  session?: SessionView | null
}

const firstDelay = 400
const longestDelay = 15_000
/** An attempt that has shown no snapshot by then is given up and counts as failed. */
const attemptLimit = 20_000
const ackEvery = 32 * 1024
const ackWithin = 80
const inputChunk = 32 * 1024
const inputHeld = 4 * 1024 * 1024
const outboxHigh = 256 * 1024

/** Delay before attempt n (0 the first retry): doubles up to 15 s, and between half and all of that, so that many pages do not come back at once. */
export const backOff = (attempt: number, random: number): number =>
  Math.round(Math.min(longestDelay, firstDelay * 2 ** attempt) * (0.5 + random / 2))

interface Attached {
  sink: TerminalSink
  /** offset of the next byte wanted */
  received: number
  parsed: number
  acked: number
  ackTimer: (() => void) | null
  /** of its newest `open` among all that this page has sent: answers come in that order */
  order: number
  /** its `opened` has come on this connection */
  open: boolean
  /** it has been streamed to this page before: what comes after a reconnect is news, not a replay */
  replayed: boolean
}
interface PendingOpen {
  place: Place
  order: number
  size: { cols: number; rows: number }
  resolve(view: TerminalView): void
  reject(error: ErrorView): void
}

export class SessionSocket {
  readonly #options: SocketOptions
  readonly #clock: Clock
  readonly #random: () => number
  readonly #listeners = new Set<() => void>()
  readonly #terminals = new Map<number, Attached>()
  #pending: PendingOpen[] = []
  #opens = 0
  #state: LabState
  #socket: WebSocket | null = null
  #attempt = 0
  #stopped = true
  #generation = 0
  #cancelRetry: (() => void) | null = null
  #outbox: Uint8Array<ArrayBuffer>[] = []
  #outboxBytes = 0
  #draining: (() => void) | null = null

  constructor(options: SocketOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? Math.random
    this.#state = {
      connection: { state: 'connecting' },
      live: false,
      session: options.session ?? null,
      seq: 0,
      spentAt: this.#clock.now(),
      skew: 0,
      topology: null,
      clusterEvents: [],
      problem: null,
    }
  }

  get state(): LabState {
    return this.#state
  }
  /** Calls `listener` after every change; the answer stops that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  start(): void {
    if (!this.#stopped) return
    this.#stopped = false
    this.#connect()
  }
  stop(): void {
    this.#stopped = true
    this.#generation++
    this.#cancelRetry?.()
    this.#cancelRetry = null
    this.#draining?.()
    this.#draining = null
    this.#detachAll()
    this.#socket?.close(1000)
    this.#socket = null
  }
  /**
   * The machine woke up, the network came back or the person asks: try at once if waiting; if the connection only seems
   * to be open, say something on it, so that a dead one shows itself.
   */
  wake(): void {
    if (this.#stopped) return
    if (this.#state.connection.state === 'waiting') {
      this.#cancelRetry?.()
      this.#connect()
    } else if (this.#state.connection.state === 'open') {
      for (const [terminal, attached] of this.#terminals) if (attached.open) this.#send({ type: 'ack', terminal, offset: attached.parsed })
    }
  }
  dismissProblem(): void {
    this.#set({ problem: null })
  }

  /** Asks for a new shell at `place`; rejects with an ErrorView. */
  openTerminal(place: Place, size: { cols: number; rows: number }): Promise<TerminalView> {
    return new Promise((resolve, reject) => {
      if (this.#state.connection.state !== 'open') {
        reject({
          code: 'cluster-unreachable',
          message: 'The page is not connected to the server.',
          hint: 'Wait until it has reconnected.',
        } satisfies ErrorView)
        return
      }
      this.#pending.push({ place, size, order: ++this.#opens, resolve, reject })
      this.#send({ type: 'open', place, from: 0, ...size })
    })
  }
  /** Streams terminal `id` into `sink`, from the first byte kept; the answer detaches it (the shell lives on). */
  attach(id: number, sink: TerminalSink): () => void {
    const attached: Attached = { sink, received: 0, parsed: 0, acked: 0, ackTimer: null, order: 0, open: false, replayed: false }
    this.#terminals.set(id, attached)
    if (this.#state.connection.state === 'open') this.#open(id, attached)
    return () => {
      attached.ackTimer?.()
      if (this.#terminals.get(id) === attached) this.#terminals.delete(id)
    }
  }
  /** Every byte before `offset` has been drawn. */
  parsed(id: number, offset: number): void {
    const attached = this.#terminals.get(id)
    if (!attached || offset <= attached.parsed) return
    attached.parsed = offset
    if (offset - attached.acked >= ackEvery) this.#ack(id, attached)
    else attached.ackTimer ??= this.#clock.after(ackWithin, () => this.#ack(id, attached))
  }
  /** Sends what was typed or pasted. False when it was not taken: not connected, or too much is waiting already. */
  input(id: number, bytes: Uint8Array): boolean {
    if (this.#state.connection.state !== 'open' || !this.#terminals.get(id)?.open) return false
    if (this.#outboxBytes + bytes.byteLength > inputHeld) return false
    for (let at = 0; at < bytes.byteLength; at += inputChunk) {
      const frame = encodeFrame({ kind: 'input', terminal: id, offset: 0, bytes: bytes.subarray(at, at + inputChunk) })
      this.#outbox.push(frame)
      this.#outboxBytes += frame.byteLength
    }
    this.#drain()
    return true
  }
  resize(id: number, cols: number, rows: number): void {
    if (this.#terminals.get(id)?.open) this.#send({ type: 'resize', terminal: id, cols, rows })
  }
  closeTerminal(id: number): void {
    this.#send({ type: 'close', terminal: id })
  }

  #set(change: Partial<LabState>): void {
    this.#state = { ...this.#state, ...change }
    for (const listener of this.#listeners) listener()
  }

  async #connect(): Promise<void> {
    const generation = ++this.#generation
    this.#cancelRetry = null
    if (this.#state.connection.state !== 'connecting') this.#set({ connection: { state: 'connecting' } })
    const stale = () => this.#stopped || generation !== this.#generation
    let ticket: string
    try {
      ticket = await this.#options.ticket()
    } catch (thrown) {
      if (stale()) return
      if (thrown instanceof TicketRefused) this.#set({ connection: { state: 'gone', error: thrown.error } })
      else this.#retry()
      return
    }
    if (stale()) return
    const url = this.#options.url(ticket, this.#state.seq)
    const socket = this.#options.create ? this.#options.create(url) : new WebSocket(url)
    this.#socket = socket
    socket.binaryType = 'arraybuffer'
    const cancelLimit = this.#clock.after(attemptLimit, () => {
      if (!stale() && this.#state.connection.state === 'connecting') socket.close()
    })
    socket.onmessage = ({ data }) => {
      if (stale()) return
      if (typeof data === 'string') this.#message(data)
      else this.#frame(new Uint8Array(data as ArrayBuffer))
    }
    socket.onclose = ({ code }) => {
      cancelLimit()
      if (stale()) return
      this.#socket = null
      this.#outbox = []
      this.#outboxBytes = 0
      this.#detachAll()
      if (code === closeCodes.gone) this.#set({ connection: { state: 'gone', error: null } })
      else this.#retry()
    }
  }
  #retry(): void {
    const delay = backOff(this.#attempt, this.#random())
    this.#attempt++
    this.#set({ connection: { state: 'waiting', retryAt: this.#clock.now() + delay, attempt: this.#attempt } })
    this.#cancelRetry = this.#clock.after(delay, () => void this.#connect())
  }
  #detachAll(): void {
    for (const attached of this.#terminals.values()) {
      attached.open = false
      attached.ackTimer?.()
      attached.ackTimer = null
    }
    const pending = this.#pending
    this.#pending = []
    for (const open of pending)
      open.reject({ code: 'cluster-unreachable', message: 'The connection was lost before the terminal opened.', hint: 'Open it again.' })
  }

  #message(data: string): void {
    let json: unknown
    try {
      json = JSON.parse(data)
    } catch {
      json = undefined
    }
    const parsed = serverMessage.safeParse(json)
    // A newer server may say what this page does not know yet: that is skipped, not fatal.
    if (!parsed.success) return
    const message = parsed.data
    switch (message.type) {
      case 'snapshot': {
        this.#attempt = 0
        this.#set({
          connection: { state: 'open' },
          live: true,
          session: message.session,
          seq: message.seq,
          spentAt: message.now,
          skew: message.now - this.#clock.now(),
        })
        for (const [id, attached] of this.#terminals) this.#open(id, attached)
        return
      }
      case 'event': {
        const { session, seq } = this.#state
        if (session === null || message.seq <= seq) return
        if (message.seq > seq + 1) {
          // Something between was missed: ask again from what we have.
          this.#socket?.close()
          return
        }
        const { event, at } = message
        let next = applyEvent(session, event)
        let { spentAt } = this.#state
        if (event.type === 'state') spentAt = at
        else if (event.type === 'outage') {
          // Time stands still from the outage's first moment to its last.
          if (session.outage === null && event.outage !== null && session.state === 'ready')
            next = { ...next, spentMs: session.spentMs + Math.max(0, at - spentAt) }
          if (session.outage === null || event.outage === null) spentAt = at
        }
        this.#set({ session: next, seq: message.seq, spentAt })
        return
      }
      case 'topology':
        this.#set({ topology: message.topology })
        return
      case 'cluster-events':
        this.#set({ clusterEvents: message.events })
        return
      case 'opened': {
        const { terminal, offset, lost } = message
        const attached = this.#terminals.get(terminal.id)
        const index = this.#pending.findIndex((open) => open.place === terminal.place)
        // A tab that was quicker than the answer (an event had told of the terminal) has one of its own coming.
        const first = index >= 0 && (attached === undefined || this.#pending[index]!.order < attached.order)
        if (attached && !first) {
          attached.open = true
          if (offset !== attached.received) {
            attached.received = offset
            attached.parsed = Math.max(attached.parsed, offset)
          }
          attached.acked = Math.min(attached.acked, offset)
          attached.sink.opened(offset, lost, attached.replayed ? undefined : message.head)
          attached.replayed = true
          return
        }
        if (index < 0) return
        const [open] = this.#pending.splice(index, 1)
        // Its tab will attach, and asks for the bytes again from the first.
        const { session } = this.#state
        if (session) this.#set({ session: applyEvent(session, { type: 'terminal', terminal }) })
        open?.resolve(terminal)
        return
      }
      case 'error': {
        if (message.terminal !== undefined) {
          this.#terminals.get(message.terminal)?.sink.failed(message.error)
          return
        }
        const open = this.#pending.shift()
        if (open) open.reject(message.error)
        else this.#set({ problem: message.error })
      }
    }
  }
  #frame(data: Uint8Array): void {
    const frame = decodeFrame(data)
    if (frame === null || frame.kind !== 'output') return
    const attached = this.#terminals.get(frame.terminal)
    if (!attached?.open) return
    const end = frame.offset + frame.bytes.byteLength
    if (end <= attached.received) return
    // Bytes that were seen before a reconnect are not drawn twice.
    const fresh = frame.offset < attached.received ? frame.bytes.subarray(attached.received - frame.offset) : frame.bytes
    if (frame.offset > attached.received) attached.sink.opened(frame.offset, frame.offset - attached.received)
    attached.received = end
    attached.sink.output(fresh, end)
  }

  #open(id: number, attached: Attached): void {
    attached.open = false
    attached.order = ++this.#opens
    attached.acked = attached.received
    this.#send({ type: 'open', terminal: id, from: attached.received, ...attached.sink.size() })
  }
  #ack(id: number, attached: Attached): void {
    attached.ackTimer?.()
    attached.ackTimer = null
    if (!attached.open || attached.parsed <= attached.acked) return
    attached.acked = attached.parsed
    this.#send({ type: 'ack', terminal: id, offset: attached.parsed })
  }
  #send(message: ClientMessage): void {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(message))
  }
  #drain(): void {
    this.#draining = null
    const socket = this.#socket
    while (this.#outbox.length > 0 && socket?.readyState === 1) {
      if (socket.bufferedAmount > outboxHigh) {
        this.#draining = this.#clock.after(20, () => this.#drain())
        return
      }
      const frame = this.#outbox.shift()!
      this.#outboxBytes -= frame.byteLength
      socket.send(frame)
    }
  }
}

/** Milliseconds the learner has had the lab by `now` (the page's clock). */
export function spentNow(state: LabState, now: number): number {
  const { session } = state
  if (session === null) return 0
  if (session.state !== 'ready' || session.outage !== null || !state.live) return session.spentMs
  return session.spentMs + Math.max(0, now + state.skew - state.spentAt)
}
