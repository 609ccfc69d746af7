// Looks at the machine and says of each thing a kind cluster needs: ok, mended by us, or missing with what to do. Changes nothing.
import type { DoctorReport } from '#lib/protocol/index.ts'
import { builtFromCheckout, checkout } from './built.ts'
import { type DockerFacts, type DockerState, dockerState, machineFacts, wrapperRuntime } from './facts.ts'
import { type Machine, thisMachine } from './machine.ts'
import { cacheFolder, findTool, images } from './settings.ts'

export type DoctorCheck = DoctorReport['checks'][number]

const GiB = 1024 ** 3
const gib = (bytes: number) => `${(bytes / GiB).toFixed(1)} GiB`

/** What a lab needs, measured: three nodes and a workstation take some 900 MiB; images take some 4 GiB, building them some 15 more. */
export const needs = {
  dockerVersion: 20,
  inotifyInstances: 1024,
  inotifyWatches: 65_536,
  diskBytes: 3 * GiB,
  diskBytesToBuild: 20 * GiB,
  memoryBytes: 1.5 * GiB,
} as const

/** Settings that set-up writes, so that doctor can tell its own mends from what was there. */
export const sysctlFile = '/etc/sysctl.d/99-kubemend.conf'

const ok = (id: string, message: string): DoctorCheck => ({ id, state: 'ok', message, remedy: '' })
const mended = (id: string, message: string): DoctorCheck => ({ id, state: 'mended', message, remedy: '' })
const missing = (id: string, message: string, remedy: string): DoctorCheck => ({ id, state: 'missing', message, remedy })

const setupCommand = 'Run `npm run setup:kind`'

/** Is this Debian, Ubuntu or one of their children: there set-up can install packages. */
export async function isDebian(machine: Machine): Promise<boolean> {
  const release = (await machine.readText('/etc/os-release')) ?? ''
  return /^(ID|ID_LIKE)=.*\b(debian|ubuntu)\b/m.test(release)
}

async function dockerChecks(machine: Machine, state: DockerState): Promise<DoctorCheck[]> {
  const canInstall = machine.platform === 'linux' && machine.uid === 0 && (await isDebian(machine))
  switch (state.state) {
    case 'missing':
      return [
        missing(
          'docker',
          state.message,
          canInstall
            ? `${setupCommand}: it installs and starts Docker after asking.`
            : machine.platform === 'darwin'
              ? 'Install Docker Desktop (https://docs.docker.com/desktop/) and start it.'
              : 'Install Docker Engine (https://docs.docker.com/engine/install/), or run `npm run setup:kind` as root on Debian or Ubuntu.',
        ),
      ]
    case 'no-rights':
      return [
        missing(
          'docker',
          state.message,
          'Run `sudo usermod -aG docker "$USER"`, log out and in again. Mind: who may use Docker is root on this machine.',
        ),
      ]
    case 'not-running':
      return [
        missing(
          'docker',
          `Docker is installed but does not answer: ${state.message}`,
          machine.platform === 'darwin'
            ? 'Start Docker Desktop.'
            : canInstall
              ? `${setupCommand}: it starts Docker. Or start it yourself: \`systemctl start docker\`.`
              : 'Run `sudo systemctl start docker`.',
        ),
      ]
    case 'ok': {
      const { facts } = state
      const major = Number.parseInt(facts.serverVersion, 10)
      const where = facts.elsewhere ? `, ${facts.operatingSystem || 'on another machine'}` : ''
      return [
        ok('docker', `Docker answers and this user may use it${where}.`),
        major >= needs.dockerVersion
          ? ok('docker-version', `Docker ${facts.serverVersion}, ${facts.storageDriver}, ${facts.cpus} CPUs.`)
          : missing(
              'docker-version',
              `Docker ${facts.serverVersion} is too old for kind; ${needs.dockerVersion}.10 or newer is needed.`,
              'Upgrade Docker (https://docs.docker.com/engine/install/).',
            ),
        ...(facts.storageDriver === 'vfs'
          ? [
              missing(
                'docker-storage',
                'Docker stores layers with vfs, which copies every layer in full.',
                'Use overlay2 (https://docs.docker.com/engine/storage/drivers/).',
              ),
            ]
          : []),
        ...(facts.rootless
          ? [
              missing(
                'docker-rootless',
                'Docker runs rootless; kind then needs cgroup v2 with delegation, which kubemend does not support yet.',
                'Use a Docker that runs as root: `docker context use default`.',
              ),
            ]
          : []),
      ]
    }
  }
}

async function toolCheck(machine: Machine, name: 'kind' | 'kubectl', argv: readonly string[]): Promise<DoctorCheck> {
  const path = await findTool(name, machine)
  if (path === undefined)
    return missing(name, `The program \`${name}\` is neither in PATH nor in kubemend's cache.`, `${setupCommand}: it gets ${name}.`)
  try {
    const output = await machine.runner.run({ argv: [path, ...argv], timeoutMs: 15_000 })
    const version = /v\d+\.\d+\.\d+[\w.+-]*/.exec(output.stdout)?.[0]
    if (output.exitCode === 0 && version !== undefined) return ok(name, `${name} ${version} (${path}).`)
    return missing(
      name,
      `${path} does not tell its version (exit code ${output.exitCode}).`,
      `Remove it or put a working ${name} before it in PATH, then run \`npm run setup:kind\`.`,
    )
  } catch (error) {
    return missing(
      name,
      `${path} does not run: ${error instanceof Error ? error.message : error}`,
      `Remove it, then run \`npm run setup:kind\`.`,
    )
  }
}

async function imageChecks(machine: Machine, docker: DockerFacts | undefined, root: string): Promise<DoctorCheck[]> {
  const names = Object.entries(images(machine.env))
  if (docker === undefined) {
    return names.map(([id, name]) =>
      missing(`image-${id}`, `${name} cannot be looked for: Docker does not answer.`, 'See docker above; then run `npm run setup:kind`.'),
    )
  }
  const old = (await builtFromCheckout(machine, root))
    ? ''
    : '; set-up has not brought it up to date with this checkout, `npm run setup:kind` does'
  return Promise.all(
    names.map(async ([id, name]) => {
      const output = await machine.runner.run({
        argv: ['docker', 'image', 'inspect', '--format', '{{.Id}} {{.Size}}', name],
        timeoutMs: 15_000,
      })
      const [digest, size] = output.stdout.trim().split(' ')
      return output.exitCode === 0 && digest
        ? ok(`image-${id}`, `${name} is there (${digest.slice(7, 19)}, ${gib(Number(size))})${old}.`)
        : missing(
            `image-${id}`,
            `${name} is not in Docker yet.`,
            `${setupCommand}: it gets or builds the images (up to half an hour the first time).`,
          )
    }),
  )
}

async function inotifyCheck(machine: Machine): Promise<DoctorCheck> {
  const limit = async (name: string) => Number((await machine.readText(`/proc/sys/fs/inotify/${name}`)) ?? Number.NaN)
  const instances = await limit('max_user_instances')
  const watches = await limit('max_user_watches')
  if (Number.isNaN(instances) || Number.isNaN(watches)) return ok('inotify', 'inotify limits are those of the machine that Docker runs on.')
  const seen = `fs.inotify.max_user_instances is ${instances}, max_user_watches ${watches}`
  if (instances < needs.inotifyInstances || watches < needs.inotifyWatches) {
    const set = [
      ...(instances < needs.inotifyInstances ? [`fs.inotify.max_user_instances=${needs.inotifyInstances}`] : []),
      ...(watches < needs.inotifyWatches ? [`fs.inotify.max_user_watches=${needs.inotifyWatches}`] : []),
    ]
    return missing(
      'inotify',
      `${seen}: too low for several nodes.`,
      `Run \`sudo sysctl -w ${set.join(' ')}\`, or \`npm run setup:kind\` as root.`,
    )
  }
  return (await machine.readText(sysctlFile)) === undefined
    ? ok('inotify', `${seen}.`)
    : mended('inotify', `${seen} (raised by set-up, ${sysctlFile}).`)
}

async function diskCheck(machine: Machine, docker: DockerFacts | undefined, complete: boolean): Promise<DoctorCheck> {
  const folders = [...(docker !== undefined && !docker.elsewhere ? [docker.rootFolder] : []), cacheFolder(machine.env)]
  const free = (await Promise.all(folders.map((folder) => machine.freeBytes(folder)))).map((bytes, index) => ({
    bytes,
    folder: folders[index] ?? '',
  }))
  const known = free.filter((entry): entry is { bytes: number; folder: string } => entry.bytes !== undefined)
  const least = known.sort((a, b) => a.bytes - b.bytes)[0]
  if (least === undefined) return ok('disk', 'Free disk space cannot be told here.')
  const need = complete ? needs.diskBytes : needs.diskBytesToBuild
  return least.bytes >= need
    ? ok('disk', `${gib(least.bytes)} free under ${least.folder}.`)
    : missing(
        'disk',
        `${gib(least.bytes)} free under ${least.folder}; ${complete ? 'labs need' : 'building the images needs'} ${gib(need)}.`,
        'Free some: `docker system df` shows what Docker holds, `docker builder prune` and `docker image prune` give back what is unused.',
      )
}

async function memoryCheck(machine: Machine, docker: DockerFacts | undefined): Promise<DoctorCheck> {
  const memory = await machine.memory()
  const elsewhere = docker?.elsewhere === true && docker.memoryBytes > 0
  const available = elsewhere ? docker.memoryBytes : memory.available
  const seen = elsewhere
    ? `${gib(available)} in the machine that Docker runs on`
    : `${gib(memory.available)} of ${gib(memory.total)} available`
  return available >= needs.memoryBytes
    ? ok('memory', `${seen}.`)
    : missing(
        'memory',
        `${seen}; a lab of three nodes needs ${gib(needs.memoryBytes)}.`,
        elsewhere ? 'Give Docker more memory in its settings.' : 'Close what is not needed, or end other labs.',
      )
}

function cgroupCheck(docker: DockerFacts | undefined, cgroupV1: boolean): DoctorCheck {
  if (docker === undefined && !cgroupV1) return ok('cgroup', 'No sign of cgroup v1.')
  return cgroupV1
    ? mended('cgroup', 'cgroup v1: kubelet 1.35 and newer refuse it by default, so clusters are made with failCgroupV1: false.')
    : ok('cgroup', 'cgroup v2.')
}

function capabilityCheck(machine: Machine, docker: DockerFacts | undefined, lacksSysResource: boolean): DoctorCheck {
  if (!lacksSysResource) return ok('capabilities', 'Containers can be given every capability that kind asks for.')
  if (docker?.defaultRuntime === wrapperRuntime) {
    return mended(
      'capabilities',
      `This machine withholds CAP_SYS_RESOURCE: Docker's default runtime is ${wrapperRuntime}, and clusters are made with restrict_oom_score_adj and KubeletInUserNamespace.`,
    )
  }
  return missing(
    'capabilities',
    'This machine withholds CAP_SYS_RESOURCE, so `docker run --privileged` fails ("unable to apply caps") and kind cannot make nodes.',
    machine.uid === 0
      ? `${setupCommand}: it makes a wrapper around runc, which leaves that capability out, Docker's default runtime (/etc/docker/daemon.json, a backup is kept).`
      : "Run `npm run setup:kind` as root: it makes a wrapper around runc, which leaves that capability out, Docker's default runtime.",
  )
}

async function portCheck(machine: Machine, options: DoctorOptions): Promise<DoctorCheck> {
  const host = machine.env.HOST || '127.0.0.1'
  const port = Number(machine.env.PORT || 3000)
  if (options.serving === true) return ok('ports', 'kind picks free ports for the API servers.')
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    return missing('ports', `PORT is ${machine.env.PORT}, which is not a port.`, 'Set PORT to a number from 1 to 65535.')
  if (await machine.portFree(host, port))
    return ok('ports', `${host}:${port} is free for kubemend; kind picks free ports for the API servers.`)
  const health = await machine.fetchText(`http://${host}:${port}/api/health`, 2000)
  if (health?.includes('kubemend')) return ok('ports', `kubemend already serves on ${host}:${port}.`)
  return missing(
    'ports',
    `${host}:${port} is in use by another program.`,
    `Choose another port: \`PORT=${port === 65_535 ? 3000 : port + 1} npm start\`.`,
  )
}

export interface DoctorOptions {
  /** whether the server's port is free does not matter: this process is the server, or needs none; default false */
  serving?: boolean
  /** default: this machine */
  machine?: Machine
  /** the checkout with images/, default: the one this file is in */
  root?: string
}

/**
 * What a kind cluster on this machine has and lacks, by check. `ok` when nothing is missing. Takes a second or less where Docker answers.
 * Nothing is changed. @throws LabError bad-request for a KUBEMEND_KUBERNETES that is not a version
 */
export async function doctor(options: DoctorOptions = {}): Promise<DoctorReport> {
  const machine = options.machine ?? thisMachine
  const state = await dockerState(machine)
  const docker = state.state === 'ok' ? state.facts : undefined
  const facts = await machineFacts(machine, state)
  const [dockerPart, imagePart, kind, kubectl, inotify, memory, ports] = await Promise.all([
    dockerChecks(machine, state),
    imageChecks(machine, docker, options.root ?? checkout),
    toolCheck(machine, 'kind', ['version']),
    toolCheck(machine, 'kubectl', ['version', '--client']),
    docker?.elsewhere ? ok('inotify', 'inotify limits are those of the machine that Docker runs on.') : inotifyCheck(machine),
    memoryCheck(machine, docker),
    portCheck(machine, options),
  ])
  const complete = imagePart.every((check) => check.state === 'ok')
  const checks = [
    ...dockerPart,
    kind,
    kubectl,
    ...imagePart,
    cgroupCheck(docker, facts.cgroupV1),
    inotify,
    capabilityCheck(machine, docker, facts.lacksSysResource),
    await diskCheck(machine, docker, complete),
    memory,
    ports,
  ]
  return { ok: checks.every((check) => check.state !== 'missing'), checks }
}

/** One line on whether kind can be used, and if not, on the first thing to do. */
export function summary(report: DoctorReport): string {
  const gone = report.checks.filter((check) => check.state === 'missing')
  const first = gone[0]
  const own = report.checks.filter((check) => check.state === 'mended').length
  if (first === undefined) return `kind is ready: ${report.checks.length} checks${own > 0 ? `, ${own} of them mended by us` : ''}`
  return `kind is not ready (${gone.length} of ${report.checks.length} checks; \`npm run doctor\` lists them): ${first.message} ${first.remedy}`
}

/** The report as a table for a terminal. `what` it is about: default kind */
export function table(report: DoctorReport, what = 'kind'): string {
  const mark = { ok: '✓', mended: '~', missing: '✗' }
  const width = Math.max(...report.checks.map((check) => check.id.length))
  const rows = report.checks.flatMap((check) => [
    `${mark[check.state]} ${check.id.padEnd(width)}  ${check.state.padEnd(7)}  ${check.message}`,
    ...(check.remedy === '' ? [] : [`${' '.repeat(width + 13)}→ ${check.remedy}`]),
  ])
  return `${rows.join('\n')}\n\n${report.ok ? `Everything that ${what} needs is there.` : 'Something is missing: the arrows say what to do.'}\n`
}
