// The HTTP port itself: who may ask (Host, Origin), what every answer says (security headers), which upgrades are whose. What is
// behind it, pages and sockets, is handed in. Knows nothing of Next or of labs.
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { clientHeader, isByTokenAlone, isSafe, type Known, knownAs, requireHost, requireOrigin } from '#lib/auth/index.ts'
import { asLabError, LabError, statusOf } from '#lib/protocol/index.ts'
import type { Log } from '#lib/session/index.ts'
import type { Config } from './config.ts'
import { pathHeader, peerHeader } from './http.ts'
import { isHealth, isMetrics, type Probes } from './probes.ts'
import { refuse, Sockets } from './ws.ts'

export interface FrontOptions {
  config: Pick<Config, 'auth' | 'dev' | 'host' | 'port' | 'publicUrl' | 'proxies'>
  log: Log
  /** sockets, told later which addresses this server is known by */
  sockets: (known: () => Known) => Sockets
  /** pages and API; waits by itself until they are ready */
  pages(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** what machines ask */
  probes?: Probes
  /** hears how each request was answered */
  onAnswer?(status: number): void
  /** upgrades under /_next/, in development */
  pageUpgrade?(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void>
}
export interface Front {
  /** where it is reached from this machine, or the public address */
  url: string
  sockets: Sockets
  close(): Promise<void>
}

/** Scripts only from here and with this answer's nonce; Monaco needs inline styles and blob workers, the recordings' player WebAssembly. */
function policy(nonce: string, dev: boolean): string {
  return [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}'${dev ? " 'unsafe-eval'" : ''}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ')
}

function secure(request: IncomingMessage, response: ServerResponse, config: FrontOptions['config']): void {
  const csp = policy(randomBytes(16).toString('base64'), config.dev)
  // Next takes the nonce for its own scripts from the request's header of this name.
  request.headers['content-security-policy'] = csp
  response.setHeader('content-security-policy', csp)
  response.setHeader('x-content-type-options', 'nosniff')
  response.setHeader('x-frame-options', 'DENY')
  response.setHeader('referrer-policy', 'same-origin')
  response.setHeader('cross-origin-opener-policy', 'same-origin')
  response.setHeader('cross-origin-resource-policy', 'same-origin')
  response.setHeader('permissions-policy', 'camera=(), geolocation=(), microphone=(), payment=(), usb=()')
  if (config.publicUrl?.startsWith('https:')) response.setHeader('strict-transport-security', 'max-age=31536000')
}

function answer(response: ServerResponse, thrown: unknown): void {
  const error = asLabError(thrown)
  if (response.headersSent) {
    response.destroy()
    return
  }
  response.writeHead(statusOf(error.code), { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(
    JSON.stringify({
      error: error.code === 'internal' ? { code: 'internal', message: 'Something unexpected went wrong on the server.' } : error.view(),
    }),
  )
}

/** Listens. @throws LabError backend-unavailable when the port cannot be used */
export async function openFront(options: FrontOptions): Promise<Front> {
  const { config, log } = options
  let known: Known = { hosts: new Set(), origins: new Set() }
  const sockets = options.sockets(() => known)

  const server = createServer({ requestTimeout: 60_000, headersTimeout: 20_000, maxHeaderSize: 32 * 1024 }, (request, response) => {
    secure(request, response, config)
    request.headers[peerHeader] = request.socket.remoteAddress ?? ''
    request.headers[pathHeader] = request.url ?? '/'
    request.headers[clientHeader] = clientOf(request, config.proxies)
    response.once('finish', () => options.onAnswer?.(response.statusCode))
    void (async () => {
      try {
        const asked = pathOf(request)
        const { probes } = options
        if (probes !== undefined && isSafe(request.method) && isHealth(asked)) return await probes.health(asked, response)
        requireHost(known, request)
        if (probes !== undefined && isSafe(request.method) && isMetrics(asked)) return await probes.metrics(request, response)
        const byToken = config.auth !== null && isByTokenAlone(request.headers)
        if (!isSafe(request.method) && !byToken) requireOrigin(known, request)
        await options.pages(request, response)
      } catch (thrown) {
        const error = asLabError(thrown)
        if (error.code === 'internal')
          log.error({ path: pathOf(request), error: error.message, stack: (error.cause as Error | undefined)?.stack }, 'a request failed')
        answer(response, thrown)
      }
    })()
  })
  server.on('upgrade', (request, socket, head) => {
    const pathname = pathOf(request)
    socket.on('error', () => socket.destroy())
    if (Sockets.isOurs(pathname)) {
      sockets.upgrade(request, socket, head)
      return
    }
    if (options.pageUpgrade !== undefined && pathname.startsWith('/_next/')) {
      try {
        requireHost(known, request)
        requireOrigin(known, request)
      } catch (thrown) {
        refuse(socket, asLabError(thrown))
        return
      }
      options.pageUpgrade(request, socket as Socket, head).catch(() => socket.destroy())
      return
    }
    // An upgrade that nobody claims would hang.
    refuse(socket, new LabError('not-found', 'There is no such socket.'))
  })
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n')
  })

  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(config.port, config.host, resolve)
    })
  } catch (cause) {
    await sockets.close()
    const code = (cause as NodeJS.ErrnoException).code
    throw new LabError(
      'backend-unavailable',
      `Port ${config.port} on ${config.host} ${code === 'EADDRINUSE' ? 'is already in use' : `cannot be used (${(cause as Error).message})`}.`,
      {
        hint: 'Choose another with PORT and HOST.',
        cause,
      },
    )
  }
  const { port } = server.address() as AddressInfo
  known = knownAs({ host: config.host, port }, config.publicUrl)
  const url = [...known.origins][0]!
  return {
    url,
    sockets,
    async close() {
      server.close()
      await sockets.close()
      server.closeAllConnections()
    },
  }
}

/**
 * The address of who asks. Behind so many proxies each of which adds the address that it was asked from, it is that many entries from the
 * right; what stands further to the left, anybody can have written.
 */
function clientOf(request: IncomingMessage, proxies: number): string {
  const peer = request.socket.remoteAddress ?? ''
  if (proxies === 0) return peer
  const forwarded = [request.headers['x-forwarded-for'] ?? []].flat().join(',').split(',')
  return forwarded.at(-proxies)?.trim() || peer
}

const pathOf = (request: IncomingMessage): string => (request.url ?? '/').split('?', 1)[0]!
