// When results open: at the hand-in, or once the window has closed for everybody. Knows nothing of what they are.
import { asLabError } from '#lib/protocol/index.ts'
import { alive, type Ground, minute, parse } from './ground.ts'
import type { AssignmentBody, GradeBody } from './records.ts'

/** a timer cannot wait for longer than some weeks; it then looks and waits again */
const longestWait = 24 * 60 * minute

/** When the window has closed for everybody, whoever has the most time included; null: at the hand-in. */
export function resultsAt({ closesAt, extra, late, settings }: AssignmentBody): number | null {
  if (settings.results !== 'close' || closesAt === null) return null
  return (late.kind === 'until' ? late.at : closesAt) + Math.max(0, ...Object.values(extra)) * minute
}

export class Results {
  readonly #ground: Ground
  /** by assignment some of whose results are closed: cancels the look at whether they can be opened */
  readonly #opening = new Map<string, () => void>()
  #closed = false

  constructor(ground: Ground) {
    this.#ground = ground
  }

  /**
   * Opens what an assignment has kept closed, once its window has closed for everybody and nobody sits it any more (minutes may have been
   * given, or given back); else sees to it that this is looked at then. What was opened once stays open. What fails is tried again.
   */
  async open(id: string): Promise<void> {
    try {
      await this.#ground.turn(`results ${id}`, () => this.#look(id))
    } catch (thrown) {
      this.#ground.options.log.error(
        { assignment: id, error: asLabError(thrown).message },
        'the results of an assignment could not be opened yet',
      )
      this.#later(id, minute)
    }
  }
  #later(id: string, millis: number): void {
    if (!this.#closed)
      this.#opening.set(
        id,
        this.#ground.options.clock.after(Math.min(millis, longestWait), () => void this.open(id)),
      )
  }
  async #look(id: string): Promise<void> {
    const { drills, store } = this.#ground.options
    this.#opening.get(id)?.()
    this.#opening.delete(id)
    const row = await store.rows('assignment').get(id)
    const closed = (await store.rows('grade').list({ assignment_id: id })).filter((grade) => parse<GradeBody>(grade).closed === true)
    if (closed.length === 0 || this.#closed) return
    // What is deleted has no window left that somebody could use.
    const at = row === null || row.deleted_at !== null ? null : resultsAt(parse(row))
    if (at !== null && at > this.#ground.now) {
      for (const grade of closed) await drills.withhold(parse<GradeBody>(grade).drill, at)
      this.#later(id, at - this.#ground.now)
      return
    }
    for (const attempt of at === null ? [] : await store.rows('attempt').list({ assignment_id: id })) {
      const record = alive(attempt.state) ? await drills.record(attempt.drill_id) : null
      // Its end asks again.
      if (record !== null && alive(record.state)) return
    }
    for (const grade of closed)
      await this.#ground.turn(`grade ${grade.id}`, async () => {
        const now = await store.rows('grade').get(grade.id)
        if (now === null) return
        await drills.open(parse<GradeBody>(now).drill)
        await store.rows('grade').update(now.id, { body: JSON.stringify({ ...parse<GradeBody>(now), closed: false } satisfies GradeBody) })
      })
  }
  close(): void {
    this.#closed = true
    for (const cancel of this.#opening.values()) cancel()
  }
}
