'use client'
// What went wrong, in the reader's language, with what to do about it; closable where it need not stay. Knows the server's errors by their code.
import type { ReactNode } from 'react'
import { errorWords } from './api.ts'
import { useMessages } from './i18n/index.tsx'
import { Problem } from './ui/banner.tsx'
import { Button } from './ui/button.tsx'

export function Failure({
  error,
  onClose,
  action,
  live = 'assertive',
}: {
  error: unknown
  onClose?: () => void
  action?: ReactNode
  live?: 'polite' | 'assertive'
}) {
  const m = useMessages()
  return (
    <Problem
      words={errorWords(error, m)}
      whatToDo={m.common.what}
      live={live}
      action={
        onClose ? (
          <Button small onClick={onClose}>
            {m.common.close}
          </Button>
        ) : (
          action
        )
      }
    />
  )
}
