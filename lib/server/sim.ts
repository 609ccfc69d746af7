// The simulated backend as this machine and its settings want it; the server, the proof and the bench share it. Knows nothing of sessions.
import path from 'node:path'
import { type SimProvider, simProvider } from '#lib/cluster/index.ts'
import { cacheFolder, findTool } from '#lib/host/index.ts'
import { createSandboxHost } from '#lib/sim/sandbox/index.ts'

export interface SimBackendOptions {
  /** keeps labs and their workers' sockets */
  dataDir: string
  env?: NodeJS.ProcessEnv
  /** lab seconds per real one, default 1 */
  rate?: number
  log?: (line: string) => void
}
export function simBackend(options: SimBackendOptions): SimProvider {
  const cache = path.join(cacheFolder(options.env), 'sandbox')
  const host = createSandboxHost({ cache })
  let provided: string | undefined
  return simProvider({
    dir: path.join(options.dataDir, 'sim'),
    cache,
    missing: async () => {
      const lacking = await host.missing()
      if (lacking !== null) return lacking
      const kubectl = await findTool('kubectl')
      if (kubectl === undefined)
        return {
          message: 'The program kubectl is not on this machine, and labs are worked on with it.',
          remedy: 'Install kubectl (https://kubernetes.io/docs/tasks/tools/); it is found in PATH.',
        }
      if (kubectl !== provided) host.provide('kubectl', kubectl)
      provided = kubectl
      return null
    },
    ...(options.rate === undefined ? {} : { rate: options.rate }),
    ...(options.log === undefined ? {} : { log: options.log }),
  })
}
