// A machine out of a description, for the tests of doctor and set-up: its files, its commands' recorded answers, its sizes.
// Commands are answered by the recording of lib/exec; writes change the files, so that what was written can be read again.
import type { Output, Runner } from '#lib/exec/index.ts'
import { type Command, pasteable } from '#lib/exec/index.ts'
import { LabError } from '#lib/protocol/index.ts'
import type { Machine } from './machine.ts'

type Answer = Partial<Output> | ((command: Command, machine: RecordedMachine) => Partial<Output> | Promise<Partial<Output>>)

export interface Description {
  files?: Record<string, string>
  executables?: string[]
  /** by the command as it would be pasted; a trailing * matches the rest. What is not listed is not installed. */
  commands?: Record<string, Answer>
  env?: Record<string, string>
  platform?: string
  arch?: string
  uid?: number
  freeBytes?: number
  memory?: { total: number; available: number }
  busyPorts?: number[]
  /** bodies by URL; what is not listed is not reached */
  web?: Record<string, string>
  status?: Record<string, number>
}
export interface RecordedMachine extends Machine {
  files: Map<string, string>
  executables: Set<string>
  /** every command that was run, as it would be pasted */
  ran: string[]
  /** every file that was written, removed or downloaded to */
  touched: string[]
}

const GiB = 1024 ** 3

export function recordedMachine(description: Description): RecordedMachine {
  const files = new Map(Object.entries(description.files ?? {}))
  const executables = new Set(description.executables ?? [])
  const ran: string[] = []
  const touched: string[] = []
  let clock = 1_700_000_000_000
  const runner: Runner = {
    async run(command) {
      const key = pasteable(command.argv)
      ran.push(key)
      const entry = Object.entries(description.commands ?? {}).find(([pattern]) =>
        pattern.endsWith('*') ? key.startsWith(pattern.slice(0, -1)) : key === pattern,
      )
      if (entry === undefined) throw new LabError('not-found', `The program \`${command.argv[0]}\` is not installed.`)
      const answer = typeof entry[1] === 'function' ? await entry[1](command, machine) : entry[1]
      for (const line of (answer.stdout ?? '').split('\n')) if (line) command.onLine?.(line, 'stdout')
      return { exitCode: 0, stdout: '', stderr: '', ...answer }
    },
  }
  const machine: RecordedMachine = {
    files,
    executables,
    ran,
    touched,
    runner,
    env: { PATH: '/usr/bin', HOME: '/home/someone', ...description.env },
    platform: description.platform ?? 'linux',
    arch: description.arch ?? 'x64',
    uid: description.uid ?? 0,
    readText: async (path) => files.get(path),
    async writeText(path, text, mode) {
      files.set(path, text)
      if (mode !== undefined && (mode & 0o111) !== 0) executables.add(path)
      touched.push(path)
    },
    async append(path, text) {
      files.set(path, (files.get(path) ?? '') + text)
    },
    async remove(path) {
      files.delete(path)
    },
    executable: async (path) => executables.has(path),
    freeBytes: async () => description.freeBytes ?? 100 * GiB,
    memory: async () => description.memory ?? { total: 16 * GiB, available: 12 * GiB },
    portFree: async (_host, port) => !(description.busyPorts ?? []).includes(port),
    httpStatus: async (url) => description.status?.[url],
    fetchText: async (url) => description.web?.[url],
    async download(url, path) {
      if (description.web?.[url] === undefined) throw new LabError('backend-unavailable', `${url} could not be downloaded: not reached.`)
      files.set(path, description.web[url])
      executables.add(path)
      touched.push(path)
    },
    now: () => clock,
    async sleep(ms) {
      clock += ms
    },
  }
  return machine
}

/** What `docker info --format '{{json .}}'` prints on an ordinary machine, shortened to what is read. */
export const dockerInfo = (change: Record<string, unknown> = {}): string =>
  JSON.stringify({
    ServerVersion: '27.3.1',
    Driver: 'overlay2',
    CgroupVersion: '2',
    DefaultRuntime: 'runc',
    Runtimes: { runc: { path: 'runc' } },
    DockerRootDir: '/var/lib/docker',
    NCPU: 8,
    MemTotal: 16 * GiB,
    ContainersRunning: 0,
    OperatingSystem: 'Debian GNU/Linux 12 (bookworm)',
    SecurityOptions: ['name=seccomp,profile=default'],
    ...change,
  })

/** Files of an ordinary Debian with systemd, cgroup v2 and every capability. */
export const debian: Record<string, string> = {
  '/etc/os-release': 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n',
  '/proc/1/comm': 'systemd\n',
  '/proc/self/status': 'Name:\tnode\nCapBnd:\t000001ffffffffff\n',
  '/proc/self/mounts': 'cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime 0 0\n',
  '/proc/sys/fs/inotify/max_user_instances': '1024\n',
  '/proc/sys/fs/inotify/max_user_watches': '524288\n',
}
/** The same machine with a kernel that withholds CAP_SYS_RESOURCE, cgroup v1, no systemd and low inotify limits. */
export const restricted: Record<string, string> = {
  ...debian,
  '/proc/1/comm': 'init\n',
  '/proc/self/status': 'Name:\tnode\nCapBnd:\t000001fffeffffff\n',
  '/proc/self/mounts': 'cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0\n',
  '/proc/sys/fs/inotify/max_user_instances': '128\n',
}

/** Commands of a machine on which everything is there. */
export const complete: Record<string, Answer> = {
  "docker info --format '{{json .}}'": { stdout: dockerInfo() },
  "docker image inspect --format '{{.Id}} {{.Size}}' *": { stdout: `sha256:${'a'.repeat(64)} 1400000000` },
  "docker image inspect --format '{{.Id}}' *": { stdout: `sha256:${'a'.repeat(64)}` },
  '/usr/bin/kind version': { stdout: 'kind v0.33.0 go1.26.1 linux/amd64' },
  '/usr/bin/kubectl version --client': { stdout: 'Client Version: v1.35.4\nKustomize Version: v5.7.1' },
}
