// Services that the grader makes for one look: only a working service network reaches an address that nobody knew before.
// Hand-made rules for the services a learner can see buy nothing. Knows nothing of checks.
import { randomBytes } from 'node:crypto'
import { type Api, deadline, type KubeObject, type LabClock } from '#lib/cluster/index.ts'

export interface Canaries {
  /** a service like this one is now, under a name and an address that nobody knew before; null when there is none to copy */
  like(ref: { namespace: string; name: string }, signal?: AbortSignal): Promise<KubeObject | null>
  /** removes them all; what cannot be removed is left to the cluster's restore */
  dispose(): Promise<void>
}

/** after this a canary is known to whoever looks at services, and another takes its place */
const lifeMs = 20_000
/** a new one is asked only when the nodes have heard of it, so that a change of canaries looks like no outage */
const settleMs = 4000

interface Canary {
  /** what it copies; a service that was changed since is another one */
  of: string
  old: () => boolean
  settled: () => boolean
  service: Promise<KubeObject>
  next?: Canary
}

export function canaries(api: Api, clock: LabClock): Canaries {
  const made = new Map<string, Canary>()
  const remove = async (service: KubeObject) => {
    await api
      .delete(
        { apiVersion: 'v1', kind: 'Service', namespace: service.metadata.namespace, name: service.metadata.name },
        { timeoutMs: 5000 },
      )
      .catch(() => false)
  }
  const retire = (canary: Canary | undefined): Promise<void>[] =>
    canary === undefined ? [] : [canary.service.then(remove, () => {}), ...retire(canary.next)]
  return {
    async like(ref, signal) {
      const key = `${ref.namespace}/${ref.name}`
      const model = await api.get({ apiVersion: 'v1', kind: 'Service', ...ref }, { signal })
      const known = made.get(key)
      if (!model?.spec?.selector) {
        made.delete(key)
        retire(known)
        return null
      }
      const spec = { selector: model.spec.selector, ports: model.spec.ports.map(({ nodePort: _, ...port }: KubeObject) => port) }
      const of = JSON.stringify(spec)
      const fresh = (): Canary => ({
        of,
        old: deadline(clock, lifeMs),
        settled: deadline(clock, settleMs),
        service: api.create(
          {
            apiVersion: 'v1',
            kind: 'Service',
            metadata: {
              namespace: ref.namespace,
              name: `${ref.name.slice(0, 50)}-${randomBytes(3).toString('hex')}`,
              labels: { 'app.kubernetes.io/managed-by': 'grader' },
            },
            spec,
          },
          { signal },
        ),
      })
      const take = (canary: Canary, before: Canary | undefined): Promise<KubeObject> => {
        made.set(key, canary)
        retire(before)
        canary.service.catch(() => {
          if (made.get(key) === canary) made.delete(key)
        })
        return canary.service
      }
      if (known?.of !== of) return take(fresh(), known)
      if (known.next?.settled()) {
        const { next, ...before } = known
        return take(next!, before)
      }
      if (known.old() && known.next === undefined) {
        known.next = fresh()
        known.next.service.catch(() => {
          delete known.next
        })
      }
      return known.service
    },
    async dispose() {
      const all = [...made.values()]
      made.clear()
      await Promise.all(all.flatMap(retire))
    },
  }
}
