// The only door of fault: prepares a scenario's lab, breaks it, confirms that the symptom shows, and can take it back.
// A fault that never showed is an error, not a lab.
import { type Cluster, kubernetesApi } from '#lib/cluster/index.ts'
import { asLabError, LabError } from '#lib/protocol/index.ts'
import type { ResolvedScenario, Step } from '#lib/scenario/index.ts'
import { perform, type StepContext, takeBack, type Undo, untilHolds } from './steps.ts'

export type { Undo } from './steps.ts'

export interface FaultContext {
  signal: AbortSignal
  /** the newest line of what is going on; for operators, it may name the fault: a learner sees only the step */
  progress: (detail: string) => void
}

async function withApi<T>(cluster: Cluster, context: FaultContext, action: (step: StepContext) => Promise<T>): Promise<T> {
  const api = kubernetesApi(cluster.kubeconfig)
  try {
    return await action({ cluster, api, ...context })
  } finally {
    api.close()
  }
}

async function all(steps: readonly Step[], context: StepContext, name: string): Promise<Undo[]> {
  const done: Undo[] = []
  for (const [index, step] of steps.entries()) {
    context.progress(`${name} ${index + 1} of ${steps.length}`)
    try {
      done.push(...(await perform(step, context)))
    } catch (error) {
      await takeBack(done, context)
      const cause = asLabError(error)
      if (cause.code === 'cancelled') throw cause
      throw new LabError(
        cause.code === 'internal' ? 'fault-not-injected' : cause.code,
        `${name} step ${index + 1} failed: ${cause.message}`,
        { cause: error, hint: cause.hint ?? 'Start again; if it comes back, `npm run prove` shows the scenario failing.' },
      )
    }
  }
  return done
}

/** Puts the scenario's own workloads and files there and waits for what it says. Failing, it takes back what it did. @throws LabError */
export const prepare = (cluster: Cluster, scenario: ResolvedScenario, context: FaultContext): Promise<Undo[]> =>
  withApi(cluster, context, (step) => all(scenario.prepare, step, 'preparing'))

/** Breaks it. @returns how to mend it. @throws LabError fault-not-injected */
export const inject = (cluster: Cluster, scenario: ResolvedScenario, context: FaultContext): Promise<Undo[]> =>
  withApi(cluster, context, (step) => all(scenario.fault, step, 'changing'))

/**
 * Waits until every symptom is seen. What the fault restarts is restarted once more when half of the time has shown nothing: a kubelet that was
 * behind with its watch may have started the pods with the ConfigMap as it was before. @throws LabError symptom-absent with what is seen instead
 */
export async function confirm(cluster: Cluster, scenario: ResolvedScenario, context: FaultContext): Promise<void> {
  const { fault, symptom, symptomWithin } = scenario
  if (symptom.length === 0) return
  const restarts = fault.filter((one) => one.restart !== undefined)
  try {
    await withApi(cluster, context, async (step) => {
      if (restarts.length === 0) return untilHolds(symptom, symptomWithin, step)
      const early = await untilHolds(symptom, symptomWithin / 2, step).then(
        () => true,
        (error: unknown) => {
          if (asLabError(error).code === 'timeout') return false
          throw error
        },
      )
      if (early) return
      await all(restarts, step, 'restarting again,')
      await untilHolds(symptom, symptomWithin, step)
    })
  } catch (error) {
    const cause = asLabError(error)
    if (cause.code !== 'timeout') throw cause
    throw new LabError(
      'symptom-absent',
      {
        en: `The incident did not show itself, so there is nothing to mend. ${cause.message}`,
        ko: `장애가 나타나지 않아 고칠 것이 없습니다. ${cause.message}`,
      },
      {
        cause: error,
        hint: { en: 'Start again; it is not counted as an attempt.', ko: '다시 시작하세요. 시도한 것으로 세지 않습니다.' },
      },
    )
  }
}

/** Takes prepare's or inject's steps back, last first. @returns what could not be taken back */
export const undo = (cluster: Cluster, steps: readonly Undo[], signal: AbortSignal): Promise<Error[]> =>
  withApi(cluster, { signal, progress: () => {} }, (step) => takeBack(steps, step))
