// Runs test suites one after the other and counts what passed and failed, for `npm test` and `npm run test:kind`. A suite in which
// nothing ran has failed. Plain JavaScript without dependencies; knows nothing of what the suites test.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root, StartError } from './bootstrap.mjs'

/** @typedef {{ passed: number, failed: number, skipped: number, note?: string }} Count */
/** @typedef {(tool: Tool) => Promise<Count>} Suite */
/** @typedef {{ node: string, run: typeof run, bin: (name: string) => string[], folder: string }} Tool */

/** Children that run now, ended with this process. @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set()

/**
 * Runs a program to its end; its output is shown as it comes.
 * @param {readonly string[]} argv
 * @param {{ env?: Record<string, string | undefined>, cwd?: string, quiet?: boolean, capture?: boolean }} [options] `quiet`: shown only when it fails;
 *   `capture`: standard output is returned instead of shown
 * @returns {Promise<{ code: number, stdout: string }>} exit code 127 when it could not be started
 */
export function run(argv, options = {}) {
  return new Promise((resolve) => {
    const keep = options.quiet === true
    const child = spawn(argv[0] ?? '', argv.slice(1), {
      cwd: options.cwd ?? root,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', keep || options.capture ? 'pipe' : 'inherit', keep ? 'pipe' : 'inherit'],
    })
    children.add(child)
    /** @type {Buffer[]} */
    const shown = []
    /** @type {Buffer[]} */
    const captured = []
    child.stdout?.on('data', (chunk) => (options.capture ? captured : shown).push(chunk))
    child.stderr?.on('data', (chunk) => shown.push(chunk))
    const end = (/** @type {number} */ code) => {
      children.delete(child)
      if (keep && code !== 0) process.stdout.write(Buffer.concat(shown).subarray(-200_000))
      resolve({ code, stdout: Buffer.concat(captured).toString('utf8') })
    }
    child.on('error', (error) => {
      process.stdout.write(`${argv[0]} could not be started: ${error.message}\n`)
      end(127)
    })
    child.on('close', (code) => end(code ?? 1))
  })
}

/** @returns {string} what a reporter wrote. @throws Error in words when it wrote nothing */
function report(/** @type {string} */ path, /** @type {string} */ tool, /** @type {number} */ code) {
  if (!existsSync(path)) throw new Error(`${tool} ended with exit code ${code} before it wrote its report`)
  return readFileSync(path, 'utf8')
}

/** A command that is one test: exit code 0 passes. */
export const command =
  (/** @type {(tool: Tool) => readonly string[]} */ argv, /** @type {Record<string, string>} */ env = {}) =>
  async (/** @type {Tool} */ tool) => {
    const { code } = await tool.run(argv(tool), { quiet: true, env })
    return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 }
  }

/**
 * @param {string} text what vitest's JSON reporter wrote
 * @param {number} code vitest's exit code: errors outside of tests show only there
 * @returns {Count}
 */
export function countVitest(text, code) {
  /** @type {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number, testResults: { status: string, assertionResults: unknown[] }[] }} */
  const report = JSON.parse(text)
  // A file that could not even be loaded has no tests to count, and is a failure all the same.
  const unloaded = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length
  const failed = report.numFailedTests + unloaded
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

/** Vitest with these arguments, e.g. a configuration. */
export const vitest =
  (/** @type {readonly string[]} */ args = []) =>
  async (/** @type {Tool} */ tool) => {
    const json = join(tool.folder, 'vitest.json')
    rmSync(json, { force: true })
    const { code } = await tool.run([
      ...tool.bin('vitest'),
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${json}`,
      ...args,
    ])
    return countVitest(report(json, 'vitest', code), code)
  }

/**
 * @param {string} text what Playwright's JSON reporter wrote
 * @param {number} code Playwright's exit code
 * @returns {Count} a test that passed only when tried again counts as failed
 */
export function countPlaywright(text, code) {
  /** @type {{ expected: number, unexpected: number, flaky: number, skipped: number }} */
  const { expected, unexpected, flaky, skipped } = JSON.parse(text).stats
  const failed = unexpected + flaky
  return { passed: expected, failed: failed === 0 && code !== 0 ? 1 : failed, skipped }
}

/** Playwright with these arguments, e.g. a project. */
export const playwright =
  (/** @type {readonly string[]} */ args = []) =>
  async (/** @type {Tool} */ tool) => {
    const json = join(tool.folder, 'playwright.json')
    rmSync(json, { force: true })
    const { code } = await tool.run(
      [...tool.bin('playwright'), 'test', '--config', 'e2e/playwright.config.ts', '--reporter=list,json', ...args],
      {
        env: { PLAYWRIGHT_JSON_OUTPUT_NAME: json, PLAYWRIGHT_JSON_OUTPUT_FILE: json },
      },
    )
    return countPlaywright(report(json, 'playwright', code), code)
  }

/**
 * @param {string} text what `go test -json` printed
 * @param {number} code its exit code
 * @returns {Count}
 */
export function countGo(text, code) {
  const count = { passed: 0, failed: 0, skipped: 0 }
  for (const line of text.split('\n')) {
    if (!line.startsWith('{')) continue
    const { Action, Test, Output } = JSON.parse(line)
    if (Test === undefined || Test.includes('/')) continue
    if (Action === 'pass') count.passed++
    if (Action === 'skip') count.skipped++
    if (Action === 'fail') count.failed++
    if (Action === 'output' && code !== 0) process.stdout.write(Output)
  }
  if (count.failed === 0 && code !== 0) count.failed = 1
  return count
}

/**
 * @param {string} text what `npm run prove -- --json` printed: an object per scenario and variant
 * @param {number} code its exit code
 * @returns {Count} each part of a proof is one
 */
export function countProof(text, code) {
  if (text.trim() === '') return { passed: 0, failed: 1, skipped: 0, note: `no result, exit code ${code}: its last lines say why` }
  /** @type {{ slug: string, variant: string, proven: boolean, parts: { kind: string, name: string, ok: boolean, expected: unknown, score: unknown }[] }[]} */
  const results = JSON.parse(text)
  const count = { passed: 0, failed: 0, skipped: 0 }
  for (const { slug, variant, proven, parts } of results) {
    for (const part of parts) {
      if (part.ok) count.passed++
      else {
        count.failed++
        process.stdout.write(`  ✗ ${slug} (${variant}): ${part.kind} ${part.name ?? ''} scored ${part.score}, expected ${part.expected}\n`)
      }
    }
    if (!proven && parts.every((part) => part.ok)) count.failed++
  }
  if (count.failed === 0 && code !== 0) count.failed = 1
  return count
}

/** The line that both commands, and CI, end with. */
export const verdict = (/** @type {Count} */ { passed, failed }) => `${passed} passed, ${failed} failed`

/**
 * The suites that were asked for, all of them when none was named.
 * @param {Record<string, Suite>} all by name
 * @param {readonly string[]} asked names
 * @returns {Record<string, Suite>} in the order of `all`
 * @throws {StartError} naming what there is, when there is no such suite
 */
export function chosen(all, asked) {
  const unknown = asked.filter((name) => !(name in all))
  if (unknown.length > 0)
    throw new StartError(
      `There is no suite ${unknown.join(', ')}.`,
      `There are ${Object.keys(all).join(', ')}; without a name all of them run.`,
    )
  return Object.fromEntries(Object.entries(all).filter(([name]) => asked.length === 0 || asked.includes(name)))
}

/**
 * Runs the suites in order, each whatever became of the one before, prints a line for each and the verdict alone on the last one.
 * @param {string} node path of a Node 24
 * @param {Record<string, Suite>} suites by name
 * @returns {Promise<boolean>} did everything pass, and did anything run
 */
export async function runSuites(node, suites) {
  const folder = mkdtempSync(join(tmpdir(), 'kubemend-test-'))
  const stop = () => {
    for (const child of children) child.kill('SIGTERM')
    rmSync(folder, { recursive: true, force: true })
    process.exit(130)
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  const bin = (/** @type {string} */ name) => [node, join(root, 'node_modules', '.bin', name)]
  /** @type {Count} */
  const total = { passed: 0, failed: 0, skipped: 0 }
  const lines = []
  try {
    for (const [name, suite] of Object.entries(suites)) {
      const from = Date.now()
      process.stdout.write(`\n── ${name}\n`)
      /** @type {Count} */
      let count
      try {
        count = await suite({ node, run, bin, folder })
        if (count.passed + count.failed === 0 && count.note === undefined)
          count = { ...count, failed: 1, note: 'nothing ran, which counts as a failure' }
      } catch (error) {
        count = { passed: 0, failed: 1, skipped: 0, note: error instanceof Error ? error.message : String(error) }
      }
      total.passed += count.passed
      total.failed += count.failed
      total.skipped += count.skipped
      const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : ''
      const line = `${count.failed > 0 ? '✗' : '✓'} ${name.padEnd(10)} ${verdict(count)}${skipped}  ${((Date.now() - from) / 1000).toFixed(1)} s${count.note ? `  (${count.note})` : ''}`
      process.stdout.write(`${line}\n`)
      lines.push(line)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  process.stdout.write(`\n${lines.join('\n')}\n\n${verdict(total)}\n`)
  return total.failed === 0 && total.passed > 0
}
