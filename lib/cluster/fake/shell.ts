// A local process on a pty, for shells of the fake cluster. Knows nothing of who holds it.
import { write } from 'node:fs'
import { spawn } from '@lydell/node-pty'
import type { Pty } from '../held.ts'
import type { Size } from '../port.ts'

export function localPty(argv: readonly string[], cwd: string, env: Record<string, string>, size: Size): Pty & { readonly pid: number } {
  const pty = spawn(argv[0]!, argv.slice(1), { name: 'xterm-256color', cols: size.cols, rows: size.rows, cwd, env, encoding: null })
  const input: Buffer[] = []
  let writing = false
  let over = false
  pty.onExit(() => {
    over = true
  })
  // node-pty's own write spins in the event loop while the terminal takes no more, even after the shell's end.
  const next = () => {
    const bytes = input[0]
    writing = bytes !== undefined && !over
    if (!bytes || !writing) return
    write((pty as unknown as { fd: number }).fd, bytes, (error, written) => {
      if (error && error.code !== 'EAGAIN') {
        input.length = 0
        writing = false
        return
      }
      if (written === bytes.length) input.shift()
      else input[0] = bytes.subarray(written ?? 0)
      error ? setTimeout(next, 5) : next()
    })
  }
  return {
    pid: pty.pid,
    onData: (listener) => void pty.onData((data) => listener(data as unknown as Uint8Array)),
    onExit: (listener) => void pty.onExit(({ exitCode }) => listener(exitCode)),
    write(bytes) {
      input.push(Buffer.from(bytes))
      if (!writing) next()
    },
    resize: ({ cols, rows }) => {
      if (!over) pty.resize(cols, rows)
    },
    pause: () => pty.pause(),
    resume: () => pty.resume(),
    kill() {
      try {
        process.kill(-pty.pid, 'SIGKILL')
      } catch {
        // already gone
      }
    },
  }
}
