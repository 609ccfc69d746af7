// A copy of all rows in one file, and the way back. SQLite by its online backup, while a server runs; PostgreSQL by its own pg_dump and
// pg_restore. Knows nothing of what the rows mean. Recordings of terminals are files of the data directory and no part of it.
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { backup as copy, DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { type Output, processes, type Runner } from '#lib/exec/index.ts'
import { asLabError, LabError } from '#lib/protocol/index.ts'
import { applicationName, postgresError, safeAddress } from './postgres.ts'
import { storeError } from './sqlite.ts'
import { migrationProvider } from './tables.ts'

export interface BackupOptions {
  /** of the database file `kubemend.db` */
  dataDir: string
  /** postgres://…: that database instead */
  databaseUrl?: string | undefined
  /** for tests of a machine without PostgreSQL's programs */
  runner?: Pick<Runner, 'run'>
}
/** What a database or a copy holds. */
export interface Kept {
  sessions: number
  people: number
  /** its newest migration */
  version: string
}

const minutes = 60_000
const words = (thrown: unknown) => asLabError(thrown).message
const databaseFile = (dataDir: string) => path.join(dataDir, 'kubemend.db')

/**
 * Writes everything into a new file.
 * @returns what is in it
 * @throws LabError conflict when the file is there, backend-unavailable, disk-full
 */
export async function backup(file: string, options: BackupOptions): Promise<Kept> {
  if (existsSync(file))
    throw new LabError('conflict', `${file} is there already, and a backup overwrites nothing.`, {
      hint: 'Name another file, or move it away.',
    })
  mkdirSync(path.dirname(path.resolve(file)), { recursive: true })
  const unfinished = `${file}.unfinished`
  rmSync(unfinished, { force: true })
  try {
    const kept =
      options.databaseUrl === undefined
        ? await backupSqlite(unfinished, options)
        : await backupPostgres(unfinished, options.databaseUrl, options)
    renameSync(unfinished, file)
    return kept
  } catch (thrown) {
    rmSync(unfinished, { force: true })
    throw thrown
  }
}

/**
 * Puts a backup in the place of the database. The server must not run.
 * @param options.overwrite without it a database that has anything in it is left as it is
 * @returns what is there now, what was there before (null: nothing), and where that was put (null: it was not kept)
 * @throws LabError not-found, bad-request for what is no backup or one of a newer version, conflict, backend-unavailable
 */
export async function restore(
  file: string,
  options: BackupOptions & { overwrite?: boolean },
): Promise<{ now: Kept; before: Kept | null; keptAs: string | null }> {
  if (!existsSync(file))
    throw new LabError('not-found', `There is no file ${file}.`, { hint: 'Give the path of a backup: `npm run restore -- FILE`.' })
  return options.databaseUrl === undefined ? restoreSqlite(file, options) : restorePostgres(file, options.databaseUrl, options)
}

const overwriting = (where: string, before: Kept) =>
  new LabError('conflict', `${where} holds ${before.sessions} sessions and ${before.people} people, which would be gone.`, {
    hint: 'Say so with --overwrite if you want that.',
  })

// ---- SQLite

function look(file: string): Kept {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    const one = (text: string) => Object.values(database.prepare(text).get() ?? {})[0]
    const has = (table: string) => one(`select count(*) from sqlite_master where type = 'table' and name = '${table}'`) === 1
    const count = (table: string) => (has(table) ? Number(one(`select count(*) from ${table}`)) : 0)
    return {
      sessions: count('session'),
      people: count('person'),
      version: has('kysely_migration') ? String(one('select max(name) from kysely_migration') ?? '') : '',
    }
  } finally {
    database.close()
  }
}

/**
 * Makes the file all there is: out of the write-ahead mode, in which whoever opens it lays others beside it.
 * @throws Error while somebody else has it open
 */
function alone(file: string): void {
  const database = new DatabaseSync(file, { timeout: 500 })
  try {
    database.exec('pragma journal_mode = delete')
  } finally {
    database.close()
  }
}

async function backupSqlite(file: string, { dataDir }: BackupOptions): Promise<Kept> {
  const from = databaseFile(dataDir)
  if (!existsSync(from))
    throw new LabError('not-found', `There is no database ${from}.`, { hint: 'Set KUBEMEND_DATA to the data directory of the server.' })
  try {
    const database = new DatabaseSync(from, { timeout: 5000 })
    try {
      await copy(database, file)
    } finally {
      database.close()
    }
    alone(file)
  } catch (thrown) {
    throw storeError(thrown, from)
  }
  return look(file)
}

async function known(version: string, file: string): Promise<void> {
  if (version === '')
    throw new LabError('bad-request', `${file} is no backup of kubemend.`, { hint: 'Give a file that `npm run backup` has written.' })
  const names = Object.keys(await migrationProvider.getMigrations())
  if (!names.includes(version))
    throw new LabError('bad-request', `${file} was written by a newer version of kubemend (${version}).`, {
      hint: 'Update kubemend first, then restore.',
    })
}

async function restoreSqlite(
  file: string,
  { dataDir, overwrite = false }: BackupOptions & { overwrite?: boolean },
): Promise<{ now: Kept; before: Kept | null; keptAs: string | null }> {
  const to = databaseFile(dataDir)
  let kept: Kept
  try {
    const database = new DatabaseSync(file, { readOnly: true })
    try {
      const sound = Object.values(database.prepare('pragma integrity_check').get() ?? {})[0]
      if (sound !== 'ok') throw new LabError('bad-request', `${file} is damaged: ${sound}.`, { hint: 'Take another backup.' })
    } finally {
      database.close()
    }
    kept = look(file)
  } catch (thrown) {
    if (thrown instanceof LabError) throw thrown
    throw new LabError('bad-request', `${file} is no backup of an SQLite database: ${words(thrown)}.`, {
      hint: 'A backup of a PostgreSQL database is restored with DATABASE_URL set.',
      cause: thrown,
    })
  }
  await known(kept.version, file)
  let before: Kept | null = null
  let keptAs: string | null = null
  if (existsSync(to)) {
    try {
      // Not while a server has it open. What was in the write-ahead log is in the file then.
      alone(to)
    } catch (cause) {
      throw new LabError('conflict', `The database ${to} is in use.`, { hint: 'Stop the server, then restore.', cause })
    }
    before = look(to)
    if (!overwrite && before.sessions + before.people > 0) throw overwriting(to, before)
    keptAs = `${to}.before-restore-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`
  }
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const incoming = `${to}.incoming`
  rmSync(incoming, { force: true })
  try {
    const database = new DatabaseSync(file, { readOnly: true })
    try {
      await copy(database, incoming)
    } finally {
      database.close()
    }
    if (keptAs !== null) renameSync(to, keptAs)
    for (const rest of ['-wal', '-shm']) rmSync(to + rest, { force: true })
    renameSync(incoming, to)
  } catch (thrown) {
    rmSync(incoming, { force: true })
    throw storeError(thrown, to)
  }
  return { now: kept, before, keptAs }
}

// ---- PostgreSQL

/** Where its programs find the database; the password in none of their arguments, which everybody on the machine can read. */
function environmentOf(url: string): Record<string, string> {
  const { hostname, password, pathname, port, searchParams, username } = new URL(url)
  const given = {
    PGHOST: searchParams.get('host') ?? decodeURIComponent(hostname),
    PGPORT: port,
    PGUSER: decodeURIComponent(username),
    PGPASSWORD: decodeURIComponent(password),
    PGDATABASE: decodeURIComponent(pathname.slice(1)),
    PGSSLMODE: searchParams.get('sslmode') ?? '',
    PGAPPNAME: 'kubemend-backup',
    PGCONNECT_TIMEOUT: '10',
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''))
}

async function program(argv: readonly string[], url: string, { runner = processes }: BackupOptions): Promise<string> {
  let result: Output
  try {
    result = await runner.run({ argv, env: environmentOf(url), timeoutMs: 60 * minutes })
  } catch (cause) {
    throw new LabError('backend-unavailable', `${argv[0]} could not be run: ${words(cause)}`, {
      hint: 'Install the programs of PostgreSQL (Debian: `apt-get install postgresql-client`), of the server’s version or a newer one.',
      cause,
    })
  }
  if (result.exitCode !== 0)
    throw new LabError('backend-unavailable', `${argv[0]} failed on ${safeAddress(url)}: ${result.stderr.trim().slice(-2000)}`, {
      hint: 'Its words above say why. Its version must be the server’s or a newer one.',
    })
  return result.stdout
}

async function ask<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'kubemend-backup', connectionTimeoutMillis: 10_000 })
  // What breaks it is told by the query that waits.
  client.on('error', () => {})
  try {
    await client.connect()
    return await work(client)
  } catch (thrown) {
    throw postgresError(thrown, url)
  } finally {
    await client.end().catch(() => {})
  }
}
const holds = (url: string): Promise<Kept> =>
  ask(url, async (client) => {
    const has = async (table: string) => (await client.query('select to_regclass($1) as found', [table])).rows[0].found !== null
    const count = async (table: string) =>
      (await has(table)) ? Number((await client.query(`select count(*) from ${table}`)).rows[0].count) : 0
    return {
      sessions: await count('session'),
      people: await count('person'),
      version: (await has('kysely_migration'))
        ? String((await client.query('select max(name) as name from kysely_migration')).rows[0].name ?? '')
        : '',
    }
  })

async function backupPostgres(file: string, url: string, options: BackupOptions): Promise<Kept> {
  const kept = await holds(url)
  if (kept.version === '')
    throw new LabError('not-found', `There are no tables of kubemend at ${safeAddress(url)}.`, {
      hint: 'Does DATABASE_URL name the right database?',
    })
  await program(['pg_dump', '--format=custom', '--no-owner', '--no-privileges', `--file=${file}`], url, options)
  return kept
}

/** The newest migration of a backup, out of the data that it holds of that table. */
async function newestIn(file: string, url: string, options: BackupOptions): Promise<string> {
  const data = await program(['pg_restore', '--data-only', '--table=kysely_migration', '--file=-', file], url, options)
  const names = [...data.matchAll(/^(\d{3}-[\w-]+)\t/gm)].map((match) => match[1]!)
  return names.sort().at(-1) ?? ''
}

async function restorePostgres(
  file: string,
  url: string,
  options: BackupOptions & { overwrite?: boolean },
): Promise<{ now: Kept; before: Kept | null; keptAs: null }> {
  const listed = await program(['pg_restore', '--list', file], url, options).catch((thrown: unknown) => {
    throw /could not be run/.test(words(thrown))
      ? thrown
      : new LabError('bad-request', `${file} is no backup of a PostgreSQL database.`, {
          hint: 'A backup of an SQLite database is restored without DATABASE_URL.',
          cause: thrown,
        })
  })
  if (!/TABLE DATA public kysely_migration /.test(listed)) await known('', file)
  const using = await ask(url, async (client) =>
    Number(
      (
        await client.query('select count(*) from pg_stat_activity where datname = current_database() and application_name = $1', [
          applicationName,
        ])
      ).rows[0].count,
    ),
  )
  if (using > 0)
    throw new LabError('conflict', `The database at ${safeAddress(url)} is in use.`, { hint: 'Stop the server, then restore.' })
  const found = await holds(url)
  const before = found.version === '' ? null : found
  if (before !== null && options.overwrite !== true && before.sessions + before.people > 0)
    throw overwriting(`The database at ${safeAddress(url)}`, before)
  // One transaction: all of it, or nothing has changed. Tables of a newer version than the backup's would stay: the schema goes first.
  const folder = mkdtempSync(path.join(tmpdir(), 'kubemend-restore-'))
  try {
    const script = path.join(folder, 'restore.sql')
    await program(['pg_restore', '--no-owner', '--no-privileges', `--file=${script}`, file], url, options)
    await known(await newestIn(file, url, options), file)
    await program(
      [
        ...['psql', '--quiet', '--no-psqlrc', '--single-transaction', '--set=ON_ERROR_STOP=1'],
        ...['--command=drop schema public cascade', '--command=create schema public', `--file=${script}`],
      ],
      url,
      options,
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const now = await holds(url)
  return { now, before, keptAs: null }
}
