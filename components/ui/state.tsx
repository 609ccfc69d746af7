// A state as colour, icon and word together, everywhere the same. Knows the five tones and nothing of what is in that state.
import { Ban, Check, CircleAlert, CircleDashed, CircleHelp, Clock, LoaderCircle, type LucideIcon, Minus, X } from 'lucide-react'
import type { ReactNode } from 'react'
import { cx } from './cx.ts'

export type Tone = 'ok' | 'fail' | 'warn' | 'accent' | 'idle'
export const toneText: Record<Tone, string> = {
  ok: 'text-ok',
  fail: 'text-fail',
  warn: 'text-warn',
  accent: 'text-accent',
  idle: 'text-text-3',
}
export const toneTint: Record<Tone, string> = {
  ok: 'bg-ok-tint text-ok',
  fail: 'bg-fail-tint text-fail',
  warn: 'bg-warn-tint text-warn',
  accent: 'bg-accent-tint text-accent',
  idle: 'bg-sunken text-text-2',
}

export const icons = {
  ok: Check,
  fail: X,
  warn: CircleAlert,
  unknown: CircleHelp,
  holding: Clock,
  running: LoaderCircle,
  waiting: CircleDashed,
  skipped: Minus,
  cancelled: Ban,
} satisfies Record<string, LucideIcon>
export type IconName = keyof typeof icons

export function StateIcon({ icon, tone, className }: { icon: IconName; tone: Tone; className?: string }) {
  const Icon = icons[icon]
  return (
    <Icon
      aria-hidden
      className={cx('size-4 shrink-0', toneText[tone], icon === 'running' && 'animate-turn', className)}
      strokeWidth={2.25}
    />
  )
}

/** Icon and word on a tint. */
export function Badge({ tone, icon, children, className }: { tone: Tone; icon?: IconName; children: ReactNode; className?: string }) {
  const Icon = icon ? icons[icon] : null
  return (
    <span
      className={cx(
        'inline-flex items-center gap-1 rounded-sm px-1.5 py-px text-xs font-medium whitespace-nowrap',
        toneTint[tone],
        className,
      )}
    >
      {Icon ? <Icon aria-hidden className={cx('size-3.5 shrink-0', icon === 'running' && 'animate-turn')} strokeWidth={2.25} /> : null}
      {children}
    </span>
  )
}
