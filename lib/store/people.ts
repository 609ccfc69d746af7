// Rows of people, their sign-ins, invitations and the audit log. Passwords and sign-ins are written by the account library (lib/auth), over
// the same connection; here they are only read, counted and taken away.
import { type ExpressionBuilder, type Kysely, sql } from 'kysely'
import type { AuditRow, InvitationRow, PersonRow, Tables } from './tables.ts'

/** A person without what only signing in needs. */
export interface Person {
  id: string
  name: string
  email: string
  role: string
  disabled: boolean
  /** epoch milliseconds */
  createdAt: number
  /** when they last signed in, of the sign-ins that still are; null: none is */
  lastLoginAt: number | null
}
export interface Login {
  id: string
  createdAt: number
  expiresAt: number
  address: string | null
  userAgent: string | null
}

export interface People {
  person(id: string): Promise<Person | null>
  personByEmail(email: string): Promise<Person | null>
  /** by name, at most `limit` (default 1 000) */
  people(limit?: number): Promise<Person[]>
  countPeople(): Promise<number>
  updatePerson(id: string, change: { name?: string; role?: string; disabled?: boolean }): Promise<void>
  /**
   * The same, unless nobody would be left who is an admin and may sign in; false when it was not done.
   * Two at once are one after the other.
   */
  changeAdmin(id: string, change: { role?: string; disabled?: boolean } | 'delete'): Promise<boolean>
  /** admins who may sign in */
  countAdmins(): Promise<number>
  /** newest first, those that have not expired by `now` */
  logins(person: string, now: number): Promise<Login[]>
  /** how many sign-ins were ended: all of a person, or the one, or all but it */
  endLogins(person: string, which?: { id: string } | { not: string }): Promise<number>
  /** where a person's proofs come from, e.g. `credential` for a password */
  providers(person: string): Promise<string[]>

  insertInvitation(row: InvitationRow): Promise<void>
  invitation(digest: string): Promise<InvitationRow | null>
  /** those that can still be used at `now`, newest first */
  invitations(now: number): Promise<InvitationRow[]>
  /** Uses an invitation up; false when it was used, has expired or is not there. Of two at once one is told true. */
  spendInvitation(digest: string, now: number): Promise<boolean>
  /** writes down by whom; null: it may be used again, for nothing came of it */
  settleInvitation(digest: string, person: string | null): Promise<void>
  /** withdraws it; false when there is none that could still be used */
  deleteInvitation(id: string): Promise<boolean>
  /** withdraws those of the server itself, and forgets what ended before `ended` */
  sweepInvitations(ended: number, ownToo: boolean): Promise<void>

  insertAudit(row: AuditRow): Promise<void>
  /** newest first; before an earlier page's last row when given */
  audit(options: { limit: number; before?: { at: number; id: string } }): Promise<AuditRow[]>
  /** keeps the newest `most` rows, and of those none from before `since` */
  pruneAudit(most: number, since: number): Promise<void>
  /**
   * Takes a person out of the log and of the invitations that are spent: their name, and details that may say who they are (what they did to
   * their account, whatever names their id or address). What was done, and by which id, stays.
   */
  anonymise(person: { id: string; email: string }, name: string): Promise<void>

  /** takes away sessions and drills of a person with all that hangs on them; the ids of the sessions, whose folders the caller removes */
  deleteWork(person: string): Promise<string[]>
}

const millis = (at: string | Date): number => new Date(at).getTime()

/** @param booleans whether the database has them; else they are 0 and 1 */
export function peopleOf(db: Kysely<Tables>, booleans: boolean): People {
  const columns = ['id', 'name', 'email', 'role', 'disabled', 'created_at'] as const
  const personOf = (row: Pick<PersonRow, (typeof columns)[number]> | undefined, lastLoginAt: number | null = null): Person | null =>
    row === undefined
      ? null
      : {
          id: row.id,
          name: row.name,
          email: row.email,
          role: row.role,
          disabled: Boolean(row.disabled),
          createdAt: millis(row.created_at),
          lastLoginAt,
        }
  const flag = (value: boolean) => (booleans ? value : Number(value))
  const changed = (change: { name?: string; role?: string; disabled?: boolean }) => ({
    ...(change.name === undefined ? {} : { name: change.name }),
    ...(change.role === undefined ? {} : { role: change.role }),
    ...(change.disabled === undefined ? {} : { disabled: flag(change.disabled) }),
  })
  return {
    async person(id) {
      return personOf(await db.selectFrom('person').select(columns).where('id', '=', id).executeTakeFirst())
    },
    async personByEmail(email) {
      return personOf(await db.selectFrom('person').select(columns).where('email', '=', email.toLowerCase()).executeTakeFirst())
    },
    async people(limit = 1000) {
      const rows = await db.selectFrom('person').select(columns).orderBy('name').orderBy('id').limit(limit).execute()
      const logins = await db
        .selectFrom('login')
        .select((build) => ['person_id', build.fn.max('created_at').as('last')])
        .groupBy('person_id')
        .execute()
      const last = new Map(logins.map((row) => [row.person_id, millis(row.last as string | Date)]))
      return rows.map((row) => personOf(row, last.get(row.id) ?? null)!)
    },
    async countPeople() {
      const { count } = await db
        .selectFrom('person')
        .select((build) => build.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow()
      return Number(count)
    },
    async updatePerson(id, change) {
      if (Object.keys(change).length > 0) await db.updateTable('person').set(changed(change)).where('id', '=', id).execute()
    },
    async changeAdmin(id, change) {
      return db.transaction().execute(async (transaction) => {
        // The admins' rows are held until the end: of two who take the right from each other at once, one is told no.
        let admins = transaction.selectFrom('person').select('id').where('role', '=', 'admin').where('disabled', '=', flag(false))
        // SQLite has one writer at a time anyway.
        if (booleans) admins = admins.forUpdate()
        const left = (await admins.execute()).filter((row) => row.id !== id)
        const stays = change !== 'delete' && change.role === undefined && change.disabled !== true
        if (left.length === 0 && !stays) return false
        if (change === 'delete') await transaction.deleteFrom('person').where('id', '=', id).execute()
        else await transaction.updateTable('person').set(changed(change)).where('id', '=', id).execute()
        return true
      })
    },
    async countAdmins() {
      const { count } = await db
        .selectFrom('person')
        .select((build) => build.fn.countAll<number>().as('count'))
        .where('role', '=', 'admin')
        .where('disabled', '=', flag(false))
        .executeTakeFirstOrThrow()
      return Number(count)
    },
    async logins(person, now) {
      const rows = await db.selectFrom('login').selectAll().where('person_id', '=', person).execute()
      return rows
        .map((row) => ({
          id: row.id,
          createdAt: millis(row.created_at),
          expiresAt: millis(row.expires_at),
          address: row.ip_address,
          userAgent: row.user_agent,
        }))
        .filter((login) => login.expiresAt > now)
        .sort((a, b) => b.createdAt - a.createdAt)
    },
    async endLogins(person, which) {
      let query = db.deleteFrom('login').where('person_id', '=', person)
      if (which !== undefined) query = 'id' in which ? query.where('id', '=', which.id) : query.where('id', '!=', which.not)
      return Number((await query.executeTakeFirst()).numDeletedRows)
    },
    async providers(person) {
      const rows = await db.selectFrom('credential').select('provider_id').where('person_id', '=', person).execute()
      return rows.map((row) => row.provider_id)
    },

    async insertInvitation(row) {
      await db.insertInto('invitation').values(row).execute()
    },
    async invitation(digest) {
      return (await db.selectFrom('invitation').selectAll().where('digest', '=', digest).executeTakeFirst()) ?? null
    },
    async invitations(now) {
      return db
        .selectFrom('invitation')
        .selectAll()
        .where('used_at', 'is', null)
        .where('expires_at', '>', now)
        .orderBy('created_at', 'desc')
        .limit(1000)
        .execute()
    },
    async spendInvitation(digest, now) {
      const { numUpdatedRows } = await db
        .updateTable('invitation')
        .set({ used_at: now })
        .where('digest', '=', digest)
        .where('used_at', 'is', null)
        .where('expires_at', '>', now)
        .executeTakeFirst()
      return Number(numUpdatedRows) === 1
    },
    async settleInvitation(digest, person) {
      await db
        .updateTable('invitation')
        .set(person === null ? { used_at: null } : { used_by: person })
        .where('digest', '=', digest)
        .execute()
    },
    async deleteInvitation(id) {
      const { numDeletedRows } = await db.deleteFrom('invitation').where('id', '=', id).where('used_at', 'is', null).executeTakeFirst()
      return Number(numDeletedRows) === 1
    },
    async sweepInvitations(ended, ownToo) {
      await db.deleteFrom('invitation').where('expires_at', '<', ended).execute()
      if (ownToo) await db.deleteFrom('invitation').where('created_by', 'is', null).where('used_at', 'is', null).execute()
    },

    async insertAudit(row) {
      await db.insertInto('audit').values(row).execute()
    },
    async audit({ before, limit }) {
      let query = db.selectFrom('audit').selectAll()
      if (before !== undefined)
        query = query.where((build) =>
          build.or([build('at', '<', before.at), build.and([build('at', '=', before.at), build('id', '<', before.id)])]),
        )
      return query.orderBy('at', 'desc').orderBy('id', 'desc').limit(limit).execute()
    },
    async pruneAudit(most, since) {
      await db.deleteFrom('audit').where('at', '<', since).execute()
      const first = await db
        .selectFrom('audit')
        .select(['at', 'id'])
        .orderBy('at', 'desc')
        .orderBy('id', 'desc')
        .offset(most)
        .limit(1)
        .executeTakeFirst()
      if (first !== undefined)
        await db
          .deleteFrom('audit')
          .where((build) => build.or([build('at', '<', first.at), build.and([build('at', '=', first.at), build('id', '<=', first.id)])]))
          .execute()
    },
    async anonymise({ email, id }, name) {
      await db.updateTable('audit').set({ actor_name: name }).where('actor_id', '=', id).execute()
      await db.updateTable('audit').set({ subject_name: name, detail: null }).where('subject_id', '=', id).execute()
      const own = (build: ExpressionBuilder<Tables, 'audit'>) =>
        build.and([build('actor_id', '=', id), build.or([build('action', 'like', 'person.%'), build('action', 'like', 'token.%')])])
      const naming = (words: string) => sql<boolean>`detail like ${`%${words.replaceAll(/[\\%_]/g, '\\$&')}%`} escape '\\'`
      await db
        .updateTable('audit')
        .set({ detail: null })
        .where((build) => build.or([own(build), naming(id), naming(email)]))
        .execute()
      await db
        .deleteFrom('invitation')
        .where('used_at', 'is not', null)
        .where((build) => build.or([build('used_by', '=', id), build('email', '=', email)]))
        .execute()
    },

    async deleteWork(person) {
      return db.transaction().execute(async (transaction) => {
        const rows = await transaction.selectFrom('session').select('id').where('user_id', '=', person).execute()
        await transaction.deleteFrom('session').where('user_id', '=', person).execute()
        await transaction.deleteFrom('drill').where('user_id', '=', person).execute()
        return rows.map((row) => row.id)
      })
    },
  }
}
