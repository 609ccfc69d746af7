// Who else is in somebody's lab: those who look at its terminals, and the one who may type in them because its learner has said so.
// Only in memory: after a restart of the server nobody has leave to anything. Knows nothing of who may come at all.
// Invariant: nobody drives but by the learner's own `allow`, and `refuse` ends it in the same turn.
import type { Company as View } from '#lib/protocol/index.ts'

export class Company {
  readonly #watchers = new Map<string, { name: string; count: number }>()
  #drive: View['drive'] = null

  view(): View {
    return { watchers: [...this.#watchers].map(([id, { name }]) => ({ id, name })), drive: this.#drive }
  }
  /** Somebody begins to look; the answer ends it, and with their last look their leave to type. */
  watch(id: string, name: string): () => void {
    const known = this.#watchers.get(id) ?? { name, count: 0 }
    this.#watchers.set(id, { name, count: known.count + 1 })
    let gone = false
    return () => {
      if (gone) return
      gone = true
      const now = this.#watchers.get(id)
      if (now === undefined) return
      if (now.count > 1) this.#watchers.set(id, { ...now, count: now.count - 1 })
      else {
        this.#watchers.delete(id)
        if (this.#drive?.by === id) this.#drive = null
      }
    }
  }
  /** Asks the learner. False when somebody else drives or asks. */
  ask(id: string, name: string): boolean {
    if (this.#drive !== null && this.#drive.by !== id) return false
    this.#drive ??= { by: id, name, state: 'asked' }
    return true
  }
  /** By the learner; who it is that may type now, null when nobody asks. */
  allow(): { by: string; name: string } | null {
    if (this.#drive === null) return null
    this.#drive = { ...this.#drive, state: 'granted' }
    return { by: this.#drive.by, name: this.#drive.name }
  }
  /** By the learner, or by who drives: at once. Whose leave it was, null when there was none. */
  refuse(): { by: string; name: string } | null {
    const before = this.#drive
    this.#drive = null
    return before === null ? null : { by: before.by, name: before.name }
  }
  /** Whether somebody may type. */
  drives(id: string): boolean {
    return this.#drive?.by === id && this.#drive.state === 'granted'
  }
  leave(): void {
    this.#drive = null
  }
}
