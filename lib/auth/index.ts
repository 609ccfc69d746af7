// The only door of auth: who somebody is, tickets for sockets, whether a request comes from our own page.
export { isLoopback, isSafe, type Known, knownAs, type RequestHead, requireHost, requireOrigin } from './origin.ts'
export { type Grant, Tickets, type TicketsOptions } from './tickets.ts'

/** A person as the lab knows them. */
export interface Identity {
  /** opaque, stable */
  id: string
}
/** Without accounts everybody who reaches this server is its one local user. */
export const localIdentity: Identity = { id: 'local' }
