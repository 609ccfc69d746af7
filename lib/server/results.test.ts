// When the results of an exam open: each door by which a learner could learn them earlier, tried while they are closed and when they are
// open, over the real API and socket on the fake backend. Who teaches the class sees them at once.
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Visitor } from '#lib/auth/index.ts'
import type {
  Archive,
  AssignmentSettings,
  AssignmentView,
  BoardView,
  ClassView,
  DrillView,
  DueView,
  ErrorView,
  ExamView,
  GradeView,
  Role,
  SessionView,
} from '#lib/protocol/index.ts'
import { Client } from './client.ts'
import { Leaping, TestLab } from './testing.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 })
const person = (id: string, role: Role): Visitor => ({ id, name: id, email: `${id}@example.org`, role, login: `${id}-1` })
const people = [person('ann', 'learner'), person('bob', 'learner'), person('ina', 'instructor')]
const title = 'Two nodes no longer take part'
const minute = 60_000
const clock = new Leaping()
let lab: TestLab
let classId: string
const as = (name: string) => new Client(lab.url, { 'x-test-person': name })
beforeAll(async () => {
  lab = await TestLab.open({
    parts: { identify: async (headers) => people.find(({ id }) => id === headers.get('x-test-person')) ?? null, sessions: { clock } },
  })
  classId = (await as('ina').post<{ id: string }>('/api/classes', { name: 'Ops 1', zone: 'UTC' })).id
  await as('ina').post(`/api/classes/${classId}/roster`, {
    text: 'name,email\nAnn,ann@example.org\nBob,bob@example.org\n',
    apply: true,
  })
  for (const who of ['ann', 'bob']) {
    const [mine] = (await as(who).get<DueView>('/api/assignments')).invitations
    await as(who).post(`/api/memberships/${mine!.membership}`, { accept: true, recordings: true })
  }
})
afterAll(() => lab.close())

const local = (at: number) => new Date(at).toISOString().slice(0, 16)
const assign = async (change: Partial<AssignmentSettings> = {}) =>
  as('ina').send('POST', `/api/classes/${classId}/assignments`, {
    title: 'Midterm',
    what: { kind: 'scenarios', scenarios: [(await as('ina').scenario(title)).id], mode: 'exam', minutes: 30, passMark: 66 },
    zone: 'UTC',
    opens: local(clock.now() - 5 * minute),
    closes: local(clock.now() + 120 * minute),
    late: { kind: 'closed' },
    attempts: 1,
    seed: 'common',
    backend: null,
    ...change,
  })
const assigned = async (change: Partial<AssignmentSettings> = {}) => {
  const answer = await assign(change)
  expect(answer.status, await answer.clone().text()).toBe(201)
  return ((await answer.json()) as { id: string }).id
}
const until = <T>(look: () => Promise<T>, fits: (value: T) => unknown): Promise<T> =>
  vi.waitFor(
    async () => {
      const value = await look()
      if (!fits(value)) throw new Error(JSON.stringify(value).slice(0, 2000))
      return value
    },
    { timeout: 90_000, interval: 100 },
  )
const drillOf = (who: string, id: string) => as(who).get<DrillView>(`/api/exam/${id}`)
const dueOf = async (who: string, assignment: string) =>
  (await as(who).get<DueView>('/api/assignments')).due.find(({ id }) => id === assignment)!
const boardOf = (assignment: string) => as('ina').get<BoardView>(`/api/assignments/${assignment}/board`)
const onBoard = async (assignment: string, name: string) =>
  (await boardOf(assignment)).learners.find((learner) => learner.name === name)!.attempt!
/** Begins it, mends all of it; hands in when told. */
async function sit(who: string, assignment: string) {
  const { id } = await as(who).post<{ id: string }>(`/api/assignments/${assignment}/start`)
  const drill = await until(
    () => drillOf(who, id),
    (one) => one.state === 'running' && one.tasks[0]?.state === 'ready',
  )
  const session = drill.tasks[0]!.session!
  const page = await as(who).open(session)
  await page.terminal('workstation')
  const port = /`(\d+)`/.exec((await as(who).session(session)).brief.en)![1]!
  await page.run(`for n in 1 2; do sed -i s/^port=.*/port=${port}/ $ROOT/../worker-$n/etc/agent.conf; done; echo over`)
  await page.close()
  const name = who === 'ann' ? 'Ann' : 'Bob'
  return {
    drill: id,
    session,
    async finish() {
      await as(who).send('POST', `/api/exam/${id}/actions`, { type: 'finish' })
      const { grade, score } = await until(
        () => onBoard(assignment, name),
        (one) => one.grade !== null,
      )
      // Who teaches sees it at once.
      expect(score).toBe(100)
      expect(await as('ina').get<GradeView>(`/api/grades/${grade}`)).toMatchObject({ score: 100, tasks: [{ score: 100 }] })
      return grade!
    },
  }
}
const refused = async (answer: Response): Promise<[number, string]> => {
  const { error } = (await answer.json()) as { error: ErrorView }
  expect([error.ko !== undefined, error.hint !== undefined], error.message).toEqual([true, true])
  return [answer.status, error.code]
}
interface Sat {
  drill: string
  session: string
  grade: string
}
/** What a learner gets at each door that could tell. */
async function doors(who: string, { drill, grade, session }: Sat, assignment: string) {
  const get = (target: string) => fetch(lab.url + target, { headers: { 'x-test-person': who } })
  const view = await drillOf(who, drill)
  const { history, progress } = await as(who).get<ExamView>('/api/exam')
  const mine = await as(who).get<SessionView>(`/api/sessions/${session}`)
  const { sessions } = await as(who).get<{ sessions: SessionView[] }>('/api/sessions')
  const page = await as(who).open(session)
  const { session: snapshot } = await page.message('snapshot')
  await page.close()
  const card = await as(who).scenario(title)
  const file = await as(who).get<Archive>('/api/data')
  const { done } = await dueOf(who, assignment)
  const me = people.find(({ id }) => id === who)!
  return {
    scores: [
      view.result?.score ?? null,
      view.tasks[0]!.score,
      history.find(({ id }) => id === drill)!.result?.score ?? null,
      mine.score,
      sessions.find(({ id }) => id === session)!.score,
      snapshot.score,
      card.bestScore,
      progress.best,
      done[0]!.score,
      (await lab.lab.report(me, session))?.score ?? null,
      file.sessions[0]?.report.score ?? null,
    ],
    outcomes: [mine.outcome, snapshot.outcome],
    counted: [progress.attempts, file.drills.length, file.sessions.length, card.attempts],
    grade: done[0]!.grade,
    answers: await Promise.all(
      [
        `/api/sessions/${session}/report`,
        `/api/sessions/${session}/recordings/1`,
        `/api/grades/${grade}`,
        `/api/grades/${grade}/recordings/${session}/1`,
      ].map(async (target) => (await get(target)).status),
    ),
  }
}
const shut = {
  scores: Array(11).fill(null),
  outcomes: ['submitted', 'submitted'],
  counted: [0, 0, 0, 0],
  grade: null,
  answers: [403, 403, 403, 403],
}

test('closed until the window has closed for everybody, whoever has more time included; then open at every door', async () => {
  // An exam with a window keeps them by itself.
  const assignment = await assigned()
  const whole = await as('ina').get<AssignmentView>(`/api/assignments/${assignment}`)
  expect(whole.settings.results).toBe('close')
  const { closesAt } = whole
  const ann = await sit('ann', assignment)
  const grade = await ann.finish()
  const sat = { ...ann, grade }
  await until(
    () => dueOf('ann', assignment),
    ({ done }) => done[0]!.closed,
  )
  const closed = await doors('ann', sat, assignment)
  expect(closed).toEqual(shut)
  expect(await drillOf('ann', ann.drill)).toMatchObject({
    state: 'ended',
    resultsAt: closesAt,
    tasks: [{ state: 'handed-in', remark: null }],
  })
  expect(await refused(await as('ann').send('POST', `/api/grades/${grade}/actions`, { type: 'dispute', text: 'x' }))).toEqual([
    403,
    'forbidden',
  ])
  const said = await fetch(`${lab.url}/api/grades/${grade}`, { headers: { 'x-test-person': 'ann' } })
  expect(await said.text()).toContain(local(closesAt!).replace('T', ' '))
  // She is not in an exam any more: what is not about it is hers again.
  const practice = await as('ann').begin(title)
  await as('ann').act(practice, 'give-up')

  // A restart forgets nothing; more time for one moves it for all.
  await lab.restart()
  const members = (await as('ina').get<ClassView>(`/api/classes/${classId}`)).members
  const bobs = members.find(({ name }) => name === 'Bob')!.id
  await as('ina').post(`/api/assignments/${assignment}/actions`, { type: 'extra-time', member: bobs, minutes: 10 })
  expect((await dueOf('ann', assignment)).resultsAt).toBe(closesAt! + 10 * minute)
  expect((await drillOf('ann', ann.drill)).resultsAt).toBe(closesAt! + 10 * minute)
  clock.leap(closesAt! + minute - clock.now())
  const bob = await sit('bob', assignment)
  // And as long as somebody sits it by the board's leave, it is not over.
  const { id: attempt } = await onBoard(assignment, 'Bob')
  await as('ina').post(`/api/assignments/${assignment}/board`, { type: 'extra-time', attempt, minutes: 30 })
  clock.leap(15 * minute)
  expect((await drillOf('bob', bob.drill)).state).toBe('running')
  expect((await doors('ann', sat, assignment)).scores).toEqual(shut.scores)
  expect((await doors('ann', sat, assignment)).answers).toEqual(shut.answers)
  const his = { ...bob, grade: await bob.finish() }

  for (const [who, mine] of [
    ['ann', sat],
    ['bob', his],
  ] as const) {
    await until(
      () => dueOf(who, assignment),
      ({ done }) => done[0]!.grade === mine.grade,
    )
    const open = await doors(who, mine, assignment)
    expect(open).toMatchObject({ scores: Array(11).fill(100), grade: mine.grade, answers: [200, 200, 200, 200] })
    expect(open.outcomes).toEqual(['solved', 'solved'])
    expect((await drillOf(who, mine.drill)).resultsAt).toBeUndefined()
  }
  expect((await as('ann').send('POST', `/api/grades/${grade}/actions`, { type: 'dispute', text: 'x' })).status).toBe(200)
})

test('it opens by the server’s clock, also of what was stored by an earlier run; by a changed mind; by a deletion', async () => {
  const one = await assigned({ title: 'One' })
  const [ann] = [await sit('ann', one)]
  await ann.finish()
  await until(
    () => dueOf('ann', one),
    ({ done }) => done[0]!.closed,
  )
  await lab.end()
  clock.leap(121 * minute)
  await lab.start()
  await until(
    () => dueOf('ann', one),
    ({ done }) => done[0]!.score === 100,
  )

  const two = await assigned({ title: 'Two' })
  await (await sit('ann', two)).finish()
  const whole = await as('ina').get<AssignmentView>(`/api/assignments/${two}`)
  const update = (results?: 'hand-in' | 'close') => {
    const { results: _, ...rest } = whole.settings
    return as('ina').post(`/api/assignments/${two}/actions`, {
      type: 'update',
      settings: { ...rest, ...(results === undefined ? {} : { results }) },
    })
  }
  // What is not said stays as it was.
  await update()
  expect((await dueOf('ann', two)).done[0]).toMatchObject({ closed: true, score: null })
  await update('hand-in')
  expect((await dueOf('ann', two)).done[0]).toMatchObject({ closed: false, score: 100 })

  const three = await assigned({ title: 'Three' })
  await (await sit('ann', three)).finish()
  expect((await as('ann').get<DueView>('/api/assignments')).past).toEqual([])
  await as('ina').post(`/api/assignments/${three}/actions`, { type: 'delete' })
  await until(
    () => as('ann').get<DueView>('/api/assignments'),
    ({ past }) => past[0]?.title === 'Three' && past[0].score === 100,
  )
})

test('what has no window, and what tells how one does anyway, opens at the hand-in and cannot be kept', async () => {
  const practice = {
    kind: 'scenarios' as const,
    scenarios: [(await as('ina').scenario(title)).id],
    mode: 'practice' as const,
    minutes: 30,
    passMark: 66,
  }
  for (const change of [{ closes: null }, { what: practice }]) {
    expect(await refused(await assign({ ...change, results: 'close' }))).toEqual([400, 'bad-request'])
    const id = await assigned(change)
    expect((await as('ina').get<AssignmentView>(`/api/assignments/${id}`)).settings.results).toBe('hand-in')
    expect((await dueOf('ann', id)).resultsAt).toBeNull()
  }
})
