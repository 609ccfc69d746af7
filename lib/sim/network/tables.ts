// The tables and chains of one namespace: what iptables, kube-proxy, flanneld and the kubelet change, and how a packet passes through a hook.
// Knows nothing of routes or of where a packet comes from.
import { isBuiltinTarget, type Packet, parseRule, type Rule, RuleError, type Surroundings } from './rules.ts'

export type TableName = 'raw' | 'mangle' | 'nat' | 'filter'
export type Hook = 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING'
export interface Chain {
  /** of a built-in one */
  policy: 'ACCEPT' | 'DROP' | undefined
  rules: Rule[]
  packets: number
  bytes: number
}
/** in the order in which iptables-save prints them */
export const tableNames: readonly TableName[] = ['raw', 'mangle', 'filter', 'nat']
const hooks: Record<TableName, readonly Hook[]> = {
  raw: ['PREROUTING', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
}
export type Verdict =
  | { kind: 'accept' }
  | { kind: 'drop'; rule: string }
  | { kind: 'reject'; how: string; rule: string }
  | { kind: 'dnat' | 'snat'; to: NonNullable<Rule['target']['to']> }
  | { kind: 'masquerade' | 'redirect'; ports?: [number, number] }

const noChain = () => new RuleError('No chain/target/match by that name.', 1)

/** One address family's tables. A table is there from its first use on. */
export class Tables {
  readonly #tables = new Map<TableName, Map<string, Chain>>()
  #lines = new Map<string, { chain: string; rule: Rule }>()
  #nextLines = new Map<string, { chain: string; rule: Rule }>()
  /** raised by every change */
  generation = 0

  /** undefined while nobody has used it */
  table(name: TableName): ReadonlyMap<string, Chain> | undefined {
    return this.#tables.get(name)
  }
  use(name: TableName): Map<string, Chain> {
    let table = this.#tables.get(name)
    if (table === undefined) {
      table = new Map(hooks[name].map((hook): [string, Chain] => [hook, { policy: 'ACCEPT', rules: [], packets: 0, bytes: 0 }]))
      this.#tables.set(name, table)
    }
    return table
  }
  chain(table: TableName, name: string): Chain {
    const chain = this.use(table).get(name)
    if (chain === undefined) throw noChain()
    return chain
  }
  has(table: TableName, name: string): boolean {
    return this.#tables.get(table)?.has(name) ?? false
  }

  /** as `iptables -N`; existing ones are left when `quiet` */
  create(table: TableName, name: string, quiet = false): void {
    if (this.use(table).has(name)) {
      if (quiet) return
      throw new RuleError('Chain already exists.', 1)
    }
    if (name.length > 28) throw new RuleError(`chain name \`${name}' too long (must be under 29 chars)`)
    if (isBuiltinTarget(name)) throw new RuleError(`chain name may not clash with target name`)
    this.#changed()
    this.use(table).set(name, { policy: undefined, rules: [], packets: 0, bytes: 0 })
  }
  /** @throws RuleError as `iptables -X`: also for a chain that rules point to */
  remove(table: TableName, name: string): void {
    const chain = this.chain(table, name)
    if (chain.policy !== undefined) throw new RuleError('Operation not supported.', 1)
    if (chain.rules.length > 0) throw new RuleError('Directory not empty.', 4)
    for (const other of this.use(table).values())
      if (other.rules.some(({ target }) => target.name === name)) throw new RuleError('Device or resource busy.', 4)
    this.use(table).delete(name)
    this.#changed()
  }
  flush(table: TableName, name?: string): void {
    for (const chain of name === undefined ? this.use(table).values() : [this.chain(table, name)]) chain.rules.length = 0
    this.#changed()
  }
  policy(table: TableName, name: string, policy: string): void {
    const chain = this.chain(table, name)
    if (chain.policy === undefined) throw new RuleError('Bad built-in chain name.', 1)
    if (policy !== 'ACCEPT' && policy !== 'DROP') throw new RuleError("Bad policy name. Run `dmesg' for more information.", 1)
    chain.policy = policy
    this.#changed()
  }
  /** `at`: place in the chain, from 0; its end by default */
  insert(table: TableName, name: string, words: readonly string[], at?: number, line?: string): void {
    const rule = this.#checked(table, name, words)
    const chain = this.chain(table, name)
    if (at !== undefined && at > chain.rules.length) throw new RuleError('Index of insertion too big.', 1)
    if (line !== undefined) this.#nextLines.set(`${table} ${line}`, { chain: name, rule })
    if (at === undefined) chain.rules.push(rule)
    else chain.rules.splice(at, 0, rule)
    this.#changed()
  }
  /**
   * Appends the rule of a restored line without reading it anew, when the last restore had the same line: kube-proxy writes all of its rules at every
   * change of one. False when it must be read.
   */
  again(table: TableName, line: string): boolean {
    const known = this.#lines.get(`${table} ${line}`)
    if (known === undefined) return false
    const { chain, rule } = known
    const { name } = rule.target
    const of = this.#tables.get(table)
    if (!of?.has(chain) || (name !== '' && !isBuiltinTarget(name) && !of.has(name))) return false
    Object.assign(rule, { packets: 0, bytes: 0 })
    of.get(chain)?.rules.push(rule)
    this.#nextLines.set(`${table} ${line}`, known)
    return true
  }
  /** what the lines of the restore that has ended gave; those of the one before are forgotten */
  remember(): void {
    this.#lines = this.#nextLines
    this.#nextLines = new Map()
  }
  replace(table: TableName, name: string, at: number, words: readonly string[]): void {
    const chain = this.chain(table, name)
    if (chain.rules[at] === undefined) throw new RuleError('Index of replacement too big.', 1)
    chain.rules[at] = this.#checked(table, name, words)
    this.#changed()
  }
  /** place of the first rule with these words; -1 when there is none */
  find(table: TableName, name: string, words: readonly string[]): number {
    const { text } = this.#checked(table, name, words)
    return this.chain(table, name).rules.findIndex((rule) => rule.text === text)
  }
  delete(table: TableName, name: string, at: number): void {
    const chain = this.chain(table, name)
    if (chain.rules[at] === undefined) throw new RuleError('Index of deletion too big.', 1)
    chain.rules.splice(at, 1)
    this.#changed()
  }
  /** adds a rule at the chain's beginning (or end) unless it is there: what utiliptables.EnsureRule does */
  ensure(table: TableName, name: string, words: readonly string[], where: 'first' | 'last' = 'first'): void {
    if (this.find(table, name, words) === -1) this.insert(table, name, words, where === 'first' ? 0 : undefined)
  }

  #checked(table: TableName, chain: string, words: readonly string[]): Rule {
    const rule = parseRule(words)
    const { name } = rule.target
    if (name !== '' && !isBuiltinTarget(name) && !this.use(table).has(name)) throw new RuleError(`Chain '${name}' does not exist`)
    if (['DNAT', 'SNAT', 'MASQUERADE', 'REDIRECT'].includes(name) && table !== 'nat')
      throw new RuleError(` RULE_APPEND failed (Invalid argument): rule in chain ${chain}`, 4)
    if (name === 'REJECT' && table !== 'filter') throw new RuleError(` RULE_APPEND failed (Invalid argument): rule in chain ${chain}`, 4)
    return rule
  }
  #changed(): void {
    this.generation += 1
  }

  /** What a hook of a table does with a packet; marks are set in it. */
  pass(table: TableName, hook: Hook, packet: Packet, at: Surroundings): Verdict {
    const chains = this.#tables.get(table)
    const chain = chains?.get(hook)
    if (chains === undefined || chain === undefined) return { kind: 'accept' }
    const verdict = walk(chains, chain, packet, at, 0)
    if (verdict !== undefined) return verdict
    chain.packets += 1
    chain.bytes += 60
    return chain.policy === 'DROP' ? { kind: 'drop', rule: `policy of ${hook}` } : { kind: 'accept' }
  }
}

function walk(chains: ReadonlyMap<string, Chain>, chain: Chain, packet: Packet, at: Surroundings, depth: number): Verdict | undefined {
  // The kernel refuses loops of chains; here a packet falls out of one.
  if (depth > 16) return undefined
  for (const rule of chain.rules) {
    if (!rule.matches(packet, at)) continue
    rule.packets += 1
    rule.bytes += 60
    const { target } = rule
    switch (target.name) {
      case '':
      case 'LOG':
      case 'NOTRACK':
        continue
      case 'MARK':
        if (target.mark) packet.mark = ((packet.mark & ~target.mark.clear) ^ target.mark.flip) >>> 0
        continue
      case 'ACCEPT':
        return { kind: 'accept' }
      case 'DROP':
        return { kind: 'drop', rule: rule.text }
      case 'REJECT':
        return { kind: 'reject', how: target.reject ?? '', rule: rule.text }
      case 'RETURN':
        return undefined
      case 'DNAT':
      case 'SNAT':
        return { kind: target.name === 'DNAT' ? 'dnat' : 'snat', to: target.to as NonNullable<typeof target.to> }
      case 'MASQUERADE':
      case 'REDIRECT':
        return { kind: target.name === 'REDIRECT' ? 'redirect' : 'masquerade', ...(target.to?.ports ? { ports: target.to.ports } : {}) }
      default: {
        const next = chains.get(target.name)
        const verdict = next && walk(chains, next, packet, at, depth + 1)
        if (verdict !== undefined) return verdict
        if (target.goto) return undefined
      }
    }
  }
  return undefined
}

/** The text of iptables-save without its comment lines. `counters`: those of rules too. */
export function save(
  tables: Tables,
  options: { only?: TableName; counters?: boolean; around?: (table: TableName, lines: string[]) => string[] } = {},
): string {
  const all: string[] = []
  for (const name of tableNames) {
    const table = tables.table(name)
    if (table === undefined || (options.only !== undefined && options.only !== name)) continue
    const own = [...table.keys()].filter((chain) => table.get(chain)?.policy === undefined).sort()
    const order = [...hooks[name], ...own]
    const count = (packets: number, bytes: number) => (options.counters ? `[${packets}:${bytes}]` : '[0:0]')
    const lines = [`*${name}`]
    for (const chain of order) {
      const { policy, packets, bytes } = table.get(chain) as Chain
      lines.push(`:${chain} ${policy ?? '-'} ${count(packets, bytes)}`)
    }
    for (const chain of order)
      for (const rule of table.get(chain)?.rules ?? [])
        lines.push(`${options.counters ? `${count(rule.packets, rule.bytes)} ` : ''}-A ${chain}${rule.text === '' ? '' : ` ${rule.text}`}`)
    lines.push('COMMIT')
    all.push(...(options.around?.(name, lines) ?? lines))
  }
  return all.length === 0 ? '' : `${all.join('\n')}\n`
}

/** Splits a line as iptables-restore does: quotes keep words together. */
export function words(line: string): string[] {
  // Most lines have no quotes.
  if (!line.includes('"')) return line.split(/\s+/).filter((word) => word !== '')
  const found: string[] = []
  for (const match of line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)) found.push(match[2] ?? (match[1] as string).replace(/\\(.)/g, '$1'))
  return found
}

/**
 * Takes in the text of iptables-save. A table is changed at its COMMIT, whole or not at all.
 * @throws RuleError whose message names the line, as iptables-restore does
 */
export function restore(tables: Tables, text: string, options: { noflush?: boolean; only?: TableName } = {}): void {
  let table: TableName | undefined
  let skipped = false
  let undo: Map<string, Chain> | undefined
  const lines = text.split('\n')
  for (const [at, raw] of lines.entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    try {
      if (line.startsWith('*')) {
        const name = line.slice(1) as TableName
        if (!tableNames.includes(name)) throw new RuleError(`can't initialize iptables-restore table '${name}'`)
        table = name
        skipped = options.only !== undefined && options.only !== name
        if (skipped) continue
        const live = tables.use(name)
        undo = new Map([...live].map(([key, chain]) => [key, { ...chain, rules: [...chain.rules] }]))
        if (!options.noflush) {
          for (const [key, chain] of live) if (chain.policy === undefined) live.delete(key)
          for (const chain of live.values()) chain.rules = []
        }
        continue
      }
      if (table === undefined) throw new RuleError('no table')
      if (line === 'COMMIT') {
        table = undefined
        undo = undefined
        tables.generation += 1
        continue
      }
      if (skipped) continue
      if (line.startsWith(':')) {
        const [name = '', policy = '-', count = ''] = line.slice(1).split(/\s+/)
        const existing = tables.use(table).get(name)
        if (existing === undefined) tables.create(table, name)
        else if (existing.policy === undefined) existing.rules = []
        else if (policy !== '-') tables.policy(table, name, policy)
        const counted = /^\[(\d+):(\d+)\]$/.exec(count)
        const chain = tables.chain(table, name)
        if (counted) Object.assign(chain, { packets: Number(counted[1]), bytes: Number(counted[2]) })
        continue
      }
      const bare = line.startsWith('[') ? line.replace(/^\[\d+:\d+\]\s*/, '') : line
      if (!options.noflush || !tables.again(table, bare)) change(tables, table, words(bare), options.noflush ? bare : undefined)
    } catch (error) {
      if (table !== undefined && undo !== undefined) {
        const live = tables.use(table)
        live.clear()
        for (const [key, chain] of undo) live.set(key, chain)
      }
      if (!(error instanceof RuleError)) throw error
      throw new RuleError(`${error.message.trim()}\nError occurred at line: ${at + 1}`, error.exitCode)
    }
  }
  if (options.noflush) tables.remember()
  if (table !== undefined) throw new RuleError(`COMMIT expected at line ${lines.length}`, 1)
}

/**
 * One command that changes a table: -A -I -D -R -N -X -F -P -E -Z, then its words. Lists of addresses make several rules.
 * @throws RuleError
 */
export function change(tables: Tables, table: TableName, argv: readonly string[], line?: string): void {
  const [command = '', name = '', ...rest] = argv
  const place = () => (/^\d+$/.test(rest[0] ?? '') ? Number(rest.shift()) - 1 : undefined)
  switch (command) {
    case '-A':
    case '--append':
      for (const words of apart(rest)) tables.insert(table, name, words, undefined, line?.includes(',') ? undefined : line)
      break
    case '-I':
    case '--insert': {
      const at = place() ?? 0
      for (const words of apart(rest).reverse()) tables.insert(table, name, words, at)
      break
    }
    case '-D':
    case '--delete': {
      const at = place()
      if (at !== undefined && rest.length === 0) {
        tables.delete(table, name, at)
        break
      }
      for (const words of apart(rest)) {
        const found = tables.find(table, name, words)
        if (found === -1) throw new RuleError('Bad rule (does a matching rule exist in that chain?).', 1)
        tables.delete(table, name, found)
      }
      break
    }
    case '-C':
    case '--check':
      for (const words of apart(rest))
        if (tables.find(table, name, words) === -1) throw new RuleError('Bad rule (does a matching rule exist in that chain?).', 1)
      break
    case '-R':
    case '--replace':
      tables.replace(table, name, place() ?? 0, rest)
      break
    case '-N':
    case '--new-chain':
      tables.create(table, name)
      break
    case '-X':
    case '--delete-chain':
      if (name !== '') tables.remove(table, name)
      else for (const [chain, { policy }] of [...tables.use(table)]) if (policy === undefined) tables.remove(table, chain)
      break
    case '-F':
    case '--flush':
      tables.flush(table, name === '' ? undefined : name)
      break
    case '-P':
    case '--policy':
      tables.policy(table, name, rest[0] ?? '')
      break
    case '-Z':
    case '--zero':
      for (const chain of name === '' ? tables.use(table).values() : [tables.chain(table, name)]) {
        Object.assign(chain, { packets: 0, bytes: 0 })
        for (const rule of chain.rules) Object.assign(rule, { packets: 0, bytes: 0 })
      }
      break
    default:
      throw new RuleError(`unknown option "${command}"`)
  }
}
/** `-s a,b` is two rules. */
function apart(words: readonly string[]): string[][] {
  for (const [at, word] of words.entries()) {
    if (!['-s', '-d', '--source', '--destination', '--src', '--dst'].includes(word)) continue
    const value = words[at + 1]
    if (!value?.includes(',')) continue
    return value.split(',').flatMap((one) => apart(words.with(at + 1, one)))
  }
  return [[...words]]
}
