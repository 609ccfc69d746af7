// One's own data as a file: reports, drills, settings of this browser. Versioned, so that a later reader knows what it has. Runs in the
// browser too; knows nothing of how it is stored.
import { z } from 'zod'
import { errorView } from './error.ts'
import { blueprint, drillLimits } from './exam.ts'
import { backendName, domain, locale, report, sessionMode, text } from './views.ts'

export const archiveLimits = {
  /** bytes of a file that is read, and the most that is written */
  bytes: 16 * 1024 * 1024,
  sessions: 2000,
  drills: 500,
  /** what one person may have in all afterwards */
  sessionsInAll: 10_000,
  drillsInAll: 2000,
} as const

const at = z.number().int().min(0).max(8.64e15)
const millis = z.number().min(0).max(8.64e15)
const id = z.string().regex(/^[a-f0-9]{16}$/, '16 hexadecimal digits')
const percent = z.number().min(0).max(100)

const archivedReport = report.extend({ sessionId: id, score: percent.nullable(), spentMs: millis, gradedAt: at })
export const archivedSession = z.strictObject({
  mode: sessionMode,
  /** id of the drill that it was a task of */
  drill: id.nullable(),
  createdAt: at,
  readyAt: at.nullable(),
  endedAt: at,
  report: archivedReport,
})
export type ArchivedSession = z.infer<typeof archivedSession>

export const archivedDrill = z.strictObject({
  id,
  name: text,
  notices: z.array(text).max(100),
  blueprint,
  backend: backendName,
  createdAt: at,
  startedAt: at.nullable(),
  endedAt: at,
  /** lost on the server's side and given back */
  outages: z.array(z.strictObject({ from: at, to: at })).max(1000),
  tasks: z
    .array(
      z.strictObject({
        scenario: z.string().max(64),
        domain,
        weight: percent,
        seed: z.string().max(32),
        title: text,
        minutes: z.number().int().min(0).max(10_000),
        session: id.nullable(),
        starts: z.number().int().min(0).max(1000),
        error: errorView.nullable(),
        lost: z.boolean(),
        opened: z.boolean(),
        flagged: z.boolean(),
        spentMs: millis,
        handedInAt: at.nullable(),
        verdict: z.strictObject({ score: percent.nullable(), evaluated: z.number().min(0).max(1), remark: text.nullable() }),
      }),
    )
    .min(1)
    .max(drillLimits.tasks),
  notepad: z.strictObject({ text: z.string().max(drillLimits.notepad), version: z.number().int().min(0) }),
  timedOut: z.boolean(),
})
export type ArchivedDrill = z.infer<typeof archivedDrill>

/** What the browser keeps: the page adds it to the file and takes it from there. */
export const archivedSettings = z.strictObject({
  theme: z.enum(['system', 'light', 'dark']).optional(),
  locale: locale.optional(),
  /** widths, text size and the like, by name */
  kept: z
    .record(z.string().regex(/^[a-z][a-z.]{0,39}$/), z.number())
    .refine((kept) => Object.keys(kept).length <= 50, 'at most 50 of them')
    .optional(),
})
export type ArchivedSettings = z.infer<typeof archivedSettings>

/** GET /api/data → 200 Archive; POST /api/data → 200 Imported */
export const archive = z.strictObject({
  format: z.literal('kubemend-data'),
  version: z.literal(1),
  exportedAt: at,
  /** older ones that were too many or too large for the file */
  leftOut: z.strictObject({ sessions: z.number().int().min(0), drills: z.number().int().min(0) }),
  sessions: z.array(archivedSession).max(archiveLimits.sessions),
  drills: z.array(archivedDrill).max(archiveLimits.drills),
  settings: archivedSettings.optional(),
})
export type Archive = z.infer<typeof archive>

const counted = z.object({ added: z.number().int(), known: z.number().int() })
/** What was new, and what was there already. */
export const imported = z.object({ sessions: counted, drills: counted })
export type Imported = z.infer<typeof imported>
