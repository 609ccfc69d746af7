// The kind provider on a real Docker: the contract that every adapter keeps, and what only kind has. Run by `npm run test:kind`.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Dockerode from 'dockerode'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clusterContract } from '../contract.ts'
import { type Cluster, type KindOptions, kindProvider, kubernetesApi } from '../index.ts'
import { ground } from './ground.fixture.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'kind-'))
const owner = `test-${process.pid}`
const options: KindOptions = { ...(await ground()), owner, dataDir, capacity: { clusters: 6 } }
const docker = new Dockerode({ socketPath: '/var/run/docker.sock' })
const never = new AbortController().signal

afterAll(async () => {
  const labelled = await docker.listContainers({ all: true, filters: { label: [`dev.kubemend.owner=${owner}`] } })
  await Promise.all(labelled.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true })))
  rmSync(dataDir, { recursive: true, force: true })
})

clusterContract({
  name: 'kind',
  provider: () => kindProvider(options),
  nothingLeft: async (id) => {
    const containers = await docker.listContainers({ all: true })
    expect(containers.flatMap(({ Names }) => Names).filter((name) => name.includes(id))).toEqual([])
    expect((await docker.listNetworks()).map(({ Name }) => Name)).not.toContain(id)
    const { Volumes } = await docker.listVolumes()
    const used = new Set((await docker.listContainers({ all: true })).flatMap(({ Mounts }) => Mounts.map(({ Name }) => Name)))
    expect(Volumes?.filter((volume) => volume.Labels?.['io.x-k8s.kind.cluster'] === id && !used.has(volume.Name)) ?? []).toEqual([])
    expect(() => statSync(join(dataDir, 'clusters', id))).toThrow(/ENOENT/)
  },
})

describe('a kind cluster', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await kindProvider(options).create({ workers: 1 }, () => {}, never)
  })
  afterAll(() => cluster?.destroy())
  const learner = (command: string) => cluster.exec('workstation', ['bash', '-lc', command])

  it('is reached from the workstation by real ssh, by place and by name, with no question asked', async () => {
    for (const name of [...cluster.nodes.map((node) => node.place), ...cluster.nodes.map((node) => node.name)]) {
      const answer = await cluster.exec('workstation', ['ssh', '-o', 'BatchMode=yes', name, 'hostname && sudo -n id -u'])
      const node = cluster.nodes.find((one) => one.place === name || one.name === name)
      expect([name, answer.exitCode, answer.stdout]).toEqual([name, 0, `${node?.name}\n0\n`])
    }
  })
  it('gives the learner kubectl, sudo and ping, and neither Docker nor privileges', async () => {
    expect((await learner('kubectl auth can-i "*" "*"')).stdout).toBe('yes\n')
    expect((await learner('sudo -n id -u')).stdout).toBe('0\n')
    expect((await learner('ping -c1 worker-1')).exitCode).toBe(0)
    expect((await learner('ls /var/run/docker.sock; ls /run/docker.sock; command -v docker')).exitCode).not.toBe(0)
    expect((await learner('sudo -n mount -t tmpfs none /mnt')).exitCode).not.toBe(0)
    const capabilities = Number.parseInt((await learner('sudo -n grep CapBnd /proc/self/status')).stdout.split(/\s+/)[1] ?? '', 16)
    const admin = 1 << 21
    expect(capabilities & admin).toBe(0)
  })
  it('keeps the grader’s credentials where nobody but this user reads them', async () => {
    const path = join(dataDir, 'clusters', cluster.id, 'kubeconfig')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(join(dataDir, 'clusters', cluster.id)).mode & 0o777).toBe(0o700)
    const key = /client-key-data: (\S+)/.exec(readFileSync(path, 'utf8'))?.[1] ?? ''
    expect(Buffer.from(key, 'base64').toString()).toContain('EC PRIVATE KEY')
    for (const where of ['control-plane', 'worker-1', 'workstation']) {
      const found = await cluster.exec(
        where,
        ['sh', '-c', 'grep -rlsF "$(cat)" /etc /root /home /kind /tmp /var/tmp 2>/dev/null || true'],
        { stdin: key, user: 'root' },
      )
      expect([where, found.stdout]).toEqual([where, ''])
    }
  })
  it('is graded on even when the learner has taken every right from the administrators', async () => {
    await learner('kubectl delete clusterrolebinding kubeadm:cluster-admins')
    expect((await learner('kubectl get nodes')).exitCode).not.toBe(0)
    const api = kubernetesApi(cluster.kubeconfig)
    expect(await api.list({ apiVersion: 'v1', kind: 'Node' })).toHaveLength(2)
    api.close()
  })
  it('does not believe the programs of a node', async () => {
    await cluster.exec('worker-1', [
      'sh',
      '-c',
      'printf "#!/bin/sh\\necho active\\n" > /usr/local/bin/systemctl && chmod 755 /usr/local/bin/systemctl && /usr/bin/systemctl stop kubelet',
    ])
    expect(await cluster.unit('worker-1', 'kubelet')).toMatchObject({ active: 'inactive' })
    await cluster.exec('worker-1', ['sh', '-c', 'rm /usr/local/bin/systemctl; /usr/bin/systemctl start kubelet'])
  })
  it('has its machines started again when Docker has stopped them, and nothing is held against the learner meanwhile', async () => {
    const control = docker.getContainer(cluster.nodes[0]!.name)
    expect(await cluster.health()).toEqual({ state: 'ok' })
    await control.kill()
    expect(await cluster.health()).toMatchObject({ state: 'backend-gone' })
    const seen = new Set<string>()
    await expect
      .poll(
        async () => {
          const { state } = await cluster.health()
          seen.add(state)
          return state
        },
        { timeout: 200_000, interval: 1000 },
      )
      .toBe('ok')
    expect([...seen].sort()).toEqual(['backend-gone', 'ok'])
    expect((await learner('ping -c1 control-plane')).exitCode).toBe(0)
  })
  it('gets the routes of its pod network back, and loses those that were added', async () => {
    await cluster.baseline(never)
    const network = async () =>
      (
        await cluster.exec('worker-1', [
          'sh',
          '-c',
          'ip -4 route show; ip neigh show nud permanent; bridge fdb show dev flannel.1; ip -4 -o addr show dev eth0; ip -4 -o addr show dev flannel.1; ip -o link show dev by-hand 2>&1',
        ])
      ).stdout
        .replace(/ linkdown|valid_lft.*/g, '')
        .split('\n')
        .sort()
    const before = await network()
    expect(before.filter((line) => line.includes('dev flannel.1'))).toHaveLength(2)
    await cluster.exec('worker-1', [
      'sh',
      '-euc',
      `ip -4 route show dev flannel.1 | while read -r to rest; do ip route del $to dev flannel.1; done
      ip neigh show dev flannel.1 nud permanent | while read -r address rest; do ip neigh del $address dev flannel.1; done
      bridge fdb show dev flannel.1 | while read -r link rest; do bridge fdb del $link dev flannel.1; done
      ip addr add 10.41.9.11/32 dev eth0; ip link add by-hand type dummy; ip addr add 10.41.9.12/32 dev by-hand; ip addr del 10.244.1.0/32 dev flannel.1
      ip route add blackhole 10.244.7.0/24; ip route add 10.99.0.0/16 via 172.20.0.1 dev eth0 onlink table 7`,
    ])
    expect(await network()).not.toEqual(before)
    await cluster.restore(never)
    expect(await network()).toEqual(before)
    expect((await cluster.exec('worker-1', ['ip', 'route', 'show', 'table', 'all'])).stdout).not.toContain('table 7')
  })
  it('is put back also where all is as it was and what runs remembers otherwise', async () => {
    const api = kubernetesApi(cluster.kubeconfig)
    const worker = cluster.nodes[1]!.name
    const read = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-system', name: 'kube-proxy' }
    const proxies = async () =>
      (await api.list({ apiVersion: 'v1', kind: 'Pod', namespace: 'kube-system' }))
        .map(({ metadata }) => metadata.name)
        .filter((name) => name.startsWith('kube-proxy'))
    const heard = async () =>
      Date.parse(
        (await api.get({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: 'kube-node-lease', name: worker }))?.spec
          .renewTime,
      )
    await cluster.baseline(never)
    const before = await cluster.unit('worker-1', 'kubelet')

    // Started with what is wrong, which is put right again without another start.
    await cluster.exec('worker-1', [
      'sh',
      '-euc',
      'sed -i.was s/:6443/:6442/ /etc/kubernetes/kubelet.conf; systemctl restart kubelet; mv /etc/kubernetes/kubelet.conf.was /etc/kubernetes/kubelet.conf',
    ])
    const map = await api.get(read)
    await api.put({ ...map!, data: { ...map!.data, 'config.conf': map!.data['config.conf'].replace('mode: ', 'mode: ipvs #') } })
    const wrong = await proxies()
    for (const name of wrong) await api.delete({ apiVersion: 'v1', kind: 'Pod', namespace: 'kube-system', name })
    await expect.poll(async () => (await proxies()).filter((name) => !wrong.includes(name)).length, { timeout: 60_000 }).toBe(2)
    const started = await proxies()
    await api.put({ ...(await api.get(read))!, data: map!.data })

    await cluster.restore(never)
    const since = Date.now()
    expect((await cluster.unit('worker-1', 'kubelet')).pid).not.toBe(before.pid)
    await expect.poll(heard, { timeout: 60_000 }).toBeGreaterThan(since)
    expect((await proxies()).filter((name) => started.includes(name))).toEqual([])
    // And nothing is started afresh for what was put back.
    const after = await cluster.unit('worker-1', 'kubelet')
    await cluster.restore(never)
    expect((await cluster.unit('worker-1', 'kubelet')).pid).toBe(after.pid)
    api.close()
  })
  it('cannot reach another lab', async () => {
    const network = await docker.getNetwork(cluster.id).inspect()
    expect(network.Labels).toMatchObject({ 'dev.kubemend.owner': owner, 'dev.kubemend.cluster': cluster.id })
    const names = Object.values((network.Containers ?? {}) as Record<string, { Name: string }>).map(({ Name }) => Name)
    expect(names.sort()).toEqual([`${cluster.id}-control-plane`, `${cluster.id}-worker`, `${cluster.id}-workstation`])
  })
})

describe('refusals', () => {
  it('says that an image is missing and how to get it', async () => {
    const provider = kindProvider({ ...options, images: { ...options.images, node: 'kubemend/node:none' } })
    await expect(provider.create({ workers: 0 }, () => {}, never)).rejects.toMatchObject({
      code: 'backend-unavailable',
      hint: expect.stringContaining('setup:kind'),
    })
    expect(await provider.status()).toMatchObject({ state: 'preparable' })
  })
  it('says that there is no room, with the figure', async () => {
    const provider = kindProvider({ ...options, capacity: { clusters: 0 } })
    await expect(provider.create({ workers: 0 }, () => {}, never)).rejects.toMatchObject({
      code: 'capacity-exceeded',
      message: expect.stringContaining('at most 0'),
    })
  })
})
