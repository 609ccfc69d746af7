// Brings a machine to a working kind: Docker, kernel limits, images, tools, in steps that each find out what is already done, so that a
// set-up that was cut short goes on where it stopped. Asks once, naming every change. One set-up at a time per machine.
// Knows nothing of pages and terminals: progress is a SetupView.
import { join } from 'node:path'
import { asLabError, LabError, type SetupView, setupView } from '#lib/protocol/index.ts'
import { builtFromCheckout, checkout, recordBuilt } from './built.ts'
import { bringDocker, dockerPlan, install, limitsPlan, raiseLimits, type Work } from './docker.ts'
import { doctor, isDebian } from './doctor.ts'
import { dockerState } from './facts.ts'
import { lockHolder, tryLock } from './lock.mjs'
import { type Machine, thisMachine } from './machine.ts'
import { cacheFolder, findTool, images, kubernetesVersion, toolFolder } from './settings.ts'

/** The kind that is downloaded; the registry-free builder pins the same in its module file. */
const kindVersion = 'v0.33.0'
/** Answers 401 without credentials: that is how a registry that is reached looks. */
const registry = 'https://registry-1.docker.io/v2/'

export interface SetupOptions {
  /** Asked once with everything that will be changed, one line each; not asked when nothing is. False ends the set-up unchanged. */
  consent: (changes: readonly string[]) => Promise<boolean>
  /** build the images here even where registries are reached; default false */
  offline?: boolean
  /** called on every change of the view */
  onView?: (view: SetupView) => void
  signal?: AbortSignal
  /** default: this machine */
  machine?: Machine
  /** the checkout with images/, default: the one this file is in */
  root?: string
}

type Step = SetupView['steps'][number]

const lockPath = (machine: Machine) => join(cacheFolder(machine.env), 'setup.lock')
const viewPath = (machine: Machine) => join(cacheFolder(machine.env), 'setup.json')
/** Everything that the newest set-up's commands printed. */
export const setupLog = (machine: Machine = thisMachine): string => join(cacheFolder(machine.env), 'setup.log')

/** The set-up that runs now or ran last on this machine, whichever process it belongs to; `idle` when there was none. */
export async function currentSetup(machine: Machine = thisMachine): Promise<SetupView> {
  const text = await machine.readText(viewPath(machine))
  if (text === undefined) return { state: 'idle', steps: [], error: null }
  let view: SetupView
  try {
    view = setupView.parse(JSON.parse(text))
  } catch {
    return { state: 'idle', steps: [], error: null }
  }
  if (view.state !== 'running' || lockHolder(lockPath(machine)) !== undefined) return view
  return {
    state: 'failed',
    steps: view.steps.map((step) => (step.state === 'running' ? { ...step, state: 'failed' } : step)),
    error: { code: 'cancelled', message: 'The set-up was cut short.', hint: 'Run it again: it goes on where it stopped.' },
  }
}

interface Sources {
  offline: boolean
  why: string
}
/** Are registries reached from here: asked once, quickly. */
async function sources(machine: Machine, offline: boolean): Promise<Sources> {
  if (offline) return { offline: true, why: 'built here, as asked' }
  const status = await machine.httpStatus(registry, 4000)
  return status === 200 || status === 401
    ? { offline: false, why: 'public registries are reached' }
    : { offline: true, why: 'no public registry is reached, so images are built here from Go modules and Debian packages' }
}

const complete = async (machine: Machine): Promise<boolean> => {
  for (const name of Object.values(images(machine.env))) {
    const output = await machine.runner.run({ argv: ['docker', 'image', 'inspect', '--format', '{{.Id}}', name], timeoutMs: 15_000 })
    if (output.exitCode !== 0) return false
  }
  return true
}

/** What the registry-free builder needs beside Docker and Go. */
const builderPackages = ['debootstrap', 'jq']
/** Go from this version on fetches the toolchain that a module asks for by itself. */
const goFrom = '1.21'

async function buildPlan(machine: Machine): Promise<{ packages: string[]; changes: string[] }> {
  const packages: string[] = []
  for (const name of builderPackages) {
    if ((await findTool(name, machine)) === undefined && !(await machine.executable(`/usr/sbin/${name}`))) packages.push(name)
  }
  if ((await findTool('go', machine)) === undefined) {
    const policy = await machine.runner.run({ argv: ['apt-cache', 'policy', 'golang-go'], timeoutMs: 15_000 }).catch(() => undefined)
    const [major = 0, minor = 0] = (/Candidate: (?:\d+:)?([\d.]+)/.exec(policy?.stdout ?? '')?.[1] ?? '0.0').split('.').map(Number)
    if (major * 1000 + minor < 1021) {
      throw new LabError('backend-unavailable', 'The images have to be built here, which needs Go, and Go is not installed.', {
        hint: `Install Go ${goFrom} or newer (https://go.dev/dl/) so that \`go\` is in PATH, then run the set-up again.`,
      })
    }
    packages.push('golang-go')
  }
  if (packages.length > 0 && (machine.uid !== 0 || !(await isDebian(machine)))) {
    throw new LabError('backend-unavailable', `The images have to be built here, which needs ${packages.join(', ')}.`, {
      hint: `Install ${packages.join(', ')} (Debian and Ubuntu: \`sudo apt-get install ${packages.join(' ')}\`), then run the set-up again.`,
    })
  }
  return { packages, changes: packages.length > 0 ? [`install with apt-get: ${packages.join(', ')}`] : [] }
}

/**
 * Builds or pulls the images by the builder in images/, whose own steps become steps of this set-up.
 * @throws LabError with the builder's words
 */
async function buildImages(work: Work, root: string, offline: boolean, sub: (step: BuilderLine) => void): Promise<void> {
  let failed: BuilderLine | undefined
  // The lab may be serving meanwhile: the builder steps back for it.
  const argv = ['nice', '-n', '10', 'bash', join(root, 'images', 'build.sh'), '--json', offline ? '--offline' : '--online']
  const env = { KUBEMEND_KUBERNETES: kubernetesVersion(work.machine.env), KUBEMEND_CACHE: cacheFolder(work.machine.env) }
  await work.log(`$ ${argv.join(' ')}\n`)
  const tail: string[] = []
  const output = await work.machine.runner.run({
    argv,
    env,
    cwd: root,
    ...(work.signal === undefined ? {} : { signal: work.signal }),
    maxBytes: 256 * 1024,
    onLine: (text, stream) => {
      const line = stream === 'stdout' ? builderLine(text) : undefined
      if (line === undefined) {
        if (text.trim() === '') return
        tail.push(text)
        if (tail.length > 40) tail.shift()
        return
      }
      if (line.state === 'failed') failed = line
      sub(line)
    },
  })
  await work.log(`${tail.join('\n')}\n`)
  if (output.exitCode !== 0) {
    const what =
      failed === undefined
        ? `ended with exit code ${output.exitCode}`
        : `failed at "${failed.title}"${failed.detail ? `: ${failed.detail}` : ''}`
    throw new LabError('backend-unavailable', `Building the images ${what}.`, {
      hint: `The end of its output is in ${setupLog(work.machine)}. Run the set-up again: it goes on where it stopped.`,
    })
  }
}

export interface BuilderLine {
  step: string
  title: string
  state: 'running' | 'done' | 'cached' | 'failed'
  detail: string | undefined
}
/** One line of the builder's output as a step, undefined when it is something else. */
export function builderLine(text: string): BuilderLine | undefined {
  try {
    const { step, title, state, detail } = JSON.parse(text)
    if (typeof step !== 'string' || !['running', 'done', 'cached', 'failed'].includes(state)) return undefined
    return {
      step,
      state,
      title: typeof title === 'string' && title !== '' ? title : step,
      detail: typeof detail === 'string' && detail !== '' ? detail : undefined,
    }
  } catch {
    return undefined
  }
}

/** Where kind and kubectl are published, with the file that holds the SHA-256. */
function download(name: 'kind' | 'kubectl', machine: Machine): { url: string; sum: string } {
  const system = machine.platform
  const arch = machine.arch === 'x64' ? 'amd64' : machine.arch
  const url =
    name === 'kind'
      ? `https://kind.sigs.k8s.io/dl/${kindVersion}/kind-${system}-${arch}`
      : `https://dl.k8s.io/release/${kubernetesVersion(machine.env)}/bin/${system}/${arch}/kubectl`
  return { url, sum: name === 'kind' ? `${url}.sha256sum` : `${url}.sha256` }
}

/** Gets a tool that is nowhere yet: from where it is published, else as the builder made it. @throws LabError backend-unavailable */
async function bringTool(work: Work, name: 'kind' | 'kubectl', offline: boolean): Promise<string> {
  const { machine } = work
  const found = await findTool(name, machine)
  if (found !== undefined) return `${name} is there (${found})`
  const target = join(toolFolder(machine.env), name)
  if (!offline) {
    const { url, sum } = download(name, machine)
    const sha256 = /\b[0-9a-f]{64}\b/.exec((await machine.fetchText(sum, 10_000)) ?? '')?.[0]
    if (sha256 !== undefined) {
      work.detail(`downloading ${url}`)
      await machine.download(url, target, sha256, work.signal)
      return `downloaded ${name} to ${target}`
    }
  }
  throw new LabError(
    'backend-unavailable',
    `${name} is not in PATH, could not be downloaded, and the builder has not left one in ${toolFolder(machine.env)}.`,
    {
      hint: `Install ${name} so that it is in PATH, then run the set-up again.`,
    },
  )
}

/**
 * What a set-up would do here, found out without changing anything. `changes` is what a person is asked to agree to; empty when nothing
 * has to be done. @throws LabError docker-unavailable, backend-unavailable when the set-up cannot do it, with what the person must do first
 */
export async function planSetup(machine: Machine = thisMachine, offline = false, root = checkout) {
  const known = await dockerState(machine)
  const docker = await dockerPlan(machine, known)
  const limits = await limitsPlan(machine)
  const there = known.state === 'ok' && (await complete(machine))
  const current = there && (await builtFromCheckout(machine, root))
  const toolsMissing = (
    await Promise.all((['kind', 'kubectl'] as const).map(async (name) => ((await findTool(name, machine)) === undefined ? [name] : [])))
  ).flat()
  const from = current && toolsMissing.length === 0 ? { offline, why: 'nothing has to be fetched' } : await sources(machine, offline)
  // Without downloads it is the builder that leaves kind and kubectl, so it runs for them too.
  const have = current && !(from.offline && toolsMissing.length > 0)
  const build = from.offline && !have ? await buildPlan(machine) : { packages: [], changes: [] }
  const changes = [
    ...docker.changes,
    ...limits.changes,
    ...build.changes,
    ...(current
      ? []
      : there
        ? ['bring the images up to date with images/ in this checkout (what has not changed is kept)']
        : [
            from.offline
              ? `build the images here (up to half an hour and 20 GiB the first time, kept in Docker and ${cacheFolder(machine.env)})`
              : 'pull and build the images (some 3 GiB, kept in Docker)',
          ]),
    ...(toolsMissing.length > 0 ? [`put ${toolsMissing.join(' and ')} into ${toolFolder(machine.env)}`] : []),
  ]
  return { docker, limits, have, from, build, changes }
}

/**
 * Brings this machine to a working kind. Resolves with the final view, whose state is `done` or `failed` (with the error in it).
 * @throws LabError conflict when another set-up runs on this machine
 */
export async function setup(options: SetupOptions): Promise<SetupView> {
  const machine = options.machine ?? thisMachine
  const root = options.root ?? checkout
  const lock = tryLock(lockPath(machine))
  if ('holder' in lock) {
    throw new LabError('conflict', `A set-up already runs on this machine (process ${lock.holder}).`, {
      hint: 'Wait for it; its progress is shown on the page /machine.',
    })
  }
  const titles: Record<string, string> = {
    plan: 'Look at the machine',
    docker: 'Docker',
    limits: 'Kernel limits',
    images: 'Images of node, workstation and grader',
    tools: 'kind and kubectl',
    check: 'Check the machine',
  }
  const view: SetupView = {
    state: 'running',
    steps: Object.entries(titles).map(([id, title]) => ({ id, title, state: 'pending' })),
    error: null,
  }
  // Writes follow each other, so that the file never goes back in time; a burst of lines becomes one write.
  let writing: Promise<void> | undefined
  let dirty = false
  const save = () => {
    dirty = true
    writing ??= (async () => {
      while (dirty) {
        dirty = false
        await machine.writeText(viewPath(machine), JSON.stringify(view)).catch(() => undefined)
      }
      writing = undefined
    })()
  }
  const changed = () => {
    save()
    options.onView?.(structuredClone(view))
  }
  const stepOf = (id: string): Step => {
    const step = view.steps.find((one) => one.id === id)
    if (step === undefined) throw new LabError('internal', `There is no set-up step ${id}.`)
    return step
  }
  const begin = async <T>(id: string, run: (work: Work) => Promise<{ detail: string; value: T; skipped?: boolean }>): Promise<T> => {
    const step = stepOf(id)
    options.signal?.throwIfAborted()
    Object.assign(step, { state: 'running', startedAt: machine.now() })
    changed()
    try {
      const work: Work = {
        machine,
        detail: (line) => {
          step.detail = line.slice(0, 200)
          changed()
        },
        log: (text) => (text === '' ? Promise.resolve() : machine.append(setupLog(machine), text)),
        signal: options.signal,
      }
      const { detail, value, skipped } = await run(work)
      Object.assign(step, { state: skipped ? 'skipped' : 'done', detail, endedAt: machine.now() })
      changed()
      return value
    } catch (error) {
      Object.assign(step, { state: 'failed', endedAt: machine.now() })
      changed()
      throw error
    }
  }
  try {
    await machine.remove(setupLog(machine))
    changed()
    const plan = await begin('plan', async () => {
      const value = await planSetup(machine, options.offline, root)
      return { detail: value.changes.length === 0 ? 'nothing has to be changed' : value.from.why, value }
    })
    if (plan.changes.length > 0 && !(await options.consent(plan.changes))) {
      throw new LabError('cancelled', 'Nothing was changed, since that was not agreed to.', {
        hint: 'Run `npm run setup:kind` when you are ready.',
      })
    }
    await begin('docker', async (work) => ({
      detail: await bringDocker(work, plan.docker),
      value: undefined,
      skipped: plan.docker.action === 'use',
    }))
    await begin('limits', async (work) => ({
      detail: await raiseLimits(work, plan.limits.settings),
      value: undefined,
      skipped: plan.limits.settings.length === 0,
    }))
    let { offline } = plan.from
    await begin('images', async (work) => {
      // A daemon that was only just started may hold the images of an earlier set-up.
      if (plan.have || (plan.docker.action !== 'use' && (await complete(machine)) && (await builtFromCheckout(machine, root))))
        return { detail: 'all three are there', value: undefined, skipped: true }
      if (plan.build.packages.length > 0) await install(work, plan.build.packages)
      const sub = (line: BuilderLine) => {
        const id = `image:${line.step}`
        let step = view.steps.find((one) => one.id === id)
        if (step === undefined) {
          step = { id, title: line.title, state: 'pending', startedAt: machine.now() }
          view.steps.splice(
            view.steps.findIndex((one) => one.id === 'tools'),
            0,
            step,
          )
        }
        step.title = line.title
        step.state = line.state === 'cached' ? 'skipped' : line.state
        if (line.state === 'cached') step.detail = line.detail ?? 'already built'
        else if (line.detail !== undefined) step.detail = line.detail.slice(0, 200)
        else if (line.state === 'done') delete step.detail // what it was at last says nothing any more
        if (line.state !== 'running') step.endedAt = machine.now()
        work.detail(line.title)
      }
      if (offline) await buildImages(work, root, true, sub)
      else {
        try {
          await buildImages(work, root, false, sub)
        } catch (error) {
          options.signal?.throwIfAborted()
          await work.log(`${asLabError(error).message}\nThe registries did not serve everything: building here instead.\n`)
          offline = true
          const build = await buildPlan(machine)
          if (build.packages.length > 0 && !(await options.consent(build.changes))) throw error
          if (build.packages.length > 0) await install(work, build.packages)
          await buildImages(work, root, true, sub)
        }
      }
      await recordBuilt(machine, root)
      return { detail: offline ? 'built here' : 'built on public images', value: undefined }
    })
    await begin('tools', async (work) => ({
      detail: [await bringTool(work, 'kind', offline), await bringTool(work, 'kubectl', offline)].join('; '),
      value: undefined,
    }))
    await begin('check', async () => {
      const report = await doctor({ machine, serving: true })
      const gone = report.checks.filter((check) => check.state === 'missing')
      if (gone.length > 0) {
        throw new LabError(
          'backend-unavailable',
          `After the set-up something is still missing: ${gone.map((check) => check.message).join(' ')}`,
          {
            hint: gone.map((check) => check.remedy).join(' '),
          },
        )
      }
      return { detail: `${report.checks.length} checks passed`, value: undefined }
    })
    view.state = 'done'
  } catch (thrown) {
    const error = asLabError(thrown)
    view.state = 'failed'
    view.error = error.view()
    for (const step of view.steps) if (step.state === 'running') Object.assign(step, { state: 'failed', endedAt: machine.now() })
    await machine.append(setupLog(machine), `${error.message}\n`).catch(() => undefined)
  }
  changed()
  await writing
  lock.release()
  return view
}
