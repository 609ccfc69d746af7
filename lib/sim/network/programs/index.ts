// The programs of this folder by the base name of argv[0].
import type { Program } from '../../process.ts'
import { coredns } from '../coredns.ts'
import type { ProgramDeps } from '../deps.ts'
import { flanneld } from '../flanneld.ts'
import { kubeProxy } from '../kube-proxy.ts'
import { agnhost, httpEcho } from './agnhost.ts'
import { localPathProvisioner } from './local-path.ts'
import { nginx } from './nginx.ts'

/** A process that goes on after a load was never started again: what it says in the second in which it finds its way back was said before. */
const resumed =
  (program: Program): Program =>
  (context) => {
    if (context.saved === undefined) return program(context)
    const until = context.clock.now() + 1000
    return program({ ...context, log: (text, stream) => context.clock.now() >= until && context.log(text, stream) })
  }
export function programs(deps: ProgramDeps): Readonly<Record<string, Program>> {
  const all: Readonly<Record<string, Program>> = {
    agnhost: agnhost(deps),
    coredns: coredns(deps),
    flanneld: flanneld(deps),
    'http-echo': httpEcho(),
    'kube-proxy': kubeProxy(deps),
    'local-path-provisioner': localPathProvisioner(deps),
    nginx: nginx(deps),
  }
  return Object.fromEntries(Object.entries(all).map(([name, program]) => [name, resumed(program)]))
}
