// The Corefile's syntax: server blocks, directives with their arguments and blocks, snippets, imports, environment variables; errors in caddyfile's words.
// Knows no plugin.

export interface Directive {
  name: string
  args: string[]
  /** lines within its braces: words each; `lines`: where each stands */
  block: string[][]
  lines: number[]
  line: number
}
export interface ServerBlock {
  keys: string[]
  directives: Directive[]
}
interface Token {
  text: string
  line: number
}
/** as caddyfile prints it: `/etc/coredns/Corefile:3 - Error during parsing: …` */
export class CorefileError extends Error {}

/** in the order in which CoreDNS chains its plugins */
export const pluginOrder: readonly string[] =
  'root metadata geoip cancel tls quic timeouts multisocket reload nsid bufsize bind debug trace ready health pprof prometheus errors log dnstap local dns64 acl any chaos loadbalance tsig cache rewrite header dnssec autopath minimal template transfer hosts route53 azure clouddns k8s_external kubernetes file auto secondary etcd loop forward grpc erratic whoami on sign view nomad'.split(
    ' ',
  )

function lex(text: string): Token[] {
  const tokens: Token[] = []
  let line = 1
  let at = 0
  while (at < text.length) {
    const char = text[at] as string
    if (char === '\n') line += 1
    if (/\s/.test(char)) {
      at += 1
      continue
    }
    if (char === '#') {
      while (at < text.length && text[at] !== '\n') at += 1
      continue
    }
    const start = line
    let word = ''
    if (char === '"') {
      for (at += 1; at < text.length && text[at] !== '"'; at += 1) {
        if (text[at] === '\n') line += 1
        if (text[at] === '\\' && text[at + 1] === '"') at += 1
        word += text[at]
      }
      at += 1
    } else for (; at < text.length && !/\s/.test(text[at] as string); at += 1) word += text[at]
    tokens.push({ text: word, line: start })
  }
  return tokens
}

/**
 * @param read text of an imported file by its path, or of every file for a pattern; undefined when there is none
 * @throws CorefileError
 */
export function parseCorefile(
  path: string,
  text: string,
  env: Readonly<Record<string, string>>,
  read: (pattern: string) => string[] | undefined,
): ServerBlock[] {
  const replaced = text.replace(/\{\$(\w+)\}|\{%(\w+)%\}/g, (_, a, b) => env[a ?? b] ?? '')
  const snippets = new Map<string, Token[]>()
  let tokens = lex(replaced)
  const fail = (line: number, message: string) => new CorefileError(`${path}:${line} - Error during parsing: ${message}`)
  const imported = (list: Token[], depth = 0): Token[] => {
    const out: Token[] = []
    for (let at = 0; at < list.length; at += 1) {
      const token = list[at] as Token
      const first = at === 0 || list[at - 1]?.line !== token.line || list[at - 1]?.text === '{'
      if (token.text !== 'import' || !first) {
        out.push(token)
        continue
      }
      const name = list[at + 1]
      if (name === undefined || name.line !== token.line)
        throw fail(token.line, `Wrong argument count or unexpected line ending after 'import'`)
      at += 1
      const snippet = snippets.get(name.text)
      if (depth > 10) throw fail(token.line, 'maximum snippet depth reached, possible infinite import')
      if (snippet !== undefined) {
        out.push(
          ...imported(
            snippet.map((one) => ({ ...one, line: one.line + 100_000 * (at + 1) })),
            depth + 1,
          ),
        )
        continue
      }
      const found = read(name.text)
      if (found === undefined) throw fail(token.line, `File to import not found: ${name.text}`)
      for (const [index, one] of found.entries())
        out.push(
          ...imported(
            lex(one).map((word) => ({ ...word, line: word.line + 1_000_000 * (at + index + 1) })),
            depth + 1,
          ),
        )
    }
    return out
  }
  // Snippets are taken out first: they may be used below the place where they stand only.
  const rest: Token[] = []
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at] as Token
    const name = /^\((\S+)\)$/.exec(token.text)?.[1]
    if (name === undefined || tokens[at + 1]?.text !== '{') {
      rest.push(token)
      continue
    }
    let depth = 1
    const body: Token[] = []
    for (at += 2; at < tokens.length; at += 1) {
      const one = tokens[at] as Token
      if (one.text === '{') depth += 1
      if (one.text === '}') depth -= 1
      if (depth === 0) break
      body.push(one)
    }
    snippets.set(name, body)
  }
  tokens = imported(rest)
  const blocks: ServerBlock[] = []
  let at = 0
  const peek = () => tokens[at]
  while (at < tokens.length) {
    const keys: string[] = []
    let line = peek()?.line ?? 0
    for (; at < tokens.length && peek()?.text !== '{'; at += 1) {
      const token = peek() as Token
      if (token.text === '}') throw fail(token.line, "Unexpected '}' because no matching opening brace")
      line = token.line
      keys.push(...token.text.split(',').filter((key) => key !== ''))
    }
    if (keys.length === 0) throw fail(line, 'No server block keys')
    if (at >= tokens.length) {
      blocks.push({ keys, directives: [] })
      break
    }
    at += 1
    const directives: Directive[] = []
    for (;;) {
      const token = peek()
      if (token === undefined) {
        // Only the last word is looked at: the brace of a directive's block passes for the one that is missing.
        const last = tokens.at(-1) as Token
        if (last.text === '}') break
        throw new CorefileError(`${path}:${last.line} - Syntax error: Unexpected token '${last.text}', expecting '}'`)
      }
      at += 1
      if (token.text === '}') break
      if (token.text === '{') throw fail(token.line, "Unexpected token '{', expecting a directive")
      if (!pluginOrder.includes(token.text)) throw fail(token.line, `Unknown directive '${token.text}'`)
      const directive: Directive = { name: token.text, args: [], block: [], lines: [], line: token.line }
      while (peek() !== undefined && peek()?.line === token.line && peek()?.text !== '{' && peek()?.text !== '}')
        directive.args.push((tokens[at++] as Token).text)
      if (peek()?.text === '{' && peek()?.line === token.line) {
        at += 1
        let depth = 0
        let row: string[] = []
        let rowLine = -1
        for (;;) {
          const inner = peek()
          if (inner === undefined) throw fail(tokens.at(-1)?.line ?? 1, 'Unexpected EOF')
          at += 1
          if (inner.text === '}' && depth === 0) break
          if (inner.text === '{') depth += 1
          if (inner.text === '}') depth -= 1
          if (inner.line !== rowLine && row.length > 0) {
            directive.block.push(row)
            row = []
          }
          if (row.length === 0) directive.lines.push(inner.line)
          rowLine = inner.line
          row.push(inner.text)
        }
        if (row.length > 0) directive.block.push(row)
      }
      directives.push(directive)
    }
    blocks.push({ keys, directives })
  }
  return blocks
}
