// The processes of one container: its main one, and those that are executed in it. A program of the simulation, a builtin, a simulated tool, or a real
// process in a sandbox that is opened when it is first needed. Knows nothing of pods and of the CRI's bookkeeping.
import { posix } from 'node:path'
import type { Clock } from '../clock.ts'
import type { Files, Machine } from '../machine.ts'
import type { Netns } from '../net.ts'
import type { ContainerContext, ProcessHost, Running, Sandbox, SimImage, Spawned, SpawnRequest, Tool, ToolCall } from '../process.ts'
import { type BuiltinCall, resolve } from './commands.ts'
import { Rootfs } from './rootfs.ts'
import type { ContainerState, SandboxConfig } from './types.ts'

export interface HabitatOptions {
  machine: Machine
  net: Netns
  image: SimImage
  container: ContainerState
  pod: SandboxConfig
  clock: Clock
  processHost: ProcessHost
  tools: Readonly<Record<string, Tool>>
  /** absolute path on the machine for the container's own layer */
  upper: string
  /** what its main program says that it holds */
  memory?(bytes: number): void
}
/** One process: what its starter may do with it. */
export interface Process {
  signal(number: number): void
  /** ends at once, nothing more is heard of it */
  kill(): void
  write?(bytes: Uint8Array): void
  endInput?(): void
  resize?(size: { cols: number; rows: number }): void
  save?(): unknown
}
export interface ProcessRequest {
  argv: readonly string[]
  env: Readonly<Record<string, string>>
  cwd: string
  pty?: { cols: number; rows: number } | undefined
  stdin: boolean
  /** of the container: what ignores signals that it does not handle */
  first: boolean
  saved?: unknown
  out(bytes: Uint8Array | string, stream: 'stdout' | 'stderr'): void
  exit(code: number): void
}

/** Bytes that somebody writes and somebody else reads. */
export class Pipe implements AsyncIterable<Uint8Array> {
  readonly #chunks: Uint8Array[] = []
  #ended = false
  #wake: (() => void) | undefined
  write(bytes: Uint8Array): void {
    if (this.#ended) return
    this.#chunks.push(bytes)
    this.#wake?.()
  }
  end(): void {
    this.#ended = true
    this.#wake?.()
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = this.#chunks.shift()
      if (next) yield next
      else if (this.#ended) return
      else
        await new Promise<void>((resolved) => {
          this.#wake = resolved
        })
    }
  }
}

/** Where a container's processes live. */
export class Habitat {
  readonly files: Rootfs
  readonly #options: HabitatOptions
  #sandbox: Promise<Sandbox> | undefined
  #closed = false

  constructor(options: HabitatOptions) {
    this.#options = options
    const { container, machine, image } = options
    this.files = new Rootfs({
      machine: machine.files,
      upper: options.upper,
      image: image.files,
      mounts: container.config.mounts,
      readOnlyRoot: container.config.readOnlyRoot,
    })
  }

  /** @throws Error with runc's words when there is nothing to start */
  async start(asked: ProcessRequest): Promise<Process> {
    const { image, container } = this.#options
    const request = { ...asked, env: { HOME: homeOf(this.files, container.config.user.uid), ...asked.env } }
    const command = resolve(image, this.files, request.argv, request.env, request.cwd)
    if (command.kind === 'program') return this.#program(command.name, request)
    if (command.kind === 'builtin') return this.#inside(request, (call) => command.run(call))
    if (command.kind === 'tool') {
      const tool = this.#options.tools[command.name]
      if (!tool) throw new Error(`exec: "${request.argv[0]}": executable file not found in $PATH`)
      return this.#inside(request, (call) => tool(this.#toolCall(request, call)))
    }
    return this.#real(request)
  }
  /** A simulated tool or one of the image's programs, called by a real process of the container: `sh -c '…; exec nginx'`. */
  call(name: string, call: Omit<ToolCall, 'place' | 'clock'>): Promise<number> | undefined {
    const { clock, tools, image } = this.#options
    if (programsOnPath(image).includes(name)) return this.#called(name, call)
    const tool = (this.#options.image.tools ?? []).includes(name) || name === 'sleep' ? tools[name] : undefined
    if (tool) return tool({ ...call, clock, place: this.#place(call) })
    if (name !== 'sleep') return undefined
    return this.#inProcess(call.argv, call, call.signal)
  }
  /** a real process beside the container's own */
  async spawn(request: SpawnRequest): Promise<Spawned> {
    return (await this.#open()).spawn(request)
  }
  async close(): Promise<void> {
    this.#closed = true
    const sandbox = this.#sandbox
    this.#sandbox = undefined
    if (sandbox) await sandbox.then((open) => open.close()).catch(() => {})
  }

  #called(name: string, call: Omit<ToolCall, 'place' | 'clock'>): Promise<number> {
    return new Promise((resolve) => {
      const process = this.#program(name, {
        argv: call.argv,
        env: call.env,
        cwd: call.cwd,
        stdin: false,
        first: false,
        out: (bytes, stream) => (stream === 'stderr' ? call.err(bytes) : call.out(bytes)),
        exit: resolve,
      })
      const told = () => {
        const number = Number(Object.entries(signalNames).find(([, signal]) => signal === call.signal.reason)?.[0] ?? 9)
        if (number !== 9) return process.signal(number)
        // Its caller is gone without a word, as after SIGKILL.
        process.kill()
        resolve(137)
      }
      if (call.signal.aborted) told()
      else call.signal.addEventListener('abort', told, { once: true })
    })
  }
  async #inProcess(argv: readonly string[], call: Omit<ToolCall, 'place' | 'clock'>, signal: AbortSignal): Promise<number> {
    const found = resolve({ ...this.#options.image, shell: 'busybox' }, this.files, argv, call.env, call.cwd)
    if (found.kind !== 'builtin') return 127
    return found.run({ ...call, argv, files: this.files, hostname: this.#options.pod.hostname, clock: this.#options.clock, signal })
  }
  context(
    request: Pick<ProcessRequest, 'argv' | 'env' | 'cwd'>,
    more: Pick<ContainerContext, 'log' | 'exit' | 'saved' | 'memory'>,
  ): ContainerContext {
    const { clock, machine, net, container, pod } = this.#options
    const { user, privileged, capabilities, drop = [] } = container.config
    return {
      clock,
      machine,
      net,
      pid: container.pid,
      containerId: container.id,
      argv: request.argv,
      env: request.env,
      cwd: request.cwd,
      files: this.files,
      security: { uid: user.uid, privileged, capabilities, drop },
      pod: { namespace: pod.namespace, name: pod.name, uid: pod.uid, hostNetwork: pod.hostNetwork },
      ...more,
    }
  }
  #place(call: Pick<ToolCall, 'argv' | 'env' | 'cwd'>): ToolCall['place'] {
    const { machine, net } = this.#options
    return { machine, net, files: this.files, container: this.context(call, { log: () => {}, exit: () => {} }) }
  }
  #toolCall(request: ProcessRequest, call: BuiltinCall): ToolCall {
    return {
      place: this.#place(request),
      argv: [posix.basename(request.argv[0] as string), ...request.argv.slice(1)],
      cwd: request.cwd,
      env: request.env,
      uid: call.uid,
      clock: call.clock,
      stdin: call.stdin,
      ...(request.pty ? { tty: request.pty } : {}),
      out: call.out,
      err: call.err,
      signal: call.signal,
    }
  }

  #program(name: string, request: ProcessRequest): Process {
    let over = false
    const exit = (code: number) => {
      if (over) return
      over = true
      request.exit(code)
    }
    // What a program says while it is started again from a snapshot was said before.
    let silent = request.saved !== undefined
    let running: (Running & { save?(): unknown }) | undefined
    const context = this.context(request, {
      log: (text, stream) => {
        if (!over && !silent) request.out(text, stream ?? 'stdout')
      },
      exit,
      memory: (bytes) => {
        if (!over) this.#options.memory?.(bytes)
      },
      ...(request.saved === undefined ? {} : { saved: request.saved }),
    })
    const program = this.#options.image.programs[name] as NonNullable<SimImage['programs'][string]>
    try {
      running = program(context)
    } catch (error) {
      silent = false
      request.out(`${(error as Error).message}\n`, 'stderr')
      // Not before whoever starts it knows the process.
      queueMicrotask(() => exit(1))
    }
    silent = false
    return {
      signal: (number) => {
        if (!over) running?.signal(number)
      },
      kill: () => {
        if (over) return
        over = true
        // A program must let go of its listeners and timers; what it answers to SIGKILL is not heard.
        running?.signal(9)
      },
      save: () => running?.save?.(),
    }
  }
  #inside(request: ProcessRequest, run: (call: BuiltinCall) => Promise<number> | number): Process {
    const { clock, container, pod } = this.#options
    const end = new AbortController()
    const stdin = new Pipe()
    if (!request.stdin) stdin.end()
    let over = false
    const started = clock.now()
    const argv = resumed(request.argv, request.saved)
    const out = (stream: 'stdout' | 'stderr') => (bytes: Uint8Array | string) => {
      if (!over) request.out(bytes, stream)
    }
    const exit = (code: number) => {
      if (over) return
      over = true
      request.exit(code)
    }
    const call: BuiltinCall = {
      argv,
      env: request.env,
      cwd: request.cwd,
      files: this.files,
      hostname: pod.hostname,
      uid: container.config.user.uid,
      clock,
      stdin,
      signal: end.signal,
      out: out('stdout'),
      err: out('stderr'),
    }
    // In a later turn: whoever starts it hears `exit` only after the start.
    queueMicrotask(() => {
      Promise.resolve()
        .then(() => run(call))
        .then(exit, (error: Error) => {
          call.err(`${posix.basename(request.argv[0] as string)}: ${error.message}\n`)
          exit(1)
        })
    })
    const name = posix.basename(request.argv[0] as string)
    return {
      signal: (number) => {
        // The kernel keeps signals without a handler from a namespace's first process; pause has one.
        if (request.first && name !== 'pause') return
        end.abort()
        exit(name === 'pause' ? 0 : 128 + number)
      },
      kill: () => {
        over = true
        end.abort()
        stdin.end()
      },
      write: (bytes) => stdin.write(bytes),
      endInput: () => stdin.end(),
      save: () => (name === 'sleep' ? { slept: clock.now() - started + savedSleep(request.saved) } : undefined),
    }
  }
  async #real(request: ProcessRequest): Promise<Process> {
    const sandbox = await this.#open()
    const spawned: Spawned = await sandbox.spawn({
      argv: request.argv,
      user: 'root',
      cwd: request.cwd,
      env: request.env,
      ...(request.pty ? { pty: request.pty } : {}),
    })
    let over = false
    spawned.onData((bytes, stream) => {
      if (!over) request.out(bytes, stream)
    })
    spawned.onExit((code) => {
      if (over) return
      over = true
      request.exit(code)
    })
    if (!request.stdin) spawned.endInput()
    // A shell that is a namespace's first process dies of no signal that it does not trap.
    const deaf =
      request.first && /^(ba|da|a)?sh$/.test(posix.basename(request.argv[0] as string)) && !/\btrap\b|\bexec\b/.test(request.argv.join(' '))
    return {
      signal: (number) => {
        if (!deaf) spawned.kill(signalNames[number] ?? 'SIGTERM')
      },
      kill: () => {
        over = true
        spawned.kill('SIGKILL')
      },
      write: (bytes) => spawned.write(bytes),
      endInput: () => spawned.endInput(),
      resize: (size) => spawned.resize(size),
    }
  }
  #open(): Promise<Sandbox> {
    if (this.#closed) return Promise.reject(new Error('the container has ended'))
    this.#sandbox ??= this.#openNow().catch((error) => {
      this.#sandbox = undefined
      throw error
    })
    return this.#sandbox
  }
  async #openNow(): Promise<Sandbox> {
    const { machine, container, pod, processHost, image, tools } = this.#options
    const missing = await processHost.missing()
    if (missing) throw new Error(`${missing.message} ${missing.remedy}`)
    this.files.materialise()
    return processHost.open({
      id: `${machine.name}-${container.id.slice(0, 13)}`,
      machine,
      files: this.files,
      mounts: [...this.files.mounts]
        .reverse()
        .map((mount) => ({ path: mount.path, source: machine.files.hostPath(mount.hostPath), readOnly: mount.readOnly })),
      hostname: pod.hostname,
      ports: [],
      tools: ['sleep', ...programsOnPath(image), ...(image.tools ?? []).filter((name) => name in tools)],
      call: async (tool, call) => {
        const answer = this.call(tool, call)
        if (answer) return answer
        call.err(`sh: ${tool}: not found\n`)
        return 127
      },
      connection: (_to, socket) => socket.destroy(),
    })
  }
}
const signalNames: Readonly<Record<number, NodeJS.Signals>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  9: 'SIGKILL',
  10: 'SIGUSR1',
  12: 'SIGUSR2',
  15: 'SIGTERM',
  28: 'SIGWINCH',
}

/** Programs of an image that a shell finds by their bare name; an entrypoint like `/agnhost` is none. */
function programsOnPath(image: SimImage): string[] {
  const path = (image.env.PATH ?? '').split(':')
  return Object.keys(image.programs).filter((name) => {
    const [entry = ''] = image.entrypoint
    return posix.basename(entry) !== name || !entry.startsWith('/') || path.includes(posix.dirname(entry))
  })
}
/** What runc sets when nobody else did: of /etc/passwd, else the root. */
const homeOf = (files: Files, uid: number): string =>
  (files.text('/etc/passwd') ?? '')
    .split('\n')
    .map((line) => line.split(':'))
    .find((row) => row[2] === String(uid))?.[5] || (uid === 0 ? '/root' : '/')

const savedSleep = (saved: unknown): number => Number((saved as { slept?: number } | undefined)?.slept ?? 0)
/** A sleep that was saved goes on with what is left of it. */
function resumed(argv: readonly string[], saved: unknown): readonly string[] {
  const slept = savedSleep(saved)
  if (slept === 0 || argv.length !== 2 || !/^\d+(\.\d+)?$/.test(argv[1] as string)) return argv
  return [argv[0] as string, String(Math.max(0, Number(argv[1]) - slept / 1000))]
}
