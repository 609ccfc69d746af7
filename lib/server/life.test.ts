// The life of a lab over the real socket and API, on the fake backend: broken, mended, graded; failures, outages, restarts, limits.
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, expect, test, vi } from 'vitest'
import { fakeProvider } from '#lib/cluster/index.ts'
import { LabError, type Report, type ScenarioCard, type SessionView } from '#lib/protocol/index.ts'
import { testServer } from '#lib/store/database.fixture.ts'
import { Client } from './client.ts'
import type { Page } from './page.ts'
import { TestLab, type TestLabOptions } from './testing.ts'

const nodes = 'Two nodes no longer take part'
let labs: TestLab[] = []
afterEach(async () => {
  for (const lab of labs) await lab.close()
  labs = []
})
async function open(options: TestLabOptions = {}): Promise<{ lab: TestLab; client: Client }> {
  const lab = await TestLab.open(options)
  labs.push(lab)
  return { lab, client: new Client(lab.url) }
}
async function ready(client: Client): Promise<{ id: string; page: Page }> {
  const id = await client.begin(nodes)
  const page = await client.open(id)
  await page.inState('ready')
  return { id, page }
}
const right = async (client: Client, id: string) => /`(\d+)`/.exec((await client.session(id)).brief.en)![1]!
const report = (client: Client, id: string) => client.get<Report>(`/api/sessions/${id}/report`)
const clusters = (lab: TestLab) => (existsSync(path.join(lab.dataDir, 'fake')) ? readdirSync(path.join(lab.dataDir, 'fake')) : [])
const machine = (lab: TestLab, place: string, file: string) => path.join(lab.dataDir, 'fake', clusters(lab)[0]!, place, file)
const action = (client: Client, id: string, type: string) => client.send('POST', `/api/sessions/${id}/actions`, { type })

test('what nobody has proven on a real cluster is shown and not offered', async () => {
  const provider = fakeProvider({ dir: mkdtempSync(path.join(tmpdir(), 'kubemend-fake-')) })
  const asKind = { ...provider, backend: 'kind' as const, status: async () => ({ ...(await provider.status()), name: 'kind' as const }) }
  const { client } = await open({ env: { KUBEMEND_BACKENDS: 'kind' }, parts: { provider: () => asKind } })
  const { scenarios } = await client.get<{ scenarios: ScenarioCard[] }>('/api/catalogue')
  for (const card of scenarios)
    expect(card.backends).toMatchObject([{ name: 'kind', offered: false, reason: { ko: expect.stringContaining('검증') } }])
  const refused = await client.send('POST', '/api/sessions', { scenario: scenarios[0]!.id })
  expect(refused.status).toBe(400)
  expect(await refused.text()).toContain('planned')
})

test('a learner mends it in the terminal, sees the checks turn green, submits and gets 100', async () => {
  const { lab, client } = await open()
  const { id, page } = await ready(client)
  await page.until(() => page.check('first-node') === 'failing' && page.check('key-kept') === 'passing', 'the checks')
  const port = await right(client, id)
  const terminal = await page.terminal('worker-1')
  await page.run(`sed -i s/^port=.*/port=${port}/ $ROOT/etc/agent.conf`, terminal)
  await page.until(() => page.check('first-node') === 'passing', 'worker-1 green')
  expect(page.check('second-node')).toBe('failing')
  await page.run(`sed -i s/^port=.*/port=${port}/ $ROOT/../worker-2/etc/agent.conf`, terminal)
  await page.until(() => page.check('second-node') === 'passing', 'worker-2 green')
  expect(page.state).toBe('ready') // it offers to submit, it does not end by itself
  await client.act(id, 'submit')
  await page.inState('ended')
  const graded = await report(client, id)
  expect(graded).toMatchObject({
    score: 100,
    outcome: 'solved',
    slug: 'node-settings',
    brokenGuards: [],
    evaluatedWeight: 100,
    totalWeight: 100,
    resets: 0,
    hintsShown: 0,
  })
  expect(graded.solution).toContain('sed -i')
  expect(
    graded.timeline
      .filter((entry) => entry.kind === 'command')
      .map((entry) => entry.command)
      .join('\n'),
  ).toContain(`sed -i s/^port=.*/port=${port}/ $ROOT/etc/agent.conf`)
  expect(
    graded.timeline
      .filter((entry) => entry.kind === 'check' && entry.state === 'passing')
      .map((entry) => (entry.kind === 'check' ? entry.check : '')),
  ).toEqual(['key-kept', 'first-node', 'second-node'])
  expect(graded.timeline.map((entry) => entry.at)).toEqual(graded.timeline.map((entry) => entry.at).toSorted((a, b) => a - b))
  const recording = await fetch(`${lab.url}/api/sessions/${id}/recordings/1`)
  expect(recording.headers.get('content-type')).toBe('application/x-asciicast')
  expect(JSON.parse((await recording.text()).split('\n')[0]!)).toMatchObject({ version: 2 })
  expect((await fetch(`${lab.url}/api/sessions/${id}/recordings/2`)).status).toBe(404)
  await vi.waitFor(() => expect(clusters(lab)).toEqual([]), 20_000)
  const card = await client.scenario(nodes)
  expect(card).toMatchObject({ attempts: 1, bestScore: 100, running: null })
  await page.close()
})

test('half a repair gets half, a cheat that breaks a guard gets nothing', async () => {
  const { client } = await open()
  for (const [script, score, guards] of [
    ['sed -i s/^port=.*/port=PORT/ $ROOT/../worker-1/etc/agent.conf', 60, []],
    [
      'for n in 1 2; do sed -i s/^port=.*/port=PORT/ $ROOT/../worker-$n/etc/agent.conf; done; rm $ROOT/../worker-1/etc/agent.key',
      0,
      ['key-kept'],
    ],
  ] as const) {
    const { id, page } = await ready(client)
    const terminal = await page.terminal('workstation')
    await page.run(script.replace('PORT', await right(client, id)), terminal)
    await client.act(id, 'submit')
    await page.inState('ended')
    expect(await report(client, id)).toMatchObject({ score, outcome: 'submitted', brokenGuards: guards })
    await page.close()
  }
})

test('submitting twice grades once', async () => {
  const { client } = await open()
  const { id, page } = await ready(client)
  const answers = await Promise.all([action(client, id, 'submit'), action(client, id, 'submit')])
  expect(answers.map((answer) => answer.status).sort()).toEqual([200, 409])
  await page.inState('ended')
  const again = await action(client, id, 'submit')
  expect([again.status, ((await again.json()) as { error: { message: string } }).error.message]).toEqual([
    409,
    expect.stringContaining('has ended'),
  ])
  expect((await client.scenario(nodes)).attempts).toBe(1)
  await page.close()
})

test('hints come one by one, giving up grades and reveals the solution', async () => {
  const { client } = await open()
  const { id, page } = await ready(client)
  expect((await client.session(id)).hints).toMatchObject({ total: 2, shown: [] })
  await client.act(id, 'hint')
  await client.act(id, 'hint')
  const port = await right(client, id)
  expect((await client.session(id)).hints.shown.map((hint) => hint.text.en)).toEqual([
    'Look at what the agent on each node was told.',
    `The right port is ${port}.`,
  ])
  expect((await action(client, id, 'hint')).status).toBe(409)
  await expect(report(client, id)).rejects.toThrow(/404.*no report yet/)
  await client.act(id, 'give-up')
  await page.inState('ended')
  expect(await report(client, id)).toMatchObject({
    outcome: 'given-up',
    score: 0,
    hintsShown: 2,
    explanation: { en: expect.stringContaining('was changed') },
  })
  await page.close()
})

test('reset breaks the same again, keeps the home directory and the terminals, and is counted', async () => {
  const { client } = await open()
  const { id, page } = await ready(client)
  const port = await right(client, id)
  const terminal = await page.terminal('workstation')
  await page.run('echo note > ~/notes; MINE=kept', terminal)
  for (const node of [1, 2])
    await page.run(
      `sed -i s/^port=.*/port=${port}/ $ROOT/../worker-${node}/etc/agent.conf; rm -f $ROOT/../worker-1/etc/agent.key`,
      terminal,
    )
  await client.act(id, 'reset')
  await page.message('event', (one) => one.event.type === 'state' && one.event.state === 'resetting')
  await page.inState('ready')
  await page.until(() => page.check('first-node') === 'failing' && page.check('key-kept') === 'passing', 'the checks, broken again')
  expect(await right(client, id)).toBe(port)
  expect(await page.run('cat ~/notes; echo $MINE', terminal)).toBe('note\nkept\n')
  expect(await client.session(id)).toMatchObject({ resets: 1, state: 'ready' })
  await page.close()
})

test('an injection that fails says so, gives the cluster back and may be tried again', async () => {
  let fail = true
  const { lab, client } = await open({
    parts: {
      engine: {
        confirm: async () => {
          if (fail) throw new LabError('symptom-absent', 'The incident did not show itself.', { hint: 'Start again.' })
        },
      },
    },
  })
  const id = await client.begin(nodes)
  const page = await client.open(id)
  await page.inState('failed')
  const failed = await client.session(id)
  expect(failed.error).toEqual({ code: 'symptom-absent', message: 'The incident did not show itself.', hint: 'Start again.' })
  expect(failed.steps.find((step) => step.id === 'confirm')?.state).toBe('failed')
  expect(readFileSync(path.join(lab.dataDir, 'sessions', id, 'diagnostics.txt'), 'utf8')).toContain('symptom-absent')
  expect((await action(client, id, 'submit')).status).toBe(409)
  fail = false
  await client.act(id, 'retry')
  await page.until(() => page.state === 'starting', 'the new start')
  await page.inState('ready')
  expect(clusters(lab)).toHaveLength(1)
  expect((await client.session(id)).error).toBeNull()
  await page.close()
})

test('a cluster that cannot be made says why, and nothing is left', async () => {
  const { lab, client } = await open()
  lab.provider.failNext(new LabError('cluster-create-failed', 'The kubelet did not come up.', { hint: 'Look at the log.' }))
  const id = await client.begin(nodes)
  const page = await client.open(id)
  await page.inState('failed')
  expect((await client.session(id)).error).toMatchObject({
    code: 'cluster-create-failed',
    message: 'The kubelet did not come up.',
    hint: 'Look at the log.',
  })
  expect(clusters(lab)).toEqual([])
  await client.act(id, 'give-up')
  await page.inState('ended')
  expect((await client.session(id)).outcome).toBe('abandoned')
  await page.close()
})

test('a grader that fails is no verdict: the lab goes on and may be submitted again', async () => {
  let fail = true
  const { client } = await open({
    parts: {
      engine: {
        grade: async () => {
          if (fail) throw new LabError('cluster-unreachable', 'The grader could not look.')
          return { score: 100, evaluatedWeight: 100, totalWeight: 100, brokenGuards: [], checks: [] }
        },
      },
    },
  })
  const { id, page } = await ready(client)
  await client.act(id, 'submit')
  await page.message('event', (one) => one.event.type === 'state' && one.event.state === 'grading')
  await page.inState('ready')
  expect((await client.session(id)).error).toMatchObject({ message: 'The grader could not look.' })
  fail = false
  await client.act(id, 'submit')
  await page.inState('ended')
  expect((await report(client, id)).score).toBe(100)
  await page.close()
})

test('a user has so many sessions and no more, and hears what to do', async () => {
  const { client } = await open({ env: { KUBEMEND_SESSIONS_PER_USER: '2' } })
  const start = async () => client.send('POST', '/api/sessions', { scenario: (await client.scenario(nodes)).id })
  const answers = await Promise.all([start(), start(), start()])
  expect(answers.map((answer) => answer.status).sort()).toEqual([201, 201, 503])
  const refused = (await answers.find((answer) => answer.status === 503)!.json()) as { error: { message: string; hint: string } }
  expect(refused.error.message).toMatch(/2 sessions running, and 2 is the most/)
  expect(refused.error.hint).toMatch(/give up one/)
})

test('Docker goes and comes back: the session says so, nothing is held against the learner, everything goes on by itself', async () => {
  const { lab, client } = await open()
  const { id, page } = await ready(client)
  const terminal = await page.terminal('workstation')
  await page.run('MINE=kept', terminal)
  lab.provider.goAway()
  const outage = await page.message('event', (one) => one.event.type === 'outage' && one.event.outage !== null)
  expect(outage.event.type === 'outage' && outage.event.outage).toMatchObject({ message: expect.stringContaining('away') })
  await page.until(
    () => page.check('first-node') === 'not-evaluable' && page.check('key-kept') === 'not-evaluable',
    'checks that cannot be looked at',
  )
  const refused = await action(client, id, 'submit')
  expect([refused.status, ((await refused.json()) as { error: { hint: string } }).error.hint]).toEqual([
    503,
    expect.stringContaining('time does not count'),
  ])
  const before = (await client.session(id)).spentMs
  await page.until(
    () => page.messages.some((one) => one.type === 'event' && one.event.type === 'terminal' && one.event.terminal.state === 'lost'),
    'the terminal’s loss',
  )
  expect((await client.session(id)).spentMs).toBe(before)
  const seen = page.messages.length
  lab.provider.comeBack()
  await page.until(
    () => page.messages.slice(seen).some((one) => one.type === 'event' && one.event.type === 'outage' && one.event.outage === null),
    'the recovery',
  )
  await page.until(() => page.check('first-node') === 'failing', 'checks that are looked at again')
  await page.until(
    () =>
      page.messages.slice(seen).some((one) => one.type === 'event' && one.event.type === 'terminal' && one.event.terminal.state === 'open'),
    'the terminal',
  )
  expect(await page.run('echo $MINE', terminal)).toBe('kept\n')
  await client.act(id, 'submit')
  await page.inState('ended')
  expect(
    (await report(client, id)).timeline
      .filter((entry) => entry.kind === 'session')
      .map((entry) => (entry.kind === 'session' ? entry.what : '')),
  ).toEqual(['ready', 'outage', 'recovered', 'ended'])
  await page.close()
})

test('two tabs see the same terminal, and a reload goes on where the page was', async () => {
  const { client } = await open()
  const { id, page } = await ready(client)
  const terminal = await page.terminal('workstation')
  await page.run('echo 하나', terminal)
  const other = await client.open(id)
  expect(await other.terminal(terminal)).toBe(terminal)
  await other.run('echo 둘', terminal)
  await page.until(() => page.text(terminal).includes('둘\r\n'), 'what the other tab typed')
  const at = page.offset.get(terminal)!
  const seq = page.messages.reduce((newest, one) => ('seq' in one ? Math.max(newest, one.seq) : newest), 0)
  await page.close()
  await client.act(id, 'hint')
  await other.run('echo 셋', terminal)
  const again = await client.open(id, { after: seq })
  const snapshot = await again.message('snapshot')
  expect(snapshot.seq).toBe(seq)
  expect(snapshot.session.hints.shown).toEqual([])
  const hint = await again.message('event', (one) => one.event.type === 'hint')
  expect(hint.seq).toBeGreaterThan(seq)
  const numbers = again.messages.flatMap((one) => (one.type === 'event' ? [one.seq] : []))
  expect(numbers).toEqual(numbers.map((_, index) => seq + 1 + index))
  await again.terminal(terminal, at)
  await again.until(() => again.text(terminal).includes('셋'), 'what was missed')
  expect(again.text(terminal)).not.toContain('둘')
  // A page that was loaded anew has seen nothing: what it starts from is how things stand now.
  const fresh = await client.open(id, { after: 0 })
  const now = await fresh.message('snapshot')
  expect(now.session).toMatchObject({ state: 'ready', terminals: [{ id: terminal, state: 'open' }] })
  expect(fresh.messages.filter((one) => one.type === 'event' && one.seq <= now.seq)).toEqual([])
  await fresh.close()
  await other.close()
  await again.close()
})

test('`yes` and a page that reads slowly leave the server’s memory as it was', async () => {
  const { lab, client } = await open()
  const { id, page } = await ready(client)
  const terminal = await page.terminal('workstation')
  page.autoAck = false
  page.keep = false
  const behind = (await (await lab.lab.sessionsOf.open('local', id)).terminals.get(terminal))!
  page.type('yes 0123456789abcdef0123456789abcdef\r', terminal)
  let acks = 0
  await page.until(() => {
    // Everything that was sent has come: only then does the page admit to having read it.
    const at = page.offset.get(terminal) ?? 0
    if (at >= acks * 256 * 1024) {
      acks += 1
      page.ack(terminal)
    }
    return acks > 40
  }, 'ten megabytes')
  // What is kept is one ring, and what is on its way is what a page may leave unacknowledged.
  expect(behind.range.end - behind.range.start).toBeLessThanOrEqual(4 * 1024 * 1024)
  expect(behind.range.end - (page.offset.get(terminal) ?? 0)).toBeLessThanOrEqual(1024 * 1024)
  page.autoAck = true
  page.ack(terminal)
  page.type('\u0003', terminal)
  page.keep = true
  expect(await page.run('echo over', terminal)).toBe('over\n')
  await page.close()
})

test('a restart of the server: ready labs go on with the same shells, the page resumes, the report is right', async () => {
  const { lab, client } = await open()
  const { id, page } = await ready(client)
  const port = await right(client, id)
  const terminal = await page.terminal('worker-1')
  await page.run('MINE=kept', terminal)
  const at = page.offset.get(terminal)!
  await lab.end()
  await page.until(() => page.closed, 'the close', true)
  expect(page.closed!.code).toBe(1012)
  expect(clusters(lab)).toHaveLength(1)
  await lab.start()
  const again = await client.open(id)
  await again.until(() => {
    const newest = again.messages.findLast((one) => one.type === 'snapshot' || (one.type === 'event' && one.event.type === 'outage'))
    return newest?.type === 'snapshot'
      ? newest.session.outage === null
      : newest?.type === 'event' && newest.event.type === 'outage' && newest.event.outage === null
  }, 'the cluster')
  await again.terminal(terminal, at)
  expect(await again.run('echo $MINE', terminal)).toBe('kept\n')
  for (const node of [1, 2]) await again.run(`sed -i s/^port=.*/port=${port}/ $ROOT/../worker-${node}/etc/agent.conf`, terminal)
  await again.until(() => again.check('second-node') === 'passing' && again.check('first-node') === 'passing', 'the checks')
  await client.act(id, 'submit')
  await again.inState('ended')
  expect(await report(client, id)).toMatchObject({ score: 100 })
  const fresh = await client.open(id)
  expect((await fresh.message('snapshot')).session).toMatchObject({ state: 'ended', score: 100 })
  await fresh.close()
  await again.close()
})

test('a restart while a lab is being prepared fails it with words and leaves no cluster', async () => {
  const { lab, client } = await open({
    parts: {
      engine: {
        confirm: (_cluster, _resolved, { signal }) =>
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      },
    },
  })
  const id = await client.begin(nodes)
  const page = await client.open(id)
  await page.message('event', (one) => one.event.type === 'step' && one.event.step.id === 'confirm' && one.event.step.state === 'running')
  await lab.restart()
  const failed = await client.session(id)
  expect(failed).toMatchObject({
    state: 'failed',
    error: { code: 'cancelled', message: expect.stringContaining('restarted while'), hint: expect.stringContaining('Try again') },
  })
  expect(clusters(lab)).toEqual([])
})

test('a lab whose cluster did not survive the restart says so', async () => {
  const { lab, client } = await open()
  const { id, page } = await ready(client)
  await lab.end()
  for await (const cluster of lab.provider.adopt()) await cluster.destroy()
  await lab.start()
  const again = await client.open(id)
  await again.inState('failed')
  expect((await client.session(id)).error).toMatchObject({ message: expect.stringContaining('is gone') })
  await again.close()
  void page
})

test('a backend that is away when the server starts is looked for until it is back', async () => {
  const { lab, client } = await open()
  const { id, page: before } = await ready(client)
  const terminal = await before.terminal('workstation')
  await before.run('MINE=kept', terminal)
  const at = before.offset.get(terminal)!
  await lab.end()
  lab.provider.goAway()
  await lab.start()
  const page = await client.open(id)
  expect((await page.message('snapshot')).session.outage).not.toBeNull()
  await page.terminal(terminal, at)
  const seen = page.messages.length
  lab.provider.comeBack()
  await page.until(
    () =>
      page.messages.slice(seen).some((one) => one.type === 'event' && one.event.type === 'terminal' && one.event.terminal.state === 'open'),
    'the shell',
  )
  expect(await page.run('echo $MINE', terminal)).toBe('kept\n')
  await page.until(() => page.check('first-node') === 'failing', 'the checks')
  expect((await client.session(id)).outage).toBeNull()
  await page.close()
})

// What SQLite answers then; PostgreSQL's own words are the store's test.
test.skipIf(testServer !== undefined)('a full disk is told to the page, and the lab goes on', async () => {
  let limit: DatabaseSync | undefined
  const { client } = await open({
    parts: {
      open: (file) => {
        limit = new DatabaseSync(file)
        return limit
      },
    },
  })
  const { id, page } = await ready(client)
  const { page_count } = limit!.prepare('pragma page_count').get() as { page_count: number }
  limit!.exec(`pragma max_page_count = ${page_count}`)
  const terminal = await page.terminal('workstation')
  for (let index = 0; !page.messages.some((one) => one.type === 'error' && one.error.code === 'disk-full') && index < 50; index++) {
    const seen = page.messages.length
    await client.act(id, 'reset')
    await page.until(
      () => page.messages.slice(seen).some((one) => one.type === 'event' && one.event.type === 'state' && one.event.state === 'ready'),
      'ready again',
    )
  }
  const told = await page.message('error', (one) => one.error.code === 'disk-full')
  expect(told.error.hint).toMatch(/Free some space/)
  expect(await page.run('echo alive', terminal)).toBe('alive\n')
  // A start needs a row of its own: what room is left in the pages that are there is soon used up.
  const scenario = (await client.scenario(nodes)).id
  let refused = await client.send('POST', '/api/sessions', { scenario })
  for (let index = 0; refused.status === 201 && index < 10; index++) refused = await client.send('POST', '/api/sessions', { scenario })
  expect([refused.status, ((await refused.json()) as { error: { code: string } }).error.code]).toEqual([507, 'disk-full'])
  limit!.exec('pragma max_page_count = 1000000')
  await page.close()
})

test('the picture of the cluster shows nodes by their place, and a learner’s pods and events as they come', async () => {
  const { lab, client } = await open()
  const { page } = await ready(client)
  const first = await page.message('topology', (one) => one.topology.nodes.every((node) => node.state === 'ready'))
  expect(first.topology.nodes.map((node) => node.place)).toEqual(['control-plane', 'worker-1', 'worker-2'])
  const terminal = await page.terminal('workstation')
  const manifest = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'default' },
    spec: { nodeName: first.topology.nodes[1]!.name, containers: [{ name: 'c', image: 'x' }] },
    status: {
      phase: 'Running',
      containerStatuses: [{ ready: false, restartCount: 4, state: { waiting: { reason: 'CrashLoopBackOff' } } }],
    },
  })
  expect(machine(lab, 'workstation', '')).toBeTruthy()
  await page.run(
    `S=$(grep -o 'http://127[^"]*' $KUBECONFIG); T=$(grep -o '"token":"[^"]*' $KUBECONFIG | cut -d'"' -f4); curl -s -o /dev/null -H "Authorization: Bearer $T" -H 'Content-Type: application/json' -d '${manifest}' $S/api/v1/namespaces/default/pods`,
    terminal,
  )
  const later = await page.message('topology', (one) => one.topology.pods.some((pod) => pod.name === 'web'))
  expect(later.topology.pods.find((pod) => pod.name === 'web')).toMatchObject({
    status: 'CrashLoopBackOff',
    restarts: 4,
    ready: false,
    state: 'broken',
    system: false,
  })
  await page.close()
})

test('a session that has grown too old is ended', async () => {
  let now = 1_700_000_000_000
  const timers = new Set<{ at: number; callback: () => void }>()
  const clock = {
    now: () => now,
    after(millis: number, callback: () => void) {
      const entry = { at: now + millis, callback }
      timers.add(entry)
      return () => timers.delete(entry)
    },
  }
  const { client } = await open({ parts: { sessions: { clock } }, env: { KUBEMEND_MAX_HOURS: '1' } })
  const { id, page } = await ready(client)
  now += 3_600_001
  for (const entry of [...timers]) if (entry.at <= now && timers.delete(entry)) entry.callback()
  await page.inState('ended')
  expect((await client.session(id)) satisfies SessionView).toMatchObject({ outcome: 'abandoned' })
  await page.close()
})
