// kind's configuration file for one cluster. Knows what machines need mending (it is told which this one is), nothing of how they are asked.
import { stringify } from 'yaml'
import type { ClusterSpec } from '../port.ts'

/** What the machine lacks; see the host module, which finds out. */
export interface MachineFacts {
  /** control groups of version 1: kubelet >= 1.35 refuses them unless told otherwise (KEP-4569, `failCgroupV1`) */
  cgroupV1: boolean
  /** containers cannot have CAP_SYS_RESOURCE: oom scores must not be lowered and the kubelet must not insist on its sysctls */
  lacksSysResource: boolean
}

/** YAML of a kind.x-k8s.io/v1alpha4 Cluster: one control plane, `spec.workers` workers, no CNI of kind's. */
export function kindConfig(spec: ClusterSpec, machine: MachineFacts): string {
  const kubeletPatch = machine.cgroupV1 ? [stringify({ kind: 'KubeletConfiguration', failCgroupV1: false })] : []
  return stringify({
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    networking: { podSubnet: '10.244.0.0/16', disableDefaultCNI: true },
    ...(machine.lacksSysResource
      ? {
          featureGates: { KubeletInUserNamespace: true },
          containerdConfigPatches: ['[plugins."io.containerd.grpc.v1.cri"]\n  restrict_oom_score_adj = true\n'],
        }
      : {}),
    ...(kubeletPatch.length > 0 ? { kubeadmConfigPatches: kubeletPatch } : {}),
    nodes: [{ role: 'control-plane' }, ...Array.from({ length: spec.workers }, () => ({ role: 'worker' }))],
  })
}
