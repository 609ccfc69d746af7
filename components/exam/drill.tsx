'use client'
// A drill while it runs: the clock, the tasks with their weights and flags, the notepad, the lab of the task that is open, and the ways to
// hand in. Knows the drill as the server tells it; each lab knows itself.
import { ArrowLeft, ArrowRight, BookOpen, ExternalLink, Flag, NotebookPen, Send } from 'lucide-react'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { DropdownMenu } from 'radix-ui'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { type DrillTask, type DrillView, examDocumentation } from '#lib/protocol/index.ts'
import { useAction } from '../action.ts'
import { Mark } from '../chrome/header.tsx'
import { Preferences, type ThemeChoice } from '../chrome/preferences.tsx'
import { Room } from '../class/room.tsx'
import { Failure } from '../failure.tsx'
import { useLocale, useMessages, useText } from '../i18n/index.tsx'
import { useKept } from '../session/kept.ts'
import { Banner } from '../ui/banner.tsx'
import { Button, buttonClass, IconButton } from '../ui/button.tsx'
import { cx } from '../ui/cx.ts'
import { Confirm } from '../ui/dialog.tsx'
import { Menu, menuItem } from '../ui/menu.tsx'
import { Badge, StateIcon } from '../ui/state.tsx'
import { clock, duration, useNow } from '../ui/time.ts'
import { Notepad } from './notepad.tsx'
import { Notices } from './notices.tsx'
import { TaskLab } from './task-lab.tsx'
import { type DrillHandle, useDrill } from './use-drill.ts'
import { digits, leftOf, taskLooks } from './words.ts'

const lastMinutes = 5 * 60_000

export function Drill({ drill: initial, theme }: { drill: DrillView; theme: ThemeChoice }) {
  const m = useMessages()
  const text = useText()
  const router = useRouter()
  const handle = useDrill(initial)
  const { drill } = handle
  const ended = drill.state === 'ended'
  useEffect(() => {
    if (ended) router.replace(`/exam/${drill.id}/review`)
  }, [ended, router, drill.id])
  return (
    <div className="flex h-dvh flex-col overflow-hidden">
      {drill.assignment !== undefined && (drill.state === 'running' || drill.state === 'preparing') ? <Room drill={drill.id} /> : null}
      {drill.state === 'running' ? (
        <Running handle={handle} theme={theme} />
      ) : (
        <>
          <header className="border-b border-line bg-surface">
            <div className="flex h-12 items-center gap-3 px-3">
              <Home />
              <h1 className="min-w-0 truncate font-semibold">{text(drill.name)}</h1>
              <span className="ml-auto">
                <Preferences theme={theme} />
              </span>
            </div>
          </header>
          <Waiting handle={handle} ended={ended} />
        </>
      )}
      <p role="status" className="sr-only">
        {drill.state === 'running' && drill.alert !== null ? m.exam.alert(drill.alert) : ''}
      </p>
    </div>
  )
}

function Home() {
  const m = useMessages()
  return (
    <Link href="/exam" aria-label={m.exam.toDrills} title={m.exam.toDrills} className="rounded-md p-1">
      <Mark className="size-5" />
    </Link>
  )
}

/** Before the clock starts, and after it has ended. */
function Waiting({ handle, ended }: { handle: DrillHandle; ended: boolean }) {
  const m = useMessages()
  const text = useText()
  const { act, drill } = handle
  const { busy, error, run } = useAction()
  const preparing = drill.state === 'preparing'
  const cancelled = drill.state === 'cancelled'
  const [title, lead] = cancelled
    ? [m.exam.cancelledTitle, drill.error === null ? m.exam.cancelledLead : m.exam.cancelledFailed]
    : preparing
      ? [m.exam.preparingTitle, m.exam.preparingLead]
      : [m.exam.gradingTitle, drill.timedOut ? `${m.exam.timeUp} ${m.exam.gradingLead}` : m.exam.gradingLead]
  const shown = error ?? drill.error
  return (
    <main id="main" tabIndex={-1} className="flex-1 overflow-y-auto outline-none">
      <div className="mx-auto max-w-2xl px-4 py-10 sm:py-16">
        <h2 className="flex items-center gap-2 text-xl font-semibold text-balance">
          {cancelled || ended ? null : <StateIcon icon="running" tone="accent" />}
          {title}
        </h2>
        <p role="status" className="mt-1 text-text-2">
          {lead}
        </p>
        {shown ? (
          <div className="mt-5 overflow-hidden rounded-lg">
            <Failure error={shown} />
          </div>
        ) : null}
        {preparing ? <Notices drill={drill} /> : null}
        {cancelled ? null : (
          <ol className="mt-6 border-t border-line">
            {drill.tasks.map((task) => (
              <li key={task.number} className="grid grid-cols-[1.25rem_minmax(0,1fr)_auto] gap-x-3 border-b border-line py-2.5">
                <StateIcon {...taskLooks[task.state]} className="mt-0.5" />
                <span className="min-w-0">{preparing ? m.exam.task(task.number) : text(task.title)}</span>
                <span className="text-xs text-text-2">{m.exam.taskState[task.state]}</span>
              </li>
            ))}
          </ol>
        )}
        <div className="mt-6 flex gap-2">
          {preparing ? (
            <Button disabled={busy} onClick={() => run(() => act({ type: 'cancel' }))}>
              {m.exam.cancel}
            </Button>
          ) : null}
          <Link href="/exam" className={buttonClass('quiet')}>
            {m.exam.toDrills}
          </Link>
        </div>
      </div>
    </main>
  )
}

function Running({ handle, theme }: { handle: DrillHandle; theme: ThemeChoice }) {
  const m = useMessages()
  const text = useText()
  const { act, drill } = handle
  const [asking, setAsking] = useState<'hand-in' | 'finish' | null>(null)
  const { busy, error, forget, run: ask } = useAction()
  const [notes, setNotes] = useKept('exam.notes', 0, 0, 1)
  const [dismissed, setDismissed] = useState<number | null>(null)
  /** labs that have been looked at stay, so that coming back costs nothing */
  const [seen, setSeen] = useState<ReadonlySet<string>>(new Set())
  const [unsaved, setUnsaved] = useState<ReadonlyMap<string, number>>(new Map())
  const current = drill.tasks.find((task) => task.number === drill.current) ?? null
  const session = current?.session ?? null
  useEffect(() => {
    if (session !== null) setSeen((before) => (before.has(session) ? before : new Set(before).add(session)))
  }, [session])
  const left = drill.tasks.filter((task) => task.state !== 'handed-in' && task.state !== 'graded')
  const flagged = left.filter((task) => task.flagged)

  const run = (action: Parameters<DrillHandle['act']>[0]) => ask(() => act(action))
  const move = (step: 1 | -1) => {
    if (current === null || left.length === 0) return
    const at = left.indexOf(current)
    const next = left[(at + step + left.length) % left.length]
    if (next) run({ type: 'open', task: next.number })
  }
  const lost = (tasks: readonly DrillTask[]) => tasks.reduce((sum, task) => sum + (task.session ? (unsaved.get(task.session) ?? 0) : 0), 0)

  return (
    <>
      <header className="border-b border-line bg-surface">
        <div className="flex min-h-12 flex-wrap items-center gap-x-3 gap-y-1 px-3 py-1.5">
          <Home />
          <h1 className="min-w-0 flex-1 truncate font-semibold max-sm:sr-only">
            {current === null ? text(drill.name) : text(current.title)}
          </h1>
          <Remaining handle={handle} />
          <div className="flex items-center gap-1 sm:gap-2">
            <IconButton
              label={current?.flagged ? m.exam.unflag : m.exam.flag}
              aria-pressed={current?.flagged ?? false}
              disabled={current === null || busy}
              onClick={() => current && run({ type: 'flag', task: current.number, flagged: !current.flagged })}
            >
              <Flag aria-hidden className={cx('size-4', current?.flagged && 'fill-current')} />
            </IconButton>
            <IconButton label={m.exam.notes} aria-pressed={notes === 1} onClick={() => setNotes(1 - notes)}>
              <NotebookPen aria-hidden className="size-4" />
            </IconButton>
            <Documentation />
            <Button disabled={busy || current === null} onClick={() => setAsking('hand-in')}>
              <Send aria-hidden className="size-3.5" />
              {m.exam.handIn}
            </Button>
            <Button weight="primary" disabled={busy} onClick={() => setAsking('finish')}>
              {m.exam.finish}
            </Button>
            <span className="max-sm:hidden">
              <Preferences theme={theme} />
            </span>
          </div>
        </div>
        <div className="flex items-center border-t border-line">
          <IconButton label={m.exam.previous} disabled={busy || left.length < 2} onClick={() => move(-1)} className="mx-1">
            <ArrowLeft aria-hidden className="size-4" />
          </IconButton>
          <TaskList drill={drill} onOpen={(task) => run({ type: 'open', task })} />
          <IconButton label={m.exam.next} disabled={busy || left.length < 2} onClick={() => move(1)} className="mx-1">
            <ArrowRight aria-hidden className="size-4" />
          </IconButton>
        </div>
      </header>
      {drill.stopped ? (
        <Banner tone="warn" title={m.exam.stoppedTitle} live="polite">
          {m.exam.stoppedLead}
        </Banner>
      ) : null}
      {handle.away ? <Banner tone="warn" title={m.exam.lostTouch} live="polite" /> : null}
      {drill.alert !== null && dismissed !== drill.alert ? (
        // Announced from elsewhere; a region, so that who goes from one to the next does not pass it by.
        <section aria-label={m.exam.alert(drill.alert)}>
          <Banner
            tone="warn"
            icon="holding"
            title={m.exam.alert(drill.alert)}
            action={
              <Button small onClick={() => setDismissed(drill.alert)}>
                {m.common.close}
              </Button>
            }
          />
        </section>
      ) : null}
      {error === null ? null : <Failure error={error} onClose={forget} />}
      <main id="main" tabIndex={-1} className="flex min-h-0 flex-1 outline-none max-lg:flex-col">
        {drill.tasks.map((task) =>
          task.session !== null && seen.has(task.session) && task.state !== 'handed-in' && task.state !== 'graded' ? (
            <div
              key={task.session}
              className={cx('min-h-0 min-w-0 flex-1 flex-col', task.number === drill.current ? 'flex' : 'hidden')}
              data-task={task.number}
            >
              <TaskLab
                id={task.session}
                number={task.number}
                onUnsaved={(count) => {
                  const id = task.session
                  if (id !== null) setUnsaved((before) => new Map(before).set(id, count))
                }}
              />
            </div>
          ) : null,
        )}
        {session === null ? <NoLab task={current} /> : null}
        {notes === 1 ? (
          <aside
            aria-label={m.exam.notes}
            className="flex w-full shrink-0 flex-col border-line bg-surface max-lg:h-56 max-lg:border-t lg:w-72 lg:border-l"
          >
            <Notepad handle={handle} readOnly={false} />
          </aside>
        ) : null}
      </main>
      <Confirm
        open={asking === 'hand-in' && current !== null}
        onOpenChange={(open) => setAsking(open ? 'hand-in' : null)}
        title={m.exam.handInTitle(current?.number ?? 0)}
        yes={m.exam.handInYes}
        onYes={() => current && run({ type: 'hand-in', task: current.number })}
      >
        <p>{m.exam.handInBody}</p>
        <Unsaved count={current ? lost([current]) : 0} />
      </Confirm>
      <Confirm
        open={asking === 'finish'}
        onOpenChange={(open) => setAsking(open ? 'finish' : null)}
        title={m.exam.finishTitle}
        yes={m.exam.finishYes}
        weight="danger"
        onYes={() => run({ type: 'finish' })}
      >
        {left.length > 0 ? <p className="font-medium text-text">{m.exam.finishLeft(left.length)}</p> : null}
        {flagged.length > 0 ? <p className="font-medium text-text">{m.exam.finishFlagged(flagged.length)}</p> : null}
        <p>{m.exam.finishBody}</p>
        <Unsaved count={lost(left)} />
      </Confirm>
    </>
  )
}

/** What may be read while a drill runs, and nothing else: each opens in a tab of its own. */
function Documentation() {
  const m = useMessages()
  return (
    <Menu label={m.exam.docs} icon={<BookOpen aria-hidden className="size-4" />} className="size-7 shrink-0" width="min-w-56">
      {examDocumentation.map(({ id, url }) => (
        <DropdownMenu.Item key={id} asChild>
          <a href={url} target="_blank" rel="noreferrer" className={menuItem}>
            <ExternalLink aria-hidden className="size-3.5 text-text-3" />
            {m.exam.docNames[id]}
          </a>
        </DropdownMenu.Item>
      ))}
    </Menu>
  )
}

function Unsaved({ count }: { count: number }) {
  const m = useMessages()
  return count > 0 ? <p className="font-medium text-warn">{m.session.unsavedLost(count)}</p> : null
}

/** The server's clock, counted on by the page between two looks. */
function Remaining({ handle }: { handle: DrillHandle }) {
  const m = useMessages()
  const locale = useLocale()
  const { drill, look, skew } = handle
  const now = useNow(drill.endsAt !== null)
  const left = leftOf(drill, skew, now)
  const over = left === 0
  const looking = useRef(look)
  looking.current = look
  useEffect(() => {
    if (over) looking.current()
  }, [over])
  return (
    <div className="flex items-baseline gap-2 whitespace-nowrap">
      {drill.givenBackMs >= 1000 ? (
        <span className="text-xs text-text-2 max-md:hidden">{m.exam.givenBack(duration(drill.givenBackMs, locale))}</span>
      ) : null}
      {drill.stopped ? (
        <Badge tone="warn" icon="holding">
          {m.exam.stopped}
        </Badge>
      ) : null}
      {left === null ? (
        <span className="text-[0.8125rem] text-text-2">{m.exam.noClock}</span>
      ) : (
        <span
          role="timer"
          aria-label={m.exam.left}
          className={cx('text-base font-semibold tabular-nums', left <= lastMinutes && 'text-fail')}
        >
          {clock(left)}
        </span>
      )}
    </div>
  )
}

function TaskList({ drill, onOpen }: { drill: DrillView; onOpen(task: number): void }) {
  const m = useMessages()
  const text = useText()
  const list = useRef<HTMLOListElement>(null)
  const focus = (number: number) => list.current?.querySelector<HTMLElement>(`[data-number="${number}"]`)?.focus()
  return (
    <nav aria-label={m.exam.taskNav} className="min-w-0 flex-1">
      <ol ref={list} className="flex overflow-x-auto py-1 [scrollbar-width:thin]">
        {drill.tasks.map((task) => {
          const on = task.number === drill.current
          const closed = task.state === 'handed-in' || task.state === 'graded'
          const words = [
            m.exam.of(task.number, drill.tasks.length),
            text(task.title),
            m.exam.weightOf(digits(task.weight)),
            m.exam.taskState[task.state],
            task.flagged ? m.exam.flagged : '',
          ]
          return (
            <li key={task.number} className="shrink-0 px-0.5">
              <button
                type="button"
                data-number={task.number}
                data-state={task.state}
                aria-current={on ? 'step' : undefined}
                aria-disabled={closed}
                aria-label={words.filter(Boolean).join(', ')}
                title={text(task.title)}
                onClick={() => {
                  if (!closed && !on) onOpen(task.number)
                }}
                onKeyDown={(event) => {
                  const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
                  if (step === 0) return
                  event.preventDefault()
                  focus(((task.number - 1 + step + drill.tasks.length) % drill.tasks.length) + 1)
                }}
                className={cx(
                  'flex h-8 items-center gap-1.5 rounded-md border px-2 text-xs tabular-nums aria-disabled:cursor-not-allowed',
                  on ? 'border-accent bg-accent-tint font-semibold text-accent' : 'border-line text-text-2 hover:bg-hover',
                )}
              >
                <span className="font-medium">{task.number}</span>
                {task.flagged ? <Flag aria-hidden className="size-3 fill-current text-warn" /> : null}
                {task.state === 'ready' ? null : <StateIcon {...taskLooks[task.state]} className="size-3.5" />}
                <span className={on ? '' : 'text-text-3'}>{m.exam.weight(digits(task.weight))}</span>
              </button>
            </li>
          )
        })}
      </ol>
    </nav>
  )
}

function NoLab({ task }: { task: DrillTask | null }) {
  const m = useMessages()
  const says: [title: string, lead: string, icon: ReactNode] =
    task === null || task.state === 'handed-in' || task.state === 'graded'
      ? [m.exam.handedTitle, m.exam.handedLead, null]
      : task.state === 'failed'
        ? [m.exam.failedTitle, m.exam.failedLead, <StateIcon key="icon" icon="warn" tone="warn" />]
        : [m.exam.waitingTitle, m.exam.waitingLead, <StateIcon key="icon" icon="running" tone="accent" />]
  return (
    <div role="status" className="mx-auto max-w-2xl flex-1 px-4 py-16">
      <h2 className="flex items-center gap-2 text-xl font-semibold">
        {says[2]}
        {says[0]}
      </h2>
      <p className="mt-1 text-text-2">{says[1]}</p>
      {task?.error ? (
        <div className="mt-5 overflow-hidden rounded-lg">
          <Failure error={task.error} live="polite" />
        </div>
      ) : null}
    </div>
  )
}
