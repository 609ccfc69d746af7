'use client'
// Everybody who has an account, for admins: roles, disabling, deleting, invitations. Knows nothing of what people do in their labs.
import { Ellipsis } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { DropdownMenu } from 'radix-ui'
import { useState } from 'react'
import { z } from 'zod'
import { accountLimits, type PeopleView, type PersonAction, type PersonView, type Role, role } from '#lib/protocol/index.ts'
import { useAction } from '../action.ts'
import { request } from '../api.ts'
import { Failure } from '../failure.tsx'
import { useLocale, useMessages } from '../i18n/index.tsx'
import { Button } from '../ui/button.tsx'
import { cx } from '../ui/cx.ts'
import { Confirm } from '../ui/dialog.tsx'
import { Field, inputClass, typed } from '../ui/field.tsx'
import { CopyButton } from '../ui/markdown.tsx'
import { Menu, menuItem } from '../ui/menu.tsx'
import { Badge } from '../ui/state.tsx'
import { dateOf } from '../ui/time.ts'
import { answered } from './sign-in.tsx'

const made = z.object({ url: z.string(), expiresAt: z.number() })

export function People({ me, view: { invitations, people } }: { me: string; view: PeopleView }) {
  const m = useMessages()
  const locale = useLocale()
  const router = useRouter()
  const { busy, error, forget, run } = useAction()
  const [link, setLink] = useState<string | null>(null)
  const [removing, setRemoving] = useState<PersonView | null>(null)
  const [keepGrades, setKeepGrades] = useState(false)
  const act = (person: PersonView, action: PersonAction) =>
    run(async () => {
      await request(`/api/people/${person.id}/actions`, answered, { method: 'POST', body: action })
      router.refresh()
    })
  return (
    <>
      <div className="pt-8 pb-6">
        <h1 className="text-2xl font-semibold tracking-tight">{m.account.people}</h1>
        <p className="mt-1 text-text-2">{m.account.peopleLead}</p>
      </div>
      {error === null ? null : (
        <div className="mb-6 overflow-hidden rounded-md">
          <Failure error={error} onClose={forget} />
        </div>
      )}
      <section aria-label={m.account.people} className="overflow-hidden rounded-lg border border-line bg-surface">
        <table className="w-full text-left">
          <thead className="text-xs text-text-2 max-sm:sr-only">
            <tr className="border-b border-line">
              <th scope="col" className="px-4 py-2 font-medium">
                {m.account.name}
              </th>
              <th scope="col" className="px-4 py-2 font-medium">
                {m.account.role}
              </th>
              <th scope="col" className="px-4 py-2 font-medium">
                {m.account.status}
              </th>
              <th scope="col" className="px-4 py-2 font-medium">
                {m.account.lastSeen}
              </th>
              <th scope="col" className="px-4 py-2">
                <span className="sr-only">{m.account.actions}</span>
              </th>
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {people.map((person) => (
              <tr key={person.id} className="max-sm:grid max-sm:grid-cols-[1fr_auto] max-sm:gap-y-1 max-sm:py-2">
                <td className="px-4 py-2 max-sm:col-span-2 max-sm:py-0">
                  <span className="font-medium">{person.name}</span>{' '}
                  {person.id === me ? <span className="text-text-2">({m.account.you})</span> : null}
                  <span className="block text-xs break-all text-text-2">{person.email}</span>
                </td>
                <td className="px-4 py-2 max-sm:py-0">
                  <select
                    aria-label={`${m.account.role}: ${person.name}`}
                    className="h-7 rounded-md border border-line-strong/60 bg-surface px-1.5 text-xs"
                    value={person.role}
                    disabled={busy}
                    onChange={(event) => act(person, { type: 'role', role: event.target.value as Role })}
                  >
                    {role.options.map((one) => (
                      <option key={one} value={one}>
                        {m.account.roles[one]}
                      </option>
                    ))}
                  </select>
                </td>
                <td className="px-4 py-2 max-sm:py-0">
                  <Badge tone={person.disabled ? 'warn' : 'ok'}>{person.disabled ? m.account.disabled : m.account.active}</Badge>
                </td>
                <td className="px-4 py-2 text-xs text-text-2 max-sm:py-0">
                  {person.lastLoginAt === null ? m.account.never : dateOf(person.lastLoginAt, locale)}
                </td>
                <td className="px-4 py-2 text-right max-sm:py-0">
                  <Menu
                    label={m.account.actionsFor(person.name)}
                    icon={<Ellipsis aria-hidden className="size-4" />}
                    className="size-7"
                    width="min-w-40"
                  >
                    <DropdownMenu.Item className={menuItem} onSelect={() => act(person, { type: 'sign-out' })}>
                      {m.account.signOutEverywhere}
                    </DropdownMenu.Item>
                    <DropdownMenu.Item className={menuItem} onSelect={() => act(person, { type: person.disabled ? 'enable' : 'disable' })}>
                      {person.disabled ? m.account.enable : m.account.disable}
                    </DropdownMenu.Item>
                    <DropdownMenu.Item
                      className={cx(menuItem, 'text-fail')}
                      onSelect={() => {
                        setKeepGrades(false)
                        setRemoving(person)
                      }}
                    >
                      {m.account.remove}
                    </DropdownMenu.Item>
                  </Menu>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <Confirm
        open={removing !== null}
        onOpenChange={(open) => {
          if (!open) setRemoving(null)
        }}
        title={m.account.removeTitle(removing?.name ?? '')}
        yes={m.account.removeYes}
        weight="danger"
        onYes={() => {
          if (removing !== null) act(removing, { type: 'delete', keepGrades })
        }}
      >
        <p>{m.account.removeBody}</p>
        <p>{keepGrades ? m.account.removeKeeps : m.account.removeGrades}</p>
        <p>{m.account.removeExports}</p>
        <label className="flex items-start gap-2 text-text">
          <input
            type="checkbox"
            className="mt-1 accent-accent"
            checked={keepGrades}
            onChange={(event) => setKeepGrades(event.target.checked)}
          />
          <span>{m.account.keepGrades}</span>
        </label>
      </Confirm>

      <section aria-labelledby="invite" className="mt-8 max-w-2xl">
        <h2 id="invite" className="font-semibold">
          {m.account.invite}
        </h2>
        <p className="mt-0.5 text-text-2">{m.account.inviteLead}</p>
        <form
          className="mt-4 grid items-end gap-3 sm:grid-cols-[auto_1fr_7rem_auto]"
          onSubmit={(event) => {
            event.preventDefault()
            const { days, email, role } = typed(event.currentTarget)
            run(async () => {
              setLink(null)
              const { url } = await request('/api/invitations', made, {
                method: 'POST',
                body: { role, email: email === '' ? null : email, days: Number(days) },
              })
              setLink(url)
              router.refresh()
            })
          }}
        >
          <Field label={m.account.role}>
            <select name="role" className={inputClass} defaultValue="learner">
              {role.options.map((one) => (
                <option key={one} value={one}>
                  {m.account.roles[one]}
                </option>
              ))}
            </select>
          </Field>
          <Field label={m.account.inviteEmail} name="email" type="email" maxLength={accountLimits.email} autoComplete="off" />
          <Field
            label={m.account.inviteDays}
            name="days"
            type="number"
            min={1}
            max={accountLimits.invitationDays}
            defaultValue={7}
            required
          />
          <Button type="submit" weight="primary" disabled={busy}>
            {m.account.makeLink}
          </Button>
        </form>
        {link === null ? null : (
          <div role="status" className="mt-4 rounded-md bg-ok-tint px-4 py-3">
            <p className="font-medium">{m.account.linkOnce}</p>
            <div className="mt-2 flex items-center gap-2">
              <input
                aria-label={m.account.link}
                readOnly
                value={link}
                className={`${inputClass} font-mono text-xs`}
                onFocus={(event) => event.target.select()}
              />
              <CopyButton text={link} />
            </div>
          </div>
        )}
        <h3 className="mt-6 text-[0.8125rem] font-medium">{m.account.open}</h3>
        {invitations.length === 0 ? (
          <p className="mt-1 text-text-2">{m.account.noOpen}</p>
        ) : (
          <ul className="mt-2 divide-y divide-line border-y border-line">
            {invitations.map((one) => (
              <li key={one.id} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 py-2">
                <p className="min-w-0 break-words">
                  <span className="font-medium">{m.account.roles[one.role]}</span>{' '}
                  <span className="text-text-2">
                    {[
                      one.email ?? m.account.anyAddress,
                      one.by === null ? null : m.account.by(one.by),
                      m.account.until(dateOf(one.expiresAt, locale)),
                    ]
                      .filter(Boolean)
                      .join(' · ')}
                  </span>
                </p>
                <Button
                  small
                  disabled={busy}
                  onClick={() =>
                    run(async () => {
                      await request(`/api/invitations/${one.id}`, answered, { method: 'DELETE', body: {} })
                      router.refresh()
                    })
                  }
                >
                  {m.account.withdraw}
                </Button>
              </li>
            ))}
          </ul>
        )}
      </section>
    </>
  )
}
