// What browser tests on a real kind cluster share: a server on kind, and what it leaves in Docker.
import { execFileSync } from 'node:child_process'
import { test as base, LabServer } from './fixtures.ts'

const root = new URL('..', import.meta.url).pathname

export const kindTest = base.extend<object, { server: LabServer }>({
  server: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixtures that one asks for from this pattern
    async ({}, use) => {
      const server = await LabServer.boot({ env: { KUBEMEND_BACKENDS: 'kind', KUBEMEND_SCENARIOS: `${root}scenarios` } })
      await use(server)
      await server.stop()
    },
    { scope: 'worker', timeout: 120_000 },
  ],
})

/** Names of a cluster's containers, running or not. */
export const containersOf = (cluster: string): string[] =>
  execFileSync('docker', ['ps', '-a', '--filter', `name=${cluster}-`, '--format', '{{.Names}}'], { encoding: 'utf8' })
    .split('\n')
    .filter(Boolean)
