'use client'
// The lab's page: which of its faces is shown, by the session's state. Knows the states; the faces know the rest.
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { useEffect, useRef, useState } from 'react'
import type { SessionView } from '#lib/protocol/index.ts'
import { errorWords } from '../api.ts'
import type { ThemeChoice } from '../chrome/preferences.tsx'
import { Wrong } from '../chrome/wrong.tsx'
import { useMessages } from '../i18n/index.tsx'
import { buttonClass } from '../ui/button.tsx'
import { Banners } from './banners.tsx'
import { LabBar } from './bar.tsx'
import { SocketProvider, useLab, useSession } from './context.tsx'
import { Steps } from './steps.tsx'
import { Workbench } from './workbench.tsx'

export function Lab({ id, session, theme }: { id: string; session: SessionView; theme: ThemeChoice }) {
  return (
    <SocketProvider key={id} id={id} session={session}>
      <Face theme={theme} />
    </SocketProvider>
  )
}

function Face({ theme }: { theme: ThemeChoice }) {
  const m = useMessages()
  const router = useRouter()
  const session = useSession()
  const connection = useLab((state) => state.connection)
  /** files in the editor that are not saved: leaving or resetting loses them */
  const [unsaved, setUnsaved] = useState(0)
  const ended = session.state === 'ended'
  useEffect(() => {
    if (ended) router.replace(`/session/${session.id}/report`)
  }, [ended, router, session.id])

  // Said once, when a start or a reset that was watched here has come to its end.
  const before = useRef(session.state)
  const arrived = session.state === 'ready' && before.current !== 'ready'

  if (connection.state === 'gone' && !ended) {
    const words = connection.error ? errorWords(connection.error, m) : null
    const out = connection.error?.code === 'unauthorized'
    return (
      <Wrong
        title={out ? m.error.codes.unauthorized : m.session.goneTitle}
        lead={words?.message ?? m.session.goneBody}
        code={connection.error?.code ?? ''}
      >
        {out ? (
          <Link className={buttonClass('primary')} href={`/sign-in?to=${encodeURIComponent(`/session/${session.id}`)}`}>
            {m.account.signIn}
          </Link>
        ) : null}
      </Wrong>
    )
  }
  return (
    <div className="flex h-dvh flex-col overflow-hidden">
      <LabBar theme={theme} unsaved={unsaved} />
      <Banners />
      <p role="status" className="sr-only">
        {arrived ? m.session.announceReady : ''}
      </p>
      {session.state === 'ready' ? <Workbench unsaved={unsaved} onUnsaved={setUnsaved} /> : <Steps />}
    </div>
  )
}
