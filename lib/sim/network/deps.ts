// What the programs of this folder are given, and small things they share: following objects, the words of client-go's logs.
// Knows no program.
import type { Client, KubeObject, ListOptions, Resource, Subscription } from '../kube.ts'
import type { Files } from '../machine.ts'
import type { Netns } from '../net.ts'
import type { SimNetwork } from './network.ts'

export interface ProgramDeps {
  network: SimNetwork
  /** a kubeconfig of `files`, or the service account's token in them; throws Error with the words of Go's client */
  connect(files: Files, kubeconfig: string | 'in-cluster', net: Netns): Client
  /** starts what the local-path provisioner does with claims; without it no volume is made */
  volumes?(provisioning: VolumeProvisioning): { stop(): void }
}
/** What the provisioner's process knows: who it is, and where volumes lie on a node by its configuration (undefined: nowhere). */
export interface VolumeProvisioning {
  client: Client
  identity: string
  path(node: string): string | undefined
  /** one line without newline */
  log(line: string): void
}
/** What is followed, by namespace/name. */
export interface Following extends Subscription {
  readonly objects: ReadonlyMap<string, KubeObject>
  readonly synced: boolean
}
export const nameOf = (object: KubeObject): string =>
  object.metadata.namespace === undefined ? object.metadata.name : `${object.metadata.namespace}/${object.metadata.name}`

/** `changed` after each change of what is followed, and once it is there at first */
export function following(
  client: Client,
  resource: Resource,
  options: ListOptions,
  on: { changed(object?: KubeObject): void; broken?(error: Error): void },
): Following {
  const objects = new Map<string, KubeObject>()
  const state = { objects, synced: false }
  const subscription = client.follow(resource, options, {
    reset: (items) => {
      objects.clear()
      for (const item of items) objects.set(nameOf(item), item)
      state.synced = true
      on.changed()
    },
    event: ({ type, object }) => {
      if (type === 'DELETED') objects.delete(nameOf(object))
      else objects.set(nameOf(object), object)
      on.changed(object)
    },
    broken: (error) => on.broken?.(error),
  })
  return Object.assign(state, { stop: () => subscription.stop() })
}
