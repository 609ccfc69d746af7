// The API over HTTP: routes, who asks, bodies in, answers out, watches. Knows nothing of TLS beyond the client certificate of a connection.
// Sources: apiserver/pkg/endpoints/{request,handlers}, read against a real server's answers.
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { brotliDecompressSync } from 'node:zlib'
import type { Clock } from '../clock.ts'
import type { KubeObject, ListOptions, PatchType, User } from '../kube.ts'
import { ApiError } from '../kube.ts'
import { acceptable, accepted, type Form, send, sendError, sendText, show, showList } from './answers.ts'
import { badOptions, body, contentType, deleteOptions, optionKinds, parseBody, parseJson, parseYaml } from './bodies.ts'
import { Discovery } from './discovery.ts'
import type { KubeletDoor } from './kubelet-door.ts'
import type { Call, Page } from './operations.ts'
import { notServed, type Served } from './registry.ts'
import type { Requests } from './requests.ts'
import { type Streamed, Streams } from './streams.ts'
import type { Tokens } from './tokens.ts'
import { serveWatch } from './watch.ts'

export interface HttpOptions {
  requests: Requests
  tokens: Tokens
  clock: Clock
  kubelets: KubeletDoor
  kubernetesVersion: string
  /** host:port, for /api */
  address: string
  etcd(): string | undefined
  user(certificate: string | Uint8Array | undefined, authorization: string | undefined): User | null
}
/** What a path asks for. */
export interface Target {
  served: Served
  namespace: string
  name: string
  subresource: string
}
const health = JSON.parse(readFileSync(new URL('./data/health.json', import.meta.url), 'utf8')) as Record<string, string[]>
const paths = JSON.parse(readFileSync(new URL('./data/paths.json', import.meta.url), 'utf8')) as string[]
const patches: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
}
const methods: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}
const streamed = new Set(['exec', 'attach', 'portforward', 'log', 'proxy'])
const retired: Readonly<Record<string, string>> = {
  componentstatuses: 'v1 ComponentStatus is deprecated in v1.19+',
  endpoints: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
}

export class Http {
  readonly #options: HttpOptions
  /** in DER, by connection */
  readonly #certificates = new WeakMap<object, Uint8Array | undefined>()
  readonly #discovery: Discovery
  readonly #streams: Streams
  readonly #open = new Set<() => void>()
  #audit = 0

  constructor(options: HttpOptions) {
    this.#options = options
    const { operations } = options.requests
    this.#discovery = new Discovery(operations.registry, operations.store, options.address)
    this.#streams = new Streams({ requests: options.requests, kubelets: options.kubelets, clock: options.clock })
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const warnings: string[] = []
    this.#audit += 1
    response.setHeader('audit-id', `${this.#options.requests.operations.random.uuid()}`)
    this.#handle(request, response, warnings).catch((error) => sendError(request, response, error, warnings))
  }
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    try {
      const url = new URL(request.url ?? '/', 'http://localhost')
      const target = this.#target(url.pathname)
      if (target === undefined || !streamed.has(target.subresource)) throw notServed()
      const user = this.#user(request)
      this.#options.requests.authorize('get', { user, ...target })
      // Since 1.35 a websocket is not enough with the right to get: what runs commands must be created.
      if (target.served.bucket === 'pods') this.#options.requests.authorize('create', { user, ...target })
      const stop = this.#streams.upgrade(request, socket, head, { user, target, query: url.searchParams })
      this.#open.add(stop)
      socket.once('close', () => this.#open.delete(stop))
    } catch (error) {
      refuseUpgrade(socket, error)
    }
  }
  /** why a probe of this path fails; undefined when it does not */
  health(path: string): string | undefined {
    const why = this.#options.etcd()
    return why === undefined || path === '/livez/ping' ? undefined : `[-]etcd failed: reason withheld`
  }
  stop(): void {
    for (const stop of [...this.#open]) stop()
    this.#open.clear()
  }

  async #handle(request: IncomingMessage, response: ServerResponse, warnings: string[]): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const user = this.#user(request)
    const verb = methods[request.method ?? 'GET']
    const target = this.#target(url.pathname)
    if (target === undefined) return this.#other(request, response, url, user)
    if (verb === undefined)
      throw new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})
    const query = url.searchParams
    const old = retired[target.served.bucket]
    if (old !== undefined && target.served.group === '') warnings.push(old)
    if (streamed.has(target.subresource)) {
      this.#options.requests.authorize(target.subresource === 'log' ? 'get' : verb, { user, ...target })
      const abort = new AbortController()
      const stop = () => {
        abort.abort()
        response.destroy()
      }
      this.#open.add(stop)
      response.once('close', () => {
        abort.abort()
        this.#open.delete(stop)
      })
      const call: Streamed = { user, target, query }
      return await this.#streams.plain(request, response, call, abort.signal)
    }
    // Writes of what is in namespaces need one; only reads go through all of them.
    if (verb !== 'get' && target.served.namespaced && target.namespace === '') {
      const review = target.served.group.startsWith('auth')
      if (!review) throw new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})
    }
    const form = accepted(request.headers.accept)
    if (verb === 'get') return this.#read(request, response, { user, target, query, form, warnings })
    return await this.#write(request, response, { user, target, query, form, warnings, verb })
  }

  #user(request: IncomingMessage): User {
    const socket = request.socket as Partial<TLSSocket>
    // It costs as much as a small answer, and is the same as long as the connection lasts.
    if (!this.#certificates.has(socket)) this.#certificates.set(socket, socket.getPeerCertificate?.(false)?.raw)
    const user = this.#options.user(this.#certificates.get(socket), request.headers.authorization)
    if (user === null) throw new ApiError(401, 'Unauthorized', 'Unauthorized')
    return this.#impersonated(request, user)
  }
  /** `kubectl --as`. Source: apiserver/pkg/endpoints/filters/impersonation.go */
  #impersonated(request: IncomingMessage, user: User): User {
    const { authorizer } = this.#options.requests
    const name = request.headers['impersonate-user']
    const one = (header: string): string[] => request.headersDistinct[header] ?? []
    const groups = one('impersonate-group')
    if (typeof name !== 'string') {
      if (groups.length > 0 || request.headers['impersonate-uid'] !== undefined) {
        throw new ApiError(400, 'BadRequest', `requested [{Group  ${groups[0] ?? ''}    }] without impersonating a user`)
      }
      return user
    }
    const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name)
    const may = (resource: string, which: string, namespace = '') =>
      authorizer.check(user, { verb: 'impersonate', group: '', resource, name: which, namespace })
    if (account !== null) may('serviceaccounts', account[2] as string, account[1])
    else may('users', name)
    for (const group of groups) may('groups', group)
    const extra: Record<string, string[]> = {}
    for (const [header, values] of Object.entries(request.headersDistinct)) {
      if (!header.startsWith('impersonate-extra-')) continue
      const key = decodeURIComponent(header.slice('impersonate-extra-'.length))
      for (const value of values ?? []) {
        authorizer.check(user, {
          verb: 'impersonate',
          group: 'authentication.k8s.io',
          resource: 'userextras',
          subresource: key,
          name: value,
        })
      }
      extra[key] = values ?? []
    }
    const own = account !== null && groups.length === 0 ? ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`] : groups
    const rest = name === 'system:anonymous' ? 'system:unauthenticated' : 'system:authenticated'
    return {
      name,
      groups: own.includes(rest) ? own : [...own, rest],
      ...(Object.keys(extra).length > 0 ? { extra } : {}),
      ...(typeof request.headers['impersonate-uid'] === 'string' ? { uid: request.headers['impersonate-uid'] } : {}),
    }
  }

  /** undefined for a path that is for no resource */
  #target(path: string): Target | undefined {
    const [root, ...parts] = path.split('/').filter(Boolean).map(decodeURIComponent)
    if (root !== 'api' && root !== 'apis') return undefined
    const apiVersion = parts.splice(0, root === 'api' ? 1 : 2).join('/')
    if (parts.length === 0 || apiVersion === '') return undefined
    const { registry } = this.#options.requests.operations
    let namespace = ''
    if (parts[0] === 'namespaces' && parts.length > 2 && !['status', 'finalize'].includes(parts[2] as string)) {
      namespace = parts[1] as string
      parts.splice(0, 2)
    }
    const served = registry.find(`${apiVersion}/${parts[0]}`)
    if (served === undefined) {
      // A group that is served answers in its own words, anything else is no path at all.
      const group = root === 'api' ? '' : apiVersion.split('/')[0]
      if (registry.all().some((one) => one.group === group)) throw notServed()
      return undefined
    }
    if ((namespace !== '') !== served.namespaced && (namespace !== '' || parts.length > 1)) throw notServed()
    const [, name = '', ...rest] = parts
    return { served, namespace, name, subresource: rest[0] === 'proxy' ? 'proxy' : rest.join('/') }
  }

  #read(
    request: IncomingMessage,
    response: ServerResponse,
    { user, target, query, form, warnings }: { user: User; target: Target; query: URLSearchParams; form: Form; warnings: string[] },
  ): void {
    const { requests, clock } = this.#options
    const { served, namespace } = target
    const shown = { served, form, now: clock.now(), includeObject: query.get('includeObject') ?? 'Metadata' }
    const watching = target.name === '' && ['true', '1', ''].includes(query.get('watch') ?? 'no')
    const call = this.#call(user, target, query, request, warnings)
    if (target.name !== '') {
      requests.authorize('get', call)
      send(request, response, 200, show(requests.get(call), shown), { yaml: form.yaml, warnings })
      return
    }
    const options: ListOptions = {
      ...(namespace === '' ? {} : { namespace }),
      labelSelector: query.get('labelSelector') ?? undefined,
      fieldSelector: query.get('fieldSelector') ?? undefined,
    }
    requests.authorize(watching ? 'watch' : 'list', call, options.fieldSelector)
    if (watching) {
      if (!served.verbs.includes('watch'))
        throw new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})
      const stop = serveWatch({ operations: requests.operations, clock, response, served, options, query, shown, warnings })
      this.#open.add(stop)
      response.once('close', () => {
        this.#open.delete(stop)
        stop()
      })
      return
    }
    const page: Page = {}
    const limit = query.get('limit')
    if (limit !== null && limit !== '') page.limit = Number(limit)
    for (const key of ['continue', 'resourceVersion', 'resourceVersionMatch'] as const) {
      const value = query.get(key)
      if (value !== null) page[key] = value
    }
    send(request, response, 200, showList(requests.list(call, options, page), shown), { yaml: form.yaml, warnings })
  }

  async #write(
    request: IncomingMessage,
    response: ServerResponse,
    {
      user,
      target,
      query,
      form,
      warnings,
      verb,
    }: { user: User; target: Target; query: URLSearchParams; form: Form; warnings: string[]; verb: string },
  ): Promise<void> {
    const { requests, clock } = this.#options
    const call = this.#call(user, target, query, request, warnings)
    const shown = { served: target.served, form, now: clock.now(), includeObject: query.get('includeObject') ?? 'Metadata' }
    const answer = (code: number, object: KubeObject) =>
      send(request, response, object.kind === 'Status' && object.code ? object.code : code, show(object, shown), {
        yaml: form.yaml,
        warnings,
      })
    if (verb === 'delete') {
      const many = target.name === ''
      requests.authorize(many ? 'deletecollection' : 'delete', call)
      const options = deleteOptions(await body(request), request, query)
      if (options.dryRun?.includes('All')) call.dryRun = true
      if (many) {
        const listed = requests.deleteCollection(
          call,
          {
            ...(target.namespace === '' ? {} : { namespace: target.namespace }),
            labelSelector: query.get('labelSelector') ?? undefined,
            fieldSelector: query.get('fieldSelector') ?? undefined,
          },
          options,
        )
        return send(request, response, 200, showList(listed, shown), { yaml: form.yaml, warnings })
      }
      const done = requests.delete(call, options)
      if (done.answer === 'object') return answer(200, done.object)
      const { served } = target
      return answer(200, {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Success',
        details: {
          name: target.name,
          ...(served.group === '' ? {} : { group: served.group }),
          kind: served.resource,
          uid: done.object.metadata.uid,
        },
      })
    }
    if (verb === 'patch') {
      const type = patches[contentType(request)]
      if (type === undefined) throw new ApiError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {})
      requests.authorize('patch', call)
      if (type === 'apply' && !query.get('fieldManager')) {
        throw new ApiError(
          422,
          'Invalid',
          'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
          {
            group: 'meta.k8s.io',
            kind: 'PatchOptions',
            causes: [{ reason: 'FieldValueRequired', message: 'Required value: is required for apply patch', field: 'fieldManager' }],
          },
        )
      }
      const text = (await body(request)).toString()
      const patch = type === 'apply' ? parseYaml(text) : parseJson(text, 'patch')
      if (type === 'json' && !Array.isArray(patch)) {
        const is = typeof patch === 'object' ? 'object' : typeof patch
        throw new ApiError(
          400,
          'BadRequest',
          `error decoding patch: json: cannot unmarshal ${is} into Go value of type []handlers.jsonPatchOp`,
        )
      }
      const { store } = requests.operations
      const there = store.get(target.served.bucket, target.namespace, target.name) !== undefined
      return answer(there ? 200 : 201, requests.patch(call, type, patch, { force: query.get('force') === 'true' }))
    }
    requests.authorize(verb, call)
    const bytes = await body(request)
    const { object, text } = parseBody(bytes, contentType(request), target)
    if (verb === 'create' && target.subresource === '' && target.name !== '') {
      throw new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})
    }
    if (verb === 'update' && target.name === '') {
      throw new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})
    }
    if (verb === 'create') return answer(201, requests.create(call, object, text))
    answer(200, requests.update(call, object, text))
  }

  #call(user: User, target: Target, query: URLSearchParams, request: IncomingMessage, warnings: string[]): Call {
    const validation = query.get('fieldValidation')
    const agent = String(request.headers['user-agent'] ?? 'unknown')
    const dryRun = query.getAll('dryRun')
    if (dryRun.some((one) => one !== 'All' && one !== '')) {
      const message = `Unsupported value: ${JSON.stringify(dryRun)}: supported values: "All"`
      throw badOptions(`${optionKinds[request.method ?? ''] ?? 'CreateOptions'}`, 'dryRun', message)
    }
    return {
      user,
      ...target,
      dryRun: dryRun.includes('All'),
      manager: query.get('fieldManager') || agent.split('/')[0] || 'unknown',
      fieldValidation: validation === 'Strict' || validation === 'Ignore' ? validation : 'Warn',
      warn: (text) => warnings.push(text),
    }
  }

  // Paths that are for no resource

  async #other(request: IncomingMessage, response: ServerResponse, url: URL, user: User): Promise<void> {
    const path = url.pathname
    const verb = ({ GET: 'get', HEAD: 'head' } as Record<string, string>)[request.method ?? 'GET'] ?? String(request.method).toLowerCase()
    this.#options.requests.authorizer.check(user, { verb, path })
    const accept = acceptable(request.headers.accept ?? '*/*')
    if (path === '/api' || path === '/apis' || path.startsWith('/api/') || path.startsWith('/apis/')) {
      const document = this.#discovery.document(path, accept)
      if (document === undefined) {
        const [root, group] = path.split('/').filter(Boolean)
        if (root === 'api' || this.#options.requests.operations.registry.all().some((one) => one.group === group)) throw notServed()
        return sendText(response, 404, '404 page not found\n')
      }
      if (document.etag !== undefined && request.headers['if-none-match'] === document.etag) {
        response.writeHead(304, { etag: document.etag, vary: 'Accept' })
        response.end()
        return
      }
      if (document.type === 'application/json') return send(request, response, 200, document.text)
      response.writeHead(200, {
        'cache-control': 'public',
        'content-type': document.type,
        ...(document.etag === undefined ? {} : { etag: document.etag }),
        vary: 'Accept',
        'content-length': Buffer.byteLength(document.text),
      })
      response.end(document.text)
      return
    }
    if (path === '/openapi/v2') return swagger(response, accept)
    if (path === '/openapi/v3') return send(request, response, 200, JSON.stringify(this.#discovery.openapi()))
    if (path.startsWith('/openapi/v3/')) {
      const found = this.#discovery.openapiFor(path.slice('/openapi/v3/'.length))
      if (found === undefined) return sendText(response, 404, '')
      const lasting = url.searchParams.has('hash')
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': found.length,
        'cache-control': lasting ? 'public, immutable' : 'no-cache, private',
        ...(lasting ? { expires: new Date(this.#options.clock.now() + 365 * 86_400_000).toUTCString() } : {}),
      })
      response.end(found)
      return
    }
    if (path === '/version' || path === '/version/')
      return send(request, response, 200, JSON.stringify(version(this.#options.kubernetesVersion), null, 2))
    const probe = /^\/(healthz|livez|readyz)(?:\/(.+))?$/.exec(path)
    if (probe !== null) return this.#probe(response, url, probe[1] as string, probe[2])
    if (path === '/metrics') return sendText(response, 200, this.#metrics(), 'text/plain; version=0.0.4; charset=utf-8')
    if (path === '/.well-known/openid-configuration') {
      const { issuer } = this.#options.tokens
      return send(
        request,
        response,
        200,
        JSON.stringify({
          issuer,
          jwks_uri: `https://${this.#options.address}/openid/v1/jwks`,
          response_types_supported: ['id_token'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: [this.#options.tokens.keys().keys[0]?.alg ?? 'RS256'],
        }),
      )
    }
    if (path === '/openid/v1/jwks') return send(request, response, 200, JSON.stringify(this.#options.tokens.keys()))
    if (path === '/') {
      const groups = new Set(['/api', '/api/v1', '/apis', '/apis/'])
      for (const { group, apiVersion } of this.#options.requests.operations.registry.all()) {
        if (group !== '') groups.add(`/apis/${group}`).add(`/apis/${apiVersion}`)
      }
      return sendText(response, 200, JSON.stringify({ paths: [...new Set([...groups, ...paths])].sort() }, null, 2), 'application/json')
    }
    sendText(response, 404, '404 page not found\n')
  }
  #probe(response: ServerResponse, url: URL, kind: string, check: string | undefined): void {
    const checks = health[kind] ?? []
    const excluded = new Set(url.searchParams.getAll('exclude'))
    const broken = this.#options.etcd() !== undefined
    const lines: string[] = []
    let failed = false
    for (const one of check === undefined ? checks : [check]) {
      const bad = broken && one.startsWith('etcd') && !excluded.has(one)
      failed ||= bad
      lines.push(bad ? `[-]${one} failed: reason withheld` : excluded.has(one) ? `[+]${one} excluded: ok` : `[+]${one} ok`)
    }
    const all = check === undefined
    if (!all && !checks.includes(check)) sendText(response, 404, '404 page not found\n')
    else if (failed)
      sendText(response, 500, all ? `${lines.join('\n')}\n${kind} check failed\n` : 'internal server error: reason withheld\n')
    else sendText(response, 200, all && url.searchParams.has('verbose') ? `${lines.join('\n')}\n${kind} check passed\n` : 'ok')
  }
  #metrics(): string {
    const { store, registry } = this.#options.requests.operations
    const seen = new Set<string>()
    const lines = [
      '# HELP apiserver_storage_objects [STABLE] Number of stored objects at the time of last check split by kind.',
      '# TYPE apiserver_storage_objects gauge',
    ]
    for (const { bucket } of registry.all()) {
      if (!seen.has(bucket)) lines.push(`apiserver_storage_objects{resource="${bucket}"} ${store.count(bucket)}`)
      seen.add(bucket)
    }
    return `${lines.join('\n')}\n# HELP apiserver_request_total [STABLE] Counter of apiserver requests.\n# TYPE apiserver_request_total counter\napiserver_request_total ${this.#audit}\n`
  }
}

const swaggerType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'
/** The built-in resources in the old format, which only clients that validate by themselves still read. */
function swagger(response: ServerResponse, accept: readonly { type: string }[]): void {
  if (!accept.some(({ type }) => type.startsWith('application/com.github.proto-openapi.spec.v2'))) {
    throw new ApiError(406, 'NotAcceptable', `/openapi/v2 is served as ${swaggerType} only by the simulated cluster; see /openapi/v3`, {})
  }
  const bytes = brotliDecompressSync(readFileSync(new URL('./data/openapi-v2.pb.br', import.meta.url)))
  response.writeHead(200, {
    'content-type': swaggerType,
    'content-length': bytes.length,
    'cache-control': 'no-cache, private',
    vary: 'Accept',
  })
  response.end(bytes)
}

export function version(gitVersion: string): KubeObject {
  const [, major = '1', minor = '0'] = /^v(\d+)\.(\d+)/.exec(gitVersion) ?? []
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: 'go1.25.7',
    compiler: 'gc',
    platform: 'linux/amd64',
  }
}

function refuseUpgrade(socket: Duplex, error: unknown): void {
  const known =
    error instanceof ApiError ? error : new ApiError(500, 'InternalError', error instanceof Error ? error.message : String(error))
  const text = JSON.stringify(known.status)
  socket.end(
    `HTTP/1.1 ${known.code} ${known.reason}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  )
}
