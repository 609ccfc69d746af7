'use client'
// A lab on its way: starting, being reset, being graded, or stopped by a failure with words and a way on.
// Knows the steps as data; knows nothing of what they do.
import Link from 'next/link'
import type { SessionState, StepView } from '#lib/protocol/index.ts'
import { useAction } from '../action.ts'
import { Failure } from '../failure.tsx'
import { useLocale, useMessages, useText } from '../i18n/index.tsx'
import { Button, buttonClass } from '../ui/button.tsx'
import { cx } from '../ui/cx.ts'
import { CopyButton } from '../ui/markdown.tsx'
import { type IconName, StateIcon, type Tone } from '../ui/state.tsx'
import { clock, duration, useNow } from '../ui/time.ts'
import { act, useFrame, useLab, useSession } from './context.tsx'

const looks: Record<StepView['state'], { tone: Tone; icon: IconName }> = {
  pending: { tone: 'idle', icon: 'waiting' },
  running: { tone: 'accent', icon: 'running' },
  done: { tone: 'ok', icon: 'ok' },
  failed: { tone: 'fail', icon: 'fail' },
  cancelled: { tone: 'idle', icon: 'cancelled' },
}

/** The steps that belong to this state, so that a start does not show an old grading and the other way round. */
export function stepsOf(state: SessionState, steps: readonly StepView[]): StepView[] {
  if (state === 'grading' || state === 'ended') return steps.filter((step) => step.id === 'grade')
  if (state === 'resetting') return steps.filter((step) => step.id !== 'grade' && step.id !== 'claim')
  return steps.filter((step) => step.id !== 'grade' && (step.id !== 'restore' || step.state !== 'pending'))
}

export function Steps() {
  const m = useMessages()
  const text = useText()
  const locale = useLocale()
  const session = useSession()
  const { framed } = useFrame()
  const Main = framed ? 'div' : 'main'
  const skew = useLab((state) => state.skew)
  const failed = session.state === 'failed'
  const now = useNow(!failed)
  const { busy, error, run } = useAction()
  const steps = stepsOf(session.state, session.steps)
  const [title, lead] =
    session.state === 'failed'
      ? [session.readyAt === null ? m.session.failedTitle : m.session.stoppedTitle, m.session.failedLead]
      : session.state === 'resetting'
        ? [m.session.resettingTitle, m.session.resettingLead]
        : session.state === 'grading'
          ? [m.session.gradingTitle, m.session.gradingLead]
          : session.state === 'ended'
            ? [m.session.ended, '']
            : [m.session.startingTitle, m.session.startingLead]
  const stoppedAt = steps.find((step) => step.state === 'failed')
  const at = now === null ? null : now + skew
  const retry = () => run(() => act(session.id, { type: 'retry' }))
  return (
    <Main id={framed ? undefined : 'main'} tabIndex={-1} className="flex-1 overflow-y-auto outline-none">
      <div className="mx-auto max-w-2xl px-4 py-10 sm:py-16">
        <h2 className="text-xl font-semibold text-balance">{title}</h2>
        {lead ? <p className="mt-1 text-text-2">{lead}</p> : null}
        {session.state === 'starting' ? (
          <p className="mt-3 border-l-2 border-line-strong pl-3 text-text-2">{text(session.scenario.summary)}</p>
        ) : null}
        {failed && session.error ? (
          <div className="mt-5 overflow-hidden rounded-lg">
            <Failure error={session.error} />
          </div>
        ) : null}
        {error ? (
          <div className="mt-3 overflow-hidden rounded-lg">
            <Failure error={error} />
          </div>
        ) : null}
        <ol className="mt-6 border-t border-line" aria-label={title}>
          {steps.map((step) => (
            <li
              key={step.id}
              className="grid grid-cols-[1.25rem_minmax(0,1fr)_auto] gap-x-3 border-b border-line py-2.5"
              aria-current={step.state === 'running' ? 'step' : undefined}
            >
              <StateIcon {...looks[step.state]} className="mt-0.5" />
              <div className="min-w-0">
                <p className={cx(step.state === 'pending' ? 'text-text-3' : step.state === 'running' ? 'font-medium' : '')}>
                  {m.session.steps[step.id]}
                  <span className="sr-only">: {m.session.stepState[step.state]}</span>
                </p>
                {step.detail && (step.state === 'running' || step.state === 'failed') ? (
                  <p className="mt-0.5 font-mono text-xs break-words text-text-2">{step.detail}</p>
                ) : null}
              </div>
              <span className="pt-0.5 text-xs text-text-2 tabular-nums">
                {step.startedAt && step.endedAt
                  ? duration(step.endedAt - step.startedAt, locale)
                  : step.startedAt && step.state === 'running' && at !== null
                    ? clock(at - step.startedAt)
                    : step.state === 'pending'
                      ? ''
                      : m.session.stepState[step.state]}
              </span>
            </li>
          ))}
        </ol>
        {session.state === 'ended' && !framed ? (
          <Link href={`/session/${session.id}/report`} className={cx(buttonClass('primary'), 'mt-6')}>
            {m.session.toReport}
          </Link>
        ) : null}
        {failed ? (
          <>
            {stoppedAt?.detail && stoppedAt.detail.length > 200 ? (
              <details className="mt-4">
                <summary className="text-[0.8125rem] font-medium">{m.session.diagnostics}</summary>
                <div className="relative mt-2 rounded-md bg-sunken">
                  {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
                  <pre tabIndex={0} className="max-h-72 overflow-auto p-3 pr-9 text-xs">
                    {stoppedAt.detail}
                  </pre>
                  <CopyButton text={stoppedAt.detail} className="absolute top-1 right-1" />
                </div>
              </details>
            ) : null}
            {framed ? null : (
              <div className="mt-6 flex gap-2">
                <Button weight="primary" disabled={busy} onClick={retry}>
                  {m.common.retry}
                </Button>
                <Link href="/" className={buttonClass('quiet')}>
                  {m.common.back}
                </Link>
              </div>
            )}
          </>
        ) : null}
      </div>
    </Main>
  )
}
