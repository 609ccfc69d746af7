// How numbers of a drill are said, and how its tasks look. Pure; knows the views as data.
import type { DrillTask } from '#lib/protocol/index.ts'
import type { IconName, Tone } from '../ui/state.tsx'

/** 6, 6.5: a weight or a score without more digits than it needs. */
export const digits = (value: number): string => String(Math.round(value * 10) / 10)

export const taskLooks: Record<DrillTask['state'], { tone: Tone; icon: IconName }> = {
  waiting: { tone: 'idle', icon: 'waiting' },
  preparing: { tone: 'accent', icon: 'running' },
  ready: { tone: 'idle', icon: 'skipped' },
  failed: { tone: 'warn', icon: 'warn' },
  'handed-in': { tone: 'ok', icon: 'ok' },
  graded: { tone: 'ok', icon: 'ok' },
}

/** Milliseconds left on the server's clock when the page's says `now`; while the clock stands still, as the server said. null: no clock. */
export function leftOf(drill: { now: number; endsAt: number | null; stopped: boolean }, skew: number, now: number | null): number | null {
  if (drill.endsAt === null) return null
  const at = drill.stopped || now === null ? drill.now : Math.max(drill.now, now + skew)
  return Math.max(0, drill.endsAt - at)
}
