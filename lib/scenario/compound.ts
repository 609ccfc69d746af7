// Makes one scenario of two: parameters renamed apart, steps one after the other, checks of both with their shares of the score, and the
// scripts of the proof from those of the two. Knows nothing of folders.
import type { Text } from '#lib/protocol/index.ts'
import type { Scenario } from './load.ts'
import { constantCase, mapTexts, replaceReferences } from './params.ts'
import { type Part, plays } from './parts.ts'
import { inlined } from './resolve.ts'
import { belongs, type Check, type CompoundSpec, type Condition, type ScenarioSpec, type Step } from './schema.ts'

const ordinals = ['first', 'second'] as const
const upper = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

/** A member under names of its own: `${ns}` of the first becomes `${firstNs}`, the check `answers` becomes `first-answers`. */
function renamed(scenario: Scenario, variant: string, share: number, ordinal: (typeof ordinals)[number]) {
  const { spec } = scenario
  const name = (param: string) => `${ordinal}${upper(param)}`
  const text = (value: string): string =>
    replaceReferences(value, '$${', (inner, whole) => {
      if (inner === 'variant') return variant
      const [head = '', ...rest] = inner.split('.')
      return head in spec.params && (rest.length === 0 || inner === `${head}.name`) ? `\${${[name(head), ...rest].join('.')}}` : whole
    })
  const mine = <T extends { only?: string[] | undefined }>(list: readonly T[]): T[] =>
    list.filter((one) => belongs(one, variant)).map(({ only: _, ...one }) => mapTexts(one, text) as T)
  const steps = (list: readonly Step[]): Step[] => mine(inlined(list, scenario.folder))
  const chosen = spec.variants.find((one) => one.name === variant)?.params ?? {}
  const params: ScenarioSpec['params'] = Object.fromEntries(
    Object.entries(spec.params).map(([param, source]) => [name(param), param in chosen ? { value: chosen[param] } : source]),
  )
  /** The script as it stands, in a shell of its own that sees its parameters under the names that it knows. */
  const script = ({ script }: Part): string =>
    [
      '(',
      ...Object.keys(spec.params).map((param) => `export ${constantCase(param)}="$${constantCase(name(param))}"`),
      ...Object.entries(spec.params)
        .filter(([, source]) => source.node)
        .map(([param]) => `export ${constantCase(param)}_NAME="$${constantCase(name(param))}_NAME"`),
      `export VARIANT=${variant}`,
      script.split('\n').slice(1).join('\n').trim(),
      ')',
    ].join('\n')
  const of = (kind: Part['kind']): string[] => scenario.parts.filter((part) => part.kind === kind && plays(part, variant)).map(script)
  return {
    spec,
    params,
    prepare: steps(spec.prepare),
    fault: steps(spec.fault),
    symptom: mine<Condition>(spec.symptom),
    checks: mine<Check>(spec.checks).map((check) => ({
      ...check,
      id: `${ordinal}-${check.id}`.slice(0, 41),
      weight: (check.weight * share) / 100,
    })),
    explanation: { en: text(scenario.explanation.en), ko: text(scenario.explanation.ko) } satisfies Text,
    title: { en: text(spec.title.en), ko: text(spec.title.ko) } satisfies Text,
    share,
    of,
  }
}

/** Names that the first may draw are not drawn by the second: two applications in one namespace would be one. */
function apart(first: ScenarioSpec['params'], second: ScenarioSpec['params']): ScenarioSpec['params'] {
  const taken = new Set(Object.values(first).flatMap((param) => param.pick ?? []))
  return Object.fromEntries(
    Object.entries(second).map(([name, param]) => {
      const left = param.pick?.filter((value) => typeof value === 'number' || !taken.has(value)) ?? []
      return [name, left.length > 0 ? { ...param, pick: left } : param]
    }),
  )
}

/** `harmless` asks the same of the whole cluster, whoever asks: once, with all that any member allows. */
function onceHarmless(checks: readonly Check[]): Check[] {
  const allow = checks.flatMap((check) => check.harmless?.allow ?? [])
  const first = checks.find((check) => check.harmless !== undefined)
  return checks.flatMap((check) => {
    if (check.harmless === undefined) return [check]
    return check === first ? [{ ...check, harmless: { allow } }] : []
  })
}

/** @param members in the order of `compound.combines`, each an incident that has the variant named there */
export function combine(
  compound: CompoundSpec,
  members: readonly Scenario[],
): Pick<Scenario, 'spec' | 'explanation' | 'solution' | 'parts'> {
  const [a, b] = members.map((scenario, index) => {
    const { share, variant } = compound.combines[index]!
    return renamed(scenario, variant, share, ordinals[index]!)
  }) as [ReturnType<typeof renamed>, ReturnType<typeof renamed>]
  const { combines: _, ...own } = compound
  const spec: ScenarioSpec = {
    ...own,
    kind: 'incident',
    needs: {
      workers: Math.max(a.spec.needs.workers, b.spec.needs.workers),
      capabilities: [...new Set([...a.spec.needs.capabilities, ...b.spec.needs.capabilities])],
    },
    docs: [...new Set([...a.spec.docs, ...b.spec.docs])],
    params: { ...a.params, ...apart(a.params, b.params) },
    variants: [{ name: 'default', params: {} }],
    prepare: [...a.prepare, ...b.prepare],
    fault: [...a.fault, ...b.fault],
    symptom: [...a.symptom, ...b.symptom],
    symptomWithin: Math.max(a.spec.symptomWithin, b.spec.symptomWithin),
    checks: onceHarmless([...a.checks, ...b.checks]),
  }
  const part = (kind: Part['kind'], name: string, score: number, scripts: readonly (string | undefined)[]): Part[] =>
    scripts.some((one) => one === undefined)
      ? []
      : [
          {
            kind,
            name,
            file: 'compound.yaml',
            score,
            variants: [],
            script: `# score: ${score}\n${kind === 'cheat' ? '' : 'set -euo pipefail\n'}${scripts.join('\n')}\n`,
          },
        ]
  const [solutionA] = a.of('solution')
  const [solutionB] = b.of('solution')
  // Both at once: what fools one set of checks must not profit from the other's.
  const cheats = a
    .of('cheat')
    .slice(0, 2)
    .map((cheat, index, { length }) => [cheat, b.of('cheat').at(index - length)] as const)
  const parts = [
    ...part('solution', 'solution', 100, [solutionA, solutionB]),
    ...part('alternative', 'the-other-way-round', 100, [b.of('alternative')[0] ?? solutionB, a.of('alternative')[0] ?? solutionA]),
    ...part('partial', 'only-the-first', a.share, [solutionA]),
    ...part('partial', 'only-the-second', b.share, [solutionB]),
    ...cheats.flatMap((pair, index) => part('cheat', `both-${index + 1}`, 0, pair)),
  ]
  const headed = (locale: keyof Text): string =>
    [a, b]
      .map(
        ({ title, explanation }, index) =>
          `## ${index + 1}. ${title[locale]}\n\n${explanation[locale].trim().replaceAll(/^##/gm, '###')}\n`,
      )
      .join('\n')
  return {
    spec,
    explanation: { en: headed('en'), ko: headed('ko') },
    solution: [solutionA, solutionB].join('\n\n'),
    parts,
  }
}
