// Simulated labs: how long they take to start, to be put back and to turn green, what memory they take, how a shell in one feels while
// others are in use. Absolute figures; beside them the bare process where there is one, and `kind create cluster` where kind is ready.
// Leaves nothing. KUBEMEND_BENCH_LABS sets how many labs are typed into at a time, default 8.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { spawn } from '@lydell/node-pty'
import { type Cluster, hurried } from '#lib/cluster/index.ts'
import { must, processes } from '#lib/exec/index.ts'
import { confirm, inject, prepare } from '#lib/fault/index.ts'
import { baselineOf, handOver, watch } from '#lib/grade/index.ts'
import { LabError } from '#lib/protocol/index.ts'
import { loadCatalogue, resolve } from '#lib/scenario/index.ts'
import { kindBackend, root, simBackend } from '#lib/server/index.ts'
import type { Bench, Figure } from '../bench.ts'
import { plainKind, timed } from './lab.ts'
import { type Line, letters, sitDown } from './typist.ts'

const slug = 'kube-proxy-kubeconfig'
const starts = 8
const keys = 100
/** Prints a line a turn: epoch seconds before kubectl without a cluster, between, after kubectl with one. The first fills kubectl's cache. */
const turns = `set -e
kubectl get pods -A >/dev/null
for turn in {1..10}; do
  from=$EPOCHREALTIME
  kubectl version --client >/dev/null
  between=$EPOCHREALTIME
  kubectl get pods -A >/dev/null
  echo "$from $between $EPOCHREALTIME"
done`
const step = { signal: new AbortController().signal, progress: () => {} }
export const quantile = (values: readonly number[], part: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] as number

/** The workers and everything that they started. */
async function processesOf(dir: string): Promise<Set<number>> {
  const parents = new Map<number, number>()
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')
    const parent = Number(/\) \S (\d+)/.exec(stat)?.[1])
    if (parent > 0) parents.set(Number(name), parent)
  }
  const mine = new Set<number>()
  for (const name of await readdir(path.join(dir, 'workers')).catch(() => [] as string[]))
    mine.add(Number(await readFile(path.join(dir, 'workers', name, 'pid'), 'utf8')))
  for (let grown = true; grown; ) {
    grown = false
    for (const [pid, parent] of parents) {
      if (mine.has(pid) || !mine.has(parent)) continue
      mine.add(pid)
      grown = true
    }
  }
  return mine
}
/** MiB of the workers and of everything that they started, shared pages counted in parts. */
export async function memoryOf(dir: string): Promise<number> {
  let kib = 0
  for (const pid of await processesOf(dir))
    kib += Number(/^Pss:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => ''))?.[1] ?? 0)
  return kib / 1024
}

/** MiB of a worker's process as it is before its first lab: Node with the same flags, and the simulation loaded. */
async function emptyProcess(dir: string): Promise<number> {
  const [name = ''] = await readdir(path.join(dir, 'workers'))
  const pid = await readFile(path.join(dir, 'workers', name, 'pid'), 'utf8')
  const flags = (await readFile(`/proc/${Number(pid)}/cmdline`, 'utf8')).split('\0').filter((word) => word.startsWith('--'))
  const script = `for (const door of ${JSON.stringify(['lib/sim/index.ts', 'lib/sim/sandbox/index.ts'].map((one) => path.join(root, one)))}) await import(door)
    console.log((await import('node:fs')).readFileSync('/proc/self/smaps_rollup', 'utf8'))`
  const { stdout } = await must(processes, { argv: [process.execPath, ...flags, '--input-type=module', '-e', script] })
  return Number(/^Pss:\s+(\d+)/m.exec(stdout)?.[1]) / 1024
}

/** Seconds of CPU time that the same have used, with what has ended under them. */
export async function busyOf(dir: string): Promise<number> {
  let ticks = 0
  for (const pid of await processesOf(dir)) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    for (const one of stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 15))
      ticks += Number(one)
  }
  return ticks / 100
}

/** Milliseconds from each key to its echo. */
async function echoes(line: Line, count: number): Promise<number[]> {
  const { until } = await sitDown(line)
  const times: number[] = []
  for (let index = 0; index < count; index++) {
    const from = performance.now()
    const key = letters[index % letters.length] as string
    line.write(key)
    await until(new RegExp(key))
    times.push(performance.now() - from)
    if (index % 26 === 25) {
      line.write('\u0015echo ne"x"t\r')
      await until(/next\r\n.*> $/)
    }
  }
  return times
}
export async function shellOf(cluster: Cluster): Promise<Line> {
  const shell = await cluster.shell('workstation', { id: 'bench', size: { cols: 80, rows: 24 } })
  let listener: (bytes: Uint8Array) => void = () => {}
  shell.onOutput((bytes) => listener(bytes))
  shell.onEnd(() => {})
  return {
    write: (text) => shell.write(Buffer.from(text)),
    onData: (next) => {
      listener = next
    },
  }
}

export const simBench: Bench = async (say) => {
  const { signal } = step
  const dir = await mkdtemp(path.join(tmpdir(), 'kubemend-bench-'))
  const figures: Figure[] = []
  const figure = (name: string, value: number, unit: string, baseline: number | null = null) =>
    figures.push({ name, value, unit, baseline, ratio: baseline === null ? null : value / baseline })
  const scenario = (await loadCatalogue(path.join(root, 'scenarios'))).bySlug(slug)
  if (!scenario) throw new LabError('not-found', `There is no scenario ${slug}.`)
  const kind = await kindBackend({ owner: 'bench', dataDir: dir, env: process.env })
  let plain: number | null = null
  if ((await kind.status()).state === 'ready') {
    say('kind create cluster, alone')
    plain = await plainKind(dir).catch((error: Error) => {
      say(`kind does not work here: ${error.message.split('\n')[0]}`)
      return null
    })
  } else say('kind is not ready here: nothing is set beside starting')
  const provider = simBackend({ dataDir: dir })
  const labs: Cluster[] = []
  try {
    const { state, message, remedy } = await provider.status()
    if (state !== 'ready') throw new LabError('backend-unavailable', message, remedy === undefined ? {} : { hint: remedy })
    say('the first lab of a process')
    const first = await timed(() => provider.create({ workers: 2 }, () => {}, signal))
    labs.push(first.value)
    figure('first lab of a process, created', first.seconds, 's', plain)
    const [whole, empty] = [await memoryOf(path.join(dir, 'sim')), await emptyProcess(path.join(dir, 'sim'))]
    figure('memory of the first lab with its process / the process alone', whole, 'MiB', empty)
    figure('memory of the first lab', whole - empty, 'MiB')

    const many = Number(process.env.KUBEMEND_BENCH_LABS ?? 8)
    say(`${Math.max(starts, many)} further labs`)
    const times: number[] = []
    const before = await memoryOf(path.join(dir, 'sim'))
    while (labs.length < Math.max(starts, many) + 1) {
      const made = await timed(() => provider.create({ workers: 2 }, () => {}, signal))
      times.push(made.seconds)
      labs.push(made.value)
    }
    figure('further lab, created, p50', quantile(times, 0.5), 's', plain)
    figure('further lab, created, p95', quantile(times, 0.95), 's', plain)
    figure('memory of a further lab', ((await memoryOf(path.join(dir, 'sim'))) - before) / times.length, 'MiB')

    const cluster = first.value
    say('kubectl beside kubectl without a cluster, in one shell')
    const { stdout } = await cluster.exec('workstation', ['bash', '-c', turns], { timeoutMs: 120_000 })
    const stamps = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ').map(Number) as [number, number, number])
    const bare = stamps.map(([from, between]) => (between - from) * 1000)
    const asked = stamps.map(([, between, until]) => (until - between) * 1000)
    figure('kubectl get pods -A / kubectl version --client, p50', quantile(asked, 0.5), 'ms', quantile(bare, 0.5))

    say('the fault, its solution, every check green, back to the baseline')
    await cluster.baseline(signal)
    const resolved = resolve(scenario, { seed: 'bench', nodes: cluster.nodes })
    const broken = await timed(() =>
      hurried(cluster, async () => {
        await prepare(cluster, resolved, step)
        await baselineOf(cluster, resolved, step)
        await inject(cluster, resolved, step)
        await confirm(cluster, resolved, step)
      }),
    )
    figure('start to confirmed symptom, from the pool', broken.seconds, 's', plain)
    const handover = await handOver(cluster, step)
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
    const script = scenario.parts.find((part) => part.kind === 'solution')?.script ?? ''
    await cluster.exec('workstation', ['bash', '-c', script], { env: resolved.env, timeoutMs: 300_000 })
    const repaired = await timed(() => green.promise)
    stop.abort()
    figure(
      'repair done to every check green / the longest hold',
      repaired.seconds,
      's',
      Math.max(...resolved.checks.map((one) => one.hold)),
    )
    const back = await timed(() => cluster.restore(signal, { home: true }))
    figure('baseline restored', back.seconds, 's', plain)

    say(`${many} labs, in each of which somebody types`)
    const pty = spawn('bash', ['--norc', '--noprofile'], { cols: 80, rows: 24, encoding: null })
    const alone = await echoes(
      { write: (text) => pty.write(text), onData: (next) => void pty.onData((data) => next(data as unknown as Uint8Array)) },
      keys,
    )
    pty.kill()
    const typed = await Promise.all(labs.slice(0, many).map(async (one) => echoes(await shellOf(one), keys)))
    figure(`echo of a key with ${many} labs typed into, p50 / a bare pty`, quantile(typed.flat(), 0.5), 'ms', quantile(alone, 0.5))
    figure(`echo of a key with ${many} labs typed into, p95 / a bare pty`, quantile(typed.flat(), 0.95), 'ms', quantile(alone, 0.95))
  } finally {
    for (const one of labs) await one.destroy().catch(() => {})
    provider.close()
    await rm(dir, { recursive: true, force: true, maxRetries: 5 })
  }
  return figures
}
