// A real process of a place, on a terminal or on pipes, as the lab's `Spawned`. Knows nothing of bubblewrap but that wrappers stand before the process.
import { spawn as spawnPipes } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { spawn as spawnPty } from '@lydell/node-pty'
import type { Spawned } from '../process.ts'

export interface Start {
  argv: readonly [string, ...string[]]
  env: Record<string, string>
  pty?: { cols: number; rows: number }
  /** programs between ours and the asked one, which a signal must not end: nsenter, bwrap */
  wrappers: readonly string[]
  ended(): void
}

const numberOf = (signal: NodeJS.Signals): number => constants.signals[signal] ?? 15

/** Processes of a session, leaders first; what has left the session (a tmux server) is not ours to end. */
function session(leader: number): { pid: number; name: string; state: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
        const end = stat.lastIndexOf(')')
        const [state, , , of] = stat.slice(end + 2).split(' ')
        return Number(of) === leader ? [{ pid: Number(name), name: stat.slice(stat.indexOf('(') + 1, end), state: state ?? '' }] : []
      } catch {
        return []
      }
    })
    .sort((a, b) => a.pid - b.pid)
}

/**
 * What sends signals to a session: to what runs in it and not to its wrappers, which end with it and tell how it ended. They hear only SIGKILL, and what
 * comes before the program was ever there. Once it was, a signal to wrappers that are left alone would put its own exit code in place of the program's.
 */
function signaller(leader: number, wrappers: readonly string[]): (signal: NodeJS.Signals) => void {
  let seen = false
  return (signal) => {
    const all = session(leader)
    const inner = all.filter((row) => row.pid !== leader && !wrappers.includes(row.name))
    seen ||= inner.length > 0
    for (const { pid } of signal === 'SIGKILL' ? all.reverse() : seen ? inner : all)
      try {
        process.kill(pid, signal)
      } catch {
        // gone meanwhile
      }
  }
}

/** listeners are told what came before they were there */
function listeners<T extends unknown[]>() {
  const all: ((...args: T) => void)[] = []
  let early: T[] | undefined = []
  return {
    on(listener: (...args: T) => void) {
      all.push(listener)
      const had = early
      early = undefined
      for (const args of had ?? []) listener(...args)
    },
    tell(...args: T) {
      if (early) early.push(args)
      else for (const listener of all) listener(...args)
    },
  }
}

export function start(what: Start): Spawned {
  return what.pty ? onTerminal(what, what.pty) : onPipes(what)
}

function onTerminal(what: Start, size: { cols: number; rows: number }): Spawned {
  const [program, ...args] = what.argv
  const pty = spawnPty(program, args, { name: 'xterm-256color', ...clamp(size), cwd: '/', env: what.env, encoding: null })
  const data = listeners<[Uint8Array, 'stdout' | 'stderr']>()
  const exit = listeners<[number]>()
  let over = false
  const signal = signaller(pty.pid, what.wrappers)
  pty.onData((bytes) => data.tell(bytes as unknown as Uint8Array, 'stdout'))
  pty.onExit(({ exitCode, signal: by }) => {
    over = true
    what.ended()
    exit.tell(by ? 128 + by : exitCode)
  })
  return {
    pid: pty.pid,
    onData: data.on,
    onExit: exit.on,
    write: (bytes) => {
      if (!over) pty.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) as unknown as string)
    },
    endInput: () => {
      if (!over) pty.write('\x04')
    },
    resize: (to) => {
      if (!over) pty.resize(clamp(to).cols, clamp(to).rows)
    },
    pause: () => pty.pause(),
    resume: () => pty.resume(),
    kill: (by = 'SIGHUP') => {
      if (!over) signal(by)
    },
  }
}
const clamp = ({ cols, rows }: { cols: number; rows: number }) => ({
  cols: Math.min(Math.max(Math.floor(cols) || 80, 1), 1000),
  rows: Math.min(Math.max(Math.floor(rows) || 24, 1), 1000),
})

function onPipes(what: Start): Spawned {
  const [program, ...args] = what.argv
  const child = spawnPipes(program, args, { cwd: '/', env: what.env as NodeJS.ProcessEnv, stdio: ['pipe', 'pipe', 'pipe'], detached: true })
  const signal = child.pid === undefined ? undefined : signaller(child.pid, what.wrappers)
  const data = listeners<[Uint8Array, 'stdout' | 'stderr']>()
  const exit = listeners<[number]>()
  let over = false
  const end = (code: number) => {
    if (over) return
    over = true
    what.ended()
    exit.tell(code)
  }
  child.stdout.on('data', (bytes: Buffer) => data.tell(bytes, 'stdout'))
  child.stderr.on('data', (bytes: Buffer) => data.tell(bytes, 'stderr'))
  child.stdin.on('error', () => {}) // a program may close its input early
  child.on('error', () => end(126))
  child.on('close', (code, by) => end(code ?? 128 + numberOf(by ?? 'SIGTERM')))
  // What the command left in the background keeps its output open, and is not waited for.
  let paused = false
  child.on('exit', (code, by) => {
    const look = () => {
      if (paused || child.stdout.readableLength > 0 || child.stderr.readableLength > 0) setTimeout(look, 200).unref()
      else end(code ?? 128 + numberOf(by ?? 'SIGTERM'))
    }
    setTimeout(look, 200).unref()
  })
  return {
    pid: child.pid ?? 0,
    onData: data.on,
    onExit: exit.on,
    write: (bytes) => void child.stdin.write(bytes),
    endInput: () => void child.stdin.end(),
    resize: () => {},
    pause: () => {
      paused = true
      child.stdout.pause()
      child.stderr.pause()
    },
    resume: () => {
      paused = false
      child.stdout.resume()
      child.stderr.resume()
    },
    kill: (by = 'SIGTERM') => {
      if (!over) signal?.(by)
    },
  }
}
