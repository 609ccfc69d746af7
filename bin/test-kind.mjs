// `npm run test:kind [-- SUITE…]`: what needs Docker and the images: the contract suite on kind, the proof of every scenario (cached by
// content, so that only what changed is played), and one Chromium through a real cluster. Ends with the line `N passed, N failed`.
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fail, prepare, run, StartError } from './bootstrap.mjs'
import { chosen, countProof, playwright, runSuites, vitest } from './suites.mjs'

try {
  const node = await prepare({ build: true })
  const doctor = await run([node, 'bin/doctor.ts', '--json', '--labs'])
  if (doctor.code !== 0) {
    const { output } = await run([node, 'bin/doctor.ts', '--labs'])
    throw new StartError(
      'This machine cannot run kind yet, so nothing was tested.',
      'Run `npm run setup:kind`; the table above says what is missing.',
      output,
    )
  }
  /** @type {Record<string, import('./suites.mjs').Suite>} */
  const all = {
    contract: vitest(['--config', 'vitest.kind.config.ts']),
    proof: async (tool) => {
      // What is recorded beside the scenarios was proven elsewhere: a machine that has proven nothing itself proves everything once.
      const cache = process.env.KUBEMEND_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'kubemend')
      const first = existsSync(join(cache, 'proof/parts')) ? [] : ['--fresh']
      const { code, stdout } = await tool.run(
        [
          tool.node,
          '--disable-warning=ExperimentalWarning',
          'bin/prove.ts',
          '--all',
          '--backend',
          'kind',
          '--json',
          '--no-record',
          ...first,
        ],
        {
          capture: true,
        },
      )
      return countProof(stdout, code)
    },
    browser: playwright(['--project=kind']),
  }
  process.exitCode = (await runSuites(node, chosen(all, process.argv.slice(2)))) ? 0 : 1
} catch (error) {
  fail(error)
}
