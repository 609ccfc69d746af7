// systemctl, journalctl and hostnamectl over a machine's units and journal; texts are those of systemd 257. Knows nothing of what a unit runs.
import type { JournalEntry } from '../../machine.ts'
import type { Tool, ToolCall } from '../../process.ts'
import { words as splitWords, withSuffix } from '../unitfile.ts'
import { exitName, MachineUnits, type UnitDetails } from '../units.ts'
import { getopt } from './flags.ts'

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const two = (value: number) => String(value).padStart(2, '0')
const clockTime = (at: Date) => `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`
/** Sat 2026-11-21 08:58:54 UTC */
const timestamp = (ms: number): string => {
  const at = new Date(ms)
  return `${days[at.getUTCDay()]} ${at.toISOString().slice(0, 10)} ${clockTime(at)} UTC`
}
/** as systemd's format_timestamp_relative */
const ago = (ms: number): string => {
  const seconds = Math.floor(ms / 1000)
  const unit = (value: number, one: string, many = `${one}s`) => `${value} ${value === 1 ? one : many}`
  if (seconds >= 86_400 * 2) return `${unit(Math.floor(seconds / 86_400), 'day')} ago`
  if (seconds >= 86_400) return `1 day ${Math.floor((seconds - 86_400) / 3600)}h ago`
  if (seconds >= 3600) return `${Math.floor(seconds / 3600)}h${seconds % 3600 >= 60 ? ` ${Math.floor((seconds % 3600) / 60)}min` : ''} ago`
  if (seconds >= 300) return `${Math.floor(seconds / 60)}min ago`
  if (seconds >= 60) return `${Math.floor(seconds / 60)}min${seconds % 60 ? ` ${seconds % 60}s` : ''} ago`
  if (seconds > 0) return `${seconds}s ago`
  return `${Math.floor(ms)}ms ago`
}
const span = (ms: number): string => (ms < 1000 ? `${Math.floor(ms)}ms` : ago(ms).replace(' ago', ''))

const entryLine = (entry: JournalEntry, host: string): string => {
  const at = new Date(entry.at)
  return `${months[at.getUTCMonth()]} ${two(at.getUTCDate())} ${clockTime(at)} ${host} ${entry.identifier}[${entry.pid}]: ${entry.message}\n`
}
const unitsOf = (call: ToolCall): MachineUnits => {
  const { units } = call.place.machine
  if (!(units instanceof MachineUnits) || call.place.machine.place === 'workstation' || call.place.container)
    throw new Error(
      "System has not been booted with systemd as init system (PID 1). Can't operate.\nFailed to connect to system scope bus via local transport: Host is down",
    )
  return units
}

function status(call: ToolCall, units: MachineUnits, name: string, lines: number): number {
  const { machine } = call.place
  const unit = units.details(name)
  const now = call.clock.now()
  if (unit.load === 'not-found' && unit.active === 'inactive') {
    call.err(`Unit ${withSuffix(name)} could not be found.\n`)
    return 4
  }
  const { file } = unit
  if (unit.stale)
    call.err(
      `Warning: The unit file, source configuration file or drop-ins of ${file.name} changed on disk. Run 'systemctl daemon-reload' to reload units.\n`,
    )
  const dot = unit.active === 'failed' ? '×' : unit.active === 'inactive' ? '○' : '●'
  const description = file.sections.Unit?.Description?.at(-1)
  const out: string[] = [`${dot} ${file.name}${description ? ` - ${description}` : ''}`]
  if (unit.load === 'masked') out.push(`     Loaded: masked (Reason: Unit ${file.name} is masked.)`)
  else out.push(`     Loaded: loaded (${file.path}; ${unit.enabled || 'static'}${unit.enabled === 'static' ? '' : '; preset: enabled'})`)
  const directories = new Map<string, string[]>()
  for (const path of file.dropIns) {
    const at = path.lastIndexOf('/')
    directories.set(path.slice(0, at), [...(directories.get(path.slice(0, at)) ?? []), path.slice(at + 1)])
  }
  for (const [index, [directory, names]] of [...directories].entries()) {
    out.push(`${index === 0 ? '    Drop-In: ' : '             '}${directory}`)
    out.push(`             └─${names.join(', ')}`)
  }
  const result = unit.result !== 'success' && unit.active !== 'active' ? ` (Result: ${unit.result})` : ''
  out.push(
    `     Active: ${unit.active} (${unit.sub})${result}${unit.since ? ` since ${timestamp(unit.since)}; ${ago(now - unit.since)}` : ''}`,
  )
  if (unit.active !== 'active' && unit.exitedAt > unit.startedAt && unit.startedAt)
    out.push(`   Duration: ${span(unit.exitedAt - unit.startedAt)}`)
  if (unit.condition)
    out.push(
      `  Condition: start condition unmet at ${timestamp(unit.condition.at)}; ${ago(now - unit.condition.at)}`,
      `             └─ ${unit.condition.text} was not met`,
    )
  if (unit.invocation) out.push(` Invocation: ${unit.invocation}`)
  const documentation = (file.sections.Unit?.Documentation ?? []).flatMap((line) => line.split(/\s+/))
  for (const [index, line] of documentation.entries()) out.push(`${index === 0 ? '       Docs: ' : '             '}${line}`)
  const command = file.sections.Service?.ExecStart?.at(-1)
  const program = command?.split(/\s+/)[0]?.split('/').at(-1) ?? ''
  if (unit.pid) {
    for (const line of file.sections.Service?.ExecStartPre ?? []) {
      if (line.startsWith('-')) continue
      out.push(`    Process: ${unit.pid - 2} ExecStartPre=${splitWords(line).join(' ')} (code=exited, status=0/SUCCESS)`)
    }
    out.push(`   Main PID: ${unit.pid} (${program})`)
    const slice = file.sections.Service?.Slice?.at(-1) ?? 'system.slice'
    const own = machine.processes.list().filter((row) => row.pid === unit.pid)
    out.push(`      Tasks: ${own.length * 11} (limit: 28909)`)
    out.push(`     Memory: ${(memory[program] ?? 4.2).toFixed(1)}M`)
    out.push(`     CGroup: /${slice}/${file.name}`)
    for (const row of own) out.push(`             └─${row.pid} ${row.command}`)
  } else if (unit.exitCode !== undefined && unit.lastPid && unit.active !== 'inactive') {
    const code = `(code=exited, status=${unit.exitCode}${unit.exitCode === 0 ? '/SUCCESS' : exitName(unit.exitCode) === 'n/a' ? '/n/a' : `/${exitName(unit.exitCode)}`})`
    out.push(`    Process: ${unit.lastPid} ExecStart=${command ?? ''} ${code}`)
    out.push(`   Main PID: ${unit.lastPid} ${code}`)
  } else if (unit.exitCode !== undefined && unit.lastPid) {
    out.push(`   Main PID: ${unit.lastPid} (code=exited, status=${unit.exitCode}${`/${exitName(unit.exitCode)}`})`)
  }
  call.out(`${out.join('\n')}\n`)
  const entries = machine.journal.entries({ unit: file.name }).slice(lines > 0 ? -lines : undefined)
  if (entries.length > 0 && lines !== 0) {
    const width = call.tty?.cols
    call.out('\n')
    for (const entry of entries) {
      const line = entryLine(entry, machine.name)
      call.out(width !== undefined && line.length > width + 1 ? `${line.slice(0, width - 1)}…\n` : line)
    }
  }
  return unit.active === 'active' ? 0 : 3
}
const memory: Readonly<Record<string, number>> = { kubelet: 36.8, containerd: 145.4, sshd: 1.2 }

const spec = {
  n: 'lines=',
  lines: 'lines=',
  'no-pager': 'no-pager',
  l: 'full',
  full: 'full',
  now: 'now',
  a: 'all',
  all: 'all',
  t: 'type=',
  type: 'type=',
  state: 'state=',
  failed: 'failed',
  p: 'property=',
  property: 'property=',
  value: 'value',
  q: 'quiet',
  quiet: 'quiet',
  s: 'signal=',
  signal: 'signal=',
  'no-legend': 'no-legend',
  legend: 'legend=',
  plain: 'plain',
  f: 'force',
  force: 'force',
  'no-block': 'no-block',
  version: 'version',
  o: 'output=',
  output: 'output=',
  runtime: 'runtime',
  system: 'system',
}
const verbs = [
  'cat',
  'daemon-reload',
  'daemon-reexec',
  'disable',
  'enable',
  'edit',
  'is-active',
  'is-enabled',
  'is-failed',
  'is-system-running',
  'kill',
  'list-unit-files',
  'list-units',
  'mask',
  'poweroff',
  'reboot',
  'reenable',
  'reload',
  'reload-or-restart',
  'reset-failed',
  'restart',
  'show',
  'start',
  'status',
  'stop',
  'try-restart',
  'unmask',
]

export const systemctl: Tool = async (call) => {
  const parsed = getopt(call.argv.slice(1), spec)
  const { flags } = parsed
  const [verb = 'list-units', ...names] = parsed.words
  if (flags.has('version')) {
    call.out('systemd 257 (257.13-1~deb13u1)\n')
    return 0
  }
  const units = unitsOf(call)
  const changes = [
    'start',
    'stop',
    'restart',
    'try-restart',
    'reload',
    'reload-or-restart',
    'enable',
    'disable',
    'reenable',
    'mask',
    'unmask',
    'daemon-reload',
    'daemon-reexec',
    'reset-failed',
    'kill',
  ]
  if (changes.includes(verb) && call.uid !== 0) {
    const [name] = names
    const words = verb.startsWith('daemon') ? 'reload daemon' : `${verb} ${name ? withSuffix(name) : 'unit'}`
    call.err(`Failed to ${words}: Access denied\n`)
    if (name && !verb.startsWith('daemon')) call.err(`See system logs and 'systemctl status ${withSuffix(name)}' for details.\n`)
    return verb === 'start' || verb === 'stop' || verb === 'restart' ? 4 : 1
  }
  const each = async (act: (name: string) => Promise<void> | void, code: number): Promise<number> => {
    if (names.length === 0) {
      call.err('Too few arguments.\n')
      return 1
    }
    let last = 0
    for (const name of names) {
      try {
        const before = units.details(name)
        if (before.stale && (verb === 'restart' || verb === 'start'))
          call.err(
            `Warning: The unit file, source configuration file or drop-ins of ${before.file.name} changed on disk. Run 'systemctl daemon-reload' to reload units.\n`,
          )
        await act(name)
      } catch (error) {
        call.err(`${(error as Error).message}\n`)
        last = /^Job for/.test((error as Error).message) ? 1 : code
      }
    }
    return last
  }
  switch (verb) {
    case 'status':
      if (names.length === 0) {
        call.out(`● ${call.place.machine.name}\n    State: running\n    Units: ${units.list().length} loaded (incl. loaded aliases)\n`)
        return 0
      }
      return names.reduce((code, name, at) => {
        if (at > 0) call.out('\n')
        return Math.max(code, status(call, units, name, Number(flags.get('lines') ?? 10)))
      }, 0)
    case 'start':
      return each((name) => units.start(name), 5)
    case 'stop':
      return each((name) => units.stop(name), 5)
    case 'restart':
    case 'reload-or-restart':
      return each((name) => units.restart(name), 5)
    case 'try-restart':
      return each((name) => (units.state(name).active === 'active' ? units.restart(name) : undefined), 5)
    case 'reload':
      return each((name) => {
        const { file } = units.details(name)
        if (!file.sections.Service?.ExecReload)
          throw new Error(`Failed to reload ${withSuffix(name)}: Job type reload is not applicable for unit ${withSuffix(name)}.`)
      }, 1)
    case 'daemon-reload':
    case 'daemon-reexec':
      units.reload()
      return 0
    case 'reset-failed':
      for (const name of names.length ? names : units.list()) units.resetFailed(name)
      return 0
    case 'kill':
      return each((name) => units.restart(name), 1)
    case 'enable':
    case 'reenable': {
      const code = await each((name) => {
        const { file, enabled } = units.details(name)
        units.enable(name)
        if (enabled !== 'enabled' && file.load === 'loaded') {
          for (const target of (file.sections.Install?.WantedBy ?? []).flatMap((line) => line.split(/\s+/)))
            call.err(`Created symlink '/etc/systemd/system/${target}.wants/${file.name}' → '${file.path}'.\n`)
          if (!file.sections.Install)
            call.err(
              'The unit files have no installation config (WantedBy=, RequiredBy=, UpheldBy=,\nAlso=, or Alias= settings in the [Install] section, and DefaultInstance= for\ntemplate units). This means they are not meant to be enabled or disabled using systemctl.\n',
            )
        }
      }, 1)
      return code === 0 && flags.has('now') ? each((name) => units.start(name), 5) : code
    }
    case 'disable': {
      const code = await each((name) => {
        const { file, enabled } = units.details(name)
        units.disable(name)
        if (enabled === 'enabled')
          for (const target of (file.sections.Install?.WantedBy ?? []).flatMap((line) => line.split(/\s+/)))
            call.err(`Removed '/etc/systemd/system/${target}.wants/${file.name}'.\n`)
      }, 1)
      return code === 0 && flags.has('now') ? each((name) => units.stop(name), 5) : code
    }
    case 'mask':
      return each((name) => {
        units.mask(name)
        call.err(`Created symlink '/etc/systemd/system/${withSuffix(name)}' → '/dev/null'.\n`)
      }, 1)
    case 'unmask':
      return each((name) => {
        units.unmask(name)
        call.err(`Removed '/etc/systemd/system/${withSuffix(name)}'.\n`)
      }, 1)
    case 'is-active':
    case 'is-failed': {
      const states = names.map((name) => units.state(name).active)
      if (!flags.has('quiet')) for (const state of states) call.out(`${state}\n`)
      if (verb === 'is-failed') return states.some((state) => state === 'failed') ? 0 : 1
      return states.some((state) => state === 'active') ? 0 : names.every((name) => units.state(name).load === 'not-found') ? 4 : 3
    }
    case 'is-enabled': {
      let code = 1
      for (const name of names) {
        const { enabled } = units.state(name)
        if (enabled === '') call.out('not-found\n')
        else if (!flags.has('quiet')) call.out(`${enabled}\n`)
        if (enabled === 'enabled' || enabled === 'static') code = 0
        else if (enabled === '') code = 4
      }
      return code
    }
    case 'is-system-running':
      call.out(units.list().some((name) => units.state(name).active === 'failed') ? 'degraded\n' : 'running\n')
      return 0
    case 'cat':
      return each((name) => call.out(units.cat(name)), 1)
    case 'show':
      return show(call, units, names, properties(call.argv), flags.has('value'))
    case 'list-units':
      return listUnits(call, units, flags, names)
    case 'list-unit-files':
      return listFiles(call, units, flags, names)
    case 'edit':
    case 'reboot':
    case 'poweroff':
      throw new Error(
        verb === 'edit'
          ? 'editing through systemctl is not offered on a simulated machine: write a drop-in in /etc/systemd/system/<unit>.d/ and run systemctl daemon-reload'
          : `${verb} is not offered on a simulated machine; restart its units instead`,
      )
    default: {
      const near = verbs.find((one) => one.startsWith(verb.slice(0, 2)))
      call.err(`Unknown command verb '${verb}'${near ? `, did you mean '${near}'?` : '.'}\n`)
      return 1
    }
  }
}
/** every -p, each with one or more names */
function properties(argv: readonly string[]): string[] {
  return argv.flatMap((word, at) => {
    const inline = /^(?:-p|--property=)(.+)$/.exec(word)?.[1]
    const list = inline ?? (word === '-p' || word === '--property' ? argv[at + 1] : undefined)
    return list?.split(',') ?? []
  })
}
function show(call: ToolCall, units: MachineUnits, names: readonly string[], wanted: readonly string[], value: boolean): number {
  for (const name of names) {
    const unit: UnitDetails = units.details(name)
    let environment: string[] = []
    try {
      environment = Object.entries(units.command(name).env).map(([key, one]) => `${key}=${one}`)
    } catch {
      // An environment file that is not there: shown by status, not here.
    }
    const all: Record<string, string> = {
      Type: unit.file.sections.Service?.Type?.at(-1) ?? 'simple',
      Restart: unit.file.sections.Service?.Restart?.at(-1) ?? 'no',
      MainPID: String(unit.pid),
      NRestarts: String(unit.restarts),
      Result: unit.result,
      ExecMainStartTimestamp: unit.startedAt ? timestamp(unit.startedAt) : '',
      ExecMainPID: String(unit.lastPid),
      ExecMainStatus: String(unit.exitCode ?? 0),
      ExecStart: unit.file.sections.Service?.ExecStart?.at(-1) ?? '',
      Environment: environment.join(' '),
      EnvironmentFiles: (unit.file.sections.Service?.EnvironmentFile ?? [])
        .map((one) => `${one.replace(/^-/, '')} (ignore_errors=${one.startsWith('-') ? 'yes' : 'no'})`)
        .join('\n'),
      Id: unit.file.name,
      Names: unit.file.name,
      Description: unit.file.sections.Unit?.Description?.at(-1) ?? unit.file.name,
      LoadState: unit.load,
      ActiveState: unit.active,
      SubState: unit.sub,
      FragmentPath: unit.file.path,
      DropInPaths: unit.file.dropIns.join(' '),
      UnitFileState: unit.enabled,
      NeedDaemonReload: unit.stale ? 'yes' : 'no',
      InvocationID: unit.invocation,
    }
    // In its own order, whatever the order in which they were asked for.
    for (const key of Object.keys(all))
      if (wanted.length === 0 || wanted.includes(key)) call.out(value ? `${all[key]}\n` : `${key}=${all[key]}\n`)
  }
  return 0
}
const matchesAny = (name: string, patterns: readonly string[]) =>
  patterns.length === 0 ||
  patterns.some((pattern) =>
    new RegExp(
      `^${withSuffixOrGlob(pattern)
        .replace(/[.+^${}()|[\]\\]/g, '\\$&')
        .replaceAll('*', '.*')
        .replaceAll('?', '.')}$`,
    ).test(name),
  )
const withSuffixOrGlob = (pattern: string) => (/[*?]/.test(pattern) ? pattern : withSuffix(pattern))

function listUnits(call: ToolCall, units: MachineUnits, flags: ReadonlyMap<string, string>, patterns: readonly string[]): number {
  const type = flags.get('type')
  const state = flags.has('failed') ? 'failed' : flags.get('state')
  const rows = units
    .list()
    .filter((name) => (type === undefined || name.endsWith(`.${type}`)) && matchesAny(name, patterns))
    .map((name) => {
      const unit = units.details(name)
      const always = /^(systemd-journald|dbus)\.service$/.test(name)
      const active = always ? 'active' : unit.active
      return {
        name,
        load: unit.load,
        active,
        sub: always ? 'running' : unit.sub,
        description: unit.file.sections.Unit?.Description?.at(-1) ?? name,
      }
    })
    .filter((row) =>
      state === undefined
        ? flags.has('all') || row.active !== 'inactive'
        : state.split(',').some((one) => one === row.active || one === row.sub || one === row.load),
    )
  const wide = Math.max(4, ...rows.map((row) => row.name.length))
  const activeWide = Math.max(6, ...rows.map((row) => row.active.length))
  const subWide = Math.max(3, ...rows.map((row) => row.sub.length))
  const quiet = flags.has('no-legend') || flags.get('legend') === 'false'
  if (!quiet) call.out(`  ${'UNIT'.padEnd(wide)} LOAD   ${'ACTIVE'.padEnd(activeWide)} ${'SUB'.padEnd(subWide)} DESCRIPTION\n`)
  for (const row of rows)
    call.out(
      `${flags.has('plain') ? '' : row.active === 'failed' ? '● ' : '  '}${row.name.padEnd(wide)} ${row.load.padEnd(6)} ${row.active.padEnd(activeWide)} ${row.sub.padEnd(subWide)} ${row.description}\n`,
    )
  if (quiet) return 0
  if (rows.length > 0)
    call.out(
      '\nLegend: LOAD   → Reflects whether the unit definition was properly loaded.\n        ACTIVE → The high-level unit activation state, i.e. generalization of SUB.\n        SUB    → The low-level unit activation state, values depend on unit type.\n',
    )
  call.out(`\n${rows.length} loaded units listed.`)
  if (rows.length > 0)
    call.out(" Pass --all to see loaded but inactive units, too.\nTo show all installed unit files use 'systemctl list-unit-files'.")
  call.out('\n')
  return 0
}
function listFiles(call: ToolCall, units: MachineUnits, flags: ReadonlyMap<string, string>, patterns: readonly string[]): number {
  const type = flags.get('type')
  const rows = units
    .list()
    .filter((name) => (type === undefined || name.endsWith(`.${type}`)) && matchesAny(name, patterns))
    .map((name) => ({ name, state: units.state(name).enabled || 'static' }))
    .filter((row) => flags.get('state') === undefined || flags.get('state') === row.state)
  const wide = Math.max(9, ...rows.map((row) => row.name.length))
  const states = Math.max(5, ...rows.map((row) => row.state.length))
  call.out(`${'UNIT FILE'.padEnd(wide)} ${'STATE'.padEnd(states)} PRESET\n`)
  for (const row of rows)
    call.out(
      `${row.name.padEnd(wide)} ${row.state.padEnd(states)} ${row.state === 'static' ? '-' : row.state === 'masked' ? 'enabled' : 'enabled'}\n`,
    )
  call.out(`\n${rows.length} unit files listed.\n`)
  return 0
}

const since = (text: string, now: number): number => {
  const relative = /^-?(\d+)\s*(s|sec|seconds?|m|min|minutes?|h|hours?|d|days?)(\s+ago)?$/.exec(text.trim())
  if (relative) {
    const unit = (relative[2] as string)[0]
    return now - Number(relative[1]) * ({ s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit as string] ?? 1000)
  }
  if (text === 'today') return now - (now % 86_400_000)
  if (text === 'yesterday') return now - (now % 86_400_000) - 86_400_000
  if (text === 'now') return now
  const time = /^(\d\d):(\d\d)(?::(\d\d))?$/.exec(text)
  if (time) return now - (now % 86_400_000) + Number(time[1]) * 3_600_000 + Number(time[2]) * 60_000 + Number(time[3] ?? 0) * 1000
  const at = Date.parse(`${text.replace(' UTC', '').replace(' ', 'T')}Z`)
  if (Number.isNaN(at)) throw new Error(`Failed to parse timestamp: ${text}`)
  return at
}

export const journalctl: Tool = async (call) => {
  const { flags, all } = getopt(call.argv.slice(1), {
    u: 'unit=',
    unit: 'unit=',
    n: 'lines=',
    lines: 'lines=',
    f: 'follow',
    follow: 'follow',
    'no-pager': 'no-pager',
    x: 'catalog',
    catalog: 'catalog',
    e: 'end',
    'pager-end': 'end',
    r: 'reverse',
    reverse: 'reverse',
    S: 'since=',
    since: 'since=',
    U: 'until=',
    until: 'until=',
    o: 'output=',
    output: 'output=',
    p: 'priority=',
    priority: 'priority=',
    b: 'boot',
    boot: 'boot',
    k: 'dmesg',
    dmesg: 'dmesg',
    g: 'grep=',
    grep: 'grep=',
    t: 'identifier=',
    identifier: 'identifier=',
    q: 'quiet',
    quiet: 'quiet',
    l: 'full',
    full: 'full',
    'no-full': 'no-full',
    a: 'all',
    all: 'all',
    'no-hostname': 'no-hostname',
    utc: 'utc',
    'no-tail': 'no-tail',
    'disk-usage': 'disk-usage',
  })
  const { machine } = call.place
  unitsOf(call)
  if (call.uid !== 0) {
    call.err(
      "Hint: You are currently not seeing messages from other users and the system.\n      Users in groups 'adm', 'systemd-journal' can see all messages.\n      Pass -q to turn off this notice.\nNo journal files were opened due to insufficient permissions.\n",
    )
    return 1
  }
  if (flags.has('disk-usage')) {
    call.out('Archived and active journals take up 8M in the file system.\n')
    return 0
  }
  const now = call.clock.now()
  const wanted = (all.get('unit') ?? []).map(withSuffix)
  const priorities = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug']
  const priority = flags.get('priority')
  const limit =
    priority === undefined ? 7 : /^\d$/.test(priority) ? Number(priority) : priorities.indexOf(priority.split('..').at(-1) as string)
  const from = flags.get('since') === undefined ? 0 : since(flags.get('since') as string, now)
  const until = flags.get('until') === undefined ? Number.POSITIVE_INFINITY : since(flags.get('until') as string, now)
  const pattern =
    flags.get('grep') === undefined
      ? undefined
      : new RegExp(flags.get('grep') as string, /[A-Z]/.test(flags.get('grep') as string) ? '' : 'i')
  const shown = (entry: JournalEntry) =>
    (wanted.length === 0 || wanted.includes(entry.unit)) &&
    entry.at >= from &&
    entry.at <= until &&
    entry.priority <= limit &&
    (flags.get('identifier') === undefined || entry.identifier === flags.get('identifier')) &&
    !flags.has('dmesg') &&
    (pattern === undefined || pattern.test(entry.message))
  const output = flags.get('output') ?? 'short'
  const print = (entry: JournalEntry) => {
    const iso = new Date(entry.at).toISOString()
    if (output === 'cat') call.out(`${entry.message}\n`)
    else if (output === 'short-iso')
      call.out(`${iso.slice(0, 19)}+00:00 ${machine.name} ${entry.identifier}[${entry.pid}]: ${entry.message}\n`)
    else if (output.startsWith('json'))
      call.out(
        `${JSON.stringify({ __REALTIME_TIMESTAMP: String(entry.at * 1000), _HOSTNAME: machine.name, PRIORITY: String(entry.priority), SYSLOG_IDENTIFIER: entry.identifier, _PID: String(entry.pid), _SYSTEMD_UNIT: entry.unit, MESSAGE: entry.message })}\n`,
      )
    else call.out(flags.has('no-hostname') ? entryLine(entry, '').replace('  ', ' ') : entryLine(entry, machine.name))
  }
  let entries = machine.journal.entries().filter(shown)
  const follow = flags.has('follow')
  const lines = flags.get('lines') ?? (follow && !flags.has('no-tail') ? '10' : flags.has('end') ? '1000' : 'all')
  if (lines !== 'all') entries = Number(lines) === 0 ? [] : entries.slice(-Number(lines))
  if (entries.length === 0 && !follow) {
    call.out('-- No entries --\n')
    return 0
  }
  for (const entry of flags.has('reverse') ? entries.toReversed() : entries) print(entry)
  if (!follow) return 0
  const following = machine.journal.follow((entry) => {
    if (shown(entry)) print(entry)
  })
  await new Promise<void>((resolve) => {
    if (call.signal.aborted) resolve()
    call.signal.addEventListener('abort', () => resolve(), { once: true })
  })
  following.stop()
  return 130
}

export const hostnamectl: Tool = async (call) => {
  unitsOf(call)
  if (call.argv[1] && call.argv[1] !== 'status' && call.argv[1] !== 'hostname')
    throw new Error('changing the name of a simulated machine is not offered')
  if (call.argv[1] === 'hostname') {
    call.out(`${call.place.machine.name}\n`)
    return 0
  }
  call.out(
    ` Static hostname: ${call.place.machine.name}\n       Icon name: computer-container\n         Chassis: container ☐\n  Virtualization: docker\nOperating System: Debian GNU/Linux 13 (trixie)\n    Architecture: x86-64\n`,
  )
  return 0
}
