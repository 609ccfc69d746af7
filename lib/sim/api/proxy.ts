// The proxy subresource: of pods and services an HTTP request handed to what listens in a pod, of nodes one that their kubelet answers. Knows nothing of routes.
// Source: apimachinery/pkg/util/proxy, pkg/registry/core/{node,pod,service}/rest.go
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { KubeObject } from '../kube.ts'
import { ApiError } from '../kube.ts'
import type { Target } from './http.ts'
import type { KubeletDoor } from './kubelet-door.ts'
import type { Operations } from './operations.ts'

export async function proxied(
  operations: Operations,
  kubelets: KubeletDoor,
  request: IncomingMessage,
  response: ServerResponse,
  target: Target,
): Promise<void> {
  if (target.served.bucket === 'nodes') {
    const node = operations.stored(operations.registry.get('v1/nodes'), '', target.name)
    const { status, type, body } = kubelets.page(node.metadata.name, pathOf(request))
    response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) })
    response.end(body)
    return
  }
  const [, name = '', , port = ''] = /^(?:(https?):)?([^:]+)(:([^:]*))?$/.exec(target.name)?.slice(0) ?? []
  const plain = /^(?:https?:)?([^:]+)/.exec(target.name)?.[1] ?? name
  const { pod, number } =
    target.served.bucket === 'services' ? ofService(operations, target.namespace, plain, port) : ofPod(operations, target, plain, port)
  const opened = kubelets.open(pod.spec.nodeName, { namespace: target.namespace, pod: pod.metadata.name }, number)
  const failed = (why: string) =>
    new ApiError(503, 'ServiceUnavailable', `error trying to reach service: dial tcp ${pod.status?.podIP ?? ''}:${number}: ${why}`)
  if (opened.outcome !== 'open') {
    throw failed(
      opened.outcome === 'refused'
        ? 'connect: connection refused'
        : opened.outcome === 'timeout'
          ? 'i/o timeout'
          : 'connect: no route to host',
    )
  }
  if (opened.listener.http === undefined) throw new ApiError(503, 'ServiceUnavailable', 'error trying to reach service: EOF')
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const headers = Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, String(value)]))
  const answer = await opened.listener.http({
    method: request.method ?? 'GET',
    path: pathOf(request),
    headers,
    body: Buffer.concat(chunks),
    from: opened.from,
  })
  response.writeHead(answer.status, { ...answer.headers, 'content-length': answer.body.length })
  response.end(answer.body)
}
/** what follows `/proxy` in a request's address */
function pathOf(request: IncomingMessage): string {
  const path = (request.url ?? '/').replace(/^.*?\/proxy(?=\/|\?|$)/, '') || '/'
  return path.startsWith('/') ? path : `/${path}`
}
function ofPod(operations: Operations, target: Target, name: string, port: string): { pod: KubeObject; number: number } {
  if (target.served.bucket !== 'pods') {
    throw new ApiError(501, 'NotImplemented', `${target.served.resource}/proxy is not supported by the simulated cluster`, {})
  }
  const pod = operations.stored(operations.registry.get('v1/pods'), target.namespace, name)
  if (!pod.spec.nodeName || !pod.status?.podIP) throw new ApiError(400, 'BadRequest', `address not allowed`)
  return { pod, number: port === '' ? (pod.spec.containers[0]?.ports?.[0]?.containerPort ?? 80) : Number(port) }
}
function ofService(operations: Operations, namespace: string, name: string, port: string): { pod: KubeObject; number: number } {
  const service = operations.stored(operations.registry.get('v1/services'), namespace, name)
  const wanted = (service.spec.ports ?? []).find((one: KubeObject) => (port === '' ? true : one.name === port || String(one.port) === port))
  const none = new ApiError(503, 'ServiceUnavailable', `no endpoints available for service ${JSON.stringify(name)}`)
  if (wanted === undefined) {
    throw new ApiError(503, 'ServiceUnavailable', `no service port ${JSON.stringify(port)} found for service ${JSON.stringify(name)}`)
  }
  for (const slice of operations.store.list('endpointslices.discovery.k8s.io', namespace)) {
    if (slice.metadata.labels?.['kubernetes.io/service-name'] !== name) continue
    const number = slice.ports?.find((one: KubeObject) => (one.name ?? '') === (wanted.name ?? ''))?.port
    const ready = (slice.endpoints ?? []).find((one: KubeObject) => one.conditions?.ready !== false && one.targetRef?.kind === 'Pod')
    const pod = ready && operations.store.get('pods', namespace, ready.targetRef.name)
    if (number !== undefined && pod !== undefined && pod !== null) return { pod, number }
  }
  throw none
}
