'use client'
// Plays a terminal's recording in xterm: play, pause, seek, speed, pauses skipped, resizes as they were.
// Knows recordings and xterm; knows nothing of reports.
import type { Terminal } from '@xterm/xterm'
import { Pause, Play, SkipBack } from 'lucide-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import { type ErrorWords, errorWords, requestText } from '../api.ts'
import { useDark } from '../chrome/use-dark.ts'
import { useMessages } from '../i18n/index.tsx'
import { Problem } from '../ui/banner.tsx'
import { IconButton } from '../ui/button.tsx'
import { StateIcon } from '../ui/state.tsx'
import { clock } from '../ui/time.ts'
import { type Cast, firstSight, indexAt, parseCast, withoutPauses } from './asciicast.ts'
import { muteReplies } from './replies.ts'
import { dark, fontFamily, light } from './theme.ts'
import '@xterm/xterm/css/xterm.css'

const speeds = [1, 2, 4, 8]
const longestPause = 2

/** `seek`: epoch ms to go to; a new object each time it is asked for. */
export function Replay({ url, label, seek }: { url: string; label: string; seek: { to: number } | null }) {
  const m = useMessages()
  const isDark = useDark()
  const host = useRef<HTMLDivElement>(null)
  const term = useRef<Terminal | null>(null)
  /** index of the next moment to write */
  const next = useRef(0)
  const [whole, setWhole] = useState<Cast | null>(null)
  const [error, setError] = useState<ErrorWords | null>(null)
  const [playing, setPlaying] = useState(false)
  const [at, setAt] = useState(0)
  const [speed, setSpeed] = useState(1)
  const [skip, setSkip] = useState(true)
  const [up, setUp] = useState(false)
  const shown = useMemo(() => {
    if (whole === null) return null
    return skip ? withoutPauses(whole, longestPause) : { cast: whole, at: (original: number) => original }
  }, [whole, skip])

  useEffect(() => {
    const abort = new AbortController()
    requestText(url, abort.signal)
      .then((text) => {
        const cast = parseCast(text)
        if (cast) {
          setWhole(cast)
          // Not an empty screen, but the first that was seen.
          setAt(firstSight(cast))
        } else setError({ title: m.report.replayFailed, message: null, hint: null })
      })
      .catch((thrown: unknown) => {
        if (!abort.signal.aborted) setError(errorWords(thrown, m))
      })
    return () => abort.abort()
  }, [url, m])

  useEffect(() => {
    const element = host.current
    if (element === null || whole === null) return
    let gone = false
    void Promise.all([
      import('@xterm/xterm'),
      import('@xterm/addon-unicode11'),
      document.fonts.load(`13px ${fontFamily}`).catch(() => []),
    ]).then(([{ Terminal }, { Unicode11Addon }]) => {
      if (gone) return
      const xterm = new Terminal({
        allowProposedApi: true,
        cols: whole.cols,
        rows: whole.rows,
        disableStdin: true,
        fontFamily,
        fontSize: 12,
        minimumContrastRatio: 4.5,
        scrollback: 2000,
        cursorBlink: false,
      })
      xterm.loadAddon(new Unicode11Addon())
      xterm.unicode.activeVersion = '11'
      muteReplies(xterm).muteUntil(Number.POSITIVE_INFINITY)
      xterm.open(element)
      // It is watched, not typed into.
      xterm.textarea?.setAttribute('tabindex', '-1')
      xterm.textarea?.setAttribute('aria-label', label)
      xterm.attachCustomKeyEventHandler(() => false)
      term.current = xterm
      next.current = 0
      setUp(true)
    })
    return () => {
      gone = true
      term.current?.dispose()
      term.current = null
      setUp(false)
    }
  }, [whole, label])

  // biome-ignore lint/correctness/useExhaustiveDependencies: up says that xterm is there
  useEffect(() => {
    if (term.current) term.current.options.theme = isDark ? dark : light
  }, [isDark, up])

  // Writes what lies between where the screen is and `at`; going back begins anew.
  useEffect(() => {
    const xterm = term.current
    if (xterm === null || shown === null || !up) return
    const { cast } = shown
    const wanted = indexAt(cast, at)
    if (wanted < next.current) {
      xterm.reset()
      xterm.resize(cast.cols, cast.rows)
      next.current = 0
    }
    let text = ''
    for (; next.current < wanted; next.current++) {
      const moment = cast.moments[next.current]!
      if (moment.kind === 'output') text += moment.text
      else if (moment.kind === 'size') {
        const { cols, rows } = moment
        const before = text
        text = ''
        xterm.write(before, () => xterm.resize(cols, rows))
      }
    }
    if (text) xterm.write(text)
  }, [at, shown, up])

  useEffect(() => {
    if (!playing || shown === null) return
    let frame = 0
    let before: number | null = null
    const tick = (time: number) => {
      const passed = before === null ? 0 : ((time - before) / 1000) * speed
      before = time
      setAt((now) => {
        const then = now + passed
        if (then < shown.cast.length) return then
        setPlaying(false)
        return shown.cast.length
      })
      frame = requestAnimationFrame(tick)
    }
    frame = requestAnimationFrame(tick)
    return () => cancelAnimationFrame(frame)
  }, [playing, speed, shown])

  // biome-ignore lint/correctness/useExhaustiveDependencies: a jump is to the time asked for then, not again when pauses are cut differently
  useEffect(() => {
    if (seek === null || shown === null || shown.cast.startedAt === null) return
    setPlaying(false)
    setAt(Math.min(shown.cast.length, Math.max(0, shown.at((seek.to - shown.cast.startedAt) / 1000) - 0.5)))
  }, [seek, whole])

  if (error) return <Problem words={error} live="polite" />
  if (shown === null)
    return (
      <p role="status" className="flex items-center gap-2 p-4 text-text-2">
        <StateIcon icon="running" tone="accent" />
        {m.common.loading}
      </p>
    )
  const { length } = shown.cast
  return (
    <div>
      <div className="flex flex-wrap items-center gap-2 border-b border-line px-2 py-1.5">
        <IconButton
          label={playing ? m.report.pause : m.report.play}
          onClick={() => {
            if (!playing && at >= length) setAt(0)
            setPlaying(!playing)
          }}
        >
          {playing ? <Pause aria-hidden className="size-4 fill-current" /> : <Play aria-hidden className="size-4 fill-current" />}
        </IconButton>
        <IconButton label={m.report.restart} onClick={() => setAt(0)}>
          <SkipBack aria-hidden className="size-4" />
        </IconButton>
        <input
          type="range"
          min={0}
          max={Math.max(0.1, length)}
          step={0.1}
          value={at}
          aria-label={m.report.position}
          aria-valuetext={`${clock(at * 1000)} / ${clock(length * 1000)}`}
          onChange={(event) => {
            setPlaying(false)
            setAt(Number(event.target.value))
          }}
          className="min-w-24 flex-1 accent-accent"
        />
        <span className="text-xs text-text-2 tabular-nums">
          {clock(at * 1000)} / {clock(length * 1000)}
        </span>
        <label className="flex items-center gap-1 text-xs text-text-2">
          <span className="sr-only">{m.report.speed}</span>
          <select
            value={speed}
            onChange={(event) => setSpeed(Number(event.target.value))}
            className="h-7 rounded-md border border-line-strong/60 bg-surface px-1"
          >
            {speeds.map((n) => (
              <option key={n} value={n}>
                {n}×
              </option>
            ))}
          </select>
        </label>
        <label className="flex items-center gap-1.5 text-xs text-text-2">
          <input
            type="checkbox"
            checked={skip}
            className="accent-accent"
            onChange={(event) => {
              setSkip(event.target.checked)
              setPlaying(false)
              setAt(0)
            }}
          />
          {m.report.skipIdle}
        </label>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section aria-label={label} tabIndex={0} className="overflow-auto bg-terminal p-2 -outline-offset-2">
        <div ref={host} className="w-max" />
      </section>
    </div>
  )
}
