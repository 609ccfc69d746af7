'use client'
// The live board: who works on what and on which check, since when it is quiet, who wants help; messages, hints and time to one or all; and a
// look at somebody's terminal. Asks the server every few seconds, as a drill's page does.
import { Hand } from 'lucide-react'
import dynamic from 'next/dynamic'
import Link from 'next/link'
import { useCallback, useEffect, useState } from 'react'
import { type BoardAction, type BoardView, boardView } from '#lib/protocol/index.ts'
import { useAction } from '../action.ts'
import { request } from '../api.ts'
import { Failure } from '../failure.tsx'
import { useLocale, useMessages, useText } from '../i18n/index.tsx'
import { Button, buttonClass } from '../ui/button.tsx'
import { Field, inputClass } from '../ui/field.tsx'
import { Badge } from '../ui/state.tsx'
import { duration, timeOfDay } from '../ui/time.ts'
import { Scroll, Section, Title } from './frames.tsx'
import { momentOf, scoreOf } from './words.ts'

const Watch = dynamic(() => import('./watch.tsx').then((found) => found.Watch), { ssr: false })
const everyMs = 2500
/** quiet for so long is worth a look */
const stuckMs = 5 * 60_000

export function Board({ initial }: { initial: BoardView }) {
  const m = useMessages()
  const w = m.class
  const text = useText()
  const locale = useLocale()
  const [view, setView] = useState(initial)
  const [watching, setWatching] = useState<string | null>(null)
  const [words, setWords] = useState('')
  const [to, setTo] = useState('')
  const { busy, error, forget, run } = useAction()
  const at = `/api/assignments/${initial.assignment}/board`
  const take = useCallback((next: BoardView) => setView((before) => (next.now < before.now ? before : next)), [])
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') request(at, boardView).then(take, () => {})
    }, everyMs)
    return () => clearInterval(timer)
  }, [at, take])
  const act = useCallback(
    (action: BoardAction) => run(async () => take(await request(at, boardView, { method: 'POST', body: action }))),
    [at, run, take],
  )
  const sitting = view.learners.filter(({ attempt }) => attempt?.state === 'running' || attempt?.state === 'preparing')
  const watched = view.learners.find(({ attempt }) => attempt !== null && attempt.id === watching)
  const head = [w.learner, w.works, w.stuck, w.helpIs, '']
  return (
    <>
      <Title
        above={<Link href={`/classes/${view.classId}`}>{view.className}</Link>}
        lead={
          <span suppressHydrationWarning>
            {momentOf(view.window.opensAt, locale, view.window.zone)} –{' '}
            {view.window.closesAt === null ? w.never : momentOf(view.window.closesAt, locale, view.window.zone)}
            {view.deletedAt === null ? '' : ` · ${w.deleted}`}
          </span>
        }
      >
        {w.boardOf(view.title)}
      </Title>
      {error === null ? null : (
        <div className="mt-4 overflow-hidden rounded-lg">
          <Failure error={error} onClose={forget} />
        </div>
      )}
      <Scroll label={w.board} className="mt-6">
        <table className="w-full text-left text-[0.8125rem]">
          <thead className="text-xs text-text-2">
            <tr>
              {head.map((one) => (
                <th key={one} scope="col" className="px-3 py-2 font-medium whitespace-nowrap">
                  {one === '' ? <span className="sr-only">{w.watch}</span> : one}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {view.learners.map(({ attempt, extraMinutes, joined, member, name }) => {
              const open = attempt?.tasks.find(({ number }) => number === attempt.current)
              const goals = open?.checks?.filter(({ role }) => role === 'goal') ?? []
              const quiet = attempt?.quietSince == null ? null : Math.max(0, view.now - attempt.quietSince)
              const running = attempt?.state === 'running'
              return (
                <tr key={member} className="border-t border-line align-top" data-learner={name}>
                  <th scope="row" className="px-3 py-2 font-medium">
                    {name}
                    {extraMinutes > 0 ? <span className="block text-xs font-normal text-text-2">+{w.minutes(extraMinutes)}</span> : null}
                  </th>
                  <td className="px-3 py-2">
                    {attempt === null ? (
                      <span className="text-text-2">{joined ? w.notBegun : w.notJoined}</span>
                    ) : running ? (
                      <>
                        <span>
                          {attempt.current === null ? '' : `${m.exam.task(attempt.current)}: `}
                          {open === undefined ? '' : text(open.title)}
                        </span>
                        {attempt.check === null ? null : <span className="block text-xs text-text-2">{text(attempt.check)}</span>}
                        <span className="block text-xs text-text-2">
                          {goals.length === 0
                            ? ''
                            : `${w.checksHeld(goals.filter(({ state }) => state === 'passing').length, goals.length)} · `}
                          {attempt.endsAt === null ? '' : w.left(duration(Math.max(0, attempt.endsAt - view.now), locale))}
                        </span>
                      </>
                    ) : attempt.grade === null ? (
                      <span className="text-text-2">{w.ended}</span>
                    ) : (
                      <Link href={`/grades/${attempt.grade}`} className="font-medium underline underline-offset-2">
                        {w.score(scoreOf(attempt.score))}
                      </Link>
                    )}
                  </td>
                  <td className="px-3 py-2 tabular-nums">
                    {quiet === null ? (
                      ''
                    ) : quiet >= stuckMs ? (
                      <Badge tone="warn" icon="warn">
                        {duration(quiet, locale)}
                      </Badge>
                    ) : (
                      duration(quiet, locale)
                    )}
                  </td>
                  <td className="px-3 py-2">
                    {attempt?.help == null ? null : (
                      <span className="inline-flex flex-col gap-1">
                        <span className="inline-flex items-center gap-1 font-medium text-warn">
                          <Hand aria-hidden className="size-4" />
                          {w.help}
                        </span>
                        {attempt.help.text === '' ? null : <span className="text-text-2">{attempt.help.text}</span>}
                        <Button
                          small
                          disabled={busy}
                          aria-label={w.helpedNamed(name)}
                          onClick={() => act({ type: 'helped', attempt: attempt.id })}
                        >
                          {w.helped}
                        </Button>
                      </span>
                    )}
                  </td>
                  <td className="px-3 py-2">
                    {attempt !== null && running ? (
                      <span className="flex justify-end gap-1.5">
                        <Button small aria-label={w.watchNamed(name)} onClick={() => setWatching(attempt.id)}>
                          {w.watch}
                        </Button>
                        <Button
                          small
                          disabled={busy || open === undefined || open.hints.given >= open.hints.total}
                          aria-label={w.hintNamed(name)}
                          onClick={() => open && act({ type: 'hint', attempt: attempt.id, task: open.number })}
                        >
                          {w.hint}
                        </Button>
                        <Button
                          small
                          disabled={busy}
                          aria-label={w.moreNamed(name)}
                          onClick={() => act({ type: 'extra-time', attempt: attempt.id, minutes: 5 })}
                        >
                          {w.more}
                        </Button>
                      </span>
                    ) : null}
                  </td>
                </tr>
              )
            })}
          </tbody>
        </table>
      </Scroll>
      {watched?.attempt == null ? null : (
        <Watch
          key={watched.attempt.id}
          assignment={view.assignment}
          attempt={watched.attempt}
          name={watched.name}
          onAct={act}
          onClose={() => setWatching(null)}
        />
      )}
      <Section id="say" title={w.message}>
        <form
          className="grid items-end gap-3 sm:grid-cols-[14rem_minmax(0,1fr)_auto_auto]"
          onSubmit={(event) => {
            event.preventDefault()
            act({ type: 'message', attempt: to === '' ? null : to, text: words })
            setWords('')
          }}
        >
          <Field label={w.learner}>
            <select value={to} onChange={(event) => setTo(event.target.value)} className={inputClass}>
              <option value="">{w.toAll}</option>
              {sitting.map(({ attempt, name }) => (
                <option key={attempt!.id} value={attempt!.id}>
                  {w.to1(name)}
                </option>
              ))}
            </select>
          </Field>
          <Field label={w.message}>
            <input value={words} maxLength={2000} onChange={(event) => setWords(event.target.value)} className={inputClass} />
          </Field>
          <Button type="submit" weight="primary" disabled={busy || words.trim() === ''}>
            {w.send}
          </Button>
          <Button disabled={busy || sitting.length === 0} onClick={() => act({ type: 'extra-time', attempt: null, minutes: 5 })}>
            {w.moreAll}
          </Button>
        </form>
        {view.messages.length === 0 ? null : (
          <ol aria-label={w.messages} className="mt-4 space-y-1 text-[0.8125rem]">
            {view.messages.slice(-20).map((one) => (
              <li key={one.id}>
                <span className="text-text-3 tabular-nums" suppressHydrationWarning>
                  {timeOfDay(one.at, locale)}
                </span>{' '}
                <span className="font-medium">{one.from}</span>{' '}
                <span className="text-text-2">
                  {one.to === null ? w.toAll : w.to1(view.learners.find(({ attempt }) => attempt?.id === one.to)?.name ?? '')}:
                </span>{' '}
                {text(one.text)}
              </li>
            ))}
          </ol>
        )}
      </Section>
      <p className="mt-6">
        <Link href={`/classes/${view.classId}/gradebook`} className={buttonClass('normal')}>
          {w.gradebook}
        </Link>
      </p>
    </>
  )
}
