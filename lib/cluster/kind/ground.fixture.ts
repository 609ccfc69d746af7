// The options of a kind provider on the machine that the tests run on. For tests only: the adapter itself is told by its caller.
import { fileURLToPath } from 'node:url'
import { findTool, images, kubernetesVersion, machineFacts } from '#lib/host/index.ts'
import type { KindOptions } from './options.ts'

export async function ground(): Promise<Pick<KindOptions, 'images' | 'kubernetesVersion' | 'machine' | 'cniManifest' | 'kind'>> {
  const program = await findTool('kind')
  return {
    images: images(),
    kubernetesVersion: kubernetesVersion(),
    machine: await machineFacts(),
    cniManifest: fileURLToPath(new URL('../../../images/node/kube-flannel.yml', import.meta.url)),
    ...(program === undefined ? {} : { kind: program }),
  }
}
