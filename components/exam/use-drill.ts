'use client'
// The drill as the server has it, asked for again and again: every few seconds is soon enough for what changes by itself, and each action
// answers with what it has done. Knows the API; knows nothing of what is drawn.
import { useCallback, useEffect, useRef, useState } from 'react'
import { type DrillAction, type DrillView, drillView } from '#lib/protocol/index.ts'
import { request } from '../api.ts'

const everyMs = 2500

export interface DrillHandle {
  drill: DrillView
  /** server's clock minus the page's, ms */
  skew: number
  /** the last look failed */
  away: boolean
  /** Throws ApiError. */
  act(action: DrillAction): Promise<DrillView>
  look(): void
}

export function useDrill(initial: DrillView): DrillHandle {
  const [state, setState] = useState(() => ({ drill: initial, skew: 0 }))
  const [away, setAway] = useState(false)
  const { id } = initial
  /** An answer that was given before one that is here already says nothing new. */
  const take = useCallback((next: DrillView) => {
    setAway(false)
    setState((before) => (next.now < before.drill.now ? before : { drill: next, skew: next.now - Date.now() }))
    return next
  }, [])
  const look = useCallback(() => {
    request(`/api/exam/${encodeURIComponent(id)}`, drillView).then(take, () => setAway(true))
  }, [id, take])
  const over = state.drill.state === 'ended' || state.drill.state === 'cancelled'
  const looking = useRef(look)
  looking.current = look
  useEffect(() => {
    if (over) return
    looking.current()
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') looking.current()
    }, everyMs)
    const wake = () => {
      if (document.visibilityState === 'visible') looking.current()
    }
    document.addEventListener('visibilitychange', wake)
    window.addEventListener('online', wake)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', wake)
      window.removeEventListener('online', wake)
    }
  }, [over])
  const act = useCallback(
    (action: DrillAction) => request(`/api/exam/${encodeURIComponent(id)}/actions`, drillView, { method: 'POST', body: action }).then(take),
    [id, take],
  )
  return { ...state, away, act, look }
}
