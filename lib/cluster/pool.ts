// Keeps clusters of one provider ready, so that a lab starts at once, and takes used ones back: restored in the background, or destroyed
// and made anew. Knows nothing of what they are used for. Time and chance come in as arguments.
import { asLabError, type BackendName, type BackendView, LabError } from '#lib/protocol/index.ts'
import { wait } from './api.ts'
import type { Capability, Cluster, ClusterProvider, ClusterSpec, Progress } from './port.ts'

export interface PoolOptions {
  /** clusters kept ready, 0 for none */
  warm: number
  /** what those are like, default two workers; a claim for another kind is made for it */
  spec?: ClusterSpec
  /** resolves after so many milliseconds or when aborted; default real time */
  wait?: (ms: number, signal: AbortSignal) => Promise<void>
  /** 0 ≤ x < 1, spreads the tries after a failure */
  random?: () => number
  /** told of failures in the background */
  onError?: (error: LabError, doing: 'warm' | 'restore' | 'destroy') => void
}
const firstDelay = 5_000
const longestDelay = 300_000

/** A cluster on its way into the pool: somebody may claim it before it is ready. */
interface Filling {
  done: Promise<Cluster>
  claimed: boolean
  listeners: Set<Progress>
  said: Map<string, Parameters<Progress>[0]>
}

/**
 * The pool of one provider. `adopt` must have been gone through before anything is claimed or kept warm; a provider with nothing to adopt
 * gives nothing and lets the pool begin.
 */
export class Pool {
  readonly backend: BackendName
  readonly can: ReadonlySet<Capability>
  private readonly provider: ClusterProvider
  private readonly options: PoolOptions
  private readonly spec: ClusterSpec
  private readonly idle: Cluster[] = []
  private readonly filling = new Set<Filling>()
  private readonly background = new Set<Promise<unknown>>()
  private readonly stop = new AbortController()
  private readonly adopted: Promise<void>
  private open: () => void = () => {}
  private begun = false
  private failures = 0
  private resting = false
  private restoring = 0

  constructor(provider: ClusterProvider, options: PoolOptions) {
    if (!Number.isInteger(options.warm) || options.warm < 0 || options.warm > 50)
      throw new LabError('bad-request', `A pool keeps 0 to 50 clusters ready, not ${options.warm}.`)
    this.provider = provider
    this.options = options
    this.backend = provider.backend
    this.can = provider.can
    this.spec = options.spec ?? { workers: 2 }
    this.adopted = new Promise((resolve) => {
      this.open = resolve
    })
  }

  /** the provider's state, and how many clusters Start can hand out at once */
  async status(signal?: AbortSignal): Promise<BackendView> {
    return { ...(await this.provider.status(signal)), warm: this.idle.length }
  }

  /** How many more can be claimed and kept at the same time, warm ones counted; null where the provider cannot tell. */
  async room(spec: ClusterSpec): Promise<number | null> {
    const more = await this.provider.room?.(spec)
    // What is warm of another kind is given up for one that is wanted.
    return more === undefined ? null : more + this.idle.length
  }

  /** What an earlier run left, for the caller to use or to give back; then the pool begins. */
  async *adopt(): AsyncGenerator<Cluster> {
    yield* this.provider.adopt()
    this.begin()
  }
  private begin(): void {
    if (this.begun) return
    this.begun = true
    this.open()
    this.fill()
  }

  /**
   * A clean cluster: a warm one at once, one that is just being made, or a new one. Room that warm clusters take is given up for it.
   * @throws LabError capacity-exceeded, backend-unavailable, docker-unavailable, cluster-create-failed, cancelled
   */
  async claim(spec: ClusterSpec, progress: Progress, signal: AbortSignal): Promise<Cluster> {
    await abortable(this.adopted, AbortSignal.any([signal, this.stop.signal]))
    if (spec.workers === this.spec.workers) {
      for (let cluster = this.idle.shift(); cluster !== undefined; cluster = this.idle.shift()) {
        const health = await cluster
          .health(signal)
          .catch((error: unknown) => ({ state: 'backend-gone' as const, message: asLabError(error).message }))
        if (health.state === 'ok') {
          progress({ step: 'Warm cluster', state: 'done', detail: cluster.id })
          this.fill()
          return cluster
        }
        if (health.state === 'backend-gone') {
          this.idle.unshift(cluster)
          throw new LabError('docker-unavailable', health.message, { hint: 'Start Docker, then try again.' })
        }
        this.discard(cluster)
      }
      const coming = [...this.filling].find((filling) => !filling.claimed)
      if (coming) {
        const cluster = await this.claimComing(coming, progress, signal)
        if (cluster) return cluster
      }
    }
    try {
      return await this.provider.create(spec, progress, signal)
    } catch (thrown) {
      const spare = asLabError(thrown).code === 'capacity-exceeded' ? this.idle.shift() : undefined
      if (!spare) throw thrown
      progress({ step: 'Making room', state: 'running', detail: spare.id })
      await spare.destroy()
      progress({ step: 'Making room', state: 'done' })
      return this.provider.create(spec, progress, signal)
    }
  }
  /** undefined when that creation failed: the caller makes its own, and hears why that fails */
  private async claimComing(coming: Filling, progress: Progress, signal: AbortSignal): Promise<Cluster | undefined> {
    coming.claimed = true
    for (const line of coming.said.values()) progress(line)
    coming.listeners.add(progress)
    try {
      const cluster = await abortable(coming.done, signal)
      this.fill()
      return cluster
    } catch (thrown) {
      if (!signal.aborted) return undefined
      // Nobody waits for it now: it becomes a warm one after all.
      coming.claimed = false
      coming.done.then(
        (cluster) => (coming.claimed ? undefined : this.keep(cluster)),
        () => {},
      )
      throw thrown
    } finally {
      coming.listeners.delete(progress)
    }
  }

  /**
   * Takes a cluster back and returns at once: it is restored in the background and kept, or destroyed where it cannot be restored or is
   * not needed. `dirty` false: nobody has touched it.
   */
  async giveBack(cluster: Cluster, { dirty = true }: { dirty?: boolean } = {}): Promise<void> {
    const wanted = () =>
      !this.stop.signal.aborted && cluster.nodes.length === this.spec.workers + 1 && this.idle.length + this.restoring < this.options.warm
    if (!wanted() || (dirty && !cluster.can.has('restore'))) {
      this.discard(cluster)
      return
    }
    if (!dirty) {
      this.keep(cluster)
      return
    }
    this.restoring += 1
    this.behind(async () => {
      try {
        await cluster.restore(this.stop.signal, { home: true })
        this.keep(cluster)
      } catch (error) {
        this.tell(error, 'restore')
        this.discard(cluster)
      } finally {
        this.restoring -= 1
        this.fill()
      }
    })
  }
  /** As `giveBack` of a used one. */
  release(cluster: Cluster): Promise<void> {
    return this.giveBack(cluster)
  }

  /** Stops keeping clusters ready; those that are stay for the next run of the server, unless `destroy`. Waits for what is under way. */
  async shutdown({ destroy = false }: { destroy?: boolean } = {}): Promise<void> {
    this.stop.abort()
    this.open()
    await this.settled()
    if (destroy) await Promise.all(this.idle.splice(0).map((cluster) => cluster.destroy()))
  }
  /** When nothing is under way in the background (tests, shutdown). */
  async settled(): Promise<void> {
    while (this.background.size > 0) await Promise.allSettled([...this.background])
  }

  private keep(cluster: Cluster): void {
    if (this.idle.length < this.options.warm) this.idle.push(cluster)
    else this.discard(cluster)
  }
  private discard(cluster: Cluster): void {
    this.behind(async () => {
      await cluster.destroy().catch((error: unknown) => this.tell(error, 'destroy'))
      this.fill()
    })
  }
  /** Begins as many creations as are missing; after a failure, none before its delay is over. */
  private fill(): void {
    if (!this.begun || this.stop.signal.aborted || this.resting) return
    const coming = [...this.filling].filter((filling) => !filling.claimed).length
    // One at a time: two creations beside each other take longer than one after the other.
    if (this.filling.size > 0 || this.idle.length + coming + this.restoring >= this.options.warm) return
    const listeners = new Set<Progress>()
    const said: Filling['said'] = new Map()
    const progress: Progress = (line) => {
      said.set(line.step, line)
      for (const listener of listeners) listener(line)
    }
    const make = async () => {
      const cluster = await this.provider.create(this.spec, progress, this.stop.signal)
      if (!cluster.can.has('restore')) return cluster
      try {
        progress({ step: 'Baseline', state: 'running' })
        await cluster.baseline(this.stop.signal)
        progress({ step: 'Baseline', state: 'done' })
        return cluster
      } catch (error) {
        await cluster.destroy().catch((failed: unknown) => this.tell(failed, 'destroy'))
        throw error
      }
    }
    const filling: Filling = { done: make(), claimed: false, listeners, said }
    this.filling.add(filling)
    this.behind(async () => {
      try {
        const cluster = await filling.done
        this.failures = 0
        this.filling.delete(filling)
        if (!filling.claimed) this.keep(cluster)
      } catch (error) {
        this.filling.delete(filling)
        if (this.stop.signal.aborted) return
        this.tell(error, 'warm')
        await this.rest()
      }
      this.fill()
    })
  }
  /** Doubles with each failure in a row, from 5 s to 5 min, half of it by chance. */
  private async rest(): Promise<void> {
    const delay = Math.min(longestDelay, firstDelay * 2 ** this.failures) * (0.5 + (this.options.random ?? Math.random)() / 2)
    this.failures += 1
    this.resting = true
    await (this.options.wait ?? wait)(delay, this.stop.signal)
    this.resting = false
  }
  private behind(work: () => Promise<void>): void {
    const running = work().catch((error: unknown) => this.tell(error, 'warm'))
    this.background.add(running)
    running.finally(() => this.background.delete(running))
  }
  private tell(error: unknown, doing: 'warm' | 'restore' | 'destroy'): void {
    if (!this.stop.signal.aborted) this.options.onError?.(asLabError(error), doing)
  }
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(new LabError('cancelled', 'The wait for a cluster was cancelled.'))
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', onAbort))
}
