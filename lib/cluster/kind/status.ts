// Whether the backend can make a cluster now, and if not, what a person must do.
import { asLabError } from '#lib/protocol/index.ts'
import type { ClusterProvider } from '../port.ts'
import type { Ground } from './ground.ts'

export async function providerStatus(ground: Ground, signal?: AbortSignal): Promise<Awaited<ReturnType<ClusterProvider['status']>>> {
  const { docker, options, runner } = ground
  try {
    await docker.ask('show its images', (api) => api.ping())
    for (const image of Object.values(options.images)) {
      if (await docker.find('look for an image', (api) => api.getImage(image).inspect())) continue
      return {
        name: 'kind',
        state: 'preparable',
        message: `Docker runs; the image ${image} is not here yet.`,
        remedy: 'Run `npm run setup:kind`, or let this page do it.',
      }
    }
    await runner.run({ argv: [options.kind ?? 'kind', 'version'], timeoutMs: 20_000, ...(signal ? { signal } : {}) })
    return {
      name: 'kind',
      state: 'ready',
      message: 'Real clusters in containers of this machine.',
      kubernetesVersion: options.kubernetesVersion,
    }
  } catch (thrown) {
    const error = asLabError(thrown)
    if (error.code === 'not-found')
      return {
        name: 'kind',
        state: 'preparable',
        message: 'Docker runs; the program kind is not here yet.',
        remedy: 'Run `npm run setup:kind`, or let this page do it.',
      }
    return { name: 'kind', state: 'unavailable', message: error.message, ...(error.hint ? { remedy: error.hint } : {}) }
  }
}
