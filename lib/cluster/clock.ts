// The time that whoever looks at a cluster counts in: the cluster's own where it has one, else the host's.
import { wait } from './api.ts'
import type { Cluster, LabClock } from './port.ts'

/** The host's time. */
export const realClock: LabClock = { now: Date.now, wait, rate: 1 }

export const clockOf = (cluster: Pick<Cluster, 'clock'>): LabClock => cluster.clock ?? realClock

/**
 * Whether `ms` of the cluster's time have passed since it was asked for, and as much of the host's, `patienceMs` at most: where a cluster's time
 * passes faster, the host's processes do not, and on a loaded host they are slower than anybody expects.
 */
export function deadline(clock: Pick<LabClock, 'now'>, ms: number, patienceMs = 10_000): () => boolean {
  const at = clock.now() + ms
  const host = performance.now() + Math.min(ms, patienceMs)
  return () => clock.now() >= at && performance.now() >= host
}

/** Does the work with the cluster's time passing as fast as it can, where it can. */
export const hurried = <T>(cluster: Pick<Cluster, 'hurry'>, work: () => Promise<T>): Promise<T> =>
  cluster.hurry === undefined ? work() : cluster.hurry(work)
