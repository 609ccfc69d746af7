// SQLite embedded in Node (node:sqlite) as a dialect of the query builder. Knows nothing of the tables.
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { SqliteDialect } from 'kysely'
import { LabError } from '#lib/protocol/index.ts'

/** How a connection is opened; a test hands in one that fails. */
export type Open = (file: string) => DatabaseSync

const openFile: Open = (file) => new DatabaseSync(file, { timeout: 5000 })

/** Codes of https://sqlite.org/rescode.html; `errcode` may be an extended one, its low byte is the primary. */
const primary = { busy: 5, locked: 6, readonly: 8, ioerr: 10, corrupt: 11, full: 13, cantopen: 14, notadb: 26 } as const

/** What SQLite said, in words that name the file and the way out. */
export function storeError(thrown: unknown, file: string): unknown {
  const code = thrown instanceof Error && 'errcode' in thrown && typeof thrown.errcode === 'number' ? thrown.errcode & 0xff : undefined
  if (code === undefined) return thrown
  const options = (hint: string) => ({ hint, cause: thrown })
  switch (code) {
    case primary.full:
      return new LabError(
        'disk-full',
        `The disk is full: nothing more can be written to ${file}.`,
        options('Free some space on that disk; the lab goes on as soon as there is some.'),
      )
    case primary.busy:
    case primary.locked:
      return new LabError(
        'backend-unavailable',
        `The database ${file} is locked by another process.`,
        options('Is a second server running on the same data directory? Stop one of them, or give each its own KUBEMEND_DATA.'),
      )
    case primary.readonly:
    case primary.cantopen:
      return new LabError(
        'backend-unavailable',
        `The database ${file} cannot be written.`,
        options('Make the data directory writable for the user that runs the server, or set KUBEMEND_DATA to one that is.'),
      )
    case primary.corrupt:
    case primary.notadb:
      return new LabError(
        'backend-unavailable',
        `The database ${file} is damaged or is no SQLite database.`,
        options('Move it away (a new one is made), or put a backup in its place.'),
      )
    case primary.ioerr:
      return new LabError(
        'backend-unavailable',
        `The disk under ${file} failed to read or write.`,
        options('Look at the system log for errors of that disk.'),
      )
    default:
      return thrown
  }
}

/** A dialect over `file` in WAL mode (readers never wait for the writer) with a busy timeout of 5 s. @throws LabError as `storeError` words it */
export function sqliteDialect(file: string, open: Open = openFile): SqliteDialect {
  const guarded = <T>(work: () => T): T => {
    try {
      return work()
    } catch (thrown) {
      throw storeError(thrown, file)
    }
  }
  const database = guarded(() => {
    const opened = open(file)
    opened.exec('pragma journal_mode = wal; pragma synchronous = normal; pragma foreign_keys = on;')
    return opened
  })
  return new SqliteDialect({
    database: {
      close: () => database.close(),
      prepare(sql) {
        const statement = guarded(() => database.prepare(sql))
        const bind = (parameters: ReadonlyArray<unknown>) => parameters as SQLInputValue[]
        return {
          reader: statement.columns().length > 0,
          all: (parameters) => guarded(() => statement.all(...bind(parameters))),
          run: (parameters) => {
            // A full disk makes SQLite roll back by itself (sqlite.org/lang_transaction.html §2.4); a second rollback would hide the reason.
            if (sql === 'rollback' && !database.isTransaction) return { changes: 0, lastInsertRowid: 0 }
            return guarded(() => statement.run(...bind(parameters)))
          },
          iterate: (parameters) => guarded(() => statement.iterate(...bind(parameters))),
        }
      },
    },
  })
}
