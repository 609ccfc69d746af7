// One's own data over the real API: out of one server, into another, and back, without losing or doubling anything.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { exportOf, importInto, mini, readArchive } from '#lib/exam/index.ts'
import {
  type Archive,
  archive,
  archiveLimits,
  type DrillView,
  type ErrorView,
  type ExamView,
  type Report,
  report,
  type SessionView,
  sessionView,
} from '#lib/protocol/index.ts'
import { openStore, type Store } from '#lib/store/index.ts'
import { Client } from './client.ts'
import { TestLab } from './testing.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 })
const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})
async function open() {
  const lab = await TestLab.open()
  undo.push(() => lab.close())
  return new Client(lab.url)
}
const ended = (client: Client, id: string) =>
  vi.waitFor(async () => expect((await client.get<DrillView>(`/api/exam/${id}`)).state).toBe('ended'), { timeout: 90_000, interval: 50 })
const refusal = async (answer: Response) => [answer.status, ((await answer.json()) as { error: ErrorView }).error.message] as const

/** A drill that was finished and a practice that was given up. */
async function lived(client: Client) {
  const { id } = await client.post<{ id: string }>('/api/exam', { blueprint: mini({ mode: 'exam', seed: 'data' }) })
  await vi.waitFor(async () => expect((await client.get<DrillView>(`/api/exam/${id}`)).state).toBe('running'), {
    timeout: 90_000,
    interval: 50,
  })
  // What an exam keeps sealed does not leave by this door, and nothing comes in meanwhile.
  expect((await refusal(await fetch(`${client.url}/api/data`)))[0]).toBe(403)
  expect((await refusal(await client.send('POST', '/api/data', {})))[0]).toBe(403)
  await client.post(`/api/exam/${id}/actions`, { type: 'finish' })
  await ended(client, id)
  const session = await client.begin('The shop sells nothing')
  const page = await client.open(session)
  await page.inState('ready')
  await client.act(session, 'give-up')
  await page.inState('ended')
  await page.close()
  return { drill: id, session }
}

test('what was graded goes to another server and back: nothing is lost, nothing doubled, and it is marked', async () => {
  const first = await open()
  const { drill, session } = await lived(first)
  const file = archive.parse(await first.get<Archive>('/api/data'))
  expect(file.drills.map(({ id }) => id)).toEqual([drill])
  expect(file.sessions.map((one) => one.report.sessionId)).toContain(session)
  expect(file.leftOut).toEqual({ sessions: 0, drills: 0 })

  const second = await open()
  const answer = await second.post('/api/data', file)
  expect(answer).toEqual({ sessions: { added: file.sessions.length, known: 0 }, drills: { added: 1, known: 0 } })
  expect(await second.post('/api/data', file)).toEqual({
    sessions: { added: 0, known: file.sessions.length },
    drills: { added: 0, known: 1 },
  })
  const [before, after] = [await first.get<ExamView>('/api/exam'), await second.get<ExamView>('/api/exam')]
  expect(after.history).toEqual(before.history.map((one) => ({ ...one, imported: true })))
  expect(after.progress).toEqual(before.progress)
  const review = await second.get<DrillView>(`/api/exam/${drill}`)
  expect(review.result).toEqual((await first.get<DrillView>(`/api/exam/${drill}`)).result)
  const there = report.parse(await second.get<Report>(`/api/sessions/${session}/report`))
  expect(there).toMatchObject({ score: 0, outcome: 'given-up', imported: true, recordings: [] })
  expect(sessionView.parse(await second.get<SessionView>(`/api/sessions/${session}`))).toMatchObject({ state: 'ended', terminals: [] })
  expect((await second.scenario('The shop sells nothing')).attempts).toBe((await first.scenario('The shop sells nothing')).attempts)

  // Back again: all of it is known.
  const back = archive.parse(await second.get<Archive>('/api/data'))
  expect(await first.post('/api/data', back)).toEqual({
    sessions: { added: 0, known: back.sessions.length },
    drills: { added: 0, known: 1 },
  })
  expect((await first.get<ExamView>('/api/exam')).history.map(({ imported }) => imported)).toEqual([false])

  // Whoever brings it says where it is wrong, and then nothing has come in.
  const send = async (body: string) =>
    refusal(
      await fetch(`${second.url}/api/data`, { method: 'POST', headers: { origin: second.url, 'content-type': 'application/json' }, body }),
    )
  const at = (index: number) => ({ ...file.sessions[index]!, report: { ...file.sessions[index]!.report, score: 250 } })
  for (const [body, status, words] of [
    ['{\n  "format": ,', 400, /not JSON: line 2, column 13/],
    ['[]', 400, /at the top: /],
    [JSON.stringify({ ...file, version: 2 }), 400, /version 2.*reads version 1/],
    [JSON.stringify({ ...file, sessions: [file.sessions[0], at(1)] }), 400, /sessions\[1\]\.report\.score: /],
    [
      JSON.stringify({ ...file, drills: [{ ...file.drills[0], tasks: [{ ...file.drills[0]!.tasks[0], minutes: 'x' }] }] }),
      400,
      /drills\[0\]\.tasks\[0\]\.minutes: /,
    ],
    [' '.repeat(archiveLimits.bytes + 1), 413, /larger than 16 MiB/],
  ] as const) {
    const [code, message] = await send(body)
    expect([code, message]).toEqual([status, expect.stringMatching(words)])
  }
  expect((await second.get<ExamView>('/api/exam')).history).toHaveLength(1)

  // Another person of the same server brings the same file: theirs are rows of their own.
  const dataDir = mkdtempSync(path.join(tmpdir(), 'kubemend-archive-'))
  undo.push(() => rmSync(dataDir, { recursive: true, force: true }))
  const store: Store = await openStore({ dataDir })
  undo.push(() => store.close())
  const clock = { now: () => 5, after: () => () => {} }
  for (const who of ['ada', 'bob']) expect((await importInto(store, who, file)).drills).toEqual({ added: 1, known: 0 })
  for (const who of ['ada', 'bob']) {
    expect((await importInto(store, who, file)).sessions.added).toBe(0)
    const own = await exportOf(store, clock, who)
    expect([own.sessions.length, own.drills.length]).toEqual([file.sessions.length, 1])
    // A task's report is found under the id that it has here, and is its owner's.
    for (const task of own.drills[0]!.tasks) if (task.session !== null) expect((await store.session(task.session))?.user_id).toBe(who)
    expect(own.drills[0]!.tasks.some((task) => task.session !== null)).toBe(true)
    expect(readArchive(JSON.stringify(own))).toEqual(own)
  }
  const [ada, bob] = [await store.keys('ada'), await store.keys('bob')]
  expect(new Set([...ada.sessions, ...bob.sessions].map(({ id }) => id)).size).toBe(2 * file.sessions.length)
  expect(ada.drills[0]!.id).toBe(drill)
})
