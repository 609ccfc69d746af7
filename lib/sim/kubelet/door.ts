// What the API server asks of kubelets: logs, exec, attach, ports of pods. Answers from what the kubelet and the runtime of the node have; a kubelet that does
// not run refuses the connection. Knows nothing of HTTP.
import type { X509Certificate } from 'node:crypto'
import type { ContainerRef, KubeletDoor, LogOptions } from '../api/kubelet-door.ts'
import { ApiError, type KubeObject } from '../kube.ts'
import type { Network } from '../net.ts'
import { type Kubelet, kubeletOn } from './kubelet.ts'
import { formatLine, parseLog, selectLog } from './logs.ts'
import { type ContainerState, type Runtime, RuntimeFailure } from './types.ts'
import type { PodWorker } from './worker.ts'

/**
 * `lookup`: the runtime of a node by the node's name; `network` opens ports in pods. `caller`: the certificate that the API server shows to kubelets;
 * without it all are let in.
 */
export function kubeletDoor(
  lookup: (node: string) => Runtime | undefined,
  network: Network,
  caller?: () => X509Certificate | undefined,
): KubeletDoor {
  const nobody = (subresource: string) => `Forbidden (user=system:anonymous, verb=${subresource}, resource=nodes, subresource=[proxy])`
  const reach = (node: string, log?: string): { runtime: Runtime; kubelet: Kubelet } => {
    const runtime = lookup(node)
    if (!runtime) throw new Error(`error dialing backend: dial tcp: lookup ${node}: no such host`)
    const kubelet = kubeletOn(runtime.machine)
    if (!kubelet) throw new Error(`error dialing backend: dial tcp ${runtime.machine.address}:10250: connect: connection refused`)
    const refused = caller && kubelet.refuses(caller())
    if (refused && log !== undefined)
      throw refused === 401
        ? new ApiError(401, 'Unauthorized', `the server has asked for the client to provide credentials ( pods/log ${log})`)
        : new ApiError(403, 'Forbidden', `${nobody('get')} ( pods/log ${log})`)
    if (refused) throw new Error(`unable to upgrade connection: ${refused === 401 ? 'Unauthorized' : nobody('create')}`)
    return { runtime, kubelet }
  }
  const podOf = (kubelet: Kubelet, namespace: string, name: string): PodWorker => {
    const pod = kubelet.pod(namespace, name)
    if (!pod) throw new ApiError(404, 'NotFound', `pod ${JSON.stringify(`${namespace}/${name}`)} not found`)
    return pod
  }
  const statusOf = (pod: PodWorker, name: string): KubeObject | undefined => {
    const { containerStatuses, initContainerStatuses, ephemeralContainerStatuses } = pod.status
    return [...(containerStatuses ?? []), ...(initContainerStatuses ?? []), ...(ephemeralContainerStatuses ?? [])].find(
      (one) => one.name === name,
    )
  }
  const runningId = (node: string, ref: ContainerRef, gone: (pod: PodWorker | undefined) => Error): { runtime: Runtime; id: string } => {
    const { runtime, kubelet } = reach(node)
    const pod = kubelet.pod(ref.namespace, ref.pod)
    if (!pod) throw gone(pod)
    const uid = pod.pod.metadata.uid
    const found = runtime
      .containers()
      .find((one) => one.state === 'running' && one.config.name === ref.container && one.config.labels['io.kubernetes.pod.uid'] === uid)
    if (!found) throw gone(pod)
    return { runtime, id: found.id }
  }

  return {
    async logs(node, ref, options, sink, signal) {
      const { runtime, kubelet } = reach(node, ref.pod)
      const pod = podOf(kubelet, ref.namespace, ref.pod)
      const id = logged(ref, options, statusOf(pod, ref.container))
      const state = runtime.containers().find((one) => one.id === id)
      if (!state) {
        await sink.write(`unable to retrieve container logs for containerd://${id}`)
        sink.end()
        return
      }
      await readLog(runtime, state, options, sink, signal)
    },
    async exec(node, ref, request, streams) {
      const { runtime, id } = runningId(
        node,
        ref,
        () => new Error(`unable to upgrade connection: container not found (${JSON.stringify(ref.container)})`),
      )
      try {
        return await runtime.exec(id, request, streams)
      } catch (error) {
        if (error instanceof RuntimeFailure)
          throw new Error(`Internal error occurred: error executing command in container: ${error.description}`)
        throw error
      }
    },
    async attach(node, ref, request, streams) {
      const { runtime, id } = runningId(
        node,
        ref,
        () => new Error(`unable to upgrade connection: container ${ref.container} not found in pod ${ref.pod}_${ref.namespace}`),
      )
      return runtime.attach(id, request, streams)
    },
    open(node, { namespace, pod: name }, port) {
      const { runtime, kubelet } = reach(node)
      const pod = podOf(kubelet, namespace, name)
      const sandbox = runtime.sandboxes().find((one) => one.ready && one.config.uid === pod.pod.metadata.uid)
      const netns = sandbox && runtime.netns(sandbox.id)
      if (!netns) return { outcome: 'unreachable', why: 'the pod has no network namespace' }
      return network.open(netns, 'tcp', '127.0.0.1', port)
    },
    page(node, path) {
      const runtime = lookup(node)
      const kubelet = runtime && kubeletOn(runtime.machine)
      if (!kubelet) {
        const why = runtime
          ? `dial tcp ${runtime.machine.address}:10250: connect: connection refused`
          : `dial tcp: lookup ${node}: no such host`
        throw new ApiError(503, 'ServiceUnavailable', `error trying to reach service: ${why}`)
      }
      const plain = (status: number, body: string) => ({ status, type: 'text/plain; charset=utf-8', body })
      const refused = caller && kubelet.refuses(caller())
      if (refused) return plain(refused, refused === 401 ? 'Unauthorized' : nobody('get'))
      const json = (body: unknown) => ({ status: 200, type: 'application/json', body: JSON.stringify(body) })
      switch (path.split('?')[0]) {
        case '/healthz':
          return plain(200, 'ok')
        // component-base/configz: what was read of flags and file together, under the name it was registered with.
        case '/configz':
          return json({ kubeletconfig: kubelet.configz() })
        default:
          return plain(404, '404 page not found\n')
      }
    },
  }
}

/** Which container's log is meant (kubelet_pods.go, validateContainerLogStatus). */
function logged(ref: ContainerRef, options: LogOptions, status: KubeObject | undefined): string {
  const bad = (words: string) => new ApiError(400, 'BadRequest', words)
  const idOf = (text: string | undefined) => (text ?? '').replace('containerd://', '')
  const where = `container ${JSON.stringify(ref.container)} in pod ${JSON.stringify(ref.pod)}`
  if (!status) throw bad(`${where} is not available`)
  const last = status.lastState?.terminated
  if (options.previous) {
    if (!last?.containerID) throw bad(`previous terminated ${where} not found`)
    return idOf(last.containerID)
  }
  if (status.state.running) return idOf(status.containerID)
  if (status.state.terminated?.containerID) return idOf(status.state.terminated.containerID)
  if (last?.containerID) return idOf(last.containerID)
  const reason = status.state.waiting?.reason
  if (reason === 'ErrImagePull') throw bad(`${where} is waiting to start: trying and failing to pull image`)
  if (reason === 'ImagePullBackOff') throw bad(`${where} is waiting to start: image can't be pulled`)
  throw bad(`${where} is waiting to start: ${reason ?? ''}`)
}

/** A container's log to a sink, as `kubectl logs` and `crictl logs` show it; with `follow` until the container ends. */
export async function readLog(
  runtime: Runtime,
  state: ContainerState,
  options: LogOptions,
  sink: { write(bytes: Uint8Array | string): Promise<void> | void; end(): void },
  signal: AbortSignal,
): Promise<void> {
  const { files } = runtime.machine
  const path = state.config.logPath
  let wake: (() => void) | undefined
  let ended = state.state !== 'running'
  // Listens before it reads, so that nothing falls between.
  const news = options.follow
    ? runtime.onLog(state.id, (over) => {
        ended ||= over
        wake?.()
      })
    : undefined
  const gone = () => wake?.()
  signal.addEventListener('abort', gone, { once: true })
  try {
    const text = files.text(path) ?? ''
    // An unfinished line is read when it is whole.
    let offset = Buffer.byteLength(text.slice(0, text.lastIndexOf('\n') + 1))
    const first = selectLog(parseLog(text), options)
    if (first.text) await sink.write(first.text)
    let { left } = first
    while (options.follow && !signal.aborted && left !== 0) {
      const bytes = files.exists(path) ? files.read(path) : Buffer.alloc(0)
      const end = bytes.lastIndexOf(10) + 1
      if (end > offset) {
        let more = parseLog(bytes.subarray(offset, end).toString('utf8'))
          .map((line) => formatLine(line, options.timestamps))
          .join('')
        offset = end
        if (left !== undefined) {
          more = Buffer.from(more).subarray(0, left).toString()
          left -= Buffer.byteLength(more)
        }
        await sink.write(more)
        continue
      }
      if (ended) break
      await new Promise<void>((resolve) => {
        wake = resolve
        if (signal.aborted) resolve()
      })
      wake = undefined
    }
  } finally {
    news?.stop()
    signal.removeEventListener('abort', gone)
    sink.end()
  }
}
