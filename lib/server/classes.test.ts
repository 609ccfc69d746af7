// A class over the real API and socket, on the fake backend: who may what, an exam that two learners sit, what an instructor sees and may do
// meanwhile, grades, a dispute, a regrade after a validator was mended, and what is left when all is deleted.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Visitor } from '#lib/auth/index.ts'
import { readCsv } from '#lib/classroom/csv.ts'
import type {
  AssignmentSettings,
  BoardView,
  ClassSummary,
  ClassView,
  DrillView,
  DueView,
  ErrorView,
  Gradebook,
  GradeView,
  ItemsView,
  Regrade,
  Role,
  RoomView,
} from '#lib/protocol/index.ts'
import { Client } from './client.ts'
import { root } from './config.ts'
import { Page } from './page.ts'
import { Leaping, TestLab } from './testing.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 })
const person = (id: string, role: Role): Visitor => ({ id, name: id, email: `${id}@example.org`, role, login: `${id}-1` })
const people = [
  person('ann', 'learner'),
  person('bob', 'learner'),
  person('eve', 'learner'),
  person('ina', 'instructor'),
  person('ivo', 'instructor'),
  person('ada', 'admin'),
]
const title = 'Two nodes no longer take part'
const minute = 60_000
const scenarios = mkdtempSync(path.join(tmpdir(), 'classes-'))
const spec = path.join(scenarios, 'troubleshooting/node-settings/scenario.yaml')
const clock = new Leaping()
let lab: TestLab
let mended: string
const as = (name: string) => new Client(lab.url, { 'x-test-person': name })
beforeAll(async () => {
  cpSync(path.join(root, 'e2e/scenarios'), scenarios, { recursive: true })
  mended = readFileSync(spec, 'utf8')
  // A validator with a mistake: it wants another port on worker-2 than the brief asks for.
  const [head, tail] = mended.split('- id: second-node')
  writeFileSync(spec, `${head}- id: second-node${tail!.replace('matches: "^port=${port}$"', 'matches: "^port=9999$"')}`)
  lab = await TestLab.open({
    env: { KUBEMEND_SCENARIOS: scenarios },
    parts: { identify: async (headers) => people.find(({ id }) => id === headers.get('x-test-person')) ?? null, sessions: { clock } },
  })
})
afterAll(async () => {
  await lab.close()
  rmSync(scenarios, { recursive: true, force: true })
})

const refused = async (answer: Promise<Response>): Promise<[number, string]> => {
  const got = await answer
  const { error } = (await got.json()) as { error: ErrorView }
  expect([error.ko !== undefined, error.hint !== undefined], error.message).toEqual([true, true])
  return [got.status, error.code]
}
const local = (ahead: number) => new Date(clock.now() + ahead).toISOString().slice(0, 16)
const settings = async (change: Partial<AssignmentSettings> = {}): Promise<AssignmentSettings> => ({
  title: '=Midterm',
  what: { kind: 'scenarios', scenarios: [(await as('ina').scenario(title)).id], mode: 'exam', minutes: 30, passMark: 66 },
  zone: 'UTC',
  opens: local(-5 * minute),
  closes: local(120 * minute),
  late: { kind: 'closed' },
  attempts: 2,
  seed: 'common',
  // What keeps them closed is results.test.ts' business.
  results: 'hand-in',
  backend: null,
  ...change,
})
let classId: string
let assignment: string
let grades: { ann: string; bob: string }
const due = (who: string) => as(who).get<DueView>('/api/assignments')
const board = () => as('ina').get<BoardView>(`/api/assignments/${assignment}/board`)
const onBoard = (action: unknown, who = 'ina') => as(who).send('POST', `/api/assignments/${assignment}/board`, action)
const drillOf = async (who: string, id: string) => as(who).get<DrillView>(`/api/exam/${id}`)
const until = async <T>(look: () => Promise<T>, fits: (value: T) => unknown): Promise<T> =>
  vi.waitFor(
    async () => {
      const value = await look()
      if (!fits(value)) throw new Error(JSON.stringify(value).slice(0, 3000))
      return value
    },
    { timeout: 90_000, interval: 100 },
  )
async function sit(who: string): Promise<{ drill: string; session: string; page: Page; mend: (nodes: string) => Promise<string> }> {
  const { id } = await as(who).post<{ id: string }>(`/api/assignments/${assignment}/start`)
  const drill = await until(
    () => drillOf(who, id),
    (one) => one.state === 'running' && one.tasks[0]?.state === 'ready',
  )
  const session = drill.tasks[0]!.session!
  const page = await as(who).open(session)
  await page.terminal('workstation')
  const port = /`(\d+)`/.exec((await as(who).session(session)).brief.en)![1]!
  return {
    drill: id,
    session,
    page,
    mend: (nodes) => page.run(`for n in ${nodes}; do sed -i s/^port=.*/port=${port}/ $ROOT/../worker-$n/etc/agent.conf; done; echo over`),
  }
}

test('a class, its roster with broken lines, and who may join it', async () => {
  const ina = as('ina')
  classId = (await ina.post<{ id: string }>('/api/classes', { name: 'Ops 1', zone: 'Asia/Seoul' })).id
  const text = 'name,email,id\n@Ann,ANN@example.org,1\nBob,bob@example.org,2\nbroken,,3\nBob again,bob@example.org,4\n'
  const preview = await ina.post(`/api/classes/${classId}/roster`, { text, apply: false })
  expect(preview).toMatchObject({
    rows: [{ email: 'ann@example.org' }, { email: 'bob@example.org' }],
    problems: [{ line: 4 }, { line: 5 }],
  })
  expect((await ina.get<ClassView>(`/api/classes/${classId}`)).members).toEqual([])
  await ina.post(`/api/classes/${classId}/roster`, { text, apply: true })
  await ina.post(`/api/classes/${classId}/roster`, { text: 'email,name\nbob@example.org,Bob B.', apply: true })
  expect((await ina.get<ClassView>(`/api/classes/${classId}`)).members.map(({ name, state }) => [name, state])).toEqual([
    ['@Ann', 'invited'],
    ['Bob B.', 'invited'],
  ])
  expect(await ina.post(`/api/classes/${classId}/capacity`, await settings())).toMatchObject({
    people: 2,
    tasks: 1,
    needed: 2,
    verdict: expect.any(String),
  })
  assignment = (await ina.post<{ id: string }>(`/api/classes/${classId}/assignments`, await settings())).id

  // Nobody sits it before they have joined, and nobody joins in another's place.
  expect(await refused(as('ann').send('POST', `/api/assignments/${assignment}/start`, {}))).toEqual([404, 'not-found'])
  const [invitation] = (await due('ann')).invitations
  expect(invitation).toMatchObject({ className: 'Ops 1', instructors: ['ina'] })
  expect(await refused(as('eve').send('POST', `/api/memberships/${invitation!.membership}`, { accept: true, recordings: true }))).toEqual([
    404,
    'not-found',
  ])
  for (const [who, recordings] of [
    ['ann', true],
    ['bob', false],
  ] as const) {
    const [mine] = (await due(who)).invitations
    const joined = await as(who).post<DueView>(`/api/memberships/${mine!.membership}`, { accept: true, recordings })
    expect(joined).toMatchObject({ invitations: [], due: [{ title: '=Midterm', window: { state: 'open' }, tasks: 1, done: [] }] })
  }
  expect((await due('eve')).due).toEqual([])
})

test('an exam that two sit at once: the board, help, time, messages, a watcher who cannot type, and a driver who may until not', async () => {
  const [first, second] = await Promise.all([
    as('ann').post<{ id: string }>(`/api/assignments/${assignment}/start`),
    as('ann').post<{ id: string }>(`/api/assignments/${assignment}/start`),
  ])
  // Two tabs are one attempt.
  expect(first).toEqual(second)
  const [ann, bob] = [await sit('ann'), await sit('bob')]
  expect(ann.drill).toBe(first.id)
  expect((await drillOf('ann', ann.drill)).name.en).toBe('=Midterm')
  const mine = async (who: string) => (await board()).learners.find(({ name }) => name === who)!.attempt!
  const seen = await until(
    () => mine('@Ann'),
    (one) => one.check !== null,
  )
  expect(seen).toMatchObject({
    state: 'running',
    current: 1,
    check: { en: 'worker-1 takes part again' },
    quietSince: expect.any(Number),
    score: null,
  })
  // What the instructor sees of the checks, the learner does not.
  expect((await as('ann').session(ann.session)).checks).toEqual([])
  const attempt = seen.id

  await as('ann').post(`/api/rooms/${ann.drill}`, { type: 'help', text: 'which port?' })
  expect((await mine('@Ann')).help).toMatchObject({ text: 'which port?' })
  expect((await onBoard({ type: 'message', attempt: null, text: 'Ten minutes left' })).status).toBe(200)
  expect((await onBoard({ type: 'hint', attempt, task: 1 })).status).toBe(200)
  expect((await onBoard({ type: 'helped', attempt })).status).toBe(200)
  expect((await as('ann').get<RoomView>(`/api/rooms/${ann.drill}`)).messages.map(({ kind, text }) => [kind, text.en])).toEqual([
    ['message', 'Ten minutes left'],
    ['hint', 'Look at what the agent on each node was told.'],
  ])
  expect((await as('bob').get<RoomView>(`/api/rooms/${bob.drill}`)).messages.map(({ kind }) => kind)).toEqual(['message'])
  const before = (await drillOf('ann', ann.drill)).endsAt!
  expect((await onBoard({ type: 'extra-time', attempt, minutes: 10 })).status).toBe(200)
  expect((await drillOf('ann', ann.drill)).endsAt! - before).toBe(10 * minute)

  // A socket that only looks. Whatever it sends, nothing reaches the shell; the learner sees that somebody is there.
  const { session, ticket } = await as('ina').post<{ session: string; ticket: string }>(`/api/assignments/${assignment}/watch`, {
    attempt,
    task: 1,
  })
  const watcher = await Page.connect(`${lab.url.replace('http', 'ws')}/ws/session/${session}?ticket=${ticket}`, lab.url)
  await watcher.terminal(1)
  expect((await as('ann').get<RoomView>(`/api/rooms/${ann.drill}`)).company).toMatchObject([
    { task: 1, company: { watchers: [{ name: 'ina' }], drive: null } },
  ])
  const errors = () => watcher.messages.flatMap((one) => (one.type === 'error' ? [one.error.code] : []))
  const silent = async (command: string, count: number) => {
    watcher.type(`${command}\r`)
    await watcher.until(() => errors().length === count, 'the refusal')
    expect(errors().every((code) => code === 'forbidden')).toBe(true)
  }
  await silent('touch /tmp/typed-by-watcher; echo INTRUDER', 1)
  watcher.say({ type: 'open', place: 'workstation', from: 0, cols: 80, rows: 24 })
  await watcher.until(() => errors().length === 2, 'the refusal')
  watcher.say({ type: 'resize', terminal: 1, cols: 10, rows: 5 })
  watcher.say({ type: 'close', terminal: 1 })
  await watcher.terminal(1)
  // Asking is not having.
  expect((await onBoard({ type: 'ask-drive', attempt, task: 1 })).status).toBe(200)
  await silent('echo INTRUDER', 3)
  expect(await ann.page.run('echo mine; stty size')).toMatch(/mine\s+24 80/)
  expect(ann.page.text()).not.toContain('INTRUDER')
  // With the learner's word they may, and without it no more.
  expect(await refused(onBoard({ type: 'ask-drive', attempt, task: 1 }, 'ada'))).toEqual([409, 'conflict'])
  await as('ann').post(`/api/rooms/${ann.drill}`, { type: 'allow', task: 1 })
  expect((await mine('@Ann')).tasks[0]!.company).toMatchObject({ drive: { name: 'ina', state: 'granted' } })
  watcher.type('echo he"l"ped\r')
  await ann.page.until(() => ann.page.text().includes('helped'), 'what the instructor types')
  await as('ann').post(`/api/rooms/${ann.drill}`, { type: 'refuse', task: 1 })
  await silent('echo INTRUDER', 4)
  await watcher.close()
  // Who looked and who let whom type stands in the audit log.
  const logged = async () =>
    (await lab.lab.audit(people.find(({ id }) => id === 'ada')!)).entries.map(({ action, actor }) => `${actor.name} ${action}`)
  await expect
    .poll(logged)
    .toEqual(expect.arrayContaining(['ina board.watch', 'ina board.ask-drive', 'ann drive.allow', 'ann drive.refuse']))
  await until(
    () => as('ann').get<RoomView>(`/api/rooms/${ann.drill}`),
    ({ company }) => company.length === 0,
  )

  await ann.mend('1 2')
  await bob.mend('1')
  // The board follows.
  await until(
    () => mine('@Ann'),
    (one) => one.check?.en === 'worker-2 takes part again',
  )
  for (const { drill, who } of [
    { drill: ann.drill, who: 'ann' },
    { drill: bob.drill, who: 'bob' },
  ]) {
    expect((await as(who).send('POST', `/api/exam/${drill}/actions`, { type: 'finish' })).status).toBe(200)
    await until(
      () => due(who),
      ({ due: [one] }) => one?.done[0]?.grade !== null,
    )
  }
  const [a, b] = [(await due('ann')).due[0]!.done[0]!, (await due('bob')).due[0]!.done[0]!]
  // The mistaken validator has cost both of them.
  expect([a.score, b.score]).toEqual([60, 60])
  grades = { ann: a.grade!, bob: b.grade! }
})

test('a grade with its evidence, a dispute, its answer, and recordings only where they were agreed to', async () => {
  const view = await as('ann').get<GradeView>(`/api/grades/${grades.ann}`)
  expect(view).toMatchObject({ score: 60, raw: 60, penalty: 0, attempt: 1, may: { dispute: true, answer: false } })
  expect(view.tasks[0]).toMatchObject({
    hints: 1,
    checks: [{ verdict: 'pass' }, { verdict: 'fail', evidence: [{ label: '/etc/agent.conf' }] }, {}],
  })
  const disputed = await as('ann').post<GradeView>(`/api/grades/${grades.ann}/actions`, {
    type: 'dispute',
    text: 'The brief says another port.',
  })
  expect(disputed.disputes[0]).toMatchObject({ score: 60, answer: null, evidence: [{}, { verdict: 'fail' }, {}] })
  expect(disputed.may.dispute).toBe(false)
  expect(await refused(as('ann').send('POST', `/api/grades/${grades.ann}/actions`, { type: 'dispute', text: 'again' }))).toEqual([
    409,
    'conflict',
  ])
  expect((await as('ina').get<ClassView>(`/api/classes/${classId}`)).disputes).toMatchObject([{ grade: grades.ann, person: '@Ann' }])
  const { id } = disputed.disputes[0]!
  expect(await refused(as('ann').send('POST', `/api/grades/${grades.ann}/actions`, { type: 'answer', dispute: id, text: 'yes' }))).toEqual([
    403,
    'forbidden',
  ])
  const answered = await as('ina').post<GradeView>(`/api/grades/${grades.ann}/actions`, {
    type: 'answer',
    dispute: id,
    text: 'You are right.',
  })
  expect(answered.disputes[0]!.answer).toMatchObject({ by: 'ina', text: 'You are right.' })
  const recording = (who: string, grade: string, of: GradeView) =>
    fetch(`${lab.url}/api/grades/${grade}/recordings/${of.tasks[0]!.session}/1`, { headers: { 'x-test-person': who } })
  const bobs = await as('bob').get<GradeView>(`/api/grades/${grades.bob}`)
  expect((await recording('ina', grades.ann, view)).status).toBe(200)
  expect((await recording('bob', grades.bob, bobs)).status).toBe(200)
  // Bob has not agreed.
  expect(await refused(recording('ina', grades.bob, bobs))).toEqual([404, 'not-found'])
  // And no session by another's grade.
  expect(await refused(recording('bob', grades.bob, view))).toEqual([404, 'not-found'])
})

test('the wrong person and the wrong role get nothing, on every route', async () => {
  const at = `/api/classes/${classId}`
  const of = `/api/assignments/${assignment}`
  const drill = (await due('ann')).due[0]!.done[0]!.drill
  const attempt = (await due('ann')).due[0]!.done[0]!.id
  const whole = await settings()
  const table: { method: 'GET' | 'POST'; path: string; body?: unknown; least: Role; own?: true }[] = [
    { method: 'GET', path: '/api/classes', least: 'instructor' },
    { method: 'POST', path: '/api/classes', body: { name: '', zone: '' }, least: 'instructor' },
    { method: 'GET', path: at, least: 'instructor', own: true },
    { method: 'POST', path: `${at}/actions`, body: { type: 'delete' }, least: 'instructor', own: true },
    { method: 'POST', path: `${at}/roster`, body: { text: 'email\nx@example.org', apply: true }, least: 'instructor', own: true },
    { method: 'POST', path: `${at}/assignments`, body: whole, least: 'instructor', own: true },
    { method: 'POST', path: `${at}/capacity`, body: whole, least: 'instructor', own: true },
    { method: 'POST', path: `${at}/regrade`, body: { assignment: null, apply: true }, least: 'instructor', own: true },
    { method: 'GET', path: `${at}/gradebook`, least: 'instructor', own: true },
    { method: 'GET', path: `${at}/gradebook/csv`, least: 'instructor', own: true },
    { method: 'GET', path: `${at}/items`, least: 'instructor', own: true },
    { method: 'GET', path: '/api/assignments', least: 'learner' },
    { method: 'GET', path: of, least: 'instructor', own: true },
    { method: 'POST', path: `${of}/actions`, body: { type: 'delete' }, least: 'instructor', own: true },
    { method: 'POST', path: `${of}/start`, body: {}, least: 'learner', own: true },
    { method: 'GET', path: `${of}/board`, least: 'instructor', own: true },
    { method: 'POST', path: `${of}/board`, body: { type: 'message', attempt: null, text: 'x' }, least: 'instructor', own: true },
    { method: 'POST', path: `${of}/watch`, body: { attempt, task: 1 }, least: 'instructor', own: true },
    { method: 'POST', path: `/api/memberships/${attempt}`, body: { accept: true, recordings: true }, least: 'learner', own: true },
    { method: 'GET', path: `/api/rooms/${drill}`, least: 'learner', own: true },
    { method: 'POST', path: `/api/rooms/${drill}`, body: { type: 'allow', task: 1 }, least: 'learner', own: true },
    { method: 'GET', path: `/api/grades/${grades.ann}`, least: 'learner', own: true },
    { method: 'POST', path: `/api/grades/${grades.ann}/actions`, body: { type: 'dispute', text: 'x' }, least: 'learner', own: true },
    { method: 'GET', path: `/api/grades/${grades.ann}/recordings/${attempt}/1`, least: 'learner', own: true },
  ]
  const ask = (who: string, { body, method, path: target }: (typeof table)[number]) =>
    method === 'GET' ? fetch(lab.url + target, { headers: { 'x-test-person': who } }) : as(who).send(method, target, body)
  for (const route of table) {
    expect((await refused(ask('nobody', route)))[0], route.path).toBe(401)
    if (route.least === 'instructor')
      for (const who of ['ann', 'eve']) expect(await refused(ask(who, route)), `${who} ${route.path}`).toEqual([403, 'forbidden'])
    // Another's class, another's grade: not there.
    if (route.own)
      for (const who of ['ivo', ...(route.least === 'learner' ? ['eve'] : [])])
        expect(await refused(ask(who, route)), `${who} ${route.path}`).toEqual([404, 'not-found'])
  }
  // Nothing of it was done.
  expect((await as('ina').get<ClassView>(at)).deletedAt).toBeNull()
  const known = new Set(
    table.map(
      ({ method, path: target }) =>
        `${method} ${target
          .split('?')[0]!
          .replace(/recordings\/[a-f0-9]+\/1$/, 'recordings/[session]/[terminal]')
          .replaceAll(/\/[a-f0-9]{16}/g, '/[id]')}`,
    ),
  )
  for (const dir of ['classes', 'assignments', 'memberships', 'rooms', 'grades'])
    for (const file of readdirSync(path.join(root, 'app/api', dir), { recursive: true, encoding: 'utf8' }).filter((one) =>
      one.endsWith('route.ts'),
    ))
      for (const [, method] of readFileSync(path.join(root, 'app/api', dir, file), 'utf8').matchAll(/export const (GET|POST) /g))
        expect(known, 'a route that is not tested for the wrong role').toContain(`${method} /api/${path.join(dir, path.dirname(file))}`)
  // An instructor may leave and another be added, by the address of their account.
  await as('ina').post(`${at}/actions`, { type: 'add-instructor', email: 'IVO@example.org' })
  expect((await as('ivo').get<{ classes: ClassSummary[] }>('/api/classes')).classes.map(({ id }) => id)).toEqual([classId])
  expect((await as('ivo').get<ClassView>(at)).name).toBe('Ops 1')
})

test('a regrade after a validator was mended: seen first, then done, for all attempts', async () => {
  writeFileSync(spec, mended)
  await lab.restart()
  const ask = (apply: boolean) => as('ina').post<Regrade>(`/api/classes/${classId}/regrade`, { assignment, apply })
  const preview = await ask(false)
  expect(preview).toMatchObject({ applied: false, looked: 2, attempts: [{ before: 60, after: 100, person: '@Ann' }] })
  expect(preview.attempts[0]!.tasks[0]!.changed).toMatchObject([{ id: 'second-node', before: 'fail', after: 'pass' }])
  expect((await as('ann').get<GradeView>(`/api/grades/${grades.ann}`)).score).toBe(60)
  await ask(true)
  const [ann, bob] = [
    await as('ann').get<GradeView>(`/api/grades/${grades.ann}`),
    await as('bob').get<GradeView>(`/api/grades/${grades.bob}`),
  ]
  expect([ann.score, ann.history[0]]).toMatchObject([100, { before: 60, after: 100, by: 'ina' }])
  // Bob had mended one node only: looked at, and the same.
  expect([bob.score, bob.history]).toEqual([60, []])
  expect((await ask(true)).attempts).toEqual([])
  const text = await (await fetch(`${lab.url}/api/classes/${classId}/gradebook/csv`, { headers: { 'x-test-person': 'ina' } })).text()
  expect(readCsv(text, ',').map(({ fields }) => fields.slice(0, 8))).toEqual([
    ['Name', 'Email', 'ID', "'=Midterm", "'=Midterm: before regrade", "'=Midterm: penalty %", "'=Midterm: attempts", "'=Midterm: dispute"],
    ["'@Ann", 'ann@example.org', '1', '100', '60', '', '1', 'answered'],
    ['Bob B.', 'bob@example.org', '2', '60', '', '', '1', ''],
  ])
  expect((await as('ina').get<ItemsView>(`/api/classes/${classId}/items`)).items).toMatchObject([
    { attempts: 2, graded: 2, solved: 1, hints: 1, firstFailed: { check: 'second-node', count: 1 } },
  ])
})

test('a window closes on the server’s clock, with a late policy; extra time; a hand-in at the last second; a deleted assignment', async () => {
  const ina = as('ina')
  const closing = await settings({
    title: 'Late',
    closes: local(3 * minute),
    late: { kind: 'until', until: local(10 * minute), penalty: 50 },
    attempts: 1,
  })
  assignment = (await ina.post<{ id: string }>(`/api/classes/${classId}/assignments`, closing)).id
  const bob = await sit('bob')
  await bob.mend('1 2')
  // Past its closing, and before the late end: taken, with the penalty.
  clock.leap(4 * minute)
  expect((await due('bob')).due.find(({ id }) => id === assignment)!.window.state).toBe('used-up')
  expect((await due('ann')).due.find(({ id }) => id === assignment)!.window.state).toBe('late')
  expect((await drillOf('bob', bob.drill)).state).toBe('running')
  expect((await as('bob').send('POST', `/api/exam/${bob.drill}/actions`, { type: 'finish' })).status).toBe(200)
  const done = await until(
    async () => (await due('bob')).due.find(({ id }) => id === assignment)!.done[0]!,
    (one) => one.grade !== null,
  )
  expect(done.score).toBe(50)
  expect(await as('bob').get<GradeView>(`/api/grades/${done.grade}`)).toMatchObject({ raw: 100, penalty: 50, score: 50 })
  expect(await refused(as('bob').send('POST', `/api/assignments/${assignment}/start`, {}))).toEqual([409, 'conflict'])
  // At the late end all is handed in by itself, whatever the attempt's own minutes say, but for who has more time.
  const ann = await sit('ann')
  const member = (await ina.get<ClassView>(`/api/classes/${classId}`)).members.find(({ name }) => name === '@Ann')!.id
  const end = (await drillOf('ann', ann.drill)).endsAt!
  await ina.post(`/api/assignments/${assignment}/actions`, { type: 'extra-time', member, minutes: 5 })
  expect((await drillOf('ann', ann.drill)).endsAt).toBe(end + 5 * minute)
  await ann.mend('1 2')
  clock.leap(end - clock.now() + minute)
  expect((await drillOf('ann', ann.drill)).state).toBe('running')
  clock.leap(4 * minute)
  // The request that comes too late is answered by the hand-in that was.
  expect((await as('ann').send('POST', `/api/exam/${ann.drill}/actions`, { type: 'finish' })).status).toBe(200)
  const late = await until(
    async () => (await due('ann')).due.find(({ id }) => id === assignment)!.done[0]!,
    (one) => one.grade !== null,
  )
  const view = await as('ann').get<GradeView>(`/api/grades/${late.grade}`)
  expect(view).toMatchObject({ raw: 100, timedOut: true, handedInAt: end + 5 * minute })
  expect((await due('ann')).due.find(({ id }) => id === assignment)!.window.state).toBe('closed')

  // Deleted while it runs: handed in as it is, graded, kept.
  assignment = (await ina.post<{ id: string }>(`/api/classes/${classId}/assignments`, await settings({ title: 'Deleted' }))).id
  const last = await sit('bob')
  await last.mend('1')
  await ina.post(`/api/assignments/${assignment}/actions`, { type: 'delete' })
  const past = await until(
    () => due('bob'),
    ({ past: [one] }) => one?.title === 'Deleted',
  )
  expect([past.past[0]!.score, past.due.some(({ id }) => id === assignment)]).toEqual([60, false])
  expect(await refused(as('bob').send('POST', `/api/assignments/${assignment}/start`, {}))).toEqual([404, 'not-found'])
})

test('the gradebook outlives the class; a person’s data does not outlive their wish; recordings have a time', async () => {
  const ina = as('ina')
  expect(await lab.lab.classes.sweep()).toBe(0)
  await ina.post(`/api/classes/${classId}/actions`, { type: 'retention', days: 1 })
  clock.leap(2 * 24 * 60 * minute)
  expect(await lab.lab.classes.sweep()).toBe(5)
  expect(await lab.lab.classes.sweep()).toBe(0)
  expect((await as('ann').get<GradeView>(`/api/grades/${grades.ann}`)).recordings).toEqual([])
  const impossible = await ina.post<Regrade>(`/api/classes/${classId}/regrade`, { assignment: null, apply: true })
  expect(impossible.attempts).toHaveLength(5)
  for (const { after, before, tasks } of impossible.attempts)
    expect([after, tasks[0]!.impossible?.en]).toEqual([before, expect.stringContaining('not kept')])

  await ina.post(`/api/classes/${classId}/actions`, { type: 'delete' })
  expect((await due('ann')).due).toEqual([])
  expect((await due('ann')).past).toHaveLength(2)
  const book = await ina.get<Gradebook>(`/api/classes/${classId}/gradebook`)
  expect([book.deletedAt !== null, book.people.length, book.cells.length]).toEqual([true, 2, 5])
  const member = book.people.find(({ name }) => name === 'Bob B.')!.key
  await ina.post(`/api/classes/${classId}/actions`, { type: 'erase-member', member })
  expect((await ina.get<Gradebook>(`/api/classes/${classId}/gradebook`)).people.map(({ name }) => name)).toEqual(['@Ann'])
  expect((await due('bob')).past).toEqual([])
  expect(await refused(fetch(`${lab.url}/api/grades/${grades.bob}`, { headers: { 'x-test-person': 'bob' } }))).toEqual([404, 'not-found'])
})
