// The fake backend, for tests of the app itself and never offered to users: machines are directories, commands and shells are local
// processes in them, the API is an in-memory store. It isolates nothing and runs no controllers: nothing that happens here says anything
// about Kubernetes. Layout of one cluster's directory: <place>/ (a machine's root), net/dns, net/ports, net/units/<place>/<unit>,
// logs/<namespace>/<pod>, baseline/.
//   net/dns    lines `name address…`; a name without an address answers no-data, `name !servfail` fails
//   net/ports  lines `host:port localPort` (forwarded to 127.0.0.1) or `host:port refused|timeout|unreachable`; what is not listed is refused
//   net/units  one line `load active sub enabled pid`
// Commands and shells find ROOT (their machine's root), FAKE_NET (net/), KUBECONFIG and HOME in their environment.
import { createHash, randomBytes } from 'node:crypto'
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { processes, type Runner } from '#lib/exec/index.ts'
import { LabError } from '#lib/protocol/index.ts'
import { HeldShell } from '../held.ts'
import type {
  Capability,
  Cluster,
  ClusterProvider,
  ClusterSpec,
  Diagnostics,
  ExecOptions,
  ExecResult,
  Fingerprint,
  Health,
  NodeInfo,
  ProbeResult,
  Progress,
  Shell,
  ShellRequest,
  Target,
  Vantage,
  Where,
} from '../port.ts'
import { FakeApi } from './api.ts'
import { normalised, Objects } from './objects.ts'
import { localPty } from './shell.ts'
import { empty, hashTree, inRoot, list, read, write } from './tree.ts'

export interface FakeOptions {
  /** directory that holds the clusters; made when it is not there */
  dir: string
  runner?: Runner
  now?: () => Date
  /** most clusters at a time, default 20 */
  limit?: number
}
const capabilities: ReadonlySet<Capability> = new Set([
  'node-exec',
  'node-files',
  'control-plane-faults',
  'probe',
  'restore',
  'workstation',
])
const version = 'v1.35.4'
const home = 'home/candidate'
const shellLimit = 32
/** Every fake cluster of this process by its directory, so that a second provider on the same directory can adopt it with its shells. */
const living = new Map<string, FakeCluster>()

const gone = () => new LabError('docker-unavailable', 'The fake backend has been told to be away.', { hint: 'Call comeBack().' })
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')

export class FakeCluster implements Cluster {
  readonly backend = 'fake'
  readonly kubernetesVersion = version
  readonly can = capabilities
  readonly id: string
  readonly nodes: readonly NodeInfo[]
  /** its directory, for tests that look behind the curtain */
  readonly dir: string
  kubeconfig = ''
  readonly objects: Objects
  private readonly token = randomBytes(16).toString('hex')
  private readonly api: FakeApi
  private readonly runner: Runner
  private readonly shells = new Map<string, HeldShell>()
  private kept: ReturnType<Objects['dump']> | undefined
  private destroyed = false
  private asleep = false

  constructor(dir: string, id: string, spec: ClusterSpec, options: FakeOptions) {
    this.dir = dir
    this.id = id
    this.runner = options.runner ?? processes
    this.objects = new Objects(options.now ?? (() => new Date()))
    this.nodes = Array.from({ length: spec.workers + 1 }, (_, index) => ({
      place: index === 0 ? 'control-plane' : `worker-${index}`,
      name: index === 0 ? `${id}-control-plane` : `${id}-worker${index === 1 ? '' : index}`,
      role: index === 0 ? 'control-plane' : 'worker',
      address: '127.0.0.1',
    }))
    this.api = new FakeApi({
      objects: this.objects,
      token: this.token,
      version,
      log: (namespace, pod) => readFile(join(dir, 'logs', namespace, pod), 'utf8').catch(() => undefined),
    })
  }
  /** Makes directories, objects and the API. */
  async start(): Promise<this> {
    for (const place of ['workstation', ...this.nodes.map((node) => node.place)]) {
      for (const path of ['etc/kubernetes/manifests', 'etc/cni/net.d', 'root', `${home}/.kube`, 'tmp', 'var/lib/kubelet'])
        await mkdir(join(this.dir, place, path), { recursive: true })
      await writeFile(join(this.dir, place, 'etc/hostname'), `${this.nodes.find((node) => node.place === place)?.name ?? place}\n`)
    }
    await mkdir(join(this.dir, 'net'), { recursive: true })
    const port = await this.api.listen()
    this.kubeconfig = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'fake',
      clusters: [{ name: 'fake', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'fake', user: { token: this.token } }],
      contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'fake' } }],
    })
    await writeFile(join(this.dir, 'workstation', home, '.kube/config'), this.kubeconfig, { mode: 0o600 })
    await writeFile(
      join(this.dir, 'net/ports'),
      this.nodes.map((node) => `${node.name}:6443 ${node.role === 'control-plane' ? port : 'refused'}\n`).join(''),
    )
    await writeFile(join(this.dir, 'net/dns'), this.nodes.map((node) => `${node.name} ${node.address}\n`).join(''))
    for (const name of ['default', 'kube-system', 'kube-public'])
      this.objects.put({ collection: '/v1/namespaces', namespace: '', name }, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
    for (const node of this.nodes) {
      await mkdir(join(this.dir, 'net/units', node.place), { recursive: true })
      for (const unit of ['kubelet.service', 'containerd.service'])
        await writeFile(join(this.dir, 'net/units', node.place, unit), 'loaded active running enabled 100\n')
      this.objects.put(
        { collection: '/v1/nodes', namespace: '', name: node.name },
        {
          apiVersion: 'v1',
          kind: 'Node',
          metadata: { name: node.name, labels: { 'kubernetes.io/hostname': node.name, [`node-role.kubernetes.io/${node.role}`]: '' } },
          spec: {},
          status: {
            conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }],
            addresses: [{ type: 'InternalIP', address: node.address }],
          },
        },
      )
    }
    living.set(this.dir, this)
    return this
  }

  private root(place: string): string {
    if (this.destroyed) throw new LabError('not-found', `Cluster ${this.id} has been destroyed.`)
    if (this.api.away) throw gone()
    if (this.asleep) throw new LabError('backend-unavailable', `Cluster ${this.id} is suspended.`)
    if (place !== 'workstation' && !this.nodes.some((node) => node.place === place))
      throw new LabError('not-found', `Cluster ${this.id} has no ${place}.`)
    return join(this.dir, place)
  }
  private environment(root: string, user: string): Record<string, string> {
    const at = user === 'root' ? join(root, 'root') : join(root, home)
    return {
      PATH: process.env.PATH ?? '/usr/bin:/bin',
      LANG: 'C.UTF-8',
      TERM: 'xterm-256color',
      HOME: at,
      USER: user,
      ROOT: root,
      FAKE_NET: join(this.dir, 'net'),
      KUBECONFIG: join(this.dir, 'workstation', home, '.kube/config'),
    }
  }
  async exec(where: Where, argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    let root: string
    if (typeof where === 'string') root = this.root(where)
    else {
      root = join(this.root('workstation'), 'tmp')
      if (!this.objects.get({ collection: '/v1/pods', namespace: where.namespace, name: where.pod }))
        throw new LabError('not-found', `Pod ${where.namespace}/${where.pod} does not exist.`)
    }
    const user = options.user ?? (where === 'workstation' ? 'candidate' : 'root')
    const env = this.environment(root, user)
    const { stdin, signal, timeoutMs = 60_000, onLine } = options
    const none: Record<string, undefined> = Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined]))
    const cwd = typeof where === 'string' ? await inRoot(root, options.cwd ?? env.HOME!.slice(root.length)) : root
    return this.runner.run({ argv, cwd, env: { ...none, ...env, ...options.env }, stdin, signal, timeoutMs, onLine })
  }

  async shell(where: string, request: ShellRequest): Promise<Shell> {
    const root = this.root(where)
    if (!/^[a-z0-9-]{1,64}$/.test(request.id))
      throw new LabError('bad-request', `"${request.id}" cannot name a shell: lower-case letters, digits and dashes, 64 at most.`)
    const key = `${where}/${request.id}`
    let held = this.shells.get(key)
    if (!held) {
      if (this.shells.size >= shellLimit)
        throw new LabError('capacity-exceeded', `This cluster already holds ${shellLimit} shells.`, { hint: 'Close one.' })
      const env = this.environment(root, 'candidate')
      held = new HeldShell(
        localPty(['bash', '--norc', '--noprofile'], env.HOME!, { ...env, PS1: `candidate@${where}:\\w$ ` }, request.size),
      )
      this.shells.set(key, held)
    }
    const shell = held.attach(request.id, request)
    const kill = shell.kill.bind(shell)
    shell.kill = async () => {
      this.shells.delete(key)
      await kill()
    }
    return shell
  }

  async readFile(where: string, path: string): Promise<Uint8Array> {
    return read(this.root(where), path)
  }
  async writeFile(where: string, path: string, bytes: Uint8Array, options: { mode?: number } = {}): Promise<void> {
    return write(this.root(where), path, bytes, options.mode)
  }
  async listFiles(where: string, path: string) {
    return list(this.root(where), path)
  }
  async unit(where: string, name: string) {
    this.root(where)
    const text = await readFile(join(this.dir, 'net/units', where, name.replaceAll('/', '')), 'utf8').catch(
      () => 'not-found inactive dead disabled 0',
    )
    const [load = '', active = '', sub = '', enabled = '', pid = '0'] = text.trim().split(/\s+/)
    return { load, active, sub, enabled, pid: Number(pid) }
  }

  async probe(from: Vantage, target: Target, signal?: AbortSignal): Promise<ProbeResult> {
    if (typeof from === 'string') this.root(from)
    else if (!this.objects.get({ collection: '/v1/pods', namespace: from.namespace, name: from.pod }))
      throw new LabError('not-found', `Pod ${from.namespace}/${from.pod} does not exist.`)
    this.root('workstation')
    signal?.throwIfAborted()
    const began = performance.now()
    const result = (outcome: ProbeResult['outcome'], detail: string, more: Partial<ProbeResult> = {}): ProbeResult => ({
      outcome,
      detail,
      addresses: [],
      millis: Math.round(performance.now() - began),
      ...more,
    })
    const table = async (file: string) =>
      new Map(
        (await readFile(join(this.dir, 'net', file), 'utf8').catch(() => ''))
          .split('\n')
          .map((line) => [line.split(/\s+/)[0], line.trim().split(/\s+/).slice(1)] as const),
      )
    const names = await table('dns')
    const lookUp = (name: string): ProbeResult | string[] => {
      if (/^[\d.]+$/.test(name)) return [name]
      const addresses = names.get(name)
      if (!addresses) return result('nxdomain', `${name}: no such name`)
      if (addresses[0] === '!servfail') return result('servfail', `${name}: the name server failed`)
      return addresses
    }
    if (target.kind === 'dns') {
      const found = lookUp(target.name)
      if (!Array.isArray(found)) return found
      return found.length === 0
        ? result('no-data', `${target.name} has no address`)
        : result('answered', `${target.name} is ${found.join(', ')}`, { addresses: found })
    }
    const url = target.kind === 'http' ? new URL(target.url) : undefined
    const host = target.kind === 'http' ? url!.hostname : target.host
    const port = target.kind === 'http' ? Number(url!.port || 80) : target.port
    const to = (await table('ports')).get(`${host}:${port}`)?.[0]
    const found = to === undefined ? lookUp(host) : ['127.0.0.1']
    if (!Array.isArray(found)) return result('dns-failed', found.detail)
    if (to === undefined || to === 'refused') return result('refused', `${host}:${port} refuses connections`)
    if (to === 'timeout' || to === 'unreachable') return result(to, `${host}:${port}: ${to}`)
    const timeoutMs = target.timeoutMs ?? 3000
    if (url) {
      try {
        const answer = await fetch(`http://127.0.0.1:${to}${url.pathname}${url.search}`, {
          headers: target.kind === 'http' && target.hostHeader ? { host: target.hostHeader } : {},
          signal: AbortSignal.timeout(timeoutMs),
          redirect: 'manual',
        })
        return result('answered', `HTTP ${answer.status}`, {
          status: answer.status,
          body: (await answer.text()).slice(0, 4096),
          addresses: found,
        })
      } catch (error) {
        const late = (error as Error).name === 'TimeoutError'
        return result(late ? 'timeout' : 'refused', `${host}:${port}: ${late ? 'no answer' : 'connection refused'}`)
      }
    }
    return new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port: Number(to), timeout: timeoutMs })
      const end = (outcome: ProbeResult['outcome']) => {
        socket.destroy()
        resolve(result(outcome, `${host}:${port}: ${outcome}`, { addresses: found }))
      }
      socket
        .on('connect', () => end('open'))
        .on('timeout', () => end('timeout'))
        .on('error', () => end('refused'))
    })
  }

  private async fingerprint(): Promise<Fingerprint> {
    const parts: Record<string, string> = {
      objects: hashOf(
        this.objects
          .dump()
          .map((row) => normalised(row.object))
          .sort()
          .join('\n'),
      ),
      network: await hashTree(join(this.dir, 'net')),
    }
    for (const place of ['workstation', ...this.nodes.map((node) => node.place)])
      parts[`files ${place}`] = await hashTree(join(this.dir, place), place === 'workstation' ? ['home'] : [])
    return { hash: hashOf(JSON.stringify(parts)), parts }
  }
  private taken: Fingerprint | undefined
  async baseline(signal: AbortSignal): Promise<Fingerprint> {
    signal.throwIfAborted()
    this.root('workstation')
    if (this.taken) return this.taken
    const at = join(this.dir, 'baseline')
    await rm(at, { recursive: true, force: true })
    for (const name of ['net', 'workstation', ...this.nodes.map((node) => node.place)])
      await cp(join(this.dir, name), join(at, name), { recursive: true, verbatimSymlinks: true })
    this.kept = this.objects.dump()
    this.taken = await this.fingerprint()
    return this.taken
  }
  async restore(signal: AbortSignal, options: { home?: boolean } = {}): Promise<Fingerprint> {
    signal.throwIfAborted()
    this.root('workstation')
    if (!this.kept || !this.taken)
      throw new LabError('internal', `Cluster ${this.id} has no baseline to return to.`, { hint: 'Take one with baseline() first.' })
    for (const name of ['net', 'workstation', ...this.nodes.map((node) => node.place)]) {
      const keep = name === 'workstation' && !options.home ? ['home'] : []
      await empty(join(this.dir, name), keep)
      await cp(join(this.dir, 'baseline', name), join(this.dir, name), {
        recursive: true,
        verbatimSymlinks: true,
        filter: (source) => !keep.some((kept) => source === join(this.dir, 'baseline', name, kept)),
      })
    }
    this.objects.load(this.kept)
    const is = await this.fingerprint()
    const differ = Object.keys(is.parts).filter((part) => is.parts[part] !== this.taken?.parts[part])
    if (differ.length > 0)
      throw new LabError('restore-mismatch', `After restoring, these differ from the baseline: ${differ.join(', ')}.`, {
        hint: 'Throw the cluster away.',
      })
    return is
  }

  async suspend(): Promise<void> {
    this.asleep = true
    for (const shell of this.shells.values()) {
      shell.drop({ kind: 'lost', message: 'The cluster was suspended.' })
      shell.kill()
    }
    this.shells.clear()
  }
  async resume(): Promise<void> {
    if (this.api.away) throw gone()
    this.asleep = false
  }
  async health(): Promise<Health> {
    if (this.asleep) return { state: 'backend-gone', message: 'The cluster is suspended.', hint: 'Call resume().' }
    if (this.destroyed) return { state: 'unreachable', message: 'The cluster has been destroyed.' }
    return this.api.away ? { state: 'backend-gone', message: gone().message, hint: 'Call comeBack().' } : { state: 'ok' }
  }
  async diagnostics(): Promise<Diagnostics> {
    return {
      summary: `fake cluster ${this.id}: ${this.nodes.length} nodes, ${this.objects.size} objects`,
      files: [{ name: 'network', text: await readFile(join(this.dir, 'net/ports'), 'utf8').catch(() => '') }],
    }
  }
  async destroy(): Promise<void> {
    this.destroyed = true
    living.delete(this.dir)
    for (const shell of this.shells.values()) shell.kill()
    this.shells.clear()
    await this.api.close()
    await rm(this.dir, { recursive: true, force: true, maxRetries: 5 })
  }
  /** Tests: everything fails as when Docker is gone. */
  goAway(): void {
    this.api.away = true
    this.api.drop()
    for (const shell of this.shells.values()) shell.drop({ kind: 'lost', message: gone().message })
  }
  comeBack(): void {
    this.api.away = false
  }
}

/** The provider, with the knobs of a fault: `goAway` takes its clusters away as a stopped Docker would, `comeBack` returns them unharmed. */
export interface FakeProvider extends ClusterProvider {
  goAway(): void
  comeBack(): void
  /** the next `create` fails with this error, once */
  failNext(error: LabError): void
}

export function fakeProvider(options: FakeOptions): FakeProvider {
  let away = false
  let failure: LabError | undefined
  const mine = () => [...living.values()].filter((cluster) => cluster.dir.startsWith(`${options.dir}/`))
  const limit = options.limit ?? 20
  return {
    backend: 'fake',
    can: capabilities,
    async status() {
      return away
        ? { name: 'fake', state: 'unavailable', message: gone().message, remedy: 'Call comeBack().' }
        : { name: 'fake', state: 'ready', message: 'For tests of the app only.', kubernetesVersion: version }
    },
    identity: async () => ({ kubernetesVersion: version, image: 'fake' }),
    room: async () => Math.max(0, limit - mine().length),
    async create(spec: ClusterSpec, progress: Progress, signal: AbortSignal): Promise<Cluster> {
      if (away) throw gone()
      if (signal.aborted) throw new LabError('cancelled', 'The creation was cancelled before it began.')
      if (mine().length >= limit)
        throw new LabError('capacity-exceeded', `This provider makes at most ${limit} clusters.`, {
          hint: 'End a lab that is no longer needed.',
        })
      const id = `fake-${randomBytes(3).toString('hex')}`
      const steps = ['nodes', 'workloads', 'workstation']
      progress({ step: steps[0]!, state: 'running' })
      const dir = join(options.dir, id)
      if (failure) {
        const error = failure
        failure = undefined
        progress({ step: steps[0]!, state: 'failed', detail: error.message })
        throw error
      }
      await mkdir(dir, { recursive: true, mode: 0o700 })
      await writeFile(join(dir, 'cluster.json'), JSON.stringify({ id, spec }))
      const cluster = await new FakeCluster(dir, id, spec, options).start()
      progress({ step: steps[0]!, state: 'done' })
      for (const step of steps.slice(1)) {
        progress({ step, state: 'running' })
        progress({ step, state: 'done' })
      }
      if (signal.aborted) {
        await cluster.destroy()
        throw new LabError('cancelled', 'The creation was cancelled.')
      }
      return cluster
    },
    async *adopt() {
      for (const name of await readdir(options.dir).catch(() => [] as string[])) {
        const dir = join(options.dir, name)
        const alive = living.get(dir)
        if (alive) {
          await alive.resume().catch(() => {})
          yield alive
          continue
        }
        const saved = await readFile(join(dir, 'cluster.json'), 'utf8')
          .then((text) => JSON.parse(text) as { id: string; spec: ClusterSpec })
          .catch(() => undefined)
        if (saved) yield await new FakeCluster(dir, saved.id, saved.spec, options).start()
      }
    },
    goAway() {
      away = true
      for (const cluster of mine()) cluster.goAway()
    },
    comeBack() {
      away = false
      for (const cluster of mine()) cluster.comeBack()
    },
    failNext(error) {
      failure = error
    },
  }
}
