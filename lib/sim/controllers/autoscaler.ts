// The HorizontalPodAutoscaler controller in a cluster without metrics, which is what kind is: it reads the scale, keeps it within its bounds, and says why
// it cannot do more (pkg/controller/podautoscaler). With metrics nothing here would know how to ask for them.
import { ApiError, type KubeObject } from '../kube.ts'
import { keyOf, type Run, splitKey, unhandled } from './context.ts'
import { same, stamp } from './objects.ts'

const resource = 'autoscaling/v2/horizontalpodautoscalers'
// --horizontal-pod-autoscaler-sync-period
const periodMs = 15_000
const scalable: Readonly<Record<string, { resource: string; name: string }>> = {
  'apps Deployment': { resource: 'apps/v1/deployments', name: 'deployments.apps' },
  'apps ReplicaSet': { resource: 'apps/v1/replicasets', name: 'replicasets.apps' },
  'apps StatefulSet': { resource: 'apps/v1/statefulsets', name: 'statefulsets.apps' },
  ' ReplicationController': { resource: 'v1/replicationcontrollers', name: 'replicationcontrollers' },
}
const noMetrics = 'the server could not find the requested resource (get pods.metrics.k8s.io)'

export function startHorizontalPodAutoscaler(run: Run): void {
  const client = run.client('horizontal-pod-autoscaler')
  const record = run.events('horizontal-pod-autoscaler', 'horizontal-pod-autoscaler')
  const queue = run.queue('horizontalpodautoscaler', (key) => {
    const { namespace, name } = splitKey(key)
    const scaler = run.reader.find(resource, name, namespace)
    if (scaler === undefined) return
    try {
      sync(scaler)
    } finally {
      queue.addAfter(key, periodMs)
    }
  })
  run.watch(resource, {
    added: (scaler) => queue.add(keyOf(scaler)),
    updated: (scaler, old) => {
      if (!same(scaler.spec, old.spec)) queue.addAfter(keyOf(scaler), periodMs)
    },
  })

  const sync = (scaler: KubeObject): void => {
    const { kind, name, apiVersion } = scaler.spec.scaleTargetRef
    const { namespace } = scaler.metadata
    const group = apiVersion?.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
    const target = scalable[`${group} ${kind}`]
    const conditions = new Map<string, KubeObject>((scaler.status?.conditions ?? []).map((one: KubeObject) => [one.type, one]))
    const set = (type: string, status: string, reason: string, message: string) => {
      const before = conditions.get(type)
      const lastTransitionTime = before?.status === status ? before.lastTransitionTime : stamp(run.clock.now())
      conditions.set(type, { type, status, lastTransitionTime, reason, message })
    }
    const found = target && run.reader.find(target.resource, name, namespace)
    if (target === undefined || found === undefined) {
      const problem =
        target === undefined
          ? `no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(group)}`
          : `${target.name} ${JSON.stringify(name)} not found`
      record(scaler, 'Warning', 'FailedGetScale', problem)
      set('AbleToScale', 'False', 'FailedGetScale', `the HPA controller was unable to get the target's current scale: ${problem}`)
      write(scaler, conditions, scaler.status?.currentReplicas ?? 0, scaler.status?.desiredReplicas ?? 0)
      run.log(...unhandled('horizontal.go:289', `failed to query scale subresource for ${kind}/${namespace}/${name}: ${problem}`))
      return
    }
    set('AbleToScale', 'True', 'SucceededGetScale', "the HPA controller was able to get the target's current scale")
    const current: number = found.spec.replicas ?? 0
    const least: number = scaler.spec.minReplicas ?? 1
    const most: number = scaler.spec.maxReplicas
    let wanted = current
    let reason = ''
    if (current === 0 && least !== 0) {
      set('ScalingActive', 'False', 'ScalingDisabled', 'scaling is disabled since the replica count of the target is zero')
    } else if (current > most) {
      wanted = most
      reason = 'Current number of replicas above Spec.MaxReplicas'
    } else if (current < least) {
      wanted = least
      reason = 'Current number of replicas below Spec.MinReplicas'
    } else {
      fail(scaler, set)
      write(scaler, conditions, current, scaler.status?.desiredReplicas ?? 0, undefined, [{ type: '' }])
      return
    }
    if (wanted !== current) {
      try {
        const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name, namespace }, spec: { replicas: wanted } }
        client.update(target.resource, scale, { subresource: 'scale' })
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        record(scaler, 'Warning', 'FailedRescale', `New size: ${wanted}; reason: ${reason}; error: ${error.message}`)
        set('AbleToScale', 'False', 'FailedUpdateScale', `the HPA controller was unable to update the target scale: ${error.message}`)
        write(scaler, conditions, current, wanted)
        throw error
      }
      run.log('I', 'horizontal.go:937', 'Successfully rescaled', {
        HPA: keyOf(scaler),
        currentReplicas: current,
        desiredReplicas: wanted,
        reason,
      })
      record(scaler, 'Normal', 'SuccessfulRescale', `New size: ${wanted}; reason: ${reason}`)
      set('AbleToScale', 'True', 'SucceededRescale', `the HPA controller was able to update the target scale to ${wanted}`)
      write(scaler, conditions, current, wanted, stamp(run.clock.now()))
      return
    }
    write(scaler, conditions, current, wanted)
  }
  const fail = (scaler: KubeObject, set: (type: string, status: string, reason: string, message: string) => void): void => {
    const metric: KubeObject = scaler.spec.metrics?.[0] ?? { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization' } } }
    const name = metric.resource?.name ?? metric.containerResource?.name ?? 'cpu'
    const what = metric.resource?.target?.averageValue === undefined ? `${name} utilization` : name
    const unable = `failed to get ${what}: unable to get metrics for resource ${name}: unable to fetch metrics from resource metrics API: ${noMetrics}`
    record(scaler, 'Warning', 'FailedGetResourceMetric', unable)
    set('ScalingActive', 'False', 'FailedGetResourceMetric', `the HPA was unable to compute the replica count: ${unable}`)
    const summary = `invalid metrics (1 invalid out of ${scaler.spec.metrics?.length ?? 1}), first error is: failed to get ${name} resource metric value: ${unable}`
    record(scaler, 'Warning', 'FailedComputeMetricsReplicas', summary)
    const { kind, name: target } = scaler.spec.scaleTargetRef
    const subject = `${kind}/${scaler.metadata.namespace}/${target}`
    run.log(
      ...unhandled('horizontal.go:289', `failed to compute desired number of replicas based on listed metrics for ${subject}: ${summary}`),
    )
  }
  const write = (
    scaler: KubeObject,
    conditions: ReadonlyMap<string, KubeObject>,
    currentReplicas: number,
    desiredReplicas: number,
    lastScaleTime?: string,
    currentMetrics = scaler.status?.currentMetrics,
  ): void => {
    const time = lastScaleTime ?? scaler.status?.lastScaleTime
    const status = {
      ...(time === undefined ? {} : { lastScaleTime: time }),
      ...(currentReplicas > 0 ? { currentReplicas } : {}),
      desiredReplicas,
      ...(currentMetrics === undefined ? {} : { currentMetrics }),
      conditions: [...conditions.values()],
    }
    if (!same(status, scaler.status)) client.update(resource, { ...scaler, status }, { subresource: 'status' })
  }
}
