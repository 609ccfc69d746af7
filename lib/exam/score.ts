// The score of a drill out of its tasks' verdicts. Pure. What could not be evaluated is left out of the total, a part of a task as well
// as a whole one, and said. Knows nothing of how a task was graded.
import { type Domain, type DrillProgress, type DrillResult, type DrillSummary, domain } from '#lib/protocol/index.ts'

export interface Graded {
  domain: Domain
  /** percent of the drill */
  weight: number
  /** 0…100 of what could be evaluated; null: nothing could */
  score: number | null
  /** 0…1 of it that could be evaluated */
  evaluated: number
}

/** To a tenth, never up: 65.97 is not to be read as a 66 that was reached. */
const tenth = (value: number): number => Math.floor(value * 10 + 1e-6) / 10

function sum(tasks: readonly Graded[]): { score: number | null; leftOut: number } {
  const total = tasks.reduce((all, { weight }) => all + weight, 0)
  const counted = tasks.reduce((all, { weight, score, evaluated }) => all + (score === null ? 0 : weight * evaluated), 0)
  const won = tasks.reduce((all, { weight, score, evaluated }) => all + (score === null ? 0 : (weight * evaluated * score) / 100), 0)
  return { score: counted <= 0 ? null : (100 * won) / counted, leftOut: total <= 0 ? 0 : total - counted }
}

export function scoreOf(tasks: readonly Graded[], passMark: number): DrillResult {
  const { score, leftOut } = sum(tasks)
  return {
    score: score === null ? null : tenth(score),
    passed: score === null ? null : score + 1e-6 >= passMark,
    leftOut: tenth(leftOut),
    domains: domain.options
      .map((name) => ({ name, mine: tasks.filter((one) => one.domain === name) }))
      .filter(({ mine }) => mine.length > 0)
      .map(({ name, mine }) => {
        const part = sum(mine)
        return {
          domain: name,
          share: mine.reduce((all, { weight }) => all + weight, 0),
          tasks: mine.length,
          score: part.score === null ? null : tenth(part.score),
          leftOut: tenth(part.leftOut),
        }
      }),
  }
}

export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
const best = (values: readonly number[]): number | null => (values.length === 0 ? null : Math.max(...values))

/** A task that was opened: milliseconds it was, and the minutes that were meant for it. */
export interface Pace {
  domain: Domain
  spentMs: number
  minutes: number
}
const paceOf = (tasks: readonly Pace[]): number | null => {
  const middle = median(tasks.map(({ minutes, spentMs }) => (100 * spentMs) / (minutes * 60_000)))
  return middle === null ? null : Math.round(middle)
}

/** Over drills that were graded; one of which nothing could be evaluated counts nowhere. `tasks`: those that were opened. */
export function progressOf(drills: readonly DrillSummary[], tasks: readonly Pace[]): DrillProgress {
  const results = drills.flatMap(({ result }) => (result?.score == null ? [] : [result]))
  const scores = results.map(({ score }) => score!)
  return {
    attempts: results.length,
    passed: results.filter(({ passed }) => passed).length,
    best: best(scores),
    median: median(scores),
    taskMs: median(tasks.map(({ spentMs }) => spentMs)),
    pace: paceOf(tasks),
    domains: domain.options.map((name) => {
      const mine = results.flatMap(({ domains }) =>
        domains.filter((one) => one.domain === name && one.score !== null).map((one) => one.score!),
      )
      return {
        domain: name,
        attempts: mine.length,
        best: best(mine),
        median: median(mine),
        pace: paceOf(tasks.filter((task) => task.domain === name)),
      }
    }),
  }
}
