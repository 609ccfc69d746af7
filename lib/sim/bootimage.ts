// A booted lab as the pattern for further ones: the same state under another name, with keys and certificates of its own, its times moved to now.
// Works on the text of a snapshot. Knows nothing of how a state comes to run.
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto'
import { identityOf } from './api/index.ts'
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
  /** JSON of Shape */
  text: string
  /** its files as they were: what folders are written ahead from */
  files: Shape['files']
  authorities: Furniture['authorities']
  /** what furnishing had put on each machine: paths */
  furnished: Record<string, string[]>
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
  return {
    id,
    nodes,
    at,
    text: JSON.stringify(shape),
    files: shape.files,
    authorities: furniture.authorities,
    furnished: Object.fromEntries(Object.entries(furniture.trees).map(([place, tree]) => [place, Object.keys(tree)])),
    statics: staticUids(furniture.trees, nodes),
  }
}

/**
 * The image as the state of a lab called `id` at `now` (epoch ms), with that lab's furniture. `renamed`: what a path of the image is there.
 */
export function adaptBootImage(image: BootImage, id: string, now: number, furniture: Furniture): Shape & { renamed(path: string): string } {
  const delta = now - image.at
  let text = image.text
  const inJson = (value: string) => JSON.stringify(value).slice(1, -1)
  const swap = (from: string, to: string) => {
    text = text.replaceAll(from, to)
  }
  for (const key of ['ca', 'front'] as const) {
    swap(inJson(image.authorities[key]), inJson(furniture.authorities[key]))
    swap(Buffer.from(image.authorities[key]).toString('base64'), Buffer.from(furniture.authorities[key]).toString('base64'))
  }
  // Tokens carry names and times inside of their signature.
  const shift = (seconds: unknown) => (typeof seconds === 'number' ? seconds + Math.round(delta / 1000) : seconds)
  const accountKey = createPrivateKey(furniture.accountKey)
  const keyId = createHash('sha256')
    .update(createPublicKey(accountKey).export({ type: 'spki', format: 'der' }))
    .digest('base64url')
  text = text.replace(/eyJ[\w-]+\.(eyJ[\w-]+)\.[\w-]+/g, (_token, payload: string) => {
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8').replaceAll(image.id, id))
    for (const name of ['iat', 'nbf', 'exp']) if (name in claims) claims[name] = shift(claims[name])
    const own = claims['kubernetes.io']
    if (own?.warnafter) own.warnafter = shift(own.warnafter)
    return signJwt(claims, accountKey, keyId)
  })
  // The uid of a static pod follows from its manifest, and the manifest from the lab's name.
  const own = staticUids(
    furniture.trees,
    image.nodes.map((node) => ({ place: node.place, name: node.name.replace(image.id, id) })),
  )
  const host = image.nodes.find((node) => node.place === 'control-plane')?.name ?? ''
  swap(identityOf(host), identityOf(host.replace(image.id, id)))
  const names: [from: string, to: string][] = [...image.statics].map(([path, uid]) => [uid, own.get(path) ?? uid])
  names.push([image.id, id])
  for (const [from, to] of names) swap(from, to)
  const adapted = JSON.parse(moveTimes(text, image.at, delta)) as Shape
  refurnish(adapted, image, furniture)
  for (const dump of Object.values(adapted.world.etcd)) {
    const find = (bucket: string, name: string): KubeObject | undefined =>
      dump.objects[bucket]?.find((object) => object.metadata.name === name)
    const info = find('configmaps', 'cluster-info')
    if (info) signClusterInfo(info)
    const token = find('secrets', 'bootstrap-token-abcdef')
    if (token) token.data.expiration = Buffer.from(`${new Date(now + 86_400_000).toISOString().slice(0, 19)}Z`).toString('base64')
  }
  const renamed = (path: string) => names.reduce((changed, [from, to]) => changed.replaceAll(from, to), path)
  return { ...adapted, renamed }
}

/**
 * Times of three kinds: RFC 3339, epoch milliseconds as JSON numbers, and those at the head of klog's lines, whose year is the last one that does not
 * lead past `at`, epoch ms.
 */
function moveTimes(text: string, at: number, delta: number): string {
  const two = (value: number) => String(value).padStart(2, '0')
  return text
    .replace(/\b(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z/g, (all, whole: string, part: string | undefined) => {
      const ms = Date.parse(`${whole}.${(part ?? '0').slice(0, 3).padEnd(3, '0')}Z`)
      // Certificates and the like end in other years.
      if (Number.isNaN(ms)) return all
      const moved = new Date(ms + delta).toISOString()
      return part === undefined ? `${moved.slice(0, 19)}Z` : `${moved.slice(0, 23)}${part.slice(3)}`.slice(0, 20 + part.length).concat('Z')
    })
    .replace(/(?<=[:,[])1[6-9]\d{11}(?=[,}\]])/g, (ms) => String(Number(ms) + delta))
    .replace(
      /\b([IWEF])(\d\d)(\d\d) (\d\d:\d\d:\d\d)\.(\d\d\d)(\d\d\d)(?= )/g,
      (_all, severity: string, month: string, day: string, time: string, ms: string, rest: string) => {
        const year = new Date(at).getUTCFullYear()
        const said = (of: number) => Date.parse(`${of}-${month}-${day}T${time}.${ms}Z`)
        const moved = new Date((said(year) <= at ? said(year) : said(year - 1)) + delta)
        return `${severity}${two(moved.getUTCMonth() + 1)}${two(moved.getUTCDate())} ${moved.toISOString().slice(11, 23)}${rest}`
      },
    )
}

/** The files that hold keys and certificates are the new lab's own. */
function refurnish(shape: Shape, image: BootImage, furniture: Furniture): void {
  for (const [place, files] of Object.entries(shape.files)) {
    const tree = furniture.trees[place] ?? {}
    const old = new Set(image.furnished[place])
    const kept = files.entries.filter((entry) => !old.has(entry.path) || entry.path in tree)
    const there = new Set(kept.map((entry) => entry.path))
    const entries = kept.map((entry): FileImage['entries'][number] => {
      const own = tree[entry.path]
      if (!own || !old.has(entry.path)) return entry
      if ('text' in own && entry.type === 'file')
        return { path: entry.path, type: 'file', mode: entry.mode, mtime: entry.mtime, text: own.text }
      if ('link' in own && entry.type === 'link') return { path: entry.path, type: 'link', target: own.link }
      return entry
    })
    for (const [path, own] of Object.entries(tree))
      if (!there.has(path) && 'text' in own) entries.push({ path, type: 'file', mode: own.mode ?? 0o644, mtime: 0, text: own.text })
    entries.sort((a, b) => (a.path < b.path ? -1 : 1))
    files.entries = entries
  }
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
