// What a drill is that was not asked for: domains that the catalogue cannot fill, fewer tasks. Knows nothing of the draw.
import type { DrillView } from '#lib/protocol/index.ts'
import { useMessages, useText } from '../i18n/index.tsx'
import { cx } from '../ui/cx.ts'

export function Notices({ drill, tone = 'idle' }: { drill: Pick<DrillView, 'notices'>; tone?: 'idle' | 'warn' }) {
  const m = useMessages()
  const text = useText()
  if (drill.notices.length === 0) return null
  return (
    <ul
      aria-label={m.exam.notices}
      className={cx('space-y-1 border-l-2 pl-3', tone === 'warn' ? 'mt-3 border-warn' : 'mt-4 border-line-strong text-text-2')}
    >
      {drill.notices.map((notice) => (
        <li key={notice.en}>{text(notice)}</li>
      ))}
    </ul>
  )
}
