// Writes core/v1 Events as client-go's recorder does: what is alike is counted, what is many is combined, what is too much is dropped.
// Knows no kinds of objects but Event.
import type { Clock } from './clock.ts'
import { ApiError, type Client, type KubeObject, Unreachable } from './kube.ts'
import type { Random } from './random.ts'

/** `regarding` is an object with apiVersion, kind and metadata, or an ObjectReference (`fieldPath` for one container of a pod). */
export type Recorder = (regarding: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string) => void

// k8s.io/client-go/tools/record/events_cache.go: maxLruCacheEntries, defaultAggregateMaxEvents, defaultAggregateIntervalInSeconds,
// defaultSpamBurst, defaultSpamQPS; event.go: maxTriesPerEvent, defaultSleepDuration.
// (the cache holds 4096 there; a lab has fewer objects)
const cacheEntries = 1024
const aggregateAfter = 10
const aggregateMs = 600_000
const spamBurst = 25
const spamMs = 300_000
const tries = 12
const retryMs = 10_000

interface Seen {
  count: number
  first: string
  name: string
  namespace: string
}
interface Similar {
  messages: Set<string>
  last: number
}
interface Bucket {
  tokens: number
  at: number
}
interface Pending {
  event: KubeObject
  key: string
  tries: number
}

/**
 * A recorder for one component. Never throws: what the API refuses is dropped, what it cannot be reached for is tried again every 10 s, 12 times.
 * `random` stands in for the nanoseconds that a virtual clock does not have, in the events' names.
 */
export function recorder(client: Client, clock: Clock, random: Random, source: { component: string; host?: string }): Recorder {
  const seen = new Map<string, Seen>()
  const similar = new Map<string, Similar>()
  const spam = new Map<string, Bucket>()
  let pending: Pending[] = []
  let waiting = false

  const write = ({ event, key }: Pending): void => {
    const known = seen.get(key)
    if (known !== undefined && known.count > 1) {
      try {
        client.patch('v1/events', known.name, known.namespace, 'strategic', {
          count: event.count,
          lastTimestamp: event.lastTimestamp,
          message: event.message,
        })
        return
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== 404) throw error
        // It was deleted in the meantime: a new one takes its place.
        event.metadata = { ...event.metadata, name: eventName(event.involvedObject.name) }
      }
    }
    client.create('v1/events', event)
    remember(seen, key, { count: event.count, first: event.firstTimestamp, name: event.metadata.name, namespace: event.metadata.namespace })
  }
  const retry = (): void => {
    waiting = false
    const now = pending
    pending = []
    for (const [at, one] of now.entries()) {
      if (send(one)) continue
      pending = [...pending, ...now.slice(at + 1)]
      break
    }
  }
  /** false when the API could not be reached */
  const send = (one: Pending): boolean => {
    try {
      write(one)
      return true
    } catch (error) {
      if (!(error instanceof Unreachable)) return true
      one.tries += 1
      if (one.tries < tries && pending.length < 1000) pending.push(one)
      if (!waiting) {
        waiting = true
        clock.after(retryMs, retry)
      }
      return false
    }
  }
  const eventName = (name: string): string => {
    const nanos = BigInt(clock.now()) * 1_000_000n + BigInt(random.int(1_000_000))
    return `${name}.${nanos.toString(16)}`
  }

  return (regarding, type, reason, message) => {
    const now = clock.now()
    const involved = reference(regarding)
    const object = [involved.kind, involved.namespace, involved.name, involved.uid, involved.apiVersion].join(' ')

    // Similar events, told apart only by their message, become one that says so.
    const alike = [source.component, source.host, object, type, reason].join(' ')
    let group = similar.get(alike)
    if (group === undefined || now - group.last > aggregateMs) group = { messages: new Set(), last: now }
    group.last = now
    group.messages.add(message)
    remember(similar, alike, group)
    const combined = group.messages.size >= aggregateAfter
    if (combined) group.messages.delete([...group.messages][0] as string)
    const text = combined ? `(combined from similar events): ${message}` : message
    const key = combined ? alike : `${alike} ${involved.fieldPath ?? ''} ${message}`

    // 25 at once and one more every 5 minutes, per object.
    const spamKey = `${source.component} ${source.host ?? ''} ${object}`
    const bucket = spam.get(spamKey) ?? { tokens: spamBurst, at: now }
    bucket.tokens = Math.min(spamBurst, bucket.tokens + (now - bucket.at) / spamMs)
    bucket.at = now
    remember(spam, spamKey, bucket)
    if (bucket.tokens < 1) return
    bucket.tokens -= 1

    const stamp = seconds(now)
    const known = seen.get(key)
    const namespace = involved.namespace ?? 'default'
    if (known !== undefined) remember(seen, key, { ...known, count: known.count + 1 })
    send({
      key,
      tries: 0,
      event: {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: eventName(involved.name ?? ''), namespace },
        involvedObject: involved,
        reason,
        message: text,
        source: { component: source.component, ...(source.host === undefined ? {} : { host: source.host }) },
        firstTimestamp: known?.first ?? stamp,
        lastTimestamp: stamp,
        count: (known?.count ?? 0) + 1,
        type,
        eventTime: null,
        reportingComponent: source.component,
        reportingInstance: source.host ?? '',
      },
    })
  }
}

const seconds = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`

/** An ObjectReference of an object, or the reference as it is. */
function reference(regarding: KubeObject): KubeObject {
  if (regarding.metadata === undefined) return regarding
  const { name, namespace, uid, resourceVersion } = regarding.metadata
  return {
    kind: regarding.kind,
    ...(namespace ? { namespace } : {}),
    name,
    ...(uid ? { uid } : {}),
    apiVersion: regarding.apiVersion,
    ...(resourceVersion ? { resourceVersion } : {}),
  }
}

/** The oldest entry goes when there are too many. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key)
  map.set(key, value)
  if (map.size > cacheEntries) map.delete(map.keys().next().value as string)
}
