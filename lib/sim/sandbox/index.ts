// The only door of sandbox: real processes on the places of a lab, with bubblewrap, and the tools that go from one place to another (ssh, sudo, su, scp,
// sleep, reboot). Knows nothing of Kubernetes.
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ProcessHost } from '../process.ts'
import { DiskGuard, defaultLimits, type Limits } from './limits.ts'
import { Place } from './place.ts'
import { type Missing, missing } from './requirements.ts'
import { type LateProgram, toolbox } from './toolbox.ts'

export type { Limits } from './limits.ts'
export { missing as missingForSandboxes } from './requirements.ts'
export { shellTools } from './shell.ts'

export interface SandboxOptions {
  /** a folder of the server's that lives on between starts; copies of the host's programs go there (some 40 MB) */
  cache: string
  /** for sockets: the path must be short. Default: a new folder in the system's temporary one, which `close` removes */
  runtime?: string
  limits?: Partial<Limits>
  /** default: perl where the host has it, else node; perl takes a tenth of the memory */
  client?: 'perl' | 'node'
  /** one line for whoever runs the server */
  log?(line: string): void
}
export interface SandboxHost extends ProcessHost {
  /** puts a real program (kubectl, helm) into all places, those that are open too, from the next process on */
  provide(name: 'kubectl' | 'helm' | 'yq', path: string): void
  close(): Promise<void>
}

const late: readonly LateProgram[] = [
  { name: 'kubectl', until: 'it is still being fetched for this server, try again in a minute; `npm run doctor` on the server says more' },
  { name: 'helm', until: 'command not found' },
  // Not the host's: what Debian calls yq is another program.
  { name: 'yq', until: 'command not found' },
]
const perl = () => {
  try {
    accessSync('/usr/bin/perl', constants.X_OK)
    return existsSync('/usr/bin/perl')
  } catch {
    return false
  }
}
/** Named after this process; those whose process is gone are removed: it was killed before it could. */
function newRuntime(): string {
  for (const name of readdirSync(tmpdir())) {
    const pid = /^kubemend-run-(\d+)-/.exec(name)?.[1]
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue
    try {
      rmSync(join(tmpdir(), name), { recursive: true, force: true })
    } catch {
      // another user's
    }
  }
  return mkdtempSync(join(tmpdir(), `kubemend-run-${process.pid}-`))
}
let hosts = 0

/** Sandboxes of one process. Nothing runs and nothing is copied before the first process of the first place. */
export function createSandboxHost(options: SandboxOptions): SandboxHost {
  const limits = { ...defaultLimits, ...options.limits }
  const client = options.client ?? (perl() ? 'perl' : 'node')
  const guard = new DiskGuard()
  const places = new Set<Place>()
  const programs = join(options.cache, 'programs')
  const name = `${process.pid}-${hosts++}`
  let count = 0
  let runtime = options.runtime
  let answer: Promise<Missing | null> | undefined
  return {
    async open(what) {
      runtime ??= newRuntime()
      mkdirSync(options.cache, { recursive: true })
      const folder = join(runtime, `${count++}`)
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      const box = toolbox(options.cache, what.tools, late, client)
      const place = new Place(what, {
        ...{ folder, cache: options.cache, programs, box, client, limits, guard },
        name: `${name}-${count}`,
        late: late.map((program) => program.name),
        log: options.log ?? (() => {}),
      })
      places.add(place)
      return {
        spawn: (request) => place.spawn(request),
        listen: (ports) => place.listen(ports),
        close: async () => {
          places.delete(place)
          await place.close()
        },
      }
    },
    missing: async () => {
      answer ??= missing()
      const found = await answer
      // What somebody has mended meanwhile is seen at once.
      if (found) answer = undefined
      return found
    },
    provide(program, path) {
      mkdirSync(programs, { recursive: true })
      const target = join(programs, program)
      // A link would lead to a path that the sandbox does not have.
      const real = realpathSync(path)
      const [from, to] = [statSync(real), existsSync(target) ? statSync(target) : undefined]
      if (to && to.size === from.size && to.mtimeMs >= from.mtimeMs) return
      const fresh = join(programs, `.${program}.${name}`)
      rmSync(fresh, { force: true })
      try {
        linkSync(real, fresh)
      } catch {
        copyFileSync(real, fresh, constants.COPYFILE_FICLONE)
      }
      renameSync(fresh, target)
    },
    async close() {
      await Promise.all([...places].map((place) => place.close()))
      places.clear()
      if (options.runtime === undefined && runtime !== undefined) rmSync(runtime, { recursive: true, force: true })
    },
  }
}
