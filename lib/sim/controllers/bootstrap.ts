// Bootstrap tokens, with which nodes join: the cluster's address in kube-public is signed with each, and a token that is over is removed
// (pkg/controller/bootstrap); and the range of Services, which is said to be ready (pkg/controller/servicecidrs).
import { createHmac } from 'node:crypto'
import type { KubeObject } from '../kube.ts'
import { type Run, unless } from './context.ts'
import { condition, parseTime, same, stamp } from './objects.ts'

const tokenType = 'bootstrap.kubernetes.io/token'
const signaturePrefix = 'jws-kubeconfig-'
const ranges = 'networking.k8s.io/v1/servicecidrs'
const rangeFinalizer = 'networking.k8s.io/service-cidr-finalizer'

const decode = (secret: KubeObject, field: string): string => Buffer.from(secret.data?.[field] ?? '', 'base64').toString()
/** epoch ms; NaN for a token without an end */
const expiration = (secret: KubeObject): number => parseTime(decode(secret, 'expiration') || undefined)
const base64url = (text: string): string => Buffer.from(text).toString('base64url')
/** a detached JWS with HS256, as kubeadm join checks it (k8s.io/cluster-bootstrap/token/jws) */
function signature(content: string, id: string, secret: string): string {
  const header = base64url(JSON.stringify({ alg: 'HS256', kid: id }))
  const mac = createHmac('sha256', secret)
    .update(`${header}.${base64url(content)}`)
    .digest('base64url')
  return `${header}..${mac}`
}

export function startBootstrapSigner(run: Run): void {
  const client = run.client('bootstrap-signer')
  const queue = run.queue('bootstrap_signer_queue', () => {
    const map = run.reader.find('v1/configmaps', 'cluster-info', 'kube-public')
    const content: string | undefined = map?.data?.kubeconfig
    if (map === undefined || content === undefined) return
    const data = Object.fromEntries(Object.entries<string>(map.data).filter(([key]) => !key.startsWith(signaturePrefix)))
    for (const secret of run.list('v1/secrets', { namespace: 'kube-system' })) {
      const id = decode(secret, 'token-id')
      if (secret.type !== tokenType || secret.metadata.name !== `bootstrap-token-${id}`) continue
      if (decode(secret, 'usage-bootstrap-signing') !== 'true' || expiration(secret) <= run.clock.now()) continue
      data[signaturePrefix + id] = signature(content, id, decode(secret, 'token-secret'))
    }
    if (!same(data, map.data)) client.update('v1/configmaps', { ...map, data })
  })
  const ofMap = (map: KubeObject) => {
    if (map.metadata.name === 'cluster-info' && map.metadata.namespace === 'kube-public') queue.add('cluster-info')
  }
  run.watch('v1/configmaps', { added: ofMap, updated: ofMap })
  const ofSecret = (secret: KubeObject) => {
    if (secret.type === tokenType && secret.metadata.namespace === 'kube-system') queue.add('cluster-info')
  }
  run.watch('v1/secrets', { added: ofSecret, updated: ofSecret, deleted: ofSecret })
}

export function startTokenCleaner(run: Run): void {
  const client = run.client('token-cleaner')
  const queue = run.queue('token_cleaner', (name) => {
    const secret = run.reader.find('v1/secrets', name, 'kube-system')
    if (secret?.type !== tokenType) return
    const left = expiration(secret) - run.clock.now()
    if (Number.isNaN(left)) return
    if (left > 0) queue.addAfter(name, left)
    else unless([404], () => client.delete('v1/secrets', name, 'kube-system', { preconditions: { uid: secret.metadata.uid } }))
  })
  const look = (secret: KubeObject) => {
    if (secret.type === tokenType && secret.metadata.namespace === 'kube-system') queue.add(secret.metadata.name)
  }
  run.watch('v1/secrets', { added: look, updated: look })
}

export function startServiceCidr(run: Run): void {
  const client = run.client('service-cidrs-controller')
  const queue = run.queue('servicecidrs', (name) => {
    let range = run.reader.find(ranges, name)
    if (range === undefined || range.metadata.deletionTimestamp) return
    const finalizers: string[] = range.metadata.finalizers ?? []
    if (!finalizers.includes(rangeFinalizer)) {
      range = client.patch(ranges, name, undefined, 'merge', { metadata: { finalizers: [...finalizers, rangeFinalizer] } })
    }
    if (condition(range, 'Ready')?.status === 'True') return
    const ready = {
      type: 'Ready',
      status: 'True',
      reason: '',
      message: 'Kubernetes Service CIDR is ready',
      lastTransitionTime: stamp(run.clock.now()),
    }
    const conditions = [...(range.status?.conditions ?? []).filter((one: KubeObject) => one.type !== 'Ready'), ready]
    client.patch(ranges, name, undefined, 'merge', { status: { conditions } }, { subresource: 'status' })
  })
  const add = (range: KubeObject) => queue.add(range.metadata.name)
  run.watch(ranges, { added: add, updated: add })
}
