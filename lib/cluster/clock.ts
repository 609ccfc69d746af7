// The time that whoever looks at a cluster counts in: the cluster's own where it has one, else the host's.
import { wait } from './api.ts'
import type { Cluster, LabClock } from './port.ts'

/** The host's time. */
export const realClock: LabClock = { now: Date.now, wait, rate: 1 }

export const clockOf = (cluster: Pick<Cluster, 'clock'>): LabClock => cluster.clock ?? realClock

/** Does the work with the cluster's time passing as fast as it can, where it can. */
export const hurried = <T>(cluster: Pick<Cluster, 'hurry'>, work: () => Promise<T>): Promise<T> =>
  cluster.hurry === undefined ? work() : cluster.hurry(work)
