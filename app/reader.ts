// What a request says of its reader: language and theme. Reads cookies and headers, nothing else.
import { cookies, headers } from 'next/headers'
import { asTheme, type ThemeChoice, themeCookie } from '#components/chrome/theme.ts'
import { localeCookie, negotiateLocale } from '#components/i18n/messages.ts'
import type { Locale } from '#lib/protocol/index.ts'

export async function reader(): Promise<{ locale: Locale; theme: ThemeChoice }> {
  const [jar, head] = await Promise.all([cookies(), headers()])
  return {
    locale: negotiateLocale(jar.get(localeCookie)?.value, head.get('accept-language')),
    theme: asTheme(jar.get(themeCookie)?.value),
  }
}
