// The kind backend: real clusters in Docker containers of this machine, made by the kind program.
import { LabError } from '#lib/protocol/index.ts'
import type { Cluster, ClusterProvider, ClusterSpec, Progress } from '../port.ts'
import { adoptClusters } from './adopt.ts'
import { roomFor, supplyOf } from './capacity.ts'
import { capabilities } from './cluster.ts'
import { createCluster } from './create.ts'
import { groundOf } from './ground.ts'
import type { KindOptions } from './options.ts'
import { providerStatus } from './status.ts'

/**
 * @throws LabError bad-request for an owner's name that cannot be used. `adopt` is to be run once, before the first `create`: it takes over
 * what an earlier run of this owner left and destroys what it left half made.
 */
export function kindProvider(options: KindOptions): ClusterProvider {
  const ground = groundOf(options)
  let turn: Promise<unknown> = Promise.resolve()
  /** one after the other, so that two creations do not both see the last free place */
  const reserve = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work, work)
    turn = mine.catch(() => {})
    return mine
  }
  return {
    backend: 'kind',
    can: capabilities,
    status: (signal) => providerStatus(ground, signal),
    async identity() {
      const image = await ground.docker.find('look at the node image', (api) => api.getImage(options.images.node).inspect())
      if (!image)
        throw new LabError('backend-unavailable', `The node image ${options.images.node} is not on this machine.`, {
          hint: 'Run `npm run setup:kind`.',
        })
      // Built images carry the key of what they were built from; an identical one built elsewhere is the same image.
      return { kubernetesVersion: options.kubernetesVersion, image: image.Config.Labels?.['org.kubemend.key'] ?? image.Id }
    },
    room: async (spec) => roomFor(spec, await supplyOf(ground.docker), options.capacity),
    create: (spec: ClusterSpec, progress: Progress, signal: AbortSignal): Promise<Cluster> =>
      createCluster(ground, spec, progress, signal, reserve),
    adopt: () => adoptClusters(ground),
  }
}
