// Attempts: what a member has to do, the drill that an attempt is, and the grade that is written when it has ended. The server's clock decides.
// Invariants: one attempt at a time per person and assignment, whatever tabs ask; a grade is written once per attempt.
import { covered, type DrillRecord, scoreOf } from '#lib/exam/index.ts'
import type { DueView, GradeTask } from '#lib/protocol/index.ts'
import type { AssignmentRow, AttemptRow } from '#lib/store/index.ts'
import { type Assignments, termsOf } from './assignments.ts'
import type { Classes } from './classes.ts'
import { alive, type Ground, minute, newId, type Person, parse, rulesOf } from './ground.ts'
import {
  type AssignmentBody,
  type AttemptBody,
  type ClassBody,
  fail,
  type GradeBody,
  noAssignment,
  type PersonBody,
  say,
} from './records.ts'
import { type Results, resultsAt } from './results.ts'
import { endsFor, localOf, penaltyOf, reduced, standing } from './window.ts'

export class Attempts {
  readonly #ground: Ground
  readonly #assignments: Assignments
  readonly #results: Results
  readonly #classes: Classes

  constructor(ground: Ground, assignments: Assignments, results: Results, classes: Classes) {
    this.#ground = ground
    this.#assignments = assignments
    this.#results = results
    this.#classes = classes
  }

  /** What waits for an answer, what is due, what was. Instructors who were added by address are bound here too. */
  async due(me: Person): Promise<DueView> {
    const { drills, store } = this.#ground.options
    const now = this.#ground.now
    const view: DueView = { now, invitations: [], classes: [], due: [], past: [] }
    for (const member of await this.#classes.mine(me)) {
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
        const rules = rulesOf(body, member.id)
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
          resultsAt: resultsAt(body),
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
    const { store } = this.#ground.options
    await this.#ground.turn(`member ${membership}`, async () => {
      const row = (await this.#classes.mine(me)).find(({ id }) => id === membership)
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
      this.#ground.audit(me, accept ? 'class.join' : 'class.decline', {
        class: row.class_id,
        member: row.id,
        recordings: accept && recordings,
      })
    })
    return this.due(me)
  }
  /**
   * Begins an attempt, or goes on with the one that runs.
   * @throws LabError not-found, conflict outside of its window or when its attempts are used up; what `Drills.start` throws
   */
  async start(me: Person, assignmentId: string): Promise<{ id: string }> {
    const { drills, store } = this.#ground.options
    return this.#ground.turn(`start ${me.id}`, async () => {
      const row = await store.rows('assignment').get(assignmentId)
      const member =
        row === null
          ? undefined
          : (await store.rows('class_person').list({ class_id: row.class_id, part: 'learner', person_id: me.id, state: 'joined' }))[0]
      if (row === null || row.deleted_at !== null || member === undefined) throw noAssignment()
      const body = parse<AssignmentBody>(row)
      const rules = rulesOf(body, member.id)
      const attempts = (await store.rows('attempt').list({ assignment_id: row.id, class_person_id: member.id })).filter(
        ({ state }) => state !== 'cancelled',
      )
      for (const attempt of attempts) {
        const record = alive(attempt.state) ? await drills.record(attempt.drill_id) : null
        if (record !== null && alive(record.state)) return { id: record.id }
      }
      const where = { zone: body.settings.zone }
      const at = (moment: number) => `${localOf(moment, where.zone).replace('T', ' ')} (${where.zone})`
      switch (standing(rules, attempts.length, this.#ground.now)) {
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
      const blueprint = this.#assignments.blueprint(body.settings, body.seed, me.id, number)
      const { title } = body.settings
      const { id } = await drills.start(me.id, blueprint, body.settings.backend ?? undefined, {
        assignment: row.id,
        name: say(title, title),
        ...termsOf(body, member.id, 0),
      })
      await this.#keep(row, member.id, me.id, id, number)
      return { id }
    })
  }
  async #keep(assignment: AssignmentRow, member: string, person: string, drill: string, number: number): Promise<AttemptRow> {
    const row: AttemptRow = {
      id: newId(),
      assignment_id: assignment.id,
      class_id: assignment.class_id,
      class_person_id: member,
      person_id: person,
      drill_id: drill,
      number,
      state: 'running',
      started_at: this.#ground.now,
      body: JSON.stringify({ extraMs: 0, help: null, hints: {} } satisfies AttemptBody),
    }
    await this.#ground.options.store.rows('attempt').insert(row)
    return row
  }
  async change(attempt: string, change: (body: AttemptBody) => AttemptBody): Promise<void> {
    await this.#ground.turn(`attempt ${attempt}`, async () => {
      const row = await this.#ground.options.store.rows('attempt').get(attempt)
      if (row !== null) await this.#ground.options.store.rows('attempt').update(attempt, { body: JSON.stringify(change(parse(row))) })
    })
  }
  /** A drill has ended: its grade is written, once. */
  async settle(record: DrillRecord): Promise<void> {
    await this.#ground.turn(`settle ${record.id}`, async () => {
      const { sessions, store } = this.#ground.options
      const assignment = await store.rows('assignment').get(record.terms?.assignment ?? '')
      if (assignment === null) return
      const members = await store.rows('class_person').list({ class_id: assignment.class_id, part: 'learner', person_id: record.user })
      let attempt = (await store.rows('attempt').list({ drill_id: record.id }))[0]
      // The server may have ended between the start of a drill and the note of it.
      if (attempt === undefined) {
        if (members[0] === undefined) return
        const before = await store.rows('attempt').list({ assignment_id: assignment.id, person_id: record.user })
        attempt = await this.#keep(assignment, members[0].id, record.user, record.id, before.length + 1)
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
        const rules = rulesOf(body, attempt.class_person_id)
        const given = parse<AttemptBody>(attempt).extraMs
        const penalty = penaltyOf(rules, handedInAt - given)
        await store.rows('grade').insert({
          id: newId(),
          class_id: assignment.class_id,
          assignment_id: assignment.id,
          class_person_id: attempt.class_person_id,
          person_id: record.user,
          attempt_id: attempt.id,
          graded_at: this.#ground.now,
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
    })
    // Also where its own were open: it may have been the last that others waited for.
    await this.#results.open(record.terms?.assignment ?? '')
  }
}
