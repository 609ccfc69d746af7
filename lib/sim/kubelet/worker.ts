// The kubelet's work on one pod, from its first sight to its end: volumes, sandbox, containers in their order, back-off, termination, status. One sync at a
// time; what happens meanwhile asks for another. Follows kubelet.go, pod_workers.go and kuberuntime_manager.go of Kubernetes 1.35.
import type { Timer } from '../clock.ts'
import { ApiError, type KubeObject } from '../kube.ts'
import type { PortMapping } from '../net.ts'
import { type Backoff, Backoffs, goDuration } from './backoff.ts'
import { configure, hashOf } from './configure.ts'
import { ConfigFailure, hostnameOf, podDns } from './environment.ts'
import { parseReference } from './images.ts'
import type { Kit } from './kit.ts'
import { httpGet, Probes, portOf } from './probes.ts'
import { ImageFailure, type PullMemory, Pulls } from './pulls.ts'
import { attemptsOf, isSidecar, isStatic, podName, podStatus, shouldRestart, type Waiting } from './status.ts'
import { type ContainerState, RuntimeFailure, type SandboxState } from './types.ts'
import { PodVolumes, type VolumeMemory } from './volumes.ts'

const ownConditions = new Set(['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'])

/** The sync could not be finished; the next one comes by itself. */
class SyncFailure extends Error {
  readonly retryMs: number | undefined
  constructor(message: string, retryMs?: number) {
    super(message)
    this.retryMs = retryMs
  }
}

/** What a worker remembers that neither the runtime nor the API does; JSON. */
export interface WorkerMemory {
  waiting: [string, Waiting][]
  crash: [string, Backoff][]
  pulls: PullMemory
  mounts: [string, Backoff][]
  volumes: VolumeMemory
  /** of a static pod: the API’s is its mirror’s */
  status?: KubeObject
}

export class PodWorker {
  pod: KubeObject
  readonly #kit: Kit
  readonly #volumes: PodVolumes
  readonly #probes: Probes
  readonly #waiting = new Map<string, Waiting>()
  readonly #crash: Backoffs
  readonly #pulls: Pulls
  readonly #mountRetry = new Map<string, Backoff>()
  readonly #startTime: number
  #status: KubeObject
  #busy = false
  #again = false
  #stopped = false
  #timer: Timer | undefined
  #due = Number.POSITIVE_INFINITY
  #terminating = false
  /** seconds; shorter when asked again */
  #grace: number | undefined
  #failed: { reason: string; message: string; disrupted?: boolean } | undefined
  /** the API has nothing of it any more */
  #gone = false
  #done = false

  /** `memory`: of a snapshot that was loaded */
  constructor(kit: Kit, pod: KubeObject, memory?: WorkerMemory) {
    this.#kit = kit
    this.pod = pod
    this.#status = memory?.status ?? pod.status ?? {}
    this.#startTime = kit.clock.now()
    this.#crash = new Backoffs(kit.config.crashLoopMaxMs, memory?.crash)
    this.#pulls = new Pulls(kit, memory?.pulls)
    for (const [name, one] of memory?.waiting ?? []) this.#waiting.set(name, one)
    for (const [name, one] of memory?.mounts ?? []) this.#mountRetry.set(name, one)
    this.#volumes = new PodVolumes(
      {
        machine: kit.machine,
        client: kit.client,
        random: kit.random,
        now: () => kit.clock.now(),
        node: { name: kit.nodeName, cpus: kit.machine.cpus, memoryBytes: kit.machine.memoryBytes },
      },
      memory?.volumes,
    )
    this.#probes = new Probes({
      clock: kit.clock,
      runtime: kit.runtime,
      network: kit.network,
      from: kit.machine.net,
      unhealthy: (container, message) => this.#containerEvent(container, 'Warning', 'Unhealthy', message),
      changed: () => this.poke(0),
    })
  }
  save(): WorkerMemory {
    return {
      waiting: [...this.#waiting],
      crash: this.#crash.save(),
      pulls: this.#pulls.save(),
      mounts: [...this.#mountRetry],
      volumes: this.#volumes.save(),
      ...(isStatic(this.pod) ? { status: this.#status } : {}),
    }
  }
  get status(): KubeObject {
    return this.#status
  }
  /** everything of it has ended here */
  get done(): boolean {
    return this.#done
  }

  /** The API (or a file) has another state of it. */
  update(pod: KubeObject): void {
    this.pod = pod
    if (pod.metadata.deletionTimestamp) this.#end(pod.metadata.deletionGracePeriodSeconds ?? 30)
    this.poke(0)
  }
  /** It is not in the API (or there is no file) any more. */
  remove(): void {
    this.#gone = true
    this.#end(isStatic(this.pod) ? (this.pod.spec.terminationGracePeriodSeconds ?? 30) : 1)
    this.poke(0)
  }
  #end(seconds: number): void {
    this.#terminating = true
    this.#grace = Math.min(this.#grace ?? Number.POSITIVE_INFINITY, seconds)
  }
  /** The kubelet refuses it; nothing of it is started. */
  reject(reason: string, message: string): void {
    this.#failed = { reason, message }
    this.#kit.event(this.pod, 'Warning', reason, message.replace(/^Pod was rejected: /, ''))
    this.poke(0)
  }
  /** The node runs short of something, and it is this pod's turn: it ends at once, for good. */
  evict(message: string): void {
    this.#kit.event(this.pod, 'Warning', 'Evicted', message)
    this.#failed = { reason: 'Evicted', message, disrupted: true }
    this.#grace = 1
    this.poke(0)
  }
  /** Syncs within `ms`. */
  poke(ms: number): void {
    if (this.#stopped || this.#done) return
    const at = Math.ceil(this.#kit.clock.now() + ms)
    if (at >= this.#due) return
    this.#timer?.cancel()
    this.#due = at
    this.#timer = this.#kit.clock.after(ms, () => {
      this.#due = Number.POSITIVE_INFINITY
      void this.#loop()
    })
  }
  /** The kubelet's process ends; containers run on. */
  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    this.#probes.stop()
  }

  async #loop(): Promise<void> {
    if (this.#busy) {
      this.#again = true
      return
    }
    this.#busy = true
    const { random, config, log } = this.#kit
    const jitter = (ms: number) => Math.round(ms * (1 + random.next() / 2))
    let next = jitter(config.syncMs)
    try {
      await this.#sync()
    } catch (error) {
      const failure = error as SyncFailure
      next = jitter(Math.min(failure.retryMs ?? 10_000, config.syncMs))
      const { name, namespace, uid } = this.pod.metadata
      if (!this.#stopped && !(error instanceof Quiet))
        log(
          'E',
          'pod_workers.go:1324',
          `"Error syncing pod, skipping" err=${JSON.stringify(failure.message)} pod="${namespace}/${name}" podUID="${uid}"`,
        )
    }
    this.#busy = false
    if (this.#again) {
      this.#again = false
      next = 0
    }
    this.poke(next)
  }

  // ---- what is

  #containers(): ContainerState[] {
    const own = new Set(this.#sandboxes().map((one) => one.id))
    return this.#kit.runtime.containers().filter((one) => own.has(one.sandboxId))
  }
  /** newest first */
  #sandboxes(): SandboxState[] {
    return this.#kit.runtime
      .sandboxes()
      .filter((one) => one.config.uid === this.pod.metadata.uid)
      .sort((a, b) => b.config.attempt - a.config.attempt)
  }
  #specs(): KubeObject[] {
    return [...(this.pod.spec.initContainers ?? []), ...this.pod.spec.containers, ...(this.pod.spec.ephemeralContainers ?? [])]
  }
  #observe(terminal: boolean): KubeObject {
    const { clock, runtime, hostIP } = this.#kit
    const [sandbox] = this.#sandboxes()
    const images = runtime.images()
    // Conditions that others write are the API's.
    const others = (this.pod.status?.conditions ?? []).filter((one: KubeObject) => !this.#writes(one.type))
    const own = (this.#status.conditions ?? []).filter((one: KubeObject) => this.#writes(one.type))
    return podStatus(
      this.pod,
      { ...this.#status, conditions: [...others, ...own] },
      {
        containers: this.#containers(),
        sandboxReady: Boolean(sandbox?.ready),
        podIP: sandbox?.ip ?? '',
        hostIP,
        waiting: this.#waiting,
        ready: (container, state) => this.#probes.ready(container, state.id),
        started: (container, state) => this.#probes.started(container, state.id),
        terminal,
        startTime: this.#startTime,
        now: clock.now(),
        imageName: (state) => {
          const named = parsed(state.config.image)
          return images.find((image) => image.name === named)?.name ?? named ?? state.config.image
        },
        imageRef: (state) => runtime.repoDigests(state.config.imageId)[0] ?? state.config.imageId,
        failed: this.#failed,
      },
    )
  }
  /** Makes the status from what is, and tells the API when it differs. */
  #report(terminal = false): KubeObject {
    this.#status = this.#observe(terminal)
    this.#post()
    return this.#status
  }
  #post(): void {
    const { name, namespace, uid } = this.pod.metadata
    try {
      const client = this.#kit.client()
      const there = client.find('v1/pods', name, namespace)
      if (!there) return
      const mirror = isStatic(this.pod)
      if (mirror ? there.metadata.annotations?.['kubernetes.io/config.mirror'] === undefined : there.metadata.uid !== uid) return
      const before = there.status ?? {}
      const status = { ...this.#status }
      // Not over before nothing of it can run any more (status_manager.go, mergePodStatus): what it holds on the node is another's then.
      if (over(status.phase) && !over(before.phase) && this.#couldRun()) {
        Object.assign(status, { phase: before.phase ?? 'Pending', reason: before.reason, message: before.message })
        for (const key of ['reason', 'message']) if (status[key] === undefined) delete status[key]
      }
      // What others have put there meanwhile stays.
      status.conditions = [
        ...(before.conditions ?? []).filter((one: KubeObject) => !this.#writes(one.type)),
        ...status.conditions.filter((one: KubeObject) => this.#writes(one.type)),
      ]
      if (same(before, status)) return
      client.update('v1/pods', { ...there, status }, { subresource: 'status', fieldManager: 'kubelet' })
    } catch (error) {
      if (error instanceof ApiError && (error.code === 404 || error.code === 409)) return
      this.#kit.log(
        'W',
        'status_manager.go:1046',
        `"Failed to get status for pod" err=${JSON.stringify((error as Error).message)} pod="${namespace}/${name}"`,
      )
      this.poke(10_000)
    }
  }
  /** Conditions that are the kubelet's to write; why a pod had to go is whoever's who made it go. */
  #writes(condition: string): boolean {
    return ownConditions.has(condition) || (condition === 'DisruptionTarget' && Boolean(this.#failed?.disrupted))
  }
  #couldRun(): boolean {
    return this.#sandboxes().some((one) => one.ready) || this.#containers().some((one) => one.state === 'running')
  }
  #containerEvent(container: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const kind = (this.pod.spec.initContainers ?? []).some((one: KubeObject) => one.name === container.name)
      ? 'initContainers'
      : (this.pod.spec.ephemeralContainers ?? []).some((one: KubeObject) => one.name === container.name)
        ? 'ephemeralContainers'
        : 'containers'
    this.#kit.event(this.pod, type, reason, message, `spec.${kind}{${container.name}}`)
  }

  // ---- what is done

  async #sync(): Promise<void> {
    if (this.#stopped || this.#done) return
    const { clock, networkError, random } = this.#kit
    // Word of a refusal takes its way to the API. Who is replaced at once, and refused again, would otherwise be so in no time at all: the
    // lab's time would stand still, and with it whatever ends this.
    if (this.#failed && !this.#failed.disrupted && !over(this.#status.phase)) {
      await clock.sleep(40 + random.int(60))
      if (this.#stopped) return
    }
    if (this.#terminating) return this.#terminate()
    for (const container of this.#specs()) {
      const [latest] = attemptsOf(container.name, this.#containers())
      if (latest?.state === 'running')
        this.#probes.ensure(container, latest.id, this.#podIP(), latest.startedAt, this.#before(container, latest))
      else if (latest?.state === 'exited' && !shouldRestart(this.pod, container, latest.exitCode)) this.#waiting.delete(container.name)
    }
    this.#deadline()
    const status = this.#report()
    // Of containers that have ended the last one is kept (pod_container_deletor.go); the status still names the one before until it is made again.
    for (const container of this.#specs())
      for (const old of attemptsOf(container.name, this.#containers())
        .filter((one) => one.state === 'exited')
        .slice(1))
        this.#kit.runtime.removeContainer(old.id)
    if (status.phase === 'Succeeded' || status.phase === 'Failed') return this.#finish()
    const notReady = networkError()
    if (notReady !== undefined && !this.pod.spec.hostNetwork) {
      const message = `network is not ready: ${notReady}`
      this.#kit.event(this.pod, 'Warning', 'NetworkNotReady', message)
      throw new SyncFailure(message, 1000)
    }
    await this.#mount()
    if (this.#stopped || this.#terminating) return
    const sandbox = await this.#sandbox()
    if (!sandbox || this.#stopped || this.#terminating) return
    await this.#run(sandbox)
  }
  /** activeDeadlineSeconds (active_deadline.go) */
  #deadline(): void {
    const limit = this.pod.spec.activeDeadlineSeconds
    if (limit === undefined || limit === null || this.#failed) return
    const left = (Date.parse(this.#status.startTime ?? '') || this.#startTime) + limit * 1000 - this.#kit.clock.now()
    if (left > 0) {
      this.poke(left)
      return
    }
    if (this.#status.phase === 'Succeeded' || this.#status.phase === 'Failed') return
    this.#failed = { reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' }
    this.#kit.event(this.pod, 'Normal', 'DeadlineExceeded', this.#failed.message)
  }
  /** What was said of a container that had started before this kubelet did: that stays until a probe says otherwise. */
  #before(container: KubeObject, state: ContainerState): { ready: boolean; started: boolean } | undefined {
    if (state.startedAt >= this.#startTime) return undefined
    const { containerStatuses, initContainerStatuses } = this.#status
    const old = [...(containerStatuses ?? []), ...(initContainerStatuses ?? [])].find((one) => one.name === container.name)
    return old?.containerID === `containerd://${state.id}` ? { ready: Boolean(old.ready), started: Boolean(old.started) } : undefined
  }
  #podIP(): string {
    return this.pod.spec.hostNetwork ? this.#kit.hostIP : (this.#sandboxes()[0]?.ip ?? '')
  }

  async #mount(): Promise<void> {
    const { clock, random, event, log } = this.#kit
    const used = new Set(
      this.#specs().flatMap((one) => [...(one.volumeMounts ?? []), ...(one.volumeDevices ?? [])].map((mount: KubeObject) => mount.name)),
    )
    const volumes: KubeObject[] = (this.pod.spec.volumes ?? []).filter((one: KubeObject) => used.has(one.name))
    const first = volumes.some((one) => this.#volumes.path(one.name) === undefined)
    if (first && volumes.length) await clock.sleep(100 + random.int(200))
    if (this.#stopped || this.#terminating) return
    let retry = Number.POSITIVE_INFINITY
    let failures = 0
    for (const volume of volumes) {
      const waiting = this.#mountRetry.get(volume.name)
      if (waiting && clock.now() < waiting.at) {
        failures += 1
        retry = Math.min(retry, waiting.at - clock.now())
        continue
      }
      const had = this.#volumes.path(volume.name) !== undefined
      const failure = this.#volumes.mount(this.pod, volume)
      if (!failure) {
        this.#mountRetry.delete(volume.name)
        continue
      }
      event(this.pod, 'Warning', 'FailedMount', `MountVolume.SetUp failed for volume ${JSON.stringify(volume.name)} : ${failure.message}`)
      const ms = Math.min(waiting ? waiting.ms * 2 : 500, 122_000)
      log(
        'E',
        'nestedpendingoperations.go:348',
        `Operation for "{volumeName:kubernetes.io/${Object.keys(volume).find((key) => key !== 'name')}/${this.pod.metadata.uid}-${volume.name} podName:${this.pod.metadata.uid} nodeName:}" failed. No retries permitted until ${new Date(clock.now() + ms).toISOString()} (durationBeforeRetry ${ms < 1000 ? `${ms}ms` : goDuration(ms)}). Error: MountVolume.SetUp failed for volume ${JSON.stringify(volume.name)} (UniqueName: "${volume.name}") pod ${JSON.stringify(this.pod.metadata.name)} (UID: ${JSON.stringify(this.pod.metadata.uid)}) : ${failure.message}`,
      )
      this.#mountRetry.set(volume.name, { ms, at: clock.now() + ms })
      retry = Math.min(retry, ms)
      if (!had) failures += 1
    }
    if (retry < Number.POSITIVE_INFINITY) this.poke(retry)
    if (failures > 0) throw new Quiet()
  }

  async #sandbox(): Promise<SandboxState | undefined> {
    const { runtime, clock, random, event, config, machine, nodeName, log } = this.#kit
    const [newest] = this.#sandboxes()
    if (newest?.ready && (this.pod.spec.hostNetwork || newest.ip)) return newest
    if (newest) {
      const done = this.pod.spec.containers.every((one: KubeObject) => {
        const [latest] = attemptsOf(one.name, this.#containers())
        return latest?.state === 'exited' && !shouldRestart(this.pod, one, latest.exitCode)
      })
      if (done) return undefined
      event(this.pod, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.')
      for (const one of this.#containers()) if (one.state === 'running') await runtime.stopContainer(one.id, 2000)
      try {
        runtime.stopSandbox(newest.id)
      } catch (error) {
        throw new SyncFailure(
          `failed to "KillPodSandbox" for ${JSON.stringify(this.pod.metadata.uid)} with KillPodSandboxError: ${JSON.stringify((error as Error).message)}`,
        )
      }
    }
    const fail = (text: string): never => {
      event(this.pod, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${text}`)
      throw new SyncFailure(
        `failed to "CreatePodSandbox" for ${JSON.stringify(podName(this.pod))} with CreatePodSandboxError: ${JSON.stringify(`Failed to create sandbox for pod ${JSON.stringify(podName(this.pod))}: ${text}`)}`,
      )
    }
    let dns: ReturnType<typeof podDns>
    try {
      dns = podDns(machine.files, this.pod, config)
    } catch (error) {
      log('E', 'dns.go:284', `"Could not open resolv conf file." err=${JSON.stringify((error as Error).message)}`)
      log(
        'E',
        'kuberuntime_sandbox.go:45',
        `"Failed to generate sandbox config for pod" err=${JSON.stringify((error as Error).message)} pod="${this.pod.metadata.namespace}/${this.pod.metadata.name}"`,
      )
      return fail((error as Error).message)
    }
    for (const { reason, message } of dns.warnings) event(this.pod, 'Warning', reason, message)
    await clock.sleep(150 + random.int(250))
    if (this.#stopped || this.#terminating) return undefined
    const { name, namespace, uid } = this.pod.metadata
    const portMappings: PortMapping[] = this.pod.spec.hostNetwork
      ? []
      : this.#specs().flatMap((one) =>
          (one.ports ?? [])
            .filter((port: KubeObject) => port.hostPort)
            .map((port: KubeObject) => ({
              hostPort: port.hostPort,
              containerPort: port.containerPort,
              protocol: (port.protocol ?? 'TCP').toLowerCase(),
              hostIP: port.hostIP ?? '',
            })),
        )
    try {
      const made = runtime.runSandbox({
        namespace,
        name,
        uid,
        attempt: newest ? newest.config.attempt + 1 : 0,
        hostNetwork: Boolean(this.pod.spec.hostNetwork),
        hostname: hostnameOf(this.pod, nodeName),
        portMappings,
        sysctls: Object.fromEntries(
          (this.pod.spec.securityContext?.sysctls ?? []).map((one: KubeObject): [string, string] => [one.name, String(one.value)]),
        ),
        resolvConf: dns.text,
        logDirectory: `/var/log/pods/${namespace}_${name}_${uid}`,
        labels: {
          ...this.pod.metadata.labels,
          'io.kubernetes.pod.name': name,
          'io.kubernetes.pod.namespace': namespace,
          'io.kubernetes.pod.uid': uid,
        },
        annotations: this.pod.metadata.annotations ?? {},
      })
      for (const old of this.#sandboxes().slice(2)) runtime.removeSandbox(old.id)
      return made
    } catch (error) {
      return fail((error as Error).message)
    }
  }

  async #run(sandbox: SandboxState): Promise<void> {
    const failures: SyncFailure[] = []
    const attempt = async (container: KubeObject): Promise<void> => {
      try {
        await this.#start(container, sandbox)
      } catch (error) {
        if (!(error instanceof SyncFailure)) throw error
        failures.push(error)
      }
    }
    const here = (name: string) => attemptsOf(name, this.#containers())[0]
    const inThis = (name: string) => {
      const latest = here(name)
      return latest?.sandboxId === sandbox.id ? latest : undefined
    }
    for (const container of this.pod.spec.ephemeralContainers ?? []) if (!here(container.name)) await attempt(container)
    const initialized = this.pod.spec.containers.some((one: KubeObject) => inThis(one.name))
    for (const container of this.pod.spec.initContainers ?? []) {
      const latest = inThis(container.name)
      if (isSidecar(container)) {
        if (latest?.state === 'running') {
          if (await this.#killUnhealthy(container, latest)) await attempt(container)
          else if (!this.#probes.started(container, latest.id) && !initialized) return this.#raise(failures)
          continue
        }
        await attempt(container)
        if (this.#over()) return
        const now = inThis(container.name)
        // Its start is waited for, with its startup probe when it has one.
        if (!initialized && (now?.state !== 'running' || container.startupProbe)) return this.#raise(failures)
        continue
      }
      if (initialized || (latest?.state === 'exited' && latest.exitCode === 0)) continue
      if (latest?.state === 'running') return
      if (latest?.state === 'exited' && !shouldRestart(this.pod, container, latest.exitCode)) return
      await attempt(container)
      return this.#raise(failures)
    }
    for (const container of this.pod.spec.containers) {
      if (this.#over()) return
      const latest = inThis(container.name)
      if (latest?.state === 'running') {
        if (await this.#killUnhealthy(container, latest)) await attempt(container)
        continue
      }
      if (latest?.state === 'exited' && !shouldRestart(this.pod, container, latest.exitCode)) continue
      await attempt(container)
    }
    this.#raise(failures)
  }
  #over(): boolean {
    return this.#stopped || this.#terminating
  }
  #raise(failures: readonly SyncFailure[]): void {
    if (failures.length === 0) return
    const retry = Math.min(...failures.map((one) => one.retryMs ?? 10_000))
    const words = failures.map((one) => one.message)
    throw new SyncFailure(words.length === 1 ? (words[0] as string) : `[${words.join(', ')}]`, retry)
  }
  async #killUnhealthy(container: KubeObject, latest: ContainerState): Promise<boolean> {
    const failed = this.#probes.failed(container, latest.id)
    const changed = latest.config.annotations['io.kubernetes.container.hash'] !== hashOf(container)
    if (!failed && !changed) return false
    const message = failed
      ? `Container ${container.name} failed ${failed} probe, will be restarted`
      : `Container ${container.name} definition changed, will be restarted`
    const probe = failed === 'liveness' ? container.livenessProbe : container.startupProbe
    await this.#kill(
      container,
      latest,
      message,
      (failed && probe?.terminationGracePeriodSeconds) ?? this.pod.spec.terminationGracePeriodSeconds ?? 30,
    )
    return true
  }

  /** @throws SyncFailure; why it does not run is in #waiting then */
  async #start(container: KubeObject, sandbox: SandboxState): Promise<void> {
    const { clock, random, runtime } = this.#kit
    const [latest] = attemptsOf(container.name, this.#containers())
    const key = `${this.pod.metadata.uid} ${container.name} ${hashOf(container)}`
    if (latest?.state === 'exited') {
      const since = latest.finishedAt
      const left = this.#crash.left(key, since, clock.now())
      if (left > 0) {
        const words = `back-off ${goDuration(this.#crash.get(key))} restarting failed container=${container.name} pod=${podName(this.pod)}`
        this.#containerEvent(
          container,
          'Warning',
          'BackOff',
          `Back-off restarting failed container ${container.name} in pod ${podName(this.pod)}`,
        )
        // The status says so when it is made the next time, so mostly a moment before the container is started again. Only the first time that is soon: the
        // news of the sandbox and of a container that ended at once come together, and are two reasons to look.
        if (latest.config.attempt === 1 && !this.#waiting.has(container.name) && latest.finishedAt - latest.startedAt < 1000)
          this.poke(1500)
        this.#fail(container, 'CrashLoopBackOff', words, left, false)
      }
      this.#crash.next(key, clock.now(), since)
    }
    const image = await this.#pulls
      .image(this.pod, container, (type, reason, message) => this.#containerEvent(container, type, reason, message))
      .catch((error: unknown) => {
        if (error instanceof ImageFailure) return this.#fail(container, error.reason, error.message)
        throw error
      })
    if (this.#over()) return
    let id: string
    try {
      const pod = { ...this.pod, status: this.#status }
      const config = configure(this.#kit, pod, container, image, sandbox, latest ? latest.config.attempt + 1 : 0, (name) =>
        this.#volumes.path(name),
      )
      await clock.sleep(40 + random.int(120))
      if (this.#over()) return
      id = runtime.createContainer(sandbox.id, config).id
    } catch (error) {
      if (error instanceof SyncFailure) throw error
      const config = error instanceof ConfigFailure
      this.#containerEvent(
        container,
        'Warning',
        'Failed',
        `Error: ${error instanceof RuntimeFailure ? error.description : (error as Error).message}`,
      )
      return this.#fail(
        container,
        config ? 'CreateContainerConfigError' : 'CreateContainerError',
        error instanceof RuntimeFailure ? error.description : (error as Error).message,
      )
    }
    this.#containerEvent(container, 'Normal', 'Created', 'Container created')
    for (const old of attemptsOf(container.name, this.#containers()).slice(2)) runtime.removeContainer(old.id)
    await clock.sleep(30 + random.int(60))
    try {
      await runtime.startContainer(id)
    } catch (error) {
      const words = error instanceof RuntimeFailure ? error.description : (error as Error).message
      this.#containerEvent(container, 'Warning', 'Failed', `Error: ${words}`)
      return this.#fail(container, 'RunContainerError', words, 500)
    }
    this.#waiting.delete(container.name)
    this.#containerEvent(container, 'Normal', 'Started', 'Container started')
    if (container.lifecycle?.postStart) {
      const failure = await this.#hook(container, id, container.lifecycle.postStart, 30_000)
      if (failure !== undefined) {
        this.#containerEvent(container, 'Warning', 'FailedPostStartHook', 'PostStartHook failed')
        const state = runtime.containers().find((one) => one.id === id)
        if (state?.state === 'running')
          await this.#kill(container, state, 'FailedPostStartHook', this.pod.spec.terminationGracePeriodSeconds ?? 30)
        return this.#fail(container, 'PostStartHookError', `PostStartHook failed: ${failure}`.slice(0, 1024))
      }
    }
  }
  #fail(container: KubeObject, reason: string, message: string, retryMs?: number, report = true): never {
    this.#waiting.set(container.name, { reason, message })
    if (report) this.#report()
    throw new SyncFailure(
      `failed to "StartContainer" for ${JSON.stringify(container.name)} with ${reason}: ${JSON.stringify(message)}`,
      retryMs,
    )
  }

  /** Runs a lifecycle hook; undefined when it went well, else why not. */
  async #hook(container: KubeObject, id: string, hook: KubeObject, timeoutMs: number): Promise<string | undefined> {
    const { clock, runtime, network, machine } = this.#kit
    if (hook.sleep) {
      await clock.sleep((hook.sleep.seconds ?? 0) * 1000)
      return undefined
    }
    if (hook.httpGet) {
      const { scheme, host, path } = hook.httpGet
      const port = portOf(container, hook.httpGet.port)
      if (port === undefined) return `couldn't find port: ${hook.httpGet.port}`
      const answer = await httpGet({ clock, network, from: machine.net }, { scheme, host: host || this.#podIP(), port, path }, timeoutMs)
      return 'error' in answer ? answer.error : undefined
    }
    if (!hook.exec) return undefined
    try {
      const { exitCode, output } = await runtime.execSync(id, hook.exec.command ?? [], timeoutMs)
      return exitCode === 0 ? undefined : `command '${(hook.exec.command ?? []).join(' ')}' exited with ${exitCode}: ${output}`
    } catch (error) {
      return (error as Error).message
    }
  }

  // ---- the end

  async #kill(container: KubeObject, state: ContainerState, message: string, graceSeconds: number): Promise<void> {
    const { clock, runtime } = this.#kit
    const started = clock.now()
    this.#containerEvent(container, 'Normal', 'Killing', message)
    const preStop = container.lifecycle?.preStop
    if (preStop && graceSeconds > 0) {
      const grace = graceSeconds * 1000
      let late: Timer | undefined
      const failure = await Promise.race([
        this.#hook(container, state.id, preStop, grace),
        new Promise<undefined>((resolve) => {
          late = clock.after(grace, () => resolve(undefined))
        }),
      ])
      late?.cancel()
      if (failure !== undefined) this.#containerEvent(container, 'Warning', 'FailedPreStopHook', 'PreStopHook failed')
    }
    // At least two seconds are left after a hook (minimumGracePeriodInSeconds).
    const left = Math.max(preStop ? 2000 : 0, graceSeconds * 1000 - (clock.now() - started))
    await runtime.stopContainer(state.id, left)
  }
  /** Ends every container and the network; throws SyncFailure when the network cannot be taken away. */
  async #killAll(graceSeconds: number): Promise<void> {
    const { runtime, event } = this.#kit
    this.#probes.ending()
    const running = (container: KubeObject) => attemptsOf(container.name, this.#containers()).find((one) => one.state === 'running')
    const words = (container: KubeObject) => `Stopping container ${container.name}`
    const sidecars: KubeObject[] = (this.pod.spec.initContainers ?? []).filter(isSidecar)
    const others = this.#specs().filter((one) => !sidecars.includes(one))
    const began = this.#kit.clock.now()
    await Promise.all(
      others.map(async (container) => {
        const state = running(container)
        if (state) await this.#kill(container, state, words(container), graceSeconds)
      }),
    )
    for (const container of sidecars.reverse()) {
      const state = running(container)
      const left = Math.max(0, graceSeconds - (this.#kit.clock.now() - began) / 1000)
      if (state) await this.#kill(container, state, words(container), Math.max(2, Math.floor(left)))
    }
    for (const sandbox of this.#sandboxes()) {
      if (!sandbox.ready && !sandbox.network) continue
      try {
        runtime.stopSandbox(sandbox.id)
      } catch (error) {
        const text = `failed to "KillPodSandbox" for ${JSON.stringify(this.pod.metadata.uid)} with KillPodSandboxError: ${JSON.stringify((error as Error).message)}`
        event(this.pod, 'Warning', 'FailedKillPod', `error killing pod: ${text}`)
        throw new SyncFailure(text)
      }
    }
    this.#probes.stop()
  }
  /** All containers ended by themselves for good. */
  async #finish(): Promise<void> {
    if (this.#sandboxes().every((one) => !one.ready && !one.network) && this.#containers().every((one) => one.state !== 'running')) return
    const { clock, random } = this.#kit
    // The kubelet acts on what it sees of the runtime once a second.
    await clock.sleep(400 + random.int(800))
    if (this.#stopped || this.#done) return
    await this.#killAll(this.#grace ?? this.pod.spec.terminationGracePeriodSeconds ?? 30)
    this.#report(true)
  }
  async #terminate(): Promise<void> {
    const { runtime } = this.#kit
    if (!this.#gone) this.#report()
    await this.#killAll(this.#grace ?? 30)
    if (this.#stopped) return
    if (!this.#gone) this.#report(true)
    this.#done = true
    for (const sandbox of this.#sandboxes()) runtime.removeSandbox(sandbox.id)
    this.#kit.machine.files.remove(`/var/log/pods/${this.pod.metadata.namespace}_${this.pod.metadata.name}_${this.pod.metadata.uid}`)
    this.#volumes.remove(this.pod)
    this.stop()
    if (!this.#gone && !isStatic(this.pod)) this.#delete()
    this.#kit.ended(this.pod.metadata.uid)
  }
  /** The API may forget it now. */
  #delete(): void {
    const { name, namespace, uid } = this.pod.metadata
    try {
      this.#kit.client().delete('v1/pods', name, namespace, { gracePeriodSeconds: 0, preconditions: { uid } })
    } catch (error) {
      if (error instanceof ApiError && (error.code === 404 || error.code === 409)) return
      this.#kit.clock.after(10_000, () => this.#delete())
    }
  }
}
/** Nothing new to say: it was said as an event. */
class Quiet extends SyncFailure {
  constructor() {
    super('timed out waiting for the condition', 300_000)
  }
}
const over = (phase: string | undefined): boolean => phase === 'Succeeded' || phase === 'Failed'
const parsed = (name: string): string | undefined => {
  try {
    return parseReference(name).full
  } catch {
    return undefined
  }
}
/** Deep equality of JSON, whatever the order of keys. */
function same(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const left = Object.keys(a).filter((key) => (a as Record<string, unknown>)[key] !== undefined)
  const right = Object.keys(b).filter((key) => (b as Record<string, unknown>)[key] !== undefined)
  return left.length === right.length && left.every((key) => same((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
}
