// Ends a command that was cancelled or took too long, inside the machine it runs in. Knows nothing of why.
import type { Ground } from './ground.ts'
import type { Machine } from './machines.ts'

/** `pid` is the host's; only a process of that very machine is ended, with its descendants. */
export async function killProcess(ground: Ground, machine: Machine, pid: number): Promise<void> {
  const details = await ground.docker.ask(`look at ${machine.name}`, (api) => api.getContainer(machine.container).inspect())
  await ground.grader.one({ op: 'kill', pid: details.State.Pid, args: { pids: [pid], tree: true } })
}
