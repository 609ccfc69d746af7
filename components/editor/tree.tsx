'use client'
// Directories and files at one place, read as they are opened. Knows how a directory is asked for; knows nothing of editing.
import { ChevronRight, File, FileQuestion, FileSymlink, Folder, RefreshCw } from 'lucide-react'
import { useCallback, useEffect, useState } from 'react'
import { type FileEntry, fileView, type Place } from '#lib/protocol/index.ts'
import { type ErrorWords, errorWords, request } from '../api.ts'
import { useMessages } from '../i18n/index.tsx'
import { IconButton } from '../ui/button.tsx'
import { cx } from '../ui/cx.ts'

export const filesPath = (session: string, place: Place, path: string): string =>
  `/api/sessions/${encodeURIComponent(session)}/files?${new URLSearchParams({ place, path })}`

const home = '/home/candidate'
/** What people look for first at each kind of place. */
const roots = (place: Place): string[] =>
  place === 'workstation'
    ? [home, '/etc', '/']
    : [
        ...(place === 'control-plane' ? ['/etc/kubernetes/manifests'] : []),
        '/etc/kubernetes',
        '/var/lib/kubelet',
        '/etc/cni/net.d',
        '/etc/containerd',
        '/etc/systemd/system',
        '/',
      ]

export function Tree({
  session,
  place,
  active,
  onOpen,
}: {
  session: string
  place: Place
  active: string | null
  onOpen(path: string): void
}) {
  return (
    <ul key={place} className="py-1">
      {roots(place).map((path) => (
        <Directory
          key={path}
          session={session}
          place={place}
          path={path}
          name={path}
          depth={0}
          active={active}
          onOpen={onOpen}
          initially={place === 'workstation' && path === home}
        />
      ))}
    </ul>
  )
}

const row = 'flex h-6 w-full items-center gap-1.5 rounded-sm pr-2 text-left font-mono text-xs -outline-offset-2 hover:bg-hover'
const icons = { directory: Folder, file: File, link: FileSymlink, other: FileQuestion }

function Directory({
  session,
  place,
  path,
  name,
  depth,
  active,
  onOpen,
  initially = false,
}: {
  session: string
  place: Place
  path: string
  name: string
  depth: number
  active: string | null
  onOpen(path: string): void
  initially?: boolean
}) {
  const m = useMessages()
  const [open, setOpen] = useState(initially)
  const [entries, setEntries] = useState<FileEntry[] | null>(null)
  const [error, setError] = useState<ErrorWords | null>(null)
  const read = useCallback(
    (signal?: AbortSignal) => {
      setError(null)
      request(filesPath(session, place, path), fileView, signal ? { signal } : {})
        .then((view) => {
          if (view.type === 'directory') {
            const rank = (entry: FileEntry) => (entry.type === 'directory' ? 0 : 1)
            setEntries([...view.entries].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name)))
          } else onOpen(path)
        })
        .catch((thrown: unknown) => {
          if (!signal?.aborted) setError(errorWords(thrown, m))
        })
    },
    [session, place, path, m, onOpen],
  )
  // biome-ignore lint/correctness/useExhaustiveDependencies: read when it is opened, not whenever the page's language changes
  useEffect(() => {
    if (!open) return
    const abort = new AbortController()
    read(abort.signal)
    return () => abort.abort()
  }, [open, session, place, path])
  const indent = { paddingLeft: `${8 + depth * 12}px` }
  return (
    <li>
      <div className="group flex items-center">
        <button type="button" aria-expanded={open} className={row} style={indent} onClick={() => setOpen(!open)}>
          <ChevronRight aria-hidden className={cx('size-3.5 shrink-0 text-text-3', open && 'rotate-90')} />
          <Folder aria-hidden className="size-3.5 shrink-0 text-text-3" />
          <span className="truncate" title={path}>
            {name}
          </span>
        </button>
        {open ? (
          <IconButton
            label={`${m.editor.refresh}: ${name}`}
            className="!size-6 opacity-0 group-hover:opacity-100 focus-visible:opacity-100"
            onClick={() => read()}
          >
            <RefreshCw aria-hidden className="size-3" />
          </IconButton>
        ) : null}
      </div>
      {open ? (
        error ? (
          <p className="py-0.5 pr-2 text-xs text-fail" style={{ paddingLeft: `${26 + depth * 12}px` }}>
            {error.message ?? error.title}
          </p>
        ) : entries === null ? (
          <p className="py-0.5 text-xs text-text-3" style={{ paddingLeft: `${26 + depth * 12}px` }}>
            {m.editor.loading}
          </p>
        ) : entries.length === 0 ? (
          <p className="py-0.5 text-xs text-text-3" style={{ paddingLeft: `${26 + depth * 12}px` }}>
            {m.editor.emptyDir}
          </p>
        ) : (
          <ul>
            {entries.map((entry) => {
              if (entry.type === 'directory')
                return (
                  <Directory
                    key={entry.path}
                    session={session}
                    place={place}
                    path={entry.path}
                    name={entry.name}
                    depth={depth + 1}
                    active={active}
                    onOpen={onOpen}
                  />
                )
              const Icon = icons[entry.type]
              return (
                <li key={entry.path}>
                  <button
                    type="button"
                    aria-current={active === entry.path ? 'true' : undefined}
                    className={cx(row, active === entry.path && 'bg-accent-tint text-accent')}
                    style={{ paddingLeft: `${26 + depth * 12}px` }}
                    onClick={() => onOpen(entry.path)}
                  >
                    <Icon aria-hidden className="size-3.5 shrink-0 text-text-3" />
                    <span className="truncate" title={entry.path}>
                      {entry.name}
                    </span>
                    {entry.type === 'link' ? <span className="text-text-3">{m.editor.link}</span> : null}
                  </button>
                </li>
              )
            })}
          </ul>
        )
      ) : null}
    </li>
  )
}
