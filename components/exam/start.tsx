'use client'
// Begins a drill by a blueprint and goes there. Says why when it cannot. Knows nothing of how it is drawn.
import { Play } from 'lucide-react'
import type { BackendName, Blueprint } from '#lib/protocol/index.ts'
import { useBegin } from '../action.ts'
import { Failure } from '../failure.tsx'
import { useMessages } from '../i18n/index.tsx'
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
  const { begin, busy, error } = useBegin('exam')
  return (
    <div className="min-w-0">
      <Button
        weight={weight}
        disabled={busy || disabled}
        aria-label={name}
        onClick={() => begin({ blueprint, ...(backend === null ? {} : { backend }) })}
      >
        <Play aria-hidden className="size-3.5 fill-current" />
        {busy ? m.exam.starting : label}
      </Button>
      {error === null ? null : (
        <div className="mt-3 overflow-hidden rounded-md">
          <Failure error={error} />
        </div>
      )}
    </div>
  )
}
