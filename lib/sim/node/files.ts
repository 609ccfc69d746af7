// Files below a root directory of the host, as a chroot would show them: links and `..` never lead out. What writes goes through an open directory, so
// that a process that swaps a directory for a link meanwhile gains nothing. Knows nothing of machines.
import {
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  type FSWatcher,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Files, Stat } from '../machine.ts'

const linux = process.platform === 'linux'
const fail = (code: string, words: string, path: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${code}: ${words}, '${path}'`), { code, path })

/** How a path of the machine resolves: the real directory on the host that holds it, its last name there, and whether it is there. */
interface Place {
  /** host path of the directory, free of links below the root */
  directory: string
  /** '' for the root itself */
  name: string
  /** undefined when it is not there */
  is: Stat['type'] | undefined
  /** of what is there, where it was looked at to find that out */
  stats?: Stats
}

/** Own writes tell watchers at once: the kernel's news about them would come too late while virtual time is skipped. */
const watchers = new Map<string, Set<(name: string) => void>>()
const told = (directory: string, name: string) => {
  const listening = watchers.get(directory)
  if (listening) for (const listener of [...listening]) queueMicrotask(() => listener(name))
}

/**
 * Files below `root`, which must exist. Nothing is cached: real processes change the same files.
 * @throws Node's ENOENT when there is no such directory
 */
export function filesBelow(root: string): Files {
  return new RootedFiles(realpathSync(root))
}

/**
 * Directories that were free of links when this turn of the event loop looked at them: most paths of a turn share theirs. A process that swaps one
 * meanwhile gains nothing, for what reads or writes looks once more where it has arrived.
 */
const plain = new Set<string>()
function isPlain(directory: string): boolean {
  if (plain.has(directory)) return true
  try {
    if (realpathSync.native(directory) !== directory) return false
  } catch {
    return false
  }
  if (plain.size === 0) setImmediate(forgetPlain)
  plain.add(directory)
  return true
}
const forgetPlain = () => plain.clear()
const ordinary = /^(\/(?!\.{0,2}(\/|$))[^/\0]+)+$/

class RootedFiles implements Files {
  readonly root: string
  constructor(root: string) {
    this.root = root
  }

  /** `follow`: the last name too, when it is a link */
  #resolve(path: string, follow = true): Place {
    if (ordinary.test(path)) {
      const at = path.lastIndexOf('/')
      const directory = this.root + path.slice(0, at)
      if (isPlain(directory)) {
        const stat = lstatSync(this.root + path, { throwIfNoEntry: false })
        if (stat && !(follow && stat.isSymbolicLink())) return { directory, name: path.slice(at + 1), is: typeOf(stat), stats: stat }
      }
    }
    let left = path.split('/').filter((part) => part !== '' && part !== '.')
    let at: string[] = []
    let links = 0
    while (left.length > 0) {
      const part = left.shift() as string
      if (part.includes('\0')) throw fail('EINVAL', 'invalid argument', path)
      if (part === '..') {
        at.pop()
        continue
      }
      const host = `${this.root}${at.length ? '/' : ''}${at.join('/')}/${part}`
      const stat = lstatSync(host, { throwIfNoEntry: false })
      const last = left.length === 0
      if (stat?.isSymbolicLink() && (follow || !last)) {
        if (++links > 40) throw fail('ELOOP', 'too many symbolic links encountered', path)
        const target = readlinkSync(host)
        if (target.startsWith('/')) at = []
        left = [...target.split('/').filter((name) => name !== '' && name !== '.'), ...left]
        continue
      }
      if (last) return { directory: this.#host(at), name: part, is: stat ? typeOf(stat) : undefined }
      if (!stat) return { directory: this.#host([...at, part, ...left.slice(0, -1)]), name: left[left.length - 1] as string, is: undefined }
      if (!stat.isDirectory()) throw fail('ENOTDIR', 'not a directory', path)
      at.push(part)
    }
    if (at.length === 0) return { directory: this.root, name: '', is: 'directory' }
    const name = at.pop() as string
    return { directory: this.#host(at), name, is: 'directory' }
  }
  #host(parts: readonly string[]): string {
    return parts.length ? `${this.root}/${parts.join('/')}` : this.root
  }
  #join(place: Place): string {
    return place.name === '' ? place.directory : `${place.directory}/${place.name}`
  }
  /** Calls `act` with a path that leads through an open directory that is known to lie where it was found. */
  #within<T>(place: Place, path: string, act: (entry: string) => T): T {
    if (!linux) return act(this.#join(place))
    const directory = openSync(place.directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
    try {
      if (readlinkSync(`/proc/self/fd/${directory}`) !== place.directory) throw fail('EACCES', 'permission denied', path)
      return act(place.name === '' ? `/proc/self/fd/${directory}` : `/proc/self/fd/${directory}/${place.name}`)
    } finally {
      closeSync(directory)
    }
  }
  #missing(path: string): NodeJS.ErrnoException {
    return fail('ENOENT', 'no such file or directory', path)
  }

  read(path: string): Buffer {
    const place = this.#resolve(path)
    if (place.is === undefined) throw this.#missing(path)
    if (place.is === 'directory') throw fail('EISDIR', 'illegal operation on a directory, read', path)
    // A device or a pipe would block or never end.
    if (place.is !== 'file') throw fail('EACCES', 'permission denied', path)
    const file = openSync(this.#join(place), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      if (linux && readlinkSync(`/proc/self/fd/${file}`) !== this.#join(place)) throw fail('EACCES', 'permission denied', path)
      if (!fstatSync(file).isFile()) throw fail('EACCES', 'permission denied', path)
      return readFileSync(file)
    } finally {
      closeSync(file)
    }
  }
  text(path: string): string | undefined {
    try {
      return this.read(path).toString('utf8')
    } catch {
      return undefined
    }
  }
  exists(path: string): boolean {
    return this.stat(path) !== undefined
  }
  stat(path: string): Stat | undefined {
    try {
      const place = this.#resolve(path)
      if (place.is === undefined) return undefined
      const stat = place.stats ?? lstatSync(this.#join(place), { throwIfNoEntry: false })
      return stat && { type: typeOf(stat), size: stat.size, mode: stat.mode & 0o7777, mtime: Math.floor(stat.mtimeMs) }
    } catch {
      return undefined
    }
  }
  list(path: string): string[] {
    try {
      const place = this.#resolve(path)
      return place.is === 'directory' ? readdirSync(this.#join(place)).sort() : []
    } catch {
      return []
    }
  }
  write(path: string, bytes: string | Uint8Array, mode = 0o644): void {
    const place = this.#resolve(path)
    if (place.name === '' || place.is === 'directory') throw fail('EISDIR', 'illegal operation on a directory, open', path)
    if (place.is === undefined) this.#parents(path, place)
    this.#within(place, path, (entry) => {
      const before = lstatSync(entry, { throwIfNoEntry: false })
      const wanted = before?.isFile() ? before.mode & 0o7777 : mode
      serial += 1
      const beside = `${dirname(entry)}/.${basename(entry)}.${process.pid}.${serial}`
      try {
        writeFileSync(beside, bytes, { flag: 'wx', mode: wanted })
        // The umask may have taken bits away.
        chmodSync(beside, wanted)
        renameSync(beside, entry)
      } catch (error) {
        rmSync(beside, { force: true })
        throw error
      }
    })
    told(place.directory, place.name)
  }
  mkdir(path: string, mode = 0o755): void {
    const place = this.#resolve(path)
    if (place.is === 'directory') return
    if (place.is !== undefined) throw fail('EEXIST', 'file already exists', path)
    this.#parents(path, place)
    this.#within(place, path, (entry) => {
      mkdirSync(entry)
      chmodSync(entry, mode)
    })
    told(place.directory, place.name)
  }
  symlink(target: string, path: string): void {
    const place = this.#resolve(path, false)
    this.#parents(path, place)
    this.#within(place, path, (entry) => symlinkSync(target, entry))
    told(place.directory, place.name)
  }
  rename(from: string, to: string): void {
    const source = this.#resolve(from, false)
    if (source.is === undefined) throw this.#missing(from)
    const target = this.#resolve(to, false)
    forgetPlain()
    this.#within(source, from, (old) => this.#within(target, to, (fresh) => renameSync(old, fresh)))
    told(source.directory, source.name)
    told(target.directory, target.name)
  }
  remove(path: string): void {
    let place: Place
    try {
      place = this.#resolve(path, false)
    } catch {
      return
    }
    if (place.is === undefined || place.name === '') return
    forgetPlain()
    this.#within(place, path, (entry) => rmSync(entry, { recursive: true, force: true }))
    told(place.directory, place.name)
  }
  hostPath(path: string): string {
    return this.#join(this.#resolve(path))
  }
  below(path: string): Files {
    const place = this.#resolve(path)
    if (place.is !== 'directory') throw place.is === undefined ? this.#missing(path) : fail('ENOTDIR', 'not a directory', path)
    return new RootedFiles(this.#join(place))
  }
  watch(path: string, changed: () => void): { stop(): void } {
    return new Watch(() => this.#watched(path), changed)
  }
  /** the directories (nearest that is there) whose changes may concern `path`, and the name that matters in the last, if only one does */
  #watched(path: string): { directory: string; name?: string } {
    let place: Place
    try {
      place = this.#resolve(path)
    } catch {
      return { directory: this.root }
    }
    if (place.is === 'directory') return { directory: this.#join(place) }
    let directory = place.directory
    if (existsSync(directory)) return { directory, name: place.name }
    while (!existsSync(directory) && directory.length > this.root.length) directory = dirname(directory)
    return { directory }
  }
  #parents(path: string, place: Place): void {
    if (existsSync(place.directory)) return
    if (!place.directory.startsWith(`${this.root}/`)) throw fail('EACCES', 'permission denied', path)
    let above = this.root
    for (const part of place.directory.slice(this.root.length + 1).split('/')) {
      const next = `${above}/${part}`
      const stat = lstatSync(next, { throwIfNoEntry: false })
      if (!stat) {
        this.#within({ directory: above, name: part, is: undefined }, path, (entry) => {
          mkdirSync(entry)
          chmodSync(entry, 0o755)
        })
        told(above, part)
      } else if (!stat.isDirectory()) throw fail('ENOTDIR', 'not a directory', path)
      above = next
    }
  }
}
let serial = 0

/** Follows a path through coming, going and being replaced. */
class Watch {
  readonly #where: () => { directory: string; name?: string }
  readonly #changed: () => void
  #at: { directory: string; name?: string } | undefined
  #kernel: FSWatcher | undefined
  #stopped = false
  #pending = false

  constructor(where: () => { directory: string; name?: string }, changed: () => void) {
    this.#where = where
    this.#changed = changed
    this.#arm()
  }
  readonly #own = (name: string) => this.#news(name)
  #news(name: string | null): void {
    if (this.#stopped) return
    // While it is not there, any news above it may be the news of its coming.
    if (this.#at?.name !== undefined && name !== null && name !== this.#at.name && name !== basename(this.#at.directory)) return
    if (name !== null && /^\..*\.\d+\.\d+$/.test(name)) return
    if (this.#pending) return
    this.#pending = true
    queueMicrotask(() => {
      this.#pending = false
      if (this.#stopped) return
      this.#arm()
      this.#changed()
    })
  }
  #arm(): void {
    const next = this.#where()
    if (this.#at?.directory === next.directory && this.#kernel) {
      this.#at = next
      return
    }
    this.#disarm()
    this.#at = next
    const listening = watchers.get(next.directory) ?? new Set()
    watchers.set(next.directory, listening)
    listening.add(this.#own)
    try {
      this.#kernel = watch(next.directory, { persistent: false }, (event, name) => {
        if (event === 'rename' && !existsSync(next.directory)) this.#gone()
        this.#news(name)
      })
      this.#kernel.on('error', () => this.#gone())
    } catch {
      // Out of watches, or it went just now: own writes are still told.
    }
  }
  #gone(): void {
    this.#kernel?.close()
    this.#kernel = undefined
  }
  #disarm(): void {
    this.#gone()
    if (!this.#at) return
    const listening = watchers.get(this.#at.directory)
    listening?.delete(this.#own)
    if (listening?.size === 0) watchers.delete(this.#at.directory)
  }
  stop(): void {
    this.#stopped = true
    this.#disarm()
  }
}

const typeOf = (stat: { isFile(): boolean; isDirectory(): boolean; isSymbolicLink(): boolean } | BigIntStats): Stat['type'] =>
  stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'link' : 'other'
