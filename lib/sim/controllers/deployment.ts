// The Deployment controller: one ReplicaSet per template, brought up and down against each other within maxSurge and maxUnavailable, and conditions
// that say how far it is (pkg/controller/deployment).
import { ApiError, type KubeObject } from '../kube.ts'
import { keyOf, type Run, SyncError, splitKey, unhandled, unless } from './context.ts'
import { condition, controllerOf, controllerRef, hash, isEmptySelector, parseTime, same, scaled, selects, stamp } from './objects.ts'
import { claim, isTerminal, namespaceEnds } from './pods.ts'

const sets = 'apps/v1/replicasets'
const deployments = 'apps/v1/deployments'
const revisionOf = 'deployment.kubernetes.io/revision'
const historyOf = 'deployment.kubernetes.io/revision-history'
const desiredOf = 'deployment.kubernetes.io/desired-replicas'
const maxOf = 'deployment.kubernetes.io/max-replicas'
const notCopied = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionOf,
  historyOf,
  desiredOf,
  maxOf,
  'deprecated.deployment.rollback.to',
])
const hashLabel = 'pod-template-hash'
const noDeadline = 2 ** 31 - 1

interface Sets {
  newest: KubeObject | undefined
  old: KubeObject[]
  all: KubeObject[]
}
const replicas = (set: KubeObject): number => set.spec.replicas ?? 0
const active = (all: readonly KubeObject[]): KubeObject[] => all.filter((set) => replicas(set) > 0)
const sum = (all: readonly KubeObject[], of: (set: KubeObject) => number | undefined): number =>
  all.reduce((total, set) => total + (of(set) ?? 0), 0)
const createdOrder = (a: KubeObject, b: KubeObject): number =>
  parseTime(a.metadata.creationTimestamp) - parseTime(b.metadata.creationTimestamp) || (a.metadata.name < b.metadata.name ? -1 : 1)

/** maxSurge and maxUnavailable in pods; both 0 is not possible */
function fenceposts(deployment: KubeObject): { surge: number; unavailable: number } {
  if (deployment.spec.strategy?.type !== 'RollingUpdate') return { surge: 0, unavailable: 0 }
  const total = deployment.spec.replicas ?? 0
  const { maxSurge, maxUnavailable } = deployment.spec.strategy.rollingUpdate ?? {}
  const surge = scaled(maxSurge, total, true)
  const unavailable = surge === 0 && scaled(maxUnavailable, total, false) === 0 ? 1 : scaled(maxUnavailable, total, false)
  return { surge, unavailable: total === 0 ? 0 : Math.min(unavailable, total) }
}
const sameTemplate = (a: KubeObject, b: KubeObject): boolean => same(withoutHash(a), withoutHash(b))
function withoutHash(template: KubeObject): KubeObject {
  const { [hashLabel]: _, ...labels } = template.metadata?.labels ?? {}
  const { creationTimestamp: __, ...metadata } = template.metadata ?? {}
  return { ...template, metadata: { ...metadata, labels } }
}
const hasDeadline = (deployment: KubeObject): boolean => (deployment.spec.progressDeadlineSeconds ?? noDeadline) !== noDeadline
const complete = (deployment: KubeObject, status: KubeObject): boolean => {
  const wanted = deployment.spec.replicas ?? 0
  const { updatedReplicas = 0, replicas: present = 0, availableReplicas = 0, observedGeneration = 0 } = status
  return (
    updatedReplicas === wanted && present === wanted && availableReplicas === wanted && observedGeneration >= deployment.metadata.generation
  )
}

export function startDeployment(run: Run): void {
  const client = run.client('deployment-controller')
  const record = run.events('deployment-controller', 'deployment-controller')
  const queue = run.queue('deployment', (key) => sync(key), {
    // maxRetries of the real one: 5 ms, 10 ms … 82 s; then it waits for the next change
    retries: 15,
    said: () => undefined,
    gaveUp: (key, error) => unhandled('deployment_controller.go:497', `error syncing deployment ${key}: ${error.message}`),
  })

  const ofSet = (set: KubeObject) => {
    const owner = controllerOf(set)
    if (owner !== undefined) {
      if (owner.kind === 'Deployment') queue.add(`${set.metadata.namespace}/${owner.name}`)
      return
    }
    for (const [key, one] of run.seen(deployments)) {
      if (one.metadata.namespace !== set.metadata.namespace || isEmptySelector(one.spec.selector)) continue
      if (selects(one.spec.selector, set.metadata.labels)) queue.add(key)
    }
  }
  run.watch(deployments, {
    added: (one) => queue.add(keyOf(one)),
    updated: (one) => queue.add(keyOf(one)),
    deleted: (one) => queue.add(keyOf(one)),
  })
  run.watch(sets, {
    added: ofSet,
    updated: (set, old) => {
      const before = controllerOf(old)
      if (before?.kind === 'Deployment' && before.uid !== controllerOf(set)?.uid) queue.add(`${set.metadata.namespace}/${before.name}`)
      ofSet(set)
    },
    deleted: (set) => {
      if (controllerOf(set)?.kind === 'Deployment') ofSet(set)
    },
  })
  // A Deployment that recreates waits for the last old pod to be gone.
  run.watch('v1/pods', {
    deleted: (pod) => {
      const owner = controllerOf(pod)
      const set = owner?.kind === 'ReplicaSet' ? run.seen(sets).get(`${pod.metadata.namespace}/${owner.name}`) : undefined
      const deployment = set === undefined ? undefined : controllerOf(set)
      if (deployment?.kind !== 'Deployment') return
      const key = `${pod.metadata.namespace}/${deployment.name}`
      if (run.seen(deployments).get(key)?.spec.strategy?.type === 'Recreate') queue.add(key)
    },
  })

  const now = () => stamp(run.clock.now())
  const fresh = (type: string, status: string, reason: string, message: string): KubeObject => ({
    type,
    status,
    lastUpdateTime: now(),
    lastTransitionTime: now(),
    reason,
    message,
  })
  /** a condition with the same status and reason stays as it is */
  const setCondition = (status: KubeObject, one: KubeObject): void => {
    const current = status.conditions?.find((other: KubeObject) => other.type === one.type)
    if (current?.status === one.status && current.reason === one.reason) return
    if (current?.status === one.status) one.lastTransitionTime = current.lastTransitionTime
    status.conditions = [...(status.conditions ?? []).filter((other: KubeObject) => other.type !== one.type), one]
  }
  const removeCondition = (status: KubeObject, type: string): void => {
    if (status.conditions === undefined) return
    status.conditions = status.conditions.filter((one: KubeObject) => one.type !== type)
    if (status.conditions.length === 0) delete status.conditions
  }
  /** `deployment` is the sync's own copy, and follows what was written */
  const updateStatus = (deployment: KubeObject): void => {
    const written = client.update(deployments, deployment, { subresource: 'status' })
    deployment.metadata.resourceVersion = written.metadata.resourceVersion
  }

  const sync = (key: string): void => {
    const { namespace, name } = splitKey(key)
    const found = run.reader.find(deployments, name, namespace)
    if (found === undefined) return
    const deployment = structuredClone(found)
    deployment.status ??= {}
    if (isEmptySelector(deployment.spec.selector)) {
      record(deployment, 'Warning', 'SelectingAll', 'This deployment is selecting all pods. A non-empty selector is required.')
      if ((deployment.status.observedGeneration ?? 0) < deployment.metadata.generation) {
        deployment.status.observedGeneration = deployment.metadata.generation
        updateStatus(deployment)
      }
      return
    }
    const all = run
      .list(sets, { namespace })
      .filter((set) => controllerOf(set) === undefined || controllerOf(set)?.uid === deployment.metadata.uid)
    const mine = claim(client, sets, deployment, controllerRef(deployment), all, (set) =>
      selects(deployment.spec.selector, set.metadata.labels),
    )

    if (deployment.metadata.deletionTimestamp) {
      plainStatus(deployment, revisions(deployment, mine, false))
      return
    }
    pausedCondition(deployment)
    if (deployment.spec.paused) {
      scaleOnly(deployment, mine)
      return
    }
    const scaling = active(revisions(deployment, mine, false).all).some((set) => {
      const desired = set.metadata.annotations?.[desiredOf]
      return desired !== undefined && Number(desired) !== deployment.spec.replicas
    })
    if (scaling) scaleOnly(deployment, mine)
    else if (deployment.spec.strategy?.type === 'Recreate') recreate(deployment, mine)
    else rolling(deployment, mine)
  }

  const pausedCondition = (deployment: KubeObject): void => {
    if (!hasDeadline(deployment)) return
    const reason = condition(deployment, 'Progressing')?.reason
    if (reason === 'ProgressDeadlineExceeded') return
    if (deployment.spec.paused && reason !== 'DeploymentPaused') {
      setCondition(deployment.status, fresh('Progressing', 'Unknown', 'DeploymentPaused', 'Deployment is paused'))
    } else if (!deployment.spec.paused && reason === 'DeploymentPaused') {
      setCondition(deployment.status, fresh('Progressing', 'Unknown', 'DeploymentResumed', 'Deployment is resumed'))
    } else return
    updateStatus(deployment)
  }

  // Which set is the new one, and the revisions of all.
  const revisions = (deployment: KubeObject, mine: readonly KubeObject[], create: boolean): Sets => {
    const sorted = [...mine].sort(createdOrder)
    const existing = sorted.find((set) => sameTemplate(set.spec.template, deployment.spec.template))
    const old = sorted.filter((set) => set.metadata.uid !== existing?.metadata.uid)
    const revision = Math.max(0, ...old.map((set) => Number(set.metadata.annotations?.[revisionOf] ?? 0) || 0)) + 1
    let newest: KubeObject | undefined
    if (existing !== undefined) newest = keepNewest(deployment, existing, revision)
    else if (create) newest = createNewest(deployment, old, revision)
    return { newest, old, all: newest === undefined ? old : [...old, newest] }
  }
  const keepNewest = (deployment: KubeObject, existing: KubeObject, revision: number): KubeObject => {
    const annotations = annotated(deployment, existing.metadata.annotations ?? {}, revision)
    const minReady = deployment.spec.minReadySeconds ?? 0
    if (!same(annotations, existing.metadata.annotations ?? {}) || (existing.spec.minReadySeconds ?? 0) !== minReady) {
      return client.update(sets, {
        ...existing,
        metadata: { ...existing.metadata, annotations },
        spec: { ...existing.spec, ...(minReady > 0 ? { minReadySeconds: minReady } : { minReadySeconds: undefined }) },
      })
    }
    let changed = setRevision(deployment, annotations[revisionOf] as string)
    if (hasDeadline(deployment) && condition(deployment, 'Progressing') === undefined) {
      setCondition(
        deployment.status,
        fresh('Progressing', 'True', 'FoundNewReplicaSet', `Found new replica set "${existing.metadata.name}"`),
      )
      changed = true
    }
    if (changed) updateStatus(deployment)
    return existing
  }
  const setRevision = (deployment: KubeObject, revision: string): boolean => {
    if (deployment.metadata.annotations?.[revisionOf] === revision) return false
    deployment.metadata.annotations = { ...deployment.metadata.annotations, [revisionOf]: revision }
    return true
  }
  const annotated = (deployment: KubeObject, own: Readonly<Record<string, string>>, revision: number): Record<string, string> => {
    const annotations: Record<string, string> = { ...own }
    for (const [key, value] of Object.entries<string>(deployment.metadata.annotations ?? {}))
      if (!notCopied.has(key)) annotations[key] = value
    const before = own[revisionOf]
    if ((Number(before ?? 0) || 0) < revision) {
      annotations[revisionOf] = String(revision)
      if (before !== undefined) annotations[historyOf] = own[historyOf] ? `${own[historyOf]},${before}` : before
    }
    return annotations
  }
  const createNewest = (deployment: KubeObject, old: readonly KubeObject[], revision: number): KubeObject => {
    const template = withoutHash(deployment.spec.template)
    const digest = hash(template, deployment.status.collisionCount)
    const labels = { ...template.metadata.labels, [hashLabel]: digest }
    const { selector, minReadySeconds } = deployment.spec
    const set: KubeObject = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name: `${deployment.metadata.name.slice(0, 253 - 1 - digest.length)}-${digest}`,
        namespace: deployment.metadata.namespace,
        labels,
        ownerReferences: [controllerRef(deployment)],
      },
      spec: {
        replicas: 0,
        ...(minReadySeconds ? { minReadySeconds } : {}),
        selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: digest } },
        template: { ...template, metadata: { ...template.metadata, labels } },
      },
    }
    const count = newCount(deployment, [...old, set], set)
    set.spec.replicas = count
    set.metadata.annotations = { ...annotated(deployment, {}, revision), ...sizes(deployment) }
    let created: KubeObject
    let existed = false
    try {
      created = client.create(sets, set)
    } catch (error) {
      if (!(error instanceof ApiError) || namespaceEnds(error)) throw error
      if (error.reason === 'AlreadyExists') {
        const other = run.reader.get(sets, set.metadata.name, set.metadata.namespace)
        if (controllerOf(other)?.uid !== deployment.metadata.uid || !sameTemplate(other.spec.template, deployment.spec.template)) {
          deployment.status.collisionCount = (deployment.status.collisionCount ?? 0) + 1
          updateStatus(deployment)
          throw new SyncError(error.message)
        }
        created = other
        existed = true
      } else {
        const message = `Failed to create new replica set "${set.metadata.name}": ${error.message}`
        if (hasDeadline(deployment)) {
          setCondition(deployment.status, fresh('Progressing', 'False', 'ReplicaSetCreateError', message))
          updateStatus(deployment)
        }
        record(deployment, 'Warning', 'ReplicaSetCreateError', message)
        throw error
      }
    }
    if (!existed && count > 0)
      record(deployment, 'Normal', 'ScalingReplicaSet', `Scaled up replica set ${created.metadata.name} from 0 to ${count}`)
    let changed = setRevision(deployment, String(revision))
    if (!existed && hasDeadline(deployment)) {
      setCondition(
        deployment.status,
        fresh('Progressing', 'True', 'NewReplicaSetCreated', `Created new replica set "${created.metadata.name}"`),
      )
      changed = true
    }
    if (changed) updateStatus(deployment)
    return created
  }

  const sizes = (deployment: KubeObject) => ({
    [desiredOf]: String(deployment.spec.replicas),
    [maxOf]: String(deployment.spec.replicas + fenceposts(deployment).surge),
  })
  const newCount = (deployment: KubeObject, all: readonly KubeObject[], newest: KubeObject): number => {
    const wanted = deployment.spec.replicas
    if (deployment.spec.strategy?.type === 'Recreate') return wanted
    const most = wanted + fenceposts(deployment).surge
    const current = sum(all, replicas)
    if (current >= most) return replicas(newest)
    return replicas(newest) + Math.min(most - current, wanted - replicas(newest))
  }
  /** the set as it is afterwards */
  const scaleSet = (deployment: KubeObject, set: KubeObject, size: number, onlySize = true): KubeObject => {
    const before = replicas(set)
    const annotations = { ...set.metadata.annotations, ...sizes(deployment) }
    if (before === size && (onlySize || same(annotations, set.metadata.annotations))) return set
    const written = client.update(sets, { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, replicas: size } })
    if (before !== size) {
      const way = before < size ? 'up' : 'down'
      record(deployment, 'Normal', 'ScalingReplicaSet', `Scaled ${way} replica set ${set.metadata.name} from ${before} to ${size}`)
    }
    return written
  }

  const scaleOnly = (deployment: KubeObject, mine: readonly KubeObject[]): void => {
    const found = revisions(deployment, mine, false)
    scaleAll(deployment, found)
    if (deployment.spec.paused) cleanUp(deployment, found.old)
    plainStatus(deployment, found)
  }
  const scaleAll = (deployment: KubeObject, { newest, old, all }: Sets): void => {
    const wanted = deployment.spec.replicas
    const running = active(all)
    if (running.length <= 1) {
      const only = running[0] ?? newest ?? [...old].sort(createdOrder).at(-1)
      if (only !== undefined && replicas(only) !== wanted) scaleSet(deployment, only, wanted)
      return
    }
    const saturated =
      newest !== undefined &&
      Number(newest.metadata.annotations?.[desiredOf]) === wanted &&
      replicas(newest) === wanted &&
      newest.status?.availableReplicas === wanted
    if (saturated) {
      for (const set of active(old)) scaleSet(deployment, set, 0)
      return
    }
    if (deployment.spec.strategy?.type !== 'RollingUpdate') return
    // In proportion, so that a scaling neither speeds up nor slows down the rollout.
    const most = wanted > 0 ? wanted + fenceposts(deployment).surge : 0
    const change = most - sum(running, replicas)
    running.sort((a, b) => replicas(b) - replicas(a) || (change > 0 ? createdOrder(b, a) : createdOrder(a, b)))
    let changed = 0
    const size = new Map<KubeObject, number>()
    for (const set of running) {
      const share = change === 0 ? 0 : proportion(deployment, set, change, changed)
      size.set(set, replicas(set) + share)
      changed += share
    }
    for (const [at, set] of running.entries()) {
      let target = size.get(set) ?? 0
      if (at === 0 && change !== 0) target = Math.max(0, target + change - changed)
      scaleSet(deployment, set, target, false)
    }
  }
  const proportion = (deployment: KubeObject, set: KubeObject, change: number, changed: number): number => {
    if (replicas(set) === 0 || change === changed) return 0
    let part = -replicas(set)
    if (deployment.spec.replicas > 0) {
      const before = Number(set.metadata.annotations?.[maxOf] ?? 0) || deployment.status.replicas || 0
      if (before === 0) return 0
      part = Math.round((replicas(set) * (deployment.spec.replicas + fenceposts(deployment).surge)) / before) - replicas(set)
    }
    const allowed = change - changed
    return change > 0 ? Math.min(part, allowed) : Math.max(part, allowed)
  }

  const rolling = (deployment: KubeObject, mine: readonly KubeObject[]): void => {
    const found = revisions(deployment, mine, true)
    const newest = found.newest as KubeObject
    const wanted = deployment.spec.replicas
    if (replicas(newest) !== wanted) {
      const target = replicas(newest) > wanted ? wanted : newCount(deployment, found.all, newest)
      if (target !== replicas(newest)) {
        scaleSet(deployment, newest, target)
        rolloutStatus(deployment, found)
        return
      }
    }
    if (scaleOldDown(deployment, found, newest)) {
      rolloutStatus(deployment, found)
      return
    }
    if (complete(deployment, deployment.status)) cleanUp(deployment, found.old)
    rolloutStatus(deployment, found)
  }
  const scaleOldDown = (deployment: KubeObject, { all, old }: Sets, newest: KubeObject): boolean => {
    let running = active(old)
    if (running.length === 0) return false
    const least = deployment.spec.replicas - fenceposts(deployment).unavailable
    const available = (set: KubeObject): number => set.status?.availableReplicas ?? 0
    const budget = sum(all, replicas) - least - (replicas(newest) - available(newest))
    if (budget <= 0) return false
    let down = 0
    // What is not healthy goes first: it costs no availability.
    running = running.sort(createdOrder).map((set) => {
      const sick = Math.min(budget - down, replicas(set) - available(set))
      if (sick <= 0) return set
      down += sick
      return scaleSet(deployment, set, replicas(set) - sick)
    })
    const spare = sum([...running, newest], available) - least
    let gone = 0
    for (const set of running) {
      if (gone >= spare) break
      const count = Math.min(replicas(set), spare - gone)
      if (count === 0) continue
      scaleSet(deployment, set, replicas(set) - count)
      gone += count
    }
    return down + gone > 0
  }
  const recreate = (deployment: KubeObject, mine: readonly KubeObject[]): void => {
    let found = revisions(deployment, mine, false)
    const running = active(found.old)
    if (running.length > 0) {
      for (const set of running) scaleSet(deployment, set, 0)
      rolloutStatus(deployment, found)
      return
    }
    if (sum(found.old, (set) => set.status?.replicas) > 0 || oldPods(deployment, found)) {
      rolloutStatus(deployment, found)
      return
    }
    if (found.newest === undefined) found = revisions(deployment, mine, true)
    scaleSet(deployment, found.newest as KubeObject, deployment.spec.replicas)
    if (complete(deployment, deployment.status)) cleanUp(deployment, found.old)
    rolloutStatus(deployment, found)
  }
  const oldPods = (deployment: KubeObject, { old }: Sets): boolean => {
    const uids = new Set(old.map((set) => set.metadata.uid))
    return run
      .list('v1/pods', { namespace: deployment.metadata.namespace })
      .some((pod) => !isTerminal(pod) && uids.has(controllerOf(pod)?.uid) && selects(deployment.spec.selector, pod.metadata.labels))
  }
  const cleanUp = (deployment: KubeObject, old: readonly KubeObject[]): void => {
    const limit = deployment.spec.revisionHistoryLimit ?? noDeadline
    const revision = (set: KubeObject): number => Number(set.metadata.annotations?.[revisionOf] ?? 0) || 0
    const candidates = old.filter((set) => !set.metadata.deletionTimestamp).sort((a, b) => revision(a) - revision(b))
    for (const set of candidates.slice(0, Math.max(0, candidates.length - limit))) {
      if (set.status?.replicas || replicas(set) !== 0 || set.metadata.generation > (set.status?.observedGeneration ?? 0)) continue
      unless([404], () => client.delete(sets, set.metadata.name, set.metadata.namespace))
    }
  }

  const statusOf = (deployment: KubeObject, { all, newest }: Sets): KubeObject => {
    const available = sum(all, (set) => set.status?.availableReplicas)
    const present = sum(all, (set) => set.status?.replicas)
    const updated = newest?.status?.replicas ?? 0
    const ready = sum(all, (set) => set.status?.readyReplicas)
    const missing = Math.max(0, sum(all, replicas) - available)
    const reporting = all.filter((set) => set.status?.terminatingReplicas !== undefined)
    const status: KubeObject = {
      observedGeneration: deployment.metadata.generation,
      ...(present > 0 ? { replicas: present } : {}),
      ...(updated > 0 ? { updatedReplicas: updated } : {}),
      ...(ready > 0 ? { readyReplicas: ready } : {}),
      ...(available > 0 ? { availableReplicas: available } : {}),
      ...(missing > 0 ? { unavailableReplicas: missing } : {}),
      ...(reporting.length === all.length ? { terminatingReplicas: sum(all, (set) => set.status?.terminatingReplicas) } : {}),
      ...(deployment.status.collisionCount === undefined ? {} : { collisionCount: deployment.status.collisionCount }),
      ...(deployment.status.conditions === undefined ? {} : { conditions: deployment.status.conditions }),
    }
    const enough = available >= deployment.spec.replicas - fenceposts(deployment).unavailable
    setCondition(
      status,
      enough
        ? fresh('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.')
        : fresh('Available', 'False', 'MinimumReplicasUnavailable', 'Deployment does not have minimum availability.'),
    )
    return status
  }
  const plainStatus = (deployment: KubeObject, found: Sets): void => {
    const status = statusOf(deployment, found)
    if (same(status, deployment.status)) return
    deployment.status = status
    updateStatus(deployment)
  }
  const rolloutStatus = (deployment: KubeObject, found: Sets): void => {
    const status = statusOf(deployment, found)
    if (!hasDeadline(deployment)) removeCondition(status, 'Progressing')
    const before = deployment.status
    const current = condition(deployment, 'Progressing')
    const done = (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && current?.reason === 'NewReplicaSetAvailable'
    const subject = found.newest === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${found.newest.metadata.name}"`
    if (hasDeadline(deployment) && !done) {
      const oldOnes = (one: KubeObject) => (one.replicas ?? 0) - (one.updatedReplicas ?? 0)
      const more = (field: string) => (status[field] ?? 0) > (before[field] ?? 0)
      if (complete(deployment, status)) {
        setCondition(status, fresh('Progressing', 'True', 'NewReplicaSetAvailable', `${subject} has successfully progressed.`))
      } else if (more('updatedReplicas') || oldOnes(status) < oldOnes(before) || more('readyReplicas') || more('availableReplicas')) {
        const next = fresh('Progressing', 'True', 'ReplicaSetUpdated', `${subject} is progressing.`)
        if (current?.status === 'True') next.lastTransitionTime = current.lastTransitionTime
        removeCondition(status, 'Progressing')
        setCondition(status, next)
      } else if (timedOut(deployment, current)) {
        setCondition(status, fresh('Progressing', 'False', 'ProgressDeadlineExceeded', `${subject} has timed out progressing.`))
      }
    }
    const failure = [found.newest, ...found.all].map((set) => set && condition(set, 'ReplicaFailure')).find((one) => one !== undefined)
    if (failure === undefined) removeCondition(status, 'ReplicaFailure')
    else {
      setCondition(status, {
        type: failure.type,
        status: failure.status,
        lastUpdateTime: failure.lastTransitionTime,
        lastTransitionTime: failure.lastTransitionTime,
        reason: failure.reason,
        message: failure.message,
      })
    }
    if (!same(status, before)) {
      deployment.status = status
      updateStatus(deployment)
      return
    }
    // Nothing has changed: the deadline is looked at when it comes.
    if (!hasDeadline(deployment) || current === undefined || current.reason === 'ProgressDeadlineExceeded') return
    if (complete(deployment, status) || current.reason === 'NewReplicaSetAvailable') return
    const left = parseTime(current.lastUpdateTime) + deployment.spec.progressDeadlineSeconds * 1000 - run.clock.now()
    queue.addAfter(keyOf(deployment), Math.max(left, 0) + 1000)
  }
  const timedOut = (deployment: KubeObject, current: KubeObject | undefined): boolean => {
    if (current === undefined || current.reason === 'NewReplicaSetAvailable') return false
    if (current.reason === 'ProgressDeadlineExceeded') return true
    return parseTime(current.lastUpdateTime) + deployment.spec.progressDeadlineSeconds * 1000 < run.clock.now()
  }
}
