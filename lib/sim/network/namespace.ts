// One network namespace: links, addresses, routes, neighbours, settings, rules and who listens. Knows nothing of other namespaces but the names at
// the far ends of its links; how packets travel is travel.ts.
import type { Listener, Netns } from '../net.ts'
import { contains, formatIp, isLoopback, network, type Prefix, parseIp } from './ip.ts'
import type { Surroundings } from './rules.ts'
import { restore, save, Tables } from './tables.ts'

export interface Address extends Prefix {
  scope: 'host' | 'global' | 'link'
  broadcast?: boolean
}
export interface Link {
  index: number
  name: string
  kind: 'loopback' | 'ethernet' | 'veth' | 'bridge' | 'vxlan' | 'dummy'
  mac: string
  mtu: number
  up: boolean
  addresses: Address[]
  /** the bridge that it is a port of */
  master?: string
  hairpin?: boolean
  /** of a veth: the other end */
  peer?: { netns: string; link: string }
  /** what `ip` prints after @if for a link whose other end is elsewhere */
  peerIndex?: number
  /** `ip` names the namespace of the far end */
  peerNetnsName?: string
  vxlan?: { vni: number; port: number; local: number; dev: string }
  /** an ethernet link's cable */
  segment?: string
}
export interface Route {
  to: Prefix
  via?: number
  dev: string
  src?: number
  proto?: 'kernel' | 'static'
  scope?: 'link' | 'host'
  onlink?: boolean
  metric?: number
  type?: 'blackhole' | 'unreachable' | 'prohibit'
}
export interface Neighbour {
  ip: number
  dev: string
  mac: string
  state: string
}
export interface Forwarding {
  mac: string
  dev: string
  dst: number
}
export interface NamespaceState {
  id: string
  machine: string
  name: string
  links: Link[]
  routes: Route[]
  neighbours: Neighbour[]
  forwarding: Forwarding[]
  sysctls: [string, string][]
  rules: string
  rules6: string
}

/** What the namespace asks of the lab. */
export interface World {
  now(): number
  random(): number
}

export class Namespace implements Netns {
  readonly id: string
  readonly machine: string
  /** of /run/netns for a pod's: cni-…; '' for a machine's own */
  readonly name: string
  readonly links = new Map<string, Link>()
  routes: Route[] = []
  neighbours: Neighbour[] = []
  forwarding: Forwarding[] = []
  /** what differs from the kernel's defaults, by dotted name */
  readonly sysctls = new Map<string, string>()
  readonly tables = new Tables()
  readonly tables6 = new Tables()
  readonly surroundings: Surroundings
  readonly #listeners: Listener[] = []
  readonly #watchers = new Set<() => void>()

  constructor(id: string, machine: string, name: string, world: World) {
    this.id = id
    this.machine = machine
    this.name = name
    this.surroundings = { ...world, recent: new Map(), isLocal: (ip) => this.isLocal(ip) }
  }
  static load(state: NamespaceState, world: World): Namespace {
    const made = new Namespace(state.id, state.machine, state.name, world)
    for (const link of structuredClone(state.links)) made.links.set(link.name, link)
    made.routes = structuredClone(state.routes)
    made.neighbours = structuredClone(state.neighbours)
    made.forwarding = structuredClone(state.forwarding)
    for (const [key, value] of state.sysctls) made.sysctls.set(key, value)
    restore(made.tables, state.rules)
    restore(made.tables6, state.rules6)
    return made
  }
  save(): NamespaceState {
    return {
      id: this.id,
      machine: this.machine,
      name: this.name,
      links: structuredClone([...this.links.values()]),
      routes: structuredClone(this.routes),
      neighbours: structuredClone(this.neighbours),
      forwarding: structuredClone(this.forwarding),
      sysctls: [...this.sysctls],
      rules: save(this.tables),
      rules6: save(this.tables6),
    }
  }

  addresses(): readonly string[] {
    const first = (link: Link) => (link.kind === 'ethernet' ? 0 : link.name === 'eth0' ? 1 : 2)
    return [...this.links.values()]
      .filter((link) => link.kind !== 'loopback')
      .sort((a, b) => first(a) - first(b) || a.index - b.index)
      .flatMap((link) => link.addresses.map(({ ip }) => formatIp(ip)))
  }
  isLocal(ip: number): boolean {
    if (isLoopback(ip)) return this.links.get('lo')?.up ?? false
    for (const link of this.links.values()) if (link.up && link.addresses.some((address) => address.ip === ip)) return true
    return false
  }
  sysctl(name: string): string | undefined {
    return this.sysctls.get(name)
  }
  enabled(name: string): boolean {
    return this.sysctls.get(name) === '1'
  }
  /** Whether what comes in by this link is handed on (devinet.c): a link's own setting counts, `all` and `default` stand for links too. */
  forwardingOf(link: string): string {
    const all = this.sysctls.get('net.ipv4.ip_forward') ?? '0'
    return link === 'all' ? all : (this.sysctls.get(`net.ipv4.conf.${link}.forwarding`) ?? all)
  }
  forwards(link: string): boolean {
    return this.forwardingOf(link) !== '0'
  }
  /** What is written to ip_forward or conf/all is written to every link, and to those to come; the value that it has already changes nothing. */
  setForwarding(link: string, value: string): void {
    if (link !== 'all') {
      this.sysctls.set(`net.ipv4.conf.${link}.forwarding`, value)
      return
    }
    if (this.forwardingOf('all') === value) return
    for (const name of [...this.sysctls.keys()]) if (/^net\.ipv4\.conf\..+\.forwarding$/.test(name)) this.sysctls.delete(name)
    this.sysctls.set('net.ipv4.ip_forward', value)
  }

  listen(listener: Listener): { close(): void } {
    const any = (address: string) => address === '0.0.0.0' || address === '::' || address === '*'
    if (!any(listener.address)) {
      const ip = parseIp(listener.address)
      if (ip !== undefined && !this.isLocal(ip)) throw new Error('bind: cannot assign requested address')
    }
    // A program that opens one socket for each family keeps the one for IPv6 to that (IPV6_V6ONLY), as sshd does.
    const apart = (one: Listener, other: Listener) =>
      one.program.pid === other.program.pid && [one.address, other.address].sort().join() === '0.0.0.0,::'
    for (const other of this.#listeners)
      if (
        other.protocol === listener.protocol &&
        other.port === listener.port &&
        !apart(other, listener) &&
        (any(other.address) || any(listener.address) || other.address === listener.address)
      )
        throw new Error('bind: address already in use')
    this.#listeners.push(listener)
    return {
      close: () => {
        const at = this.#listeners.indexOf(listener)
        if (at !== -1) this.#listeners.splice(at, 1)
      },
    }
  }
  listeners(): readonly Listener[] {
    return this.#listeners
  }
  listener(protocol: 'tcp' | 'udp', address: number, port: number): Listener | undefined {
    const exact = formatIp(address)
    const all = this.#listeners.filter((one) => one.protocol === protocol && one.port === port)
    return (
      all.find((one) => one.address === exact) ??
      all.find((one) => one.address === '0.0.0.0') ??
      all.find((one) => one.address === '::' || one.address === '*')
    )
  }

  /** called after links, addresses or routes have changed */
  watch(changed: () => void): { stop(): void } {
    this.#watchers.add(changed)
    return { stop: () => this.#watchers.delete(changed) }
  }
  changed(): void {
    for (const watcher of [...this.#watchers]) watcher()
  }

  addLink(link: Omit<Link, 'index' | 'addresses'> & { index?: number; addresses?: Address[] }): Link {
    const index = link.index ?? Math.max(1, ...[...this.links.values()].filter((one) => one.index < 500).map((one) => one.index)) + 1
    const made: Link = { ...link, index, addresses: [] }
    this.links.set(link.name, made)
    if (this.forwardingOf('default') !== this.forwardingOf('all')) this.setForwarding(link.name, this.forwardingOf('default'))
    for (const address of link.addresses ?? []) this.addAddress(made, address)
    this.changed()
    return made
  }
  /** with the routes through it, and what a bridge held */
  removeLink(name: string): void {
    const link = this.links.get(name)
    if (link === undefined) return
    this.links.delete(name)
    this.sysctls.delete(`net.ipv4.conf.${name}.forwarding`)
    this.routes = this.routes.filter((route) => route.dev !== name)
    this.neighbours = this.neighbours.filter((neighbour) => neighbour.dev !== name)
    this.forwarding = this.forwarding.filter((entry) => entry.dev !== name)
    for (const other of this.links.values()) if (other.master === name) delete other.master
    this.changed()
  }
  addAddress(link: Link, address: Address): void {
    if (link.addresses.some(({ ip, bits }) => ip === address.ip && bits === address.bits)) return
    link.addresses.push(address)
    this.#connected(link, address)
    this.changed()
  }
  removeAddress(link: Link, address: Prefix): boolean {
    const at = link.addresses.findIndex(({ ip, bits }) => ip === address.ip && bits === address.bits)
    if (at === -1) return false
    link.addresses.splice(at, 1)
    const net = network(address)
    this.routes = this.routes.filter(
      (route) =>
        !(
          route.dev === link.name &&
          ((route.proto === 'kernel' && route.to.ip === net.ip && route.to.bits === net.bits) || route.src === address.ip)
        ),
    )
    this.changed()
    return true
  }
  setUp(link: Link, up: boolean): void {
    if (link.up === up) return
    link.up = up
    if (!up) this.routes = this.routes.filter((route) => route.dev !== link.name)
    else for (const address of link.addresses) this.#connected(link, address)
    this.changed()
  }
  #connected(link: Link, address: Address): void {
    if (!link.up || address.bits === 32 || link.kind === 'loopback') return
    this.addRoute({ to: network(address), dev: link.name, proto: 'kernel', scope: 'link', src: address.ip }, true)
  }
  /** false when there is one to the same place already */
  addRoute(route: Route, replace = false): boolean {
    const at = this.routes.findIndex(
      (one) => one.to.ip === route.to.ip && one.to.bits === route.to.bits && (one.metric ?? 0) === (route.metric ?? 0),
    )
    if (at !== -1 && !replace) return false
    if (at !== -1) this.routes.splice(at, 1)
    this.routes.push(route)
    this.routes.sort((a, b) =>
      a.to.bits === 0 ? -1 : b.to.bits === 0 ? 1 : a.to.ip - b.to.ip || b.to.bits - a.to.bits || (a.metric ?? 0) - (b.metric ?? 0),
    )
    this.changed()
    return true
  }
  removeRoute(matches: (route: Route) => boolean): boolean {
    const before = this.routes.length
    const at = this.routes.findIndex(matches)
    if (at !== -1) this.routes.splice(at, 1)
    if (this.routes.length !== before) this.changed()
    return this.routes.length !== before
  }
  /** the route that the kernel takes; undefined: network is unreachable */
  route(to: number): Route | undefined {
    let best: Route | undefined
    for (const route of this.routes) {
      if (!contains(route.to, to)) continue
      if (route.type === undefined && !this.links.get(route.dev)?.up) continue
      if (
        best === undefined ||
        route.to.bits > best.to.bits ||
        (route.to.bits === best.to.bits && (route.metric ?? 0) < (best.metric ?? 0))
      )
        best = route
    }
    return best
  }
  /** the address with which a packet leaves by this route */
  source(route: Route): number | undefined {
    if (route.src !== undefined) return route.src
    const link = this.links.get(route.dev)
    const next = route.via
    const onNet = next === undefined ? undefined : link?.addresses.find((address) => contains(address, next))
    return (onNet ?? link?.addresses[0])?.ip ?? [...this.links.values()].find((one) => one.kind === 'ethernet')?.addresses[0]?.ip
  }
  neighbour(dev: string, ip: number, mac: string, state: string): void {
    this.neighbours = this.neighbours.filter((one) => one.dev !== dev || one.ip !== ip)
    this.neighbours.push({ ip, dev, mac, state })
  }
}
