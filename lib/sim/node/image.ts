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

/** Everything below `root` on the host. Sockets, pipes and devices are left out. */
export function takeImage(root: string): FileImage {
  const entries: Entry[] = []
  const walk = (at: string) => {
    for (const name of readdirSync(`${root}${at}`).sort()) {
      const path = `${at}/${name}`
      const host = `${root}${path}`
      const stat = lstatSync(host, { throwIfNoEntry: false })
      if (!stat) continue
      const mode = stat.mode & 0o7777
      if (stat.isSymbolicLink()) entries.push({ path, type: 'link', target: readlinkSync(host) })
      else if (stat.isDirectory()) {
        entries.push({ path, type: 'directory', mode })
        walk(path)
      } else if (stat.isFile() && stat.size <= largest) {
        let bytes: Buffer
        try {
          bytes = readFileSync(host)
        } catch {
          continue
        }
        const text = bytes.toString('utf8')
        const mtime = Math.floor(stat.mtimeMs)
        entries.push(
          Buffer.from(text, 'utf8').equals(bytes)
            ? { path, type: 'file', mode, mtime, text }
            : { path, type: 'file', mode, mtime, base64: bytes.toString('base64') },
        )
      }
    }
  }
  walk('')
  return { entries }
}

/** Makes everything below `root` equal to the image; `keep`: paths that are left as they are, with all below them. */
export function putImage(root: string, image: FileImage, keep: readonly string[] = []): void {
  mkdirSync(root, { recursive: true })
  const kept = (path: string) => keep.some((one) => path === one || path.startsWith(`${one}/`))
  const wanted = new Set(image.entries.map((entry) => entry.path))
  const prune = (at: string) => {
    for (const one of readdirSync(`${root}${at}`, { withFileTypes: true })) {
      const path = `${at}/${one.name}`
      if (kept(path)) continue
      if (!wanted.has(path)) rmSync(`${root}${path}`, { recursive: true, force: true })
      else if (one.isDirectory()) prune(path)
    }
  }
  prune('')
  for (const entry of image.entries) {
    if (kept(entry.path)) continue
    const host = `${root}${entry.path}`
    let stat = lstatSync(host, { throwIfNoEntry: false })
    const type = stat && (stat.isSymbolicLink() ? 'link' : stat.isDirectory() ? 'directory' : stat.isFile() ? 'file' : 'other')
    if (stat && type !== entry.type) {
      rmSync(host, { recursive: true, force: true })
      stat = undefined
    }
    if (entry.type === 'directory') {
      if (!stat) mkdirSync(host)
      if (!stat || (stat.mode & 0o7777) !== entry.mode) chmodSync(host, entry.mode)
    } else if (entry.type === 'link') {
      if (stat && readlinkSync(host) === entry.target) continue
      if (stat) rmSync(host)
      symlinkSync(entry.target, host)
    } else {
      const bytes = 'text' in entry ? Buffer.from(entry.text) : Buffer.from(entry.base64, 'base64')
      const same = stat !== undefined && stat.size === bytes.length && readFileSync(host).equals(bytes)
      if (!same) {
        // A new file, not the old one rewritten: whoever holds the old one open keeps what he had.
        if (stat) rmSync(host)
        writeFileSync(host, bytes, { flag: 'wx', mode: entry.mode })
        utimesSync(host, entry.mtime / 1000, entry.mtime / 1000)
        chmodSync(host, entry.mode)
      } else if (stat && (stat.mode & 0o7777) !== entry.mode) chmodSync(host, entry.mode)
    }
  }
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
