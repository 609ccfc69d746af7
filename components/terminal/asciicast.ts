// A recording (asciicast v2) as a list of moments, and what a player must write to be at a time. Pure; knows no terminal.

export type Moment =
  | { at: number; kind: 'output'; text: string }
  | { at: number; kind: 'size'; cols: number; rows: number }
  | { at: number; kind: 'marker'; text: string }
export interface Cast {
  cols: number
  rows: number
  /** epoch ms at which second 0 was, null when the recording does not say */
  startedAt: number | null
  moments: Moment[]
  /** seconds */
  length: number
}

/** Reads a recording; lines that are no events (a last one cut off) are skipped. Null when there is no header. */
export function parseCast(text: string): Cast | null {
  let header: { width: number; height: number; timestamp?: number } | null = null
  const moments: Moment[] = []
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      continue
    }
    if (Array.isArray(value)) {
      const [at, code, data] = value as [unknown, unknown, unknown]
      if (typeof at !== 'number' || typeof data !== 'string') continue
      if (code === 'o') moments.push({ at, kind: 'output', text: data })
      else if (code === 'm') moments.push({ at, kind: 'marker', text: data })
      else if (code === 'r') {
        const [cols, rows] = data.split('x').map(Number)
        if (cols && rows) moments.push({ at, kind: 'size', cols, rows })
      }
    } else if (header === null && typeof value === 'object' && value !== null && 'width' in value && 'height' in value) {
      header = value as { width: number; height: number; timestamp?: number }
    }
  }
  if (header === null) return null
  return {
    cols: header.width,
    rows: header.height,
    startedAt: header.timestamp === undefined ? null : header.timestamp * 1000,
    moments,
    length: moments.at(-1)?.at ?? 0,
  }
}

/** The same recording with every pause longer than `seconds` cut to that. Answers the new times and how to translate a time of the original. */
export function withoutPauses(cast: Cast, seconds: number): { cast: Cast; at(original: number): number } {
  let cut = 0
  let before = 0
  const cuts: { from: number; cut: number }[] = []
  const moments = cast.moments.map((moment) => {
    const pause = moment.at - before
    before = moment.at
    if (pause > seconds) {
      cut += pause - seconds
      cuts.push({ from: moment.at, cut })
    }
    return { ...moment, at: moment.at - cut }
  })
  return {
    cast: { ...cast, moments, length: moments.at(-1)?.at ?? 0 },
    at: (original) => {
      const passed = cuts.findLast((entry) => entry.from <= original)
      const next = cuts.find((entry) => entry.from > original)
      const moved = original - (passed?.cut ?? 0)
      // Inside a pause that was cut, the time stands at its end.
      return next ? Math.min(moved, next.from - next.cut) : moved
    },
  }
}

/** Index of the first moment after `seconds`. */
export function indexAt(cast: Cast, seconds: number): number {
  let low = 0
  let high = cast.moments.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (cast.moments[middle]!.at <= seconds) low = middle + 1
    else high = middle
  }
  return low
}

/** Seconds at which something can first be seen: a letter, not only a program's settings of the terminal. 0 when nothing ever can. */
export function firstSight(cast: Cast): number {
  const seen = cast.moments.find(
    (moment) => moment.kind === 'output' && /\S/.test(moment.text.replace(/\x1b(\[[\d;?<>=!]*[a-zA-Z]|\][^\x07]*\x07|[^[\]])/g, '')),
  )
  return seen?.at ?? 0
}
