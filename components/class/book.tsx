'use client'
// The gradebook: a matrix with filters, its CSV, and a regrade that shows what it would change first. Each cell leads to its attempt.
import Link from 'next/link'
import { useState } from 'react'
import { type Gradebook, gradebook, type ItemsView, type Regrade, regrade } from '#lib/protocol/index.ts'
import { useAction } from '../action.ts'
import { request } from '../api.ts'
import { Failure } from '../failure.tsx'
import { useLocale, useMessages, useText } from '../i18n/index.tsx'
import { Empty } from '../ui/banner.tsx'
import { Button, buttonClass } from '../ui/button.tsx'
import { cx } from '../ui/cx.ts'
import { Field, inputClass } from '../ui/field.tsx'
import { Badge } from '../ui/state.tsx'
import { duration } from '../ui/time.ts'
import { Scroll, Section, Title } from './frames.tsx'
import { scoreOf } from './words.ts'

type Only = 'all' | 'missing' | 'below' | 'disputed'

export function Book({ initial }: { initial: Gradebook }) {
  const m = useMessages()
  const w = m.class
  const locale = useLocale()
  const [book, setBook] = useState(initial)
  const [filter, setFilter] = useState('')
  const [only, setOnly] = useState<Only>('all')
  const cellOf = (person: string, assignment: string) => book.cells.find((cell) => cell.person === person && cell.assignment === assignment)
  const people = book.people.filter((person) => {
    const mine = book.assignments.map((assignment) => ({ assignment, cell: cellOf(person.key, assignment.id) }))
    return (
      `${person.name} ${person.email} ${person.externalId}`.toLowerCase().includes(filter.trim().toLowerCase()) &&
      (only === 'all' ||
        (only === 'missing' && mine.some(({ cell }) => cell === undefined)) ||
        (only === 'below' && mine.some(({ assignment, cell }) => cell !== undefined && (cell.score ?? 0) < assignment.passMark)) ||
        (only === 'disputed' && mine.some(({ cell }) => cell?.dispute === 'open')))
    )
  })
  return (
    <>
      <Title
        above={
          book.deletedAt === null ? <Link href={`/classes/${book.classId}`}>{book.className}</Link> : `${book.className} (${w.deleted})`
        }
      >
        {w.gradebook}
      </Title>
      <div className="mt-5 grid items-end gap-3 sm:grid-cols-[minmax(0,1fr)_14rem_auto]">
        <Field label={w.filter}>
          <input type="search" value={filter} onChange={(event) => setFilter(event.target.value)} className={inputClass} />
        </Field>
        <Field label={w.only}>
          <select value={only} onChange={(event) => setOnly(event.target.value as Only)} className={inputClass}>
            <option value="all">{w.onlyAll}</option>
            <option value="missing">{w.onlyMissing}</option>
            <option value="below">{w.onlyBelow}</option>
            <option value="disputed">{w.onlyDisputed}</option>
          </select>
        </Field>
        <a href={`/api/classes/${book.classId}/gradebook/csv?locale=${locale}`} download className={buttonClass('normal')}>
          {w.exportCsv}
        </a>
      </div>
      {book.people.length === 0 || book.assignments.length === 0 ? (
        <Empty title={w.noGrades}>{w.noGradesHint}</Empty>
      ) : (
        <Scroll label={w.gradebook} className="mt-4">
          <table className="w-full text-left text-[0.8125rem]">
            <thead className="text-xs text-text-2">
              <tr>
                <th scope="col" className="px-3 py-2 font-medium">
                  {w.learner}
                </th>
                {book.assignments.map((one) => (
                  <th key={one.id} scope="col" className="px-3 py-2 font-medium">
                    {one.title}
                    {one.deletedAt === null ? '' : ` (${w.deleted})`}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {people.map((person) => (
                <tr key={person.key} className="border-t border-line">
                  <th scope="row" className="px-3 py-2 font-medium">
                    {person.name} <span className="block text-xs font-normal text-text-2">{person.email}</span>
                  </th>
                  {book.assignments.map((assignment) => {
                    const cell = cellOf(person.key, assignment.id)
                    return (
                      <td key={assignment.id} className="px-3 py-2 align-top tabular-nums">
                        {cell === undefined ? (
                          <span className="text-text-3">–</span>
                        ) : (
                          <>
                            <Link
                              href={`/grades/${cell.grade}`}
                              aria-label={`${person.name}, ${assignment.title}: ${scoreOf(cell.score)}`}
                              className={cx(
                                'font-medium underline underline-offset-2',
                                (cell.score ?? 0) >= assignment.passMark ? 'text-ok' : 'text-fail',
                              )}
                            >
                              {scoreOf(cell.score)}
                            </Link>
                            {cell.before === null ? null : (
                              <span className="block text-xs text-text-2">{w.wasBefore(scoreOf(cell.before))}</span>
                            )}
                            {cell.dispute === 'open' ? (
                              <Badge tone="warn" icon="warn">
                                {w.disputed}
                              </Badge>
                            ) : null}
                          </>
                        )}
                      </td>
                    )
                  })}
                </tr>
              ))}
            </tbody>
          </table>
          {people.length === 0 ? <p className="px-3 py-4 text-text-2">{w.nobody}</p> : null}
        </Scroll>
      )}
      <Again book={book} onDone={setBook} />
    </>
  )
}

function Again({ book, onDone }: { book: Gradebook; onDone(book: Gradebook): void }) {
  const m = useMessages()
  const w = m.class
  const text = useText()
  const [found, setFound] = useState<Regrade | null>(null)
  const { busy, error, forget, run } = useAction()
  const ask = (apply: boolean) =>
    run(async () => {
      setFound(await request(`/api/classes/${book.classId}/regrade`, regrade, { method: 'POST', body: { assignment: null, apply } }))
      if (apply) onDone(await request(`/api/classes/${book.classId}/gradebook`, gradebook))
    })
  return (
    <Section
      id="regrade"
      title={w.regrade}
      action={
        <>
          <Button disabled={busy} onClick={() => ask(false)}>
            {w.regradePreview}
          </Button>
          <Button
            weight="primary"
            disabled={busy || found === null || found.applied || found.attempts.length === 0}
            onClick={() => ask(true)}
          >
            {w.regradeApply}
          </Button>
        </>
      }
    >
      <p className="max-w-prose text-text-2">{w.regradeLead}</p>
      {error === null ? null : (
        <div className="mt-3 overflow-hidden rounded-lg">
          <Failure error={error} onClose={forget} />
        </div>
      )}
      <div role="status" className="mt-3">
        {found === null ? null : (
          <>
            <p className="font-medium">
              {found.applied ? `${w.regraded} ` : ''}
              {found.attempts.length === 0 ? w.regradeNone(found.looked) : w.regradeSome(found.attempts.length, found.looked)}
            </p>
            <ul className="mt-1 space-y-1">
              {found.attempts.map((one) => (
                <li key={one.grade}>
                  <Link href={`/grades/${one.grade}`} className="underline underline-offset-2">
                    {one.person}, {one.title}
                  </Link>
                  :{' '}
                  <span className="tabular-nums">
                    {scoreOf(one.before)} → {scoreOf(one.after)}
                  </span>
                  {one.tasks.map((task) =>
                    task.impossible === null ? null : (
                      <span key={task.number} className="block text-xs text-warn">
                        {text(task.title)}: {text(task.impossible)}
                      </span>
                    ),
                  )}
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </Section>
  )
}

export function Items({ view }: { view: ItemsView }) {
  const m = useMessages()
  const w = m.class
  const text = useText()
  const locale = useLocale()
  return (
    <>
      <Title above={<Link href={`/classes/${view.classId}`}>{view.className}</Link>}>{w.items}</Title>
      {view.items.length === 0 ? (
        <Empty title={w.noGrades}>{w.noGradesHint}</Empty>
      ) : (
        <Scroll label={w.items} className="mt-6">
          <table className="w-full text-left text-[0.8125rem]">
            <thead className="text-xs text-text-2">
              <tr>
                {[w.scenario, w.solved, w.meanScore, w.median, w.firstFailed, w.hints].map((head) => (
                  <th key={head} scope="col" className="px-3 py-2 font-medium whitespace-nowrap">
                    {head}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody className="tabular-nums">
              {view.items.map((item) => (
                <tr key={item.scenario} className="border-t border-line">
                  <th scope="row" className="px-3 py-2 font-medium">
                    {text(item.title)}
                  </th>
                  <td className="px-3 py-2">
                    {item.solved}/{item.graded}
                  </td>
                  <td className="px-3 py-2">{scoreOf(item.meanScore)}</td>
                  <td className="px-3 py-2">{item.medianMs === null ? '–' : duration(item.medianMs, locale)}</td>
                  <td className="px-3 py-2">
                    {item.firstFailed === null ? w.none : `${text(item.firstFailed.title)} (${w.times(item.firstFailed.count)})`}
                  </td>
                  <td className="px-3 py-2">{item.hints}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </>
  )
}
