// Rows that leave as one person's data and come back as such. Knows nothing of the file's form.
import type { Kysely } from 'kysely'
import type { DrillRow, ReportRow, SessionRow, Tables } from './tables.ts'

/** A graded session with its report. */
export interface Exported {
  session: Pick<SessionRow, 'id' | 'mode' | 'drill_id' | 'created_at' | 'ready_at' | 'ended_at'>
  /** Report, JSON */
  body: string
}
/** By what one person's rows are told apart, also where their ids are others elsewhere. */
export interface Keys {
  sessions: Pick<SessionRow, 'id' | 'scenario_id' | 'seed' | 'created_at'>[]
  drills: Pick<DrillRow, 'id' | 'created_at'>[]
}
export interface Owned {
  sessions: readonly SessionRow[]
  reports: readonly ReportRow[]
  drills: readonly DrillRow[]
}
export interface ArchiveStore {
  /** graded sessions that are not sealed, newest first */
  graded(user: string, page: { offset: number; limit: number }): Promise<Exported[]>
  keys(user: string): Promise<Keys>
  /** ids among these that are taken, by whomever */
  taken(ids: readonly string[]): Promise<Set<string>>
  /** all of them or none */
  insertAll(rows: Owned): Promise<void>
}

/** parameters of one statement that every database takes (SQLite's old limit is 999) */
const perStatement = 900

export function archiveStore(db: Kysely<Tables>): ArchiveStore {
  return {
    async graded(user, { limit, offset }) {
      const rows = await db
        .selectFrom('report')
        .innerJoin('session', 'session.id', 'report.session_id')
        .select([
          'session.id',
          'session.mode',
          'session.drill_id',
          'session.created_at',
          'session.ready_at',
          'session.ended_at',
          'report.body',
        ])
        .where('report.user_id', '=', user)
        .where('report.sealed', '=', 0)
        .where('session.state', '=', 'ended')
        .orderBy('session.created_at', 'desc')
        .orderBy('session.id')
        .limit(limit)
        .offset(offset)
        .execute()
      return rows.map(({ body, ...session }) => ({ session, body }))
    },
    async keys(user) {
      return {
        sessions: await db.selectFrom('session').select(['id', 'scenario_id', 'seed', 'created_at']).where('user_id', '=', user).execute(),
        drills: await db.selectFrom('drill').select(['id', 'created_at']).where('user_id', '=', user).execute(),
      }
    },
    async taken(ids) {
      const found = new Set<string>()
      for (let from = 0; from < ids.length; from += perStatement) {
        const part = ids.slice(from, from + perStatement)
        for (const table of ['session', 'drill'] as const)
          for (const { id } of await db.selectFrom(table).select('id').where('id', 'in', part).execute()) found.add(id)
      }
      return found
    },
    async insertAll({ drills, reports, sessions }) {
      await db.transaction().execute(async (transaction) => {
        for (const row of sessions) await transaction.insertInto('session').values(row).execute()
        for (const row of reports) await transaction.insertInto('report').values(row).execute()
        for (const row of drills) await transaction.insertInto('drill').values(row).execute()
      })
    },
  }
}
