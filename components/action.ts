'use client'
// Something that is asked of the server: whether it is under way, and what went wrong. Knows nothing of what is asked.
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { z } from 'zod'
import { request } from './api.ts'

export interface Action {
  busy: boolean
  /** of the last try; null when there was none */
  error: unknown
  forget(): void
  /** Does the work, and says so meanwhile. */
  run(work: () => Promise<unknown>): void
}

/** `leaves`: what succeeds leads to another page, so that it stays busy until that is there */
export function useAction({ leaves = false }: { leaves?: boolean } = {}): Action {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  return {
    busy,
    error,
    forget: () => setError(null),
    run: (work) => {
      setBusy(true)
      setError(null)
      work().then(
        () => {
          if (!leaves) setBusy(false)
        },
        (thrown: unknown) => {
          setError(thrown)
          setBusy(false)
        },
      )
    },
  }
}

const made = z.object({ id: z.string() })
/** Makes a session or a drill, and goes there. */
export function useBegin(what: 'session' | 'exam'): Omit<Action, 'run'> & { begin(body: object): void } {
  const router = useRouter()
  const { run, ...action } = useAction({ leaves: true })
  return {
    ...action,
    begin: (body) =>
      run(async () => {
        const { id } = await request(what === 'exam' ? '/api/exam' : '/api/sessions', made, { method: 'POST', body })
        router.push(`/${what}/${id}`)
      }),
  }
}
