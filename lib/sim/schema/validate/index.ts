// Validation.
import type { KubeObject } from '../../kube.ts'
import type { Cause } from '../cause.ts'

export function validateCreate(_object: KubeObject): Cause[] {
  return []
}
export function validateUpdate(_object: KubeObject, _old: KubeObject, _subresource?: string): Cause[] {
  return []
}
