// What the grades of a class say together: the matrix, its CSV, each scenario's numbers. Of a class that is deleted as well.
import type { Gradebook, ItemsView, Text } from '#lib/protocol/index.ts'
import { bookCsv, counting, itemsOf } from './book.ts'
import { type Ground, type Person, parse } from './ground.ts'
import type { AssignmentBody, GradeBody, PersonBody } from './records.ts'

export class Gradebooks {
  readonly #ground: Ground

  constructor(ground: Ground) {
    this.#ground = ground
  }

  /** Of a class that is deleted as well. @throws LabError not-found */
  async gradebook(me: Person, classId: string): Promise<Gradebook> {
    const { store } = this.#ground.options
    const { body, row } = await this.#ground.class(me, classId)
    const members = await this.#ground.members(classId)
    const grades = await store.rows('grade').list({ class_id: classId })
    const graded = new Set(grades.map((grade) => grade.assignment_id))
    const assignments = (await store.rows('assignment').list({ class_id: classId }))
      .filter((one) => one.deleted_at === null || graded.has(one.id))
      .sort((a, b) => a.created_at - b.created_at)
    const people: Gradebook['people'] = members.map((member) => {
      const { externalId, name } = parse<PersonBody>(member)
      return { key: member.id, name, email: member.email, externalId, member: true }
    })
    for (const grade of grades)
      if (!people.some(({ key }) => key === grade.class_person_id))
        people.push({ key: grade.class_person_id, ...parse<GradeBody>(grade).person, member: false })
    return {
      classId,
      className: body.name,
      deletedAt: row.deleted_at === null ? null : Number(row.deleted_at),
      assignments: assignments.map((one) => {
        const { settings } = parse<AssignmentBody>(one)
        return {
          id: one.id,
          title: settings.title,
          passMark: settings.what.kind === 'drill' ? settings.what.blueprint.passMark : settings.what.passMark,
          deletedAt: one.deleted_at === null ? null : Number(one.deleted_at),
        }
      }),
      people,
      cells: people.flatMap(({ key }) =>
        assignments.flatMap(({ id }) => {
          const mine = grades.filter((grade) => grade.class_person_id === key && grade.assignment_id === id)
          const best = counting(mine.map((grade) => ({ grade, score: grade.score, gradedAt: Number(grade.graded_at) })))
          if (best === null) return []
          const { disputes, history, penalty } = parse<GradeBody>(best.grade)
          const open = mine.some((grade) => parse<GradeBody>(grade).disputes.some(({ answer }) => answer === null))
          const newest = history.at(-1)
          return [
            {
              person: key,
              assignment: id,
              grade: best.grade.id,
              score: best.score,
              before: newest === undefined ? null : newest.before,
              penalty,
              attempts: mine.length,
              dispute: open ? ('open' as const) : disputes.length > 0 ? ('answered' as const) : null,
            },
          ]
        }),
      ),
    }
  }
  async csv(me: Person, classId: string, locale: keyof Text): Promise<string> {
    const book = await this.gradebook(me, classId)
    this.#ground.audit(me, 'gradebook.export', { class: classId })
    return bookCsv(book, locale)
  }
  /** @throws LabError not-found */
  async items(me: Person, classId: string): Promise<ItemsView> {
    const { body } = await this.#ground.class(me, classId)
    const grades = await this.#ground.options.store.rows('grade').list({ class_id: classId })
    return {
      classId,
      className: body.name,
      items: itemsOf(
        grades.flatMap((grade) =>
          parse<GradeBody>(grade).tasks.map(({ checks, hints, scenario, score, spentMs, title }) => ({
            scenario,
            title,
            score,
            spentMs,
            hints,
            checks,
          })),
        ),
      ),
    }
  }
}
