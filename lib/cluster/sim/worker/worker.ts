// A worker: holds some labs, answers servers on a Unix socket, outlives them. It ends when it has been without a server for long, or is
// told to leave; both ways its labs have been written down. Knows nothing of how labs are spread over workers.
import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { LabError } from '#lib/protocol/index.ts'
import type { Attachment } from '../../held.ts'
import type { Health } from '../../port.ts'
import { socketPath } from '../place.ts'
import { type CallContext, type Handlers, Peer, type StreamHead, windowBytes, wireVersion } from '../wire.ts'
import * as files from './files.ts'
import { type Ground, HeldLab } from './lab.ts'

export interface WorkerOptions extends Ground {
  /** of the sources that it runs; a server of another version asks it to leave */
  version: string
  /** milliseconds without a server after which it ends, with labs and without; default 30 min and 1 min */
  lonelyMs?: { labs: number; empty: number }
  /** called when it has ended */
  onEnd(): void
}
const folderMs = 10_000

interface Open {
  attachment: Attachment
  /** bytes that were sent and not yet taken */
  out: number
}

export class Worker {
  readonly #options: WorkerOptions
  readonly #labs = new Map<string, HeldLab>()
  readonly #peers = new Set<Peer>()
  readonly #server: Server
  #lonely: NodeJS.Timeout | undefined
  #leaving = false

  private constructor(options: WorkerOptions) {
    this.#options = options
    this.#server = createServer((socket) => this.#connected(socket))
  }

  /** Listens. @throws Error when the socket cannot be made */
  static async start(options: WorkerOptions): Promise<Worker> {
    const worker = new Worker(options)
    await mkdir(join(options.dir, 'workers', options.name), { recursive: true, mode: 0o700 })
    await writeFile(join(options.dir, 'workers', options.name, 'pid'), String(process.pid), { mode: 0o600 })
    const { path, release } = socketPath(options.dir, options.name)
    await rm(path, { force: true })
    // The directory is the owner's alone; the socket too, should the directory ever be opened.
    const umask = process.umask(0o077)
    try {
      await new Promise<void>((resolve, reject) => worker.#server.once('error', reject).listen(path, resolve))
    } finally {
      process.umask(umask)
      release()
    }
    worker.#watchLonely()
    setInterval(() => worker.#watchFolder(), folderMs).unref()
    return worker
  }

  #connected(socket: import('node:net').Socket): void {
    const streams = new Map<number, Open>()
    const peer: Peer = new Peer(socket, {
      handlers: this.#handlers(() => peer, streams),
      onStream: (head, bytes) => this.#streamed(streams, head, bytes),
      onClose: (error) => {
        if (error) this.#options.log(`a connection broke: ${error.message}`)
        this.#peers.delete(peer)
        for (const { attachment } of streams.values()) void attachment.detach()
        for (const lab of this.#labs.values()) lab.pace(peer, 1, false)
        this.#watchLonely()
      },
    })
    this.#peers.add(peer)
    this.#watchLonely()
  }
  #watchLonely(): void {
    clearTimeout(this.#lonely)
    if (this.#peers.size > 0 || this.#leaving) return
    const { labs = 30 * 60_000, empty = 60_000 } = this.#options.lonelyMs ?? {}
    this.#lonely = setTimeout(
      () => {
        this.#options.log('no server for long: ending')
        void this.leave()
      },
      this.#labs.size > 0 ? labs : empty,
    )
  }

  /** Who removed the folder wants nothing of what is in it: no lab can be written down or found again. */
  #watchFolder(): void {
    if (this.#peers.size > 0 || this.#leaving || existsSync(join(this.#options.dir, 'workers', this.#options.name, 'pid'))) return
    this.#options.log('its folder is gone: ending')
    void this.leave()
  }

  /** Writes every lab down and ends. */
  async leave(): Promise<void> {
    if (this.#leaving) return
    this.#leaving = true
    clearTimeout(this.#lonely)
    for (const lab of this.#labs.values()) {
      await lab.save().catch((error: unknown) => this.#options.log(`${lab.id} was not written down: ${String(error)}`))
      await lab.close().catch((error: unknown) => this.#options.log(`${lab.id} did not end: ${String(error)}`))
    }
    await this.#options.maker.close?.()
    await rm(join(this.#options.dir, 'workers', this.#options.name), { recursive: true, force: true })
    this.#server.close()
    this.#options.onEnd()
  }

  #keep(lab: HeldLab): HeldLab {
    this.#labs.set(lab.id, lab)
    lab.onClock = () => {
      const now = lab.clock.now()
      for (const peer of this.#peers) peer.clock(lab.id, now, lab.clock.rate)
    }
    return lab
  }
  #lab(id: string): HeldLab {
    const lab = this.#labs.get(id)
    if (lab === undefined) throw new LabError('not-found', `There is no lab ${id}.`, { hint: 'It was ended.' })
    return lab
  }

  #handlers(peer: () => Peer, streams: Map<number, Open>): Handlers {
    const options = this.#options
    const step = async <T>(context: CallContext, name: string, work: () => Promise<T>): Promise<T> => {
      context.note({ step: name, state: 'running' })
      try {
        const result = await work()
        context.note({ step: name, state: 'done' })
        return result
      } catch (error) {
        context.note({ step: name, state: 'failed', detail: (error as Error).message })
        throw error
      }
    }
    return {
      hello: async () => ({
        wire: wireVersion,
        version: options.version,
        pid: process.pid,
        name: options.name,
        labs: [...this.#labs.values()].map((lab) => lab.view()),
      }),
      create: async (ask, context) => {
        if (this.#leaving) throw new LabError('backend-unavailable', 'This worker is ending.', { hint: 'Try again.' })
        const lab = await step(context, 'Booting the simulated nodes', () => HeldLab.create(ask, options, context.signal))
        try {
          await step(context, 'Setting its clock', () => lab.begin())
          if (context.signal.aborted) throw new LabError('cancelled', 'The creation was cancelled.')
        } catch (error) {
          await lab.destroy()
          throw error
        }
        return this.#keep(lab).view()
      },
      load: async ({ id }) => (this.#labs.get(id) ?? this.#keep(await HeldLab.load(id, options))).view(),
      exec: async (ask, { bytes, note, signal }) => {
        const result = await this.#lab(ask.lab).exec(ask.where, ask.argv, {
          user: ask.user,
          cwd: ask.cwd,
          env: ask.env,
          timeoutMs: ask.timeoutMs,
          signal,
          ...(bytes.byteLength > 0 ? { stdin: bytes } : {}),
          ...(ask.notes ? { onData: (chunk: Uint8Array, stream: 'stdout' | 'stderr') => note(stream, chunk) } : {}),
        })
        const stdout = Buffer.from(result.stdout)
        return {
          answer: { exitCode: result.exitCode, split: stdout.length },
          bytes: Buffer.concat([stdout, Buffer.from(result.stderr)]),
        }
      },
      probe: ({ lab, from, target }) => this.#lab(lab).lab.probe(from, target),
      shell: async ({ from, id, lab, size, stream, where }) => {
        const attachment = await this.#lab(lab).shell(where, { id, size, from })
        const open: Open = { attachment, out: 0 }
        streams.set(stream, open)
        attachment.onOutput((bytes, offset) => {
          open.out += bytes.byteLength
          peer().stream({ stream, output: offset }, bytes)
          if (open.out >= windowBytes) attachment.pause()
        })
        // What was written before the end goes out before it: both ways lead through the same queue.
        attachment.onEnd((end) => {
          streams.delete(stream)
          peer().stream({ stream, end })
        })
        return { offset: attachment.offset, lost: attachment.lost }
      },
      kill: async ({ id, lab, where }) => {
        this.#labs.get(lab)?.kill(where, id)
        return null
      },
      read: async ({ lab, path, where }) => ({ answer: null, bytes: files.read(this.#lab(lab).machine(where).files, path) }),
      write: async ({ lab, mode, path, where }, { bytes }) => {
        const held = this.#lab(lab)
        files.write(held.machine(where).files, path, bytes, mode)
        held.touched()
        return null
      },
      list: async ({ lab, path, where }) => files.list(this.#lab(lab).machine(where).files, path),
      unit: async ({ lab, name, where }) => {
        const held = this.#lab(lab)
        held.machine(where)
        const { active, enabled, load, pid, sub } = held.lab.unit(where, name)
        return { load, active, sub, enabled, pid }
      },
      baseline: ({ lab }) => this.#lab(lab).baseline(),
      restore: async ({ home, lab }) => {
        const held = this.#lab(lab)
        return { fingerprint: await held.restore(home), view: held.view() }
      },
      health: async ({ lab }): Promise<Health> => {
        this.#lab(lab)
        return { state: 'ok' }
      },
      ping: async () => null,
      diagnostics: async ({ lab }) => {
        const { files: texts, summary } = await this.#lab(lab).lab.diagnostics()
        return { summary: `simulated cluster ${lab}: ${summary}`, files: texts }
      },
      rate: async ({ ahead, lab, rate, settle }) => {
        const held = this.#lab(lab)
        held.pace(peer(), rate, ahead)
        if (settle) {
          await held.catchUp()
          // What was prepared and broken must not be lost with a worker: the learner's work begins from it.
          await held.save()
        }
        return null
      },
      wait: async ({ lab, ms }, { signal }) => {
        const { clock } = this.#lab(lab)
        await clock.sleep(ms, signal)
        return { now: clock.now(), rate: clock.rate }
      },
      destroy: async ({ lab }) => {
        const held = this.#labs.get(lab)
        this.#labs.delete(lab)
        await held?.destroy()
        return null
      },
      suspend: async ({ lab }) => {
        const held = this.#lab(lab)
        await held.save()
        this.#labs.delete(lab)
        await held.close('The lab was suspended, for nobody looked at it.')
        return null
      },
      leave: async () => {
        // The answer goes out first; the connection breaks when it is done.
        setImmediate(() => void this.leave())
        return null
      },
    }
  }

  #streamed(streams: Map<number, Open>, head: StreamHead, bytes: Buffer): void {
    const open = streams.get(head.stream)
    if (open === undefined) return
    const { attachment } = open
    if ('input' in head) attachment.write(Buffer.from(bytes))
    else if ('resize' in head) attachment.resize(head.resize)
    else if ('taken' in head) {
      open.out -= head.taken
      if (open.out < windowBytes && attachment.paused) attachment.resume()
    } else if ('detach' in head) {
      streams.delete(head.stream)
      void attachment.detach()
    }
  }
}
