// The ground under a cluster: is Docker there, do the machines run, does the API answer. Machines that Docker stopped (a restart of the
// daemon or of the host) are started again, and until the API has had its time nothing is held against the learner.
// Knows nothing of sessions.
import { asLabError, LabError } from '#lib/protocol/index.ts'
import { kubernetesApi, wait } from '../api.ts'
import type { Health } from '../port.ts'
import type { Ground } from './ground.ts'
import { type Machine, machinesOf } from './machines.ts'
import { writeHosts } from './workstation.ts'

const recoveryMs = 180_000

export class Watcher {
  private readonly ground: Ground
  private readonly id: string
  private readonly kubeconfig: string
  private readonly size: number
  private readonly moved: (machines: readonly Machine[]) => void
  /** container → when Docker last started it */
  private started: Map<string, string> | undefined
  private recovery: Promise<void> | undefined
  private trouble = ''

  /** @param size machines that there should be; `moved` hears of new addresses */
  constructor(ground: Ground, id: string, kubeconfig: string, size: number, moved: (machines: readonly Machine[]) => void) {
    this.ground = ground
    this.id = id
    this.kubeconfig = kubeconfig
    this.size = size
    this.moved = moved
  }

  async look(signal?: AbortSignal): Promise<Health> {
    const { docker, owner } = this.ground
    const hint = 'Nothing needs to be done: the lab goes on as soon as it answers.'
    try {
      const machines = await machinesOf(docker, owner, this.id)
      if (machines.length < this.size) {
        return {
          state: 'backend-gone',
          message: `Of this lab's ${this.size} machines, Docker has only ${machines.length}: somebody removed the others.`,
          hint: 'This lab cannot be continued. Start it again.',
        }
      }
      const running = new Map<string, string>()
      await Promise.all(
        machines.map(async ({ container }) => {
          const { State } = await docker.ask('look at a machine', (api) => api.getContainer(container).inspect())
          if (State.Running) running.set(container, State.StartedAt)
        }),
      )
      const stopped = machines.filter(({ container }) => !running.has(container))
      const restarted = this.started !== undefined && [...running].some(([container, at]) => this.started?.get(container) !== at)
      if (!this.recovery && (stopped.length > 0 || restarted)) {
        this.recovery = this.recover(stopped).then(
          () => {
            this.recovery = undefined
            this.trouble = ''
          },
          (error: unknown) => {
            this.recovery = undefined
            this.trouble = asLabError(error).message
          },
        )
      } else if (!this.recovery) this.started = running
      if (this.recovery) {
        return {
          state: 'backend-gone',
          message: `Docker had stopped this lab's machines; they are being started again.${this.trouble ? ` The last try failed: ${this.trouble}` : ''}`,
          hint,
        }
      }
    } catch (thrown) {
      const error = asLabError(thrown)
      if (error.code === 'cancelled') throw error
      return { state: 'backend-gone', message: error.message, hint: error.hint ?? hint }
    }
    const answer = await this.api(signal)
    return answer === 'ok' ? { state: 'ok' } : { state: 'unreachable', message: answer }
  }

  /** `ok`, or why not */
  private async api(signal?: AbortSignal): Promise<string> {
    const api = kubernetesApi(this.kubeconfig)
    try {
      const answer = await api.raw('GET', '/readyz', undefined, { timeoutMs: 3000, ...(signal ? { signal } : {}) })
      return answer === 'ok' ? 'ok' : 'The API server says that it is not ready.'
    } catch (thrown) {
      if (signal?.aborted) throw new LabError('cancelled', 'The look at the cluster was cancelled.')
      return (thrown as Error).message
    } finally {
      api.close()
    }
  }

  private async recover(stopped: readonly Machine[]): Promise<void> {
    const { docker, owner } = this.ground
    // The control plane first, as kind does: the others look for it.
    for (const machine of stopped) await docker.ask(`start ${machine.name}`, (api) => api.getContainer(machine.container).start())
    const machines = await machinesOf(docker, owner, this.id)
    this.moved(machines)
    const workstation = machines.find((machine) => machine.place === 'workstation')
    if (workstation)
      await writeHosts(
        docker,
        workstation,
        machines.filter((machine) => machine !== workstation),
      )
    const limit = AbortSignal.timeout(recoveryMs)
    while (!limit.aborted && (await this.api()) !== 'ok') await wait(1000, limit)
    // Whatever the API does after that time, it is not Docker that keeps it.
    const states = await Promise.all(
      machines.map(
        async ({ container }) =>
          [container, (await docker.ask('look at a machine', (api) => api.getContainer(container).inspect())).State.StartedAt] as const,
      ),
    )
    this.started = new Map(states)
  }
  /** resolves when a recovery that is under way has ended */
  async settled(): Promise<void> {
    await this.recovery
  }
}
