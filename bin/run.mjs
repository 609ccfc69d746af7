// Runs one of the TypeScript commands in this folder in whatever state the checkout is: installs dependencies first when they are missing,
// then hands over to the Node 24 that npm brings. `node bin/run.mjs NAME [arguments]`. Its own lines go to standard error, so that
// standard output is the command's alone.
import { spawn } from 'node:child_process'
import { fail, prepare, root, stepsTo } from './bootstrap.mjs'

const [name = '', ...args] = process.argv.slice(2)
stepsTo(process.stderr)
try {
  const node = await prepare({ build: false })
  const child = spawn(node, ['--disable-warning=ExperimentalWarning', `bin/${name}.ts`, ...args], { cwd: root, stdio: 'inherit' })
  /** @type {NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, () => child.kill(signal))
  child.on('error', fail)
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)))
} catch (error) {
  fail(error)
}
