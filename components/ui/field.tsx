'use client'
// A field of a form: its label, its input or whatever control is handed in, a word of help. Knows nothing of what is asked.
import { type InputHTMLAttributes, type ReactNode, useId } from 'react'
import { cx } from './cx.ts'

const boxClass =
  'block w-full min-w-0 rounded-md border border-line-strong/60 bg-surface text-[0.8125rem] text-text disabled:bg-sunken disabled:text-text-2'
/** of an input or a select, as high as a button */
export const inputClass = `${boxClass} h-8 px-2.5`
/** of a text area */
export const areaClass = `${boxClass} px-2.5 py-1.5`
const labelClass = 'mb-1 block text-[0.8125rem] font-medium'

/** `children`: a control in the place of an input, for which what else is given counts nothing */
export function Field({
  label,
  help,
  className,
  children,
  ...input
}: InputHTMLAttributes<HTMLInputElement> & { label: string; help?: string; children?: ReactNode }) {
  const id = useId()
  if (children !== undefined)
    return (
      // biome-ignore lint/a11y/noLabelWithoutControl: the control is what is handed in
      <label className={cx('block min-w-0', className)}>
        <span className={labelClass}>{label}</span>
        {children}
      </label>
    )
  return (
    <div className={className}>
      <label htmlFor={id} className={labelClass}>
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
