// A lab on kind from its creation to a mended incident, each figure beside its baseline from the same run: creating a cluster the plain
// way. Needs Docker and the images; makes two clusters, one after the other, and leaves none. Takes some five minutes.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { kindConfig } from '#lib/cluster/index.ts'
import { must, processes } from '#lib/exec/index.ts'
import { confirm, inject, prepare } from '#lib/fault/index.ts'
import { baselineOf, handOver, watch } from '#lib/grade/index.ts'
import { findTool, images, machineFacts } from '#lib/host/index.ts'
import { LabError } from '#lib/protocol/index.ts'
import { loadCatalogue, resolve } from '#lib/scenario/index.ts'
import { kindBackend, root } from '#lib/server/index.ts'
import type { Bench, Figure } from '../bench.ts'

const slug = 'kube-proxy-kubeconfig'

/** seconds that `work` took, and what it gave */
export async function timed<T>(work: () => Promise<T>): Promise<{ seconds: number; value: T }> {
  const begun = performance.now()
  const value = await work()
  return { seconds: (performance.now() - begun) / 1000, value }
}

/** seconds that kind takes for a cluster of the same size, and nothing more */
export async function plainKind(dir: string): Promise<number> {
  const kind = await findTool('kind')
  if (kind === undefined) throw new LabError('backend-unavailable', 'kind is not here.', { hint: 'Run `npm run setup:kind`.' })
  const name = `kubemend-bench-${process.pid}`
  const config = path.join(dir, 'kind.yaml')
  const kubeconfig = path.join(dir, 'kubeconfig')
  await writeFile(config, kindConfig({ workers: 2 }, await machineFacts()))
  try {
    return (
      await timed(() =>
        must(processes, {
          argv: [kind, 'create', 'cluster', '--name', name, '--image', images().node, '--config', config, '--kubeconfig', kubeconfig],
        }),
      )
    ).seconds
  } finally {
    await processes.run({ argv: [kind, 'delete', 'cluster', '--name', name, '--kubeconfig', kubeconfig] })
  }
}

/** MiB that a lab's containers use, from the accounts of their control groups: all of them, and without the workstation */
async function memoryOf(id: string): Promise<{ all: number; nodes: number }> {
  const { stdout } = await must(processes, { argv: ['docker', 'stats', '--no-stream', '--format', '{{.Name}} {{.MemUsage}}'] })
  const units: Record<string, number> = { KiB: 1 / 1024, MiB: 1, GiB: 1024 }
  const sum = (lines: readonly string[]) =>
    lines.reduce((total, line) => {
      const [, value = '0', unit = 'MiB'] = /([\d.]+)(KiB|MiB|GiB)/.exec(line) ?? []
      return total + Number(value) * (units[unit] ?? 1)
    }, 0)
  const mine = stdout.split('\n').filter((line) => line.startsWith(`${id}-`))
  return { all: sum(mine), nodes: sum(mine.filter((line) => !line.startsWith(`${id}-workstation`))) }
}

export const labBench: Bench = async (say) => {
  const signal = new AbortController().signal
  const step = { signal, progress: () => {} }
  const dir = await mkdtemp(path.join(tmpdir(), 'kubemend-bench-'))
  const figures: Figure[] = []
  const figure = (name: string, value: number, unit: string, baseline: number) =>
    figures.push({ name, value, unit, baseline, ratio: value / baseline })
  try {
    const scenario = (await loadCatalogue(path.join(root, 'scenarios'))).bySlug(slug)
    if (!scenario) throw new LabError('not-found', `There is no scenario ${slug}.`)
    say('kind create cluster, alone')
    const plain = await plainKind(dir)
    const provider = await kindBackend({ owner: 'bench', dataDir: dir, env: process.env })
    for await (const left of provider.adopt()) await left.destroy()
    say('a lab: cluster, pod network, workstation, ssh, all pods ready')
    const made = await timed(() => provider.create({ workers: 2 }, () => {}, signal))
    const cluster = made.value
    try {
      figure('a lab, created / kind create cluster alone', made.seconds, 's', plain)
      const memory = await memoryOf(cluster.id)
      figure('memory of a lab at rest / of its nodes alone', memory.all, 'MiB', memory.nodes)
      say('its baseline, the fault and its symptom')
      await cluster.baseline(signal)
      const resolved = resolve(scenario, { seed: 'bench', nodes: cluster.nodes })
      const broken = await timed(async () => {
        await prepare(cluster, resolved, step)
        await baselineOf(cluster, resolved, step)
        await inject(cluster, resolved, step)
        await confirm(cluster, resolved, step)
      })
      const handover = await handOver(cluster, step)
      figure('start to confirmed symptom, from the pool / kind create cluster alone', broken.seconds, 's', plain)
      figure('start to confirmed symptom, cold / kind create cluster alone', made.seconds + broken.seconds, 's', plain)
      say('its solution, until every check is green')
      const stop = new AbortController()
      const green = Promise.withResolvers<void>()
      const states = new Map<string, string>()
      watch(cluster, resolved, handover, {
        signal: stop.signal,
        onChange: (check) => {
          states.set(check.id, check.state)
          if (resolved.checks.every((one) => states.get(one.id) === 'passing')) green.resolve()
        },
      })
      const script = scenario.parts.find((part) => part.kind === 'solution')!.script
      await cluster.exec('workstation', ['bash', '-c', script], { env: resolved.env, timeoutMs: 300_000 })
      const hold = Math.max(...resolved.checks.map((check) => check.hold))
      const repaired = await timed(() => green.promise)
      stop.abort()
      figure('repair done to every check green / the longest hold', repaired.seconds, 's', hold)
      say('back to the baseline')
      const back = await timed(() => cluster.restore(signal, { home: true }))
      figure('baseline restored / kind create cluster alone', back.seconds, 's', plain)
    } finally {
      await cluster.destroy()
    }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
  return figures
}
