// yq (mikefarah's) for what people do with manifests: documents in, an expression, YAML or JSON out. Its language is jq's as far as both agree, and the place's
// own jq evaluates it; comments and quoting styles are not kept.
import { parseAllDocuments, stringify } from 'yaml'
import type { Spawned, SpawnRequest, Tool, ToolPlace } from '../../process.ts'
import { getopt } from './flags.ts'

const spec: Record<string, string> = {
  o: 'output=',
  'output-format': 'output=',
  p: 'input=',
  'input-format': 'input=',
  i: 'inplace',
  inplace: 'inplace',
  r: 'raw',
  unwrapScalar: 'raw',
  n: 'null',
  'null-input': 'null',
  N: 'no-doc',
  'no-doc': 'no-doc',
  I: 'indent=',
  indent: 'indent=',
  P: 'pretty',
  prettyPrint: 'pretty',
  e: 'exit',
  'exit-status': 'exit',
  M: 'plain',
  'no-colors': 'plain',
  C: 'colors',
  colors: 'colors',
  s: 'split=',
  V: 'version',
  version: 'version',
}

/** `spawn` starts a real program of the caller's place. */
export const yq =
  (spawn: (place: ToolPlace, request: SpawnRequest) => Promise<Spawned>): Tool =>
  async (call) => {
    const { flags, words } = getopt(call.argv.slice(1), spec)
    if (flags.has('version')) {
      call.out('yq (https://github.com/mikefarah/yq/) version v4.47.2\n')
      return 0
    }
    if (words[0] === 'e' || words[0] === 'eval') words.shift()
    const at = (path: string) => (path.startsWith('/') ? path : `${call.cwd.replace(/\/$/, '')}/${path}`)
    // A lone word that is a file is what is read; every other first word is the expression.
    const lone = words.length === 1 && !flags.has('null') && call.place.files.stat(at(words[0] as string))?.type === 'file'
    const expression = lone ? '.' : (words.shift() ?? '.')
    let text = ''
    if (!flags.has('null') && words.length > 0) {
      const parts: string[] = []
      for (const path of words) {
        if (path === '-') continue
        const stat = call.place.files.stat(at(path))
        if (!stat) throw new Error(`Error: open ${path}: no such file or directory`)
        if (call.uid !== 0 && (stat.mode & 0o044) === 0 && !at(path).startsWith('/home/candidate/'))
          throw new Error(`Error: open ${path}: permission denied`)
        parts.push(call.place.files.text(at(path)) ?? '')
      }
      text = parts.join('\n---\n')
    }
    if (!flags.has('null') && (words.length === 0 || words.includes('-'))) {
      const parts: Buffer[] = []
      for await (const part of call.stdin) parts.push(Buffer.from(part))
      text = Buffer.concat(parts).toString('utf8')
    }
    const documents = parseAllDocuments(text)
    for (const document of 'length' in documents ? documents : [])
      if (document.errors[0]) throw new Error(`Error: bad file '${words[0] ?? '-'}': yaml: ${document.errors[0].message.split('\n')[0]}`)
    const inputs = flags.has('null') ? [] : [...documents].map((document) => document.toJS() as unknown)
    const results = await evaluate(call.place, spawn, expression, flags.has('null'), inputs, call.env)
    if (typeof results === 'string') {
      call.err(`Error: ${results}\n`)
      return 1
    }
    const json = (flags.get('output') ?? '').startsWith('j')
    const indent = Number(flags.get('indent') ?? 2)
    const shown = results.map((value) =>
      json
        ? `${JSON.stringify(value, null, indent)}\n`
        : typeof value === 'string'
          ? value.endsWith('\n')
            ? value
            : `${value}\n`
          : value === null
            ? 'null\n'
            : stringify(value, { lineWidth: 0, indent: Math.max(1, indent) }),
    )
    const scalar = results.every((value) => typeof value !== 'object' || value === null)
    const output = shown.join(json || scalar || flags.has('no-doc') ? '' : '---\n')
    if (flags.has('inplace') && words[0] && words[0] !== '-') call.place.files.write(at(words[0]), output)
    else call.out(output)
    return flags.has('exit') && !results.some((value) => value !== null && value !== false) ? 1 : 0
  }

/** jq over a stream of documents; a text is what it complained of */
async function evaluate(
  place: ToolPlace,
  spawn: (place: ToolPlace, request: SpawnRequest) => Promise<Spawned>,
  expression: string,
  none: boolean,
  inputs: readonly unknown[],
  env: Readonly<Record<string, string>>,
): Promise<unknown[] | string> {
  // env(NAME) and strenv(NAME) are yq's words for what jq calls env.NAME.
  const program = expression.replace(/\b(?:str)?env\((\w+)\)/g, '(env.$1)')
  const jq = await spawn(place, { argv: ['jq', '-c', ...(none ? ['-n'] : []), program], user: 'candidate', cwd: '/', env })
  const out: Buffer[] = []
  const err: Buffer[] = []
  jq.onData((bytes, stream) => (stream === 'stdout' ? out : err).push(Buffer.from(bytes)))
  const code = await new Promise<number>((resolve) => {
    jq.onExit(resolve)
    jq.write(Buffer.from(inputs.map((input) => `${JSON.stringify(input)}\n`).join('')))
    jq.endInput()
  })
  const complaint = Buffer.concat(err).toString('utf8').trim()
  if (code !== 0) return complaint.replace(/^jq: /, '') || `exit status ${code}`
  return Buffer.concat(out)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown)
}
