// Docker's HTTP API as the adapter needs it: commands in containers, their streams taken apart, and its errors put into words.
// Knows nothing of Kubernetes or of labs.
import type { Duplex } from 'node:stream'
import Dockerode from 'dockerode'
import { asLabError, LabError } from '#lib/protocol/index.ts'
import type { ExecOptions, ExecResult } from '../port.ts'

export interface DockerOptions {
  /** default /var/run/docker.sock */
  socketPath?: string
}
const keptBytes = 16 * 1024 * 1024

/** Undoes the multiplexing of a stream without a terminal: [stream u8][000][length u32 BE][payload] (Docker Engine API, "Stream format"). */
export class Demultiplexer {
  private header = Buffer.alloc(0)
  private stream = 0
  private left = 0
  private readonly emit: (stream: 'stdout' | 'stderr', bytes: Buffer) => void
  constructor(emit: (stream: 'stdout' | 'stderr', bytes: Buffer) => void) {
    this.emit = emit
  }
  push(chunk: Buffer): void {
    let rest = chunk
    while (rest.length > 0) {
      if (this.left === 0) {
        const need = 8 - this.header.length
        this.header = Buffer.concat([this.header, rest.subarray(0, need)])
        rest = rest.subarray(need)
        if (this.header.length < 8) return
        this.stream = this.header[0]!
        this.left = this.header.readUInt32BE(4)
        this.header = Buffer.alloc(0)
        continue
      }
      const payload = rest.subarray(0, this.left)
      this.left -= payload.length
      rest = rest.subarray(payload.length)
      this.emit(this.stream === 2 ? 'stderr' : 'stdout', payload)
    }
  }
}

const unreachable = new Set(['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE', 'EACCES', 'ETIMEDOUT'])
/** What Docker's refusal means to a person. `what` completes "Docker could not …". */
export function dockerError(thrown: unknown, what: string): LabError {
  if (thrown instanceof LabError) return thrown
  const error = thrown as { code?: string; statusCode?: number; message?: string; json?: { message?: string } }
  const text = error.json?.message ?? error.message ?? String(thrown)
  if (error.code === 'EACCES') {
    return new LabError('docker-unavailable', 'Docker runs, but this user may not use it.', {
      hint: 'Add the user to the group `docker` (`sudo usermod -aG docker $USER`), sign in again and start the server again.',
      cause: thrown,
    })
  }
  if ((error.code !== undefined && unreachable.has(error.code)) || /socket hang up|other side closed/.test(text)) {
    return new LabError('docker-unavailable', `Docker does not answer, so it could not ${what}.`, {
      hint: 'Start Docker (`sudo systemctl start docker`, or Docker Desktop). Labs go on where they were as soon as it is back.',
      cause: thrown,
    })
  }
  if (error.statusCode === 404) return new LabError('not-found', `Docker could not ${what}: ${text}.`, { cause: thrown })
  if (error.statusCode === 409) return new LabError('conflict', `Docker could not ${what}: ${text}.`, { cause: thrown })
  if (/no space left on device/.test(text)) {
    return new LabError('disk-full', `Docker could not ${what}: no space is left on its disk.`, {
      hint: 'Free some space (`docker system df` shows where it is).',
      cause: thrown,
    })
  }
  return new LabError('internal', `Docker could not ${what}: ${text}`, { cause: thrown })
}

/** A running command in a container with its streams: what it prints comes through `onData`, `input` goes to it. */
export interface Attached {
  input: Duplex
  /** the command's process id as the host sees it, 0 when it has ended */
  pid(): Promise<number>
  exitCode(): Promise<number>
}

export class Docker {
  readonly api: Dockerode
  readonly socketPath: string
  constructor(options: DockerOptions = {}) {
    this.socketPath = options.socketPath ?? '/var/run/docker.sock'
    this.api = new Dockerode({ socketPath: this.socketPath })
  }
  /** Runs one request and puts its failure into words. */
  async ask<T>(what: string, request: (api: Dockerode) => Promise<T>): Promise<T> {
    try {
      return await request(this.api)
    } catch (error) {
      throw dockerError(error, what)
    }
  }
  /** as `ask`, with undefined for what does not exist */
  async find<T>(what: string, request: (api: Dockerode) => Promise<T>): Promise<T | undefined> {
    try {
      return await this.ask(what, request)
    } catch (error) {
      if (asLabError(error).code === 'not-found') return undefined
      throw error
    }
  }

  /** Starts a command without a terminal and hands over its raw, still multiplexed, stream. */
  async attach(
    container: string,
    argv: readonly string[],
    options: Pick<ExecOptions, 'user' | 'cwd' | 'env'> & { stdin: boolean },
  ): Promise<Attached> {
    return this.ask(`run ${argv[0]} in ${container}`, async (api) => {
      const exec = await api.getContainer(container).exec({
        Cmd: [...argv],
        AttachStdin: options.stdin,
        AttachStdout: true,
        AttachStderr: true,
        Tty: false,
        ...(options.user === undefined ? {} : { User: options.user }),
        ...(options.cwd === undefined ? {} : { WorkingDir: options.cwd }),
        ...(options.env === undefined ? {} : { Env: Object.entries(options.env).map(([name, value]) => `${name}=${value}`) }),
      })
      const input = await exec.start({ hijack: true, stdin: options.stdin })
      const inspect = () => this.ask('look at a command', () => exec.inspect())
      return {
        input,
        pid: async () => {
          // Output may arrive before the daemon has noted the process's id; a command that has an exit code has none any more.
          for (let wait = 5; ; wait = Math.min(wait * 2, 200)) {
            const state = (await inspect()) as Awaited<ReturnType<typeof inspect>> & { Pid?: number }
            if (state.Running && state.Pid) return state.Pid
            if (!state.Running && state.ExitCode !== null && state.ExitCode !== undefined) return 0
            await new Promise((resolve) => setTimeout(resolve, wait))
          }
        },
        exitCode: async () => {
          // The stream ends a moment before the daemon has noted the exit code.
          for (let wait = 5; ; wait = Math.min(wait * 2, 200)) {
            const state = await inspect()
            if (!state.Running && state.ExitCode !== null && state.ExitCode !== undefined) return state.ExitCode
            await new Promise((resolve) => setTimeout(resolve, wait))
          }
        },
      }
    })
  }

  /**
   * Runs a command to its end whatever the exit code; output beyond 16 MiB a stream loses its beginning.
   * `kill` ends a process by the host's process id, used on abort and time-out.
   * @throws LabError timeout, cancelled, not-found (no such container), conflict (it is stopped), docker-unavailable
   */
  async exec(
    container: string,
    argv: readonly string[],
    options: ExecOptions = {},
    kill?: (pid: number) => Promise<void>,
  ): Promise<ExecResult> {
    const cancelled = () => new LabError('cancelled', `\`${argv.join(' ').slice(0, 200)}\` was cancelled.`)
    if (options.signal?.aborted) throw cancelled()
    const running = await this.attach(container, argv, {
      user: options.user,
      cwd: options.cwd,
      env: options.env,
      stdin: options.stdin !== undefined,
    })
    const stdout = collector((line) => options.onLine?.(line, 'stdout'), options.onLine !== undefined)
    const stderr = collector((line) => options.onLine?.(line, 'stderr'), options.onLine !== undefined)
    const demultiplexer = new Demultiplexer((stream, bytes) => (stream === 'stdout' ? stdout : stderr).push(bytes))
    const timeoutMs = options.timeoutMs ?? 60_000
    let timer: NodeJS.Timeout | undefined
    let onAbort: (() => void) | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        const stop = (error: LabError) => {
          // The stream's end alone would leave the command running.
          running
            .pid()
            .then((pid) => (pid > 0 ? kill?.(pid) : undefined))
            .catch(() => {})
            .finally(() => running.input.destroy())
          reject(error)
        }
        timer = setTimeout(
          () => stop(new LabError('timeout', `\`${argv.join(' ').slice(0, 200)}\` took longer than ${timeoutMs} ms and was ended.`)),
          timeoutMs,
        )
        onAbort = () => stop(cancelled())
        options.signal?.addEventListener('abort', onAbort, { once: true })
        if (options.signal?.aborted) onAbort()
        running.input.on('data', (chunk: Buffer) => demultiplexer.push(chunk))
        running.input.on('end', resolve)
        running.input.on('close', resolve)
        running.input.on('error', (error: Error) => reject(dockerError(error, `run ${argv[0]}`)))
        if (options.stdin !== undefined) running.input.end(options.stdin)
      })
    } finally {
      clearTimeout(timer)
      if (onAbort) options.signal?.removeEventListener('abort', onAbort)
    }
    const exitCode = await running.exitCode()
    return { exitCode, stdout: stdout.end(), stderr: stderr.end() }
  }
}

function collector(emit: (line: string) => void, lines: boolean) {
  let chunks: Buffer[] = []
  let size = 0
  let rest = ''
  const decoder = new TextDecoder()
  return {
    push(bytes: Buffer) {
      chunks.push(bytes)
      size += bytes.length
      if (size > 2 * keptBytes) {
        chunks = [Buffer.concat(chunks).subarray(-keptBytes)]
        size = keptBytes
      }
      if (!lines) return
      const parts = (rest + decoder.decode(bytes, { stream: true })).split('\n')
      rest = parts.pop() ?? ''
      for (const part of parts) emit(part.replace(/\r$/, ''))
    },
    end(): string {
      if (rest) emit(rest)
      return Buffer.concat(chunks).subarray(-keptBytes).toString('utf8')
    },
  }
}
