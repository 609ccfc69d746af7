// The simulated backend: labs of lib/sim in worker processes that outlive this one. Needs neither Docker nor a network.
import { randomBytes, randomInt } from 'node:crypto'
import { mkdir, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { asLabError, LabError } from '#lib/protocol/index.ts'
import type { Cluster, ClusterProvider } from '../port.ts'
import { capabilities, SimCluster } from './cluster.ts'
import { simKubernetes, simVersion } from './version.ts'
import type { LabView } from './wire.ts'
import { type WorkerLink, Workers } from './workers.ts'

export interface SimOptions {
  /** holds labs and workers' sockets; made when it is not there */
  dir: string
  /** holds what sandboxes of all labs share (some 40 MB); default `sandbox` in `dir` */
  cache?: string
  /** what simulated clusters lack on this machine, null when nothing; default: nothing is asked */
  missing?: () => Promise<{ message: string; remedy: string } | null>
  /** lab seconds per real one, default 1; more for proofs, in which nobody types */
  rate?: number
  /** labs at a time, default 200; in one process, default 25 */
  limit?: number
  perWorker?: number
  /** MiB that must be free for another lab, default 256 */
  reserveMiB?: number
  /** for whoever runs the server */
  log?: (line: string) => void
  /** the program of a worker and what it runs; for tests */
  worker?: { program: string; version: string }
}
export type SimProvider = ClusterProvider & Required<Pick<ClusterProvider, 'close'>>
/** what a lab needs at the most, its sandboxes included; a few that idle share a process and need less */
const labMiB = 64
/** A lab that ends its worker as often as this is not brought back again. */
const mostReturns = 3

/** @param options.dir is this provider's alone: one server at a time */
export function simProvider(options: SimOptions): SimProvider {
  const dir = resolve(options.dir)
  const { limit = 200, log = () => {}, perWorker = 25, rate = 1, reserveMiB = 256 } = options
  const program = options.worker?.program ?? fileURLToPath(new URL('./worker/main.ts', import.meta.url))
  const version = () => options.worker?.version ?? simVersion()
  const clusters = new Map<string, SimCluster>()
  const returns = new Map<string, number>()
  let creating = 0
  /** those that take room: what is suspended takes some disk alone */
  const there = () => creating + [...clusters.values()].filter((one) => !one.suspended).length

  const workers = new Workers({
    dir,
    cache: resolve(options.cache ?? join(dir, 'sandbox')),
    program,
    get version() {
      return version()
    },
    perWorker,
    log,
    onClock: (lab, now, pace) => clusters.get(lab)?.clock.tell(now, pace),
    onLost: (labs) => {
      for (const id of labs) {
        const cluster = clusters.get(id)
        // Who wakes one up that was suspended hears of it and tries again.
        if (cluster !== undefined && !cluster.suspended) void bringBack(cluster)
      }
    },
  })
  const cluster = (view: LabView, link: WorkerLink): SimCluster => {
    const made = new SimCluster(view, link, rate, {
      load,
      onDestroyed: (one) => {
        clusters.delete(one.id)
        returns.delete(one.id)
      },
    })
    clusters.set(view.id, made)
    return made
  }
  const load = async (id: string): Promise<{ view: LabView; link: WorkerLink }> => {
    const link = await workers.room(id)
    try {
      return { view: (await (await link.peer()).call('load', { id })).answer, link }
    } catch (error) {
      link.labs.delete(id)
      throw error
    }
  }
  async function bringBack(one: SimCluster): Promise<void> {
    const { id } = one
    const times = (returns.get(id) ?? 0) + 1
    returns.set(id, times)
    try {
      if (times > mostReturns) throw new LabError('cluster-unreachable', 'Its process ended again and again.')
      const { link, view } = await load(id)
      // It may have been ended meanwhile.
      if (!clusters.has(id)) return link.destroyed(id)
      await one.moved(view, link)
      log(`lab ${id} is back`)
    } catch (thrown) {
      const error = asLabError(thrown)
      // A worker that died under it has told, and it is tried again there.
      if (error.code === 'backend-unavailable' && times <= mostReturns) return
      log(`lab ${id} is lost: ${error.message}`)
      one.failed(
        new LabError('backend-unavailable', `This simulated cluster is lost: ${error.message}`, { hint: 'Start the scenario again.' }),
      )
    }
  }
  const refuse = (why: string) =>
    new LabError(
      'capacity-exceeded',
      { en: `No room for another simulated cluster: ${why}`, ko: `모의 클러스터를 더 만들 자리가 없습니다: ${why}` },
      {
        hint: {
          en: 'End a lab that is no longer needed, or make the pool of warm clusters smaller.',
          ko: '필요 없는 실습을 끝내거나, 미리 준비하는 클러스터 수를 줄이세요.',
        },
      },
    )

  return {
    backend: 'sim',
    can: capabilities,
    async status() {
      const missing = (await options.missing?.()) ?? null
      return missing === null
        ? {
            name: 'sim',
            state: 'ready',
            message: 'Simulated clusters on this machine, without Docker.',
            kubernetesVersion: simKubernetes,
          }
        : { name: 'sim', state: 'unavailable', message: missing.message, remedy: missing.remedy }
    },
    identity: async () => ({ kubernetesVersion: simKubernetes, image: version() }),
    async room() {
      const free = Math.floor(process.availableMemory() / 1024 / 1024)
      return Math.max(0, Math.min(limit - there(), Math.floor((free - reserveMiB) / labMiB)))
    },
    async create(spec, progress, signal): Promise<Cluster> {
      if (signal.aborted) throw new LabError('cancelled', 'The creation was cancelled before it began.')
      if (there() >= limit) throw refuse(`${there()} of at most ${limit} are there.`)
      const free = Math.floor(process.availableMemory() / 1024 / 1024)
      if (free < reserveMiB) throw refuse(`only ${free} MiB of memory are free, and ${reserveMiB} MiB must be.`)
      const missing = await options.missing?.()
      if (missing) throw new LabError('backend-unavailable', missing.message, { hint: missing.remedy })
      creating += 1
      const id = `kubemend-${randomBytes(4).toString('hex').slice(0, 6)}`
      let step = 'Finding a process for it'
      try {
        await mkdir(dir, { recursive: true, mode: 0o700 })
        progress({ step, state: 'running' })
        const link = await workers.room(id).catch((error: unknown) => {
          progress({ step, state: 'failed', detail: asLabError(error).message })
          throw error
        })
        progress({ step, state: 'done' })
        step = ''
        const throwIfCancelled = () => {
          if (signal.aborted) throw new LabError('cancelled', 'The creation was cancelled.')
        }
        try {
          throwIfCancelled()
          const { answer } = await (await link.peer()).call(
            'create',
            { id, spec, seed: randomInt(2 ** 31) },
            { signal, note: (line: Parameters<typeof progress>[0]) => progress(line) },
          )
          const made = cluster(answer, link)
          await made.begin()
          throwIfCancelled()
          return made
        } catch (error) {
          await link.destroyed(id)
          clusters.delete(id)
          throw error
        }
      } finally {
        creating -= 1
      }
    },
    async *adopt() {
      const running = await workers.find()
      for (const view of running) {
        const link = workers.linkOf(view.id)
        const known = clusters.get(view.id)
        if (known !== undefined) yield known
        else if (link !== undefined) {
          const made = cluster(view, link)
          await made.begin()
          yield made
        }
      }
      const alive = new Set(running.map((view) => view.id))
      for (const id of await readdir(join(dir, 'labs')).catch(() => [] as string[])) {
        // What is being made or brought back now is somebody's already.
        if (alive.has(id) || workers.linkOf(id) !== undefined || clusters.has(id)) continue
        try {
          const { link, view } = await load(id)
          const made = cluster(view, link)
          await made.begin()
          yield made
        } catch (thrown) {
          const error = asLabError(thrown)
          log(`lab ${id} of an earlier run cannot be brought back: ${error.message}`)
          // What was never written down was made a moment before its worker died.
          if (error.code === 'not-found') await (await workers.room(id)).destroyed(id)
        }
      }
    },
    close: () => workers.close(),
  }
}
