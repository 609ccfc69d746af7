// `npm run setup:kind [-- --yes] [--offline]`: brings this machine to a working kind. Names what it will change and asks before it does;
// prints one line per step with the time it took. Exit code 0 when kind is ready.
import { createInterface } from 'node:readline/promises'
import { parseArgs } from 'node:util'
import { setup, setupLog } from '#lib/host/index.ts'
import { asLabError, type SetupView } from '#lib/protocol/index.ts'

const live = process.stdout.isTTY === true
const abort = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => abort.abort())

const said = new Map<string, string>()
let pending = ''
const clear = () => {
  if (live && pending !== '') process.stdout.write('\r\x1b[2K')
  pending = ''
}
const seconds = (step: SetupView['steps'][number]) =>
  step.startedAt === undefined ? '' : `  ${(((step.endedAt ?? Date.now()) - step.startedAt) / 1000).toFixed(1)} s`

/** Prints what is new in the view: a line for each step that ended, on a terminal also the one that runs. */
function show(view: SetupView): void {
  for (const step of view.steps) {
    if (said.get(step.id) === step.state) continue
    if (step.state === 'running' && !live) process.stdout.write(`… ${step.title}\n`)
    if (step.state === 'done' || step.state === 'failed' || step.state === 'skipped') {
      clear()
      const mark = step.state === 'failed' ? '✗' : step.state === 'skipped' ? '·' : '✓'
      process.stdout.write(`${mark} ${step.title}${step.detail === undefined ? '' : `: ${step.detail}`}${seconds(step)}\n`)
    }
    said.set(step.id, step.state)
  }
  if (live) draw(view)
}
function draw(view: SetupView): void {
  const running = view.steps.filter((step) => step.state === 'running').at(-1)
  clear()
  if (running === undefined) return
  pending = `… ${running.title}${seconds(running)}  ${running.detail ?? ''}`.slice(0, (process.stdout.columns || 80) - 1)
  process.stdout.write(pending)
}

async function ask(changes: readonly string[]): Promise<boolean> {
  clear()
  process.stdout.write(`\nThe set-up will\n${changes.map((change) => `  - ${change}\n`).join('')}`)
  if (values.yes) return true
  if (!process.stdin.isTTY) {
    process.stdout.write('Nobody can be asked here (no terminal): `npm run setup:kind -- --yes` agrees.\n')
    return false
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    return /^y(es)?$/i.test((await terminal.question('Go on? [y/N] ', { signal: abort.signal })).trim())
  } finally {
    terminal.close()
  }
}

const { values } = parseArgs({ options: { yes: { type: 'boolean', short: 'y' }, offline: { type: 'boolean' } } })
try {
  let newest: SetupView | undefined
  const timer = live ? setInterval(() => newest !== undefined && draw(newest), 1000) : undefined
  const view = await setup({
    consent: ask,
    offline: values.offline === true,
    signal: abort.signal,
    onView: (next) => {
      newest = next
      show(next)
    },
  })
  clearInterval(timer)
  clear()
  if (view.state === 'done') process.stdout.write('\nkind is ready. `npm start` serves the lab.\n')
  else {
    process.stderr.write(
      `\n✗ ${view.error?.message ?? 'The set-up failed.'}\n${view.error?.hint === undefined ? '' : `  ${view.error.hint}\n`}  Log: ${setupLog()}\n`,
    )
    process.exitCode = 1
  }
} catch (thrown) {
  const error = asLabError(thrown)
  process.stderr.write(`✗ ${error.message}${error.hint === undefined ? '' : ` ${error.hint}`}\n`)
  process.exitCode = 1
}
