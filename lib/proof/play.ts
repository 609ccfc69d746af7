// Plays one part of a scenario's proof on one cluster and judges it: the same steps, in the same order, that a learner's session takes.
// Knows nothing of caching or of several clusters.
import type { Cluster } from '#lib/cluster/index.ts'
import { confirm, inject, prepare } from '#lib/fault/index.ts'
import { baselineOf, type Grade, grade, handOver } from '#lib/grade/index.ts'
import { asLabError, LabError } from '#lib/protocol/index.ts'
import { type Part, type ProofPart, plays, resolve, type Scenario } from '#lib/scenario/index.ts'

export interface Task {
  kind: ProofPart['kind']
  name: string
  seed: string
  expected: number | null
  /** bash, run in the workstation as the learner would; null: nobody touches the cluster */
  script: string | null
}
export interface PlayContext {
  signal: AbortSignal
  log: (line: string) => void
}
/** Seconds that a script of the proof may take. */
const scriptSeconds = 300

/** All parts that prove a variant. The solution is played twice, with different seeds. */
export function tasksOf(scenario: Scenario, variant: string): Task[] {
  const scripts = scenario.parts.filter((part) => plays(part, variant))
  const of = (part: Part, name: string): Task => ({
    kind: part.kind,
    name,
    seed: `${variant}-${part.kind}-${name}`,
    expected: part.score,
    script: part.script,
  })
  const solution = scripts.filter((part) => part.kind === 'solution')
  return [
    { kind: 'injected', name: 'nobody repairs it', seed: `${variant}-injected`, expected: 0, script: null },
    ...solution.flatMap((part) => [of(part, 'solution'), of(part, 'solution again')]),
    ...scripts.filter((part) => part.kind !== 'solution').map((part) => of(part, part.name)),
  ]
}

/** The learner's side of a part: the script in the workstation, with the parameters as its environment. */
async function runScript(
  cluster: Cluster,
  script: string,
  env: Readonly<Record<string, string>>,
  context: PlayContext,
): Promise<{ exitCode: number; tail: string }> {
  const lines: string[] = []
  // As an argument: on standard input, the first ssh of the script would swallow the rest of it.
  const result = await cluster.exec('workstation', ['bash', '-c', script], {
    env,
    timeoutMs: scriptSeconds * 1000,
    signal: context.signal,
    onLine: (line) => {
      lines.push(line)
      if (lines.length > 200) lines.shift()
      context.log(`    ${line}`)
    },
  })
  return { exitCode: result.exitCode, tail: lines.slice(-8).join('\n') }
}

const checksOf = (result: Grade): ProofPart['checks'] =>
  result.checks.map((check) => ({
    id: check.id,
    role: check.role,
    verdict: check.verdict,
    expected: check.expected.en,
    actual: check.actual.en,
  }))

/**
 * One part from a healthy cluster to its score. The cluster is left as the script left it.
 * @returns the part, and for `injected` also `healthy`, which comes first on the way
 * @throws LabError cancelled, docker-unavailable, capacity-exceeded: nothing was learnt about the scenario
 */
export async function play(cluster: Cluster, scenario: Scenario, variant: string, task: Task, context: PlayContext): Promise<ProofPart[]> {
  const begun = Date.now()
  const seconds = () => Math.round((Date.now() - begun) / 100) / 10
  const resolved = resolve(scenario, { seed: task.seed, nodes: cluster.nodes, variant })
  let last = ''
  const progress = (detail: string) => {
    if (detail !== last) context.log(`    ${detail.slice(0, 300)}`)
    last = detail
  }
  const step = { signal: context.signal, progress }
  const parts: ProofPart[] = []
  const healthy = (ok: boolean, problem?: string): ProofPart => ({
    kind: 'healthy',
    name: 'guards hold before the fault',
    expected: null,
    score: null,
    ok,
    seconds: seconds(),
    checks: [],
    ...(problem === undefined ? {} : { problem }),
  })
  const here = (score: number | null, ok: boolean, checks: ProofPart['checks'], problem?: string): ProofPart => ({
    kind: task.kind,
    name: task.name,
    expected: task.expected,
    score,
    ok,
    seconds: seconds(),
    checks,
    ...(problem === undefined ? {} : { problem }),
  })
  try {
    await prepare(cluster, resolved, step)
    const healthyBaseline = await baselineOf(cluster, resolved, step)
    if (task.kind === 'injected') parts.push(healthy(true))
    await inject(cluster, resolved, step)
    await confirm(cluster, resolved, step)
    const baseline = await handOver(cluster, { ...step, healthy: healthyBaseline })
    context.log(`  broken after ${seconds()} s (${JSON.stringify(resolved.values)})`)
    let failed = ''
    if (task.script !== null) {
      const { exitCode, tail } = await runScript(cluster, task.script, resolved.env, context)
      // A cheat may well fail half-way; a repair that ends with an error has not been shown to work.
      if (exitCode !== 0 && (task.kind === 'solution' || task.kind === 'alternative' || task.kind === 'partial'))
        failed = `the script ended with exit code ${exitCode}: ${tail}`
      context.log(`  script ended with ${exitCode} after ${seconds()} s`)
    }
    const result = await grade(cluster, resolved, baseline, step)
    const blind = result.checks.filter((check) => check.verdict === 'not-evaluable')
    const problems = [
      failed,
      blind.length > 0 ? `could not look at ${blind.map((check) => `${check.id} (${check.cause})`).join(', ')}` : '',
      task.expected !== null && result.score !== task.expected
        ? `scored ${result.score}, must score ${task.expected}: ${wrong(result, task.expected)}`
        : '',
    ].filter((one) => one !== '')
    parts.push(here(result.score, problems.length === 0, checksOf(result), problems.length === 0 ? undefined : problems.join('; ')))
  } catch (error) {
    const cause = asLabError(error)
    if (['cancelled', 'docker-unavailable', 'capacity-exceeded', 'backend-unavailable'].includes(cause.code)) throw cause
    if (task.kind === 'injected' && parts.length === 0) parts.push(healthy(false, cause.message))
    parts.push(here(null, false, [], cause.message))
  }
  return parts
}

/** The checks that make the difference, with what was seen. */
function wrong(result: Grade, expected: number): string {
  const culprits = result.checks.filter((check) =>
    expected === 100 ? check.verdict !== 'pass' : check.role === 'goal' ? check.verdict === 'pass' : check.verdict !== 'pass',
  )
  return (
    culprits.map((check) => `${check.id} ${check.verdict} (expected ${check.expected.en}; actual ${check.actual.en})`).join('; ') ||
    'see the checks'
  )
}

/** Puts the cluster back and says whether it came back: the part `reset`. @throws never */
export async function reset(cluster: Cluster, context: PlayContext): Promise<ProofPart> {
  const begun = Date.now()
  const part = (ok: boolean, problem?: string): ProofPart => ({
    kind: 'reset',
    name: 'the baseline comes back',
    expected: null,
    score: null,
    ok,
    seconds: Math.round((Date.now() - begun) / 100) / 10,
    checks: [],
    ...(problem === undefined ? {} : { problem }),
  })
  try {
    const before = await cluster.baseline(context.signal)
    const after = await cluster.restore(context.signal, { home: true })
    return before.hash === after.hash ? part(true) : part(false, 'the fingerprint differs from the baseline')
  } catch (error) {
    if (context.signal.aborted) throw new LabError('cancelled', 'The proof was cancelled.', { cause: error })
    return part(false, asLabError(error).message)
  }
}
