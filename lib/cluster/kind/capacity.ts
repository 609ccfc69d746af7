// How many clusters this Docker holds beside each other. Figures come in as arguments; knows nothing of how a cluster is made.
import { readFile } from 'node:fs/promises'
import { LabError } from '#lib/protocol/index.ts'
import type { ClusterSpec } from '../port.ts'
import type { Docker } from './docker.ts'
import { label } from './names.ts'
import type { CapacityOptions } from './options.ts'

export interface Supply {
  memoryMiB: number
  /** what can be had now without swapping; undefined where Docker runs on another machine */
  availableMiB: number | undefined
  cpus: number
  /** clusters of any owner that are there or being made */
  clusters: number
}

/** MiB that a cluster takes */
const needOf = (spec: ClusterSpec, { nodeMiB = 400, workstationMiB = 256 }: CapacityOptions): number =>
  (spec.workers + 1) * nodeMiB + workstationMiB

/** How many more of a kind fit beside those that are there: as often as `checkCapacity` would let one through. */
export function roomFor(spec: ClusterSpec, supply: Supply, options: CapacityOptions = {}): number {
  const need = needOf(spec, options)
  for (let more = 0; ; more++) {
    const then = {
      ...supply,
      clusters: supply.clusters + more,
      availableMiB: supply.availableMiB === undefined ? undefined : supply.availableMiB - more * need,
    }
    try {
      checkCapacity(spec, then, options)
    } catch {
      return more
    }
  }
}

/** @throws LabError capacity-exceeded saying which of the figures is the limit */
export function checkCapacity(spec: ClusterSpec, supply: Supply, options: CapacityOptions = {}): void {
  const { reserveMiB = 1024, cpus = 0.5 } = options
  const need = needOf(spec, options)
  const hint =
    'End a lab that is no longer needed (or make the pool of warm clusters smaller), or raise the limit in the server’s settings if you know better.'
  const refuse = (why: string) =>
    new LabError(
      'capacity-exceeded',
      { en: `No room for another cluster: ${why}`, ko: `클러스터를 더 만들 자리가 없습니다: ${why}` },
      { hint },
    )
  if (options.clusters !== undefined) {
    if (supply.clusters >= options.clusters) throw refuse(`${supply.clusters} of at most ${options.clusters} are there.`)
    return
  }
  const byMemory = Math.floor((supply.memoryMiB - reserveMiB) / need)
  if (supply.clusters >= byMemory) {
    throw refuse(
      `each needs ${need} MiB, this machine's ${supply.memoryMiB} MiB hold ${Math.max(0, byMemory)}, and ${supply.clusters} are there.`,
    )
  }
  if (supply.availableMiB !== undefined && supply.availableMiB < need + reserveMiB / 2) {
    throw refuse(`it needs ${need} MiB and only ${supply.availableMiB} MiB of memory are free now.`)
  }
  // A single cluster may be slow on one CPU; it is never refused for that.
  const byCpu = Math.max(1, Math.floor(supply.cpus / cpus))
  if (supply.clusters >= byCpu) throw refuse(`${supply.cpus} CPUs carry ${byCpu}, and ${supply.clusters} are there.`)
}

/** as long as a cluster may be without a container while it is made */
const youngMs = 10 * 60_000
/** What this Docker has. Every owner's clusters count: they share the machine. */
export async function supplyOf(docker: Docker, meminfo = '/proc/meminfo'): Promise<Supply> {
  const [info, networks, containers, memory] = await Promise.all([
    docker.ask('say what machine it runs on', (api) => api.info() as Promise<{ MemTotal: number; NCPU: number }>),
    docker.ask('list networks', (api) => api.listNetworks({ filters: { label: [label.cluster] } })),
    docker.ask('list containers', (api) => api.listContainers({ all: true })),
    readFile(meminfo, 'utf8').catch(() => ''),
  ])
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(memory)?.[1] ?? Number.NaN)
  const here = Math.abs(kib('MemTotal') * 1024 - info.MemTotal) < 64 * 1024 * 1024
  // A server that was killed may leave a network behind without a machine on it: it takes no room. A cluster that is being made has none yet either.
  const used = new Set(containers.flatMap((one) => Object.keys(one.NetworkSettings?.Networks ?? {})))
  const there = networks.filter(({ Created, Name }) => used.has(Name) || Date.now() - Date.parse(Created ?? '') < youngMs)
  return {
    memoryMiB: Math.floor(info.MemTotal / 1024 / 1024),
    availableMiB: here && Number.isFinite(kib('MemAvailable')) ? Math.floor(kib('MemAvailable') / 1024) : undefined,
    cpus: info.NCPU,
    clusters: there.length,
  }
}
