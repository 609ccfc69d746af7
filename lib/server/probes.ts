// What machines ask this server beside its pages: whether it is alive, whether it can work, what it has counted. Knows nothing of Next.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isLoopback } from '#lib/auth/index.ts'

export interface ProbesOptions {
  /** parts that have to be there for the server to be of use: rejects, or false, when one is not */
  parts: Readonly<Record<string, () => Promise<boolean>>>
  metrics(): Promise<string>
  /** lets others than this machine read the metrics */
  token: string | undefined
  /** milliseconds after which a part that says nothing is not there; default 3 000 */
  patienceMs?: number
}

const same = (left: string, right: string): boolean => {
  const digest = (value: string) => createHash('sha256').update(value).digest()
  return timingSafeEqual(digest(left), digest(right))
}

/** /healthz and /readyz say nothing that is anybody's: they are answered before Host is looked at, for a balancer asks by address. */
export const isHealth = (path: string): boolean => path === '/healthz' || path === '/readyz'
export const isMetrics = (path: string): boolean => path === '/metrics'

export function createProbes(options: ProbesOptions) {
  const { parts, patienceMs = 3000 } = options
  const json = (response: ServerResponse, status: number, value: unknown) => {
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    response.end(JSON.stringify(value))
  }
  const there = async (part: () => Promise<boolean>): Promise<boolean> => {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), patienceMs)
    })
    try {
      return await Promise.race([part(), late])
    } catch {
      return false
    } finally {
      clearTimeout(timer)
    }
  }
  return {
    async health(path: string, response: ServerResponse): Promise<void> {
      if (path === '/healthz') {
        json(response, 200, { alive: true })
        return
      }
      const looked = await Promise.all(Object.entries(parts).map(async ([name, part]) => [name, await there(part)] as const))
      const ready = looked.every(([, fine]) => fine)
      json(response, ready ? 200 : 503, { ready, ...Object.fromEntries(looked) })
    },
    /** Only for this machine without a proxy's headers, or with the token. */
    async metrics(request: IncomingMessage, response: ServerResponse): Promise<void> {
      const { authorization, forwarded, 'x-forwarded-for': via, 'x-real-ip': real } = request.headers
      const bearer = /^Bearer (.+)$/.exec(authorization ?? '')?.[1]
      const local = isLoopback(request.socket.remoteAddress) && forwarded === undefined && via === undefined && real === undefined
      const known = options.token !== undefined && bearer !== undefined && same(bearer, options.token)
      if (!known && (!local || bearer !== undefined)) {
        const message = 'Metrics are read on this machine, or with the token in KUBEMEND_METRICS_TOKEN.'
        json(response, 403, { error: { code: 'forbidden', message, hint: 'Send `Authorization: Bearer …`.' } })
        return
      }
      const text = await options.metrics()
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'cache-control': 'no-store' })
      response.end(text)
    },
  }
}
export type Probes = ReturnType<typeof createProbes>
