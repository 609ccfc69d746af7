// Compares what two clusters answered to the same scripts. A difference that is known has a reason; one that is not shows its first line.
import { normalise } from './normalise.ts'
import type { Recording } from './play.ts'
import type { Script } from './script.ts'

export interface Difference {
  script: string
  command: string
  reason: string
}
/** The contract of `npm run fidelity -- --json`. */
export interface Fidelity {
  commands: number
  equal: number
  areas: { name: string; commands: number; equal: number }[]
  differences: Difference[]
}
/** Why a command is known to differ: by script and the beginning of the command. */
export interface Known {
  script: string
  command: string
  reason: string
}
export interface Pair {
  script: Script
  truth: Recording
  seen: Recording
}

/** Steps marked `setup` are not counted; the others count each, equal or not. */
export function compare(
  pairs: readonly Pair[],
  known: readonly Known[],
): Fidelity & { detail: { script: string; command: string; truth: string; seen: string }[] } {
  const areas = new Map<string, { commands: number; equal: number }>()
  const differences: Difference[] = []
  const detail: { script: string; command: string; truth: string; seen: string }[] = []
  for (const { script, truth, seen } of pairs) {
    const area = areas.get(script.area) ?? { commands: 0, equal: 0 }
    areas.set(script.area, area)
    script.steps.forEach((step, index) => {
      if (step.setup) return
      area.commands += 1
      const [a, b] = [truth, seen].map((recording) => {
        const answer = recording.answers[index]
        if (answer === undefined || answer.run !== step.run) return 'was not recorded'
        const text = (stream: string) => (step.quiet ? '' : normalise(stream, recording.facts, step))
        return `${text(answer.stdout)}\n── errors\n${text(answer.stderr)}\n── exit code ${answer.exitCode}`
      }) as [string, string]
      if (a === b) {
        area.equal += 1
        return
      }
      const reason = known.find((one) => one.script === script.name && step.run.startsWith(one.command))?.reason
      differences.push({ script: script.name, command: step.run, reason: reason ?? `unexplained: ${firstDifference(a, b)}` })
      detail.push({ script: script.name, command: step.run, truth: a, seen: b })
    })
  }
  const list = [...areas].map(([name, area]) => ({ name, ...area })).sort((a, b) => a.name.localeCompare(b.name))
  return {
    commands: list.reduce((sum, area) => sum + area.commands, 0),
    equal: list.reduce((sum, area) => sum + area.equal, 0),
    areas: list,
    differences,
    detail,
  }
}

function firstDifference(truth: string, seen: string): string {
  const a = truth.split('\n')
  const b = seen.split('\n')
  const at = a.findIndex((line, index) => line !== b[index])
  const line = at < 0 ? a.length : at
  return `line ${line + 1} is ${JSON.stringify((b[line] ?? '(nothing)').slice(0, 160))}, on kind ${JSON.stringify((a[line] ?? '(nothing)').slice(0, 160))}`
}
