// PostgreSQL (node-postgres) as a dialect of the query builder. Knows nothing of the tables.

import { PostgresDialect } from 'kysely'
import pg from 'pg'
import { LabError } from '#lib/protocol/index.ts'

/** By this name our connections are known in pg_stat_activity. */
export const applicationName = 'kubemend'

/** The database's address without what is secret in it. */
export function safeAddress(url: string): string {
  try {
    const { host, pathname } = new URL(url)
    return `${host || 'local socket'}${pathname}`
  } catch {
    return 'DATABASE_URL'
  }
}

/** What PostgreSQL or the network said, in words that name the database and the way out; its password is in none of them. */
export function postgresError(thrown: unknown, url: string): unknown {
  if (!(thrown instanceof Error)) return thrown
  const code = 'code' in thrown ? String(thrown.code) : ''
  const where = safeAddress(url)
  const options = (hint: string) => ({ hint, cause: thrown })
  const unavailable = (what: string, hint: string) => new LabError('backend-unavailable', what, options(hint))
  switch (code) {
    case 'ECONNREFUSED':
    case 'ECONNRESET':
    case 'ENOENT':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case '57P01': // admin_shutdown
    case '57P02': // crash_shutdown
    case '57P03': // cannot_connect_now
    case '08000':
    case '08003':
    case '08006':
      return unavailable(
        `The database at ${where} cannot be reached (${code}).`,
        'Is PostgreSQL running there, and does DATABASE_URL name it?',
      )
    case '28000':
    case '28P01':
      return unavailable(
        `The database at ${where} does not let this user in.`,
        'Correct user and password in DATABASE_URL, or pg_hba.conf of the server.',
      )
    case '3D000':
      return unavailable(`There is no database at ${where}.`, 'Create it (`createdb`), or correct DATABASE_URL.')
    case '42501': // insufficient_privilege
      return unavailable(`This user may not make or change tables at ${where}.`, 'Make it the owner of the database.')
    case '53300':
      return unavailable(
        `The database at ${where} has no connection left.`,
        'Raise max_connections there, or let other programs use fewer.',
      )
    case '53100':
      return new LabError(
        'disk-full',
        `The disk of the database at ${where} is full.`,
        options('Free some space on that disk; the lab goes on as soon as there is some.'),
      )
    case '25006': // read_only_sql_transaction
      return unavailable(`The database at ${where} is read-only.`, 'Is it a replica? DATABASE_URL must name the primary.')
    default:
      // node-postgres gives these no code.
      if (/timeout exceeded when trying to connect|Connection terminated/.test(thrown.message))
        return unavailable(`The database at ${where} does not answer.`, 'Is PostgreSQL running there, and does DATABASE_URL name it?')
      return thrown
  }
}

const int8 = 20
/**
 * A dialect over a pool of at most 10 connections. Whole numbers come as numbers: ours (epoch milliseconds, counts) fit.
 * @param url postgres://user:password@host:port/database
 */
export function postgresDialect(url: string): PostgresDialect {
  const pool = new pg.Pool({
    connectionString: url,
    max: 10,
    connectionTimeoutMillis: 5000,
    application_name: applicationName,
    types: {
      getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
        oid === int8 && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
    },
  })
  // One that breaks while nobody uses it is replaced at the next query, which says so if it cannot be.
  pool.on('error', () => {})
  const worded = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (thrown) {
      throw postgresError(thrown, url)
    }
  }
  return new PostgresDialect({
    pool: {
      end: () => pool.end(),
      async connect() {
        const client = await worded(pool.connect())
        return {
          // A cursor is never asked for: no query of ours streams.
          query: ((text: string, values: unknown[]) => worded(client.query(text, values))) as never,
          release: () => client.release(),
        }
      },
    },
  })
}
