// How often something may be tried. Counts by a key (an address, a person) in a sliding window; knows nothing of what is tried. In memory:
// a restart of the server forgives.
import { LabError } from '#lib/protocol/index.ts'

export interface LimiterOptions {
  /** so many within `perMs` */
  times: number
  perMs: number
  /** epoch milliseconds */
  now?: () => number
  /** keys that are remembered; beyond it the one that was quiet the longest is forgotten. Default 10 000 */
  keys?: number
}

export class Limiter {
  readonly #options: Required<LimiterOptions>
  /** by key, in the order of the newest try: when each was */
  readonly #tries = new Map<string, number[]>()

  constructor(options: LimiterOptions) {
    this.#options = { now: Date.now, keys: 10_000, ...options }
  }

  /** @throws LabError rate-limited when there were too many, saying when it may be tried again */
  check(key: string): void {
    const { now, perMs, times } = this.#options
    const tries = this.#recent(key)
    if (tries.length < times) return
    const seconds = Math.max(1, Math.ceil((tries[tries.length - times]! + perMs - now()) / 1000))
    const [en, ko] =
      seconds > 90
        ? [`in ${Math.ceil(seconds / 60)} minutes`, `${Math.ceil(seconds / 60)}분 뒤에`]
        : [`in ${seconds} s`, `${seconds}초 뒤에`]
    throw new LabError(
      'rate-limited',
      { en: 'That was too many times in a short while.', ko: '짧은 시간에 너무 여러 번 시도했습니다.' },
      { hint: { en: `Try again ${en}.`, ko: `${ko} 다시 시도하십시오.` } },
    )
  }
  /** Counts one, e.g. a failure, which the next `check` will see. */
  count(key: string): void {
    const tries = this.#recent(key)
    tries.push(this.#options.now())
    this.#tries.delete(key)
    this.#tries.set(key, tries.slice(-this.#options.times))
    if (this.#tries.size > this.#options.keys) this.#tries.delete(this.#tries.keys().next().value!)
  }
  /** Both. @throws LabError rate-limited */
  take(key: string): void {
    this.check(key)
    this.count(key)
  }
  #recent(key: string): number[] {
    const since = this.#options.now() - this.#options.perMs
    return (this.#tries.get(key) ?? []).filter((at) => at > since)
  }
}
