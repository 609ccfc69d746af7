'use client'
// The report of an attempt: score, each check with expected, actual and why, what was wrong and a solution, what happened when,
// the replay. Knows the report as data; grading is somebody else's.
import { ArrowRight, ChevronRight, RotateCcw } from 'lucide-react'
import Link from 'next/link'
import { type ReactNode, useRef, useState } from 'react'
import type { CheckReport, Report, SessionView, Verdict } from '#lib/protocol/index.ts'
import { useBegin } from '../action.ts'
import { Failure } from '../failure.tsx'
import { useLocale, useMessages, useText } from '../i18n/index.tsx'
import { Replay } from '../terminal/replay.tsx'
import { Empty } from '../ui/banner.tsx'
import { Button, buttonClass } from '../ui/button.tsx'
import { cx } from '../ui/cx.ts'
import { Fact } from '../ui/fact.tsx'
import { CodeBlock, Markdown } from '../ui/markdown.tsx'
import { type IconName, StateIcon, type Tone, toneText } from '../ui/state.tsx'
import { duration } from '../ui/time.ts'
import { Timeline } from './timeline.tsx'

export const verdictLooks: Record<Verdict, { tone: Tone; icon: IconName }> = {
  pass: { tone: 'ok', icon: 'ok' },
  fail: { tone: 'fail', icon: 'fail' },
  'not-evaluable': { tone: 'warn', icon: 'unknown' },
  'timed-out': { tone: 'fail', icon: 'holding' },
}

export function ReportMissing({ session }: { session: SessionView }) {
  const m = useMessages()
  // Graded, and not to be read: an exam runs.
  const sealed = session.state === 'ended' && session.outcome !== 'abandoned'
  return (
    <Empty
      title={m.report.missing}
      action={
        <Link href={sealed ? '/exam' : `/session/${session.id}`} className={buttonClass('primary')}>
          {sealed ? m.exam.toDrills : m.report.toSession}
          <ArrowRight aria-hidden className="size-4" />
        </Link>
      }
    >
      {sealed ? m.exam.sealed : m.report.missingHint}
    </Empty>
  )
}

export function ReportView({ report }: { report: Report }) {
  const m = useMessages()
  const text = useText()
  const locale = useLocale()
  const { score } = report
  const voided = report.brokenGuards.length > 0
  const tone: Tone = score === null ? 'warn' : score === 100 ? 'ok' : score > 0 ? 'accent' : 'fail'
  const says =
    score === null
      ? m.report.noScoreWhy
      : voided
        ? m.report.voided
        : score === 100
          ? m.report.perfect
          : score > 0
            ? m.report.partial
            : m.report.zero
  const proven = report.scenario.backends.find((offer) => offer.name === report.backend)?.trust.state === 'proven'
  const goals = report.checks.filter((check) => check.role === 'goal')
  const guards = report.checks.filter((check) => check.role === 'guard')
  const replay = useRef<HTMLElement>(null)
  const [seek, setSeek] = useState<{ to: number } | null>(null)
  const [recording, setRecording] = useState<number | null>(report.recordings[0]?.terminal ?? null)
  const chosen = report.recordings.find((one) => one.terminal === recording)
  return (
    <article>
      <div className="grid gap-x-10 gap-y-5 pt-8 pb-6 sm:grid-cols-[auto_minmax(0,1fr)_auto] sm:items-center">
        <p className={cx('text-5xl font-semibold tracking-tight tabular-nums', toneText[tone])}>
          <span className="sr-only">{m.report.score}: </span>
          {score === null ? <span className="text-2xl">{m.report.noScore}</span> : m.common.percent(Math.round(score))}
        </p>
        <div className="min-w-0">
          <p className="text-xs text-text-2">
            {m.report.title} · {m.report.outcome[report.outcome]}
          </p>
          <h1 className="text-xl font-semibold text-balance">{text(report.scenario.title)}</h1>
          <p className={cx('mt-0.5 font-medium', toneText[tone])}>{says}</p>
          {score !== null && report.evaluatedWeight < report.totalWeight ? (
            <p className="text-text-2">{m.report.partlyEvaluated(report.evaluatedWeight, report.totalWeight)}</p>
          ) : null}
        </div>
        <Again scenario={report.scenario.id} backend={report.backend} />
      </div>
      <dl className="flex flex-wrap gap-x-8 gap-y-2 border-y border-line py-3 text-[0.8125rem]">
        <Fact name={m.report.time}>
          {duration(report.spentMs, locale)} <span className="text-text-3">{m.report.of(report.scenario.minutes)}</span>
        </Fact>
        <Fact name={m.report.hints}>{report.hintsShown}</Fact>
        <Fact name={m.report.resets}>{report.resets}</Fact>
        <Fact name={m.report.scenario}>
          <code className="text-xs">{report.slug}</code>
        </Fact>
        {report.variant ? (
          <Fact name={m.report.variant}>
            <code className="text-xs">{report.variant}</code>
          </Fact>
        ) : null}
        <Fact name={m.report.seed}>
          <code className="text-xs">{report.seed}</code>
        </Fact>
        <Fact name={m.report.backend}>{m.backend[report.backend]}</Fact>
      </dl>

      {voided ? (
        <section className="mt-6 overflow-hidden rounded-lg bg-fail-tint px-4 py-3">
          <h2 className="flex items-center gap-2 font-semibold text-fail">
            <StateIcon icon="fail" tone="fail" />
            {m.report.voided}
          </h2>
          <p className="mt-0.5">{m.report.voidedLead}</p>
          <ul className="mt-1.5 space-y-1">
            {report.brokenGuards.map((id) => {
              const check = report.checks.find((one) => one.id === id)
              return (
                <li key={id}>
                  <span className="font-medium">{check ? text(check.title) : id}</span>
                  {check ? <span className="text-text-2"> {text(check.why)}</span> : null}
                </li>
              )
            })}
          </ul>
        </section>
      ) : null}

      <Section id="checks" title={m.report.checks}>
        <CheckList title={m.report.goals} checks={goals} />
        {guards.length > 0 ? <CheckList title={m.report.guards} checks={guards} /> : null}
      </Section>

      <div className="grid gap-x-10 lg:grid-cols-2">
        <Section id="explanation" title={m.report.explanation}>
          <Markdown className="max-w-[70ch]">{text(report.explanation)}</Markdown>
        </Section>
        <Section id="solution" title={m.report.solution} lead={proven ? m.report.solutionProven : m.report.solutionLead}>
          <CodeBlock code={report.solution} />
        </Section>
      </div>

      <Section id="timeline" title={m.report.timeline} lead={m.report.timelineLead}>
        <Timeline
          report={report}
          onSeek={(to, terminal) => {
            if (terminal !== null && report.recordings.some((one) => one.terminal === terminal)) setRecording(terminal)
            setSeek({ to })
            replay.current?.scrollIntoView({ block: 'nearest' })
          }}
        />
      </Section>

      <section ref={replay} aria-labelledby="replay" className="mt-10">
        <div className="flex flex-wrap items-center gap-3">
          <h2 id="replay" className="text-base font-semibold">
            {m.report.replay}
          </h2>
          {report.recordings.length > 1 ? (
            <select
              aria-label={m.report.replay}
              value={recording ?? ''}
              onChange={(event) => setRecording(Number(event.target.value))}
              className="h-7 rounded-md border border-line-strong/60 bg-surface px-1 text-xs"
            >
              {report.recordings.map((one) => (
                <option key={one.terminal} value={one.terminal}>
                  {m.report.recording(one.place, one.terminal)} ({duration(one.seconds * 1000, locale)})
                </option>
              ))}
            </select>
          ) : null}
        </div>
        {chosen ? (
          <div className="mt-2 overflow-hidden rounded-lg border border-line bg-surface">
            <Replay
              key={chosen.terminal}
              url={`/api/sessions/${encodeURIComponent(report.sessionId)}/recordings/${chosen.terminal}`}
              label={m.report.recording(chosen.place, chosen.terminal)}
              seek={seek}
            />
          </div>
        ) : (
          <p className="mt-1 text-text-2">{m.report.noRecordings}</p>
        )}
      </section>
    </article>
  )
}

function Section({ id, title, lead, children }: { id: string; title: string; lead?: string; children: ReactNode }) {
  return (
    <section aria-labelledby={id} className="mt-10 min-w-0">
      <h2 id={id} className="text-base font-semibold">
        {title}
      </h2>
      {lead ? <p className="text-text-2">{lead}</p> : null}
      <div className="mt-2.5">{children}</div>
    </section>
  )
}

export function CheckList({ title, checks }: { title: string; checks: CheckReport[] }) {
  return (
    <div className="not-first:mt-5">
      <h3 className="text-xs font-semibold text-text-2">{title}</h3>
      <ul className="mt-1.5 overflow-hidden rounded-lg border border-line bg-surface">
        {checks.map((check) => (
          <CheckItem key={check.id} check={check} />
        ))}
      </ul>
    </div>
  )
}

function CheckItem({ check }: { check: CheckReport }) {
  const m = useMessages()
  const text = useText()
  const locale = useLocale()
  const look = verdictLooks[check.verdict]
  const failed = check.verdict !== 'pass'
  return (
    <li className="border-line not-first:border-t" data-check={check.id} data-verdict={check.verdict}>
      <details open={failed} className="group">
        <summary className="grid list-none grid-cols-[1rem_1rem_minmax(0,1fr)_auto] items-baseline gap-x-2.5 px-4 py-2.5 hover:bg-hover">
          <ChevronRight aria-hidden className="size-4 translate-y-0.5 text-text-3 group-open:rotate-90" />
          <StateIcon {...look} className="translate-y-0.5" />
          <span className="font-medium">{text(check.title)}</span>
          <span className="text-right text-xs whitespace-nowrap">
            <span className={cx('font-medium', toneText[look.tone])}>{m.report.verdict[check.verdict]}</span>
            {check.role === 'goal' ? (
              <span className="ml-3 text-text-2 tabular-nums">
                {m.report.earned(check.verdict === 'pass' ? check.weight : 0, check.weight)}
              </span>
            ) : null}
          </span>
        </summary>
        <div className="space-y-2.5 pr-4 pb-4 pl-4 sm:pl-[3.25rem]">
          <p className="max-w-[75ch] text-text-2">{text(check.why)}</p>
          {check.cause ? (
            <p className="text-warn">
              {m.report.cause}: {check.cause} {m.report.notHeld}
            </p>
          ) : null}
          <dl className="grid gap-x-4 gap-y-1 sm:grid-cols-[6.5rem_minmax(0,1fr)]">
            <dt className="text-xs leading-5 text-text-3">{m.report.expected}</dt>
            <dd className="font-mono text-xs leading-5 break-words whitespace-pre-wrap">{check.expected[locale]}</dd>
            <dt className="text-xs leading-5 text-text-3">{m.report.actual}</dt>
            <dd className={cx('font-mono text-xs leading-5 break-words whitespace-pre-wrap', failed && toneText[look.tone])}>
              {check.actual[locale]}
            </dd>
          </dl>
          {check.evidence.length > 0 ? (
            <details>
              <summary className="text-xs font-medium text-text-2">
                {m.report.evidence} ({check.evidence.length}) · {m.report.took(duration(check.seconds * 1000, locale))}
              </summary>
              <ul className="mt-1.5 space-y-2">
                {check.evidence.map((one) => (
                  <li key={one.label}>
                    <p className="text-xs text-text-2">{one.label}</p>
                    <CodeBlock code={one.text} className="mt-0.5" />
                  </li>
                ))}
              </ul>
            </details>
          ) : null}
        </div>
      </details>
    </li>
  )
}

function Again({ scenario, backend }: { scenario: string; backend: string }) {
  const m = useMessages()
  const { begin, busy, error } = useBegin('session')
  return (
    <div className="sm:text-right">
      <Button disabled={busy} onClick={() => begin({ scenario, backend })}>
        <RotateCcw aria-hidden className="size-4" />
        {busy ? m.catalogue.starting : m.report.again}
      </Button>
      <p className="mt-1 max-w-56 text-xs text-text-3">{m.report.againLead}</p>
      {error ? (
        <div className="mt-2 overflow-hidden rounded-md text-left">
          <Failure error={error} />
        </div>
      ) : null}
    </div>
  )
}
