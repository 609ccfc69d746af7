// A whole lab at its door: boots, shows the three faults that scenarios are made of, is repaired, put back, loaded again. Without sandboxes: what real
// shells do is tested where they are made.
import { execFile, execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Lab, SimClock, type Snapshot } from './index.ts'
import type { Client, KubeObject } from './kube.ts'
import { toolsOnly } from './lab.fixture.ts'
import type { Machine } from './machine.ts'
import { takeImage } from './node/image.ts'

const folders: string[] = []
const folder = () => {
  const at = mkdtempSync(join(tmpdir(), 'kubemend-lab-'))
  folders.push(at)
  return at
}
const deps = (clock: SimClock) => ({ clock, processHost: toolsOnly, log: () => {} })
const kubectl = ['/usr/bin/kubectl', '/usr/local/bin/kubectl'].find((path) => existsSync(path))

describe('a lab', () => {
  const clock = new SimClock()
  let lab: Lab
  let baseline: Snapshot
  let root: string
  const client = (): Client => {
    const server = lab.api()
    if (!server) throw new Error('The API server does not run.')
    return server.client({ name: 'root', groups: ['system:masters'] })
  }
  const within = (ms: number, holds: () => boolean) => clock.skip(holds, ms)
  const nodes = () => client().list('v1/nodes').items
  const isReady = (object: KubeObject, status = 'True') =>
    object.status?.conditions?.some((one: KubeObject) => one.type === 'Ready' && one.status === status)
  const pods = (namespace: string, labelSelector: string) => client().list('v1/pods', { namespace, labelSelector }).items
  const restarts = (namespace: string, selector: string) => {
    for (const pod of pods(namespace, selector)) client().delete('v1/pods', pod.metadata.name, namespace)
  }
  const tool = async (where: string, ...argv: string[]) => {
    const { exitCode, stdout, stderr } = await lab.exec(where, argv)
    return { exitCode, text: stdout + stderr }
  }
  const probeDns = async (name: string) => {
    // A probe passes the lab's time; somebody has to let it pass.
    const asked = lab.probe('worker-1', { kind: 'dns', name, server: '10.96.0.10', timeoutMs: 1000 })
    let answer: Awaited<typeof asked> | undefined
    void asked.then((one) => {
      answer = one
    })
    await within(5000, () => answer !== undefined)
    return answer as Awaited<typeof asked>
  }
  const editConfigMap = (name: string, namespace: string, key: string, change: (text: string) => string) => {
    const map = structuredClone(client().get('v1/configmaps', name, namespace))
    map.data[key] = change(map.data[key])
    client().update('v1/configmaps', map)
  }

  beforeAll(async () => {
    root = folder()
    lab = await Lab.create({ id: 'kubemend-aaaaaa', workers: 2, dir: root, seed: 7 }, deps(clock))
    baseline = await lab.snapshot()
  })
  afterAll(async () => {
    await lab.close()
    for (const at of folders) rmSync(at, { recursive: true, force: true })
  })

  test('is up: nodes, pods, names, and an unmodified kubectl', async () => {
    expect(lab.nodes.map((node) => node.name)).toEqual([
      'kubemend-aaaaaa-control-plane',
      'kubemend-aaaaaa-worker',
      'kubemend-aaaaaa-worker2',
    ])
    expect(nodes().every((node) => isReady(node))).toBe(true)
    expect((await probeDns('kubernetes.default.svc.cluster.local.')).addresses).toEqual(['10.96.0.1'])
    expect((await probeDns('kubemend-aaaaaa-worker2.')).addresses).toEqual(['172.18.0.5'])
    expect(lab.unit('worker-1', 'kubelet')).toMatchObject({ load: 'loaded', active: 'active', sub: 'running', enabled: 'enabled' })
    expect((await tool('worker-1', 'systemctl', 'is-active', 'kubelet', 'containerd')).text).toBe('active\nactive\n')
    await expect(lab.exec('worker-9', ['true'])).rejects.toMatchObject({ code: 'not-found' })
    if (!kubectl) return
    const config = join(folder(), 'config')
    writeFileSync(config, lab.graderKubeconfig())
    const text = await new Promise<string>((resolve) => {
      execFile(kubectl, ['get', 'nodes', '--no-headers'], { env: { ...process.env, KUBECONFIG: config } }, (error, out, err) =>
        resolve(error ? err : out),
      )
    })
    expect(text).toMatch(/^kubemend-aaaaaa-control-plane +Ready +control-plane +\S+ +v1\.35\.4\n/)
  })

  test('kube-proxy without its kubeconfig crashes with its own words, and comes back', async () => {
    editConfigMap('kube-proxy', 'kube-system', 'config.conf', (text) =>
      text.replace('/var/lib/kube-proxy/kubeconfig.conf', '/var/lib/kube-proxy/gone.conf'),
    )
    restarts('kube-system', 'k8s-app=kube-proxy')
    const all = () => pods('kube-system', 'k8s-app=kube-proxy').flatMap((pod) => pod.status?.containerStatuses ?? [])
    expect(await within(60_000, () => all().length === 3 && all().every((one) => !one.ready && one.restartCount > 0))).toBe(true)
    const log = lab.machines.get('worker-1')?.files
    const name = log?.list('/var/log/containers').find((one) => one.startsWith('kube-proxy-'))
    expect(log?.text(`/var/log/containers/${name}`)).toContain('stat /var/lib/kube-proxy/gone.conf: no such file or directory')
    editConfigMap('kube-proxy', 'kube-system', 'config.conf', (text) => text.replace('gone.conf', 'kubeconfig.conf'))
    restarts('kube-system', 'k8s-app=kube-proxy')
    expect(await within(60_000, () => all().length === 3 && all().every((one) => one.ready))).toBe(true)
  })

  test('CoreDNS that asks itself stops, and nobody finds a name', async () => {
    editConfigMap('coredns', 'kube-system', 'Corefile', (text) => text.replace('/etc/resolv.conf', '127.0.0.1'))
    restarts('kube-system', 'k8s-app=kube-dns')
    const all = () => pods('kube-system', 'k8s-app=kube-dns').flatMap((pod) => pod.status?.containerStatuses ?? [])
    expect(await within(90_000, () => all().length === 2 && all().every((one) => !one.ready && one.restartCount > 0))).toBe(true)
    expect((await probeDns('kubernetes.default.svc.cluster.local.')).outcome).not.toBe('answered')
    editConfigMap('coredns', 'kube-system', 'Corefile', (text) => text.replace('127.0.0.1', '/etc/resolv.conf'))
    restarts('kube-system', 'k8s-app=kube-dns')
    expect(await within(90_000, () => all().length === 2 && all().every((one) => one.ready))).toBe(true)
    // Endpoints, then kube-proxy's next sync.
    await within(3000, () => false)
    expect((await probeDns('kubernetes.default.svc.cluster.local.')).addresses).toEqual(['10.96.0.1'])
  })

  test('a Secret for a service account gets its token, and with it one is let in', async () => {
    client().create('v1/serviceaccounts', { metadata: { name: 'robot', namespace: 'default' } })
    client().create('v1/secrets', {
      metadata: { name: 'robot', namespace: 'default', annotations: { 'kubernetes.io/service-account.name': 'robot' } },
      type: 'kubernetes.io/service-account-token',
    })
    const data = () => client().get('v1/secrets', 'robot', 'default').data ?? {}
    expect(await within(5000, () => data().token !== undefined)).toBe(true)
    const user = lab.api()?.authenticate(undefined, `Bearer ${Buffer.from(data().token, 'base64')}`)
    expect(user?.name).toBe('system:serviceaccount:default:robot')
  })

  test('a claim gets a directory of the node on which its pod runs; what is written there outlives the pod, and goes with the claim', async () => {
    const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
    client().create('v1/persistentvolumeclaims', { metadata: { name: 'pages', namespace: 'default' }, spec: claim })
    await within(10_000, () => false)
    expect(client().get('v1/persistentvolumeclaims', 'pages', 'default').status.phase).toBe('Pending')
    const start = () =>
      client().create('v1/pods', {
        metadata: { name: 'web', namespace: 'default', labels: { app: 'web' } },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [{ name: 'web', image: 'nginx', volumeMounts: [{ name: 'pages', mountPath: '/usr/share/nginx/html' }] }],
          volumes: [{ name: 'pages', persistentVolumeClaim: { claimName: 'pages' } }],
        },
      })
    const isUp = () => pods('default', 'app=web').some((pod) => isReady(pod))
    start()
    expect(await within(60_000, isUp)).toBe(true)
    const bound = client().get('v1/persistentvolumeclaims', 'pages', 'default')
    expect(bound.status.phase).toBe('Bound')
    const volume = client().get('v1/persistentvolumes', bound.spec.volumeName)
    const { path } = volume.spec.hostPath
    expect(path).toBe(`/var/local-path-provisioner/${bound.spec.volumeName}_default_pages`)
    const node = pods('default', 'app=web')[0].spec.nodeName
    const machine = [...lab.machines.values()].find((one) => one.name === node)
    machine?.files.write(`${path}/index.html`, 'kept')
    const page = async () => {
      const asked = lab.probe('control-plane', { kind: 'http', url: `http://${pods('default', 'app=web')[0].status.podIP}/` })
      let answer: Awaited<typeof asked> | undefined
      void asked.then((one) => {
        answer = one
      })
      await within(5000, () => answer !== undefined)
      return answer?.body
    }
    expect(await page()).toBe('kept')
    client().delete('v1/pods', 'web', 'default')
    expect(await within(30_000, () => pods('default', 'app=web').length === 0)).toBe(true)
    start()
    expect(await within(60_000, isUp)).toBe(true)
    expect(pods('default', 'app=web')[0].spec.nodeName).toBe(node)
    expect(await page()).toBe('kept')
    client().delete('v1/persistentvolumeclaims', 'pages', 'default')
    client().delete('v1/pods', 'web', 'default')
    expect(await within(60_000, () => client().find('v1/persistentvolumes', bound.spec.volumeName) === undefined)).toBe(true)
    expect(machine?.files.exists(path)).toBe(false)
  })

  test('without a CNI nodes are not ready; a restore brings all back', async () => {
    const before = lab.fingerprint()
    client().delete('apps/v1/daemonsets', 'kube-flannel-ds', 'kube-flannel')
    expect(await within(60_000, () => pods('kube-flannel', 'app=flannel').length === 0)).toBe(true)
    for (const machine of lab.machines.values()) machine.files.remove('/etc/cni/net.d/10-flannel.conflist')
    expect(await within(60_000, () => nodes().every((node) => isReady(node, 'False')))).toBe(true)
    expect(nodes()[0].status.conditions.find((one: KubeObject) => one.type === 'Ready').message).toBe(
      'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized',
    )
    expect(lab.fingerprint().parts['files of worker-1']).not.toBe(before.parts['files of worker-1'])
    await lab.restore(baseline)
    expect(nodes().every((node) => isReady(node))).toBe(true)
    const first = lab.fingerprint()
    expect(await within(45_000, () => false)).toBe(false)
    expect(nodes().every((node) => isReady(node))).toBe(true)
    expect(
      pods('kube-flannel', 'app=flannel').flatMap((pod) => pod.status.containerStatuses.map((one: KubeObject) => one.restartCount)),
    ).toEqual([0, 0, 0])
    expect(lab.fingerprint().parts).toEqual(first.parts)
  })

  test('nothing that was left behind outlives a restore, however often one and the same baseline is put back', async () => {
    // What has been looked at is not read again while it is the same.
    lab.fingerprint()
    const keep = lab.keep(await lab.snapshot())
    const kept = JSON.stringify(keep())
    const before = lab.fingerprint()
    const node = join(root, 'worker-1')
    const state = async () => ({
      rules: (await tool('worker-1', 'iptables-save')).text.replace(/^#.*|\[\d+:\d+\]/gm, ''),
      links: (await tool('worker-1', 'ip', 'addr')).text,
      routes: (await tool('worker-1', 'ip', 'route')).text,
      forwarding: (await tool('worker-1', 'sysctl', 'net.ipv4.ip_forward')).text,
      units: (await tool('worker-1', 'systemctl', 'list-unit-files')).text,
      images: (await tool('worker-1', 'crictl', 'images')).text,
    })
    const was = await state()
    const objects = () =>
      ['v1/configmaps', 'v1/serviceaccounts', 'apps/v1/deployments', 'rbac.authorization.k8s.io/v1/clusterroles'].map((kind) =>
        client()
          .list(kind)
          .items.map(({ kind, metadata }) => `${kind}/${metadata.namespace}/${metadata.name} ${metadata.uid}`),
      )
    const there = objects()
    const corefile = client().get('v1/configmaps', 'coredns', 'kube-system')
    const spoil = async (turn: number) => {
      // Files: as long as before and with the old time, in odd places, of odd kinds, under another name too.
      const config = join(node, 'var/lib/kubelet/config.yaml')
      const { atime, mtime } = statSync(config)
      writeFileSync(config, readFileSync(config, 'utf8').replace('authentication:', 'authenticatiom:'))
      utimesSync(config, atime, mtime)
      for (const at of ['usr/lib/zz', 'var/lib/containerd/.zz', 'opt/cni/bin/zz', '.zz', 'etc/kubernetes/manifests/..zz', `tmp/${turn}`]) {
        mkdirSync(join(node, at, 'deep'), { recursive: true })
        writeFileSync(join(node, at, 'deep/old'), `${turn}`)
        utimesSync(join(node, at, 'deep/old'), 1, 1)
        utimesSync(join(node, at), 1, 1)
      }
      execFileSync('mkfifo', [join(node, 'etc/cni/net.d/pipe')])
      chmodSync(join(node, 'etc/containerd/config.toml'), 0o777)
      linkSync(join(node, 'etc/hosts'), join(node, 'etc/hosts.too'))
      rmSync(join(node, 'etc/cni/net.d/10-flannel.conflist'))
      symlinkSync('/etc/hosts', join(node, 'etc/cni/net.d/10-flannel.conflist'))
      rmSync(join(node, 'etc/resolv.conf'))
      mkdirSync(join(node, 'etc/resolv.conf'))
      // Units: one of one's own that runs, one that is masked, one that is stopped.
      lab.machines
        .get('worker-1')
        ?.files.write('/run/systemd/system/zz.service', '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n')
      await tool('worker-1', 'systemctl', 'daemon-reload')
      await tool('worker-1', 'systemctl', 'start', 'zz')
      await tool('worker-1', 'systemctl', 'disable', '--now', 'kubelet')
      await tool('worker-1', 'systemctl', 'mask', 'containerd')
      // What no file says.
      await tool('worker-1', 'iptables', '-I', 'FORWARD', '-j', 'DROP')
      await tool('worker-1', 'sysctl', '-w', 'net.ipv4.ip_forward=0')
      await tool('worker-1', 'ip', 'route', 'add', '10.99.0.0/16', 'via', '172.18.0.1')
      await tool('worker-1', 'ip', 'addr', 'add', '10.98.0.1/24', 'dev', 'eth0')
      await tool('worker-1', 'crictl', 'rmi', 'registry.k8s.io/pause:3.10')
      // Objects: a new one, one that is another by the same name, one changed and changed back, rules that are gone.
      client().create('v1/configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `zz-${turn}`, namespace: 'default' } })
      const account = client().get('v1/serviceaccounts', 'coredns', 'kube-system')
      client().delete('v1/serviceaccounts', 'coredns', 'kube-system')
      const { uid: _uid, resourceVersion: _version, creationTimestamp: _time, ...metadata } = account.metadata
      client().create('v1/serviceaccounts', { ...account, metadata })
      editConfigMap('coredns', 'kube-system', 'Corefile', (text) => `${text}#`)
      editConfigMap('coredns', 'kube-system', 'Corefile', (text) => text.slice(0, -1))
      client().delete('rbac.authorization.k8s.io/v1/clusterroles', 'system:coredns')
      await within(20_000, () => false)
    }
    for (const turn of [1, 2]) {
      await spoil(turn)
      const spoiled = lab.fingerprint().parts
      for (const part of ['objects', 'files of worker-1', 'units of worker-1']) expect(spoiled[part]).not.toBe(before.parts[part])
      expect(await state()).not.toEqual(was)
      await lab.restore(keep(), { home: true })
      expect(lab.fingerprint()).toEqual(before)
      expect(await state()).toEqual(was)
      expect(objects()).toEqual(there)
      expect(client().get('v1/configmaps', 'coredns', 'kube-system')).toEqual(corefile)
      expect(execFileSync('find', [node, '-name', '*zz*', '-o', '-name', 'pipe', '-o', '-name', 'hosts.too']).toString()).toBe('')
      // Not by what was remembered of the files, either.
      expect(takeImage(node).entries.find((entry) => entry.path === '/etc/resolv.conf')).toMatchObject({ type: 'file' })
      expect(JSON.stringify(keep())).toBe(kept)
      expect(await within(30_000, () => nodes().every((one) => isReady(one)))).toBe(true)
    }
  })

  test('a broken kubelet and a stopped API server have their consequences', async () => {
    const worker = lab.machines.get('worker-2')?.files
    const good = worker?.text('/var/lib/kubelet/config.yaml') as string
    worker?.write('/var/lib/kubelet/config.yaml', good.replace('authentication:', 'authentication: x:'))
    await tool('worker-2', 'systemctl', 'restart', 'kubelet')
    expect(await within(10_000, () => lab.unit('worker-2', 'kubelet').sub === 'auto-restart')).toBe(true)
    expect((await tool('worker-2', 'journalctl', '-u', 'kubelet', '-n', '30', '--no-pager')).text).toContain(
      'failed to load kubelet config file',
    )
    const second = () => nodes().find((node) => node.metadata.name === 'kubemend-aaaaaa-worker2')
    expect(await within(90_000, () => isReady(second(), 'Unknown'))).toBe(true)
    worker?.write('/var/lib/kubelet/config.yaml', good)
    expect(await within(60_000, () => isReady(second()))).toBe(true)

    const control = lab.machines.get('control-plane')?.files
    const manifest = '/etc/kubernetes/manifests/kube-apiserver.yaml'
    const text = control?.text(manifest) as string
    control?.remove(manifest)
    expect(await within(60_000, () => lab.api() === undefined)).toBe(true)
    control?.write(manifest, text.replace('--secure-port', '--secure-prot'))
    expect(await within(30_000, () => lab.api() !== undefined)).toBe(false)
    control?.write(manifest, text)
    expect(await within(120_000, () => lab.api() !== undefined)).toBe(true)
    expect(await within(120_000, () => nodes().every((node) => isReady(node)))).toBe(true)
  })

  test('another lab begins from the first one’s boot, under its own name and with its own keys; a snapshot is loaded elsewhere', async () => {
    const begin = Date.now() + 86_400_000
    const time = new SimClock({ start: begin })
    const other = await Lab.create({ id: 'kubemend-bbbbbb', workers: 2, dir: folder(), seed: 8 }, deps(time))
    try {
      const own = other.api()?.client({ name: 'root', groups: ['system:masters'] }) as Client
      expect(own.list('v1/nodes').items.map((node) => node.metadata.name)).toContain('kubemend-bbbbbb-worker2')
      const ca = (of: Client) => of.get('v1/configmaps', 'kube-root-ca.crt', 'default').data['ca.crt']
      expect(ca(own)).not.toBe(ca(client()))
      expect(JSON.stringify(own.list('v1/pods').items)).not.toContain('aaaaaa')
      const { files } = other.machines.get('control-plane') as Machine
      const lines = files.list('/var/log/containers').flatMap((log) => files.text(`/var/log/containers/${log}`)?.trim().split('\n') ?? [])
      expect(lines.length).toBeGreaterThan(30)
      expect(lines.filter((line) => line !== '' && !(Math.abs(Date.parse(line.slice(0, 24)) - begin) < 3_600_000))).toEqual([])
      expect(await time.skip(() => false, 30_000)).toBe(false)
      expect(own.list('v1/pods').items.every((pod) => isReady(pod))).toBe(true)
      const snapshot = JSON.parse(JSON.stringify(await other.snapshot())) as Snapshot
      const print = other.fingerprint()
      const again = await Lab.load(snapshot, folder(), deps(new SimClock({ start: time.now() })))
      expect(again.fingerprint()).toEqual(print)
      expect(
        again
          .api()
          ?.client({ name: 'root', groups: ['system:masters'] })
          .list('v1/pods')
          .items.every((pod) => isReady(pod)),
      ).toBe(true)
      await again.close()
    } finally {
      await other.close()
    }
  })
})
