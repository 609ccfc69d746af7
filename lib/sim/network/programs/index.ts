// The programs of this folder by the base name of argv[0].
import type { Program } from '../../process.ts'
import { coredns } from '../coredns.ts'
import type { ProgramDeps } from '../deps.ts'
import { flanneld } from '../flanneld.ts'
import { kubeProxy } from '../kube-proxy.ts'
import { agnhost, httpEcho, localPathProvisioner } from './agnhost.ts'
import { nginx } from './nginx.ts'

export function programs(deps: ProgramDeps): Readonly<Record<string, Program>> {
  return {
    agnhost: agnhost(deps),
    coredns: coredns(deps),
    flanneld: flanneld(deps),
    'http-echo': httpEcho(),
    'kube-proxy': kubeProxy(deps),
    'local-path-provisioner': localPathProvisioner(deps),
    nginx: nginx(deps),
  }
}
