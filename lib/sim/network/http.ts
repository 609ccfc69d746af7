// One HTTP request over the lab's network. Knows nothing of who asks and how it is shown.
import type { HttpAnswer, Opened } from '../net.ts'
import type { Asker } from './dns.ts'

export interface Url {
  scheme: 'http' | 'https'
  host: string
  port: number
  path: string
  user?: string
}
/** undefined for what is no http(s) URL; `http://` is added when there is no scheme */
export function parseUrl(text: string): Url | undefined {
  const match = /^(?:(\w+):\/\/)?(?:([^@/]*)@)?(\[[^\]]+\]|[^:/?#]+)(?::(\d+))?([/?][^#]*)?/.exec(text)
  const scheme = (match?.[1] ?? 'http').toLowerCase()
  if (match === null || (scheme !== 'http' && scheme !== 'https')) return undefined
  const path = match[5] ?? '/'
  return {
    scheme,
    host: (match[3] as string).replace(/^\[|\]$/g, ''),
    port: Number(match[4] ?? (scheme === 'https' ? 443 : 80)),
    path: path.startsWith('?') ? `/${path}` : path,
    ...(match[2] === undefined ? {} : { user: match[2] }),
  }
}
export type Fetched = { kind: 'answer'; answer: HttpAnswer } | { kind: 'timeout' | 'no-http' | 'empty' | 'plain-on-tls' | 'tls-on-plain' }

/** Asks whoever was opened; ends after `timeoutMs` of the lab's time. */
export async function request(
  asker: Asker,
  opened: Opened,
  url: Url,
  options: { method?: string; headers?: Record<string, string>; body?: Uint8Array; timeoutMs: number },
): Promise<Fetched> {
  const { listener } = opened
  if (url.scheme === 'https' && !listener.tls) return { kind: 'tls-on-plain' }
  if (url.scheme === 'http' && listener.tls)
    // Go's servers say so in plain HTTP.
    return {
      kind: 'answer',
      answer: {
        status: 400,
        headers: { 'content-type': 'text/plain; charset=utf-8', connection: 'close' },
        body: Buffer.from('Client sent an HTTP request to an HTTPS server.\n'),
      },
    }
  if (listener.http === undefined) return { kind: listener.raw === undefined ? 'timeout' : 'no-http' }
  const usual = url.port === (url.scheme === 'https' ? 443 : 80)
  const headers = { host: usual ? url.host : `${url.host}:${url.port}`, ...options.headers }
  const ended = new AbortController()
  const answered = Promise.resolve()
    .then(() =>
      listener.http?.({
        method: options.method ?? 'GET',
        path: url.path,
        headers,
        body: options.body ?? new Uint8Array(),
        from: opened.from,
      }),
    )
    .then(
      (answer): Fetched => (answer === undefined ? { kind: 'empty' } : { kind: 'answer', answer }),
      (): Fetched => ({ kind: 'empty' }),
    )
  const late = asker.clock.sleep(options.timeoutMs, ended.signal).then((): Fetched => ({ kind: 'timeout' }))
  const first = await Promise.race([answered, late])
  ended.abort()
  return first
}
