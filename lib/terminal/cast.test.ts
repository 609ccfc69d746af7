// Recordings: exact to the byte, valid asciicast, bounded, no keys in them.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { bytesOf, incompleteTail, Recording, readCast, textOf } from './cast.ts'
import { Ring } from './ring.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'kubemend-cast-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))
const size = { cols: 80, rows: 24 }
const bytes = (text: string) => new TextEncoder().encode(text)
const now = () => 1_700_000_000_500

test('any bytes survive being text', () => {
  const every = Uint8Array.from({ length: 256 }, (_, index) => index)
  const mixed = [
    every,
    bytes('파드 🚀 ok'),
    Uint8Array.of(0xed, 0x95),
    Uint8Array.of(0xf0, 0x9f),
    Uint8Array.of(0xed, 0xa0, 0x80),
    Uint8Array.of(0xc0, 0x80),
  ]
  for (const one of mixed) expect(Buffer.from(bytesOf(textOf(one)))).toEqual(Buffer.from(one))
  expect(textOf(bytes('파드'))).toBe('파드')
})

test('a character that is cut in two is told from one that is whole or broken', () => {
  const korean = bytes('한')
  expect(incompleteTail(korean)).toBe(0)
  expect(incompleteTail(korean.subarray(0, 2))).toBe(2)
  expect(incompleteTail(korean.subarray(0, 1))).toBe(1)
  expect(incompleteTail(bytes('🚀').subarray(0, 3))).toBe(3)
  expect(incompleteTail(Uint8Array.of(0x41, 0x80))).toBe(0)
  expect(incompleteTail(new Uint8Array(0))).toBe(0)
})

test('a recording is asciicast v2, byte for byte what was put out, and never splits a character', async () => {
  const file = path.join(dir, 'one.cast')
  const recording = await Recording.open({ file, size, now })
  const all = Buffer.concat([bytes('시작 '), Uint8Array.of(0xff, 0xfe), bytes('🚀끝')])
  for (const byte of all) recording.output(Uint8Array.of(byte))
  recording.size({ cols: 100, rows: 30 })
  await recording.close()
  const lines = (await readFile(file, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines[0]).toMatchObject({ version: 2, width: 80, height: 24, timestamp: 1_700_000_000 })
  const out = lines.filter((line) => line[1] === 'o').map((line) => line[2] as string)
  expect(out).toContain('시')
  expect(out).toContain('🚀')
  expect(Buffer.concat(out.map((text) => Buffer.from(bytesOf(text))))).toEqual(all)
  expect(lines.at(-1)).toEqual([0.5, 'r', '100x30'])
})

test('opened again it goes on where it was, and says at which byte', async () => {
  const file = path.join(dir, 'two.cast')
  const first = await Recording.open({ file, size, now })
  first.output(bytes('abc'))
  first.output(bytes('한').subarray(0, 2)) // the rest never comes: those bytes are asked for again
  await first.release()
  const ring = new Ring(1024)
  const second = await Recording.open({ file, size, now: () => now() + 60_000 }, (part) =>
    'bytes' in part ? ring.push(part.bytes) : ring.jump(ring.end + part.gap),
  )
  expect(second.offset).toBe(3)
  expect(Buffer.from(ring.read(0, 100)).toString()).toBe('abc')
  second.gap(10)
  second.output(bytes('def'))
  await second.close()
  const third = await Recording.open({ file, size, now })
  expect(third.offset).toBe(16)
  await third.close()
  const events = []
  for await (const line of readCast(file)) if ('event' in line) events.push(line.event)
  expect(events).toMatchObject([
    { kind: 'output', at: 0.5 },
    { kind: 'gap', bytes: 10, at: 60.5 },
    { kind: 'output', at: 60.5 },
  ])
})

test('a recording that reaches its limit says so in the file and stops', async () => {
  const file = path.join(dir, 'three.cast')
  const recording = await Recording.open({ file, size, now, maxBytes: 2000 })
  for (let index = 0; index < 100; index++) recording.output(bytes('x'.repeat(100)))
  await recording.close()
  const text = await readFile(file, 'utf8')
  expect(text.length).toBeLessThan(2300)
  expect(JSON.parse(text.trim().split('\n').at(-1)!)[2]).toMatch(/^stopped: .* limit of 2000 bytes/)
  const again = await Recording.open({ file, size, now, maxBytes: 2000 })
  again.output(bytes('more'))
  await again.close()
  expect((await readFile(file, 'utf8')).trim()).toBe(text.trim())
})

test('what a person types is not in the recording, but that they typed is', async () => {
  const file = path.join(dir, 'four.cast')
  const recording = await Recording.open({ file, size, now })
  recording.output(bytes('Password: '))
  recording.input(bytes('hunter2'))
  recording.input(bytes('\r'))
  await recording.close()
  const text = await readFile(file, 'utf8')
  expect(text).not.toContain('hunter2')
  expect(
    text
      .trim()
      .split('\n')
      .slice(2)
      .map((line) => JSON.parse(line)[2]),
  ).toEqual(['', '\r'])
})

test('a full disk ends the recording once, with the reason', async () => {
  const errors: unknown[] = []
  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
  const recording = await Recording.open({
    file: path.join(dir, 'five.cast'),
    size,
    now,
    open: async () => ({ append: () => Promise.reject(full), close: async () => {} }),
    onError: (error) => errors.push(error),
  })
  recording.output(bytes('a'))
  await recording.settled()
  recording.output(bytes('b'))
  await recording.close()
  expect(errors).toEqual([full])
})

test('a ring holds the newest bytes by their offset, whatever the sizes of the pieces', () => {
  const ring = new Ring(100_000, 50)
  const stream = Buffer.from(Array.from({ length: 400_000 }, (_, index) => (index * 7 + (index >> 8)) % 251))
  let at = 0
  for (const length of [1, 10, 70_000, 5, 99_999, 100_000, 3, 64_000, 1000]) {
    ring.push(stream.subarray(at, at + length))
    at += length
    expect(ring.end).toBe(50 + at)
    expect(ring.start).toBe(Math.max(50, ring.end - 100_000))
    expect(Buffer.from(ring.read(ring.start, 200_000)).equals(stream.subarray(ring.start - 50, at))).toBe(true)
  }
  ring.jump(10_000_000)
  ring.push(Buffer.from('new'))
  expect([ring.start, ring.end, Buffer.from(ring.read(10_000_000, 10)).toString()]).toEqual([10_000_000, 10_000_003, 'new'])
})
