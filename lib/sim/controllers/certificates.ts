// CertificateSigningRequests: the kubelets' own are approved, what is approved is signed with the cluster's key, what is old is removed
// (pkg/controller/certificates).
import { isIP } from 'node:net'
import type { KubeObject } from '../kube.ts'
import { issue, readRequest, type Usage } from '../pki.ts'
import type { Run } from './context.ts'
import { unless } from './context.ts'
import { parseTime, stamp } from './objects.ts'

const resource = 'certificates.k8s.io/v1/certificatesigningrequests'
const clientSigner = 'kubernetes.io/kube-apiserver-client'
const kubeletSigner = 'kubernetes.io/kube-apiserver-client-kubelet'
const servingSigner = 'kubernetes.io/kubelet-serving'
// --cluster-signing-duration; cleaner.go: approvedExpiration, deniedExpiration, pendingExpiration, pollingInterval
const year = 365 * 86_400_000
const hour = 3_600_000
const leastMs = 600_000

const has = (csr: KubeObject, type: string): boolean =>
  (csr.status?.conditions ?? []).some((one: KubeObject) => one.type === type && (one.status ?? 'True') === 'True')
const decode = (csr: KubeObject) => readRequest(Buffer.from(csr.spec.request, 'base64').toString())
const kubeletUsages = (usages: readonly string[], auth: string): boolean => {
  const own = [...usages].sort().join()
  return own === ['digital signature', auth].sort().join() || own === ['digital signature', 'key encipherment', auth].sort().join()
}
/** undefined when it is a kubelet's client request, else what is wrong with it */
function kubeletClientProblem(csr: KubeObject): string | undefined {
  const { subject, names, emails, uris } = decode(csr)
  if ((subject.organizations ?? []).join() !== 'system:nodes') return 'subject organization is not system:nodes'
  if (names.some((name) => isIP(name) === 0)) return 'DNS subjectAltNames are not allowed'
  if (emails.length > 0) return 'Email subjectAltNames are not allowed'
  if (names.length > 0) return 'IP subjectAltNames are not allowed'
  if (uris.length > 0) return 'URI subjectAltNames are not allowed'
  if (!subject.commonName.startsWith('system:node:')) return 'subject common name does not begin with system:node:'
  if (!kubeletUsages(csr.spec.usages, 'client auth')) return 'usages did not match [client auth digital signature key encipherment]'
  return undefined
}
function servingProblem(csr: KubeObject): string | undefined {
  const { subject, names, emails, uris } = decode(csr)
  if ((subject.organizations ?? []).join() !== 'system:nodes') return 'subject organization is not system:nodes'
  if (names.length === 0) return 'DNS or IP subjectAltName is required'
  if (emails.length > 0) return 'Email subjectAltNames are not allowed'
  if (uris.length > 0) return 'URI subjectAltNames are not allowed'
  if (!kubeletUsages(csr.spec.usages, 'server auth')) return 'usages did not match [digital signature key encipherment server auth]'
  return subject.commonName.startsWith('system:node:') ? undefined : 'subject common name does not begin with system:node:'
}
function clientProblem(csr: KubeObject): string | undefined {
  for (const usage of csr.spec.usages as string[]) {
    if (!['digital signature', 'key encipherment', 'client auth'].includes(usage)) return `invalid usage for client certificate: ${usage}`
  }
  return csr.spec.usages.includes('client auth') ? undefined : 'missing required usage for client certificate: client auth'
}
const problems: Readonly<Record<string, (csr: KubeObject) => string | undefined>> = {
  [clientSigner]: clientProblem,
  [kubeletSigner]: kubeletClientProblem,
  [servingSigner]: servingProblem,
}

export function startCertificateApproving(run: Run): void {
  const client = run.client('certificate-controller')
  const queue = run.queue('certificate', (name) => {
    const csr = run.reader.find(resource, name)
    if (csr === undefined || csr.status?.certificate || has(csr, 'Approved') || has(csr, 'Denied')) return
    if (csr.spec.signerName !== kubeletSigner || problem(() => kubeletClientProblem(csr)) !== undefined) return
    const { subject } = decode(csr)
    for (const [subresource, message, recognized] of [
      [
        'selfnodeclient',
        'Auto approving self kubelet client certificate after SubjectAccessReview.',
        subject.commonName === csr.spec.username,
      ],
      ['nodeclient', 'Auto approving kubelet client certificate after SubjectAccessReview.', true],
    ] as const) {
      if (!recognized) continue
      const { username: user, uid, groups, extra } = csr.spec
      const resourceAttributes = {
        group: 'certificates.k8s.io',
        resource: 'certificatesigningrequests',
        verb: 'create',
        subresource,
        version: '*',
      }
      const review = client.create('authorization.k8s.io/v1/subjectaccessreviews', {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        metadata: {},
        spec: { user, groups, resourceAttributes, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) },
      })
      if (review.status?.allowed !== true) continue
      const now = stamp(run.clock.now())
      const approval = { type: 'Approved', status: 'True', reason: 'AutoApproved', message, lastUpdateTime: now, lastTransitionTime: now }
      const conditions = [...(csr.status?.conditions ?? []), approval]
      client.update(resource, { ...csr, status: { ...csr.status, conditions } }, { subresource: 'approval' })
      return
    }
  })
  const add = (csr: KubeObject) => queue.add(csr.metadata.name)
  run.watch(resource, { added: add, updated: add })
}
/** a request that cannot be read is wrong, too */
function problem(look: () => string | undefined): string | undefined {
  try {
    return look()
  } catch (error) {
    return (error as Error).message
  }
}

export function startCertificateSigning(run: Run): void {
  const client = run.client('certificate-controller')
  const queue = run.queue('certificate_signing', (name) => {
    const csr = run.reader.find(resource, name)
    const ca = run.options.signingCa
    if (csr === undefined || ca === undefined || csr.status?.certificate || !has(csr, 'Approved') || has(csr, 'Failed')) return
    const check = problems[csr.spec.signerName]
    if (check === undefined) return
    const now = run.clock.now()
    const wrong = problem(() => check(csr))
    if (wrong !== undefined) {
      const failed = { type: 'Failed', status: 'True', reason: 'SignerValidationFailure', message: wrong, lastUpdateTime: stamp(now) }
      const conditions = [...(csr.status?.conditions ?? []), { ...failed, lastTransitionTime: stamp(now) }]
      client.update(resource, { ...csr, status: { ...csr.status, conditions } }, { subresource: 'status' })
      return
    }
    const { subject, publicKey, names } = decode(csr)
    const wanted: number | undefined = csr.spec.expirationSeconds
    const lifetime = wanted === undefined ? year : Math.max(leastMs, Math.min(year, wanted * 1000))
    const usages = (csr.spec.usages as string[]).flatMap((usage): Usage[] =>
      usage === 'client auth' ? ['clientAuth'] : usage === 'server auth' ? ['serverAuth'] : [],
    )
    const { cert } = issue({ subject, publicKey, names, usages, now, lifetime, issuer: ca })
    const certificate = Buffer.from(cert).toString('base64')
    client.update(resource, { ...csr, status: { ...csr.status, certificate } }, { subresource: 'status' })
  })
  const add = (csr: KubeObject) => queue.add(csr.metadata.name)
  run.watch(resource, { added: add, updated: add })
}

export function startCertificateCleaner(run: Run): void {
  const client = run.client('certificate-controller')
  run.watch(resource, {})
  run.every(hour, () => {
    const now = run.clock.now()
    for (const csr of run.seen(resource).values()) {
      const age = now - parseTime(csr.metadata.creationTimestamp)
      const changed = (type: string) =>
        (csr.status?.conditions ?? []).some((one: KubeObject) => one.type === type && now - parseTime(one.lastUpdateTime) > hour)
      const settled = csr.status?.certificate || has(csr, 'Approved') || has(csr, 'Denied') || has(csr, 'Failed')
      if (changed('Approved') || changed('Denied') || changed('Failed') || (!settled && age > 24 * hour)) {
        unless([404], () => client.delete(resource, csr.metadata.name))
      }
    }
  })
}
