// `npm run test:e2e [-- arguments of playwright test]`: the browser tests on a fresh build, e.g. `-- -g "title"`. Without a title or a
// project only those that need no cluster run.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fail, prepare, root } from './bootstrap.mjs'

const args = process.argv.slice(2)
const chosen = args.some((arg) => /^(-g|--grep|--project|--last-failed|[^-].*\.spec)/.test(arg))
try {
  const node = await prepare({ build: true })
  const playwright = join(root, 'node_modules', '.bin', 'playwright')
  const child = spawn(node, [playwright, 'test', '--config', 'e2e/playwright.config.ts', ...(chosen ? [] : ['--project=app']), ...args], {
    cwd: root,
    stdio: 'inherit',
  })
  /** @type {NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, () => child.kill(signal))
  child.on('error', fail)
  child.on('exit', (code) => process.exit(code ?? 1))
} catch (error) {
  fail(error)
}
