// Which addresses this server is known by, and whether a request comes from a page of it. Knows nothing of people.
// Host is compared exactly on every request, so that a name which an attacker points at this machine (DNS rebinding) gets nothing;
// Origin exactly on every request that changes something and on every socket, so that another site's page gets nothing.
import { LabError } from '#lib/protocol/index.ts'

export interface Known {
  readonly hosts: ReadonlySet<string>
  readonly origins: ReadonlySet<string>
}

const loopback = (address: string): boolean => address === '127.0.0.1' || address === '::1' || address === 'localhost'

/**
 * @param listen where the server listens; loopback is also reached as localhost, 127.0.0.1 and [::1]
 * @param publicUrl the address people use when a proxy stands in front; its scheme and host count exactly
 */
export function knownAs(listen: { host: string; port: number }, publicUrl?: string): Known {
  const names = loopback(listen.host) || listen.host === '0.0.0.0' || listen.host === '::' ? ['127.0.0.1', 'localhost', '[::1]'] : []
  if (!loopback(listen.host) && listen.host !== '0.0.0.0' && listen.host !== '::')
    names.push(listen.host.includes(':') ? `[${listen.host}]` : listen.host)
  const origins = new Set<string>()
  for (const name of names) origins.add(new URL(`http://${name}:${listen.port}`).origin)
  if (publicUrl !== undefined) origins.add(new URL(publicUrl).origin)
  return { origins, hosts: new Set([...origins].map((origin) => new URL(origin).host)) }
}

export interface RequestHead {
  method?: string | undefined
  headers: { host?: string | undefined; origin?: string | undefined }
}

/** @throws LabError foreign-origin for an unknown Host */
export function requireHost(known: Known, request: RequestHead): void {
  const host = request.headers.host?.toLowerCase()
  if (host !== undefined && known.hosts.has(host)) return
  throw new LabError('foreign-origin', `This server does not answer to the name ${JSON.stringify((host ?? '').slice(0, 100))}.`, {
    hint: `Open ${[...known.origins][0]}, or set PUBLIC_URL to the address that people use.`,
  })
}

/** @throws LabError foreign-origin unless the Origin is there and one of ours */
export function requireOrigin(known: Known, request: RequestHead): void {
  const { origin } = request.headers
  if (origin !== undefined && known.origins.has(origin)) return
  throw new LabError(
    'foreign-origin',
    origin === undefined
      ? 'This request carries no Origin header.'
      : `Requests from ${JSON.stringify(origin.slice(0, 100))} are not accepted.`,
    { hint: `Use the page itself (${[...known.origins][0]}); a program must send that address as its Origin header.` },
  )
}

/** Methods that only look (RFC 9110 §9.2.1). */
export const isSafe = (method: string | undefined): boolean => method === 'GET' || method === 'HEAD' || method === 'OPTIONS'

/** Whether a peer is this machine itself. */
export const isLoopback = (address: string | undefined): boolean =>
  address !== undefined && (address === '::1' || /^(::ffff:)?127\./.test(address))
