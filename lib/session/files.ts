// The editor's files on a cluster: which paths it may name, what is text, and that nobody overwrites what they have not seen.
// Knows nothing of HTTP.
import { createHash } from 'node:crypto'
import path from 'node:path'
import type { Cluster } from '#lib/cluster/index.ts'
import { type FileView, LabError, type Place, type SaveFile } from '#lib/protocol/index.ts'

/** bytes of a file that the editor opens; the port reads at most 4 MiB */
const maxBytes = 1024 * 1024

/** A save that would overwrite something else than what it started from; `current` is what is there now. */
export class FileConflict extends LabError {
  readonly current: FileView | null
  constructor(current: FileView | null, message: string, hint: string) {
    super('conflict', message, { hint })
    this.current = current
  }
}

/**
 * An absolute, normalised path.
 * @throws LabError bad-request for a relative one, one with `..`, `.` or control characters in it, or a kernel file system
 */
export function checkedPath(given: string): string {
  const bad = (why: string) =>
    new LabError('bad-request', `The path ${JSON.stringify(given.slice(0, 200))} cannot be opened: ${why}.`, {
      hint: 'Name an absolute path such as /etc/kubernetes/manifests.',
    })
  if (given.length === 0 || given.length > 4096) throw bad('it is empty or longer than 4096 characters')
  if (!given.startsWith('/')) throw bad('it is not absolute')
  if (/[\u0000-\u001f\u007f]/.test(given)) throw bad('it contains control characters')
  if (given.split('/').some((part) => part === '..' || part === '.')) throw bad('it contains `.` or `..`')
  const normal = path.posix.normalize(given)
  const clean = normal.length > 1 ? normal.replace(/\/$/, '') : normal
  // Reads of these may never end, and writes go to the host's kernel.
  if (/^\/(proc|sys|dev)(\/|$)/.test(clean)) throw bad('it belongs to the kernel, use the terminal for it')
  return clean
}

const versionOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/**
 * A directory's entries or a text file's content.
 * @throws LabError bad-request (path, not text), not-found, too-large
 */
export async function readPlace(cluster: Cluster, place: Place, given: string): Promise<FileView> {
  const file = checkedPath(given)
  requireFiles(cluster, place)
  if (file === '/') return directory(cluster, place, file)
  const parent = await cluster.listFiles(place, path.posix.dirname(file))
  const entry = parent.find((one) => one.name === path.posix.basename(file))
  if (entry === undefined && parent.length < 2000) throw new LabError('not-found', `There is no ${file} on ${place}.`)
  if (entry?.type === 'directory') return directory(cluster, place, file)
  if (entry?.type === 'other')
    throw new LabError('bad-request', `${file} is a device, socket or pipe, not a file.`, { hint: 'Use the terminal for it.' })
  if (entry?.type === 'link') {
    // A link to a directory is listed, one to a file is read.
    const target = await cluster.listFiles(place, file).catch(() => null)
    if (target !== null) return { type: 'directory', place, path: file, entries: [...target] }
  }
  return readText(cluster, place, file)
}

async function directory(cluster: Cluster, place: Place, file: string): Promise<FileView> {
  return { type: 'directory', place, path: file, entries: [...(await cluster.listFiles(place, file))] }
}

async function readText(cluster: Cluster, place: Place, file: string): Promise<FileView> {
  const bytes = await cluster.readFile(place, file)
  if (bytes.byteLength > maxBytes) {
    throw new LabError(
      'too-large',
      `${file} has ${Math.ceil(bytes.byteLength / 1024)} KiB; the editor opens files of up to ${maxBytes / 1024} KiB.`,
      { hint: 'Use less or vim in the terminal.' },
    )
  }
  if (bytes.includes(0)) throw binary(file)
  let content: string
  try {
    content = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw binary(file)
  }
  return { type: 'file', place, path: file, content, version: versionOf(bytes), mode: await modeOf(cluster, place, file) }
}
const binary = (file: string) =>
  new LabError('bad-request', `${file} is not a text file.`, { hint: 'Look at it with xxd or file in the terminal.' })

/** Octal, as `stat -c %a` prints it; empty where it cannot be had. */
async function modeOf(cluster: Cluster, place: Place, file: string): Promise<string> {
  const answer = await cluster.exec(place, ['stat', '-L', '-c', '%a', '--', file], { timeoutMs: 5000 }).catch(() => null)
  return answer?.exitCode === 0 && /^[0-7]{3,4}$/.test(answer.stdout.trim()) ? answer.stdout.trim() : ''
}

function requireFiles(cluster: Cluster, place: Place): void {
  if (place !== 'workstation' && !cluster.nodes.some((node) => node.place === place)) {
    throw new LabError('not-found', `This lab has no ${place}.`, {
      hint: `It has workstation, ${cluster.nodes.map((node) => node.place).join(', ')}.`,
    })
  }
  if (place !== 'workstation' && !cluster.can.has('node-files'))
    throw new LabError('bad-request', 'On this backend the files of nodes cannot be opened.', { hint: 'Use the workstation.' })
}

/**
 * Writes `content` when what is there is still `version` (null: nothing is there).
 * Two saves of one file at the same moment may still overlap on the cluster itself; the caller lets one through at a time.
 * @throws FileConflict with what is there; LabError bad-request, not-found, too-large
 */
export async function savePlace(cluster: Cluster, save: SaveFile): Promise<FileView> {
  const file = checkedPath(save.path)
  requireFiles(cluster, save.place)
  const bytes = new TextEncoder().encode(save.content)
  if (bytes.byteLength > maxBytes) throw new LabError('too-large', `A file saved from the editor may have ${maxBytes / 1024} KiB.`)
  let current: FileView | null = null
  try {
    current = await readPlace(cluster, save.place, file)
  } catch (error) {
    if (!(error instanceof LabError) || error.code !== 'not-found') throw error
  }
  if (current?.type === 'directory') throw new LabError('bad-request', `${file} is a directory.`)
  if (save.version === null && current !== null)
    throw new FileConflict(current, `${file} is there already.`, 'Open it, or choose another name.')
  if (save.version !== null && current === null)
    throw new FileConflict(null, `${file} was removed since you opened it.`, 'Save it as a new file, or close it.')
  if (current !== null && current.version !== save.version)
    throw new FileConflict(
      current,
      `${file} was changed since you opened it.`,
      'Compare the two, then save again to overwrite, or take what is there.',
    )
  await cluster.writeFile(save.place, file, bytes)
  return readText(cluster, save.place, file)
}
