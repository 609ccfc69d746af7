// The grader asked through Docker: one program answers many, another one takes its place when it ends, and one of an earlier version is
// asked as it knows it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeDocker } from './docker.fixture.ts'
import { Docker } from './docker.ts'
import { Grader } from './grader.ts'
import { label } from './names.ts'

let folder: string
let fake: FakeDocker
let grader: Grader
const programs = () => fake.commands.filter((command) => command.includes(': probe'))

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubemend-grader-'))
  fake = new FakeDocker(join(folder, 'docker.sock'))
  await fake.start()
  fake.images.add('kubemend/grader:test')
  fake.add({ name: 'kubemend-grader-tests', image: 'kubemend/grader:test', labels: { [label.owner]: 'tests', [label.role]: 'grader' } })
  grader = new Grader(new Docker({ socketPath: join(folder, 'docker.sock') }), 'tests', 'kubemend/grader:test')
})
afterEach(async () => {
  await grader.close()
  await fake.stop()
  await rm(folder, { recursive: true })
})

describe('The grader', () => {
  it('answers side by side out of one program', async () => {
    fake.grader = ({ op }) => (op === 'missing' ? { ok: false, error: { kind: 'not-found', message: 'it is gone' } } : { ok: true, op })
    const many = await Promise.all(['stat', 'read', 'list'].map((op) => grader.one({ op, pid: 1 })))
    expect(many.map(({ op }) => op)).toEqual(['stat', 'read', 'list'])
    expect(
      await grader.ask([
        { op: 'a', pid: 1 },
        { op: 'missing', pid: 1 },
      ]),
    ).toMatchObject([{ op: 'a' }, { ok: false }])
    await expect(grader.one({ op: 'missing', pid: 1 })).rejects.toMatchObject({ code: 'not-found' })
    expect(programs()).toHaveLength(1)
  })

  it('is asked again of another program when one ends before it has answered', async () => {
    let ended = 0
    fake.grader = () => (ended++ === 0 ? undefined : { ok: true })
    expect(await grader.one({ op: 'stat', pid: 1 })).toEqual({ ok: true })
    expect(programs()).toHaveLength(2)
  })

  it('fails as ours when programs go on ending', async () => {
    fake.grader = () => undefined
    await expect(grader.one({ op: 'stat', pid: 1 })).rejects.toMatchObject({ code: 'internal' })
  })

  it('that ended while nobody asked is not noticed', async () => {
    await grader.one({ op: 'stat', pid: 1 })
    for (const socket of fake.sessions) socket.destroy()
    expect(await grader.one({ op: 'stat', pid: 1 })).toEqual({ ok: true })
  })

  it('is given up when whoever asked has gone, and answers the next', async () => {
    const gone = new AbortController()
    gone.abort()
    await expect(grader.ask([{ op: 'stat', pid: 1 }], gone.signal)).rejects.toMatchObject({ code: 'cancelled' })
    expect(await grader.one({ op: 'stat', pid: 1 })).toEqual({ ok: true })
  })

  it('of an earlier version is asked one array at a time', async () => {
    fake.earlier = true
    fake.answers = [
      { seen: /probe serve/, exitCode: 2, stderr: 'probe: unknown command "serve"' },
      { seen: /probe/, stdout: (stdin) => JSON.stringify((JSON.parse(stdin) as object[]).map((request) => ({ ok: true, ...request }))) },
    ]
    expect(await grader.one({ op: 'stat', pid: 7 })).toMatchObject({ ok: true, op: 'stat', pid: 7 })
    expect(await grader.one({ op: 'read', pid: 7 })).toMatchObject({ op: 'read' })
    expect(programs().map((command) => command.replace(/^.*: /, ''))).toEqual(['probe serve', 'probe', 'probe'])
  })
})
