'use client'
// What a page shows when it could not be drawn. The error itself stays in the server's log.
import { Wrong } from '#components/chrome/wrong.tsx'
import { useMessages } from '#components/i18n/index.tsx'
import { Button } from '#components/ui/button.tsx'

export default function PageError({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  const m = useMessages()
  return (
    <Wrong title={m.error.title} lead={m.error.lead} code={error.digest ?? ''}>
      <Button onClick={reset}>{m.common.retry}</Button>
    </Wrong>
  )
}
