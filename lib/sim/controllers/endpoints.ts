// EndpointSlices and Endpoints of Services with a selector, and EndpointSlices of Endpoints that a person wrote (k8s.io/endpointslice,
// pkg/controller/endpoint, endpointslicemirroring).
import type { KubeObject } from '../kube.ts'
import { keyOf, type Run, splitKey, unless } from './context.ts'
import { canonical, condition, controllerRef, fnv128a, hasLabels, parseTime, same } from './objects.ts'
import { isReady, isTerminal, namespaceEnds } from './pods.ts'

const services = 'v1/services'
const sliceResource = 'discovery.k8s.io/v1/endpointslices'
const endpointsResource = 'v1/endpoints'
const serviceLabel = 'kubernetes.io/service-name'
const managedLabel = 'endpointslice.kubernetes.io/managed-by'
const headlessLabel = 'service.kubernetes.io/headless'
const triggerAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time'
const skipMirror = 'endpointslice.kubernetes.io/skip-mirror'
const sliceManager = 'endpointslice-controller.k8s.io'
const mirrorManager = 'endpointslicemirroring-controller.k8s.io'
// --max-endpoints-per-slice and the mirror's; --mirroring-max-endpoints-per-subset
const sliceSize = 100
const mirrorMax = 1000

const isHeadless = (service: KubeObject): boolean => !service.spec.clusterIP || service.spec.clusterIP === 'None'
const selected = (service: KubeObject): boolean =>
  service.spec.type !== 'ExternalName' && Object.keys(service.spec.selector ?? {}).length > 0

/** whether a change of a pod matters to any Service (k8s.io/endpointslice/util podEndpointsChanged) */
function matters(pod: KubeObject, old: KubeObject): boolean {
  return (
    !same(pod.metadata.labels, old.metadata.labels) ||
    !same(pod.status?.podIPs, old.status?.podIPs) ||
    isReady(pod) !== isReady(old) ||
    isTerminal(pod) !== isTerminal(old) ||
    !pod.metadata.deletionTimestamp !== !old.metadata.deletionTimestamp ||
    pod.spec.nodeName !== old.spec.nodeName ||
    pod.spec.hostname !== old.spec.hostname
  )
}
function follow(run: Run, add: (key: string) => void): void {
  run.watch(services, {
    added: (service) => add(keyOf(service)),
    updated: (service) => add(keyOf(service)),
    deleted: (service) => add(keyOf(service)),
  })
  const ofPod = (...pods: KubeObject[]) => {
    for (const [key, service] of run.seen(services)) {
      if (!selected(service)) continue
      const hit = pods.some(
        (pod) => pod.metadata.namespace === service.metadata.namespace && hasLabels(pod.metadata.labels, service.spec.selector),
      )
      if (hit) add(key)
    }
  }
  run.watch('v1/pods', {
    added: (pod) => ofPod(pod),
    updated: (pod, old) => {
      if (matters(pod, old)) ofPod(pod, old)
    },
    deleted: (pod) => ofPod(pod),
  })
}
function podsOf(run: Run, service: KubeObject, terminating: boolean): KubeObject[] {
  return run
    .list('v1/pods', { namespace: service.metadata.namespace })
    .filter(
      (pod) =>
        hasLabels(pod.metadata.labels, service.spec.selector) &&
        !isTerminal(pod) &&
        pod.status?.podIP &&
        (terminating || !pod.metadata.deletionTimestamp),
    )
}
/** the number that a Service's port leads to in a pod; undefined when the pod has no port of that name */
function targetPort(pod: KubeObject, port: KubeObject): number | undefined {
  const target = port.targetPort ?? port.port
  if (typeof target === 'number') return target
  const sidecars = (pod.spec.initContainers ?? []).filter((one: KubeObject) => one.restartPolicy === 'Always')
  for (const container of [...pod.spec.containers, ...sidecars]) {
    for (const one of container.ports ?? []) {
      if (one.name === target && (one.protocol ?? 'TCP') === (port.protocol ?? 'TCP')) return one.containerPort
    }
  }
  return undefined
}
const hasHostname = (pod: KubeObject, service: KubeObject): boolean =>
  pod.spec.hostname && pod.spec.subdomain === service.metadata.name && pod.metadata.namespace === service.metadata.namespace
const podRef = (pod: KubeObject): KubeObject => ({
  kind: 'Pod',
  namespace: pod.metadata.namespace,
  name: pod.metadata.name,
  uid: pod.metadata.uid,
})
/** annotations with the time of the newest change of readiness, as far as it is newer than what the annotation says */
function triggered(
  annotations: KubeObject | undefined,
  service: KubeObject,
  pods: readonly KubeObject[],
  fresh: boolean,
): KubeObject | undefined {
  const times = pods.map((pod) => condition(pod, 'Ready')?.lastTransitionTime as string | undefined)
  if (fresh) times.push(service.metadata.creationTimestamp)
  const before = parseTime(annotations?.[triggerAnnotation])
  const newest = times.filter((time) => time !== undefined).sort((a, b) => parseTime(b) - parseTime(a))[0]
  const { [triggerAnnotation]: _, ...rest } = annotations ?? {}
  const changed = newest !== undefined && !(parseTime(newest) <= before)
  const next = changed ? { ...rest, [triggerAnnotation]: newest } : rest
  return Object.keys(next).length > 0 ? next : undefined
}

export function startEndpointSlice(run: Run): void {
  const client = run.client('endpointslice-controller')
  const record = run.events('endpoint-slice-controller', 'endpointslice-controller')
  const queue = run.queue('endpoint_slice', (key) => sync(key), { retries: 15, said: () => undefined })
  follow(run, queue.add)
  const ofSlice = (slice: KubeObject) => {
    const name = slice.metadata.labels?.[serviceLabel]
    if (name && slice.metadata.labels[managedLabel] === sliceManager) queue.add(`${slice.metadata.namespace}/${name}`)
  }
  run.watch(sliceResource, { added: ofSlice, updated: ofSlice, deleted: ofSlice })

  const sync = (key: string): void => {
    const { namespace, name } = splitKey(key)
    const service = run.reader.find(services, name, namespace)
    if (service === undefined || service.metadata.deletionTimestamp || !selected(service)) return
    const existing = run
      .list(sliceResource, { namespace, labelSelector: `${serviceLabel}=${name},${managedLabel}=${sliceManager}` })
      .filter((slice) => !slice.metadata.deletionTimestamp)
    const pods = podsOf(run, service, true)
    const labels = labelsOf(service)
    // Endpoints with the same ports share slices: named ports may lead to other numbers in other pods.
    const groups = new Map<string, { type: string; ports: KubeObject[]; endpoints: Map<string, KubeObject> }>()
    for (const type of (service.spec.ipFamilies ?? ['IPv4']) as string[]) {
      for (const pod of pods) {
        const addresses = (pod.status.podIPs ?? [{ ip: pod.status.podIP }])
          .map((one: KubeObject) => one.ip as string)
          .filter((ip: string) => ip.includes(':') === (type === 'IPv6'))
        if (addresses.length === 0) continue
        const ports = portsOf(service, pod)
        const group = groups.get(type + canonical(ports)) ?? { type, ports, endpoints: new Map() }
        groups.set(type + canonical(ports), group)
        group.endpoints.set(pod.metadata.uid, endpointOf(service, pod, addresses))
      }
    }
    const left = new Set(existing)
    const writes: (() => void)[] = []
    for (const { type, ports, endpoints } of groups.values()) {
      const mine = existing.filter((slice) => slice.addressType === type && same(slice.ports ?? [], ports))
      const todo = new Map(endpoints)
      const kept = mine.map((slice) => {
        left.delete(slice)
        const stay: KubeObject[] = []
        for (const old of slice.endpoints ?? []) {
          const now = todo.get(old.targetRef?.uid)
          if (now === undefined) continue
          stay.push(now)
          todo.delete(old.targetRef.uid)
        }
        return { slice, stay }
      })
      const added = [...todo.values()]
      // What is new fills up the slice that changes anyway, then the others, then new ones.
      kept.sort((a, b) => Number(same(a.stay, a.slice.endpoints ?? [])) - Number(same(b.stay, b.slice.endpoints ?? [])))
      for (const { slice, stay } of kept) {
        stay.push(...added.splice(0, sliceSize - stay.length))
        if (stay.length === 0 && endpoints.size > 0) left.add(slice)
        else writes.push(() => write(service, slice, { labels, endpoints: stay, pods }))
      }
      while (added.length > 0) {
        const part = added.splice(0, sliceSize)
        writes.push(() => write(service, undefined, { labels, endpoints: part, pods, type, ports }))
      }
    }
    if (groups.size === 0) {
      // A Service without endpoints keeps one empty slice.
      const type = service.spec.ipFamilies?.[0] ?? 'IPv4'
      const placeholder = existing.find((slice) => (slice.ports ?? []).length === 0 && (slice.endpoints ?? []).length === 0)
      const keep = placeholder ?? existing.find((slice) => slice.addressType === type)
      if (keep !== undefined) left.delete(keep)
      writes.push(() => write(service, keep, { labels, endpoints: [], pods, type, ports: [] }))
    }
    try {
      for (const one of writes) one()
      for (const slice of left) unless([404], () => client.delete(sliceResource, slice.metadata.name, namespace))
    } catch (error) {
      if (namespaceEnds(error)) return
      if (error instanceof Error) {
        record(service, 'Warning', 'FailedToUpdateEndpointSlices', `Error updating Endpoint Slices for Service ${key}: ${error.message}`)
      }
      throw error
    }
  }
  const write = (
    service: KubeObject,
    slice: KubeObject | undefined,
    next: { labels: KubeObject; endpoints: KubeObject[]; pods: readonly KubeObject[]; type?: string; ports?: KubeObject[] },
  ): void => {
    const ports = next.ports ?? slice?.ports ?? []
    if (slice === undefined) {
      const annotations = triggered(undefined, service, next.pods, true)
      client.create(sliceResource, {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: {
          generateName: `${service.metadata.name}-`,
          namespace: service.metadata.namespace,
          labels: next.labels,
          ...(annotations ? { annotations } : {}),
          ownerReferences: [controllerRef(service)],
        },
        addressType: next.type,
        endpoints: next.endpoints.length > 0 ? next.endpoints : null,
        ports: ports.length > 0 ? ports : null,
      })
      return
    }
    if (same(slice.endpoints ?? [], next.endpoints) && same(slice.ports ?? [], ports) && same(slice.metadata.labels, next.labels)) return
    const annotations = triggered(slice.metadata.annotations, service, next.pods, false)
    client.update(sliceResource, {
      ...slice,
      metadata: { ...slice.metadata, labels: next.labels, annotations },
      endpoints: next.endpoints.length > 0 ? next.endpoints : null,
      ports: ports.length > 0 ? ports : null,
    })
  }
  const labelsOf = (service: KubeObject): KubeObject => {
    const { [serviceLabel]: _, [managedLabel]: __, [headlessLabel]: ___, ...own } = service.metadata.labels ?? {}
    return {
      ...own,
      [serviceLabel]: service.metadata.name,
      [managedLabel]: sliceManager,
      ...(isHeadless(service) ? { [headlessLabel]: '' } : {}),
    }
  }
  const portsOf = (service: KubeObject, pod: KubeObject): KubeObject[] =>
    (service.spec.ports ?? []).flatMap((port: KubeObject) => {
      const number = targetPort(pod, port)
      if (number === undefined) return []
      return [
        {
          name: port.name ?? '',
          port: number,
          protocol: port.protocol ?? 'TCP',
          ...(port.appProtocol ? { appProtocol: port.appProtocol } : {}),
        },
      ]
    })
  const endpointOf = (service: KubeObject, pod: KubeObject, addresses: string[]): KubeObject => {
    const serving = isReady(pod)
    const terminating = !!pod.metadata.deletionTimestamp
    const zone = run.seen('v1/nodes').get(pod.spec.nodeName)?.metadata.labels?.['topology.kubernetes.io/zone']
    return {
      addresses,
      conditions: { ready: service.spec.publishNotReadyAddresses === true || (serving && !terminating), serving, terminating },
      ...(hasHostname(pod, service) ? { hostname: pod.spec.hostname } : {}),
      targetRef: podRef(pod),
      ...(pod.spec.nodeName ? { nodeName: pod.spec.nodeName } : {}),
      ...(zone ? { zone } : {}),
    }
  }
}

/** the order that ports have in Endpoints: by a hash of how Go prints them (pkg/api/v1/endpoints portsByHash) */
function byHash(a: KubeObject, b: KubeObject): number {
  const hash = ({ name = '', port, protocol, appProtocol }: KubeObject): bigint => {
    const application = appProtocol === undefined ? '<nil>' : appProtocol
    return fnv128a(
      `(v1.EndpointPort){Name:(string)${name} Port:(int32)${port} Protocol:(v1.Protocol)${protocol} AppProtocol:(*string)${application}}`,
    )
  }
  return hash(a) < hash(b) ? -1 : 1
}

export function startEndpoints(run: Run): void {
  const client = run.client('endpoint-controller')
  const record = run.events('endpoint-controller', 'endpoint-controller')
  const queue = run.queue('endpoint', (key) => sync(key), { retries: 15, said: () => undefined })
  follow(run, queue.add)
  run.watch(endpointsResource, {
    deleted: (endpoints) => queue.add(keyOf(endpoints)),
    // Left over from a Service that was deleted while nobody looked.
    synced: () => {
      for (const key of run.seen(endpointsResource).keys()) queue.add(key)
    },
  })

  const sync = (key: string): void => {
    const { namespace, name } = splitKey(key)
    const service = run.reader.find(services, name, namespace)
    const existing = run.reader.find(endpointsResource, name, namespace)
    if (service === undefined) {
      if (existing !== undefined) unless([404], () => client.delete(endpointsResource, name, namespace))
      return
    }
    if (!selected(service)) return
    const pods = podsOf(run, service, service.spec.publishNotReadyAddresses === true)
    const subsets = subsetsOf(service, pods)
    const labels = {
      ...service.metadata.labels,
      ...(isHeadless(service) ? { [headlessLabel]: '' } : {}),
      'endpoints.kubernetes.io/managed-by': 'endpoint-controller',
    }
    if (existing !== undefined && same(existing.subsets ?? [], subsets) && same(existing.metadata.labels, labels)) return
    const annotations = triggered(existing?.metadata.annotations, service, pods, existing === undefined)
    const metadata = {
      ...(existing?.metadata ?? { name, namespace }),
      labels,
      ...(annotations ? { annotations } : { annotations: undefined }),
    }
    const endpoints = { apiVersion: 'v1', kind: 'Endpoints', metadata, ...(subsets.length > 0 ? { subsets } : {}) }
    try {
      if (existing === undefined) client.create(endpointsResource, endpoints)
      else client.update(endpointsResource, endpoints)
    } catch (error) {
      if (namespaceEnds(error)) return
      if (error instanceof Error) {
        if (existing === undefined) {
          record(endpoints, 'Warning', 'FailedToCreateEndpoint', `Failed to create endpoint for service ${key}: ${error.message}`)
        } else record(endpoints, 'Warning', 'FailedToUpdateEndpoint', `Failed to update endpoint ${key}: ${error.message}`)
      }
      throw error
    }
  }
  const subsetsOf = (service: KubeObject, pods: readonly KubeObject[]): KubeObject[] => {
    const subsets = new Map<string, { ready: KubeObject[]; notReady: KubeObject[]; ports: KubeObject[] }>()
    for (const pod of [...pods].sort((a, b) => (a.status.podIP < b.status.podIP ? -1 : 1))) {
      const ports: KubeObject[] = (service.spec.ports ?? []).flatMap((port: KubeObject) => {
        const number = targetPort(pod, port)
        if (number === undefined) return []
        const { name, protocol = 'TCP', appProtocol } = port
        return [{ ...(name ? { name } : {}), port: number, protocol, ...(appProtocol ? { appProtocol } : {}) }]
      })
      if (ports.length === 0 && ((service.spec.ports ?? []).length > 0 || !isHeadless(service))) continue
      const subset = subsets.get(canonical(ports)) ?? { ready: [], notReady: [], ports }
      subsets.set(canonical(ports), subset)
      const address = {
        ip: pod.status.podIP,
        ...(hasHostname(pod, service) ? { hostname: pod.spec.hostname } : {}),
        nodeName: pod.spec.nodeName,
        targetRef: podRef(pod),
      }
      if (service.spec.publishNotReadyAddresses === true || isReady(pod)) subset.ready.push(address)
      else subset.notReady.push(address)
    }
    return [...subsets.values()].map(({ ready, notReady, ports }) => ({
      ...(ready.length > 0 ? { addresses: ready } : {}),
      ...(notReady.length > 0 ? { notReadyAddresses: notReady } : {}),
      ...(ports.length > 0 ? { ports: [...ports].sort(byHash) } : {}),
    }))
  }
}

export function startEndpointSliceMirroring(run: Run): void {
  const client = run.client('endpointslicemirroring-controller')
  const queue = run.queue('endpoint_slice_mirroring', (key) => sync(key))
  const add = (object: KubeObject) => queue.add(keyOf(object))
  run.watch(endpointsResource, { added: add, updated: add, deleted: add })
  run.watch(services, { added: add, updated: add, deleted: add })
  const ofSlice = (slice: KubeObject) => {
    const name = slice.metadata.labels?.[serviceLabel]
    if (name && slice.metadata.labels[managedLabel] === mirrorManager) queue.add(`${slice.metadata.namespace}/${name}`)
  }
  run.watch(sliceResource, { updated: ofSlice, deleted: ofSlice })

  const sync = (key: string): void => {
    const { namespace, name } = splitKey(key)
    const endpoints = run.reader.find(endpointsResource, name, namespace)
    const service = run.reader.find(services, name, namespace)
    const skipped =
      endpoints?.metadata.labels?.[skipMirror] === 'true' || endpoints?.metadata.annotations?.['control-plane.alpha.kubernetes.io/leader']
    const mirrored = endpoints !== undefined && !skipped && service !== undefined && service.spec.selector === undefined
    const existing = run.list(sliceResource, { namespace, labelSelector: `${serviceLabel}=${name},${managedLabel}=${mirrorManager}` })
    const left = new Set(existing)
    for (const wanted of mirrored ? slicesOf(endpoints) : []) {
      const twin = [...left].find((one) => one.addressType === wanted.addressType && same(one.ports ?? [], wanted.ports ?? []))
      if (twin === undefined) client.create(sliceResource, wanted)
      else {
        left.delete(twin)
        if (!same(twin.endpoints ?? [], wanted.endpoints) || !same(twin.metadata.labels, wanted.metadata.labels)) {
          client.update(sliceResource, {
            ...twin,
            metadata: { ...twin.metadata, labels: wanted.metadata.labels },
            endpoints: wanted.endpoints,
          })
        }
      }
    }
    for (const slice of left) unless([404], () => client.delete(sliceResource, slice.metadata.name, namespace))
  }
  const slicesOf = (endpoints: KubeObject): KubeObject[] => {
    const slices: KubeObject[] = []
    const {
      'kubectl.kubernetes.io/last-applied-configuration': _,
      [triggerAnnotation]: __,
      ...annotations
    } = endpoints.metadata.annotations ?? {}
    for (const subset of endpoints.subsets ?? []) {
      for (const addressType of ['IPv4', 'IPv6']) {
        const found: KubeObject[] = []
        for (const [addresses, ready] of [
          [subset.addresses ?? [], true],
          [subset.notReadyAddresses ?? [], false],
        ]) {
          for (const { ip, hostname, nodeName, targetRef } of addresses) {
            if (ip.includes(':') !== (addressType === 'IPv6') || found.length >= mirrorMax) continue
            found.push({
              addresses: [ip],
              conditions: { ready },
              ...(hostname ? { hostname } : {}),
              ...(nodeName ? { nodeName } : {}),
              ...(targetRef ? { targetRef } : {}),
            })
          }
        }
        if (found.length === 0) continue
        const ports = (subset.ports ?? []).map((port: KubeObject) => ({ ...port, name: port.name ?? '', protocol: port.protocol ?? 'TCP' }))
        slices.push({
          apiVersion: 'discovery.k8s.io/v1',
          kind: 'EndpointSlice',
          metadata: {
            generateName: `${endpoints.metadata.name}-`,
            namespace: endpoints.metadata.namespace,
            labels: { ...endpoints.metadata.labels, [serviceLabel]: endpoints.metadata.name, [managedLabel]: mirrorManager },
            ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
            ownerReferences: [controllerRef(endpoints)],
          },
          addressType,
          endpoints: found,
          ports,
        })
      }
    }
    return slices
  }
}
