// Vitest's global set-up of vitest.postgres.config.ts: a PostgreSQL server for all test files, ended after the last.
import { postgresPrograms, startPostgres } from './postgres.fixture.ts'

export default async function setup(): Promise<() => Promise<void>> {
  const programs = postgresPrograms()
  if (programs === null) throw new Error('PostgreSQL is not installed (Debian: apt-get install postgresql).')
  const server = await startPostgres(programs)
  process.env.KUBEMEND_TEST_POSTGRES = server.url
  return () => server.stop()
}
