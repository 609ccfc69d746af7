// Whose is what: every route and the socket, asked by nobody, by the wrong person and by the wrong role. Who asks is handed in here; how
// they signed in is accounts.test.ts' business.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Visitor } from '#lib/auth/index.ts'
import { cka } from '#lib/exam/index.ts'
import { type DrillView, type ErrorView, isAtLeast, type Role } from '#lib/protocol/index.ts'
import { Client } from './client.ts'
import { root } from './config.ts'
import { Page } from './page.ts'
import { TestLab } from './testing.ts'

const person = (id: string, role: Role): Visitor => ({ id, name: id, email: `${id}@example.org`, role, login: `${id}-1` })
const people = [person('ann', 'learner'), person('bob', 'learner'), person('ina', 'instructor'), person('ada', 'admin')]
let lab: TestLab
const as = (name: string | null) => new Client(lab.url, name === null ? {} : { 'x-test-person': name })
let session: string
let drill: string
beforeAll(async () => {
  lab = await TestLab.open({
    env: { KUBEMEND_SESSIONS_PER_USER: '2' },
    parts: { identify: async (headers) => people.find(({ id }) => id === headers.get('x-test-person')) ?? null },
  })
  session = await as('ann').begin('Two nodes no longer take part')
  const page = await as('ann').open(session)
  await page.inState('ready')
  await page.terminal('workstation')
  await page.close()
  const blueprint = { ...cka({ mode: 'practice', seed: 'a' }), tasks: 1, minutes: 20 }
  const started = await as('ann').send('POST', '/api/exam', { blueprint })
  expect(started.status, await started.clone().text()).toBe(201)
  drill = ((await started.json()) as { id: string }).id
  // While its first lab is prepared nothing can be flagged.
  await vi.waitFor(async () => expect(((await as('ann').get(`/api/exam/${drill}`)) as DrillView).state).toBe('running'), 20_000)
})
afterAll(() => lab.close())

interface Ask {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  path: string
  body?: unknown
}
const routes = (): (Ask & { least: Role | null; own?: true; mine?: true })[] => {
  const at = `/api/sessions/${session}`
  const file = { place: 'workstation', path: '/root/note', content: 'x', version: null }
  return [
    { method: 'GET', path: '/api/health', least: null },
    { method: 'GET', path: '/api/catalogue', least: 'learner' },
    { method: 'GET', path: '/api/backends', least: 'learner' },
    { method: 'GET', path: '/api/setup', least: 'learner' },
    { method: 'GET', path: '/api/doctor', least: 'admin' },
    { method: 'GET', path: '/api/setup/plan', least: 'admin' },
    { method: 'POST', path: '/api/setup', body: { consent: false }, least: 'admin' },
    { method: 'GET', path: '/api/openapi.json', least: null },
    { method: 'GET', path: '/api/data', least: 'learner', mine: true },
    { method: 'POST', path: '/api/data', body: {}, least: 'learner' },
    { method: 'POST', path: '/api/account/sign-in', body: {}, least: null },
    { method: 'POST', path: '/api/account/provider', body: {}, least: null },
    { method: 'GET', path: '/api/auth/callback/oidc', least: null },
    { method: 'POST', path: '/api/invitations/look', body: {}, least: null },
    { method: 'POST', path: '/api/invitations/accept', body: {}, least: null },
    { method: 'POST', path: '/api/account/sign-out', body: {}, least: 'learner' },
    { method: 'GET', path: '/api/account', least: 'learner' },
    { method: 'POST', path: '/api/account', body: { type: 'end-others' }, least: 'learner' },
    { method: 'GET', path: '/api/account/tokens', least: 'learner' },
    { method: 'POST', path: '/api/account/tokens', body: {}, least: 'learner' },
    { method: 'DELETE', path: '/api/account/tokens/0123456789abcdef', body: {}, least: 'learner' },
    { method: 'POST', path: '/api/invitations', body: { role: 'learner', email: null, days: 1 }, least: 'instructor' },
    { method: 'DELETE', path: '/api/invitations/0123456789abcdef', body: {}, least: 'admin' },
    { method: 'GET', path: '/api/people', least: 'admin' },
    { method: 'POST', path: '/api/people/0123456789abcdef/actions', body: { type: 'disable' }, least: 'admin' },
    { method: 'GET', path: '/api/audit', least: 'admin' },
    { method: 'GET', path: '/api/sessions', least: 'learner', mine: true },
    { method: 'POST', path: '/api/sessions', body: { scenario: 'none' }, least: 'learner' },
    { method: 'GET', path: at, least: 'learner', own: true },
    { method: 'POST', path: `${at}/actions`, body: { type: 'hint' }, least: 'learner', own: true },
    { method: 'POST', path: `${at}/ticket`, body: {}, least: 'learner', own: true },
    { method: 'GET', path: `${at}/files?place=worker-1&path=/etc/agent.conf`, least: 'learner', own: true },
    { method: 'PUT', path: `${at}/files`, body: file, least: 'learner', own: true },
    { method: 'GET', path: `${at}/report`, least: 'learner', own: true },
    { method: 'GET', path: `${at}/recordings/1`, least: 'learner', own: true },
    { method: 'GET', path: '/api/exam', least: 'learner', mine: true },
    { method: 'POST', path: '/api/exam', body: { blueprint: {} }, least: 'learner' },
    { method: 'POST', path: '/api/exam/preview', body: { blueprint: {} }, least: 'learner' },
    { method: 'GET', path: `/api/exam/${drill}`, least: 'learner', own: true },
    { method: 'POST', path: `/api/exam/${drill}/actions`, body: { type: 'flag', task: 1, flagged: true }, least: 'learner', own: true },
  ]
}
const ask = (who: string | null, { body, method, path }: Ask): Promise<Response> =>
  method === 'GET' ? fetch(lab.url + path, { headers: who === null ? {} : { 'x-test-person': who } }) : as(who).send(method, path, body)
const refusal = async (answer: Response): Promise<[number, ErrorView['code'], boolean]> => {
  const { error } = (await answer.json()) as { error: ErrorView }
  return [answer.status, error.code, error.ko !== undefined && error.hint !== undefined]
}

test('nobody gets anything but a sign of life', async () => {
  for (const route of routes())
    if (route.least === null) expect((await ask(null, route)).status, route.path).not.toBe(401)
    else expect(await refusal(await ask(null, route)), route.path).toEqual([401, 'unauthorized', true])
})

test('a role gets what is for it and no more', async () => {
  for (const route of routes())
    for (const { id, role } of people) {
      if (route.least === null || isAtLeast(role, route.least)) continue
      expect(await refusal(await ask(id, route)), `${id} ${route.path}`).toEqual([403, 'forbidden', true])
    }
})

test('what is another’s is not there, whoever asks and whatever is asked', async () => {
  for (const route of routes().filter(({ own }) => own))
    for (const who of ['bob', 'ina', 'ada'])
      expect(await refusal(await ask(who, route)), `${who} ${route.method} ${route.path}`).toEqual([404, 'not-found', true])
  // In the same words as what nobody has.
  const [foreign, none] = await Promise.all(
    [session, '0123456789abcdef'].map(async (id) => (await ask('bob', { method: 'GET', path: `/api/sessions/${id}` })).text()),
  )
  expect(foreign).toBe(none)
  for (const who of ['bob', 'ina', 'ada']) {
    expect(await as(who).get('/api/sessions')).toEqual({ sessions: [] })
    expect(await as(who).get('/api/exam')).toMatchObject({ history: [], running: null })
    const me = people.find(({ id }) => id === who)!
    expect(await lab.lab.session(me, session)).toBeNull()
    expect(await lab.lab.report(me, session)).toBeNull()
    expect(await lab.lab.drill(me, drill)).toBeNull()
    expect(await lab.lab.sessions(me)).toEqual([])
  }
  // And nothing of it was done.
  expect(((await as('ann').get(`/api/exam/${drill}`)) as DrillView).tasks.map(({ flagged }) => flagged)).toEqual([false])
  expect((await as('ann').session(session)).hints.shown).toEqual([])
})

test('the owner gets all of it', async () => {
  for (const route of routes().filter(({ own, mine, path: at }) => (own || mine) && !at.endsWith('/report'))) {
    const answer = await ask('ann', route)
    expect(answer.status, `${route.path}: ${await answer.clone().text()}`).toBeLessThan(300)
  }
})

test('a ticket is one session’s and one person’s; whoever is dismissed hears nothing more and can do nothing more', async () => {
  const { ticket } = await as('ann').post<{ ticket: string }>(`/api/sessions/${session}/ticket`)
  const other = await as('bob').begin('Two nodes no longer take part')
  const socket = (id: string, token: string) => Page.connect(`${lab.url.replace('http', 'ws')}/ws/session/${id}?ticket=${token}`, lab.url)
  const stolen = await socket(other, ticket)
  await stolen.until(() => stolen.closed, 'the close', true)
  expect([stolen.closed?.code, stolen.messages]).toEqual([4001, []])

  // Each message, from a page whose ticket was for something else: none is heard, none is answered.
  const { ticket: mine } = await as('bob').post<{ ticket: string }>(`/api/sessions/${other}/ticket`)
  const foreign = await socket(session, mine)
  for (const message of [
    { type: 'open', terminal: 1, from: 0, cols: 80, rows: 24 },
    { type: 'open', place: 'workstation', from: 0, cols: 80, rows: 24 },
    { type: 'resize', terminal: 1, cols: 10, rows: 10 },
    { type: 'ack', terminal: 1, offset: 1 },
    { type: 'close', terminal: 1 },
  ])
    foreign.say(message)
  foreign.type('touch /root/stolen\n')
  await foreign.until(() => foreign.closed, 'the close', true)
  expect([foreign.closed?.code, foreign.messages]).toEqual([4001, []])
  expect((await as('ann').session(session)).terminals.map(({ id, state }) => [id, state])).toEqual([[1, 'open']])

  const [page, again] = [await as('ann').open(session), await as('bob').open(other)]
  const { ticket: unused } = await as('ann').post<{ ticket: string }>(`/api/sessions/${session}/ticket`)
  lab.front.sockets.dismiss({ login: 'somebody-else' })
  lab.front.sockets.dismiss({ person: 'ann' })
  lab.lab.tickets.revoke({ person: 'ann' })
  await page.until(() => page.closed, 'the close', true)
  expect(page.closed?.code).toBe(4003)
  const late = await socket(session, unused)
  await late.until(() => late.closed, 'the close', true)
  expect(late.closed?.code).toBe(4001)
  expect(again.closed).toBeNull()
  await again.close()
})

test('limits are each person’s own', async () => {
  const full = await as('bob').send('POST', '/api/sessions', { scenario: (await as('bob').scenario('Two nodes no longer take part')).id })
  expect(full.status).toBe(201)
  const begin = async (who: string) =>
    as(who).send('POST', '/api/sessions', { scenario: (await as(who).scenario('Two nodes no longer take part')).id })
  expect((await begin('bob')).status).toBe(503)
  expect((await begin('ina')).status).toBe(201)
  expect((await as('ina').scenario('Two nodes no longer take part')).running).not.toBeNull()
  expect((await as('ada').scenario('Two nodes no longer take part')).running).toBeNull()
})

test('every route of app/api is in the table above', () => {
  const files = readdirSync(path.join(root, 'app/api'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('route.ts'))
  const known = new Set(
    routes().map(({ method, path: at }) => {
      const pattern = at
        .split('?')[0]!
        .replace(session, '[id]')
        .replace(drill, '[id]')
        .replace(/recordings\/1$/, 'recordings/[terminal]')
        .replace('0123456789abcdef', '[id]')
        .replace('callback/oidc', 'callback/[provider]')
      return `${method} ${pattern}`
    }),
  )
  // Classes have rules of their own, and a table of their own (classes.test.ts).
  for (const file of files.filter((one) => !/^(classes|assignments|memberships|rooms|grades)\//.test(one))) {
    const text = readFileSync(path.join(root, 'app/api', file), 'utf8')
    for (const [, method] of text.matchAll(/export const (GET|POST|PUT|DELETE|PATCH) /g))
      expect(known, 'a route that is not tested for the wrong person').toContain(`${method} /api/${path.dirname(file)}`)
  }
})
