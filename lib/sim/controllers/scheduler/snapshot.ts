// Nodes with what runs on them, as the scheduler counts it: requests, host ports, pods. Knows no rules.
import type { KubeObject } from '../../kube.ts'
import { milli, quantity } from '../../schema/index.ts'

/** cpu in thousandths, the rest in bytes or pieces */
export interface Requests {
  cpu: number
  memory: number
  'ephemeral-storage': number
  /** extended resources and huge pages */
  [scalar: string]: number
}
const amount = (name: string, value: string | number): number => (name === 'cpu' ? milli(value) : quantity(value))
function add(sum: Requests, list: KubeObject | undefined): void {
  for (const [name, value] of Object.entries<string>(list ?? {})) sum[name] = (sum[name] ?? 0) + amount(name, value)
}
function max(sum: Requests, other: Requests): void {
  for (const [name, value] of Object.entries(other)) sum[name] = Math.max(sum[name] ?? 0, value)
}
const none = (): Requests => ({ cpu: 0, memory: 0, 'ephemeral-storage': 0 })
const sidecar = (container: KubeObject): boolean => container.restartPolicy === 'Always'

// pkg/scheduler/util: what a container without a request counts in scores
const defaultCpu = 100
const defaultMemory = 200 * 1024 * 1024

/**
 * What a pod asks for: its containers together with its sidecars, or its largest init container if that is more, and its overhead
 * (k8s.io/component-helpers/resource). `scoring`: a container that does not say counts as 100m and 200 Mi.
 */
export function requestsOf(pod: KubeObject, scoring = false): Requests {
  const one = (container: KubeObject): Requests => {
    const sum = none()
    add(sum, container.resources?.requests)
    if (scoring && container.resources?.requests?.cpu === undefined) sum.cpu = defaultCpu
    if (scoring && container.resources?.requests?.memory === undefined) sum.memory = defaultMemory
    return sum
  }
  const total = none()
  const plus = (part: Requests) => {
    for (const [name, value] of Object.entries(part)) total[name] = (total[name] ?? 0) + value
  }
  for (const container of pod.spec.containers ?? []) plus(one(container))
  const running = none()
  const most = none()
  for (const container of pod.spec.initContainers ?? []) {
    const own = one(container)
    if (sidecar(container)) {
      plus(own)
      for (const [name, value] of Object.entries(own)) running[name] = (running[name] ?? 0) + value
      max(most, running)
    } else
      max(
        most,
        Object.fromEntries(
          Object.entries({ ...running, ...own }).map(([name]) => [name, (running[name] ?? 0) + (own[name] ?? 0)]),
        ) as Requests,
      )
  }
  max(total, most)
  for (const [name, value] of Object.entries<string>(pod.spec.resources?.requests ?? {})) total[name] = amount(name, value)
  add(total, pod.spec.overhead)
  return total
}
export function allocatableOf(node: KubeObject): Requests & { pods: number } {
  const sum = { ...none(), pods: 0 }
  add(sum, node.status?.allocatable)
  return sum
}

export interface HostPort {
  ip: string
  protocol: string
  port: number
}
export function hostPorts(pod: KubeObject): HostPort[] {
  const sidecars = (pod.spec.initContainers ?? []).filter(sidecar)
  return [...(pod.spec.containers ?? []), ...sidecars].flatMap((container: KubeObject) =>
    (container.ports ?? [])
      .filter((port: KubeObject) => port.hostPort)
      .map((port: KubeObject) => ({ ip: port.hostIP || '0.0.0.0', protocol: port.protocol ?? 'TCP', port: port.hostPort })),
  )
}

export class NodeInfo {
  readonly node: KubeObject
  readonly allocatable: Requests & { pods: number }
  pods: KubeObject[] = []
  requested: Requests = none()
  scoring: Requests = none()

  constructor(node: KubeObject) {
    this.node = node
    this.allocatable = allocatableOf(node)
  }
  get name(): string {
    return this.node.metadata.name
  }
  add(pod: KubeObject): void {
    this.pods.push(pod)
    for (const [name, value] of Object.entries(requestsOf(pod))) this.requested[name] = (this.requested[name] ?? 0) + value
    for (const [name, value] of Object.entries(requestsOf(pod, true))) this.scoring[name] = (this.scoring[name] ?? 0) + value
  }
  /** the same node with other pods on it */
  with(pods: readonly KubeObject[]): NodeInfo {
    const copy = new NodeInfo(this.node)
    for (const pod of pods) copy.add(pod)
    return copy
  }
}
export function snapshot(nodes: readonly KubeObject[], pods: readonly KubeObject[]): Map<string, NodeInfo> {
  const infos = new Map<string, NodeInfo>()
  for (const node of nodes) infos.set(node.metadata.name, new NodeInfo(node))
  for (const pod of pods) {
    if (pod.spec.nodeName && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed') infos.get(pod.spec.nodeName)?.add(pod)
  }
  return infos
}
