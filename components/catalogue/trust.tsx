'use client'
// How far a scenario's grading has proven itself on a backend, with what was proven. Knows nothing of how proofs are made.
import type { ScenarioCard } from '#lib/protocol/index.ts'
import { useLocale, useMessages } from '../i18n/index.tsx'
import { Badge, type IconName, type Tone } from '../ui/state.tsx'
import { dateOf } from '../ui/time.ts'
import { Tip } from '../ui/tip.tsx'

const looks: Record<'proven' | 'stale' | 'unproven', { tone: Tone; icon: IconName }> = {
  proven: { tone: 'ok', icon: 'ok' },
  stale: { tone: 'warn', icon: 'warn' },
  unproven: { tone: 'idle', icon: 'unknown' },
}

export function Trust({ backend, named }: { backend: ScenarioCard['backends'][number]; named: boolean }) {
  const m = useMessages()
  const locale = useLocale()
  const { trust } = backend
  const where = m.backend[backend.name]
  const lead = { proven: m.trust.provenLead, stale: m.trust.staleLead, unproven: m.trust.unprovenLead }[trust.state](where)
  const lines = [
    trust.reason,
    trust.alternatives ? m.trust.alternatives(trust.alternatives) : undefined,
    trust.cheats ? m.trust.cheats(trust.cheats) : undefined,
    trust.partials ? m.trust.partials(trust.partials) : undefined,
    trust.provenAt ? m.trust.at(dateOf(trust.provenAt, locale)) : undefined,
  ].filter((line) => line !== undefined)
  return (
    <Tip
      content={
        <>
          <p className="text-text">{lead}</p>
          {m.backendMeans[backend.name] ? <p className="mt-1.5">{m.backendMeans[backend.name]}</p> : null}
          {lines.length > 0 ? (
            <ul className="mt-1.5 space-y-0.5">
              {lines.map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
          ) : null}
        </>
      }
    >
      <Badge {...looks[trust.state]}>
        {m.trust[trust.state]}
        {named ? ` · ${where}` : ''}
      </Badge>
    </Tip>
  )
}
