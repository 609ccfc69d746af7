// npm run scenario:new -- DOMAIN SLUG   A folder with the smallest complete scenario, which proves itself as it is and is then made into one's own.
import { cp, mkdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { asLabError, domain, LabError } from '#lib/protocol/index.ts'
import { loadCatalogue } from '#lib/scenario/index.ts'
import { root } from '#lib/server/index.ts'

const usage = `npm run scenario:new -- DOMAIN SLUG

  DOMAIN  ${domain.options.join(', ')}
  SLUG    lower-case words with hyphens; it names the fault and is shown to nobody before the report`

async function main([wanted, slug]: string[]): Promise<void> {
  const parsed = domain.safeParse(wanted)
  if (!parsed.success || slug === undefined || !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(slug)) throw new LabError('bad-request', usage)
  const scenarios = process.env.KUBEMEND_SCENARIOS ?? path.join(root, 'scenarios')
  const known = (await loadCatalogue(scenarios)).bySlug(slug)?.folder ?? path.join(scenarios, parsed.data, slug)
  if (await stat(known).catch(() => undefined))
    throw new LabError('conflict', `There is a scenario "${slug}" already.`, { hint: `It is ${path.relative(process.cwd(), known)}.` })
  await mkdir(path.dirname(known), { recursive: true })
  await cp(path.join(root, 'bin/template'), known, { recursive: true, errorOnExist: true, force: false })
  const folder = path.relative(process.cwd(), known)
  process.stderr.write(`${folder} is there: a Service whose selector matches nothing. Make it yours, a piece at a time:

  npm run scenario:lint                       what is not right yet, with file and line
  npm run prove -- ${slug} --backend sim      plays it on the simulated cluster
  npm run prove -- ${slug}                    the proof that counts, on kind

docs/authoring.md says what a scenario has to be. Set domain and competency in ${folder}/scenario.yaml first.
`)
}

main(process.argv.slice(2)).catch((thrown: unknown) => {
  const error = asLabError(thrown)
  process.stderr.write(`${error.message}\n${error.hint ? `${error.hint}\n` : ''}`)
  process.exit(error.code === 'bad-request' ? 2 : 1)
})
