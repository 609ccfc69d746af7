// Which parts of which proofs a test run plays when there is no time for all of them. Knows nothing of clusters.
import { belongs, conditionOf, type Scenario, type Step, stepOf } from '#lib/scenario/index.ts'
import { type Task, tasksOf } from './play.ts'

/** `each`: one variant of every scenario. `cover`: as few variants as use every kind of step and condition that the catalogue uses. */
export type SampleKind = 'each' | 'cover'
/** Tasks by `slug/variant`. */
export type Sample = ReadonlyMap<string, readonly Task[]>

export const variantId = (scenario: Scenario, variant: string): string => `${scenario.slug}/${variant}`

/** A number that stays while what the scenario plays stays: samples move with the content and not with the day. */
const turn = (scenario: Scenario, modulus: number): number => Number.parseInt(scenario.hash.slice(0, 8), 16) % modulus

/** The untouched fault (and the reset after it), the solution once, and one cheat. */
function partsOf(scenario: Scenario, variant: string): Task[] {
  const all = tasksOf(scenario, variant)
  const cheats = all.filter((task) => task.kind === 'cheat')
  return [
    ...all.filter((task) => task.kind === 'injected'),
    ...all.filter((task) => task.kind === 'solution').slice(0, 1),
    ...cheats.slice(turn(scenario, Math.max(1, cheats.length))).slice(0, 1),
  ]
}

/** What of the engine a variant uses: kinds of steps with their way of changing, kinds of conditions. */
export function usesOf(scenario: Scenario, variant: string): Set<string> {
  const uses = new Set<string>()
  const mine = <T extends { only?: string[] | undefined }>(list: readonly T[]) => list.filter((one) => belongs(one, variant))
  const condition = (one: Parameters<typeof conditionOf>[0]) => uses.add(`condition ${conditionOf(one).kind}`)
  const step = (one: Step) => {
    const { kind, body } = stepOf(one)
    if (kind === 'wait') return void condition(body)
    const way =
      kind === 'unit'
        ? body.action
        : kind === 'patch'
          ? body.type
          : kind === 'file'
            ? (['content', 'copy', 'replace', 'remove', 'moveTo'] as const).find((name) => body[name] !== undefined)
            : undefined
    uses.add(`step ${kind}${way === undefined ? '' : ` ${way}`}`)
  }
  for (const one of mine([...scenario.spec.prepare, ...scenario.spec.fault])) step(one)
  for (const one of mine([...scenario.spec.symptom, ...scenario.spec.checks])) condition(one)
  return uses
}

/** The parts of a sample; for `cover` a greedy set cover, the cheaper in minutes first among equals. */
export function sampleOf(scenarios: readonly Scenario[], kind: SampleKind): Sample {
  const chosen = (list: readonly { scenario: Scenario; variant: string }[]): Sample =>
    new Map(list.map(({ scenario, variant }) => [variantId(scenario, variant), partsOf(scenario, variant)]))
  if (kind === 'each')
    return chosen(
      scenarios.map((scenario) => {
        const { variants } = scenario.spec
        return { scenario, variant: variants[turn(scenario, variants.length)]!.name }
      }),
    )
  const candidates = scenarios.flatMap((scenario) =>
    scenario.spec.variants.map(({ name: variant }) => ({ scenario, variant, uses: usesOf(scenario, variant) })),
  )
  const missing = new Set(candidates.flatMap(({ uses }) => [...uses]))
  const cover: typeof candidates = []
  while (missing.size > 0) {
    const gain = ({ uses }: (typeof candidates)[number]) => [...uses].filter((use) => missing.has(use)).length
    const best = candidates.toSorted((one, other) => gain(other) - gain(one) || one.scenario.spec.minutes - other.scenario.spec.minutes)[0]!
    cover.push(best)
    for (const use of best.uses) missing.delete(use)
  }
  return chosen(cover)
}
