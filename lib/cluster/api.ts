// Any object of a cluster's API by apiVersion and kind, with a bound on every request. Credentials come from client-node's KubeConfig;
// its typed clients know neither a kind by name at run time nor a time-out, and a learner may have firewalled the API.
// Knows nothing of what is asked for and why.

import { request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https'
import { KubeConfig } from '@kubernetes/client-node'
import { LabError } from '#lib/protocol/index.ts'

/** Any Kubernetes object, as JSON. */
// biome-ignore lint/suspicious/noExplicitAny: objects of every kind pass here; each reader narrows what it reads
export type KubeObject = any
export interface ObjectRef {
  apiVersion: string
  kind: string
  namespace?: string | undefined
  name?: string | undefined
  selector?: Readonly<Record<string, string>> | undefined
}
/** An answer of the API server that is not 2xx; the API was reached. */
export class ApiError extends Error {
  readonly status: number
  readonly reason: string
  constructor(status: number, reason: string, message: string) {
    super(message)
    this.name = 'ApiError'
    this.status = status
    this.reason = reason
  }
}
export type PatchType = 'merge' | 'strategic' | 'json' | 'apply'
const patchTypes: Record<PatchType, string> = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
}
export interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  object: KubeObject
}
export interface CallOptions {
  signal?: AbortSignal | undefined
  /** milliseconds, default 10 000 */
  timeoutMs?: number
}

/** The API of one cluster. Every method throws ApiError for an answer that is not 2xx, LabError `cluster-unreachable` when there is none. */
export interface Api {
  /** null when it does not exist */
  get(ref: ObjectRef, options?: CallOptions): Promise<KubeObject | null>
  /** all that match, over all namespaces when none is given */
  list(ref: ObjectRef, options?: CallOptions): Promise<KubeObject[]>
  create(object: KubeObject, options?: CallOptions): Promise<KubeObject>
  /** replaces what is there, without its resourceVersion, or creates it */
  put(object: KubeObject, options?: CallOptions): Promise<KubeObject>
  patch(ref: ObjectRef, type: PatchType, patch: unknown, options?: CallOptions): Promise<KubeObject>
  /** false when it was not there */
  delete(ref: ObjectRef, options?: CallOptions & { graceSeconds?: number }): Promise<boolean>
  log(
    pod: { namespace: string; pod: string; container?: string; previous?: boolean; tail?: number },
    options?: CallOptions,
  ): Promise<string>
  /** any path, JSON in and out */
  raw(method: string, path: string, body?: unknown, options?: CallOptions): Promise<KubeObject>
  /** until the signal aborts: lists, watches, starts again after a break; `onBreak` is told why */
  watch(
    ref: ObjectRef,
    on: { reset(objects: KubeObject[]): void; event(event: WatchEvent): void; broken?(error: Error): void },
    signal: AbortSignal,
  ): Promise<void>
  close(): void
}

interface Resource {
  path: string
  namespaced: boolean
}

export function kubernetesApi(kubeconfig: string): Api {
  const config = new KubeConfig()
  config.loadFromString(kubeconfig)
  const server = config.getCurrentCluster()?.server
  if (!server) throw new LabError('internal', 'The kubeconfig names no cluster.')
  const base = new URL(server)
  const plain = base.protocol === 'http:'
  // A time-out closes its connection, so idle ones may be kept.
  let prepared: Promise<RequestOptions> | undefined
  let agent: Agent | undefined
  const credentials = () => {
    prepared ??= (async () => {
      const options: RequestOptions = {}
      await config.applyToHTTPSOptions(options)
      if (!plain) {
        agent = new Agent({
          keepAlive: true,
          maxSockets: 16,
          ...(options.ca ? { ca: options.ca } : {}),
          ...(options.cert ? { cert: options.cert } : {}),
          ...(options.key ? { key: options.key } : {}),
          ...(options.rejectUnauthorized === false ? { rejectUnauthorized: false } : {}),
        })
        return { agent, ...(options.headers ? { headers: options.headers } : {}) }
      }
      return options.headers ? { headers: options.headers } : {}
    })()
    return prepared
  }

  async function open(
    method: string,
    path: string,
    body: unknown,
    contentType: string,
    options: CallOptions,
    idle: boolean,
  ): Promise<IncomingMessage> {
    const prepared = await credentials()
    const payload = body === undefined ? undefined : JSON.stringify(body)
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => {
        reject(
          options.signal?.aborted
            ? new LabError('cancelled', 'The request was cancelled.')
            : new LabError('cluster-unreachable', `The API server does not answer: ${reasonOf(error)}.`, { cause: error }),
        )
      }
      const request = (plain ? httpRequest : httpsRequest)(
        {
          ...prepared,
          host: base.hostname,
          port: base.port,
          path: base.pathname.replace(/\/$/, '') + path,
          method,
          headers: {
            ...(prepared.headers as Record<string, string> | undefined),
            accept: 'application/json',
            // Of a manager without a name the API server records the user agent: it must not tell who broke a thing.
            'user-agent': 'kubectl',
            ...(payload === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(payload) }),
          },
          ...(options.signal ? { signal: options.signal } : {}),
        },
        (response) => {
          if (idle)
            clearTimeout(timer) // a watch may be silent
          else response.on('close', () => clearTimeout(timer))
          resolve(response)
        },
      )
      const limit = options.timeoutMs ?? 10_000
      const timer = setTimeout(() => request.destroy(new Error(`no answer within ${limit} ms`)), limit)
      request.on('error', (error) => {
        clearTimeout(timer)
        fail(error)
      })
      request.end(payload)
    })
  }

  async function call(
    method: string,
    path: string,
    body?: unknown,
    options: CallOptions = {},
    contentType = 'application/json',
  ): Promise<KubeObject> {
    const response = await open(method, path, body, contentType, options, false)
    const text = await textOf(response)
    const status = response.statusCode ?? 0
    if (status >= 200 && status < 300) {
      if (!response.headers['content-type']?.includes('json')) return text
      return JSON.parse(text)
    }
    throw apiError(status, text)
  }

  const discovered = new Map<string, Promise<Map<string, Resource>>>()
  function resources(apiVersion: string, options?: CallOptions): Promise<Map<string, Resource>> {
    let found = discovered.get(apiVersion)
    if (!found) {
      const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
      found = call('GET', root, undefined, options).then(
        (list: { resources: { name: string; kind: string; namespaced: boolean }[] }) =>
          new Map(
            list.resources
              .filter((one) => !one.name.includes('/'))
              .map((one) => [one.kind, { path: `${root}|${one.name}`, namespaced: one.namespaced }]),
          ),
      )
      found.catch(() => discovered.delete(apiVersion))
      discovered.set(apiVersion, found)
    }
    return found
  }
  async function pathOf(ref: ObjectRef, withName: boolean, options?: CallOptions): Promise<string> {
    const resource = (await resources(ref.apiVersion, options)).get(ref.kind)
    if (!resource) throw new ApiError(404, 'NotFound', `the server has no kind ${ref.kind} in ${ref.apiVersion}`)
    const [root, plural] = resource.path.split('|')
    const namespace = resource.namespaced && (ref.namespace ?? (withName ? 'default' : undefined))
    return `${root}${namespace ? `/namespaces/${namespace}` : ''}/${plural}${withName && ref.name ? `/${encodeURIComponent(ref.name)}` : ''}`
  }
  const query = (ref: ObjectRef, extra: Record<string, string> = {}): string => {
    const params = new URLSearchParams(extra)
    if (ref.selector)
      params.set(
        'labelSelector',
        Object.entries(ref.selector)
          .map(([key, value]) => `${key}=${value}`)
          .join(','),
      )
    if (ref.name) params.set('fieldSelector', `metadata.name=${ref.name}`)
    const text = params.toString()
    return text ? `?${text}` : ''
  }
  const withKind = (ref: ObjectRef, items: KubeObject[]): KubeObject[] =>
    items.map((item) => ({ apiVersion: ref.apiVersion, kind: ref.kind, ...item }))

  const api: Api = {
    async get(ref, options) {
      try {
        return await call('GET', await pathOf(ref, true, options), undefined, options)
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null
        throw error
      }
    },
    async list(ref, options) {
      const list = await call('GET', (await pathOf(ref, false, options)) + query(ref), undefined, options)
      return withKind(ref, list.items ?? [])
    },
    async create(object, options) {
      return call(
        'POST',
        await pathOf(
          { apiVersion: object.apiVersion, kind: object.kind, namespace: object.metadata?.namespace ?? 'default' },
          false,
          options,
        ),
        object,
        options,
      )
    },
    async put(object, options) {
      const ref: ObjectRef = {
        apiVersion: object.apiVersion,
        kind: object.kind,
        namespace: object.metadata?.namespace,
        name: object.metadata?.name,
      }
      const current = await api.get(ref, options)
      if (current === null) return api.create(object, options)
      return call(
        'PUT',
        await pathOf(ref, true, options),
        { ...object, metadata: { ...object.metadata, resourceVersion: current.metadata.resourceVersion } },
        options,
      )
    },
    async patch(ref, type, patch, options) {
      // Written as kubectl would, so that managedFields does not tell who broke it.
      const force = type === 'apply' ? '&force=true' : ''
      return call('PATCH', `${await pathOf(ref, true, options)}?fieldManager=kubectl-edit${force}`, patch, options, patchTypes[type])
    },
    async delete(ref, options) {
      try {
        const grace = options?.graceSeconds === undefined ? {} : { gracePeriodSeconds: options.graceSeconds }
        await call(
          'DELETE',
          await pathOf(ref, true, options),
          { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background', ...grace },
          options,
        )
        return true
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return false
        throw error
      }
    },
    async log(pod, options) {
      const params = new URLSearchParams({ tailLines: String(pod.tail ?? 200), limitBytes: String(512 * 1024) })
      if (pod.container) params.set('container', pod.container)
      if (pod.previous) params.set('previous', 'true')
      const text = await call('GET', `/api/v1/namespaces/${pod.namespace}/pods/${pod.pod}/log?${params}`, undefined, options)
      return typeof text === 'string' ? text : JSON.stringify(text)
    },
    raw: (method, path, body, options) => call(method, path, body, options),
    async watch(ref, on, signal) {
      let pause = 250
      while (!signal.aborted) {
        try {
          const path = await pathOf(ref, false, { signal })
          const list = await call('GET', path + query(ref), undefined, { signal })
          on.reset(withKind(ref, list.items ?? []))
          pause = 250
          const response = await open(
            'GET',
            path +
              query(ref, {
                watch: '1',
                allowWatchBookmarks: 'true',
                resourceVersion: list.metadata.resourceVersion,
                timeoutSeconds: '290',
              }),
            undefined,
            '',
            { signal },
            true,
          )
          if ((response.statusCode ?? 0) !== 200) throw apiError(response.statusCode ?? 0, await textOf(response))
          await eachLine(response, signal, (line) => {
            const event = JSON.parse(line) as WatchEvent
            if (event.type === 'ERROR') throw new Error(event.object?.message ?? 'the watch ended')
            if (event.type !== 'BOOKMARK')
              on.event({ type: event.type, object: { apiVersion: ref.apiVersion, kind: ref.kind, ...event.object } })
          })
        } catch (error) {
          if (signal.aborted) return
          on.broken?.(error as Error)
          await wait(pause, signal)
          pause = Math.min(pause * 2, 3000)
        }
      }
    },
    close() {
      agent?.destroy()
    },
  }
  return api
}

function reasonOf(error: Error & { code?: string }): string {
  if (error.code === 'ECONNREFUSED') return 'connection refused'
  if (error.code === 'ECONNRESET') return 'the connection was reset'
  return error.message
}
function apiError(status: number, text: string): ApiError {
  try {
    const body = JSON.parse(text)
    return new ApiError(status, body.reason ?? '', body.message ?? text.slice(0, 300))
  } catch {
    return new ApiError(status, '', text.slice(0, 300) || `status ${status}`)
  }
}
async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of response) {
      size += (chunk as Buffer).length
      if (size > 64 * 1024 * 1024) throw new Error('more than 64 MiB')
      chunks.push(chunk as Buffer)
    }
  } catch (error) {
    throw new LabError('cluster-unreachable', `The API server broke off its answer: ${(error as Error).message}.`, { cause: error })
  }
  return Buffer.concat(chunks).toString('utf8')
}
async function eachLine(response: IncomingMessage, signal: AbortSignal, use: (line: string) => void): Promise<void> {
  // A dead peer (firewalled API, stopped node) never closes: no byte for 70 s, bookmarks come every minute, ends the watch.
  response.socket.setTimeout(70_000, () => response.destroy(new Error('silent for 70 s')))
  let rest = ''
  response.setEncoding('utf8')
  for await (const chunk of response) {
    if (signal.aborted) return
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line) use(line)
  }
}
/** Resolves after `ms` or when the signal aborts, whichever is first. */
export function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const timer = setTimeout(done, ms)
    function done() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    signal?.addEventListener('abort', done, { once: true })
  })
}
