// Objects of one kind in another version: events of both groups, horizontal pod autoscalers, and custom resources (whose versions differ in name only,
// conversion webhooks are not asked). Knows nothing of storage. Sources: pkg/apis/events/v1/conversion.go, pkg/apis/autoscaling/v1/conversion.go.
import type { KubeObject } from '../kube.ts'
import type { Served } from './registry.ts'

/** A new object in the version of `to`; parts are shared with `object`. */
export function convert(object: KubeObject, to: Pick<Served, 'apiVersion' | 'kind' | 'group' | 'bucket'>): KubeObject {
  if (object.apiVersion === to.apiVersion && object.kind === to.kind) return object
  if (to.bucket === 'events') return to.group === '' ? coreEvent(object) : newEvent(object)
  if (to.bucket === 'horizontalpodautoscalers.autoscaling') return to.apiVersion === 'autoscaling/v1' ? scalerV1(object) : scalerV2(object)
  return { ...object, apiVersion: to.apiVersion, kind: to.kind }
}

const common = ['metadata', 'reason', 'type', 'eventTime', 'series', 'action', 'related', 'reportingInstance']
const pick = (object: KubeObject, keys: readonly string[]): KubeObject =>
  Object.fromEntries(keys.filter((key) => object[key] !== undefined).map((key) => [key, object[key]]))
const rename = (object: KubeObject, names: Readonly<Record<string, string>>): KubeObject =>
  Object.fromEntries(
    Object.entries(names)
      .filter(([from]) => object[from] !== undefined)
      .map(([from, to]) => [to, object[from]]),
  )
const toNew = {
  message: 'note',
  involvedObject: 'regarding',
  reportingComponent: 'reportingController',
  source: 'deprecatedSource',
  firstTimestamp: 'deprecatedFirstTimestamp',
  lastTimestamp: 'deprecatedLastTimestamp',
  count: 'deprecatedCount',
}
const toCore = Object.fromEntries(Object.entries(toNew).map(([core, renamed]) => [renamed, core]))
const newEvent = (event: KubeObject): KubeObject => ({
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  ...pick(event, common),
  ...rename(event, toNew),
})
const coreEvent = (event: KubeObject): KubeObject => ({ apiVersion: 'v1', kind: 'Event', ...pick(event, common), ...rename(event, toCore) })

function scalerV1(scaler: KubeObject): KubeObject {
  const { metrics = [], scaleTargetRef, minReplicas, maxReplicas } = scaler.spec
  const cpu = metrics.find(
    (metric: KubeObject) => metric.resource?.name === 'cpu' && metric.resource.target?.averageUtilization !== undefined,
  )
  const status = scaler.status ?? {}
  const now = (status.currentMetrics ?? []).find((metric: KubeObject) => metric.resource?.name === 'cpu')?.resource.current
    .averageUtilization
  const others = metrics.filter((metric: KubeObject) => metric !== cpu)
  const annotations = {
    ...scaler.metadata.annotations,
    ...(others.length > 0 ? { 'autoscaling.alpha.kubernetes.io/metrics': JSON.stringify(others) } : {}),
    ...(status.conditions ? { 'autoscaling.alpha.kubernetes.io/conditions': JSON.stringify(status.conditions) } : {}),
    ...(scaler.spec.behavior ? { 'autoscaling.alpha.kubernetes.io/behavior': JSON.stringify(scaler.spec.behavior) } : {}),
  }
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    metadata: { ...scaler.metadata, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
    spec: {
      scaleTargetRef,
      ...(minReplicas === undefined ? {} : { minReplicas }),
      maxReplicas,
      ...(cpu === undefined ? {} : { targetCPUUtilizationPercentage: cpu.resource.target.averageUtilization }),
    },
    status: {
      ...pick(status, ['observedGeneration', 'lastScaleTime']),
      currentReplicas: status.currentReplicas ?? 0,
      desiredReplicas: status.desiredReplicas ?? 0,
      ...(now === undefined ? {} : { currentCPUUtilizationPercentage: now }),
    },
  }
}
const hidden = ['metrics', 'conditions', 'behavior'] as const
function scalerV2(scaler: KubeObject): KubeObject {
  const { scaleTargetRef, minReplicas, maxReplicas, targetCPUUtilizationPercentage } = scaler.spec
  const annotations = { ...scaler.metadata.annotations }
  const read: Record<string, KubeObject> = {}
  for (const name of hidden) {
    const key = `autoscaling.alpha.kubernetes.io/${name}`
    if (annotations[key] === undefined) continue
    try {
      read[name] = JSON.parse(annotations[key])
    } catch {
      // Not ours: what a person wrote there stays out of the spec, as an unreadable annotation does in the real conversion.
    }
    delete annotations[key]
  }
  const percentage = targetCPUUtilizationPercentage ?? (read.metrics === undefined ? 80 : undefined)
  const metrics = [
    ...(percentage === undefined
      ? []
      : [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: percentage } } }]),
    ...(read.metrics ?? []),
  ]
  const metadata = { ...scaler.metadata }
  if (Object.keys(annotations).length > 0) metadata.annotations = annotations
  else delete metadata.annotations
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata,
    spec: {
      scaleTargetRef,
      minReplicas: minReplicas ?? 1,
      maxReplicas,
      metrics,
      ...(read.behavior === undefined ? {} : { behavior: read.behavior }),
    },
    status: {
      currentReplicas: 0,
      desiredReplicas: 0,
      currentMetrics: null,
      ...pick(scaler.status ?? {}, ['observedGeneration', 'lastScaleTime', 'currentReplicas', 'desiredReplicas']),
      ...(read.conditions === undefined ? {} : { conditions: read.conditions }),
    },
  }
}
