// A log file that stays small: what is older than the newest two pieces goes. Knows nothing of what is written.
import { appendFileSync, renameSync, statSync } from 'node:fs'

const pieceBytes = 512 * 1024

/** Appends lines with the time to `path`; the piece before is `path`.1 */
export function boundedLog(path: string, now: () => Date): (line: string) => void {
  let size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  return (line) => {
    const text = `${now().toISOString()} ${line.slice(0, 4000)}\n`
    try {
      if (size > pieceBytes) {
        renameSync(path, `${path}.1`)
        size = 0
      }
      appendFileSync(path, text, { mode: 0o600 })
      size += text.length
    } catch {
      // A log that cannot be written must not end a lab.
    }
  }
}
