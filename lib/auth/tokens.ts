// Tokens by which programs ask in a person's name: made once, kept as a hash, never worth more than their person and their scopes.
// Knows rows and people; knows nothing of routes. A token comes in the Authorization header and nowhere else: a browser sends none by
// itself, so that a request with a token and without a cookie cannot be another site's page in disguise.
import { createHash, randomBytes } from 'node:crypto'
import {
  isForRole,
  LabError,
  type MakeToken,
  type NewToken,
  role as roleOf,
  type TokenView,
  tokenLimits,
  tokenScope,
} from '#lib/protocol/index.ts'
import type { Store, TokenRow } from '#lib/store/index.ts'
import type { Audit } from './audit.ts'
import type { Visitor } from './index.ts'
import { Limiter } from './limiter.ts'

export interface ApiTokensOptions {
  store: Store
  audit: Audit
  /** what was opened by a token is to be closed */
  onEnded: (of: { login: string }) => void
  now?: () => number
}

const dayMs = 86_400_000
/** how exactly it is known when one was last used; a write for every request would be too many */
const touchMs = 60_000
const shape = new RegExp(`^${tokenLimits.prefix}[\\w-]{43}$`)
const digestOf = (token: string): string => createHash('sha256').update(token).digest('hex')
/** A token's place among sign-ins: what is open by it ends with it. */
const loginOf = (id: string): string => `token:${id}`

interface Asking {
  authorization?: string | undefined
  cookie?: string | undefined
}
/**
 * The token by which a request asks; undefined when it asks by none. Beside a cookie only what looks like one of ours is one: a proxy in
 * front may add tokens of its own.
 */
export function bearerOf({ authorization, cookie }: Asking): string | undefined {
  const token = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
  return cookie === undefined || token?.startsWith(tokenLimits.prefix) ? token : undefined
}
/** Whether a request asks by a token alone, so that no page can have been made to send it. */
export const isByTokenAlone = (asking: Asking): boolean => asking.cookie === undefined && bearerOf(asking) !== undefined

const makeNew = {
  en: 'Make a new token on the page of your account, and give it to the program.',
  ko: '계정 화면에서 토큰을 새로 만들어 프로그램에 넣으십시오.',
}
const said = {
  wrong: () =>
    new LabError(
      'unauthorized',
      {
        en: 'This token is not valid: it is incomplete, or it has been revoked.',
        ko: '유효하지 않은 토큰입니다. 일부가 빠졌거나 폐기된 토큰입니다.',
      },
      { hint: makeNew },
    ),
  expired: (at: number) => {
    const day = new Date(at).toISOString().slice(0, 10)
    return new LabError(
      'unauthorized',
      { en: `This token expired on ${day} (UTC).`, ko: `${day}(UTC)에 만료된 토큰입니다.` },
      { hint: makeNew },
    )
  },
  beyond: (scope: string) =>
    new LabError(
      'forbidden',
      {
        en: `A token cannot do more than its person: "${scope}" is nothing that your role may do.`,
        ko: `토큰은 본인의 권한을 넘을 수 없습니다. "${scope}"은(는) 지금 역할로 할 수 없는 일입니다.`,
      },
      { hint: { en: 'Leave this scope out.', ko: '이 범위를 빼십시오.' } },
    ),
  full: () =>
    new LabError(
      'capacity-exceeded',
      {
        en: `You have ${tokenLimits.tokens} tokens, which is the most.`,
        ko: `토큰이 최대 수(${tokenLimits.tokens}개)에 이르렀습니다.`,
      },
      { hint: { en: 'Revoke one that nothing uses any more.', ko: '더 이상 쓰지 않는 토큰을 폐기하십시오.' } },
    ),
  none: () =>
    new LabError(
      'not-found',
      { en: 'There is no such token of yours.', ko: '그런 토큰이 없습니다.' },
      {
        hint: {
          en: 'It may have been revoked already: load the page again.',
          ko: '이미 폐기되었을 수 있습니다. 화면을 다시 불러오십시오.',
        },
      },
    ),
}

export class ApiTokens {
  readonly #options: ApiTokensOptions
  readonly #now: () => number
  /**
   * Wrong ones by address. A right one is never kept out by them: one forgotten program would else shut out a whole school behind one
   * address, and 256 random bits are not guessed.
   */
  readonly #refused: Limiter

  constructor(options: ApiTokensOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#refused = new Limiter({ times: 20, perMs: 5 * 60_000, now: this.#now })
  }

  /**
   * Who asks by this token, with the role that they have now.
   * @param address from where
   * @throws LabError unauthorized when it is none, has expired, was revoked, or its person may not sign in; rate-limited
   */
  async identify(token: string, address: string): Promise<Visitor> {
    const { store } = this.#options
    const row = shape.test(token) ? await store.tokens.byDigest(digestOf(token)) : null
    const person = row === null ? null : await store.people.person(row.person_id)
    const now = this.#now()
    if (row === null || person === null || person.disabled || row.expires_at <= now) {
      this.#refused.take(address)
      throw row !== null && row.expires_at <= now ? said.expired(row.expires_at) : said.wrong()
    }
    if (row.used_at === null || now - row.used_at >= touchMs) await store.tokens.touch(row.id, now)
    const { email, id, name, role } = person
    return {
      id,
      name,
      email,
      role: roleOf.catch('learner').parse(role),
      login: loginOf(row.id),
      token: { name: row.name, scopes: scopesOf(row) },
    }
  }

  async list(me: Visitor): Promise<TokenView[]> {
    return (await this.#options.store.tokens.list(me.id)).map(viewOf)
  }
  /** @throws LabError forbidden for a scope beyond one's role, capacity-exceeded */
  async make(me: Visitor, { days, name, scopes }: MakeToken): Promise<NewToken> {
    const { audit, store } = this.#options
    const beyond = scopes.find((scope) => !isForRole(scope, me.role))
    if (beyond !== undefined) throw said.beyond(beyond)
    const now = this.#now()
    await store.tokens.prune(now - 30 * dayMs)
    const token = `${tokenLimits.prefix}${randomBytes(32).toString('base64url')}`
    const row: TokenRow = {
      id: randomBytes(8).toString('hex'),
      person_id: me.id,
      digest: digestOf(token),
      name,
      scopes: tokenScope.options.filter((scope) => scopes.includes(scope)).join(' '),
      created_at: now,
      expires_at: now + days * dayMs,
      used_at: null,
    }
    if (!(await store.tokens.insert(row, { most: tokenLimits.tokens, now }))) throw said.full()
    await audit.record(me, 'token.made', null, `${name}: ${row.scopes}; ${days} d`)
    return { ...viewOf(row), token }
  }
  /** @throws LabError not-found, also for somebody else's */
  async revoke(me: Visitor, id: string): Promise<void> {
    const { audit, onEnded, store } = this.#options
    const name = (await store.tokens.list(me.id)).find((row) => row.id === id)?.name
    if (!(await store.tokens.remove(me.id, id))) throw said.none()
    onEnded({ login: loginOf(id) })
    await audit.record(me, 'token.revoked', null, name ?? null)
  }
  /** All of a person, who is shown the door. */
  async endAll(person: string): Promise<void> {
    for (const id of await this.#options.store.tokens.removeAll(person)) this.#options.onEnded({ login: loginOf(id) })
  }
}

const scopesOf = (row: TokenRow): TokenView['scopes'] =>
  row.scopes.split(' ').flatMap((scope) => {
    const known = tokenScope.safeParse(scope)
    return known.success ? [known.data] : []
  })
const viewOf = (row: TokenRow): TokenView => ({
  id: row.id,
  name: row.name,
  scopes: scopesOf(row),
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  usedAt: row.used_at,
})
