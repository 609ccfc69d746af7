// Proves scenarios on a backend: plays every part, several clusters side by side, and remembers what has been played,
// so that a proof that was broken off goes on where it stopped. Knows nothing of the command line.
import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Cluster, ClusterProvider } from '#lib/cluster/index.ts'
import { graderVersion } from '#lib/grade/index.ts'
import { asLabError, LabError } from '#lib/protocol/index.ts'
import { type ProofFile, type ProofKey, type ProofPart, type ProofVariant, proofOf, type Scenario } from '#lib/scenario/index.ts'
import { type PlayContext, play, reset, type Task, tasksOf } from './play.ts'
import { type Sample, variantId } from './sample.ts'

export interface ProveOptions {
  provider: ClusterProvider
  scenarios: readonly Scenario[]
  /** folder for parts that have been played, outside of the checkout */
  cacheDir: string
  /** nothing that was played before counts */
  fresh?: boolean
  /** only these parts, and what is recorded beside the scenarios does not count: they are looked at here. Default: all parts */
  sample?: Sample
  /** a script to play in place of the scenario's own parts */
  with?: { name: string; script: string }
  /** leave the last cluster as it is; the caller is told */
  keep?: (cluster: Cluster, slug: string) => void
  /** clusters side by side, default 1 */
  clusters?: number
  /** told of each scenario as soon as all that was asked for of it has been played, with its variants: a run that is broken off later loses nothing */
  onScenario?: (scenario: Scenario, variants: readonly ProofVariant[]) => Promise<void>
  signal: AbortSignal
  log: (line: string) => void
}
interface Job {
  scenario: Scenario
  variant: string
  task: Task
  key: ProofKey
}

const keyOf = (scenario: Scenario, identity: { kubernetesVersion: string; image: string }): ProofKey => ({
  scenario: scenario.hash,
  image: identity.image,
  kubernetes: identity.kubernetesVersion,
  grader: graderVersion,
})
/** One part depends on its own script and on none of the others. */
const partKey = (scenario: Scenario, key: ProofKey): ProofKey => ({ ...key, scenario: scenario.stage })
const same = (one: ProofKey, other: ProofKey): boolean =>
  one.scenario === other.scenario && one.image === other.image && one.kubernetes === other.kubernetes && one.grader === other.grader

/**
 * One entry per scenario and variant, in the order of the catalogue. Failed parts are played again next time, good ones are remembered.
 * @throws LabError when no cluster can be had at all
 */
export async function prove(options: ProveOptions): Promise<ProofVariant[]> {
  const { provider, signal, log } = options
  const identity = await provider.identity()
  const cache = played(options.cacheDir)
  const known = new Map<string, ProofPart[]>()
  const jobs: Job[] = []
  const chosen = options.scenarios.flatMap((scenario) =>
    scenario.spec.variants
      .map(({ name: variant }) => ({ scenario, variant, id: variantId(scenario, variant) }))
      .filter(({ id }) => options.sample?.has(id) ?? true),
  )
  const tasksFor = (scenario: Scenario, variant: string) => options.sample?.get(variantId(scenario, variant)) ?? tasksOf(scenario, variant)
  for (const { scenario, variant, id } of chosen) {
    const key = keyOf(scenario, identity)
    const committed = options.sample ? null : proofOf(scenario, provider.backend)
    if (options.with) {
      known.set(id, [])
      jobs.push({
        scenario,
        variant,
        key,
        task: { kind: 'with', name: options.with.name, seed: `${variant}-with`, expected: null, script: options.with.script },
      })
      continue
    }
    const recorded =
      committed && same(committed.key, key) ? committed.variants.find((one) => one.variant === variant && one.proven) : undefined
    if (recorded && !options.fresh) {
      log(`${id}: nothing has changed since it was proven`)
      known.set(id, recorded.parts)
      continue
    }
    const parts: ProofPart[] = []
    for (const task of tasksFor(scenario, variant)) {
      const found = options.fresh ? null : await cache.read(partKey(scenario, key), variant, task)
      if (found) parts.push(...found)
      else jobs.push({ scenario, variant, key, task })
    }
    if (parts.length > 0) log(`${id}: ${parts.length} parts are known from before`)
    known.set(id, parts)
  }
  const resultOf = ({ scenario, variant, id }: (typeof chosen)[number]): ProofVariant & { complete: boolean } => {
    const order = wanted(tasksFor(scenario, variant))
    const parts = inOrder(order, known.get(id) ?? [])
    const complete = options.with !== undefined || order.every((name) => parts.some((part) => idOf(part) === name))
    return {
      slug: scenario.slug,
      backend: provider.backend,
      variant,
      proven: complete && parts.every((part) => part.ok),
      seconds: Math.round(parts.reduce((sum, part) => sum + part.seconds, 0) * 10) / 10,
      parts,
      complete,
    }
  }
  const told = new Set<Scenario>()
  const tell = async (scenario: Scenario) => {
    const results = chosen.filter((one) => one.scenario === scenario).map(resultOf)
    if (told.has(scenario) || !results.every(({ complete }) => complete)) return
    told.add(scenario)
    await options.onScenario?.(
      scenario,
      results.map(({ complete: _, ...result }) => result),
    )
  }
  for (const { scenario } of chosen) await tell(scenario)
  if (jobs.length > 0) {
    log(`${jobs.length} parts to play on ${provider.backend}`)
    await run(jobs, options, async (job, parts) => {
      known.get(variantId(job.scenario, job.variant))?.push(...parts)
      if (!options.with && parts.every((part) => part.ok)) await cache.write(partKey(job.scenario, job.key), job.variant, job.task, parts)
      for (const part of parts)
        log(
          `${part.ok ? 'ok  ' : 'FAIL'} ${variantId(job.scenario, job.variant)} ${part.kind} "${part.name}" scored ${part.score ?? '–'}${part.expected === null ? '' : ` of ${part.expected}`} in ${part.seconds} s${part.problem ? `: ${part.problem}` : ''}`,
        )
      await tell(job.scenario)
    })
  }
  if (signal.aborted) throw new LabError('cancelled', 'The proof was cancelled; what was played is remembered.')
  return chosen.map(resultOf).map(({ complete: _, ...result }) => result)
}

const idOf = (part: { kind: string; name: string }): string => `${part.kind} ${part.name}`
const wanted = (tasks: readonly Task[]): string[] => [
  'healthy guards hold before the fault',
  ...tasks.map(idOf),
  'reset the baseline comes back',
]
function inOrder(order: readonly string[], parts: readonly ProofPart[]): ProofPart[] {
  const rank = (part: ProofPart) => (order.indexOf(idOf(part)) + order.length) % order.length
  return parts.toSorted((one, other) => rank(one) - rank(other))
}

/** Every worker holds one cluster and takes the next job; a cluster that does not come back is thrown away. */
async function run(jobs: readonly Job[], options: ProveOptions, done: (job: Job, parts: ProofPart[]) => Promise<void>): Promise<void> {
  const queue = [...jobs]
  const { provider, log, signal } = options
  let firstFailure: unknown
  const worker = async (number: number) => {
    let cluster: Cluster | null = null
    const say = (line: string) => log(`[${number}] ${line}`)
    const context: PlayContext = { signal, log: say }
    try {
      while (!signal.aborted) {
        // Who gets no cluster takes no part away from the others.
        if (queue.length === 0) break
        if (cluster === null) {
          say('creating a cluster')
          cluster = await provider.create(
            { workers: Math.max(...jobs.map((one) => one.scenario.spec.needs.workers)) },
            (line) => say(`  ${line.step} ${line.state}${line.detail ? ` ${line.detail}` : ''}`),
            signal,
          )
          // A cluster that is kept after its one part is never put back.
          if (!options.keep || queue.length > 1) await cluster.baseline(signal)
        }
        const job = queue.shift()
        if (!job) break
        say(`${job.scenario.slug}/${job.variant} ${job.task.kind} "${job.task.name}"`)
        const parts = await play(cluster, job.scenario, job.variant, job.task, context)
        if (options.keep && queue.length === 0) {
          options.keep(cluster, job.scenario.slug)
          await done(job, parts)
          cluster = null
          break
        }
        const back = await reset(cluster, context)
        say(`  reset ${back.ok ? 'ok' : `FAILED: ${back.problem}`} in ${back.seconds} s`)
        // The learner's own reset is proven after the untouched fault; after a cheat or a script the cluster may be beyond repair.
        if (job.task.kind === 'injected') parts.push(back)
        if (!back.ok) {
          await cluster.destroy()
          cluster = null
        }
        await done(job, parts)
      }
    } catch (error) {
      if (!signal.aborted) {
        firstFailure ??= error
        say(`stopped: ${asLabError(error).message}`)
      }
    } finally {
      await cluster?.destroy()
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, Math.min(options.clusters ?? 1, jobs.length)) }, (_, index) => worker(index + 1)))
  if (queue.length > 0 && firstFailure !== undefined && !signal.aborted) throw firstFailure
}

/** Parts that were good, by everything that they depend on. */
function played(dir: string) {
  const file = (key: ProofKey, variant: string, task: Task) =>
    join(
      dir,
      `${createHash('sha256')
        .update(JSON.stringify([key, variant, task]))
        .digest('hex')}.json`,
    )
  return {
    async read(key: ProofKey, variant: string, task: Task): Promise<ProofPart[] | null> {
      try {
        return JSON.parse(await readFile(file(key, variant, task), 'utf8'))
      } catch {
        return null
      }
    },
    async write(key: ProofKey, variant: string, task: Task, parts: readonly ProofPart[]): Promise<void> {
      await mkdir(dir, { recursive: true })
      const path = file(key, variant, task)
      await writeFile(`${path}.part`, JSON.stringify(parts))
      await rename(`${path}.part`, path)
    },
  }
}

/**
 * Writes proof.<backend>.json beside a scenario when every variant is proven and something moved.
 * @returns whether it was written
 */
export async function record(
  scenario: Scenario,
  variants: readonly ProofVariant[],
  identity: { kubernetesVersion: string; image: string },
  now: () => Date,
): Promise<boolean> {
  const mine = variants.filter((one) => one.slug === scenario.slug)
  const backend = mine[0]?.backend
  if (backend === undefined || mine.length < scenario.spec.variants.length || mine.some((one) => !one.proven)) return false
  const key = keyOf(scenario, identity)
  const before = proofOf(scenario, backend as never)
  if (before && same(before.key, key) && before.variants.length === mine.length) return false
  const file: ProofFile = { key, provenAt: now().toISOString(), variants: mine }
  await writeFile(join(scenario.folder, `proof.${backend}.json`), `${JSON.stringify(file, null, 1)}\n`)
  return true
}
