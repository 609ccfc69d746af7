// The frames of a page of classes: its title, a section, a list, what scrolls by itself. Know nothing of what is in them.
import type { ReactNode } from 'react'
import { cx } from '../ui/cx.ts'

export function Section({ id, title, action, children }: { id: string; title: string; action?: ReactNode; children: ReactNode }) {
  return (
    <section aria-labelledby={id} className="mt-8">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <h2 id={id} className="text-base font-semibold">
          {title}
        </h2>
        {action ? <div className="ml-auto flex flex-wrap gap-2">{action}</div> : null}
      </div>
      <div className="mt-2">{children}</div>
    </section>
  )
}

/** A list of rows in one frame. */
export const listClass = 'overflow-hidden rounded-lg border border-line bg-surface'
export const rowClass = 'flex flex-wrap items-center gap-x-4 gap-y-1.5 border-line px-4 py-2.5 not-first:border-t'

export function Title({ children, lead, above }: { children: ReactNode; lead?: ReactNode; above?: ReactNode }) {
  return (
    <div className="pt-8">
      {above ? <p className="mb-1 text-xs text-text-2">{above}</p> : null}
      <h1 className="text-xl font-semibold text-balance break-words">{children}</h1>
      {lead ? <p className="mt-1 text-text-2">{lead}</p> : null}
    </div>
  )
}

/** What is wider than the page and scrolls in a frame of its own, by keyboard too. */
export function Scroll({ label, className, children }: { label: string; className?: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section aria-label={label} tabIndex={0} className={cx(listClass, 'overflow-x-auto', className)}>
      {children}
    </section>
  )
}
