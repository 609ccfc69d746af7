// `npm run -s api -- NOUN VERB [id…] [--name value…] [--body FILE|-]`: the REST API as commands, for scripts. What there is to command is read from
// the server's own OpenAPI document, so that it is never behind. KUBEMEND_URL says where the server is,
// KUBEMEND_TOKEN who asks; never an argument, which everybody on the machine can read.
import { readFileSync } from 'node:fs'
import { z } from 'zod'

const parameter = z.object({ name: z.string(), in: z.string(), required: z.boolean().optional() })
const operation = z.object({
  operationId: z.string(),
  summary: z.string(),
  parameters: z.array(parameter).default([]),
  requestBody: z.unknown().optional(),
})
const document = z.object({ paths: z.record(z.string(), z.record(z.string(), operation)) })

export interface Command {
  /** what is typed: `classes list` */
  words: string[]
  method: string
  path: string
  summary: string
  /** in the path, in order */
  ids: string[]
  query: { name: string; required: boolean }[]
  body: boolean
}

const verbs: Record<string, string> = { get: 'get', post: 'create', put: 'save', patch: 'change', delete: 'delete' }
/** `GET /api/classes/{id}/grades` → `classes grades`; `POST /api/exam/{id}/actions` → `exam act`. */
function wordsOf(method: string, path: string): string[] {
  const parts = path.replace(/^\/api\//, '').split('/')
  const nouns = parts.filter((part) => !part.startsWith('{')).map((part) => part.replace(/\.json$/, ''))
  const last = parts.at(-1)!
  if (nouns.at(-1) === 'actions') return [...nouns.slice(0, -1), 'act']
  if (method !== 'get') return [...nouns, verbs[method] ?? method]
  if (last.startsWith('{')) return [...nouns, 'get']
  return parts.length === 1 ? [...nouns, 'list'] : nouns
}

/** Every operation of an OpenAPI document as a command; no two are typed alike. */
export function commandsOf(openapi: unknown): Command[] {
  const found: Command[] = []
  for (const [path, methods] of Object.entries(document.parse(openapi).paths))
    for (const [method, { operationId, parameters, requestBody, summary }] of Object.entries(methods)) {
      const words = wordsOf(method, path)
      const taken = found.some((one) => one.words.join(' ') === words.join(' '))
      found.push({
        words: taken ? [operationId] : words,
        method: method.toUpperCase(),
        path,
        summary,
        ids: parameters.filter((one) => one.in === 'path').map(({ name }) => name),
        query: parameters.filter((one) => one.in === 'query').map(({ name, required = false }) => ({ name, required })),
        body: requestBody !== undefined,
      })
    }
  return found.sort((a, b) => a.words.join(' ').localeCompare(b.words.join(' ')))
}
const usageOf = ({ body, ids, query, words }: Command): string =>
  [
    ...words,
    ...ids.map((name) => name.toUpperCase()),
    ...query.map(({ name, required }) => (required ? `--${name} …` : `[--${name} …]`)),
    ...(body ? ['--body FILE|-'] : []),
  ].join(' ')

/** What is asked for by these words. @throws Error in words when it is nothing */
export function requestOf(
  args: readonly string[],
  commands: readonly Command[],
  read: (file: string) => string,
): { method: string; target: string; body?: string } {
  const command = commands
    .filter(({ words }) => words.every((word, index) => args[index] === word))
    .sort((a, b) => b.words.length - a.words.length)[0]
  if (command === undefined) throw new Error(`There is no command "${args.join(' ')}". There are:\n${listOf(commands)}`)
  const given = args.slice(command.words.length)
  const ids: string[] = []
  const query = new URLSearchParams()
  let body: string | undefined
  for (let at = 0; at < given.length; at += 1) {
    const word = given[at]!
    if (!word.startsWith('--')) {
      ids.push(word)
      continue
    }
    const name = word.slice(2)
    at += 1
    const value = given[at]
    if (value === undefined) throw new Error(`--${name} wants a value. ${usageOf(command)}`)
    if (name === 'body' && command.body) body = read(value)
    else if (command.query.some((one) => one.name === name)) query.set(name, value)
    else throw new Error(`"${command.words.join(' ')}" has no --${name}. ${usageOf(command)}`)
  }
  const lacking = command.query.filter(({ name, required }) => required && !query.has(name))
  if (ids.length !== command.ids.length || lacking.length > 0 || (command.body && body === undefined))
    throw new Error(`It is typed so: ${usageOf(command)}`)
  const path = command.ids.reduce((at, name, index) => at.replace(`{${name}}`, encodeURIComponent(ids[index]!)), command.path)
  return { method: command.method, target: query.size > 0 ? `${path}?${query}` : path, ...(body === undefined ? {} : { body }) }
}
const listOf = (commands: readonly Command[]): string => {
  const usages = commands.map((command) => [usageOf(command), command.summary] as const)
  const width = Math.min(64, Math.max(...usages.map(([usage]) => usage.length)))
  return usages.map(([usage, summary]) => `  ${usage.padEnd(width)}  ${summary}`).join('\n')
}

async function main(args: readonly string[]): Promise<number> {
  const { KUBEMEND_TOKEN: given = '', KUBEMEND_URL: url = 'http://127.0.0.1:3000' } = process.env
  const token = given.trim()
  // Else the error would be about the header, with the token in it.
  if (!/^[\w.-]*$/.test(token)) throw new Error('KUBEMEND_TOKEN is no token: it has spaces or other signs in it. Copy it again.')
  const headers = { origin: new URL(url).origin, ...(token === '' ? {} : { authorization: `Bearer ${token}` }) }
  const described = await fetch(new URL('/api/openapi.json', url)).catch((cause: unknown) => {
    throw new Error(`${url} does not answer. Set KUBEMEND_URL to the address of the server.`, { cause })
  })
  if (!described.ok) throw new Error(`${url} answers ${described.status}: it is no kubemend, or an older one.`)
  const commands = commandsOf(await described.json())
  if (args.length === 0 || args[0] === '--help') {
    process.stdout.write(`${listOf(commands)}\n`)
    return args.length === 0 ? 2 : 0
  }
  const { body, method, target } = requestOf(args, commands, (file) => readFileSync(file === '-' ? 0 : file, 'utf8'))
  const answer = await fetch(new URL(target, url), {
    method,
    headers: { ...headers, ...(method === 'GET' ? {} : { 'content-type': 'application/json' }) },
    ...(method === 'GET' ? {} : { body: body ?? '{}' }),
  })
  const text = await answer.text()
  if (answer.ok) {
    const json = answer.headers.get('content-type')?.startsWith('application/json') === true
    process.stdout.write(json ? `${JSON.stringify(JSON.parse(text), null, 2)}\n` : text)
    return 0
  }
  let said: { message: string; hint?: string } | undefined
  try {
    said = (JSON.parse(text) as { error?: { message: string; hint?: string } }).error
  } catch {
    said = undefined
  }
  // A page's advice, to sign in, is no use to a program that was given nothing.
  const hint =
    answer.status === 401 && token === '' ? 'Make a token on the page of your account, and set KUBEMEND_TOKEN to it.' : said?.hint
  process.stderr.write(`${answer.status}: ${said?.message ?? text.slice(0, 500)}\n${hint === undefined ? '' : `${hint}\n`}`)
  return 1
}

if (import.meta.main) {
  try {
    process.exitCode = await main(process.argv.slice(2))
  } catch (thrown) {
    process.stderr.write(`${(thrown as Error).message}\n`)
    process.exitCode = 2
  }
}
