// Asking name servers: resolv.conf, the C library's search list and order, one question over the lab's network. Used by tools, programs and the grader.
// Knows nothing of who answers.
import type { Clock } from '../clock.ts'
import type { DnsAnswer, DnsQuestion, Netns, Network, Outcome } from '../net.ts'
import { formatIp, parseIp } from './ip.ts'

export interface ResolvConf {
  /** at most three; 127.0.0.1 when the file names none */
  servers: string[]
  search: string[]
  ndots: number
  /** ms that one question waits */
  timeout: number
  attempts: number
  /** use-vc: the C library asks over TCP */
  tcp: boolean
}
/** `text` as in resolv.conf(5); undefined for a missing file */
export function parseResolvConf(text: string | undefined): ResolvConf {
  const conf: ResolvConf = { servers: [], search: [], ndots: 1, timeout: 5000, attempts: 2, tcp: false }
  for (const line of (text ?? '').split('\n')) {
    const [word = '', ...rest] = line.trim().split(/\s+/)
    if (word.startsWith('#') || word.startsWith(';') || rest.length === 0) continue
    if (word === 'nameserver' && conf.servers.length < 3) conf.servers.push(rest[0] as string)
    if (word === 'search' || word === 'domain') conf.search = rest.map((domain) => domain.replace(/\.$/, ''))
    if (word !== 'options') continue
    for (const option of rest) {
      const [name, value] = option.split(':')
      if (name === 'ndots') conf.ndots = Math.min(15, Number(value) || 0)
      if (name === 'timeout') conf.timeout = Math.min(30, Number(value) || 5) * 1000
      if (name === 'use-vc') conf.tcp = true
      if (name === 'attempts') conf.attempts = Math.min(5, Number(value) || 2)
    }
  }
  if (conf.servers.length === 0) conf.servers.push('127.0.0.1')
  return conf
}
/** what is asked for a name, in order, each with its final dot */
export function candidates(name: string, conf: Pick<ResolvConf, 'search' | 'ndots'>): string[] {
  if (name.endsWith('.')) return [name]
  const searched = conf.search.filter((domain) => domain !== '').map((domain) => `${name}.${domain}.`)
  const dots = name.split('.').length - 1
  return dots >= conf.ndots ? [`${name}.`, ...searched] : [...searched, `${name}.`]
}

export type Exchange =
  | { kind: 'answer'; answer: DnsAnswer; server: string }
  | { kind: Exclude<Outcome, 'open'>; server: string; why: string }
export interface Asker {
  network: Pick<Network, 'open'>
  clock: Clock
  from: Netns
  signal?: AbortSignal
}

/** whether a failed connection found no route, or nobody at its end */
export const noRoute = (why: string): boolean => why.includes('no route to')
/** One question to one server. What is lost takes the whole of `timeoutMs` of the lab's time. */
export async function exchange(
  asker: Asker,
  server: string,
  question: DnsQuestion,
  options: { protocol?: 'udp' | 'tcp'; port?: number; timeoutMs: number; sport?: number },
): Promise<Exchange> {
  const { network, clock, from } = asker
  const protocol = options.protocol ?? 'udp'
  const opened = network.open(from, protocol, server, options.port ?? 53)
  const silence = async (why: string): Promise<Exchange> => {
    await clock.sleep(options.timeoutMs, asker.signal)
    return { kind: 'timeout', server, why }
  }
  if (opened.outcome === 'timeout') return silence(opened.why)
  if (opened.outcome !== 'open') {
    // The kernel gives up on a neighbour that is not there after three seconds; a route that is not there it tells at once.
    if (opened.outcome === 'unreachable' && !noRoute(opened.why)) await clock.sleep(Math.min(3060, options.timeoutMs), asker.signal)
    return { kind: opened.outcome, server, why: opened.why }
  }
  const { listener } = opened
  if (listener.dns === undefined) return silence(`${listener.program.name} does not speak DNS`)
  const port = options.sport ?? 32768 + ((question.name.length * 977 + clock.now()) % 28000)
  const ended = new AbortController()
  const reply = Promise.resolve()
    .then(() => listener.dns?.(question, `${opened.from}:${port}`))
    .then(
      (answer): Exchange => (answer === undefined ? { kind: 'timeout', server, why: 'no answer' } : { kind: 'answer', answer, server }),
      (error): Exchange => ({ kind: 'timeout', server, why: (error as Error).message }),
    )
  const late = clock.sleep(options.timeoutMs, ended.signal).then((): Exchange => ({ kind: 'timeout', server, why: 'too late' }))
  const first = await Promise.race([reply, late])
  ended.abort()
  return first.kind === 'timeout' && first.why !== 'too late' ? silence(first.why) : first
}

export interface Lookup {
  outcome: 'answered' | 'nxdomain' | 'no-data' | 'servfail' | 'refused' | 'timeout' | 'unreachable'
  addresses: string[]
  /** the name that was asked last, and of whom */
  name: string
  server: string
  answer?: DnsAnswer
  /** of a server that could not be asked */
  why?: string
}
const rank: Record<string, number> = { nxdomain: 1, servfail: 2, 'no-data': 3 }

/** As res_search(3): each name of the search list, of each server in turn; a server that says nothing ends the list of names. */
export async function lookup(
  asker: Asker,
  conf: ResolvConf,
  name: string,
  type: 'A' | 'AAAA' | 'PTR' | 'SRV' | 'TXT' | 'CNAME' | 'NS' | 'MX' | 'SOA' = 'A',
  options: { protocol?: 'udp' | 'tcp' } = {},
): Promise<Lookup> {
  let verdict: Lookup | undefined
  for (const candidate of candidates(name, conf)) {
    const found = await ask(asker, conf, candidate, type, options)
    if (!(found.outcome in rank)) return found
    if (verdict === undefined || (rank[found.outcome] ?? 0) > (rank[verdict.outcome] ?? 0)) verdict = found
  }
  return verdict as Lookup
}
/** One name, of each server in turn and again. */
export async function ask(
  asker: Asker,
  conf: ResolvConf,
  name: string,
  type: DnsQuestion['type'],
  options: { protocol?: 'udp' | 'tcp' } = {},
): Promise<Lookup> {
  let last: Lookup = { outcome: 'timeout', addresses: [], name, server: conf.servers[0] ?? '' }
  for (let attempt = 0; attempt < conf.attempts; attempt += 1) {
    for (const server of conf.servers) {
      if (asker.signal?.aborted) return last
      const got = await exchange(
        asker,
        server,
        { name, type },
        { ...options, timeoutMs: Math.max(1000, (conf.timeout * (attempt === 0 ? 1 : 2)) / (attempt === 0 ? 1 : conf.servers.length)) },
      )
      if (got.kind !== 'answer') {
        last = { outcome: got.kind, addresses: [], name, server, why: got.why }
        continue
      }
      last = { ...interpret(got.answer, type), name, server, answer: got.answer }
      if (last.outcome !== 'servfail' && last.outcome !== 'refused') return last
    }
    // Answers that say no are not asked for again; silence is.
    if (last.outcome !== 'timeout') return last
  }
  return last
}
export function interpret(answer: DnsAnswer, type: DnsQuestion['type']): Pick<Lookup, 'outcome' | 'addresses'> {
  const addresses = answer.answers
    .filter((record) => record.type === type && (type === 'A' || type === 'AAAA'))
    .map((record) => record.data)
  const any = answer.answers.some((record) => record.type === type || type === 'ANY')
  switch (answer.rcode) {
    case 'NXDOMAIN':
      return { outcome: 'nxdomain', addresses }
    case 'SERVFAIL':
      return { outcome: 'servfail', addresses }
    case 'REFUSED':
      return { outcome: 'refused', addresses }
    default:
      return { outcome: any ? 'answered' : 'no-data', addresses }
  }
}
/** 4.3.2.1.in-addr.arpa. of 1.2.3.4; undefined for no IPv4 address */
export function reverseName(address: string): string | undefined {
  const ip = parseIp(address)
  return ip === undefined ? undefined : `${formatIp(ip).split('.').reverse().join('.')}.in-addr.arpa.`
}
/** addresses of a name in the text of /etc/hosts */
export function inHosts(text: string | undefined, name: string): string[] {
  const found: string[] = []
  for (const line of (text ?? '').split('\n')) {
    const [address = '', ...names] = (line.split('#')[0] as string).trim().split(/\s+/)
    if (names.some((one) => one.toLowerCase() === name.toLowerCase().replace(/\.$/, ''))) found.push(address)
  }
  return found
}
/** getaddrinfo for IPv4: an address as it is, then /etc/hosts, then DNS */
export async function resolveHost(asker: Asker, files: { text(path: string): string | undefined }, name: string): Promise<Lookup> {
  const plain = (addresses: string[]): Lookup => ({ outcome: 'answered', addresses, name, server: '' })
  if (parseIp(name) !== undefined) return plain([name])
  const hosts = inHosts(files.text('/etc/hosts'), name).filter((address) => parseIp(address) !== undefined)
  if (hosts.length > 0) return plain(hosts)
  if (name === 'localhost') return plain(['127.0.0.1'])
  const conf = parseResolvConf(files.text('/etc/resolv.conf'))
  return lookup(asker, conf, name, 'A', { protocol: conf.tcp ? 'tcp' : 'udp' })
}
