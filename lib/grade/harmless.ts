// What a learner was handed, and what of it was harmed since: removed, scaled down, cordoned, tainted, given more privilege.
// Compared with the moment of handover, so that the fault itself is never held against the learner. Plain data, kept with the session.
import type { Api, KubeObject } from '#lib/cluster/index.ts'
import type { Text } from '#lib/protocol/index.ts'
import { say } from './words.ts'

interface Workload {
  replicas: number | null
  /** nodes that a DaemonSet is meant for, null for the others */
  nodes: number | null
  /** privileges that some container or the pod has */
  privileges: string[]
}
export interface Handover {
  nodes: Record<string, { unschedulable: boolean; taints: string[] }>
  namespaces: string[]
  /** Kind/namespace/name */
  workloads: Record<string, Workload>
  services: string[]
  /** names of bindings to cluster-admin, webhooks */
  bindings: string[]
  webhooks: string[]
}
export interface Finding {
  /** Kind/namespace/name */
  object: string
  what: Text
}

const workloadKinds = ['Deployment', 'DaemonSet', 'StatefulSet'] as const
const key = (object: KubeObject): string =>
  `${object.kind}/${object.metadata.namespace ? `${object.metadata.namespace}/` : ''}${object.metadata.name}`

function privilegesOf(spec: KubeObject): string[] {
  const found = new Set<string>()
  for (const flag of ['hostNetwork', 'hostPID', 'hostIPC']) if (spec?.[flag]) found.add(flag)
  for (const container of [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]) {
    const security = container.securityContext ?? {}
    if (security.privileged) found.add('privileged')
    for (const capability of security.capabilities?.add ?? []) found.add(`capability ${capability}`)
  }
  for (const volume of spec?.volumes ?? []) if (volume.hostPath) found.add(`hostPath ${volume.hostPath.path}`)
  return [...found].sort()
}

/** The moment as data. `signal` bounds it. */
export async function takeHandover(api: Api, signal?: AbortSignal): Promise<Handover> {
  const list = (apiVersion: string, kind: string) => api.list({ apiVersion, kind }, { signal })
  const [nodes, namespaces, services, bindings, mutating, validating, ...workloads] = await Promise.all([
    list('v1', 'Node'),
    list('v1', 'Namespace'),
    list('v1', 'Service'),
    list('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding'),
    list('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'),
    list('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration'),
    ...workloadKinds.map((kind) => list('apps/v1', kind)),
  ])
  const taints = (node: KubeObject): string[] =>
    (node.spec?.taints ?? [])
      .filter((taint: KubeObject) => !taint.key.startsWith('node.kubernetes.io/'))
      .map((taint: KubeObject) => `${taint.key}=${taint.value ?? ''}:${taint.effect}`)
      .sort()
  return {
    nodes: Object.fromEntries(
      (nodes ?? []).map((node) => [node.metadata.name, { unschedulable: node.spec?.unschedulable === true, taints: taints(node) }]),
    ),
    namespaces: (namespaces ?? []).filter((one) => !one.metadata.deletionTimestamp).map((one) => one.metadata.name),
    workloads: Object.fromEntries(
      workloads.flat().map((one) => [
        key(one),
        {
          replicas: one.kind === 'DaemonSet' ? null : (one.spec.replicas ?? 1),
          nodes: one.kind === 'DaemonSet' ? (one.status?.desiredNumberScheduled ?? 0) : null,
          privileges: privilegesOf(one.spec.template.spec),
        },
      ]),
    ),
    services: (services ?? []).map(key),
    bindings: (bindings ?? [])
      .filter((one) => one.roleRef.name === 'cluster-admin')
      .flatMap((one) =>
        (one.subjects ?? []).map(
          (subject: KubeObject) => `${subject.kind} ${subject.namespace ? `${subject.namespace}/` : ''}${subject.name}`,
        ),
      ),
    webhooks: [...(mutating ?? []), ...(validating ?? [])].map((one) => one.metadata.name),
  }
}

/** Everything that is worse than at handover, in words for the learner. */
export async function compareWithHandover(before: Handover, api: Api, signal?: AbortSignal): Promise<Finding[]> {
  const now = await takeHandover(api, signal)
  const findings: Finding[] = []
  const add = (object: string, en: string, ko: string) => findings.push({ object, what: say(en, ko) })
  for (const [name, node] of Object.entries(before.nodes)) {
    const current = now.nodes[name]
    if (!current) add(`Node/${name}`, 'was removed from the cluster', '클러스터에서 제거되었습니다')
    else {
      if (current.unschedulable && !node.unschedulable) add(`Node/${name}`, 'was cordoned', '스케줄링이 차단되었습니다')
      for (const taint of current.taints)
        if (!node.taints.includes(taint)) add(`Node/${name}`, `has a new taint ${taint}`, `새 테인트 ${taint}이(가) 있습니다`)
    }
  }
  for (const name of before.namespaces) if (!now.namespaces.includes(name)) add(`Namespace/${name}`, 'was deleted', '삭제되었습니다')
  for (const [name, workload] of Object.entries(before.workloads)) {
    const current = now.workloads[name]
    if (!current) {
      add(name, 'was deleted', '삭제되었습니다')
      continue
    }
    if (workload.replicas !== null && (current.replicas ?? 0) < workload.replicas)
      add(
        name,
        `was scaled down from ${workload.replicas} to ${current.replicas}`,
        `레플리카가 ${workload.replicas}에서 ${current.replicas}(으)로 줄었습니다`,
      )
    if (workload.nodes !== null && (current.nodes ?? 0) < workload.nodes)
      add(
        name,
        `was kept off ${workload.nodes - (current.nodes ?? 0)} of ${workload.nodes} nodes`,
        `노드 ${workload.nodes}개 중 ${workload.nodes - (current.nodes ?? 0)}개에서 제외되었습니다`,
      )
    for (const privilege of current.privileges)
      if (!workload.privileges.includes(privilege)) add(name, `was given ${privilege}`, `${privilege} 권한이 추가되었습니다`)
  }
  for (const name of before.services) if (!now.services.includes(name)) add(name, 'was deleted', '삭제되었습니다')
  for (const subject of now.bindings)
    if (!before.bindings.includes(subject))
      add(`ClusterRoleBinding to cluster-admin`, `was given to ${subject}`, `${subject}에 부여되었습니다`)
  for (const name of now.webhooks) if (!before.webhooks.includes(name)) add(`Webhook/${name}`, 'was added', '추가되었습니다')
  return findings
}
