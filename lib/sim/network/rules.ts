// iptables rules: what a rule's words mean, whether a packet matches, and how iptables-save prints it. Form and order of the output are those of
// iptables 1.8.11 (nf_tables). Knows nothing of tables, interfaces or who adds rules.
import { contains, formatPrefix, network, type Prefix, parsePrefix } from './ip.ts'

export interface Packet {
  protocol: 'tcp' | 'udp' | 'icmp'
  src: number
  sport: number
  dst: number
  dport: number
  mark: number
  in: string
  out: string
  state: 'NEW' | 'ESTABLISHED'
  /** its connection has been translated so */
  dnat: boolean
  snat: boolean
}
/** What matches ask of the namespace that the packet is in. */
export interface Surroundings {
  now(): number
  random(): number
  isLocal(ip: number): boolean
  /** `-m recent` lists: name → address → epoch ms last seen */
  recent: Map<string, Map<number, number>>
}
export interface Target {
  /** ACCEPT, DROP, DNAT … or a chain; '' for a rule that only counts */
  name: string
  goto: boolean
  /** of DNAT, SNAT, MASQUERADE, REDIRECT */
  to?: { from: number; until: number; ports?: [number, number] }
  /** of MARK: bits to clear, then bits to flip */
  mark?: { clear: number; flip: number }
  reject?: string
}
export interface Rule {
  /** as iptables-save prints it after the chain's name */
  readonly text: string
  readonly target: Target
  /** by which -m parts a listing describes it */
  readonly parts: RuleParts
  matches(packet: Packet, at: Surroundings): boolean
  packets: number
  bytes: number
}
export interface RuleParts {
  src?: Not<Prefix>
  dst?: Not<Prefix>
  in?: Not<string>
  out?: Not<string>
  protocol?: Not<string>
  extensions: { name: string; options: { flag: string; values: string[]; not: boolean }[] }[]
  targetOptions: string[]
}
interface Not<T> {
  value: T
  not: boolean
}
/** A command line that iptables refuses; `message` without `iptables v…: `. */
export class RuleError extends Error {
  readonly exitCode: number
  constructor(message: string, exitCode = 2) {
    super(message)
    this.exitCode = exitCode
  }
}

type Test = (packet: Packet, at: Surroundings) => boolean
interface Extension {
  /** option → number of values */
  options: Record<string, number>
  /** canonical form of an option's values; throws RuleError */
  canonical?(flag: string, values: string[]): { flag: string; values: string[] }
  test(options: Map<string, { values: string[]; not: boolean }>): Test
  /** the first option may stand alone for printing order */
}
const protocols: Record<string, string> = {
  '6': 'tcp',
  '17': 'udp',
  '1': 'icmp',
  '132': 'sctp',
  '58': 'ipv6-icmp',
  '47': 'gre',
  '4': 'ipencap',
}
const services: Record<string, number> = { http: 80, https: 443, domain: 53, ssh: 22, 'kubernetes-api': 6443, ntp: 123, smtp: 25 }

function port(text: string): number {
  const value = services[text] ?? (/^\d+$/.test(text) ? Number(text) : Number.NaN)
  if (!(value >= 0 && value <= 65535)) throw new RuleError(`invalid port/service \`${text}' specified`)
  return value
}
const portRange = (text: string): [number, number] => {
  const [from = '', until] = text.split(':')
  const low = from === '' ? 0 : port(from)
  return [low, until === undefined ? low : until === '' ? 65535 : port(until)]
}
const printRange = ([from, until]: [number, number], between = ':') => (from === until ? `${from}` : `${from}${between}${until}`)
const within = ([from, until]: [number, number], value: number) => value >= from && value <= until
function number(text: string): number {
  const value = Number(text)
  if (text === '' || !Number.isInteger(value) || value < 0 || value > 0xffffffff) throw new RuleError(`Bad integer value "${text}"`)
  return value
}
const hex = (value: number) => `0x${(value >>> 0).toString(16)}`
const masked = (text: string): [number, number] => {
  const [value = '', mask] = text.split('/')
  return [number(value), mask === undefined ? 0xffffffff : number(mask)]
}
const printMasked = ([value, mask]: [number, number]) => (mask === 0xffffffff ? hex(value) : `${hex(value)}/${hex(mask)}`)
const stateOrder = ['INVALID', 'NEW', 'RELATED', 'ESTABLISHED', 'UNTRACKED', 'SNAT', 'DNAT']
const states = (text: string): string[] => {
  const named = text.split(',')
  for (const one of named) if (!stateOrder.includes(one)) throw new RuleError(`Bad ctstate "${one}"`)
  return stateOrder.filter((state) => named.includes(state))
}
const always: Test = () => true
const flip = (test: Test, not: boolean): Test => (not ? (packet, at) => !test(packet, at) : test)

const portOptions = { '--dport': 1, '--sport': 1, '--destination-port': 1, '--source-port': 1 }
const ports = (extra: Record<string, number>): Extension => ({
  options: { ...portOptions, ...extra },
  canonical: (flag, values) =>
    flag.endsWith('port')
      ? { flag: flag.startsWith('--d') ? '--dport' : '--sport', values: [printRange(portRange(values[0] as string))] }
      : flag === '--syn'
        ? { flag: '--tcp-flags', values: ['FIN,SYN,RST,ACK', 'SYN'] }
        : { flag, values },
  test: (options) => {
    const tests = [...options].map(([flag, { values, not }]): Test => {
      const range = flag.endsWith('port') ? portRange(values[0] as string) : undefined
      if (flag === '--dport') return flip((packet) => within(range as [number, number], packet.dport), not)
      if (flag === '--sport') return flip((packet) => within(range as [number, number], packet.sport), not)
      // Only first packets and their answers pass here: the one has SYN alone, the other SYN and ACK.
      if (flag === '--tcp-flags')
        return flip((packet) => (values[1] === 'SYN' ? packet.state === 'NEW' : values[1] !== 'RST' && values[1] !== 'FIN'), not)
      return always
    })
    return (packet, at) => tests.every((test) => test(packet, at))
  },
})
const list = (text: string): [number, number][] => text.split(',').map(portRange)
const conntrack = (flag: string): Extension => ({
  options: { [flag]: 1, '--ctdir': 1, '--ctproto': 1 },
  canonical: (name, values) => (name === flag ? { flag, values: [states(values[0] as string).join(',')] } : { flag: name, values }),
  test: (options) => {
    const asked = options.get(flag)
    if (asked === undefined) return always
    const named = new Set(asked.values[0]?.split(','))
    return flip((packet) => named.has(packet.state) || (packet.dnat && named.has('DNAT')) || (packet.snat && named.has('SNAT')), asked.not)
  },
})
const extensions: Record<string, Extension> = {
  comment: { options: { '--comment': 1 }, test: () => always },
  tcp: ports({ '--syn': 0, '--tcp-flags': 2, '--tcp-option': 1 }),
  udp: ports({}),
  sctp: ports({}),
  icmp: { options: { '--icmp-type': 1 }, test: () => (packet) => packet.protocol === 'icmp' },
  multiport: {
    options: { '--dports': 1, '--sports': 1, '--ports': 1, '--destination-ports': 1, '--source-ports': 1 },
    canonical: (flag, values) => ({
      flag: flag === '--destination-ports' ? '--dports' : flag === '--source-ports' ? '--sports' : flag,
      values: [
        list(values[0] as string)
          .map((range) => printRange(range))
          .join(','),
      ],
    }),
    test: (options) => {
      const [[flag, { values, not }] = ['', { values: [''], not: false }]] = options
      const ranges = list(values[0] as string)
      const has = (value: number) => ranges.some((range) => within(range, value))
      return flip((p) => (flag !== '--sports' && has(p.dport)) || (flag !== '--dports' && has(p.sport)), not)
    },
  },
  conntrack: conntrack('--ctstate'),
  state: conntrack('--state'),
  mark: {
    options: { '--mark': 1 },
    canonical: (flag, values) => ({ flag, values: [printMasked(masked(values[0] as string))] }),
    test: (options) => {
      const asked = options.get('--mark')
      if (asked === undefined) return always
      const [value, mask] = masked(asked.values[0] as string)
      return flip((packet) => (packet.mark & mask) >>> 0 === value, asked.not)
    },
  },
  addrtype: {
    options: { '--dst-type': 1, '--src-type': 1, '--limit-iface-in': 0, '--limit-iface-out': 0 },
    test: (options) => {
      const is = (type: string, ip: number, at: Surroundings) =>
        type.split(',').some((one) => (one === 'LOCAL' ? at.isLocal(ip) : one === 'UNICAST' ? !at.isLocal(ip) : false))
      const [dst, src] = [options.get('--dst-type'), options.get('--src-type')]
      return (packet, at) =>
        (dst === undefined || is(dst.values[0] as string, packet.dst, at) !== dst.not) &&
        (src === undefined || is(src.values[0] as string, packet.src, at) !== src.not)
    },
  },
  statistic: {
    options: { '--mode': 1, '--probability': 1, '--every': 1, '--packet': 1 },
    canonical: (flag, values) =>
      flag === '--probability'
        ? { flag, values: [(Math.round(Number(values[0]) * 0x80000000) / 0x80000000).toFixed(11)] }
        : { flag, values },
    test: (options) => {
      const probability = options.get('--probability')
      if (probability !== undefined) return flip((_, at) => at.random() < Number(probability.values[0]), probability.not)
      const every = Number(options.get('--every')?.values[0] ?? 1)
      let seen = Number(options.get('--packet')?.values[0] ?? 0)
      return () => seen++ % every === 0
    },
  },
  recent: {
    options: {
      '--name': 1,
      '--set': 0,
      '--rcheck': 0,
      '--update': 0,
      '--remove': 0,
      '--seconds': 1,
      '--reap': 0,
      '--mask': 1,
      '--rsource': 0,
      '--rdest': 0,
      '--hitcount': 1,
    },
    test: (options) => {
      const name = options.get('--name')?.values[0] ?? 'DEFAULT'
      const seconds = Number(options.get('--seconds')?.values[0] ?? 0)
      return (packet, at) => {
        let seen = at.recent.get(name)
        if (options.has('--set')) {
          if (seen === undefined) {
            seen = new Map()
            at.recent.set(name, seen)
          }
          seen.set(packet.src, at.now())
          return true
        }
        const last = seen?.get(packet.src)
        return last !== undefined && (seconds === 0 || at.now() - last <= seconds * 1000)
      }
    },
  },
  limit: { options: { '--limit': 1, '--limit-burst': 1 }, test: () => always },
  nfacct: { options: { '--nfacct-name': 1 }, test: () => always },
  owner: {
    options: { '--uid-owner': 1, '--gid-owner': 1, '--socket-exists': 0 },
    // Whoever opens connections here is root.
    test: (options) => flip(() => options.get('--uid-owner')?.values[0] === '0', options.get('--uid-owner')?.not ?? false),
  },
  physdev: {
    options: { '--physdev-is-bridged': 0, '--physdev-in': 1, '--physdev-out': 1, '--physdev-is-in': 0, '--physdev-is-out': 0 },
    test: () => () => false,
  },
  iprange: {
    options: { '--src-range': 1, '--dst-range': 1 },
    test: (options) => {
      const range = (text: string): [number, number] => {
        const [from = '', until = from] = text.split('-')
        return [parsePrefix(from)?.ip ?? 0, parsePrefix(until)?.ip ?? 0]
      }
      const [dst, src] = [options.get('--dst-range'), options.get('--src-range')]
      return (packet) =>
        (dst === undefined || within(range(dst.values[0] as string), packet.dst) !== dst.not) &&
        (src === undefined || within(range(src.values[0] as string), packet.src) !== src.not)
    },
  },
}
const targetOptions: Record<string, Record<string, number>> = {
  ACCEPT: {},
  DROP: {},
  RETURN: {},
  REJECT: { '--reject-with': 1 },
  DNAT: { '--to-destination': 1, '--random': 0, '--persistent': 0 },
  SNAT: { '--to-source': 1, '--random': 0, '--random-fully': 0, '--persistent': 0 },
  MASQUERADE: { '--to-ports': 1, '--random': 0, '--random-fully': 0 },
  REDIRECT: { '--to-ports': 1, '--random': 0 },
  MARK: { '--set-xmark': 1, '--set-mark': 1, '--or-mark': 1, '--and-mark': 1, '--xor-mark': 1 },
  LOG: { '--log-prefix': 1, '--log-level': 1, '--log-uid': 0, '--log-ip-options': 0 },
  NOTRACK: {},
}
/** what -j may name that is no chain */
export const isBuiltinTarget = (name: string): boolean => name in targetOptions

const rejects = [
  'icmp-net-unreachable',
  'icmp-host-unreachable',
  'icmp-port-unreachable',
  'icmp-proto-unreachable',
  'icmp-net-prohibited',
  'icmp-host-prohibited',
  'icmp-admin-prohibited',
  'tcp-reset',
]

const quote = (text: string) => (/^[A-Za-z0-9_-]+$/.test(text) ? text : `"${text.replace(/(["\\'])/g, '\\$1')}"`)

function destination(text: string): Target['to'] {
  const [addresses = '', portText] = text.split(':')
  const [from = '', until = from] = addresses.split('-')
  const [a, b] =
    addresses === ''
      ? [
          { ip: 0, bits: 32 },
          { ip: 0, bits: 32 },
        ]
      : [parsePrefix(from), parsePrefix(until)]
  if (a === undefined || b === undefined || a.bits !== 32) throw new RuleError(`Bad IP address "${addresses}"`)
  const ports = portText === undefined ? undefined : portRange(portText.replace('-', ':'))
  return { from: a.ip, until: b.ip, ...(ports ? { ports } : {}) }
}

/**
 * Reads the words of a rule (`-s 10.0.0.0/8 -p tcp --dport 80 -j DROP`), without command, chain and table.
 * Lists of addresses must have been taken apart before. @throws RuleError with iptables' words
 */
export function parseRule(words: readonly string[]): Rule {
  // Every lab's machines have the same rules at first. Rules that count packets for themselves are not shared.
  if (words.includes('statistic')) return readRule(words)
  const key = words.join('\0')
  let rule = read.get(key)
  if (rule === undefined) {
    rule = readRule(words)
    if (read.size >= mostRead) read.delete(read.keys().next().value as string)
    read.set(key, rule)
  }
  return { ...rule, packets: 0, bytes: 0 }
}
const read = new Map<string, Rule>()
/** as many rules as the machines of several different labs have */
const mostRead = 4096

function readRule(words: readonly string[]): Rule {
  const parts: RuleParts = { extensions: [], targetOptions: [] }
  const loaded: { name: string; extension: Extension; options: Map<string, { values: string[]; not: boolean }> }[] = []
  const target: Target = { name: '', goto: false }
  let not = false
  const load = (name: string) => {
    const extension = extensions[name]
    if (extension === undefined) throw new RuleError(`Couldn't load match \`${name}':No such file or directory\n`)
    const entry = { name, extension, options: new Map<string, { values: string[]; not: boolean }>() }
    loaded.push(entry)
    return entry
  }
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] as string
    const value = () => {
      at += 1
      const next = words[at]
      if (next === undefined) throw new RuleError(`option "${word}" requires an argument`)
      if (next === '!') {
        not = !not
        return value()
      }
      return next
    }
    const address = (): Not<Prefix> => {
      const text = value()
      const prefix = parsePrefix(text)
      if (prefix === undefined) throw new RuleError(`host/network \`${text}' not found`)
      return { value: network(prefix), not }
    }
    if (word === '!') {
      not = true
      continue
    }
    switch (word) {
      case '-s':
      case '--source':
      case '--src':
        parts.src = address()
        break
      case '-d':
      case '--destination':
      case '--dst':
        parts.dst = address()
        break
      case '-i':
      case '--in-interface':
        parts.in = { value: value(), not }
        break
      case '-o':
      case '--out-interface':
        parts.out = { value: value(), not }
        break
      case '-p':
      case '--protocol':
      case '--proto': {
        const name = value().toLowerCase()
        const known = protocols[name] ?? name
        if (known === 'all' || known === '0') break
        if (!Object.values(protocols).includes(known) && !/^\d+$/.test(known)) throw new RuleError(`unknown protocol "${known}" specified`)
        parts.protocol = { value: known, not }
        break
      }
      case '-m':
      case '--match':
        load(value())
        break
      case '-j':
      case '--jump':
      case '-g':
      case '--goto':
        target.name = value()
        target.goto = word === '-g' || word === '--goto'
        if (target.name.length > 28) throw new RuleError(`Invalid target name \`${target.name}' (28 chars max)`)
        break
      default: {
        const own = targetOptions[target.name]
        if (own !== undefined && word in own) {
          parts.targetOptions.push(word, ...Array.from({ length: own[word] as number }, value))
          break
        }
        let entry = loaded.findLast(({ extension }) => word in extension.options)
        const protocol = parts.protocol?.value
        if (entry === undefined && protocol !== undefined && word in (extensions[protocol]?.options ?? {})) entry = load(protocol)
        if (entry === undefined) throw new RuleError(`unknown option "${word}"`)
        const values = Array.from({ length: entry.extension.options[word] as number }, value)
        const canonical = entry.extension.canonical?.(word, values) ?? { flag: word, values }
        entry.options.set(canonical.flag, { values: canonical.values, not })
      }
    }
    not = false
  }
  readTarget(target, parts)
  const text: string[] = []
  const put = (flag: string, item: Not<string> | undefined) => item && text.push(...(item.not ? ['!'] : []), flag, item.value)
  put('-s', parts.src && { value: formatPrefix(parts.src.value), not: parts.src.not })
  put('-d', parts.dst && { value: formatPrefix(parts.dst.value), not: parts.dst.not })
  put('-i', parts.in)
  put('-o', parts.out)
  put('-p', parts.protocol)
  for (const { name, options, extension } of loaded) {
    text.push('-m', name)
    const known = Object.keys(extension.options)
    if (name === 'recent' && options.size > 0) {
      if (!options.has('--mask')) options.set('--mask', { values: ['255.255.255.255'], not: false })
      if (!options.has('--rsource') && !options.has('--rdest')) options.set('--rsource', { values: [], not: false })
    }
    const order =
      name === 'recent'
        ? ['--set', '--rcheck', '--update', '--remove', '--seconds', '--reap', '--hitcount', '--name', '--mask', '--rsource', '--rdest']
        : name === 'tcp' || name === 'udp'
          ? ['--sport', '--dport', ...known]
          : known
    const sorted = [...options].sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))
    parts.extensions.push({ name, options: sorted.map(([flag, option]) => ({ flag, ...option })) })
    for (const [flag, { values, not }] of sorted)
      text.push(
        ...(not ? ['!'] : []),
        flag,
        ...(name === 'nfacct' ? [''] : []),
        ...values.map((value) => (name === 'comment' ? quote(value) : value)),
      )
  }
  if (target.name !== '')
    text.push(
      target.goto ? '-g' : '-j',
      target.name,
      ...parts.targetOptions.map((word) => (word.startsWith('--') ? word : target.name === 'LOG' ? quote(word) : word)),
    )
  const tests = loaded.filter(({ name }) => name !== 'comment').map(({ extension, options }) => extension.test(options))
  return {
    text: text.join(' '),
    target,
    parts,
    packets: 0,
    bytes: 0,
    matches: (packet, at) => matchesParts(parts, packet) && tests.every((test) => test(packet, at)),
  }
}

function matchesParts({ src, dst, protocol, in: input, out }: RuleParts, packet: Packet): boolean {
  const named = (pattern: Not<string>, name: string) =>
    (pattern.value.endsWith('+') ? name.startsWith(pattern.value.slice(0, -1)) : name === pattern.value) !== pattern.not
  return (
    (src === undefined || contains(src.value, packet.src) !== src.not) &&
    (dst === undefined || contains(dst.value, packet.dst) !== dst.not) &&
    (protocol === undefined || (protocol.value === packet.protocol) !== protocol.not) &&
    (input === undefined || named(input, packet.in)) &&
    (out === undefined || named(out, packet.out))
  )
}

/** Brings a target's options into the form in which they are kept and printed. */
function readTarget(target: Target, parts: RuleParts): void {
  const option = (name: string) => {
    const at = parts.targetOptions.indexOf(name)
    return at === -1 ? undefined : parts.targetOptions[at + 1]
  }
  switch (target.name) {
    case 'REJECT': {
      const given = option('--reject-with') ?? 'icmp-port-unreachable'
      const full = rejects.find((one) => one === given || one === `icmp-${given}` || one.replace('unreachable', 'unreach') === given)
      if (full === undefined) throw new RuleError(`unknown reject type "${given}"`)
      target.reject = full
      parts.targetOptions = ['--reject-with', full]
      break
    }
    case 'DNAT':
    case 'SNAT': {
      const flag = target.name === 'DNAT' ? '--to-destination' : '--to-source'
      const to = option(flag)
      if (to === undefined) throw new RuleError(`${target.name}: option "${flag}" must be specified`)
      const read = destination(to)
      if (read?.ports && parts.protocol === undefined) throw new RuleError('Need TCP, UDP, SCTP or DCCP with port specification')
      if (read) target.to = read
      break
    }
    case 'MASQUERADE':
    case 'REDIRECT': {
      const to = option('--to-ports')
      if (to !== undefined) target.to = { from: 0, until: 0, ports: portRange(to.replace('-', ':')) }
      break
    }
    case 'MARK': {
      const [flag, text] = parts.targetOptions
      if (flag === undefined || text === undefined)
        throw new RuleError('MARK: One of the --set-xmark, --{and,or,xor,set}-mark options is required')
      const [value, mask] = masked(text)
      const set: [number, number] =
        flag === '--or-mark'
          ? [value, value]
          : flag === '--and-mark'
            ? [0, ~value >>> 0]
            : flag === '--xor-mark'
              ? [value, 0]
              : flag === '--set-mark'
                ? [value, (value | mask) >>> 0]
                : [value, mask]
      target.mark = { clear: set[1], flip: set[0] }
      parts.targetOptions = ['--set-xmark', `${hex(set[0])}/${hex(set[1])}`]
    }
  }
}
