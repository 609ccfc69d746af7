// Resources that are questions and are not stored: access reviews, token reviews, "who am I", and componentstatuses. Knows nothing of HTTP.
// Sources: pkg/registry/authorization, pkg/registry/authentication, pkg/registry/core/componentstatus.
import type { KubeObject, User } from '../kube.ts'
import { invalid } from '../schema/index.ts'
import { type Attributes, type Authorizer, forbidden, type PolicyRule } from './authorizer.ts'
import type { Call, Operations } from './operations.ts'
import { notFound } from './registry.ts'
import type { Tokens } from './tokens.ts'

export interface Reviews {
  authorizer: Authorizer
  tokens: Tokens
  operations: Operations
}
type Review = (reviews: Reviews, call: Call, object: KubeObject) => KubeObject

const answers: Readonly<Record<string, Review>> = {
  'selfsubjectaccessreviews.authorization.k8s.io': ({ authorizer }, call, object) => access(authorizer, call.user, object),
  'subjectaccessreviews.authorization.k8s.io': ({ authorizer }, _call, object) => access(authorizer, asked(object), object),
  'localsubjectaccessreviews.authorization.k8s.io': ({ authorizer }, call, object) => {
    if (object.spec?.resourceAttributes?.namespace !== call.namespace) {
      throw invalid('LocalSubjectAccessReview', 'authorization.k8s.io', '', [
        {
          reason: 'FieldValueInvalid',
          message: `Invalid value: ${JSON.stringify(object.spec?.resourceAttributes?.namespace ?? '')}: must match metadata.namespace`,
          field: 'spec.resourceAttributes.namespace',
        },
      ])
    }
    return access(authorizer, asked(object), object)
  },
  'selfsubjectrulesreviews.authorization.k8s.io': ({ authorizer }, call, object) => {
    const rules = authorizer.rules(call.user, object.spec?.namespace ?? '')
    const resourceRules = rules
      .filter((rule) => rule.resources?.length)
      .map(({ verbs, apiGroups, resources, resourceNames }) => ({
        verbs,
        apiGroups,
        resources,
        ...(resourceNames?.length ? { resourceNames } : {}),
      }))
    const nonResourceRules = rules
      .filter((rule) => rule.nonResourceURLs?.length)
      .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs }))
    const node = call.user.groups.includes('system:nodes')
    return {
      ...object,
      spec: {},
      status: {
        resourceRules,
        nonResourceRules,
        incomplete: node,
        ...(node ? { evaluationError: 'node authorizer does not support user rule resolution' } : {}),
      },
    }
  },
  'selfsubjectreviews.authentication.k8s.io': (_reviews, call, object) => ({
    ...object,
    metadata: { ...object.metadata, creationTimestamp: object.metadata?.creationTimestamp ?? null },
    status: { userInfo: userInfo(call.user) },
  }),
  'tokenreviews.authentication.k8s.io': ({ tokens }, _call, object) => {
    const audiences: string[] | undefined = object.spec?.audiences?.length ? object.spec.audiences : undefined
    const found = tokens.verify(object.spec?.token ?? '', audiences)
    if (found === undefined) return { ...object, status: { user: {}, error: 'invalid bearer token' } }
    return { ...object, status: { authenticated: true, user: userInfo(found.user), audiences: found.audiences } }
  },
}

/** undefined when this resource is none of these */
export function review(reviews: Reviews, call: Call, object: KubeObject): KubeObject | undefined {
  const answer = call.subresource === '' ? answers[call.served.bucket] : undefined
  if (answer === undefined) return undefined
  const own = reviews.operations.decode(call, object)
  const answered = answer(reviews, call, own)
  if (call.served.resource === 'selfsubjectrulesreviews') return answered
  const { managedFields } = reviews.operations.tracked(call, undefined, own).metadata
  return { ...answered, metadata: { ...answered.metadata, ...(managedFields === undefined ? {} : { managedFields }) } }
}

const userInfo = (user: User): KubeObject => ({
  username: user.name,
  ...(user.uid === undefined ? {} : { uid: user.uid }),
  groups: [...user.groups],
  ...(user.extra === undefined || Object.keys(user.extra).length === 0 ? {} : { extra: user.extra }),
})
const asked = (object: KubeObject): User => ({
  name: object.spec?.user ?? '',
  groups: object.spec?.groups ?? [],
  ...(object.spec?.extra ? { extra: object.spec.extra } : {}),
})
function access(authorizer: Authorizer, user: User, object: KubeObject): KubeObject {
  const resource = object.spec?.resourceAttributes
  const other = object.spec?.nonResourceAttributes
  if (!resource && !other) {
    throw invalid('', 'authorization.k8s.io', '', [
      {
        reason: 'FieldValueInvalid',
        message: 'Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
        field: 'spec.resourceAttributes',
      },
    ])
  }
  const attributes: Attributes = resource
    ? {
        verb: resource.verb ?? '',
        group: resource.group ?? '',
        resource: resource.resource ?? '',
        subresource: resource.subresource ?? '',
        namespace: resource.namespace ?? '',
        name: resource.name ?? '',
      }
    : { verb: other.verb ?? '', path: other.path ?? '' }
  const { allowed, reason } = authorizer.decide(user, attributes)
  const why = allowed ? '' : reason
  return { ...object, status: { allowed, ...(why ? { reason: why } : {}) } }
}

// ComponentStatuses: what the server makes of asking etcd, scheduler and controller manager.

/** undefined when `call` is for another resource */
export function componentStatuses(reviews: Reviews, call: Call): KubeObject[] | undefined {
  if (call.served.bucket !== 'componentstatuses') return undefined
  reviews.operations.reachable()
  const healthy = (name: string) => ({
    kind: 'ComponentStatus',
    apiVersion: 'v1',
    metadata: { name },
    conditions: [{ type: 'Healthy', status: 'True', message: 'ok' }],
  })
  const all = ['scheduler', 'controller-manager', 'etcd-0'].map(healthy)
  if (call.name === '') return all
  const one = all.find((status) => status.metadata.name === call.name)
  if (one === undefined) throw notFound({ group: '', resource: 'componentstatus' }, call.name)
  return [one]
}

// Nobody gives what they do not have.

/** Throws 403 when a role or binding would give more than its author has. Source: pkg/registry/rbac/{role,rolebinding}/policybased */
export function escalation(
  authorizer: Authorizer,
  operations: () => Operations,
  call: Call,
  object: KubeObject,
  old: KubeObject | undefined,
): void {
  const { user, served } = call
  if (user.groups.includes('system:masters') || call.subresource !== '') return
  const namespace: string = object.metadata.namespace ?? ''
  const resource = served.resource
  const may = (verb: string, of: string, name: string) =>
    authorizer.decide(user, { verb, group: 'rbac.authorization.k8s.io', resource: of, namespace, name }).allowed
  let rules: PolicyRule[]
  if (resource === 'roles' || resource === 'clusterroles') {
    if (old !== undefined && JSON.stringify(old.rules) === JSON.stringify(object.rules)) return
    if (may('escalate', resource, object.metadata.name)) return
    rules = object.rules ?? []
  } else {
    const cluster = object.roleRef?.kind === 'ClusterRole'
    const of = cluster ? 'clusterroles' : 'roles'
    if (may('bind', of, object.roleRef?.name ?? '')) return
    const role = operations().store.get(`${of}.rbac.authorization.k8s.io`, cluster ? '' : namespace, object.roleRef?.name ?? '')
    if (role === undefined) {
      throw notFound({ group: 'rbac.authorization.k8s.io', resource: of }, object.roleRef?.name ?? '')
    }
    rules = role.rules ?? []
  }
  const has = authorizer.rules(user, namespace)
  const missing = rules.flatMap(single).filter((rule) => !has.some((owned) => includes(owned, rule)))
  if (missing.length === 0) return
  const error = forbidden(user, { verb: 'create', group: served.group, resource, namespace, name: object.metadata.name }, '')
  const groups = user.groups.map((group) => JSON.stringify(group)).join(' ')
  error.status.message = `${resource}.rbac.authorization.k8s.io ${JSON.stringify(object.metadata.name)} is forbidden: user ${JSON.stringify(user.name)} (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${compact(missing).map(print).join('\n')}`
  error.message = error.status.message
  throw error
}
/** one verb, group and resource each */
function single(rule: PolicyRule): PolicyRule[] {
  const out: PolicyRule[] = []
  for (const verb of rule.verbs ?? []) {
    for (const url of rule.nonResourceURLs ?? []) out.push({ verbs: [verb], nonResourceURLs: [url] })
    for (const group of rule.apiGroups ?? []) {
      for (const resource of rule.resources ?? []) {
        const names = rule.resourceNames?.length ? rule.resourceNames.map((name) => [name]) : [undefined]
        for (const name of names) {
          out.push({ verbs: [verb], apiGroups: [group], resources: [resource], ...(name === undefined ? {} : { resourceNames: name }) })
        }
      }
    }
  }
  return out
}
function includes(owned: PolicyRule, rule: PolicyRule): boolean {
  const all = (has: readonly string[] = [], wants: readonly string[] = []) => has.includes('*') || wants.every((want) => has.includes(want))
  if (!all(owned.verbs, rule.verbs)) return false
  if (rule.nonResourceURLs) return all(owned.nonResourceURLs, rule.nonResourceURLs)
  if (!all(owned.apiGroups, rule.apiGroups) || !all(owned.resources, rule.resources)) return false
  return !owned.resourceNames?.length || (rule.resourceNames?.every((name) => owned.resourceNames?.includes(name)) ?? false)
}
/** rules of the same resource together, as the server prints them */
function compact(rules: readonly PolicyRule[]): PolicyRule[] {
  const merged = new Map<string, PolicyRule>()
  for (const rule of rules) {
    const key = JSON.stringify({ ...rule, verbs: undefined })
    const before = merged.get(key)
    merged.set(key, before === undefined ? rule : { ...before, verbs: [...(before.verbs ?? []), ...(rule.verbs ?? [])] })
  }
  return [...merged.values()]
}
function print(rule: PolicyRule): string {
  const list = (values: readonly string[] = []) => `[${values.map((value) => JSON.stringify(value)).join(' ')}]`
  const parts = [
    ...(rule.nonResourceURLs ? [`NonResourceURLs:${list(rule.nonResourceURLs)}`] : []),
    ...(rule.apiGroups ? [`APIGroups:${list(rule.apiGroups)}`] : []),
    ...(rule.resources ? [`Resources:${list(rule.resources)}`] : []),
    ...(rule.resourceNames ? [`ResourceNames:${list(rule.resourceNames)}`] : []),
    `Verbs:${list(rule.verbs)}`,
  ]
  return `{${parts.join(', ')}}`
}
