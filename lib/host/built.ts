// Which state of images/ the images in Docker were built from, so that set-up knows when there is nothing to do without asking the builder,
// which needs Go to answer. Knows nothing of how they are built.
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Machine } from './machine.ts'
import { cacheFolder, kubernetesVersion } from './settings.ts'

/** The checkout this file is in. */
export const checkout = fileURLToPath(new URL('../../', import.meta.url))

const recordPath = (machine: Machine) => join(cacheFolder(machine.env), `images-${kubernetesVersion(machine.env)}.key`)

/** A hash over what images are made of: names and contents of everything under images/ but tests and texts. */
export async function imagesKey(root: string): Promise<string> {
  const hash = createHash('sha256')
  const visit = async (folder: string): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) await visit(path)
      else if (entry.isFile() && !/(_test\.go|\.md)$/.test(entry.name)) {
        hash.update(`${relative(root, path)}\0`)
        hash.update(await readFile(path))
        hash.update('\0')
      }
    }
  }
  await visit(join(root, 'images'))
  return hash.digest('hex')
}

/** Remembers that the images are as this checkout wants them. */
export async function recordBuilt(machine: Machine, root: string): Promise<void> {
  await machine.writeText(recordPath(machine), `${await imagesKey(root)}\n`)
}

/** Were the images last brought to the state that this checkout wants. */
export async function builtFromCheckout(machine: Machine, root: string): Promise<boolean> {
  return (await machine.readText(recordPath(machine)))?.trim() === (await imagesKey(root))
}
