// The draw at its door: the same for the same, within its bounds whatever is asked, fair to the shares over many seeds.
import { expect, test } from 'vitest'
import { type Blueprint, type Difficulty, type Domain, domain, examWeights, blueprint as schema } from '#lib/protocol/index.ts'
import { type Candidate, cka, draw, mini, oneDomain, relatedIn, weakSpots } from './index.ts'

/** Small and repeatable: Park and Miller's generator. */
function dice(seed: number): (sides: number) => number {
  let state = (seed % 2147483646) + 1
  return (sides) => {
    state = (state * 48271) % 2147483647
    return state % sides
  }
}
const levels: Difficulty[] = ['easy', 'medium', 'hard']
function catalogue(counts: Partial<Record<Domain, number>>, roll = dice(1)): Candidate[] {
  return domain.options.flatMap((name) =>
    Array.from({ length: counts[name] ?? 0 }, (_, index) => ({
      id: `${name}-${index}`,
      slug: `${name}-${index}`,
      hash: `h${index}`,
      domain: name,
      difficulty: levels[roll(3)]!,
      weight: 3 + roll(8),
      members: [],
    })),
  )
}
const full = catalogue({ troubleshooting: 30, 'cluster-architecture': 20, 'services-networking': 15, workloads: 10, storage: 8 })
const rest = (seed: string, mode: Blueprint['mode'] = 'exam') => ({ seed, mode })
const shuffled = <T>(list: readonly T[], roll: (sides: number) => number): T[] => {
  const out = [...list]
  for (let at = out.length - 1; at > 0; at--) {
    const other = roll(at + 1)
    ;[out[at], out[other]] = [out[other]!, out[at]!]
  }
  return out
}

test('the CKA drill over a full catalogue: 17 tasks, each domain its share, rounded', () => {
  const { preview, tasks } = draw(cka(rest('a')), full)
  expect(tasks).toHaveLength(17)
  expect(preview.name).toEqual({ en: 'CKA drill (17 tasks, 120 min)', ko: 'CKA 모의시험 (17문제, 120분)' })
  expect(preview.notices).toEqual([])
  for (const one of preview.domains) {
    const quota = (17 * examWeights[one.domain]) / 100
    expect([Math.floor(quota), Math.ceil(quota)]).toContain(one.tasks)
    expect(one.share).toBeCloseTo(examWeights[one.domain])
  }
})

test('a draw that was written down is drawn again for ever', () => {
  const { tasks } = draw(mini(rest('kept')), full)
  expect(tasks.map(({ scenario, seed }) => [scenario, seed])).toEqual([
    ['cluster-architecture-8', 'd4117e663b3e'],
    ['services-networking-9', 'd4985db5a907'],
    ['troubleshooting-23', 'df48d5d72070'],
  ])
})

test('whatever is asked of whatever is offered: no scenario twice, no more than asked, weights of 100 in all, the same again in any order', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const roll = dice(seed)
    const offered = catalogue(
      Object.fromEntries(domain.options.map((name) => [name, roll(3) === 0 ? 0 : roll(9)])) as Record<Domain, number>,
      roll,
    )
    // Some compounds, over members anywhere.
    for (let index = roll(4); index > 0 && offered.length > 2; index--) {
      const [a, b] = shuffled(offered, roll)
      offered.push({ ...a!, id: `both-${index}`, slug: `both-${index}`, members: [a!.slug, b!.slug] })
    }
    const weights = Object.fromEntries(domain.options.map((name) => [name, roll(4) * 10])) as Blueprint['weights']
    const asked: Blueprint = {
      tasks: 1 + roll(25),
      minutes: 5 + roll(200),
      passMark: 66,
      weights: domain.options.some((name) => weights[name] > 0) ? weights : examWeights,
      difficulties: roll(2) === 0 ? null : { easy: roll(3), medium: roll(3), hard: 1 + roll(3) },
      domains: roll(3) === 0 ? domain.options.slice(roll(3), 4) : null,
      only: roll(4) === 0 && offered.length > 0 ? offered.slice(0, 1 + roll(offered.length)).map(({ id }) => id) : null,
      ...rest(`seed-${seed}`),
    }
    expect(() => schema.parse(asked)).not.toThrow()
    const { preview, tasks } = draw(asked, offered)
    expect(draw(asked, shuffled(offered, roll))).toEqual({ preview, tasks })
    expect(new Set(tasks.map(({ scenario }) => scenario)).size).toBe(tasks.length)
    expect(tasks.length).toBeLessThanOrEqual(asked.tasks)
    expect(preview.tasks).toBe(tasks.length)
    expect(preview.domains.reduce((sum, one) => sum + one.tasks, 0)).toBe(tasks.length)
    const byId = new Map(offered.map((one) => [one.id, one]))
    const related = relatedIn(offered)
    for (const { domain: name, scenario, seed: own, weight } of tasks) {
      const found = byId.get(scenario)!
      expect(found.domain).toBe(name)
      expect(asked.weights[name]).toBeGreaterThan(0)
      expect(asked.domains?.includes(name) ?? true).toBe(true)
      expect(asked.only?.includes(scenario) ?? true).toBe(true)
      expect(asked.difficulties?.[found.difficulty] ?? 1).toBeGreaterThan(0)
      expect(own).toMatch(/^[a-f0-9]{12}$/)
      expect(weight).toBeGreaterThan(0)
      for (const other of tasks) expect(related(found, byId.get(other.scenario)!)).toBe(false)
    }
    if (tasks.length > 0) expect(tasks.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(100)
    if (tasks.length < asked.tasks) {
      expect(preview.notices.some(({ en, ko }) => en.includes(`instead of ${asked.tasks}`) && ko.includes(`${asked.tasks}문제 대신`))).toBe(
        true,
      )
      // Nothing that fits was left lying.
      const chosen = tasks.map(({ scenario }) => byId.get(scenario)!)
      const more = offered.filter(
        (one) =>
          !chosen.includes(one) &&
          asked.weights[one.domain] > 0 &&
          (asked.domains?.includes(one.domain) ?? true) &&
          (asked.only?.includes(one.id) ?? true) &&
          (asked.difficulties?.[one.difficulty] ?? 1) > 0 &&
          !chosen.some((other) => related(one, other)),
      )
      expect(more).toEqual([])
    }
  }
})

test('over many seeds a short drill is of every domain, as often as its share says', () => {
  const seen = new Map<Domain, number>()
  const draws = 600
  for (let index = 0; index < draws; index++)
    for (const task of draw(mini(rest(`many-${index}`)), full).tasks) seen.set(task.domain, (seen.get(task.domain) ?? 0) + 1)
  for (const name of domain.options) expect(Math.abs((100 * (seen.get(name) ?? 0)) / (3 * draws) - examWeights[name])).toBeLessThan(3)
})

test('another seed, another text of a scenario: another draw; mode and pass mark: the same', () => {
  const of = (change: Partial<Blueprint>, offered = full) => draw({ ...cka(rest('a')), ...change }, offered).tasks
  expect(of({ seed: 'b' })).not.toEqual(of({}))
  expect(of({ mode: 'practice', passMark: 50 })).toEqual(of({}))
  const [first] = of({})
  const moved = full.map((one) => (one.id === first!.scenario ? { ...one, hash: 'moved' } : one))
  expect(of({}, moved).find((one) => one.scenario === first!.scenario)?.seed).not.toBe(first!.seed)
})

test('what the catalogue lacks is said in both languages, its share goes to the others, and the name says what it is', () => {
  const { preview, tasks } = draw(
    cka(rest('a')),
    catalogue({ troubleshooting: 20, 'cluster-architecture': 10, 'services-networking': 8, workloads: 6 }),
  )
  expect(tasks).toHaveLength(17)
  expect(preview.name.en).toBe('CKA drill without Storage (17 tasks, 120 min)')
  expect(preview.name.ko).toBe('CKA 모의시험, 스토리지 제외 (17문제, 120분)')
  expect(preview.notices).toEqual([{ en: expect.stringContaining('Storage'), ko: expect.stringContaining('스토리지') }])
  expect(preview.domains.find((one) => one.domain === 'troubleshooting')?.share).toBeCloseTo((100 * 30) / 90)
  expect(preview.domains.find((one) => one.domain === 'storage')).toMatchObject({ share: 0, tasks: 0, offered: 0 })
})

test('fewer than asked for is fewer, said, and called shortened', () => {
  const { preview, tasks } = draw(
    cka(rest('a')),
    catalogue({ troubleshooting: 3, 'cluster-architecture': 2, 'services-networking': 2, workloads: 1, storage: 1 }),
  )
  expect(tasks).toHaveLength(9)
  expect(preview.name.en).toBe('CKA drill, shortened (9 tasks, 120 min)')
  expect(preview.notices.map(({ en }) => en).join('\n')).toContain('9 instead of 17 tasks')
  expect(preview.notices.map(({ en }) => en).join('\n')).toContain('Troubleshooting (3)')
  expect(draw(cka(rest('a')), []).tasks).toEqual([])
})

test('a domain, and what one is weak at', () => {
  expect(draw(oneDomain('storage', rest('a')), full).preview).toMatchObject({
    name: { en: 'Domain drill: Storage (5 tasks, 35 min)' },
    tasks: 5,
  })
  const bests = full.map((one, index) => ({ id: one.id, domain: one.domain, best: index % 2 === 0 ? 100 : index % 10 === 1 ? 40 : null }))
  const weak = weakSpots(bests, rest('a'))!
  expect(schema.parse(weak)).toEqual(weak)
  const drawn = draw(weak, full)
  expect(drawn.preview.name.en).toMatch(/^Weak spots/)
  for (const { scenario } of drawn.tasks) expect(bests.find(({ id }) => id === scenario)?.best).toBe(40)
  expect(
    weakSpots(
      bests.map((one) => ({ ...one, best: 100 })),
      rest('a'),
    ),
  ).toBeNull()
  // With little tried, what was never tried is a weak spot too.
  const fresh = weakSpots(
    bests.map((one) => ({ ...one, best: null })),
    rest('a'),
  )!
  expect(draw(fresh, full).tasks).toHaveLength(5)
})
