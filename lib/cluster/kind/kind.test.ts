// The kind adapter without Docker: kind's own output and Docker's answers as they were recorded, played to it. What is asked of both, what a
// person hears when something fails, and what is left behind.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { type Command, type Runner, recorded } from '#lib/exec/index.ts'
import type { LabError } from '#lib/protocol/index.ts'
import { FakeApi } from '../fake/api.ts'
import { Objects } from '../fake/objects.ts'
import type { ClusterProvider, Progress } from '../port.ts'
import { type Answer, FakeDocker } from './docker.fixture.ts'
import { kindProvider } from './index.ts'
import type { KindOptions } from './options.ts'

const never = new AbortController().signal
const version = 'v1.35.4'
const name = 'kubemend-aaaaaa'
/** kind v0.33.0 on standard error, one control plane and one worker */
const kindOutput = `Creating cluster "${name}" ...
 • Ensuring node image (kubemend/node:${version}) 🖼️  ...
WARNING: Overriding docker network due to KIND_EXPERIMENTAL_DOCKER_NETWORK
WARNING: Here be dragons! This is not supported currently.
 ✓ Ensuring node image (kubemend/node:${version}) 🖼️
 • Preparing nodes 📦 📦   ...
 ✓ Preparing nodes 📦 📦 
 • Writing configuration 📜  ...
 ✓ Writing configuration 📜
 • Starting control-plane 🕹️  ...
 ✓ Starting control-plane 🕹️
 • Installing StorageClass 💾  ...
 ✓ Installing StorageClass 💾
 • Joining worker nodes 🚜  ...
 ✓ Joining worker nodes 🚜
Set kubectl context to "kind-${name}"
`
const publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKeyOfTheWorkstation candidate@workstation\n'

let dir: string
let docker: FakeDocker
let api: FakeApi
let objects: Objects
let kubeconfig: string
let kindCalls: Command[]

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'kind-'))
  docker = new FakeDocker(join(dir, 'docker.sock'))
  await docker.start()
  for (const image of ['node', 'workstation', 'grader']) docker.images.add(`kubemend/${image}:${version}`)
  objects = new Objects(() => new Date(0))
  api = new FakeApi({ objects, token: 'secret', version, log: async () => undefined })
  const port = await api.listen()
  kubeconfig = `# client-key-data is made by kubeadm\n${JSON.stringify({
    'current-context': 'grader',
    clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: { token: 'secret' } }],
    contexts: [{ name: 'grader', context: { cluster: 'c', user: 'u' } }],
  })}`
  await writeFile(join(dir, 'cni.yml'), 'kind: DaemonSet\n')
  kindCalls = []
  docker.answers = answers()
})
afterEach(async () => {
  await docker.stop().catch(() => {})
  await api.close()
  rmSync(dir, { recursive: true, force: true })
})

const answers = (): Answer[] => [
  {
    seen: /^kubectl .* apply -f -$/,
    stdout: (manifest) => {
      if (!manifest.includes('DaemonSet')) return ''
      settle()
      return 'daemonset.apps/kube-flannel-ds created\n'
    },
  },
  { seen: /^kubeadm kubeconfig user/, stdout: () => kubeconfig },
  { seen: /cat \/etc\/kubernetes\/admin\.conf/, stdout: 'apiVersion: v1\nkind: Config\n' },
  { seen: /ssh-keygen/, stdout: publicKey },
  { seen: /authorized_keys/, stdout: 'ssh-ed25519 AAAAHostKey root@node\n' },
  { seen: /journalctl .* kubelet/, stdout: 'kubelet: everything in order\ntoken: abcdef.0123456789abcdef\n' },
]
/** What a cluster that has come up shows. */
function settle(): void {
  const put = (collection: string, namespace: string, object: string, content: Record<string, unknown>) =>
    objects.put({ collection, namespace, name: object }, { metadata: { name: object, ...(namespace ? { namespace } : {}) }, ...content })
  for (const node of [`${name}-control-plane`, `${name}-worker`]) {
    put('/v1/nodes', '', node, { status: { conditions: [{ type: 'Ready', status: 'True' }] } })
    put('coordination.k8s.io/v1/leases', 'kube-node-lease', node, { spec: { renewTime: new Date().toISOString() } })
  }
  put('apps/v1/daemonsets', 'kube-flannel', 'kube-flannel-ds', {
    status: { observedGeneration: 1, desiredNumberScheduled: 2, numberReady: 2 },
  })
  objects.put(
    { collection: '/v1/pods', namespace: 'kube-system', name: 'coredns-1' },
    {
      metadata: { name: 'coredns-1', namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    },
  )
}

const createArgv = (at: string) => [
  'kind',
  'create',
  'cluster',
  '--name',
  name,
  '--image',
  `kubemend/node:${version}`,
  '--config',
  '-',
  '--retain',
  '--wait',
  '0s',
  '--kubeconfig',
  join(at, 'clusters', name, 'kind.kubeconfig'),
]
/** kind as recorded; it makes its containers in the Docker that is played. */
function kind(outcome: { exitCode?: number; stderr: string; nodes: boolean }): Runner {
  const transcript = recorded([
    { argv: createArgv(dir), exitCode: outcome.exitCode ?? 0, stderr: outcome.stderr },
    { argv: ['kind', 'version'], stdout: 'kind v0.33.0 go1.24 linux/amd64\n' },
  ])
  return {
    run: async (command) => {
      kindCalls.push(command)
      if (command.argv[1] === 'create' && outcome.nodes) docker.addNodes(name, name, 1)
      return transcript.run(command)
    },
  }
}
const fine = () => kind({ stderr: kindOutput, nodes: true })
function provider(options: Partial<KindOptions> = {}): ClusterProvider {
  return kindProvider({
    owner: 'tests',
    dataDir: dir,
    images: { node: `kubemend/node:${version}`, workstation: `kubemend/workstation:${version}`, grader: `kubemend/grader:${version}` },
    kubernetesVersion: version,
    machine: { cgroupV1: false, lacksSysResource: false },
    cniManifest: join(dir, 'cni.yml'),
    docker: { socketPath: join(dir, 'docker.sock') },
    runner: fine(),
    random: () => 0,
    capacity: { clusters: 3 },
    ...options,
  })
}
const failure = (promise: Promise<unknown>): Promise<LabError> =>
  promise.then(
    () => {
      throw new Error('it did not fail')
    },
    (error: LabError) => error,
  )
const create = (of: ClusterProvider, progress: Progress = () => {}, signal = never) => of.create({ workers: 1 }, progress, signal)

describe('a creation', () => {
  it('goes through kind’s steps and ours, in order, and ends in a cluster with all its machines', async () => {
    const lines: string[] = []
    const cluster = await create(provider(), (line) => line.detail === undefined && lines.push(`${line.step} ${line.state}`))
    const steps = [
      'Node image',
      'Nodes',
      'Configuration',
      'Control plane',
      'Storage class',
      'Workers',
      'Pod network',
      'Grader',
      'Workstation',
      'Workloads',
    ]
    expect(lines).toEqual(steps.flatMap((step) => [`${step} running`, `${step} done`]))
    expect(cluster.nodes.map((node) => [node.place, node.name])).toEqual([
      ['control-plane', `${name}-control-plane`],
      ['worker-1', `${name}-worker`],
    ])
  })
  it('asks kind for a cluster without CNI, on a network of ours, with nobody’s kubeconfig', async () => {
    await create(provider())
    const [call] = kindCalls
    expect(call?.argv).toEqual(createArgv(dir))
    expect(call?.env).toMatchObject({
      KIND_EXPERIMENTAL_DOCKER_NETWORK: name,
      DOCKER_HOST: `unix://${join(dir, 'docker.sock')}`,
      KUBECONFIG: undefined,
    })
    expect(parse(String(call?.stdin))).toEqual({
      kind: 'Cluster',
      apiVersion: 'kind.x-k8s.io/v1alpha4',
      networking: { podSubnet: '10.244.0.0/16', disableDefaultCNI: true },
      nodes: [{ role: 'control-plane' }, { role: 'worker' }],
    })
    expect(docker.networks.map(({ name, labels }) => ({ name, labels }))).toEqual([
      { name, labels: { 'dev.kubemend.owner': 'tests', 'dev.kubemend.cluster': name, 'dev.kubemend.role': 'network' } },
    ])
  })
  it('mends the configuration only where the machine needs it', async () => {
    await create(provider({ machine: { cgroupV1: true, lacksSysResource: true } }))
    const config = parse(String(kindCalls[0]?.stdin))
    expect(config.featureGates).toEqual({ KubeletInUserNamespace: true })
    expect(config.containerdConfigPatches).toEqual([expect.stringContaining('restrict_oom_score_adj = true')])
    expect(config.kubeadmConfigPatches.map((patch: string) => parse(patch))).toEqual([
      { kind: 'KubeletConfiguration', failCgroupV1: false },
    ])
  })
  it('gives the workstation limits, and neither privilege nor Docker’s socket', async () => {
    await create(provider())
    const workstation = docker.containers.find((container) => container.labels['dev.kubemend.role'] === 'workstation')
    expect(workstation?.host).toMatchObject({ CapDrop: ['ALL'], NetworkMode: name, PidsLimit: 512, Memory: 768 * 1024 * 1024 })
    expect(workstation?.host).not.toHaveProperty('Privileged')
    expect(workstation?.host).not.toHaveProperty('Binds')
    expect(workstation?.host.CapAdd).not.toContain('SYS_ADMIN')
  })
  it('keeps the grader’s kubeconfig to this user, and out of every command', async () => {
    const cluster = await create(provider())
    expect(cluster.kubeconfig).toBe(kubeconfig)
    expect(statSync(join(dir, 'clusters', name, 'kubeconfig')).mode & 0o777).toBe(0o600)
    expect(docker.commands.join('\n')).not.toContain('secret')
  })
})

describe('a creation that fails', () => {
  const cases: { title: string; stderr: string; code: string; message: RegExp; hint: RegExp }[] = [
    {
      title: 'a full disk',
      stderr: 'ERROR: failed to create cluster: command "docker run …" failed with error: exit status 125\nno space left on device',
      code: 'cluster-create-failed',
      message: /disk that Docker uses is full/,
      hint: /docker system df/,
    },
    {
      title: 'too few inotify instances',
      stderr: 'Failed to allocate directory watch: Too many open files',
      code: 'cluster-create-failed',
      message: /inotify/,
      hint: /fs\.inotify\.max_user_instances=1024/,
    },
    {
      title: 'a missing image',
      stderr: 'ERROR: failed to pull image "kubemend/node:x"',
      code: 'cluster-create-failed',
      message: /node image is not/,
      hint: /setup:kind/,
    },
    {
      title: 'a taken port',
      stderr: 'Bind for 127.0.0.1:40000 failed: port is already allocated',
      code: 'cluster-create-failed',
      message: /port/,
      hint: /another port/,
    },
    {
      title: 'missing capabilities',
      stderr: 'unable to apply caps: operation not permitted',
      code: 'cluster-create-failed',
      message: /CAP_SYS_RESOURCE/,
      hint: /doctor/,
    },
    {
      title: 'anything else, in kind’s own words',
      stderr: 'ERROR: failed to init node with kubeadm: the moon was full',
      code: 'cluster-create-failed',
      message: /the moon was full/,
      hint: /doctor/,
    },
  ]
  for (const { title, stderr, code, message, hint } of cases) {
    it(`of ${title} says so and leaves nothing`, async () => {
      const error = await failure(create(provider({ runner: kind({ exitCode: 1, stderr, nodes: true }) })))
      expect([error.code, error.message, error.hint]).toEqual([code, expect.stringMatching(message), expect.stringMatching(hint)])
      nothingLeft()
    })
  }
  it('finds the cause in the kubelet’s log when kind does not say it', async () => {
    docker.answers.unshift({ seen: /journalctl .* kubelet/, stdout: 'kubelet is configured to not run on a host using cgroup v1' })
    const error = await failure(create(provider({ runner: kind({ exitCode: 1, stderr: 'ERROR: timed out', nodes: true }) })))
    expect(error.message).toMatch(/control groups of version 1/)
  })
  it('of a missing program says what brings it', async () => {
    const error = await failure(create(provider({ runner: recorded([]) })))
    expect(error.code).toBe('cluster-create-failed')
    const missing: Runner = {
      run: () =>
        import('#lib/protocol/index.ts').then(({ LabError }) =>
          Promise.reject(new LabError('not-found', 'The program `kind` is not installed.')),
        ),
    }
    expect(await failure(create(provider({ runner: missing })))).toMatchObject({
      code: 'backend-unavailable',
      hint: expect.stringContaining('setup:kind'),
    })
    nothingLeft()
  })
  it('of a manifest that is refused, after kind was done, leaves nothing either', async () => {
    docker.answers.unshift({ seen: /^kubectl .* apply/, exitCode: 1, stderr: 'error: the server rejected it' })
    const lines: string[] = []
    const error = await failure(create(provider(), (line) => lines.push(`${line.step} ${line.state}`)))
    expect(error.message).toMatch(/CNI’s manifest was refused|CNI's manifest was refused/)
    expect(lines.at(-1)).toBe('Pod network failed')
    nothingLeft()
  })
  it('that was cancelled is no failure, and leaves nothing', async () => {
    const abort = new AbortController()
    const error = await failure(create(provider(), (line) => line.step === 'Pod network' && abort.abort(), abort.signal))
    expect(error.code).toBe('cancelled')
    nothingLeft()
  })
  it('never touches what is not ours: a kind cluster of the same name on another network', async () => {
    docker.addNodes(name, 'kind', 1)
    docker.add({ name: 'somebody-else', labels: { 'dev.kubemend.owner': 'another', 'dev.kubemend.cluster': name } })
    await failure(
      create(provider({ runner: kind({ exitCode: 1, stderr: 'ERROR: node(s) already exist for a cluster with the name', nodes: false }) })),
    )
    expect(docker.containers.map((container) => container.name).sort()).toEqual(
      [`${name}-control-plane`, `${name}-worker`, 'somebody-else'].sort(),
    )
  })
})
function nothingLeft(): void {
  expect(
    docker.containers.filter((container) => container.labels['dev.kubemend.role'] !== 'grader').map((container) => container.name),
  ).toEqual([])
  expect(docker.networks).toEqual([])
  expect(existsSync(join(dir, 'clusters', name))).toBe(false)
}

describe('capacity', () => {
  it('refuses by memory with the figures, before anything is made', async () => {
    docker.memory = 1500 * 1024 * 1024
    const error = await failure(create(provider({ capacity: {} })))
    expect([error.code, error.message]).toEqual(['capacity-exceeded', expect.stringContaining('1500 MiB hold 0')])
    expect(docker.changes).toEqual([])
  })
  it('counts every owner’s clusters, by CPU too', async () => {
    docker.cpus = 1
    for (const other of ['one', 'two'])
      docker.networks.push({ id: other, name: other, labels: { 'dev.kubemend.owner': other, 'dev.kubemend.cluster': other } })
    expect(await failure(create(provider({ capacity: {} })))).toMatchObject({
      code: 'capacity-exceeded',
      message: expect.stringContaining('1 CPUs carry 2, and 2 are there'),
    })
  })
  it('does not count what a server that was killed left without a machine', async () => {
    docker.cpus = 1
    for (const other of ['one', 'two'])
      docker.networks.push({
        id: other,
        name: other,
        labels: { 'dev.kubemend.owner': other, 'dev.kubemend.cluster': other },
        createdAt: '2026-01-01T00:00:00Z',
      })
    docker.addNodes('one', 'one', 0)
    await create(provider({ capacity: {} }))
  })
  it('does not give the last place twice', async () => {
    const of = provider({ capacity: { clusters: 1 } })
    const results = await Promise.allSettled([create(of), create(of)])
    expect(results.map((result) => (result.status === 'fulfilled' ? 'made' : (result.reason as LabError).code)).sort()).toEqual([
      'capacity-exceeded',
      'made',
    ])
  })
})

describe('adoption', () => {
  const adopted = async (of: ClusterProvider) => {
    const ids: string[] = []
    for await (const cluster of of.adopt()) ids.push(cluster.id)
    return ids
  }
  it('gives whole clusters back with the same credentials', async () => {
    await create(provider())
    const again = provider()
    for await (const cluster of again.adopt()) {
      expect([cluster.id, cluster.kubeconfig, cluster.nodes.length]).toEqual([name, kubeconfig, 2])
      expect(await cluster.health()).toEqual({ state: 'ok' })
    }
  })
  it('destroys what was half made, and what has lost its record', async () => {
    docker.networks.push({
      id: 'n1',
      name: 'kubemend-half',
      labels: { 'dev.kubemend.owner': 'tests', 'dev.kubemend.cluster': 'kubemend-half' },
    })
    docker.addNodes('kubemend-half', 'kubemend-half', 0)
    expect(await adopted(provider())).toEqual([])
    expect([docker.containers, docker.networks]).toEqual([[], []])
  })
  it('and destruction go on when a loaded Docker gives up in the middle', async () => {
    const cluster = await create(provider())
    docker.failOn = { seen: /^DELETE \/containers/, status: 500, message: 'tried to kill container, but did not receive an exit event' }
    await cluster.destroy()
    nothingLeft()
  })
  it('leaves other servers’ clusters alone', async () => {
    await create(provider())
    expect(await adopted(provider({ owner: 'another', dataDir: join(dir, 'another') }))).toEqual([])
    expect(docker.networks).toHaveLength(1)
  })
  it('destroys nothing while Docker is gone', async () => {
    await create(provider())
    await docker.stop()
    expect(await failure(adopted(provider()))).toMatchObject({ code: 'docker-unavailable' })
    expect(readFileSync(join(dir, 'clusters', name, 'kubeconfig'), 'utf8')).toBe(kubeconfig)
  })
})

describe('Docker gone', () => {
  it('is said with what to do, by status, creation, health and commands, and is over when it is back', async () => {
    const of = provider()
    const cluster = await create(of)
    expect(await cluster.health()).toEqual({ state: 'ok' })
    await docker.stop()
    expect(await of.status()).toMatchObject({ state: 'unavailable', remedy: expect.stringContaining('Start Docker') })
    expect(await failure(create(of))).toMatchObject({ code: 'docker-unavailable', hint: expect.stringContaining('Start Docker') })
    expect(await cluster.health()).toMatchObject({ state: 'backend-gone' })
    expect(await failure(cluster.exec('worker-1', ['true']))).toMatchObject({ code: 'docker-unavailable' })
    expect(await failure(cluster.shell('workstation', { id: 'one', size: { cols: 80, rows: 24 } }))).toMatchObject({
      code: 'docker-unavailable',
    })
    // Back again, with the machines stopped as a daemon's restart leaves them: they are started.
    await docker.start()
    expect(await cluster.health()).toMatchObject({ state: 'backend-gone', message: expect.stringContaining('started again') })
    await expect.poll(async () => (await cluster.health()).state).toBe('ok')
    expect(docker.containers.filter((container) => !container.running).map((container) => container.name)).toEqual([])
    expect((await cluster.exec('worker-1', ['true'])).exitCode).toBe(0)
  })
  it('in the middle of a creation is the cause that is told', async () => {
    const gone: Runner = {
      run: async () => {
        await docker.stop()
        return { exitCode: 1, stdout: '', stderr: 'ERROR: failed to create cluster: Cannot connect to the Docker daemon' }
      },
    }
    const error = await failure(create(provider({ runner: gone })))
    expect(error).toMatchObject({ code: 'docker-unavailable', hint: expect.stringContaining('Start Docker') })
    // What is left is cleared away by the next run.
    await docker.start()
    for await (const _ of provider().adopt());
    nothingLeft()
  })
})

it('an API that does not answer is the learner’s, not ours, while Docker and the machines are there', async () => {
  const cluster = await create(provider())
  api.away = true
  api.drop()
  expect(await cluster.health()).toMatchObject({ state: 'unreachable' })
})

it('diagnostics leave secrets out', async () => {
  const cluster = await create(provider())
  const { files } = await cluster.diagnostics(never)
  const log = files.find((file) => file.name === 'control-plane/kubelet.log')
  expect(log?.text).toContain('everything in order')
  expect(log?.text).not.toContain('0123456789abcdef')
})

it('an owner’s name that could be no label is refused', () => {
  expect(() => provider({ owner: 'Not a name' })).toThrow(/cannot be an owner/)
})
