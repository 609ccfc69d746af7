// Commands in pods, through the API's exec, and where a pod runs. Knows nothing of nodes' containers.
import { PassThrough } from 'node:stream'
import { Exec, type KubeConfig, type V1Status } from '@kubernetes/client-node'
import { LabError } from '#lib/protocol/index.ts'
import { kubernetesApi } from '../api.ts'
import type { ExecOptions, ExecResult, PodRef } from '../port.ts'

const keptBytes = 16 * 1024 * 1024

/** Node and uid of a pod. @throws LabError not-found when it does not exist or has not been scheduled */
export async function podPlacement(kubeconfig: string, pod: PodRef, signal?: AbortSignal): Promise<{ node: string; uid: string }> {
  const api = kubernetesApi(kubeconfig)
  try {
    const object = await api.get({ apiVersion: 'v1', kind: 'Pod', namespace: pod.namespace, name: pod.pod }, { signal })
    if (!object) throw new LabError('not-found', `Pod ${pod.namespace}/${pod.pod} does not exist.`)
    if (!object.spec?.nodeName) throw new LabError('not-found', `Pod ${pod.namespace}/${pod.pod} has not been scheduled to a node.`)
    return { node: object.spec.nodeName, uid: object.metadata.annotations?.['kubernetes.io/config.hash'] ?? object.metadata.uid }
  } finally {
    api.close()
  }
}

/** @throws LabError timeout, cancelled, not-found, cluster-unreachable */
export async function podExec(config: KubeConfig, pod: PodRef, argv: readonly string[], options: ExecOptions): Promise<ExecResult> {
  const out = { stdout: collect(), stderr: collect() }
  const stdin = options.stdin === undefined ? null : new PassThrough()
  const timeoutMs = options.timeoutMs ?? 60_000
  const command = options.env ? ['env', ...Object.entries(options.env).map(([name, value]) => `${name}=${value}`), ...argv] : [...argv]
  return new Promise((resolve, reject) => {
    let close = () => {}
    const end = (error: LabError) => {
      finish()
      close()
      reject(error)
    }
    const onAbort = () => end(new LabError('cancelled', `\`${argv.join(' ')}\` in ${pod.namespace}/${pod.pod} was cancelled.`))
    const timer = setTimeout(
      () => end(new LabError('timeout', `\`${argv.join(' ')}\` in ${pod.namespace}/${pod.pod} took longer than ${timeoutMs} ms.`)),
      timeoutMs,
    )
    const finish = () => {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', onAbort)
    }
    options.signal?.addEventListener('abort', onAbort, { once: true })
    if (options.signal?.aborted) return onAbort()
    const onStatus = (status: V1Status) => {
      finish()
      const code = Number(
        status.details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message ?? (status.status === 'Success' ? 0 : Number.NaN),
      )
      if (Number.isNaN(code))
        return reject(
          new LabError(
            'not-found',
            `\`${argv.join(' ')}\` could not be run in ${pod.namespace}/${pod.pod}: ${status.message ?? status.reason ?? 'no reason given'}`,
          ),
        )
      const result = { exitCode: code, stdout: out.stdout.text(), stderr: out.stderr.text() }
      if (options.onLine)
        for (const stream of ['stdout', 'stderr'] as const)
          for (const line of result[stream].split('\n')) if (line) options.onLine(line, stream)
      resolve(result)
    }
    new Exec(config)
      .exec(pod.namespace, pod.pod, pod.container ?? '', command, out.stdout.stream, out.stderr.stream, stdin, false, onStatus)
      .then((socket) => {
        close = () => socket.close()
        socket.on?.('close', () => end(new LabError('cluster-unreachable', `The connection to ${pod.namespace}/${pod.pod} broke.`)))
        stdin?.end(options.stdin)
      })
      .catch((error: { message?: string }) => {
        const text = error.message ?? String(error)
        end(
          /404|not found/i.test(text)
            ? new LabError('not-found', `Pod ${pod.namespace}/${pod.pod} does not exist.`, { cause: error })
            : new LabError(
                'cluster-unreachable',
                `\`${argv.join(' ')}\` could not be run in ${pod.namespace}/${pod.pod}: ${text || 'the API server does not answer'}.`,
                { cause: error },
              ),
        )
      })
  })
}

function collect() {
  const stream = new PassThrough()
  let chunks: Buffer[] = []
  let size = 0
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    size += chunk.length
    if (size > 2 * keptBytes) {
      chunks = [Buffer.concat(chunks).subarray(-keptBytes)]
      size = keptBytes
    }
  })
  return { stream, text: () => Buffer.concat(chunks).subarray(-keptBytes).toString('utf8') }
}
