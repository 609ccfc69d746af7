// Settings of a browser go into the file and come out of it; what is not a setting of ours stays outside.
import { expect, test } from 'vitest'
import { archivedSettings } from '#lib/protocol/index.ts'
import { applySettings, settingsOf } from './settings.ts'

function storageOf(entries: Record<string, string>): Storage {
  const map = new Map(Object.entries(entries))
  return {
    get length() {
      return map.size
    },
    clear: () => map.clear(),
    getItem: (key) => map.get(key) ?? null,
    key: (index) => [...map.keys()][index] ?? null,
    removeItem: (key) => void map.delete(key),
    setItem: (key, value) => void map.set(key, value),
  }
}

test('out and in again', () => {
  const here = storageOf({ 'kubemend.left': '420', 'kubemend.exam.keys': '1', 'kubemend.note': 'words', 'other.left': '9' })
  const settings = settingsOf('locale=ko; theme=dark; session=secret', here)
  expect(settings).toEqual({ theme: 'dark', locale: 'ko', kept: { left: 420, 'exam.keys': 1 } })
  const there = storageOf({ 'kubemend.left': '300', 'kubemend.dock': '2' })
  const cookies: string[] = []
  applySettings(archivedSettings.parse(settings), (name, value) => cookies.push(`${name}=${value}`), there)
  expect(cookies).toEqual(['theme=dark', 'locale=ko'])
  expect(settingsOf('', there).kept).toEqual({ left: 420, dock: 2, 'exam.keys': 1 })
})

test('nothing set is nothing said', () => {
  expect(settingsOf('theme=pink', storageOf({}))).toEqual({ kept: {} })
})
