'use client'
// Which language the page speaks. Components ask `useMessages()` for words and `useLocale()` for the language itself.
// Knows nothing of cookies or requests: app/ decides the locale and hands it in.
import { createContext, type ReactNode, useContext } from 'react'
import type { Locale, Text } from '#lib/protocol/index.ts'
import { type Messages, messagesFor } from './messages.ts'

const LocaleContext = createContext<Locale>('en')

export function LocaleProvider({ locale, children }: { locale: Locale; children: ReactNode }) {
  return <LocaleContext value={locale}>{children}</LocaleContext>
}
export const useLocale = (): Locale => useContext(LocaleContext)
export const useMessages = (): Messages => messagesFor(useLocale())
/** Picks the reader's language out of what a scenario says in both. */
export const useText = (): ((text: Text) => string) => {
  const locale = useLocale()
  return (text) => text[locale]
}
