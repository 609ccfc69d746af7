// Watches checks while a learner works. Object checks are looked at again when a watched object changed; what no watch can tell
// (a port, a name, a file) is looked at again after every change and at a slow beat. Knows nothing of scores or sessions.
import { type Api, clockOf, type LabClock, type ObjectRef } from '#lib/cluster/index.ts'
import { asLabError, type CheckLive, type Text } from '#lib/protocol/index.ts'
import { type AnyCondition, type Check, type Condition, conditionOf } from '#lib/scenario/index.ts'
import { CannotLook, type Eyes, type Observation, observe } from './observe.ts'
import { plain } from './words.ts'

/** Kinds whose every change may move a port, a name or a guard. */
const ground: ObjectRef[] = [
  { apiVersion: 'v1', kind: 'Node' },
  { apiVersion: 'v1', kind: 'Pod' },
  { apiVersion: 'v1', kind: 'Service' },
  { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' },
  { apiVersion: 'apps/v1', kind: 'DaemonSet' },
  { apiVersion: 'apps/v1', kind: 'Deployment' },
]
/** Looked at by watching alone; the others need a beat too. */
const watchedKinds = new Set<AnyCondition['kind']>(['resource', 'absent', 'rollout'])

/** What one condition wants watched, beyond the ground. */
export function watchedBy(condition: AnyCondition): ObjectRef | null {
  const { kind, body } = condition
  if (kind === 'resource' || kind === 'absent') return { apiVersion: body.apiVersion, kind: body.kind }
  if (kind === 'rollout') return { apiVersion: 'apps/v1', kind: body.kind }
  return null
}

/** Calls `onChange` whenever an object of the kinds that these conditions depend on has changed; ends with the signal. */
export function watchObjects(api: Api, conditions: readonly Condition[], onChange: () => void, signal: AbortSignal): void {
  const refs = new Map<string, ObjectRef>()
  for (const ref of [...ground, ...conditions.map((condition) => watchedBy(conditionOf(condition))).filter((ref) => ref !== null)])
    refs.set(`${ref.apiVersion} ${ref.kind}`, ref)
  for (const ref of refs.values()) {
    let broken = false
    void api.watch(
      ref,
      {
        reset: () => {
          broken = false
          onChange()
        },
        event: onChange,
        broken: () => {
          if (!broken) onChange()
          broken = true
        },
      },
      signal,
    )
  }
}

/**
 * Paces looks: the next one comes `soon` after something changed, else after a `beat`; milliseconds of the cluster's time.
 * A change that comes while a look is under way asks for another one.
 */
export function nextLook(clock: LabClock, pace: { soon: number; beat: number }, signal: AbortSignal) {
  let pending = false
  let wake = () => {}
  return {
    changed(): void {
      pending = true
      wake()
    },
    async wait(): Promise<void> {
      if (!pending) {
        const idle = new AbortController()
        await Promise.race([
          clock.wait(pace.beat, AbortSignal.any([signal, idle.signal])),
          new Promise<void>((resolve) => {
            wake = resolve
          }),
        ])
        idle.abort()
        wake = () => {}
      }
      // Changes come in bursts; one look covers them.
      if (pending) await clock.wait(pace.soon, signal)
      pending = false
    },
  }
}

export interface WatchOptions {
  signal: AbortSignal
  onChange: (check: CheckLive) => void
  /** in which holds and beats are counted; default the cluster's */
  clock?: LabClock
  /** epoch milliseconds that a person's clock shows, for `since`; default Date.now */
  now?: () => number
  /** milliseconds between looks at what cannot be watched: soon after a change, and otherwise; default 1000 and 2500 */
  beat?: { lively: number; calm: number }
}
export interface Watch {
  states(): CheckLive[]
}
interface Tracked {
  check: Check
  condition: AnyCondition
  live: CheckLive
  /** since when it has held without a break, by the cluster's clock and by a person's; null when it does not */
  holds: { lab: number; shown: number } | null
  /** which one it was that held */
  of?: string | undefined
  running: boolean
  again: boolean
}

/** Watches until the signal aborts. States start as `waiting`. Canaries of `eyes` stay the caller's to dispose of. */
export function watchChecks(checks: readonly Check[], eyes: Eyes, options: WatchOptions): Watch {
  const now = options.now ?? Date.now
  const clock = options.clock ?? clockOf(eyes.cluster)
  const beat = options.beat ?? { lively: 1000, calm: 2500 }
  const { signal } = options
  const tracked: Tracked[] = checks.map((check) => ({
    check,
    condition: conditionOf(check),
    live: { id: check.id, role: check.role, title: check.title, weight: check.weight, state: 'waiting', since: now(), hold: check.hold },
    holds: null,
    running: false,
    again: false,
  }))
  let lastChange = clock.now()

  const update = (one: Tracked, state: CheckLive['state'], since: number, seen: Text | undefined) => {
    const { live } = one
    if (live.state === state && live.seen?.en === seen?.en && live.since === since) return
    const { seen: _, ...rest } = live
    one.live = { ...rest, state, since, ...(seen === undefined ? {} : { seen }) }
    options.onChange(one.live)
  }
  const settle = (one: Tracked, observation: Observation) => {
    if (!observation.holds) {
      one.holds = null
      update(one, 'failing', one.live.state === 'failing' ? one.live.since : now(), observation.actual)
      return
    }
    const time = clock.now()
    if (one.of !== observation.of) one.holds = null
    one.of = observation.of
    one.holds ??= { lab: time, shown: now() }
    const left = one.holds.lab + one.check.hold * 1000 - time
    update(one, left <= 0 ? 'passing' : 'holding', one.holds.shown, observation.actual)
    if (left > 0) void clock.wait(left + 20, signal).then(() => look(one))
  }
  /** One look at a time per check; a change meanwhile asks for one more. */
  async function look(one: Tracked): Promise<void> {
    if (signal.aborted) return
    if (one.running) {
      one.again = true
      return
    }
    one.running = true
    try {
      const observation = await observe(one.condition, { ...eyes, signal })
      if (!signal.aborted) settle(one, observation)
    } catch (error) {
      if (signal.aborted) return
      one.holds = null
      update(
        one,
        'not-evaluable',
        one.live.state === 'not-evaluable' ? one.live.since : now(),
        plain(error instanceof CannotLook ? error.message : asLabError(error).message),
      )
      void clock.wait(3000, signal).then(() => look(one))
    } finally {
      one.running = false
      if (one.again) {
        one.again = false
        void clock.wait(200, signal).then(() => look(one))
      }
    }
  }

  let scheduled = false
  const changed = () => {
    lastChange = clock.now()
    if (scheduled) return
    scheduled = true
    // Changes come in bursts; one look covers them.
    void clock.wait(250, signal).then(() => {
      scheduled = false
      for (const one of tracked) void look(one)
    })
  }
  watchObjects(eyes.api, checks, changed, signal)
  for (const one of tracked) void look(one)
  void (async () => {
    while (!signal.aborted) {
      await clock.wait(clock.now() - lastChange < 20_000 ? beat.lively : beat.calm, signal)
      await Promise.all(tracked.filter((one) => !watchedKinds.has(one.condition.kind)).map(look))
    }
  })()
  return { states: () => tracked.map((one) => one.live) }
}
