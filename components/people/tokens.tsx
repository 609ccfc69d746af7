'use client'
// One's own tokens for programs: making one, which is shown once, and revoking. Knows the areas of the API, not its routes.
import { useRouter } from 'next/navigation'
import { useId, useState } from 'react'
import {
  isForRole,
  type MakeToken,
  type NewToken,
  newToken,
  type Role,
  type TokenArea,
  type TokenScope,
  type TokenView,
  tokenAreas,
  tokenLimits,
  tokenScope,
} from '#lib/protocol/index.ts'
import { useAction } from '../action.ts'
import { request } from '../api.ts'
import { Failure } from '../failure.tsx'
import { useLocale, useMessages } from '../i18n/index.tsx'
import { Button } from '../ui/button.tsx'
import { Confirm } from '../ui/dialog.tsx'
import { Field, inputClass, typed } from '../ui/field.tsx'
import { CopyButton } from '../ui/markdown.tsx'
import { Badge } from '../ui/state.tsx'
import { dateOf, timeOfDay, useNow } from '../ui/time.ts'
import { answered } from './sign-in.tsx'

/** What a role can choose in an area: nothing, looking, changing. */
const choicesOf = (area: TokenArea, role: Role): TokenScope[] =>
  (['read', 'write'] as const).flatMap((verb) => {
    const scope = tokenScope.safeParse(`${area}:${verb}`)
    return scope.success && isForRole(scope.data, role) ? [scope.data] : []
  })

export function Tokens({ role, tokens }: { role: Role; tokens: readonly TokenView[] }) {
  const m = useMessages()
  const t = m.account.tokens
  const locale = useLocale()
  const router = useRouter()
  const now = useNow()
  const { busy, error, forget, run } = useAction()
  const [made, setMade] = useState<NewToken | null>(null)
  const [revoking, setRevoking] = useState<TokenView | null>(null)
  const [lacking, setLacking] = useState(false)
  const id = useId()
  const areas = (Object.keys(tokenAreas) as TokenArea[]).map((area) => ({ area, choices: choicesOf(area, role) }))
  const make = (form: HTMLFormElement) => {
    const { days, name = '', ...chosen } = typed(form)
    const scopes = Object.values(chosen).filter((value): value is TokenScope => value !== '')
    setLacking(scopes.length === 0)
    if (scopes.length === 0) return
    run(async () => {
      setMade(null)
      const body: MakeToken = { name, scopes, days: Number(days) }
      setMade(await request('/api/account/tokens', newToken, { method: 'POST', body }))
      form.reset()
      router.refresh()
    })
  }
  return (
    <>
      {error === null ? null : (
        <div className="mb-4 overflow-hidden rounded-md">
          <Failure error={error} onClose={forget} />
        </div>
      )}
      {made === null ? null : (
        <div role="status" className="mb-4 rounded-md bg-ok-tint px-4 py-3">
          <p className="font-medium">{t.once}</p>
          <div className="mt-2 flex items-center gap-2">
            <input
              aria-label={t.token}
              readOnly
              value={made.token}
              className={`${inputClass} font-mono text-xs`}
              onFocus={(event) => event.target.select()}
            />
            <CopyButton text={made.token} />
          </div>
          <p className="mt-2 text-xs text-text-2">{t.usage}</p>
        </div>
      )}
      {tokens.length === 0 ? (
        <p className="text-text-2">{t.none}</p>
      ) : (
        <ul aria-label={t.title} className="divide-y divide-line border-y border-line">
          {tokens.map((token) => (
            <li key={token.id} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 py-2.5">
              <div className="min-w-0">
                <p className="font-medium break-words">
                  {token.name} {now !== null && token.expiresAt <= now ? <Badge tone="warn">{t.expired}</Badge> : null}
                </p>
                <p className="font-mono text-xs break-words text-text-2">{token.scopes.join(' ')}</p>
                <p className="text-xs text-text-2">
                  {t.until(dateOf(token.expiresAt, locale))} ·{' '}
                  {token.usedAt === null ? t.unused : t.used(`${dateOf(token.usedAt, locale)} ${timeOfDay(token.usedAt, locale)}`)}
                </p>
              </div>
              <Button small disabled={busy} aria-label={t.revokeNamed(token.name)} onClick={() => setRevoking(token)}>
                {t.revoke}
              </Button>
            </li>
          ))}
        </ul>
      )}
      <Confirm
        open={revoking !== null}
        onOpenChange={(open) => {
          if (!open) setRevoking(null)
        }}
        title={t.revokeTitle(revoking?.name ?? '')}
        yes={t.revoke}
        weight="danger"
        onYes={() => {
          if (revoking === null) return
          run(async () => {
            await request(`/api/account/tokens/${revoking.id}`, answered, { method: 'DELETE', body: {} })
            if (made?.id === revoking.id) setMade(null)
            router.refresh()
          })
        }}
      >
        <p>{t.revokeBody}</p>
      </Confirm>
      <form
        className="mt-6 space-y-4"
        aria-label={t.make}
        onSubmit={(event) => {
          event.preventDefault()
          make(event.currentTarget)
        }}
      >
        <div className="grid gap-3 sm:grid-cols-[1fr_8rem]">
          <Field label={t.name} help={t.nameHelp} name="name" maxLength={tokenLimits.name} autoComplete="off" required />
          <Field
            label={t.days}
            name="days"
            type="number"
            min={1}
            max={tokenLimits.days.most}
            defaultValue={tokenLimits.days.usual}
            required
          />
        </div>
        <fieldset>
          <legend className="text-[0.8125rem] font-medium">{t.scopes}</legend>
          <p id={`${id}-scopes`} className="mt-0.5 text-xs text-text-2">
            {t.scopesHelp}
          </p>
          <div className="mt-2 divide-y divide-line border-y border-line">
            {areas.map(({ area, choices }) =>
              choices.length === 0 ? null : (
                <div key={area} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 py-2">
                  <label htmlFor={`${id}-${area}`} className="min-w-0 flex-1 basis-56">
                    <span className="block">{t.areas[area].name}</span>
                    <span className="block text-xs text-text-2">{t.areas[area].lead}</span>
                  </label>
                  <select id={`${id}-${area}`} name={area} className={`${inputClass} w-40!`} defaultValue="">
                    <option value="">{t.verbs.none}</option>
                    {choices.map((scope) => (
                      <option key={scope} value={scope}>
                        {scope.endsWith(':read') ? t.verbs.read : t.verbs.write}
                      </option>
                    ))}
                  </select>
                </div>
              ),
            )}
          </div>
          <p role="alert" className="mt-1 text-xs text-fail">
            {lacking ? t.lacking : ''}
          </p>
        </fieldset>
        <Button type="submit" disabled={busy}>
          {t.make}
        </Button>
      </form>
    </>
  )
}
