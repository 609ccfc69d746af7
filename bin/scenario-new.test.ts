import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { loadScenario } from '#lib/scenario/index.ts'

const file = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))

it('a new scenario has no problems, and is the one that the guide builds', async () => {
  expect((await loadScenario(file('bin/template'))).problems).toEqual([])
  expect(readFileSync(file('docs/authoring.md'), 'utf8')).toContain(readFileSync(file('bin/template/scenario.yaml'), 'utf8'))
})
