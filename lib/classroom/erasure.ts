// What classes know of a person, taken away: by an instructor for one class, with the grades; or with the account, when grades stay without
// whose they are. Knows which rows and recordings that is; knows nothing of who may ask for it.
import type { AttemptRow, ClassPersonRow, GradeRow } from '#lib/store/index.ts'
import { alive, type Ground, newId, parse } from './ground.ts'
import type { AttemptBody, GradeBody, MessageBody, PersonBody } from './records.ts'
import { normalEmail } from './roster.ts'

/** in the place of a name, in every language */
const nobody = '(deleted)'

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

  /**
   * With the account of a person: messages to them, what they wrote and every membership go. Scores, verdicts and times stay, so that what a
   * class came to stays true; whose they are is in nothing that stays. To be called when they can no longer begin anything and their drills
   * have been called off; recordings go with their sessions. Done twice it is the same as done once.
   * @param keepGrades grades stay as they are, with name and evidence: a record of an examination that must be kept
   */
  async forget(person: { id: string; name: string; email: string }, keepGrades: boolean): Promise<void> {
    const { store } = this.#ground.options
    const email = normalEmail(person.email)
    // What their drills' end still has to write is written first.
    await this.#ground.idle()
    for (const { id } of await store.rows('attempt').list({ person_id: person.id })) {
      await store.rows('class_message').remove({ attempt_id: id })
      await this.#ground.turn(`attempt ${id}`, async () => {
        const row = await store.rows('attempt').get(id)
        if (row === null) return
        const body = { ...parse<AttemptBody>(row), help: null } satisfies AttemptBody
        await store.rows('attempt').update(id, { body: JSON.stringify(body), ...(alive(row.state) ? { state: 'cancelled' } : {}) })
      })
    }
    const mine = [
      ...(await store.rows('class_person').list({ person_id: person.id })),
      ...(await store.rows('class_person').list({ email, person_id: null })),
    ]
    for (const row of mine.filter(({ part }) => part === 'instructor')) await this.#taught(row.class_id, person.name)
    if (!keepGrades) await this.#pseudonyms(person.id, mine)
    for (const row of mine)
      if (!keepGrades || row.part === 'instructor' || row.state !== 'joined') await store.rows('class_person').remove({ id: row.id })
    // A place that is kept for the sake of its grades stays bound to the account that is gone: whoever has the address next does not inherit it.
    if (keepGrades)
      for (const row of mine.filter(({ part, state }) => part === 'learner' && state === 'joined'))
        await store
          .rows('class_person')
          .update(row.id, { body: JSON.stringify({ ...parse<PersonBody>(row), recordings: false } satisfies PersonBody) })
  }

  /** Grades without whose they are, alike within one class, so that its matrix keeps its lines. */
  async #pseudonyms(person: string, members: readonly ClassPersonRow[]): Promise<void> {
    const { store } = this.#ground.options
    const grades = await store.rows('grade').list({ person_id: person })
    const attempts = await store.rows('attempt').list({ person_id: person })
    const keys = new Map<string, string>()
    const keyOf = (member: string): string => {
      const key = keys.get(member) ?? newId()
      keys.set(member, key)
      return key
    }
    for (const { id } of grades)
      await this.#ground.turn(`grade ${id}`, async () => {
        const row = await store.rows('grade').get(id)
        if (row === null) return
        const key = keyOf(row.class_person_id)
        await store.rows('grade').update(id, {
          person_id: `erased-${key}`,
          class_person_id: key,
          body: JSON.stringify(withoutPerson(parse<GradeBody>(row), key)),
        })
      })
    for (const row of attempts) {
      const key = keyOf(row.class_person_id)
      // A drill is looked for by its id, which must stay one of its own.
      await store.rows('attempt').update(row.id, { person_id: `erased-${key}`, class_person_id: key, drill_id: newId() })
    }
    // More time was given to somebody: by how much is in no place but this.
    for (const { class_id, id } of members)
      for (const row of await store.rows('assignment').list({ class_id }))
        await this.#ground.turn(`assignment ${row.id}`, async () => {
          const now = await store.rows('assignment').get(row.id)
          const body = now === null ? null : parse<{ extra: Record<string, number> }>(now)
          if (now === null || body?.extra[id] === undefined) return
          const { [id]: _, ...extra } = body.extra
          await store.rows('assignment').update(now.id, { body: JSON.stringify({ ...body, extra }) })
        })
  }

  /** What an instructor signed in a class stays, without the name. */
  async #taught(classId: string, name: string): Promise<void> {
    const { store } = this.#ground.options
    for (const { id } of await store.rows('grade').list({ class_id: classId }))
      await this.#ground.turn(`grade ${id}`, async () => {
        const row = await store.rows('grade').get(id)
        if (row === null) return
        const body = parse<GradeBody>(row)
        const history = body.history.map((one) => (one.by === name ? { ...one, by: nobody } : one))
        const disputes = body.disputes.map((one) => (one.answer?.by === name ? { ...one, answer: { ...one.answer, by: nobody } } : one))
        await store.rows('grade').update(id, { body: JSON.stringify({ ...body, history, disputes } satisfies GradeBody) })
      })
    for (const assignment of await store.rows('assignment').list({ class_id: classId }))
      for (const row of await store.rows('class_message').list({ assignment_id: assignment.id })) {
        const body = parse<MessageBody>(row)
        if (body.from === name)
          await store.rows('class_message').update(row.id, { body: JSON.stringify({ ...body, from: nobody } satisfies MessageBody) })
      }
  }
}

/** What a class's numbers are made of, and nothing that was typed, printed or written. */
const withoutPerson = (body: GradeBody, key: string): GradeBody => ({
  ...body,
  person: { name: `${nobody} ${key.slice(0, 4)}`, email: '', externalId: '' },
  drill: '',
  forgotten: true,
  closed: false,
  tasks: body.tasks.map((task) => ({
    ...task,
    session: null,
    checks: task.checks.map(({ cause: _, ...check }) => ({ ...check, actual: { en: '', ko: '' }, why: { en: '', ko: '' }, evidence: [] })),
  })),
  disputes: body.disputes.map(({ answer, ...dispute }) => ({
    ...dispute,
    text: nobody,
    evidence: [],
    // One that waits is closed: nobody is left who could hear the answer.
    answer: answer === null ? { at: dispute.at, by: nobody, text: nobody } : { ...answer, text: nobody },
  })),
})
