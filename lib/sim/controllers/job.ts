// The Job controller: pods until enough have succeeded or too many have failed, each counted exactly once (pkg/controller/job).
import { ApiError, type KubeObject } from '../kube.ts'
import { keyOf, type Run, splitKey, unhandled, unless } from './context.ts'
import { controllerOf, controllerRef, parseTime, same, selects, stamp } from './objects.ts'
import { byDeletionOrder, claim, createPod, deletePod, isActive, isReady, isTerminal, isTerminating, namespaceEnds, podOf } from './pods.ts'

const resource = 'batch/v1/jobs'
const tracking = 'batch.kubernetes.io/job-tracking'
const indexAnnotation = 'batch.kubernetes.io/job-completion-index'
// DefaultJobPodFailureBackOff, MaxJobPodFailureBackOff, MaxPodCreateDeletePerSync
const backOffMs = 10_000
const backOffMaxMs = 600_000
const perSync = 500

const finished = (job: KubeObject): boolean =>
  (job.status?.conditions ?? []).some((one: KubeObject) => (one.type === 'Complete' || one.type === 'Failed') && one.status === 'True')
const tracked = (pod: KubeObject): boolean => (pod.metadata.finalizers ?? []).includes(tracking)
const indexOf = (pod: KubeObject): number => Number(pod.metadata.annotations?.[indexAnnotation] ?? -1)

/** `0-3,5`: the numbers of a set, in order */
export function ranges(numbers: Iterable<number>): string {
  const parts: string[] = []
  const sorted = [...numbers].sort((a, b) => a - b)
  for (let at = 0; at < sorted.length; ) {
    let end = at
    while (sorted[end + 1] === (sorted[end] as number) + 1) end += 1
    parts.push(end === at ? String(sorted[at]) : end === at + 1 ? `${sorted[at]},${sorted[end]}` : `${sorted[at]}-${sorted[end]}`)
    at = end + 1
  }
  return parts.join(',')
}
function numbers(text: string | undefined): Set<number> {
  const found = new Set<number>()
  for (const part of (text ?? '').split(',').filter((one) => one !== '')) {
    const [from, to] = part.split('-').map(Number)
    for (let one = from as number; one <= (to ?? (from as number)); one++) found.add(one)
  }
  return found
}

export function startJob(run: Run): void {
  const client = run.client('job-controller')
  const record = run.events('job-controller', 'job-controller')
  const failures = new Map<string, { count: number; last: number }>()
  const queue = run.queue('job', (key) => sync(key), {
    said: (_, error) => unhandled('job_controller.go:621', `syncing job: ${error.message}`),
  })
  const add = (job: KubeObject) => queue.add(keyOf(job))
  run.watch(resource, { added: add, updated: add, deleted: add })
  const ofPod = (pod: KubeObject) => {
    const owner = controllerOf(pod)
    if (owner?.kind === 'Job') queue.add(`${pod.metadata.namespace}/${owner.name}`)
    else if (owner === undefined) {
      for (const [key, job] of run.seen(resource)) {
        if (job.metadata.namespace === pod.metadata.namespace && selects(job.spec.selector, pod.metadata.labels)) queue.add(key)
      }
      if (tracked(pod)) queue.add(`${pod.metadata.namespace}/${pod.metadata.labels?.['batch.kubernetes.io/job-name'] ?? ''}`)
    }
  }
  run.watch('v1/pods', { added: ofPod, updated: ofPod, deleted: ofPod })

  /** pods without a Job any more must not be held by it */
  const orphans = (namespace: string | undefined, name: string): void => {
    for (const pod of run.list('v1/pods', { namespace })) {
      const owner = controllerOf(pod)
      const lost =
        owner === undefined ? pod.metadata.labels?.['batch.kubernetes.io/job-name'] === name : owner.kind === 'Job' && owner.name === name
      if (lost && tracked(pod)) release(pod)
    }
  }
  const release = (pod: KubeObject): void => {
    const kept = pod.metadata.finalizers.filter((one: string) => one !== tracking)
    unless([404], () =>
      client.patch('v1/pods', pod.metadata.name, pod.metadata.namespace, 'merge', {
        metadata: { uid: pod.metadata.uid, finalizers: kept.length > 0 ? kept : null },
      }),
    )
  }

  const sync = (key: string): void => {
    const { namespace, name } = splitKey(key)
    const found = run.reader.find(resource, name, namespace)
    if (found === undefined) {
      failures.delete(key)
      orphans(namespace, name)
      return
    }
    if (finished(found) || (found.spec.managedBy !== undefined && found.spec.managedBy !== 'kubernetes.io/job-controller')) return
    const job = structuredClone(found)
    const status: KubeObject = { ...job.status, uncountedTerminatedPods: {} }
    const matches = (pod: KubeObject) => selects(job.spec.selector, pod.metadata.labels)
    const mine = run
      .list('v1/pods', { namespace })
      .filter((pod) => controllerOf(pod) === undefined || controllerOf(pod)?.uid === job.metadata.uid)
    const pods = claim(client, 'v1/pods', job, controllerRef(job), mine, matches)
    let active = pods.filter(isActive)
    const now = run.clock.now()
    const indexed = job.spec.completionMode === 'Indexed'
    const onlyFailed = job.spec.podReplacementPolicy === 'Failed'

    const failed = (pod: KubeObject): boolean =>
      pod.status?.phase === 'Failed' || (!onlyFailed && !!pod.metadata.deletionTimestamp && pod.status?.phase !== 'Succeeded')
    const fresh = pods.filter(tracked)
    const won = fresh.filter((pod) => pod.status?.phase === 'Succeeded')
    const lost = fresh.filter((pod) => failed(pod))
    const verdicts = new Map(lost.map((pod) => [pod, policy(job, pod)]))
    const counted = lost.filter((pod) => verdicts.get(pod)?.action !== 'Ignore')
    const done = numbers(status.completedIndexes)
    if (indexed) {
      for (const pod of won) if (indexOf(pod) >= 0 && indexOf(pod) < job.spec.completions) done.add(indexOf(pod))
    }
    const succeeded = indexed ? done.size : (status.succeeded ?? 0) + won.length
    const failedCount = (status.failed ?? 0) + counted.length
    backOff(key, won, lost, now)
    if (status.startTime === undefined && !job.spec.suspend) status.startTime = stamp(now)

    let end: KubeObject | undefined = (status.conditions ?? []).find(
      (one: KubeObject) => (one.type === 'SuccessCriteriaMet' || one.type === 'FailureTarget') && one.status === 'True',
    )
    const condition = (type: string, reason: string, message: string): KubeObject => ({
      type,
      status: 'True',
      lastProbeTime: stamp(now),
      lastTransitionTime: stamp(now),
      reason,
      message,
    })
    const fatal = [...verdicts.values()].find((one) => one.action === 'FailJob')
    if (end === undefined && fatal?.message !== undefined) end = condition('FailureTarget', 'PodFailurePolicy', fatal.message)
    if (end === undefined && (failedCount > (job.spec.backoffLimit ?? 6) || restarted(job, pods))) {
      end = condition('FailureTarget', 'BackoffLimitExceeded', 'Job has reached the specified backoff limit')
    }
    const deadline = job.spec.activeDeadlineSeconds
    if (end === undefined && deadline !== undefined && !job.spec.suspend && status.startTime !== undefined) {
      const left = parseTime(status.startTime) + deadline * 1000 - now
      if (left <= 0) end = condition('FailureTarget', 'DeadlineExceeded', 'Job was active longer than specified deadline')
      else queue.addAfter(key, left)
    }

    let failure: unknown
    try {
      if (end !== undefined) {
        for (const pod of active) deletePod(client, record, job, pod)
        active = []
      } else if (!job.metadata.deletionTimestamp) active = manage(job, key, active, pods, succeeded, done)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      failure = error
      active = run.list('v1/pods', { namespace }).filter((pod) => controllerOf(pod)?.uid === job.metadata.uid && isActive(pod))
    }
    if (end === undefined && failure === undefined) {
      const enough = job.spec.completions === undefined || job.spec.completions === null ? succeeded > 0 : succeeded >= job.spec.completions
      if (enough && active.length === 0)
        end = condition('SuccessCriteriaMet', 'CompletionsReached', 'Reached expected number of succeeded pods')
      else suspension(job, status, now)
    }
    if (end !== undefined && !(status.conditions ?? []).some((one: KubeObject) => one.type === end?.type && one.status === 'True')) {
      status.conditions = [...(status.conditions ?? []), end]
    }

    // First what is to be counted is written down, then the pods are let go, then they are counted: whoever takes over in between counts the same.
    const after = run.list('v1/pods', { namespace }).filter((pod) => controllerOf(pod)?.uid === job.metadata.uid)
    const terminating = after.filter(isTerminating).length
    const over = end !== undefined || job.metadata.deletionTimestamp
    const free = after.filter((pod) => tracked(pod) && (over || isTerminal(pod) || failed(pod)))
    const uids = (list: readonly KubeObject[]) => list.map((pod) => pod.metadata.uid)
    // Of a Job that has failed, what had not ended by itself has failed too.
    const stopped =
      end?.type === 'FailureTarget'
        ? free.filter((pod) => pod.status?.phase !== 'Succeeded' && !lost.some((one) => one.metadata.uid === pod.metadata.uid))
        : []
    Object.assign(status, { ready: active.filter(isReady).length, terminating })
    if (active.length > 0) status.active = active.length
    else delete status.active
    if (free.length > 0) {
      const pending = {
        ...(won.length > 0 && !indexed ? { succeeded: uids(won) } : {}),
        ...(counted.length + stopped.length > 0 ? { failed: uids([...counted, ...stopped]) } : {}),
      }
      write(job, { ...status, uncountedTerminatedPods: pending })
      for (const pod of free) release(pod)
    }
    if (succeeded > 0) status.succeeded = succeeded
    if (failedCount + stopped.length > 0) status.failed = failedCount + stopped.length
    if (indexed && done.size > 0) status.completedIndexes = ranges(done)
    const left = run
      .list('v1/pods', { namespace })
      .filter((pod) => controllerOf(pod)?.uid === job.metadata.uid && isTerminating(pod)).length
    status.terminating = left
    if (end !== undefined && left === 0) {
      const type = end.type === 'FailureTarget' ? 'Failed' : 'Complete'
      status.conditions = [...status.conditions, condition(type, end.reason, end.message)]
      if (type === 'Complete') status.completionTime = stamp(now)
      write(job, status)
      failures.delete(key)
      if (type === 'Complete') record(job, 'Normal', 'Completed', 'Job completed')
      else record(job, 'Warning', end.reason, end.message)
    } else write(job, status)
    if (failure !== undefined) throw failure
  }
  const write = (job: KubeObject, status: KubeObject): void => {
    if (same(status, job.status)) return
    const written = client.update(resource, { ...job, status }, { subresource: 'status' })
    job.metadata.resourceVersion = written.metadata.resourceVersion
    job.status = written.status
  }
  const suspension = (job: KubeObject, status: KubeObject, now: number): void => {
    const before = (status.conditions ?? []).find((one: KubeObject) => one.type === 'Suspended')
    const wanted = job.spec.suspend === true ? 'True' : 'False'
    if (before?.status === wanted || (before === undefined && wanted === 'False')) return
    const [reason, message, event] =
      wanted === 'True' ? ['JobSuspended', 'Job suspended', 'Suspended'] : ['JobResumed', 'Job resumed', 'Resumed']
    const next = { type: 'Suspended', status: wanted, lastProbeTime: stamp(now), lastTransitionTime: stamp(now), reason, message }
    status.conditions = [...(status.conditions ?? []).filter((one: KubeObject) => one !== before), next]
    record(job, 'Normal', event as string, message as string)
    if (wanted === 'True') delete status.startTime
    else status.startTime = stamp(now)
  }
  const backOff = (key: string, won: readonly KubeObject[], lost: readonly KubeObject[], now: number): void => {
    const known = failures.get(key) ?? { count: 0, last: 0 }
    const at = (pod: KubeObject): number => {
      const ends = (pod.status?.containerStatuses ?? [])
        .map((one: KubeObject) => parseTime(one.state?.terminated?.finishedAt))
        .filter(Number.isFinite)
      return ends.length > 0 ? Math.max(...ends) : now
    }
    const ended = [...won.map((pod) => ({ at: at(pod), won: true })), ...lost.map((pod) => ({ at: at(pod), won: false }))].sort(
      (a, b) => a.at - b.at,
    )
    for (const one of ended) {
      known.count = one.won ? 0 : known.count + 1
      known.last = one.won ? 0 : one.at
    }
    failures.set(key, known)
  }
  /** with restartPolicy OnFailure the restarts of the pods count */
  const restarted = (job: KubeObject, pods: readonly KubeObject[]): boolean => {
    if (job.spec.template.spec.restartPolicy !== 'OnFailure') return false
    let sum = 0
    for (const pod of pods) {
      if (pod.status?.phase !== 'Running' && pod.status?.phase !== 'Pending') continue
      const all = [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])]
      sum += all.reduce((total: number, one: KubeObject) => total + (one.restartCount ?? 0), 0)
    }
    const limit = job.spec.backoffLimit ?? 6
    return limit === 0 ? sum > 0 : sum >= limit
  }

  /** the pods that are active afterwards */
  const manage = (
    job: KubeObject,
    key: string,
    active: readonly KubeObject[],
    pods: readonly KubeObject[],
    succeeded: number,
    done: ReadonlySet<number>,
  ): KubeObject[] => {
    const parallel = job.spec.parallelism ?? 1
    const { completions } = job.spec
    let wanted =
      completions === undefined || completions === null
        ? succeeded > 0
          ? active.length
          : parallel
        : Math.min(parallel, completions - succeeded)
    if (job.spec.suspend) wanted = 0
    wanted = Math.max(0, wanted)
    if (active.length > wanted) {
      const sorted = byDeletionOrder(active, active, run.clock.now())
      for (const pod of sorted.slice(0, Math.min(active.length - wanted, perSync))) deletePod(client, record, job, pod)
      return sorted.slice(active.length - wanted)
    }
    if (active.length === wanted) return [...active]
    const { count, last } = failures.get(key) ?? { count: 0, last: 0 }
    const wait = count === 0 ? 0 : last + Math.min(backOffMs * 2 ** (count - 1), backOffMaxMs) - run.clock.now()
    if (wait > 0) {
      queue.addAfter(key, wait)
      return [...active]
    }
    let missing = Math.min(wanted - active.length, perSync)
    if (job.spec.podReplacementPolicy === 'Failed') missing = Math.max(0, missing - pods.filter(isTerminating).length)
    const free: number[] = []
    if (job.spec.completionMode === 'Indexed') {
      const used = new Set(active.map(indexOf))
      for (let one = 0; one < completions && free.length < missing; one++) if (!done.has(one) && !used.has(one)) free.push(one)
      missing = free.length
    }
    const made: KubeObject[] = []
    for (let batch = Math.min(missing, 1); batch > 0; batch = Math.min(2 * batch, missing - made.length)) {
      for (let i = 0; i < batch; i++) {
        try {
          made.push(createPod(client, record, job, podFor(job, free[made.length])))
        } catch (error) {
          if (namespaceEnds(error)) return [...active, ...made]
          throw error
        }
      }
    }
    return [...active, ...made]
  }
  const podFor = (job: KubeObject, index: number | undefined): KubeObject => {
    const template = job.spec.template
    const finalizers = [...(template.metadata?.finalizers ?? []), tracking]
    if (index === undefined) return podOf(template, job, controllerRef(job), { finalizers })
    const name = { name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef: { fieldPath: `metadata.labels['${indexAnnotation}']` } } }
    const told = (containers: KubeObject[] | undefined) => containers?.map((one) => ({ ...one, env: [...(one.env ?? []), name] }))
    const spec = {
      ...template.spec,
      hostname: `${job.metadata.name}-${index}`,
      containers: told(template.spec.containers),
      ...(template.spec.initContainers ? { initContainers: told(template.spec.initContainers) } : {}),
    }
    return podOf({ ...template, spec }, job, controllerRef(job), {
      generateName: `${job.metadata.name}-${index}-`,
      finalizers,
      labels: { ...template.metadata?.labels, [indexAnnotation]: String(index) },
      annotations: { ...template.metadata?.annotations, [indexAnnotation]: String(index) },
    })
  }
}

/** what spec.podFailurePolicy makes of a failed pod; without a rule for it, it counts */
function policy(job: KubeObject, pod: KubeObject): { action: string; message?: string } {
  for (const [at, rule] of (job.spec.podFailurePolicy?.rules ?? []).entries()) {
    const subject = `${pod.metadata.namespace}/${pod.metadata.name}`
    if (rule.onExitCodes) {
      const { containerName, operator, values } = rule.onExitCodes
      for (const one of [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]) {
        const code: number | undefined = one.state?.terminated?.exitCode
        if (code === undefined || code === 0 || (containerName && containerName !== one.name)) continue
        if (values.includes(code) === (operator === 'In')) {
          const message = `Container ${one.name} for pod ${subject} failed with exit code ${code} matching ${rule.action} rule at index ${at}`
          return { action: rule.action, message }
        }
      }
    }
    for (const pattern of rule.onPodConditions ?? []) {
      const met = (pod.status?.conditions ?? []).some(
        (one: KubeObject) => one.type === pattern.type && one.status === (pattern.status ?? 'True'),
      )
      if (met)
        return { action: rule.action, message: `Pod ${subject} has condition ${pattern.type} matching ${rule.action} rule at index ${at}` }
    }
  }
  return { action: 'Count' }
}
