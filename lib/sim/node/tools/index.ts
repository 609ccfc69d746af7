// The tools of a machine that are made here: systemd's, etcd's, kubeadm, and those that look at the machine as a whole.
import type { Tool } from '../../process.ts'
import { type EtcdToolDeps, etcdTools } from './etcd.ts'
import { type KubeadmDeps, kubeadmTool } from './kubeadm.ts'
import { machineTools } from './machine.ts'
import { hostnamectl, journalctl, systemctl } from './systemd.ts'

export { yq } from './yq.ts'

export function nodeTools(deps: EtcdToolDeps & KubeadmDeps): Record<string, Tool> {
  return { ...machineTools, systemctl, journalctl, hostnamectl, ...etcdTools(deps), kubeadm: kubeadmTool(deps) }
}
