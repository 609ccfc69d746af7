// Accounts: signing in and out, invitations, people. Passwords, sign-ins and identity providers are better-auth's business (docs/decisions/063);
// who may invite whom, what is written down and whose sockets end is decided here. Knows nothing of routes, pages or sockets.
import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash, randomBytes } from 'node:crypto'
import { betterAuth } from 'better-auth'
import { APIError } from 'better-auth/api'
import { genericOAuth } from 'better-auth/plugins'
import {
  type AccountAction,
  type AccountView,
  accountLimits,
  hereOnly,
  type Identity,
  type InvitationView,
  type Invite,
  LabError,
  type PeopleView,
  type PersonAction,
  type Role,
  role as roleOf,
} from '#lib/protocol/index.ts'
import type { Person, Store } from '#lib/store/index.ts'
import type { Audit } from './audit.ts'
import type { Visitor } from './index.ts'
import { Limiter } from './limiter.ts'
import { requireScope } from './may.ts'
import { ApiTokens } from './tokens.ts'

/** header that the server sets to the address of who asks, and nobody else can (lib/server/front.ts) */
export const clientHeader = 'x-kubemend-client'

/** An identity provider that speaks OpenID Connect. */
export interface Provider {
  /** what people call it */
  name: string
  issuer: string
  clientId: string
  clientSecret: string
  /** whoever the provider lets in gets an account, as a learner; else only who holds an invitation */
  open: boolean
}
/** What has been ended: all of a person, or one sign-in. */
export type Ended = { person: string } | { login: string }
export interface AccountsOptions {
  store: Store
  audit: Audit
  /** signs cookies; at least 32 characters, kept outside the database */
  secret: string
  /** the address people use; asked for when the first of them comes */
  url: () => string
  /** people use it over TLS */
  secure: boolean
  provider?: Provider | undefined
  /** sockets and tickets are to be ended with it */
  onEnded: (of: Ended) => void
  /** takes away what a person made, before the account goes; `keepGrades`: what classes have of them stays under their name */
  erase: (person: { id: string; name: string; email: string }, keepGrades: boolean) => Promise<void>
  log: { warn(fields: object, message: string): void; error(fields: object, message: string): void }
  now?: () => number
}
/** What an answer carries besides: cookies to set. */
export interface Answer<T = void> {
  value: T
  cookies: string[]
}

const providerId = 'oidc'
const invitationCookie = 'kubemend.invitation'
const dayMs = 86_400_000
const digestOf = (token: string): string => createHash('sha256').update(token).digest('hex')
const asRole = (text: string): Role => roleOf.catch('learner').parse(text)

const said = {
  wrong: () =>
    new LabError(
      'unauthorized',
      { en: 'Email address and password do not fit together.', ko: '이메일 주소와 비밀번호가 맞지 않습니다.' },
      {
        hint: {
          en: 'Check both. An administrator can invite you anew if you have forgotten the password.',
          ko: '둘 다 확인하십시오. 비밀번호를 잊었으면 관리자가 다시 초대할 수 있습니다.',
        },
      },
    ),
  disabled: () =>
    new LabError(
      'forbidden',
      { en: 'This account has been disabled.', ko: '사용이 중지된 계정입니다.' },
      { hint: { en: 'Ask an administrator of this server.', ko: '이 서버의 관리자에게 문의하십시오.' } },
    ),
  invitation: () =>
    new LabError(
      'not-found',
      {
        en: 'This invitation has been used, has expired or was withdrawn.',
        ko: '이미 사용했거나 기한이 지났거나 철회된 초대입니다.',
      },
      { hint: { en: 'Ask for a new link.', ko: '새 링크를 요청하십시오.' } },
    ),
  foreignEmail: () =>
    new LabError(
      'forbidden',
      { en: 'This invitation is for another email address.', ko: '다른 이메일 주소에 대한 초대입니다.' },
      { hint: { en: 'Use the address that was invited.', ko: '초대받은 주소를 사용하십시오.' } },
    ),
  taken: () =>
    new LabError(
      'conflict',
      { en: 'There is an account with this email address already.', ko: '이 이메일 주소의 계정이 이미 있습니다.' },
      { hint: { en: 'Sign in with it, or use another address.', ko: '그 계정으로 로그인하거나 다른 주소를 쓰십시오.' } },
    ),
  full: () =>
    new LabError(
      'capacity-exceeded',
      {
        en: `This server has ${accountLimits.people} accounts, which is the most.`,
        ko: `계정이 최대 수(${accountLimits.people}개)에 이르렀습니다.`,
      },
      { hint: { en: 'An administrator can delete accounts that nobody uses.', ko: '관리자가 쓰지 않는 계정을 지울 수 있습니다.' } },
    ),
  lastAdmin: () =>
    new LabError(
      'conflict',
      { en: 'Nobody would be left who administers this server.', ko: '이 서버를 관리할 사람이 남지 않습니다.' },
      { hint: { en: 'Make somebody else an administrator first.', ko: '먼저 다른 사람을 관리자로 지정하십시오.' } },
    ),
  nobody: () =>
    new LabError(
      'not-found',
      { en: 'There is no such person.', ko: '그런 사람이 없습니다.' },
      { hint: { en: 'The list may be old: load it again.', ko: '목록이 오래되었을 수 있습니다. 다시 불러오십시오.' } },
    ),
}

export class Accounts {
  readonly tokens: ApiTokens
  readonly #options: AccountsOptions
  readonly #now: () => number
  /** only failures are counted: a class behind one address signs in at once */
  readonly #refused: Limiter
  readonly #refusedPerson: Limiter
  readonly #refusedToken: Limiter
  readonly #invited: Limiter
  /** set while an invitation is accepted with a password: the person is made by us, with its role */
  readonly #accepting = new AsyncLocalStorage<true>()
  #library: ReturnType<Accounts['make']> | undefined

  constructor(options: AccountsOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.tokens = new ApiTokens(options)
    const minutes = (times: number, count: number) => new Limiter({ times, perMs: count * 60_000, now: this.#now })
    this.#refused = minutes(30, 5)
    this.#refusedPerson = minutes(10, 5)
    this.#refusedToken = minutes(20, 5)
    this.#invited = minutes(100, 60)
  }

  get #auth(): ReturnType<Accounts['make']> {
    this.#library ??= this.make()
    return this.#library
  }

  /** The library over our tables. Its HTTP API is not served, but for the way back from an identity provider. */
  private make() {
    const { log, provider, secret, secure, store, url } = this.#options
    const times = { createdAt: 'created_at', updatedAt: 'updated_at' }
    return betterAuth({
      baseURL: url(),
      basePath: '/api/auth',
      secret,
      // No transaction of its own: SQLite has one connection, and what our hooks ask would wait for itself.
      database: { ...store.database, transaction: false },
      telemetry: { enabled: false },
      // Our own are on every way in, by address and by person.
      rateLimit: { enabled: false },
      logger: {
        level: 'warn',
        // Its further arguments may hold what somebody typed.
        log: (level, message) => (level === 'error' ? log.error({ accounts: message }, 'accounts') : undefined),
      },
      emailAndPassword: {
        enabled: true,
        disableSignUp: true,
        minPasswordLength: accountLimits.password.least,
        maxPasswordLength: accountLimits.password.most,
      },
      user: {
        modelName: 'person',
        fields: { emailVerified: 'email_verified', ...times },
        additionalFields: {
          role: { type: 'string', required: true, defaultValue: 'learner', input: false },
          disabled: { type: 'boolean', required: true, defaultValue: false, input: false },
        },
      },
      session: {
        modelName: 'login',
        fields: { userId: 'person_id', expiresAt: 'expires_at', ipAddress: 'ip_address', userAgent: 'user_agent', ...times },
        expiresIn: 14 * 24 * 3600,
        disableSessionRefresh: true,
        cookieCache: { enabled: false },
      },
      account: {
        modelName: 'credential',
        fields: {
          userId: 'person_id',
          accountId: 'account_id',
          providerId: 'provider_id',
          accessToken: 'access_token',
          refreshToken: 'refresh_token',
          idToken: 'id_token',
          accessTokenExpiresAt: 'access_token_expires_at',
          refreshTokenExpiresAt: 'refresh_token_expires_at',
          ...times,
        },
        encryptOAuthTokens: true,
      },
      verification: { modelName: 'verification', fields: { expiresAt: 'expires_at', ...times } },
      onAPIError: { errorURL: '/sign-in' },
      advanced: {
        cookiePrefix: 'kubemend',
        useSecureCookies: secure,
        ipAddress: { ipAddressHeaders: [clientHeader] },
        database: { generateId: () => randomBytes(12).toString('hex') },
      },
      databaseHooks: {
        user: {
          create: {
            before: async (user, context) => {
              if (this.#accepting.getStore() === true) return
              return { data: { ...user, ...(await this.#admit(user.email, context?.headers ?? null)) } }
            },
            after: async (user) => {
              if (this.#accepting.getStore() === true) return
              await this.#options.audit.record(user, 'person.joined', null, `by ${provider?.name}`)
            },
          },
        },
        session: {
          create: {
            before: async (session) => {
              const person = await store.people.person(session.userId)
              if (person === null || person.disabled) throw new APIError('FORBIDDEN', { code: 'account_disabled', message: 'disabled' })
            },
            after: async (session) => {
              const person = await store.people.person(session.userId)
              if (person === null) return
              await this.#endOldest(person.id)
              await this.#options.audit.record(person, 'person.signed-in', null, session.ipAddress || null)
            },
          },
        },
      },
      plugins:
        provider === undefined
          ? []
          : [
              genericOAuth({
                config: [
                  {
                    providerId,
                    discoveryUrl: `${provider.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
                    clientId: provider.clientId,
                    clientSecret: provider.clientSecret,
                    scopes: ['openid', 'email', 'profile'],
                    pkce: true,
                  },
                ],
              }),
            ],
    })
  }

  // ---- who asks

  async identify(headers: Headers): Promise<Visitor | null> {
    // Most requests of strangers carry no cookie at all.
    if (!headers.has('cookie')) return null
    const found = await this.#auth.api.getSession({ headers })
    if (found === null || found.user.disabled) return null
    const { email, id, name, role } = found.user
    return { id, name, email, role: asRole(role), login: found.session.id }
  }

  // ---- signing in and out

  /** @throws LabError unauthorized (in the same words whatever is wrong), forbidden for a disabled account, rate-limited */
  async signIn(email: string, password: string, headers: Headers): Promise<Answer> {
    const address = headers.get(clientHeader) ?? ''
    const who = email.toLowerCase().slice(0, 320)
    this.#refused.check(address)
    this.#refusedPerson.check(who)
    try {
      const { headers: answered } = await this.#auth.api.signInEmail({ body: { email, password }, headers, returnHeaders: true })
      return { value: undefined, cookies: answered.getSetCookie() }
    } catch (thrown) {
      if (!(thrown instanceof APIError)) throw thrown
      this.#refused.count(address)
      this.#refusedPerson.count(who)
      if (thrown.body?.code === 'account_disabled') throw said.disabled()
      const person = await this.#options.store.people.personByEmail(who)
      if (person !== null) await this.#options.audit.record(null, 'person.sign-in-refused', person, address)
      throw said.wrong()
    }
  }

  /** Where to go on at the identity provider. @throws LabError not-found without one, backend-unavailable when it does not answer */
  async signInElsewhere(to: string, invitation: string | undefined, headers: Headers): Promise<Answer<{ url: string }>> {
    const { provider, secure } = this.#options
    if (provider === undefined)
      throw new LabError('not-found', {
        en: 'This server has no identity provider.',
        ko: '이 서버에는 외부 로그인 제공자가 없습니다.',
      })
    try {
      const { headers: answered, response } = await this.#auth.api.signInSocial({
        body: { provider: providerId, callbackURL: hereOnly(to), errorCallbackURL: '/sign-in', disableRedirect: true },
        headers,
        returnHeaders: true,
      })
      const cookies = answered.getSetCookie()
      if (invitation !== undefined)
        cookies.push(
          `${invitationCookie}=${encodeURIComponent(invitation)}; Path=/api/auth; HttpOnly; SameSite=Lax; Max-Age=900${secure ? '; Secure' : ''}`,
        )
      return { value: { url: response.url ?? '/' }, cookies }
    } catch (cause) {
      throw new LabError(
        'backend-unavailable',
        { en: `${provider.name} does not answer.`, ko: `${provider.name}이(가) 응답하지 않습니다.` },
        {
          hint: { en: 'Try again in a moment, or sign in with a password.', ko: '잠시 후 다시 시도하거나 비밀번호로 로그인하십시오.' },
          cause,
        },
      )
    }
  }
  /** The way back from the identity provider: the library's own answer, a redirect. */
  back(request: Request): Promise<Response> {
    return this.#auth.handler(request)
  }

  async signOut(me: Visitor, headers: Headers): Promise<Answer> {
    const { headers: answered } = await this.#auth.api.signOut({ headers, returnHeaders: true })
    await this.#options.audit.record(me, 'person.signed-out')
    if (me.login !== null) this.#options.onEnded({ login: me.login })
    return { value: undefined, cookies: answered.getSetCookie() }
  }

  async #endOldest(person: string): Promise<void> {
    const { onEnded, store } = this.#options
    for (const login of (await store.people.logins(person, this.#now())).slice(accountLimits.logins)) {
      await store.people.endLogins(person, { id: login.id })
      onEnded({ login: login.id })
    }
  }

  // ---- one's own account

  async view(me: Visitor): Promise<AccountView> {
    const { provider, store } = this.#options
    const [logins, providers] = await Promise.all([store.people.logins(me.id, this.#now()), store.people.providers(me.id)])
    const { login: _, token: __, ...identity } = me
    return {
      me: identity,
      hasPassword: providers.includes('credential'),
      provider: providers.includes(providerId) ? (provider?.name ?? providerId) : null,
      logins: logins.map((login) => ({ ...login, current: login.id === me.login })),
    }
  }

  /** @throws LabError unauthorized for a wrong password, rate-limited, not-found */
  async act(me: Visitor, action: AccountAction, headers: Headers): Promise<void> {
    const { audit, onEnded, store } = this.#options
    switch (action.type) {
      case 'rename':
        await store.people.updatePerson(me.id, { name: action.name })
        await audit.record(me, 'person.renamed', null, action.name)
        return
      case 'password': {
        this.#refusedPerson.check(me.id)
        try {
          await this.#auth.api.changePassword({ body: { currentPassword: action.current, newPassword: action.next }, headers })
        } catch (thrown) {
          if (!(thrown instanceof APIError)) throw thrown
          this.#refusedPerson.count(me.id)
          throw new LabError(
            'forbidden',
            { en: 'The present password is not this one.', ko: '현재 비밀번호가 아닙니다.' },
            { hint: { en: 'Check it and try again.', ko: '확인한 뒤 다시 시도하십시오.' } },
          )
        }
        // Whoever knew the old one is out.
        await this.#endOthers(me)
        await audit.record(me, 'person.password-changed')
        return
      }
      case 'end-login':
        if ((await store.people.endLogins(me.id, { id: action.login })) === 0)
          throw new LabError(
            'not-found',
            { en: 'There is no such sign-in of yours.', ko: '그런 로그인이 없습니다.' },
            { hint: { en: 'It may have ended already: load the page again.', ko: '이미 끝났을 수 있습니다. 화면을 다시 불러오십시오.' } },
          )
        onEnded({ login: action.login })
        await audit.record(me, 'person.login-ended')
        return
      case 'end-others':
        await this.#endOthers(me)
        await audit.record(me, 'person.logins-ended')
        return
    }
  }
  async #endOthers(me: Visitor): Promise<void> {
    const { onEnded, store } = this.#options
    const others = (await store.people.logins(me.id, this.#now())).filter((login) => login.id !== me.login)
    await store.people.endLogins(me.id, { not: me.login ?? '' })
    for (const { id } of others) onEnded({ login: id })
  }

  // ---- invitations

  /**
   * Makes a link by which one person gets an account.
   * @throws LabError forbidden for a role above one's own, rate-limited, capacity-exceeded
   */
  async invite(me: Visitor, { days, email, role }: Invite): Promise<{ url: string; expiresAt: number }> {
    const { audit, store } = this.#options
    // Else a token could make itself an administrator without bounds.
    if (role === 'admin') requireScope(me, null)
    // Who may give a role is above it: instructors invite learners, admins everybody.
    if (!(me.role === 'admin' || (me.role === 'instructor' && role === 'learner')))
      throw new LabError(
        'forbidden',
        {
          en: 'Instructors invite learners; other roles are given by administrators.',
          ko: '강사는 학습자만 초대할 수 있습니다. 다른 역할은 관리자가 줍니다.',
        },
        { hint: { en: 'Ask an administrator of this server.', ko: '이 서버의 관리자에게 요청하십시오.' } },
      )
    this.#invited.take(me.id)
    const now = this.#now()
    await store.people.sweepInvitations(now - 30 * dayMs, false)
    if ((await store.people.invitations(now)).length >= accountLimits.invitations)
      throw new LabError(
        'capacity-exceeded',
        {
          en: `${accountLimits.invitations} invitations are open, which is the most.`,
          ko: `열려 있는 초대가 최대 수(${accountLimits.invitations}개)입니다.`,
        },
        { hint: { en: 'Withdraw some that nobody will use.', ko: '쓰이지 않을 초대를 철회하십시오.' } },
      )
    const made = await this.#issue(role, email?.toLowerCase() ?? null, me.id, now + days * dayMs)
    await audit.record(me, 'invitation.made', null, [role, email].filter(Boolean).join(', '))
    return made
  }
  async #issue(role: Role, email: string | null, by: string | null, expiresAt: number): Promise<{ url: string; expiresAt: number }> {
    const token = randomBytes(24).toString('base64url')
    await this.#options.store.people.insertInvitation({
      id: randomBytes(8).toString('hex'),
      digest: digestOf(token),
      role,
      email,
      created_by: by,
      created_at: this.#now(),
      expires_at: expiresAt,
      used_at: null,
      used_by: null,
    })
    // Behind a #: no server, proxy or next page is told it.
    return { url: new URL(`/join#${token}`, this.#options.url()).href, expiresAt }
  }
  /** The link by which the first admin comes, anew at each start; null when there is one. */
  async firstAdmin(): Promise<string | null> {
    const { store } = this.#options
    await store.people.sweepInvitations(this.#now() - 30 * dayMs, true)
    if ((await store.people.countAdmins()) > 0) return null
    return (await this.#issue('admin', null, null, this.#now() + dayMs)).url
  }

  /** @throws LabError not-found when it cannot be used, rate-limited for who guesses */
  async look(token: string, headers: Headers): Promise<InvitationView> {
    const address = headers.get(clientHeader) ?? ''
    this.#refusedToken.check(address)
    const row = await this.#options.store.people.invitation(digestOf(token))
    if (row === null || row.used_at !== null || row.expires_at <= this.#now()) {
      this.#refusedToken.count(address)
      throw said.invitation()
    }
    return { role: asRole(row.role), email: row.email, expiresAt: row.expires_at, provider: this.#options.provider?.name ?? null }
  }
  /** Makes the account and signs in. @throws LabError not-found, forbidden, conflict, capacity-exceeded, rate-limited */
  async accept(given: { token: string; name: string; email: string; password: string }, headers: Headers): Promise<Answer> {
    const { audit, store } = this.#options
    const invitation = await this.look(given.token, headers)
    const email = given.email.toLowerCase()
    if (invitation.email !== null && invitation.email !== email) throw said.foreignEmail()
    if ((await store.people.personByEmail(email)) !== null) throw said.taken()
    if ((await store.people.countPeople()) >= accountLimits.people) throw said.full()
    const context = await this.#auth.$context
    const hash = await context.password.hash(given.password)
    const digest = digestOf(given.token)
    if (!(await store.people.spendInvitation(digest, this.#now()))) throw said.invitation()
    let person: { id: string; name: string } | undefined
    try {
      person = await this.#accepting.run(true, async () => {
        const made = await context.internalAdapter.createUser(
          { name: given.name, email, emailVerified: false, role: invitation.role, disabled: false },
          { method: 'email-password' } as never,
        )
        await context.internalAdapter.linkAccount({ userId: made.id, providerId: 'credential', accountId: made.id, password: hash })
        return made
      })
    } catch (thrown) {
      await store.people.settleInvitation(digest, null)
      if ((await store.people.personByEmail(email)) !== null) throw said.taken()
      throw thrown
    }
    await store.people.settleInvitation(digest, person.id)
    await audit.record(person, 'person.joined', null, invitation.role)
    return this.signIn(email, given.password, headers)
  }

  /** Somebody whom the identity provider knows and we do not: with what role they come in. @throws APIError, whose code the sign-in page words */
  async #admit(email: string, headers: Headers | null): Promise<{ role: Role }> {
    const { provider, store } = this.#options
    if ((await store.people.countPeople()) >= accountLimits.people)
      throw new APIError('FORBIDDEN', { code: 'accounts_full', message: 'full' })
    const cookie = new RegExp(`(?:^|;\\s*)${invitationCookie}=([^;]*)`).exec(headers?.get('cookie') ?? '')?.[1]
    if (cookie !== undefined) {
      const digest = digestOf(decodeURIComponent(cookie))
      const row = await store.people.invitation(digest)
      if (row !== null && row.email !== null && row.email !== email.toLowerCase())
        throw new APIError('FORBIDDEN', { code: 'invitation_email', message: 'another address' })
      if (row !== null && (await store.people.spendInvitation(digest, this.#now()))) return { role: asRole(row.role) }
    }
    if (provider?.open === true) return { role: 'learner' }
    throw new APIError('FORBIDDEN', { code: 'invitation_needed', message: 'an invitation is needed' })
  }

  // ---- people, for admins

  async people(): Promise<PeopleView> {
    const { store } = this.#options
    const [people, open] = await Promise.all([store.people.people(accountLimits.people), store.people.invitations(this.#now())])
    const names = new Map(people.map(({ id, name }) => [id, name]))
    return {
      people: people.map((person) => ({ ...person, role: asRole(person.role) })),
      invitations: open.map((row) => ({
        id: row.id,
        role: asRole(row.role),
        email: row.email,
        createdAt: row.created_at,
        expiresAt: row.expires_at,
        by: row.created_by === null ? null : (names.get(row.created_by) ?? null),
      })),
    }
  }
  /** @throws LabError not-found */
  async withdraw(me: Identity, id: string): Promise<void> {
    if (!(await this.#options.store.people.deleteInvitation(id)))
      throw new LabError(
        'not-found',
        { en: 'There is no such open invitation.', ko: '열려 있는 그런 초대가 없습니다.' },
        { hint: { en: 'It may have been used: load the page again.', ko: '이미 사용되었을 수 있습니다. 화면을 다시 불러오십시오.' } },
      )
    await this.#options.audit.record(me, 'invitation.withdrawn')
  }
  /** @throws LabError not-found, conflict when no admin would be left */
  async actOn(me: Visitor, id: string, action: PersonAction): Promise<void> {
    const { audit, store } = this.#options
    const person = await store.people.person(id)
    if (person === null) throw said.nobody()
    const subject = { id: person.id, name: person.name }
    // Nor may it change the account that it was made by.
    if (id === me.id || (action.type === 'role' && action.role === 'admin')) requireScope(me, null)
    switch (action.type) {
      case 'role':
        if (!(await (action.role === 'admin' ? this.#set(id, { role: action.role }) : store.people.changeAdmin(id, { role: action.role }))))
          throw said.lastAdmin()
        await audit.record(me, 'person.role-changed', subject, `${person.role} → ${action.role}`)
        // What is open was let in as what they were.
        this.#options.onEnded({ person: id })
        return
      case 'disable':
        if (!(await store.people.changeAdmin(id, { disabled: true }))) throw said.lastAdmin()
        await this.#endAll(person)
        await audit.record(me, 'person.disabled', subject)
        return
      case 'enable':
        await store.people.updatePerson(id, { disabled: false })
        await audit.record(me, 'person.enabled', subject)
        return
      case 'sign-out':
        await this.#endAll(person)
        await audit.record(me, 'person.signed-out-by-admin', subject)
        return
      case 'delete':
        // Nothing new can begin once they may not sign in; then what they made goes, then they.
        if (!(await store.people.changeAdmin(id, { disabled: true }))) throw said.lastAdmin()
        await this.#endAll(person)
        await this.#options.erase(person, action.keepGrades)
        await store.people.changeAdmin(id, 'delete')
        await store.people.anonymise(person, '(deleted)')
        await audit.record(me, 'person.deleted', { id, name: '(deleted)' }, action.keepGrades ? 'grades kept' : null)
        return
    }
  }
  async #set(id: string, change: { role: Role }): Promise<true> {
    await this.#options.store.people.updatePerson(id, change)
    return true
  }
  async #endAll(person: Person): Promise<void> {
    await this.#options.store.people.endLogins(person.id)
    await this.tokens.endAll(person.id)
    this.#options.onEnded({ person: person.id })
  }
}
