// Deployments, ReplicaSets, DaemonSets, StatefulSets, Jobs, CronJobs, ReplicationControllers: pkg/apis/{apps,batch,core}/validation of
// Kubernetes v1.35. Knows pods only by pod.ts.
import type { KubeObject } from '../../kube.ts'
import { forbidden, invalidValue, notSupported, requiredValue } from '../cause.ts'
import { cronProblem } from './cron.ts'
import { type Causes, goStruct, intOrPercent, isLabel, isPercent, isZeroOrNone, labelSelector, labels, selects } from './names.ts'
import { podSpec } from './pod.ts'

function template(given: KubeObject, at: string, out: Causes): undefined {
  labels(given?.metadata?.labels, `${at}.labels`, out)
  for (const key of Object.keys(given?.metadata?.annotations ?? {})) out.check(`${at}.annotations`, key, [])
  podSpec(given?.spec ?? {}, `${at}.spec`, given?.metadata ?? {}, out)
  if (given?.spec?.ephemeralContainers?.length)
    out.add(forbidden(`${at}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'))
}
const empty = (selector: KubeObject): boolean =>
  Object.keys(selector?.matchLabels ?? {}).length + (selector?.matchExpressions?.length ?? 0) === 0
/** selector, then whether it selects what the template makes; false when the selector is of no use */
function selector(spec: KubeObject, what: string, out: Causes): boolean {
  if (!spec.selector) {
    out.add(requiredValue('spec.selector'))
    return true
  }
  labelSelector(spec.selector, 'spec.selector', out)
  if (empty(spec.selector)) out.add(invalidValue('spec.selector', spec.selector, `empty selector is invalid for ${what}`))
  return true
}
function always(spec: KubeObject, at: string, out: Causes, deadline: string): undefined {
  const pod = spec.template?.spec ?? {}
  if (pod.restartPolicy !== 'Always') out.add(notSupported(`${at}.spec.restartPolicy`, pod.restartPolicy, ['Always']))
  if (pod.activeDeadlineSeconds !== undefined)
    out.add(forbidden(`${at}.spec.activeDeadlineSeconds`, `activeDeadlineSeconds in ${deadline} is not Supported`))
}
const given = (object: KubeObject): KubeObject => (object && Object.keys(object).length > 0 ? object : null)
/** replica sets and what makes them: the template must carry what the selector asks */
function replicaTemplate(spec: KubeObject, matches: boolean, out: Causes): undefined {
  const at = 'spec.template'
  const wanted = spec.template?.metadata?.labels
  if (!matches) out.add(invalidValue(`${at}.metadata.labels`, given(wanted), '`selector` does not match template `labels`'))
  template(spec.template, at, out)
  always(spec, at, out, 'ReplicaSet')
}
const agrees = (spec: KubeObject): boolean =>
  spec.selector !== undefined && spec.selector !== null && selects(spec.selector, spec.template?.metadata?.labels)
const usable = (out: Causes): boolean => !out.list.some((cause) => cause.field.startsWith('spec.selector.'))

export function deployment({ spec }: KubeObject, out: Causes): undefined {
  out.notNegative('spec.replicas', spec.replicas)
  selector(spec, 'deployment', out)
  if (!usable(out)) out.add(invalidValue('spec.selector', spec.selector, 'invalid label selector'))
  else replicaTemplate(spec, agrees(spec) || (!!spec.selector && empty(spec.selector)), out)
  strategy(spec.strategy ?? {}, out)
  out.notNegative('spec.minReadySeconds', spec.minReadySeconds)
  out.notNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit)
  if (typeof spec.progressDeadlineSeconds !== 'number') return
  out.notNegative('spec.progressDeadlineSeconds', spec.progressDeadlineSeconds)
  if (spec.progressDeadlineSeconds <= (spec.minReadySeconds ?? 0))
    out.add(invalidValue('spec.progressDeadlineSeconds', spec.progressDeadlineSeconds, 'must be greater than minReadySeconds'))
}
function strategy(value: KubeObject, out: Causes): undefined {
  const at = 'spec.strategy'
  if (value.type === 'Recreate') {
    if (value.rollingUpdate) out.add(forbidden(`${at}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'"))
  } else if (value.type === 'RollingUpdate') {
    const rolling = value.rollingUpdate
    if (!rolling) return out.add(requiredValue(`${at}.rollingUpdate`, 'this should be defaulted and never be nil'))
    intOrPercent(rolling.maxUnavailable, `${at}.rollingUpdate.maxUnavailable`, out)
    intOrPercent(rolling.maxSurge, `${at}.rollingUpdate.maxSurge`, out)
    if (isZeroOrNone(rolling.maxUnavailable) && isZeroOrNone(rolling.maxSurge))
      out.add(invalidValue(`${at}.rollingUpdate.maxUnavailable`, rolling.maxUnavailable, 'may not be 0 when `maxSurge` is 0'))
    atMost100(rolling.maxUnavailable, `${at}.rollingUpdate.maxUnavailable`, out)
  } else out.add(notSupported(at, goStruct(value, ['Type=""', 'RollingUpdate']), ['Recreate', 'RollingUpdate']))
}
function atMost100(value: unknown, at: string, out: Causes): undefined {
  if (typeof value === 'string' && isPercent(value).length === 0 && Number(value.slice(0, -1)) > 100)
    out.add(invalidValue(at, value, 'must not be greater than 100%'))
}
export function replicaSet({ spec }: KubeObject, out: Causes): undefined {
  out.notNegative('spec.replicas', spec.replicas)
  out.notNegative('spec.minReadySeconds', spec.minReadySeconds)
  selector(spec, 'deployment', out)
  if (!usable(out)) out.add(invalidValue('spec.selector', spec.selector, 'invalid label selector'))
  else replicaTemplate(spec, agrees(spec) || (!!spec.selector && empty(spec.selector)), out)
}
export function replicationController({ spec }: KubeObject, out: Causes): undefined {
  out.notNegative('spec.minReadySeconds', spec.minReadySeconds)
  const wanted = spec.selector ?? {}
  if (Object.keys(wanted).length === 0) out.add(requiredValue('spec.selector'))
  out.notNegative('spec.replicas', spec.replicas)
  if (!spec.template) return out.add(requiredValue('spec.template'))
  replicaTemplate(spec, selects({ matchLabels: wanted }, spec.template.metadata?.labels), out)
}
export function daemonSet({ spec }: KubeObject, out: Causes): undefined {
  labelSelector(spec.selector, 'spec.selector', out)
  const at = 'spec.template'
  if (usable(out) && !(spec.selector && (agrees(spec) || empty(spec.selector))))
    out.add(invalidValue(`${at}.metadata.labels`, given(spec.template?.metadata?.labels), '`selector` does not match template `labels`'))
  if (spec.selector && empty(spec.selector))
    out.add(invalidValue('spec.selector', spec.selector, 'empty selector is invalid for daemonset'))
  template(spec.template, at, out)
  always(spec, at, out, 'DaemonSet')
  out.notNegative('spec.minReadySeconds', spec.minReadySeconds)
  daemonStrategy(spec.updateStrategy ?? {}, out)
  out.notNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit)
}
function daemonStrategy(value: KubeObject, out: Causes): undefined {
  const at = 'spec.updateStrategy'
  if (value.type === 'OnDelete') return
  if (value.type !== 'RollingUpdate')
    return out.add(notSupported(at, goStruct(value, ['Type=""', 'RollingUpdate']), ['RollingUpdate', 'OnDelete']))
  const rolling = value.rollingUpdate
  if (!rolling) return out.add(requiredValue(`${at}.rollingUpdate`))
  const own = `${at}.rollingUpdate`
  intOrPercent(rolling.maxUnavailable, `${own}.maxUnavailable`, out)
  intOrPercent(rolling.maxSurge, `${own}.maxSurge`, out)
  atMost100(rolling.maxUnavailable, `${own}.maxUnavailable`, out)
  atMost100(rolling.maxSurge, `${own}.maxSurge`, out)
  const none = isZeroOrNone(rolling.maxUnavailable)
  const noSurge = isZeroOrNone(rolling.maxSurge)
  if (none && noSurge) out.add(requiredValue(`${own}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'))
  if (!none && !noSurge) out.add(invalidValue(`${own}.maxSurge`, rolling.maxSurge, 'may not be set when maxUnavailable is non-zero'))
}
export function statefulSet({ spec }: KubeObject, out: Causes): undefined {
  if (spec.podManagementPolicy !== 'OrderedReady' && spec.podManagementPolicy !== 'Parallel')
    out.add(
      spec.podManagementPolicy
        ? invalidValue('spec.podManagementPolicy', spec.podManagementPolicy, "must be 'OrderedReady' or 'Parallel'")
        : requiredValue('spec.podManagementPolicy'),
    )
  const update = spec.updateStrategy ?? {}
  const at = 'spec.updateStrategy'
  if (update.type === 'OnDelete') {
    if (update.rollingUpdate)
      out.add(
        invalidValue(
          `${at}.rollingUpdate`,
          goStruct(update.rollingUpdate, ['Partition=0', 'MaxUnavailable']),
          "only allowed for updateStrategy 'RollingUpdate'",
        ),
      )
  } else if (update.type === 'RollingUpdate') {
    out.notNegative(`${at}.rollingUpdate.partition`, update.rollingUpdate?.partition)
    if (update.rollingUpdate?.maxUnavailable !== undefined) {
      intOrPercent(update.rollingUpdate.maxUnavailable, `${at}.rollingUpdate.maxUnavailable`, out)
      if (isZeroOrNone(update.rollingUpdate.maxUnavailable))
        out.add(invalidValue(`${at}.rollingUpdate.maxUnavailable`, update.rollingUpdate.maxUnavailable, 'cannot be 0'))
    }
  } else out.add(invalidValue(at, goStruct(update, ['Type=""', 'RollingUpdate']), "must be 'RollingUpdate' or 'OnDelete'"))
  const keep = spec.persistentVolumeClaimRetentionPolicy
  for (const field of ['whenDeleted', 'whenScaled'])
    if (keep && !['Retain', 'Delete'].includes(keep[field]))
      out.add(notSupported(`spec.persistentVolumeClaimRetentionPolicy.${field}`, keep[field] ?? '', ['Retain', 'Delete']))
  out.notNegative('spec.replicas', spec.replicas)
  out.notNegative('spec.minReadySeconds', spec.minReadySeconds)
  out.notNegative('spec.ordinals.start', spec.ordinals?.start)
  if (spec.serviceName) out.check('spec.serviceName', spec.serviceName, isLabel(spec.serviceName))
  selector(spec, 'statefulset', out)
  if (!usable(out)) out.add(invalidValue('spec.selector', spec.selector, ''))
  else {
    if (!(agrees(spec) || (spec.selector && empty(spec.selector))))
      out.add(
        invalidValue(
          'spec.template.metadata.labels',
          given(spec.template?.metadata?.labels),
          '`selector` does not match template `labels`',
        ),
      )
    // Volumes of claims are mounted by their templates' names.
    const pod = spec.template?.spec ?? {}
    const claims = (spec.volumeClaimTemplates ?? [])
      .filter((claim: KubeObject) => !(pod.volumes ?? []).some((volume: KubeObject) => volume.name === claim.metadata?.name))
      .map((claim: KubeObject) => ({ name: claim.metadata?.name, persistentVolumeClaim: { claimName: claim.metadata?.name } }))
    template({ ...spec.template, spec: { ...pod, volumes: [...(pod.volumes ?? []), ...claims] } }, 'spec.template', out)
  }
  always(spec, 'spec.template', out, 'StatefulSet')
}
export function job({ spec }: KubeObject, out: Causes): undefined {
  if (!spec.selector) out.add(requiredValue('spec.selector'))
  else labelSelector(spec.selector, 'spec.selector', out)
  if (!agrees(spec))
    out.add(
      invalidValue('spec.template.metadata.labels', given(spec.template?.metadata?.labels), '`selector` does not match template `labels`'),
    )
  jobSpec(spec, 'spec', out)
}
function jobSpec(spec: KubeObject, at: string, out: Causes): undefined {
  for (const field of [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
  ])
    out.notNegative(`${at}.${field}`, spec[field])
  if (spec.completionMode && !['NonIndexed', 'Indexed'].includes(spec.completionMode))
    out.add(notSupported(`${at}.completionMode`, spec.completionMode, ['NonIndexed', 'Indexed']))
  if (spec.completionMode === 'Indexed') {
    if (typeof spec.completions !== 'number') out.add(requiredValue(`${at}.completions`, 'when completion mode is Indexed'))
    if (typeof spec.parallelism === 'number' && spec.parallelism > 100000)
      out.add(invalidValue(`${at}.parallelism`, spec.parallelism, 'must be less than or equal to 100000 when completion mode is Indexed'))
  }
  const own = `${at}.template`
  template(spec.template, own, out)
  const policy = spec.template?.spec?.restartPolicy
  if (policy === 'Always' || !policy) out.add(requiredValue(`${own}.spec.restartPolicy`, 'valid values: "OnFailure", "Never"'))
  else if (policy !== 'OnFailure' && policy !== 'Never') out.add(notSupported(`${own}.spec.restartPolicy`, policy, ['OnFailure', 'Never']))
  else if (spec.podFailurePolicy && policy !== 'Never')
    out.add(invalidValue(`${own}.spec.restartPolicy`, policy, 'only "Never" is supported when podFailurePolicy is specified'))
}
export function cronJob({ spec }: KubeObject, out: Causes): undefined {
  const schedule: string = spec.schedule ?? ''
  if (schedule === '') out.add(requiredValue('spec.schedule'))
  else {
    const zoned = /^(TZ|CRON_TZ)=/.test(schedule)
    const wrong = zoned ? undefined : cronProblem(schedule)
    if (wrong) out.add(invalidValue('spec.schedule', schedule, wrong))
    if (schedule.includes('TZ'))
      out.add(invalidValue('spec.schedule', schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'))
  }
  if (typeof spec.timeZone === 'string') timeZone(spec.timeZone, out)
  out.notNegative('spec.startingDeadlineSeconds', spec.startingDeadlineSeconds)
  if (!['Allow', 'Forbid', 'Replace'].includes(spec.concurrencyPolicy))
    out.add(
      spec.concurrencyPolicy
        ? notSupported('spec.concurrencyPolicy', spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace'])
        : requiredValue('spec.concurrencyPolicy'),
    )
  const made = spec.jobTemplate?.spec ?? {}
  jobSpec(made, 'spec.jobTemplate.spec', out)
  if (made.manualSelector) out.add(notSupported('spec.jobTemplate.spec.manualSelector', made.manualSelector, ['nil', 'false']))
  out.notNegative('spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit)
  out.notNegative('spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit)
}
function timeZone(zone: string, out: Causes): undefined {
  if (zone === '') return out.add(invalidValue('spec.timeZone', zone, 'timeZone must be nil or non-empty string'))
  if (zone.toLowerCase() === 'local')
    return out.add(
      invalidValue('spec.timeZone', zone, 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'),
    )
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
  } catch {
    out.add(invalidValue('spec.timeZone', zone, `unknown time zone ${zone}`))
  }
}
