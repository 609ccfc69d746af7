// A verdict given again, after checks were mended, on what was recorded when the lab was graded. A check that is as it was keeps its verdict;
// one that was mended is asked of the record. Knows nothing of clusters that live, of sessions or of classes.
//
// Only what was seen last can be asked again, not how long it held: a check that holds in the record passes. One that asks for what was not
// recorded cannot be regraded, and then nothing of the lab is.
import { isDeepStrictEqual } from 'node:util'
import type { CheckReport, Text } from '#lib/protocol/index.ts'
import { type Check, conditionOf } from '#lib/scenario/index.ts'
import { type EvidenceRecord, replaying } from './evidence.ts'
import { type Grade, tally } from './grade.ts'
import { CannotLook, observe } from './observe.ts'
import { say } from './words.ts'

export type Regraded = { grade: Grade } | { impossible: Text }

/**
 * @param before the verdicts that were given
 * @param checks as they are now, with the parameters of the same lab
 */
export async function regrade(record: EvidenceRecord, before: readonly CheckReport[], checks: readonly Check[]): Promise<Regraded> {
  const eyes = replaying(record)
  const reports: CheckReport[] = []
  for (const check of checks) {
    const known = record.checks.find(({ id }) => id === check.id)
    const verdict = before.find(({ id }) => id === check.id)
    const words = { role: check.role, title: check.title, weight: check.weight, why: check.why }
    if (
      known !== undefined &&
      verdict !== undefined &&
      known.hold === check.hold &&
      isDeepStrictEqual(conditionOf(known), conditionOf(check))
    ) {
      reports.push({ ...verdict, ...words })
      continue
    }
    try {
      const seen = await observe(conditionOf(check), eyes)
      reports.push({
        id: check.id,
        ...words,
        verdict: seen.holds ? 'pass' : 'fail',
        expected: seen.expected,
        actual: seen.actual,
        evidence: seen.evidence,
        seconds: 0,
      })
    } catch (thrown) {
      if (!(thrown instanceof CannotLook)) throw thrown
      return {
        impossible: say(
          `The check “${check.title.en}” cannot be asked again: ${thrown.message}.`,
          `검사 "${check.title.ko}"은(는) 다시 확인할 수 없습니다. 기록되지 않은 것을 묻습니다: ${thrown.message}`,
        ),
      }
    }
  }
  return { grade: tally(reports) }
}
