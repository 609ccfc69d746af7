import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { buildKey, installedAsLocked } from './bootstrap.mjs'

describe('what npm has installed', () => {
  const entry = (version: string, more = {}) => ({ version, integrity: `sha512-${version}`, ...more })
  const lock = (packages: object) => JSON.stringify({ lockfileVersion: 3, packages: { '': { name: 'x' }, ...packages } })
  const locked = lock({ 'node_modules/a': entry('1.0.0'), 'node_modules/b': entry('2.0.0', { optional: true }) })
  const installed = (packages: object) => JSON.stringify({ packages })

  it('fits the lock file when everything needed is there, optional packages of other platforms left out', () => {
    expect(installedAsLocked(installed({ 'node_modules/a': entry('1.0.0') }), locked)).toBe(true)
    expect(installedAsLocked(installed({ 'node_modules/a': entry('1.0.0'), 'node_modules/b': entry('2.0.0') }), locked)).toBe(true)
  })
  it('does not fit with another version, another content, something missing or something else', () => {
    expect(installedAsLocked(installed({ 'node_modules/a': entry('1.0.1') }), locked)).toBe(false)
    expect(installedAsLocked(installed({ 'node_modules/a': { ...entry('1.0.0'), integrity: 'sha512-x' } }), locked)).toBe(false)
    expect(installedAsLocked(installed({}), locked)).toBe(false)
    expect(installedAsLocked(installed({ 'node_modules/a': entry('1.0.0'), 'node_modules/c': entry('1.0.0') }), locked)).toBe(false)
  })
})

describe('the key of the build', () => {
  let root: string
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'kubemend-build-'))
    put('app/page.tsx', 'one')
    put('lib/protocol/index.ts', 'one')
    put('package-lock.json', '{}')
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  it('changes with a source that is edited, added, moved or removed, and with the dependencies', () => {
    const seen = new Set([buildKey(root)])
    for (const change of [
      () => put('app/page.tsx', 'two'),
      () => put('components/x.tsx', 'one'),
      () => put('app/page.tsx', 'one'),
      () => {
        rmSync(join(root, 'app/page.tsx'))
        put('app/other.tsx', 'one')
      },
      () => put('package-lock.json', '{"a":1}'),
    ]) {
      change()
      seen.add(buildKey(root))
    }
    expect(seen.size).toBe(6)
  })
  it('does not change with tests, scenarios and what is written at run time', () => {
    const before = buildKey(root)
    put('lib/protocol/index.test.ts', 'x')
    put('lib/host/machine.fixture.ts', 'x')
    put('scenarios/a/scenario.yaml', 'x')
    put('data/kubemend.sqlite', 'x')
    put('.next/BUILD_ID', 'x')
    put('node_modules/a/index.js', 'x')
    expect(buildKey(root)).toBe(before)
  })
})
