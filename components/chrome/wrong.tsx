'use client'
// A page that could not be shown: what happened, what to do. Knows nothing of why.
import Link from 'next/link'
import type { ReactNode } from 'react'
import { useMessages } from '../i18n/index.tsx'
import { buttonClass } from '../ui/button.tsx'
import { Mark } from './header.tsx'

export function Wrong({ title, lead, code, children }: { title: string; lead: string; code: string; children?: ReactNode }) {
  const m = useMessages()
  return (
    <main id="main" tabIndex={-1} className="mx-auto flex min-h-[80dvh] max-w-md flex-col justify-center px-4 outline-none">
      <Mark className="size-8" />
      <h1 className="mt-6 text-xl font-semibold text-balance">{title}</h1>
      <p className="mt-2 text-text-2">{lead}</p>
      {code ? (
        <p className="mt-2 text-xs text-text-3">
          {m.error.code} <code>{code}</code>
        </p>
      ) : null}
      <div className="mt-6 flex gap-2">
        <Link href="/" className={buttonClass('primary')}>
          {m.common.back}
        </Link>
        {children}
      </div>
    </main>
  )
}
