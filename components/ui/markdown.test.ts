// Markdown of scenarios: what becomes a link and what stays words.
import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { allowedInExam } from '#lib/protocol/index.ts'
import { LinksAllowed, Markdown } from './markdown.tsx'

const brief =
  'See [Services](https://kubernetes.io/docs/concepts/services-networking/service/), [an answer](https://stackoverflow.com/q/1) and https://example.com/x.'

test('elsewhere every address is a link; in a drill only what the exam allows, and the words of others stay', () => {
  const plain = renderToStaticMarkup(createElement(Markdown, null, brief))
  expect(plain.match(/<a /g)).toHaveLength(3)
  const drill = renderToStaticMarkup(createElement(LinksAllowed, { value: allowedInExam }, createElement(Markdown, null, brief)))
  expect(drill.match(/href="[^"]*"/g)).toEqual(['href="https://kubernetes.io/docs/concepts/services-networking/service/"'])
  expect(drill).toContain('an answer and https://example.com/x.')
})
