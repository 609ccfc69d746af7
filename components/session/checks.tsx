'use client'
// The checks as they are right now, goals and guards apart, and their changes said aloud. Knows the checks as data.
import { useEffect, useRef, useState } from 'react'
import type { CheckLive } from '#lib/protocol/index.ts'
import { useMessages, useText } from '../i18n/index.tsx'
import { cx } from '../ui/cx.ts'
import { type IconName, StateIcon, type Tone, toneText } from '../ui/state.tsx'
import { useNow } from '../ui/time.ts'
import { useElementId, useLab, useSession } from './context.tsx'

export const checkLooks: Record<CheckLive['state'], { tone: Tone; icon: IconName }> = {
  waiting: { tone: 'idle', icon: 'waiting' },
  failing: { tone: 'fail', icon: 'fail' },
  holding: { tone: 'accent', icon: 'holding' },
  passing: { tone: 'ok', icon: 'ok' },
  'not-evaluable': { tone: 'warn', icon: 'unknown' },
}

/** How many goals pass, of how many. */
export const goalsOf = (checks: readonly CheckLive[]): { passing: number; total: number } => {
  const goals = checks.filter((check) => check.role === 'goal')
  return { passing: goals.filter((check) => check.state === 'passing').length, total: goals.length }
}

/** Seconds that a holding check must still hold, by the server's clock. */
export const holdLeft = (check: CheckLive, now: number): number => Math.max(0, Math.ceil((check.since + check.hold * 1000 - now) / 1000))

export function Checks() {
  const m = useMessages()
  const { checks } = useSession()
  const id = useElementId()
  const { passing, total } = goalsOf(checks)
  const guards = checks.filter((check) => check.role === 'guard')
  return (
    <section aria-labelledby={id('checks-title')}>
      <div className="flex items-baseline justify-between gap-3">
        <h2 id={id('checks-title')} className="text-xs font-semibold text-text-2">
          {m.session.goals}
        </h2>
        {total > 0 ? (
          <span className={cx('text-xs tabular-nums', passing === total ? 'font-medium text-ok' : 'text-text-3')}>
            {m.session.goalsPassing(passing, total)}
          </span>
        ) : null}
      </div>
      {total === 0 ? <p className="mt-1 text-text-3">{m.common.loading}…</p> : null}
      <List checks={checks.filter((check) => check.role === 'goal')} />
      {total > 0 && passing === total ? <p className="mt-1 font-medium text-ok">{m.session.allPass}</p> : null}
      {guards.length > 0 ? (
        <>
          <h3 className="mt-4 text-xs font-semibold text-text-2">
            {m.session.guards} <span className="font-normal text-text-3">{m.session.guardsLead}</span>
          </h3>
          <List checks={guards} />
        </>
      ) : null}
      <Announcer checks={checks} />
    </section>
  )
}

function List({ checks }: { checks: readonly CheckLive[] }) {
  return (
    <ul className="mt-1">
      {checks.map((check) => (
        <Item key={check.id} check={check} />
      ))}
    </ul>
  )
}

function Item({ check }: { check: CheckLive }) {
  const m = useMessages()
  const text = useText()
  const skew = useLab((state) => state.skew)
  const holding = check.state === 'holding'
  const now = useNow(holding)
  const look = checkLooks[check.state]
  const word = (check.role === 'guard' ? m.session.guardCheck : m.session.check)[check.state]
  const [first] = useState(check.state)
  const left = holding && now !== null ? holdLeft(check, now + skew) : 0
  return (
    <li
      // A new key draws the row anew, so that its change shows itself once.
      key={check.state}
      className={cx(
        '-mx-2 grid grid-cols-[1rem_minmax(0,1fr)_auto] gap-x-2 rounded-md px-2 py-1.5',
        check.state !== first && 'animate-settle',
      )}
      data-check={check.id}
      data-state={check.state}
    >
      <StateIcon {...look} className="mt-0.5" />
      <div className="min-w-0">
        <p>{text(check.title)}</p>
        {holding && check.hold > 0 ? (
          <span aria-hidden className="mt-1 block h-0.5 overflow-hidden rounded-full bg-line">
            <span className="block h-full bg-accent" style={{ width: `${100 - (100 * left) / Math.max(1, check.hold)}%` }} />
          </span>
        ) : null}
        {holding && left > 0 ? <p className="text-xs text-text-2 tabular-nums">{m.session.holdFor(left)}</p> : null}
        {check.seen && !(check.state === 'passing') ? (
          <p className="text-xs break-words text-text-2">
            {check.state === 'not-evaluable' ? `${m.session.cause} ` : ''}
            {text(check.seen)}
          </p>
        ) : null}
      </div>
      <span className="text-right">
        <span className={cx('text-xs font-medium whitespace-nowrap', toneText[look.tone])}>{word}</span>
        {check.role === 'goal' ? <span className="block text-xs text-text-3 tabular-nums">{m.session.weight(check.weight)}</span> : null}
      </span>
    </li>
  )
}

/** Says each check's change to a screen reader, and nothing when the page is first drawn. */
function Announcer({ checks }: { checks: readonly CheckLive[] }) {
  const m = useMessages()
  const text = useText()
  const before = useRef<Map<string, CheckLive['state']> | null>(null)
  const [said, setSaid] = useState('')
  useEffect(() => {
    const known = before.current
    before.current = new Map(checks.map((check) => [check.id, check.state]))
    if (known === null) return
    const changes = checks
      .filter((check) => known.has(check.id) && known.get(check.id) !== check.state)
      .map((check) => m.session.announce(text(check.title), (check.role === 'guard' ? m.session.guardCheck : m.session.check)[check.state]))
    if (changes.length > 0) setSaid(changes.join('. '))
  }, [checks, m, text])
  return (
    <p role="status" className="sr-only">
      {said}
    </p>
  )
}
