// Answers a recorded case with this module alone, as the API server would order the steps, so that both answers can be compared. What the
// server adds by itself (identity, times, allocation, admission) is taken off both. Knows nothing of how the record was made.
import { ApiError, type KubeObject, type Status } from '../../kube.ts'
import {
  apply,
  checkFields,
  coerce,
  coercePatched,
  defaults,
  defaultsOfCrd,
  invalid,
  jsonPatch,
  mergePatch,
  prune,
  type StructShape,
  shapeOf,
  shapeOfCrd,
  strategicMerge,
  track,
  validateCreate,
  validateCustom,
  validateUpdate,
} from '../index.ts'
import type { Case, Step } from './cases.ts'
import { schema } from './custom-cases.ts'

export interface Answered extends Step {
  before?: KubeObject
  code: number
  answer: KubeObject
}
export interface Recorded extends Omit<Case, 'steps'> {
  steps: Answered[]
}

const kindAt: Record<string, string> = {
  pods: 'Pod',
  podtemplates: 'PodTemplate',
  replicationcontrollers: 'ReplicationController',
  configmaps: 'ConfigMap',
  secrets: 'Secret',
  services: 'Service',
  serviceaccounts: 'ServiceAccount',
  endpoints: 'Endpoints',
  limitranges: 'LimitRange',
  resourcequotas: 'ResourceQuota',
  persistentvolumeclaims: 'PersistentVolumeClaim',
  persistentvolumes: 'PersistentVolume',
  namespaces: 'Namespace',
  nodes: 'Node',
  deployments: 'Deployment',
  replicasets: 'ReplicaSet',
  statefulsets: 'StatefulSet',
  daemonsets: 'DaemonSet',
  controllerrevisions: 'ControllerRevision',
  jobs: 'Job',
  cronjobs: 'CronJob',
  ingresses: 'Ingress',
  ingressclasses: 'IngressClass',
  networkpolicies: 'NetworkPolicy',
  poddisruptionbudgets: 'PodDisruptionBudget',
  horizontalpodautoscalers: 'HorizontalPodAutoscaler',
  roles: 'Role',
  rolebindings: 'RoleBinding',
  clusterroles: 'ClusterRole',
  clusterrolebindings: 'ClusterRoleBinding',
  storageclasses: 'StorageClass',
  priorityclasses: 'PriorityClass',
  leases: 'Lease',
  endpointslices: 'EndpointSlice',
  customresourcedefinitions: 'CustomResourceDefinition',
  orders: 'Order',
  certificatesigningrequests: 'CertificateSigningRequest',
  runtimeclasses: 'RuntimeClass',
  validatingwebhookconfigurations: 'ValidatingWebhookConfiguration',
  apiservices: 'APIService',
  csidrivers: 'CSIDriver',
}
function placeOf(resource: string): { apiVersion: string; kind: string; namespaced: boolean } {
  const match = /^\/(?:api\/(v1)|apis\/([^/]+\/[^/]+))\//.exec(resource)
  const last = resource.split('/').at(-1) as string
  return { apiVersion: (match?.[1] ?? match?.[2]) as string, kind: kindAt[last] as string, namespaced: resource.includes('{namespace}') }
}
/** stands for what the server allocates or its strategy fills in before it validates */
function strategy(object: KubeObject): KubeObject {
  const { kind, spec, metadata } = object
  if (kind === 'Pod') {
    spec.serviceAccountName ||= 'default'
    spec.serviceAccount = spec.serviceAccountName
  }
  if (kind === 'Job' && !spec.selector && !spec.manualSelector && metadata) {
    spec.selector = { matchLabels: { 'batch.kubernetes.io/controller-uid': 'x' } }
    spec.template ??= {}
    const { template } = spec
    template.metadata = { ...template.metadata, labels: { ...template.metadata?.labels, 'batch.kubernetes.io/controller-uid': 'x' } }
  }
  return object
}
const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? (apiVersion.split('/')[0] as string) : '')

/** the stored object, or the Status of a failure */
export function answer(step: Answered): KubeObject | Status {
  const { apiVersion, kind, namespaced } = placeOf(step.resource)
  const custom = kind === 'Order'
  const shape = (custom ? shapeOfCrd(schema) : shapeOf(apiVersion, kind)) as StructShape
  const defaulted = (object: KubeObject) => (custom ? defaultsOfCrd(prune(object, schema), schema) : defaults(object))
  const manager = step.manager ?? 'oracle'
  const time = newest(step.answer)
  const options = { manager, time, shape, apiVersion, ...(step.subresource ? { subresource: step.subresource } : {}) }
  const refuse = (object: KubeObject, causes: ReturnType<typeof validateCreate>) => {
    if (causes.length > 0) throw invalid(kind, groupOf(apiVersion), object.metadata?.name ?? '', causes)
  }
  try {
    if (step.verb === 'create' || (step.verb === 'apply' && !step.before)) {
      let object: KubeObject
      if (step.verb === 'create') {
        if (step.strict) {
          const { unknown, duplicate } = checkFields(step.body, shape, JSON.stringify(step.body))
          const all = [...unknown, ...duplicate]
          if (all.length > 0) {
            coerce(step.body, shape)
            throw new ApiError(
              400,
              'BadRequest',
              `${kind} in version "${apiVersion.split('/').at(-1)}" cannot be handled as a ${kind}: strict decoding error: ${all.join(', ')}`,
            )
          }
        }
        object = defaulted(coerce(step.body, shape))
        if (namespaced) object.metadata.namespace = 'ns'
        object = track(undefined, object, { ...options, operation: 'Update' })
      } else {
        object = defaulted(apply(undefined, step.body, { ...options, force: step.force ?? false }))
        object.metadata.namespace = 'ns'
      }
      object = strategy(structuredClone(object))
      refuse(object, [...validateCreate(object), ...(custom ? validateCustom(object, schema) : [])])
      return coerce(object, shape)
    }
    const old = step.before as KubeObject
    if (!old) throw new ApiError(404, 'NotFound', 'not found')
    let changed: KubeObject
    if (step.verb === 'apply') changed = defaulted(apply(old, step.body, { ...options, force: step.force ?? false }))
    else {
      if (step.verb === 'json') changed = jsonPatch(old, step.body as never)
      else if (step.verb === 'merge') changed = mergePatch(old, step.body)
      else if (step.verb === 'strategic') changed = strategicMerge(old, step.body, shape)
      else {
        changed = structuredClone(step.body) as KubeObject
        const { metadata } = old
        changed.metadata = {
          ...changed.metadata,
          namespace: metadata.namespace,
          resourceVersion: metadata.resourceVersion,
          uid: changed.metadata.uid ?? metadata.uid,
          creationTimestamp: metadata.creationTimestamp,
        }
        if (metadata.generation !== undefined) changed.metadata.generation = metadata.generation
        changed.status = old.status
        if (changed.status === undefined) delete changed.status
      }
      if (step.verb === 'update') changed = coerce(changed, shape)
      else changed = coercePatched(changed, shape, step.verb === 'strategic' ? step.body : undefined)
      changed = defaulted(changed)
      if (kind === 'Pod') {
        changed.spec.tolerations = [
          ...(changed.spec.tolerations ?? []),
          ...old.spec.tolerations.filter((one: KubeObject) => admitted.has(one.key)),
        ]
        for (const field of ['priority', 'preemptionPolicy']) changed.spec[field] ??= old.spec[field]
      }
      changed = track(old, changed, { ...options, operation: 'Update' })
    }
    if (kind === 'Service') changed.spec = { ...pick(old.spec, allocated, changed.spec), ...changed.spec }
    refuse(changed, [...validateUpdate(changed, old), ...(custom ? validateCustom(changed, schema) : [])])
    return coerce(changed, shape)
  } catch (error) {
    if (error instanceof ApiError) return error.status
    throw error
  }
}
const allocated = ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']
/** what a service keeps when a change does not name it */
const pick = (from: KubeObject, fields: readonly string[], changed: KubeObject): KubeObject =>
  changed.clusterIP !== undefined && changed.clusterIP !== from.clusterIP
    ? {}
    : Object.fromEntries(fields.map((field) => [field, from[field]]))
/** the time of the write, as the server recorded it */
function newest(given: KubeObject): string {
  const times: string[] = (given?.metadata?.managedFields ?? []).map((entry: KubeObject) => entry.time ?? '')
  return times.sort().at(-1) || '2026-01-01T00:00:00Z'
}

const identity = ['uid', 'creationTimestamp', 'resourceVersion', 'generation', 'selfLink']
const admitted = new Set(['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'])
/** the server finds some things twice, looking at the new object alone and again as a change; in what order managers conflict is chance */
const unique = (causes: readonly unknown[] | undefined): string[] =>
  [...new Set((causes ?? []).map((cause) => JSON.stringify(cause)))].sort()
/** An answer without what only a server with a store, a clock and admission can know. */
export function comparable(given: KubeObject): KubeObject {
  const copy = structuredClone(given)
  if (copy.kind === 'Status') {
    const { message, reason, code, details } = copy
    // what is wrong with a body is told in the order of a Go map
    const told = String(message).split('\n').sort().join('\n')
    return { message: told, reason: reason ?? '', code, causes: unique(details?.causes) }
  }
  for (const field of identity) delete copy.metadata?.[field]
  for (const entry of copy.metadata?.managedFields ?? []) delete entry.time
  delete copy.status
  const { spec } = copy
  if (copy.kind === 'Pod' && spec) {
    for (const field of ['priority', 'preemptionPolicy', 'serviceAccount', 'serviceAccountName', 'nodeName']) delete spec[field]
    spec.tolerations = (spec.tolerations ?? []).filter((one: KubeObject) => !admitted.has(one.key))
    if (spec.tolerations.length === 0) delete spec.tolerations
  }
  if (copy.kind === 'Service') for (const field of ['clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'clusterIP']) delete spec[field]
  if (copy.kind === 'Service') for (const port of spec.ports ?? []) delete port.nodePort
  if (copy.kind === 'Job') {
    delete spec.selector
    delete spec.template.metadata
  }
  if (copy.kind === 'DaemonSet') delete copy.metadata.annotations?.['deprecated.daemonset.template.generation']
  if (copy.kind === 'Namespace') delete copy.spec
  if (copy.kind === 'PersistentVolumeClaim' || copy.kind === 'PersistentVolume') delete copy.metadata.finalizers
  if (copy.kind === 'EndpointSlice' || copy.kind === 'Endpoints') delete copy.metadata.labels
  for (const claim of spec?.volumeClaimTemplates ?? []) delete claim.status
  return copy
}
