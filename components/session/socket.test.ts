// The page's socket against a real WebSocket server: resume, back-off, terminals by offset, acknowledgements.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type WebSocket as Peer, WebSocketServer } from 'ws'
import { type ClientMessage, clientMessage, decodeFrame, encodeFrame, type ServerMessage } from '#lib/protocol/index.ts'
import { check, sessionOf } from './fixtures.ts'
import { backOff, type Clock, type LabState, SessionSocket, spentNow, type TerminalSink, TicketRefused } from './socket.ts'

/** Timers that run when the test says so. */
function handClock(): Clock & { time: number; waiting: { ms: number; task: () => void }[]; run(longest?: number): void } {
  const clock = {
    time: 1_000_000,
    waiting: [] as { ms: number; task: () => void }[],
    now: () => clock.time,
    after(ms: number, task: () => void) {
      const entry = { ms, task }
      clock.waiting.push(entry)
      return () => {
        clock.waiting = clock.waiting.filter((other) => other !== entry)
      }
    },
    /** Runs what waits for at most `longest` ms. */
    run(longest = 16_000) {
      const due = clock.waiting.filter((entry) => entry.ms <= longest)
      clock.waiting = clock.waiting.filter((entry) => entry.ms > longest)
      for (const entry of due) entry.task()
    },
  }
  return clock
}

interface Joined {
  peer: Peer
  after: number
  ticket: string
  heard: ClientMessage[]
  input: { terminal: number; text: string }[]
  say(message: ServerMessage): void
  output(terminal: number, offset: number, text: string): void
  /** resolves when a message that fits has been heard */
  hears(fits: (message: ClientMessage) => boolean): Promise<ClientMessage>
}

let server: WebSocketServer
let joins: Joined[]
let waiters: (() => void)[]
let clock: ReturnType<typeof handClock>
let socket: SessionSocket
let tickets: number
let refuse: 'no' | 'gone' | 'broken'

const poke = () => {
  for (const waiter of waiters.splice(0)) waiter()
}
async function until<T>(look: () => T | undefined | false | null): Promise<T> {
  for (;;) {
    const found = look()
    if (found) return found
    await new Promise<void>((resolve) => waiters.push(resolve))
  }
}
const joined = (count: number) => until(() => joins[count - 1])
const state = (fits: (state: LabState) => boolean) => until(() => fits(socket.state) && socket.state)
const snapshot = (seq: number, over = {}): ServerMessage => ({ type: 'snapshot', seq, now: clock.time, session: sessionOf(over) })

beforeEach(async () => {
  joins = []
  waiters = []
  tickets = 0
  refuse = 'no'
  clock = handClock()
  server = new WebSocketServer({ port: 0 })
  await new Promise((resolve) => server.once('listening', resolve))
  server.on('connection', (peer, request) => {
    const query = new URL(request.url ?? '', 'http://x').searchParams
    const heard: ClientMessage[] = []
    const input: { terminal: number; text: string }[] = []
    peer.on('message', (data: Buffer, binary) => {
      if (binary) {
        const frame = decodeFrame(data)
        if (frame?.kind === 'input') input.push({ terminal: frame.terminal, text: Buffer.from(frame.bytes).toString() })
      } else heard.push(clientMessage.parse(JSON.parse(String(data))))
      poke()
    })
    joins.push({
      peer,
      after: Number(query.get('after')),
      ticket: query.get('ticket') ?? '',
      heard,
      input,
      say: (message) => peer.send(JSON.stringify(message)),
      output: (terminal, offset, text) =>
        peer.send(encodeFrame({ kind: 'output', terminal, offset, bytes: new TextEncoder().encode(text) })),
      hears: (fits) => until(() => heard.find(fits)),
    })
    poke()
  })
  const { port } = server.address() as { port: number }
  socket = new SessionSocket({
    clock,
    random: () => 1,
    ticket: async () => {
      tickets++
      if (refuse === 'gone') throw new TicketRefused({ code: 'not-found', message: 'no such session' })
      if (refuse === 'broken') throw new Error('network')
      return `t${tickets}`
    },
    url: (ticket, after) => `ws://127.0.0.1:${port}/ws/session/s1?ticket=${ticket}&after=${after}`,
  })
  socket.subscribe(poke)
})
afterEach(async () => {
  socket.stop()
  for (const client of server.clients) client.terminate()
  await new Promise((resolve) => server.close(resolve))
})

function sink(): TerminalSink & { text: string; openings: [number, number, number?][]; ends: number[] } {
  const made = {
    text: '',
    openings: [] as [number, number, number?][],
    ends: [] as number[],
    size: () => ({ cols: 90, rows: 20 }),
    opened: (offset: number, lost: number, head?: number) => {
      made.openings.push([offset, lost, head])
      poke()
    },
    output: (bytes: Uint8Array, end: number) => {
      made.text += new TextDecoder().decode(bytes)
      made.ends.push(end)
      poke()
    },
    failed: () => poke(),
  }
  return made
}
const terminal = (id: number) => ({ id, place: 'workstation', title: 'workstation', state: 'open' as const, exitCode: null })

describe('events', () => {
  test('a snapshot, then numbered events, give the session as it is', async () => {
    socket.start()
    const server = await joined(1)
    expect(server.after).toBe(0)
    server.say(snapshot(4))
    server.say({ type: 'event', seq: 5, at: clock.time, event: { type: 'check', check: check('web', { state: 'passing' }) } })
    const { session } = await state((now) => now.seq === 5)
    expect(session?.checks).toMatchObject([{ id: 'web', state: 'passing' }])
  })
  test('an event that was seen already changes nothing', async () => {
    socket.start()
    const server = await joined(1)
    server.say(snapshot(4))
    server.say({ type: 'event', seq: 3, at: clock.time, event: { type: 'check', check: check('web', { state: 'passing' }) } })
    server.say({ type: 'event', seq: 5, at: clock.time, event: { type: 'hint', hint: { index: 0, text: { en: 'h', ko: 'h' } } } })
    const { session } = await state((now) => now.seq === 5)
    expect(session?.checks[0]?.state).toBe('failing')
  })
  test('a gap in the numbers is never drawn: the page asks again from what it has', async () => {
    socket.start()
    const first = await joined(1)
    first.say(snapshot(4))
    first.say({ type: 'event', seq: 9, at: clock.time, event: { type: 'check', check: check('web', { state: 'passing' }) } })
    await state((now) => now.connection.state === 'waiting')
    expect(socket.state.session?.checks[0]?.state).toBe('failing')
    clock.run()
    expect((await joined(2)).after).toBe(4)
  })
  test('a message that this page does not know is skipped', async () => {
    socket.start()
    const server = await joined(1)
    server.peer.send('{"type":"from-the-future"}')
    server.peer.send('not json')
    server.say(snapshot(1))
    await state((now) => now.live)
  })
})

describe('the connection', () => {
  test('comes back with a new ticket, after the last number seen', async () => {
    socket.start()
    const first = await joined(1)
    first.say(snapshot(7))
    await state((now) => now.live)
    first.peer.terminate()
    await state((now) => now.connection.state === 'waiting')
    clock.run()
    const second = await joined(2)
    expect([second.after, second.ticket]).toEqual([7, 't2'])
    second.say(snapshot(8))
    await state((now) => now.seq === 8 && now.connection.state === 'open')
  })
  test('backs off further each time, starts small again once a snapshot came', async () => {
    refuse = 'broken'
    socket.start()
    const delays: number[] = []
    for (let attempt = 1; attempt <= 8; attempt++) {
      const { connection } = await state((now) => now.connection.state === 'waiting' && now.connection.attempt === attempt)
      if (connection.state === 'waiting') delays.push(connection.retryAt - clock.time)
      clock.run()
    }
    expect(delays).toEqual([400, 800, 1600, 3200, 6400, 12_800, 15_000, 15_000])
    refuse = 'no'
    await state((now) => now.connection.state === 'waiting')
    clock.run()
    const server = await joined(1)
    server.say(snapshot(1))
    await state((now) => now.connection.state === 'open')
    server.peer.terminate()
    expect(await state((now) => now.connection.state === 'waiting')).toMatchObject({ connection: { attempt: 1 } })
  })
  test('jitter spreads pages over half of the delay', () => {
    expect([backOff(2, 0), backOff(2, 0.5), backOff(2, 1)]).toEqual([800, 1200, 1600])
  })
  test('waking up tries at once', async () => {
    refuse = 'broken'
    socket.start()
    await state((now) => now.connection.state === 'waiting')
    refuse = 'no'
    socket.wake()
    await joined(1)
    expect(clock.waiting.filter((entry) => entry.ms < 16_000)).toEqual([])
  })
  test('ends when the session is gone', async () => {
    socket.start()
    const server = await joined(1)
    server.say(snapshot(1))
    server.peer.close(4004)
    await state((now) => now.connection.state === 'gone')
    expect(clock.waiting.filter((entry) => entry.ms < 16_000)).toEqual([])
  })
  test('ends, with the reason, when no ticket is given', async () => {
    refuse = 'gone'
    socket.start()
    expect(await state((now) => now.connection.state === 'gone')).toMatchObject({ connection: { error: { code: 'not-found' } } })
  })
})

describe('a terminal', () => {
  async function streaming() {
    socket.start()
    const server = await joined(1)
    server.say(snapshot(1, { terminals: [terminal(1)] }))
    await state((now) => now.live)
    const view = sink()
    const detach = socket.attach(1, view)
    await server.hears((message) => message.type === 'open' && message.terminal === 1)
    server.say({ type: 'opened', terminal: terminal(1), offset: 0, lost: 0, head: 5 })
    return { server, view, detach }
  }
  test('asks for its size and its bytes from the first', async () => {
    const { server, view } = await streaming()
    expect(server.heard).toEqual([{ type: 'open', terminal: 1, from: 0, cols: 90, rows: 20 }])
    server.output(1, 0, 'hello')
    await until(() => view.text === 'hello')
    expect(view.openings).toEqual([[0, 0, 5]])
  })
  test('acknowledges what has been parsed, not what has come', async () => {
    const { server, view } = await streaming()
    server.output(1, 0, 'x'.repeat(40_000))
    await until(() => view.ends.includes(40_000))
    expect(server.heard.some((message) => message.type === 'ack')).toBe(false)
    socket.parsed(1, 40_000)
    expect(await server.hears((message) => message.type === 'ack')).toEqual({ type: 'ack', terminal: 1, offset: 40_000 })
    server.output(1, 40_000, 'y')
    await until(() => view.ends.includes(40_001))
    socket.parsed(1, 40_001)
    // Little is acknowledged soon, not at once.
    clock.run(100)
    await server.hears((message) => message.type === 'ack' && message.offset === 40_001)
  })
  test('continues after a lost connection without a byte twice or missing', async () => {
    const { server, view } = await streaming()
    server.output(1, 0, 'abc')
    await until(() => view.text === 'abc')
    server.peer.terminate()
    await state((now) => now.connection.state === 'waiting')
    clock.run()
    const again = await joined(2)
    again.say(snapshot(1, { terminals: [terminal(1)] }))
    expect(await again.hears((message) => message.type === 'open')).toMatchObject({ terminal: 1, from: 3 })
    again.say({ type: 'opened', terminal: terminal(1), offset: 3, lost: 0, head: 6 })
    // Overlaps what is here already.
    again.output(1, 1, 'bcdef')
    await until(() => view.text === 'abcdef')
    // News, not a replay: a program that asked while the page was away still waits for its answer.
    expect(view.openings).toEqual([
      [0, 0, 5],
      [3, 0, undefined],
    ])
  })
  test('is told when bytes are gone for good', async () => {
    const { server, view } = await streaming()
    server.output(1, 0, 'abc')
    await until(() => view.text === 'abc')
    server.output(1, 100, 'later')
    await until(() => view.text === 'abclater')
    expect(view.openings.at(-1)?.slice(0, 2)).toEqual([100, 97])
  })
  test('sends keys while connected and says so when it cannot', async () => {
    const { server } = await streaming()
    await until(() => socket.input(1, new TextEncoder().encode('ls\r')))
    await until(() => server.input.length > 0)
    expect(server.input).toEqual([{ terminal: 1, text: 'ls\r' }])
    server.peer.terminate()
    await state((now) => now.connection.state === 'waiting')
    expect(socket.input(1, Uint8Array.of(1))).toBe(false)
  })
  test('cuts a large paste into frames that the server takes', async () => {
    const { server, view } = await streaming()
    await until(() => view.openings.length > 0)
    const pasted = 'z'.repeat(200_000)
    expect(socket.input(1, new TextEncoder().encode(pasted))).toBe(true)
    await until(() => {
      clock.run(20)
      return server.input.map((part) => part.text).join('').length === pasted.length
    })
    expect(Math.max(...server.input.map((part) => part.text.length))).toBeLessThanOrEqual(64 * 1024)
    // More than anybody pastes is refused rather than held in memory.
    expect(socket.input(1, new Uint8Array(5 * 1024 * 1024))).toBe(false)
  })
  test('a new one opens, and its tab then streams it', async () => {
    socket.start()
    const server = await joined(1)
    server.say(snapshot(1))
    await state((now) => now.live)
    const opening = socket.openTerminal('workstation', { cols: 80, rows: 24 })
    await server.hears((message) => message.type === 'open' && message.place === 'workstation')
    server.say({ type: 'opened', terminal: terminal(3), offset: 0, lost: 0 })
    expect((await opening).id).toBe(3)
    expect(socket.state.session?.terminals.map((one) => one.id)).toEqual([3])
  })
  test('a tab that streams it before the answer to its opening has come takes that answer from nobody', async () => {
    socket.start()
    const server = await joined(1)
    server.say(snapshot(1))
    await state((now) => now.live)
    const opening = socket.openTerminal('workstation', { cols: 80, rows: 24 })
    await server.hears((message) => message.type === 'open' && message.place === 'workstation')
    server.say({ type: 'event', seq: 2, at: clock.time, event: { type: 'terminal', terminal: terminal(3) } })
    await state((now) => now.seq === 2)
    const quick = sink()
    socket.attach(3, quick)
    await server.hears((message) => message.type === 'open' && message.terminal === 3)
    server.say({ type: 'opened', terminal: terminal(3), offset: 0, lost: 0 })
    expect((await opening).id).toBe(3)
    server.say({ type: 'opened', terminal: terminal(3), offset: 0, lost: 0, head: 0 })
    server.output(3, 0, 'hello')
    await until(() => quick.text === 'hello')
    expect(quick.openings).toHaveLength(1)
  })
  test('one that cannot open says why; one that was opening when the connection broke does too', async () => {
    socket.start()
    const server = await joined(1)
    server.say(snapshot(1))
    await state((now) => now.live)
    const refused = socket.openTerminal('worker-1', { cols: 80, rows: 24 })
    await server.hears((message) => message.type === 'open')
    server.say({ type: 'error', error: { code: 'capacity-exceeded', message: 'too many' } })
    await expect(refused).rejects.toMatchObject({ code: 'capacity-exceeded' })
    const lost = socket.openTerminal('worker-1', { cols: 80, rows: 24 })
    server.peer.terminate()
    await expect(lost).rejects.toMatchObject({ code: 'cluster-unreachable' })
  })
})

test('time runs while the lab is ready and stands still during an outage', async () => {
  socket.start()
  const server = await joined(1)
  server.say(snapshot(1, { spentMs: 5000 }))
  await state((now) => now.live)
  expect(spentNow(socket.state, clock.time + 2000)).toBe(7000)
  server.say({
    type: 'event',
    seq: 2,
    at: clock.time + 3000,
    event: { type: 'outage', outage: { code: 'docker-unavailable', message: 'gone' } },
  })
  await state((now) => now.seq === 2)
  expect(spentNow(socket.state, clock.time + 60_000)).toBe(8000)
  server.say({ type: 'event', seq: 3, at: clock.time + 60_000, event: { type: 'outage', outage: null } })
  await state((now) => now.seq === 3)
  expect(spentNow(socket.state, clock.time + 61_000)).toBe(9000)
})
