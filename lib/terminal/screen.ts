// As much of a terminal's screen as it takes to read a shell's line back: cursor, wrapping, erasing, inserting. Knows nothing of
// colours, scroll regions or what is typed. Follows ECMA-48 and xterm's control sequences (invisible-island.net/xterm/ctlseqs).
import type { Size } from '#lib/cluster/index.ts'

/** Columns a character takes: East Asian wide and emoji 2 (Unicode UAX 11, coarse), combining 0, else 1. */
function width(character: string): number {
  const code = character.codePointAt(0)!
  if (code < 0x300) return 1
  if ((code >= 0x300 && code <= 0x36f) || code === 0x200d || (code >= 0xfe00 && code <= 0xfe0f)) return 0
  const wide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd)
  return wide ? 2 : 1
}

interface Row {
  /** one per column; '' continues a wide character */
  cells: string[]
  /** goes on in the next row because the line was full */
  wrapped: boolean
}
export interface Position {
  /** rows since the screen began, never reused */
  row: number
  col: number
}
export interface ScreenEvents {
  /** a private mode was set or reset (DECSET, DECRST) */
  mode(mode: number, on: boolean): void
  /** the cursor has left a row downward by a line feed */
  lineFeed(): void
}

/** rows that are kept above the cursor: more than a command line ever has */
const kept = 200

export class Screen {
  readonly #events: ScreenEvents
  #cols: number
  #height: number
  #rows: Row[] = [{ cells: [], wrapped: false }]
  #first = 0
  #row = 0
  #col = 0
  /** an escape sequence that is not complete yet */
  #held = ''
  #saved: Position = { row: 0, col: 0 }

  constructor(size: Size, events: ScreenEvents) {
    this.#cols = size.cols
    this.#height = size.rows
    this.#events = events
  }
  get cursor(): Position {
    return { row: this.#row, col: this.#col }
  }
  resize(size: Size): void {
    this.#cols = size.cols
    this.#height = size.rows
  }

  /** What stands from `from` on to the end of its line, rows it wraps into included; null when it is no longer known. */
  lineFrom(from: Position): string | null {
    if (from.row < this.#first) return null
    let out = ''
    for (let row = from.row; ; row++) {
      const line = this.#rows[row - this.#first]
      if (line === undefined) break
      const cells = row === from.row ? line.cells.slice(from.col) : line.cells
      out += Array.from(cells, (cell) => cell ?? ' ').join('')
      if (!line.wrapped) break
    }
    return out.trimEnd()
  }

  write(text: string): void {
    const all = this.#held + text
    this.#held = ''
    let at = 0
    while (at < all.length) {
      const character = String.fromCodePoint(all.codePointAt(at)!)
      if (character === '\u001b') {
        const length = this.#escape(all, at)
        if (length === 0) {
          // A sequence that never ends is no sequence.
          if (all.length - at < 4096) this.#held = all.slice(at)
          return
        }
        at += length
        continue
      }
      at += character.length
      this.#put(character)
    }
  }

  #line(): Row {
    return this.#rows[this.#row - this.#first]!
  }
  #put(character: string): void {
    switch (character) {
      case '\r':
        this.#col = 0
        return
      case '\n':
        this.#line().wrapped = false
        this.#down()
        this.#events.lineFeed()
        return
      case '\b':
        if (this.#col >= this.#cols) this.#col = this.#cols - 1
        this.#col = Math.max(0, this.#col - 1)
        return
      case '\t':
        this.#col = Math.min(this.#cols - 1, (Math.floor(this.#col / 8) + 1) * 8)
        return
    }
    if (character < ' ' || character === '\u007f') return
    const columns = width(character)
    if (columns === 0) return
    if (this.#col + columns > this.#cols) {
      this.#line().wrapped = true
      this.#down()
      this.#col = 0
    }
    const { cells } = this.#line()
    while (cells.length < this.#col) cells.push(' ')
    cells[this.#col] = character
    if (columns === 2) cells[this.#col + 1] = ''
    this.#col += columns
  }
  #down(): void {
    this.#row += 1
    if (this.#row - this.#first >= this.#rows.length) this.#rows.push({ cells: [], wrapped: false })
    while (this.#rows.length > kept) {
      this.#rows.shift()
      this.#first += 1
    }
  }
  #to(row: number, col: number): void {
    this.#row = Math.min(Math.max(row, this.#first), this.#first + this.#rows.length - 1)
    this.#col = Math.min(Math.max(col, 0), this.#cols - 1)
  }
  /** first row of the visible screen */
  #top(): number {
    return Math.max(this.#first, this.#first + this.#rows.length - this.#height)
  }

  /** Length of the sequence at `at`, carried out; 0 when it is not complete. */
  #escape(all: string, at: number): number {
    const kind = all[at + 1]
    if (kind === undefined) return 0
    if (kind === '[') {
      const found = /^[0-?]*[ -/]*[@-~]/.exec(all.slice(at + 2, at + 66))
      if (found === null) return all.length - at < 64 ? 0 : 2
      this.#control(found[0].slice(0, -1), found[0].at(-1)!)
      return 2 + found[0].length
    }
    if (kind === ']' || kind === 'P' || kind === '_' || kind === '^') {
      // OSC, DCS and the like: up to BEL or ST
      const bell = kind === ']' ? all.indexOf('\u0007', at) : -1
      const st = all.indexOf('\u001b\\', at)
      if (bell < 0 && st < 0) return 0
      return (bell >= 0 && (st < 0 || bell < st) ? bell + 1 : st + 2) - at
    }
    if (kind === '7') this.#saved = this.cursor
    else if (kind === '8') this.#to(this.#saved.row, this.#saved.col)
    else if (kind === 'M') this.#to(this.#row - 1, this.#col)
    else if ('()*+#'.includes(kind)) return all.length - at < 3 ? 0 : 3
    return 2
  }
  #control(parameters: string, final: string): void {
    if (parameters.startsWith('?')) {
      if (final === 'h' || final === 'l') for (const mode of parameters.slice(1).split(';')) this.#events.mode(Number(mode), final === 'h')
      return
    }
    const numbers = parameters.split(';').map(Number)
    const n = Math.max(1, numbers[0] || 1)
    const { cells } = this.#line()
    switch (final) {
      case 'A':
        this.#to(this.#row - n, this.#col)
        return
      case 'B':
        this.#to(this.#row + n, this.#col)
        return
      case 'C':
        this.#to(this.#row, this.#col + n)
        return
      case 'D':
        this.#to(this.#row, this.#col - n)
        return
      case 'G':
        this.#to(this.#row, n - 1)
        return
      case 'H':
      case 'f': {
        const row = this.#top() + n - 1
        while (this.#first + this.#rows.length <= row && this.#rows.length < kept) this.#rows.push({ cells: [], wrapped: false })
        this.#to(row, (numbers[1] || 1) - 1)
        return
      }
      case 'K':
        if (numbers[0] === 1) for (let col = 0; col <= Math.min(this.#col, cells.length - 1); col++) cells[col] = ' '
        else if (numbers[0] === 2) cells.length = 0
        else {
          cells.length = Math.min(cells.length, this.#col)
          this.#line().wrapped = false
        }
        return
      case 'J':
        if ((numbers[0] || 0) >= 2) {
          // The screen was cleared: what stood there is no line any more. New rows keep positions from being reused.
          const distance = this.#row - this.#top()
          const rows = Math.min(this.#height, kept)
          const next = this.#first + this.#rows.length
          this.#rows = Array.from({ length: rows }, () => ({ cells: [], wrapped: false }))
          this.#first = next
          this.#row = next + Math.min(distance, rows - 1)
          return
        }
        cells.length = Math.min(cells.length, this.#col)
        this.#line().wrapped = false
        this.#rows.length = this.#row - this.#first + 1
        return
      case 'P':
        cells.splice(this.#col, n)
        return
      case '@':
        if (this.#col < cells.length) cells.splice(this.#col, 0, ...Array.from({ length: Math.min(n, this.#cols) }, () => ' '))
        return
      case 'X':
        for (let col = this.#col; col < Math.min(cells.length, this.#col + n); col++) cells[col] = ' '
        return
    }
  }
}
