'use client'
// The classes that somebody teaches, and a new one. Knows the server's summaries.
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { useEffect, useState } from 'react'
import { z } from 'zod'
import type { ClassSummary } from '#lib/protocol/index.ts'
import { useAction } from '../action.ts'
import { request } from '../api.ts'
import { Failure } from '../failure.tsx'
import { useMessages } from '../i18n/index.tsx'
import { Empty } from '../ui/banner.tsx'
import { Button } from '../ui/button.tsx'
import { Field, inputClass } from '../ui/field.tsx'
import { Badge } from '../ui/state.tsx'
import { listClass, rowClass, Section, Title } from './frames.tsx'

/** Every zone that the browser knows. */
export function Zones({ value, onChange }: { value: string; onChange(zone: string): void }) {
  const [zones, setZones] = useState<readonly string[]>([value])
  useEffect(() => setZones([...new Set(['UTC', value, ...Intl.supportedValuesOf('timeZone')])]), [value])
  return (
    <select value={value} onChange={(event) => onChange(event.target.value)} className={inputClass}>
      {zones.map((zone) => (
        <option key={zone}>{zone}</option>
      ))}
    </select>
  )
}

export function Classes({ classes }: { classes: ClassSummary[] }) {
  const { class: w } = useMessages()
  const router = useRouter()
  const [name, setName] = useState('')
  const [zone, setZone] = useState('UTC')
  useEffect(() => setZone(Intl.DateTimeFormat().resolvedOptions().timeZone), [])
  const { busy, error, forget, run } = useAction({ leaves: true })
  return (
    <>
      <Title lead={w.classesLead}>{w.classes}</Title>
      {classes.length === 0 ? (
        <Empty title={w.noClasses}>{w.noClassesHint}</Empty>
      ) : (
        <ul className={`mt-6 ${listClass}`}>
          {classes.map((one) => (
            <li key={one.id} className={rowClass}>
              <Link
                href={one.deletedAt === null ? `/classes/${one.id}` : `/classes/${one.id}/gradebook`}
                className="min-w-0 flex-1 basis-48 font-medium underline-offset-4 hover:underline"
              >
                {one.name}
              </Link>
              {one.disputes > 0 ? (
                <Badge tone="warn" icon="warn">
                  {w.disputes(one.disputes)}
                </Badge>
              ) : null}
              {one.deletedAt === null ? null : <Badge tone="idle">{w.deleted}</Badge>}
              <span className="text-xs text-text-2">
                {w.memberCount(one.joined, one.members)} · {w.assignmentCount(one.assignments)}
              </span>
            </li>
          ))}
        </ul>
      )}
      <Section id="new" title={w.newClass}>
        <form
          className="grid max-w-2xl items-end gap-3 sm:grid-cols-[minmax(0,1fr)_minmax(0,1fr)_auto]"
          onSubmit={(event) => {
            event.preventDefault()
            run(async () => {
              const { id } = await request('/api/classes', z.object({ id: z.string() }), { method: 'POST', body: { name, zone } })
              router.push(`/classes/${id}`)
            })
          }}
        >
          <Field label={w.name}>
            <input value={name} required maxLength={120} onChange={(event) => setName(event.target.value)} className={inputClass} />
          </Field>
          <Field label={w.zone}>
            <Zones value={zone} onChange={setZone} />
          </Field>
          <Button weight="primary" type="submit" disabled={busy || name.trim() === ''}>
            {w.create}
          </Button>
        </form>
        {error === null ? null : (
          <div className="mt-3 overflow-hidden rounded-lg">
            <Failure error={error} onClose={forget} />
          </div>
        )}
      </Section>
    </>
  )
}
