// What is left of a person whose account is deleted: nothing that says who they were, and all that their class comes to. Over the real API with
// real accounts on the fake backend; what is left is looked for in every row.
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type {
  AuditView,
  BoardView,
  ClassView,
  DrillView,
  DueView,
  Gradebook,
  GradeView,
  ItemsView,
  PeopleView,
  Role,
} from '#lib/protocol/index.ts'
import { openStore, type Store } from '#lib/store/index.ts'
import { Client } from './client.ts'
import { TestLab } from './testing.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })
const title = 'Two nodes no longer take part'
const password = 'correct horse battery'
let lab: TestLab
/** a second connection to the same rows */
let store: Store
beforeAll(async () => {
  lab = await TestLab.open({ env: { KUBEMEND_AUTH: 'on' } })
  store = await openStore({ dataDir: lab.dataDir, databaseUrl: lab.config.databaseUrl })
})
afterAll(async () => {
  await store.close()
  await lab.close()
})

const tokenOf = (url: string) => new URL(url).hash.slice(1)
async function accept(token: string, email: string, name: string): Promise<Client> {
  const answer = await new Client(lab.url).send('POST', '/api/invitations/accept', { token, name, email, password })
  expect(answer.status, await answer.clone().text()).toBe(200)
  const cookie = answer.headers.getSetCookie().map((one) => one.split(';')[0]!)
  return new Client(lab.url, { cookie: cookie.join('; ') })
}
const join = async (by: Client, role: Role, email: string, name: string) =>
  accept(tokenOf((await by.post<{ url: string }>('/api/invitations', { role, email, days: 7 })).url), email, name)
const until = <T>(look: () => Promise<T>, fits: (value: T) => unknown): Promise<T> =>
  vi.waitFor(
    async () => {
      const value = await look()
      if (!fits(value)) throw new Error(JSON.stringify(value).slice(0, 2000))
      return value
    },
    { timeout: 90_000, interval: 100 },
  )
const due = async (who: Client) => (await who.get<DueView>('/api/assignments')).due[0]!
async function begin(who: Client, assignment: string): Promise<{ drill: string; session: string }> {
  const { id } = await who.post<{ id: string }>(`/api/assignments/${assignment}/start`)
  const drill = await until(
    () => who.get<DrillView>(`/api/exam/${id}`),
    (one) => one.state === 'running' && one.tasks[0]?.state === 'ready',
  )
  return { drill: id, session: drill.tasks[0]!.session! }
}
/** Sits it, mending one node of two; the grade's id. */
async function sit(who: Client, assignment: string, secret: string): Promise<string> {
  const { drill, session } = await begin(who, assignment)
  const page = await who.open(session)
  await page.terminal('workstation')
  const port = /`(\d+)`/.exec((await who.session(session)).brief.en)![1]!
  await page.run(
    `sed -i s/^port=.*/port=${port}/ $ROOT/../worker-1/etc/agent.conf; echo ${secret} >> $ROOT/../worker-2/etc/agent.conf; echo over`,
  )
  await page.close()
  await who.post(`/api/rooms/${drill}`, { type: 'help', text: `${secret} needs help` })
  await who.post(`/api/exam/${drill}/actions`, { type: 'finish' })
  return (
    await until(
      () => due(who),
      ({ done }) => done.some(({ grade }) => grade !== null),
    )
  ).done.find(({ grade }) => grade !== null)!.grade!
}
/** Every row of every table in which one of these words is. */
async function rowsWith(words: readonly string[], besides: readonly string[] = []): Promise<string[]> {
  const { db } = store.database
  const found: string[] = []
  for (const { name } of await db.introspection.getTables()) {
    if (besides.includes(name)) continue
    for (const row of await db
      .selectFrom(name as 'setting')
      .selectAll()
      .execute()) {
      const text = JSON.stringify(row)
      for (const word of words) if (text.includes(word)) found.push(`${name}: ${word} in ${text.slice(0, 300)}`)
    }
  }
  return found
}

test('a deleted account leaves scores without whose they are, or an examination’s record where it must be kept', async () => {
  const ada = await accept(tokenOf((await lab.lab.accounts!.firstAdmin())!), 'ada@example.org', 'Ada')
  const ina = await join(ada, 'instructor', 'ina@example.org', 'Ina Instructor')
  const lea = await join(ada, 'learner', 'lea@example.org', 'Lea Kim')
  const bob = await join(ada, 'learner', 'bob@example.org', 'Bob Lee')
  const { id: classId } = await ina.post<{ id: string }>('/api/classes', { name: 'Ops 1', zone: 'UTC' })
  await ina.post(`/api/classes/${classId}/roster`, {
    text: 'name,email,id\nLea Kim,lea@example.org,mat-7007\nBob Lee,bob@example.org,mat-8008\n',
    apply: true,
  })
  for (const who of [lea, bob]) {
    const [mine] = (await who.get<DueView>('/api/assignments')).invitations
    await who.post(`/api/memberships/${mine!.membership}`, { accept: true, recordings: true })
  }
  const { id: assignment } = await ina.post<{ id: string }>(`/api/classes/${classId}/assignments`, {
    title: 'Midterm',
    what: { kind: 'scenarios', scenarios: [(await ina.scenario(title)).id], mode: 'exam', minutes: 30, passMark: 66 },
    ...{ zone: 'UTC', opens: '2020-01-01T00:00', closes: null, late: { kind: 'closed' }, attempts: 2, seed: 'common', backend: null },
  })
  const members = (await ina.get<ClassView>(`/api/classes/${classId}`)).members
  await ina.post(`/api/assignments/${assignment}/actions`, {
    ...{ type: 'extra-time', member: members.find(({ name }) => name === 'Lea Kim')!.id, minutes: 7 },
  })
  const [leas, bobs] = [await sit(lea, assignment, 'lea-was-here'), await sit(bob, assignment, 'bob-was-here')]
  for (const [who, grade, name] of [
    [lea, leas, 'Lea Kim'],
    [bob, bobs, 'Bob Lee'],
  ] as const) {
    const { disputes } = await who.post<GradeView>(`/api/grades/${grade}/actions`, { type: 'dispute', text: `I, ${name}, do not agree.` })
    await ina.post(`/api/grades/${grade}/actions`, { type: 'answer', dispute: disputes[0]!.id, text: `Dear ${name}.` })
  }
  // One of hers runs when it happens, with a word of the instructor in it.
  const running = await begin(lea, assignment)
  const board = await ina.get<BoardView>(`/api/assignments/${assignment}/board`)
  const attempt = board.learners.find(({ name }) => name === 'Lea Kim')!.attempt!.id
  await ina.post(`/api/assignments/${assignment}/board`, { type: 'message', attempt, text: 'Lea Kim, ten minutes left' })
  await ina.post(`/api/assignments/${assignment}/board`, { type: 'message', attempt: null, text: 'Ten minutes for all' })

  const items = await ina.get<ItemsView>(`/api/classes/${classId}/items`)
  const before = await ada.get<GradeView>(`/api/grades/${leas}`)
  const kept = await ada.get<GradeView>(`/api/grades/${bobs}`)
  expect([before.score, before.recordings.length]).toEqual([60, 1])
  expect(JSON.stringify(before)).toContain('lea-was-here')
  const idOf = async (name: string) => (await ada.get<PeopleView>('/api/people')).people.find((one) => one.name === name)!.id
  const remove = (id: string, more: object = {}) => ada.send('POST', `/api/people/${id}/actions`, { type: 'delete', ...more })
  const leaId = await idOf('Lea Kim')
  expect((await remove(leaId)).status).toBe(200)

  // In no row is anything by which she could be known, but her id in the log.
  expect(await rowsWith(['Lea Kim', 'lea@example.org', 'mat-7007', 'lea-was-here'])).toEqual([])
  expect(await rowsWith([leaId], ['audit'])).toEqual([])
  expect(await lab.lab.sessionsOf.owner(running.session)).toBeNull()
  // And the class comes to what it came to.
  expect(await ina.get<ItemsView>(`/api/classes/${classId}/items`)).toEqual(items)
  const book = await ina.get<Gradebook>(`/api/classes/${classId}/gradebook`)
  const nobody = book.people.find(({ name }) => name.startsWith('(deleted)'))!
  expect(nobody).toMatchObject({ name: expect.stringMatching(/^\(deleted\) [0-9a-f]{4}$/), email: '', externalId: '', member: false })
  expect(book.cells.find(({ person }) => person === nobody.key)).toMatchObject({ grade: leas, score: 60, dispute: 'answered' })
  const csv = await (await fetch(`${lab.url}/api/classes/${classId}/gradebook/csv`, { headers: ina.headers })).text()
  expect(csv).toContain(`${nobody.name},,,60,`)
  const after = await ina.get<GradeView>(`/api/grades/${leas}`)
  const verdicts = (view: GradeView) => view.tasks.map(({ checks, score }) => [score, checks.map(({ id, verdict }) => [id, verdict])])
  expect(verdicts(after)).toEqual(verdicts(before))
  expect([after.recordings, after.startedAt, after.handedInAt]).toEqual([[], before.startedAt, before.handedInAt])
  expect((await ina.get<ClassView>(`/api/classes/${classId}`)).members.map(({ name }) => name)).toEqual(['Bob Lee'])
  const left = await ina.get<BoardView>(`/api/assignments/${assignment}/board`)
  expect([left.learners.map(({ name }) => name), left.messages.map(({ text }) => text.en)]).toEqual([['Bob Lee'], ['Ten minutes for all']])

  // Where it must be kept: the grade with its evidence, and nothing else.
  expect((await remove(await idOf('Bob Lee'), { keepGrades: true })).status).toBe(200)
  expect(await ada.get<GradeView>(`/api/grades/${bobs}`)).toEqual({ ...kept, recordings: [] })
  expect((await rowsWith(['bob-was-here needs help'])).length).toBe(0)
  const logged = (await ada.get<AuditView>('/api/audit')).entries.filter(({ action }) => action === 'person.deleted')
  expect(logged.map(({ detail }) => detail)).toEqual(['grades kept', null])
  // Whoever has the address next inherits nothing of it.
  const next = await join(ada, 'learner', 'bob@example.org', 'Another Bob')
  expect(await next.get<DueView>('/api/assignments')).toMatchObject({ invitations: [], classes: [], due: [], past: [] })
  expect((await fetch(`${lab.url}/api/grades/${bobs}`, { headers: next.headers })).status).toBe(404)

  // An instructor leaves what they did, without the name.
  expect((await remove(await idOf('Ina Instructor'))).status).toBe(200)
  expect(await rowsWith(['Ina Instructor', 'ina@example.org'])).toEqual([])
  expect((await ada.get<GradeView>(`/api/grades/${bobs}`)).disputes[0]!.answer).toMatchObject({ by: '(deleted)', text: 'Dear Bob Lee.' })
  expect((await ada.get<ClassView>(`/api/classes/${classId}`)).instructors).toEqual([])
})
