// The kubelet with its runtime at the API: what pods become, what is said of them, what restarts survive. Texts and orders are those of a kind cluster (v1.35.4).
import { statSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { testNode } from './fixture.ts'

let node: Awaited<ReturnType<typeof testNode>>
afterEach(() => node?.close())
const conditions = (pod: { status: { conditions: { type: string; status: string; reason?: string }[] } }) =>
  pod.status.conditions.map((one) => `${one.type}=${one.status}${one.reason ? `:${one.reason}` : ''}`)
const ready = (name: string) => () =>
  node.pod(name)?.status.conditions?.some((one: { type: string; status: string }) => one.type === 'Ready' && one.status === 'True')

test('a node registers, becomes ready, and renews its lease', async () => {
  node = await testNode()
  node.startKubelet()
  await node.until(() => node.client.find('coordination.k8s.io/v1/leases', 'node-1', 'kube-node-lease'))
  const found = node.client.get('v1/nodes', 'node-1')
  expect(found.status.conditions.find((one: { type: string }) => one.type === 'Ready')).toMatchObject({
    status: 'True',
    reason: 'KubeletReady',
    message: 'kubelet is posting ready status',
  })
  expect(found.status.nodeInfo).toMatchObject({ kubeletVersion: 'v1.35.4', containerRuntimeVersion: 'containerd://2.3.4' })
})

test('a pod becomes ready in the real order, and is deleted with its grace', async () => {
  node = await testNode()
  node.startKubelet()
  const seen: string[] = []
  node.client.follow(
    'v1/pods',
    { namespace: 'app' },
    {
      reset: () => {},
      event: ({ type, object }) =>
        seen.push(`${type} ${object.status.phase} ${Object.keys(object.status.containerStatuses?.[0]?.state ?? {})}`),
    },
  )
  node.run('ok', {
    terminationGracePeriodSeconds: 5,
    containers: [{ ports: [{ containerPort: 80 }], resources: { requests: { cpu: '10m' }, limits: { memory: '64Mi' } } }],
  })
  expect(await node.until(ready('ok'))).toBe(true)
  const pod = node.pod('ok')
  expect(conditions(pod)).toEqual([
    'PodReadyToStartContainers=True',
    'Initialized=True',
    'Ready=True',
    'ContainersReady=True',
    'PodScheduled=True',
  ])
  expect(pod.status).toMatchObject({
    phase: 'Running',
    qosClass: 'Burstable',
    hostIP: '172.18.0.2',
    podIP: '10.244.1.2',
    podIPs: [{ ip: '10.244.1.2' }],
    observedGeneration: 1,
  })
  expect(pod.status.containerStatuses[0]).toMatchObject({
    ready: true,
    started: true,
    restartCount: 0,
    image: 'docker.io/library/nginx:latest',
    user: { linux: { uid: 0, gid: 0, supplementalGroups: [0] } },
    lastState: {},
  })
  expect(node.events('ok')).toEqual([
    'Normal Pulled Container image "nginx" already present on machine and can be accessed by the pod',
    'Normal Created Container created',
    'Normal Started Container started',
  ])
  node.client.delete('v1/pods', 'ok', 'app')
  expect(await node.until(() => !node.pod('ok'))).toBe(true)
  expect(node.events('ok').at(-1)).toBe('Normal Killing Stopping container c')
  expect(seen).toEqual([
    'MODIFIED Pending waiting',
    'MODIFIED Running running',
    // asked to end, seen by the kubelet
    'MODIFIED Running running',
    'MODIFIED Running running',
    'MODIFIED Succeeded terminated',
    'DELETED Succeeded terminated',
  ])
  expect(node.runtime.sandboxes()).toEqual([])
  expect(node.files.list('/var/lib/kubelet/pods')).toEqual([])
})

test('a container that fails is started at once, then after 10, 20, 40 seconds', async () => {
  node = await testNode()
  node.startKubelet()
  const starts: number[] = []
  node.client.create('v1/configmaps', { metadata: { name: 'kube-proxy', namespace: 'app' }, data: { 'config.conf': 'x' } })
  node.run('proxy', {
    volumes: [{ name: 'conf', configMap: { name: 'kube-proxy' } }],
    containers: [
      {
        image: 'registry.k8s.io/kube-proxy:v1.35.4',
        command: ['/usr/local/bin/kube-proxy', '--config=/conf/BROKEN.conf'],
        volumeMounts: [{ name: 'conf', mountPath: '/conf' }],
      },
    ],
  })
  let last = ''
  await node.until(() => {
    const [one] = node.runtime
      .containers()
      .filter((container) => container.state === 'exited')
      .sort((a, b) => b.createdAt - a.createdAt)
    if (one && one.id !== last) {
      last = one.id
      starts.push(one.startedAt)
    }
    return starts.length === 5
  }, 120)
  const gaps = starts.slice(1).map((at, index) => Math.round((at - (starts[index] as number)) / 1000))
  expect(gaps[0]).toBeLessThanOrEqual(2)
  for (const [at, wanted] of [10, 20, 40].entries()) {
    expect(gaps[at + 1]).toBeGreaterThanOrEqual(wanted)
    expect(gaps[at + 1]).toBeLessThan(wanted * 1.5 + 3)
  }
  await node.until(
    () =>
      node.pod('proxy').status.containerStatuses[0].state.waiting?.reason === 'CrashLoopBackOff' &&
      node.pod('proxy').status.containerStatuses[0].restartCount === 4,
    100,
  )
  const { uid } = node.pod('proxy').metadata
  expect(node.pod('proxy').status.containerStatuses[0]).toMatchObject({
    restartCount: 4,
    state: { waiting: { reason: 'CrashLoopBackOff', message: `back-off 1m20s restarting failed container=c pod=proxy_app(${uid})` } },
    lastState: { terminated: { exitCode: 1, reason: 'Error' } },
  })
  expect(node.pod('proxy').status.phase).toBe('Running')
  expect(node.events('proxy')).toContain(`Warning BackOff Back-off restarting failed container c in pod proxy_app(${uid})`)
  // Logs are real files, and go with their containers.
  const logs = `/var/log/pods/app_proxy_${uid}/c`
  expect(node.files.list(logs)).toEqual(['4.log'])
  expect(node.files.text(`${logs}/4.log`)).toMatch(/^\S+Z stderr F E0101 .*stat \/conf\/BROKEN\.conf: no such file or directory"\n$/)
  // Mended: the file comes with the ConfigMap, and the next start goes well.
  node.client.patch('v1/configmaps', 'kube-proxy', 'app', 'merge', { data: { 'BROKEN.conf': 'ok' } })
  expect(await node.until(ready('proxy'), 300)).toBe(true)
})

test('without a CNI configuration the node is not ready, pods wait, those that run go on and cannot end', async () => {
  node = await testNode()
  node.startKubelet()
  node.run('before', { terminationGracePeriodSeconds: 1, containers: [{}] })
  await node.until(ready('before'))
  node.files.remove('/etc/cni/net.d/10-flannel.conflist')
  const nodeReady = () => node.client.get('v1/nodes', 'node-1').status.conditions.find((one: { type: string }) => one.type === 'Ready')
  expect(await node.until(() => nodeReady().status === 'False', 16)).toBe(true)
  expect(nodeReady()).toMatchObject({
    reason: 'KubeletNotReady',
    message:
      'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized',
  })
  node.client.create('v1/pods', {
    metadata: { name: 'after', namespace: 'app' },
    spec: {
      nodeName: 'node-1',
      tolerations: [{ operator: 'Exists' }],
      containers: [{ name: 'c', image: 'nginx', imagePullPolicy: 'IfNotPresent' }],
    },
  })
  await node.until(() => node.events('after').length > 0)
  expect(node.events('after')[0]).toBe(
    'Warning NetworkNotReady network is not ready: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized',
  )
  expect(node.pod('after').status.containerStatuses[0].state).toEqual({ waiting: { reason: 'ContainerCreating' } })
  expect(ready('before')()).toBe(true)
  node.client.delete('v1/pods', 'before', 'app')
  await node.until(() => node.events('before').some((one) => one.includes('FailedKillPod')))
  expect(node.events('before').find((one) => one.includes('FailedKillPod'))).toMatch(
    /^Warning FailedKillPod error killing pod: failed to "KillPodSandbox" for "\S+" with KillPodSandboxError: "rpc error: code = Unknown desc = failed to destroy network for sandbox \\"\w+\\": cni plugin not initialized"$/,
  )
  node.files.write('/etc/cni/net.d/10-flannel.conflist', '{}')
  expect(await node.until(() => nodeReady().status === 'True', 12)).toBe(true)
  expect(await node.until(ready('after'), 12)).toBe(true)
  expect(await node.until(() => !node.pod('before'), 30)).toBe(true)
})

test('a resolver file that is not there keeps every sandbox from coming; its words reach pods as they are', async () => {
  node = await testNode()
  node.files.write('/var/lib/kubelet/config.yaml', `${node.files.text('/var/lib/kubelet/config.yaml')}resolvConf: /etc/stub.conf\n`)
  node.startKubelet()
  node.run('host', { dnsPolicy: 'Default', containers: [{}] })
  node.run('cluster', { containers: [{}] })
  await node.until(() => node.events('cluster').length > 0)
  expect(node.events('cluster')[0]).toBe(
    'Warning FailedCreatePodSandBox Failed to create pod sandbox: open /etc/stub.conf: no such file or directory',
  )
  node.files.write('/etc/stub.conf', 'nameserver 127.0.0.53\noptions ndots:0\n')
  expect(await node.until(() => ready('host')() && ready('cluster')())).toBe(true)
  const resolv = async (name: string) => {
    const id = node.runtime.containers().find((one) => one.config.labels['io.kubernetes.pod.name'] === name)?.id as string
    return (await node.runtime.execSync(id, ['cat', '/etc/resolv.conf'], 1000)).output
  }
  expect(await resolv('host')).toBe('nameserver 127.0.0.53\noptions ndots:0\n')
  expect(await resolv('cluster')).toBe(
    'search app.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n',
  )
})

test('what cannot start says why in the real words', async () => {
  node = await testNode()
  node.startKubelet()
  const sleep = { image: 'busybox', command: ['sleep', '1000'] }
  node.run('badcmd', { containers: [{ image: 'busybox', command: ['nosuchcmd'] }] })
  node.run('badpath', { containers: [{ image: 'busybox', command: ['/no/such/cmd'] }] })
  node.run('badimage', { containers: [{ image: 'nginx:nosuchtag' }] })
  node.run('badname', { containers: [{ image: 'NGINX::x' }] })
  node.run('never', { containers: [{ image: 'nginx:nosuchtag', imagePullPolicy: 'Never' }] })
  node.run('nocm', { containers: [{ ...sleep, envFrom: [{ configMapRef: { name: 'missing' } }] }] })
  node.run('nokey', {
    containers: [{ ...sleep, env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'kube-root-ca.crt', key: 'nope' } } }] }],
  })
  node.run('nosecret', {
    volumes: [{ name: 'v', secret: { secretName: 'missing' } }],
    containers: [{ ...sleep, volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
  })
  node.run('hostp', {
    volumes: [{ name: 'v', hostPath: { path: '/no/such', type: 'Directory' } }],
    containers: [{ ...sleep, volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
  })
  node.run('nonroot', { securityContext: { runAsNonRoot: true }, containers: [sleep] })
  await node.until(() => false, 8)
  const waiting = (name: string) => node.pod(name).status.containerStatuses[0].state.waiting
  const start =
    'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: '
  expect(node.events('badcmd')).toContain(`Warning Failed Error: ${start}exec: "nosuchcmd": executable file not found in $PATH`)
  expect(node.events('badpath')).toContain(
    `Warning Failed Error: ${start}exec: "/no/such/cmd": stat /no/such/cmd: no such file or directory`,
  )
  expect(node.pod('badcmd').status.containerStatuses[0].lastState.terminated).toMatchObject({
    exitCode: 128,
    reason: 'StartError',
    startedAt: '1970-01-01T00:00:00Z',
  })
  expect(waiting('badimage')).toEqual({
    reason: expect.stringMatching(/^(ErrImagePull|ImagePullBackOff)$/),
    message: expect.stringContaining(
      'rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:nosuchtag": failed to resolve reference "docker.io/library/nginx:nosuchtag": docker.io/library/nginx:nosuchtag: not found',
    ),
  })
  expect(waiting('badname')).toEqual({
    reason: 'InvalidImageName',
    message:
      'Failed to apply default image tag "NGINX::x": couldn\'t parse image name "NGINX::x": invalid reference format: repository name (library/NGINX) must be lowercase',
  })
  expect(waiting('never')).toEqual({
    reason: 'ErrImageNeverPull',
    message: 'Container image "nginx:nosuchtag" is not present with pull policy of Never',
  })
  expect(waiting('nocm')).toEqual({ reason: 'CreateContainerConfigError', message: 'configmap "missing" not found' })
  expect(waiting('nokey')).toEqual({
    reason: 'CreateContainerConfigError',
    message: "couldn't find key nope in ConfigMap app/kube-root-ca.crt",
  })
  expect(waiting('nosecret')).toEqual({ reason: 'ContainerCreating' })
  expect(node.events('nosecret')).toEqual(['Warning FailedMount MountVolume.SetUp failed for volume "v" : secret "missing" not found'])
  expect(node.events('hostp')).toEqual([
    'Warning FailedMount MountVolume.SetUp failed for volume "v" : hostPath type check failed: /no/such is not a directory',
  ])
  expect(waiting('nonroot').message).toBe(
    `container has runAsNonRoot and image will run as root (pod: "nonroot_app(${node.pod('nonroot').metadata.uid})", container: c)`,
  )
  node.client.create('v1/secrets', { metadata: { name: 'missing', namespace: 'app' }, stringData: { a: 'b' } })
  expect(await node.until(ready('nosecret'), 30)).toBe(true)
})

test('probes: a liveness that fails restarts, a readiness that fails is only said', async () => {
  node = await testNode()
  node.startKubelet()
  node.run('live', {
    terminationGracePeriodSeconds: 2,
    containers: [
      {
        image: 'busybox',
        command: ['sleep', '1000'],
        livenessProbe: { exec: { command: ['cat', '/nope'] }, periodSeconds: 2, failureThreshold: 2 },
      },
    ],
  })
  node.run('ready', { containers: [{ readinessProbe: { httpGet: { path: '/nope', port: 80 }, periodSeconds: 2 } }] })
  node.run('tcp', { containers: [{ readinessProbe: { tcpSocket: { port: 81 }, periodSeconds: 2 } }] })
  node.run('named', {
    containers: [
      { ports: [{ name: 'http', containerPort: 80 }], readinessProbe: { httpGet: { path: '/', port: 'data' }, periodSeconds: 2 } },
    ],
  })
  await node.until(() => node.pod('live')?.status.containerStatuses?.[0].restartCount === 1)
  expect(node.pod('live').status.containerStatuses[0].lastState.terminated).toMatchObject({ exitCode: 137, reason: 'Error' })
  expect(node.events('live')).toEqual(
    expect.arrayContaining([
      "Warning Unhealthy Liveness probe failed: cat: can't open '/nope': No such file or directory\n",
      'Normal Killing Container c failed liveness probe, will be restarted',
    ]),
  )
  await node.until(() => false, 5)
  expect(node.events('ready')).toContain('Warning Unhealthy Readiness probe failed: HTTP probe failed with statuscode: 404')
  expect(node.events('tcp')).toContainEqual(
    expect.stringMatching(/^Warning Unhealthy Readiness probe failed: dial tcp 10\.244\.1\.\d+:81: connect: connection refused$/),
  )
  expect(conditions(node.pod('ready'))).toContain('Ready=False:ContainersNotReady')
  expect(node.events('named')).toContain(
    'Warning Unhealthy Readiness probe errored and resulted in unknown state: strconv.Atoi: parsing "data": invalid syntax',
  )
  expect(conditions(node.pod('named'))).toContain('Ready=False:ContainersNotReady')
})

test('a node that runs short of something says so, ends pods one by one and takes in no others', async () => {
  const base = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
failSwapOn: false
`
  node = await testNode({ config: `${base}evictionHard: { nodefs.available: '0%', pid.available: 10M }\n` })
  node.startKubelet()
  const of = (type: string) => node.client.get('v1/nodes', 'node-1').status.conditions.find((one: { type: string }) => one.type === type)
  expect(await node.until(() => of('PIDPressure')?.status === 'True')).toBe(true)
  expect(of('PIDPressure')).toMatchObject({ reason: 'KubeletHasInsufficientPID', message: 'kubelet has insufficient PID available' })
  expect(of('DiskPressure').status).toBe('False')
  node.run('late', { containers: [{}] })
  node.run('dear', { priorityClassName: 'system-node-critical', priority: 2_000_001_000, containers: [{}] })
  await node.until(() => node.pod('late')?.status.phase === 'Failed' && node.pod('dear')?.status.phase === 'Running')
  expect(node.pod('late').status).toMatchObject({ reason: 'Evicted', message: 'Pod was rejected: The node had condition: [PIDPressure]. ' })
  // As a ReplicaSet does it: whoever is refused is replaced at once. The lab's time passes all the same.
  let refused = 0
  const replace = () => node.clock.after(0, () => node.run(`next-${++refused}`, { containers: [{}] }))
  const follower = node.client.follow(
    'v1/pods',
    { namespace: 'app' },
    {
      reset: () => {},
      event: ({ object }) => {
        if (object.metadata.name === `next-${refused}` && object.status?.phase === 'Failed') replace()
      },
    },
  )
  replace()
  await node.until(() => refused === 200, 2)
  follower.stop()
  expect(refused).toBeLessThan(200)
  node.stopKubelet()

  node.files.write('/var/lib/kubelet/config.yaml', base)
  node.startKubelet()
  expect(await node.until(() => of('PIDPressure').status === 'False')).toBe(true)
  node.run('two', { containers: [{}] })
  node.run('one', { containers: [{}] })
  expect((await node.until(ready('one'))) && (await node.until(ready('two')))).toBe(true)
  node.stopKubelet()

  node.files.write('/var/lib/kubelet/config.yaml', `${base}evictionHard: { nodefs.available: 10Ti }\n`)
  node.startKubelet()
  await node.until(() => node.pod('two')?.status.phase === 'Failed' && of('DiskPressure').status === 'True')
  expect(node.pod('one').status).toMatchObject({
    phase: 'Failed',
    reason: 'Evicted',
    message: expect.stringMatching(
      /^The node was low on resource: ephemeral-storage\. Threshold quantity: 10Ti, available: \d+Ki\. Container c was using \d+Ki, request is 0, /,
    ),
  })
  expect(conditions(node.pod('one'))).toContain('DisruptionTarget=True:TerminationByKubelet')
  expect(node.pod('dear').status.phase).toBe('Running')
  expect(node.events('one')).toEqual(
    expect.arrayContaining([expect.stringMatching(/^Warning Evicted The node was low on/), 'Normal Killing Stopping container c']),
  )
  expect(node.events('node-1', 'default')).toEqual(
    expect.arrayContaining([
      'Normal NodeHasDiskPressure Node node-1 status is now: NodeHasDiskPressure',
      'Warning EvictionThresholdMet Attempting to reclaim ephemeral-storage',
    ]),
  )
  node.stopKubelet()

  for (const [line, words] of [
    ['evictionHard: { nodefs.free: 10Gi }', 'failed to run Kubelet: failed to create kubelet: unsupported eviction signal nodefs.free'],
    [
      'evictionHard: { nodefs.available: 10000 }',
      'cannot unmarshal number into Go struct field KubeletConfiguration.evictionHard of type string',
    ],
  ] as const) {
    node.files.write('/var/lib/kubelet/config.yaml', `${base}${line}\n`)
    node.startKubelet()
    await node.until(() => false, 1)
    expect(node.journal.at(-1)).toContain(words)
  }
})

test('init containers run in turn, sidecars stay, pods that complete are Succeeded', async () => {
  node = await testNode()
  node.startKubelet()
  const busybox = (name: string, seconds: string, more = {}) => ({
    name,
    image: 'busybox',
    imagePullPolicy: 'IfNotPresent',
    command: ['sleep', seconds],
    ...more,
  })
  node.run('initok', { initContainers: [busybox('i', '3'), busybox('s', '3000', { restartPolicy: 'Always' })], containers: [{}] })
  node.run('initfail', { initContainers: [{ ...busybox('i', ''), command: ['false'] }], containers: [{}] })
  node.run('done', { restartPolicy: 'Never', containers: [{ image: 'busybox', command: ['sleep', '2'] }] })
  await node.until(() => node.pod('initok')?.status.initContainerStatuses?.[0].state.running)
  expect(node.pod('initok').status).toMatchObject({
    phase: 'Pending',
    containerStatuses: [{ state: { waiting: { reason: 'PodInitializing' } } }],
  })
  expect(node.pod('initok').status.conditions.find((one: { type: string }) => one.type === 'Initialized')).toMatchObject({
    reason: 'ContainersNotInitialized',
    message: 'containers with incomplete status: [i s]',
  })
  expect(await node.until(ready('initok'))).toBe(true)
  await node.until(() => node.pod('initfail').status.initContainerStatuses[0].state.waiting?.reason === 'CrashLoopBackOff')
  expect(node.pod('initfail').status.phase).toBe('Pending')
  await node.until(() => node.pod('done').status.phase === 'Succeeded')
  await node.until(() => conditions(node.pod('done')).includes('PodReadyToStartContainers=False'))
  expect(conditions(node.pod('done'))).toEqual([
    'PodReadyToStartContainers=False',
    'Initialized=True:PodCompleted',
    'Ready=False:PodCompleted',
    'ContainersReady=False:PodCompleted',
    'PodScheduled=True',
  ])
})

test('static pods have mirrors, follow their files, and come back when a mirror is deleted', async () => {
  node = await testNode()
  const manifest = (image: string) =>
    `apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: kube-system}\nspec:\n  hostNetwork: true\n  terminationGracePeriodSeconds: 1\n  containers: [{name: c, image: "${image}"}]\n`
  node.files.write('/etc/kubernetes/manifests/web.yaml', manifest('nginx:1.27'))
  node.startKubelet()
  const mirror = () => node.pod('web-node-1', 'kube-system')
  expect(await node.until(() => mirror()?.status.phase === 'Running')).toBe(true)
  expect(mirror().metadata.annotations['kubernetes.io/config.mirror']).toBe(mirror().metadata.annotations['kubernetes.io/config.hash'])
  const [first] = node.runtime.containers()
  node.client.delete('v1/pods', 'web-node-1', 'kube-system', { gracePeriodSeconds: 0 })
  expect(await node.until(() => mirror()?.status.phase === 'Running')).toBe(true)
  expect(node.runtime.containers()[0]?.id).toBe(first?.id)
  node.files.write('/etc/kubernetes/manifests/web.yaml', manifest('nginx:1.28'))
  expect(await node.until(() => mirror()?.status.containerStatuses?.[0].image === 'docker.io/library/nginx:1.28')).toBe(true)
  node.files.remove('/etc/kubernetes/manifests/web.yaml')
  expect(await node.until(() => !mirror() && node.runtime.containers().length === 0)).toBe(true)
})

test('containers outlive the kubelet, containerd and a snapshot', async () => {
  node = await testNode()
  node.startKubelet()
  node.run('web', { containers: [{}] })
  await node.until(ready('web'))
  const before = node.pod('web').status.containerStatuses[0]
  const log = () => node.files.text(`/var/log/pods/app_web_${node.pod('web').metadata.uid}/c/0.log`)
  const said = log()
  node.stopKubelet()
  await node.until(() => false, 30)
  node.startKubelet()
  await node.until(() => false, 30)
  node.stopContainerd()
  await node.until(() =>
    node.client.get('v1/nodes', 'node-1').status.conditions.some((one: { message: string }) => one.message === 'container runtime is down'),
  )
  node.startContainerd()
  await node.until(() => false, 30)
  await node.reload()
  await node.until(() => false, 30)
  expect(node.pod('web').status.containerStatuses[0]).toEqual(before)
  expect(log()).toBe(said)
  expect(node.network.open(node.machine.net, 'tcp', node.pod('web').status.podIP, 80).outcome).toBe('open')
  expect(node.events('web')).toHaveLength(3)
})

test('a snapshot keeps back-offs and readiness', async () => {
  node = await testNode()
  node.startKubelet()
  node.run('crash', { containers: [{ image: 'busybox', command: ['false'] }] })
  node.run('web', { containers: [{ readinessProbe: { httpGet: { path: '/', port: 80 }, periodSeconds: 30 } }] })
  node.run('sleep', { restartPolicy: 'Never', containers: [{ image: 'busybox', command: ['sleep', '100'] }] })
  await node.until(() => ready('web')() && node.pod('crash').status.containerStatuses[0].restartCount === 3)
  await node.until(() => node.pod('crash').status.containerStatuses[0].state.waiting)
  const before = node.pod('crash').status
  const changes: string[] = []
  await node.reload()
  node.client.follow('v1/pods', { namespace: 'app' }, { reset: () => {}, event: ({ object }) => changes.push(object.metadata.name) })
  await node.until(() => false, 15)
  expect(changes).toEqual([])
  expect(node.pod('crash').status).toEqual(before)
  await node.until(() => node.pod('sleep').status.phase === 'Succeeded', 120)
  const { startedAt, finishedAt } = node.pod('sleep').status.containerStatuses[0].state.terminated
  expect(Date.parse(finishedAt) - Date.parse(startedAt)).toBeLessThanOrEqual(101_000)
})

test('the runtime is found by its socket, or by a link to it', async () => {
  node = await testNode({
    config:
      'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nfailCgroupV1: false\ncontainerRuntimeEndpoint: unix:///run/crio/crio.sock\n',
  })
  node.startKubelet()
  await node.until(() => node.exits.length === 1)
  expect(node.journal.at(-1)).toContain('dial unix /run/crio/crio.sock: connect: no such file or directory')
  node.files.symlink('/run/containerd/containerd.sock', '/run/crio/crio.sock')
  node.startKubelet()
  await node.until(() =>
    node.client.find('v1/nodes', 'node-1')?.status?.conditions?.some((one: { reason: string }) => one.reason === 'KubeletReady'),
  )
})

test.each([
  ['staticPodPath: [a\n', "error failed to decode: yaml: line 3: did not find expected ',' or ']'"],
  [
    'clusterDNS: 10.96.0.10\n',
    'error failed to decode: json: cannot unmarshal string into Go struct field KubeletConfiguration.clusterDNS of type []string',
  ],
  [
    'failSwapOn: nope\n',
    'error failed to decode: json: cannot unmarshal string into Go struct field KubeletConfiguration.failSwapOn of type bool',
  ],
  [
    'failCgroupV1: false\nauthentication: {x509: {clientCAFile: /etc/gone.crt}}\n',
    'failed to construct kubelet dependencies: unable to load client CA file /etc/gone.crt: open /etc/gone.crt: no such file or directory',
  ],
  [
    'failCgroupV1: false\nhealthzPort: 99999\n',
    'failed to validate kubelet configuration, error: invalid configuration: healthzPort (--healthz-port) 99999 must be between 1 and 65535, inclusive, path: &TypeMeta{Kind:,APIVersion:,}',
  ],
])('a broken configuration ends it with the real words: %j', async (text, words) => {
  node = await testNode({ config: `apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n${text}` })
  node.startKubelet()
  await node.until(() => node.exits.length > 0)
  expect(node.exits).toEqual([1])
  expect(node.journal.at(-1)).toMatch(/^E\d{4} \d\d:\d\d:\d\d\.\d{6} {5}307 run\.go:72\] "command failed" err="/)
  expect(JSON.parse(/err=(".*")$/.exec(node.journal.at(-1) as string)?.[1] as string)).toContain(words)
})

test('an unknown feature gate is a panic', async () => {
  node = await testNode({
    config:
      'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nfailCgroupV1: false\nfeatureGates: {KubeletInUserNamespace: true, NoSuchGate: true}\n',
  })
  node.startKubelet()
  await node.until(() => node.exits.length > 0)
  expect(node.exits).toEqual([2])
  expect(node.journal.at(-1)).toBe(
    'panic: failed to merge global and in-flight KubeletConfiguration while setting defaults, error: unrecognized feature gate: NoSuchGate',
  )
})

test('containers of a pod share its hosts file, which a later one does not replace under a running one', async () => {
  node = await testNode()
  node.startKubelet()
  node.run('two', { containers: [{ name: 'a' }, { name: 'b', image: 'busybox', command: ['sleep', '1000'] }] })
  await node.until(ready('two'))
  const hosts = `/var/lib/kubelet/pods/${node.pod('two').metadata.uid}/etc-hosts`
  const before = statSync(node.files.hostPath(hosts)).ino
  const [b] = node.runtime.containers().filter((one) => one.config.name === 'b')
  await node.runtime.stopContainer(b?.id ?? '', 0)
  await node.until(() => node.pod('two').status.containerStatuses[1].restartCount === 1)
  expect(statSync(node.files.hostPath(hosts)).ino).toBe(before)
})

test('a container that holds more memory than its limit is ended, with the reason', async () => {
  node = await testNode()
  node.startKubelet()
  const image = 'registry.k8s.io/e2e-test-images/agnhost:2.59'
  const limited = { image, resources: { limits: { memory: '64Mi' } } }
  node.run('much', { containers: [{ ...limited, command: ['agnhost', String(65 * 2 ** 20)] }] })
  node.run('enough', { containers: [{ ...limited, command: ['agnhost', String(63 * 2 ** 20)] }] })
  node.run('free', { containers: [{ image, command: ['agnhost', String(2 ** 33)] }] })
  expect(await node.until(() => node.pod('much')?.status.containerStatuses?.[0].restartCount > 0)).toBe(true)
  expect(node.pod('much')?.status.containerStatuses[0].lastState.terminated).toMatchObject({ reason: 'OOMKilled', exitCode: 137 })
  for (const name of ['enough', 'free']) expect(node.pod(name)?.status.containerStatuses[0]).toMatchObject({ ready: true, restartCount: 0 })
})
