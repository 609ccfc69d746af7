// What may not change: pkg/apis/*/validation's update rules of Kubernetes v1.35, main ones, with their texts.
// Knows nothing of which field a strategy resets: it sees the object as it would be stored.
import type { KubeObject } from '../../kube.ts'
import { type Cause, forbidden, immutable, invalidValue } from '../cause.ts'
import { copy, equal } from '../patch.ts'
import { compareQuantities } from '../quantity.ts'
import { printedTemplate, specDifference } from './difference.ts'
import { metadataUpdate } from './meta.ts'
import { type Causes, goStruct, Causes as List } from './names.ts'

type Rule = (object: KubeObject, out: Causes) => void
type Change = (object: KubeObject, old: KubeObject, out: Causes) => void

const same = (a: unknown, b: unknown): boolean => equal(a ?? null, b ?? null)
const without = (spec: KubeObject, fields: readonly string[]): KubeObject =>
  Object.fromEntries(Object.entries(spec ?? {}).filter(([key]) => !fields.includes(key)))
const keep =
  (field: string): Change =>
  (object, old, out) => {
    const read = (from: KubeObject) => field.split('.').reduce((value, key) => value?.[key], from)
    if (!same(read(object), read(old))) out.add(immutable(field, read(object)))
  }

const podFields =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'
function pod(object: KubeObject, old: KubeObject, out: Causes): undefined {
  const [now, was] = [object.spec, old.spec]
  for (const list of ['containers', 'initContainers'])
    if ((now[list]?.length ?? 0) !== (was[list]?.length ?? 0))
      return out.add(forbidden(`spec.${list}`, 'pod updates may not add or remove containers'))
  const deadline = now.activeDeadlineSeconds
  if (typeof deadline === 'number') {
    if (typeof was.activeDeadlineSeconds === 'number' && was.activeDeadlineSeconds < deadline)
      return out.add(invalidValue('spec.activeDeadlineSeconds', deadline, 'must be less than or equal to previous value'))
  } else if (was.activeDeadlineSeconds !== undefined)
    out.add(invalidValue('spec.activeDeadlineSeconds', null, 'must not update from a positive integer to nil value'))
  const other = (toleration: KubeObject) => without(toleration, ['tolerationSeconds'])
  for (const toleration of was.tolerations ?? [])
    if (!(now.tolerations ?? []).some((one: KubeObject) => equal(other(one), other(toleration)))) {
      out.add(forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'))
      break
    }
  for (const [index, gate] of (now.schedulingGates ?? []).entries())
    if (!(was.schedulingGates ?? []).some((one: KubeObject) => one.name === gate.name))
      out.add(
        forbidden(`spec.schedulingGates[${index}]`, 'only deletion is allowed, but found new scheduling gate '.concat(`'${gate.name}'`)),
      )
  const munged = copy(now)
  for (const list of ['containers', 'initContainers'])
    for (const [index, container] of (munged[list] ?? []).entries()) container.image = was[list][index].image
  for (const field of ['activeDeadlineSeconds', 'schedulingGates', 'tolerations'])
    if (was[field] === undefined) delete munged[field]
    else munged[field] = was[field]
  if (was.terminationGracePeriodSeconds < 0 && munged.terminationGracePeriodSeconds === 1)
    munged.terminationGracePeriodSeconds = was.terminationGracePeriodSeconds
  if (was.schedulingGates?.length) {
    for (const [key, value] of Object.entries(was.nodeSelector ?? {}))
      if (munged.nodeSelector?.[key] !== value) {
        out.add(
          invalidValue(
            'spec.nodeSelector',
            munged.nodeSelector ?? null,
            'only additions to spec.nodeSelector are allowed (no mutations or deletions)',
          ),
        )
        break
      }
    munged.nodeSelector = was.nodeSelector
    if (munged.nodeSelector === undefined) delete munged.nodeSelector
  }
  if (!equal(munged, was)) out.add(forbidden('spec', `${podFields}\n${specDifference('core/PodSpec', was, munged)}`))
}
function service(object: KubeObject, old: KubeObject, out: Causes): undefined {
  const [now, was] = [object.spec, old.spec]
  // The address stays as long as the service has one.
  if (was.type === 'ExternalName' || now.type === 'ExternalName') return
  if (was.clusterIP && now.clusterIP !== was.clusterIP)
    out.add(invalidValue('spec.clusterIPs[0]', now.clusterIPs ?? [now.clusterIP ?? ''], 'may not change once set'))
  else if (was.ipFamilies?.length && now.ipFamilies?.length && was.ipFamilies[0] !== now.ipFamilies[0])
    out.add(invalidValue('spec.ipFamilies[0]', now.ipFamilies[0], 'may not change once set'))
}
const statefulFields = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
]
const claimText = 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'
function claim(object: KubeObject, old: KubeObject, out: Causes): undefined {
  const [now, was] = [copy(object.spec), old.spec]
  // A claim is bound once, by the controller.
  if (!was.volumeName && now.volumeName) delete now.volumeName
  if (old.status?.phase === 'Bound' && was.resources?.requests?.storage && now.resources?.requests?.storage) {
    const [size, before] = [now.resources.requests.storage, was.resources.requests.storage]
    if (compareQuantities(size, before) < 0)
      out.add(forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'))
    now.resources.requests.storage = before
  }
  if (old.status?.phase === 'Bound' && now.volumeAttributesClassName !== undefined)
    now.volumeAttributesClassName = was.volumeAttributesClassName
  if (!equal(now, was)) out.add(forbidden('spec', `${claimText}\n${specDifference('core/PersistentVolumeClaimSpec', was, now)}`))
}
function job(object: KubeObject, old: KubeObject, out: Causes): undefined {
  const [now, was] = [object.spec, old.spec]
  const elastic = was.completionMode === 'Indexed' && now.completions === now.parallelism
  if (!same(now.completions, was.completions) && !elastic) out.add(immutable('spec.completions', now.completions))
  if (!same(now.selector, was.selector)) out.add(immutable('spec.selector', now.selector))
  const suspended = was.suspend && !old.status?.startTime
  const scheduling = ['nodeSelector', 'affinity', 'tolerations', 'schedulingGates']
  const trimmed = (template: KubeObject) =>
    suspended
      ? { ...template, metadata: without(template?.metadata, ['labels', 'annotations']), spec: without(template?.spec, scheduling) }
      : template
  if (!same(trimmed(now.template), trimmed(was.template))) out.add(immutable('spec.template', printedTemplate(now.template)))
  keep('spec.completionMode')(object, old, out)
  keep('spec.podFailurePolicy')(object, old, out)
  keep('spec.backoffLimitPerIndex')(object, old, out)
  keep('spec.managedBy')(object, old, out)
}
function frozen(object: KubeObject, old: KubeObject, out: Causes): undefined {
  if (!old.immutable) return
  const text = 'field is immutable when `immutable` is set'
  if (!object.immutable) out.add(forbidden('immutable', text))
  if (!same(object.data, old.data)) out.add(forbidden('data', text))
  if (!same(object.binaryData, old.binaryData)) out.add(forbidden('binaryData', text))
}
const changes: Record<string, Change> = {
  Pod: pod,
  Service: service,
  Deployment: keep('spec.selector'),
  ReplicaSet: keep('spec.selector'),
  DaemonSet: keep('spec.selector'),
  StatefulSet: (object, old, out) => {
    if (!equal(without(object.spec, statefulFields), without(old.spec, statefulFields)))
      out.add(
        forbidden(
          'spec',
          "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        ),
      )
  },
  Job: job,
  PersistentVolumeClaim: claim,
  PersistentVolume: (object, old, out) => {
    const sources = (spec: KubeObject) =>
      without(spec, [
        'capacity',
        'accessModes',
        'claimRef',
        'persistentVolumeReclaimPolicy',
        'storageClassName',
        'mountOptions',
        'volumeMode',
        'nodeAffinity',
        'volumeAttributesClassName',
      ])
    if (!equal(sources(object.spec), sources(old.spec)))
      out.add(
        forbidden(
          'spec.persistentvolumesource',
          `spec.persistentvolumesource is immutable after creation\n${specDifference('core/PersistentVolumeSource', sources(old.spec), sources(object.spec))}`,
        ),
      )
    keep('spec.volumeMode')(object, old, out)
    if (old.spec.nodeAffinity) keep('spec.nodeAffinity')(object, old, out)
  },
  ConfigMap: frozen,
  Secret: (object, old, out) => {
    keep('type')(object, old, out)
    frozen(object, old, out)
  },
  RoleBinding: roleRef,
  ClusterRoleBinding: roleRef,
  EndpointSlice: keep('addressType'),
  ControllerRevision: keep('data'),
  StorageClass: (object, old, out) => {
    if (!same(object.parameters, old.parameters)) out.add(forbidden('parameters', 'updates to parameters are forbidden.'))
    if (object.provisioner !== old.provisioner) out.add(forbidden('provisioner', 'updates to provisioner are forbidden.'))
    keep('reclaimPolicy')(object, old, out)
    keep('volumeBindingMode')(object, old, out)
  },
  PriorityClass: (object, old, out) => {
    if (object.value !== old.value) out.add(forbidden('value', 'may not be changed in an update.'))
    keep('preemptionPolicy')(object, old, out)
  },
  IngressClass: keep('spec.controller'),
  Node: (object, old, out) => {
    if (old.spec?.podCIDRs?.length && !same(object.spec?.podCIDRs, old.spec.podCIDRs))
      out.add(forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'))
    if (old.spec?.providerID && object.spec?.providerID !== old.spec.providerID)
      out.add(forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid'))
  },
  CustomResourceDefinition: (object, old, out) => {
    for (const field of ['spec.scope', 'spec.names.kind', 'spec.names.plural', 'spec.group']) keep(field)(object, old, out)
  },
}
function roleRef(object: KubeObject, old: KubeObject, out: Causes): undefined {
  if (!same(object.roleRef, old.roleRef))
    out.add(invalidValue('roleRef', goStruct(object.roleRef, ['APIGroup=""', 'Kind=""', 'Name=""']), 'cannot change roleRef'))
}
/** whose spec is looked at again after a change of its own rules; the rest only before */
const first = new Set(['ConfigMap', 'Secret', 'RoleBinding', 'ClusterRoleBinding', 'EndpointSlice', 'StorageClass', 'PriorityClass'])

export function updates(object: KubeObject, old: KubeObject, subresource: string, rule: Rule | undefined): Cause[] {
  const out = new List()
  metadataUpdate(object, old, 'metadata', out)
  if (subresource === 'status' || subresource === 'scale' || subresource === 'approval') return out.list
  if (subresource === 'ephemeralcontainers') {
    rule?.(object, out)
    for (const before of old.spec?.ephemeralContainers ?? []) {
      const after = (object.spec?.ephemeralContainers ?? []).find((one: KubeObject) => one.name === before.name)
      if (!after)
        out.add(forbidden('spec.ephemeralContainers', `existing ephemeral containers ${JSON.stringify(before.name)} may not be removed\n`))
      else if (!equal(after, before))
        out.add(
          forbidden(
            'spec.ephemeralContainers',
            `existing ephemeral containers ${JSON.stringify(before.name)} may not be changed\n${specDifference('core/EphemeralContainer', before, after)}`,
          ),
        )
    }
    return out.list
  }
  if (subresource !== '') return out.list
  const change = changes[object.kind]
  if (first.has(object.kind)) change?.(object, old, out)
  // Addresses of another family would all be wrong.
  if (!(object.kind === 'EndpointSlice' && object.addressType !== old.addressType)) rule?.(object, out)
  if (!first.has(object.kind)) change?.(object, old, out)
  return out.list
}
