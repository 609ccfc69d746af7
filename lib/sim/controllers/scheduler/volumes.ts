// The scheduler's part in volumes: which claims of a pod are bound, on which nodes the others could be, and the wish that they be bound for one
// (pkg/scheduler/framework/plugins/volumebinding, volumerestrictions, volumezone).
import type { Client, KubeObject } from '../../kube.ts'
import { quantity } from '../../schema/index.ts'
import { selects } from '../objects.ts'
import { matchesTerm } from '../placement.ts'
import type { Rejection } from './filters.ts'
import type { NodeInfo } from './snapshot.ts'

const claims = 'v1/persistentvolumeclaims'
const volumes = 'v1/persistentvolumes'
const selectedNode = 'volume.kubernetes.io/selected-node'
const noProvisioner = 'kubernetes.io/no-provisioner'

/** name of the claim of a volume; of an ephemeral one, the claim that is made for it */
export function claimNames(pod: KubeObject): { name: string; ephemeral: boolean }[] {
  return (pod.spec.volumes ?? []).flatMap((volume: KubeObject) => {
    if (volume.persistentVolumeClaim) return [{ name: volume.persistentVolumeClaim.claimName, ephemeral: false }]
    return volume.ephemeral ? [{ name: `${pod.metadata.name}-${volume.name}`, ephemeral: true }] : []
  })
}
export const bound = (claim: KubeObject): boolean =>
  !!claim.spec.volumeName && claim.metadata.annotations?.['pv.kubernetes.io/bind-completed'] !== undefined

/** the volume's own rule about nodes */
export function volumeFits(volume: KubeObject, node: KubeObject): boolean {
  const required = volume.spec.nodeAffinity?.required
  return required === undefined || (required.nodeSelectorTerms ?? []).some((term: KubeObject) => matchesTerm(term, node))
}
/** whether a volume could serve a claim (pkg/controller/volume: FindMatchingVolume) */
export function serves(volume: KubeObject, claim: KubeObject): boolean {
  const reference = volume.spec.claimRef
  if (reference !== undefined) {
    return (
      reference.name === claim.metadata.name &&
      reference.namespace === claim.metadata.namespace &&
      (!reference.uid || reference.uid === claim.metadata.uid)
    )
  }
  if (volume.status?.phase !== undefined && volume.status.phase !== 'Available') return false
  if (volume.metadata.deletionTimestamp) return false
  if ((volume.spec.storageClassName ?? '') !== (claim.spec.storageClassName ?? '')) return false
  if ((volume.spec.volumeMode ?? 'Filesystem') !== (claim.spec.volumeMode ?? 'Filesystem')) return false
  if (claim.spec.selector !== undefined && !selects(claim.spec.selector, volume.metadata.labels)) return false
  if (!(claim.spec.accessModes ?? []).every((mode: string) => (volume.spec.accessModes ?? []).includes(mode))) return false
  return quantity(volume.spec.capacity?.storage) >= quantity(claim.spec.resources?.requests?.storage)
}
/** the smallest of the volumes that serve a claim; one that is meant for it wins */
export function bestVolume(all: readonly KubeObject[], claim: KubeObject, node?: KubeObject): KubeObject | undefined {
  const fitting = all.filter((volume) => serves(volume, claim) && (node === undefined || volumeFits(volume, node)))
  const meant = fitting.find((volume) => volume.spec.claimRef !== undefined)
  if (meant !== undefined) return meant
  return fitting.sort((a, b) => quantity(a.spec.capacity?.storage) - quantity(b.spec.capacity?.storage))[0]
}

export interface Volumes {
  /** why no node will do */
  message?: string
  filter(info: NodeInfo): Rejection | undefined
  /** asks for what is not bound yet; false when everything is */
  reserve(client: Client, node: KubeObject): boolean
}
const nothing: Volumes = { filter: () => undefined, reserve: () => false }

/** `pods`: all that run, for claims that only one pod may use */
export function volumesOf(reader: Client, pod: KubeObject, pods: () => Iterable<KubeObject>): Volumes {
  const names = claimNames(pod)
  if (names.length === 0) return nothing
  const have: KubeObject[] = []
  const open: KubeObject[] = []
  for (const { name, ephemeral } of names) {
    const claim = reader.find(claims, name, pod.metadata.namespace)
    const quoted = JSON.stringify(name)
    if (claim === undefined) {
      const message = ephemeral
        ? `waiting for ephemeral volume controller to create the persistentvolumeclaim ${quoted}`
        : `persistentvolumeclaim ${quoted} not found`
      return { ...nothing, message }
    }
    if (claim.status?.phase === 'Lost') {
      return {
        ...nothing,
        message: `persistentvolumeclaim ${quoted} bound to non-existent persistentvolume ${JSON.stringify(claim.spec.volumeName)}`,
      }
    }
    if (claim.metadata.deletionTimestamp) return { ...nothing, message: `persistentvolumeclaim ${quoted} is being deleted` }
    if (bound(claim)) have.push(claim)
    else open.push(claim)
  }
  const classOf = (claim: KubeObject) =>
    claim.spec.storageClassName ? reader.find('storage.k8s.io/v1/storageclasses', claim.spec.storageClassName) : undefined
  const waits = (claim: KubeObject) => !claim.spec.volumeName && classOf(claim)?.volumeBindingMode === 'WaitForFirstConsumer'
  if (open.some((claim) => !waits(claim))) return { ...nothing, message: 'pod has unbound immediate PersistentVolumeClaims' }

  const single = [...have, ...open].filter((claim) => (claim.spec.accessModes ?? []).includes('ReadWriteOncePod'))
  const held = single.some((claim) => {
    for (const other of pods()) {
      if (other.metadata.namespace !== pod.metadata.namespace || other.metadata.uid === pod.metadata.uid) continue
      if (claimNames(other).some(({ name }) => name === claim.metadata.name)) return true
    }
    return false
  })
  const all = open.length > 0 ? reader.list(volumes).items : []
  const plan = (node: KubeObject): Map<KubeObject, KubeObject | undefined> | undefined => {
    const result = new Map<KubeObject, KubeObject | undefined>()
    const taken = new Set<KubeObject>()
    for (const claim of open) {
      const found = bestVolume(
        all.filter((volume) => !taken.has(volume)),
        claim,
        node,
      )
      if (found !== undefined) taken.add(found)
      else {
        const storage = classOf(claim)
        const allowed: KubeObject[] = storage?.allowedTopologies ?? []
        const inside =
          allowed.length === 0 ||
          allowed.some((term) =>
            (term.matchLabelExpressions ?? []).every((one: KubeObject) => one.values.includes(node.metadata.labels?.[one.key])),
          )
        if (storage === undefined || storage.provisioner === noProvisioner || !inside) return undefined
      }
      result.set(claim, found)
    }
    return result
  }
  return {
    filter: (info) => {
      if (held) {
        const reason = 'node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod'
        return { plugin: 'VolumeRestrictions', reasons: [reason], final: false }
      }
      for (const claim of have) {
        const volume = reader.find(volumes, claim.spec.volumeName)
        if (volume === undefined) {
          const reason = 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)'
          return { plugin: 'VolumeBinding', reasons: [reason], final: true }
        }
        if (!volumeFits(volume, info.node)) {
          return { plugin: 'VolumeBinding', reasons: ["node(s) didn't match PersistentVolume's node affinity"], final: true }
        }
      }
      if (open.length > 0 && plan(info.node) === undefined) {
        return { plugin: 'VolumeBinding', reasons: ["node(s) didn't find available persistent volumes to bind"], final: true }
      }
      return undefined
    },
    reserve: (client, node) => {
      if (open.length === 0) return false
      for (const [claim, volume] of plan(node) ?? []) {
        const { name, namespace, uid, annotations, resourceVersion } = claim.metadata
        if (volume !== undefined) {
          if (volume.spec.claimRef?.uid === uid) continue
          client.update(volumes, {
            ...volume,
            metadata: {
              ...volume.metadata,
              annotations: { ...volume.metadata.annotations, 'pv.kubernetes.io/bound-by-controller': 'yes' },
            },
            spec: { ...volume.spec, claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, namespace, uid, resourceVersion } },
          })
        } else if (annotations?.[selectedNode] !== node.metadata.name) {
          client.update(claims, {
            ...claim,
            metadata: { ...claim.metadata, annotations: { ...annotations, [selectedNode]: node.metadata.name } },
          })
        }
      }
      return true
    },
  }
}
