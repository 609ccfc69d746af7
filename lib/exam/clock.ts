// When a drill ends. The server's clock alone decides: start, plus the minutes, plus what outages of this side have taken. Pure; knows
// nothing of timers.

/** An outage: `to` null while it lasts. */
export interface Span {
  from: number
  to: number | null
}
export interface Times {
  /** epoch ms; null before the first lab was handed over */
  startedAt: number | null
  /** null: no clock */
  minutes: number | null
  outages: readonly Span[]
}
export interface Reading {
  endsAt: number | null
  leftMs: number | null
  givenBackMs: number
  /** an outage is under way: time stands still */
  stopped: boolean
  /** the newest alert that is due, in minutes */
  alert: number | null
  over: boolean
}

export const alerts = [30, 15, 5] as const

/** Milliseconds of [from, to] that outages cover; where they overlap they count once. */
export function covered(spans: readonly Span[], from: number, to: number): number {
  const clipped = spans
    .map((span) => ({ from: Math.max(from, span.from), to: Math.min(to, span.to ?? to) }))
    .filter((span) => span.to > span.from)
    .sort((a, b) => a.from - b.from)
  let sum = 0
  let reached = from
  for (const span of clipped) {
    sum += Math.max(0, span.to - Math.max(reached, span.from))
    reached = Math.max(reached, span.to)
  }
  return sum
}

/** When `left` milliseconds from `from` on have passed, outages not counted; one that begins after that changes nothing. */
function endOf(from: number, left: number, outages: readonly Span[], now: number): number {
  let at = from
  for (const span of [...outages].sort((a, b) => a.from - b.from)) {
    const end = span.to ?? now
    if (end <= at) continue
    const works = Math.max(0, span.from - at)
    if (works >= left) break
    left -= works
    at = end
  }
  return at + left
}

export function readClock({ startedAt, minutes, outages }: Times, now: number): Reading {
  if (startedAt === null)
    return { endsAt: null, leftMs: minutes === null ? null : minutes * 60_000, givenBackMs: 0, stopped: false, alert: null, over: false }
  const stopped = outages.some((span) => span.to === null && span.from <= now)
  if (minutes === null)
    return { endsAt: null, leftMs: null, givenBackMs: covered(outages, startedAt, now), stopped, alert: null, over: false }
  const endsAt = endOf(startedAt, minutes * 60_000, outages, now)
  const givenBackMs = covered(outages, startedAt, Math.min(now, endsAt))
  const leftMs = Math.max(0, endsAt - now)
  const due = alerts.filter((alert) => alert < minutes && leftMs <= alert * 60_000)
  return { endsAt, leftMs, givenBackMs, stopped, alert: due.at(-1) ?? null, over: endsAt <= now }
}
