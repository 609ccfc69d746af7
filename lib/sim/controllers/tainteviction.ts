// Deletes the pods that do not tolerate a NoExecute taint of their node, at once or after their tolerationSeconds (pkg/controller/tainteviction).
import type { Timer } from '../clock.ts'
import type { KubeObject } from '../kube.ts'
import { keyOf, type Run, splitKey, unless } from './context.ts'
import { same, stamp } from './objects.ts'
import { type Taint, type Toleration, tolerates } from './placement.ts'
import { isTerminal } from './pods.ts'

const noExecute = (node: KubeObject | undefined): Taint[] =>
  ((node?.spec?.taints ?? []) as Taint[]).filter((taint) => taint.effect === 'NoExecute')

export function startTaintEviction(run: Run): void {
  const client = run.client('node-controller')
  const record = run.events('taint-eviction-controller', 'node-controller')
  const planned = new Map<string, { from: number; at: number; timer: Timer }>()

  const reference = (key: string) => {
    const { namespace, name } = splitKey(key)
    return { kind: 'Pod', apiVersion: 'v1', namespace, name }
  }
  const cancel = (key: string): void => {
    const plan = planned.get(key)
    if (plan === undefined) return
    plan.timer.cancel()
    planned.delete(key)
    record(reference(key), 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${key}`)
  }
  const evict = (key: string): void => {
    planned.delete(key)
    const { namespace, name } = splitKey(key)
    record(reference(key), 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${key}`)
    const pod = run.reader.find('v1/pods', name, namespace)
    if (pod === undefined) return
    unless([404], () => {
      if (!isTerminal(pod)) {
        client.patch(
          'v1/pods',
          name,
          namespace,
          'strategic',
          {
            status: {
              conditions: [
                {
                  type: 'DisruptionTarget',
                  status: 'True',
                  reason: 'DeletionByTaintManager',
                  message: 'Taint manager: deleting due to NoExecute taint',
                  lastTransitionTime: stamp(run.clock.now()),
                },
              ],
            },
          },
          { subresource: 'status' },
        )
      }
      client.delete('v1/pods', name, namespace)
    })
  }
  const process = (pod: KubeObject, taints: readonly Taint[]): void => {
    const key = keyOf(pod)
    if (taints.length === 0) {
      cancel(key)
      return
    }
    const tolerations: Toleration[] = pod.spec.tolerations ?? []
    const used: Toleration[] = []
    for (const taint of taints) {
      const one = tolerations.find((toleration) => tolerates(toleration, taint))
      if (one === undefined) {
        planned.get(key)?.timer.cancel()
        planned.delete(key)
        evict(key)
        return
      }
      used.push(one)
    }
    const limits = used.flatMap((one) =>
      one.tolerationSeconds === undefined || one.tolerationSeconds === null ? [] : [Math.max(0, one.tolerationSeconds)],
    )
    if (limits.length === 0) {
      // Tolerated forever, by what it tolerates now.
      cancel(key)
      return
    }
    const now = run.clock.now()
    const plan = planned.get(key)
    const from = plan?.from ?? now
    const at = from + Math.min(...limits) * 1000
    if (plan !== undefined) {
      if (plan.at <= at) return
      plan.timer.cancel()
    }
    planned.set(key, { from, at, timer: run.after(at - now, () => run.attempt(() => evict(key))) })
  }

  const queue = run.queue('taint-eviction-controller', (key) => {
    if (key.startsWith('node:')) {
      const node = run.reader.find('v1/nodes', key.slice(5))
      if (node === undefined) return
      for (const pod of run.list('v1/pods', { fieldSelector: `spec.nodeName=${node.metadata.name}` })) process(pod, noExecute(node))
      return
    }
    const { namespace, name } = splitKey(key)
    const pod = run.reader.find('v1/pods', name, namespace)
    if (pod === undefined) {
      cancel(key)
      return
    }
    if (!pod.spec.nodeName) return
    process(pod, noExecute(run.reader.find('v1/nodes', pod.spec.nodeName)))
  })
  run.watch('v1/nodes', {
    added: (node) => {
      if (noExecute(node).length > 0) queue.add(`node:${node.metadata.name}`)
    },
    updated: (node, old) => {
      if (!same(noExecute(node), noExecute(old))) queue.add(`node:${node.metadata.name}`)
    },
  })
  run.watch('v1/pods', {
    added: (pod) => {
      if (noExecute(run.seen('v1/nodes').get(pod.spec.nodeName)).length > 0) queue.add(keyOf(pod))
    },
    updated: (pod, old) => {
      if (pod.spec.nodeName !== old.spec.nodeName || !same(pod.spec.tolerations, old.spec.tolerations)) queue.add(keyOf(pod))
    },
    deleted: (pod) => {
      if (planned.has(keyOf(pod))) queue.add(keyOf(pod))
    },
  })
}
