// Gives each node its range of pod addresses, and the hint how long its kubelet may cache (pkg/controller/nodeipam, pkg/controller/ttl).
import type { KubeObject } from '../kube.ts'
import { type Run, SyncError } from './context.ts'

const ttlAnnotation = 'node.alpha.kubernetes.io/ttl'

const toNumber = (ip: string): number => ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
const toAddress = (number: number): string => [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.')

export function startNodeIpam(run: Run): void {
  const [address, bits] = run.options.clusterCidr.split('/')
  if (!address || bits === undefined || address.includes(':')) return
  const client = run.client('node-controller')
  const record = run.events('cidrAllocator', 'node-controller')
  const mask = run.options.nodeCidrMaskSize ?? 24
  const size = 2 ** (32 - mask)
  const first = Math.floor(toNumber(address) / 2 ** (32 - Number(bits))) * 2 ** (32 - Number(bits))
  const count = 2 ** Math.max(0, mask - Number(bits))
  const taken = new Map<string, string>()
  /** the next range to try: ranges that were given back come last */
  let next = 0

  const queue = run.queue('node_ipam', (name) => {
    const node = run.reader.find('v1/nodes', name)
    if (node === undefined || node.metadata.deletionTimestamp) return
    const own: string | undefined = node.spec?.podCIDRs?.[0] ?? node.spec?.podCIDR
    if (own !== undefined) {
      taken.set(own, name)
      return
    }
    for (let tried = 0; tried < count; tried++) {
      const range = `${toAddress(first + ((next + tried) % count) * size)}/${mask}`
      const holder = taken.get(range)
      if (holder !== undefined && holder !== name) continue
      client.patch('v1/nodes', name, undefined, 'strategic', { spec: { podCIDR: range, podCIDRs: [range] } })
      taken.set(range, name)
      next = (next + tried + 1) % count
      run.log('I', 'range_allocator.go:433', 'Set node PodCIDR', { node: name, podCIDRs: [range] })
      return
    }
    const reference = { kind: 'Node', name, uid: node.metadata.uid, apiVersion: 'v1' }
    record(reference, 'Normal', 'CIDRNotAvailable', `Node ${name} status is now: CIDRNotAvailable`)
    throw new SyncError(
      'failed to allocate cidr from cluster cidr at idx:0: CIDR allocation failed; there are no remaining CIDRs left to allocate in the accepted range',
    )
  })
  const occupy = (node: KubeObject) => {
    for (const range of node.spec?.podCIDRs ?? []) {
      taken.set(range, node.metadata.name)
      const at = (toNumber(range.split('/')[0]) - first) / size
      if (at >= 0 && at < count) next = Math.max(next, (at + 1) % count)
    }
    queue.add(node.metadata.name)
  }
  run.watch('v1/nodes', {
    added: occupy,
    updated: (node, old) => {
      if ((node.spec?.podCIDRs ?? []).length === 0 || node.spec.podCIDR !== old.spec?.podCIDR) queue.add(node.metadata.name)
    },
    deleted: (node) => {
      for (const [range, holder] of taken) if (holder === node.metadata.name) taken.delete(range)
    },
  })
}

/** up to 100 nodes: 0 seconds (pkg/controller/ttl ttlBoundaries) */
export function startTtl(run: Run): void {
  const client = run.client('ttl-controller')
  const queue = run.queue('ttlcontroller', (name) => {
    const node = run.reader.find('v1/nodes', name)
    if (node === undefined || node.metadata.annotations?.[ttlAnnotation] === '0') return
    client.patch('v1/nodes', name, undefined, 'strategic', { metadata: { annotations: { [ttlAnnotation]: '0' } } })
  })
  const look = (node: KubeObject) => {
    if (node.metadata.annotations?.[ttlAnnotation] !== '0') queue.add(node.metadata.name)
  }
  run.watch('v1/nodes', { added: look, updated: look })
}
