// A shell that a worker holds, seen from the server: a stream with credit. What is delivered is acknowledged, so that a client that pauses
// makes the shell wait, and at most a window of output is held here. Knows nothing of labs.
import { LabError } from '#lib/protocol/index.ts'
import type { Shell, ShellRequest, Size } from '../port.ts'
import { type Peer, type StreamHead, windowBytes } from './wire.ts'
import type { WorkerLink } from './workers.ts'

type End = Parameters<Parameters<Shell['onEnd']>[0]>[0]

export class RemoteShell implements Shell {
  readonly id: string
  offset = 0
  lost = 0
  readonly #peer: Peer
  readonly #stream: number
  readonly #forget: () => void
  readonly #queue: { bytes: Buffer; offset: number }[] = []
  readonly #kill: () => Promise<void>
  #owed = 0
  #output: ((bytes: Uint8Array, offset: number) => void) | undefined
  #ended: ((end: End) => void) | undefined
  #end: End | undefined
  #paused = false
  #over = false
  #pumping = false

  private constructor(link: WorkerLink, peer: Peer, id: string, kill: () => Promise<void>) {
    this.id = id
    this.#peer = peer
    this.#kill = kill
    const { forget, stream } = link.streams.add((head, bytes) => this.#got(head, bytes))
    this.#stream = stream
    const held = peer.hold()
    this.#forget = () => {
      held.release()
      forget()
    }
  }

  /** @throws LabError as the port says */
  static async open(link: WorkerLink, lab: string, where: string, request: ShellRequest): Promise<RemoteShell> {
    const peer = await link.peer()
    const shell = new RemoteShell(link, peer, request.id, async () => {
      await (await link.peer()).call('kill', { lab, where, id: request.id })
    })
    try {
      const { answer } = await peer.call('shell', {
        lab,
        where,
        id: request.id,
        size: request.size,
        from: request.from ?? 0,
        stream: shell.#stream,
      })
      shell.offset = answer.offset
      shell.lost = answer.lost
      return shell
    } catch (error) {
      shell.#forget()
      throw error
    }
  }

  onOutput(listener: (bytes: Uint8Array, offset: number) => void): void {
    this.#output = listener
    queueMicrotask(() => this.#pump())
  }
  onEnd(listener: (end: End) => void): void {
    this.#ended = listener
    queueMicrotask(() => this.#pump())
  }
  write(bytes: Uint8Array): void {
    if (this.#end?.kind !== 'exit') this.#live().stream({ stream: this.#stream, input: true }, bytes)
  }
  resize(size: Size): void {
    if (this.#end?.kind !== 'exit') this.#live().stream({ stream: this.#stream, resize: size })
  }
  pause(): void {
    this.#paused = true
  }
  resume(): void {
    this.#paused = false
    this.#pump()
  }
  async detach(): Promise<void> {
    this.#over = true
    this.#forget()
    this.#peer.stream({ stream: this.#stream, detach: true })
  }
  async kill(): Promise<void> {
    await this.#kill()
  }

  #live(): Peer {
    if (this.#over) throw new LabError('conflict', `The connection to shell ${this.id} is closed.`, { hint: 'Attach to it again.' })
    return this.#peer
  }
  #got(head: StreamHead | { lost: string }, bytes: Buffer): void {
    if ('output' in head) this.#queue.push({ bytes: Buffer.from(bytes), offset: head.output })
    else if ('end' in head) this.#end ??= head.end
    else if ('lost' in head) this.#end ??= { kind: 'lost', message: head.lost }
    this.#pump()
  }
  #pump(): void {
    if (!this.#output || !this.#ended || this.#pumping) return
    this.#pumping = true
    while (!this.#paused && !this.#over) {
      const next = this.#queue.shift()
      if (next === undefined) break
      this.#output(next.bytes, next.offset)
      this.#owed += next.bytes.length
      if (this.#owed >= windowBytes / 4 || this.#queue.length === 0) {
        this.#peer.stream({ stream: this.#stream, taken: this.#owed })
        this.#owed = 0
      }
    }
    this.#pumping = false
    if (this.#over || this.#paused || this.#queue.length > 0 || this.#end === undefined) return
    this.#over = true
    this.#forget()
    this.#ended(this.#end)
  }
}
