// A message across a pane: what happened, why, what to do. And the empty state of a view. Knows nothing of where they stand.
import type { ReactNode } from 'react'
import type { ErrorWords } from '../api.ts'
import { cx } from './cx.ts'
import { type IconName, StateIcon, type Tone, toneTint } from './state.tsx'

export function Banner({
  tone,
  icon = tone === 'ok' ? 'ok' : 'warn',
  title,
  children,
  action,
  live,
}: {
  tone: Tone
  icon?: IconName
  title: ReactNode
  children?: ReactNode
  action?: ReactNode
  /** how a screen reader is told */
  live?: 'polite' | 'assertive'
}) {
  return (
    <div
      role={live === 'assertive' ? 'alert' : live === 'polite' ? 'status' : undefined}
      className={cx('flex flex-wrap items-start gap-x-3 gap-y-2 px-4 py-2.5', toneTint[tone])}
    >
      <StateIcon icon={icon} tone={tone} className="mt-0.5" />
      <div className="min-w-0 flex-1 basis-60">
        <p className="font-medium">{title}</p>
        {children ? <div className="text-text-2">{children}</div> : null}
      </div>
      {action}
    </div>
  )
}

/** An error in full: title, the server's account, what to do. */
export function Problem({
  words,
  whatToDo,
  action,
  live = 'assertive',
}: {
  words: ErrorWords
  whatToDo?: string
  action?: ReactNode
  live?: 'polite' | 'assertive'
}) {
  return (
    <Banner tone="fail" title={words.title} action={action} live={live}>
      {words.message ? <p className="break-words whitespace-pre-line">{words.message}</p> : null}
      {words.hint ? (
        <p className="mt-0.5 break-words whitespace-pre-line text-text">
          {whatToDo ? <span className="font-medium">{whatToDo}: </span> : null}
          {words.hint}
        </p>
      ) : null}
    </Banner>
  )
}

export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="px-4 py-12 text-center">
      <p className="font-medium">{title}</p>
      {children ? <div className="mx-auto mt-1 max-w-prose text-text-2">{children}</div> : null}
      {action ? <div className="mt-4">{action}</div> : null}
    </div>
  )
}
