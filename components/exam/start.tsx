'use client'
// Begins a drill by a blueprint and goes there. Says why when it cannot. Knows nothing of how it is drawn.
import { Play } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { z } from 'zod'
import type { BackendName, Blueprint } from '#lib/protocol/index.ts'
import { errorWords, request } from '../api.ts'
import { useMessages } from '../i18n/index.tsx'
import { Problem } from '../ui/banner.tsx'
import { Button, type Weight } from '../ui/button.tsx'

export function StartDrill({
  blueprint,
  backend,
  label,
  name,
  weight = 'primary',
  disabled = false,
}: {
  blueprint: Blueprint
  backend: BackendName | null
  label: string
  name?: string
  weight?: Weight
  disabled?: boolean
}) {
  const m = useMessages()
  const router = useRouter()
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const start = async () => {
    setBusy(true)
    setError(null)
    try {
      const { id } = await request('/api/exam', z.object({ id: z.string() }), {
        method: 'POST',
        body: { blueprint, ...(backend === null ? {} : { backend }) },
      })
      router.push(`/exam/${id}`)
    } catch (thrown) {
      setError(thrown)
      setBusy(false)
    }
  }
  return (
    <div className="min-w-0">
      <Button weight={weight} disabled={busy || disabled} aria-label={name} onClick={() => void start()}>
        <Play aria-hidden className="size-3.5 fill-current" />
        {busy ? m.exam.starting : label}
      </Button>
      {error === null ? null : (
        <div className="mt-3 overflow-hidden rounded-md">
          <Problem words={errorWords(error, m)} whatToDo={m.common.what} />
        </div>
      )}
    </div>
  )
}
