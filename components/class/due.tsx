'use client'
// What a learner has to do: invitations, what is due with its window and countdown, results. Knows the server's account of it.
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { useEffect, useState } from 'react'
import { z } from 'zod'
import { type DueView, dueView } from '#lib/protocol/index.ts'
import { useAction } from '../action.ts'
import { request } from '../api.ts'
import { Failure } from '../failure.tsx'
import { useLocale, useMessages } from '../i18n/index.tsx'
import { Empty } from '../ui/banner.tsx'
import { Button, buttonClass } from '../ui/button.tsx'
import { Badge, type IconName, type Tone } from '../ui/state.tsx'
import { duration, useNow } from '../ui/time.ts'
import { listClass, rowClass, Section, Title } from './frames.tsx'
import { momentOf, scoreOf } from './words.ts'

const looks: Record<DueView['due'][number]['window']['state'], { tone: Tone; icon: IconName }> = {
  'not-open': { tone: 'idle', icon: 'waiting' },
  open: { tone: 'accent', icon: 'holding' },
  late: { tone: 'warn', icon: 'warn' },
  closed: { tone: 'idle', icon: 'cancelled' },
  'used-up': { tone: 'ok', icon: 'ok' },
}

export function Due({ initial }: { initial: DueView }) {
  const m = useMessages()
  const locale = useLocale()
  const [view, setView] = useState(initial)
  const now = useNow()
  const { busy, error, forget, run } = useAction()
  // A window opens, or a grade comes, while somebody looks.
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') request('/api/assignments', dueView).then(setView, () => {})
    }, 10_000)
    return () => clearInterval(timer)
  }, [])
  const answer = (membership: string, accept: boolean, recordings: boolean) =>
    run(async () => setView(await request(`/api/memberships/${membership}`, dueView, { method: 'POST', body: { accept, recordings } })))
  const w = m.class
  return (
    <>
      <Title lead={w.dueLead}>{w.assignments}</Title>
      {error === null ? null : (
        <div className="mt-4 overflow-hidden rounded-lg">
          <Failure error={error} onClose={forget} />
        </div>
      )}
      {view.invitations.map((one) => (
        <Invitation
          key={one.membership}
          invitation={one}
          busy={busy}
          onAnswer={(accept, agreed) => answer(one.membership, accept, agreed)}
        />
      ))}
      {view.due.length === 0 && view.past.length === 0 && view.invitations.length === 0 ? (
        <Empty title={w.nothingDue}>{w.nothingDueHint}</Empty>
      ) : null}
      {view.due.length === 0 ? null : (
        <ul className={`mt-6 ${listClass}`}>
          {view.due.map((one) => (
            <Row key={one.id} one={one} now={now} />
          ))}
        </ul>
      )}
      {view.past.length === 0 ? null : (
        <Section id="past" title={w.past}>
          <ul className={listClass}>
            {view.past.map((one) => (
              <li key={one.grade} className={rowClass}>
                <Link href={`/grades/${one.grade}`} className="min-w-0 flex-1 font-medium underline-offset-4 hover:underline">
                  {one.title}
                </Link>
                <span className="text-xs text-text-2">{one.className}</span>
                <span className="tabular-nums">{w.score(scoreOf(one.score))}</span>
              </li>
            ))}
          </ul>
        </Section>
      )}
      {view.classes.length === 0 ? null : (
        <Section id="mine" title={w.classes}>
          <ul className={listClass}>
            {view.classes.map((one) => (
              <li key={one.membership} className={rowClass}>
                <span className="min-w-40 font-medium">{one.className}</span>
                <label className="flex min-w-0 flex-1 basis-64 items-start gap-2">
                  <input
                    type="checkbox"
                    className="mt-1 accent-accent"
                    checked={one.recordings}
                    disabled={busy}
                    onChange={(event) => answer(one.membership, true, event.target.checked)}
                  />
                  <span>
                    {w.agree} <span className="block text-xs text-text-2">{w.agreeLead(one.retentionDays)}</span>
                  </span>
                </label>
              </li>
            ))}
          </ul>
        </Section>
      )}
      <p className="sr-only">{momentOf(view.now, locale)}</p>
    </>
  )
}

function Invitation({
  busy,
  invitation,
  onAnswer,
}: {
  invitation: DueView['invitations'][number]
  busy: boolean
  onAnswer(accept: boolean, agreed: boolean): void
}) {
  const { class: w } = useMessages()
  const [agreed, setAgreed] = useState(false)
  return (
    <section aria-label={w.invitation(invitation.className)} className="mt-6 rounded-lg bg-accent-tint px-4 py-3">
      <p className="font-medium">{w.invitation(invitation.className)}</p>
      <p className="text-xs text-text-2">{w.invitedBy(invitation.instructors.join(', '))}</p>
      <label className="mt-2 flex items-start gap-2">
        <input type="checkbox" className="mt-1 accent-accent" checked={agreed} onChange={(event) => setAgreed(event.target.checked)} />
        <span>{w.agree}</span>
      </label>
      <div className="mt-3 flex gap-2">
        <Button weight="primary" disabled={busy} onClick={() => onAnswer(true, agreed)}>
          {w.join}
        </Button>
        <Button disabled={busy} onClick={() => onAnswer(false, false)}>
          {w.decline}
        </Button>
      </div>
    </section>
  )
}

function Row({ now, one }: { one: DueView['due'][number]; now: number | null }) {
  const m = useMessages()
  const w = m.class
  const locale = useLocale()
  const router = useRouter()
  const { busy, error, run } = useAction({ leaves: true })
  const { window: when } = one
  const running = one.done.find(({ state }) => state === 'preparing' || state === 'running' || state === 'grading')
  const until = when.state === 'not-open' ? when.opensAt : when.state === 'late' ? when.endsAt : when.closesAt
  const left = now === null || until === null ? null : until - now
  return (
    <li className="border-line px-4 py-3 not-first:border-t">
      <div className="flex flex-wrap items-start gap-x-4 gap-y-2">
        <div className="min-w-0 flex-1 basis-72">
          <p className="flex flex-wrap items-center gap-2">
            <span className="font-medium">{one.title}</span>
            <Badge {...looks[when.state]}>{w.windowState[when.state]}</Badge>
          </p>
          <p className="text-xs text-text-2">
            {one.className} · {w.tasks(one.tasks)} · {one.mode === 'mastery' ? m.exam.modes.mastery : w.minutes(one.minutes)} ·{' '}
            {m.exam.modes[one.mode]} · {w.attemptsLeft(one.done.length, one.attempts)}
          </p>
          <p className="text-xs text-text-2">
            {w.opens} <time suppressHydrationWarning>{momentOf(when.opensAt, locale)}</time> · {w.closes}{' '}
            <time suppressHydrationWarning>{when.closesAt === null ? w.never : momentOf(when.closesAt, locale)}</time>
            {when.late.kind === 'until' ? (
              <span suppressHydrationWarning> · {w.lateUntil(momentOf(when.late.at, locale), when.late.penalty)}</span>
            ) : null}
            {one.resultsAt === null ? null : <span suppressHydrationWarning> · {w.resultsAt(momentOf(one.resultsAt, locale))}</span>}
          </p>
        </div>
        <div className="flex items-center gap-3">
          {left !== null && left > 0 && (when.state === 'open' || when.state === 'late') ? (
            <span className="text-xs text-text-2 tabular-nums">{w.left(duration(left, locale))}</span>
          ) : null}
          {running !== undefined || when.state === 'open' || when.state === 'late' ? (
            <Button
              weight="primary"
              disabled={busy}
              aria-label={`${running ? w.goOn : w.begin}: ${one.title}`}
              onClick={() =>
                run(async () => {
                  const { id } = await request(`/api/assignments/${one.id}/start`, z.object({ id: z.string() }), {
                    method: 'POST',
                    body: {},
                  })
                  router.push(`/exam/${id}`)
                })
              }
            >
              {running ? w.goOn : w.begin}
            </Button>
          ) : null}
        </div>
      </div>
      {one.done.length === 0 ? null : (
        <ul className="mt-2 space-y-1">
          {one.done.map((attempt) => (
            <li key={attempt.id} className="flex flex-wrap items-center gap-3 text-[0.8125rem]">
              <span className="text-text-2">{w.attempt(attempt.number)}</span>
              {attempt.grade === null ? (
                <span className="text-text-2">
                  {attempt.state === 'running' || attempt.state === 'preparing' ? w.windowState.open : w.ended}
                  {attempt.closed ? ` · ${m.exam.withheldBadge}` : ''}
                </span>
              ) : (
                <>
                  <span className="font-medium tabular-nums">{w.score(scoreOf(attempt.score))}</span>
                  <Link
                    href={`/grades/${attempt.grade}`}
                    className={buttonClass('normal', true)}
                    aria-label={`${w.result}: ${one.title}, ${w.attempt(attempt.number)}`}
                  >
                    {w.result}
                  </Link>
                </>
              )}
            </li>
          ))}
        </ul>
      )}
      {error === null ? null : (
        <div className="mt-3 overflow-hidden rounded-md">
          <Failure error={error} />
        </div>
      )}
    </li>
  )
}
