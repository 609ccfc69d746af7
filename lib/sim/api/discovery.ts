// What clients ask first: which groups, versions and resources there are (aggregated and plain), and their OpenAPI documents. Documents of the
// built-in resources are made once in a process. Knows nothing of users.
import { createHash } from 'node:crypto'
import type { KubeObject } from '../kube.ts'
import { openapiDocument, openapiIndex } from '../schema/index.ts'
import { crdBucket, groupVersion, type Registry, type Served } from './registry.ts'
import type { Store } from './store.ts'

interface Group {
  name: string
  versions: { version: string; resources: Served[] }[]
}

/** Groups as the server orders them: by the priorities of their APIServices. */
function groupsOf(registry: Registry, store: Store): Group[] {
  const groups = new Map<string, Group>()
  for (const served of registry.all()) {
    let group = groups.get(served.group)
    if (group === undefined) {
      group = { name: served.group, versions: [] }
      groups.set(served.group, group)
    }
    let version = group.versions.find((one) => one.version === served.version)
    if (version === undefined) {
      version = { version: served.version, resources: [] }
      group.versions.push(version)
    }
    version.resources.push(served)
  }
  const spec = (group: string, version: string) => store.get('apiservices.apiregistration.k8s.io', '', `${version}.${group}`)?.spec
  for (const group of groups.values()) {
    group.versions.sort(
      (a, b) =>
        (spec(group.name, b.version)?.versionPriority ?? 0) - (spec(group.name, a.version)?.versionPriority ?? 0) ||
        byVersion(a.version, b.version),
    )
  }
  // The aggregator's own group comes before those that it aggregates.
  const weight = (group: Group) =>
    group.name === 'apiregistration.k8s.io'
      ? 20_000
      : Math.max(...group.versions.map(({ version }) => spec(group.name, version)?.groupPriorityMinimum ?? 0))
  return [...groups.values()].sort((a, b) => weight(b) - weight(a) || (a.name < b.name ? -1 : 1))
}
/** v2 before v1 before v1beta1 before v1alpha1. Source: apimachinery/pkg/version/helpers.go */
function byVersion(a: string, b: string): number {
  const rank = (version: string): [number, number, number] => {
    const parts = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version)
    if (parts === null) return [-1, 0, 0]
    return [parts[2] === undefined ? 2 : parts[2] === 'beta' ? 1 : 0, Number(parts[1]), Number(parts[3] ?? 0)]
  }
  const [left, right] = [rank(a), rank(b)]
  return right[0] - left[0] || right[1] - left[1] || right[2] - left[2] || (a < b ? -1 : 1)
}

/** Asked by a client of the newest protocol; `old` for v2beta1. Source: apidiscovery.k8s.io */
function aggregated(groups: readonly Group[], old: boolean): KubeObject {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${old ? 'v2beta1' : 'v2'}`,
    metadata: {},
    items: groups.map((group) => ({
      metadata: group.name === '' ? {} : { name: group.name },
      versions: group.versions.map(({ version, resources }) => ({
        version,
        resources: resources.map((served) => ({
          resource: served.resource,
          responseKind: { group: '', version: '', kind: served.kind },
          scope: served.namespaced ? 'Namespaced' : 'Cluster',
          singularResource: served.singular,
          verbs: served.verbs,
          ...(served.shortNames.length > 0 ? { shortNames: served.shortNames } : {}),
          ...(served.categories.length > 0 ? { categories: served.categories } : {}),
          ...(served.subresources.length > 0
            ? {
                subresources: served.subresources.map((one) => ({
                  subresource: one.name,
                  responseKind: { group: one.group ?? '', version: one.version ?? '', kind: one.kind },
                  verbs: one.verbs,
                })),
              }
            : {}),
        })),
        freshness: 'Current',
      })),
    })),
  }
}
function groupObject(group: Group): KubeObject {
  const versions = group.versions.map(({ version }) => ({ groupVersion: groupVersion(group.name, version), version }))
  return { name: group.name, versions, preferredVersion: versions[0] }
}
function resourceList(group: string, version: string, resources: readonly Served[]): KubeObject {
  return {
    kind: 'APIResourceList',
    ...(group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion: groupVersion(group, version),
    resources: resources.flatMap((served) => [
      {
        name: served.resource,
        singularName: served.singular,
        namespaced: served.namespaced,
        kind: served.kind,
        verbs: served.verbs,
        ...(served.shortNames.length > 0 ? { shortNames: served.shortNames } : {}),
        ...(served.categories.length > 0 ? { categories: served.categories } : {}),
        ...(served.verbs.includes('get') && served.bucket !== 'componentstatuses' ? { storageVersionHash: storageHash(served) } : {}),
      },
      ...served.subresources.map((one) => ({
        name: `${served.resource}/${one.name}`,
        singularName: '',
        namespaced: served.namespaced,
        ...(one.group === undefined ? {} : { group: one.group }),
        ...(one.version === undefined ? {} : { version: one.version }),
        kind: one.kind,
        verbs: one.verbs,
      })),
    ]),
  }
}
/** Source: apiserver/pkg/endpoints/discovery/storageversionhash.go */
function storageHash(served: Served): string {
  // Definitions are served by a server of their own, which hashes another version.
  if (served.bucket === crdBucket) return 'jfWCUB31mvA='
  const [group, version] = served.storage.includes('/') ? served.storage.split('/') : ['', served.storage]
  return createHash('sha256').update(`${group}/${version}/${served.kind}`).digest().subarray(0, 8).toString('base64')
}

export interface Document {
  text: string
  type: string
  etag?: string
}
/** documents of labs that have no custom resources are the same in all of them */
const shared = new Map<string, Document>()

export class Discovery {
  readonly #registry: Registry
  readonly #store: Store
  readonly #address: string
  #generation = -1
  #documents = new Map<string, Document>()

  /** `address`: host:port that /api names */
  constructor(registry: Registry, store: Store, address: string) {
    this.#registry = registry
    this.#store = store
    this.#address = address
  }

  /** undefined when there is nothing at this path */
  document(path: string, accept: { type: string; parameters: Record<string, string> }[]): Document | undefined {
    const clean = path.replace(/\/$/, '')
    if (clean === '/api' || clean === '/apis') {
      for (const { type, parameters } of accept) {
        if (parameters.g === 'apidiscovery.k8s.io' && parameters.as === 'APIGroupDiscoveryList' && type === 'application/json') {
          const old = parameters.v === 'v2beta1'
          return this.#made(`${clean} ${old ? 'v2beta1' : 'v2'}`, () => {
            const groups = groupsOf(this.#registry, this.#store).filter((group) => (group.name === '') === (clean === '/api'))
            const type = `application/json;g=apidiscovery.k8s.io;v=${old ? 'v2beta1' : 'v2'};as=APIGroupDiscoveryList`
            return { text: JSON.stringify(aggregated(groups, old)), type }
          })
        }
        if (type === 'application/json' || type === '*/*') break
      }
    }
    if (clean === '/api') {
      return plain({
        kind: 'APIVersions',
        versions: ['v1'],
        serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: this.#address }],
      })
    }
    return this.#made(clean, () => this.#plain(clean))
  }
  #plain(path: string): Document | undefined {
    const parts = path.split('/').slice(1)
    const groups = groupsOf(this.#registry, this.#store)
    if (path === '/apis')
      return plain({ kind: 'APIGroupList', apiVersion: 'v1', groups: groups.filter((group) => group.name !== '').map(groupObject) })
    const [root, name = '', version] = parts[0] === 'api' ? ['api', '', parts[1]] : parts
    const group = groups.find((one) => one.name === name)
    if (group === undefined || parts.length > 3 || (root === 'apis') !== (name !== '')) return undefined
    if (version === undefined) return plain({ kind: 'APIGroup', apiVersion: 'v1', ...groupObject(group) })
    const found = group.versions.find((one) => one.version === version)
    return found === undefined ? undefined : plain(resourceList(name, version, found.resources))
  }
  #made(key: string, make: () => Document | undefined): Document | undefined {
    if (this.#generation !== this.#registry.generation) {
      this.#generation = this.#registry.generation
      this.#documents = this.#registry.all().some((served) => served.custom !== undefined) ? new Map() : shared
    }
    const known = this.#documents.get(key)
    if (known !== undefined) return known
    const document = make()
    if (document === undefined) return undefined
    const etag = createHash('sha512').update(document.text).digest('hex').toUpperCase()
    const full = { ...document, etag: `"${etag}"` }
    this.#documents.set(key, full)
    return full
  }

  // OpenAPI v3

  openapi(): KubeObject {
    const index = openapiIndex()
    const paths = { ...index.paths }
    for (const [path, document] of this.#customDocuments()) {
      const hash = createHash('sha512').update(JSON.stringify(document)).digest('hex').toUpperCase()
      paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }
    }
    return { paths }
  }
  /** JSON of one group and version (`apis/apps/v1`, `api/v1`); undefined for an unknown one */
  openapiFor(path: string): Buffer | undefined {
    const built = openapiDocument(path)
    if (built !== undefined) return built
    const custom = this.#customDocuments().get(path)
    return custom === undefined ? undefined : Buffer.from(JSON.stringify(custom))
  }
  #customDocuments(): Map<string, KubeObject> {
    const documents = new Map<string, KubeObject>()
    for (const served of this.#registry.all()) {
      if (served.custom === undefined) continue
      const path = `apis/${served.apiVersion}`
      let document = documents.get(path)
      if (document === undefined) {
        document = {
          openapi: '3.0.0',
          info: { title: 'Kubernetes CRD Swagger', version: 'v0.1.0' },
          paths: {},
          components: { schemas: {} },
        }
        documents.set(path, document)
      }
      const kind = { group: served.group, version: served.version, kind: served.kind }
      const name = `${served.group.split('.').reverse().join('.')}.${served.version}.${served.kind}`
      const schema = served.custom.schema?.openAPIV3Schema ?? { type: 'object' }
      document.components.schemas[name] = { ...schema, 'x-kubernetes-group-version-kind': [kind] }
      const base = `/${path}/${served.namespaced ? 'namespaces/{namespace}/' : ''}${served.resource}`
      const content = { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } }
      const operation = (action: string) => ({
        parameters: ['dryRun', 'fieldManager', 'fieldValidation'].map((parameter) => ({
          name: parameter,
          in: 'query',
          schema: { type: 'string', uniqueItems: true },
        })),
        responses: { 200: { description: 'OK', content } },
        'x-kubernetes-action': action,
        'x-kubernetes-group-version-kind': kind,
      })
      document.paths[base] = { get: operation('list'), post: operation('post') }
      document.paths[`${base}/{name}`] = {
        get: operation('get'),
        put: operation('put'),
        patch: operation('patch'),
        delete: operation('delete'),
      }
    }
    return documents
  }
}
const plain = (object: KubeObject): Document => ({ text: JSON.stringify(object), type: 'application/json' })
