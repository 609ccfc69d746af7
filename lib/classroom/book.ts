// The gradebook as a matrix and as CSV, and what a class's attempts say of each scenario. Pure; knows grades as data.
import type { Gradebook, ItemRow, Text } from '#lib/protocol/index.ts'
import { writeCsv } from './csv.ts'

/** Of several attempts the best counts; of equals the first. */
export function counting<T extends { score: number | null; gradedAt: number }>(attempts: readonly T[]): T | null {
  return [...attempts].sort((a, b) => (b.score ?? -1) - (a.score ?? -1) || a.gradedAt - b.gradedAt)[0] ?? null
}

const words = {
  en: {
    name: 'Name',
    email: 'Email',
    id: 'ID',
    total: 'Mean',
    before: 'before regrade',
    late: 'penalty %',
    attempts: 'attempts',
    disputed: 'dispute',
  },
  ko: {
    name: '이름',
    email: '이메일',
    id: '번호',
    total: '평균',
    before: '재채점 전',
    late: '감점 %',
    attempts: '응시 횟수',
    disputed: '이의',
  },
} as const

/** One line per person; per assignment its score, and what is needed to see how it came about. */
export function bookCsv(book: Gradebook, locale: keyof Text): string {
  const w = words[locale]
  const head = [
    w.name,
    w.email,
    w.id,
    ...book.assignments.flatMap(({ title }) => [
      title,
      `${title}: ${w.before}`,
      `${title}: ${w.late}`,
      `${title}: ${w.attempts}`,
      `${title}: ${w.disputed}`,
    ]),
    w.total,
  ]
  const lines = book.people.map((person) => [
    person.name,
    person.email,
    person.externalId,
    ...book.assignments.flatMap(({ id }) => {
      const cell = book.cells.find((one) => one.person === person.key && one.assignment === id)
      return cell === undefined
        ? [null, null, null, 0, null]
        : [cell.score, cell.before, cell.penalty === 0 ? null : cell.penalty, cell.attempts, cell.dispute]
    }),
    meanOf(book, person.key),
  ])
  return writeCsv([head, ...lines])
}
/** Over the assignments that have a score for this person; null when none has. */
export function meanOf(book: Pick<Gradebook, 'cells'>, person: string): number | null {
  const scores = book.cells.flatMap((cell) => (cell.person === person && cell.score !== null ? [cell.score] : []))
  return scores.length === 0 ? null : Math.floor((10 * scores.reduce((sum, score) => sum + score, 0)) / scores.length) / 10
}

/** What one person did at one scenario. */
export interface ItemAttempt {
  scenario: string
  title: Text
  /** null: it could not be evaluated */
  score: number | null
  spentMs: number
  hints: number
  checks: readonly { id: string; title: Text; verdict: string }[]
}
const median = (values: readonly number[]): number | null => {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Per scenario, in the order of how seldom it was solved. What could not be evaluated is counted apart. */
export function itemsOf(attempts: readonly ItemAttempt[]): ItemRow[] {
  const groups = new Map<string, ItemAttempt[]>()
  for (const one of attempts) groups.set(one.scenario, [...(groups.get(one.scenario) ?? []), one])
  return [...groups.values()]
    .map((mine): ItemRow => {
      const graded = mine.filter(({ score }) => score !== null)
      const solved = graded.filter(({ score }) => score === 100)
      const failed = new Map<string, { title: Text; count: number }>()
      for (const { checks } of graded) {
        const first = checks.find(({ verdict }) => verdict === 'fail' || verdict === 'timed-out')
        if (first === undefined) continue
        const known = failed.get(first.id) ?? { title: first.title, count: 0 }
        failed.set(first.id, { ...known, count: known.count + 1 })
      }
      const [most] = [...failed.entries()].sort((a, b) => b[1].count - a[1].count || a[0].localeCompare(b[0]))
      return {
        scenario: mine[0]!.scenario,
        title: mine[0]!.title,
        attempts: mine.length,
        graded: graded.length,
        solved: solved.length,
        medianMs: median(graded.map(({ spentMs }) => spentMs)),
        meanScore: graded.length === 0 ? null : Math.round((10 * graded.reduce((sum, { score }) => sum + score!, 0)) / graded.length) / 10,
        firstFailed: most === undefined ? null : { check: most[0], title: most[1].title, count: most[1].count },
        hints: mine.reduce((sum, one) => sum + one.hints, 0),
      }
    })
    .sort(
      (a, b) =>
        a.solved / Math.max(1, a.graded) - b.solved / Math.max(1, b.graded) || b.graded - a.graded || a.scenario.localeCompare(b.scenario),
    )
}
