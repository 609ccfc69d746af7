// Plugins of CoreDNS that need nothing of the server: cache, rewrite, hosts; and what every plugin is. Options that are not here are refused by name.
import type { Clock } from '../clock.ts'
import type { Files } from '../machine.ts'
import type { DnsAnswer, DnsQuestion, HttpAnswer } from '../net.ts'
import { CorefileError, type Directive } from './corefile.ts'
import { inHosts, reverseName } from './dns.ts'
import { parseIp } from './ip.ts'

/** What goes through the chain with a question. */
export interface Query {
  question: DnsQuestion
  /** address:port */
  from: string
}
export interface Failure {
  /** what the errors plugin prints */
  error?: string
}
export type Answer = DnsAnswer & Failure
export type Next = () => Promise<Answer>
export type Handler = (query: Query, next: Next) => Promise<Answer> | Answer
export interface Plugin {
  handler?: Handler
  /** after the listeners are there */
  started?(): void
  /** on SIGTERM and reload */
  stop?(): void
  ready?(): boolean
  http?: { port: number; address: string; answer(path: string): HttpAnswer }
  lameduckMs?: number
}
export const normal = (zone: string) => zone.toLowerCase().replace(/\.$/, '')
export const matches = (zone: string, name: string) => zone === '' || name === zone || name.endsWith(`.${zone}`)
/** `10.0.0.0/8` as a reverse zone */
export function zoneOf(text: string): string {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(8|16|24)$/.exec(text)
  if (match === null) return normal(text)
  return `${match
    .slice(1, 1 + Number(match[5]) / 8)
    .reverse()
    .join('.')}.in-addr.arpa`
}

export const wrong = (directive: Directive, message: string): CorefileError => new CorefileError(`plugin/${directive.name}: ${message}`)

export function cache(directive: Directive, clock: Clock): Plugin {
  const cap = Number(/^\d+$/.test(directive.args[0] ?? '') ? directive.args[0] : 3600)
  const disabled = (kind: string, name: string) =>
    directive.block.some(
      ([word, what, ...zones]) =>
        word === 'disable' && what === kind && (zones.length === 0 || zones.some((zone) => matches(normal(zone), name))),
    )
  const held = new Map<string, { answer: Answer; until: number; at: number }>()
  return {
    handler: async ({ question }, next) => {
      const name = normal(question.name)
      const key = `${name} ${question.type}`
      const now = clock.now()
      const hit = held.get(key)
      if (hit !== undefined && now < hit.until) {
        const age = Math.floor((now - hit.at) / 1000)
        return { ...hit.answer, answers: hit.answer.answers.map((record) => ({ ...record, ttl: Math.max(0, record.ttl - age) })) }
      }
      held.delete(key)
      const answer = await next()
      if (answer.rcode !== 'NOERROR' && answer.rcode !== 'NXDOMAIN') return answer
      const success = answer.rcode === 'NOERROR' && answer.answers.length > 0
      if (disabled(success ? 'success' : 'denial', name)) return answer
      const seconds = Math.min(cap, success ? Math.min(...answer.answers.map(({ ttl }) => ttl)) : (answer.authority?.[0]?.ttl ?? 0))
      if (seconds <= 0) return answer
      if (held.size > 500) held.clear()
      const limited = { ...answer, answers: answer.answers.map((record) => ({ ...record, ttl: Math.min(record.ttl, cap) })) }
      held.set(key, { answer: limited, until: now + seconds * 1000, at: now })
      return limited
    },
  }
}

export function rewrite(directive: Directive): Plugin {
  const words = directive.args.length > 0 ? directive.args : (directive.block.flat() as string[])
  const rest = words[0] === 'stop' || words[0] === 'continue' ? words.slice(1) : words
  const field = rest.shift()
  if (field !== 'name') throw wrong(directive, `rules for ${JSON.stringify(field ?? '')} are not part of this simulated CoreDNS`)
  const kinds = ['exact', 'prefix', 'suffix', 'substring', 'regex']
  const kind = kinds.includes(rest[0] ?? '') ? (rest.shift() as string) : 'exact'
  const [from = '', to = ''] = rest
  if (to === '') throw wrong(directive, 'few arguments for a name rule')
  const dotted = (text: string) => (text.endsWith('.') ? text : `${text}.`)
  const pattern = kind === 'regex' ? new RegExp(from) : undefined
  const change = (name: string): string => {
    switch (kind) {
      case 'exact':
        return name === dotted(from) ? dotted(to) : name
      case 'prefix':
        return name.startsWith(from) ? to + name.slice(from.length) : name
      case 'suffix':
        return name.endsWith(dotted(from)) ? name.slice(0, -dotted(from).length) + dotted(to) : name
      case 'substring':
        return name.replaceAll(from, to)
      default: {
        const match = pattern?.exec(name)
        return match ? dotted(to.replace(/\{(\d+)\}/g, (_, at) => match[Number(at)] ?? '')) : name
      }
    }
  }
  return {
    handler: async (query, next) => {
      const asked = query.question.name
      const name = change(asked.toLowerCase())
      if (name === asked.toLowerCase()) return next()
      query.question = { ...query.question, name }
      const answer = await next()
      query.question = { ...query.question, name: asked }
      return {
        ...answer,
        answers: answer.answers.map((record) => (normal(record.name) === normal(name) ? { ...record, name: asked } : record)),
      }
    },
  }
}

export function hosts(
  directive: Directive,
  zones: readonly string[],
  files: Files,
  refuse: (message: string, line: number | undefined) => CorefileError,
): Plugin {
  const [path, ...own] = directive.args
  const served = own.length > 0 ? own.map(zoneOf) : zones
  const option = (name: string) => directive.block.find(([word]) => word === name)?.slice(1)
  // Any line is one of hosts, until fallthrough has been read.
  const after = directive.block.findIndex(([word]) => word === 'fallthrough')
  for (const [at, [word = '']] of directive.block.entries())
    if (after !== -1 && at > after && !['fallthrough', 'no_reverse', 'ttl', 'reload'].includes(word))
      throw refuse(`unknown property '${word}'`, directive.lines[at])
  const inline = directive.block
    .filter(([word = '']) => parseIp(word) !== undefined)
    .map((row) => row.join(' '))
    .join('\n')
  const through = option('fallthrough')?.map(zoneOf)
  const ttl = Number(option('ttl')?.[0] ?? 3600)
  return {
    handler: ({ question }, next) => {
      const name = normal(question.name)
      if (!served.some((zone) => matches(zone, name)) && question.type !== 'PTR') return next()
      const text = `${path === undefined ? '' : (files.text(path) ?? '')}\n${inline}`
      const record = (type: string, data: string) => ({ name: question.name, type, ttl, data })
      const addresses = inHosts(text, name).filter((address) => parseIp(address) !== undefined)
      if (question.type === 'A' && addresses.length > 0)
        return { rcode: 'NOERROR', answers: addresses.map((address) => record('A', address)), authoritative: true }
      if (question.type === 'PTR')
        for (const line of text.split('\n')) {
          const [address = '', host] = line.trim().split(/\s+/)
          if (host !== undefined && reverseName(address) === `${name}.`)
            return { rcode: 'NOERROR', answers: [record('PTR', `${host}.`)], authoritative: true }
        }
      if (through !== undefined && (through.length === 0 || through.some((zone) => matches(zone, name)))) return next()
      return { rcode: addresses.length > 0 ? 'NOERROR' : 'NXDOMAIN', answers: [], authoritative: true }
    },
  }
}
