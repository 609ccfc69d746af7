// The other kinds: ConfigMaps, Secrets, nodes, quotas, RBAC, storage, disruption budgets, autoscalers, leases, priorities. Main rules of
// pkg/apis/*/validation of Kubernetes v1.35 with their texts. Knows nothing of pods or networks.
import type { KubeObject } from '../../kube.ts'
import { duplicateValue, forbidden, invalidValue, notSupported, requiredValue } from '../cause.ts'
import { compareQuantities, nanoOf } from '../quantity.ts'
import {
  type Causes,
  goStruct,
  intOrPercent,
  isCidr,
  isConfigKey,
  isLabelValue,
  isPathSegment,
  isQualifiedName,
  isSubdomain,
  labelSelector,
} from './names.ts'
import { effects } from './pod.ts'

const sorted = (given: KubeObject): [string, string][] =>
  Object.entries((given ?? {}) as Record<string, string>).sort(([a], [b]) => (a < b ? -1 : 1))
const mebibyte = 1024 * 1024
export function configMap(object: KubeObject, out: Causes): undefined {
  let size = 0
  for (const [key, value] of sorted(object.data)) {
    out.check(`data[${key}]`, key, isConfigKey(key))
    if (object.binaryData?.[key] !== undefined) out.add(invalidValue(`data[${key}]`, key, 'duplicate of key present in binaryData'))
    size += Buffer.byteLength(value)
  }
  for (const [key, value] of sorted(object.binaryData)) {
    out.check(`binaryData[${key}]`, key, isConfigKey(key))
    size += Math.floor((value.length * 3) / 4)
  }
  if (size > mebibyte) out.add({ reason: 'FieldValueTooLong', message: `Too long: may not be more than ${mebibyte} bytes`, field: '' })
}
const needs: Record<string, readonly string[]> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
}
export function secret(object: KubeObject, out: Causes): undefined {
  let size = 0
  for (const [key, value] of sorted(object.data)) {
    out.check(`data[${key}]`, key, isConfigKey(key))
    size += Math.floor((value.length * 3) / 4)
  }
  if (size > mebibyte) out.add({ reason: 'FieldValueTooLong', message: `Too long: may not be more than ${mebibyte} bytes`, field: 'data' })
  if (object.type === 'kubernetes.io/service-account-token' && !object.metadata?.annotations?.['kubernetes.io/service-account.name'])
    out.add(requiredValue('metadata.annotations[kubernetes.io/service-account.name]'))
  for (const key of needs[object.type] ?? []) {
    const bytes = object.data?.[key]
    if (bytes === undefined || (object.type.includes('ssh') && bytes === '')) out.add(requiredValue(`data[${key}]`))
    else if (key.startsWith('.docker')) {
      try {
        JSON.parse(Buffer.from(bytes, 'base64').toString())
      } catch {
        out.add(invalidValue(`data[${key}]`, '<secret contents redacted>', 'invalid character in JSON'))
      }
    }
  }
  if (object.type === 'kubernetes.io/basic-auth' && object.data?.username === undefined && object.data?.password === undefined) {
    out.add(requiredValue('data[username]'))
    out.add(requiredValue('data[password]'))
  }
}
export function node({ spec }: KubeObject, out: Causes): undefined {
  const seen = new Set<string>()
  for (const [index, taint] of (spec?.taints ?? []).entries()) {
    const at = `metadata.taints[${index}]`
    out.check(`${at}.key`, taint.key ?? '', isQualifiedName(taint.key ?? ''))
    const wrong = isLabelValue(taint.value ?? '')
    if (wrong.length > 0) out.add(invalidValue(`${at}.value`, taint.value, wrong.join(';')))
    if (!taint.effect) out.add(requiredValue(`${at}.effect`))
    else if (!effects.includes(taint.effect)) out.add(notSupported(`${at}.effect`, taint.effect, effects))
    const pair = `${taint.key}:${taint.effect}`
    if (seen.has(pair)) {
      const cause = duplicateValue(at, goStruct(taint, ['Key=""', 'Value=""', 'Effect=""', 'TimeAdded']))
      out.add({ ...cause, message: `${cause.message}: taints must be unique by key and effect pair` })
    }
    seen.add(pair)
  }
  for (const [index, cidr] of (spec?.podCIDRs ?? []).entries()) out.check(`spec.podCIDRs[${index}]`, cidr, isCidr(cidr))
}

// ---- quotas and ranges ----
const quotaNames = new Set([
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.storage',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'persistentvolumeclaims',
  'configmaps',
  'services.nodeports',
  'services.loadbalancers',
])
const counted = new Set([
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'persistentvolumeclaims',
  'configmaps',
  'services.nodeports',
  'services.loadbalancers',
])
const scopes = [
  'Terminating',
  'NotTerminating',
  'BestEffort',
  'NotBestEffort',
  'PriorityClass',
  'CrossNamespacePodAffinity',
  'VolumeAttributesClass',
]
export function resourceQuota({ spec }: KubeObject, out: Causes): undefined {
  for (const [name, quantity] of sorted(spec?.hard)) {
    const at = `spec.hard[${name}]`
    const wrong = isQualifiedName(name)
    out.check(at, name, wrong)
    if (wrong.length === 0 && !name.includes('/') && !quotaNames.has(name) && !/hugepages-/.test(name)) {
      out.add(invalidValue(at, name, 'must be a standard resource type or fully qualified'))
      out.add(invalidValue(at, name, 'must be a standard resource for quota'))
    }
    if (nanoOf(quantity) < 0n) out.add(invalidValue(at, quantity, 'must be greater than or equal to 0'))
    if ((counted.has(name) || name.startsWith('count/')) && nanoOf(quantity) % 1_000_000_000n !== 0n)
      out.add(invalidValue(at, quantity, 'must be an integer'))
  }
  for (const scope of spec?.scopes ?? [])
    if (!scopes.includes(scope)) out.add(invalidValue('spec.scopes', spec.scopes, 'unsupported scope'))
}
export function limitRange({ spec }: KubeObject, out: Causes): undefined {
  const types = new Set<string>()
  for (const [index, limit] of (spec?.limits ?? []).entries()) {
    const at = `spec.limits[${index}]`
    const type: string = limit.type ?? ''
    const wrong = isQualifiedName(type)
    out.check(`${at}.type`, type, wrong)
    if (wrong.length === 0 && !type.includes('/') && !['Pod', 'Container', 'PersistentVolumeClaim'].includes(type))
      out.add(invalidValue(`${at}.type`, type, 'must be a standard limit type or fully qualified'))
    if (types.has(type)) out.add(duplicateValue(`${at}.type`, type))
    types.add(type)
    if (type === 'Pod') {
      if (limit.default) out.add(forbidden(`${at}.default`, "may not be specified when `type` is 'Pod'"))
      if (limit.defaultRequest) out.add(forbidden(`${at}.defaultRequest`, "may not be specified when `type` is 'Pod'"))
    }
    const names = new Set(
      ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'].flatMap((list) => Object.keys(limit[list] ?? {})),
    )
    const above = (low: string | undefined, high: string | undefined) =>
      low !== undefined && high !== undefined && compareQuantities(low, high) > 0
    for (const name of [...names].sort()) {
      const [min, max, standard, request] = [limit.min?.[name], limit.max?.[name], limit.default?.[name], limit.defaultRequest?.[name]]
      if (above(min, max)) out.add(invalidValue(`${at}.min[${name}]`, min, `min value ${min} is greater than max value ${max}`))
      if (above(min, request))
        out.add(invalidValue(`${at}.defaultRequest[${name}]`, request, `min value ${min} is greater than default request value ${request}`))
      if (above(request, max))
        out.add(invalidValue(`${at}.defaultRequest[${name}]`, request, `default request value ${request} is greater than max value ${max}`))
      if (above(request, standard))
        out.add(
          invalidValue(
            `${at}.defaultRequest[${name}]`,
            request,
            `default request value ${request} is greater than default limit value ${standard}`,
          ),
        )
      if (above(min, standard))
        out.add(invalidValue(`${at}.default[${name}]`, min, `min value ${min} is greater than default value ${standard}`))
      if (above(standard, max))
        out.add(invalidValue(`${at}.default[${name}]`, max, `default value ${standard} is greater than max value ${max}`))
    }
  }
}

// ---- RBAC ----
const group = 'rbac.authorization.k8s.io'
function policyRules(rules: readonly KubeObject[] | undefined, namespaced: boolean, out: Causes): undefined {
  for (const [index, rule] of (rules ?? []).entries()) {
    const at = `rules[${index}]`
    if (!rule.verbs?.length) out.add(requiredValue(`${at}.verbs`, 'verbs must contain at least one value'))
    if (rule.nonResourceURLs?.length) {
      if (namespaced)
        out.add(invalidValue(`${at}.nonResourceURLs`, rule.nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'))
      if (rule.apiGroups?.length || rule.resources?.length || rule.resourceNames?.length)
        out.add(
          invalidValue(`${at}.nonResourceURLs`, rule.nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs'),
        )
      continue
    }
    if (!rule.apiGroups?.length) out.add(requiredValue(`${at}.apiGroups`, 'resource rules must supply at least one api group'))
    if (!rule.resources?.length) out.add(requiredValue(`${at}.resources`, 'resource rules must supply at least one resource'))
  }
}
export const role = (object: KubeObject, out: Causes): undefined => policyRules(object.rules, true, out)
export function clusterRole(object: KubeObject, out: Causes): undefined {
  policyRules(object.rules, false, out)
  if (!object.aggregationRule) return
  if (!object.aggregationRule.clusterRoleSelectors?.length)
    out.add(
      requiredValue('aggregationRule.clusterRoleSelectors', 'at least one clusterRoleSelector required if aggregationRule is non-nil'),
    )
  for (const [index, selector] of (object.aggregationRule.clusterRoleSelectors ?? []).entries())
    labelSelector(selector, `aggregationRule.clusterRoleSelectors[${index}]`, out)
}
export function binding(object: KubeObject, out: Causes): undefined {
  const cluster = object.kind === 'ClusterRoleBinding'
  const { roleRef = {} } = object
  if (roleRef.apiGroup !== group) out.add(notSupported('roleRef.apiGroup', roleRef.apiGroup, [group]))
  const kinds = cluster ? ['ClusterRole'] : ['Role', 'ClusterRole']
  if (!kinds.includes(roleRef.kind)) out.add(notSupported('roleRef.kind', roleRef.kind ?? '', kinds))
  if (!roleRef.name) out.add(requiredValue('roleRef.name'))
  else out.check('roleRef.name', roleRef.name, isPathSegment(roleRef.name))
  for (const [index, subject] of (object.subjects ?? []).entries()) {
    const at = `subjects[${index}]`
    if (!subject.name) out.add(requiredValue(`${at}.name`))
    if (subject.kind === 'ServiceAccount') {
      if (subject.name) out.check(`${at}.name`, subject.name, isSubdomain(subject.name))
      if (subject.apiGroup) out.add(notSupported(`${at}.apiGroup`, subject.apiGroup, ['']))
      if (cluster && !subject.namespace) out.add(requiredValue(`${at}.namespace`))
    } else if (subject.kind === 'User' || subject.kind === 'Group') {
      if (subject.apiGroup !== group) out.add(notSupported(`${at}.apiGroup`, subject.apiGroup, [group]))
    } else out.add(notSupported(`${at}.kind`, subject.kind ?? '', ['ServiceAccount', 'User', 'Group']))
  }
}

// ---- storage, budgets, scaling, the rest ----
export function storageClass(object: KubeObject, out: Causes): undefined {
  if (!object.provisioner) out.add(requiredValue('provisioner'))
  else out.check('provisioner', object.provisioner, isQualifiedName(object.provisioner.toLowerCase()))
  if (Object.keys(object.parameters ?? {}).includes('')) out.add(invalidValue('parameters', '', 'field can not be empty.'))
  if (!['Delete', 'Retain'].includes(object.reclaimPolicy))
    out.add(notSupported('reclaimPolicy', object.reclaimPolicy, ['Delete', 'Retain']))
  if (!object.volumeBindingMode) out.add(requiredValue('volumeBindingMode'))
  else if (!['Immediate', 'WaitForFirstConsumer'].includes(object.volumeBindingMode))
    out.add(notSupported('volumeBindingMode', object.volumeBindingMode, ['Immediate', 'WaitForFirstConsumer']))
}
const budgetNames = ['MinAvailable', 'Selector', 'MaxUnavailable', 'UnhealthyPodEvictionPolicy']
export function disruptionBudget({ spec }: KubeObject, out: Causes): undefined {
  if (!spec) return
  if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined)
    out.add(invalidValue('spec', goStruct(spec, budgetNames), 'minAvailable and maxUnavailable cannot be both set'))
  intOrPercent(spec.minAvailable, 'spec.minAvailable', out, true)
  intOrPercent(spec.maxUnavailable, 'spec.maxUnavailable', out, true)
  if (spec.unhealthyPodEvictionPolicy && !['IfHealthyBudget', 'AlwaysAllow'].includes(spec.unhealthyPodEvictionPolicy))
    out.add(notSupported('spec.unhealthyPodEvictionPolicy', spec.unhealthyPodEvictionPolicy, ['AlwaysAllow', 'IfHealthyBudget']))
  labelSelector(spec.selector, 'spec.selector', out)
}
export function autoscaler({ spec }: KubeObject, out: Causes): undefined {
  if (typeof spec.minReplicas === 'number' && spec.minReplicas < 1)
    out.add(invalidValue('spec.minReplicas', spec.minReplicas, 'must be greater than or equal to 1'))
  if (!(spec.maxReplicas > 0)) out.add(invalidValue('spec.maxReplicas', spec.maxReplicas ?? 0, 'must be greater than 0'))
  if (typeof spec.minReplicas === 'number' && (spec.maxReplicas ?? 0) < spec.minReplicas)
    out.add(invalidValue('spec.maxReplicas', spec.maxReplicas ?? 0, 'must be greater than or equal to `minReplicas`'))
  const target = spec.scaleTargetRef ?? {}
  for (const field of ['kind', 'name'])
    if (!target[field]) out.add(requiredValue(`spec.scaleTargetRef.${field}`))
    else out.check(`spec.scaleTargetRef.${field}`, target[field], isPathSegment(target[field]))
  if (spec.minReplicas === 0 && !(spec.metrics ?? []).some((metric: KubeObject) => metric.type === 'Object' || metric.type === 'External'))
    out.add(forbidden('spec.metrics', 'must specify at least one Object or External metric to support scaling to zero replicas'))
  for (const direction of ['scaleUp', 'scaleDown']) {
    const at = `spec.behavior.${direction}`
    const rules = spec.behavior?.[direction]
    if (!rules) continue
    const window = rules.stabilizationWindowSeconds
    out.notNegative(`${at}.stabilizationWindowSeconds`, window)
    if (typeof window === 'number' && window > 3600)
      out.add(invalidValue(`${at}.stabilizationWindowSeconds`, window, 'must be less than or equal to 3600'))
    if (rules.selectPolicy && !['Disabled', 'Max', 'Min'].includes(rules.selectPolicy))
      out.add(notSupported(`${at}.selectPolicy`, rules.selectPolicy, ['Disabled', 'Max', 'Min']))
    if (!rules.policies?.length) out.add(requiredValue(`${at}.policies`, 'must specify at least one Policy'))
    for (const [index, policy] of (rules.policies ?? []).entries()) {
      const own = `${at}.policies[${index}]`
      if (!['Percent', 'Pods'].includes(policy.type)) out.add(notSupported(`${own}.type`, policy.type, ['Percent', 'Pods']))
      if (!(policy.value > 0)) out.add(invalidValue(`${own}.value`, policy.value, 'must be greater than zero'))
      if (!(policy.periodSeconds > 0)) out.add(invalidValue(`${own}.periodSeconds`, policy.periodSeconds, 'must be greater than zero'))
      if (policy.periodSeconds > 1800)
        out.add(invalidValue(`${own}.periodSeconds`, policy.periodSeconds, 'must be less than or equal to 1800'))
    }
  }
}
export function lease({ spec }: KubeObject, out: Causes): undefined {
  if (typeof spec?.leaseDurationSeconds === 'number' && spec.leaseDurationSeconds <= 0)
    out.add(invalidValue('spec.leaseDurationSeconds', spec.leaseDurationSeconds, 'must be greater than 0'))
  out.notNegative('spec.leaseTransitions', spec?.leaseTransitions)
}
const systemPriorities: Record<string, number> = { 'system-cluster-critical': 2000000000, 'system-node-critical': 2000001000 }
export function priorityClass(object: KubeObject, out: Causes): undefined {
  const name: string = object.metadata?.name ?? ''
  if (name.startsWith('system-')) {
    const known = systemPriorities[name]
    if (known !== object.value || object.globalDefault)
      out.add(
        forbidden(
          'metadata.name',
          `priority class names with 'system-' prefix are reserved for system use only. error: ${
            known === undefined ? `${name} is not a known system priority class` : `value of ${name} PriorityClass must be ${known}`
          }`,
        ),
      )
  } else if (object.value > 1000000000) out.add(forbidden('value', 'maximum allowed value of a user defined priority is 1000000000'))
  if (object.preemptionPolicy && !['PreemptLowerPriority', 'Never'].includes(object.preemptionPolicy))
    out.add(notSupported('preemptionPolicy', object.preemptionPolicy, ['PreemptLowerPriority', 'Never']))
}
export function controllerRevision(object: KubeObject, out: Causes): undefined {
  if (object.data === undefined || object.data === null) out.add(requiredValue('data', 'data is mandatory'))
  out.notNegative('revision', object.revision)
}
