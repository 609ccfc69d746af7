// dig, nslookup, host (of BIND 9.20, and busybox's nslookup in containers that have busybox), getent and hostname. What they print is checked against
// the real ones. Knows nothing of who answers.
import type { DnsAnswer, DnsQuestion, DnsRecord } from '../../net.ts'
import type { Tool, ToolCall } from '../../process.ts'
import {
  type Asker,
  ask,
  candidates,
  exchange,
  inHosts,
  type Lookup,
  lookup,
  noRoute,
  parseResolvConf,
  resolveHost,
  reverseName,
} from '../dns.ts'
import { parseIp } from '../ip.ts'
import type { SimNetwork } from '../network.ts'

const types = ['A', 'AAAA', 'PTR', 'SRV', 'CNAME', 'TXT', 'NS', 'MX', 'SOA', 'ANY'] as const
type Type = (typeof types)[number]
const typeOf = (text: string): Type | undefined => types.find((one) => one === text.toUpperCase())
const askerOf = (network: SimNetwork, call: ToolCall): Asker => ({ network, clock: call.clock, from: call.place.net, signal: call.signal })
const bare = (name: string) => name.replace(/\.$/, '')
/** the address of a server that was given by name or address */
async function serverAddress(network: SimNetwork, call: ToolCall, server: string): Promise<string | undefined> {
  if (parseIp(server) !== undefined) return server
  return (await resolveHost(askerOf(network, call), call.place.files, server)).addresses[0]
}

export const dig =
  (network: SimNetwork): Tool =>
  async (call) => {
    let server: string | undefined
    let name: string | undefined
    let type: Type = 'A'
    let port = 53
    const flags = new Set<string>()
    const values = new Map<string, string>()
    const words = call.argv.slice(1)
    for (let at = 0; at < words.length; at += 1) {
      const word = words[at] as string
      if (word.startsWith('@')) server = word.slice(1)
      else if (word.startsWith('+')) {
        const [flag = '', value] = word.slice(1).split('=')
        flags.add(flag)
        if (value !== undefined) values.set(flag, value)
      } else if (word === '-p') port = Number(words[++at])
      else if (word === '-t') type = typeOf(words[++at] ?? '') ?? 'A'
      else if (word === '-x') {
        name = reverseName(words[++at] ?? '')
        type = 'PTR'
      } else if (word === '-4' || word === '-6' || word === '-q') continue
      else if (typeOf(word) && name !== undefined) type = typeOf(word) as Type
      else if (typeOf(word) && word === word.toUpperCase()) type = typeOf(word) as Type
      else name = word
    }
    const conf = parseResolvConf(call.place.files.text('/etc/resolv.conf'))
    const short = flags.has('short')
    const address = server === undefined ? undefined : await serverAddress(network, call, server)
    if (server !== undefined && address === undefined) {
      call.err(`dig: couldn't get address for '${server}': not found\n`)
      return 10
    }
    const head = `\n; <<>> DiG 9.20.26-1~deb13u1-Debian <<>> ${call.argv.slice(1).join(' ')}\n${server === undefined ? '' : '; (1 server found)\n'};; global options: +cmd\n`
    const asked = name ?? '.'
    const names = flags.has('search') ? candidates(asked, conf) : [asked.endsWith('.') ? asked : `${asked}.`]
    const timeoutMs = Number(values.get('time') ?? values.get('timeout') ?? 5) * 1000
    const tries = Number(values.get('tries') ?? Number(values.get('retry') ?? 2) + 1)
    const protocol = flags.has('tcp') || flags.has('vc') ? 'tcp' : 'udp'
    if (name === undefined) type = 'NS'
    for (const [index, candidate] of names.entries()) {
      let answer: DnsAnswer | undefined
      let from = ''
      const begin = call.clock.now()
      const complaints: string[] = []
      search: for (let attempt = 0; attempt < tries; attempt += 1)
        for (const one of address === undefined ? conf.servers : [address]) {
          const got = await exchange(askerOf(network, call), one, { name: candidate, type }, { protocol, port, timeoutMs })
          from = one
          if (got.kind === 'answer') {
            answer = got.answer
            break search
          }
          complaints.push(
            `;; communications error to ${one}#${port}: ${got.kind === 'timeout' ? 'timed out' : got.kind === 'refused' ? 'connection refused' : unreachable(got.why)}\n`,
          )
        }
      if (!short && index === 0 && answer === undefined) call.out(`${complaints.join('')}${head}`)
      if (answer === undefined) {
        if (short) call.out(complaints.join(''))
        call.out(';; no servers could be reached\n')
        return 9
      }
      if (answer.rcode === 'NXDOMAIN' && index < names.length - 1) continue
      if (short) call.out(answer.answers.map((record) => `${record.data}\n`).join(''))
      else {
        const quiet = flags.has('noall')
        if (!quiet) call.out(complaints.join('') + head)
        call.out(
          printAnswer(network, { name: candidate, type }, answer, {
            from,
            port,
            protocol,
            millis: call.clock.now() - begin,
            only: quiet ? (flags.has('answer') ? 'answer' : 'none') : 'all',
            now: call.clock.now(),
          }),
        )
      }
      return 0
    }
    return 0
  }
const column = (record: DnsRecord): string => {
  const name = record.name.endsWith('.') ? record.name : `${record.name}.`
  const tabs = name.length >= 24 ? ' ' : '\t'.repeat(Math.max(1, 3 - Math.floor(name.length / 8)))
  return name.length >= 24
    ? `${name} ${record.ttl} IN ${record.type}\t${record.data}\n`
    : `${name}${tabs}${record.ttl}\tIN\t${record.type}\t${record.data}\n`
}
function printAnswer(
  network: SimNetwork,
  question: DnsQuestion,
  answer: DnsAnswer,
  at: { from: string; port: number; protocol: string; millis: number; only: 'all' | 'answer' | 'none'; now: number },
): string {
  if (at.only === 'none') return ''
  if (at.only === 'answer') return answer.answers.map(column).join('')
  const authority = answer.authority ?? []
  const name = question.name
  const lines = [';; Got answer:']
  if (name.endsWith('.local.'))
    lines.push(
      ';; WARNING: .local is reserved for Multicast DNS',
      ';; You are currently testing what happens when an mDNS query is leaked to DNS',
    )
  lines.push(
    `;; ->>HEADER<<- opcode: QUERY, status: ${answer.rcode}, id: ${network.random.int(65536)}`,
    `;; flags: qr${answer.authoritative ? ' aa' : ''} rd${answer.authoritative ? '' : ' ra'}; QUERY: 1, ANSWER: ${answer.answers.length}, AUTHORITY: ${authority.length}, ADDITIONAL: 1`,
  )
  if (answer.authoritative) lines.push(';; WARNING: recursion requested but not available')
  lines.push('', ';; OPT PSEUDOSECTION:', '; EDNS: version: 0, flags:; udp: 1232', ';; QUESTION SECTION:')
  const tabs = name.length >= 23 ? ' ' : '\t'.repeat(Math.max(1, 4 - Math.floor((name.length + 1) / 8)))
  lines.push(name.length >= 23 ? `;${name} IN ${question.type}` : `;${name}${tabs}IN\t${question.type}`, '')
  if (answer.answers.length > 0) lines.push(`;; ANSWER SECTION:\n${answer.answers.map(column).join('')}`)
  if (authority.length > 0) lines.push(`;; AUTHORITY SECTION:\n${authority.map(column).join('')}`)
  const size = 12 + name.length + 5 + 28 + (answer.answers.length + authority.length) * (name.length + 14)
  const when = new Date(at.now)
  const stamp = `${when.toUTCString().slice(0, 3)} ${when.toUTCString().slice(8, 11)} ${when.toUTCString().slice(5, 7)} ${when.toISOString().slice(11, 19)} UTC ${when.getUTCFullYear()}`
  lines.push(
    `;; Query time: ${at.millis} msec`,
    `;; SERVER: ${at.from}#${at.port}(${at.from}) (${at.protocol.toUpperCase()})`,
    `;; WHEN: ${stamp}`,
    `;; MSG SIZE  rcvd: ${size}`,
    '',
    '',
  )
  return lines.join('\n')
}

/** BIND's words */
const unreachable = (why: string) => (noRoute(why) ? 'network unreachable' : 'host unreachable')
const failed = (found: Lookup, server: string) =>
  `;; communications error to ${server}#53: ${found.outcome === 'timeout' ? 'timed out' : found.outcome === 'refused' ? 'connection refused' : unreachable(found.why ?? '')}\n`
export const nslookup =
  (network: SimNetwork): Tool =>
  async (call) => {
    if (call.place.container !== undefined) return busyboxNslookup(network, call)
    const words = call.argv.slice(1)
    let type: Type | undefined
    const rest: string[] = []
    for (const word of words) {
      const option = /^-(?:type|query|q|querytype)=(\w+)$/.exec(word)
      if (option) type = typeOf(option[1] as string)
      else if (!word.startsWith('-')) rest.push(word)
    }
    const [name, server] = rest
    if (name === undefined) {
      call.err('nslookup: the interactive mode is not part of this simulated machine; give a name\n')
      return 1
    }
    const conf = parseResolvConf(call.place.files.text('/etc/resolv.conf'))
    if (server !== undefined) {
      const address = await serverAddress(network, call, server)
      if (address === undefined) {
        call.out(`nslookup: couldn't get address for '${server}': not found\n`)
        return 1
      }
      conf.servers = [address]
    }
    conf.attempts = 3
    const reverse = reverseName(name)
    const asked: Type = type ?? (reverse === undefined ? 'A' : 'PTR')
    const asker = askerOf(network, call)
    const found =
      reverse === undefined
        ? await lookup(asker, conf, name, asked === 'ANY' ? 'A' : asked)
        : await ask(asker, { ...conf, search: [] }, reverse, 'PTR')
    const { answer } = found
    if (answer === undefined) {
      for (let at = 0; at < 3; at += 1) call.out(failed(found, found.server))
      call.out(';; no servers could be reached\n\n')
      return 1
    }
    call.out(reverse === undefined ? `Server:\t\t${found.server}\nAddress:\t${found.server}#53\n\n` : '')
    const shown = bare(
      reverse ??
        (found.outcome === 'nxdomain' && !name.endsWith('.')
          ? conf.search.length > 0 && !answer.answers.length
            ? name
            : name
          : found.name),
    )
    if (found.outcome === 'nxdomain' || found.outcome === 'servfail' || found.outcome === 'refused') {
      call.out(`** server can't find ${shown}: ${answer.rcode}\n\n`)
      return 1
    }
    if (!answer.authoritative && reverse === undefined) call.out('Non-authoritative answer:\n')
    if (answer.answers.length === 0) {
      call.out(`*** Can't find ${shown}: No answer\n\n`)
      return 0
    }
    for (const record of answer.answers) {
      const own = bare(record.name)
      if (record.type === 'A' || record.type === 'AAAA') call.out(`Name:\t${own}\nAddress: ${record.data}\n`)
      else if (record.type === 'PTR') call.out(`${own}\tname = ${record.data}\n`)
      else if (record.type === 'CNAME') call.out(`${own}\tcanonical name = ${record.data}\n`)
      else if (record.type === 'SRV') call.out(`${own}\tservice = ${record.data}\n`)
      else call.out(`${own}\ttext = ${record.data}\n`)
    }
    call.out('\n')
    return 0
  }

/** busybox asks for A and AAAA and prints both. */
async function busyboxNslookup(network: SimNetwork, call: ToolCall): Promise<number> {
  const words = call.argv.slice(1)
  const types: Type[] = []
  const rest: string[] = []
  for (const word of words) {
    const option = /^-(?:type|query|q|querytype)=(\w+)$/.exec(word)
    if (option) types.push(typeOf(option[1] as string) ?? 'A')
    else if (!word.startsWith('-')) rest.push(word)
  }
  const [name, server] = rest
  if (name === undefined) {
    call.err(
      'BusyBox v1.37.0 multi-call binary.\n\nUsage: nslookup [-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]\n\nQuery DNS about HOST\n',
    )
    return 1
  }
  const conf = parseResolvConf(call.place.files.text('/etc/resolv.conf'))
  if (server !== undefined) {
    const address = await serverAddress(network, call, server)
    if (address === undefined) {
      call.err(`nslookup: bad address '${server}'\n`)
      return 1
    }
    conf.servers = [address]
  }
  const asker = askerOf(network, call)
  const reverse = reverseName(name)
  const asked: Type[] = types.length > 0 ? types : reverse === undefined ? ['A', 'AAAA'] : ['PTR']
  let head = false
  let failedAny = false
  for (const type of asked) {
    const found =
      // A name with a dot is asked as it is (networking/nslookup.c, add_query_with_search).
      reverse === undefined
        ? await lookup(asker, conf, name.includes('.') && !name.endsWith('.') ? `${name}.` : name, type === 'ANY' ? 'A' : type)
        : await ask(asker, conf, reverse, 'PTR')
    if (found.answer === undefined) {
      call.out(
        found.outcome === 'refused'
          ? `nslookup: read: Connection refused\n;; connection timed out; no servers could be reached\n\n`
          : ';; connection timed out; no servers could be reached\n\n',
      )
      return 1
    }
    if (!head) call.out(`Server:\t\t${found.server}\nAddress:\t${found.server}:53\n\n`)
    head = true
    const shown = bare(reverse ?? found.name)
    if (found.answer.rcode !== 'NOERROR') {
      call.out(`** server can't find ${shown}: ${found.answer.rcode}\n\n`)
      failedAny = true
      continue
    }
    if (!found.answer.authoritative) call.out('Non-authoritative answer:\n')
    if (found.answer.answers.length === 0 && asked.length === 1) call.out(`*** Can't find ${shown}: No answer\n`)
    for (const record of found.answer.answers) {
      if (record.type === 'A' || record.type === 'AAAA') call.out(`Name:\t${bare(record.name)}\nAddress: ${record.data}\n`)
      else if (record.type === 'PTR') call.out(`${bare(record.name)}\tname = ${bare(record.data)}\n`)
      else if (record.type === 'CNAME') call.out(`${bare(record.name)}\tcanonical name = ${bare(record.data)}\n`)
      else call.out(`${bare(record.name)}\t${record.type === 'SRV' ? 'service' : 'text'} = ${record.data}\n`)
    }
    call.out('\n')
  }
  return failedAny ? 1 : 0
}

export const host =
  (network: SimNetwork): Tool =>
  async (call) => {
    const words = call.argv.slice(1)
    let type: Type | undefined
    const rest: string[] = []
    for (let at = 0; at < words.length; at += 1) {
      const word = words[at] as string
      if (word === '-t') type = typeOf(words[++at] ?? '')
      else if (word === '-W' || word === '-R') at += 1
      else if (!word.startsWith('-')) rest.push(word)
    }
    const [name, server] = rest
    if (name === undefined) {
      call.err(
        'Usage: host [-aCdilrTvVw] [-c class] [-N ndots] [-t type] [-W time]\n            [-R number] [-m flag] [-p port] hostname [server]\n',
      )
      return 1
    }
    const conf = parseResolvConf(call.place.files.text('/etc/resolv.conf'))
    if (server !== undefined) {
      const address = await serverAddress(network, call, server)
      if (address === undefined) {
        call.out(`host: couldn't get address for '${server}': not found\n`)
        return 1
      }
      conf.servers = [address]
    }
    const reverse = reverseName(name)
    const asker = askerOf(network, call)
    const asked = type ?? 'A'
    const found =
      reverse === undefined ? await lookup(asker, conf, name, asked === 'ANY' ? 'A' : asked) : await ask(asker, conf, reverse, 'PTR')
    if (found.answer === undefined) {
      call.out(`${failed(found, found.server).repeat(2)};; no servers could be reached\n`)
      return 1
    }
    if (server !== undefined) call.out(`Using domain server:\nName: ${server}\nAddress: ${found.server}#53\nAliases: \n\n`)
    if (found.answer.rcode !== 'NOERROR') {
      const rcodes: Record<string, number> = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 }
      call.out(`Host ${bare(reverse ?? name)} not found: ${rcodes[found.answer.rcode]}(${found.answer.rcode})\n`)
      return 1
    }
    for (const record of found.answer.answers) {
      const own = bare(record.name)
      if (record.type === 'A') call.out(`${own} has address ${record.data}\n`)
      else if (record.type === 'AAAA') call.out(`${own} has IPv6 address ${record.data}\n`)
      else if (record.type === 'PTR') call.out(`${own} domain name pointer ${record.data}\n`)
      else if (record.type === 'CNAME') call.out(`${own} is an alias for ${record.data}\n`)
      else if (record.type === 'SRV') call.out(`${own} has SRV record ${record.data}\n`)
      else call.out(`${own} descriptive text ${record.data}\n`)
    }
    if (found.answer.answers.length === 0 && type !== undefined) call.out(`${bare(found.name)} has no ${type} record\n`)
    return 0
  }

export const getent =
  (network: SimNetwork): Tool =>
  async (call) => {
    const [, database = '', ...keys] = call.argv
    if (!['hosts', 'ahosts', 'ahostsv4'].includes(database)) {
      const file = { passwd: '/etc/passwd', group: '/etc/group', services: '/etc/services' }[database]
      if (file === undefined) {
        call.err(`Unknown database: ${database}\nTry \`getent --help' or \`getent --usage' for more information.\n`)
        return 1
      }
      const lines = (call.place.files.text(file) ?? '').split('\n').filter((line) => line !== '')
      const wanted =
        keys.length === 0
          ? lines
          : lines.filter((line) => keys.includes(line.split(':')[0] ?? '') || keys.includes(line.split(':')[2] ?? ''))
      call.out(wanted.map((line) => `${line}\n`).join(''))
      return wanted.length > 0 ? 0 : 2
    }
    if (keys.length === 0) {
      for (const line of (call.place.files.text('/etc/hosts') ?? '').split('\n')) {
        const [address, ...names] = (line.split('#')[0] as string).trim().split(/\s+/)
        if (address) call.out(`${address.padEnd(15)} ${names.join(' ')}\n`)
      }
      return 0
    }
    for (const name of keys) {
      const listed = inHosts(call.place.files.text('/etc/hosts'), name)
      const found = await resolveHost(askerOf(network, call), call.place.files, name)
      if (found.outcome !== 'answered') return 2
      if (database === 'hosts')
        call.out(found.addresses.map((address) => `${address.padEnd(15)} ${bare(listed.length > 0 ? name : found.name)}\n`).join(''))
      else
        for (const address of found.addresses)
          call.out(`${address.padEnd(15)} STREAM ${bare(name)}\n${address.padEnd(15)} DGRAM  \n${address.padEnd(15)} RAW    \n`)
    }
    return 0
  }

export const hostname: Tool = async (call) => {
  const { machine, net, files, container } = call.place
  const name = files.text('/etc/hostname')?.trim() || container?.pod.name || machine.name
  const [option] = call.argv.slice(1)
  if (option === '-i' || option === '-I' || option === '--ip-address' || option === '--all-ip-addresses')
    call.out(option === '-i' || option === '--ip-address' ? `${net.addresses()[0] ?? ''}\n` : `${net.addresses().join(' ')} \n`)
  else if (option === '-s' || option === '--short') call.out(`${name.split('.')[0]}\n`)
  else if (option === undefined || option === '-f' || option === '--fqdn') call.out(`${name}\n`)
  else if (option === '-d') call.out('\n')
  else {
    call.err('hostname: you must be root to change the host name\n')
    return 1
  }
  return 0
}
