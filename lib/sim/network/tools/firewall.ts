// iptables, iptables-save, iptables-restore, their IPv6 names, and nft's listing: the same tables that kube-proxy and flanneld change. What is printed
// is checked against iptables 1.8.11 (nf_tables). Knows nothing of packets.
import type { Tool, ToolCall } from '../../process.ts'
import { formatIp, type Prefix } from '../ip.ts'
import { namespaceOf } from '../network.ts'
import { type Rule, RuleError } from '../rules.ts'
import { type Chain, change, restore, save, type TableName, type Tables, tableNames } from '../tables.ts'

const version = 'v1.8.11 (nf_tables)'
const tablesOf = (call: ToolCall, name: string): Tables => {
  const net = namespaceOf(call.place.net)
  return name.startsWith('ip6') ? net.tables6 : net.tables
}
const hint = "Try `iptables -h' or 'iptables --help' for more information.\n"
const denied = (call: ToolCall, name: string): number | undefined => {
  if (
    call.uid === 0 &&
    (call.place.container === undefined ||
      call.place.container.security.privileged ||
      call.place.container.security.capabilities.includes('NET_ADMIN'))
  )
    return undefined
  call.err(`${name} ${version}: Could not fetch rule set generation id: Permission denied (you must be root)\n`)
  return 4
}
const names = (argv0: string | undefined) => (argv0 ?? 'iptables').split('/').at(-1) as string

export const iptables: Tool = async (call) => {
  const name = names(call.argv[0])
  const words = call.argv.slice(1)
  let table: TableName = 'filter'
  const command: string[] = []
  const shown = { numeric: false, verbose: false, numbers: false, exact: false }
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] as string
    if (word === '-t' || word === '--table') table = words[++at] as TableName
    else if (/^--table=/.test(word)) table = word.slice(8) as TableName
    else if (word === '-w' || word === '--wait') {
      if (/^\d+$/.test(words[at + 1] ?? '')) at += 1
    } else if (/^(-w\d+|--wait=\d+)$/.test(word)) continue
    else if (word === '-V' || word === '--version') {
      call.out(`${name} ${version}\n`)
      return 0
    } else if (word === '-n' || word === '--numeric') shown.numeric = true
    else if (word === '-v' || word === '--verbose') shown.verbose = true
    else if (word === '-x' || word === '--exact') shown.exact = true
    else if (word === '--line-numbers' || word === '--line-number') shown.numbers = true
    else if (/^-[nvxLSFt]{2,}$/.test(word)) {
      for (const letter of word.slice(1)) {
        if (letter === 'n') shown.numeric = true
        else if (letter === 'v') shown.verbose = true
        else if (letter === 'x') shown.exact = true
        else if (letter === 't') table = words[++at] as TableName
        else command.push(`-${letter}`)
      }
    } else command.push(word)
  }
  const refused = denied(call, name)
  if (refused !== undefined) return refused
  if (!tableNames.includes(table)) {
    call.err(`${name} ${version}: table '${table}' does not exist\nPerhaps ${name} or your kernel needs to be upgraded.\n`)
    return 3
  }
  const tables = tablesOf(call, name)
  const [verb = '', chain] = command
  try {
    if (verb === '') throw new RuleError('no command specified')
    if (verb === '-L' || verb === '--list') call.out(list(tables, table, chain, shown))
    else if (verb === '-S' || verb === '--list-rules') call.out(rules(tables, table, chain))
    else change(tables, table, command)
    return 0
  } catch (error) {
    if (!(error instanceof RuleError)) throw error
    // What the kernel refuses is told without the version, what the program refuses with it.
    if (error.exitCode === 2)
      call.err(
        `${name} ${version}: ${error.message}\n${error.message.endsWith('\n') ? '' : hint}${error.message.endsWith('\n') ? hint : ''}`,
      )
    else
      call.err(
        error.exitCode === 4
          ? error.message.startsWith(' ')
            ? `${name} ${version}: ${error.message}\n`
            : `${name} ${version}:  CHAIN_DEL failed (${error.message.replace(/\.$/, '')}): chain ${chain}\n`
          : `${name}: ${error.message}\n`,
      )
    return error.exitCode
  }
}
const ordered = (tables: Tables, table: TableName): [string, Chain][] => {
  const all = [...tables.use(table)]
  return [
    ...all.filter(([, { policy }]) => policy !== undefined),
    ...all.filter(([, { policy }]) => policy === undefined).sort(([a], [b]) => (a < b ? -1 : 1)),
  ]
}
function rules(tables: Tables, table: TableName, only: string | undefined): string {
  const chains: [string, Chain][] = only === undefined ? ordered(tables, table) : [[only, tables.chain(table, only)]]
  const heads = chains.map(([name, { policy }]) => (policy === undefined ? `-N ${name}\n` : `-P ${name} ${policy}\n`))
  return (
    heads.join('') + chains.flatMap(([name, { rules }]) => rules.map(({ text }) => `-A ${name}${text === '' ? '' : ` ${text}`}\n`)).join('')
  )
}
function list(
  tables: Tables,
  table: TableName,
  only: string | undefined,
  shown: { numeric: boolean; verbose: boolean; numbers: boolean; exact: boolean },
): string {
  const chains: [string, Chain][] = only === undefined ? ordered(tables, table) : [[only, tables.chain(table, only)]]
  return chains.map(([name, chain]) => listChain(tables, table, name, chain, shown)).join('\n')
}
function listChain(
  tables: Tables,
  table: TableName,
  name: string,
  chain: Chain,
  shown: { numeric: boolean; verbose: boolean; numbers: boolean },
): string {
  const references = [...tables.use(table).values()].reduce(
    (sum, other) => sum + other.rules.filter(({ target }) => target.name === name).length,
    0,
  )
  const lines = [
    `Chain ${name} (${chain.policy === undefined ? `${references} references` : `policy ${chain.policy}${shown.verbose ? ` ${chain.packets} packets, ${chain.bytes} bytes` : ''}`})`,
  ]
  const number = shown.numbers ? 'num  ' : ''
  lines.push(
    shown.verbose
      ? `${number} pkts bytes target     prot opt in     out     source               destination         `
      : `${number}target     prot opt source               destination         `,
  )
  for (const [at, rule] of chain.rules.entries()) {
    const { parts, target } = rule
    const place = (item: { value: Prefix; not: boolean } | undefined) => {
      if (item === undefined) return shown.numeric ? '0.0.0.0/0' : 'anywhere'
      return `${item.not ? '!' : ''}${formatIp(item.value.ip)}${item.value.bits === 32 ? '' : `/${item.value.bits}`}`
    }
    const link = (item: { value: string; not: boolean } | undefined) =>
      item === undefined ? (shown.numeric ? '*' : 'any') : `${item.not ? '!' : ''}${item.value}`
    const prot = parts.protocol === undefined ? 'all' : `${parts.protocol.not ? '!' : ''}${parts.protocol.value}`
    const described = lastColumn(rule)
    const head = shown.numbers ? `${String(at + 1).padEnd(4)} ` : ''
    const common = `${target.name.padEnd(9)}  ${prot.padEnd(4)} --  `
    const ends = `${place(parts.src).padEnd(20)} ${place(parts.dst).padEnd(20)}`
    lines.push(
      shown.verbose
        ? `${head}${String(rule.packets).padStart(5)} ${String(rule.bytes).padStart(5)} ${common}${link(parts.in).padEnd(6)} ${link(parts.out).padEnd(7)} ${ends} ${described}`
            .trimEnd()
            .concat(described === '' ? '            ' : '')
        : `${head}${common}${ends} ${described}`.trimEnd().concat(described === '' ? '            ' : ''),
    )
  }
  return `${lines.map((line) => line).join('\n')}\n`
}
/** the last column */
function lastColumn({ parts, target }: Rule): string {
  const words: string[] = []
  for (const { name, options } of parts.extensions) {
    const get = (flag: string) => options.find((option) => option.flag === flag)
    const not = (option: { not: boolean } | undefined) => (option?.not ? '!' : '')
    if (name === 'comment') words.push(`/* ${get('--comment')?.values[0]} */`)
    else if (name === 'tcp' || name === 'udp') {
      words.push(name)
      for (const [flag, label] of [
        ['--sport', 'spt'],
        ['--dport', 'dpt'],
      ] as const) {
        const option = get(flag)
        const value = option?.values[0]
        if (option && value) words.push(`${value.includes(':') ? `${label}s` : label}:${not(option)}${value}`)
      }
    } else if (name === 'conntrack' || name === 'state') {
      const option = options[0]
      words.push(
        `${not(option)}${option?.flag.slice(2)} ${option?.values[0]}`.replace('!ctstate', '! ctstate').replace(/^state /, 'state '),
      )
    } else if (name === 'mark') words.push(`mark match ${not(options[0])}${options[0]?.values[0]}`)
    else if (name === 'addrtype')
      words.push(`ADDRTYPE match ${options.map((option) => `${option.flag.slice(2)} ${option.values[0] ?? ''}`).join(' ')}`)
    else if (name === 'statistic') words.push(`statistic mode random probability ${get('--probability')?.values[0] ?? ''}`)
    else if (name === 'multiport') words.push(`multiport ${options[0]?.flag.slice(2)} ${options[0]?.values[0]}`)
    else if (name === 'recent')
      words.push(
        `recent: ${get('--set') ? 'SET' : 'CHECK'}${get('--seconds') ? ` seconds: ${get('--seconds')?.values[0]} reap` : ''} name: ${get('--name')?.values[0]} side: source mask: 255.255.255.255`,
      )
    else if (name === 'nfacct') words.push(`nfacct-name  ${options[0]?.values[0]}`)
    else
      words.push(
        `${name} ${options.map((option) => `${not(option)}${option.flag.slice(2)} ${option.values.join(' ')}`).join(' ')}`.trimEnd(),
      )
  }
  const [flag, value] = parts.targetOptions
  if (target.name === 'DNAT' || target.name === 'SNAT') words.push(`to:${value}`)
  else if (target.name === 'REJECT') words.push(`reject-with ${value}`)
  else if (target.name === 'MARK') {
    const [bits = '', mask = ''] = (value ?? '').split('/')
    words.push(
      mask === '0x0'
        ? `MARK xor ${bits}`
        : bits === mask
          ? `MARK or ${bits}`
          : mask === '0xffffffff'
            ? `MARK set ${bits}`
            : `MARK xset ${value}`,
    )
  } else if (target.name === 'MASQUERADE' && flag !== undefined)
    words.push(parts.targetOptions.includes('--random-fully') ? 'random-fully' : `masq ports: ${value}`)
  else if (target.name === 'REDIRECT' && value !== undefined) words.push(`redir ports ${value}`)
  else if (target.name === 'LOG')
    words.push(
      `LOG flags 0 level 4${parts.targetOptions.includes('--log-prefix') ? ` prefix "${parts.targetOptions[parts.targetOptions.indexOf('--log-prefix') + 1]}"` : ''}`,
    )
  return words.join(' ')
}

const stamp = (ms: number) => {
  const text = new Date(ms).toUTCString()
  return `${text.slice(0, 3)} ${text.slice(8, 11)} ${text.slice(5, 7)} ${text.slice(17, 25)} ${text.slice(12, 16)}`
}
export const iptablesSave: Tool = async (call) => {
  const name = names(call.argv[0])
  const refused = denied(call, name)
  if (refused !== undefined) return refused
  const words = call.argv.slice(1)
  const at = words.findIndex((word) => word === '-t' || word === '--table')
  const only = at === -1 ? undefined : (words[at + 1] as TableName)
  const when = stamp(call.clock.now())
  const around = (_: TableName, lines: string[]) => [`# Generated by ${name} ${version} on ${when}`, ...lines, `# Completed on ${when}`]
  // The kernel counts built-in chains whether or not the counters of rules are asked for.
  call.out(
    save(tablesOf(call, name), { ...(only ? { only } : {}), counters: words.includes('-c') || words.includes('--counters'), around }),
  )
  return 0
}
export const iptablesRestore: Tool = async (call) => {
  const name = names(call.argv[0])
  const refused = denied(call, name)
  if (refused !== undefined) return refused
  const words = call.argv.slice(1)
  const file = words.find((word, at) => !word.startsWith('-') && !['-T', '--table', '-w', '--wait'].includes(words[at - 1] ?? ''))
  let text: string
  if (file !== undefined) {
    const path = file.startsWith('/') ? file : `${call.cwd}/${file}`
    const read = call.place.files.text(path)
    if (read === undefined) {
      call.err(`Can't open ${file}: No such file or directory\n`)
      return 1
    }
    text = read
  } else {
    const parts: Uint8Array[] = []
    for await (const part of call.stdin) parts.push(part)
    text = Buffer.concat(parts).toString('utf8')
  }
  const table = words[words.findIndex((word) => word === '-T' || word === '--table') + 1]
  try {
    restore(tablesOf(call, name), text, {
      noflush: words.includes('-n') || words.includes('--noflush'),
      ...(words.some((word) => word === '-T' || word === '--table') ? { only: table as TableName } : {}),
    })
    return 0
  } catch (error) {
    if (!(error instanceof RuleError)) throw error
    call.err(`${name} ${version}: ${error.message}\n${hint.replace('iptables -h', `${name} -h`)}`)
    return error.exitCode
  }
}

export const nft: Tool = async (call) => {
  const words = call.argv.slice(1).filter((word) => !word.startsWith('-'))
  if (call.uid !== 0) {
    call.err('Operation not permitted (you must be root)\n')
    return 1
  }
  if (words[0] !== 'list') {
    call.err('nft: only list works on this simulated machine; change rules with iptables\n')
    return 1
  }
  const { tables } = namespaceOf(call.place.net)
  const wanted = words[1] === 'table' ? words.slice(2).find((word) => tableNames.includes(word as TableName)) : undefined
  const hooks: Record<string, string> = {
    PREROUTING: 'prerouting',
    INPUT: 'input',
    FORWARD: 'forward',
    OUTPUT: 'output',
    POSTROUTING: 'postrouting',
  }
  for (const table of tableNames) {
    const content = tables.table(table)
    if (content === undefined || (wanted !== undefined && wanted !== table)) continue
    if (words[1] === 'tables') {
      call.out(`table ip ${table}\n`)
      continue
    }
    call.out(`# Warning: table ip ${table} is managed by iptables-nft, do not touch!\ntable ip ${table} {\n`)
    call.out(
      ordered(tables, table)
        .map(([name, chain]) => {
          const hook = hooks[name]
          const priority = table === 'nat' ? (name === 'PREROUTING' || name === 'OUTPUT' ? 'dstnat' : 'srcnat') : table
          const head =
            chain.policy === undefined
              ? ''
              : `\t\ttype ${table === 'nat' ? 'nat' : 'filter'} hook ${hook} priority ${priority}; policy ${chain.policy.toLowerCase()};\n`
          return `\tchain ${name} {\n${head}${chain.rules.map((rule) => `\t\t${native(rule)}\n`).join('')}\t}\n`
        })
        .join('\n'),
    )
    call.out('}\n')
  }
  return 0
}
/** A rule in nft's own words, as far as nft knows the match; the rest as nft prints what it does not: xt. */
function native({ parts, target, packets, bytes }: Rule): string {
  const words: string[] = []
  if (parts.src)
    words.push(
      `ip saddr ${parts.src.not ? '!= ' : ''}${formatIp(parts.src.value.ip)}${parts.src.value.bits === 32 ? '' : `/${parts.src.value.bits}`}`,
    )
  if (parts.dst)
    words.push(
      `ip daddr ${parts.dst.not ? '!= ' : ''}${formatIp(parts.dst.value.ip)}${parts.dst.value.bits === 32 ? '' : `/${parts.dst.value.bits}`}`,
    )
  if (parts.in) words.push(`iifname ${parts.in.not ? '!= ' : ''}"${parts.in.value}"`)
  if (parts.out) words.push(`oifname ${parts.out.not ? '!= ' : ''}"${parts.out.value}"`)
  for (const { name, options } of parts.extensions) {
    const first = options[0]
    if (name === 'tcp' || name === 'udp')
      for (const option of options)
        words.push(`${name} ${option.flag.slice(2)} ${option.not ? '!= ' : ''}${option.values[0]?.replace(':', '-')}`)
    else if (name === 'conntrack' && first) words.push(`ct state ${first.not ? '! ' : ''}${first.values[0]?.toLowerCase()}`)
    else if (name === 'mark' && first)
      words.push(
        `meta mark & ${first.values[0]?.split('/')[1] ?? '0xffffffff'} ${first.not ? '!=' : '=='} ${first.values[0]?.split('/')[0]}`,
      )
    else if (name === 'addrtype' && first)
      words.push(`fib ${first.flag === '--dst-type' ? 'daddr' : 'saddr'} type ${first.values[0]?.toLowerCase()}`)
    else if (name !== 'comment') words.push(`xt match "${name}"`)
  }
  const option = parts.targetOptions[1]
  const end = {
    ACCEPT: 'accept',
    DROP: 'drop',
    RETURN: 'return',
    REJECT: 'reject',
    DNAT: `dnat to ${option}`,
    SNAT: `snat to ${option}`,
    MASQUERADE: `masquerade${parts.targetOptions.includes('--random-fully') ? ' fully-random' : ''}`,
    MARK: `meta mark set mark or ${option?.split('/')[0]}`,
  }[target.name]
  return `${words.join(' ')}${words.length > 0 ? ' ' : ''}counter packets ${packets} bytes ${bytes}${target.name === '' ? '' : ` ${end ?? (target.name === target.name.toUpperCase() && ['LOG', 'REDIRECT'].includes(target.name) ? `xt target "${target.name}"` : `${target.goto ? 'goto' : 'jump'} ${target.name}`)}`}`
}
