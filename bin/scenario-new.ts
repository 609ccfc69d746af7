// npm run scenario:new -- DOMAIN SLUG   A folder with the smallest complete scenario, which proves itself as it is and is then made into one's own.
import { cp, mkdir } from 'node:fs/promises'
import path from 'node:path'
import { domain } from '#lib/protocol/index.ts'
import { root } from '#lib/server/index.ts'
import { newFolder, run } from './authoring.ts'

const usage = `npm run scenario:new -- DOMAIN SLUG

  DOMAIN  ${domain.options.join(', ')}
  SLUG    lower-case words with hyphens; it names the fault and is shown to nobody before the report`

run(async () => {
  const [wanted, name] = process.argv.slice(2)
  const { folder, shown, slug } = await newFolder(wanted, name, usage)
  await mkdir(path.dirname(folder), { recursive: true })
  await cp(path.join(root, 'bin/template'), folder, { recursive: true, errorOnExist: true, force: false })
  process.stderr.write(`${shown} is there: a Service whose selector matches nothing. Make it yours, a piece at a time:

  npm run scenario:lint                       what is not right yet, with file and line
  npm run prove -- ${slug} --backend sim      plays it on the simulated cluster
  npm run prove -- ${slug}                    the proof that counts, on kind

docs/authoring.md says what a scenario has to be. Set domain and competency in ${shown}/scenario.yaml first.
`)
})
