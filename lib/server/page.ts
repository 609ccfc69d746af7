// A page's side of the session socket, for tests and benches: keeps what came, and lets a caller wait for what has yet to come.
// Waits end by what arrives, never by a clock.

import WebSocket from 'ws'
import { decodeFrame, encodeFrame, type ServerMessage, serverMessage } from '#lib/protocol/index.ts'

type Of<T extends ServerMessage['type']> = Extract<ServerMessage, { type: T }>

export class Page {
  readonly socket: WebSocket
  readonly messages: ServerMessage[] = []
  /** output by terminal, as it came */
  readonly output = new Map<number, Buffer[]>()
  /** offset after the newest byte, by terminal */
  readonly offset = new Map<number, number>()
  /** whether bytes are acknowledged as they come, as a page that keeps up does */
  autoAck: boolean
  /** whether output is kept; a bench does not want it */
  keep = true
  closed: { code: number; reason: string } | null = null
  readonly #waiting = new Set<() => void>()
  onOutput: ((bytes: Uint8Array, offset: number, terminal: number) => void) | null = null

  private constructor(socket: WebSocket, autoAck: boolean) {
    this.socket = socket
    this.autoAck = autoAck
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.#frame(data)
      else {
        const message = serverMessage.parse(JSON.parse(data.toString('utf8')))
        if (message.type === 'opened') this.offset.set(message.terminal.id, message.offset)
        this.messages.push(message)
      }
      this.#wake()
    })
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() }
      this.#wake()
    })
    socket.on('error', () => {})
  }
  static connect(url: string, origin: string, options: { autoAck?: boolean } = {}): Promise<Page> {
    const socket = new WebSocket(url, { origin, perMessageDeflate: false })
    const page = new Page(socket, options.autoAck ?? true)
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(page))
      socket.once('error', reject)
    })
  }

  #frame(data: Buffer): void {
    const frame = decodeFrame(data)
    if (frame === null) throw new Error('a binary message that is no frame')
    const expected = this.offset.get(frame.terminal) ?? 0
    if (frame.offset !== expected) throw new Error(`terminal ${frame.terminal}: bytes from ${frame.offset}, expected ${expected}`)
    const next = frame.offset + frame.bytes.byteLength
    this.offset.set(frame.terminal, next)
    if (this.keep) {
      const kept = this.output.get(frame.terminal) ?? []
      kept.push(Buffer.from(frame.bytes))
      this.output.set(frame.terminal, kept)
    }
    this.onOutput?.(frame.bytes, frame.offset, frame.terminal)
    if (this.autoAck) this.ack(frame.terminal)
  }
  #wake(): void {
    for (const wake of this.#waiting) wake()
  }
  /** Resolves with what `look` finds, as soon as it finds it. A socket that closes first is an error, unless that is looked for. */
  until<T>(look: () => T | undefined | null | false, what: string, orClosed = false): Promise<T> {
    return new Promise((resolve, reject) => {
      const wake = () => {
        let found: T | undefined | null | false
        try {
          found = look()
        } catch (error) {
          this.#waiting.delete(wake)
          reject(error)
          return
        }
        if (found !== undefined && found !== null && found !== false) {
          this.#waiting.delete(wake)
          resolve(found as T)
        } else if (this.closed !== null && !orClosed) {
          this.#waiting.delete(wake)
          reject(new Error(`the socket closed (${this.closed.code} ${this.closed.reason}) while waiting for ${what}`))
        }
      }
      this.#waiting.add(wake)
      wake()
    })
  }
  message<T extends ServerMessage['type']>(type: T, fits: (message: Of<T>) => boolean = () => true): Promise<Of<T>> {
    return this.until(() => this.messages.find((one): one is Of<T> => one.type === type && fits(one as Of<T>)), `a ${type} message`)
  }
  /** The session's state as the messages tell it. */
  get state(): string | undefined {
    for (const one of this.messages.toReversed()) {
      if (one.type === 'snapshot') return one.session.state
      if (one.type === 'event' && one.event.type === 'state') return one.event.state
    }
    return undefined
  }
  inState(state: string): Promise<true> {
    return this.until(() => {
      if (this.state === 'failed' && state !== 'failed')
        throw new Error(
          `the session failed: ${JSON.stringify(this.messages.findLast((one) => one.type === 'event' && one.event.type === 'state'))}`,
        )
      return this.state === state
    }, `the state ${state}`)
  }
  /** Newest state of a check. */
  check(id: string): string | undefined {
    for (const one of this.messages.toReversed()) {
      if (one.type === 'event' && one.event.type === 'check' && one.event.check.id === id) return one.event.check.state
      if (one.type === 'event' && one.event.type === 'state') return one.event.view.checks.find((check) => check.id === id)?.state
      if (one.type === 'snapshot') return one.session.checks.find((check) => check.id === id)?.state
    }
    return undefined
  }
  text(terminal = 1): string {
    return Buffer.concat(this.output.get(terminal) ?? []).toString('utf8')
  }

  say(message: unknown): void {
    this.socket.send(JSON.stringify(message))
  }
  /** Opens a new terminal (a place) or looks at one (a number); resolves with its number. */
  async terminal(where: string | number, from = 0, size = { cols: 80, rows: 24 }): Promise<number> {
    const before = this.messages.length
    this.say({ type: 'open', ...(typeof where === 'string' ? { place: where } : { terminal: where }), from, ...size })
    const opened = await this.until(() => {
      const later = this.messages.slice(before)
      const problem = later.find((one) => one.type === 'error')
      const found = later.find(
        (one) => one.type === 'opened' && (typeof where === 'string' ? one.terminal.place === where : one.terminal.id === where),
      )
      if (found === undefined && problem?.type === 'error') throw new Error(problem.error.message)
      return found as Of<'opened'> | undefined
    }, `the terminal ${where}`)
    return opened.terminal.id
  }
  type(text: string, terminal = 1): void {
    this.socket.send(encodeFrame({ kind: 'input', terminal, offset: 0, bytes: new TextEncoder().encode(text) }))
  }
  ack(terminal = 1): void {
    this.say({ type: 'ack', terminal, offset: this.offset.get(terminal) ?? 0 })
  }
  /** Types a command and resolves with what it printed, found by a mark around it. */
  async run(command: string, terminal = 1): Promise<string> {
    const mark = `m${Math.random().toString(36).slice(2, 10)}`
    // The mark is split in what is typed, so that the echo does not hold it.
    this.type(`echo "${mark.slice(0, 4)}""${mark.slice(4)}"; ${command}; echo "${mark.slice(0, 4)}""${mark.slice(4)}"\r`, terminal)
    const found = await this.until(
      () => new RegExp(`${mark}\r?\n([\\s\\S]*?)${mark}`).exec(this.text(terminal)),
      `the output of ${command}`,
    )
    return found[1]!.replaceAll('\r', '')
  }
  async close(): Promise<void> {
    this.socket.close()
    await this.until(() => this.closed, 'the close', true)
  }
}
