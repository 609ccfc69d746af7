import { afterEach, describe, expect, it } from 'vitest'
import { ApiError, type KubeObject, Unreachable } from '../kube.ts'
import { admin, testServer } from './fixture.ts'
import { fieldMatch, labelMatch, Store } from './index.ts'

const open: { stop(): void }[] = []
function start(options?: Parameters<typeof testServer>[0]) {
  const made = testServer(options)
  open.push(made.server)
  return made
}
afterEach(() => {
  for (const server of open.splice(0)) server.stop()
})
const pod = (name: string, extra: KubeObject = {}): KubeObject => ({
  metadata: { name, namespace: 'default', labels: { app: name } },
  spec: { containers: [{ name: 'c', image: 'nginx' }], ...extra },
})
function failure(run: () => unknown): ApiError {
  try {
    run()
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
  throw new Error('It did not fail.')
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('objects', () => {
  it('are made with what the server fills in, and come out frozen and shared', () => {
    const { client, account } = start()
    account('default')
    const made = client.create('v1/pods', pod('a'))
    expect(made.metadata).toMatchObject({ name: 'a', generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' })
    expect(made.status).toEqual({ phase: 'Pending', qosClass: 'BestEffort' })
    expect(made.spec).toMatchObject({ serviceAccountName: 'default', priority: 0, preemptionPolicy: 'PreemptLowerPriority' })
    expect(made.spec.volumes[0].projected.sources.map((source: KubeObject) => Object.keys(source)[0])).toEqual([
      'serviceAccountToken',
      'configMap',
      'downwardAPI',
    ])
    expect(made.spec.tolerations).toHaveLength(2)
    expect(client.get('v1/pods', 'a', 'default')).toBe(made)
    expect(Object.isFrozen(made.spec.containers)).toBe(true)
  })
  it('need a service account and a namespace', () => {
    const { client } = start()
    expect(failure(() => client.create('v1/pods', pod('a'))).message).toBe(
      'pods "a" is forbidden: error looking up service account default/default: serviceaccount "default" not found',
    )
    const elsewhere = failure(() => client.create('v1/configmaps', { metadata: { name: 'x', namespace: 'nope' } }))
    expect(elsewhere).toMatchObject({ code: 404, message: 'namespaces "nope" not found' })
    expect(failure(() => client.create('v1/configmaps', { metadata: { namespace: 'default' } })).message).toBe(
      'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
    )
  })
  it('refuse a stale update, and write nothing when nothing changes', () => {
    const { client, store } = start()
    const first = client.create('v1/configmaps', { metadata: { name: 'x', namespace: 'default' }, data: { a: '1' } })
    const second = client.update('v1/configmaps', { ...first, data: { a: '2' } })
    expect(Number(second.metadata.resourceVersion)).toBeGreaterThan(Number(first.metadata.resourceVersion))
    expect(failure(() => client.update('v1/configmaps', { ...first, data: { a: '3' } }))).toMatchObject({ code: 409, reason: 'Conflict' })
    const revision = store.revision
    expect(client.update('v1/configmaps', second)).toBe(second)
    expect(client.patch('v1/configmaps', 'x', 'default', 'merge', { data: { a: '2' } })).toBe(second)
    expect(store.revision).toBe(revision)
  })
  it('keep spec and status apart, and count generations', () => {
    const { client } = start()
    const made = client.create('apps/v1/deployments', {
      metadata: { name: 'd', namespace: 'default' },
      spec: {
        selector: { matchLabels: { app: 'd' } },
        template: { metadata: { labels: { app: 'd' } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } },
      },
      status: { replicas: 7 },
    })
    expect(made.status).toEqual({})
    const scaled = client.patch('apps/v1/deployments', 'd', 'default', 'merge', { spec: { replicas: 3 }, status: { replicas: 9 } })
    expect([scaled.metadata.generation, scaled.status]).toEqual([2, {}])
    const status = client.patch(
      'apps/v1/deployments',
      'd',
      'default',
      'merge',
      { spec: { replicas: 5 }, status: { replicas: 3 } },
      { subresource: 'status' },
    )
    expect([status.metadata.generation, status.spec.replicas, status.status.replicas]).toEqual([2, 3, 3])
    const scale = client.patch('apps/v1/deployments', 'd', 'default', 'merge', { spec: { replicas: 4 } }, { subresource: 'scale' })
    expect(scale).toMatchObject({ kind: 'Scale', spec: { replicas: 4 }, status: { replicas: 3, selector: 'app=d' } })
    expect(client.get('apps/v1/deployments', 'd', 'default').metadata.generation).toBe(3)
  })
  it('are one stored thing in two versions', () => {
    const { client } = start()
    client.create('v1/events', {
      metadata: { name: 'e', namespace: 'default' },
      involvedObject: { kind: 'Pod', namespace: 'default', name: 'p' },
      reason: 'Pulled',
      message: 'well',
      type: 'Normal',
      count: 2,
    })
    expect(client.get('events.k8s.io/v1/events', 'e', 'default')).toMatchObject({
      regarding: { name: 'p' },
      note: 'well',
      deprecatedCount: 2,
    })
    client.create('autoscaling/v1/horizontalpodautoscalers', {
      metadata: { name: 'h', namespace: 'default' },
      spec: {
        scaleTargetRef: { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' },
        maxReplicas: 3,
        targetCPUUtilizationPercentage: 50,
      },
    })
    expect(client.get('autoscaling/v2/horizontalpodautoscalers', 'h', 'default').spec.metrics[0].resource.target.averageUtilization).toBe(
      50,
    )
  })
})

describe('deletion', () => {
  it('of a pod that runs waits for its kubelet', () => {
    const { client, account } = start()
    account('default')
    client.create('v1/pods', pod('a'))
    client.create('v1/pods', { metadata: { name: 'a', namespace: 'default' }, target: { name: 'n1' } }, { subresource: 'binding' })
    const twice = failure(() =>
      client.create('v1/pods', { metadata: { name: 'a', namespace: 'default' }, target: { name: 'n2' } }, { subresource: 'binding' }),
    )
    expect(twice.message).toBe('Operation cannot be fulfilled on pods/binding "a": pod a is already assigned to node "n1"')
    client.delete('v1/pods', 'a', 'default')
    const { metadata } = client.get('v1/pods', 'a', 'default')
    expect(metadata).toMatchObject({ deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 30, generation: 2 })
    client.delete('v1/pods', 'a', 'default', { gracePeriodSeconds: 5 })
    expect(client.get('v1/pods', 'a', 'default').metadata.deletionTimestamp).toBe('2026-01-01T00:00:05Z')
    client.delete('v1/pods', 'a', 'default', { gracePeriodSeconds: 0 })
    expect(client.find('v1/pods', 'a', 'default')).toBeUndefined()
  })
  it('of an unscheduled pod does not', () => {
    const { client, account } = start()
    account('default')
    client.create('v1/pods', pod('a'))
    client.delete('v1/pods', 'a', 'default')
    expect(client.find('v1/pods', 'a', 'default')).toBeUndefined()
  })
  it('waits for finalizers, and says which policy was asked for', () => {
    const { client } = start()
    client.create('v1/configmaps', { metadata: { name: 'x', namespace: 'default', finalizers: ['a.b/c'] } })
    client.delete('v1/configmaps', 'x', 'default', { propagationPolicy: 'Foreground' })
    expect(client.get('v1/configmaps', 'x', 'default').metadata.finalizers).toEqual(['a.b/c', 'foregroundDeletion'])
    client.patch('v1/configmaps', 'x', 'default', 'merge', { metadata: { finalizers: null } })
    expect(client.find('v1/configmaps', 'x', 'default')).toBeUndefined()
  })
  it('of a namespace marks it, and nothing new comes into it', () => {
    const { client } = start()
    client.create('v1/namespaces', { metadata: { name: 'n' } })
    client.delete('v1/namespaces', 'n')
    const namespace = client.get('v1/namespaces', 'n')
    expect(namespace.status.phase).toBe('Terminating')
    const late = failure(() => client.create('v1/configmaps', { metadata: { name: 'x', namespace: 'n' } }))
    expect(late.message).toBe('configmaps "x" is forbidden: unable to create new content in namespace n because it is being terminated')
    expect(late.status.details?.causes?.[0]?.reason).toBe('NamespaceTerminating')
    client.update('v1/namespaces', { ...namespace, spec: { finalizers: [] } }, { subresource: 'finalize' })
    expect(client.find('v1/namespaces', 'n')).toBeUndefined()
    expect(failure(() => client.delete('v1/namespaces', 'default')).message).toBe(
      'namespaces "default" is forbidden: this namespace may not be deleted',
    )
  })
  it('of a pod by eviction asks the disruption budgets', () => {
    const { client, account } = start()
    account('default')
    client.create('v1/pods', pod('a'))
    client.create('v1/pods', { metadata: { name: 'a', namespace: 'default' }, target: { name: 'n1' } }, { subresource: 'binding' })
    client.patch(
      'v1/pods',
      'a',
      'default',
      'merge',
      { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } },
      { subresource: 'status' },
    )
    client.create('policy/v1/poddisruptionbudgets', {
      metadata: { name: 'b', namespace: 'default' },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'a' } } },
    })
    const evict = () => client.create('v1/pods', { metadata: { name: 'a', namespace: 'default' } }, { subresource: 'eviction' })
    expect(failure(evict).status.details?.causes?.[0]?.message).toBe('The disruption budget b is still being processed by the server.')
    client.patch(
      'policy/v1/poddisruptionbudgets',
      'b',
      'default',
      'merge',
      { status: { observedGeneration: 1, currentHealthy: 1, desiredHealthy: 1, disruptionsAllowed: 0 } },
      { subresource: 'status' },
    )
    expect(failure(evict)).toMatchObject({ code: 429, message: "Cannot evict pod as it would violate the pod's disruption budget." })
    client.patch(
      'policy/v1/poddisruptionbudgets',
      'b',
      'default',
      'merge',
      { status: { disruptionsAllowed: 1 } },
      { subresource: 'status' },
    )
    evict()
    const { metadata, status } = client.get('v1/pods', 'a', 'default')
    expect(metadata.deletionTimestamp).toBeDefined()
    expect(status.conditions.at(-1)).toMatchObject({ type: 'DisruptionTarget', reason: 'EvictionByEvictionAPI' })
  })
})

describe('services', () => {
  const service = (name: string, spec: KubeObject) => ({
    metadata: { name, namespace: 'default' },
    spec: { ports: [{ port: 80 }], ...spec },
  })
  it('get addresses and ports of their own, and give them back', () => {
    const { client } = start()
    expect(client.get('v1/services', 'kubernetes', 'default').spec.clusterIP).toBe('10.96.0.1')
    const made = client.create('v1/services', service('a', { type: 'NodePort', selector: { app: 'a' } }))
    expect(made.spec.clusterIP).toMatch(/^10\.96\.\d+\.\d+$/)
    expect(made.spec.ports[0].nodePort).toBeGreaterThanOrEqual(30_000)
    expect(client.get('networking.k8s.io/v1/ipaddresses', made.spec.clusterIP).spec.parentRef.name).toBe('a')
    const taken = failure(() => client.create('v1/services', service('b', { clusterIP: made.spec.clusterIP })))
    expect(taken.message).toBe(
      `Service "b" is invalid: spec.clusterIPs: Invalid value: ["${made.spec.clusterIP}"]: failed to allocate IP ${made.spec.clusterIP}: provided IP is already allocated`,
    )
    const port = failure(() =>
      client.create('v1/services', service('b', { type: 'NodePort', ports: [{ port: 1, nodePort: made.spec.ports[0].nodePort }] })),
    )
    expect(port.message).toContain('provided port is already allocated')
    client.delete('v1/services', 'a', 'default')
    expect(client.find('networking.k8s.io/v1/ipaddresses', made.spec.clusterIP)).toBeUndefined()
  })
  it('keep what an update leaves out, and are headless when told', () => {
    const { client } = start()
    const made = client.create('v1/services', service('a', { selector: { app: 'a' } }))
    const { clusterIP: _one, clusterIPs: _two, ...spec } = made.spec
    expect(client.update('v1/services', { ...made, spec: { ...spec, selector: { app: 'b' } } }).spec.clusterIP).toBe(made.spec.clusterIP)
    expect(client.create('v1/services', service('h', { clusterIP: 'None' })).spec.clusterIPs).toEqual(['None'])
  })
  it('takes a policy for outside traffic back with the last external address', () => {
    const { client } = start()
    const made = client.create('v1/services', service('e', { selector: { app: 'e' }, externalIPs: ['172.18.0.9'] }))
    expect(made.spec.externalTrafficPolicy).toBe('Cluster')
    const patched = client.patch('v1/services', 'e', 'default', 'merge', { spec: { externalIPs: null } })
    expect(patched.spec.externalIPs).toBeUndefined()
    expect(patched.spec.externalTrafficPolicy).toBeUndefined()
  })
  it('of the API server come back when they are deleted', async () => {
    const { client, clock } = start()
    client.delete('v1/services', 'kubernetes', 'default')
    await clock.skip(() => client.find('v1/services', 'kubernetes', 'default') !== undefined, 60_000)
    expect(client.get('v1/services', 'kubernetes', 'default').spec.clusterIP).toBe('10.96.0.1')
  })
})

describe('admission', () => {
  it('counts what a quota allows', () => {
    const { client, account } = start()
    account('default')
    client.create('v1/resourcequotas', {
      metadata: { name: 'q', namespace: 'default' },
      spec: { hard: { pods: '1', 'requests.cpu': '1' } },
    })
    expect(failure(() => client.create('v1/pods', pod('a'))).message).toBe(
      'pods "a" is forbidden: failed quota: q: must specify requests.cpu for: c',
    )
    const sized = (name: string, cpu: string) =>
      client.create('v1/pods', pod(name, { containers: [{ name: 'c', image: 'x', resources: { requests: { cpu } } }] }))
    expect(failure(() => sized('a', '1500m')).message).toBe(
      'pods "a" is forbidden: exceeded quota: q, requested: requests.cpu=1500m, used: requests.cpu=0, limited: requests.cpu=1',
    )
    sized('a', '500m')
    expect(failure(() => sized('b', '100m')).message).toBe(
      'pods "b" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1',
    )
  })
  it('fills in and enforces limit ranges', () => {
    const { client, account } = start()
    account('default')
    client.create('v1/limitranges', {
      metadata: { name: 'l', namespace: 'default' },
      spec: { limits: [{ type: 'Container', default: { cpu: '500m' }, defaultRequest: { cpu: '100m' }, max: { cpu: '1' } }] },
    })
    const made = client.create('v1/pods', pod('a'))
    expect(made.spec.containers[0].resources).toEqual({ limits: { cpu: '500m' }, requests: { cpu: '100m' } })
    expect(made.metadata.annotations['kubernetes.io/limit-ranger']).toBe(
      'LimitRanger plugin set: cpu request for container c; cpu limit for container c',
    )
    const big = pod('b', { containers: [{ name: 'c', image: 'x', resources: { limits: { cpu: '2' } } }] })
    expect(failure(() => client.create('v1/pods', big)).message).toBe(
      'pods "b" is forbidden: maximum cpu usage per Container is 1, but limit is 2',
    )
  })
  it('enforces pod security', () => {
    const { client } = start()
    client.create('v1/namespaces', { metadata: { name: 'n', labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } } })
    client.create('v1/serviceaccounts', { metadata: { name: 'default', namespace: 'n' } })
    const privileged = { ...pod('a', { hostNetwork: true }), metadata: { name: 'a', namespace: 'n' } }
    expect(failure(() => client.create('v1/pods', privileged)).message).toBe(
      'pods "a" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)',
    )
  })
})

describe('authorization', () => {
  it('follows roles and bindings, and says who may not do what', () => {
    const { client, server } = start()
    const joe = server.client({ name: 'joe', groups: ['system:authenticated'] })
    expect(failure(() => joe.list('v1/pods', { namespace: 'default' })).message).toBe(
      'pods is forbidden: User "joe" cannot list resource "pods" in API group "" in the namespace "default"',
    )
    expect(failure(() => joe.list('v1/nodes', { fieldSelector: 'metadata.name=worker' })).message).toBe(
      'nodes "worker" is forbidden: User "joe" cannot list resource "nodes" in API group "" at the cluster scope',
    )
    client.create('rbac.authorization.k8s.io/v1/roles', {
      metadata: { name: 'r', namespace: 'default' },
      rules: [{ apiGroups: [''], resources: ['pods', 'pods/log'], verbs: ['get', 'list'] }],
    })
    client.create('rbac.authorization.k8s.io/v1/rolebindings', {
      metadata: { name: 'b', namespace: 'default' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' },
      subjects: [{ kind: 'User', name: 'joe', apiGroup: 'rbac.authorization.k8s.io' }],
    })
    expect(joe.list('v1/pods', { namespace: 'default' }).items).toEqual([])
    expect(failure(() => joe.list('v1/pods')).message).toContain('at the cluster scope')
    const asked = joe.create('authorization.k8s.io/v1/selfsubjectaccessreviews', {
      spec: { resourceAttributes: { verb: 'get', resource: 'pods', subresource: 'log', namespace: 'default' } },
    })
    expect(asked.status).toEqual({ allowed: true })
  })
  it('does not let anyone give what they do not have', () => {
    const { client, server } = start()
    client.create('rbac.authorization.k8s.io/v1/clusterroles', {
      metadata: { name: 'author' },
      rules: [{ apiGroups: ['rbac.authorization.k8s.io'], resources: ['*'], verbs: ['create'] }],
    })
    client.create('rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata: { name: 'author' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'author' },
      subjects: [{ kind: 'User', name: 'joe' }],
    })
    const joe = server.client({ name: 'joe', groups: ['system:authenticated'] })
    const tried = failure(() =>
      joe.create('rbac.authorization.k8s.io/v1/clusterroles', {
        metadata: { name: 'x' },
        rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }],
      }),
    )
    expect(tried.message).toBe(
      'clusterroles.rbac.authorization.k8s.io "x" is forbidden: user "joe" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}',
    )
  })
  it('lets a kubelet see what its pods need, and nothing else', () => {
    const { client, server, account } = start()
    account('default')
    client.create('v1/secrets', { metadata: { name: 's', namespace: 'default' } })
    const kubelet = server.client({ name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] })
    const read = () => kubelet.get('v1/secrets', 's', 'default')
    expect(failure(read).message).toContain("no relationship found between node 'n1' and this object")
    client.create('v1/pods', pod('a', { nodeName: 'n1', volumes: [{ name: 'v', secret: { secretName: 's' } }] }))
    expect(read().metadata.name).toBe('s')
    expect(kubelet.list('v1/pods', { fieldSelector: 'spec.nodeName=n1' }).items).toHaveLength(1)
    expect(failure(() => kubelet.list('v1/pods')).code).toBe(403)
    kubelet.create('v1/nodes', { metadata: { name: 'n1' } })
    expect(
      failure(() => kubelet.patch('v1/nodes', 'n1', undefined, 'merge', { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } }))
        .message,
    ).toBe('nodes "n1" is forbidden: node "n1" is not allowed to modify taints')
  })
})

describe('tokens', () => {
  it('of a service account authenticate, and die with what they are bound to', () => {
    const { client, server, account, clock } = start()
    account('default')
    client.create('v1/pods', pod('a', { nodeName: 'n1' }))
    const uid = client.get('v1/pods', 'a', 'default').metadata.uid
    const request = client.create(
      'v1/serviceaccounts',
      {
        metadata: { name: 'default', namespace: 'default' },
        spec: { expirationSeconds: 3607, boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'a', uid } },
      },
      { subresource: 'token' },
    )
    expect(request.status.expirationTimestamp).toBe('2026-01-01T01:00:07Z')
    const user = server.authenticate(undefined, `Bearer ${request.status.token}`)
    expect(user).toMatchObject({ name: 'system:serviceaccount:default:default', extra: { 'authentication.kubernetes.io/pod-name': ['a'] } })
    expect(user?.groups).toContain('system:authenticated')
    client.delete('v1/pods', 'a', 'default', { gracePeriodSeconds: 0 })
    expect(server.authenticate(undefined, `Bearer ${request.status.token}`)).toBeNull()
    expect(server.authenticate(undefined, 'Bearer nonsense')).toBeNull()
    expect(server.authenticate(undefined, undefined)?.name).toBe('system:anonymous')
    expect(clock.now()).toBeGreaterThan(0)
  })
  it('expire', async () => {
    const { client, server, account, clock } = start()
    account('default')
    const { status } = client.create(
      'v1/serviceaccounts',
      { metadata: { name: 'default', namespace: 'default' }, spec: { expirationSeconds: 600 } },
      { subresource: 'token' },
    )
    expect(server.authenticate(undefined, `Bearer ${status.token}`)).not.toBeNull()
    await clock.skip(() => false, 601_000)
    expect(server.authenticate(undefined, `Bearer ${status.token}`)).toBeNull()
  })
})

describe('following', () => {
  it('begins with all that is there, then tells every change in order, as the selector sees it', async () => {
    const { client } = start()
    const make = (name: string, labels: KubeObject) => client.create('v1/configmaps', { metadata: { name, namespace: 'default', labels } })
    make('a', { x: '1' })
    make('b', {})
    const heard: string[] = []
    const subscription = client.follow(
      'v1/configmaps',
      { namespace: 'default', labelSelector: 'x=1' },
      {
        reset: (items) => heard.push(`reset ${items.map((item) => item.metadata.name)}`),
        event: ({ type, object }) => heard.push(`${type} ${object.metadata.name}`),
      },
    )
    expect(heard).toEqual([])
    await turn()
    client.patch('v1/configmaps', 'b', 'default', 'merge', { metadata: { labels: { x: '1' } } })
    client.patch('v1/configmaps', 'a', 'default', 'merge', { metadata: { labels: { x: '2' } } })
    client.patch('v1/configmaps', 'b', 'default', 'merge', { data: { k: 'v' } })
    client.delete('v1/configmaps', 'b', 'default')
    expect(heard).toEqual(['reset a'])
    await turn()
    expect(heard).toEqual(['reset a', 'ADDED b', 'DELETED a', 'MODIFIED b', 'DELETED b'])
    subscription.stop()
    make('c', { x: '1' })
    await turn()
    expect(heard).toHaveLength(5)
  })
  it('is told when the server stops, and tries again', async () => {
    const { client, server, clock } = start()
    const broken: string[] = []
    client.follow('v1/pods', {}, { reset: () => {}, event: () => {}, broken: (error) => broken.push(error.message) })
    await turn()
    server.stop()
    expect(broken).toHaveLength(1)
    await clock.skip(() => broken.length >= 4, 60_000)
    expect(broken.at(-1)).toBe('dial tcp 172.18.0.4:6443: connect: connection refused')
    expect(() => client.list('v1/pods')).toThrow(Unreachable)
  })
})

describe('the store', () => {
  it('is dumped and loaded with the same objects, and goes on counting', () => {
    const { client, store, clock, server } = start()
    const made = client.create('v1/configmaps', { metadata: { name: 'x', namespace: 'default' } })
    const dump = store.dump()
    const again = Store.load(dump, clock)
    expect(again.revision).toBe(store.revision)
    expect(again.get('configmaps', 'default', 'x')).toBe(made)
    const other = start({ store: again })
    const before = again.revision
    other.client.create('v1/configmaps', { metadata: { name: 'y', namespace: 'default' } })
    expect(again.revision).toBe(before + 1)
    expect(server.client(admin).find('v1/configmaps', 'y', 'default')).toBeUndefined()
    expect(Store.load(JSON.parse(JSON.stringify(dump)), clock).list('configmaps')).toEqual(store.list('configmaps'))
  })
  it('fails every request when etcd does not answer', () => {
    let why: string | undefined
    const { client } = start({ etcd: () => why })
    why = 'etcdserver: request timed out'
    expect(failure(() => client.list('v1/pods'))).toMatchObject({ code: 500, message: why })
    why = undefined
    expect(client.list('v1/pods').items).toEqual([])
  })
})

describe('custom resources', () => {
  const crd = {
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget', shortNames: ['wd'] },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: {
                spec: { type: 'object', properties: { size: { type: 'integer', minimum: 1 }, color: { type: 'string', default: 'red' } } },
              },
            },
          },
        },
      ],
    },
  }
  it('are served once their definition is established, and go with it', async () => {
    const { client, store } = start()
    client.create('apiextensions.k8s.io/v1/customresourcedefinitions', crd)
    expect(failure(() => client.list('example.com/v1/widgets')).code).toBe(404)
    await turn()
    const made = client.create('example.com/v1/widgets', { metadata: { name: 'w', namespace: 'default' }, spec: { size: 3, other: 1 } })
    expect(made).toMatchObject({ apiVersion: 'example.com/v1', kind: 'Widget', spec: { size: 3, color: 'red' } })
    expect(made.spec.other).toBeUndefined()
    const small = () => client.create('example.com/v1/widgets', { metadata: { name: 'x', namespace: 'default' }, spec: { size: 0 } })
    expect(failure(small).message).toBe(
      'Widget.example.com "x" is invalid: spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1',
    )
    expect(client.get('apiregistration.k8s.io/v1/apiservices', 'v1.example.com').spec.versionPriority).toBe(100)
    client.delete('apiextensions.k8s.io/v1/customresourcedefinitions', 'widgets.example.com')
    await turn()
    await turn()
    expect(failure(() => client.list('example.com/v1/widgets')).code).toBe(404)
    expect(store.count('widgets.example.com')).toBe(0)
    expect(client.find('apiregistration.k8s.io/v1/apiservices', 'v1.example.com')).toBeUndefined()
  })
})

describe('what the server fills in by kind', () => {
  it('a gated pod says so, a new node is not ready, a daemon set counts its templates', () => {
    const { client, account } = start()
    account('default')
    const gated = client.create('v1/pods', pod('g', { schedulingGates: [{ name: 'example.com/hold' }] }))
    expect(gated.status.conditions).toMatchObject([
      {
        type: 'PodScheduled',
        status: 'False',
        reason: 'SchedulingGated',
        message: 'Scheduling is blocked due to non-empty scheduling gates',
      },
    ])
    const node = client.create('v1/nodes', { metadata: { name: 'n' } })
    expect(node.spec.taints).toEqual([{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }])
    const template = { metadata: { labels: { app: 'd' } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } }
    client.create('apps/v1/daemonsets', {
      metadata: { name: 'd', namespace: 'default' },
      spec: { selector: { matchLabels: { app: 'd' } }, template },
    })
    const patch = (spec: KubeObject) =>
      client.patch('apps/v1/daemonsets', 'd', 'default', 'strategic', { spec }).metadata.annotations[
        'deprecated.daemonset.template.generation'
      ]
    expect(patch({ minReadySeconds: 3 })).toBe('1')
    expect(patch({ template: { spec: { containers: [{ name: 'c', image: 'nginx:1.29' }] } } })).toBe('2')
  })
  it('speaks of the patch when its result does not fit', () => {
    const { client, account } = start()
    account('default')
    client.create('v1/services', { metadata: { name: 's', namespace: 'default' }, spec: { ports: [{ port: 80 }] } })
    const why = (type: 'merge' | 'strategic') =>
      failure(() => client.patch('v1/services', 's', 'default', type, { spec: { ports: [{ port: 'x' }] } }))
    expect(why('strategic')).toMatchObject({ code: 422, reason: 'Invalid' })
    expect(why('strategic').message).toBe(
      ' "" is invalid: patch: Invalid value: "map[spec:map[ports:[map[port:x]]]]": unrecognized type: int32',
    )
    expect(why('merge').message).toMatch(
      /^ "" is invalid: patch: Invalid value: "\{.*\}": json: cannot unmarshal string into Go struct field/,
    )
  })
})

describe('selectors', () => {
  const object = (labels: KubeObject) => ({ metadata: { name: 'n', namespace: 's', labels } })
  it.each([
    ['a=b', { a: 'b' }, true],
    ['a==b,c!=d', { a: 'b' }, true],
    ['a in (x, y),!c', { a: 'y' }, true],
    ['a notin (x)', {}, true],
    ['a', {}, false],
    ['a>3', { a: '4' }, true],
    ['app.kubernetes.io/name=x', { 'app.kubernetes.io/name': 'x' }, true],
  ])('%s', (selector, labels, expected) => {
    expect(labelMatch(selector)?.(object(labels))).toBe(expected)
  })
  it('say what they cannot read', () => {
    expect(() => labelMatch('a===')).toThrow("unable to parse requirement: found '=', expected: identifier")
    expect(() => fieldMatch('spec.foo=bar', 'pods')).toThrow('field label not supported: spec.foo')
    expect(fieldMatch('metadata.name!=n', 'pods')?.(object({}))).toBe(false)
  })
})
