// `npm test [-- SUITE… | --prepare]`: everything that needs neither Docker nor a cluster. In a fresh clone it installs the dependencies, names what it
// needs from the system, and installs that as root on Debian and Ubuntu. Ends with the line `N passed, N failed`.
// With --prepare it stops before the first test.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fail, line, prepare, root, StartError, step } from './bootstrap.mjs'
import { chosen, command, countGo, countProof, playwright, runSuites, vitest } from './suites.mjs'

const works = (/** @type {string} */ program, /** @type {string[]} */ args) => {
  const { status, stdout } = spawnSync(program, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  return status === 0 ? stdout.trim() : undefined
}

/** What the tests need from the system beside Node, and which suites do. */
const systemNeeds = (/** @type {string} */ node) => [
  {
    suites: ['unit', 'sim', 'browser'],
    what: 'bubblewrap and what is run in it, for shells of the simulated cluster',
    packages: ['bubblewrap', 'iproute2', 'procps', 'util-linux', 'perl', 'tmux', 'vim', 'nano', 'less', 'jq', 'openssl', 'file'],
    other: 'install bubblewrap, iproute2, tmux, vim, nano, less, jq and openssl',
    // elsewhere there are no such sandboxes, and their tests are skipped
    there: () =>
      process.platform !== 'linux' ||
      [
        ['bwrap', '--version'],
        ['ip', '-V'],
        ['nsenter', '--version'],
        ['ps', '--version'],
        ['perl', '-v'],
        ['tmux', '-V'],
        ['vim', '--version'],
        ['nano', '--version'],
        ['less', '--version'],
        ['jq', '--version'],
        ['openssl', 'version'],
        ['file', '--version'],
      ].every(([program = '', ...args]) => works(program, args) !== undefined),
  },
  {
    suites: ['postgres'],
    what: 'PostgreSQL, on which the tests of what keeps rows run once more',
    packages: ['postgresql'],
    other: 'install PostgreSQL, with initdb in PATH',
    there: () =>
      works(node, [
        '--disable-warning=ExperimentalWarning',
        '-e',
        'import("./lib/store/postgres.fixture.ts").then(({ postgresPrograms }) => process.exit(postgresPrograms() === null ? 1 : 0))',
      ]) !== undefined,
  },
  {
    suites: ['browser'],
    what: 'Chromium, which the browser tests drive',
    packages: ['chromium'],
    other: 'npx playwright install --with-deps chromium',
    there: () => works(node, ['e2e/chromium.ts']) !== undefined,
  },
  {
    suites: ['browser'],
    what: 'fonts with Korean, so that pages and their pictures can be read',
    packages: ['fontconfig', 'fonts-noto-cjk'],
    other: 'install Noto Sans CJK',
    // macOS and Windows bring such fonts; fc-list exists on Linux
    there: () => process.platform !== 'linux' || (works('fc-list', [':lang=ko', 'family']) ?? '') !== '',
  },
]

const isDebian = () =>
  /^(ID|ID_LIKE)=.*\b(debian|ubuntu)\b/m.test(existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '')

/**
 * @param {string} node
 * @param {'unit' | 'postgres' | 'sim' | 'browser'} [suite] default: all
 * @returns {Promise<string | undefined>} what is still missing, and how to get it
 */
async function ensureSystem(node, suite) {
  const needs = systemNeeds(node).filter((need) => suite === undefined || need.suites.includes(suite))
  const missing = needs.filter((need) => !need.there())
  if (missing.length === 0) return undefined
  const packages = missing.flatMap((need) => need.packages)
  for (const need of missing) line('·', `missing: ${need.what}`)
  const install = `apt-get -o DPkg::Lock::Timeout=600 install -y --no-install-recommends ${packages.join(' ')}`
  if (process.getuid?.() === 0 && isDebian()) {
    await step(`installing ${packages.join(', ')} with apt-get (this is root on Debian or Ubuntu)`, async () => {
      const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
      spawnSync('apt-get', ['update'], { env, stdio: 'ignore' })
      const { status, stderr } = spawnSync('apt-get', install.split(' ').slice(1), {
        env,
        encoding: 'utf8',
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      if (status !== 0) throw new StartError(`apt-get could not install ${packages.join(', ')}.`, `Try it by hand: \`${install}\`.`, stderr)
      return { done: `${packages.join(', ')} installed`, value: undefined }
    }).catch((error) => {
      if (error instanceof StartError) process.stdout.write(`${error.log}\n${error.message} ${error.hint}\n`)
      else throw error
    })
  }
  const still = needs.filter((need) => !need.there())
  return still.length === 0
    ? undefined
    : still
        .map(
          (need) => `missing: ${need.what}; get it by \`${isDebian() ? `sudo apt-get install ${need.packages.join(' ')}` : need.other}\``,
        )
        .join('; ')
}

const goPrograms = ['images/hold', 'images/probe', 'images/registry']

try {
  const node = await prepare({ build: false })
  const next = { NEXT_TELEMETRY_DISABLED: '1' }
  /** @type {Record<string, import('./suites.mjs').Suite>} */
  const all = {
    lint: command(({ bin }) => [...bin('biome'), 'check']),
    types: async (tool) => {
      const generated = await tool.run([...tool.bin('next'), 'typegen'], { quiet: true, env: next })
      return generated.code === 0
        ? command(({ bin }) => [...bin('tsc'), '--noEmit'])(tool)
        : { passed: 0, failed: 1, skipped: 0, note: 'next typegen failed' }
    },
    scenarios: command((tool) => [tool.node, 'bin/scenario-lint.ts']),
    unit: async (tool) => {
      // Not a failure: tests of sandboxes are skipped, and say so.
      const missing = await ensureSystem(node, 'unit')
      if (missing !== undefined) line('·', missing)
      return vitest()(tool)
    },
    postgres: async (tool) => {
      const missing = await ensureSystem(node, 'postgres')
      // CI must have it; elsewhere they are skipped, and say why.
      if (missing !== undefined) return { passed: 0, failed: process.env.CI ? 1 : 0, skipped: 1, note: missing }
      return vitest(['--config', 'vitest.postgres.config.ts'])(tool)
    },
    go: async (tool) => {
      if (works('go', ['version']) === undefined)
        return {
          passed: 0,
          failed: 0,
          skipped: goPrograms.length,
          note: 'Go is not installed; the programs in images/ are tested where they are built',
        }
      const total = { passed: 0, failed: 0, skipped: 0 }
      for (const folder of goPrograms) {
        const { code, stdout } = await tool.run(['go', 'test', '-json', './...'], { cwd: join(root, folder), capture: true })
        const count = countGo(stdout, code)
        total.passed += count.passed
        total.failed += count.failed
        total.skipped += count.skipped
      }
      return total
    },
    sim: async (tool) => {
      if (process.platform !== 'linux') return { passed: 0, failed: 0, skipped: 1, note: 'clusters are simulated on Linux only' }
      const missing = await ensureSystem(node, 'sim')
      if (missing !== undefined) return { passed: 0, failed: 1, skipped: 0, note: missing }
      // Of every scenario one variant: the untouched fault, the solution, one cheat; cached by content, so that only what changed is played.
      const { code, stdout } = await tool.run(
        [
          ...[tool.node, '--disable-warning=ExperimentalWarning', 'bin/prove.ts'],
          ...['--all', '--sample', 'each', '--backend', 'sim', '--json'],
        ],
        { capture: true },
      )
      return countProof(stdout, code)
    },
    browser: async (tool) => {
      const missing = await ensureSystem(node, 'browser')
      if (missing !== undefined) return { passed: 0, failed: 1, skipped: 0, note: missing }
      await prepare({ build: true })
      return playwright(['--project=app'])(tool)
    },
  }
  const asked = process.argv.slice(2)
  if (asked.length === 1 && asked[0] === '--prepare') {
    const missing = await ensureSystem(node)
    if (missing !== undefined) throw new StartError('Not all tests can run yet.', missing)
    await prepare({ build: true })
    line('✓', 'everything that the tests need is there')
    process.exit(0)
  }
  process.exitCode = (await runSuites(node, chosen(all, asked))) ? 0 : 1
} catch (error) {
  fail(error)
}
