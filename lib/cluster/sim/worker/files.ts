// Files of a lab's machines as the port offers them: limits, and Node's errors in words. Knows nothing of what the files mean.
import { lstatSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { LabError } from '#lib/protocol/index.ts'
import type { Lab } from '#lib/sim/index.ts'
import type { FileStat } from '../../port.ts'

const fileLimit = 4 * 1024 * 1024
const entryLimit = 2000
type Files = NonNullable<ReturnType<Lab['machines']['get']>>['files']

function check(path: string): void {
  if (path.startsWith('/') && !path.includes('\0') && path.length <= 4096) return
  throw new LabError('bad-request', `"${path.slice(0, 200)}" is not an absolute path.`, { hint: 'Begin it with a slash.' })
}
function inWords<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new LabError('not-found', `${path} does not exist.`, { cause: thrown })
    if (code === 'EISDIR' || code === 'EACCES' || code === 'ELOOP' || code === 'EINVAL')
      throw new LabError('bad-request', `${path} is not a regular file.`, { cause: thrown })
    throw thrown
  }
}

export function read(files: Files, path: string): Uint8Array {
  check(path)
  const size = files.stat(path)?.size ?? 0
  if (size > fileLimit)
    throw new LabError('too-large', `${path} has ${size} bytes; at most ${fileLimit} are read.`, { hint: 'Open it in a terminal.' })
  return inWords(path, () => files.read(path))
}
export function write(files: Files, path: string, bytes: Uint8Array, mode?: number): void {
  check(path)
  if (bytes.byteLength > fileLimit)
    throw new LabError('too-large', `${bytes.byteLength} bytes for ${path}; at most ${fileLimit} are written.`)
  const is = files.stat(path)
  if (is !== undefined && is.type !== 'file') throw new LabError('bad-request', `${path} is not a regular file.`)
  if (is === undefined && files.stat(dirname(path))?.type !== 'directory')
    throw new LabError('not-found', `${dirname(path)} is not a directory.`)
  inWords(path, () => {
    // What is there keeps its mode, so that another mode takes another file.
    if (is !== undefined && mode !== undefined && is.mode !== mode) files.remove(path)
    files.write(path, bytes, mode)
  })
}
export function list(files: Files, path: string): FileStat[] {
  check(path)
  if (files.stat(path)?.type !== 'directory') throw new LabError('not-found', `${path} is no directory.`)
  const base = path.replace(/\/+$/, '')
  const at = files.hostPath(path)
  return files
    .list(path)
    .slice(0, entryLimit)
    .map((name) => {
      const stat = lstatSync(join(at, name), { throwIfNoEntry: false })
      const type = stat?.isFile() ? 'file' : stat?.isDirectory() ? 'directory' : stat?.isSymbolicLink() ? 'link' : 'other'
      return { name, path: `${base}/${name}`, type, size: stat?.size ?? 0 }
    })
}
