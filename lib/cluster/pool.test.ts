// The pool at its door, on the fake provider: what a claim gets, what becomes of a cluster given back, what a failure does.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LabError } from '#lib/protocol/index.ts'
import { type Cluster, type FakeProvider, fakeProvider, Pool, type PoolOptions } from './index.ts'

/** as long as a loaded machine may take */
const patient = { timeout: 20_000 }

let dir: string
let provider: FakeProvider
const pools: Pool[] = []
const never = new AbortController().signal
const spec = { workers: 2 }
const quiet = () => {}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pool-'))
  provider = fakeProvider({ dir, limit: 3 })
})
afterEach(async () => {
  provider.comeBack()
  for (const pool of pools.splice(0)) await pool.shutdown({ destroy: true })
  for await (const cluster of provider.adopt()) await cluster.destroy()
  await rm(dir, { recursive: true, force: true })
})

async function pool(options: Partial<PoolOptions> = {}): Promise<Pool> {
  const made = new Pool(provider, { warm: 1, ...options })
  pools.push(made)
  for await (const cluster of made.adopt()) await made.giveBack(cluster)
  return made
}
const warm = async (of: Pool) => {
  await of.settled()
  return (await of.status()).warm
}
const existing = async () => {
  const all: string[] = []
  for await (const cluster of provider.adopt()) all.push(cluster.id)
  return all
}

describe('a claim', () => {
  it('gets the warm cluster, and another is made in its place', async () => {
    const of = await pool()
    expect(await warm(of)).toBe(1)
    const before = await existing()
    const lines: string[] = []
    const cluster = await of.claim(spec, (line) => lines.push(line.step), never)
    expect(before).toEqual([cluster.id])
    expect(lines).toEqual(['Warm cluster'])
    expect(await warm(of)).toBe(1)
    expect(await existing()).toHaveLength(2)
  })
  it('gets a new one with the progress of its creation when none is kept', async () => {
    const of = await pool({ warm: 0 })
    const lines: string[] = []
    await of.claim(spec, (line) => lines.push(line.step), never)
    expect(lines).toContain('workstation')
    expect(await warm(of)).toBe(0)
  })
  it('takes over the one that is just being made, with what was already said of it', async () => {
    const of = await pool()
    const lines: string[] = []
    const cluster = await of.claim(spec, (line) => lines.push(`${line.step} ${line.state}`), never)
    expect(lines).toContain('nodes done')
    expect(await warm(of)).toBe(1)
    expect(await existing()).toHaveLength(2)
    expect(cluster.nodes).toHaveLength(3)
  })
  it('of another kind is made for it, and a warm one makes room where there is none', async () => {
    const of = await pool({ warm: 1 })
    await warm(of)
    const others = [await of.claim({ workers: 0 }, quiet, never), await of.claim({ workers: 0 }, quiet, never)]
    const third = await of.claim({ workers: 1 }, quiet, never)
    expect([...others, third].map((cluster) => cluster.nodes.length)).toEqual([1, 1, 2])
    await expect(of.claim({ workers: 1 }, quiet, never)).rejects.toMatchObject({ code: 'capacity-exceeded' })
    await of.shutdown()
  })
  it('is refused while Docker is gone, and served by the same warm cluster when it is back', async () => {
    const of = await pool()
    await warm(of)
    const [id] = await existing()
    provider.goAway()
    await expect(of.claim(spec, quiet, never)).rejects.toMatchObject({ code: 'docker-unavailable' })
    provider.comeBack()
    expect((await of.claim(spec, quiet, never)).id).toBe(id)
  })
  it('that is cancelled before anything was adopted says so', async () => {
    const of = new Pool(provider, { warm: 0 })
    await expect(of.claim(spec, quiet, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' })
  })
})

describe('a cluster given back', () => {
  const write = (cluster: Cluster) => cluster.writeFile('worker-1', '/etc/left', new TextEncoder().encode('behind'))
  /** no room for a second one, so that what is given back is wanted; a rest after that failure ends when told */
  async function narrow(options: Partial<PoolOptions> = {}) {
    provider = fakeProvider({ dir, limit: 1 })
    const resting = new Set<() => void>()
    const wait = (_ms: number, signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        resting.add(resolve)
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    const of = await pool({ wait, ...options })
    await vi.waitUntil(async () => (await of.status()).warm === 1, patient)
    const rest = () => {
      for (const wake of resting) wake()
    }
    return { of, rest }
  }
  it('is restored and handed out again', async () => {
    const { of, rest } = await narrow()
    const first = await of.claim(spec, quiet, never)
    await write(first)
    await of.giveBack(first)
    rest()
    expect(await warm(of)).toBe(1)
    const again = await of.claim(spec, quiet, never)
    expect(again.id).toBe(first.id)
    await expect(again.readFile('worker-1', '/etc/left')).rejects.toMatchObject({ code: 'not-found' })
  })
  it('is destroyed when it cannot be put back, and another is made', async () => {
    const errors: string[] = []
    const { of, rest } = await narrow({ onError: (error, doing) => errors.push(`${doing} ${error.code}`) })
    const first = await of.claim(spec, quiet, never)
    first.restore = () => Promise.reject(new LabError('restore-mismatch', 'files differ'))
    await of.giveBack(first)
    await vi.waitUntil(() => errors.includes('restore restore-mismatch'), patient)
    rest()
    expect(await warm(of)).toBe(1)
    expect(errors).toEqual(['warm capacity-exceeded', 'restore restore-mismatch'])
    expect(await existing()).not.toContain(first.id)
  })
  it('is kept as it is when nobody has touched it', async () => {
    const { of, rest } = await narrow()
    const first = await of.claim(spec, quiet, never)
    await write(first)
    await of.giveBack(first, { dirty: false })
    rest()
    await warm(of)
    const again = await of.claim(spec, quiet, never)
    expect(new TextDecoder().decode(await again.readFile('worker-1', '/etc/left'))).toBe('behind')
  })
  it('is destroyed when no warm ones are kept', async () => {
    const of = await pool({ warm: 0 })
    await of.giveBack(await of.claim(spec, quiet, never))
    await of.settled()
    expect(await existing()).toEqual([])
  })
})

describe('a failure in the background', () => {
  it('is told, and tried again after delays that grow and then start over', async () => {
    const delays: number[] = []
    const errors: string[] = []
    provider.failNext(new LabError('cluster-create-failed', 'broken'))
    let tries = 0
    const of = await pool({
      random: () => 1,
      wait: async (ms) => {
        delays.push(ms)
        if (++tries < 3) provider.failNext(new LabError('cluster-create-failed', 'broken again'))
      },
      onError: (error, doing) => errors.push(`${doing}: ${error.message}`),
    })
    expect(await warm(of)).toBe(1)
    expect(delays).toEqual([5000, 10000, 20000])
    expect(errors).toEqual(['warm: broken', 'warm: broken again', 'warm: broken again'])
  })
})

it('shutdown leaves warm clusters for the next run, which adopts them', async () => {
  const of = await pool()
  await warm(of)
  const [id] = await existing()
  await of.shutdown()
  const next = await pool()
  expect(await warm(next)).toBe(1)
  expect(await existing()).toEqual([id])
})
