// What the downward API may name of a pod: fields and resources. Knows nothing of where it is written.
import type { KubeObject } from '../../kube.ts'
import { invalidValue, notSupported, requiredValue } from '../cause.ts'
import { type Causes, isQualifiedName } from './names.ts'

const envFields = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]
/** what the downward API can name: validEnvDownwardAPIFieldPathExpressions and those of volumes */
const convertible = new Set([
  ...envFields,
  'metadata.labels',
  'metadata.annotations',
  'metadata.generateName',
  'spec.restartPolicy',
  'spec.schedulerName',
  'spec.hostNetwork',
  'status.phase',
  'status.nominatedNodeName',
])
const resourceFields = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
]
export function fieldRef(reference: KubeObject, own: string, out: Causes, supported: readonly string[] = envFields): undefined {
  const path: string = reference.fieldPath ?? ''
  if (path === '') return out.add(requiredValue(`${own}.fieldPath`))
  const subscript = /^(metadata\.(?:labels|annotations))\['(.*)'\]$/.exec(path)
  if (subscript) {
    const key = subscript[1] === 'metadata.annotations' ? (subscript[2] as string).toLowerCase() : (subscript[2] as string)
    return out.check(own, key, isQualifiedName(key))
  }
  if (!convertible.has(path))
    return out.add(invalidValue(`${own}.fieldPath`, path, `error converting fieldPath: field label not supported: ${path}`))
  if (!supported.includes(path)) out.add(notSupported(`${own}.fieldPath`, path, [...supported].sort()))
}
export function resourceFieldRef(reference: KubeObject, own: string, out: Causes, named: boolean): undefined {
  if (named && !reference.containerName) return out.add(requiredValue(`${own}.containerName`))
  if (!reference.resource) return out.add(requiredValue(`${own}.resource`))
  if (!resourceFields.includes(reference.resource) && !/^(limits|requests)\.hugepages-/.test(reference.resource))
    out.add(notSupported(`${own}.resource`, reference.resource, resourceFields))
}
