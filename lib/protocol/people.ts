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
