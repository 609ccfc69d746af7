// What the kubelet tells of its node: registration, status with its conditions, the lease. Knows nothing of pods.
import type { Clock } from '../clock.ts'
import { ApiError, type Client, type KubeObject } from '../kube.ts'
import type { Machine } from '../machine.ts'
import type { Random } from '../random.ts'
import type { Configuration } from './config.ts'
import type { Observation, Pressure } from './eviction.ts'
import { seconds } from './status.ts'
import type { Runtime } from './types.ts'

export interface NodeDeps {
  machine: Machine
  runtime: Runtime
  config: Configuration
  clock: Clock
  random: Random
  kubeletVersion: string
  client(): Client
  event(type: 'Normal' | 'Warning', reason: string, message: string): void
  log(severity: 'I' | 'W' | 'E', file: string, text: string): void
  /** why the node is not ready; [] when it is */
  problems(): string[]
  /** whether it runs short of what the condition is about */
  under(pressure: Pressure): boolean
}

const disk = '264212084Ki'
/** Each condition with reason and message of both its states (nodestatus/setters.go). */
const pressures: readonly (readonly [Pressure, readonly [string, string], readonly [string, string]])[] = [
  [
    'MemoryPressure',
    ['KubeletHasInsufficientMemory', 'kubelet has insufficient memory available'],
    ['KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
  ],
  ['DiskPressure', ['KubeletHasDiskPressure', 'kubelet has disk pressure'], ['KubeletHasNoDiskPressure', 'kubelet has no disk pressure']],
  [
    'PIDPressure',
    ['KubeletHasInsufficientPID', 'kubelet has insufficient PID available'],
    ['KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
  ],
]
/** What the machine has of what eviction thresholds ask for: a disk that is 60 % full, and more inodes and processes than it needs. */
export function observe(machine: Machine, signal: string): Observation {
  if (signal.startsWith('memory') || signal.startsWith('allocatableMemory'))
    return { capacity: machine.memoryBytes, available: Math.floor(machine.memoryBytes * 0.62) }
  if (signal.startsWith('pid')) return { capacity: 192_466, available: 191_238 }
  if (signal.endsWith('inodesFree')) return { capacity: 16_777_216, available: 15_204_611 }
  const bytes = Number.parseInt(disk, 10) * 1024
  return { capacity: bytes, available: Math.floor(bytes * 0.4) }
}
/** The same for the whole life of a machine. */
function identity(name: string): string {
  let out = ''
  for (let part = 0; part < 4; part++) {
    let hash = 0x811c9dc5 ^ (part * 0x85ebca6b)
    for (const letter of name) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193)
    out += (hash >>> 0).toString(16).padStart(8, '0')
  }
  return out
}

export class NodeStatus {
  readonly #deps: NodeDeps
  readonly #boot: string
  #registered = false
  #lastReport = 0
  #last = ''
  #ready: string | undefined

  constructor(deps: NodeDeps) {
    this.#deps = deps
    const id = identity(`${deps.machine.name} boot`)
    this.#boot = `${id.slice(0, 8)}-${id.slice(8, 12)}-4${id.slice(13, 16)}-8${id.slice(17, 20)}-${id.slice(20)}`
  }
  get registered(): boolean {
    return this.#registered
  }
  get ready(): boolean {
    return this.#ready === 'True'
  }

  /** Makes the Node or finds it, with its labels; false when the API could not be asked. */
  register(): boolean {
    const { client, config, log } = this.#deps
    const name = config.hostname
    try {
      const there = client().find('v1/nodes', name)
      if (!there) {
        const node = this.#node()
        log('I', 'kubelet_node_status.go:75', `"Attempting to register node" node=${JSON.stringify(name)}`)
        client().create('v1/nodes', { ...node, status: this.#status({}) }, { fieldManager: 'kubelet' })
        log('I', 'kubelet_node_status.go:78', `"Successfully registered node" node=${JSON.stringify(name)}`)
        this.#lastReport = this.#deps.clock.now()
      } else {
        const labels = { ...there.metadata.labels, ...this.#labels() }
        if (JSON.stringify(labels) !== JSON.stringify(there.metadata.labels ?? {}))
          client().patch('v1/nodes', name, undefined, 'strategic', { metadata: { labels } }, { fieldManager: 'kubelet' })
      }
      this.#registered = true
      return true
    } catch (error) {
      log(
        'E',
        'kubelet_node_status.go:107',
        `"Unable to register node with API server" err=${JSON.stringify((error as Error).message)} node=${JSON.stringify(name)}`,
      )
      return false
    }
  }
  #labels(): Record<string, string> {
    const { config } = this.#deps
    return {
      'beta.kubernetes.io/arch': 'amd64',
      'beta.kubernetes.io/os': 'linux',
      'kubernetes.io/arch': 'amd64',
      'kubernetes.io/hostname': config.hostname,
      'kubernetes.io/os': 'linux',
      ...config.nodeLabels,
    }
  }
  #node(): KubeObject {
    const { config } = this.#deps
    return {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name: config.hostname,
        labels: this.#labels(),
        annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
      },
      spec: { ...(config.providerID ? { providerID: config.providerID } : {}), ...(config.taints.length ? { taints: config.taints } : {}) },
    }
  }

  /** Tells the API how the node is, when it has changed or has not been told for long. */
  report(): void {
    const { client, config, clock, log } = this.#deps
    if (!this.#registered && !this.register()) return
    const now = clock.now()
    try {
      const there = client().find('v1/nodes', config.hostname)
      if (!there) {
        // Deleted: it comes back only when the kubelet starts anew.
        log(
          'E',
          'kubelet_node_status.go:487',
          `"Error updating node status, will retry" err="error getting node \\"${config.hostname}\\": nodes \\"${config.hostname}\\" not found"`,
        )
        return
      }
      const status = this.#status(there.status ?? {})
      const essence = JSON.stringify({
        ...status,
        conditions: status.conditions.map(({ lastHeartbeatTime: _, ...one }: KubeObject) => one),
      })
      if (this.#last === essence && now - this.#lastReport < config.nodeStatusReportMs && sameConditions(status, there.status)) return
      const others = (there.status?.conditions ?? []).filter(
        (one: KubeObject) => !status.conditions.some((own: KubeObject) => own.type === one.type),
      )
      client().update(
        'v1/nodes',
        { ...there, status: { ...there.status, ...status, conditions: [...others, ...status.conditions] } },
        { subresource: 'status', fieldManager: 'kubelet' },
      )
      this.#last = essence
      this.#lastReport = now
      this.#announce(status, there.status ?? {})
    } catch (error) {
      log(
        'E',
        'kubelet_node_status.go:487',
        `"Error updating node status, will retry" err=${JSON.stringify(`error getting node ${JSON.stringify(config.hostname)}: ${(error as Error).message}`)}`,
      )
    }
  }
  #announce(status: KubeObject, before: KubeObject): void {
    const { config, event, log } = this.#deps
    const now = status.conditions.find((one: KubeObject) => one.type === 'Ready')
    const old = (before.conditions ?? []).find((one: KubeObject) => one.type === 'Ready')
    this.#ready = now.status
    for (const [type, short, enough] of pressures) {
      const after = status.conditions.find((one: KubeObject) => one.type === type)?.status
      const earlier = (before.conditions ?? []).find((one: KubeObject) => one.type === type)?.status
      if (earlier === undefined || earlier === after) continue
      const reason = (after === 'True' ? short : enough)[0].replace(/^Kubelet/, 'Node')
      event('Normal', reason, `Node ${config.hostname} status is now: ${reason}`)
    }
    if (old?.status === now.status) return
    const reason = now.status === 'True' ? 'NodeReady' : 'NodeNotReady'
    if (old || now.status === 'True') event('Normal', reason, `Node ${config.hostname} status is now: ${reason}`)
    if (now.status === 'True') log('I', 'kubelet_node_status.go:427', '"Fast updating node status as it just became ready"')
    else
      log(
        'I',
        'setters.go:543',
        `"Node became not ready" node=${JSON.stringify(config.hostname)} condition=${JSON.stringify({ type: 'Ready', status: 'False', lastHeartbeatTime: now.lastHeartbeatTime, lastTransitionTime: now.lastTransitionTime, reason: now.reason, message: now.message })}`,
      )
  }

  #status(before: KubeObject): KubeObject {
    const { machine, runtime, config, clock, kubeletVersion, problems, under } = this.#deps
    const now = seconds(clock.now())
    const condition = (type: string, status: string, reason: string, message: string): KubeObject => {
      const old = (before.conditions ?? []).find((one: KubeObject) => one.type === type)
      return {
        type,
        status,
        lastHeartbeatTime: now,
        lastTransitionTime: old?.status === status && old.lastTransitionTime ? old.lastTransitionTime : now,
        reason,
        message,
      }
    }
    const wrong = problems()
    const capacity = {
      cpu: String(machine.cpus),
      'ephemeral-storage': disk,
      'hugepages-1Gi': '0',
      'hugepages-2Mi': '0',
      memory: `${Math.floor(machine.memoryBytes / 1024)}Ki`,
      pods: String(config.maxPods),
    }
    const machineId = identity(machine.name)
    let images = before.images ?? []
    let version = before.nodeInfo?.containerRuntimeVersion ?? 'containerd://Unknown'
    if (runtime.running) {
      const byDigest = new Map<string, { names: string[]; sizeBytes: number }>()
      for (const image of runtime.images()) {
        const known = byDigest.get(image.digest)
        if (known) known.names.push(image.name)
        else byDigest.set(image.digest, { names: [image.name], sizeBytes: image.sizeBytes })
      }
      images = [...byDigest.values()].sort((a, b) => b.sizeBytes - a.sizeBytes).slice(0, 50)
      version = `containerd://${runtime.version.replace(/^v/, '')}`
    }
    const features = { recursiveReadOnlyMounts: true, userNamespaces: false }
    const os = /^PRETTY_NAME="?([^"\n]*)/m.exec(machine.files.text('/etc/os-release') ?? '')?.[1] ?? 'Debian GNU/Linux 13 (trixie)'
    return {
      capacity,
      allocatable: capacity,
      conditions: [
        ...pressures.map(([type, short, enough]) => {
          const is = under(type)
          const [reason, message] = is ? short : enough
          return condition(type, is ? 'True' : 'False', reason, message)
        }),
        wrong.length
          ? condition('Ready', 'False', 'KubeletNotReady', wrong.length === 1 ? (wrong[0] as string) : `[${wrong.join(', ')}]`)
          : condition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'),
      ],
      addresses: [
        { type: 'InternalIP', address: config.nodeIP },
        { type: 'Hostname', address: config.hostname },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: config.port } },
      nodeInfo: {
        machineID: machineId,
        systemUUID: machineId,
        bootID: this.#boot,
        kernelVersion: '6.18.44-fc-v669',
        osImage: os,
        containerRuntimeVersion: version,
        kubeletVersion,
        kubeProxyVersion: '',
        operatingSystem: 'linux',
        architecture: 'amd64',
      },
      images,
      runtimeHandlers: [
        { name: '', features },
        { name: 'runc', features },
        { name: 'test-handler', features },
      ],
      features: { supplementalGroupsPolicy: true },
    }
  }

  /** Renews the lease of the node, or makes it. */
  renew(): void {
    const { client, config, clock, log, random } = this.#deps
    const name = config.hostname
    const stamp = new Date(clock.now()).toISOString().replace('Z', `${String(random.int(1000)).padStart(3, '0')}Z`)
    try {
      const api = client()
      const lease = api.find('coordination.k8s.io/v1/leases', name, 'kube-node-lease')
      if (lease) {
        api.update('coordination.k8s.io/v1/leases', {
          ...lease,
          spec: { ...lease.spec, holderIdentity: name, leaseDurationSeconds: config.leaseSeconds, renewTime: stamp },
        })
        return
      }
      const node = api.find('v1/nodes', name)
      if (!node) {
        log(
          'E',
          'nodelease.go:50',
          `"Failed to get node when trying to set owner ref to the node lease" err="nodes \\"${name}\\" not found" node=${JSON.stringify(name)}`,
        )
        return
      }
      api.create('coordination.k8s.io/v1/leases', {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: {
          name,
          namespace: 'kube-node-lease',
          ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid: node.metadata.uid }],
        },
        spec: { holderIdentity: name, leaseDurationSeconds: config.leaseSeconds, renewTime: stamp },
      })
    } catch (error) {
      if (error instanceof ApiError && error.code === 409) return
      log('E', 'controller.go:201', `"Failed to update lease" err=${JSON.stringify((error as Error).message)}`)
    }
  }
}

const sameConditions = (own: KubeObject, there: KubeObject): boolean =>
  own.conditions.every((one: KubeObject) => {
    const found = (there?.conditions ?? []).find((other: KubeObject) => other.type === one.type)
    return found?.status === one.status && found.reason === one.reason && found.message === one.message
  })
