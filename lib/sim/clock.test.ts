// A lab's time: at a rate, skipped, and held back where the host is too slow for it.
import { expect, it } from 'vitest'
import { SimClock } from './clock.ts'

it('runs timers in the order of their time, then of their setting, and not those that were cancelled', async () => {
  const clock = new SimClock({ start: 1000 })
  const ran: string[] = []
  clock.after(20, () => ran.push(`late ${clock.now()}`))
  clock.after(10, () => ran.push(`first ${clock.now()}`))
  clock.after(10, () => ran.push(`second ${clock.now()}`))
  clock.after(5, () => ran.push('never')).cancel()
  expect(await clock.skip(() => ran.length === 3)).toBe(true)
  expect(ran).toEqual(['first 1010', 'second 1010', 'late 1020'])
  clock.stop()
})

it('passes at its rate, from now on', async () => {
  const clock = new SimClock({ start: 0, rate: 1000 })
  await clock.sleep(5000)
  expect(clock.now()).toBeGreaterThanOrEqual(5000)
  clock.rate = 1
  const at = clock.now()
  await clock.sleep(5)
  expect(clock.now() - at).toBeLessThan(5000)
  clock.stop()
})

it('never passes a timer that has not run, however long the host was busy', async () => {
  const clock = new SimClock({ start: 0, rate: 1000 })
  let renewed = 0
  let expired = false
  const renew = () => {
    renewed = clock.now()
    if (renewed < 100_000) clock.after(10_000, renew)
  }
  const monitor = () => {
    if (clock.now() - renewed > 40_000) expired = true
    if (clock.now() < 100_000) clock.after(5000, monitor)
  }
  renew()
  monitor()
  // 200 s of the lab's time in which nothing gets its turn.
  const busy = performance.now() + 200
  while (performance.now() < busy) {}
  await clock.sleep(100_000)
  expect(expired).toBe(false)
  expect(renewed).toBeGreaterThanOrEqual(100_000)
  clock.stop()
})

it('is set back, and goes on from there', async () => {
  const clock = new SimClock({ start: 100_000 })
  clock.set(50_000)
  let ran = 0
  clock.after(10, () => {
    ran = clock.now()
  })
  await clock.skip(() => ran > 0)
  expect(ran).toBeGreaterThanOrEqual(50_010)
  expect(ran).toBeLessThan(60_000)
  clock.stop()
})

it('stands still when it is stopped, and a sleep ends with its signal', async () => {
  const clock = new SimClock()
  const abort = new AbortController()
  const asleep = clock.sleep(1e9, abort.signal)
  abort.abort()
  await asleep
  clock.stop()
  const at = clock.now()
  expect(await clock.skip(() => false)).toBe(false)
  expect(clock.now()).toBe(at)
})
