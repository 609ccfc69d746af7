// Classes and who is in them: their instructors, their class lists, invitations and their answers. Knows nothing of how anything is sat or graded.
import { type ClassAction, type ClassSummary, type ClassView, classLimits, type RosterPreview } from '#lib/protocol/index.ts'
import type { ClassPersonRow } from '#lib/store/index.ts'
import type { Assignments } from './assignments.ts'
import type { Erasure } from './erasure.ts'
import { alive, type Ground, newId, type Person, parse } from './ground.ts'
import { type ClassBody, fail, type GradeBody, type PersonBody, say, tooMany } from './records.ts'
import { normalEmail, readRoster } from './roster.ts'
import { localOf } from './window.ts'

export class Classes {
  readonly #ground: Ground
  readonly #assignments: Assignments
  readonly #erasure: Erasure

  constructor(ground: Ground, assignments: Assignments, erasure: Erasure) {
    this.#ground = ground
    this.#assignments = assignments
    this.#erasure = erasure
  }

  /** Those that `me` teaches, the newest first; deleted ones that have grades too. */
  async list(me: Person): Promise<ClassSummary[]> {
    const { store } = this.#ground.options
    const mine =
      me.role === 'admin'
        ? null
        : new Set((await store.rows('class_person').list({ part: 'instructor', person_id: me.id })).map((row) => row.class_id))
    const rows = (await store.rows('class').list({})).filter((row) => me.role === 'admin' || mine?.has(row.id))
    const summaries: ClassSummary[] = []
    for (const row of rows.sort((a, b) => b.created_at - a.created_at)) {
      const members = await this.#ground.members(row.id)
      const grades = await store.rows('grade').list({ class_id: row.id })
      if (row.deleted_at !== null && grades.length === 0) continue
      summaries.push({
        id: row.id,
        name: parse<ClassBody>(row).name,
        members: members.length,
        joined: members.filter(({ state }) => state === 'joined').length,
        assignments: (await store.rows('assignment').list({ class_id: row.id, deleted_at: null })).length,
        disputes: grades.filter((grade) => parse<GradeBody>(grade).disputes.some(({ answer }) => answer === null)).length,
        deletedAt: row.deleted_at === null ? null : Number(row.deleted_at),
      })
    }
    return summaries
  }
  /** @throws LabError bad-request, conflict */
  async create(me: Person, { name, zone }: { name: string; zone: string }): Promise<{ id: string }> {
    const { store } = this.#ground.options
    localOf(this.#ground.now, zone)
    return this.#ground.turn(`person ${me.id}`, async () => {
      const there = (await this.list(me)).filter(({ deletedAt }) => deletedAt === null)
      if (there.length >= classLimits.classes) throw tooMany(say('Classes', '수업'), classLimits.classes)
      const id = newId()
      await store.rows('class').insert({
        id,
        created_at: this.#ground.now,
        deleted_at: null,
        body: JSON.stringify({ name, zone, retentionDays: 180 } satisfies ClassBody),
      })
      await this.#addInstructor(id, me.id, me.email ?? `${me.id}@local`, me.name)
      this.#ground.audit(me, 'class.create', { class: id, name })
      return { id }
    })
  }
  async #addInstructor(classId: string, person: string | null, email: string, name: string): Promise<void> {
    await this.#ground.options.store.rows('class_person').insert({
      id: newId(),
      class_id: classId,
      part: 'instructor',
      state: person === null ? 'invited' : 'joined',
      email,
      person_id: person,
      body: JSON.stringify({ name, externalId: '', recordings: false } satisfies PersonBody),
    })
  }
  /** @throws LabError not-found */
  async view(me: Person, id: string): Promise<ClassView> {
    const { row, body } = await this.#ground.class(me, id)
    const { store } = this.#ground.options
    const instructors = await store.rows('class_person').list({ class_id: id, part: 'instructor' })
    const assignments = await store.rows('assignment').list({ class_id: id, deleted_at: null })
    const grades = await store.rows('grade').list({ class_id: id })
    return {
      id,
      name: body.name,
      zone: body.zone,
      retentionDays: body.retentionDays,
      deletedAt: row.deleted_at === null ? null : Number(row.deleted_at),
      instructors: instructors.map((one) => ({ id: one.id, name: parse<PersonBody>(one).name, email: one.email })),
      members: (await this.#ground.members(id)).map((one) => {
        const { externalId, name, recordings } = parse<PersonBody>(one)
        return { id: one.id, name, email: one.email, externalId, recordings, state: one.state as 'invited' }
      }),
      assignments: await Promise.all(
        assignments.sort((a, b) => b.created_at - a.created_at).map((one) => this.#assignments.viewOf(one, body.name)),
      ),
      disputes: grades.flatMap((grade) => {
        const { disputes, person, title } = parse<GradeBody>(grade)
        return disputes
          .filter(({ answer }) => answer === null)
          .map(({ at }) => ({ grade: grade.id, person: person.name, assignment: title, at }))
      }),
    }
  }
  /** @throws LabError not-found, conflict */
  async act(me: Person, id: string, action: ClassAction): Promise<ClassView> {
    const { store } = this.#ground.options
    await this.#ground.turn(`class ${id}`, async () => {
      const { row, body } = await this.#ground.class(me, id)
      if (action.type !== 'erase-member') this.#ground.living(row)
      const member = async (memberId: string) => {
        const found = await store.rows('class_person').get(memberId)
        if (found === null || found.class_id !== id || found.part !== 'learner')
          throw fail(
            'not-found',
            say('This class has no such member.', '이 수업에 그런 사람이 없습니다.'),
            say('Load the page again.', '화면을 새로 여십시오.'),
          )
        return found
      }
      switch (action.type) {
        case 'rename':
          await store.rows('class').update(id, { body: JSON.stringify({ ...body, name: action.name }) })
          break
        case 'retention':
          await store.rows('class').update(id, { body: JSON.stringify({ ...body, retentionDays: action.days }) })
          break
        case 'add-instructor': {
          const email = normalEmail(action.email)
          const there = await store.rows('class_person').list({ class_id: id, part: 'instructor' })
          if (there.some((one) => one.email === email)) break
          if (there.length >= classLimits.instructors) throw tooMany(say('Instructors of a class', '수업의 강사'), classLimits.instructors)
          if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email))
            throw fail(
              'bad-request',
              say('That is no email address.', '이메일 주소가 아닙니다.'),
              say('Give the address of their account.', '계정의 주소를 넣으십시오.'),
            )
          await this.#addInstructor(id, null, email, email)
          break
        }
        case 'remove-member': {
          const found = await member(action.member)
          for (const attempt of await store.rows('attempt').list({ class_person_id: found.id }))
            if (alive(attempt.state)) await this.#ground.options.drills.end(attempt.drill_id)
          await store.rows('class_person').remove({ id: found.id })
          break
        }
        case 'erase-member': {
          const found = await member(action.member)
          await this.#erasure.erase(
            await store.rows('grade').list({ class_person_id: found.id }),
            await store.rows('attempt').list({ class_person_id: found.id }),
          )
          await store.rows('class_person').remove({ id: found.id })
          break
        }
        case 'delete': {
          await store.rows('class').update(id, { deleted_at: this.#ground.now })
          for (const assignment of await store.rows('assignment').list({ class_id: id, deleted_at: null }))
            await this.#assignments.delete(assignment.id)
          break
        }
      }
      this.#ground.audit(me, `class.${action.type}`, { class: id, ...('member' in action ? { member: action.member } : {}) })
    })
    return this.view(me, id)
  }
  /**
   * Reads a class list; with `apply` the good rows become members, and known ones get their new name and id.
   * @throws LabError not-found, too-large, bad-request, conflict
   */
  async roster(me: Person, id: string, text: string, apply: boolean): Promise<RosterPreview> {
    const { store } = this.#ground.options
    return this.#ground.turn(`class ${id}`, async () => {
      const { row } = await this.#ground.class(me, id)
      this.#ground.living(row)
      const members = await this.#ground.members(id)
      const preview = readRoster(
        text,
        members.map(({ email }) => email),
      )
      if (!apply) return preview
      const added = preview.rows.filter(({ known }) => !known).length
      if (members.length + added > classLimits.members) throw tooMany(say('Members of a class', '수업의 학생'), classLimits.members)
      for (const { email, externalId, known, name } of preview.rows) {
        const there = known ? members.find((one) => one.email === email) : undefined
        if (there === undefined)
          await store.rows('class_person').insert({
            id: newId(),
            class_id: id,
            part: 'learner',
            state: 'invited',
            email,
            person_id: null,
            body: JSON.stringify({ name, externalId, recordings: false } satisfies PersonBody),
          })
        else
          await store
            .rows('class_person')
            .update(there.id, { body: JSON.stringify({ ...parse<PersonBody>(there), name, ...(externalId === '' ? {} : { externalId }) }) })
      }
      this.#ground.audit(me, 'class.roster', { class: id, added, changed: preview.rows.length - added, refused: preview.problems.length })
      return preview
    })
  }
  /** Memberships that are theirs, or wait for them by the address of their account. */
  async mine(me: Person, part = 'learner'): Promise<ClassPersonRow[]> {
    const { store } = this.#ground.options
    const bound = await store.rows('class_person').list({ person_id: me.id, part })
    const waiting = me.email === null ? [] : await store.rows('class_person').list({ email: normalEmail(me.email), part, person_id: null })
    return [...bound, ...waiting]
  }
  /** Instructors who were added by the address of their account find their classes. */
  async bind(me: Person): Promise<void> {
    if (me.role === 'learner') return
    for (const row of await this.mine(me, 'instructor'))
      if (row.person_id === null)
        await this.#ground.options.store
          .rows('class_person')
          .update(row.id, { person_id: me.id, state: 'joined', body: JSON.stringify({ ...parse<PersonBody>(row), name: me.name }) })
  }
}
