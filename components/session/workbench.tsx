'use client'
// The ready lab: brief at the left, terminals and editor at the right, the cluster below them. Knows where the panes are and
// how the keyboard moves between them; the panes know the rest.
import { useEffect, useState } from 'react'
import { modeRules } from '#lib/protocol/index.ts'
import { useMessages } from '../i18n/index.tsx'
import { Dock } from '../topology/dock.tsx'
import { cx } from '../ui/cx.ts'
import { Brief } from './brief.tsx'
import { useElementId, useFrame, useSession } from './context.tsx'
import { useKept } from './kept.ts'
import { Separator } from './separator.tsx'
import { Work } from './work.tsx'

const panes = ['pane-brief', 'pane-work', 'pane-dock'] as const

/** Moves the focus to the next (or previous) pane that can be seen, to what had it there before or else to its first target. */
function movePane(step: 1 | -1, prefix: string): void {
  const shown = panes
    .map((id) => document.getElementById(`${prefix}${id}`))
    .filter((pane) => pane !== null && pane.offsetParent !== null) as HTMLElement[]
  const at = shown.findIndex((pane) => pane.contains(document.activeElement))
  const next = shown[(at < 0 ? 0 : at + step + shown.length) % shown.length]
  if (!next) return
  const target = [...next.querySelectorAll<HTMLElement>('[data-pane-target]')].find((element) => element.offsetParent !== null) ?? next
  target.focus()
}

export function Workbench({ unsaved, onUnsaved }: { unsaved: number; onUnsaved(count: number): void }) {
  const m = useMessages()
  const { framed, prefix } = useFrame()
  const id = useElementId()
  const { picture } = modeRules[useSession().mode]
  const Main = framed ? 'div' : 'main'
  const [left, setLeft] = useKept('left', 400, 280, 640)
  const [view, setView] = useState<'brief' | 'work' | 'dock'>('brief')

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const chord = event.ctrlKey && event.shiftKey && event.code === 'Period'
      const inside = event.target instanceof Element && event.target.closest('.xterm, .monaco-editor') !== null
      if (!chord && (event.key !== 'F6' || inside)) return
      event.preventDefault()
      movePane(event.key === 'F6' && event.shiftKey ? -1 : 1, prefix)
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [prefix])

  return (
    <>
      <nav aria-label={m.session.panes} className="flex shrink-0 border-b border-line bg-surface lg:hidden">
        {(['brief', 'work', ...(picture ? (['dock'] as const) : [])] as const).map((name) => (
          <button
            key={name}
            type="button"
            aria-pressed={view === name}
            onClick={() => setView(name)}
            className="h-10 flex-1 border-b-2 border-transparent px-2 text-[0.8125rem] text-text-2 aria-pressed:border-accent aria-pressed:font-medium aria-pressed:text-text"
          >
            {{ brief: m.session.brief, work: m.terminal.short, dock: m.cluster.tab }[name]}
          </button>
        ))}
      </nav>
      <Main id={framed ? undefined : 'main'} tabIndex={-1} className="flex min-h-0 flex-1 outline-none">
        <section
          id={id('pane-brief')}
          aria-label={m.session.paneBrief}
          // What scrolls must be reachable by keyboard.
          // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
          tabIndex={0}
          style={{ '--left': `${left}px` } as React.CSSProperties}
          className={cx(
            'min-h-0 w-full overflow-y-auto bg-surface -outline-offset-2 lg:block lg:w-(--left) lg:max-w-[45vw] lg:shrink-0',
            view !== 'brief' && 'hidden',
          )}
        >
          <Brief />
        </section>
        <Separator
          label={m.session.resizeLeft}
          orientation="vertical"
          value={left}
          min={280}
          max={640}
          onChange={setLeft}
          grows={1}
          className="max-lg:hidden"
        />
        <div className={cx('min-h-0 min-w-0 flex-1 flex-col lg:flex', view === 'brief' ? 'hidden' : 'flex')}>
          <section
            id={id('pane-work')}
            aria-label={m.session.paneWork}
            tabIndex={-1}
            className={cx('min-h-0 flex-1 flex-col outline-none lg:flex', view === 'work' ? 'flex' : 'hidden')}
          >
            <Work unsaved={unsaved} onUnsaved={onUnsaved} />
          </section>
          {picture ? (
            <section
              id={id('pane-dock')}
              aria-label={m.session.paneDock}
              tabIndex={-1}
              className={cx('flex-col outline-none lg:flex', view === 'dock' ? 'flex min-h-0 flex-1' : 'hidden')}
            >
              <Dock full={view === 'dock'} />
            </section>
          ) : null}
        </div>
      </Main>
    </>
  )
}
