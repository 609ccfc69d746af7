// ip, route, arp and bridge: a namespace's links, addresses, routes and neighbours, shown and changed as iproute2 6.15 and net-tools do. Knows nothing of rules.
import type { Tool, ToolCall } from '../../process.ts'
import { formatIp, formatPrefix, maskOf, network as networkOf, parseIp, parsePrefix } from '../ip.ts'
import type { Link, Namespace, Route } from '../namespace.ts'
import { namespaceOf, type SimNetwork } from '../network.ts'

class Refused extends Error {
  readonly code: number
  constructor(message: string, code = 2) {
    super(message)
    this.code = code
  }
}
const answers = (message: string) => new Refused(`RTNETLINK answers: ${message}`)
const find = (at: Namespace, name: string | undefined): Link => {
  const link = at.links.get(name ?? '')
  if (link === undefined) throw new Refused(`Cannot find device "${name}"`, 1)
  return link
}

export const ipTool =
  (network: SimNetwork): Tool =>
  async (call) => {
    let at = namespaceOf(call.place.net)
    let brief = false
    let oneline = false
    let details = false
    let words = call.argv.slice(1)
    for (;;) {
      const word = words[0] ?? ''
      if (word === '-br' || word === '-brief') brief = true
      else if (word === '-o' || word === '-oneline') oneline = true
      else if (word === '-d' || word === '-details') details = true
      else if (word === '-n' || word === '-netns') {
        const found = network.pods(call.place.machine.name).find((pod) => pod.name === words[1])
        if (found === undefined) {
          call.err(`Cannot open network namespace "${words[1]}": No such file or directory\n`)
          return 255
        }
        at = found
        words = words.slice(1)
      } else if (word === '-V') {
        call.out('ip utility, iproute2-6.15.0, libbpf 1.5.0\n')
        return 0
      } else if (!/^-(4|6|c|color.*|s|stats|statistics|json|j|p|family|f|inet)$/.test(word)) break
      else if (word === '-j' || word === '-json') {
        call.err('ip: JSON output is not part of this simulated machine\n')
        return 1
      }
      words = words.slice(1)
    }
    const six = call.argv.includes('-6')
    const [object = '', ...rest] = words
    const is = (name: string) => object !== '' && name.startsWith(object)
    try {
      const change = () => {
        if (call.uid !== 0) throw answers('Operation not permitted')
      }
      if (is('address')) return address(call, at, rest, { brief, details, six, four: call.argv.includes('-4'), oneline }, change)
      if (is('link')) return link(oneline ? inOneLine(call) : call, at, network, rest, { brief, details }, change)
      if (is('route')) return route(call, at, six ? ['show6'] : rest, change)
      if (is('neighbour') || is('neighbor')) return neighbours(call, at, rest, change)
      if (is('rule')) {
        call.out('0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n')
        return 0
      }
      if (is('netns')) {
        if (rest[0] === 'exec')
          throw new Refused(
            'ip: netns exec is not part of this simulated machine; use `ip -n <name> …` to look at a pod’s links and routes',
            1,
          )
        for (const [index, pod] of [...network.pods(call.place.machine.name)].reverse().entries())
          call.out(`${pod.name} (id: ${network.pods(call.place.machine.name).length - index})\n`)
        return 0
      }
      call.err(object === '' ? 'Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }\n' : `Object "${object}" is unknown, try "ip help".\n`)
      return object === '' ? 255 : 1
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      call.err(`${error.message}\n`)
      return error.code
    }
  }

/** A bridge without a port that is up has no carrier. */
const idle = (at: Namespace, link: Link | undefined) =>
  link?.kind === 'bridge' && link.up && ![...at.links.values()].some((port) => port.master === link.name && port.up)
const flagsOf = (at: Namespace, link: Link) => {
  const flags = link.kind === 'loopback' ? ['LOOPBACK'] : ['BROADCAST', 'MULTICAST']
  if (idle(at, link)) return ['NO-CARRIER', ...flags, 'UP'].join(',')
  if (link.up) flags.push('UP', 'LOWER_UP')
  return flags.join(',')
}
const stateOf = (at: Namespace, link: Link) =>
  !link.up || idle(at, link) ? 'DOWN' : link.kind === 'loopback' || link.kind === 'vxlan' || link.kind === 'dummy' ? 'UNKNOWN' : 'UP'
const peerOf = (link: Link) =>
  link.kind === 'veth' && link.peerIndex !== undefined ? `@if${link.peerIndex}` : link.kind === 'ethernet' ? `@if${link.peerIndex}` : ''
function head(at: Namespace, link: Link, mode: boolean): string {
  const queue =
    link.kind === 'loopback' || link.kind === 'bridge' || (link.kind === 'veth' && link.master === undefined) ? ' qlen 1000' : ''
  const master = link.master === undefined ? '' : ` master ${link.master}`
  const far =
    link.kind === 'veth' && link.peerNetnsName
      ? ` link-netns ${link.peerNetnsName}`
      : link.kind === 'veth' || link.kind === 'ethernet'
        ? ' link-netnsid 0'
        : ''
  return (
    `${link.index}: ${link.name}${peerOf(link)}: <${flagsOf(at, link)}> mtu ${link.mtu} qdisc ${link.up || link.kind !== 'veth' ? 'noqueue' : 'noop'}${master} state ${stateOf(at, link)}${mode ? ' mode DEFAULT' : ''} group default${queue || ' '}\n` +
    `    link/${link.kind === 'loopback' ? 'loopback' : 'ether'} ${link.mac} brd ${link.kind === 'loopback' ? '00:00:00:00:00:00' : 'ff:ff:ff:ff:ff:ff'}${far}`
  )
}
const sorted = (at: Namespace) => [...at.links.values()].sort((a, b) => a.index - b.index)

const broadcastOf = (one: Link['addresses'][number]) =>
  one.broadcast ? ` brd ${formatIp((networkOf(one).ip | ~maskOf(one.bits)) >>> 0)}` : ''
/** -oneline: what would begin a further line of the same thing follows a backslash */
const inOneLine = (call: ToolCall): ToolCall => ({
  ...call,
  out: (bytes) => call.out(typeof bytes === 'string' ? bytes.replace(/\n(?= )/g, '\\') : bytes),
})

function address(
  call: ToolCall,
  at: Namespace,
  words: string[],
  shown: { brief: boolean; six: boolean; four: boolean; details: boolean; oneline: boolean },
  change: () => void,
): number {
  const [verb = 'show', ...rest] = words
  const dev = (list: string[]) => {
    const place = list.indexOf('dev')
    return place === -1 ? undefined : list[place + 1]
  }
  if ('add'.startsWith(verb) || 'replace'.startsWith(verb) || 'delete'.startsWith(verb)) {
    change()
    const prefix = parsePrefix(rest[0] ?? '')
    if (prefix === undefined) throw new Refused(`Error: any valid prefix is expected rather than "${rest[0] ?? ''}".`, 1)
    const link = find(at, dev(rest))
    if ('delete'.startsWith(verb)) {
      if (!at.removeAddress(link, prefix)) throw answers('Cannot assign requested address')
      return 0
    }
    if (link.addresses.some((one) => one.ip === prefix.ip && one.bits === prefix.bits)) throw answers('File exists')
    at.addAddress(link, { ...prefix, scope: 'global', broadcast: rest.includes('brd') })
    return 0
  }
  if (verb === 'flush') {
    change()
    const link = find(at, dev(rest) ?? rest[0])
    for (const one of [...link.addresses]) at.removeAddress(link, one)
    return 0
  }
  const only =
    verb === 'show' || 'list'.startsWith(verb) || 'show'.startsWith(verb)
      ? (dev(rest) ?? rest.find((word) => !['up', 'scope', 'global'].includes(word)))
      : (dev(words) ?? verb)
  if (only !== undefined && !at.links.has(only)) throw new Refused(`Device "${only}" does not exist.`, 1)
  for (const link of sorted(at)) {
    if (only !== undefined && link.name !== only) continue
    if (shown.six) continue
    if (shown.brief) {
      call.out(
        `${`${link.name}${peerOf(link)}`.padEnd(16)} ${stateOf(at, link).padEnd(14)} ${link.addresses.map((one) => `${formatPrefix(one)} `).join('')}\n`,
      )
      continue
    }
    if (shown.oneline) {
      for (const one of link.addresses)
        call.out(
          `${link.index}: ${link.name}    inet ${formatPrefix(one)}${broadcastOf(one)} scope ${one.scope} ${link.name}\\       valid_lft forever preferred_lft forever\n`,
        )
      continue
    }
    if (shown.four && link.addresses.length === 0) continue
    // Asked for one family, ip leaves out the other's lines: those of the link itself.
    const whole = head(at, link, false)
    call.out(`${shown.four ? `${whole.split('\n')[0]}${/ link-netns(?:id)? \S+$/.exec(whole)?.[0] ?? ''}` : whole}\n`)
    for (const one of link.addresses) {
      call.out(
        `    inet ${formatPrefix(one)}${broadcastOf(one)} scope ${one.scope} ${link.name}\n       valid_lft forever preferred_lft forever\n`,
      )
    }
  }
  return 0
}
function link(
  call: ToolCall,
  at: Namespace,
  network: SimNetwork,
  words: string[],
  shown: { brief: boolean; details: boolean },
  change: () => void,
): number {
  const [verb = 'show', ...rest] = words
  const after = (word: string) => (rest.includes(word) ? rest[rest.indexOf(word) + 1] : undefined)
  if (verb === 'set' || verb === 's') {
    change()
    const name = after('dev') ?? rest[0]
    const one = find(at, name)
    if (rest.includes('up')) at.setUp(one, true)
    if (rest.includes('down')) at.setUp(one, false)
    const mtu = after('mtu')
    if (mtu !== undefined) one.mtu = Number(mtu)
    const mac = after('address')
    if (mac !== undefined) one.mac = mac
    const master = after('master')
    if (master !== undefined) one.master = find(at, master).name
    if (rest.includes('nomaster')) delete one.master
    return 0
  }
  if (verb === 'add' || verb === 'a') {
    change()
    const type = after('type')
    const name = after('name') ?? (rest[0] === 'dev' ? rest[1] : rest[0])
    if (name === undefined || type === undefined) throw new Refused('Not enough information: "type" argument is required.', 255)
    if (at.links.has(name)) throw answers('File exists')
    if (type === 'vxlan') {
      const dev =
        after('dev') === name ? 'eth0' : rest.slice(rest.indexOf('type')).includes('dev') ? rest[rest.lastIndexOf('dev') + 1] : 'eth0'
      const base = at.links.get(dev ?? 'eth0')
      at.addLink({
        name,
        kind: 'vxlan',
        mac: network.mac(),
        mtu: (base?.mtu ?? 1500) - 50,
        up: false,
        vxlan: {
          vni: Number(after('id') ?? 1),
          port: Number(after('dstport') ?? 8472),
          local: parseIp(after('local') ?? '') ?? base?.addresses[0]?.ip ?? 0,
          dev: dev ?? 'eth0',
        },
      })
    } else if (type === 'bridge' || type === 'dummy') at.addLink({ name, kind: type, mac: network.mac(), mtu: 1500, up: false })
    else throw new Refused(`Error: links of type ${type} are not part of this simulated machine.`)
    return 0
  }
  if ('delete'.startsWith(verb)) {
    change()
    const one = find(at, after('dev') ?? rest[0])
    if (one.kind === 'loopback') throw answers('Operation not supported')
    at.removeLink(one.name)
    return 0
  }
  const only = ['show', 'list', 'ls', 'sh', 'l'].includes(verb)
    ? (after('dev') ?? (after('type') || after('master') ? undefined : rest[0]))
    : verb
  if (only !== undefined && !at.links.has(only)) throw new Refused(`Device "${only}" does not exist.`, 1)
  const type = after('type')
  for (const one of sorted(at)) {
    if (
      (only !== undefined && one.name !== only) ||
      (type !== undefined && one.kind !== type) ||
      (after('master') !== undefined && one.master !== after('master'))
    )
      continue
    if (shown.brief) {
      call.out(`${`${one.name}${peerOf(one)}`.padEnd(16)} ${stateOf(at, one).padEnd(14)} ${one.mac} <${flagsOf(at, one)}> \n`)
      continue
    }
    call.out(`${head(at, one, true)}${shown.details ? detail(one) : ''}\n`)
  }
  return 0
}
function detail(link: Link): string {
  const tail =
    'numtxqueues 1 numrxqueues 1 gso_max_size 65536 gso_max_segs 65535 tso_max_size 524280 tso_max_segs 65535 gro_max_size 65536 gso_ipv4_max_size 65536 gro_ipv4_max_size 65536 '
  const first = ' promiscuity 0 allmulti 0 minmtu 68 maxmtu 65535 '
  if (link.vxlan)
    return `${first}\n    vxlan id ${link.vxlan.vni} local ${formatIp(link.vxlan.local)} dev ${link.vxlan.dev} srcport 0 0 dstport ${link.vxlan.port} ttl auto ageing 300 reserved_bits 0xf7ffffff000000ff nolearning addrgenmode eui64 ${tail}`
  if (link.kind === 'bridge')
    return `${first}\n    bridge forward_delay 1500 hello_time 200 max_age 2000 ageing_time 30000 stp_state 0 priority 32768 vlan_filtering 0 bridge_id 8000.${link.mac} designated_root 8000.${link.mac} addrgenmode eui64 ${tail}`
  if (link.kind === 'veth' || link.kind === 'ethernet')
    return `${first}\n    veth ${link.master ? `\n    bridge_slave state forwarding priority 32 cost 2 hairpin ${link.hairpin ? 'on' : 'off'} ` : ''}addrgenmode eui64 ${tail}`
  return `${first}addrgenmode eui64 ${tail}`
}

const shownRoute = (at: Namespace, route: Route) =>
  `${route.type ? `${route.type} ` : ''}${route.to.bits === 0 ? 'default' : route.to.bits === 32 ? formatIp(route.to.ip) : formatPrefix(route.to)}${route.via === undefined ? '' : ` via ${formatIp(route.via)}`}${route.type ? '' : ` dev ${route.dev}`}${route.proto && route.proto !== 'static' ? ` proto ${route.proto}` : ''}${route.scope ? ` scope ${route.scope}` : ''}${route.src === undefined ? '' : ` src ${formatIp(route.src)}`}${route.metric ? ` metric ${route.metric}` : ''}${route.onlink ? ' onlink' : ''}${idle(at, at.links.get(route.dev)) ? ' linkdown' : ''} \n`
function route(call: ToolCall, at: Namespace, words: string[], change: () => void): number {
  const [verb = 'show', ...rest] = words
  const after = (word: string) => (rest.includes(word) ? rest[rest.indexOf(word) + 1] : undefined)
  if (verb === 'show6') return 0
  if (verb === 'get' || verb === 'g') {
    const to = parseIp(rest[0] === 'to' ? (rest[1] ?? '') : (rest[0] ?? ''))
    if (to === undefined) throw new Refused(`Error: any valid prefix is expected rather than "${rest[0] ?? ''}".`, 1)
    if (at.isLocal(to)) {
      const text = formatIp(to)
      call.out(`local ${text} dev lo src ${text} uid ${call.uid} \n    cache <local> \n`)
      return 0
    }
    const found = at.route(to)
    if (found === undefined || found.type !== undefined) throw answers('Network is unreachable')
    const source = at.source(found)
    call.out(
      `${formatIp(to)}${found.via === undefined ? '' : ` via ${formatIp(found.via)}`} dev ${found.dev}${source === undefined ? '' : ` src ${formatIp(source)}`} uid ${call.uid} \n    cache \n`,
    )
    return 0
  }
  if (['add', 'a', 'replace', 'append', 'change', 'del', 'delete', 'd'].includes(verb)) {
    change()
    const types = ['blackhole', 'unreachable', 'prohibit']
    const type = types.includes(rest[0] ?? '') ? (rest.shift() as Route['type']) : undefined
    if (rest[0] === 'to' || rest[0] === 'unicast') rest.shift()
    const text = rest[0] ?? ''
    const to = text === 'default' ? { ip: 0, bits: 0 } : parsePrefix(text)
    if (to === undefined) throw new Refused(`Error: any valid prefix is expected rather than "${text}".`, 1)
    const viaText = after('via')
    const via = viaText === undefined ? undefined : parseIp(viaText)
    if (viaText !== undefined && via === undefined) throw new Refused(`Error: inet address is expected rather than "${viaText}".`, 1)
    const dev = after('dev')
    if (verb.startsWith('d')) {
      if (
        !at.removeRoute(
          (one) =>
            one.to.ip === networkOf(to).ip &&
            one.to.bits === to.bits &&
            (dev === undefined || one.dev === dev) &&
            (via === undefined || one.via === via),
        )
      )
        throw answers('No such process')
      return 0
    }
    if (dev !== undefined && !at.links.has(dev)) throw new Refused(`Cannot find device "${dev}"`, 1)
    if (networkOf(to).ip !== to.ip) throw new Refused('Error: Invalid prefix for given prefix length.')
    const onlink = rest.includes('onlink')
    const towards = via === undefined ? undefined : at.route(via)
    if (via !== undefined && !onlink && (towards === undefined || towards.via !== undefined))
      throw new Refused('Error: Nexthop has invalid gateway.')
    if (type === undefined && dev === undefined && via === undefined) throw new Refused('RTNETLINK answers: No such device')
    const link = at.links.get(dev ?? towards?.dev ?? '')
    if (type === undefined && link !== undefined && !link.up) throw new Refused('Error: Device for nexthop is not up.')
    const src = parseIp(after('src') ?? '')
    const metric = Number(after('metric') ?? 0)
    const made: Route = {
      to,
      dev: link?.name ?? 'lo',
      ...(via === undefined ? {} : { via }),
      ...(via === undefined && type === undefined ? { scope: 'link' as const } : {}),
      ...(src === undefined ? {} : { src }),
      ...(metric ? { metric } : {}),
      ...(onlink ? { onlink } : {}),
      ...(type ? { type } : {}),
    }
    if (!at.addRoute(made, verb === 'replace' || verb === 'change')) throw answers('File exists')
    return 0
  }
  if (verb === 'flush') {
    change()
    throw new Refused('ip: route flush is not part of this simulated machine; delete routes one by one', 1)
  }
  if (!['show', 'list', 'ls', 's', 'sh', 'l'].includes(verb)) throw new Refused(`Command "${verb}" is unknown, try "ip route help".`, 255)
  if (after('table') === 'local') {
    for (const one of sorted(at))
      for (const { ip, bits } of one.addresses)
        call.out(`local ${formatIp(ip)} dev ${one.name} proto kernel scope host src ${formatIp(ip)} \n${bits === 8 ? '' : ''}`)
    return 0
  }
  const dev = after('dev')
  const text = rest.find(
    (word, index) =>
      !['dev', 'table', 'main', 'proto', 'via'].includes(word) && !['dev', 'table', 'proto', 'via'].includes(rest[index - 1] ?? ''),
  )
  const wanted = text === 'default' ? { ip: 0, bits: 0 } : parsePrefix(text ?? '')
  for (const one of at.routes)
    if ((dev === undefined || one.dev === dev) && (wanted === undefined || (one.to.ip === wanted.ip && one.to.bits === wanted.bits)))
      call.out(shownRoute(at, one))
  return 0
}
function neighbours(call: ToolCall, at: Namespace, words: string[], change: () => void): number {
  const [verb = 'show', ...rest] = words
  const after = (word: string) => (rest.includes(word) ? rest[rest.indexOf(word) + 1] : undefined)
  if (['add', 'replace', 'del', 'delete', 'flush'].includes(verb)) {
    change()
    const dev = after('dev') ?? ''
    const to = parseIp(rest[0] ?? '')
    if (verb === 'flush') at.neighbours = at.neighbours.filter((one) => dev !== '' && one.dev !== dev)
    else if (to === undefined) throw new Refused(`Error: inet address is expected rather than "${rest[0] ?? ''}".`, 1)
    else if (verb.startsWith('d')) {
      const before = at.neighbours.length
      at.neighbours = at.neighbours.filter((one) => one.dev !== dev || one.ip !== to)
      if (at.neighbours.length === before) throw answers('No such file or directory')
    } else at.neighbour(find(at, dev).name, to, after('lladdr') ?? '', (after('nud') ?? 'permanent').toUpperCase())
    return 0
  }
  for (const one of at.neighbours)
    if (after('dev') === undefined || after('dev') === one.dev)
      call.out(`${formatIp(one.ip)} dev ${one.dev} lladdr ${one.mac} ${one.state} \n`)
  return 0
}

export const routeTool: Tool = async (call) => {
  const at = namespaceOf(call.place.net)
  const verb = call.argv.slice(1).find((word) => !word.startsWith('-'))
  if (verb !== undefined) {
    call.err('route: changes are made with `ip route` on this simulated machine\n')
    return 1
  }
  call.out('Kernel IP routing table\nDestination     Gateway         Genmask         Flags Metric Ref    Use Iface\n')
  for (const one of at.routes) {
    const flags = `U${one.via === undefined ? '' : 'G'}${one.to.bits === 32 ? 'H' : ''}`
    const numeric = call.argv.some((word) => /^-\w*n/.test(word))
    const to = one.to.bits === 0 && !numeric ? 'default' : formatIp(one.to.ip)
    call.out(
      `${to.padEnd(15)} ${formatIp(one.via ?? 0).padEnd(15)} ${formatIp(maskOf(one.to.bits)).padEnd(15)} ${flags.padEnd(5)} ${String(one.metric ?? 0).padEnd(6)} 0        0 ${one.dev}\n`,
    )
  }
  return 0
}
export const arp: Tool = async (call) => {
  const at = namespaceOf(call.place.net)
  call.out('Address                  HWtype  HWaddress           Flags Mask            Iface\n')
  for (const one of at.neighbours)
    call.out(
      `${formatIp(one.ip).padEnd(24)} ether   ${one.mac}   C${one.state === 'PERMANENT' ? 'M' : ' '}                    ${one.dev}\n`,
    )
  return 0
}
export const bridgeTool: Tool = async (call) => {
  const at = namespaceOf(call.place.net)
  const [object = ''] = call.argv.slice(1).filter((word) => !word.startsWith('-'))
  if ('link'.startsWith(object) && object !== '') {
    for (const link of sorted(at))
      if (link.master)
        call.out(
          `${link.index}: ${link.name}@if2: <${flagsOf(at, link)}> mtu ${link.mtu} master ${link.master} state forwarding priority 32 cost 2 \n`,
        )
    return 0
  }
  if (object === 'fdb') {
    for (const one of at.forwarding) call.out(`${one.mac} dev ${one.dev} dst ${formatIp(one.dst)} self permanent\n`)
    for (const link of sorted(at)) {
      if (link.kind === 'bridge') call.out(`${link.mac} dev ${link.name} master ${link.name} permanent\n`)
      if (link.master) call.out(`${link.mac} dev ${link.name} master ${link.master} permanent\n`)
    }
    return 0
  }
  call.err(`Object "${object}" is unknown, try "bridge help".\n`)
  return 255
}
