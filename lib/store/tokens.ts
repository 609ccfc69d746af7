// Rows of tokens by which programs ask in a person's name. Knows their hashes, never the tokens, and nothing of what their scopes mean.
import type { Kysely } from 'kysely'
import type { Tables, TokenRow } from './tables.ts'

export interface Tokens {
  /** false, and nothing is written, when the person has `most` that have not expired by `now`; two at once are one after the other */
  insert(row: TokenRow, limit: { most: number; now: number }): Promise<boolean>
  /** all of a person, newest first */
  list(person: string): Promise<TokenRow[]>
  byDigest(digest: string): Promise<TokenRow | null>
  touch(id: string, at: number): Promise<void>
  /** false when the person has none of that id */
  remove(person: string, id: string): Promise<boolean>
  /** all of a person; their ids */
  removeAll(person: string): Promise<string[]>
  /** forgets those that expired before */
  prune(before: number): Promise<void>
}

/** @param locks whether rows can be held until a transaction ends; else writers are one at a time anyway */
export function tokensOf(db: Kysely<Tables>, locks: boolean): Tokens {
  return {
    async insert(row, { most, now }) {
      return db.transaction().execute(async (transaction) => {
        let owner = transaction.selectFrom('person').select('id').where('id', '=', row.person_id)
        if (locks) owner = owner.forUpdate()
        await owner.execute()
        const { count } = await transaction
          .selectFrom('token')
          .select((build) => build.fn.countAll<number>().as('count'))
          .where('person_id', '=', row.person_id)
          .where('expires_at', '>', now)
          .executeTakeFirstOrThrow()
        if (Number(count) >= most) return false
        await transaction.insertInto('token').values(row).execute()
        return true
      })
    },
    async list(person) {
      return db.selectFrom('token').selectAll().where('person_id', '=', person).orderBy('created_at', 'desc').orderBy('id').execute()
    },
    async byDigest(digest) {
      return (await db.selectFrom('token').selectAll().where('digest', '=', digest).executeTakeFirst()) ?? null
    },
    async touch(id, at) {
      await db.updateTable('token').set({ used_at: at }).where('id', '=', id).execute()
    },
    async remove(person, id) {
      const { numDeletedRows } = await db.deleteFrom('token').where('person_id', '=', person).where('id', '=', id).executeTakeFirst()
      return Number(numDeletedRows) === 1
    },
    async removeAll(person) {
      const rows = await db.deleteFrom('token').where('person_id', '=', person).returning('id').execute()
      return rows.map(({ id }) => id)
    },
    async prune(before) {
      await db.deleteFrom('token').where('expires_at', '<', before).execute()
    },
  }
}
