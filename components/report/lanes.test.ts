// The timeline's picture tells how each check stood at every moment.
import { expect, test } from 'vitest'
import { type Entry, lanes } from './lanes.ts'

const at = (seconds: number) => 1_000_000 + seconds * 1000
const entries: Entry[] = [
  { kind: 'session', at: at(0), what: 'ready' },
  { kind: 'check', at: at(0), check: 'web', state: 'failing' },
  { kind: 'command', at: at(20), terminal: 1, place: 'workstation', command: 'kubectl get pods' },
  { kind: 'check', at: at(50), check: 'web', state: 'holding' },
  { kind: 'check', at: at(75), check: 'web', state: 'passing' },
  { kind: 'session', at: at(100), what: 'ended' },
]

test('a check is a band per state from the hand-over to the end', () => {
  expect(lanes(entries, ['web', 'untouched'])?.checks).toEqual([
    {
      id: 'web',
      bands: [
        { from: 0, to: 0.5, state: 'failing' },
        { from: 0.5, to: 0.75, state: 'holding' },
        { from: 0.75, to: 1, state: 'passing' },
      ],
    },
    { id: 'untouched', bands: [{ from: 0, to: 1, state: 'waiting' }] },
  ])
})
test('what came before the hand-over stands at its edge', () => {
  const early: Entry[] = [{ kind: 'check', at: at(-30), check: 'web', state: 'failing' }, ...entries]
  const found = lanes(early, ['web'])
  expect(found?.start).toBe(at(0))
  expect(found?.checks[0]?.bands[0]).toEqual({ from: 0, to: 0.5, state: 'failing' })
})
test('commands stand at their moments and ticks at round times', () => {
  const found = lanes(entries, [])
  expect(found?.commands.map((command) => command.at)).toEqual([0.2])
  expect(found?.ticks.map((tick) => tick.ms)).toEqual([0, 30_000, 60_000, 90_000])
})
test('an attempt without any record has no picture', () => expect(lanes([], ['web'])).toBeNull())
test('an attempt that ended at once has one all the same', () =>
  expect(lanes(entries.slice(0, 1), ['web'])).toMatchObject({ checks: [{ bands: [{ from: 0, to: 1 }] }] }))
