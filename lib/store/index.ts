// The only door of store: rows of sessions, their events, terminals, reports, of drills, and settings. Knows nothing of what they mean:
// documents go in and come out as they are. SQLite in the data directory, or PostgreSQL by URL; the builder's SQL is portable.
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { Kysely, Migrator, type SelectQueryBuilder } from 'kysely'
import { LabError } from '#lib/protocol/index.ts'
import { type ArchiveStore, archiveStore } from './archive.ts'
import { type People, peopleOf } from './people.ts'
import { postgresDialect } from './postgres.ts'
import { type Open, sqliteDialect } from './sqlite.ts'
import {
  type DrillRow,
  migrationProvider,
  type ReportRow,
  type SessionEventRow,
  type SessionRow,
  type Tables,
  type TerminalRow,
} from './tables.ts'
import { type Tokens, tokensOf } from './tokens.ts'

export type { ArchiveStore, Exported, Keys, Owned } from './archive.ts'
export { backup, type Kept, restore } from './backup.ts'
export type { Login, People, Person } from './people.ts'
export { postgresError, safeAddress } from './postgres.ts'
export { storeError } from './sqlite.ts'
export type {
  AssignmentRow,
  AttemptRow,
  AuditRow,
  ClassMessageRow,
  ClassPersonRow,
  ClassRow,
  DrillRow,
  GradeRow,
  InvitationRow,
  ReportRow,
  SessionEventRow,
  SessionRow,
  TerminalRow,
  TokenRow,
} from './tables.ts'
export type { Tokens } from './tokens.ts'

export interface StoreOptions {
  /** directory of the database and of what is kept in files; made when it is missing */
  dataDir: string
  /** postgres://…: rows are kept there, not in the directory */
  databaseUrl?: string | undefined
  /** how a connection is opened, for tests of a disk that fails */
  open?: Open
}

/** Best score and number of attempts at one scenario. */
export interface Attempts {
  scenario_id: string
  attempts: number
  best: number | null
}

/** The tables of classes: rows with an id, looked for by any of their columns. */
export type ClassTable = 'class' | 'class_person' | 'assignment' | 'attempt' | 'grade' | 'class_message'
export interface Rows<Row> {
  insert(row: Row): Promise<void>
  update(id: string, change: Partial<Row>): Promise<void>
  get(id: string): Promise<Row | null>
  /** all that are equal in these columns, at most `limit` (default 20 000), in no order */
  list(where: Partial<Row>, limit?: number): Promise<Row[]>
  remove(where: Partial<Row>): Promise<void>
}

export interface Store extends ArchiveStore {
  readonly dataDir: string
  rows<Name extends ClassTable>(table: Name): Rows<Tables[Name]>
  readonly people: People
  readonly tokens: Tokens
  /** the connection itself, for the account library alone, which writes its own tables */
  readonly database: { db: Kysely<Tables>; type: 'sqlite' | 'postgres' }
  /** null when it was never set */
  setting(key: string): Promise<string | null>
  /** the value that is there, else `value`, which is then kept */
  settingOr(key: string, value: string): Promise<string>
  insertSession(row: SessionRow): Promise<void>
  updateSession(id: string, change: Partial<Omit<SessionRow, 'id'>>): Promise<void>
  session(id: string): Promise<SessionRow | null>
  /** newest first, at most `limit` (default 100) */
  sessions(filter: { user?: string; states?: readonly string[]; drill?: string; limit?: number }): Promise<SessionRow[]>
  /** writes the event and the session's row in one transaction, so that neither is ever ahead of the other */
  append(event: SessionEventRow, change: Partial<Omit<SessionRow, 'id'>>): Promise<void>
  /** events with a greater number than `after`, in order, at most `limit` (default 20 000); of `types` when given */
  events(sessionId: string, after: number, options?: { types?: readonly string[]; limit?: number }): Promise<SessionEventRow[]>
  /** drops events up to `seq` of these types */
  forget(sessionId: string, seq: number, types: readonly string[]): Promise<void>
  saveTerminal(row: TerminalRow): Promise<void>
  terminals(sessionId: string): Promise<TerminalRow[]>
  saveReport(row: ReportRow): Promise<void>
  report(sessionId: string): Promise<ReportRow | null>
  /** sealed reports are not counted */
  attempts(user: string): Promise<Attempts[]>
  insertDrill(row: DrillRow): Promise<void>
  updateDrill(id: string, change: Partial<Omit<DrillRow, 'id'>>): Promise<void>
  drill(id: string): Promise<DrillRow | null>
  /** newest first, at most `limit` (default 100) */
  drills(filter: { user?: string; states?: readonly string[]; since?: number; limit?: number }): Promise<DrillRow[]>
  /** opens the reports of a drill's sessions to those who may read them */
  unseal(drill: string): Promise<void>
  close(): Promise<void>
}

/** The database file in a data directory. */
export const databaseFile = (dataDir: string): string => path.join(dataDir, 'kubemend.db')

/**
 * Opens (and migrates) the database: `kubemend.db` in the data directory, or the one of `databaseUrl`.
 * @throws LabError backend-unavailable (locked, not writable, damaged), disk-full
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  try {
    mkdirSync(options.dataDir, { recursive: true, mode: 0o700 })
  } catch (cause) {
    const full = cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC'
    throw full
      ? new LabError('disk-full', `The disk is full: the data directory ${options.dataDir} cannot be made.`, {
          hint: 'Free some space, or set KUBEMEND_DATA to another disk.',
          cause,
        })
      : new LabError('backend-unavailable', `The data directory ${options.dataDir} cannot be made.`, {
          hint: 'Make its parent writable for the user that runs the server, or set KUBEMEND_DATA to a directory that is.',
          cause,
        })
  }
  const { databaseUrl } = options
  const type = databaseUrl === undefined ? 'sqlite' : 'postgres'
  const db = new Kysely<Tables>({
    dialect: databaseUrl === undefined ? sqliteDialect(databaseFile(options.dataDir), options.open) : postgresDialect(databaseUrl),
  })
  const { error } = await new Migrator({ db, provider: migrationProvider }).migrateToLatest()
  if (error) {
    await db.destroy()
    throw error
  }

  return {
    ...archiveStore(db),
    dataDir: options.dataDir,
    rows: (table) => rowsOf(db, table),
    people: peopleOf(db, type === 'postgres'),
    tokens: tokensOf(db, type === 'postgres'),
    database: { db, type },
    async setting(key) {
      const row = await db.selectFrom('setting').select('value').where('key', '=', key).executeTakeFirst()
      return row?.value ?? null
    },
    async settingOr(key, value) {
      await db
        .insertInto('setting')
        .values({ key, value })
        .onConflict((conflict) => conflict.column('key').doNothing())
        .execute()
      const row = await db.selectFrom('setting').select('value').where('key', '=', key).executeTakeFirstOrThrow()
      return row.value
    },
    async insertSession(row) {
      await db.insertInto('session').values(row).execute()
    },
    async updateSession(id, change) {
      await db.updateTable('session').set(change).where('id', '=', id).execute()
    },
    async session(id) {
      return (await db.selectFrom('session').selectAll().where('id', '=', id).executeTakeFirst()) ?? null
    },
    async sessions(filter) {
      let query = db.selectFrom('session').selectAll()
      if (filter.user !== undefined) query = query.where('user_id', '=', filter.user)
      if (filter.states !== undefined) query = query.where('state', 'in', [...filter.states])
      if (filter.drill !== undefined) query = query.where('drill_id', '=', filter.drill)
      return query
        .orderBy('created_at', 'desc')
        .limit(filter.limit ?? 100)
        .execute()
    },
    async append(event, change) {
      await db.transaction().execute(async (transaction) => {
        await transaction.insertInto('session_event').values(event).execute()
        await transaction.updateTable('session').set(change).where('id', '=', event.session_id).execute()
      })
    },
    async events(sessionId, after, eventOptions = {}) {
      let query = db.selectFrom('session_event').selectAll().where('session_id', '=', sessionId).where('seq', '>', after)
      if (eventOptions.types !== undefined) query = query.where('type', 'in', [...eventOptions.types])
      return query
        .orderBy('seq')
        .limit(eventOptions.limit ?? 20_000)
        .execute()
    },
    async forget(sessionId, seq, types) {
      await db
        .deleteFrom('session_event')
        .where('session_id', '=', sessionId)
        .where('seq', '<=', seq)
        .where('type', 'in', [...types])
        .execute()
    },
    async saveTerminal(row) {
      await db
        .insertInto('terminal')
        .values(row)
        .onConflict((conflict) =>
          conflict.columns(['session_id', 'id']).doUpdateSet({ state: row.state, exit_code: row.exit_code, title: row.title }),
        )
        .execute()
    },
    async terminals(sessionId) {
      return db.selectFrom('terminal').selectAll().where('session_id', '=', sessionId).orderBy('id').execute()
    },
    async saveReport(row) {
      await db
        .insertInto('report')
        .values(row)
        .onConflict((conflict) =>
          conflict
            .column('session_id')
            .doUpdateSet({ outcome: row.outcome, score: row.score, graded_at: row.graded_at, sealed: row.sealed, body: row.body }),
        )
        .execute()
    },
    async report(sessionId) {
      return (await db.selectFrom('report').selectAll().where('session_id', '=', sessionId).executeTakeFirst()) ?? null
    },
    async attempts(user) {
      const rows = await db
        .selectFrom('report')
        .select((build) => ['scenario_id', build.fn.countAll<number>().as('attempts'), build.fn.max('score').as('best')])
        .where('user_id', '=', user)
        .where('sealed', '=', 0)
        .groupBy('scenario_id')
        .execute()
      return rows.map((row) => ({
        scenario_id: row.scenario_id,
        attempts: Number(row.attempts),
        best: row.best === null ? null : Number(row.best),
      }))
    },
    async insertDrill(row) {
      await db.insertInto('drill').values(row).execute()
    },
    async updateDrill(id, change) {
      await db.updateTable('drill').set(change).where('id', '=', id).execute()
    },
    async drill(id) {
      return (await db.selectFrom('drill').selectAll().where('id', '=', id).executeTakeFirst()) ?? null
    },
    async drills(filter) {
      let query = db.selectFrom('drill').selectAll()
      if (filter.user !== undefined) query = query.where('user_id', '=', filter.user)
      if (filter.states !== undefined) query = query.where('state', 'in', [...filter.states])
      if (filter.since !== undefined) query = query.where('created_at', '>=', filter.since)
      return query
        .orderBy('created_at', 'desc')
        .limit(filter.limit ?? 100)
        .execute()
    },
    async unseal(drill) {
      await db
        .updateTable('report')
        .set({ sealed: 0 })
        .where('session_id', 'in', (build) => build.selectFrom('session').select('id').where('drill_id', '=', drill))
        .execute()
    },
    close: () => db.destroy(),
  }
}

function rowsOf<Name extends ClassTable>(db: Kysely<Tables>, name: Name): Rows<Tables[Name]> {
  // The builder's types do not follow a table by a type parameter; the rows' own types hold at this door.
  const table = db as unknown as Kysely<{ row: Record<string, unknown> & { id: string } }>
  const at = name as unknown as 'row'
  const equal = (where: object) => Object.entries(where) as [string, string | number | null][]
  return {
    async insert(row) {
      await table
        .insertInto(at)
        .values(row as never)
        .execute()
    },
    async update(id, change) {
      await table
        .updateTable(at)
        .set(change as never)
        .where('id', '=', id)
        .execute()
    },
    async get(id) {
      return ((await table.selectFrom(at).selectAll().where('id', '=', id).executeTakeFirst()) ?? null) as Tables[Name] | null
    },
    async list(where, limit = 20_000) {
      let query: SelectQueryBuilder<never, never, object> = table.selectFrom(at).selectAll() as never
      for (const [column, value] of equal(where)) query = query.where(column as never, value === null ? 'is' : '=', value as never)
      return (await query.limit(limit).execute()) as Tables[Name][]
    },
    async remove(where) {
      if (equal(where).length === 0) throw new TypeError('to remove rows, say which')
      let query = table.deleteFrom(at)
      for (const [column, value] of equal(where)) query = query.where(column, value === null ? 'is' : '=', value)
      await query.execute()
    },
  }
}
