// For tests of whole labs: places without real processes. Not part of the door.
import { PassThrough } from 'node:stream'
import type { ProcessHost } from './process.ts'

/** Tools alone, called as a sandbox would call them. */
export const toolsOnly: ProcessHost = {
  missing: async () => null,
  open: async (place) => ({
    close: async () => {},
    spawn: async ({ argv, user }) => {
      const data: ((bytes: Uint8Array, stream: 'stdout' | 'stderr') => void)[] = []
      const exit: ((code: number) => void)[] = []
      const stdin = new PassThrough()
      const gone = new AbortController()
      const tell = (stream: 'stdout' | 'stderr') => (text: string | Uint8Array) => {
        for (const one of data) one(Buffer.from(text as string), stream)
      }
      setImmediate(async () => {
        const code = await place.call(argv[0] as string, {
          argv,
          cwd: '/',
          env: {},
          uid: user === 'root' ? 0 : 1000,
          stdin,
          out: tell('stdout'),
          err: tell('stderr'),
          signal: gone.signal,
        })
        for (const one of exit) one(code)
      })
      return {
        pid: 1,
        onData: (one) => data.push(one),
        onExit: (one) => exit.push(one),
        write: (bytes) => void stdin.write(bytes),
        endInput: () => void stdin.end(),
        resize: () => {},
        pause: () => {},
        resume: () => {},
        kill: () => gone.abort(),
      }
    },
  }),
}
