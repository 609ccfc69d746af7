import { expect, it } from 'vitest'
import { deadline } from './clock.ts'

it('a deadline in a cluster’s time waits for the host too, but not for ever', async () => {
  let now = 0
  const clock = { now: () => now, rate: 30, wait: async () => {} }
  const late = deadline(clock, 40)
  now = 60_000 // its time has jumped
  expect(late()).toBe(false)
  const begun = performance.now()
  await expect.poll(late).toBe(true)
  expect(performance.now() - begun).toBeLessThan(10_000)
  const never = deadline(clock, 0)
  expect(never(), 'nothing to wait for').toBe(true)
})
