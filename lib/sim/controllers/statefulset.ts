// The StatefulSet controller: numbered pods with names and claims of their own, one after another (pkg/controller/statefulset).
import { ApiError, type KubeObject } from '../kube.ts'
import { keyOf, type Run, splitKey, unless } from './context.ts'
import { currentRevision, revisionLabel, revisionsOf, trimRevisions } from './history.ts'
import { controllerOf, controllerRef, isEmptySelector, same, scaled, selects } from './objects.ts'
import { claim, isAvailable, isReady, isTerminal, podOf } from './pods.ts'

const resource = 'apps/v1/statefulsets'
const claims = 'v1/persistentvolumeclaims'
const hashLabel = 'controller.kubernetes.io/hash'

const running = (pod: KubeObject): boolean => pod.status?.phase === 'Running' && isReady(pod)
const leaving = (pod: KubeObject): boolean => !!pod.metadata.deletionTimestamp
const ordinalOf = (set: KubeObject, pod: KubeObject): number => {
  const { name } = pod.metadata
  const number = name.startsWith(`${set.metadata.name}-`) ? name.slice(set.metadata.name.length + 1) : ''
  return /^[0-9]+$/.test(number) ? Number(number) : -1
}

export function startStatefulSet(run: Run): void {
  const client = run.client('statefulset-controller')
  const record = run.events('statefulset-controller', 'statefulset-controller')
  const queue = run.queue('statefulset', (key) => sync(key), {
    said: (key, error) => [
      'E',
      'stateful_set.go:455',
      'Error syncing StatefulSet, requeuing',
      { err: error.message, logger: 'UnhandledError', key },
    ],
  })
  const add = (set: KubeObject) => queue.add(keyOf(set))
  run.watch(resource, { added: add, updated: add, deleted: add })
  const ofPod = (pod: KubeObject) => {
    const owner = controllerOf(pod)
    if (owner !== undefined) {
      if (owner.kind === 'StatefulSet') queue.add(`${pod.metadata.namespace}/${owner.name}`)
      return
    }
    for (const [key, set] of run.seen(resource)) {
      if (set.metadata.namespace === pod.metadata.namespace && selects(set.spec.selector, pod.metadata.labels)) queue.add(key)
    }
  }
  run.watch('v1/pods', {
    added: ofPod,
    updated: ofPod,
    deleted: (pod) => {
      if (controllerOf(pod)?.kind === 'StatefulSet') ofPod(pod)
    },
  })

  const sync = (key: string): void => {
    const { namespace, name } = splitKey(key)
    const set = run.reader.find(resource, name, namespace)
    if (set === undefined || isEmptySelector(set.spec.selector)) return
    const matches = (pod: KubeObject) => selects(set.spec.selector, pod.metadata.labels) && ordinalOf(set, pod) >= 0
    const all = run
      .list('v1/pods', { namespace })
      .filter((pod) => controllerOf(pod)?.uid === set.metadata.uid || (controllerOf(pod) === undefined && ordinalOf(set, pod) >= 0))
    const pods = claim(client, 'v1/pods', set, controllerRef(set), all, matches)
    const revisions = revisionsOf(run, client, set)
    const { current: update } = currentRevision(
      client,
      set,
      revisions,
      (collisionCount) => client.update(resource, { ...set, status: { ...set.status, collisionCount } }, { subresource: 'status' }),
      hashLabel,
    )
    const current = revisions.find((one) => one.metadata.name === set.status?.currentRevision) ?? update
    let failure: ApiError | undefined
    try {
      manage(set, pods, current, update)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      failure = error
    }
    const after = run.list('v1/pods', { namespace }).filter((pod) => controllerOf(pod)?.uid === set.metadata.uid)
    writeStatus(set, after, current, update)
    const inUse = new Set<string>([
      current.metadata.name,
      update.metadata.name,
      ...after.map((pod) => pod.metadata.labels?.[revisionLabel]),
    ])
    trimRevisions(
      client,
      revisions.filter((one) => !inUse.has(one.metadata.name)),
      set.spec.revisionHistoryLimit ?? 10,
      inUse,
    )
    if (failure !== undefined) throw failure
    const waiting = after.some((pod) => running(pod) && !available(set, pod))
    if (waiting) queue.addAfter(key, (set.spec.minReadySeconds ?? 0) * 1000)
  }
  const available = (set: KubeObject, pod: KubeObject): boolean =>
    running(pod) && isAvailable(pod, set.spec.minReadySeconds ?? 0, run.clock.now())

  const manage = (set: KubeObject, pods: readonly KubeObject[], current: KubeObject, update: KubeObject): void => {
    if (set.metadata.deletionTimestamp) return
    const start = set.spec.ordinals?.start ?? 0
    const count = set.spec.replicas ?? 0
    const ordered = set.spec.podManagementPolicy !== 'Parallel'
    const inRange = (pod: KubeObject) => ordinalOf(set, pod) >= start && ordinalOf(set, pod) < start + count
    const condemned = pods.filter((pod) => !inRange(pod)).sort((a, b) => ordinalOf(set, b) - ordinalOf(set, a))
    const replicas = Array.from({ length: count }, (_, at) => pods.find((pod) => ordinalOf(set, pod) === start + at))
    for (const [at, pod] of replicas.entries()) {
      if (pod !== undefined && isTerminal(pod)) {
        if (!leaving(pod)) remove(set, pod)
        // Its successor is made when it is gone.
        if (ordered) return
        continue
      }
      if (pod === undefined) {
        create(set, start + at, current, update)
        if (ordered) return
        continue
      }
      if (pod.status?.phase === 'Pending' && !leaving(pod)) createClaims(set, pod.metadata.name)
      if (ordered && (leaving(pod) || !available(set, pod))) return
    }
    // A set that shrinks loses the highest number first, when all others are well.
    const unwell = [...replicas, ...[...condemned].reverse()].find((pod) => pod !== undefined && (leaving(pod) || !available(set, pod)))
    for (const pod of condemned) {
      if (leaving(pod)) {
        if (ordered) return
        continue
      }
      if (ordered && !available(set, pod) && pod !== unwell) return
      if (set.spec.persistentVolumeClaimRetentionPolicy?.whenScaled === 'Delete') own(set, pod)
      remove(set, pod)
      if (ordered) return
    }
    if (set.spec.updateStrategy?.type === 'OnDelete') return
    const { partition = 0, maxUnavailable } = set.spec.updateStrategy?.rollingUpdate ?? {}
    const down = replicas.filter((pod) => pod === undefined || leaving(pod) || !available(set, pod)).length
    let budget = Math.max(1, scaled(maxUnavailable ?? 1, count, true)) - down
    for (let at = count - 1; at >= partition && budget > 0; at--) {
      const pod = replicas[at]
      if (pod === undefined || leaving(pod) || pod.metadata.labels?.[revisionLabel] === update.metadata.name) continue
      remove(set, pod)
      budget -= 1
    }
  }
  const create = (set: KubeObject, ordinal: number, current: KubeObject, update: KubeObject): void => {
    const name = `${set.metadata.name}-${ordinal}`
    const strategy = set.spec.updateStrategy ?? {}
    const old = ordinal - (set.spec.ordinals?.start ?? 0) < (strategy.rollingUpdate?.partition ?? 0)
    const revision = strategy.type === 'RollingUpdate' && old ? current : update
    const { $patch: _, ...template } = revision.data.spec.template
    const volumes: KubeObject[] = (set.spec.volumeClaimTemplates ?? []).map((one: KubeObject) => ({
      name: one.metadata.name,
      persistentVolumeClaim: { claimName: `${one.metadata.name}-${name}` },
    }))
    const own = new Set(volumes.map((volume) => volume.name))
    const others = (template.spec.volumes ?? []).filter((volume: KubeObject) => !own.has(volume.name))
    try {
      createClaims(set, name)
      const labels = {
        ...template.metadata?.labels,
        'statefulset.kubernetes.io/pod-name': name,
        'apps.kubernetes.io/pod-index': String(ordinal),
        [revisionLabel]: revision.metadata.name,
      }
      const spec = {
        ...template.spec,
        hostname: name,
        ...(set.spec.serviceName ? { subdomain: set.spec.serviceName } : {}),
        ...(volumes.length + others.length > 0 ? { volumes: [...volumes, ...others] } : {}),
      }
      client.create('v1/pods', podOf({ ...template, spec }, set, controllerRef(set), { name, labels }))
      record(set, 'Normal', 'SuccessfulCreate', `Create Pod ${name} in StatefulSet ${set.metadata.name} successful`)
    } catch (error) {
      if (error instanceof ApiError && error.code === 409) return
      if (error instanceof Error) {
        record(set, 'Warning', 'FailedCreate', `Create Pod ${name} in StatefulSet ${set.metadata.name} failed error: ${error.message}`)
      }
      throw error
    }
  }
  const createClaims = (set: KubeObject, pod: string): void => {
    for (const template of set.spec.volumeClaimTemplates ?? []) {
      const name = `${template.metadata.name}-${pod}`
      if (run.reader.find(claims, name, set.metadata.namespace) !== undefined) continue
      const { whenDeleted } = set.spec.persistentVolumeClaimRetentionPolicy ?? {}
      const { apiVersion, kind } = set
      const owner = { apiVersion, kind, name: set.metadata.name, uid: set.metadata.uid }
      try {
        client.create(claims, {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: {
            ...template.metadata,
            name,
            namespace: set.metadata.namespace,
            labels: { ...template.metadata.labels, ...set.spec.selector.matchLabels },
            ...(whenDeleted === 'Delete' ? { ownerReferences: [owner] } : {}),
          },
          spec: template.spec,
        })
        record(set, 'Normal', 'SuccessfulCreate', `Create Claim ${name} Pod ${pod} in StatefulSet ${set.metadata.name} success`)
      } catch (error) {
        if (error instanceof Error) {
          record(
            set,
            'Warning',
            'FailedCreate',
            `Create Claim ${name} for Pod ${pod} in StatefulSet ${set.metadata.name} failed error: ${error.message}`,
          )
        }
        throw error
      }
    }
  }
  /** the claims of a pod that is scaled away go with it */
  const own = (set: KubeObject, pod: KubeObject): void => {
    for (const template of set.spec.volumeClaimTemplates ?? []) {
      const found = run.reader.find(claims, `${template.metadata.name}-${pod.metadata.name}`, set.metadata.namespace)
      if (found === undefined) continue
      const owner = { apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name, uid: pod.metadata.uid }
      if (same(found.metadata.ownerReferences, [owner])) continue
      client.update(claims, { ...found, metadata: { ...found.metadata, ownerReferences: [owner] } })
    }
  }
  const remove = (set: KubeObject, pod: KubeObject): void => {
    const subject = `Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`
    try {
      unless([404], () => client.delete('v1/pods', pod.metadata.name, pod.metadata.namespace))
      record(set, 'Normal', 'SuccessfulDelete', `Delete ${subject} successful`)
    } catch (error) {
      if (error instanceof Error) record(set, 'Warning', 'FailedDelete', `Delete ${subject} failed error: ${error.message}`)
      throw error
    }
  }

  const writeStatus = (set: KubeObject, pods: readonly KubeObject[], current: KubeObject, update: KubeObject): void => {
    const of = (revision: KubeObject) =>
      pods.filter((pod) => !leaving(pod) && pod.metadata.labels?.[revisionLabel] === revision.metadata.name).length
    const ready = pods.filter(running).length
    const updated = of(update)
    let now = { name: current.metadata.name as string, count: of(current) }
    const done = [updated, ready, pods.length].every((count) => count === (set.spec.replicas ?? 0))
    if (set.spec.updateStrategy?.type !== 'OnDelete' && done) now = { name: update.metadata.name, count: updated }
    const latest = run.reader.find(resource, set.metadata.name, set.metadata.namespace)
    if (latest?.metadata.uid !== set.metadata.uid) return
    const status = {
      observedGeneration: set.metadata.generation,
      replicas: pods.length,
      ...(ready > 0 ? { readyReplicas: ready } : {}),
      availableReplicas: pods.filter((pod) => available(set, pod)).length,
      ...(now.count > 0 ? { currentReplicas: now.count } : {}),
      ...(updated > 0 ? { updatedReplicas: updated } : {}),
      currentRevision: now.name,
      updateRevision: update.metadata.name,
      collisionCount: latest.status?.collisionCount ?? 0,
      ...(latest.status?.conditions ? { conditions: latest.status.conditions } : {}),
    }
    if (!same(status, latest.status)) client.update(resource, { ...latest, status }, { subresource: 'status' })
  }
}
