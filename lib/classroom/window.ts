// When an assignment may be begun and until when it counts. Local times in an IANA zone become moments; the server's clock alone decides.
// Pure; knows nothing of classes or labs.
import { LabError, type LatePolicy, type WindowView } from '#lib/protocol/index.ts'

export interface Moment {
  /** epoch ms */
  at: number
  /** gap: the clock skips this time, and the moment is as long after the jump as it was meant after it. twice: it comes twice, and this is the first */
  note: 'exact' | 'gap' | 'twice'
}

const formats = new Map<string, Intl.DateTimeFormat>()
function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone)
  if (format === undefined) {
    try {
      format = new Intl.DateTimeFormat('en-US', {
        timeZone: zone,
        calendar: 'iso8601',
        numberingSystem: 'latn',
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      })
    } catch (cause) {
      throw new LabError(
        'bad-request',
        { en: `“${zone.slice(0, 60)}” is no time zone.`, ko: `"${zone.slice(0, 60)}"은(는) 시간대가 아닙니다.` },
        { hint: { en: 'Use a name such as Asia/Seoul or Europe/Berlin.', ko: 'Asia/Seoul 같은 이름을 쓰십시오.' }, cause },
      )
    }
    if (formats.size > 600) formats.clear()
    formats.set(zone, format)
  }
  return format
}
/** Minutes that a zone is ahead of UTC at a moment, to the second. */
function offsetMs(zone: string, at: number): number {
  const parts = Object.fromEntries(
    formatOf(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  )
  const shown = Date.UTC(parts.year!, parts.month! - 1, parts.day!, parts.hour!, parts.minute!, parts.second!)
  return shown - Math.floor(at / 1000) * 1000
}

/**
 * @param local as a form gives it: 2026-03-29T02:30
 * @param zone an IANA name
 * @throws LabError bad-request
 */
export function momentOf(local: string, zone: string): Moment {
  const found = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})$/.exec(local)
  const [year, month, day, hour, minute] = (found ?? []).slice(1).map(Number)
  const wall = found === null ? Number.NaN : Date.UTC(year!, month! - 1, day!, hour!, minute!)
  const back = new Date(wall)
  if (found === null || Number.isNaN(wall) || back.toISOString().slice(0, 16) !== local || year! < 2000 || year! > 2100)
    throw new LabError(
      'bad-request',
      { en: `“${local.slice(0, 40)}” is no date with a time.`, ko: `"${local.slice(0, 40)}"은(는) 날짜와 시각이 아닙니다.` },
      { hint: { en: 'Write it as 2026-03-29T14:30.', ko: '2026-03-29T14:30처럼 쓰십시오.' } },
    )
  // The offsets on both sides of any jump near by; a moment fits when its own offset leads back to the wall's time.
  const before = offsetMs(zone, wall - 86_400_000)
  const after = offsetMs(zone, wall + 86_400_000)
  const fitting = [...new Set([wall - before, wall - after])].filter((at) => at + offsetMs(zone, at) === wall).sort((a, b) => a - b)
  if (fitting.length === 0) return { at: wall - before, note: 'gap' }
  return { at: fitting[0]!, note: fitting.length > 1 ? 'twice' : 'exact' }
}

/** The wall's time in a zone, as a form takes it. */
export const localOf = (at: number, zone: string): string => new Date(at + offsetMs(zone, at)).toISOString().slice(0, 16)

export interface WindowRules {
  opensAt: number
  /** null: it stays open */
  closesAt: number | null
  late: LatePolicy
  attempts: number
  /** minutes that this person has more, of the attempt and of the window alike */
  extraMinutes: number
}

/** Until when anything of this person's is taken, late or not; null: for ever. */
export const endsFor = ({ closesAt, extraMinutes, late }: WindowRules): number | null =>
  closesAt === null || late.kind === 'none' ? null : Math.max(closesAt, late.kind === 'until' ? late.at : closesAt) + extraMinutes * 60_000

/** How a person stands to an assignment at a moment. */
export function standing(rules: WindowRules, used: number, now: number): WindowView['state'] {
  if (now < rules.opensAt) return 'not-open'
  const end = endsFor(rules)
  if (end !== null && now >= end) return 'closed'
  if (used >= rules.attempts) return 'used-up'
  return rules.closesAt !== null && now >= rules.closesAt + rules.extraMinutes * 60_000 ? 'late' : 'open'
}

/** Percent taken off what was handed in at a moment. What comes with the very millisecond of the end is in time. */
export function penaltyOf(rules: WindowRules, handedInAt: number): number {
  if (rules.closesAt === null || handedInAt <= rules.closesAt + rules.extraMinutes * 60_000) return 0
  return rules.late.kind === 'until' ? rules.late.penalty : 0
}
/** What counts of a score: to a tenth, never up. */
export const reduced = (score: number | null, penalty: number): number | null =>
  score === null ? null : Math.max(0, Math.floor(score * (100 - penalty) * 0.1 + 1e-6) / 10)
