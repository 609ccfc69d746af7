// A machine and a control plane without a kubelet: files that stay in, units that restart, programs that read their files and say what is wrong.
import type { X509Certificate } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { KubeletDoor } from '../api/index.ts'
import { SimClock } from '../clock.ts'
import { Unreachable } from '../kube.ts'
import type { Files } from '../machine.ts'
import { createNetwork } from '../network/index.ts'
import { certificates, clusterPki, distrust, issue, subjectOf } from '../pki.ts'
import type { ContainerContext, Running, ToolCall } from '../process.ts'
import { random } from '../random.ts'
import { populate } from './boot.ts'
import { type ApiEndpoint, connect, nodeNames } from './connect.ts'
import { controlPlane, type Serving } from './controlplane.ts'
import { type EtcdEndpoint, EtcdMembers } from './etcd.ts'
import { filesBelow } from './files.ts'
import { bridge } from './front.ts'
import { nothingSeen, putImage, putTree, takeImage } from './image.ts'
import { SimMachine } from './machine.ts'
import { kubeconfig, manifests } from './template/manifests.ts'
import { nodeTools } from './tools/index.ts'

const made: string[] = []
const folder = () => {
  const at = mkdtempSync(join(tmpdir(), 'kubemend-node-'))
  made.push(at)
  return at
}
afterEach(() => {
  for (const at of made.splice(0)) rmSync(at, { recursive: true, force: true })
})

describe('files', () => {
  test('links lead within the root, whatever they say', () => {
    const outside = folder()
    writeFileSync(join(outside, 'secret'), 'host')
    const root = folder()
    const files = filesBelow(root)
    files.write('/etc/real', 'inside')
    files.symlink('/etc/real', '/etc/absolute')
    files.symlink('../../../../etc/real', '/etc/relative')
    symlinkSync(outside, join(root, 'planted'))
    expect(files.text('/etc/absolute')).toBe('inside')
    expect(files.text('/etc/relative')).toBe('inside')
    expect(files.text('/planted/secret')).toBeUndefined()
    expect(() => files.read(`/../..${outside}/secret`)).toThrow(/ENOENT/)
    files.symlink('/loop', '/loop')
    expect(() => files.read('/loop')).toThrow(/ELOOP/)
    files.write('/planted/new', 'x')
    expect(filesBelow(outside).list('/')).toEqual(['secret'])
  })
  test('a watch sees changes, replacement and a file that comes to be', async () => {
    const files = filesBelow(folder())
    const manifests = '/etc/kubernetes/manifests'
    // What was there when news came: news of one change is no news of the next.
    const watched = () => {
      let seen: string[] = []
      const watch = files.watch(manifests, () => {
        seen = files.list(manifests)
      })
      return { seen: () => seen, stop: () => watch.stop() }
    }
    const first = watched()
    const second = watched()
    files.write(`${manifests}/a.yaml`, '1')
    await expect.poll(first.seen).toEqual(['a.yaml'])
    writeFileSync(join(files.root, manifests, 'b.yaml'), '2')
    await expect.poll(first.seen).toEqual(['a.yaml', 'b.yaml'])
    first.stop()
    files.write(`${manifests}/c.yaml`, '3')
    writeFileSync(join(files.root, manifests, 'd.yaml'), '4')
    await expect.poll(second.seen).toContain('d.yaml')
    expect(first.seen()).toEqual(['a.yaml', 'b.yaml'])
    second.stop()
  })
  test('an image puts back what was changed, removed and added', () => {
    const root = folder()
    putTree(root, { '/etc/a': { text: '1', mode: 0o600 }, '/etc/l': { link: '/etc/a' }, '/var/d': { directory: true, mode: 0o700 } })
    const image = takeImage(root)
    writeFileSync(join(root, 'etc/a'), '2')
    rmSync(join(root, 'etc/l'))
    mkdirSync(join(root, 'new'))
    putImage(root, JSON.parse(JSON.stringify(image)))
    expect(takeImage(root)).toEqual(image)
  })
  test('what was seen before is not read again, what has changed since is', async () => {
    const root = folder()
    putTree(root, {
      '/etc/a': { text: '1', mode: 0o600 },
      '/etc/b': { text: '1' },
      '/etc/l': { link: 'a' },
      '/var/d': { directory: true },
      '/var/e/f': { text: '3' },
    })
    const seen = nothingSeen()
    await expect.poll(() => takeImage(root, seen) && seen.paths.size, { timeout: 5000 }).toBe(8)
    const image = takeImage(root, seen)
    expect(takeImage(root, seen).entries.every((entry, at) => entry === image.entries[at])).toBe(true)
    const change = () => {
      writeFileSync(join(root, 'etc/b'), '2')
      chmodSync(join(root, 'etc/a'), 0o640)
      rmSync(join(root, 'etc/l'))
      symlinkSync('b', join(root, 'etc/l'))
      writeFileSync(join(root, 'var/d/new'), '')
      renameSync(join(root, 'var/e/f'), join(root, 'var/e/g'))
    }
    change()
    expect(takeImage(root, seen)).toEqual(takeImage(root))
    putImage(root, image, [], seen)
    expect(takeImage(root)).toEqual(image)
    // Also what was changed since the last look, and turned into something else.
    await expect.poll(() => takeImage(root, seen) && seen.paths.size, { timeout: 5000 }).toBe(8)
    change()
    rmSync(join(root, 'etc/a'))
    mkdirSync(join(root, 'etc/a/deep'), { recursive: true })
    rmSync(join(root, 'var'), { recursive: true })
    symlinkSync('etc', join(root, 'var'))
    putImage(root, image, [], seen)
    expect(takeImage(root, seen)).toEqual(image)
    expect(takeImage(root)).toEqual(image)
  })
})

function lonely(clock: SimClock, programs: ConstructorParameters<typeof SimMachine>[0]['programs'], root = folder()) {
  const files = filesBelow(root)
  const network = createNetwork({ clock, random: random(1) })
  const net = network.addMachine('node-1', '172.18.0.3')
  return {
    network,
    machine: new SimMachine({
      name: 'node-1',
      place: 'control-plane',
      address: '172.18.0.3',
      clock,
      files,
      net,
      invocation: () => 'a'.repeat(32),
      programs,
    }),
  }
}
const call = (machine: SimMachine, argv: string[], uid = 0) => {
  const out: string[] = []
  const text = (bytes: string | Uint8Array) => out.push(typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString())
  const request: ToolCall = {
    place: { machine, net: machine.net, files: machine.files },
    argv,
    cwd: '/root',
    env: {},
    uid,
    clock: machine.clock,
    stdin: (async function* () {})(),
    out: text,
    err: text,
    signal: new AbortController().signal,
  }
  return { request, out }
}
const unitText = (path: string) =>
  `[Unit]\nDescription=A daemon\n[Service]\nExecStart=${path} $ARGS\nEnvironment="ARGS=--a --b=c"\nRestart=always\nRestartSec=1s\n[Install]\nWantedBy=multi-user.target\n`

describe('units', () => {
  test('a daemon that dies is started again, and systemctl tells it', async () => {
    const clock = new SimClock({ start: Date.parse('2026-11-21T09:00:00Z') })
    let starts = 0
    const { machine, network } = lonely(clock, {
      '/usr/bin/thing': {
        start: (context) => {
          starts += 1
          context.log('up')
          if (starts < 3) clock.after(10, () => context.exit(1))
          return { stop: () => {} }
        },
      },
    })
    machine.files.write('/etc/systemd/system/thing.service', unitText('/usr/bin/thing'))
    const tools = nodeTools({
      cluster: {} as never,
      connect: () => ({}) as never,
      random: random(1),
      clock,
      network,
      members: new EtcdMembers(clock, random(1)),
      endpoints: new WeakMap(),
    })
    const systemctl = async (...words: string[]) => {
      const { request, out } = call(machine, ['systemctl', ...words])
      const code = await (tools.systemctl as NonNullable<typeof tools.systemctl>)(request)
      return { code, text: out.join('') }
    }
    expect(machine.units.command('thing').argv).toEqual(['/usr/bin/thing', '--a', '--b=c'])
    expect(await systemctl('enable', '--now', 'thing')).toMatchObject({ code: 0 })
    await clock.skip(() => machine.units.state('thing').sub === 'auto-restart', 5000)
    const broken = await systemctl('status', 'thing')
    expect(broken.code).toBe(3)
    expect(broken.text).toContain(
      '● thing.service - A daemon\n     Loaded: loaded (/etc/systemd/system/thing.service; enabled; preset: enabled)\n     Active: activating (auto-restart) (Result: exit-code) since Sat 2026-11-21 09:00:00 UTC;',
    )
    await clock.skip(() => starts === 3, 10_000)
    expect(machine.units.state('thing')).toMatchObject({ active: 'active', sub: 'running', restarts: 2 })
    expect(machine.journal.entries({ unit: 'thing.service' }).map((entry) => entry.message)).toContain(
      'thing.service: Scheduled restart job, restart counter is at 2.',
    )
    expect((await systemctl('is-active', 'thing', 'nosuch')).text).toBe('active\ninactive\n')
    expect(await systemctl('start', 'nosuch')).toEqual({
      code: 5,
      text: 'Failed to start nosuch.service: Unit nosuch.service not found.\n',
    })
    machine.files.write('/etc/systemd/system/thing.service.d/10.conf', '[Service]\nExecStart=\nExecStart=/usr/local/bin/gone\n')
    expect((await systemctl('status', 'thing')).text).toContain('changed on disk')
    await systemctl('daemon-reload')
    await systemctl('restart', 'thing')
    await clock.skip(() => machine.units.state('thing').sub === 'auto-restart', 1000)
    expect(machine.journal.entries().map((entry) => entry.message)).toContain(
      'thing.service: Main process exited, code=exited, status=203/EXEC',
    )
    expect((await systemctl('stop', 'thing')).code).toBe(0)
    expect(machine.units.state('thing').active).toBe('inactive')
    await systemctl('mask', 'ssh')
    expect((await systemctl('start', 'ssh')).text).toBe('Failed to start ssh.service: Unit ssh.service is masked.\n')
  })
})

const refuse = () => {
  throw new Error('no kubelet')
}
const noKubelets: KubeletDoor = {
  logs: async () => refuse(),
  exec: async () => refuse(),
  attach: async () => refuse(),
  open: () => ({ outcome: 'refused', why: 'no kubelet' }),
  page: () => refuse(),
}

/** The four programs on one machine, run as the runtime would run them. */
function plane() {
  const clock = new SimClock({ start: Date.parse('2026-11-21T09:00:00Z') })
  const { machine, network } = lonely(clock, {})
  const { files } = machine
  const cluster = { id: 'lab', name: 'node-1', address: '172.18.0.3', podSubnet: '10.244.0.0/16', serviceSubnet: '10.96.0.0/16' }
  const pki = clusterPki({ name: 'node-1', address: '172.18.0.3', serviceIp: '10.96.0.1', names: ['localhost'], now: clock.now() })
  for (const [path, text] of Object.entries(pki.files)) files.write(`/etc/kubernetes/pki/${path}`, text, 0o600)
  for (const [path, text] of Object.entries(manifests(cluster))) files.write(`/etc/kubernetes/manifests/${path}`, text)
  for (const [file, commonName] of Object.entries({
    'controller-manager.conf': 'system:kube-controller-manager',
    'scheduler.conf': 'system:kube-scheduler',
  }))
    files.write(
      `/etc/kubernetes/${file}`,
      kubeconfig({
        cluster: 'lab',
        server: 'https://172.18.0.3:6443',
        ca: pki.ca.cert,
        user: 'x',
        client: issue({ subject: { commonName }, usages: ['clientAuth'], now: clock.now(), issuer: pki.ca }),
      }),
    )
  files.write(
    '/etc/kubernetes/admin.conf',
    kubeconfig({
      cluster: 'lab',
      server: 'https://node-1:6443',
      ca: pki.ca.cert,
      user: 'x',
      client: issue({
        subject: { commonName: 'admin', organizations: ['system:masters'] },
        usages: ['clientAuth'],
        now: clock.now(),
        issuer: pki.ca,
      }),
    }),
  )
  files.write('/etc/hosts', '127.0.0.1\tlocalhost\n172.18.0.3\tnode-1\n')
  files.write('/etc/resolv.conf', 'nameserver 172.18.0.1\n')
  const apiEndpoints = new WeakMap<object, ApiEndpoint>() as WeakMap<never, ApiEndpoint>
  const endpoints = new WeakMap<object, EtcdEndpoint>() as WeakMap<never, EtcdEndpoint>
  const members = new EtcdMembers(clock, random(2))
  let serving: Serving | undefined
  const listeners = new Set<() => void>()
  const deps = { network, clock, endpoints: apiEndpoints, resolve: nodeNames(network, '172.18.0.1', new Map([['node-1', '172.18.0.3']])) }
  const dial = (of: Files, path: string) => connect(deps, of, path, machine.net)
  const programs = controlPlane({
    clock,
    random: random(3),
    network,
    kubernetesVersion: 'v1.35.4',
    kubelets: noKubelets,
    members,
    endpoints,
    apiEndpoints,
    connect: (of, path, net, as) => connect(deps, of, path, net, as),
    changed: () => {
      for (const listener of listeners) queueMicrotask(listener)
    },
    onEtcd: (listener) => {
      listeners.add(listener)
      return { stop: () => listeners.delete(listener) }
    },
    serving: (now) => {
      serving = now
    },
    bridge,
  })
  const start = (name: string, change: (argv: string[]) => string[] = (argv) => argv) => {
    const text = files.text(`/etc/kubernetes/manifests/${name}.yaml`) as string
    const argv = change(
      [...text.matchAll(/^ {4}- (\S+)$/gm)].map((match) => match[1] as string).filter((word) => word === name || word.startsWith('--')),
    )
    const log: string[] = []
    const state = { running: undefined as Running | undefined, code: undefined as number | undefined, log }
    const context: ContainerContext = {
      clock,
      machine,
      net: machine.net,
      pid: 100,
      containerId: name,
      argv,
      env: {},
      cwd: '/',
      files,
      security: { uid: 0, privileged: false, capabilities: [] },
      pod: { namespace: 'kube-system', name, uid: name, hostNetwork: true },
      log: (line) => log.push(line),
      exit: (code) => {
        state.code ??= code
      },
    }
    const program = programs[name]
    if (!program) throw new Error(name)
    state.running = program(context)
    return state
  }
  return { clock, files, start, dial, cluster, pki, network, machine, members, endpoints, serving: () => serving }
}

describe('the control plane', () => {
  test('comes up, takes kubeadm’s objects, leads; a client is judged as Go judges it', async () => {
    const { clock, start, dial, files, cluster, pki, serving } = plane()
    const etcd = start('etcd')
    const api = start('kube-apiserver')
    const manager = start('kube-controller-manager')
    const scheduler = start('kube-scheduler')
    expect(() => dial(files, '/etc/kubernetes/admin.conf').list('v1/nodes')).toThrow(
      new Unreachable('dial tcp 172.18.0.3:6443: connect: connection refused'),
    )
    expect(await clock.skip(() => serving() !== undefined, 10_000)).toBe(true)
    const admin = dial(files, '/etc/kubernetes/admin.conf')
    populate(admin, cluster, pki.ca.cert, clock.now())
    expect(admin.get('apps/v1/deployments', 'coredns', 'kube-system').spec.replicas).toBe(2)
    const pods = () => admin.list('v1/pods', { namespace: 'kube-system' }).items.length
    expect(await clock.skip(() => pods() === 2, 30_000)).toBe(true)
    const lease = () => admin.find('coordination.k8s.io/v1/leases', 'kube-scheduler', 'kube-system')
    expect(await clock.skip(() => lease() !== undefined, 5000)).toBe(true)
    expect(lease().spec.holderIdentity).toMatch(/^node-1_/)
    const answer = await bridge((serving() as Serving).server, {
      method: 'GET',
      path: '/version',
      headers: {},
      body: new Uint8Array(),
      from: '',
    })
    expect(JSON.parse(Buffer.from(answer.body).toString()).gitVersion).toBe('v1.35.4')

    // Another authority, nobody's certificate, no file.
    const other = clusterPki({ name: 'node-1', address: '172.18.0.3', serviceIp: '10.96.0.1', names: [], now: clock.now() })
    const config = (ca: string, issuer: typeof pki.ca) =>
      kubeconfig({
        cluster: 'lab',
        server: 'https://node-1:6443',
        ca,
        user: 'x',
        client: issue({ subject: { commonName: 'a' }, usages: ['clientAuth'], now: clock.now(), issuer }),
      })
    files.write('/tmp/a.conf', config(other.ca.cert, pki.ca))
    expect(() => dial(files, '/tmp/a.conf').list('v1/nodes')).toThrow(
      /^tls: failed to verify certificate: x509: certificate signed by unknown authority/,
    )
    files.write('/tmp/b.conf', config(pki.ca.cert, other.ca))
    expect(() => dial(files, '/tmp/b.conf').list('v1/nodes')).toThrow('Unauthorized')
    expect(() => dial(files, '/tmp/none.conf')).toThrow('stat /tmp/none.conf: no such file or directory')

    // etcd goes: the API answers that it cannot, and those who lead give up.
    etcd.running?.signal(15)
    expect(() => admin.list('v1/nodes')).toThrow(/etcdserver/)
    api.running?.signal(9)
    expect(await clock.skip(() => manager.code !== undefined && scheduler.code !== undefined, 60_000)).toBe(true)
    expect(manager.log.at(-1)).toContain('leaderelection lost')
    // Both come back: the objects are still there.
    start('etcd')
    start('kube-apiserver')
    expect(await clock.skip(() => serving() !== undefined, 10_000)).toBe(true)
    expect(admin.get('apps/v1/deployments', 'coredns', 'kube-system').spec.replicas).toBe(2)
  })
  test('a scheduler that does not find its API server runs, is not ready and does not lead; one that is ended lets go of its lease', async () => {
    const { clock, start, dial, files, cluster, pki, serving, network, machine } = plane()
    start('etcd')
    start('kube-apiserver')
    expect(await clock.skip(() => serving() !== undefined, 10_000)).toBe(true)
    const admin = dial(files, '/etc/kubernetes/admin.conf')
    populate(admin, cluster, pki.ca.cert, clock.now())
    const ready = async () => {
      const opened = network.open(machine.net, 'tcp', '127.0.0.1', 10259)
      if (opened.outcome !== 'open' || !opened.listener.http) return opened.outcome
      return (await opened.listener.http({ method: 'GET', path: '/readyz', headers: {}, body: new Uint8Array(), from: '' })).status
    }
    const lease = () => admin.find('coordination.k8s.io/v1/leases', 'kube-scheduler', 'kube-system')
    const good = files.text('/etc/kubernetes/scheduler.conf') ?? ''
    files.write('/etc/kubernetes/scheduler.conf', good.replace(':6443', ':6444'))
    const lost = start('kube-scheduler')
    await clock.skip(() => false, 60_000)
    expect([lost.code, await ready(), lease()]).toEqual([undefined, 500, undefined])
    expect(lost.log.filter((line) => line.includes('connection refused'))).toEqual([
      expect.stringMatching(
        /authentication\.go:397\] Error looking up in-cluster authentication configuration: Get "https:\/\/172\.18\.0\.3:6444\/api\/v1\/.*: dial tcp 172\.18\.0\.3:6444: connect: connection refused/,
      ),
    ])
    lost.running?.signal(15)
    files.write('/etc/kubernetes/scheduler.conf', good)
    const found = start('kube-scheduler')
    expect(await clock.skip(() => lease() !== undefined, 10_000)).toBe(true)
    expect([await ready(), found.log.join('').includes('authentication')]).toEqual([200, false])
    found.running?.signal(15)
    expect([found.code, lease().spec.holderIdentity]).toEqual([0, ''])
  })
  test('a controller manager misses authorities when it starts, and keys of its controllers when it leads', async () => {
    const { clock, start, serving, dial, files } = plane()
    start('etcd')
    start('kube-apiserver')
    expect(await clock.skip(() => serving() !== undefined, 10_000)).toBe(true)
    const without = (flag: string) =>
      start('kube-controller-manager', (argv) =>
        argv.map((word) => (word.startsWith(`--${flag}=`) ? `--${flag}=/etc/kubernetes/none` : word)),
      )
    const blind = without('client-ca-file')
    expect([blind.code, blind.log.at(-1)]).toEqual([
      1,
      expect.stringContaining('err="unable to load client CA provider: open /etc/kubernetes/none: no such file or directory"'),
    ])
    const keyless = without('service-account-private-key-file')
    expect(keyless.code).toBeUndefined()
    expect(await clock.skip(() => keyless.code !== undefined, 30_000)).toBe(true)
    const err = 'err="error reading key for service account token controller: open /etc/kubernetes/none: no such file or directory"'
    expect(keyless.log.slice(-2).map((line) => line.split('] ')[1])).toEqual([
      `"Error initializing a controller" ${err} controller="serviceaccount-token-controller"\n`,
      `"Error building controllers" ${err}\n`,
    ])
    const lease = dial(files, '/etc/kubernetes/admin.conf').get('coordination.k8s.io/v1/leases', 'kube-controller-manager', 'kube-system')
    expect(lease.spec.holderIdentity).toMatch(/^node-1_/)
  })
  test('a controller manager misses what is in an empty key as much as a key that is not there', async () => {
    const { clock, start, serving, files } = plane()
    start('etcd')
    start('kube-apiserver')
    expect(await clock.skip(() => serving() !== undefined, 10_000)).toBe(true)
    files.write('/etc/kubernetes/pki/sa.key', '')
    const empty = start('kube-controller-manager')
    expect(await clock.skip(() => empty.code !== undefined, 30_000)).toBe(true)
    expect(empty.log.at(-1)).toContain(
      'err="error reading key for service account token controller: error reading private key file /etc/kubernetes/pki/sa.key: data does not contain a valid RSA or ECDSA private key"',
    )
    clock.stop()
  })
  test('says what is wrong with its files and flags', () => {
    const { start, files, clock } = plane()
    expect(start('kube-apiserver', (argv) => [...argv, '--etcd-server=x']).log.join('')).toContain('Error: unknown flag: --etcd-server')
    files.rename('/etc/kubernetes/pki/apiserver.crt', '/etc/kubernetes/pki/apiserver.crt.bak')
    const missing = start('kube-apiserver')
    expect(missing.code).toBe(1)
    expect(missing.log.at(-1)).toMatch(
      /^E1121 09:00:00\.\d{6} {7}1 run\.go:72\] "command failed" err="open \/etc\/kubernetes\/pki\/apiserver\.crt: no such file or directory"\n$/,
    )
    expect(
      start('kube-scheduler', (argv) =>
        argv.map((word) => word.replace('/etc/kubernetes/scheduler.conf', '/etc/kubernetes/missing.conf')),
      ).log.at(-1),
    ).toContain('stat /etc/kubernetes/missing.conf: no such file or directory')
    files.write('/etc/kubernetes/controller-manager.conf', 'a: b: c')
    expect(start('kube-controller-manager').log.at(-1)).toContain('error loading config file')
    expect(start('etcd', (argv) => [...argv, '--nonsense']).code).toBe(1)
    expect(certificates(files.text('/etc/kubernetes/pki/ca.crt') ?? '')).toHaveLength(1)
    clock.stop()
  })
  test('an API server whose authorization mode was left out allows everything', async () => {
    const { clock, start, serving } = plane()
    start('etcd')
    const may = async (argv?: (argv: string[]) => string[]) => {
      const api = start('kube-apiserver', argv)
      expect(await clock.skip(() => serving() !== undefined, 10_000)).toBe(true)
      const visitor = { name: 'visitor', groups: ['system:authenticated'] }
      const decision = (serving() as Serving).server.requests.authorizer.decide(visitor, {
        verb: 'get',
        resource: 'secrets',
        namespace: 'kube-system',
      })
      api.running?.signal(15)
      return decision.allowed
    }
    expect(await may()).toBe(false)
    expect(await may((argv) => argv.filter((word) => !word.startsWith('--authorization-mode=')))).toBe(true)
  })
  test('an API server shows a certificate that was renewed while it runs, once its key fits', async () => {
    const { start, clock, files, dial, serving } = plane()
    start('etcd')
    start('kube-apiserver')
    await clock.skip(() => serving() !== undefined, 10_000)
    const path = '/etc/kubernetes/pki/apiserver'
    const pki = { cert: files.text('/etc/kubernetes/pki/ca.crt') as string, key: files.text('/etc/kubernetes/pki/ca.key') as string }
    const made = (lifetime: number) =>
      issue({
        subject: { commonName: 'kube-apiserver' },
        usages: ['serverAuth'],
        names: ['node-1'],
        now: clock.now(),
        lifetime,
        issuer: pki,
      })
    const put = async ({ cert, key }: ReturnType<typeof made>) => {
      files.write(`${path}.crt`, cert)
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect(serving()?.certificate).not.toBe(cert)
      files.write(`${path}.key`, key)
      await expect.poll(() => serving()?.certificate).toBe(cert)
    }
    await put(made(-1000))
    expect(() => dial(files, '/etc/kubernetes/admin.conf').list('v1/nodes')).toThrow('x509: certificate has expired or is not yet valid')
    await put(made(86_400_000))
    expect(dial(files, '/etc/kubernetes/admin.conf').list('v1/nodes').items).toEqual([])
    clock.stop()
  })
  test('an API server without etcd gives up', async () => {
    const { start, clock } = plane()
    const api = start('kube-apiserver')
    expect(await clock.skip(() => api.code !== undefined, 60_000)).toBe(true)
    expect(api.log.join('')).toContain('dial tcp 127.0.0.1:2379: connect: connection refused')
    expect(api.log.at(-1)).toContain('Error creating leases: error creating storage factory: context deadline exceeded')
  })
  test('kubeadm shows certificates and writes add-ons again', async () => {
    const { start, clock, files, dial, serving, network, machine, cluster } = plane()
    const members = new EtcdMembers(clock, random(2))
    start('etcd')
    start('kube-apiserver')
    await clock.skip(() => serving() !== undefined, 10_000)
    const tools = nodeTools({
      cluster,
      connect: (of, path) => dial(of.files, path),
      random: random(1),
      clock,
      network,
      members,
      endpoints: new WeakMap(),
    })
    const run = async (...argv: string[]) => {
      const { request, out } = call(machine, argv)
      const tool = tools[argv[0] as string]
      return { code: await tool?.(request), text: out.join('') }
    }
    expect((await run('kubeadm', 'certs', 'check-expiration')).text).toMatch(/^apiserver {2,}Nov 21, 2027 09:00 UTC {3}364d {12}ca /m)
    expect((await run('kubeadm', 'init', 'phase', 'addon', 'kube-proxy')).text).toBe('[addons] Applied essential addon: kube-proxy\n')
    expect(dial(files, '/etc/kubernetes/admin.conf').get('apps/v1/daemonsets', 'kube-proxy', 'kube-system').kind).toBe('DaemonSet')
    const admin = dial(files, '/etc/kubernetes/admin.conf')
    await run('kubeadm', 'init', 'phase', 'addon', 'coredns')
    admin.patch('v1/services', 'kube-dns', 'kube-system', 'merge', { spec: { selector: { 'k8s-app': 'other' } } })
    expect((await run('kubeadm', 'init', 'phase', 'addon', 'coredns')).text).toBe('[addons] Applied essential addon: CoreDNS\n')
    expect(admin.get('v1/services', 'kube-dns', 'kube-system').spec.selector).toEqual({ 'k8s-app': 'kube-dns' })
    const user = parse((await run('kubeadm', 'kubeconfig', 'user', '--org', 'system:nodes', '--client-name=system:node:node-9')).text)
    expect(user.clusters[0].cluster.server).toBe('https://node-1:6443')
    const shown = certificates(Buffer.from(user.users[0].user['client-certificate-data'], 'base64').toString())[0] as X509Certificate
    expect(subjectOf(shown)).toEqual({ commonName: 'system:node:node-9', organizations: ['system:nodes'] })
    expect(distrust(shown, certificates(files.text('/etc/kubernetes/pki/ca.crt') ?? ''), clock.now())).toBeUndefined()
    expect((await run('kubeadm', 'kubeconfig', 'user')).code).toBe(1)
    expect((await run('kubeadm', 'reset')).text).toContain('is not offered on a simulated cluster')
    expect((await run('kubelet', '--version')).text).toBe('Kubernetes v1.35.4\n')
  })
  test('etcd is saved, restored into another directory, and served from there to an API server that runs on', async () => {
    const { start, clock, files, dial, serving, network, machine, cluster, members, endpoints } = plane()
    const etcd = start('etcd')
    start('kube-apiserver')
    await clock.skip(() => serving() !== undefined, 10_000)
    const tools = nodeTools({ cluster, connect: (of, path) => dial(of.files, path), random: random(1), clock, network, members, endpoints })
    const run = async (...argv: string[]) => {
      const { request, out } = call(machine, argv)
      const code = await tools[argv[0] as string]?.(request)
      return { code, text: out.join('') }
    }
    const admin = dial(files, '/etc/kubernetes/admin.conf')
    const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
    admin.create('v1/namespaces', namespace('before'))
    files.mkdir('/tmp', 0o1777)
    const pki = '/etc/kubernetes/pki/etcd'
    const tls = [`--cacert=${pki}/ca.crt`, `--cert=${pki}/server.crt`, `--key=${pki}/server.key`]
    expect((await run('etcdctl', ...tls, 'snapshot', 'save', '/tmp/snap.db')).text).toContain('Snapshot saved at /tmp/snap.db\n')
    expect((await run('etcdctl', ...tls, '-w', 'table', 'member', 'list')).text).toContain('| started | node-1 | https://172.18.0.3:2380 |')
    admin.create('v1/namespaces', namespace('after'))
    expect((await run('etcdutl', 'snapshot', 'restore', '/tmp/snap.db', '--data-dir=/var/lib/etcd-new')).code).toBe(0)
    expect((await run('etcdutl', 'snapshot', 'restore', '/tmp/snap.db', '--data-dir=/var/lib/etcd-new')).text).toContain('not empty')
    etcd.running?.signal(15)
    start('etcd', (argv) => argv.map((word) => word.replace('--data-dir=/var/lib/etcd', '--data-dir=/var/lib/etcd-new')))
    await clock.skip(() => false, 3000)
    const names = admin.list('v1/namespaces').items.map((one) => one.metadata.name)
    expect(names).toContain('before')
    expect(names).not.toContain('after')
    expect((await run('etcdctl', 'endpoint', 'status', ...tls)).code).toBe(0)
  })
})
