'use client'
// Monaco around one text, and around two. Knows Monaco; knows nothing of files or saving.
import { useEffect, useRef, useState } from 'react'
import { useMessages } from '../i18n/index.tsx'
import { DiffEditor, editorOptions, loader, MonacoEditor, themeName, themes } from './monaco.tsx'

export function Code({
  id,
  content,
  language,
  label,
  dark,
  onChange,
  onSave,
}: {
  /** one model, with its own undo history, per id */
  id: string
  content: string
  language: string
  label: string
  dark: boolean
  onChange(content: string): void
  onSave(): void
}) {
  const m = useMessages()
  const save = useRef(onSave)
  save.current = onSave
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
      value={content}
      language={language}
      theme={themeName(dark)}
      options={{ ...editorOptions, ariaLabel: label }}
      loading={<p className="p-4 text-text-2">{m.editor.loading}</p>}
      beforeMount={themes}
      onMount={(editor, monaco) => {
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
    />
  )
}
