// This browser's settings as data: what the exported file carries and what is taken from it. Knows where they are kept.
import { type ArchivedSettings, archivedSettings } from '#lib/protocol/index.ts'
import { themeCookie } from '../chrome/theme.ts'
import { localeCookie } from '../i18n/messages.ts'

const prefix = 'kubemend.'
const cookie = (name: string, all: string): string | undefined =>
  all
    .split(';')
    .map((part) => part.trim().split('='))
    .find(([key]) => key === name)?.[1]

/** What is kept, as far as a file may carry it. */
export function settingsOf(cookies: string, storage: Storage): ArchivedSettings {
  const { kept, locale, theme } = archivedSettings.shape
  const numbers: Record<string, number> = {}
  for (let at = 0; at < storage.length; at += 1) {
    const name = storage.key(at)!
    const value = Number(storage.getItem(name) ?? '')
    if (name.startsWith(prefix) && Number.isFinite(value)) numbers[name.slice(prefix.length)] = value
  }
  const some = <K extends string, T>(key: K, found: { success: boolean; data?: T }) =>
    found.success && found.data !== undefined ? ({ [key]: found.data } as Record<K, T>) : {}
  return {
    ...some('theme', theme.safeParse(cookie(themeCookie, cookies))),
    ...some('locale', locale.safeParse(cookie(localeCookie, cookies))),
    ...some('kept', kept.safeParse(numbers)),
  }
}

/** Takes them over; who reads them sees them when the page is drawn anew. */
export function applySettings(settings: ArchivedSettings, keepCookie: (name: string, value: string) => void, storage: Storage): void {
  if (settings.theme !== undefined) keepCookie(themeCookie, settings.theme)
  if (settings.locale !== undefined) keepCookie(localeCookie, settings.locale)
  for (const [name, value] of Object.entries(settings.kept ?? {})) storage.setItem(prefix + name, String(value))
}
