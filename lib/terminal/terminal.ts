// One terminal: a shell on the cluster, its newest bytes, its recording, and the pages that look at it. Knows nothing of sockets,
// sessions or storage. Invariants: the stream's offsets never go back; a page gets each byte once and in order, or is told how
// many are lost; memory is bounded by the ring and by what a page may leave unacknowledged, whatever the shell prints.
import type { Cluster, Shell, Size } from '#lib/cluster/index.ts'
import { asLabError, LabError, limits, type Place, type TerminalView } from '#lib/protocol/index.ts'
import { type OpenAppendable, Recording } from './cast.ts'
import { Ring } from './ring.ts'

/** Time as an argument. */
export interface Clock {
  /** epoch milliseconds */
  now(): number
  /** calls back once after `millis`; the answer cancels it */
  after(millis: number, callback: () => void): () => void
}
export const systemClock: Clock = {
  now: () => Date.now(),
  after(millis, callback) {
    const timer = setTimeout(callback, millis)
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** Where one page's bytes go. */
export interface Sink {
  /** what follows begins at `offset`; `lost` bytes before it are gone (0: nothing); bytes before `head` were said earlier */
  opened(offset: number, lost: number, head: number): void
  output(bytes: Uint8Array, offset: number): void
}
export interface Viewer {
  /** every byte before `offset` has been parsed by the page */
  ack(offset: number): void
  close(): void
}

export interface TerminalOptions {
  id: number
  place: Place
  title: string
  /** the shell's own id on the cluster: the same id is the same shell */
  shellId: string
  /** file of the recording */
  file: string
  size: Size
  cluster: () => Cluster | null
  clock?: Clock
  onChange: (view: TerminalView) => void
  /** something went wrong that the terminal survives (a recording that cannot be written, a shell that cannot be attached yet) */
  onTrouble?: (error: LabError) => void
  /** default: `limits` of the protocol and 64 MiB of recording */
  ringBytes?: number
  unackedBytes?: number
  recordingBytes?: number
  /** ms after which a page that reads nothing no longer slows the shell: while others read (default 3 000), and alone (30 000) */
  stallMs?: { others: number; alone: number }
  open?: OpenAppendable
}

interface Page {
  sink: Sink
  sent: number
  acked: number
  /** no longer waited for */
  loose: boolean
}

const reattachMs = [250, 500, 1000, 2000, 5000, 10_000] as const
const recordingHigh = 8 * 1024 * 1024
const chunkBytes = 64 * 1024

export class Terminal {
  readonly #options: TerminalOptions
  readonly #clock: Clock
  readonly #ring: Ring
  readonly #recording: Recording
  readonly #pages = new Set<Page>()
  readonly #unacked: number
  #state: TerminalView['state']
  #exitCode: number | null
  #size: Size
  #shell: Shell | null = null
  #attaching: Promise<void> | null = null
  /** stream offset of the shell's byte 0: not 0 when a shell with this id had to be started anew */
  #base = 0
  #paused = false
  #failures = 0
  #cancelReattach: (() => void) | null = null
  #stall: { cancel: () => void; others: boolean } | null = null
  #input: Uint8Array[] = []
  #inputBytes = 0
  #ended = false

  private constructor(
    options: TerminalOptions,
    ring: Ring,
    recording: Recording,
    state: { state: TerminalView['state']; exitCode: number | null },
  ) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#ring = ring
    this.#recording = recording
    this.#size = options.size
    this.#unacked = options.unackedBytes ?? limits.unackedBytes
    this.#state = state.state
    this.#exitCode = state.exitCode
    this.#ended = state.state === 'closed'
  }

  /**
   * A new terminal, or one of an earlier run of the server, filled from its recording. Nothing is attached yet.
   * @param state as it was stored; default a new, open one
   */
  static async load(
    options: TerminalOptions,
    state: { state: TerminalView['state']; exitCode: number | null } = { state: 'open', exitCode: null },
  ): Promise<Terminal> {
    const ring = new Ring(options.ringBytes ?? limits.ringBytes)
    let terminal: Terminal | null = null
    const recording = await Recording.open(
      {
        file: options.file,
        size: options.size,
        now: () => (options.clock ?? systemClock).now(),
        maxBytes: options.recordingBytes,
        open: options.open,
        onDrain: () => {
          if (terminal !== null) terminal.#balance()
        },
        onError: (cause) => options.onTrouble?.(recordingError(cause, options.file)),
      },
      (part) => ('bytes' in part ? ring.push(part.bytes) : ring.jump(ring.end + part.gap)),
    )
    terminal = new Terminal(options, ring, recording, state)
    return terminal
  }

  get view(): TerminalView {
    const { id, place, title } = this.#options
    return { id, place, title, state: this.#state, exitCode: this.#exitCode }
  }
  get shellId(): string {
    return this.#options.shellId
  }
  /** stream offsets of the bytes at hand */
  get range(): { start: number; end: number } {
    return { start: this.#ring.start, end: this.#ring.end }
  }

  /**
   * Attaches to the shell unless that was done; two callers share one attempt.
   * @throws LabError what the cluster said; `backend-unavailable` when there is no cluster
   */
  attach(): Promise<void> {
    if (this.#ended || this.#shell !== null) return Promise.resolve()
    this.#attaching ??= this.#attachOnce().finally(() => {
      this.#attaching = null
    })
    return this.#attaching
  }

  async #attachOnce(): Promise<void> {
    const cluster = this.#options.cluster()
    if (cluster === null)
      throw new LabError(
        'backend-unavailable',
        { en: 'This session has no cluster at the moment.', ko: '지금은 이 실습에 클러스터가 없습니다.' },
        { hint: { en: 'Wait until the lab is ready.', ko: '실습이 준비될 때까지 기다리세요.' } },
      )
    const asked = Math.max(0, this.#ring.end - this.#base)
    const shell = await cluster.shell(this.#options.place, { id: this.#options.shellId, size: this.#size, from: asked })
    if (this.#ended) {
      await shell.detach()
      return
    }
    if (shell.offset < asked) this.#base = this.#ring.end - shell.offset
    const offset = shell.offset + this.#base
    if (offset > this.#ring.end) {
      this.#recording.gap(offset - this.#ring.end)
      this.#ring.jump(offset)
    }
    this.#shell = shell
    this.#paused = false
    this.#failures = 0
    // onEnd first: output may be delivered as soon as both are set.
    shell.onEnd((end) => this.#onEnd(shell, end))
    shell.onOutput((bytes, at) => this.#onOutput(shell, bytes, at + this.#base))
    for (const bytes of this.#input.splice(0)) shell.write(bytes)
    this.#inputBytes = 0
    if (this.#state !== 'open') this.#change('open')
    this.#pumpAll()
  }

  #onOutput(shell: Shell, bytes: Uint8Array, offset: number): void {
    if (shell !== this.#shell) return
    const known = this.#ring.end - offset
    if (known >= bytes.byteLength) return
    const fresh = known > 0 ? bytes.subarray(known) : bytes
    if (known < 0) {
      this.#recording.gap(-known)
      this.#ring.jump(offset)
    }
    this.#ring.push(fresh)
    this.#recording.output(fresh)
    this.#pumpAll()
  }

  #onEnd(shell: Shell, end: { kind: 'exit'; exitCode: number } | { kind: 'lost'; message: string }): void {
    if (shell !== this.#shell) return
    this.#shell = null
    if (end.kind === 'exit') {
      this.#finish(end.exitCode)
      return
    }
    this.#change('lost')
    this.#options.onTrouble?.(
      new LabError('backend-unavailable', {
        en: `The connection to the shell on ${this.#options.place} broke: ${end.message}`,
        ko: `${this.#options.place}의 셸과 연결이 끊겼습니다: ${end.message}`,
      }),
    )
    this.#reattachLater()
  }

  #reattachLater(): void {
    if (this.#ended) return
    this.#cancelReattach?.()
    const wait = reattachMs[Math.min(this.#failures, reattachMs.length - 1)]!
    this.#failures += 1
    this.#cancelReattach = this.#clock.after(wait, () => this.reattach())
  }

  /** Attaches in the background; when that fails the terminal is shown as lost and tried again by itself. */
  attachOrRetry(): void {
    if (this.#ended || this.#shell !== null || this.#cancelReattach !== null) return
    this.attach().catch((thrown: unknown) => {
      if (this.#state !== 'lost') this.#change('lost')
      this.#options.onTrouble?.(asLabError(thrown))
      this.#reattachLater()
    })
  }

  /** Attaches now, for when what was gone is back. Does nothing when attached or ended. */
  reattach(): void {
    this.#cancelReattach?.()
    this.#cancelReattach = null
    this.attachOrRetry()
  }

  /** A page that looks on, from byte `from` on. `sink.opened` is called before this returns. */
  watch(sink: Sink, from: number): Viewer {
    const { start, end } = this.range
    // A page may be ahead of a server that was killed before its recording reached the disk: the shell gives those bytes again.
    const position = from > end + this.#unacked ? end : Math.max(from, start)
    const page: Page = { sink, sent: position, acked: position, loose: false }
    this.#pages.add(page)
    sink.opened(position, Math.max(0, position - from), end)
    this.#pump(page)
    this.#balance()
    return {
      ack: (offset) => {
        if (offset <= page.acked || offset > page.sent) return
        page.acked = offset
        if (page.loose && page.sent - page.acked < this.#unacked) page.loose = false
        this.#pump(page)
        this.#balance()
      },
      close: () => {
        this.#pages.delete(page)
        this.#balance()
      },
    }
  }

  #pump(page: Page): void {
    while (this.#pages.has(page)) {
      if (page.sent < this.#ring.start) {
        const lost = this.#ring.start - page.sent
        page.sent = this.#ring.start
        page.acked = this.#ring.start
        page.sink.opened(page.sent, lost, this.#ring.end)
      }
      const room = Math.min(chunkBytes, this.#unacked - (page.sent - page.acked), this.#ring.end - page.sent)
      if (room <= 0) return
      const offset = page.sent
      page.sent += room
      page.sink.output(this.#ring.read(offset, room), offset)
    }
  }
  #pumpAll(): void {
    for (const page of this.#pages) if (!page.loose) this.#pump(page)
    this.#balance()
  }

  /** Lets the shell run or wait. With nobody looking it runs: ring and recording take what it says. */
  #balance(): void {
    if (this.#shell === null) return
    let behind = 0
    for (const page of this.#pages) if (!page.loose) behind = Math.max(behind, this.#ring.end - page.acked)
    const full = behind >= this.#unacked || this.#recording.pending > recordingHigh
    const free = behind < this.#unacked / 2 && this.#recording.pending <= recordingHigh / 2
    if (!this.#paused && full) {
      this.#paused = true
      this.#shell.pause()
    } else if (this.#paused && free) {
      this.#paused = false
      this.#shell.resume()
    }
    if (behind >= this.#unacked) this.#watchForStall()
    else {
      this.#stall?.cancel()
      this.#stall = null
    }
  }

  #watchForStall(): void {
    const stallMs = this.#options.stallMs ?? { others: 3000, alone: 30_000 }
    const waiting = [...this.#pages].filter((page) => !page.loose)
    const others = waiting.some((page) => this.#ring.end - page.acked < this.#unacked)
    // Alone, a page has longer; once another has caught up and waits for it, it has not.
    if (this.#stall !== null && (this.#stall.others || !others)) return
    this.#stall?.cancel()
    const acked = new Map(waiting.map((page) => [page, page.acked]))
    const cancel = this.#clock.after(others ? stallMs.others : stallMs.alone, () => {
      this.#stall = null
      for (const [page, then] of acked)
        if (this.#pages.has(page) && page.acked === then && this.#ring.end - then >= this.#unacked) page.loose = true
      this.#balance()
    })
    this.#stall = { cancel, others }
  }

  /** Keys from a page. While the shell is being attached, 64 KiB are kept for it. */
  input(bytes: Uint8Array): void {
    if (this.#ended) return
    this.#recording.input(bytes)
    if (this.#shell !== null) this.#shell.write(bytes)
    else if (this.#attaching !== null && this.#inputBytes + bytes.byteLength <= limits.inputBytes) {
      this.#input.push(bytes.slice())
      this.#inputBytes += bytes.byteLength
    }
  }

  /** The newest size of any page counts. */
  resize(size: Size): void {
    if (this.#ended || (size.cols === this.#size.cols && size.rows === this.#size.rows)) return
    this.#size = size
    this.#recording.size(size)
    this.#shell?.resize(size)
  }

  #change(state: TerminalView['state']): void {
    this.#state = state
    this.#options.onChange(this.view)
  }
  #finish(exitCode: number | null): void {
    this.#ended = true
    this.#cancelReattach?.()
    this.#stall?.cancel()
    this.#stall = null
    this.#exitCode = exitCode
    void this.#recording.close().catch((cause: unknown) => this.#options.onTrouble?.(recordingError(cause, this.#options.file)))
    this.#change('closed')
  }

  /** All that was recorded is on disk. */
  settled(): Promise<void> {
    return this.#recording.settled()
  }

  /** Ends the shell and the recording; what is in the ring can still be looked at. */
  async close(): Promise<void> {
    if (this.#ended) return
    const shell = this.#shell
    this.#shell = null
    this.#finish(null)
    await shell?.kill()
  }

  /** Lets go of the shell, which runs on, and puts the recording on disk: for when this server ends. */
  async detach(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    this.#cancelReattach?.()
    this.#stall?.cancel()
    const shell = this.#shell
    this.#shell = null
    // Bytes of an unfinished character stay unrecorded, the shell gives them again.
    await Promise.all([shell?.detach(), this.#recording.release()])
  }
}

function recordingError(cause: unknown, file: string): LabError {
  const full = cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC'
  return full
    ? new LabError('disk-full', `The disk is full: the recording of this terminal has stopped (${file}). The terminal itself goes on.`, {
        hint: 'Free some space; terminals opened from then on are recorded again.',
        cause,
      })
    : new LabError('internal', `The recording of this terminal has stopped, it cannot be written (${file}). The terminal itself goes on.`, {
        cause,
      })
}
