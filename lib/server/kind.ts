// The kind backend as this machine and its settings want it; the server and the proof share it. Knows nothing of sessions.
import path from 'node:path'
import { type ClusterProvider, kindProvider } from '#lib/cluster/index.ts'
import { dockerPlan, findTool, images, kubernetesVersion, machineFacts, thisMachine } from '#lib/host/index.ts'
import { root } from './config.ts'

/** For so long the set-up is taken to be able to do what it could. */
const planMs = 15_000

/** `owner` tells clusters of several servers on one Docker apart; `dataDir` keeps what belongs to them. */
export async function kindBackend(options: { owner: string; dataDir: string; env: NodeJS.ProcessEnv }): Promise<ClusterProvider> {
  // Docker may come later than this server: the facts are looked at anew before each creation, in the same object.
  const machine = { ...(await machineFacts()) }
  const program = await findTool('kind')
  // The same Docker as the doctor's and the docker command's: rootless ones and Docker Desktop are named by it.
  const socketPath = /^unix:\/\/(\/.+)$/.exec(options.env.DOCKER_HOST ?? '')?.[1]
  const provider = kindProvider({
    owner: options.owner,
    dataDir: path.join(options.dataDir, 'clusters'),
    images: images(options.env),
    kubernetesVersion: kubernetesVersion(options.env),
    machine,
    cniManifest: path.join(root, 'images/node/kube-flannel.yml'),
    ...(program === undefined ? {} : { kind: program }),
    ...(socketPath === undefined ? {} : { docker: { socketPath } }),
  })
  // Every page asks, and the answer takes several commands.
  let looked: { at: number; plan: ReturnType<typeof dockerPlan> } | undefined
  const plan = () => {
    if (looked === undefined || performance.now() - looked.at > planMs) looked = { at: performance.now(), plan: dockerPlan(thisMachine) }
    return looked.plan.catch(() => undefined)
  }
  return {
    ...provider,
    /** Docker that is not there is nothing that a person must see to where the set-up would bring it. */
    async status(signal) {
      const status = await provider.status(signal)
      if (status.state !== 'unavailable') return status
      if (((await plan())?.changes.length ?? 0) === 0) return status
      return { ...status, state: 'preparable', remedy: 'Run `npm run setup:kind`, or let this page do it.' }
    },
    async create(spec, progress, signal) {
      Object.assign(machine, await machineFacts())
      return provider.create(spec, progress, signal)
    },
  }
}
