// One simulated cluster: machines, network, API, and the time that they share, put together. Everything that a lab is made of comes in here;
// the parts do not know one another. Knows nothing of scenarios, grading or worker processes.
import type { SimClock } from './clock.ts'
import type { Machine, UnitState } from './machine.ts'
import type { ProcessHost, Spawned } from './process.ts'

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
export type Target =
  | { kind: 'tcp'; host: string; port: number; timeoutMs?: number }
  | { kind: 'udp'; host: string; port: number; timeoutMs?: number }
  | { kind: 'dns'; name: string; server?: string; protocol?: 'udp' | 'tcp'; timeoutMs?: number }
  | { kind: 'http'; url: string; hostHeader?: string; timeoutMs?: number }
export interface ProbeResult {
  outcome: 'open' | 'answered' | 'refused' | 'timeout' | 'unreachable' | 'nxdomain' | 'servfail' | 'no-data' | 'dns-failed'
  addresses: readonly string[]
  status?: number
  body?: string
  detail: string
  millis: number
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
  readonly nodes: readonly NodeInfo[] = []
  readonly kubernetesVersion = 'v1.35.4'
  readonly clock: SimClock
  readonly machines: ReadonlyMap<string, Machine> = new Map()

  private constructor(spec: LabSpec, deps: LabDeps) {
    this.id = spec.id
    this.clock = deps.clock
  }
  /** Boots a cluster in virtual time until every node and pod of it is Ready. @throws LabError cluster-create-failed */
  static async create(spec: LabSpec, deps: LabDeps): Promise<Lab> {
    return new Lab(spec, deps)
  }
  /** As it was when the snapshot was taken, in `dir`, whose files are put back. */
  static async load(_snapshot: Snapshot, _dir: string, _deps: LabDeps): Promise<Lab> {
    throw new Error('A lab cannot be loaded yet.')
  }
  get workstation(): Machine {
    return this.machines.get('workstation') as Machine
  }
  /** HTTPS on the host’s loopback for whoever is outside of the lab; nobody listens there while the API server does not run */
  get address(): { host: string; port: number } {
    throw new Error('There is no API yet.')
  }
  /** cluster-admin by a certificate of its own that nobody in the lab has, through `address` */
  graderKubeconfig(): string {
    throw new Error('There is no API yet.')
  }
  /** runs to the end; 124 and a line on stderr after `timeoutMs`. @throws LabError not-found for an unknown place */
  exec(_where: Where, _argv: readonly string[], _options: ExecOptions = {}): Promise<ExecResult> {
    throw new Error('Nothing runs yet.')
  }
  /** a process that goes on by itself, for shells */
  spawn(_where: Where, _request: SpawnOptions): Promise<Spawned> {
    throw new Error('Nothing runs yet.')
  }
  /** seen from a machine or a pod with the lab’s own eyes, not with tools that a learner can change */
  probe(_from: Where, _target: Target): Promise<ProbeResult> {
    throw new Error('Nothing runs yet.')
  }
  unit(_place: string, _name: string): UnitState {
    throw new Error('Nothing runs yet.')
  }
  snapshot(): Promise<Snapshot> {
    throw new Error('Nothing runs yet.')
  }
  /** Ends what runs and puts everything back; open shells end. `home`: the learner's home too, default false */
  restore(_snapshot: Snapshot, _options: { home?: boolean } = {}): Promise<void> {
    throw new Error('Nothing runs yet.')
  }
  fingerprint(): Fingerprint {
    return { hash: '', parts: {} }
  }
  diagnostics(): Diagnostics {
    return { summary: '', files: [] }
  }
  /** Ends everything, leaves the directory. Safe to call twice. */
  async close(): Promise<void> {}
}
