// How a connection's first packet travels from one namespace to another, and its answer back: through rules, routes, bridges, tunnels and cables.
// The result is where it ends, or how it is lost. Knows nothing of Kubernetes, and of no time but what rules ask.
import type { Failed, Listener, Opened } from '../net.ts'
import { formatIp, isLoopback, parseIp } from './ip.ts'
import type { Link, Namespace, Route } from './namespace.ts'
import type { Packet } from './rules.ts'
import type { Hook, TableName } from './tables.ts'

interface Tuple {
  src: number
  sport: number
  dst: number
  dport: number
}
/** One connection: what each namespace has translated of it. */
interface Flow {
  records: { at: Namespace; before: Tuple; after: Tuple }[]
  reply: boolean
  hops: number
}
type End = { kind: 'delivered'; at: Namespace; packet: Packet } | Failed

export interface Fabric {
  /** the namespaces on a cable */
  segment(name: string): Iterable<Namespace>
  netns(id: string): Namespace | undefined
  /** who answers beyond the lab's own machines: the gateway of a segment; undefined: nobody */
  gateway(segment: string): number | undefined
  random(): number
}

const lost = (outcome: Failed['outcome'], why: string): Failed => ({ outcome, why })
const tupleOf = ({ src, sport, dst, dport }: Tuple): Tuple => ({ src, sport, dst, dport })
const same = (a: Tuple, b: Tuple) => a.src === b.src && a.sport === b.sport && a.dst === b.dst && a.dport === b.dport

export class Travel {
  readonly #fabric: Fabric
  constructor(fabric: Fabric) {
    this.#fabric = fabric
  }

  open(from: Namespace, protocol: 'tcp' | 'udp', address: string, port: number): Opened | Failed {
    const dst = address === '::1' ? parseIp('127.0.0.1') : parseIp(address)
    if (dst === undefined) return lost('unreachable', `${address}: no route for this address family`)
    const sport = 32768 + Math.floor(this.#fabric.random() * 28000)
    const flow: Flow = { records: [], reply: false, hops: 0 }
    const first = this.#depart(from, packet(protocol, { src: 0, sport, dst: dst === 0 ? 0x7f000001 : dst, dport: port }), flow)
    if (!('kind' in first)) return first
    const { at, packet: arrived } = first
    const listener: Listener | undefined = at.listener(protocol, arrived.dst, arrived.dport)
    if (listener === undefined)
      return lost('refused', `nobody listens at ${formatIp(arrived.dst)}:${arrived.dport} in ${at.machine}/${at.id}`)
    const answer = packet(protocol, { src: arrived.dst, sport: arrived.dport, dst: arrived.src, dport: arrived.sport })
    const back = this.#depart(at, { ...answer, state: 'ESTABLISHED' }, { records: flow.records, reply: true, hops: 0 })
    if (!('kind' in back)) return lost('timeout', `the answer is lost: ${back.why}`)
    if (back.at !== from) return lost('timeout', `the answer goes to ${back.at.machine}/${back.at.id}`)
    if (back.packet.sport !== port || back.packet.src !== (isLoopback(dst) || dst === 0 ? back.packet.src : dst))
      return lost('timeout', `the answer comes from ${formatIp(back.packet.src)}:${back.packet.sport}, which nobody asked`)
    return {
      outcome: 'open',
      listener,
      to: { netns: at, address: formatIp(arrived.dst), port: arrived.dport },
      from: formatIp(arrived.src),
    }
  }

  /** An ICMP echo. */
  ping(from: Namespace, dst: number): { outcome: 'open'; from: number } | Failed {
    const flow: Flow = { records: [], reply: false, hops: 0 }
    const first = this.#depart(from, packet('icmp', { src: 0, sport: 0, dst, dport: 0 }), flow)
    if (!('kind' in first)) return first
    const answer = packet('icmp', { src: first.packet.dst, sport: 0, dst: first.packet.src, dport: 0 })
    const back = this.#depart(first.at, { ...answer, state: 'ESTABLISHED' }, { records: flow.records, reply: true, hops: 0 })
    return 'kind' in back && back.at === from ? { outcome: 'open', from: dst } : lost('timeout', 'the answer is lost')
  }

  /** A packet of a process in this namespace. */
  #depart(at: Namespace, p: Packet, flow: Flow): End {
    const before = tupleOf(p)
    if (flow.reply) this.#undo(at, p, flow)
    let out = this.#way(at, p.dst)
    if (typeof out === 'string') return lost('unreachable', `${at.machine}/${at.id}: ${out}`)
    if (p.src === 0) {
      const source = out.link.kind === 'loopback' ? p.dst : at.source(out.route as Route)
      if (source === undefined) return lost('unreachable', `${out.link.name} has no address`)
      p.src = source
      before.src = source
    }
    p.in = ''
    p.out = out.link.name
    const was = p.dst
    const stopped = this.#filter(at, 'raw', 'OUTPUT', p) ?? this.#filter(at, 'mangle', 'OUTPUT', p) ?? this.#nat(at, 'OUTPUT', p, flow)
    if (stopped) return stopped
    if (p.dst !== was) {
      out = this.#way(at, p.dst)
      if (typeof out === 'string') return lost('unreachable', `${at.machine}/${at.id}: ${out}`)
      p.out = out.link.name
    }
    const refused = this.#filter(at, 'filter', 'OUTPUT', p)
    if (refused) return refused
    return this.#leave(at, p, flow, out, before)
  }

  /** A packet that comes in by a link. */
  #arrive(at: Namespace, p: Packet, link: Link, flow: Flow): End {
    flow.hops += 1
    if (flow.hops > 32) return lost('timeout', `the packet goes round in circles at ${at.machine}`)
    if (!link.up) return lost('timeout', `${link.name} of ${at.machine}/${at.id} is down`)
    const before = tupleOf(p)
    p.in = link.name
    p.out = ''
    p.mark = 0
    const own = link.kind === 'loopback'
    if (!own && isLoopback(p.src)) return lost('timeout', 'a loopback address came by a cable')
    if (!own && this.#strict(at, link)) {
      const back = at.route(p.src)
      if (back === undefined || (back.dev !== link.name && !at.isLocal(p.src)))
        return lost('timeout', `rp_filter of ${at.machine}: ${formatIp(p.src)} does not belong to ${link.name}`)
    }
    if (flow.reply) this.#undo(at, p, flow)
    const stopped =
      this.#filter(at, 'raw', 'PREROUTING', p) ??
      this.#filter(at, 'mangle', 'PREROUTING', p) ??
      (own ? undefined : this.#nat(at, 'PREROUTING', p, flow))
    if (stopped) return stopped
    if (
      !own &&
      isLoopback(p.dst) &&
      !at.enabled('net.ipv4.conf.all.route_localnet') &&
      !at.enabled(`net.ipv4.conf.${link.name}.route_localnet`)
    )
      return lost('timeout', 'martian destination')
    if (at.isLocal(p.dst)) {
      const refused = this.#filter(at, 'mangle', 'INPUT', p) ?? this.#filter(at, 'filter', 'INPUT', p)
      if (refused) return refused
      this.#record(at, before, p, flow)
      return { kind: 'delivered', at, packet: p }
    }
    if (!at.forwards(link.name)) return lost('timeout', `${at.machine}/${at.id} does not forward what comes by ${link.name}`)
    const out = this.#way(at, p.dst)
    if (typeof out === 'string') return lost('unreachable', `${at.machine}/${at.id}: ${out}`)
    p.out = out.link.name
    const refused = this.#filter(at, 'mangle', 'FORWARD', p) ?? this.#filter(at, 'filter', 'FORWARD', p)
    return refused ?? this.#leave(at, p, flow, out, before)
  }

  /** POSTROUTING, then the link. */
  #leave(at: Namespace, p: Packet, flow: Flow, out: Way, before: Tuple): End {
    const stopped = this.#filter(at, 'mangle', 'POSTROUTING', p) ?? this.#nat(at, 'POSTROUTING', p, flow, out)
    if (stopped) return stopped
    this.#record(at, before, p, flow)
    return this.#transmit(at, out.link, out.next, p, flow)
  }

  #transmit(at: Namespace, link: Link, next: number, p: Packet, flow: Flow): End {
    switch (link.kind) {
      case 'loopback':
        return this.#arrive(at, p, link, flow)
      case 'ethernet': {
        for (const other of this.#fabric.segment(link.segment ?? ''))
          for (const end of other.links.values())
            if (end.kind === 'ethernet' && end.segment === link.segment && end.addresses.some(({ ip }) => ip === next))
              return end.up
                ? this.#met(at, link, next, end.mac, () => this.#arrive(other, p, end, flow))
                : lost('unreachable', `${formatIp(next)} is down`)
        if (next !== this.#fabric.gateway(link.segment ?? '')) return lost('unreachable', `nobody on the cable has ${formatIp(next)}`)
        return p.dst === next
          ? lost('refused', 'the gateway itself')
          : lost('timeout', `${formatIp(p.dst)} went to the gateway, and nobody answers there`)
      }
      case 'veth': {
        const peer = link.peer && this.#fabric.netns(link.peer.netns)
        const end = peer?.links.get(link.peer?.link ?? '')
        if (peer === undefined || end === undefined || !end.up) return lost('unreachable', `the other end of ${link.name} is gone or down`)
        if (end.master === undefined) return this.#arrive(peer, p, end, flow)
        const bridge = peer.links.get(end.master)
        if (bridge === undefined || !bridge.up) return lost('unreachable', `bridge ${end.master} is down`)
        if (bridge.addresses.some(({ ip }) => ip === next))
          return this.#met(at, link, next, bridge.mac, () => this.#arrive(peer, p, bridge, flow))
        return this.#across(peer, bridge, next, p, flow, true)
      }
      case 'bridge':
        return this.#across(at, link, next, p, flow, false)
      case 'vxlan':
        return this.#tunnel(at, link, next, p, flow)
      default:
        return lost('timeout', `${link.name} leads nowhere`)
    }
  }
  #met(at: Namespace, link: Link, next: number, mac: string, go: () => End): End {
    const known = at.neighbours.find((one) => one.dev === link.name && one.ip === next)
    if (known === undefined || known.mac !== mac) at.neighbour(link.name, next, mac, 'REACHABLE')
    return go()
  }
  /** From a bridge to the port behind which an address is. `bridged`: the packet came by another port and has not been routed here. */
  #across(at: Namespace, bridge: Link, next: number, p: Packet, flow: Flow, bridged: boolean): End {
    for (const port of at.links.values()) {
      if (port.master !== bridge.name || !port.up) continue
      const there = port.peer && this.#fabric.netns(port.peer.netns)
      const end = there?.links.get(port.peer?.link ?? '')
      if (there === undefined || end === undefined || !end.addresses.some(({ ip }) => ip === next)) continue
      if (!end.up) break
      if (bridged && at.enabled('net.bridge.bridge-nf-call-iptables')) {
        // br_netfilter: what is only bridged passes the IP rules too, and its connection's translation is undone here.
        const before = tupleOf(p)
        p.in = bridge.name
        p.mark = 0
        if (flow.reply) this.#undo(at, p, flow)
        const was = p.dst
        const stopped = this.#nat(at, 'PREROUTING', p, flow)
        if (stopped) return stopped
        if (p.dst !== was) return this.#rerouted(at, p, flow, before)
        p.out = bridge.name
        const refused = this.#filter(at, 'filter', 'FORWARD', p) ?? this.#nat(at, 'POSTROUTING', p, flow, { link: bridge, next })
        if (refused) return refused
        this.#record(at, before, p, flow)
      } else if (!bridged) this.#met(at, bridge, next, end.mac, () => lost('timeout', ''))
      return this.#arrive(there, p, end, flow)
    }
    return lost('unreachable', `nobody on ${bridge.name} of ${at.machine} has ${formatIp(next)}`)
  }
  #rerouted(at: Namespace, p: Packet, flow: Flow, before: Tuple): End {
    const out = this.#way(at, p.dst)
    if (typeof out === 'string') return lost('unreachable', out)
    p.out = out.link.name
    return this.#filter(at, 'filter', 'FORWARD', p) ?? this.#leave(at, p, flow, out, before)
  }
  #tunnel(at: Namespace, link: Link, next: number, p: Packet, flow: Flow): End {
    const { vxlan } = link
    const known = at.neighbours.find((one) => one.dev === link.name && one.ip === next)
    const remote = known && at.forwarding.find((one) => one.dev === link.name && one.mac === known.mac)
    if (vxlan === undefined || known === undefined) return lost('unreachable', `${link.name} knows no neighbour ${formatIp(next)}`)
    if (remote === undefined) return lost('timeout', `${link.name} does not know where ${known.mac} is`)
    flow.hops += 1
    if (flow.hops > 32) return lost('timeout', 'a tunnel within itself')
    const outer = this.#depart(at, packet('udp', { src: vxlan.local, sport: 49152, dst: remote.dst, dport: vxlan.port }), {
      records: [],
      reply: false,
      hops: flow.hops,
    })
    if (!('kind' in outer))
      return lost(outer.outcome === 'refused' ? 'timeout' : outer.outcome, `tunnel to ${formatIp(remote.dst)}: ${outer.why}`)
    for (const end of outer.at.links.values())
      if (end.kind === 'vxlan' && end.up && end.vxlan?.vni === vxlan.vni && end.vxlan.port === outer.packet.dport && end.mac === known.mac)
        return this.#arrive(outer.at, p, end, flow)
    return lost('timeout', `no end of the tunnel at ${formatIp(remote.dst)}`)
  }

  #way(at: Namespace, dst: number): Way | string {
    if (at.isLocal(dst)) return { link: at.links.get('lo') as Link, next: dst }
    const route = at.route(dst)
    const link = route && at.links.get(route.dev)
    if (route === undefined || route.type !== undefined || link === undefined) return `no route to ${formatIp(dst)}`
    return { link, next: route.via ?? dst, route }
  }
  #strict(at: Namespace, link: Link): boolean {
    return at.sysctl('net.ipv4.conf.all.rp_filter') === '1' || at.sysctl(`net.ipv4.conf.${link.name}.rp_filter`) === '1'
  }
  #filter(at: Namespace, table: TableName, hook: Hook, p: Packet): Failed | undefined {
    const verdict = at.tables.pass(table, hook, p, at.surroundings)
    if (verdict.kind === 'drop') return lost('timeout', `dropped at ${at.machine}/${at.id} ${table} ${hook}: ${verdict.rule}`)
    if (verdict.kind !== 'reject') return undefined
    const how =
      verdict.how === 'icmp-port-unreachable' || verdict.how === 'tcp-reset' || verdict.how === 'icmp-proto-unreachable'
        ? 'refused'
        : 'unreachable'
    return lost(how, `rejected at ${at.machine}/${at.id} ${table} ${hook}: ${verdict.rule}`)
  }
  /** Only a connection's first packet asks the nat table. */
  #nat(at: Namespace, hook: Hook, p: Packet, flow: Flow, out?: Way): Failed | undefined {
    if (flow.reply) return undefined
    const verdict = at.tables.pass('nat', hook, p, at.surroundings)
    const pick = (ports: [number, number] | undefined, otherwise: number) =>
      ports === undefined ? otherwise : ports[0] + Math.floor(this.#fabric.random() * (ports[1] - ports[0] + 1))
    switch (verdict.kind) {
      case 'drop':
        return lost('timeout', `dropped at ${at.machine} nat ${hook}: ${verdict.rule}`)
      case 'dnat':
        if (verdict.to.from !== 0) p.dst = verdict.to.from + Math.floor(this.#fabric.random() * (verdict.to.until - verdict.to.from + 1))
        p.dport = pick(verdict.to.ports, p.dport)
        p.dnat = true
        break
      case 'redirect':
        p.dst = hook === 'OUTPUT' ? 0x7f000001 : (at.links.get(p.in)?.addresses[0]?.ip ?? p.dst)
        p.dport = pick(verdict.ports, p.dport)
        p.dnat = true
        break
      case 'snat':
        p.src = verdict.to.from
        p.sport = pick(verdict.to.ports, p.sport)
        p.snat = true
        break
      case 'masquerade': {
        const source = out?.route
          ? at.source({ ...out.route, src: out.route.src })
          : out?.link.kind === 'loopback'
            ? p.src
            : out?.link.addresses[0]?.ip
        if (source === undefined) return lost('timeout', `${p.out} has no address to masquerade with`)
        p.src = source
        p.sport = pick(verdict.ports, p.sport)
        p.snat = true
      }
    }
    return undefined
  }
  #record(at: Namespace, before: Tuple, p: Packet, flow: Flow): void {
    if (!flow.reply && !same(before, p)) flow.records.push({ at, before, after: tupleOf(p) })
  }
  /** An answer gets the addresses that the question had before it was translated here. */
  #undo(at: Namespace, p: Packet, flow: Flow): void {
    const record = flow.records.find(
      (one) =>
        one.at === at && one.after.dst === p.src && one.after.dport === p.sport && one.after.src === p.dst && one.after.sport === p.dport,
    )
    if (record === undefined) return
    const { before } = record
    Object.assign(p, { src: before.dst, sport: before.dport, dst: before.src, dport: before.sport, dnat: true, snat: true })
  }
}
interface Way {
  link: Link
  next: number
  route?: Route
}
function packet(protocol: Packet['protocol'], tuple: Tuple): Packet {
  return { protocol, ...tuple, mark: 0, in: '', out: '', state: 'NEW', dnat: false, snat: false }
}
