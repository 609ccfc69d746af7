// Addresses and ports of Services: chosen from the service range and from 30000-32767, taken by an IPAddress object each, given back with the
// Service. Knows nothing of how packets get there. Sources: pkg/registry/core/service/{storage/alloc.go,ipallocator,portallocator}.
import type { KubeObject } from '../kube.ts'
import type { Random } from '../random.ts'
import type { Cause } from '../schema/index.ts'
import type { Store } from './store.ts'

export const addressBucket = 'ipaddresses.networking.k8s.io'
const [firstPort, lastPort] = [30_000, 32_767]

export interface Allocator {
  store: Store
  random: Random
  /** CIDR, IPv4 */
  range: string
  now: string
}

const toNumber = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
const toText = (value: number): string => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')
function bounds(range: string): { first: number; size: number } {
  const [address = '', bits = '0'] = range.split('/')
  return { first: toNumber(address), size: 2 ** (32 - Number(bits)) }
}
/** the address of Service default/kubernetes: the first of the range */
export const firstAddress = (range: string): string => toText(bounds(range).first + 1)

function inRange(range: string, address: string): boolean {
  const { first, size } = bounds(range)
  const at = toNumber(address) - first
  return at > 0 && at < size - 1
}

/** A free address: as the real allocator, from beyond the lower part of the range that is kept for people's own choice. */
function freeAddress({ store, random, range }: Allocator): string | undefined {
  const { first, size } = bounds(range)
  const kept = Math.min(Math.max(16, Math.floor(size / 16)), 256)
  const start = size - 2 > kept ? kept : 1
  const span = size - 1 - start
  const from = random.int(span)
  for (let at = 0; at < size - 2; at++) {
    const candidate = toText(first + (at < span ? start + ((from + at) % span) : 1 + at - span))
    if (store.get(addressBucket, '', candidate) === undefined) return candidate
  }
  return undefined
}
function usedPorts(store: Store): Set<number> {
  const used = new Set<number>()
  for (const service of store.list('services')) {
    for (const port of service.spec.ports ?? []) if (port.nodePort) used.add(port.nodePort)
    if (service.spec.healthCheckNodePort) used.add(service.spec.healthCheckNodePort)
  }
  return used
}
const needsAddress = (spec: KubeObject): boolean => spec.type !== 'ExternalName' && spec.clusterIP !== 'None'
const needsPorts = (spec: KubeObject): boolean =>
  spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false)

/** Fills the families, clusterIP(s) and nodePorts of a Service that is about to be stored. Changes `service`; the causes are why it may not be. */
export function allocate(allocator: Allocator, service: KubeObject, old?: KubeObject): { causes: Cause[]; take: string[]; give: string[] } {
  const spec = service.spec
  const causes: Cause[] = []
  const take: string[] = []
  const give: string[] = []
  if (old !== undefined) {
    keepOld(spec, old.spec)
    dropOfType(spec, old.spec)
  }
  const had: string[] = old !== undefined && needsAddress(old.spec) ? (old.spec.clusterIPs ?? []) : []
  if (spec.type === 'ExternalName') {
    for (const key of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'internalTrafficPolicy']) delete spec[key]
    give.push(...had)
  } else {
    spec.ipFamilies ??= ['IPv4']
    spec.ipFamilyPolicy ??= 'SingleStack'
    if (spec.clusterIP === undefined || spec.clusterIP === '') spec.clusterIP = spec.clusterIPs?.[0]
    if (spec.clusterIP === 'None') {
      spec.clusterIPs = ['None']
      give.push(...had)
    } else if (spec.clusterIP === undefined || spec.clusterIP === '') {
      const free = freeAddress(allocator)
      if (free === undefined) {
        causes.push({ reason: 'InternalError', message: 'Internal error: failed to allocate a serviceIP: range is full', field: '' })
      } else {
        spec.clusterIP = free
        spec.clusterIPs = [free]
        take.push(free)
      }
    } else {
      spec.clusterIPs = [spec.clusterIP]
      if (!had.includes(spec.clusterIP)) {
        const why = refusal(allocator, spec.clusterIP)
        if (why === undefined) take.push(spec.clusterIP)
        else {
          const value = JSON.stringify(spec.clusterIPs)
          causes.push({
            reason: 'FieldValueInvalid',
            message: `Invalid value: ${value}: failed to allocate IP ${spec.clusterIP}: ${why}`,
            field: 'spec.clusterIPs',
          })
        }
        give.push(...had)
      }
    }
  }
  allocatePorts(allocator, spec, old, causes)
  return { causes, take, give }
}
/** what an update leaves out stays as it was. Source: pkg/registry/core/service/strategy.go patchAllocatedValues */
function keepOld(spec: KubeObject, old: KubeObject): void {
  if (needsAddress(old) && needsAddress(spec)) {
    if (spec.clusterIP === undefined || spec.clusterIP === '') spec.clusterIP = old.clusterIP
    if (spec.clusterIPs === undefined || spec.clusterIPs.length === 0) spec.clusterIPs = old.clusterIPs
  }
  if (spec.type !== 'ExternalName') {
    spec.ipFamilies ??= old.ipFamilies
    spec.ipFamilyPolicy ??= old.ipFamilyPolicy
  }
  if (needsPorts(old) && needsPorts(spec)) {
    for (const port of spec.ports ?? []) {
      if (port.nodePort) continue
      const same = (old.ports ?? []).find(
        (one: KubeObject) => one.port === port.port && (one.protocol ?? 'TCP') === (port.protocol ?? 'TCP'),
      )
      if (same?.nodePort && !spec.ports.some((one: KubeObject) => one.nodePort === same.nodePort)) port.nodePort = same.nodePort
    }
  }
}
/** What only the old type has goes with it, unless it was changed by hand. Source: strategy.go dropTypeDependentFields */
function dropOfType(spec: KubeObject, old: KubeObject): void {
  const drop = (key: string) => {
    if (JSON.stringify(spec[key]) === JSON.stringify(old[key])) delete spec[key]
  }
  // pkg/api/service/util.go ExternallyAccessible
  const outside = (one: KubeObject) =>
    one.type === 'NodePort' || one.type === 'LoadBalancer' || (one.type === 'ClusterIP' && (one.externalIPs ?? []).length > 0)
  if (needsAddress(old) && !needsAddress(spec) && spec.type === 'ExternalName') {
    for (const key of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']) drop(key)
  }
  if (needsPorts(old) && !needsPorts(spec)) {
    const ports = (one: KubeObject) => JSON.stringify((one.ports ?? []).map((port: KubeObject) => port.nodePort))
    if (ports(spec) === ports(old)) for (const port of spec.ports ?? []) delete port.nodePort
  }
  if (outside(old) && !outside(spec)) drop('externalTrafficPolicy')
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    for (const key of ['allocateLoadBalancerNodePorts', 'loadBalancerClass', 'healthCheckNodePort']) drop(key)
  }
}
function refusal({ store, range }: Allocator, address: string): string | undefined {
  if (!inRange(range, address)) {
    const { first, size } = bounds(range)
    return first === toNumber(address) || toNumber(address) === first + size - 1 || !inBlock(range, address)
      ? `the provided network does not match the current range`
      : 'provided IP is not in the valid range'
  }
  return store.get(addressBucket, '', address) === undefined ? undefined : 'provided IP is already allocated'
}
function inBlock(range: string, address: string): boolean {
  const { first, size } = bounds(range)
  const at = toNumber(address) - first
  return at >= 0 && at < size
}

function allocatePorts({ store, random }: Allocator, spec: KubeObject, old: KubeObject | undefined, causes: Cause[]): void {
  if (!needsPorts(spec)) {
    return
  }
  const own = new Set<number>((old?.spec.ports ?? []).map((port: KubeObject) => port.nodePort).filter(Boolean))
  const used = usedPorts(store)
  const chosen = new Map<number, string>()
  spec.ports?.forEach((port: KubeObject, at: number) => {
    if (!port.nodePort) return
    const invalid = (message: string) =>
      causes.push({
        reason: 'FieldValueInvalid',
        message: `Invalid value: ${port.nodePort}: ${message}`,
        field: `spec.ports[${at}].nodePort`,
      })
    const protocol = port.protocol ?? 'TCP'
    if (port.nodePort < firstPort || port.nodePort > lastPort)
      invalid(`provided port is not in the valid range. The range of valid ports is ${firstPort}-${lastPort}`)
    else if (!own.has(port.nodePort) && used.has(port.nodePort)) invalid('provided port is already allocated')
    chosen.set(port.nodePort, protocol)
  })
  for (const port of spec.ports ?? []) {
    if (port.nodePort) continue
    // Two protocols of one port share a node port, as TCP and UDP of DNS do.
    const twin = spec.ports.find(
      (one: KubeObject) => one !== port && one.port === port.port && one.nodePort && (one.protocol ?? 'TCP') !== (port.protocol ?? 'TCP'),
    )
    if (twin !== undefined) {
      port.nodePort = twin.nodePort
      continue
    }
    // The lower part is kept for people's own choice here too.
    const from = 30_086 + random.int(lastPort - 30_086 + 1)
    for (let at = 0; at <= lastPort - firstPort; at++) {
      const candidate = firstPort + ((from - firstPort + at) % (lastPort - firstPort + 1))
      if (used.has(candidate) || chosen.has(candidate)) continue
      port.nodePort = candidate
      chosen.set(candidate, port.protocol ?? 'TCP')
      break
    }
  }
}

/** Writes the IPAddress objects of what was taken and removes those given back. */
export function settle(allocator: Allocator, service: KubeObject, take: readonly string[], give: readonly string[]): void {
  for (const address of give) allocator.store.remove(addressBucket, '', address)
  for (const address of take) {
    allocator.store.put(addressBucket, {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IPAddress',
      metadata: {
        name: address,
        uid: allocator.random.uuid(),
        creationTimestamp: allocator.now,
        labels: { 'ipaddress.kubernetes.io/ip-family': 'IPv4', 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' },
      },
      spec: { parentRef: { name: service.metadata.name, namespace: service.metadata.namespace, resource: 'services' } },
    })
  }
}
/** of a Service that is gone */
export const release = (allocator: Allocator, service: KubeObject): void =>
  settle(allocator, service, [], needsAddress(service.spec) ? (service.spec.clusterIPs ?? []) : [])
