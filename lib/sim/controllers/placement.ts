// Which pods may be on which nodes: taints and tolerations, node selectors and affinity (k8s.io/component-helpers/scheduling/corev1). Pure functions.
import type { KubeObject } from '../kube.ts'

export interface Taint {
  key: string
  value?: string
  effect: string
  timeAdded?: string
}
export interface Toleration {
  key?: string
  operator?: string
  value?: string
  effect?: string
  tolerationSeconds?: number
}

export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false
  if (toleration.key && toleration.key !== taint.key) return false
  if (toleration.operator === 'Exists') return true
  return (toleration.value ?? '') === (taint.value ?? '') && (toleration.key ?? '') === taint.key
}
/** the first of these taints, with one of the effects, that nothing tolerates */
export function untolerated(
  taints: readonly Taint[] | undefined,
  tolerations: readonly Toleration[] | undefined,
  effects: readonly string[],
): Taint | undefined {
  return (taints ?? []).find((taint) => effects.includes(taint.effect) && !(tolerations ?? []).some((one) => tolerates(one, taint)))
}

interface Requirement {
  key: string
  operator: string
  values?: readonly string[]
}
function meets(value: string | undefined, { operator, values = [] }: Requirement): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0])
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0])
    default:
      return false
  }
}
/** one term of a node selector; a term that asks for nothing matches nothing */
export function matchesTerm(term: KubeObject, node: KubeObject): boolean {
  const labels: Requirement[] = term.matchExpressions ?? []
  const fields: Requirement[] = term.matchFields ?? []
  if (labels.length === 0 && fields.length === 0) return false
  return (
    labels.every((one) => meets(node.metadata.labels?.[one.key], one)) &&
    fields.every((one) => one.key === 'metadata.name' && meets(node.metadata.name, one))
  )
}
/** nodeSelector and the required part of node affinity */
export function matchesNode(spec: KubeObject, node: KubeObject): boolean {
  for (const [key, value] of Object.entries(spec.nodeSelector ?? {})) if (node.metadata.labels?.[key] !== value) return false
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  if (required === undefined || required === null) return true
  return (required.nodeSelectorTerms ?? []).some((term: KubeObject) => matchesTerm(term, node))
}
