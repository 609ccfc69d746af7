import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lockHolder, tryLock, withLock } from './lock.mjs'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubemend-lock-'))
  path = join(folder, 'deep', 'the.lock')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const take = () => {
  const lock = tryLock(path)
  if (!('release' in lock)) throw new Error(`held by ${lock.holder}`)
  return lock
}

describe('the lock', () => {
  it('is held by one, names its holder, and is free again', () => {
    const lock = take()
    expect(lockHolder(path)?.pid).toBe(process.pid)
    expect(tryLock(path)).toEqual({ holder: process.pid })
    lock.release()
    expect(lockHolder(path)).toBeUndefined()
    take().release()
    expect(readdirSync(join(folder, 'deep'))).toEqual([])
  })

  it('is taken from a process that is gone, and from a file that says nothing', () => {
    const { pid } = spawnSync(process.execPath, ['-e', ''])
    for (const content of [JSON.stringify({ pid, began: '1' }), JSON.stringify({ pid: process.pid, began: 'another' }), '{', '']) {
      take().release()
      writeFileSync(path, content)
      take().release()
    }
    expect(existsSync(path)).toBe(false)
  })

  it('lets one process at a time into what it guards, stale locks included', async () => {
    const lock = JSON.stringify(new URL('lock.mjs', import.meta.url).pathname)
    const log = join(folder, 'log')
    // Each process enters five times, dies inside once in a while, and never sees another's mark.
    const program = `
      import { appendFileSync, existsSync, rmSync, writeFileSync } from 'node:fs'
      const { withLock } = await import(${lock})
      const inside = ${JSON.stringify(join(folder, 'inside'))}, log = ${JSON.stringify(log)}
      for (let i = 0; i < 5; i++) await withLock(${JSON.stringify(path)}, () => {}, async () => {
        appendFileSync(log, existsSync(inside) ? 'clash\\n' : 'alone\\n')
        writeFileSync(inside, '')
        await new Promise((resolve) => setImmediate(resolve))
        rmSync(inside)
        if (process.argv[1] === String(i)) process.exit(0)
      })`
    const children = ['1', '3', 'never', 'never'].map((when) =>
      spawn(process.execPath, ['--input-type=module', '-e', program, when], { stdio: 'inherit' }),
    )
    const codes = await Promise.all(children.map((child) => new Promise((resolve) => child.on('exit', resolve))))
    expect(codes).toEqual([0, 0, 0, 0])
    expect(readFileSync(log, 'utf8').trim().split('\n')).toEqual(Array.from({ length: 2 + 4 + 5 + 5 }, () => 'alone'))
  })

  it('is given back when the work throws', async () => {
    await expect(
      withLock(
        path,
        () => {},
        () => Promise.reject(new Error('no')),
      ),
    ).rejects.toThrow('no')
    expect(lockHolder(path)).toBeUndefined()
  })
})
