// One simulated cluster: machines, network, API, and the time that they share, as one thing that is created, used, saved and put back.
// Knows nothing of scenarios, grading or worker processes.
import { createHash } from 'node:crypto'
import { LabError } from '#lib/protocol/index.ts'
import type { ApiServer, Store } from './api/index.ts'
import { adaptBootImage, type BootImage, type Furniture, takeBootImage } from './bootimage.ts'
import type { SimClock } from './clock.ts'
import type { Client, KubeObject, User } from './kube.ts'
import type { Runtime } from './kubelet/index.ts'
import type { Machine, UnitState } from './machine.ts'
import { type ProbeResult, probe, type Target } from './network/index.ts'
import { markControlPlane, populate } from './node/boot.ts'
import { Front } from './node/front.ts'
import { type FileImage, hashImage, nothingSeen, putImage, putTree, type Seen, takeImage } from './node/image.ts'
import type { SimMachine } from './node/machine.ts'
import { controlPlaneUsers, labKeys, type NodeSpec, nodeTree, type Tree, workstationTree } from './node/template/files.ts'
import { type ControlPlane, kubeconfig, kubernetesVersion } from './node/template/manifests.ts'
import { clusterPki, type Issued, issue } from './pki.ts'
import type { ProcessHost, Spawned } from './process.ts'
import { moveSpare, type Spare, type Spares } from './spare.ts'
import { type SavedWorld, World } from './world.ts'

export interface LabSpec {
  /** kubemend-xxxxxx: the nodes’ names begin with it */
  id: string
  /** beside the one control plane, 0 to 4 */
  workers: number
  /** an empty or missing directory of the host that the lab may fill; its machines’ files live there */
  dir: string
  /** of everything that is random but secret in the lab */
  seed: number
}
export interface LabDeps {
  clock: SimClock
  processHost: ProcessHost
  /** one line for whoever runs the lab, not for the learner */
  log(line: string): void
  /** folders written ahead; without, a lab writes its own */
  spares?: Spares
}
export interface NodeInfo {
  /** control-plane, worker-1, worker-2 … */
  place: string
  /** what `kubectl get nodes` prints */
  name: string
  role: 'control-plane' | 'worker'
  address: string
}
export interface PodRef {
  namespace: string
  pod: string
  container?: string
}
/** A machine by place, or a container. */
export type Where = string | PodRef
export interface Size {
  cols: number
  rows: number
}
export interface ExecOptions {
  /** default: root on nodes and in containers, candidate on the workstation */
  user?: string
  cwd?: string
  env?: Readonly<Record<string, string>>
  stdin?: string | Uint8Array
  signal?: AbortSignal
  /** of the lab's time, default 60 000 */
  timeoutMs?: number
  onData?: (bytes: Uint8Array, stream: 'stdout' | 'stderr') => void
}
export interface ExecResult {
  exitCode: number
  stdout: string
  stderr: string
}
export interface SpawnOptions {
  argv: readonly string[]
  user?: string
  cwd?: string
  env?: Readonly<Record<string, string>>
  pty?: Size
}
/** JSON: everything of a lab but its secrets’ home, the host directory. Written beside the lab or kept in memory. */
export interface Snapshot {
  format: string
  id: string
  /** epoch ms of the lab's time when it was taken */
  at: number
  state: unknown
}
/** What a restore must bring back: a hash a part. */
export interface Fingerprint {
  hash: string
  parts: Record<string, string>
}
export interface Diagnostics {
  summary: string
  files: { name: string; text: string }[]
}

export class Lab {
  readonly id: string
  readonly nodes: readonly NodeInfo[]
  readonly kubernetesVersion = kubernetesVersion
  readonly clock: SimClock
  readonly #spec: LabSpec
  readonly #deps: LabDeps
  readonly #plan: Plan
  readonly #front: Front
  #secrets: Secrets
  #world: World
  #origin: (() => Snapshot) | undefined
  /** by place: of its files as they were looked at last */
  readonly #seen = new Map<string, Seen>()
  readonly #objects = new ObjectsHash()
  #closed = false

  private constructor(spec: LabSpec, deps: LabDeps, secrets: Secrets, front: Front, world: World) {
    this.id = spec.id
    this.clock = deps.clock
    this.#spec = spec
    this.#deps = deps
    this.#plan = planOf(spec)
    this.nodes = this.#plan.nodes
    this.#secrets = secrets
    this.#front = front
    this.#world = world
  }
  /** Boots a cluster in virtual time until every node and pod of it is Ready. @throws LabError cluster-create-failed */
  static async create(spec: LabSpec, deps: LabDeps): Promise<Lab> {
    const plan = planOf(spec)
    const { secrets, furniture } = furnish(plan, deps.clock.now())
    const front = new Front()
    const pattern = bootImages.get(spec.workers)
    let saved: SavedWorld | undefined
    let origin: (() => Snapshot) | undefined
    if (pattern) {
      const shape = adaptBootImage(pattern, spec.id, deps.clock.now(), furniture)
      const spare = await deps.spares?.take(pattern.files)
      if (!spare || !usedSpare(spare, spec.dir, shape, deps.log))
        for (const [place, image] of Object.entries(shape.files)) putImage(`${spec.dir}/${place}`, image)
      saved = shape.world
      const { workers, seed, id } = spec
      const state: State = { workers, seed, secrets, world: shape.world, files: shape.files }
      origin = again({ format, id, at: deps.clock.now(), state })
    } else for (const [place, tree] of Object.entries(furniture.trees)) putTree(`${spec.dir}/${place}`, tree)
    const world = new World({ ...worldOf(spec, deps, plan, front), saved })
    const lab = new Lab(spec, deps, secrets, front, world)
    lab.#origin = origin
    try {
      if (pattern) {
        await world.resume()
        const client = () => world.serving?.server.client({ name: 'kubernetes-super-admin', groups: ['system:masters'] })
        if (!(await deps.clock.skip(() => healthy(client(), plan.nodes.length), 60_000)))
          throw new Error('it was not ready after 60 s of its time')
        deps.spares?.fill(pattern.files)
        return lab
      }
      await boot(lab, world, plan, secrets)
      const image = takeBootImage(spec.id, plan.nodes, deps.clock.now(), { world: world.save(), files: lab.#images() }, furniture)
      bootImages.set(spec.workers, image)
      deps.spares?.fill(image.files)
      return lab
    } catch (error) {
      // Whatever is wrong with the pattern, the next lab is not to inherit it.
      if (pattern) {
        bootImages.delete(spec.workers)
        deps.spares?.forget(pattern.files)
      }
      const { summary, files } = lab.diagnostics()
      for (const file of files) deps.log(`${file.name}\n${file.text}`)
      await lab.close()
      if (error instanceof LabError) throw error
      throw new LabError('cluster-create-failed', `The simulated cluster did not come up: ${(error as Error).message}`, {
        hint: summary,
        cause: error,
      })
    }
  }
  /** whether `create` would begin where another lab of so many workers was when it had booted: then it takes none of the lab's time */
  static booted(workers: number): boolean {
    return bootImages.has(workers)
  }
  /** As it was when the snapshot was taken, in `dir`, whose files are put back. @throws LabError internal for a snapshot of another format */
  static async load(snapshot: Snapshot, dir: string, deps: LabDeps): Promise<Lab> {
    const state = stateOf(snapshot)
    const spec: LabSpec = { id: snapshot.id, workers: state.workers, dir, seed: state.seed }
    const plan = planOf(spec)
    for (const [place, image] of Object.entries(state.files)) putImage(`${dir}/${place}`, image)
    const front = new Front()
    const world = new World({ ...worldOf(spec, deps, plan, front), seed: state.seed + deps.clock.now(), saved: state.world })
    const lab = new Lab(spec, deps, state.secrets, front, world)
    await world.resume()
    return lab
  }
  get machines(): ReadonlyMap<string, Machine> {
    return this.#world.machines
  }
  get workstation(): Machine {
    return this.#world.machines.get('workstation') as Machine
  }
  /** the API server that runs now, undefined while none does; for whoever is in this process */
  api(): ApiServer | undefined {
    return this.#world.serving?.server
  }
  /** HTTPS on the host’s loopback for whoever is outside of the lab; nobody listens there while the API server does not run */
  get address(): { host: string; port: number } {
    return { host: '127.0.0.1', port: this.#front.port }
  }
  /** cluster-admin by a certificate of its own that nobody in the lab has, through `address` */
  graderKubeconfig(): string {
    return kubeconfig({
      cluster: this.id,
      server: `https://127.0.0.1:${this.#front.port}`,
      ca: this.#secrets.ca,
      user: 'kubemend-grader',
      client: this.#secrets.grader,
    })
  }
  #machine(where: string): SimMachine {
    const machine = this.#world.machines.get(where) ?? [...this.#world.machines.values()].find((one) => one.name === where)
    if (!machine)
      throw new LabError('not-found', `Lab ${this.id} has no ${where}.`, { hint: `It has ${[...this.#world.machines.keys()].join(', ')}.` })
    return machine
  }
  /** runs to the end; 124 and a line on stderr after `timeoutMs`. @throws LabError not-found for an unknown place */
  async exec(where: Where, argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const out: Buffer[] = []
    const err: Buffer[] = []
    const take = (bytes: Uint8Array, stream: 'stdout' | 'stderr') => {
      ;(stream === 'stdout' ? out : err).push(Buffer.from(bytes))
      options.onData?.(bytes, stream)
    }
    const done = (exitCode: number): ExecResult => ({
      exitCode,
      stdout: Buffer.concat(out).toString('utf8'),
      stderr: Buffer.concat(err).toString('utf8'),
    })
    const timeout = options.timeoutMs ?? 60_000
    const late = () => take(Buffer.from(`Timed out after ${Math.round(timeout / 1000)} s.\n`), 'stderr')
    if (typeof where !== 'string') {
      const abort = new AbortController()
      const timer = this.clock.after(timeout, () => abort.abort())
      options.signal?.addEventListener('abort', () => abort.abort(), { once: true })
      try {
        const code = await this.#inPod(where, argv, options.stdin, take, abort.signal)
        if (abort.signal.aborted && !options.signal?.aborted) late()
        return done(abort.signal.aborted ? 124 : code)
      } finally {
        timer.cancel()
      }
    }
    const machine = this.#machine(where)
    const process = await this.#world.spawn(machine, {
      argv,
      user: options.user ?? (machine.place === 'workstation' ? 'candidate' : 'root'),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: options.env }),
    })
    return await new Promise<ExecResult>((resolve) => {
      let over: number | undefined
      const end = (code: number) => {
        over = code
        process.kill('SIGKILL')
      }
      const timer = this.clock.after(timeout, () => {
        late()
        end(124)
      })
      const cancel = () => end(130)
      if (options.signal?.aborted) cancel()
      options.signal?.addEventListener('abort', cancel, { once: true })
      process.onData(take)
      process.onExit((code) => {
        timer.cancel()
        options.signal?.removeEventListener('abort', cancel)
        resolve(done(over ?? code))
      })
      if (options.stdin !== undefined) process.write(Buffer.from(options.stdin))
      process.endInput()
    })
  }
  async #inPod(
    where: PodRef,
    argv: readonly string[],
    stdin: string | Uint8Array | undefined,
    take: (bytes: Uint8Array, stream: 'stdout' | 'stderr') => void,
    signal: AbortSignal,
  ): Promise<number> {
    const { runtime, container } = this.#container(where)
    const bytes = (data: Uint8Array | string) => (typeof data === 'string' ? Buffer.from(data) : data)
    return runtime.exec(
      container,
      { command: argv, stdin: stdin !== undefined, stdout: true, stderr: true, tty: false },
      {
        stdin: (async function* () {
          if (stdin !== undefined) yield Buffer.from(stdin)
        })(),
        stdout: (data) => take(bytes(data), 'stdout'),
        stderr: (data) => take(bytes(data), 'stderr'),
        onResize: () => {},
        signal,
      },
    )
  }
  /** the newest sandbox of a pod and a running container in it. @throws LabError not-found */
  #container(where: PodRef): { runtime: Runtime; container: string } {
    for (const runtime of this.#world.runtimes.values()) {
      const boxes = runtime
        .sandboxes()
        .filter((box) => box.config.namespace === where.namespace && box.config.name === where.pod && box.ready)
      for (const box of boxes) {
        const container = runtime
          .containers()
          .find(
            (one) =>
              one.sandboxId === box.id && one.state === 'running' && (where.container === undefined || one.config.name === where.container),
          )
        if (container) return { runtime, container: container.id }
      }
    }
    throw new LabError(
      'not-found',
      `No container${where.container ? ` ${where.container}` : ''} of pod ${where.namespace}/${where.pod} runs.`,
    )
  }
  /** a process that goes on by itself, for shells */
  async spawn(where: Where, request: SpawnOptions): Promise<Spawned> {
    if (typeof where !== 'string')
      throw new LabError('bad-request', 'A shell in a pod is opened with kubectl exec.', { hint: 'Start one on the workstation.' })
    const machine = this.#machine(where)
    return this.#world.spawn(machine, { ...request, user: request.user ?? 'candidate' })
  }
  /** seen from a machine or a pod with the lab’s own eyes, not with tools that a learner can change */
  async probe(from: Where, target: Target): Promise<ProbeResult> {
    const machine = typeof from === 'string' ? this.#machine(from) : undefined
    if (machine) return probe(this.#world.network, machine.net, machine.files.text('/etc/resolv.conf') ?? '', target)
    const ref = from as PodRef
    for (const runtime of this.#world.runtimes.values()) {
      const box = runtime.sandboxes().find((one) => one.config.namespace === ref.namespace && one.config.name === ref.pod && one.ready)
      if (!box) continue
      const net = box.config.hostNetwork ? runtime.machine.net : runtime.netns(box.id)
      if (net) return probe(this.#world.network, net, box.config.resolvConf, target)
    }
    throw new LabError('not-found', `Pod ${ref.namespace}/${ref.pod} has no network to look from.`)
  }
  unit(place: string, name: string): UnitState {
    return this.#machine(place).units.state(name)
  }
  #seenOf(place: string): Seen {
    const seen = this.#seen.get(place) ?? nothingSeen()
    this.#seen.set(place, seen)
    return seen
  }
  #image(place: string): FileImage {
    return takeImage(`${this.#spec.dir}/${place}`, this.#seenOf(place))
  }
  #images(): Record<string, FileImage> {
    return Object.fromEntries([...this.#world.machines.keys()].map((place) => [place, this.#image(place)]))
  }
  /** What `create` began with, for a lab that is to be written down before anything was done in it; told once, and not of one that has booted itself. */
  origin(): Snapshot | undefined {
    const origin = this.#origin
    this.#origin = undefined
    return origin?.()
  }
  async snapshot(): Promise<Snapshot> {
    const state: State = {
      workers: this.#spec.workers,
      seed: this.#spec.seed,
      secrets: this.#secrets,
      world: this.#world.save(),
      files: this.#images(),
    }
    return { format, id: this.id, at: this.clock.now(), state }
  }
  /**
   * The same snapshot again and again, for restores that are to read and to parse nothing: what is frozen and what has not changed since is the lab's own,
   * so that it takes little room.
   */
  keep(snapshot: Snapshot): () => Snapshot {
    return again(snapshot)
  }
  /** Ends what runs and puts everything back; open shells end. `home`: the learner's home too, default false */
  async restore(snapshot: Snapshot, options: { home?: boolean } = {}): Promise<void> {
    const state = stateOf(snapshot)
    this.#front.hold()
    try {
      await this.#world.close()
      for (const [place, image] of Object.entries(state.files))
        putImage(
          `${this.#spec.dir}/${place}`,
          image,
          place === 'workstation' && !options.home ? ['/home/candidate'] : [],
          this.#seenOf(place),
        )
      this.#secrets = state.secrets
      this.#world = new World({
        ...worldOf(this.#spec, this.#deps, this.#plan, this.#front),
        seed: state.seed + this.clock.now(),
        saved: state.world,
      })
      await this.#world.resume()
    } finally {
      this.#front.release()
    }
  }
  /** of what a restore must bring back: objects, node files, units; not of times, logs, leases and what a pod's life writes */
  fingerprint(): Fingerprint {
    const parts: Record<string, string> = {}
    parts.objects = this.#objects.of(this.#world.members.stores())
    for (const [place, machine] of this.#world.machines) {
      parts[`files of ${place}`] = hashImage(this.#image(place), (path) => volatile.some((one) => one.test(path)))
      if (place === 'workstation') continue
      const units = [...machine.units.states()].map(([name, { load, active, enabled }]) => `${name} ${load} ${active} ${enabled}`)
      parts[`units of ${place}`] = createHash('sha256').update(units.join('\n')).digest('hex').slice(0, 16)
    }
    return { hash: createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32), parts }
  }
  /** Named texts for people and error reports; no secrets */
  diagnostics(): Diagnostics {
    const files: Diagnostics['files'] = []
    const lines: string[] = []
    try {
      const client = this.api()?.client({ name: 'kubemend-grader', groups: ['system:masters'] })
      if (!client) lines.push('The API server does not run.')
      else {
        for (const node of client.list('v1/nodes').items) {
          const ready = node.status?.conditions?.find((one: { type: string }) => one.type === 'Ready')
          lines.push(`${node.metadata.name}: Ready=${ready?.status ?? 'unknown'} ${ready?.message ?? ''}`)
        }
        const pods = client.list('v1/pods').items.map((pod) => {
          const states = (pod.status?.containerStatuses ?? []).map(
            (one: KubeObject) => `${one.name} ready=${one.ready} restarts=${one.restartCount} ${JSON.stringify(one.state)}`,
          )
          return `${pod.metadata.namespace}/${pod.metadata.name} ${pod.status?.phase} on ${pod.spec.nodeName ?? 'no node'} ${states.join('; ')}`
        })
        files.push({ name: 'pods.txt', text: `${pods.join('\n')}\n` })
        const unready = pods.filter((line) => !/Running .*ready=true/.test(line))
        if (unready.length > 0) lines.push(...unready.slice(0, 12))
        const events = client
          .list('v1/events')
          .items.slice(-80)
          .map(
            (event) =>
              `${event.lastTimestamp ?? event.eventTime} ${event.type} ${event.reason} ${event.involvedObject?.kind}/${event.involvedObject?.name}: ${event.message}`,
          )
        files.push({ name: 'events.txt', text: `${events.join('\n')}\n` })
      }
    } catch (error) {
      lines.push((error as Error).message)
    }
    for (const [place, machine] of this.#world.machines) {
      if (place === 'workstation') continue
      const entries = machine.journal.entries().slice(-120)
      files.push({
        name: `journal-${place}.txt`,
        text: `${entries.map((one) => `${new Date(one.at).toISOString()} ${one.identifier}[${one.pid}]: ${one.message}`).join('\n')}\n`,
      })
      for (const log of machine.files
        .list('/var/log/containers')
        .filter((name) => /kube-system|kube-flannel/.test(name))
        .slice(0, 12)) {
        const text = machine.files.text(`/var/log/containers/${log}`)
        if (text) files.push({ name: `${place}-${log}`, text: text.split('\n').slice(-40).join('\n') })
      }
    }
    return { summary: lines.join('\n'), files }
  }
  /** Ends everything, leaves the directory. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#world.close()
    await this.#front.close()
  }
}

// ---- what a lab is made from

const format = 'kubemend-sim/1'
interface Secrets {
  /** PEM of the cluster's authority, as it was made */
  ca: string
  grader: Issued
}
interface State {
  workers: number
  seed: number
  secrets: Secrets
  world: SavedWorld
  files: Record<string, FileImage>
}
function stateOf(snapshot: Snapshot): State {
  if (snapshot.format !== format)
    throw new LabError('internal', `A snapshot of format ${snapshot.format} cannot be loaded; this is ${format}.`, {
      hint: 'Start a new lab.',
    })
  return snapshot.state as State
}
/** What runs may change what it was given, but for objects and files: those are frozen or only read. */
function again(snapshot: Snapshot): () => Snapshot {
  const { world, ...state } = stateOf(snapshot)
  const { etcd, ...rest } = world
  const { format, id, at } = snapshot
  const given = JSON.stringify(rest)
  return () => ({
    format,
    id,
    at,
    state: { ...state, world: { etcd, ...(JSON.parse(given) as Omit<SavedWorld, 'etcd'>) } } satisfies State,
  })
}
interface Plan {
  cluster: ControlPlane
  nodes: readonly NodeSpec[]
  workstation: { name: string; address: string }
}
/** Names as kind gives them; addresses are the same in every lab. */
function planOf(spec: LabSpec): Plan {
  const control: NodeSpec = { place: 'control-plane', name: `${spec.id}-control-plane`, address: '172.18.0.3', role: 'control-plane' }
  const workers = Array.from(
    { length: spec.workers },
    (_, at): NodeSpec => ({
      place: `worker-${at + 1}`,
      name: `${spec.id}-worker${at === 0 ? '' : at + 1}`,
      address: `172.18.0.${at + 4}`,
      role: 'worker',
    }),
  )
  return {
    cluster: { id: spec.id, name: control.name, address: control.address, podSubnet: '10.244.0.0/16', serviceSubnet: '10.96.0.0/16' },
    nodes: [control, ...workers],
    workstation: { name: 'workstation', address: '172.18.0.2' },
  }
}
const worldOf = (spec: LabSpec, deps: LabDeps, plan: Plan, front: Front) => ({
  ...{ id: spec.id, dir: spec.dir, seed: spec.seed, front },
  ...plan,
  ...deps,
})

/** Keys, certificates and files of every machine of a new lab. */
function furnish(plan: Plan, now: number): { secrets: Secrets; furniture: Furniture } {
  const { cluster, nodes } = plan
  const pki = clusterPki({ name: cluster.name, address: cluster.address, serviceIp: '10.96.0.1', names: ['localhost', '127.0.0.1'], now })
  const keys = labKeys(nodes)
  const client = (commonName: string, organizations: readonly string[]) =>
    issue({ subject: { commonName, organizations }, usages: ['clientAuth'], now, issuer: pki.ca })
  const trees: Record<string, Tree> = {}
  for (const node of nodes) {
    const at = Math.floor(now / 1000)
    const own = issue({ subject: { commonName: `${node.name}-ca@${at}` }, ca: true, now })
    const serving = issue({ subject: { commonName: `${node.name}@${at}` }, usages: ['serverAuth'], names: [node.name], now, issuer: own })
    trees[node.place] = nodeTree(
      cluster,
      node,
      pki,
      { kubelet: client(`system:node:${node.name}`, ['system:nodes']), serving: { cert: serving.cert + own.cert, key: serving.key } },
      keys,
      now,
    )
  }
  const ca = pki.files['ca.crt'] as string
  const control = trees['control-plane'] as Tree
  let admin = ''
  for (const [file, of] of Object.entries(controlPlaneUsers)) {
    const text = kubeconfig({
      cluster: cluster.id,
      server: of.local ? `https://${cluster.address}:6443` : `https://${cluster.name}:6443`,
      ca,
      user: of.user,
      client: client(of.commonName, of.organizations),
    })
    control[`/etc/kubernetes/${file}`] = { text, mode: 0o600 }
    if (file === 'admin.conf') admin = text
  }
  trees.workstation = workstationTree(nodes, plan.workstation.address, admin, keys)
  // Ten years, and good before the lab's time began: the grader's clock is the host's.
  const grader = issue({
    subject: { commonName: 'kubemend-grader', organizations: ['system:masters'] },
    usages: ['clientAuth'],
    now,
    notBefore: now - 86_400_000,
    lifetime: 3650 * 86_400_000,
    issuer: pki.ca,
  })
  return {
    secrets: { ca, grader },
    furniture: {
      trees,
      authorities: { ca, front: pki.files['front-proxy-ca.crt'] as string },
      accountKey: pki.files['sa.key'] as string,
    },
  }
}

/** false: it did not work, and the files are to be put in the ordinary way, over what there is */
function usedSpare(spare: Spare, dir: string, shape: ReturnType<typeof adaptBootImage>, log: (line: string) => void): boolean {
  try {
    moveSpare(spare, dir, shape.files, shape.renamed)
    return true
  } catch (error) {
    log(`a folder that was written ahead could not be used: ${(error as Error).message}`)
    return false
  }
}

/** by number of workers: the first lab of a kind boots, further ones begin where it was */
const bootImages = new Map<number, BootImage>()

/** kubeadm init, kubeadm join, and waiting until all is well, in the lab's virtual time. */
async function boot(lab: Lab, world: World, plan: Plan, secrets: Secrets): Promise<void> {
  const { clock } = world
  const root: User = { name: 'kubernetes-super-admin', groups: ['system:masters'] }
  const until = async (what: string, ms: number, holds: () => boolean) => {
    if (!(await clock.skip(holds, ms))) throw new Error(`${what} did not happen within ${ms / 1000} s of the lab's time`)
  }
  await world.boot('control-plane')
  await until('the start of the API server', 60_000, () => world.serving !== undefined)
  await world.front.ready()
  const client = () => (lab.api() as ApiServer).client(root)
  populate(client(), plan.cluster, secrets.ca, clock.now())
  const control = plan.cluster.name
  await until('the registration of the control plane', 60_000, () => client().find('v1/nodes', control) !== undefined)
  markControlPlane(client(), control)
  // kubeadm init ends with it, so that the kubelet uses its rotated certificate (kubelet-finalize).
  await (world.machines.get('control-plane') as Machine).units.restart('kubelet')
  // kind lets workers join when the control plane is up: what the add-ons put on it is there by then.
  await clock.skip(
    () =>
      client()
        .list('v1/pods')
        .items.some((pod) => pod.metadata.labels?.['k8s-app'] === 'kube-dns' && pod.spec.nodeName),
    15_000,
  )
  for (const node of plan.nodes) if (node.role === 'worker') await world.boot(node.place)
  await until('readiness of all nodes and pods', 300_000, () => healthy(client(), plan.nodes.length))
}
function healthy(client: Client | undefined, nodes: number): boolean {
  if (!client) return false
  const is = (object: KubeObject, type: string) =>
    object.status?.conditions?.some((one: KubeObject) => one.type === type && one.status === 'True')
  const listed = client.list('v1/nodes').items
  if (
    listed.length !== nodes ||
    !listed.every(
      (node) =>
        is(node, 'Ready') && node.spec.podCIDR && !node.spec.taints?.some((one: KubeObject) => one.key.startsWith('node.kubernetes.io/')),
    )
  )
    return false
  const pods = client.list('v1/pods').items
  if (pods.length < 6 || !pods.every((pod) => is(pod, 'Ready'))) return false
  const sets = client.list('apps/v1/daemonsets').items
  const deployments = client.list('apps/v1/deployments').items
  return (
    sets.every((set) => set.status?.numberAvailable === nodes) &&
    deployments.every((one) => one.status?.availableReplicas === one.spec.replicas)
  )
}

const volatile: readonly RegExp[] = [
  /^\/(run|tmp|var\/tmp|var\/log|var\/lib\/containerd|var\/lib\/cni|var\/lib\/kubelet\/(pods|device-plugins|plugins|checkpoints))(\/|$)/,
  /^\/var\/lib\/kubelet\/[a-z_]+_state$/,
  /^\/home\/candidate(\/|$)/,
  /^\/root\/\./,
]
/** Objects without what time alone changes, by one hash. What has been hashed before is hashed again only when one of them says something else. */
class ObjectsHash {
  #last: { objects: readonly KubeObject[]; hash: string } | undefined

  of(stores: Iterable<Store>): string {
    const objects: KubeObject[] = []
    for (const store of stores) {
      const dump = store.dump()
      for (const bucket of Object.keys(dump.objects).sort())
        if (!/^(events|leases)(\.|$)/.test(bucket)) objects.push(...(dump.objects[bucket] ?? []))
    }
    const last = this.#last
    // Stored objects are frozen: the same one says the same.
    const same =
      last?.objects.length === objects.length &&
      objects.every((object, at) => object === last.objects[at] || lasting(object) === lasting(last.objects[at] as KubeObject))
    if (last && same) return last.hash
    const hash = createHash('sha256')
    for (const object of objects) hash.update(lasting(object))
    this.#last = { objects, hash: hash.digest('hex').slice(0, 16) }
    return this.#last.hash
  }
}
function lasting(object: KubeObject): string {
  const { status: _status, metadata, ...rest } = object
  const { resourceVersion: _version, managedFields: _fields, generation: _generation, ...kept } = metadata
  return JSON.stringify({ metadata: kept, ...rest })
}
