import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { graderVersion } from '#lib/grade/index.ts'
import { loadCatalogue, proofOf } from '#lib/scenario/index.ts'
import { sampleOf, usesOf } from './sample.ts'

const { scenarios, problems } = await loadCatalogue(fileURLToPath(new URL('../../scenarios', import.meta.url)))

describe('a sample of the proofs', () => {
  it('plays of each scenario one variant: untouched, solution, one cheat', () => {
    const sample = sampleOf(scenarios, 'each')
    expect(sample.size).toBe(scenarios.length)
    for (const tasks of sample.values()) {
      expect(tasks.filter((task) => task.kind === 'injected')).toHaveLength(1)
      expect(tasks.filter((task) => task.kind === 'solution')).toHaveLength(1)
      expect(tasks.length).toBeLessThanOrEqual(3)
    }
  })
  it('covers every kind of step and condition that is used', () => {
    const all = new Set<string>()
    const covered = new Set<string>()
    const sample = sampleOf(scenarios, 'cover')
    for (const scenario of scenarios)
      for (const { name } of scenario.spec.variants)
        for (const use of usesOf(scenario, name)) {
          all.add(use)
          if (sample.has(`${scenario.slug}/${name}`)) covered.add(use)
        }
    expect([...covered].sort()).toEqual([...all].sort())
    expect(all).toContain('step edit')
    expect(all).toContain('condition dns')
  })
  it('is the same each time', () => {
    expect([...sampleOf(scenarios, 'cover').keys()]).toEqual([...sampleOf(scenarios, 'cover').keys()])
  })
})

describe('the catalogue', () => {
  it('has no problems', () => expect(problems).toEqual([]))
  // Whoever changes what a scenario plays proves it again: npm run prove -- SLUG. What has no proof is planned, and not offered.
  const recorded = scenarios.filter((scenario) => proofOf(scenario, 'kind') !== null).map(({ slug }) => slug)
  it('has scenarios with a proof on kind', () =>
    expect(recorded).toEqual(expect.arrayContaining(['cni-deleted', 'coredns-loop', 'kube-proxy-kubeconfig'])))
  it.each(recorded)('%s is what its recorded proof on kind played', (slug) => {
    const scenario = scenarios.find((one) => one.slug === slug)!
    const proof = proofOf(scenario, 'kind')!
    expect(proof.key).toMatchObject({ scenario: scenario.hash, grader: graderVersion })
    expect(proof.variants.map(({ variant, proven }) => ({ variant, proven }))).toEqual(
      scenario.spec.variants.map(({ name }) => ({ variant: name, proven: true })),
    )
  })
})
