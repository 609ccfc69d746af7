// What a place may use. Processes: cgroups where this server may make them (as root), else the kernel's count for a user namespace, which binds everybody
// but root; where root may make no control groups, a place with too many is ended within a second. Memory: cgroups, else a limit for each process, and the kernel ends sandboxes first when the machine runs short. Disk: the free space is looked
// at while real processes run; when it shrinks, each place is measured, and one that is over its share is ended and may then only make files smaller.
// The clock here is the machine's own: limits protect the machine, whatever time it is in a lab.
import { mkdirSync, readdirSync, readFileSync, rmdirSync, statfsSync, writeFileSync } from 'node:fs'
import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'

export interface Limits {
  /** in one place, default 300 */
  processes: number
  /** bytes of all processes of one place, where cgroups are had; default 1.5 GiB */
  memory: number
  /** bytes that one process may write to, default 1 GiB */
  data: number
  /** bytes of one file, default 256 MiB */
  file: number
  /** bytes below the root of one place, default 1 GiB */
  disk: number
  /** files below the root of one place, default 200 000 */
  inodes: number
  /** open files of one process, default 1024 */
  open: number
}
export const defaultLimits: Limits = {
  processes: 300,
  memory: 1536 * 1024 ** 2,
  data: 1024 ** 3,
  file: 256 * 1024 ** 2,
  disk: 1024 ** 3,
  inodes: 200_000,
  open: 1024,
}

export interface Group {
  /** a process that writes its id into these joins */
  files: readonly string[]
  remove(): void
}

let hierarchy: { kind: 'v1'; pids: string; memory: string } | { kind: 'v2'; folder: string } | null | undefined
const write = (path: string, value: string | number) => writeFileSync(path, String(value))
/** Groups are named after the process that made them. */
const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
const sweep = (folder: string) => {
  for (const name of readdirSync(folder, { withFileTypes: true })) {
    // Of a server that ended without clearing up. That a group is empty says nothing: a place whose last command has ended is at rest, not gone.
    if (name.isDirectory() && !alive(Number.parseInt(name.name, 10)))
      try {
        rmdirSync(join(folder, name.name))
      } catch {
        // its processes outlived it for a moment
      }
  }
}

function findHierarchy(): NonNullable<typeof hierarchy> | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return null
  try {
    const controllers = readFileSync('/sys/fs/cgroup/cgroup.controllers', 'utf8')
    if (!/\bpids\b/.test(controllers) || !/\bmemory\b/.test(controllers)) return null
    write('/sys/fs/cgroup/cgroup.subtree_control', '+pids +memory')
    const folder = '/sys/fs/cgroup/kubemend'
    mkdirSync(folder, { recursive: true })
    write(join(folder, 'cgroup.subtree_control'), '+pids +memory')
    sweep(folder)
    return { kind: 'v2', folder }
  } catch {
    // version 1, or not ours to divide
  }
  try {
    const [pids, memory] = ['/sys/fs/cgroup/pids/kubemend', '/sys/fs/cgroup/memory/kubemend'] as const
    for (const folder of [pids, memory]) {
      mkdirSync(folder, { recursive: true })
      sweep(folder)
    }
    return { kind: 'v1', pids, memory }
  } catch {
    return null
  }
}

/** A control group for one place, undefined where this process may make none. */
export function controlGroup(name: string, limits: Limits): Group | undefined {
  if (hierarchy === undefined) hierarchy = findHierarchy()
  if (hierarchy === null) return undefined
  const made: string[] = []
  const remove = () => {
    for (const folder of made)
      try {
        rmdirSync(folder)
      } catch {
        // its last processes are not gone yet; the next start clears up
      }
  }
  try {
    if (hierarchy.kind === 'v2') {
      const folder = join(hierarchy.folder, name)
      mkdirSync(folder)
      made.push(folder)
      write(join(folder, 'pids.max'), limits.processes)
      write(join(folder, 'memory.max'), limits.memory)
    } else {
      const [pids, memory] = [join(hierarchy.pids, name), join(hierarchy.memory, name)] as const
      mkdirSync(pids)
      made.push(pids)
      mkdirSync(memory)
      made.push(memory)
      write(join(pids, 'pids.max'), limits.processes)
      write(join(memory, 'memory.limit_in_bytes'), limits.memory)
    }
    return { files: made.map((folder) => join(folder, 'cgroup.procs')), remove }
  } catch {
    remove()
    return undefined
  }
}

/** Bytes and files below a folder, other file systems left out; gives up and says what it has found once a limit is passed. */
export async function measure(root: string, limits: Pick<Limits, 'disk' | 'inodes'>): Promise<{ bytes: number; files: number }> {
  const found = { bytes: 0, files: 0 }
  const device = (await lstat(root)).dev
  const folders = [root]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    try {
      for await (const entry of await opendir(folder)) {
        const path = join(folder, entry.name)
        const stat = await lstat(path).catch(() => undefined)
        if (stat === undefined || stat.dev !== device) continue
        found.files += 1
        found.bytes += stat.blocks * 512
        if (entry.isDirectory()) folders.push(path)
        if (found.bytes > limits.disk || found.files > limits.inodes) return found
      }
    } catch {
      // gone meanwhile
    }
  }
  return found
}

export interface Watched {
  root: string
  limits: Limits
  /** how many processes there are, where nothing else holds them back */
  count?(): number
  /** ends what runs: there are too many */
  crowded(): void
  /** it is over its share: `over` true; it is within it again: false */
  tell(over: boolean): void
  over: boolean
}
/** how much may be written in all before every place is measured */
const step = 64 * 1024 ** 2
const inodeStep = 20_000
/** Looks at the file system while there is something to watch: one system call a second, whatever the number of places. */
export class DiskGuard {
  readonly #watched = new Set<Watched>()
  readonly #seen = new Map<string, { bytes: number; files: number }>()
  #timer: NodeJS.Timeout | undefined
  #measuring = false

  watch(place: Watched): void {
    this.#watched.add(place)
    this.#timer ??= setInterval(() => this.#look(), 1000).unref()
  }
  unwatch(place: Watched): void {
    this.#watched.delete(place)
    if (this.#watched.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#seen.clear()
  }
  /** measures now and says whether the place is over its share */
  async look(place: Watched): Promise<boolean> {
    const { bytes, files } = await measure(place.root, place.limits)
    const over = bytes > place.limits.disk || files > place.limits.inodes
    if (over !== place.over) {
      place.over = over
      place.tell(over)
    }
    return over
  }
  #look(): void {
    for (const place of this.#watched) if ((place.count?.() ?? 0) > place.limits.processes) place.crowded()
    if (this.#measuring) return
    let shrunk = false
    for (const root of new Set([...this.#watched].map((place) => place.root))) {
      try {
        const { bavail, bsize, ffree, type } = statfsSync(root)
        const key = `${type}:${bsize}`
        const before = this.#seen.get(key)
        const now = { bytes: bavail * bsize, files: ffree }
        if (before && before.bytes - now.bytes < step && before.files - now.files < inodeStep) {
          // What is given back in between counts for nobody.
          this.#seen.set(key, { bytes: Math.max(before.bytes, now.bytes), files: Math.max(before.files, now.files) })
        } else {
          this.#seen.set(key, now)
          if (before) shrunk = true
        }
      } catch {
        // its folder is gone: the lab is being ended
      }
    }
    if (!shrunk) return
    this.#measuring = true
    Promise.all([...this.#watched].map((place) => this.look(place).catch(() => false))).finally(() => {
      this.#measuring = false
    })
  }
}
