'use client'
// What stands between the learner and the lab right now: no connection, an outage, a refusal. Knows the socket's state.
import { errorWords } from '../api.ts'
import { Failure } from '../failure.tsx'
import { useMessages } from '../i18n/index.tsx'
import { Banner } from '../ui/banner.tsx'
import { Button } from '../ui/button.tsx'
import { useNow } from '../ui/time.ts'
import { useLab, useSession, useSocket } from './context.tsx'

export function Banners() {
  const m = useMessages()
  const socket = useSocket()
  const session = useSession()
  const connection = useLab((state) => state.connection)
  const live = useLab((state) => state.live)
  const problem = useLab((state) => state.problem)
  const outage = session.outage ? errorWords(session.outage, m) : null
  return (
    <>
      {live && (connection.state === 'waiting' || connection.state === 'connecting') ? <Reconnecting /> : null}
      {!live && connection.state === 'waiting' ? <Reconnecting /> : null}
      {outage ? (
        <Banner tone="warn" title={m.session.outageTitle} live="assertive">
          <p>{m.session.outageBody}</p>
          {outage.message ? <p className="mt-0.5 break-words">{outage.message}</p> : null}
          {outage.hint ? <p className="mt-0.5 text-text">{outage.hint}</p> : null}
        </Banner>
      ) : null}
      {problem ? <Failure error={problem} onClose={() => socket.dismissProblem()} /> : null}
    </>
  )
}

function Reconnecting() {
  const m = useMessages()
  const socket = useSocket()
  const connection = useLab((state) => state.connection)
  const now = useNow()
  const left = connection.state === 'waiting' && now !== null ? Math.ceil((connection.retryAt - now) / 1000) : 0
  return (
    <Banner
      tone="warn"
      icon="running"
      live="polite"
      title={
        <>
          <span className="sr-only">{m.session.reconnecting}</span>
          <span aria-hidden>{left > 0 ? m.session.reconnectingIn(left) : m.session.reconnecting}</span>
        </>
      }
      action={
        <Button small onClick={() => socket.wake()}>
          {m.session.reconnectNow}
        </Button>
      }
    />
  )
}
