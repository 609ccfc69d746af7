import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Api, KubeObject } from '#lib/cluster/index.ts'
import { canaries } from './canary.ts'

// As much of an API as canaries use: services by name.
let services: Map<string, KubeObject>
const api = {
  get: async ({ name }: { name: string }) => services.get(name) ?? null,
  create: async (object: KubeObject) => {
    services.set(object.metadata.name, object)
    return object
  },
  delete: async ({ name }: { name: string }) => services.delete(name),
} as unknown as Api
let now = 0
const clock = { now: () => now, rate: 1, wait: async () => {} }
const ref = { namespace: 'shop', name: 'web' }
const web = (app: string) => ({ metadata: ref, spec: { selector: { app }, ports: [{ port: 80, nodePort: 30080 }] } })
const names = () => [...services.keys()].filter((name) => name !== 'web')
const pass = (ms: number) => {
  now += ms
  vi.advanceTimersByTime(ms)
}
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
  services = new Map([['web', web('web')]])
  return () => vi.useRealTimers()
})

describe('a service made for a look', () => {
  it('stays the same for a while, and another is known to the nodes before it takes its place', async () => {
    const made = canaries(api, clock)
    const first = await made.like(ref)
    expect(first.spec).toEqual({ selector: { app: 'web' }, ports: [{ port: 80 }] })
    pass(19_000)
    expect((await made.like(ref)).metadata.name).toBe(first.metadata.name)
    pass(2000)
    expect((await made.like(ref)).metadata.name, 'the next one is being made').toBe(first.metadata.name)
    expect(names()).toHaveLength(2)
    pass(5000)
    const second = await made.like(ref)
    expect(second.metadata.name).not.toBe(first.metadata.name)
    await vi.waitFor(() => expect(names()).toEqual([second.metadata.name]), 20_000)
    await made.dispose()
    expect(names()).toEqual([])
  })
  it('follows a repair at once, and is none where there is nothing to copy', async () => {
    const made = canaries(api, clock)
    await made.like(ref)
    services.set('web', web('mended'))
    expect((await made.like(ref)).spec.selector).toEqual({ app: 'mended' })
    services.delete('web')
    expect(await made.like(ref)).toBeNull()
    await vi.waitFor(() => expect(names()).toEqual([]), 20_000)
  })
})
