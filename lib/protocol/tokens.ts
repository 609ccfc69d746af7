// Tokens by which programs ask in a person's name, and what they may be good for. Runs in the browser too.
import { z } from 'zod'
import { isAtLeast, type Role } from './people.ts'

/** What the API is divided into for tokens, and the least role to which reading and changing it is of any use. */
export const tokenAreas = {
  sessions: { read: 'learner', write: 'learner' },
  exams: { read: 'learner', write: 'learner' },
  data: { read: 'learner', write: 'learner' },
  classes: { read: 'learner', write: 'learner' },
  people: { read: 'admin', write: 'instructor' },
  machine: { read: 'learner', write: null },
} as const satisfies Record<string, { read: Role; write: Role | null }>
export type TokenArea = keyof typeof tokenAreas

/** `AREA:read` lets look, `AREA:write` lets look and change. Changing the machine, or one's own account, takes a person. */
export const tokenScope = z.enum([
  'sessions:read',
  'sessions:write',
  'exams:read',
  'exams:write',
  'data:read',
  'data:write',
  'classes:read',
  'classes:write',
  'people:read',
  'people:write',
  'machine:read',
])
export type TokenScope = z.infer<typeof tokenScope>

/** Whether a token of these scopes may do what needs that one. */
export const grants = (scopes: readonly TokenScope[], needed: TokenScope): boolean =>
  scopes.includes(needed) || scopes.includes(needed.replace(/:read$/, ':write') as TokenScope)

/** Whether a scope is of any use to a role. */
export function isForRole(scope: TokenScope, role: Role): boolean {
  const [area, verb] = scope.split(':') as [TokenArea, 'read' | 'write']
  const least = tokenAreas[area][verb]
  return least !== null && isAtLeast(role, least)
}

export const tokenLimits = {
  name: 80,
  /** of one person, expired ones not counted */
  tokens: 20,
  /** days it is good for */
  days: { usual: 90, most: 365 },
  /** what every one begins with, so that those who scan for leaked ones know it */
  prefix: 'kbm_',
} as const

/** POST /api/account/tokens → 201 NewToken */
export const makeToken = z.strictObject({
  name: z.string().trim().min(1).max(tokenLimits.name),
  scopes: z.array(tokenScope).min(1).max(tokenScope.options.length),
  days: z.number().int().min(1).max(tokenLimits.days.most).default(tokenLimits.days.usual),
})
export type MakeToken = z.infer<typeof makeToken>
export const tokenView = z.object({
  id: z.string(),
  name: z.string(),
  scopes: z.array(tokenScope),
  createdAt: z.number(),
  expiresAt: z.number(),
  /** to the minute; null: never used */
  usedAt: z.number().nullable(),
})
export type TokenView = z.infer<typeof tokenView>
/** GET /api/account/tokens; expired ones stay for a month, so that one sees why a program no longer gets in */
export const tokensView = z.object({ tokens: z.array(tokenView) })
/** `token` is shown this once: only its hash is kept. */
export const newToken = tokenView.extend({ token: z.string() })
export type NewToken = z.infer<typeof newToken>
