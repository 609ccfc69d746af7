// A container's log: a real file in the CRI's format on its machine, written by the runtime, read by the kubelet and crictl. Knows nothing of pods.
import { closeSync, constants, openSync, writeSync } from 'node:fs'
import type { LogOptions } from '../api/kubelet-door.ts'
import type { Files } from '../machine.ts'

/** containerd splits longer lines (max_container_log_line_size). */
const maxLine = 16_384

type Stream = 'stdout' | 'stderr'

/** Appends to a log file. A file that somebody removed stays removed, as for a process that holds it open. */
export class LogWriter {
  readonly #files: Files
  readonly #path: string
  readonly #stamp: () => string
  readonly #rest: Record<Stream, string> = { stdout: '', stderr: '' }
  #host: string | undefined

  /** `rest`: what had come of unfinished lines when it was saved */
  constructor(files: Files, path: string, stamp: () => string, rest?: { stdout: string; stderr: string }) {
    this.#files = files
    this.#path = path
    this.#stamp = stamp
    if (rest) this.#rest = { ...rest }
  }
  get rest(): { stdout: string; stderr: string } {
    return { ...this.#rest }
  }
  /** Makes the file. */
  open(): void {
    this.#files.write(this.#path, '', 0o640)
  }
  write(text: string, stream: Stream): void {
    const lines = (this.#rest[stream] + text).split('\n')
    this.#rest[stream] = lines.pop() as string
    let out = ''
    for (const line of lines) out += this.#format(line, stream, 'F')
    while (this.#rest[stream].length > maxLine) {
      out += `${this.#stamp()} ${stream} P ${this.#rest[stream].slice(0, maxLine)}\n`
      this.#rest[stream] = this.#rest[stream].slice(maxLine)
    }
    if (out) this.#append(out)
  }
  /** What is left of unfinished lines goes out as partial. */
  end(): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      if (this.#rest[stream]) this.#append(`${this.#stamp()} ${stream} P ${this.#rest[stream]}\n`)
      this.#rest[stream] = ''
    }
  }
  #format(line: string, stream: Stream, tag: 'F' | 'P'): string {
    let out = ''
    let left = line
    while (left.length > maxLine) {
      out += `${this.#stamp()} ${stream} P ${left.slice(0, maxLine)}\n`
      left = left.slice(maxLine)
    }
    return `${out}${this.#stamp()} ${stream} ${tag} ${left}\n`
  }
  #append(text: string): void {
    try {
      this.#host ??= this.#files.hostPath(this.#path)
      const file = openSync(this.#host, constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW)
      try {
        writeSync(file, text)
      } finally {
        closeSync(file)
      }
    } catch {
      // Removed or replaced: the words are lost, as with an open file that was unlinked.
    }
  }
}

export interface LogLine {
  /** as written: 2026-11-21T08:59:13.747774813Z */
  time: string
  stream: Stream
  /** with its end of line, unless it is partial */
  text: string
}
/** Reads lines in the CRI's format; others are left out, as the kubelet does. */
export function parseLog(text: string): LogLine[] {
  const lines: LogLine[] = []
  for (const line of text.split('\n')) {
    const found = /^(\S+) (stdout|stderr) ([FP]\S*) ?([\s\S]*)$/.exec(line)
    if (!found) continue
    lines.push({
      time: found[1] as string,
      stream: found[2] as Stream,
      text: `${found[4]}${(found[3] as string).startsWith('P') ? '' : '\n'}`,
    })
  }
  return lines
}

export type LogSelection = Omit<LogOptions, 'follow' | 'previous'>
/** What `kubectl logs` shows of a whole log, and how many bytes may still follow (undefined: no limit). */
export function selectLog(lines: readonly LogLine[], options: LogSelection): { text: string; left: number | undefined } {
  let chosen = lines
  if (options.tailLines !== undefined) {
    // Lines are counted by their ends; partial ones belong to the line that they are part of.
    let count = 0
    let from = chosen.length
    while (from > 0) {
      if ((chosen[from - 1] as LogLine).text.endsWith('\n') || from === chosen.length) {
        if (count === options.tailLines) break
        count += 1
      }
      from -= 1
    }
    chosen = options.tailLines === 0 ? [] : chosen.slice(from)
  }
  if (options.since !== undefined) chosen = chosen.filter((line) => Date.parse(line.time) >= (options.since as number))
  const text = chosen.map((line) => formatLine(line, options.timestamps)).join('')
  if (options.limitBytes === undefined) return { text, left: undefined }
  const bytes = Buffer.from(text)
  return { text: bytes.subarray(0, options.limitBytes).toString(), left: Math.max(0, options.limitBytes - bytes.length) }
}
export const formatLine = (line: LogLine, timestamps: boolean): string => (timestamps ? `${line.time} ${line.text}` : line.text)
