'use client'
// Tabs of terminals, and the editor. Opens the first shell by itself. Knows which terminals there are; a pane knows its own.
import { AArrowDown, AArrowUp, Accessibility, FileText, Keyboard, Maximize, Minimize, Plus, Search, SquareTerminal, X } from 'lucide-react'
import { DropdownMenu } from 'radix-ui'
import { useEffect, useMemo, useRef, useState } from 'react'
import { type ErrorView, errorView, limits, type Place, type TerminalView } from '#lib/protocol/index.ts'
import { Editor } from '../editor/editor.tsx'
import { Failure } from '../failure.tsx'
import { useMessages } from '../i18n/index.tsx'
import { type TerminalHandle, TerminalPane } from '../terminal/terminal.tsx'
import { Button, IconButton } from '../ui/button.tsx'
import { cx } from '../ui/cx.ts'
import { Confirm } from '../ui/dialog.tsx'
import { Menu } from '../ui/menu.tsx'
import { StateIcon } from '../ui/state.tsx'
import { Tip } from '../ui/tip.tsx'
import { useElementId, useFrame, useLab, useSession, useSocket } from './context.tsx'
import { useKept } from './kept.ts'

const usual = { cols: 100, rows: 30 }

export function Work({ unsaved, onUnsaved }: { unsaved: number; onUnsaved(count: number): void }) {
  const m = useMessages()
  const socket = useSocket()
  const element = useElementId()
  const session = useSession()
  const connection = useLab((state) => state.connection)
  const [active, setActive] = useState<number | 'editor' | null>(null)
  /** terminals that have been looked at, so that their bytes are here */
  const [seen, setSeen] = useState<ReadonlySet<number>>(new Set())
  const [dismissed, setDismissed] = useState<ReadonlySet<number>>(new Set())
  const [opening, setOpening] = useState<Place | null>(null)
  const [error, setError] = useState<ErrorView | null>(null)
  const [closing, setClosing] = useState<TerminalView | null>(null)
  const [size, setSize] = useKept('terminal.text', 13, 9, 24)
  const [reader, setReader] = useKept('terminal.reader', 0, 0, 1)
  const { framed } = useFrame()
  const [examKeys] = useKept('exam.keys', 0, 0, 1)
  const [fullscreen, setFullscreen] = useState(false)
  const [anyway, setAnyway] = useState(false)
  const handles = useRef(new Map<number, TerminalHandle>())
  const frame = useRef<HTMLDivElement>(null)
  const tabs = useRef<HTMLDivElement>(null)

  const terminals = useMemo(
    () => session.terminals.filter((terminal) => !dismissed.has(terminal.id) && (terminal.state !== 'closed' || seen.has(terminal.id))),
    [session.terminals, dismissed, seen],
  )
  const alive = session.terminals.filter((terminal) => terminal.state !== 'closed').length
  const current = terminals.find((terminal) => terminal.id === active)

  const open = (place: Place) => {
    setOpening(place)
    setError(null)
    const at = [...handles.current.values()][0]?.size() ?? usual
    socket
      .openTerminal(place, at)
      .then((terminal) => setActive(terminal.id))
      .catch((thrown: unknown) => {
        const said = errorView.safeParse(thrown)
        setError(said.success ? said.data : { code: 'internal', message: String(thrown) })
      })
      .finally(() => setOpening(null))
  }
  const openFirst = useRef(open)
  openFirst.current = open

  // The first shell opens by itself, once the connection shows that there is none yet.
  const asked = useRef(false)
  useEffect(() => {
    if (connection.state !== 'open' || asked.current) return
    asked.current = true
    if (alive === 0) openFirst.current('workstation')
  }, [connection.state, alive])
  // Something is always shown: the tab chosen, else the first.
  useEffect(() => {
    if (active === 'editor' || terminals.some((terminal) => terminal.id === active)) return
    setActive(terminals[0]?.id ?? null)
  }, [active, terminals])
  useEffect(() => {
    if (typeof active === 'number') setSeen((before) => (before.has(active) ? before : new Set(before).add(active)))
  }, [active])
  useEffect(() => {
    const onChange = () => {
      const on = document.fullscreenElement !== null
      setFullscreen(on)
      // In full screen the browser may hand over the keys it keeps for itself, so that Ctrl+W in vim is the shell's.
      const keyboard = (navigator as { keyboard?: { lock?(keys: string[]): Promise<void>; unlock?(): void } }).keyboard
      if (on) void keyboard?.lock?.(['KeyW', 'KeyT', 'KeyN', 'Escape']).catch(() => {})
      else keyboard?.unlock?.()
    }
    document.addEventListener('fullscreenchange', onChange)
    return () => document.removeEventListener('fullscreenchange', onChange)
  }, [])

  const close = (terminal: TerminalView) => {
    // One that has ended is only put away here.
    if (terminal.state !== 'closed') socket.closeTerminal(terminal.id)
    setDismissed((before) => new Set(before).add(terminal.id))
  }
  const places: { place: Place; label: string }[] = [
    { place: 'workstation', label: m.terminal.workstation },
    ...session.nodes.map((node) => ({ place: node.place, label: node.place === node.name ? node.name : `${node.place} (${node.name})` })),
  ]
  const keys: (number | 'editor')[] = [...terminals.map((terminal) => terminal.id), 'editor']
  const moveTab = (step: number) => {
    const at = keys.indexOf(active ?? 'editor')
    const next = keys[(at + step + keys.length) % keys.length]
    if (next === undefined) return
    setActive(next)
    tabs.current?.querySelector<HTMLElement>(`[data-tab="${next}"]`)?.focus()
  }
  const tabClass = (on: boolean) =>
    cx(
      'flex h-9 shrink-0 items-center gap-1.5 border-b-2 px-3 text-[0.8125rem] whitespace-nowrap -outline-offset-2',
      on ? 'border-accent font-medium text-text' : 'border-transparent text-text-2 hover:text-text',
    )

  return (
    <div ref={frame} className="flex min-h-0 flex-1 flex-col bg-surface">
      <div className="flex h-9 shrink-0 items-stretch border-b border-line">
        <div
          ref={tabs}
          role="tablist"
          aria-label={m.terminal.tabs}
          className="flex min-w-0 overflow-x-auto [scrollbar-width:none]"
          onKeyDown={(event) => {
            if (event.key === 'ArrowRight') moveTab(1)
            else if (event.key === 'ArrowLeft') moveTab(-1)
            else if (event.key === 'Delete' && current) setClosing(current)
            else return
            event.preventDefault()
          }}
        >
          {terminals.map((terminal) => (
            <button
              key={terminal.id}
              type="button"
              role="tab"
              id={element(`tab-${terminal.id}`)}
              data-tab={terminal.id}
              aria-selected={active === terminal.id}
              aria-controls={element(`panel-${terminal.id}`)}
              tabIndex={active === terminal.id ? 0 : -1}
              className={tabClass(active === terminal.id)}
              onClick={() => setActive(terminal.id)}
            >
              <SquareTerminal aria-hidden className="size-3.5" />
              <span className="font-mono text-xs">{terminal.title}</span>
              {terminal.state === 'lost' ? <StateIcon icon="warn" tone="warn" className="size-3.5" /> : null}
              {terminal.state === 'closed' ? <StateIcon icon="cancelled" tone="idle" className="size-3.5" /> : null}
            </button>
          ))}
          <button
            type="button"
            role="tab"
            id={element('tab-editor')}
            data-tab="editor"
            aria-selected={active === 'editor'}
            aria-controls={element('panel-editor')}
            tabIndex={active === 'editor' ? 0 : -1}
            className={tabClass(active === 'editor')}
            onClick={() => setActive('editor')}
          >
            <FileText aria-hidden className="size-3.5" />
            {m.editor.tab}
            {unsaved > 0 ? (
              <span className="size-1.5 rounded-full bg-warn">
                <span className="sr-only">{m.editor.unsaved}</span>
              </span>
            ) : null}
          </button>
        </div>
        <Menu
          label={m.terminal.new}
          icon={opening ? <StateIcon icon="running" tone="accent" /> : <Plus aria-hidden className="size-4" />}
          disabled={opening !== null}
          className="mx-1 my-1 size-7 shrink-0"
          width="min-w-52"
          align="start"
        >
          <DropdownMenu.Label className="px-2 py-1 text-xs text-text-2">
            {alive >= limits.terminalsPerSession ? m.terminal.limit(limits.terminalsPerSession) : m.terminal.at}
          </DropdownMenu.Label>
          {places.map(({ place, label }) => (
            <DropdownMenu.Item
              key={place}
              disabled={alive >= limits.terminalsPerSession}
              onSelect={() => open(place)}
              className="flex h-8 cursor-default items-center rounded-sm px-2 font-mono text-xs outline-none data-[disabled]:text-text-3 data-[highlighted]:bg-hover"
            >
              {label}
            </DropdownMenu.Item>
          ))}
        </Menu>
        {current ? (
          <div role="toolbar" aria-label={m.terminal.label(current.title)} className="ml-auto flex items-center gap-px px-1 max-sm:hidden">
            <IconButton label={m.terminal.search} onClick={() => handles.current.get(current.id)?.search()}>
              <Search aria-hidden className="size-4" />
            </IconButton>
            <IconButton label={m.terminal.smaller} onClick={() => setSize(size - 1)}>
              <AArrowDown aria-hidden className="size-4" />
            </IconButton>
            <IconButton label={m.terminal.larger} onClick={() => setSize(size + 1)}>
              <AArrowUp aria-hidden className="size-4" />
            </IconButton>
            <IconButton label={m.terminal.screenReader} aria-pressed={reader === 1} onClick={() => setReader(1 - reader)}>
              <Accessibility aria-hidden className="size-4" />
            </IconButton>
            <IconButton
              label={fullscreen ? m.terminal.leaveFullscreen : m.terminal.fullscreen}
              onClick={() => void (fullscreen ? document.exitFullscreen() : document.documentElement.requestFullscreen())}
            >
              {fullscreen ? <Minimize aria-hidden className="size-4" /> : <Maximize aria-hidden className="size-4" />}
            </IconButton>
            <Tip
              label={m.terminal.help}
              className="size-7 items-center justify-center rounded-md text-text-2 hover:bg-hover hover:text-text"
              content={
                <ul className="space-y-1">
                  {m.terminal.keys.split(' · ').map((line) => (
                    <li key={line}>{line}</li>
                  ))}
                </ul>
              }
            >
              <Keyboard aria-hidden className="size-4" />
            </Tip>
            <IconButton
              label={m.terminal.close(current.title)}
              onClick={() => (current.state === 'closed' ? close(current) : setClosing(current))}
            >
              <X aria-hidden className="size-4" />
            </IconButton>
          </div>
        ) : null}
      </div>
      {error ? <Failure error={error} onClose={() => setError(null)} /> : null}
      <div className={cx('relative min-h-0 flex-1 bg-terminal', !anyway && active !== 'editor' && 'max-sm:hidden')}>
        {terminals
          .filter((terminal) => seen.has(terminal.id))
          .map((terminal) => (
            <div
              key={terminal.id}
              role="tabpanel"
              id={element(`panel-${terminal.id}`)}
              aria-labelledby={element(`tab-${terminal.id}`)}
              className={cx('absolute inset-0', active !== terminal.id && 'hidden')}
            >
              <TerminalPane
                terminal={terminal}
                active={active === terminal.id}
                textSize={size}
                screenReader={reader === 1}
                examKeys={framed && examKeys === 1}
                handle={(handle) => {
                  if (handle) handles.current.set(terminal.id, handle)
                  else handles.current.delete(terminal.id)
                }}
                onClose={() => close(terminal)}
              />
            </div>
          ))}
        {terminals.length === 0 && active !== 'editor' ? (
          <p className="flex h-full items-center justify-center gap-2 text-text-2" role="status">
            {opening || connection.state === 'connecting' ? (
              <>
                <StateIcon icon="running" tone="accent" />
                {connection.state === 'connecting' ? m.session.connecting : m.terminal.opening}
              </>
            ) : (
              <Button disabled={connection.state !== 'open'} onClick={() => open('workstation')}>
                <Plus aria-hidden className="size-4" />
                {m.terminal.new}
              </Button>
            )}
          </p>
        ) : null}
        <div
          role="tabpanel"
          id={element('panel-editor')}
          aria-labelledby={element('tab-editor')}
          className={cx('absolute inset-0', active !== 'editor' && 'hidden')}
        >
          <Editor shown={active === 'editor'} places={places} onUnsaved={onUnsaved} />
        </div>
      </div>
      {!anyway && active !== 'editor' ? (
        <div className="flex flex-1 flex-col items-center justify-center gap-4 p-6 text-center sm:hidden">
          <Keyboard aria-hidden className="size-6 text-text-3" />
          <p className="max-w-72 text-text-2">{m.terminal.keyboard}</p>
          <Button onClick={() => setAnyway(true)}>{m.terminal.useAnyway}</Button>
        </div>
      ) : null}
      <Confirm
        open={closing !== null}
        onOpenChange={(next) => !next && setClosing(null)}
        title={closing ? m.terminal.closeTitle(closing.title) : ''}
        yes={m.terminal.closeYes}
        weight="danger"
        onYes={() => closing && close(closing)}
      >
        <p>{m.terminal.closeBody}</p>
      </Confirm>
    </div>
  )
}
