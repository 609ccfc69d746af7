// Both languages say everything, and a reader gets the one they asked for.
import { describe, expect, test } from 'vitest'
import { errorCodes } from '#lib/protocol/index.ts'
import { en } from './en.ts'
import { ko } from './ko.ts'
import { negotiateLocale } from './messages.ts'

const paths = (value: unknown, at = ''): string[] =>
  typeof value === 'object' && value !== null ? Object.entries(value).flatMap(([key, inner]) => paths(inner, `${at}.${key}`)) : [at]

describe('the two languages', () => {
  test('have the same keys, so that nothing is left untranslated', () => {
    expect(paths(ko).sort()).toEqual(paths(en).sort())
  })
  test('leave no sentence of the Korean pages in English', () => {
    const sentences: string[] = []
    const walk = (a: unknown, b: unknown, at: string) => {
      if (typeof a === 'string') {
        if (a === b && a.includes(' ')) sentences.push(`${at}: ${a}`)
      } else if (typeof a === 'object' && a !== null)
        for (const [key, inner] of Object.entries(a)) walk(inner, (b as Record<string, unknown>)[key], `${at}.${key}`)
    }
    walk(en, ko, '')
    expect(sentences).toEqual([])
  })
  test('name every error code', () => {
    expect(Object.keys(en.error.codes).sort()).toEqual(Object.keys(errorCodes).sort())
  })
})

describe('the language of a page', () => {
  test.each([
    ['ko', 'en-US,en;q=0.9', 'ko'],
    ['fr', 'ko-KR,ko;q=0.9,en;q=0.8', 'ko'],
    [undefined, 'fr-FR,fr;q=0.9,ko;q=0.5,en;q=0.7', 'en'],
    [undefined, 'ko;q=0,en;q=0.1', 'en'],
    [undefined, 'de', 'en'],
    [undefined, null, 'en'],
  ])('cookie %s and Accept-Language %s give %s', (cookie, header, expected) => {
    expect(negotiateLocale(cookie, header)).toBe(expected)
  })
})
