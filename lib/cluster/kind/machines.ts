// The containers of one cluster, found by label and network: its nodes by role and its workstation.
// Decides what is ours; knows nothing of what is done with it.
import type { ContainerInfo } from 'dockerode'
import { LabError } from '#lib/protocol/index.ts'
import type { NodeInfo } from '../port.ts'
import type { Docker } from './docker.ts'
import { kindLabel, label } from './names.ts'

export interface Machine {
  place: string
  container: string
  /** container's name, which is the node's name */
  name: string
  state: string
  address: string
}

/** The networks of this owner, name of the cluster first. */
export async function ownNetworks(docker: Docker, owner: string): Promise<{ cluster: string; id: string }[]> {
  const networks = await docker.ask('list networks', (api) => api.listNetworks({ filters: { label: [`${label.owner}=${owner}`] } }))
  return networks.flatMap((network) => {
    const cluster = network.Labels?.[label.cluster]
    return cluster === undefined ? [] : [{ cluster, id: network.Id }]
  })
}

/** Every container of a cluster, running or not: kind's nodes that are on our network, and what carries our labels. */
export async function containersOf(docker: Docker, owner: string, cluster: string): Promise<ContainerInfo[]> {
  const [nodes, labelled, networks] = await Promise.all([
    docker.ask('list containers', (api) => api.listContainers({ all: true, filters: { label: [`${kindLabel}=${cluster}`] } })),
    docker.ask('list containers', (api) =>
      api.listContainers({ all: true, filters: { label: [`${label.owner}=${owner}`, `${label.cluster}=${cluster}`] } }),
    ),
    ownNetworks(docker, owner),
  ])
  // A kind cluster of somebody else's that has the same name is not on our network.
  const ours = networks.some((network) => network.cluster === cluster)
    ? nodes.filter((node) => node.NetworkSettings?.Networks?.[cluster] !== undefined)
    : []
  return [...ours, ...labelled]
}

const order = (name: string): number => Number(/-worker(\d*)$/.exec(name)?.[1] || 1)

/** Nodes (control plane first) and workstation by place. */
export async function machinesOf(docker: Docker, owner: string, cluster: string): Promise<Machine[]> {
  const containers = await containersOf(docker, owner, cluster)
  const named = containers.map((container) => ({ container, name: (container.Names[0] ?? '').replace(/^\//, '') }))
  const machine = (place: string, { container, name }: (typeof named)[number]): Machine => ({
    place,
    container: container.Id,
    name,
    state: container.State,
    address: container.NetworkSettings?.Networks?.[cluster]?.IPAddress ?? '',
  })
  const role = ({ container }: (typeof named)[number]) => container.Labels['io.x-k8s.kind.role']
  const workers = named.filter((entry) => role(entry) === 'worker').sort((a, b) => order(a.name) - order(b.name))
  return [
    ...named.filter((entry) => role(entry) === 'control-plane').map((entry) => machine('control-plane', entry)),
    ...workers.map((entry, index) => machine(`worker-${index + 1}`, entry)),
    ...named.filter(({ container }) => container.Labels[label.role] === 'workstation').map((entry) => machine('workstation', entry)),
  ]
}

export const nodesOf = (machines: readonly Machine[]): NodeInfo[] =>
  machines
    .filter((machine) => machine.place !== 'workstation')
    .map(({ place, name, address }) => ({ place, name, address, role: place === 'control-plane' ? 'control-plane' : 'worker' }))

/** @throws LabError not-found */
export function machineAt(machines: readonly Machine[], place: string, cluster: string): Machine {
  const found = machines.find((machine) => machine.place === place)
  if (found) return found
  throw new LabError('not-found', `Cluster ${cluster} has no ${place}.`, {
    hint: `It has ${machines.map((machine) => machine.place).join(', ') || 'no machines at all'}.`,
  })
}
