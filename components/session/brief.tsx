'use client'
// The left column: what is asked, what is checked, hints. Knows the session's view; knows nothing of terminals.
import { Lightbulb } from 'lucide-react'
import { modeRules } from '#lib/protocol/index.ts'
import { useAction } from '../action.ts'
import { errorWords } from '../api.ts'
import { useMessages, useText } from '../i18n/index.tsx'
import { Problem } from '../ui/banner.tsx'
import { Button } from '../ui/button.tsx'
import { CopyButton, Markdown } from '../ui/markdown.tsx'
import { Checks } from './checks.tsx'
import { act, useElementId, useFrame, useSession } from './context.tsx'

export function Brief() {
  const m = useMessages()
  const text = useText()
  const session = useSession()
  const id = useElementId()
  const { framed } = useFrame()
  const rules = modeRules[session.mode]
  return (
    <div className="space-y-6 px-4 py-4">
      <section aria-labelledby={id('brief-title')}>
        <h2 id={id('brief-title')} className="sr-only">
          {m.session.brief}
        </h2>
        {framed ? <p className="mb-2 font-semibold sm:hidden">{text(session.scenario.title)}</p> : null}
        <Markdown>{text(session.brief)}</Markdown>
        <WaysIn />
      </section>
      {rules.checks ? (
        <div className="border-t border-line pt-4">
          <Checks />
        </div>
      ) : null}
      {rules.hints ? (
        <div className="border-t border-line pt-4">
          <Hints />
        </div>
      ) : null}
    </div>
  )
}

/** How one gets to the machines and back, as an exam prints it with each task. */
function WaysIn() {
  const m = useMessages()
  const { nodes } = useSession()
  const { framed } = useFrame()
  return (
    <div className="mt-4 text-xs text-text-2">
      <p>{framed ? m.session.solveHere : m.session.waysIn}</p>
      <ul className="mt-1.5 space-y-0.5" aria-label={m.session.machines}>
        {nodes.map((node) => (
          <li key={node.place} className="flex items-center gap-2">
            <code className="text-text">ssh {node.name}</code>
            <CopyButton text={`ssh ${node.name}`} />
            {node.place === node.name ? null : <span className="text-text-3">{node.place}</span>}
          </li>
        ))}
      </ul>
      <p className="mt-1">
        <code className="text-text">exit</code> {m.session.wayBack}
      </p>
    </div>
  )
}

function Hints() {
  const m = useMessages()
  const text = useText()
  const { id, hints } = useSession()
  const element = useElementId()
  const { busy, error, run } = useAction()
  const left = hints.total - hints.shown.length
  const next = () => run(() => act(id, { type: 'hint' }))
  return (
    <section aria-labelledby={element('hints-title')}>
      <div className="flex items-baseline justify-between gap-3">
        <h2 id={element('hints-title')} className="text-xs font-semibold text-text-2">
          {m.session.hints}
        </h2>
        {hints.total > 0 ? (
          <span className="text-xs text-text-3 tabular-nums">{m.session.hintCount(hints.shown.length, hints.total)}</span>
        ) : null}
      </div>
      {hints.total === 0 ? <p className="mt-1 text-text-3">{m.session.hintNone}</p> : null}
      <ol className="mt-1.5 space-y-2" aria-live="polite">
        {hints.shown.map((hint, index) => (
          <li key={hint.index} className="grid grid-cols-[1rem_minmax(0,1fr)] gap-x-2">
            <span className="text-xs leading-5 text-text-3 tabular-nums">{index + 1}</span>
            <Markdown>{text(hint.text)}</Markdown>
          </li>
        ))}
      </ol>
      {error ? (
        <div className="mt-2 overflow-hidden rounded-md">
          <Problem words={errorWords(error, m)} />
        </div>
      ) : null}
      {left > 0 ? (
        <div className="mt-2.5 flex flex-wrap items-center gap-x-3 gap-y-1">
          <Button small disabled={busy} onClick={next}>
            <Lightbulb aria-hidden className="size-3.5" />
            {hints.shown.length === 0 ? m.session.hintFirst : m.session.hintNext}
          </Button>
          <span className="text-xs text-text-3">{m.session.hintCost}</span>
        </div>
      ) : hints.total > 0 ? (
        <p className="mt-2 text-xs text-text-3">{m.session.hintAll}</p>
      ) : null}
    </section>
  )
}
