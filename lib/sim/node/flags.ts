// Command lines of the control plane's programs: which flags they know, and what Go says of the others. Knows nothing of what a flag means.
import { readFileSync } from 'node:fs'

const known = JSON.parse(readFileSync(new URL('./flags.json', import.meta.url), 'utf8')) as Record<string, string[]>
const tables = new Map(
  Object.entries(known).map(([program, flags]) => [
    program,
    new Map(flags.map((flag) => [flag.replace('!', ''), flag.endsWith('!')] as const)),
  ]),
)

export class FlagError extends Error {}

/**
 * `argv` without the program's name → the last value of each flag; `true` for a flag without value.
 * @throws FlagError with pflag's words (`unknown flag: --x`), or those of Go's flag package for etcd
 */
export function readFlags(program: string, argv: readonly string[]): Map<string, string> {
  const table = tables.get(program) ?? new Map<string, boolean>()
  const flags = new Map<string, string>()
  const etcd = program === 'etcd'
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] as string
    const match = /^--?([^=]+)(?:=([\s\S]*))?$/.exec(word)
    if (!match || (!etcd && !word.startsWith('--'))) {
      if (word.startsWith('-')) throw new FlagError(`unknown shorthand flag: '${word[1]}' in ${word}`)
      throw new FlagError(etcd ? `'${word}' is not a valid flag` : `unknown command "${word}" for "${program}"`)
    }
    const name = (match[1] as string).replaceAll('_', '-')
    const boolean = table.get(name)
    if (boolean === undefined) throw new FlagError(etcd ? `flag provided but not defined: -${match[1]}` : `unknown flag: --${match[1]}`)
    let value = match[2]
    if (value === undefined) {
      if (boolean) value = 'true'
      else {
        at += 1
        value = argv[at]
        if (value === undefined) throw new FlagError(etcd ? `flag needs an argument: -${name}` : `flag needs an argument: --${name}`)
      }
    } else if (boolean && !/^(1|0|t|f|true|false|TRUE|FALSE|True|False|T|F)$/.test(value)) {
      throw new FlagError(
        etcd
          ? `invalid boolean value "${value}" for -${name}: parse error`
          : `invalid argument "${value}" for "--${name}" flag: strconv.ParseBool: parsing "${value}": invalid syntax`,
      )
    }
    flags.set(name, value)
  }
  return flags
}
