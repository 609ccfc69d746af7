import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { type ClusterProvider, fakeProvider } from '#lib/cluster/index.ts'
import { LabError } from '#lib/protocol/index.ts'
import { loadCatalogue, proofOf } from '#lib/scenario/index.ts'
import { prove } from './index.ts'

const catalogue = await loadCatalogue(fileURLToPath(new URL('../../scenarios', import.meta.url)))

it('what is recorded is not played again, and every scenario is told of once it is whole', async () => {
  const cacheDir = await mkdtemp(join(tmpdir(), 'parts-'))
  const scenarios = ['coredns-loop', 'cni-deleted'].map((slug) => catalogue.bySlug(slug)!)
  const { image, kubernetes } = proofOf(scenarios[0]!, 'kind')!.key
  const provider = (kubernetesVersion: string) =>
    ({
      backend: 'kind',
      identity: async () => ({ image, kubernetesVersion }),
      create: async () => {
        throw new Error('a cluster was made')
      },
    }) as unknown as ClusterProvider
  const told: [string, string[], boolean][] = []
  const options = {
    scenarios,
    cacheDir,
    signal: new AbortController().signal,
    log: () => {},
    onScenario: async (scenario: (typeof scenarios)[number], variants: readonly { variant: string; proven: boolean }[]) => {
      told.push([scenario.slug, variants.map(({ variant }) => variant), variants.every(({ proven }) => proven)])
    },
  }
  const variants = await prove({ ...options, provider: provider(kubernetes) })
  expect(told).toEqual([
    ['coredns-loop', ['corefile', 'kubelet'], true],
    ['cni-deleted', ['default'], true],
  ])
  expect(variants.map(({ slug, proven }) => `${slug} ${proven}`)).toEqual(['coredns-loop true', 'coredns-loop true', 'cni-deleted true'])
  // Another Kubernetes is another cluster: all is played, and nothing is told of what could not be.
  await expect(prove({ ...options, provider: provider('v1.0.0') })).rejects.toThrow('a cluster was made')
  expect(told).toHaveLength(2)
  await rm(cacheDir, { recursive: true })
})

it('a worker that gets no cluster leaves its part to the others', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'parts-'))
  const scenarios = (await loadCatalogue(fileURLToPath(new URL('../../e2e/scenarios', import.meta.url)))).scenarios.slice(0, 2)
  const provider = fakeProvider({ dir: join(dir, 'fake') })
  provider.failNext(new LabError('capacity-exceeded', 'No room for another cluster.'))
  const said: string[] = []
  const variants = await prove({
    scenarios,
    provider,
    cacheDir: dir,
    clusters: 2,
    with: { name: 'nothing', script: 'true' },
    signal: new AbortController().signal,
    log: (line) => said.push(line),
  })
  expect(said.filter((line) => line.includes('stopped:'))).toHaveLength(1)
  expect(variants.length).toBeGreaterThan(1)
  for (const { parts, slug } of variants) expect([slug, ...parts.map(({ name }) => name)]).toEqual([slug, 'nothing'])
  await rm(dir, { recursive: true })
}, 120_000)
