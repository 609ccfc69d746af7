// Where workers and their labs lie in the provider's directory. `workers/<name>/socket` and `log`; `labs/<id>/`.
import { closeSync, constants, openSync } from 'node:fs'
import { join } from 'node:path'

/** A Unix socket's address holds 107 bytes. */
const longest = 100

/** What to listen on or connect to: a long path is led through an open directory. `release` when it has been used. @throws ENOENT without the directory */
export function socketPath(dir: string, name: string): { path: string; release(): void } {
  const at = join(dir, 'workers', name)
  const path = join(at, 'socket')
  if (Buffer.byteLength(path) <= longest || process.platform !== 'linux') return { path, release() {} }
  const directory = openSync(at, constants.O_RDONLY | constants.O_DIRECTORY)
  return { path: `/proc/self/fd/${directory}/socket`, release: () => closeSync(directory) }
}
