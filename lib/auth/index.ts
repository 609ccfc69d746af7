// The only door of auth: who somebody is and what they may, tickets for sockets, whether a request comes from our own page.
import type { Identity, TokenScope } from '#lib/protocol/index.ts'

export { Accounts, type AccountsOptions, type Answer, clientHeader, type Ended, type Provider } from './accounts.ts'
export { Audit } from './audit.ts'
export { Limiter } from './limiter.ts'
export { may, requireRole, requireScope, type Thing, type Verb } from './may.ts'
export { isLoopback, isSafe, type Known, knownAs, type RequestHead, requireHost, requireOrigin } from './origin.ts'
export { type Grant, Tickets, type TicketsOptions } from './tickets.ts'
export { type ApiTokens, bearerOf, isByTokenAlone } from './tokens.ts'

/** Somebody who asks, and by which sign-in; `login` is null where there is none. */
export interface Visitor extends Identity {
  login: string | null
  /** the token by which a program asks in their name; absent when they ask themselves */
  token?: { name: string; scopes: readonly TokenScope[] }
}
/** Who asks, by the request's headers; null: nobody who is known. */
export type Identify = (headers: Headers) => Promise<Visitor | null>

/** Without accounts everybody who reaches this server is its one local person. */
export const localPerson: Visitor = { id: 'local', name: 'local', email: null, role: 'admin', login: null }
