// The API server of one lab: builds its parts over one store, keeps what the real one keeps by itself, and opens the doors to it. Knows nothing of
// processes, files and TLS: whoever runs it reads its flags and listens.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from '../clock.ts'
import type { Client, User } from '../kube.ts'
import { Unreachable } from '../kube.ts'
import type { Random } from '../random.ts'
import { Authentication } from './authentication.ts'
import { Authorizer } from './authorizer.ts'
import { type BootstrapOptions, bootstrap, customResources, expireEvents, keepKubernetes } from './bootstrap.ts'
import { ApiClient, type Connection } from './client.ts'
import { Http } from './http.ts'
import { keepIdentity } from './identity.ts'
import type { KubeletDoor } from './kubelet-door.ts'
import { Operations } from './operations.ts'
import { crdBucket, Registry } from './registry.ts'
import { Requests } from './requests.ts'
import { escalation } from './reviews.ts'
import type { Store } from './store.ts'
import { Subresources } from './subresources.ts'
import { Tokens } from './tokens.ts'

export interface ApiServerOptions {
  store: Store
  clock: Clock
  random: Random
  /** `v1.35.4` */
  kubernetesVersion: string
  /** IPv4 CIDR of Services */
  serviceRange: string
  /** PEM of the authorities that sign client certificates */
  clientCa: string
  /** PEM, for ConfigMap extension-apiserver-authentication; left out when there is none */
  requestheaderCa?: string
  serviceAccounts: { issuer: string; privateKey: string; publicKeys: readonly string[] }
  kubelets: KubeletDoor
  /** why etcd does not answer, in the words of a client (`etcdserver: request timed out`), undefined when it does */
  etcd(): string | undefined
  /** where pods reach the server; with it Service default/kubernetes gets its endpoints. Default 127.0.0.1 */
  advertiseAddress?: string
  /** default 6443 */
  port?: number
  /** of --authorization-mode; default Node and RBAC */
  authorizationModes?: readonly string[]
  /** of the machine it runs on; with it the server keeps its identity's Lease */
  hostname?: string
}

const loopback: User = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] }

export class ApiServer {
  readonly requests: Requests
  readonly #options: ApiServerOptions
  readonly #authentication: Authentication
  readonly #tokens: Tokens
  readonly #http: Http
  readonly #ended = new Set<() => void>()
  readonly #keeping: { stop(): void } | undefined
  #stopped = false

  /** Makes what a real server makes when it starts and finds it missing. Throws when a key or certificate cannot be read, or etcd does not answer. */
  constructor(options: ApiServerOptions) {
    this.#options = options
    const { store, clock, random } = options
    const registry = new Registry(store)
    const authorizer = new Authorizer(store, options.authorizationModes)
    this.#tokens = new Tokens({ store, clock, random, keys: options.serviceAccounts })
    const operations: Operations = new Operations({
      store,
      registry,
      clock,
      random,
      serviceRange: options.serviceRange,
      etcd: options.etcd,
      escalation: (call, object, old) => escalation(authorizer, () => operations, call, object, old),
    })
    operations.reachable()
    this.requests = new Requests({
      authorizer,
      operations,
      subresources: new Subresources(operations, this.#tokens),
      reviews: { authorizer, tokens: this.#tokens, operations },
    })
    this.#authentication = new Authentication({ store, clock, tokens: this.#tokens, clientCa: options.clientCa })
    const own: BootstrapOptions = {
      advertiseAddress: options.advertiseAddress ?? '127.0.0.1',
      port: options.port ?? 6443,
      clientCa: options.clientCa,
      ...(options.requestheaderCa === undefined ? {} : { requestheaderCa: options.requestheaderCa }),
    }
    bootstrap(operations, own)
    customResources(operations)
    // Custom objects too: the last one that goes lets a deleted definition go.
    const watched = new Map<string, { stop(): void }>()
    const look = () => {
      if (this.#stopped) return
      customResources(operations)
      for (const crd of store.list(crdBucket)) {
        const bucket = `${crd.spec.names.plural}.${crd.spec.group}`
        if (crd.metadata.deletionTimestamp === undefined || watched.has(bucket)) continue
        const subscription = store.subscribe(bucket, store.revision, look)
        if (subscription !== undefined) watched.set(bucket, subscription)
      }
      for (const [bucket, subscription] of watched) {
        if (store.list(crdBucket).some((crd) => `${crd.spec.names.plural}.${crd.spec.group}` === bucket)) continue
        subscription.stop()
        watched.delete(bucket)
      }
    }
    const definitions = store.subscribe(crdBucket, store.revision, look)
    const kept = keepKubernetes(store, clock, () => bootstrap(operations, own))
    const expiry = expireEvents(store, clock)
    const identity = options.hostname === undefined ? undefined : keepIdentity(this.client(loopback), clock, random, options.hostname)
    this.#keeping = {
      stop: () => {
        definitions?.stop()
        kept.stop()
        expiry.stop()
        identity?.stop()
        for (const subscription of watched.values()) subscription.stop()
      },
    }
    this.#http = new Http({
      requests: this.requests,
      tokens: this.#tokens,
      clock,
      kubelets: options.kubelets,
      kubernetesVersion: options.kubernetesVersion,
      address: `${options.advertiseAddress ?? '127.0.0.1'}:${options.port ?? 6443}`,
      etcd: options.etcd,
      user: (certificate, authorization) => this.authenticate(certificate, authorization),
    })
  }

  /** The API for a component in this process, which has authenticated as `user` already. Unreachable once the server has stopped. */
  client(user: User): Client {
    return new ApiClient(() => this.connection(user), this.#options.clock, user)
  }
  /** One connection as this user; throws Unreachable once the server has stopped. */
  connection(user: User): Connection {
    if (this.#stopped)
      throw new Unreachable(
        `dial tcp ${this.#options.advertiseAddress ?? '127.0.0.1'}:${this.#options.port ?? 6443}: connect: connection refused`,
      )
    return {
      requests: this.requests,
      user,
      watching: (ended) => {
        this.#ended.add(ended)
        return { stop: () => this.#ended.delete(ended) }
      },
    }
  }
  /** `certificate`: PEM or DER of what the client showed, not verified yet. Nobody is anonymous; null: 401 Unauthorized. */
  authenticate(certificate: string | Uint8Array | undefined, authorization: string | undefined): User | null {
    return this.#authentication.user(certificate, authorization)
  }
  handle(request: IncomingMessage, response: ServerResponse): void {
    this.#http.handle(request, response)
  }
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#http.upgrade(request, socket, head)
  }
  /** why a probe of this path would fail: `/livez`, `/readyz`, `/healthz`; undefined when it is well */
  health(path: string): string | undefined {
    return this.#http.health(path)
  }
  /** Watches end, clients become Unreachable, connections are closed. The store stays as it is. */
  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#keeping?.stop()
    this.#http.stop()
    for (const ended of [...this.#ended]) ended()
    this.#ended.clear()
  }
}
