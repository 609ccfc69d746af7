// Paths of a machine stay on the machine, also while its directories are swapped for links within one turn.
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { filesBelow } from './files.ts'

let at = ''
let root = ''
beforeEach(() => {
  at = mkdtempSync(join(tmpdir(), 'kubemend-files-'))
  root = join(at, 'machine')
  mkdirSync(join(root, 'etc/app'), { recursive: true })
  mkdirSync(join(root, 'other'))
  mkdirSync(join(at, 'outside'))
  writeFileSync(join(root, 'etc/app/key'), 'own')
  writeFileSync(join(root, 'other/key'), 'other')
  writeFileSync(join(at, 'outside/key'), 'outside')
})
afterEach(() => rmSync(at, { recursive: true, force: true }))

test('a directory that another hand swaps for a link out leads nowhere', () => {
  const files = filesBelow(root)
  expect(files.text('/etc/app/key')).toBe('own')
  renameSync(join(root, 'etc/app'), join(root, 'etc/was'))
  symlinkSync(join(at, 'outside'), join(root, 'etc/app'))
  expect(files.text('/etc/app/key')).toBeUndefined()
  expect(() => files.write('/etc/app/key', 'written')).toThrow()
  expect(readFileSync(join(at, 'outside/key'), 'utf8')).toBe('outside')
})
test('in the next turn too, where the link is read as the machine would', async () => {
  const files = filesBelow(root)
  expect(files.text('/etc/app/key')).toBe('own')
  renameSync(join(root, 'etc/app'), join(root, 'etc/was'))
  symlinkSync('/other', join(root, 'etc/app'))
  await new Promise(setImmediate)
  expect(files.text('/etc/app/key')).toBe('other')
})
test('a directory that these hands swap for a link is that link at once', () => {
  const files = filesBelow(root)
  expect(files.text('/etc/app/key')).toBe('own')
  files.rename('/etc/app', '/etc/was')
  files.symlink('/other', '/etc/app')
  expect(files.text('/etc/app/key')).toBe('other')
  files.remove('/etc/app')
  expect(files.exists('/etc/app/key')).toBe(false)
  files.rename('/etc/was', '/etc/app')
  expect(files.text('/etc/app/key')).toBe('own')
})
test('dots, doubled slashes and links to directories', () => {
  const files = filesBelow(root)
  symlinkSync('../etc/./app/', join(root, 'other/app'))
  for (const path of ['/etc/app/../app/key', '/etc//app/./key', '/other/app/key', '/../../etc/app/key'])
    expect(files.text(path), path).toBe('own')
})
