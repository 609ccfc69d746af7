// The place at which a text stops being JSON; what JSON.parse takes has none.
import { expect, test } from 'vitest'
import { brokenAt } from './json.ts'

test.each([
  ['{\n  "format": ,', { line: 2, column: 13 }],
  ['', { line: 1, column: 1 }],
  ['{"a": 1,}', { line: 1, column: 9 }],
  ['[1, 2', { line: 1, column: 6 }],
  ['[1]\n]', { line: 2, column: 1 }],
  ['{"a" 1}', { line: 1, column: 6 }],
  ['["\\x"]', { line: 1, column: 2 }],
  ['[01]', { line: 1, column: 3 }],
  ["{'a': 1}", { line: 1, column: 2 }],
])('%j', (text, place) => {
  expect(() => JSON.parse(text)).toThrow()
  expect(brokenAt(text)).toEqual(place)
})
test.each(['{}', ' [ ] ', '{"a": [1, -2.5e3, "x\\u00e9\\n", true, null, {"b": {}}]}\n', '"한글"', '0'])('%j is JSON', (text) => {
  JSON.parse(text)
  expect(brokenAt(text)).toBeNull()
})
