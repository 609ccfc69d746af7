// Terminals at their door: several pages, slow and dead ones, a shell that breaks off, a server that starts again.
// The shell is scripted behind the port, time is a fake clock; commands are read from a real bash on the fake cluster.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Cluster, fakeProvider, type Shell, type ShellRequest } from '#lib/cluster/index.ts'
import { LabError, type TerminalView } from '#lib/protocol/index.ts'
import { commandsOf, recordingFile, type Sink, Terminal, Terminals } from './index.ts'
import type { Clock } from './terminal.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'kubemend-terminal-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

/** Time that stands still until it is moved. */
function fakeClock(): Clock & { pass(millis: number): void } {
  let now = 1_700_000_000_000
  const waiting = new Set<{ at: number; callback: () => void }>()
  return {
    now: () => now,
    after(millis, callback) {
      const entry = { at: now + millis, callback }
      waiting.add(entry)
      return () => waiting.delete(entry)
    },
    pass(millis) {
      now += millis
      for (const entry of [...waiting].sort((left, right) => left.at - right.at))
        if (entry.at <= now && waiting.delete(entry)) entry.callback()
    },
  }
}

/** A shell that says what the test makes it say, held beyond its clients as the port asks. */
class Held {
  said = Buffer.alloc(0)
  attached: {
    shell: Shell
    deliver(): void
    end: (end: { kind: 'exit'; exitCode: number } | { kind: 'lost'; message: string }) => void
    paused: boolean
  } | null = null
  requests: ShellRequest[] = []
  typed = ''
  sizes: string[] = []
  killed = false
  fail: LabError | null = null
  say(text: string | Buffer): void {
    this.said = Buffer.concat([this.said, Buffer.from(text)])
    this.attached?.deliver()
  }
  readonly cluster = {
    shell: async (_where: string, request: ShellRequest): Promise<Shell> => {
      this.requests.push(request)
      if (this.fail) throw this.fail
      const offset = Math.min(request.from ?? 0, this.said.length)
      let next = offset
      let output: ((bytes: Uint8Array, offset: number) => void) | null = null
      const shell: Shell = {
        id: request.id,
        offset,
        lost: 0,
        onOutput: (listener) => {
          output = listener
          queueMicrotask(() => attached.deliver())
        },
        onEnd: (listener) => {
          attached.end = listener
        },
        write: (bytes) => {
          this.typed += Buffer.from(bytes).toString()
        },
        resize: (size) => {
          this.sizes.push(`${size.cols}x${size.rows}`)
        },
        pause: () => {
          attached.paused = true
        },
        resume: () => {
          attached.paused = false
          attached.deliver()
        },
        detach: async () => {
          if (this.attached === attached) this.attached = null
        },
        kill: async () => {
          this.killed = true
        },
      }
      const attached: NonNullable<Held['attached']> = {
        shell,
        paused: false,
        end: () => {},
        deliver: () => {
          while (!attached.paused && next < this.said.length && this.attached === attached) {
            const chunk = this.said.subarray(next, next + 16 * 1024)
            next += chunk.length
            output?.(chunk, next - chunk.length)
          }
        },
      }
      this.attached = attached
      return shell
    },
  } as unknown as Cluster
  lose(): void {
    const attached = this.attached
    this.attached = null
    attached?.end({ kind: 'lost', message: 'gone' })
  }
}

/** A page that keeps what it gets. */
class Looker implements Sink {
  text = Buffer.alloc(0)
  at = 0
  opened_: { offset: number; lost: number }[] = []
  opened(offset: number, lost: number): void {
    this.opened_.push({ offset, lost })
    this.at = offset
  }
  output(bytes: Uint8Array, offset: number): void {
    expect(offset).toBe(this.at)
    this.at += bytes.byteLength
    this.text = Buffer.concat([this.text, bytes])
  }
}

const kib = 1024
const tuning = { ringBytes: 64 * kib, unackedBytes: 16 * kib, stallMs: { others: 3000, alone: 30_000 } }
async function terminalOn(
  held: Held,
  clock: Clock,
  more: Partial<Parameters<typeof Terminal.load>[0]> = {},
  changes: TerminalView[] = [],
  troubles: LabError[] = [],
) {
  return Terminal.load({
    id: 1,
    place: 'workstation',
    title: 'workstation',
    shellId: 'shell-1',
    file: path.join(dir, 'terminal-1.cast'),
    size: { cols: 80, rows: 24 },
    cluster: () => held.cluster,
    clock,
    onChange: (view) => changes.push(view),
    onTrouble: (error) => troubles.push(error),
    ...tuning,
    ...more,
  })
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

test('two pages see the same, the later one from the beginning', async () => {
  const held = new Held()
  const terminal = await terminalOn(held, fakeClock())
  await terminal.attach()
  const first = new Looker()
  terminal.watch(first, 0)
  held.say('hello 한글')
  const second = new Looker()
  terminal.watch(second, 0)
  held.say('!')
  expect([first.text.toString(), second.text.toString()]).toEqual(['hello 한글!', 'hello 한글!'])
  await terminal.detach()
})

test('a page that comes back gets what it missed and nothing twice', async () => {
  const held = new Held()
  const terminal = await terminalOn(held, fakeClock())
  await terminal.attach()
  const before = new Looker()
  const viewer = terminal.watch(before, 0)
  held.say('seen ')
  viewer.close()
  held.say('missed')
  const after = new Looker()
  terminal.watch(after, before.at)
  expect(after.text.toString()).toBe('missed')
  expect(after.opened_).toEqual([{ offset: 5, lost: 0 }])
  await terminal.detach()
})

test('a slow page makes the shell wait, an acknowledgement lets it run', async () => {
  const held = new Held()
  const terminal = await terminalOn(held, fakeClock())
  await terminal.attach()
  const page = new Looker()
  const viewer = terminal.watch(page, 0)
  held.say(Buffer.alloc(500 * kib, 'y'))
  await turn()
  expect(held.attached!.paused).toBe(true)
  expect(page.text.length).toBeLessThanOrEqual(tuning.unackedBytes)
  expect(terminal.range.end).toBeLessThanOrEqual(tuning.unackedBytes + 16 * kib)
  while (page.text.length < 500 * kib) {
    viewer.ack(page.at)
    await turn()
  }
  expect(held.attached!.paused).toBe(false)
  await terminal.detach()
})

test('with nobody looking the shell runs on and the newest bytes are there for who comes', async () => {
  const held = new Held()
  const terminal = await terminalOn(held, fakeClock())
  await terminal.attach()
  held.say(Buffer.alloc(1000 * kib, 'n'))
  held.say('end')
  await turn()
  expect(held.attached!.paused).toBe(false)
  expect(terminal.range).toEqual({ start: 1000 * kib + 3 - 64 * kib, end: 1000 * kib + 3 })
  const page = new Looker()
  const viewer = terminal.watch(page, 0)
  expect(page.opened_).toEqual([{ offset: 1000 * kib + 3 - 64 * kib, lost: 1000 * kib + 3 - 64 * kib }])
  while (page.at < terminal.range.end) viewer.ack(page.at)
  expect(page.text.toString().endsWith('nnnend')).toBe(true)
  await terminal.detach()
})

test('a dead page is cut loose for the sake of one that reads, and told what it lost when it wakes', async () => {
  const held = new Held()
  const clock = fakeClock()
  const terminal = await terminalOn(held, clock)
  await terminal.attach()
  const dead = new Looker()
  const deadViewer = terminal.watch(dead, 0)
  const living = new Looker()
  const livingViewer = terminal.watch(living, 0)
  held.say(Buffer.alloc(300 * kib, 'd'))
  await turn()
  while (true) {
    const before = living.at
    livingViewer.ack(living.at)
    await turn()
    if (living.at === before) break
  }
  expect(held.attached!.paused).toBe(true)
  clock.pass(3000)
  await turn()
  while (living.at < 300 * kib) {
    livingViewer.ack(living.at)
    await turn()
  }
  expect(dead.at).toBeLessThanOrEqual(tuning.unackedBytes)
  expect(terminal.range.end).toBe(300 * kib)
  const position = dead.at
  deadViewer.ack(dead.at)
  expect(dead.opened_.at(-1)).toEqual({ offset: terminal.range.start, lost: terminal.range.start - position })
  while (dead.at < 300 * kib) deadViewer.ack(dead.at)
  await terminal.detach()
})

test('alone, a page that reads nothing holds the shell for half a minute and no longer', async () => {
  const held = new Held()
  const clock = fakeClock()
  const terminal = await terminalOn(held, clock)
  await terminal.attach()
  terminal.watch(new Looker(), 0)
  held.say(Buffer.alloc(300 * kib, 'd'))
  await turn()
  clock.pass(29_999)
  await turn()
  expect(held.attached!.paused).toBe(true)
  clock.pass(1)
  await turn()
  expect(terminal.range.end).toBe(300 * kib)
  await terminal.detach()
})

test('a shell whose connection breaks is attached to again from the next byte, with longer waits while it fails', async () => {
  const held = new Held()
  const clock = fakeClock()
  const changes: TerminalView[] = []
  const troubles: LabError[] = []
  const terminal = await terminalOn(held, clock, {}, changes, troubles)
  await terminal.attach()
  const page = new Looker()
  terminal.watch(page, 0)
  held.say('before ')
  held.fail = new LabError('docker-unavailable', 'Docker is not there.')
  held.lose()
  held.say('meanwhile ')
  expect(changes.at(-1)!.state).toBe('lost')
  clock.pass(250)
  await turn()
  clock.pass(500)
  await turn()
  expect(held.requests).toHaveLength(3)
  expect(troubles.at(-1)!.message).toBe('Docker is not there.')
  held.fail = null
  clock.pass(1000)
  await turn()
  held.say('after')
  expect(page.text.toString()).toBe('before meanwhile after')
  expect(held.requests.at(-1)).toMatchObject({ id: 'shell-1', from: 7 })
  expect(changes.at(-1)!.state).toBe('open')
  await terminal.detach()
})

test('a shell that had to be started anew continues the stream', async () => {
  const held = new Held()
  const clock = fakeClock()
  const terminal = await terminalOn(held, clock)
  await terminal.attach()
  const page = new Looker()
  terminal.watch(page, 0)
  held.say('the old shell ')
  held.said = Buffer.alloc(0)
  held.lose()
  clock.pass(250)
  await turn()
  held.say('a new one')
  expect(page.text.toString()).toBe('the old shell a new one')
  await terminal.detach()
})

test('after a restart of the server the same shell goes on and nothing is lost', async () => {
  const held = new Held()
  const first = await terminalOn(held, fakeClock())
  await first.attach()
  held.say('one 한')
  held.say(Buffer.from('글').subarray(0, 2))
  await first.detach()
  held.say(Buffer.concat([Buffer.from('글').subarray(2), Buffer.from(' three')]))
  const second = await terminalOn(held, fakeClock())
  const page = new Looker()
  second.watch(page, 0)
  await second.attach()
  await turn()
  expect(page.text.toString()).toBe('one 한글 three')
  expect(held.requests.map((request) => [request.id, request.from])).toEqual([
    ['shell-1', 0],
    ['shell-1', 7],
  ])
  await second.detach()
})

test('an exit is told with its code and closes the terminal', async () => {
  const held = new Held()
  const changes: TerminalView[] = []
  const terminal = await terminalOn(held, fakeClock(), {}, changes)
  await terminal.attach()
  held.attached!.end({ kind: 'exit', exitCode: 3 })
  expect(changes.at(-1)).toMatchObject({ state: 'closed', exitCode: 3 })
  terminal.input(Buffer.from('ls\r'))
  expect(held.typed).toBe('')
})

test('keys typed while the shell is being attached reach it', async () => {
  const held = new Held()
  const terminal = await terminalOn(held, fakeClock())
  const attaching = terminal.attach()
  terminal.input(Buffer.from('한글'))
  await attaching
  expect(held.typed).toBe('한글')
  await terminal.detach()
})

test('a full disk stops the recording with words, and the terminal goes on', async () => {
  const held = new Held()
  const troubles: LabError[] = []
  const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
  const terminal = await terminalOn(
    held,
    fakeClock(),
    { open: async () => ({ append: () => Promise.reject(full), close: async () => {} }) },
    [],
    troubles,
  )
  await terminal.attach()
  const page = new Looker()
  terminal.watch(page, 0)
  held.say('still here')
  await terminal.settled()
  expect(page.text.toString()).toBe('still here')
  expect(troubles[0]).toMatchObject({ code: 'disk-full' })
  expect(troubles[0]!.message).toMatch(/recording of this terminal has stopped/)
  await terminal.detach()
})

test('a session opens so many terminals and no more, and says so', async () => {
  const held = new Held()
  const terminals = new Terminals({ dir, prefix: 's', cluster: () => held.cluster, onChange: () => {} })
  for (let index = 0; index < 12; index++) await terminals.open('workstation', { cols: 80, rows: 24 })
  await expect(terminals.open('workstation', { cols: 80, rows: 24 })).rejects.toThrow(/12 terminals at most/)
  await terminals.close(1)
  expect((await terminals.open('worker-1', { cols: 80, rows: 24 })).view).toMatchObject({ id: 13, title: 'worker-1', state: 'open' })
  await terminals.closeAll()
  expect(terminals.views().every((view) => view.state === 'closed')).toBe(true)
})

test('commands are read as they stood on the screen: typed, edited, recalled, completed, in Korean, across a wrapped line', async () => {
  const provider = fakeProvider({ dir: path.join(dir, 'fake') })
  const cluster = await provider.create({ workers: 0 }, () => {}, new AbortController().signal)
  const terminals = new Terminals({ dir, prefix: 's', cluster: () => cluster, onChange: () => {} })
  const terminal = await terminals.open('workstation', { cols: 60, rows: 20 })
  const page = new Looker()
  const { output } = page
  page.output = (bytes, offset) => {
    output.call(page, bytes, offset)
    viewer?.ack(page.at)
  }
  const viewer = terminal.watch(page, 0)
  const soon = { timeout: 25_000, interval: 10 }
  /** what follows each prompt, so that a failure shows what was on the screen */
  const prompts = (count: number) =>
    expect
      .poll(
        () =>
          page.text
            .toString()
            .split(/candidate@[^$]*\$ /)
            .slice(1),
        soon,
      )
      .toSatisfy((after: string[]) => after.length >= count)
  const type = (text: string) => terminal.input(Buffer.from(text))
  await prompts(1)
  type('echo first\r')
  await prompts(2)
  type('ecko second\u007f\u007f\u007f\u007f\u007f\u007f\u007f\u007f\u007fho second\r') // backspaces
  await prompts(3)
  type('\u001b[A\r') // up: the one before
  await prompts(4)
  type('echo 파드 이름\r')
  await prompts(5)
  type('not run\u0003') // Ctrl-C
  await prompts(6)
  type(`echo ${'w'.repeat(90)}\r`)
  await prompts(7)
  type('touch unusual-name\r')
  await prompts(8)
  type('ls unus\t\r')
  await prompts(9)
  type('exit\r')
  await expect.poll(() => terminal.view.state, soon).toBe('closed')
  await terminal.settled()
  const commands = (await commandsOf(recordingFile(dir, 1))).map((one) => one.command)
  expect(commands).toEqual([
    'echo first',
    'echo second',
    'echo second',
    'echo 파드 이름',
    `echo ${'w'.repeat(90)}`,
    'touch unusual-name',
    'ls unusual-name',
    'exit',
  ])
  await cluster.destroy()
})
