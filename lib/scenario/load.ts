// Reads scenario folders and reports every problem at once, with file and line. Knows nothing of clusters; writes nothing.
import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { parse as parseCel } from '@marcbachmann/cel-js'
import { isNode, LineCounter, parseAllDocuments, parseDocument } from 'yaml'
import type { z } from 'zod'
import { competencies, type Text } from '#lib/protocol/index.ts'
import { combine } from './compound.ts'
import { constantCase, referencesIn } from './params.ts'
import { type Part, plays, readPart } from './parts.ts'
import { belongs, type Check, compoundSpec, conditionOf, type ScenarioSpec, type Step, scenarioSpec } from './schema.ts'
import { type ProofFile, proofFile } from './trust.ts'

/** One thing that is wrong: `file` as given by the caller's root, `line` from 1, 0 when the file as a whole is meant. */
export interface Problem {
  file: string
  line: number
  message: string
}
export interface Scenario {
  /** opaque, stable: what a learner sees in addresses in place of the slug */
  readonly id: string
  readonly slug: string
  readonly folder: string
  readonly spec: ScenarioSpec
  /** slugs of the incidents that it is made of; empty when it stands for itself */
  readonly members: readonly string[]
  readonly brief: Text
  readonly explanation: Text
  /** the solution's script as shown in the report */
  readonly solution: string
  readonly parts: readonly Part[]
  /** SHA-256 over all that a proof plays: steps, conditions, parameters, scripts, files; not over the prose that people read */
  readonly hash: string
  /** the same without the scripts: what every one of them is played on */
  readonly stage: string
  /** recorded proofs by backend; one in a form of earlier times counts as none */
  readonly proofs: ReadonlyMap<string, ProofFile>
}
export interface Catalogue {
  readonly scenarios: readonly Scenario[]
  /** of scenarios that were left out, and warnings of none: whoever has a problem here is not in `scenarios` */
  readonly problems: readonly Problem[]
  byId(id: string): Scenario | undefined
  bySlug(slug: string): Scenario | undefined
}

const maxFile = 256 * 1024
const maxFiles = 200

/** The id under which a slug is seen from outside. */
export const idOf = (slug: string): string => createHash('sha256').update(`scenario ${slug}`).digest('hex').slice(0, 10)

/** All folders <dir>/<domain>/<slug> that hold a scenario.yaml or a compound.yaml. One bad scenario never takes another down. */
export async function loadCatalogue(dir: string): Promise<Catalogue> {
  const scenarios: Scenario[] = []
  const problems: Problem[] = []
  const take = (loaded: { scenario: Scenario | null; problems: Problem[] }) => {
    problems.push(...loaded.problems)
    if (!loaded.scenario || loaded.problems.length > 0) return
    const { slug, folder } = loaded.scenario
    const twin = scenarios.find((other) => other.slug === slug)
    if (!twin) return void scenarios.push(loaded.scenario)
    problems.push({
      file: relative(dir, folder),
      line: 0,
      message: `the slug "${slug}" is taken by ${relative(dir, twin.folder)}; slugs are unique over all domains`,
    })
  }
  const compounds: string[] = []
  for (const domainName of await subfolders(dir))
    for (const slug of await subfolders(join(dir, domainName))) {
      const folder = join(dir, domainName, slug)
      if (await stat(join(folder, 'compound.yaml')).catch(() => undefined)) compounds.push(folder)
      else take(await loadScenario(folder, dir))
    }
  // They are made of scenarios that stand for themselves, and not of one another.
  const members = new Map(scenarios.map((one) => [one.slug, one]))
  for (const folder of compounds) take(await loadCompound(folder, dir, members))
  return {
    scenarios,
    problems,
    byId: (id) => scenarios.find((one) => one.id === id),
    bySlug: (slug) => scenarios.find((one) => one.slug === slug),
  }
}

async function subfolders(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir, { withFileTypes: true }))
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map((entry) => entry.name)
      .sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

async function listFiles(folder: string, below = ''): Promise<string[]> {
  const names: string[] = []
  for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
    const name = below ? `${below}/${entry.name}` : entry.name
    if (entry.isDirectory()) names.push(...(await listFiles(folder, name)))
    else if (entry.isFile()) names.push(name)
    if (names.length > maxFiles) break
  }
  return names.sort()
}

/** A folder with a compound.yaml: two scenarios at once. */
async function loadCompound(
  folder: string,
  root: string,
  members: ReadonlyMap<string, Scenario>,
): Promise<{ scenario: Scenario | null; problems: Problem[] }> {
  const { slug, files, proofs, problems, report, required } = await readFolder(folder, root)
  const read = readYaml(files.get('compound.yaml') ?? '', compoundSpec, (line, message) => report('compound.yaml', line, message))
  if (read === null) return { scenario: null, problems }
  const { data, written, lineAt } = read
  data.combines.forEach(({ scenario, variant }, index) => {
    const member = members.get(scenario)
    const here = (message: string) => report('compound.yaml', lineAt(['combines', index]), message)
    if (member === undefined) here(`there is no good scenario "${scenario}"`)
    else if (member.spec.kind !== 'incident') here(`"${scenario}" is a ${member.spec.kind}; only incidents combine`)
    else if (!member.spec.variants.some(({ name }) => name === variant)) here(`"${scenario}" has no variant "${variant}"`)
  })
  const brief = { en: required('brief.md'), ko: required('brief.ko.md') }
  for (const name of files.keys())
    if (!['compound.yaml', 'brief.md', 'brief.ko.md'].includes(name))
      report(name, 0, 'has no place here: a compound is made of its members')
  if (problems.length > 0) return { scenario: null, problems }
  const combined = combine(
    data,
    data.combines.map(({ scenario }) => members.get(scenario)!),
  )
  checkSpec(combined.spec, new Map(), (path, message) => report('compound.yaml', lineAt(path), `${path.join('.')}: ${message}`))
  checkTexts(files, knownNames(combined.spec), report)
  const digest = (kind: 'hash' | 'stage') =>
    createHash('sha256')
      .update(JSON.stringify([without(written, prose), data.combines.map(({ scenario }) => members.get(scenario)![kind])]))
      .digest('hex')
  return {
    scenario: {
      id: idOf(slug),
      slug,
      folder,
      brief,
      ...combined,
      members: data.combines.map(({ scenario }) => scenario),
      hash: digest('hash'),
      stage: digest('stage'),
      proofs,
    },
    problems,
  }
}

/** The texts of a folder, its recorded proofs apart. */
async function readFolder(folder: string, root: string) {
  const problems: Problem[] = []
  const report = (file: string, line: number, message: string) => problems.push({ file: relative(root, join(folder, file)), line, message })
  const names = await listFiles(folder)
  const files = new Map<string, string>()
  const proofs = new Map<string, ProofFile>()
  for (const name of names) {
    if ((await stat(join(folder, name))).size > maxFile) {
      report(name, 0, `larger than ${maxFile / 1024} KiB; a scenario is text that people read`)
      continue
    }
    const content = await readFile(join(folder, name), 'utf8')
    const proof = /^proof\.([a-z]+)\.json$/.exec(name)
    if (!proof?.[1]) {
      files.set(name, content)
      continue
    }
    try {
      const parsed = proofFile.safeParse(JSON.parse(content))
      if (parsed.success) proofs.set(proof[1], parsed.data)
    } catch {
      report(name, 0, 'is not JSON; delete it and run `npm run prove` again')
    }
  }
  if (names.length > maxFiles) report('.', 0, `holds more than ${maxFiles} files`)
  const required = (name: string): string => {
    const content = files.get(name)
    if (content === undefined || content.trim() === '') report(name, 0, content === undefined ? 'is missing' : 'is empty')
    return content ?? ''
  }
  return { slug: folder.split('/').at(-1) as string, files, proofs, problems, report, required }
}

/** References in the texts of a folder that are no parameters. */
function checkTexts(
  files: ReadonlyMap<string, string>,
  known: (name: string) => boolean,
  report: (file: string, line: number, message: string) => void,
): void {
  for (const [name, content] of files) {
    if (!name.endsWith('.md')) continue
    content.split('\n').forEach((line, index) => {
      for (const reference of referencesIn(line))
        if (!known(reference)) report(name, index + 1, `\${${reference}} is not a parameter; write $\${ for a literal \${`)
    })
  }
}

/** One folder. `scenario` is there whenever scenario.yaml could be understood at all, also with problems. `root` is what `file` is relative to. */
export async function loadScenario(folder: string, root = folder): Promise<{ scenario: Scenario | null; problems: Problem[] }> {
  const { slug, files, proofs, problems, report, required } = await readFolder(folder, root)
  const yaml = files.get('scenario.yaml')
  if (yaml === undefined) {
    report('scenario.yaml', 0, 'is missing')
    return { scenario: null, problems }
  }
  const read = readYaml(yaml, scenarioSpec, (line, message) => report('scenario.yaml', line, message))
  if (read === null) return { scenario: null, problems }
  const { data: spec, written, lineAt } = read
  checkSpec(spec, files, (path, message) => report('scenario.yaml', lineAt(path), `${path.join('.')}: ${message}`))

  const brief = { en: required('brief.md'), ko: required('brief.ko.md') }
  const explanation = { en: required('explanation.md'), ko: required('explanation.ko.md') }
  checkTexts(files, knownNames(spec), report)
  required('solution.sh')
  const parts: Part[] = []
  for (const [name, content] of files) {
    const kind = name === 'solution.sh' ? 'solution' : /^(alternatives|cheats|partials)\/[a-z0-9-]+\.sh$/.exec(name)?.[1]?.slice(0, -1)
    if (kind === undefined) {
      if (name.endsWith('.sh') && !name.startsWith('files/'))
        report(name, 0, 'is not played by the proof: scripts are solution.sh and [a-z0-9-]+.sh in alternatives/, cheats/, partials/')
      continue
    }
    const part = readPart(kind as Part['kind'], name, content, spec, (line, message) => report(name, line, message))
    if (part) parts.push(part)
  }
  if (spec.kind === 'incident') {
    for (const variant of spec.variants)
      for (const kind of ['solution', 'alternative', 'cheat', 'partial'] as const)
        if (!parts.some((part) => part.kind === kind && plays(part, variant.name)))
          report(
            kind === 'solution' ? 'solution.sh' : `${kind}s`,
            0,
            `no ${kind} for variant "${variant.name}": the verdict is unproven without one`,
          )
  }
  const scenario: Scenario = {
    id: idOf(slug),
    slug,
    members: [],
    folder,
    spec,
    brief,
    explanation,
    solution: (files.get('solution.sh') ?? '').split('\n').slice(1).join('\n').trim(),
    parts,
    ...hashesOf(written, files),
    proofs,
  }
  return { scenario, problems }
}

/** Fields of scenario.yaml and of its checks that people read and no proof plays. */
const prose = new Set(['title', 'summary', 'domain', 'competency', 'difficulty', 'weight', 'minutes', 'docs', 'hints'])
const checkProse = new Set(['title', 'why'])
const without = (value: Record<string, unknown>, names: ReadonlySet<string>) =>
  Object.fromEntries(Object.entries(value).filter(([name]) => !names.has(name)))

/** As written and not as parsed, so that a new default in the schema moves no scenario. */
function hashesOf(written: Record<string, unknown>, files: ReadonlyMap<string, string>): { hash: string; stage: string } {
  const played = {
    ...without(written, prose),
    checks: (written.checks as Record<string, unknown>[]).map((check) => without(check, checkProse)),
  }
  const whole = createHash('sha256').update(JSON.stringify(played))
  const stage = whole.copy()
  for (const [name, content] of files) {
    if (name === 'scenario.yaml' || /^[^/]+\.md$/.test(name)) continue
    const bytes = `\0${name}\0${content.length}\0${content}`
    whole.update(bytes)
    if (name.startsWith('files/')) stage.update(bytes)
  }
  return { hash: whole.digest('hex'), stage: stage.digest('hex') }
}

/** A YAML text by its schema: every problem with its line, and where a path stands in the text. Null when it could not be understood. */
function readYaml<T>(text: string, schema: z.ZodType<T>, report: (line: number, message: string) => void) {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const lineAt = (path: readonly PropertyKey[]): number => {
    for (let length = path.length; length >= 0; length--) {
      const found = length === 0 ? document.contents : document.getIn(path.slice(0, length) as (string | number)[], true)
      if (isNode(found) && found.range) return lines.linePos(found.range[0]).line
    }
    return 1
  }
  for (const error of document.errors) report(lines.linePos(error.pos[0]).line, error.message)
  if (document.errors.length > 0) return null
  const written: Record<string, unknown> = document.toJS({ maxAliasCount: 50 })
  const parsed = schema.safeParse(written)
  if (parsed.success) return { data: parsed.data, written, lineAt }
  for (const issue of flatten(parsed.error.issues)) report(lineAt(issue.path), `${issue.path.join('.') || 'the file'}: ${issue.message}`)
  return null
}

/** zod hides what is wrong inside a union; the branch that came furthest speaks for it. */
function flatten(
  issues: readonly { code?: string; path: PropertyKey[]; message: string; errors?: unknown }[],
): { path: PropertyKey[]; message: string }[] {
  return issues.flatMap((issue) => {
    if (issue.code !== 'invalid_union' || !Array.isArray(issue.errors)) return [issue]
    const branches = (issue.errors as { code?: string; path: PropertyKey[]; message: string; errors?: unknown }[][]).map((branch) =>
      flatten(branch),
    )
    const depth = (branch: { path: PropertyKey[] }[]) => Math.max(0, ...branch.map((one) => one.path.length))
    const best = branches.sort((a, b) => depth(b) - depth(a) || a.length - b.length)[0]
    return best && depth(best) > 0
      ? best.map((one) => ({ path: [...issue.path, ...one.path], message: one.message }))
      : [{ path: issue.path, message: issue.message }]
  })
}

function knownNames(spec: ScenarioSpec): (name: string) => boolean {
  const known = new Set(['variant', 'nodes', 'node.control-plane'])
  for (let worker = 1; worker <= spec.needs.workers; worker++) known.add(`node.worker-${worker}`)
  for (const [name, param] of Object.entries(spec.params)) {
    known.add(name)
    if (param.node) known.add(`${name}.name`)
  }
  return (name) => known.has(name)
}

/** Variables that a login sets and programs read. */
const ownOfShells = new Set('HOME PATH USER LOGNAME SHELL PWD TERM LANG IFS KUBECONFIG HOSTNAME EDITOR'.split(' '))

/** What the schema cannot say: references, expressions, weights, names. */
function checkSpec(
  spec: ScenarioSpec,
  files: ReadonlyMap<string, string>,
  problem: (path: (string | number)[], message: string) => void,
): void {
  const known = knownNames(spec)
  const walk = (value: unknown, path: (string | number)[]) => {
    if (typeof value === 'string')
      for (const name of referencesIn(value))
        if (!known(name)) problem(path, `\${${name}} is not a parameter; write $\${ for a literal \${`)
    if (Array.isArray(value)) for (const [index, item] of value.entries()) walk(item, [...path, index])
    else if (value !== null && typeof value === 'object') for (const [key, item] of Object.entries(value)) walk(item, [...path, key])
  }
  walk(spec, [])
  const ofDomain: readonly string[] = competencies[spec.domain]
  if (!ofDomain.includes(spec.competency)) problem(['competency'], `belongs to another domain; ${spec.domain} has ${ofDomain.join(', ')}`)

  const expression = (text: string | undefined, path: (string | number)[]) => {
    if (text === undefined) return
    try {
      parseCel(text.replaceAll(/\$\{[^}]*\}/g, '1'))
    } catch (error) {
      problem(path, `not a CEL expression: ${(error as Error).message.split('\n')[0]}`)
    }
  }
  const regex = (text: string | undefined, path: (string | number)[]) => {
    if (text === undefined) return
    try {
      new RegExp(text.replaceAll(/\$\{[^}]*\}/g, '1'), 'mu')
    } catch (error) {
      problem(path, `not a regular expression: ${(error as Error).message}`)
    }
  }
  const inCondition = (value: Parameters<typeof conditionOf>[0], path: (string | number)[]) => {
    const { kind, body } = conditionOf(value)
    const here = [...path, kind]
    if (kind === 'resource') {
      expression(body.expect, [...here, 'expect'])
      expression(body.show, [...here, 'show'])
    }
    if (kind === 'file') {
      expression(body.yaml, [...here, 'yaml'])
      regex(body.matches, [...here, 'matches'])
    }
    if (kind === 'answer') expression(body.expect, [...here, 'expect'])
    if (kind === 'logs') regex(body.match, [...here, 'match'])
    if (kind === 'http') regex(body.body, [...here, 'body'])
  }
  const inSteps = (list: readonly Step[], name: string) =>
    list.forEach((one, index) => {
      const manifests = [
        one.apply !== undefined ? (['apply', one.apply] as const) : null,
        one.file?.content !== undefined ? (['file', one.file.content] as const) : null,
      ]
      for (const entry of manifests)
        if (entry && typeof entry[1] === 'object' && !files.has(entry[1].file))
          problem([name, index, entry[0]], `the folder holds no file "${entry[1].file}"`)
      const applied = typeof one.apply === 'object' ? files.get(one.apply.file) : one.apply
      if (applied !== undefined)
        for (const document of parseAllDocuments(applied.replaceAll(/\$\{[^}]*\}/g, '1')))
          for (const error of 'errors' in document ? document.errors : [])
            problem([name, index, 'apply'], error.message.split('\n')[0] as string)
      for (const list of [one.edit?.replace, one.file?.replace])
        for (const [at, entry] of (list ?? []).entries())
          regex(entry.find, [name, index, one.edit ? 'edit' : 'file', 'replace', at, 'find'])
      if (one.wait) inCondition(one.wait, [name, index, 'wait'])
    })
  inSteps(spec.prepare, 'prepare')
  inSteps(spec.fault, 'fault')
  for (const [index, one] of spec.symptom.entries()) inCondition(one, ['symptom', index])
  for (const [index, one] of spec.checks.entries()) inCondition(one, ['checks', index])

  const variantNames = spec.variants.map((variant) => variant.name)
  if (new Set(variantNames).size !== variantNames.length) problem(['variants'], 'two variants have the same name')
  spec.variants.forEach((variant, index) => {
    for (const name of Object.keys(variant.params))
      if (spec.params[name] === undefined) problem(['variants', index, 'params', name], 'is not a parameter of this scenario')
  })
  for (const [name, list] of Object.entries({ prepare: spec.prepare, fault: spec.fault, symptom: spec.symptom, checks: spec.checks }))
    list.forEach((one, index) => {
      for (const variant of one.only ?? [])
        if (!variantNames.includes(variant)) problem([name, index, 'only'], `there is no variant "${variant}"`)
    })
  const ids = spec.checks.map((one) => one.id)
  ids.forEach((id, index) => {
    if (ids.indexOf(id) !== index) problem(['checks', index, 'id'], `the id "${id}" is taken`)
  })
  for (const variant of variantNames) {
    const sum = goalsOf(spec.checks, variant).reduce((total, one) => total + one.weight, 0)
    if (Math.abs(sum - 100) > 1e-9) problem(['checks'], `the goals of variant "${variant}" weigh ${sum} together, not 100`)
    for (const name of ['fault', 'symptom'] as const) {
      const some = spec[name].some((one) => belongs(one, variant))
      if (spec.kind === 'incident' && !some) problem([name], `an incident needs a ${name}, and variant "${variant}" has none`)
      if (spec.kind !== 'incident' && some) problem([name], `a ${spec.kind} has no ${name}`)
    }
  }
  for (const name of Object.keys(spec.params))
    if (ownOfShells.has(constantCase(name)))
      problem(['params', name], `reaches scripts as ${constantCase(name)}, which their shell needs for itself; call it otherwise`)
  for (const [name, param] of Object.entries(spec.params))
    if (param.int && param.int.min > param.int.max) problem(['params', name, 'int'], 'min is above max')
}

const goalsOf = (checks: readonly Check[], variant: string) => checks.filter((one) => one.role === 'goal' && belongs(one, variant))
