'use client'
// The cluster below the terminals: one line that is always there, and the picture and the events when it is opened.
// Knows the topology and the events as data.
import { ChevronDown, ChevronUp } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useLocale, useMessages } from '../i18n/index.tsx'
import { useElementId, useLab } from '../session/context.tsx'
import { useKept } from '../session/kept.ts'
import { Separator } from '../session/separator.tsx'
import { cx } from '../ui/cx.ts'
import { StateIcon } from '../ui/state.tsx'
import { duration, useNow } from '../ui/time.ts'
import { Picture } from './drawing.tsx'
import { Events } from './events.tsx'
import { summary } from './picture.ts'

/** A picture older than this says so. */
const staleAfter = 15_000

export function Dock({ full }: { full: boolean }) {
  const m = useMessages()
  const locale = useLocale()
  const element = useElementId()
  const topology = useLab((state) => state.topology)
  const skew = useLab((state) => state.skew)
  const warnings = useLab((state) => state.clusterEvents).filter((event) => event.type === 'Warning').length
  const [height, setHeight] = useKept('dock.height', 260, 120, 640)
  const [kept, setKept] = useKept('dock.open', 1, 0, 1)
  const [tab, setTab] = useState<'cluster' | 'events'>('cluster')
  const blind = useLab((state) => state.connection.state !== 'open' || state.session?.outage != null)
  const now = useNow(blind)
  // There is no place for a closed dock where it is the only thing seen.
  const open = full || kept === 1
  const [wide, setWide] = useState(true)
  useEffect(() => {
    const media = matchMedia('(min-width: 1024px)')
    const look = () => setWide(media.matches)
    look()
    media.addEventListener('change', look)
    return () => media.removeEventListener('change', look)
  }, [])
  const says = topology ? summary(topology) : null
  // The picture comes when something changes: it is only old when changes cannot come.
  const age = blind && topology && now !== null ? now + skew - topology.at : 0

  const tabButton = (name: 'cluster' | 'events', label: string) => (
    <button
      type="button"
      role="tab"
      id={element(`dock-${name}`)}
      aria-selected={tab === name}
      aria-controls={element('dock-panel')}
      tabIndex={tab === name ? 0 : -1}
      data-pane-target={tab === name ? '' : undefined}
      className={cx(
        'h-8 border-b-2 px-3 text-[0.8125rem] whitespace-nowrap -outline-offset-2',
        open && tab === name ? 'border-accent font-medium' : 'border-transparent text-text-2 hover:text-text',
      )}
      onClick={() => {
        setTab(name)
        setKept(1)
      }}
      onKeyDown={(event) => {
        if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return
        const other = name === 'cluster' ? 'events' : 'cluster'
        setTab(other)
        document.getElementById(element(`dock-${other}`))?.focus()
      }}
    >
      {label}
    </button>
  )
  return (
    <div className={cx('flex min-h-0 flex-col bg-surface', full && !wide && 'flex-1')}>
      {open && wide ? (
        <Separator
          label={m.session.resizeDock}
          orientation="horizontal"
          value={height}
          min={120}
          max={640}
          onChange={setHeight}
          grows={-1}
        />
      ) : (
        <div className="h-px bg-line" />
      )}
      <div className="flex h-8 shrink-0 items-center">
        <div role="tablist" aria-label={m.session.paneDock} className="flex">
          {tabButton('cluster', m.cluster.tab)}
          {tabButton('events', warnings > 0 ? `${m.cluster.events} (${warnings})` : m.cluster.events)}
        </div>
        {says ? (
          <p className="ml-3 flex min-w-0 items-center gap-4 overflow-hidden text-xs whitespace-nowrap text-text-2 max-sm:hidden">
            <Part bad={says.nodes.ready < says.nodes.total}>{m.cluster.summaryNodes(says.nodes.ready, says.nodes.total)}</Part>
            <Part bad={says.pods.broken > 0}>{m.cluster.summaryPods(says.pods.broken, says.pods.total)}</Part>
            <Part bad={says.services.empty > 0}>{m.cluster.summaryServices(says.services.empty, says.services.total)}</Part>
            {age > staleAfter ? <span className="text-warn">{m.cluster.stale(duration(age, locale))}</span> : null}
          </p>
        ) : null}
        {full ? null : (
          <button
            type="button"
            aria-expanded={open}
            aria-label={open ? m.cluster.collapse : m.cluster.expand}
            title={open ? m.cluster.collapse : m.cluster.expand}
            className="mr-1 ml-auto inline-flex size-7 items-center justify-center rounded-md text-text-2 hover:bg-hover hover:text-text max-lg:hidden"
            onClick={() => setKept(open ? 0 : 1)}
          >
            {open ? <ChevronDown aria-hidden className="size-4" /> : <ChevronUp aria-hidden className="size-4" />}
          </button>
        )}
      </div>
      {open ? (
        <div
          id={element('dock-panel')}
          role="tabpanel"
          aria-labelledby={element(`dock-${tab}`)}
          // What scrolls must be reachable by keyboard.
          // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
          tabIndex={0}
          className="min-h-0 overflow-auto border-t border-line -outline-offset-2"
          style={wide ? { height: `min(${height}px, 55vh)` } : { flex: 1 }}
        >
          {tab === 'events' ? (
            <Events />
          ) : topology ? (
            <Picture topology={topology} />
          ) : (
            <p className="flex items-center gap-2 p-4 text-text-2">
              <StateIcon icon="running" tone="accent" />
              {m.cluster.waiting}
            </p>
          )}
        </div>
      ) : null}
    </div>
  )
}

function Part({ bad, children }: { bad: boolean; children: string }) {
  return (
    <span className={cx('flex items-center gap-1', bad && 'font-medium text-fail')}>
      <StateIcon icon={bad ? 'fail' : 'ok'} tone={bad ? 'fail' : 'ok'} className="size-3.5" />
      {children}
    </span>
  )
}
