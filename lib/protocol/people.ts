// People as the page sees them. Runs in the browser too.
import { z } from 'zod'

/** In the order of what they may: an instructor may what a learner may, an admin what both may. */
export const role = z.enum(['learner', 'instructor', 'admin'])
export type Role = z.infer<typeof role>
/** Whether a role is at least this one. */
export const isAtLeast = (has: Role, least: Role): boolean => role.options.indexOf(has) >= role.options.indexOf(least)

/** A person as the lab knows them. */
export const identity = z.object({
  /** opaque, stable */
  id: z.string(),
  name: z.string(),
  /** null without accounts */
  email: z.string().nullable(),
  role,
})
export type Identity = z.infer<typeof identity>

// ---- Limits of what people can make grow
export const accountLimits = {
  name: 100,
  email: 254,
  /** characters of a password */
  password: { least: 10, most: 128 },
  /** devices on which one person may be signed in; the oldest sign-in ends when there are more */
  logins: 20,
  /** links that are open at a time, over all who invite */
  invitations: 500,
  invitationDays: 30,
  people: 1000,
  /** rows and days of the audit log */
  audit: { rows: 20_000, days: 400, page: 100 },
} as const

// ---- HTTP bodies
const email = z.email().max(accountLimits.email)
const name = z.string().trim().min(1).max(accountLimits.name)
const password = z.string().min(accountLimits.password.least).max(accountLimits.password.most)
const token = z.string().max(100)
/** An address in this site to go on at; anything else is `/`. */
export const hereOnly = (to: string | null | undefined): string => (to != null && /^\/(?![/\\])[^\s\\]{0,500}$/.test(to) ? to : '/')
/** POST /api/account/sign-in → 200 {ok: true} and a cookie */
export const signIn = z.strictObject({ email: z.string().max(320), password: z.string().max(1000) })
/** POST /api/account/provider → 200 {url}: where to go on, and a cookie */
export const signInElsewhere = z.strictObject({ to: z.string().max(600), invitation: token.optional() })
/** POST /api/account */
export const accountAction = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('rename'), name }),
  z.strictObject({ type: z.literal('password'), current: z.string().max(1000), next: password }),
  z.strictObject({ type: z.literal('end-login'), login: z.string().max(64) }),
  z.strictObject({ type: z.literal('end-others') }),
])
export type AccountAction = z.infer<typeof accountAction>
/** POST /api/invitations/look → 200 InvitationView */
export const lookAtInvitation = z.strictObject({ token })
/** POST /api/invitations/accept → 200 {ok: true} and a cookie */
export const acceptInvitation = z.strictObject({ token, name, email, password })
/** POST /api/invitations → 201 {url, expiresAt} */
export const invite = z.strictObject({
  role,
  email: email.nullable(),
  days: z.number().int().min(1).max(accountLimits.invitationDays),
})
export type Invite = z.infer<typeof invite>
/** POST /api/people/:id/actions → 200 {ok: true} */
export const personAction = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('role'), role }),
  z.strictObject({ type: z.literal('disable') }),
  z.strictObject({ type: z.literal('enable') }),
  z.strictObject({ type: z.literal('sign-out') }),
  /** scores stay in the gradebooks of classes without whose they are; `keepGrades`: with name and evidence, as a record of an examination */
  z.strictObject({ type: z.literal('delete'), keepGrades: z.boolean().default(false) }),
])
export type PersonAction = z.infer<typeof personAction>

// ---- Views
export const loginView = z.object({
  id: z.string(),
  createdAt: z.number(),
  expiresAt: z.number(),
  address: z.string().nullable(),
  userAgent: z.string().nullable(),
  /** the one that asks */
  current: z.boolean(),
})
/** GET /api/account */
export const accountView = z.object({ me: identity, hasPassword: z.boolean(), provider: z.string().nullable(), logins: z.array(loginView) })
export type AccountView = z.infer<typeof accountView>
export const invitationView = z.object({
  role,
  email: z.string().nullable(),
  expiresAt: z.number(),
  /** name of the identity provider by which it may be accepted too; null: there is none */
  provider: z.string().nullable(),
})
export type InvitationView = z.infer<typeof invitationView>
export const personView = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string(),
  role,
  disabled: z.boolean(),
  createdAt: z.number(),
  lastLoginAt: z.number().nullable(),
})
export type PersonView = z.infer<typeof personView>
export const openInvitation = z.object({
  id: z.string(),
  role,
  email: z.string().nullable(),
  createdAt: z.number(),
  expiresAt: z.number(),
  by: z.string().nullable(),
})
/** GET /api/people */
export const peopleView = z.object({ people: z.array(personView), invitations: z.array(openInvitation) })
export type PeopleView = z.infer<typeof peopleView>
export const auditEntry = z.object({
  id: z.string(),
  at: z.number(),
  actor: z.object({ id: z.string().nullable(), name: z.string().nullable() }),
  /** what was done, as a stable name, e.g. `person.disabled` */
  action: z.string(),
  subject: z.object({ id: z.string().nullable(), name: z.string().nullable() }),
  detail: z.string().nullable(),
})
export type AuditEntry = z.infer<typeof auditEntry>
/** GET /api/audit?before=AT.ID; `next`: what to ask with for the page after this one */
export const auditView = z.object({ entries: z.array(auditEntry), next: z.string().nullable() })
export type AuditView = z.infer<typeof auditView>
