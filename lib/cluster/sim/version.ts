// What a worker runs, as one hash of its sources and data: proofs are keyed by it, and a server does not go on with a worker of another.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What simulated clusters are. */
export const simKubernetes = 'v1.35.4'

const lib = fileURLToPath(new URL('../..', import.meta.url))
let known: string | undefined

/** `sim-` and 16 hexadecimal digits; reads lib/sim once */
export function simVersion(): string {
  if (known !== undefined) return known
  const hash = createHash('sha256')
  const files = readdirSync(join(lib, 'sim'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.(test|fixture)\.ts$|\.md$|^\./.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
  for (const file of files)
    hash
      .update(`${relative(lib, file)}\0`)
      .update(readFileSync(file))
      .update('\0')
  known = `sim-${hash.digest('hex').slice(0, 16)}`
  return known
}
