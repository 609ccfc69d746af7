// Who may do what: RBAC over the Role and Binding objects in the store, and for kubelets the rules of the Node authorizer. Knows nothing of how a
// user was authenticated. Sources: plugin/pkg/auth/authorizer/{rbac,node}, pkg/registry/rbac/validation.
import type { KubeObject, User } from '../kube.ts'
import { ApiError } from '../kube.ts'
import { fieldTerms } from './selectors.ts'
import type { Store } from './store.ts'

export interface Attributes {
  verb: string
  group?: string
  resource?: string
  subresource?: string
  namespace?: string
  name?: string
  /** of a request that is for no resource */
  path?: string
  fieldSelector?: string
}
export interface PolicyRule {
  verbs?: readonly string[]
  apiGroups?: readonly string[]
  resources?: readonly string[]
  resourceNames?: readonly string[]
  nonResourceURLs?: readonly string[]
}
interface Grant {
  /** '' for the whole cluster */
  namespace: string
  rules: readonly PolicyRule[]
  /** the role could not be found: told as the reason of a refusal */
  missing?: string
}
export interface Decision {
  allowed: boolean
  reason: string
}

const kinds = ['clusterroles', 'roles', 'clusterrolebindings', 'rolebindings'] as const
const bucketOf = (kind: string) => `${kind}.rbac.authorization.k8s.io`

export class Authorizer {
  readonly #store: Store
  readonly #modes: ReadonlySet<string>
  #generations = ''
  #grants = new Map<string, Grant[]>()

  /** `modes`: as --authorization-mode names them */
  constructor(store: Store, modes: readonly string[] = ['Node', 'RBAC']) {
    this.#store = store
    this.#modes = new Set(modes)
  }

  decide(user: User, attributes: Attributes): Decision {
    if (user.groups.includes('system:masters') || this.#modes.has('AlwaysAllow')) return { allowed: true, reason: '' }
    let reason = ''
    if (this.#modes.has('Node') && user.groups.includes('system:nodes') && user.name.startsWith('system:node:')) {
      const decision = this.#node(user.name.slice('system:node:'.length), attributes)
      if (decision.allowed) return decision
      reason = decision.reason
    }
    const missing: string[] = []
    for (const grant of this.#modes.has('RBAC') ? this.#of(user) : []) {
      if (grant.missing !== undefined && (grant.namespace === '' || grant.namespace === attributes.namespace)) missing.push(grant.missing)
      if (grant.namespace !== '' && (attributes.path !== undefined || grant.namespace !== attributes.namespace)) continue
      if (grant.rules.some((rule) => covers(rule, attributes))) return { allowed: true, reason: '' }
    }
    if (missing.length > 0) {
      const rbac = missing.length === 1 ? `RBAC: ${missing[0]}` : `RBAC: [${missing.join(', ')}]`
      reason = reason === '' ? rbac : `${reason}, ${rbac}`
    }
    return { allowed: false, reason }
  }
  /** throws the 403 that a client sees */
  check(user: User, attributes: Attributes): void {
    const { allowed, reason } = this.decide(user, attributes)
    if (!allowed) throw forbidden(user, attributes, reason)
  }
  /** every rule that a user has in a namespace, cluster-wide ones included */
  rules(user: User, namespace: string): PolicyRule[] {
    return this.#of(user)
      .filter((grant) => grant.namespace === '' || grant.namespace === namespace)
      .flatMap((grant) => grant.rules)
  }

  #of(user: User): Grant[] {
    const generations = kinds.map((kind) => this.#store.generation(bucketOf(kind))).join()
    if (generations !== this.#generations) {
      this.#generations = generations
      this.#grants = this.#read()
    }
    const keys = [`User:${user.name}`, ...user.groups.map((group) => `Group:${group}`)]
    return keys.flatMap((key) => this.#grants.get(key) ?? [])
  }
  #read(): Map<string, Grant[]> {
    const grants = new Map<string, Grant[]>()
    for (const kind of ['clusterrolebindings', 'rolebindings']) {
      for (const binding of this.#store.list(bucketOf(kind))) {
        const namespace: string = kind === 'rolebindings' ? binding.metadata.namespace : ''
        const clusterRole = binding.roleRef.kind === 'ClusterRole'
        const role = this.#store.get(bucketOf(clusterRole ? 'clusterroles' : 'roles'), clusterRole ? '' : namespace, binding.roleRef.name)
        const grant: Grant = {
          namespace,
          rules: role?.rules ?? [],
          ...(role === undefined
            ? {
                missing: `${clusterRole ? 'clusterrole' : 'role'}.rbac.authorization.k8s.io ${JSON.stringify(binding.roleRef.name)} not found`,
              }
            : {}),
        }
        for (const subject of binding.subjects ?? []) {
          const key =
            subject.kind === 'ServiceAccount'
              ? `User:system:serviceaccount:${subject.namespace ?? namespace}:${subject.name}`
              : `${subject.kind}:${subject.name}`
          const of = grants.get(key)
          if (of) of.push(grant)
          else grants.set(key, [grant])
        }
      }
    }
    return grants
  }

  #node(node: string, attributes: Attributes): Decision {
    const { verb, resource, group = '', name, namespace = '', subresource = '' } = attributes
    const no = (reason: string): Decision => ({ allowed: false, reason })
    const yes: Decision = { allowed: true, reason: '' }
    const unrelated = no(`no relationship found between node '${node}' and this object`)
    if (resource === undefined) return no('')
    const named = fieldTerms(attributes.fieldSelector).find((term) => term.field === 'metadata.name' && !term.negated)?.value ?? name
    if (group === '') {
      switch (resource) {
        case 'secrets':
        case 'configmaps':
        case 'persistentvolumeclaims':
        case 'persistentvolumes': {
          if (resource === 'persistentvolumeclaims' && subresource === 'status') return ['update', 'patch'].includes(verb) ? yes : no('')
          if (!['get', 'list', 'watch'].includes(verb)) return no('can only get individual resources of this type')
          if (subresource !== '') return no('cannot get subresource')
          if (named === undefined) return no(`No Object name found`)
          return this.#reaches(node, resource, namespace, named) ? yes : unrelated
        }
        case 'serviceaccounts': {
          if (subresource === 'token' && verb === 'create') return this.#reaches(node, resource, namespace, name ?? '') ? yes : unrelated
          return verb === 'get' && this.#reaches(node, resource, namespace, name ?? '') ? yes : unrelated
        }
        case 'pods': {
          if (subresource === 'status') return ['update', 'patch'].includes(verb) ? yes : no('')
          if (subresource === 'eviction') return verb === 'create' ? yes : no('')
          if (verb === 'create' || verb === 'delete') return yes
          if (verb === 'get') {
            const pod = this.#store.get('pods', namespace, name ?? '')
            return pod === undefined || pod.spec?.nodeName === node ? yes : unrelated
          }
          if (verb === 'list' || verb === 'watch') {
            const own = fieldTerms(attributes.fieldSelector).some(
              (term) => term.field === 'spec.nodeName' && !term.negated && term.value === node,
            )
            return own || (named !== undefined && this.#store.get('pods', namespace, named)?.spec?.nodeName === node)
              ? yes
              : no('can only list/watch pods with spec.nodeName field selector')
          }
          return no('')
        }
        case 'nodes': {
          if (verb === 'create') return yes
          if (named !== node)
            return no(
              verb === 'get' || verb === 'list' || verb === 'watch' ? `node '${node}' cannot read all nodes, only its own Node object` : '',
            )
          return ['get', 'list', 'watch', 'update', 'patch', 'delete'].includes(verb) ? yes : no('')
        }
        case 'services':
          return ['get', 'list', 'watch'].includes(verb) ? yes : no('')
        case 'events':
          return ['create', 'update', 'patch'].includes(verb) ? yes : no('')
      }
    }
    if (group === 'coordination.k8s.io' && resource === 'leases') {
      if (namespace !== 'kube-node-lease') return no(`can only access leases in the "kube-node-lease" system namespace`)
      return verb === 'create' || name === node ? yes : no('can only access node lease with the same name as the requesting node')
    }
    if (group === 'storage.k8s.io' && resource === 'csinodes')
      return verb === 'create' || name === node ? yes : no('can only access CSINode with the same name as the requesting node')
    if (group === 'storage.k8s.io' && (resource === 'csidrivers' || resource === 'volumeattachments'))
      return ['get', 'list', 'watch'].includes(verb) ? yes : no('')
    if (group === 'node.k8s.io' && resource === 'runtimeclasses') return ['get', 'list', 'watch'].includes(verb) ? yes : no('')
    if (group === 'certificates.k8s.io' && resource === 'certificatesigningrequests')
      return ['create', 'get', 'list', 'watch'].includes(verb) ? yes : no('')
    if (['authentication.k8s.io', 'authorization.k8s.io'].includes(group)) return verb === 'create' ? yes : no('')
    return no('')
  }
  /** whether a pod on this node names the object */
  #reaches(node: string, resource: string, namespace: string, name: string): boolean {
    if (resource === 'persistentvolumes') {
      const claim = this.#store.get('persistentvolumes', '', name)?.spec?.claimRef
      return claim !== undefined && this.#reaches(node, 'persistentvolumeclaims', claim.namespace, claim.name)
    }
    return this.#store.list('pods', namespace).some((pod) => {
      if (pod.spec?.nodeName !== node) return false
      if (resource === 'serviceaccounts') return (pod.spec.serviceAccountName ?? 'default') === name
      return references(pod.spec, resource, name)
    })
  }
}

function references(spec: KubeObject, resource: string, name: string): boolean {
  for (const volume of spec.volumes ?? []) {
    if (resource === 'persistentvolumeclaims' && volume.persistentVolumeClaim?.claimName === name) return true
    if (resource === 'configmaps' && volume.configMap?.name === name) return true
    if (resource === 'secrets' && volume.secret?.secretName === name) return true
    for (const source of volume.projected?.sources ?? []) {
      if (resource === 'configmaps' && source.configMap?.name === name) return true
      if (resource === 'secrets' && source.secret?.name === name) return true
    }
  }
  if (resource === 'secrets' && spec.imagePullSecrets?.some((secret: KubeObject) => secret.name === name)) return true
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])]) {
    for (const env of container.env ?? []) {
      if (resource === 'configmaps' && env.valueFrom?.configMapKeyRef?.name === name) return true
      if (resource === 'secrets' && env.valueFrom?.secretKeyRef?.name === name) return true
    }
    for (const from of container.envFrom ?? []) {
      if (resource === 'configmaps' && from.configMapRef?.name === name) return true
      if (resource === 'secrets' && from.secretRef?.name === name) return true
    }
  }
  return false
}

/** Whether one rule allows a request. */
export function covers(rule: PolicyRule, attributes: Attributes): boolean {
  const has = (list: readonly string[] | undefined, value: string) => list?.includes('*') === true || list?.includes(value) === true
  if (!has(rule.verbs, attributes.verb)) return false
  if (attributes.path !== undefined) {
    const path = attributes.path
    return (
      rule.nonResourceURLs?.some((url) => url === '*' || url === path || (url.endsWith('*') && path.startsWith(url.slice(0, -1)))) === true
    )
  }
  const { group = '', resource = '', subresource = '', name = '' } = attributes
  if (!has(rule.apiGroups, group)) return false
  const full = subresource === '' ? resource : `${resource}/${subresource}`
  const known = has(rule.resources, full) || (subresource !== '' && rule.resources?.includes(`*/${subresource}`) === true)
  if (!known) return false
  return rule.resourceNames === undefined || rule.resourceNames.length === 0 || rule.resourceNames.includes(name)
}

/** The 403 of a request. Source: apiserver/pkg/endpoints/handlers/responsewriters/errors.go */
export function forbidden(user: User, attributes: Attributes, reason: string): ApiError {
  const { verb, path, group = '', resource = '', subresource = '', namespace = '', name = '' } = attributes
  const who = `User ${JSON.stringify(user.name)}`
  const because = reason === '' ? '' : `: ${reason}`
  if (path !== undefined) {
    return new ApiError(403, 'Forbidden', `forbidden: ${who} cannot ${verb} path ${JSON.stringify(path)}${because}`, {})
  }
  const full = subresource === '' ? resource : `${resource}/${subresource}`
  const scope = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`
  const what = `${who} cannot ${verb} resource ${JSON.stringify(full)} in API group ${JSON.stringify(group)} ${scope}${because}`
  const subject = group === '' ? resource : `${resource}.${group}`
  return new ApiError(
    403,
    'Forbidden',
    name === '' ? `${subject} is forbidden: ${what}` : `${subject} ${JSON.stringify(name)} is forbidden: ${what}`,
    {
      ...(name === '' ? {} : { name }),
      ...(group === '' ? {} : { group }),
      kind: resource,
    },
  )
}
