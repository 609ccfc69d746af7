// Draws a scenario's parameters from a seed and fills them in. Knows nothing of files or clusters; the same seed gives the same values for ever.
import { createHash } from 'node:crypto'
import { LabError } from '#lib/protocol/index.ts'
import type { Param, ScenarioSpec } from './schema.ts'

export type Values = Readonly<Record<string, string | number>>
/** A node as parameters see it: role name and real name. */
export interface NamedNode {
  readonly place: string
  readonly name: string
}

/** Uniform numbers in [0, 1) from a text: SHA-256 over the seed, the name and a counter, so that adding a parameter moves no other. */
function unit(seed: string, name: string): number {
  return createHash('sha256').update(`${seed}\n${name}`).digest().readUIntBE(0, 6) / 2 ** 48
}
const at = <T>(list: readonly T[], fraction: number): T => list[Math.floor(fraction * list.length)] as T

function draw(param: Param, name: string, seed: string, nodes: readonly NamedNode[]): string | number {
  const fraction = unit(seed, name)
  if (param.pick) return at(param.pick, fraction)
  if (param.int) return param.int.min + Math.floor(fraction * (param.int.max - param.int.min + 1))
  if (param.hex) return createHash('sha256').update(`${seed}\n${name}\nhex`).digest('hex').slice(0, param.hex)
  if (param.node) {
    const candidates = nodes.filter((node) => param.node === 'any' || node.place.startsWith('worker-'))
    if (candidates.length === 0)
      throw new LabError('scenario-invalid', `Parameter "${name}" wants a ${param.node} node, and the cluster has none.`)
    return at(candidates, fraction).place
  }
  return param.value as string | number
}

/**
 * All values for a seed: parameters in the order of their names' own draw, then the variant's, then what is always there:
 * `variant`, `nodes` (how many), `node.<place>` (its real name), and for a node parameter p also `p.name`.
 */
export function drawValues(
  spec: ScenarioSpec,
  seed: string,
  nodes: readonly NamedNode[],
  variantName?: string,
): { variant: string; values: Values } {
  const variant =
    variantName === undefined ? at(spec.variants, unit(seed, 'variant')) : spec.variants.find((one) => one.name === variantName)
  if (variant === undefined)
    throw new LabError('not-found', `There is no variant "${variantName}"; there are ${spec.variants.map((one) => one.name).join(', ')}.`)
  const values: Record<string, string | number> = {}
  for (const [name, param] of Object.entries(spec.params)) {
    const value = variant.params[name] ?? draw(param, name, seed, nodes)
    values[name] = value
    if (param.node) values[`${name}.name`] = nodes.find((node) => node.place === value)?.name ?? String(value)
  }
  values.variant = variant.name
  values.nodes = nodes.length
  for (const node of nodes) values[`node.${node.place}`] = node.name
  return { variant: variant.name, values }
}

/** `${name}`; `$${` stands for a literal `${`. */
const reference = /\$\$\{|\$\{([^}]*)\}/g

/** Names that a text refers to. */
export function referencesIn(text: string): string[] {
  return [...text.matchAll(reference)].flatMap((match) => (match[1] === undefined ? [] : [match[1]]))
}

/** The text with something else in place of its references. `literal` in place of each `$${`. */
export const replaceReferences = (text: string, literal: string, other: (name: string, whole: string) => string): string =>
  text.replace(reference, (whole: string, name: string | undefined) => (name === undefined ? literal : other(name, whole)))

/** The text with its references filled in. @throws LabError scenario-invalid on an unknown name */
export function fillText(text: string, values: Values): string {
  return replaceReferences(text, '${', (name) => {
    const value = values[name]
    if (value === undefined)
      throw new LabError('scenario-invalid', `\${${name}} is not a parameter of this scenario.`, {
        hint: `Known are ${Object.keys(values).join(', ')}; write $\${ for a literal \${.`,
      })
    return String(value)
  })
}

/** A deep copy with something else in place of every string: of keys by `key`, of values by `value`. */
export function mapTexts<T>(data: T, key: (text: string) => string, value: (text: string) => unknown = key): T {
  if (typeof data === 'string') return value(data) as T
  if (Array.isArray(data)) return data.map((item) => mapTexts(item, key, value)) as T
  if (data !== null && typeof data === 'object')
    return Object.fromEntries(Object.entries(data).map(([name, item]) => [key(name), mapTexts(item, key, value)])) as T
  return data
}

/** A deep copy with every string filled in; a string that is one reference alone keeps the value's type. */
export function fill<T>(data: T, values: Values): T {
  const filled = (text: string) => fillText(text, values)
  return mapTexts(data, filled, (text) => {
    const alone = /^\$\{([^}]*)\}$/.exec(text)?.[1]
    return (alone === undefined ? undefined : values[alone]) ?? filled(text)
  })
}

/** `webPort` → WEB_PORT, `node.worker-1` → NODE_WORKER_1 */
export const constantCase = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/[.-]/g, '_')
    .toUpperCase()

/** Values as a script's environment. */
export function environment(values: Values): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [constantCase(name), String(value)]))
}
