// The API's document: every route is in it and nothing else, every reference leads somewhere, who may ask is as it says. That answers are as it
// says, every test over TestLab sees.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { localPerson, type Visitor } from '#lib/auth/index.ts'
import { type ErrorView, grants, isAtLeast, role, type TokenScope, tokenScope } from '#lib/protocol/index.ts'
import { readVersion, root } from './config.ts'
import { openapi, operations } from './openapi.ts'
import { TestLab } from './testing.ts'

/** What app/api hands to the API: method, folder, name there. */
function routes(): string[] {
  const api = path.join(root, 'app/api')
  return readdirSync(api, { recursive: true, encoding: 'utf8' })
    .filter((file) => path.basename(file) === 'route.ts')
    .flatMap((file) => {
      const source = readFileSync(path.join(api, file), 'utf8')
      return [...source.matchAll(/export const ([A-Z]+)\b[\s\S]*?\.api\.(\w+)\(/g)].map(
        ([, method, name]) => `${method} /api/${path.dirname(file)} ${name}`,
      )
    })
}
test('every route is in it, and nothing else', () => {
  const described = Object.entries(operations).map(([name, { method, path }]) => `${method} ${path} ${name}`)
  expect(described.sort()).toEqual(routes().sort())
})

let lab: TestLab
let who: Visitor | null = localPerson
beforeAll(async () => {
  lab = await TestLab.open({ parts: { identify: async () => who } })
})
afterAll(() => lab.close())

test('it is OpenAPI 3.1: every reference leads somewhere, every name in a path is a parameter', async () => {
  const document = (await (await fetch(`${lab.url}/api/openapi.json`)).json()) as ReturnType<typeof openapi>
  expect(document).toEqual(JSON.parse(JSON.stringify(openapi(readVersion()))))
  expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'kubemend', version: readVersion() } })
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, at]) => at!)
  expect(references.length).toBeGreaterThan(20)
  for (const reference of new Set(references)) {
    expect(reference).toMatch(/^#\//)
    const found = reference
      .slice(2)
      .split('/')
      .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document)
    expect(found, reference).toBeDefined()
  }
  const ids = new Set<string>()
  for (const [where, item] of Object.entries(
    document.paths as Record<string, Record<string, { operationId: string; parameters?: { name: string; in: string }[] }>>,
  ))
    for (const operation of Object.values(item)) {
      expect(ids.has(operation.operationId)).toBe(false)
      ids.add(operation.operationId)
      const names = (operation.parameters ?? []).filter((one) => one.in === 'path').map(({ name }) => name)
      expect(names).toEqual([...where.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))
    }
})

/** Asks each route for something that is not there, with a body that is none. */
async function* answers() {
  for (const operation of Object.values(operations)) {
    const target = lab.url + operation.path.replace('[id]', '0123456789abcdef').replace('[terminal]', '1').replace('[provider]', 'oidc')
    const answer = await fetch(target, {
      method: operation.method,
      headers: { origin: lab.url, 'content-type': 'application/json' },
      ...(operation.method === 'GET' ? {} : { body: '{' }),
    })
    const { error } = answer.ok ? { error: undefined } : ((await answer.json()) as { error: ErrorView })
    yield { answer, error, operation, said: `${operation.method} ${operation.path}` }
  }
}
test.each([null, ...role.options])('asked by %s, each route lets in whom it says', async (asking) => {
  who = asking === null ? null : { ...localPerson, id: `a-${asking}`, role: asking }
  for await (const { answer, error, operation, said } of answers()) {
    if (operation.role === null) expect([401, 403], said).not.toContain(answer.status)
    else if (who === null) expect([answer.status, error?.code], said).toEqual([401, 'unauthorized'])
    else if (!isAtLeast(who.role, operation.role)) expect([answer.status, error?.code], said).toEqual([403, 'forbidden'])
    else expect([401, 403], said).not.toContain(answer.status)
  }
})

test.each(tokenScope.options)('asked by an admin’s token for %s, each route lets in what it says', async (scope: TokenScope) => {
  who = { ...localPerson, id: 'a-token', token: { name: 'script', scopes: [scope] } }
  let allowed = 0
  for await (const { answer, error, operation, said } of answers()) {
    if (operation.role === null || (operation.scope !== null && grants([scope], operation.scope))) {
      allowed += operation.scope === null ? 0 : 1
      expect([401, 403], said).not.toContain(answer.status)
      continue
    }
    expect([answer.status, error?.code], said).toEqual([403, 'forbidden'])
    // What is lacking is named, in both languages, with what to do.
    for (const words of [error?.message, error?.hint, error?.ko?.message, error?.ko?.hint])
      expect(words, said).toMatch(operation.scope === null ? /./ : new RegExp(operation.scope))
  }
  expect(allowed).toBeGreaterThan(0)
})

test('looking is a scope for reading, changing one for writing, and nothing that is one’s account’s is any token’s', () => {
  for (const { method, path, role, scope } of Object.values(operations)) {
    if (role === null || path.startsWith('/api/account')) expect(scope, path).toBeNull()
    else if (method === 'GET') expect(scope, path).toMatch(/:read$/)
    else if (scope?.endsWith(':read')) expect(['/api/exam/preview', '/api/classes/[id]/capacity']).toContain(path)
  }
})

test('the document says by what one may ask, and which scope a token needs', () => {
  const { components, paths } = openapi('0') as {
    components: { securitySchemes: Record<string, { type: string; scheme?: string }> }
    paths: Record<string, Record<string, { operationId: string; security: Record<string, string[]>[] }>>
  }
  expect(components.securitySchemes).toMatchObject({ cookie: { type: 'apiKey' }, token: { type: 'http', scheme: 'bearer' } })
  for (const { operationId, security } of Object.values(paths).flatMap((item) => Object.values(item))) {
    const { role, scope } = operations[operationId as keyof typeof operations]
    const token = scope === null ? [] : [{ token: [scope] }]
    expect(security, operationId).toEqual(role === null ? [] : [{ cookie: [] }, ...token])
  }
})
