// The dictionaries by language, and the choice between languages. Usable on the server and in the browser; knows nothing of React.
import type { Locale } from '#lib/protocol/index.ts'
import { en, type Messages } from './en.ts'
import { ko } from './ko.ts'

export type { Messages } from './en.ts'

const dictionaries: Record<Locale, Messages> = { en, ko }
export const messagesFor = (locale: Locale): Messages => dictionaries[locale]

/** Name of the cookie that keeps the reader's own choice. */
export const localeCookie = 'locale'

/**
 * The language to speak: the reader's own choice (a cookie's value) if it is one of ours, else the first of ours that
 * Accept-Language prefers (RFC 9110 §12.5.4), else English.
 */
export function negotiateLocale(chosen: string | undefined, acceptLanguage: string | null): Locale {
  if (chosen === 'en' || chosen === 'ko') return chosen
  const wanted = (acceptLanguage ?? '')
    .split(',')
    .map((part, index) => {
      const [tag = '', ...parameters] = part.trim().split(';')
      const q = parameters.map((p) => /^\s*q=([\d.]+)\s*$/i.exec(p)?.[1]).find((v) => v !== undefined)
      return { language: tag.toLowerCase().split('-')[0], weight: q === undefined ? 1 : Number(q), index }
    })
    .filter((entry) => entry.weight > 0)
    .sort((a, b) => b.weight - a.weight || a.index - b.index)
  for (const { language } of wanted) if (language === 'en' || language === 'ko') return language
  return 'en'
}
