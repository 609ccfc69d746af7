// For tests: where a store's rows are. SQLite in the test's own directory; with KUBEMEND_TEST_POSTGRES (vitest.postgres.config.ts) a fresh
// database of that server for each test. Knows nothing of rows.
import { randomBytes } from 'node:crypto'
import pg from 'pg'

/** postgres://… of a server on which databases may be made; undefined: tests use SQLite */
export const testServer: string | undefined = process.env.KUBEMEND_TEST_POSTGRES

async function administer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: testServer })
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/** A database of one's own. `url` is undefined where SQLite is tested. */
export async function freshDatabase(): Promise<{ url: string | undefined; drop(): Promise<void> }> {
  if (testServer === undefined) return { url: undefined, drop: async () => {} }
  const name = `kubemend_${randomBytes(6).toString('hex')}`
  await administer(`create database ${name}`)
  const url = new URL(testServer)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => administer(`drop database ${name} with (force)`) }
}
