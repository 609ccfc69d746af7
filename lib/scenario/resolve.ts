// A scenario for one seed and one cluster: variant chosen, parameters filled in everywhere. Plain data from here on.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Text } from '#lib/protocol/index.ts'
import type { Scenario } from './load.ts'
import { drawValues, environment, fill, fillText, type NamedNode, type Values } from './params.ts'
import { belongs, type Check, type Condition, type Step } from './schema.ts'

export interface ResolvedScenario {
  readonly id: string
  readonly slug: string
  readonly seed: string
  readonly variant: string
  readonly values: Values
  /** for scripts */
  readonly env: Readonly<Record<string, string>>
  readonly title: Text
  readonly brief: Text
  readonly explanation: Text
  readonly hints: readonly Text[]
  readonly solution: string
  readonly prepare: readonly Step[]
  readonly fault: readonly Step[]
  readonly symptom: readonly Condition[]
  readonly symptomWithin: number
  readonly checks: readonly Check[]
}

const both = (text: Text, values: Values): Text => ({ en: fillText(text.en, values), ko: fillText(text.ko, values) })

/** A script as a learner would have typed it: its parameters' values in place of the variables that the proof sets. */
const spoken = (script: string, env: Readonly<Record<string, string>>): string =>
  script.replace(
    /"\$([A-Z_][A-Z0-9_]*)"|\$\{([A-Z_][A-Z0-9_]*)\}|\$([A-Z_][A-Z0-9_]*)/g,
    (whole, ...names: (string | undefined)[]) => env[names.slice(0, 3).find((name) => name !== undefined) ?? ''] ?? whole,
  )

/** Steps with the texts of the folder's files in place of their names. */
export function inlined(steps: readonly Step[], folder: string): Step[] {
  const read = (manifest: string | { file: string }) =>
    typeof manifest === 'string' ? manifest : readFileSync(join(folder, manifest.file), 'utf8')
  return steps.map((one) => ({
    ...one,
    ...(one.apply === undefined ? {} : { apply: read(one.apply) }),
    ...(one.file?.content === undefined ? {} : { file: { ...one.file, content: read(one.file.content) } }),
  }))
}

/**
 * Draws and fills in. Manifests that a step names by file are read from the scenario's folder and become inline.
 * @param options.variant in place of the one that the seed would draw
 * @throws LabError scenario-invalid, not-found (an unknown variant)
 */
export function resolve(scenario: Scenario, options: { seed: string; nodes: readonly NamedNode[]; variant?: string }): ResolvedScenario {
  const { variant, values } = drawValues(scenario.spec, options.seed, options.nodes, options.variant)
  const pick = <T extends { only?: string[] | undefined }>(list: readonly T[]): T[] =>
    fill(
      list.filter((one) => belongs(one, variant)),
      values,
    )
  const spec = scenario.spec
  return {
    id: scenario.id,
    slug: scenario.slug,
    seed: options.seed,
    variant,
    values,
    env: environment(values),
    title: both(spec.title, values),
    brief: both(scenario.brief, values),
    explanation: both(scenario.explanation, values),
    hints: spec.hints.map((hint) => both(hint, values)),
    solution: spoken(scenario.solution, environment(values)),
    prepare: pick(inlined(spec.prepare, scenario.folder)),
    fault: pick(inlined(spec.fault, scenario.folder)),
    symptom: pick(spec.symptom),
    symptomWithin: spec.symptomWithin,
    checks: pick(spec.checks),
  }
}
