// Services that the grader makes for one look: only a working service network reaches an address that nobody knew before.
// Hand-made rules for the services a learner can see buy nothing. Knows nothing of checks.
import { randomBytes } from 'node:crypto'
import { type Api, deadline, type KubeObject, type LabClock } from '#lib/cluster/index.ts'

export interface Canaries {
  /** a service like this one, under a new name and address, for looks of the next `lifeMs` (of the host's time too, see `deadline`); null when there is none to copy */
  like(ref: { namespace: string; name: string }, signal?: AbortSignal): Promise<KubeObject | null>
  /** removes them all; what cannot be removed is left to the cluster's restore */
  dispose(): Promise<void>
}

const lifeMs = 20_000

export function canaries(api: Api, clock: LabClock): Canaries {
  const made = new Map<string, { old: () => boolean; service: Promise<KubeObject | null> }>()
  const remove = async (service: KubeObject | null) => {
    if (service)
      await api
        .delete(
          { apiVersion: 'v1', kind: 'Service', namespace: service.metadata.namespace, name: service.metadata.name },
          { timeoutMs: 5000 },
        )
        .catch(() => false)
  }
  return {
    async like(ref, signal) {
      const key = `${ref.namespace}/${ref.name}`
      const known = made.get(key)
      if (known && !known.old()) return known.service
      if (known) void known.service.then(remove, () => {})
      const service = (async () => {
        const model = await api.get({ apiVersion: 'v1', kind: 'Service', ...ref }, { signal })
        if (!model?.spec?.selector) return null
        const ports = model.spec.ports.map(({ nodePort: _, ...port }: KubeObject) => port)
        return api.create(
          {
            apiVersion: 'v1',
            kind: 'Service',
            metadata: {
              namespace: ref.namespace,
              name: `${ref.name.slice(0, 50)}-${randomBytes(3).toString('hex')}`,
              labels: { 'app.kubernetes.io/managed-by': 'grader' },
            },
            spec: { selector: model.spec.selector, ports },
          },
          { signal },
        )
      })()
      service.catch(() => made.delete(key))
      made.set(key, { old: deadline(clock, lifeMs), service })
      return service
    },
    async dispose() {
      const all = [...made.values()]
      made.clear()
      await Promise.all(all.map((one) => one.service.then(remove, () => {})))
    },
  }
}
