// Takes a cluster away: containers with their volumes, network, files. Touches only what labels and network say is ours.
import { asLabError, LabError } from '#lib/protocol/index.ts'
import { wait } from '../api.ts'
import type { Ground } from './ground.ts'
import { containersOf, ownNetworks } from './machines.ts'

const tries = 8

/** Leaves nothing; safe to call again and on what is half made. @throws LabError internal naming what could not be removed, docker-unavailable */
export async function destroyCluster(ground: Ground, cluster: string): Promise<void> {
  const { docker, owner } = ground
  // `kind delete` would do the same to its nodes, by its label alone; this asks the network as well. A loaded Docker gives up waiting for
  // the end of a container and ends it all the same, so what it says counts only when the container stays.
  await repeated(async () => {
    const containers = await containersOf(docker, owner, cluster)
    const results = await Promise.allSettled(
      containers.map(({ Id }) => docker.find('remove a container', (api) => api.getContainer(Id).remove({ force: true, v: true }))),
    )
    const left = await containersOf(docker, owner, cluster)
    if (left.length === 0) return
    await Promise.all(left.map(({ Id }) => ground.grader.thaw(Id).catch(() => {})))
    const names = left.map(({ Names, Id }) => (Names[0] ?? Id).replace(/^\//, ''))
    const reason = results.find((result) => result.status === 'rejected')?.reason
    throw new LabError(
      'internal',
      `Of cluster ${cluster}, Docker still has ${names.join(', ')}${reason ? `: ${asLabError(reason).message}` : ''}.`,
      {
        hint: `Remove it by hand: \`docker rm -fv ${names.join(' ')}\`.`,
      },
    )
  })
  await repeated(async () => {
    for (const network of (await ownNetworks(docker, owner)).filter((network) => network.cluster === cluster)) {
      await docker.find('remove the network', (api) => api.getNetwork(network.id).remove())
    }
  })
  await ground.records.remove(cluster)
  // With its last cluster the grader goes too; the next one brings it back.
  if ((await ownNetworks(docker, owner)).length === 0) await ground.grader.remove()
}

/** Again after a moment, a few times; a Docker that is gone ends it at once. */
async function repeated(work: () => Promise<void>): Promise<void> {
  for (let left = tries; ; left--) {
    try {
      return await work()
    } catch (error) {
      if (left <= 1 || asLabError(error).code === 'docker-unavailable') throw error
      await wait(250 * (tries - left + 1))
    }
  }
}
