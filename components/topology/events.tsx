'use client'
// The cluster's events, newest first, as `kubectl get events` tells them. Knows them as data.
import { useState } from 'react'
import { useLocale, useMessages } from '../i18n/index.tsx'
import { useLab } from '../session/context.tsx'
import { cx } from '../ui/cx.ts'
import { StateIcon } from '../ui/state.tsx'
import { timeOfDay } from '../ui/time.ts'

export function Events() {
  const m = useMessages()
  const locale = useLocale()
  const all = useLab((state) => state.clusterEvents)
  const [onlyWarnings, setOnlyWarnings] = useState(false)
  const events = all.filter((event) => !onlyWarnings || event.type === 'Warning').toReversed()
  return (
    <div className="px-3 py-2">
      <label className="flex items-center gap-1.5 text-xs text-text-2">
        <input
          type="checkbox"
          checked={onlyWarnings}
          onChange={(event) => setOnlyWarnings(event.target.checked)}
          className="accent-accent"
        />
        {m.cluster.onlyWarnings}
      </label>
      {events.length === 0 ? (
        <p className="mt-2 text-xs text-text-3">{m.cluster.noEvents}</p>
      ) : (
        <table className="mt-1 w-full table-fixed text-left text-xs">
          <thead className="text-text-3">
            <tr>
              <th className="w-18 py-1 pr-2 font-normal">{m.cluster.eventTime}</th>
              <th className="w-44 py-1 pr-2 font-normal">{m.cluster.eventReason}</th>
              <th className="w-64 py-1 pr-2 font-normal max-md:hidden">{m.cluster.eventObject}</th>
              <th className="py-1 font-normal">{m.cluster.eventMessage}</th>
            </tr>
          </thead>
          <tbody className="align-baseline">
            {events.map((event, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: events have no name of their own
              <tr key={`${event.at}-${event.object}-${index}`} className="border-t border-line">
                <td className="py-0.5 pr-2 text-text-3 tabular-nums">{timeOfDay(event.at, locale)}</td>
                <td className={cx('py-0.5 pr-2', event.type === 'Warning' && 'font-medium text-warn')}>
                  <span className="flex items-center gap-1">
                    {event.type === 'Warning' ? <StateIcon icon="warn" tone="warn" className="size-3.5" /> : null}
                    <span className="sr-only">{event.type === 'Warning' ? m.cluster.warning : m.cluster.normal}</span>
                    <span className="truncate" title={event.reason}>
                      {event.reason}
                    </span>
                    {event.count > 1 ? <span className="font-normal text-text-3 tabular-nums">{m.cluster.times(event.count)}</span> : null}
                  </span>
                </td>
                <td className="truncate py-0.5 pr-2 max-md:hidden" title={`${event.namespace}/${event.object}`}>
                  <code>
                    <span className="text-text-3">{event.namespace}/</span>
                    {event.object}
                  </code>
                </td>
                <td className="py-0.5 break-words">{event.message}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  )
}
