// A folder that was written ahead becomes exactly what is wanted of it.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type FileImage, takeImage } from './node/image.ts'
import { moveSpare, Spares } from './spare.ts'

let at = ''
const folder = () => {
  at = mkdtempSync(join(tmpdir(), 'kubemend-spare-'))
  return at
}
afterEach(() => rmSync(at, { recursive: true, force: true }))

const file = (path: string, text: string, mode = 0o644, mtime = 1_700_000_000_000) => ({ path, type: 'file' as const, mode, mtime, text })
const directory = (path: string, mode = 0o755) => ({ path, type: 'directory' as const, mode })
const pattern: Record<string, FileImage> = {
  node: {
    entries: [
      directory('/etc', 0o750),
      file('/etc/hostname', 'lab-a-node\n'),
      { path: '/etc/link', type: 'link', target: '/var/lab-a' },
      file('/etc/old.pem', 'a', 0o600),
      { path: '/etc/same', type: 'link', target: 'hostname' },
      directory('/var'),
      directory('/var/lab-a'),
      directory('/var/lab-a/pod-lab-a'),
      { path: '/var/lab-a/pod-lab-a/bytes', type: 'file', mode: 0o644, mtime: 1_700_000_000_000, base64: '/w==' },
      file('/var/lab-a/pod-lab-a/log', 'a long line of lab-a\n'),
      file('/var/turned', 'x'),
    ],
  },
}
const wanted: Record<string, FileImage> = {
  node: {
    entries: [
      directory('/etc', 0o755),
      file('/etc/hostname', 'lab-b-node\n', 0o644, 1_700_000_060_000),
      { path: '/etc/link', type: 'link', target: '/var/lab-b' },
      file('/etc/new.pem', 'b', 0o600),
      { path: '/etc/same', type: 'link', target: 'hostname' },
      directory('/var'),
      directory('/var/lab-b'),
      directory('/var/lab-b/pod-lab-b'),
      { path: '/var/lab-b/pod-lab-b/bytes', type: 'file', mode: 0o640, mtime: 1_700_000_060_000, base64: '/w==' },
      file('/var/lab-b/pod-lab-b/log', 'short\n'),
      directory('/var/turned'),
    ],
  },
}

test('renamed, changed, removed and added, and nothing is left of the spare', async () => {
  const root = folder()
  const spares = new Spares(join(root, 'spare'))
  spares.fill(pattern)
  await spares.settled()
  const spare = await spares.take(pattern)
  if (!spare) throw new Error('There is no spare.')
  expect(takeImage(`${spare.dir}/node`)).toEqual(pattern.node)
  moveSpare(spare, join(root, 'lab'), wanted, (path) => path.replaceAll('lab-a', 'lab-b'))
  expect(takeImage(join(root, 'lab/node'))).toEqual(wanted.node)
  expect(existsSync(spare.dir)).toBe(false)
  spares.forget(pattern)
  expect(await spares.take(pattern)).toBeUndefined()
  expect(readdirSync(join(root, 'spare'))).toEqual([])
  await spares.close()
  expect(readdirSync(root)).toEqual(['lab'])
})
test('nothing is written where the folder above is gone', async () => {
  const root = folder()
  const spares = new Spares(join(root, 'gone/spare'))
  spares.fill(pattern)
  await spares.settled()
  expect(await spares.take(pattern)).toBeUndefined()
  expect(readdirSync(root)).toEqual([])
})
