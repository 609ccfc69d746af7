// The audit log: who did what to whom, and when. Bounded in rows and in time. Knows nothing of what the actions are; what is secret is never
// handed to it.
import { randomBytes } from 'node:crypto'
import { type AuditView, accountLimits } from '#lib/protocol/index.ts'
import type { Store } from '#lib/store/index.ts'

interface Named {
  id: string
  name: string
  /** a program asked in their name */
  token?: { name: string }
}
export interface AuditOptions {
  store: Store
  /** what could not be written down; what was done stays done */
  onError: (thrown: unknown) => void
  /** epoch milliseconds */
  now?: () => number
}

/** How often the log is cut to its bounds: every so many rows. */
const pruneEvery = 200
const dayMs = 86_400_000

export class Audit {
  readonly #options: AuditOptions
  readonly #now: () => number
  #written = 0

  constructor(options: AuditOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /**
   * Writes down what was done.
   * @param actor null: the server itself, or nobody who is known
   * @param action a stable name, `thing.done`
   * @param subject to whom or what; null: nobody else
   * @param detail some words for an admin, never a secret
   */
  async record(actor: Named | null, action: string, subject: Named | null = null, detail: string | null = null): Promise<void> {
    const { onError, store } = this.#options
    const at = this.#now()
    const by = actor?.token === undefined ? null : `token ${JSON.stringify(actor.token.name)}`
    const words = [detail, by].filter((part) => part !== null).join('; ')
    const cut = (text: string | undefined, most: number) => (text === undefined ? null : text.slice(0, most))
    try {
      await store.people.insertAudit({
        // Begins with a number that grows, so that rows of one millisecond have an order.
        id: `${(this.#written % 1_000_000).toString().padStart(6, '0')}${randomBytes(6).toString('hex')}`,
        at,
        actor_id: cut(actor?.id, 64),
        actor_name: cut(actor?.name, 200),
        action: action.slice(0, 64),
        subject_id: cut(subject?.id, 64),
        subject_name: cut(subject?.name, 320),
        detail: words === '' ? null : words.slice(0, 500),
      })
      if (this.#written++ % pruneEvery === 0) await store.people.pruneAudit(accountLimits.audit.rows, at - accountLimits.audit.days * dayMs)
    } catch (thrown) {
      onError(thrown)
    }
  }

  /** One page, newest first. @param before `next` of the page before it */
  async page(before?: string): Promise<AuditView> {
    const mark = /^(\d{1,16})\.([0-9a-f]{1,32})$/.exec(before ?? '')
    const limit = accountLimits.audit.page
    const rows = await this.#options.store.people.audit({
      limit: limit + 1,
      ...(mark === null ? {} : { before: { at: Number(mark[1]), id: mark[2]! } }),
    })
    const shown = rows.slice(0, limit)
    const last = shown.at(-1)
    return {
      entries: shown.map((row) => ({
        id: row.id,
        at: Number(row.at),
        actor: { id: row.actor_id, name: row.actor_name },
        action: row.action,
        subject: { id: row.subject_id, name: row.subject_name },
        detail: row.detail,
      })),
      next: rows.length > limit && last !== undefined ? `${last.at}.${last.id}` : null,
    }
  }
}
