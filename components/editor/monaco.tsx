'use client'
// Monaco from this server's own files (public/monaco, put there by bin/vendor.mjs), never from a CDN. Knows our colours.
import { DiffEditor, Editor, loader, type Monaco } from '@monaco-editor/react'

loader.config({ paths: { vs: '/monaco/vs' } })

const font = '"JetBrains Mono Variable", "D2Coding", "Noto Sans Mono CJK KR", ui-monospace, monospace'
export const editorOptions = {
  automaticLayout: true,
  detectIndentation: true,
  fontFamily: font,
  fontLigatures: false,
  fontSize: 13,
  fixedOverflowWidgets: true,
  insertSpaces: true,
  minimap: { enabled: false },
  padding: { top: 8 },
  renderWhitespace: 'boundary',
  scrollBeyondLastLine: false,
  tabSize: 2,
  unicodeHighlight: { ambiguousCharacters: false },
} as const

/** Defines the two themes; called before an editor mounts. */
export function themes(monaco: Monaco): void {
  monaco.editor.defineTheme('kubemend-light', {
    base: 'vs',
    inherit: true,
    rules: [
      { token: 'comment', foreground: '66655e' },
      { token: 'type', foreground: '2a4fd0' },
      { token: 'string', foreground: '12673a' },
      { token: 'string.yaml', foreground: '12673a' },
      { token: 'number', foreground: '835000' },
      { token: 'keyword', foreground: '8a2c8f' },
    ],
    colors: {
      'editor.background': '#ffffff',
      'editor.foreground': '#1a1a18',
      'editorLineNumber.foreground': '#77766e',
      'editorGutter.background': '#ffffff',
      'editor.lineHighlightBackground': '#f6f6f3',
    },
  })
  monaco.editor.defineTheme('kubemend-dark', {
    base: 'vs-dark',
    inherit: true,
    rules: [
      { token: 'comment', foreground: '9b9a92' },
      { token: 'type', foreground: '9db1ff' },
      { token: 'string', foreground: '64d295' },
      { token: 'string.yaml', foreground: '64d295' },
      { token: 'number', foreground: 'ecba57' },
      { token: 'keyword', foreground: 'dd93e2' },
    ],
    colors: {
      'editor.background': '#1b1b19',
      'editor.foreground': '#ededea',
      'editorLineNumber.foreground': '#8a8982',
      'editorGutter.background': '#1b1b19',
      'editor.lineHighlightBackground': '#242422',
    },
  })
}
export const themeName = (dark: boolean): string => (dark ? 'kubemend-dark' : 'kubemend-light')
export { DiffEditor, Editor as MonacoEditor, loader }
