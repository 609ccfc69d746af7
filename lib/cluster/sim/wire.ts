// What a server and a worker of simulated clusters say to each other over a Unix socket: frames of a JSON head and bytes, calls and their
// answers, streams of shells with credit. Knows nothing of labs; both sides use it.
import type { Socket } from 'node:net'
import { asLabError, type ErrorView, LabError } from '#lib/protocol/index.ts'
import type { ClusterSpec, Diagnostics, FileStat, Fingerprint, Health, NodeInfo, ProbeResult, Size, Target, Where } from '../port.ts'

/** Moves when the two sides would no longer understand each other. */
export const wireVersion = 2
/** Bytes of a shell's output that may be on their way without having been taken. */
export const windowBytes = 256 * 1024
const frameLimit = 64 * 1024 * 1024

/** A lab as a worker has it. */
export interface LabView {
  id: string
  spec: ClusterSpec
  nodes: NodeInfo[]
  kubernetesVersion: string
  kubeconfig: string
  clock: { now: number; rate: number }
}
/** Every call: what is asked and what is answered. Bytes of both go beside the JSON. @see Peer.call */
export interface Calls {
  hello: { ask: { version: string }; answer: { wire: number; version: string; pid: number; name: string; labs: LabView[] } }
  /** notes: what happens, as lines of Progress */
  create: { ask: { id: string; spec: ClusterSpec; seed: number }; answer: LabView }
  /** from its directory and its last snapshot, after its worker has ended */
  load: { ask: { id: string }; answer: LabView }
  /** stdin in bytes; answer: stdout, then stderr in bytes, `split` is where; notes: pieces of output, when `notes` */
  exec: {
    ask: {
      lab: string
      where: Where
      argv: readonly string[]
      user?: string
      cwd?: string
      env?: Readonly<Record<string, string>>
      timeoutMs: number
      notes: boolean
    }
    answer: { exitCode: number; split: number }
  }
  probe: { ask: { lab: string; from: Where; target: Target }; answer: ProbeResult }
  shell: {
    ask: { lab: string; where: string; id: string; size: Size; from: number; stream: number }
    answer: { offset: number; lost: number }
  }
  /** ends it and forgets it */
  kill: { ask: { lab: string; where: string; id: string }; answer: null }
  read: { ask: { lab: string; where: string; path: string }; answer: null }
  write: { ask: { lab: string; where: string; path: string; mode?: number }; answer: null }
  list: { ask: { lab: string; where: string; path: string }; answer: FileStat[] }
  unit: {
    ask: { lab: string; where: string; name: string }
    answer: { load: string; active: string; sub: string; enabled: string; pid: number }
  }
  baseline: { ask: { lab: string }; answer: Fingerprint }
  restore: { ask: { lab: string; home: boolean }; answer: { fingerprint: Fingerprint; view: LabView } }
  health: { ask: { lab: string }; answer: Health }
  ping: { ask: null; answer: null }
  diagnostics: { ask: { lab: string }; answer: Diagnostics }
  /**
   * lab seconds per real one, for as long as this connection lives; `ahead`: its time may pass the host's;
   * `settle`: then the lab's time jumps to the host's, if it is behind
   */
  rate: { ask: { lab: string; rate: number; ahead: boolean; settle: boolean }; answer: null }
  /** ms of the lab's time */
  wait: { ask: { lab: string; ms: number }; answer: { now: number; rate: number } }
  destroy: { ask: { lab: string }; answer: null }
  /** written down and out of this process; `load` brings it back */
  suspend: { ask: { lab: string }; answer: null }
  /** snapshots of everything, then it ends; its labs can be loaded elsewhere */
  leave: { ask: null; answer: null }
}
export type Call = keyof Calls

type Head =
  | { call: number; op: Call; ask: unknown }
  | { cancel: number }
  | { done: number; answer: unknown }
  | { failed: number; error: ErrorView }
  | { note: number; value: unknown }
  | StreamHead
  | { clock: string; now: number; rate: number }
/** Of shells. `taken` is credit that the server gives back. */
export type StreamHead =
  | { stream: number; output: number }
  | { stream: number; end: { kind: 'exit'; exitCode: number } | { kind: 'lost'; message: string } }
  | { stream: number; input: true }
  | { stream: number; resize: Size }
  | { stream: number; taken: number }
  | { stream: number; detach: true }

export interface CallContext {
  signal: AbortSignal
  bytes: Uint8Array
  note(value: unknown, bytes?: Uint8Array): void
}
type Answer<K extends Call> = Calls[K]['answer'] | { answer: Calls[K]['answer']; bytes: Uint8Array }
/** What a worker does for each call. */
export type Handlers = { [K in Call]: (ask: Calls[K]['ask'], context: CallContext) => Promise<Answer<K>> }

const none = new Uint8Array(0)
/** u32 length of all that follows, u32 length of the head, the head as JSON, bytes */
function frame(head: Head, bytes: Uint8Array): Buffer[] {
  const json = Buffer.from(JSON.stringify(head))
  const lengths = Buffer.allocUnsafe(8)
  lengths.writeUInt32BE(4 + json.length + bytes.byteLength, 0)
  lengths.writeUInt32BE(json.length, 4)
  return bytes.byteLength === 0 ? [lengths, json] : [lengths, json, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)]
}

/** Cuts a stream into frames. @throws Error for one that is larger than any that is ever sent */
export function frames(use: (head: Head, bytes: Buffer) => void): (chunk: Buffer) => void {
  let parts: Buffer[] = []
  let size = 0
  return (chunk) => {
    parts.push(chunk)
    size += chunk.length
    for (;;) {
      if (size < 4) return
      if ((parts[0] as Buffer).length < 4) parts = [Buffer.concat(parts)]
      const length = (parts[0] as Buffer).readUInt32BE(0)
      if (length > frameLimit || length < 4) throw new Error(`a frame of ${length} bytes`)
      if (size < 4 + length) return
      const all = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
      const json = all.readUInt32BE(4)
      use(JSON.parse(all.toString('utf8', 8, 8 + json)) as Head, all.subarray(8 + json, 4 + length))
      size -= 4 + length
      parts = size > 0 ? [all.subarray(4 + length)] : []
    }
  }
}

interface Waiting {
  resolve(value: { answer: unknown; bytes: Buffer }): void
  reject(error: LabError): void
  note?: ((value: never, bytes: Buffer) => void) | undefined
}
export interface PeerOptions {
  /** of a worker; a server is asked nothing */
  handlers?: Handlers
  onStream(head: StreamHead, bytes: Buffer): void
  onClock?(lab: string, now: number, rate: number): void
  /** once */
  onClose(error: Error | undefined): void
}

/** One end of a connection. */
export class Peer {
  readonly #socket: Socket
  readonly #options: PeerOptions
  readonly #waiting = new Map<number, Waiting>()
  readonly #working = new Map<number, AbortController>()
  #serial = 0
  #held = 0
  #closed: Error | undefined

  constructor(socket: Socket, options: PeerOptions) {
    this.#socket = socket
    this.#options = options
    socket.setNoDelay?.(true)
    let broken: Error | undefined
    const cut = frames((head, bytes) => this.#got(head, bytes))
    socket.on('data', (chunk: Buffer) => {
      try {
        cut(chunk)
      } catch (error) {
        broken = error as Error
        socket.destroy()
      }
    })
    socket.on('error', (error) => {
      broken ??= error
    })
    socket.on('close', () => {
      this.#closed = broken ?? new Error('the connection was closed')
      for (const one of this.#waiting.values()) one.reject(lost(this.#closed))
      this.#waiting.clear()
      for (const one of this.#working.values()) one.abort()
      options.onClose(broken)
    })
  }
  get closed(): boolean {
    return this.#closed !== undefined
  }
  close(): void {
    this.#socket.destroy()
  }

  /**
   * Asks the other side. While anything is asked, the process is kept alive by it.
   * @throws LabError as the other side threw it; backend-unavailable when the connection breaks; cancelled once it has been called off
   */
  call<K extends Call>(
    op: K,
    ask: Calls[K]['ask'],
    options: { bytes?: Uint8Array; signal?: AbortSignal | undefined; note?: (value: never, bytes: Buffer) => void } = {},
  ): Promise<{ answer: Calls[K]['answer']; bytes: Buffer }> {
    const { signal } = options
    if (this.#closed) return Promise.reject(lost(this.#closed))
    if (signal?.aborted) return Promise.reject(new LabError('cancelled', 'It was cancelled before it began.'))
    this.#serial += 1
    const id = this.#serial
    const cancel = () => this.#send({ cancel: id })
    signal?.addEventListener('abort', cancel, { once: true })
    this.#socket.ref()
    return new Promise<{ answer: unknown; bytes: Buffer }>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, note: options.note })
      this.#send({ call: id, op, ask }, options.bytes)
    }).finally(() => {
      signal?.removeEventListener('abort', cancel)
      this.#hold(0)
    }) as Promise<{ answer: Calls[K]['answer']; bytes: Buffer }>
  }
  /** Somebody waits for what a stream brings: that keeps the process alive too. `release` twice is once. */
  hold(): { release(): void } {
    this.#hold(1)
    let held = true
    return {
      release: () => {
        if (held) this.#hold(-1)
        held = false
      },
    }
  }
  #hold(more: number): void {
    this.#held += more
    if (this.#held > 0 || this.#waiting.size > 0) this.#socket.ref()
    else this.#socket.unref()
  }
  stream(head: StreamHead, bytes?: Uint8Array): void {
    this.#send(head, bytes)
  }
  clock(lab: string, now: number, rate: number): void {
    this.#send({ clock: lab, now, rate })
  }

  #send(head: Head, bytes: Uint8Array = none): void {
    if (this.#closed || this.#socket.destroyed) return
    this.#socket.cork()
    for (const part of frame(head, bytes)) this.#socket.write(part)
    this.#socket.uncork()
  }
  #got(head: Head, bytes: Buffer): void {
    if ('stream' in head) this.#options.onStream(head, bytes)
    else if ('done' in head) this.#settle(head.done)?.resolve({ answer: head.answer, bytes: Buffer.from(bytes) })
    else if ('failed' in head) {
      this.#settle(head.failed)?.reject(LabError.from(head.error))
    } else if ('note' in head) this.#waiting.get(head.note)?.note?.(head.value as never, bytes)
    else if ('clock' in head) this.#options.onClock?.(head.clock, head.now, head.rate)
    else if ('cancel' in head) this.#working.get(head.cancel)?.abort()
    else void this.#work(head.call, head.op, head.ask, Buffer.from(bytes))
  }
  #settle(id: number): Waiting | undefined {
    const one = this.#waiting.get(id)
    this.#waiting.delete(id)
    return one
  }
  async #work(id: number, op: Call, ask: unknown, bytes: Uint8Array): Promise<void> {
    const controller = new AbortController()
    this.#working.set(id, controller)
    try {
      const handler = this.#options.handlers?.[op] as ((ask: unknown, context: CallContext) => Promise<unknown>) | undefined
      if (handler === undefined) throw new LabError('bad-request', `"${op}" is not understood here.`)
      const result = await handler(ask, {
        signal: controller.signal,
        bytes,
        note: (value, more) => this.#send({ note: id, value }, more),
      })
      const withBytes = result !== null && typeof result === 'object' && 'bytes' in result && 'answer' in result
      if (withBytes) this.#send({ done: id, answer: result.answer }, result.bytes as Uint8Array)
      else this.#send({ done: id, answer: result })
    } catch (thrown) {
      this.#send({ failed: id, error: asLabError(thrown).view() })
    } finally {
      this.#working.delete(id)
    }
  }
}

const lost = (cause: Error): LabError =>
  new LabError('backend-unavailable', 'The process that runs this simulated cluster does not answer.', {
    hint: 'Its labs come back by themselves, as they were a moment ago.',
    cause,
  })
