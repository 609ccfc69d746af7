// Command lines of tools as getopt reads them: short flags together, long ones with `=` or a word after, options and words in any order.
// Knows nothing of a tool.

export interface Parsed {
  /** by the name given in the specification; a flag without value is 'true' */
  flags: Map<string, string>
  /** every value of a flag that was given more than once */
  all: Map<string, string[]>
  words: string[]
}
/**
 * `spec`: long or short name → canonical name, ending with `=` when it takes a value: { n: 'lines=', lines: 'lines=', 'no-pager': 'no-pager' }.
 * @throws Error `unrecognized option '--x'` or `invalid option -- 'x'`, as GNU getopt says after the tool's name
 */
export function getopt(argv: readonly string[], spec: Readonly<Record<string, string>>): Parsed {
  const parsed: Parsed = { flags: new Map(), all: new Map(), words: [] }
  const put = (name: string, value: string) => {
    parsed.flags.set(name, value)
    parsed.all.set(name, [...(parsed.all.get(name) ?? []), value])
  }
  const rest = [...argv]
  while (rest.length > 0) {
    const word = rest.shift() as string
    if (word === '--') {
      parsed.words.push(...rest)
      break
    }
    if (word.startsWith('--')) {
      const equals = word.indexOf('=')
      const name = equals < 0 ? word.slice(2) : word.slice(2, equals)
      const to = spec[name]
      if (to === undefined) throw new Error(`unrecognized option '--${name}'`)
      if (!to.endsWith('=')) put(to, equals < 0 ? 'true' : word.slice(equals + 1))
      else if (equals >= 0) put(to.slice(0, -1), word.slice(equals + 1))
      else if (rest.length > 0) put(to.slice(0, -1), rest.shift() as string)
      else throw new Error(`option '--${name}' requires an argument`)
    } else if (word.startsWith('-') && word.length > 1) {
      for (let at = 1; at < word.length; at += 1) {
        const letter = word[at] as string
        const to = spec[letter]
        if (to === undefined) throw new Error(`invalid option -- '${letter}'`)
        if (!to.endsWith('=')) {
          put(to, 'true')
          continue
        }
        const value = word.slice(at + 1) || rest.shift()
        if (value === undefined) throw new Error(`option requires an argument -- '${letter}'`)
        put(to.slice(0, -1), value)
        break
      }
    } else parsed.words.push(word)
  }
  return parsed
}

/** Columns as Go's tabwriter aligns them: widest cell and `gap` spaces. */
export function columns(rows: readonly (readonly string[])[], gap = 3): string {
  const widths: number[] = []
  for (const row of rows) for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length)
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd((widths[at] as number) + gap)))
          .join('')
          .trimEnd()}\n`,
    )
    .join('')
}
