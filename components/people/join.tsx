'use client'
// An invitation is accepted: the token stands behind the address's #, which no server is told. Knows nothing of how accounts are kept.
import Link from 'next/link'
import { useEffect, useState } from 'react'
import { accountLimits, type InvitationView, invitationView } from '#lib/protocol/index.ts'
import { useAction } from '../action.ts'
import { request } from '../api.ts'
import type { ThemeChoice } from '../chrome/preferences.tsx'
import { Failure } from '../failure.tsx'
import { useLocale, useMessages } from '../i18n/index.tsx'
import { Button } from '../ui/button.tsx'
import { Field, typed } from '../ui/field.tsx'
import { dateOf, timeOfDay } from '../ui/time.ts'
import { Door } from './door.tsx'
import { answered, goElsewhere } from './sign-in.tsx'

export function Join({ theme }: { theme: ThemeChoice }) {
  const m = useMessages()
  const locale = useLocale()
  const [token, setToken] = useState<string | null>(null)
  const [invitation, setInvitation] = useState<InvitationView | null>(null)
  const [problem, setProblem] = useState<unknown>(null)
  const { busy, error, run } = useAction({ leaves: true })
  useEffect(() => {
    const look = () => {
      const found = window.location.hash.slice(1)
      setToken(found)
      setInvitation(null)
      setProblem(null)
      if (found === '') return
      request('/api/invitations/look', invitationView, { method: 'POST', body: { token: found } }).then(setInvitation, setProblem)
    }
    look()
    // A link that is pasted where this page is open already changes nothing but what is behind the #.
    window.addEventListener('hashchange', look)
    return () => window.removeEventListener('hashchange', look)
  }, [])
  const lead =
    invitation !== null ? (
      <>
        <p>{m.account.joinLead(m.account.roles[invitation.role])}</p>
        <p>{m.account.joinUntil(`${dateOf(invitation.expiresAt, locale)} ${timeOfDay(invitation.expiresAt, locale)}`)}</p>
      </>
    ) : (
      <p role="status">{token === '' ? m.account.joinNone : problem === null ? m.account.looking : null}</p>
    )
  return (
    <Door title={m.account.join} lead={lead} theme={theme}>
      {(error ?? problem) === null ? null : (
        <div className="mb-4 overflow-hidden rounded-md">
          <Failure error={error ?? problem} />
        </div>
      )}
      {invitation === null || token === null ? null : (
        <>
          {invitation.provider === null ? null : (
            <>
              <Button className="w-full" disabled={busy} onClick={() => run(() => goElsewhere('/', token))}>
                {m.account.signInWith(invitation.provider)}
              </Button>
              <p className="my-3 text-center text-xs text-text-2">{m.account.or}</p>
            </>
          )}
          <form
            className="space-y-4"
            onSubmit={(event) => {
              event.preventDefault()
              const { email, name, password } = typed(event.currentTarget)
              run(async () => {
                await request('/api/invitations/accept', answered, { method: 'POST', body: { token, name, email, password } })
                window.location.assign('/')
              })
            }}
          >
            <Field
              label={m.account.name}
              name="name"
              help={m.account.nameRule}
              autoComplete="name"
              maxLength={accountLimits.name}
              required
            />
            <Field
              label={m.account.email}
              name="email"
              type="email"
              autoComplete="username"
              maxLength={accountLimits.email}
              required
              {...(invitation.email === null ? {} : { defaultValue: invitation.email, readOnly: true, help: m.account.joinFor })}
            />
            <Field
              label={m.account.password}
              name="password"
              type="password"
              autoComplete="new-password"
              help={m.account.passwordRule(accountLimits.password.least)}
              minLength={accountLimits.password.least}
              maxLength={accountLimits.password.most}
              required
            />
            <Button type="submit" weight="primary" className="w-full" disabled={busy}>
              {m.account.create}
            </Button>
          </form>
        </>
      )}
      <p className="mt-4 text-center">
        <Link href="/sign-in" className="text-accent underline">
          {m.account.haveOne}
        </Link>
      </p>
    </Door>
  )
}
