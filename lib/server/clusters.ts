// A cluster provider as sessions want it: clusters claimed and given back, with adoption finished before anything is made.
// Knows nothing of scenarios or people.
import type { Cluster, ClusterProvider, ClusterSpec, Progress } from '#lib/cluster/index.ts'
import { LabError } from '#lib/protocol/index.ts'
import type { Clusters } from '#lib/session/index.ts'

/** Every claim makes a cluster, every release destroys it. */
export function directClusters(provider: ClusterProvider): Clusters {
  let settle: () => void = () => {}
  const adopted = new Promise<void>((resolve) => {
    settle = resolve
  })
  return {
    backend: provider.backend,
    can: provider.can,
    status: async (signal) => ({ ...(await provider.status(signal)), warm: 0 }),
    async claim(spec: ClusterSpec, progress: Progress, signal: AbortSignal): Promise<Cluster> {
      await unlessAborted(adopted, signal)
      return provider.create(spec, progress, signal)
    },
    release: (cluster) => cluster.destroy(),
    async *adopt() {
      yield* provider.adopt()
      settle()
    },
  }
}

/** `promise`, unless the signal aborts first. @throws LabError cancelled */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(new LabError('cancelled', 'The wait for a cluster was cancelled.'))
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', onAbort))
}
