// Times as people read them, and a clock that ticks while somebody looks. Knows nothing of sessions.
import { useSyncExternalStore } from 'react'
import type { Locale } from '#lib/protocol/index.ts'

/** Milliseconds as 4:05 or 1:02:03. */
export function clock(ms: number): string {
  const all = Math.max(0, Math.floor(ms / 1000))
  const [h, m, s] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60]
  const two = (n: number) => String(n).padStart(2, '0')
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}

/** Milliseconds in words short enough for a table: 850 ms, 12 s, 4 min 5 s, 1 h 2 min. */
export function duration(ms: number, locale: Locale): string {
  const units = locale === 'ko' ? { ms: 'ms', s: '초', m: '분', h: '시간', gap: '' } : { ms: 'ms', s: 's', m: 'min', h: 'h', gap: ' ' }
  const part = (n: number, unit: string) => `${n}${units.gap}${unit}`
  if (ms < 1000) return part(Math.max(0, Math.round(ms)), units.ms)
  const all = Math.round(ms / 1000)
  const [h, m, s] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60]
  if (h > 0) return m > 0 ? `${part(h, units.h)} ${part(m, units.m)}` : part(h, units.h)
  if (m > 0) return s > 0 ? `${part(m, units.m)} ${part(s, units.s)}` : part(m, units.m)
  return part(s, units.s)
}

/** Bytes as 12 kB, 3.4 MB. */
export function bytes(n: number): string {
  if (n < 1000) return `${n} B`
  if (n < 1_000_000) return `${Math.round(n / 1000)} kB`
  return `${(n / 1_000_000).toFixed(1)} MB`
}

export const timeOfDay = (at: number, locale: Locale): string =>
  new Date(at).toLocaleTimeString(locale === 'ko' ? 'ko-KR' : 'en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hour12: false,
  })
export const dateOf = (at: string | number, locale: Locale): string =>
  new Date(at).toLocaleDateString(locale === 'ko' ? 'ko-KR' : 'en-GB', { year: 'numeric', month: 'short', day: 'numeric' })

const ticks = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | null = null
const current = { now: 0 }
function listen(listener: () => void): () => void {
  ticks.add(listener)
  timer ??= setInterval(() => {
    current.now = Date.now()
    for (const tick of ticks) tick()
  }, 1000)
  current.now = Date.now()
  return () => {
    ticks.delete(listener)
    if (ticks.size === 0 && timer !== null) {
      clearInterval(timer)
      timer = null
    }
  }
}
const silent = () => () => {}
/** The time, epoch ms, anew every second while `active`; null while the server draws, so that both draw the same. */
export function useNow(active = true): number | null {
  return useSyncExternalStore(
    active ? listen : silent,
    () => {
      if (current.now === 0 || !active) current.now = current.now || Date.now()
      return current.now
    },
    () => null,
  )
}
