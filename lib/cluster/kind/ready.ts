// Waits until a cluster is what its learner should find: every node Ready, every pod of the system running. Knows nothing of labs.
import { LabError } from '#lib/protocol/index.ts'
import { type Api, type KubeObject, wait } from '../api.ts'

export const systemNamespaces = ['kube-system', 'kube-flannel', 'local-path-storage']
const isTrue = (object: KubeObject, type: string) =>
  object.status?.conditions?.some((one: KubeObject) => one.type === type && one.status === 'True') === true

/** A kubelet renews its lease every 10 s: what has been put back from etcd may call a node Ready whose kubelet has not been heard since. */
const silentMs = 25_000

/** What is not ready yet, one line each; empty when all is. */
export async function unready(api: Api, nodes: number, signal: AbortSignal): Promise<string[]> {
  const [nodeList, leases, pods, daemonSets] = await Promise.all([
    api.list({ apiVersion: 'v1', kind: 'Node' }, { signal }),
    api.list({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: 'kube-node-lease' }, { signal }),
    api.list({ apiVersion: 'v1', kind: 'Pod' }, { signal }),
    api.list({ apiVersion: 'apps/v1', kind: 'DaemonSet' }, { signal }),
  ])
  const lines: string[] = []
  if (nodeList.length < nodes) lines.push(`${nodes - nodeList.length} nodes have not joined`)
  for (const node of nodeList) {
    const { name } = node.metadata
    const renewed = Date.parse(leases.find((lease) => lease.metadata.name === name)?.spec?.renewTime ?? '')
    if (!isTrue(node, 'Ready')) lines.push(`node ${name} is not Ready`)
    else if (!(Date.now() - renewed < silentMs)) lines.push(`node ${name}: nothing is heard of its kubelet`)
  }
  for (const set of daemonSets) {
    const { desiredNumberScheduled = 0, numberReady = 0 } = set.status ?? {}
    if (
      set.status?.observedGeneration !== set.metadata.generation ||
      numberReady < desiredNumberScheduled ||
      desiredNumberScheduled === 0
    ) {
      lines.push(`DaemonSet ${set.metadata.name}: ${numberReady} of ${desiredNumberScheduled} ready`)
    }
  }
  for (const pod of pods) {
    if (!systemNamespaces.includes(pod.metadata.namespace) || pod.status?.phase === 'Succeeded') continue
    if (pod.metadata.deletionTimestamp || !isTrue(pod, 'Ready')) {
      const waiting = pod.status?.containerStatuses?.find((one: KubeObject) => one.state?.waiting)?.state.waiting.reason
      lines.push(`pod ${pod.metadata.namespace}/${pod.metadata.name}: ${waiting ?? pod.status?.phase ?? 'unknown'}`)
    }
  }
  if (!pods.some((pod) => pod.metadata.namespace === 'kube-system' && pod.metadata.labels?.['k8s-app'] === 'kube-dns'))
    lines.push('CoreDNS has not been created')
  return lines
}

/** @throws LabError timeout naming what is not ready, cancelled */
export async function untilReady(
  api: Api,
  nodes: number,
  detail: (text: string) => void,
  signal: AbortSignal,
  timeoutMs = 240_000,
): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  let last = ['the API server does not answer']
  for (;;) {
    try {
      last = await unready(api, nodes, limit)
      if (last.length === 0) return
      detail(last.length === 1 ? last[0]! : `${last[0]}, and ${last.length - 1} more`)
    } catch {
      // an API server that is not there yet
    }
    await wait(700, limit)
    if (signal.aborted) throw new LabError('cancelled', 'The creation was cancelled.')
    if (limit.aborted)
      throw new LabError('timeout', `The cluster was not ready after ${Math.round(timeoutMs / 1000)} s: ${last.slice(0, 5).join('; ')}.`)
  }
}
