'use client'
// The editor tab: a tree per place, open files, saving with conflicts shown side by side. Knows the files' HTTP API and the
// state machine in files.ts; Monaco is loaded when a first file is opened.
import { Save, X } from 'lucide-react'
import dynamic from 'next/dynamic'
import { useCallback, useEffect, useReducer, useRef, useState } from 'react'
import { z } from 'zod'
import { fileView, type Place } from '#lib/protocol/index.ts'
import { ApiError, errorWords, request } from '../api.ts'
import { useDark } from '../chrome/use-dark.ts'
import { useMessages } from '../i18n/index.tsx'
import { useSession } from '../session/context.tsx'
import { Banner, Empty, Problem } from '../ui/banner.tsx'
import { Button, IconButton } from '../ui/button.tsx'
import { cx } from '../ui/cx.ts'
import { Confirm } from '../ui/dialog.tsx'
import { StateIcon } from '../ui/state.tsx'
import { isDirty, keyOf, languageOf, noFiles, type OpenFile, reduceFiles } from './files.ts'
import { filesPath, Tree } from './tree.tsx'

const Code = dynamic(() => import('./code.tsx').then((module) => module.Code), { ssr: false })
const Difference = dynamic(() => import('./code.tsx').then((module) => module.Difference), { ssr: false })
const conflictBody = z.object({ current: fileView.nullish() })

export function Editor({
  shown,
  places,
  onUnsaved,
}: {
  shown: boolean
  places: { place: Place; label: string }[]
  onUnsaved(count: number): void
}) {
  const m = useMessages()
  const dark = useDark()
  const { id } = useSession()
  const [place, setPlace] = useState<Place>('workstation')
  const [path, setPath] = useState('')
  const [files, change] = useReducer(reduceFiles, noFiles)
  const [closing, setClosing] = useState<string | null>(null)
  const [visited, setVisited] = useState(false)
  useEffect(() => {
    if (shown) setVisited(true)
  }, [shown])
  const dirty = files.open.filter(isDirty).length
  useEffect(() => onUnsaved(dirty), [dirty, onUnsaved])
  useEffect(() => {
    if (dirty === 0) return
    const ask = (event: BeforeUnloadEvent) => event.preventDefault()
    window.addEventListener('beforeunload', ask)
    return () => window.removeEventListener('beforeunload', ask)
  }, [dirty])
  const active = files.open.find((file) => keyOf(file) === files.active) ?? null

  const known = useRef(files)
  known.current = files
  const open = useCallback(
    (at: Place, name: string) => {
      const before = known.current.open.find((file) => file.place === at && file.path === name)
      change({ type: 'open', place: at, path: name })
      if (before && before.state !== 'unreadable') return
      request(filesPath(id, at, name), fileView)
        .then((view) => {
          if (view.type === 'file') change({ type: 'read', file: { ...view, place: at, path: name } })
          else change({ type: 'close', key: `${at}:${name}` })
        })
        .catch((thrown: unknown) => {
          const key = `${at}:${name}`
          if (thrown instanceof ApiError && thrown.view?.code === 'not-found') change({ type: 'new', key })
          else change({ type: 'unreadable', key, error: errorWords(thrown, m) })
        })
    },
    [id, m],
  )
  const openHere = useCallback((name: string) => open(place, name), [open, place])

  const save = useCallback(
    (file: OpenFile) => {
      if (file.state !== 'ready') return
      const key = keyOf(file)
      const { content } = file
      change({ type: 'saving', key })
      request(`/api/sessions/${encodeURIComponent(id)}/files`, fileView, {
        method: 'PUT',
        body: { place: file.place, path: file.path, content, version: file.base?.version ?? null },
      })
        .then((view) => {
          if (view.type === 'file') change({ type: 'saved', file: { ...view, place: file.place, path: file.path }, content })
        })
        .catch((thrown: unknown) => {
          const current = thrown instanceof ApiError && thrown.status === 409 ? conflictBody.safeParse(thrown.body) : null
          if (current?.success) {
            const theirs = current.data.current
            if (!theirs) return change({ type: 'conflict', key, theirs: 'gone' })
            if (theirs.type === 'file') return change({ type: 'conflict', key, theirs })
          }
          change({ type: 'save-failed', key, error: errorWords(thrown, m) })
        })
    },
    [id, m],
  )
  const saveActive = useRef(() => {})
  saveActive.current = () => active && save(active)
  const label = active ? `${m.editor.label(active.path)}. ${m.editor.escape}` : ''

  if (!visited) return null
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Ctrl+S saves wherever the focus is in here
    <div
      className="flex h-full min-h-0 bg-surface"
      onKeyDown={(event) => {
        if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.code === 'KeyS') {
          event.preventDefault()
          saveActive.current()
        }
      }}
    >
      <div className="flex w-60 shrink-0 flex-col border-r border-line max-sm:w-40">
        <div className="space-y-1.5 border-b border-line p-2">
          <div className="flex">
            <select
              value={place}
              onChange={(event) => setPlace(event.target.value as Place)}
              className="h-7 min-w-0 flex-1 rounded-md border border-line-strong/60 bg-surface px-1 text-xs text-text"
              data-pane-target
              aria-label={m.editor.place}
            >
              {places.map((one) => (
                <option key={one.place} value={one.place}>
                  {one.label}
                </option>
              ))}
            </select>
          </div>
          <form
            className="flex gap-1"
            onSubmit={(event) => {
              event.preventDefault()
              if (path.trim()) openHere(path.trim())
            }}
          >
            <input
              value={path}
              onChange={(event) => setPath(event.target.value)}
              aria-label={m.editor.open}
              placeholder={m.editor.openPlaceholder}
              spellCheck={false}
              autoComplete="off"
              className="h-7 min-w-0 flex-1 rounded-md border border-line-strong/60 bg-surface px-2 font-mono text-xs placeholder:text-text-3"
            />
            <Button small type="submit">
              {m.editor.go}
            </Button>
          </form>
        </div>
        <nav aria-label={m.editor.files} className="min-h-0 flex-1 overflow-auto">
          <Tree key={place} session={id} place={place} active={active?.place === place ? active.path : null} onOpen={openHere} />
        </nav>
      </div>
      <div className="flex min-w-0 flex-1 flex-col">
        {files.open.length > 0 ? (
          <div className="flex h-8 shrink-0 overflow-x-auto border-b border-line bg-bg">
            {files.open.map((file) => {
              const key = keyOf(file)
              const on = key === files.active
              return (
                <span key={key} className={cx('flex shrink-0 items-center border-r border-line', on ? 'bg-surface' : 'text-text-2')}>
                  <button
                    type="button"
                    aria-pressed={on}
                    title={`${file.place} ${file.path}`}
                    className="flex h-full items-center gap-1.5 pr-1 pl-3 font-mono text-xs -outline-offset-2"
                    onClick={() => change({ type: 'activate', key })}
                  >
                    {file.path.split('/').at(-1)}
                    <span className="text-text-3">{file.place}</span>
                    {isDirty(file) ? (
                      <span className="size-1.5 rounded-full bg-warn">
                        <span className="sr-only">{m.editor.unsaved}</span>
                      </span>
                    ) : null}
                  </button>
                  <IconButton
                    label={m.editor.close(file.path)}
                    className="!size-6 mr-1"
                    onClick={() => (isDirty(file) ? setClosing(key) : change({ type: 'close', key }))}
                  >
                    <X aria-hidden className="size-3.5" />
                  </IconButton>
                </span>
              )
            })}
          </div>
        ) : null}
        {active ? (
          <>
            {active.conflict ? null : active.error && active.state !== 'unreadable' ? (
              <Problem words={{ ...active.error, title: `${m.editor.saveFailed}: ${active.error.title}` }} whatToDo={m.common.what} />
            ) : null}
            {active.state === 'unreadable' && active.error ? (
              <Problem
                words={active.error}
                whatToDo={m.common.what}
                action={<Button onClick={() => open(active.place, active.path)}>{m.common.retry}</Button>}
              />
            ) : active.state === 'loading' ? (
              <p role="status" className="flex items-center gap-2 p-4 text-text-2">
                <StateIcon icon="running" tone="accent" />
                {m.editor.loading}
              </p>
            ) : active.conflict ? (
              <>
                <Banner
                  tone="warn"
                  live="assertive"
                  title={m.editor.conflictTitle}
                  action={
                    <span className="flex flex-wrap gap-2">
                      <Button small weight="danger" onClick={() => change({ type: 'resolve', key: keyOf(active), keep: 'mine' })}>
                        {m.editor.keepMine}
                      </Button>
                      <Button small onClick={() => change({ type: 'resolve', key: keyOf(active), keep: 'theirs' })}>
                        {m.editor.takeTheirs}
                      </Button>
                      <Button small onClick={() => change({ type: 'resolve', key: keyOf(active), keep: 'later' })}>
                        {m.editor.goOn}
                      </Button>
                    </span>
                  }
                >
                  {m.editor.conflictBody}
                </Banner>
                <div className="grid grid-cols-2 border-b border-line text-xs text-text-2">
                  <span className="px-3 py-1">{m.editor.theirs}</span>
                  <span className="px-3 py-1">{m.editor.mine}</span>
                </div>
                <div className="min-h-0 flex-1">
                  <Difference
                    theirs={active.conflict.theirs === 'gone' ? '' : active.conflict.theirs.content}
                    mine={active.content}
                    language={languageOf(active.path)}
                    dark={dark}
                  />
                </div>
              </>
            ) : (
              <div className="flex min-h-0 flex-1 flex-col">
                {active.base === null ? <Banner tone="accent" icon="unknown" title={m.editor.newFile} live="polite" /> : null}
                <div className="min-h-0 flex-1">
                  <Code
                    // Labs of one drill are in one document, and may have files of the same name.
                    id={`${id}/${keyOf(active)}`}
                    content={active.content}
                    revision={active.revision}
                    language={languageOf(active.path)}
                    label={label}
                    dark={dark}
                    onChange={(content) => change({ type: 'edit', key: keyOf(active), content })}
                    onSave={() => saveActive.current()}
                  />
                </div>
              </div>
            )}
            <div className="flex h-9 shrink-0 items-center gap-3 border-t border-line px-3 text-xs text-text-2">
              <code className="min-w-0 truncate" title={active.path}>
                {active.path}
              </code>
              {active.mode ? <code className="text-text-3">{active.mode}</code> : null}
              <span className="ml-auto whitespace-nowrap text-text-3 max-md:hidden">{m.editor.escape}</span>
              <span role="status" className="whitespace-nowrap">
                {active.state === 'saving' ? m.editor.saving : isDirty(active) ? m.editor.unsaved : ''}
              </span>
              <Button
                small
                weight={isDirty(active) ? 'primary' : 'normal'}
                disabled={(!isDirty(active) && active.base !== null) || active.state !== 'ready' || active.conflict !== null}
                onClick={() => save(active)}
              >
                <Save aria-hidden className="size-3.5" />
                {m.editor.save}
              </Button>
            </div>
          </>
        ) : (
          <Empty title={m.editor.nothing}>{m.editor.nothingHint}</Empty>
        )}
      </div>
      <Confirm
        open={closing !== null}
        onOpenChange={(next) => !next && setClosing(null)}
        title={m.editor.closeTitle}
        yes={m.editor.closeYes}
        weight="danger"
        onYes={() => closing && change({ type: 'close', key: closing })}
      >
        <p>{m.editor.closeBody(closing?.slice(closing.indexOf(':') + 1) ?? '')}</p>
      </Confirm>
    </div>
  )
}
