// A grade: who may see it with which recordings, disputes and their answers, verdicts again after a check was mended, recordings whose time is over.
import { scoreOf } from '#lib/exam/index.ts'
import type { GradeAction, GradeTask, GradeView, Regrade, Text } from '#lib/protocol/index.ts'
import { type Ground, minute, newId, type Person, parse } from './ground.ts'
import { type AssignmentBody, type ClassBody, fail, type GradeBody, noGrade, type PersonBody, say } from './records.ts'
import { resultsAt } from './results.ts'
import { localOf, reduced } from './window.ts'

export class Grades {
  readonly #ground: Ground

  constructor(ground: Ground) {
    this.#ground = ground
  }

  /** @throws LabError not-found for whoever neither got it nor teaches the class */
  async grade(me: Person, id: string): Promise<GradeView> {
    const row = await this.#ground.options.store.rows('grade').get(id)
    const teaches = row !== null && (await this.#ground.teaches(me, row.class_id))
    if (row === null || (row.person_id !== me.id && !teaches)) throw noGrade()
    const body = parse<GradeBody>(row)
    if (body.closed && !teaches) {
      const assignment = await this.#ground.options.store.rows('assignment').get(row.assignment_id)
      const of = assignment === null ? null : parse<AssignmentBody>(assignment)
      const at = of === null ? null : resultsAt(of)
      const when = of === null || at === null ? null : `${localOf(at, of.settings.zone).replace('T', ' ')} (${of.settings.zone})`
      throw fail(
        'forbidden',
        when === null || at! <= this.#ground.now
          ? say('The results open when the last of the class has handed in.', '마지막 응시자가 제출하면 결과가 공개됩니다.')
          : say(
              `The results open at ${when}, when the window has closed for everybody.`,
              `결과는 모두의 응시가 끝나는 ${when}에 공개됩니다.`,
            ),
        say('The page of assignments shows them then.', '그때 과제 화면에 나타납니다.'),
      )
    }
    const own = row.person_id === me.id
    const member = await this.#ground.options.store.rows('class_person').get(row.class_person_id)
    const agreed = own || (member !== null && parse<PersonBody>(member).recordings)
    const recordings: GradeView['recordings'] = []
    if (agreed && !body.forgotten)
      for (const task of body.tasks)
        if (task.session !== null)
          for (const { id: terminal } of await this.#ground.options.sessions.recorded(task.session))
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
    const file = found ? (await this.#ground.options.sessions.recorded(session)).find((one) => one.id === terminal)?.file : undefined
    if (file === undefined)
      throw fail(
        'not-found',
        say(
          'There is no such recording, or its learner has not agreed that it is seen.',
          '녹화가 없거나 학생이 열람에 동의하지 않았습니다.',
        ),
        say('The evidence of each check is on the grade’s page.', '각 검사의 근거는 성적 화면에 있습니다.'),
      )
    this.#ground.audit(me, 'recording.see', { grade: id, session, terminal })
    return file
  }
  /** @throws LabError not-found, conflict, forbidden, rate-limited */
  async actOnGrade(me: Person, id: string, action: GradeAction): Promise<GradeView> {
    const { store } = this.#ground.options
    this.#ground.mayWrite(me)
    await this.#ground.turn(`grade ${id}`, async () => {
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
          at: this.#ground.now,
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
        dispute.answer = { at: this.#ground.now, by: me.name, text: action.text }
      }
      await store.rows('grade').update(id, { body: JSON.stringify(body) })
      this.#ground.audit(me, `grade.${action.type}`, { grade: id })
    })
    return this.grade(me, id)
  }
  /**
   * The verdicts of all attempts of a class, or of one assignment, again: by the checks as they are now, on what was recorded then.
   * @param apply without it nothing is changed
   * @throws LabError not-found
   */
  async regrade(me: Person, classId: string, { apply, assignment }: { apply: boolean; assignment: string | null }): Promise<Regrade> {
    const { sessions, store } = this.#ground.options
    await this.#ground.class(me, classId)
    const grades = (
      await store.rows('grade').list({ class_id: classId, ...(assignment === null ? {} : { assignment_id: assignment }) })
    ).sort((a, b) => a.graded_at - b.graded_at)
    const result: Regrade = { applied: apply, looked: grades.length, attempts: [] }
    for (const { id } of grades)
      await this.#ground.turn(`grade ${id}`, async () => {
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
        const history = [...body.history, { at: this.#ground.now, by: me.name, before: row.score, after, tasks: said }].slice(-50)
        await store.rows('grade').update(id, {
          score: after,
          body: JSON.stringify({ ...body, raw: scored.score, leftOut: scored.leftOut, tasks, history } satisfies GradeBody),
        })
      })
    if (apply) this.#ground.audit(me, 'class.regrade', { class: classId, assignment, attempts: result.attempts.length })
    return result
  }
  /** Removes recordings, and what the grader saw, of attempts whose class no longer keeps them. Grades and their evidence in words stay. */
  async sweep(): Promise<number> {
    const { sessions, store } = this.#ground.options
    let removed = 0
    for (const classRow of await store.rows('class').list({})) {
      const { retentionDays } = parse<ClassBody>(classRow)
      const oldest = this.#ground.now - retentionDays * 24 * 60 * minute
      for (const grade of await store.rows('grade').list({ class_id: classRow.id })) {
        if (grade.graded_at > oldest || parse<GradeBody>(grade).forgotten) continue
        await this.#ground.turn(`grade ${grade.id}`, async () => {
          const body = parse<GradeBody>((await store.rows('grade').get(grade.id)) ?? grade)
          for (const { session } of body.tasks) if (session !== null) await sessions.forgetRecordings(session)
          await store.rows('grade').update(grade.id, { body: JSON.stringify({ ...body, forgotten: true } satisfies GradeBody) })
          removed += 1
        })
      }
    }
    return removed
  }
}
