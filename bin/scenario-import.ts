// npm run scenario:import -- FOLDER DOMAIN SLUG [--at control-plane]   A scenario in Killercoda's form as one of ours: unproven until it has proven itself.
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { domain, LabError } from '#lib/protocol/index.ts'
import { fromKillercoda } from '#lib/scenario/index.ts'
import { newFolder, run } from './authoring.ts'

const usage = `npm run scenario:import -- FOLDER DOMAIN SLUG [--at control-plane]

  FOLDER  one Killercoda scenario, with its index.json
  DOMAIN  ${domain.options.join(', ')}
  SLUG    lower-case words with hyphens
  --at    where its scripts run (default: workstation)`

const largest = 256 * 1024

async function textsOf(folder: string): Promise<Map<string, string>> {
  const texts = new Map<string, string>()
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name)
    if (!entry.isFile() || (await stat(file)).size > largest) continue
    const content = await readFile(file)
    if (!content.includes(0)) texts.set(path.relative(folder, file), content.toString('utf8'))
  }
  return texts
}

run(async () => {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { at: { type: 'string', default: 'workstation' } } })
  const [from, wanted, slug] = positionals
  const at = (['workstation', 'control-plane'] as const).find((name) => name === values.at)
  if (from === undefined || at === undefined) throw new LabError('bad-request', usage)
  const { domain, folder, shown } = await newFolder(wanted, slug, usage)
  const texts = await textsOf(from).catch((error: NodeJS.ErrnoException) => {
    throw new LabError('bad-request', `${from} cannot be read: ${error.message}`)
  })
  const { files, notes } = fromKillercoda(texts, { domain, at })
  await mkdir(folder, { recursive: true })
  for (const [name, text] of files) await writeFile(path.join(folder, name), text)
  process.stderr.write(`${shown} is there. What is left to do:\n${notes.map((note) => `  - ${note}\n`).join('')}`)
})
