// The kubelet of one machine, as systemd runs it: reads its flags and files, registers its node, works on the pods that are assigned to it and on its
// static ones. Containers outlive it. What one pod needs is in worker.ts, what it says of its node in node.ts.
import type { X509Certificate } from 'node:crypto'
import type { Clock, Timer } from '../clock.ts'
import { recorder } from '../events.ts'
import { type Client, type KubeObject, type Subscription, Unreachable } from '../kube.ts'
import type { Daemon, DaemonContext, Machine } from '../machine.ts'
import type { Network } from '../net.ts'
import type { ClientCertificate } from '../node/kubeconfig.ts'
import { certificates, distrust } from '../pki.ts'
import type { Random } from '../random.ts'
import { goDuration } from './backoff.ts'
import { ClientCertificates } from './certificates.ts'
import { type Configuration, configure, StartFailure, StartPanic } from './config.ts'
import { Evictions } from './eviction.ts'
import type { Kit } from './kit.ts'
import { NodeStatus, observe } from './node.ts'
import { type Known, mirrorOf, staticPods } from './statics.ts'
import { isStatic } from './status.ts'
import type { Runtime } from './types.ts'
import { PodWorker, type WorkerMemory } from './worker.ts'

export interface KubeletOptions {
  machine: Machine
  runtime: Runtime
  network: Network
  /** a Client by a kubeconfig file of this machine, which shows `own` in place of the file's certificate; throws Error with Go's words when the file is of no use */
  connect(kubeconfigPath: string, own?: () => ClientCertificate | undefined): Client
  clock: Clock
  random: Random
  /** programs what the kubelet itself puts into the machine's packet filter, at each start */
  rules?(): void
  /** default v1.35.4 */
  version?: string
  /** asked at each start: whether this one only goes on where a snapshot was taken, of which nobody is to hear */
  resumed?(): boolean
}

/** What systemd starts as /usr/bin/kubelet. Its arguments are those of the unit as it stands at each start. */
export function createKubelet(options: KubeletOptions): (context: DaemonContext) => Daemon {
  return (context) => {
    const kubelet = new Kubelet(options, context)
    kubelet.start()
    return kubelet
  }
}

/** Kubelets that run now, by their machine: what the API server reaches on port 10250. */
const running = new WeakMap<Machine, Kubelet>()
export const kubeletOn = (machine: Machine): Kubelet | undefined => running.get(machine)

export class Kubelet implements Daemon {
  readonly #options: KubeletOptions
  readonly #context: DaemonContext
  readonly #workers = new Map<string, PodWorker>()
  readonly #timers = new Set<Timer>()
  readonly #watches: { stop(): void }[] = []
  #config: Configuration | undefined
  #client: Client | undefined
  #certificates: ClientCertificates | undefined
  #node: NodeStatus | undefined
  #evictions: Evictions | undefined
  #event: ReturnType<typeof recorder> | undefined
  #subscription: Subscription | undefined
  #networkProblem: string | undefined = 'container runtime status check may not have completed yet'
  #runtimeSeen = 0
  #stopped = false
  /** pods of the API by uid, mirrors left out */
  readonly #fromApi = new Set<string>()
  #statics = new Map<string, KubeObject>()
  #listed = false
  #mirrorRetry = false
  #pulling: Promise<void> = Promise.resolve()
  readonly #manifests: Known = new Map()
  /** of the pods, when this one goes on for a kubelet of a snapshot */
  #memory: Readonly<Record<string, WorkerMemory>> = {}

  constructor(options: KubeletOptions, context: DaemonContext) {
    this.#options = options
    this.#context = context
  }
  /** the pod as this kubelet knows it, by namespace and name */
  pod(namespace: string, name: string): PodWorker | undefined {
    return [...this.#workers.values()].filter((one) => one.pod.metadata.name === name && one.pod.metadata.namespace === namespace).pop()
  }

  /** The configuration it goes by, as /configz tells it: of the real one's fields those that the simulated kubelet has. */
  configz(): Record<string, unknown> {
    const { config } = this
    return {
      kind: 'KubeletConfiguration',
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      enableServer: true,
      staticPodPath: config.staticPodPath,
      syncFrequency: goDuration(config.syncMs),
      fileCheckFrequency: goDuration(config.fileCheckMs),
      port: config.port,
      authentication: { x509: { clientCAFile: config.clientCAFile }, anonymous: { enabled: config.anonymous } },
      authorization: { mode: config.authorizationMode },
      clusterDomain: config.clusterDomain,
      clusterDNS: config.clusterDNS,
      nodeStatusUpdateFrequency: goDuration(config.nodeStatusUpdateMs),
      nodeStatusReportFrequency: goDuration(config.nodeStatusReportMs),
      nodeLeaseDurationSeconds: config.leaseSeconds,
      maxPods: config.maxPods,
      resolvConf: config.resolvConf,
      registerNode: config.registerNode,
      containerRuntimeEndpoint: config.runtimeEndpoint,
    }
  }
  /** Who may ask it for logs and the like: 401 without a certificate that its client CA vouches for, 403 for nobody in particular. */
  refuses(certificate: X509Certificate | undefined): 401 | 403 | undefined {
    const { machine, clock } = this.#options
    const { clientCAFile, anonymous, authorizationMode } = this.config
    const authorities = clientCAFile ? certificates(machine.files.text(clientCAFile) ?? '') : []
    if (certificate && distrust(certificate, authorities, clock.now()) === undefined) return undefined
    if (!anonymous) return 401
    return authorizationMode === 'AlwaysAllow' ? undefined : 403
  }

  start(): void {
    const { machine } = this.#options
    try {
      this.#begin(machine.units.command('kubelet').argv)
    } catch (error) {
      if (!(error instanceof StartFailure)) throw error
      if (error instanceof StartPanic) {
        this.#context.log(`panic: ${error.message}`, 3)
        this.#leave()
        this.#options.clock.after(30, () => this.#context.exit(2))
        return
      }
      const text = error.message
      this.#log(
        'E',
        'run.go:72',
        `"command failed" err=${text.includes('\n') ? `<\n\t${text.replaceAll('\n', '\n\t')}\n >` : JSON.stringify(text)}`,
      )
      this.#leave()
      // After the daemon is known to whoever started it.
      this.#options.clock.after(30, () => this.#context.exit(1))
    }
  }
  #begin(argv: readonly string[]): void {
    const { machine, runtime, clock, random, connect, version = 'v1.35.4' } = this.#options
    const config = configure(machine.files, argv, { hostname: machine.name, address: machine.address })
    this.#config = config
    for (const warning of config.warnings) this.#log('I', 'codec.go:102', warning)
    this.#log('I', 'server.go:525', `"Kubelet version" kubeletVersion=${JSON.stringify(version)}`)
    this.#log('I', 'server.go:527', '"Golang settings" GOGC="" GOMAXPROCS="" GOTRACEBACK=""')
    if (config.kubeconfig) {
      if (!config.rotateCertificates && !machine.files.exists(config.kubeconfig)) {
        const missing = (path: string) => `stat ${path}: no such file or directory`
        if (config.bootstrapKubeconfig && !machine.files.exists(config.bootstrapKubeconfig))
          throw new StartFailure(`failed to run Kubelet: unable to load bootstrap kubeconfig: ${missing(config.bootstrapKubeconfig)}`)
        throw new StartFailure(`failed to run Kubelet: invalid kubeconfig: ${missing(config.kubeconfig)}`)
      }
      if (config.rotateCertificates) {
        try {
          this.#certificates = new ClientCertificates({
            files: machine.files,
            clock,
            random,
            config,
            connect,
            log: (severity, file, text) => this.#log(severity, file, text),
          })
        } catch (error) {
          throw new StartFailure(`failed to run Kubelet: ${(error as Error).message}`)
        }
      }
      try {
        this.#client = this.#connect()
      } catch (error) {
        if (!(error instanceof Unreachable))
          throw new StartFailure(`failed to run Kubelet: invalid kubeconfig: ${(error as Error).message}`)
      }
    }
    if (config.clientCAFile) {
      const text = machine.files.text(config.clientCAFile)
      const why =
        text === undefined
          ? `open ${config.clientCAFile}: no such file or directory`
          : certificates(text).length === 0
            ? 'data does not contain any valid RSA or ECDSA certificates'
            : undefined
      if (why !== undefined)
        throw new StartFailure(`failed to construct kubelet dependencies: unable to load client CA file ${config.clientCAFile}: ${why}`)
    }
    const socket = config.runtimeEndpoint
    const path = socket.replace(/^unix:\/\//, '')
    const there = isContainerd(machine.files, path)
    if (!runtime.running || !there) {
      const why = there ? 'connection refused' : 'no such file or directory'
      throw new StartFailure(
        `failed to run Kubelet: validate service connection: validate CRI v1 runtime API for endpoint ${JSON.stringify(socket)}: rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix ${path}: connect: ${why}"`,
      )
    }

    const resumed = this.#options.resumed?.() ?? false
    running.set(machine, this)
    if (resumed) this.#memory = (runtime.remembered as Record<string, WorkerMemory> | undefined) ?? {}
    runtime.remember = () => Object.fromEntries([...this.#workers].map(([uid, one]) => [uid, one.save()]))
    const client = (): Client => {
      if (this.#client) return this.#client
      if (!config.kubeconfig) throw new Unreachable('the kubelet runs without an API server')
      this.#client = this.#connect()
      return this.#client
    }
    const safe: Client = lazy(client)
    this.#event = recorder(safe, clock, random, { component: 'kubelet', host: config.hostname })
    const say = (type: 'Normal' | 'Warning', reason: string, message: string) =>
      this.#event?.({ kind: 'Node', name: config.hostname, uid: config.hostname, apiVersion: 'v1' }, type, reason, message)
    this.#node = new NodeStatus({
      machine,
      runtime,
      config,
      clock,
      random,
      kubeletVersion: version,
      client,
      event: say,
      log: (severity, file, text) => this.#log(severity, file, text),
      problems: () => this.#problems(),
      under: (pressure) => this.#evictions?.under(pressure) ?? false,
    })
    this.#evictions = new Evictions({
      clock,
      thresholds: config.evictionThresholds,
      transitionMs: config.evictionTransitionMs,
      observe: (signal) => observe(machine, signal),
      active: () =>
        [...this.#workers.values()].filter((one) => !one.done && !over(one.status.phase) && !one.pod.metadata.deletionTimestamp),
      event: say,
      log: (severity, file, text) => this.#log(severity, file, text),
    })
    const node = this.#node
    this.#log('I', 'kubelet.go:482', '"Attempting to sync node with API server"')
    if (config.staticPodPath) this.#log('I', 'kubelet.go:383', `"Adding static pod path" path=${JSON.stringify(config.staticPodPath)}`)
    if (this.#client) this.#log('I', 'kubelet.go:394', '"Adding apiserver pod source"')
    this.#log(
      'I',
      'kuberuntime_manager.go:294',
      `"Container runtime initialized" containerRuntime="containerd" version=${JSON.stringify(runtime.version)} apiVersion="v1"`,
    )
    this.#log('I', 'server.go:1257', '"Started kubelet"')
    this.#log('I', 'server.go:182', `"Starting to listen" address="0.0.0.0" port=${config.port}`)
    try {
      this.#watches.push({
        stop: (
          (listener) => () =>
            listener.close()
        )(
          machine.net.listen({
            protocol: 'tcp',
            address: '0.0.0.0',
            port: config.port,
            tls: true,
            program: { name: 'kubelet', pid: this.#context.pid },
            // Authentication comes first for all that is served, and who asks without a certificate is nobody.
            http: ({ path }) => {
              const there =
                /^\/(healthz|metrics|pods|runningpods|logs?|stats|configz|containerLogs|exec|attach|run|portForward|checkpoint|debug|spec)\b/.test(
                  path,
                )
              return {
                status: there ? 401 : 404,
                headers: { 'content-type': 'text/plain; charset=utf-8' },
                body: Buffer.from(there ? 'Unauthorized' : '404 page not found\n'),
              }
            },
          }),
        ),
      })
      const healthz = machine.net.listen({
        protocol: 'tcp',
        address: '127.0.0.1',
        port: 10248,
        program: { name: 'kubelet', pid: this.#context.pid },
        http: ({ path }) => ({
          status: path === '/healthz' ? 200 : 404,
          headers: { 'content-type': 'text/plain; charset=utf-8' },
          body: Buffer.from(path === '/healthz' ? 'ok' : '404 page not found\n'),
        }),
      })
      this.#watches.push({ stop: () => healthz.close() })
    } catch (error) {
      this.#log(
        'E',
        'server.go:198',
        `"Failed to listen and serve" err=${JSON.stringify(`listen tcp 0.0.0.0:${config.port}: ${(error as Error).message}`)}`,
      )
      throw new StartFailure(`failed to run Kubelet: listen tcp 0.0.0.0:${config.port}: ${(error as Error).message}`)
    }
    this.#options.rules?.()
    for (const protocol of ['IPv4', 'IPv6'])
      this.#log('I', 'kubelet_network_linux.go:54', `"Initialized iptables rules." protocol="${protocol}"`)
    this.#log('I', 'status_manager.go:249', '"Starting to sync pod status with apiserver"')
    this.#log('I', 'kubelet.go:2501', '"Starting kubelet main sync loop"')
    this.#watches.push(runtime.onChange((uid) => this.#workers.get(uid)?.poke(50 + random.int(900))))

    this.#look()
    this.#every(5000, () => this.#look())
    this.#readStatics()
    if (config.staticPodPath) {
      this.#watches.push(machine.files.watch(config.staticPodPath, () => this.#in(300 + random.int(700), () => this.#readStatics())))
      this.#every(config.fileCheckMs, () => this.#readStatics())
    }
    if (config.kubeconfig) {
      if (!resumed) say('Normal', 'Starting', 'Starting kubelet.')
      if (!resumed)
        say(
          'Warning',
          'CgroupV1',
          'cgroup v1 detected. cgroup v1 support is deprecated and will be removed in a future release. Please migrate to cgroup v2. More information at https://git.k8s.io/enhancements/keps/sig-node/5573-remove-cgroup-v1',
        )
      for (const reason of resumed ? [] : ['NodeHasSufficientMemory', 'NodeHasNoDiskPressure', 'NodeHasSufficientPID'])
        say('Normal', reason, `Node ${config.hostname} status is now: ${reason}`)
      if (config.registerNode) this.#register(100)
      else node.report()
      if (!resumed) say('Normal', 'NodeAllocatableEnforced', 'Updated Node Allocatable limit across pods')
      this.#every(config.nodeStatusUpdateMs, () => node.report())
      this.#evictions.start()
      // A lease is renewed four times in its life.
      this.#in(200 + random.int(600), () => node.renew())
      this.#every((config.leaseSeconds * 1000) / 4, () => node.renew())
      this.#follow(safe)
    }
  }
  #connect(): Client {
    const own = this.#certificates
    return this.#options.connect(this.config.kubeconfig, own && (() => own.current()))
  }
  /** Backs off 100 ms, doubled up to 7 s, until the API has the node. */
  #register(ms: number): void {
    if (this.#node?.register()) {
      this.#node.report()
      this.#mirrors()
      return
    }
    this.#in(ms, () => this.#register(Math.min(ms * 2, 7000)))
  }
  #follow(client: Client): void {
    const { config } = this
    const begin = () => {
      try {
        this.#subscription = client.follow(
          'v1/pods',
          { fieldSelector: `spec.nodeName=${config.hostname}` },
          {
            reset: (items) => this.#reset(items),
            event: ({ type, object }) => this.#seen(type, object),
            broken: (error) =>
              this.#log(
                'E',
                'reflector.go:205',
                `"Failed to watch" err=${JSON.stringify(`failed to list *v1.Pod: ${error.message}`)} reflector="k8s.io/kubernetes/pkg/kubelet/config/apiserver.go:66" type="*v1.Pod"`,
              ),
          },
        )
      } catch (error) {
        this.#log(
          'E',
          'reflector.go:205',
          `"Failed to watch" err=${JSON.stringify(`failed to list *v1.Pod: ${(error as Error).message}`)} type="*v1.Pod"`,
        )
        this.#in(1000, begin)
      }
    }
    begin()
  }
  get config(): Configuration {
    return this.#config as Configuration
  }

  stop(): void {
    this.#leave()
  }
  #leave(): void {
    this.#stopped = true
    if (running.get(this.#options.machine) === this) {
      running.delete(this.#options.machine)
      this.#options.runtime.remember = undefined
    }
    this.#subscription?.stop()
    this.#certificates?.stop()
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    for (const watch of this.#watches.splice(0)) watch.stop()
    this.#evictions?.stop()
    for (const worker of this.#workers.values()) worker.stop()
  }
  #in(ms: number, run: () => void): void {
    if (this.#stopped) return
    const timer = this.#options.clock.after(ms, () => {
      this.#timers.delete(timer)
      if (!this.#stopped) run()
    })
    this.#timers.add(timer)
  }
  #every(ms: number, run: () => void): void {
    this.#in(ms, () => {
      run()
      this.#every(ms, run)
    })
  }
  #log(severity: 'I' | 'W' | 'E', file: string, text: string): void {
    if (this.#stopped && severity !== 'E') return
    const date = new Date(this.#options.clock.now())
    const two = (value: number) => String(value).padStart(2, '0')
    const stamp = `${two(date.getUTCMonth() + 1)}${two(date.getUTCDate())} ${date.toISOString().slice(11, 23)}${String(this.#options.random.int(1000)).padStart(3, '0')}`
    this.#context.log(
      `${severity}${stamp} ${String(this.#context.pid).padStart(7)} ${file}] ${text}`,
      severity === 'E' ? 3 : severity === 'W' ? 4 : 6,
    )
  }

  // ---- the runtime's state

  /** Every 5 s (updateRuntimeUp). */
  #look(): void {
    const { runtime, clock } = this.#options
    const before = this.#networkProblem
    try {
      const conditions = runtime.conditions()
      const network = conditions.find((one) => one.type === 'NetworkReady')
      this.#runtimeSeen = clock.now()
      this.#networkProblem = network?.status
        ? undefined
        : `container runtime network not ready: NetworkReady=false reason:${network?.reason} message:${network?.message}`
      if (this.#networkProblem !== undefined)
        this.#log(
          'E',
          'kubelet.go:3130',
          `"Container runtime network not ready" networkReady=${JSON.stringify(`NetworkReady=false reason:${network?.reason} message:${network?.message}`)}`,
        )
    } catch (error) {
      this.#log('E', 'kubelet.go:3110', `"Container runtime sanity check failed" err=${JSON.stringify((error as Error).message)}`)
    }
    // As soon as it is well the node says so.
    if (before !== undefined && this.#networkProblem === undefined && this.#node?.registered && !this.#node.ready) this.#node.report()
  }
  #problems(): string[] {
    const { clock } = this.#options
    const wrong: string[] = []
    if (clock.now() - this.#runtimeSeen > 30_000) wrong.push('container runtime is down')
    if (this.#networkProblem !== undefined) wrong.push(this.#networkProblem)
    return wrong
  }

  // ---- pods

  #kit(): Kit {
    const { machine, runtime, network, clock, random } = this.#options
    const config = this.config
    return {
      machine,
      runtime,
      network,
      clock,
      random,
      config,
      nodeName: config.hostname,
      hostIP: config.nodeIP,
      client: () => {
        if (!this.#client) this.#client = this.#connect()
        return this.#client
      },
      event: (pod, type, reason, message, fieldPath) => {
        if (this.#stopped) return
        const { name, namespace, uid, resourceVersion } = pod.metadata
        this.#event?.(
          {
            kind: 'Pod',
            namespace,
            name,
            uid,
            apiVersion: 'v1',
            ...(resourceVersion ? { resourceVersion } : {}),
            ...(fieldPath ? { fieldPath } : {}),
          },
          type,
          reason,
          message,
        )
      },
      log: (severity, file, text) => this.#log(severity, file, text),
      networkError: () => this.#networkProblem,
      serially: (run) => {
        const mine = this.#pulling.then(run)
        this.#pulling = mine.then(
          () => {},
          () => {},
        )
        return mine
      },
      ended: (uid) => this.#ended(uid),
    }
  }
  #add(pod: KubeObject): void {
    if (this.#stopped) return
    const worker = new PodWorker(this.#kit(), pod, this.#memory[pod.metadata.uid])
    this.#workers.set(pod.metadata.uid, worker)
    const refused = this.#admit(pod)
    if (refused) worker.reject(refused.reason, refused.message)
    worker.update(pod)
  }
  /** What the kubelet checks before it starts anything (lifecycle/predicate.go). */
  #admit(pod: KubeObject): { reason: string; message: string } | undefined {
    if (isStatic(pod) || pod.status?.startTime || pod.metadata.deletionTimestamp) return undefined
    const short = this.#evictions?.refuses(pod)
    if (short !== undefined) return { reason: 'Evicted', message: `Pod was rejected: ${short}` }
    const active = [...this.#workers.values()].filter(
      (one) => !one.done && one.status.phase !== 'Succeeded' && one.status.phase !== 'Failed' && one.pod !== pod,
    )
    if (active.length >= this.config.maxPods + 1)
      return {
        reason: 'OutOfpods',
        message: `Pod was rejected: Node didn't have enough resource: pods, requested: 1, used: ${active.length - 1}, capacity: ${this.config.maxPods}`,
      }
    let labels: Record<string, string> | undefined
    try {
      labels = this.#client?.find('v1/nodes', this.config.hostname)?.metadata.labels
    } catch {
      return undefined
    }
    for (const [key, value] of Object.entries(pod.spec.nodeSelector ?? {}))
      if (labels && labels[key] !== value)
        return {
          reason: 'NodeAffinity',
          message: "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
        }
    return undefined
  }
  #reset(items: readonly KubeObject[]): void {
    this.#listed = true
    const uids = new Set(items.map((one) => one.metadata.uid))
    for (const uid of [...this.#fromApi]) if (!uids.has(uid)) this.#lost(uid)
    for (const pod of items) this.#seen('ADDED', pod)
    this.#orphans()
    this.#mirrors()
  }
  #seen(type: 'ADDED' | 'MODIFIED' | 'DELETED', pod: KubeObject): void {
    const { uid } = pod.metadata
    if (pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) {
      this.#mirror(type, pod)
      return
    }
    if (type === 'DELETED') {
      this.#lost(uid)
      return
    }
    const known = this.#workers.get(uid)
    this.#fromApi.add(uid)
    if (!known) {
      // What has ended for good is not taken up again, except to be deleted.
      this.#add(pod)
      return
    }
    // Its own words about the pod come back; they ask for nothing.
    const news =
      known.pod.metadata.generation !== pod.metadata.generation ||
      known.pod.metadata.deletionTimestamp !== pod.metadata.deletionTimestamp ||
      known.pod.metadata.deletionGracePeriodSeconds !== pod.metadata.deletionGracePeriodSeconds ||
      JSON.stringify(known.pod.metadata.annotations) !== JSON.stringify(pod.metadata.annotations)
    const gates =
      known.pod.spec.readinessGates?.length && JSON.stringify(known.pod.status?.conditions) !== JSON.stringify(pod.status?.conditions)
    if (news) known.update(pod)
    else known.pod = pod
    if (gates) known.poke(0)
  }
  #lost(uid: string): void {
    this.#fromApi.delete(uid)
    const worker = this.#workers.get(uid)
    if (!worker) return
    if (worker.done) this.#workers.delete(uid)
    else worker.remove()
  }
  #ended(uid: string): void {
    if (this.#fromApi.has(uid)) return
    this.#workers.delete(uid)
    // A static pod whose manifest changed begins when its predecessor is gone.
    for (const pod of this.#statics.values()) if (!this.#workers.has(pod.metadata.uid)) this.#add(pod)
    this.#mirrors()
  }
  /** Containers of pods that nobody knows any more end. */
  #orphans(): void {
    const { runtime } = this.#options
    let sandboxes: ReturnType<Runtime['sandboxes']>
    try {
      sandboxes = runtime.sandboxes()
    } catch {
      return
    }
    for (const { config } of sandboxes) {
      if (this.#workers.has(config.uid) || !this.#listed) continue
      const worker = new PodWorker(this.#kit(), {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: config.name, namespace: config.namespace, uid: config.uid, annotations: config.annotations },
        spec: {
          nodeName: this.config.hostname,
          hostNetwork: config.hostNetwork,
          containers: [...new Set(runtime.containers().map((one) => one.config))]
            .filter((one) => one.labels['io.kubernetes.pod.uid'] === config.uid)
            .map((one) => ({ name: one.name, image: one.image })),
        },
        status: {},
      })
      this.#workers.set(config.uid, worker)
      worker.remove()
    }
  }

  // ---- static pods

  #readStatics(): void {
    const { machine, clock } = this.#options
    const { staticPodPath, hostname } = this.config
    if (!staticPodPath) return
    const { pods, problems } = staticPods(machine.files, staticPodPath, hostname, clock.now(), this.#manifests)
    for (const problem of problems) this.#log('E', 'file.go:187', problem)
    const before = this.#statics
    this.#statics = new Map(pods.map((pod) => [pod.metadata.uid as string, pod]))
    for (const [uid] of before) if (!this.#statics.has(uid)) this.#workers.get(uid)?.remove()
    for (const [uid, pod] of this.#statics) {
      if (this.#workers.has(uid)) continue
      const name = `${pod.metadata.namespace}/${pod.metadata.name}`
      const older = [...this.#workers.values()].some(
        (one) => isStatic(one.pod) && !one.done && `${one.pod.metadata.namespace}/${one.pod.metadata.name}` === name,
      )
      if (!older) this.#add(pod)
    }
    // Those of an earlier kubelet process whose manifest went meanwhile.
    if (before.size === 0) this.#staticOrphans()
    this.#mirrors()
  }
  #staticOrphans(): void {
    if (!this.#options.runtime.running) return
    for (const { config } of this.#options.runtime.sandboxes())
      if (
        config.annotations['kubernetes.io/config.source'] === 'file' &&
        !this.#statics.has(config.uid) &&
        !this.#workers.has(config.uid)
      ) {
        const worker = new PodWorker(this.#kit(), {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: config.name, namespace: config.namespace, uid: config.uid, annotations: config.annotations },
          spec: {
            hostNetwork: config.hostNetwork,
            containers: this.#options.runtime
              .containers()
              .filter((one) => one.config.labels['io.kubernetes.pod.uid'] === config.uid)
              .map((one) => ({ name: one.config.name, image: one.config.image })),
          },
          status: {},
        })
        this.#workers.set(config.uid, worker)
        worker.remove()
      }
  }
  /** Every static pod has its mirror in the API, and no mirror is without its pod. */
  #mirrors(): void {
    if (!this.#listed || !this.#node?.registered) return
    const client = this.#client
    if (!client) return
    const wanted = new Map([...this.#statics.values()].map((pod) => [`${pod.metadata.namespace}/${pod.metadata.name}`, pod]))
    try {
      for (const pod of client.list('v1/pods', { fieldSelector: `spec.nodeName=${this.config.hostname}` }).items) {
        const hash = pod.metadata.annotations?.['kubernetes.io/config.mirror']
        if (hash === undefined) continue
        const own = wanted.get(`${pod.metadata.namespace}/${pod.metadata.name}`)
        if (own?.metadata.uid === hash && !pod.metadata.deletionTimestamp) {
          wanted.delete(`${pod.metadata.namespace}/${pod.metadata.name}`)
          continue
        }
        // While its containers end it stays.
        if (!own && this.#workers.has(hash)) continue
        client.delete('v1/pods', pod.metadata.name, pod.metadata.namespace, {
          gracePeriodSeconds: 0,
          preconditions: { uid: pod.metadata.uid },
        })
      }
      const node = client.find('v1/nodes', this.config.hostname)
      for (const pod of wanted.values()) {
        if (!this.#workers.has(pod.metadata.uid)) continue
        client.create('v1/pods', mirrorOf(pod, node))
        this.#workers.get(pod.metadata.uid)?.poke(100)
      }
    } catch (error) {
      this.#log('E', 'kubelet.go:3342', `"Failed creating a mirror pod" err=${JSON.stringify((error as Error).message)}`)
      // One retry at a time, however often it is asked for meanwhile.
      if (this.#mirrorRetry) return
      this.#mirrorRetry = true
      this.#in(10_000, () => {
        this.#mirrorRetry = false
        this.#mirrors()
      })
    }
  }
  #mirror(type: 'ADDED' | 'MODIFIED' | 'DELETED', pod: KubeObject): void {
    const hash = pod.metadata.annotations['kubernetes.io/config.mirror']
    if (type === 'DELETED' || pod.metadata.deletionTimestamp || !this.#statics.has(hash))
      this.#in(type === 'DELETED' ? 500 : 100, () => this.#mirrors())
  }
}

/** A client whose making may fail each time it is used. */
function lazy(client: () => Client): Client {
  return {
    get user() {
      return client().user
    },
    get: (...args) => client().get(...args),
    find: (...args) => client().find(...args),
    list: (...args) => client().list(...args),
    create: (...args) => client().create(...args),
    update: (...args) => client().update(...args),
    patch: (...args) => client().patch(...args),
    delete: (...args) => client().delete(...args),
    follow: (...args) => client().follow(...args),
  }
}
const over = (phase: string | undefined): boolean => phase === 'Succeeded' || phase === 'Failed'
/** A link to containerd's socket is as good as the socket. */
function isContainerd(files: Machine['files'], path: string): boolean {
  try {
    return files.hostPath(path.replace(/^\/var\/run\//, '/run/')) === files.hostPath('/run/containerd/containerd.sock')
  } catch {
    return false
  }
}
