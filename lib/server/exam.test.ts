// Drills over the real API and socket, on the fake backend: what is hidden stays hidden, the server's clock decides, what fails on our side
// is given back or left out, and all of it outlives a restart.
import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { fakeProvider } from '#lib/cluster/index.ts'
import { cka, mini } from '#lib/exam/index.ts'
import {
  type Blueprint,
  type DrillView,
  drillLimits,
  drillView,
  type ExamView,
  examView,
  LabError,
  type Report,
  type SessionView,
} from '#lib/protocol/index.ts'
import { Client } from './client.ts'
import { Leaping, TestLab, type TestLabOptions } from './testing.ts'

const minute = 60_000
const nodes = 'Two nodes no longer take part'
const shop = 'The shop sells nothing'
// Limits on a hang, on a machine that others use too.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 })
let labs: TestLab[] = []
afterEach(async () => {
  for (const lab of labs) await lab.close()
  labs = []
})
async function open(options: TestLabOptions = {}) {
  const clock = new Leaping()
  const lab = await TestLab.open({ ...options, parts: { ...options.parts, sessions: { clock, ...options.parts?.sessions } } })
  labs.push(lab)
  return { lab, clock, client: new Client(lab.url) }
}
const blueprint = (change: Partial<Blueprint> = {}): Blueprint => ({ ...mini({ mode: 'exam', seed: 'test' }), ...change })
const start = (client: Client, change: Partial<Blueprint> = {}) =>
  client.post<{ id: string }>('/api/exam', { blueprint: blueprint(change) })
const view = async (client: Client, id: string) => drillView.parse(await client.get<DrillView>(`/api/exam/${id}`))
const act = (client: Client, id: string, action: unknown) => client.send('POST', `/api/exam/${id}/actions`, action)
const done = async (client: Client, id: string, action: unknown) => {
  const answer = await act(client, id, action)
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
  return drillView.parse(await answer.json())
}
const until = (client: Client, id: string, fits: (drill: DrillView) => boolean, clock?: Leaping): Promise<DrillView> =>
  vi.waitFor(
    async () => {
      clock?.leap(5000)
      const drill = await view(client, id)
      if (!fits(drill))
        throw new Error(
          JSON.stringify({ ...drill, tasks: drill.tasks.map(({ number, state, lab, error }) => ({ number, state, lab, error })) }),
        )
      return drill
    },
    { timeout: 90_000, interval: 50 },
  )
const allReady = (drill: DrillView) => drill.state === 'running' && drill.tasks.every((task) => task.state === 'ready')
const ended = (drill: DrillView) => drill.state === 'ended'
const taskOf = (drill: DrillView, title: string) => drill.tasks.find((task) => task.title.en === title)!
const refusal = async (answer: Response) =>
  [answer.status, ((await answer.json()) as { error: { message: string; hint?: string } }).error] as const

/** Opens the task of the two nodes; resolves with its session and what mends it. */
async function nodesTask(client: Client, id: string) {
  const drill = await until(client, id, allReady)
  const { number } = taskOf(drill, nodes)
  const opened = await done(client, id, { type: 'open', task: number })
  const session = taskOf(opened, nodes).session!
  const port = /`(\d+)`/.exec((await client.session(session)).brief.en)![1]!
  return { number, session, mend: `for n in 1 2; do sed -i s/^port=.*/port=${port}/ $ROOT/../worker-$n/etc/agent.conf; done; echo over` }
}

test('an exam: what is mended is paid for by weight, and until it ends nothing says how one does', async () => {
  const { client, lab } = await open()
  const { id } = await start(client)
  const { mend, number, session } = await nodesTask(client, id)
  const running = await view(client, id)
  expect(running).toMatchObject({ state: 'running', current: number, result: null, timedOut: false })
  // Two scenarios are there, three were asked for.
  expect(running.name).toEqual({ en: 'Mini drill (2 tasks, 20 min)', ko: '미니 모의시험 (2문제, 20분)' })
  expect(running.notices.map(({ en }) => en).join()).toContain('2 instead of 3 tasks')

  const page = await client.open(session)
  const terminal = await page.terminal('workstation')
  await page.run(mend, terminal)

  // Over REST.
  const seen = await client.session(session)
  expect(seen).toMatchObject({ mode: 'exam', drill: id, checks: [], hints: { total: 0, shown: [] } })
  for (const type of ['hint', 'reset'])
    expect((await refusal(await client.send('POST', `/api/sessions/${session}/actions`, { type })))[0]).toBe(403)
  for (const type of ['submit', 'give-up', 'retry']) {
    const [status, error] = await refusal(await client.send('POST', `/api/sessions/${session}/actions`, { type }))
    expect([status, error.message]).toEqual([409, expect.stringContaining('task of a drill')])
  }
  expect((await fetch(`${lab.url}/api/sessions/${session}/report`)).status).toBe(403)
  expect((await fetch(`${lab.url}/api/sessions/${session}/recordings/${terminal}`)).status).toBe(403)

  // One task handed in: graded behind the scenes, and told nowhere.
  const handed = await done(client, id, { type: 'hand-in', task: number })
  expect(taskOf(handed, nodes)).toMatchObject({ state: 'handed-in', score: null, evaluated: null, remark: null })
  expect(handed.current).toBe(taskOf(handed, shop).number)
  await page.inState('ended')
  const after = await client.session(session)
  expect(after).toMatchObject({ state: 'ended', score: null, outcome: 'submitted' })
  expect(taskOf(await view(client, id), nodes)).toMatchObject({ state: 'handed-in', score: null, evaluated: null, remark: null })
  expect(await refusal(await fetch(`${lab.url}/api/sessions/${session}/report`))).toEqual([
    403,
    expect.objectContaining({ message: expect.stringContaining('exam') }),
  ])
  expect(await client.scenario(nodes)).toMatchObject({ attempts: 0, bestScore: null })
  expect((await client.get<{ sessions: SessionView[] }>('/api/sessions')).sessions.map((one) => [one.score, one.checks.length])).toEqual([
    [null, 0],
    [null, 0],
  ])

  // Over the socket, from the first message to the last.
  for (const message of page.messages) {
    expect(['topology', 'cluster-events']).not.toContain(message.type)
    if (message.type === 'event') {
      expect(['check', 'hint']).not.toContain(message.event.type)
      if (message.event.type === 'step' && message.event.step.id === 'grade') expect(message.event.step.detail).toBeUndefined()
      if (message.event.type === 'state')
        expect(message.event).toMatchObject({ score: null, view: { score: null, checks: [], hints: { total: 0 } } })
    }
  }
  const everything = JSON.stringify(page.messages)
  for (const secret of ['takes part again', 'key is still there', 'was told', 'solved', 'node-settings'])
    expect(everything).not.toContain(secret)
  await page.close()

  await done(client, id, { type: 'finish' })
  const over = await until(client, id, ended)
  expect(over.tasks.map((task) => [task.title.en, task.score, task.evaluated]).sort()).toEqual([
    [shop, 0, 1],
    [nodes, 100, 1],
  ])
  // Troubleshooting 30 and workloads 15, by the exam's shares.
  expect(over.result).toMatchObject({
    score: 66.6,
    passed: true,
    leftOut: 0,
    domains: [
      { domain: 'troubleshooting', score: 100 },
      { domain: 'workloads', score: 0 },
    ],
  })
  expect(await client.get<Report>(`/api/sessions/${session}/report`)).toMatchObject({
    score: 100,
    outcome: 'solved',
    slug: 'node-settings',
  })
  expect(await client.session(session)).toMatchObject({ score: 100, outcome: 'solved' })
  expect(await client.scenario(nodes)).toMatchObject({ attempts: 1, bestScore: 100 })
  expect((await fetch(`${lab.url}/api/sessions/${session}/recordings/${terminal}`)).status).toBe(200)
  const { history, progress, running: none } = examView.parse(await client.get<ExamView>('/api/exam'))
  expect(none).toBeNull()
  expect(history).toMatchObject([{ id, state: 'ended', result: { score: 66.6 } }])
  expect(progress).toMatchObject({ attempts: 1, passed: 1, best: 66.6, median: 66.6 })
  await vi.waitFor(() => expect(readdirSync(path.join(lab.dataDir, 'fake'))).toEqual([]), 20_000)
})

test('the same blueprint draws the same tasks with the same names', async () => {
  const briefs = []
  for (const _ of [1, 2]) {
    const { client } = await open()
    const { id } = await start(client)
    const { session } = await nodesTask(client, id)
    briefs.push([(await view(client, id)).tasks.map((task) => [task.title, task.weight]), (await client.session(session)).brief])
    await done(client, id, { type: 'finish' })
  }
  expect(briefs[0]).toEqual(briefs[1])
})

test('during an exam nothing else is to be had: no practice, no earlier report, no second drill; afterwards all is as it was', async () => {
  const { client, lab } = await open()
  const earlier = await client.begin(nodes)
  const page = await client.open(earlier)
  await page.inState('ready')
  expect(await refusal(await client.send('POST', '/api/exam', { blueprint: blueprint() }))).toEqual([
    409,
    expect.objectContaining({ message: expect.stringContaining('1 other lab'), hint: expect.stringContaining('give up') }),
  ])
  // The refusal leaves nothing behind.
  await client.act(earlier, 'give-up')
  await page.inState('ended')
  await page.close()
  expect((await fetch(`${lab.url}/api/sessions/${earlier}/report`)).status).toBe(200)

  const answers = await Promise.all([1, 2].map(() => client.send('POST', '/api/exam', { blueprint: blueprint() })))
  expect(answers.map((answer) => answer.status).sort()).toEqual([201, 409])
  const { id } = (await answers.find((answer) => answer.ok)!.json()) as { id: string }
  expect((await refusal(await client.send('POST', '/api/sessions', { scenario: (await client.scenario(nodes)).id })))[0]).toBe(403)
  expect((await fetch(`${lab.url}/api/sessions/${earlier}/report`)).status).toBe(403)
  expect((await fetch(`${lab.url}/api/sessions/${earlier}/recordings/1`)).status).toBe(403)
  await until(client, id, allReady)
  await done(client, id, { type: 'finish' })
  await until(client, id, ended)
  expect((await fetch(`${lab.url}/api/sessions/${earlier}/report`)).status).toBe(200)
  const again = await client.begin(nodes)
  await client.act(again, 'give-up')
})

test('time is up: what was mended by then is graded, and nothing can be mended after it', async () => {
  const { client, clock } = await open()
  const { id } = await start(client)
  const { mend, number, session } = await nodesTask(client, id)
  const page = await client.open(session)
  const terminal = await page.terminal('workstation')
  await page.run(mend, terminal)
  await done(client, id, { type: 'flag', task: number, flagged: true })
  const before = await view(client, id)
  expect(before.endsAt).toBe(before.startedAt! + 20 * minute)
  clock.leap(before.endsAt! - clock.now() - 15 * minute)
  expect((await view(client, id)).alert).toBe(15)
  clock.leap(10 * minute)
  expect((await view(client, id)).alert).toBe(5)
  clock.leap(5 * minute + 1000)
  // At once, whatever the timers do: shells end, editors are refused, hand-ins do nothing more.
  const late = await act(client, id, { type: 'hand-in', task: number })
  expect(late.status).toBe(200)
  expect(drillView.parse(await late.json())).toMatchObject({ timedOut: true, current: null, endedAt: before.endsAt })
  expect((await refusal(await act(client, id, { type: 'open', task: number })))[0]).toBe(409)
  expect((await refusal(await act(client, id, { type: 'note', text: 'x', version: 0 })))[0]).toBe(409)
  await page.until(
    () => page.messages.some((one) => one.type === 'event' && one.event.type === 'terminal' && one.event.terminal.state === 'closed'),
    'the end of the shell',
  )
  const saved = await client.send('PUT', `/api/sessions/${session}/files`, {
    place: 'worker-1',
    path: '/etc/agent.conf',
    content: 'x',
    version: null,
  })
  expect(saved.status).toBe(409)
  await expect(page.terminal('workstation')).rejects.toThrow(/handed in|not ready|has ended/)
  const over = await until(client, id, ended)
  expect(over).toMatchObject({ timedOut: true, result: { score: 66.6 } })
  expect(taskOf(over, nodes)).toMatchObject({ score: 100, flagged: true, remark: null })
  await page.close()
})

test('an outage of ours stops the clock, is given back and said', async () => {
  const { client, clock, lab } = await open()
  const { id } = await start(client)
  const { mend, session } = await nodesTask(client, id)
  const page = await client.open(session)
  await page.run(mend, await page.terminal('workstation'))
  lab.provider.goAway()
  await until(client, id, (drill) => drill.stopped)
  clock.leap(60 * minute)
  const out = await view(client, id)
  expect(out.state).toBe('running')
  expect(out.givenBackMs).toBeGreaterThanOrEqual(60 * minute)
  lab.provider.comeBack()
  const back = await until(client, id, (drill) => !drill.stopped)
  expect(back.endsAt! - back.startedAt! - back.givenBackMs).toBe(20 * minute)
  // What one looked at meanwhile is not time spent on it.
  expect(taskOf(back, nodes).spentMs).toBeLessThan(30 * minute)
  clock.leap(20 * minute)
  expect(await until(client, id, ended)).toMatchObject({ timedOut: true, result: { score: 66.6 } })
  await page.close()
})

test('a restart of the server: flags, notes, order, labs and time are as they were, and it was away at its own cost', async () => {
  const { client, clock, lab } = await open()
  const { id } = await start(client)
  const { mend, number, session } = await nodesTask(client, id)
  await done(client, id, { type: 'flag', task: number, flagged: true })
  await done(client, id, { type: 'note', text: '한 줄', version: 0 })
  const before = await view(client, id)
  await lab.end()
  clock.leap(40 * minute)
  await lab.start()
  const after = await until(client, id, (drill) => !drill.stopped && allReady(drill))
  expect(after).toMatchObject({ state: 'running', current: number, notepad: { text: '한 줄', version: 1 }, startedAt: before.startedAt })
  expect(after.tasks.map(({ title, weight, flagged, session: lab }) => [title, weight, flagged, lab])).toEqual(
    before.tasks.map(({ title, weight, flagged, session: lab }) => [title, weight, flagged, lab]),
  )
  expect(after.givenBackMs).toBeGreaterThanOrEqual(40 * minute)
  expect(after.endsAt! - after.startedAt! - after.givenBackMs).toBe(20 * minute)
  expect((await refusal(await client.send('POST', '/api/sessions', { scenario: (await client.scenario(nodes)).id })))[0]).toBe(403)
  const page = await client.open(session)
  await page.run(mend, await page.terminal('workstation'))
  await done(client, id, { type: 'finish' })
  // Again in the middle of grading.
  await lab.restart()
  const over = await until(client, id, ended, clock)
  expect(over.result).toMatchObject({ score: 66.6, leftOut: 0 })
  expect((await client.get<Report>(`/api/sessions/${session}/report`)).score).toBe(100)
  await page.close()
})

test('two windows: the notepad of the one is not lost to the other, a task is handed in once', async () => {
  const { client } = await open()
  const { id } = await start(client)
  const { number } = await nodesTask(client, id)
  await done(client, id, { type: 'note', text: 'first', version: 0 })
  expect(await refusal(await act(client, id, { type: 'note', text: 'second', version: 0 }))).toEqual([
    409,
    expect.objectContaining({ message: expect.stringContaining('another window') }),
  ])
  expect((await view(client, id)).notepad).toEqual({ text: 'first', version: 1 })
  const answers = await Promise.all([1, 2].map(() => act(client, id, { type: 'hand-in', task: number })))
  expect(answers.map((answer) => answer.status).sort()).toEqual([200, 409])
  expect((await refusal(await act(client, id, { type: 'open', task: number })))[1].message).toContain('handed in, for good')
  // The last that is handed in ends the drill.
  await done(client, id, { type: 'hand-in', task: taskOf(await view(client, id), shop).number })
  await until(client, id, ended)
  expect((await refusal(await act(client, id, { type: 'finish' })))[0]).toBe(409)
})

test('a grader that fails is tried again; what it never could look at is left out and said', async () => {
  let fails = Number.POSITIVE_INFINITY
  const perfect = { score: 100, evaluatedWeight: 50, totalWeight: 100, brokenGuards: [], checks: [] }
  const { client, clock } = await open({
    parts: {
      engine: {
        grade: async (_cluster, resolved) => {
          if (resolved.checks.some((check) => check.id === 'first-node') && fails-- > 0)
            throw new LabError('cluster-unreachable', 'first-node: no answer')
          return perfect
        },
      },
      drills: { patienceMs: 30_000 },
    },
  })
  const { id } = await start(client)
  await until(client, id, allReady)
  await done(client, id, { type: 'finish' })
  const over = await until(client, id, ended, clock)
  expect(taskOf(over, nodes)).toMatchObject({
    score: null,
    evaluated: 0,
    remark: { en: expect.stringContaining('not held against'), ko: expect.stringContaining('불이익') },
  })
  // Half of the other could be evaluated.
  expect(taskOf(over, shop)).toMatchObject({ score: 100, evaluated: 0.5, remark: { en: expect.stringContaining('Part') } })
  expect(over.result).toMatchObject({ score: 100, passed: true, leftOut: 83.3 })

  fails = 1
  const again = await start(client)
  await until(client, again.id, allReady)
  await done(client, again.id, { type: 'finish' })
  expect(taskOf(await until(client, again.id, ended, clock), nodes)).toMatchObject({ score: 100 })
})

test('a lab that cannot be prepared is tried again, then left out; the others go on. When none can, the drill is called off with the reason', async () => {
  let broken = (ids: string[]) => ids.includes('first-node')
  const { client, clock, lab } = await open({
    parts: {
      engine: {
        confirm: async (_cluster, resolved) => {
          if (broken(resolved.checks.map((check) => check.id))) throw new LabError('symptom-absent', 'first-node did not show itself.')
        },
      },
    },
  })
  const { id } = await start(client)
  const running = await until(client, id, (drill) => drill.state === 'running' && taskOf(drill, nodes).state === 'failed', clock)
  expect(taskOf(running, nodes).error?.message).not.toContain('first-node')
  await done(client, id, { type: 'finish' })
  const over = await until(client, id, ended, clock)
  expect(taskOf(over, nodes)).toMatchObject({ score: null, evaluated: 0, remark: { en: expect.stringContaining('could not be prepared') } })
  expect(over.result).toMatchObject({
    score: 0,
    domains: [
      { domain: 'troubleshooting', score: null },
      { domain: 'workloads', score: 0 },
    ],
  })

  broken = () => true
  const none = await start(client)
  const off = await until(client, none.id, (drill) => drill.state === 'cancelled', clock)
  expect(off.error).toMatchObject({ code: 'symptom-absent' })
  await vi.waitFor(() => expect(readdirSync(path.join(lab.dataDir, 'fake'))).toEqual([]), 20_000)
  // And the exam's door is open again.
  broken = () => false
  await client.begin(nodes)
})

test('mastery: no clock, no live checks, hints and a verdict at once; practice: everything', async () => {
  const { client, clock } = await open()
  const { id } = await start(client, { mode: 'mastery' })
  const { mend, number, session } = await nodesTask(client, id)
  clock.leap(300 * minute)
  expect(await view(client, id)).toMatchObject({
    state: 'running',
    endsAt: null,
    alert: null,
    name: { en: 'Mini drill (2 tasks, no clock)' },
  })
  const page = await client.open(session)
  await page.run(mend, await page.terminal('workstation'))
  expect(await client.session(session)).toMatchObject({ mode: 'mastery', checks: [], hints: { total: 2 } })
  expect((await client.send('POST', `/api/sessions/${session}/actions`, { type: 'hint' })).status).toBe(200)
  await done(client, id, { type: 'hand-in', task: number })
  expect(taskOf(await until(client, id, (drill) => taskOf(drill, nodes).state === 'graded'), nodes).score).toBe(100)
  expect((await client.get<Report>(`/api/sessions/${session}/report`)).hintsShown).toBe(1)
  await page.close()
  // Nobody waits for ever.
  clock.leap(8 * 60 * minute)
  expect(await until(client, id, ended)).toMatchObject({ timedOut: true })

  const practice = await start(client, { mode: 'practice' })
  const task = await nodesTask(client, practice.id)
  const live = await client.open(task.session)
  await live.until(() => live.check('first-node') === 'failing', 'a live check')
  expect((await client.send('POST', `/api/sessions/${task.session}/actions`, { type: 'reset' })).status).toBe(200)
  await live.inState('ready')
  await done(client, practice.id, { type: 'finish' })
  await until(client, practice.id, ended)
  await live.close()
})

test('a drill that the backend cannot hold is refused with numbers, and its labs do not count among one’s own', async () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'kubemend-fake-'))
  const { client } = await open({ parts: { provider: () => fakeProvider({ dir, limit: 1 }) } })
  expect(await refusal(await client.send('POST', '/api/exam', { blueprint: blueprint() }))).toEqual([
    503,
    expect.objectContaining({
      message: expect.stringMatching(/keeps 2 labs.*room for 1 more/),
      hint: expect.stringContaining('fewer tasks'),
    }),
  ])
  const { client: other } = await open({ env: { KUBEMEND_SESSIONS_PER_USER: '1' } })
  const { id } = await start(other, { mode: 'practice' })
  await until(other, id, allReady)
  await other.begin(nodes)
  await done(other, id, { type: 'finish' })
})

test('wrong ids, wrong owners and bad bodies are answered with what is wrong', async () => {
  const { client, lab } = await open()
  for (const id of ['0123456789abcdef', 'x', '..%2f..'])
    for (const answer of [await fetch(`${lab.url}/api/exam/${id}`), await act(client, id, { type: 'finish' })])
      expect([answer.status, answer.headers.get('content-type')]).toEqual([404, expect.stringContaining('json')])
  const bad: [unknown, RegExp][] = [
    [{}, /blueprint/],
    [{ blueprint: { ...blueprint(), tasks: 26 } }, /tasks/],
    [{ blueprint: { ...blueprint(), tasks: 0 } }, /tasks/],
    [{ blueprint: { ...blueprint(), minutes: 9999 } }, /minutes/],
    [{ blueprint: { ...blueprint(), seed: 'Not So' } }, /seed/],
    [{ blueprint: { ...blueprint(), weights: { ...blueprint().weights, troubleshooting: -1 } } }, /weights/],
    [{ blueprint: { ...blueprint(), weights: Object.fromEntries(Object.keys(blueprint().weights).map((key) => [key, 0])) } }, /share/],
    [{ blueprint: { ...blueprint(), mode: 'open book' } }, /mode/],
    [{ blueprint: { ...blueprint(), extra: 1 } }, /extra/],
    [{ blueprint: blueprint({ domains: ['storage'] }) }, /Nothing can be drawn/],
    [{ blueprint: blueprint({ only: ['no-such-scenario'] }) }, /Nothing can be drawn/],
    [{ blueprint: blueprint(), backend: 'kind' }, /no backend "kind"/],
  ]
  for (const [body, says] of bad) {
    const [status, error] = await refusal(await client.send('POST', '/api/exam', body))
    expect([status, error.message]).toEqual([400, expect.stringMatching(says)])
  }
  // None of these refusals has closed the door behind it.
  const { id } = await start(client)
  await expect(lab.lab.drillsOf.view('somebody', id)).rejects.toMatchObject({ code: 'not-found' })
  await expect(lab.lab.drillsOf.act('somebody', id, { type: 'finish' })).rejects.toMatchObject({ code: 'not-found' })
  expect((await lab.lab.drillsOf.overview('somebody')).history).toEqual([])
  const strange = await fetch(`${lab.url}/api/exam/${id}/actions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: 'http://elsewhere.test' },
    body: '{"type":"finish"}',
  })
  expect(strange.status).toBe(403)
  expect((await client.send('POST', '/api/exam/preview', { blueprint: cka({ mode: 'exam', seed: 'a' }) })).status).toBe(200)
  await until(client, id, allReady)
  for (const action of [
    { type: 'open', task: 3 },
    { type: 'flag', task: 25, flagged: true },
    { type: 'hand-in', task: 9 },
  ])
    expect((await refusal(await act(client, id, action)))[0]).toBe(404)
  for (const action of [
    { type: 'open', task: 0 },
    { type: 'open', task: 1.5 },
    { type: 'note', text: 'x'.repeat(drillLimits.notepad + 1), version: 0 },
    { type: 'nothing' },
  ])
    expect((await refusal(await act(client, id, action)))[0]).toBe(400)
  expect((await refusal(await act(client, id, { type: 'cancel' })))[0]).toBe(409)
  await done(client, id, { type: 'finish' })
  await until(client, id, ended)
})

test('a drill can be called off until its clock starts, and not begun without end', async () => {
  let hold = true
  const { client, lab } = await open({
    parts: {
      engine: {
        confirm: (_cluster, _resolved, { signal }) =>
          hold ? new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))) : Promise.resolve(),
      },
    },
  })
  const { id } = await start(client)
  expect((await refusal(await act(client, id, { type: 'open', task: 1 })))[1].message).toContain('still being prepared')
  expect((await refusal(await act(client, id, { type: 'finish' })))[0]).toBe(409)
  expect(await done(client, id, { type: 'cancel' })).toMatchObject({ state: 'cancelled', error: null })
  await vi.waitFor(() => expect(readdirSync(path.join(lab.dataDir, 'fake'))).toEqual([]), 20_000)
  hold = false
  for (let begun = 1; begun < drillLimits.startsPerHour; begun++) {
    const next = await start(client)
    const answer = await act(client, next.id, { type: 'cancel' })
    if (!answer.ok) {
      // It had begun already.
      await done(client, next.id, { type: 'finish' })
      await until(client, next.id, ended)
    }
  }
  expect(await refusal(await client.send('POST', '/api/exam', { blueprint: blueprint() }))).toEqual([
    429,
    expect.objectContaining({ hint: expect.stringContaining('Wait') }),
  ])
})
