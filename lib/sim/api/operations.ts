// What can be done with objects: read, list, create, update, patch, delete, and watch, each as the real server orders its steps (decode, defaults,
// admission, strategy, validation, managed fields, storage). Knows nothing of HTTP, and does not ask whether a user may: its callers do.
import type { Clock } from '../clock.ts'
import type { DeleteOptions, KubeObject, ListOptions, PatchType, User } from '../kube.ts'
import { ApiError } from '../kube.ts'
import type { Random } from '../random.ts'
import {
  apply,
  badPatch,
  type Cause,
  checkFields,
  coerce,
  coercePatched,
  copy,
  defaults,
  defaultsOfCrd,
  invalid,
  jsonPatch,
  mergePatch,
  prune,
  strategicMerge,
  track,
  validateCreate,
  validateCustom,
  validateUpdate,
} from '../schema/index.ts'
import { type Admission, mutate, namespaceLifecycle, validate } from './admission.ts'
import { convert } from './conversion.ts'
import {
  alreadyExists,
  badVersion,
  conflict,
  decodeContinue,
  details,
  encodeContinue,
  expired,
  goType,
  internalType,
  keyOf,
  modified,
  timestamp,
  tooLarge,
  unsupportedPatch,
} from './refusals.ts'
import { crdBucket, crdFinalizer, notFound, type Registry, type Served } from './registry.ts'
import { fieldMatch, labelMatch, type Match } from './selectors.ts'
import { type Allocator, allocate, release, settle } from './services.ts'
import { type Change, equal, type Store } from './store.ts'
import { keepsStatus, prepareCreate, prepareUpdate } from './strategy.ts'

/** One request for one resource, by whom and how. */
export interface Call {
  user: User
  served: Served
  /** '' for resources of the cluster, and for lists of all namespaces */
  namespace: string
  name: string
  subresource: string
  dryRun: boolean
  /** who manages the fields that it writes */
  manager: string
  fieldValidation: 'Ignore' | 'Warn' | 'Strict'
  warn(text: string): void
}
export interface Page {
  limit?: number
  continue?: string
  resourceVersion?: string
  resourceVersionMatch?: string
}
export interface Listing {
  items: KubeObject[]
  resourceVersion: string
  continue?: string
  remaining?: number
}

export class Operations {
  readonly store: Store
  readonly registry: Registry
  readonly clock: Clock
  readonly random: Random
  readonly serviceRange: string
  readonly #etcd: () => string | undefined
  readonly #escalation: (call: Call, object: KubeObject, old: KubeObject | undefined) => void

  constructor(options: {
    store: Store
    registry: Registry
    clock: Clock
    random: Random
    serviceRange: string
    etcd(): string | undefined
    /** throws when a role or a binding gives more than its author has */
    escalation(call: Call, object: KubeObject, old: KubeObject | undefined): void
  }) {
    this.store = options.store
    this.registry = options.registry
    this.clock = options.clock
    this.random = options.random
    this.serviceRange = options.serviceRange
    this.#etcd = options.etcd
    this.#escalation = options.escalation
  }

  /** now, as metav1.Time: whole seconds */
  now(): string {
    return timestamp(this.clock.now())
  }
  /** throws when etcd does not answer */
  reachable(): void {
    const why = this.#etcd()
    if (why !== undefined) throw new ApiError(500, '', why)
  }

  /** throws 404 */
  get(call: Call): KubeObject {
    this.reachable()
    return this.out(call.served, this.stored(call.served, call.namespace, call.name))
  }
  /** as stored; throws 404 */
  stored(served: Served, namespace: string, name: string): KubeObject {
    const object = this.store.get(served.bucket, served.namespaced ? namespace : '', name)
    if (object === undefined) throw notFound(served, name)
    return object
  }
  /** in the version that was asked for */
  out(served: Served, object: KubeObject): KubeObject {
    return served.apiVersion === served.storage && served.kind === object.kind ? object : convert(object, served)
  }

  match(served: Served, options: ListOptions): Match | undefined {
    const labels = labelMatch(options.labelSelector)
    const fields = fieldMatch(
      options.fieldSelector,
      served.bucket,
      served.custom?.selectableFields?.map((field) => field.jsonPath),
    )
    if (labels === undefined) return fields
    if (fields === undefined) return labels
    return (object) => labels(object) && fields(object)
  }
  list(served: Served, options: ListOptions, page: Page = {}): Listing {
    this.reachable()
    const namespace = served.namespaced && options.namespace ? options.namespace : served.namespaced ? undefined : ''
    const match = this.match(served, options)
    const wanted = page.resourceVersion
    if (wanted !== undefined && wanted !== '' && wanted !== '0') {
      const revision = Number(wanted)
      if (!/^\d+$/.test(wanted)) throw badVersion(wanted)
      if (revision > this.store.revision) throw tooLarge(revision, this.store.revision)
      if (page.resourceVersionMatch === 'Exact' && revision < this.store.revision && !this.store.knows(served.bucket, revision)) {
        throw expired('The resourceVersion for the provided list is too old.')
      }
    } else if (page.resourceVersionMatch && !page.continue && !wanted) {
      const message = 'Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided'
      throw new ApiError(422, 'Invalid', `ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: ${message}`, {
        group: 'meta.k8s.io',
        kind: 'ListOptions',
        causes: [{ reason: 'FieldValueForbidden', message, field: 'resourceVersionMatch' }],
      })
    }
    let items = this.store.list(served.bucket, namespace)
    if (match !== undefined) items = items.filter((item) => match(item))
    let resourceVersion = String(this.store.revision)
    if (page.continue !== undefined && page.continue !== '') {
      const token = decodeContinue(page.continue)
      resourceVersion = String(token.rv)
      items = items.filter((item) => keyOf(item) > token.start)
    }
    let rest: Pick<Listing, 'continue' | 'remaining'> = {}
    if (page.limit !== undefined && page.limit > 0 && items.length > page.limit) {
      const shown = items.slice(0, page.limit)
      const last = shown.at(-1)
      rest = {
        continue: encodeContinue(Number(resourceVersion), keyOf(last)),
        // With a selector the server does not know how many remain.
        ...(match === undefined ? { remaining: items.length - page.limit } : {}),
      }
      items = shown
    }
    if (served.apiVersion !== served.storage || items[0]?.kind !== served.kind) items = items.map((item) => this.out(served, item))
    return { items, resourceVersion, ...rest }
  }

  /**
   * Events after `revision` as a watch with these selectors sees them: an object that comes to match is ADDED, one that no longer does
   * DELETED. Throws 410 Expired when the revision is too old. `on` is called in microtasks, for what has passed already too.
   */
  watch(
    served: Served,
    options: ListOptions,
    revision: number,
    on: (event: { type: Change['type']; object: KubeObject }) => void,
  ): { stop(): void } {
    this.reachable()
    const match = this.match(served, options)
    const namespace = served.namespaced ? options.namespace : undefined
    const tell = (change: Change) => {
      if (namespace && change.object.metadata.namespace !== namespace) return
      const before = change.previous !== undefined && (match === undefined || match(change.previous))
      const after = change.type !== 'DELETED' && (match === undefined || match(change.object))
      if (!before && !after) return
      const type = !before ? 'ADDED' : after ? 'MODIFIED' : 'DELETED'
      // What left the selection is told as it was, at the revision at which it left.
      const object =
        type === 'DELETED' && change.type !== 'DELETED'
          ? { ...change.previous, metadata: { ...change.previous.metadata, resourceVersion: String(change.revision) } }
          : change.object
      on({ type, object: this.out(served, object) })
    }
    let stopped = false
    const subscription = this.store.subscribe(served.bucket, revision, (change) => {
      if (!stopped) tell(change)
    })
    if (subscription === undefined) throw expired(`too old resource version: ${revision} (${this.store.revision})`)
    if (subscription.past.length > 0) {
      queueMicrotask(() => {
        for (const change of subscription.past) if (!stopped) tell(change)
      })
    }
    return {
      stop: () => {
        stopped = true
        subscription.stop()
      },
    }
  }

  /** `object` is the caller's own and may be changed. `text` is what it was parsed from, for duplicate fields. */
  create(call: Call, object: KubeObject, text?: string): KubeObject {
    this.reachable()
    const { served } = call
    const decoded = this.decode(call, object, text)
    const metadata = decoded.metadata
    this.#place(call, decoded)
    if (!metadata.name && metadata.generateName) metadata.name = `${String(metadata.generateName).slice(0, 58)}${this.random.suffix(5)}`
    const name: string = metadata.name ?? ''
    const admission = this.#admission({ ...call, name }, 'CREATE')
    namespaceLifecycle(admission)
    for (const key of ['deletionTimestamp', 'deletionGracePeriodSeconds', 'selfLink', 'uid', 'creationTimestamp', 'managedFields'])
      delete metadata[key]
    // Who manages what is settled before admission and strategy add their own, as in the real server.
    const { status: _status, ...unmarked } = decoded
    const { managedFields } = this.tracked(call, undefined, keepsStatus.has(served.bucket) ? decoded : unmarked).metadata
    const made = this.inbound(served, decoded)
    mutate(admission, made, undefined)
    made.metadata.uid = this.random.uuid()
    made.metadata.creationTimestamp = this.now()
    prepareCreate(served, made, call.user, this.now())
    const allocator = this.allocator()
    const causes: Cause[] = name === '' ? [required] : this.#problems(call, made, undefined)
    const service = served.bucket === 'services' && causes.length === 0 ? allocate(allocator, made) : undefined
    if (service !== undefined) causes.push(...service.causes)
    if (causes.length > 0) throw invalid(served.kind, served.group, name, causes)
    if (served.group === 'rbac.authorization.k8s.io') this.#escalation(call, made, undefined)
    validate(admission, made, undefined)
    if (managedFields !== undefined) made.metadata.managedFields = managedFields
    if (made.metadata.resourceVersion && made.metadata.resourceVersion !== '0') {
      throw new ApiError(500, '', 'resourceVersion should not be set on objects to be created')
    }
    delete made.metadata.resourceVersion
    if (this.store.get(served.bucket, made.metadata.namespace ?? '', name) !== undefined) throw alreadyExists(served, name)
    if (call.dryRun) return this.out(served, made)
    if (service !== undefined) settle(allocator, made, service.take, service.give)
    return this.out(served, this.store.put(served.bucket, ordered(made)))
  }

  /** Replaces; `object` is the caller's own. `createToo` for a PUT that may create. */
  update(call: Call, object: KubeObject, text?: string): KubeObject {
    this.reachable()
    const { served } = call
    const decoded = this.decode(call, object, text)
    this.#place(call, decoded)
    if (decoded.metadata.name && decoded.metadata.name !== call.name) {
      throw new ApiError(
        400,
        'BadRequest',
        `the name of the object (${decoded.metadata.name}) does not match the name on the URL (${call.name})`,
      )
    }
    if (!decoded.metadata.name) decoded.metadata.name = call.name
    const there = this.store.get(served.bucket, served.namespaced ? call.namespace : '', call.name) !== undefined
    if (!there && call.subresource === '' && madeByUpdate.has(served.bucket))
      return this.create({ ...call, fieldValidation: 'Ignore' }, decoded)
    const strict = served.custom !== undefined || needsVersion.has(served.bucket)
    if (strict && !decoded.metadata.resourceVersion && call.subresource === '') {
      throw invalid(served.resource, served.group, call.name, [
        { reason: 'FieldValueInvalid', message: 'Invalid value: 0: must be specified for an update', field: 'metadata.resourceVersion' },
      ])
    }
    const old = this.stored(served, call.namespace, call.name)
    return this.#replace(call, old, this.inbound(served, decoded))
  }

  /** `patch` is the parsed document; for `apply` a missing object is created. */
  patch(call: Call, type: PatchType, patch: KubeObject, options: { force?: boolean } = {}): KubeObject {
    this.reachable()
    const { served } = call
    const shape = this.registry.shape(served)
    const old = this.store.get(served.bucket, served.namespaced ? call.namespace : '', call.name)
    if (type === 'apply') return this.#apply(call, old, patch, options.force === true)
    if (old === undefined) throw notFound(served, call.name)
    const live = copy(this.out(served, old))
    let patched: KubeObject
    if (type === 'json') patched = jsonPatch(live, patch)
    else if (type === 'merge') patched = mergePatch(live, patch)
    else {
      if (served.custom !== undefined) throw unsupportedPatch()
      patched = strategicMerge(live, patch, shape)
    }
    const decoded = this.decode(call, copy(patched), undefined, { merged: type === 'strategic' ? patch : undefined })
    decoded.metadata ??= {}
    if (decoded.metadata.name !== call.name) {
      throw new ApiError(
        400,
        'BadRequest',
        `the name of the object (${decoded.metadata.name ?? ''}) does not match the name on the URL (${call.name})`,
      )
    }
    return this.#replace(call, old, this.inbound(served, decoded))
  }

  #apply(call: Call, old: KubeObject | undefined, patch: KubeObject, force: boolean): KubeObject {
    const { served } = call
    if (patch?.metadata?.managedFields?.length > 0) {
      throw new ApiError(400, 'BadRequest', 'metadata.managedFields must be nil')
    }
    if (!patch?.apiVersion && !patch?.kind) throw new ApiError(400, 'BadRequest', 'invalid object type: /, Kind=')
    this.checkKind(served, patch)
    const shape = this.registry.shape(served)
    // As it came: what a type's zero values would add must not become this manager's.
    const applied = copy(patch)
    applied.metadata ??= {}
    if (applied.metadata.name && applied.metadata.name !== call.name) {
      throw new ApiError(
        400,
        'BadRequest',
        `the name of the object (${applied.metadata.name}) does not match the name on the URL (${call.name})`,
      )
    }
    applied.metadata.name = call.name
    this.#place(call, applied)
    const merged = this.decode(
      { ...call, fieldValidation: 'Ignore' },
      copy(
        apply(old === undefined ? undefined : this.out(served, old), applied, {
          manager: call.manager,
          force,
          time: this.now(),
          shape,
          apiVersion: served.apiVersion,
          subresource: call.subresource,
        }),
      ),
    )
    if (old === undefined) {
      const managed = merged.metadata.managedFields
      if (call.subresource !== '') throw notFound(served, call.name)
      return this.#createApplied(call, merged, managed)
    }
    return this.#replace(call, old, this.inbound(served, merged), true)
  }
  #createApplied(call: Call, merged: KubeObject, managedFields: unknown): KubeObject {
    const { served } = call
    const admission = this.#admission(call, 'CREATE')
    namespaceLifecycle(admission)
    const made = this.inbound(served, merged)
    mutate(admission, made, undefined)
    made.metadata.uid = this.random.uuid()
    made.metadata.creationTimestamp = this.now()
    prepareCreate(served, made, call.user, this.now())
    made.metadata.managedFields = managedFields
    const allocator = this.allocator()
    const causes = this.#problems(call, made, undefined)
    const service = served.bucket === 'services' && causes.length === 0 ? allocate(allocator, made) : undefined
    if (service !== undefined) causes.push(...service.causes)
    if (causes.length > 0) throw invalid(served.kind, served.group, call.name, causes)
    if (served.group === 'rbac.authorization.k8s.io') this.#escalation(call, made, undefined)
    validate(admission, made, undefined)
    if (call.dryRun) return this.out(served, made)
    if (service !== undefined) settle(allocator, made, service.take, service.give)
    return this.out(served, this.store.put(served.bucket, ordered(made)))
  }

  /** Everything between a decoded new state and the store. `applied`: the managed fields are there already. */
  #replace(call: Call, old: KubeObject, object: KubeObject, applied = false): KubeObject {
    const { served, subresource } = call
    const metadata = object.metadata
    if (metadata.uid && metadata.uid !== old.metadata.uid) {
      const key = `/registry/${served.custom === undefined ? '' : `${served.group}/`}${served.resource}${served.namespaced ? `/${old.metadata.namespace}` : ''}/${call.name}`
      throw conflict(
        served,
        call.name,
        `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${old.metadata.uid}`,
      )
    }
    if (metadata.resourceVersion && metadata.resourceVersion !== old.metadata.resourceVersion) throw modified(served, call.name)
    const admission = this.#admission(call, 'UPDATE')
    namespaceLifecycle(admission)
    const own = copy(object)
    prepareUpdate(served, own, old, subresource, this.now())
    own.metadata.resourceVersion = old.metadata.resourceVersion
    const tracked = applied ? own : this.tracked(call, old, own)
    mutate(admission, own, old)
    const allocator = this.allocator()
    const service = served.bucket === 'services' && subresource === '' ? allocate(allocator, own, old) : undefined
    const causes = this.#problems(call, own, old)
    if (service !== undefined) causes.push(...service.causes)
    if (causes.length > 0) throw invalid(served.kind, served.group, call.name, causes)
    if (served.group === 'rbac.authorization.k8s.io') this.#escalation(call, own, old)
    validate(admission, own, old)
    const unmanaged = (one: KubeObject) => ({ ...one, metadata: { ...one.metadata, managedFields: undefined } })
    const same = equal(unmanaged(own), unmanaged(old))
    // Nothing changed: nothing is written, the revision stays, as with etcd3's store. An apply may have changed who owns what.
    if (same && !applied && equal(own.metadata.managedFields ?? [], old.metadata.managedFields ?? [])) return this.out(served, old)
    const next = { ...own, metadata: { ...own.metadata } }
    const managed = tracked.metadata.managedFields
    if (managed === undefined) delete next.metadata.managedFields
    else next.metadata.managedFields = managed
    if (same && sameOwners(next.metadata.managedFields, old.metadata.managedFields)) return this.out(served, old)
    if (call.dryRun) return this.out(served, next)
    if (service !== undefined) settle(allocator, next, service.take, service.give)
    if (finished(served, next)) {
      const gone = this.#erase(served, this.store.put(served.bucket, ordered(next)))
      return this.out(served, gone)
    }
    return this.out(served, this.store.put(served.bucket, ordered(next)))
  }

  /** What the server answers: the object (marked, or as it last was), or undefined where it answers a Status. Throws 404, 409. */
  delete(call: Call, options: DeleteOptions & { orphanDependents?: boolean } = {}): { object: KubeObject; answer: 'object' | 'status' } {
    this.reachable()
    const { served } = call
    const old = this.stored(served, call.namespace, call.name)
    const { uid, resourceVersion } = options.preconditions ?? {}
    const unmet = (what: string, wanted: string, is: string, then: string) => {
      const of = served.group === '' ? served.kind : `${served.kind}.${served.group}`
      return new ApiError(
        409,
        'Conflict',
        `Operation cannot be fulfilled on ${of} ${JSON.stringify(call.name)}: the ${what} in the precondition (${wanted}) does not match the ${what} in record (${is}). The object might have been ${then}`,
        { ...details(served, call.name), kind: served.kind },
      )
    }
    if (uid !== undefined && uid !== old.metadata.uid) throw unmet('UID', uid, old.metadata.uid, 'deleted and then recreated')
    if (resourceVersion !== undefined && resourceVersion !== old.metadata.resourceVersion) {
      throw unmet('ResourceVersion', resourceVersion, old.metadata.resourceVersion, 'modified')
    }
    namespaceLifecycle(this.#admission(call, 'DELETE'))
    const answer = returnsDeleted.has(served.bucket) ? 'object' : 'status'
    const grace = served.bucket === 'pods' ? podGrace(old, options.gracePeriodSeconds) : 0
    const finalizers = deletionFinalizers(old, options)
    // A definition takes its objects with it.
    if (served.bucket === crdBucket && !old.metadata.deletionTimestamp && !finalizers.includes(crdFinalizer)) finalizers.push(crdFinalizer)
    const mustWait = finalizers.length > 0 || (served.bucket === 'namespaces' && old.spec?.finalizers?.length > 0)
    const marked = old.metadata.deletionTimestamp !== undefined
    if (grace > 0 || mustWait) {
      const seconds = grace
      if (marked) {
        const sooner = served.bucket === 'pods' && seconds < (old.metadata.deletionGracePeriodSeconds ?? 0)
        if (!sooner && equal(finalizers, old.metadata.finalizers ?? [])) return { object: this.out(served, old), answer: 'object' }
      }
      const metadata = { ...old.metadata }
      if (!marked) {
        metadata.deletionTimestamp = timestamp(this.clock.now() + seconds * 1000)
        if (served.bucket !== 'namespaces') metadata.deletionGracePeriodSeconds = seconds
        if (metadata.generation !== undefined) metadata.generation += 1
      } else if (seconds < (metadata.deletionGracePeriodSeconds ?? 0)) {
        const began = Date.parse(metadata.deletionTimestamp) - metadata.deletionGracePeriodSeconds * 1000
        metadata.deletionTimestamp = timestamp(Math.max(began + seconds * 1000, began))
        metadata.deletionGracePeriodSeconds = seconds
      }
      if (finalizers.length > 0) metadata.finalizers = finalizers
      else delete metadata.finalizers
      const next = { ...old, metadata }
      if (served.bucket === 'namespaces') next.status = { ...old.status, phase: 'Terminating' }
      if (call.dryRun) return { object: this.out(served, next), answer: 'object' }
      return { object: this.out(served, this.store.put(served.bucket, next)), answer: 'object' }
    }
    if (call.dryRun) return { object: this.out(served, old), answer }
    return { object: this.out(served, this.#erase(served, old)), answer }
  }
  deleteCollection(call: Call, list: ListOptions, options: DeleteOptions): Listing {
    const listing = this.list(call.served, list)
    for (const item of listing.items) {
      const one = { ...call, name: item.metadata.name, namespace: item.metadata.namespace ?? '' }
      if (this.store.get(call.served.bucket, one.namespace, one.name) !== undefined) this.delete(one, options)
    }
    return listing
  }

  /** Writes without admission and validation, as the API server's own controllers do; for what this module keeps true by itself. */
  write(bucket: string, object: KubeObject): KubeObject {
    return this.store.put(bucket, object)
  }
  allocator(): Allocator {
    return { store: this.store, random: this.random, range: this.serviceRange, now: this.now() }
  }

  /**
   * A body as the object that this resource takes: its kind checked, types coerced, unknown fields reported as asked, defaults filled in.
   * Throws 400; 422 for what a patch has made (`patched`, with the strategic merge patch if it was one). `object` is changed.
   */
  decode(call: Call, object: KubeObject, text?: string, patched?: { merged: KubeObject | undefined }): KubeObject {
    const { served } = call
    if (typeof object !== 'object' || object === null || Array.isArray(object)) {
      throw new ApiError(400, 'BadRequest', `cannot decode ${Array.isArray(object) ? 'a list' : typeof object} as ${served.kind}`)
    }
    this.checkKind(served, object)
    object.apiVersion = served.apiVersion
    object.kind = served.kind
    object.metadata ??= {}
    const shape = this.registry.shape(served)
    // A type that does not fit is said before a field that is not known.
    const typed = patched === undefined ? coerce(object, shape) : coercePatched(object, shape, patched.merged)
    if (call.fieldValidation !== 'Ignore') {
      const { unknown, duplicate } = checkFields(object, shape, text)
      const problems = [...duplicate, ...unknown]
      if (problems.length > 0 && call.fieldValidation === 'Strict') {
        const wrong = `strict decoding error: ${problems.join(', ')}`
        if (patched !== undefined) throw badPatch(object, patched.merged, wrong)
        throw new ApiError(
          400,
          'BadRequest',
          `${served.kind} in version ${JSON.stringify(served.version)} cannot be handled as a ${served.kind}: ${wrong}`,
        )
      }
      for (const problem of problems) call.warn(problem)
    }
    const custom = served.custom?.schema?.openAPIV3Schema
    const coerced = custom === undefined ? typed : prune(typed, custom)
    return copy(custom === undefined ? defaults(coerced) : defaultsOfCrd(coerced, custom))
  }
  checkKind(served: Served, object: KubeObject): void {
    const { apiVersion = '', kind = '' } = object ?? {}
    if ((kind === '' || kind === served.kind) && (apiVersion === '' || apiVersion === served.apiVersion)) return
    const version = String(apiVersion === '' ? served.apiVersion : apiVersion)
    const known = this.registry.byKind(version, kind || served.kind)
    const as = `${kind || served.kind} in version ${JSON.stringify(version.split('/').at(-1))} cannot be handled as a ${served.kind}`
    if (known === undefined) {
      throw new ApiError(
        400,
        'BadRequest',
        `${as}: no kind ${JSON.stringify(kind || served.kind)} is registered for version ${JSON.stringify(version)} in scheme "pkg/runtime/scheme.go:111"`,
      )
    }
    if (known.bucket === served.bucket) {
      throw new ApiError(
        400,
        'BadRequest',
        `the API version in the data (${version}) does not match the expected API version (${served.apiVersion})`,
      )
    }
    throw new ApiError(400, 'BadRequest', `${as}: converting (${goType(version, kind)}) to (${internalType(served)}): unknown conversion`)
  }
  /** why an object may not be stored; a custom one by its schema too */
  #problems(call: Call, object: KubeObject, old: KubeObject | undefined): Cause[] {
    const { served, subresource } = call
    const causes = old === undefined ? validateCreate(object) : validateUpdate(object, old, subresource === '' ? undefined : subresource)
    const schema = served.custom?.schema?.openAPIV3Schema
    return schema === undefined ? causes : [...causes, ...validateCustom(object, schema)]
  }
  /** in the version that the store holds */
  inbound(served: Served, object: KubeObject): KubeObject {
    if (served.apiVersion === served.storage) return object
    const stored = this.registry.byBucket(served.bucket)
    return stored === undefined ? object : convert(object, stored)
  }

  /** with the managed fields of this request's manager */
  tracked(call: Call, old: KubeObject | undefined, object: KubeObject): KubeObject {
    return track(old, object, {
      manager: call.manager,
      operation: 'Update',
      time: this.now(),
      shape: this.registry.shape(
        (object.apiVersion === call.served.apiVersion ? undefined : this.registry.byKind(object.apiVersion, object.kind)) ?? call.served,
      ),
      apiVersion: call.served.apiVersion,
      subresource: call.subresource,
    })
  }
  #admission(call: Call, operation: Admission['operation']): Admission {
    const { user, served, subresource, namespace, name, warn } = call
    return { store: this.store, random: this.random, user, served, operation, subresource, namespace, name, warn }
  }
  /** the object's namespace is the request's */
  #place(call: Call, object: KubeObject): void {
    const metadata = object.metadata
    if (!call.served.namespaced) {
      if (metadata.namespace) {
        if (call.served.bucket !== 'namespaces') delete metadata.namespace
      }
      return
    }
    if (!metadata.namespace) metadata.namespace = call.namespace
    if (!metadata.namespace) throw new ApiError(400, 'BadRequest', 'an empty namespace may not be set during creation')
    if (metadata.namespace !== call.namespace) {
      throw new ApiError(400, 'BadRequest', 'the namespace of the provided object does not match the namespace sent on the request')
    }
  }
  #erase(served: Served, object: KubeObject): KubeObject {
    const { namespace = '', name } = object.metadata
    if (served.bucket === 'services') release(this.allocator(), object)
    const gone = this.store.remove(served.bucket, namespace, name)
    return gone ?? object
  }
}

/** Kinds whose DELETE answers the object itself. Source: ReturnDeletedObject in pkg/registry */
const returnsDeleted = new Set([
  'pods',
  'namespaces',
  'services',
  'serviceaccounts',
  'persistentvolumes',
  'persistentvolumeclaims',
  'podtemplates',
  'resourcequotas',
  'csidrivers.storage.k8s.io',
  'csinodes.storage.k8s.io',
  'storageclasses.storage.k8s.io',
  'volumeattachments.storage.k8s.io',
  'volumeattributesclasses.storage.k8s.io',
  'deviceclasses.resource.k8s.io',
  'resourceclaims.resource.k8s.io',
  'resourceclaimtemplates.resource.k8s.io',
  'resourceslices.resource.k8s.io',
])
/** Kinds that do not let an update pass without a resourceVersion. */
const needsVersion = new Set([
  'customresourcedefinitions.apiextensions.k8s.io',
  'apiservices.apiregistration.k8s.io',
  'leases.coordination.k8s.io',
  'mutatingwebhookconfigurations.admissionregistration.k8s.io',
  'validatingwebhookconfigurations.admissionregistration.k8s.io',
  'validatingadmissionpolicies.admissionregistration.k8s.io',
  'validatingadmissionpolicybindings.admissionregistration.k8s.io',
  'runtimeclasses.node.k8s.io',
  'poddisruptionbudgets.policy',
  'csidrivers.storage.k8s.io',
  'csinodes.storage.k8s.io',
  'csistoragecapacities.storage.k8s.io',
  'volumeattachments.storage.k8s.io',
])
/** Kinds that a PUT may create. Source: AllowCreateOnUpdate in pkg/registry */
const madeByUpdate = new Set([
  'leases.coordination.k8s.io',
  'endpoints',
  'events',
  'limitranges',
  'services',
  'runtimeclasses.node.k8s.io',
  'clusterroles.rbac.authorization.k8s.io',
  'clusterrolebindings.rbac.authorization.k8s.io',
  'roles.rbac.authorization.k8s.io',
  'rolebindings.rbac.authorization.k8s.io',
])
const required: Cause = {
  reason: 'FieldValueRequired',
  message: 'Required value: name or generateName is required',
  field: 'metadata.name',
}

function podGrace(pod: KubeObject, asked: number | undefined): number {
  let grace = asked ?? pod.spec?.terminationGracePeriodSeconds ?? 30
  // What no kubelet runs, or what has ended, needs no farewell.
  if (!pod.spec?.nodeName || pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') grace = 0
  return grace < 0 ? 1 : grace
}
/** Source: apiserver/pkg/registry/generic/registry/store.go deletionFinalizersForGarbageCollection */
function deletionFinalizers(object: KubeObject, options: DeleteOptions & { orphanDependents?: boolean }): string[] {
  const has: string[] = object.metadata.finalizers ?? []
  let policy = options.propagationPolicy
  if (policy === undefined && options.orphanDependents !== undefined) policy = options.orphanDependents ? 'Orphan' : 'Background'
  const orphan = policy === 'Orphan' || (policy === undefined && has.includes('orphan'))
  const foreground = policy === 'Foreground' || (policy === undefined && has.includes('foregroundDeletion'))
  const others = has.filter((one) => one !== 'orphan' && one !== 'foregroundDeletion')
  if (orphan) return [...others, 'orphan']
  return foreground ? [...others, 'foregroundDeletion'] : others
}
/** marked for deletion, and nothing keeps it any more */
function finished(served: Served, object: KubeObject): boolean {
  const { deletionTimestamp, finalizers = [], deletionGracePeriodSeconds = 0 } = object.metadata
  if (deletionTimestamp === undefined || finalizers.length > 0) return false
  if (served.bucket === 'namespaces') return (object.spec?.finalizers ?? []).length === 0
  return deletionGracePeriodSeconds === 0
}
/** The same managers own the same fields, whenever they wrote. */
function sameOwners(a: KubeObject[] | undefined, b: KubeObject[] | undefined): boolean {
  const timeless = (entries: KubeObject[] | undefined) => (entries ?? []).map((entry) => ({ ...entry, time: undefined }))
  return equal(timeless(a), timeless(b))
}
const first = ['apiVersion', 'kind', 'metadata']
/** apiVersion, kind and metadata first, for those who read raw JSON */
function ordered(object: KubeObject): KubeObject {
  const { apiVersion, kind, metadata } = object
  const rest: KubeObject = { apiVersion, kind, metadata }
  for (const key in object) if (!first.includes(key) && object[key] !== undefined) rest[key] = object[key]
  return rest
}
