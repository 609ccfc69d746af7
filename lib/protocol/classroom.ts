// Classes, as data: rosters, assignments and their windows, the live board, grades, disputes and regrades: what requests carry and what
// pages draw. Runs in the browser too. Knows nothing of where they come from.
import { z } from 'zod'
import { blueprint, drillLimits, drillState } from './exam.ts'
import { backendName, checkLive, checkReport, domain, place, sessionMode, text } from './views.ts'

/** What a class may grow to: every number that a person can push. */
export const classLimits = {
  /** classes of one instructor that are not deleted */
  classes: 100,
  instructors: 20,
  members: 500,
  /** assignments of one class that are not deleted */
  assignments: 200,
  rosterBytes: 256 * 1024,
  rosterRows: 1000,
  scenarios: drillLimits.tasks,
  attempts: 20,
  /** minutes that one person may have more than the others, in all */
  extraMinutes: 600,
  /** characters of a message, a dispute, an answer */
  words: 2000,
  /** messages of one assignment that are kept, the newest */
  messages: 500,
  /** days for which recordings may be kept */
  retentionDays: 3650,
  /** messages or disputes that one person may write within ten minutes */
  writes: 60,
} as const

const named = z.string().trim().min(1).max(120)
const said = z.string().trim().min(1).max(classLimits.words)
/** an id that this module gives */
export const classId = z.string().regex(/^[a-f0-9]{16}$/)

// ---- rosters
export const rosterRow = z.object({
  line: z.number().int(),
  name: z.string(),
  email: z.string(),
  externalId: z.string(),
  /** the class has this address already: taken again, its name and id are replaced */
  known: z.boolean(),
})
export type RosterRow = z.infer<typeof rosterRow>
export const rosterPreview = z.object({
  rows: z.array(rosterRow),
  /** what cannot be taken, and why; the others can */
  problems: z.array(z.object({ line: z.number().int(), text: z.string(), reason: text })),
})
export type RosterPreview = z.infer<typeof rosterPreview>
/** POST /api/classes/:id/roster → 200 RosterPreview; with `apply` the good rows are taken */
export const importRoster = z.strictObject({ text: z.string().max(classLimits.rosterBytes * 2), apply: z.boolean() })

// ---- assignments
/** none: taken without an end and without a penalty, and marked as late. until: taken until then, with so much per cent off. closed: not taken. */
export const latePolicy = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('until'), at: z.number().int(), penalty: z.number().int().min(0).max(100) }),
  z.strictObject({ kind: z.literal('closed') }),
])
export type LatePolicy = z.infer<typeof latePolicy>

const local = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/, 'a date with a time, as 2026-03-29T14:30')
/** What an instructor decides. Times are local to `zone`. */
export const assignmentSettings = z.strictObject({
  title: named,
  /** scenarios by id, each once; or a drill that is drawn. `minutes`: for all of it; the mode mastery has no clock */
  what: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('scenarios'),
      scenarios: z.array(z.string().max(64)).min(1).max(classLimits.scenarios),
      mode: sessionMode,
      minutes: z.number().int().min(5).max(drillLimits.minutes),
      passMark: z.number().int().min(1).max(100),
    }),
    z.strictObject({ kind: z.literal('drill'), blueprint }),
  ]),
  zone: z.string().min(1).max(64),
  opens: local,
  closes: local.nullable(),
  late: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('none') }),
    z.strictObject({ kind: z.literal('until'), until: local, penalty: z.number().int().min(0).max(100) }),
    z.strictObject({ kind: z.literal('closed') }),
  ]),
  attempts: z.number().int().min(1).max(classLimits.attempts),
  /**
   * When a learner sees what an exam gave them: at their own hand-in, or when the window has closed for everybody. Absent: of an exam with a
   * window when it closes, of all else at the hand-in. Who teaches the class sees it at once.
   */
  results: z.enum(['hand-in', 'close']).optional(),
  /** common: everybody gets the same names, ports and variants. personal: everybody their own */
  seed: z.enum(['common', 'personal']),
  backend: backendName.nullable(),
})
export type AssignmentSettings = z.infer<typeof assignmentSettings>

/** How a person stands to an assignment. */
export const windowView = z.object({
  state: z.enum(['not-open', 'open', 'late', 'closed', 'used-up']),
  opensAt: z.number(),
  closesAt: z.number().nullable(),
  /** until when anything is taken, late or not; null: for ever */
  endsAt: z.number().nullable(),
  zone: z.string(),
  extraMinutes: z.number().int(),
  late: latePolicy,
})
export type WindowView = z.infer<typeof windowView>

/** Does the backend hold it? `room` null: it cannot tell. */
export const capacity = z.object({
  backend: backendName.nullable(),
  people: z.number().int(),
  tasks: z.number().int(),
  /** labs if everybody sits it at once */
  needed: z.number().int(),
  room: z.number().int().nullable(),
  verdict: z.enum(['fits', 'not-at-once', 'too-small', 'unknown', 'unavailable']),
  notices: z.array(text),
})
export type Capacity = z.infer<typeof capacity>

export const assignmentView = z.object({
  id: z.string(),
  classId: z.string(),
  className: z.string(),
  settings: assignmentSettings,
  opensAt: z.number(),
  closesAt: z.number().nullable(),
  late: latePolicy,
  /** what a change of the clock makes of the times that were given */
  notes: z.array(text),
  tasks: z.number().int(),
  deletedAt: z.number().nullable(),
  extra: z.array(z.object({ member: z.string(), minutes: z.number().int() })),
  running: z.number().int(),
  graded: z.number().int(),
  /** somebody has begun it: its tasks can no longer be changed */
  begun: z.boolean(),
})
export type AssignmentView = z.infer<typeof assignmentView>

// ---- classes
export const memberView = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string(),
  externalId: z.string(),
  state: z.enum(['invited', 'joined', 'declined']),
  /** agreed that recordings of the terminals may be seen by the instructors */
  recordings: z.boolean(),
})
export type MemberView = z.infer<typeof memberView>
export const classSummary = z.object({
  id: z.string(),
  name: z.string(),
  members: z.number().int(),
  joined: z.number().int(),
  assignments: z.number().int(),
  disputes: z.number().int(),
  deletedAt: z.number().nullable(),
})
export type ClassSummary = z.infer<typeof classSummary>
export const classView = z.object({
  id: z.string(),
  name: z.string(),
  zone: z.string(),
  retentionDays: z.number().int(),
  deletedAt: z.number().nullable(),
  instructors: z.array(z.object({ id: z.string(), name: z.string(), email: z.string().nullable() })),
  members: z.array(memberView),
  assignments: z.array(assignmentView),
  disputes: z.array(z.object({ grade: z.string(), person: z.string(), assignment: z.string(), at: z.number() })),
})
export type ClassView = z.infer<typeof classView>
/** POST /api/classes → 201 {id} */
export const newClass = z.strictObject({ name: named, zone: z.string().min(1).max(64) })
/** POST /api/classes/:id/actions → 200 ClassView */
export const classAction = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('rename'), name: named }),
  z.strictObject({ type: z.literal('retention'), days: z.number().int().min(1).max(classLimits.retentionDays) }),
  z.strictObject({ type: z.literal('add-instructor'), email: z.string().max(254) }),
  z.strictObject({ type: z.literal('remove-member'), member: classId }),
  /** all that is kept of a member: grades, recordings, disputes, the membership itself */
  z.strictObject({ type: z.literal('erase-member'), member: classId }),
  /** grades stay, and can still be read and exported */
  z.strictObject({ type: z.literal('delete') }),
])
export type ClassAction = z.infer<typeof classAction>
/** POST /api/memberships/:id → 200 DueView */
export const answerInvitation = z.strictObject({ accept: z.boolean(), recordings: z.boolean() })

/** POST /api/assignments/:id/actions → 200 AssignmentView */
export const assignmentAction = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('update'), settings: assignmentSettings }),
  /** for one member; of what runs already as well */
  z.strictObject({ type: z.literal('extra-time'), member: classId, minutes: z.number().int().min(0).max(classLimits.extraMinutes) }),
  /** what runs is handed in as it is and graded */
  z.strictObject({ type: z.literal('delete') }),
])
export type AssignmentAction = z.infer<typeof assignmentAction>

// ---- what is due
export const attemptView = z.object({
  id: z.string(),
  number: z.number().int(),
  drill: z.string(),
  state: drillState,
  startedAt: z.number(),
  /** these two are null while its results are closed */
  grade: z.string().nullable(),
  score: z.number().nullable(),
  /** graded, and its results are not open yet */
  closed: z.boolean(),
})
export type AttemptView = z.infer<typeof attemptView>
export const dueView = z.object({
  /** the server's clock */
  now: z.number(),
  invitations: z.array(z.object({ membership: z.string(), className: z.string(), instructors: z.array(z.string()) })),
  classes: z.array(z.object({ membership: z.string(), className: z.string(), recordings: z.boolean(), retentionDays: z.number().int() })),
  due: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      className: z.string(),
      mode: sessionMode,
      tasks: z.number().int(),
      minutes: z.number().int(),
      passMark: z.number(),
      attempts: z.number().int(),
      window: windowView,
      /** when results open for everybody, as things stand; null: at the hand-in */
      resultsAt: z.number().nullable(),
      done: z.array(attemptView),
    }),
  ),
  /** grades of what is no longer there */
  past: z.array(
    z.object({ grade: z.string(), title: z.string(), className: z.string(), score: z.number().nullable(), gradedAt: z.number() }),
  ),
})
export type DueView = z.infer<typeof dueView>

// ---- the board, and the learner's side of it
export const company = z.object({
  /** who looks at a terminal now */
  watchers: z.array(z.object({ id: z.string(), name: z.string() })),
  /** who may type in it, or asks to */
  drive: z.object({ by: z.string(), name: z.string(), state: z.enum(['asked', 'granted']) }).nullable(),
})
export type Company = z.infer<typeof company>
export const message = z.object({
  id: z.string(),
  at: z.number(),
  from: z.string(),
  /** null: to all */
  to: z.string().nullable(),
  kind: z.enum(['message', 'hint', 'extra-time']),
  task: z.number().int().nullable(),
  text: text,
})
export type Message = z.infer<typeof message>
export const boardAttempt = z.object({
  id: z.string(),
  number: z.number().int(),
  state: drillState,
  endsAt: z.number().nullable(),
  stopped: z.boolean(),
  current: z.number().int().nullable(),
  tasks: z.array(
    z.object({
      number: z.number().int(),
      title: text,
      state: z.enum(['waiting', 'preparing', 'ready', 'failed', 'handed-in', 'graded']),
      session: z.string().nullable(),
      /** null while nothing looks at them */
      checks: z.array(z.object({ id: z.string(), title: text, role: z.enum(['goal', 'guard']), state: checkLive.shape.state })).nullable(),
      terminals: z.array(z.object({ id: z.number().int(), place, title: z.string() })),
      hints: z.object({ given: z.number().int(), total: z.number().int() }),
      company,
    }),
  ),
  /** the first goal of the open task that does not hold */
  check: text.nullable(),
  /** neither a key nor a change of a check since; null: nothing is known yet */
  quietSince: z.number().nullable(),
  help: z.object({ at: z.number(), text: z.string() }).nullable(),
  score: z.number().nullable(),
  grade: z.string().nullable(),
})
export type BoardAttempt = z.infer<typeof boardAttempt>
/** GET /api/assignments/:id/board; a page asks every few seconds */
export const boardView = z.object({
  now: z.number(),
  assignment: z.string(),
  title: z.string(),
  classId: z.string(),
  className: z.string(),
  deletedAt: z.number().nullable(),
  window: z.object({ opensAt: z.number(), closesAt: z.number().nullable(), zone: z.string() }),
  learners: z.array(
    z.object({
      member: z.string(),
      name: z.string(),
      joined: z.boolean(),
      extraMinutes: z.number().int(),
      attempt: boardAttempt.nullable(),
    }),
  ),
  messages: z.array(message),
})
export type BoardView = z.infer<typeof boardView>
/** POST /api/assignments/:id/board → 200 BoardView. `attempt` null: everybody who sits it now */
export const boardAction = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('message'), attempt: classId.nullable(), text: said }),
  /** the next hint of the scenario, to one or to all who have that task open */
  z.strictObject({ type: z.literal('hint'), attempt: classId, task: z.number().int().min(1).max(drillLimits.tasks) }),
  z.strictObject({ type: z.literal('extra-time'), attempt: classId.nullable(), minutes: z.number().int().min(1).max(120) }),
  /** the learner is asked; nothing can be typed before they agree */
  z.strictObject({ type: z.literal('ask-drive'), attempt: classId, task: z.number().int().min(1).max(drillLimits.tasks) }),
  z.strictObject({ type: z.literal('stop-drive'), attempt: classId, task: z.number().int().min(1).max(drillLimits.tasks) }),
  z.strictObject({ type: z.literal('helped'), attempt: classId }),
])
export type BoardAction = z.infer<typeof boardAction>
/** POST /api/assignments/:id/watch → 201: a ticket for a socket that only looks */
export const watchTask = z.strictObject({ attempt: classId, task: z.number().int().min(1).max(drillLimits.tasks) })

/** GET /api/rooms/:drill: what the class has to say to who sits this drill. */
export const roomView = z.object({
  now: z.number(),
  title: z.string(),
  className: z.string(),
  help: z.object({ at: z.number(), text: z.string() }).nullable(),
  messages: z.array(message),
  /** tasks that somebody looks at, or asks to type in */
  company: z.array(z.object({ task: z.number().int(), session: z.string(), company })),
})
export type RoomView = z.infer<typeof roomView>
/** POST /api/rooms/:drill → 200 RoomView */
export const roomAction = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('help'), text: z.string().trim().max(classLimits.words) }),
  z.strictObject({ type: z.literal('no-help') }),
  z.strictObject({ type: z.literal('allow'), task: z.number().int().min(1).max(drillLimits.tasks) }),
  /** refuses, or takes back at once */
  z.strictObject({ type: z.literal('refuse'), task: z.number().int().min(1).max(drillLimits.tasks) }),
])
export type RoomAction = z.infer<typeof roomAction>

// ---- grades
export const gradeTask = z.object({
  number: z.number().int(),
  scenario: z.string(),
  title: text,
  domain,
  weight: z.number(),
  score: z.number().nullable(),
  evaluated: z.number(),
  remark: text.nullable(),
  session: z.string().nullable(),
  spentMs: z.number(),
  hints: z.number().int(),
  checks: z.array(checkReport),
})
export type GradeTask = z.infer<typeof gradeTask>
export const regradeTask = z.object({
  number: z.number().int(),
  title: text,
  before: z.number().nullable(),
  after: z.number().nullable(),
  /** checks whose verdict is another one now */
  changed: z.array(z.object({ id: z.string(), title: text, before: z.string(), after: z.string() })),
  /** why it cannot be regraded from what was recorded; its old verdict stays */
  impossible: text.nullable(),
})
export type RegradeTask = z.infer<typeof regradeTask>
export const gradeView = z.object({
  id: z.string(),
  classId: z.string(),
  className: z.string(),
  assignment: z.string(),
  title: z.string(),
  person: z.object({ name: z.string(), email: z.string(), externalId: z.string() }),
  attempt: z.number().int(),
  startedAt: z.number(),
  handedInAt: z.number(),
  gradedAt: z.number(),
  timedOut: z.boolean(),
  /** 0…100, the penalty taken off; null when nothing could be evaluated */
  score: z.number().nullable(),
  /** before the penalty */
  raw: z.number().nullable(),
  penalty: z.number(),
  passMark: z.number(),
  leftOut: z.number(),
  tasks: z.array(gradeTask),
  history: z.array(
    z.object({ at: z.number(), by: z.string(), before: z.number().nullable(), after: z.number().nullable(), tasks: z.array(regradeTask) }),
  ),
  disputes: z.array(
    z.object({
      id: z.string(),
      at: z.number(),
      text: z.string(),
      /** the score that is disputed, as it was then */
      score: z.number().nullable(),
      /** the evidence as it was then: what was expected and what was seen */
      evidence: z.array(z.object({ task: z.number().int(), title: text, check: text, verdict: z.string(), expected: text, actual: text })),
      answer: z.object({ at: z.number(), by: z.string(), text: z.string() }).nullable(),
    }),
  ),
  recordings: z.array(z.object({ session: z.string(), terminal: z.number().int(), task: z.number().int() })),
  /** what whoever asks may do */
  may: z.object({ dispute: z.boolean(), answer: z.boolean() }),
})
export type GradeView = z.infer<typeof gradeView>
/** POST /api/grades/:id/actions → 200 GradeView */
export const gradeAction = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('dispute'), text: said }),
  z.strictObject({ type: z.literal('answer'), dispute: classId, text: said }),
])
export type GradeAction = z.infer<typeof gradeAction>

/** GET /api/classes/:id/gradebook */
export const gradebook = z.object({
  classId: z.string(),
  className: z.string(),
  deletedAt: z.number().nullable(),
  assignments: z.array(z.object({ id: z.string(), title: z.string(), passMark: z.number(), deletedAt: z.number().nullable() })),
  people: z.array(z.object({ key: z.string(), name: z.string(), email: z.string(), externalId: z.string(), member: z.boolean() })),
  cells: z.array(
    z.object({
      person: z.string(),
      assignment: z.string(),
      grade: z.string(),
      score: z.number().nullable(),
      /** before the newest regrade; null when there was none */
      before: z.number().nullable(),
      penalty: z.number(),
      attempts: z.number().int(),
      dispute: z.enum(['open', 'answered']).nullable(),
    }),
  ),
})
export type Gradebook = z.infer<typeof gradebook>
/** POST /api/classes/:id/regrade → 200 Regrade; without `apply` nothing is changed */
export const askRegrade = z.strictObject({ assignment: classId.nullable(), apply: z.boolean() })
export const regrade = z.object({
  applied: z.boolean(),
  /** attempts that were looked at */
  looked: z.number().int(),
  attempts: z.array(
    z.object({
      grade: z.string(),
      person: z.string(),
      title: z.string(),
      attempt: z.number().int(),
      before: z.number().nullable(),
      after: z.number().nullable(),
      tasks: z.array(regradeTask),
    }),
  ),
})
export type Regrade = z.infer<typeof regrade>

export const itemRow = z.object({
  scenario: z.string(),
  title: text,
  attempts: z.number().int(),
  graded: z.number().int(),
  solved: z.number().int(),
  medianMs: z.number().nullable(),
  meanScore: z.number().nullable(),
  firstFailed: z.object({ check: z.string(), title: text, count: z.number().int() }).nullable(),
  hints: z.number().int(),
})
export type ItemRow = z.infer<typeof itemRow>
export const itemsView = z.object({ classId: z.string(), className: z.string(), items: z.array(itemRow) })
export type ItemsView = z.infer<typeof itemsView>
