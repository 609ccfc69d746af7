// Which resources are served: the built-in ones and those of CustomResourceDefinitions, found by path, by kind, or by a client's short form.
// Knows where each is stored, not what may be done with it.
import type { KubeObject } from '../kube.ts'
import { ApiError } from '../kube.ts'
import { type ResourceInfo, resources, type StructShape, shapeOf, shapeOfCrd } from '../schema/index.ts'
import type { Store } from './store.ts'

/** One resource in one version. */
export interface Served extends ResourceInfo {
  /** `apps/v1`, `v1` */
  apiVersion: string
  /** where its objects lie in the store: `pods`, `deployments.apps` */
  bucket: string
  /** the version that the store holds */
  storage: string
  /** of a CustomResourceDefinition: its version's entry */
  custom?: CustomVersion
}
export interface CustomVersion {
  name: string
  served: boolean
  storage: boolean
  schema?: { openAPIV3Schema?: KubeObject }
  subresources?: {
    status?: unknown
    scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath?: string }
  }
  additionalPrinterColumns?: {
    name: string
    type: string
    format?: string
    description?: string
    priority?: number
    jsonPath: string
  }[]
  selectableFields?: { jsonPath: string }[]
}

/** `deployments.apps`, `pods`: how a resource is named in buckets and in messages. */
export const groupResource = (group: string, resource: string): string => (group === '' ? resource : `${resource}.${group}`)
export const groupVersion = (group: string, version: string): string => (group === '' ? version : `${group}/${version}`)

/** Two names of one stored thing. */
const sharedBuckets: Readonly<Record<string, string>> = { 'events.events.k8s.io': 'events' }

let byPath: ReadonlyMap<string, Served> = new Map()
/** built once in a process, shared by all labs */
function builtIns(): ReadonlyMap<string, Served> {
  if (byPath.size > 0) return byPath
  const all = resources()
  const storage = new Map<string, string>()
  for (const info of all) {
    const key = groupResource(info.group, info.resource)
    if (!storage.has(key) || info.storageVersion) storage.set(key, groupVersion(info.group, info.version))
  }
  storage.set('horizontalpodautoscalers.autoscaling', 'autoscaling/v2')
  storage.set('events.events.k8s.io', 'v1')
  byPath = new Map(
    all.map((info) => {
      const key = groupResource(info.group, info.resource)
      const apiVersion = groupVersion(info.group, info.version)
      const served: Served = { ...info, apiVersion, bucket: sharedBuckets[key] ?? key, storage: storage.get(key) as string }
      return [`${apiVersion}/${info.resource}`, served]
    }),
  )
  return byPath
}

/** keeps a definition until its objects are gone */
export const crdFinalizer = 'customresourcecleanup.apiextensions.k8s.io'
export const crdBucket = 'customresourcedefinitions.apiextensions.k8s.io'

const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

export class Registry {
  readonly #store: Store
  #generation = -1
  #custom: ReadonlyMap<string, Served> = new Map()
  #byKind: Map<string, Served> = new Map()

  constructor(store: Store) {
    this.#store = store
  }

  /** `v1/pods`, `apps/v1/deployments`; undefined when nothing of that name is served */
  find(path: string): Served | undefined {
    return builtIns().get(path) ?? this.#customs().get(path)
  }
  /** throws the 404 that a client sees for a path that is not served */
  get(path: string): Served {
    const served = this.find(path)
    if (served === undefined) throw notServed()
    return served
  }
  byKind(apiVersion: string, kind: string): Served | undefined {
    this.#customs()
    if (this.#byKind.size === 0) for (const served of this.all()) this.#byKind.set(`${served.apiVersion}/${served.kind}`, served)
    return this.#byKind.get(`${apiVersion}/${kind}`)
  }
  /** any served version of a resource, the stored one first */
  byBucket(bucket: string): Served | undefined {
    let found: Served | undefined
    for (const served of this.all()) {
      if (served.bucket !== bucket) continue
      if (served.apiVersion === served.storage) return served
      found ??= served
    }
    return found
  }
  all(): readonly Served[] {
    return [...builtIns().values(), ...this.#customs().values()]
  }
  /** grows when a CustomResourceDefinition changes */
  get generation(): number {
    this.#customs()
    return this.#generation
  }
  /** of a kind without a schema: one that takes everything */
  shape(served: Served): StructShape {
    if (served.custom === undefined) return shapeOf(served.apiVersion, served.kind) ?? (shapeOfCrd(anything) as StructShape)
    return shapeOfCrd(served.custom.schema?.openAPIV3Schema ?? anything) as StructShape
  }

  #customs(): ReadonlyMap<string, Served> {
    const generation = this.#store.generation(crdBucket)
    if (generation === this.#generation) return this.#custom
    this.#generation = generation
    this.#byKind = new Map()
    const custom = new Map<string, Served>()
    for (const crd of this.#store.list(crdBucket)) {
      const established = crd.status?.conditions?.some(
        (condition: KubeObject) => condition.type === 'Established' && condition.status === 'True',
      )
      if (!established) continue
      for (const version of crd.spec.versions as CustomVersion[]) {
        if (version.served) {
          const served = ofCustom(crd, version)
          custom.set(`${served.apiVersion}/${served.resource}`, served)
        }
      }
    }
    this.#custom = custom
    return custom
  }
}

const verbs = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch']
function ofCustom(crd: KubeObject, version: CustomVersion): Served {
  const names = crd.status.acceptedNames ?? crd.spec.names
  const storage = (crd.spec.versions as CustomVersion[]).find((one) => one.storage)?.name ?? version.name
  const subresources: ResourceInfo['subresources'] = []
  if (version.subresources?.status !== undefined) subresources.push({ name: 'status', kind: names.kind, verbs: ['get', 'patch', 'update'] })
  if (version.subresources?.scale !== undefined) {
    subresources.push({ name: 'scale', kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: ['get', 'patch', 'update'] })
  }
  return {
    group: crd.spec.group,
    version: version.name,
    resource: names.plural,
    kind: names.kind,
    listKind: names.listKind ?? `${names.kind}List`,
    singular: names.singular ?? names.kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: crd.spec.scope === 'Namespaced',
    verbs,
    subresources,
    apiVersion: groupVersion(crd.spec.group, version.name),
    bucket: groupResource(crd.spec.group, names.plural),
    storage: groupVersion(crd.spec.group, storage),
    custom: version,
  }
}

export const notServed = (): ApiError => new ApiError(404, 'NotFound', 'the server could not find the requested resource', {})
export const notFound = (served: Pick<Served, 'group' | 'resource'>, name: string): ApiError =>
  new ApiError(404, 'NotFound', `${groupResource(served.group, served.resource)} ${JSON.stringify(name)} not found`, {
    name,
    ...(served.group === '' ? {} : { group: served.group }),
    kind: served.resource,
  })
