'use client'
// The page's one socket, and the state that it holds, for every component of the lab. Knows how a ticket is fetched;
// knows nothing of what is drawn.
import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from 'react'
import { z } from 'zod'
import type { SessionAction, SessionView } from '#lib/protocol/index.ts'
import { ApiError, request } from '../api.ts'
import { type LabState, SessionSocket, TicketRefused } from './socket.ts'

const SocketContext = createContext<SessionSocket | null>(null)

/** Where the lab is drawn: the page is its own, or it is one of several in a frame that has the page's `main` and says what is done with it. */
export interface Frame {
  /** before every id of an element, so that several labs can be in one document */
  prefix: string
  framed: boolean
}
const ownPage: Frame = { prefix: '', framed: false }
const FrameContext = createContext<Frame>(ownPage)
export const useFrame = (): Frame => useContext(FrameContext)
/** Makes ids of this lab's elements. */
export const useElementId = (): ((name: string) => string) => {
  const { prefix } = useFrame()
  return (name) => `${prefix}${name}`
}

const ticketAnswer = z.object({ ticket: z.string() })
async function fetchTicket(id: string): Promise<string> {
  try {
    return (await request(`/api/sessions/${encodeURIComponent(id)}/ticket`, ticketAnswer, { method: 'POST', body: {} })).ticket
  } catch (thrown) {
    if (thrown instanceof ApiError && (thrown.status === 404 || thrown.status === 403 || thrown.status === 401))
      throw new TicketRefused(thrown.view)
    throw thrown
  }
}

/** `frame` is the same object for as long as the lab is shown */
export function SocketProvider({
  id,
  session,
  frame = ownPage,
  ticket: ticketOf = () => fetchTicket(id),
  children,
}: {
  id: string
  session: SessionView | null
  frame?: Frame
  /** another way to a ticket, for somebody who is not its learner */
  ticket?: () => Promise<string>
  children: ReactNode
}) {
  const [socket] = useState(
    () =>
      new SessionSocket({
        session,
        ticket: ticketOf,
        url: (ticket, after) => {
          const url = new URL(`/ws/session/${encodeURIComponent(id)}`, window.location.href)
          url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
          url.searchParams.set('ticket', ticket)
          url.searchParams.set('after', String(after))
          return url.href
        },
      }),
  )
  useEffect(() => {
    socket.start()
    const wake = () => {
      if (document.visibilityState === 'visible') socket.wake()
    }
    window.addEventListener('online', wake)
    document.addEventListener('visibilitychange', wake)
    return () => {
      window.removeEventListener('online', wake)
      document.removeEventListener('visibilitychange', wake)
      socket.stop()
    }
  }, [socket])
  return (
    <FrameContext value={frame}>
      <SocketContext value={socket}>{children}</SocketContext>
    </FrameContext>
  )
}

export function useSocket(): SessionSocket {
  const socket = useContext(SocketContext)
  if (socket === null) throw new Error('useSocket is used outside of SocketProvider')
  return socket
}
/** One part of the lab's state; draws again only when that part changes. `pick` must answer the same object for the same state. */
export function useLab<T>(pick: (state: LabState) => T): T {
  const socket = useSocket()
  return useSyncExternalStore(
    (listener) => socket.subscribe(listener),
    () => pick(socket.state),
    () => pick(socket.state),
  )
}
/** The session as it is now. The provider is always given one, so there always is one. */
export const useSession = (): SessionView => useLab((state) => state.session!)

const done = z.object({ ok: z.literal(true) })
/** Asks for an action. Throws ApiError. What it does is seen in the events that follow. */
export const act = (id: string, action: SessionAction): Promise<{ ok: true }> =>
  request(`/api/sessions/${encodeURIComponent(id)}/actions`, done, { method: 'POST', body: action })
