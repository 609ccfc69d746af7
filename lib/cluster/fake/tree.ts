// Files of the fake cluster's machines: a directory each, in which a path can never lead out. Knows nothing of the API.
import { createHash } from 'node:crypto'
import { chmod, lstat, mkdir, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { LabError } from '#lib/protocol/index.ts'
import type { FileStat } from '../port.ts'

export const fileLimit = 4 * 1024 * 1024
const entryLimit = 2000

/** `path` inside `root` with symbolic links and `..` followed as a chroot would, so that the answer is always below `root`. */
export async function inRoot(root: string, path: string): Promise<string> {
  const todo = path.split('/')
  let at: string[] = []
  for (let links = 0; todo.length > 0; ) {
    const part = todo.shift()!
    if (part === '' || part === '.') continue
    if (part === '..') {
      at.pop()
      continue
    }
    const here = join(root, ...at, part)
    const info = await lstat(here).catch(() => undefined)
    if (!info?.isSymbolicLink()) {
      at.push(part)
      continue
    }
    if (++links > 40) throw new LabError('bad-request', `${path} leads through too many symbolic links.`)
    const target = await readlink(here)
    if (target.startsWith('/')) at = []
    todo.unshift(...target.split('/'))
  }
  return join(root, ...at)
}

const missing = (path: string) => (error: NodeJS.ErrnoException) => {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') throw new LabError('not-found', `${path} does not exist.`, { cause: error })
  throw error
}

export async function read(root: string, path: string): Promise<Uint8Array> {
  const at = await inRoot(root, path)
  const info = await stat(at).catch(missing(path))
  if (!info.isFile()) throw new LabError('bad-request', `${path} is not a regular file.`)
  if (info.size > fileLimit) throw new LabError('too-large', `${path} has ${info.size} bytes; at most ${fileLimit} are read.`)
  return readFile(at)
}

export async function write(root: string, path: string, bytes: Uint8Array, mode?: number): Promise<void> {
  if (bytes.byteLength > fileLimit)
    throw new LabError('too-large', `${bytes.byteLength} bytes for ${path}; at most ${fileLimit} are written.`)
  const at = await inRoot(root, path)
  const parent = await stat(dirname(at)).catch(missing(dirname(path)))
  if (!parent.isDirectory()) throw new LabError('not-found', `${dirname(path)} is not a directory.`)
  const info = await stat(at).catch(() => undefined)
  if (info && !info.isFile()) throw new LabError('bad-request', `${path} is not a regular file.`)
  await writeFile(at, bytes, { mode: mode ?? 0o644 })
  if (mode !== undefined) await chmod(at, mode)
}

export async function list(root: string, path: string): Promise<FileStat[]> {
  const at = await inRoot(root, path)
  const entries = await readdir(at, { withFileTypes: true }).catch(missing(path))
  const base = path.replace(/\/+$/, '')
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  return Promise.all(
    entries.slice(0, entryLimit).map(async (entry) => ({
      name: entry.name,
      path: `${base}/${entry.name}`,
      type: entry.isFile() ? 'file' : entry.isDirectory() ? 'directory' : entry.isSymbolicLink() ? 'link' : 'other',
      size: (await lstat(join(at, entry.name))).size,
    })),
  )
}

/** One hash over names, types, modes and contents below `root`, `skip` left out (paths relative to root). */
export async function hashTree(root: string, skip: readonly string[] = []): Promise<string> {
  const hash = createHash('sha256')
  const walk = async (relative: string): Promise<void> => {
    for (const entry of (await readdir(join(root, relative), { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = relative ? `${relative}/${entry.name}` : entry.name
      if (skip.includes(path)) continue
      const info = await lstat(join(root, path))
      hash.update(`${path}\0${info.mode}\0`)
      if (entry.isDirectory()) await walk(path)
      else if (entry.isSymbolicLink()) hash.update(await readlink(join(root, path)))
      else if (entry.isFile()) hash.update(await readFile(join(root, path)))
    }
  }
  await walk('')
  return hash.digest('hex')
}

/** Empties a directory except for `keep` (names in it), making it when it is not there. */
export async function empty(root: string, keep: readonly string[] = []): Promise<void> {
  await mkdir(root, { recursive: true })
  for (const name of await readdir(root)) if (!keep.includes(name)) await rm(join(root, name), { recursive: true, force: true })
}
