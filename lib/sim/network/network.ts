// The network of one lab: every machine's and pod's namespace, the cable between the machines, and the name server that Docker puts at
// its end. Knows nothing of Kubernetes.
import type { Clock } from '../clock.ts'
import type { DnsAnswer, DnsQuestion, Failed, Listener, Netns, Network, Opened } from '../net.ts'
import type { Random } from '../random.ts'
import { formatIp, ip, network as networkOf } from './ip.ts'
import { Namespace, type NamespaceState } from './namespace.ts'
import { restore } from './tables.ts'
import { Travel } from './travel.ts'

export interface NetworkState {
  namespaces: NamespaceState[]
  /** machine → ports of its name server */
  resolvers: [string, { tcp: number; udp: number }][]
}
export interface NetworkOptions {
  clock: Clock
  random: Random
  saved?: NetworkState
  /** names of the world outside → IPv4 address; every other name there is NXDOMAIN */
  outside?: Readonly<Record<string, string>>
}
const segment = 'docker'
const key = (id: string, machine: string) => (id === 'host' ? `host/${machine}` : id)
/** names that the network's own modules use for a namespace; a Netns of another making is a mistake of the caller */
export function namespaceOf(netns: Netns): Namespace {
  if (netns instanceof Namespace) return netns
  throw new Error('This network namespace is not of the simulated network.')
}

export class SimNetwork implements Network {
  readonly clock: Clock
  readonly random: Random
  readonly #namespaces = new Map<string, Namespace>()
  readonly #resolvers = new Map<string, { tcp: number; udp: number }>()
  readonly #names = new Map<string, number>()
  readonly #outside: Readonly<Record<string, string>>
  readonly #travel: Travel
  readonly #world: { now(): number; random(): number }
  #gateway: number | undefined

  constructor(options: NetworkOptions) {
    this.clock = options.clock
    this.random = options.random
    this.#outside = options.outside ?? {}
    this.#world = { now: () => options.clock.now(), random: () => options.random.next() }
    this.#travel = new Travel({
      segment: (name) => [...this.#namespaces.values()].filter((one) => one.id === 'host' && one.links.get('eth0')?.segment === name),
      netns: (id) => this.#namespaces.get(id),
      gateway: () => this.#gateway,
      random: () => options.random.next(),
    })
    for (const state of options.saved?.namespaces ?? [])
      this.#namespaces.set(key(state.id, state.machine), Namespace.load(state, this.#world))
    for (const [machine, ports] of options.saved?.resolvers ?? []) this.#resolvers.set(machine, ports)
  }
  save(): NetworkState {
    return { namespaces: [...this.#namespaces.values()].map((one) => one.save()), resolvers: [...this.#resolvers] }
  }

  /**
   * A machine on the lab's cable, 172.19.0.0/16-like: the /16 around its address, with the gateway at .1 of its first /24. `resolver`: the address at
   * which it finds Docker's name server; nodes of kind ask the gateway's (kind rewrites the rules), other containers 127.0.0.11. The same again
   * after a load.
   */
  addMachine(name: string, address: string, options: { resolver?: 'gateway' | 'loopback' } = {}): Netns {
    const at = ip(address)
    const net = networkOf({ ip: at, bits: 16 })
    this.#gateway = net.ip + 1
    this.#names.set(name.toLowerCase(), at)
    let made = this.#namespaces.get(key('host', name))
    if (made === undefined) {
      made = new Namespace('host', name, '', this.#world)
      this.#namespaces.set(key('host', name), made)
      made.addLink({
        name: 'lo',
        kind: 'loopback',
        index: 1,
        mac: '00:00:00:00:00:00',
        mtu: 65536,
        up: true,
        addresses: [{ ip: ip('127.0.0.1'), bits: 8, scope: 'host' }],
      })
      const index = 550 + 2 * this.#names.size
      const mac = `02:42:${[24, 16, 8, 0].map((shift) => ((at >>> shift) & 255).toString(16).padStart(2, '0')).join(':')}`
      made.addLink({
        name: 'eth0',
        kind: 'ethernet',
        index,
        peerIndex: index + 1,
        mac,
        mtu: 1500,
        up: true,
        segment,
        addresses: [{ ip: at, bits: 16, scope: 'global', broadcast: true }],
      })
      made.addRoute({ to: { ip: 0, bits: 0 }, via: net.ip + 1, dev: 'eth0' })
      const defaults: Record<string, string> = {
        'net.ipv4.ip_forward': '1',
        'net.ipv4.conf.all.rp_filter': '1',
        'net.ipv4.conf.all.route_localnet': '0',
        'net.bridge.bridge-nf-call-iptables': '1',
        'net.bridge.bridge-nf-call-ip6tables': '1',
      }
      for (const [sysctl, value] of Object.entries(defaults)) made.sysctls.set(sysctl, value)
      this.#embedResolver(made, formatIp(net.ip + 1), options.resolver ?? 'gateway')
    }
    this.#serveNames(made)
    return made
  }
  #embedResolver(at: Namespace, gateway: string, mode: 'gateway' | 'loopback'): void {
    const ports = { tcp: 32768 + this.random.int(28000), udp: 32768 + this.random.int(28000) }
    this.#resolvers.set(at.machine, ports)
    const address = mode === 'gateway' ? gateway : '127.0.0.11'
    const lines = ['*nat', ':DOCKER_OUTPUT - [0:0]', ':DOCKER_POSTROUTING - [0:0]']
    if (mode === 'gateway') lines.push(`-A PREROUTING -d ${address}/32 -j DOCKER_OUTPUT`)
    lines.push(`-A OUTPUT -d ${address}/32 -j DOCKER_OUTPUT`, `-A POSTROUTING -d ${address}/32 -j DOCKER_POSTROUTING`)
    for (const protocol of ['tcp', 'udp'] as const)
      lines.push(
        `-A DOCKER_OUTPUT -d ${address}/32 -p ${protocol} -m ${protocol} --dport 53 -j DNAT --to-destination 127.0.0.11:${ports[protocol]}`,
      )
    for (const protocol of ['tcp', 'udp'] as const)
      lines.push(
        `-A DOCKER_POSTROUTING -s 127.0.0.11/32 -p ${protocol} -m ${protocol} --sport ${ports[protocol]} -j SNAT --to-source ${address}:53`,
      )
    restore(at.tables, `${lines.join('\n')}\nCOMMIT\n`)
    if (mode === 'gateway') at.sysctls.set('net.ipv4.conf.all.route_localnet', '1')
  }
  #serveNames(at: Namespace): void {
    const ports = this.#resolvers.get(at.machine)
    if (ports === undefined) return
    for (const protocol of ['tcp', 'udp'] as const) {
      const listener: Listener = {
        protocol,
        address: '127.0.0.11',
        port: ports[protocol],
        program: { name: '', pid: 0 },
        dns: (question) => this.#name(question),
      }
      at.listen(listener)
    }
  }
  /** Docker's own name server: machines by name, the world outside as far as it is known. */
  #name(question: DnsQuestion): DnsAnswer {
    const name = question.name.toLowerCase().replace(/\.$/, '')
    const record = (type: string, ttl: number, data: string): DnsAnswer => ({
      rcode: 'NOERROR',
      answers: [{ name: question.name, type, ttl, data }],
    })
    if (question.type === 'PTR') {
      const asked = name
        .replace(/\.in-addr\.arpa$/, '')
        .split('.')
        .reverse()
        .join('.')
      for (const [host, at] of this.#names) if (formatIp(at) === asked) return record('PTR', 600, `${host}.kind.`)
      return { rcode: 'NXDOMAIN', answers: [] }
    }
    const host = this.#names.get(name.replace(/\.kind$/, ''))
    const address = host === undefined ? this.#outside[name] : formatIp(host)
    if (address === undefined) return { rcode: 'NXDOMAIN', answers: [] }
    return question.type === 'A' || question.type === 'ANY' ? record('A', 600, address) : { rcode: 'NOERROR', answers: [] }
  }

  open(from: Netns, protocol: 'tcp' | 'udp', address: string, port: number): Opened | Failed {
    return this.#travel.open(namespaceOf(from), protocol, address, port)
  }
  ping(from: Netns, address: string): { outcome: 'open' } | Failed {
    return this.#travel.ping(namespaceOf(from), ip(address))
  }
  host(machine: string): Namespace {
    const found = this.#namespaces.get(key('host', machine))
    if (found === undefined) throw new Error(`There is no machine ${machine}.`)
    return found
  }
  netns(id: string): Namespace | undefined {
    return this.#namespaces.get(id)
  }
  /** of the pods of one machine */
  pods(machine: string): Namespace[] {
    return [...this.#namespaces.values()].filter((one) => one.machine === machine && one.id !== 'host')
  }
  /** an empty namespace with its loopback down, as a container runtime makes it */
  addNetns(id: string, machine: string): Namespace {
    const { random } = this
    const made = new Namespace(id, machine, `cni-${random.uuid()}`, this.#world)
    made.addLink({ name: 'lo', kind: 'loopback', index: 1, mac: '00:00:00:00:00:00', mtu: 65536, up: false, addresses: [] })
    this.#namespaces.set(id, made)
    return made
  }
  /** with its links, and their ends on the machine */
  removeNetns(id: string): void {
    const gone = this.#namespaces.get(id)
    if (gone === undefined || gone.id === 'host') return
    for (const link of gone.links.values()) if (link.peer) this.#namespaces.get(link.peer.netns)?.removeLink(link.peer.link)
    this.#namespaces.delete(id)
  }
  mac(): string {
    const bytes = [2 + 4 * this.random.int(64), ...Array.from({ length: 5 }, () => this.random.int(256))]
    return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':')
  }
}
