'use client'
// The frame of a page that stands alone, before anybody is signed in. Knows nothing of what is asked there.
import type { ReactNode } from 'react'
import { Mark } from '../chrome/header.tsx'
import { Preferences, type ThemeChoice } from '../chrome/preferences.tsx'
import { useMessages } from '../i18n/index.tsx'

export function Door({ title, lead, theme, children }: { title: string; lead: ReactNode; theme: ThemeChoice; children: ReactNode }) {
  const m = useMessages()
  return (
    <main id="main" tabIndex={-1} className="mx-auto flex min-h-dvh max-w-sm flex-col px-4 pt-4 pb-16 outline-none">
      <div className="flex justify-end">
        <Preferences theme={theme} />
      </div>
      <div className="my-auto pt-8">
        <p className="flex items-center gap-2 font-semibold tracking-tight">
          <Mark className="size-5" />
          {m.product}
        </p>
        <h1 className="mt-6 text-xl font-semibold tracking-tight text-balance">{title}</h1>
        <div className="mt-1 text-text-2">{lead}</div>
        <div className="mt-6">{children}</div>
      </div>
    </main>
  )
}
