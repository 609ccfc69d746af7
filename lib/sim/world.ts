// Everything that runs in one lab, built from nothing or from a saved state, and taken down again: machines, network, runtimes, kubelets, the control plane's
// programs, sandboxes. The one place where the parts of the simulation meet. Knows nothing of who uses a lab.
import type { X509Certificate } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { isIP, type Socket } from 'node:net'
import type { StoreDump } from './api/index.ts'
import type { SimClock } from './clock.ts'
import { startLocalPathProvisioner } from './controllers/index.ts'
import type { Client, User } from './kube.ts'
import { createKubelet, createRuntime, crictl, images, kubeletDoor, type Runtime } from './kubelet/index.ts'
import type { Daemon, DaemonContext, Files, Machine } from './machine.ts'
import type { Listener, Netns } from './net.ts'
import {
  cni,
  createNetwork,
  kubeletRules,
  type NetworkState,
  programs as networkPrograms,
  tools as networkTools,
  readQuestion,
  type SimNetwork,
  writeAnswer,
} from './network/index.ts'

import { type ApiEndpoint, connect, nodeNames } from './node/connect.ts'
import { controlPlane, type Serving } from './node/controlplane.ts'
import { type EtcdEndpoint, EtcdMembers } from './node/etcd.ts'
import { filesBelow } from './node/files.ts'
import { bridge, type Front } from './node/front.ts'
import { type SavedMachine, SimMachine } from './node/machine.ts'
import { gateway, type NodeSpec } from './node/template/files.ts'
import { type ControlPlane, kubernetesVersion } from './node/template/manifests.ts'
import { nodeTools, yq } from './node/tools/index.ts'
import type { DaemonProgram } from './node/units.ts'
import { certificates } from './pki.ts'
import type { ProcessHost, Program, Sandbox, Spawned, SpawnRequest, Tool, ToolCall } from './process.ts'
import { type Random, random } from './random.ts'
import { shellTools } from './sandbox/index.ts'

export interface WorldOptions {
  id: string
  cluster: ControlPlane
  nodes: readonly NodeSpec[]
  workstation: { name: string; address: string }
  /** of the host; each machine's files lie in a folder with its place's name */
  dir: string
  seed: number
  clock: SimClock
  processHost: ProcessHost
  front: Front
  log(line: string): void
  saved?: SavedWorld | undefined
}
export interface SavedWorld {
  etcd: Record<string, StoreDump>
  network: NetworkState
  machines: Record<string, { machine: SavedMachine; runtime?: unknown }>
}
type Kubelet = ReturnType<typeof createKubelet>

/** in which a node's services start: those that others need come first */
const bootOrder = ['systemd-journald', 'dbus', 'ssh-host-keys', 'undo-mount-hacks', 'containerd', 'ssh', 'image-mirror.socket', 'kubelet']
const resumeOrder = bootOrder.map((name) => (name.includes('.') ? name : `${name}.service`))

/** name servers: Docker's as an ordinary container finds it, and that of the cluster's pods */
const dockerNames = '127.0.0.11'
const clusterNames = '10.96.0.10'

/** what a workstation has of the tools: those of its real image */
const workstationTools = new Set([
  'yq',
  'curl',
  'wget',
  'dig',
  'host',
  'nslookup',
  'nc',
  'ncat',
  'netcat',
  'ping',
  'traceroute',
  'ip',
  'ss',
  'netstat',
  'route',
  'arp',
  'ifconfig',
  'getent',
  'hostname',
  'ssh',
  'scp',
  'sudo',
  'su',
  'sleep',
  'reboot',
  'shutdown',
  'poweroff',
  'halt',
])

export class World {
  readonly clock: SimClock
  readonly network: SimNetwork
  readonly machines = new Map<string, SimMachine>()
  readonly runtimes = new Map<string, ReturnType<typeof createRuntime>>()
  readonly members: EtcdMembers
  readonly front: Front
  readonly #options: WorldOptions
  readonly #random: Random
  readonly #kubelets = new Map<string, Kubelet>()
  readonly #sandboxes = new Map<string, Promise<Sandbox>>()
  readonly #endpoints = new WeakMap<Listener, ApiEndpoint>()
  readonly #etcdEndpoints = new WeakMap<Listener, EtcdEndpoint>()
  readonly #etcdListeners = new Set<() => void>()
  readonly #connectDeps: Parameters<typeof connect>[0]
  readonly #tools: Readonly<Record<string, Tool>>
  readonly #waiting = new Set<Socket>()
  #serving: Serving | undefined
  #closed = false
  #resuming = false

  constructor(options: WorldOptions) {
    this.#options = options
    const { clock, saved } = options
    this.clock = clock
    this.front = options.front
    this.#random = random(options.seed)
    this.members = new EtcdMembers(clock, this.#random, saved?.etcd)
    this.network = createNetwork({ clock, random: this.#random, ...(saved ? { saved: saved.network } : {}) })
    const names = new Map<string, string>()
    for (const node of options.nodes) names.set(node.name, node.address)
    names.set('workstation', options.workstation.address)
    this.#connectDeps = {
      network: this.network,
      clock,
      endpoints: this.#endpoints,
      resolve: nodeNames(this.network, gateway, names),
    }
    const programs: Record<string, Program> = {
      ...networkPrograms({
        network: this.network,
        connect: (files, path, net) => this.connect(files, path, net),
        volumes: (provisioning) =>
          startLocalPathProvisioner({
            ...provisioning,
            clock,
            random: this.#random,
            directory: (node, path, present) => this.#volume(node, path, present),
          }),
      }),
      ...controlPlane({
        clock,
        random: this.#random,
        network: this.network,
        kubernetesVersion,
        kubelets: kubeletDoor(
          (node) => this.#runtimeOf(node),
          this.network,
          () => this.#shownToKubelets(),
        ),
        members: this.members,
        endpoints: this.#etcdEndpoints,
        apiEndpoints: this.#endpoints,
        connect: (files, path, net, as) => this.connect(files, path, net, as),
        changed: () => {
          for (const listener of [...this.#etcdListeners]) queueMicrotask(listener)
        },
        onEtcd: (listener) => {
          this.#etcdListeners.add(listener)
          return { stop: () => this.#etcdListeners.delete(listener) }
        },
        serving: (serving) => this.#serve(serving),
        bridge,
      }),
    }
    const known = images(programs)
    const small = networkTools(this.network)
    for (const node of options.nodes) this.#addNode(node, known, small)
    this.#addWorkstation()
    this.#tools = {
      ...small,
      crictl: crictl((name) => this.#runtimeOf(name)),
      ...nodeTools({
        cluster: options.cluster,
        connect: (machine, path) => this.connect(machine.files, path, machine.net),
        random: this.#random,
        clock,
        network: this.network,
        members: this.members,
        endpoints: this.#etcdEndpoints,
      }),
      yq: yq((place, request) => this.spawn(place.machine, request)),
      ...shellTools({
        spawn: (place, request) =>
          place.container ? this.#inContainer(place.container.containerId, place.machine, request) : this.spawn(place.machine, request),
        remote: (machine, request) => this.spawn(machine, request),
        resolve: (from, name) => {
          try {
            const address = isIP(name) ? name : this.#connectDeps.resolve(name, from.files, from.net)[0]
            return [...this.machines.values()].find((machine) => machine.address === address)
          } catch {
            return undefined
          }
        },
        reach: (from, to) => {
          const opened = this.network.open(from.net, 'tcp', to.address, 22)
          return { open: undefined, refused: 'Connection refused', timeout: 'Connection timed out', unreachable: 'No route to host' }[
            opened.outcome
          ]
        },
        rate: () => clock.rate,
      }),
    }
  }

  connect(files: Files, path: string, net: Netns, as?: User, own?: Parameters<typeof connect>[5]): Client {
    return connect(this.#connectDeps, files, path, net, as, own)
  }
  /** the API server that runs now; undefined while none does */
  get serving(): Serving | undefined {
    return this.#serving
  }
  #runtimeOf(node: string): ReturnType<typeof createRuntime> | undefined {
    const machine = [...this.machines.values()].find((one) => one.name === node)
    return machine && this.runtimes.get(machine.place)
  }
  /** The API server's certificate for kubelets, as its flags name it where kubeadm has set it up. */
  #shownToKubelets(): X509Certificate | undefined {
    const machine = [...this.machines.values()].find((one) => one.place === 'control-plane')
    return certificates(machine?.files.text('/etc/kubernetes/pki/apiserver-kubelet-client.crt') ?? '')[0]
  }
  /** What a helper pod does on a node; there is none where no pod can run. Removing what is gone already is done. */
  #volume(node: string, path: string, present: boolean): void {
    const machine = [...this.machines.values()].find((one) => one.name === node)
    const runs = ['kubelet', 'containerd'].every((unit) => machine?.units.state(unit).active === 'active')
    if (!machine || !runs) {
      const what = present ? 'create' : 'delete'
      throw new Error(`failed to ${what} volume ${path.split('/').at(-1)?.split('_')[0]}: ${what} process timeout after 120 seconds`)
    }
    if (present) machine.files.mkdir(path, 0o777)
    else machine.files.remove(path)
  }
  #files(place: string): Files {
    const root = `${this.#options.dir}/${place}`
    mkdirSync(root, { recursive: true })
    return filesBelow(root)
  }
  #addNode(node: NodeSpec, known: ReturnType<typeof images>, small: Readonly<Record<string, Tool>>): void {
    const { clock, saved } = this.#options
    const own = saved?.machines[node.place]
    const net = this.network.addMachine(node.name, node.address, { resolver: 'gateway' })
    const daemons: Record<string, DaemonProgram> = {
      '/usr/bin/kubelet': { start: (context) => (this.#kubelets.get(node.place) as Kubelet)(context) },
      '/usr/local/bin/containerd': { start: (context) => (this.runtimes.get(node.place) as Runtime).start(context) },
      '/usr/sbin/sshd': { start: sshd },
      '/usr/local/bin/image-mirror': { start: () => ({ stop: () => {} }) },
    }
    const machine = new SimMachine({
      name: node.name,
      place: node.place,
      address: node.address,
      clock,
      files: this.#files(node.place),
      net,
      invocation: () => this.#random.hex(32),
      programs: daemons,
      saved: own?.machine,
    })
    this.machines.set(node.place, machine)
    const runtime = createRuntime({
      machine,
      cni: cni(this.network, node.name, machine.files),
      netns: (id) => this.network.netns(id),
      images: known,
      processHost: this.#options.processHost,
      tools: small,
      clock,
      random: this.#random,
      ...(own?.runtime === undefined ? {} : { saved: own.runtime }),
    })
    this.runtimes.set(node.place, runtime)
    this.#kubelets.set(
      node.place,
      createKubelet({
        machine,
        runtime,
        network: this.network,
        connect: (path, own) => this.connect(machine.files, path, machine.net, undefined, own),
        clock,
        random: this.#random,
        resumed: () => this.#resuming,
        rules: () => kubeletRules(net),
      }),
    )
  }
  #addWorkstation(): void {
    const { workstation, clock, saved } = this.#options
    const net = this.network.addMachine(workstation.name, workstation.address, { resolver: 'loopback' })
    this.machines.set(
      'workstation',
      new SimMachine({
        name: workstation.name,
        place: 'workstation',
        address: workstation.address,
        clock,
        files: this.#files('workstation'),
        net,
        invocation: () => this.#random.hex(32),
        programs: {},
        saved: saved?.machines.workstation?.machine,
      }),
    )
  }
  async boot(place: string): Promise<void> {
    await (this.machines.get(place) as SimMachine).units.boot(bootOrder)
  }
  /** Goes on where the saved state was taken: control planes first, so that whoever asks the API finds it. */
  async resume(): Promise<void> {
    const { saved } = this.#options
    if (!saved) return
    for (const [place, runtime] of this.runtimes) {
      await runtime.resume()
      const machine = this.machines.get(place) as SimMachine
      this.#resuming = true
      machine.units.resume(saved.machines[place]?.machine.units ?? {}, resumeOrder)
      this.#resuming = false
    }
    await this.front.ready()
  }
  save(): SavedWorld {
    return {
      etcd: this.members.save(),
      network: this.network.save(),
      machines: Object.fromEntries(
        [...this.machines].map(([place, machine]) => [
          place,
          {
            machine: machine.save(),
            ...(this.runtimes.has(place) ? { runtime: this.runtimes.get(place)?.save() } : {}),
          },
        ]),
      ),
    }
  }

  // ---- real connections

  #serve(serving: Serving | undefined): void {
    if (this.#closed) return
    this.#serving = serving
    this.front.serve(serving)
    for (const [place, sandbox] of this.#sandboxes) void sandbox.then((one) => one.listen?.(this.#ports(place))).catch(() => {})
  }
  /** where real clients in a place find the API: refused when nobody serves */
  #ports(place: string): { address: string; port: number }[] {
    if (!this.#serving) return []
    const { port } = this.#serving.listener
    const ports = [
      { address: this.#options.cluster.address, port },
      { address: '10.96.0.1', port: 443 },
    ]
    return place === 'control-plane' ? [...ports, { address: '127.0.0.1', port }] : ports
  }
  /** a real connection out of a sandbox goes where the lab's network lets it go */
  #connection(machine: Machine, to: { address: string; port: number }, socket: Socket): void {
    socket.on('error', () => {})
    const opened = this.network.open(machine.net, 'tcp', to.address, to.port)
    if (opened.outcome === 'open' && opened.listener === this.#serving?.listener) {
      this.front.take(socket)
      return
    }
    if (opened.outcome !== 'timeout') {
      socket.resetAndDestroy()
      return
    }
    // Dropped packets: nobody ever answers.
    this.#waiting.add(socket)
    socket.pause()
    socket.on('close', () => this.#waiting.delete(socket))
  }

  /** A name that a real program asks for, where the machine's own packets to port 53 would end. Whoever gets no answer waits as long as he likes. */
  async #named(machine: Machine, address: string, packet: Uint8Array): Promise<Uint8Array | undefined> {
    const asked = readQuestion(packet)
    if (asked === undefined || !('question' in asked)) return asked
    const opened = this.network.open(machine.net, 'udp', address, 53)
    const answer = opened.outcome === 'open' ? await opened.listener.dns?.(asked.question, `${opened.from}:53`) : undefined
    return answer && writeAnswer(asked, answer)
  }

  // ---- processes

  toolNames(place: string): string[] {
    const names = Object.keys(this.#tools)
    return names.filter((name) => (place === 'workstation' ? workstationTools.has(name) : name !== 'yq'))
  }
  /** runs a simulated tool as it would be called on the machine */
  tool(machine: Machine, name: string, request: Omit<ToolCall, 'place' | 'clock'>): Promise<number> {
    const tool = this.#tools[name]
    if (!tool) {
      request.err(`${name}: command not found\n`)
      return Promise.resolve(127)
    }
    const call: ToolCall = { ...request, place: { machine, net: machine.net, files: machine.files }, clock: this.clock }
    // Not every field of a request is its own: a sandbox's call may have getters.
    return tool(call).catch((error: unknown) => {
      request.err(`${name}: ${error instanceof Error ? error.message : String(error)}\n`)
      return 1
    })
  }
  sandbox(machine: Machine): Promise<Sandbox> {
    if (this.#closed) return Promise.reject(new Error('The lab has been closed.'))
    const { place } = machine
    let opened = this.#sandboxes.get(place)
    if (!opened) {
      opened = this.#options.processHost.open({
        id: `${this.#options.id}-${place}`,
        machine,
        hostname: machine.name,
        ports: this.#ports(place),
        tools: this.toolNames(place),
        call: (tool, request) => this.tool(machine, tool, request),
        connection: (to, socket) => this.#connection(machine, to, socket),
        datagrams: {
          ports: (place === 'workstation' ? [dockerNames] : [gateway, clusterNames]).map((address) => ({ address, port: 53 })),
          answer: ({ address }, packet) => this.#named(machine, address, packet),
        },
      })
      opened.catch(() => this.#sandboxes.delete(place))
      this.#sandboxes.set(place, opened)
    }
    return opened
  }
  async spawn(machine: Machine, request: SpawnRequest): Promise<Spawned> {
    return (await this.sandbox(machine)).spawn(request)
  }
  #inContainer(id: string, machine: Machine, request: SpawnRequest): Promise<Spawned> {
    const runtime = this.runtimes.get(machine.place)
    return runtime ? runtime.spawn(id, request) : Promise.reject(new Error('this machine runs no containers'))
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const sandboxes = [...this.#sandboxes.values()]
    this.#sandboxes.clear()
    for (const socket of this.#waiting) socket.destroy()
    this.#serving = undefined
    this.front.serve(undefined)
    // Real processes take their time to end: what is only simulated ends meanwhile.
    const ended = sandboxes.map((sandbox) => sandbox.then((one) => one.close()).catch(() => {}))
    await Promise.all([...this.machines.values()].map((machine) => machine.units.close()))
    await Promise.all([...this.runtimes.values()].map((runtime) => runtime.close()))
    await Promise.all(ended)
    await this.front.ready()
  }
}

/** The unit ssh: whether one gets in is decided by its port. */
function sshd(context: DaemonContext): Daemon {
  const listening = context.machine.net.listen({
    protocol: 'tcp',
    address: '0.0.0.0',
    port: 22,
    program: { name: 'sshd', pid: context.pid },
    raw: () => Buffer.from('SSH-2.0-OpenSSH_10.0p2 Debian-7\r\n'),
  })
  const six = context.machine.net.listen({ protocol: 'tcp', address: '::', port: 22, program: { name: 'sshd', pid: context.pid } })
  context.log('Server listening on 0.0.0.0 port 22.')
  context.log('Server listening on :: port 22.')
  return {
    stop: () => {
      listening.close()
      six.close()
    },
  }
}
