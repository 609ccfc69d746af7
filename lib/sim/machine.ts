// What a simulated machine is to the programs that run on it: files, units, a journal, a network namespace. A machine's root is a directory of real
// files on the host. Interfaces only; `node/` makes machines, `network/` makes namespaces. Knows nothing of Kubernetes.
import type { Clock } from './clock.ts'
import type { Netns } from './net.ts'

export interface Stat {
  type: 'file' | 'directory' | 'link' | 'other'
  size: number
  /** permission bits, 0o644 */
  mode: number
  /** epoch ms */
  mtime: number
}
/**
 * Files below a root, by absolute path within it; links and `..` lead within the root, never out of it. Synchronous: files are small, and a component
 * that reads its configuration must not see half of a change. Errors are Node's (`ENOENT`, `EISDIR`, `EACCES` … in `code`).
 */
export interface Files {
  /** the host's path of the root */
  readonly root: string
  read(path: string): Buffer
  /** undefined when it is not there or no file */
  text(path: string): string | undefined
  exists(path: string): boolean
  stat(path: string): Stat | undefined
  /** names, sorted; [] when there is no such directory */
  list(path: string): string[]
  /** creates parents; keeps the mode of what is there, else `mode`, default 0o644; atomic (written beside, then renamed) */
  write(path: string, bytes: string | Uint8Array, mode?: number): void
  mkdir(path: string, mode?: number): void
  symlink(target: string, path: string): void
  rename(from: string, to: string): void
  /** with everything below; nothing when it is not there */
  remove(path: string): void
  /** where a path of the machine lies on the host, links resolved within the root; for handing to a sandbox only */
  hostPath(path: string): string
  /** calls `changed` after anything directly in this directory (or this file) has changed, also when it comes to exist later */
  watch(path: string, changed: () => void): { stop(): void }
  /** the same files seen from below a directory of this root: a container's mount, a volume */
  below(path: string): Files
}

export interface JournalEntry {
  /** epoch ms */
  at: number
  unit: string
  /** what stands before the colon: `kubelet[714]` is identifier and pid */
  identifier: string
  pid: number
  message: string
  /** syslog's: 3 error, 4 warning, 6 info (default) */
  priority: number
}
/** What journalctl reads. Bounded: the oldest go first. */
export interface Journal {
  add(entry: Omit<JournalEntry, 'at' | 'priority'> & { priority?: number }): void
  /** oldest first */
  entries(filter?: { unit?: string; since?: number }): readonly JournalEntry[]
  follow(listener: (entry: JournalEntry) => void): { stop(): void }
}

/** What systemd runs as a unit: the kubelet, containerd, sshd. Started anew for every start of the unit. */
export interface Daemon {
  /** asked to stop by systemd; done when it resolves */
  stop(): Promise<void> | void
}
export interface DaemonContext {
  machine: Machine
  pid: number
  /** to the journal, under the unit's name */
  log(line: string, priority?: number): void
  /** the process ends by itself; systemd then does what Restart= says */
  exit(code: number): void
}
export interface UnitState {
  load: 'loaded' | 'not-found' | 'masked'
  active: 'active' | 'inactive' | 'activating' | 'deactivating' | 'failed'
  sub: string
  enabled: 'enabled' | 'disabled' | 'static' | 'masked' | ''
  /** 0 when none runs */
  pid: number
  /** epoch ms of the last change of `active` */
  since: number
  /** exit code of the last process that ended, if any did */
  exitCode?: number
  restarts: number
}
/** systemd on one machine. Unit files are the real ones in /etc/systemd/system and /usr/lib/systemd/system, drop-ins included. */
export interface Units {
  state(name: string): UnitState
  list(): readonly string[]
  /** throws Error with systemctl's own words (`Unit x.service not found.`) */
  start(name: string): Promise<void>
  stop(name: string): Promise<void>
  restart(name: string): Promise<void>
  enable(name: string): void
  disable(name: string): void
  mask(name: string): void
  unmask(name: string): void
  reload(): void
  /** the unit file with its drop-ins, as `systemctl cat` prints */
  cat(name: string): string
  /** ExecStart= with Environment= and EnvironmentFile= of the unit as it would be started now */
  command(name: string): { argv: string[]; env: Record<string, string> }
}

export interface ProcessRow {
  pid: number
  ppid: number
  user: string
  /** epoch ms */
  started: number
  /** as `ps -ef` shows it */
  command: string
}

export interface Machine {
  /** what `kubectl get nodes` prints; `workstation` for the workstation */
  readonly name: string
  /** by role: control-plane, worker-1, worker-2, workstation */
  readonly place: string
  readonly address: string
  readonly clock: Clock
  readonly files: Files
  readonly journal: Journal
  readonly units: Units
  /** the machine's own (host) network namespace */
  readonly net: Netns
  /** of the simulated processes of this machine (daemons, containers); a sandbox's real ones are not among them */
  readonly processes: {
    /** `started` defaults to now */
    add(row: Omit<ProcessRow, 'pid' | 'started'> & { started?: number }): number
    remove(pid: number): void
    list(): readonly ProcessRow[]
  }
  readonly memoryBytes: number
  readonly cpus: number
}
