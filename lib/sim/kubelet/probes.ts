// Probes of one pod's containers: when they run, what they say, what follows. Knows nothing of the API.
import { isIPv6 } from 'node:net'
import type { Clock, Timer } from '../clock.ts'
import type { KubeObject } from '../kube.ts'
import type { Netns, Network } from '../net.ts'
import type { Runtime } from './types.ts'
import { RuntimeFailure } from './types.ts'

export type ProbeType = 'Liveness' | 'Readiness' | 'Startup'
export interface ProbeDeps {
  clock: Clock
  runtime: Runtime
  network: Network
  /** from which the kubelet asks */
  from: Netns
  unhealthy(container: KubeObject, message: string): void
  /** a result has changed */
  changed(): void
}
type Result = 'success' | 'failure' | 'unknown'
interface Worker {
  containerId: string
  result: Result
  /** in a row, of the last raw result */
  last: Result
  count: number
  timer: Timer | undefined
  /** a failed liveness waits for the next container */
  held: boolean
  stopped: boolean
}

const seconds = (value: number | undefined, fallback: number): number => (value || fallback) * 1000
const joined = (host: string, port: number | string): string => (isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`)

/** A port by its number or its name in the container; undefined when the container has none of that name. */
export function portOf(container: KubeObject, port: number | string): number | undefined {
  if (typeof port === 'number') return port
  const named = (container.ports ?? []).find((one: KubeObject) => one.name === port)
  return named ? named.containerPort : /^\d+$/.test(port) ? Number(port) : undefined
}

/** Go's words for an address that did not open. */
export const dialError = (outcome: 'refused' | 'timeout' | 'unreachable', address: string): string =>
  `dial tcp ${address}: ${outcome === 'refused' ? 'connect: connection refused' : outcome === 'timeout' ? 'i/o timeout' : 'connect: no route to host'}`

/** Asks an address for a page as the kubelet's prober does. */
export async function httpGet(
  deps: Pick<ProbeDeps, 'network' | 'from' | 'clock'>,
  get: { scheme?: string; host: string; port: number; path?: string; headers?: Record<string, string> },
  timeoutMs: number,
): Promise<{ status: number; body: string } | { error: string }> {
  const { network, from, clock } = deps
  const address = joined(get.host, get.port)
  const secure = get.scheme === 'HTTPS'
  const path = get.path?.startsWith('/') ? get.path : `/${get.path ?? ''}`
  const url = `${secure ? 'https' : 'http'}://${address}${path}`
  const failure = (words: string) => ({ error: `Get ${JSON.stringify(url)}: ${words}` })
  const opened = network.open(from, 'tcp', get.host, get.port)
  if (opened.outcome === 'timeout') {
    await clock.sleep(timeoutMs)
    return failure('context deadline exceeded (Client.Timeout exceeded while awaiting headers)')
  }
  if (opened.outcome !== 'open') return failure(dialError(opened.outcome, address))
  const { listener } = opened
  if (secure && !listener.tls) return failure('http: server gave HTTP response to HTTPS client')
  if (!secure && listener.tls) return { status: 400, body: 'Client sent an HTTP request to an HTTPS server.\n' }
  if (!listener.http) return failure('EOF')
  let timer: Timer | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = clock.after(timeoutMs, () => resolve(undefined))
  })
  const request = {
    method: 'GET',
    path,
    headers: { host: address, 'user-agent': 'kube-probe/1.35', accept: '*/*', connection: 'close', ...get.headers },
    body: new Uint8Array(),
    from: opened.from,
  }
  try {
    const answer = await Promise.race([Promise.resolve(listener.http(request)), late])
    if (!answer) return failure('context deadline exceeded (Client.Timeout exceeded while awaiting headers)')
    return { status: answer.status, body: Buffer.from(answer.body).toString('utf8') }
  } catch {
    return failure('EOF')
  } finally {
    timer?.cancel()
  }
}

export class Probes {
  readonly #deps: ProbeDeps
  /** by type and container's name */
  readonly #workers = new Map<string, Worker>()

  constructor(deps: ProbeDeps) {
    this.#deps = deps
  }
  /** Sees to it that a running container's probes run; earlier containers' of that name end. */
  ensure(
    container: KubeObject,
    containerId: string,
    podIP: string,
    startedAt: number,
    before?: { ready: boolean; started: boolean },
  ): void {
    for (const [type, probe] of probesOf(container)) {
      const key = `${type} ${container.name}`
      const known = this.#workers.get(key)
      if (known?.containerId === containerId) continue
      if (known) stop(known)
      const worker: Worker = {
        containerId,
        result: first(type, before),
        last: 'unknown',
        count: 0,
        timer: undefined,
        held: false,
        stopped: false,
      }
      this.#workers.set(key, worker)
      const delay = startedAt + (probe.initialDelaySeconds ?? 0) * 1000 - this.#deps.clock.now()
      worker.timer = this.#deps.clock.after(Math.max(0, delay), () => void this.#run(worker, type, container, probe, podIP))
    }
  }
  started(container: KubeObject, containerId: string): boolean {
    return !container.startupProbe || this.#is('Startup', container, containerId) === 'success'
  }
  ready(container: KubeObject, containerId: string): boolean {
    return !container.readinessProbe || this.#is('Readiness', container, containerId) === 'success'
  }
  /** why a running container must be started anew */
  failed(container: KubeObject, containerId: string): 'liveness' | 'startup' | undefined {
    if (container.startupProbe && this.#is('Startup', container, containerId) === 'failure') return 'startup'
    if (container.livenessProbe && this.#is('Liveness', container, containerId) === 'failure') return 'liveness'
    return undefined
  }
  stop(): void {
    for (const worker of this.#workers.values()) stop(worker)
    this.#workers.clear()
  }
  /** a pod that ends is asked for readiness only */
  ending(): void {
    for (const [key, worker] of this.#workers) if (!key.startsWith('Readiness')) stop(worker)
  }
  #is(type: ProbeType, container: KubeObject, containerId: string): Result {
    const worker = this.#workers.get(`${type} ${container.name}`)
    if (worker?.containerId !== containerId) return type === 'Liveness' ? 'success' : type === 'Readiness' ? 'failure' : 'unknown'
    return worker.result
  }
  async #run(worker: Worker, type: ProbeType, container: KubeObject, probe: KubeObject, podIP: string): Promise<void> {
    if (worker.stopped || worker.held) return
    const again = () => {
      if (!worker.stopped)
        worker.timer = this.#deps.clock.after(seconds(probe.periodSeconds, 10), () => void this.#run(worker, type, container, probe, podIP))
    }
    // Until a container has started it is asked for nothing else, afterwards for its start no more.
    const started = this.started(container, worker.containerId)
    if (type === 'Startup' ? started : !started) {
      if (type !== 'Startup') again()
      return
    }
    const before = this.#deps.clock.now()
    const { result, output, error } = await this.#probe(container, probe, worker.containerId, podIP)
    if (worker.stopped) return
    if (error !== undefined) this.#deps.unhealthy(container, `${type} probe errored and resulted in unknown state: ${error}`)
    else if (result === 'failure') this.#deps.unhealthy(container, `${type} probe failed: ${output}`)
    if (error === undefined) {
      worker.count = worker.last === result ? worker.count + 1 : 1
      worker.last = result
      const enough = result === 'failure' ? (probe.failureThreshold ?? 3) : (probe.successThreshold ?? 1)
      if (worker.count >= enough && worker.result !== result) {
        worker.result = result
        if (result === 'failure' && type !== 'Readiness') worker.held = true
        this.#deps.changed()
      }
    }
    const took = this.#deps.clock.now() - before
    if (took > 0 && !worker.stopped)
      worker.timer = this.#deps.clock.after(
        Math.max(0, seconds(probe.periodSeconds, 10) - took),
        () => void this.#run(worker, type, container, probe, podIP),
      )
    else again()
  }
  async #probe(
    container: KubeObject,
    probe: KubeObject,
    containerId: string,
    podIP: string,
  ): Promise<{ result: Result; output: string; error?: string }> {
    const timeout = seconds(probe.timeoutSeconds, 1)
    if (probe.exec) {
      try {
        const { exitCode, output } = await this.#deps.runtime.execSync(containerId, probe.exec.command ?? [], timeout)
        return { result: exitCode === 0 ? 'success' : 'failure', output }
      } catch (error) {
        if (error instanceof RuntimeFailure && error.code === 'DeadlineExceeded')
          return {
            result: 'failure',
            output: `command timed out: ${JSON.stringify((probe.exec.command ?? []).join(' '))} timed out after ${timeout / 1000}s`,
          }
        return { result: 'unknown', output: '', error: (error as Error).message }
      }
    }
    const asked: number | string = probe.httpGet?.port ?? probe.tcpSocket?.port ?? probe.grpc?.port ?? 0
    const port = portOf(container, asked)
    // pkg/probe/util.go: what is no name in the container is taken for a number, and that is what the error tells of.
    if (port === undefined)
      return { result: 'unknown', output: '', error: `strconv.Atoi: parsing ${JSON.stringify(asked)}: invalid syntax` }
    if (probe.httpGet) {
      const { scheme, host, path, httpHeaders } = probe.httpGet
      const headers = Object.fromEntries((httpHeaders ?? []).map((one: KubeObject) => [one.name.toLowerCase(), one.value]))
      const answer = await httpGet(this.#deps, { scheme, host: host || podIP, port, path, headers }, timeout)
      if ('error' in answer) return { result: 'failure', output: answer.error }
      if (answer.status >= 200 && answer.status < 400) return { result: 'success', output: answer.body }
      return { result: 'failure', output: `HTTP probe failed with statuscode: ${answer.status}` }
    }
    const host = probe.tcpSocket?.host || podIP
    const opened = this.#deps.network.open(this.#deps.from, 'tcp', host, port)
    if (opened.outcome === 'timeout') await this.#deps.clock.sleep(timeout)
    if (probe.grpc)
      return opened.outcome === 'open'
        ? {
            result: 'failure',
            output: 'error: this server does not implement the grpc health protocol (grpc.health.v1.Health): gRPC is not simulated',
          }
        : {
            result: 'failure',
            output: `timeout: failed to connect service ${JSON.stringify(joined(host, port))} within ${timeout / 1000}s: context deadline exceeded`,
          }
    return opened.outcome === 'open'
      ? { result: 'success', output: '' }
      : { result: 'failure', output: dialError(opened.outcome, joined(host, port)) }
  }
}
const probesOf = (container: KubeObject): [ProbeType, KubeObject][] =>
  (
    [
      ['Startup', container.startupProbe],
      ['Liveness', container.livenessProbe],
      ['Readiness', container.readinessProbe],
    ] as [ProbeType, KubeObject | undefined][]
  ).filter((one): one is [ProbeType, KubeObject] => Boolean(one[1]))
function stop(worker: Worker): void {
  worker.stopped = true
  worker.timer?.cancel()
}
/** What is held of a container before it was first asked. */
const first = (type: ProbeType, before: { ready: boolean; started: boolean } | undefined): Result =>
  type === 'Liveness' ? 'success' : type === 'Readiness' ? (before?.ready ? 'success' : 'failure') : before?.started ? 'success' : 'unknown'
