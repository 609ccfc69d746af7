// What the kind adapter is told at its creation. Reads no environment: the server's configuration does.
import type { Runner } from '#lib/exec/index.ts'
import type { MachineFacts } from './config.ts'
import type { DockerOptions } from './docker.ts'

export interface KindOptions {
  /** names this server among others on the same Docker, kept in its data folder: 1 to 32 of [a-z0-9-] */
  owner: string
  /** folder for what is kept about clusters (grader's credentials, baselines); one running server per folder and owner */
  dataDir: string
  images: { node: string; workstation: string; grader: string }
  /** of the node image, as in v1.35.4 */
  kubernetesVersion: string
  machine: MachineFacts
  /** file with the CNI's manifest that every cluster gets */
  cniManifest: string
  /** the kind program, default `kind` */
  kind?: string
  docker?: DockerOptions
  runner?: Runner
  /** 0 ≤ n < below, for names; default the system's */
  random?: (below: number) => number
  capacity?: CapacityOptions
}
export interface CapacityOptions {
  /** most clusters on this Docker, whatever the figures say */
  clusters?: number
  /** MiB that one node and one workstation are expected to take, defaults 400 and 256 */
  nodeMiB?: number
  workstationMiB?: number
  /** MiB left to the machine itself, default 1024 */
  reserveMiB?: number
  /** share of a CPU that one cluster takes when nobody works in it, default 0.5 */
  cpus?: number
}
