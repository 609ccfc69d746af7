// Service account tokens: JSON Web Tokens signed and verified with the cluster's keys by node:crypto, synchronously. Knows nothing of HTTP.
// Sources: pkg/serviceaccount/{jwt,claims,legacy}.go
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { KubeObject, User } from '../kube.ts'
import type { Random } from '../random.ts'
import type { Store } from './store.ts'

export interface ServiceAccountKeys {
  issuer: string
  /** PEM */
  privateKey: string
  /** PEM, each may hold several */
  publicKeys: readonly string[]
}
const legacyIssuer = 'kubernetes/serviceaccount'
/** an ordinary pod token lives a year in fact, so that old clients that do not read it again go on */
const extended = 365 * 24 * 3600
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

interface Payload {
  iss?: string
  sub?: string
  aud?: string | string[]
  exp?: number
  nbf?: number
  jti?: string
  'kubernetes.io'?: {
    namespace: string
    serviceaccount: { name: string; uid: string }
    pod?: { name: string; uid: string }
    node?: { name: string; uid: string }
    secret?: { name: string; uid: string }
  }
  [claim: string]: unknown
}

/** What keys have been found to have signed, by their digest: a server that comes back with them need not find out again. */
const verified = new Map<string, Map<string, Payload>>()
const mostKeys = 64
function verifiedBy(keys: readonly string[]): Map<string, Payload> {
  const digest = createHash('sha256').update(keys.join('\0')).digest('base64')
  const known = verified.get(digest) ?? new Map<string, Payload>()
  verified.delete(digest)
  if (verified.size >= mostKeys) verified.delete(verified.keys().next().value as string)
  verified.set(digest, known)
  return known
}

export class Tokens {
  readonly #store: Store
  readonly #clock: Clock
  readonly #random: Random
  readonly #issuer: string
  readonly #private: KeyObject
  readonly #publics: readonly KeyObject[]
  /** verified payloads by token: a signature does not change, the rest is looked at each time */
  readonly #verified: Map<string, Payload>

  /** throws when a key cannot be read */
  constructor(options: { store: Store; clock: Clock; random: Random; keys: ServiceAccountKeys }) {
    this.#store = options.store
    this.#clock = options.clock
    this.#random = options.random
    this.#issuer = options.keys.issuer
    this.#private = createPrivateKey(options.keys.privateKey)
    this.#verified = verifiedBy(options.keys.publicKeys)
    this.#publics = options.keys.publicKeys.flatMap((pem) =>
      (pem.match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----/g) ?? []).map((one) => createPublicKey(one)),
    )
  }
  get issuer(): string {
    return this.#issuer
  }

  /** `seconds` as asked; `bound` is the pod, node or secret that the token dies with. Returns when the client should take it to expire (epoch s). */
  issue(
    account: KubeObject,
    options: { audiences: readonly string[]; seconds: number; bound?: KubeObject; node?: KubeObject },
  ): { token: string; expires: number } {
    const now = Math.floor(this.#clock.now() / 1000)
    const { audiences, seconds, bound, node } = options
    const audience = audiences.length === 0 ? [this.#issuer] : audiences
    // Only what the volume of every pod asks for is extended: 3607 s for the API's own audience.
    const extend = bound?.kind === 'Pod' && seconds === 3607 && audience.length === 1 && audience[0] === this.#issuer
    const reference = (object: KubeObject) => ({ name: object.metadata.name, uid: object.metadata.uid })
    const payload: Payload = {
      aud: audience as string[],
      exp: now + (extend ? extended : seconds),
      iat: now,
      iss: this.#issuer,
      jti: this.#random.uuid(),
      'kubernetes.io': {
        namespace: account.metadata.namespace,
        ...(node === undefined ? {} : { node: reference(node) }),
        ...(bound?.kind === 'Pod' ? { pod: reference(bound) } : {}),
        ...(bound?.kind === 'Secret' ? { secret: reference(bound) } : {}),
        serviceaccount: reference(account),
        ...(extend ? { warnafter: now + seconds } : {}),
      } as NonNullable<Payload['kubernetes.io']>,
      nbf: now,
      sub: `system:serviceaccount:${account.metadata.namespace}:${account.metadata.name}`,
    }
    return { token: signed(payload, this.#private), expires: now + seconds }
  }
  /** undefined when it is no token of this cluster, is expired, or what it is bound to is gone */
  verify(token: string, audiences: readonly string[] = [this.#issuer]): { user: User; audiences: readonly string[] } | undefined {
    const payload = this.#payload(token)
    if (payload === undefined) return undefined
    return payload.iss === legacyIssuer ? this.#legacy(payload, token, audiences) : this.#bound(payload, audiences)
  }
  #bound(payload: Payload, audiences: readonly string[]): { user: User; audiences: readonly string[] } | undefined {
    const now = this.#clock.now() / 1000
    const claims = payload['kubernetes.io']
    if (payload.iss !== this.#issuer || claims === undefined) return undefined
    if ((payload.exp ?? 0) <= now || (payload.nbf ?? 0) > now + 10) return undefined
    const of = typeof payload.aud === 'string' ? [payload.aud] : (payload.aud ?? [])
    const shared = audiences.filter((one) => of.includes(one))
    if (shared.length === 0) return undefined
    const { namespace, serviceaccount, pod, node, secret } = claims
    const lives = (bucket: string, reference: { name: string; uid: string } | undefined, space: string) => {
      if (reference === undefined) return true
      const object = this.#store.get(bucket, space, reference.name)
      if (object === undefined || object.metadata.uid !== reference.uid) return false
      // A minute after its end nobody needs the token of what is being deleted.
      const deleted = object.metadata.deletionTimestamp
      return deleted === undefined || Date.parse(deleted) / 1000 + 60 > now
    }
    if (!lives('serviceaccounts', serviceaccount, namespace)) return undefined
    if (!lives('pods', pod, namespace) || !lives('secrets', secret, namespace)) return undefined
    if (pod === undefined && !lives('nodes', node, '')) return undefined
    const extra: Record<string, string[]> = {
      ...(payload.jti === undefined ? {} : { 'authentication.kubernetes.io/credential-id': [`JTI=${payload.jti}`] }),
      ...(node === undefined
        ? {}
        : { 'authentication.kubernetes.io/node-name': [node.name], 'authentication.kubernetes.io/node-uid': [node.uid] }),
      ...(pod === undefined
        ? {}
        : { 'authentication.kubernetes.io/pod-name': [pod.name], 'authentication.kubernetes.io/pod-uid': [pod.uid] }),
    }
    return { user: { ...serviceAccountUser(namespace, serviceaccount.name), uid: serviceaccount.uid, extra }, audiences: shared }
  }
  #legacy(payload: Payload, token: string, audiences: readonly string[]): { user: User; audiences: readonly string[] } | undefined {
    const claim = (name: string) => String(payload[`kubernetes.io/serviceaccount/${name}`] ?? '')
    const namespace = claim('namespace')
    const secret = this.#store.get('secrets', namespace, claim('secret.name'))
    const account = this.#store.get('serviceaccounts', namespace, claim('service-account.name'))
    if (secret === undefined || account?.metadata.uid !== claim('service-account.uid')) return undefined
    if (Buffer.from(secret.data?.token ?? '', 'base64').toString() !== token) return undefined
    if (!audiences.includes(this.#issuer)) return undefined
    return { user: { ...serviceAccountUser(namespace, account.metadata.name), uid: account.metadata.uid }, audiences: [this.#issuer] }
  }

  /** for /openid/v1/jwks */
  keys(): KubeObject {
    return {
      keys: this.#publics.map((key) => ({
        use: 'sig',
        kid: keyId(key),
        alg: algorithm(key),
        ...key.export({ format: 'jwk' }),
      })),
    }
  }

  #payload(token: string): Payload | undefined {
    const known = this.#verified.get(token)
    if (known !== undefined) return known
    const [header, body, signature, more] = token.split('.')
    if (!header || !body || !signature || more !== undefined) return undefined
    const bytes = Buffer.from(signature, 'base64url')
    const text = Buffer.from(`${header}.${body}`)
    const signed = this.#publics.some((key) => {
      try {
        return verify('sha256', text, { key, dsaEncoding: 'ieee-p1363' }, bytes)
      } catch {
        return false
      }
    })
    if (!signed) return undefined
    try {
      const payload: Payload = JSON.parse(Buffer.from(body, 'base64url').toString())
      if (this.#verified.size >= 200) this.#verified.clear()
      this.#verified.set(token, payload)
      return payload
    } catch {
      return undefined
    }
  }
}
const keyId = (publicKey: KeyObject): string =>
  createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url')
const keyIds = new WeakMap<KeyObject, string>()
function privateKeyId(key: KeyObject): string {
  const id = keyIds.get(key) ?? keyId(createPublicKey(key))
  keyIds.set(key, id)
  return id
}
function signed(payload: Payload, key: KeyObject): string {
  const text = `${encode({ alg: algorithm(key), kid: privateKeyId(key) })}.${encode(payload)}`
  return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}
/**
 * Signs the tokens of Secrets of type kubernetes.io/service-account-token, as kube-controller-manager does with --service-account-private-key-file (PEM).
 * @throws Error with client-go's words for what is no private key
 */
export function secretTokenSigner(pem: string): (claims: { namespace: string; serviceAccount: KubeObject; secret: KubeObject }) => string {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    throw new Error('data does not contain a valid RSA or ECDSA private key')
  }
  return ({ namespace, serviceAccount, secret }) =>
    signed(
      {
        iss: legacyIssuer,
        'kubernetes.io/serviceaccount/namespace': namespace,
        'kubernetes.io/serviceaccount/secret.name': secret.metadata.name,
        'kubernetes.io/serviceaccount/service-account.name': serviceAccount.metadata.name,
        'kubernetes.io/serviceaccount/service-account.uid': serviceAccount.metadata.uid,
        sub: `system:serviceaccount:${namespace}:${serviceAccount.metadata.name}`,
      },
      key,
    )
}
const algorithm = (key: KeyObject): string => (key.asymmetricKeyType === 'ec' ? 'ES256' : 'RS256')

export const serviceAccountUser = (namespace: string, name: string): User => ({
  name: `system:serviceaccount:${namespace}:${name}`,
  groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
})
