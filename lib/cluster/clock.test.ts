import { afterEach, expect, it, vi } from 'vitest'
import { deadline } from './clock.ts'

afterEach(() => void vi.useRealTimers())

it('a deadline in a cluster’s time waits for the host too, but not for ever', () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  let now = 0
  const clock = { now: () => now }
  const short = deadline(clock, 40)
  const long = deadline(clock, 600_000)
  const patient = deadline(clock, 6000, 1500)
  now = 600_000 // its time has jumped
  expect([short(), long(), patient()]).toEqual([false, false, false])
  vi.advanceTimersByTime(40)
  expect([short(), long(), patient()]).toEqual([true, false, false])
  vi.advanceTimersByTime(1460)
  expect([short(), long(), patient()]).toEqual([true, false, true])
  vi.advanceTimersByTime(8500)
  expect(long()).toBe(true)
  const later = deadline(clock, 1000)
  vi.advanceTimersByTime(60_000)
  expect(later(), 'the host’s time alone is not enough').toBe(false)
  expect(deadline(clock, 0)(), 'nothing to wait for').toBe(true)
})
