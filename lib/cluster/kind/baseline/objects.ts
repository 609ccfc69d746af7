// Every object of a cluster as a hash that is equal for equal content, so that a baseline can be compared with what is there later.
// What the system itself keeps changing (status, versions, leases, events, names of pods) is left out; the rules below say what.
import { createHash } from 'node:crypto'
import { type Api, ApiError, type KubeObject } from '../../api.ts'
import { canonical } from '../../canonical.ts'

/** `G/V Kind namespace/name` → hash */
export type ObjectHashes = Record<string, string>

/** kinds that live and die without anybody's doing */
const transient = new Set([
  'Event',
  'Lease',
  'CertificateSigningRequest',
  'ComponentStatus',
  'PodMetrics',
  'NodeMetrics',
  'LeaseCandidate',
  'VolumeAttachment',
])
/** kinds of which only the name counts: their content follows from where pods happen to run */
const named = new Set(['Endpoints', 'EndpointSlice', 'CSINode', 'APIService', 'IPAddress'])
export const sha = (text: string): string => createHash('sha256').update(text).digest('hex')

const withoutSuffix = (name: string) => name.replace(/-[a-z0-9]{5}$/, '')

/** The lines that stand for one object; none for what is left out. Exported for its test. */
export function normalise(object: KubeObject): [key: string, content: unknown][] {
  const { apiVersion, kind, metadata } = object
  if (transient.has(kind)) return []
  if (kind === 'Secret' && object.type === 'bootstrap.kubernetes.io/token') return [] // the token cleaner removes them after a day
  const key = `${apiVersion} ${kind} ${metadata.namespace ? `${metadata.namespace}/` : ''}${metadata.name}`
  if (kind === 'Pod') {
    // Who made it and where it may run; the rest follows from its owner.
    const owner = metadata.ownerReferences?.[0]
    const from = owner ? `${owner.kind}/${owner.name}` : metadata.name
    return [
      [
        `${apiVersion} Pod ${metadata.namespace}/${owner ? withoutSuffix(metadata.name) : metadata.name}`,
        { from, gone: metadata.deletionTimestamp !== undefined },
      ],
    ]
  }
  if (named.has(kind))
    return [
      [
        `${apiVersion} ${kind} ${metadata.namespace ?? ''}/${kind === 'EndpointSlice' ? withoutSuffix(metadata.name) : metadata.name}`,
        null,
      ],
    ]
  const { status: _status, metadata: _metadata, ...content } = object
  const annotations = Object.fromEntries(
    Object.entries(metadata.annotations ?? {}).filter(
      ([name]) =>
        !/^(flannel\.alpha\.coreos\.com|node\.alpha\.kubernetes\.io|volumes\.kubernetes\.io|control-plane\.alpha\.kubernetes\.io)\//.test(
          name,
        ),
    ),
  )
  if (kind === 'ConfigMap' && metadata.namespace === 'kube-public' && metadata.name === 'cluster-info') {
    content.data = Object.fromEntries(Object.entries(content.data ?? {}).filter(([name]) => !name.startsWith('jws-kubeconfig-')))
  }
  return [
    [
      key,
      {
        ...content,
        labels: metadata.labels ?? {},
        annotations,
        finalizers: metadata.finalizers ?? [],
        gone: metadata.deletionTimestamp !== undefined,
      },
    ],
  ]
}

/** All objects of the cluster but those that live and die by themselves. @throws LabError cluster-unreachable */
export async function readObjects(api: Api, signal: AbortSignal): Promise<KubeObject[]> {
  const groups: { groups: { preferredVersion: { groupVersion: string } }[] } = await api.raw('GET', '/apis', undefined, { signal })
  const versions = ['v1', ...groups.groups.map((group) => group.preferredVersion.groupVersion)]
  const objects: KubeObject[] = []
  await Promise.all(
    versions.map(async (version) => {
      const root = version === 'v1' ? '/api/v1' : `/apis/${version}`
      const found: { resources: { name: string; kind: string; verbs: string[] }[] } = await api.raw('GET', root, undefined, { signal })
      for (const resource of found.resources) {
        if (resource.name.includes('/') || !resource.verbs.includes('list') || transient.has(resource.kind)) continue
        // events.k8s.io and friends show what v1 shows
        if (version !== 'v1' && resource.kind === 'Event') continue
        const list = await api.raw('GET', `${root}/${resource.name}`, undefined, { signal }).catch((error: unknown) => {
          if (error instanceof ApiError && [403, 404, 405].includes(error.status)) return { items: [] }
          throw error
        })
        for (const item of list.items ?? []) objects.push({ apiVersion: version, kind: resource.kind, ...item })
      }
    }),
  )
  return objects
}

export function hashesOf(objects: readonly KubeObject[]): ObjectHashes {
  const contents: Record<string, string[]> = {}
  for (const object of objects)
    for (const [key, content] of normalise(object)) contents[key] = [...(contents[key] ?? []), canonical(content)]
  // Several pods of one owner share a key: their number counts, not their order.
  return Object.fromEntries(
    Object.entries(contents)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, texts]) => [key, sha(texts.sort().join('\n'))]),
  )
}

/**
 * Versions of what programs read when they start. Put back by hand it has the old content and another version, and who started meanwhile goes on with
 * what it read.
 */
export function versionsOf(objects: readonly KubeObject[]): Record<string, string> {
  return Object.fromEntries(
    objects
      .filter(({ apiVersion, kind }) => apiVersion === 'v1' && (kind === 'ConfigMap' || kind === 'Secret'))
      .flatMap((object) => normalise(object).map(([key]): [string, string] => [key, object.metadata.resourceVersion ?? ''])),
  )
}

/** kinds that follow from others, and settle by themselves once those are as they were */
const following = new Set(['Pod', ...named])

/**
 * What it takes to undo changes by the API alone: objects to delete, and nodes whose specification or labels were changed. Undefined when
 * something of the baseline itself was removed or changed: what had used it may remember that, and only etcd's data undo it.
 */
export function additions(
  before: ObjectHashes,
  now: readonly KubeObject[],
  changed = differences(before, hashesOf(now)),
): { added: KubeObject[]; nodes: string[] } | undefined {
  const nodes: string[] = []
  for (const key of changed) {
    const [version = '', kind = '', name = ''] = key.split(' ')
    if (before[key] === undefined || following.has(kind)) continue
    const there = version === 'v1' && kind === 'Node' && now.some((one) => one.kind === 'Node' && one.metadata.name === name)
    if (!there) return undefined
    nodes.push(name)
  }
  const spaces = new Set(Object.keys(before).flatMap((key) => /^v1 Namespace (.+)$/.exec(key)?.[1] ?? []))
  const added = now.filter((object) => {
    const { kind, metadata } = object
    if (named.has(kind) && kind !== 'EndpointSlice') return false
    // Goes with its owner, or with its namespace.
    if (metadata.ownerReferences?.length > 0 || (metadata.namespace !== undefined && !spaces.has(metadata.namespace))) return false
    return normalise(object).some(([key]) => before[key] === undefined)
  })
  return { added, nodes }
}

/** keys that are missing, new or different */
export function differences(before: Record<string, string>, now: Record<string, string>): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(now)])].filter((key) => before[key] !== now[key]).sort()
}
