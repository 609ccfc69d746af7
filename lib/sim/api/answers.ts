// How answers are written: which form a client accepts, objects and lists as JSON with each object's text made once, tables, and failures as Status.
// Knows nothing of routes.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { stringify as toYaml } from 'yaml'
import type { KubeObject } from '../kube.ts'
import { ApiError } from '../kube.ts'
import type { Listing } from './operations.ts'
import type { Served } from './registry.ts'
import { table } from './tables.ts'

export interface Form {
  kind: 'object' | 'table' | 'metadata'
  /** of meta.k8s.io, for tables and partial metadata */
  version: string
  yaml: boolean
}
const media =
  'application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch'

/** The first form of the Accept header that can be answered; throws 406. */
export function accepted(header: string | undefined): Form {
  const plain: Form = { kind: 'object', version: 'v1', yaml: false }
  if (header === undefined || header.trim() === '') return plain
  for (const { type, parameters } of acceptable(header)) {
    const json = type === 'application/json' || type === '*/*' || type === 'application/*'
    const as = parameters.as
    if (as === 'Table' && json) return { kind: 'table', version: parameters.v ?? 'v1', yaml: false }
    if ((as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') && json) {
      return { kind: 'metadata', version: parameters.v ?? 'v1', yaml: false }
    }
    if (as !== undefined) continue
    if (json) return plain
    if (type === 'application/yaml') return { ...plain, yaml: true }
  }
  throw new ApiError(406, 'NotAcceptable', `406: Not Acceptable\n\nAvailable representations: ${media}`, {})
}
export function acceptable(header: string): { type: string; parameters: Record<string, string> }[] {
  return header
    .split(',')
    .map((clause) => {
      const [type = '', ...rest] = clause.split(';').map((part) => part.trim())
      const parameters = Object.fromEntries(rest.map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]))
      return { type, parameters, q: Number(parameters.q ?? 1) }
    })
    .filter((clause) => clause.q > 0)
    .sort((a, b) => b.q - a.q)
}

const bodies = new WeakMap<object, string>()
/** JSON of everything but kind and apiVersion, without the opening brace; made once for what is frozen */
function body(object: KubeObject): string {
  const known = bodies.get(object)
  if (known !== undefined) return known
  const { apiVersion: _apiVersion, kind: _kind, ...rest } = object
  const text = JSON.stringify(rest).slice(1)
  if (Object.isFrozen(object)) bodies.set(object, text)
  return text
}
/** JSON of an object, kind and apiVersion first */
export function json(object: KubeObject): string {
  const rest = body(object)
  return `{"kind":${JSON.stringify(object.kind)},"apiVersion":${JSON.stringify(object.apiVersion)}${rest === '}' ? '' : ','}${rest}`
}
/** Built-in kinds' items go without kind and apiVersion, as Go's typed lists do. */
export function jsonList(served: Served, listing: Listing): string {
  const items = listing.items.map((item) => (served.custom === undefined ? `{${body(item)}` : json(item)))
  return `{"kind":${JSON.stringify(served.listKind)},"apiVersion":${JSON.stringify(served.apiVersion)},"metadata":${JSON.stringify(listMetadata(listing))},"items":[${items.join(',')}]}`
}
export const listMetadata = (listing: Listing): KubeObject => ({
  ...(listing.resourceVersion === '' ? {} : { resourceVersion: listing.resourceVersion }),
  ...(listing.continue === undefined ? {} : { continue: listing.continue }),
  ...(listing.remaining === undefined ? {} : { remainingItemCount: listing.remaining }),
})
export const partial = (object: KubeObject, version: string): KubeObject => ({
  kind: 'PartialObjectMetadata',
  apiVersion: `meta.k8s.io/${version}`,
  metadata: object.metadata,
})

export interface Shown {
  served: Served
  form: Form
  /** epoch ms, for ages */
  now: number
  /** of a table's rows: None, Metadata (default), Object */
  includeObject: string
}
export function show(object: KubeObject, { served, form, now, includeObject }: Shown): string {
  if (object.kind === 'Status' || form.kind === 'object' || object.kind !== served.kind) return json(object)
  if (form.kind === 'metadata') return JSON.stringify(partial(object, form.version))
  return JSON.stringify(
    table(served, [object], { now, includeObject, version: form.version, resourceVersion: object.metadata.resourceVersion }),
  )
}
export function showList(listing: Listing, { served, form, now, includeObject }: Shown): string {
  if (form.kind === 'object') return jsonList(served, listing)
  if (form.kind === 'metadata') {
    return JSON.stringify({
      kind: 'PartialObjectMetadataList',
      apiVersion: `meta.k8s.io/${form.version}`,
      metadata: listMetadata(listing),
      items: listing.items.map((item) => partial(item, form.version)),
    })
  }
  const made = table(served, listing.items, { now, includeObject, version: form.version, resourceVersion: listing.resourceVersion })
  return JSON.stringify({ ...made, metadata: listMetadata(listing) })
}

/** A person with curl or a browser gets JSON that can be read. */
const readable = (request: IncomingMessage): boolean => {
  const asked = /[?&]pretty(=([^&]*))?/.exec(request.url ?? '')
  if (asked !== null) return !['false', '0'].includes(asked[2] ?? '')
  return /^(curl|Wget|Mozilla\/5\.0)/.test(request.headers['user-agent'] ?? '')
}
export function send(
  request: IncomingMessage,
  response: ServerResponse,
  code: number,
  text: string,
  options: { yaml?: boolean; warnings?: readonly string[]; headers?: Record<string, string> } = {},
): void {
  if (response.headersSent || response.destroyed) return
  const out = options.yaml
    ? toYaml(JSON.parse(text), { sortMapEntries: true })
    : readable(request)
      ? JSON.stringify(JSON.parse(text), null, 2)
      : `${text}\n`
  for (const [name, value] of Object.entries(options.headers ?? {})) response.setHeader(name, value)
  if (options.warnings?.length) response.setHeader('warning', options.warnings.map(warning))
  response.writeHead(code, {
    'cache-control': 'no-cache, private',
    'content-type': options.yaml ? 'application/yaml' : 'application/json',
    'content-length': Buffer.byteLength(out),
  })
  response.end(out)
}
const warning = (text: string): string =>
  `299 - "${text
    .replace(/[\\"]/g, '\\$&')
    .replace(/\s+/g, ' ')
    .replace(/[^\x20-\x7e]/g, '?')}"`
export function sendError(request: IncomingMessage, response: ServerResponse, error: unknown, warnings: readonly string[] = []): void {
  const known =
    error instanceof ApiError
      ? error
      : new ApiError(500, 'InternalError', `Internal error occurred: ${error instanceof Error ? error.message : error}`)
  const { retryAfterSeconds } = known.status.details ?? {}
  const { reason, ...rest } = known.status
  send(request, response, known.code, JSON.stringify(reason === '' ? rest : known.status), {
    warnings,
    headers: {
      'x-content-type-options': 'nosniff',
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    },
  })
}
export function sendText(response: ServerResponse, code: number, text: string, type = 'text/plain; charset=utf-8'): void {
  if (response.headersSent || response.destroyed) return
  response.writeHead(code, {
    'cache-control': 'no-cache, private',
    'content-type': type,
    'x-content-type-options': 'nosniff',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}
