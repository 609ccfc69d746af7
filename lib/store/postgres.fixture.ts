// For tests: a PostgreSQL server of one's own, on a unix socket in a temporary folder, as a user who is not root (initdb refuses root). The
// programs are the system's: PATH, or where Debian puts them.
import { execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** Folder of initdb and postgres; null when PostgreSQL is not installed. */
export function postgresPrograms(): string | null {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [...versions.map((version) => path.join(debian, version, 'bin')), ...(process.env.PATH ?? '').split(path.delimiter)]
  return folders.find((folder) => existsSync(path.join(folder, 'initdb')) && existsSync(path.join(folder, 'postgres'))) ?? null
}

export interface PostgresServer {
  url: string
  stop(): Promise<void>
}

/** @throws Error with what PostgreSQL said when it does not start */
export async function startPostgres(programs: string): Promise<PostgresServer> {
  const folder = mkdtempSync(path.join(tmpdir(), 'kubemend-pg-'))
  const root = process.getuid?.() === 0
  const idOf = (what: string) => Number(execFileSync('id', [what, 'postgres'], { encoding: 'utf8' }))
  const who = root ? { uid: idOf('-u'), gid: idOf('-g') } : {}
  if (who.uid !== undefined && who.gid !== undefined) chownSync(folder, who.uid, who.gid)
  const data = path.join(folder, 'data')
  const environment = { ...process.env, LC_ALL: 'C.UTF-8' }
  try {
    execFileSync(
      path.join(programs, 'initdb'),
      ['-D', data, '-U', 'kubemend', '--auth=trust', '--encoding=UTF8', '--no-sync', '--locale=C.UTF-8'],
      { ...who, cwd: folder, env: environment, stdio: 'pipe' },
    )
    const server = spawn(
      path.join(programs, 'postgres'),
      // Nothing of it has to outlive the machine, and nobody on the network may reach it.
      ['-D', data, '-k', folder, '-c', 'listen_addresses=', '-c', 'fsync=off', '-c', 'full_page_writes=off', '-c', 'max_connections=200'],
      { ...who, cwd: folder, env: environment, stdio: ['ignore', 'ignore', 'pipe'] },
    )
    let said = ''
    const gone = new Promise<void>((resolve) => server.once('exit', () => resolve()))
    await new Promise<void>((resolve, reject) => {
      server.stderr.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-8192)
        if (/ready to accept connections/.test(said)) resolve()
      })
      server.once('exit', (code) => reject(new Error(`postgres ended with ${code}:\n${said}`)))
      server.once('error', reject)
    })
    return {
      url: `postgres://kubemend@localhost/postgres?host=${encodeURIComponent(folder)}`,
      async stop() {
        // Fast shutdown: connections are ended.
        server.kill('SIGINT')
        await gone
        rmSync(folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}
