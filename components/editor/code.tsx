'use client'
// Monaco around one text, and around two. Knows Monaco; knows nothing of files or saving.
import type { OnMount } from '@monaco-editor/react'
import { useCallback, useEffect, useRef, useState } from 'react'
import { useMessages } from '../i18n/index.tsx'
import { DiffEditor, editorOptions, loader, MonacoEditor, themeName, themes } from './monaco.tsx'

export function Code({
  id,
  content,
  revision,
  language,
  label,
  dark,
  onChange,
  onSave,
}: {
  /** one model, with its own undo history, per id */
  id: string
  content: string
  /** changes when `content` came from elsewhere than this editor */
  revision: number
  language: string
  label: string
  dark: boolean
  onChange(content: string): void
  onSave(): void
}) {
  const m = useMessages()
  const save = useRef(onSave)
  save.current = onSave
  // The editor owns its text while somebody types: a value that comes back late from the page must not undo newer keys.
  const mounted = useRef<Parameters<OnMount>[0] | null>(null)
  const latest = useRef(content)
  latest.current = content
  const sync = useCallback(() => {
    const model = mounted.current?.getModel()
    if (model && model.getValue() !== latest.current) model.setValue(latest.current)
  }, [])
  // biome-ignore lint/correctness/useExhaustiveDependencies: another file, or this one's text from elsewhere
  useEffect(sync, [id, revision, sync])
  const [failed, setFailed] = useState(false)
  useEffect(() => {
    const loading = loader.init()
    loading.catch((thrown: { type?: string }) => {
      if (thrown?.type !== 'cancelation') setFailed(true)
    })
    return () => loading.cancel()
  }, [])
  // Without Monaco the text can still be read and changed.
  if (failed)
    return (
      <textarea
        value={content}
        aria-label={label}
        spellCheck={false}
        onChange={(event) => onChange(event.target.value)}
        className="h-full w-full resize-none bg-surface p-3 font-mono text-[0.8125rem] -outline-offset-2"
      />
    )
  return (
    <MonacoEditor
      path={`inmemory://lab/${encodeURIComponent(id)}`}
      defaultValue={content}
      language={language}
      theme={themeName(dark)}
      options={{ ...editorOptions, ariaLabel: label }}
      loading={<p className="p-4 text-text-2">{m.editor.loading}</p>}
      beforeMount={themes}
      onMount={(editor, monaco) => {
        mounted.current = editor
        sync()
        editor.addCommand(monaco.KeyMod.CtrlCmd | monaco.KeyCode.KeyS, () => save.current())
        editor.focus()
      }}
      onChange={(next) => onChange(next ?? '')}
      keepCurrentModel
    />
  )
}

export function Difference({ theirs, mine, language, dark }: { theirs: string; mine: string; language: string; dark: boolean }) {
  const m = useMessages()
  const models = useRef<{ dispose(): void }[]>([])
  useEffect(
    () => () => {
      const left = models.current
      // The editor lets go of its models first.
      setTimeout(() => {
        for (const model of left) model.dispose()
      }, 0)
    },
    [],
  )
  return (
    <DiffEditor
      original={theirs}
      modified={mine}
      language={language}
      theme={themeName(dark)}
      options={{
        ...editorOptions,
        readOnly: true,
        originalAriaLabel: m.editor.theirs,
        modifiedAriaLabel: m.editor.mine,
        renderSideBySide: true,
        useInlineViewWhenSpaceIsLimited: false,
      }}
      beforeMount={themes}
      onMount={(editor) => {
        const both = editor.getModel()
        models.current = both ? [both.original, both.modified] : []
      }}
      keepCurrentOriginalModel
      keepCurrentModifiedModel
    />
  )
}
