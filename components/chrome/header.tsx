'use client'
// The line at the top of every page but the lab's own: name, pages, progress, who one is, language, theme. Knows nothing of sessions.
import { CircleUser } from 'lucide-react'
import Link from 'next/link'
import { usePathname } from 'next/navigation'
import { useMessages } from '../i18n/index.tsx'
import { cx } from '../ui/cx.ts'
import { Preferences, type ThemeChoice } from './preferences.tsx'

export function Mark({ className }: { className?: string }) {
  // A ring with a gap, and the piece that closes it.
  return (
    <svg viewBox="0 0 20 20" className={className} aria-hidden="true" fill="none" strokeWidth="2.6" strokeLinecap="round">
      <path d="M15.6 13.9a6.8 6.8 0 1 1 0-7.8" stroke="currentColor" />
      <path d="M12.2 10h5" stroke="var(--accent)" />
    </svg>
  )
}

export function Header({
  theme,
  me,
  admin,
  solved,
  total,
  classes = null,
}: {
  theme: ThemeChoice
  /** null: there are no accounts */
  me: { name: string } | null
  admin: boolean
  solved: number
  total: number
  /** null: there are no classes for the reader */
  classes?: 'learns' | 'teaches' | null
}) {
  const m = useMessages()
  const path = usePathname()
  const link = (href: string, label: string) => (
    <Link
      href={href}
      aria-current={path === href ? 'page' : undefined}
      className={cx(
        'rounded-md px-2 py-1 text-[0.8125rem] whitespace-nowrap',
        path === href
          ? 'font-medium text-text underline decoration-accent decoration-2 underline-offset-[6px]'
          : 'text-text-2 hover:text-text',
      )}
    >
      {label}
    </Link>
  )
  return (
    <header className="border-b border-line bg-surface print:hidden">
      <div className="mx-auto flex h-12 max-w-6xl items-center gap-1 px-4 sm:gap-3">
        <Link href="/" className="mr-1 flex items-center gap-2 rounded-md font-semibold tracking-tight sm:mr-3">
          <Mark className="size-5" />
          <span className="max-sm:sr-only">{m.product}</span>
        </Link>
        <nav aria-label={m.nav.label} className="flex min-w-0 items-center gap-1 overflow-x-auto">
          {link('/', m.nav.catalogue)}
          {link('/exam', m.nav.exam)}
          {classes === null ? null : link('/assignments', m.class.assignments)}
          {classes === 'teaches' ? link('/classes', m.class.classes) : null}
          {admin ? link('/machine', m.nav.machine) : null}
          {admin && me !== null ? link('/people', m.nav.people) : null}
          {admin && me !== null ? link('/audit', m.nav.audit) : null}
        </nav>
        <div className="ml-auto flex items-center gap-2">
          {total > 0 ? (
            <span className="flex items-center gap-2 text-xs text-text-2 max-md:hidden">
              <span aria-hidden className="block h-1 w-16 overflow-hidden rounded-full bg-line">
                <span className="block h-full bg-accent" style={{ width: `${(100 * solved) / total}%` }} />
              </span>
              {m.nav.progress(solved, total)}
            </span>
          ) : null}
          {me === null ? null : (
            <Link
              href="/account"
              aria-label={`${m.nav.account}: ${me.name}`}
              aria-current={path === '/account' ? 'page' : undefined}
              title={me.name}
              className="inline-flex max-w-32 items-center gap-1.5 rounded-md px-1.5 py-1 text-[0.8125rem] text-text-2 hover:bg-hover hover:text-text"
            >
              <CircleUser aria-hidden className="size-4 shrink-0" />
              <span className="truncate max-sm:sr-only">{me.name}</span>
            </Link>
          )}
          <Preferences theme={theme} />
        </div>
      </div>
    </header>
  )
}
