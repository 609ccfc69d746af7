// An API server for tests: a fresh store, keys made once per process, kubelets that refuse. Not part of the door.
import { generateKeyPairSync } from 'node:crypto'
import { SimClock } from '../clock.ts'
import { ApiError, type User } from '../kube.ts'
import { random } from '../random.ts'
import { ApiServer, type ApiServerOptions, type KubeletDoor, Store } from './index.ts'

let keys: { privateKey: string; publicKey: string } | undefined
const pair = () => {
  keys ??= generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  return keys
}
const refuse = () => {
  throw new ApiError(500, 'InternalError', 'no kubelet')
}
export const noKubelets: KubeletDoor = {
  logs: async () => refuse(),
  exec: async () => refuse(),
  attach: async () => refuse(),
  open: () => ({ outcome: 'refused', why: 'no kubelet' }),
  page: () => refuse(),
}
export const admin: User = { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] }

export function testServer(options: Partial<ApiServerOptions> = {}) {
  const clock = new SimClock({ start: Date.parse('2026-01-01T00:00:00Z') })
  const store = options.store ?? new Store(clock)
  const { privateKey, publicKey } = pair()
  const server = new ApiServer({
    store,
    clock,
    random: random(1),
    kubernetesVersion: 'v1.35.4',
    serviceRange: '10.96.0.0/16',
    clientCa: '',
    serviceAccounts: { issuer: 'https://kubernetes.default.svc.cluster.local', privateKey, publicKeys: [publicKey] },
    kubelets: noKubelets,
    etcd: () => undefined,
    advertiseAddress: '172.18.0.4',
    ...options,
  })
  const client = server.client(admin)
  /** the service account that a controller would make */
  const account = (namespace: string) => client.create('v1/serviceaccounts', { metadata: { name: 'default', namespace } })
  return { clock, store, server, client, account }
}
