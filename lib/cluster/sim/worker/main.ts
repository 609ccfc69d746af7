// The worker process of simulated clusters: the simulation itself, with real processes in sandboxes. Started by ../workers.ts.
import { Lab, SimClock, Spares } from '#lib/sim/index.ts'
import { createSandboxHost } from '#lib/sim/sandbox/index.ts'
import { runWorker } from './run.ts'

await runWorker({
  maker: (ahead) => {
    const spares = new Spares(ahead)
    return {
      create: (spec, deps) => Lab.create(spec, { ...deps, spares }),
      load: (snapshot, dir, deps) => Lab.load(snapshot, dir, deps),
      booted: (workers) => Lab.booted(workers),
      close: () => spares.close(),
    }
  },
  newClock: (options) => new SimClock(options),
  processHost: ({ cache, log }) => createSandboxHost({ cache, log }),
})
