'use client'
// A drill that has ended: its score against the pass mark, by domain, and each task with its evidence, a solution and the way to its
// replay. Knows the drill and the reports as data.
import { ChevronRight, Printer } from 'lucide-react'
import Link from 'next/link'
import type { DrillView, Report } from '#lib/protocol/index.ts'
import { momentOf } from '../class/words.ts'
import { useLocale, useMessages, useText } from '../i18n/index.tsx'
import { CheckList } from '../report/report.tsx'
import { Banner } from '../ui/banner.tsx'
import { Button, buttonClass } from '../ui/button.tsx'
import { cx } from '../ui/cx.ts'
import { Fact } from '../ui/fact.tsx'
import { CodeBlock } from '../ui/markdown.tsx'
import { Badge, StateIcon, type Tone, toneText } from '../ui/state.tsx'
import { dateOf, duration } from '../ui/time.ts'
import { Notices } from './notices.tsx'
import { StartDrill } from './start.tsx'
import { digits } from './words.ts'

export function Review({ drill, reports }: { drill: DrillView; reports: Record<string, Report> }) {
  const m = useMessages()
  const text = useText()
  const locale = useLocale()
  const { blueprint, result } = drill
  if (drill.resultsAt !== undefined) return <Withheld drill={drill} at={drill.resultsAt} />
  if (result === null) return null
  const tone: Tone = result.score === null ? 'warn' : result.passed ? 'ok' : 'fail'
  const took = drill.startedAt === null || drill.endedAt === null ? 0 : drill.endedAt - drill.startedAt - drill.givenBackMs
  return (
    <article>
      <div className="grid gap-x-10 gap-y-5 pt-8 pb-6 sm:grid-cols-[auto_minmax(0,1fr)_auto] sm:items-center">
        <p className={cx('text-5xl font-semibold tracking-tight tabular-nums', toneText[tone])}>
          <span className="sr-only">{m.report.score}: </span>
          {result.score === null ? <span className="text-2xl">{m.exam.noScore}</span> : m.exam.weight(digits(result.score))}
        </p>
        <div className="min-w-0">
          <p className="text-xs text-text-2">
            {m.exam.reviewTitle} · {m.exam.modes[blueprint.mode]} · {dateOf(drill.createdAt, locale)}
          </p>
          <h1 className="text-xl font-semibold text-balance">{text(drill.name)}</h1>
          <p className={cx('mt-0.5 flex items-center gap-1.5 font-medium', toneText[tone])}>
            <StateIcon icon={tone === 'ok' ? 'ok' : tone === 'fail' ? 'fail' : 'unknown'} tone={tone} />
            {result.score === null ? m.exam.nothingEvaluated : result.passed ? m.exam.passed : m.exam.failed}
            <span className="font-normal text-text-2">{m.exam.against(blueprint.passMark)}</span>
          </p>
        </div>
        <div className="flex flex-wrap items-start gap-2 print:hidden">
          <Button onClick={() => window.print()}>
            <Printer aria-hidden className="size-3.5" />
            {m.exam.print}
          </Button>
          <StartDrill blueprint={blueprint} backend={drill.backend} label={m.exam.again} weight="normal" />
        </div>
      </div>
      {result.leftOut > 0 && result.score !== null ? (
        <div className="mb-4 overflow-hidden rounded-lg">
          <Banner tone="warn" icon="unknown" title={m.exam.leftOut(result.leftOut)} />
        </div>
      ) : null}
      <dl className="flex flex-wrap gap-x-8 gap-y-2 border-y border-line py-3 text-[0.8125rem]">
        <Fact name={m.exam.spent}>
          {duration(took, locale)}{' '}
          {drill.endsAt === null ? null : <span className="text-text-3">{m.exam.ofMinutes(blueprint.minutes)}</span>}
        </Fact>
        {drill.givenBackMs >= 1000 ? <Fact name="">{m.exam.givenBack(duration(drill.givenBackMs, locale))}</Fact> : null}
        {drill.timedOut ? <Fact name="">{m.exam.timedOut}</Fact> : null}
        <Fact name={m.exam.seed}>
          <code className="text-xs">{blueprint.seed}</code>
        </Fact>
        <Fact name={m.exam.backend}>{m.backend[drill.backend]}</Fact>
      </dl>
      <Notices drill={drill} />

      <section aria-labelledby="domains" className="mt-8">
        <h2 id="domains" className="text-base font-semibold">
          {m.exam.byDomain}
        </h2>
        <ul className="mt-2 overflow-hidden rounded-lg border border-line bg-surface">
          {result.domains.map((one) => (
            <li
              key={one.domain}
              className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-1.5 border-line px-4 py-2.5 not-first:border-t sm:grid-cols-[20rem_minmax(0,1fr)_5rem]"
            >
              <p className="min-w-0">
                {m.domain[one.domain]} <span className="text-xs text-text-3">{m.exam.weightOf(digits(one.share))}</span>
              </p>
              <Bar score={one.score} passMark={blueprint.passMark} />
              <p className="text-right font-medium tabular-nums">
                {one.score === null ? <span className="text-xs text-warn">{m.exam.notEvaluated}</span> : m.exam.weight(digits(one.score))}
              </p>
            </li>
          ))}
        </ul>
      </section>

      <section aria-labelledby="tasks" className="mt-8">
        <h2 id="tasks" className="text-base font-semibold">
          {m.exam.taskNav}
        </h2>
        <ol className="mt-2 overflow-hidden rounded-lg border border-line bg-surface">
          {drill.tasks.map((task) => (
            <Task key={task.number} task={task} report={task.session === null ? undefined : reports[task.session]} />
          ))}
        </ol>
      </section>
    </article>
  )
}

/** Handed in, and not to be seen before the others are done. */
function Withheld({ drill, at }: { drill: DrillView; at: number }) {
  const m = useMessages()
  const text = useText()
  const locale = useLocale()
  return (
    <article className="max-w-prose pt-8">
      <p className="text-xs text-text-2">
        {m.exam.modes[drill.blueprint.mode]} · {dateOf(drill.createdAt, locale)}
      </p>
      <h1 className="text-xl font-semibold text-balance">{text(drill.name)}</h1>
      <p className="mt-4 flex items-center gap-1.5 font-medium">
        <StateIcon icon="ok" tone="ok" />
        {m.exam.withheldTitle}
      </p>
      <p className="mt-1 text-text-2" suppressHydrationWarning>
        {at > drill.now ? m.exam.withheld(momentOf(at, locale)) : m.exam.withheldSoon}
      </p>
      <Link href="/assignments" className={cx(buttonClass('normal'), 'mt-5')}>
        {m.class.assignments}
      </Link>
    </article>
  )
}

function Task({ task, report }: { task: DrillView['tasks'][number]; report: Report | undefined }) {
  const m = useMessages()
  const text = useText()
  const locale = useLocale()
  const tone: Tone = task.score === null ? 'warn' : task.score === 100 ? 'ok' : task.score > 0 ? 'accent' : 'fail'
  const goals = report?.checks.filter((check) => check.role === 'goal') ?? []
  const guards = report?.checks.filter((check) => check.role === 'guard') ?? []
  return (
    <li className="border-line not-first:border-t" data-task={task.number}>
      <details className="group">
        <summary className="grid list-none grid-cols-[1rem_1.5rem_minmax(0,1fr)_auto] items-baseline gap-x-2.5 px-4 py-2.5 hover:bg-hover">
          <ChevronRight aria-hidden className="size-4 translate-y-0.5 text-text-3 group-open:rotate-90 print:invisible" />
          <span className="text-text-3 tabular-nums">{task.number}</span>
          <span className="min-w-0">
            <span className="font-medium">{text(task.title)}</span>
            <span className="block text-xs text-text-2">
              {m.domain[task.domain]} · {m.exam.weightOf(digits(task.weight))} · {duration(task.spentMs, locale)}{' '}
              {m.exam.ofMinutes(task.minutes)}
              {task.flagged ? ` · ${m.exam.flagged}` : ''}
            </span>
            {task.remark ? <span className="block text-xs text-warn">{text(task.remark)}</span> : null}
          </span>
          <span className={cx('font-medium tabular-nums', toneText[tone])}>
            {task.score === null ? <Badge tone="warn">{m.exam.notEvaluated}</Badge> : m.exam.weight(digits(task.score))}
          </span>
        </summary>
        <div className="space-y-5 px-4 pb-5 sm:pl-[3.25rem]">
          {report === undefined ? (
            <p className="text-text-2">{m.exam.noReport}</p>
          ) : (
            <>
              <div>
                <CheckList title={m.report.goals} checks={goals} />
                {guards.length > 0 ? <CheckList title={m.report.guards} checks={guards} /> : null}
              </div>
              <div>
                <h3 className="text-xs font-semibold text-text-2">{m.report.solution}</h3>
                <CodeBlock code={report.solution} className="mt-1.5" />
              </div>
              <Link
                href={`/session/${report.sessionId}/report`}
                className={cx(buttonClass('normal'), 'print:hidden')}
                aria-label={m.exam.evidenceNamed(task.number)}
              >
                {m.exam.evidence}
              </Link>
            </>
          )}
        </div>
      </details>
    </li>
  )
}

/** A score, and where the pass mark stands. */
export function Bar({ score, passMark }: { score: number | null; passMark: number }) {
  return (
    <span aria-hidden className="relative block h-2 rounded-full bg-line max-sm:col-span-2 max-sm:row-start-2">
      <span
        className={cx('block h-full rounded-full', score !== null && score >= passMark ? 'bg-ok' : 'bg-fail')}
        style={{ width: `${score ?? 0}%` }}
      />
      <span className="absolute -top-1 h-4 w-px bg-text" style={{ left: `${passMark}%` }} />
    </span>
  )
}
