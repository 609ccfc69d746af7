// The editor's open files as a state machine: what was read, what was changed, what a save met. Pure; knows no Monaco, no network.
import type { FileView, Place } from '#lib/protocol/index.ts'
import type { ErrorWords } from '../api.ts'

export type TextFile = Extract<FileView, { type: 'file' }>
export interface OpenFile {
  place: Place
  path: string
  state: 'loading' | 'ready' | 'saving' | 'unreadable'
  /** what was read or saved last; a save names its version. null: the file is not there yet */
  base: { content: string; version: string } | null
  content: string
  /** counts the times that `content` came from the machine and not from the keys: only then is the editor's text replaced */
  revision: number
  mode: string
  error: ErrorWords | null
  /** what is there now, when a save found something else than `base`; `gone` when the file was removed */
  conflict: { theirs: TextFile | 'gone' } | null
}
export interface Files {
  open: readonly OpenFile[]
  active: string | null
}
export const noFiles: Files = { open: [], active: null }
export const keyOf = (file: { place: Place; path: string }): string => `${file.place}:${file.path}`
export const isDirty = (file: OpenFile): boolean =>
  (file.state === 'ready' || file.state === 'saving') && file.content !== (file.base?.content ?? '')

export type Change =
  | { type: 'open'; place: Place; path: string }
  | { type: 'read'; file: TextFile }
  /** there is no such file; saving makes it */
  | { type: 'new'; key: string }
  | { type: 'unreadable'; key: string; error: ErrorWords }
  | { type: 'edit'; key: string; content: string }
  | { type: 'saving'; key: string }
  /** `content`: what was sent, as the learner may have gone on typing */
  | { type: 'saved'; file: TextFile; content: string }
  | { type: 'save-failed'; key: string; error: ErrorWords }
  | { type: 'conflict'; key: string; theirs: TextFile | 'gone' }
  /** mine: the next save starts from theirs and so overwrites it. theirs: mine is dropped. later: go on editing, the conflict stays. */
  | { type: 'resolve'; key: string; keep: 'mine' | 'theirs' | 'later' }
  | { type: 'close'; key: string }
  | { type: 'activate'; key: string }

export function reduceFiles(files: Files, change: Change): Files {
  const update = (key: string, part: (file: OpenFile) => Partial<OpenFile>): Files => ({
    ...files,
    open: files.open.map((file) => (keyOf(file) === key ? { ...file, ...part(file) } : file)),
  })
  switch (change.type) {
    case 'open': {
      const key = keyOf(change)
      if (files.open.some((file) => keyOf(file) === key && file.state !== 'unreadable')) return { ...files, active: key }
      const fresh: OpenFile = {
        place: change.place,
        path: change.path,
        state: 'loading',
        base: null,
        content: '',
        revision: 0,
        mode: '',
        error: null,
        conflict: null,
      }
      return { active: key, open: [...files.open.filter((file) => keyOf(file) !== key), fresh] }
    }
    case 'read': {
      const { content, version, mode } = change.file
      return update(keyOf(change.file), (file) => ({
        state: 'ready',
        base: { content, version },
        content,
        revision: file.revision + 1,
        mode,
        error: null,
        conflict: null,
      }))
    }
    case 'new':
      return update(change.key, () => ({ state: 'ready', base: null, content: '', error: null }))
    case 'unreadable':
      return update(change.key, () => ({ state: 'unreadable', error: change.error }))
    case 'edit':
      return update(change.key, () => ({ content: change.content }))
    case 'saving':
      return update(change.key, () => ({ state: 'saving', error: null }))
    case 'saved': {
      const { version, mode } = change.file
      return update(keyOf(change.file), () => ({
        state: 'ready',
        base: { content: change.content, version },
        mode,
        error: null,
        conflict: null,
      }))
    }
    case 'save-failed':
      return update(change.key, () => ({ state: 'ready', error: change.error }))
    case 'conflict':
      return update(change.key, () => ({ state: 'ready', conflict: { theirs: change.theirs } }))
    case 'resolve':
      return update(change.key, (file) => {
        if (file.conflict === null || change.keep === 'later') return { conflict: null }
        const { theirs } = file.conflict
        const base = theirs === 'gone' ? null : { content: theirs.content, version: theirs.version }
        return change.keep === 'mine'
          ? { base, conflict: null }
          : { base, content: base?.content ?? '', revision: file.revision + 1, conflict: null }
      })
    case 'close': {
      const at = files.open.findIndex((file) => keyOf(file) === change.key)
      const open = files.open.filter((_, index) => index !== at)
      const next = open[Math.min(at, open.length - 1)]
      return { open, active: files.active === change.key ? (next ? keyOf(next) : null) : files.active }
    }
    case 'activate':
      return { ...files, active: change.key }
  }
}

/** The language that Monaco is to colour a path with. */
export function languageOf(path: string): string {
  const name = path.split('/').at(-1) ?? ''
  if (
    /\.(ya?ml)$/.test(name) ||
    name === 'kubeconfig' ||
    /^\/root\/\.kube\/config$|\/\.kube\/config$|\/etc\/kubernetes\/[\w-]+\.conf$|config\.conf$/.test(path)
  )
    return 'yaml'
  if (/\.(json|conflist)$/.test(name) || /\/cni\/net\.d\//.test(path)) return 'json'
  if (/\.(sh|bash|env)$/.test(name) || /^\.(bashrc|profile|bash_aliases)$/.test(name)) return 'shell'
  if (/\.(toml|ini|service|conf|cnf|timer|socket)$/.test(name)) return 'ini'
  if (/\.md$/.test(name)) return 'markdown'
  return 'plaintext'
}
