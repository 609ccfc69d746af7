// The worker processes of one data directory: found again, started, watched, and what one of them leaves behind when it dies brought back
// in another. Knows nothing of what a lab is.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { asLabError, LabError } from '#lib/protocol/index.ts'
import { wait } from '../api.ts'
import { socketPath } from './place.ts'
import { type LabView, Peer, type StreamHead, wireVersion } from './wire.ts'

export interface WorkersOptions {
  dir: string
  /** folder of what sandboxes share, lives on */
  cache: string
  /** the program of a worker; gets one argument, JSON of WorkerArguments */
  program: string
  version: string
  /** labs in one process */
  perWorker: number
  log(line: string): void
  onClock(lab: string, now: number, rate: number): void
  /** the worker of these labs has died or left; they wait to be loaded elsewhere */
  onLost(labs: readonly string[], link: WorkerLink): void
}
export interface WorkerArguments {
  dir: string
  /** for what sandboxes share */
  cache: string
  name: string
  version: string
}
type StreamListener = (head: StreamHead | { lost: string }, bytes: Buffer) => void
const nothing = Buffer.alloc(0)
const bootMs = 60_000
/** Of Node. Labs leave little garbage that lives: young space beyond 4 MiB costs each process 45 MiB and makes no lab start sooner. */
const workerFlags = ['--disable-warning=ExperimentalWarning', '--max-old-space-size=1536', '--max-semi-space-size=4']
/** A worker that has not answered for so long is stuck, and is ended, so that its labs come back elsewhere. */
const pingMs = 15_000
const stuckMs = 90_000

/** Streams of shells over one connection. */
class Streams {
  #serial = 0
  readonly #listeners = new Map<number, StreamListener>()
  add(listener: StreamListener): { stream: number; forget(): void } {
    this.#serial += 1
    const stream = this.#serial
    this.#listeners.set(stream, listener)
    return { stream, forget: () => this.#listeners.delete(stream) }
  }
  got(head: StreamHead, bytes: Buffer): void {
    this.#listeners.get(head.stream)?.(head, bytes)
  }
  lose(message: string): void {
    const all = [...this.#listeners.values()]
    this.#listeners.clear()
    for (const listener of all) listener({ lost: message }, nothing)
  }
}

/** One worker process, for as long as it lives. */
export class WorkerLink {
  readonly name: string
  readonly streams = new Streams()
  readonly #dir: string
  readonly #connected: Peer
  #answered = performance.now()
  #asked = false
  /** ids of its labs, those that are being made included */
  readonly labs = new Set<string>()
  gone = false
  leaving = false
  /** how the process ended, where that is known */
  ended: string | undefined

  constructor(name: string, dir: string, peer: Peer) {
    this.name = name
    this.#dir = dir
    this.#connected = peer
  }
  /** @throws LabError backend-unavailable */
  async peer(): Promise<Peer> {
    if (!this.gone) return this.#connected
    throw new LabError('backend-unavailable', 'The process that ran this simulated cluster has ended.', {
      hint: 'The lab comes back by itself, as it was a moment ago.',
    })
  }
  /** milliseconds for which it has not answered; asks again */
  silence(): number {
    if (!this.#asked) {
      this.#answered = performance.now()
      this.#asked = true
      this.#connected.call('ping', null).then(
        () => {
          this.#asked = false
        },
        () => {},
      )
    }
    return performance.now() - this.#answered
  }
  /** Ends a lab and leaves nothing of it, the worker alive or not. */
  async destroyed(id: string): Promise<void> {
    this.labs.delete(id)
    if (!this.gone) await this.#connected.call('destroy', { lab: id }).catch(() => {})
    await rm(join(this.#dir, 'labs', id), { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  }
}

export class Workers {
  readonly #options: WorkersOptions
  readonly #links = new Map<string, WorkerLink>()
  #serial = 0
  #found: Promise<LabView[]> | undefined

  constructor(options: WorkersOptions) {
    this.#options = options
  }
  get links(): readonly WorkerLink[] {
    return [...this.#links.values()]
  }
  linkOf(lab: string): WorkerLink | undefined {
    return this.links.find((link) => link.labs.has(lab))
  }

  /**
   * Looks for workers that an earlier run left. What does not listen any more is cleaned away; what is of another version is asked to
   * write down its labs and leave.
   * @returns the labs that run
   */
  find(): Promise<LabView[]> {
    this.#found ??= this.#find().finally(() => {
      this.#found = undefined
    })
    return this.#found
  }
  async #find(): Promise<LabView[]> {
    const labs: LabView[] = []
    for (const name of await readdir(join(this.#options.dir, 'workers')).catch(() => [] as string[])) {
      const known = this.#links.get(name)
      if (known !== undefined) {
        const { answer } = await (await known.peer()).call('hello', { version: this.#options.version })
        labs.push(...answer.labs)
        continue
      }
      const socket = await this.#connect(name).catch(() => undefined)
      if (socket === undefined) {
        await rm(join(this.#options.dir, 'workers', name), { recursive: true, force: true })
        continue
      }
      const found = await this.#greet(name, socket).catch((error: unknown) => {
        this.#options.log(`worker ${name} does not answer: ${asLabError(error).message}`)
        socket.destroy()
        return undefined
      })
      if (found === undefined) continue
      if (found.wire === wireVersion && found.version === this.#options.version) labs.push(...found.labs)
      else await this.#dismiss(found.link)
    }
    return labs
  }

  /** A worker with room for one more lab, started when there is none; `id` takes the place. @throws LabError backend-unavailable */
  async room(id: string): Promise<WorkerLink> {
    // One after the other, so that two labs do not take the same last place or start two processes.
    const mine = this.#turn.then(async () => {
      const free = this.links.filter((link) => !link.gone && !link.leaving && link.labs.size < this.#options.perWorker)
      // The fullest first: a process that is not needed any more can empty.
      const link = free.sort((a, b) => b.labs.size - a.labs.size)[0] ?? (await this.#start())
      link.labs.add(id)
      return link
    })
    this.#turn = mine.catch(() => {})
    return mine
  }
  #turn: Promise<unknown> = Promise.resolve()

  /** Lets go of all of them; they run on. */
  close(): void {
    for (const link of this.links) {
      link.leaving = true
      void link.peer().then((peer) => peer.close())
    }
  }

  async #start(): Promise<WorkerLink> {
    const { cache, dir, program, version } = this.#options
    this.#serial += 1
    const name = `${process.pid.toString(36)}-${Date.now().toString(36)}-${this.#serial}`
    const at = join(dir, 'workers', name)
    await mkdir(at, { recursive: true, mode: 0o700 })
    await mkdir(join(dir, 'labs'), { recursive: true, mode: 0o700 })
    const output = openSync(join(at, 'output'), 'a', 0o600)
    let child: ChildProcess
    try {
      const told: WorkerArguments = { dir, cache, name, version }
      child = spawn(process.execPath, [...workerFlags, program, JSON.stringify(told)], {
        cwd: dir,
        detached: true,
        stdio: ['ignore', output, output],
        env: environment(),
      })
    } finally {
      closeSync(output)
    }
    child.unref()
    let ended: string | undefined
    child.once('error', (error) => {
      ended = error.message
    })
    child.once('exit', (code, signal) => {
      ended ??= `it ended with ${signal ?? code}`
    })
    const limit = performance.now() + bootMs
    for (;;) {
      const socket = await this.#connect(name).catch(() => undefined)
      if (socket !== undefined) {
        const { link } = await this.#greet(name, socket)
        child.once('exit', (code, signal) => {
          link.ended = `${signal ?? `exit code ${code}`}`
        })
        return link
      }
      if (ended !== undefined || performance.now() > limit) {
        const said = await readFile(join(at, 'output'), 'utf8').catch(() => '')
        if (ended === undefined) child.kill('SIGKILL')
        await rm(at, { recursive: true, force: true })
        throw new LabError(
          'backend-unavailable',
          `The process for simulated clusters did not start: ${ended ?? 'it does not listen'}. ${/^\w*Error\b.*$/m.exec(said)?.[0] ?? said.trim().slice(-300)}`.trim(),
          { hint: 'The server log says more; `npm run doctor` looks at the machine.' },
        )
      }
      await wait(25)
    }
  }

  #connect(name: string): Promise<Socket> {
    return new Promise((resolve, reject) => {
      let release = () => {}
      try {
        const place = socketPath(this.#options.dir, name)
        release = place.release
        const socket = connect(place.path)
        socket.once('connect', () => {
          release()
          socket.removeAllListeners('error')
          resolve(socket)
        })
        socket.once('error', (error) => {
          release()
          reject(error)
        })
      } catch (error) {
        release()
        reject(error as Error)
      }
    })
  }
  async #greet(name: string, socket: Socket): Promise<{ link: WorkerLink; wire: number; version: string; labs: LabView[] }> {
    let link: WorkerLink | undefined
    const peer = new Peer(socket, {
      onStream: (head, bytes) => link?.streams.got(head, bytes),
      onClock: this.#options.onClock,
      onClose: () => {
        if (link !== undefined) this.#lost(link)
      },
    })
    const made = new WorkerLink(name, this.#options.dir, peer)
    link = made
    const timer = setTimeout(() => peer.close(), 30_000)
    try {
      const { answer } = await peer.call('hello', { version: this.#options.version })
      for (const lab of answer.labs) made.labs.add(lab.id)
      this.#links.set(name, made)
      this.#guard(made, answer.pid)
      return { link: made, wire: answer.wire, version: answer.version, labs: answer.labs }
    } catch (error) {
      link = undefined
      throw error
    } finally {
      clearTimeout(timer)
    }
  }
  #guard(link: WorkerLink, pid: number): void {
    const timer = setInterval(() => {
      if (link.gone) return clearInterval(timer)
      if (link.silence() < stuckMs) return
      clearInterval(timer)
      this.#options.log(`worker ${link.name} has not answered for ${stuckMs / 1000} s and is ended`)
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // it has just ended by itself
      }
    }, pingMs)
    timer.unref()
  }
  async #dismiss(link: WorkerLink): Promise<void> {
    link.leaving = true
    this.#options.log(`worker ${link.name} runs another version: its labs are written down and move`)
    const peer = await link.peer()
    await peer.call('leave', null).catch(() => {})
    for (let tries = 0; !peer.closed && tries < 600; tries++) await wait(100)
    peer.close()
  }
  #lost(link: WorkerLink): void {
    if (link.gone) return
    link.gone = true
    this.#links.delete(link.name)
    link.streams.lose('The process that ran this shell has ended; a new shell can be started.')
    const labs = [...link.labs]
    if (link.leaving) return
    void (async () => {
      const tail = async (file: string) =>
        (await readFile(join(this.#options.dir, 'workers', link.name, file), 'utf8').catch(() => '')).trim().slice(-2000)
      // How it ended is known a moment after its connection broke.
      for (let tries = 0; link.ended === undefined && tries < 20; tries++) await wait(10)
      const how = link.ended === undefined ? '' : `: ${link.ended}`
      this.#options.log(`worker ${link.name} with ${labs.length} labs has ended${how}. ${await tail('output')} ${await tail('log')}`.trim())
      await rm(join(this.#options.dir, 'workers', link.name), { recursive: true, force: true })
      this.#options.onLost(labs, link)
    })()
  }
}

/** What a worker may know of the server's environment: no secrets. */
function environment(): NodeJS.ProcessEnv {
  const names = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'XDG_CACHE_HOME', 'KUBEMEND_CACHE']
  const kept = names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name] as string]]))
  return { NODE_ENV: 'production', ...Object.fromEntries(kept) }
}
