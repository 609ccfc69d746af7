// Who is asking: client certificates, service account tokens, bootstrap tokens, or nobody. Knows nothing of what a user may do.
// Sources: apiserver/pkg/authentication/request/{x509,bearertoken,anonymous}, plugin/pkg/auth/authenticator/token/bootstrap.
import { createHash, X509Certificate } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { User } from '../kube.ts'
import type { Store } from './store.ts'
import type { Tokens } from './tokens.ts'

export const anonymous: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] }
const authenticated = (user: User): User =>
  user.groups.includes('system:authenticated') ? user : { ...user, groups: [...user.groups, 'system:authenticated'] }

interface Known {
  user: User
  /** epoch ms, for each authority that signed it */
  lives: [from: number, to: number][]
}

export class Authentication {
  readonly #store: Store
  readonly #clock: Clock
  readonly #tokens: Tokens
  readonly #authorities: readonly X509Certificate[]
  /** certificates whose signature was looked at: it does not change, the time does */
  readonly #known = new Map<string, Known>()

  /** `clientCa`: PEM, one or more certificates */
  constructor(options: { store: Store; clock: Clock; tokens: Tokens; clientCa: string }) {
    this.#store = options.store
    this.#clock = options.clock
    this.#tokens = options.tokens
    this.#authorities = (options.clientCa.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
      (pem) => new X509Certificate(pem),
    )
  }

  /**
   * `certificate` is the client's, PEM or DER, as the TLS layer got it, not yet verified; `authorization` the header. null: 401.
   * Nobody is anonymous; a credential that is wrong is not.
   */
  user(certificate: string | Uint8Array | undefined, authorization: string | undefined): User | null {
    if (certificate !== undefined && certificate.length > 0) {
      const user = this.#certificate(certificate)
      if (user !== undefined) return authenticated(user)
      if (authorization === undefined) return null
    }
    const bearer = /^bearer +(\S+)/i.exec(authorization ?? '')?.[1]
    if (bearer === undefined) return anonymous
    const user = this.#tokens.verify(bearer)?.user ?? this.#bootstrap(bearer)
    return user === undefined ? null : authenticated(user)
  }

  #certificate(bytes: string | Uint8Array): User | undefined {
    const key = typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('latin1')
    let known = this.#known.get(key)
    if (known === undefined) {
      known = this.#read(bytes)
      if (known === undefined) return undefined
      if (this.#known.size >= 100) this.#known.clear()
      this.#known.set(key, known)
    }
    const now = this.#clock.now()
    return known.lives.some(([from, to]) => now >= from && now <= to) ? known.user : undefined
  }
  #read(bytes: string | Uint8Array): Known | undefined {
    let certificate: X509Certificate
    try {
      certificate = new X509Certificate(bytes)
    } catch {
      return undefined
    }
    const lives = this.#authorities
      .filter((authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey))
      .map((authority): [number, number] => [
        Math.max(certificate.validFromDate.getTime(), authority.validFromDate.getTime()),
        Math.min(certificate.validToDate.getTime(), authority.validToDate.getTime()),
      ])
    // Extended key usage: a server's certificate is no client's.
    if (lives.length === 0 || (certificate.keyUsage !== undefined && !certificate.keyUsage.includes('1.3.6.1.5.5.7.3.2'))) return undefined
    const names = subject(certificate.subject)
    const name = names.find(([key]) => key === 'CN')?.[1]
    if (name === undefined) return undefined
    const print = createHash('sha256').update(certificate.raw).digest('hex')
    const user: User = {
      name,
      groups: names.filter(([key]) => key === 'O').map(([, value]) => value),
      extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${print}`] },
    }
    return { user, lives }
  }
  #bootstrap(token: string): User | undefined {
    const [, id, secret] = /^([a-z0-9]{6})\.([a-z0-9]{16})$/.exec(token) ?? []
    if (id === undefined) return undefined
    const stored = this.#store.get('secrets', 'kube-system', `bootstrap-token-${id}`)
    if (stored === undefined || stored.type !== 'bootstrap.kubernetes.io/token') return undefined
    const value = (key: string) => Buffer.from(stored.data?.[key] ?? '', 'base64').toString()
    if (value('token-id') !== id || value('token-secret') !== secret || value('usage-bootstrap-authentication') !== 'true') return undefined
    const expires = value('expiration')
    if (expires !== '' && !(Date.parse(expires) > this.#clock.now())) return undefined
    const groups = value('auth-extra-groups')
      .split(',')
      .map((group) => group.trim())
      .filter((group) => group.startsWith('system:bootstrappers:'))
    return { name: `system:bootstrap:${id}`, groups: ['system:bootstrappers', ...groups] }
  }
}
/** Node prints one `KEY=value` per line, several of a relative name joined by `+`. */
function subject(text: string): [key: string, value: string][] {
  return text
    .split(/\n|(?<!\\)\+(?=[A-Za-z.0-9]+=)/)
    .filter((line) => line.includes('='))
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1).replace(/\\(.)/g, '$1')])
}
