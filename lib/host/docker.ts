// Brings Docker to a machine: installs, configures, starts it. Every change is one that `dockerPlan` has named beforehand.
// Knows nothing of kind or of images.
import { join } from 'node:path'
import { type Command, must } from '#lib/exec/index.ts'
import { LabError } from '#lib/protocol/index.ts'
import { isDebian, needs, sysctlFile } from './doctor.ts'
import { type DockerState, dockerState, machineFacts, wrapperRuntime } from './facts.ts'
import type { Machine } from './machine.ts'
import { cacheFolder, findTool } from './settings.ts'

export const wrapperPath = `/usr/local/lib/kubemend/${wrapperRuntime}`
export const daemonFile = '/etc/docker/daemon.json'
const daemonBackup = `${daemonFile}.before-kubemend`

/** What a step may use: the machine, a place for one line of progress, a log, an end. */
export interface Work {
  machine: Machine
  detail: (line: string) => void
  log: (text: string) => Promise<void>
  signal: AbortSignal | undefined
}

/** Runs a command of a step: its lines are progress and go to the log. @throws LabError when it fails */
export async function command(work: Work, argv: readonly string[], options: Partial<Command> = {}) {
  await work.log(`$ ${argv.join(' ')}\n`)
  const lines: string[] = []
  try {
    return await must(work.machine.runner, {
      argv,
      ...(work.signal === undefined ? {} : { signal: work.signal }),
      onLine: (text) => {
        const line = text.trim()
        if (line === '') return
        if (lines.length < 20_000) lines.push(line)
        work.detail(line)
      },
      ...options,
    })
  } finally {
    await work.log(lines.length === 0 ? '' : `${lines.join('\n')}\n`)
  }
}

let listsUpdated = false
/** Installs packages with apt-get. @throws LabError internal with apt's own words */
export async function install(work: Work, packages: readonly string[]): Promise<void> {
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  if (!listsUpdated) {
    // One source that does not answer is no reason to stop: the packages may come from the others.
    await command(work, ['apt-get', 'update'], { env }).catch((error) => work.log(`apt-get update: ${error.message}\n`))
    listsUpdated = true
  }
  await command(work, ['apt-get', '-o', 'DPkg::Lock::Timeout=600', 'install', '-y', '--no-install-recommends', ...packages], { env })
}

const sbin = (name: string) => [`/usr/sbin/${name}`, `/usr/local/sbin/${name}`, `/sbin/${name}`]
async function systemTool(machine: Machine, name: string): Promise<string | undefined> {
  const found = await findTool(name, machine)
  if (found !== undefined) return found
  for (const path of sbin(name)) if (await machine.executable(path)) return path
  return undefined
}

const runsSystemd = async (machine: Machine): Promise<boolean> => (await machine.readText('/proc/1/comm'))?.trim() === 'systemd'
const hasCgroups = async (machine: Machine): Promise<boolean> => / cgroup2? /.test((await machine.readText('/proc/self/mounts')) ?? '')

/** Where Docker's own daemon listens, which is the one that a set-up starts. */
const defaultHost = 'unix:///var/run/docker.sock'

export interface DockerPlan {
  /** `use`: as it runs. `start`: it is installed. `install`: with apt-get. `restart`: it runs, and needs the wrapper. */
  action: 'use' | 'start' | 'install' | 'restart'
  wrapper: boolean
  packages: readonly string[]
  /** what will be changed, for the person who consents */
  changes: readonly string[]
}

/**
 * What it takes to have a working Docker here. Changes nothing.
 * @throws LabError docker-unavailable when this user, or this system, cannot be brought there by us
 */
export async function dockerPlan(machine: Machine, known?: DockerState): Promise<DockerPlan> {
  const state = known ?? (await dockerState(machine))
  const facts = await machineFacts(machine, state)
  const wrapper = facts.lacksSysResource && !(state.state === 'ok' && state.facts.defaultRuntime === wrapperRuntime)
  if (state.state === 'ok' && !wrapper) return { action: 'use', wrapper: false, packages: [], changes: [] }
  if (state.state === 'no-rights') {
    throw new LabError('docker-unavailable', state.message, {
      hint: 'Run `sudo usermod -aG docker "$USER"`, log out and in again, then run the set-up again. Mind: who may use Docker is root on this machine.',
    })
  }
  const named = machine.env.DOCKER_HOST ?? ''
  if (state.state !== 'ok' && named !== '' && named !== defaultHost) {
    throw new LabError('docker-unavailable', `The Docker that DOCKER_HOST names (${named}) does not answer.`, {
      hint: 'Start that Docker, or unset DOCKER_HOST to use the one of this machine; then run the set-up again.',
    })
  }
  if (machine.platform !== 'linux') {
    throw new LabError('docker-unavailable', `${state.state === 'missing' ? 'Docker is not installed.' : 'Docker does not answer.'}`, {
      hint: 'Install Docker Desktop (https://docs.docker.com/desktop/), start it, then run the set-up again.',
    })
  }
  const why = wrapper
    ? 'this machine withholds CAP_SYS_RESOURCE, which Docker must be told'
    : state.state === 'missing'
      ? 'Docker is not installed'
      : 'Docker does not answer'
  if (machine.uid !== 0) {
    throw new LabError('docker-unavailable', `The set-up cannot go on as this user: ${why}.`, {
      hint:
        state.state === 'not-running' && !wrapper
          ? 'Run `sudo systemctl start docker`, then run the set-up again.'
          : 'Install Docker Engine (https://docs.docker.com/engine/install/) or run `npm run setup:kind` as root on Debian or Ubuntu.',
    })
  }
  const daemon = await systemTool(machine, 'dockerd')
  const debian = await isDebian(machine)
  const packages = [
    ...(daemon === undefined ? ['docker.io'] : []),
    ...(wrapper && (await findTool('jq', machine)) === undefined ? ['jq'] : []),
    ...((await runsSystemd(machine)) || (await hasCgroups(machine)) ? [] : ['cgroupfs-mount']),
  ]
  if (packages.length > 0 && !debian) {
    throw new LabError(
      'docker-unavailable',
      `${why[0]?.toUpperCase()}${why.slice(1)}, and the set-up installs packages (${packages.join(', ')}) on Debian and Ubuntu only.`,
      {
        hint: 'Install Docker Engine as https://docs.docker.com/engine/install/ says for this system, start it, then run the set-up again.',
      },
    )
  }
  const action = state.state === 'ok' ? 'restart' : daemon === undefined ? 'install' : 'start'
  const changes = [
    ...(packages.length > 0
      ? [
          `install with apt-get: ${packages.join(', ').replace('docker.io', 'docker.io (and docker-cli where that is a package of its own)')}`,
        ]
      : []),
    ...(wrapper
      ? [
          `write ${wrapperPath} and name it as Docker's default runtime in ${daemonFile}` +
            ((await machine.readText(daemonFile)) === undefined ? '' : `, other settings kept, the old file as ${daemonBackup}`),
        ]
      : []),
    ...(state.state === 'ok'
      ? [`restart Docker${state.facts.running > 0 ? ` (its ${state.facts.running} running containers stop)` : ''}`]
      : ['start Docker']),
  ]
  return { action, wrapper, packages, changes }
}

/** The wrapper around runc. It edits the OCI runtime spec (config.json of the bundle, or the process of an exec) before runc reads it. */
export const wrapperScript = `#!/bin/sh
# Written by kubemend's set-up, named in ${daemonFile}. It stands before runc on a machine that withholds CAP_SYS_RESOURCE, and takes out
# of every container what needs that capability: itself, negative OOM scores, resource limits. Remove it by removing it from daemon.json.
set -eu
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
spec= previous=
for word in "$@"; do
  case $previous in
    --bundle | -b) spec=$word/config.json ;;
    --process | -p) spec=$word ;;
  esac
  case $word in
    --bundle=*) spec=\${word#--bundle=}/config.json ;;
    --process=*) spec=\${word#--process=} ;;
  esac
  previous=$word
done
if [ -n "$spec" ] && [ -f "$spec" ]; then
  jq -c '
    def lessen:
      (if .capabilities then .capabilities |= map_values((. // []) | map(select(. != "CAP_SYS_RESOURCE"))) else . end)
      | (if (.oomScoreAdj // 0) < 0 then .oomScoreAdj = 0 else . end)
      | del(.rlimits);
    if has("process") then .process |= lessen else lessen end
  ' "$spec" > "$spec.kubemend"
  cat "$spec.kubemend" > "$spec"
  rm -f "$spec.kubemend"
fi
exec runc "$@"
`

/**
 * The text of daemon.json with the wrapper as default runtime and everything else kept.
 * @throws LabError conflict when the file is no JSON object, or names another default runtime already
 */
export function mergedDaemonFile(current: string | undefined): string {
  let settings: Record<string, unknown>
  try {
    settings = JSON.parse(current?.trim() || '{}')
    if (settings === null || typeof settings !== 'object' || Array.isArray(settings)) throw new Error('not an object')
  } catch (cause) {
    throw new LabError('conflict', `${daemonFile} is not a JSON object, so nothing was changed.`, {
      hint: 'Mend that file, then run the set-up again.',
      cause,
    })
  }
  const other = settings['default-runtime']
  if (other !== undefined && other !== 'runc' && other !== wrapperRuntime) {
    throw new LabError(
      'conflict',
      `${daemonFile} already names ${JSON.stringify(other)} as Docker's default runtime, so nothing was changed.`,
      {
        hint: `kind needs ${wrapperRuntime} there on this machine: take your own runtime out of it, then run the set-up again.`,
      },
    )
  }
  const runtimes = (settings.runtimes ?? {}) as Record<string, unknown>
  const merged = { ...settings, runtimes: { ...runtimes, [wrapperRuntime]: { path: wrapperPath } }, 'default-runtime': wrapperRuntime }
  return `${JSON.stringify(merged, null, 2)}\n`
}

async function writeWrapper({ machine, detail }: Work): Promise<void> {
  const current = await machine.readText(daemonFile)
  const merged = mergedDaemonFile(current)
  detail(`writing ${wrapperPath} and ${daemonFile}`)
  if (current !== undefined && (await machine.readText(daemonBackup)) === undefined) await machine.writeText(daemonBackup, current)
  await machine.writeText(wrapperPath, wrapperScript, 0o755)
  await machine.writeText(daemonFile, merged)
}

/** Where the daemon that set-up started without systemd keeps its log and its process id. */
export const daemonLog = (machine: Machine): string => join(cacheFolder(machine.env), 'dockerd.log')
const daemonPid = '/var/run/docker.pid'

async function startDaemon(work: Work, restart: boolean): Promise<void> {
  const { machine, detail } = work
  detail(restart ? 'restarting Docker' : 'starting Docker')
  if (await runsSystemd(machine)) {
    await command(work, restart ? ['systemctl', 'restart', 'docker'] : ['systemctl', 'enable', '--now', 'docker'])
    return
  }
  if (!(await hasCgroups(machine))) await command(work, ['cgroupfs-mount'])
  const daemon = (await systemTool(machine, 'dockerd')) ?? '/usr/sbin/dockerd'
  // Both the file and the program must fit, so that a stale file never ends somebody else's process.
  const which = ['--pidfile', daemonPid, '--exec', daemon]
  if (restart) await command(work, ['start-stop-daemon', '--stop', '--oknodo', ...which, '--retry', 'TERM/30/KILL/5'])
  // start-stop-daemon leaves it in the background with no ties to this process; the shell only opens the log.
  const script = 'exec "$0" --log-level warn >>"$1" 2>&1'
  const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
  await machine.append(daemonLog(machine), '')
  await command(
    work,
    [
      'start-stop-daemon',
      '--start',
      '--oknodo',
      '--background',
      ...which,
      '--startas',
      '/bin/sh',
      '--',
      '-c',
      script,
      daemon,
      daemonLog(machine),
    ],
    {
      env: { PATH: path },
    },
  )
}

async function answers(work: Work, deadlineMs: number): Promise<DockerState> {
  const until = work.machine.now() + deadlineMs
  for (;;) {
    const state = await dockerState(work.machine)
    if (state.state === 'ok' || work.machine.now() >= until) return state
    await work.machine.sleep(500, work.signal)
  }
}

/**
 * Does what the plan says. Returns one line on what is there now.
 * @throws LabError docker-unavailable when Docker does not answer in the end, conflict, internal (a command failed)
 */
export async function bringDocker(work: Work, plan: DockerPlan): Promise<string> {
  const { machine } = work
  if (plan.action !== 'use') {
    if (plan.wrapper) await writeWrapper(work) // before the package starts its daemon
    if (plan.packages.length > 0) await install(work, plan.packages)
    if ((await findTool('docker', machine)) === undefined) await install(work, ['docker-cli']) // a package of its own since Debian 13
    const started = plan.action === 'install' ? await dockerState(machine) : undefined
    if (started?.state !== 'ok') await startDaemon(work, plan.action === 'restart')
  }
  const state = await answers(work, plan.action === 'use' ? 0 : 60_000)
  if (state.state !== 'ok') {
    const log = (await machine.readText(daemonLog(machine)))?.trim().split('\n').slice(-3).join(' ') ?? ''
    throw new LabError(
      'docker-unavailable',
      `Docker was started but does not answer: ${state.message}${log === '' ? '' : ` Its log ends: ${log}`}`,
      {
        hint: `Look at ${(await runsSystemd(machine)) ? '`journalctl -u docker`' : daemonLog(machine)}, then run the set-up again.`,
      },
    )
  }
  if (plan.wrapper && state.facts.defaultRuntime !== wrapperRuntime) {
    throw new LabError(
      'docker-unavailable',
      `Docker runs, but with the default runtime ${state.facts.defaultRuntime} instead of ${wrapperRuntime}.`,
      {
        hint: `Restart Docker so that it reads ${daemonFile}, then run the set-up again.`,
      },
    )
  }
  return `Docker ${state.facts.serverVersion}${plan.action === 'use' ? ' is used as it runs' : ''}`
}

/** What raising the inotify limits would change; empty when they are high enough or not ours to change. */
export async function limitsPlan(machine: Machine): Promise<{ settings: readonly [string, number][]; changes: readonly string[] }> {
  if (machine.platform !== 'linux') return { settings: [], changes: [] }
  const wanted: [string, number][] = [
    ['max_user_instances', needs.inotifyInstances],
    ['max_user_watches', needs.inotifyWatches],
  ]
  const settings: [string, number][] = []
  const changes: string[] = []
  for (const [name, value] of wanted) {
    const now = Number((await machine.readText(`/proc/sys/fs/inotify/${name}`)) ?? Number.NaN)
    if (!(now < value)) continue
    settings.push([`fs.inotify.${name}`, value])
    changes.push(`raise fs.inotify.${name} from ${now} to ${value}, now and at boot (${sysctlFile})`)
  }
  return { settings, changes }
}

/** Raises the limits. @throws LabError forbidden when this user may not */
export async function raiseLimits(work: Work, settings: readonly [string, number][]): Promise<string> {
  const { machine } = work
  if (settings.length === 0) return 'inotify limits are high enough'
  const words = settings.map(([name, value]) => `${name}=${value}`)
  if (machine.uid !== 0) {
    throw new LabError('forbidden', `The inotify limits are too low for several nodes, and only root may raise them.`, {
      hint: `Run \`sudo sysctl -w ${words.join(' ')}\`, then run the set-up again.`,
    })
  }
  for (const word of words) await command(work, ['sysctl', '-w', word])
  await machine.writeText(
    sysctlFile,
    `# Written by kubemend's set-up: several Kubernetes nodes on one machine need more than the default.\n${words.join('\n')}\n`,
  )
  return `raised ${words.join(', ')}`
}
