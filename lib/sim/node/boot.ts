// What kubeadm and kind ask of a new cluster's API: kubeadm's configuration, RBAC and add-ons, kind's storage class, the network add-on. The words and the
// field managers are theirs. Knows nothing of machines.
import { createHmac } from 'node:crypto'
import { parseAllDocuments } from 'yaml'
import { ApiError, type Client, type KubeObject, type Resource } from '../kube.ts'
import { flannelManifest, kubeadmObjects, storageManifest } from './template/files.ts'
import type { ControlPlane } from './template/manifests.ts'

const resources: Record<string, Resource> = {
  Namespace: 'v1/namespaces',
  ServiceAccount: 'v1/serviceaccounts',
  ConfigMap: 'v1/configmaps',
  Secret: 'v1/secrets',
  Service: 'v1/services',
  Deployment: 'apps/v1/deployments',
  DaemonSet: 'apps/v1/daemonsets',
  ClusterRole: 'rbac.authorization.k8s.io/v1/clusterroles',
  ClusterRoleBinding: 'rbac.authorization.k8s.io/v1/clusterrolebindings',
  Role: 'rbac.authorization.k8s.io/v1/roles',
  RoleBinding: 'rbac.authorization.k8s.io/v1/rolebindings',
  StorageClass: 'storage.k8s.io/v1/storageclasses',
}
export const resourceOf = (object: KubeObject): Resource => {
  const resource = resources[object.kind]
  if (resource === undefined) throw new Error(`No resource is known for ${object.kind}.`)
  return resource
}

/** kubeadm's own objects with the lab's names in them. `ca`: PEM; `now`: epoch ms, for the bootstrap token's end. */
export function kubeadm(of: ControlPlane, ca: string, now: number): KubeObject[] {
  const text = kubeadmObjects
    .replaceAll('@id@', of.id)
    .replaceAll('@control-plane@', of.name)
    .replaceAll('@address@', of.address)
    .replaceAll('@ca@', Buffer.from(ca).toString('base64'))
    .replaceAll('@expiration@', Buffer.from(`${new Date(now + 86_400_000).toISOString().slice(0, 19)}Z`).toString('base64'))
  const objects = JSON.parse(text) as KubeObject[]
  for (const object of objects) if (object.metadata.name === 'cluster-info') signClusterInfo(object)
  return objects
}
/** The bootstrap signer's detached JWS over the kubeconfig, by the well-known token of kind. */
export function signClusterInfo(object: KubeObject): void {
  const protect = Buffer.from(JSON.stringify({ alg: 'HS256', kid: 'abcdef' })).toString('base64url')
  const payload = Buffer.from(object.data.kubeconfig).toString('base64url')
  const signature = createHmac('sha256', '0123456789abcdef').update(`${protect}.${payload}`).digest('base64url')
  object.data['jws-kubeconfig-abcdef'] = `${protect}..${signature}`
}

/** Documents of a manifest. */
export const documents = (text: string): KubeObject[] =>
  parseAllDocuments(text)
    .map((document) => document.toJS() as KubeObject)
    .filter((object) => object?.kind)

const sorted = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(sorted)
    : value !== null && typeof value === 'object'
      ? Object.fromEntries(
          Object.entries(value)
            .toSorted(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, inner]) => [key, sorted(inner)]),
        )
      : value

/** As `kubectl create` or, with `applied`, `kubectl apply` of an object that was not there. */
export function applied(object: KubeObject): KubeObject {
  const copy = structuredClone(object)
  copy.metadata.annotations = { ...copy.metadata.annotations }
  const last = `${JSON.stringify(sorted(copy))}\n`
  copy.metadata.annotations['kubectl.kubernetes.io/last-applied-configuration'] = last
  return copy
}

/** Creates what is missing; what is there is updated to this. Returns what it did, as kubeadm's add-ons say nothing of it. */
export function ensure(client: Client, object: KubeObject, fieldManager: string): void {
  const resource = resourceOf(object)
  try {
    client.create(resource, object, { fieldManager })
  } catch (error) {
    // A Service that names its address is refused for that before its name is found to be taken (kubeadm, phases/addons/dns/dns.go).
    const taken =
      error instanceof ApiError && (error.reason === 'AlreadyExists' || (object.kind === 'Service' && error.reason === 'Invalid'))
    if (!taken) throw error
    const live = client.get(resource, object.metadata.name, object.metadata.namespace)
    const next = { ...structuredClone(object), metadata: { ...structuredClone(live.metadata), ...structuredClone(object.metadata) } }
    if (object.kind === 'Service') next.spec.clusterIP = live.spec.clusterIP
    client.update(resource, next, { fieldManager })
  }
}

/** Everything that a new cluster gets once its API answers, in kubeadm's and then kind's order. */
export function populate(client: Client, of: ControlPlane, ca: string, now: number): void {
  for (const object of kubeadm(of, ca, now)) ensure(client, object, 'kubeadm')
  for (const object of [...documents(flannelManifest), ...documents(storageManifest)]) {
    // kind's storage class carries a namespace that a cluster-wide object does not take; kubectl drops it too.
    if (object.kind === 'StorageClass') delete object.metadata.namespace
    ensure(client, applied(object), 'kubectl-client-side-apply')
  }
}

/** kubeadm's mark of a control plane: labels and a taint. */
export function markControlPlane(client: Client, name: string): void {
  client.patch(
    'v1/nodes',
    name,
    undefined,
    'strategic',
    {
      metadata: {
        labels: { 'node-role.kubernetes.io/control-plane': '', 'node.kubernetes.io/exclude-from-external-load-balancers': '' },
      },
      spec: { taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }] },
    },
    { fieldManager: 'kubeadm' },
  )
}
