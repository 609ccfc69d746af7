// One simulated cluster inside of a worker: its shells that are held, its pace, its snapshots on disk. Knows nothing of sockets.
import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { asLabError, LabError } from '#lib/protocol/index.ts'
import type { Lab, LabDeps, LabSpec, ProcessHost, SimClock, Snapshot } from '#lib/sim/index.ts'
import { type Attachment, HeldShell } from '../../held.ts'
import type { ClusterSpec, Fingerprint, NodeInfo, Size, Where } from '../../port.ts'
import type { LabView } from '../wire.ts'

/** As much of a lab as a worker uses. */
export type WorkerLab = Pick<
  Lab,
  | 'id'
  | 'nodes'
  | 'kubernetesVersion'
  | 'machines'
  | 'graderKubeconfig'
  | 'exec'
  | 'spawn'
  | 'probe'
  | 'unit'
  | 'snapshot'
  | 'restore'
  | 'fingerprint'
  | 'diagnostics'
  | 'close'
> &
  Partial<Pick<Lab, 'origin' | 'keep'>>
export interface LabMaker {
  create(spec: LabSpec, deps: LabDeps): Promise<WorkerLab>
  load(snapshot: Snapshot, dir: string, deps: LabDeps): Promise<WorkerLab>
  /** a lab of so many workers would begin where another one had booted, and takes none of its time; default false */
  booted?(workers: number): boolean
  /** nothing more is made ahead */
  close?(): Promise<void>
}
/** begins at `start`, epoch ms */
export type NewClock = (options: { start: number }) => SimClock
export interface Ground {
  /** holds a directory for each lab */
  dir: string
  /** of the worker, as its labs' records name it */
  name: string
  maker: LabMaker
  newClock: NewClock
  processHost: ProcessHost
  log(line: string): void
}
/** lab.json: what is known of a lab without its worker */
export interface LabRecord {
  id: string
  spec: ClusterSpec
  /** name of the worker that has it, or had it */
  worker: string
  /** of the baseline, once there is one */
  fingerprint?: Fingerprint
}

const pack = promisify(gzip)
const unpack = promisify(gunzip)
const shellLimit = 32
/**
 * How far the lab's time begins behind the host's, and how far it still is when it has booted: what is skipped and hurried must not lead
 * into the host's future. What is left of it passes before a person looks, so it must not be long enough for anything to expire.
 */
const leadMs = 4 * 60_000
const hurryMs = 2 * 60_000
/** After something was done in a lab, how long until it is written down. */
const settleMs = 20_000
const largestMs = 2 ** 31 - 1

export const labDir = (dir: string, id: string): string => join(dir, 'labs', id)
const filesDir = (dir: string, id: string): string => join(labDir(dir, id), 'files')
export async function readRecord(dir: string, id: string): Promise<LabRecord | undefined> {
  return readFile(join(labDir(dir, id), 'lab.json'), 'utf8').then(
    (text) => JSON.parse(text) as LabRecord,
    () => undefined,
  )
}
/** All of it or nothing: written beside, then renamed. */
async function put(path: string, bytes: string | Uint8Array): Promise<void> {
  await writeFile(`${path}.part`, bytes, { mode: 0o600 })
  await rename(`${path}.part`, path)
}

export class HeldLab {
  readonly id: string
  readonly lab: WorkerLab
  readonly clock: SimClock
  readonly #ground: Ground
  #record: LabRecord
  /** the baseline, where it is in this process already */
  #baseline: (() => Snapshot) | undefined
  readonly #shells = new Map<string, HeldShell>()
  /** pace that each of the connections asks for */
  readonly #paces = new Map<unknown, { rate: number; ahead: boolean }>()
  #governor: NodeJS.Timeout | undefined
  #saving: Promise<void> = Promise.resolve()
  /** nothing begins in it while it is being put back */
  #restoring: Promise<unknown> = Promise.resolve()
  #saveTimer: NodeJS.Timeout | undefined
  #closed = false
  /** told when the lab's time is no longer what it would have been */
  onClock: () => void = () => {}

  private constructor(lab: WorkerLab, clock: SimClock, ground: Ground, record: LabRecord) {
    this.id = lab.id
    this.lab = lab
    this.clock = clock
    this.#ground = ground
    this.#record = record
  }

  /** @throws LabError cancelled, cluster-create-failed; nothing is left then */
  static async create(spec: { id: string; spec: ClusterSpec; seed: number }, ground: Ground, signal: AbortSignal): Promise<HeldLab> {
    const at = labDir(ground.dir, spec.id)
    await mkdir(filesDir(ground.dir, spec.id), { recursive: true, mode: 0o700 })
    const record: LabRecord = { id: spec.id, spec: spec.spec, worker: ground.name }
    const clock = ground.newClock({ start: Date.now() - (ground.maker.booted?.(spec.spec.workers) ? hurryMs : leadMs) })
    // A clock that stands ends the skipping of a boot.
    const stop = () => clock.stop()
    signal.addEventListener('abort', stop, { once: true })
    try {
      await put(join(at, 'lab.json'), JSON.stringify(record))
      const lab = await ground.maker.create(
        { id: spec.id, workers: spec.spec.workers, dir: filesDir(ground.dir, spec.id), seed: spec.seed },
        { clock, processHost: ground.processHost, log: (line) => ground.log(`${spec.id} ${line}`) },
      )
      if (signal.aborted) {
        await lab.close()
        throw new LabError('cancelled', 'The creation was cancelled.')
      }
      return new HeldLab(lab, clock, ground, record)
    } catch (thrown) {
      clock.stop()
      await rm(at, { recursive: true, force: true, maxRetries: 5 })
      if (signal.aborted) throw new LabError('cancelled', 'The creation was cancelled.', { cause: thrown })
      const error = asLabError(thrown)
      ground.log(`${spec.id} was not created: ${error.cause instanceof Error ? error.cause.stack : error.stack}`)
      throw error.code === 'internal'
        ? new LabError('cluster-create-failed', `The simulated cluster did not start: ${error.message}`, { cause: thrown })
        : error
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  /** As it was at its last snapshot. @throws LabError not-found when there is none; internal when it cannot be read */
  static async load(id: string, ground: Ground): Promise<HeldLab> {
    const record = await readRecord(ground.dir, id)
    if (record === undefined) throw new LabError('not-found', `There is no lab ${id}.`)
    const snapshot = await readSnapshot(ground.dir, id, 'snapshot')
    // The host's time went on meanwhile: the lab wakes up as a machine that had slept.
    const clock = ground.newClock({ start: Math.max(snapshot.at, Date.now()) })
    const lab = await ground.maker.load(snapshot, filesDir(ground.dir, id), {
      clock,
      processHost: ground.processHost,
      log: (line) => ground.log(`${id} ${line}`),
    })
    const held = new HeldLab(lab, clock, ground, { ...record, worker: ground.name })
    await held.#writeRecord()
    return held
  }

  view(): LabView {
    return {
      id: this.id,
      spec: this.#record.spec,
      nodes: this.lab.nodes as NodeInfo[],
      kubernetesVersion: this.lab.kubernetesVersion,
      kubeconfig: this.lab.graderKubeconfig(),
      clock: { now: this.clock.now(), rate: this.clock.rate },
    }
  }

  // ---- its pace

  /** `ahead`: its time may pass the host's. Rates up to 1 take the request back. */
  pace(who: unknown, rate: number, ahead: boolean): void {
    if (rate > 1) this.#paces.set(who, { rate, ahead })
    else this.#paces.delete(who)
    this.#govern()
  }
  /** After its boot: to where there is room yet for what is hurried, and written down right after. */
  async begin(): Promise<void> {
    await this.catchUp(hurryMs)
    this.changed()
  }
  /** Lets the lab's time jump to the host's, so that what a person sees of both agrees; or to `leave` ms before it. */
  async catchUp(leave = 0): Promise<void> {
    const behind = Date.now() - this.clock.now() - leave
    if (behind > 1000 && !this.#closed) {
      let there = false
      this.clock.after(behind, () => {
        there = true
      })
      await this.clock.skip(() => there || this.#closed)
    }
    this.onClock()
  }
  #govern(): void {
    if (this.#closed) return
    const paces = [...this.#paces.values()]
    const free = paces.filter((one) => one.ahead)
    const wanted = this.clock.now() < Date.now() ? paces : free
    const rate = Math.max(1, ...wanted.map((one) => one.rate))
    if (rate !== this.clock.rate) {
      this.clock.rate = rate
      this.onClock()
    }
    clearTimeout(this.#governor)
    // Only what must not overtake the host's time is looked after.
    if (rate > 1 && !free.some((one) => one.rate === rate)) this.#governor = setTimeout(() => this.#govern(), 50).unref()
  }

  // ---- shells

  /** @throws LabError bad-request, not-found, capacity-exceeded */
  async shell(where: string, request: { id: string; size: Size; from: number }): Promise<Attachment> {
    if (!/^[a-z0-9-]{1,64}$/.test(request.id))
      throw new LabError('bad-request', `"${request.id}" cannot name a shell: lower-case letters, digits and dashes, 64 at most.`)
    this.machine(where)
    await this.#restoring
    const key = `${where}/${request.id}`
    let held = this.#shells.get(key)
    if (held === undefined) {
      if (this.#shells.size >= shellLimit)
        throw new LabError('capacity-exceeded', `This lab already holds ${shellLimit} shells.`, { hint: 'Close one.' })
      const process = await this.lab.spawn(where, { argv: ['bash', '-l'], pty: request.size, env: { TERM: 'xterm-256color' } })
      held = new HeldShell({
        onData: (listener) => process.onData(listener),
        onExit: (listener) => process.onExit(listener),
        write: (bytes) => {
          this.touched()
          process.write(bytes)
        },
        resize: (size) => process.resize(size),
        pause: () => process.pause(),
        resume: () => process.resume(),
        kill: () => process.kill('SIGKILL'),
      })
      this.#shells.set(key, held)
    }
    return held.attach(request.id, request)
  }
  kill(where: string, id: string): void {
    const key = `${where}/${id}`
    this.#shells.get(key)?.kill()
    this.#shells.delete(key)
  }
  /** Every shell is gone: its clients are told, and open new ones. */
  #dropShells(message: string): void {
    const all = [...this.#shells.values()]
    this.#shells.clear()
    for (const held of all) {
      held.drop({ kind: 'lost', message })
      held.kill()
    }
  }

  // ---- what is done in it

  /** @throws LabError not-found */
  machine(where: string) {
    const machine = this.lab.machines.get(where)
    if (machine === undefined)
      throw new LabError('not-found', `Lab ${this.id} has no ${where}.`, { hint: `It has ${[...this.lab.machines.keys()].join(', ')}.` })
    return machine
  }
  async exec(
    where: Where,
    argv: readonly string[],
    options: {
      user?: string | undefined
      cwd?: string | undefined
      env?: Readonly<Record<string, string>> | undefined
      stdin?: Uint8Array
      timeoutMs: number
      signal: AbortSignal
      onData?: (bytes: Uint8Array, stream: 'stdout' | 'stderr') => void
    },
  ): Promise<{ exitCode: number; stdout: string; stderr: string }> {
    if (typeof where === 'string') this.machine(where)
    if (argv.length === 0) throw new LabError('bad-request', 'An empty command cannot be run.')
    await this.#restoring
    this.touched()
    const { onData, signal, stdin, timeoutMs } = options
    // Real processes take real time however fast the lab's passes.
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), timeoutMs)
    const over = AbortSignal.any([signal, late.signal])
    const name = argv.join(' ').slice(0, 200)
    const cut = () =>
      signal.aborted
        ? new LabError('cancelled', `\`${name}\` was cancelled.`)
        : new LabError('timeout', `\`${name}\` took longer than ${timeoutMs} ms.`)
    try {
      const result = await this.lab.exec(where, argv, {
        ...(options.user === undefined ? {} : { user: options.user }),
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        ...(options.env === undefined ? {} : { env: options.env }),
        ...(stdin === undefined ? {} : { stdin }),
        ...(onData === undefined ? {} : { onData }),
        signal: over,
        timeoutMs: largestMs,
      })
      if (over.aborted) throw cut()
      return result
    } catch (thrown) {
      throw over.aborted ? cut() : thrown
    } finally {
      clearTimeout(timer)
      this.touched()
    }
  }

  // ---- what is kept of it

  /** Something was done: it is written down once there is time. */
  touched(): void {
    if (this.#closed) return
    this.#saveTimer ??= setTimeout(() => {
      this.#saveTimer = undefined
      this.#saveBehind()
    }, settleMs).unref()
  }
  /** It has changed as a whole, and whoever asked for that is answered first: it is written down right after. */
  changed(): void {
    setImmediate(() => this.#saveBehind())
  }
  #saveBehind(): void {
    this.save().catch((error: unknown) => this.#ground.log(`${this.id} was not written down: ${String(error)}`))
  }
  save(name: 'snapshot' | 'baseline' = 'snapshot'): Promise<void> {
    const saved = this.#saving.then(async () => {
      if (this.#closed) return
      const origin = this.lab.origin?.()
      const snapshot = name === 'snapshot' && origin ? origin : await this.lab.snapshot()
      if (name === 'baseline') this.#baseline = this.lab.keep?.(snapshot)
      await put(join(labDir(this.#ground.dir, this.id), `${name}.json.gz`), await pack(JSON.stringify(snapshot), { level: 1 }))
    })
    this.#saving = saved.catch(() => {})
    return saved
  }
  /** What is written down is the baseline, until there was time for what a restore has kept beside it: never what was put away. */
  #saveBaseline(): Promise<void> {
    const [from, to] = (['baseline', 'snapshot'] as const).map((name) => join(labDir(this.#ground.dir, this.id), `${name}.json.gz`)) as [
      string,
      string,
    ]
    const saved = this.#saving.then(async () => {
      await copyFile(from, `${to}.part`)
      await rename(`${to}.part`, to)
    })
    this.#saving = saved.catch(() => {})
    return saved
  }
  #writeRecord(): Promise<void> {
    return put(join(labDir(this.#ground.dir, this.id), 'lab.json'), JSON.stringify(this.#record))
  }
  async baseline(): Promise<Fingerprint> {
    if (this.#record.fingerprint) return this.#record.fingerprint
    await this.save('baseline')
    const fingerprint = await this.lab.fingerprint()
    this.#record = { ...this.#record, fingerprint }
    await this.#writeRecord()
    this.touched()
    return fingerprint
  }
  /** From the disk once in the life of a worker. @throws LabError not-found when it cannot be read */
  async #toBaseline(): Promise<Snapshot> {
    if (this.#baseline) return this.#baseline()
    const read = await readSnapshot(this.#ground.dir, this.id, 'baseline')
    this.#baseline = this.lab.keep?.(read)
    return this.#baseline?.() ?? read
  }
  /** @throws LabError internal without a baseline, restore-mismatch */
  async restore(home: boolean): Promise<Fingerprint> {
    const wanted = this.#record.fingerprint
    if (wanted === undefined)
      throw new LabError('internal', `Lab ${this.id} has no baseline to return to.`, { hint: 'Take one with baseline() first.' })
    const snapshot = await this.#toBaseline()
    const restoring = (async () => {
      await this.#saving
      this.#dropShells('The lab was put back to its beginning.')
      // Room again for what is hurried after it.
      const back = Math.max(snapshot.at, Date.now() - hurryMs)
      if (back < this.clock.now()) this.clock.set(back)
      await this.lab.restore(snapshot, { home })
    })()
    this.#restoring = restoring.catch(() => {})
    await restoring
    this.onClock()
    const [is] = await Promise.all([this.lab.fingerprint(), this.#saveBaseline()])
    const differ = Object.keys({ ...wanted.parts, ...is.parts }).filter((part) => is.parts[part] !== wanted.parts[part])
    if (differ.length > 0)
      throw new LabError('restore-mismatch', `After restoring, these differ from the baseline: ${differ.join(', ')}.`, {
        hint: 'Throw the cluster away.',
      })
    this.changed()
    return is
  }

  /** Ends what runs and keeps what is on disk; `message` is for who is in a shell. */
  async close(message = 'The lab was ended.'): Promise<void> {
    if (this.#closed) return
    clearTimeout(this.#saveTimer)
    clearTimeout(this.#governor)
    await this.#saving
    this.#closed = true
    this.#dropShells(message)
    await this.lab.close()
    this.clock.stop()
  }
  /** Ends it and leaves nothing. */
  async destroy(): Promise<void> {
    await this.close()
    await rm(labDir(this.#ground.dir, this.id), { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  }
}

async function readSnapshot(dir: string, id: string, name: 'snapshot' | 'baseline'): Promise<Snapshot> {
  try {
    return JSON.parse((await unpack(await readFile(join(labDir(dir, id), `${name}.json.gz`)))).toString('utf8')) as Snapshot
  } catch (error) {
    throw new LabError('not-found', `Nothing was written down of lab ${id}.`, { hint: 'Start it again.', cause: error })
  }
}
