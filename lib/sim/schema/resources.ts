// The built-in resources and the OpenAPI v3 documents of the API, from data/ (generated, see data/NOTICE.md).
// Knows nothing of custom resources: whoever serves them adds theirs.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { brotliDecompressSync } from 'node:zlib'
import { readLines } from './shape.ts'

export interface ResourceInfo {
  group: string
  version: string
  resource: string
  kind: string
  listKind: string
  singular: string
  shortNames: string[]
  categories: string[]
  namespaced: boolean
  verbs: string[]
  subresources: { name: string; kind: string; group?: string; version?: string; verbs: string[] }[]
  /** false: objects of this resource are kept in another group or version (autoscaling/v1, events.k8s.io/v1) */
  storageVersion?: boolean
}

let list: readonly ResourceInfo[] | undefined
const keptElsewhere = new Set(['autoscaling/v1', 'events.k8s.io/v1'])

/** Every resource of the groups that a cluster of kubeadm serves, frozen. */
export function resources(): readonly ResourceInfo[] {
  if (list) return list
  const read = readLines('resources.jsonl') as unknown as ResourceInfo[]
  for (const info of read) {
    info.listKind = `${info.kind}List`
    info.storageVersion = !keptElsewhere.has(`${info.group}/${info.version}`)
    for (const sub of info.subresources) Object.freeze(sub)
    Object.freeze(info)
  }
  list = Object.freeze(read)
  return list
}

const folder = new URL('./data/openapi/', import.meta.url)
const suffix = '.json.br'
const documents = new Map<string, WeakRef<Buffer>>()
let index: { paths: Record<string, { serverRelativeURL: string }> } | undefined

/** GET /openapi/v3. The hashes change only with the data. */
export function openapiIndex(): { paths: Record<string, { serverRelativeURL: string }> } {
  if (index) return index
  const paths: Record<string, { serverRelativeURL: string }> = {}
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith(suffix)) continue
    const path = file.slice(0, -suffix.length).replaceAll('__', '/')
    const hash = createHash('sha512')
      .update(readFileSync(new URL(file, folder)))
      .digest('hex')
      .toUpperCase()
    paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }
  }
  index = { paths }
  return index
}
/** GET /openapi/v3/<path>, e.g. `apis/apps/v1`: the document as JSON; undefined for what is not built in. Up to 1.5 MB, kept only while used. */
export function openapiDocument(groupVersionPath: string): Buffer | undefined {
  const known = documents.get(groupVersionPath)?.deref()
  if (known) return known
  if (!(groupVersionPath in openapiIndex().paths)) return undefined
  const bytes = brotliDecompressSync(readFileSync(new URL(groupVersionPath.replaceAll('/', '__') + suffix, folder)))
  documents.set(groupVersionPath, new WeakRef(bytes))
  return bytes
}
