// Moments and scores as people read them on the pages of classes. Knows nothing of React.
import type { Locale } from '#lib/protocol/index.ts'

const tags = { ko: 'ko-KR', en: 'en-GB' } as const
/** In the reader's own time zone, with its name where there is none to guess. */
export const momentOf = (at: number, locale: Locale, zone?: string): string =>
  new Date(at).toLocaleString(tags[locale], {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
    ...(zone === undefined ? {} : { timeZone: zone }),
  })
export const scoreOf = (score: number | null): string => (score === null ? '–' : String(score))
