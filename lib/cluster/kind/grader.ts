// The grader's container: one per owner, privileged, in the host's process namespace, without network. Through it the adapter looks into
// machines with tools that no learner can reach or replace. Speaks the JSON of the program `probe` in it; knows no checks.
import { LabError } from '#lib/protocol/index.ts'
import type { Docker } from './docker.ts'
import { GraderSession, SessionEnded } from './grader-session.ts'
import { graderName, label } from './names.ts'

/** One request to the program; `pid` is the machine's first process as the host sees it. */
export type GraderRequest = { op: string; pid: number; podUid?: string; timeoutMs?: number } & Record<string, unknown>
export type GraderAnswer = ({ ok: true } & Record<string, unknown>) | { ok: false; error: { kind: string; message: string } }

/** how the program ends when it does not know a command */
const usageError = 2

export class Grader {
  private ready: Promise<string> | undefined
  private session: Promise<GraderSession> | undefined
  /** the program in the container is of an earlier version, which answers one array and ends */
  private short = false
  private readonly docker: Docker
  private readonly owner: string
  private readonly image: string
  constructor(docker: Docker, owner: string, image: string) {
    this.docker = docker
    this.owner = owner
    this.image = image
  }

  /** @returns id of the running container, made or started when it is not there */
  private container(): Promise<string> {
    this.ready ??= this.ensure().catch((error: unknown) => {
      this.ready = undefined
      throw error
    })
    return this.ready
  }
  private async ensure(): Promise<string> {
    const name = graderName(this.owner)
    const image = await this.docker.find('look at the grader’s image', (api) => api.getImage(this.image).inspect())
    if (!image)
      throw new LabError('backend-unavailable', `The grader's image ${this.image} is not on this machine.`, {
        hint: 'Run `npm run setup:kind`.',
      })
    const existing = await this.docker.find('look at the grader', (api) => api.getContainer(name).inspect())
    if (existing) {
      if (existing.Config.Labels[label.owner] !== this.owner || existing.Config.Labels[label.role] !== 'grader') {
        throw new LabError('conflict', `A container named ${name} exists and is not ours.`, {
          hint: `Remove it (\`docker rm ${name}\`) if it is not needed.`,
        })
      }
      if (existing.Image === image.Id) {
        if (!existing.State.Running) await this.docker.ask('start the grader', (api) => api.getContainer(name).start())
        return existing.Id
      }
      await this.docker.ask('replace the grader', (api) => api.getContainer(name).remove({ force: true }))
    }
    const created = await this.docker.ask('create the grader', (api) =>
      api.createContainer({
        name,
        Image: this.image,
        Labels: { [label.owner]: this.owner, [label.role]: 'grader' },
        HostConfig: {
          Privileged: true,
          PidMode: 'host',
          // for `thaw`: a container sees only its own
          Binds: ['/sys/fs/cgroup:/host/cgroup'],
          NetworkMode: 'none',
          Memory: 256 * 1024 * 1024,
          RestartPolicy: { Name: 'unless-stopped' },
          LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '1' } },
        },
      }),
    )
    await this.docker.ask('start the grader', () => created.start())
    return created.id
  }

  private async open(): Promise<GraderSession> {
    for (;;) {
      this.session ??= this.container().then(
        async (container) => new GraderSession(await this.docker.attach(container, ['probe', 'serve'], { stdin: true })),
      )
      const opening = this.session
      const session = await opening.catch(() => undefined)
      if (session?.open) return session
      if (this.session === opening) this.session = undefined
      if (session === undefined) return opening // says why
    }
  }
  private async once(requests: readonly GraderRequest[], limits: { timeoutMs: number; signal?: AbortSignal }): Promise<unknown> {
    const container = await this.container()
    const { stdout, stderr, exitCode } = await this.docker.exec(container, ['probe'], { stdin: JSON.stringify(requests), ...limits })
    try {
      return JSON.parse(stdout)
    } catch {
      throw new LabError(
        'internal',
        `The grader did not answer as it should (exit code ${exitCode}): ${(stderr || stdout).trim().slice(0, 300)}`,
      )
    }
  }

  /** Answers in the order of the requests. @throws LabError internal when the grader itself failed, docker-unavailable, cancelled, timeout */
  async ask(requests: readonly GraderRequest[], signal?: AbortSignal): Promise<GraderAnswer[]> {
    const limits = {
      timeoutMs: 15_000 + Math.max(0, ...requests.map((request) => request.timeoutMs ?? 3000)),
      ...(signal ? { signal } : {}),
    }
    const run = async () => (this.short ? this.once(requests, limits) : (await this.open()).ask(requests, limits))
    const answers = await run()
      .catch((error: unknown) => {
        // The container was removed, stopped or replaced behind our back: once more.
        if (error instanceof SessionEnded) this.short ||= error.exitCode === usageError
        else if (!(error instanceof LabError && ['not-found', 'conflict'].includes(error.code))) throw error
        this.ready = undefined
        return run()
      })
      .catch((error: unknown) => {
        throw error instanceof SessionEnded ? new LabError('internal', error.message, { cause: error }) : error
      })
    if (Array.isArray(answers) && answers.length === requests.length) return answers as GraderAnswer[]
    throw new LabError('internal', 'The grader did not answer every request.')
  }
  /** One request. @throws LabError not-found for what is not there, too-large, bad-request, internal for the grader's own failure */
  async one(request: GraderRequest, signal?: AbortSignal): Promise<Record<string, unknown>> {
    const [answer] = await this.ask([request], signal)
    if (answer?.ok) return answer
    throw graderError(answer?.error ?? { kind: 'grader', message: 'no answer' })
  }
  /** Lets a container's frozen processes go on: what is frozen ends at no signal. */
  async thaw(container: string): Promise<void> {
    const id = await this.container()
    const own = await this.docker.ask('look at the grader', (api) => api.getContainer(id).inspect())
    await this.one({ op: 'thaw', pid: own.State.Pid, timeoutMs: 10_000, args: { container } })
  }
  /** Lets go of the program; the container stays. */
  async close(): Promise<void> {
    const session = this.session
    this.session = undefined
    await session?.then((open) => open.close()).catch(() => {})
  }
  async remove(): Promise<void> {
    await this.close()
    this.ready = undefined
    await this.docker.find('remove the grader', (api) => api.getContainer(graderName(this.owner)).remove({ force: true }))
  }
}

export function graderError({ kind, message }: { kind: string; message: string }): LabError {
  if (kind === 'not-found' || kind === 'no-such-pod') return new LabError('not-found', message)
  if (kind === 'too-large') return new LabError('too-large', message)
  if (kind === 'disk-full') return new LabError('disk-full', message, { hint: 'Free some space where Docker keeps its data.' })
  if (kind === 'bad-request') return new LabError('bad-request', message)
  return new LabError('internal', `The grader could not look: ${message}`, {
    hint: 'This is our failure, not yours. It is tried again; if it stays, restart the server.',
  })
}
