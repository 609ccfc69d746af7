// The only door of grade: looks at conditions, watches checks, gives the verdict with its evidence.
import { ApiError, type Cluster, kubernetesApi } from '#lib/cluster/index.ts'
import { asLabError, LabError } from '#lib/protocol/index.ts'
import type { ResolvedScenario } from '#lib/scenario/index.ts'
import { type GradeBaseline, gradeChecks } from './grade.ts'
import { takeHandover } from './harmless.ts'
import { open } from './observe.ts'
import { type Watch, type WatchOptions, watchChecks } from './watch.ts'

export type { EvidenceRecord } from './evidence.ts'
export { type Grade, type GradeBaseline, type GradeOptions, grade, gradeChecks } from './grade.ts'
export type { Finding, Handover } from './harmless.ts'
export { CannotLook, type Evidence, type Eyes, type Observation, observe, open } from './observe.ts'
export { type Regraded, regrade } from './regrade.ts'
export { nextLook, type Watch, type WatchOptions, watchChecks, watchObjects } from './watch.ts'
export { expectedOf } from './words.ts'

/** Moves whenever the same cluster could get another verdict; proofs are keyed by it. */
export const graderVersion = '1'

/**
 * Before the fault: every guard must hold on the healthy cluster, or it could never tell harm.
 * @returns what is there now, for a fault that silences the API
 * @throws LabError scenario-invalid naming the guards that do not
 */
export async function baselineOf(
  cluster: Cluster,
  scenario: ResolvedScenario,
  options: { signal: AbortSignal; progress?: (detail: string) => void },
): Promise<GradeBaseline> {
  const api = kubernetesApi(cluster.kubeconfig)
  const eyes = open({ cluster, api, handover: null })
  try {
    const guards = scenario.checks.filter((check) => check.role === 'guard').map((check) => ({ ...check, hold: 0 }))
    const grade = await gradeChecks(guards, eyes, options)
    if (grade.brokenGuards.length > 0) {
      const lines = grade.checks.filter((check) => grade.brokenGuards.includes(check.id)).map((check) => `${check.id}: ${check.actual.en}`)
      throw new LabError('scenario-invalid', `On the healthy cluster these guards do not hold: ${lines.join('; ')}.`, {
        hint: 'Start again with a fresh cluster; if it comes back, the scenario is at fault.',
      })
    }
    const blind = grade.checks.find((check) => check.verdict === 'not-evaluable')
    if (blind)
      throw new LabError('cluster-unreachable', `The guard ${blind.id} could not be looked at: ${blind.cause ?? ''}`, {
        hint: 'See `npm run doctor`, then start again.',
      })
    return { handover: await takeHandover(api, options.signal) }
  } finally {
    await eyes.canaries.dispose()
    api.close()
  }
}

/**
 * At the moment the lab is handed over: what is there now is what must not be harmed. Where the fault has silenced the API, nobody can have changed an
 * object since the healthy cluster was looked at: then that is it.
 * @throws LabError cluster-unreachable without `healthy`, or when it is not the cluster that is silent
 */
export async function handOver(
  cluster: Cluster,
  options: { signal: AbortSignal; healthy?: GradeBaseline | undefined },
): Promise<GradeBaseline> {
  const api = kubernetesApi(cluster.kubeconfig)
  try {
    return { handover: await takeHandover(api, options.signal) }
  } catch (error) {
    const { healthy, signal } = options
    const silent = asLabError(error).code === 'cluster-unreachable' || (error instanceof ApiError && error.status >= 500)
    if (!healthy?.handover || !silent || (await cluster.health(signal)).state !== 'unreachable') throw error
    return healthy
  } finally {
    api.close()
  }
}

/** Watches a scenario's checks until the signal aborts. */
export function watch(cluster: Cluster, scenario: ResolvedScenario, baseline: GradeBaseline, options: WatchOptions): Watch {
  const api = kubernetesApi(cluster.kubeconfig)
  const eyes = open({ cluster, api, handover: baseline.handover })
  options.signal.addEventListener('abort', () => void eyes.canaries.dispose().finally(() => api.close()), { once: true })
  return watchChecks(scenario.checks, eyes, options)
}
