// The one error class of the project. Knows nothing of HTTP or of any module: a code, words for the person, and the cause.
import { z } from 'zod'
import type { Text } from './views.ts'

/**
 * What went wrong, as a stable name. `user` errors are the person's to mend, `lab` errors ours or the machine's.
 * The HTTP status of each is in `statusOf`.
 */
export const errorCodes = {
  'bad-request': 400,
  unauthorized: 401,
  'foreign-origin': 403,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'too-large': 413,
  'rate-limited': 429,
  'capacity-exceeded': 503,
  'backend-unavailable': 503,
  'docker-unavailable': 503,
  'cluster-unreachable': 503,
  'cluster-create-failed': 500,
  'restore-mismatch': 500,
  'scenario-invalid': 500,
  'fault-not-injected': 500,
  'symptom-absent': 500,
  'disk-full': 507,
  cancelled: 499,
  timeout: 504,
  internal: 500,
} as const
export type ErrorCode = keyof typeof errorCodes
export const statusOf = (code: ErrorCode): number => errorCodes[code]

export const errorView = z.object({
  code: z.enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]),
  /** what happened and why, one or two sentences, no stack */
  message: z.string(),
  /** what the person can do about it */
  hint: z.string().optional(),
  /** the same in Korean, of errors that a learner may meet */
  ko: z.object({ message: z.string(), hint: z.string().optional() }).optional(),
})
/** The only form in which an error crosses a port or a socket. */
export type ErrorView = z.infer<typeof errorView>

/** In English, or in every language of the product where a learner may meet it. */
export type Words = string | Text
const english = (words: Words): string => (typeof words === 'string' ? words : words.en)
const korean = (words: Words): string => (typeof words === 'string' ? words : words.ko)

export interface LabErrorOptions {
  /** what the person can do about it */
  hint?: Words | undefined
  cause?: unknown
}

export class LabError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly ko: ErrorView['ko']
  constructor(code: ErrorCode, message: Words, options: LabErrorOptions = {}) {
    super(english(message), options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'LabError'
    this.code = code
    const { hint } = options
    this.hint = hint === undefined ? undefined : english(hint)
    if (typeof message !== 'string' || (hint !== undefined && typeof hint !== 'string'))
      this.ko = { message: korean(message), ...(hint === undefined ? {} : { hint: korean(hint) }) }
  }
  /** One that has crossed a port. */
  static from({ code, message, hint, ko }: ErrorView): LabError {
    const said = (en: string, korean: string | undefined): Words => (korean === undefined ? en : { en, ko: korean })
    return new LabError(code, said(message, ko?.message), hint === undefined ? {} : { hint: said(hint, ko?.hint) })
  }
  /** @param otherwise what can be done where the error itself says nothing of it */
  view(otherwise?: Text): ErrorView {
    const { code, ko, message } = this
    const hint = this.hint ?? otherwise?.en
    const koHint = ko?.hint ?? (this.hint === undefined ? otherwise?.ko : undefined)
    return {
      code,
      message,
      ...(hint === undefined ? {} : { hint }),
      ...(ko === undefined && koHint === undefined
        ? {}
        : { ko: { message: ko?.message ?? message, ...(koHint === undefined ? {} : { hint: koHint }) } }),
    }
  }
}

/**
 * Any thrown value as a LabError; what is not one already becomes `internal` with the original as its cause.
 * One process may hold several copies of this module (Next bundles its own), so a LabError is known by its shape, not by its class.
 */
export function asLabError(thrown: unknown): LabError {
  if (thrown instanceof LabError) return thrown
  if (thrown instanceof Error && thrown.name === 'LabError' && 'code' in thrown && String(thrown.code) in errorCodes)
    return thrown as LabError
  if (thrown instanceof Error && thrown.name === 'AbortError')
    return new LabError('cancelled', 'The operation was cancelled.', { cause: thrown })
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new LabError('internal', message, { cause: thrown })
}
