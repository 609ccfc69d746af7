// The one place that spawns processes. Knows nothing of Docker, kind or kubectl: argv in, bytes and an exit code out.
// Nothing here goes through a shell, so no argument is ever re-read as code.
import { spawn } from 'node:child_process'
import { LabError } from '#lib/protocol/index.ts'

export interface Command {
  /** program and arguments; no shell */
  argv: readonly string[]
  cwd?: string
  /** added to the parent's environment; undefined removes a name */
  env?: Readonly<Record<string, string | undefined>>
  stdin?: string | Uint8Array
  signal?: AbortSignal
  /** milliseconds; default none */
  timeoutMs?: number
  /** called per line of stdout and stderr as it comes, without its newline */
  onLine?: (line: string, stream: 'stdout' | 'stderr') => void
  /** bytes of stdout and of stderr that are kept (the last ones); default 16 MiB */
  maxBytes?: number
}
export interface Output {
  exitCode: number
  stdout: string
  stderr: string
}
/** Spawns commands. Adapters take one as an argument, so that a recording can stand in for a machine (`recorded`). */
export interface Runner {
  /**
   * Runs to the end whatever the exit code.
   * @throws LabError `not-found` when the program does not exist, `cancelled` on abort, `timeout`
   */
  run(command: Command): Promise<Output>
}

/** The command as a person could paste it. */
export const pasteable = (argv: readonly string[]): string =>
  argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ')

/** @throws LabError `internal` with the command and the tail of its output when it does not exit with 0 */
export async function must(runner: Runner, command: Command): Promise<Output> {
  const output = await runner.run(command)
  if (output.exitCode === 0) return output
  const tail = (output.stderr.trim() || output.stdout.trim()).split('\n').slice(-5).join('\n')
  throw new LabError('internal', `\`${pasteable(command.argv)}\` ended with exit code ${output.exitCode}: ${tail}`)
}

/** Keeps the last `max` bytes of what is pushed. */
function tailBuffer(max: number) {
  let chunks: Buffer[] = []
  let size = 0
  return {
    push(chunk: Buffer) {
      chunks.push(chunk)
      size += chunk.length
      if (size > 2 * max) {
        const all = Buffer.concat(chunks).subarray(-max)
        chunks = [all]
        size = all.length
      }
    },
    text: () => Buffer.concat(chunks).subarray(-max).toString('utf8'),
  }
}

function lineSplitter(emit: (line: string) => void) {
  let rest = ''
  const decoder = new TextDecoder()
  return {
    push(chunk: Buffer) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) emit(line.replace(/\r$/, ''))
    },
    end() {
      if (rest) emit(rest)
    },
  }
}

/** The machine itself. */
export const processes: Runner = {
  run(command) {
    const [program, ...args] = command.argv
    if (program === undefined) return Promise.reject(new LabError('internal', 'An empty command cannot be run.'))
    const max = command.maxBytes ?? 16 * 1024 * 1024
    return new Promise((resolve, reject) => {
      if (command.signal?.aborted) {
        reject(new LabError('cancelled', `\`${pasteable(command.argv)}\` was cancelled before it began.`))
        return
      }
      // A group of its own, so that an abort ends the grandchildren too.
      const child = spawn(program, args, {
        cwd: command.cwd,
        env: { ...process.env, ...command.env },
        stdio: ['pipe', 'pipe', 'pipe'],
        detached: true,
      })
      const kill = (signal: NodeJS.Signals) => {
        try {
          if (child.pid !== undefined) process.kill(-child.pid, signal)
        } catch {
          // already gone
        }
      }
      let ended: 'cancelled' | 'timeout' | undefined
      let hard: NodeJS.Timeout | undefined
      const end = (why: 'cancelled' | 'timeout') => {
        ended ??= why
        kill('SIGTERM')
        hard = setTimeout(() => kill('SIGKILL'), 5000)
      }
      const onAbort = () => end('cancelled')
      command.signal?.addEventListener('abort', onAbort, { once: true })
      const timer = command.timeoutMs === undefined ? undefined : setTimeout(() => end('timeout'), command.timeoutMs)
      const stdout = tailBuffer(max)
      const stderr = tailBuffer(max)
      const outLines = lineSplitter((line) => command.onLine?.(line, 'stdout'))
      const errLines = lineSplitter((line) => command.onLine?.(line, 'stderr'))
      child.stdout.on('data', (chunk: Buffer) => {
        stdout.push(chunk)
        if (command.onLine) outLines.push(chunk)
      })
      child.stderr.on('data', (chunk: Buffer) => {
        stderr.push(chunk)
        if (command.onLine) errLines.push(chunk)
      })
      const settle = () => {
        clearTimeout(timer)
        clearTimeout(hard)
        command.signal?.removeEventListener('abort', onAbort)
      }
      child.on('error', (error: NodeJS.ErrnoException) => {
        settle()
        const missing = error.code === 'ENOENT'
        reject(
          new LabError(
            missing ? 'not-found' : 'internal',
            missing ? `The program \`${program}\` is not installed.` : `\`${program}\` could not be started: ${error.message}`,
            {
              cause: error,
            },
          ),
        )
      })
      child.on('close', (code, signal) => {
        settle()
        outLines.end()
        errLines.end()
        if (ended !== undefined) {
          reject(
            new LabError(
              ended,
              `\`${pasteable(command.argv)}\` ${ended === 'timeout' ? `took longer than ${command.timeoutMs} ms` : 'was cancelled'}.`,
            ),
          )
          return
        }
        resolve({ exitCode: code ?? (signal ? 128 : 1), stdout: stdout.text(), stderr: stderr.text() })
      })
      child.stdin.on('error', () => {}) // a program may close its input early
      child.stdin.end(command.stdin)
    })
  },
}

export interface Transcript {
  argv: readonly string[]
  stdin?: string
  exitCode?: number
  stdout?: string
  stderr?: string
}
/**
 * A machine out of a transcript: each command must be the next one recorded with that argv, order within an argv kept.
 * `ran` lists what was asked, for assertions. An argv that was never recorded is an error that prints it.
 */
export function recorded(transcript: readonly Transcript[]): Runner & { ran: string[][] } {
  const left = transcript.map((entry) => ({ ...entry }))
  const ran: string[][] = []
  return {
    ran,
    async run(command) {
      ran.push([...command.argv])
      const key = pasteable(command.argv)
      const at = left.findIndex((entry) => pasteable(entry.argv) === key)
      const entry = left[at]
      if (entry === undefined) throw new LabError('not-found', `No recording of \`${key}\`.`)
      if (left.some((other, index) => index !== at && pasteable(other.argv) === key)) left.splice(at, 1)
      for (const line of (entry.stdout ?? '').split('\n')) if (line) command.onLine?.(line, 'stdout')
      for (const line of (entry.stderr ?? '').split('\n')) if (line) command.onLine?.(line, 'stderr')
      return { exitCode: entry.exitCode ?? 0, stdout: entry.stdout ?? '', stderr: entry.stderr ?? '' }
    },
  }
}
