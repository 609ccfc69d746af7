// What every part of the simulated cluster knows of the Kubernetes API: objects, errors, users, and the client that components use inside the
// process. A client is authenticated, authorised, admitted and validated like a request over HTTPS. Knows nothing of how it is served.

/** Any Kubernetes object, as JSON. Objects that come out of the API are shared and frozen: change a copy (`structuredClone`). */
// biome-ignore lint/suspicious/noExplicitAny: objects of every kind pass here; each reader narrows what it reads
export type KubeObject = any

/** `v1/pods`, `apps/v1/deployments`: group/version/resource, the core group without its empty name. */
export type Resource = string

export interface User {
  name: string
  uid?: string
  groups: readonly string[]
  extra?: Readonly<Record<string, readonly string[]>>
}

/** metav1.Status of a failure. */
export interface Status {
  kind: 'Status'
  apiVersion: 'v1'
  metadata: Record<string, unknown>
  status: 'Failure'
  message: string
  reason: string
  details?: {
    name?: string
    group?: string
    kind?: string
    uid?: string
    causes?: { reason?: string; message?: string; field?: string }[]
    retryAfterSeconds?: number
  }
  code: number
}
/** The API answered with a failure. `reason` as in metav1.StatusReason. */
export class ApiError extends Error {
  readonly status: Status
  constructor(code: number, reason: string, message: string, details?: Status['details']) {
    super(message)
    this.name = 'ApiError'
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason,
      ...(details ? { details } : {}),
      code,
    }
  }
  get code(): number {
    return this.status.code
  }
  get reason(): string {
    return this.status.reason
  }
}
/** The API could not be asked. `message` is what a Go client would print: `dial tcp 172.18.0.4:6443: connect: connection refused`. */
export class Unreachable extends Error {
  constructor(message: string) {
    // It is an answer, not a fault, and its message is all of it: components that start before the API ask again and again.
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    super(message)
    Error.stackTraceLimit = limit
    this.name = 'Unreachable'
  }
}

export interface ListOptions {
  /** all namespaces when left out */
  namespace?: string | undefined
  labelSelector?: string | undefined
  fieldSelector?: string | undefined
}
export interface WriteOptions {
  /** `status`, `scale`, `binding`, `eviction` … */
  subresource?: string
  fieldManager?: string
  /** server-side apply: take over what others manage */
  force?: boolean
  dryRun?: boolean
}
export interface DeleteOptions {
  gracePeriodSeconds?: number
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground'
  preconditions?: { uid?: string; resourceVersion?: string }
}
export type PatchType = 'json' | 'merge' | 'strategic' | 'apply'
export interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  object: KubeObject
}
export interface Subscription {
  stop(): void
}

/**
 * The API as a component inside the process sees it. Calls are synchronous: the store is in memory. They throw ApiError, or Unreachable
 * when the API server does not run (or, for a client made from a kubeconfig on a node, cannot be reached from there).
 */
export interface Client {
  readonly user: User
  get(resource: Resource, name: string, namespace?: string): KubeObject
  /** undefined for what does not exist */
  find(resource: Resource, name: string, namespace?: string): KubeObject | undefined
  list(resource: Resource, options?: ListOptions): { items: readonly KubeObject[]; resourceVersion: string }
  create(resource: Resource, object: KubeObject, options?: WriteOptions): KubeObject
  /** optimistic: a stale metadata.resourceVersion is a 409 Conflict */
  update(resource: Resource, object: KubeObject, options?: WriteOptions): KubeObject
  patch(
    resource: Resource,
    name: string,
    namespace: string | undefined,
    type: PatchType,
    patch: unknown,
    options?: WriteOptions,
  ): KubeObject
  delete(resource: Resource, name: string, namespace?: string, options?: DeleteOptions): void
  /**
   * List and watch in one, as client-go's Reflector: `reset` with everything once connected (again after each time the API was gone),
   * then events in order. Never called during a write: always in a later microtask. `broken` when the API went away or refused; it is
   * tried again by itself, with the lab's clock (0.8 s, doubled up to 30 s).
   */
  follow(
    resource: Resource,
    options: ListOptions,
    on: { reset(items: readonly KubeObject[]): void; event(event: WatchEvent): void; broken?(error: ApiError | Unreachable): void },
  ): Subscription
}
