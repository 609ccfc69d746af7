// The report's timeline as a picture's data: how each check stood over time, commands and happenings at their moments, all on one
// axis from the hand-over to the end. Pure; knows nothing of how it is drawn.
import type { CheckLive, Report } from '#lib/protocol/index.ts'

export type Entry = Report['timeline'][number]
export type CommandEntry = Extract<Entry, { kind: 'command' }>
export type SessionEntry = Extract<Entry, { kind: 'session' }>
/** Fractions of the axis, 0…1. */
export interface Band {
  from: number
  to: number
  state: CheckLive['state']
}
export interface Lanes {
  /** epoch ms of both ends */
  start: number
  end: number
  checks: { id: string; bands: Band[] }[]
  commands: { at: number; entry: CommandEntry }[]
  happenings: { at: number; entry: SessionEntry }[]
  /** ticks at round times: fraction and ms since start */
  ticks: { at: number; ms: number }[]
}

const steps = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200].map((s) => s * 1000)

/** Null when nothing happened that a picture could show. `ids`: the checks in the order in which they are to stand. */
export function lanes(timeline: readonly Entry[], ids: readonly string[]): Lanes | null {
  if (timeline.length === 0) return null
  const ready = timeline.find((entry) => entry.kind === 'session' && entry.what === 'ready')
  const start = ready?.at ?? timeline[0]!.at
  const end = Math.max(start + 1000, ...timeline.map((entry) => entry.at))
  const place = (at: number) => Math.min(1, Math.max(0, (at - start) / (end - start)))
  const checks = ids.map((id) => {
    const moves = timeline.filter((entry) => entry.kind === 'check' && entry.check === id) as Extract<Entry, { kind: 'check' }>[]
    const bands: Band[] = []
    let state: CheckLive['state'] = 'waiting'
    let from = 0
    for (const move of moves) {
      const at = place(move.at)
      if (at > from) bands.push({ from, to: at, state })
      state = move.state
      from = at
    }
    if (from < 1) bands.push({ from, to: 1, state })
    // Neighbours of one state are one band.
    const merged: Band[] = []
    for (const band of bands) {
      const last = merged.at(-1)
      if (last?.state === band.state) last.to = band.to
      else merged.push({ ...band })
    }
    return { id, bands: merged }
  })
  const span = end - start
  const step = steps.find((ms) => span / ms <= 6) ?? steps.at(-1)!
  const ticks = Array.from({ length: Math.floor(span / step) + 1 }, (_, n) => ({ at: place(start + n * step), ms: n * step }))
  return {
    start,
    end,
    checks,
    commands: timeline.flatMap((entry) => (entry.kind === 'command' ? [{ at: place(entry.at), entry }] : [])),
    happenings: timeline.flatMap((entry) => (entry.kind === 'session' ? [{ at: place(entry.at), entry }] : [])),
    ticks,
  }
}
