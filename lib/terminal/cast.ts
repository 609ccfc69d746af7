// A recording as asciicast v2 (docs.asciinema.org/manual/asciicast/v2): a header line, then [seconds, code, data] lines.
// Knows nothing of shells. Codes used: "o" output, "r" size, "m" marker, and "i" input, of which only that a key was pressed
// and whether it was Enter is kept: what a person types at a password prompt is never written down.
// Output is exact to the byte: what is not UTF-8 becomes lone surrogates U+DC80…U+DCFF, as in Python's PEP 383, which players
// show as a replacement character and `bytesOf` turns back.
import { createReadStream } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { Size } from '#lib/cluster/index.ts'

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Bytes at the end of `bytes` that begin a UTF-8 sequence which is not complete yet: 0…3. */
export function incompleteTail(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.byteLength); back++) {
    const byte = bytes[bytes.byteLength - back]!
    if ((byte & 0xc0) === 0x80) continue
    const length = byte >= 0xf0 && byte < 0xf8 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return byte < 0xf8 && length > back ? back : 0
  }
  return 0
}

/** Any bytes as a string that `bytesOf` turns back into the same bytes. */
export function textOf(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes)
  } catch {
    let out = ''
    let good = 0
    const flush = (to: number) => {
      if (to > good) out += strict.decode(bytes.subarray(good, to))
    }
    for (let at = 0; at < bytes.byteLength; ) {
      const byte = bytes[at]!
      const length = byte < 0x80 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
      let valid = length === 1
      if (!valid && byte >= 0xc2 && byte < 0xf5 && at + length <= bytes.byteLength) {
        try {
          strict.decode(bytes.subarray(at, at + length))
          valid = true
        } catch {
          valid = false
        }
      }
      if (valid) {
        at += length
        continue
      }
      flush(at)
      out += String.fromCharCode(0xdc00 + byte)
      at += 1
      good = at
    }
    flush(bytes.byteLength)
    return out
  }
}

const encoder = new TextEncoder()
/** The bytes that `textOf` was given. */
export function bytesOf(text: string): Uint8Array {
  if (text.isWellFormed()) return encoder.encode(text)
  const parts: Uint8Array[] = []
  let plain = ''
  for (const character of text) {
    const code = character.charCodeAt(0)
    if (character.length === 1 && code >= 0xdc80 && code <= 0xdcff) {
      parts.push(encoder.encode(plain), Uint8Array.of(code - 0xdc00))
      plain = ''
    } else plain += character
  }
  parts.push(encoder.encode(plain))
  return Buffer.concat(parts)
}

/** One line of a recording. `at`: seconds since its header's timestamp. A gap stands for bytes of the stream that are not in it. */
export type CastEvent =
  | { at: number; kind: 'output'; text: string }
  | { at: number; kind: 'key' }
  | { at: number; kind: 'enter' }
  | { at: number; kind: 'size'; size: Size }
  | { at: number; kind: 'gap'; bytes: number }
  | { at: number; kind: 'marker'; text: string }
export interface CastHeader {
  size: Size
  /** epoch milliseconds */
  startedAt: number
}

const gapMarker = /^gap: (\d+) bytes of output are not in this recording$/

/** Reads a recording line by line; a last line that was cut off by a crash is left out. A missing file yields nothing. */
export async function* readCast(file: string): AsyncGenerator<{ header: CastHeader } | { event: CastEvent }> {
  const there = await stat(file).catch(() => null)
  if (there === null) return
  const lines = createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY })
  for await (const line of lines) {
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      continue
    }
    if (Array.isArray(value)) {
      const [at, code, data] = value as [number, string, string]
      if (code === 'o') yield { event: { at, kind: 'output', text: data } }
      else if (code === 'i') yield { event: { at, kind: data.includes('\r') ? 'enter' : 'key' } }
      else if (code === 'r') {
        const [cols, rows] = data.split('x').map(Number)
        if (cols && rows) yield { event: { at, kind: 'size', size: { cols, rows } } }
      } else if (code === 'm') {
        const gap = gapMarker.exec(data)
        yield { event: gap ? { at, kind: 'gap', bytes: Number(gap[1]) } : { at, kind: 'marker', text: data } }
      }
    } else if (typeof value === 'object' && value !== null && 'width' in value && 'height' in value && 'timestamp' in value) {
      yield { header: { size: { cols: Number(value.width), rows: Number(value.height) }, startedAt: Number(value.timestamp) * 1000 } }
    }
  }
}

/** The part of a file that a recording needs; a test hands in one whose disk is full. */
export interface Appendable {
  append(text: string): Promise<void>
  close(): Promise<void>
}
export type OpenAppendable = (file: string) => Promise<Appendable>
export const openAppendable: OpenAppendable = async (file) => {
  const handle: FileHandle = await open(file, 'a', 0o600)
  return {
    append: async (text) => {
      await handle.appendFile(text)
    },
    close: () => handle.close(),
  }
}

export interface RecordingOptions {
  file: string
  size: Size
  /** epoch milliseconds */
  now: () => number
  /** bytes of the file at which it stops, having said so; default 64 MiB */
  maxBytes?: number
  open?: OpenAppendable
  /** all that waited is in the file */
  onDrain?: () => void
  /** the recording could not be written and has stopped; the terminal goes on without it */
  onError?: (error: unknown) => void
}

/**
 * Appends to one recording. `offset` is the stream's offset after the last byte that was handed to the file: bytes of a
 * character that is not complete yet wait for the rest of it.
 */
export class Recording {
  readonly #options: RecordingOptions
  readonly #maxBytes: number
  #startedAt: number
  #fileBytes: number
  #offset: number
  #tail: Uint8Array = new Uint8Array(0)
  #queue: string[] = []
  #queued = 0
  #writing: Promise<void> | null = null
  #handle: Appendable | null = null
  #stopped: boolean
  #keyWritten = false

  private constructor(options: RecordingOptions, state: { startedAt: number; fileBytes: number; offset: number; stopped: boolean }) {
    this.#options = options
    this.#maxBytes = options.maxBytes ?? 64 * 1024 * 1024
    this.#startedAt = state.startedAt
    this.#fileBytes = state.fileBytes
    this.#offset = state.offset
    this.#stopped = state.stopped
  }

  /**
   * Opens `file` to append to it, a new one with its header.
   * `replay` gets each output of what is there already, for a ring to be filled from.
   */
  static async open(options: RecordingOptions, replay?: (part: { bytes: Uint8Array } | { gap: number }) => void): Promise<Recording> {
    let startedAt: number | null = null
    let offset = 0
    let stopped = false
    for await (const line of readCast(options.file)) {
      if ('header' in line) startedAt ??= line.header.startedAt
      else if (line.event.kind === 'output') {
        const bytes = bytesOf(line.event.text)
        offset += bytes.byteLength
        replay?.({ bytes })
      } else if (line.event.kind === 'gap') {
        offset += line.event.bytes
        replay?.({ gap: line.event.bytes })
      } else if (line.event.kind === 'marker' && line.event.text.startsWith('stopped:')) stopped = true
    }
    const fileBytes = (await stat(options.file).catch(() => null))?.size ?? 0
    const recording = new Recording(options, {
      startedAt: startedAt ?? Math.floor(options.now() / 1000) * 1000,
      fileBytes,
      offset,
      stopped,
    })
    if (startedAt === null) {
      recording.#write(
        `${JSON.stringify({ version: 2, width: options.size.cols, height: options.size.rows, timestamp: recording.#startedAt / 1000, env: { TERM: 'xterm-256color' } })}\n`,
      )
    } else if (fileBytes > 0) recording.#write('\n') // closes a line that a crash may have cut off; empty lines are skipped by readers
    return recording
  }

  /** Offset in the stream after the last byte that is in the file or on its way there. */
  get offset(): number {
    return this.#offset
  }
  /** Bytes that wait for the disk. */
  get pending(): number {
    return this.#queued
  }

  output(bytes: Uint8Array): void {
    if (this.#stopped) return
    const all = this.#tail.byteLength > 0 ? Buffer.concat([this.#tail, bytes]) : bytes
    const held = incompleteTail(all)
    this.#tail = all.slice(all.byteLength - held)
    const whole = all.subarray(0, all.byteLength - held)
    if (whole.byteLength === 0) return
    this.#keyWritten = false
    this.#event('o', textOf(whole))
    this.#offset += whole.byteLength
  }
  /** A key was pressed, or several; what they were is not kept, but for Enter. */
  input(bytes: Uint8Array): void {
    const enters = bytes.reduce((count, byte) => count + (byte === 13 || byte === 10 ? 1 : 0), 0)
    if (enters === 0 && this.#keyWritten) return
    this.#keyWritten = true
    this.#event('i', '\r'.repeat(Math.min(enters, 1000)))
  }
  size(size: Size): void {
    this.#event('r', `${size.cols}x${size.rows}`)
  }
  /** `bytes` of the stream are gone and will never be in the file. */
  gap(bytes: number): void {
    this.flushTail()
    this.#event('m', `gap: ${bytes} bytes of output are not in this recording`)
    this.#offset += bytes
  }
  /** Writes what waits for the rest of its character, as it is. */
  flushTail(): void {
    if (this.#tail.byteLength === 0 || this.#stopped) return
    const tail = this.#tail
    this.#tail = new Uint8Array(0)
    this.#event('o', textOf(tail))
    this.#offset += tail.byteLength
  }
  /** All that was recorded is in the file. */
  async settled(): Promise<void> {
    while (this.#writing !== null) await this.#writing
  }
  async close(): Promise<void> {
    this.flushTail()
    await this.release()
  }
  /** As `close`, but bytes of an unfinished character are left out: whoever opens the file again asks for them again. */
  async release(): Promise<void> {
    await this.settled()
    this.#stopped = true
    await this.#handle?.close()
    this.#handle = null
  }

  #event(code: 'o' | 'i' | 'r' | 'm', data: string): void {
    if (this.#stopped) return
    const at = Math.max(0, this.#options.now() - this.#startedAt) / 1000
    const line = `${JSON.stringify([Number(at.toFixed(6)), code, data])}\n`
    if (this.#fileBytes + line.length > this.#maxBytes) {
      this.#write(
        `${JSON.stringify([Number(at.toFixed(6)), 'm', `stopped: this recording has reached its limit of ${this.#maxBytes} bytes`])}\n`,
      )
      this.#stopped = true
      return
    }
    this.#write(line)
  }
  #write(line: string): void {
    const bytes = Buffer.byteLength(line)
    this.#fileBytes += bytes
    this.#queued += bytes
    this.#queue.push(line)
    this.#writing ??= this.#drain()
  }
  async #drain(): Promise<void> {
    try {
      this.#handle ??= await (this.#options.open ?? openAppendable)(this.#options.file)
      while (this.#queue.length > 0) {
        const text = this.#queue.join('')
        this.#queue = []
        await this.#handle.append(text)
        this.#queued -= Buffer.byteLength(text)
      }
    } catch (error) {
      this.#stopped = true
      this.#queue = []
      this.#queued = 0
      this.#options.onError?.(error)
    } finally {
      this.#writing = null
      this.#options.onDrain?.()
    }
  }
}
