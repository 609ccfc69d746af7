'use client'
// Watches the machine's set-up while it runs, and begins it on consent. Knows nothing of what its steps do.
import { useRouter } from 'next/navigation'
import { useCallback, useEffect, useState } from 'react'
import { type SetupView, setupPlan, setupView } from '#lib/protocol/index.ts'
import { request } from '../api.ts'

const every = 1500

/** The set-up as it is now. `begin` starts or continues it; `problem` is why asking failed. */
export function useSetup(initial: SetupView): { setup: SetupView; problem: unknown; begin(): void } {
  const router = useRouter()
  const [setup, setSetup] = useState(initial)
  const [problem, setProblem] = useState<unknown>(null)
  const running = setup.state === 'running'
  useEffect(() => {
    if (!running) return
    const abort = new AbortController()
    let timer: ReturnType<typeof setTimeout>
    const look = () => {
      request('/api/setup', setupView, { signal: abort.signal })
        .then((next) => {
          setSetup(next)
          setProblem(null)
          // What the page was drawn with (backends, doctor) is old now.
          if (next.state !== 'running') router.refresh()
        })
        .catch((thrown: unknown) => {
          if (!abort.signal.aborted) setProblem(thrown)
        })
        .finally(() => {
          if (!abort.signal.aborted) timer = setTimeout(look, every)
        })
    }
    timer = setTimeout(look, every)
    return () => {
      abort.abort()
      clearTimeout(timer)
    }
  }, [running, router])
  const begin = useCallback(() => {
    setProblem(null)
    request('/api/setup', setupView, { method: 'POST', body: { consent: true } }).then(setSetup, setProblem)
  }, [])
  return { setup, problem, begin }
}

export type Plan = { state: 'looking' } | { state: 'known'; changes: string[] } | { state: 'failed'; problem: unknown }
/** What the set-up would change on this machine, asked for each time that `wanted` comes true. */
export function usePlan(wanted: boolean): Plan {
  const [plan, setPlan] = useState<Plan>({ state: 'looking' })
  useEffect(() => {
    if (!wanted) return
    const abort = new AbortController()
    setPlan({ state: 'looking' })
    request('/api/setup/plan', setupPlan, { signal: abort.signal }).then(
      ({ changes }) => setPlan({ state: 'known', changes }),
      (problem: unknown) => {
        if (!abort.signal.aborted) setPlan({ state: 'failed', problem })
      },
    )
    return () => abort.abort()
  }, [wanted])
  return plan
}
