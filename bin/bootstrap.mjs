// What has to happen in a fresh clone before anything else can: dependencies, a Node that runs TypeScript, a build of the pages.
// Plain JavaScript without dependencies, runs under Node 20. Knows nothing of the lab.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withLock } from '../lib/host/lock.mjs'

/** The checkout. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const node24 = join(root, 'node_modules', 'node', 'bin', 'node')
const lockFile = join(root, 'node_modules.lock')

/** A failure that a person can mend: printed as words, without a stack. */
export class StartError extends Error {
  /**
   * @param {string} message what happened and why
   * @param {string} hint what to do
   * @param {string} [log] the tail of what the failed command printed
   */
  constructor(message, hint, log = '') {
    super(message)
    this.hint = hint
    this.log = log
  }
}

const began = Number(process.env.KUBEMEND_BEGAN) || Date.now()
/** @type {NodeJS.WriteStream} */
let out = process.stdout
/** Sends the lines of the steps elsewhere: commands whose standard output a program reads use standard error. */
export function stepsTo(/** @type {NodeJS.WriteStream} */ stream) {
  out = stream
}

/**
 * One line per step: while it runs on a terminal, and for good when it ends.
 * @param {'✓' | '✗' | '!' | '·'} mark
 * @param {string} text
 * @param {number} [from] epoch ms at which the step began
 */
export function line(mark, text, from) {
  const took = from === undefined ? '' : `  ${((Date.now() - from) / 1000).toFixed(1)} s`
  out.write(`${out.isTTY ? '\r\x1b[2K' : ''}${mark} ${text}${took}\n`)
}

/**
 * Runs one step and prints its line.
 * @template T
 * @param {string} doing said while it runs
 * @param {() => Promise<{ done: string, value: T }>} work `done` is what the line says in the end
 * @returns {Promise<T>}
 */
export async function step(doing, work) {
  const from = Date.now()
  const show = () => out.write(`\r\x1b[2K… ${doing}  ${Math.round((Date.now() - from) / 1000)} s`)
  const timer = out.isTTY ? setInterval(show, 1000) : undefined
  if (out.isTTY) show()
  else out.write(`… ${doing}\n`)
  try {
    const { done, value } = await work()
    line('✓', done, from)
    return value
  } catch (error) {
    line('✗', doing, from)
    throw error
  } finally {
    clearInterval(timer)
  }
}

/** Seconds since the command began, for the last line. */
export const elapsed = () => ((Date.now() - began) / 1000).toFixed(1)

/**
 * Runs a program to its end, its output kept.
 * @param {readonly string[]} argv
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string }} [options]
 * @returns {Promise<{ code: number, output: string }>} `output` the last 64 KiB of both streams
 */
export function run(argv, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(argv[0] ?? '', argv.slice(1), {
      cwd: options.cwd ?? root,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    const keep = (/** @type {Buffer} */ chunk) => {
      output = (output + chunk).slice(-64 * 1024)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    const end = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal)
    process.once('SIGINT', end)
    process.once('SIGTERM', end)
    const settle = () => {
      process.off('SIGINT', end)
      process.off('SIGTERM', end)
    }
    child.on('error', (error) => {
      settle()
      reject(error)
    })
    child.on('close', (code, signal) => {
      settle()
      if (signal !== null) process.exit(130)
      resolve({ code: code ?? 1, output })
    })
  })
}

const tail = (/** @type {string} */ text, lines = 25) => text.trimEnd().split('\n').slice(-lines).join('\n')
const read = (/** @type {string} */ path) => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/**
 * The environment without this checkout's own node_modules/.bin: npm must not run on a Node that it is about to delete.
 * @returns {NodeJS.ProcessEnv}
 */
function outsideEnvironment() {
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.startsWith(join(root, 'node_modules')))
  return { ...process.env, PATH: path.join(delimiter) }
}

const dependencyMark = join(root, 'node_modules', '.kubemend-dependencies')
const dependencyKey = () =>
  createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .update(`${process.platform} ${process.arch}`)
    .digest('hex')

/**
 * Does what npm wrote of an installation fit the lock file: everything there has the locked version, nothing needed is missing.
 * @param {string} installed text of node_modules/.package-lock.json
 * @param {string} locked text of package-lock.json
 */
export function installedAsLocked(installed, locked) {
  /** @type {Record<string, { version?: string, integrity?: string, optional?: boolean, devOptional?: boolean }>} */
  const have = JSON.parse(installed).packages ?? {}
  /** @type {typeof have} */
  const want = JSON.parse(locked).packages ?? {}
  return (
    Object.entries(have).every(([name, entry]) => want[name]?.version === entry.version && want[name]?.integrity === entry.integrity) &&
    Object.entries(want).every(([name, entry]) => name === '' || name in have || entry.optional === true || entry.devOptional === true)
  )
}

/** Major version of the Node at `path`, 0 when it does not run. */
const majorOf = (/** @type {string} */ path) => {
  const { stdout, status } = spawnSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' })
  return status === 0 ? Number.parseInt(stdout, 10) || 0 : 0
}

/**
 * Installs the dependencies where they are missing or not what package-lock.json says.
 * @returns {Promise<void>}
 * @throws {StartError}
 */
async function ensureDependencies() {
  const key = dependencyKey()
  const fresh = () => read(dependencyMark) === key
  if (fresh()) return
  const installed = read(join(root, 'node_modules', '.package-lock.json'))
  if (installed !== undefined && installedAsLocked(installed, readFileSync(join(root, 'package-lock.json'), 'utf8'))) {
    writeFileSync(dependencyMark, key)
    return
  }
  const why = existsSync(join(root, 'node_modules')) ? 'package-lock.json has changed' : 'the first time, about half a minute'
  await step(`installing dependencies (${why})`, async () => {
    const env = outsideEnvironment()
    // Not `npm ci`: it refuses a lock file in which a binary for some other platform is missing, as one made behind a registry that does
    // not carry them all has to be. This installs what is locked as it is locked, and writes neither package.json nor the lock file.
    const result = await run(['npm', 'install', '--no-save', '--include=dev', '--no-audit', '--no-fund', '--fetch-timeout=60000'], {
      env,
    }).catch((error) => {
      throw new StartError(
        `npm could not be started: ${error.message}.`,
        'Install Node.js with npm (https://nodejs.org), then run this again.',
      )
    })
    if (result.code !== 0) {
      throw new StartError(
        `npm install ended with exit code ${result.code}, so the dependencies are not complete.`,
        "The lines above are npm's own. Usual causes: no way to the npm registry (`npm config get registry`), a full disk, a folder owned by another user.",
        tail(result.output),
      )
    }
    writeFileSync(dependencyMark, key)
    return { done: 'dependencies installed', value: undefined }
  })
}

/**
 * A Node that runs TypeScript directly: the one among the dependencies, else this one when it is new enough.
 * npm can be told not to run install scripts, and then the package `node` has no binary yet: its script is run here.
 * @returns {Promise<string>} its path
 * @throws {StartError}
 */
async function ensureNode24() {
  if (existsSync(node24)) {
    if (majorOf(node24) >= 24) return node24
  } else if (existsSync(join(root, 'node_modules', 'node', 'installArchSpecificPackage.js'))) {
    const installed = await step('fetching Node 24 (npm did not run the install script of its package `node`)', async () => {
      const env = outsideEnvironment()
      const result = await run(['npm', 'rebuild', 'node', '--ignore-scripts=false', '--foreground-scripts'], { env })
      if (result.code !== 0 || !existsSync(node24)) {
        await run(['node', 'installArchSpecificPackage.js'], {
          env: { ...env, npm_config_ignore_scripts: 'false' },
          cwd: dirname(dirname(node24)),
        })
      }
      const works = existsSync(node24) && majorOf(node24) >= 24
      return { done: works ? 'Node 24 fetched' : 'Node 24 could not be fetched', value: works }
    })
    if (installed) return node24
  }
  if (Number.parseInt(process.versions.node, 10) >= 24) return process.execPath
  throw new StartError(
    `kubemend runs on Node 24. npm was to bring it as a dependency, but its binary is not there, and this is Node ${process.versions.node}.`,
    'Run `npm rebuild node --ignore-scripts=false`, or install Node 24 (https://nodejs.org) and run this again.',
  )
}

/** What the pages are compiled from. Files that only the server reads at run time are not among them. */
const buildSources = [
  'app',
  'components',
  'lib',
  'messages',
  'i18n',
  'bin/vendor.mjs',
  'next.config.js',
  'postcss.config.mjs',
  'tsconfig.json',
  'package.json',
  'package-lock.json',
]

/**
 * A hash over names and contents of the sources of the build. Tests and what the build itself generates do not count.
 * @param {string} [from] the checkout
 */
export function buildKey(from = root) {
  const hash = createHash('sha256')
  const visit = (/** @type {string} */ path) => {
    let entries
    try {
      entries = readdirSync(path, { withFileTypes: true })
    } catch (error) {
      const code = /** @type {NodeJS.ErrnoException} */ (error).code
      if (code === 'ENOTDIR')
        hash
          .update(`${relative(from, path)}\0`)
          .update(readFileSync(path))
          .update('\0')
      else if (code !== 'ENOENT') throw error
      return
    }
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith('.') || entry.name === 'node_modules' || /\.(test|spec|fixture)\.\w+$/.test(entry.name)) continue
      visit(join(path, entry.name))
    }
  }
  for (const source of buildSources) visit(join(from, source))
  return hash.digest('hex')
}

const buildMark = join(root, '.next', 'kubemend-build')

/**
 * Builds the pages where the build is missing or older than its sources.
 * @returns {Promise<void>}
 * @throws {StartError}
 */
async function ensureBuild() {
  const key = buildKey()
  if (read(buildMark) === key && existsSync(join(root, '.next', 'BUILD_ID'))) return
  const why = existsSync(buildMark) ? 'sources have changed' : 'the first time'
  await step(`building the pages (${why})`, async () => {
    /** @type {NodeJS.ProcessEnv} */
    const env = { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' }
    const result = await run(['npm', 'run', '--silent', 'build'], { env })
    if (result.code !== 0) {
      throw new StartError(
        `The build of the pages ended with exit code ${result.code}.`,
        'The lines above say where. `npm run build` repeats it with all its output.',
        tail(result.output, 40),
      )
    }
    mkdirSync(dirname(buildMark), { recursive: true })
    // The key from before the build: a source that was edited meanwhile makes the next start build again.
    writeFileSync(buildMark, key)
    return { done: 'pages built', value: undefined }
  })
}

/**
 * Brings the checkout to where its commands run. Safe to call at the same time from several processes.
 * @param {{ build: boolean }} what
 * @returns {Promise<string>} path of a Node 24
 * @throws {StartError}
 */
export async function prepare({ build }) {
  const major = Number.parseInt(process.versions.node, 10)
  if (major < 20)
    throw new StartError(
      `This is Node ${process.versions.node}; kubemend needs Node 20 or newer to begin.`,
      'Install it from https://nodejs.org, then run this again.',
    )
  return withLock(
    lockFile,
    (holder) => line('·', `another start is preparing this checkout (process ${holder}); waiting for it`),
    async () => {
      await ensureDependencies()
      const node = await ensureNode24()
      if (build) await ensureBuild()
      return node
    },
  )
}

/**
 * Prints what went wrong and ends.
 * @param {unknown} error
 * @returns {never}
 */
export function fail(error) {
  if (error instanceof StartError) {
    if (error.log) process.stderr.write(`\n${error.log}\n`)
    process.stderr.write(`\n✗ ${error.message}\n  ${error.hint}\n`)
  } else {
    process.stderr.write(`\n✗ ${error instanceof Error ? error.stack : error}\n`)
  }
  process.exit(1)
}
