// One running `probe serve` in the grader's container: requests go in as lines, answers come back as lines, each when it is there. Starting a
// program in a container costs Docker more than most questions cost the program. Knows no container's life: whoever asks opens another
// session when this one has ended.
import type { Socket } from 'node:net'
import { LabError } from '#lib/protocol/index.ts'
import { type Attached, Demultiplexer } from './docker.ts'

/** bytes of one answer's line; what a `tree` carries is bounded by the program */
const longestLine = 64 * 1024 * 1024

interface Waiting {
  resolve(answers: unknown[]): void
  reject(error: unknown): void
}

/** The session ended before the answer came: another one may give it. */
export class SessionEnded extends Error {
  /** the program's, where Docker still knows it */
  readonly exitCode: number | undefined
  constructor(exitCode?: number, stderr = '') {
    super(`The grader's program ended${exitCode === undefined ? '' : ` with ${exitCode}`}: ${stderr.trim() || 'no word'}`)
    this.exitCode = exitCode
  }
}

export class GraderSession {
  #ended: SessionEnded | undefined
  readonly #attached: Attached
  readonly #waiting = new Map<number, Waiting>()
  #next = 1

  constructor(attached: Attached) {
    this.#attached = attached
    const { input } = attached
    let stderr = ''
    let line: Buffer[] = []
    let size = 0
    const demultiplexer = new Demultiplexer((stream, bytes) => {
      if (stream === 'stderr') {
        stderr = (stderr + bytes.toString('utf8')).slice(-2000)
        return
      }
      let rest = bytes
      for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10)) {
        this.#take(Buffer.concat([...line, rest.subarray(0, at)]))
        line = []
        size = 0
        rest = rest.subarray(at + 1)
      }
      size += rest.length
      if (rest.length > 0) line.push(rest)
      if (size > longestLine) this.close()
    })
    input.on('data', (chunk: Buffer) => demultiplexer.push(chunk))
    const end = async () => {
      if (this.#ended) return
      this.#ended = new SessionEnded()
      // What we have let go of ourselves ends when Docker has told it so.
      const exitCode = input.destroyed && !input.readableEnded ? undefined : await attached.exitCode().catch(() => undefined)
      this.#ended = new SessionEnded(exitCode, stderr)
      for (const { reject } of [...this.#waiting.values()]) reject(this.#ended)
    }
    for (const event of ['end', 'close', 'error']) input.on(event, () => void end())
    this.#keepAwake()
  }
  /** An open session alone keeps no process of ours running. */
  #keepAwake(): void {
    const socket = this.#attached.input as Partial<Socket>
    if (this.#waiting.size > 0) socket.ref?.()
    else socket.unref?.()
  }
  get open(): boolean {
    return this.#ended === undefined
  }

  #take(text: Buffer): void {
    let reply: { id?: number; answers?: unknown[]; error?: string }
    try {
      reply = JSON.parse(text.toString('utf8'))
    } catch {
      this.close()
      return
    }
    const waiting = this.#waiting.get(reply.id ?? 0)
    if (waiting === undefined) return // given up meanwhile
    if (Array.isArray(reply.answers)) waiting.resolve(reply.answers)
    else waiting.reject(new LabError('internal', `The grader did not answer as it should: ${reply.error ?? 'no answers'}`))
  }

  /**
   * Answers in the order of the requests. After a time-out the session is closed, for a program that is silent once stays so.
   * @throws SessionEnded, LabError timeout, cancelled, internal
   */
  ask(requests: readonly unknown[], { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal | undefined }): Promise<unknown[]> {
    return new Promise((resolve, reject) => {
      const cancelled = () => reject(new LabError('cancelled', 'The look at the cluster was cancelled.'))
      if (signal?.aborted) return cancelled()
      if (this.#ended) return reject(this.#ended)
      const id = this.#next++
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        this.#waiting.delete(id)
        this.#keepAwake()
      }
      const onAbort = () => {
        done()
        cancelled()
      }
      const timer = setTimeout(() => {
        done()
        reject(new LabError('timeout', `The grader did not answer within ${timeoutMs} ms.`))
        this.close()
      }, timeoutMs)
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiting.set(id, {
        resolve: (answers) => {
          done()
          resolve(answers)
        },
        reject: (error) => {
          done()
          reject(error)
        },
      })
      this.#keepAwake()
      this.#attached.input.write(`${JSON.stringify({ id, requests })}\n`)
    })
  }

  /** Whoever still waits is told that it ended. */
  close(): void {
    this.#attached.input.destroy()
  }
}
