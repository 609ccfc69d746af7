import { afterEach, describe, expect, it } from 'vitest'
import type { KubeObject } from '../kube.ts'
import { pod, testCluster, workload } from './fixture.ts'
import { controllerNames, enabledControllers } from './index.ts'

let cluster: ReturnType<typeof testCluster>
afterEach(() => cluster?.stop())
const ready = (object: KubeObject, count: number) => object.status?.readyReplicas === count && object.status?.updatedReplicas === count
const conditionsOf = (object: KubeObject) =>
  object.status.conditions.map((one: KubeObject) => `${one.type}=${one.status} ${one.reason}: ${one.message}`)

async function three() {
  cluster = testCluster()
  for (const name of ['n1', 'n2', 'n3']) {
    cluster.node(name)
    cluster.beat(name)
  }
  await cluster.until(() => cluster.client.find('v1/serviceaccounts', 'default', 'default') !== undefined, 5)
  return cluster
}

describe('a Deployment', () => {
  it('comes up, rolls over and back, and says how far it is', async () => {
    const { client, until, events } = await three()
    const get = () => client.get('apps/v1/deployments', 'web', 'default')
    client.create('apps/v1/deployments', workload('Deployment', 'web', { replicas: 3 }))
    expect(await until(() => get().status?.availableReplicas === 3, 30)).toBe(true)
    await until(() => get().status.conditions.some((one: KubeObject) => one.reason === 'NewReplicaSetAvailable'), 5)
    const first = client.list('apps/v1/replicasets', { namespace: 'default' }).items[0]
    expect(first.metadata.name).toMatch(/^web-[bcdf-hj-np-tv-xz2456789]{6,10}$/)
    expect(get().metadata.annotations['deployment.kubernetes.io/revision']).toBe('1')
    expect(get().status).toMatchObject({ observedGeneration: 1, replicas: 3, updatedReplicas: 3, readyReplicas: 3, terminatingReplicas: 0 })
    expect(conditionsOf(get())).toEqual([
      'Available=True MinimumReplicasAvailable: Deployment has minimum availability.',
      `Progressing=True NewReplicaSetAvailable: ReplicaSet "${first.metadata.name}" has successfully progressed.`,
    ])
    const nodes = client.list('v1/pods', { namespace: 'default' }).items.map((one) => one.spec.nodeName)
    expect(nodes.sort()).toEqual(['n1', 'n2', 'n3'])

    const patch = { spec: { template: { spec: { containers: [{ name: 'c', image: 'nginx:2' }] } } } }
    client.patch('apps/v1/deployments', 'web', 'default', 'strategic', patch)
    expect(await until(() => get().status.observedGeneration === 2 && ready(get(), 3) && get().status.replicas === 3, 60)).toBe(true)
    expect(get().metadata.annotations['deployment.kubernetes.io/revision']).toBe('2')
    const sets = client.list('apps/v1/replicasets', { namespace: 'default' }).items
    expect(sets.map((one) => one.spec.replicas).sort()).toEqual([0, 3])
    expect(events('ScalingReplicaSet').map((event) => event.message)).toContain(
      `Scaled down replica set ${first.metadata.name} from 3 to 2`,
    )

    client.patch('apps/v1/deployments', 'web', 'default', 'strategic', {
      spec: { template: { spec: { containers: [{ name: 'c', image: 'nginx:1' }] } } },
    })
    expect(await until(() => get().status.observedGeneration === 3 && ready(get(), 3) && get().status.replicas === 3, 60)).toBe(true)
    const back = client.get('apps/v1/replicasets', first.metadata.name, 'default')
    expect(back.metadata.annotations).toMatchObject({
      'deployment.kubernetes.io/revision': '3',
      'deployment.kubernetes.io/revision-history': '1',
    })

    client.delete('apps/v1/deployments', 'web', 'default')
    expect(await until(() => client.list('v1/pods', { namespace: 'default' }).items.length === 0, 60)).toBe(true)
    expect(client.list('apps/v1/replicasets', { namespace: 'default' }).items).toEqual([])
  })

  it('stops half-way when the new pods do not come up, and says so after its deadline', async () => {
    const { client, until, broken } = await three()
    broken.add('nginx:bad')
    const get = () => client.get('apps/v1/deployments', 'web', 'default')
    client.create('apps/v1/deployments', workload('Deployment', 'web', { replicas: 4, progressDeadlineSeconds: 60 }))
    await until(() => get().status?.availableReplicas === 4, 30)
    client.patch('apps/v1/deployments', 'web', 'default', 'strategic', {
      spec: { template: { spec: { containers: [{ name: 'c', image: 'nginx:bad' }] } } },
    })
    expect(await until(() => get().status.conditions.some((one: KubeObject) => one.reason === 'ProgressDeadlineExceeded'), 120)).toBe(true)
    expect(get().status).toMatchObject({ replicas: 5, updatedReplicas: 2, availableReplicas: 3, unavailableReplicas: 2 })
    client.patch('apps/v1/deployments', 'web', 'default', 'merge', { spec: { replicas: 8 } })
    await until(() => get().status.observedGeneration === 3 && get().status.replicas === 10, 30)
    const sizes = client.list('apps/v1/replicasets', { namespace: 'default' }).items.map((one) => one.spec.replicas)
    expect(sizes.reduce((a: number, b: number) => a + b)).toBe(10)
  })

  it('recreates only when the old pods are gone, and waits while paused', async () => {
    const { client, until, pass } = await three()
    const get = () => client.get('apps/v1/deployments', 'web', 'default')
    client.create('apps/v1/deployments', workload('Deployment', 'web', { replicas: 2, strategy: { type: 'Recreate' } }))
    await until(() => get().status?.availableReplicas === 2, 30)
    client.patch('apps/v1/deployments', 'web', 'default', 'merge', { spec: { paused: true } })
    client.patch('apps/v1/deployments', 'web', 'default', 'strategic', {
      spec: { template: { spec: { containers: [{ name: 'c', image: 'nginx:2' }] } } },
    })
    await pass(10)
    expect(client.list('apps/v1/replicasets', { namespace: 'default' }).items.length).toBe(1)
    expect(get().status.conditions.find((one: KubeObject) => one.type === 'Progressing').reason).toBe('DeploymentPaused')
    client.patch('apps/v1/deployments', 'web', 'default', 'merge', { spec: { paused: false } })
    let both = false
    expect(
      await until(() => {
        const images = new Set(client.list('v1/pods', { namespace: 'default' }).items.map((one) => one.spec.containers[0].image))
        both ||= images.size > 1
        return ready(get(), 2) && images.has('nginx:2')
      }, 60),
    ).toBe(true)
    expect(both).toBe(false)
  })
})

describe('a DaemonSet', () => {
  it('has a pod on every node that it tolerates, follows nodes, and rolls one by one', async () => {
    const { client, until, node, beat } = await three()
    const get = () => client.get('apps/v1/daemonsets', 'agent', 'default')
    client.create('apps/v1/daemonsets', workload('DaemonSet', 'agent'))
    expect(await until(() => get().status?.numberAvailable === 3, 30)).toBe(true)
    const one = client.list('v1/pods', { namespace: 'default' }).items[0]
    expect(one.metadata.labels['controller-revision-hash']).toBeDefined()
    expect(one.spec.tolerations.map((t: KubeObject) => `${t.key}:${t.effect}`)).toContain('node.kubernetes.io/unschedulable:NoSchedule')
    node('n4')
    beat('n4')
    expect(await until(() => get().status.numberAvailable === 4, 30)).toBe(true)
    client.patch('apps/v1/daemonsets', 'agent', 'default', 'strategic', {
      spec: { template: { spec: { containers: [{ name: 'c', image: 'nginx:2' }] } } },
    })
    let least = 4
    expect(
      await until(() => {
        least = Math.min(least, get().status.numberAvailable ?? 0)
        return get().status.observedGeneration === 2 && get().status.updatedNumberScheduled === 4 && get().status.numberAvailable === 4
      }, 60),
    ).toBe(true)
    expect(least).toBe(3)
    expect(
      client
        .list('apps/v1/controllerrevisions', { namespace: 'default' })
        .items.map((r) => r.revision)
        .sort(),
    ).toEqual([1, 2])
    client.delete('v1/nodes', 'n4')
    expect(await until(() => get().status.desiredNumberScheduled === 3, 60)).toBe(true)
  })
})

describe('Services', () => {
  it('get EndpointSlices and Endpoints of the pods that are ready', async () => {
    const { client, until, pass } = await three()
    client.create('v1/services', {
      metadata: { name: 'web', namespace: 'default' },
      spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] },
    })
    await pass(1)
    const slices = () =>
      client.list('discovery.k8s.io/v1/endpointslices', { namespace: 'default', labelSelector: 'kubernetes.io/service-name=web' }).items
    expect(slices()).toHaveLength(1)
    expect(slices()[0].endpoints ?? []).toEqual([])
    const ports = [{ name: 'http', containerPort: 8080 }]
    client.create(
      'apps/v1/deployments',
      workload('Deployment', 'web', { replicas: 2 }, { containers: [{ name: 'c', image: 'nginx', ports }] }),
    )
    expect(await until(() => (slices()[0]?.endpoints ?? []).filter((one: KubeObject) => one.conditions.ready).length === 2, 30)).toBe(true)
    expect(slices()).toHaveLength(1)
    expect(slices()[0].ports).toEqual([{ name: '', port: 8080, protocol: 'TCP' }])
    const endpoints = client.get('v1/endpoints', 'web', 'default')
    expect(endpoints.subsets[0].addresses.map((one: KubeObject) => one.ip)).toHaveLength(2)
    expect(endpoints.metadata.labels['endpoints.kubernetes.io/managed-by']).toBe('endpoint-controller')
    client.delete('v1/services', 'web', 'default')
    expect(await until(() => slices().length === 0 && client.find('v1/endpoints', 'web', 'default') === undefined, 10)).toBe(true)
  })
})

it('ports stand in Endpoints in the order of the real ones', async () => {
  const { client, until } = await three()
  const ports = [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
    { name: 'metrics', port: 9153, protocol: 'TCP' },
  ]
  client.create('v1/services', { metadata: { name: 'dns', namespace: 'default' }, spec: { selector: { app: 'dns' }, ports } })
  client.create('apps/v1/deployments', workload('Deployment', 'dns', { replicas: 1 }))
  const subsets = () => client.find('v1/endpoints', 'dns', 'default')?.subsets
  expect(await until(() => subsets()?.[0].addresses?.length === 1, 20)).toBe(true)
  expect(subsets()[0].ports.map((port: KubeObject) => port.name)).toEqual(['metrics', 'dns-tcp', 'dns'])
})

describe('nodes', () => {
  it('get a range, a hint and no taints; one that is silent becomes Unknown and loses its pods', async () => {
    const { client, until, alive, events, clock } = await three()
    await until(() => client.list('v1/nodes').items.every((one) => one.spec.podCIDR), 5)
    expect(
      client
        .list('v1/nodes')
        .items.map((one) => one.spec.podCIDR)
        .sort(),
    ).toEqual(['10.244.0.0/24', '10.244.1.0/24', '10.244.2.0/24'])
    expect(client.get('v1/nodes', 'n1').metadata.annotations['node.alpha.kubernetes.io/ttl']).toBe('0')
    expect(events('RegisteredNode')[0].message).toMatch(/^Node n\d event: Registered Node n\d in Controller$/)
    client.create('apps/v1/deployments', workload('Deployment', 'web', { replicas: 3 }))
    await until(() => client.get('apps/v1/deployments', 'web', 'default').status?.readyReplicas === 3, 30)
    alive.delete('n3')
    const from = clock.now()
    const n3 = () => client.get('v1/nodes', 'n3')
    const isReady = (node: KubeObject) => node.status.conditions.find((one: KubeObject) => one.type === 'Ready')
    expect(await until(() => isReady(n3()).status === 'Unknown', 120)).toBe(true)
    expect((clock.now() - from) / 1000).toBeGreaterThan(39)
    expect((clock.now() - from) / 1000).toBeLessThan(66)
    expect(isReady(n3())).toMatchObject({ reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' })
    await until(() => (n3().spec.taints ?? []).length === 2, 20)
    expect(
      n3()
        .spec.taints.map((one: KubeObject) => `${one.key}:${one.effect}`)
        .sort(),
    ).toEqual(['node.kubernetes.io/unreachable:NoExecute', 'node.kubernetes.io/unreachable:NoSchedule'])
    expect(events('NodeNotReady').map((event) => event.message)).toContain('Node n3 status is now: NodeNotReady')
    // DefaultTolerationSeconds gives them five minutes.
    expect(await until(() => events('TaintManagerEviction').length > 0, 290)).toBe(false)
    expect(await until(() => events('TaintManagerEviction').length > 0, 30)).toBe(true)
    cluster.beat('n3')
    const fine = n3().status.conditions.map((one: KubeObject) => ({ ...one, status: one.type === 'Ready' ? 'True' : 'False' }))
    client.update('v1/nodes', { ...n3(), status: { ...n3().status, conditions: fine } }, { subresource: 'status' })
    expect(await until(() => n3().spec.taints === undefined, 30)).toBe(true)
  })

  it('that are all down are not emptied', async () => {
    const { client, until, pass, alive } = await three()
    client.create('apps/v1/deployments', workload('Deployment', 'web', { replicas: 3 }))
    await until(() => client.get('apps/v1/deployments', 'web', 'default').status?.readyReplicas === 3, 30)
    alive.clear()
    await pass(600)
    const taints = client.list('v1/nodes').items.flatMap((one) => one.spec.taints.map((taint: KubeObject) => taint.effect))
    expect(new Set(taints)).toEqual(new Set(['NoSchedule']))
    expect(client.list('v1/pods', { namespace: 'default' }).items).toHaveLength(3)
    expect(client.get('apps/v1/deployments', 'web', 'default').status.readyReplicas).toBeUndefined()
  })
})

describe('namespaces', () => {
  it('come with an account and the root certificate, and go with all that is in them', async () => {
    const { client, until } = await three()
    client.create('v1/namespaces', { metadata: { name: 'shop' } })
    expect(
      await until(
        () => client.find('v1/configmaps', 'kube-root-ca.crt', 'shop') && client.find('v1/serviceaccounts', 'default', 'shop'),
        5,
      ),
    ).toBe(true)
    client.create('apps/v1/deployments', {
      ...workload('Deployment', 'web', { replicas: 2 }),
      metadata: { name: 'web', namespace: 'shop' },
    })
    await until(() => client.get('apps/v1/deployments', 'web', 'shop').status?.readyReplicas === 2, 30)
    client.delete('v1/namespaces', 'shop')
    expect(client.get('v1/namespaces', 'shop').status.phase).toBe('Terminating')
    expect(await until(() => client.find('v1/namespaces', 'shop') === undefined, 60)).toBe(true)
    expect(client.list('v1/pods', { namespace: 'shop' }).items).toEqual([])
  })
  it('that hold something with a finalizer say what keeps them', async () => {
    const { client, until, pass } = await three()
    client.create('v1/namespaces', { metadata: { name: 'shop' } })
    client.create('v1/configmaps', { metadata: { name: 'kept', namespace: 'shop', finalizers: ['example.com/keep'] } })
    client.delete('v1/namespaces', 'shop')
    await pass(20)
    expect(conditionsOf(client.get('v1/namespaces', 'shop'))).toContain(
      'NamespaceFinalizersRemaining=True SomeFinalizersRemain: Some content in the namespace has finalizers remaining: example.com/keep in 1 resource instances',
    )
    client.patch('v1/configmaps', 'kept', 'shop', 'merge', { metadata: { finalizers: null } })
    expect(await until(() => client.find('v1/namespaces', 'shop') === undefined, 60)).toBe(true)
  })
})

describe('the garbage collector', () => {
  it('honours foreground, background and orphan', async () => {
    const { client, until, pass } = await three()
    for (const name of ['a', 'b', 'c']) client.create('apps/v1/deployments', workload('Deployment', name, { replicas: 1 }))
    await until(
      () => client.list('apps/v1/deployments', { namespace: 'default' }).items.every((one) => one.status?.readyReplicas === 1),
      30,
    )
    client.delete('apps/v1/deployments', 'a', 'default', { propagationPolicy: 'Orphan' })
    client.delete('apps/v1/deployments', 'b', 'default', { propagationPolicy: 'Foreground' })
    expect(client.get('apps/v1/deployments', 'b', 'default').metadata.finalizers).toEqual(['foregroundDeletion'])
    await pass(10)
    expect(client.list('apps/v1/deployments', { namespace: 'default' }).items.map((one) => one.metadata.name)).toEqual(['c'])
    const sets = client.list('apps/v1/replicasets', { namespace: 'default' }).items
    expect(sets.map((one) => one.metadata.labels.app)).toEqual(['a', 'c'])
    expect(sets[0].metadata.ownerReferences).toBeUndefined()
  })
})

describe('the scheduler', () => {
  it('says why a pod is nowhere, and takes it up when that changes', async () => {
    const { client, until, pass, events } = await three()
    client.patch('v1/nodes', 'n1', undefined, 'strategic', { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } })
    client.patch('v1/nodes', 'n2', undefined, 'strategic', { spec: { unschedulable: true } })
    await pass(1)
    client.create('v1/pods', pod('big', { containers: [{ name: 'c', image: 'nginx', resources: { requests: { cpu: '3500m' } } }] }))
    client.create('v1/pods', pod('bigger', { containers: [{ name: 'c', image: 'nginx', resources: { requests: { cpu: '3' } } }] }))
    await pass(1)
    const condition = client.get('v1/pods', 'bigger', 'default').status.conditions.find((one: KubeObject) => one.type === 'PodScheduled')
    expect(condition).toMatchObject({ status: 'False', reason: 'Unschedulable' })
    expect(condition.message).toBe(
      '0/3 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable. no new claims to deallocate, preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.',
    )
    expect(events('FailedScheduling')[0].message).toBe(condition.message)
    client.patch('v1/nodes', 'n2', undefined, 'strategic', { spec: { unschedulable: null } })
    expect(await until(() => client.get('v1/pods', 'bigger', 'default').spec.nodeName === 'n2', 15)).toBe(true)
    expect(events('Scheduled').map((event) => event.message)).toContain('Successfully assigned default/bigger to n2')
  })
  it('removes less important pods for a more important one', async () => {
    const { client, until, events } = await three()
    client.create('scheduling.k8s.io/v1/priorityclasses', { metadata: { name: 'high' }, value: 1000 })
    const requests = { requests: { cpu: '3' } }
    client.create(
      'apps/v1/deployments',
      workload('Deployment', 'low', { replicas: 3 }, { containers: [{ name: 'c', image: 'nginx', resources: requests }] }),
    )
    await until(() => client.get('apps/v1/deployments', 'low', 'default').status?.readyReplicas === 3, 30)
    client.create('v1/pods', pod('vip', { priorityClassName: 'high', containers: [{ name: 'c', image: 'nginx', resources: requests }] }))
    expect(await until(() => client.get('v1/pods', 'vip', 'default').spec.nodeName !== undefined, 60)).toBe(true)
    expect(events('Preempted')).toHaveLength(1)
  })
})

describe('the controller manager', () => {
  it('starts what its flag names', () => {
    const all = enabledControllers('*,bootstrapsigner,tokencleaner')
    expect(all).toEqual([...controllerNames])
    expect(controllerNames.filter((name) => !enabledControllers('*,-nodelifecycle').includes(name))).toEqual(
      ['bootstrap-signer-controller', 'token-cleaner-controller', 'node-lifecycle-controller'].sort(
        (a, b) => controllerNames.indexOf(a) - controllerNames.indexOf(b),
      ),
    )
    expect(enabledControllers('deployment,replicaset-controller')).toEqual(['deployment-controller', 'replicaset-controller'])
  })
  it('takes up after a restart from the objects alone', async () => {
    const { client, until, restart } = await three()
    client.create('apps/v1/deployments', workload('Deployment', 'web', { replicas: 3 }))
    await until(() => client.list('v1/pods', { namespace: 'default' }).items.length > 0, 10)
    restart()
    expect(await until(() => client.get('apps/v1/deployments', 'web', 'default').status?.readyReplicas === 3, 30)).toBe(true)
    expect(client.list('v1/pods', { namespace: 'default' }).items).toHaveLength(3)
    expect(cluster.lines.filter((line) => line.startsWith('E'))).toEqual([])
  })
})
