// npm run restore -- FILE [--overwrite]   Puts a backup in the place of the database of the server's own settings. The server must not run.
import { asLabError } from '#lib/protocol/index.ts'
import { readConfig } from '#lib/server/config.ts'
import { restore, safeAddress } from '#lib/store/index.ts'

const args = process.argv.slice(2)
const [file, ...more] = args.filter((arg) => arg !== '--overwrite')
try {
  if (file === undefined || file.startsWith('-') || more.length > 0) {
    console.error('npm run restore -- FILE [--overwrite]')
    process.exit(2)
  }
  const { databaseUrl, dataDir } = readConfig(process.env)
  const { before, keptAs, now } = await restore(file, { dataDir, databaseUrl, overwrite: args.includes('--overwrite') })
  const where = databaseUrl === undefined ? dataDir : safeAddress(databaseUrl)
  console.error(
    `${where} holds ${now.sessions} sessions and ${now.people} people again, version ${now.version}; the next start brings it up to date.`,
  )
  if (before !== null)
    console.error(
      `Before it held ${before.sessions} sessions and ${before.people} people${keptAs === null ? ', which are gone' : `: ${keptAs}`}.`,
    )
} catch (thrown) {
  const error = asLabError(thrown)
  console.error([error.message, error.hint].filter(Boolean).join('\n'))
  process.exit(1)
}
