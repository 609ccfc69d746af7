// For the tests of this folder: three nodes and a workstation, objects behind a client without rules of its own, containers by hand. Not for other modules.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SimClock } from '../clock.ts'
import type { Client, KubeObject, Resource, WatchEvent } from '../kube.ts'
import type { Files, Machine } from '../machine.ts'
import type { Netns } from '../net.ts'
import { filesBelow as below } from '../node/files.ts'
import type { ContainerContext, Program, Running, Tool } from '../process.ts'
import { random } from '../random.ts'
import { cni, createNetwork, type ProgramDeps, programs, tools } from './index.ts'

const filesBelow = (root: string): Files => {
  mkdirSync(root, { recursive: true })
  return below(root)
}
export class Objects {
  readonly #all = new Map<Resource, Map<string, KubeObject>>()
  readonly #watchers: { resource: Resource; fieldSelector: string | undefined; event(event: WatchEvent): void }[] = []
  #key = (object: KubeObject) => `${object.metadata.namespace ?? ''}/${object.metadata.name}`
  put(resource: Resource, object: KubeObject): void {
    const of = this.#all.get(resource) ?? new Map<string, KubeObject>()
    this.#all.set(resource, of)
    const type = of.has(this.#key(object)) ? 'MODIFIED' : 'ADDED'
    of.set(this.#key(object), object)
    for (const watcher of this.#watchers) if (watcher.resource === resource) queueMicrotask(() => watcher.event({ type, object }))
  }
  remove(resource: Resource, name: string, namespace = ''): void {
    const object = this.#all.get(resource)?.get(`${namespace}/${name}`)
    this.#all.get(resource)?.delete(`${namespace}/${name}`)
    for (const watcher of this.#watchers)
      if (watcher.resource === resource && object) queueMicrotask(() => watcher.event({ type: 'DELETED', object }))
  }
  client(): Client {
    const refuse = () => {
      throw new Error('not in this test')
    }
    return {
      user: { name: 'test', groups: [] },
      get: (resource, name, namespace) => this.#all.get(resource)?.get(`${namespace ?? ''}/${name}`) ?? refuse(),
      find: (resource, name, namespace) => this.#all.get(resource)?.get(`${namespace ?? ''}/${name}`),
      list: (resource) => ({ items: [...(this.#all.get(resource)?.values() ?? [])], resourceVersion: '1' }),
      create: refuse,
      update: refuse,
      delete: refuse,
      patch: (resource, name, namespace, _type, patch: KubeObject) => {
        const object = structuredClone(this.#all.get(resource)?.get(`${namespace ?? ''}/${name}`))
        Object.assign(object.metadata, { annotations: { ...object.metadata.annotations, ...patch.metadata?.annotations } })
        this.put(resource, object)
        return object
      },
      follow: (resource, options, on) => {
        let stopped = false
        const wanted = /^metadata\.name=(.*)$/.exec(options.fieldSelector ?? '')?.[1]
        const fits = (object: KubeObject) => wanted === undefined || object.metadata.name === wanted
        queueMicrotask(() => !stopped && on.reset([...(this.#all.get(resource)?.values() ?? [])].filter(fits)))
        this.#watchers.push({
          resource,
          fieldSelector: options.fieldSelector,
          event: (event) => !stopped && fits(event.object) && on.event(event),
        })
        return {
          stop: () => {
            stopped = true
          },
        }
      },
    }
  }
}

export interface Started extends Running {
  lines: string[]
  code: number | undefined
  memory: number
}
export function lab() {
  const dir = mkdtempSync(join(tmpdir(), 'net-'))
  const clock = new SimClock({ start: Date.UTC(2026, 10, 21, 9) })
  const network = createNetwork({ clock, random: random(7) })
  const objects = new Objects()
  const deps: ProgramDeps = { network, connect: () => objects.client() }
  const all = programs(deps)
  const calls = tools(network)
  const machines = new Map<string, Machine>()
  const nodes = [
    ['lab-control-plane', '172.19.0.4', '10.244.0.0/24'],
    ['lab-worker', '172.19.0.5', '10.244.2.0/24'],
    ['lab-worker2', '172.19.0.3', '10.244.1.0/24'],
  ] as const
  const machine = (name: string, address: string) => {
    const files = filesBelow(join(dir, name))
    const net = network.addMachine(name, address)
    files.write('/etc/resolv.conf', 'nameserver 172.19.0.1\noptions ndots:0\n')
    for (const plugin of ['flannel', 'bridge', 'host-local', 'portmap', 'loopback', 'ptp'])
      files.write(`/opt/cni/bin/${plugin}`, `#!/simulated/cni/${plugin}\n`, 0o755)
    machines.set(name, { name, place: name, address, clock, files, net } as unknown as Machine)
    return files
  }
  for (const [name, address, cidr] of nodes) {
    machine(name, address)
    objects.put('v1/nodes', {
      metadata: { name },
      spec: { podCIDR: cidr, podCIDRs: [cidr] },
      status: { addresses: [{ type: 'InternalIP', address }] },
    })
  }
  const hooks = (node: string) => cni(network, node, (machines.get(node) as Machine).files)
  let count = 0
  const pod = (node: string) => {
    count += 1
    return hooks(node).add({
      sandboxId: String(count).padStart(64, '0'),
      namespace: 'default',
      name: `pod-${count}`,
      uid: String(count),
      portMappings: [],
    })
  }
  /** runs a program with a root of its own; `root` is filled by `files` */
  const start = (
    node: string,
    argv: readonly string[],
    options: {
      files?: Record<string, string>
      net?: Netns
      env?: Record<string, string>
      root?: Files
      security?: ContainerContext['security']
    } = {},
  ): Started => {
    const on = machines.get(node) as Machine
    count += 1
    const files = options.root ?? filesBelow(join(dir, `container-${count}`))
    for (const [path, text] of Object.entries(options.files ?? {})) files.write(path, text)
    const started = { lines: [] as string[], code: undefined as number | undefined, memory: 0 }
    const context: ContainerContext = {
      clock,
      machine: on,
      net: options.net ?? on.net,
      pid: 1000 + count,
      containerId: 'c'.repeat(64),
      argv,
      env: options.env ?? {},
      cwd: '/',
      files,
      security: options.security ?? { uid: 0, privileged: true, capabilities: [] },
      pod: { namespace: 'default', name: `pod-${count}`, uid: '', hostNetwork: options.net === undefined },
      log: (text) => started.lines.push(...text.replace(/\n$/, '').split('\n')),
      exit: (code) => {
        started.code ??= code
      },
      memory: (bytes) => {
        started.memory = bytes
      },
    }
    const running = (all[(argv[0] as string).split('/').at(-1) as string] as Program)(context)
    return Object.assign(started, running)
  }
  const run = async (node: string, line: string, options: { net?: Netns; files?: Files } = {}) => {
    const on = machines.get(node) as Machine
    const argv = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? (match[2] as string))
    let out = ''
    let err = ''
    const tool = calls[argv[0] as string] as Tool
    const done = tool({
      place: { machine: on, net: options.net ?? on.net, files: options.files ?? on.files },
      argv,
      cwd: '/',
      env: {},
      uid: 0,
      clock,
      stdin: (async function* () {})(),
      out: (text) => {
        out += Buffer.from(text as Uint8Array).toString('utf8')
      },
      err: (text) => {
        err += Buffer.from(text as Uint8Array).toString('utf8')
      },
      signal: new AbortController().signal,
    })
    let code: number | undefined
    void done.then((value) => {
      code = value
    })
    await clock.skip(() => code !== undefined, 600_000)
    return { code, out, err }
  }
  const flannelConf = JSON.stringify({ Network: '10.244.0.0/16', EnableNFTables: false, Backend: { Type: 'vxlan' } })
  const conflist = JSON.stringify({
    name: 'cbr0',
    cniVersion: '0.3.1',
    plugins: [
      { type: 'flannel', delegate: { hairpinMode: true, isDefaultGateway: true } },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  })
  /** Flannel on a node, as its pod starts it: /run/flannel and /etc/cni/net.d are the machine's */
  const flannel = (node: string): Started => {
    const { files } = machines.get(node) as Machine
    files.write('/etc/cni/net.d/10-flannel.conflist', conflist)
    files.write('/etc/kube-flannel/net-conf.json', flannelConf)
    return start(node, ['/opt/bin/flanneld', '--ip-masq', '--kube-subnet-mgr'], { root: files, env: { NODE_NAME: node } })
  }
  const proxyConf = (kubeconfig: string) =>
    `apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nclientConnection:\n  kubeconfig: ${kubeconfig}\nclusterCIDR: 10.244.0.0/16\niptables:\n  minSyncPeriod: 1s\nmode: iptables\n`
  const proxy = (node: string, kubeconfig = '/var/lib/kube-proxy/kubeconfig.conf'): Started =>
    start(node, ['/usr/local/bin/kube-proxy', '--config=/var/lib/kube-proxy/config.conf', `--hostname-override=${node}`], {
      files: { '/var/lib/kube-proxy/config.conf': proxyConf(kubeconfig) },
    })
  const service = (
    name: string,
    clusterIP: string,
    port: number,
    endpoints: { ip: string; node: string }[],
    spec: KubeObject = {},
    targetPort = 80,
    portName?: string,
    protocol = 'TCP',
  ) => {
    const named = portName === undefined ? {} : { name: portName }
    objects.put('v1/services', {
      metadata: { name, namespace: 'default' },
      spec: {
        type: 'ClusterIP',
        clusterIP,
        ports: [{ ...named, port, protocol, targetPort, ...(spec.nodePort ? { nodePort: spec.nodePort } : {}) }],
        selector: { app: name },
        ...spec,
      },
    })
    objects.put('discovery.k8s.io/v1/endpointslices', {
      metadata: { name: `${name}-x`, namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ name: portName ?? '', port: targetPort, protocol }],
      endpoints: endpoints.map(({ ip, node }) => ({
        addresses: [ip],
        nodeName: node,
        conditions: { ready: true, serving: true, terminating: false },
      })),
    })
  }
  const settle = (ms = 3000) => clock.skip(() => false, ms)
  return {
    dir,
    clock,
    network,
    objects,
    deps,
    machines,
    hooks,
    pod,
    start,
    run,
    flannel,
    proxy,
    service,
    settle,
    close: () => rmSync(dir, { recursive: true, force: true }),
  }
}
export const nginxFiles = {
  '/etc/nginx/nginx.conf': 'events { worker_connections 1024; }\nhttp { include /etc/nginx/conf.d/*.conf; }\n',
  '/etc/nginx/conf.d/default.conf': 'server {\n  listen 80;\n  location / { root /usr/share/nginx/html; index index.html; }\n}\n',
  '/usr/share/nginx/html/index.html': '<h1>Welcome to nginx!</h1>\n',
}
