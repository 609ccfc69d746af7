// Validation, as the API server does it before it stores: metadata first, then the kind's own rules, in the server's order and words.
// Knows nothing of other objects: what must exist elsewhere is admission's or a controller's business.
import type { KubeObject } from '../../kube.ts'
import { type Cause, forbidden } from '../cause.ts'
import { customResourceDefinition } from './definition.ts'
import * as extension from './extension.ts'
import * as kinds from './kinds.ts'
import { metadata } from './meta.ts'
import { Causes } from './names.ts'
import { endpointSlice, endpoints, ingress, ingressClass, networkPolicy, service } from './network.ts'
import { podOnly, podOnlyAfter, podSpec } from './pod.ts'
import { updates } from './update.ts'
import { claimSpec, volumeSpec } from './volumes.ts'
import { cronJob, daemonSet, deployment, job, replicaSet, replicationController, statefulSet } from './workloads.ts'

type Rule = (object: KubeObject, out: Causes) => void
const rules: Record<string, Rule> = {
  Pod: (pod, out) => {
    podOnly(pod, out)
    podSpec(pod.spec ?? {}, 'spec', pod.metadata ?? {}, out)
    podOnlyAfter(pod, out)
  },
  PodTemplate: ({ template }, out) => podSpec(template?.spec ?? {}, 'template.spec', template?.metadata ?? {}, out),
  ReplicationController: replicationController,
  Deployment: deployment,
  ReplicaSet: replicaSet,
  DaemonSet: daemonSet,
  StatefulSet: statefulSet,
  ControllerRevision: kinds.controllerRevision,
  Job: job,
  CronJob: cronJob,
  ConfigMap: kinds.configMap,
  Secret: kinds.secret,
  Service: service,
  Endpoints: endpoints,
  EndpointSlice: endpointSlice,
  Ingress: ingress,
  IngressClass: ingressClass,
  NetworkPolicy: networkPolicy,
  Node: kinds.node,
  ResourceQuota: kinds.resourceQuota,
  LimitRange: kinds.limitRange,
  PersistentVolume: ({ spec }, out) => volumeSpec(spec ?? {}, 'spec', out),
  PersistentVolumeClaim: ({ spec }, out) => claimSpec(spec ?? {}, 'spec', out),
  StorageClass: kinds.storageClass,
  Role: kinds.role,
  ClusterRole: kinds.clusterRole,
  RoleBinding: kinds.binding,
  ClusterRoleBinding: kinds.binding,
  PodDisruptionBudget: kinds.disruptionBudget,
  HorizontalPodAutoscaler: kinds.autoscaler,
  Lease: kinds.lease,
  PriorityClass: kinds.priorityClass,
  CustomResourceDefinition: customResourceDefinition,
  CertificateSigningRequest: extension.signingRequest,
  RuntimeClass: extension.runtimeClass,
  CSIDriver: extension.csiDriver,
  APIService: extension.apiService,
  ValidatingWebhookConfiguration: extension.webhooks,
  MutatingWebhookConfiguration: extension.webhooks,
}
const own = (object: KubeObject): Rule | undefined => {
  const group = String(object.apiVersion).includes('/') ? String(object.apiVersion).split('/')[0] : ''
  // A custom kind may have a built-in one's name.
  if (object.kind === 'Event') return object.apiVersion === 'v1' ? extension.event : undefined
  return group !== '' && group?.includes('.') && !group.endsWith('.k8s.io') ? undefined : rules[object.kind]
}
/** names that end in more letters must leave room for them */
const nameLength: Record<string, number> = { CronJob: 52 }

/** What is wrong with a new object, after defaulting and admission; empty when nothing. */
export function validateCreate(object: KubeObject): Cause[] {
  const out = new Causes()
  metadata(object, 'metadata', out)
  own(object)?.(object, out)
  const most = nameLength[object.kind]
  if (most && (object.metadata?.name?.length ?? 0) > most)
    out.check('metadata.name', object.metadata.name, [`must be no more than ${most} characters`])
  if (object.kind === 'Pod' && object.spec?.ephemeralContainers?.length)
    out.add(forbidden('spec.ephemeralContainers', 'cannot be set on create'))
  return out.list
}
/** What is wrong with a change; `subresource`: '' or `status`, `ephemeralcontainers`, `resize` … */
export function validateUpdate(object: KubeObject, old: KubeObject, subresource = ''): Cause[] {
  return updates(object, old, subresource, own(object))
}
