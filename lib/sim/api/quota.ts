// ResourceQuota: what an object would use of the quotas of its namespace, and the refusal when that is too much. The quota's status is its
// controller's; this counts anew from the store. Sources: apiserver/pkg/admission/plugin/resourcequota, pkg/quota/v1/evaluator/core.
import type { KubeObject } from '../kube.ts'
import { formatAmount, nanoOf } from '../schema/index.ts'
import type { Admission } from './admission.ts'
import { refused } from './admission.ts'
import { groupResource, type Served } from './registry.ts'
import type { Store } from './store.ts'
import { qosClass } from './strategy.ts'

/** in 10⁻⁹ */
export type Usage = Record<string, bigint>
const one = 1_000_000_000n

/** What one object of a kind uses, by the names that quotas have. */
export function usageOf(group: string, resource: string, object: KubeObject): Usage {
  const usage: Usage = { [`count/${groupResource(group, resource)}`]: one }
  const add = (name: string, amount: bigint) => {
    usage[name] = (usage[name] ?? 0n) + amount
  }
  if (group !== '') return usage
  switch (resource) {
    case 'pods': {
      const phase = object.status?.phase
      if (phase === 'Succeeded' || phase === 'Failed') return usage
      add('pods', one)
      for (const [kind, prefix] of [
        ['requests', 'requests.'],
        ['limits', 'limits.'],
      ] as const) {
        for (const [name, amount] of Object.entries(podTotals(object.spec, kind))) {
          if (kind === 'requests' && ['cpu', 'memory', 'ephemeral-storage'].includes(name)) add(name, amount)
          add(`${prefix}${name}`, amount)
        }
      }
      return usage
    }
    case 'services': {
      add('services', one)
      if (object.spec.type === 'NodePort') add('services.nodeports', one * BigInt((object.spec.ports ?? []).length))
      if (object.spec.type === 'LoadBalancer') {
        add('services.loadbalancers', one)
        if (object.spec.allocateLoadBalancerNodePorts !== false) add('services.nodeports', one * BigInt((object.spec.ports ?? []).length))
      }
      return usage
    }
    case 'persistentvolumeclaims': {
      const storage = nanoOf(object.spec.resources?.requests?.storage)
      add('persistentvolumeclaims', one)
      add('requests.storage', storage)
      if (object.spec.storageClassName) {
        add(`${object.spec.storageClassName}.storageclass.storage.k8s.io/persistentvolumeclaims`, one)
        add(`${object.spec.storageClassName}.storageclass.storage.k8s.io/requests.storage`, storage)
      }
      return usage
    }
    default:
      add(resource, one)
      return usage
  }
}
function podTotals(spec: KubeObject, kind: 'requests' | 'limits'): Usage {
  const total: Usage = {}
  const sidecars = (spec.initContainers ?? []).filter((container: KubeObject) => container.restartPolicy === 'Always')
  for (const container of [...(spec.containers ?? []), ...sidecars]) {
    for (const [name, quantity] of Object.entries<string>(container.resources?.[kind] ?? {}))
      total[name] = (total[name] ?? 0n) + nanoOf(quantity)
  }
  for (const container of spec.initContainers ?? []) {
    for (const [name, quantity] of Object.entries<string>(container.resources?.[kind] ?? {})) {
      const amount = nanoOf(quantity)
      if (amount >= (total[name] ?? 0n)) total[name] = amount
    }
  }
  return total
}
function inScope(quota: KubeObject, object: KubeObject, isPod: boolean): boolean {
  const scopes: { scopeName: string; operator: string; values?: string[] }[] = [
    ...(quota.spec.scopes ?? []).map((scopeName: string) => ({ scopeName, operator: 'Exists' })),
    ...(quota.spec.scopeSelector?.matchExpressions ?? []),
  ]
  return scopes.every(({ scopeName, operator, values = [] }) => {
    if (!isPod) return false
    switch (scopeName) {
      case 'Terminating':
        return object.spec.activeDeadlineSeconds !== undefined
      case 'NotTerminating':
        return object.spec.activeDeadlineSeconds === undefined
      case 'BestEffort':
        return qosClass(object.spec) === 'BestEffort'
      case 'NotBestEffort':
        return qosClass(object.spec) !== 'BestEffort'
      case 'PriorityClass': {
        const name = object.spec.priorityClassName ?? ''
        if (operator === 'Exists') return name !== ''
        if (operator === 'DoesNotExist') return name === ''
        return operator === 'In' ? values.includes(name) : !values.includes(name)
      }
      default:
        return false
    }
  })
}

/** What the objects of a namespace use of a quota now, for every resource that it limits. `kinds`: bucket → group and resource. */
export function used(store: Store, quota: KubeObject, namespace: string): Record<string, string> {
  const hard: Record<string, string> = quota.spec.hard ?? {}
  const total: Usage = Object.fromEntries(Object.keys(hard).map((name) => [name, 0n]))
  for (const bucket of bucketsOf(Object.keys(hard))) {
    const [resource = '', ...group] = bucket.split('.')
    for (const object of store.list(bucket, namespace)) {
      if (!inScope(quota, object, bucket === 'pods')) continue
      for (const [name, amount] of Object.entries(usageOf(group.join('.'), resource, object))) {
        if (name in total) total[name] = (total[name] ?? 0n) + amount
      }
    }
  }
  return Object.fromEntries(Object.entries(total).map(([name, amount]) => [name, formatAmount(amount, name)]))
}
function bucketsOf(names: readonly string[]): Set<string> {
  const buckets = new Set<string>()
  for (const name of names) {
    if (name.startsWith('count/')) buckets.add(name.slice('count/'.length))
    else if (name.startsWith('services')) buckets.add('services')
    else if (/persistentvolumeclaims|requests\.storage$/.test(name)) buckets.add('persistentvolumeclaims')
    else if (['configmaps', 'secrets', 'replicationcontrollers', 'resourcequotas'].includes(name)) buckets.add(name)
    else buckets.add('pods')
  }
  return buckets
}

export function checkQuota({ store, served, namespace, name }: Admission, object: KubeObject, old: KubeObject | undefined): void {
  if (namespace === '') return
  const quotas = store.list('resourcequotas', namespace)
  if (quotas.length === 0 || served.bucket === 'resourcequotas') return
  const wants = usageOf(served.group, served.resource, object)
  const had: Usage = old === undefined ? {} : usageOf(served.group, served.resource, old)
  const more = (resource: string) => (wants[resource] ?? 0n) - (had[resource] ?? 0n)
  for (const quota of quotas) {
    const hard: Record<string, string> = quota.spec.hard ?? {}
    if (!inScope(quota, object, isPod(served)) && (quota.spec.scopes?.length || quota.spec.scopeSelector)) continue
    if (isPod(served)) {
      const missing = Object.keys(hard)
        .filter((resource) => /^((requests|limits)\.)?(cpu|memory)$/.test(resource))
        .filter((resource) => unsaid(object.spec, resource))
        .sort()
      if (missing.length > 0 && old === undefined) {
        throw refused(served, name, `failed quota: ${quota.metadata.name}: must specify ${said(missing, object.spec)}`)
      }
    }
    const limited = Object.keys(hard)
      .filter((resource) => more(resource) > 0n)
      .sort()
    if (limited.length === 0) continue
    const now = used(store, quota, namespace)
    const over = limited.filter((resource) => nanoOf(now[resource]) + more(resource) > nanoOf(hard[resource]))
    if (over.length > 0) {
      const list = (of: (resource: string) => string) => over.map((resource) => `${resource}=${of(resource)}`).join(',')
      throw refused(
        served,
        name,
        `exceeded quota: ${quota.metadata.name}, requested: ${list((resource) => formatAmount(more(resource), resource))}, used: ${list((resource) => now[resource] ?? '0')}, limited: ${list((resource) => hard[resource] as string)}`,
      )
    }
  }
}
const isPod = (served: Served): boolean => served.bucket === 'pods'
function unsaid(spec: KubeObject, resource: string): boolean {
  const kind = resource.startsWith('limits.') ? 'limits' : 'requests'
  const name = resource.replace(/^(requests|limits)\./, '')
  return (spec.containers ?? []).some((container: KubeObject) => container.resources?.[kind]?.[name] === undefined)
}
/** `limits.cpu for: a,b; requests.memory for: a` */
function said(missing: readonly string[], spec: KubeObject): string {
  return missing
    .map((resource) => {
      const kind = resource.startsWith('limits.') ? 'limits' : 'requests'
      const plain = resource.replace(/^(requests|limits)\./, '')
      const names = (spec.containers ?? [])
        .filter((container: KubeObject) => container.resources?.[kind]?.[plain] === undefined)
        .map((container: KubeObject) => container.name)
      return `${resource} for: ${names.join(',')}`
    })
    .join('; ')
}
