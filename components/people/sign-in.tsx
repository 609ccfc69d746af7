'use client'
// Signing in, by password or by the identity provider. Knows what was refused there by its name; knows nothing of cookies.
import { z } from 'zod'
import { useAction } from '../action.ts'
import { request } from '../api.ts'
import type { ThemeChoice } from '../chrome/preferences.tsx'
import { Failure } from '../failure.tsx'
import { useMessages } from '../i18n/index.tsx'
import { Banner } from '../ui/banner.tsx'
import { Button } from '../ui/button.tsx'
import { Field, typed } from '../ui/field.tsx'
import { Door } from './door.tsx'

export const answered = z.object({ ok: z.literal(true) })
const elsewhere = z.object({ url: z.string() })
/** Off to the identity provider, and back to `to`. */
export async function goElsewhere(to: string, invitation?: string): Promise<void> {
  const { url } = await request('/api/account/provider', elsewhere, {
    method: 'POST',
    body: { to, ...(invitation === undefined ? {} : { invitation }) },
  })
  window.location.assign(url)
}

export function SignIn({
  to,
  provider,
  refused,
  theme,
}: {
  /** where to go on, in this site */
  to: string
  provider: string | null
  /** why the identity provider's answer was not enough */
  refused: string | null
  theme: ThemeChoice
}) {
  const m = useMessages()
  const { busy, error, run } = useAction({ leaves: true })
  const why = refused === null ? null : ((m.account.refused as Record<string, string>)[refused] ?? m.account.refused.other)
  return (
    <Door title={m.account.signIn} lead={m.account.signInLead} theme={theme}>
      {why !== null && error === null ? (
        <div className="mb-4 overflow-hidden rounded-md">
          <Banner tone="warn" title={why} live="polite" />
        </div>
      ) : null}
      {error === null ? null : (
        <div className="mb-4 overflow-hidden rounded-md">
          <Failure error={error} />
        </div>
      )}
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault()
          const { email, password } = typed(event.currentTarget)
          run(async () => {
            await request('/api/account/sign-in', answered, { method: 'POST', body: { email, password } })
            // A whole new page: what was drawn for nobody is not kept.
            window.location.assign(to)
          })
        }}
      >
        <Field label={m.account.email} name="email" type="email" autoComplete="username" required />
        <Field label={m.account.password} name="password" type="password" autoComplete="current-password" required />
        <Button type="submit" weight="primary" className="w-full" disabled={busy}>
          {m.account.signIn}
        </Button>
      </form>
      {provider === null ? null : (
        <>
          <p className="my-3 text-center text-xs text-text-2">{m.account.or}</p>
          <Button className="w-full" disabled={busy} onClick={() => run(() => goElsewhere(to))}>
            {m.account.signInWith(provider)}
          </Button>
        </>
      )}
    </Door>
  )
}
