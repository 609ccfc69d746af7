// Binds claims to volumes, asks provisioners for more, gives volumes back, and keeps what is in use from being removed
// (pkg/controller/volume/persistentvolume, pvcprotection, pvprotection, ephemeral). Provisioning itself is the provisioner's, a program of its own.
import type { KubeObject } from '../kube.ts'
import { quantity } from '../schema/index.ts'
import { keyOf, type Run, splitKey, unless } from './context.ts'
import { controllerOf, controllerRef, same } from './objects.ts'
import { isTerminal } from './pods.ts'
import { bestVolume, bound, claimNames, serves } from './scheduler/volumes.ts'

const claims = 'v1/persistentvolumeclaims'
const volumes = 'v1/persistentvolumes'
const classes = 'storage.k8s.io/v1/storageclasses'
const boundByController = 'pv.kubernetes.io/bound-by-controller'
const bindCompleted = 'pv.kubernetes.io/bind-completed'
const provisionedBy = 'pv.kubernetes.io/provisioned-by'
const selectedNode = 'volume.kubernetes.io/selected-node'
const provisionerAnnotations = ['volume.beta.kubernetes.io/storage-provisioner', 'volume.kubernetes.io/storage-provisioner']
const claimFinalizer = 'kubernetes.io/pvc-protection'
const volumeFinalizer = 'kubernetes.io/pv-protection'
const defaultClass = 'storageclass.kubernetes.io/is-default-class'
// --pvclaimbinder-sync-period: what waits is looked at again, which is also how often its event comes
const resyncMs = 15_000

export function startPersistentVolumeBinder(run: Run): void {
  const client = run.client('persistent-volume-binder')
  const record = run.events('persistentvolume-controller', 'persistent-volume-binder')
  const claimQueue = run.queue('claims', (key) => syncClaim(key))
  const volumeQueue = run.queue('volumes', (name) => syncVolume(name))

  const waiting = () => {
    for (const [key, claim] of run.seen(claims)) if (!bound(claim)) claimQueue.add(key)
  }
  run.watch(claims, {
    added: (claim) => claimQueue.add(keyOf(claim)),
    updated: (claim) => claimQueue.add(keyOf(claim)),
    deleted: (claim) => {
      if (claim.spec.volumeName) volumeQueue.add(claim.spec.volumeName)
    },
  })
  run.watch(volumes, {
    added: (volume) => volumeQueue.add(volume.metadata.name),
    updated: (volume) => volumeQueue.add(volume.metadata.name),
    deleted: (volume) => {
      const claim = volume.spec.claimRef
      if (claim) claimQueue.add(`${claim.namespace}/${claim.name}`)
    },
  })
  run.watch(classes, { added: waiting, updated: waiting })

  const phase = (claim: KubeObject, value: string, volume?: KubeObject): KubeObject => {
    const status = {
      ...claim.status,
      phase: value,
      ...(volume ? { accessModes: volume.spec.accessModes, capacity: volume.spec.capacity } : {}),
    }
    return same(status, claim.status) ? claim : client.update(claims, { ...claim, status }, { subresource: 'status' })
  }
  const syncClaim = (key: string): void => {
    const { namespace, name } = splitKey(key)
    const claim = run.reader.find(claims, name, namespace)
    if (claim === undefined) return
    if (bound(claim)) {
      syncBound(claim)
      return
    }
    syncUnbound(claim)
    // A claim that waits is looked at periodically, as the real resync does.
    claimQueue.addAfter(key, resyncMs)
  }
  const syncUnbound = (claim: KubeObject): void => {
    if (claim.spec.volumeName) {
      const volume = run.reader.find(volumes, claim.spec.volumeName)
      if (volume === undefined) {
        phase(claim, 'Pending')
        return
      }
      const mismatch = volume.spec.claimRef === undefined ? unsuited(volume, claim) : undefined
      if (volume.spec.claimRef !== undefined && !serves(volume, claim)) {
        record(claim, 'Warning', 'FailedBinding', `volume "${volume.metadata.name}" already bound to a different claim.`)
        phase(claim, 'Pending')
      } else if (mismatch !== undefined) {
        record(claim, 'Warning', 'VolumeMismatch', `Cannot bind to requested volume "${volume.metadata.name}": ${mismatch}`)
        phase(claim, 'Pending')
      } else bind(volume, claim)
      return
    }
    const storage = claim.spec.storageClassName ? run.reader.find(classes, claim.spec.storageClassName) : undefined
    const delayed = storage?.volumeBindingMode === 'WaitForFirstConsumer'
    const all = run.list(volumes)
    const match = bestVolume(delayed ? all.filter((volume) => volume.spec.claimRef !== undefined) : all, claim)
    if (match !== undefined) {
      bind(match, claim)
      return
    }
    if (claim.spec.storageClassName === undefined && assignDefault(claim)) return
    if (delayed && claim.metadata.annotations?.[selectedNode] === undefined) waitForConsumer(claim)
    else if (claim.spec.storageClassName) {
      provision(claim, storage)
      return
    } else record(claim, 'Normal', 'FailedBinding', 'no persistent volumes available for this claim and no storage class is set')
    phase(claim, 'Pending')
  }
  /** why a volume that a claim asks for by name will not do (checkVolumeSatisfyClaim) */
  const unsuited = (volume: KubeObject, claim: KubeObject): string | undefined => {
    if (quantity(volume.spec.capacity?.storage) < quantity(claim.spec.resources?.requests?.storage)) return 'requested PV is too small'
    if ((volume.spec.storageClassName ?? '') !== (claim.spec.storageClassName ?? '')) return 'storageClassName does not match'
    if ((volume.spec.volumeMode ?? 'Filesystem') !== (claim.spec.volumeMode ?? 'Filesystem')) return 'incompatible volumeMode'
    const modes: string[] = volume.spec.accessModes ?? []
    return (claim.spec.accessModes ?? []).every((mode: string) => modes.includes(mode)) ? undefined : 'incompatible accessMode'
  }
  const assignDefault = (claim: KubeObject): boolean => {
    const standard = run.list(classes).filter((one) => one.metadata.annotations?.[defaultClass] === 'true')
    standard.sort((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1))
    if (standard[0] === undefined) return false
    client.update(claims, { ...claim, spec: { ...claim.spec, storageClassName: standard[0].metadata.name } })
    return true
  }
  const waitForConsumer = (claim: KubeObject): void => {
    const { name, namespace } = claim.metadata
    const users = run
      .list('v1/pods', { namespace })
      .filter((pod) => !isTerminal(pod) && !pod.spec.nodeName && claimNames(pod).some((one) => one.name === name))
      .map((pod) => pod.metadata.name)
    if (users.length === 0) record(claim, 'Normal', 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding')
    else if (users.length === 1) record(claim, 'Normal', 'WaitForPodScheduled', `waiting for pod ${users[0]} to be scheduled`)
    else record(claim, 'Normal', 'WaitForPodScheduled', `waiting for pods ${users.join(',')} to be scheduled`)
  }
  const provision = (claim: KubeObject, storage: KubeObject | undefined): void => {
    if (storage === undefined) {
      record(claim, 'Warning', 'ProvisioningFailed', `storageclass.storage.k8s.io "${claim.spec.storageClassName}" not found`)
      return
    }
    const name: string = storage.provisioner
    if (name.startsWith('kubernetes.io/')) {
      record(claim, 'Warning', 'ProvisioningFailed', `no volume plugin matched name: ${name}`)
      return
    }
    const annotations = { ...claim.metadata.annotations }
    for (const one of provisionerAnnotations) annotations[one] = name
    let latest = claim
    if (!same(annotations, claim.metadata.annotations))
      latest = client.update(claims, { ...claim, metadata: { ...claim.metadata, annotations } })
    record(
      latest,
      'Normal',
      'ExternalProvisioning',
      `Waiting for a volume to be created either by the external provisioner '${name}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`,
    )
    phase(latest, 'Pending')
  }
  const bind = (volume: KubeObject, claim: KubeObject): void => {
    const { name, namespace, uid, resourceVersion } = claim.metadata
    let pv = volume
    if (pv.spec.claimRef?.uid !== uid) {
      const annotations =
        pv.spec.claimRef === undefined ? { ...pv.metadata.annotations, [boundByController]: 'yes' } : pv.metadata.annotations
      pv = client.update(volumes, {
        ...pv,
        metadata: { ...pv.metadata, ...(annotations ? { annotations } : {}) },
        spec: { ...pv.spec, claimRef: { kind: 'PersistentVolumeClaim', namespace, name, uid, apiVersion: 'v1', resourceVersion } },
      })
    }
    pv = volumePhase(pv, 'Bound')
    const annotations = {
      ...claim.metadata.annotations,
      [bindCompleted]: 'yes',
      ...(claim.spec.volumeName ? {} : { [boundByController]: 'yes' }),
    }
    const latest = client.update(claims, {
      ...claim,
      metadata: { ...claim.metadata, annotations },
      spec: { ...claim.spec, volumeName: pv.metadata.name },
    })
    phase(latest, 'Bound', pv)
  }
  const syncBound = (claim: KubeObject): void => {
    const lost = (reason: string, message: string) => {
      if (claim.status?.phase === 'Lost') return
      record(phase(claim, 'Lost'), 'Warning', reason, message)
    }
    const volume = run.reader.find(volumes, claim.spec.volumeName)
    if (volume === undefined) lost('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!')
    else if (volume.spec.claimRef === undefined || volume.spec.claimRef.uid === claim.metadata.uid) {
      if (volume.spec.claimRef === undefined || claim.status?.phase !== 'Bound' || volume.status?.phase !== 'Bound') bind(volume, claim)
    } else lost('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly')
  }

  const volumePhase = (volume: KubeObject, value: string, message?: string): KubeObject => {
    if (volume.status?.phase === value) return volume
    const { message: _, ...rest } = volume.status ?? {}
    return client.update(
      volumes,
      { ...volume, status: { ...rest, phase: value, ...(message ? { message } : {}) } },
      { subresource: 'status' },
    )
  }
  const syncVolume = (name: string): void => {
    const volume = run.reader.find(volumes, name)
    if (volume === undefined) return
    const reference = volume.spec.claimRef
    if (!reference?.uid) {
      volumePhase(volume, 'Available')
      // What is new may be what somebody waits for.
      if (volume.status?.phase !== 'Available') waiting()
      return
    }
    const claim = run.reader.find(claims, reference.name, reference.namespace)
    if (claim?.metadata.uid === reference.uid) {
      if (!bound(claim)) claimQueue.add(`${reference.namespace}/${reference.name}`)
      else if (claim.spec.volumeName === name) volumePhase(volume, 'Bound')
      return
    }
    const released = volume.status?.phase === 'Failed' ? volume : volumePhase(volume, 'Released')
    if (volume.spec.persistentVolumeReclaimPolicy === 'Delete') remove(released)
  }
  const remove = (volume: KubeObject): void => {
    const by: string | undefined = volume.metadata.annotations?.[provisionedBy]
    // What an external provisioner made, it takes away.
    if (volume.metadata.deletionTimestamp || (by !== undefined && !by.startsWith('kubernetes.io/'))) return
    const path: string | undefined = volume.spec.hostPath?.path
    if (path?.startsWith('/tmp/')) {
      unless([404], () => client.delete(volumes, volume.metadata.name))
      return
    }
    const message =
      path === undefined
        ? `error getting deleter volume plugin for volume "${volume.metadata.name}": no deletable volume plugin matched`
        : `host_path deleter only supports /tmp/.+ but received provided ${path}`
    if (volume.status?.phase === 'Failed') return
    record(volumePhase(volume, 'Failed', message), 'Warning', 'VolumeFailedDelete', message)
  }
}

function withFinalizer(object: KubeObject, finalizer: string, present: boolean): KubeObject | undefined {
  const own: string[] = object.metadata.finalizers ?? []
  if (own.includes(finalizer) === present) return undefined
  const finalizers = present ? [...own, finalizer] : own.filter((one) => one !== finalizer)
  return { ...object, metadata: { ...object.metadata, finalizers: finalizers.length > 0 ? finalizers : undefined } }
}

export function startClaimProtection(run: Run): void {
  const client = run.client('pvc-protection-controller')
  const queue = run.queue('pvcprotection', (key) => {
    const { namespace, name } = splitKey(key)
    const claim = run.reader.find(claims, name, namespace)
    if (claim === undefined) return
    const ending = !!claim.metadata.deletionTimestamp
    if (ending) {
      const users = run.list('v1/pods', { namespace }).filter((pod) => claimNames(pod).some((one) => one.name === name))
      if (users.some((pod) => pod.spec.nodeName && !isTerminal(pod))) return
    }
    const next = withFinalizer(claim, claimFinalizer, !ending)
    if (next !== undefined) unless([404], () => client.update(claims, next))
  })
  const add = (claim: KubeObject) => queue.add(keyOf(claim))
  run.watch(claims, { added: add, updated: add })
  const ofPod = (pod: KubeObject) => {
    for (const { name } of claimNames(pod)) queue.add(`${pod.metadata.namespace}/${name}`)
  }
  run.watch('v1/pods', {
    updated: (pod, old) => {
      if (isTerminal(pod) && !isTerminal(old)) ofPod(pod)
    },
    deleted: ofPod,
  })
}
export function startVolumeProtection(run: Run): void {
  const client = run.client('pv-protection-controller')
  const queue = run.queue('pvprotection', (name) => {
    const volume = run.reader.find(volumes, name)
    if (volume === undefined) return
    const ending = !!volume.metadata.deletionTimestamp
    if (ending && volume.status?.phase === 'Bound') return
    const next = withFinalizer(volume, volumeFinalizer, !ending)
    if (next !== undefined) unless([404], () => client.update(volumes, next))
  })
  const add = (volume: KubeObject) => queue.add(volume.metadata.name)
  run.watch(volumes, { added: add, updated: add })
}
export function startEphemeralVolume(run: Run): void {
  const client = run.client('ephemeral-volume-controller')
  const record = run.events('ephemeral_volume', 'ephemeral-volume-controller')
  const queue = run.queue('ephemeral_volume', (key) => {
    const { namespace, name } = splitKey(key)
    const pod = run.reader.find('v1/pods', name, namespace)
    if (pod === undefined || pod.metadata.deletionTimestamp) return
    for (const volume of pod.spec.volumes ?? []) {
      if (!volume.ephemeral) continue
      const claimName = `${name}-${volume.name}`
      const existing = run.reader.find(claims, claimName, namespace)
      if (existing !== undefined) {
        if (controllerOf(existing)?.uid === pod.metadata.uid) continue
        record(pod, 'Warning', 'ErrorCreatingPVC', `PVC ${namespace}/${claimName} was not created for pod ${key} (pod is not owner)`)
        continue
      }
      const { metadata = {}, spec } = volume.ephemeral.volumeClaimTemplate
      client.create(claims, {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { ...metadata, name: claimName, namespace, ownerReferences: [controllerRef(pod)] },
        spec,
      })
    }
  })
  const look = (pod: KubeObject) => {
    if ((pod.spec.volumes ?? []).some((volume: KubeObject) => volume.ephemeral)) queue.add(keyOf(pod))
  }
  run.watch('v1/pods', { added: look })
  run.watch(claims, {
    deleted: (claim) => {
      const owner = controllerOf(claim)
      if (owner?.kind === 'Pod') queue.add(`${claim.metadata.namespace}/${owner.name}`)
    },
  })
}
/** a larger request is passed on to whoever can expand; what cannot be is said */
export function startExpander(run: Run): void {
  const record = run.events('volume_expand', 'expand-controller')
  run.watch(claims, {
    updated: (claim, old) => {
      const size = (one: KubeObject) => quantity(one.spec.resources?.requests?.storage)
      if (size(claim) <= size(old) || claim.status?.phase !== 'Bound') return
      record(claim, 'Normal', 'ExternalExpanding', 'waiting for an external controller to expand this PVC')
    },
  })
}
