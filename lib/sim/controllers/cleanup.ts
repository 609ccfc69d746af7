// Removes what has had its time: pods of nodes that are gone, pods that ended long ago, finished Jobs with a time to live
// (pkg/controller/podgc, ttlafterfinished).
import type { KubeObject } from '../kube.ts'
import { keyOf, type Run, splitKey, unless } from './context.ts'
import { parseTime, stamp } from './objects.ts'
import { isReady, isTerminal } from './pods.ts'

// gcCheckPeriod, quarantineTime, --terminated-pod-gc-threshold
const periodMs = 20_000
const quarantineMs = 40_000
const threshold = 12_500
const outOfService = 'node.kubernetes.io/out-of-service'

export function startPodGarbage(run: Run): void {
  const client = run.client('pod-garbage-collector')
  /** nodes that pods speak of and that are not there, and since when */
  const missing = new Map<string, number>()
  run.watch('v1/pods', {})
  run.watch('v1/nodes', {})
  const remove = (pod: KubeObject, condition?: KubeObject): void => {
    const { name, namespace } = pod.metadata
    unless([404], () => {
      if (!isTerminal(pod)) {
        const status = { phase: 'Failed', ...(condition ? { conditions: [condition] } : {}) }
        client.patch('v1/pods', name, namespace, 'strategic', { status }, { subresource: 'status' })
      }
      client.delete('v1/pods', name, namespace, { gracePeriodSeconds: 0 })
    })
  }
  run.every(periodMs, () => {
    const nodes = run.seen('v1/nodes')
    const pods = [...run.seen('v1/pods').values()]
    const now = run.clock.now()
    const ended = pods.filter(isTerminal)
    if (ended.length > threshold) {
      ended.sort((a, b) => parseTime(a.metadata.creationTimestamp) - parseTime(b.metadata.creationTimestamp))
      for (const pod of ended.slice(0, ended.length - threshold)) remove(pod)
    }
    const gone = new Set<string>()
    for (const pod of pods) {
      const node: string | undefined = pod.spec.nodeName
      if (!node) {
        if (pod.metadata.deletionTimestamp) remove(pod)
        continue
      }
      const found = nodes.get(node)
      if (found === undefined) {
        gone.add(node)
        const since = missing.get(node) ?? now
        missing.set(node, since)
        if (now - since < quarantineMs) continue
        const condition = {
          type: 'DisruptionTarget',
          observedGeneration: pod.metadata.generation,
          status: 'True',
          reason: 'DeletionByPodGC',
          message: 'PodGC: node no longer exists',
          lastTransitionTime: stamp(now),
        }
        remove(pod, condition)
        run.log('I', 'gc_controller.go:255', 'Forced deletion of orphaned Pod succeeded', { pod: keyOf(pod) })
      } else if (
        pod.metadata.deletionTimestamp &&
        !isReady(found) &&
        (found.spec?.taints ?? []).some((one: KubeObject) => one.key === outOfService)
      ) {
        remove(pod)
      }
    }
    for (const name of missing.keys()) if (!gone.has(name)) missing.delete(name)
  })
}

export function startTtlAfterFinished(run: Run): void {
  const client = run.client('ttl-after-finished-controller')
  const resource = 'batch/v1/jobs'
  const end = (job: KubeObject): number | undefined => {
    const one = (job.status?.conditions ?? []).find(
      (c: KubeObject) => (c.type === 'Complete' || c.type === 'Failed') && c.status === 'True',
    )
    return one === undefined ? undefined : parseTime(one.lastTransitionTime)
  }
  const queue = run.queue('ttl_jobs_to_delete', (key) => {
    const { namespace, name } = splitKey(key)
    const job = run.reader.find(resource, name, namespace)
    const at = job === undefined ? undefined : end(job)
    if (at === undefined || job.metadata.deletionTimestamp || job.spec.ttlSecondsAfterFinished === undefined) return
    const left = at + job.spec.ttlSecondsAfterFinished * 1000 - run.clock.now()
    if (left > 0) queue.addAfter(key, left)
    else {
      const preconditions = { uid: job.metadata.uid }
      unless([404], () => client.delete(resource, name, namespace, { propagationPolicy: 'Foreground', preconditions }))
    }
  })
  const look = (job: KubeObject) => {
    if (job.spec.ttlSecondsAfterFinished !== undefined && end(job) !== undefined) queue.add(keyOf(job))
  }
  run.watch(resource, { added: look, updated: look })
}
