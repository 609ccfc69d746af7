// Running it for others: what machines may ask, what is counted, what is bounded, what is kept. Over a real port, on the fake backend.
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import path from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import type { Cluster } from '#lib/cluster/index.ts'
import { mini } from '#lib/exam/index.ts'
import { type ErrorView, LabError, type Report, type SessionView } from '#lib/protocol/index.ts'
import { Client } from './client.ts'
import { sweep } from './retention.ts'
import { Leaping, quietLog, TestLab, type TestLabOptions } from './testing.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 })
const shop = 'The shop sells nothing'
const day = 86_400_000
let labs: TestLab[] = []
afterEach(async () => {
  for (const lab of labs) await lab.close()
  labs = []
})
async function open(env: Record<string, string> = {}, parts: TestLabOptions['parts'] = {}) {
  const clock = new Leaping()
  const lab = await TestLab.open({ env, parts: { ...parts, sessions: { clock } } })
  labs.push(lab)
  return { lab, clock, client: new Client(lab.url) }
}
/** With any Host, which fetch would not send. */
const raw = (lab: TestLab, target: string, headers: Record<string, string> = {}): Promise<{ status: number; body: string }> =>
  new Promise((resolve, reject) => {
    httpRequest(new URL(target, lab.url), { headers }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      response.on('end', () => resolve({ status: response.statusCode!, body }))
    })
      .on('error', reject)
      .end()
  })
const reading = (text: string, line: string): number | undefined => {
  const found = text.split('\n').find((one) => one.startsWith(`${line} `))
  return found === undefined ? undefined : Number(found.slice(line.length + 1))
}
const refused = async (answer: Response) => [answer.status, ((await answer.json()) as { error: ErrorView }).error.code] as const

test('health is told by address, metrics to this machine or with the token; they count without naming anybody', async () => {
  const token = 'a-token-that-is-long'
  const { client, lab } = await open({ KUBEMEND_METRICS_TOKEN: token })
  for (const target of ['/healthz', '/readyz']) expect((await raw(lab, target, { host: '10.0.0.7:3000' })).status, target).toBe(200)
  expect((await raw(lab, '/metrics', { host: 'rebound.example' })).status).toBe(403)
  expect((await raw(lab, '/metrics', { 'x-forwarded-for': '203.0.113.9' })).status).toBe(403)
  expect((await raw(lab, '/metrics', { authorization: 'Bearer a-token-that-is-wrong' })).status).toBe(403)
  expect((await raw(lab, '/metrics', { authorization: `Bearer ${token}`, 'x-forwarded-for': '203.0.113.9' })).status).toBe(200)

  const id = await client.begin(shop)
  const page = await client.open(id)
  await page.inState('ready')
  const running = (await raw(lab, '/metrics')).body
  expect(reading(running, 'kubemend_sessions{backend="fake",state="ready"}')).toBe(1)
  expect(reading(running, 'kubemend_session_start_seconds_count{backend="fake"}')).toBe(1)
  expect(reading(running, 'kubemend_session_start_seconds_bucket{backend="fake",le="+Inf"}')).toBe(1)
  expect(reading(running, 'kubemend_grading_queue')).toBe(0)
  await client.act(id, 'give-up')
  await page.inState('ended')
  await page.close()
  const after = (await raw(lab, '/metrics')).body
  expect(reading(after, 'kubemend_sessions_ended_total{backend="fake",outcome="given-up"}')).toBe(1)
  expect(reading(after, 'kubemend_verdicts_total{backend="fake",verdict="zero"}')).toBe(1)
  expect(reading(after, 'kubemend_sessions{backend="fake",state="ready"}')).toBeUndefined()
  expect(reading(after, 'kubemend_http_answers_total{status="4xx"}')).toBeGreaterThan(0)
  // The text format: each line a comment or name{labels} value, each series once.
  const series = after
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith('#'))
  for (const line of series) expect(line).toMatch(/^[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? -?[\d.e+-]+$/)
  expect(new Set(series.map((line) => line.slice(0, line.lastIndexOf(' ')))).size).toBe(series.length)
  for (const secret of [id, token, 'local"', 'config-value', shop]) expect(after).not.toContain(secret)
})

test('a failed injection and a store that fails are counted; a store that does not answer is not ready', async () => {
  const { client, lab } = await open({}, { engine: { inject: () => Promise.reject(new Error('no such file')) } })
  const id = await client.begin(shop)
  await vi.waitFor(async () => expect((await client.session(id)).state).toBe('failed'), { timeout: 120_000, interval: 50 })
  const failures = (await raw(lab, '/metrics')).body.split('\n').filter((line) => line.startsWith('kubemend_session_failures_total{'))
  expect(failures).toEqual([expect.stringMatching(/^kubemend_session_failures_total\{backend="fake",code="[a-z-]+"\} 1$/)])
  const ping = vi.spyOn(lab.lab, 'ping').mockRejectedValue(new Error('gone'))
  expect(await raw(lab, '/readyz')).toEqual({ status: 503, body: JSON.stringify({ ready: false, database: false }) })
  expect((await raw(lab, '/healthz')).status).toBe(200)
  ping.mockRestore()
  expect((await raw(lab, '/readyz')).status).toBe(200)
})

const patience = { timeout: 60_000, interval: 50 }
/** pages that are connected are as many */
const pages = (lab: TestLab, count: number) => vi.waitFor(() => expect(lab.front.sockets.count).toBe(count), patience)
const halfAnHour = (clock: Leaping) => {
  clock.leap(29 * 60_000)
  clock.leap(60_000)
  clock.leap(60_000)
}
const suspended = async (lab: TestLab) => reading((await raw(lab, '/metrics')).body, 'kubemend_sessions_suspended')

test('labs in all are bounded, those of drills counted; a practice lab that nobody looks at is suspended, one that is open is not', async () => {
  const { client, clock, lab } = await open({ KUBEMEND_SESSIONS: '2', KUBEMEND_IDLE_MINUTES: '30' })
  const [seen, unseen] = [await client.begin(shop), await client.begin(shop)]
  const page = await client.open(seen)
  await page.inState('ready')
  const before = await client.open(unseen)
  await before.inState('ready')
  const terminal = await before.terminal('workstation')
  await before.run('echo kept > left-here; word=lost', terminal)
  const { id: scenario } = await client.scenario(shop)
  expect(await refused(await client.send('POST', '/api/sessions', { scenario }))).toEqual([503, 'capacity-exceeded'])
  expect(await refused(await client.send('POST', '/api/exam', { blueprint: mini({ mode: 'practice', seed: 'x' }) }))).toEqual([
    503,
    'capacity-exceeded',
  ])
  await before.close()
  await pages(lab, 1)

  halfAnHour(clock)
  await vi.waitFor(async () => expect(await suspended(lab)).toBe(1), patience)
  const asleep = await client.session(unseen)
  expect([asleep.state, asleep.outage?.message]).toEqual(['ready', 'This lab sleeps, for nobody had looked at it for long.'])
  expect((await client.session(seen)).outage).toBeNull()
  // There is room again, and who comes back is not turned away for it.
  expect((await client.send('POST', '/api/sessions', { scenario })).status).toBe(201)
  clock.leap(3_600_000)
  const after = await client.open(unseen)
  await vi.waitFor(async () => expect((await client.session(unseen)).outage).toBeNull(), patience)
  const looked = async () => (await client.session(unseen)).checks.some((check) => check.state !== 'not-evaluable')
  await vi.waitFor(async () => expect(await looked()).toBe(true), patience)
  expect(await after.run('cat left-here; echo "${word:-gone}"', await after.terminal('workstation'))).toMatch(/kept\s+gone/)
  // Neither the hour asleep nor the half before it that counted is more than was worked.
  expect((await client.session(unseen)).spentMs).toBeLessThan(40 * 60_000)
  await after.close()
  await page.close()
})

test('what is asked of a lab that sleeps wakes it; it sleeps through a restart; one that cannot be woken up says so and is tried again', async () => {
  const { client, clock, lab } = await open({ KUBEMEND_IDLE_MINUTES: '30' })
  const id = await client.begin(shop)
  const ready = async () => expect((await client.session(id)).state).toBe('ready')
  await vi.waitFor(ready, patience)
  const clusters = await Array.fromAsync(lab.provider.adopt())
  const [cluster] = clusters
  expect(clusters).toHaveLength(1)
  halfAnHour(clock)
  await vi.waitFor(async () => expect(await suspended(lab)).toBe(1), patience)

  const full = new LabError('backend-unavailable', 'The process did not start.')
  const resume = vi.spyOn(cluster as Required<Cluster>, 'resume').mockRejectedValueOnce(full)
  const page = await client.open(id)
  await vi.waitFor(async () => expect((await client.session(id)).outage?.message).toBe(full.message), patience)
  clock.leap(6000)
  await vi.waitFor(async () => expect((await client.session(id)).outage).toBeNull(), patience)
  expect(resume).toHaveBeenCalledTimes(2)
  await page.close()
  await pages(lab, 0)

  halfAnHour(clock)
  await vi.waitFor(async () => expect(await suspended(lab)).toBe(1), patience)
  await lab.restart()
  await vi.waitFor(async () => expect((await client.session(id)).outage).toBeNull(), patience)
  halfAnHour(clock)
  await vi.waitFor(async () => expect(await suspended(lab)).toBe(1), patience)
  await client.act(id, 'give-up')
  await vi.waitFor(async () => expect((await client.session(id)).state).toBe('ended'), patience)
  expect((await client.get<Report>(`/api/sessions/${id}/report`)).outcome).toBe('given-up')
})

test('a lab whose cluster is lost while it sleeps has failed, and may be tried again; one that cannot sleep is ended', async () => {
  const { client, clock, lab } = await open({ KUBEMEND_IDLE_MINUTES: '30' })
  const id = await client.begin(shop)
  await vi.waitFor(async () => expect((await client.session(id)).state).toBe('ready'), patience)
  const [cluster] = await Array.fromAsync(lab.provider.adopt())
  halfAnHour(clock)
  await vi.waitFor(async () => expect(await suspended(lab)).toBe(1), patience)
  vi.spyOn(cluster as Required<Cluster>, 'resume').mockRejectedValue(new LabError('not-found', 'Nothing was written down of it.'))
  const page = await client.open(id)
  await page.inState('failed')
  expect(await suspended(lab)).toBe(0)
  await client.act(id, 'retry')
  await vi.waitFor(async () => expect((await client.session(id)).state).toBe('ready'), patience)
  await page.close()
  await pages(lab, 0)

  for await (const one of lab.provider.adopt()) Object.assign(one, { suspend: undefined })
  halfAnHour(clock)
  await vi.waitFor(async () => expect((await client.session(id)).state).toBe('ended'), patience)
  expect((await client.session(id)).outcome).toBe('abandoned')
})

test('recordings and events of sessions that ended long ago go, reports and what is younger stay', async () => {
  const { client, lab } = await open()
  const id = await client.begin(shop)
  const page = await client.open(id)
  await page.inState('ready')
  const terminal = await page.terminal('workstation')
  await page.run('echo recorded', terminal)
  const going = await client.begin(shop)
  await client.act(id, 'give-up')
  await page.inState('ended')
  await page.close()
  const dirOf = (one: string) => path.join(lab.dataDir, 'sessions', one)
  const report = () => client.get<Report>(`/api/sessions/${id}/report`)
  expect((await report()).recordings).toHaveLength(1)
  const store = await import('#lib/store/index.ts').then(({ openStore }) => openStore({ dataDir: lab.dataDir }))
  try {
    await mkdir(path.join(lab.dataDir, 'sessions', 'not-one-of-ours'), { recursive: true })
    await writeFile(path.join(dirOf('not-one-of-ours'), 'note'), 'x')
    const now = Date.now()
    expect(await sweep(lab.dataDir, store, quietLog, { now, keepMs: day })).toBe(0)
    expect((await report()).recordings).toHaveLength(1)
    expect(await sweep(lab.dataDir, store, quietLog, { now: now + 2 * day, keepMs: day })).toBe(1)
    expect([existsSync(dirOf(id)), existsSync(dirOf('not-one-of-ours'))]).toEqual([false, true])
    expect(await store.events(id, 0)).toEqual([])
    expect(await report()).toMatchObject({ outcome: 'given-up', score: 0, recordings: [] })
    expect(['starting', 'ready']).toContain((await client.get<SessionView>(`/api/sessions/${going}`)).state)
    expect(await refused(await fetch(`${lab.url}/api/sessions/${id}/recordings/${terminal}`))).toEqual([404, 'not-found'])
  } finally {
    await store.close()
  }
})
