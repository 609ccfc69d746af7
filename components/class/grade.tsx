'use client'
// One grade: the score and how it came about, each task with its evidence, regrades with old and new, disputes and their answers.
import Link from 'next/link'
import { useState } from 'react'
import { type GradeAction, type GradeView, gradeView } from '#lib/protocol/index.ts'
import { useAction } from '../action.ts'
import { request } from '../api.ts'
import { Failure } from '../failure.tsx'
import { useLocale, useMessages, useText } from '../i18n/index.tsx'
import { CheckList } from '../report/report.tsx'
import { Button } from '../ui/button.tsx'
import { cx } from '../ui/cx.ts'
import { areaClass, Field } from '../ui/field.tsx'
import { duration } from '../ui/time.ts'
import { listClass, Section, Title } from './frames.tsx'
import { momentOf, scoreOf } from './words.ts'

export function Grade({ initial, teaches }: { initial: GradeView; teaches: boolean }) {
  const m = useMessages()
  const w = m.class
  const text = useText()
  const locale = useLocale()
  const [view, setView] = useState(initial)
  const { busy, error, forget, run } = useAction()
  const act = (action: GradeAction) =>
    run(async () => setView(await request(`/api/grades/${view.id}/actions`, gradeView, { method: 'POST', body: action })))
  const passed = view.score !== null && view.score >= view.passMark
  return (
    <article>
      <Title
        above={
          teaches ? (
            <Link href={`/classes/${view.classId}/gradebook`}>
              {view.className}: {w.gradebook}
            </Link>
          ) : (
            <Link href="/assignments">{w.assignments}</Link>
          )
        }
        lead={`${view.person.name} · ${w.attempt(view.attempt)}`}
      >
        {view.title}
      </Title>
      <p
        className={cx(
          'mt-4 text-4xl font-semibold tracking-tight tabular-nums',
          view.score === null ? 'text-warn' : passed ? 'text-ok' : 'text-fail',
        )}
      >
        {w.score(scoreOf(view.score))} <span className="text-base font-normal text-text-2">{w.against(view.passMark)}</span>
      </p>
      <p className="mt-1 text-text-2" suppressHydrationWarning>
        {w.handedIn} {momentOf(view.handedInAt, locale)}
        {view.timedOut ? ` (${w.timedOut})` : ''}
        {view.penalty > 0 ? ` · ${w.ofPenalty(scoreOf(view.raw), view.penalty)}` : ''}
      </p>
      {error === null ? null : (
        <div className="mt-4 overflow-hidden rounded-lg">
          <Failure error={error} onClose={forget} />
        </div>
      )}
      {view.history.length === 0 ? null : (
        <Section id="history" title={w.history}>
          <ul className="space-y-1">
            {view.history.map((one) => (
              <li key={one.at}>
                <span className="font-medium tabular-nums">{w.historyLine(scoreOf(one.before), scoreOf(one.after), one.by)}</span>{' '}
                <span className="text-xs text-text-2" suppressHydrationWarning>
                  {momentOf(one.at, locale)}
                </span>
                {one.tasks.map((task) => (
                  <span key={task.number} className="block text-xs text-text-2">
                    {text(task.title)}:{' '}
                    {task.impossible === null
                      ? task.changed.map((check) => `${text(check.title)} (${check.before} → ${check.after})`).join(', ')
                      : text(task.impossible)}
                  </span>
                ))}
              </li>
            ))}
          </ul>
        </Section>
      )}
      <Section id="evidence" title={w.evidence}>
        <ol className="space-y-6">
          {view.tasks.map((task) => (
            <li key={task.number}>
              <h3 className="flex flex-wrap items-baseline gap-x-3 font-medium">
                <span>
                  {task.number}. {text(task.title)}
                </span>
                <span className="tabular-nums">{w.score(scoreOf(task.score))}</span>
                <span className="text-xs font-normal text-text-2">
                  {duration(task.spentMs, locale)}
                  {task.hints > 0 ? ` · ${w.hints}: ${task.hints}` : ''}
                </span>
              </h3>
              {task.remark === null ? null : <p className="text-xs text-warn">{text(task.remark)}</p>}
              {task.checks.length === 0 ? (
                <p className="text-text-2">{w.noChecks}</p>
              ) : (
                <div className="mt-2">
                  <CheckList title={m.report.goals} checks={task.checks.filter(({ role }) => role === 'goal')} />
                  {task.checks.some(({ role }) => role === 'guard') ? (
                    <CheckList title={m.report.guards} checks={task.checks.filter(({ role }) => role === 'guard')} />
                  ) : null}
                </div>
              )}
              {view.recordings.some((one) => one.task === task.number) ? (
                <p className="mt-2 flex flex-wrap gap-x-4">
                  {view.recordings
                    .filter((one) => one.task === task.number)
                    .map((one) => (
                      <a
                        key={one.terminal}
                        href={`/api/grades/${view.id}/recordings/${one.session}/${one.terminal}`}
                        download={`task-${task.number}-${one.terminal}.cast`}
                        className="underline underline-offset-2"
                      >
                        {w.recording(one.terminal)}
                      </a>
                    ))}
                </p>
              ) : null}
            </li>
          ))}
        </ol>
      </Section>
      {view.disputes.length === 0 && !view.may.dispute ? null : (
        <Section id="disputes" title={w.disputesTitle}>
          {view.disputes.length === 0 ? null : (
            <ul className={listClass}>
              {view.disputes.map((one) => (
                <li key={one.id} className="border-line px-4 py-3 not-first:border-t">
                  <p className="text-xs text-text-2" suppressHydrationWarning>
                    {momentOf(one.at, locale)} · {w.disputeAt(scoreOf(one.score))}
                  </p>
                  <p className="break-words whitespace-pre-line">{one.text}</p>
                  {one.answer !== null ? (
                    <p className="mt-2 break-words whitespace-pre-line">
                      <span className="font-medium">{w.answered(one.answer.by)}</span> {one.answer.text}
                    </p>
                  ) : view.may.answer ? (
                    <Words
                      label={w.answer}
                      send={w.answerSend}
                      busy={busy}
                      onSend={(words) => act({ type: 'answer', dispute: one.id, text: words })}
                    />
                  ) : (
                    <p className="mt-2 text-text-2">{w.waiting}</p>
                  )}
                </li>
              ))}
            </ul>
          )}
          {view.may.dispute ? (
            <div className="mt-4">
              <p className="text-text-2">{w.disputeLead}</p>
              <Words label={w.dispute} send={w.disputeSend} busy={busy} onSend={(words) => act({ type: 'dispute', text: words })} />
            </div>
          ) : null}
        </Section>
      )}
    </article>
  )
}

function Words({ busy, label, onSend, send }: { label: string; send: string; busy: boolean; onSend(words: string): void }) {
  const [words, setWords] = useState('')
  return (
    <form
      className="mt-2 max-w-2xl space-y-2"
      onSubmit={(event) => {
        event.preventDefault()
        onSend(words)
        setWords('')
      }}
    >
      <Field label={label}>
        <textarea
          rows={3}
          value={words}
          maxLength={2000}
          required
          onChange={(event) => setWords(event.target.value)}
          className={areaClass}
        />
      </Field>
      <Button type="submit" disabled={busy || words.trim() === ''}>
        {send}
      </Button>
    </form>
  )
}
