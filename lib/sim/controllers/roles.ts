// ClusterRoles that are made of others by their labels: admin, edit, view (pkg/controller/clusterroleaggregation).
import type { KubeObject } from '../kube.ts'
import type { Run } from './context.ts'
import { canonical, isEmptySelector, same, selects } from './objects.ts'

const resource = 'rbac.authorization.k8s.io/v1/clusterroles'

export function startRoleAggregation(run: Run): void {
  const client = run.client('clusterrole-aggregation-controller')
  const queue = run.queue('ClusterRoleAggregator', (name) => {
    const role = run.reader.find(resource, name)
    if (role?.aggregationRule === undefined) return
    const rules = new Map<string, KubeObject>()
    for (const selector of role.aggregationRule.clusterRoleSelectors ?? []) {
      const parts = [...run.seen(resource).values()].filter((one) => isEmptySelector(selector) || selects(selector, one.metadata.labels))
      parts.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
      for (const part of parts) {
        if (part.metadata.name === name) continue
        for (const rule of part.rules ?? []) if (!rules.has(canonical(rule))) rules.set(canonical(rule), rule)
      }
    }
    const made = [...rules.values()]
    if (same(made, role.rules ?? [])) return
    client.patch(
      resource,
      name,
      undefined,
      'apply',
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name }, rules: made },
      { fieldManager: 'clusterrole-aggregation-controller', force: true },
    )
  })
  const changed = () => {
    for (const [name, role] of run.seen(resource)) if (role.aggregationRule !== undefined) queue.add(name)
  }
  run.watch(resource, { added: changed, updated: changed, deleted: changed })
}
