// A lock between processes of one machine: a file that names the process that holds it. Plain JavaScript without dependencies, since
// `npm start` needs it under Node 20 before anything is installed. Knows nothing of what it guards.
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
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
 * What tells one lock from the next, fit for a file name; undefined when there is none.
 * @param {string} path
 */
function identity(path) {
  try {
    const holder = JSON.parse(readFileSync(path, 'utf8') || '{}')
    return `${Number(holder.pid) || 0}-${Number(holder.began) || 0}`
  } catch (error) {
    return error instanceof SyntaxError ? '0-0' : undefined
  }
}

/** @param {string} path */
function changed(path) {
  try {
    return statSync(path).ctimeMs
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
      const found = identity(path)
      const holder = lockHolder(path)
      if (holder !== undefined) return { holder: holder.pid }
      if (found === undefined) continue // released a moment ago
      // Its holder is gone. Only the process that makes this link, one per holder that was, may remove the lock; and it looks at what it
      // has linked, since the lock may be a fresh one by now.
      const claim = `${path}.gone-${found}`
      try {
        linkSync(path, claim)
      } catch {
        if (Date.now() - (changed(claim) ?? Date.now()) < 5000) return { holder: Number.parseInt(found, 10) || 0 }
        rmSync(claim, { force: true }) // who made it has died over it
        continue
      }
      if (identity(claim) === found) rmSync(path, { force: true })
      rmSync(claim, { force: true })
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
