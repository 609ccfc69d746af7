// The kubectl, the helm and the yq that shells of the simulated cluster get: found on this machine, downloaded with their published checksum, or built from their
// Go module as the checkout pins it. Knows nothing of sandboxes.
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, delimiter, dirname, join } from 'node:path'
import { LabError } from '#lib/protocol/index.ts'
import { checkout } from './built.ts'
import { withLock } from './lock.mjs'
import { type Machine, thisMachine } from './machine.ts'
import { cacheFolder, kubernetesVersion, toolFolder } from './settings.ts'

export interface Program {
  path: string
  /** v1.35.4 */
  version: string
}
/** kubectl supports API servers one minor version away; the older ones here still do all that scenarios ask. Source: Kubernetes version skew policy. */
const minors = { from: 32, to: 36 } as const

const numbers = (version: string): number[] =>
  version
    .split(/[^\d]+/)
    .filter(Boolean)
    .slice(0, 3)
    .map(Number)
const newer = (a: string, b: string): number => {
  const [left, right] = [numbers(a), numbers(b)]
  const at = left.findIndex((value, index) => value !== right[index])
  return at < 0 ? 0 : (left[at] ?? 0) - (right[at] ?? 0)
}

async function versionOf(name: 'kubectl' | 'helm' | 'yq', path: string, machine: Machine): Promise<string | undefined> {
  const argv = { kubectl: [path, 'version', '--client'], helm: [path, 'version', '--short'], yq: [path, '--version'] }[name]
  try {
    const output = await machine.runner.run({ argv, timeoutMs: 15_000 })
    // There is another program of that name, with another language.
    if (name === 'yq' && !output.stdout.includes('mikefarah')) return undefined
    return output.exitCode === 0 ? /v\d+\.\d+\.\d+[\w.+-]*/.exec(output.stdout)?.[0] : undefined
  } catch {
    return undefined
  }
}

/** PATH, then kubemend's cache: what set-up for kind has built or downloaded counts too. */
async function candidates(name: string, machine: Machine, folders: (path: string) => Promise<string[]>): Promise<string[]> {
  const cache = cacheFolder(machine.env)
  const built = name === 'kubectl' ? [] : (await folders(join(cache, 'go', name))).map((key) => join(cache, 'go', name, key))
  const found: string[] = []
  for (const folder of new Set([
    ...(machine.env.PATH ?? '').split(delimiter).filter((path) => path.startsWith('/')),
    toolFolder(machine.env),
    ...built,
  ])) {
    const path = join(folder, name)
    if (await machine.executable(path)) found.push(path)
  }
  return found
}
const names = (path: string): Promise<string[]> => readdir(path).catch(() => [])

/** The newest kubectl of this machine that goes with the simulated cluster; undefined when there is none. */
export async function findKubectl(machine: Machine = thisMachine): Promise<Program | undefined> {
  const fit: Program[] = []
  for (const path of await candidates('kubectl', machine, names)) {
    const version = await versionOf('kubectl', path, machine)
    const [major, minor = 0] = numbers(version ?? '')
    if (version !== undefined && major === 1 && minor >= minors.from && minor <= minors.to) fit.push({ path, version })
  }
  return fit.sort((a, b) => newer(b.version, a.version))[0]
}

/** The newest helm 3 or 4 of this machine; undefined when there is none: labs do without. */
export async function findHelm(machine: Machine = thisMachine): Promise<Program | undefined> {
  const fit: Program[] = []
  for (const path of await candidates('helm', machine, names)) {
    const version = await versionOf('helm', path, machine)
    if (version !== undefined && (numbers(version)[0] ?? 0) >= 3) fit.push({ path, version })
  }
  return fit.sort((a, b) => newer(b.version, a.version))[0]
}

/** yq 4 of mikefarah's, found or built from its Go module in half a minute; undefined where neither is possible: labs do without. */
export async function bringYq(options: BringOptions = {}): Promise<Program | undefined> {
  const machine = options.machine ?? thisMachine
  const find = async (): Promise<Program | undefined> => {
    for (const path of await candidates('yq', machine, names)) {
      const version = await versionOf('yq', path, machine)
      if (version !== undefined) return { path, version }
    }
    return undefined
  }
  const found = await find()
  if (found !== undefined) return found
  return withLock(
    join(cacheFolder(machine.env), 'yq.lock'),
    () => {},
    async () => {
      const target = join(toolFolder(machine.env), 'yq')
      try {
        options.progress?.('building yq from its Go module')
        await goBuild(machine, target, {
          module: join(options.root ?? checkout, 'images', 'offline', 'modules', 'yq'),
          flags: '-s -w',
          what: 'github.com/mikefarah/yq/v4',
          ...(options.signal ? { signal: options.signal } : {}),
        })
      } catch (error) {
        if (options.signal?.aborted) throw error
        options.progress?.(`yq could not be had: ${error instanceof Error ? error.message : error}`)
      }
      return find()
    },
  )
}

export interface BringOptions {
  machine?: Machine
  /** what is being done, for people: one line at a time */
  progress?(text: string): void
  signal?: AbortSignal
  /** the checkout with images/offline/modules, default: the one this file is in */
  root?: string
}

/**
 * Finds kubectl or gets it; at most one process of this machine does at a time. A download takes seconds, a build some minutes the first time (Go caches
 * what it compiled). @throws LabError backend-unavailable with what to do, cancelled
 */
export async function bringKubectl(options: BringOptions = {}): Promise<Program> {
  const machine = options.machine ?? thisMachine
  const say = options.progress ?? (() => {})
  const found = await findKubectl(machine)
  if (found !== undefined) return found
  const target = join(toolFolder(machine.env), 'kubectl')
  const lock = join(cacheFolder(machine.env), 'kubectl.lock')
  return withLock(
    lock,
    (holder) => say(`process ${holder} is getting kubectl; waiting for it`),
    async () => {
      const meanwhile = await findKubectl(machine)
      if (meanwhile !== undefined) return meanwhile
      const failed: string[] = []
      for (const [what, get] of [
        ['download', () => download(machine, target, say, options.signal)],
        ['build', () => build(machine, target, say, options.root ?? checkout, options.signal)],
      ] as const) {
        options.signal?.throwIfAborted()
        try {
          await get()
          const version = await versionOf('kubectl', target, machine)
          if (version !== undefined) return { path: target, version }
          failed.push(`${what}: ${target} does not tell its version`)
          await machine.remove(target)
        } catch (error) {
          if (error instanceof LabError && error.code === 'cancelled') throw error
          failed.push(`${what}: ${error instanceof Error ? error.message : error}`)
        }
      }
      throw new LabError(
        'backend-unavailable',
        `There is no kubectl 1.${minors.from} to 1.${minors.to} on this machine, and it could not be had. ${failed.join(' ')}`,
        {
          hint: 'Install kubectl so that it is in PATH (https://kubernetes.io/docs/tasks/tools/), or Go 1.25 or newer, with which it is built.',
        },
      )
    },
  )
}

async function download(machine: Machine, target: string, say: (text: string) => void, signal?: AbortSignal): Promise<void> {
  const arch = machine.arch === 'x64' ? 'amd64' : machine.arch
  const url = `https://dl.k8s.io/release/${kubernetesVersion(machine.env)}/bin/linux/${arch}/kubectl`
  const sha256 = /\b[0-9a-f]{64}\b/.exec((await machine.fetchText(`${url}.sha256`, 10_000)) ?? '')?.[0]
  if (sha256 === undefined) throw new Error('dl.k8s.io is not reached.')
  say(`downloading ${url}`)
  await machine.download(url, target, sha256, signal)
}

/** From the module that the checkout pins, so that every source is checked against its go.sum. */
async function build(machine: Machine, target: string, say: (text: string) => void, root: string, signal?: AbortSignal): Promise<void> {
  const cwd = join(root, 'images', 'offline', 'modules', 'kubernetes')
  const gomod = await machine.readText(join(cwd, 'go.mod'))
  const version = /k8s\.io\/kubernetes (v1\.\d+\.\d+)/.exec(gomod ?? '')?.[1]
  if (version === undefined) throw new Error('The checkout does not pin Kubernetes.')
  const go = await machine.runner.run({ argv: ['go', 'version'], timeoutMs: 30_000 }).catch(() => undefined)
  if (go === undefined || go.exitCode !== 0) throw new Error('Go is not installed.')
  say(`building kubectl ${version} from its Go module; the first time this takes some minutes`)
  const about = 'k8s.io/component-base/version'
  const minor = version.split('.')[1]
  const flags = `-s -w -X ${about}.gitVersion=${version} -X ${about}.gitMajor=1 -X ${about}.gitMinor=${minor} -X ${about}.gitTreeState=clean`
  await goBuild(machine, target, {
    module: cwd,
    flags,
    what: 'k8s.io/kubernetes/cmd/kubectl',
    ...(signal ? { signal } : {}),
    // Go says only what it fetches.
    fetched: (module) => say(`building kubectl: fetching ${module}`),
  })
}

/** Builds one program as the module in a folder of the checkout pins it. @throws Error with Go's last line */
async function goBuild(
  machine: Machine,
  target: string,
  of: { module: string; flags: string; what: string; signal?: AbortSignal; fetched?(module: string): void },
): Promise<void> {
  const part = join(dirname(target), `.${basename(target)}.part`)
  await mkdir(dirname(target), { recursive: true })
  const output = await machine.runner.run({
    argv: ['nice', '-n', '10', 'go', 'build', '-mod=readonly', '-trimpath', '-buildvcs=false', '-ldflags', of.flags, '-o', part, of.what],
    cwd: of.module,
    env: { CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' },
    ...(of.signal ? { signal: of.signal } : {}),
    onLine: (line) => {
      const fetched = /^go: downloading (\S+) (\S+)/.exec(line)
      if (fetched) of.fetched?.(`${fetched[1]} ${fetched[2]}`)
    },
  })
  if (output.exitCode !== 0) {
    await rm(part, { force: true })
    throw new Error(`go build ended with exit code ${output.exitCode}: ${output.stderr.trim().split('\n').at(-1) ?? ''}`)
  }
  await rename(part, target)
}
