'use client'
// A look at one terminal of somebody's lab, over a socket that only looks; with the learner's word, a hand on it. Knows the lab's socket.
import { useEffect, useState } from 'react'
import { z } from 'zod'
import type { BoardAction, BoardAttempt } from '#lib/protocol/index.ts'
import { ApiError, request } from '../api.ts'
import { useMessages, useText } from '../i18n/index.tsx'
import { SocketProvider, useLab } from '../session/context.tsx'
import { TicketRefused } from '../session/socket.ts'
import { TerminalPane } from '../terminal/terminal.tsx'
import { Button } from '../ui/button.tsx'
import { inputClass } from '../ui/field.tsx'

const answer = z.object({ ticket: z.string() })

export function Watch({
  assignment,
  attempt,
  name,
  onAct,
  onClose,
}: {
  assignment: string
  attempt: BoardAttempt
  name: string
  onAct(action: BoardAction): void
  onClose(): void
}) {
  const m = useMessages()
  const w = m.class
  const text = useText()
  const [picked, setPicked] = useState<number | null>(null)
  const number = picked ?? attempt.current
  const task = attempt.tasks.find((one) => one.number === number)
  const drive = task?.company.drive ?? null
  const session = task?.session ?? null
  const granted = drive?.state === 'granted'
  return (
    <section aria-label={w.watching(name)} className="mt-6 overflow-hidden rounded-lg border border-line bg-surface">
      <div className="flex flex-wrap items-center gap-3 border-b border-line px-3 py-2">
        <h2 className="font-semibold">{w.watching(name)}</h2>
        <select
          aria-label={m.exam.taskNav}
          value={number ?? ''}
          onChange={(event) => setPicked(Number(event.target.value))}
          className={`${inputClass} w-64!`}
        >
          {attempt.tasks.map((one) => (
            <option key={one.number} value={one.number} disabled={one.session === null}>
              {one.number}. {text(one.title)}
            </option>
          ))}
        </select>
        <p role="status" className={granted ? 'font-medium text-warn' : 'text-text-2'}>
          {granted ? w.driving : drive?.state === 'asked' ? w.asked : w.readOnly}
        </p>
        <span className="ml-auto flex gap-2">
          {number === null || session === null ? null : drive === null ? (
            <Button small onClick={() => onAct({ type: 'ask-drive', attempt: attempt.id, task: number })}>
              {w.askDrive}
            </Button>
          ) : (
            <Button small onClick={() => onAct({ type: 'stop-drive', attempt: attempt.id, task: number })}>
              {w.stopDrive}
            </Button>
          )}
          <Button small onClick={onClose}>
            {w.stopWatch}
          </Button>
        </span>
      </div>
      {number === null || session === null ? (
        <p className="p-4 text-text-2">{w.noTerminal}</p>
      ) : (
        <SocketProvider
          key={session}
          id={session}
          session={null}
          ticket={async () => {
            try {
              return (
                await request(`/api/assignments/${assignment}/watch`, answer, {
                  method: 'POST',
                  body: { attempt: attempt.id, task: number },
                })
              ).ticket
            } catch (thrown) {
              if (thrown instanceof ApiError && thrown.status >= 400 && thrown.status < 500) throw new TicketRefused(thrown.view)
              throw thrown
            }
          }}
        >
          <Screen readOnly={!granted} />
        </SocketProvider>
      )}
    </section>
  )
}

function Screen({ readOnly }: { readOnly: boolean }) {
  const m = useMessages()
  const terminals = useLab((state) => state.session?.terminals)
  const open = terminals?.filter((one) => one.state !== 'closed') ?? []
  const [picked, setPicked] = useState<number | null>(null)
  const shown = open.find(({ id }) => id === picked) ?? open.at(-1)
  // A new terminal of the learner's is where they are now.
  const newest = open.at(-1)?.id
  useEffect(() => setPicked(newest ?? null), [newest])
  if (shown === undefined) return <p className="p-4 text-text-2">{m.class.noTerminal}</p>
  return (
    <>
      {open.length < 2 ? null : (
        <div className="flex gap-1 border-b border-line px-2 py-1">
          {open.map(({ id, title }) => (
            <Button
              key={id}
              small
              weight={id === shown.id ? 'normal' : 'quiet'}
              aria-pressed={id === shown.id}
              onClick={() => setPicked(id)}
            >
              {title}
            </Button>
          ))}
        </div>
      )}
      <div className="relative flex h-96 flex-col">
        <TerminalPane
          key={shown.id}
          terminal={shown}
          active
          textSize={13}
          screenReader={false}
          examKeys={false}
          readOnly={readOnly}
          handle={() => {}}
          onClose={() => {}}
        />
      </div>
    </>
  )
}
