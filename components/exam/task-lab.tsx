'use client'
// One task's lab within the drill's page. It stays there, hidden, when another task is chosen: its shells and unsaved files wait.
// Knows a session; knows nothing of the drill's time.
import { useEffect, useMemo, useState } from 'react'
import { allowedInExam, type SessionView, sessionView } from '#lib/protocol/index.ts'
import { errorWords, request } from '../api.ts'
import { useMessages } from '../i18n/index.tsx'
import { Banners } from '../session/banners.tsx'
import { SocketProvider, useSession } from '../session/context.tsx'
import { Steps } from '../session/steps.tsx'
import { Workbench } from '../session/workbench.tsx'
import { Problem } from '../ui/banner.tsx'
import { Button } from '../ui/button.tsx'
import { LinksAllowed } from '../ui/markdown.tsx'
import { StateIcon } from '../ui/state.tsx'

export function TaskLab({ id, number, onUnsaved }: { id: string; number: number; onUnsaved(count: number): void }) {
  const m = useMessages()
  const [session, setSession] = useState<SessionView | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [tries, setTries] = useState(0)
  const frame = useMemo(() => ({ prefix: `t${number}-`, framed: true }), [number])
  // biome-ignore lint/correctness/useExhaustiveDependencies: another try asks again
  useEffect(() => {
    const controller = new AbortController()
    setError(null)
    request(`/api/sessions/${encodeURIComponent(id)}`, sessionView, { signal: controller.signal }).then(setSession, (thrown: unknown) => {
      if (!controller.signal.aborted) setError(thrown)
    })
    return () => controller.abort()
  }, [id, tries])
  if (error !== null)
    return (
      <Problem
        words={errorWords(error, m)}
        whatToDo={m.common.what}
        action={
          <Button small onClick={() => setTries((before) => before + 1)}>
            {m.common.retry}
          </Button>
        }
      />
    )
  if (session === null)
    return (
      <p role="status" className="flex items-center gap-2 p-4 text-text-2">
        <StateIcon icon="running" tone="accent" />
        {m.session.connecting}
      </p>
    )
  return (
    <SocketProvider id={id} session={session} frame={frame}>
      <LinksAllowed value={allowedInExam}>
        <Face onUnsaved={onUnsaved} />
      </LinksAllowed>
    </SocketProvider>
  )
}

function Face({ onUnsaved }: { onUnsaved(count: number): void }) {
  const session = useSession()
  const [unsaved, setUnsaved] = useState(0)
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <Banners />
      {session.state === 'ready' ? (
        <Workbench
          unsaved={unsaved}
          onUnsaved={(count) => {
            setUnsaved(count)
            onUnsaved(count)
          }}
        />
      ) : (
        <Steps />
      )}
    </div>
  )
}
