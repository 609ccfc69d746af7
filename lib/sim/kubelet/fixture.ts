// A node for tests: real files in a temporary directory, a network in which everything reaches everything, an API server, containerd and the kubelet.
// Not part of the door.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { admin, testServer } from '../api/fixture.ts'
import { type Client, type KubeObject, Unreachable } from '../kube.ts'
import type { Daemon, DaemonContext, Machine } from '../machine.ts'
import type { CniHooks, Listener, Netns, Network } from '../net.ts'
import { filesBelow } from '../node/files.ts'
import type { ProcessHost, Program } from '../process.ts'
import { random } from '../random.ts'
import { images } from './images.ts'
import { createKubelet } from './kubelet.ts'
import { createRuntime } from './runtime.ts'

function namespace(id: string, machine: string, addresses: string[]): Netns {
  const listeners: Listener[] = []
  return {
    id,
    machine,
    addresses: () => addresses,
    listeners: () => listeners,
    listen(listener) {
      if (listeners.some((one) => one.port === listener.port && one.protocol === listener.protocol))
        throw new Error('bind: address already in use')
      listeners.push(listener)
      return { close: () => void listeners.splice(listeners.indexOf(listener), 1) }
    },
  }
}

/** Answers 200 on `/`, 404 elsewhere; `-g broken` ends at once. */
export const nginx: Program = (context) => {
  const listener = context.net.listen({
    protocol: 'tcp',
    address: '0.0.0.0',
    port: 80,
    program: { name: 'nginx', pid: context.pid },
    http: ({ path }) => ({ status: path === '/' ? 200 : 404, headers: {}, body: context.files.read('/usr/share/nginx/html/index.html') }),
  })
  if (context.saved === undefined) context.log('nginx started\n', 'stderr')
  return {
    signal(number) {
      listener.close()
      if (number !== 9) context.exit(0)
    },
    save: () => ({}),
  }
}
/** Reads the file that it is given, as kube-proxy does its configuration. */
export const reader: Program = (context) => {
  const path = context.argv[1]?.replace('--config=', '') ?? ''
  if (context.files.text(path) === undefined) {
    context.log(`E0101 00:00:00.000000       1 run.go:72] "command failed" err="stat ${path}: no such file or directory"\n`, 'stderr')
    context.exit(1)
  }
  return { signal: () => context.exit(0) }
}
/** Holds as many bytes as its argument says. */
export const hungry: Program = (context) => {
  const timer = context.clock.after(500, () => context.memory?.(Number(context.argv[1])))
  return { signal: () => timer.cancel() }
}

const config = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
failSwapOn: false
cgroupDriver: systemd
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
staticPodPath: /etc/kubernetes/manifests
`

export async function testNode(options: { processHost?: ProcessHost; config?: string; cni?: boolean } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'kubelet-'))
  const files = filesBelow(directory)
  const { clock, client, server } = testServer()
  const name = 'node-1'
  const address = '172.18.0.2'
  const net = namespace('host', name, [address])
  const pods = new Map<string, Netns>()
  const journal: string[] = []
  let pid = 100
  const argv = [
    '/usr/bin/kubelet',
    '--config=/var/lib/kubelet/config.yaml',
    '--kubeconfig=/etc/kubernetes/kubelet.conf',
    `--node-ip=${address}`,
  ]
  const unused = () => {
    throw new Error('not in this test')
  }
  const machine = {
    name,
    place: 'worker-1',
    address,
    clock,
    files,
    net,
    memoryBytes: 8 * 2 ** 30,
    cpus: 2,
    journal: { add: unused, entries: () => [], follow: unused },
    units: { command: () => ({ argv, env: {} }) },
    processes: { add: () => ++pid, remove: () => {}, list: () => [] },
  } as unknown as Machine
  files.write('/etc/resolv.conf', 'nameserver 172.18.0.1\noptions ndots:0\n')
  files.write('/etc/hosts', '127.0.0.1\tlocalhost\n')
  files.write('/var/lib/kubelet/config.yaml', options.config ?? config)
  files.write('/etc/kubernetes/kubelet.conf', 'apiVersion: v1\n')
  if (options.cni !== false) files.write('/etc/cni/net.d/10-flannel.conflist', '{}')
  for (const space of ['default', 'kube-system', 'kube-node-lease', 'app'])
    if (!client.find('v1/namespaces', space)) client.create('v1/namespaces', { metadata: { name: space } })
  for (const space of ['default', 'kube-system', 'app']) {
    client.create('v1/serviceaccounts', { metadata: { name: 'default', namespace: space } })
    client.create('v1/configmaps', { metadata: { name: 'kube-root-ca.crt', namespace: space }, data: { 'ca.crt': 'CA' } })
  }
  let host = 1
  const initialized = () => files.list('/etc/cni/net.d').length > 0
  const cni: CniHooks = {
    ready: () => (initialized() ? undefined : 'Network plugin returns error: cni plugin not initialized'),
    add({ sandboxId }) {
      if (!initialized()) throw new Error('cni plugin not initialized')
      const ip = `10.244.1.${++host}`
      const made = namespace(sandboxId, name, [ip])
      pods.set(sandboxId, made)
      return { ip, netns: made }
    },
    del({ sandboxId }) {
      if (!initialized()) throw new Error('cni plugin not initialized')
      pods.delete(sandboxId)
    },
  }
  const network: Network = {
    host: () => net,
    netns: (id) => pods.get(id),
    open(from, protocol, to, port) {
      const target = to === address ? net : to === '127.0.0.1' ? from : [...pods.values()].find((one) => one.addresses().includes(to))
      const listener = target?.listeners().find((one) => one.port === port && one.protocol === protocol)
      if (!target) return { outcome: 'timeout', why: 'nobody there' }
      return listener
        ? { outcome: 'open', listener, from: address, to: { netns: target, address: to, port } }
        : { outcome: 'refused', why: 'nobody listens' }
    },
  }
  const noProcesses: ProcessHost = { open: unused, missing: async () => ({ message: 'No sandbox here.', remedy: '' }) }
  const seed = random(7)
  const all = images({ nginx, 'kube-proxy': reader, agnhost: hungry })
  const makeRuntime = (saved?: unknown) =>
    createRuntime({
      machine,
      cni,
      netns: (id) => pods.get(id),
      images: all,
      processHost: options.processHost ?? noProcesses,
      clock,
      random: seed,
      ...(saved === undefined ? {} : { saved }),
    })
  let runtime = makeRuntime()
  let apiDown = false
  const kubeletClient = server.client({ name: `system:node:${name}`, groups: ['system:nodes', 'system:authenticated'] })
  const guarded = new Proxy(kubeletClient, {
    get(target, key) {
      const value = Reflect.get(target, key)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        if (apiDown) throw new Unreachable('dial tcp 172.18.0.4:6443: connect: connection refused')
        return value.apply(target, args)
      }
    },
  }) as Client
  const exits: number[] = []
  const context = (): DaemonContext => ({
    machine,
    pid: 307,
    log: (line) => void journal.push(line),
    exit: (code) => void exits.push(code),
  })
  let containerd: Daemon = runtime.start(context())
  let kubelet: Daemon | undefined
  let loading = false
  const startKubelet = () => {
    kubelet = createKubelet({ machine, runtime, network, connect: () => guarded, clock, random: seed, resumed: () => loading })(context())
  }
  const pod = (podName: string, space = 'app'): KubeObject | undefined => client.find('v1/pods', podName, space)
  return {
    clock,
    client,
    server,
    admin,
    files,
    machine,
    network,
    journal,
    exits,
    get runtime() {
      return runtime
    },
    startKubelet,
    stopKubelet: () => kubelet?.stop(),
    stopContainerd: () => containerd.stop(),
    startContainerd: () => {
      containerd = runtime.start(context())
    },
    /** saves the runtime, forgets it, loads it */
    async reload() {
      const saved = JSON.parse(JSON.stringify(runtime.save()))
      kubelet?.stop()
      await runtime.close()
      runtime = makeRuntime(saved)
      await runtime.resume()
      containerd = runtime.start(context())
      loading = true
      startKubelet()
      loading = false
    },
    set apiDown(down: boolean) {
      apiDown = down
    },
    pod,
    /** creates a pod on the node, default namespace app; a container is named c unless it says otherwise */
    run(podName: string, spec: KubeObject, metadata: KubeObject = {}) {
      return client.create('v1/pods', {
        metadata: { name: podName, namespace: 'app', ...metadata },
        spec: {
          nodeName: name,
          ...spec,
          containers: spec.containers.map((one: KubeObject) => ({ name: 'c', image: 'nginx', imagePullPolicy: 'IfNotPresent', ...one })),
        },
      })
    },
    /** `type reason message` of a pod's events, in order of their first time */
    events(podName: string, space = 'app'): string[] {
      return client
        .list('v1/events', { namespace: space })
        .items.filter((one) => one.involvedObject.name === podName)
        .sort((a, b) => Number(BigInt(`0x${a.metadata.name.split('.').pop()}`) - BigInt(`0x${b.metadata.name.split('.').pop()}`)))
        .map((one) => `${one.type} ${one.reason} ${one.message}`)
    },
    until: (met: () => unknown, seconds = 60) => clock.skip(() => Boolean(met()), seconds * 1000),
    async close() {
      kubelet?.stop()
      await runtime.close()
      clock.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
