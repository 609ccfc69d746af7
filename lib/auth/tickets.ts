// Tickets for sockets: a browser cannot put a header on a WebSocket, so the page fetches a ticket over HTTP first. Knows nothing of
// either. A ticket is random, works once, for 30 seconds, for one session and the person who fetched it.
import { createHash, randomBytes } from 'node:crypto'
import { LabError } from '#lib/protocol/index.ts'

export interface Grant {
  session: string
  /** the person who fetched it */
  person: string
  /** by which sign-in; null without accounts */
  login: string | null
  /** whose session it is */
  owner: string
  /** name of somebody who only looks at it; absent of its owner */
  watcher?: string
}
export interface TicketsOptions {
  /** epoch milliseconds */
  now?: () => number
  /** default 30 000 */
  lifeMs?: number
  /** tickets not used yet, over all people; beyond it none is given. Default 1 000 */
  limit?: number
}

export class Tickets {
  readonly #now: () => number
  readonly #lifeMs: number
  readonly #limit: number
  /** by the ticket's hash, in the order of expiry: the tickets themselves are kept nowhere */
  readonly #grants = new Map<string, Grant & { expiresAt: number }>()

  constructor(options: TicketsOptions = {}) {
    this.#now = options.now ?? Date.now
    this.#lifeMs = options.lifeMs ?? 30_000
    this.#limit = options.limit ?? 1000
  }

  /** @throws LabError rate-limited when too many are waiting to be used */
  issue(grant: Grant): { ticket: string; expiresAt: number } {
    this.#sweep()
    if (this.#grants.size >= this.#limit)
      throw new LabError('rate-limited', 'Too many connections are being opened at once.', { hint: 'Try again in half a minute.' })
    const ticket = randomBytes(32).toString('base64url')
    const expiresAt = this.#now() + this.#lifeMs
    this.#grants.set(digest(ticket), { ...grant, expiresAt })
    return { ticket, expiresAt }
  }

  /** Uses the ticket up. The grant, or null when it is unknown, used, expired or for another session. */
  redeem(ticket: string | null, session: string): Grant | null {
    this.#sweep()
    if (ticket === null || ticket.length > 100) return null
    const key = digest(ticket)
    const found = this.#grants.get(key)
    if (found === undefined) return null
    this.#grants.delete(key)
    const { expiresAt: _, ...grant } = found
    return grant.session === session ? grant : null
  }

  /** What a person, or one sign-in of theirs, has fetched and not used is worth nothing any more. */
  revoke(of: { person: string } | { login: string }): void {
    for (const [key, grant] of this.#grants)
      if ('person' in of ? grant.person === of.person : grant.login === of.login) this.#grants.delete(key)
  }

  #sweep(): void {
    const now = this.#now()
    for (const [key, { expiresAt }] of this.#grants) {
      if (expiresAt > now) return
      this.#grants.delete(key)
    }
  }
}

const digest = (ticket: string): string => createHash('sha256').update(ticket).digest('base64')
