'use client'
// Start: asks where to run it if there is a choice, makes the session and goes there. Says why when it cannot.
// Knows nothing of what a session then does.
import { AlertDialog } from 'radix-ui'
import { type ReactNode, useState } from 'react'
import type { BackendName, BackendView, ScenarioCard } from '#lib/protocol/index.ts'
import { useBegin } from '../action.ts'
import { errorWords } from '../api.ts'
import { useMessages, useText } from '../i18n/index.tsx'
import { Problem } from '../ui/banner.tsx'
import { Button, buttonClass } from '../ui/button.tsx'
import { StateIcon } from '../ui/state.tsx'

export function StartButton({
  card,
  backends,
  children,
  className,
}: {
  card: ScenarioCard
  backends: BackendView[]
  children: ReactNode
  className?: string
}) {
  const m = useMessages()
  const text = useText()
  const { begin, busy, error, forget } = useBegin('session')
  const [asking, setAsking] = useState(false)
  const choices = backends.filter(
    (backend) => backend.state === 'ready' && card.backends.some((offer) => offer.name === backend.name && offer.offered),
  )
  const [chosen, setChosen] = useState<BackendName | null>(null)
  const pick = chosen ?? choices[0]?.name ?? null

  const start = (backend: BackendName) => begin({ scenario: card.id, backend })
  const dismiss = () => {
    setAsking(false)
    forget()
  }
  const words = error === null ? null : errorWords(error, m)
  const label = busy ? (
    <>
      <StateIcon icon="running" tone="idle" />
      {m.catalogue.starting}
    </>
  ) : (
    children
  )
  if (choices.length === 0) {
    return (
      <Button
        disabled
        className={className}
        title={m.catalogue.needsBackend}
        aria-label={`${m.catalogue.startNamed(text(card.title))} (${m.catalogue.needsBackend})`}
      >
        {children}
      </Button>
    )
  }
  return (
    <>
      <Button
        weight="normal"
        className={className}
        disabled={busy}
        aria-label={m.catalogue.startNamed(text(card.title))}
        onClick={() => (choices.length > 1 ? setAsking(true) : start(choices[0]!.name))}
      >
        {label}
      </Button>
      <AlertDialog.Root open={asking || words !== null} onOpenChange={(open) => !open && dismiss()}>
        <AlertDialog.Portal>
          <AlertDialog.Overlay className="fixed inset-0 z-40 bg-[rgb(0_0_0/0.45)]" />
          <AlertDialog.Content className="fixed top-1/2 left-1/2 z-50 w-[calc(100vw-2rem)] max-w-md -translate-x-1/2 -translate-y-1/2 overflow-hidden rounded-lg border border-line bg-surface shadow-raised">
            <div className="p-5 pb-4">
              <AlertDialog.Title className="text-base font-semibold">
                {choices.length > 1 ? m.catalogue.chooseTitle : text(card.title)}
              </AlertDialog.Title>
              <AlertDialog.Description className="mt-1 text-text-2">
                {choices.length > 1 ? m.catalogue.chooseLead : text(card.summary)}
              </AlertDialog.Description>
              {choices.length > 1 ? (
                <div role="radiogroup" aria-label={m.session.backend} className="mt-3 space-y-1">
                  {choices.map((backend) => (
                    <label
                      key={backend.name}
                      className="flex items-start gap-2 rounded-md border border-line px-3 py-2 has-checked:border-accent has-checked:bg-accent-tint"
                    >
                      <input
                        type="radio"
                        name="backend"
                        className="mt-1 accent-accent"
                        checked={pick === backend.name}
                        onChange={() => setChosen(backend.name)}
                      />
                      <span>
                        <span className="font-medium">{m.backendLong[backend.name]}</span>
                        <span className="block text-xs text-text-2">
                          {[
                            backend.kubernetesVersion ? m.catalogue.version(backend.kubernetesVersion) : null,
                            m.catalogue.warm(backend.warm),
                          ]
                            .filter(Boolean)
                            .join(' · ')}
                        </span>
                        {m.backendMeans[backend.name] ? (
                          <span className="mt-0.5 block text-xs text-text-2">{m.backendMeans[backend.name]}</span>
                        ) : null}
                      </span>
                    </label>
                  ))}
                </div>
              ) : null}
            </div>
            {words ? <Problem words={words} whatToDo={m.common.what} /> : null}
            <div className="flex justify-end gap-2 p-4">
              <AlertDialog.Cancel className={buttonClass()}>{m.common.cancel}</AlertDialog.Cancel>
              <Button weight="primary" disabled={busy || pick === null} onClick={() => pick && start(pick)}>
                {busy ? m.catalogue.starting : words ? m.common.retry : m.catalogue.start}
              </Button>
            </div>
          </AlertDialog.Content>
        </AlertDialog.Portal>
      </AlertDialog.Root>
    </>
  )
}
