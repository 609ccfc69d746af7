// npm run scenario:lint -- [DIR] [--schema]   Every problem of every scenario, with file and line. --schema writes the JSON Schema for editors.
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { jsonSchema, loadCatalogue } from '#lib/scenario/index.ts'

const folder = process.argv.slice(2).find((word) => !word.startsWith('--')) ?? 'scenarios'
if (process.argv.includes('--schema'))
  for (const kind of ['scenario', 'compound'] as const)
    await writeFile(path.join(folder, `${kind}.schema.json`), `${JSON.stringify(jsonSchema(kind), null, 2)}\n`)
const catalogue = await loadCatalogue(folder)
for (const problem of catalogue.problems) console.error(`${path.join(folder, problem.file)}:${problem.line} ${problem.message}`)
console.error(`${catalogue.scenarios.length} scenarios are good, ${catalogue.problems.length} problems`)
process.exit(catalogue.problems.length === 0 ? 0 : 1)
