// Admission: what plugins of the API server add to an object or refuse, in the real order. Only those that kubeadm's API server runs by default.
// Knows nothing of storage strategies or validation. Sources: plugin/pkg/admission/*, pod-security-admission/policy.
import type { KubeObject, User } from '../kube.ts'
import { ApiError } from '../kube.ts'
import type { Random } from '../random.ts'
import { compareQuantities, formatAmount, nanoOf, quantity } from '../schema/index.ts'
import { podSecurity } from './pod-security.ts'
import { checkQuota } from './quota.ts'
import { groupResource, type Served } from './registry.ts'
import type { Store } from './store.ts'

export interface Admission {
  store: Store
  random: Random
  user: User
  served: Served
  operation: 'CREATE' | 'UPDATE' | 'DELETE'
  subresource: string
  namespace: string
  name: string
  warn(text: string): void
}

export function refused(served: Pick<Served, 'group' | 'resource'>, name: string, why: string): ApiError {
  const subject = groupResource(served.group, served.resource)
  return new ApiError(403, 'Forbidden', `${subject} ${JSON.stringify(name)} is forbidden: ${why}`, {
    name,
    ...(served.group === '' ? {} : { group: served.group }),
    kind: served.resource,
  })
}

/** Namespaces that cannot be deleted. */
const immortal = new Set(['default', 'kube-system', 'kube-public'])
export function namespaceLifecycle(admission: Admission): void {
  const { store, served, operation, namespace, name, subresource } = admission
  if (operation === 'DELETE' && served.bucket === 'namespaces' && immortal.has(name))
    throw refused(served, name, 'this namespace may not be deleted')
  if (operation === 'DELETE' || namespace === '' || !served.namespaced || served.bucket === 'namespaces') return
  // Access reviews must work for a namespace that is going.
  if (served.group === 'authorization.k8s.io') return
  const space = store.get('namespaces', '', namespace)
  if (space === undefined) {
    throw new ApiError(404, 'NotFound', `namespaces ${JSON.stringify(namespace)} not found`, { name: namespace, kind: 'namespaces' })
  }
  if (operation === 'CREATE' && subresource === '' && space.status?.phase === 'Terminating') {
    const error = refused(served, name, `unable to create new content in namespace ${namespace} because it is being terminated`)
    throw new ApiError(403, 'Forbidden', error.message, {
      ...error.status.details,
      causes: [{ reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' }],
    })
  }
}

/** What real admission and aggregation would ask is not asked here. Whoever makes such an object hears it; silence would teach something wrong. */
const notAsked: Readonly<Record<string, string>> = {
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': 'its webhooks are not called',
  'validatingwebhookconfigurations.admissionregistration.k8s.io': 'its webhooks are not called',
  'validatingadmissionpolicies.admissionregistration.k8s.io': 'its expressions are not evaluated',
  'validatingadmissionpolicybindings.admissionregistration.k8s.io': 'its policy is not evaluated',
  'mutatingadmissionpolicies.admissionregistration.k8s.io': 'its expressions are not evaluated',
  'mutatingadmissionpolicybindings.admissionregistration.k8s.io': 'its policy is not evaluated',
}
function unenforced({ served, warn }: Admission, object: KubeObject): void {
  let what = notAsked[served.bucket]
  if (served.bucket === 'apiservices.apiregistration.k8s.io' && object.spec?.service)
    what = 'its group is not served by the service that it names'
  if (served.bucket === 'customresourcedefinitions.apiextensions.k8s.io' && object.spec?.conversion?.strategy === 'Webhook')
    what = 'its conversion webhook is not called, versions differ in name only'
  if (what !== undefined) warn(`the simulated cluster stores this ${served.kind} but does not enforce it: ${what}`)
}

/** The plugins that change objects. Changes `object`, which is the caller's own. */
export function mutate(admission: Admission, object: KubeObject, old: KubeObject | undefined): void {
  const { served, operation, subresource } = admission
  if (subresource !== '') return
  switch (served.bucket) {
    case 'nodes':
      if (operation === 'CREATE') notReadyAtFirst(object)
      break
    case 'pods':
      if (operation === 'CREATE') {
        limitRanger(admission, object)
        serviceAccount(admission, object)
        tolerationSeconds(object)
        priority(admission, object)
        runtimeClass(admission, object)
      } else if (old !== undefined) {
        tolerationSeconds(object)
      }
      break
    case 'persistentvolumeclaims':
      if (operation === 'CREATE') {
        limitRanger(admission, object)
        defaultStorageClass(admission, object)
        protect(object, 'kubernetes.io/pvc-protection')
      }
      break
    case 'persistentvolumes':
      if (operation === 'CREATE') protect(object, 'kubernetes.io/pv-protection')
      break
    case 'priorityclasses.scheduling.k8s.io':
      if (object.globalDefault === true) onlyOneDefault(admission, object)
      break
    case 'ingresses.networking.k8s.io':
      if (operation === 'CREATE') defaultIngressClass(admission, object)
      break
  }
}

/** The plugins that only refuse, after the object is valid. */
export function validate(admission: Admission, object: KubeObject, old: KubeObject | undefined): void {
  const { served, operation, subresource } = admission
  nodeRestriction(admission, object, old)
  if (subresource === '') unenforced(admission, object)
  if (subresource === '' || subresource === 'ephemeralcontainers') podSecurity(admission, object, old)
  if (subresource !== '') return
  if (served.bucket === 'pods' && operation === 'CREATE') limitRanges(admission, object, 'Pod')
  if (served.bucket === 'persistentvolumeclaims' && operation === 'CREATE') limitRanges(admission, object, 'PersistentVolumeClaim')
  if (operation === 'CREATE' || served.bucket === 'services' || served.bucket === 'persistentvolumeclaims')
    checkQuota(admission, object, old)
}

// TaintNodesByCondition

/** Until the node controller has seen that it is ready. */
function notReadyAtFirst(node: KubeObject): void {
  const taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }
  const taints: KubeObject[] = node.spec?.taints ?? []
  if (taints.some((one) => one.key === taint.key && one.effect === taint.effect)) return
  node.spec = { ...node.spec, taints: [...taints, taint] }
}

// LimitRanger

function limitRanger({ store, namespace }: Admission, object: KubeObject): void {
  if (object.kind !== 'Pod') return
  const wrote: string[] = []
  for (const range of store.list('limitranges', namespace)) {
    for (const limit of range.spec.limits ?? []) {
      if (limit.type !== 'Container') continue
      const apply = (containers: KubeObject[] | undefined, what: string) => {
        for (const container of containers ?? []) {
          container.resources ??= {}
          const resources = container.resources
          const added = { limit: [] as string[], request: [] as string[] }
          for (const [name, quantity] of Object.entries(limit.default ?? {})) {
            if (resources.limits?.[name] !== undefined) continue
            resources.limits = { ...resources.limits, [name]: quantity }
            added.limit.push(name)
          }
          for (const [name, quantity] of Object.entries(limit.defaultRequest ?? {})) {
            if (resources.requests?.[name] !== undefined) continue
            resources.requests = { ...resources.requests, [name]: quantity }
            added.request.push(name)
          }
          for (const kind of ['request', 'limit'] as const) {
            if (added[kind].length > 0) wrote.push(`${added[kind].sort().join(', ')} ${kind} for ${what} ${container.name}`)
          }
        }
      }
      apply(object.spec.containers, 'container')
      apply(object.spec.initContainers, 'init container')
    }
  }
  if (wrote.length > 0) {
    object.metadata.annotations = {
      ...object.metadata.annotations,
      'kubernetes.io/limit-ranger': `LimitRanger plugin set: ${wrote.join('; ')}`,
    }
  }
}

/** Source: plugin/pkg/admission/limitranger/admission.go PodValidateLimitFunc */
function limitRanges(admission: Admission, object: KubeObject, type: 'Pod' | 'PersistentVolumeClaim'): void {
  const { store, namespace, served, name } = admission
  for (const range of store.list('limitranges', namespace)) {
    const problems: string[] = []
    for (const limit of range.spec.limits ?? []) {
      const check = (requests: Record<string, string>, limits: Record<string, string>) => {
        for (const [resource, min] of Object.entries<string>(limit.min ?? {})) {
          const request = requests[resource]
          if (request === undefined) problems.push(`minimum ${resource} usage per ${limit.type} is ${min}.  No request is specified`)
          else if (compareQuantities(request, min) < 0)
            problems.push(`minimum ${resource} usage per ${limit.type} is ${min}, but request is ${request}`)
          else if (limits[resource] !== undefined && compareQuantities(limits[resource], min) < 0) {
            problems.push(`minimum ${resource} usage per ${limit.type} is ${min}, but limit is ${limits[resource]}`)
          }
        }
        for (const [resource, max] of Object.entries<string>(limit.max ?? {})) {
          const most = limits[resource] ?? (limit.type === 'PersistentVolumeClaim' ? requests[resource] : undefined)
          if (most === undefined) problems.push(`maximum ${resource} usage per ${limit.type} is ${max}.  No limit is specified`)
          else if (compareQuantities(most, max) > 0) {
            problems.push(`maximum ${resource} usage per ${limit.type} is ${max}, but ${limits[resource] ? 'limit' : 'request'} is ${most}`)
          }
        }
        for (const [resource, ratio] of Object.entries<string>(limit.maxLimitRequestRatio ?? {})) {
          const [request, most] = [requests[resource], limits[resource]]
          if (request === undefined || most === undefined) {
            problems.push(
              `${resource} max limit to request ratio per ${limit.type} is ${ratio}, but no request is specified or request is 0`,
            )
            continue
          }
          const is = Number(nanoOf(most)) / Number(nanoOf(request))
          if (is > quantity(ratio)) {
            problems.push(`${resource} max limit to request ratio per ${limit.type} is ${ratio}, but provided ratio is ${is.toFixed(6)}`)
          }
        }
      }
      if (limit.type === 'Container' && type === 'Pod') {
        for (const container of [...(object.spec.containers ?? []), ...(object.spec.initContainers ?? [])]) {
          check(container.resources?.requests ?? {}, container.resources?.limits ?? {})
        }
      } else if (limit.type === 'Pod' && type === 'Pod') {
        check(sum(object.spec, 'requests'), sum(object.spec, 'limits'))
      } else if (limit.type === 'PersistentVolumeClaim' && type === 'PersistentVolumeClaim') {
        check(object.spec.resources?.requests ?? {}, {})
      }
    }
    if (problems.length > 0) throw refused(served, name, problems.length === 1 ? (problems[0] as string) : `[${problems.join(', ')}]`)
  }
}
function sum(spec: KubeObject, key: 'requests' | 'limits'): Record<string, string> {
  const total: Record<string, bigint> = {}
  const containers: KubeObject[] = spec.containers ?? []
  for (const name of new Set(containers.flatMap((container) => Object.keys(container.resources?.[key] ?? {})))) {
    const amounts = containers.map((container) => container.resources?.[key]?.[name])
    // A limit of the pod is only known when every container has one.
    if (key === 'limits' && amounts.includes(undefined)) continue
    total[name] = amounts.reduce((sofar: bigint, amount) => sofar + nanoOf(amount), 0n)
  }
  return Object.fromEntries(Object.entries(total).map(([name, amount]) => [name, formatAmount(amount, name)]))
}

// ServiceAccount

const tokenMount = '/var/run/secrets/kubernetes.io/serviceaccount'
function serviceAccount({ store, random, namespace, served, name }: Admission, pod: KubeObject): void {
  const spec = pod.spec
  if (pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) {
    if (spec.serviceAccountName) throw refused(served, name, 'a mirror pod may not reference service accounts')
    return
  }
  spec.serviceAccountName ||= spec.serviceAccount || 'default'
  spec.serviceAccount = spec.serviceAccountName
  const account = store.get('serviceaccounts', namespace, spec.serviceAccountName)
  if (account === undefined) {
    throw refused(
      served,
      name,
      `error looking up service account ${namespace}/${spec.serviceAccountName}: serviceaccount ${JSON.stringify(spec.serviceAccountName)} not found`,
    )
  }
  if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(spec, random)
  if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length) spec.imagePullSecrets = structuredClone(account.imagePullSecrets)
}
function mountToken(spec: KubeObject, random: Random): void {
  const volumes: KubeObject[] = spec.volumes ?? []
  let volume = volumes.find((one) => one.name.startsWith('kube-api-access-') && one.projected !== undefined)?.name
  const needed = [...(spec.initContainers ?? []), ...(spec.containers ?? [])].filter(
    (container) => !container.volumeMounts?.some((mount: KubeObject) => mount.mountPath === tokenMount),
  )
  if (needed.length === 0) return
  if (volume === undefined) {
    volume = `kube-api-access-${random.suffix(5)}`
    spec.volumes = [
      ...volumes,
      {
        name: volume,
        projected: {
          sources: [
            { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
            { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
            { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
          ],
          defaultMode: 420,
        },
      },
    ]
  }
  for (const container of needed) {
    container.volumeMounts = [...(container.volumeMounts ?? []), { name: volume, readOnly: true, mountPath: tokenMount }]
  }
}

// DefaultTolerationSeconds

function tolerationSeconds(pod: KubeObject): void {
  const tolerations: KubeObject[] = pod.spec.tolerations ?? []
  const added = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'].filter(
    (key) => !tolerations.some((one) => (!one.key || one.key === key) && (!one.effect || one.effect === 'NoExecute')),
  )
  if (added.length === 0) return
  pod.spec.tolerations = [...tolerations, ...added.map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }))]
}

// Priority

const classes = 'priorityclasses.scheduling.k8s.io'
function priority({ store, served, name }: Admission, pod: KubeObject): void {
  const spec = pod.spec
  let preemptionPolicy = 'PreemptLowerPriority'
  let value = 0
  if (!spec.priorityClassName) {
    const standard = store
      .list(classes)
      .filter((one) => one.globalDefault === true)
      .sort((a, b) => a.value - b.value)[0]
    if (standard !== undefined) {
      spec.priorityClassName = standard.metadata.name
      value = standard.value
      preemptionPolicy = standard.preemptionPolicy ?? preemptionPolicy
    }
  } else {
    const found = store.get(classes, '', spec.priorityClassName)
    if (found === undefined) throw refused(served, name, `no PriorityClass with name ${spec.priorityClassName} was found`)
    value = found.value
    preemptionPolicy = found.preemptionPolicy ?? preemptionPolicy
  }
  if (spec.priority !== undefined && spec.priority !== null && spec.priority !== value) {
    throw refused(
      served,
      name,
      `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
    )
  }
  spec.priority = value
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemptionPolicy) {
    throw refused(
      served,
      name,
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${preemptionPolicy} from the given PriorityClass name`,
    )
  }
  spec.preemptionPolicy = preemptionPolicy
}
function onlyOneDefault({ store, served, name }: Admission, object: KubeObject): void {
  const other = store.list(classes).find((one) => one.globalDefault === true && one.metadata.name !== object.metadata.name)
  if (other !== undefined) {
    throw refused(served, name, `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`)
  }
}

// RuntimeClass

function runtimeClass({ store, served, name }: Admission, pod: KubeObject): void {
  const wanted = pod.spec.runtimeClassName
  if (!wanted) return
  const found = store.get('runtimeclasses.node.k8s.io', '', wanted)
  if (found === undefined) throw refused(served, name, `pod rejected: RuntimeClass ${JSON.stringify(wanted)} not found`)
  if (found.overhead?.podFixed !== undefined) pod.spec.overhead = found.overhead.podFixed
  if (found.scheduling?.nodeSelector !== undefined) pod.spec.nodeSelector = { ...pod.spec.nodeSelector, ...found.scheduling.nodeSelector }
}
// Storage

function protect(object: KubeObject, finalizer: string): void {
  const finalizers: string[] = object.metadata.finalizers ?? []
  if (!finalizers.includes(finalizer)) object.metadata.finalizers = [...finalizers, finalizer]
}
function defaultStorageClass({ store }: Admission, claim: KubeObject): void {
  const spec = claim.spec
  if (spec.storageClassName !== undefined && spec.storageClassName !== null) return
  if (claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] !== undefined) return
  const standard = store
    .list('storageclasses.storage.k8s.io')
    .filter((one) =>
      ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'].some(
        (key) => one.metadata.annotations?.[key] === 'true',
      ),
    )
    .sort((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1))[0]
  if (standard !== undefined) spec.storageClassName = standard.metadata.name
}
function defaultIngressClass({ store }: Admission, ingress: KubeObject): void {
  if (ingress.spec.ingressClassName !== undefined) return
  if (ingress.metadata.annotations?.['kubernetes.io/ingress.class'] !== undefined) return
  const standard = store
    .list('ingressclasses.networking.k8s.io')
    .filter((one) => one.metadata.annotations?.['ingressclass.kubernetes.io/is-default-class'] === 'true')
    .sort((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1))
  if (standard.length > 0) ingress.spec.ingressClassName = standard[0].metadata.name
}

// NodeRestriction

/** Source: plugin/pkg/admission/noderestriction/admission.go */
function nodeRestriction({ user, served, operation, subresource, name }: Admission, object: KubeObject, old: KubeObject | undefined): void {
  if (!user.groups.includes('system:nodes') || !user.name.startsWith('system:node:')) return
  const node = user.name.slice('system:node:'.length)
  if (served.bucket === 'nodes') {
    if (name !== node) throw refused(served, name, `node ${JSON.stringify(node)} is not allowed to modify node ${JSON.stringify(name)}`)
    if (operation === 'UPDATE' && subresource === '' && old !== undefined) {
      if (JSON.stringify(object.spec?.taints ?? []) !== JSON.stringify(old.spec?.taints ?? [])) {
        throw refused(served, name, `node ${JSON.stringify(node)} is not allowed to modify taints`)
      }
    }
    const before = old?.metadata.labels ?? {}
    const forbidden = Object.entries(object.metadata.labels ?? {})
      .filter(([key, value]) => before[key] !== value && restrictedLabel(key))
      .map(([key]) => key)
      .sort()
    if (forbidden.length > 0) {
      throw refused(
        served,
        name,
        `is not allowed to ${operation === 'CREATE' ? 'set' : 'modify'} the following labels: ${forbidden.join(', ')}`,
      )
    }
    return
  }
  if (served.bucket === 'pods' && operation === 'CREATE' && subresource === '') {
    if (object.metadata.annotations?.['kubernetes.io/config.mirror'] === undefined) {
      throw refused(
        served,
        name,
        `pod does not have "kubernetes.io/config.mirror" annotation, node ${JSON.stringify(node)} can only create mirror pods`,
      )
    }
    if (object.spec.nodeName !== node) {
      throw refused(served, name, `node ${JSON.stringify(node)} can only create pods with spec.nodeName set to itself`)
    }
  }
  if (served.bucket === 'pods' && operation === 'UPDATE' && subresource === 'status' && old?.spec?.nodeName !== node) {
    throw refused(served, name, `node ${JSON.stringify(node)} can only update pod status for pods with spec.nodeName set to itself`)
  }
}
/** What a kubelet may say of itself in the kubernetes.io and k8s.io prefixes. */
const kubeletLabels = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/arch',
  'kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
])
function restrictedLabel(key: string): boolean {
  const prefix = key.includes('/') ? key.slice(0, key.indexOf('/')) : ''
  const ours = ['kubernetes.io', 'k8s.io'].some((domain) => prefix === domain || prefix.endsWith(`.${domain}`))
  if (!ours || kubeletLabels.has(key)) return false
  if (prefix === 'node-restriction.kubernetes.io' || prefix.endsWith('.node-restriction.kubernetes.io')) return true
  return !['kubelet.kubernetes.io', 'node.kubernetes.io'].some((domain) => prefix === domain || prefix.endsWith(`.${domain}`))
}
