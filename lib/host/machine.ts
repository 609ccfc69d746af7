// The machine as doctor and set-up see it: its commands, files, memory, disk, ports and what it can reach. A port, so that a machine
// out of a transcript can stand in for this one in tests (`recordedMachine` in machine.fixture.ts). Knows nothing of Docker or Kubernetes.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access, appendFile, chmod, constants, mkdir, readFile, rename, rm, statfs, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { arch, freemem, platform, totalmem } from 'node:os'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { processes, type Runner } from '#lib/exec/index.ts'
import { LabError } from '#lib/protocol/index.ts'

export interface Machine {
  readonly runner: Runner
  readonly env: Readonly<Record<string, string | undefined>>
  /** Node's names: linux, darwin …; x64, arm64 … */
  readonly platform: string
  readonly arch: string
  /** effective user id; 0 is root, -1 where there is none (Windows) */
  readonly uid: number
  /** text of a file, undefined when it cannot be read */
  readText(path: string): Promise<string | undefined>
  /** replaces the file in one step, making its folder; mode default 0644 */
  writeText(path: string, text: string, mode?: number): Promise<void>
  remove(path: string): Promise<void>
  executable(path: string): Promise<boolean>
  /** bytes free for this user on the file system of the nearest existing folder; undefined when it cannot be told */
  freeBytes(path: string): Promise<number | undefined>
  memory(): Promise<{ total: number; available: number }>
  /** can something listen there now */
  portFree(host: string, port: number): Promise<boolean>
  /** status of the answer to HEAD, undefined when none came within the time */
  httpStatus(url: string, timeoutMs: number): Promise<number | undefined>
  /** adds to a file, making its folder */
  append(path: string, text: string): Promise<void>
  /** body of a small text answer, undefined when there is none (not reached, not 2xx) */
  fetchText(url: string, timeoutMs: number): Promise<string | undefined>
  /** downloads into a file in one step, mode 0755. @throws LabError backend-unavailable, conflict when the SHA-256 (hex) differs */
  download(url: string, path: string, sha256: string, signal?: AbortSignal): Promise<void>
  /** epoch ms */
  now(): number
  /** resolves after so many ms, rejects with LabError cancelled on abort */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** This machine. */
export const thisMachine: Machine = {
  runner: processes,
  env: process.env,
  platform: platform(),
  arch: arch(),
  uid: process.geteuid?.() ?? -1,
  readText: (path) => readFile(path, 'utf8').catch(() => undefined),
  async writeText(path, text, mode = 0o644) {
    await mkdir(dirname(path), { recursive: true })
    const part = `${path}.part-${process.pid}`
    await writeFile(part, text, { mode })
    await chmod(part, mode) // writeFile's mode passes through the umask
    await rename(part, path)
  },
  remove: (path) => rm(path, { force: true }),
  executable: (path) =>
    access(path, constants.X_OK).then(
      () => true,
      () => false,
    ),
  async freeBytes(path) {
    for (let at = path; ; at = dirname(at)) {
      try {
        const stats = await statfs(at)
        return stats.bavail * stats.bsize
      } catch {
        if (at === dirname(at)) return undefined
      }
    }
  },
  async memory() {
    // freemem() is MemFree on some versions of libuv; MemAvailable counts the page cache that the kernel would give back.
    const meminfo = await readFile('/proc/meminfo', 'utf8').catch(() => '')
    const available = /^MemAvailable:\s+(\d+) kB/m.exec(meminfo)?.[1]
    return { total: totalmem(), available: available === undefined ? freemem() : Number(available) * 1024 }
  },
  portFree: (host, port) =>
    new Promise((resolve) => {
      const server = createServer()
      server.once('error', () => resolve(false))
      server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)))
    }),
  httpStatus: (url, timeoutMs) =>
    fetch(url, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) }).then(
      (response) => response.status,
      () => undefined,
    ),
  async append(path, text) {
    await mkdir(dirname(path), { recursive: true })
    await appendFile(path, text)
  },
  async fetchText(url, timeoutMs) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) })
      if (!response.ok) return undefined
      const text = await response.text()
      return text.length > 1024 * 1024 ? undefined : text
    } catch {
      return undefined
    }
  },
  async download(url, path, sha256, signal) {
    const response = await fetch(url, signal === undefined ? {} : { signal }).catch((cause) => {
      throw new LabError('backend-unavailable', `${url} could not be downloaded: ${cause instanceof Error ? cause.message : cause}.`, {
        cause,
      })
    })
    if (!response.ok || response.body === null)
      throw new LabError('backend-unavailable', `${url} answered ${response.status} ${response.statusText}.`)
    await mkdir(dirname(path), { recursive: true })
    const part = `${path}.part-${process.pid}`
    try {
      await writeFile(part, response.body, { mode: 0o755 })
      const hash = createHash('sha256')
      await pipeline(createReadStream(part), hash)
      if (hash.digest('hex') !== sha256.toLowerCase()) {
        throw new LabError('conflict', `What ${url} answered does not have the published SHA-256, so it was thrown away.`, {
          hint: 'Run the set-up again; if it happens again, something between this machine and the site changes downloads.',
        })
      }
      await chmod(part, 0o755)
      await rename(part, path)
    } finally {
      await rm(part, { force: true })
    }
  },
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const cancelled = () => {
        clearTimeout(timer)
        reject(new LabError('cancelled', 'The wait was cancelled.'))
      }
      if (signal?.aborted) return cancelled()
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', cancelled)
        resolve()
      }, ms)
      signal?.addEventListener('abort', cancelled, { once: true })
    }),
}
