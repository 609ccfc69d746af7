// Learners' shells: the program `hold` keeps them running inside the machine, this connects to it through Docker. Decodes hold's frames
// and carries back-pressure through: while paused, the socket is not read, so hold stops reading the terminal.
import { LabError } from '#lib/protocol/index.ts'
import type { Shell, ShellRequest, Size } from '../port.ts'
import { type Attached, Demultiplexer, type Docker, dockerError } from './docker.ts'

const frameType = { output: 1, hello: 2, exit: 3, resize: 4 } as const
const frameLimit = 8 * 1024 * 1024
type End = Parameters<Parameters<Shell['onEnd']>[0]>[0]

/** A frame as hold reads and writes it: [type u8][length u32 BE][payload]. */
export function encodeFrame(type: number, payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(5 + payload.byteLength)
  frame.writeUInt8(type, 0)
  frame.writeUInt32BE(payload.byteLength, 1)
  frame.set(payload, 5)
  return frame
}
/** Takes bytes as they come and gives out whole frames. */
export class FrameReader {
  private pending: Buffer[] = []
  private size = 0
  push(chunk: Buffer): { type: number; payload: Buffer }[] {
    const frames: { type: number; payload: Buffer }[] = []
    this.pending.push(chunk)
    this.size += chunk.length
    while (this.size >= 5) {
      if (this.pending[0]!.length < 5) this.pending = [Buffer.concat(this.pending)]
      const length = this.pending[0]!.readUInt32BE(1)
      if (length > frameLimit) throw new LabError('internal', `A frame of ${length} bytes came from the shell's keeper.`)
      if (this.size < 5 + length) break
      const all = this.pending.length === 1 ? this.pending[0]! : Buffer.concat(this.pending)
      const rest = all.subarray(5 + length)
      this.pending = rest.length > 0 ? [rest] : []
      this.size = rest.length
      frames.push({ type: all[0]!, payload: all.subarray(5, 5 + length) })
    }
    return frames
  }
}

export interface HoldOptions {
  user: string
  cwd: string
  argv: readonly string[]
}

/** Starts the shell unless it runs already, and attaches. */
export async function openShell(docker: Docker, container: string, request: ShellRequest, options: HoldOptions): Promise<Shell> {
  if (!/^[a-z0-9-]{1,64}$/.test(request.id)) {
    throw new LabError('bad-request', `"${request.id}" cannot name a shell.`, {
      hint: 'Use 1 to 64 lower-case letters, digits and dashes.',
    })
  }
  const { id, size } = request
  const start = [
    'hold',
    'start',
    '--id',
    id,
    '--cols',
    String(size.cols),
    '--rows',
    String(size.rows),
    '--user',
    options.user,
    '--cwd',
    options.cwd,
  ]
  const started = await docker.exec(container, [...start, '--', ...options.argv], { user: 'root' })
  if (started.exitCode !== 0) {
    const refused = started.exitCode === 4
    throw new LabError(
      refused ? 'capacity-exceeded' : 'internal',
      `The shell could not be started: ${started.stderr.trim() || started.stdout.trim()}`,
      refused ? { hint: 'Close a terminal.' } : {},
    )
  }
  const attached = await docker.attach(container, ['hold', 'attach', '--id', id, '--from', String(request.from ?? 0)], {
    user: 'root',
    stdin: true,
  })
  const kill = async () => {
    const killed = await docker.exec(container, ['hold', 'kill', '--id', id], { user: 'root' })
    if (killed.exitCode !== 0 && killed.exitCode !== 3)
      throw new LabError('internal', `The shell could not be ended: ${killed.stderr.trim()}`)
  }
  const shell = new HeldShell(id, attached, kill)
  await shell.greeted
  shell.resize(size)
  return shell
}

class HeldShell implements Shell {
  readonly id: string
  offset = 0
  lost = 0
  /** settles when hold has said where its bytes begin */
  readonly greeted: Promise<void>
  private next = 0
  private output: ((bytes: Uint8Array, offset: number) => void) | undefined
  private ended: ((end: End) => void) | undefined
  private end: End | undefined
  private told = false
  private paused = false
  private closing = false
  private queue: Buffer[] = []
  private stderr = ''
  private readonly attached: Attached
  private readonly killIt: () => Promise<void>

  constructor(id: string, attached: Attached, kill: () => Promise<void>) {
    this.id = id
    this.attached = attached
    this.killIt = kill
    let greet: () => void
    let refuse: (error: LabError) => void
    this.greeted = new Promise((resolve, reject) => {
      greet = resolve
      refuse = reject
    })
    const frames = new FrameReader()
    const onFrame = ({ type, payload }: { type: number; payload: Buffer }) => {
      if (type === frameType.hello) {
        const hello = JSON.parse(payload.toString('utf8')) as { offset: number; lost: number }
        this.offset = hello.offset
        this.lost = hello.lost
        this.next = hello.offset
        greet()
        // Nothing is read until somebody listens.
        this.attached.input.pause()
      } else if (type === frameType.output) this.queue.push(payload)
      else if (type === frameType.exit)
        this.end = { kind: 'exit', exitCode: (JSON.parse(payload.toString('utf8')) as { exitCode: number }).exitCode }
    }
    const demultiplexer = new Demultiplexer((stream, bytes) => {
      if (stream === 'stderr') this.stderr = (this.stderr + bytes.toString('utf8')).slice(-2000)
      else for (const frame of frames.push(bytes)) onFrame(frame)
    })
    const over = (message: string) => {
      this.end ??= { kind: 'lost', message }
      refuse(new LabError('internal', `The shell could not be attached to: ${this.stderr.trim() || message}`))
      this.pump()
    }
    attached.input.on('data', (chunk: Buffer) => {
      try {
        demultiplexer.push(chunk)
      } catch (error) {
        attached.input.destroy()
        over((error as Error).message)
      }
      this.pump()
    })
    attached.input.on('end', () => over('The connection to the shell has ended.'))
    attached.input.on('close', () => over('The connection to the shell has ended.'))
    attached.input.on('error', (error: Error) => over(dockerError(error, 'keep the connection to a shell').message))
  }

  private pump(): void {
    if (!this.output || !this.ended || this.closing) return
    while (!this.paused && this.queue.length > 0) {
      const bytes = this.queue.shift()!
      const offset = this.next
      this.next += bytes.length
      this.output(bytes, offset)
    }
    if (this.end && !this.paused && this.queue.length === 0 && !this.told) {
      this.told = true
      this.attached.input.destroy()
      this.ended(this.end)
    }
  }
  private listen(): void {
    if (!this.output || !this.ended) return
    queueMicrotask(() => {
      this.pump()
      if (!this.paused) this.attached.input.resume()
    })
  }
  onOutput(listener: (bytes: Uint8Array, offset: number) => void): void {
    this.output = listener
    this.listen()
  }
  onEnd(listener: (end: End) => void): void {
    this.ended = listener
    this.listen()
  }
  private send(type: number, payload: Uint8Array): void {
    if (!this.end && !this.closing && this.attached.input.writable) this.attached.input.write(encodeFrame(type, payload))
  }
  write(bytes: Uint8Array): void {
    this.send(frameType.output, bytes)
  }
  resize(size: Size): void {
    this.send(frameType.resize, Buffer.from(JSON.stringify({ cols: size.cols, rows: size.rows })))
  }
  pause(): void {
    this.paused = true
    this.attached.input.pause()
  }
  resume(): void {
    if (!this.paused) return
    this.paused = false
    this.pump()
    if (!this.paused && this.output && this.ended) this.attached.input.resume()
  }
  async detach(): Promise<void> {
    this.closing = true
    this.attached.input.end()
    this.attached.input.destroy()
  }
  async kill(): Promise<void> {
    await this.killIt()
    await this.detach()
  }
}
