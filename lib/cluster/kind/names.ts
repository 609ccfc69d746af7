// Names, labels and saved facts by which the adapter knows what is its own. Whatever lacks them is never touched.
import { randomInt } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LabError } from '#lib/protocol/index.ts'
import type { ClusterSpec } from '../port.ts'

export const label = {
  /** which server's it is */
  owner: 'dev.kubemend.owner',
  /** name of the cluster */
  cluster: 'dev.kubemend.cluster',
  /** network, workstation or grader */
  role: 'dev.kubemend.role',
} as const
/** kind's own label on its nodes; they are ours when they also are on a network of ours */
export const kindLabel = 'io.x-k8s.kind.cluster'

const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789'
export const newName = (random: (below: number) => number = randomInt): string =>
  `kubemend-${Array.from({ length: 6 }, () => alphabet[random(alphabet.length)]).join('')}`

export const ownerPattern = /^[a-z0-9][a-z0-9-]{0,31}$/
export function checkOwner(owner: string): string {
  if (ownerPattern.test(owner)) return owner
  throw new LabError('bad-request', `"${owner}" cannot be an owner's name.`, { hint: 'Use 1 to 32 lower-case letters, digits and dashes.' })
}
export const graderName = (owner: string): string => `kubemend-grader-${owner}`

/** What is kept about a cluster in the server's data folder, so that it can be adopted. */
export interface SavedCluster {
  format: 1
  name: string
  owner: string
  spec: ClusterSpec
  state: 'creating' | 'ready'
  kubernetesVersion: string
  image: string
  createdAt: string
}
/** Folder of one cluster: cluster.json, kubeconfig (the grader's, 0600), baseline/. */
export class Records {
  readonly dir: string
  constructor(dataDir: string) {
    this.dir = join(dataDir, 'clusters')
  }
  path(name: string, ...more: string[]): string {
    return join(this.dir, name, ...more)
  }
  async save(record: SavedCluster): Promise<void> {
    await mkdir(this.path(record.name), { recursive: true, mode: 0o700 })
    await this.write(record.name, 'cluster.json', `${JSON.stringify(record, null, 2)}\n`)
  }
  /** Whole or not at all, readable by this user only. */
  async write(name: string, file: string, content: string | Uint8Array): Promise<void> {
    const part = this.path(name, `.${file}.part`)
    await writeFile(part, content, { mode: 0o600 })
    await rename(part, this.path(name, file))
  }
  async load(name: string): Promise<SavedCluster | undefined> {
    try {
      const record = JSON.parse(await readFile(this.path(name, 'cluster.json'), 'utf8')) as SavedCluster
      return record.format === 1 && record.name === name ? record : undefined
    } catch {
      return undefined
    }
  }
  async remove(name: string): Promise<void> {
    await rm(this.path(name), { recursive: true, force: true })
  }
}
