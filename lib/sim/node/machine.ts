// One machine: its files, its journal, its units, its processes, its place in the network. Knows nothing of Kubernetes.
import type { Clock } from '../clock.ts'
import type { Files, JournalEntry, Machine, ProcessRow } from '../machine.ts'
import type { Netns } from '../net.ts'
import { MachineJournal } from './journal.ts'
import { type DaemonProgram, MachineUnits, processes, type SavedUnits } from './units.ts'

export interface MachineOptions {
  name: string
  place: string
  address: string
  clock: Clock
  files: Files
  net: Netns
  /** 32 hexadecimal digits */
  invocation: () => string
  /** what ExecStart= may name, by path */
  programs: Readonly<Record<string, DaemonProgram>>
  saved?: SavedMachine | undefined
}
export interface SavedMachine {
  journal: JournalEntry[]
  units: SavedUnits
  nextPid: number
  booted: number
}

export class SimMachine implements Machine {
  readonly name: string
  readonly place: string
  readonly address: string
  readonly clock: Clock
  readonly files: Files
  readonly net: Netns
  readonly journal: MachineJournal
  readonly units: MachineUnits
  readonly processes: Machine['processes']
  /** what `free` and the kubelet report: 24 GiB and 2 CPUs, whatever the host has, so that labs are alike */
  readonly memoryBytes = 25_281_982_464
  readonly cpus = 2
  /** epoch ms */
  readonly booted: number
  readonly #rows = new Map<number, ProcessRow>()
  #nextPid: number

  constructor(options: MachineOptions) {
    this.name = options.name
    this.place = options.place
    this.address = options.address
    this.clock = options.clock
    this.files = options.files
    this.net = options.net
    this.booted = options.saved?.booted ?? options.clock.now()
    this.#nextPid = options.saved?.nextPid ?? 100
    this.journal = new MachineJournal(options.clock, options.saved?.journal)
    this.processes = {
      add: (row) => {
        this.#nextPid += 1 + (this.#nextPid % 3)
        const pid = this.#nextPid
        this.#rows.set(pid, { started: this.clock.now(), ...row, pid })
        return pid
      },
      remove: (pid) => {
        this.#rows.delete(pid)
      },
      list: () => [...this.#rows.values()],
    }
    processes.set(this, {
      restore: (row) => {
        this.#rows.set(row.pid, row)
        this.#nextPid = Math.max(this.#nextPid, row.pid)
      },
    })
    this.units = new MachineUnits({
      machine: () => this,
      clock: options.clock,
      programs: options.programs,
      invocation: options.invocation,
    })
    if (options.name !== 'workstation') {
      for (const [pid, command, user] of [
        [1, '/sbin/init', 'root'],
        [69, '/usr/lib/systemd/systemd-journald', 'root'],
        [94, '/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile --systemd-activation --syslog-only', 'message+'],
      ] as const)
        this.#rows.set(pid, { pid, ppid: pid === 1 ? 0 : 1, user, started: this.booted, command })
    }
  }
  save(): SavedMachine {
    return { journal: this.journal.save(), units: this.units.save(), nextPid: this.#nextPid, booted: this.booted }
  }
}
