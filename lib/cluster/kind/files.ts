// Files of machines, read and written by the grader's program: paths are resolved as if the machine's root were the only one there is, so
// that no link and no `..` leads out of it. Knows nothing of what the files mean.
import { LabError } from '#lib/protocol/index.ts'
import type { FileStat } from '../port.ts'
import type { Grader } from './grader.ts'

export const fileLimit = 4 * 1024 * 1024
const entryLimit = 2000

function checkPath(path: string): string {
  if (path.startsWith('/') && !path.includes('\0') && path.length <= 4096) return path
  throw new LabError('bad-request', `"${path.slice(0, 200)}" is not an absolute path.`, { hint: 'Begin it with a slash.' })
}

export async function readFile(grader: Grader, pid: number, path: string): Promise<Uint8Array> {
  const answer = await grader.one({ op: 'read', pid, path: checkPath(path), limit: fileLimit })
  if (answer.truncated === true)
    throw new LabError('too-large', `${path} has more than ${fileLimit} bytes.`, { hint: 'Open it in a terminal.' })
  return Buffer.from(String(answer.content ?? ''), 'base64')
}

export async function writeFile(
  grader: Grader,
  pid: number,
  path: string,
  bytes: Uint8Array,
  options: { mode?: number; user: string },
): Promise<void> {
  if (bytes.byteLength > fileLimit)
    throw new LabError('too-large', `${bytes.byteLength} bytes for ${path}; at most ${fileLimit} are written.`)
  const content = Buffer.from(bytes).toString('base64')
  await grader.one({
    op: 'write',
    pid,
    path: checkPath(path),
    args: { content, user: options.user, ...(options.mode === undefined ? {} : { mode: options.mode }) },
  })
}

export async function listFiles(grader: Grader, pid: number, path: string): Promise<FileStat[]> {
  const answer = await grader.one({ op: 'list', pid, path: checkPath(path), limit: entryLimit })
  const base = path.replace(/\/+$/, '')
  return ((answer.entries ?? []) as { name: string; type: string; size: number }[])
    .map(
      ({ name, type, size }) =>
        ({
          name,
          path: `${base}/${name}`,
          type: type === 'file' || type === 'directory' || type === 'link' ? type : 'other',
          size,
        }) as const,
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .slice(0, entryLimit)
}
