// A worker whose labs are fake clusters, so that processes, protocol, shells and snapshots are tested without a simulation and without
// sandboxes. Its commands: `end-the-worker` dies as a crash would.
import { createHash } from 'node:crypto'
import { cp, mkdir, readdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
// Of the simulation only its clock and its machines' files, so that nothing else of it is loaded.
import { SimClock } from '#lib/sim/clock.ts'
import type { Fingerprint, LabDeps, LabSpec, Snapshot, Spawned } from '#lib/sim/index.ts'
import { filesBelow } from '#lib/sim/node/files.ts'
import { FakeCluster } from '../fake/index.ts'
import { normalised } from '../fake/objects.ts'
import { localPty } from '../fake/shell.ts'
import { empty } from '../fake/tree.ts'
import type { Where } from '../port.ts'
import type { LabMaker, WorkerLab } from './worker/lab.ts'
import { runWorker } from './worker/run.ts'

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')
interface State {
  workers: number
  objects: ReturnType<FakeCluster['objects']['dump']>
  kept: string
}

class FixtureLab implements Omit<WorkerLab, 'machines'> {
  readonly id: string
  readonly kubernetesVersion = 'v1.35.4'
  readonly nodes: WorkerLab['nodes']
  readonly machines: WorkerLab['machines']
  readonly #fake: FakeCluster
  readonly #deps: LabDeps
  readonly #workers: number

  constructor(fake: FakeCluster, workers: number, deps: LabDeps) {
    this.#fake = fake
    this.#deps = deps
    this.#workers = workers
    this.id = fake.id
    this.nodes = fake.nodes as WorkerLab['nodes']
    this.machines = new Map(
      this.#places.map((place) => [place, { files: filesBelow(join(fake.dir, place)) }]),
    ) as unknown as WorkerLab['machines']
  }
  get #places(): string[] {
    return ['workstation', ...this.#fake.nodes.map((node) => node.place)]
  }
  graderKubeconfig(): string {
    return this.#fake.kubeconfig
  }
  async exec(where: Where, argv: readonly string[], options: Parameters<WorkerLab['exec']>[2] = {}) {
    if (argv[0] === 'end-the-worker') process.exit(3)
    const { onData, timeoutMs: _, ...rest } = options
    return this.#fake.exec(where, argv, { ...rest, onLine: (line, stream) => onData?.(Buffer.from(`${line}\n`), stream) })
  }
  async spawn(where: Where, request: Parameters<WorkerLab['spawn']>[1]): Promise<Spawned> {
    const root = join(this.#fake.dir, where as string)
    const home = join(root, 'home/candidate')
    const env = { PATH: process.env.PATH ?? '', HOME: home, ROOT: root, LANG: 'C.UTF-8', PS1: `candidate@${where}:\\w$ ` }
    return localPty(['bash', '--norc', '--noprofile'], home, env, request.pty ?? { cols: 80, rows: 24 }) as unknown as Spawned
  }
  probe(from: Where, target: Parameters<WorkerLab['probe']>[1]) {
    return this.#fake.probe(from as never, target) as ReturnType<WorkerLab['probe']>
  }
  unit(): ReturnType<WorkerLab['unit']> {
    throw new Error('The fixture has no units.')
  }
  async snapshot(): Promise<Snapshot> {
    const kept = join(this.#fake.dir, '..', `kept-${this.#deps.clock.now()}-${performance.now()}`)
    for (const name of ['net', ...this.#places])
      await cp(join(this.#fake.dir, name), join(kept, name), { recursive: true, verbatimSymlinks: true })
    const state: State = { workers: this.#workers, objects: this.#fake.objects.dump(), kept }
    return { format: 'fixture', id: this.id, at: this.#deps.clock.now(), state }
  }
  async restore({ state }: Snapshot, { home = false }: { home?: boolean } = {}): Promise<void> {
    const { kept, objects } = state as State
    for (const name of ['net', ...this.#places]) {
      const keep = name === 'workstation' && !home ? ['home'] : []
      await empty(join(this.#fake.dir, name), keep)
      await cp(join(kept, name), join(this.#fake.dir, name), {
        recursive: true,
        verbatimSymlinks: true,
        filter: (source) => !keep.some((one) => source === join(kept, name, one)),
      })
    }
    this.#fake.objects.load(objects)
  }
  fingerprint(): Fingerprint {
    // Also of files: those that the contract changes.
    const parts: Record<string, string> = {
      objects: hashOf(
        this.#fake.objects
          .dump()
          .map((row) => normalised(row.object))
          .sort()
          .join('\n'),
      ),
    }
    for (const place of ['worker-1', 'worker-2'])
      parts[`files ${place}`] = this.machines.get(place)?.files.text('/etc/contract-before') ?? 'none'
    return { hash: hashOf(JSON.stringify(parts)), parts }
  }
  diagnostics() {
    return { summary: this.id, files: [] }
  }
  close(): Promise<void> {
    return this.#fake.destroy()
  }
}

const maker: LabMaker = {
  async create(spec: LabSpec, deps: LabDeps) {
    const dir = join(spec.dir, spec.id)
    await mkdir(dir, { recursive: true })
    const fake = await new FakeCluster(dir, spec.id, { workers: spec.workers }, {} as never).start()
    return new FixtureLab(fake, spec.workers, deps)
  },
  async load({ id, ...snapshot }: Snapshot, dir: string, deps: LabDeps) {
    const { workers, objects } = snapshot.state as State
    await mkdir(join(dir, id), { recursive: true })
    const fake = await new FakeCluster(join(dir, id), id, { workers }, {} as never).start()
    const lab = new FixtureLab(fake, workers, deps)
    await lab.restore({ id, ...snapshot, state: { ...(snapshot.state as State), objects } }, { home: true })
    for (const name of await readdir(dir))
      if (name !== id && basename((snapshot.state as State).kept) !== name) await rm(join(dir, name), { recursive: true })
    return lab
  },
}

await runWorker({
  maker: () => maker,
  newClock: (options) => new SimClock(options),
  processHost: () => ({ missing: async () => null, open: () => Promise.reject(new Error('The fixture has no sandboxes.')) }),
  lonelyMs: { labs: 1500, empty: 500 },
})
