// Files of one machine against its baseline. What has changed is what lies in the container's layer above the image, and in folders that are
// mounts; the grader reads both, so that no program of the machine's own is trusted. Knows nothing of what files mean.
import { LabError } from '#lib/protocol/index.ts'
import type { Docker } from '../docker.ts'
import type { Grader } from '../grader.ts'
import { label } from '../names.ts'
import { sha } from './objects.ts'

export interface TreeNode {
  path: string
  type: 'file' | 'directory' | 'link' | 'other'
  mode: number
  uid: number
  gid: number
  size?: number
  hash?: string
  target?: string
  /** base64 */
  content?: string
}
/** files that a machine has mounted over its image, so that Docker's diff does not show them */
const mounted = ['/etc/hosts', '/etc/hostname', '/etc/resolv.conf']
/** below /var and /run, which are mounts too: what configures the kubelet, units made at run time */
const deep = [
  '/var/lib/kubelet/config.yaml',
  '/var/lib/kubelet/instance-config.yaml',
  '/var/lib/kubelet/kubeadm-flags.env',
  '/var/lib/kubelet/pki',
  '/run/systemd/system',
  '/run/systemd/system.control',
  '/run/systemd/transient',
]
/** what a machine changes by itself, or what is nobody's business */
const volatile =
  /^\/(tmp|run|var|proc|sys|dev)(\/|$)|^\/etc\/(ld\.so\.cache|mtab|\.updated|\.pwd\.lock|machine-id)$|\/\.kube\/cache(\/|$)|\/\.ssh\/known_hosts\.old$|^\/etc\/kubernetes\/tmp(\/|$)/
/** units that systemd makes for pods and sessions */
const noise = /^\/run\/systemd\/transient\/(kubelet-|kubepods|cri-|run-|session-|.*\.scope)/
/** people's homes, kept when a learner's lab is broken again */
const homes = /^\/(home|root)(\/|$)/
export const isHome = (path: string): boolean => homes.test(path)
const deepest = (path: string) => deep.some((top) => path === top || path.startsWith(`${top}/`))

export interface FilesBaseline {
  /** what lay above the image, with content */
  nodes: TreeNode[]
}
/** a machine as files.ts needs it */
export interface FileMachine {
  container: string
  name: string
  image: string
  pid: number
  /** the layer's directory on Docker's host, where its driver is overlay2 */
  upper?: string | undefined
}

/** Paths that the machine may have changed: those of its layer, and where that does not tell all, what Docker finds by comparing every file. */
async function changedPaths(docker: Docker, grader: Grader, machine: FileMachine): Promise<string[]> {
  if (machine.upper !== undefined) {
    const layer = await grader
      .one({ op: 'layer', pid: machine.pid, timeoutMs: 15_000, args: { upper: machine.upper } })
      .catch((error: unknown) => {
        // A Docker whose files the grader does not see, or a grader of an earlier version.
        if (error instanceof LabError && ['not-found', 'bad-request'].includes(error.code)) return { whole: false, paths: [] }
        throw error
      })
    if (layer.whole) return (layer.paths as string[]).filter((path) => !volatile.test(path))
  }
  const changes = await docker.ask(
    `compare ${machine.name} with its image`,
    (api) => api.getContainer(machine.container).changes() as Promise<{ Path: string; Kind: number }[] | null>,
  )
  return (changes ?? []).map((change) => change.Path).filter((path) => !volatile.test(path))
}
async function tree(
  grader: Grader,
  pid: number,
  paths: readonly string[],
  more: { deep?: readonly string[]; content?: boolean } = {},
): Promise<TreeNode[]> {
  const answer = await grader.one({
    op: 'tree',
    pid,
    timeoutMs: 30_000,
    args: { paths, deep: more.deep ?? [], content: more.content ?? false },
  })
  return (answer.nodes as TreeNode[]).filter((node) => node.type !== 'other' && !noise.test(node.path))
}

/** Everything that makes this machine differ from its image, with content. @throws LabError too-large beyond 8 MiB */
export async function recordFiles(docker: Docker, grader: Grader, machine: FileMachine): Promise<FilesBaseline> {
  const paths = [...new Set([...(await changedPaths(docker, grader, machine)), ...mounted])].sort()
  return { nodes: await tree(grader, machine.pid, paths, { deep, content: true }) }
}

const same = (a: TreeNode | undefined, b: TreeNode | undefined): boolean =>
  a === b ||
  (a !== undefined &&
    b !== undefined &&
    a.type === b.type &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.target === b.target &&
    (a.type === 'link' || a.mode === b.mode) &&
    (a.hash ?? '') === (b.hash ?? ''))

interface Comparison {
  /** path → as it should be (undefined: not at all) */
  wrong: Map<string, TreeNode | undefined>
}

async function compare(docker: Docker, grader: Grader, owner: string, machine: FileMachine, baseline: FilesBaseline): Promise<Comparison> {
  const wanted = new Map(baseline.nodes.map((node) => [node.path, node]))
  const shallow = baseline.nodes.map((node) => node.path).filter((path) => !deepest(path))
  const changed = await changedPaths(docker, grader, machine)
  const paths = [...new Set([...changed, ...shallow, ...mounted])].sort()
  const now = new Map((await tree(grader, machine.pid, paths, { deep })).map((node) => [node.path, node]))
  const unknown = changed.filter((path) => !wanted.has(path))
  const original = unknown.length > 0 ? await fromImage(docker, grader, owner, machine.image, unknown) : new Map<string, TreeNode>()
  const wrong = new Map<string, TreeNode | undefined>()
  for (const path of new Set([...paths, ...now.keys(), ...wanted.keys()])) {
    const should = wanted.get(path) ?? original.get(path)
    if (!same(should, now.get(path))) wrong.set(path, should)
  }
  return { wrong }
}

/** What was read from images, by image and path (null: not there); an image never changes. */
const originals = new Map<string, Map<string, TreeNode | null>>()
const mostOriginals = 5000

/** The same paths as the image has them. */
async function fromImage(
  docker: Docker,
  grader: Grader,
  owner: string,
  image: string,
  paths: readonly string[],
): Promise<Map<string, TreeNode>> {
  const known = originals.get(image) ?? new Map<string, TreeNode | null>()
  const missing = paths.filter((path) => !known.has(path))
  if (missing.length > 0) {
    if (known.size + missing.length > mostOriginals) known.clear()
    const found = await readImage(docker, grader, owner, image, missing)
    for (const path of missing) known.set(path, found.get(path) ?? null)
    originals.set(image, known)
  }
  return new Map(paths.flatMap((path) => (known.get(path) ? [[path, known.get(path)!]] : [])))
}

/** Paths of an image, read in a container of it that does nothing. */
async function readImage(
  docker: Docker,
  grader: Grader,
  owner: string,
  image: string,
  paths: readonly string[],
): Promise<Map<string, TreeNode>> {
  const container = await docker.ask('open an image', (api) =>
    api.createContainer({
      Image: image,
      Entrypoint: ['sleep'],
      Cmd: ['600'],
      Labels: { [label.owner]: owner, [label.role]: 'reference' },
      HostConfig: { NetworkMode: 'none', AutoRemove: true, CapDrop: ['ALL'] },
    }),
  )
  try {
    await docker.ask('open an image', () => container.start())
    const { State } = await docker.ask('open an image', () => container.inspect())
    const plain = await tree(grader, State.Pid, paths)
    // Content only of files, whose number is small; folders are many and have none.
    const files = plain.filter((node) => node.type === 'file').map((node) => node.path)
    const filled = files.length > 0 ? await tree(grader, State.Pid, files, { content: true }) : []
    return new Map([...plain, ...filled].map((node) => [node.path, node]))
  } finally {
    await docker.find('close an image', () => container.remove({ force: true, v: true })).catch(() => {})
  }
}

/**
 * Puts files back. @returns the paths that were wrong
 * `home` false leaves people's homes as they are.
 */
export async function restoreFiles(
  docker: Docker,
  grader: Grader,
  owner: string,
  machine: FileMachine,
  baseline: FilesBaseline,
  home: boolean,
): Promise<string[]> {
  const { wrong } = await compare(docker, grader, owner, machine, baseline)
  if (!home) for (const path of wrong.keys()) if (isHome(path)) wrong.delete(path)
  if (wrong.size === 0) return []
  const paths = [...wrong.keys()].sort()
  const nodes = paths.flatMap((path) => wrong.get(path) ?? [])
  const withContent = nodes.filter((node) => node.type !== 'file' || node.content !== undefined || node.size === 0)
  if (withContent.length < nodes.length)
    throw new LabError(
      'internal',
      `The content of ${nodes.find((node) => !withContent.includes(node))?.path} on ${machine.name} is not known.`,
    )
  await grader.one({
    op: 'put',
    pid: machine.pid,
    timeoutMs: 30_000,
    args: { remove: paths.filter((path) => wrong.get(path) === undefined), nodes },
  })
  return paths
}

/** Hashes of what is there: `files` and `home` of the machine, equal to the baseline's when nothing differs. */
export async function hashFiles(
  docker: Docker,
  grader: Grader,
  owner: string,
  machine: FileMachine,
  baseline: FilesBaseline,
): Promise<{ files: string; home: string; wrong: string[] }> {
  const { wrong } = await compare(docker, grader, owner, machine, baseline)
  const line = (node: TreeNode | undefined) =>
    node ? [node.path, node.type, node.mode, node.uid, node.gid, node.hash ?? '', node.target ?? ''].join(' ') : ''
  const part = (of: (path: string) => boolean) =>
    sha(
      [...baseline.nodes.filter((node) => of(node.path)).map(line), ...[...wrong.keys()].filter(of).map((path) => `wrong ${path}`)]
        .sort()
        .join('\n'),
    )
  return { files: part((path) => !isHome(path)), home: part(isHome), wrong: [...wrong.keys()].sort() }
}
