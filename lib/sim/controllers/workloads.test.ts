import { afterEach, describe, expect, it } from 'vitest'
import type { KubeObject } from '../kube.ts'
import { issue, keyPair, request } from '../pki.ts'
import { parseSchedule } from './cron.ts'
import { pod, testCluster, workload } from './fixture.ts'
import { startLocalPathProvisioner } from './index.ts'
import { ranges } from './job.ts'

let cluster: ReturnType<typeof testCluster>
afterEach(() => {
  cluster?.stop()
})
async function three(options: Parameters<typeof testCluster>[0] = {}) {
  cluster = testCluster(options)
  for (const name of ['n1', 'n2', 'n3']) {
    cluster.node(name)
    cluster.beat(name)
  }
  await cluster.until(() => cluster.client.find('v1/serviceaccounts', 'default', 'default') !== undefined, 5)
  return cluster
}
const conditionsOf = (object: KubeObject) =>
  object.status.conditions.map((one: KubeObject) => `${one.type}=${one.status} ${one.reason}: ${one.message}`)
const errors = () => cluster.lines.filter((line) => line.startsWith('E'))

describe('a StatefulSet', () => {
  it('comes up in order, keeps its names and claims, and rolls from the highest number down', async () => {
    const { client, until, events } = await three()
    client.create('storage.k8s.io/v1/storageclasses', { metadata: { name: 'none' }, provisioner: 'kubernetes.io/no-provisioner' })
    for (const name of ['v0', 'v1', 'v2']) {
      client.create('v1/persistentvolumes', {
        metadata: { name },
        spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], storageClassName: 'none', hostPath: { path: '/data' } },
      })
    }
    const claim = { accessModes: ['ReadWriteOnce'], storageClassName: 'none', resources: { requests: { storage: '1Gi' } } }
    client.create(
      'apps/v1/statefulsets',
      workload('StatefulSet', 'db', {
        replicas: 3,
        serviceName: 'db',
        volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claim }],
      }),
    )
    const get = () => client.get('apps/v1/statefulsets', 'db', 'default')
    const seen: string[] = []
    expect(
      await until(() => {
        for (const one of client.list('v1/pods', { namespace: 'default' }).items)
          if (!seen.includes(one.metadata.name)) seen.push(one.metadata.name)
        return get().status?.availableReplicas === 3
      }, 60),
    ).toBe(true)
    expect(seen).toEqual(['db-0', 'db-1', 'db-2'])
    const one = client.get('v1/pods', 'db-1', 'default')
    expect(one.metadata.labels).toMatchObject({ 'statefulset.kubernetes.io/pod-name': 'db-1', 'apps.kubernetes.io/pod-index': '1' })
    expect(one.spec).toMatchObject({ hostname: 'db-1', subdomain: 'db' })
    expect(
      client
        .list('v1/persistentvolumeclaims', { namespace: 'default' })
        .items.map((c) => `${c.metadata.name} ${c.status.phase}`)
        .sort(),
    ).toEqual(['data-db-0 Bound', 'data-db-1 Bound', 'data-db-2 Bound'])
    expect(events('SuccessfulCreate').map((event) => event.message)).toContain('Create Claim data-db-0 Pod db-0 in StatefulSet db success')
    client.patch('apps/v1/statefulsets', 'db', 'default', 'strategic', {
      spec: { template: { spec: { containers: [{ name: 'c', image: 'nginx:2' }] } } },
    })
    expect(
      await until(
        () =>
          get().status.updatedReplicas === 3 &&
          get().status.currentRevision === get().status.updateRevision &&
          get().status.observedGeneration === 2,
        90,
      ),
    ).toBe(true)
    expect(events('SuccessfulDelete').map((event) => event.message)).toEqual(
      [2, 1, 0].map((at) => `Delete Pod db-${at} in StatefulSet db successful`),
    )
    client.patch('apps/v1/statefulsets', 'db', 'default', 'merge', { spec: { replicas: 1 } })
    expect(await until(() => get().status.replicas === 1, 30)).toBe(true)
    expect(client.list('v1/persistentvolumeclaims', { namespace: 'default' }).items).toHaveLength(3)
    expect(errors()).toEqual([])
  })
})

describe('a Job', () => {
  const job = (name: string, spec: KubeObject = {}) => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: 'default' },
    spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox' }] } }, ...spec },
  })
  const finish = (phase: string) => {
    const { client, clock } = cluster
    for (const one of client.list('v1/pods', { namespace: 'default' }).items) {
      if (one.status.phase !== 'Running') continue
      const finishedAt = `${new Date(clock.now()).toISOString().slice(0, 19)}Z`
      const containerStatuses = [
        {
          name: 'c',
          image: 'i',
          imageID: '',
          ready: false,
          restartCount: 0,
          state: { terminated: { exitCode: phase === 'Failed' ? 1 : 0, finishedAt } },
        },
      ]
      client.update('v1/pods', { ...one, status: { ...one.status, phase, containerStatuses } }, { subresource: 'status' })
    }
  }
  it('runs until enough have succeeded, and is removed after its time', async () => {
    const { client, until, pass, events } = await three()
    client.create('batch/v1/jobs', job('sum', { completions: 3, parallelism: 2, ttlSecondsAfterFinished: 60 }))
    const get = () => client.get('batch/v1/jobs', 'sum', 'default')
    await until(() => get().status?.ready === 2, 10)
    expect(get().status).toMatchObject({ active: 2, ready: 2, terminating: 0, uncountedTerminatedPods: {} })
    finish('Succeeded')
    await until(() => get().status.succeeded === 2 && get().status.ready === 1, 10)
    expect(get().status.active).toBe(1)
    finish('Succeeded')
    expect(await until(() => get().status.succeeded === 3 && get().status.completionTime !== undefined, 10)).toBe(true)
    expect(get().status.conditions.map((one: KubeObject) => one.type)).toEqual(['SuccessCriteriaMet', 'Complete'])
    expect(events('Completed')[0].message).toBe('Job completed')
    expect(client.list('v1/pods', { namespace: 'default' }).items.flatMap((one) => one.metadata.finalizers ?? [])).toEqual([])
    await pass(50)
    expect(client.find('batch/v1/jobs', 'sum', 'default')).toBeDefined()
    expect(
      await until(
        () =>
          client.find('batch/v1/jobs', 'sum', 'default') === undefined &&
          client.list('v1/pods', { namespace: 'default' }).items.length === 0,
        30,
      ),
    ).toBe(true)
    expect(errors()).toEqual([])
  })
  it('tries again more and more slowly, and gives up at its limit', async () => {
    const { client, until, pass, events, clock } = await three()
    client.create('batch/v1/jobs', job('bad', { backoffLimit: 1 }))
    const get = () => client.get('batch/v1/jobs', 'bad', 'default')
    await until(() => get().status?.ready === 1, 10)
    finish('Failed')
    const from = clock.now()
    await pass(5)
    expect(get().status).toMatchObject({ failed: 1, ready: 0 })
    expect(await until(() => get().status.active === 1, 30)).toBe(true)
    expect((clock.now() - from) / 1000).toBeGreaterThanOrEqual(9)
    await until(() => get().status?.ready === 1, 10)
    finish('Failed')
    expect(await until(() => get().status.conditions?.some((one: KubeObject) => one.type === 'Failed'), 10)).toBe(true)
    expect(get().status.failed).toBe(2)
    expect(events('BackoffLimitExceeded')[0].message).toBe('Job has reached the specified backoff limit')
  })
  it('gives each pod its index', async () => {
    const { client, until } = await three()
    client.create('batch/v1/jobs', job('shard', { completions: 3, parallelism: 3, completionMode: 'Indexed' }))
    const get = () => client.get('batch/v1/jobs', 'shard', 'default')
    await until(() => get().status?.ready === 3, 10)
    expect(
      client
        .list('v1/pods', { namespace: 'default' })
        .items.map((one) => one.metadata.annotations['batch.kubernetes.io/job-completion-index'])
        .sort(),
    ).toEqual(['0', '1', '2'])
    finish('Succeeded')
    expect(await until(() => get().status.completedIndexes === '0-2' && get().status.completionTime, 10)).toBe(true)
    expect(ranges([0, 1, 3, 4, 5, 9])).toBe('0,1,3-5,9')
  })
  it('is made by a CronJob at its times', async () => {
    const { client, until, pass } = await three()
    client.create('batch/v1/cronjobs', {
      metadata: { name: 'tick', namespace: 'default' },
      spec: { schedule: '*/5 * * * *', concurrencyPolicy: 'Forbid', jobTemplate: { spec: job('x').spec } },
    })
    const jobs = () => client.list('batch/v1/jobs', { namespace: 'default' }).items
    expect(await until(() => jobs().length === 1, 400)).toBe(true)
    expect(jobs()[0].metadata.name).toMatch(/^tick-\d+$/)
    expect(client.get('batch/v1/cronjobs', 'tick', 'default').status.active).toHaveLength(1)
    await pass(310)
    expect(jobs()).toHaveLength(1)
    expect(cluster.events('JobAlreadyActive').length).toBe(1)
    finish('Succeeded')
    expect(await until(() => jobs().length === 2, 400)).toBe(true)
    expect(client.get('batch/v1/cronjobs', 'tick', 'default').status.lastSuccessfulTime).toBeDefined()
    expect(errors()).toEqual([])
  })
})

describe('a schedule', () => {
  const next = (text: string, from: string, zone?: string) =>
    new Date(parseSchedule(text, zone).next(Date.parse(from)) ?? 0).toISOString().slice(0, 16)
  it.each([
    ['* * * * *', '2026-01-01T00:00:00Z', undefined, '2026-01-01T00:01'],
    ['30 3 * * *', '2026-01-01T04:00:00Z', undefined, '2026-01-02T03:30'],
    ['0 0 1 */3 *', '2026-01-01T00:00:00Z', undefined, '2026-04-01T00:00'],
    ['0 12 * * mon-fri', '2026-01-03T00:00:00Z', undefined, '2026-01-05T12:00'],
    ['@hourly', '2026-01-01T00:10:00Z', undefined, '2026-01-01T01:00'],
    ['0 9 * * *', '2026-01-01T00:30:00Z', 'Asia/Seoul', '2026-01-02T00:00'],
    ['15 0 29 2 *', '2026-01-01T00:00:00Z', undefined, '2028-02-29T00:15'],
  ])('%s after %s in %s', (text, from, zone, expected) => {
    expect(next(text, from, zone)).toBe(expected)
  })
  it('says what is wrong with it', () => {
    expect(() => parseSchedule('61 * * * *')).toThrow('end of range (61) above maximum (59): 61')
    expect(() => parseSchedule('* * * *')).toThrow('expected exactly 5 fields, found 4: [* * * *]')
  })
})

describe('claims', () => {
  it('wait for a consumer, are wished for a node, and are bound when a provisioner has delivered', async () => {
    const { client, until, pass, events } = await three()
    client.create('storage.k8s.io/v1/storageclasses', {
      metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: 'rancher.io/local-path',
      volumeBindingMode: 'WaitForFirstConsumer',
    })
    client.create('v1/persistentvolumeclaims', {
      metadata: { name: 'data', namespace: 'default' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    })
    await pass(1)
    expect(events('WaitForFirstConsumer')[0].message).toBe('waiting for first consumer to be created before binding')
    const get = () => client.get('v1/persistentvolumeclaims', 'data', 'default')
    expect(get()).toMatchObject({ spec: { storageClassName: 'standard' }, status: { phase: 'Pending' } })
    client.create('v1/pods', pod('user', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] }))
    expect(await until(() => get().metadata.annotations?.['volume.kubernetes.io/selected-node'] !== undefined, 5)).toBe(true)
    await pass(1)
    expect(events('ExternalProvisioning')[0].message).toContain("external provisioner 'rancher.io/local-path'")
    const node = get().metadata.annotations['volume.kubernetes.io/selected-node']
    client.create('v1/persistentvolumes', {
      metadata: { name: 'pvc-1', annotations: { 'pv.kubernetes.io/provisioned-by': 'rancher.io/local-path' } },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'standard',
        persistentVolumeReclaimPolicy: 'Delete',
        hostPath: { path: '/var/local-path-provisioner/x' },
        claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: 'default', name: 'data', uid: get().metadata.uid },
        nodeAffinity: {
          required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] }] },
        },
      },
    })
    expect(await until(() => client.get('v1/pods', 'user', 'default').spec.nodeName === node, 10)).toBe(true)
    expect(get()).toMatchObject({ spec: { volumeName: 'pvc-1' }, status: { phase: 'Bound', capacity: { storage: '1Gi' } } })
    client.delete('v1/persistentvolumeclaims', 'data', 'default')
    await pass(5)
    expect(get().metadata.finalizers).toEqual(['kubernetes.io/pvc-protection'])
    client.delete('v1/pods', 'user', 'default')
    expect(await until(() => client.find('v1/persistentvolumeclaims', 'data', 'default') === undefined, 60)).toBe(true)
    expect(await until(() => client.get('v1/persistentvolumes', 'pvc-1').status.phase === 'Released', 5)).toBe(true)
    expect(errors()).toEqual([])
  })
  it('get a directory of their node from the local-path provisioner, and give it back', async () => {
    const { client, until, clock, context, events } = await three()
    const directories: string[] = []
    const provisioner = startLocalPathProvisioner({
      client,
      clock,
      random: context.random,
      identity: 'rancher.io/local-path_x',
      path: () => '/var/local-path-provisioner',
      directory: (node, path, present) => directories.push(`${present ? '+' : '-'} ${node} ${path}`),
      log: () => undefined,
    })
    client.create('storage.k8s.io/v1/storageclasses', {
      metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: 'rancher.io/local-path',
      volumeBindingMode: 'WaitForFirstConsumer',
    })
    client.create('v1/persistentvolumeclaims', {
      metadata: { name: 'data', namespace: 'default' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    })
    client.create('v1/pods', pod('user', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] }))
    expect(await until(() => client.get('v1/pods', 'user', 'default').status.phase === 'Running', 30)).toBe(true)
    const claim = client.get('v1/persistentvolumeclaims', 'data', 'default')
    const name = `pvc-${claim.metadata.uid}`
    const node = client.get('v1/pods', 'user', 'default').spec.nodeName
    const path = `/var/local-path-provisioner/${name}_default_data`
    expect(client.get('v1/persistentvolumes', name)).toMatchObject({
      spec: { hostPath: { path, type: 'DirectoryOrCreate' } },
      status: { phase: 'Bound' },
    })
    expect(events('ProvisioningSucceeded')[0].message).toBe(`Successfully provisioned volume ${name}`)
    client.delete('v1/pods', 'user', 'default')
    client.delete('v1/persistentvolumeclaims', 'data', 'default')
    expect(await until(() => client.find('v1/persistentvolumes', name) === undefined, 60)).toBe(true)
    expect(directories).toEqual([`+ ${node} ${path}`, `- ${node} ${path}`])
    provisioner.stop()
    expect(errors()).toEqual([])
  })
  it('that nothing serves keep their pod waiting, with a reason', async () => {
    const { client, pass } = await three()
    client.create('v1/persistentvolumeclaims', {
      metadata: { name: 'data', namespace: 'default' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    })
    client.create('v1/pods', pod('user', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] }))
    client.create('v1/pods', pod('lost', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'nowhere' } }] }))
    await pass(2)
    const message = (name: string) => client.get('v1/pods', name, 'default').status.conditions[0].message
    // As kind says it, `not found` at the end included.
    expect(message('user')).toBe(`0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found`)
    expect(message('lost')).toBe(`0/3 nodes are available: persistentvolumeclaim "nowhere" not found. not found`)
  })
})

describe('and the rest', () => {
  it('an autoscaler keeps within its bounds, and says that there are no metrics', async () => {
    const { client, until, events } = await three()
    client.create('apps/v1/deployments', workload('Deployment', 'web', { replicas: 1 }))
    client.create('autoscaling/v2/horizontalpodautoscalers', {
      metadata: { name: 'web', namespace: 'default' },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
        minReplicas: 2,
        maxReplicas: 4,
        metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }],
      },
    })
    expect(await until(() => client.get('apps/v1/deployments', 'web', 'default').status?.readyReplicas === 2, 30)).toBe(true)
    expect(events('SuccessfulRescale')[0].message).toBe('New size: 2; reason: Current number of replicas below Spec.MinReplicas')
    expect(await until(() => events('FailedGetResourceMetric').length > 0, 30)).toBe(true)
    expect(conditionsOf(client.get('autoscaling/v2/horizontalpodautoscalers', 'web', 'default'))).toEqual([
      "AbleToScale=True SucceededGetScale: the HPA controller was able to get the target's current scale",
      'ScalingActive=False FailedGetResourceMetric: the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)',
    ])
  })
  it('budgets count, quotas add up, roles are put together', async () => {
    const { client, until } = await three()
    client.create('policy/v1/poddisruptionbudgets', {
      metadata: { name: 'web', namespace: 'default' },
      spec: { maxUnavailable: '50%', selector: { matchLabels: { app: 'web' } } },
    })
    client.create('v1/resourcequotas', {
      metadata: { name: 'q', namespace: 'default' },
      spec: { hard: { pods: '10', 'requests.cpu': '2' } },
    })
    const requests = { requests: { cpu: '250m' } }
    client.create(
      'apps/v1/deployments',
      workload('Deployment', 'web', { replicas: 3 }, { containers: [{ name: 'c', image: 'nginx', resources: requests }] }),
    )
    const budget = () => client.get('policy/v1/poddisruptionbudgets', 'web', 'default')
    expect(await until(() => budget().status?.currentHealthy === 3, 30)).toBe(true)
    expect(budget().status).toMatchObject({ desiredHealthy: 1, expectedPods: 3, disruptionsAllowed: 2 })
    expect(budget().status.conditions[0]).toMatchObject({ type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods' })
    expect(await until(() => client.get('v1/resourcequotas', 'q', 'default').status?.used?.pods === '3', 10)).toBe(true)
    expect(client.get('v1/resourcequotas', 'q', 'default').status.used['requests.cpu']).toBe('750m')
    client.create('rbac.authorization.k8s.io/v1/clusterroles', {
      metadata: { name: 'extra', labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } },
      rules: [{ apiGroups: ['example.com'], resources: ['things'], verbs: ['get'] }],
    })
    expect(
      await until(
        () =>
          client
            .get('rbac.authorization.k8s.io/v1/clusterroles', 'view')
            .rules?.some((rule: KubeObject) => rule.apiGroups?.includes('example.com')),
        5,
      ),
    ).toBe(true)
    expect(errors()).toEqual([])
  })
  it('the way to the cluster is signed with each token, and a token that is over goes', async () => {
    const { client, until, clock } = await three()
    const encode = (text: string) => Buffer.from(text).toString('base64')
    client.create('v1/secrets', {
      metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' },
      type: 'bootstrap.kubernetes.io/token',
      data: {
        'token-id': encode('abcdef'),
        'token-secret': encode('0123456789abcdef'),
        'usage-bootstrap-signing': encode('true'),
        expiration: encode(new Date(clock.now() + 600_000).toISOString()),
      },
    })
    client.create('v1/configmaps', { metadata: { name: 'cluster-info', namespace: 'kube-public' }, data: { kubeconfig: 'x' } })
    const info = () => client.get('v1/configmaps', 'cluster-info', 'kube-public').data
    expect(await until(() => info()['jws-kubeconfig-abcdef'] !== undefined, 5)).toBe(true)
    expect(info()['jws-kubeconfig-abcdef']).toMatch(/^eyJhbGciOiJIUzI1NiIsImtpZCI6ImFiY2RlZiJ9\.\.[\w-]{43}$/)
    expect(await until(() => Object.keys(info()).length === 1, 700)).toBe(true)
    expect(client.find('v1/secrets', 'bootstrap-token-abcdef', 'kube-system')).toBeUndefined()
    expect(client.get('networking.k8s.io/v1/servicecidrs', 'kubernetes').status.conditions[0]).toMatchObject({
      type: 'Ready',
      message: 'Kubernetes Service CIDR is ready',
    })
    expect(errors()).toEqual([])
  })
  it('an approved request is signed for as long as it asks', async () => {
    const ca = issue({ subject: { commonName: 'kubernetes' }, ca: true, now: Date.parse('2026-01-01T00:00:00Z') })
    const { client, until } = await three({ controller: { signingCa: ca } })
    const csr = client.create('certificates.k8s.io/v1/certificatesigningrequests', {
      metadata: { name: 'jane' },
      spec: {
        request: Buffer.from(request({ commonName: 'jane', organizations: ['dev'] }, keyPair().privateKey)).toString('base64'),
        signerName: 'kubernetes.io/kube-apiserver-client',
        usages: ['client auth'],
        expirationSeconds: 3600,
      },
    })
    const condition = {
      type: 'Approved',
      status: 'True',
      reason: 'KubectlApprove',
      message: 'This CSR was approved by kubectl certificate approve.',
    }
    client.update(
      'certificates.k8s.io/v1/certificatesigningrequests',
      { ...csr, status: { conditions: [condition] } },
      { subresource: 'approval' },
    )
    const get = () => client.get('certificates.k8s.io/v1/certificatesigningrequests', 'jane')
    expect(await until(() => get().status.certificate !== undefined, 5)).toBe(true)
    const { X509Certificate } = await import('node:crypto')
    const made = new X509Certificate(Buffer.from(get().status.certificate, 'base64'))
    expect(made.subject).toContain('CN=jane')
    expect(Date.parse(made.validTo)).toBe(
      Date.parse('2026-01-01T01:00:00Z') + Math.floor((cluster.clock.now() - Date.parse('2026-01-01T00:00:00Z')) / 1000) * 1000,
    )
  })
  it('a kubelet gets a certificate for the names that it asks for, and none without', async () => {
    const ca = issue({ subject: { commonName: 'kubernetes' }, ca: true, now: Date.parse('2026-01-01T00:00:00Z') })
    const { client, until } = await three({ controller: { signingCa: ca } })
    const csrs = 'certificates.k8s.io/v1/certificatesigningrequests'
    const ask = (name: string, names: string[]) => {
      const pem = request({ commonName: 'system:node:n1', organizations: ['system:nodes'] }, keyPair().privateKey, names)
      const csr = client.create(csrs, {
        metadata: { name },
        spec: {
          request: Buffer.from(pem).toString('base64'),
          signerName: 'kubernetes.io/kubelet-serving',
          usages: ['digital signature', 'server auth'],
        },
      })
      const approved = { type: 'Approved', status: 'True', reason: 'KubectlApprove', message: '' }
      client.update(csrs, { ...csr, status: { conditions: [approved] } }, { subresource: 'approval' })
    }
    ask('named', ['n1', '172.18.0.4'])
    ask('nameless', [])
    expect(await until(() => client.get(csrs, 'named').status.certificate !== undefined, 5)).toBe(true)
    const { X509Certificate } = await import('node:crypto')
    const made = new X509Certificate(Buffer.from(client.get(csrs, 'named').status.certificate, 'base64'))
    expect(made.subjectAltName).toBe('DNS:n1, IP Address:172.18.0.4')
    expect(client.get(csrs, 'nameless').status.conditions.at(-1)).toMatchObject({
      type: 'Failed',
      message: 'DNS or IP subjectAltName is required',
    })
  })
  it('pods of a node that is gone are removed, and events are counted', async () => {
    const { client, until, context, events, clock } = await three()
    client.create('v1/pods', pod('alone', { nodeName: 'n3' }))
    client.delete('v1/nodes', 'n3')
    expect(await until(() => client.find('v1/pods', 'alone', 'default') === undefined, 90)).toBe(true)
    const { recorder } = await import('../events.ts')
    const record = recorder(context.client('node-controller'), clock, context.random, { component: 'test' })
    const subject = client.create('v1/configmaps', { metadata: { name: 'm', namespace: 'default' } })
    for (let i = 0; i < 3; i++) record({ ...subject, apiVersion: 'v1', kind: 'ConfigMap' }, 'Normal', 'Same', 'again')
    for (let i = 0; i < 12; i++) record({ ...subject, apiVersion: 'v1', kind: 'ConfigMap' }, 'Normal', 'Many', `number ${i}`)
    for (let i = 0; i < 40; i++) record({ ...subject, apiVersion: 'v1', kind: 'ConfigMap' }, 'Normal', 'Spam', 'too much')
    expect(events('Same')).toMatchObject([{ count: 3, message: 'again', source: { component: 'test' } }])
    expect(
      events('Many')
        .map((event) => event.message)
        .filter((text) => text.startsWith('(combined')),
    ).toEqual(['(combined from similar events): number 11'])
    expect(events('Spam')[0].count).toBe(10)
  })
})
