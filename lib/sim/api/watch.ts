// A watch over HTTP: one line of JSON per event, in the form that the client accepts, with bookmarks and the initial list where it asked for them.
// Knows nothing of routes. Source: apiserver/pkg/endpoints/handlers/watch.go, KEP-3157.
import type { ServerResponse } from 'node:http'
import type { Clock, Timer } from '../clock.ts'
import type { KubeObject, ListOptions } from '../kube.ts'
import { ApiError } from '../kube.ts'
import { json, partial, type Shown } from './answers.ts'
import type { Operations } from './operations.ts'
import { badVersion } from './refusals.ts'
import type { Served } from './registry.ts'
import { table } from './tables.ts'

/** how often an idle watch is told where it is */
const bookmarks = 60_000
/** more unsent bytes than this, and the client is too slow: it is cut off and lists again */
const slow = 16 * 1024 * 1024

export interface Watching {
  operations: Operations
  clock: Clock
  response: ServerResponse
  served: Served
  options: ListOptions
  query: URLSearchParams
  shown: Shown
  warnings: readonly string[]
}
/** Answers and goes on until the client leaves, the time is up, or it is stopped. Throws ApiError before the first byte. */
export function serveWatch({ operations, clock, response, served, options, query, shown, warnings }: Watching): () => void {
  const { form, includeObject } = shown
  const asked = query.get('resourceVersion') ?? ''
  // The real server takes this for a fault of its own.
  if (asked !== '' && !/^\d+$/.test(asked)) throw new ApiError(500, '', badVersion(asked).message.replace('invalid resource version: ', ''))
  const initial = query.get('sendInitialEvents') === 'true'
  const wantsBookmarks = ['true', '1'].includes(query.get('allowWatchBookmarks') ?? '')
  const whole = initial || ((asked === '' || asked === '0') && query.get('sendInitialEvents') !== 'false')
  if (initial && query.get('resourceVersionMatch') !== 'NotOlderThan') {
    throw new ApiError(
      422,
      'Invalid',
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
      {
        group: 'meta.k8s.io',
        kind: 'ListOptions',
        causes: [
          {
            reason: 'FieldValueForbidden',
            message: 'Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
            field: 'resourceVersionMatch',
          },
        ],
      },
    )
  }
  operations.match(served, options)
  let revision = operations.store.revision
  const first = whole ? operations.list(served, options).items : []
  if (!whole) revision = Number(asked)

  let ended = false
  let titled = false
  const timers: Timer[] = []
  let next: Timer | undefined
  let subscription: { stop(): void } | undefined
  const stop = () => {
    if (ended) return
    ended = true
    subscription?.stop()
    next?.cancel()
    for (const timer of timers) timer.cancel()
    response.end()
  }
  const write = (line: string) => {
    if (ended) return
    response.write(line)
    if (response.writableLength > slow) {
      response.destroy()
      stop()
    }
  }
  const text = (object: KubeObject): string => {
    if (form.kind === 'object') return json(object)
    if (form.kind === 'metadata') return JSON.stringify(partial(object, form.version))
    const made = table(served, [object], {
      now: clock.now(),
      includeObject,
      version: form.version,
      resourceVersion: object.metadata.resourceVersion,
    })
    // The columns are told once.
    if (titled) made.columnDefinitions = null
    titled = true
    return JSON.stringify(made)
  }
  const tell = (type: string, object: KubeObject) => write(line(type, object, form.kind === 'object' ? undefined : text(object)))
  const bookmark = (annotations?: Record<string, string>) => {
    const metadata = {
      resourceVersion: String(Math.max(revision, operations.store.revision)),
      creationTimestamp: null,
      ...(annotations ? { annotations } : {}),
    }
    const object = { kind: served.kind, apiVersion: served.apiVersion, metadata }
    if (form.kind !== 'table')
      return write(`{"type":"BOOKMARK","object":${JSON.stringify(form.kind === 'metadata' ? partial(object, form.version) : object)}}\n`)
    write(
      `{"type":"BOOKMARK","object":${JSON.stringify({
        kind: 'Table',
        apiVersion: `meta.k8s.io/${form.version}`,
        metadata: { resourceVersion: metadata.resourceVersion },
        columnDefinitions: null,
        rows: [{ cells: [], object: partial(object, form.version) }],
      })}}\n`,
    )
  }

  if (warnings.length > 0)
    response.setHeader(
      'warning',
      warnings.map((warning) => `299 - "${warning}"`),
    )
  response.writeHead(200, {
    'cache-control': 'no-cache, private',
    'content-type':
      form.kind === 'object'
        ? 'application/json'
        : `application/json;as=${form.kind === 'table' ? 'Table' : 'PartialObjectMetadata'};g=meta.k8s.io;v=${form.version}`,
  })
  response.flushHeaders()
  for (const object of first) tell('ADDED', object)
  if (initial) bookmark({ 'k8s.io/initial-events-end': 'true' })
  try {
    subscription = operations.watch(served, options, revision, ({ type, object }) => tell(type, object))
  } catch (error) {
    // Too old: told in the stream, as the watch cache does.
    if (!(error instanceof ApiError)) throw error
    write(`{"type":"ERROR","object":${JSON.stringify(error.status)}}\n`)
    stop()
    return stop
  }
  const seconds = Number(query.get('timeoutSeconds') ?? 0)
  timers.push(clock.after((seconds > 0 ? seconds : 1800 + operations.random.int(1800)) * 1000, stop))
  if (wantsBookmarks) {
    // One shortly before the end, so that the next watch begins where this one left off.
    if (seconds > 0) timers.push(clock.after(Math.max(0, seconds - 2) * 1000, () => bookmark()))
    const repeat = () => {
      if (ended) return
      bookmark()
      next = clock.after(bookmarks, repeat)
    }
    next = clock.after(bookmarks, repeat)
  }
  return stop
}

/** The line of an event is the same for all who watch whole objects: made once for each. */
const lines: Record<string, WeakMap<object, string>> = { ADDED: new WeakMap(), MODIFIED: new WeakMap(), DELETED: new WeakMap() }
function line(type: string, object: KubeObject, text: string | undefined): string {
  if (text !== undefined) return `{"type":"${type}","object":${text}}\n`
  const known = lines[type]?.get(object)
  if (known !== undefined) return known
  const made = `{"type":"${type}","object":${json(object)}}\n`
  // Of an object that was there before anyone watched, only the JSON is worth keeping.
  if (type !== 'ADDED' && Object.isFrozen(object)) lines[type]?.set(object, made)
  return made
}
