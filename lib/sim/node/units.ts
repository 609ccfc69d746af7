// systemd on one machine: loads unit files, starts and watches daemons, restarts them as Restart= says, and tells the journal in systemd's own words
// (257, Debian 13). What a daemon is comes in by the path of its program. Knows nothing of Kubernetes.
import type { Clock, Timer } from '../clock.ts'
import type { Daemon, DaemonContext, Machine, UnitState, Units } from '../machine.ts'
import { commandLine, environment, type Named, namesIn, readUnit, timespan, type UnitFile, unitPath, withSuffix } from './unitfile.ts'

/** By the path in ExecStart=. `file`: the path must be there on the machine (its directory is the machine's own). */
export type DaemonFactory = (context: DaemonContext) => Daemon
export interface DaemonProgram {
  start: DaemonFactory
}

interface Unit {
  file: UnitFile
  active: UnitState['active']
  sub: string
  pid: number
  since: number
  exitCode?: number
  restarts: number
  result: string
  daemon?: Daemon | undefined
  /** counts starts: what an earlier process says is not heard */
  generation: number
  /** times of the latest starts, for StartLimit */
  starts: number[]
  timer?: Timer | undefined
  /** of the last process */
  lastPid: number
  startedAt: number
  exitedAt: number
  invocation: string
  condition?: { text: string; at: number } | undefined
}
/** What `systemctl status` prints beyond UnitState. */
export interface UnitDetails extends UnitState {
  file: UnitFile
  result: string
  lastPid: number
  startedAt: number
  exitedAt: number
  invocation: string
  /** its files changed after they were loaded */
  stale: boolean
  condition?: { text: string; at: number } | undefined
}
interface SavedUnit {
  active: UnitState['active']
  sub: string
  pid: number
  since: number
  exitCode?: number
  restarts: number
  result: string
  lastPid: number
  startedAt: number
  exitedAt: number
  invocation: string
}
export type SavedUnits = Record<string, SavedUnit>

export interface UnitsOptions {
  machine: () => Machine
  clock: Clock
  programs: Readonly<Record<string, DaemonProgram>>
  /** 32 hexadecimal digits: an invocation's id */
  invocation: () => string
  saved?: SavedUnits | undefined
}

export class MachineUnits implements Units {
  readonly #options: UnitsOptions
  readonly #units = new Map<string, Unit>()
  #closed = false

  constructor(options: UnitsOptions) {
    this.#options = options
  }
  get #files() {
    return this.#options.machine().files
  }
  #unit(asked: string, named: Named = namesIn(this.#files)): Unit {
    const name = withSuffix(asked)
    const known = this.#units.get(name)
    if (known) return known
    const file = readUnit(this.#files, name, named)
    const alias = this.#units.get(file.name)
    if (alias) return alias
    const unit: Unit = {
      file,
      active: 'inactive',
      sub: 'dead',
      pid: 0,
      since: 0,
      restarts: 0,
      result: 'success',
      generation: 0,
      starts: [],
      lastPid: 0,
      startedAt: 0,
      exitedAt: 0,
      invocation: '',
    }
    // What is not there is looked for again the next time.
    if (file.load !== 'not-found') this.#units.set(file.name, unit)
    return unit
  }
  state(name: string): UnitState {
    return this.#state(name, namesIn(this.#files))
  }
  /** of all that `list` names, by one look at their directories */
  states(): ReadonlyMap<string, UnitState> {
    const named = namesIn(this.#files)
    return new Map(this.#names(named).map((name) => [name, this.#state(name, named)]))
  }
  #state(name: string, named: Named): UnitState {
    const unit = this.#unit(name, named)
    return {
      load: unit.file.load,
      active: unit.active,
      sub: unit.sub,
      enabled: this.#enabled(unit.file, named),
      pid: unit.pid,
      since: unit.since,
      ...(unit.exitCode === undefined ? {} : { exitCode: unit.exitCode }),
      restarts: unit.restarts,
    }
  }
  details(name: string): UnitDetails {
    const unit = this.#unit(name)
    const now = readUnit(this.#files, unit.file.name)
    return {
      ...this.state(name),
      file: unit.file,
      result: unit.result,
      lastPid: unit.lastPid,
      startedAt: unit.startedAt,
      exitedAt: unit.exitedAt,
      invocation: unit.invocation,
      stale:
        unit.file.load === 'loaded' && now.texts.map((one) => one.text).join('\0') !== unit.file.texts.map((one) => one.text).join('\0'),
      condition: unit.condition,
    }
  }
  list(): readonly string[] {
    return this.#names(namesIn(this.#files))
  }
  #names(named: Named): string[] {
    const names = new Set<string>(this.#units.keys())
    for (const directory of unitPath)
      for (const name of named(directory)) if (withSuffix(name) === name && !name.includes('@.')) names.add(name)
    return [...names].sort()
  }
  #enabled(file: UnitFile, named: Named = namesIn(this.#files)): UnitState['enabled'] {
    if (file.load === 'masked') return 'masked'
    if (file.load === 'not-found') return ''
    const install = file.sections.Install
    if (!install?.WantedBy?.length && !install?.RequiredBy?.length) return install?.Alias?.length ? 'disabled' : 'static'
    const linked = this.#links(file).some((link) => named(link.slice(0, link.lastIndexOf('/'))).has(file.name))
    return linked ? 'enabled' : 'disabled'
  }
  #links(file: UnitFile): string[] {
    const install = file.sections.Install ?? {}
    const targets = (key: string) => (install[key] ?? []).flatMap((line) => line.split(/\s+/))
    return [
      ...targets('WantedBy').map((target) => `/etc/systemd/system/${target}.wants/${file.name}`),
      ...targets('RequiredBy').map((target) => `/etc/systemd/system/${target}.requires/${file.name}`),
    ]
  }

  async start(name: string): Promise<void> {
    const unit = this.#unit(name)
    this.#must(unit, withSuffix(name))
    if (unit.active === 'active' || (unit.active === 'activating' && unit.sub !== 'auto-restart')) return
    unit.timer?.cancel()
    await this.#begin(unit)
    if (this.#now(unit) === 'failed') {
      throw new Error(
        unit.result === 'start-limit-hit'
          ? `Job for ${unit.file.name} failed because start of the service was attempted too often.\nSee "systemctl status ${unit.file.name}" and "journalctl -xeu ${unit.file.name}" for details.\nTo force a start use "systemctl reset-failed ${unit.file.name}"\nfollowed by "systemctl start ${unit.file.name}" again.`
          : `Job for ${unit.file.name} failed because the control process exited with error code.\nSee "systemctl status ${unit.file.name}" and "journalctl -xeu ${unit.file.name}" for details.`,
      )
    }
  }
  async stop(name: string): Promise<void> {
    const unit = this.#unit(name)
    if (unit.file.load === 'not-found') throw new Error(`Failed to stop ${withSuffix(name)}: Unit ${withSuffix(name)} not loaded.`)
    await this.#end(unit)
  }
  async restart(name: string): Promise<void> {
    const unit = this.#unit(name)
    this.#must(unit, withSuffix(name), 'restart')
    await this.#end(unit)
    await this.start(name)
  }
  /** forgets that it failed and how often it was started */
  resetFailed(name: string): void {
    const unit = this.#unit(name)
    unit.starts = []
    unit.restarts = 0
    if (unit.active === 'failed') this.#set(unit, 'inactive', 'dead')
  }
  #must(unit: Unit, name: string, verb = 'start'): void {
    if (unit.file.load === 'not-found') throw new Error(`Failed to ${verb} ${name}: Unit ${name} not found.`)
    if (unit.file.load === 'masked') throw new Error(`Failed to ${verb} ${name}: Unit ${name} is masked.`)
  }
  enable(name: string): void {
    const unit = this.#unit(name)
    if (unit.file.load === 'not-found') throw new Error(`Failed to enable unit: Unit ${withSuffix(name)} does not exist`)
    if (unit.file.load === 'masked') throw new Error(`Failed to enable unit: Unit ${unit.file.path} is masked`)
    for (const link of this.#links(unit.file)) if (!this.#has(link)) this.#files.symlink(unit.file.path, link)
  }
  disable(name: string): void {
    const unit = this.#unit(name)
    if (unit.file.load === 'not-found') throw new Error(`Failed to disable unit: Unit ${withSuffix(name)} does not exist`)
    for (const link of this.#links(unit.file)) this.#files.remove(link)
  }
  #has(link: string): boolean {
    return this.#files.list(link.slice(0, link.lastIndexOf('/'))).includes(link.slice(link.lastIndexOf('/') + 1))
  }
  mask(asked: string): void {
    const name = withSuffix(asked)
    const path = `/etc/systemd/system/${name}`
    if (this.#files.exists(path) && this.#unit(name).file.load !== 'masked')
      throw new Error(`Failed to mask unit: File '${path}' already exists`)
    if (!this.#has(path)) this.#files.symlink('/dev/null', path)
    this.reload()
  }
  unmask(asked: string): void {
    const name = withSuffix(asked)
    if (readUnit(this.#files, name).load === 'masked') this.#files.remove(`/etc/systemd/system/${name}`)
    this.reload()
  }
  reload(): void {
    for (const [name, unit] of this.#units) {
      unit.file = readUnit(this.#files, name)
      if (unit.file.load === 'not-found' && unit.active === 'inactive') this.#units.delete(name)
    }
    // An interval that was lifted counts from now.
  }
  cat(name: string): string {
    const unit = readUnit(this.#files, name)
    if (unit.load === 'not-found') throw new Error(`No files found for ${withSuffix(name)}.`)
    if (unit.load === 'masked') return `# Unit ${withSuffix(name)} is masked.\n`
    return unit.texts.map((one) => `# ${one.path}\n${one.text.endsWith('\n') ? one.text : `${one.text}\n`}`).join('\n')
  }
  command(name: string): { argv: string[]; env: Record<string, string> } {
    const { file } = this.#unit(name)
    const env = environment(file, this.#files)
    const lines = file.sections.Service?.ExecStart ?? []
    return { argv: commandLine(lines[lines.length - 1] ?? '', env), env }
  }

  #set(unit: Unit, active: Unit['active'], sub: string): void {
    if (unit.active !== active) unit.since = this.#options.clock.now()
    unit.active = active
    unit.sub = sub
  }
  #now(unit: Unit): Unit['active'] {
    return unit.active
  }
  #describe(unit: Unit): string {
    const description = unit.file.sections.Unit?.Description?.at(-1)
    return description ? `${unit.file.name} - ${description}` : unit.file.name
  }
  #say(unit: Unit, message: string, priority = 6): void {
    this.#options.machine().journal.add({ unit: unit.file.name, identifier: 'systemd', pid: 1, message, priority })
  }
  #service(unit: Unit, key: string): string | undefined {
    return unit.file.sections.Service?.[key]?.at(-1)
  }

  async #begin(unit: Unit): Promise<void> {
    if (this.#closed) return
    const { clock } = this.#options
    const machine = this.#options.machine()
    for (const [key, values] of Object.entries(unit.file.sections.Unit ?? {})) {
      if (!key.startsWith('Condition')) continue
      for (const value of values) {
        if (key !== 'ConditionPathExists') continue
        const negated = value.startsWith('!')
        if (machine.files.exists(negated ? value.slice(1) : value) === negated) {
          unit.condition = { text: `${key}=${value}`, at: clock.now() }
          this.#set(unit, 'inactive', 'dead')
          this.#say(unit, `${this.#describe(unit)} was skipped because of an unmet condition check (${key}=${value}).`)
          return
        }
      }
    }
    unit.condition = undefined
    const section = unit.file.sections.Unit ?? {}
    const limit = (section.StartLimitIntervalSec ?? section.StartLimitInterval ?? unit.file.sections.Service?.StartLimitInterval)?.at(-1)
    const interval = timespan(limit, 10_000)
    const burst = Number((section.StartLimitBurst ?? unit.file.sections.Service?.StartLimitBurst)?.at(-1) ?? 5)
    unit.starts = unit.starts.filter((at) => clock.now() - at < interval)
    if (interval > 0 && burst > 0 && unit.starts.length >= burst) {
      this.#say(unit, `${unit.file.name}: Start request repeated too quickly.`, 4)
      unit.result = 'start-limit-hit'
      this.#set(unit, 'failed', 'failed')
      this.#say(unit, `${unit.file.name}: Failed with result 'start-limit-hit'.`, 4)
      this.#say(unit, `Failed to start ${this.#describe(unit)}.`, 3)
      return
    }
    if (interval > 0) unit.starts.push(clock.now())
    const type = this.#service(unit, 'Type') ?? 'simple'
    if (type !== 'simple' && type !== 'exec') this.#say(unit, `Starting ${this.#describe(unit)}...`)
    if (!unit.file.name.endsWith('.service')) {
      unit.result = 'success'
      this.#set(unit, 'active', unit.file.name.endsWith('.socket') ? 'listening' : 'active')
      return
    }
    let argv: string[]
    try {
      argv = this.command(unit.file.name).argv
    } catch (error) {
      this.#say(unit, `${unit.file.name}: ${(error as Error).message}`, 4)
      this.#say(unit, `${unit.file.name}: Failed to spawn 'start' task: No such file or directory`, 4)
      this.#failed(unit, 'resources', undefined)
      return
    }
    if (type === 'oneshot') {
      // What these do (mounts, keys) is already so on a simulated machine.
      unit.result = 'success'
      unit.startedAt = clock.now()
      const stays = this.#service(unit, 'RemainAfterExit') === 'yes'
      if (!stays) this.#say(unit, `${unit.file.name}: Deactivated successfully.`)
      this.#set(unit, stays ? 'active' : 'inactive', stays ? 'exited' : 'dead')
      this.#say(unit, `Finished ${this.#describe(unit)}.`)
      return
    }
    // A service that tells systemd when it is ready is started when it has said so, every other one when its process is.
    if (type !== 'notify') this.#say(unit, `Started ${this.#describe(unit)}.`)
    this.#launch(unit, argv, false)
    if (type === 'notify' && this.#now(unit) === 'active') this.#say(unit, `Started ${this.#describe(unit)}.`)
    // One turn, so that a daemon that dies at once has died when `systemctl start` comes back.
    await Promise.resolve()
  }
  /** `quietly`: goes on where a snapshot was taken, with its pid and times */
  #launch(unit: Unit, argv: readonly string[], quietly: boolean): void {
    const { clock } = this.#options
    const machine = this.#options.machine()
    const program = argv[0] ?? ''
    unit.generation += 1
    const generation = unit.generation
    const command = argv.join(' ')
    if (quietly) processes.get(machine)?.restore({ pid: unit.pid, ppid: 1, user: 'root', started: unit.startedAt, command })
    const pid = quietly ? unit.pid : machine.processes.add({ ppid: 1, user: 'root', command })
    unit.pid = pid
    unit.lastPid = pid
    if (!quietly) {
      unit.startedAt = clock.now()
      unit.invocation = this.#options.invocation()
      delete unit.exitCode
      unit.result = 'success'
      this.#set(unit, 'active', 'running')
    }
    const found = this.#options.programs[program]
    const own = /^\/(usr\/local|opt|etc|var|root|home|kind|srv|tmp|run)\//.test(program)
    if (!found || (own && !machine.files.exists(program))) {
      this.#options.machine().journal.add({
        unit: unit.file.name,
        identifier: `(${program.slice(program.lastIndexOf('/') + 1).slice(0, 12)})`,
        pid,
        message: `${unit.file.name}: Unable to locate executable '${program}': No such file or directory`,
        priority: 3,
      })
      this.#options.machine().journal.add({
        unit: unit.file.name,
        identifier: `(${program.slice(program.lastIndexOf('/') + 1).slice(0, 12)})`,
        pid,
        message: `${unit.file.name}: Failed at step EXEC spawning ${program}: No such file or directory`,
        priority: 3,
      })
      clock.after(0, () => this.#exited(unit, generation, 203))
      return
    }
    const identifier = program.slice(program.lastIndexOf('/') + 1)
    const context: DaemonContext = {
      machine,
      pid,
      log: (line, priority = 6) => {
        for (const message of line.replace(/\n$/, '').split('\n'))
          machine.journal.add({ unit: unit.file.name, identifier, pid, message, priority })
      },
      exit: (code) => clock.after(0, () => this.#exited(unit, generation, code)),
    }
    try {
      unit.daemon = found.start(context)
    } catch (error) {
      context.log((error as Error).message, 3)
      clock.after(0, () => this.#exited(unit, generation, 1))
    }
  }
  #exited(unit: Unit, generation: number, code: number): void {
    if (unit.generation !== generation || unit.pid === 0 || this.#closed) return
    const machine = this.#options.machine()
    machine.processes.remove(unit.pid)
    unit.daemon = undefined
    unit.pid = 0
    unit.exitCode = code
    unit.exitedAt = this.#options.clock.now()
    const clean = code === 0
    this.#say(unit, `${unit.file.name}: Main process exited, code=exited, status=${code}/${exitName(code)}`, clean ? 6 : 5)
    unit.result = clean ? 'success' : 'exit-code'
    const restart = this.#service(unit, 'Restart') ?? 'no'
    const again = restart === 'always' || (!clean && /^on-(failure|abnormal)$/.test(restart)) || (clean && restart === 'on-success')
    if (!again) {
      if (clean) {
        this.#say(unit, `${unit.file.name}: Deactivated successfully.`)
        this.#set(unit, 'inactive', 'dead')
      } else this.#failed(unit, 'exit-code', code)
      return
    }
    if (clean) this.#say(unit, `${unit.file.name}: Deactivated successfully.`)
    else this.#say(unit, `${unit.file.name}: Failed with result 'exit-code'.`, 4)
    this.#set(unit, 'activating', 'auto-restart')
    this.#later(unit)
  }
  #later(unit: Unit): void {
    unit.timer = this.#options.clock.after(timespan(this.#service(unit, 'RestartSec'), 100), () => {
      unit.restarts += 1
      this.#say(unit, `${unit.file.name}: Scheduled restart job, restart counter is at ${unit.restarts}.`)
      void this.#begin(unit)
    })
  }
  #failed(unit: Unit, result: string, code: number | undefined): void {
    unit.result = result
    if (code !== undefined) unit.exitCode = code
    this.#say(unit, `${unit.file.name}: Failed with result '${result}'.`, 4)
    this.#set(unit, 'failed', 'failed')
    if (result === 'resources') this.#say(unit, `Failed to start ${this.#describe(unit)}.`, 3)
  }
  async #end(unit: Unit): Promise<void> {
    unit.timer?.cancel()
    unit.timer = undefined
    if (unit.active === 'activating' && unit.sub === 'auto-restart') {
      this.#set(unit, 'inactive', 'dead')
      this.#say(unit, `Stopped ${this.#describe(unit)}.`)
      return
    }
    if (unit.active !== 'active') return
    if (unit.pid === 0) {
      this.#set(unit, 'inactive', 'dead')
      this.#say(unit, `Stopped ${this.#describe(unit)}.`)
      return
    }
    this.#say(unit, `Stopping ${this.#describe(unit)}...`)
    this.#set(unit, 'deactivating', 'stop-sigterm')
    const pid = unit.pid
    await unit.daemon?.stop()
    unit.generation += 1
    unit.daemon = undefined
    this.#options.machine().processes.remove(pid)
    unit.pid = 0
    unit.exitCode = 0
    unit.exitedAt = this.#options.clock.now()
    unit.result = 'success'
    this.#say(unit, `${unit.file.name}: Deactivated successfully.`)
    this.#set(unit, 'inactive', 'dead')
    this.#say(unit, `Stopped ${this.#describe(unit)}.`)
  }

  /** Starts what is enabled, in the order in which a node's services need each other. */
  async boot(order: readonly string[]): Promise<void> {
    for (const name of order) if (this.#enabled(readUnit(this.#files, name)) === 'enabled') await this.start(name).catch(() => {})
  }
  /** Goes on as a snapshot says, without a word in the journal. `order`: those that others need come first. */
  resume(saved: SavedUnits, order: readonly string[]): void {
    const names = [...order.filter((name) => name in saved), ...Object.keys(saved).filter((name) => !order.includes(name))]
    // What a daemon that is resumed writes is no unit.
    const named = namesIn(this.#files)
    for (const name of names) {
      const { exitCode, ...rest } = saved[name] as SavedUnit
      const unit = this.#unit(name, named)
      this.#units.set(name, unit)
      Object.assign(unit, rest)
      if (exitCode !== undefined) unit.exitCode = exitCode
      if (unit.pid !== 0) this.#launch(unit, this.command(name).argv, true)
      else if (unit.sub === 'auto-restart') this.#later(unit)
    }
  }
  save(): SavedUnits {
    const saved: SavedUnits = {}
    for (const [name, unit] of this.#units) {
      if (unit.startedAt === 0 && unit.active === 'inactive') continue
      const { active, sub, pid, since, exitCode, restarts, result, lastPid, startedAt, exitedAt, invocation } = unit
      saved[name] = {
        active,
        sub,
        pid,
        since,
        ...(exitCode === undefined ? {} : { exitCode }),
        restarts,
        result,
        lastPid,
        startedAt,
        exitedAt,
        invocation,
      }
    }
    return saved
  }
  /** Ends every daemon at once, without a word: the machine is gone. */
  async close(): Promise<void> {
    this.#closed = true
    for (const unit of this.#units.values()) {
      unit.timer?.cancel()
      unit.generation += 1
    }
    await Promise.all([...this.#units.values()].map((unit) => unit.daemon?.stop()))
    for (const unit of this.#units.values()) unit.daemon = undefined
  }
}

/** A machine's own process table, where a pid can be put back. */
export interface ProcessTable {
  restore(row: { pid: number; ppid: number; user: string; started: number; command: string }): void
}
export const processes = new WeakMap<Machine, ProcessTable>()

/** The names of systemd's own and LSB's exit codes, after systemd.exec(5). */
export const exitName = (code: number): string =>
  ({
    0: 'SUCCESS',
    1: 'FAILURE',
    2: 'INVALIDARGUMENT',
    3: 'NOTIMPLEMENTED',
    4: 'NOPERMISSION',
    5: 'NOTINSTALLED',
    6: 'NOTCONFIGURED',
    7: 'NOTRUNNING',
    203: 'EXEC',
  })[code] ?? 'n/a'
