// The blueprints that are offered: as the CKA, a short one, one domain, what one is weak at. Knows shares and best scores; knows
// nothing of what the catalogue holds or who is drilled.
import { type Blueprint, type Domain, domain, examWeights } from '#lib/protocol/index.ts'

type Rest = Pick<Blueprint, 'mode' | 'seed'>

/** 17 tasks in 120 minutes, 66 % to pass (training.linuxfoundation.org, CKA), domains as in the curriculum. */
export const cka = (rest: Rest): Blueprint => ({
  tasks: 17,
  minutes: 120,
  passMark: 66,
  weights: examWeights,
  difficulties: null,
  domains: null,
  only: null,
  ...rest,
})
/** Three tasks between two meetings. */
export const mini = (rest: Rest): Blueprint => ({ ...cka(rest), tasks: 3, minutes: 20 })
/** One domain at the exam's pace: 7 minutes a task. */
export const oneDomain = (name: Domain, rest: Rest): Blueprint => ({ ...cka(rest), tasks: 5, minutes: 35, domains: [name] })

/** What one has reached in a scenario. */
export interface Best {
  id: string
  domain: Domain
  /** null: never tried */
  best: number | null
}

/**
 * What is not solved yet: of each domain as much as points of the exam are still to be won there (its share times what is missing of
 * the best scores). What was tried and not solved comes alone where there is enough of it. Null when all is solved.
 */
export function weakSpots(bests: readonly Best[], rest: Rest): Blueprint | null {
  const open = bests.filter(({ best }) => (best ?? 0) < 100)
  if (open.length === 0) return null
  const tried = open.filter(({ best }) => best !== null)
  const only = tried.length >= 5 ? tried : open
  const weights = Object.fromEntries(
    domain.options.map((name) => {
      const all = bests.filter((one) => one.domain === name)
      const missing = only.filter((one) => one.domain === name).reduce((sum, { best }) => sum + 100 - (best ?? 0), 0)
      return [name, all.length === 0 ? 0 : Math.round((examWeights[name] * missing) / all.length) / 100]
    }),
  ) as Blueprint['weights']
  const some = domain.options.some((name) => weights[name] > 0)
  return {
    ...cka(rest),
    tasks: 5,
    minutes: 35,
    weights: some ? weights : examWeights,
    only: only.map(({ id }) => id).sort(),
  }
}
