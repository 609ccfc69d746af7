// npm run bench -- [name…] [--json]   Measures, each figure beside its baseline from the same run. Standard output: with --json one array
// of {name, value, unit, baseline, ratio}, else a table. A bench is a function in bin/benches/, named here.
import { classBench } from './benches/class.ts'
import { labBench } from './benches/lab.ts'
import { simBench } from './benches/sim.ts'
import { terminalBench } from './benches/terminal.ts'

export interface Figure {
  name: string
  value: number
  unit: string
  /** the same thing done the plain way, in the same run; null where there is no plain way, or none on this machine */
  baseline: number | null
  /** value / baseline */
  ratio: number | null
}
/** `say` tells a person what goes on. */
export type Bench = (say: (line: string) => void) => Promise<Figure[]>

const benches: Record<string, Bench> = {
  terminal: terminalBench,
  lab: labBench,
  sim: simBench,
  class: classBench,
}

if (import.meta.main) {
  const args = process.argv.slice(2)
  const asked = args.filter((word) => !word.startsWith('--'))
  const unknown = asked.filter((name) => benches[name] === undefined)
  if (unknown.length > 0) {
    console.error(`There is no bench ${unknown.join(', ')}. There are: ${Object.keys(benches).join(', ')}.`)
    process.exit(2)
  }
  const figures: Figure[] = []
  try {
    for (const name of asked.length > 0 ? asked : Object.keys(benches))
      figures.push(...(await benches[name]!((line) => console.error(`${name}: ${line}`))))
  } catch (error) {
    console.error(error)
    process.exit(1)
  }
  if (args.includes('--json')) process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`)
  else
    for (const { baseline, name, ratio, unit, value } of figures)
      console.log(
        `${name.padEnd(64)} ${value.toFixed(2).padStart(9)} ${unit.padEnd(5)}${baseline === null || ratio === null ? '' : ` baseline ${baseline.toFixed(2).padStart(9)}  ratio ${ratio.toFixed(2)}`}`,
      )
  process.exit(0)
}
