// Logs, exec, attach and port-forward: the bytes between a client and a kubelet. WebSocket protocols v5 and v4 of remote commands, v4 and tunnelled
// SPDY of port-forward. Knows nothing of containers. Sources: apimachinery/pkg/util/remotecommand, kubelet/pkg/cri/streaming, KEP-4006.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Clock } from '../clock.ts'
import type { KubeObject, User } from '../kube.ts'
import { ApiError } from '../kube.ts'
import type { Target } from './http.ts'
import type { ContainerRef, ExecStreams, KubeletDoor, LogOptions } from './kubelet-door.ts'
import { forwardTunnelled, forwardV4 } from './port-forward.ts'
import { proxied } from './proxy.ts'
import type { Requests } from './requests.ts'

export interface Streamed {
  user: User
  target: Target
  query: URLSearchParams
}
const commands = ['v5.channel.k8s.io', 'v4.channel.k8s.io']
const tunnel = 'SPDY/3.1+portforward.k8s.io'
/** The tunnel's name has a slash, which ws takes for a mistake: inside it goes by this one. */
const alias = 'spdy-tunnel'
const bad = (message: string) => new ApiError(400, 'BadRequest', message)
/** bytes that may wait for a slow client before the source is asked to wait */
const high = 1024 * 1024

export class Streams {
  readonly #requests: Requests
  readonly #kubelets: KubeletDoor
  readonly #clock: Clock
  readonly #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    handleProtocols: (offered) => [...commands, alias].find((one) => offered.has(one)) ?? false,
  })

  constructor(options: { requests: Requests; kubelets: KubeletDoor; clock: Clock }) {
    this.#requests = options.requests
    this.#kubelets = options.kubelets
    this.#clock = options.clock
    this.#sockets.on('headers', (headers) => {
      const at = headers.indexOf(`Sec-WebSocket-Protocol: ${alias}`)
      if (at >= 0) headers[at] = `Sec-WebSocket-Protocol: ${tunnel}`
    })
  }

  /** What needs no upgrade: logs, proxy. Everything else is refused in words. */
  async plain(request: IncomingMessage, response: ServerResponse, { target, query }: Streamed, signal: AbortSignal): Promise<void> {
    if (target.subresource === 'log' && target.served.bucket === 'pods') return await this.#log(response, target, query, signal)
    if (target.subresource === 'proxy') return await proxied(this.#requests.operations, this.#kubelets, request, response, target)
    this.#pod(target)
    throw bad('Upgrade request required')
  }

  /** Returns what ends the connection. Throws before the upgrade what the client must see. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, { target, query }: Streamed): () => void {
    const offered = String(request.headers['sec-websocket-protocol'] ?? '')
      .split(',')
      .map((one) => one.trim())
    // kubectl asks once more by SPDY when a WebSocket is refused, and shows that answer: it must be the same one.
    const upgradable = () => {
      if (String(request.headers.upgrade).toLowerCase() === 'websocket') return
      throw bad('unable to upgrade: only WebSocket connections are supported by the simulated cluster (kubectl 1.31 or newer)')
    }
    const pod = this.#pod(target)
    if (target.subresource === 'portforward') {
      const node = scheduled(pod)
      upgradable()
      if (offered.includes(tunnel)) request.headers['sec-websocket-protocol'] = alias
      this.#sockets.handleUpgrade(request, socket, head, (ws) => {
        const open = (port: number) => this.#kubelets.open(node, { namespace: target.namespace, pod: target.name }, port)
        if (offered.includes(tunnel)) forwardTunnelled(ws, open)
        else
          forwardV4(
            ws,
            open,
            query.getAll('ports').flatMap((ports) => ports.split(',').map(Number)),
          )
      })
      return () => socket.destroy()
    }
    const container = containerOf(pod, query.get('container') ?? '', target.subresource)
    const node = scheduled(pod)
    if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') {
      throw bad(`cannot exec into a container in a completed pod; current phase is ${pod.status.phase}`)
    }
    const ref: ContainerRef = { namespace: target.namespace, pod: target.name, container }
    const on = (key: string) => ['true', '1'].includes(query.get(key) ?? '')
    const wants = { stdin: on('stdin'), stdout: on('stdout'), stderr: on('stderr') && !on('tty'), tty: on('tty') }
    if (!wants.stdin && !wants.stdout && !on('stderr')) throw bad('you must specify at least 1 of stdin, stdout, stderr')
    const command = query.getAll('command')
    if (target.subresource === 'exec' && command.length === 0) throw bad('you must specify at least one command for the container')
    upgradable()
    this.#sockets.handleUpgrade(request, socket, head, (ws) => {
      remoteCommand(ws, (streams) =>
        target.subresource === 'exec'
          ? this.#kubelets.exec(node, ref, { command, ...wants }, streams)
          : this.#kubelets.attach(node, ref, wants, streams),
      )
    })
    return () => socket.destroy()
  }

  #pod(target: Target): KubeObject {
    const { operations } = this.#requests
    operations.reachable()
    return operations.stored(operations.registry.get('v1/pods'), target.namespace, target.name)
  }

  async #log(response: ServerResponse, target: Target, query: URLSearchParams, signal: AbortSignal): Promise<void> {
    const pod = this.#pod(target)
    const options = logOptions(target.name, query, this.#clock.now())
    const container = containerOf(pod, query.get('container') ?? '', 'log')
    if (!pod.spec.nodeName) {
      response.writeHead(200, { 'content-type': 'text/plain' })
      response.end()
      return
    }
    const begin = () => {
      if (!response.headersSent) response.writeHead(200, { 'cache-control': 'no-cache, private', 'content-type': 'text/plain' })
    }
    const sink = {
      write: (bytes: Uint8Array | string) => {
        begin()
        if (response.write(bytes) || response.destroyed) return undefined
        return new Promise<void>((resolve) => {
          const done = () => {
            response.off('drain', done)
            response.off('close', done)
            resolve()
          }
          response.on('drain', done)
          response.on('close', done)
        })
      },
      end: () => {
        begin()
        response.end()
      },
    }
    await this.#kubelets.logs(pod.spec.nodeName, { namespace: target.namespace, pod: target.name, container }, options, sink, signal)
    if (!response.writableEnded) sink.end()
  }
}

function scheduled(pod: KubeObject): string {
  if (!pod.spec.nodeName) throw bad(`pod ${pod.metadata.name} does not have a host assigned`)
  return pod.spec.nodeName
}
/** Source: pkg/registry/core/pod/strategy.go */
function containerOf(pod: KubeObject, asked: string, what: string): string {
  const list = (containers: KubeObject[] | undefined): string[] => (containers ?? []).map((container) => container.name)
  const { containers, initContainers, ephemeralContainers } = pod.spec
  const name = pod.metadata.name
  if (asked !== '') {
    const all = [...list(containers), ...list(initContainers), ...list(ephemeralContainers)]
    if (!all.includes(asked)) throw bad(`container ${asked} is not valid for pod ${name}`)
    return asked
  }
  if (containers.length === 1) return containers[0].name
  if (containers.length === 0) throw bad(`a container name must be specified for pod ${name}`)
  const annotated = pod.metadata.annotations?.['kubectl.kubernetes.io/default-container']
  if (annotated !== undefined && list(containers).includes(annotated) && what !== 'log') return annotated
  const inits = list(initContainers)
  const debug = list(ephemeralContainers)
  throw bad(
    `a container name must be specified for pod ${name}, choose one of: [${list(containers).join(' ')}]${inits.length > 0 ? ` or one of the init containers: [${inits.join(' ')}]` : ''}${debug.length > 0 ? ` or one of the ephemeral containers: [${debug.join(' ')}]` : ''}`,
  )
}
function logOptions(pod: string, query: URLSearchParams, now: number): LogOptions {
  const on = (key: string) => ['true', '1'].includes(query.get(key) ?? '')
  const whole = (key: string): number | undefined => {
    const value = query.get(key)
    if (value === null || value === '') return undefined
    return Number(value)
  }
  const invalidOption = (field: string, value: unknown, message: string) =>
    new ApiError(422, 'Invalid', `PodLogOptions ${JSON.stringify(pod)} is invalid: ${field}: Invalid value: ${value}: ${message}`, {
      name: pod,
      kind: 'PodLogOptions',
      causes: [{ reason: 'FieldValueInvalid', message: `Invalid value: ${value}: ${message}`, field }],
    })
  const tailLines = whole('tailLines')
  if (tailLines !== undefined && tailLines < 0) throw invalidOption('tailLines', tailLines, 'must be greater than or equal to 0')
  const limitBytes = whole('limitBytes')
  if (limitBytes !== undefined && limitBytes < 1) throw invalidOption('limitBytes', limitBytes, 'must be greater than 0')
  const seconds = whole('sinceSeconds')
  if (seconds !== undefined && seconds < 1) throw invalidOption('sinceSeconds', seconds, 'must be greater than 0')
  const time = query.get('sinceTime')
  const since = seconds !== undefined ? now - seconds * 1000 : time ? Date.parse(time) : undefined
  return {
    follow: on('follow'),
    previous: on('previous'),
    timestamps: on('timestamps'),
    ...(since === undefined ? {} : { since }),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
  }
}

const [stdinChannel, stdoutChannel, stderrChannel, errorChannel, resizeChannel, closeChannel] = [0, 1, 2, 3, 4, 255]

/** One command over a WebSocket: a byte of channel before each message. The exit code ends it as a Status on the error channel. */
function remoteCommand(ws: WebSocket, run: (streams: ExecStreams) => Promise<number>): void {
  const v5 = ws.protocol === 'v5.channel.k8s.io'
  const abort = new AbortController()
  const input = new Input()
  let size: { cols: number; rows: number } | undefined
  const resized = new Set<(size: { cols: number; rows: number }) => void>()
  const sendOn = (channel: number, bytes: Uint8Array | string) => {
    if (ws.readyState !== ws.OPEN) return
    const data = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
    const message = Buffer.allocUnsafe(data.length + 1)
    message[0] = channel
    message.set(data, 1)
    ws.send(message)
  }
  ws.on('message', (data: Buffer) => {
    const [channel, payload] = [data[0], data.subarray(1)]
    if (channel === stdinChannel) {
      input.push(payload)
      if (input.waiting > high) ws.pause()
    } else if (channel === resizeChannel) {
      try {
        const { Width, Height } = JSON.parse(payload.toString())
        size = { cols: Width, rows: Height }
        for (const listener of resized) listener(size)
      } catch {
        // A size that cannot be read is no size.
      }
    } else if (v5 && channel === closeChannel && payload[0] === stdinChannel) input.end()
  })
  ws.on('close', () => {
    input.end()
    abort.abort()
  })
  ws.on('error', () => ws.terminate())
  input.drained = () => ws.resume()
  const finish = (status: KubeObject) => {
    sendOn(errorChannel, JSON.stringify(status))
    ws.close(1000)
  }
  // Empty messages say which channels there are, as the kubelet does.
  sendOn(stdoutChannel, '')
  run({
    stdin: input,
    stdout: (bytes) => sendOn(stdoutChannel, bytes),
    stderr: (bytes) => sendOn(stderrChannel, bytes),
    onResize: (listener) => {
      resized.add(listener)
      if (size !== undefined) listener(size)
    },
    signal: abort.signal,
  }).then(
    (code) =>
      finish(
        code === 0
          ? { metadata: {}, status: 'Success' }
          : {
              metadata: {},
              status: 'Failure',
              message: `command terminated with non-zero exit code: exit status ${code}`,
              reason: 'NonZeroExitCode',
              details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
            },
      ),
    (error) =>
      finish(
        error instanceof ApiError
          ? (error.status as unknown as KubeObject)
          : {
              metadata: {},
              status: 'Failure',
              message: `Internal error occurred: ${error instanceof Error ? error.message : error}`,
              reason: 'InternalError',
              details: { causes: [{ message: error instanceof Error ? error.message : String(error) }] },
              code: 500,
            },
      ),
  )
}

/** What a client writes, as it is read. */
class Input implements AsyncIterable<Uint8Array> {
  readonly #chunks: Uint8Array[] = []
  #ended = false
  #wake: (() => void) | undefined
  waiting = 0
  drained: () => void = () => undefined

  push(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#ended) return
    this.#chunks.push(bytes)
    this.waiting += bytes.length
    this.#wake?.()
  }
  end(): void {
    this.#ended = true
    this.#wake?.()
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#chunks.shift()
      if (chunk !== undefined) {
        this.waiting -= chunk.length
        if (this.waiting === 0) this.drained()
        yield chunk
      } else if (this.#ended) return
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        this.#wake = undefined
      }
    }
  }
}
