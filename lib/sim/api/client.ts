// The API as a component inside the process sees it: the Client of kube.ts over an API server that may come and go. Knows nothing of HTTP.
import type { Clock, Timer } from '../clock.ts'
import type {
  Client,
  DeleteOptions,
  KubeObject,
  ListOptions,
  PatchType,
  Resource,
  Subscription,
  User,
  WatchEvent,
  WriteOptions,
} from '../kube.ts'
import { ApiError, Unreachable } from '../kube.ts'
import { copy } from '../schema/index.ts'
import type { Call } from './operations.ts'
import { managerOf, type Requests } from './requests.ts'

/** What a client finds when it asks: the server that runs now, and as whom it is known there. */
export interface Connection {
  requests: Requests
  user: User
  /** calls `ended` once when the server stops, or this connection breaks */
  watching(ended: () => void): { stop(): void }
}
/** Throws Unreachable, or ApiError 401. Asked anew for every request. */
export type Connect = () => Connection

const [firstRetry, lastRetry] = [800, 30_000]
const quiet = () => {}

/** A Client over whatever `connect` finds each time. `user` is what it is called before it ever reached a server. */
export class ApiClient implements Client {
  readonly #connect: Connect
  readonly #clock: Clock
  readonly #user: User

  constructor(connect: Connect, clock: Clock, user: User) {
    this.#connect = connect
    this.#clock = clock
    this.#user = user
  }
  get user(): User {
    return this.#user
  }

  get(resource: Resource, name: string, namespace?: string): KubeObject {
    const { requests, call } = this.#call(resource, name, namespace)
    requests.authorize('get', call)
    return requests.get(call)
  }
  find(resource: Resource, name: string, namespace?: string): KubeObject | undefined {
    try {
      return this.get(resource, name, namespace)
    } catch (error) {
      if (error instanceof ApiError && error.code === 404) return undefined
      throw error
    }
  }
  list(resource: Resource, options: ListOptions = {}): { items: readonly KubeObject[]; resourceVersion: string } {
    const { requests, call } = this.#call(resource, '', options.namespace)
    requests.authorize('list', call, options.fieldSelector)
    return requests.list(call, options)
  }
  create(resource: Resource, object: KubeObject, options: WriteOptions = {}): KubeObject {
    const name = options.subresource ? object.metadata?.name : ''
    const { requests, call } = this.#call(resource, name ?? '', object.metadata?.namespace, options)
    requests.authorize('create', call)
    return requests.create(call, copy(object))
  }
  update(resource: Resource, object: KubeObject, options: WriteOptions = {}): KubeObject {
    const { requests, call } = this.#call(resource, object.metadata?.name ?? '', object.metadata?.namespace, options)
    requests.authorize('update', call)
    return requests.update(call, copy(object))
  }
  patch(
    resource: Resource,
    name: string,
    namespace: string | undefined,
    type: PatchType,
    patch: unknown,
    options: WriteOptions = {},
  ): KubeObject {
    const { requests, call } = this.#call(resource, name, namespace, options)
    requests.authorize('patch', call)
    return requests.patch(call, type, copy(patch), options.force === undefined ? {} : { force: options.force })
  }
  delete(resource: Resource, name: string, namespace?: string, options: DeleteOptions = {}): void {
    const { requests, call } = this.#call(resource, name, namespace)
    requests.authorize('delete', call)
    requests.delete(call, options)
  }

  follow(resource: Resource, options: ListOptions, on: Parameters<Client['follow']>[2]): Subscription {
    let stopped = false
    let retry = firstRetry
    let timer: Timer | undefined
    let watch: { stop(): void } | undefined
    let connection: { stop(): void } | undefined
    const release = () => {
      watch?.stop()
      connection?.stop()
      watch = connection = undefined
    }
    const failed = (error: unknown) => {
      release()
      if (stopped) return
      const known = error instanceof ApiError || error instanceof Unreachable ? error : new Unreachable(String(error))
      // Set first: a listener that throws must not end the following.
      timer = this.#clock.after(retry, connect)
      retry = Math.min(retry * 2, lastRetry)
      on.broken?.(known)
    }
    const connect = () => {
      if (stopped) return
      try {
        const { requests, call, open } = this.#call(resource, '', options.namespace)
        requests.authorize('list', call, options.fieldSelector)
        requests.authorize('watch', call, options.fieldSelector)
        const { items } = requests.list(call, options)
        const revision = requests.operations.store.revision
        connection = open.watching(() => failed(new Unreachable('the server closed the connection')))
        watch = requests.operations.watch(call.served, options, revision, (event) => {
          if (!stopped) on.event(event as WatchEvent)
        })
        queueMicrotask(() => {
          if (stopped) return
          retry = firstRetry
          on.reset(items)
        })
      } catch (error) {
        failed(error)
      }
    }
    // Never within the caller's own turn, the first time neither.
    queueMicrotask(connect)
    return {
      stop: () => {
        stopped = true
        timer?.cancel()
        release()
      },
    }
  }

  #call(
    resource: Resource,
    name: string,
    namespace?: string,
    options: WriteOptions = {},
  ): { requests: Requests; call: Call; open: Connection } {
    const open = this.#connect()
    const served = open.requests.operations.registry.get(resource)
    const call: Call = {
      user: open.user,
      served,
      namespace: served.namespaced ? (namespace ?? '') : '',
      name,
      subresource: options.subresource ?? '',
      dryRun: options.dryRun ?? false,
      manager: options.fieldManager ?? managerOf(open.user),
      fieldValidation: 'Ignore',
      warn: quiet,
    }
    return { requests: open.requests, call, open }
  }
}
