// Backup and restore at the store's door: what went in comes out, nothing is overwritten unasked, what cannot be done is said.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LabError } from '#lib/protocol/index.ts'
import { freshDatabase, testServer } from './database.fixture.ts'
import { backup, openStore, restore, type Store } from './index.ts'

let dir: string
let database: Awaited<ReturnType<typeof freshDatabase>>
let store: Store | undefined
beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'kubemend-backup-'))
  database = await freshDatabase()
})
afterEach(async () => {
  await store?.close()
  store = undefined
  await database.drop()
  rmSync(dir, { recursive: true, force: true })
})
const options = () => ({ dataDir: dir, databaseUrl: database.url })
const session = (id: string) => ({
  ...{ id, user_id: 'local', scenario_id: 's', slug: 's', mode: 'practice', drill_id: null, backend: 'fake', seed: 'x', state: 'ended' },
  ...{ outcome: null, cluster_id: null, baseline: null, created_at: 1, ready_at: null, ended_at: null, spent_ms: 0, hints_shown: 0 },
  ...{ resets: 0, score: null, view: '{"한":"글"}', seq: 0 },
})
const onSqlite = test.skipIf(testServer !== undefined)
const onPostgres = test.skipIf(testServer === undefined)

test('a backup is taken while the server runs, and restored once it does not; nothing is overwritten unasked', async () => {
  store = await openStore(options())
  await store.insertSession(session('a'))
  const file = path.join(dir, 'kept', 'one.backup')
  expect(await backup(file, options())).toMatchObject({ sessions: 1, people: 0, version: expect.stringMatching(/^\d{3}-/) })
  expect(readdirSync(path.dirname(file))).toEqual(['one.backup'])
  await expect(backup(file, options())).rejects.toMatchObject({ code: 'conflict' })
  await store.insertSession(session('b'))
  await expect(restore(file, { ...options(), overwrite: true })).rejects.toMatchObject({
    code: 'conflict',
    hint: expect.stringContaining('Stop the server'),
  })
  await store.close()
  store = undefined
  await expect(restore(file, options())).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('2 sessions') })
  const done = await restore(file, { ...options(), overwrite: true })
  expect(done).toMatchObject({ now: { sessions: 1 }, before: { sessions: 2 } })
  if (testServer === undefined) expect(existsSync(done.keptAs!)).toBe(true)
  store = await openStore(options())
  expect((await store.sessions({})).map(({ id, view }) => [id, view])).toEqual([['a', '{"한":"글"}']])
})

test('a backup is restored into nothing without being told to overwrite', async () => {
  store = await openStore(options())
  await store.insertSession(session('a'))
  const file = path.join(dir, 'one.backup')
  await backup(file, options())
  await store.close()
  const other = await freshDatabase()
  const elsewhere = { dataDir: path.join(dir, 'elsewhere'), databaseUrl: other.url }
  expect(await restore(file, elsewhere)).toMatchObject({ now: { sessions: 1 }, before: null, keptAs: null })
  store = await openStore(elsewhere)
  expect((await store.sessions({})).map(({ id }) => id)).toEqual(['a'])
  await store.close()
  store = undefined
  await other.drop()
})

test('what is no backup, damaged, or of a newer version is refused, and nothing has changed', async () => {
  store = await openStore(options())
  await store.insertSession(session('a'))
  await store.database.db
    .insertInto('kysely_migration' as never)
    .values({ name: '999-future', timestamp: 'x' } as never)
    .execute()
  const file = path.join(dir, 'future.backup')
  await backup(file, options())
  await store.database.db
    .deleteFrom('kysely_migration' as never)
    .where('name' as never, '=', '999-future' as never)
    .execute()
  await store.close()
  const nonsense = path.join(dir, 'nonsense')
  writeFileSync(nonsense, 'this is no backup at all')
  const half = path.join(dir, 'half')
  writeFileSync(half, readFileSync(file).subarray(0, 9000))
  for (const bad of [file, nonsense, half])
    await expect(restore(bad, { ...options(), overwrite: true }), bad).rejects.toMatchObject({ name: 'LabError', hint: expect.any(String) })
  await expect(restore(file, { ...options(), overwrite: true })).rejects.toMatchObject({
    message: expect.stringContaining('newer version'),
  })
  await expect(restore(path.join(dir, 'none'), options())).rejects.toMatchObject({ code: 'not-found' })
  store = await openStore(options())
  expect((await store.sessions({})).map(({ id }) => id)).toEqual(['a'])
})

onSqlite('a data directory without a database is named; one of another program is no backup', async () => {
  await expect(backup(path.join(dir, 'x'), options())).rejects.toMatchObject({ code: 'not-found', message: expect.stringContaining(dir) })
  const other = path.join(dir, 'other.db')
  new DatabaseSync(other).exec('create table session (id text)')
  await expect(restore(other, options())).rejects.toMatchObject({ code: 'bad-request' })
  expect(existsSync(path.join(dir, 'kubemend.db'))).toBe(false)
})

onPostgres('without the programs of PostgreSQL the way to them is said, and the password is in no argument', async () => {
  store = await openStore(options())
  const asked: (readonly string[])[] = []
  const runner = {
    run: async ({ argv }: { argv: readonly string[] }) => {
      asked.push(argv)
      throw new LabError('not-found', `There is no program ${argv[0]}.`)
    },
  }
  const url = new URL(database.url!)
  url.password = 'hidden'
  await expect(backup(path.join(dir, 'x'), { dataDir: dir, databaseUrl: url.href, runner })).rejects.toMatchObject({
    hint: expect.stringContaining('postgresql-client'),
  })
  expect(asked).toHaveLength(1)
  expect(JSON.stringify(asked)).not.toContain('hidden')
  expect(readdirSync(dir).filter((name) => name.startsWith('x'))).toEqual([])
})
