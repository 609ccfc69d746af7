// A simulated cluster as its server sees it: every verb of the port is a call to the worker that has the lab. When that worker is lost,
// verbs wait for nobody: they say so, until the lab has come back. Knows nothing of how workers are started.
import { LabError } from '#lib/protocol/index.ts'
import { type Api, kubernetesApi, wait } from '../api.ts'
import type {
  Capability,
  Cluster,
  Diagnostics,
  ExecOptions,
  ExecResult,
  FileStat,
  Fingerprint,
  Health,
  LabClock,
  NodeInfo,
  ProbeResult,
  Shell,
  ShellRequest,
  Target,
  Vantage,
  Where,
} from '../port.ts'
import { RemoteShell } from './shell.ts'
import type { Call, Calls, LabView, Peer } from './wire.ts'
import type { WorkerLink } from './workers.ts'

export const capabilities: ReadonlySet<Capability> = new Set([
  'node-exec',
  'node-files',
  'control-plane-faults',
  'probe',
  'restore',
  'workstation',
])
/** Lab seconds per real one while nobody watches. */
const hurryRate = 30
const healthMs = 10_000
const linesOf = (emit: (line: string) => void) => {
  const decoder = new TextDecoder()
  let rest = ''
  return {
    push(bytes: Uint8Array) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) emit(line.replace(/\r$/, ''))
    },
    end() {
      if (rest) emit(rest)
    },
  }
}

type Ask = (ms: number, signal?: AbortSignal) => Promise<{ now: number; rate: number }>
/** The lab's clock, told by its worker whenever it does something that one would not expect. */
class RemoteClock implements LabClock {
  readonly #ask: Ask
  #told: { now: number; rate: number; at: number }
  #latest = 0

  constructor(first: { now: number; rate: number }, ask: Ask) {
    this.#ask = ask
    this.#told = { ...first, at: performance.now() }
  }
  tell(now: number, rate: number): void {
    this.#told = { now, rate, at: performance.now() }
  }
  /** Time that was put back, by a restore, may go back; else it never does. */
  reset(told: { now: number; rate: number }): void {
    this.#latest = 0
    this.tell(told.now, told.rate)
  }
  get rate(): number {
    return this.#told.rate
  }
  now(): number {
    const { at, now, rate } = this.#told
    // Faster than the host's it is as fast as its worker gets on, which only the worker knows: it says so at every wait.
    this.#latest = Math.max(this.#latest, Math.floor(now + (rate === 1 ? performance.now() - at : 0)))
    return this.#latest
  }
  async wait(ms: number, signal?: AbortSignal): Promise<void> {
    if (this.rate === 1) return wait(ms, signal)
    try {
      const { now, rate } = await this.#ask(ms, signal)
      this.tell(now, rate)
    } catch {
      // Cancelled, or its worker is gone: whoever waits looks and finds out.
      if (!signal?.aborted) await wait(Math.min(ms, 1000), signal)
    }
  }
}

/** What its provider does for one. */
interface Provider {
  /** brings a lab that is on disk into a worker */
  load(id: string): Promise<{ view: LabView; link: WorkerLink }>
  onDestroyed(cluster: SimCluster): void
}
export class SimCluster implements Cluster {
  readonly backend = 'sim'
  readonly can = capabilities
  readonly id: string
  readonly clock: RemoteClock
  #view: LabView
  #link: WorkerLink
  readonly #base: { rate: number; ahead: boolean }
  #hurrying = 0
  #api: Api | undefined
  #gone: LabError | undefined
  #suspended = false
  #resuming: Promise<void> | undefined
  readonly #provider: Provider

  /** `rate`: of the lab's time, always */
  constructor(view: LabView, link: WorkerLink, rate: number, provider: Provider) {
    this.id = view.id
    this.#view = view
    this.#link = link
    this.#base = { rate, ahead: rate > 1 }
    this.#provider = provider
    this.clock = new RemoteClock(view.clock, async (ms, signal) => (await this.#call('wait', { lab: this.id, ms }, { signal })).answer)
  }
  get kubernetesVersion(): string {
    return this.#view.kubernetesVersion
  }
  get nodes(): readonly NodeInfo[] {
    return this.#view.nodes
  }
  get kubeconfig(): string {
    return this.#view.kubeconfig
  }

  // ---- for the provider

  /** It is at home in this worker now. */
  async moved(view: LabView, link: WorkerLink): Promise<void> {
    this.#view = view
    this.#link = link
    this.#gone = undefined
    this.#closeApi()
    this.clock.reset(view.clock)
    await this.begin()
  }
  /** Nothing brings it back. */
  failed(error: LabError): void {
    this.#gone = error
  }
  /** It is on disk alone. */
  get suspended(): boolean {
    return this.#suspended
  }
  async begin(): Promise<void> {
    if (this.#base.rate > 1) await this.#pace(false)
  }
  async #pace(settle: boolean): Promise<void> {
    const pace = this.#hurrying > 0 ? { rate: Math.max(hurryRate, this.#base.rate), ahead: this.#base.ahead } : this.#base
    await this.#call('rate', { lab: this.id, ...pace, settle })
  }
  #closeApi(): void {
    this.#api?.close()
    this.#api = undefined
  }
  async #call<K extends Call>(op: K, ask: Calls[K]['ask'], options: Parameters<Peer['call']>[2] = {}) {
    this.#requireAwake()
    return (await this.#link.peer()).call(op, ask, options)
  }
  #requireAwake(): void {
    if (this.#gone) throw this.#gone
    if (this.#suspended)
      throw new LabError('backend-unavailable', 'This simulated cluster is suspended.', { hint: 'It goes on once its lab is opened.' })
  }

  // ---- the port

  async exec(where: Where, argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const { cwd, env, onLine, signal, stdin, timeoutMs = 60_000, user } = options
    const out = onLine && linesOf((line) => onLine(line, 'stdout'))
    const err = onLine && linesOf((line) => onLine(line, 'stderr'))
    const { answer, bytes } = await this.#call(
      'exec',
      {
        lab: this.id,
        where,
        argv,
        timeoutMs,
        notes: onLine !== undefined,
        ...(user === undefined ? {} : { user }),
        ...(cwd === undefined ? {} : { cwd }),
        ...(env === undefined ? {} : { env }),
      },
      {
        signal,
        ...(stdin === undefined ? {} : { bytes: typeof stdin === 'string' ? Buffer.from(stdin) : stdin }),
        note: (stream: 'stdout' | 'stderr', chunk) => (stream === 'stdout' ? out : err)?.push(chunk),
      },
    )
    out?.end()
    err?.end()
    return {
      exitCode: answer.exitCode,
      stdout: bytes.toString('utf8', 0, answer.split),
      stderr: bytes.toString('utf8', answer.split),
    }
  }
  async probe(from: Vantage, target: Target, signal?: AbortSignal): Promise<ProbeResult> {
    return (await this.#call('probe', { lab: this.id, from, target }, { signal })).answer
  }
  async shell(where: string, request: ShellRequest): Promise<Shell> {
    this.#requireAwake()
    return RemoteShell.open(this.#link, this.id, where, request)
  }
  async readFile(where: string, path: string): Promise<Uint8Array> {
    return (await this.#call('read', { lab: this.id, where, path })).bytes
  }
  async writeFile(where: string, path: string, bytes: Uint8Array, options: { mode?: number } = {}): Promise<void> {
    await this.#call('write', { lab: this.id, where, path, ...(options.mode === undefined ? {} : { mode: options.mode }) }, { bytes })
  }
  async listFiles(where: string, path: string): Promise<readonly FileStat[]> {
    return (await this.#call('list', { lab: this.id, where, path })).answer
  }
  async unit(where: string, name: string) {
    return (await this.#call('unit', { lab: this.id, where, name })).answer
  }
  async baseline(signal: AbortSignal): Promise<Fingerprint> {
    return (await this.#call('baseline', { lab: this.id }, { signal })).answer
  }
  async restore(signal: AbortSignal, options: { home?: boolean } = {}): Promise<Fingerprint> {
    const { answer } = await this.#call('restore', { lab: this.id, home: options.home ?? false }, { signal })
    this.#view = answer.view
    this.#closeApi()
    this.clock.reset(answer.view.clock)
    return answer.fingerprint
  }
  async hurry<T>(work: () => Promise<T>): Promise<T> {
    this.#hurrying += 1
    try {
      if (this.#hurrying === 1) await this.#pace(false)
      return await work()
    } finally {
      this.#hurrying -= 1
      // What a person sees next of the lab's time must be the host's.
      if (this.#hurrying === 0) await this.#pace(!this.#base.ahead).catch(() => {})
    }
  }
  async suspend(): Promise<void> {
    if (this.#suspended) return
    await this.#call('suspend', { lab: this.id })
    this.#closeApi()
    this.#suspended = true
    this.#link.labs.delete(this.id)
  }
  resume(): Promise<void> {
    this.#resuming ??= (async () => {
      if (!this.#suspended) return
      const { link, view } = await this.#provider.load(this.id)
      if (this.#gone) return link.destroyed(this.id)
      this.#suspended = false
      await this.moved(view, link)
    })().finally(() => {
      this.#resuming = undefined
    })
    return this.#resuming
  }
  async health(signal?: AbortSignal): Promise<Health> {
    try {
      const late = new Promise<Health>((resolve) => {
        const gone: Health = {
          state: 'backend-gone',
          message: 'The process that runs this simulated cluster does not answer.',
          hint: 'Its labs come back by themselves.',
        }
        setTimeout(() => resolve(gone), healthMs).unref()
      })
      const asked = this.#call('health', { lab: this.id }, { signal }).then(({ answer }) => answer)
      const answer = await Promise.race([asked, late])
      if (answer.state !== 'ok') {
        asked.catch(() => {})
        return answer
      }
    } catch (thrown) {
      const error = thrown as LabError
      if (error.code === 'cancelled') throw error
      if (error.code === 'not-found') return { state: 'unreachable', message: error.message }
      return { state: 'backend-gone', message: error.message, hint: error.hint ?? 'It comes back by itself.' }
    }
    try {
      this.#api ??= kubernetesApi(this.kubeconfig)
      const ready = await this.#api.raw('GET', '/readyz', undefined, { timeoutMs: 3000, ...(signal ? { signal } : {}) })
      return ready === 'ok' ? { state: 'ok' } : { state: 'unreachable', message: 'The API server says that it is not ready.' }
    } catch (thrown) {
      if (signal?.aborted) throw new LabError('cancelled', 'The look at the cluster was cancelled.')
      return { state: 'unreachable', message: (thrown as Error).message }
    }
  }
  async diagnostics(signal: AbortSignal): Promise<Diagnostics> {
    return (await this.#call('diagnostics', { lab: this.id }, { signal })).answer
  }
  async destroy(): Promise<void> {
    this.#closeApi()
    this.#provider.onDestroyed(this)
    this.#gone ??= new LabError('not-found', `Lab ${this.id} has been ended.`)
    await this.#resuming?.catch(() => {})
    await this.#link.destroyed(this.id)
  }
}
