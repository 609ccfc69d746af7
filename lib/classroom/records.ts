// What is stored of classes beside the columns that are looked for, and the words for what cannot be done. Plain JSON. Knows nothing of how
// it is stored.
import {
  type AssignmentSettings,
  type ErrorCode,
  type GradeTask,
  type GradeView,
  LabError,
  type LatePolicy,
  type Text,
} from '#lib/protocol/index.ts'

export interface ClassBody {
  name: string
  zone: string
  retentionDays: number
}
export interface PersonBody {
  name: string
  externalId: string
  /** agreed that instructors may see recordings */
  recordings: boolean
}
export interface AssignmentBody {
  settings: AssignmentSettings
  opensAt: number
  closesAt: number | null
  late: LatePolicy
  notes: Text[]
  tasks: number
  seed: string
  /** minutes by member */
  extra: Record<string, number>
}
export interface AttemptBody {
  /** given on the board, beside what the member has more anyway */
  extraMs: number
  help: { at: number; text: string } | null
  /** hints given by hand, by task */
  hints: Record<number, number>
}
export interface GradeBody {
  className: string
  title: string
  person: { name: string; email: string; externalId: string }
  attempt: number
  drill: string
  startedAt: number
  handedInAt: number
  timedOut: boolean
  raw: number | null
  penalty: number
  passMark: number
  leftOut: number
  tasks: GradeTask[]
  history: GradeView['history']
  disputes: GradeView['disputes']
  /** recordings are gone: their time is over */
  forgotten: boolean
  /** its learner may not see it yet */
  closed?: boolean
}
export interface MessageBody {
  from: string
  kind: 'message' | 'hint' | 'extra-time'
  task: number | null
  text: Text
}

/** An error in both languages, with what to do. */
export const fail = (code: ErrorCode, message: Text, hint: Text): LabError => new LabError(code, message, { hint })
export const say = (en: string, ko: string): Text => ({ en, ko })

export const noClass = () =>
  fail(
    'not-found',
    say('There is no such class.', '그런 수업이 없습니다.'),
    say('The page of classes lists yours.', '수업 화면에 목록이 있습니다.'),
  )
export const noAssignment = () =>
  fail(
    'not-found',
    say('There is no such assignment.', '그런 과제가 없습니다.'),
    say(
      'Its instructor may have deleted it; the page of assignments lists what is due.',
      '강사가 삭제했을 수 있습니다. 과제 화면에서 해야 할 일을 확인하십시오.',
    ),
  )
export const noGrade = () =>
  fail(
    'not-found',
    say('There is no such grade.', '그런 성적이 없습니다.'),
    say('The page of assignments lists yours.', '과제 화면에 목록이 있습니다.'),
  )
export const tooMany = (what: Text, most: number) =>
  fail(
    'conflict',
    say(`${what.en}: ${most} is the most.`, `${what.ko}: ${most}개까지 만들 수 있습니다.`),
    say('Remove what is no longer needed first.', '필요 없는 것을 먼저 지우십시오.'),
  )
