'use client'
// The lab's one line at the top: what it is about, how far it has come, time, and what can be done with it.
// Knows the session's actions; asks before those that cannot be undone.
import { Ellipsis, Flag, RotateCcw, Send } from 'lucide-react'
import Link from 'next/link'
import { DropdownMenu } from 'radix-ui'
import { useState } from 'react'
import type { SessionAction } from '#lib/protocol/index.ts'
import { useAction } from '../action.ts'
import { Mark } from '../chrome/header.tsx'
import { Preferences, type ThemeChoice } from '../chrome/preferences.tsx'
import { Failure } from '../failure.tsx'
import { useMessages, useText } from '../i18n/index.tsx'
import { Button } from '../ui/button.tsx'
import { Confirm } from '../ui/dialog.tsx'
import { Menu, menuItem } from '../ui/menu.tsx'
import { Badge } from '../ui/state.tsx'
import { clock, useNow } from '../ui/time.ts'
import { Tip } from '../ui/tip.tsx'
import { goalsOf } from './checks.tsx'
import { act, useLab, useSession } from './context.tsx'
import { spentNow } from './socket.ts'

export function LabBar({ theme, unsaved }: { theme: ThemeChoice; unsaved: number }) {
  const m = useMessages()
  const text = useText()
  const session = useSession()
  const [asking, setAsking] = useState<'submit' | 'reset' | 'give-up' | null>(null)
  const { busy, error, forget, run: ask } = useAction()
  const { passing, total } = goalsOf(session.checks)
  const ready = session.state === 'ready'
  const all = ready && total > 0 && passing === total

  const run = (action: SessionAction) => ask(() => act(session.id, action))
  return (
    <header className="border-b border-line bg-surface">
      <div className="flex h-12 items-center gap-3 px-3">
        <Link href="/" aria-label={m.common.back} title={m.common.back} className="rounded-md p-1">
          <Mark className="size-5" />
        </Link>
        <h1 className="min-w-0 truncate font-semibold">{text(session.scenario.title)}</h1>
        {m.backendMeans[session.backend] ? (
          <Tip className="shrink-0" content={<p>{m.backendMeans[session.backend]}</p>}>
            <Badge tone="idle">{m.backend[session.backend]}</Badge>
          </Tip>
        ) : null}
        <div className="ml-auto flex shrink-0 items-center gap-2 sm:gap-3">
          {ready ? <Spent /> : null}
          {ready ? (
            <>
              <Button weight={all ? 'primary' : 'normal'} disabled={busy} onClick={() => setAsking('submit')}>
                <Send aria-hidden className="size-3.5" />
                {m.session.submit}
              </Button>
              <Menu label={m.session.more} icon={<Ellipsis aria-hidden className="size-4" />} className="size-8" width="min-w-44">
                <DropdownMenu.Item className={menuItem} onSelect={() => setAsking('reset')}>
                  <RotateCcw aria-hidden className="size-4 text-text-2" />
                  {m.session.reset}
                </DropdownMenu.Item>
                <DropdownMenu.Item className={menuItem} onSelect={() => setAsking('give-up')}>
                  <Flag aria-hidden className="size-4 text-text-2" />
                  {m.session.giveUp}
                </DropdownMenu.Item>
              </Menu>
            </>
          ) : null}
          <span className="max-sm:hidden">
            <Preferences theme={theme} />
          </span>
        </div>
      </div>
      {error === null ? null : <Failure error={error} onClose={forget} />}
      <Confirm
        open={asking === 'submit'}
        onOpenChange={(open) => setAsking(open ? 'submit' : null)}
        title={m.session.submitTitle}
        yes={m.session.submitYes}
        onYes={() => run({ type: 'submit' })}
      >
        {all ? null : <p className="font-medium text-text">{m.session.submitNotAll(passing, total)}</p>}
        <p>{m.session.submitBody}</p>
        <Unsaved count={unsaved} />
      </Confirm>
      <Confirm
        open={asking === 'reset'}
        onOpenChange={(open) => setAsking(open ? 'reset' : null)}
        title={m.session.resetTitle}
        yes={m.session.resetYes}
        weight="danger"
        onYes={() => run({ type: 'reset' })}
      >
        <p>{m.session.resetBody}</p>
        <Unsaved count={unsaved} />
      </Confirm>
      <Confirm
        open={asking === 'give-up'}
        onOpenChange={(open) => setAsking(open ? 'give-up' : null)}
        title={m.session.giveUpTitle}
        yes={m.session.giveUpYes}
        weight="danger"
        onYes={() => run({ type: 'give-up' })}
      >
        <p>{m.session.giveUpBody}</p>
        <Unsaved count={unsaved} />
      </Confirm>
    </header>
  )
}

function Unsaved({ count }: { count: number }) {
  const m = useMessages()
  return count > 0 ? <p className="font-medium text-warn">{m.session.unsavedLost(count)}</p> : null
}

function Spent() {
  const m = useMessages()
  const session = useSession()
  const state = useLab((all) => all)
  const now = useNow()
  const spent = now === null ? session.spentMs : spentNow(state, now)
  const over = spent > session.scenario.minutes * 60_000
  return (
    <span className="flex items-baseline gap-1 text-[0.8125rem] whitespace-nowrap tabular-nums" role="timer" aria-label={m.session.spent}>
      <span className={over ? 'font-medium text-warn' : 'font-medium'}>{clock(spent)}</span>
      <span className="text-text-3 max-sm:hidden">{m.session.budget(session.scenario.minutes)}</span>
    </span>
  )
}
