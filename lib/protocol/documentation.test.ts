// Which addresses a drill may lead to.
import { expect, test } from 'vitest'
import { allowedInExam, examAddress, examDocumentation } from './documentation.ts'

test.each([
  ['https://kubernetes.io/docs/', true],
  ['https://kubernetes.io/docs', true],
  ['https://kubernetes.io/ko/docs/concepts/services-networking/service/#headless-services', true],
  ['https://kubernetes.io/zh-cn/docs/home/', true],
  ['https://kubernetes.io/blog/2026/01/01/x/', true],
  ['https://helm.sh/docs/intro/install/', true],
  ['https://gateway-api.sigs.k8s.io/guides/', true],
  ['https://kubernetes.io/', false],
  ['https://kubernetes.io/docs-of-mine/', false],
  ['https://kubernetes.io/docs/../community/', false],
  ['http://kubernetes.io/docs/', false],
  ['https://kubernetes.io:8443/docs/', false],
  ['https://kubernetes.io@evil.test/docs/', false],
  ['https://you@kubernetes.io/docs/', false],
  ['https://kubernetes.io.evil.test/docs/', false],
  ['https://discuss.kubernetes.io/docs/', false],
  ['https://github.com/kubernetes/kubernetes', false],
  ['javascript:alert(1)', false],
  ['/exam', false],
])('%s: %s', (address, allowed) => {
  expect(allowedInExam(address)).toBe(allowed)
})

test('what is offered is allowed, and found in a line of a terminal', () => {
  for (const { url } of examDocumentation) expect(allowedInExam(url), url).toBe(true)
  expect(examAddress.exec('see (https://kubernetes.io/docs/tasks/x/) and https://github.com/y')?.[0]).toBe(
    'https://kubernetes.io/docs/tasks/x/',
  )
  expect(examAddress.exec('see https://kubernetes.io.evil.test/docs/')).toBeNull()
})
