// The store at its door: rows come back as they went in, what a disk or another process does is said in words, a database of any earlier
// version is brought up to date. Runs over SQLite, and over PostgreSQL by vitest.postgres.config.ts.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Kysely, Migrator, sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { freshDatabase, testServer } from './database.fixture.ts'
import { type DrillRow, openStore, type SessionRow, type Store } from './index.ts'
import { postgresDialect } from './postgres.ts'
import { sqliteDialect } from './sqlite.ts'
import { migrationProvider } from './tables.ts'

let dir: string
let store: Store | undefined
let database: Awaited<ReturnType<typeof freshDatabase>>
const open = () => openStore({ dataDir: dir, databaseUrl: database.url })
/** What only one of the two can be brought to do. */
const onSqlite = test.skipIf(testServer !== undefined)
const onPostgres = test.skipIf(testServer === undefined)
beforeEach(async () => {
  database = await freshDatabase()
  dir = mkdtempSync(path.join(tmpdir(), 'kubemend-store-'))
})
afterEach(async () => {
  await store?.close()
  store = undefined
  await database.drop()
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
  store = await open()
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

  store = await open()
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
  store = await open()
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

  store = await open()
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

/** Rows as they were written when this migration was the newest, so that every version in use is brought up to date with what was in it. */
const written: Record<string, (db: Kysely<object>) => Promise<void>> = {
  async '001-sessions'(db) {
    await sql`insert into setting (key, value) values ('owner', 'abc')`.execute(db)
    await sql`insert into session (id, user_id, scenario_id, slug, mode, backend, seed, state, created_at, spent_ms, hints_shown, resets, view, seq)
      values ('a', 'local', 's1', 'slug', 'practice', 'fake', 'x', 'ended', 1700000000001, 0, 0, 0, '{"한":"글"}', 1)`.execute(db)
    await sql`insert into session_event (session_id, seq, at, type, body) values ('a', 1, 1700000000002, 'hint', '{}')`.execute(db)
    await sql`insert into terminal (session_id, id, place, title, shell_id, state) values ('a', 1, 'workstation', 't', 'a-1', 'closed')`.execute(
      db,
    )
    await sql`insert into report (session_id, user_id, scenario_id, outcome, score, graded_at, body) values ('a', 'local', 's1', 'solved', 62.5, 2, '{}')`.execute(
      db,
    )
  },
  async '002-drills'(db) {
    await sql`insert into drill (id, user_id, state, mode, backend, created_at, seen_at, body) values ('d', 'local', 'ended', 'exam', 'fake', 5, 6, '{}')`.execute(
      db,
    )
    await sql`update session set drill_id = 'd'`.execute(db)
  },
  async '004-classes'(db) {
    await sql`insert into class (id, created_at, body) values ('c', 8, '{"name":"가"}')`.execute(db)
  },
  async '005-people'(db) {
    await sql`insert into person (id, name, email, role, disabled, email_verified, created_at, updated_at)
      values ('p', 'Ann', 'ann@example.org', 'admin', ${sql.lit(testServer === undefined ? 0 : false)}, ${sql.lit(testServer === undefined ? 0 : false)}, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z')`.execute(
      db,
    )
    await sql`insert into audit (id, at, action) values ('1', 7, 'person.joined')`.execute(db)
  },
  async '006-tokens'(db) {
    await sql`insert into token (id, person_id, digest, name, scopes, created_at, expires_at)
      values ('t', 'p', 'hash', '표', 'classes:read', 1700000000003, 1800000000003)`.execute(db)
  },
}
test('what was written by any earlier version is all there after the upgrade', async () => {
  const all = await migrationProvider.getMigrations()
  const names = Object.keys(all).sort()
  for (const [index, newest] of names.entries()) {
    const { drop, url } = await freshDatabase()
    const folder = path.join(dir, newest)
    mkdirSync(folder)
    const db = new Kysely<object>({ dialect: url === undefined ? sqliteDialect(path.join(folder, 'kubemend.db')) : postgresDialect(url) })
    const upTo = names.slice(0, index + 1)
    const provider = { getMigrations: async () => Object.fromEntries(upTo.map((name) => [name, all[name]!])) }
    expect((await new Migrator({ db, provider }).migrateToLatest()).error).toBeUndefined()
    for (const name of upTo) await written[name]?.(db)
    await db.destroy()
    const upgraded = await openStore({ dataDir: folder, databaseUrl: url })
    try {
      expect(await upgraded.setting('owner'), newest).toBe('abc')
      const drilled = upTo.includes('002-drills')
      expect(await upgraded.session('a')).toMatchObject({
        state: 'ended',
        created_at: 1700000000001,
        view: '{"한":"글"}',
        drill_id: drilled ? 'd' : null,
      })
      expect(await upgraded.events('a', 0)).toMatchObject([{ seq: 1, at: 1700000000002 }])
      expect(await upgraded.terminals('a')).toMatchObject([{ id: 1, exit_code: null }])
      expect(await upgraded.report('a')).toMatchObject({ score: 62.5, sealed: 0 })
      expect(await upgraded.attempts('local')).toEqual([{ scenario_id: 's1', attempts: 1, best: 62.5 }])
      expect((await upgraded.drills({})).map(({ id, seen_at }) => [id, seen_at])).toEqual(drilled ? [['d', 6]] : [])
      expect(await upgraded.people.countAdmins()).toBe(upTo.includes('005-people') ? 1 : 0)
      if (upTo.includes('006-tokens'))
        expect(await upgraded.tokens.list('p')).toMatchObject([{ name: '표', expires_at: 1800000000003, used_at: null }])
      if (upTo.includes('004-classes'))
        expect(await upgraded.rows('class').get('c')).toMatchObject({ created_at: 8, body: '{"name":"가"}' })
      // And it can be written to.
      await upgraded.insertSession(row('b'))
      await upgraded.people.insertAudit({
        id: '2',
        at: 8,
        actor_id: null,
        actor_name: null,
        action: 'x',
        subject_id: null,
        subject_name: null,
        detail: null,
      })
    } finally {
      await upgraded.close()
      await drop()
    }
  }
  // Whoever adds a migration that makes a table says here what is in it.
  expect(names).toEqual(Object.keys(written))
})

test('people: one of two takes an invitation, the last admin stays, the log is cut to its bounds', async () => {
  store = await open()
  const { people } = store
  const invitation = {
    id: 'i',
    digest: 'd',
    role: 'learner',
    email: null,
    created_by: null,
    created_at: 1,
    expires_at: 10,
    used_at: null,
    used_by: null,
  }
  await people.insertInvitation(invitation)
  expect((await Promise.all([people.spendInvitation('d', 5), people.spendInvitation('d', 5)])).sort()).toEqual([false, true])
  expect(await people.invitations(5)).toEqual([])
  await people.settleInvitation('d', null)
  expect(await people.spendInvitation('d', 10)).toBe(false)
  expect(await people.spendInvitation('d', 9)).toBe(true)
  expect(await people.deleteInvitation('i')).toBe(false)

  const person = (id: string) =>
    store!.database.db
      .insertInto('person')
      .values({
        ...{ id, name: id, email: `${id}@example.org`, role: 'admin', image: null },
        ...{ disabled: testServer === undefined ? 0 : false, email_verified: testServer === undefined ? 0 : false },
        ...{ created_at: '2026-01-01T00:00:00.000Z', updated_at: '2026-01-01T00:00:00.000Z' },
      })
      .execute()
  await person('a')
  await person('b')
  const taken = await Promise.all([people.changeAdmin('a', { role: 'learner' }), people.changeAdmin('b', { disabled: true })])
  expect([taken.sort(), await people.countAdmins()]).toEqual([[false, true], 1])
  expect((await people.people()).map(({ id, createdAt, lastLoginAt }) => [id, createdAt, lastLoginAt])).toEqual([
    ['a', 1767225600000, null],
    ['b', 1767225600000, null],
  ])

  for (let index = 0; index < 20; index++)
    await people.insertAudit({
      ...{ id: String(index).padStart(2, '0'), at: Math.floor(index / 2), action: 'x' },
      ...{ actor_id: 'a', actor_name: 'Ann', subject_id: 'b', subject_name: 'Bob', detail: 'said' },
    })
  await people.pruneAudit(15, 0)
  expect((await people.audit({ limit: 100 })).map(({ id }) => Number(id))).toEqual(Array.from({ length: 15 }, (_, index) => 19 - index))
  await people.pruneAudit(15, 8)
  const left = await people.audit({ limit: 100 })
  expect(left.map(({ id }) => id)).toEqual(['19', '18', '17', '16'])
  expect((await people.audit({ limit: 2, before: left[1]! })).map(({ id }) => id)).toEqual(['17', '16'])
  await people.anonymise({ id: 'a', email: 'a@example.org' }, '(deleted)')
  await people.anonymise({ id: 'b', email: 'b@example.org' }, '(deleted)')
  expect(await people.audit({ limit: 1 })).toMatchObject([{ actor_name: '(deleted)', subject_name: '(deleted)', detail: null }])

  await store.insertSession(row('s', { user_id: 'a' }))
  await store.append({ session_id: 's', seq: 1, at: 5, type: 'hint', body: '{}' }, { seq: 1 })
  await store.insertSession(row('t', { user_id: 'b' }))
  expect(await people.deleteWork('a')).toEqual(['s'])
  expect([await store.session('s'), await store.events('s', 0), (await store.session('t'))?.id]).toEqual([null, [], 't'])
})

onPostgres('a server that is away, and one that lets nobody in, are named, and no password with them', async () => {
  const away = openStore({ dataDir: dir, databaseUrl: 'postgres://me:hidden@127.0.0.1:1/lab' })
  await expect(away).rejects.toMatchObject({
    code: 'backend-unavailable',
    message: expect.stringMatching(/127\.0\.0\.1:1\/lab cannot be reached/),
  })
  await away.catch((error: Error) => expect(JSON.stringify(error) + error.message).not.toContain('hidden'))
  const none = new URL(database.url!)
  none.pathname = '/there-is-none'
  await expect(openStore({ dataDir: dir, databaseUrl: none.href })).rejects.toMatchObject({ hint: expect.stringContaining('createdb') })
})

test('tokens: no more than a person may have, also by two at once; they go with their person', async () => {
  store = await open()
  const at = new Date(0).toISOString()
  const { db } = store.database
  const person = (id: string) => ({
    id,
    name: id,
    email: `${id}@example.org`,
    role: 'learner',
    disabled: testServer === undefined ? 0 : false,
    email_verified: testServer === undefined ? 0 : false,
    image: null,
    created_at: at,
    updated_at: at,
  })
  await db
    .insertInto('person')
    .values([person('ann'), person('bob')])
    .execute()
  const token = (id: string, owner: string, expires: number) => ({
    id,
    person_id: owner,
    digest: `hash of ${id}`,
    name: '한글',
    scopes: 'classes:read sessions:write',
    created_at: Number(id),
    expires_at: expires,
    used_at: null,
  })
  const limit = { most: 2, now: 100 }
  const { tokens } = store
  expect(await tokens.insert(token('1', 'ann', 100), limit)).toBe(true)
  expect(await tokens.insert(token('2', 'ann', 101), limit)).toBe(true)
  // One has expired, so there is room for one; not for two.
  const both = await Promise.all([tokens.insert(token('3', 'ann', 900), limit), tokens.insert(token('4', 'ann', 900), limit)])
  expect(both.sort()).toEqual([false, true])
  expect(await tokens.insert(token('5', 'bob', 900), limit)).toBe(true)
  await expect(tokens.insert({ ...token('6', 'bob', 900), digest: 'hash of 5' }, limit)).rejects.toThrow()

  expect(await tokens.byDigest('hash of 2')).toEqual(token('2', 'ann', 101))
  expect(await tokens.byDigest('hash of 9')).toBeNull()
  await tokens.touch('2', 55)
  const newest = (await tokens.list('ann'))[0]!.id
  expect((await tokens.list('ann')).map(({ id, used_at }) => [id, used_at])).toEqual([
    [newest, null],
    ['2', 55],
    ['1', null],
  ])
  expect(await tokens.remove('bob', '2')).toBe(false)
  expect(await tokens.remove('ann', '2')).toBe(true)
  await tokens.prune(101)
  expect((await tokens.list('ann')).map(({ id }) => id)).toEqual([newest])
  expect(await tokens.removeAll('ann')).toEqual([newest])
  expect(await tokens.removeAll('ann')).toEqual([])
  await db.deleteFrom('person').where('id', '=', 'bob').execute()
  expect(await tokens.byDigest('hash of 5')).toBeNull()
})

test('an event that cannot be written leaves the session as it was', async () => {
  store = await open()
  await store.insertSession(row('a'))
  await store.append({ session_id: 'a', seq: 1, at: 5, type: 'hint', body: '{}' }, { seq: 1 })
  await expect(store.append({ session_id: 'a', seq: 1, at: 6, type: 'hint', body: '{}' }, { seq: 7, state: 'ended' })).rejects.toThrow()
  expect(await store.session('a')).toMatchObject({ seq: 1, state: 'starting' })
})

onSqlite('a full disk is said to be full', async () => {
  // A limit on the file's pages makes SQLite itself answer SQLITE_FULL.
  store = await openStore({
    dataDir: dir,
    open: (file) => {
      const database = new DatabaseSync(file)
      database.exec('pragma max_page_count = 140')
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

onSqlite('a database that another process has locked is said to be locked', async () => {
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

onSqlite('a file that is no database is said to be damaged', async () => {
  writeFileSync(path.join(dir, 'kubemend.db'), 'this is not a database at all, by far not')
  await expect(open()).rejects.toMatchObject({
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
