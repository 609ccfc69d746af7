// What a class knows of a person, taken away. Knows which rows and recordings that is; knows nothing of who may ask for it.
import type { AttemptRow, GradeRow } from '#lib/store/index.ts'
import { alive, type Ground } from './ground.ts'

export class Erasure {
  readonly #ground: Ground

  constructor(ground: Ground) {
    this.#ground = ground
  }

  /** Grades, what was recorded, what was written: for good. */
  async erase(grades: readonly GradeRow[], attempts: readonly AttemptRow[]): Promise<void> {
    const { drills, sessions, store } = this.#ground.options
    for (const attempt of attempts) {
      if (alive(attempt.state)) await drills.end(attempt.drill_id)
      const record = await drills.record(attempt.drill_id)
      for (const task of record?.tasks ?? []) if (task.session !== null) await sessions.forgetRecordings(task.session)
      await store.rows('class_message').remove({ attempt_id: attempt.id })
      await store.rows('attempt').remove({ id: attempt.id })
    }
    for (const grade of grades) await store.rows('grade').remove({ id: grade.id })
  }
  /** All that classes know of a person, when they ask for it to be deleted. A deleted account alone leaves grades where they are. */
  async erasePerson(person: string): Promise<void> {
    const { store } = this.#ground.options
    await this.erase(await store.rows('grade').list({ person_id: person }), await store.rows('attempt').list({ person_id: person }))
    await store.rows('class_person').remove({ person_id: person, part: 'learner' })
  }
}
