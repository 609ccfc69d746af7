// What the kubelet asks of a container runtime (the CRI in small), and what the runtime keeps: sandboxes, containers, mounts. Data that a snapshot holds
// as it is. Knows nothing of the API server.
import type { ExecRequest, ExecStreams } from '../api/kubelet-door.ts'
import type { Daemon, DaemonContext, Machine } from '../machine.ts'
import type { Netns, PortMapping } from '../net.ts'
import type { SimImage, ToolCall } from '../process.ts'

export type { ExecRequest, ExecStreams }

export interface SandboxConfig {
  namespace: string
  name: string
  uid: string
  attempt: number
  hostNetwork: boolean
  hostname: string
  portMappings: readonly PortMapping[]
  /** of the pod's security context */
  sysctls?: Readonly<Record<string, string>>
  /** text of the pod's /etc/resolv.conf */
  resolvConf: string
  logDirectory: string
  labels: Readonly<Record<string, string>>
  annotations: Readonly<Record<string, string>>
}
export interface SandboxState {
  /** 64 hexadecimal digits */
  id: string
  config: SandboxConfig
  /** epoch ms */
  createdAt: number
  ready: boolean
  /** '' for hostNetwork */
  ip: string
  /** the network namespace, while there is one */
  network: boolean
}

/** A path of the container and the machine's file or directory that stands there. */
export interface Mount {
  path: string
  /** absolute path on the machine */
  hostPath: string
  readOnly: boolean
}
export interface ContainerConfig {
  name: string
  attempt: number
  /** as in the pod's spec */
  image: string
  /** `sha256:…` */
  imageId: string
  /** entrypoint and arguments */
  argv: readonly string[]
  env: Readonly<Record<string, string>>
  cwd: string
  mounts: readonly Mount[]
  /** absolute path on the machine; '' where the container keeps no such file */
  terminationFile: string
  logPath: string
  stdin: boolean
  /** its input ends with the first who attached */
  stdinOnce: boolean
  tty: boolean
  readOnlyRoot: boolean
  user: { uid: number; gid: number; supplementalGroups: readonly number[] }
  privileged: boolean
  capabilities: readonly string[]
  /** capabilities taken away, ALL for every one */
  drop?: readonly string[]
  stopSignal: number
  /** bytes; undefined without a limit */
  memoryLimit?: number
  labels: Readonly<Record<string, string>>
  annotations: Readonly<Record<string, string>>
}
export interface ContainerState {
  id: string
  sandboxId: string
  config: ContainerConfig
  state: 'created' | 'running' | 'exited'
  /** epoch ms; 0 when it has not happened */
  createdAt: number
  startedAt: number
  finishedAt: number
  exitCode: number
  /** `Completed`, `Error`, `OOMKilled`, `StartError` */
  reason: string
  message: string
  pid: number
}

/** An error of the runtime as its client sees it; `message` begins with `rpc error: code = …` when it came over the wire. */
export class RuntimeFailure extends Error {
  readonly code: string
  /** what stands after `desc = ` */
  readonly description: string
  constructor(description: string, code = 'Unknown') {
    super(`rpc error: code = ${code} desc = ${description}`)
    this.name = 'RuntimeFailure'
    this.code = code
    this.description = description
  }
}

export interface RuntimeCondition {
  type: 'RuntimeReady' | 'NetworkReady'
  status: boolean
  reason: string
  message: string
}

/** How a command in a container ended, without a terminal. */
export interface ExecOutput {
  exitCode: number
  /** standard output and error as they came */
  output: string
}

/**
 * The container runtime of one machine. Containers and their files live on while containerd's own process does not run; then every call of
 * the CRI throws RuntimeFailure, code Unavailable.
 */
export interface Runtime {
  readonly machine: Machine
  readonly version: string
  /** for systemd: the unit containerd */
  start(context: DaemonContext): Daemon
  readonly running: boolean

  conditions(): RuntimeCondition[]
  sandboxes(): readonly SandboxState[]
  containers(): readonly ContainerState[]
  images(): readonly SimImage[]
  /** `docker.io/library/nginx@sha256:…` of those that a registry has confirmed; by the image's id */
  repoDigests(id: string): readonly string[]

  /** throws RuntimeFailure, `failed to setup network for sandbox "…": …` among them */
  runSandbox(config: SandboxConfig): SandboxState
  /** ends what still runs in it, takes the network away; throws RuntimeFailure, `failed to destroy network for sandbox "…": …` among them */
  stopSandbox(id: string): void
  removeSandbox(id: string): void
  createContainer(sandboxId: string, config: ContainerConfig): ContainerState
  /** throws RuntimeFailure when the process cannot be started; the container is exited then, reason StartError, code 128 */
  startContainer(id: string): Promise<void>
  /** the signal, then SIGKILL after `graceMs`; resolves when it has ended */
  stopContainer(id: string, graceMs: number): Promise<void>
  removeContainer(id: string): void
  /** the image by any of its names, undefined when it is not on the machine */
  imageStatus(reference: string): SimImage | undefined
  /** takes the lab's time; throws RuntimeFailure with containerd's words */
  pull(reference: string): Promise<SimImage>
  removeImage(reference: string): boolean

  /** throws RuntimeFailure with containerd's words when it cannot be started */
  exec(containerId: string, request: ExecRequest, streams: ExecStreams): Promise<number>
  /** for probes and hooks; ends with code -1 after `timeoutMs` of the lab's time */
  execSync(containerId: string, command: readonly string[], timeoutMs: number): Promise<ExecOutput>
  /** what the process writes from now on, and its standard input; resolves when it ended */
  attach(containerId: string, request: Omit<ExecRequest, 'command'>, streams: ExecStreams): Promise<number>
  /** runs a simulated tool in a container, as a sandbox or another place asks; undefined when the image has no such tool */
  tool(containerId: string, call: Omit<ToolCall, 'place' | 'clock'>): Promise<number> | undefined
  netns(sandboxId: string): Netns | undefined

  /** after any change of a pod's containers or sandboxes */
  onChange(listener: (podUid: string) => void): { stop(): void }
  /** after bytes were added to a container's log; `undefined` when the container ended */
  onLog(containerId: string, listener: (ended: boolean) => void): { stop(): void }

  /** what the kubelet of this machine remembers, for a snapshot: `save` asks for it; undefined while no kubelet runs */
  remember: (() => unknown) | undefined
  /** what it remembered when the snapshot was taken that this runtime was loaded from */
  readonly remembered: unknown

  /** everything that a snapshot must hold, as JSON; files are the machine's */
  save(): unknown
  /** ends every process, silently: the lab is closed */
  close(): Promise<void>
}
