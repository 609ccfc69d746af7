// The document around every page: language, theme, skip link. Knows the reader; knows nothing of labs.
import type { Metadata, Viewport } from 'next'
import type { ReactNode } from 'react'
import { LocaleProvider } from '#components/i18n/index.tsx'
import { messagesFor } from '#components/i18n/messages.ts'
import { reader } from './reader.ts'
import './globals.css'

export async function generateMetadata(): Promise<Metadata> {
  const m = messagesFor((await reader()).locale)
  return {
    title: { default: `${m.product}: ${m.tagline}`, template: `%s · ${m.product}` },
    description: m.catalogue.lead,
    robots: { index: false },
  }
}
export const viewport: Viewport = {
  width: 'device-width',
  initialScale: 1,
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#f6f6f3' },
    { media: '(prefers-color-scheme: dark)', color: '#131312' },
  ],
}

export default async function RootLayout({ children }: { children: ReactNode }) {
  const { locale, theme } = await reader()
  const m = messagesFor(locale)
  return (
    <html lang={locale} data-theme={theme}>
      <body>
        <a
          href="#main"
          className="sr-only z-50 rounded-md bg-accent px-3 py-2 font-medium text-on-accent focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
        >
          {m.skip}
        </a>
        <LocaleProvider locale={locale}>{children}</LocaleProvider>
      </body>
    </html>
  )
}
