import { afterEach, describe, expect, it, vi } from 'vitest'
import { countGo, countPlaywright, countProof, countVitest, verdict } from './suites.mjs'

afterEach(() => vi.restoreAllMocks())

describe('what a suite counts', () => {
  const vitest = (change: object) =>
    JSON.stringify({
      numPassedTests: 3,
      numFailedTests: 0,
      numPendingTests: 1,
      numTodoTests: 0,
      testResults: [{ status: 'passed', assertionResults: [{}] }],
      ...change,
    })

  it('vitest: tests, and files that could not be loaded', () => {
    expect(countVitest(vitest({}), 0)).toEqual({ passed: 3, failed: 0, skipped: 1 })
    expect(countVitest(vitest({ numFailedTests: 2 }), 1)).toMatchObject({ failed: 2 })
    expect(countVitest(vitest({ testResults: [{ status: 'failed', assertionResults: [] }] }), 1)).toMatchObject({ failed: 1 })
  })
  it('vitest: an error outside of every test', () => {
    expect(countVitest(vitest({}), 1)).toMatchObject({ failed: 1 })
  })
  it('playwright: a test that passed only the second time has failed', () => {
    const report = (stats: object) => JSON.stringify({ stats: { expected: 5, unexpected: 0, flaky: 0, skipped: 0, ...stats } })
    expect(countPlaywright(report({}), 0)).toEqual({ passed: 5, failed: 0, skipped: 0 })
    expect(countPlaywright(report({ flaky: 1 }), 0)).toMatchObject({ failed: 1 })
    expect(countPlaywright(report({}), 1)).toMatchObject({ failed: 1 })
  })
  it('go: tests without their subtests, and a package that does not compile', () => {
    const lines = [
      { Action: 'pass', Test: 'TestA/sub' },
      { Action: 'pass', Test: 'TestA' },
      { Action: 'skip', Test: 'TestB' },
      { Action: 'pass' },
    ]
    const text = lines.map((line) => JSON.stringify(line)).join('\n')
    expect(countGo(text, 0)).toEqual({ passed: 1, failed: 0, skipped: 1 })
    expect(countGo(text, 1)).toMatchObject({ failed: 1 })
  })
  it('proof: every part, and a proof that is none though its parts are', () => {
    vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    const part = (ok: boolean) => ({ kind: 'cheat', name: 'hosts-file', ok, expected: 0, score: ok ? 0 : 100 })
    const proof = (proven: boolean, ...oks: boolean[]) => ({ slug: 'coredns-loop', variant: 'a', proven, parts: oks.map(part) })
    expect(countProof(JSON.stringify([proof(true, true, true)]), 0)).toEqual({ passed: 2, failed: 0, skipped: 0 })
    expect(countProof(JSON.stringify([proof(false, true, false)]), 1)).toMatchObject({ passed: 1, failed: 1 })
    expect(countProof(JSON.stringify([proof(false, true)]), 1)).toMatchObject({ passed: 1, failed: 1 })
    expect(countProof(JSON.stringify([proof(true, true)]), 1)).toMatchObject({ failed: 1 })
    expect(countProof('', 1)).toMatchObject({ passed: 0, failed: 1 })
  })
  it('is said in one line', () => {
    expect(verdict({ passed: 12, failed: 0, skipped: 3 })).toBe('12 passed, 0 failed')
  })
})
