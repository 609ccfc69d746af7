// The simulation keeps the contract of every adapter: real labs in worker processes, with real shells in sandboxes.
import { mkdtempSync, rmSync } from 'node:fs'
import { access } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
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
