// The simulation keeps the contract of every adapter: real labs in worker processes, with real shells in sandboxes.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { access } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { cacheFolder } from '#lib/host/index.ts'
import { createSandboxHost } from '#lib/sim/sandbox/index.ts'
import { clusterContract } from '../contract.ts'
import { type SimProvider, simProvider } from './index.ts'

const dir = mkdtempSync(join(tmpdir(), 'sim-'))
const opened: SimProvider[] = []
afterAll(() => {
  for (const one of opened) one.close()
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
})
const cache = join(cacheFolder(), 'sandbox')
const lacking = await createSandboxHost({ cache }).missing()
const reason = lacking === null ? '' : `${lacking.message} ${lacking.remedy}`

clusterContract({
  name: 'sim',
  provider: () => {
    const made = simProvider({ dir, cache })
    opened.push(made)
    return made
  },
  skip: reason === '' ? [] : (['exec', 'shell', 'files', 'adopt'] as const).map((part) => ({ part, reason })),
  nothingLeft: async (id) => {
    await expect(access(join(dir, 'labs', id))).rejects.toMatchObject({ code: 'ENOENT' })
  },
})

it.skipIf(reason !== '' || !existsSync(join(cache, 'programs/kubectl')))(
  'resolves names for real programs as the machine would',
  async () => {
    const made = simProvider({ dir: join(dir, 'names'), cache })
    opened.push(made)
    const cluster = await made.create({ workers: 1 }, () => {}, new AbortController().signal)
    // The kubelet's kubeconfig names the control plane, and shows the kubelet its own node only.
    const own = cluster.nodes.find((node) => node.role === 'worker')?.name ?? ''
    const kubectl = (...argv: string[]) => cluster.exec('worker-1', ['kubectl', '--kubeconfig', '/etc/kubernetes/kubelet.conf', ...argv])
    expect(await kubectl('get', 'node', own, '-o', 'name')).toEqual({ exitCode: 0, stdout: `node/${own}\n`, stderr: '' })
    const none = await kubectl('--server', 'https://nobody.example:6443', 'get', 'nodes')
    expect(none.stderr).toContain('lookup nobody.example on 172.18.0.1:53: no such host')
    await cluster.destroy()
  },
  60_000,
)
