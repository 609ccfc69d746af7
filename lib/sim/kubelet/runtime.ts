// containerd of one machine, as far as the kubelet and crictl see it: sandboxes, containers, images, their logs as real files. Containers live on while
// containerd's own process does not. Knows nothing of the API server and of pods' specs.
import type { Clock } from '../clock.ts'
import type { Daemon, DaemonContext, Machine } from '../machine.ts'
import type { CniHooks, Netns } from '../net.ts'
import type { ProcessHost, SimImage, Spawned, SpawnRequest, Tool, ToolCall } from '../process.ts'
import type { Random } from '../random.ts'
import { Habitat, Pipe, type Process } from './containers.ts'
import { manifestDigest, parseReference, refusal } from './images.ts'
import { LogWriter, parseLog } from './logs.ts'
import {
  type ContainerConfig,
  type ContainerState,
  type ExecOutput,
  type ExecRequest,
  type ExecStreams,
  type Runtime,
  type RuntimeCondition,
  RuntimeFailure,
  type SandboxConfig,
  type SandboxState,
} from './types.ts'

export interface RuntimeOptions {
  machine: Machine
  cni: CniHooks
  /** of a sandbox, after a snapshot was loaded */
  netns(sandboxId: string): Netns | undefined
  images: readonly SimImage[]
  processHost: ProcessHost
  /** simulated tools that images ship */
  tools?: Readonly<Record<string, Tool>>
  clock: Clock
  random: Random
  /** what `save` gave */
  saved?: unknown
}

interface Live {
  state: ContainerState
  habitat: Habitat | undefined
  process: Process | undefined
  log: LogWriter | undefined
  listeners: Set<(ended: boolean) => void>
  attached: Set<(bytes: Uint8Array | string, stream: 'stdout' | 'stderr') => void>
  ended: (() => void)[]
  execs: Set<Process>
  /** kept for a process that is started again from a snapshot */
  saved?: unknown
}
interface Box {
  state: SandboxState
  net: Netns | undefined
  pid: number
}
interface Saved {
  sandboxes: SandboxState[]
  containers: (ContainerState & { saved?: unknown; rest?: { stdout: string; stderr: string } })[]
  images: string[]
  /** names */
  pulled?: string[]
  kubelet?: unknown
}

const root = '/run/containerd/io.containerd.runtime.v2.task/k8s.io'
const kept = '/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes'
const unavailable =
  'connection error: desc = "transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: connection refused"'

/** Never throws; processes of a loaded runtime start with `resume`. */
export function createRuntime(options: RuntimeOptions): ContainerRuntime {
  return new ContainerRuntime(options)
}

export class ContainerRuntime implements Runtime {
  readonly machine: Machine
  readonly version = 'v2.3.4'
  remember: (() => unknown) | undefined
  readonly remembered: unknown
  readonly #options: RuntimeOptions
  readonly #clock: Clock
  readonly #boxes = new Map<string, Box>()
  readonly #containers = new Map<string, Live>()
  /** names of the images on this machine */
  readonly #present: Set<string>
  /** names of images that a registry has confirmed: only those have a digest of the registry's */
  readonly #pulled: Set<string>
  readonly #changed = new Set<(uid: string) => void>()
  #context: DaemonContext | undefined
  #closed = false
  #stamped = 0
  #nanos = 0

  constructor(options: RuntimeOptions) {
    this.#options = options
    this.machine = options.machine
    this.#clock = options.clock
    const saved = options.saved as Saved | undefined
    this.remembered = saved?.kubelet
    this.#pulled = new Set(saved?.pulled)
    this.#present = new Set(saved?.images ?? options.images.filter((image) => !image.remote).map((image) => image.name))
    for (const state of saved?.sandboxes ?? []) this.#boxes.set(state.id, { state: { ...state }, net: undefined, pid: 0 })
    for (const { saved: own, rest, ...state } of saved?.containers ?? []) {
      const live = this.#live({ ...state, pid: 0 })
      live.saved = own ?? {}
      live.log = this.#writer(state.config, rest)
    }
  }

  /** Starts the processes of a loaded runtime again, silently: no log line, no event, no restart is counted. */
  async resume(): Promise<void> {
    for (const box of this.#boxes.values()) {
      if (!box.state.network && !box.state.config.hostNetwork) continue
      box.net = box.state.config.hostNetwork ? this.machine.net : this.#options.netns(box.state.id)
      if (box.state.ready) box.pid = this.#pausePid(box.state.id)
    }
    for (const live of this.#containers.values()) {
      if (live.state.state !== 'running') continue
      try {
        await this.#launch(live, live.saved ?? {})
      } catch (error) {
        this.#over(live, 255, 'Unknown', (error as Error).message)
      }
    }
  }

  // ---- the daemon

  get running(): boolean {
    return this.#context !== undefined
  }
  start(context: DaemonContext): Daemon {
    this.#context = context
    const missing = this.#options.cni.begin?.()
    if (missing !== undefined)
      this.#say(
        'error',
        'failed to load cni during init, please check CRI plugin status before setting up network for pods',
        ` error=${JSON.stringify(missing)}`,
      )
    this.#say('info', `containerd successfully booted in 0.0${40 + this.#options.random.int(50)}${this.#options.random.int(1000)}s`)
    return {
      stop: () => {
        this.#say('info', 'Stop CRI service')
        this.#context = undefined
      },
    }
  }
  #say(level: 'info' | 'error' | 'warning', message: string, fields = ''): void {
    this.#context?.log(`time="${this.#stamp()}" level=${level} msg=${JSON.stringify(message)}${fields}`)
  }
  /** RFC 3339 with nanoseconds, which a lab's clock does not have: each later than the one before. */
  #stamp(): string {
    const ms = this.#clock.now()
    const { random } = this.#options
    this.#nanos = ms === this.#stamped ? Math.min(999_999, this.#nanos + 1000 + random.int(9000)) : random.int(200_000)
    this.#stamped = ms
    return `${new Date(ms).toISOString().slice(0, 23)}${String(this.#nanos).padStart(6, '0')}Z`
  }
  #ask(): void {
    if (!this.#context) throw new RuntimeFailure(unavailable, 'Unavailable')
  }

  conditions(): RuntimeCondition[] {
    this.#ask()
    const why = this.#options.cni.ready()
    return [
      { type: 'RuntimeReady', status: true, reason: '', message: '' },
      { type: 'NetworkReady', status: why === undefined, reason: why === undefined ? '' : 'NetworkPluginNotReady', message: why ?? '' },
    ]
  }
  sandboxes(): readonly SandboxState[] {
    this.#ask()
    return [...this.#boxes.values()].map((box) => box.state)
  }
  containers(): readonly ContainerState[] {
    this.#ask()
    return [...this.#containers.values()].map((live) => live.state)
  }

  // ---- images

  images(): readonly SimImage[] {
    this.#ask()
    return this.#options.images.filter((image) => this.#present.has(image.name))
  }
  imageStatus(reference: string): SimImage | undefined {
    this.#ask()
    const here = this.images()
    const short = reference.replace(/^sha256:/, '')
    if (/^[0-9a-f]{12,64}$/.test(short)) return here.find((image) => image.digest.slice(7).startsWith(short))
    try {
      const wanted = parseReference(reference)
      return here.find((image) => image.name === wanted.full || (wanted.digest !== '' && image.digest === wanted.digest))
    } catch {
      return undefined
    }
  }
  repoDigests(id: string): readonly string[] {
    return this.images().flatMap((image) =>
      image.digest === id && this.#pulled.has(image.name) ? [`${parseReference(image.name).repository}@${manifestDigest(image.name)}`] : [],
    )
  }
  async pull(reference: string): Promise<SimImage> {
    this.#ask()
    const wanted = parseReference(reference)
    const resolver = /^nameserver\s+(\S+)/m.exec(this.machine.files.text('/etc/resolv.conf') ?? '')?.[1] ?? '127.0.0.1'
    this.#say('info', `PullImage "${reference}"`)
    const refused = refusal(wanted, this.#options.images, resolver)
    await this.#clock.sleep(refused ? 250 + this.#options.random.int(400) : 300)
    if (refused) {
      this.#say(
        'error',
        `PullImage "${reference}" failed`,
        ` error=${JSON.stringify(`rpc error: code = ${refused.code} desc = ${refused.description}`)}`,
      )
      throw new RuntimeFailure(refused.description, refused.code)
    }
    const image = this.#options.images.find((one) => one.name === wanted.full || one.digest === wanted.digest) as SimImage
    // 50 MB in a second.
    if (!this.#present.has(image.name)) await this.#clock.sleep(Math.round(500 + image.sizeBytes / 50_000))
    this.#present.add(image.name)
    this.#pulled.add(image.name)
    this.#say('info', `PullImage "${reference}" returns image reference "${image.digest}"`)
    return image
  }
  removeImage(reference: string): boolean {
    const image = this.imageStatus(reference)
    if (!image) return false
    for (const one of this.#options.images) {
      if (one.digest !== image.digest) continue
      this.#present.delete(one.name)
      this.#pulled.delete(one.name)
    }
    return true
  }

  // ---- sandboxes

  runSandbox(config: SandboxConfig): SandboxState {
    this.#ask()
    const { cni, random } = this.#options
    const id = random.hex(64)
    this.#say('info', `RunPodSandbox for name:"${config.name}"  uid:"${config.uid}"  namespace:"${config.namespace}"`)
    const state: SandboxState = { id, config, createdAt: this.#clock.now(), ready: true, ip: '', network: false }
    const box: Box = { state, net: config.hostNetwork ? this.machine.net : undefined, pid: 0 }
    if (!config.hostNetwork) {
      try {
        const { ip, netns } = cni.add(this.#cniSandbox(state))
        for (const [name, value] of Object.entries(config.sysctls ?? {})) netns.sysctls?.set(name, value)
        box.net = netns
        box.state = { ...state, ip, network: true }
      } catch (error) {
        const text = prefixed(`failed to setup network for sandbox "${id}": `, (error as Error).message)
        this.#say(
          'error',
          `RunPodSandbox for name:"${config.name}"  uid:"${config.uid}"  namespace:"${config.namespace}" failed, error`,
          ` error=${JSON.stringify(text)}`,
        )
        throw new RuntimeFailure(text)
      }
    }
    box.pid = this.#pausePid(id)
    this.#boxes.set(id, box)
    this.machine.files.write(`${kept}/${id}/resolv.conf`, config.resolvConf)
    this.machine.files.write(`${kept}/${id}/hostname`, `${config.hostname}\n`)
    this.#say(
      'info',
      `RunPodSandbox for name:"${config.name}"  uid:"${config.uid}"  namespace:"${config.namespace}" returns sandbox id "${id}"`,
    )
    this.#tell(config.uid)
    return box.state
  }
  stopSandbox(id: string): void {
    this.#ask()
    const box = this.#boxes.get(id)
    if (!box) return
    for (const live of this.#containers.values()) if (live.state.sandboxId === id && live.state.state === 'running') this.#kill(live)
    if (box.state.network) {
      try {
        this.#options.cni.del(this.#cniSandbox(box.state))
      } catch (error) {
        const text = prefixed(`failed to destroy network for sandbox "${id}": `, (error as Error).message)
        this.#say('error', `StopPodSandbox for "${id}" failed`, ` error=${JSON.stringify(text)}`)
        throw new RuntimeFailure(text)
      }
    }
    box.net = undefined
    if (box.pid) this.machine.processes.remove(box.pid)
    box.pid = 0
    if (!box.state.ready && !box.state.network) return
    box.state = { ...box.state, ready: false, network: false }
    this.#say('info', `StopPodSandbox for "${id}" returns successfully`)
    this.#tell(box.state.config.uid)
  }
  removeSandbox(id: string): void {
    this.#ask()
    const box = this.#boxes.get(id)
    if (!box) return
    this.stopSandbox(id)
    for (const live of [...this.#containers.values()]) if (live.state.sandboxId === id) this.#forget(live)
    this.#boxes.delete(id)
    this.machine.files.remove(`${kept}/${id}`)
    this.#tell(box.state.config.uid)
  }
  netns(sandboxId: string): Netns | undefined {
    return this.#boxes.get(sandboxId)?.net
  }
  #cniSandbox(state: SandboxState) {
    const { namespace, name, uid, portMappings } = state.config
    return { sandboxId: state.id, namespace, name, uid, portMappings }
  }
  #pausePid(id: string): number {
    const shim = this.machine.processes.add({
      ppid: 1,
      user: 'root',
      command: `/usr/local/bin/containerd-shim-runc-v2 -namespace k8s.io -id ${id} -address /run/containerd/containerd.sock`,
    })
    return shim
  }

  // ---- containers

  createContainer(sandboxId: string, asked: ContainerConfig): ContainerState {
    this.#ask()
    const box = this.#boxes.get(sandboxId)
    if (!box) throw new RuntimeFailure(`failed to find sandbox id "${sandboxId}": not found`, 'NotFound')
    const own = ['resolv.conf', 'hostname'].map((name) => ({
      path: `/etc/${name}`,
      hostPath: `${kept}/${sandboxId}/${name}`,
      readOnly: asked.readOnlyRoot,
    }))
    const config = { ...asked, mounts: [...asked.mounts, ...own.filter((mount) => !asked.mounts.some((one) => one.path === mount.path))] }
    const state: ContainerState = {
      id: this.#options.random.hex(64),
      sandboxId,
      config,
      state: 'created',
      createdAt: this.#clock.now(),
      startedAt: 0,
      finishedAt: 0,
      exitCode: 0,
      reason: '',
      message: '',
      pid: 0,
    }
    const live = this.#live(state)
    live.log = this.#writer(config)
    live.log.open()
    const link = `/var/log/containers/${box.state.config.name}_${box.state.config.namespace}_${config.name}-${state.id}.log`
    if (!this.machine.files.exists(link)) this.machine.files.symlink(config.logPath, link)
    this.#say(
      'info',
      `CreateContainer within sandbox "${sandboxId}" for name:"${config.name}"${config.attempt ? `  attempt:${config.attempt}` : ''} returns container id "${state.id}"`,
    )
    return state
  }
  async startContainer(id: string): Promise<void> {
    this.#ask()
    const live = this.#find(id)
    live.state = { ...live.state, state: 'running', startedAt: this.#clock.now() }
    try {
      await this.#launch(live)
    } catch (error) {
      const message = `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ${(error as Error).message}`
      live.state = { ...live.state, startedAt: 0 }
      this.#over(live, 128, 'StartError', message)
      this.#say('error', `StartContainer for "${id}" failed`, ` error=${JSON.stringify(message)}`)
      throw new RuntimeFailure(message)
    }
    this.#say('info', `StartContainer for "${id}" returns successfully`)
    this.#tell(this.#podOf(live))
  }
  async stopContainer(id: string, graceMs: number): Promise<void> {
    this.#ask()
    const live = this.#find(id)
    if (live.state.state !== 'running') return
    const ended = new Promise<void>((resolve) => live.ended.push(resolve))
    if (graceMs <= 0) return this.#kill(live)
    this.#say('info', `Stop container "${id}" with signal ${live.state.config.stopSignal === 3 ? 'quit' : 'terminated'}`)
    live.process?.signal(live.state.config.stopSignal)
    const timer = this.#clock.after(graceMs, () => {
      this.#say('info', `Kill container "${id}"`)
      this.#kill(live)
    })
    await ended
    timer.cancel()
  }
  removeContainer(id: string): void {
    this.#ask()
    const live = this.#containers.get(id)
    if (!live) return
    if (live.state.state === 'running') this.#kill(live)
    this.#forget(live)
  }
  #live(state: ContainerState): Live {
    const live: Live = {
      state,
      habitat: undefined,
      process: undefined,
      log: undefined,
      listeners: new Set(),
      attached: new Set(),
      ended: [],
      execs: new Set(),
    }
    this.#containers.set(state.id, live)
    return live
  }
  #writer(config: ContainerConfig, rest?: { stdout: string; stderr: string }): LogWriter {
    return new LogWriter(this.machine.files, config.logPath, () => this.#stamp(), rest)
  }
  #find(id: string): Live {
    const live = this.#containers.get(id)
    if (!live) throw new RuntimeFailure(`an error occurred when try to find container "${id}": not found`, 'NotFound')
    return live
  }
  #habitat(live: Live): Habitat {
    const box = this.#boxes.get(live.state.sandboxId)
    const net = box?.net
    const image = this.#options.images.find((one) => one.digest === live.state.config.imageId)
    if (!box || !net || !image) throw new Error('the sandbox has no network namespace')
    return new Habitat({
      machine: this.machine,
      net,
      image,
      container: live.state,
      pod: box.state.config,
      clock: this.#clock,
      processHost: this.#options.processHost,
      tools: this.#options.tools ?? {},
      upper: `${root}/${live.state.id}/rootfs`,
      memory: (bytes) => {
        if (live.state.config.memoryLimit === undefined || bytes <= live.state.config.memoryLimit) return
        live.process?.kill()
        this.#over(live, 137, 'OOMKilled')
      },
    })
  }
  async #launch(live: Live, saved?: unknown): Promise<void> {
    const { config } = live.state
    const pid = this.machine.processes.add({
      ppid: this.#boxes.get(live.state.sandboxId)?.pid ?? 1,
      user: config.user.uid === 0 ? 'root' : String(config.user.uid),
      command: config.argv.join(' '),
      ...(saved === undefined ? {} : { started: live.state.startedAt }),
    })
    live.state = { ...live.state, pid }
    live.habitat = this.#habitat(live)
    try {
      if (config.cwd !== '/' && live.habitat.files.stat(config.cwd)?.type === 'file')
        throw new Error(`error during container init: mkdir ${config.cwd}: not a directory`)
      const process = await live.habitat.start({
        argv: config.argv,
        env: config.env,
        cwd: config.cwd,
        pty: config.tty ? { cols: 80, rows: 24 } : undefined,
        stdin: config.stdin,
        first: true,
        saved,
        out: (bytes, stream) => this.#output(live, bytes, stream),
        exit: (code) => this.#over(live, code, code === 0 ? 'Completed' : 'Error'),
      })
      // It may have ended while it was being started.
      if (live.state.state === 'running') live.process = process
    } catch (error) {
      this.machine.processes.remove(pid)
      throw error
    }
  }
  #output(live: Live, bytes: Uint8Array | string, stream: 'stdout' | 'stderr'): void {
    live.log?.write(typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8'), stream)
    for (const listener of live.attached) listener(bytes, stream)
    for (const listener of [...live.listeners]) listener(false)
  }
  #kill(live: Live): void {
    live.process?.kill()
    this.#over(live, 137, 'Error')
  }
  #over(live: Live, exitCode: number, reason: string, message = ''): void {
    if (live.state.state !== 'running') return
    const file = live.state.config.terminationFile
    let last = message || !file ? message : (this.machine.files.text(file) ?? '').slice(0, 4096)
    live.log?.end()
    if (
      !last &&
      exitCode !== 0 &&
      live.state.config.annotations['io.kubernetes.container.terminationMessagePolicy'] === 'FallbackToLogsOnError'
    )
      last = parseLog(this.machine.files.text(live.state.config.logPath) ?? '')
        .slice(-80)
        .map((line) => line.text)
        .join('')
        .slice(-2048)
    if (live.state.pid) this.machine.processes.remove(live.state.pid)
    live.state = { ...live.state, state: 'exited', exitCode, reason, message: last, finishedAt: this.#clock.now(), pid: 0 }
    live.process = undefined
    for (const one of live.execs) one.kill()
    live.execs.clear()
    void live.habitat?.close()
    live.habitat = undefined
    for (const resolve of live.ended.splice(0)) resolve()
    for (const listener of [...live.listeners]) listener(true)
    live.listeners.clear()
    live.attached.clear()
    if (!this.#closed) this.#tell(this.#podOf(live))
  }
  #forget(live: Live): void {
    const { state } = live
    this.#containers.delete(state.id)
    const files = this.machine.files
    files.remove(`${root}/${state.id}`)
    files.remove(state.config.logPath)
    const pod = this.#boxes.get(state.sandboxId)?.state.config
    if (pod) files.remove(`/var/log/containers/${pod.name}_${pod.namespace}_${state.config.name}-${state.id}.log`)
  }
  #podOf(live: Live): string {
    return this.#boxes.get(live.state.sandboxId)?.state.config.uid ?? ''
  }

  // ---- commands in containers

  async exec(containerId: string, request: ExecRequest, streams: ExecStreams): Promise<number> {
    this.#ask()
    const live = this.#containers.get(containerId)
    if (!live) throw new RuntimeFailure(`failed to exec in container: failed to load container "${containerId}": not found`, 'NotFound')
    if (live.state.state !== 'running' || !live.habitat)
      throw new RuntimeFailure(`failed to exec in container: container is in CONTAINER_EXITED state`)
    const { config } = live.state
    const execId = this.#options.random.hex(64)
    let size: { cols: number; rows: number } | undefined
    let process: Process | undefined
    streams.onResize((next) => {
      size = next
      process?.resize?.(next)
    })
    return new Promise<number>((resolve, reject) => {
      let over = false
      const finish = (code: number) => {
        if (over) return
        over = true
        if (process) live.execs.delete(process)
        resolve(code)
      }
      live.habitat
        ?.start({
          argv: request.command,
          env: { ...config.env, ...(request.tty ? { TERM: 'xterm' } : {}) },
          cwd: config.cwd,
          pty: request.tty ? (size ?? { cols: 80, rows: 24 }) : undefined,
          stdin: request.stdin,
          first: false,
          out: (bytes, stream) => (stream === 'stderr' && !request.tty ? streams.stderr(bytes) : streams.stdout(bytes)),
          exit: finish,
        })
        .then(
          (started) => {
            if (over) return
            process = {
              ...started,
              kill: () => {
                started.kill()
                finish(137)
              },
            }
            live.execs.add(process)
            if (size) started.resize?.(size)
            const gone = () => process?.kill()
            if (streams.signal.aborted) gone()
            else streams.signal.addEventListener('abort', gone, { once: true })
            if (request.stdin) void pump(streams.stdin, started)
          },
          (error: Error) =>
            reject(
              new RuntimeFailure(
                `failed to exec in container: failed to start exec "${execId}": OCI runtime exec failed: exec failed: unable to start container process: ${error.message}`,
              ),
            ),
        )
    })
  }
  async execSync(containerId: string, command: readonly string[], timeoutMs: number): Promise<ExecOutput> {
    let output = ''
    const add = (bytes: Uint8Array | string) => {
      if (output.length < 10_240) output += typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8')
    }
    const end = new AbortController()
    let late = false
    const timer = this.#clock.after(timeoutMs, () => {
      late = true
      end.abort()
    })
    const stdin = new Pipe()
    stdin.end()
    try {
      const exitCode = await this.exec(
        containerId,
        { command, stdin: false, stdout: true, stderr: true, tty: false },
        { stdin, stdout: add, stderr: add, onResize: () => {}, signal: end.signal },
      )
      if (late)
        throw new RuntimeFailure(
          `failed to exec in container: timeout ${timeoutMs / 1000}s exceeded: context deadline exceeded`,
          'DeadlineExceeded',
        )
      return { exitCode, output }
    } finally {
      timer.cancel()
    }
  }
  async attach(containerId: string, request: Omit<ExecRequest, 'command'>, streams: ExecStreams): Promise<number> {
    this.#ask()
    const live = this.#find(containerId)
    const { process } = live
    if (live.state.state !== 'running' || !process) throw new RuntimeFailure('container is in CONTAINER_EXITED state')
    const listen = (bytes: Uint8Array | string, stream: 'stdout' | 'stderr') =>
      stream === 'stderr' ? streams.stderr(bytes) : streams.stdout(bytes)
    live.attached.add(listen)
    if (live.state.config.tty) streams.onResize((size) => process.resize?.(size))
    if (request.stdin && live.state.config.stdin) void pump(streams.stdin, process, live.state.config.stdinOnce)
    await new Promise<void>((resolve) => {
      live.ended.push(resolve)
      streams.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    live.attached.delete(listen)
    const after = live.state as ContainerState
    return after.state === 'exited' ? after.exitCode : 0
  }
  /** a real process in a container's sandbox, for tools that start others; throws Error when the container does not run */
  spawn(containerId: string, request: SpawnRequest): Promise<Spawned> {
    const habitat = this.#containers.get(containerId)?.habitat
    return habitat ? habitat.spawn(request) : Promise.reject(new RuntimeFailure('container is not running'))
  }
  tool(containerId: string, call: Omit<ToolCall, 'place' | 'clock'>): Promise<number> | undefined {
    return this.#containers.get(containerId)?.habitat?.call(call.argv[0] ?? '', call)
  }

  // ---- news

  onChange(listener: (podUid: string) => void): { stop(): void } {
    this.#changed.add(listener)
    return { stop: () => void this.#changed.delete(listener) }
  }
  onLog(containerId: string, listener: (ended: boolean) => void): { stop(): void } {
    const live = this.#containers.get(containerId)
    live?.listeners.add(listener)
    return { stop: () => void live?.listeners.delete(listener) }
  }
  #tell(uid: string): void {
    for (const listener of [...this.#changed]) listener(uid)
  }

  save(): unknown {
    const saved: Saved = {
      sandboxes: [...this.#boxes.values()].map((box) => box.state),
      containers: [...this.#containers.values()].map((live) => {
        const own = live.process?.save?.()
        return { ...live.state, ...(own === undefined ? {} : { saved: own }), ...(live.log ? { rest: live.log.rest } : {}) }
      }),
      images: [...this.#present],
      pulled: [...this.#pulled],
      ...(this.remember ? { kubelet: this.remember() } : {}),
    }
    return structuredClone(saved)
  }
  async close(): Promise<void> {
    this.#closed = true
    this.#changed.clear()
    const closing: Promise<void>[] = []
    for (const live of this.#containers.values()) {
      for (const one of live.execs) one.kill()
      live.process?.kill()
      if (live.habitat) closing.push(live.habitat.close())
    }
    await Promise.all(closing)
  }
}

async function pump(from: AsyncIterable<Uint8Array>, to: Process, end = true): Promise<void> {
  try {
    for await (const bytes of from) to.write?.(bytes)
  } finally {
    if (end) to.endInput?.()
  }
}
const prefixed = (prefix: string, text: string): string => (text.startsWith(prefix) ? text : prefix + text)
