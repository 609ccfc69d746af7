// What `kubectl get` prints: a row's cells for every kind, under the columns recorded from a real server (data/columns.json). Custom resources have
// the columns of their definition. Knows nothing of requests. Source: pkg/printers/internalversion/printers.go
import { readFileSync } from 'node:fs'
import type { KubeObject } from '../kube.ts'
import { convert } from './conversion.ts'
import { jsonPath } from './json-path.ts'
import type { Served } from './registry.ts'
import { printSelector } from './subresources.ts'

type Cell = string | number | boolean | null
/** ages, given a metav1.Time or MicroTime */
type Ago = (time: string | undefined | null) => string
type Cells = (object: KubeObject, ago: Ago) => Cell[]

let recorded: Record<string, [name: string, type: string, format: string, priority: number][]> | undefined
function columns(served: Served): { name: string; type: string; format: string; description: string; priority: number }[] {
  if (served.custom !== undefined) {
    const extra = served.custom.additionalPrinterColumns ?? [{ name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }]
    return [
      { name: 'Name', type: 'string', format: 'name', description: '', priority: 0 },
      ...extra.map(({ name, type, format = '', description = '', priority = 0 }) => ({ name, type, format, description, priority })),
    ]
  }
  recorded ??= JSON.parse(readFileSync(new URL('./data/columns.json', import.meta.url), 'utf8')) as NonNullable<typeof recorded>
  const known = recorded[`${served.apiVersion}/${served.resource}`] ?? [
    ['Name', 'string', 'name', 0],
    ['Created At', 'date', '', 0],
  ]
  return known.map(([name, type, format, priority]) => ({ name, type, format, description: '', priority }))
}

export interface TableOptions {
  /** epoch ms */
  now: number
  /** what each row carries: None, Metadata (default), Object */
  includeObject: string
  /** of meta.k8s.io */
  version: string
  resourceVersion: string
}
/** A metav1.Table of these objects, which are in the version of `served`. */
export function table(served: Served, items: readonly KubeObject[], options: TableOptions): KubeObject {
  const ago: Ago = (time) => (time ? humanDuration(options.now - Date.parse(time)) : '<unknown>')
  const cells = cellsOf(served)
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${options.version}`,
    metadata: { resourceVersion: options.resourceVersion },
    columnDefinitions: columns(served),
    rows: inOrder(served, items).map((item) => ({
      cells: cells(item, ago),
      ...conditions(served, item),
      object:
        options.includeObject === 'Object'
          ? item
          : options.includeObject === 'None'
            ? null
            : { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${options.version}`, metadata: item.metadata },
    })),
  }
}
/** Flow schemas are printed as they are matched. */
function inOrder(served: Served, items: readonly KubeObject[]): readonly KubeObject[] {
  if (served.resource !== 'flowschemas') return items
  return [...items].sort((a, b) => a.spec.matchingPrecedence - b.spec.matchingPrecedence)
}
function conditions(served: Served, item: KubeObject): KubeObject {
  const phase = served.bucket === 'pods' ? item.status?.phase : undefined
  const job = served.bucket === 'jobs.batch' ? undefined : phase
  if (job === 'Succeeded')
    return { conditions: [{ type: 'Completed', status: 'True', reason: 'Succeeded', message: 'The pod has completed successfully.' }] }
  if (job === 'Failed') return { conditions: [{ type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' }] }
  return {}
}
function cellsOf(served: Served): Cells {
  if (served.custom !== undefined) {
    const extra = served.custom.additionalPrinterColumns ?? [{ name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }]
    return (object, ago) => [
      object.metadata.name,
      ...extra.map(({ type, jsonPath: path }) => {
        const values = jsonPath(object, path)
        if (values.length === 0 || values[0] === undefined || values[0] === null) return null
        const value = values.length === 1 ? values[0] : JSON.stringify(values)
        if (type === 'date') return ago(String(value))
        if (type === 'integer' || type === 'number') return typeof value === 'number' ? value : null
        if (type === 'boolean') return typeof value === 'boolean' ? value : null
        return typeof value === 'object' ? JSON.stringify(value) : String(value)
      }),
    ]
  }
  return kinds[served.bucket] ?? (agedOnly.has(served.bucket) ? (object, ago) => [name(object), age(object, ago)] : created)
}

const none = '<none>'
const name = (object: KubeObject): string => object.metadata.name
const age = (object: KubeObject, ago: Ago): string => ago(object.metadata.creationTimestamp)
const created: Cells = (object) => [name(object), object.metadata.creationTimestamp]
const agedOnly = new Set(['serviceaccounts', 'deviceclasses.resource.k8s.io', 'resourceclaimtemplates.resource.k8s.io'])
const or = (value: unknown, otherwise: string): string =>
  value === undefined || value === null || value === '' ? otherwise : String(value)
const number = (value: unknown): number => Number(value ?? 0)
const names = (containers: KubeObject[] = []): string => containers.map((container) => container.name).join(',')
const images = (containers: KubeObject[] = []): string => containers.map((container) => container.image).join(',')
/** labels as a line, `<none>` for no labels */
const line = (labels: KubeObject): string => or(printSelector(labels), none)
function more(list: readonly string[], max: number): string {
  if (list.length === 0) return '<unset>'
  return list.length > max ? `${list.slice(0, max).join(',')} + ${list.length - max} more...` : list.join(',')
}
const modes: Record<string, string> = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' }
const accessModes = (list: string[] = []): string =>
  ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod']
    .filter((mode) => list.includes(mode))
    .map((mode) => modes[mode])
    .join(',')
const phase = (object: KubeObject): string => (object.metadata.deletionTimestamp ? 'Terminating' : (object.status?.phase ?? ''))

const binding: Cells = (object, ago) => {
  const subjects: KubeObject[] = object.subjects ?? []
  const of = (kind: string) => subjects.filter((subject) => subject.kind === kind)
  return [
    name(object),
    `${object.roleRef.kind}/${object.roleRef.name}`,
    age(object, ago),
    of('User')
      .map((subject) => subject.name)
      .join(', '),
    of('Group')
      .map((subject) => subject.name)
      .join(', '),
    of('ServiceAccount')
      .map((subject) => `${subject.namespace}/${subject.name}`)
      .join(', '),
  ]
}
const replicas: Cells = (set, ago) => [
  name(set),
  number(set.spec.replicas),
  number(set.status?.replicas),
  number(set.status?.readyReplicas),
  age(set, ago),
  names(set.spec.template?.spec.containers),
  images(set.spec.template?.spec.containers),
  line(set.spec.selector),
]
const webhooks: Cells = (object, ago) => [name(object), number(object.webhooks?.length), age(object, ago)]

const kinds: Readonly<Record<string, Cells>> = {
  pods: pod,
  nodes: node,
  events: event,
  services: service,
  'clusterrolebindings.rbac.authorization.k8s.io': binding,
  'rolebindings.rbac.authorization.k8s.io': binding,
  'replicasets.apps': replicas,
  replicationcontrollers: replicas,
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': webhooks,
  'validatingwebhookconfigurations.admissionregistration.k8s.io': webhooks,
  namespaces: (object, ago) => [name(object), object.status?.phase ?? '', age(object, ago)],
  configmaps: (object, ago) => [
    name(object),
    Object.keys(object.data ?? {}).length + Object.keys(object.binaryData ?? {}).length,
    age(object, ago),
  ],
  secrets: (object, ago) => [name(object), object.type ?? '', Object.keys(object.data ?? {}).length, age(object, ago)],
  componentstatuses: (object) => {
    const healthy = object.conditions?.find((condition: KubeObject) => condition.type === 'Healthy')
    return [name(object), healthy?.status === 'True' ? 'Healthy' : 'Unhealthy', healthy?.message ?? '', healthy?.error ?? '']
  },
  endpoints: (object, ago) => {
    const subsets: KubeObject[] = object.subsets ?? []
    const list = subsets.flatMap((subset) =>
      subset.ports?.length
        ? subset.ports.flatMap((port: KubeObject) => (subset.addresses ?? []).map((address: KubeObject) => `${address.ip}:${port.port}`))
        : (subset.addresses ?? []).map((address: KubeObject) => address.ip),
    )
    return [name(object), subsets.length === 0 ? none : list.length === 0 ? '' : more(list, 3), age(object, ago)]
  },
  'endpointslices.discovery.k8s.io': (slice, ago) => [
    name(slice),
    slice.addressType,
    more(
      (slice.ports ?? []).map((port: KubeObject) => String(port.port ?? port.name ?? '*')),
      3,
    ),
    more(
      (slice.endpoints ?? []).flatMap((endpoint: KubeObject) => endpoint.addresses ?? []),
      3,
    ),
    age(slice, ago),
  ],
  'deployments.apps': (object, ago) => [
    name(object),
    `${number(object.status?.readyReplicas)}/${number(object.spec.replicas)}`,
    number(object.status?.updatedReplicas),
    number(object.status?.availableReplicas),
    age(object, ago),
    names(object.spec.template.spec.containers),
    images(object.spec.template.spec.containers),
    printSelector(object.spec.selector),
  ],
  'daemonsets.apps': (object, ago) => [
    name(object),
    number(object.status?.desiredNumberScheduled),
    number(object.status?.currentNumberScheduled),
    number(object.status?.numberReady),
    number(object.status?.updatedNumberScheduled),
    number(object.status?.numberAvailable),
    line(object.spec.template.spec.nodeSelector),
    age(object, ago),
    names(object.spec.template.spec.containers),
    images(object.spec.template.spec.containers),
    line(object.spec.selector),
  ],
  'statefulsets.apps': (object, ago) => [
    name(object),
    `${number(object.status?.readyReplicas)}/${number(object.spec.replicas)}`,
    age(object, ago),
    names(object.spec.template.spec.containers),
    images(object.spec.template.spec.containers),
  ],
  'controllerrevisions.apps': (object, ago) => {
    const owner = object.metadata.ownerReferences?.find((one: KubeObject) => one.controller)
    const group = owner?.apiVersion?.includes('/') ? `.${owner.apiVersion.split('/')[0]}` : ''
    return [name(object), owner ? `${owner.kind.toLowerCase()}${group}/${owner.name}` : none, number(object.revision), age(object, ago)]
  },
  'jobs.batch': (job, ago) => [
    name(job),
    jobStatus(job),
    job.spec.completions !== undefined && job.spec.completions !== null
      ? `${number(job.status?.succeeded)}/${job.spec.completions}`
      : number(job.spec.parallelism) > 1
        ? `${number(job.status?.succeeded)}/1 of ${job.spec.parallelism}`
        : `${number(job.status?.succeeded)}/1`,
    job.status?.startTime === undefined
      ? ''
      : job.status.completionTime === undefined
        ? ago(job.status.startTime)
        : humanDuration(Date.parse(job.status.completionTime) - Date.parse(job.status.startTime)),
    age(job, ago),
    names(job.spec.template.spec.containers),
    images(job.spec.template.spec.containers),
    line(job.spec.selector),
  ],
  'cronjobs.batch': (object, ago) => [
    name(object),
    object.spec.schedule,
    or(object.spec.timeZone, none),
    object.spec.suspend === undefined ? '<unset>' : object.spec.suspend ? 'True' : 'False',
    number(object.status?.active?.length),
    object.status?.lastScheduleTime === undefined ? none : ago(object.status.lastScheduleTime),
    age(object, ago),
    names(object.spec.jobTemplate.spec.template.spec.containers),
    images(object.spec.jobTemplate.spec.template.spec.containers),
    line(object.spec.jobTemplate.spec.selector),
  ],
  'ingresses.networking.k8s.io': (object, ago) => {
    const rules: KubeObject[] = object.spec?.rules ?? []
    const hosts = rules.map((rule) => rule.host).filter(Boolean)
    const shown = hosts.slice(0, 3).join(',')
    const addresses = (object.status?.loadBalancer?.ingress ?? []).map((one: KubeObject) => one.ip || one.hostname)
    return [
      name(object),
      or(object.spec?.ingressClassName, none),
      hosts.length === 0 ? '*' : rules.length > 3 && hosts.length >= 3 ? `${shown} + ${rules.length - 3} more...` : shown,
      addresses.join(','),
      object.spec?.tls?.length ? '80, 443' : '80',
      age(object, ago),
    ]
  },
  'ingressclasses.networking.k8s.io': (object, ago) => {
    const of = object.spec?.parameters
    return [
      name(object),
      object.spec?.controller ?? '',
      of ? `${of.kind}${of.apiGroup ? `.${of.apiGroup}` : ''}/${of.name}` : none,
      age(object, ago),
    ]
  },
  'networkpolicies.networking.k8s.io': (object, ago) => [name(object), line(object.spec?.podSelector), age(object, ago)],
  'ipaddresses.networking.k8s.io': (object, ago) => {
    const of = object.spec?.parentRef
    const parent = of
      ? `${of.resource}${of.group ? `.${of.group}` : ''}${of.namespace ? `/${of.namespace}` : ''}/${of.name}`.toLowerCase()
      : none
    return [name(object), parent, age(object, ago)]
  },
  'servicecidrs.networking.k8s.io': (object, ago) => [name(object), (object.spec?.cidrs ?? []).join(','), age(object, ago)],
  persistentvolumes: (object, ago) => [
    name(object),
    object.spec.capacity?.storage ?? '0',
    accessModes(object.spec.accessModes),
    object.spec.persistentVolumeReclaimPolicy ?? '',
    phase(object),
    object.spec.claimRef ? `${object.spec.claimRef.namespace}/${object.spec.claimRef.name}` : '',
    object.spec.storageClassName ?? '',
    or(object.spec.volumeAttributesClassName, '<unset>'),
    object.status?.reason ?? '',
    age(object, ago),
    or(object.spec.volumeMode, '<unset>'),
  ],
  persistentvolumeclaims: (object, ago) => [
    name(object),
    phase(object),
    object.spec.volumeName ?? '',
    object.spec.volumeName ? (object.status?.capacity?.storage ?? '0') : '',
    object.spec.volumeName ? accessModes(object.status?.accessModes) : '',
    object.spec.storageClassName ?? '',
    or(object.spec.volumeAttributesClassName, '<unset>'),
    age(object, ago),
    or(object.spec.volumeMode, '<unset>'),
  ],
  podtemplates: (object) => [
    name(object),
    names(object.template?.spec.containers),
    images(object.template?.spec.containers),
    line(object.template?.metadata?.labels),
  ],
  resourcequotas: (object, ago) => {
    const hard: Record<string, string> = object.status?.hard ?? {}
    const entry = (resource: string) => `${resource}: ${object.status?.used?.[resource] ?? '0'}/${hard[resource]}`
    const resources = Object.keys(hard).sort()
    return [
      name(object),
      resources
        .filter((one) => !one.startsWith('limits.'))
        .map(entry)
        .join(', '),
      resources
        .filter((one) => one.startsWith('limits.'))
        .map(entry)
        .join(', '),
      age(object, ago),
    ]
  },
  'horizontalpodautoscalers.autoscaling': (object, ago) => {
    const scaler = convert(object, {
      apiVersion: 'autoscaling/v2',
      kind: object.kind,
      group: 'autoscaling',
      bucket: 'horizontalpodautoscalers.autoscaling',
    })
    return [
      name(object),
      `${scaler.spec.scaleTargetRef.kind}/${scaler.spec.scaleTargetRef.name}`,
      metrics(scaler),
      or(scaler.spec.minReplicas, '<unset>'),
      number(scaler.spec.maxReplicas),
      number(scaler.status?.currentReplicas),
      age(object, ago),
    ]
  },
  'poddisruptionbudgets.policy': (object, ago) => [
    name(object),
    or(object.spec.minAvailable, 'N/A'),
    or(object.spec.maxUnavailable, 'N/A'),
    number(object.status?.disruptionsAllowed),
    age(object, ago),
  ],
  'priorityclasses.scheduling.k8s.io': (object, ago) => [
    name(object),
    number(object.value),
    object.globalDefault ?? false,
    age(object, ago),
    object.preemptionPolicy ?? '',
  ],
  'storageclasses.storage.k8s.io': (object, ago) => {
    const marked = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'].some(
      (key) => object.metadata.annotations?.[key] === 'true',
    )
    return [
      `${name(object)}${marked ? ' (default)' : ''}`,
      object.provisioner,
      object.reclaimPolicy ?? 'Delete',
      object.volumeBindingMode ?? 'Immediate',
      object.allowVolumeExpansion ?? false,
      age(object, ago),
    ]
  },
  'certificatesigningrequests.certificates.k8s.io': (object, ago) => [
    name(object),
    age(object, ago),
    or(object.spec.signerName, none),
    object.spec.username ?? '',
    object.spec.expirationSeconds === undefined ? none : humanDuration(object.spec.expirationSeconds * 1000),
    signing(object.status),
  ],
  'leases.coordination.k8s.io': (object, ago) => [name(object), object.spec?.holderIdentity ?? '', age(object, ago)],
  'runtimeclasses.node.k8s.io': (object, ago) => [name(object), object.handler ?? '', age(object, ago)],
  'apiservices.apiregistration.k8s.io': (object, ago) => {
    const available = object.status?.conditions?.find((one: KubeObject) => one.type === 'Available')
    const value = available === undefined ? 'Unknown' : available.status === 'True' ? 'True' : `${available.status} (${available.reason})`
    return [
      name(object),
      object.spec.service ? `${object.spec.service.namespace}/${object.spec.service.name}` : 'Local',
      value,
      age(object, ago),
    ]
  },
  'flowschemas.flowcontrol.apiserver.k8s.io': (object, ago) => [
    name(object),
    object.spec.priorityLevelConfiguration.name,
    number(object.spec.matchingPrecedence),
    or(object.spec.distinguisherMethod?.type, none),
    age(object, ago),
    object.status?.conditions?.find((one: KubeObject) => one.type === 'Dangling')?.status ?? '?',
  ],
  'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io': (object, ago) => {
    const queuing = object.spec.limited?.limitResponse?.queuing
    return [
      name(object),
      object.spec.type,
      object.spec.limited?.nominalConcurrencyShares ?? none,
      queuing?.queues ?? none,
      queuing?.handSize ?? none,
      queuing?.queueLengthLimit ?? none,
      age(object, ago),
    ]
  },
  'volumeattachments.storage.k8s.io': (object, ago) => [
    name(object),
    object.spec.attacher,
    object.spec.source?.persistentVolumeName ?? '',
    object.spec.nodeName,
    object.status?.attached ?? false,
    age(object, ago),
  ],
  'volumeattributesclasses.storage.k8s.io': (object, ago) => [name(object), object.driverName ?? '', age(object, ago)],
  'csidrivers.storage.k8s.io': (object, ago) => [
    name(object),
    object.spec.attachRequired ?? true,
    object.spec.podInfoOnMount ?? false,
    object.spec.storageCapacity ?? false,
    object.spec.tokenRequests ? object.spec.tokenRequests.map((one: KubeObject) => one.audience).join(',') : '<unset>',
    object.spec.requiresRepublish ?? false,
    or((object.spec.volumeLifecycleModes ?? []).join(','), none),
    age(object, ago),
  ],
  'csinodes.storage.k8s.io': (object, ago) => [name(object), number(object.spec?.drivers?.length), age(object, ago)],
  'validatingadmissionpolicies.admissionregistration.k8s.io': (object, ago) => [
    name(object),
    number(object.spec?.validations?.length),
    object.spec?.paramKind ? `${object.spec.paramKind.apiVersion}/${object.spec.paramKind.kind}` : '<unset>',
    age(object, ago),
  ],
  'validatingadmissionpolicybindings.admissionregistration.k8s.io': (object, ago) => [
    name(object),
    object.spec?.policyName ?? '',
    object.spec?.paramRef ? (object.spec.paramRef.name ?? '*') : '<unset>',
    age(object, ago),
  ],
  'resourceclaims.resource.k8s.io': (object, ago) => {
    const states = [
      ...(object.metadata.deletionTimestamp ? ['deleted'] : []),
      ...(object.status?.allocation ? ['allocated'] : []),
      ...(object.status?.reservedFor?.length ? ['reserved'] : []),
    ]
    return [name(object), states.length === 0 ? 'pending' : states.join(','), age(object, ago)]
  },
  'resourceslices.resource.k8s.io': (object, ago) => [
    name(object),
    or(object.spec?.nodeName, '<unset>'),
    object.spec?.driver ?? '',
    object.spec?.pool?.name ?? '',
    age(object, ago),
  ],
}

function jobStatus(job: KubeObject): string {
  const has = (type: string) => job.status?.conditions?.some((one: KubeObject) => one.type === type && one.status === 'True')
  if (has('Complete')) return 'Complete'
  if (has('Failed')) return 'Failed'
  if (job.metadata.deletionTimestamp) return 'Terminating'
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(has) ?? 'Running'
}
function signing(status: KubeObject): string {
  const has = (type: string) => status?.conditions?.some((one: KubeObject) => one.type === type)
  const words = [has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending']
  if (has('Failed')) words.push('Failed')
  if (status?.certificate) words.push('Issued')
  return words.join(',')
}
function metrics(scaler: KubeObject): string {
  const specs: KubeObject[] = scaler.spec.metrics ?? []
  if (specs.length === 0) return none
  const list = specs.map((spec, at) => {
    const key = `${spec.type[0].toLowerCase()}${spec.type.slice(1)}`
    const target = spec[key]?.target ?? {}
    const current = scaler.status?.currentMetrics?.[at]?.[key]?.current ?? {}
    const what = spec[key]?.name && ['Resource', 'ContainerResource'].includes(spec.type) ? `${spec[key].name}: ` : ''
    if (target.averageUtilization !== undefined) {
      return `${what}${current.averageUtilization === undefined ? '<unknown>' : `${current.averageUtilization}%`}/${target.averageUtilization}%`
    }
    const average = ['Object', 'External'].includes(spec.type) && target.averageValue !== undefined ? ' (avg)' : ''
    return `${what}${current.averageValue ?? current.value ?? '<unknown>'}/${target.averageValue ?? target.value ?? '<auto>'}${average}`
  })
  return list.length > 2 ? `${list.slice(0, 2).join(', ')} + ${list.length - 2} more...` : list.join(', ')
}

function node(object: KubeObject, ago: Ago): Cell[] {
  const ready = object.status?.conditions?.find((one: KubeObject) => one.type === 'Ready')
  const status = [ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady']
  if (object.spec?.unschedulable) status.push('SchedulingDisabled')
  const labels: Record<string, string> = object.metadata.labels ?? {}
  const roles = Object.entries(labels)
    .flatMap(([key, value]) =>
      key.startsWith('node-role.kubernetes.io/')
        ? [key.slice('node-role.kubernetes.io/'.length)]
        : key === 'kubernetes.io/role'
          ? [value]
          : [],
    )
    .filter((role) => role !== '')
  const address = (type: string) => object.status?.addresses?.find((one: KubeObject) => one.type === type)?.address ?? none
  const info = object.status?.nodeInfo ?? {}
  return [
    name(object),
    status.join(','),
    or([...new Set(roles)].sort().join(','), none),
    age(object, ago),
    info.kubeletVersion ?? '',
    address('InternalIP'),
    address('ExternalIP'),
    or(info.osImage, '<unknown>'),
    or(info.kernelVersion, '<unknown>'),
    or(info.containerRuntimeVersion, '<unknown>'),
  ]
}

function service(object: KubeObject, ago: Ago): Cell[] {
  const spec = object.spec
  const balanced: string[] = (object.status?.loadBalancer?.ingress ?? []).map((one: KubeObject) => one.ip || one.hostname)
  const external: string[] = spec.externalIPs ?? []
  const outside: Record<string, string> = {
    ClusterIP: or(external.join(','), none),
    NodePort: or(external.join(','), none),
    LoadBalancer: or([...balanced, ...external].join(','), '<pending>'),
    ExternalName: spec.externalName ?? '',
  }
  const ports = (spec.ports ?? []).map((port: KubeObject) => `${port.port}${port.nodePort ? `:${port.nodePort}` : ''}/${port.protocol}`)
  return [
    name(object),
    spec.type,
    spec.clusterIPs?.[0] ?? none,
    outside[spec.type] ?? '<unknown>',
    or(ports.join(','), none),
    age(object, ago),
    line(spec.selector),
  ]
}

function event(shown: KubeObject, ago: Ago): Cell[] {
  const object = convert(shown, { apiVersion: 'v1', kind: 'Event', group: '', bucket: 'events' })
  const first = object.firstTimestamp ? ago(object.firstTimestamp) : ago(object.eventTime)
  const last = object.series ? ago(object.series.lastObservedTime) : object.lastTimestamp ? ago(object.lastTimestamp) : first
  const involved = object.involvedObject ?? {}
  const kind = String(involved.kind ?? '').toLowerCase()
  const component = object.source?.component || object.reportingComponent || ''
  const host = object.source?.host || object.reportingInstance || ''
  return [
    last,
    object.type ?? '',
    object.reason ?? '',
    involved.name ? `${kind}/${involved.name}` : kind,
    involved.fieldPath ?? '',
    host === '' ? component : `${component}, ${host}`,
    String(object.message ?? '').trim(),
    first,
    object.series?.count ?? (object.count || 1),
    name(object),
  ]
}

function pod(object: KubeObject, ago: Ago): Cell[] {
  const { spec, status = {} } = object
  let reason: string = status.reason || status.phase || ''
  for (const condition of status.conditions ?? []) {
    if (condition.type === 'PodScheduled' && condition.reason === 'SchedulingGated') reason = 'SchedulingGated'
  }
  const inits: KubeObject[] = spec.initContainers ?? []
  const sidecar = (of: string) => inits.find((one) => one.name === of)?.restartPolicy === 'Always'
  const total = spec.containers.length + inits.filter((one) => one.restartPolicy === 'Always').length
  let ready = 0
  let restarts = 0
  let sidecarRestarts = 0
  let last = 0
  let sidecarLast = 0
  const ended = (container: KubeObject) => Date.parse(container.lastState?.terminated?.finishedAt ?? '') || 0
  let initializing = false
  const initStatuses: KubeObject[] = status.initContainerStatuses ?? []
  for (const [at, container] of initStatuses.entries()) {
    restarts += container.restartCount
    last = Math.max(last, ended(container))
    if (sidecar(container.name)) {
      sidecarRestarts += container.restartCount
      sidecarLast = Math.max(sidecarLast, ended(container))
    }
    const { terminated, waiting } = container.state ?? {}
    if (terminated?.exitCode === 0) continue
    if (sidecar(container.name) && container.started) {
      if (container.ready) ready += 1
      continue
    }
    if (terminated !== undefined)
      reason = `Init:${terminated.reason || (terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`)}`
    else if (waiting?.reason && waiting.reason !== 'PodInitializing') reason = `Init:${waiting.reason}`
    else reason = `Init:${at}/${inits.length}`
    initializing = true
    break
  }
  const holds = (type: string) => status.conditions?.some((one: KubeObject) => one.type === type && one.status === 'True') === true
  if (!initializing || holds('Initialized')) {
    restarts = sidecarRestarts
    last = sidecarLast
    let running = false
    let failure = ''
    for (const container of [...(status.containerStatuses ?? [])].reverse()) {
      restarts += container.restartCount
      last = Math.max(last, ended(container))
      const { terminated, waiting, running: runs } = container.state ?? {}
      if (waiting?.reason) reason = waiting.reason
      else if (terminated !== undefined) {
        reason = terminated.reason || (terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`)
        if (terminated.exitCode !== 0) failure = reason
      } else if (container.ready && runs !== undefined) {
        running = true
        ready += 1
      }
    }
    if (reason === 'Completed') {
      if (running && holds('Ready')) reason = 'Running'
      else if (failure !== '') reason = failure
      else if (running) reason = 'NotReady'
    }
  }
  if (object.metadata.deletionTimestamp !== undefined) {
    if (status.reason === 'NodeLost') reason = 'Unknown'
    else if (status.phase !== 'Failed' && status.phase !== 'Succeeded') reason = 'Terminating'
  }
  const gates: KubeObject[] = spec.readinessGates ?? []
  return [
    name(object),
    `${ready}/${total}`,
    reason,
    restarts !== 0 && last !== 0 ? `${restarts} (${ago(new Date(last).toISOString())} ago)` : String(restarts),
    age(object, ago),
    or(status.podIPs?.[0]?.ip, none),
    or(spec.nodeName, none),
    or(status.nominatedNodeName, none),
    gates.length === 0 ? none : `${gates.filter((gate) => holds(gate.conditionType)).length}/${gates.length}`,
  ]
}

/** `5m30s`, `3d4h`. Source: apimachinery/pkg/util/duration */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  const both = (big: number, unit: string, small: number, of: string) => (small === 0 ? `${big}${unit}` : `${big}${unit}${small}${of}`)
  if (minutes < 10) return both(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  const hours = Math.floor(minutes / 60)
  if (hours < 8) return both(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  const days = Math.floor(hours / 24)
  if (hours < 24 * 8) return both(days, 'd', hours % 24, 'h')
  if (hours < 24 * 365 * 2) return `${days}d`
  const years = Math.floor(days / 365)
  return hours < 24 * 365 * 8 ? both(years, 'y', days % 365, 'd') : `${years}y`
}
