// What every worker process does around its Worker: reads its argument, keeps a log, dies of what nobody caught. Knows nothing of labs.
import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import type { ProcessHost } from '#lib/sim/index.ts'
import type { WorkerArguments } from '../workers.ts'
import type { LabMaker, NewClock } from './lab.ts'
import { boundedLog } from './log.ts'
import { Worker } from './worker.ts'

/** Runs until the worker ends. */
export async function runWorker(parts: {
  /** `ahead`: a folder of this process’s that the maker may make and fill */
  maker: (ahead: string) => LabMaker
  newClock: NewClock
  processHost: (told: WorkerArguments & { log(line: string): void }) => ProcessHost & { close?(): Promise<void> }
  lonelyMs?: { labs: number; empty: number }
}): Promise<void> {
  const told = JSON.parse(process.argv[2] ?? '{}') as WorkerArguments
  const at = join(told.dir, 'workers', told.name)
  const log = boundedLog(join(at, 'log'), () => new Date())
  const output = join(at, 'output')
  // One lab's slip in a promise that nobody waits for must not end the others; what is thrown where nobody can catch it does.
  process.on('unhandledRejection', (reason) => log(`nobody caught: ${reason instanceof Error ? reason.stack : String(reason)}`))
  process.on('uncaughtException', (error) => {
    log(`ending: ${error.stack}`)
    process.stderr.write(`${error.stack}\n`)
    process.exit(1)
  })
  // Ctrl-C in the server's terminal is the server's; an operator's SIGTERM ends it with everything written down.
  process.on('SIGINT', () => {})
  process.on('SIGHUP', () => {})
  const processHost = parts.processHost({ ...told, log })
  const worker = await Worker.start({
    dir: told.dir,
    name: told.name,
    version: told.version,
    maker: parts.maker(join(at, 'spare')),
    newClock: parts.newClock,
    processHost,
    log,
    ...(parts.lonelyMs === undefined ? {} : { lonelyMs: parts.lonelyMs }),
    onEnd: () => void Promise.resolve(processHost.close?.()).finally(() => process.exit(0)),
  })
  process.on('SIGTERM', () => void worker.leave())
  // What libraries print is bounded too.
  setInterval(() => {
    try {
      truncateSync(output, 0)
    } catch {
      // not there
    }
  }, 3_600_000).unref()
}
