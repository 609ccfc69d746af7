// Defaulting, as the API server does it after decoding.
import type { KubeObject } from '../../kube.ts'

export function defaults(object: KubeObject): KubeObject {
  return object
}
