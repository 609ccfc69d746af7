// Who may do what: the one place that decides it. Routes, pages and sockets ask here and nowhere compare ids or roles themselves.
// Knows people and what a thing is; knows nothing of rows or HTTP.
import { type Identity, isAtLeast, LabError, type Role } from '#lib/protocol/index.ts'

/** `see`: look at it. `use`: work in it, as its owner does. */
export type Verb = 'see' | 'use'
/** What is somebody's own, whoever else may look at it. */
export interface Thing {
  kind: 'session' | 'drill'
  /** the person whose it is */
  owner: string
}

/** Whether somebody may do that to a thing. To whom it says no, the thing is not there: its id is not confirmed. */
export function may(who: Identity, _verb: Verb, thing: Thing): boolean {
  return thing.owner === who.id
}

/**
 * Who asks, if their role suffices.
 * @param who null: nobody who is known
 * @throws LabError unauthorized, forbidden
 */
export function requireRole<Who extends Identity>(who: Who | null, least: Role): Who {
  if (who === null)
    throw new LabError(
      'unauthorized',
      { en: 'You are not signed in, or no longer.', ko: '로그인하지 않았거나 로그인이 끝났습니다.' },
      { hint: { en: 'Sign in; then do it again.', ko: '로그인한 뒤 다시 하십시오.' } },
    )
  if (!isAtLeast(who.role, least))
    throw new LabError(
      'forbidden',
      least === 'admin'
        ? { en: 'Only administrators may do this.', ko: '관리자만 할 수 있습니다.' }
        : { en: 'Only instructors may do this.', ko: '강사만 할 수 있습니다.' },
      { hint: { en: 'Ask an administrator of this server.', ko: '이 서버의 관리자에게 요청하십시오.' } },
    )
  return who
}
