// The store at its door: rows come back as they went in, what a disk or another process does is said in words.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Kysely, Migrator } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type DrillRow, openStore, type SessionRow, type Store } from './index.ts'
import { sqliteDialect } from './sqlite.ts'
import { migrationProvider } from './tables.ts'

let dir: string
let store: Store | undefined
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'kubemend-store-'))
})
afterEach(async () => {
  await store?.close()
  store = undefined
  rmSync(dir, { recursive: true, force: true })
})
const row = (id: string, more: Partial<SessionRow> = {}): SessionRow => ({
  id,
  user_id: 'local',
  scenario_id: 's1',
  slug: 'slug',
  mode: 'practice',
  drill_id: null,
  backend: 'fake',
  seed: 'x',
  state: 'starting',
  outcome: null,
  cluster_id: null,
  baseline: null,
  created_at: 1,
  ready_at: null,
  ended_at: null,
  spent_ms: 0,
  hints_shown: 0,
  resets: 0,
  score: null,
  view: '{}',
  seq: 0,
  ...more,
})

test('sessions, events, terminals, reports and settings outlive the process', async () => {
  store = await openStore({ dataDir: dir })
  expect(await store.settingOr('owner', 'abc')).toBe('abc')
  await store.insertSession(row('a', { created_at: 1 }))
  await store.insertSession(row('b', { created_at: 2, user_id: 'other' }))
  await store.append({ session_id: 'a', seq: 1, at: 5, type: 'hint', body: '{"한":"글"}' }, { seq: 1, state: 'ready', view: '{"v":1}' })
  await store.append({ session_id: 'a', seq: 2, at: 6, type: 'check', body: '{}' }, { seq: 2 })
  await store.saveTerminal({ session_id: 'a', id: 1, place: 'workstation', title: 't', shell_id: 'a-1', state: 'open', exit_code: null })
  await store.saveTerminal({ session_id: 'a', id: 1, place: 'workstation', title: 't', shell_id: 'a-1', state: 'closed', exit_code: 2 })
  const report = {
    session_id: 'a',
    user_id: 'local',
    scenario_id: 's1',
    outcome: 'submitted',
    score: 40,
    graded_at: 9,
    sealed: 0,
    body: '{}',
  }
  await store.saveReport(report)
  await store.saveReport({ ...report, score: 60.5 })
  await store.insertSession(row('c', { created_at: 3 }))
  await store.saveReport({ ...report, session_id: 'c', score: null })
  await store.close()

  store = await openStore({ dataDir: dir })
  expect(await store.settingOr('owner', 'other')).toBe('abc')
  expect(await store.setting('nothing')).toBeNull()
  expect(await store.session('a')).toMatchObject({ state: 'ready', seq: 2, view: '{"v":1}' })
  expect((await store.sessions({ user: 'local' })).map((one) => one.id)).toEqual(['c', 'a'])
  expect((await store.sessions({ states: ['ready'] })).map((one) => one.id)).toEqual(['a'])
  expect((await store.events('a', 0)).map((one) => [one.seq, one.body])).toEqual([
    [1, '{"한":"글"}'],
    [2, '{}'],
  ])
  expect((await store.events('a', 0, { types: ['check'] })).map((one) => one.seq)).toEqual([2])
  await store.forget('a', 2, ['check'])
  expect((await store.events('a', 0)).map((one) => one.seq)).toEqual([1])
  expect(await store.terminals('a')).toMatchObject([{ state: 'closed', exit_code: 2 }])
  expect(await store.attempts('local')).toEqual([{ scenario_id: 's1', attempts: 2, best: 60.5 }])
  expect(await store.attempts('other')).toEqual([])
})

test('drills outlive the process, and what an exam has sealed is not counted until it is opened', async () => {
  store = await openStore({ dataDir: dir })
  const drill = (id: string, more: Partial<DrillRow> = {}): DrillRow => ({
    id,
    user_id: 'local',
    state: 'running',
    mode: 'exam',
    backend: 'fake',
    created_at: 1,
    started_at: null,
    ended_at: null,
    seen_at: 1,
    score: null,
    body: '{}',
    ...more,
  })
  await store.insertDrill(drill('d1'))
  await store.insertDrill(drill('d2', { created_at: 5, user_id: 'other', state: 'ended' }))
  await store.updateDrill('d1', { seen_at: 9, body: '{"한":"글"}' })
  await store.insertSession(row('a', { drill_id: 'd1', mode: 'exam' }))
  await store.insertSession(row('b'))
  const report = { user_id: 'local', scenario_id: 's1', outcome: 'submitted', score: 40, graded_at: 9, body: '{}' }
  await store.saveReport({ ...report, session_id: 'a', sealed: 1, score: 90 })
  await store.saveReport({ ...report, session_id: 'b', sealed: 0 })
  await store.close()

  store = await openStore({ dataDir: dir })
  expect(await store.drill('d1')).toMatchObject({ seen_at: 9, body: '{"한":"글"}' })
  expect(await store.drill('d9')).toBeNull()
  expect((await store.drills({ user: 'local' })).map((one) => one.id)).toEqual(['d1'])
  expect((await store.drills({ states: ['ended'] })).map((one) => one.id)).toEqual(['d2'])
  expect((await store.drills({ since: 2 })).map((one) => one.id)).toEqual(['d2'])
  expect((await store.sessions({ drill: 'd1' })).map((one) => one.id)).toEqual(['a'])
  expect(await store.attempts('local')).toEqual([{ scenario_id: 's1', attempts: 1, best: 40 }])
  await store.unseal('d2')
  expect((await store.report('a'))?.sealed).toBe(1)
  await store.unseal('d1')
  expect(await store.attempts('local')).toEqual([{ scenario_id: 's1', attempts: 2, best: 90 }])
})

test('a database of the first version is brought up to date with all that is in it', async () => {
  const all = await migrationProvider.getMigrations()
  const file = path.join(dir, 'kubemend.db')
  const db = new Kysely<object>({ dialect: sqliteDialect(file) })
  const { error } = await new Migrator({
    db,
    provider: { getMigrations: async () => ({ '001-sessions': all['001-sessions']! }) },
  }).migrateToLatest()
  expect(error).toBeUndefined()
  await db.destroy()
  const old = new DatabaseSync(file)
  old.exec(`insert into session (id, user_id, scenario_id, slug, mode, backend, seed, state, created_at, spent_ms, hints_shown, resets, view, seq)
    values ('a', 'local', 's1', 'slug', 'practice', 'fake', 'x', 'ended', 1, 0, 0, 0, '{}', 0)`)
  old.exec(
    `insert into report (session_id, user_id, scenario_id, outcome, score, graded_at, body) values ('a', 'local', 's1', 'solved', 100, 2, '{}')`,
  )
  old.close()
  store = await openStore({ dataDir: dir })
  expect(await store.session('a')).toMatchObject({ state: 'ended', drill_id: null })
  expect(await store.report('a')).toMatchObject({ score: 100, sealed: 0 })
  expect(await store.attempts('local')).toEqual([{ scenario_id: 's1', attempts: 1, best: 100 }])
  expect(await store.drills({})).toEqual([])
})

test('an event that cannot be written leaves the session as it was', async () => {
  store = await openStore({ dataDir: dir })
  await store.insertSession(row('a'))
  await store.append({ session_id: 'a', seq: 1, at: 5, type: 'hint', body: '{}' }, { seq: 1 })
  await expect(store.append({ session_id: 'a', seq: 1, at: 6, type: 'hint', body: '{}' }, { seq: 7, state: 'ended' })).rejects.toThrow()
  expect(await store.session('a')).toMatchObject({ seq: 1, state: 'starting' })
})

test('a full disk is said to be full', async () => {
  // A limit on the file's pages makes SQLite itself answer SQLITE_FULL.
  store = await openStore({
    dataDir: dir,
    open: (file) => {
      const database = new DatabaseSync(file)
      database.exec('pragma max_page_count = 80')
      return database
    },
  })
  const fill = async () => {
    for (let index = 0; index < 100; index++) await store!.insertSession(row(`s${index}`, { view: 'x'.repeat(4000) }))
  }
  await store.insertSession(row('a'))
  await expect(store.append({ session_id: 'a', seq: 1, at: 1, type: 'hint', body: 'x'.repeat(400_000) }, { seq: 1 })).rejects.toMatchObject(
    { code: 'disk-full' },
  )
  await expect(fill()).rejects.toMatchObject({ name: 'LabError', code: 'disk-full', hint: expect.stringContaining('Free some space') })
})

test('a database that another process has locked is said to be locked', async () => {
  store = await openStore({ dataDir: dir, open: (file) => new DatabaseSync(file, { timeout: 10 }) })
  const other = new DatabaseSync(path.join(dir, 'kubemend.db'))
  other.exec('begin immediate')
  await expect(store.insertSession(row('a'))).rejects.toMatchObject({
    code: 'backend-unavailable',
    message: expect.stringContaining('locked by another process'),
    hint: expect.stringContaining('KUBEMEND_DATA'),
  })
  other.exec('rollback')
  other.close()
  await store.insertSession(row('a'))
})

test('a file that is no database is said to be damaged', async () => {
  writeFileSync(path.join(dir, 'kubemend.db'), 'this is not a database at all, by far not')
  await expect(openStore({ dataDir: dir })).rejects.toMatchObject({
    code: 'backend-unavailable',
    message: expect.stringContaining('no SQLite database'),
  })
})

test('a data directory that cannot be made is named', async () => {
  writeFileSync(path.join(dir, 'file'), '')
  await expect(openStore({ dataDir: path.join(dir, 'file', 'data') })).rejects.toMatchObject({
    code: 'backend-unavailable',
    message: expect.stringContaining('/file/data'),
  })
})
