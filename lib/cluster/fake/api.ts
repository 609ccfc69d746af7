// The fake cluster's Kubernetes API over HTTP on 127.0.0.1: discovery of the usual kinds, CRUD, list, watch, patches. No controllers,
// no admission, no authorization beyond a bearer token. Knows nothing of nodes or shells.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { parse } from 'yaml'
import { type Address, type Change, jsonPatch, mergePatch, type Objects, objectLimit, type StoredObject } from './objects.ts'

/** group/version → resource:Kind, `*` marks cluster-wide ones */
const known: Record<string, string> = {
  '/v1':
    'configmaps:ConfigMap secrets:Secret pods:Pod services:Service endpoints:Endpoints serviceaccounts:ServiceAccount events:Event persistentvolumeclaims:PersistentVolumeClaim nodes:Node* namespaces:Namespace* persistentvolumes:PersistentVolume*',
  'apps/v1': 'deployments:Deployment daemonsets:DaemonSet replicasets:ReplicaSet statefulsets:StatefulSet',
  'batch/v1': 'jobs:Job cronjobs:CronJob',
  'networking.k8s.io/v1': 'networkpolicies:NetworkPolicy ingresses:Ingress ingressclasses:IngressClass*',
  'discovery.k8s.io/v1': 'endpointslices:EndpointSlice',
  'events.k8s.io/v1': 'events:Event',
  'rbac.authorization.k8s.io/v1': 'roles:Role rolebindings:RoleBinding clusterroles:ClusterRole* clusterrolebindings:ClusterRoleBinding*',
  'storage.k8s.io/v1': 'storageclasses:StorageClass*',
  'coordination.k8s.io/v1': 'leases:Lease',
  'admissionregistration.k8s.io/v1':
    'mutatingwebhookconfigurations:MutatingWebhookConfiguration* validatingwebhookconfigurations:ValidatingWebhookConfiguration*',
}
const resourcesOf = (groupVersion: string) =>
  (known[groupVersion] ?? '').split(' ').flatMap((word) => {
    const [, name, kind, star] = /^(\w+):(\w+)(\*?)$/.exec(word) ?? []
    return name && kind ? [{ name, kind, namespaced: star !== '*' }] : []
  })
const bodyLimit = 4 * 1024 * 1024

class ApiError extends Error {
  readonly status: number
  readonly reason: string
  constructor(status: number, reason: string, message: string) {
    super(message)
    this.status = status
    this.reason = reason
  }
}

interface Request {
  groupVersion: string
  collection: string
  resource: string
  kind: string
  /** absent: every namespace, or a cluster-wide resource */
  namespace?: string
  name?: string
  subresource?: string
}
function route(path: string): Request | undefined {
  const parts = path.split('/').filter(Boolean).map(decodeURIComponent)
  const groupVersion = parts[0] === 'api' ? `/${parts[1]}` : `${parts[1]}/${parts[2]}`
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3)
  let namespace: string | undefined
  if (rest[0] === 'namespaces' && rest.length >= 3 && !['status', 'finalize'].includes(rest[2]!)) namespace = rest.splice(0, 2)[1]
  const [resource, name, subresource] = rest
  if (!resource) return undefined
  const kind = resourcesOf(groupVersion).find((candidate) => candidate.name === resource)?.kind
  if (!kind) throw new ApiError(404, 'NotFound', `the server could not find the requested resource ${path}`)
  return { groupVersion, collection: `${groupVersion}/${resource}`, resource, kind, namespace, name, subresource }
}

/** equality, `!=`, `in (…)`, `notin (…)`, existence and its negation, as on the real server */
export function matchesLabels(selector: string | null, labels: Record<string, string> = {}): boolean {
  return (selector?.match(/[^,(]+(\([^)]*\))?/g) ?? []).every((raw) => {
    const term = raw.trim()
    const [, setKey, operator, values] = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(term) ?? []
    if (setKey) return (values ?? '').split(',').some((value) => value.trim() === labels[setKey]) === (operator === 'in')
    const [, key, op, value] = /^([^=!]+)(==|=|!=)(.*)$/.exec(term) ?? []
    if (key) return (labels[key.trim()] === value?.trim()) !== (op === '!=')
    return term.startsWith('!') ? labels[term.slice(1)] === undefined : labels[term] !== undefined
  })
}
function matchesFields(selector: string | null, object: StoredObject): boolean {
  return (selector ?? '')
    .split(',')
    .filter(Boolean)
    .every((term) => {
      const [, path, op, value] = /^([^=!]+)(==|=|!=)(.*)$/.exec(term) ?? []
      if (!path) throw new ApiError(400, 'BadRequest', `the field selector ${term} is not understood`)
      const is = path.split('.').reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], object)
      return (String(is ?? '') === value) !== (op === '!=')
    })
}

export interface FakeApiOptions {
  objects: Objects
  token: string
  version: string
  /** text of a pod's log, undefined when there is none */
  log(namespace: string, pod: string): Promise<string | undefined>
}

/** A running API server; `away` drops every connection and refuses new ones until it is false again. */
export class FakeApi {
  away = false
  private readonly server: Server
  private readonly sockets = new Set<Socket>()
  private readonly options: FakeApiOptions

  constructor(options: FakeApiOptions) {
    this.options = options
    this.server = createServer((request, response) => {
      this.handle(request, response).catch((error: unknown) => {
        const known =
          error instanceof ApiError ? error : new ApiError(500, 'InternalError', error instanceof Error ? error.message : String(error))
        send(response, known.status, {
          kind: 'Status',
          apiVersion: 'v1',
          metadata: {},
          status: 'Failure',
          message: known.message,
          reason: known.reason,
          code: known.status,
        })
      })
    })
    this.server.on('connection', (socket: Socket) => {
      if (this.away) {
        socket.destroy()
        return
      }
      this.sockets.add(socket)
      socket.on('close', () => this.sockets.delete(socket))
    })
  }
  /** @returns the port on 127.0.0.1 */
  async listen(): Promise<number> {
    await new Promise<void>((resolve, reject) => this.server.once('error', reject).listen(0, '127.0.0.1', resolve))
    return (this.server.address() as AddressInfo).port
  }
  drop(): void {
    for (const socket of this.sockets) socket.destroy()
  }
  async close(): Promise<void> {
    this.drop()
    await new Promise((resolve) => this.server.close(resolve))
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake')
    if (request.headers.authorization !== `Bearer ${this.options.token}`) throw new ApiError(401, 'Unauthorized', 'Unauthorized')
    if (['/readyz', '/livez', '/healthz'].includes(url.pathname)) return void response.end('ok')
    if (url.pathname === '/version')
      return send(response, 200, { gitVersion: this.options.version, major: '1', minor: this.options.version.split('.')[1] })
    if (url.pathname === '/api') return send(response, 200, { kind: 'APIVersions', versions: ['v1'] })
    if (url.pathname === '/apis') {
      const groups = Object.keys(known).filter((gv) => gv !== '/v1')
      return send(response, 200, {
        kind: 'APIGroupList',
        apiVersion: 'v1',
        groups: groups.map((groupVersion) => {
          const version = { groupVersion, version: groupVersion.split('/')[1] }
          return { name: groupVersion.split('/')[0], versions: [version], preferredVersion: version }
        }),
      })
    }
    const target = route(url.pathname)
    if (!target) {
      const groupVersion = url.pathname.replace(/^\/apis?\//, url.pathname.startsWith('/api/') ? '/' : '').replace(/\/$/, '')
      const verbs = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch']
      if (!known[groupVersion]) throw new ApiError(404, 'NotFound', `the server could not find ${url.pathname}`)
      return send(response, 200, {
        kind: 'APIResourceList',
        apiVersion: 'v1',
        groupVersion: groupVersion.replace(/^\//, ''),
        resources: resourcesOf(groupVersion).map((resource) => ({ ...resource, singularName: resource.kind.toLowerCase(), verbs })),
      })
    }
    if (request.method === 'GET' && ['1', 'true'].includes(url.searchParams.get('watch') ?? ''))
      return this.watch(target, url.searchParams, response)
    const body = request.method === 'GET' ? undefined : await readBody(request)
    const [status, answer] = await this.act(request.method ?? 'GET', target, url.searchParams, body, request.headers['content-type'] ?? '')
    typeof answer === 'string' ? response.writeHead(status, { 'content-type': 'text/plain' }).end(answer) : send(response, status, answer)
  }

  private async act(
    method: string,
    target: Request,
    query: URLSearchParams,
    body: unknown,
    contentType: string,
  ): Promise<[number, unknown]> {
    const { objects } = this.options
    const address = (name: string): Address => ({ collection: target.collection, namespace: target.namespace ?? '', name })
    const selected = () =>
      objects
        .list(target.collection, target.namespace)
        .filter(
          (object) =>
            matchesLabels(query.get('labelSelector'), object.metadata.labels) && matchesFields(query.get('fieldSelector'), object),
        )
    const asObject = (value: unknown): StoredObject => {
      const object = value as StoredObject | undefined
      if (object === null || typeof object !== 'object' || typeof object.metadata !== 'object')
        throw new ApiError(400, 'BadRequest', 'the body is not an object with metadata')
      return { ...object, apiVersion: target.groupVersion.replace(/^\//, ''), kind: target.kind }
    }
    const limit = () => {
      if (objects.size >= objectLimit) throw new ApiError(429, 'TooManyRequests', `this cluster holds at most ${objectLimit} objects`)
    }
    if (!target.name) {
      if (method === 'GET') {
        return [
          200,
          {
            kind: `${target.kind}List`,
            apiVersion: target.groupVersion.replace(/^\//, ''),
            metadata: { resourceVersion: String(objects.version) },
            items: selected(),
          },
        ]
      }
      if (method === 'POST') {
        limit()
        const object = asObject(body)
        const name = object.metadata.name ?? `${object.metadata.generateName ?? ''}${Math.random().toString(36).slice(2, 7)}`
        if (objects.get(address(name))) throw new ApiError(409, 'AlreadyExists', `${target.resource} "${name}" already exists`)
        return [201, objects.put(address(name), object)]
      }
      if (method === 'DELETE') {
        for (const object of selected()) objects.remove({ ...address(object.metadata.name), namespace: object.metadata.namespace ?? '' })
        return [200, { kind: 'Status', apiVersion: 'v1', status: 'Success' }]
      }
      throw new ApiError(405, 'MethodNotAllowed', `${method} is not offered here`)
    }
    const at = address(target.name)
    const is = objects.get(at)
    const applies = contentType.startsWith('application/apply-patch')
    if (!is && method === 'PATCH' && applies) {
      limit()
      return [201, objects.put(at, asObject(body))]
    }
    if (!is) throw new ApiError(404, 'NotFound', `${target.resource} "${target.name}" not found`)
    if (target.subresource === 'log') return [200, (await this.options.log(at.namespace, at.name)) ?? '']
    if (target.subresource === 'scale') {
      const replicas = (body as { spec?: { replicas?: number } } | undefined)?.spec?.replicas
      const now = method === 'GET' ? is : objects.put(at, { ...is, spec: { ...(is.spec as object), replicas } })
      return [
        200,
        {
          kind: 'Scale',
          apiVersion: 'autoscaling/v1',
          metadata: now.metadata,
          spec: { replicas: (now.spec as { replicas?: number }).replicas },
        },
      ]
    }
    if (method === 'GET') return [200, is]
    if (method === 'DELETE') return [200, objects.remove(at)]
    if (method === 'PUT') {
      const object = asObject(body)
      const wanted = object.metadata.resourceVersion
      if (wanted && wanted !== is.metadata.resourceVersion) {
        throw new ApiError(
          409,
          'Conflict',
          `Operation cannot be fulfilled on ${target.resource} "${target.name}": the object has been modified`,
        )
      }
      return [200, objects.put(at, target.subresource === 'status' ? { ...is, status: object.status } : object)]
    }
    if (method === 'PATCH') {
      const patched = contentType.startsWith('application/json-patch') ? applySteps(is, body) : mergePatch(is, body)
      return [200, objects.put(at, asObject(patched))]
    }
    throw new ApiError(405, 'MethodNotAllowed', `${method} is not offered here`)
  }

  private watch(target: Request, query: URLSearchParams, response: ServerResponse): void {
    const { objects } = this.options
    const wanted = (object: StoredObject) =>
      (target.namespace === undefined || object.metadata.namespace === target.namespace) &&
      (target.name === undefined || object.metadata.name === target.name) &&
      matchesLabels(query.get('labelSelector'), object.metadata.labels) &&
      matchesFields(query.get('fieldSelector'), object)
    response.writeHead(200, { 'content-type': 'application/json' })
    const emit = (type: string, object: unknown) => void response.write(`${JSON.stringify({ type, object })}\n`)
    const onChange = (change: Change) => {
      if (change.collection !== target.collection) return
      const was = change.before !== undefined && wanted(change.before)
      const is = change.type !== 'DELETED' && wanted(change.object)
      if (is) emit(was ? 'MODIFIED' : 'ADDED', change.object)
      else if (was) emit('DELETED', change.object)
    }
    const from = Number(query.get('resourceVersion') ?? '0')
    const past = from > 0 ? objects.since(from) : []
    if (past === undefined) {
      emit('ERROR', {
        kind: 'Status',
        apiVersion: 'v1',
        status: 'Failure',
        reason: 'Expired',
        code: 410,
        message: 'too old resource version',
      })
      response.end()
      return
    }
    if (from === 0) for (const object of objects.list(target.collection)) wanted(object) && emit('ADDED', object)
    for (const change of past) onChange(change)
    response.flushHeaders()
    const stop = objects.watch(onChange)
    response.on('close', stop)
  }
}

function applySteps(is: StoredObject, steps: unknown): unknown {
  try {
    return jsonPatch(is, steps as Parameters<typeof jsonPatch>[1])
  } catch (error) {
    throw new ApiError(422, 'Invalid', `the patch does not apply: ${(error as Error).message}`)
  }
}
function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) return void response.end()
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > bodyLimit) throw new ApiError(413, 'RequestEntityTooLarge', `a body is at most ${bodyLimit} bytes`)
    chunks.push(chunk)
  }
  if (size === 0) return undefined
  try {
    return parse(Buffer.concat(chunks).toString('utf8')) as unknown // JSON is YAML
  } catch (error) {
    throw new ApiError(400, 'BadRequest', `the body is neither JSON nor YAML: ${(error as Error).message}`)
  }
}
