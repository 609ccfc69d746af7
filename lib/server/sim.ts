// The simulated backend as this machine and its settings want it; the server, the proof and the bench share it. kubectl is had in the
// background when there is none. Knows nothing of sessions.
import path from 'node:path'
import { type SimProvider, simProvider } from '#lib/cluster/index.ts'
import { bringKubectl, bringYq, cacheFolder, findHelm, findKubectl } from '#lib/host/index.ts'
import { asLabError } from '#lib/protocol/index.ts'
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
  const { log = () => {} } = options
  const cache = path.join(cacheFolder(options.env), 'sandbox')
  const host = createSandboxHost({ cache })
  let provided = false
  let getting: { said: string } | undefined
  let failure: { message: string; remedy: string; at: number } | undefined
  const get = () => {
    const mine = { said: 'kubectl is looked for' }
    getting = mine
    const progress = (text: string) => {
      mine.said = text
      log(text)
    }
    bringKubectl({ progress })
      .then(
        () => {
          failure = undefined
        },
        (thrown: unknown) => {
          const error = asLabError(thrown)
          log(error.message)
          failure = { message: error.message, remedy: error.hint ?? 'Install kubectl so that it is in PATH.', at: performance.now() }
        },
      )
      .finally(() => {
        getting = undefined
      })
  }
  return simProvider({
    dir: path.join(options.dataDir, 'sim'),
    cache,
    missing: async () => {
      const lacking = await host.missing()
      if (lacking !== null || provided) return lacking
      const kubectl = await findKubectl()
      if (kubectl !== undefined) {
        host.provide('kubectl', kubectl.path)
        provided = true
        const helm = await findHelm()
        if (helm !== undefined) host.provide('helm', helm.path)
        // Comes later where it must be built; labs are offered without it.
        void bringYq({ progress: log })
          .then((yq) => yq && host.provide('yq', yq.path))
          .catch((error: unknown) => log(String(error)))
        return null
      }
      // Tried again after a while: a network may have come.
      if (getting === undefined && (failure === undefined || performance.now() - failure.at > 300_000)) get()
      if (getting !== undefined)
        return {
          message: `There is no kubectl on this machine yet; it is being fetched: ${getting.said}.`,
          remedy: 'Wait a few minutes, or install kubectl so that it is in PATH.',
        }
      return failure ?? null
    },
    ...(options.rate === undefined ? {} : { rate: options.rate }),
    log,
  })
}
