// The verdict. Every check is looked at until it has held long enough, or until the cluster has settled without it.
// "not repaired" and "could not look" never mix. Knows nothing of sessions; what it returns is plain data.
import { type Api, type Cluster, clockOf, deadline, type KubeObject, kubernetesApi, type LabClock } from '#lib/cluster/index.ts'
import { type CheckReport, LabError, type Verdict } from '#lib/protocol/index.ts'
import { type AnyCondition, type Check, conditionOf, type ResolvedScenario } from '#lib/scenario/index.ts'
import { type EvidenceRecord, recording } from './evidence.ts'
import type { Handover } from './harmless.ts'
import { CannotLook, type Eyes, type Observation, observe, open } from './observe.ts'
import { nextLook, watchObjects } from './watch.ts'
import { expectedOf, say } from './words.ts'

export interface Grade {
  /** 0…100, a broken guard voids it; null when no goal could be evaluated */
  score: number | null
  evaluatedWeight: number
  totalWeight: number
  brokenGuards: string[]
  checks: CheckReport[]
}
export interface GradeOptions {
  signal: AbortSignal
  progress?: (detail: string) => void
  /** in which holds and limits are counted; default the cluster's */
  clock?: LabClock
  limits?: Partial<Limits>
}
interface Limits {
  /** milliseconds without anything on its way, after which what does not hold is a fail */
  settleMs: number
  /** and at least so many of the host's, whose programs do not become faster where a cluster's time does */
  settleHostMs: number
  /** an API that does not answer may be one that is just starting: so long it counts as on its way */
  silentMs: number
  /** milliseconds after which what is still on its way, and does not hold, has timed out */
  longestMs: number
  /** milliseconds for which a failure of ours is tried again */
  retryMs: number
}
const defaults: Limits = { settleMs: 6000, settleHostMs: 1500, silentMs: 60_000, longestMs: 150_000, retryMs: 45_000 }

interface Run {
  check: Check
  condition: AnyCondition
  startedAt: number
  holdsSince: number | null
  /** for how long it was seen to hold, and the last look at it: of a long pause between two looks not all counts */
  held: { ms: number; at: number }
  /** what `holdsSince` was when the time was up */
  heldInTime: number | null
  /** since it fails: has it failed for long enough? */
  failed: (() => boolean) | null
  blindSince: number | null
  last: Observation | null
  cause: string | null
  verdict: Verdict | null
  endedAt: number
}

/**
 * Grades a cluster as it is now. Takes as long as the longest hold, or until a failing cluster has settled.
 * @throws LabError cancelled
 */
export async function gradeChecks(checks: readonly Check[], eyes: Eyes, options: GradeOptions): Promise<Grade> {
  const clock = options.clock ?? clockOf(eyes.cluster)
  const now = () => clock.now()
  const limits = { ...defaults, ...options.limits }
  const begun = now()
  const overdue = deadline(clock, limits.longestMs)
  const runs: Run[] = checks.map((check) => ({
    check,
    condition: conditionOf(check),
    startedAt: begun,
    holdsSince: null,
    held: { ms: 0, at: begun },
    heldInTime: null,
    failed: null,
    blindSince: null,
    last: null,
    cause: null,
    verdict: null,
    endedAt: begun,
  }))
  const inner = new AbortController()
  const signal = AbortSignal.any([options.signal, inner.signal])
  const next = nextLook(clock, { soon: 150, beat: 700 }, signal)
  const settling = () => deadline(clock, limits.settleMs, limits.settleHostMs)
  let rested: (() => boolean) | null = null
  let silentSince: number | null = null
  watchObjects(eyes.api, checks, next.changed, signal)
  try {
    for (;;) {
      if (options.signal.aborted) throw new LabError('cancelled', 'Grading was cancelled.')
      const undecided = runs.filter((run) => run.verdict === null)
      await Promise.all(undecided.map((run) => lookOnce(run, { ...eyes, signal: options.signal }, now, settling)))
      const time = now()
      const way = await onItsWay(eyes.api, time, options.signal)
      silentSince = way === 'silent' ? (silentSince ?? time) : null
      const returning = silentSince !== null && time - silentSince < limits.silentMs
      const moving = undecided.some((run) => run.last?.moving) || way === 'moving' || returning
      rested = moving ? null : (rested ?? settling())
      const calm = rested?.() ?? false
      for (const run of undecided) {
        const verdict = judge(run, time, calm, overdue(), limits)
        if (verdict !== null) {
          run.verdict = verdict
          run.endedAt = time
          options.progress?.(`${runs.filter((one) => one.verdict !== null).length} of ${runs.length} checks`)
        }
      }
      if (runs.every((run) => run.verdict !== null)) break
      await next.wait()
    }
    // A guard that held must still hold when the goals are done: the last thing looked at is the whole.
    await Promise.all(
      runs
        .filter((run) => run.check.role === 'guard' && run.verdict === 'pass')
        .map(async (run) => {
          await lookOnce(run, { ...eyes, signal: options.signal }, now, settling)
          if (run.last && !run.last.holds && run.blindSince === null) run.verdict = 'fail'
        }),
    )
  } finally {
    inner.abort()
  }
  return sum(runs)
}

async function lookOnce(run: Run, eyes: Eyes, now: () => number, settling: () => () => boolean): Promise<void> {
  try {
    const seen = await observe(run.condition, eyes)
    const time = now()
    if (run.last?.of !== seen.of) run.holdsSince = null
    run.last = seen
    run.blindSince = null
    run.cause = null
    if (seen.holds) {
      const before = run.holdsSince === null ? 0 : run.held.ms + Math.min(time - run.held.at, longestPause(run.check))
      run.held = { ms: before, at: time }
      run.holdsSince ??= time
      run.failed = null
    } else {
      run.failed ??= settling()
      run.holdsSince = null
    }
  } catch (error) {
    if (!(error instanceof CannotLook)) throw error
    run.blindSince ??= now()
    run.cause = error.message
    run.holdsSince = null
    run.failed = null
  }
}

/**
 * As much of the time between two looks counts as held: what comes and goes could else be met twice while it is there. Looks follow each other by less
 * than a second, but the time of a simulated cluster may fly, and a machine may be slow.
 */
const longestPause = ({ hold }: Check): number => Math.max(2000, hold * 500)

function judge(run: Run, time: number, calm: boolean, late: boolean, limits: Limits): Verdict | null {
  if (run.blindSince !== null) return time - run.blindSince >= limits.retryMs || late ? 'not-evaluable' : null
  if (run.holdsSince !== null) {
    if (run.held.ms >= run.check.hold * 1000) return 'pass'
    // What holds when the time is up may go on to hold for as long as it must: its end is known, and a slow look is not the learner's.
    if (late) run.heldInTime ??= run.holdsSince
    return late && run.heldInTime !== run.holdsSince ? 'timed-out' : null
  }
  if (run.failed === null) return null
  // Both must be old: the failure itself, and the calm of the cluster around it.
  if (calm && run.failed()) return 'fail'
  return late ? 'timed-out' : null
}

/** Reasons of a waiting container that more waiting will not change by itself soon. */
const stuck = /BackOff|ErrImage|InvalidImage|CreateContainerConfigError|CreateContainerError|RunContainerError/
/** Is the cluster still on its way somewhere? A young pod that is not ready, a pod going away, a controller behind its spec. `silent`: it does not say. */
async function onItsWay(api: Api, time: number, signal: AbortSignal): Promise<'moving' | 'settled' | 'silent'> {
  try {
    const [pods, nodes] = await Promise.all([
      api.list({ apiVersion: 'v1', kind: 'Pod' }, { signal }),
      api.list({ apiVersion: 'v1', kind: 'Node' }, { signal }),
    ])
    const age = (stamp: string | undefined) => (stamp === undefined ? Number.POSITIVE_INFINITY : time - Date.parse(stamp))
    const podMoves = (pod: KubeObject): boolean => {
      if (pod.metadata.deletionTimestamp) return age(pod.metadata.deletionTimestamp) < 10_000
      if (['Succeeded', 'Failed'].includes(pod.status?.phase)) return false
      const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
      if (statuses.some((one: KubeObject) => stuck.test(one.state?.waiting?.reason ?? ''))) return false
      const ready = pod.status?.conditions?.find((one: KubeObject) => one.type === 'Ready')
      if (ready?.status === 'True') return false
      const started = statuses.map((one: KubeObject) => age(one.state?.running?.startedAt))
      return age(pod.metadata.creationTimestamp) < 30_000 || started.some((one: number) => one < 15_000)
    }
    const nodeMoves = (node: KubeObject): boolean =>
      node.status?.conditions?.some((one: KubeObject) => one.type === 'Ready' && age(one.lastTransitionTime) < 8000)
    return pods.some(podMoves) || nodes.some(nodeMoves) ? 'moving' : 'settled'
  } catch {
    return 'silent'
  }
}

/** What verdicts add up to. */
export function tally(checks: readonly CheckReport[]): Grade {
  const goals = checks.filter(({ role }) => role === 'goal')
  const evaluated = goals.filter(({ verdict }) => verdict !== 'not-evaluable')
  const weigh = (list: readonly CheckReport[]) => list.reduce((total, { weight }) => total + weight, 0)
  const brokenGuards = checks
    .filter(({ role, verdict }) => role === 'guard' && (verdict === 'fail' || verdict === 'timed-out'))
    .map(({ id }) => id)
  const evaluatedWeight = weigh(evaluated)
  const earned = weigh(evaluated.filter(({ verdict }) => verdict === 'pass'))
  const score = evaluatedWeight === 0 ? null : brokenGuards.length > 0 ? 0 : Math.round((100 * earned) / evaluatedWeight)
  return { score, evaluatedWeight, totalWeight: weigh(goals), brokenGuards, checks: [...checks] }
}

function sum(runs: readonly Run[]): Grade {
  return tally(
    runs.map((run) => ({
      id: run.check.id,
      role: run.check.role,
      title: run.check.title,
      weight: run.check.weight,
      verdict: run.verdict as Verdict,
      expected: run.last?.expected ?? expectedOf(run.condition),
      actual: run.verdict === 'not-evaluable' ? say('could not be looked at', '확인할 수 없었습니다') : (run.last?.actual ?? say('', '')),
      why: run.check.why,
      evidence: run.last?.evidence ?? [],
      ...(run.cause === null ? {} : { cause: run.cause }),
      seconds: Math.round((run.endedAt - run.startedAt) / 100) / 10,
    })),
  )
}

/** What grading needs to remember between handover and verdict; plain JSON. */
export interface GradeBaseline {
  handover: Handover | null
}

/** The verdict on a session's cluster, with a record of what was seen (see `regrade`). @throws LabError cancelled */
export async function grade(
  cluster: Cluster,
  scenario: ResolvedScenario,
  baseline: GradeBaseline,
  options: GradeOptions,
): Promise<Grade & { evidence: EvidenceRecord }> {
  const api = kubernetesApi(cluster.kubeconfig)
  const eyes = open({ cluster, api, handover: baseline.handover })
  const record = recording(eyes, scenario.checks)
  try {
    const verdict = await gradeChecks(scenario.checks, record.eyes, options)
    return { ...verdict, evidence: await record.finish() }
  } finally {
    await eyes.canaries.dispose()
    api.close()
  }
}
