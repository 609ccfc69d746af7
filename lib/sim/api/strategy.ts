// What the API server itself fills into an object of each kind before it is stored, and which parts of it a request may change. Data where it is a
// list of kinds. Knows nothing of who asks. Sources: pkg/registry/*/*/strategy.go
import type { KubeObject, User } from '../kube.ts'
import { copy } from '../schema/index.ts'
import type { Served } from './registry.ts'
import { equal } from './store.ts'

/** Kinds that have metadata.generation; it grows with every change of anything but metadata and status. */
const generations = new Set([
  'pods',
  'replicationcontrollers',
  'daemonsets.apps',
  'deployments.apps',
  'replicasets.apps',
  'statefulsets.apps',
  'jobs.batch',
  'cronjobs.batch',
  'endpointslices.discovery.k8s.io',
  'flowschemas.flowcontrol.apiserver.k8s.io',
  'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io',
  'ingresses.networking.k8s.io',
  'ingressclasses.networking.k8s.io',
  'networkpolicies.networking.k8s.io',
  'poddisruptionbudgets.policy',
  'priorityclasses.scheduling.k8s.io',
  'customresourcedefinitions.apiextensions.k8s.io',
  'mutatingwebhookconfigurations.admissionregistration.k8s.io',
  'validatingwebhookconfigurations.admissionregistration.k8s.io',
  'validatingadmissionpolicies.admissionregistration.k8s.io',
  'validatingadmissionpolicybindings.admissionregistration.k8s.io',
])
/** What status an object begins with, where it is not the kind's empty one. */
const firstStatus: Readonly<Record<string, KubeObject>> = {
  namespaces: { phase: 'Active' },
  persistentvolumeclaims: { phase: 'Pending' },
  persistentvolumes: { phase: 'Pending' },
  services: { loadBalancer: {} },
  'deployments.apps': {},
  'replicasets.apps': { replicas: 0 },
  replicationcontrollers: { replicas: 0 },
  'statefulsets.apps': { replicas: 0, availableReplicas: 0 },
  'daemonsets.apps': { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 },
  'jobs.batch': {},
  'cronjobs.batch': {},
  'ingresses.networking.k8s.io': { loadBalancer: {} },
  'poddisruptionbudgets.policy': { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 },
  'horizontalpodautoscalers.autoscaling': { currentMetrics: null, desiredReplicas: 0 },
  'certificatesigningrequests.certificates.k8s.io': {},
  resourcequotas: {},
  'flowschemas.flowcontrol.apiserver.k8s.io': {},
  'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io': {},
  'apiservices.apiregistration.k8s.io': {},
  'servicecidrs.networking.k8s.io': {},
}
/** Kinds whose creator may say the status. */
export const keepsStatus: ReadonlySet<string> = new Set(['nodes', 'volumeattachments.storage.k8s.io'])
/** A write of the status of these leaves all metadata as it is; with other kinds labels, annotations and the like pass. */
const resetsMetadata = new Set([
  'servicecidrs.networking.k8s.io',
  'resourceclaims.resource.k8s.io',
  'volumeattachments.storage.k8s.io',
  'validatingadmissionpolicies.admissionregistration.k8s.io',
  'flowschemas.flowcontrol.apiserver.k8s.io',
  'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io',
  'customresourcedefinitions.apiextensions.k8s.io',
  'apiservices.apiregistration.k8s.io',
])

export const hasGeneration = (served: Served): boolean => served.custom !== undefined || generations.has(served.bucket)
const hasStatus = (served: Served): boolean => served.subresources.some((subresource) => subresource.name === 'status')

/** Changes the object, which is the caller's own. `uid` is set already. */
export function prepareCreate(served: Served, object: KubeObject, user: User, now: string): void {
  if (hasGeneration(served)) object.metadata.generation = 1
  const first = firstStatus[served.bucket]
  if (first !== undefined) object.status = copy(first)
  else if (hasStatus(served) && !keepsStatus.has(served.bucket)) delete object.status
  switch (served.bucket) {
    case 'pods':
      object.status = { phase: 'Pending', qosClass: qosClass(object.spec) }
      // Both names of one field: what a client of old reads is what a new one wrote.
      if (object.spec.serviceAccountName) object.spec.serviceAccount = object.spec.serviceAccountName
      if (object.spec.schedulingGates?.length > 0)
        object.status.conditions = [
          {
            type: 'PodScheduled',
            status: 'False',
            lastProbeTime: null,
            lastTransitionTime: now,
            reason: 'SchedulingGated',
            message: 'Scheduling is blocked due to non-empty scheduling gates',
          },
        ]
      break
    case 'daemonsets.apps':
      templateGeneration(object, Math.max(1, Number.parseInt(object.metadata.annotations?.[generationAnnotation] ?? '1', 10) || 1))
      break
    case 'persistentvolumes':
      object.status.lastPhaseTransitionTime = now
      break
    case 'namespaces':
      object.spec = { finalizers: [...new Set([...(object.spec?.finalizers ?? []), 'kubernetes'])] }
      object.metadata.labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': object.metadata.name }
      break
    case 'jobs.batch':
      if (object.spec.manualSelector !== true) jobSelector(object)
      break
    case 'certificatesigningrequests.certificates.k8s.io':
      Object.assign(object.spec, {
        username: user.name,
        ...(user.uid === undefined ? {} : { uid: user.uid }),
        groups: [...user.groups],
        ...(user.extra === undefined ? {} : { extra: user.extra }),
      })
      break
    case 'customresourcedefinitions.apiextensions.k8s.io':
      object.status = { conditions: null, acceptedNames: { plural: '', kind: '' }, storedVersions: storedVersions(object) }
      break
  }
}
/** Counts the changes of a daemon set's template; a field of its own in the server, an annotation to everybody else. */
const generationAnnotation = 'deprecated.daemonset.template.generation'
function templateGeneration(set: KubeObject, generation: number): void {
  set.metadata.annotations = { ...set.metadata.annotations, [generationAnnotation]: String(generation) }
}
const storedVersions = (crd: KubeObject): string[] =>
  (crd.spec.versions ?? []).filter((version: KubeObject) => version.storage).map((version: KubeObject) => version.name)

function jobSelector(job: KubeObject): void {
  const template = job.spec.template
  const labels: Record<string, string> = {
    ...template.metadata?.labels,
    'batch.kubernetes.io/controller-uid': job.metadata.uid,
    'batch.kubernetes.io/job-name': job.metadata.name,
    'controller-uid': job.metadata.uid,
    'job-name': job.metadata.name,
  }
  // Labels that are defaulted from the template's are one map with them in the real server, and so get these too.
  if (Object.keys(job.metadata.labels ?? {}).length === 0 || equal(job.metadata.labels, template.metadata?.labels))
    job.metadata.labels = { ...labels }
  job.spec.template = { ...template, metadata: { ...template.metadata, labels } }
  job.spec.selector = { matchLabels: { ...job.spec.selector?.matchLabels, 'batch.kubernetes.io/controller-uid': job.metadata.uid } }
}

/**
 * Brings the parts that this request may not change back from `old`. Changes `object`, which is the caller's own.
 * `subresource` is '' for the object itself.
 */
export function prepareUpdate(served: Served, object: KubeObject, old: KubeObject, subresource: string, now: string): void {
  if (subresource === 'status') {
    prepareStatus(served, object, old, now)
    return
  }
  const kept = old.metadata
  for (const key of systemMetadata) set(object.metadata, key, kept[key])
  object.metadata.generateName ??= kept.generateName
  if (object.metadata.generateName === undefined) delete object.metadata.generateName
  if (hasStatus(served) && subresource !== 'approval') set(object, 'status', old.status)
  const { bucket } = served
  if (bucket === 'namespaces' && subresource !== 'finalize') object.spec = old.spec
  if (bucket === 'namespaces') object.metadata.labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': kept.name }
  if (bucket === 'pods' && object.spec.serviceAccountName) object.spec.serviceAccount = object.spec.serviceAccountName
  if (bucket === 'daemonsets.apps' && subresource === '') {
    const before = Number.parseInt(kept.annotations?.[generationAnnotation] ?? '1', 10) || 1
    templateGeneration(object, equal(object.spec.template, old.spec.template) ? before : before + 1)
  }
  if (bucket === 'jobs.batch') object.spec.selector ??= old.spec.selector
  if (bucket === requests) {
    object.spec = old.spec
    if (subresource === 'approval') datedConditions(object, old, now)
  }
  // A deployment's annotations go to its replica sets, and count.
  const annotated = bucket === 'deployments.apps' && !equal(object.metadata.annotations ?? {}, kept.annotations ?? {})
  const labelled = bucket === 'endpointslices.discovery.k8s.io' && !equal(object.metadata.labels ?? {}, kept.labels ?? {})
  if (hasGeneration(served) && (annotated || labelled || !equal(withoutMetadata(object), withoutMetadata(old)))) {
    object.metadata.generation = (kept.generation ?? 0) + 1
  }
}
const requests = 'certificatesigningrequests.certificates.k8s.io'
/** what only the server writes */
const systemMetadata = ['uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'generation', 'namespace', 'name']

/** Everything but status, and what metadata may change with it, is as it was. */
function prepareStatus(served: Served, object: KubeObject, old: KubeObject, now: string): void {
  const { status, metadata } = object
  const kept = { ...old.metadata }
  set(kept, 'managedFields', metadata.managedFields)
  if (served.custom === undefined && !resetsMetadata.has(served.bucket)) {
    for (const key of ['labels', 'annotations', 'finalizers', 'ownerReferences']) {
      if (key === 'labels' && served.bucket === 'deployments.apps') continue
      if (key === 'ownerReferences' && served.bucket === 'pods') continue
      set(kept, key, metadata[key])
    }
  }
  for (const key of Object.keys(object)) delete object[key]
  Object.assign(object, copy({ ...old, metadata: kept }))
  set(object, 'status', status)
  if (served.bucket === 'pods' && object.status) object.status.qosClass ||= old.status?.qosClass
  if (served.bucket === 'persistentvolumes' && object.status && object.status.phase !== old.status?.phase) {
    object.status.lastPhaseTransitionTime = now
  }
  if (served.bucket === requests) datedConditions(object, old, now)
}
/** A certificate request's conditions get their times from the server. */
function datedConditions(object: KubeObject, old: KubeObject, now: string): void {
  for (const condition of object.status?.conditions ?? []) {
    const before = old.status?.conditions?.find((one: KubeObject) => one.type === condition.type)
    condition.lastUpdateTime ??= now
    condition.lastTransitionTime ??= before?.status === condition.status ? before?.lastTransitionTime : now
  }
}
function set(into: KubeObject, key: string, value: unknown): void {
  if (value === undefined) delete into[key]
  else into[key] = value
}
const withoutMetadata = (object: KubeObject): KubeObject => ({ ...object, metadata: undefined, status: undefined })

/** A pod's quality of service. Source: pkg/apis/core/v1/helper/qos */
export function qosClass(spec: KubeObject): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  let any = false
  let guaranteed = true
  const every = [...(spec.containers ?? []), ...(spec.initContainers ?? [])]
  for (const { resources = {} } of spec.resources ? [{ resources: spec.resources }] : every) {
    for (const name of ['cpu', 'memory']) {
      const request = resources.requests?.[name]
      const limit = resources.limits?.[name]
      if (notZero(request) || notZero(limit)) any = true
      if (!notZero(limit) || (request !== undefined && String(request) !== String(limit))) guaranteed = false
    }
  }
  return any ? (guaranteed ? 'Guaranteed' : 'Burstable') : 'BestEffort'
}
const notZero = (quantity: unknown): boolean => quantity !== undefined && Number.parseFloat(String(quantity)) !== 0
