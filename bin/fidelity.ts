// npm run fidelity -- [script…] [--json] [--record] [--show] [--rate N]
// Plays the same commands on the simulated cluster that were recorded on a real one, and compares. With --record: plays them on kind and keeps the answers.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { parse } from 'yaml'
import type { Cluster } from '#lib/cluster/index.ts'
import { compare, type Known, loadScripts, type Pair, play, type Recording } from '#lib/fidelity/index.ts'
import { asLabError, LabError } from '#lib/protocol/index.ts'
import { kindBackend, root, simBackend } from '#lib/server/index.ts'

const usage = `npm run fidelity -- [script…] [--json] [--record] [--show] [--rate N]

  script…   only these (see lib/fidelity/scripts); default all
  --json    print {commands, equal, areas, differences}
  --record  play on a new kind cluster and keep the answers as the truth; takes some twenty minutes
  --show    print both answers of every command that differs
  --rate N  lab seconds per real second on the simulated cluster, default 5`

const folder = path.join(root, 'lib/fidelity')
const started = Date.now()
const log = (line: string) => process.stderr.write(`${String(Math.round((Date.now() - started) / 1000)).padStart(5)} s  ${line}\n`)

/** A throw-away cluster for the time of `use`. */
async function withCluster<T>(
  backend: 'kind' | 'sim',
  rate: number,
  use: (cluster: Cluster) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const dataDir = path.join(tmpdir(), `kubemend-fidelity-${process.pid}`)
  await mkdir(dataDir, { recursive: true })
  const provider =
    backend === 'kind'
      ? await kindBackend({ owner: `fidelity${process.pid}`, dataDir, env: process.env })
      : await simBackend({ dataDir, env: process.env, rate })
  log(`making a ${backend} cluster`)
  const cluster = await provider.create({ workers: 2 }, ({ step, state }) => state === 'done' && log(`  ${step}`), signal)
  try {
    return await use(cluster)
  } finally {
    await cluster.destroy()
  }
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean' },
      record: { type: 'boolean' },
      show: { type: 'boolean' },
      rate: { type: 'string', default: '5' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) {
    process.stderr.write(`${usage}\n`)
    return 0
  }
  const all = await loadScripts(path.join(folder, 'scripts'))
  for (const name of positionals)
    if (!all.some((one) => one.name === name))
      throw new LabError('not-found', `There is no script "${name}".`, { hint: `There are ${all.map((one) => one.name).join(', ')}.` })
  const scripts = positionals.length === 0 ? all : all.filter((one) => positionals.includes(one.name))
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort())
  const truthOf = (name: string) => path.join(folder, 'truth', `${name}.json`)

  const played = await withCluster(
    values.record ? 'kind' : 'sim',
    Number(values.rate),
    async (cluster) => {
      const recordings: Recording[] = []
      for (const script of scripts) {
        log(`${script.name}: ${script.title}`)
        const recording = await play(cluster, script, { signal: stop.signal, log })
        recordings.push(recording)
      }
      return recordings
    },
    stop.signal,
  )
  // A new truth is compared with the old one too: what two real clusters answer differently says nothing about a simulated one.
  const known: Known[] = parse(await readFile(path.join(folder, 'known.yaml'), 'utf8')) ?? []
  const pairs: Pair[] = []
  for (const [index, script] of scripts.entries()) {
    const truth = await readFile(truthOf(script.name), 'utf8').then(
      (text): Recording => JSON.parse(text),
      () => undefined,
    )
    if (truth === undefined && !values.record)
      throw new LabError('not-found', `Nothing was recorded for "${script.name}".`, { hint: `npm run fidelity -- ${script.name} --record` })
    if (truth !== undefined) pairs.push({ script, truth, seen: played[index] as Recording })
    if (values.record) await writeFile(truthOf(script.name), `${JSON.stringify(played[index], null, 1)}\n`)
  }
  const { detail, ...result } = compare(pairs, values.record ? [] : known)
  if (values.show)
    for (const one of detail)
      process.stderr.write(`\n━━ ${one.script}: ${one.command}\n── on kind\n${one.truth}\n── simulated\n${one.seen}\n`)
  if (values.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
  else {
    for (const one of result.differences)
      process.stdout.write(`≠ ${one.script}: ${one.command.split('\n')[0]?.slice(0, 100)}\n    ${one.reason}\n`)
    for (const area of result.areas) process.stdout.write(`${area.name.padEnd(18)} ${String(area.equal).padStart(4)} of ${area.commands}\n`)
    process.stdout.write(
      `${'all'.padEnd(18)} ${String(result.equal).padStart(4)} of ${result.commands} (${((100 * result.equal) / result.commands).toFixed(1)} %)\n`,
    )
  }
  return values.record || result.equal / result.commands >= 0.95 ? 0 : 1
}

main().then(
  (code) => process.exit(code),
  (thrown: unknown) => {
    const error = asLabError(thrown)
    process.stderr.write(`${error.message}\n${error.hint ?? ''}\n`)
    process.exit(1)
  },
)
