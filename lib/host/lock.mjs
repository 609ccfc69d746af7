// A lock between processes of one machine: a file that names the process that holds it. Plain JavaScript without dependencies, since
// `npm start` needs it under Node 20 before anything is installed. Knows nothing of what it guards.
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * When a process began, in clock ticks since boot: with its id it names a process, since ids are used again (proc(5), field 22 of stat).
 * @param {number} pid
 * @returns {string} empty where /proc does not tell
 */
function began(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

/**
 * Who holds the lock, undefined when nobody that still runs does.
 * @param {string} path
 * @returns {{ pid: number, began: string } | undefined}
 */
export function lockHolder(path) {
  try {
    const holder = JSON.parse(readFileSync(path, 'utf8'))
    if (!Number.isInteger(holder.pid) || holder.pid < 1) return undefined
    try {
      process.kill(holder.pid, 0)
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EPERM') return undefined
    }
    const now = began(holder.pid)
    return now !== '' && holder.began !== '' && now !== holder.began ? undefined : holder
  } catch {
    return undefined
  }
}

/**
 * Takes the lock if it is free or its holder is gone. The file appears with its content in one step (link), so nobody reads half of it.
 * @param {string} path
 * @returns {{ release: () => void } | { holder: number }} `holder`: the process id of who has it
 */
export function tryLock(path) {
  mkdirSync(dirname(path), { recursive: true })
  const mine = `${path}.${process.pid}.${Math.random().toString(36).slice(2, 10)}`
  writeFileSync(mine, JSON.stringify({ pid: process.pid, began: began(process.pid) }))
  try {
    for (;;) {
      try {
        linkSync(mine, path)
        return { release: () => rmSync(path, { force: true }) }
      } catch (error) {
        if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error
      }
      const holder = lockHolder(path)
      if (holder !== undefined) return { holder: holder.pid }
      // Its holder is gone. Move it aside; if another process was faster and its fresh lock was moved, put that one back.
      const aside = `${mine}.stale`
      try {
        renameSync(path, aside)
      } catch {
        continue
      }
      const moved = lockHolder(aside)
      if (moved !== undefined) {
        try {
          linkSync(aside, path)
        } catch {
          // a third process holds it now; both cannot be right, and the loop finds out who is
        }
      }
      rmSync(aside, { force: true })
    }
  } finally {
    rmSync(mine, { force: true })
  }
}

/**
 * Runs `work` while holding the lock, waiting for whoever has it.
 * @template T
 * @param {string} path
 * @param {(holder: number) => void} onWait called once when somebody else has it
 * @param {() => T | Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(path, onWait, work) {
  let told = false
  for (;;) {
    const lock = tryLock(path)
    if ('release' in lock) {
      try {
        return await work()
      } finally {
        lock.release()
      }
    }
    if (!told) onWait(lock.holder)
    told = true
    await new Promise((resolve) => setTimeout(resolve, 150))
  }
}
