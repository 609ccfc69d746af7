// Takes over the clusters that an earlier run of this server left: what is whole is used on, what is half made is destroyed.
import { readdir, readFile } from 'node:fs/promises'
import { KindCluster } from './cluster.ts'
import { destroyCluster } from './destroy.ts'
import type { Ground } from './ground.ts'
import { machinesOf, ownNetworks } from './machines.ts'

/** @throws LabError docker-unavailable: then nothing is destroyed, and it can be asked again */
export async function* adoptClusters(ground: Ground): AsyncGenerator<KindCluster> {
  const { docker, owner, records } = ground
  const networks = new Set((await ownNetworks(docker, owner)).map((network) => network.cluster))
  const recorded = await readdir(records.dir).catch(() => [] as string[])
  for (const name of new Set([...networks, ...recorded])) {
    const record = await records.load(name)
    const kubeconfig = await readFile(records.path(name, 'kubeconfig'), 'utf8').catch(() => undefined)
    const machines = networks.has(name) ? await machinesOf(docker, owner, name) : []
    const whole =
      record?.owner === owner && record.state === 'ready' && kubeconfig !== undefined && machines.length === record.spec.workers + 2
    if (!whole) {
      await destroyCluster(ground, name)
      continue
    }
    const cluster = new KindCluster(ground, record, kubeconfig, machines)
    // Machines that Docker stopped meanwhile are started; who takes the cluster sees from its health how that goes.
    await cluster.health()
    yield cluster
  }
}
