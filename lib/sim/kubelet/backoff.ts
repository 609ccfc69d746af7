// How long to wait after failures, as client-go's flowcontrol.Backoff counts. Pure but for what it remembers.
const initialBackoffMs = 10_000
export interface Backoff {
  ms: number
  at: number
}
/** client-go's flowcontrol.Backoff */
export class Backoffs {
  readonly #entries = new Map<string, Backoff>()
  readonly #max: number
  constructor(max: number, saved?: [string, Backoff][]) {
    this.#max = max
    for (const [key, entry] of saved ?? []) this.#entries.set(key, entry)
  }
  save(): [string, Backoff][] {
    return [...this.#entries]
  }
  /** how long still, from an event on; 0 when not in back-off */
  left(key: string, since: number, now: number): number {
    const entry = this.#entries.get(key)
    if (!entry || since - entry.at > 2 * this.#max) return 0
    return Math.max(0, since + entry.ms - now)
  }
  get(key: string): number {
    return this.#entries.get(key)?.ms ?? 0
  }
  next(key: string, now: number, since = now): void {
    const entry = this.#entries.get(key)
    const ms = !entry || since - entry.at > 2 * this.#max ? Math.min(initialBackoffMs, this.#max) : Math.min(entry.ms * 2, this.#max)
    this.#entries.set(key, { ms, at: now })
  }
}

/** Go's time.Duration of whole seconds: 1m20s */
export function goDuration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${seconds % 60}s`
  return `${Math.floor(seconds / 3600)}h${Math.floor((seconds % 3600) / 60)}m${seconds % 60}s`
}
