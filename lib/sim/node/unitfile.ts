// systemd's unit files as far as services, sockets and slices of a node need them: sections, drop-ins, ExecStart= with its variables.
// After systemd.syntax(7), systemd.unit(5) and systemd.service(5). Knows nothing of what runs.
import type { Files } from '../machine.ts'

/** Highest precedence first. */
export const unitPath = ['/etc/systemd/system', '/run/systemd/system', '/usr/lib/systemd/system'] as const

export interface UnitFile {
  /** with its suffix: kubelet.service; an alias's own target */
  name: string
  /** where it was found; '' when it was not */
  path: string
  load: 'loaded' | 'not-found' | 'masked'
  dropIns: readonly string[]
  /** the texts of the file and its drop-ins, as `systemctl cat` prints them */
  texts: readonly { path: string; text: string }[]
  /** section → key → values in order, an empty assignment forgets those before */
  sections: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
  /** newest change of any of its files, epoch ms */
  mtime: number
}

export const withSuffix = (name: string): string =>
  /\.(service|socket|slice|target|mount|timer|path|scope|automount|swap|device)$/.test(name) ? name : `${name}.service`

/** Reads a unit with its drop-ins. An alias (`sshd.service` → `ssh.service`) is followed; a link to /dev/null is a mask. */
export function readUnit(files: Files, asked: string, named: Named = namesIn(files)): UnitFile {
  let name = withSuffix(asked)
  const nothing = { name, path: '', dropIns: [], texts: [], sections: {}, mtime: 0 }
  const directory = unitPath.find((path) => named(path).has(name))
  if (directory === undefined) return { ...nothing, load: 'not-found' }
  const path = `${directory}/${name}`
  const text = files.text(path)
  if (text === undefined || text === '') {
    // Links to /dev/null lead nowhere here, and an empty file masks too.
    return { ...nothing, path, load: 'masked' }
  }
  const target = linkName(files, path)
  if (target !== undefined && target !== name) {
    name = target
    if (directory === '/etc/systemd/system') return readUnit(files, target, named)
  }
  const dropIns = new Map<string, string>()
  for (const at of [...unitPath].reverse())
    if (named(at).has(`${name}.d`))
      for (const file of files.list(`${at}/${name}.d`)) if (file.endsWith('.conf')) dropIns.set(file, `${at}/${name}.d/${file}`)
  const paths = [path, ...[...dropIns.keys()].sort().map((file) => dropIns.get(file) as string)]
  const texts = paths.map((at) => ({ path: at, text: at === path ? text : (files.text(at) ?? '') }))
  const sections: Record<string, Record<string, string[]>> = {}
  for (const one of texts) parseInto(sections, one.text)
  const mtime = Math.max(...paths.map((at) => files.stat(at)?.mtime ?? 0))
  return { name, path, load: 'loaded', dropIns: paths.slice(1), texts, sections, mtime }
}
/** The names in a directory. */
export type Named = (directory: string) => ReadonlySet<string>
/** Looks at each directory once: for as long as nothing else happens between two questions. */
export function namesIn(files: Files): Named {
  const known = new Map<string, ReadonlySet<string>>()
  return (directory) => {
    const names = known.get(directory) ?? new Set(files.list(directory))
    known.set(directory, names)
    return names
  }
}
/** An alias is a link whose target has another name; where it leads is told by which file of the same content has that name. */
function linkName(files: Files, path: string): string | undefined {
  const real = files.hostPath(path)
  return real.slice(real.lastIndexOf('/') + 1)
}

function parseInto(sections: Record<string, Record<string, string[]>>, text: string): void {
  let section = ''
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at += 1) {
    let line = (lines[at] as string).trim()
    while (line.endsWith('\\') && at + 1 < lines.length) {
      at += 1
      const next = (lines[at] as string).trim()
      if (/^[#;]/.test(next)) continue
      line = `${line.slice(0, -1)} ${next}`
    }
    if (line === '' || /^[#;]/.test(line)) continue
    const header = /^\[(.+)\]$/.exec(line)
    if (header) {
      section = header[1] as string
      continue
    }
    const equals = line.indexOf('=')
    if (equals < 1) continue
    const key = line.slice(0, equals).trim()
    const value = line.slice(equals + 1).trim()
    sections[section] ??= {}
    const keys = sections[section] as Record<string, string[]>
    keys[key] = value === '' ? [] : [...(keys[key] ?? []), value]
  }
}

/** Words of a line: quotes of both kinds, C escapes within them. */
export function words(line: string): string[] {
  const found: string[] = []
  let word: string | undefined
  let quote = ''
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at] as string
    if (quote) {
      if (char === quote) quote = ''
      else if (char === '\\' && at + 1 < line.length) {
        at += 1
        word += escapes[line[at] as string] ?? `\\${line[at]}`
      } else word += char
    } else if (char === '"' || char === "'") {
      quote = char
      word ??= ''
    } else if (/\s/.test(char)) {
      if (word !== undefined) found.push(word)
      word = undefined
    } else if (char === '\\' && at + 1 < line.length) {
      at += 1
      word = (word ?? '') + (escapes[line[at] as string] ?? `\\${line[at]}`)
    } else word = (word ?? '') + char
  }
  if (word !== undefined) found.push(word)
  return found
}
const escapes: Record<string, string> = { n: '\n', t: '\t', s: ' ', '\\': '\\', '"': '"', "'": "'", r: '\r' }

/** Environment= and EnvironmentFile= of a unit. @throws Error with systemd's words when a file that must be there is not */
export function environment(unit: UnitFile, files: Files): Record<string, string> {
  const env: Record<string, string> = {}
  const put = (word: string) => {
    const equals = word.indexOf('=')
    if (equals > 0) env[word.slice(0, equals)] = word.slice(equals + 1)
  }
  for (const line of unit.sections.Service?.Environment ?? []) for (const word of words(line)) put(word)
  for (const entry of unit.sections.Service?.EnvironmentFile ?? []) {
    const optional = entry.startsWith('-')
    const path = optional ? entry.slice(1) : entry
    const text = files.text(path)
    if (text === undefined) {
      if (optional) continue
      throw new Error(`Failed to load environment files: No such file or directory`)
    }
    for (const line of text.split('\n')) {
      const trimmed = line.trim()
      if (trimmed === '' || /^[#;]/.test(trimmed)) continue
      const equals = trimmed.indexOf('=')
      if (equals > 0) env[trimmed.slice(0, equals).trim()] = words(trimmed.slice(equals + 1)).join(' ')
    }
  }
  return env
}

/** A command line with `$VAR` (split into words) and `${VAR}` (kept as one) put in. */
export function commandLine(line: string, env: Readonly<Record<string, string>>): string[] {
  const argv = words(line.replace(/^[-@:+!]+/, '')).flatMap((word) => {
    const whole = /^\$([A-Za-z_]\w*)$/.exec(word)
    if (whole) return words(env[whole[1] as string] ?? '')
    return [word.replace(/\$\{([A-Za-z_]\w*)\}/g, (_all, name: string) => env[name] ?? '').replaceAll('$$', '$')]
  })
  return argv
}

/** Seconds or `1min 30s`, `infinity` → ms */
export function timespan(value: string | undefined, fallback: number): number {
  if (value === undefined) return fallback
  if (value === 'infinity') return Number.POSITIVE_INFINITY
  let ms = 0
  for (const [, number, unit] of value.matchAll(/([\d.]+)\s*([a-z]*)/g)) ms += Number(number) * (spans[unit as string] ?? 1000)
  return ms
}
const spans: Record<string, number> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  sec: 1000,
  '': 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  hr: 3_600_000,
}
