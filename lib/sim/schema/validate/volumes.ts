// Volumes of pods and persistent volumes: pkg/apis/core/validation of Kubernetes v1.35. Of vendors' drivers only that there is one source.
// Knows nothing of where volumes are mounted.
import type { KubeObject } from '../../kube.ts'
import { duplicateValue, forbidden, invalidValue, notSupported, requiredValue } from '../cause.ts'
import { fieldRef, resourceFieldRef } from './downward.ts'
import { type Causes, isDotlessLabel, isLabel, isQualifiedName, isSubdomain, labels } from './names.ts'
import { nodeTerm } from './terms.ts'

const mode = 'must be a number between 0 and 0777 (octal), both inclusive'
function fileMode(value: unknown, at: string, out: Causes): undefined {
  if (typeof value === 'number' && (value > 0o777 || value < 0)) out.add(invalidValue(at, value, mode))
}
/** a relative path that does not climb */
export function descending(path: string, at: string, out: Causes): undefined {
  if (path.startsWith('/')) out.add(invalidValue(at, path, 'must be a relative path'))
  noBackSteps(path, at, out)
}
function noBackSteps(path: string, at: string, out: Causes): undefined {
  if (path.split('/').includes('..')) out.add(invalidValue(at, path, "must not contain '..'"))
}
function unreserved(path: string, at: string, out: Causes): undefined {
  descending(path, at, out)
  if (path.startsWith('..') && !path.startsWith('../')) out.add(invalidValue(at, path, "must not start with '..'"))
}
function items(given: readonly KubeObject[] | undefined, at: string, out: Causes): undefined {
  for (const [index, item] of (given ?? []).entries()) {
    if (!item.key) out.add(requiredValue(`${at}[${index}].key`))
    if (!item.path) out.add(requiredValue(`${at}[${index}].path`))
    unreserved(item.path ?? '', `${at}[${index}].path`, out)
    fileMode(item.mode, `${at}[${index}].mode`, out)
  }
}
const volumeFields = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid']
function downward(given: KubeObject, at: string, out: Causes): undefined {
  fileMode(given.defaultMode, `${at}.defaultMode`, out)
  for (const item of given.items ?? []) {
    // The server names the volume, not the item.
    const own = at
    if (!item.path) out.add(requiredValue(`${own}.path`))
    unreserved(item.path ?? '', `${own}.path`, out)
    if (item.fieldRef) {
      fieldRef(item.fieldRef, `${own}.fieldRef`, out, volumeFields)
      if (item.resourceFieldRef) out.add(invalidValue(own, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'))
    } else if (item.resourceFieldRef) resourceFieldRef(item.resourceFieldRef, `${own}.resourceFieldRef`, out, true)
    else out.add(requiredValue(own, 'one of fieldRef and resourceFieldRef is required'))
    fileMode(item.mode, `${own}.mode`, out)
  }
}
const hostPathTypes = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket']
function hostPath(given: KubeObject, at: string, out: Causes): undefined {
  if (!given.path) return out.add(requiredValue(`${at}.path`))
  noBackSteps(given.path, `${at}.path`, out)
  if (given.type && !hostPathTypes.includes(given.type)) out.add(notSupported(`${at}.type`, given.type, hostPathTypes))
}
function projected(given: KubeObject, at: string, out: Causes): undefined {
  fileMode(given.defaultMode, `${at}.defaultMode`, out)
  const paths = new Set<string>()
  const once = (path: string, shown: string) => {
    if (paths.has(path)) out.add(invalidValue(at, shown, 'conflicting duplicate paths'))
    paths.add(path)
  }
  for (const [index, source] of (given.sources ?? []).entries()) {
    const own = `${at}.sources[${index}]`
    let count = 0
    for (const kind of ['secret', 'configMap', 'downwardAPI', 'serviceAccountToken', 'clusterTrustBundle', 'podCertificate']) {
      const part = source[kind]
      if (!part) continue
      count += 1
      if (count > 1) {
        out.add(forbidden(`${own}.${kind}`, 'may not specify more than 1 volume type'))
        continue
      }
      if (kind === 'secret' || kind === 'configMap') {
        if (!part.name) out.add(requiredValue(`${own}.${kind}.name`))
        items(part.items, `${own}.${kind}.items`, out)
        for (const item of part.items ?? []) if (item.path) once(item.path, part.name ?? '')
      } else if (kind === 'downwardAPI') {
        downward(part, `${own}.downwardAPI`, out)
        for (const item of part.items ?? []) if (item.path) once(item.path, item.path)
      } else if (kind === 'serviceAccountToken') {
        if ((part.expirationSeconds ?? 3600) < 600)
          out.add(
            invalidValue(
              `${own}.serviceAccountToken.expirationSeconds`,
              part.expirationSeconds,
              'may not specify a duration less than 10 minutes',
            ),
          )
        if (!part.path) out.add(requiredValue(`${own}.serviceAccountToken.path`))
        else unreserved(part.path, `${own}.serviceAccountToken.path`, out)
      }
    }
  }
}
type Source = [kind: string, check: (source: KubeObject, at: string, out: Causes) => void]
const nothing = (): undefined => undefined
/** in the order in which the server looks at them */
const sources: readonly Source[] = [
  [
    'emptyDir',
    (source, at, out) => {
      if (source.sizeLimit !== undefined && String(source.sizeLimit).startsWith('-'))
        out.add(forbidden(`${at}.sizeLimit`, 'SizeLimit field must be a valid resource quantity'))
    },
  ],
  ['hostPath', hostPath],
  ['gitRepo', (source, at, out) => (source.repository ? undefined : out.add(requiredValue(`${at}.repository`)))],
  ['gcePersistentDisk', nothing],
  ['awsElasticBlockStore', nothing],
  [
    'secret',
    (source, at, out) => {
      if (!source.secretName) out.add(requiredValue(`${at}.secretName`))
      fileMode(source.defaultMode, `${at}.defaultMode`, out)
      items(source.items, `${at}.items`, out)
    },
  ],
  [
    'nfs',
    (source, at, out) => {
      if (!source.server) out.add(requiredValue(`${at}.server`))
      if (!source.path) out.add(requiredValue(`${at}.path`))
      else if (!source.path.startsWith('/')) out.add(invalidValue(`${at}.path`, source.path, 'must be an absolute path'))
    },
  ],
  ['iscsi', nothing],
  ['glusterfs', nothing],
  ['flocker', nothing],
  ['persistentVolumeClaim', (source, at, out) => (source.claimName ? undefined : out.add(requiredValue(`${at}.claimName`)))],
  ['rbd', nothing],
  ['cinder', nothing],
  ['cephfs', nothing],
  ['quobyte', nothing],
  ['downwardAPI', downward],
  ['fc', nothing],
  ['flexVolume', nothing],
  [
    'configMap',
    (source, at, out) => {
      if (!source.name) out.add(requiredValue(`${at}.name`))
      fileMode(source.defaultMode, `${at}.defaultMode`, out)
      items(source.items, `${at}.items`, out)
    },
  ],
  ['azureFile', nothing],
  ['vsphereVolume', nothing],
  ['photonPersistentDisk', nothing],
  ['portworxVolume', nothing],
  ['azureDisk', nothing],
  ['storageos', nothing],
  ['projected', projected],
  ['scaleIO', nothing],
  ['csi', (source, at, out) => out.required(`${at}.driver`, source.driver)],
  ['ephemeral', (source, at, out) => (source.volumeClaimTemplate ? undefined : out.add(requiredValue(`${at}.volumeClaimTemplate`)))],
  ['image', (source, at, out) => (source.reference ? undefined : out.add(requiredValue(`${at}.reference`)))],
]
function source(given: KubeObject, at: string, out: Causes, kinds: readonly Source[]): number {
  let count = 0
  for (const [kind, check] of kinds) {
    if (!given[kind]) continue
    count += 1
    if (count > 1) out.add(forbidden(`${at}.${kind}`, 'may not specify more than 1 volume type'))
    else check(given[kind], `${at}.${kind}`, out)
  }
  return count
}
/** the names of the volumes that are in order: only these can be mounted */
export function volumes(given: readonly KubeObject[] | undefined, at: string, out: Causes): Set<string> {
  const names = new Set<string>()
  for (const [index, volume] of (given ?? []).entries()) {
    const own = `${at}[${index}]`
    const before = out.list.length
    if (source(volume, own, out, sources) === 0) out.add(requiredValue(own, 'must specify a volume type'))
    out.required(`${own}.name`, volume.name, (name) => (name.includes('.') ? isDotlessLabel(name) : isLabel(name)))
    if (names.has(volume.name)) out.add(duplicateValue(`${own}.name`, volume.name))
    if (out.list.length === before) names.add(volume.name)
  }
  return names
}

const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
function modes(given: readonly string[] | undefined, at: string, out: Causes): undefined {
  for (const one of given ?? []) if (!accessModes.includes(one)) out.add(notSupported(at, one, accessModes))
  if (given?.includes('ReadWriteOncePod') && given.length > 1)
    out.add(forbidden(at, 'may not use ReadWriteOncePod with other access modes'))
}
const volumeMode = (value: unknown, at: string, out: Causes): undefined => {
  if (value && !['Block', 'Filesystem'].includes(String(value))) out.add(notSupported(at, value, ['Block', 'Filesystem']))
}
const positive = (text: string): boolean => !/^-|^0(\.0*)?([a-zA-Z]*)$/.test(text)
export function claimSpec(spec: KubeObject, at: string, out: Causes): undefined {
  if (!spec.accessModes?.length) out.add(requiredValue(`${at}.accessModes`, 'at least 1 access mode is required'))
  if (spec.selector) {
    labels(spec.selector.matchLabels, `${at}.selector.matchLabels`, out)
    for (const [index, { key }] of (spec.selector.matchExpressions ?? []).entries())
      out.check(`${at}.selector.matchExpressions[${index}].key`, key ?? '', isQualifiedName(key ?? ''))
  }
  modes(spec.accessModes, `${at}.accessModes`, out)
  const storage = spec.resources?.requests?.storage
  if (storage === undefined) out.add(requiredValue(`${at}.resources[storage]`))
  else if (!positive(storage)) out.add(invalidValue(`${at}.resources[storage]`, storage, 'must be greater than zero'))
  if (spec.storageClassName) out.check(`${at}.storageClassName`, spec.storageClassName, isSubdomain(spec.storageClassName))
  volumeMode(spec.volumeMode, `${at}.volumeMode`, out)
}
const persistent: readonly Source[] = [
  ['hostPath', hostPath],
  ['gcePersistentDisk', nothing],
  ['awsElasticBlockStore', nothing],
  ['glusterfs', nothing],
  ['flocker', nothing],
  ['nfs', (sources.find(([kind]) => kind === 'nfs') as Source)[1]],
  ['rbd', nothing],
  ['quobyte', nothing],
  ['cephfs', nothing],
  ['iscsi', nothing],
  ['cinder', nothing],
  ['fc', nothing],
  ['flexVolume', nothing],
  ['azureFile', nothing],
  ['vsphereVolume', nothing],
  ['photonPersistentDisk', nothing],
  ['portworxVolume', nothing],
  ['azureDisk', nothing],
  ['scaleIO', nothing],
  [
    'local',
    (local, at, out) => {
      if (!local.path) out.add(requiredValue(`${at}.path`))
      else noBackSteps(local.path, `${at}.path`, out)
    },
  ],
  ['storageos', nothing],
  [
    'csi',
    (csi, at, out) => {
      if (!csi.driver) out.add(requiredValue(`${at}.driver`))
      if (!csi.volumeHandle) out.add(requiredValue(`${at}.volumeHandle`))
    },
  ],
]
export function volumeSpec(spec: KubeObject, at: string, out: Causes): undefined {
  if (!spec.accessModes?.length) out.add(requiredValue(`${at}.accessModes`))
  modes(spec.accessModes, `${at}.accessModes`, out)
  const capacity = spec.capacity ?? {}
  if (Object.keys(capacity).length === 0) out.add(requiredValue(`${at}.capacity`))
  if (capacity.storage === undefined || Object.keys(capacity).length > 1)
    out.add(notSupported(`${at}.capacity`, spec.capacity ?? null, ['storage']))
  for (const [name, text] of Object.entries(capacity as Record<string, string>))
    if (name === 'storage' && !positive(text)) out.add(invalidValue(`${at}.capacity[storage]`, text, 'must be greater than zero'))
  const policies = ['Delete', 'Recycle', 'Retain']
  if (spec.persistentVolumeReclaimPolicy && !policies.includes(spec.persistentVolumeReclaimPolicy))
    out.add(notSupported(`${at}.persistentVolumeReclaimPolicy`, spec.persistentVolumeReclaimPolicy, policies))
  const count = source(spec, at, out, persistent)
  if (count === 0) out.add(requiredValue(at, 'must specify a volume type'))
  if (spec.nodeAffinity) {
    const own = `${at}.nodeAffinity.required`
    if (!spec.nodeAffinity.required) out.add(requiredValue(own, 'must specify required node constraints'))
    else {
      const terms = spec.nodeAffinity.required.nodeSelectorTerms ?? []
      if (terms.length === 0) out.add(requiredValue(`${own}.nodeSelectorTerms`, 'must have at least one node selector term'))
      for (const [index, term] of terms.entries()) nodeTerm(term, `${own}.nodeSelectorTerms[${index}]`, out)
    }
  }
  if (spec.hostPath?.path === '/' && spec.persistentVolumeReclaimPolicy === 'Recycle')
    out.add(forbidden(`${at}.persistentVolumeReclaimPolicy`, "may not be 'recycle' for a hostPath mount of '/'"))
  if (spec.local && count === 1 && !spec.nodeAffinity) out.add(requiredValue(`${at}.nodeAffinity`, 'Local volume requires node affinity'))
  if (spec.storageClassName) out.check(`${at}.storageClassName`, spec.storageClassName, isSubdomain(spec.storageClassName))
  volumeMode(spec.volumeMode, `${at}.volumeMode`, out)
}
