// The fake provider keeps the contract that the real ones keep, and has the knobs of a fault.
import { mkdtempSync, rmSync } from 'node:fs'
import { access } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { clusterContract } from '../contract.ts'
import { fakeProvider, kubernetesApi } from '../index.ts'

const dir = mkdtempSync(join(tmpdir(), 'fake-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

clusterContract({
  name: 'fake',
  provider: () => fakeProvider({ dir }),
  nothingLeft: async (id) => {
    await expect(access(join(dir, id))).rejects.toMatchObject({ code: 'ENOENT' })
  },
})

it('goes away and comes back with everything as it was', async () => {
  const provider = fakeProvider({ dir: join(dir, 'away') })
  const cluster = await provider.create({ workers: 1 }, () => {}, new AbortController().signal)
  const shell = await cluster.shell('workstation', { id: 'one', size: { cols: 80, rows: 24 } })
  const ended = Promise.withResolvers<string>()
  shell.onOutput(() => {})
  shell.onEnd((end) => ended.resolve(end.kind))
  provider.goAway()
  expect(await ended.promise).toBe('lost')
  expect(await cluster.health()).toMatchObject({ state: 'backend-gone' })
  await expect(cluster.exec('worker-1', ['true'])).rejects.toMatchObject({ code: 'docker-unavailable' })
  await expect(kubernetesApi(cluster.kubeconfig).raw('GET', '/readyz')).rejects.toMatchObject({ code: 'cluster-unreachable' })
  provider.comeBack()
  expect(await cluster.health()).toEqual({ state: 'ok' })
  expect((await cluster.exec('worker-1', ['echo', 'back'])).stdout).toBe('back\n')
  expect(await kubernetesApi(cluster.kubeconfig).raw('GET', '/readyz')).toBe('ok')
  await cluster.destroy()
})
