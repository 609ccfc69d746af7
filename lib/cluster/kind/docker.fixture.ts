// A Docker that is not there, for tests of the kind adapter: its HTTP API on a unix socket over a few containers and networks in memory.
// The shapes of its answers are those that Docker 20.10 gave. What commands in containers answer is a table that the test gives. It starts
// no process and checks nothing that a test does not look at.
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export interface FakeContainer {
  id: string
  name: string
  image: string
  labels: Record<string, string>
  networks: string[]
  running: boolean
  startedAt: string
  pid: number
  host: Record<string, unknown>
}
/** what a command answers; the first whose pattern is in the command's words counts */
export interface Answer {
  seen: RegExp
  exitCode?: number
  stdout?: string | ((stdin: string) => string)
  stderr?: string
}

const verbs = new Set(['json', 'start', 'exec', 'changes', 'logs', 'create'])

export class FakeDocker {
  readonly containers: FakeContainer[] = []
  readonly networks: { id: string; name: string; labels: Record<string, string>; createdAt?: string }[] = []
  readonly images = new Set<string>()
  /** `METHOD /path` of every request that changes something */
  readonly changes: string[] = []
  /** words of every command in a container, `place: argv` */
  readonly commands: string[] = []
  answers: Answer[] = []
  /** what `probe serve` answers to one request; undefined: the program ends instead */
  grader: (request: { op: string }) => object | undefined = () => ({ ok: true })
  /** the grader's program knows no `serve` yet; what it answers is in `answers` */
  earlier = false
  /** open sessions of `probe serve` */
  readonly sessions = new Set<Socket>()
  memory = 8 * 1024 ** 3
  cpus = 4
  /** refuses with this the next request whose `METHOD /path` matches */
  failOn: { seen: RegExp; status: number; message: string } | undefined
  private readonly execs = new Map<
    string,
    { container: FakeContainer; argv: string[]; stdin: boolean; exitCode: number | null; looks: number }
  >()
  private server: Server | undefined
  private readonly sockets = new Set<Socket>()
  private readonly path: string
  private clock = 0

  constructor(path: string) {
    this.path = path
  }
  async start(): Promise<void> {
    this.server = createServer((request, response) => {
      this.handle(request, response).catch((error: Error) => send(response, 500, { message: error.message }))
    })
    this.server.on('connection', (socket: Socket) => {
      this.sockets.add(socket)
      socket.on('close', () => this.sockets.delete(socket))
    })
    this.server.on('upgrade', (request, socket, head) => {
      this.upgrade(request, socket as Socket, head)
    })
    await new Promise<void>((resolve) => this.server?.listen(this.path, resolve))
  }
  /** As when the daemon is stopped: connections break, containers end, the socket is gone. */
  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    await new Promise((resolve) => this.server?.close(resolve))
    for (const container of this.containers) container.running = false
  }
  add(container: Partial<FakeContainer> & { name: string }): FakeContainer {
    this.clock += 1
    const made: FakeContainer = {
      id: randomBytes(32).toString('hex'),
      image: 'none',
      labels: {},
      networks: [],
      running: true,
      startedAt: `2026-01-01T00:00:${String(this.clock).padStart(2, '0')}Z`,
      pid: 1000 + this.clock,
      host: {},
      ...container,
    }
    this.containers.push(made)
    return made
  }
  /** What `kind create cluster` makes. */
  addNodes(cluster: string, network: string, workers: number): void {
    const node = (name: string, role: string) =>
      this.add({
        name: `${cluster}-${name}`,
        networks: [network],
        labels: { 'io.x-k8s.kind.cluster': cluster, 'io.x-k8s.kind.role': role },
      })
    node('control-plane', 'control-plane')
    for (let index = 1; index <= workers; index++) node(`worker${index === 1 ? '' : index}`, 'worker')
  }

  private find(id: string): FakeContainer | undefined {
    return this.containers.find((container) => container.id === id || container.name === id)
  }
  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://docker')
    const call = `${request.method} ${decodeURIComponent(url.pathname)}`
    const text = await readAll(request)
    const body = text ? JSON.parse(text) : {}
    if (request.method !== 'GET') this.changes.push(call)
    if (this.failOn?.seen.test(call)) {
      const { status, message } = this.failOn
      this.failOn = undefined
      return send(response, status, { message })
    }
    const labels: string[] = labelFilter(url.searchParams.get('filters'))
    const has = (own: Record<string, string>) =>
      labels.every((wanted) => {
        const [name, value] = wanted.split('=')
        return name !== undefined && own[name] !== undefined && (value === undefined || own[name] === value)
      })
    // An image's name has slashes of its own.
    const parts = decodeURIComponent(url.pathname).split('/').filter(Boolean)
    const verb = parts.length > 1 && verbs.has(parts.at(-1) ?? '') ? (parts.at(-1) ?? '') : ''
    const kind = parts[0] ?? ''
    const id = parts.slice(1, verb ? -1 : undefined).join('/')
    switch (`${request.method} ${kind} ${verb}`.trim()) {
      case 'GET _ping':
        return void response.end('OK')
      case 'GET info':
        return send(response, 200, { MemTotal: this.memory, NCPU: this.cpus })
      case 'GET images json':
        return this.images.has(id ?? '')
          ? send(response, 200, { Id: `sha256:${id}` })
          : send(response, 404, { message: `No such image: ${id}` })
      case 'GET networks':
        return send(
          response,
          200,
          this.networks
            .filter((network) => has(network.labels))
            .map(({ createdAt = new Date().toISOString(), id, labels, name }) => ({
              Id: id,
              Name: name,
              Labels: labels,
              Created: createdAt,
            })),
        )
      case 'POST networks create': {
        const network = { id: randomBytes(32).toString('hex'), name: body.Name, labels: body.Labels }
        this.networks.push(network)
        return send(response, 201, { Id: network.id })
      }
      case 'DELETE networks': {
        const at = this.networks.findIndex((network) => network.id === id)
        if (at < 0) return send(response, 404, { message: 'no such network' })
        if (this.containers.some((container) => container.networks.includes(this.networks[at]!.name)))
          return send(response, 403, { message: 'network has active endpoints' })
        this.networks.splice(at, 1)
        return void response.writeHead(204).end()
      }
      case 'GET containers json':
        if (id) {
          const container = this.find(id)
          return container ? send(response, 200, inspect(container)) : send(response, 404, { message: `No such container: ${id}` })
        }
        return send(response, 200, this.containers.filter((container) => has(container.labels)).map(summary))
      case 'POST containers create': {
        const { HostConfig, Labels, Image } = body
        const network = HostConfig.NetworkMode
        const made = this.add({
          name: url.searchParams.get('name') ?? randomBytes(4).toString('hex'),
          image: Image,
          labels: Labels,
          networks: network ? [network] : [],
          running: false,
          host: HostConfig,
        })
        return send(response, 201, { Id: made.id, Warnings: [] })
      }
      case 'POST containers start': {
        const container = this.find(id ?? '')
        if (!container) return send(response, 404, { message: 'No such container' })
        this.clock += 1
        container.running = true
        container.startedAt = `2026-01-01T00:01:${String(this.clock).padStart(2, '0')}Z`
        return void response.writeHead(204).end()
      }
      case 'DELETE containers': {
        const at = this.containers.findIndex((container) => container.id === id || container.name === id)
        if (at < 0) return send(response, 404, { message: `No such container: ${id}` })
        this.containers.splice(at, 1)
        return void response.writeHead(204).end()
      }
      case 'POST containers exec': {
        const container = this.find(id ?? '')
        if (!container) return send(response, 404, { message: `No such container: ${id}` })
        if (!container.running) return send(response, 409, { message: `Container ${id} is not running` })
        const exec = randomBytes(16).toString('hex')
        this.execs.set(exec, { container, argv: body.Cmd, stdin: body.AttachStdin === true, exitCode: null, looks: 0 })
        return send(response, 201, { Id: exec })
      }
      case 'GET exec json': {
        // As the daemon does: running is known before the process's id is.
        const exec = this.execs.get(id ?? '')
        const looks = exec === undefined ? 0 : exec.looks++
        return send(response, 200, { Running: exec?.exitCode === null, ExitCode: exec?.exitCode ?? null, Pid: looks === 0 ? 0 : 4242 })
      }
      case 'GET containers logs':
        return void response.end('console of the machine\n')
      default:
        return send(response, 501, { message: `${call} is not played` })
    }
  }
  /** `POST /exec/<id>/start` with its connection taken over. */
  private upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const exec = this.execs.get(/\/exec\/(\w+)\/start/.exec(request.url ?? '')?.[1] ?? '')
    if (!exec) return void socket.end('HTTP/1.1 404 Not Found\r\n\r\n')
    this.sockets.add(socket)
    // The body of the request comes first, then standard input.
    let left = Number(request.headers['content-length'] ?? 0)
    let stdin = ''
    const words = exec.argv.join(' ')
    this.commands.push(`${exec.container.name}: ${words}`)
    socket.write('HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n')
    const session = words === 'probe serve' && !this.earlier
    if (session) {
      this.sessions.add(socket)
      socket.on('close', () => this.sessions.delete(socket))
    }
    const lines = () => {
      for (let at = stdin.indexOf('\n'); at >= 0; at = stdin.indexOf('\n')) {
        const { id, requests } = JSON.parse(stdin.slice(0, at)) as { id: number; requests: { op: string }[] }
        stdin = stdin.slice(at + 1)
        const answers = requests.map((request) => this.grader(request))
        if (answers.includes(undefined)) {
          exec.exitCode = 137
          return void socket.destroy()
        }
        // In pieces: a stream keeps no boundaries.
        const text = `${JSON.stringify({ id, answers })}\n`
        socket.write(Buffer.concat([frame(1, text.slice(0, 5)), frame(1, text.slice(5))]))
      }
    }
    let answered = false
    const answer = () => {
      if (answered) return
      answered = true
      const found = this.answers.find(({ seen }) => seen.test(words))
      const stdout = typeof found?.stdout === 'function' ? found.stdout(stdin) : (found?.stdout ?? '')
      exec.exitCode = found?.exitCode ?? 0
      socket.end(Buffer.concat([frame(1, stdout), frame(2, found?.stderr ?? '')]))
    }
    const take = (chunk: Buffer) => {
      const skipped = Math.min(left, chunk.length)
      left -= skipped
      stdin += chunk.subarray(skipped).toString('utf8')
      if (session) lines()
      else if (words === 'probe serve') answer()
    }
    take(head)
    socket.on('data', take)
    socket.on('end', answer)
    // whoever asked may be gone
    socket.on('error', () => {})
    if (!exec.stdin) setImmediate(answer)
  }
}

const frame = (stream: number, text: string): Buffer => {
  const payload = Buffer.from(text)
  if (payload.length === 0) return payload
  const header = Buffer.alloc(8)
  header[0] = stream
  header.writeUInt32BE(payload.length, 4)
  return Buffer.concat([header, payload])
}
const networksOf = (container: FakeContainer) =>
  Object.fromEntries(container.networks.map((name) => [name, { IPAddress: container.running ? `172.20.0.${container.pid - 1000}` : '' }]))
const summary = (container: FakeContainer) => ({
  Id: container.id,
  Names: [`/${container.name}`],
  Labels: container.labels,
  State: container.running ? 'running' : 'exited',
  NetworkSettings: { Networks: networksOf(container) },
})
const inspect = (container: FakeContainer) => ({
  Id: container.id,
  Name: `/${container.name}`,
  Image: `sha256:${container.image}`,
  Config: { Labels: container.labels },
  State: {
    Running: container.running,
    Status: container.running ? 'running' : 'exited',
    Pid: container.running ? container.pid : 0,
    StartedAt: container.startedAt,
    ExitCode: container.running ? 0 : 137,
    OOMKilled: false,
    Error: '',
  },
  NetworkSettings: { Ports: { '6443/tcp': [{ HostIp: '127.0.0.1', HostPort: '16443' }] }, Networks: networksOf(container) },
})
/** both forms that clients send: {"label":["a=b"]} and {"label":{"a=b":true}} */
function labelFilter(filters: string | null): string[] {
  const { label = [] } = JSON.parse(filters ?? '{}') as { label?: string[] | Record<string, boolean> }
  return Array.isArray(label) ? label : Object.keys(label)
}
function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
