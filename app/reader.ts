// What a request says of its reader: language, theme, who they are. Reads cookies and headers; who somebody is, the lab says.
import { cookies, headers } from 'next/headers'
import { notFound, redirect } from 'next/navigation'
import { cache } from 'react'
import { asTheme, type ThemeChoice, themeCookie } from '#components/chrome/theme.ts'
import { localeCookie, negotiateLocale } from '#components/i18n/messages.ts'
import type { Visitor } from '#lib/auth/index.ts'
import { isAtLeast, type Locale, type Role } from '#lib/protocol/index.ts'
import { lab } from '#lib/server/handle.ts'

interface Reader {
  locale: Locale
  theme: ThemeChoice
}

export async function reader(): Promise<Reader> {
  const [jar, head] = await Promise.all([cookies(), headers()])
  return {
    locale: negotiateLocale(jar.get(localeCookie)?.value, head.get('accept-language')),
    theme: asTheme(jar.get(themeCookie)?.value),
  }
}

/** Who reads, once for all parts of one page; null for somebody who is not signed in. */
export const identified = cache(async (): Promise<Visitor | null> => lab().identify(new Headers(await headers())))

/**
 * The reader of a page that is not for everybody. Somebody who is not signed in is sent to sign in, and back; to somebody whose role is
 * less than `least` the page is not there.
 */
export async function visitor(least: Role = 'learner'): Promise<Reader & { me: Visitor }> {
  const [read, me] = await Promise.all([reader(), identified()])
  if (me === null) {
    const from = (await headers()).get('x-kubemend-path') ?? '/'
    redirect(`/sign-in?to=${encodeURIComponent(from)}`)
  }
  if (!isAtLeast(me.role, least)) notFound()
  return { ...read, me }
}
