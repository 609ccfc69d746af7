// While an assignment is sat: the live board, messages, hints and time, who looks at a terminal and who may type in it; and the learner's side of
// all that. Invariant: nobody types in a learner's terminal but by that learner's word.
import type { DrillRecord } from '#lib/exam/index.ts'
import {
  type BoardAction,
  type BoardAttempt,
  type BoardView,
  classLimits,
  type Message,
  type RoomAction,
  type RoomView,
} from '#lib/protocol/index.ts'
import type { Session } from '#lib/session/index.ts'
import type { AttemptRow, GradeRow } from '#lib/store/index.ts'
import type { Assignments } from './assignments.ts'
import type { Attempts } from './attempts.ts'
import { alive, type Ground, minute, newId, type Person, parse } from './ground.ts'
import {
  type AssignmentBody,
  type AttemptBody,
  type ClassBody,
  fail,
  type MessageBody,
  noAssignment,
  type PersonBody,
  say,
  tooMany,
} from './records.ts'

export class Board {
  readonly #ground: Ground
  readonly #assignments: Assignments
  readonly #attempts: Attempts

  constructor(ground: Ground, assignments: Assignments, attempts: Attempts) {
    this.#ground = ground
    this.#assignments = assignments
    this.#attempts = attempts
  }

  async #attemptsAt(assignmentId: string): Promise<AttemptRow[]> {
    return this.#ground.options.store.rows('attempt').list({ assignment_id: assignmentId })
  }
  /** @throws LabError not-found */
  async board(me: Person, id: string): Promise<BoardView> {
    const { body, of, row } = await this.#ground.assignment(me, id)
    const { store } = this.#ground.options
    const attempts = await this.#attemptsAt(id)
    const grades = await store.rows('grade').list({ assignment_id: id })
    const learners: BoardView['learners'] = []
    for (const member of await this.#ground.members(row.class_id)) {
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
      now: this.#ground.now,
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
    const { drills, sessions } = this.#ground.options
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
    const rows = await this.#ground.options.store.rows('class_message').list({ assignment_id: assignment })
    return rows
      .filter((row) => mine(row.attempt_id, Number(row.at)))
      .sort((a, b) => a.at - b.at)
      .slice(-100)
      .map((row) => ({ id: row.id, at: Number(row.at), to: row.attempt_id, ...parse<MessageBody>(row) }))
  }
  async #tell(assignment: string, attempt: string | null, body: MessageBody): Promise<void> {
    const { store } = this.#ground.options
    await store
      .rows('class_message')
      .insert({ id: newId(), assignment_id: assignment, attempt_id: attempt, at: this.#ground.now, body: JSON.stringify(body) })
    const all = await store.rows('class_message').list({ assignment_id: assignment })
    for (const old of all.sort((a, b) => b.at - a.at).slice(classLimits.messages)) await store.rows('class_message').remove({ id: old.id })
  }
  /** The lab of a task of an attempt, while it lives. @throws LabError not-found, conflict */
  async #lab(assignment: string, attemptId: string, task: number): Promise<{ attempt: AttemptRow; session: Session; record: DrillRecord }> {
    const attempt = await this.#ground.options.store.rows('attempt').get(attemptId)
    const record =
      attempt === null || attempt.assignment_id !== assignment ? null : await this.#ground.options.drills.record(attempt.drill_id)
    if (attempt === null || record === null || record.tasks[task - 1] === undefined) throw noAssignment()
    const found = record.tasks[task - 1]!.session
    const session = found === null ? undefined : this.#ground.options.sessions.live(found)
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
    await this.#ground.assignment(me, id)
    if (action.type === 'message' || action.type === 'hint') this.#ground.mayWrite(me)
    const attempts = (await this.#attemptsAt(id)).filter(({ state }) => alive(state))
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
        await this.#attempts.change(attempt.id, (body) => ({ ...body, hints: { ...body.hints, [action.task]: given + 1 } }))
        await this.#tell(id, attempt.id, { from: me.name, kind: 'hint', task: action.task, text: hint })
        break
      }
      case 'extra-time':
        for (const attempt of chosen(action.attempt)) {
          if (parse<AttemptBody>(attempt).extraMs + action.minutes * minute > classLimits.extraMinutes * minute)
            throw tooMany(say('Minutes given to one attempt', '한 응시에 더 준 시간(분)'), classLimits.extraMinutes)
          await this.#attempts.change(attempt.id, (body) => ({ ...body, extraMs: body.extraMs + action.minutes * minute }))
          if (await this.#assignments.retime(attempt))
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
        for (const attempt of chosen(action.attempt)) await this.#attempts.change(attempt.id, (body) => ({ ...body, help: null }))
        break
    }
    this.#ground.audit(me, `board.${action.type}`, {
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
    await this.#ground.assignment(me, id)
    const { attempt, session } = await this.#lab(id, attemptId, task)
    this.#ground.audit(me, 'board.watch', { assignment: id, attempt: attemptId, task, session: session.id })
    return { session: session.id, owner: attempt.person_id }
  }
  async #sitting(me: Person, drill: string): Promise<{ attempt: AttemptRow; record: DrillRecord }> {
    const attempt = (await this.#ground.options.store.rows('attempt').list({ drill_id: drill, person_id: me.id }))[0]
    const record = attempt === undefined ? null : await this.#ground.options.drills.record(drill)
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
    const { store } = this.#ground.options
    const { attempt, record } = await this.#sitting(me, drill)
    const assignment = await store.rows('assignment').get(attempt.assignment_id)
    const classRow = await store.rows('class').get(attempt.class_id)
    return {
      now: this.#ground.now,
      title: assignment === null ? '' : parse<AssignmentBody>(assignment).settings.title,
      className: classRow === null ? '' : parse<ClassBody>(classRow).name,
      help: parse<AttemptBody>(attempt).help,
      messages: await this.#messages(
        attempt.assignment_id,
        (to, at) => to === attempt.id || (to === null && at >= Number(attempt.started_at)),
      ),
      company: record.tasks.flatMap((task, index) => {
        const session = task.session === null ? undefined : this.#ground.options.sessions.live(task.session)
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
        this.#ground.mayWrite(me)
        await this.#attempts.change(attempt.id, (body) => ({ ...body, help: { at: body.help?.at ?? this.#ground.now, text: action.text } }))
        break
      case 'no-help':
        await this.#attempts.change(attempt.id, (body) => ({ ...body, help: null }))
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
        this.#ground.audit(me, 'drive.allow', { attempt: attempt.id, task: action.task, session: session.id, to: who.by, name: who.name })
        break
      }
      case 'refuse': {
        const { session } = await this.#lab(attempt.assignment_id, attempt.id, action.task)
        const who = session.company.refuse()
        if (who !== null)
          this.#ground.audit(me, 'drive.refuse', {
            attempt: attempt.id,
            task: action.task,
            session: session.id,
            to: who.by,
            name: who.name,
          })
        break
      }
    }
    return this.room(me, drill)
  }
}
