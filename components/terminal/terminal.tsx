'use client'
// One terminal on the page: xterm.js, its keys, search, size, and the stream from the socket with acknowledgements after parsing.
// Knows xterm and the socket's sink; knows nothing of shells.
import type { SearchAddon } from '@xterm/addon-search'
import type { Terminal } from '@xterm/xterm'
import { ArrowDown, ArrowUp, X } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { allowedInExam, type ErrorView, examAddress, type TerminalView } from '#lib/protocol/index.ts'
import { errorWords } from '../api.ts'
import { useDark } from '../chrome/use-dark.ts'
import { useMessages } from '../i18n/index.tsx'
import { useFrame, useLab, useSocket } from '../session/context.tsx'
import { Button, IconButton } from '../ui/button.tsx'
import { copyText } from '../ui/markdown.tsx'
import { bytes as asBytes } from '../ui/time.ts'
import { muteReplies } from './replies.ts'
import { dark, fontFamily, light } from './theme.ts'
import '@xterm/xterm/css/xterm.css'

export interface TerminalHandle {
  search(): void
  focus(): void
  size(): { cols: number; rows: number }
}

/** Lines kept above the screen. */
const scrollback = 10_000
const resizeWithin = 80
const encoder = new TextEncoder()

export function TerminalPane({
  terminal,
  active,
  textSize,
  screenReader,
  examKeys,
  readOnly = false,
  handle,
  onClose,
}: {
  terminal: TerminalView
  active: boolean
  textSize: number
  screenReader: boolean
  /** copies and pastes by Ctrl+Shift+C and V alone, as the exam's terminal */
  examKeys: boolean
  /** nothing that is typed is sent */
  readOnly?: boolean
  handle(handle: TerminalHandle | null): void
  onClose(): void
}) {
  const m = useMessages()
  const socket = useSocket()
  const isDark = useDark()
  const online = useLab((state) => state.connection.state === 'open')
  const host = useRef<HTMLDivElement>(null)
  const term = useRef<Terminal | null>(null)
  const fit = useRef<() => void>(() => {})
  const search = useRef<SearchAddon | null>(null)
  const searchBox = useRef<HTMLInputElement>(null)
  const [searching, setSearching] = useState(false)
  const [query, setQuery] = useState('')
  const [found, setFound] = useState<{ index: number; count: number } | null>(null)
  const [failed, setFailed] = useState<ErrorView | null>(null)
  const said = failed === null ? null : errorWords(failed, m)
  const [up, setUp] = useState(false)
  const [refused, setRefused] = useState(false)
  const { framed } = useFrame()
  const { id } = terminal
  const words = useRef(m)
  words.current = m
  const settings = useRef({ textSize, screenReader, isDark, active, examKeys, readOnly })
  settings.current = { textSize, screenReader, isDark, active, examKeys, readOnly }

  // biome-ignore lint/correctness/useExhaustiveDependencies: the terminal lives as long as its id does; everything else reaches it through the effects below
  useEffect(() => {
    const element = host.current
    if (element === null) return
    let gone = false
    const undo: (() => void)[] = []
    void (async () => {
      const [{ Terminal }, { FitAddon }, { SearchAddon }, { WebLinksAddon }, { Unicode11Addon }, { ClipboardAddon }] = await Promise.all([
        import('@xterm/xterm'),
        import('@xterm/addon-fit'),
        import('@xterm/addon-search'),
        import('@xterm/addon-web-links'),
        import('@xterm/addon-unicode11'),
        import('@xterm/addon-clipboard'),
        // Cells are measured once: the font must be there by then.
        document.fonts.load(`13px ${fontFamily}`).catch(() => []),
      ])
      if (gone) return
      const xterm = new Terminal({
        allowProposedApi: true,
        cursorBlink: false,
        fontFamily,
        fontSize: settings.current.textSize,
        lineHeight: 1.15,
        minimumContrastRatio: 4.5,
        rightClickSelectsWord: true,
        screenReaderMode: settings.current.screenReader,
        scrollback,
        theme: settings.current.isDark ? dark : light,
        macOptionClickForcesSelection: true,
        overviewRuler: { width: 10 },
      })
      term.current = xterm
      undo.push(() => xterm.dispose())
      const fitter = new FitAddon()
      const searcher = new SearchAddon()
      xterm.loadAddon(fitter)
      xterm.loadAddon(searcher)
      // In a drill only what the exam allows is a link.
      xterm.loadAddon(
        new WebLinksAddon(
          (_event, uri) => {
            if (!framed || allowedInExam(uri)) window.open(uri, '_blank', 'noreferrer')
          },
          framed ? { urlRegex: examAddress } : {},
        ),
      )
      xterm.loadAddon(new Unicode11Addon())
      xterm.unicode.activeVersion = '11'
      // A program in the shell may put text on the clipboard (OSC 52, as tmux and vim do), but never read it.
      xterm.loadAddon(
        new ClipboardAddon(undefined, {
          readText: () => '',
          writeText: (_selection, text) => (settings.current.examKeys ? undefined : copyText(text)),
        }),
      )
      search.current = searcher
      const results = searcher.onDidChangeResults(({ resultIndex, resultCount }) =>
        setFound({ index: resultIndex + 1, count: resultCount }),
      )
      undo.push(() => results.dispose())
      xterm.open(element)
      xterm.textarea?.setAttribute('aria-label', words.current.terminal.label(terminal.title))
      xterm.textarea?.setAttribute('data-pane-target', '')

      /** the key that was pressed last pastes as the exam's terminal does */
      let byChord = false
      const clipboard = (event: ClipboardEvent) => {
        const fine = !settings.current.examKeys || (event.type === 'paste' && byChord)
        byChord = false
        if (fine) {
          setRefused(false)
          return
        }
        event.preventDefault()
        event.stopPropagation()
        setRefused(true)
      }
      for (const type of ['copy', 'cut', 'paste'] as const) {
        element.addEventListener(type, clipboard, true)
        undo.push(() => element.removeEventListener(type, clipboard, true))
      }
      xterm.attachCustomKeyEventHandler((event) => {
        if (event.type !== 'keydown') return true
        const { examKeys } = settings.current
        const chord = (event.ctrlKey || (event.metaKey && !examKeys)) && event.shiftKey && !event.altKey
        if (chord && event.code === 'KeyC') {
          event.preventDefault()
          setRefused(false)
          if (xterm.hasSelection()) void copyText(xterm.getSelection()).then(() => xterm.focus())
          return false
        }
        // The browser's own paste follows, which xterm brackets where a program asked for that.
        byChord = chord && event.code === 'KeyV'
        if (byChord) return false
        if (chord && event.code === 'KeyF') {
          event.preventDefault()
          setSearching(true)
          return false
        }
        // The page moves the focus out of the terminal.
        if (event.ctrlKey && event.shiftKey && event.code === 'Period') return false
        return true
      })

      const fitNow = () => {
        if (element.offsetParent === null) return
        const wanted = fitter.proposeDimensions()
        if (!wanted || !Number.isFinite(wanted.cols) || !Number.isFinite(wanted.rows) || wanted.cols < 2 || wanted.rows < 1) return
        if (wanted.cols !== xterm.cols || wanted.rows !== xterm.rows) xterm.resize(Math.min(1000, wanted.cols), Math.min(1000, wanted.rows))
      }
      fit.current = fitNow
      fitNow()
      let pending: ReturnType<typeof setTimeout> | undefined
      const observer = new ResizeObserver(() => {
        clearTimeout(pending)
        pending = setTimeout(fitNow, resizeWithin)
      })
      observer.observe(element)
      undo.push(() => {
        observer.disconnect()
        clearTimeout(pending)
      })
      xterm.onResize(({ cols, rows }) => socket.resize(id, cols, rows))

      const replies = muteReplies(xterm)
      xterm.onData((data) => {
        if (!settings.current.readOnly) socket.input(id, encoder.encode(data))
      })
      // Mouse reports of the old protocols are bytes, not text.
      xterm.onBinary((data) => {
        if (settings.current.readOnly) return
        socket.input(
          id,
          Uint8Array.from(data, (character) => character.charCodeAt(0)),
        )
      })
      undo.push(
        socket.attach(id, {
          size: () => ({ cols: xterm.cols, rows: xterm.rows }),
          opened: (offset, lost, head) => {
            setFailed(null)
            setUp(true)
            replies.muteUntil(head)
            if (lost > 0) {
              // What was on the screen can no longer be continued from here.
              xterm.reset()
              xterm.write(`\x1b[2m${words.current.terminal.skipped(asBytes(lost))}\x1b[0m\r\n`)
            }
            // The shell may have another size: a second page, or a page that was resized while away.
            if (element.offsetParent !== null) socket.resize(id, xterm.cols, xterm.rows)
            replies.at(offset)
          },
          output: (data, end) => {
            // The shell is heard again: what went wrong before is over.
            setFailed(null)
            // A copy: the frame's buffer must not outlive its message in xterm's queue.
            xterm.write(data.slice(), () => {
              replies.at(end)
              socket.parsed(id, end)
            })
          },
          failed: setFailed,
        }),
      )
      handle({
        search: () => setSearching(true),
        focus: () => xterm.focus(),
        size: () => ({ cols: xterm.cols, rows: xterm.rows }),
      })
      undo.push(() => handle(null))
      if (settings.current.active && !settings.current.readOnly && document.activeElement === document.body) xterm.focus()
      setFocusable((n) => n + 1)
    })()
    return () => {
      gone = true
      for (const step of undo.reverse()) step()
      term.current = null
    }
  }, [id, socket])

  // Bumped when xterm is there, so that the effects below find it.
  const [focusable, setFocusable] = useState(0)

  // biome-ignore lint/correctness/useExhaustiveDependencies: focusable says that xterm is there
  useEffect(() => {
    if (term.current) term.current.options.theme = isDark ? dark : light
  }, [isDark, focusable])
  // biome-ignore lint/correctness/useExhaustiveDependencies: focusable says that xterm is there
  useEffect(() => {
    if (!term.current) return
    term.current.options.fontSize = textSize
    term.current.options.screenReaderMode = screenReader
    fit.current()
  }, [textSize, screenReader, focusable])
  // The GPU draws the terminal that is seen; the few contexts a browser has are not spent on hidden ones.
  useEffect(() => {
    const xterm = term.current
    if (!active || xterm === null || focusable === 0) return
    let gone = false
    let dispose: (() => void) | undefined
    fit.current()
    socket.resize(id, xterm.cols, xterm.rows)
    void import('@xterm/addon-webgl').then(({ WebglAddon }) => {
      if (gone || !canDrawFast()) return
      try {
        const addon = new WebglAddon()
        addon.onContextLoss(() => addon.dispose())
        xterm.loadAddon(addon)
        dispose = () => addon.dispose()
      } catch {
        // No usable WebGL: xterm goes on with the DOM.
      }
    })
    return () => {
      gone = true
      try {
        dispose?.()
      } catch {
        // Already gone with its terminal.
      }
    }
  }, [active, focusable, id, socket])
  useEffect(() => {
    if (searching) searchBox.current?.focus()
  }, [searching])

  const options = {
    decorations: isDark
      ? {
          matchBackground: '#4a4220',
          activeMatchBackground: '#8a6a10',
          matchOverviewRuler: '#ecba57',
          activeMatchColorOverviewRuler: '#ecba57',
        }
      : {
          matchBackground: '#f6e3b0',
          activeMatchBackground: '#f0c14b',
          matchOverviewRuler: '#835000',
          activeMatchColorOverviewRuler: '#835000',
        },
  }
  const closeSearch = () => {
    setSearching(false)
    setFound(null)
    search.current?.clearDecorations()
    term.current?.focus()
  }
  return (
    <div className="absolute inset-0 flex flex-col">
      {searching ? (
        <search className="absolute top-2 right-4 z-10 flex items-center gap-1 rounded-md border border-line bg-surface p-1 shadow-raised">
          <input
            ref={searchBox}
            value={query}
            aria-label={m.terminal.search}
            placeholder={m.terminal.search}
            className="h-7 w-56 rounded-sm bg-sunken px-2 text-[0.8125rem]"
            onChange={(event) => {
              setQuery(event.target.value)
              if (event.target.value) search.current?.findPrevious(event.target.value, { ...options, incremental: true })
              else search.current?.clearDecorations()
            }}
            onKeyDown={(event) => {
              if (event.key === 'Escape') closeSearch()
              else if (event.key === 'Enter' && !event.nativeEvent.isComposing) {
                if (event.shiftKey) search.current?.findNext(query, options)
                else search.current?.findPrevious(query, options)
              }
            }}
          />
          <span role="status" className="min-w-16 text-center text-xs text-text-2 tabular-nums">
            {query && found ? m.terminal.matches(found.index, found.count) : ''}
          </span>
          <IconButton label={m.terminal.previous} onClick={() => search.current?.findPrevious(query, options)}>
            <ArrowUp aria-hidden className="size-4" />
          </IconButton>
          <IconButton label={m.terminal.next} onClick={() => search.current?.findNext(query, options)}>
            <ArrowDown aria-hidden className="size-4" />
          </IconButton>
          <IconButton label={m.common.close} onClick={closeSearch}>
            <X aria-hidden className="size-4" />
          </IconButton>
        </search>
      ) : null}
      <div ref={host} data-terminal={id} data-ready={up} className="min-h-0 flex-1 overflow-hidden pt-1.5 pb-0.5 pl-2.5" />
      {terminal.state === 'closed' ? (
        <p role="status" className="flex items-center gap-3 border-t border-line bg-surface px-4 py-2 text-text-2">
          {m.terminal.closed(terminal.exitCode)}
          <Button small onClick={onClose}>
            {m.common.close}
          </Button>
        </p>
      ) : terminal.state === 'lost' ? (
        <p role="status" className="border-t border-line bg-warn-tint px-4 py-2 text-warn">
          {m.terminal.lost}
        </p>
      ) : said ? (
        <p role="alert" className="border-t border-line bg-fail-tint px-4 py-2 text-fail">
          {said.title}: {said.message} {said.hint}
        </p>
      ) : refused ? (
        <p role="status" className="border-t border-line bg-surface px-4 py-2 text-text-2">
          {m.terminal.examKeys}
        </p>
      ) : !online ? (
        <p className="border-t border-line bg-warn-tint px-4 py-2 text-warn">{m.terminal.offline}</p>
      ) : null}
    </div>
  )
}

/** WebGL that is drawn by the CPU is slower than the DOM, so it is only used where a real GPU answers. */
function canDrawFast(): boolean {
  const gl = document.createElement('canvas').getContext('webgl2', { failIfMajorPerformanceCaveat: true })
  if (gl === null) return false
  const named = gl.getExtension('WEBGL_debug_renderer_info')
  const renderer = named === null ? '' : String(gl.getParameter(named.UNMASKED_RENDERER_WEBGL))
  gl.getExtension('WEBGL_lose_context')?.loseContext()
  return !/swiftshader|llvmpipe|software|basic render/i.test(renderer)
}
