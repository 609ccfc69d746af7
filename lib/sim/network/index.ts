// The network of a simulated cluster: namespaces, links, routes and rules; DNS; the programs of kube-system's pods that program them; the tools with
// which people look at them; and the grader's own eyes. This is its only door.
import type { Files } from '../machine.ts'
import type { CniHooks } from '../net.ts'
import { cniHooks } from './cni.ts'
import { type NetworkOptions, SimNetwork } from './network.ts'

export type { ProgramDeps } from './deps.ts'
export { readQuestion, writeAnswer } from './dns-message.ts'
export { kubeletRules } from './kube-proxy.ts'
export { type NetworkOptions, type NetworkState, SimNetwork } from './network.ts'
export { type ProbeResult, probe, type Target } from './probe.ts'
export { programs } from './programs/index.ts'
export { tools } from './tools/index.ts'

/** `saved`: what `save()` of another one gave; its machines must then be added again, and find their namespaces as they were */
export function createNetwork(options: NetworkOptions): SimNetwork {
  return new SimNetwork(options)
}
/** CNI of one machine, for its container runtime; `files` are the machine's */
export function cni(network: SimNetwork, machine: string, files: Files): CniHooks {
  return cniHooks(network, machine, files)
}
