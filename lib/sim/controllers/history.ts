// ControllerRevisions: what a DaemonSet or StatefulSet looked like, numbered, so that a rollout can be undone (pkg/controller/history).
import { ApiError, type Client, type KubeObject } from '../kube.ts'
import { type Run, SyncError, unless } from './context.ts'
import { controllerOf, controllerRef, hash, same, selects } from './objects.ts'
import { claim } from './pods.ts'

const resource = 'apps/v1/controllerrevisions'
export const revisionLabel = 'controller-revision-hash'

/** the patch that brings an owner back to this template */
export const snapshotOf = (owner: KubeObject): KubeObject => ({ spec: { template: { ...owner.spec.template, $patch: 'replace' } } })

/** revisions that belong to the owner, the oldest first; orphans that it selects are adopted */
export function revisionsOf(run: Run, client: Client, owner: KubeObject): KubeObject[] {
  const mine = run
    .list(resource, { namespace: owner.metadata.namespace })
    .filter((one) => controllerOf(one) === undefined || controllerOf(one)?.uid === owner.metadata.uid)
  const matches = (one: KubeObject) => selects(owner.spec.selector, one.metadata.labels)
  return claim(client, resource, owner, controllerRef(owner), mine, matches).sort((a, b) => a.revision - b.revision)
}

/**
 * The revision of the owner's present template, made or brought to the front if needed. `label` names the hash on it. `collided` is called when another template has taken the name, to
 * write the owner's status.collisionCount; the sync is then tried again.
 */
export function currentRevision(
  client: Client,
  owner: KubeObject,
  all: readonly KubeObject[],
  collided: (count: number) => void,
  label = revisionLabel,
): { current: KubeObject; old: KubeObject[] } {
  const data = snapshotOf(owner)
  const equal = all.filter((one) => same(one.data, data))
  const next = Math.max(0, ...all.filter((one) => !equal.includes(one)).map((one) => one.revision)) + 1
  let current = equal.at(-1)
  if (current === undefined) {
    const digest = hash(owner.spec.template, owner.status?.collisionCount)
    const name = `${owner.metadata.name.slice(0, 223)}-${digest}`
    try {
      current = client.create(resource, {
        apiVersion: 'apps/v1',
        kind: 'ControllerRevision',
        metadata: {
          name,
          namespace: owner.metadata.namespace,
          labels: { ...owner.spec.template.metadata?.labels, [label]: digest },
          ...(owner.metadata.annotations ? { annotations: owner.metadata.annotations } : {}),
          ownerReferences: [controllerRef(owner)],
        },
        data,
        revision: next,
      })
    } catch (error) {
      if (!(error instanceof ApiError) || error.reason !== 'AlreadyExists') throw error
      collided((owner.status?.collisionCount ?? 0) + 1)
      throw new SyncError(error.message)
    }
  } else if (current.revision < next) current = client.update(resource, { ...current, revision: next })
  return { current, old: all.filter((one) => !equal.includes(one)) }
}

/** Deletes the oldest revisions beyond the limit that no pod runs any more. */
export function trimRevisions(client: Client, old: readonly KubeObject[], limit: number, inUse: ReadonlySet<string>): void {
  let surplus = old.length - limit
  for (const one of old) {
    if (surplus <= 0) return
    if (inUse.has(one.metadata.labels?.[revisionLabel]) || inUse.has(one.metadata.name)) continue
    unless([404], () => client.delete(resource, one.metadata.name, one.metadata.namespace))
    surplus -= 1
  }
}
