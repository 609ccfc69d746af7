// The editor's files on a cluster: which paths it may name, what is text, and that nobody overwrites what they have not seen.
// Knows nothing of HTTP.
import { createHash } from 'node:crypto'
import path from 'node:path'
import type { Cluster } from '#lib/cluster/index.ts'
import { type FileView, LabError, type Place, type SaveFile, type Words } from '#lib/protocol/index.ts'

/** bytes of a file that the editor opens; the port reads at most 4 MiB */
const maxBytes = 1024 * 1024

/** A save that would overwrite something else than what it started from; `current` is what is there now. */
export class FileConflict extends LabError {
  readonly current: FileView | null
  constructor(current: FileView | null, message: Words, hint: Words) {
    super('conflict', message, { hint })
    this.current = current
  }
}

/**
 * An absolute, normalised path.
 * @throws LabError bad-request for a relative one, one with `..`, `.` or control characters in it, or a kernel file system
 */
export function checkedPath(given: string): string {
  const shown = JSON.stringify(given.slice(0, 200))
  const bad = (en: string, ko: string) =>
    new LabError(
      'bad-request',
      { en: `The path ${shown} cannot be opened: ${en}.`, ko: `경로 ${shown}을(를) 열 수 없습니다: ${ko}.` },
      {
        hint: { en: 'Name an absolute path such as /etc/kubernetes/manifests.', ko: '/etc/kubernetes/manifests 같은 절대 경로를 쓰세요.' },
      },
    )
  if (given.length === 0 || given.length > 4096) throw bad('it is empty or longer than 4096 characters', '비어 있거나 4096자보다 깁니다')
  if (!given.startsWith('/')) throw bad('it is not absolute', '절대 경로가 아닙니다')
  if (/[\u0000-\u001f\u007f]/.test(given)) throw bad('it contains control characters', '제어 문자가 들어 있습니다')
  if (given.split('/').some((part) => part === '..' || part === '.')) throw bad('it contains `.` or `..`', '`.`이나 `..`이 들어 있습니다')
  const normal = path.posix.normalize(given)
  const clean = normal.length > 1 ? normal.replace(/\/$/, '') : normal
  // Reads of these may never end, and writes go to the host's kernel.
  if (/^\/(proc|sys|dev)(\/|$)/.test(clean))
    throw bad('it belongs to the kernel, use the terminal for it', '커널의 것이니 터미널에서 다루세요')
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
  if (entry === undefined && parent.length < 2000)
    throw new LabError('not-found', { en: `There is no ${file} on ${place}.`, ko: `${place}에 ${file}이(가) 없습니다.` })
  if (entry?.type === 'directory') return directory(cluster, place, file)
  if (entry?.type === 'other')
    throw new LabError(
      'bad-request',
      { en: `${file} is a device, socket or pipe, not a file.`, ko: `${file}은(는) 파일이 아니라 장치, 소켓 또는 파이프입니다.` },
      { hint: { en: 'Use the terminal for it.', ko: '터미널에서 다루세요.' } },
    )
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
      {
        en: `${file} has ${Math.ceil(bytes.byteLength / 1024)} KiB; the editor opens files of up to ${maxBytes / 1024} KiB.`,
        ko: `${file}은(는) ${Math.ceil(bytes.byteLength / 1024)} KiB입니다. 편집기는 ${maxBytes / 1024} KiB까지 엽니다.`,
      },
      { hint: { en: 'Use less or vim in the terminal.', ko: '터미널에서 less나 vim을 쓰세요.' } },
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
  new LabError(
    'bad-request',
    { en: `${file} is not a text file.`, ko: `${file}은(는) 텍스트 파일이 아닙니다.` },
    { hint: { en: 'Look at it with xxd or file in the terminal.', ko: '터미널에서 xxd나 file로 보세요.' } },
  )

/** Octal, as `stat -c %a` prints it; empty where it cannot be had. */
async function modeOf(cluster: Cluster, place: Place, file: string): Promise<string> {
  const answer = await cluster.exec(place, ['stat', '-L', '-c', '%a', '--', file], { timeoutMs: 5000 }).catch(() => null)
  return answer?.exitCode === 0 && /^[0-7]{3,4}$/.test(answer.stdout.trim()) ? answer.stdout.trim() : ''
}

/** @throws LabError not-found */
export function requirePlace(cluster: Cluster, place: Place): void {
  if (place !== 'workstation' && !cluster.nodes.some((node) => node.place === place)) {
    throw new LabError(
      'not-found',
      { en: `This lab has no ${place}.`, ko: `이 실습에는 ${place}이(가) 없습니다.` },
      {
        hint: {
          en: `It has workstation, ${cluster.nodes.map((node) => node.place).join(', ')}.`,
          ko: `workstation, ${cluster.nodes.map((node) => node.place).join(', ')}이(가) 있습니다.`,
        },
      },
    )
  }
}

function requireFiles(cluster: Cluster, place: Place): void {
  requirePlace(cluster, place)
  if (place !== 'workstation' && !cluster.can.has('node-files'))
    throw new LabError(
      'bad-request',
      { en: 'On this backend the files of nodes cannot be opened.', ko: '이 백엔드에서는 노드의 파일을 열 수 없습니다.' },
      { hint: { en: 'Use the workstation.', ko: 'workstation을 쓰세요.' } },
    )
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
  if (bytes.byteLength > maxBytes)
    throw new LabError('too-large', {
      en: `A file saved from the editor may have ${maxBytes / 1024} KiB.`,
      ko: `편집기에서 저장하는 파일은 ${maxBytes / 1024} KiB까지입니다.`,
    })
  let current: FileView | null = null
  try {
    current = await readPlace(cluster, save.place, file)
  } catch (error) {
    if (!(error instanceof LabError) || error.code !== 'not-found') throw error
  }
  if (current?.type === 'directory')
    throw new LabError('bad-request', { en: `${file} is a directory.`, ko: `${file}은(는) 디렉터리입니다.` })
  if (save.version === null && current !== null)
    throw new FileConflict(
      current,
      { en: `${file} is there already.`, ko: `${file}이(가) 이미 있습니다.` },
      { en: 'Open it, or choose another name.', ko: '그 파일을 열거나 다른 이름을 고르세요.' },
    )
  if (save.version !== null && current === null)
    throw new FileConflict(
      null,
      { en: `${file} was removed since you opened it.`, ko: `${file}을(를) 연 뒤에 누군가 지웠습니다.` },
      { en: 'Save it as a new file, or close it.', ko: '새 파일로 저장하거나 닫으세요.' },
    )
  if (current !== null && current.version !== save.version)
    throw new FileConflict(
      current,
      `${file} was changed since you opened it.`,
      'Compare the two, then save again to overwrite, or take what is there.',
    )
  await cluster.writeFile(save.place, file, bytes)
  return readText(cluster, save.place, file)
}
