// The parts of objects with a path of their own: scale, binding, eviction, token, approval. What is just the object again (status, finalize,
// ephemeralcontainers) passes through. Knows nothing of HTTP. Sources: pkg/registry/core/pod/storage, pkg/registry/apps/*/storage.
import type { DeleteOptions, KubeObject, PatchType } from '../kube.ts'
import { ApiError } from '../kube.ts'
import { coerce, copy, defaults, invalid, jsonPatch, mergePatch, shapeOf, strategicMerge } from '../schema/index.ts'
import type { Call, Operations } from './operations.ts'
import { conflict, modified, timestamp } from './refusals.ts'
import { notServed } from './registry.ts'
import { selectorMatches } from './selectors.ts'
import type { Tokens } from './tokens.ts'

/** Answered to what creates nothing to show. */
const success = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }
const whole = new Set(['', 'status', 'finalize', 'ephemeralcontainers', 'approval'])

export class Subresources {
  readonly #operations: Operations
  readonly #tokens: Tokens

  constructor(operations: Operations, tokens: Tokens) {
    this.#operations = operations
    this.#tokens = tokens
  }

  get(call: Call): KubeObject {
    if (whole.has(call.subresource) || call.subresource === 'resize') return this.#operations.get(call)
    if (call.subresource === 'scale') return this.#scale(call, this.#stored(call))
    throw notServed()
  }
  create(call: Call, body: KubeObject, text?: string): KubeObject {
    const { served, subresource } = call
    if (served.bucket === 'bindings') return this.#bind({ ...call, name: body.metadata?.name ?? '' }, body)
    if (subresource === '') return this.#operations.create(call, body, text)
    this.#operations.reachable()
    if (served.bucket === 'pods' && subresource === 'binding') return this.#bind(call, body)
    if (served.bucket === 'pods' && subresource === 'eviction') return this.#evict(call, body)
    if (served.bucket === 'serviceaccounts' && subresource === 'token') return this.#token(call, body)
    throw notServed()
  }
  update(call: Call, body: KubeObject, text?: string): KubeObject {
    if (call.subresource === 'scale') {
      const stored = this.#stored(call)
      return this.#rescale(call, stored, this.#decodeScale(body))
    }
    if (!whole.has(call.subresource)) throw resize(call) ?? notServed()
    return this.#operations.update(call, this.#narrow(call, body), text)
  }
  patch(call: Call, type: PatchType, patch: KubeObject, options: { force?: boolean } = {}): KubeObject {
    if (call.subresource === 'scale') {
      const stored = this.#stored(call)
      const live = this.#scale(call, stored)
      const shape = shapeOf('autoscaling/v1', 'Scale')
      const next =
        type === 'json'
          ? jsonPatch(live, patch)
          : type === 'strategic' && shape !== undefined
            ? strategicMerge(live, patch, shape)
            : mergePatch(live, patch)
      return this.#rescale(call, stored, this.#decodeScale(copy(next)))
    }
    if (!whole.has(call.subresource)) throw resize(call) ?? notServed()
    return this.#operations.patch(call, type, patch, options)
  }

  #stored(call: Call): KubeObject {
    this.#operations.reachable()
    return this.#operations.stored(call.served, call.namespace, call.name)
  }
  /** only what the subresource is for is taken from the body */
  #narrow(call: Call, body: KubeObject): KubeObject {
    if (call.subresource !== 'approval' && call.subresource !== 'ephemeralcontainers') return body
    const live = copy(this.#operations.out(call.served, this.#stored(call)))
    if (body.metadata?.resourceVersion) live.metadata.resourceVersion = body.metadata.resourceVersion
    if (call.subresource === 'approval') live.status = { ...live.status, conditions: body.status?.conditions }
    else live.spec.ephemeralContainers = body.spec?.ephemeralContainers
    return live
  }

  #decodeScale(body: KubeObject): KubeObject {
    const shape = shapeOf('autoscaling/v1', 'Scale')
    return shape === undefined ? body : coerce(body, shape)
  }
  #scale({ served }: Call, object: KubeObject): KubeObject {
    const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
    const paths = served.custom?.subresources?.scale
    const at = (path: string) =>
      path
        .split('.')
        .filter(Boolean)
        .reduce((value: KubeObject, key) => value?.[key], object)
    const replicas = paths === undefined ? object.spec.replicas : at(paths.specReplicasPath)
    const now = paths === undefined ? object.status?.replicas : at(paths.statusReplicasPath)
    const selector = paths === undefined ? printSelector(object.spec.selector) : paths.labelSelectorPath && at(paths.labelSelectorPath)
    return {
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
      spec: replicas ? { replicas } : {},
      status: { replicas: now ?? 0, ...(selector ? { selector } : {}) },
    }
  }
  #rescale(call: Call, stored: KubeObject, scale: KubeObject): KubeObject {
    const { served, name } = call
    const version = scale.metadata?.resourceVersion
    if (version && version !== stored.metadata.resourceVersion) throw modified(served, name)
    const replicas = scale.spec?.replicas ?? 0
    if (replicas < 0) {
      throw invalid('Scale', 'autoscaling', name, [
        { reason: 'FieldValueInvalid', message: `Invalid value: ${replicas}: must be greater than or equal to 0`, field: 'spec.replicas' },
      ])
    }
    const next = copy(this.#operations.out(served, stored))
    const path = served.custom?.subresources?.scale?.specReplicasPath.split('.').filter(Boolean) ?? ['spec', 'replicas']
    let at = next
    for (const key of path.slice(0, -1)) at = at[key] ??= {}
    at[path.at(-1) as string] = replicas
    const updated = this.#operations.update({ ...call, fieldValidation: 'Ignore' }, next)
    return this.#scale(call, updated)
  }

  #bind(call: Call, body: KubeObject): KubeObject {
    const operations = this.#operations
    const served = operations.registry.get('v1/pods')
    const pod = operations.stored(served, call.namespace, call.name)
    const target = body.target?.name ?? ''
    if ((body.metadata?.name ?? '') !== call.name)
      throw new ApiError(400, 'BadRequest', 'name in URL does not match name in Binding object')
    const refuse = (why: string) => {
      const error = conflict(served, call.name, why)
      return new ApiError(409, 'Conflict', error.message.replace('on pods "', 'on pods/binding "'), {
        ...error.status.details,
        kind: 'pods/binding',
      })
    }
    if (target === '') {
      throw invalid('Binding', '', call.name, [{ reason: 'FieldValueRequired', message: 'Required value', field: 'target.name' }])
    }
    if (pod.metadata.deletionTimestamp !== undefined) throw refuse(`pod ${call.name} is being deleted, cannot be assigned to a host`)
    if (pod.spec.nodeName) throw refuse(`pod ${call.name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`)
    if (call.dryRun) return success
    const metadata = { ...pod.metadata }
    if (body.metadata?.annotations) metadata.annotations = { ...metadata.annotations, ...body.metadata.annotations }
    operations.write('pods', {
      ...pod,
      metadata,
      spec: { ...pod.spec, nodeName: target },
      status: withCondition(pod.status, { type: 'PodScheduled', status: 'True' }, operations.now()),
    })
    return success
  }

  #evict(call: Call, body: KubeObject): KubeObject {
    const operations = this.#operations
    const { store } = operations
    const pod = this.#stored(call)
    const options: DeleteOptions = body.deleteOptions ?? {}
    const remove = () => {
      if (!call.dryRun) {
        const status = withCondition(
          pod.status,
          {
            type: 'DisruptionTarget',
            status: 'True',
            reason: 'EvictionByEvictionAPI',
            message: 'Eviction API: evicting',
            ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
          },
          operations.now(),
        )
        operations.write('pods', { ...pod, status })
      }
      operations.delete({ ...call, subresource: '' }, options)
      return success
    }
    const over = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
    if (over || pod.status?.phase === 'Pending' || pod.metadata.deletionTimestamp !== undefined) return remove()
    const bucket = 'poddisruptionbudgets.policy'
    const budgets = store.list(bucket, call.namespace).filter((budget) => selectorMatches(budget.spec.selector, pod.metadata.labels))
    if (budgets.length === 0) return remove()
    if (budgets.length > 1) {
      throw new ApiError(
        500,
        'InternalError',
        'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      )
    }
    const budget = budgets[0]
    const { disruptionsAllowed = 0, currentHealthy = 0, desiredHealthy = 0, observedGeneration = 0 } = budget.status ?? {}
    const ready = pod.status?.conditions?.some((condition: KubeObject) => condition.type === 'Ready' && condition.status === 'True')
    if (!ready) {
      if (budget.spec.unhealthyPodEvictionPolicy === 'AlwaysAllow' || (currentHealthy >= desiredHealthy && desiredHealthy > 0))
        return remove()
    }
    const tooMany = (message: string, retryAfterSeconds?: number) =>
      new ApiError(429, 'TooManyRequests', `Cannot evict pod as it would violate the pod's disruption budget.`, {
        causes: [{ reason: 'DisruptionBudget', message }],
        ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      })
    const name = budget.metadata.name
    if (observedGeneration < (budget.metadata.generation ?? 0)) {
      throw tooMany(`The disruption budget ${name} is still being processed by the server.`, 10)
    }
    if (disruptionsAllowed <= 0) {
      throw tooMany(`The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`)
    }
    if (!call.dryRun) {
      operations.write(bucket, {
        ...budget,
        status: {
          ...budget.status,
          disruptionsAllowed: disruptionsAllowed - 1,
          disruptedPods: { ...budget.status.disruptedPods, [call.name]: operations.now() },
        },
      })
    }
    return remove()
  }

  #token(call: Call, body: KubeObject): KubeObject {
    const { store, clock } = this.#operations
    const account = this.#stored(call)
    const shape = shapeOf('authentication.k8s.io/v1', 'TokenRequest')
    const request = defaults(
      shape === undefined ? body : coerce({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', ...body }, shape),
    )
    const spec = request.spec ?? {}
    const seconds = spec.expirationSeconds ?? 3600
    if (seconds < 600) {
      throw invalid('TokenRequest', 'authentication.k8s.io', '', [
        {
          reason: 'FieldValueInvalid',
          message: `Invalid value: ${seconds}: may not specify a duration less than 10 minutes`,
          field: 'spec.expirationSeconds',
        },
      ])
    }
    const reference = spec.boundObjectRef
    let bound: KubeObject | undefined
    if (reference) {
      const bucket = ({ Pod: 'pods', Secret: 'secrets', Node: 'nodes' } as Record<string, string>)[reference.kind]
      if (bucket === undefined) {
        throw new ApiError(400, 'BadRequest', `cannot bind token for serviceaccount to type ${reference.apiVersion}/${reference.kind}`)
      }
      bound = store.get(bucket, bucket === 'nodes' ? '' : call.namespace, reference.name)
      if (bound === undefined) {
        throw new ApiError(404, 'NotFound', `${bucket} ${JSON.stringify(reference.name)} not found`, { name: reference.name, kind: bucket })
      }
      if (reference.uid && reference.uid !== bound.metadata.uid) {
        throw new ApiError(
          409,
          'Conflict',
          `Operation cannot be fulfilled on ${bucket} ${JSON.stringify(reference.name)}: the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
          { name: reference.name, kind: bucket },
        )
      }
    }
    const node = bound?.kind === 'Node' ? bound : bound?.spec?.nodeName ? store.get('nodes', '', bound.spec.nodeName) : undefined
    const audiences: string[] = spec.audiences?.length ? spec.audiences : [this.#tokens.issuer]
    const { token, expires } = this.#tokens.issue(account, {
      audiences,
      seconds,
      ...(bound === undefined || bound.kind === 'Node' ? {} : { bound }),
      ...(node === undefined ? {} : { node }),
    })
    return {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { name: call.name, namespace: call.namespace, creationTimestamp: timestamp(clock.now()) },
      spec: { audiences, expirationSeconds: seconds, boundObjectRef: reference ?? null },
      status: { token, expirationTimestamp: timestamp(expires * 1000) },
    }
  }
}

/** why an in-place resize is refused */
function resize(call: Call): ApiError | undefined {
  if (call.served.bucket !== 'pods' || call.subresource !== 'resize') return undefined
  return new ApiError(
    405,
    'MethodNotAllowed',
    'pods/resize is not supported by the simulated cluster: delete the pod and create it with other resources',
    {},
  )
}

/** Replaces or adds a condition; its time of transition changes only with its status. */
export function withCondition(status: KubeObject, condition: KubeObject, now: string): KubeObject {
  const conditions: KubeObject[] = status?.conditions ?? []
  const before = conditions.find((one) => one.type === condition.type)
  const full = {
    lastProbeTime: null,
    ...condition,
    lastTransitionTime: before?.status === condition.status ? before.lastTransitionTime : now,
  }
  return { ...status, conditions: before === undefined ? [...conditions, full] : conditions.map((one) => (one === before ? full : one)) }
}

/** A selector as one line: `app=a,tier in (b,c)`. */
export function printSelector(selector: KubeObject): string {
  if (selector === undefined || selector === null) return ''
  if (selector.matchLabels === undefined && selector.matchExpressions === undefined) {
    return Object.keys(selector)
      .sort()
      .map((key) => `${key}=${selector[key]}`)
      .join(',')
  }
  const terms: [string, string][] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => [key, `${key}=${value}`])
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const list = `(${[...values].sort().join(',')})`
    const text: Record<string, string> = { In: `${key} in ${list}`, NotIn: `${key} notin ${list}`, Exists: key, DoesNotExist: `!${key}` }
    terms.push([key, text[operator] ?? key])
  }
  return terms
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, text]) => text)
    .join(',')
}
