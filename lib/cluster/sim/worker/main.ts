// The worker process of simulated clusters: the simulation itself, with real processes in sandboxes. Started by ../workers.ts.
import { Lab, SimClock } from '#lib/sim/index.ts'
import { createSandboxHost } from '#lib/sim/sandbox/index.ts'
import { runWorker } from './run.ts'

await runWorker({
  maker: Lab,
  newClock: (options) => new SimClock(options),
  processHost: ({ cache, log }) => createSandboxHost({ cache, log }),
})
