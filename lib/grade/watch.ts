// Watches checks while a learner works. Object checks are looked at again when a watched object changed; what no watch can tell
// (a port, a name, a file) is looked at again after every change and at a slow beat. Knows nothing of scores or sessions.
import type { Api, ObjectRef } from '#lib/cluster/index.ts'
import { wait } from '#lib/cluster/index.ts'
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

export interface WatchOptions {
  signal: AbortSignal
  onChange: (check: CheckLive) => void
  /** epoch milliseconds; default Date.now */
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
  /** epoch ms since when it has held without a break, null when it does not */
  holdsSince: number | null
  running: boolean
  again: boolean
}

/** Watches until the signal aborts. States start as `waiting`. Canaries of `eyes` stay the caller's to dispose of. */
export function watchChecks(checks: readonly Check[], eyes: Eyes, options: WatchOptions): Watch {
  const now = options.now ?? Date.now
  const beat = options.beat ?? { lively: 1000, calm: 2500 }
  const { signal } = options
  const tracked: Tracked[] = checks.map((check) => ({
    check,
    condition: conditionOf(check),
    live: { id: check.id, role: check.role, title: check.title, weight: check.weight, state: 'waiting', since: now(), hold: check.hold },
    holdsSince: null,
    running: false,
    again: false,
  }))
  let lastChange = now()

  const update = (one: Tracked, state: CheckLive['state'], since: number, seen: Text | undefined) => {
    const { live } = one
    if (live.state === state && live.seen?.en === seen?.en && live.since === since) return
    const { seen: _, ...rest } = live
    one.live = { ...rest, state, since, ...(seen === undefined ? {} : { seen }) }
    options.onChange(one.live)
  }
  const settle = (one: Tracked, observation: Observation) => {
    const time = now()
    if (!observation.holds) {
      one.holdsSince = null
      update(one, 'failing', one.live.state === 'failing' ? one.live.since : time, observation.actual)
      return
    }
    one.holdsSince ??= time
    const green = time - one.holdsSince >= one.check.hold * 1000
    update(one, green ? 'passing' : 'holding', one.holdsSince, observation.actual)
    if (!green) void wait(one.holdsSince + one.check.hold * 1000 - time + 20, signal).then(() => look(one))
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
      one.holdsSince = null
      update(
        one,
        'not-evaluable',
        one.live.state === 'not-evaluable' ? one.live.since : now(),
        plain(error instanceof CannotLook ? error.message : asLabError(error).message),
      )
      void wait(3000, signal).then(() => look(one))
    } finally {
      one.running = false
      if (one.again) {
        one.again = false
        void wait(200, signal).then(() => look(one))
      }
    }
  }

  let scheduled = false
  const changed = () => {
    lastChange = now()
    if (scheduled) return
    scheduled = true
    // Changes come in bursts; one look covers them.
    void wait(250, signal).then(() => {
      scheduled = false
      for (const one of tracked) void look(one)
    })
  }
  watchObjects(eyes.api, checks, changed, signal)
  for (const one of tracked) void look(one)
  void (async () => {
    while (!signal.aborted) {
      await wait(now() - lastChange < 20_000 ? beat.lively : beat.calm, signal)
      await Promise.all(tracked.filter((one) => !watchedKinds.has(one.condition.kind)).map(look))
    }
  })()
  return { states: () => tracked.map((one) => one.live) }
}
