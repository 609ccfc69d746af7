// Assignments: what is set, for when, for whom with how much more time; the tasks that they draw; whether the backend holds them. Knows nothing
// of who sits one, but that what runs follows when its terms change.

import { createHash, randomBytes } from 'node:crypto'
import {
  type AssignmentAction,
  type AssignmentSettings,
  type AssignmentView,
  asLabError,
  type Blueprint,
  type Capacity,
  classLimits,
  modeRules,
  type Text,
} from '#lib/protocol/index.ts'
import type { AssignmentRow, AttemptRow } from '#lib/store/index.ts'
import { alive, type Ground, minute, newId, type Person, parse, rulesOf } from './ground.ts'
import { type AssignmentBody, type AttemptBody, fail, noAssignment, say, tooMany } from './records.ts'
import { type Results, resultsAt } from './results.ts'
import { endsFor, localOf, momentOf } from './window.ts'

/** What an attempt of a member is held to; `extraMs` was given on the board. */
export function termsOf(
  body: AssignmentBody,
  member: string,
  extraMs: number,
): { notAfter: number | null; extraMs: number; resultsAt: number | null } {
  const rules = rulesOf(body, member)
  const end = endsFor(rules)
  return {
    notAfter: end === null ? null : end + extraMs,
    extraMs: rules.extraMinutes * minute + extraMs,
    resultsAt: resultsAt(body),
  }
}

export class Assignments {
  readonly #ground: Ground
  readonly #results: Results

  constructor(ground: Ground, results: Results) {
    this.#ground = ground
    this.#results = results
  }

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
  blueprint(settings: AssignmentSettings, base: string, person: string, number: number): Blueprint {
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
      const found = this.#ground.options.sessions.scenario(id)
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
    const blueprint = this.blueprint(settings, seed, 'anybody', 1)
    const preview = await this.#ground.options.drills.preview(blueprint, settings.backend ?? undefined)
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
    const { sessions } = this.#ground.options
    await this.#ground.class(me, classId)
    const plan = this.#plan(settings, 'capacity')
    const people = (await this.#ground.members(classId)).length
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
    const { store } = this.#ground.options
    return this.#ground.turn(`class ${classId}`, async () => {
      const { row } = await this.#ground.class(me, classId)
      this.#ground.living(row)
      if ((await store.rows('assignment').list({ class_id: classId, deleted_at: null })).length >= classLimits.assignments)
        throw tooMany(say('Assignments of a class', '수업의 과제'), classLimits.assignments)
      const id = newId()
      const plan = this.#plan(settings, randomBytes(5).toString('hex'))
      const { tasks } = await this.#draw(settings, plan.seed)
      await store.rows('assignment').insert({
        id,
        class_id: classId,
        created_at: this.#ground.now,
        deleted_at: null,
        body: JSON.stringify({ ...plan, tasks, extra: {} } satisfies AssignmentBody),
      })
      this.#ground.audit(me, 'assignment.create', { class: classId, assignment: id, title: settings.title })
      return { id }
    })
  }
  async viewOf(row: AssignmentRow, className: string): Promise<AssignmentView> {
    const { store } = this.#ground.options
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
      begun: attempts.length > 0,
    }
  }
  /** @throws LabError not-found */
  async assignment(me: Person, id: string): Promise<AssignmentView> {
    const { of, row } = await this.#ground.assignment(me, id)
    return this.viewOf(row, of.name)
  }
  /** @throws LabError not-found, bad-request, conflict */
  async actOnAssignment(me: Person, id: string, action: AssignmentAction): Promise<AssignmentView> {
    const { store } = this.#ground.options
    const found = await this.#ground.assignment(me, id)
    await this.#ground.turn(`assignment ${id}`, async () => {
      const { body, row } = await this.#ground.assignment(me, id)
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
          await this.delete(id)
          break
      }
      this.#ground.audit(me, `assignment.${action.type}`, {
        assignment: id,
        ...('member' in action ? { member: action.member, minutes: action.minutes } : {}),
      })
      if (action.type !== 'delete') for (const attempt of attempts) if (alive(attempt.state)) await this.retime(attempt)
    })
    await this.#results.open(id)
    const row = await store.rows('assignment').get(id)
    if (row === null) throw noAssignment()
    return this.viewOf(row, found.of.name)
  }
  /** What runs is handed in as it is; what was graded stays. */
  async delete(id: string): Promise<void> {
    const { drills, store } = this.#ground.options
    await store.rows('assignment').update(id, { deleted_at: this.#ground.now })
    for (const attempt of await store.rows('attempt').list({ assignment_id: id }))
      if (alive(attempt.state)) await drills.end(attempt.drill_id)
    await this.#results.open(id)
  }
  /** The clock of an attempt that runs, after what it follows from has changed. */
  async retime(attempt: AttemptRow): Promise<boolean> {
    const assignment = await this.#ground.options.store.rows('assignment').get(attempt.assignment_id)
    const now = await this.#ground.options.store.rows('attempt').get(attempt.id)
    if (assignment === null || now === null) return false
    return this.#ground.options.drills.change(
      attempt.drill_id,
      termsOf(parse(assignment), now.class_person_id, parse<AttemptBody>(now).extraMs),
    )
  }
}
