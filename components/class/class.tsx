'use client'
// One class for who teaches it: its roster with a preview of what cannot be read, members, what is set, disputes that wait, settings.
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import {
  assignmentView,
  type ClassAction,
  type ClassView,
  classLimits,
  classView,
  type RosterPreview,
  rosterPreview,
} from '#lib/protocol/index.ts'
import { useAction } from '../action.ts'
import { request } from '../api.ts'
import { Failure } from '../failure.tsx'
import { useLocale, useMessages, useText } from '../i18n/index.tsx'
import { Banner } from '../ui/banner.tsx'
import { Button, buttonClass } from '../ui/button.tsx'
import { Confirm } from '../ui/dialog.tsx'
import { areaClass, Field, inputClass } from '../ui/field.tsx'
import { Badge } from '../ui/state.tsx'
import { listClass, rowClass, Scroll, Section, Title } from './frames.tsx'
import { momentOf } from './words.ts'

export function Class({ initial }: { initial: ClassView }) {
  const m = useMessages()
  const w = m.class
  const locale = useLocale()
  const router = useRouter()
  const [view, setView] = useState(initial)
  const { busy, error, forget, run } = useAction()
  const [erasing, setErasing] = useState<string | null>(null)
  const [deleting, setDeleting] = useState<string | null>(null)
  const [days, setDays] = useState(String(initial.retentionDays))
  const [email, setEmail] = useState('')
  const at = `/api/classes/${view.id}`
  const look = async () => setView(await request(at, classView))
  const act = (action: ClassAction) => run(async () => setView(await request(`${at}/actions`, classView, { method: 'POST', body: action })))
  return (
    <>
      <Title
        above={<Link href="/classes">{w.classes}</Link>}
        lead={`${w.memberCount(view.members.filter(({ state }) => state === 'joined').length, view.members.length)} · ${view.zone}`}
      >
        {view.name}
      </Title>
      <div className="mt-4 flex flex-wrap gap-2">
        <Link href={`/classes/${view.id}/gradebook`} className={buttonClass('normal')}>
          {w.gradebook}
        </Link>
        <Link href={`/classes/${view.id}/items`} className={buttonClass('normal')}>
          {w.items}
        </Link>
      </div>
      {error === null ? null : (
        <div className="mt-4 overflow-hidden rounded-lg">
          <Failure error={error} onClose={forget} />
        </div>
      )}
      {view.disputes.length === 0 ? null : (
        <div className="mt-4 overflow-hidden rounded-lg">
          <Banner tone="warn" title={w.disputes(view.disputes.length)}>
            <ul>
              {view.disputes.map((one) => (
                <li key={one.grade}>
                  <Link href={`/grades/${one.grade}`} className="underline underline-offset-2">
                    {one.person}, {one.assignment}
                  </Link>
                </li>
              ))}
            </ul>
          </Banner>
        </div>
      )}
      <Section
        id="assignments"
        title={w.assignments}
        action={
          <Link href={`/classes/${view.id}/assign`} className={buttonClass('primary')}>
            {w.newAssignment}
          </Link>
        }
      >
        {view.assignments.length === 0 ? (
          <p className="text-text-2">{w.noAssignments}</p>
        ) : (
          <ul className={listClass}>
            {view.assignments.map((one) => (
              <li key={one.id} className={rowClass}>
                <div className="min-w-0 flex-1 basis-72">
                  <p className="font-medium">{one.settings.title}</p>
                  <p className="text-xs text-text-2">
                    {w.tasks(one.tasks)} · {momentOf(one.opensAt, locale, one.settings.zone)} –{' '}
                    {one.closesAt === null ? w.never : momentOf(one.closesAt, locale, one.settings.zone)}
                  </p>
                </div>
                <Link
                  href={`/assignments/${one.id}/board`}
                  className={buttonClass('normal', true)}
                  aria-label={w.boardOf(one.settings.title)}
                >
                  {w.board}
                </Link>
                <Link
                  href={`/assignments/${one.id}/settings`}
                  className={buttonClass('normal', true)}
                  aria-label={w.settingsOf(one.settings.title)}
                >
                  {w.change}
                </Link>
                <Button
                  small
                  weight="danger"
                  disabled={busy}
                  aria-label={w.deleteAssignmentNamed(one.settings.title)}
                  onClick={() => setDeleting(one.id)}
                >
                  {w.deleteAssignment}
                </Button>
              </li>
            ))}
          </ul>
        )}
      </Section>
      <Section id="members" title={w.members}>
        {view.members.length === 0 ? (
          <p className="text-text-2">{w.noMembers}</p>
        ) : (
          <Scroll label={w.members}>
            <table className="w-full text-left text-[0.8125rem]">
              <thead className="text-xs text-text-2">
                <tr>
                  {[w.name, w.email, w.id, w.status, w.recordings, ''].map((head, index) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: columns do not move
                    <th key={index} scope="col" className="px-3 py-2 font-medium whitespace-nowrap">
                      {head === '' ? <span className="sr-only">{w.erase}</span> : head}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {view.members.map((one) => (
                  <tr key={one.id} className="border-t border-line">
                    <th scope="row" className="px-3 py-1.5 font-medium">
                      {one.name}
                    </th>
                    <td className="px-3 py-1.5">{one.email}</td>
                    <td className="px-3 py-1.5">{one.externalId}</td>
                    <td className="px-3 py-1.5">
                      <Badge tone={one.state === 'joined' ? 'ok' : 'idle'} icon={one.state === 'joined' ? 'ok' : 'waiting'}>
                        {w.state[one.state]}
                      </Badge>
                    </td>
                    <td className="px-3 py-1.5">{one.recordings ? w.yes : w.no}</td>
                    <td className="px-3 py-1.5 text-right">
                      <Button small weight="quiet" disabled={busy} aria-label={w.eraseNamed(one.name)} onClick={() => setErasing(one.id)}>
                        {w.erase}
                      </Button>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        )}
      </Section>
      <Roster at={at} onTaken={() => run(look)} />
      <Section id="settings" title={w.settings}>
        <div className="grid max-w-3xl gap-3 sm:grid-cols-2">
          <form
            className="flex items-end gap-2"
            onSubmit={(event) => {
              event.preventDefault()
              act({ type: 'add-instructor', email })
              setEmail('')
            }}
          >
            <Field label={w.coInstructor} className="flex-1">
              <input type="email" value={email} onChange={(event) => setEmail(event.target.value)} className={inputClass} />
            </Field>
            <Button type="submit" disabled={busy || email === ''}>
              {w.add}
            </Button>
          </form>
          <form
            className="flex items-end gap-2"
            onSubmit={(event) => {
              event.preventDefault()
              act({ type: 'retention', days: Number(days) })
            }}
          >
            <Field label={w.retention} className="flex-1">
              <input
                type="number"
                min={1}
                max={classLimits.retentionDays}
                value={days}
                onChange={(event) => setDays(event.target.value)}
                className={inputClass}
              />
            </Field>
            <Button type="submit" disabled={busy || days === String(view.retentionDays)}>
              {w.save}
            </Button>
          </form>
        </div>
        <p className="mt-3 text-xs text-text-2">
          {view.instructors
            .map(({ email: address, name }) => `${name}${address === null || address === name ? '' : ` (${address})`}`)
            .join(', ')}
        </p>
        <div className="mt-4">
          <Button weight="danger" disabled={busy} onClick={() => setDeleting('class')}>
            {w.deleteClass}
          </Button>
        </div>
      </Section>
      <Confirm
        open={erasing !== null}
        onOpenChange={(open) => !open && setErasing(null)}
        title={w.eraseTitle}
        yes={w.erase}
        weight="danger"
        onYes={() => erasing !== null && act({ type: 'erase-member', member: erasing })}
      >
        <p>{w.eraseLead}</p>
      </Confirm>
      <Confirm
        open={deleting !== null}
        onOpenChange={(open) => !open && setDeleting(null)}
        title={deleting === 'class' ? w.deleteClass : w.deleteAssignmentTitle}
        yes={deleting === 'class' ? w.deleteClass : w.deleteAssignment}
        weight="danger"
        onYes={() =>
          run(async () => {
            if (deleting === 'class') {
              await request(`${at}/actions`, classView, { method: 'POST', body: { type: 'delete' } })
              router.push('/classes')
            } else {
              await request(`/api/assignments/${deleting}/actions`, assignmentView, { method: 'POST', body: { type: 'delete' } })
              await look()
            }
          })
        }
      >
        <p>{w.deleteClassLead}</p>
      </Confirm>
    </>
  )
}

function Roster({ at, onTaken }: { at: string; onTaken(): void }) {
  const { class: w } = useMessages()
  const text = useText()
  const [list, setList] = useState('')
  const [preview, setPreview] = useState<RosterPreview | null>(null)
  const [taken, setTaken] = useState<number | null>(null)
  const { busy, error, forget, run } = useAction()
  const ask = (apply: boolean) =>
    run(async () => {
      const found = await request(`${at}/roster`, rosterPreview, { method: 'POST', body: { text: list, apply } })
      if (apply) {
        setTaken(found.rows.length)
        setPreview(null)
        setList('')
        onTaken()
      } else {
        setTaken(null)
        setPreview(found)
      }
    })
  return (
    <Section id="roster" title={w.roster}>
      <p className="text-text-2">{w.rosterLead}</p>
      <div className="mt-3 grid gap-3 sm:grid-cols-2">
        <Field label={w.list} className="sm:col-span-2">
          <textarea
            rows={5}
            value={list}
            spellCheck={false}
            onChange={(event) => {
              setList(event.target.value)
              setPreview(null)
            }}
            className={`${areaClass} font-mono`}
          />
        </Field>
        <Field label={w.file}>
          <input
            type="file"
            accept=".csv,.tsv,.txt,text/csv"
            className="block w-full text-[0.8125rem]"
            onChange={(event) => {
              const file = event.target.files?.[0]
              if (file)
                void file.text().then((read) => {
                  setList(read)
                  setPreview(null)
                })
            }}
          />
        </Field>
        <div className="flex items-end justify-end gap-2">
          <Button disabled={busy || list.trim() === ''} onClick={() => ask(false)}>
            {w.preview}
          </Button>
          <Button weight="primary" disabled={busy || preview === null || preview.rows.length === 0} onClick={() => ask(true)}>
            {w.take(preview?.rows.length ?? 0)}
          </Button>
        </div>
      </div>
      <div role="status">
        {taken === null ? null : <p className="mt-3 text-ok">{w.taken(taken)}</p>}
        {preview === null ? null : (
          <div className="mt-3 space-y-3">
            <p>
              {w.willTake(preview.rows.filter(({ known }) => !known).length, preview.rows.filter(({ known }) => known).length)}:{' '}
              <span className="text-text-2">
                {preview.rows
                  .slice(0, 8)
                  .map(({ email, name }) => `${name} <${email}>`)
                  .join(', ')}
              </span>
            </p>
            {preview.problems.length === 0 ? null : (
              <div className="overflow-hidden rounded-lg">
                <Banner tone="warn" title={w.broken(preview.problems.length)}>
                  <ul>
                    {preview.problems.slice(0, 50).map((problem) => (
                      <li key={problem.line}>
                        <span className="font-medium text-text">{w.line(problem.line)}:</span> {text(problem.reason)}{' '}
                        <code className="text-xs break-all">{problem.text}</code>
                      </li>
                    ))}
                  </ul>
                </Banner>
              </div>
            )}
          </div>
        )}
      </div>
      {error === null ? null : (
        <div className="mt-3 overflow-hidden rounded-lg">
          <Failure error={error} onClose={forget} />
        </div>
      )}
    </Section>
  )
}
