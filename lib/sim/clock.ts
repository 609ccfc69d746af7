// Time inside a simulated cluster. Every component takes its time from here, so that a boot and a proof skip what nobody needs to wait for.
// Knows nothing of clusters. Timers that are due at the same time run in the order in which they were set.

/** A timer that was set; `cancel` twice is once. */
export interface Timer {
  cancel(): void
}
export interface Clock {
  /** epoch milliseconds of the lab's own time */
  now(): number
  /** calls `run` once, `ms` of the lab's time from now; never before the present turn of the event loop is over */
  after(ms: number, run: () => void): Timer
  /** resolves after `ms` of the lab's time, or when the signal aborts, whichever is first */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

const nothing = () => {}

interface Due {
  at: number
  order: number
  run: () => void
  cancelled: boolean
}

/**
 * A lab's clock. `rate` lab seconds pass per real second: 1 while a learner works, more in proofs. While `skip` runs, time does not pass
 * by itself: it jumps from timer to timer as fast as the work that they cause is done.
 * Time never passes a timer that has not run: on a host that is too slow for the rate it passes more slowly, so that nobody's lease expires
 * because everybody was late.
 */
export class SimClock implements Clock {
  #rate: number
  #base: number
  #realBase: number
  #order = 0
  /** a binary heap by time, then by order */
  readonly #heap: Due[] = []
  #wake: NodeJS.Timeout | undefined
  #skipping = false
  #stopped = false
  /** time of the timer that runs now; a turn of the event loop is asked for, in which the next one that is due runs */
  #turn: number | undefined

  /** `start`: epoch ms at which the lab's time begins, default now; `rate`: default 1 */
  constructor(options: { start?: number; rate?: number } = {}) {
    this.#base = options.start ?? Date.now()
    this.#realBase = performance.now()
    this.#rate = options.rate ?? 1
  }

  now(): number {
    if (this.#skipping || this.#stopped) return this.#base
    if (this.#turn !== undefined) return this.#turn
    const due = this.#due()
    const next = this.#peek()
    return next !== undefined && next.at < due ? next.at : due
  }
  /** where time would be if nothing held it back */
  #due(): number {
    return Math.floor(this.#base + (performance.now() - this.#realBase) * this.#rate)
  }
  get rate(): number {
    return this.#rate
  }
  /** from now on; what has passed stays passed */
  set rate(rate: number) {
    this.#rebase(this.now())
    this.#rate = rate
    this.#arm()
  }

  /** Sets the time, also back, for a world that is about to be replaced: timers that are set keep their times. */
  set(now: number): void {
    this.#turn = undefined
    this.#rebase(now)
    this.#arm()
  }

  after(ms: number, run: () => void): Timer {
    const due: Due = { at: this.now() + Math.max(0, ms), order: this.#order++, run, cancelled: false }
    this.#push(due)
    if (!this.#skipping && this.#heap[0] === due) this.#arm()
    return {
      cancel: () => {
        due.cancelled = true
        // It stays in the heap until its time; what it would have used need not.
        due.run = nothing
      },
    }
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const done = () => {
        timer.cancel()
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = this.after(ms, done)
      signal?.addEventListener('abort', done, { once: true })
    })
  }

  /**
   * Jumps from timer to timer until `until` says true (asked after each one), or `ms` of the lab's time have passed (default a day).
   * Between timers everything that is ready to run in this process runs, I/O that has arrived included. Returns whether `until` said true.
   */
  async skip(until: () => boolean, ms = 86_400_000): Promise<boolean> {
    if (this.#skipping) throw new Error('The clock skips already.')
    this.#rebase(this.now())
    this.#skipping = true
    clearTimeout(this.#wake)
    const end = this.#base + ms
    try {
      for (;;) {
        await settled()
        if (this.#stopped) return until()
        if (until()) return true
        const next = this.#peek()
        if (next === undefined || next.at > end) {
          this.#base = next === undefined ? this.#base : end
          return until()
        }
        this.#pop()
        this.#base = Math.max(this.#base, next.at)
        next.run()
      }
    } finally {
      this.#skipping = false
      this.#realBase = performance.now()
      this.#arm()
    }
  }

  /** No timer runs any more, time stands still. */
  stop(): void {
    this.#base = this.now()
    this.#stopped = true
    clearTimeout(this.#wake)
    this.#heap.length = 0
  }

  #rebase(now: number): void {
    this.#base = now
    this.#realBase = performance.now()
  }
  #arm(): void {
    clearTimeout(this.#wake)
    const next = this.#peek()
    if (next === undefined || this.#turn !== undefined || this.#skipping || this.#stopped) return
    this.#wake = setTimeout(() => this.#runDue(), Math.min(Math.max(0, (next.at - this.#due()) / this.#rate), 2 ** 31 - 1))
    // A lab alone does not keep a process alive: its server or its worker does.
    this.#wake.unref()
  }
  /** One timer at a time; what it causes is done before the next, as in `skip`, and I/O gets its turn. */
  #runDue(): void {
    this.#turn = undefined
    if (this.#skipping || this.#stopped) return
    const next = this.#peek()
    if (next === undefined || next.at > this.#due()) {
      this.#arm()
      return
    }
    this.#pop()
    this.#turn = next.at
    setImmediate(() => this.#runDue())
    next.run()
  }
  #peek(): Due | undefined {
    while (this.#heap[0]?.cancelled) this.#pop()
    return this.#heap[0]
  }
  #push(due: Due): void {
    const heap = this.#heap
    let at = heap.push(due) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (before(heap[parent] as Due, due)) break
      heap[at] = heap[parent] as Due
      at = parent
    }
    heap[at] = due
  }
  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1] as Due, heap[child] as Due)) child += 1
      if (before(last, heap[child] as Due)) break
      heap[at] = heap[child] as Due
      at = child
    }
    heap[at] = last
  }
}
const before = (a: Due, b: Due): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)
/** After every microtask and what was ready of this turn. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
