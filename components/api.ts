// The page's side of the HTTP API: one request, its answer checked against a schema, its failure as an ApiError.
// Knows the protocol's shapes and nothing of React; what a failure is called in the reader's language is `errorWords`' business.
import type { z } from 'zod'
import { type ErrorView, errorView } from '#lib/protocol/index.ts'
import type { Messages } from './i18n/en.ts'

/** Why a request failed. `view` is the server's own account, absent when the server was not reached or not understood. */
export class ApiError extends Error {
  readonly kind: 'lab' | 'network' | 'unexpected'
  readonly status: number
  readonly view: ErrorView | null
  /** the answer's whole body, for answers that carry more than the error (a conflict carries the current file) */
  readonly body: unknown
  constructor(kind: 'lab' | 'network' | 'unexpected', status: number, view: ErrorView | null, body: unknown, cause?: unknown) {
    super(view?.message ?? kind, { cause })
    this.name = 'ApiError'
    this.kind = kind
    this.status = status
    this.view = view
    this.body = body
  }
}

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  body?: unknown
  /** a body that is JSON text already, such as a file */
  text?: string
  signal?: AbortSignal
  fetch?: typeof fetch
}

/** Asks `path`; answers what `schema` makes of the JSON body. Throws ApiError, or the signal's AbortError. */
export async function request<T>(path: string, schema: z.ZodType<T>, options: RequestOptions = {}): Promise<T> {
  const { method = 'GET', signal } = options
  const body = options.text ?? (options.body === undefined ? undefined : JSON.stringify(options.body))
  const response = await send(path, options.fetch ?? fetch, {
    method,
    cache: 'no-store',
    credentials: 'same-origin',
    ...(signal ? { signal } : {}),
    ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
  })
  const json: unknown = await response.json().catch(() => undefined)
  if (!response.ok) {
    const said = errorView.safeParse((json as { error?: unknown } | undefined)?.error)
    throw new ApiError(said.success ? 'lab' : 'unexpected', response.status, said.success ? said.data : null, json)
  }
  const parsed = schema.safeParse(json)
  if (!parsed.success) throw new ApiError('unexpected', response.status, null, json, parsed.error)
  return parsed.data
}

/** A body that is text, such as a recording. Throws as `request` does. */
export async function requestText(path: string, signal?: AbortSignal): Promise<string> {
  const response = await send(path, fetch, { cache: 'no-store', credentials: 'same-origin', ...(signal ? { signal } : {}) })
  const text = await response.text()
  if (response.ok) return text
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    json = undefined
  }
  const said = errorView.safeParse((json as { error?: unknown } | undefined)?.error)
  throw new ApiError(said.success ? 'lab' : 'unexpected', response.status, said.success ? said.data : null, json)
}

async function send(path: string, run: typeof fetch, init: RequestInit): Promise<Response> {
  try {
    return await run(path, init)
  } catch (thrown) {
    if (thrown instanceof DOMException && thrown.name === 'AbortError') throw thrown
    throw new ApiError('network', 0, null, undefined, thrown)
  }
}

export interface ErrorWords {
  /** what happened, in the reader's language */
  title: string
  /** the server's own account where there is one */
  message: string | null
  hint: string | null
}

/** An error as words for a person: a title in their language by its code, then the server's message and hint. */
export function errorWords(error: ErrorView | ApiError | unknown, m: Messages): ErrorWords {
  if (error instanceof ApiError) {
    if (error.view) return errorWords(error.view, m)
    return error.kind === 'network'
      ? { title: m.error.network, message: null, hint: m.error.networkHint }
      : { title: m.error.unexpected, message: null, hint: m.error.unexpectedHint }
  }
  const view = errorView.safeParse(error)
  if (view.success) {
    const { code, ko } = view.data
    const { hint, message } = m.code === 'ko' && ko !== undefined ? ko : view.data
    return { title: m.error.codes[code], message, hint: hint ?? null }
  }
  return { title: m.error.unexpected, message: error instanceof Error ? error.message : null, hint: m.error.unexpectedHint }
}
