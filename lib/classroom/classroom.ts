// Classes: who is in them, what is set, who sits it, what they got. An attempt at an assignment is a drill with terms; this module starts it,
// watches over its window, keeps its grade. The server's clock decides. Knows nothing of HTTP, of sockets or of how anybody signs in.
//
// Who may: an instructor of a class (and an admin) all of it, a member their own part. To everybody else nothing of it is there.
// Invariants: one attempt at a time per person and assignment, whatever tabs ask; a grade is written once per attempt and outlives everything
// it is about; nobody types in a learner's terminal but by that learner's word.
import { createHash, randomBytes } from 'node:crypto'
import { covered, type DrillRecord, type Drills, scoreOf } from '#lib/exam/index.ts'
import {
  type AssignmentAction,
  type AssignmentSettings,
  type AssignmentView,
  asLabError,
  type Blueprint,
  type BoardAction,
  type BoardAttempt,
  type BoardView,
  type Capacity,
  type ClassAction,
  type ClassSummary,
  type ClassView,
  classLimits,
  type DueView,
  type GradeAction,
  type Gradebook,
  type GradeTask,
  type GradeView,
  type ItemsView,
  type Message,
  modeRules,
  type Regrade,
  type RoomAction,
  type RoomView,
  type RosterPreview,
  type Text,
} from '#lib/protocol/index.ts'
import type { Clock, Log, Session, Sessions } from '#lib/session/index.ts'
import type { AssignmentRow, AttemptRow, ClassPersonRow, ClassRow, GradeRow, Store } from '#lib/store/index.ts'
import { bookCsv, counting, itemsOf } from './book.ts'
import {
  type AssignmentBody,
  type AttemptBody,
  type ClassBody,
  fail,
  type GradeBody,
  type MessageBody,
  noAssignment,
  noClass,
  noGrade,
  type PersonBody,
  say,
  tooMany,
} from './records.ts'
import { normalEmail, readRoster } from './roster.ts'
import { endsFor, localOf, momentOf, penaltyOf, reduced, standing, type WindowRules } from './window.ts'

/** Who asks. */
export interface Person {
  id: string
  name: string
  /** null without accounts */
  email: string | null
  role: 'learner' | 'instructor' | 'admin'
}
export interface AuditEntry {
  who: Person
  what: string
  /** ids and names, no secrets */
  about: Record<string, string | number | boolean | null>
}
export interface ClassroomOptions {
  sessions: Sessions
  drills: Drills
  store: Store
  clock: Clock
  log: Log
  audit?: (entry: AuditEntry) => void
  /** milliseconds between two looks for recordings whose time is over; default 1 h */
  sweepMs?: number
}

const newId = (): string => randomBytes(8).toString('hex')
const parse = <T>(row: { body: string }): T => JSON.parse(row.body) as T
const running = ['preparing', 'running', 'grading'] as const
const alive = (state: string): boolean => running.some((one) => one === state)
const minute = 60_000
/** a timer cannot wait for longer than some weeks; it then looks and waits again */
const longestWait = 24 * 60 * minute

export class Classroom {
  readonly #options: ClassroomOptions
  readonly #turns = new Map<string, Promise<unknown>>()
  readonly #writes = new Map<string, number[]>()
  #cancelSweep: (() => void) | null = null
  /** by assignment some of whose results are closed: cancels the look at whether they can be opened */
  readonly #opening = new Map<string, () => void>()
  #closed = false

  constructor(options: ClassroomOptions) {
    this.#options = options
    options.drills.observe((record) => {
      if (record.terms === undefined) return
      this.#settle(record).catch((thrown: unknown) =>
        options.log.error({ drill: record.id, error: asLabError(thrown).message }, 'the grade of an attempt could not be stored yet'),
      )
    })
  }

  // ---- ground

  /** One after the other for one key. */
  #turn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(key) ?? Promise.resolve()
    const done = before.then(work, work)
    const kept = done.catch(() => {})
    this.#turns.set(key, kept)
    void kept.then(() => {
      if (this.#turns.get(key) === kept) this.#turns.delete(key)
    })
    return done
  }
  get #now(): number {
    return this.#options.clock.now()
  }
  #audit(who: Person, what: string, about: AuditEntry['about']): void {
    this.#options.audit?.({ who, what, about })
  }
  /** @throws LabError rate-limited */
  #mayWrite(me: Person): void {
    const recent = (this.#writes.get(me.id) ?? []).filter((at) => at > this.#now - 10 * minute)
    if (recent.length >= classLimits.writes)
      throw fail(
        'rate-limited',
        say('You have written very often within ten minutes.', '10분 동안 너무 많이 보냈습니다.'),
        say('Wait a few minutes.', '몇 분 뒤에 다시 하십시오.'),
      )
    this.#writes.set(me.id, [...recent, this.#now])
  }
  async #teaches(me: Person, classId: string): Promise<boolean> {
    if (me.role === 'admin') return true
    if (me.role !== 'instructor') return false
    return (await this.#options.store.rows('class_person').list({ class_id: classId, part: 'instructor', person_id: me.id })).length > 0
  }
  /** A class that `me` teaches. @throws LabError not-found */
  async #class(me: Person, id: string): Promise<{ row: ClassRow; body: ClassBody }> {
    const row = await this.#options.store.rows('class').get(id)
    if (row === null || !(await this.#teaches(me, id))) throw noClass()
    return { row, body: parse<ClassBody>(row) }
  }
  #living(row: ClassRow): void {
    if (row.deleted_at !== null)
      throw fail(
        'conflict',
        say('This class is deleted; only its grades are left.', '삭제된 수업입니다. 성적만 남아 있습니다.'),
        say('Make a new class.', '새 수업을 만드십시오.'),
      )
  }
  /** An assignment of a class that `me` teaches. @throws LabError not-found */
  async #assignment(me: Person, id: string): Promise<{ row: AssignmentRow; body: AssignmentBody; of: ClassBody }> {
    const row = await this.#options.store.rows('assignment').get(id)
    if (row === null || !(await this.#teaches(me, row.class_id))) throw noAssignment()
    const of = await this.#options.store.rows('class').get(row.class_id)
    if (of === null) throw noAssignment()
    return { row, body: parse(row), of: parse(of) }
  }
  async #members(classId: string): Promise<ClassPersonRow[]> {
    const rows = await this.#options.store.rows('class_person').list({ class_id: classId, part: 'learner' })
    return rows.sort((a, b) => parse<PersonBody>(a).name.localeCompare(parse<PersonBody>(b).name) || a.email.localeCompare(b.email))
  }
  #rules(body: AssignmentBody, member: string): WindowRules {
    return {
      opensAt: body.opensAt,
      closesAt: body.closesAt,
      late: body.late,
      attempts: body.settings.attempts,
      extraMinutes: body.extra[member] ?? 0,
    }
  }

  /** Now, as a form takes it, in a zone. */
  localNow(zone: string): string {
    return localOf(this.#now, zone)
  }

  // ---- classes

  /** Those that `me` teaches, the newest first; deleted ones that have grades too. */
  async list(me: Person): Promise<ClassSummary[]> {
    const { store } = this.#options
    const mine =
      me.role === 'admin'
        ? null
        : new Set((await store.rows('class_person').list({ part: 'instructor', person_id: me.id })).map((row) => row.class_id))
    const rows = (await store.rows('class').list({})).filter((row) => me.role === 'admin' || mine?.has(row.id))
    const summaries: ClassSummary[] = []
    for (const row of rows.sort((a, b) => b.created_at - a.created_at)) {
      const members = await this.#members(row.id)
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
    const { store } = this.#options
    localOf(this.#now, zone)
    return this.#turn(`person ${me.id}`, async () => {
      const there = (await this.list(me)).filter(({ deletedAt }) => deletedAt === null)
      if (there.length >= classLimits.classes) throw tooMany(say('Classes', '수업'), classLimits.classes)
      const id = newId()
      await store.rows('class').insert({
        id,
        created_at: this.#now,
        deleted_at: null,
        body: JSON.stringify({ name, zone, retentionDays: 180 } satisfies ClassBody),
      })
      await this.#addInstructor(id, me.id, me.email ?? `${me.id}@local`, me.name)
      this.#audit(me, 'class.create', { class: id, name })
      return { id }
    })
  }
  async #addInstructor(classId: string, person: string | null, email: string, name: string): Promise<void> {
    await this.#options.store.rows('class_person').insert({
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
    const { row, body } = await this.#class(me, id)
    const { store } = this.#options
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
      members: (await this.#members(id)).map((one) => {
        const { externalId, name, recordings } = parse<PersonBody>(one)
        return { id: one.id, name, email: one.email, externalId, recordings, state: one.state as 'invited' }
      }),
      assignments: await Promise.all(
        assignments.sort((a, b) => b.created_at - a.created_at).map((one) => this.#assignmentView(one, body.name)),
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
    const { store } = this.#options
    await this.#turn(`class ${id}`, async () => {
      const { row, body } = await this.#class(me, id)
      if (action.type !== 'erase-member') this.#living(row)
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
            if (alive(attempt.state)) await this.#options.drills.end(attempt.drill_id)
          await store.rows('class_person').remove({ id: found.id })
          break
        }
        case 'erase-member': {
          const found = await member(action.member)
          await this.#erase(
            await store.rows('grade').list({ class_person_id: found.id }),
            await store.rows('attempt').list({ class_person_id: found.id }),
          )
          await store.rows('class_person').remove({ id: found.id })
          break
        }
        case 'delete': {
          await store.rows('class').update(id, { deleted_at: this.#now })
          for (const assignment of await store.rows('assignment').list({ class_id: id, deleted_at: null }))
            await this.#deleteAssignment(assignment.id)
          break
        }
      }
      this.#audit(me, `class.${action.type}`, { class: id, ...('member' in action ? { member: action.member } : {}) })
    })
    return this.view(me, id)
  }
  /** Grades, what was recorded, what was written: for good. */
  async #erase(grades: readonly GradeRow[], attempts: readonly AttemptRow[]): Promise<void> {
    const { drills, sessions, store } = this.#options
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
    const { store } = this.#options
    await this.#erase(await store.rows('grade').list({ person_id: person }), await store.rows('attempt').list({ person_id: person }))
    await store.rows('class_person').remove({ person_id: person, part: 'learner' })
  }

  /**
   * Reads a class list; with `apply` the good rows become members, and known ones get their new name and id.
   * @throws LabError not-found, too-large, bad-request, conflict
   */
  async roster(me: Person, id: string, text: string, apply: boolean): Promise<RosterPreview> {
    const { store } = this.#options
    return this.#turn(`class ${id}`, async () => {
      const { row } = await this.#class(me, id)
      this.#living(row)
      const members = await this.#members(id)
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
      this.#audit(me, 'class.roster', { class: id, added, changed: preview.rows.length - added, refused: preview.problems.length })
      return preview
    })
  }

  // ---- assignments

  /** @throws LabError bad-request */
  #plan(settings: AssignmentSettings, seed: string): Omit<AssignmentBody, 'extra'> {
    const { zone } = settings
    const notes: Text[] = []
    const moment = (local: string) => {
      const { at, note } = momentOf(local, zone)
      if (note === 'gap')
        notes.push(
          say(
            `${local.replace('T', ' ')} does not exist in ${zone}: the clock jumps over it. ${localOf(at, zone).replace('T', ' ')} is meant.`,
            `${zone}에는 ${local.replace('T', ' ')} 시각이 없습니다(시계를 앞당김). ${localOf(at, zone).replace('T', ' ')}로 정합니다.`,
          ),
        )
      if (note === 'twice')
        notes.push(
          say(
            `${local.replace('T', ' ')} comes twice in ${zone}, for the clock is set back: the first is meant.`,
            `${zone}에서는 ${local.replace('T', ' ')} 시각이 두 번 옵니다(시계를 늦춤). 첫 번째로 정합니다.`,
          ),
        )
      return at
    }
    const opensAt = moment(settings.opens)
    const closesAt = settings.closes === null ? null : moment(settings.closes)
    const late =
      settings.late.kind === 'until'
        ? { kind: 'until' as const, at: moment(settings.late.until), penalty: settings.late.penalty }
        : settings.late
    const order = (earlier: number, then: number) => {
      if (earlier >= then)
        throw fail(
          'bad-request',
          say(
            'An assignment has to open before it closes, and close before its late end.',
            '과제는 마감 전에 열리고, 지각 마감은 마감보다 뒤여야 합니다.',
          ),
          say('Correct the times.', '시각을 고치십시오.'),
        )
    }
    if (closesAt !== null) order(opensAt, closesAt)
    if (late.kind === 'until') {
      if (closesAt === null)
        throw fail(
          'bad-request',
          say('What never closes has no late end.', '마감이 없으면 지각 마감도 없습니다.'),
          say('Give a time at which it closes, or another policy.', '마감 시각을 넣거나 다른 지각 규칙을 고르십시오.'),
        )
      order(closesAt, late.at)
    }
    const { mode } = settings.what.kind === 'drill' ? settings.what.blueprint : settings.what
    const { results = modeRules[mode].sealed && closesAt !== null ? 'close' : 'hand-in' } = settings
    if (results === 'close' && (closesAt === null || !modeRules[mode].sealed))
      throw fail(
        'bad-request',
        say(
          'Results can be kept until the window closes only of an exam that has a window: all else tells how one does while it is worked on.',
          '결과를 마감까지 닫아 두는 것은 마감이 있는 시험에서만 됩니다. 다른 방식은 푸는 동안 이미 결과를 알 수 있습니다.',
        ),
        say(
          'Set a time at which it closes and the mode exam, or open results at the hand-in.',
          '마감 시각과 시험 방식을 정하거나, 제출할 때 공개하십시오.',
        ),
      )
    return { settings: { ...settings, results }, opensAt, closesAt, late, notes, tasks: 0, seed }
  }
  /** @throws LabError bad-request for scenarios that are not there */
  #blueprint(settings: AssignmentSettings, base: string, person: string, number: number): Blueprint {
    const { what } = settings
    const root = what.kind === 'drill' ? what.blueprint.seed : base
    const seed =
      settings.seed === 'personal'
        ? createHash('sha256').update(`${root}\0${person}\0${number}`).digest('hex').slice(0, 12)
        : number === 1
          ? root
          : createHash('sha256').update(`${root}\0${number}`).digest('hex').slice(0, 12)
    if (what.kind === 'drill') return { ...what.blueprint, seed }
    const chosen = [...new Set(what.scenarios)].map((id) => {
      const found = this.#options.sessions.scenario(id)
      if (found === undefined)
        throw fail(
          'bad-request',
          say('One of these scenarios is not in the catalogue.', '목록에 없는 시나리오가 있습니다.'),
          say('Choose again.', '다시 고르십시오.'),
        )
      return found
    })
    const count = (name: string) => chosen.filter(({ spec }) => spec.domain === name).length
    return {
      tasks: chosen.length,
      minutes: what.minutes,
      passMark: what.passMark,
      // As many of each domain as were chosen, so that all of them are drawn.
      weights: {
        troubleshooting: count('troubleshooting'),
        'cluster-architecture': count('cluster-architecture'),
        'services-networking': count('services-networking'),
        workloads: count('workloads'),
        storage: count('storage'),
      },
      difficulties: null,
      domains: null,
      only: chosen.map(({ id }) => id),
      mode: what.mode,
      seed,
    }
  }
  async #draw(settings: AssignmentSettings, seed: string): Promise<{ tasks: number; notices: Text[] }> {
    const blueprint = this.#blueprint(settings, seed, 'anybody', 1)
    const preview = await this.#options.drills.preview(blueprint, settings.backend ?? undefined)
    if (settings.what.kind === 'scenarios' && preview.tasks < blueprint.tasks)
      throw fail(
        'bad-request',
        say(
          `Only ${preview.tasks} of these ${blueprint.tasks} scenarios can be set together here: others are not offered on this backend, or one is made of another.`,
          `이 시나리오 ${blueprint.tasks}개 중 ${preview.tasks}개만 함께 낼 수 있습니다. 이 실행 환경에서 제공되지 않거나 서로 포함 관계입니다.`,
        ),
        say('Take some of them away, or choose another backend.', '일부를 빼거나 다른 실행 환경을 고르십시오.'),
      )
    if (preview.tasks === 0)
      throw fail(
        'bad-request',
        say('Nothing can be drawn by this blueprint here.', '이 구성으로는 출제할 문제가 없습니다.'),
        say('Choose other domains.', '다른 영역을 고르십시오.'),
      )
    return { tasks: preview.tasks, notices: preview.notices }
  }
  /** Whether the backend holds it. Nothing is changed. @throws LabError not-found, bad-request */
  async capacity(me: Person, classId: string, settings: AssignmentSettings): Promise<Capacity> {
    const { sessions } = this.#options
    await this.#class(me, classId)
    const plan = this.#plan(settings, 'capacity')
    const people = (await this.#members(classId)).length
    try {
      const backend = await sessions.readyBackend(settings.backend ?? undefined)
      const { notices, tasks } = await this.#draw({ ...settings, backend }, plan.seed)
      const room = await sessions.room(backend, 2)
      const needed = people * tasks
      const verdict = room === null ? 'unknown' : room < tasks ? 'too-small' : room < needed ? 'not-at-once' : 'fits'
      return { backend, people, tasks, needed, room, verdict, notices: [...plan.notes, ...notices] }
    } catch (thrown) {
      const error = asLabError(thrown)
      if (error.code !== 'backend-unavailable') throw thrown
      return {
        backend: settings.backend,
        people,
        tasks: 0,
        needed: 0,
        room: null,
        verdict: 'unavailable',
        notices: [say(error.message, error.ko?.message ?? error.message)],
      }
    }
  }
  /** @throws LabError not-found, bad-request, conflict, backend-unavailable */
  async assign(me: Person, classId: string, settings: AssignmentSettings): Promise<{ id: string }> {
    const { store } = this.#options
    return this.#turn(`class ${classId}`, async () => {
      const { row } = await this.#class(me, classId)
      this.#living(row)
      if ((await store.rows('assignment').list({ class_id: classId, deleted_at: null })).length >= classLimits.assignments)
        throw tooMany(say('Assignments of a class', '수업의 과제'), classLimits.assignments)
      const id = newId()
      const plan = this.#plan(settings, randomBytes(5).toString('hex'))
      const { tasks } = await this.#draw(settings, plan.seed)
      await store.rows('assignment').insert({
        id,
        class_id: classId,
        created_at: this.#now,
        deleted_at: null,
        body: JSON.stringify({ ...plan, tasks, extra: {} } satisfies AssignmentBody),
      })
      this.#audit(me, 'assignment.create', { class: classId, assignment: id, title: settings.title })
      return { id }
    })
  }
  async #assignmentView(row: AssignmentRow, className: string): Promise<AssignmentView> {
    const { store } = this.#options
    const body = parse<AssignmentBody>(row)
    const attempts = await store.rows('attempt').list({ assignment_id: row.id })
    return {
      id: row.id,
      classId: row.class_id,
      className,
      settings: body.settings,
      opensAt: body.opensAt,
      closesAt: body.closesAt,
      late: body.late,
      notes: body.notes,
      tasks: body.tasks,
      deletedAt: row.deleted_at === null ? null : Number(row.deleted_at),
      extra: Object.entries(body.extra).map(([member, minutes]) => ({ member, minutes })),
      running: attempts.filter(({ state }) => alive(state)).length,
      graded: attempts.filter(({ state }) => state === 'ended').length,
    }
  }
  /** @throws LabError not-found */
  async assignment(me: Person, id: string): Promise<AssignmentView> {
    const { of, row } = await this.#assignment(me, id)
    return this.#assignmentView(row, of.name)
  }
  /** @throws LabError not-found, bad-request, conflict */
  async actOnAssignment(me: Person, id: string, action: AssignmentAction): Promise<AssignmentView> {
    const { store } = this.#options
    const found = await this.#assignment(me, id)
    await this.#turn(`assignment ${id}`, async () => {
      const { body, row } = await this.#assignment(me, id)
      if (row.deleted_at !== null) throw noAssignment()
      const attempts = await store.rows('attempt').list({ assignment_id: id })
      switch (action.type) {
        case 'update': {
          const same =
            JSON.stringify([body.settings.what, body.settings.seed]) === JSON.stringify([action.settings.what, action.settings.seed])
          if (attempts.length > 0 && !same)
            throw fail(
              'conflict',
              say('Somebody has begun it: its tasks can no longer be changed.', '이미 시작한 사람이 있어 문제를 바꿀 수 없습니다.'),
              say('Change its times, or set another assignment.', '시각을 바꾸거나 과제를 새로 내십시오.'),
            )
          const { results = body.settings.results } = action.settings
          const plan = this.#plan({ ...action.settings, ...(results === undefined ? {} : { results }) }, body.seed)
          const tasks = same ? body.tasks : (await this.#draw(action.settings, body.seed)).tasks
          await store.rows('assignment').update(id, { body: JSON.stringify({ ...body, ...plan, tasks } satisfies AssignmentBody) })
          break
        }
        case 'extra-time': {
          const member = await store.rows('class_person').get(action.member)
          if (member === null || member.class_id !== row.class_id)
            throw fail(
              'not-found',
              say('This class has no such member.', '이 수업에 그런 사람이 없습니다.'),
              say('Load the page again.', '화면을 새로 여십시오.'),
            )
          const extra = { ...body.extra, [action.member]: action.minutes }
          if (action.minutes === 0) delete extra[action.member]
          await store.rows('assignment').update(id, { body: JSON.stringify({ ...body, extra } satisfies AssignmentBody) })
          break
        }
        case 'delete':
          await this.#deleteAssignment(id)
          break
      }
      this.#audit(me, `assignment.${action.type}`, {
        assignment: id,
        ...('member' in action ? { member: action.member, minutes: action.minutes } : {}),
      })
      if (action.type !== 'delete') for (const attempt of attempts) if (alive(attempt.state)) await this.#retime(attempt)
    })
    await this.#openResults(id)
    const row = await store.rows('assignment').get(id)
    if (row === null) throw noAssignment()
    return this.#assignmentView(row, found.of.name)
  }
  /** What runs is handed in as it is; what was graded stays. */
  async #deleteAssignment(id: string): Promise<void> {
    const { drills, store } = this.#options
    await store.rows('assignment').update(id, { deleted_at: this.#now })
    for (const attempt of await store.rows('attempt').list({ assignment_id: id }))
      if (alive(attempt.state)) await drills.end(attempt.drill_id)
    await this.#openResults(id)
  }
  /** The clock of an attempt that runs, after what it follows from has changed. */
  async #retime(attempt: AttemptRow): Promise<boolean> {
    const assignment = await this.#options.store.rows('assignment').get(attempt.assignment_id)
    const now = await this.#options.store.rows('attempt').get(attempt.id)
    if (assignment === null || now === null) return false
    return this.#options.drills.change(
      attempt.drill_id,
      this.#terms(parse(assignment), now.class_person_id, parse<AttemptBody>(now).extraMs),
    )
  }
  #terms(body: AssignmentBody, member: string, extraMs: number): { notAfter: number | null; extraMs: number; resultsAt: number | null } {
    const rules = this.#rules(body, member)
    const end = endsFor(rules)
    return {
      notAfter: end === null ? null : end + extraMs,
      extraMs: rules.extraMinutes * minute + extraMs,
      resultsAt: this.#resultsAt(body),
    }
  }

  // ---- when results open

  /** When the window has closed for everybody, whoever has the most time included; null: at the hand-in. */
  #resultsAt({ closesAt, extra, late, settings }: AssignmentBody): number | null {
    if (settings.results !== 'close' || closesAt === null) return null
    return (late.kind === 'until' ? late.at : closesAt) + Math.max(0, ...Object.values(extra)) * minute
  }
  /**
   * Opens what an assignment has kept closed, once its window has closed for everybody and nobody sits it any more (minutes may have been
   * given, or given back); else sees to it that this is looked at then. What was opened once stays open.
   */
  #openResults(id: string): Promise<void> {
    return this.#turn(`results ${id}`, async () => {
      const { clock, drills, store } = this.#options
      this.#opening.get(id)?.()
      this.#opening.delete(id)
      const row = await store.rows('assignment').get(id)
      const closed = (await store.rows('grade').list({ assignment_id: id })).filter((grade) => parse<GradeBody>(grade).closed === true)
      if (closed.length === 0 || this.#closed) return
      // What is deleted has no window left that somebody could use.
      const at = row === null || row.deleted_at !== null ? null : this.#resultsAt(parse(row))
      if (at !== null && at > this.#now) {
        for (const grade of closed) await drills.withhold(parse<GradeBody>(grade).drill, at)
        const again = () => void this.#openResults(id).catch((thrown: unknown) => this.#notOpened(id, thrown))
        this.#opening.set(id, clock.after(Math.min(at - this.#now, longestWait), again))
        return
      }
      for (const attempt of at === null ? [] : await store.rows('attempt').list({ assignment_id: id })) {
        const record = alive(attempt.state) ? await drills.record(attempt.drill_id) : null
        // Its end asks again.
        if (record !== null && alive(record.state)) return
      }
      for (const grade of closed)
        await this.#turn(`grade ${grade.id}`, async () => {
          const now = await store.rows('grade').get(grade.id)
          if (now === null) return
          await drills.open(parse<GradeBody>(now).drill)
          await store
            .rows('grade')
            .update(now.id, { body: JSON.stringify({ ...parse<GradeBody>(now), closed: false } satisfies GradeBody) })
        })
    })
  }
  #notOpened(assignment: string, thrown: unknown): void {
    this.#options.log.error({ assignment, error: asLabError(thrown).message }, 'the results of an assignment could not be opened yet')
    if (!this.#closed)
      this.#opening.set(
        assignment,
        this.#options.clock.after(
          minute,
          () => void this.#openResults(assignment).catch((again: unknown) => this.#notOpened(assignment, again)),
        ),
      )
  }

  // ---- the learner

  /** Memberships that are theirs, or wait for them by the address of their account. */
  async #mine(me: Person, part = 'learner'): Promise<ClassPersonRow[]> {
    const { store } = this.#options
    const bound = await store.rows('class_person').list({ person_id: me.id, part })
    const waiting = me.email === null ? [] : await store.rows('class_person').list({ email: normalEmail(me.email), part, person_id: null })
    return [...bound, ...waiting]
  }
  /** What waits for an answer, what is due, what was. Instructors who were added by address are bound here too. */
  async due(me: Person): Promise<DueView> {
    const { drills, store } = this.#options
    const now = this.#now
    const view: DueView = { now, invitations: [], classes: [], due: [], past: [] }
    for (const member of await this.#mine(me)) {
      const classRow = await store.rows('class').get(member.class_id)
      if (classRow === null || classRow.deleted_at !== null || member.state === 'declined') continue
      const { name: className, retentionDays } = parse<ClassBody>(classRow)
      if (member.state === 'invited') {
        const instructors = await store.rows('class_person').list({ class_id: member.class_id, part: 'instructor' })
        view.invitations.push({ membership: member.id, className, instructors: instructors.map((one) => parse<PersonBody>(one).name) })
        continue
      }
      view.classes.push({ membership: member.id, className, recordings: parse<PersonBody>(member).recordings, retentionDays })
      for (const row of await store.rows('assignment').list({ class_id: member.class_id, deleted_at: null })) {
        const body = parse<AssignmentBody>(row)
        const rules = this.#rules(body, member.id)
        const attempts = (await store.rows('attempt').list({ assignment_id: row.id, class_person_id: member.id })).filter(
          ({ state }) => state !== 'cancelled',
        )
        const grades = await store.rows('grade').list({ assignment_id: row.id, class_person_id: member.id })
        const { what } = body.settings
        const plan = what.kind === 'drill' ? what.blueprint : what
        view.due.push({
          id: row.id,
          title: body.settings.title,
          className,
          mode: plan.mode,
          tasks: body.tasks,
          minutes: plan.minutes + rules.extraMinutes,
          passMark: plan.passMark,
          attempts: rules.attempts,
          window: {
            state: standing(rules, attempts.length, now),
            opensAt: rules.opensAt,
            closesAt: rules.closesAt === null ? null : rules.closesAt + rules.extraMinutes * minute,
            endsAt: endsFor(rules),
            zone: body.settings.zone,
            extraMinutes: rules.extraMinutes,
            late: rules.late,
          },
          resultsAt: this.#resultsAt(body),
          done: await Promise.all(
            attempts
              .sort((a, b) => a.number - b.number)
              .map(async (attempt) => {
                const found = grades.find((one) => one.attempt_id === attempt.id)
                const closed = found !== undefined && parse<GradeBody>(found).closed === true
                const grade = closed ? undefined : found
                const record = await drills.record(attempt.drill_id)
                return {
                  id: attempt.id,
                  number: attempt.number,
                  drill: attempt.drill_id,
                  state: record?.state ?? ('ended' as const),
                  startedAt: Number(attempt.started_at),
                  grade: grade?.id ?? null,
                  score: grade?.score ?? null,
                  closed,
                }
              }),
          ),
        })
      }
    }
    const shown = new Set(view.due.flatMap(({ done }) => done.map(({ grade }) => grade)))
    for (const grade of await store.rows('grade').list({ person_id: me.id })) {
      if (shown.has(grade.id)) continue
      const { className, closed, title } = parse<GradeBody>(grade)
      if (closed) continue
      view.past.push({ grade: grade.id, title, className, score: grade.score, gradedAt: Number(grade.graded_at) })
    }
    view.due.sort(
      (a, b) =>
        (a.window.closesAt ?? Number.POSITIVE_INFINITY) - (b.window.closesAt ?? Number.POSITIVE_INFINITY) || a.title.localeCompare(b.title),
    )
    return view
  }
  /** Joins a class or does not; later: changes what one has agreed to. @throws LabError not-found, conflict */
  async answer(me: Person, membership: string, { accept, recordings }: { accept: boolean; recordings: boolean }): Promise<DueView> {
    const { store } = this.#options
    await this.#turn(`member ${membership}`, async () => {
      const row = (await this.#mine(me)).find(({ id }) => id === membership)
      if (row === undefined)
        throw fail(
          'not-found',
          say('There is no such invitation for this account.', '이 계정에는 그런 초대가 없습니다.'),
          say('Sign in with the address that your instructor has on the class list.', '강사의 명단에 있는 주소로 로그인하십시오.'),
        )
      const body = parse<PersonBody>(row)
      await store.rows('class_person').update(row.id, {
        state: accept ? 'joined' : 'declined',
        person_id: accept ? me.id : row.person_id,
        body: JSON.stringify({ ...body, recordings: accept && recordings }),
      })
      this.#audit(me, accept ? 'class.join' : 'class.decline', { class: row.class_id, member: row.id, recordings: accept && recordings })
    })
    return this.due(me)
  }
  /** Instructors who were added by the address of their account find their classes. */
  async bind(me: Person): Promise<void> {
    if (me.role === 'learner') return
    for (const row of await this.#mine(me, 'instructor'))
      if (row.person_id === null)
        await this.#options.store
          .rows('class_person')
          .update(row.id, { person_id: me.id, state: 'joined', body: JSON.stringify({ ...parse<PersonBody>(row), name: me.name }) })
  }

  /**
   * Begins an attempt, or goes on with the one that runs.
   * @throws LabError not-found, conflict outside of its window or when its attempts are used up; what `Drills.start` throws
   */
  async start(me: Person, assignmentId: string): Promise<{ id: string }> {
    const { drills, store } = this.#options
    return this.#turn(`start ${me.id}`, async () => {
      const row = await store.rows('assignment').get(assignmentId)
      const member =
        row === null
          ? undefined
          : (await store.rows('class_person').list({ class_id: row.class_id, part: 'learner', person_id: me.id, state: 'joined' }))[0]
      if (row === null || row.deleted_at !== null || member === undefined) throw noAssignment()
      const body = parse<AssignmentBody>(row)
      const rules = this.#rules(body, member.id)
      const attempts = (await store.rows('attempt').list({ assignment_id: row.id, class_person_id: member.id })).filter(
        ({ state }) => state !== 'cancelled',
      )
      for (const attempt of attempts) {
        const record = alive(attempt.state) ? await drills.record(attempt.drill_id) : null
        if (record !== null && alive(record.state)) return { id: record.id }
      }
      const where = { zone: body.settings.zone }
      const at = (moment: number) => `${localOf(moment, where.zone).replace('T', ' ')} (${where.zone})`
      switch (standing(rules, attempts.length, this.#now)) {
        case 'not-open':
          throw fail(
            'conflict',
            say(`This assignment opens at ${at(rules.opensAt)}.`, `이 과제는 ${at(rules.opensAt)}에 열립니다.`),
            say('Come back then.', '그때 다시 오십시오.'),
          )
        case 'closed':
          throw fail(
            'conflict',
            say(`This assignment closed at ${at(endsFor(rules) ?? 0)}.`, `이 과제는 ${at(endsFor(rules) ?? 0)}에 마감되었습니다.`),
            say('Ask your instructor for more time.', '강사에게 시간을 더 달라고 하십시오.'),
          )
        case 'used-up':
          throw fail(
            'conflict',
            say(`You have used all ${rules.attempts} attempts.`, `응시 ${rules.attempts}회를 모두 썼습니다.`),
            say('The best of them counts.', '그중 가장 높은 점수를 인정합니다.'),
          )
        default:
      }
      const number = attempts.reduce((most, attempt) => Math.max(most, attempt.number), 0) + 1
      const blueprint = this.#blueprint(body.settings, body.seed, me.id, number)
      const { title } = body.settings
      const { id } = await drills.start(me.id, blueprint, body.settings.backend ?? undefined, {
        assignment: row.id,
        name: say(title, title),
        ...this.#terms(body, member.id, 0),
      })
      await this.#keepAttempt(row, member.id, me.id, id, number)
      return { id }
    })
  }
  async #keepAttempt(assignment: AssignmentRow, member: string, person: string, drill: string, number: number): Promise<AttemptRow> {
    const row: AttemptRow = {
      id: newId(),
      assignment_id: assignment.id,
      class_id: assignment.class_id,
      class_person_id: member,
      person_id: person,
      drill_id: drill,
      number,
      state: 'running',
      started_at: this.#now,
      body: JSON.stringify({ extraMs: 0, help: null, hints: {} } satisfies AttemptBody),
    }
    await this.#options.store.rows('attempt').insert(row)
    return row
  }
  async #change(attempt: string, change: (body: AttemptBody) => AttemptBody): Promise<void> {
    await this.#turn(`attempt ${attempt}`, async () => {
      const row = await this.#options.store.rows('attempt').get(attempt)
      if (row !== null) await this.#options.store.rows('attempt').update(attempt, { body: JSON.stringify(change(parse(row))) })
    })
  }

  // ---- grades

  /** A drill has ended: its grade is written, once. */
  #settle(record: DrillRecord): Promise<void> {
    return this.#turn(`settle ${record.id}`, async () => {
      const { sessions, store } = this.#options
      const assignment = await store.rows('assignment').get(record.terms?.assignment ?? '')
      if (assignment === null) return
      const members = await store.rows('class_person').list({ class_id: assignment.class_id, part: 'learner', person_id: record.user })
      let attempt = (await store.rows('attempt').list({ drill_id: record.id }))[0]
      // The server may have ended between the start of a drill and the note of it.
      if (attempt === undefined) {
        if (members[0] === undefined) return
        const before = await store.rows('attempt').list({ assignment_id: assignment.id, person_id: record.user })
        attempt = await this.#keepAttempt(assignment, members[0].id, record.user, record.id, before.length + 1)
      }
      if (record.state === 'cancelled') {
        await store.rows('attempt').update(attempt.id, { state: 'cancelled' })
        return
      }
      if (record.state !== 'ended' || record.startedAt === null || record.endedAt === null) return
      if ((await store.rows('grade').list({ attempt_id: attempt.id })).length === 0) {
        const body = parse<AssignmentBody>(assignment)
        const hints = parse<AttemptBody>(attempt).hints
        const member = members.find(({ id }) => id === attempt.class_person_id)
        const person = member === undefined ? { name: record.user, externalId: '' } : parse<PersonBody>(member)
        const classRow = await store.rows('class').get(assignment.class_id)
        const tasks: GradeTask[] = []
        for (const [index, task] of record.tasks.entries()) {
          const report = task.session === null ? null : await sessions.reportOf(task.session)
          tasks.push({
            number: index + 1,
            scenario: task.scenario,
            title: task.title,
            domain: task.domain,
            weight: task.weight,
            score: task.verdict?.score ?? null,
            evaluated: task.verdict?.evaluated ?? 0,
            remark: task.verdict?.remark ?? null,
            session: task.session,
            spentMs: Math.round(task.spentMs),
            hints: (report?.hintsShown ?? 0) + (hints[index + 1] ?? 0),
            checks: report?.checks ?? [],
          })
        }
        const result = scoreOf(tasks, record.blueprint.passMark)
        // What was lost on our side is no lateness of theirs.
        const handedInAt = record.endedAt - covered(record.outages, record.startedAt, record.endedAt)
        const rules = this.#rules(body, attempt.class_person_id)
        const given = parse<AttemptBody>(attempt).extraMs
        const penalty = penaltyOf(rules, handedInAt - given)
        await store.rows('grade').insert({
          id: newId(),
          class_id: assignment.class_id,
          assignment_id: assignment.id,
          class_person_id: attempt.class_person_id,
          person_id: record.user,
          attempt_id: attempt.id,
          graded_at: this.#now,
          score: reduced(result.score, penalty),
          body: JSON.stringify({
            className: classRow === null ? '' : parse<ClassBody>(classRow).name,
            title: body.settings.title,
            person: { name: person.name, email: member?.email ?? '', externalId: person.externalId },
            attempt: attempt.number,
            drill: record.id,
            startedAt: record.startedAt,
            handedInAt: record.endedAt,
            timedOut: record.timedOut,
            raw: result.score,
            penalty,
            passMark: record.blueprint.passMark,
            leftOut: result.leftOut,
            tasks,
            history: [],
            disputes: [],
            forgotten: false,
            closed: record.terms?.resultsAt != null,
          } satisfies GradeBody),
        })
      }
      await store.rows('attempt').update(attempt.id, { state: 'ended' })
    }).then(() => {
      // Also where its own were open: it may have been the last that others waited for.
      const { assignment } = record.terms!
      return this.#openResults(assignment).catch((thrown: unknown) => this.#notOpened(assignment, thrown))
    })
  }
  /** @throws LabError not-found for whoever neither got it nor teaches the class */
  async grade(me: Person, id: string): Promise<GradeView> {
    const row = await this.#options.store.rows('grade').get(id)
    const teaches = row !== null && (await this.#teaches(me, row.class_id))
    if (row === null || (row.person_id !== me.id && !teaches)) throw noGrade()
    const body = parse<GradeBody>(row)
    if (body.closed && !teaches) {
      const assignment = await this.#options.store.rows('assignment').get(row.assignment_id)
      const of = assignment === null ? null : parse<AssignmentBody>(assignment)
      const at = of === null ? null : this.#resultsAt(of)
      const when = of === null || at === null ? null : `${localOf(at, of.settings.zone).replace('T', ' ')} (${of.settings.zone})`
      throw fail(
        'forbidden',
        when === null || at! <= this.#now
          ? say('The results open when the last of the class has handed in.', '마지막 응시자가 제출하면 결과가 공개됩니다.')
          : say(
              `The results open at ${when}, when the window has closed for everybody.`,
              `결과는 모두의 응시가 끝나는 ${when}에 공개됩니다.`,
            ),
        say('The page of assignments shows them then.', '그때 과제 화면에 나타납니다.'),
      )
    }
    const own = row.person_id === me.id
    const member = await this.#options.store.rows('class_person').get(row.class_person_id)
    const agreed = own || (member !== null && parse<PersonBody>(member).recordings)
    const recordings: GradeView['recordings'] = []
    if (agreed && !body.forgotten)
      for (const task of body.tasks)
        if (task.session !== null)
          for (const { id: terminal } of await this.#options.sessions.recorded(task.session))
            recordings.push({ session: task.session, terminal, task: task.number })
    const { closed: _, disputes, forgotten: __, drill: ___, ...rest } = body
    return {
      ...rest,
      id,
      classId: row.class_id,
      assignment: row.assignment_id,
      gradedAt: Number(row.graded_at),
      score: row.score,
      disputes,
      recordings,
      may: { dispute: own && disputes.length < 10 && disputes.every(({ answer }) => answer !== null), answer: teaches && !own },
    }
  }
  /** File of a recording of an attempt, for its learner, and for who teaches if the learner has agreed. @throws LabError not-found */
  async recording(me: Person, id: string, session: string, terminal: number): Promise<string> {
    const view = await this.grade(me, id)
    const found = view.recordings.some((one) => one.session === session && one.terminal === terminal)
    const file = found ? (await this.#options.sessions.recorded(session)).find((one) => one.id === terminal)?.file : undefined
    if (file === undefined)
      throw fail(
        'not-found',
        say(
          'There is no such recording, or its learner has not agreed that it is seen.',
          '녹화가 없거나 학생이 열람에 동의하지 않았습니다.',
        ),
        say('The evidence of each check is on the grade’s page.', '각 검사의 근거는 성적 화면에 있습니다.'),
      )
    this.#audit(me, 'recording.see', { grade: id, session, terminal })
    return file
  }
  /** @throws LabError not-found, conflict, forbidden, rate-limited */
  async actOnGrade(me: Person, id: string, action: GradeAction): Promise<GradeView> {
    const { store } = this.#options
    this.#mayWrite(me)
    await this.#turn(`grade ${id}`, async () => {
      const view = await this.grade(me, id)
      const row = await store.rows('grade').get(id)
      if (row === null) throw noGrade()
      const body = parse<GradeBody>(row)
      if (action.type === 'dispute') {
        if (row.person_id !== me.id)
          throw fail(
            'forbidden',
            say('Only whose grade it is may dispute it.', '본인만 이의를 제기할 수 있습니다.'),
            say('Answer disputes here.', '여기서는 이의에 답할 수 있습니다.'),
          )
        if (!view.may.dispute)
          throw fail(
            'conflict',
            say('A dispute about this grade waits for its answer.', '답변을 기다리는 이의가 있습니다.'),
            say('Your instructor sees it on the page of the class.', '강사가 수업 화면에서 봅니다.'),
          )
        body.disputes.push({
          id: newId(),
          at: this.#now,
          text: action.text,
          score: row.score,
          evidence: body.tasks.flatMap((task) =>
            task.checks.map(({ actual, expected, title, verdict }) => ({
              task: task.number,
              title: task.title,
              check: title,
              verdict,
              expected,
              actual,
            })),
          ),
          answer: null,
        })
      } else {
        const dispute = body.disputes.find((one) => one.id === action.dispute)
        if (!view.may.answer)
          throw fail(
            'forbidden',
            say('Only who teaches the class may answer.', '수업의 강사만 답할 수 있습니다.'),
            say('Wait for the answer.', '답변을 기다리십시오.'),
          )
        if (dispute === undefined) throw noGrade()
        dispute.answer = { at: this.#now, by: me.name, text: action.text }
      }
      await store.rows('grade').update(id, { body: JSON.stringify(body) })
      this.#audit(me, `grade.${action.type}`, { grade: id })
    })
    return this.grade(me, id)
  }

  /**
   * The verdicts of all attempts of a class, or of one assignment, again: by the checks as they are now, on what was recorded then.
   * @param apply without it nothing is changed
   * @throws LabError not-found
   */
  async regrade(me: Person, classId: string, { apply, assignment }: { apply: boolean; assignment: string | null }): Promise<Regrade> {
    const { sessions, store } = this.#options
    await this.#class(me, classId)
    const grades = (
      await store.rows('grade').list({ class_id: classId, ...(assignment === null ? {} : { assignment_id: assignment }) })
    ).sort((a, b) => a.graded_at - b.graded_at)
    const result: Regrade = { applied: apply, looked: grades.length, attempts: [] }
    for (const { id } of grades)
      await this.#turn(`grade ${id}`, async () => {
        const row = await store.rows('grade').get(id)
        if (row === null) return
        const body = parse<GradeBody>(row)
        const said: Regrade['attempts'][number]['tasks'] = []
        const tasks: GradeTask[] = []
        for (const task of body.tasks) {
          const keep = (impossible: Text | null) => {
            tasks.push(task)
            if (impossible !== null)
              said.push({ number: task.number, title: task.title, before: task.score, after: task.score, changed: [], impossible })
          }
          // What was never graded has nothing to be graded again.
          if (task.session === null || task.checks.length === 0) {
            keep(null)
            continue
          }
          const again = await sessions.regrade(task.session, task.checks)
          if ('impossible' in again) {
            keep(again.impossible)
            continue
          }
          const { grade } = again
          const evaluated = grade.totalWeight <= 0 ? 0 : grade.evaluatedWeight / grade.totalWeight
          const changed = grade.checks.flatMap((check) => {
            const before = task.checks.find((one) => one.id === check.id)
            return before?.verdict === check.verdict
              ? []
              : [{ id: check.id, title: check.title, before: before?.verdict ?? '', after: check.verdict }]
          })
          tasks.push({ ...task, score: grade.score, evaluated, checks: grade.checks })
          if (changed.length > 0 || grade.score !== task.score)
            said.push({ number: task.number, title: task.title, before: task.score, after: grade.score, changed, impossible: null })
        }
        if (said.length === 0) return
        const scored = scoreOf(tasks, body.passMark)
        const after = reduced(scored.score, body.penalty)
        result.attempts.push({
          grade: id,
          person: body.person.name,
          title: body.title,
          attempt: body.attempt,
          before: row.score,
          after,
          tasks: said,
        })
        if (!apply || said.every(({ impossible }) => impossible !== null)) return
        const history = [...body.history, { at: this.#now, by: me.name, before: row.score, after, tasks: said }].slice(-50)
        await store.rows('grade').update(id, {
          score: after,
          body: JSON.stringify({ ...body, raw: scored.score, leftOut: scored.leftOut, tasks, history } satisfies GradeBody),
        })
      })
    if (apply) this.#audit(me, 'class.regrade', { class: classId, assignment, attempts: result.attempts.length })
    return result
  }

  /** Of a class that is deleted as well. @throws LabError not-found */
  async gradebook(me: Person, classId: string): Promise<Gradebook> {
    const { store } = this.#options
    const { body, row } = await this.#class(me, classId)
    const members = await this.#members(classId)
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
    this.#audit(me, 'gradebook.export', { class: classId })
    return bookCsv(book, locale)
  }
  /** @throws LabError not-found */
  async items(me: Person, classId: string): Promise<ItemsView> {
    const { body } = await this.#class(me, classId)
    const grades = await this.#options.store.rows('grade').list({ class_id: classId })
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

  // ---- the board

  async #attempts(assignmentId: string): Promise<AttemptRow[]> {
    return this.#options.store.rows('attempt').list({ assignment_id: assignmentId })
  }
  /** @throws LabError not-found */
  async board(me: Person, id: string): Promise<BoardView> {
    const { body, of, row } = await this.#assignment(me, id)
    const { store } = this.#options
    const attempts = await this.#attempts(id)
    const grades = await store.rows('grade').list({ assignment_id: id })
    const learners: BoardView['learners'] = []
    for (const member of await this.#members(row.class_id)) {
      const newest = attempts
        .filter((one) => one.class_person_id === member.id && one.state !== 'cancelled')
        .sort((a, b) => b.number - a.number)[0]
      const grade = newest === undefined ? undefined : grades.find((one) => one.attempt_id === newest.id)
      learners.push({
        member: member.id,
        name: parse<PersonBody>(member).name,
        joined: member.state === 'joined',
        extraMinutes: body.extra[member.id] ?? 0,
        attempt: newest === undefined ? null : await this.#boardAttempt(newest, grade),
      })
    }
    return {
      now: this.#now,
      assignment: id,
      title: body.settings.title,
      classId: row.class_id,
      className: of.name,
      deletedAt: row.deleted_at === null ? null : Number(row.deleted_at),
      window: { opensAt: body.opensAt, closesAt: body.closesAt, zone: body.settings.zone },
      learners,
      messages: await this.#messages(id, () => true),
    }
  }
  async #boardAttempt(attempt: AttemptRow, grade: GradeRow | undefined): Promise<BoardAttempt | null> {
    const { drills, sessions } = this.#options
    const record = await drills.record(attempt.drill_id)
    if (record === null) return null
    const view = await drills.seen(attempt.drill_id)
    const { help, hints } = parse<AttemptBody>(attempt)
    const open = view.tasks.find(({ number }) => number === view.current)
    const lab = (number: number): Session | undefined => {
      const session = record.tasks[number - 1]?.session
      return session == null ? undefined : sessions.live(session)
    }
    const tasks = view.tasks.map(({ number, state, title }): BoardAttempt['tasks'][number] => {
      const session = lab(number)
      const shown = session?.view()
      return {
        number,
        title,
        state,
        session: session?.id ?? null,
        // Only of the open task: each watch is work for its cluster.
        checks:
          number === view.current && session !== undefined
            ? (session.checks()?.map(({ id, role, state: now, title: words }) => ({ id, role, state: now, title: words })) ?? null)
            : null,
        terminals:
          shown?.terminals.filter((one) => one.state !== 'closed').map(({ id, place, title: name }) => ({ id, place, title: name })) ?? [],
        hints: { given: (hints[number] ?? 0) + (shown?.hints.shown.length ?? 0), total: session?.hints.length ?? 0 },
        company: session?.company.view() ?? { watchers: [], drive: null },
      }
    })
    const checks = open === undefined ? null : (tasks[open.number - 1]?.checks ?? null)
    return {
      id: attempt.id,
      number: attempt.number,
      state: view.state,
      endsAt: view.endsAt,
      stopped: view.stopped,
      current: view.current,
      tasks,
      check: checks?.find(({ role, state }) => role === 'goal' && state !== 'passing')?.title ?? null,
      quietSince: view.state === 'running' && open !== undefined ? (lab(open.number)?.quietSince() ?? null) : null,
      help,
      score: grade?.score ?? null,
      grade: grade?.id ?? null,
    }
  }
  async #messages(assignment: string, mine: (to: string | null, at: number) => boolean): Promise<Message[]> {
    const rows = await this.#options.store.rows('class_message').list({ assignment_id: assignment })
    return rows
      .filter((row) => mine(row.attempt_id, Number(row.at)))
      .sort((a, b) => a.at - b.at)
      .slice(-100)
      .map((row) => ({ id: row.id, at: Number(row.at), to: row.attempt_id, ...parse<MessageBody>(row) }))
  }
  async #tell(assignment: string, attempt: string | null, body: MessageBody): Promise<void> {
    const { store } = this.#options
    await store
      .rows('class_message')
      .insert({ id: newId(), assignment_id: assignment, attempt_id: attempt, at: this.#now, body: JSON.stringify(body) })
    const all = await store.rows('class_message').list({ assignment_id: assignment })
    for (const old of all.sort((a, b) => b.at - a.at).slice(classLimits.messages)) await store.rows('class_message').remove({ id: old.id })
  }
  /** The lab of a task of an attempt, while it lives. @throws LabError not-found, conflict */
  async #lab(assignment: string, attemptId: string, task: number): Promise<{ attempt: AttemptRow; session: Session; record: DrillRecord }> {
    const attempt = await this.#options.store.rows('attempt').get(attemptId)
    const record = attempt === null || attempt.assignment_id !== assignment ? null : await this.#options.drills.record(attempt.drill_id)
    if (attempt === null || record === null || record.tasks[task - 1] === undefined) throw noAssignment()
    const found = record.tasks[task - 1]!.session
    const session = found === null ? undefined : this.#options.sessions.live(found)
    if (session === undefined || record.state !== 'running')
      throw fail(
        'conflict',
        say(
          'There is no lab of this task now: it has not begun, or it is handed in.',
          '이 문제의 실습이 지금은 없습니다. 시작하지 않았거나 제출했습니다.',
        ),
        say('Choose the task that is open.', '열려 있는 문제를 고르십시오.'),
      )
    return { attempt, session, record }
  }
  /** @throws LabError not-found, conflict, rate-limited */
  async actOnBoard(me: Person, id: string, action: BoardAction): Promise<BoardView> {
    await this.#assignment(me, id)
    if (action.type === 'message' || action.type === 'hint') this.#mayWrite(me)
    const attempts = (await this.#attempts(id)).filter(({ state }) => alive(state))
    const chosen = (wanted: string | null) => {
      const found = wanted === null ? attempts : attempts.filter((one) => one.id === wanted)
      if (found.length === 0)
        throw fail(
          'conflict',
          say('Nobody sits it now.', '지금 응시 중인 사람이 없습니다.'),
          say('Load the board again.', '현황판을 새로 여십시오.'),
        )
      return found
    }
    switch (action.type) {
      case 'message':
        if (action.attempt !== null) chosen(action.attempt)
        await this.#tell(id, action.attempt, { from: me.name, kind: 'message', task: null, text: say(action.text, action.text) })
        break
      case 'hint': {
        const { attempt, session } = await this.#lab(id, action.attempt, action.task)
        const given = parse<AttemptBody>(attempt).hints[action.task] ?? 0
        const hint = session.hints[given + session.view().hints.shown.length]
        if (hint === undefined)
          throw fail(
            'conflict',
            say('All hints of this task have been given.', '이 문제의 힌트를 모두 주었습니다.'),
            say('Write a message.', '메시지를 쓰십시오.'),
          )
        await this.#change(attempt.id, (body) => ({ ...body, hints: { ...body.hints, [action.task]: given + 1 } }))
        await this.#tell(id, attempt.id, { from: me.name, kind: 'hint', task: action.task, text: hint })
        break
      }
      case 'extra-time':
        for (const attempt of chosen(action.attempt)) {
          if (parse<AttemptBody>(attempt).extraMs + action.minutes * minute > classLimits.extraMinutes * minute)
            throw tooMany(say('Minutes given to one attempt', '한 응시에 더 준 시간(분)'), classLimits.extraMinutes)
          await this.#change(attempt.id, (body) => ({ ...body, extraMs: body.extraMs + action.minutes * minute }))
          if (await this.#retime(attempt))
            await this.#tell(id, attempt.id, {
              from: me.name,
              kind: 'extra-time',
              task: null,
              text: say(`You have ${action.minutes} more minutes.`, `시간을 ${action.minutes}분 더 받았습니다.`),
            })
        }
        break
      case 'ask-drive': {
        const { session } = await this.#lab(id, action.attempt, action.task)
        if (!session.company.ask(me.id, me.name))
          throw fail(
            'conflict',
            say('Somebody else types here, or asks to.', '다른 사람이 입력하고 있거나 요청했습니다.'),
            say('Wait until they are done.', '끝날 때까지 기다리십시오.'),
          )
        break
      }
      case 'stop-drive':
        ;(await this.#lab(id, action.attempt, action.task)).session.company.refuse()
        break
      case 'helped':
        for (const attempt of chosen(action.attempt)) await this.#change(attempt.id, (body) => ({ ...body, help: null }))
        break
    }
    this.#audit(me, `board.${action.type}`, {
      assignment: id,
      attempt: action.attempt,
      ...('task' in action ? { task: action.task } : {}),
      ...('minutes' in action ? { minutes: action.minutes } : {}),
    })
    return this.board(me, id)
  }
  /** The session of a task that `me` may look at, and whose it is. @throws LabError not-found, conflict */
  async watch(
    me: Person,
    id: string,
    { attempt: attemptId, task }: { attempt: string; task: number },
  ): Promise<{ session: string; owner: string }> {
    await this.#assignment(me, id)
    const { attempt, session } = await this.#lab(id, attemptId, task)
    this.#audit(me, 'board.watch', { assignment: id, attempt: attemptId, task, session: session.id })
    return { session: session.id, owner: attempt.person_id }
  }

  // ---- the learner's side of it

  async #sitting(me: Person, drill: string): Promise<{ attempt: AttemptRow; record: DrillRecord }> {
    const attempt = (await this.#options.store.rows('attempt').list({ drill_id: drill, person_id: me.id }))[0]
    const record = attempt === undefined ? null : await this.#options.drills.record(drill)
    if (attempt === undefined || record === null)
      throw fail(
        'not-found',
        say('This drill belongs to no assignment of yours.', '과제로 낸 시험이 아닙니다.'),
        say('The page of assignments lists them.', '과제 화면에 목록이 있습니다.'),
      )
    return { attempt, record }
  }
  /** @throws LabError not-found */
  async room(me: Person, drill: string): Promise<RoomView> {
    const { store } = this.#options
    const { attempt, record } = await this.#sitting(me, drill)
    const assignment = await store.rows('assignment').get(attempt.assignment_id)
    const classRow = await store.rows('class').get(attempt.class_id)
    return {
      now: this.#now,
      title: assignment === null ? '' : parse<AssignmentBody>(assignment).settings.title,
      className: classRow === null ? '' : parse<ClassBody>(classRow).name,
      help: parse<AttemptBody>(attempt).help,
      messages: await this.#messages(
        attempt.assignment_id,
        (to, at) => to === attempt.id || (to === null && at >= Number(attempt.started_at)),
      ),
      company: record.tasks.flatMap((task, index) => {
        const session = task.session === null ? undefined : this.#options.sessions.live(task.session)
        const company = session?.company.view()
        return company === undefined || (company.watchers.length === 0 && company.drive === null)
          ? []
          : [{ task: index + 1, session: session!.id, company }]
      }),
    }
  }
  /** @throws LabError not-found, conflict, rate-limited */
  async actInRoom(me: Person, drill: string, action: RoomAction): Promise<RoomView> {
    const { attempt } = await this.#sitting(me, drill)
    switch (action.type) {
      case 'help':
        this.#mayWrite(me)
        await this.#change(attempt.id, (body) => ({ ...body, help: { at: body.help?.at ?? this.#now, text: action.text } }))
        break
      case 'no-help':
        await this.#change(attempt.id, (body) => ({ ...body, help: null }))
        break
      case 'allow': {
        const { session } = await this.#lab(attempt.assignment_id, attempt.id, action.task)
        const who = session.company.allow()
        if (who === null)
          throw fail(
            'conflict',
            say('Nobody asks to type here any more.', '입력을 요청한 사람이 더 이상 없습니다.'),
            say('Go on.', '계속하십시오.'),
          )
        this.#audit(me, 'drive.allow', { attempt: attempt.id, task: action.task, session: session.id, to: who.by, name: who.name })
        break
      }
      case 'refuse': {
        const { session } = await this.#lab(attempt.assignment_id, attempt.id, action.task)
        const who = session.company.refuse()
        if (who !== null)
          this.#audit(me, 'drive.refuse', { attempt: attempt.id, task: action.task, session: session.id, to: who.by, name: who.name })
        break
      }
    }
    return this.room(me, drill)
  }

  // ---- the server's life

  /** After a restart, and the drills have been found again: what ended meanwhile gets its grade. */
  async recall(): Promise<void> {
    const { drills, log, store } = this.#options
    for (const attempt of await store.rows('attempt').list({ state: 'running' })) {
      const record = await drills.record(attempt.drill_id)
      if (record !== null && !alive(record.state))
        await this.#settle(record).catch((thrown: unknown) =>
          log.error({ drill: record.id, error: asLabError(thrown).message }, 'a grade could not be stored yet'),
        )
    }
    for (const row of await store.rows('assignment').list({}))
      if (parse<AssignmentBody>(row).settings.results === 'close')
        await this.#openResults(row.id).catch((thrown: unknown) => this.#notOpened(row.id, thrown))
    this.#sweepLater()
  }
  #sweepLater(): void {
    if (this.#closed) return
    this.#cancelSweep = this.#options.clock.after(this.#options.sweepMs ?? 3_600_000, () => {
      this.sweep()
        .catch((thrown: unknown) => this.#options.log.error({ error: asLabError(thrown).message }, 'recordings could not be swept'))
        .finally(() => this.#sweepLater())
    })
  }
  /** Removes recordings, and what the grader saw, of attempts whose class no longer keeps them. Grades and their evidence in words stay. */
  async sweep(): Promise<number> {
    const { sessions, store } = this.#options
    let removed = 0
    for (const classRow of await store.rows('class').list({})) {
      const { retentionDays } = parse<ClassBody>(classRow)
      const oldest = this.#now - retentionDays * 24 * 60 * minute
      for (const grade of await store.rows('grade').list({ class_id: classRow.id })) {
        if (grade.graded_at > oldest || parse<GradeBody>(grade).forgotten) continue
        await this.#turn(`grade ${grade.id}`, async () => {
          const body = parse<GradeBody>((await store.rows('grade').get(grade.id)) ?? grade)
          for (const { session } of body.tasks) if (session !== null) await sessions.forgetRecordings(session)
          await store.rows('grade').update(grade.id, { body: JSON.stringify({ ...body, forgotten: true } satisfies GradeBody) })
          removed += 1
        })
      }
    }
    return removed
  }
  async close(): Promise<void> {
    this.#closed = true
    this.#cancelSweep?.()
    for (const cancel of this.#opening.values()) cancel()
    await Promise.allSettled(this.#turns.values())
  }
}
