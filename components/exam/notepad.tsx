'use client'
// The drill's notepad: saved a moment after the last key, and never over what another window has written. Knows text and version.
import { useEffect, useRef, useState } from 'react'
import { drillLimits } from '#lib/protocol/index.ts'
import { Failure } from '../failure.tsx'
import { useMessages } from '../i18n/index.tsx'
import { Button } from '../ui/button.tsx'
import type { DrillHandle } from './use-drill.ts'

const quietMs = 700

export function Notepad({ handle, readOnly }: { handle: DrillHandle; readOnly: boolean }) {
  const m = useMessages()
  const { notepad } = handle.drill
  const [text, setText] = useState(notepad.text)
  /** of the text on the server that this one started from */
  const [base, setBase] = useState(notepad)
  const [state, setState] = useState<'kept' | 'saving' | 'failed'>('kept')
  const [error, setError] = useState<unknown>(null)
  const dirty = text !== base.text
  const other = notepad.version > base.version && notepad.text !== text

  // What another window wrote is shown at once where nothing of one's own would be lost.
  useEffect(() => {
    if (notepad.version > base.version && !dirty) {
      setText(notepad.text)
      setBase(notepad)
    }
  }, [notepad, base.version, dirty])

  const save = (version: number) => {
    setState('saving')
    const sent = text
    handle.act({ type: 'note', text: sent, version }).then(
      (drill) => {
        setBase(drill.notepad)
        setState('kept')
        setError(null)
      },
      (thrown: unknown) => {
        setState('failed')
        setError(thrown)
        handle.look()
      },
    )
  }
  const saving = useRef(save)
  saving.current = save
  useEffect(() => {
    if (!dirty || other || readOnly || state === 'saving') return
    const timer = setTimeout(() => saving.current(base.version), state === 'failed' ? 5000 : quietMs)
    return () => clearTimeout(timer)
  }, [dirty, other, readOnly, base.version, state])

  return (
    <section aria-labelledby="notes-title" className="flex min-h-0 flex-1 flex-col">
      <div className="flex items-baseline justify-between gap-2 px-3 pt-2">
        <h2 id="notes-title" className="text-xs font-semibold text-text-2">
          {m.exam.notes}
        </h2>
        <span role="status" className="text-xs text-text-3">
          {state === 'saving' ? m.exam.notesSaving : state === 'failed' ? m.exam.notesFailed : dirty ? '' : m.exam.notesSaved}
        </span>
      </div>
      <p id="notes-lead" className="px-3 text-xs text-text-3">
        {m.exam.notesLead}
      </p>
      {other ? (
        <div role="status" className="m-2 space-y-1.5 rounded-md bg-warn-tint p-2 text-xs text-warn">
          <p>{m.exam.notesOther}</p>
          <pre className="max-h-24 overflow-auto whitespace-pre-wrap text-text-2">{notepad.text}</pre>
          <div className="flex gap-2">
            <Button small onClick={() => save(notepad.version)}>
              {m.exam.notesMine}
            </Button>
            <Button
              small
              onClick={() => {
                setText(notepad.text)
                setBase(notepad)
                setState('kept')
                setError(null)
              }}
            >
              {m.exam.notesTheirs}
            </Button>
          </div>
        </div>
      ) : error !== null ? (
        <Failure error={error} live="polite" />
      ) : null}
      <textarea
        aria-labelledby="notes-title"
        aria-describedby="notes-lead"
        value={text}
        readOnly={readOnly}
        maxLength={drillLimits.notepad}
        onChange={(event) => setText(event.target.value)}
        spellCheck={false}
        className="m-2 min-h-32 flex-1 resize-none rounded-md border border-line-strong/60 bg-surface p-2 font-mono text-xs"
      />
    </section>
  )
}
