// npm run backup -- FILE   All rows in one new file, while the server runs. The database is that of the server's own settings (KUBEMEND_DATA,
// DATABASE_URL).
import path from 'node:path'
import { asLabError } from '#lib/protocol/index.ts'
import { readConfig } from '#lib/server/config.ts'
import { backup } from '#lib/store/index.ts'

const [file, ...more] = process.argv.slice(2)
try {
  if (file === undefined || file.startsWith('-') || more.length > 0) {
    console.error('npm run backup -- FILE')
    process.exit(2)
  }
  const { databaseUrl, dataDir } = readConfig(process.env)
  const { people, sessions, version } = await backup(file, { dataDir, databaseUrl })
  console.error(`${file}: ${sessions} sessions, ${people} people, version ${version}.`)
  console.error(`Recordings of terminals are files and not in it: copy ${path.join(dataDir, 'sessions')} too if you want them kept.`)
} catch (thrown) {
  const error = asLabError(thrown)
  console.error([error.message, error.hint].filter(Boolean).join('\n'))
  process.exit(1)
}
