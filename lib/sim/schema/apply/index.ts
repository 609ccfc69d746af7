// Server-side apply and managedFields.
import type { KubeObject } from '../../kube.ts'
import { mergePatch } from '../patch.ts'
import type { Shape } from '../shape.ts'

export interface TrackOptions {
  manager: string
  operation: 'Update' | 'Apply'
  /** RFC 3339 */
  time: string
  shape: Shape
  /** the version in which the request came */
  apiVersion: string
  /** '' or `status`, `scale` … */
  subresource?: string | undefined
}
export interface ApplyOptions {
  manager: string
  force: boolean
  time: string
  shape: Shape
  apiVersion: string
  subresource?: string | undefined
}
export function apply(live: KubeObject | undefined, applied: KubeObject, _options: ApplyOptions): KubeObject {
  return mergePatch(live ?? {}, applied)
}
export function track(_old: KubeObject | undefined, changed: KubeObject, _options: TrackOptions): KubeObject {
  return changed
}
