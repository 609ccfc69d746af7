// Who may do what: the one place that decides it. Routes, pages and sockets ask here and nowhere compare ids or roles themselves.
// Knows people and what a thing is; knows nothing of rows or HTTP.
import { grants, type Identity, isAtLeast, LabError, type Role, type TokenScope } from '#lib/protocol/index.ts'
import type { Visitor } from './index.ts'

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

/**
 * Who asks, if it is the person themselves or a token that is good for this.
 * @param scope null: no token is
 * @throws LabError forbidden, which names the scope
 */
export function requireScope(who: Visitor, scope: TokenScope | null): Visitor {
  if (who.token === undefined || (scope !== null && grants(who.token.scopes, scope))) return who
  throw scope === null
    ? new LabError(
        'forbidden',
        { en: 'No token may do this; it takes the person themselves.', ko: '토큰으로는 할 수 없고 본인이 직접 해야 하는 일입니다.' },
        { hint: { en: 'Sign in with a browser and do it there.', ko: '브라우저에서 로그인해 그곳에서 하십시오.' } },
      )
    : new LabError(
        'forbidden',
        {
          en: `This token lacks the scope "${scope}"; it has ${who.token.scopes.join(', ')}.`,
          ko: `이 토큰에는 "${scope}" 범위가 없습니다. 있는 범위: ${who.token.scopes.join(', ')}`,
        },
        {
          hint: {
            en: `Make a token with "${scope}" on the page of your account.`,
            ko: `계정 화면에서 "${scope}" 범위로 토큰을 새로 만드십시오.`,
          },
        },
      )
}
