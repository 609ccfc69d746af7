'use client'
// One's own account: name, password, devices, tokens, signing out. Knows nothing of other people.
import { useRouter } from 'next/navigation'
import { type ReactNode, useState } from 'react'
import { type AccountAction, type AccountView, accountLimits, type TokenView } from '#lib/protocol/index.ts'
import { useAction } from '../action.ts'
import { request } from '../api.ts'
import { Failure } from '../failure.tsx'
import { useLocale, useMessages } from '../i18n/index.tsx'
import { Button } from '../ui/button.tsx'
import { Field, typed } from '../ui/field.tsx'
import { Badge } from '../ui/state.tsx'
import { dateOf, timeOfDay } from '../ui/time.ts'
import { answered } from './sign-in.tsx'
import { Tokens } from './tokens.tsx'

function Part({ title, lead, children }: { title: string; lead?: string; children?: ReactNode }) {
  return (
    <section aria-label={title} className="border-t border-line py-6">
      <h2 className="font-semibold">{title}</h2>
      {lead ? <p className="mt-0.5 max-w-prose text-text-2">{lead}</p> : null}
      {children === undefined ? null : <div className="mt-4">{children}</div>}
    </section>
  )
}

/** Firefox on Linux, out of what a browser calls itself. */
export function device(userAgent: string | null): string | null {
  const browser = /(Edg|Firefox|Chrome|Safari)\//.exec(userAgent ?? '')?.[1]
  const system = /(Android|iPhone|iPad|Windows|Mac OS X|Linux)/.exec(userAgent ?? '')?.[1]
  const name = { Edg: 'Edge', 'Mac OS X': 'macOS' } as Record<string, string>
  const parts = [browser, system].flatMap((part) => (part === undefined ? [] : [name[part] ?? part]))
  return parts.length > 0 ? parts.join(', ') : (userAgent?.slice(0, 60) ?? null) || null
}

export function Account({
  account: { hasPassword, logins, me, provider },
  tokens,
}: {
  account: AccountView
  tokens: readonly TokenView[]
}) {
  const m = useMessages()
  const locale = useLocale()
  const router = useRouter()
  const [said, setSaid] = useState<'name' | 'password' | null>(null)
  const { busy, error, forget, run } = useAction()
  const act = (action: AccountAction, then: 'name' | 'password' | null = null) =>
    run(async () => {
      setSaid(null)
      await request('/api/account', answered, { method: 'POST', body: action })
      setSaid(then)
      router.refresh()
    })
  const status = (which: 'name' | 'password', words: string) => (
    <p role="status" className="mt-2 text-ok">
      {said === which ? words : ''}
    </p>
  )
  return (
    <div className="max-w-2xl">
      <div className="flex flex-wrap items-end justify-between gap-3 pt-8 pb-6">
        <div>
          <h1 className="text-2xl font-semibold tracking-tight">{m.account.title}</h1>
          <p className="mt-1 text-text-2">{m.account.lead}</p>
        </div>
        <Button
          disabled={busy}
          onClick={() =>
            run(async () => {
              await request('/api/account/sign-out', answered, { method: 'POST', body: {} })
              window.location.assign('/sign-in')
            })
          }
        >
          {m.account.signOut}
        </Button>
      </div>
      {error === null ? null : (
        <div className="mb-6 overflow-hidden rounded-md">
          <Failure error={error} onClose={forget} />
        </div>
      )}
      <Part title={m.account.name}>
        <form
          key={me.name}
          className="flex max-w-md flex-wrap items-end gap-2"
          onSubmit={(event) => {
            event.preventDefault()
            act({ type: 'rename', name: typed(event.currentTarget).name ?? '' }, 'name')
          }}
        >
          <Field
            className="min-w-0 flex-1 basis-56"
            label={m.account.name}
            name="name"
            defaultValue={me.name}
            maxLength={accountLimits.name}
            autoComplete="name"
            required
          />
          <Button type="submit" disabled={busy}>
            {m.account.save}
          </Button>
        </form>
        {status('name', m.account.saved)}
        <dl className="mt-2 flex flex-wrap gap-x-8 gap-y-2">
          <div>
            <dt className="text-xs text-text-2">{m.account.email}</dt>
            <dd className="break-all">{me.email}</dd>
          </div>
          <div>
            <dt className="text-xs text-text-2">{m.account.role}</dt>
            <dd>{m.account.roles[me.role]}</dd>
          </div>
        </dl>
      </Part>
      <Part title={m.account.password}>
        {hasPassword ? (
          <form
            className="max-w-md space-y-3"
            onSubmit={(event) => {
              event.preventDefault()
              const { current = '', next = '' } = typed(event.currentTarget)
              event.currentTarget.reset()
              act({ type: 'password', current, next }, 'password')
            }}
          >
            <Field label={m.account.presentPassword} name="current" type="password" autoComplete="current-password" required />
            <Field
              label={m.account.newPassword}
              name="next"
              type="password"
              autoComplete="new-password"
              help={m.account.passwordRule(accountLimits.password.least)}
              minLength={accountLimits.password.least}
              maxLength={accountLimits.password.most}
              required
            />
            <Button type="submit" disabled={busy}>
              {m.account.changePassword}
            </Button>
          </form>
        ) : (
          <p className="text-text-2">{m.account.noPassword(provider ?? '')}</p>
        )}
        {status('password', m.account.passwordChanged)}
      </Part>
      <Part title={m.account.devices} lead={m.account.devicesLead}>
        <ul className="divide-y divide-line border-y border-line">
          {logins.map((login) => (
            <li key={login.id} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 py-2.5">
              <div className="min-w-0">
                <p className="font-medium">
                  {device(login.userAgent) ?? m.account.unknownDevice}{' '}
                  {login.current ? <Badge tone="accent">{m.account.thisDevice}</Badge> : null}
                </p>
                <p className="text-xs text-text-2">
                  {login.address ? `${login.address} · ` : ''}
                  {m.account.since(`${dateOf(login.createdAt, locale)} ${timeOfDay(login.createdAt, locale)}`)}
                </p>
              </div>
              {login.current ? null : (
                <Button small disabled={busy} onClick={() => act({ type: 'end-login', login: login.id })}>
                  {m.account.end}
                </Button>
              )}
            </li>
          ))}
        </ul>
        {logins.length > 1 ? (
          <Button className="mt-3" disabled={busy} onClick={() => act({ type: 'end-others' })}>
            {m.account.endOthers}
          </Button>
        ) : null}
      </Part>
      <Part title={m.account.tokens.title} lead={m.account.tokens.lead}>
        <Tokens role={me.role} tokens={tokens} />
      </Part>
      <Part title={m.account.leaving} lead={m.account.leavingLead} />
    </div>
  )
}
