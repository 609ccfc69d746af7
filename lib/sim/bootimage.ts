// A booted lab as the pattern for further ones: the same state under another name, with keys and certificates of its own, its times moved to now.
// Knows nothing of how a state comes to run.
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto'
import { deepFreeze, identityOf } from './api/index.ts'
import type { KubeObject } from './kube.ts'
import { staticPods } from './kubelet/index.ts'
import type { Files } from './machine.ts'
import { signClusterInfo } from './node/boot.ts'
import type { FileImage } from './node/image.ts'
import type { Tree } from './node/template/files.ts'
import { signJwt } from './pki.ts'
import type { SavedWorld } from './world.ts'

/** What a lab's machines were furnished with: the files that hold its keys, and the authorities that objects repeat. */
export interface Furniture {
  trees: Record<string, Tree>
  /** PEM: the cluster's, the front proxy's */
  authorities: { ca: string; front: string }
  /** PEM of sa.key */
  accountKey: string
}
export interface BootImage {
  id: string
  /** the control plane's name ends it; by place */
  nodes: readonly { place: string; name: string }[]
  /** epoch ms of the lab's time when it was taken */
  at: number
  /** its files as they were: what folders are written ahead from */
  files: Shape['files']
  /** makes the state and the files of another lab */
  etcd: Make
  network: Make
  machines: Make
  places: Make
  authorities: Furniture['authorities']
  /** what furnishing had put on each machine: paths */
  furnished: Record<string, ReadonlySet<string>>
  /** uids of static pods, by place and path of their manifest */
  statics: ReadonlyMap<string, string>
}
export interface Shape {
  world: SavedWorld
  files: Record<string, FileImage>
}

const manifests = '/etc/kubernetes/manifests'

export function takeBootImage(
  id: string,
  nodes: BootImage['nodes'],
  at: number,
  shape: Shape,
  furniture: Pick<Furniture, 'trees' | 'authorities'>,
): BootImage {
  const statics = staticUids(furniture.trees, nodes)
  const known: Known = {
    texts: authorityTexts(furniture.authorities),
    names: [identityOf(controlPlaneOf(nodes)), ...statics.values(), id],
    at,
  }
  // Stores freeze what they hold: labs can have it in common. What else runs may change what it was given, and goes on in the lab that it is taken from.
  const { etcd, ...rest } = shape.world
  const { network, machines } = JSON.parse(JSON.stringify(rest)) as Omit<SavedWorld, 'etcd'>
  return {
    ...{ id, nodes, at, statics, files: shape.files },
    etcd: pattern(etcd, known, true),
    network: pattern(network, known, false),
    machines: pattern(machines, known, false),
    places: pattern(shape.files, known, true),
    authorities: furniture.authorities,
    furnished: Object.fromEntries(Object.entries(furniture.trees).map(([place, tree]) => [place, new Set(Object.keys(tree))])),
  }
}
const controlPlaneOf = (nodes: BootImage['nodes']): string => nodes.find((node) => node.place === 'control-plane')?.name ?? ''
const authorityTexts = ({ ca, front }: Furniture['authorities']): string[] =>
  [ca, front].flatMap((pem) => [pem, Buffer.from(pem).toString('base64')])

/**
 * The image as the state of a lab called `id` at `now` (epoch ms), with that lab's furniture. `renamed`: what a path of the image is there.
 * Parts of objects and files that are the same in all labs are shared and frozen.
 */
export function adaptBootImage(image: BootImage, id: string, now: number, furniture: Furniture): Shape & { renamed(path: string): string } {
  const host = controlPlaneOf(image.nodes)
  // The uid of a static pod follows from its manifest, and the manifest from the lab's name.
  const uids = staticUids(
    furniture.trees,
    image.nodes.map((node) => ({ place: node.place, name: node.name.replace(image.id, id) })),
  )
  const statics = [...image.statics].map(([path, uid]) => uids.get(path) ?? uid)
  const own: Own = {
    texts: authorityTexts(furniture.authorities),
    names: [identityOf(host.replace(image.id, id)), ...statics, id],
    delta: now - image.at,
    token: tokens(image.id, id, now - image.at, furniture.accountKey),
    made: new Map(),
  }
  const etcd = Object.entries(image.etcd(own) as SavedWorld['etcd']).map(([member, dump]) => {
    const info = changed(dump, 'configmaps', 'cluster-info', signClusterInfo)
    const token = changed(dump, 'secrets', 'bootstrap-token-abcdef', (token) => {
      token.data.expiration = Buffer.from(`${new Date(now + 86_400_000).toISOString().slice(0, 19)}Z`).toString('base64')
    })
    return [member, { ...dump, objects: { ...dump.objects, ...info, ...token } }]
  })
  const world = { etcd: Object.fromEntries(etcd), network: image.network(own), machines: image.machines(own) } as SavedWorld
  const from = [...image.statics.values(), image.id]
  const to = own.names.slice(1)
  const renamed = (path: string) => from.reduce((changed, name, at) => changed.replaceAll(name, to[at] as string), path)
  return { world, files: refurnish(image.places(own) as Shape['files'], image, furniture), renamed }
}
/** the bucket with one of its objects changed */
function changed(dump: SavedWorld['etcd'][string], bucket: string, name: string, act: (object: KubeObject) => void) {
  const objects = (dump.objects[bucket] ?? []).map((object) => {
    if (object.metadata.name !== name) return object
    const copy = structuredClone(object)
    act(copy)
    return copy
  })
  return { [bucket]: objects }
}

// ---- one value of the image for many labs

/** What differs from lab to lab, as the image has it. */
interface Known {
  /** long ones: authorities, plain and in base64 */
  texts: readonly string[]
  names: readonly string[]
  at: number
}
/** The same of one lab, in the same order. */
interface Own {
  texts: readonly string[]
  names: readonly string[]
  delta: number
  token(payload: string): string
  /** short texts as they are there */
  made: Map<string, string>
}
type Make = (own: Own) => unknown

const time = /\b(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z/g
const epoch = /(?<=[:,[])1[6-9]\d{11}(?=[,}\]])/g
const klogTime = /\b([IWEF])(\d\d)(\d\d) (\d\d:\d\d:\d\d)\.(\d\d\d)(\d\d\d)(?= )/g
const jwt = /eyJ[\w-]+\.(eyJ[\w-]+)\.[\w-]+/g

/** `shared`: all is frozen, and what is the same in all labs is one value; else all is new for each */
function pattern(value: unknown, known: Known, shared: boolean): Make {
  const make = differing(value, known, shared)
  return make ?? (() => value)
}
/** undefined for what is the same in all labs */
function differing(value: unknown, known: Known, shared: boolean): Make | undefined {
  if (typeof value === 'string') return differingText(value, known)
  if (typeof value === 'number')
    return Number.isInteger(value) && value >= 1.6e12 && value < 2e12 ? ({ delta }) => value + delta : undefined
  if (typeof value !== 'object' || value === null) return undefined
  if (Array.isArray(value)) {
    const parts = value.map((one) => differing(one, known, shared))
    if (shared && parts.every((one) => one === undefined)) {
      deepFreeze(value)
      return undefined
    }
    const make = (own: Own) => value.map((one, at) => parts[at]?.(own) ?? one)
    return shared ? (own) => Object.freeze(make(own)) : make
  }
  const entries = Object.entries(value).filter(([, one]) => one !== undefined)
  const parts = entries.map(([key, one]) => ({ key, keyOf: differingText(key, known), one, make: differing(one, known, shared) }))
  if (shared && parts.every(({ keyOf, make }) => keyOf === undefined && make === undefined)) {
    deepFreeze(value)
    return undefined
  }
  return (own) => {
    const made: Record<string, unknown> = {}
    for (const { key, keyOf, make, one } of parts) made[keyOf ? (keyOf(own) as string) : key] = make ? make(own) : one
    return shared ? Object.freeze(made) : made
  }
}
/** Authorities, tokens, names, and times of three kinds: RFC 3339, epoch milliseconds as JSON numbers, and those at the head of klog's lines. */
function differingText(text: string, known: Known): Make | undefined {
  const has = (what: RegExp) => text.search(what) >= 0
  const among = (all: readonly string[]) => all.flatMap((one, at) => (text.includes(one) ? [at] : []))
  const [texts, names, tokens] = [among(known.texts), among(known.names), has(jwt)]
  const times = has(time) || has(epoch)
  const klog = has(klogTime)
  if (texts.length + names.length === 0 && !tokens && !times && !klog) return undefined
  const make = (own: Own): string => {
    let made = text
    for (const at of texts) made = made.replaceAll(known.texts[at] as string, own.texts[at] as string)
    if (tokens) made = made.replace(jwt, (_token, payload: string) => own.token(payload))
    for (const at of names) made = made.replaceAll(known.names[at] as string, own.names[at] as string)
    if (times)
      made = made
        .replace(time, (all, whole: string, part: string | undefined) => moveTime(all, whole, part, own.delta))
        .replace(epoch, (ms) => String(Number(ms) + own.delta))
    return klog ? moveKlog(made, known.at, own.delta) : made
  }
  if (text.length > 100) return make
  return (own) => {
    let made = own.made.get(text)
    if (made === undefined) {
      made = make(own)
      own.made.set(text, made)
    }
    return made
  }
}
function moveTime(all: string, whole: string, part: string | undefined, delta: number): string {
  const ms = Date.parse(`${whole}.${(part ?? '0').slice(0, 3).padEnd(3, '0')}Z`)
  if (Number.isNaN(ms)) return all
  const moved = new Date(ms + delta).toISOString()
  return part === undefined ? `${moved.slice(0, 19)}Z` : `${moved.slice(0, 23)}${part.slice(3)}`.slice(0, 20 + part.length).concat('Z')
}
/** The year of such a line is the last one that does not lead past `at`, epoch ms. */
function moveKlog(text: string, at: number, delta: number): string {
  const two = (value: number) => String(value).padStart(2, '0')
  return text.replace(klogTime, (_all, severity: string, month: string, day: string, clock: string, ms: string, rest: string) => {
    const year = new Date(at).getUTCFullYear()
    const said = (of: number) => Date.parse(`${of}-${month}-${day}T${clock}.${ms}Z`)
    const moved = new Date((said(year) <= at ? said(year) : said(year - 1)) + delta)
    return `${severity}${two(moved.getUTCMonth() + 1)}${two(moved.getUTCDate())} ${moved.toISOString().slice(11, 23)}${rest}`
  })
}
/** Tokens carry names and times inside of their signature. */
function tokens(from: string, to: string, delta: number, key: string): (payload: string) => string {
  const shift = (seconds: unknown) => (typeof seconds === 'number' ? seconds + Math.round(delta / 1000) : seconds)
  const accountKey = createPrivateKey(key)
  const keyId = createHash('sha256')
    .update(createPublicKey(accountKey).export({ type: 'spki', format: 'der' }))
    .digest('base64url')
  const signed = new Map<string, string>()
  return (payload) => {
    // What is written down in two places is one token.
    const known = signed.get(payload)
    if (known !== undefined) return known
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8').replaceAll(from, to))
    for (const name of ['iat', 'nbf', 'exp']) if (name in claims) claims[name] = shift(claims[name])
    const own = claims['kubernetes.io']
    if (own?.warnafter) own.warnafter = shift(own.warnafter)
    const token = signJwt(claims, accountKey, keyId)
    signed.set(payload, token)
    return token
  }
}

/** The files that hold keys and certificates are the new lab's own. */
function refurnish(shape: Readonly<Shape['files']>, image: BootImage, furniture: Furniture): Shape['files'] {
  const own: Shape['files'] = {}
  for (const [place, files] of Object.entries(shape)) {
    const tree = furniture.trees[place] ?? {}
    const old = image.furnished[place] ?? new Set<string>()
    const kept = files.entries.filter((entry) => !old.has(entry.path) || entry.path in tree)
    const there = new Set(kept.map((entry) => entry.path))
    const entries = kept.map((entry): FileImage['entries'][number] => {
      const given = tree[entry.path]
      if (!given || !old.has(entry.path)) return entry
      if ('text' in given && entry.type === 'file')
        return { path: entry.path, type: 'file', mode: entry.mode, mtime: entry.mtime, text: given.text }
      if ('link' in given && entry.type === 'link') return { path: entry.path, type: 'link', target: given.link }
      return entry
    })
    let added = false
    for (const [path, given] of Object.entries(tree))
      if (!there.has(path) && 'text' in given) {
        entries.push({ path, type: 'file', mode: given.mode ?? 0o644, mtime: 0, text: given.text })
        added = true
      }
    if (added) entries.sort((a, b) => (a.path < b.path ? -1 : 1))
    own[place] = { entries }
  }
  return own
}

/** place and path → uid that the kubelet gives to the static pod of that manifest */
function staticUids(trees: Furniture['trees'], nodes: BootImage['nodes']): Map<string, string> {
  const uids = new Map<string, string>()
  for (const { place, name } of nodes) {
    for (const [path, entry] of Object.entries(trees[place] ?? {})) {
      if (!path.startsWith(`${manifests}/`) || !('text' in entry)) continue
      const only: Pick<Files, 'stat' | 'list' | 'text'> = {
        stat: (at) => (at === path ? { type: 'file', size: entry.text.length, mode: 0o600, mtime: 0 } : undefined),
        list: () => [],
        text: () => entry.text,
      }
      const uid = staticPods(only as Files, path, name, 0).pods[0]?.metadata.uid
      if (typeof uid === 'string') uids.set(`${place}${path}`, uid)
    }
  }
  return uids
}
