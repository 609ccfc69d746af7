// Takes a cluster away: containers with their volumes, network, files. Touches only what labels and network say is ours.
import { LabError } from '#lib/protocol/index.ts'
import type { Ground } from './ground.ts'
import { containersOf, ownNetworks } from './machines.ts'

/** Leaves nothing; safe to call again and on what is half made. @throws LabError internal naming what could not be removed, docker-unavailable */
export async function destroyCluster(ground: Ground, cluster: string): Promise<void> {
  const { docker, owner } = ground
  const containers = await containersOf(docker, owner, cluster)
  // `kind delete` would do the same to its nodes, by its label alone; this asks the network as well.
  await Promise.all(
    containers.map(({ Id }) =>
      docker.find('remove a container', (api) => api.getContainer(Id).remove({ force: true, v: true }).catch(whileRemoving)),
    ),
  )
  for (const network of (await ownNetworks(docker, owner)).filter((network) => network.cluster === cluster)) {
    await docker.find('remove the network', (api) => api.getNetwork(network.id).remove())
  }
  await ground.records.remove(cluster)
  // With its last cluster the grader goes too; the next one brings it back.
  if ((await ownNetworks(docker, owner)).length === 0) await ground.grader.remove()
  const left = [...(await containersOf(docker, owner, cluster)).map(({ Names, Id }) => Names[0] ?? Id)]
  if (left.length > 0)
    throw new LabError('internal', `Of cluster ${cluster}, Docker still has ${left.join(', ')}.`, {
      hint: `Remove it by hand: \`docker rm -fv ${left.join(' ')}\`.`,
    })
}

/** Somebody else is removing it at this moment: as good as done. */
function whileRemoving(error: { statusCode?: number; message?: string }): void {
  if (error.statusCode === 404 || (error.statusCode === 409 && /already in progress/.test(error.message ?? ''))) return
  throw error
}
