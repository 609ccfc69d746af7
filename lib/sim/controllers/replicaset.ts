// The ReplicaSet and ReplicationController controllers: as many pods as asked for, and a status that says how they are (pkg/controller/replicaset).
import { ApiError, type KubeObject } from '../kube.ts'
import { keyOf, type Run, splitKey, unhandled } from './context.ts'
import {
  controllerOf,
  controllerRef,
  hasLabels,
  isEmptySelector,
  type LabelSelector,
  type Labels,
  same,
  selects,
  stamp,
} from './objects.ts'
import {
  byDeletionOrder,
  claim,
  createPod,
  deletePod,
  isActive,
  isAvailable,
  isReady,
  isTerminating,
  namespaceEnds,
  nextAvailable,
  podOf,
} from './pods.ts'

interface Variant {
  resource: string
  kind: string
  component: string
  account: string
  selector(object: KubeObject): LabelSelector | undefined
}
const variants: Readonly<Record<'set' | 'controller', Variant>> = {
  set: {
    resource: 'apps/v1/replicasets',
    kind: 'ReplicaSet',
    component: 'replicaset-controller',
    account: 'replicaset-controller',
    selector: (object) => object.spec.selector,
  },
  controller: {
    resource: 'v1/replicationcontrollers',
    kind: 'ReplicationController',
    component: 'replication-controller',
    account: 'replication-controller',
    selector: (object) => ({ matchLabels: object.spec.selector ?? {} }),
  },
}
// pkg/controller/replicaset: BurstReplicas
const burst = 500

export const startReplicaSet = (run: Run): void => start(run, variants.set)
export const startReplicationController = (run: Run): void => start(run, variants.controller)

function start(run: Run, variant: Variant): void {
  const client = run.client(variant.account)
  const record = run.events(variant.component, variant.account)
  const queue = run.queue(variant.kind.toLowerCase(), (key) => sync(key), {
    said: (key, error) => unhandled('replica_set.go:592', `sync ${JSON.stringify(key)} failed with ${error.message}`),
  })

  const owners = (pod: KubeObject) => {
    const owner = controllerOf(pod)
    if (owner !== undefined) {
      if (owner.kind === variant.kind) queue.add(`${pod.metadata.namespace}/${owner.name}`)
      return
    }
    for (const [key, set] of run.seen(variant.resource)) {
      const selector = variant.selector(set)
      const mine = set.metadata.namespace === pod.metadata.namespace
      if (mine && !isEmptySelector(selector) && selects(selector, pod.metadata.labels)) queue.add(key)
    }
  }
  run.watch(variant.resource, {
    added: (set) => queue.add(keyOf(set)),
    updated: (set) => queue.add(keyOf(set)),
    deleted: (set) => queue.add(keyOf(set)),
  })
  run.watch('v1/pods', {
    added: owners,
    updated: (pod, old) => {
      const before = controllerOf(old)
      if (before?.uid !== controllerOf(pod)?.uid && before?.kind === variant.kind) queue.add(`${pod.metadata.namespace}/${before.name}`)
      if (controllerOf(pod) !== undefined || before !== undefined || !same(old.metadata.labels, pod.metadata.labels)) owners(pod)
    },
    deleted: (pod) => {
      const owner = controllerOf(pod)
      if (owner?.kind === variant.kind) queue.add(`${pod.metadata.namespace}/${owner.name}`)
    },
  })

  const sync = (key: string): void => {
    const { namespace, name } = splitKey(key)
    const set = run.reader.find(variant.resource, name, namespace)
    if (set === undefined) return
    const selector = variant.selector(set)
    const matches = (pod: KubeObject) => selects(selector, pod.metadata.labels)
    const all = run
      .list('v1/pods', { namespace })
      .filter((pod) => (controllerOf(pod) === undefined ? matches(pod) : controllerOf(pod)?.uid === set.metadata.uid))
    const active = claim(client, 'v1/pods', set, controllerRef(set), all.filter(isActive), matches)
    const terminating = all.filter((pod) => isTerminating(pod) && controllerOf(pod)?.uid === set.metadata.uid && matches(pod))

    let failure: ApiError | undefined
    if (!set.metadata.deletionTimestamp) failure = manage(set, active)
    const now = run.clock.now()
    const status = statusOf(set, active, terminating, failure, now)
    if (!same(status, set.status)) client.update(variant.resource, { ...set, status }, { subresource: 'status' })
    if (failure !== undefined) throw failure
    const minReady = set.spec.minReadySeconds ?? 0
    if (minReady > 0 && (status.readyReplicas ?? 0) !== (status.availableReplicas ?? 0)) {
      queue.addAfter(key, nextAvailable(active, minReady, now) ?? minReady * 1000)
    }
  }

  const manage = (set: KubeObject, active: readonly KubeObject[]): ApiError | undefined => {
    const wanted = set.spec.replicas ?? 0
    const diff = active.length - wanted
    try {
      if (diff < 0) {
        // Slow start: one, two, four … so that what fails for all fails only a few times.
        let left = Math.min(-diff, burst)
        for (let batch = Math.min(left, 1); batch > 0; batch = Math.min(2 * batch, left)) {
          let failed: unknown
          for (let i = 0; i < batch; i++) {
            try {
              createPod(client, record, set, podOf(set.spec.template, set, controllerRef(set)))
            } catch (error) {
              if (!namespaceEnds(error)) failed ??= error
            }
          }
          if (failed !== undefined) throw failed
          left -= batch
        }
      } else if (diff > 0) {
        const count = Math.min(diff, burst)
        const doomed = count < active.length ? byDeletionOrder(active, related(set), run.clock.now()).slice(0, count) : active
        for (const pod of doomed) deletePod(client, record, set, pod)
      }
    } catch (error) {
      if (error instanceof ApiError) return error
      throw error
    }
    return undefined
  }

  /** pods of all ReplicaSets of the same owner */
  const related = (set: KubeObject): KubeObject[] => {
    const owner = controllerOf(set)
    const sets =
      owner === undefined
        ? [set]
        : run.list(variant.resource, { namespace: set.metadata.namespace }).filter((one) => controllerOf(one)?.uid === owner.uid)
    return run
      .list('v1/pods', { namespace: set.metadata.namespace })
      .filter((pod) => sets.some((one) => selects(variant.selector(one), pod.metadata.labels)))
  }
}

function statusOf(
  set: KubeObject,
  active: readonly KubeObject[],
  terminating: readonly KubeObject[],
  failure: ApiError | undefined,
  now: number,
): KubeObject {
  const template: Labels = set.spec.template?.metadata?.labels ?? {}
  const ready = active.filter(isReady).length
  const available = active.filter((pod) => isAvailable(pod, set.spec.minReadySeconds ?? 0, now)).length
  const labelled = active.filter((pod) => hasLabels(pod.metadata.labels, template)).length
  const before: KubeObject[] = set.status?.conditions ?? []
  const failed = before.find((one) => one.type === 'ReplicaFailure')
  let conditions = before
  if (failure !== undefined && failed === undefined) {
    const reason = active.length < (set.spec.replicas ?? 0) ? 'FailedCreate' : 'FailedDelete'
    conditions = [...before, { type: 'ReplicaFailure', status: 'True', lastTransitionTime: stamp(now), reason, message: failure.message }]
  } else if (failure === undefined && failed !== undefined) conditions = before.filter((one) => one !== failed)
  return {
    replicas: active.length,
    ...(labelled > 0 ? { fullyLabeledReplicas: labelled } : {}),
    ...(ready > 0 ? { readyReplicas: ready } : {}),
    ...(available > 0 ? { availableReplicas: available } : {}),
    ...(set.kind === 'ReplicaSet' ? { terminatingReplicas: terminating.length } : {}),
    observedGeneration: set.metadata.generation,
    ...(conditions.length > 0 ? { conditions } : {}),
  }
}
