// What a session needs of the modules beneath it, as interfaces: clusters to be had and given back, and the engine that breaks and
// grades them. The server hands in the real ones; a test hands in one that fails where it wants.
import type { Capability, Cluster, ClusterSpec, NodeInfo, Progress } from '#lib/cluster/index.ts'
import type { BackendName, BackendView, CheckLive, CheckReport, Text } from '#lib/protocol/index.ts'
import type { ResolvedScenario, Scenario } from '#lib/scenario/index.ts'

export interface StepContext {
  signal: AbortSignal
  /** what is going on, one line */
  progress(detail: string): void
}
/** Plain JSON; only the grader reads it. */
export type Baseline = unknown
export interface Grade {
  /** 0…100, null when nothing could be evaluated */
  score: number | null
  evaluatedWeight: number
  totalWeight: number
  brokenGuards: string[]
  checks: CheckReport[]
  /** what was seen, for `regrade`; plain JSON, only the grader reads it */
  evidence?: unknown
}
export interface CheckWatch {
  states(): CheckLive[]
}

/** The verbs of scenario, fault and grade. All of them throw LabError with words for the learner. */
export interface Engine {
  resolve(scenario: Scenario, options: { seed: string; nodes: readonly NodeInfo[] }): ResolvedScenario
  prepare(cluster: Cluster, resolved: ResolvedScenario, context: StepContext): Promise<unknown>
  /** guards hold on the healthy cluster, before the fault */
  baselineOf(cluster: Cluster, resolved: ResolvedScenario, context: StepContext): Promise<Baseline>
  inject(cluster: Cluster, resolved: ResolvedScenario, context: StepContext): Promise<unknown>
  confirm(cluster: Cluster, resolved: ResolvedScenario, context: StepContext): Promise<unknown>
  /** at the moment the learner gets the lab: what is there now is what must not be harmed; with an API that is silent, what was there when it was `healthy` */
  handOver(cluster: Cluster, options: { signal: AbortSignal; healthy: Baseline }): Promise<Baseline>
  /** until the signal aborts */
  watch(
    cluster: Cluster,
    resolved: ResolvedScenario,
    baseline: Baseline,
    options: { signal: AbortSignal; onChange(check: CheckLive): void },
  ): CheckWatch
  grade(cluster: Cluster, resolved: ResolvedScenario, baseline: Baseline, context: StepContext): Promise<Grade>
  /** the verdict again, on what was seen then, by checks as they are now; null when this grader keeps no such record */
  regrade?(
    evidence: unknown,
    before: readonly CheckReport[],
    resolve: (nodes: readonly NodeInfo[]) => ResolvedScenario,
  ): Promise<{ grade: Grade } | { impossible: Text }>
}

/** Clusters of one backend. */
export interface Clusters {
  readonly backend: BackendName
  readonly can: ReadonlySet<Capability>
  status(signal?: AbortSignal): Promise<BackendView>
  /** how many more it holds now; left out, or null: it cannot tell */
  room?(spec: ClusterSpec): Promise<number | null>
  /** a clean one, warm or new. @throws LabError capacity-exceeded, backend-unavailable, cluster-create-failed, cancelled */
  claim(spec: ClusterSpec, progress: Progress, signal: AbortSignal): Promise<Cluster>
  /** gives a used one back, which is restored or destroyed */
  release(cluster: Cluster): Promise<void>
  /** those that an earlier run of the server left and sessions may still use; the caller gives back what it does not want */
  adopt(): AsyncIterable<Cluster>
}
