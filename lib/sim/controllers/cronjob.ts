// The CronJob controller: a Job at each time of a schedule, and a history of a few (pkg/controller/cronjob).
import { ApiError, type KubeObject } from '../kube.ts'
import { keyOf, type Run, splitKey, unhandled, unless } from './context.ts'
import { parseSchedule, type Schedule } from './cron.ts'
import { controllerOf, controllerRef, parseTime, same, stamp } from './objects.ts'

const resource = 'batch/v1/cronjobs'
const jobs = 'batch/v1/jobs'
// nextScheduleDelta: a little later than the time, so that it has passed for sure
const deltaMs = 100

/** `Complete`, `Failed` or undefined while it runs */
const ended = (job: KubeObject): string | undefined =>
  (job.status?.conditions ?? []).find((one: KubeObject) => (one.type === 'Complete' || one.type === 'Failed') && one.status === 'True')
    ?.type
const reference = (job: KubeObject): KubeObject => ({
  kind: 'Job',
  namespace: job.metadata.namespace,
  name: job.metadata.name,
  uid: job.metadata.uid,
  apiVersion: 'batch/v1',
  resourceVersion: job.metadata.resourceVersion,
})

export function startCronJob(run: Run): void {
  const client = run.client('cronjob-controller')
  const record = run.events('cronjob-controller', 'cronjob-controller')
  const queue = run.queue('cronjob', (key) => sync(key), {
    said: (key, error) => unhandled('cronjob_controllerv2.go:180', `error syncing CronJobController ${key}, requeuing: ${error.message}`),
  })
  run.watch(resource, {
    added: (cron) => queue.add(keyOf(cron)),
    updated: (cron) => queue.add(keyOf(cron)),
  })
  const ofJob = (job: KubeObject) => {
    const owner = controllerOf(job)
    if (owner?.kind === 'CronJob') queue.add(`${job.metadata.namespace}/${owner.name}`)
  }
  run.watch(jobs, { added: ofJob, updated: ofJob, deleted: ofJob })

  const sync = (key: string): void => {
    const { namespace, name } = splitKey(key)
    const found = run.reader.find(resource, name, namespace)
    if (found === undefined) return
    const cron = { ...found, status: { ...found.status } }
    const mine = run.list(jobs, { namespace }).filter((job) => controllerOf(job)?.uid === cron.metadata.uid)
    cleanUp(cron, mine)
    follow(cron, mine)
    if (!cron.metadata.deletionTimestamp && !cron.spec.suspend) due(cron, key)
    if (same(cron.status, found.status ?? {})) return
    const latest = run.reader.find(resource, name, namespace)
    if (latest !== undefined) client.update(resource, { ...latest, status: cron.status }, { subresource: 'status' })
  }
  const follow = (cron: KubeObject, mine: readonly KubeObject[]): void => {
    let active: KubeObject[] = cron.status.active ?? []
    for (const job of mine) {
      const listed = active.some((one) => one.uid === job.metadata.uid)
      const end = ended(job)
      if (!listed && end === undefined) {
        record(cron, 'Warning', 'UnexpectedJob', `Saw a job that the controller did not create or forgot: ${job.metadata.name}`)
      } else if (listed && end !== undefined) {
        active = active.filter((one) => one.uid !== job.metadata.uid)
        record(cron, 'Normal', 'SawCompletedJob', `Saw completed job: ${job.metadata.name}, condition: ${end}`)
      }
      const time = job.status?.completionTime
      if (end === 'Complete' && time && !(parseTime(cron.status.lastSuccessfulTime) >= parseTime(time)))
        cron.status.lastSuccessfulTime = time
    }
    for (const one of active) {
      if (mine.some((job) => job.metadata.uid === one.uid)) continue
      record(cron, 'Normal', 'MissingJob', `Active job went missing: ${one.name}`)
      active = active.filter((other) => other !== one)
    }
    if (active.length > 0) cron.status.active = active
    else delete cron.status.active
  }
  const cleanUp = (cron: KubeObject, mine: readonly KubeObject[]): void => {
    for (const [type, limit] of [
      ['Complete', cron.spec.successfulJobsHistoryLimit ?? 3],
      ['Failed', cron.spec.failedJobsHistoryLimit ?? 1],
    ] as const) {
      const done = mine.filter((job) => ended(job) === type)
      done.sort((a, b) => parseTime(a.status.startTime) - parseTime(b.status.startTime))
      for (const job of done.slice(0, Math.max(0, done.length - limit))) remove(cron, job)
    }
  }
  const remove = (cron: KubeObject, job: KubeObject): void => {
    try {
      unless([404], () => client.delete(jobs, job.metadata.name, job.metadata.namespace, { propagationPolicy: 'Background' }))
    } catch (error) {
      if (error instanceof Error) record(cron, 'Warning', 'FailedDelete', `Deleted job: ${error.message}`)
      throw error
    }
    record(cron, 'Normal', 'SuccessfulDelete', `Deleted job ${job.metadata.name}`)
  }

  const due = (cron: KubeObject, key: string): void => {
    let schedule: Schedule
    try {
      schedule = parseSchedule(cron.spec.schedule, cron.spec.timeZone)
    } catch (error) {
      const message = (error as Error).message
      if (error instanceof RangeError) {
        const zone = cron.spec.timeZone
        record(cron, 'Warning', 'UnknownTimeZone', `invalid timeZone: ${JSON.stringify(zone)}: unknown time zone ${zone}`)
      } else record(cron, 'Warning', 'UnparseableSchedule', `unparseable schedule: ${JSON.stringify(cron.spec.schedule)} : ${message}`)
      return
    }
    const now = run.clock.now()
    const deadline: number | undefined = cron.spec.startingDeadlineSeconds
    const time = mostRecent(cron, schedule, now)
    const next = schedule.next(now)
    if (next !== undefined) queue.addAfter(key, next - now + deltaMs)
    if (time === undefined) return
    if (deadline !== undefined && time + deadline * 1000 < now) {
      const text = new Date(time).toUTCString().replace('GMT', '+0000')
      record(cron, 'Warning', 'MissSchedule', `Missed scheduled time to start a job: ${text}`)
      return
    }
    const name = `${cron.metadata.name}-${Math.floor(time / 60_000)}`
    const active: KubeObject[] = cron.status.active ?? []
    if (active.some((one) => one.name === name) || cron.status.lastScheduleTime === stamp(time)) return
    if (cron.spec.concurrencyPolicy === 'Forbid' && active.length > 0) {
      record(cron, 'Normal', 'JobAlreadyActive', 'Not starting job because prior execution is running and concurrency policy is Forbid')
      return
    }
    if (cron.spec.concurrencyPolicy === 'Replace') {
      for (const one of active) {
        const job = run.reader.find(jobs, one.name, one.namespace)
        if (job !== undefined) remove(cron, job)
      }
      delete cron.status.active
    }
    start(cron, name, time)
  }
  /** the last time that has passed and was not seen yet */
  const mostRecent = (cron: KubeObject, schedule: Schedule, now: number): number | undefined => {
    let from = parseTime(cron.status.lastScheduleTime ?? cron.metadata.creationTimestamp)
    const deadline: number | undefined = cron.spec.startingDeadlineSeconds
    if (deadline !== undefined) from = Math.max(from, now - deadline * 1000)
    let found: number | undefined
    let missed = 0
    for (let at = schedule.next(from); at !== undefined && at <= now; at = schedule.next(at)) {
      found = at
      missed += 1
      // After a long sleep not every minute is of interest.
      if (missed === 1000) {
        const step = (schedule.next(at) ?? at) - at
        if (step > 0) at = Math.max(at, now - 2 * step)
      }
    }
    if (missed > 100) {
      record(
        cron,
        'Warning',
        'TooManyMissedTimes',
        'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
      )
    }
    return found
  }
  const start = (cron: KubeObject, name: string, time: number): void => {
    const { metadata = {}, spec } = cron.spec.jobTemplate
    let job: KubeObject
    try {
      job = client.create(jobs, {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: {
          name,
          namespace: cron.metadata.namespace,
          ...(metadata.labels ? { labels: metadata.labels } : {}),
          annotations: { ...metadata.annotations, 'batch.kubernetes.io/cronjob-scheduled-timestamp': stamp(time) },
          ownerReferences: [controllerRef(cron)],
        },
        spec,
      })
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (error.reason !== 'AlreadyExists') {
        record(cron, 'Warning', 'FailedCreate', `Error creating job: ${error.message}`)
        throw error
      }
      job = run.reader.get(jobs, name, cron.metadata.namespace)
      if (controllerOf(job)?.uid !== cron.metadata.uid) return
      cron.status.lastScheduleTime = stamp(time)
      return
    }
    record(cron, 'Normal', 'SuccessfulCreate', `Created job ${name}`)
    cron.status.active = [...(cron.status.active ?? []), reference(job)]
    cron.status.lastScheduleTime = stamp(time)
  }
}
