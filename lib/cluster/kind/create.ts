// Makes one cluster, step by step, and takes everything back when a step fails. Reads as the list of what happens.
import { readFile } from 'node:fs/promises'
import { must } from '#lib/exec/index.ts'
import { asLabError, LabError } from '#lib/protocol/index.ts'
import { kubernetesApi } from '../api.ts'
import type { ClusterSpec, Progress } from '../port.ts'
import { graderKubeconfig, publishedPort } from './access.ts'
import { checkCapacity, supplyOf } from './capacity.ts'
import { KindCluster } from './cluster.ts'
import { kindConfig } from './config.ts'
import { destroyCluster } from './destroy.ts'
import { diagnose } from './diagnostics.ts'
import { explainFailure } from './explain.ts'
import { type Ground, kindEnvironment } from './ground.ts'
import { type Machine, machineAt, machinesOf } from './machines.ts'
import { label, newName, type SavedCluster } from './names.ts'
import { kindProgress, step } from './progress.ts'
import { untilReady } from './ready.ts'
import { createWorkstation, giveKubeconfig, giveSsh, writeHosts } from './workstation.ts'

/**
 * @param reserve runs the check of capacity and the making of the network, one creation at a time
 * @throws LabError capacity-exceeded, backend-unavailable, docker-unavailable, cluster-create-failed, cancelled
 */
export async function createCluster(
  ground: Ground,
  spec: ClusterSpec,
  progress: Progress,
  signal: AbortSignal,
  reserve: <T>(work: () => Promise<T>) => Promise<T>,
): Promise<KindCluster> {
  if (!Number.isInteger(spec.workers) || spec.workers < 0 || spec.workers > 9)
    throw new LabError('bad-request', `A cluster has 0 to 9 workers, not ${spec.workers}.`)
  const { docker, records, options } = ground
  const name = newName(options.random)
  const record: SavedCluster = {
    format: 1,
    name,
    owner: ground.owner,
    spec,
    state: 'creating',
    kubernetesVersion: options.kubernetesVersion,
    image: options.images.node,
    createdAt: new Date().toISOString(),
  }
  await needImages(ground)
  const output: string[] = []
  let begun = false
  // Done beside kind, which needs neither.
  const beside: Promise<unknown>[] = []
  const alongside = <T>(work: Promise<T>): Promise<T> => {
    beside.push(work.catch(() => {}))
    return work
  }
  try {
    await reserve(async () => {
      checkCapacity(spec, await supplyOf(docker), options.capacity)
      begun = true
      await records.save(record)
      await makeNetwork(ground, name)
    })
    signal.throwIfAborted()
    const workstation = alongside(createWorkstation(docker, ground.owner, name, options.images.workstation))
    // As soon as there is an API: the nodes that join later find their network at once instead of waiting out a back-off.
    let network: Promise<void> | undefined
    await runKind(ground, name, spec, progress, signal, output, () => {
      network ??= alongside(applyCni(ground, name, signal))
    })
    await workstation

    const machines = await machinesOf(docker, ground.owner, name)
    const controlPlane = machineAt(machines, 'control-plane', name)
    await step(progress, 'Pod network', () => network ?? applyCni(ground, name, signal))
    await step(progress, 'Grader', async () => {
      const port = await publishedPort(docker, controlPlane)
      await records.write(name, 'kubeconfig', await graderKubeconfig(docker, controlPlane, name, options.kubernetesVersion, port, signal))
    })
    await step(progress, 'Workstation', () => outfit(ground, machines, name, signal))
    const kubeconfig = await readFile(records.path(name, 'kubeconfig'), 'utf8')
    await step(progress, 'Workloads', async (detail) => {
      const api = kubernetesApi(kubeconfig)
      try {
        await untilReady(api, spec.workers + 1, detail, signal)
      } finally {
        api.close()
      }
    })
    await records.save({ ...record, state: 'ready' })
    return new KindCluster(ground, { ...record, state: 'ready' }, kubeconfig, await machinesOf(docker, ground.owner, name))
  } catch (thrown) {
    // Refused before anything was made.
    if (!begun) throw thrown
    await Promise.all(beside)
    const error = signal.aborted
      ? new LabError('cancelled', 'The creation was cancelled.', { cause: thrown })
      : await explained(ground, name, thrown, output)
    try {
      await destroyCluster(ground, name)
    } catch (cleanUp) {
      // Docker is gone too; what is left is destroyed by `adopt`, which knows it from its record.
      if (error.code !== 'docker-unavailable')
        throw new LabError(error.code, `${error.message} Cleaning up failed too: ${asLabError(cleanUp).message}`, {
          cause: error,
          ...(error.hint ? { hint: error.hint } : {}),
        })
    }
    throw error
  }
}

async function needImages({ docker, options }: Ground): Promise<void> {
  for (const [role, image] of Object.entries(options.images)) {
    if (await docker.find(`look for the image ${image}`, (api) => api.getImage(image).inspect())) continue
    throw new LabError('backend-unavailable', `The ${role} image ${image} is not on this machine.`, {
      hint: 'Run `npm run setup:kind`, which gets or builds it, or use the button on the first page.',
    })
  }
}

/** A network of the cluster's own, so that labs cannot reach one another; its label is what makes a cluster ours. */
async function makeNetwork({ docker, owner }: Ground, name: string): Promise<void> {
  await docker.ask('make a network', (api) =>
    api.createNetwork({
      Name: name,
      Driver: 'bridge',
      CheckDuplicate: true,
      Labels: { [label.owner]: owner, [label.cluster]: name, [label.role]: 'network' },
    }),
  )
}

async function runKind(
  ground: Ground,
  name: string,
  spec: ClusterSpec,
  progress: Progress,
  signal: AbortSignal,
  output: string[],
  onApi: () => void,
): Promise<void> {
  const { options, runner, records } = ground
  const report = kindProgress((line) => {
    if (line.step === 'Control plane' && line.state === 'done') onApi()
    progress(line)
  })
  const argv = [
    options.kind ?? 'kind',
    'create',
    'cluster',
    '--name',
    name,
    '--image',
    options.images.node,
    '--config',
    '-',
    '--retain',
    '--wait',
    '0s',
    '--kubeconfig',
    records.path(name, 'kind.kubeconfig'),
  ]
  await must(runner, {
    argv,
    env: kindEnvironment(ground, name),
    stdin: kindConfig(spec, options.machine),
    signal,
    timeoutMs: 10 * 60_000,
    onLine: (line) => {
      output.push(line)
      if (output.length > 2000) output.shift()
      report(line)
    },
  })
}

async function applyCni({ docker, owner, options }: Ground, name: string, signal: AbortSignal): Promise<void> {
  const manifest = await readFile(options.cniManifest, 'utf8')
  const controlPlane = machineAt(await machinesOf(docker, owner, name), 'control-plane', name)
  const result = await docker.exec(controlPlane.container, ['kubectl', '--kubeconfig=/etc/kubernetes/admin.conf', 'apply', '-f', '-'], {
    stdin: manifest,
    // kubectl's cache would be a trace in root's home
    env: { KUBECACHEDIR: '/dev/null' },
    signal,
  })
  if (result.exitCode !== 0)
    throw new LabError('internal', `The CNI's manifest was refused: ${result.stderr.trim().split('\n').at(-1) ?? ''}`)
}

async function outfit({ docker }: Ground, machines: readonly Machine[], name: string, signal: AbortSignal): Promise<void> {
  const workstation = machineAt(machines, 'workstation', name)
  const nodes = machines.filter((machine) => machine.place !== 'workstation')
  await giveKubeconfig(docker, workstation, nodes[0]!, signal)
  await writeHosts(docker, workstation, nodes)
  await giveSsh(docker, workstation, nodes, signal)
}

async function explained(ground: Ground, name: string, thrown: unknown, output: readonly string[]): Promise<LabError> {
  const error = asLabError(thrown)
  if (['docker-unavailable', 'capacity-exceeded', 'backend-unavailable'].includes(error.code)) return error
  if (error.code === 'not-found' && /^The program/.test(error.message)) {
    return new LabError('backend-unavailable', `${error.message} It makes the clusters.`, {
      hint: 'Run `npm run setup:kind`, which gets or builds it.',
      cause: thrown,
    })
  }
  // kind only says that its docker command failed.
  const gone = await ground.docker
    .ask('answer', (api) => api.ping())
    .then(
      () => undefined,
      (error: LabError) => error,
    )
  if (gone) return gone
  const diagnostics = await diagnose(ground, name, AbortSignal.timeout(60_000)).catch(() => undefined)
  return explainFailure(error, [...output, ...(diagnostics?.files.map((file) => file.text) ?? [])])
}
