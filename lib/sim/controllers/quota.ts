// The status of ResourceQuotas: what is used now of what is allowed (pkg/controller/resourcequota).
import { quotaUsage } from '../api/index.ts'
import type { KubeObject } from '../kube.ts'
import { followKinds, type Kind } from './catalog.ts'
import { keyOf, type Run, splitKey } from './context.ts'
import { same } from './objects.ts'

const resource = 'v1/resourcequotas'
// A pod that comes up changes several times; --resource-quota-sync-period is the fallback of the real one, this its replenishment
const settleMs = 1000

export function startResourceQuota(run: Run): void {
  const client = run.client('resourcequota-controller')
  const known = new Map<string, Kind>()
  const queue = run.queue('resourcequota_primary', (key) => {
    const { namespace = '', name } = splitKey(key)
    const quota = run.reader.find(resource, name, namespace)
    if (quota === undefined) return
    // The API counts for its admission; here it counts over what the API lists.
    const store = {
      list: (bucket: string, inside: string) => {
        const kind = known.get(bucket)
        return kind === undefined ? [] : run.list(kind.resource, { namespace: inside })
      },
    }
    const status = { hard: quota.spec.hard ?? {}, used: quotaUsage(store as unknown as Parameters<typeof quotaUsage>[0], quota, namespace) }
    if (!same(status, quota.status)) client.update(resource, { ...quota, status }, { subresource: 'status' })
  })
  run.watch(resource, {
    added: (quota) => queue.add(keyOf(quota)),
    updated: (quota, old) => {
      if (!same(quota.spec, old.spec) || !same(quota.status?.hard, quota.spec.hard)) queue.add(keyOf(quota))
    },
  })
  const changed = (object: KubeObject) => {
    for (const [key, quota] of run.seen(resource)) if (quota.metadata.namespace === object.metadata.namespace) queue.addAfter(key, settleMs)
  }
  const ended = (pod: KubeObject): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
  followKinds(
    run,
    (kind) => {
      if (!kind.namespaced || kind.name === 'events' || kind.name === 'leases') return
      known.set(kind.group === '' ? kind.name : `${kind.name}.${kind.group}`, kind)
      run.watch(kind.resource, {
        added: changed,
        deleted: changed,
        ...(kind.resource === 'v1/pods'
          ? {
              updated: (pod: KubeObject, old: KubeObject) => {
                if (ended(pod) !== ended(old)) changed(pod)
              },
            }
          : {}),
      })
    },
    (kind) => known.delete(kind.group === '' ? kind.name : `${kind.name}.${kind.group}`),
  )
}
