// A cluster's certificates: keys, authorities, what they issue, and how a Go client judges what it is shown. ECDSA P-256 throughout; real X.509,
// readable by openssl. Subjects, names and lifetimes after kubeadm (cmd/kubeadm/app/phases/certs). Knows nothing of files.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
  X509Certificate,
} from 'node:crypto'
import { isIP } from 'node:net'
import { bits, boolean, integer, octets, oid, parse, readOid, sequence, set, text, time, tlv, type Value } from './der.ts'

const day = 86_400_000
/** kubeadm's: ten years and one year. */
export const caLifetime = 3650 * day
export const leafLifetime = 365 * day

export interface KeyPair {
  /** PEM, `EC PRIVATE KEY` */
  privateKey: string
  /** PEM, `PUBLIC KEY` */
  publicKey: string
}
/** A certificate with its key, both PEM. */
export interface Issued {
  cert: string
  key: string
}
export interface Subject {
  commonName: string
  organizations?: readonly string[]
}
export type Usage = 'serverAuth' | 'clientAuth'

export function keyPair(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    privateKey: privateKey.export({ type: 'sec1', format: 'pem' }) as string,
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }) as string,
  }
}

const name = (subject: Subject): Buffer =>
  sequence(
    ...(subject.organizations?.length
      ? [set(...[...subject.organizations].sort().map((one) => sequence(oid('2.5.4.10'), text(one))))]
      : []),
    set(sequence(oid('2.5.4.3'), text(subject.commonName))),
  )
const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
  sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value))
const usageOids: Record<Usage, string> = { serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2' }
const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'))

export interface Wanted {
  subject: Subject
  /** epoch ms, default `notAfter` is the lifetime from `now`, `notBefore` five minutes before it, as kubeadm does */
  now: number
  lifetime?: number
  notBefore?: number
  /** an authority; it signs itself when there is no `issuer` */
  ca?: boolean
  usages?: readonly Usage[]
  /** DNS names and IP addresses */
  names?: readonly string[]
  /** signs; itself when left out */
  issuer?: Issued
  /** for a key that the one who asks keeps: its public half, SPKI DER */
  publicKey?: Buffer
}

const generalNames = (names: readonly string[]): Buffer[] =>
  names.map((one) =>
    isIP(one) === 0 ? tlv(0x82, Buffer.from(one)) : tlv(0x87, isIP(one) === 4 ? Buffer.from(one.split('.').map(Number)) : ipv6(one)),
  )

/** `key` is '' when the public key was given. */
export function issue(wanted: Wanted): Issued {
  const own = wanted.publicKey ? undefined : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = wanted.publicKey ?? (own?.publicKey.export({ type: 'spki', format: 'der' }) as Buffer)
  const keyId = createHash('sha1')
    .update(parse(spki).items[1]?.content.subarray(1) ?? spki)
    .digest()
  const issuer = wanted.issuer && authorityOf(wanted.issuer)
  const issuerName = issuer ? issuer.subject : name(wanted.subject)
  const issuerKeyId = issuer ? issuer.keyId : keyId
  const names = generalNames(wanted.names ?? [])
  const extensions = sequence(
    // digitalSignature, keyEncipherment; an authority also signs certificates.
    extension('2.5.29.15', true, wanted.ca ? bits(Buffer.from([0xa4]), 2) : bits(Buffer.from([0xa0]), 5)),
    ...(wanted.usages?.length ? [extension('2.5.29.37', false, sequence(...wanted.usages.map((usage) => oid(usageOids[usage]))))] : []),
    extension('2.5.29.19', true, wanted.ca ? sequence(boolean(true)) : sequence()),
    ...(wanted.ca ? [extension('2.5.29.14', false, octets(keyId))] : [extension('2.5.29.35', false, sequence(tlv(0x80, issuerKeyId)))]),
    ...(names.length ? [extension('2.5.29.17', false, sequence(...names))] : []),
  )
  const serial = randomBytes(8)
  serial[0] = ((serial[0] as number) & 0x7f) | 0x40
  const tbs = sequence(
    tlv(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    ecdsaWithSha256,
    issuerName,
    sequence(
      time(wanted.notBefore ?? wanted.now - 300_000),
      time(wanted.now + (wanted.lifetime ?? (wanted.ca ? caLifetime : leafLifetime))),
    ),
    name(wanted.subject),
    spki,
    tlv(0xa3, extensions),
  )
  const signature = sign('sha256', tbs, issuer?.key ?? (own?.privateKey as KeyObject))
  return {
    cert: pem('CERTIFICATE', sequence(tbs, ecdsaWithSha256, bits(signature))),
    key: (own?.privateKey.export({ type: 'sec1', format: 'pem' }) as string | undefined) ?? '',
  }
}
/** What an authority signs with, read once: it issues many. */
const authorities = new WeakMap<Issued, { subject: Buffer; keyId: Buffer; key: KeyObject }>()
function authorityOf(issuer: Issued): { subject: Buffer; keyId: Buffer; key: KeyObject } {
  let known = authorities.get(issuer)
  if (!known) {
    const certificate = new X509Certificate(issuer.cert)
    known = { subject: subjectDer(certificate), keyId: keyIdOf(certificate), key: createPrivateKey(issuer.key) }
    authorities.set(issuer, known)
  }
  return known
}

/** A PKCS#10 request: whose it is and what it asks; `names` are DNS names and IP addresses. @throws Error for what is none, or is not signed by its own key */
export function readRequest(text: string): { subject: Subject; publicKey: Buffer; names: string[]; emails: string[]; uris: string[] } {
  const body = /-----BEGIN CERTIFICATE REQUEST-----([\s\S]+?)-----END CERTIFICATE REQUEST-----/.exec(text)?.[1]
  if (!body) throw new Error('PEM block type must be CERTIFICATE REQUEST')
  const [info, algorithm, signature] = parse(Buffer.from(body, 'base64')).items
  const [, subject, spki, attributes] = info?.items ?? []
  if (!info || !subject || !spki || !algorithm?.items[0] || !signature) throw new Error('asn1: structure error')
  const digest = digests[readOid(algorithm.items[0])]
  const key = createPublicKey({ key: spki.whole, format: 'der', type: 'spki' })
  if (digest !== undefined && !verify(digest, info.whole, key, signature.content.subarray(1)))
    throw new Error('x509: signature of the request does not fit its key')
  return { subject: readName(subject), publicKey: spki.whole, ...alternativeNames(attributes) }
}
const digests: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
}
/** the subjectAltName among the extensions that a request asks for */
function alternativeNames(attributes: Value | undefined): { names: string[]; emails: string[]; uris: string[] } {
  const found = { names: [] as string[], emails: [] as string[], uris: [] as string[] }
  for (const attribute of attributes?.items ?? []) {
    const [id, values] = attribute.items
    if (!id || readOid(id) !== '1.2.840.113549.1.9.14') continue
    for (const one of values?.items[0]?.items ?? []) {
      const extensionId = one.items[0]
      const value = one.items.at(-1)
      if (!extensionId || !value || readOid(extensionId) !== '2.5.29.17') continue
      for (const { tag, content } of parse(value.content).items) {
        if (tag === 0x82) found.names.push(content.toString('latin1'))
        if (tag === 0x87) found.names.push(content.length === 4 ? [...content].join('.') : hexadecimal(content))
        if (tag === 0x81) found.emails.push(content.toString('latin1'))
        if (tag === 0x86) found.uris.push(content.toString('latin1'))
      }
    }
  }
  return found
}
const hexadecimal = (bytes: Buffer): string =>
  Array.from({ length: 8 }, (_, at) => ((bytes[at * 2] ?? 0) * 256 + (bytes[at * 2 + 1] ?? 0)).toString(16)).join(':')
/** A PKCS#10 request as client-go makes it for a kubelet. */
export function request(subject: Subject, key: string, names: readonly string[] = []): string {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' }) as Buffer
  const asked = sequence(oid('1.2.840.113549.1.9.14'), set(sequence(extension('2.5.29.17', false, sequence(...generalNames(names))))))
  const info = sequence(integer(Buffer.from([0])), name(subject), spki, tlv(0xa0, ...(names.length > 0 ? [asked] : [])))
  return pem('CERTIFICATE REQUEST', sequence(info, ecdsaWithSha256, bits(sign('sha256', info, createPrivateKey(key)))))
}
function readName(value: Value): Subject {
  let commonName = ''
  const organizations: string[] = []
  for (const rdn of value.items)
    for (const attribute of rdn.items) {
      const [id, content] = attribute.items
      if (!id || !content) continue
      if (readOid(id) === '2.5.4.3') commonName = content.content.toString('utf8')
      if (readOid(id) === '2.5.4.10') organizations.push(content.content.toString('utf8'))
    }
  return { commonName, organizations }
}
/** CN and Os of a certificate: what Kubernetes takes for user and groups. */
export const subjectOf = (certificate: X509Certificate): Subject => readName(parse(subjectDer(certificate)))

const tbsOf = (certificate: X509Certificate): Value => parse(Buffer.from(certificate.raw)).items[0] as Value
const subjectDer = (certificate: X509Certificate): Buffer => {
  const items = tbsOf(certificate).items
  return (items[items[0]?.tag === 0xa0 ? 5 : 4] as Value).whole
}
const keyIdOf = (certificate: X509Certificate): Buffer => {
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' }) as Buffer
  return createHash('sha1')
    .update(parse(spki).items[1]?.content.subarray(1) ?? spki)
    .digest()
}
const ipv6 = (address: string): Buffer => {
  const [head = '', tail] = address.split('::')
  const groups = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)))
  const front = groups(head)
  const back = tail === undefined ? [] : groups(tail)
  const all = tail === undefined ? front : [...front, ...Array(8 - front.length - back.length).fill(0), ...back]
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 255]))
}
export const pem = (label: string, der: Uint8Array): string =>
  `-----BEGIN ${label}-----\n${(
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  ).join('\n')}\n-----END ${label}-----\n`

/** Every certificate of a PEM text; [] for none. */
export function certificates(text: string): X509Certificate[] {
  const found: X509Certificate[] = []
  for (const [block] of text.matchAll(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g)) {
    let certificate = read.get(block)
    try {
      certificate ??= new X509Certificate(block)
    } catch {
      // Go passes over what it cannot parse, too.
      continue
    }
    if (read.size >= mostRead) read.delete(read.keys().next().value as string)
    read.set(block, certificate)
    found.push(certificate)
  }
  return found
}
/** PEM → what it says: an authority is in every kubeconfig and pod of its lab */
const read = new Map<string, X509Certificate>()
/** some twenty of each of the labs of a process */
const mostRead = 512
/** Does this private key belong to this certificate? False for what is neither. */
export function matches(certificate: X509Certificate, key: string | KeyObject): boolean {
  try {
    return certificate.checkPrivateKey(typeof key === 'string' ? createPrivateKey(key) : key)
  } catch {
    return false
  }
}

const goTime = (ms: number) => new Date(Math.floor(ms / 1000) * 1000).toISOString().replace('.000Z', 'Z')
const validFrom = (certificate: X509Certificate) => Date.parse(certificate.validFrom)
const validTo = (certificate: X509Certificate) => Date.parse(certificate.validTo)

/**
 * Go's crypto/x509 over one certificate and the authorities that are trusted: undefined when it is good, else Go's words
 * (crypto/x509/verify.go), without the `tls: failed to verify certificate: ` before them. `host`: a name or address that it must be for.
 */
export function distrust(
  certificate: X509Certificate,
  authorities: readonly X509Certificate[],
  now: number,
  host?: string,
): string | undefined {
  if (now < validFrom(certificate))
    return `x509: certificate has expired or is not yet valid: current time ${goTime(now)} is before ${goTime(validFrom(certificate))}`
  if (now > validTo(certificate))
    return `x509: certificate has expired or is not yet valid: current time ${goTime(now)} is after ${goTime(validTo(certificate))}`
  if (host !== undefined) {
    const wrong = wrongHost(certificate, host)
    if (wrong) return wrong
  }
  const issuers = authorities.filter((authority) => authority.subject === certificate.issuer)
  let hint: string | undefined
  for (const issuer of issuers) {
    if (!signedBy(certificate, issuer)) {
      hint = `x509: certificate signed by unknown authority (possibly because of "x509: ECDSA verification failure" while trying to verify candidate authority certificate "${subjectOf(issuer).commonName}")`
      continue
    }
    if (now > validTo(issuer) || now < validFrom(issuer))
      return `x509: certificate has expired or is not yet valid: current time ${goTime(now)} is ${now > validTo(issuer) ? `after ${goTime(validTo(issuer))}` : `before ${goTime(validFrom(issuer))}`}`
    return undefined
  }
  return hint ?? 'x509: certificate signed by unknown authority'
}
/** of certificates that are read once in a process: a signature does not change */
const signatures = new WeakMap<X509Certificate, WeakMap<X509Certificate, boolean>>()
function signedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  const known = signatures.get(certificate) ?? new WeakMap<X509Certificate, boolean>()
  signatures.set(certificate, known)
  const is = known.get(issuer) ?? certificate.verify(issuer.publicKey)
  known.set(issuer, is)
  return is
}
function wrongHost(certificate: X509Certificate, host: string): string | undefined {
  const names = (certificate.subjectAltName ?? '').split(', ')
  const addresses = names.filter((one) => one.startsWith('IP Address:')).map((one) => one.slice('IP Address:'.length))
  const domains = names.filter((one) => one.startsWith('DNS:')).map((one) => one.slice('DNS:'.length))
  if (isIP(host)) {
    if (addresses.includes(host)) return undefined
    if (addresses.length === 0) return `x509: cannot validate certificate for ${host} because it doesn't contain any IP SANs`
    return `x509: certificate is valid for ${addresses.join(', ')}, not ${host}`
  }
  const lower = host.toLowerCase()
  if (domains.some((one) => one.toLowerCase() === lower || (one.startsWith('*.') && lower.slice(lower.indexOf('.')) === one.slice(1))))
    return undefined
  if (domains.length === 0)
    return addresses.length === 0
      ? 'x509: certificate relies on legacy Common Name field, use SANs instead'
      : `x509: certificate is not valid for any names, but wanted to match ${host}`
  return `x509: certificate is valid for ${domains.join(', ')}, not ${host}`
}

/** A JWT, signed by ES256. `key`: PEM, or what was read from it. */
export function signJwt(claims: unknown, key: string | KeyObject, keyId?: string): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const body = `${part({ alg: 'ES256', ...(keyId ? { kid: keyId } : {}) })}.${part(claims)}`
  return `${body}.${sign('sha256', Buffer.from(body), {
    key: typeof key === 'string' ? createPrivateKey(key) : key,
    dsaEncoding: 'ieee-p1363',
  }).toString('base64url')}`
}

/** What `kubeadm init phase certs all` leaves in /etc/kubernetes/pki, by path below it. */
export interface ClusterPki {
  files: Record<string, string>
  ca: Issued
}
/** `keep`: files that are there already are not made anew (an authority without its certificates, as kubeadm does). */
export function clusterPki(of: { name: string; address: string; serviceIp: string; names: readonly string[]; now: number }): ClusterPki {
  const { now } = of
  const ca = issue({ subject: { commonName: 'kubernetes' }, ca: true, names: ['kubernetes'], now })
  const front = issue({ subject: { commonName: 'front-proxy-ca' }, ca: true, names: ['front-proxy-ca'], now })
  const etcd = issue({ subject: { commonName: 'etcd-ca' }, ca: true, names: ['etcd-ca'], now })
  const files: Record<string, string> = {}
  const put = (path: string, issued: Issued) => {
    files[`${path}.crt`] = issued.cert
    files[`${path}.key`] = issued.key
  }
  put('ca', ca)
  put('front-proxy-ca', front)
  put('etcd/ca', etcd)
  for (const leaf of leafCertificates(of))
    put(leaf.path, issue({ ...leaf.wanted, now, issuer: { ca, 'front-proxy-ca': front, 'etcd/ca': etcd }[leaf.issuer] as Issued }))
  const sa = keyPair()
  files['sa.key'] = sa.privateKey
  files['sa.pub'] = sa.publicKey
  return { files, ca }
}
export interface Leaf {
  /** kubeadm’s name of it: apiserver, etcd-server … */
  name: string
  /** below /etc/kubernetes/pki, without suffix */
  path: string
  issuer: 'ca' | 'front-proxy-ca' | 'etcd/ca'
  wanted: Omit<Wanted, 'now'>
}
export function leafCertificates(of: { name: string; address: string; serviceIp: string; names: readonly string[] }): readonly Leaf[] {
  const client = (commonName: string, organizations?: readonly string[]): Omit<Wanted, 'now'> => ({
    subject: { commonName, ...(organizations ? { organizations } : {}) },
    usages: ['clientAuth'],
  })
  const etcdNames = [of.name, 'localhost', of.address, '127.0.0.1', '::1']
  return [
    {
      name: 'apiserver',
      path: 'apiserver',
      issuer: 'ca',
      wanted: {
        subject: { commonName: 'kube-apiserver' },
        usages: ['serverAuth'],
        names: [
          of.name,
          'kubernetes',
          'kubernetes.default',
          'kubernetes.default.svc',
          'kubernetes.default.svc.cluster.local',
          ...of.names.filter((one) => !isIP(one)),
          of.serviceIp,
          of.address,
          ...of.names.filter((one) => isIP(one)),
        ],
      },
    },
    {
      name: 'apiserver-kubelet-client',
      path: 'apiserver-kubelet-client',
      issuer: 'ca',
      wanted: client('kube-apiserver-kubelet-client', ['kubeadm:cluster-admins']),
    },
    { name: 'front-proxy-client', path: 'front-proxy-client', issuer: 'front-proxy-ca', wanted: client('front-proxy-client') },
    {
      name: 'etcd-server',
      path: 'etcd/server',
      issuer: 'etcd/ca',
      wanted: { subject: { commonName: of.name }, usages: ['serverAuth', 'clientAuth'], names: etcdNames },
    },
    {
      name: 'etcd-peer',
      path: 'etcd/peer',
      issuer: 'etcd/ca',
      wanted: { subject: { commonName: of.name }, usages: ['serverAuth', 'clientAuth'], names: etcdNames },
    },
    {
      name: 'etcd-healthcheck-client',
      path: 'etcd/healthcheck-client',
      issuer: 'etcd/ca',
      wanted: client('kube-etcd-healthcheck-client'),
    },
    { name: 'apiserver-etcd-client', path: 'apiserver-etcd-client', issuer: 'etcd/ca', wanted: client('kube-apiserver-etcd-client') },
  ]
}
