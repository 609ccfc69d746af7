// The ports `Cluster` and `ClusterProvider`: what the lab needs of a cluster, whatever runs it. Plain data crosses it.
// Knows nothing of scenarios, grading or people. API access goes through @kubernetes/client-node with `kubeconfig`.
import type { BackendName, BackendView, Place } from '#lib/protocol/index.ts'

/**
 * What a backend can do beyond the Kubernetes API.
 * node-exec: commands and shells on nodes; node-files: their files; control-plane-faults: its static pods may be broken;
 * probe: reachability as seen from a node or pod; restore: a baseline can be put back; workstation: a learner's shell.
 */
export type Capability = 'node-exec' | 'node-files' | 'control-plane-faults' | 'probe' | 'restore' | 'workstation'

export interface NodeInfo {
  /** by role, what scenarios say: control-plane, worker-1, worker-2 */
  readonly place: Exclude<Place, 'workstation'>
  /** what `kubectl get nodes` prints */
  readonly name: string
  readonly role: 'control-plane' | 'worker'
  /** IPv4 on the nodes' network */
  readonly address: string
}
export interface PodRef {
  readonly namespace: string
  readonly pod: string
  readonly container?: string
}
/** A node or the workstation by place, or a pod. */
export type Where = Place | PodRef

export interface ExecOptions {
  /** default: root on nodes, the learner's user on the workstation */
  user?: string
  cwd?: string
  env?: Readonly<Record<string, string>>
  stdin?: string | Uint8Array
  signal?: AbortSignal
  /** milliseconds, default 60 000 */
  timeoutMs?: number
  /** per line of output as it comes */
  onLine?: (line: string, stream: 'stdout' | 'stderr') => void
}
export interface ExecResult {
  exitCode: number
  stdout: string
  stderr: string
}

/** What a probe asks; names are resolved by DNS as configured there, never by a hosts file. */
export type Target =
  | { kind: 'tcp'; host: string; port: number; timeoutMs?: number }
  | { kind: 'udp'; host: string; port: number; timeoutMs?: number }
  | { kind: 'dns'; name: string; server?: string; protocol?: 'udp' | 'tcp'; timeoutMs?: number }
  | { kind: 'http'; url: string; hostHeader?: string; timeoutMs?: number }
export interface ProbeResult {
  /** open and answered are good news; the others say how it failed */
  outcome: 'open' | 'answered' | 'refused' | 'timeout' | 'unreachable' | 'nxdomain' | 'servfail' | 'no-data' | 'dns-failed'
  addresses: readonly string[]
  /** HTTP status, and at most 4 KiB of the body */
  status?: number
  body?: string
  /** one line for a person */
  detail: string
  millis: number
}
/** Where a probe looks from: a node, or the network namespace of a pod. */
export type Vantage = Exclude<Place, 'workstation'> | PodRef

/** Cells of a terminal. */
export interface Size {
  cols: number
  rows: number
}
/**
 * One learner's shell, held where it runs: closing the client side leaves it running, attaching again with the offset of
 * the next byte wanted continues it. Offsets count output bytes since the shell began.
 */
export interface Shell {
  readonly id: string
  /** first byte that will be delivered; later than asked for when `lost` bytes are gone */
  readonly offset: number
  readonly lost: number
  /** at most one of each; deliver nothing before both are set */
  onOutput(listener: (bytes: Uint8Array, offset: number) => void): void
  /** exit: the shell ended with this code; lost: the connection to it broke (attach again) */
  onEnd(listener: (end: { kind: 'exit'; exitCode: number } | { kind: 'lost'; message: string }) => void): void
  write(bytes: Uint8Array): void
  resize(size: Size): void
  /** back-pressure: while paused nothing is delivered and the producer is made to wait */
  pause(): void
  resume(): void
  /** leaves the shell running */
  detach(): Promise<void>
  /** ends it and forgets it */
  kill(): Promise<void>
}
export interface ShellRequest {
  /** the caller's own id, [a-z0-9-]{1,64}; an existing one is attached to, a new one is started */
  id: string
  size: Size
  /** attach from this byte of its output, default 0 */
  from?: number
}

/** What a fingerprint covers, one hash a part, so that a mismatch can be named. */
export interface Fingerprint {
  readonly hash: string
  readonly parts: Readonly<Record<string, string>>
}
/** For people and for error reports: named texts (logs, states), secrets left out. */
export interface Diagnostics {
  readonly summary: string
  readonly files: readonly { readonly name: string; readonly text: string }[]
}

/**
 * Health of the ground under the cluster, told apart from what a learner did to it: `backend-gone` (Docker, the host) is never
 * held against a learner; `unreachable` (the machines run, the API does not answer) is.
 */
export type Health = { state: 'ok' } | { state: 'unreachable'; message: string } | { state: 'backend-gone'; message: string; hint: string }

export interface FileStat {
  name: string
  path: string
  type: 'file' | 'directory' | 'link' | 'other'
  size: number
}

/** The time in which a cluster lives, where that is not the host's: holds, beats and time-outs of whoever looks at it are counted in it. */
export interface LabClock {
  /** epoch milliseconds */
  now(): number
  /** resolves after `ms` of this time or when the signal aborts, whichever is first */
  wait(ms: number, signal?: AbortSignal): Promise<void>
  /** seconds of this time that pass in a real one, now */
  readonly rate: number
}

/** What the learner is given, so that scripts and terminals see the same. */
export interface Cluster {
  readonly id: string
  readonly backend: BackendName
  readonly kubernetesVersion: string
  readonly nodes: readonly NodeInfo[]
  readonly can: ReadonlySet<Capability>
  /** the grader's own, with a certificate that the learner's changes to RBAC do not touch; YAML */
  readonly kubeconfig: string
  /** left out: the host's time */
  readonly clock?: LabClock
  /** the cluster's time passes faster while `work` is under way, for what nobody watches; left out: it cannot */
  hurry?<T>(work: () => Promise<T>): Promise<T>
  /** runs to the end whatever the exit code. @throws LabError docker-unavailable, not-found, timeout, cancelled */
  exec(where: Where, argv: readonly string[], options?: ExecOptions): Promise<ExecResult>
  /** seen from there with the grader's own tools. @throws LabError only when it could not look (never for a closed port) */
  probe(from: Vantage, target: Target, signal?: AbortSignal): Promise<ProbeResult>
  shell(where: Place, request: ShellRequest): Promise<Shell>
  /** by the grader's own means, not the node's programs; at most 4 MiB. @throws LabError not-found, too-large */
  readFile(where: Place, path: string): Promise<Uint8Array>
  /** mode, owner kept where the file exists, else 0644 of the place's user; parent directories must exist */
  writeFile(where: Place, path: string, bytes: Uint8Array, options?: { mode?: number }): Promise<void>
  /** entries of a directory, at most 2000, sorted by name */
  listFiles(where: Place, path: string): Promise<readonly FileStat[]>
  /** state of a systemd unit, read by the grader's own means; `pid` of its main process, 0 when none runs */
  unit(
    where: Exclude<Place, 'workstation'>,
    name: string,
  ): Promise<{ load: string; active: string; sub: string; enabled: string; pid: number }>
  /** records the state to which `restore` returns; slow once, then kept */
  baseline(signal: AbortSignal): Promise<Fingerprint>
  /**
   * Puts objects, node files and units back to the baseline; the learner's home on the workstation is kept unless `home` is true.
   * @throws LabError restore-mismatch naming the parts that differ; the cluster is then to be thrown away
   */
  restore(signal: AbortSignal, options?: { home?: boolean }): Promise<Fingerprint>
  /**
   * Writes it down and takes no memory until `resume`; what runs in its shells ends, which they are told. All verbs but `resume`, `destroy` and
   * `health` fail with backend-unavailable meanwhile. Twice is once. Left out: it cannot.
   */
  suspend?(): Promise<void>
  /** As it was when it was suspended, at the host's time; does nothing when it is not. @throws LabError backend-unavailable, not-found */
  resume?(): Promise<void>
  health(signal?: AbortSignal): Promise<Health>
  diagnostics(signal: AbortSignal): Promise<Diagnostics>
  /** leaves nothing behind; safe to call twice */
  destroy(): Promise<void>
}

export interface ClusterSpec {
  /** workers beside the one control plane */
  workers: number
}
export type Progress = (line: { step: string; state: 'running' | 'done' | 'failed'; detail?: string }) => void

export interface ClusterProvider {
  readonly backend: BackendName
  readonly can: ReadonlySet<Capability>
  /** can it create one now, and if not, why and what to do */
  status(signal?: AbortSignal): Promise<Omit<BackendView, 'warm'>>
  /** Kubernetes version and image digest that a proof is keyed by */
  identity(): Promise<{ kubernetesVersion: string; image: string }>
  /** how many more `create` would make now, all of them kept; left out: it cannot tell */
  room?(spec: ClusterSpec): Promise<number>
  /** rolls back on failure. @throws LabError capacity-exceeded, backend-unavailable, docker-unavailable, cluster-create-failed, cancelled */
  create(spec: ClusterSpec, progress: Progress, signal: AbortSignal): Promise<Cluster>
  /** those that an earlier run of this server left, usable as they are */
  adopt(): AsyncIterable<Cluster>
  /** lets go of what it holds; clusters run on, for the next one to adopt */
  close?(): void
}
