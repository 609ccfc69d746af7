// Makes room for a pod by removing less important ones from one node (pkg/scheduler/framework/preemption, plugins/defaultpreemption).
import type { Recorder } from '../../events.ts'
import type { Client, KubeObject } from '../../kube.ts'
import { type Run, unless } from '../context.ts'
import { parseTime, selects, stamp } from '../objects.ts'
import { histogram, type Rejection } from './filters.ts'
import type { NodeInfo } from './snapshot.ts'

interface Candidate {
  info: NodeInfo
  victims: KubeObject[]
  violations: number
}
const priority = (pod: KubeObject): number => pod.spec.priority ?? 0
const started = (pod: KubeObject): number => parseTime(pod.status?.startTime ?? pod.metadata.creationTimestamp)
/** the more important first, the older first among equals */
const importance = (a: KubeObject, b: KubeObject): number => priority(b) - priority(a) || started(a) - started(b)

/**
 * `nominated`: the node on which victims are on their way out now; else `message` says why nothing could be done. `fits` says whether the pod would
 * fit on a node that is as given.
 */
export function preempt(options: {
  run: Run
  client: Client
  record: Recorder
  pod: KubeObject
  infos: ReadonlyMap<string, NodeInfo>
  rejections: ReadonlyMap<string, Rejection>
  fits(info: NodeInfo, all: ReadonlyMap<string, NodeInfo>): boolean
}): { nominated: string; message?: undefined } | { nominated?: undefined; message: string } {
  const { run, client, record, pod, infos, rejections } = options
  if (pod.spec.preemptionPolicy === 'Never') return { message: 'not eligible due to preemptionPolicy=Never.' }
  const before = infos.get(pod.status?.nominatedNodeName ?? '')
  const leaving = before?.pods.some((other) => other.metadata.deletionTimestamp && priority(other) < priority(pod))
  if (leaving && !rejections.get(before?.name ?? '')?.final)
    return { message: 'not eligible due to a terminating pod on the nominated node.' }

  const budgets = [...run.list('policy/v1/poddisruptionbudgets')]
  const candidates: Candidate[] = []
  let fruitless = 0
  for (const info of infos.values()) {
    const rejection = rejections.get(info.name)
    if (rejection === undefined || rejection.final) continue
    const found = victimsOn(options, info, budgets)
    if (found === undefined) fruitless += 1
    else candidates.push(found)
  }
  if (candidates.length === 0) {
    const reasons = Array.from({ length: fruitless }, () => 'No preemption victims found for incoming pod')
    const hopeless = infos.size - fruitless
    const text = histogram(reasons, hopeless > 0 ? [hopeless, 'Preemption is not helpful for scheduling'] : undefined)
    return { message: `0/${infos.size} nodes are available: ${text}.` }
  }
  const { info, victims } = candidates.sort(better)[0] as Candidate
  for (const victim of victims) {
    const { name, namespace } = victim.metadata
    const conditions = [
      {
        type: 'DisruptionTarget',
        observedGeneration: victim.metadata.generation,
        status: 'True',
        reason: 'PreemptionByScheduler',
        message: 'default-scheduler: preempting to accommodate a higher priority pod',
        lastTransitionTime: stamp(run.clock.now()),
      },
    ]
    unless([404], () => {
      client.patch('v1/pods', name, namespace, 'strategic', { status: { conditions } }, { subresource: 'status' })
      client.delete('v1/pods', name, namespace)
    })
    record(victim, 'Normal', 'Preempted', `Preempted by pod ${pod.metadata.uid} on node ${info.name}`)
  }
  return { nominated: info.name }
}

/** fewest broken budgets, then the least important victims, then few, then young ones */
function better(a: Candidate, b: Candidate): number {
  const top = (one: Candidate) => Math.max(...one.victims.map(priority))
  const sum = (one: Candidate) => one.victims.reduce((total, victim) => total + priority(victim) + 2 ** 31, 0)
  const first = (one: Candidate) => Math.min(...one.victims.filter((victim) => priority(victim) === top(one)).map(started))
  return a.violations - b.violations || top(a) - top(b) || sum(a) - sum(b) || a.victims.length - b.victims.length || first(b) - first(a)
}

function victimsOn(
  {
    pod,
    infos,
    fits,
  }: { pod: KubeObject; infos: ReadonlyMap<string, NodeInfo>; fits(info: NodeInfo, all: ReadonlyMap<string, NodeInfo>): boolean },
  info: NodeInfo,
  budgets: readonly KubeObject[],
): Candidate | undefined {
  const lesser = info.pods.filter((other) => priority(other) < priority(pod))
  if (lesser.length === 0) return undefined
  const kept = info.pods.filter((other) => !lesser.includes(other))
  const tried = (pods: readonly KubeObject[]) => fits(info.with(pods), infos)
  if (!tried(kept)) return undefined
  const left = new Map(budgets.map((budget) => [budget, budget.status?.disruptionsAllowed ?? 0]))
  const breaking = new Set<KubeObject>()
  const ordered = [...lesser].sort(importance)
  for (const victim of ordered) {
    for (const budget of budgets) {
      if (budget.metadata.namespace !== victim.metadata.namespace || !selects(budget.spec.selector, victim.metadata.labels)) continue
      const now = (left.get(budget) ?? 0) - 1
      left.set(budget, now)
      if (now < 0) breaking.add(victim)
    }
  }
  // As many as possible stay: first those whose budget would break, then the more important ones.
  const victims: KubeObject[] = []
  let violations = 0
  for (const one of [...ordered.filter((victim) => breaking.has(victim)), ...ordered.filter((victim) => !breaking.has(victim))]) {
    if (tried([...kept, one])) kept.push(one)
    else {
      victims.push(one)
      if (breaking.has(one)) violations += 1
    }
  }
  return victims.length === 0 ? undefined : { info, victims: victims.sort(importance), violations }
}
