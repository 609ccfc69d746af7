// A recording is read as it was written, and its pauses can be skipped.
import { expect, test } from 'vitest'
import { firstSight, indexAt, parseCast, withoutPauses } from './asciicast.ts'

const text = [
  '{"version":2,"width":80,"height":24,"timestamp":1700000000}',
  '[0.5,"o","$ "]',
  '[1,"i",""]',
  '',
  '[1.5,"o","한글\\r\\n"]',
  '[2,"r","120x40"]',
  '[62,"o","done"]',
  '[63,"o","cut of',
].join('\n')

test('outputs, sizes and their times', () => {
  expect(parseCast(text)).toEqual({
    cols: 80,
    rows: 24,
    startedAt: 1_700_000_000_000,
    length: 62,
    moments: [
      { at: 0.5, kind: 'output', text: '$ ' },
      { at: 1.5, kind: 'output', text: '한글\r\n' },
      { at: 2, kind: 'size', cols: 120, rows: 40 },
      { at: 62, kind: 'output', text: 'done' },
    ],
  })
})
test('what is no recording is refused', () => expect(parseCast('not found')).toBeNull())
test('pauses are cut, and a time of the original is found again', () => {
  const { cast, at } = withoutPauses(parseCast(text)!, 2)
  expect(cast.moments.map((moment) => moment.at)).toEqual([0.5, 1.5, 2, 4])
  expect([at(1), at(30), at(62)]).toEqual([1, 4, 4])
})
test('the next moment after a time', () => {
  const cast = parseCast(text)!
  expect([0, 0.5, 1.9, 100].map((second) => indexAt(cast, second))).toEqual([0, 1, 2, 4])
})
test('a replay begins where something can be seen', () => {
  const cast = parseCast(
    `{"version":2,"width":80,"height":24}\n[0.1,"o","\\u001b[?2004h\\u001b]0;title\\u0007"]\n[0.4,"o","\\u001b[1m$ "]`,
  )!
  expect(firstSight(cast)).toBe(0.4)
})
