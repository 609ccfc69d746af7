// The score and the clock at their door.
import { expect, test } from 'vitest'
import type { DrillSummary } from '#lib/protocol/index.ts'
import { covered, type Graded, median, progressOf, readClock, scoreOf } from './index.ts'

const graded = (domain: Graded['domain'], weight: number, score: number | null, evaluated = 1): Graded => ({
  domain,
  weight,
  score,
  evaluated,
})

test('partial credit by weight, and by domain against the pass mark', () => {
  const result = scoreOf([graded('troubleshooting', 30, 100), graded('troubleshooting', 30, 50), graded('storage', 40, 60)], 66)
  expect(result).toMatchObject({ score: 69, passed: true, leftOut: 0 })
  expect(result.domains).toEqual([
    { domain: 'troubleshooting', share: 60, tasks: 2, score: 75, leftOut: 0 },
    { domain: 'storage', share: 40, tasks: 1, score: 60, leftOut: 0 },
  ])
})

test('what could not be evaluated is left out of the total, wholly or in part, and counts neither for nor against', () => {
  expect(scoreOf([graded('storage', 50, 80), graded('workloads', 50, null)], 66)).toMatchObject({
    score: 80,
    passed: true,
    leftOut: 50,
    domains: [
      { domain: 'workloads', score: null, leftOut: 50 },
      { domain: 'storage', score: 80, leftOut: 0 },
    ],
  })
  // Half of one task: of 75 points 25 and 0 of 50 were won.
  expect(scoreOf([graded('storage', 50, 100, 0.5), graded('workloads', 50, 0)], 66)).toMatchObject({
    score: 33.3,
    passed: false,
    leftOut: 25,
  })
  expect(scoreOf([graded('storage', 100, null)], 66)).toMatchObject({ score: null, passed: null, leftOut: 100 })
  expect(scoreOf([], 66)).toMatchObject({ score: null, passed: null, domains: [] })
})

test('a score is never rounded up to the pass mark, and thirds that add up to it pass', () => {
  expect(scoreOf([graded('storage', 100, 65.99)], 66)).toMatchObject({ score: 65.9, passed: false })
  const third = 100 / 3
  expect(scoreOf([graded('storage', third, 99), graded('storage', third, 66), graded('storage', third, 33)], 66)).toMatchObject({
    score: 66,
    passed: true,
  })
})

test('over all drills: best and median, by domain too; one of which nothing could be evaluated counts nowhere', () => {
  const drill = (score: number | null): DrillSummary => ({
    id: 'd',
    name: { en: '', ko: '' },
    mode: 'exam',
    backend: 'fake',
    state: 'ended',
    createdAt: 0,
    tasks: 1,
    minutes: 20,
    passMark: 66,
    spentMs: 0,
    result: scoreOf([graded('storage', 100, score)], 66),
    imported: false,
  })
  const tasks = [4, 1, 9, 100].map((minutes, index) => ({
    domain: index === 1 ? ('storage' as const) : ('workloads' as const),
    spentMs: minutes * 60_000,
    minutes: 10,
  }))
  expect(progressOf([drill(50), drill(90), drill(70), drill(null), { ...drill(1), result: null }], tasks)).toMatchObject({
    attempts: 3,
    passed: 2,
    best: 90,
    median: 70,
    taskMs: 6.5 * 60_000,
    pace: 65,
  })
  expect(progressOf([drill(50)], tasks).domains.map(({ pace }) => pace)).toEqual([null, null, null, 90, 10])
  expect(progressOf([drill(50)], []).domains.at(-1)).toEqual({ domain: 'storage', attempts: 1, best: 50, median: 50, pace: null })
  expect(median([])).toBeNull()
})

const minute = 60_000
test('the clock: start and minutes, and what outages took, counted once where they overlap', () => {
  const times = {
    startedAt: 0,
    minutes: 20,
    outages: [
      { from: -5 * minute, to: minute },
      { from: 2 * minute, to: 4 * minute },
      { from: 3 * minute, to: 5 * minute },
    ],
  }
  expect(readClock(times, 6 * minute)).toEqual({
    endsAt: 24 * minute,
    leftMs: 18 * minute,
    givenBackMs: 4 * minute,
    stopped: false,
    alert: null,
    over: false,
  })
  expect(readClock(times, 24 * minute - 1).over).toBe(false)
  expect(readClock(times, 24 * minute)).toMatchObject({ leftMs: 0, over: true })
})

test('an outage that begins when time is up changes nothing any more', () => {
  const times = {
    startedAt: 0,
    minutes: 20,
    outages: [
      { from: 10 * minute, to: 12 * minute },
      { from: 22 * minute, to: null },
    ],
  }
  expect(readClock(times, 90 * minute)).toMatchObject({ endsAt: 22 * minute, givenBackMs: 2 * minute, over: true })
})

test('while an outage lasts no time passes, however long', () => {
  const times = { startedAt: 0, minutes: 20, outages: [{ from: 19 * minute, to: null }] }
  for (const now of [19, 25, 600]) expect(readClock(times, now * minute)).toMatchObject({ leftMs: minute, stopped: true, over: false })
})

test('alerts at 30, 15 and 5 minutes, and none that the drill is too short for', () => {
  const at = (minutes: number, left: number) => readClock({ startedAt: 0, minutes, outages: [] }, (minutes - left) * minute).alert
  expect([31, 30, 16, 15, 6, 5, 0].map((left) => at(120, left))).toEqual([null, 30, 30, 15, 15, 5, 5])
  expect([20, 16, 15, 5].map((left) => at(20, left))).toEqual([null, null, 15, 5])
  expect(at(5, 1)).toBeNull()
})

test('without a clock, and before the first lab, nothing ends', () => {
  expect(readClock({ startedAt: 0, minutes: null, outages: [] }, 1e12)).toMatchObject({ endsAt: null, leftMs: null, over: false })
  expect(readClock({ startedAt: null, minutes: 20, outages: [] }, 1e12)).toMatchObject({ endsAt: null, leftMs: 20 * minute, over: false })
  expect(covered([{ from: 5, to: 3 }], 0, 10)).toBe(0)
})
