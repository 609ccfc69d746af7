// What a running controller manager (or scheduler) gives to its controllers: clients, shared watches, work queues, timers, events. Everything that is
// handed out here ends with `stop`. Knows no kinds of objects.
import type { Clock, Timer } from '../clock.ts'
import { type Recorder, recorder } from '../events.ts'
import { ApiError, type Client, type KubeObject, type ListOptions, type Resource, type Subscription, Unreachable } from '../kube.ts'
import type { Random } from '../random.ts'
import { resources } from '../schema/index.ts'

export interface ControllerOptions {
  /** --cluster-cidr; '' with --allocate-node-cidrs=false */
  clusterCidr: string
  /** --service-cluster-ip-range */
  serviceRange: string
  /** PEM that kube-root-ca.crt holds: --root-ca-file */
  rootCa: string
  /** --cluster-signing-cert-file and -key-file, PEM; without it no certificate is signed */
  signingCa?: { cert: string; key: string }
  /** signs a token for a Secret of type kubernetes.io/service-account-token; without it such Secrets stay empty */
  signServiceAccountToken?: (claims: { namespace: string; serviceAccount: KubeObject; secret: KubeObject }) => string
  /** --node-monitor-grace-period, default 50 000 ms (kubernetes 1.35 pkg/controller/nodelifecycle/config) */
  nodeMonitorGraceMs?: number
  /** --node-cidr-mask-size, default 24 */
  nodeCidrMaskSize?: number
}
export interface ControllerContext {
  /**
   * The client of a service account in kube-system (`replicaset-controller`, `node-controller` …), as --use-service-account-credentials gives it;
   * `kube-controller-manager` and `kube-scheduler` are the programs' own users (system:kube-controller-manager, system:kube-scheduler).
   */
  client(component: string): Client
  clock: Clock
  random: Random
  /** one klog line, without newline */
  log(line: string): void
  options: ControllerOptions
}

export interface Handlers {
  added?(object: KubeObject): void
  /** never for an unchanged resourceVersion */
  updated?(object: KubeObject, old: KubeObject): void
  deleted?(object: KubeObject): void
  /** everything of this resource has been seen once */
  synced?(): void
}
/** severity, file and line, message, values */
export type LogLine = readonly ['I' | 'W' | 'E', string, string, Readonly<Record<string, unknown>>]
/** utilruntime.HandleError's line */
export const unhandled = (place: string, err: string): LogLine => ['E', place, 'Unhandled Error', { err, logger: 'UnhandledError' }]
/** A set of keys to be worked on, one at a time; a key that is added twice before its turn is worked on once. */
export interface Queue {
  add(key: string): void
  /** an earlier time for the same key wins */
  addAfter(key: string, ms: number): void
}

interface Watch {
  handlers: Handlers[]
  objects: Map<string, KubeObject>
  synced: boolean
  subscription: Subscription
}

// k8s.io/client-go/util/workqueue/default_rate_limiters.go: ItemExponentialFailureRateLimiter(5ms, 1000s)
const retryBaseMs = 5
const retryMaxMs = 1_000_000
const keysPerTurn = 32
const reflector = 'k8s.io/client-go@v0.35.4/tools/cache/reflector.go:289'

/** `*v1.Node`, as Go names the type of a resource */
function goType(resource: Resource): string {
  const [name = '', version = '', group = ''] = resource.split('/').reverse()
  const known = resources().find((one) => one.group === group && one.version === version && one.resource === name)
  return `*${version}.${known?.kind ?? 'PartialObjectMetadata'}`
}

/** `namespace/name`, or the name of what has no namespace */
export const keyOf = (object: KubeObject): string =>
  object.metadata.namespace ? `${object.metadata.namespace}/${object.metadata.name}` : object.metadata.name
export function splitKey(key: string): { namespace: string | undefined; name: string } {
  const at = key.indexOf('/')
  return at < 0 ? { namespace: undefined, name: key } : { namespace: key.slice(0, at), name: key.slice(at + 1) }
}

export class Run {
  readonly clock: Clock
  readonly random: Random
  readonly options: ControllerOptions
  /** reads with the program's own user: lists are of the moment, never older than the event that led to them */
  readonly reader: Client
  readonly #context: ControllerContext
  readonly #manager: string
  readonly #watches = new Map<Resource, Watch>()
  readonly #timers = new Set<Timer>()
  readonly #clients = new Map<string, Client>()
  readonly #recorders = new Map<string, Recorder>()
  #stopped = false

  /** `manager`: the program's name, which is also its field manager */
  constructor(context: ControllerContext, manager: string) {
    this.#context = context
    this.#manager = manager
    this.clock = context.clock
    this.random = context.random
    this.options = context.options
    this.reader = listing(this.client(manager))
  }
  get stopped(): boolean {
    return this.#stopped
  }
  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    for (const watch of this.#watches.values()) watch.subscription.stop()
    for (const timer of this.#timers) timer.cancel()
    this.#watches.clear()
    this.#timers.clear()
  }

  /** a client that writes under the program's name */
  client(component: string): Client {
    const known = this.#clients.get(component)
    if (known !== undefined) return known
    const client = named(this.#context.client(component), this.#manager)
    this.#clients.set(component, client)
    return client
  }
  /** `component` is the event's source, `account` whose client writes it */
  events(component: string, account: string): Recorder {
    const key = `${component} ${account}`
    let known = this.#recorders.get(key)
    if (known === undefined) {
      const write = recorder(this.client(account), this.clock, this.random, { component })
      known = (...event) => {
        if (!this.#stopped) write(...event)
      }
      this.#recorders.set(key, known)
    }
    return known
  }
  log(severity: 'I' | 'W' | 'E', place: string, message: string, values: Readonly<Record<string, unknown>> = {}): void {
    if (this.#stopped) return
    const at = new Date(this.clock.now()).toISOString()
    const micros = `${at.slice(20, 23)}${String(this.random.int(1000)).padStart(3, '0')}`
    const pairs = Object.entries(values).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`)
    this.#context.log(
      `${severity}${at.slice(5, 7)}${at.slice(8, 10)} ${at.slice(11, 19)}.${micros}       1 ${place}] ${JSON.stringify(message)}${pairs.join('')}`,
    )
  }

  /** Handlers of all controllers share one watch per resource. What is known already is handed to a late handler as added. */
  watch(resource: Resource, handlers: Handlers): void {
    const known = this.#watches.get(resource)
    if (known !== undefined) {
      known.handlers.push(handlers)
      if (known.synced) {
        for (const object of known.objects.values()) handlers.added?.(object)
        handlers.synced?.()
      }
      return
    }
    const objects = new Map<string, KubeObject>()
    const all: Handlers[] = [handlers]
    const tell = (object: KubeObject | undefined, old: KubeObject | undefined) => {
      if (object === undefined) {
        for (const one of all) one.deleted?.(old)
      } else if (old === undefined) {
        for (const one of all) one.added?.(object)
      } else if (old.metadata.uid !== object.metadata.uid) {
        for (const one of all) {
          one.deleted?.(old)
          one.added?.(object)
        }
      } else if (old.metadata.resourceVersion !== object.metadata.resourceVersion) {
        for (const one of all) one.updated?.(object, old)
      }
    }
    const watch: Watch = {
      handlers: all,
      objects,
      synced: false,
      subscription: this.reader.follow(
        resource,
        {},
        {
          broken: (error) => {
            const type = goType(resource)
            const err = `failed to list ${type}: ${error.message}`
            this.log('E', 'reflector.go:204', 'Failed to watch', { err, logger: 'UnhandledError', reflector, type })
          },
          reset: (items) => {
            if (this.#stopped) return
            const gone = new Map(objects)
            for (const item of items) {
              const key = keyOf(item)
              const old = gone.get(key)
              gone.delete(key)
              objects.set(key, item)
              tell(item, old)
            }
            for (const [key, old] of gone) {
              objects.delete(key)
              tell(undefined, old)
            }
            if (watch.synced) return
            watch.synced = true
            for (const one of all) one.synced?.()
          },
          event: ({ type, object }) => {
            if (this.#stopped) return
            const key = keyOf(object)
            const old = objects.get(key)
            if (type === 'DELETED') {
              objects.delete(key)
              tell(undefined, object)
            } else {
              objects.set(key, object)
              tell(object, old)
            }
          },
        },
      ),
    }
    this.#watches.set(resource, watch)
  }
  /** ends the watch of a resource that is served no more */
  unwatch(resource: Resource): void {
    this.#watches.get(resource)?.subscription.stop()
    this.#watches.delete(resource)
  }
  /** what the watch of a resource has seen last, by key; empty when nobody watches it */
  seen(resource: Resource): ReadonlyMap<string, KubeObject> {
    return this.#watches.get(resource)?.objects ?? new Map()
  }
  synced(resource: Resource): boolean {
    return this.#watches.get(resource)?.synced ?? false
  }
  list(resource: Resource, options?: ListOptions): readonly KubeObject[] {
    return this.reader.list(resource, options).items
  }

  after(ms: number, run: () => void): Timer {
    const timer = this.clock.after(ms, () => {
      this.#timers.delete(timer)
      if (!this.#stopped) run()
    })
    this.#timers.add(timer)
    return {
      cancel: () => {
        this.#timers.delete(timer)
        timer.cancel()
      },
    }
  }
  /** the first time after `ms`; what it throws is logged */
  every(ms: number, run: () => void): void {
    this.after(ms, () => {
      this.attempt(run)
      this.every(ms, run)
    })
  }
  /** what the API answers with is logged, not thrown */
  attempt(run: () => void): void {
    try {
      run()
    } catch (error) {
      if (!(error instanceof ApiError || error instanceof Unreachable)) throw error
      this.log(...unhandled('controller.go:167', error.message))
    }
  }

  /**
   * `sync` is tried again 5 ms later, doubled up to 1000 s, when it throws an answer of the API; `retries` ends that. `said` is the line of the log for
   * a failure as the real controller words it, undefined where it says nothing.
   */
  queue(
    name: string,
    sync: (key: string) => void,
    options: { retries?: number; said?(key: string, error: Error): LogLine | undefined; gaveUp?(key: string, error: Error): LogLine } = {},
  ): Queue {
    const dirty = new Set<string>()
    const failures = new Map<string, number>()
    const delayed = new Map<string, { at: number; timer: Timer }>()
    let armed = false
    const arm = () => {
      if (armed || dirty.size === 0 || this.#stopped) return
      armed = true
      this.after(0, drain)
    }
    const drain = () => {
      armed = false
      let turns = keysPerTurn
      for (const key of dirty) {
        if (turns-- === 0 || this.#stopped) break
        dirty.delete(key)
        work(key)
      }
      arm()
    }
    const work = (key: string) => {
      try {
        sync(key)
        failures.delete(key)
      } catch (error) {
        const retried = failures.get(key) ?? 0
        if (!(error instanceof ApiError || error instanceof Unreachable || error instanceof SyncError)) {
          // A mistake in a controller must not end the lab: it is said where a person looks, and the key is left.
          const { message, stack } = error instanceof Error ? error : new Error(String(error))
          const at = /([\w-]+\.ts:\d+)/.exec(stack ?? '')?.[1]
          this.log('E', 'panic.go:115', 'Observed a panic', { panic: message, at, controller: name })
          return
        }
        if (options.retries !== undefined && retried >= options.retries) {
          failures.delete(key)
          const last = options.gaveUp?.(key, error)
          if (last !== undefined) this.log(...last)
          return
        }
        failures.set(key, retried + 1)
        // A conflict is everyday life: somebody else has written, too.
        const said = options.said ?? ((one) => unhandled('controller.go:167', `syncing ${JSON.stringify(one)} failed: ${error.message}`))
        const line = error instanceof ApiError && error.code === 409 ? undefined : said(key, error)
        if (line !== undefined) this.log(...line)
        addAfter(key, Math.min(retryBaseMs * 2 ** Math.min(retried, 30), retryMaxMs))
      }
    }
    const add = (key: string) => {
      dirty.add(key)
      arm()
    }
    const addAfter = (key: string, ms: number) => {
      if (ms <= 0) return add(key)
      const at = this.clock.now() + ms
      const known = delayed.get(key)
      if (known !== undefined) {
        if (known.at <= at) return
        known.timer.cancel()
      }
      delayed.set(key, {
        at,
        timer: this.after(ms, () => {
          delayed.delete(key)
          add(key)
        }),
      })
    }
    return { add, addAfter }
  }
}

/** A sync that did not come to its end and is to be tried again, for another reason than the API. */
export class SyncError extends Error {}

/** The same client, writing under a field manager. */
function named(client: Client, manager: string): Client {
  return {
    user: client.user,
    get: (...call) => client.get(...call),
    find: (...call) => client.find(...call),
    list: (...call) => client.list(...call),
    create: (resource, object, options) => client.create(resource, object, { fieldManager: manager, ...options }),
    update: (resource, object, options) => client.update(resource, object, { fieldManager: manager, ...options }),
    patch: (resource, name, namespace, type, patch, options) =>
      client.patch(resource, name, namespace, type, patch, { fieldManager: manager, ...options }),
    delete: (...call) => client.delete(...call),
    follow: (...call) => client.follow(...call),
  }
}
/** The programs' own users may list and watch everything, but not get it (the informers of the real ones never do). */
function listing(client: Client): Client {
  const find: Client['find'] = (resource, name, namespace) => {
    // No object has such a name; the API would say so for the selector.
    if (name === '') return undefined
    return client.list(resource, { namespace, fieldSelector: `metadata.name=${name}` }).items[0]
  }
  return {
    ...client,
    find,
    get: (resource, name, namespace) => {
      const found = find(resource, name, namespace)
      if (found !== undefined) return found
      const kind = resource.slice(resource.lastIndexOf('/') + 1)
      throw new ApiError(404, 'NotFound', `${kind} "${name}" not found`, { name, kind })
    },
  }
}
/** Runs `act`; an answer with one of these codes is as good as success. Returns whether it was not. */
export function unless(codes: readonly number[], act: () => void): boolean {
  try {
    act()
    return true
  } catch (error) {
    if (error instanceof ApiError && codes.includes(error.code)) return false
    throw error
  }
}
