// What every namespace has: its default ServiceAccount and the cluster's root certificate; and the tokens in Secrets that belong to ServiceAccounts
// (pkg/controller/serviceaccount, certificates/rootcacertpublisher).
import type { KubeObject } from '../kube.ts'
import { keyOf, type Run, splitKey, unless } from './context.ts'
import { same } from './objects.ts'
import { namespaceEnds } from './pods.ts'

const tokenType = 'kubernetes.io/service-account-token'
const accountName = 'kubernetes.io/service-account.name'
const accountUid = 'kubernetes.io/service-account.uid'
const rootName = 'kube-root-ca.crt'
const rootDescription =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.'

const lives = (run: Run, name: string): boolean => run.reader.find('v1/namespaces', name)?.status?.phase === 'Active'
/** creates what a namespace must have; nothing when it is there or the namespace ends */
function ensure(create: () => void): void {
  try {
    unless([409], create)
  } catch (error) {
    if (!namespaceEnds(error)) throw error
  }
}

export function startServiceAccount(run: Run): void {
  const client = run.client('service-account-controller')
  const queue = run.queue('serviceaccount', (name) => {
    if (!lives(run, name) || run.reader.find('v1/serviceaccounts', 'default', name) !== undefined) return
    ensure(() =>
      client.create('v1/serviceaccounts', { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } }),
    )
  })
  const add = (namespace: KubeObject) => queue.add(namespace.metadata.name)
  run.watch('v1/namespaces', { added: add, updated: add })
  run.watch('v1/serviceaccounts', {
    deleted: (account) => {
      if (account.metadata.name === 'default') queue.add(account.metadata.namespace)
    },
  })
}

export function startRootCa(run: Run): void {
  const client = run.client('root-ca-cert-publisher')
  const data = { 'ca.crt': run.options.rootCa }
  const annotations = { 'kubernetes.io/description': rootDescription }
  const queue = run.queue('root_ca_cert_publisher', (namespace) => {
    const map = run.reader.find('v1/configmaps', rootName, namespace)
    if (map === undefined) {
      if (!lives(run, namespace)) return
      ensure(() =>
        client.create('v1/configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: rootName, namespace, annotations }, data }),
      )
      return
    }
    if (same(map.data, data) && map.metadata.annotations?.['kubernetes.io/description'] === rootDescription) return
    client.update('v1/configmaps', {
      ...map,
      metadata: { ...map.metadata, annotations: { ...map.metadata.annotations, ...annotations } },
      data,
    })
  })
  const add = (namespace: KubeObject) => queue.add(namespace.metadata.name)
  run.watch('v1/namespaces', { added: add, updated: add })
  const ofMap = (map: KubeObject) => {
    if (map.metadata.name === rootName) queue.add(map.metadata.namespace)
  }
  run.watch('v1/configmaps', { updated: ofMap, deleted: ofMap })
}

export function startServiceAccountToken(run: Run): void {
  const client = run.client('kube-controller-manager')
  const queue = run.queue('serviceaccount_tokens_secret', (key) => {
    const { namespace, name } = splitKey(key)
    const secret = run.reader.find('v1/secrets', name, namespace)
    if (secret?.type !== tokenType) return
    const account = run.reader.find('v1/serviceaccounts', secret.metadata.annotations?.[accountName] ?? '', namespace)
    const uid = secret.metadata.annotations?.[accountUid]
    if (account === undefined || (uid !== undefined && uid !== account.metadata.uid)) {
      unless([404], () => client.delete('v1/secrets', name, namespace, { preconditions: { uid: secret.metadata.uid } }))
      return
    }
    const sign = run.options.signServiceAccountToken
    if (sign === undefined) return
    const encode = (text: string) => Buffer.from(text).toString('base64')
    const wanted: Record<string, string> = { 'ca.crt': encode(run.options.rootCa), namespace: encode(namespace ?? '') }
    const missing = Object.entries(wanted).some(([field, value]) => secret.data?.[field] !== value)
    if (!missing && secret.data?.token && uid !== undefined) return
    const token = secret.data?.token ?? encode(sign({ namespace: namespace ?? '', serviceAccount: account, secret }))
    client.update('v1/secrets', {
      ...secret,
      metadata: { ...secret.metadata, annotations: { ...secret.metadata.annotations, [accountUid]: account.metadata.uid } },
      data: { ...secret.data, ...wanted, token },
    })
  })
  const ofSecret = (secret: KubeObject) => {
    if (secret.type === tokenType) queue.add(keyOf(secret))
  }
  run.watch('v1/secrets', { added: ofSecret, updated: ofSecret })
  const ofAccount = (account: KubeObject) => {
    for (const [key, secret] of run.seen('v1/secrets')) {
      const mine = secret.type === tokenType && secret.metadata.namespace === account.metadata.namespace
      if (mine && secret.metadata.annotations?.[accountName] === account.metadata.name) queue.add(key)
    }
  }
  run.watch('v1/serviceaccounts', { added: ofAccount, deleted: ofAccount })
}
