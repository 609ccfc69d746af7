// The journal of one machine: what its units said. Bounded, the oldest entries go first. Knows nothing of who reads it.
import type { Clock } from '../clock.ts'
import type { Journal, JournalEntry } from '../machine.ts'

/** Some 200 bytes each: half a megabyte a machine at most. */
const limit = 2000

export class MachineJournal implements Journal {
  readonly #clock: Clock
  #entries: JournalEntry[]
  readonly #listeners = new Set<(entry: JournalEntry) => void>()

  constructor(clock: Clock, saved: readonly JournalEntry[] = []) {
    this.#clock = clock
    this.#entries = [...saved]
  }
  add(entry: Omit<JournalEntry, 'at' | 'priority'> & { priority?: number }): void {
    const whole: JournalEntry = { priority: 6, ...entry, at: this.#clock.now() }
    this.#entries.push(whole)
    if (this.#entries.length > limit * 1.2) this.#entries = this.#entries.slice(-limit)
    for (const listener of [...this.#listeners]) listener(whole)
  }
  entries(filter: { unit?: string; since?: number } = {}): readonly JournalEntry[] {
    return this.#entries.filter(
      (entry) => (filter.unit === undefined || entry.unit === filter.unit) && (filter.since === undefined || entry.at >= filter.since),
    )
  }
  follow(listener: (entry: JournalEntry) => void): { stop(): void } {
    this.#listeners.add(listener)
    return { stop: () => this.#listeners.delete(listener) }
  }
  save(): JournalEntry[] {
    return this.#entries.slice(-limit)
  }
  /** puts back what `save` gave; who follows goes on */
  load(entries: readonly JournalEntry[]): void {
    this.#entries = [...entries]
  }
}
