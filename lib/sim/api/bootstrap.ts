// What an API server makes by itself when it starts, where it is missing: namespaces, RBAC, priorities, its own Service, the list of its groups.
// Knows nothing of kubeadm's objects. Source: recorded from a real server by bin/sim-api-data.ts.
import { readFileSync } from 'node:fs'
import type { Clock, Timer } from '../clock.ts'
import type { KubeObject } from '../kube.ts'
import { track } from '../schema/index.ts'
import type { Operations } from './operations.ts'
import { crdBucket, crdFinalizer } from './registry.ts'
import { addressBucket, firstAddress, settle } from './services.ts'
import { type Change, deepFreeze, type Store } from './store.ts'
import { withCondition } from './subresources.ts'

export interface BootstrapOptions {
  /** where the server can be reached by pods */
  advertiseAddress: string
  port: number
  /** PEM, for ConfigMap extension-apiserver-authentication */
  clientCa: string
  requestheaderCa?: string
}

let recorded: readonly KubeObject[] | undefined
const objects = (): readonly KubeObject[] => {
  recorded ??= JSON.parse(readFileSync(new URL('./data/bootstrap.json', import.meta.url), 'utf8')) as KubeObject[]
  return recorded
}

/** Idempotent: what is there already is left, apart from default RBAC rules that are missing (autoupdate). */
export function bootstrap(operations: Operations, options: BootstrapOptions): void {
  for (const object of objects()) ensure(operations, object)
  apiServices(operations)
  const { store } = operations
  const { advertiseAddress, port } = options
  const now = operations.now()
  if (store.get('servicecidrs.networking.k8s.io', '', 'kubernetes') === undefined) {
    ensure(operations, {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'ServiceCIDR',
      metadata: { name: 'kubernetes', finalizers: ['networking.k8s.io/service-cidr-finalizer'] },
      spec: { cidrs: [operations.serviceRange] },
      status: {
        conditions: [
          {
            type: 'Ready',
            status: 'True',
            lastTransitionTime: now,
            reason: '',
            message: 'Kubernetes Service CIDR is ready',
          },
        ],
      },
    })
  }
  if (store.get('services', 'default', 'kubernetes') === undefined) {
    const address = firstAddress(operations.serviceRange)
    const service = ensure(operations, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kubernetes', namespace: 'default', labels: { component: 'apiserver', provider: 'kubernetes' } },
      spec: {
        ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: port }],
        clusterIP: address,
        clusterIPs: [address],
        type: 'ClusterIP',
        sessionAffinity: 'None',
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        internalTrafficPolicy: 'Cluster',
      },
      status: { loadBalancer: {} },
    })
    if (store.get(addressBucket, '', address) === undefined) settle(operations.allocator(), service, [address], [])
  }
  const subsets = [{ addresses: [{ ip: advertiseAddress }], ports: [{ name: 'https', port, protocol: 'TCP' }] }]
  const endpoints = store.get('endpoints', 'default', 'kubernetes')
  if (JSON.stringify(endpoints?.subsets) !== JSON.stringify(subsets)) {
    replace(operations, endpoints, {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name: 'kubernetes', namespace: 'default', labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
      subsets,
    })
  }
  const slice = store.get('endpointslices.discovery.k8s.io', 'default', 'kubernetes')
  if (slice?.endpoints?.[0]?.addresses?.[0] !== advertiseAddress || slice?.ports?.[0]?.port !== port) {
    replace(operations, slice, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: 'kubernetes',
        namespace: 'default',
        generation: (slice?.metadata.generation ?? 0) + 1,
        labels: { 'kubernetes.io/service-name': 'kubernetes' },
      },
      addressType: 'IPv4',
      endpoints: [{ addresses: [advertiseAddress], conditions: { ready: true } }],
      ports: [{ name: 'https', protocol: 'TCP', port }],
    })
  }
  ensure(operations, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'kube-apiserver-legacy-service-account-token-tracking', namespace: 'kube-system' },
    data: { since: now.slice(0, 10) },
  })
  ensure(operations, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'extension-apiserver-authentication', namespace: 'kube-system' },
    data: {
      'client-ca-file': options.clientCa,
      ...(options.requestheaderCa === undefined
        ? {}
        : {
            'requestheader-allowed-names': '["front-proxy-client"]',
            'requestheader-client-ca-file': options.requestheaderCa,
            'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
            'requestheader-group-headers': '["X-Remote-Group"]',
            'requestheader-username-headers': '["X-Remote-User"]',
          }),
    },
  })
}

/** Stored objects, which are frozen, to the default that they were found to hold. */
const settled = new WeakMap<KubeObject, KubeObject>()
function bucketOf(operations: Operations, object: KubeObject): string {
  const served = operations.registry.byKind(object.apiVersion, object.kind)
  if (served === undefined) throw new Error(`${object.apiVersion} ${object.kind} is not served`)
  return served.bucket
}
function ensure(operations: Operations, object: KubeObject): KubeObject {
  const bucket = bucketOf(operations, object)
  const { namespace = '', name } = object.metadata
  const there = operations.store.get(bucket, namespace, name)
  if (there === undefined) return replace(operations, undefined, object)
  const autoupdate = there.metadata.annotations?.['rbac.authorization.kubernetes.io/autoupdate'] === 'true'
  if (!autoupdate || settled.get(there) === object) return there
  const lost = (key: 'rules' | 'subjects') =>
    (object[key] ?? []).filter((one: KubeObject) => !there[key]?.some((has: KubeObject) => JSON.stringify(has) === JSON.stringify(one)))
  const [rules, subjects] = [lost('rules'), lost('subjects')]
  if (rules.length === 0 && subjects.length === 0) {
    settled.set(there, object)
    return there
  }
  return operations.write(bucket, {
    ...there,
    ...(rules.length > 0 ? { rules: [...(there.rules ?? []), ...rules] } : {}),
    ...(subjects.length > 0 ? { subjects: [...(there.subjects ?? []), ...subjects] } : {}),
  })
}
function replace(operations: Operations, old: KubeObject | undefined, object: KubeObject): KubeObject {
  const status: Record<string, KubeObject> = {
    Namespace: { phase: 'Active' },
    PriorityLevelConfiguration: {},
    FlowSchema: {
      conditions: [
        {
          type: 'Dangling',
          status: 'False',
          lastTransitionTime: operations.now(),
          reason: 'Found',
          message: `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(object.spec?.priorityLevelConfiguration?.name)} and it exists`,
        },
      ],
    },
  }
  const generation = ['PriorityClass', 'FlowSchema', 'PriorityLevelConfiguration'].includes(object.kind) ? { generation: 1 } : {}
  const time = operations.now()
  return operations.write(bucketOf(operations, object), {
    ...object,
    metadata: {
      ...object.metadata,
      uid: old?.metadata.uid ?? operations.random.uuid(),
      creationTimestamp: old?.metadata.creationTimestamp ?? operations.now(),
      ...generation,
      managedFields: [
        {
          manager: 'kube-apiserver',
          operation: 'Update',
          apiVersion: object.apiVersion,
          time,
          fieldsType: 'FieldsV1',
          fieldsV1: fieldsOf(operations, object),
        },
      ],
    },
    ...(status[object.kind] === undefined ? {} : { status: status[object.kind] }),
  })
}

const owned = new WeakMap<object, KubeObject>()
/** what the server manages of an object that it made; for recorded ones computed once in a process */
function fieldsOf(operations: Operations, object: KubeObject): KubeObject {
  const known = owned.get(object)
  if (known !== undefined) return known
  const served = operations.registry.byKind(object.apiVersion, object.kind)
  if (served === undefined) return {}
  // What the strategy of the kind adds is nobody's.
  const given = object.kind === 'Namespace' ? { ...object, spec: undefined } : { ...object, status: undefined }
  const tracked = track(undefined, given, {
    manager: 'kube-apiserver',
    operation: 'Update',
    time: operations.now(),
    shape: operations.registry.shape(served),
    apiVersion: object.apiVersion,
  })
  const fields = deepFreeze(tracked.metadata.managedFields?.[0]?.fieldsV1 ?? {})
  owned.set(object, fields)
  return fields
}

const localCondition = { type: 'Available', status: 'True', reason: 'Local', message: 'Local APIServices are always available' }
const serviceBucket = 'apiservices.apiregistration.k8s.io'

/** An APIService for every group and version served. What is made for a CustomResourceDefinition goes with it. */
export function apiServices(operations: Operations): void {
  const now = operations.now()
  const wanted = new Set<string>()
  for (const served of operations.registry.all()) {
    const name = `${served.version}.${served.group}`
    // The aggregator does not list itself.
    if (wanted.has(name) || served.group === 'apiregistration.k8s.io') continue
    wanted.add(name)
    const there = operations.store.get(serviceBucket, '', name)
    if (there?.status?.conditions?.length > 0) continue
    const spec = there?.spec ?? { group: served.group, version: served.version, groupPriorityMinimum: 1000, versionPriority: 100 }
    operations.write(serviceBucket, {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: there?.metadata ?? {
        name,
        uid: operations.random.uuid(),
        creationTimestamp: now,
        labels: { 'kube-aggregator.kubernetes.io/automanaged': served.custom === undefined ? 'onstart' : 'true' },
      },
      spec,
      status: { conditions: [{ ...localCondition, lastTransitionTime: now }] },
    })
  }
  for (const service of operations.store.list(serviceBucket)) {
    const made = service.metadata.labels?.['kube-aggregator.kubernetes.io/automanaged'] === 'true'
    if (made && !wanted.has(service.metadata.name)) operations.store.remove(serviceBucket, '', service.metadata.name)
  }
}

/** Accepts the names of a new CustomResourceDefinition and lets it be served; takes the objects of a deleted one away. */
export function customResources(operations: Operations): void {
  const now = operations.now()
  for (const crd of operations.store.list(crdBucket)) {
    const has = (type: string) => crd.status?.conditions?.some((one: KubeObject) => one.type === type && one.status === 'True')
    if (crd.metadata.deletionTimestamp !== undefined) {
      finalize(operations, crd)
      continue
    }
    const names = { singular: crd.spec.names.kind.toLowerCase(), listKind: `${crd.spec.names.kind}List`, ...crd.spec.names }
    if (has('Established') && JSON.stringify(crd.status.acceptedNames) === JSON.stringify(names)) continue
    const condition = (type: string, reason: string, message: string) => ({
      type,
      status: 'True',
      lastTransitionTime: now,
      reason,
      message,
    })
    operations.write(crdBucket, {
      ...crd,
      metadata: { ...crd.metadata, finalizers: crd.metadata.finalizers },
      spec: { ...crd.spec, names },
      status: {
        ...crd.status,
        conditions: [
          condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
          condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
        ],
        acceptedNames: names,
        storedVersions: crd.spec.versions.filter((one: KubeObject) => one.storage).map((one: KubeObject) => one.name),
      },
    })
  }
  apiServices(operations)
}
function finalize(operations: Operations, crd: KubeObject): void {
  const finalizers: string[] = crd.metadata.finalizers ?? []
  if (!finalizers.includes(crdFinalizer)) return
  const bucket = `${crd.spec.names.plural}.${crd.spec.group}`
  const served = operations.registry.byBucket(bucket)
  let waits = false
  for (const object of operations.store.list(bucket)) {
    const { namespace = '', name } = object.metadata
    if (object.metadata.finalizers?.length) {
      waits = true
      if (object.metadata.deletionTimestamp === undefined && served !== undefined) {
        operations.write(bucket, {
          ...object,
          metadata: { ...object.metadata, deletionTimestamp: operations.now(), deletionGracePeriodSeconds: 0 },
        })
      }
    } else operations.store.remove(bucket, namespace, name)
  }
  if (waits) {
    const terminating = {
      type: 'Terminating',
      status: 'True',
      reason: 'InstanceDeletionInProgress',
      message: 'CustomResource deletion is in progress',
    }
    if (!crd.status?.conditions?.some((one: KubeObject) => one.type === 'Terminating')) {
      operations.write(crdBucket, { ...crd, status: withCondition(crd.status, terminating, operations.now()) })
    }
    return
  }
  const rest = finalizers.filter((one) => one !== crdFinalizer)
  if (rest.length > 0) operations.write(crdBucket, { ...crd, metadata: { ...crd.metadata, finalizers: rest } })
  else operations.store.remove(crdBucket, '', crd.metadata.name)
}

/** how often the server looks at its own Service and endpoints */
const reconcile = 10_000
/** Makes Service default/kubernetes and its endpoints anew, 10 s after someone changed or deleted them. */
export function keepKubernetes(store: Store, clock: Clock, make: () => void): { stop(): void } {
  let timer: Timer | undefined
  const changed = ({ object }: Change) => {
    if (object.metadata.name !== 'kubernetes' || object.metadata.namespace !== 'default' || timer !== undefined) return
    timer = clock.after(reconcile, () => {
      timer = undefined
      make()
    })
  }
  const subscriptions = ['services', 'endpoints', 'endpointslices.discovery.k8s.io'].map((bucket) =>
    store.subscribe(bucket, store.revision, changed),
  )
  return {
    stop: () => {
      timer?.cancel()
      for (const subscription of subscriptions) subscription?.stop()
    },
  }
}

/** Events live an hour after they were last written (--event-ttl); looked at every ten minutes. */
export function expireEvents(store: Store, clock: Clock): { stop(): void } {
  const [ttl, period] = [3_600_000, 600_000]
  const sweep = () => {
    const now = clock.now()
    for (const { metadata, lastTimestamp, series, eventTime } of store.list('events')) {
      const last = Date.parse(series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp)
      if (last + ttl < now) store.remove('events', metadata.namespace ?? '', metadata.name)
    }
    timer = clock.after(period, sweep)
  }
  let timer = clock.after(period, sweep)
  return { stop: () => timer.cancel() }
}
