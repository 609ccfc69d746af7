// A shell that is held where it runs: a ring buffer of its output with byte offsets, and attachments to it that come and go, as the port
// asks. It lives in this process. Knows nothing of how the shell was started.
import { LabError } from '#lib/protocol/index.ts'
import type { Shell, ShellRequest, Size } from './port.ts'

const ringBytes = 4 * 1024 * 1024
type End = Parameters<Parameters<Shell['onEnd']>[0]>[0]

/** A process on a terminal, whoever runs it. Output comes in the order in which it was written. */
export interface Pty {
  onData(listener: (bytes: Uint8Array) => void): void
  onExit(listener: (code: number) => void): void
  /** in order; waits by itself while the terminal takes no more */
  write(bytes: Uint8Array): void
  resize(size: Size): void
  pause(): void
  resume(): void
  /** with everything that it started */
  kill(): void
}

/** One running shell and the last `ringBytes` of what it wrote. */
export class HeldShell {
  readonly pty: Pty
  /** bytes written since the shell began */
  end = 0
  exitCode: number | undefined
  private ring: Buffer[] = []
  private ringSize = 0
  private readonly attached = new Set<Attachment>()

  constructor(pty: Pty) {
    this.pty = pty
    pty.onData((data) => {
      const bytes = Buffer.from(data)
      if (bytes.length === 0) return
      this.ring.push(bytes)
      this.ringSize += bytes.length
      this.end += bytes.length
      while (this.ringSize - this.ring[0]!.length >= ringBytes) this.ringSize -= this.ring.shift()!.length
      for (const attachment of [...this.attached]) attachment.pump()
    })
    pty.onExit((code) => {
      this.exitCode = code
      for (const attachment of [...this.attached]) attachment.pump()
    })
  }
  get start(): number {
    return this.end - this.ringSize
  }
  /** the stored bytes from `offset` on, at most one stored chunk */
  chunkAt(offset: number): Buffer | undefined {
    let at = this.start
    for (const chunk of this.ring) {
      if (offset < at + chunk.length) return chunk.subarray(Math.max(0, offset - at))
      at += chunk.length
    }
    return undefined
  }
  attach(id: string, request: ShellRequest): Attachment {
    if (this.exitCode === undefined) this.pty.resize(request.size)
    const attachment = new Attachment(id, this, request.from ?? 0, () => {
      this.attached.delete(attachment)
      this.flow()
    })
    this.attached.add(attachment)
    return attachment
  }
  /** the pty is read only while every attached client takes what it gets */
  flow(): void {
    if (this.exitCode !== undefined) return
    if ([...this.attached].some((attachment) => attachment.paused)) this.pty.pause()
    else this.pty.resume()
  }
  kill(): void {
    this.drop({ kind: 'exit', exitCode: 129 })
    if (this.exitCode === undefined) this.pty.kill()
  }
  /** Breaks every connection to it. */
  drop(end: End): void {
    for (const attachment of [...this.attached]) attachment.finish(end)
  }
}

/** One client of a held shell. */
export class Attachment implements Shell {
  readonly id: string
  readonly offset: number
  readonly lost: number
  paused = false
  private next: number
  private output: ((bytes: Uint8Array, offset: number) => void) | undefined
  private ended: ((end: End) => void) | undefined
  private pending: End | undefined
  private finished = false
  private readonly held: HeldShell
  private readonly leave: () => void

  constructor(id: string, held: HeldShell, from: number, leave: () => void) {
    this.id = id
    this.held = held
    this.leave = leave
    this.offset = Math.min(Math.max(from, held.start), held.end)
    this.lost = Math.max(0, held.start - from)
    this.next = this.offset
  }
  onOutput(listener: (bytes: Uint8Array, offset: number) => void): void {
    this.output = listener
    queueMicrotask(() => this.pump())
  }
  onEnd(listener: (end: End) => void): void {
    this.ended = listener
    queueMicrotask(() => this.pump())
  }
  pump(): void {
    if (!this.output || !this.ended) return
    while (!this.paused && !this.finished) {
      const chunk = this.held.chunkAt(this.next)
      if (!chunk) break
      const offset = this.next
      this.next += chunk.length
      this.output(chunk, offset)
    }
    if (this.finished || this.paused) return
    const end = this.pending ?? (this.held.exitCode === undefined ? undefined : ({ kind: 'exit', exitCode: this.held.exitCode } as const))
    if (end) this.finish(end)
  }
  finish(end: End): void {
    if (this.finished) return
    if (!this.ended) {
      this.pending = end
      return
    }
    this.finished = true
    this.leave()
    this.ended(end)
  }
  private live(): HeldShell {
    if (this.finished) throw new LabError('conflict', `The connection to shell ${this.id} is closed.`, { hint: 'Attach to it again.' })
    return this.held
  }
  write(bytes: Uint8Array): void {
    if (this.held.exitCode === undefined) this.live().pty.write(bytes)
  }
  resize(size: Size): void {
    if (this.held.exitCode === undefined) this.live().pty.resize(size)
  }
  pause(): void {
    this.paused = true
    this.held.flow()
  }
  resume(): void {
    this.paused = false
    this.held.flow()
    this.pump()
  }
  async detach(): Promise<void> {
    this.finished = true
    this.leave()
  }
  async kill(): Promise<void> {
    this.held.kill()
  }
}
