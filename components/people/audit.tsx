'use client'
// The audit log, a page at a time. Knows the names of what was done where there are words for them.
import Link from 'next/link'
import type { AuditView } from '#lib/protocol/index.ts'
import { useLocale, useMessages } from '../i18n/index.tsx'
import { buttonClass } from '../ui/button.tsx'
import { dateOf, timeOfDay } from '../ui/time.ts'

export function AuditLog({ view: { entries, next }, older }: { view: AuditView; older: boolean }) {
  const m = useMessages()
  const locale = useLocale()
  return (
    <>
      <div className="pt-8 pb-6">
        <h1 className="text-2xl font-semibold tracking-tight">{m.account.audit}</h1>
        <p className="mt-1 text-text-2">{m.account.auditLead}</p>
      </div>
      <section aria-label={m.account.audit} className="overflow-hidden rounded-lg border border-line bg-surface">
        <table className="w-full text-left text-[0.8125rem]">
          <thead className="text-xs text-text-2 max-sm:sr-only">
            <tr className="border-b border-line">
              {[m.account.when, m.account.who, m.account.what, m.account.whom, m.account.details].map((title) => (
                <th key={title} scope="col" className="px-4 py-2 font-medium">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {entries.map((entry) => (
              <tr key={`${entry.at} ${entry.id}`} className="align-top max-sm:block max-sm:py-2 max-sm:[&>td]:block max-sm:[&>td]:py-0">
                <td className="px-4 py-1.5 text-xs whitespace-nowrap text-text-2">
                  <time dateTime={new Date(entry.at).toISOString()} suppressHydrationWarning>
                    {dateOf(entry.at, locale)} {timeOfDay(entry.at, locale)}
                  </time>
                </td>
                <td className="px-4 py-1.5 break-words">{entry.actor.name ?? m.account.server}</td>
                <td className="px-4 py-1.5 font-medium">{m.account.done[entry.action] ?? entry.action}</td>
                <td className="px-4 py-1.5 break-words">{entry.subject.name}</td>
                <td className="px-4 py-1.5 break-all text-text-2">{entry.detail}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <nav aria-label={m.account.audit} className="mt-4 flex gap-2">
        {older ? (
          <Link className={buttonClass()} href="/audit">
            {m.account.newest}
          </Link>
        ) : null}
        {next === null ? null : (
          <Link className={buttonClass()} href={`/audit?before=${encodeURIComponent(next)}`}>
            {m.account.older}
          </Link>
        )}
      </nav>
    </>
  )
}
