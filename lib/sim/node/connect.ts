// The way from a component on a machine (or in a pod) to the API server: name, route, TLS, identity, each judged as Go would, each anew when it may have
// changed. Calls go straight into the API server of this process; what a packet would not have reached, they do not reach. Holds no watches of its own.
import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { Clock, Timer } from '../clock.ts'
import { ApiError, type Client, type ListOptions, type Resource, type Subscription, Unreachable, type User } from '../kube.ts'
import type { Files } from '../machine.ts'
import type { Listener, Netns, Network } from '../net.ts'
import { distrust } from '../pki.ts'
import { type ClientCertificate, type Kubeconfig, readKubeconfig } from './kubeconfig.ts'

/** What answers behind a listener that is an API server. */
export interface ApiEndpoint {
  client(user: User): Client
  authenticate(certificate: X509Certificate | undefined, authorization: string | undefined): User | null
  /** what it shows in the handshake */
  certificate: X509Certificate
}
export interface ConnectDeps {
  network: Network
  clock: Clock
  /** which listeners are API servers */
  endpoints: WeakMap<Listener, ApiEndpoint>
  /** addresses of a host name as the resolver of `files` finds them; throws Error with Go's words (`lookup x on 172.18.0.1:53: no such host`) */
  resolve(host: string, files: Files, from: Netns): readonly string[]
}

interface Established {
  listener: Listener
  client: Client
  user: User
  /** what was shown: who shows another one begins anew */
  shown: ClientCertificate | undefined
  /** epoch ms after which it is judged again */
  until: number
}

const retryFirst = 800
const retryLast = 30_000

/**
 * A client from a kubeconfig of `files`, or from a pod's own service account. Nothing is dialled yet. `as`: whom the connection speaks for once its own
 * credentials are good, as a controller manager does with the tokens of its controllers' service accounts. `own`: what is shown at each use in place of
 * the kubeconfig's certificate, by whoever looks after its own; undefined is nobody.
 * @throws Error with client-go's words when the kubeconfig or what it names cannot be read
 */
export function connect(
  deps: ConnectDeps,
  files: Files,
  path: string,
  from: Netns,
  as?: User,
  own?: () => ClientCertificate | undefined,
): Client {
  return new RemoteClient(deps, readKubeconfig(files, path, own !== undefined), files, from, as, own)
}

/** An address that was found open, and when: epoch ms of the lab's time */
interface Dialled {
  at: number
  listener: Listener
  /** where it was found */
  there: Netns
}
/** By namespace that asks, then by address and port. Of one turn of the event loop. */
let dialled = new WeakMap<Netns, Map<string, Dialled>>()
let forgetting = false
/** What was open to somebody is open to all of his namespace in the same turn and instant, unless who answered has gone: a start asks hundreds of times. */
function remember(from: Netns, place: string, found: Dialled): void {
  const known = dialled.get(from) ?? new Map<string, Dialled>()
  dialled.set(from, known.set(place, found))
  if (forgetting) return
  forgetting = true
  setImmediate(() => {
    dialled = new WeakMap()
    forgetting = false
  })
}
function remembered(from: Netns, place: string, now: number): Listener | undefined {
  const known = dialled.get(from)?.get(place)
  return known?.at === now && known.there.listeners().includes(known.listener) ? known.listener : undefined
}

class RemoteClient implements Client {
  readonly #deps: ConnectDeps
  readonly #config: Kubeconfig
  readonly #files: Files
  readonly #from: Netns
  readonly #as: User | undefined
  readonly #own: (() => ClientCertificate | undefined) | undefined
  #established: Established | undefined

  constructor(
    deps: ConnectDeps,
    config: Kubeconfig,
    files: Files,
    from: Netns,
    as: User | undefined,
    own: (() => ClientCertificate | undefined) | undefined,
  ) {
    this.#deps = deps
    this.#as = as
    this.#own = own
    this.#config = config
    this.#files = files
    this.#from = from
  }
  get user(): User {
    try {
      return this.#establish().user
    } catch {
      return this.#established?.user ?? { name: 'system:anonymous', groups: ['system:unauthenticated'] }
    }
  }
  #dial(): Listener {
    const { server } = this.#config
    const host = server.hostname.replace(/^\[|\]$/g, '')
    const port = Number(server.port || (server.protocol === 'https:' ? 443 : 80))
    const now = this.#deps.clock.now()
    const known = remembered(this.#from, `${host}:${port}`, now)
    if (known) return known
    let addresses: readonly string[]
    try {
      addresses = isIP(host) ? [host] : this.#deps.resolve(host, this.#files, this.#from)
    } catch (error) {
      throw new Unreachable(`dial tcp: ${(error as Error).message}`)
    }
    const address = addresses[0]
    if (address === undefined) throw new Unreachable(`dial tcp: lookup ${host}: no such host`)
    const opened = this.#deps.network.open(this.#from, 'tcp', address, port)
    if (opened.outcome === 'open') {
      remember(this.#from, `${host}:${port}`, { at: now, listener: opened.listener, there: opened.to.netns })
      return opened.listener
    }
    const words = { refused: 'connect: connection refused', timeout: 'i/o timeout', unreachable: 'connect: no route to host' }
    throw new Unreachable(`dial tcp ${address}:${port}: ${words[opened.outcome]}`)
  }
  #establish(): Established {
    const listener = this.#dial()
    const now = this.#deps.clock.now()
    const known = this.#established
    const shown = this.#own ? this.#own() : this.#config.client
    if (known && known.listener === listener && known.shown === shown && now < known.until) return known
    const endpoint = this.#deps.endpoints.get(listener)
    const { server } = this.#config
    const secure = server.protocol === 'https:'
    if (!endpoint) {
      if (secure && !listener.tls) throw new Unreachable('http: server gave HTTP response to HTTPS client')
      throw new Unreachable(secure ? 'tls: failed to verify certificate: x509: certificate signed by unknown authority' : 'EOF')
    }
    if (!secure) throw new ApiError(400, 'BadRequest', 'Client sent an HTTP request to an HTTPS server.')
    if (!this.#config.insecure) {
      const host = this.#config.serverName ?? server.hostname.replace(/^\[|\]$/g, '')
      const wrong = distrust(endpoint.certificate, this.#config.authorities, now, host)
      if (wrong) throw new Unreachable(`tls: failed to verify certificate: ${wrong}`)
    }
    const token = this.#config.token?.()
    const own = endpoint.authenticate(shown?.certificate, token === undefined ? undefined : `Bearer ${token}`)
    const user = own === null ? null : (this.#as ?? own)
    if (user === null) throw new ApiError(401, 'Unauthorized', 'Unauthorized')
    this.#established = {
      listener,
      client: endpoint.client(user),
      user,
      shown,
      // client-go reads a token file again after a minute; certificates end when they end.
      until: Math.min(now + 60_000, shown?.expires ?? Number.POSITIVE_INFINITY, Date.parse(endpoint.certificate.validTo)),
    }
    return this.#established
  }
  get(...call: Parameters<Client['get']>) {
    return this.#establish().client.get(...call)
  }
  find(...call: Parameters<Client['find']>) {
    return this.#establish().client.find(...call)
  }
  list(...call: Parameters<Client['list']>) {
    return this.#establish().client.list(...call)
  }
  create(...call: Parameters<Client['create']>) {
    return this.#establish().client.create(...call)
  }
  update(...call: Parameters<Client['update']>) {
    return this.#establish().client.update(...call)
  }
  patch(...call: Parameters<Client['patch']>) {
    return this.#establish().client.patch(...call)
  }
  delete(...call: Parameters<Client['delete']>) {
    this.#establish().client.delete(...call)
  }
  follow(resource: Resource, options: ListOptions, on: Parameters<Client['follow']>[2]): Subscription {
    const { clock } = this.#deps
    let inner: Subscription | undefined
    let timer: Timer | undefined
    let stopped = false
    let wait = retryFirst
    const broken = (error: ApiError | Unreachable) => {
      inner?.stop()
      inner = undefined
      if (stopped) return
      on.broken?.(error)
      timer = clock.after(wait, begin)
      wait = Math.min(wait * 2, retryLast)
    }
    // An established stream dies when its packets do; that is found when there is something to tell.
    const alive = (): boolean => {
      if (stopped) return false
      try {
        this.#dial()
        return true
      } catch (error) {
        broken(error as Unreachable)
        return false
      }
    }
    const begin = () => {
      if (stopped) return
      try {
        const { client } = this.#establish()
        inner = client.follow(resource, options, {
          reset: (items) => {
            if (!alive()) return
            wait = retryFirst
            on.reset(items)
          },
          event: (event) => {
            if (alive()) on.event(event)
          },
          broken: (error) => {
            // The server's own retries would go to a server that may be gone: begin anew, through the network.
            this.#established = undefined
            broken(error)
          },
        })
      } catch (error) {
        if (error instanceof ApiError || error instanceof Unreachable) broken(error)
        else throw error
      }
    }
    // Never within the caller's turn.
    queueMicrotask(begin)
    return {
      stop: () => {
        stopped = true
        timer?.cancel()
        inner?.stop()
      },
    }
  }
}

/**
 * The resolver of a machine or a pod, as far as clients of the API need it: its hosts file, then, when its resolv.conf names the nodes' network's
 * own server and that is reached, the names of the nodes.
 */
export function nodeNames(network: Network, server: string, names: ReadonlyMap<string, string>): ConnectDeps['resolve'] {
  return (host, files, from) => {
    const found: string[] = []
    for (const line of (files.text('/etc/hosts') ?? '').split('\n')) {
      const [address = '', ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/)
      if (aliases.includes(host) && isIP(address) === 4) found.push(address)
    }
    if (found.length > 0) return found
    const servers = [...(files.text('/etc/resolv.conf') ?? '').matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1] as string)
    let last = servers[0] ?? '127.0.0.1'
    for (const one of servers.length > 0 ? servers : ['127.0.0.1']) {
      last = one
      const opened = network.open(from, 'udp', one, 53)
      if (opened.outcome !== 'open') continue
      const address = one === server ? names.get(host) : undefined
      if (address !== undefined) return [address]
      throw new Error(`lookup ${host} on ${one}:53: no such host`)
    }
    const opened = network.open(from, 'udp', last, 53)
    const why =
      opened.outcome === 'refused'
        ? `read udp ${from.addresses()[0] ?? '127.0.0.1'}:50353->${last}:53: read: connection refused`
        : `read udp ${from.addresses()[0] ?? '127.0.0.1'}:50353->${last}:53: i/o timeout`
    throw new Error(`lookup ${host} on ${last}:53: ${why}`)
  }
}
