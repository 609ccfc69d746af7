// The server: one HTTP port for the pages, the API and the sessions' sockets. It listens at once and warms up afterwards; it ends
// gracefully and leaves clusters running, to be adopted by the next run. Knows nothing of labs but how to build and close one.
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import path from 'node:path'
import { isSafe, type Known, knownAs, requireHost, requireOrigin } from '#lib/auth/index.ts'
import { asLabError, LabError, statusOf } from '#lib/protocol/index.ts'
import next from 'next'
import { pino } from 'pino'
import { type Config, readConfig, root } from './config.ts'
import { peerHeader } from './http.ts'
import { createLab } from './lab.ts'
import { refuse, Sockets } from './ws.ts'

/** Scripts only from here and with this answer's nonce; Monaco needs inline styles and blob workers, the recordings' player WebAssembly. */
function policy(nonce: string, dev: boolean): string {
  return [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}' 'wasm-unsafe-eval'${dev ? " 'unsafe-eval'" : ''}`,
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

function secure(request: IncomingMessage, response: ServerResponse, config: Config): void {
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
  response.end(JSON.stringify({ error: error.code === 'internal' ? { code: 'internal', message: 'Something unexpected went wrong on the server.' } : error.view() }))
}

export interface Running {
  url: string
  /** resolves when pages can be rendered. @throws LabError when there is no build */
  ready: Promise<void>
  close(): Promise<void>
}

/**
 * Listens, then prepares pages and backends in the background.
 * @param env as process.env
 * @throws LabError with every wrong setting; when the data directory or the port cannot be used
 */
export async function serve(env: NodeJS.ProcessEnv): Promise<Running> {
  const config = readConfig(env)
  const log = pino({ level: config.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 2, sync: true }))
  if (!config.dev && !existsSync(path.join(root, '.next/BUILD_ID'))) {
    throw new LabError('backend-unavailable', 'The pages have not been built.', { hint: 'Run `npm start`, which builds them, or `npm run build`; `npm run dev` serves them unbuilt.' })
  }
  const lab = await createLab(config, log, env)
  ;(globalThis as { [key: symbol]: unknown })[Symbol.for('kubemend.lab')] = lab

  let known: Known = { hosts: new Set(), origins: new Set() }
  const sockets = new Sockets({ known: () => known, tickets: lab.tickets, sessions: lab.sessionsOf, log })
  // Next would put an upgrade listener of its own on the server that it is given or finds: it gets one that nobody connects to.
  const app = next({ dev: config.dev, dir: root, hostname: config.host, port: config.port, httpServer: createServer() })
  const pages = app.getRequestHandler()
  const ready = Promise.withResolvers<void>()
  ready.promise.catch(() => {})

  const server = createServer({ requestTimeout: 60_000, headersTimeout: 20_000, maxHeaderSize: 32 * 1024 }, (request, response) => {
    secure(request, response, config)
    request.headers[peerHeader] = request.socket.remoteAddress ?? ''
    void (async () => {
      try {
        requireHost(known, request)
        if (!isSafe(request.method)) requireOrigin(known, request)
        await ready.promise
        await pages(request, response)
      } catch (thrown) {
        const error = asLabError(thrown)
        if (error.code === 'internal') log.error({ path: pathOf(request), error: error.message, stack: (error.cause as Error | undefined)?.stack }, 'a request failed')
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
    if (config.dev && pathname.startsWith('/_next/')) {
      try {
        requireHost(known, request)
        requireOrigin(known, request)
      } catch (thrown) {
        refuse(socket, asLabError(thrown))
        return
      }
      // Known only once the pages are prepared.
      void ready.promise.then(() => app.getUpgradeHandler()(request, socket as Socket, head)).catch(() => socket.destroy())
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
    await lab.close()
    const code = (cause as NodeJS.ErrnoException).code
    throw new LabError('backend-unavailable', `Port ${config.port} on ${config.host} ${code === 'EADDRINUSE' ? 'is already in use' : `cannot be used (${(cause as Error).message})`}.`, {
      hint: 'Choose another with PORT and HOST.',
      cause,
    })
  }
  const { port } = server.address() as AddressInfo
  known = knownAs({ host: config.host, port }, config.publicUrl)
  const url = [...known.origins][0]!
  app.prepare().then(
    () => {
      ready.resolve()
      lab.warm()
    },
    (thrown: unknown) => {
      log.error({ error: asLabError(thrown).message }, 'the pages cannot be served')
      ready.reject(thrown)
    },
  )

  let closing: Promise<void> | null = null
  return {
    url,
    ready: ready.promise,
    close: () => {
      closing ??= (async () => {
        server.close()
        await sockets.close()
        server.closeAllConnections()
        await lab.close()
        await app.close().catch(() => {})
      })()
      return closing
    },
  }
}

const pathOf = (request: IncomingMessage): string => (request.url ?? '/').split('?', 1)[0]!

if (import.meta.main) {
  try {
    const running = await serve(process.env)
    await running.ready
    process.stdout.write(`kubemend serves at ${running.url}\n`)
    // One signal ends it; more of them (the terminal's and a parent's) say nothing new. What hangs is cut short.
    const end = () => {
      setTimeout(() => process.exit(1), 20_000).unref()
      void running.close().then(
        () => process.exit(0),
        () => process.exit(1),
      )
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end)
  } catch (thrown) {
    const error = asLabError(thrown)
    process.stderr.write(`${error.message}\n${error.hint ?? ''}\n`)
    if (error.code === 'internal') process.stderr.write(`${(error.cause as Error | undefined)?.stack ?? ''}\n`)
    process.exit(1)
  }
}
