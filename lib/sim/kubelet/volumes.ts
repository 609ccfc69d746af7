// A pod's volumes as files on its machine, in the kubelet's own places and with its own words when one cannot be had. Knows nothing of containers.
import { posix } from 'node:path'
import { ApiError, type Client, type KubeObject } from '../kube.ts'
import type { Machine } from '../machine.ts'
import type { Random } from '../random.ts'
import { fieldValue, resourceValue } from './environment.ts'

export interface VolumeSource {
  machine: Machine
  client(): Client
  random: Random
  now(): number
  /** for a token: only while the pod is known to the API */
  node: { name: string; cpus: number; memoryBytes: number }
}
export interface MountFailure {
  volume: string
  /** what stands after `MountVolume.SetUp failed for volume "x" : ` */
  message: string
}

export const podDirectory = (uid: string): string => `/var/lib/kubelet/pods/${uid}`

interface Payload {
  [path: string]: { bytes: string | Uint8Array; mode: number }
}
/** What a snapshot keeps: tokens by what was asked for. */
export type VolumeMemory = [string, Token][]
interface Token {
  token: string
  /** epoch ms */
  issued: number
  expires: number
}

/** The volumes of one pod. `mount` may be called again at any time: what has changed in the API is written anew. */
export class PodVolumes {
  readonly #source: VolumeSource
  readonly #paths = new Map<string, string>()
  readonly #written = new Map<string, string>()
  readonly #tokens: Map<string, Token>

  /** `memory`: of a snapshot that was loaded */
  constructor(source: VolumeSource, memory: VolumeMemory = []) {
    this.#source = source
    this.#tokens = new Map(memory)
  }
  save(): VolumeMemory {
    return [...this.#tokens]
  }
  /** the machine's path of a volume that is mounted */
  path(volume: string): string | undefined {
    return this.#paths.get(volume)
  }
  get mounted(): ReadonlyMap<string, string> {
    return this.#paths
  }
  /** one volume; undefined when it is there, else why not */
  mount(pod: KubeObject, volume: KubeObject): MountFailure | undefined {
    try {
      this.#paths.set(volume.name, this.#mount(pod, volume))
      return undefined
    } catch (error) {
      return { volume: volume.name, message: (error as Error).message }
    }
  }
  /** Files of the pod go, what lies elsewhere (hostPath, claims) stays. */
  remove(pod: KubeObject): void {
    this.#source.machine.files.remove(podDirectory(pod.metadata.uid))
    this.#paths.clear()
    this.#written.clear()
  }

  #mount(pod: KubeObject, volume: KubeObject): string {
    const { files } = this.#source.machine
    const place = (plugin: string) => `${podDirectory(pod.metadata.uid)}/volumes/kubernetes.io~${plugin}/${volume.name}`
    if (volume.hostPath) return hostPath(this.#source.machine, volume.hostPath)
    if (volume.emptyDir || Object.keys(volume).length === 1) {
      files.mkdir(place('empty-dir'), 0o777)
      return place('empty-dir')
    }
    const write = (plugin: string, payload: () => Payload): string => {
      this.#write(place(plugin), payload)
      return place(plugin)
    }
    if (volume.configMap)
      return write('configmap', () => this.#configMap(pod, volume.configMap.name, volume.configMap, volume.configMap.defaultMode ?? 0o644))
    if (volume.secret)
      return write('secret', () =>
        this.#secret(
          pod,
          volume.secret.secretName,
          { ...volume.secret, name: volume.secret.secretName },
          volume.secret.defaultMode ?? 0o644,
        ),
      )
    if (volume.downwardAPI)
      return write('downward-api', () => this.#downward(pod, volume.downwardAPI.items ?? [], volume.downwardAPI.defaultMode ?? 0o644))
    if (volume.projected)
      return write('projected', () => {
        const mode = volume.projected.defaultMode ?? 0o644
        const all: Payload = {}
        for (const source of volume.projected.sources ?? []) {
          if (source.configMap) Object.assign(all, this.#configMap(pod, source.configMap.name, source.configMap, mode))
          else if (source.secret) Object.assign(all, this.#secret(pod, source.secret.name, source.secret, mode))
          else if (source.downwardAPI) Object.assign(all, this.#downward(pod, source.downwardAPI.items ?? [], mode))
          else if (source.serviceAccountToken)
            all[source.serviceAccountToken.path] = { bytes: this.#token(pod, source.serviceAccountToken), mode }
          else throw new Error(`projected source ${Object.keys(source).join(', ')} is not simulated`)
        }
        return all
      })
    if (volume.persistentVolumeClaim) return this.#claim(pod, volume.persistentVolumeClaim.claimName)
    const kind = Object.keys(volume).find((name) => name !== 'name')
    throw new Error(`volumes of type ${kind} are not simulated`)
  }

  #get(resource: string, kind: string, name: string, namespace: string | undefined): KubeObject | undefined {
    try {
      return this.#source.client().find(resource, name, namespace)
    } catch (error) {
      if (error instanceof ApiError) throw error
      throw new Error(`failed to sync ${kind} cache: timed out waiting for the condition`)
    }
  }
  #configMap(pod: KubeObject, name: string, source: KubeObject, mode: number): Payload {
    const map = this.#get('v1/configmaps', 'configmap', name, pod.metadata.namespace)
    if (!map) {
      if (source.optional) return {}
      throw new Error(`configmap ${JSON.stringify(name)} not found`)
    }
    const data: Record<string, string | Uint8Array> = { ...map.data }
    for (const [key, value] of Object.entries(map.binaryData ?? {})) data[key] = Buffer.from(value as string, 'base64')
    return chosen(data, source, mode, 'configmap references non-existent config key')
  }
  #secret(pod: KubeObject, name: string, source: KubeObject, mode: number): Payload {
    const secret = this.#get('v1/secrets', 'secret', name, pod.metadata.namespace)
    if (!secret) {
      if (source.optional) return {}
      throw new Error(`secret ${JSON.stringify(name)} not found`)
    }
    const data: Record<string, Uint8Array> = {}
    for (const [key, value] of Object.entries(secret.data ?? {})) data[key] = Buffer.from(value as string, 'base64')
    return chosen(data, source, mode, 'references non-existent secret key')
  }
  #downward(pod: KubeObject, items: readonly KubeObject[], mode: number): Payload {
    const out: Payload = {}
    for (const item of items) {
      const bytes = item.fieldRef
        ? fieldValue(pod, item.fieldRef.fieldPath, '')
        : resourceValue(pod, item.resourceFieldRef, undefined, this.#source.node)
      out[item.path] = { bytes, mode: item.mode ?? mode }
    }
    return out
  }
  #token(pod: KubeObject, source: KubeObject): string {
    const key = `${source.audience ?? ''} ${source.expirationSeconds ?? 3600}`
    const now = this.#source.now()
    const known = this.#tokens.get(key)
    // Anew after four fifths of its life or a day, whichever is first (token_manager.go).
    if (known && now < known.issued + (known.expires - known.issued) * 0.8 && now < known.issued + 86_400_000) return known.token
    let answer: KubeObject
    try {
      answer = this.#source.client().create(
        'v1/serviceaccounts',
        {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          metadata: { name: pod.spec.serviceAccountName ?? 'default', namespace: pod.metadata.namespace },
          spec: {
            audiences: source.audience ? [source.audience] : [],
            expirationSeconds: source.expirationSeconds ?? 3600,
            boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name, uid: pod.metadata.uid },
          },
        },
        { subresource: 'token' },
      )
    } catch (error) {
      if (known) return known.token
      throw new Error(`failed to fetch token: ${(error as Error).message}`)
    }
    this.#tokens.set(key, { token: answer.status.token, issued: now, expires: Date.parse(answer.status.expirationTimestamp) })
    return answer.status.token
  }
  #claim(pod: KubeObject, name: string): string {
    const claim = this.#get('v1/persistentvolumeclaims', 'persistentvolumeclaim', name, pod.metadata.namespace)
    if (!claim)
      throw new Error(`error processing PVC ${pod.metadata.namespace}/${name}: persistentvolumeclaim ${JSON.stringify(name)} not found`)
    if (claim.status?.phase !== 'Bound' || !claim.spec.volumeName)
      throw new Error(`error processing PVC ${pod.metadata.namespace}/${name}: PVC is not bound`)
    const volume = this.#get('v1/persistentvolumes', 'persistentvolume', claim.spec.volumeName, undefined)
    if (!volume) throw new Error(`persistentvolume ${JSON.stringify(claim.spec.volumeName)} not found`)
    if (volume.spec.hostPath) return hostPath(this.#source.machine, volume.spec.hostPath)
    if (volume.spec.local) {
      const { path } = volume.spec.local
      if (!this.#source.machine.files.exists(path)) throw new Error(`path ${JSON.stringify(path)} does not exist`)
      return path
    }
    throw new Error(
      `persistent volumes of type ${Object.keys(volume.spec).find((key) => /^[a-z]+$/.test(key) && typeof volume.spec[key] === 'object')} are not simulated`,
    )
  }

  /** As the kubelet's atomic writer: a new directory with a time for a name, `..data` turned to it, links to `..data`. */
  #write(directory: string, make: () => Payload): void {
    const { files } = this.#source.machine
    let payload: Payload
    try {
      payload = make()
    } catch (error) {
      // What was there stays, for a container that runs.
      if (this.#written.has(directory) && !(error instanceof ApiError)) return
      throw error
    }
    const text = JSON.stringify(
      Object.entries(payload).map(([path, { bytes, mode }]) => [
        path,
        typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('base64'),
        mode,
      ]),
    )
    if (this.#written.get(directory) === text && files.exists(`${directory}/..data`)) return
    if (!this.#written.has(directory) && this.#holds(directory, payload)) {
      this.#written.set(directory, text)
      return
    }
    files.mkdir(directory, 0o777)
    const stamp = new Date(this.#source.now()).toISOString().replace(/[-T:]/g, '_').slice(0, 19)
    const fresh = `..${stamp}.${this.#source.random.int(4_294_967_295)}`
    const before = files.list(directory)
    files.mkdir(`${directory}/${fresh}`)
    for (const [path, { bytes, mode }] of Object.entries(payload)) files.write(`${directory}/${fresh}/${path}`, bytes, mode)
    files.symlink(fresh, `${directory}/..data_tmp`)
    files.rename(`${directory}/..data_tmp`, `${directory}/..data`)
    const names = new Set(Object.keys(payload).map((path) => path.split('/')[0] as string))
    for (const name of names) if (!before.includes(name)) files.symlink(`..data/${name}`, `${directory}/${name}`)
    for (const name of before)
      if (name !== '..data' && name !== '..data_tmp' && name !== fresh && !names.has(name)) files.remove(`${directory}/${name}`)
    this.#written.set(directory, text)
  }
  /** A kubelet that has just started leaves a volume alone that has what it would write (shouldWritePayload). */
  #holds(directory: string, payload: Payload): boolean {
    const { files } = this.#source.machine
    if (!files.exists(`${directory}/..data`)) return false
    const names = new Set(Object.keys(payload).map((path) => path.split('/')[0] as string))
    const there = files.list(directory).filter((name) => !name.startsWith('..'))
    if (there.length !== names.size || !there.every((name) => names.has(name))) return false
    return Object.entries(payload).every(([path, { bytes, mode }]) => {
      const at = `${directory}/..data/${path}`
      const stat = files.stat(at)
      if (stat?.type !== 'file' || (stat.mode & 0o777) !== mode) return false
      try {
        return files.read(at).equals(typeof bytes === 'string' ? Buffer.from(bytes) : bytes)
      } catch {
        return false
      }
    })
  }
}

function chosen(data: Readonly<Record<string, string | Uint8Array>>, source: KubeObject, mode: number, missing: string): Payload {
  if (!source.items?.length) return Object.fromEntries(Object.entries(data).map(([key, bytes]) => [key, { bytes, mode }]))
  const out: Payload = {}
  for (const item of source.items) {
    const bytes = data[item.key]
    if (bytes === undefined) {
      if (source.optional) continue
      throw new Error(`${missing}: ${item.key}`)
    }
    out[posix.normalize(item.path)] = { bytes, mode: item.mode ?? mode }
  }
  return out
}

function hostPath(machine: Machine, source: { path: string; type?: string }): string {
  const { files } = machine
  const { path, type } = source
  const stat = files.stat(path)
  const refuse = (what: string) => {
    throw new Error(`hostPath type check failed: ${path} is not ${what}`)
  }
  if (type === 'Directory' && stat?.type !== 'directory') refuse('a directory')
  if (type === 'File' && stat?.type !== 'file') refuse('a file')
  if (type === 'Socket' && stat?.type !== 'other') refuse('a socket file')
  if (type === 'CharDevice' && stat?.type !== 'other') refuse('a character device')
  if (type === 'BlockDevice' && stat?.type !== 'other') refuse('a block device')
  if (type === 'DirectoryOrCreate' && stat && stat.type !== 'directory') refuse('a directory')
  if (type === 'FileOrCreate' && stat && stat.type !== 'file') refuse('a file')
  if (!stat) {
    if (type === 'FileOrCreate') files.write(path, '')
    // The runtime makes what is not there.
    else files.mkdir(path)
  }
  return path
}
