// A machine's files as data: taken for a snapshot, put back so that only what differs is written. Knows nothing of what the files are.
import { createHash } from 'node:crypto'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  type Stats,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import type { Tree } from './template/files.ts'

/** path → permission bits with a file's bytes, a link's target, or a directory. Sorted, parents before children. */
export interface FileImage {
  entries: Entry[]
}
type Entry =
  | { path: string; type: 'file'; mode: number; mtime: number; text: string }
  | { path: string; type: 'file'; mode: number; mtime: number; base64: string }
  | { path: string; type: 'link'; target: string }
  | { path: string; type: 'directory'; mode: number }

/** Larger files are left out: a snapshot is for configurations and logs, not for what somebody filled the disk with. */
const largest = 8 * 1024 * 1024

/**
 * What a look at a machine's files has found, by path, so that the next one need not read what is still the same: inode and time of change are, and any change
 * of a file or of a folder's names moves that time (but through memory that a program has mapped, which nothing here does).
 */
export interface Seen {
  paths: Map<string, Known>
}
interface Known {
  ino: number
  ctimeMs: number
  entry: Entry
  names?: readonly string[]
}
export const nothingSeen = (): Seen => ({ paths: new Map() })
/** The kernel's clock for files ticks every few milliseconds: of what has changed just now, a further change may not be seen. */
const settledMs = 100
const still = (known: { ino: number; ctimeMs: number } | undefined, stat: Stats): boolean =>
  known !== undefined && known.ino === stat.ino && known.ctimeMs === stat.ctimeMs

/** Everything below `root` on the host. Sockets, pipes and devices are left out. `seen` is brought up to date. */
export function takeImage(root: string, seen: Seen = nothingSeen()): FileImage {
  const entries: Entry[] = []
  const before = seen.paths
  seen.paths = new Map()
  const now = Date.now()
  const keep = (path: string, stat: Stats, entry: Entry, names?: readonly string[]) => {
    if (now - stat.ctimeMs > settledMs) seen.paths.set(path, { ino: stat.ino, ctimeMs: stat.ctimeMs, entry, ...(names ? { names } : {}) })
  }
  const keepAsIs = (path: string, stat: Stats, known: Known) => {
    if (now - stat.ctimeMs > settledMs) seen.paths.set(path, known)
  }
  const read = (path: string, host: string, stat: Stats): Entry | undefined => {
    const mode = stat.mode & 0o7777
    if (stat.isSymbolicLink()) return { path, type: 'link', target: readlinkSync(host) }
    if (!stat.isFile() || stat.size > largest) return undefined
    let bytes: Buffer
    try {
      bytes = readFileSync(host)
    } catch {
      return undefined
    }
    const text = bytes.toString('utf8')
    const mtime = Math.floor(stat.mtimeMs)
    return Buffer.from(text, 'utf8').equals(bytes)
      ? { path, type: 'file', mode, mtime, text }
      : { path, type: 'file', mode, mtime, base64: bytes.toString('base64') }
  }
  const walk = (at: string, names: readonly string[]) => {
    for (const name of names) {
      const path = `${at}/${name}`
      const host = `${root}${path}`
      const stat = lstatSync(host, { throwIfNoEntry: false })
      if (!stat) continue
      const known = before.get(path)
      if (known && still(known, stat)) {
        keepAsIs(path, stat, known)
        entries.push(known.entry)
        if (known.names) walk(path, known.names)
        continue
      }
      if (stat.isDirectory()) {
        const entry: Entry = { path, type: 'directory', mode: stat.mode & 0o7777 }
        const below = readdirSync(host).sort()
        keep(path, stat, entry, below)
        entries.push(entry)
        walk(path, below)
        continue
      }
      const entry = read(path, host, stat)
      if (!entry) continue
      keep(path, stat, entry)
      entries.push(entry)
    }
  }
  walk('', readdirSync(root).sort())
  return { entries }
}

/**
 * Makes everything below `root` equal to the image; `keep`: paths that are left as they are, with all below them. What `seen` knows to be right already is
 * not read.
 */
export function putImage(root: string, image: FileImage, keep: readonly string[] = [], seen: Seen = nothingSeen()): void {
  mkdirSync(root, { recursive: true })
  const kept = (path: string) => keep.length > 0 && keep.some((one) => path === one || path.startsWith(`${one}/`))
  const wanted = typesOf(image)
  const folders = new Map<string, Stats>()
  const prune = (at: string, names: readonly string[]) => {
    for (const name of names) {
      const path = `${at}/${name}`
      const host = `${root}${path}`
      if (kept(path)) continue
      if (!wanted.has(path)) {
        rmSync(host, { recursive: true, force: true })
        continue
      }
      if (wanted.get(path) !== 'directory') continue
      const stat = lstatSync(host, { throwIfNoEntry: false })
      if (!stat?.isDirectory()) continue
      folders.set(path, stat)
      const known = seen.paths.get(path)
      prune(path, (still(known, stat) && known?.names) || readdirSync(host))
    }
  }
  prune('', readdirSync(root))
  for (const entry of image.entries) {
    if (kept(entry.path)) continue
    const host = `${root}${entry.path}`
    let stat = folders.get(entry.path) ?? lstatSync(host, { throwIfNoEntry: false })
    const known = seen.paths.get(entry.path)
    const there = stat && still(known, stat) ? known?.entry : undefined
    // It was taken from here, and is what it was then: its mode too, for that moves the time as well.
    if (there === entry) continue
    const type = stat && (stat.isSymbolicLink() ? 'link' : stat.isDirectory() ? 'directory' : stat.isFile() ? 'file' : 'other')
    if (stat && type !== entry.type) {
      rmSync(host, { recursive: true, force: true })
      stat = undefined
    }
    if (entry.type === 'directory') {
      if (!stat) mkdirSync(host)
      if (!stat || (stat.mode & 0o7777) !== entry.mode) chmodSync(host, entry.mode)
    } else if (entry.type === 'link') {
      if (stat && (there?.type === 'link' ? there.target : readlinkSync(host)) === entry.target) continue
      if (stat) rmSync(host)
      symlinkSync(entry.target, host)
    } else {
      let bytes: Buffer | undefined
      const given = () => {
        bytes ??= 'text' in entry ? Buffer.from(entry.text) : Buffer.from(entry.base64, 'base64')
        return bytes
      }
      const same =
        there?.type === 'file'
          ? 'text' in there
            ? 'text' in entry && there.text === entry.text
            : 'base64' in entry && there.base64 === entry.base64
          : stat !== undefined && stat.size === given().length && readFileSync(host).equals(given())
      // One that has another name too is changed with whatever has that name.
      if (!same || (stat?.nlink ?? 1) > 1) {
        // A new file, not the old one rewritten: whoever holds the old one open keeps what he had.
        if (stat) rmSync(host)
        writeFileSync(host, given(), { flag: 'wx', mode: entry.mode })
        utimesSync(host, entry.mtime / 1000, entry.mtime / 1000)
        chmodSync(host, entry.mode)
      } else if (stat && (stat.mode & 0o7777) !== entry.mode) chmodSync(host, entry.mode)
    }
  }
}

/** Of an image that is put back again and again it is made once. */
const types = new WeakMap<FileImage, ReadonlyMap<string, Entry['type']>>()
function typesOf(image: FileImage): ReadonlyMap<string, Entry['type']> {
  const made = types.get(image) ?? new Map(image.entries.map((entry) => [entry.path, entry.type]))
  types.set(image, made)
  return made
}

/** Writes a template's tree into an empty directory. */
export function putTree(root: string, tree: Tree): void {
  mkdirSync(root, { recursive: true })
  const made = new Set<string>([''])
  const parents = (path: string) => {
    const above = path.slice(0, path.lastIndexOf('/'))
    if (made.has(above)) return
    parents(above)
    mkdirSync(`${root}${above}`, { recursive: true })
    chmodSync(`${root}${above}`, 0o755)
    made.add(above)
  }
  for (const path of Object.keys(tree).sort()) {
    const entry = tree[path] as Tree[string]
    parents(path)
    const host = `${root}${path}`
    if ('directory' in entry) {
      mkdirSync(host, { recursive: true })
      chmodSync(host, entry.mode ?? 0o755)
      made.add(path)
    } else if ('link' in entry) symlinkSync(entry.link, host)
    else {
      writeFileSync(host, entry.text, { mode: entry.mode ?? 0o644 })
      chmodSync(host, entry.mode ?? 0o644)
    }
  }
}

/** One hash over what the image holds, without times; `leave`: what is no state of the machine. */
export function hashImage(image: FileImage, leave: (path: string) => boolean): string {
  const hash = createHash('sha256')
  for (const entry of image.entries) {
    if (leave(entry.path)) continue
    hash.update(
      `${entry.path}\0${entry.type}\0${entry.type === 'link' ? entry.target : entry.mode}\0${entry.type === 'file' ? ('text' in entry ? entry.text : entry.base64) : ''}\0`,
    )
  }
  return hash.digest('hex').slice(0, 16)
}
