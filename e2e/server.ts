// A real server for tests, in a process of its own on a free port, with the fake backend and the scenarios beside this file.
// Knows nothing of browsers. Its data directory is its own and is removed at the end.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from '#lib/server/client.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

export interface ServerOptions {
  /** added to the environment */
  env?: Record<string, string>
}

export class LabServer extends Client {
  readonly dataDir: string
  readonly #env: Record<string, string>
  #child: ChildProcess | null = null
  #port = 0
  /** what it wrote to standard error, the newest 64 KiB */
  log = ''
  /** what it wrote to standard output since it was started */
  out = ''

  private constructor(dataDir: string, env: Record<string, string>) {
    super('')
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
        KUBEMEND_UNPROVEN: '1',
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
      this.out = ''
      child.stdout!.setEncoding('utf8').on('data', (text: string) => {
        this.out += text
        const found = /serves at (http:\S+)/.exec(this.out)
        if (found) resolve(found[1]!)
      })
      child.once('exit', (code) => reject(new Error(`the server ended with ${code} before it served:\n${this.out}${this.log}`)))
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
    // A worker of simulated labs may still be writing; it ends once its folder is gone.
    await rm(this.dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 })
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
