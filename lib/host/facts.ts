// Facts about the machine that decide how a cluster is made on it. Changes nothing, throws nothing: what cannot be told is undefined.
import { type Machine, thisMachine } from './machine.ts'

/** Name of the Docker runtime that set-up adds where the kernel withholds CAP_SYS_RESOURCE. */
export const wrapperRuntime = 'runc-without-sys-resource'

/** What `docker info` says, as far as it matters here. */
export interface DockerFacts {
  serverVersion: string
  defaultRuntime: string
  runtimes: readonly string[]
  storageDriver: string
  cgroupVersion: 1 | 2
  rootFolder: string
  cpus: number
  memoryBytes: number
  /** running containers, ours or not */
  running: number
  rootless: boolean
  operatingSystem: string
  /** Docker runs in a virtual machine of its own (Docker Desktop, a remote host): facts read here do not hold there */
  elsewhere: boolean
}
/** Why Docker does not answer. `missing`: no client; `no-rights`: this user may not; `not-running`: no daemon answers. */
export type DockerState = { state: 'ok'; facts: DockerFacts } | { state: 'missing' | 'no-rights' | 'not-running'; message: string }

/** Asks the Docker client. `executable` default: docker in PATH. */
export async function dockerState(machine: Machine): Promise<DockerState> {
  let output: { exitCode: number; stdout: string; stderr: string }
  try {
    output = await machine.runner.run({ argv: ['docker', 'info', '--format', '{{json .}}'], timeoutMs: 15_000 })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'not-found')
      return { state: 'missing', message: 'The program `docker` is not installed.' }
    return { state: 'not-running', message: error instanceof Error ? error.message : String(error) }
  }
  let info: Record<string, unknown>
  try {
    info = JSON.parse(output.stdout)
  } catch {
    info = {}
  }
  const errors = Array.isArray(info.ServerErrors) ? info.ServerErrors.join(' ') : ''
  const complaint = `${errors} ${output.stderr}`.trim()
  if (typeof info.ServerVersion !== 'string' || info.ServerVersion === '') {
    if (/permission denied/i.test(complaint))
      return { state: 'no-rights', message: 'This user may not use the Docker socket (permission denied).' }
    return { state: 'not-running', message: complaint.split('\n')[0] || 'No Docker daemon answers.' }
  }
  const security = Array.isArray(info.SecurityOptions) ? info.SecurityOptions.map(String) : []
  const host = machine.env.DOCKER_HOST ?? ''
  const operatingSystem = String(info.OperatingSystem ?? '')
  return {
    state: 'ok',
    facts: {
      serverVersion: info.ServerVersion,
      defaultRuntime: String(info.DefaultRuntime ?? 'runc'),
      runtimes: Object.keys((info.Runtimes as Record<string, unknown> | null) ?? {}),
      storageDriver: String(info.Driver ?? ''),
      cgroupVersion: String(info.CgroupVersion) === '1' ? 1 : 2,
      rootFolder: String(info.DockerRootDir ?? '/var/lib/docker'),
      cpus: Number(info.NCPU ?? 0),
      memoryBytes: Number(info.MemTotal ?? 0),
      running: Number(info.ContainersRunning ?? 0),
      rootless: security.some((option) => option.includes('name=rootless')),
      operatingSystem,
      elsewhere: machine.platform !== 'linux' || /Docker Desktop/i.test(operatingSystem) || /^(tcp|ssh|https?):/.test(host),
    },
  }
}

/** CAP_SYS_RESOURCE is bit 24 of a capability set (include/uapi/linux/capability.h). */
const sysResourceBit = 1n << 24n

export interface MachineFacts {
  /** Docker's daemon manages cgroups by version 1; kubelet ≥ 1.35 refuses that unless failCgroupV1 is false */
  cgroupV1: boolean
  /** containers here cannot be given CAP_SYS_RESOURCE: kind needs restrict_oom_score_adj and KubeletInUserNamespace */
  lacksSysResource: boolean
  /** this process runs in a container itself */
  inContainer: boolean
  /** where facts about this machine hold for Docker's too; false with Docker Desktop or a remote daemon */
  dockerIsLocal: boolean
}

/** The facts that the kind adapter's configuration depends on. Takes some 0.1 s. */
export async function machineFacts(machine: Machine = thisMachine, docker?: DockerState): Promise<MachineFacts> {
  const state = docker ?? (await dockerState(machine))
  const elsewhere = state.state === 'ok' && state.facts.elsewhere
  const bound = /^CapBnd:\s*([0-9a-f]+)/m.exec((await machine.readText('/proc/self/status')) ?? '')?.[1]
  const withheld = bound !== undefined && (BigInt(`0x${bound}`) & sysResourceBit) === 0n
  const wrapped = state.state === 'ok' && state.facts.defaultRuntime === wrapperRuntime
  const filesystems = (await machine.readText('/proc/self/mounts')) ?? ''
  const cgroupV1 = state.state === 'ok' ? state.facts.cgroupVersion === 1 : / \/sys\/fs\/cgroup\/\S+ cgroup /.test(filesystems)
  const inContainer = (await machine.readText('/.dockerenv')) !== undefined || (await machine.readText('/run/.containerenv')) !== undefined
  return { cgroupV1, lacksSysResource: wrapped || (withheld && !elsewhere), inContainer, dockerIsLocal: !elsewhere }
}
