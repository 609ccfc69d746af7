// Drills, as data: the blueprint that one is drawn by, what a person sees of one while it runs and afterwards. Runs in the browser too.
// Knows nothing of how scenarios are drawn or graded.
import { z } from 'zod'
import { errorView } from './error.ts'
import { backendName, backendView, type Domain, difficulty, domain, sessionMode, sessionState, text } from './views.ts'

/** What a drill may grow to: every number that a person can push. */
export const drillLimits = {
  tasks: 25,
  minutes: 240,
  /** characters of the notepad */
  notepad: 20_000,
  /** drills one person may begin within an hour */
  startsPerHour: 20,
  /** drills in the history, the newest */
  history: 100,
} as const

export const drillSeed = z.string().regex(/^[a-z0-9-]{1,32}$/, 'small letters, digits and hyphens, 1 to 32 of them')
const shares = <T extends z.ZodType<string>>(keys: readonly z.infer<T>[]) =>
  z
    .strictObject(Object.fromEntries(keys.map((key) => [key, z.number().min(0).max(100)])) as Record<z.infer<T>, z.ZodNumber>)
    .refine((value) => Object.values(value).some((share) => (share as number) > 0), 'at least one share is above 0')

/**
 * What a drill is drawn by. With the same catalogue the same blueprint draws the same drill: the same scenarios, each with the same names,
 * ports and variant. `mode` and `passMark` take no part in the draw.
 */
export const blueprint = z.strictObject({
  tasks: z.number().int().min(1).max(drillLimits.tasks),
  minutes: z.number().int().min(5).max(drillLimits.minutes),
  /** percent */
  passMark: z.number().int().min(1).max(100),
  /** shares of the score; those of domains that have no task are given to the others, in proportion */
  weights: shares<typeof domain>(domain.options),
  /** shares of the tasks by difficulty; null: as they come */
  difficulties: shares<typeof difficulty>(difficulty.options).nullable(),
  /** only these; null: all */
  domains: z.array(domain).min(1).max(domain.options.length).nullable(),
  /** ids of scenarios, only these; null: all */
  only: z.array(z.string().max(64)).min(1).max(500).nullable(),
  mode: sessionMode,
  seed: drillSeed,
})
export type Blueprint = z.infer<typeof blueprint>

// ---- HTTP bodies
/** POST /api/exam → 201 {id}; POST /api/exam/preview → 200 DrillPreview */
export const startDrill = z.strictObject({ blueprint, backend: backendName.optional() })
/** POST /api/exam/:id/actions → 200 DrillView */
export const drillAction = z.discriminatedUnion('type', [
  /** shows a task, and has its lab prepared next when it is not there yet */
  z.strictObject({ type: z.literal('open'), task: z.number().int().min(1).max(drillLimits.tasks) }),
  z.strictObject({ type: z.literal('flag'), task: z.number().int().min(1).max(drillLimits.tasks), flagged: z.boolean() }),
  /** `version` is that of the text one started from; another window may have written meanwhile */
  z.strictObject({ type: z.literal('note'), text: z.string().max(drillLimits.notepad), version: z.number().int().min(0) }),
  /** one task, for good */
  z.strictObject({ type: z.literal('hand-in'), task: z.number().int().min(1).max(drillLimits.tasks) }),
  /** all that is left; the drill ends */
  z.strictObject({ type: z.literal('finish') }),
  /** before the clock has started */
  z.strictObject({ type: z.literal('cancel') }),
])
export type DrillAction = z.infer<typeof drillAction>

// ---- views
/** What a draw yields, without naming a scenario: what one may know before a drill begins. */
export const drillPreview = z.object({
  name: text,
  tasks: z.number().int(),
  /** every domain of the blueprint: its share of this drill's score in percent (0: it has no task), and what is there to draw from */
  domains: z.array(z.object({ domain, share: z.number(), wanted: z.number(), tasks: z.number().int(), offered: z.number().int() })),
  /** what is other than the blueprint asked for, and why */
  notices: z.array(text),
})
export type DrillPreview = z.infer<typeof drillPreview>

export const drillState = z.enum(['preparing', 'running', 'grading', 'ended', 'cancelled'])
export type DrillState = z.infer<typeof drillState>

export const drillTask = z.object({
  /** from 1, in the drill's order */
  number: z.number().int(),
  title: text,
  domain,
  /** percent of the drill's score */
  weight: z.number(),
  minutes: z.number().int(),
  flagged: z.boolean(),
  /**
   * waiting: its lab is prepared later. preparing, ready, failed: its lab. handed-in: for good, the verdict is pending or is kept until the
   * drill ends. graded: the verdict is there and may be seen.
   */
  state: z.enum(['waiting', 'preparing', 'ready', 'failed', 'handed-in', 'graded']),
  /** id of its lab's session, once there is one */
  session: z.string().nullable(),
  /** the lab's own state */
  lab: sessionState.nullable(),
  /** why the lab could not be prepared */
  error: errorView.nullable(),
  /** milliseconds it was the open task */
  spentMs: z.number(),
  opened: z.boolean(),
  /** 0…100 of this task; null while it is not graded or not to be seen, and when it could not be evaluated */
  score: z.number().nullable(),
  /** 0…1 of it that could be evaluated; null while it is not graded or not to be seen */
  evaluated: z.number().nullable(),
  /** why it was not (wholly) evaluated, or why it has no points without a look at its lab */
  remark: text.nullable(),
})
export type DrillTask = z.infer<typeof drillTask>

export const drillResult = z.object({
  /** 0…100; null when nothing could be evaluated */
  score: z.number().nullable(),
  passed: z.boolean().nullable(),
  /** percent of the drill that could not be evaluated and is left out of the total */
  leftOut: z.number(),
  domains: z.array(z.object({ domain, share: z.number(), tasks: z.number().int(), score: z.number().nullable(), leftOut: z.number() })),
})
export type DrillResult = z.infer<typeof drillResult>

/** A drill as its owner sees it. Scores are in it only when they may be known. */
export const drillView = z.object({
  id: z.string(),
  name: text,
  notices: z.array(text),
  blueprint,
  backend: backendName,
  state: drillState,
  /** the server's clock when this was said; the page counts from it */
  now: z.number(),
  createdAt: z.number(),
  /** when the first lab was handed over; null before */
  startedAt: z.number().nullable(),
  /** when it is handed in by itself, as things stand: moves on while `stopped`. null: no clock */
  endsAt: z.number().nullable(),
  endedAt: z.number().nullable(),
  /** milliseconds given back so far, lost to outages of this side */
  givenBackMs: z.number(),
  /** the clock stands still: an outage */
  stopped: z.boolean(),
  /** the newest alert that is due, in minutes left */
  alert: z.number().int().nullable(),
  current: z.number().int().nullable(),
  tasks: z.array(drillTask),
  notepad: z.object({ text: z.string(), version: z.number().int() }),
  /** set when it was cancelled because it could not begin */
  error: errorView.nullable(),
  /** null until the drill has ended, and while its results are kept closed */
  result: drillResult.nullable(),
  /** its results are kept closed beyond its end, until this time as things stand */
  resultsAt: z.number().optional(),
  /** ended because time was up */
  timedOut: z.boolean(),
  /** it is an attempt at this assignment */
  assignment: z.string().optional(),
})
export type DrillView = z.infer<typeof drillView>

/** A line of the history. */
export const drillSummary = z.object({
  id: z.string(),
  name: text,
  mode: sessionMode,
  backend: backendName,
  state: drillState,
  createdAt: z.number(),
  tasks: z.number().int(),
  minutes: z.number().int(),
  passMark: z.number(),
  spentMs: z.number(),
  result: drillResult.nullable(),
  /** as in the drill's view */
  resultsAt: z.number().optional(),
  /** brought in by its owner from a file: nobody has vouched for it */
  imported: z.boolean(),
})
export type DrillSummary = z.infer<typeof drillSummary>

/** Over all drills that were graded. */
export const drillProgress = z.object({
  attempts: z.number().int(),
  passed: z.number().int(),
  best: z.number().nullable(),
  median: z.number().nullable(),
  /** median milliseconds that a task was open */
  taskMs: z.number().nullable(),
  /** median of the time that a task was open, in percent of the minutes that were meant for it; tasks that were opened and handed in */
  pace: z.number().nullable(),
  domains: z.array(
    z.object({
      domain,
      attempts: z.number().int(),
      best: z.number().nullable(),
      median: z.number().nullable(),
      /** as above, of this domain's tasks */
      pace: z.number().nullable(),
    }),
  ),
})
export type DrillProgress = z.infer<typeof drillProgress>

export const presetName = z.enum(['cka', 'mini', 'weak', 'domain'])
export type PresetName = z.infer<typeof presetName>
/** GET /api/exam: what can be begun, what runs, what was. */
export const examView = z.object({
  presets: z.array(
    z.object({ preset: presetName, domain: domain.nullable(), blueprint, preview: drillPreview.nullable(), unavailable: text.nullable() }),
  ),
  backends: z.array(backendView),
  /** what the previews are drawn for */
  backend: backendName.nullable(),
  running: drillSummary.nullable(),
  history: z.array(drillSummary),
  progress: drillProgress,
})
export type ExamView = z.infer<typeof examView>

/** Domains in English and Korean, for sentences that the server makes. */
export const domainWords: Record<Domain, { en: string; ko: string }> = {
  troubleshooting: { en: 'Troubleshooting', ko: '트러블슈팅' },
  'cluster-architecture': { en: 'Cluster architecture', ko: '클러스터 아키텍처' },
  'services-networking': { en: 'Services and networking', ko: '서비스와 네트워킹' },
  workloads: { en: 'Workloads', ko: '워크로드' },
  storage: { en: 'Storage', ko: '스토리지' },
}
