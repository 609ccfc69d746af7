// Who may open a port below 1024: the kernel's rule for privileged ports, with what a container's security context leaves of its capabilities.
import type { ContainerContext } from '../process.ts'
import { namespaceOf } from './network.ts'

const setting = 'net.ipv4.ip_unprivileged_port_start'
/**
 * `bind: permission denied`, or undefined for a port that this container may open. containerd 2 makes no port of a pod's own network privileged
 * (enable_unprivileged_ports); a node's network, and a pod with another setting, keep theirs for whoever has NET_BIND_SERVICE. That it is root does not
 * help a process that has lost the capability.
 */
export function bindRefusal({ net, pod, security }: Pick<ContainerContext, 'net' | 'pod' | 'security'>, port: number): string | undefined {
  const first = Number(namespaceOf(net).sysctl(setting) ?? (pod.hostNetwork ? 1024 : 0))
  if (port >= first || security.privileged) return undefined
  const named = (list: readonly string[] = []) => list.some((name) => name === 'ALL' || name.replace(/^CAP_/, '') === 'NET_BIND_SERVICE')
  return named(security.capabilities) || !named(security.drop) ? undefined : 'bind: permission denied'
}
