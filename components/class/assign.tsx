'use client'
// What an instructor sets, new or anew: scenarios or a drawn drill, its window in a time zone, attempts, lateness; and whether the backend holds it.
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { useMemo, useState } from 'react'
import { z } from 'zod'
import {
  type AssignmentSettings,
  type AssignmentView,
  assignmentView,
  type Blueprint,
  type Capacity,
  type ClassView,
  capacity,
  type ScenarioCard,
  type SessionMode,
} from '#lib/protocol/index.ts'
import { useAction } from '../action.ts'
import { request } from '../api.ts'
import { Failure } from '../failure.tsx'
import { useMessages, useText } from '../i18n/index.tsx'
import { Banner } from '../ui/banner.tsx'
import { Button } from '../ui/button.tsx'
import { Field, inputClass } from '../ui/field.tsx'
import { Zones } from './classes.tsx'
import { Title } from './frames.tsx'

export function Assign({
  cards,
  drills,
  now,
  of,
  opens,
}: {
  of: Pick<ClassView, 'id' | 'name' | 'zone'>
  cards: ScenarioCard[]
  drills: { mini: Blueprint; cka: Blueprint }
  /** where a window begins that nobody has set yet, local to the class's zone */
  opens: string
  /** what is set already and is to be changed */
  now?: AssignmentView
}) {
  const m = useMessages()
  const w = m.class
  const text = useText()
  const router = useRouter()
  const set = now?.settings
  const what = set?.what
  const rules = what?.kind === 'drill' ? what.blueprint : what
  // Who has begun it works on these tasks, by these rules.
  const fixed = now?.begun ?? false
  const [title, setTitle] = useState(set?.title ?? '')
  const [kind, setKind] = useState<'scenarios' | 'drill'>(what?.kind ?? 'scenarios')
  const [chosen, setChosen] = useState<readonly string[]>(what?.kind === 'scenarios' ? what.scenarios : [])
  const [size, setSize] = useState<'mini' | 'cka' | 'set'>(what?.kind === 'drill' ? 'set' : 'mini')
  const [mode, setMode] = useState<SessionMode>(rules?.mode ?? 'exam')
  const [minutes, setMinutes] = useState(String(rules?.minutes ?? 30))
  const [passMark, setPassMark] = useState(String(rules?.passMark ?? 66))
  const [zone, setZone] = useState(set?.zone ?? of.zone)
  const [from, setFrom] = useState(set?.opens ?? opens)
  const [to, setTo] = useState(set?.closes ?? '')
  const [late, setLate] = useState<'closed' | 'until' | 'none'>(set?.late.kind ?? 'closed')
  const [until, setUntil] = useState(set?.late.kind === 'until' ? set.late.until : '')
  const [penalty, setPenalty] = useState(String(set?.late.kind === 'until' ? set.late.penalty : 20))
  const [attempts, setAttempts] = useState(String(set?.attempts ?? 1))
  const [seed, setSeed] = useState<'common' | 'personal'>(set?.seed ?? 'personal')
  const [backend, setBackend] = useState<string>(set?.backend ?? '')
  const [results, setResults] = useState<'hand-in' | 'close'>(set?.results ?? 'close')
  // Of all else one knows how one does while one works on it, or there is no end to wait for.
  const canKeep = mode === 'exam' && to !== ''
  const [held, setHeld] = useState<Capacity | null>(null)
  const checking = useAction()
  const setting = useAction({ leaves: true })
  const backends = useMemo(() => [...new Set(cards.flatMap((card) => card.backends.map(({ name }) => name)))], [cards])
  // What is chosen stays in the list, should the backend no longer offer it: it can be taken out.
  const offered = cards.filter(
    (card) => chosen.includes(card.id) || card.backends.some((one) => one.offered && (backend === '' || one.name === backend)),
  )
  const blueprints = { ...drills, set: what?.kind === 'drill' ? what.blueprint : drills.mini }
  const settings = (): AssignmentSettings => ({
    title: title.trim(),
    what:
      fixed && what !== undefined
        ? what
        : kind === 'scenarios'
          ? { kind, scenarios: [...chosen], mode, minutes: Number(minutes), passMark: Number(passMark) }
          : { kind, blueprint: { ...blueprints[size], mode, minutes: Number(minutes), passMark: Number(passMark) } },
    zone,
    opens: from,
    closes: to === '' ? null : to,
    late: late === 'until' ? { kind: late, until, penalty: Number(penalty) } : { kind: late },
    attempts: Number(attempts),
    results: canKeep ? results : 'hand-in',
    seed,
    backend: backend === '' ? null : (backend as AssignmentSettings['backend']),
  })
  const ready = title.trim() !== '' && from !== '' && (kind === 'drill' || chosen.length > 0) && (late !== 'until' || until !== '')
  const at = `/api/classes/${of.id}`
  const error = setting.error ?? checking.error
  const select = (value: string, onChange: (value: string) => void, options: readonly (readonly [string, string])[], disabled = false) => (
    <select disabled={disabled} value={value} onChange={(event) => onChange(event.target.value)} className={inputClass}>
      {options.map(([key, label]) => (
        <option key={key} value={key}>
          {label}
        </option>
      ))}
    </select>
  )
  const input = (type: string, value: string, onChange: (value: string) => void, rest: object = {}) => (
    <input type={type} value={value} onChange={(event) => onChange(event.target.value)} className={inputClass} {...rest} />
  )
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        setting.run(async () => {
          const { id } =
            now === undefined
              ? await request(`${at}/assignments`, z.object({ id: z.string() }), { method: 'POST', body: settings() })
              : await request(`/api/assignments/${now.id}/actions`, assignmentView, {
                  method: 'POST',
                  body: { type: 'update', settings: settings() },
                })
          router.push(`/assignments/${id}/board`)
        })
      }}
    >
      <Title above={<Link href={`/classes/${of.id}`}>{of.name}</Link>}>
        {now === undefined ? w.newAssignment : w.settingsOf(now.settings.title)}
      </Title>
      {fixed ? <p className="mt-2 max-w-prose text-text-2">{w.begunAlready}</p> : null}
      <div className="mt-6 grid max-w-4xl gap-4 sm:grid-cols-3">
        <Field label={w.title} className="sm:col-span-2">
          {input('text', title, setTitle, { required: true, maxLength: 120 })}
        </Field>
        <Field label={w.kind}>
          {select(
            kind,
            (value) => setKind(value as typeof kind),
            [
              ['scenarios', w.kindScenarios],
              ['drill', w.kindDrill],
            ],
            fixed,
          )}
        </Field>
        {kind === 'scenarios' ? (
          <fieldset disabled={fixed} className="min-w-0 sm:col-span-3">
            <legend className="text-xs text-text-2">
              {w.choose} · {w.chosen(chosen.length)}
            </legend>
            <ul className={`mt-1 rounded-md border border-line bg-surface ${fixed ? '' : 'max-h-72 overflow-y-auto'}`}>
              {(fixed ? offered.filter(({ id }) => chosen.includes(id)) : offered).map((card) => (
                <li key={card.id} className="border-line not-first:border-t">
                  <label className="flex items-start gap-2 px-3 py-1.5 has-checked:bg-accent-tint">
                    <input
                      type="checkbox"
                      className="mt-1 accent-accent"
                      checked={chosen.includes(card.id)}
                      onChange={(event) => setChosen(event.target.checked ? [...chosen, card.id] : chosen.filter((one) => one !== card.id))}
                    />
                    <span className="min-w-0">
                      {text(card.title)}{' '}
                      <span className="text-xs text-text-2">
                        {m.domain[card.domain]} · {w.minutes(card.minutes)}
                      </span>
                    </span>
                  </label>
                </li>
              ))}
            </ul>
          </fieldset>
        ) : (
          <Field label={w.size}>
            {select(
              size,
              (value) => {
                setSize(value as typeof size)
                setMinutes(String(blueprints[value as typeof size].minutes))
              },
              [...(what?.kind === 'drill' ? [['set', w.sizeSet] as const] : []), ['mini', w.sizeMini], ['cka', w.sizeCka]],
              fixed,
            )}
          </Field>
        )}
        <Field label={w.mode}>
          {select(
            mode,
            (value) => setMode(value as SessionMode),
            (['exam', 'practice', 'mastery'] as const).map((one) => [one, m.exam.modes[one]] as const),
            fixed,
          )}
        </Field>
        <Field label={w.duration}>{input('number', minutes, setMinutes, { min: 5, max: 240, disabled: fixed })}</Field>
        <Field label={w.passMark}>{input('number', passMark, setPassMark, { min: 1, max: 100, disabled: fixed })}</Field>
        <Field label={w.zone}>
          <Zones value={zone} onChange={setZone} />
        </Field>
        <Field label={w.from}>{input('datetime-local', from, setFrom, { required: true })}</Field>
        <Field label={w.to}>{input('datetime-local', to, setTo)}</Field>
        <Field label={w.late}>
          {select(
            late,
            (value) => setLate(value as typeof late),
            (['closed', 'until', 'none'] as const).map((one) => [one, w.latePolicies[one]] as const),
          )}
        </Field>
        {late === 'until' ? (
          <>
            <Field label={w.until}>{input('datetime-local', until, setUntil, { required: true })}</Field>
            <Field label={w.penalty}>{input('number', penalty, setPenalty, { min: 0, max: 100 })}</Field>
          </>
        ) : null}
        <Field label={w.attempts}>{input('number', attempts, setAttempts, { min: 1, max: 20 })}</Field>
        <Field label={w.results}>
          {select(
            canKeep ? results : 'hand-in',
            (value) => setResults(value as typeof results),
            (['close', 'hand-in'] as const).map((one) => [one, w.resultsChoices[one]] as const),
            !canKeep,
          )}
        </Field>
        <Field label={w.seed}>
          {select(
            seed,
            (value) => setSeed(value as typeof seed),
            (['personal', 'common'] as const).map((one) => [one, w.seeds[one]] as const),
            fixed,
          )}
        </Field>
        <Field label={w.backend}>
          {select(backend, setBackend, [['', w.anyBackend], ...backends.map((one) => [one, m.backend[one]] as const)])}
        </Field>
      </div>
      <div className="mt-6 flex flex-wrap gap-2">
        <Button
          disabled={checking.busy || !ready}
          onClick={() => checking.run(async () => setHeld(await request(`${at}/capacity`, capacity, { method: 'POST', body: settings() })))}
        >
          {w.check}
        </Button>
        <Button weight="primary" type="submit" disabled={setting.busy || !ready}>
          {now === undefined ? w.set : w.save}
        </Button>
      </div>
      <div className="mt-4 max-w-4xl space-y-3">
        {held === null ? null : (
          <div className="overflow-hidden rounded-lg">
            <Banner tone={held.verdict === 'fits' ? 'ok' : 'warn'} title={w.capacity[held.verdict]} live="polite">
              <p>{w.capacityNumbers(held.people, held.tasks, held.needed, held.room === null ? '?' : String(held.room))}</p>
              {held.notices.map((notice) => (
                <p key={notice.en}>{text(notice)}</p>
              ))}
            </Banner>
          </div>
        )}
        {error === null ? null : (
          <div className="overflow-hidden rounded-lg">
            <Failure
              error={error}
              onClose={() => {
                setting.forget()
                checking.forget()
              }}
            />
          </div>
        )}
      </div>
    </form>
  )
}
