// The server: pages, API and sockets on one port. It listens at once and warms up afterwards; it ends gracefully and leaves clusters
// running, to be adopted by the next run. Knows nothing of labs but how to build and close one.
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import path from 'node:path'
import next from 'next'
import { pino } from 'pino'
import { asLabError, LabError } from '#lib/protocol/index.ts'
import { readConfig, root } from './config.ts'
import { type Front, openFront } from './front.ts'
import { createLab } from './lab.ts'
import { createProbes } from './probes.ts'
import { Sockets } from './ws.ts'

export interface Running {
  url: string
  /** the link by which the first admin gets an account; null when there is one, and without accounts */
  firstAdmin(): Promise<string | null>
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
  const log = pino(
    { level: config.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  )
  if (!config.dev && !existsSync(path.join(root, '.next/BUILD_ID'))) {
    throw new LabError('backend-unavailable', 'The pages have not been built.', {
      hint: 'Run `npm start`, which builds them, or `npm run build`; `npm run dev` serves them unbuilt.',
    })
  }
  const lab = await createLab(config, log, env)
  ;(globalThis as { [key: symbol]: unknown })[Symbol.for('kubemend.lab')] = lab

  // Next would put an upgrade listener of its own on the server that it is given or finds: it gets one that nobody connects to.
  const app = next({ dev: config.dev, dir: root, hostname: config.host, port: config.port, httpServer: createServer() })
  const pages = app.getRequestHandler()
  const ready = Promise.withResolvers<void>()
  ready.promise.catch(() => {})
  let paged = false
  const probes = createProbes({
    parts: {
      pages: async () => paged,
      database: async () => {
        await lab.ping()
        return true
      },
    },
    metrics: () => lab.metrics.text(),
    token: config.metricsToken,
  })
  let front: Front
  try {
    front = await openFront({
      config,
      log,
      sockets: (known) => new Sockets({ known, tickets: lab.tickets, sessions: lab.sessionsOf, log }),
      probes,
      onAnswer: (status) => lab.metrics.answered(status),
      async pages(request, response) {
        await ready.promise
        await pages(request, response)
      },
      ...(config.dev
        ? {
            // Known only once the pages are prepared.
            pageUpgrade: async (request, socket, head) => {
              await ready.promise
              await app.getUpgradeHandler()(request, socket, head)
            },
          }
        : {}),
    })
  } catch (error) {
    await lab.close()
    throw error
  }
  lab.metrics.gauge({ name: 'kubemend_sockets', help: 'Pages that are connected to a session.', read: () => [[{}, front.sockets.count]] })
  lab.servedAt(front.url)
  lab.onEnded((of) => front.sockets.dismiss(of))
  app.prepare().then(
    () => {
      paged = true
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
    url: front.url,
    firstAdmin: async () => (await lab.accounts?.firstAdmin()) ?? null,
    ready: ready.promise,
    close: () => {
      closing ??= (async () => {
        await front.close()
        await lab.close()
        await app.close().catch(() => {})
      })()
      return closing
    },
  }
}

if (import.meta.main) {
  try {
    const running = await serve(process.env)
    await running.ready
    const first = await running.firstAdmin()
    if (first !== null)
      process.stdout.write(`Nobody administers this server yet. Whoever opens this link does (once, within a day): ${first}\n`)
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
