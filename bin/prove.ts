// npm run prove -- [slug…] [--all] [--backend kind|sim] [--variant NAME] [--with FILE] [--sample each|cover] [--fresh] [--keep] [--no-record] [--clusters N] [--json]
// Plays every part of scenarios' proofs on a real backend. The result goes to standard output, everything else to standard error.
import { existsSync } from 'node:fs'
import { lstat, mkdir, readdir, readFile, rm, statfs, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { availableMemory } from 'node:process'
import { parseArgs } from 'node:util'
import { bringKubectl, cacheFolder } from '#lib/host/index.ts'
import { prove, record, sampleOf } from '#lib/proof/index.ts'
import { asLabError, backendName, LabError } from '#lib/protocol/index.ts'
import { loadCatalogue, type ProofVariant, proofOf } from '#lib/scenario/index.ts'
import { kindBackend, root, simBackend } from '#lib/server/index.ts'

const usage = `npm run prove -- [slug…] [--all] [--backend kind|sim] [--variant NAME] [--with FILE] [--sample each|cover] [--fresh] [--keep] [--no-record] [--clusters N] [--json]

  slug…        scenarios to prove; --all for every one
  --with FILE  play this script in the workstation in place of the scenario's own parts and report its score
  --sample     play only a part of the proofs that are recorded, as if they were not, and record nothing:
               each    of every scenario one variant: the untouched fault, the solution, one cheat
               cover   the same of as few variants as use every kind of step and of condition
  --fresh      nothing that was played before counts
  --no-record  leave proof.<backend>.json beside the scenarios as it is (tests do not change the checkout)
  --keep       leave the last cluster open, broken or mended as it is
  --clusters N clusters side by side (default: half of the CPUs, at most 3)
  --json       print the result as JSON`

/** Lab seconds per real one: nobody types, and what must hold for 15 s has held for 15 s of the lab's time. */
const simRate = 20

const started = Date.now()
const log = (line: string) => process.stderr.write(`${String(Math.round((Date.now() - started) / 1000)).padStart(5)} s  ${line}\n`)

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      all: { type: 'boolean' },
      backend: { type: 'string', default: 'kind' },
      variant: { type: 'string' },
      with: { type: 'string' },
      sample: { type: 'string' },
      fresh: { type: 'boolean' },
      keep: { type: 'boolean' },
      'no-record': { type: 'boolean' },
      clusters: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help || (positionals.length === 0 && !values.all)) {
    process.stderr.write(`${usage}\n`)
    return values.help ? 0 : 2
  }
  const backend = backendName.safeParse(values.backend)
  if (backend.data !== 'kind' && backend.data !== 'sim')
    throw new LabError('bad-request', `Nothing can be proven on "${values.backend}".`, {
      hint: 'This version proves on kind and on the simulation: --backend kind, --backend sim.',
    })
  const scenariosDir = process.env.KUBEMEND_SCENARIOS ?? path.join(root, 'scenarios')
  const catalogue = await loadCatalogue(scenariosDir)
  const concerned = catalogue.problems.filter((problem) => values.all || positionals.some((slug) => problem.file.includes(`${slug}/`)))
  for (const problem of concerned)
    log(`${path.join(path.relative(process.cwd(), scenariosDir), problem.file)}:${problem.line} ${problem.message}`)
  if (concerned.length > 0)
    throw new LabError('scenario-invalid', `${concerned.length} problems in scenarios; nothing was proven.`, {
      hint: 'Mend what is listed above, then run it again.',
    })
  const scenarios = values.all
    ? catalogue.scenarios
    : positionals.map((slug) => {
        const found = catalogue.bySlug(slug)
        if (!found)
          throw new LabError('not-found', `There is no scenario "${slug}".`, {
            hint: `There are ${catalogue.scenarios.map((one) => one.slug).join(', ')}.`,
          })
        return found
      })
  const chosen =
    values.variant === undefined
      ? scenarios
      : scenarios
          .map((one) => ({
            ...one,
            spec: { ...one.spec, variants: one.spec.variants.filter((variant) => variant.name === values.variant) },
          }))
          .filter((one) => one.spec.variants.length > 0)
  if (chosen.length === 0) throw new LabError('not-found', `No scenario has a variant "${values.variant}".`)
  if (values.sample !== undefined && values.sample !== 'each' && values.sample !== 'cover')
    throw new LabError('bad-request', `--sample ${values.sample} is neither each nor cover.`)
  const clusters =
    values.clusters === undefined ? Math.min(3, Math.max(1, Math.floor(availableParallelism() / 2))) : Number(values.clusters)
  if (!Number.isInteger(clusters) || clusters < 1 || clusters > 16)
    throw new LabError('bad-request', `--clusters ${values.clusters} is no number from 1 to 16.`)

  const cancel = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => cancel.abort())
  const cache = path.join(cacheFolder(process.env), 'proof')
  // Docker knows whose clusters are whose; simulated ones are a run's own, so that two runs do not end each other's.
  const dataDir = backend.data === 'kind' ? path.join(cache, 'data') : await ownFolder((await memoryFolder()) ?? path.join(cache, 'sim'))
  const provider =
    backend.data === 'kind'
      ? await kindBackend({ owner: 'prove', dataDir, env: process.env })
      : simBackend({ dataDir, env: process.env, rate: simRate, log: (line) => log(`  ${line}`) })
  if (backend.data === 'sim') await bringKubectl({ progress: log, signal: cancel.signal })
  const status = await provider.status(cancel.signal)
  if (status.state !== 'ready')
    throw new LabError('backend-unavailable', status.message, { hint: status.remedy ?? 'See `npm run doctor`.' })
  for await (const left of provider.adopt()) {
    log(`removing ${left.id}, left by an earlier run`)
    await left.destroy()
  }
  const script = values.with === undefined ? undefined : { name: path.basename(values.with), script: await readFile(values.with, 'utf8') }
  const variants = await prove({
    provider,
    scenarios: chosen,
    // Apart: whether anything was ever played here on kind is what test:kind asks of its folder.
    cacheDir: path.join(cache, backend.data === 'kind' ? 'parts' : `parts-${backend.data}`),
    fresh: values.fresh ?? false,
    ...(script ? { with: script } : {}),
    ...(values.sample === undefined
      ? {}
      : {
          sample: sampleOf(
            chosen.filter((one) => proofOf(one, backend.data) !== null),
            values.sample,
          ),
        }),
    ...(values.keep
      ? {
          keep: (cluster) => {
            const kubeconfig = path.join(dataDir, 'kubeconfig')
            if (cluster.backend === 'sim') void writeFile(kubeconfig, cluster.kubeconfig, { mode: 0o600 })
            const how =
              cluster.backend === 'sim'
                ? `for half an hour: \`KUBECONFIG=${kubeconfig} kubectl get pods -A\``
                : `\`docker exec -it -u candidate ${cluster.id}-workstation bash -l\``
            log(`kept: ${cluster.id}; ${how}. ${cluster.backend === 'sim' ? '' : 'The next run removes it.'}`)
          },
        }
      : {}),
    ...(script || values.variant !== undefined || values.sample !== undefined || values['no-record']
      ? {}
      : {
          onScenario: async (scenario, whole) => {
            if (await record(scenario, whole, await provider.identity(), () => new Date()))
              log(`recorded ${path.relative(process.cwd(), scenario.folder)}/proof.${provider.backend}.json`)
          },
        }),
    clusters,
    signal: cancel.signal,
    log,
  })
  const result = values.json ? JSON.stringify(variants, null, 1) : table(variants)
  // This process is ended right after: what a reader has not taken yet would be lost.
  await new Promise<void>((resolve) => process.stdout.write(`${result}\n`, () => resolve()))
  return variants.every((one) => one.proven) ? 0 : 1
}

/**
 * Memory that is used as a disk, where there is enough of it: a proof makes and removes some thousand small files a part, keeps nothing of them, and waits
 * for a disk longer than for anything else. Undefined elsewhere.
 */
async function memoryFolder(): Promise<string | undefined> {
  try {
    const mount = (await readFile('/proc/mounts', 'utf8')).split('\n').find((line) => line.split(' ')[1] === '/dev/shm')
    const [, , type, options = ''] = mount?.split(' ') ?? []
    // Programs that a scenario puts on a node are run there.
    if (type !== 'tmpfs' || options.split(',').includes('noexec')) return undefined
    const { bavail, bsize } = await statfs('/dev/shm')
    if (Math.min(bavail * bsize, availableMemory()) < 2 * 1024 ** 3) return undefined
    const own = `/dev/shm/kubemend-proof-${process.getuid?.()}`
    await mkdir(own, { mode: 0o700 }).catch(() => {})
    // Anybody may make folders there.
    const stat = await lstat(own)
    return stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0 ? own : undefined
  } catch {
    return undefined
  }
}

/** A folder of this process's; those of processes that are gone are removed once nothing runs in them. */
async function ownFolder(parent: string): Promise<string> {
  for (const name of await readdir(parent).catch(() => [] as string[])) {
    const alive = existsSync(`/proc/${name}`)
    const working = await readdir(path.join(parent, name, 'sim', 'workers')).catch(() => [] as string[])
    if (!alive && working.length === 0) await rm(path.join(parent, name), { recursive: true, force: true })
  }
  const own = path.join(parent, String(process.pid))
  await mkdir(own, { recursive: true, mode: 0o700 })
  return own
}

function table(variants: readonly ProofVariant[]): string {
  return variants
    .flatMap((one) => [
      `${one.proven ? 'proven' : 'NOT PROVEN'}  ${one.slug}/${one.variant} on ${one.backend}, ${one.seconds} s`,
      ...one.parts.map(
        (part) =>
          `  ${part.ok ? 'ok  ' : 'FAIL'}  ${part.kind.padEnd(11)} ${part.name.padEnd(34)} ${part.score === null ? '  –' : String(part.score).padStart(3)}  ${String(part.seconds).padStart(6)} s${part.problem ? `\n        ${part.problem}` : ''}`,
      ),
    ])
    .join('\n')
}

main().then(
  (code) => process.exit(code),
  (thrown: unknown) => {
    const error = asLabError(thrown)
    process.stderr.write(`${error.message}\n${error.hint ? `${error.hint}\n` : ''}`)
    process.exit(error.code === 'cancelled' ? 130 : 1)
  },
)
