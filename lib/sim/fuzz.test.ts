// Whatever a learner breaks in whatever order: walks of random steps, each with its inverse; once all of them are undone the lab is well again, costs
// nothing while it idles, does not grow, and a restore brings back what was there before. KUBEMEND_WALKS=30 walks further than the two of every test run.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Lab, SimClock, type Snapshot } from './index.ts'
import { ApiError, type Client, type KubeObject, Unreachable } from './kube.ts'
import { toolsOnly } from './lab.fixture.ts'
import { type Random, random } from './random.ts'

const { KUBEMEND_WALKS: long, KUBEMEND_FIRST_WALK: first = '1' } = process.env
const seeds = long === undefined ? [8, 10] : Array.from({ length: Number(long) }, (_, at) => Number(first) + at)
const steps = 20
const clock = new SimClock()
const dir = mkdtempSync(join(tmpdir(), 'kubemend-fuzz-'))
let lab: Lab
let baseline: Snapshot
let leastHeap = Number.POSITIVE_INFINITY

type Undo = () => Promise<void> | void
const client = (): Client => {
  const server = lab.api()
  if (!server) throw new Unreachable('The API server does not run.')
  return server.client({ name: 'root', groups: ['system:masters'] })
}
const until = (holds: () => boolean, ms: number) => clock.skip(holds, ms)
const nothing = () => {}
const gc = () => {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}
const pass = (ms: number) => until(() => false, ms)
const files = (place: string) => {
  const machine = lab.machines.get(place)
  if (!machine) throw new Error(`no ${place}`)
  return machine.files
}
/** A tool may wait for the lab's time, which passes only here. */
async function run(place: string, ...argv: string[]): Promise<string> {
  let text: string | undefined
  const done = lab.exec(place, argv, { timeoutMs: 300_000 }).then(({ stdout, stderr }) => {
    text = stdout + stderr
  })
  await until(() => text !== undefined, 310_000)
  await done
  return text ?? ''
}
const isReady = (object: KubeObject) => object.status?.conditions?.some((one: KubeObject) => one.type === 'Ready' && one.status === 'True')
const bare = ({ status: _status, ...object }: KubeObject): KubeObject => {
  const {
    uid: _uid,
    resourceVersion: _version,
    creationTimestamp: _made,
    managedFields: _fields,
    generation: _generation,
    ...metadata
  } = object.metadata
  return structuredClone({ ...object, metadata })
}

function restartPods(namespace: string, labelSelector: string): void {
  for (const pod of client().list('v1/pods', { namespace, labelSelector }).items) client().delete('v1/pods', pod.metadata.name, namespace)
}
const pick = <T>(r: Random, all: readonly T[]): T => all[r.int(all.length)] as T
const places = ['control-plane', 'worker-1', 'worker-2']
const manifests = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd']
const breaks: Record<string, (random: Random) => Promise<Undo> | Undo> = {
  'delete a pod': (r) => {
    const pods = client().list('v1/pods').items
    const pod = pick(r, pods)
    client().delete('v1/pods', pod.metadata.name, pod.metadata.namespace, r.int(3) === 0 ? { gracePeriodSeconds: 0 } : {})
    return nothing
  },
  'restart a unit': async (r) => {
    await run(pick(r, places), 'systemctl', 'restart', pick(r, ['kubelet', 'containerd']))
    return nothing
  },
  'stop a unit': async (r) => {
    const [place, unit] = [pick(r, places), pick(r, ['kubelet', 'containerd'])]
    await run(place, 'systemctl', 'stop', unit)
    return async () => void (await run(place, 'systemctl', 'start', unit))
  },
  'break the kubelet’s files': async (r) => {
    const place = pick(r, places)
    const path = pick(r, [
      '/var/lib/kubelet/config.yaml',
      '/etc/kubernetes/kubelet.conf',
      '/etc/kubernetes/pki/ca.crt',
      '/var/lib/kubelet/kubeadm-flags.env',
    ])
    const before = files(place).text(path)
    if (before === undefined) return nothing
    if (r.int(2) === 0) files(place).remove(path)
    else files(place).write(path, before.slice(0, before.length / 2).concat('\n: broken {'))
    if (r.int(3) > 0) await run(place, 'systemctl', 'restart', 'kubelet')
    return async () => {
      files(place).write(path, before)
      await run(place, 'systemctl', 'reset-failed', 'kubelet')
      await run(place, 'systemctl', 'restart', 'kubelet')
    }
  },
  'break a CNI file': (r) => {
    const place = pick(r, places)
    const path = pick(r, ['/etc/cni/net.d/10-flannel.conflist', '/opt/cni/bin/flannel', '/opt/cni/bin/bridge', '/run/flannel/subnet.env'])
    const before = files(place).text(path)
    if (before === undefined) return nothing
    if (r.int(2) === 0) files(place).remove(path)
    else files(place).write(path, '{ "broken": ')
    return () => files(place).write(path, before, path.startsWith('/opt') ? 0o755 : 0o644)
  },
  'move a static pod away': (r) => {
    const path = `/etc/kubernetes/manifests/${pick(r, manifests)}.yaml`
    const before = files('control-plane').text(path)
    if (before === undefined) return nothing
    files('control-plane').remove(path)
    return () => files('control-plane').write(path, before)
  },
  'break a static pod': (r) => {
    const path = `/etc/kubernetes/manifests/${pick(r, manifests)}.yaml`
    const before = files('control-plane').text(path)
    if (before === undefined) return nothing
    const broken = pick(r, [
      before.replace(/--(\w)/, '--x$1'),
      before.replace('image: ', 'image: nowhere.invalid/'),
      before.replace(/ca\.crt/g, 'cb.crt'),
      '{',
    ])
    files('control-plane').write(path, broken)
    return () => files('control-plane').write(path, before)
  },
  'add a static pod': (r) => {
    const place = pick(r, places)
    const path = `/etc/kubernetes/manifests/extra-${r.int(3)}.yaml`
    const before = files(place).text(path)
    const spec = pick(r, [
      '{}',
      'kind: Pod\nspec: 3\n',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: extra}\nspec: {containers: [{name: c, image: nginx}]}\n',
    ])
    files(place).write(path, spec)
    return () => (before === undefined ? files(place).remove(path) : files(place).write(path, before))
  },
  'break a certificate': (r) => {
    const path = `/etc/kubernetes/pki/${pick(r, ['apiserver.crt', 'apiserver.key', 'etcd/server.crt', 'etcd/ca.crt', 'sa.key', 'apiserver-etcd-client.crt', 'front-proxy-ca.crt'])}`
    const before = files('control-plane').text(path)
    if (before === undefined) return nothing
    files('control-plane').remove(path)
    const name = pick(r, manifests)
    // Whoever reads it reads it when it starts.
    const manifest = `/etc/kubernetes/manifests/${name}.yaml`
    const text = files('control-plane').text(manifest)
    if (text !== undefined && r.int(2) === 0) files('control-plane').write(manifest, `${text}\n# again\n`)
    return () => {
      files('control-plane').write(path, before)
      if (text !== undefined) files('control-plane').write(manifest, text)
    }
  },
  'cordon or drain a node': (r) => {
    const node = pick(r, client().list('v1/nodes').items)
    const { name } = node.metadata
    client().patch('v1/nodes', name, undefined, 'merge', { spec: { unschedulable: true } })
    if (r.int(2) === 0)
      for (const pod of client().list('v1/pods', { fieldSelector: `spec.nodeName=${name}` }).items)
        if (!pod.metadata.ownerReferences?.some((one: KubeObject) => ['DaemonSet', 'Node'].includes(one.kind)))
          client().delete('v1/pods', pod.metadata.name, pod.metadata.namespace)
    return () => {
      if (client().find('v1/nodes', name)) client().patch('v1/nodes', name, undefined, 'merge', { spec: { unschedulable: null } })
    }
  },
  'delete a node': (r) => {
    const node = pick(r, client().list('v1/nodes').items)
    const place = [...lab.machines.values()].find((one) => one.name === node.metadata.name)?.place as string
    client().delete('v1/nodes', node.metadata.name)
    return async () => {
      // With the same range of addresses: its bridge has one of them.
      if (client().find('v1/nodes', node.metadata.name)) client().delete('v1/nodes', node.metadata.name)
      const again = bare(node)
      delete again.metadata.deletionTimestamp
      client().create('v1/nodes', { ...again, spec: { podCIDR: node.spec.podCIDR, podCIDRs: node.spec.podCIDRs } })
      await run(place, 'systemctl', 'restart', 'kubelet')
    }
  },
  'scale a deployment': (r) => {
    const one = pick(r, client().list('apps/v1/deployments').items)
    const { name, namespace } = one.metadata
    client().patch('apps/v1/deployments', name, namespace, 'merge', { spec: { replicas: r.int(5) } })
    return () => void client().patch('apps/v1/deployments', name, namespace, 'merge', { spec: { replicas: one.spec.replicas } })
  },
  'flush rules': async (r) => {
    const place = pick(r, places)
    const saved = await run(place, 'iptables-save')
    const table = pick(r, ['nat', 'filter'])
    await run(place, 'iptables', '-t', table, '-F')
    if (r.int(2) === 0) await run(place, 'iptables', '-P', 'FORWARD', 'DROP')
    return async () => {
      let text: string | undefined
      void lab.exec(place, ['iptables-restore'], { stdin: saved }).then(({ stderr }) => {
        text = stderr
      })
      await until(() => text !== undefined, 10_000)
      // The node's rules of that moment name pods that are gone; kube-proxy writes them anew.
      restartPods('kube-system', 'k8s-app=kube-proxy')
    }
  },
  'edit a ConfigMap': (r) => {
    const [name, namespace, key] = pick(r, [
      ['coredns', 'kube-system', 'Corefile'],
      ['kube-proxy', 'kube-system', 'config.conf'],
      ['kube-proxy', 'kube-system', 'kubeconfig.conf'],
      ['kube-flannel-cfg', 'kube-flannel', 'net-conf.json'],
      ['local-path-config', 'local-path-storage', 'config.json'],
    ] as const)
    const map = client().get('v1/configmaps', name, namespace)
    client().update('v1/configmaps', { ...map, data: { ...map.data, [key]: `${map.data[key]}\n}} broken` } })
    const anew = () => {
      for (const pod of client().list('v1/pods', { namespace }).items)
        if (pod.metadata.ownerReferences?.[0]?.kind !== 'Node') client().delete('v1/pods', pod.metadata.name, namespace)
    }
    if (r.int(2) === 0) anew()
    return () => {
      client().patch('v1/configmaps', name, namespace, 'merge', { data: { [key]: map.data[key] } })
      anew()
    }
  },
  'delete what others need': (r) => {
    const [resource, name, namespace] = pick(r, [
      ['apps/v1/daemonsets', 'kube-flannel-ds', 'kube-flannel'],
      ['apps/v1/daemonsets', 'kube-proxy', 'kube-system'],
      ['apps/v1/deployments', 'coredns', 'kube-system'],
      ['v1/services', 'kube-dns', 'kube-system'],
      ['v1/serviceaccounts', 'coredns', 'kube-system'],
      ['v1/configmaps', 'kube-proxy', 'kube-system'],
      ['rbac.authorization.k8s.io/v1/clusterrolebindings', 'kubeadm:node-proxier', undefined],
      ['rbac.authorization.k8s.io/v1/clusterrolebindings', 'system:coredns', undefined],
      ['rbac.authorization.k8s.io/v1/clusterroles', 'flannel', undefined],
      ['storage.k8s.io/v1/storageclasses', 'standard', undefined],
    ] as [string, string, string | undefined][])
    const object = client().find(resource, name, namespace)
    if (!object || object.metadata.deletionTimestamp) return nothing
    client().delete(resource, name, namespace)
    return async () => {
      await until(() => client().find(resource, name, namespace) === undefined, 60_000)
      client().create(resource, bare(object))
      // What belonged to it may have started without: pods of a service account that was gone keep its old token.
      if (resource === 'v1/serviceaccounts') restartPods('kube-system', 'k8s-app=kube-dns')
    }
  },
  'take a link down': async (r) => {
    const place = pick(r, places)
    const link = pick(r, ['eth0', 'cni0', 'flannel.1'])
    await run(place, 'ip', 'link', 'set', link, 'down')
    return async () => {
      await run(place, 'ip', 'link', 'set', link, 'up')
      if (link === 'eth0') await run(place, 'ip', 'route', 'replace', 'default', 'via', '172.18.0.1')
      // Routes went with the link, and flanneld looks at them when it starts.
      if (link === 'flannel.1') restartPods('kube-flannel', 'app=flannel')
    }
  },
  'make work': (r) => {
    const name = `work-${r.int(1000)}`
    client().create('apps/v1/deployments', {
      metadata: { name, namespace: 'default' },
      spec: {
        replicas: 1 + r.int(3),
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name } },
          spec: { containers: [{ name: 'c', image: pick(r, ['nginx', 'nginx:1.29', 'no/such:image']) }] },
        },
      },
    })
    return () => client().delete('apps/v1/deployments', name, 'default')
  },
}

function troubles(): string[] {
  try {
    return lab.api() ? unwell() : ['no API server']
  } catch (error) {
    if (error instanceof ApiError || error instanceof Unreachable) return [error.message]
    throw error
  }
}
function unwell(): string[] {
  const found: string[] = []
  for (const node of client().list('v1/nodes').items) if (!isReady(node)) found.push(`node ${node.metadata.name} is not ready`)
  if (client().list('v1/nodes').items.length !== 3) found.push('not three nodes')
  for (const pod of client().list('v1/pods').items)
    if (!isReady(pod) || pod.metadata.deletionTimestamp)
      found.push(
        `pod ${pod.metadata.name} is not ready: ${JSON.stringify(pod.status?.containerStatuses?.[0]?.state ?? pod.status?.conditions)}`,
      )
  for (const set of client().list('apps/v1/daemonsets').items)
    if (set.status?.numberReady !== 3) found.push(`${set.metadata.name} is not everywhere`)
  for (const one of client().list('apps/v1/deployments').items)
    if ((one.status?.readyReplicas ?? 0) !== one.spec.replicas)
      found.push(`${one.metadata.name} has ${one.status?.readyReplicas} of ${one.spec.replicas}`)
  for (const name of manifests)
    if (
      !client()
        .list('v1/pods', { namespace: 'kube-system', labelSelector: `component=${name}` })
        .items.some(isReady)
    )
      found.push(`no ${name}`)
  return found
}
function describeTroubles(): void {
  console.log(lab.diagnostics().summary)
  for (const place of places) {
    console.log(place, JSON.stringify(lab.unit(place, 'kubelet')))
    const entries = lab.machines.get(place)?.journal.entries({ unit: 'kubelet.service' }).slice(-6) ?? []
    for (const { at, message } of entries) console.log(new Date(at).toISOString(), message.slice(0, 400))
  }
}
async function resolves(place: string): Promise<string> {
  let outcome: string | undefined
  void lab
    .probe(place, { kind: 'dns', name: 'kubernetes.default.svc.cluster.local.', server: '10.96.0.10', timeoutMs: 1000 })
    .then((answer) => {
      outcome = answer.outcome === 'answered' ? 'answered' : answer.detail
    })
  await until(() => outcome !== undefined, 10_000)
  return outcome ?? ''
}

beforeAll(async () => {
  lab = await Lab.create({ id: 'kubemend-fuzzed', workers: 2, dir, seed: 3 }, { clock, processHost: toolsOnly, log: nothing })
  baseline = await lab.snapshot()
})
afterAll(async () => {
  await lab.close()
  rmSync(dir, { recursive: true, force: true })
})

test.each(seeds)(
  'walk %i ends well',
  async (seed) => {
    const r = random(seed)
    await lab.restore(baseline)
    const undone: [string, Undo][] = []
    const names = Object.keys(breaks)
    const story: string[] = []
    for (let step = 0; step < steps; step += 1) {
      // Somebody who has stopped the API mends it before going on, most of the time.
      const last = lab.api() === undefined && r.int(4) > 0 ? undone.pop() : undefined
      const name = last?.[0] ?? pick(r, names)
      const before = performance.now()
      try {
        if (last !== undefined) await last[1]()
        else undone.push([name, await (breaks[name] as (random: Random) => Promise<Undo>)(r)])
        story.push(last === undefined ? name : `undo ${name}`)
      } catch (error) {
        if (!(error instanceof ApiError || error instanceof Unreachable)) throw error
        if (last !== undefined) undone.unshift(last)
        story.push(`(${name}: ${error.message})`)
      }
      await pass(1000 * (1 + r.int(60)))
      if (long) console.log(`${seed}.${step} ${story.at(-1)} ${Math.round(performance.now() - before)} ms`)
    }
    const withoutApi = async (undo: Undo): Promise<boolean> => {
      try {
        await undo()
        return true
      } catch (error) {
        if (error instanceof Unreachable) return false
        if (error instanceof ApiError) return ![409, 500, 503].includes(error.code)
        throw error
      }
    }
    // The last first; what needs the API waits for it.
    let left = undone.reverse()
    for (let round = 0; round < 8 && left.length > 0; round += 1) {
      const again: typeof left = []
      for (const one of left) if (!(await withoutApi(one[1]))) again.push(one)
      left = again
      // An API server that runs again may still wait for its etcd.
      if (left.length > 0) await until(() => !troubles().some((one) => /API server|etcd/.test(one)), 400_000)
    }
    expect(
      left.map(([name]) => name),
      story.join(', '),
    ).toEqual([])
    // Back-offs last five minutes at most.
    const well = await until(() => troubles().length === 0, 900_000)
    if (!well && long) describeTroubles()
    expect(troubles(), story.join(', ')).toEqual([])
    expect(well).toBe(true)
    // Watches come back within half a minute, flanneld's too.
    for (const place of places) {
      let answer = ''
      for (let tries = 0; tries < 8 && answer !== 'answered'; tries += 1) {
        await pass(5000)
        answer = await resolves(place)
      }
      expect(answer, `names on ${place} after ${story.join(', ')}`).toBe('answered')
    }
    const cpu = process.cpuUsage()
    await pass(60_000)
    const { user, system } = process.cpuUsage(cpu)
    gc()
    const heap = process.memoryUsage().heapUsed / 1e6
    leastHeap = Math.min(leastHeap, heap)
    if (long) console.log(`idle ${Math.round((user + system) / 1000)} ms, heap ${Math.round(heap)} MB`)
    // A world that was closed is let go: each would be some MB.
    expect(heap - leastHeap).toBeLessThan(25)
    expect((user + system) / 1e6).toBeLessThan(1)
    await lab.restore(baseline)
    expect(await until(() => troubles().length === 0, 60_000), `after the restore: ${troubles()}`).toBe(true)
  },
  60_000,
)
