'use client'
// A line between two panes that can be moved by pointer and by arrow keys (WAI-ARIA window splitter). Knows nothing of the panes.
import { useRef } from 'react'
import { cx } from '../ui/cx.ts'

export function Separator({
  label,
  orientation,
  value,
  min,
  max,
  onChange,
  grows,
  className,
}: {
  label: string
  /** of the line itself */
  orientation: 'vertical' | 'horizontal'
  value: number
  min: number
  max: number
  onChange(value: number): void
  /** whether the pane grows when the line moves right or down (1) or left or up (-1) */
  grows: 1 | -1
  className?: string
}) {
  const from = useRef<{ at: number; value: number } | null>(null)
  const upright = orientation === 'vertical'
  return (
    // biome-ignore lint/a11y/useSemanticElements: a splitter that is moved is not an <hr>
    <div
      role="separator"
      tabIndex={0}
      aria-label={label}
      aria-orientation={orientation}
      aria-valuenow={value}
      aria-valuemin={min}
      aria-valuemax={max}
      className={cx(
        'relative z-10 shrink-0 touch-none bg-line hover:bg-accent focus-visible:bg-accent',
        upright
          ? 'w-px cursor-col-resize before:absolute before:inset-y-0 before:-left-1 before:w-2.5'
          : 'h-px cursor-row-resize before:absolute before:inset-x-0 before:-top-1 before:h-2.5',
        className,
      )}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        from.current = { at: upright ? event.clientX : event.clientY, value }
      }}
      onPointerMove={(event) => {
        if (from.current) onChange(from.current.value + ((upright ? event.clientX : event.clientY) - from.current.at) * grows)
      }}
      onPointerUp={() => {
        from.current = null
      }}
      onKeyDown={(event) => {
        const [less, more] = upright ? ['ArrowLeft', 'ArrowRight'] : ['ArrowUp', 'ArrowDown']
        const step = event.shiftKey ? 64 : 16
        if (event.key === more) onChange(value + step * grows)
        else if (event.key === less) onChange(value - step * grows)
        else if (event.key === 'Home') onChange(min)
        else if (event.key === 'End') onChange(max)
        else return
        event.preventDefault()
      }}
    />
  )
}
