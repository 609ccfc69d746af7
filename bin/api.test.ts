// The API as commands: what is typed becomes the request, over the document of this version; what is wrong is said with how it is typed.
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { NewToken } from '#lib/protocol/index.ts'
import { Client } from '#lib/server/client.ts'
import { root } from '#lib/server/index.ts'
import { openapi, operations } from '#lib/server/openapi.ts'
import { TestLab } from '#lib/server/testing.ts'
import { commandsOf, requestOf } from './api.ts'

const commands = commandsOf(openapi('0'))
const ask = (line: string) => requestOf(line.split(' '), commands, (file) => `content of ${file}`)

test('every route is a command, and no two are typed alike', () => {
  expect(commands).toHaveLength(Object.keys(operations).length)
  expect(new Set(commands.map(({ words }) => words.join(' '))).size).toBe(commands.length)
})
test('what is typed becomes the request', () => {
  expect(ask('sessions list')).toEqual({ method: 'GET', target: '/api/sessions' })
  expect(ask('sessions get a1')).toEqual({ method: 'GET', target: '/api/sessions/a1' })
  expect(ask('sessions report a/b')).toEqual({ method: 'GET', target: '/api/sessions/a%2Fb/report' })
  expect(ask('sessions create --body x.json')).toEqual({ method: 'POST', target: '/api/sessions', body: 'content of x.json' })
  expect(ask('exam act a1 --body -')).toEqual({ method: 'POST', target: '/api/exam/a1/actions', body: 'content of -' })
  expect(ask('exam list --backend sim')).toEqual({ method: 'GET', target: '/api/exam?backend=sim' })
  expect(ask('sessions files a1 --place workstation --path /etc/hosts').target).toBe(
    '/api/sessions/a1/files?place=workstation&path=%2Fetc%2Fhosts',
  )
})
test.each([
  ['nothing here', /no command "nothing here".*sessions list/s],
  ['sessions get', /typed so: sessions get ID/],
  ['sessions create', /typed so: sessions create --body/],
  ['sessions files a1 --path /x', /typed so: sessions files ID --place/],
  ['sessions list --all yes', /no --all/],
  ['exam list --backend', /--backend wants a value/],
])('%s is refused with how it is typed', (line, words) => {
  expect(() => ask(line)).toThrow(words)
})

let lab: TestLab
beforeAll(async () => {
  lab = await TestLab.open()
})
afterAll(() => lab.close())
const run = (env: Record<string, string>, ...args: string[]) =>
  promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', path.join(root, 'bin/api.ts'), ...args], {
    env: { ...process.env, ...env },
  })
test('over a server: JSON on standard output, errors in words on the other with a code', async () => {
  const here = { KUBEMEND_URL: lab.url }
  expect(JSON.parse((await run(here, 'backends', 'list')).stdout)).toMatchObject({ backends: [{ name: 'fake', state: 'ready' }] })
  await expect(run(here, 'sessions', 'get', '0123456789abcdef')).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('404: There is no such session.'),
  })
  await expect(run(here, 'sessions')).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('sessions list') })
}, 120_000)
test('over a server with accounts: by the token of the environment, and without one it says how to come by one', async () => {
  const guarded = await TestLab.open({ env: { KUBEMEND_AUTH: 'on' } })
  try {
    const { accounts } = guarded.lab
    const nobody = new Client(guarded.url)
    const token = new URL((await accounts!.firstAdmin())!).hash.slice(1)
    const joined = await nobody.send('POST', '/api/invitations/accept', {
      ...{ token, name: 'Ada', email: 'ada@example.org', password: 'correct horse battery' },
    })
    const cookie = joined.headers.getSetCookie().map((one) => one.split(';')[0]!)
    const ada = new Client(guarded.url, { cookie: cookie.join('; ') })
    const made = await ada.post<NewToken>('/api/account/tokens', { name: 'grades', scopes: ['classes:write'] })
    const at = { KUBEMEND_URL: guarded.url }
    const withToken = (...args: string[]) => run({ ...at, KUBEMEND_TOKEN: made.token }, ...args)
    const file = path.join(guarded.dataDir, 'class.json')
    writeFileSync(file, JSON.stringify({ name: 'Ops 101', zone: 'UTC' }))
    await withToken('classes', 'create', '--body', file)
    expect(JSON.parse((await withToken('classes', 'list')).stdout)).toMatchObject({ classes: [{ name: 'Ops 101' }] })
    await expect(withToken('sessions', 'list')).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(/403.*"sessions:read"/) })
    await expect(run({ ...at, KUBEMEND_TOKEN: `${made.token} and more` }, 'classes', 'list')).rejects.toMatchObject({
      code: 2,
      stderr: expect.not.stringContaining(made.token),
    })
    await expect(run({ ...at, KUBEMEND_TOKEN: '' }, 'classes', 'list')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('KUBEMEND_TOKEN'),
    })
  } finally {
    await guarded.close()
  }
}, 120_000)
