// `npm run test:kind [-- SUITE…]`: what needs Docker and the images: the contract suite on kind, a sample of the proofs that uses
// every kind of fault and check (cached by content, so that only what changed is played), and one Chromium through a real cluster. Ends with the line `N passed, N failed`.
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
      // The whole proof of every scenario is recorded beside it (a test compares the keys); here every kind of step and condition is played.
      const { code, stdout } = await tool.run(
        [
          tool.node,
          '--disable-warning=ExperimentalWarning',
          'bin/prove.ts',
          '--all',
          '--sample',
          'cover',
          '--backend',
          'kind',
          '--json',
          '--no-record',
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
