'use client'
// The class's voice in a drill that is an attempt at an assignment: messages and hints, asking for help, who looks at a terminal and who asks
// to type in it. Asks the server every few seconds. Knows nothing of the drill itself.
import { Hand } from 'lucide-react'
import { useCallback, useEffect, useState } from 'react'
import { type RoomAction, type RoomView, roomView } from '#lib/protocol/index.ts'
import { useAction } from '../action.ts'
import { request } from '../api.ts'
import { Failure } from '../failure.tsx'
import { useLocale, useMessages, useText } from '../i18n/index.tsx'
import { Button } from '../ui/button.tsx'
import { inputClass } from '../ui/field.tsx'
import { timeOfDay } from '../ui/time.ts'

const everyMs = 2000
const shownMost = 3

export function Room({ drill }: { drill: string }) {
  const m = useMessages()
  const w = m.class
  const text = useText()
  const locale = useLocale()
  const [view, setView] = useState<RoomView | null>(null)
  const [asking, setAsking] = useState(false)
  const [words, setWords] = useState('')
  const [read, setRead] = useState<ReadonlySet<string>>(new Set())
  const { busy, error, forget, run } = useAction()
  const at = `/api/rooms/${drill}`
  const take = useCallback((next: RoomView) => setView((before) => (before !== null && next.now < before.now ? before : next)), [])
  useEffect(() => {
    const look = () => request(at, roomView).then(take, () => {})
    void look()
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void look()
    }, everyMs)
    return () => clearInterval(timer)
  }, [at, take])
  if (view === null) return null
  const act = (action: RoomAction) => run(async () => take(await request(at, roomView, { method: 'POST', body: action })))
  const unread = view.messages.filter(({ id }) => !read.has(id))
  return (
    <aside aria-label={w.room} className="border-b border-line bg-sunken text-[0.8125rem]">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1 px-3 py-1">
        <span className="min-w-0 truncate text-text-2">{view.className}</span>
        {view.help !== null ? (
          <>
            <span role="status" className="flex items-center gap-1 font-medium text-warn">
              <Hand aria-hidden className="size-4" />
              {w.helpAsked}
            </span>
            <Button small disabled={busy} onClick={() => act({ type: 'no-help' })}>
              {w.noHelp}
            </Button>
          </>
        ) : asking ? (
          <form
            className="flex min-w-0 flex-1 items-center gap-2"
            onSubmit={(event) => {
              event.preventDefault()
              act({ type: 'help', text: words })
              setAsking(false)
              setWords('')
            }}
          >
            <input
              aria-label={w.helpWords}
              placeholder={w.helpWords}
              value={words}
              maxLength={2000}
              onChange={(event) => setWords(event.target.value)}
              className={inputClass}
            />
            <Button small weight="primary" type="submit" disabled={busy}>
              {w.send}
            </Button>
          </form>
        ) : (
          <Button small disabled={busy} onClick={() => setAsking(true)}>
            <Hand aria-hidden className="size-3.5" />
            {w.askHelp}
          </Button>
        )}
      </div>
      <div role="status">
        {view.company.map(({ company, task }) => (
          <p key={task} className="flex flex-wrap items-center gap-x-3 gap-y-1 bg-warn-tint px-3 py-1">
            {company.drive === null ? (
              <span>{w.watched(company.watchers.map(({ name }) => name).join(', '), task)}</span>
            ) : (
              <>
                <span className="font-medium">
                  {company.drive.state === 'asked' ? w.wantsDrive(company.drive.name, task) : w.drives(company.drive.name, task)}
                </span>
                {company.drive.state === 'asked' ? (
                  <Button small disabled={busy} onClick={() => act({ type: 'allow', task })}>
                    {w.allow}
                  </Button>
                ) : null}
                <Button small disabled={busy} onClick={() => act({ type: 'refuse', task })}>
                  {company.drive.state === 'asked' ? w.refuse : w.stop}
                </Button>
              </>
            )}
          </p>
        ))}
        {unread.slice(-shownMost).map((one) => (
          <p key={one.id} className="flex flex-wrap items-center gap-x-3 gap-y-1 bg-accent-tint px-3 py-1">
            <span className="min-w-0 flex-1 break-words">
              <span className="text-text-2 tabular-nums">{timeOfDay(one.at, locale)}</span>{' '}
              <span className="font-medium">
                {one.kind === 'hint' && one.task !== null ? w.hintOf(one.from, one.task) : w.fromInstructor(one.from)}
              </span>{' '}
              {text(one.text)}
            </span>
            <Button
              small
              onClick={() => setRead(new Set([...read, ...view.messages.filter(({ at: then }) => then <= one.at).map(({ id }) => id)]))}
            >
              {m.common.close}
            </Button>
          </p>
        ))}
      </div>
      {error === null ? null : <Failure error={error} onClose={forget} />}
    </aside>
  )
}
