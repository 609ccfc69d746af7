'use client'
// A field of a form with its label and a word of help, and the frame of a page that stands alone. Knows nothing of what is asked.
import { type InputHTMLAttributes, type ReactNode, useId } from 'react'
import { Mark } from '../chrome/header.tsx'
import { Preferences, type ThemeChoice } from '../chrome/preferences.tsx'
import { useMessages } from '../i18n/index.tsx'

export const inputClass =
  'h-9 w-full rounded-md border border-line-strong/60 bg-surface px-2.5 text-sm disabled:bg-sunken disabled:text-text-2'

export function Field({ label, help, className, ...input }: InputHTMLAttributes<HTMLInputElement> & { label: string; help?: string }) {
  const id = useId()
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1 block text-[0.8125rem] font-medium">
        {label}
      </label>
      <input id={id} aria-describedby={help ? `${id}-help` : undefined} className={inputClass} {...input} />
      {help ? (
        <p id={`${id}-help`} className="mt-1 text-xs text-text-2">
          {help}
        </p>
      ) : null}
    </div>
  )
}

/** What is typed into a form, by field. */
export const typed = (form: HTMLFormElement): Record<string, string> =>
  Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]))

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
