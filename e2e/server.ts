// A real server for tests, in a process of its own on a free port, with the fake backend and the scenarios beside this file.
// Knows nothing of browsers. Its data directory is its own and is removed at the end.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ScenarioCard, SessionView } from '#lib/protocol/index.ts'
import { Page } from './socket.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

export interface ServerOptions {
  /** added to the environment */
  env?: Record<string, string>
}

export class LabServer {
  readonly dataDir: string
  readonly #env: Record<string, string>
  #child: ChildProcess | null = null
  #port = 0
  url = ''
  /** what it wrote to standard error, the newest 64 KiB */
  log = ''

  private constructor(dataDir: string, env: Record<string, string>) {
    this.dataDir = dataDir
    this.#env = env
  }

  static async boot(options: ServerOptions = {}): Promise<LabServer> {
    const server = new LabServer(await mkdtemp(path.join(tmpdir(), 'kubemend-e2e-')), options.env ?? {})
    try {
      await server.start()
    } catch (error) {
      await server.stop()
      throw error
    }
    return server
  }

  /** Starts it (again), on the port that it had. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'lib/server/main.ts'], {
      cwd: root,
      env: {
        ...process.env,
        NODE_ENV: 'production',
        NEXT_TELEMETRY_DISABLED: '1',
        HOST: '127.0.0.1',
        PORT: String(this.#port),
        KUBEMEND_DATA: this.dataDir,
        KUBEMEND_SCENARIOS: path.join(root, 'e2e/scenarios'),
        KUBEMEND_BACKENDS: 'fake',
        KUBEMEND_POOL: '0',
        KUBEMEND_SESSIONS_PER_USER: '50',
        ...this.#env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.log = (this.log + text).slice(-64 * 1024)
    })
    this.url = await new Promise<string>((resolve, reject) => {
      let out = ''
      child.stdout!.setEncoding('utf8').on('data', (text: string) => {
        out += text
        const found = /serves at (http:\S+)/.exec(out)
        if (found) resolve(found[1]!)
      })
      child.once('exit', (code) => reject(new Error(`the server ended with ${code} before it served:\n${out}${this.log}`)))
    })
    this.#port = Number(new URL(this.url).port)
  }
  /** Ends the process and keeps the data. SIGKILL: as a crash would. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child
    this.#child = null
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await gone
  }
  async restart(signal?: NodeJS.Signals): Promise<void> {
    await this.end(signal)
    await this.start()
  }
  async stop(): Promise<void> {
    await this.end()
    await rm(this.dataDir, { recursive: true, force: true })
  }

  // ---- its API, as the page would ask

  async get<T>(target: string): Promise<T> {
    const response = await fetch(this.url + target)
    if (!response.ok) throw new Error(`GET ${target}: ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }
  send(method: string, target: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.url + target, { method, headers: { origin: this.url, 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) })
  }
  async post<T>(target: string, body: unknown = {}): Promise<T> {
    const response = await this.send('POST', target, body)
    if (!response.ok) throw new Error(`POST ${target}: ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }
  /** The card whose English title is this. */
  async scenario(title: string): Promise<ScenarioCard> {
    const { scenarios } = await this.get<{ scenarios: ScenarioCard[] }>('/api/catalogue')
    const card = scenarios.find((one) => one.title.en === title)
    if (card === undefined) throw new Error(`no scenario "${title}" among ${scenarios.map((one) => one.title.en).join(', ')}`)
    return card
  }
  /** Starts a scenario by its English title. */
  async begin(title: string, seed = 'e2e'): Promise<string> {
    const { id } = await this.post<{ id: string }>('/api/sessions', { scenario: (await this.scenario(title)).id, seed })
    return id
  }
  session(id: string): Promise<SessionView> {
    return this.get(`/api/sessions/${id}`)
  }
  act(id: string, type: string): Promise<unknown> {
    return this.post(`/api/sessions/${id}/actions`, { type })
  }
  /** A page's socket to a session. */
  async open(id: string, options: { after?: number; autoAck?: boolean } = {}): Promise<Page> {
    const { ticket } = await this.post<{ ticket: string }>(`/api/sessions/${id}/ticket`)
    return Page.connect(`${this.url.replace('http', 'ws')}/ws/session/${id}?ticket=${ticket}${options.after === undefined ? '' : `&after=${options.after}`}`, this.url, options)
  }
  /** The directory of a fake machine, for tests that look behind the curtain. */
  async machine(place: string): Promise<string> {
    const [cluster] = (await readdir(path.join(this.dataDir, 'fake'))).slice(-1)
    return path.join(this.dataDir, 'fake', cluster!, place)
  }
  readMachine(place: string, file: string): Promise<string> {
    return this.machine(place).then((dir) => readFile(path.join(dir, file), 'utf8'))
  }
}
