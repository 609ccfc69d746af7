// What is kept on the disk of sessions that ended long ago: recordings, diagnostics and events go, reports stay. Knows folders and rows; knows
// nothing of what is in them.
import { readdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { asLabError } from '#lib/protocol/index.ts'
import type { Log } from '#lib/session/index.ts'
import type { Store } from '#lib/store/index.ts'

const eventTypes = ['step', 'state', 'check', 'hint', 'terminal', 'outage']

/**
 * Removes what is older than `keepMs`; what cannot be removed is said in the log and tried again next time.
 * @returns how many sessions were cleared
 */
export async function sweep(dataDir: string, store: Store, log: Log, options: { now: number; keepMs: number }): Promise<number> {
  const folder = path.join(dataDir, 'sessions')
  const before = options.now - options.keepMs
  let cleared = 0
  for (const id of await readdir(folder).catch(() => [] as string[])) {
    if (!/^[a-f0-9]{16}$/.test(id)) continue
    const dir = path.join(folder, id)
    try {
      const row = await store.session(id)
      // One that has no row belongs to nobody any more: it goes by the age of its folder.
      const endedAt =
        row === null ? (await stat(dir)).mtimeMs : row.state === 'ended' && row.ended_at !== null ? Number(row.ended_at) : null
      if (endedAt === null || endedAt >= before) continue
      await rm(dir, { recursive: true, force: true })
      if (row !== null) await store.forget(id, Number(row.seq), eventTypes)
      cleared += 1
    } catch (thrown) {
      log.warn({ session: id, error: asLabError(thrown).message }, 'an old session could not be cleared')
    }
  }
  if (cleared > 0) log.info({ sessions: cleared }, 'recordings of old sessions were removed')
  return cleared
}
