// Accounts over a real port: the first admin, invitations, signing in and out, what is ended with a sign-in, who may what, an identity
// provider of the test's own.
import { generateKeyPairSync, sign } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { clientHeader } from '#lib/auth/index.ts'
import {
  type AccountView,
  type AuditView,
  accountLimits,
  type ErrorView,
  type InvitationView,
  type NewToken,
  type PeopleView,
  type Role,
  type TokenScope,
  type TokenView,
  tokenLimits,
} from '#lib/protocol/index.ts'
import { Client } from './client.ts'
import { readConfig } from './config.ts'
import { Page } from './page.ts'
import { Leaping, TestLab } from './testing.ts'

let lab: TestLab
beforeEach(async () => {
  lab = await TestLab.open({ env: { KUBEMEND_AUTH: 'on' } })
})
afterEach(() => lab.close())

const password = 'correct horse battery'
const refusal = async (answer: Response): Promise<[number, string]> => {
  const { error } = (await answer.json()) as { error: ErrorView }
  expect(error.ko, error.message).toBeDefined()
  expect(error.hint, error.message).toBeDefined()
  return [answer.status, error.message]
}
/** What a browser keeps of an answer. */
const cookieOf = (answer: Response): string =>
  answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0]!)
    .join('; ')
const nobody = () => new Client(lab.url)
const signIn = async (email: string, word = password) => nobody().send('POST', '/api/account/sign-in', { email, password: word })
const holding = (answer: Response) => new Client(lab.url, { cookie: cookieOf(answer) })
const tokenOf = (url: string) => new URL(url).hash.slice(1)
const accept = (token: string, email: string, name = email.split('@')[0]!) =>
  nobody().send('POST', '/api/invitations/accept', { token, name, email, password })
const first = async () => {
  const answer = await accept(tokenOf((await lab.lab.accounts!.firstAdmin())!), 'ada@example.org', 'Ada')
  expect(answer.status, await answer.clone().text()).toBe(200)
  return holding(answer)
}
const invite = async (by: Client, role: Role, email: string | null = null) =>
  tokenOf((await by.post<{ url: string }>('/api/invitations', { role, email, days: 7 })).url)
const join = async (by: Client, role: Role, email: string) => {
  const answer = await accept(await invite(by, role), email)
  expect(answer.status, await answer.clone().text()).toBe(200)
  return holding(answer)
}
const me = async (client: Client) => (await client.get<AccountView>('/api/account')).me

test('the first admin comes by a link that works once, for a day, and is not made again', async () => {
  const old = tokenOf((await lab.lab.accounts!.firstAdmin())!)
  const link = (await lab.lab.accounts!.firstAdmin())!
  expect(link).toMatch(new RegExp(`^${lab.url}/join#[\\w-]{32}$`))
  // A new start makes a new one, and the old is worth nothing.
  expect((await refusal(await accept(old, 'eve@example.org')))[0]).toBe(404)
  const [one, two] = await Promise.all([accept(tokenOf(link), 'ada@example.org'), accept(tokenOf(link), 'eve@example.org')])
  expect([one.status, two.status].sort()).toEqual([200, 404])
  const ada = holding(one.status === 200 ? one : two)
  expect((await me(ada)).role).toBe('admin')
  expect(await lab.lab.accounts!.firstAdmin()).toBeNull()
  expect((await ada.get<PeopleView>('/api/people')).people).toHaveLength(1)
})

test('a cookie is for this server’s pages alone and outlives a restart', async () => {
  await first()
  const answer = await signIn('ADA@example.org')
  const [cookie] = answer.headers.getSetCookie()
  expect(cookie).toMatch(/; HttpOnly/i)
  expect(cookie).toMatch(/; SameSite=Lax/i)
  expect(cookie).not.toMatch(/; Secure/i)
  const ada = holding(answer)
  await lab.restart()
  expect(await me(ada)).toEqual({ id: expect.any(String), name: 'Ada', email: 'ada@example.org', role: 'admin' })
  // One whose signature was made up, and one without.
  for (const forged of [`${cookieOf(answer).slice(0, -6)}AAAAAA`, cookieOf(answer).split('.').slice(0, 2).join('.')])
    expect((await fetch(`${lab.url}/api/account`, { headers: { cookie: forged } })).status).toBe(401)
  // A page of another site can send the cookie, not the Origin.
  const foreign = await ada.send('POST', '/api/account', { type: 'end-others' }, { origin: 'https://evil.test' })
  expect(foreign.status).toBe(403)
})

test('behind TLS cookies are secure, and the public address alone is believed', async () => {
  await lab.close()
  lab = await TestLab.open({ env: { KUBEMEND_AUTH: 'on', PUBLIC_URL: 'https://lab.example' } })
  const link = (await lab.lab.accounts!.firstAdmin())!
  expect(link).toMatch(/^https:\/\/lab\.example\/join#/)
  const answer = await nobody().send(
    'POST',
    '/api/invitations/accept',
    { token: tokenOf(link), name: 'Ada', email: 'ada@example.org', password },
    { origin: 'https://lab.example' },
  )
  expect(answer.status, await answer.clone().text()).toBe(200)
  for (const cookie of answer.headers.getSetCookie()) expect(cookie).toMatch(/^__Secure-.*; Secure/i)
})

test('invitations: single use, for a role, an address and a time; withdrawn ones and guesses get nothing', async () => {
  const ada = await first()
  const bob = await join(ada, 'instructor', 'bob@example.org')
  expect((await me(bob)).role).toBe('instructor')
  const token = await invite(bob, 'learner', 'Lea@Example.org')
  expect(await nobody().post<InvitationView>('/api/invitations/look', { token })).toMatchObject({
    role: 'learner',
    email: 'lea@example.org',
    provider: null,
  })
  expect((await refusal(await accept(token, 'eve@example.org')))[1]).toMatch(/another email address/)
  expect((await refusal(await accept(token, 'bob@example.org')))[0]).toBe(403)
  expect((await accept(token, 'lea@example.org')).status).toBe(200)
  expect((await refusal(await accept(token, 'lea@example.org')))[0]).toBe(404)
  const open = await invite(ada, 'learner')
  expect((await refusal(await accept(open, 'LEA@example.org')))[1]).toMatch(/already/)
  // What failed has not used it up.
  const { invitations } = await ada.get<PeopleView>('/api/people')
  expect(invitations.map(({ by, email, role }) => [role, email, by])).toEqual([['learner', null, 'Ada']])
  expect((await ada.send('DELETE', `/api/invitations/${invitations[0]!.id}`, {})).status).toBe(200)
  expect((await ada.send('DELETE', `/api/invitations/${invitations[0]!.id}`, {})).status).toBe(404)
  expect((await refusal(await accept(open, 'eve@example.org')))[0]).toBe(404)
  // Whoever gives a role stands above it.
  for (const role of ['instructor', 'admin'] as const)
    expect((await refusal(await bob.send('POST', '/api/invitations', { role, email: null, days: 1 })))[0]).toBe(403)
  for (const bad of [{ days: 0 }, { days: 31 }, { role: 'owner' }, { email: 'no address' }])
    expect((await ada.send('POST', '/api/invitations', { role: 'learner', email: null, days: 1, ...bad })).status).toBe(400)
  const codes: number[] = []
  for (let index = 0; index < 25; index++)
    codes.push((await nobody().send('POST', '/api/invitations/look', { token: `guess${index}` })).status)
  expect(codes.at(-1)).toBe(429)
  // A password that is too short, a name that is none.
  const late = await invite(ada, 'learner')
  for (const bad of [{ password: 'short' }, { password: 'x'.repeat(accountLimits.password.most + 1) }, { name: '  ' }, { email: 'x' }])
    expect(
      (await nobody().send('POST', '/api/invitations/accept', { token: late, name: 'E', email: 'e@example.org', password, ...bad })).status,
    ).toBe(400)
})

test('a wrong password, a wrong address: the same words, and not without end; one person’s mistakes keep nobody else out', async () => {
  await first()
  expect((await signIn('ada@example.org')).status).toBe(200)
  const wrong = await refusal(await signIn('ada@example.org', 'wrong password'))
  expect(await refusal(await signIn('nobody@example.org', 'wrong password'))).toEqual(wrong)
  expect(await refusal(await signIn('not an address', 'wrong password'))).toEqual(wrong)
  expect(wrong[0]).toBe(401)
  for (let index = 0; index < 9; index++) await signIn('ada@example.org', 'wrong password')
  const [status] = await refusal(await signIn('ada@example.org'))
  expect(status).toBe(429)
  expect((await signIn('nobody@example.org', 'wrong')).status).toBe(401)
  const { entries } = await lab.lab.audit({ ...(await owner()), role: 'admin' })
  expect(entries.filter(({ action }) => action === 'person.sign-in-refused')).toHaveLength(10)
  // Nothing secret is in the log.
  expect(JSON.stringify(entries)).not.toMatch(/password/)
})
const owner = async () => (await lab.lab.accounts!.people()).people.find(({ email }) => email === 'ada@example.org')!

test('devices: each is listed and ends alone; a new password ends the others', async () => {
  const ada = await first()
  const phone = holding(await signIn('ada@example.org'))
  const other = holding(await signIn('ada@example.org'))
  const view = await ada.get<AccountView>('/api/account')
  expect(view).toMatchObject({ hasPassword: true, provider: null })
  expect(view.logins.map(({ current }) => current).sort()).toEqual([false, false, true])
  const mine = (await phone.get<AccountView>('/api/account')).logins.find(({ current }) => current)!
  const bob = await join(ada, 'learner', 'bob@example.org')
  expect((await refusal(await bob.send('POST', '/api/account', { type: 'end-login', login: mine.id })))[0]).toBe(404)
  expect((await ada.send('POST', '/api/account', { type: 'end-login', login: mine.id })).status).toBe(200)
  expect((await phone.send('POST', '/api/account', { type: 'end-others' })).status).toBe(401)
  expect((await refusal(await ada.send('POST', '/api/account', { type: 'password', current: 'wrong', next: 'another password' })))[0]).toBe(
    403,
  )
  expect((await ada.send('POST', '/api/account', { type: 'password', current: password, next: 'another password' })).status).toBe(200)
  await expect(me(other)).rejects.toThrow(/401/)
  expect((await me(ada)).name).toBe('Ada')
  expect((await signIn('ada@example.org')).status).toBe(401)
  expect((await signIn('ada@example.org', 'another password')).status).toBe(200)
  expect((await ada.send('POST', '/api/account', { type: 'rename', name: 'Ada L.' })).status).toBe(200)
  expect((await me(ada)).name).toBe('Ada L.')
  const out = await ada.send('POST', '/api/account/sign-out', {})
  expect([out.status, (await fetch(`${lab.url}/api/account`, { headers: ada.headers })).status]).toEqual([200, 401])
})

test('an admin revokes: the page hears it at once, its ticket and its cookie are worth nothing', async () => {
  const ada = await first()
  const lea = await join(ada, 'learner', 'lea@example.org')
  const session = await lea.begin('Two nodes no longer take part')
  const page = await lea.open(session)
  await page.inState('ready')
  const foreign = await fetch(`${lab.url}/api/sessions/${session}`, { headers: ada.headers })
  expect(foreign.status).toBe(404)
  const { id } = await me(lea)
  const act = (by: Client, type: string, more: object = {}, who = id) => by.send('POST', `/api/people/${who}/actions`, { type, ...more })
  expect((await refusal(await act(lea, 'role', { role: 'admin' })))[0]).toBe(403)
  const { ticket } = await lea.post<{ ticket: string }>(`/api/sessions/${session}/ticket`)
  expect((await act(ada, 'sign-out')).status).toBe(200)
  await page.until(() => page.closed, 'the close', true)
  expect(page.closed?.code).toBe(4003)
  expect(lab.lab.tickets.redeem(ticket, session)).toBeNull()
  await expect(me(lea)).rejects.toThrow(/401/)
  // The lab goes on, and is there again after the next sign-in.
  const back = holding(await signIn('lea@example.org'))
  expect((await back.session(session)).state).toBe('ready')
  expect((await act(ada, 'disable')).status).toBe(200)
  await expect(me(back)).rejects.toThrow(/401/)
  expect((await refusal(await signIn('lea@example.org')))[1]).toMatch(/disabled/)
  expect((await act(ada, 'enable')).status).toBe(200)
  expect((await signIn('lea@example.org')).status).toBe(200)
})

test('there is always somebody who administers; roles count from the next request on', async () => {
  const ada = await first()
  const bob = await join(ada, 'learner', 'bob@example.org')
  const [adaId, bobId] = [(await me(ada)).id, (await me(bob)).id]
  const act = (by: Client, who: string, action: object) => by.send('POST', `/api/people/${who}/actions`, action)
  for (const action of [{ type: 'role', role: 'learner' }, { type: 'disable' }, { type: 'delete' }])
    expect((await refusal(await act(ada, adaId, action)))[0]).toBe(409)
  expect((await act(ada, bobId, { type: 'role', role: 'admin' })).status).toBe(200)
  // Two who take it from each other at once: one stays.
  const both = await Promise.all([act(ada, bobId, { type: 'role', role: 'learner' }), act(bob, adaId, { type: 'role', role: 'learner' })])
  expect(await lab.lab.accounts!.firstAdmin()).toBeNull()
  expect(both.some(({ status }) => status !== 200)).toBe(true)
  expect((await act(ada, '0123456789abcdef', { type: 'disable' })).status).toBeGreaterThanOrEqual(403)
})

test('a person is deleted with all they made; the log keeps what was done, not who it was', async () => {
  const ada = await first()
  const lea = await join(ada, 'learner', 'lea@example.org')
  const session = await lea.begin('Two nodes no longer take part')
  const page = await lea.open(session)
  await page.inState('ready')
  await page.terminal('workstation')
  const { id } = await me(lea)
  expect((await ada.send('POST', `/api/people/${id}/actions`, { type: 'delete' })).status).toBe(200)
  await page.until(() => page.closed, 'the close', true)
  expect((await ada.get<PeopleView>('/api/people')).people.map(({ name }) => name)).toEqual(['Ada'])
  expect(await lab.lab.sessionsOf.owner(session)).toBeNull()
  expect(await lab.lab.sessionsOf.list(id)).toEqual([])
  expect((await signIn('lea@example.org')).status).toBe(401)
  const { entries } = await ada.get<AuditView>('/api/audit')
  expect(entries[0]).toMatchObject({ action: 'person.deleted', actor: { name: 'Ada' }, subject: { id, name: '(deleted)' } })
  expect(JSON.stringify(entries)).not.toMatch(/lea@|"lea"/)
  // The address is free again.
  await join(ada, 'learner', 'lea@example.org')
})

test('the log has pages, is for admins, and is bounded', async () => {
  const ada = await first()
  for (let index = 0; index < 130; index++) await ada.send('POST', '/api/account', { type: 'rename', name: `Ada ${index}` })
  const one = await ada.get<AuditView>('/api/audit')
  expect(one.entries).toHaveLength(accountLimits.audit.page)
  expect(one.entries[0]).toMatchObject({ action: 'person.renamed', detail: 'Ada 129' })
  const two = await ada.get<AuditView>(`/api/audit?before=${one.next}`)
  expect(two.next).toBeNull()
  expect(new Set([...one.entries, ...two.entries].map(({ id, at }) => `${at} ${id}`)).size).toBe(one.entries.length + two.entries.length)
  expect(two.entries.at(-1)?.action).toMatch(/^person\.(joined|signed-in)$/)
  expect((await fetch(`${lab.url}/api/audit`)).status).toBe(401)
})

test('an identity provider: invited or let in, linked by nothing but its own proof', async () => {
  const provider = await oidc()
  try {
    await lab.close()
    const env = {
      KUBEMEND_AUTH: 'on',
      OIDC_ISSUER: provider.url,
      OIDC_CLIENT_ID: 'kubemend',
      OIDC_CLIENT_SECRET: 'a secret of the client',
      OIDC_NAME: 'School',
    }
    lab = await TestLab.open({ env })
    const ada = await first()
    /** As a browser goes: to the provider, and back. */
    const come = async (as: object, invitation?: string) => {
      provider.person = as
      const begun = await nobody().send('POST', '/api/account/provider', {
        to: '/exam',
        ...(invitation === undefined ? {} : { invitation }),
      })
      expect(begun.status, await begun.clone().text()).toBe(200)
      const { url } = (await begun.json()) as { url: string }
      const there = await fetch(url, { redirect: 'manual' })
      const back = await fetch(there.headers.get('location')!, { redirect: 'manual', headers: { cookie: cookieOf(begun) } })
      return { location: back.headers.get('location')!, client: holding(back) }
    }
    const lea = { sub: '7', email: 'lea@school.example', email_verified: true, name: 'Lea' }
    expect((await come(lea)).location).toMatch(/\/sign-in\?error=invitation_needed/)
    const token = await invite(ada, 'instructor')
    const joined = await come(lea, token)
    expect(joined.location).toMatch(/\/exam$/)
    expect(await me(joined.client)).toMatchObject({ name: 'Lea', role: 'instructor', email: 'lea@school.example' })
    expect(await joined.client.get<AccountView>('/api/account')).toMatchObject({ hasPassword: false, provider: 'School' })
    expect((await refusal(await accept(token, 'x@example.org')))[0]).toBe(404)
    // Again, without any invitation; and what the provider says of roles counts nothing.
    expect(await me((await come({ ...lea, role: 'admin' })).client)).toMatchObject({ role: 'instructor' })
    // Somebody else at the provider who claims an address that is here already gets nothing of it.
    expect((await come({ sub: '8', email: 'ada@example.org', email_verified: false, name: 'Eve' })).location).toMatch(
      /error=account_not_linked/,
    )
    expect((await come({ sub: '9', email: 'ada@example.org', email_verified: true, name: 'Eve' })).location).toMatch(
      /error=account_not_linked/,
    )
    // A disabled one is kept out here too.
    const { id } = await me(joined.client)
    await ada.post(`/api/people/${id}/actions`, { type: 'disable' })
    expect((await come(lea)).location).toMatch(/error=account_disabled/)
    // An answer that nobody asked for.
    const uncalled = await fetch(`${lab.url}/api/auth/callback/oidc?code=x&state=made-up`, { redirect: 'manual' })
    expect(uncalled.headers.get('location') ?? '').not.toMatch(/\/exam/)
    expect(uncalled.headers.getSetCookie().join()).not.toMatch(/session_token=[^;]/)
    await lab.close()
    lab = await TestLab.open({ env: { ...env, OIDC_OPEN: '1' } })
    await first()
    expect(await me((await come(lea)).client)).toMatchObject({ role: 'learner' })
  } finally {
    await provider.close()
  }
})

/** An identity provider that takes whoever `person` is. */
async function oidc(): Promise<{ url: string; person: object; close(): Promise<void> }> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'RS256', use: 'sig' }
  const codes = new Map<string, { nonce: string | null; person: object }>()
  const made = { url: '', person: {} as object, close: async () => void server.close() }
  const server: Server = createServer(async (request, response) => {
    const url = new URL(request.url!, made.url)
    const json = (value: unknown): void => void response.setHeader('content-type', 'application/json').end(JSON.stringify(value))
    if (url.pathname === '/.well-known/openid-configuration')
      return json({
        issuer: made.url,
        authorization_endpoint: `${made.url}/authorize`,
        token_endpoint: `${made.url}/token`,
        jwks_uri: `${made.url}/keys`,
        id_token_signing_alg_values_supported: ['RS256'],
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
      })
    if (url.pathname === '/keys') return json({ keys: [jwk] })
    if (url.pathname === '/authorize') {
      const code = `c${codes.size}`
      codes.set(code, { nonce: url.searchParams.get('nonce'), person: made.person })
      const to = new URL(url.searchParams.get('redirect_uri')!)
      to.searchParams.set('code', code)
      to.searchParams.set('state', url.searchParams.get('state')!)
      response.writeHead(302, { location: to.href }).end()
      return
    }
    let text = ''
    for await (const chunk of request) text += chunk
    const form = new URLSearchParams(text)
    const found = codes.get(form.get('code') ?? '')
    codes.delete(form.get('code') ?? '')
    if (url.pathname !== '/token' || found === undefined || form.get('code_verifier') === null) {
      response.writeHead(400).end()
      return
    }
    const now = Math.floor(Date.now() / 1000)
    const claims = { ...found.person, nonce: found.nonce ?? undefined, iss: made.url, aud: 'kubemend', iat: now, exp: now + 300 }
    const signed = [{ alg: 'RS256', kid: 'k' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
    const token = `${signed}.${sign('RSA-SHA256', Buffer.from(signed), privateKey).toString('base64url')}`
    json({ access_token: 'a', token_type: 'Bearer', expires_in: 300, id_token: token })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  made.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return made
}

/** A program: it has a token, no cookie and no Origin. */
const program = (token: string) => ({
  ask: (method: string, target: string, body?: unknown, headers: Record<string, string> = {}) =>
    fetch(lab.url + target, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
})
const makeToken = (by: Client, scopes: TokenScope[], more: object = {}) =>
  by.post<NewToken>('/api/account/tokens', { name: 'script', scopes, ...more })

test('a token is its person’s, as far as its scopes reach, until it is revoked', async () => {
  const ada = await first()
  const bob = await join(ada, 'instructor', 'bob@example.org')
  const made = await makeToken(bob, ['classes:write', 'sessions:read'])
  expect(made).toMatchObject({ scopes: ['sessions:read', 'classes:write'], usedAt: null })
  expect(made.token).toMatch(/^kbm_[\w-]{43}$/)
  expect(made.expiresAt - made.createdAt).toBe(90 * 86_400_000)
  // It is kept nowhere.
  expect(JSON.stringify(await bob.get('/api/account/tokens'))).not.toContain(made.token)
  const rows = await lab.lab.accounts!.tokens.list({ ...(await me(bob)), login: null })
  expect(JSON.stringify(rows)).not.toContain(made.token.slice(4))

  const script = program(made.token)
  const created = await script.ask('POST', '/api/classes', { name: 'Ops 101', zone: 'UTC' })
  expect(created.status, await created.clone().text()).toBe(201)
  expect(((await bob.get('/api/classes')) as { classes: { name: string }[] }).classes).toMatchObject([{ name: 'Ops 101' }])
  expect((await script.ask('GET', '/api/classes')).status).toBe(200)
  expect((await script.ask('GET', '/api/sessions')).status).toBe(200)
  const [listed] = ((await bob.get('/api/account/tokens')) as { tokens: TokenView[] }).tokens
  expect(listed?.usedAt).toBeGreaterThanOrEqual(made.createdAt)

  // Not what it has no scope for, nor what is beyond its person's role, nor anybody else's.
  const lacking = await refusal(await script.ask('POST', '/api/sessions', { scenario: 'x' }))
  expect(lacking).toEqual([403, expect.stringContaining('"sessions:write"')])
  expect((await refusal(await bob.send('POST', '/api/account/tokens', { name: 'x', scopes: ['people:read'] })))[0]).toBe(403)
  // Nor may it make more of itself, or change the account.
  for (const [method, target, body] of [
    ['GET', '/api/account', undefined],
    ['POST', '/api/account', { type: 'rename', name: 'Eve' }],
    ['GET', '/api/account/tokens', undefined],
    ['POST', '/api/account/tokens', { name: 'x', scopes: ['classes:read'] }],
    ['DELETE', `/api/account/tokens/${made.id}`, {}],
    ['POST', '/api/account/sign-out', {}],
  ] as const)
    expect((await refusal(await script.ask(method, target, body)))[0], `${method} ${target}`).toBe(403)
  // Its person's cookie still needs an Origin, also beside a token; and pages are not for tokens.
  const both = await script.ask('POST', '/api/classes', { name: 'x', zone: 'UTC' }, { cookie: bob.headers.cookie! })
  expect(both.status).toBe(403)
  const { error } = (await both.json()) as { error: ErrorView }
  expect(error.code).toBe('foreign-origin')
  expect(await lab.lab.identify(new Headers({ authorization: `Bearer ${made.token}` }))).toBeNull()
  // Another's is not there.
  const hers = await makeToken(ada, ['people:write'])
  expect((await refusal(await bob.send('DELETE', `/api/account/tokens/${hers.id}`, {})))[0]).toBe(404)
  expect((await program(hers.token).ask('GET', '/api/people')).status).toBe(200)

  expect((await bob.send('DELETE', `/api/account/tokens/${made.id}`, {})).status).toBe(200)
  expect(await refusal(await script.ask('GET', '/api/classes'))).toEqual([401, expect.stringContaining('revoked')])
  expect((await bob.send('DELETE', `/api/account/tokens/${made.id}`, {})).status).toBe(404)
  const { entries } = await ada.get<AuditView>('/api/audit')
  const logged = entries
    .filter(({ action }) => /^token|^class/.test(action))
    .map(({ action, actor, detail }) => [action, actor.name, detail])
  expect(logged).toEqual([
    ['token.revoked', 'bob', 'script'],
    ['token.made', 'Ada', 'script: people:write; 90 d'],
    ['class.create', 'bob', expect.stringContaining('token "script"')],
    ['token.made', 'bob', 'script: sessions:read classes:write; 90 d'],
  ])
  expect(JSON.stringify(entries)).not.toContain(made.token)
})

test('an admin’s token makes no admins, and what is open by a token closes with it', async () => {
  const ada = await first()
  const lea = await join(ada, 'learner', 'lea@example.org')
  const { id } = await me(lea)
  const made = await makeToken(ada, ['people:write', 'sessions:write'])
  const script = program(made.token)
  for (const [target, body] of [
    ['/api/invitations', { role: 'admin', email: null, days: 1 }],
    [`/api/people/${id}/actions`, { type: 'role', role: 'admin' }],
    [`/api/people/${(await me(ada)).id}/actions`, { type: 'role', role: 'learner' }],
  ] as const)
    expect((await refusal(await script.ask('POST', target, body)))[0], target).toBe(403)
  expect((await script.ask('POST', '/api/invitations', { role: 'learner', email: null, days: 1 })).status).toBe(201)
  expect((await script.ask('POST', `/api/people/${id}/actions`, { type: 'role', role: 'instructor' })).status).toBe(200)
  expect((await me(lea)).role).toBe('instructor')

  const session = await ada.begin('Two nodes no longer take part')
  const ticket = async () => ((await (await script.ask('POST', `/api/sessions/${session}/ticket`, {})).json()) as { ticket: string }).ticket
  const connect = async (which: string) => Page.connect(`${lab.url.replace('http', 'ws')}/ws/session/${session}?ticket=${which}`, lab.url)
  const [open, unused] = [await connect(await ticket()), await ticket()]
  await open.message('snapshot')
  expect((await ada.send('DELETE', `/api/account/tokens/${made.id}`, {})).status).toBe(200)
  await open.until(() => open.closed, 'the close', true)
  const late = await connect(unused)
  await late.until(() => late.closed, 'the close', true)
  expect([open.closed?.code, late.closed?.code]).toEqual([4003, 4001])
})

test('tokens expire, are twenty at the most, and end with their person; wrong ones are told so, and not without end', async () => {
  const clock = new Leaping()
  await lab.close()
  lab = await TestLab.open({ env: { KUBEMEND_AUTH: 'on' }, parts: { sessions: { clock } } })
  const ada = await first()
  const lea = await join(ada, 'learner', 'lea@example.org')
  const { id } = await me(lea)
  for (const bad of [{ days: 0 }, { days: 366 }, { scopes: [] }, { scopes: ['all'] }, { name: ' ' }, { name: 'x'.repeat(81) }])
    expect((await lea.send('POST', '/api/account/tokens', { name: 'x', scopes: ['data:read'], ...bad })).status).toBe(400)
  const made = await makeToken(lea, ['data:read'], { days: 365 })
  const get = (token: string) => program(token).ask('GET', '/api/data')
  expect((await get(made.token)).status).toBe(200)

  // Its time is over: it says so, and stays in the list.
  clock.leap(made.expiresAt - clock.now())
  expect(await refusal(await get(made.token))).toEqual([401, expect.stringContaining(new Date(made.expiresAt).toISOString().slice(0, 10))])
  expect(await lea.get('/api/account/tokens')).toMatchObject({ tokens: [{ id: made.id }] })
  const other = await makeToken(lea, ['data:read'])
  for (let index = 1; index < tokenLimits.tokens; index++) await makeToken(lea, ['data:read'])
  expect((await refusal(await lea.send('POST', '/api/account/tokens', { name: 'x', scopes: ['data:read'] })))[0]).toBe(503)

  // Who is disabled has none any more, also when they may come again.
  expect((await get(other.token)).status).toBe(200)
  await ada.post(`/api/people/${id}/actions`, { type: 'disable' })
  expect((await refusal(await get(other.token)))[0]).toBe(401)
  await ada.post(`/api/people/${id}/actions`, { type: 'enable' })
  expect((await refusal(await get(other.token)))[0]).toBe(401)
  const again = holding(await signIn('lea@example.org'))
  expect(await again.get('/api/account/tokens')).toEqual({ tokens: [] })
  // Whoever is signed out everywhere, and whoever is deleted.
  const third = await makeToken(again, ['data:read'])
  await ada.post(`/api/people/${id}/actions`, { type: 'sign-out' })
  expect((await refusal(await get(third.token)))[0]).toBe(401)
  const fourth = await makeToken(holding(await signIn('lea@example.org')), ['data:read'])
  await ada.post(`/api/people/${id}/actions`, { type: 'delete' })
  expect((await refusal(await get(fourth.token)))[0]).toBe(401)

  // A right one is not kept out by those who guess.
  const right = await makeToken(ada, ['data:read'])
  const codes: number[] = []
  for (const guess of ['', 'kbm_short', `kbm_${'A'.repeat(43)}`, 'x'.repeat(300)])
    for (let index = 0; index < 6; index++) codes.push((await get(`${guess}${guess === '' ? index : ''}`)).status)
  expect(new Set(codes)).toEqual(new Set([401, 429]))
  expect(codes.at(-1)).toBe(429)
  expect((await get(right.token)).status).toBe(200)
  // Somebody with a cookie whose proxy adds a token of its own is who they are.
  const proxied = await fetch(`${lab.url}/api/account`, { headers: { ...ada.headers, authorization: 'Bearer eyJhbGciOi' } })
  expect(proxied.status).toBe(200)
})

test('without accounts there are no tokens, and none replaces the Origin', async () => {
  await lab.close()
  lab = await TestLab.open()
  expect((await refusal(await fetch(`${lab.url}/api/account/tokens`)))[0]).toBe(404)
  const script = program(`kbm_${'A'.repeat(43)}`)
  expect((await script.ask('POST', '/api/sessions', { scenario: 'x' })).status).toBe(403)
  expect((await script.ask('GET', '/api/sessions')).status).toBe(200)
})

test('settings: accounts bring their own limits', () => {
  const on = { KUBEMEND_AUTH: 'on' }
  expect(readConfig({ ...on, HOST: '0.0.0.0' })).toMatchObject({ host: '0.0.0.0', backends: ['sim'] })
  expect(() => readConfig({ HOST: '0.0.0.0' })).toThrow(/KUBEMEND_AUTH=on/)
  expect(() => readConfig({ ...on, KUBEMEND_BACKENDS: 'kind' })).toThrow(/KUBEMEND_TRUST_LEARNERS=1/)
  expect(readConfig({ ...on, KUBEMEND_BACKENDS: 'kind', KUBEMEND_TRUST_LEARNERS: '1' }).backends).toEqual(['kind'])
  expect(readConfig({}).backends).toEqual(['kind', 'sim'])
  expect(() => readConfig({ ...on, OIDC_ISSUER: 'https://id.example' })).toThrow(/OIDC_CLIENT_SECRET/)
  expect(() => readConfig({ OIDC_ISSUER: 'https://id.example', OIDC_CLIENT_ID: 'x', OIDC_CLIENT_SECRET: 'y' })).toThrow(/KUBEMEND_AUTH=on/)
  expect(() => readConfig({ DATABASE_URL: 'mysql://me:hidden@host/db' })).toThrow(/postgres:/)
  expect(() => readConfig({ DATABASE_URL: 'mysql://me:hidden@host/db', KUBEMEND_SECRET: 'hidden' })).not.toThrow(/hidden/)
})

test('who asks is the peer, and what a proxy says only of a proxy that is expected', async () => {
  await first()
  const address = async (forwarded: string) => {
    const answer = await nobody().send(
      'POST',
      '/api/account/sign-in',
      { email: 'ada@example.org', password },
      { 'x-forwarded-for': forwarded, [clientHeader]: '198.51.100.9' },
    )
    const view = await holding(answer).get<AccountView>('/api/account')
    return view.logins.find(({ current }) => current)?.address
  }
  expect(await address('203.0.113.5')).toBe('127.0.0.1')
  await lab.close()
  lab = await TestLab.open({ env: { KUBEMEND_AUTH: 'on', KUBEMEND_PROXIES: '1' } })
  await first()
  expect(await address('10.9.9.9, 203.0.113.5')).toBe('203.0.113.5')
})
