'use client'
// Monaco around one text, and around two. Knows Monaco; knows nothing of files or saving.
import { useRef } from 'react'
import { useMessages } from '../i18n/index.tsx'
import { DiffEditor, editorOptions, MonacoEditor, themeName, themes } from './monaco.tsx'

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
