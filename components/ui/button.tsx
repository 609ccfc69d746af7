// Buttons in four weights, and links that look like them. Knows nothing of what they do.
import type { ButtonHTMLAttributes, ReactNode } from 'react'
import { cx } from './cx.ts'

export type Weight = 'primary' | 'normal' | 'quiet' | 'danger'
const weights: Record<Weight, string> = {
  primary: 'bg-accent text-on-accent hover:bg-accent-hover border-transparent',
  normal: 'bg-surface text-text border-line-strong/60 hover:bg-hover',
  quiet: 'bg-transparent text-text-2 border-transparent hover:bg-hover hover:text-text',
  danger: 'bg-surface text-fail border-fail/50 hover:bg-fail-tint',
}
export const buttonClass = (weight: Weight = 'normal', small = false) =>
  cx(
    'group inline-flex items-center justify-center gap-1.5 rounded-md border font-medium whitespace-nowrap select-none',
    'disabled:cursor-not-allowed disabled:border-line disabled:bg-sunken disabled:text-text-3 aria-disabled:cursor-not-allowed',
    small ? 'h-7 px-2.5 text-xs' : 'h-8 px-3 text-[0.8125rem]',
    weights[weight],
  )

export function Button({
  weight = 'normal',
  small = false,
  className,
  type = 'button',
  ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & { weight?: Weight; small?: boolean }) {
  return <button type={type} className={cx(buttonClass(weight, small), className)} {...rest} />
}

/** A square button that is only an icon; `label` is its name. */
export function IconButton({
  label,
  children,
  className,
  type = 'button',
  ...rest
}: Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'aria-label'> & { label: string; children: ReactNode }) {
  return (
    <button
      type={type}
      aria-label={label}
      title={label}
      className={cx(
        'inline-flex size-7 shrink-0 items-center justify-center rounded-md text-text-2 hover:bg-hover hover:text-text disabled:text-text-3 disabled:opacity-60 aria-pressed:bg-accent-tint aria-pressed:text-accent',
        className,
      )}
      {...rest}
    >
      {children}
    </button>
  )
}
