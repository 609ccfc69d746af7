// Labs in worker processes: the contract of every adapter, and what happens when processes come and go. The labs here are the fixture's.
import { mkdtempSync, rmSync } from 'node:fs'
import { access, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { clusterContract } from '../contract.ts'
import { kubernetesApi } from '../index.ts'
import type { Cluster, Shell } from '../port.ts'
import { type SimOptions, type SimProvider, simProvider } from './index.ts'

const never = new AbortController().signal
const program = fileURLToPath(new URL('./worker.fixture.ts', import.meta.url))
const base = mkdtempSync(join(tmpdir(), 'sim-'))
const opened: SimProvider[] = []
const logged: string[] = []
const provider = (name: string, options: Partial<SimOptions> = {}): SimProvider => {
  const made = simProvider({
    dir: join(base, name),
    worker: { program, version: 'fixture' },
    log: (line) => logged.push(line),
    ...options,
  })
  opened.push(made)
  return made
}
afterAll(() => {
  for (const one of opened) one.close()
  rmSync(base, { recursive: true, force: true, maxRetries: 5 })
})
const all = async (from: SimProvider): Promise<Cluster[]> => {
  const found: Cluster[] = []
  for await (const one of from.adopt()) found.push(one)
  return found
}

clusterContract({
  name: 'sim (workers)',
  provider: () => provider('contract'),
  skip: [{ part: 'units', reason: 'the fixture’s machines have no systemd' }],
  nothingLeft: async (id) => {
    await expect(access(join(base, 'contract/labs', id))).rejects.toMatchObject({ code: 'ENOENT' })
  },
})

/** Text of a shell, and how it ended. */
function listen(shell: Shell) {
  let text = ''
  const end = Promise.withResolvers<{ kind: string }>()
  shell.onOutput((bytes) => {
    text += Buffer.from(bytes).toString()
  })
  shell.onEnd(end.resolve)
  return { text: () => text, end: end.promise }
}
const pidOf = async (dir: string): Promise<number> => {
  const [name] = await readdir(join(base, dir, 'workers'))
  return Number(await readFile(join(base, dir, 'workers', name ?? '', 'pid'), 'utf8'))
}

describe('A worker that dies', () => {
  it('takes no other worker’s labs with it; its own come back as they were written down, shells say lost', async () => {
    const from = provider('dies', { perWorker: 1 })
    const [one, other] = await Promise.all([from.create({ workers: 0 }, () => {}, never), from.create({ workers: 0 }, () => {}, never)])
    expect(await readdir(join(base, 'dies/workers'))).toHaveLength(2)
    const api = kubernetesApi(one.kubeconfig)
    await api.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kept', namespace: 'default' }, data: {} })
    api.close()
    await one.baseline(never)
    await one.hurry?.(async () => {})
    const shell = listen(await one.shell('workstation', { id: 'a', size: { cols: 80, rows: 24 } }))
    const before = one.kubeconfig
    await expect(one.exec('workstation', ['end-the-worker'])).rejects.toMatchObject({ code: 'backend-unavailable' })
    expect(await shell.end).toMatchObject({ kind: 'lost' })
    expect(await other.health()).toEqual({ state: 'ok' })
    expect((await one.health()).state).toMatch(/backend-gone|ok/)
    await expect.poll(() => one.health(), { timeout: 20_000 }).toEqual({ state: 'ok' })
    expect(one.kubeconfig).not.toBe(before)
    expect((await one.exec('workstation', ['echo', 'back'])).stdout).toBe('back\n')
    const again = await one.shell('workstation', { id: 'a', size: { cols: 80, rows: 24 } })
    expect(again.offset).toBe(0)
    await again.kill()
    await Promise.all([one.destroy(), other.destroy()])
  })
  it('right after a restore brings back what was restored, not what was put away', async () => {
    const from = provider('restored')
    const cluster = await from.create({ workers: 1 }, () => {}, never)
    await cluster.baseline(never)
    await cluster.writeFile('worker-1', '/etc/contract-before', Buffer.from('broken'))
    // It is written down broken.
    await cluster.hurry?.(async () => {})
    await cluster.restore(never)
    await expect(cluster.exec('workstation', ['end-the-worker'])).rejects.toMatchObject({ code: 'backend-unavailable' })
    await expect.poll(() => cluster.health(), { timeout: 20_000 }).toEqual({ state: 'ok' })
    await expect(cluster.readFile('worker-1', '/etc/contract-before')).rejects.toMatchObject({ code: 'not-found' })
    await cluster.destroy()
  })
  it('and one that was killed while no server ran is found by the next', async () => {
    const first = provider('killed')
    const cluster = await first.create({ workers: 1 }, () => {}, never)
    await cluster.writeFile('worker-1', '/etc/mine', Buffer.from('mine'))
    await cluster.baseline(never)
    first.close()
    process.kill(await pidOf('killed'), 'SIGTERM')
    await expect.poll(() => readdir(join(base, 'killed/workers')).catch(() => []), { timeout: 10_000 }).toEqual([])
    // What never became a lab is cleaned away.
    await mkdir(join(base, 'killed/labs/half'), { recursive: true })
    await writeFile(join(base, 'killed/labs/half/lab.json'), '{"id":"half","spec":{"workers":0},"worker":"x"}')
    const found = await all(provider('killed'))
    expect(found.map((one) => one.id)).toEqual([cluster.id])
    expect(Buffer.from((await found[0]?.readFile('worker-1', '/etc/mine')) ?? []).toString()).toBe('mine')
    expect(await readdir(join(base, 'killed/labs'))).toEqual([cluster.id])
    await found[0]?.destroy()
  })
})

it('Labs of a worker of another version move to one of this', async () => {
  const old = provider('version', { worker: { program, version: 'old' } })
  const cluster = await old.create({ workers: 0 }, () => {}, never)
  const before = await pidOf('version')
  old.close()
  const found = await all(provider('version'))
  expect(found.map((one) => one.id)).toEqual([cluster.id])
  expect(await pidOf('version')).not.toBe(before)
  await found[0]?.destroy()
})

it('A worker that has been without a server for long writes its labs down and ends', async () => {
  const first = provider('lonely')
  const cluster = await first.create({ workers: 0 }, () => {}, never)
  first.close()
  await expect.poll(() => readdir(join(base, 'lonely/workers')).catch(() => []), { timeout: 20_000 }).toEqual([])
  const found = await all(provider('lonely'))
  expect(found.map((one) => one.id)).toEqual([cluster.id])
  await found[0]?.destroy()
})

it('A creation that is cancelled when its nodes have booted leaves no lab', async () => {
  const stopping = provider('stopping')
  const cancel = new AbortController()
  const creation = stopping.create(
    { workers: 0 },
    ({ step }) => {
      if (step === 'Setting its clock') cancel.abort()
    },
    cancel.signal,
  )
  await expect(creation).rejects.toMatchObject({ code: 'cancelled' })
  await expect.poll(() => readdir(join(base, 'stopping/labs')).catch(() => [])).toEqual([])
  expect(await all(stopping)).toEqual([])
})

it('Says what it has no room for, and what is missing', async () => {
  const full = provider('full', { limit: 0 })
  await expect(full.create({ workers: 0 }, () => {}, never)).rejects.toMatchObject({ code: 'capacity-exceeded' })
  const lacking = provider('lacking', {
    missing: async () => ({ message: 'bubblewrap is not here.', remedy: 'apt-get install bubblewrap' }),
  })
  expect(await lacking.status()).toMatchObject({ state: 'unavailable', remedy: 'apt-get install bubblewrap' })
  await expect(lacking.create({ workers: 0 }, () => {}, never)).rejects.toMatchObject({ code: 'backend-unavailable' })
  const broken = provider('broken', { worker: { program: join(base, 'no-such.ts'), version: 'x' } })
  await expect(broken.create({ workers: 0 }, () => {}, never)).rejects.toMatchObject({ code: 'backend-unavailable' })
})

it('Time passes faster in a proof and while nobody watches, and is the host’s when a person looks', async () => {
  const fast = await provider('fast', { rate: 20 }).create({ workers: 0 }, () => {}, never)
  const at = fast.clock?.now() ?? 0
  await fast.clock?.wait(4000)
  expect((fast.clock?.now() ?? 0) - at).toBeGreaterThanOrEqual(4000)
  expect(fast.clock?.rate).toBe(20)
  await fast.destroy()
  const slow = await provider('slow').create({ workers: 0 }, () => {}, never)
  expect(slow.clock?.rate).toBe(1)
  await slow.hurry?.(async () => {
    expect(slow.clock?.rate).toBeGreaterThan(5)
  })
  expect(slow.clock?.rate).toBe(1)
  expect(Math.abs((slow.clock?.now() ?? 0) - Date.now())).toBeLessThan(2000)
  await slow.destroy()
})
