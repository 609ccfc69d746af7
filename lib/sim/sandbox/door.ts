// Where the real processes of a place ask the lab for a simulated tool: a Unix socket for each user of the place, one connection a call.
// What comes in is bounded and not believed; who may ask as whom is decided by the socket, not by what is said there. Knows no tool.
import { chmodSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { ToolCall } from '../process.ts'
import { frame, frames, fromClient, toClient } from './frames.ts'

export type Call = (tool: string, request: Omit<ToolCall, 'place' | 'clock'>) => Promise<number>

/** calls that one user of one place may have open; a loop in a script has one at a time */
const maxCalls = 64
/** what may wait for a reader that does not read */
const maxWaiting = 64 * 1024 * 1024
/** time for a connection to say what it wants */
const helloMs = 10_000

/** Listens at `path`. The promise resolves when processes can connect. */
export async function openDoor(options: { path: string; uid: number; tools: ReadonlySet<string>; call: Call }): Promise<{ close(): void }> {
  const open = new Set<Socket>()
  const server: Server = createServer({ allowHalfOpen: false }, (socket) => {
    if (open.size >= maxCalls) {
      socket.on('error', () => {})
      socket.end(Buffer.concat([frame(toClient.err, 'too many tools at once\n'), frame(toClient.exit, '1')]))
      return
    }
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    serve(socket, options)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.path, () => resolve())
  })
  chmodSync(options.path, 0o600)
  server.unref()
  return {
    close() {
      server.close()
      for (const socket of open) socket.destroy()
    },
  }
}

function serve(socket: Socket, options: { uid: number; tools: ReadonlySet<string>; call: Call }): void {
  const gone = new AbortController()
  let input: ReturnType<typeof pieces> | undefined
  let resized: ((size: { cols: number; rows: number }) => void) | undefined
  let peer: { opened(yes: boolean): void; push(bytes: Buffer | null): void } | undefined
  const send = (type: string, payload: string | Uint8Array = '') => {
    if (socket.destroyed || socket.writableEnded) return
    socket.write(frame(type, payload))
    if (socket.writableLength > maxWaiting) socket.destroy()
  }
  const late = setTimeout(() => socket.destroy(), helloMs)
  socket.on('error', () => {})
  socket.on('close', () => {
    clearTimeout(late)
    gone.abort()
    input?.end()
    peer?.push(null)
  })

  const begin = (payload: Buffer) => {
    const hello = parseHello(payload)
    if (hello === undefined) {
      socket.destroy()
      return
    }
    clearTimeout(late)
    const tool = hello.argv[0] as string
    if (!options.tools.has(tool)) {
      send(toClient.err, `${tool}: command not found\n`)
      socket.end(frame(toClient.exit, '127'))
      return
    }
    const asked = pieces(() => send(toClient.give))
    input = asked
    let ended = false
    const write = (type: string) => (bytes: string | Uint8Array) => {
      const all = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
      for (let at = 0; at < all.length && !ended; at += 65_536) send(type, all.subarray(at, at + 65_536))
    }
    const err = write(toClient.err)
    const request: Omit<ToolCall, 'place' | 'clock'> = {
      argv: hello.argv,
      cwd: hello.cwd,
      env: hello.env,
      uid: options.uid,
      stdin: asked.stream,
      ...(hello.typed ? { keyboardOnly: true } : {}),
      ...(hello.cols > 0 ? { tty: { cols: hello.cols, rows: hello.rows } } : {}),
      out: write(toClient.out),
      err,
      signal: gone.signal,
      drain: () =>
        new Promise((resolve) => {
          if (socket.destroyed || !socket.writableNeedDrain) return resolve()
          const done = () => {
            socket.off('drain', done)
            socket.off('close', done)
            resolve()
          }
          socket.on('drain', done)
          socket.on('close', done)
        }),
      ...(hello.terminal
        ? {
            terminal: {
              raw: () => send(toClient.raw),
              onResize: (listener) => {
                resized = listener
              },
            },
          }
        : {}),
      become(program, argv) {
        send(toClient.become, [program, ...argv].join('\0'))
        ended = true
      },
      connect: (port) =>
        new Promise((resolve, reject) => {
          if (peer) return reject(Object.assign(new Error('one connection a call'), { code: 'EBUSY' }))
          const stream = new Duplex({
            read() {},
            write(bytes: Buffer, _encoding, done) {
              for (let at = 0; at < bytes.length; at += 65_536) send(toClient.data, bytes.subarray(at, at + 65_536))
              done()
            },
            final(done) {
              send(toClient.dataEnd)
              done()
            },
          })
          peer = {
            opened(yes) {
              if (yes) return resolve(stream)
              peer = undefined
              reject(Object.assign(new Error(`connect ECONNREFUSED 127.0.0.1:${port}`), { code: 'ECONNREFUSED' }))
            },
            push: (bytes) => void stream.push(bytes),
          }
          send(toClient.connect, String(port))
        }),
    }
    options
      .call(tool, request)
      .catch((error: unknown) => {
        err(`${tool}: ${error instanceof Error ? error.message : String(error)}\n`)
        return 1
      })
      .then((code) => {
        if (!ended && !socket.destroyed) socket.end(frame(toClient.exit, String(code & 255)))
        ended = true
      })
  }

  const cut = frames((type, payload) => {
    if (type === fromClient.hello) return input ? socket.destroy() : begin(payload)
    if (!input) return socket.destroy()
    switch (type) {
      case fromClient.input:
        return input.give(payload)
      case fromClient.inputEnd:
        return input.end()
      case fromClient.signal:
        return gone.abort(payload.toString('latin1'))
      case fromClient.resize: {
        const size = parseSize(payload.toString('latin1').split('\0'))
        return size && resized?.(size)
      }
      case fromClient.connected:
        return peer?.opened(true)
      case fromClient.refused:
        return peer?.opened(false)
      case fromClient.data:
        return peer?.push(Buffer.from(payload))
      case fromClient.dataEnd:
        return peer?.push(null)
    }
  })
  socket.on('data', (chunk) => {
    if (cut.push(chunk as Buffer) !== undefined) socket.destroy()
  })
}

function parseSize([cols = '', rows = '']: string[]): { cols: number; rows: number } | undefined {
  const size = { cols: Number(cols), rows: Number(rows) }
  const fits = (value: number) => Number.isInteger(value) && value >= 0 && value <= 10_000
  return fits(size.cols) && fits(size.rows) ? size : undefined
}

function parseHello(payload: Buffer) {
  const parts = payload.toString('utf8').split('\0')
  const size = parseSize(parts)
  const count = Number(parts[4])
  if (size === undefined || !Number.isInteger(count) || count < 1 || count > parts.length - 5) return undefined
  const argv = parts.slice(5, 5 + count)
  const env: Record<string, string> = {}
  for (const entry of parts.slice(5 + count)) {
    const at = entry.indexOf('=')
    if (at > 0) env[entry.slice(0, at)] = entry.slice(at + 1)
  }
  return { ...size, terminal: parts[2] === '1', typed: parts[2] === '2', cwd: parts[3] as string, argv, env }
}

/** The caller's input, asked for piece by piece only while somebody reads it: what a tool does not read stays for the next program. */
function pieces(ask: () => void) {
  const have: Buffer[] = []
  let ended = false
  let asked = false
  let wake: (() => void) | undefined
  const told = () => {
    wake?.()
    wake = undefined
  }
  return {
    give(bytes: Buffer) {
      // A client sends one piece for each that was asked for, in at most a few frames.
      if (ended || have.length > 64) return
      asked = false
      have.push(Buffer.from(bytes))
      told()
    },
    end() {
      ended = true
      told()
    },
    stream: {
      async *[Symbol.asyncIterator]() {
        for (;;) {
          const next = have.shift()
          if (next) yield next as Uint8Array
          else if (ended) return
          else {
            if (!asked) {
              asked = true
              ask()
            }
            await new Promise<void>((resolve) => {
              wake = resolve
            })
          }
        }
      },
    } satisfies AsyncIterable<Uint8Array>,
  }
}
