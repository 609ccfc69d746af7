// What the editor does with open files: nothing that a learner typed is lost, nothing that they have not seen is overwritten.
import { describe, expect, test } from 'vitest'
import { type Change, type Files, isDirty, languageOf, noFiles, reduceFiles, type TextFile } from './files.ts'

const key = 'worker-1:/etc/a.yaml'
const file = (content: string, version: string): TextFile => ({
  type: 'file',
  place: 'worker-1',
  path: '/etc/a.yaml',
  content,
  version,
  mode: '0644',
})
const played = (...changes: Change[]): Files => changes.reduce(reduceFiles, noFiles)
const opened: Change[] = [
  { type: 'open', place: 'worker-1', path: '/etc/a.yaml' },
  { type: 'read', file: file('a', 'v1') },
]

describe('an open file', () => {
  test('is unsaved exactly while it differs from what is on the machine', () => {
    const dirty = played(...opened, { type: 'edit', key, content: 'ab' })
    expect(isDirty(dirty.open[0]!)).toBe(true)
    expect(isDirty(reduceFiles(dirty, { type: 'edit', key, content: 'a' }).open[0]!)).toBe(false)
  })
  test('stays unsaved when the learner typed on while it was saved', () => {
    const files = played(
      ...opened,
      { type: 'edit', key, content: 'ab' },
      { type: 'saving', key },
      { type: 'edit', key, content: 'abc' },
      { type: 'saved', file: file('ab', 'v2'), content: 'ab' },
    )
    expect(files.open[0]).toMatchObject({ content: 'abc', base: { content: 'ab', version: 'v2' }, state: 'ready' })
    expect(isDirty(files.open[0]!)).toBe(true)
  })
  test('keeps the text when saving failed', () => {
    const files = played(
      ...opened,
      { type: 'edit', key, content: 'ab' },
      { type: 'saving', key },
      { type: 'save-failed', key, error: { title: 'no', message: null, hint: null } },
    )
    expect(files.open[0]).toMatchObject({ content: 'ab', base: { version: 'v1' }, error: { title: 'no' } })
  })
  test('opening it again goes to it and keeps the changes', () => {
    const files = played(
      ...opened,
      { type: 'edit', key, content: 'ab' },
      { type: 'open', place: 'workstation', path: '/b' },
      { type: 'open', place: 'worker-1', path: '/etc/a.yaml' },
    )
    expect(files.active).toBe(key)
    expect(files.open.find((one) => one.path === '/etc/a.yaml')?.content).toBe('ab')
  })
  test('one that could not be read is read anew', () => {
    const files = played(opened[0]!, { type: 'unreadable', key, error: { title: 'x', message: null, hint: null } }, opened[0]!)
    expect(files.open).toMatchObject([{ state: 'loading', error: null }])
  })
})

describe('a conflict', () => {
  const met = [...opened, { type: 'edit', key, content: 'mine' } as const, { type: 'conflict', key, theirs: file('theirs', 'v9') } as const]
  test('keeping mine starts the next save from what is there now', () => {
    expect(played(...met, { type: 'resolve', key, keep: 'mine' }).open[0]).toMatchObject({
      content: 'mine',
      base: { version: 'v9' },
      conflict: null,
    })
  })
  test('taking theirs drops mine', () => {
    const files = played(...met, { type: 'resolve', key, keep: 'theirs' })
    expect(files.open[0]).toMatchObject({ content: 'theirs', base: { version: 'v9' } })
    expect(isDirty(files.open[0]!)).toBe(false)
  })
  test('going on editing changes neither, so that the next save meets it again', () => {
    expect(played(...met, { type: 'resolve', key, keep: 'later' }).open[0]).toMatchObject({
      content: 'mine',
      base: { version: 'v1' },
      conflict: null,
    })
  })
  test('with a file that is gone, keeping mine makes it anew', () => {
    expect(played(...opened, { type: 'conflict', key, theirs: 'gone' }, { type: 'resolve', key, keep: 'mine' }).open[0]).toMatchObject({
      base: null,
      content: 'a',
    })
  })
})

test('closing the active file goes to its neighbour', () => {
  const files = played(...opened, { type: 'open', place: 'workstation', path: '/b' }, { type: 'close', key: 'workstation:/b' })
  expect(files.active).toBe(key)
  expect(reduceFiles(files, { type: 'close', key }).active).toBeNull()
})

test.each([
  ['/etc/kubernetes/manifests/kube-apiserver.yaml', 'yaml'],
  ['/etc/kubernetes/admin.conf', 'yaml'],
  ['/etc/cni/net.d/10-flannel.conflist', 'json'],
  ['/etc/systemd/system/kubelet.service', 'ini'],
  ['/home/x/.bashrc', 'shell'],
  ['/etc/hosts', 'plaintext'],
])('%s is coloured as %s', (path, language) => expect(languageOf(path)).toBe(language))
