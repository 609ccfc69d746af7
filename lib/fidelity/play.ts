// Plays a script on a cluster and keeps what was answered. Knows nothing of which backend it is, nor of what would be right.
import type { Cluster } from '#lib/cluster/index.ts'
import { asLabError } from '#lib/protocol/index.ts'
import type { Facts } from './normalise.ts'
import type { Script } from './script.ts'

export interface Answer {
  run: string
  exitCode: number
  stdout: string
  stderr: string
}
/** One script as a cluster answered it. */
export interface Recording {
  script: string
  kubernetes: string
  facts: Facts
  answers: Answer[]
}
export interface PlayOptions {
  signal: AbortSignal
  log: (line: string) => void
  /** lab milliseconds in which `until` must come true; default 240 000 */
  patienceMs?: number
}

/** @throws LabError cancelled, docker-unavailable, backend-unavailable; a command's failure is an answer */
export async function play(cluster: Cluster, script: Script, options: PlayOptions): Promise<Recording> {
  const lab = cluster.clock
  const now = () => lab?.now() ?? Date.now()
  const pause = (ms: number) => lab?.wait(ms, options.signal) ?? new Promise<void>((resolve) => setTimeout(resolve, ms))
  const answers: Answer[] = []
  for (const step of script.steps) {
    const once = () =>
      cluster
        .exec(step.at ?? 'workstation', ['bash', '-c', step.run], { signal: options.signal, timeoutMs: 180_000 })
        .catch((thrown: unknown) => {
          const error = asLabError(thrown)
          if (error.code !== 'timeout') throw error
          return { exitCode: 124, stdout: '', stderr: error.message }
        })
    let answer = await once()
    const end = now() + (options.patienceMs ?? 240_000)
    while (step.until !== undefined && !new RegExp(step.until, 'm').test(answer.stdout + answer.stderr) && now() < end) {
      await pause(500)
      answer = await once()
    }
    options.log(`    ${answer.exitCode === 0 ? ' ' : answer.exitCode} ${step.run.split('\n')[0]?.slice(0, 120)}`)
    answers.push({ run: step.run, ...answer })
  }
  if (script.cleanup !== undefined)
    await cluster.exec('workstation', ['bash', '-c', script.cleanup], { signal: options.signal, timeoutMs: 180_000 })
  return {
    script: script.name,
    kubernetes: cluster.kubernetesVersion,
    facts: {
      id: cluster.id,
      ...(lab ? { ahead: true } : {}),
      nodes: cluster.nodes.map(({ place, name, address }) => ({ place, name, address })),
    },
    answers,
  }
}
