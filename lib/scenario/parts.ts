// Scripts of a proof as files: what they must score and for which variants. Knows nothing of what they do.
import type { ScenarioSpec } from './schema.ts'

/** A script of the proof: what it must score, and for which variants (empty: all). */
export interface Part {
  kind: 'solution' | 'alternative' | 'cheat' | 'partial'
  name: string
  file: string
  score: number
  variants: readonly string[]
  script: string
}

/** Does a part belong to a variant? */
export const plays = (part: Part, variant: string): boolean => part.variants.length === 0 || part.variants.includes(variant)

/** A script with its header; null, and the problem told, when the header is none. */
export function readPart(
  kind: Part['kind'],
  file: string,
  content: string,
  spec: ScenarioSpec,
  problem: (line: number, message: string) => void,
): Part | null {
  const header = /^# score: (\d{1,3})(?:; variants: ([a-z0-9-]+(?:, *[a-z0-9-]+)*))?$/.exec(content.split('\n', 1)[0] as string)
  if (!header) {
    problem(1, 'the first line says what the script must score: `# score: 100`, or `# score: 40; variants: a, b`')
    return null
  }
  const score = Number(header[1])
  const variants = header[2]?.split(/, */) ?? []
  for (const name of variants) if (!spec.variants.some((variant) => variant.name === name)) problem(1, `there is no variant "${name}"`)
  if (score > 100) problem(1, 'a score is 0 to 100')
  if ((kind === 'solution' || kind === 'alternative') && score !== 100)
    problem(1, `${kind === 'solution' ? 'the solution' : 'an alternative'} must score 100`)
  if (kind === 'cheat' && score !== 0) problem(1, 'a cheat must score 0; a half repair belongs in partials/')
  if (kind === 'partial' && (score === 0 || score === 100)) problem(1, 'a partial scores between 0 and 100')
  if (content.split('\n').every((line) => line.trim() === '' || line.startsWith('#'))) problem(1, 'does nothing')
  return { kind, name: (file.split('/').at(-1) as string).replace(/\.sh$/, ''), file, score, variants, script: content }
}
