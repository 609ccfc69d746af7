// The grader's own way into a cluster: a client certificate that no RBAC rule touches (group system:masters), signed by the cluster's
// CA when the cluster is new. kubeadm makes and signs it (docs/decisions/ has why): the CA's key stays where it is, ours is ECDSA and
// exists only in the answer of this one command. Knows nothing of how it is used.
import { stringify } from 'yaml'
import { LabError } from '#lib/protocol/index.ts'
import type { Docker } from './docker.ts'
import type { Machine } from './machines.ts'

/** Kubeconfig for https://127.0.0.1:`port`. Only while nobody else has been on the node. */
export async function graderKubeconfig(
  docker: Docker,
  controlPlane: Machine,
  cluster: string,
  kubernetesVersion: string,
  port: number,
  signal: AbortSignal,
): Promise<string> {
  const configuration = stringify({
    apiVersion: 'kubeadm.k8s.io/v1beta4',
    kind: 'ClusterConfiguration',
    clusterName: cluster,
    kubernetesVersion,
    controlPlaneEndpoint: `127.0.0.1:${port}`,
    encryptionAlgorithm: 'ECDSA-P256',
  })
  const result = await docker.exec(
    controlPlane.container,
    [
      'kubeadm',
      'kubeconfig',
      'user',
      '--config',
      '/dev/stdin',
      '--client-name',
      'kubemend-grader',
      '--org',
      'system:masters',
      '--validity-period',
      '8760h',
    ],
    { stdin: configuration, signal },
  )
  if (result.exitCode !== 0 || !result.stdout.includes('client-key-data')) {
    throw new LabError('internal', `kubeadm did not make the grader's certificate: ${result.stderr.trim().split('\n').at(-1) ?? ''}`)
  }
  return result.stdout
}

/** The port of 127.0.0.1 at which Docker publishes the node's API server. */
export async function publishedPort(docker: Docker, controlPlane: Machine): Promise<number> {
  const details = await docker.ask('look at the control plane', (api) => api.getContainer(controlPlane.container).inspect())
  const port = Number(details.NetworkSettings.Ports['6443/tcp']?.[0]?.HostPort)
  if (port > 0) return port
  throw new LabError('internal', `Docker does not publish the API server of ${controlPlane.name}.`)
}
