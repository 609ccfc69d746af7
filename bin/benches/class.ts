// A class on one machine: many simulated labs, in each of which somebody types as people do and now and then asks the cluster something. How it feels for
// each of them, and what it takes of the machine. Leaves nothing. KUBEMEND_BENCH_LABS sets how many labs, default 200; KUBEMEND_BENCH_SECONDS how long.
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { spawn } from '@lydell/node-pty'
import type { Cluster } from '#lib/cluster/index.ts'
import { LabError } from '#lib/protocol/index.ts'
import { simBackend } from '#lib/server/index.ts'
import type { Bench, Figure } from '../bench.ts'
import { timed } from './lab.ts'
import { busyOf, memoryOf, quantile, shellOf } from './sim.ts'
import { type Line, letters, sitDown } from './typist.ts'

interface Felt {
  /** milliseconds from each key to its echo */
  echoes: number[]
  /** milliseconds from Enter to the next prompt, of each command */
  commands: number[]
}
const command = 'kubectl get pods -A'
/** kubectl itself takes a tenth of a second of a core: a class that asks all the time waits for that, and not for its labs */
const linesEach = 12
/** between two keys: 40 to 80 words a minute */
const pause = (key: number): number => 120 + ((key * 7919) % 160)

/** Types until `end` (performance.now): a line in some five seconds, and a command after every `linesEach`. */
async function learner(line: Line, number: number, end: number, ask: string): Promise<Felt> {
  const felt: Felt = { echoes: [], commands: [] }
  const { until } = await sitDown(line)
  let key = number
  for (let lines = number; performance.now() < end; lines++) {
    for (const letter of letters) {
      await wait(pause(key++))
      const from = performance.now()
      line.write(letter)
      await until(new RegExp(letter))
      felt.echoes.push(performance.now() - from)
    }
    line.write('\u0015')
    if (lines % linesEach > 0) continue
    line.write(ask)
    await wait(pause(key++))
    const from = performance.now()
    line.write('\r')
    await until(/\n[^\n]*> $/)
    felt.commands.push(performance.now() - from)
  }
  return felt
}

export const classBench: Bench = async (say) => {
  const many = Number(process.env.KUBEMEND_BENCH_LABS ?? 200)
  const seconds = Number(process.env.KUBEMEND_BENCH_SECONDS ?? 60)
  const { signal } = new AbortController()
  const figures: Figure[] = []
  const figure = (name: string, value: number, unit: string, baseline: number | null = null) =>
    figures.push({ name, value, unit, baseline, ratio: baseline === null ? null : value / baseline })
  say('one person at a bare terminal')
  const pty = spawn('bash', ['--norc', '--noprofile'], { cols: 80, rows: 24, encoding: null })
  const bare = await learner(
    { write: (text) => pty.write(text), onData: (next) => void pty.onData((data) => next(data as unknown as Uint8Array)) },
    1,
    performance.now() + 10_000,
    'true',
  )
  pty.kill()

  const dir = await mkdtemp(path.join(tmpdir(), 'kubemend-bench-'))
  const provider = simBackend({ dataDir: dir })
  const labs: Cluster[] = []
  try {
    const { state, message, remedy } = await provider.status()
    if (state !== 'ready') throw new LabError('backend-unavailable', message, remedy === undefined ? {} : { hint: remedy })
    const times: number[] = []
    while (labs.length < many) {
      const made = await timed(() => provider.create({ workers: 2 }, () => {}, signal))
      labs.push(made.value)
      times.push(made.seconds * 1000)
      if (labs.length % 25 === 0) say(`${labs.length} labs`)
    }
    figure(`lab created, one after the other to ${many}, p50`, quantile(times, 0.5), 'ms')
    figure(`lab created, one after the other to ${many}, p95`, quantile(times, 0.95), 'ms')
    figure(`memory of ${many} labs with their processes / lab`, (await memoryOf(path.join(dir, 'sim'))) / many, 'MiB')
    const lines: Line[] = []
    for (const lab of labs) lines.push(await shellOf(lab))
    const sim = path.join(dir, 'sim')
    const idle = await busyOf(sim)
    const rest = await timed(() => wait(10_000))
    figure(
      `CPU of ${many} labs in which nobody does anything / all cores`,
      ((await busyOf(sim)) - idle) / rest.seconds,
      's/s',
      availableParallelism(),
    )
    say(`${many} people type for ${seconds} s and ask \`${command}\` once a minute`)
    const before = await busyOf(sim)
    const typed = await timed(() => {
      const end = performance.now() + seconds * 1000
      return Promise.all(lines.map((line, at) => learner(line, at, end, command)))
    })
    figure(`CPU of ${many} labs typed into / all cores`, ((await busyOf(sim)) - before) / typed.seconds, 's/s', availableParallelism())
    const echoes = typed.value.flatMap((felt) => felt.echoes)
    const commands = typed.value.flatMap((felt) => felt.commands)
    for (const part of [0.5, 0.95, 0.99])
      figure(`echo of a key, ${many} people, p${part * 100} / a bare pty`, quantile(echoes, part), 'ms', quantile(bare.echoes, part))
    if (commands.length > 0)
      for (const part of [0.5, 0.95]) figure(`${command}, ${many} people, p${part * 100}`, quantile(commands, part), 'ms')
    figure(`memory of ${many} labs with a shell each / lab`, (await memoryOf(sim)) / many, 'MiB')
  } finally {
    for (const one of labs) await one.destroy().catch(() => {})
    provider.close()
    await rm(dir, { recursive: true, force: true, maxRetries: 5 })
  }
  return figures
}
