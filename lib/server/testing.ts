// For tests: a lab on the fake backend behind a real port, with the real route handlers but without Next, in this process.
// Knows nothing of what is tested.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { type FakeProvider, fakeProvider } from '#lib/cluster/index.ts'
import type { Clock } from '#lib/session/index.ts'
import { freshDatabase } from '#lib/store/database.fixture.ts'
import { type Config, readConfig, root } from './config.ts'
import { type Front, openFront } from './front.ts'
import { createLab, type Lab, type Parts } from './lab.ts'
import { operations } from './openapi.ts'
import { createProbes } from './probes.ts'
import { Sockets, type SocketsOptions } from './ws.ts'

/** The machine's time, which a test may leap ahead: what is due by then happens at once, in order. */
export class Leaping implements Clock {
  #ahead = 0
  readonly #timers = new Set<{ at: number; fire: () => void }>()
  now(): number {
    return Date.now() + this.#ahead
  }
  after(millis: number, callback: () => void): () => void {
    const timer = setTimeout(() => entry.fire(), millis)
    const cancel = () => {
      clearTimeout(timer)
      this.#timers.delete(entry)
    }
    const entry = {
      at: this.now() + millis,
      fire: () => {
        cancel()
        callback()
      },
    }
    this.#timers.add(entry)
    return cancel
  }
  leap(millis: number): void {
    this.#ahead += millis
    const due = [...this.#timers].filter((entry) => entry.at <= this.now()).sort((a, b) => a.at - b.at)
    for (const entry of due) if (this.#timers.has(entry)) entry.fire()
  }
}

export const quietLog = { info() {}, warn() {}, error() {} }

/** Patterns of app/api as Next reads its folders: `[id]` is a segment by that name. */
function routes(dir: string, base = ''): { pattern: RegExp; names: string[]; file: string }[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return routes(path.join(dir, entry.name), `${base}/${entry.name}`)
    if (entry.name !== 'route.ts') return []
    const names = [...base.matchAll(/\[(\w+)\]/g)].map((match) => match[1]!)
    return [{ pattern: new RegExp(`^/api${base.replaceAll(/\[\w+\]/g, '([^/]+)')}$`), names, file: path.join(dir, entry.name) }]
  })
}
/** Where a route's answer is not what the API's document says of it; null: nowhere, or the document does not speak of it. */
function undescribed(method: string, file: string, bytes: Buffer): string | null {
  const folder = `/api/${path.relative(path.join(root, 'app/api'), path.dirname(file))}`
  const operation = Object.values(operations).find((one) => one.method === method && one.path === folder)
  if (operation === undefined || 'contentType' in operation.response) return null
  const value: unknown = JSON.parse(bytes.toString('utf8'))
  const parsed = operation.response.safeParse(value)
  if (!parsed.success) return `${method} ${folder} answers otherwise than it is described: ${parsed.error.message}`
  return isDeepStrictEqual(parsed.data, value)
    ? null
    : `${method} ${folder} answers more than is described: ${bytes.toString('utf8').slice(0, 2000)}`
}
type Handler = (request: Request, context: { params: Promise<Record<string, string>> }) => Promise<Response>

async function dispatch(table: ReturnType<typeof routes>, request: IncomingMessage, response: ServerResponse, lab: Lab): Promise<void> {
  const url = new URL(request.url ?? '/', `http://${request.headers.host}`)
  for (const { file, names, pattern } of table) {
    const found = pattern.exec(url.pathname)
    if (found === null) continue
    const module = (await import(pathToFileURL(file).href)) as Record<string, Handler | undefined>
    const handler = module[request.method ?? 'GET']
    if (handler === undefined) break
    const hasBody = request.method !== 'GET' && request.method !== 'HEAD'
    const headers = new Headers()
    for (const [name, value] of Object.entries(request.headers)) if (typeof value === 'string') headers.set(name, value)
    const asked = new Request(url, {
      method: request.method ?? 'GET',
      headers,
      ...(hasBody ? { body: Readable.toWeb(request) as ReadableStream, duplex: 'half' } : {}),
    } as RequestInit)
    const params = Object.fromEntries(names.map((name, index) => [name, decodeURIComponent(found[index + 1]!)]))
    // Handlers take the lab before they wait for anything; another test lab may live beside this one.
    ;(globalThis as { [key: symbol]: unknown })[Symbol.for('kubemend.lab')] = lab
    const answered = await handler(asked, { params: Promise.resolve(params) })
    const bytes = Buffer.from(await answered.arrayBuffer())
    const wrong = answered.ok ? undescribed(request.method ?? 'GET', file, bytes) : null
    if (wrong !== null) {
      response.writeHead(500, { 'content-type': 'text/plain' })
      response.end(wrong)
      return
    }
    const cookies = answered.headers.getSetCookie()
    response.writeHead(answered.status, {
      ...Object.fromEntries(answered.headers),
      ...(cookies.length > 0 ? { 'set-cookie': cookies } : {}),
    })
    response.end(bytes)
    return
  }
  response.writeHead(404)
  response.end()
}

export interface TestLabOptions {
  env?: Record<string, string>
  parts?: Parts
  sockets?: Partial<Pick<SocketsOptions, 'pingMs' | 'perSession' | 'messages'>>
}

/** A lab that can be restarted on the same data, port and clusters, as a server whose clusters outlive it. */
export class TestLab {
  readonly dataDir = mkdtempSync(path.join(tmpdir(), 'kubemend-lab-'))
  readonly provider: FakeProvider = fakeProvider({ dir: path.join(this.dataDir, 'fake') })
  readonly #options: TestLabOptions
  // As in Next, a path that is spelt out goes before one with a name in brackets.
  readonly #table = routes(path.join(root, 'app/api')).sort((a, b) => a.names.length - b.names.length)
  config!: Config
  lab!: Lab
  front!: Front

  readonly #database: Awaited<ReturnType<typeof freshDatabase>>

  private constructor(options: TestLabOptions, database: Awaited<ReturnType<typeof freshDatabase>>) {
    this.#options = options
    this.#database = database
  }
  static async open(options: TestLabOptions = {}): Promise<TestLab> {
    const test = new TestLab(options, await freshDatabase())
    await test.start()
    return test
  }
  get url(): string {
    return this.front.url
  }
  async start(): Promise<void> {
    const port = this.front === undefined ? '0' : new URL(this.url).port
    this.config = readConfig({
      NODE_ENV: 'test',
      PORT: port,
      KUBEMEND_DATA: this.dataDir,
      KUBEMEND_SCENARIOS: path.join(root, 'e2e/scenarios'),
      KUBEMEND_BACKENDS: 'fake',
      KUBEMEND_POOL: '0',
      KUBEMEND_SESSIONS_PER_USER: '20',
      ...(this.#database.url === undefined ? {} : { DATABASE_URL: this.#database.url }),
      ...this.#options.env,
    })
    const parts: Parts = {
      provider: () => this.provider,
      ...this.#options.parts,
      sessions: { healthMs: 50, adoptMs: 50, ...this.#options.parts?.sessions },
    }
    this.lab = await createLab(this.config, quietLog, process.env, parts)
    this.front = await openFront({
      config: this.config,
      log: quietLog,
      sockets: (known) =>
        new Sockets({ known, tickets: this.lab.tickets, sessions: this.lab.sessionsOf, log: quietLog, ...this.#options.sockets }),
      probes: createProbes({
        parts: {
          database: async () => {
            await this.lab.ping()
            return true
          },
        },
        metrics: () => this.lab.metrics.text(),
        token: this.config.metricsToken,
      }),
      onAnswer: (status) => this.lab.metrics.answered(status),
      pages: (request, response) => dispatch(this.#table, request, response, this.lab),
    })
    this.lab.servedAt(this.front.url)
    this.lab.onEnded((of) => this.front.sockets.dismiss(of))
    this.lab.warm()
  }
  /** Ends the server and keeps data and clusters. */
  async end(): Promise<void> {
    await this.front.close()
    await this.lab.close()
  }
  async restart(): Promise<void> {
    await this.end()
    await this.start()
  }
  async close(): Promise<void> {
    await this.end()
    for await (const cluster of this.provider.adopt()) await cluster.destroy()
    await this.#database.drop()
    rmSync(this.dataDir, { recursive: true, force: true })
  }
}
