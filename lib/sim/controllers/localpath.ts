// The local-path provisioner of kind (rancher.io/local-path), as the API sees it: a directory on the chosen node becomes a PersistentVolume, and goes with
// it. A program in a container starts it with what it may do; how a directory is made on a node is handed in. Its helper pods are left out.
import type { Clock, Timer } from '../clock.ts'
import { recorder } from '../events.ts'
import { ApiError, type Client, type KubeObject, Unreachable } from '../kube.ts'
import type { Random } from '../random.ts'

const provisioner = 'rancher.io/local-path'
const claims = 'v1/persistentvolumeclaims'
const volumes = 'v1/persistentvolumes'
const provisionedBy = 'pv.kubernetes.io/provisioned-by'
const storageProvisioner = 'volume.kubernetes.io/storage-provisioner'
const selectedNode = 'volume.kubernetes.io/selected-node'
const ownNode = 'local.path.provisioner/selected-node'
/** what a helper pod takes on kind, measured */
const helperMs = 3000

export interface LocalPathDeps {
  /** of the provisioner's service account */
  client: Client
  clock: Clock
  random: Random
  /** `rancher.io/local-path_<pod>_<uuid>`, the source of its events */
  identity: string
  /** by its config.json: the directory for volumes on a node, undefined where none is configured */
  path(node: string): string | undefined
  /** makes (0777) or removes a directory on a node; throws what is to be said */
  directory(node: string, path: string, present: boolean): void
  /** one line on standard error, without newline */
  log(line: string): void
}

/** Runs until `stop`. Takes up from the objects alone. */
export function startLocalPathProvisioner(deps: LocalPathDeps): { stop(): void } {
  const { client, clock } = deps
  const record = recorder(client, clock, deps.random, { component: deps.identity })
  /** uids of claims and volumes that are being worked on */
  const busy = new Set<string>()
  const timers = new Set<Timer>()
  let stopped = false

  const say = (level: string, message: string) =>
    deps.log(`time="${new Date(clock.now()).toISOString().slice(0, 19)}Z" level=${level} msg=${JSON.stringify(message)} `)
  /** after a helper pod's time; again 15 s later when the API cannot be asked */
  const later = (uid: string, ms: number, run: () => void): void => {
    if (busy.has(uid)) return
    busy.add(uid)
    const timer = clock.after(ms, () => {
      timers.delete(timer)
      busy.delete(uid)
      if (stopped) return
      try {
        run()
      } catch (error) {
        if (!(error instanceof ApiError || error instanceof Unreachable)) throw error
        say('error', error.message)
        later(uid, 15_000, run)
      }
    })
    timers.add(timer)
  }

  const wanted = (claim: KubeObject): boolean =>
    claim.metadata.annotations?.[storageProvisioner] === provisioner && !claim.spec.volumeName && !claim.metadata.deletionTimestamp
  const claimed = (claim: KubeObject): void => {
    const { uid, name, namespace, annotations } = claim.metadata
    if (!wanted(claim) || busy.has(uid)) return
    const node: string | undefined = annotations?.[selectedNode]
    const base = node === undefined ? undefined : deps.path(node)
    record(claim, 'Normal', 'Provisioning', `External provisioner is provisioning volume for claim "${namespace}/${name}"`)
    const problem =
      node === undefined
        ? 'configuration error, no node was specified'
        : base === undefined
          ? `config doesn't contain path on node ${node}`
          : undefined
    if (problem !== undefined) {
      record(
        claim,
        'Warning',
        'ProvisioningFailed',
        `failed to provision volume with StorageClass "${claim.spec.storageClassName}": ${problem}`,
      )
      later(uid, 15_000, () => again(claim))
      return
    }
    const volume = `pvc-${uid}`
    const path = `${base}/${volume}_${namespace}_${name}`
    say('info', `Creating volume ${volume} at ${node}:${path}`)
    say('info', `create the helper pod helper-pod-create-${volume} into local-path-storage`)
    later(uid, helperMs, () => provision(claim, node as string, volume, path))
  }
  const again = (claim: KubeObject): void => {
    const latest = client.find(claims, claim.metadata.name, claim.metadata.namespace)
    if (latest?.metadata.uid === claim.metadata.uid) claimed(latest)
  }
  const provision = (claim: KubeObject, node: string, name: string, path: string): void => {
    const latest = client.find(claims, claim.metadata.name, claim.metadata.namespace)
    if (latest?.metadata.uid !== claim.metadata.uid || !wanted(latest)) return
    try {
      deps.directory(node, path, true)
    } catch (error) {
      const message = `failed to provision volume with StorageClass "${claim.spec.storageClassName}": ${(error as Error).message}`
      record(claim, 'Warning', 'ProvisioningFailed', message)
      later(claim.metadata.uid, 15_000, () => again(claim))
      return
    }
    say('info', `Volume ${name} has been created on ${node}:${path}`)
    const storage = client.find('storage.k8s.io/v1/storageclasses', claim.spec.storageClassName ?? '')
    const { namespace, uid, resourceVersion } = claim.metadata
    const hostname = client.find('v1/nodes', node)?.metadata.labels?.['kubernetes.io/hostname'] ?? node
    const term = { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [hostname] }] }
    try {
      client.create(volumes, {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name, annotations: { [ownNode]: node, [provisionedBy]: provisioner } },
        spec: {
          accessModes: claim.spec.accessModes,
          capacity: { storage: claim.spec.resources?.requests?.storage },
          claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name: claim.metadata.name, namespace, resourceVersion, uid },
          hostPath: { path, type: 'DirectoryOrCreate' },
          nodeAffinity: { required: { nodeSelectorTerms: [term] } },
          persistentVolumeReclaimPolicy: storage?.reclaimPolicy ?? 'Delete',
          storageClassName: claim.spec.storageClassName,
          volumeMode: claim.spec.volumeMode ?? 'Filesystem',
        },
      })
    } catch (error) {
      if (!(error instanceof ApiError && error.reason === 'AlreadyExists')) throw error
    }
    record(claim, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${name}`)
  }

  const released = (volume: KubeObject): void => {
    const { name, uid, annotations } = volume.metadata
    if (annotations?.[provisionedBy] !== provisioner || volume.metadata.deletionTimestamp || busy.has(uid)) return
    if (volume.status?.phase !== 'Released' || volume.spec.persistentVolumeReclaimPolicy !== 'Delete') return
    const node: string =
      annotations[ownNode] ?? volume.spec.nodeAffinity?.required?.nodeSelectorTerms?.[0]?.matchExpressions?.[0]?.values?.[0]
    const path: string | undefined = volume.spec.hostPath?.path ?? volume.spec.local?.path
    say('info', `Deleting volume ${name} at ${node}:${path}`)
    say('info', `create the helper pod helper-pod-delete-${name} into local-path-storage`)
    later(uid, helperMs, () => {
      try {
        if (path !== undefined) deps.directory(node, path, false)
      } catch (error) {
        record(volume, 'Warning', 'VolumeFailedDelete', (error as Error).message)
        later(uid, 15_000, () => {
          const latest = client.find(volumes, name)
          if (latest?.metadata.uid === uid) released(latest)
        })
        return
      }
      say('info', `Volume ${name} has been deleted on ${node}:${path}`)
      try {
        client.delete(volumes, name)
      } catch (error) {
        if (!(error instanceof ApiError && error.code === 404)) throw error
      }
    })
  }

  const follow = (resource: string, on: (object: KubeObject) => void) =>
    client.follow(
      resource,
      {},
      {
        reset: (items) => {
          for (const item of items) on(item)
        },
        event: ({ type, object }) => {
          if (type !== 'DELETED') on(object)
        },
      },
    )
  const followed = [follow(claims, claimed), follow(volumes, released)]
  return {
    stop: () => {
      stopped = true
      for (const one of followed) one.stop()
      for (const timer of timers) timer.cancel()
    },
  }
}
