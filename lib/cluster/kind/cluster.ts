// One kind cluster as the port describes it. Each method is a line or two: the work is in the files beside.
import { KubeConfig } from '@kubernetes/client-node'
import { LabError } from '#lib/protocol/index.ts'
import type {
  Capability,
  Cluster,
  Diagnostics,
  ExecOptions,
  ExecResult,
  FileStat,
  Fingerprint,
  Health,
  NodeInfo,
  ProbeResult,
  Shell,
  ShellRequest,
  Target,
  Vantage,
  Where,
} from '../port.ts'
import { restoreBaseline, type Subject, takeBaseline } from './baseline/index.ts'
import { destroyCluster } from './destroy.ts'
import { diagnose } from './diagnostics.ts'
import * as files from './files.ts'
import type { Ground } from './ground.ts'
import { Watcher } from './health.ts'
import { killProcess } from './kill.ts'
import { type Machine, machineAt, nodesOf } from './machines.ts'
import type { SavedCluster } from './names.ts'
import { podExec, podPlacement } from './pods.ts'
import { probe, unit } from './probes.ts'
import { openShell } from './shells.ts'

export const capabilities: ReadonlySet<Capability> = new Set([
  'node-exec',
  'node-files',
  'control-plane-faults',
  'probe',
  'restore',
  'workstation',
])

export class KindCluster implements Cluster {
  readonly backend = 'kind'
  readonly can = capabilities
  readonly id: string
  readonly kubernetesVersion: string
  readonly kubeconfig: string
  private machines: readonly Machine[]
  private gone = false
  private readonly ground: Ground
  private readonly config = new KubeConfig()
  private readonly watcher: Watcher

  constructor(ground: Ground, record: SavedCluster, kubeconfig: string, machines: readonly Machine[]) {
    this.ground = ground
    this.id = record.name
    this.kubernetesVersion = record.kubernetesVersion
    this.kubeconfig = kubeconfig
    this.machines = machines
    this.config.loadFromString(kubeconfig)
    this.watcher = new Watcher(ground, record.name, kubeconfig, record.spec.workers + 2, (moved) => {
      this.machines = moved
    })
  }
  get nodes(): readonly NodeInfo[] {
    return nodesOf(this.machines)
  }
  private at(place: string): Machine {
    if (this.gone) throw new LabError('not-found', `Cluster ${this.id} has been destroyed.`)
    return machineAt(this.machines, place, this.id)
  }
  /** the first process of a place, as the host sees it */
  private async pid(place: string): Promise<number> {
    const machine = this.at(place)
    const details = await this.ground.docker.ask(`look at ${machine.name}`, (api) => api.getContainer(machine.container).inspect())
    if (details.State.Running && details.State.Pid > 0) return details.State.Pid
    throw new LabError('conflict', `${machine.name} is not running.`, {
      hint: 'It is started again as soon as this is noticed; try again shortly.',
    })
  }

  async exec(where: Where, argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    if (typeof where !== 'string') return podExec(this.config, where, argv, options)
    const machine = this.at(where)
    const user = options.user ?? (where === 'workstation' ? 'candidate' : 'root')
    const home = user === 'root' ? '/root' : `/home/${user}`
    const env = { HOME: home, USER: user, LANG: 'C.UTF-8', ...options.env }
    return this.ground.docker.exec(machine.container, argv, { ...options, user, cwd: options.cwd ?? home, env }, (pid) =>
      killProcess(this.ground, machine, pid),
    )
  }
  async shell(where: string, request: ShellRequest): Promise<Shell> {
    return openShell(this.ground.docker, this.at(where).container, request, {
      user: 'candidate',
      cwd: '/home/candidate',
      argv: ['bash', '-l'],
    })
  }
  async probe(from: Vantage, target: Target, signal?: AbortSignal): Promise<ProbeResult> {
    if (typeof from === 'string') return probe(this.ground.grader, { pid: await this.pid(from) }, target, signal)
    const { node, uid } = await podPlacement(this.kubeconfig, from, signal)
    const place = this.nodes.find((candidate) => candidate.name === node)?.place
    if (!place) throw new LabError('not-found', `Pod ${from.namespace}/${from.pod} is on ${node}, which is not a node of this cluster.`)
    return probe(this.ground.grader, { pid: await this.pid(place), podUid: uid }, target, signal)
  }
  async readFile(where: string, path: string): Promise<Uint8Array> {
    return files.readFile(this.ground.grader, await this.pid(where), path)
  }
  async writeFile(where: string, path: string, bytes: Uint8Array, options: { mode?: number } = {}): Promise<void> {
    return files.writeFile(this.ground.grader, await this.pid(where), path, bytes, {
      ...options,
      user: where === 'workstation' ? 'candidate' : 'root',
    })
  }
  async listFiles(where: string, path: string): Promise<readonly FileStat[]> {
    return files.listFiles(this.ground.grader, await this.pid(where), path)
  }
  async unit(where: string, name: string) {
    return unit(this.ground.grader, await this.pid(where), name)
  }

  private get subject(): Subject {
    return { ground: this.ground, id: this.id, kubeconfig: this.kubeconfig, machines: this.machines }
  }
  async baseline(signal: AbortSignal): Promise<Fingerprint> {
    this.at('control-plane')
    return takeBaseline(this.subject, signal)
  }
  async restore(signal: AbortSignal, options: { home?: boolean } = {}): Promise<Fingerprint> {
    this.at('control-plane')
    return restoreBaseline(this.subject, signal, options)
  }
  async health(signal?: AbortSignal): Promise<Health> {
    if (this.gone) return { state: 'unreachable', message: `Cluster ${this.id} has been destroyed.` }
    return this.watcher.look(signal)
  }
  async diagnostics(signal: AbortSignal): Promise<Diagnostics> {
    return diagnose(this.ground, this.id, signal)
  }
  async destroy(): Promise<void> {
    await destroyCluster(this.ground, this.id)
    this.gone = true
  }
}
