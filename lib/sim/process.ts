// What runs inside a simulated machine: programs of containers (nginx, coredns, kube-proxy …), tools that a person types (systemctl, curl, crictl …), and
// the port through which real processes (bash, vim) run in a sandbox. Interfaces only. Knows nothing of Kubernetes objects.
import type { Clock } from './clock.ts'
import type { Files, Machine } from './machine.ts'
import type { Netns } from './net.ts'

/** The process of a container, written for the simulation. */
export interface Running {
  /** SIGTERM (15), SIGHUP (1) … A program that ignores one returns. SIGKILL (9): let go of listeners, timers and watches; nothing more is heard of it. */
  signal(number: number): void
}
export interface ContainerContext {
  readonly clock: Clock
  readonly machine: Machine
  /** of the pod, or of the machine for hostNetwork */
  readonly net: Netns
  readonly pid: number
  readonly containerId: string
  /** entrypoint and arguments, `$(VAR)` replaced */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** the container's root: the image's files, with volumes mounted in their places, read-only ones refusing writes with EROFS */
  readonly files: Files
  /** user id that it runs as, and what it may do */
  /** `capabilities` are those that were added to the runtime's usual ones, `drop` those that were taken away */
  readonly security: { uid: number; privileged: boolean; capabilities: readonly string[]; drop?: readonly string[] }
  readonly pod: { namespace: string; name: string; uid: string; hostNetwork: boolean }
  log(text: string, stream?: 'stdout' | 'stderr'): void
  /** the process ended by itself; called at most once, later calls are ignored */
  exit(code: number): void
  /** bytes that it holds now, where it tells; over its container's limit the kernel ends it */
  memory?(bytes: number): void
  /** of the program's own state that a snapshot keeps, JSON; undefined on a fresh start */
  readonly saved?: unknown
}
/** Starts a container's process. May throw: the container then ends with code 1 and the message on stderr. */
export type Program = (context: ContainerContext) => Running & { save?(): unknown }

/** One image that the simulated registry and the nodes know. */
export interface SimImage {
  /** full name with tag: `docker.io/library/nginx:latest` */
  name: string
  /** `sha256:…` */
  digest: string
  sizeBytes: number
  entrypoint: readonly string[]
  cmd: readonly string[]
  env: Readonly<Record<string, string>>
  workdir: string
  user: string
  ports: readonly string[]
  /** files of the image, path → text; directories end with / */
  files: Readonly<Record<string, string>>
  /** program by the base name of argv[0] (`nginx`, `coredns`), for what the image ships */
  programs: Readonly<Record<string, Program>>
  /** a shell and the usual small tools are in it: `kubectl exec -- sh` works, commands by `sh -c` run */
  shell: 'none' | 'busybox' | 'debian'
  /** names of the simulated tools (curl, nslookup …) that the image ships */
  tools?: readonly string[]
  /** what ends the main process instead of SIGTERM (15) */
  stopSignal?: number
  /** not on the nodes until it is pulled; default false */
  remote?: boolean
}

/** Where a tool is called: on a machine (or the workstation), or in a container on one. */
export interface ToolPlace {
  machine: Machine
  /** of the machine, or of the container's pod */
  net: Netns
  /** of the machine, or of the container */
  files: Files
  container?: ContainerContext
}
/** One call of a tool: what it was given, and the way back. Paths are as the caller sees them. */
export interface ToolCall {
  readonly place: ToolPlace
  /** argv[0] is the tool's name */
  readonly argv: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** 0 is root */
  readonly uid: number
  readonly clock: Clock
  /** ends when the caller's standard input does */
  readonly stdin: AsyncIterable<Uint8Array>
  /** set when standard output is a terminal */
  readonly tty?: { cols: number; rows: number }
  out(text: string | Uint8Array): void
  err(text: string | Uint8Array): void
  /** SIGINT or the caller has gone */
  readonly signal: AbortSignal
  /** Below: what only a call from a real process in a sandbox has. */
  /** resolves when what was written so far has left; for tools that write without end */
  drain?(): Promise<void>
  /** standard input is a terminal and standard output is not, or this is a job in the background: reading would take keys from somebody else */
  readonly keyboardOnly?: boolean
  /** the caller's terminal, when its input and its output are one */
  readonly terminal?: {
    /** keys come as they are pressed, unechoed, until the call ends */
    raw(): void
    onResize(listener: (size: { cols: number; rows: number }) => void): void
  }
  /** the caller becomes this real program (a path of its place) instead of waiting here; the call is over with it */
  become?(program: string, argv: readonly string[]): void
  /** opens a port of the caller's own loopback, where a real program may listen (`kubectl port-forward`); rejects with ECONNREFUSED in `code` */
  connect?(port: number): Promise<import('node:stream').Duplex>
}
/** Answers with the exit code. What it throws is printed after the tool's name, exit code 1. */
export type Tool = (call: ToolCall) => Promise<number>

/** A real process in a sandbox. */
export interface Spawned {
  readonly pid: number
  /** output of a pty is all stdout */
  onData(listener: (bytes: Uint8Array, stream: 'stdout' | 'stderr') => void): void
  onExit(listener: (code: number) => void): void
  write(bytes: Uint8Array): void
  endInput(): void
  resize(size: { cols: number; rows: number }): void
  pause(): void
  resume(): void
  kill(signal?: NodeJS.Signals): void
}
export interface SpawnRequest {
  argv: readonly string[]
  /** root or the learner */
  user: string
  cwd?: string
  env?: Readonly<Record<string, string>>
  pty?: { cols: number; rows: number }
}
/** Real processes on one place of one lab: a machine, or a container. All of a place see each other, and nothing beyond it. */
export interface Sandbox {
  spawn(request: SpawnRequest): Promise<Spawned>
  /** from now on these ports are open to real clients in the place, and no others; at first those that `open` was given */
  listen?(ports: readonly { address: string; port: number }[]): Promise<void>
  /** ends every process of the place; files stay */
  close(): Promise<void>
}
/** Makes sandboxes. Implemented with bubblewrap in `sandbox/`; handed in, so that the rest runs and is tested without. */
export interface ProcessHost {
  /** `tools`: names of the simulated tools that stand in the place's PATH; `call` is asked for each use of one */
  open(place: {
    id: string
    machine: Machine
    /** container's root instead of the machine's */
    files?: Files
    hostname: string
    /** what lies elsewhere on the host than below the root: volumes of a container; later ones lie over earlier ones */
    mounts?: readonly { path: string; source: string; readOnly?: boolean }[]
    /** address:port pairs at which real clients (kubectl) in this place find a listener of the lab, and who takes the connections */
    ports: readonly { address: string; port: number }[]
    /** the same for datagrams, for as long as the place is open: `answer` gives a packet's answer, undefined when none comes back */
    datagrams?: {
      ports: readonly { address: string; port: number }[]
      answer(to: { address: string; port: number }, packet: Uint8Array): Promise<Uint8Array | undefined>
    }
    /** names for the place's /etc/hosts that must resolve for real clients are in its own /etc/hosts file */
    tools: readonly string[]
    call(tool: string, request: Omit<ToolCall, 'place' | 'clock'>): Promise<number>
    /** a real TCP connection from inside the place to one of `ports` */
    connection(to: { address: string; port: number }, socket: import('node:net').Socket): void
  }): Promise<Sandbox>
  /** what is missing on this machine, and how to get it; null when sandboxes work */
  missing(): Promise<{ message: string; remedy: string } | null>
}
