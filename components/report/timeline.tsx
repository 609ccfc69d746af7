'use client'
// Commands against checks on one axis, and the same as a list. Knows lanes.ts' shapes; knows nothing of recordings but their times.
import { useState } from 'react'
import type { CheckLive, Report } from '#lib/protocol/index.ts'
import { useMessages, useText } from '../i18n/index.tsx'
import { checkLooks } from '../session/checks.tsx'
import { Button } from '../ui/button.tsx'
import { cx } from '../ui/cx.ts'
import { StateIcon } from '../ui/state.tsx'
import { clock } from '../ui/time.ts'
import { lanes } from './lanes.ts'

const fills: Record<CheckLive['state'], string> = {
  waiting: 'bg-line',
  // Stripes, so that failing and passing differ by more than colour.
  failing: 'bg-fail-tint bg-[repeating-linear-gradient(135deg,var(--fail)_0_1.5px,transparent_1.5px_6px)]',
  holding: 'bg-accent-tint border-y border-accent',
  passing: 'bg-ok',
  'not-evaluable': 'bg-warn-tint bg-[radial-gradient(var(--warn)_1px,transparent_1.5px)] bg-[size:5px_5px]',
}

export function Timeline({ report, onSeek }: { report: Report; onSeek(at: number, terminal: number | null): void }) {
  const m = useMessages()
  const text = useText()
  const [listed, setListed] = useState(false)
  const [chosen, setChosen] = useState<number | null>(null)
  const drawn = lanes(
    report.timeline,
    report.checks.map((check) => check.id),
  )
  if (drawn === null) return <p className="text-text-2">{m.report.noTimeline}</p>
  const title = (id: string) => text(report.checks.find((check) => check.id === id)?.title ?? { en: id, ko: id })
  const role = (id: string) => report.checks.find((check) => check.id === id)?.role
  const since = (at: number) => clock(Math.max(0, at - drawn.start))
  const word = (id: string, state: CheckLive['state']) => (role(id) === 'guard' ? m.session.guardCheck : m.session.check)[state]
  const left = (fraction: number) => ({ left: `${fraction * 100}%` })
  const selected = chosen === null ? null : drawn.commands[chosen]
  const used = [
    ...new Set(drawn.checks.flatMap((check) => check.bands.filter((band) => band.to - band.from > 0.002).map((band) => band.state))),
  ]
  return (
    <div>
      <div aria-hidden className="relative px-1">
        {drawn.checks.map((check) => (
          <div key={check.id} className="mt-2 first:mt-0">
            <p className="truncate text-xs text-text-2">{title(check.id)}</p>
            <div className="relative mt-0.5 h-3 overflow-hidden rounded-sm">
              {check.bands.map((band) => (
                <span
                  key={band.from}
                  title={`${word(check.id, band.state)} ${since(drawn.start + band.from * (drawn.end - drawn.start))}`}
                  className={cx('absolute inset-y-0', fills[band.state])}
                  style={{ left: `${band.from * 100}%`, width: `${(band.to - band.from) * 100}%` }}
                />
              ))}
            </div>
          </div>
        ))}
        <p className="mt-3 text-xs text-text-2">{m.report.commands}</p>
        <div className="relative mt-0.5 h-6 border-b border-line-strong">
          {drawn.commands.map((command, index) => (
            <button
              // biome-ignore lint/suspicious/noArrayIndexKey: commands stand in their order for good
              key={index}
              type="button"
              tabIndex={-1}
              title={`${since(command.entry.at)} ${command.entry.command}`}
              onClick={() => setChosen(index)}
              className={cx(
                'absolute bottom-0 h-5 w-3 -translate-x-1/2 after:absolute after:bottom-0 after:left-1/2 after:w-0.5 after:-translate-x-1/2',
                index === chosen ? 'after:h-5 after:bg-accent' : 'after:h-3.5 after:bg-text-2 hover:after:h-5',
              )}
              style={left(command.at)}
            />
          ))}
        </div>
        <div className="relative h-5 text-2xs text-text-3">
          {drawn.ticks.map((tick) => (
            <span
              key={tick.ms}
              className={cx('absolute top-0.5 tabular-nums', tick.at > 0.03 && '-translate-x-1/2', tick.at > 0.97 && '-translate-x-full')}
              style={left(tick.at)}
            >
              {clock(tick.ms)}
            </span>
          ))}
        </div>
        {drawn.happenings
          .filter((happening) => happening.entry.what !== 'ready' && happening.entry.what !== 'ended')
          .map((happening) => (
            <span
              key={`${happening.entry.what}${happening.entry.at}`}
              className="pointer-events-none absolute inset-y-0 mx-1 border-l border-dashed border-text-2"
              style={left(happening.at)}
            >
              <span
                className={cx(
                  'absolute bottom-6 rounded-sm bg-surface px-1 text-2xs whitespace-nowrap text-text-2',
                  happening.at > 0.7 ? 'right-1' : 'left-1',
                )}
              >
                {m.report.event[happening.entry.what]}
              </span>
            </span>
          ))}
      </div>
      <p aria-hidden className="mt-1 flex flex-wrap gap-x-4 gap-y-1 text-xs text-text-2">
        {used.map((state) => (
          <span key={state} className="flex items-center gap-1.5">
            <span className={cx('inline-block h-3 w-5 rounded-sm', fills[state])} />
            {m.session.check[state]}
          </span>
        ))}
      </p>
      {selected ? (
        <p className="mt-3 flex flex-wrap items-center gap-x-3 gap-y-1 rounded-md bg-sunken px-3 py-2">
          <span className="text-xs text-text-2 tabular-nums">{since(selected.entry.at)}</span>
          <code className="min-w-0 flex-1 text-xs break-all">{selected.entry.command}</code>
          <Button
            small
            onClick={() => onSeek(selected.entry.at, selected.entry.terminal)}
            aria-label={m.report.jump(since(selected.entry.at))}
          >
            {m.report.replay}
          </Button>
        </p>
      ) : null}
      <Button small className="mt-3" aria-expanded={listed} onClick={() => setListed(!listed)}>
        {listed ? m.report.listHide : m.report.list}
      </Button>
      <ol className={cx('mt-2', !listed && 'sr-only')}>
        {report.timeline.map((entry, index) => (
          <li
            // biome-ignore lint/suspicious/noArrayIndexKey: the list does not change
            key={index}
            className="grid grid-cols-[3.5rem_1rem_minmax(0,1fr)] items-baseline gap-x-2 border-t border-line py-1"
          >
            <span className="text-xs text-text-3 tabular-nums">{since(entry.at)}</span>
            {entry.kind === 'check' ? <StateIcon {...checkLooks[entry.state]} className="size-3.5 translate-y-0.5" /> : <span />}
            {entry.kind === 'command' ? (
              <span className="text-xs">
                <code className="break-all">{entry.command}</code> <span className="text-text-3">{entry.place}</span>
              </span>
            ) : entry.kind === 'check' ? (
              <span className="text-xs">{m.report.moved(title(entry.check), word(entry.check, entry.state))}</span>
            ) : (
              <span className="text-xs font-medium">{m.report.event[entry.what]}</span>
            )}
          </li>
        ))}
      </ol>
    </div>
  )
}
