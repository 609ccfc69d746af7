// What the grader was told while it looked, kept so that checks which were mended later can be asked again of the same answers. Wraps the
// eyes of a grading and writes down every answer; the other way round it gives eyes that answer only out of such a record.
// Knows nothing of checks or scores. What was not asked then cannot be answered: that is CannotLook, never a guess.
import { type Api, ApiError, type Cluster, type KubeObject, type NodeInfo } from '#lib/cluster/index.ts'
import { asLabError, type ErrorCode, errorCodes, LabError } from '#lib/protocol/index.ts'
import type { Check } from '#lib/scenario/index.ts'
import type { Handover } from './harmless.ts'
import { CannotLook, type Eyes } from './observe.ts'

/** An answer, or the failure that was one. Plain JSON. */
type Answer = { value: unknown } | { failed: { code: string; status?: number; message: string } }
/** Plain JSON. */
export interface EvidenceRecord {
  version: 1
  nodes: readonly NodeInfo[]
  handover: Handover | null
  /** the checks that were asked, as they were */
  checks: readonly Check[]
  /** the newest answer to each question */
  answers: Record<string, Answer>
  /** questions whose answer did not fit in */
  left: number
}

/** characters of all answers together, and of one */
const mostOfAll = 6 * 1024 * 1024
const mostOfOne = 1024 * 1024

/** Kinds of which everything is written down at the end, so that a check which asks for something else of them can still be answered. No Secrets. */
const kept = [
  ['v1', 'Node'],
  ['v1', 'Namespace'],
  ['v1', 'Pod'],
  ['v1', 'Service'],
  ['v1', 'Endpoints'],
  ['v1', 'ConfigMap'],
  ['v1', 'ServiceAccount'],
  ['v1', 'PersistentVolume'],
  ['v1', 'PersistentVolumeClaim'],
  ['apps/v1', 'Deployment'],
  ['apps/v1', 'DaemonSet'],
  ['apps/v1', 'StatefulSet'],
  ['apps/v1', 'ReplicaSet'],
  ['batch/v1', 'Job'],
  ['batch/v1', 'CronJob'],
  ['discovery.k8s.io/v1', 'EndpointSlice'],
  ['networking.k8s.io/v1', 'NetworkPolicy'],
  ['networking.k8s.io/v1', 'Ingress'],
  ['rbac.authorization.k8s.io/v1', 'Role'],
  ['rbac.authorization.k8s.io/v1', 'RoleBinding'],
  ['rbac.authorization.k8s.io/v1', 'ClusterRole'],
  ['rbac.authorization.k8s.io/v1', 'ClusterRoleBinding'],
  ['storage.k8s.io/v1', 'StorageClass'],
] as const

const question = (name: string, ...parts: readonly unknown[]): string => JSON.stringify([name, ...parts])
interface Ref {
  apiVersion: string
  kind: string
  namespace?: string | undefined
  name?: string | undefined
  selector?: Record<string, string> | undefined
}
const refOf = ({ apiVersion, kind, name, namespace, selector }: Ref) => [
  apiVersion,
  kind,
  namespace ?? null,
  name ?? null,
  selector ?? null,
]
type Node = Parameters<Cluster['probe']>[0]

/** Eyes that see as the given ones do and write down what they were told. */
export function recording(eyes: Eyes, checks: readonly Check[]): { eyes: Eyes; finish(): Promise<EvidenceRecord> } {
  const answers = new Map<string, string>()
  let size = 0
  let left = 0
  const put = (key: string, answer: Answer) => {
    const text = JSON.stringify(answer)
    const before = answers.get(key)
    const grown = size - (before === undefined ? 0 : before.length + key.length) + text.length + key.length
    if (text.length > mostOfOne || grown > mostOfAll) {
      // An older answer to the same question must not stand for the newer one.
      if (before !== undefined) {
        answers.delete(key)
        size -= before.length + key.length
      }
      left += 1
      return
    }
    answers.set(key, text)
    size = grown
  }
  const told = async <T>(key: string, work: Promise<T>, plain: (value: T) => unknown = (value) => value): Promise<T> => {
    try {
      const value = await work
      put(key, { value: plain(value) ?? null })
      return value
    } catch (thrown) {
      const error = asLabError(thrown)
      if (error.code !== 'cancelled')
        put(key, {
          failed:
            thrown instanceof ApiError
              ? { code: 'api', status: thrown.status, message: thrown.message.slice(0, 500) }
              : { code: error.code, message: error.message.slice(0, 500) },
        })
      throw thrown
    }
  }
  const bare = (object: KubeObject | null) => (object === null ? null : withoutManagers(object))
  const { api, canaries, cluster } = eyes
  const seen: Api = {
    ...(api as Api),
    get: (ref, options) => told(question('get', ...refOf(ref)), api.get(ref, options), bare),
    list: (ref, options) => told(question('list', ...refOf(ref)), api.list(ref, options), (objects) => objects.map(withoutManagers)),
    log: (pod, options) =>
      told(question('log', pod.namespace, pod.pod, pod.container ?? null, pod.previous ?? false, pod.tail ?? null), api.log(pod, options)),
    raw: (method, path, body, options) => told(question('raw', method, path, body ?? null), api.raw(method, path, body, options)),
    create: (object, options) => api.create(object, options),
    put: (object, options) => api.put(object, options),
    patch: (ref, type, patch, options) => api.patch(ref, type, patch, options),
    delete: (ref, options) => api.delete(ref, options),
    watch: (ref, on, signal) => api.watch(ref, on, signal),
    close: () => api.close(),
  }
  const watched = new Proxy(cluster, {
    get(target, name) {
      switch (name) {
        case 'probe':
          return ((from, to, signal) => told(question('probe', from, to), target.probe(from, to, signal))) satisfies Cluster['probe']
        case 'unit':
          return ((node: never, unit: string) => told(question('unit', node, unit), target.unit(node, unit))) as Cluster['unit']
        case 'readFile':
          return ((where: never, file: string) =>
            told(question('file', where, file), target.readFile(where, file), (bytes) =>
              Buffer.from(bytes).toString('base64'),
            )) as Cluster['readFile']
        case 'exec':
          return ((where: Node, argv: readonly string[], options?: { timeoutMs?: number }) =>
            told(question('exec', where, argv), target.exec(where as never, argv, options as never))) as Cluster['exec']
        default: {
          const value: unknown = Reflect.get(target, name, target)
          return typeof value === 'function' ? value.bind(target) : value
        }
      }
    },
  })
  return {
    eyes: {
      ...eyes,
      api: seen,
      cluster: watched,
      canaries: {
        // Its address is another one each time; what was asked of it is found again by the service it copies.
        like: async (ref, signal) => {
          const service = await told(question('canary', ref.namespace, ref.name), canaries.like(ref, signal), bare)
          return service
        },
        dispose: () => canaries.dispose(),
      },
    },
    async finish() {
      // Best effort, and not for long: what cannot be listed is not in the record, and a check that asks for it cannot be regraded.
      const signal = AbortSignal.timeout(8000)
      await Promise.all(
        kept.map(async ([apiVersion, kind]) => {
          const objects = await api.list({ apiVersion, kind }, { signal }).catch(() => null)
          if (objects !== null) put(question('list', ...refOf({ apiVersion, kind })), { value: objects.map(withoutManagers) })
        }),
      )
      return {
        version: 1,
        nodes: cluster.nodes,
        handover: eyes.handover,
        checks,
        answers: Object.fromEntries([...answers].map(([key, text]) => [key, JSON.parse(text) as Answer])),
        left,
      }
    },
  }
}
function withoutManagers(object: KubeObject): KubeObject {
  if (object.metadata?.managedFields === undefined) return object
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata }
}

/** Eyes that look at nothing but a record. @throws (each of its methods) CannotLook for what was not asked then */
export function replaying(record: EvidenceRecord): Eyes {
  const missing = (what: string): never => {
    throw new CannotLook(`it asks for what was not recorded: ${what}`, undefined)
  }
  const recall = <T>(key: string, what: string): T => {
    const answer = Object.hasOwn(record.answers, key) ? record.answers[key] : undefined
    if (answer === undefined) return missing(what)
    if ('value' in answer) return answer.value as T
    const { code, message, status } = answer.failed
    if (code === 'api') throw new ApiError(status ?? 500, '', message)
    throw new LabError((code in errorCodes ? code : 'internal') as ErrorCode, message)
  }
  const all = (apiVersion: string, kind: string): KubeObject[] | null => {
    const answer = record.answers[question('list', ...refOf({ apiVersion, kind }))]
    return answer !== undefined && 'value' in answer ? (answer.value as KubeObject[]) : null
  }
  const has = (object: KubeObject, selector: Record<string, string>) =>
    Object.entries(selector).every(([key, value]) => object.metadata?.labels?.[key] === value)
  const named = ({ kind, name, namespace }: Ref) => `${kind} ${namespace ?? ''} ${name ?? ''}`.replaceAll(/\s+/g, ' ').trim()
  const api: Api = {
    async get(ref) {
      const key = question('get', ...refOf(ref))
      if (Object.hasOwn(record.answers, key)) return recall(key, named(ref))
      const objects = all(ref.apiVersion, ref.kind) ?? missing(named(ref))
      return objects.find((one) => one.metadata.name === ref.name && (one.metadata.namespace ?? null) === (ref.namespace ?? null)) ?? null
    },
    async list(ref) {
      const key = question('list', ...refOf(ref))
      if (Object.hasOwn(record.answers, key)) return recall(key, named(ref))
      const objects = all(ref.apiVersion, ref.kind) ?? missing(named(ref))
      return objects.filter(
        (one) =>
          (ref.namespace === undefined || one.metadata.namespace === ref.namespace) &&
          (ref.name === undefined || one.metadata.name === ref.name) &&
          (ref.selector === undefined || has(one, ref.selector)),
      )
    },
    log: async (pod) =>
      recall(question('log', pod.namespace, pod.pod, pod.container ?? null, pod.previous ?? false, pod.tail ?? null), `logs of ${pod.pod}`),
    raw: async (method, path, body) => recall(question('raw', method, path, body ?? null), `${method} ${path}`),
    create: async () => missing('a change of the cluster'),
    put: async () => missing('a change of the cluster'),
    patch: async () => missing('a change of the cluster'),
    delete: async () => missing('a change of the cluster'),
    watch: async () => {},
    close: () => {},
  }
  const parts: Partial<Record<keyof Cluster, unknown>> = {
    nodes: record.nodes,
    probe: async (from: unknown, to: unknown) => recall(question('probe', from, to), `a probe of ${JSON.stringify(to)}`),
    unit: async (node: unknown, unit: string) => recall(question('unit', node, unit), `the unit ${unit}`),
    readFile: async (where: unknown, file: string) =>
      new Uint8Array(Buffer.from(recall<string>(question('file', where, file), `the file ${file}`), 'base64')),
    exec: async (where: unknown, argv: readonly string[]) => recall(question('exec', where, argv), 'a command'),
    health: async () => ({ state: 'unreachable' as const, message: 'as it was recorded', hint: '' }),
  }
  const cluster = new Proxy({} as Cluster, {
    get: (_, name) => (Object.hasOwn(parts, name) ? parts[name as keyof Cluster] : missing(`the cluster's ${String(name)}`)),
  })
  return {
    cluster,
    api,
    handover: record.handover,
    canaries: {
      like: async (ref) => recall(question('canary', ref.namespace, ref.name), `a copy of the service ${ref.name}`),
      dispose: async () => {},
    },
  }
}
