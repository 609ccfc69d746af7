'use client'
// A few lines more about something, on hover, focus or tap. Knows nothing of what it explains.
import { Popover } from 'radix-ui'
import { type ReactNode, useRef, useState } from 'react'
import { cx } from './cx.ts'

export function Tip({
  label,
  children,
  className,
  content,
}: {
  label?: string
  children: ReactNode
  className?: string
  content: ReactNode
}) {
  const [open, setOpen] = useState(false)
  const pinned = useRef(false)
  return (
    <Popover.Root
      open={open}
      onOpenChange={(next) => {
        if (!next) pinned.current = false
        setOpen(next)
      }}
    >
      <Popover.Anchor asChild>
        <button
          type="button"
          aria-label={label}
          aria-expanded={open}
          className={cx('inline-flex rounded-sm', className)}
          onPointerEnter={(event) => event.pointerType === 'mouse' && setOpen(true)}
          onPointerLeave={() => !pinned.current && setOpen(false)}
          onFocus={(event) => event.currentTarget.matches(':focus-visible') && setOpen(true)}
          onBlur={() => setOpen(false)}
          onClick={() => {
            pinned.current = !pinned.current
            setOpen(pinned.current)
          }}
          onKeyDown={(event) => event.key === 'Escape' && setOpen(false)}
        >
          {children}
        </button>
      </Popover.Anchor>
      <Popover.Portal>
        <Popover.Content
          onOpenAutoFocus={(event) => event.preventDefault()}
          onCloseAutoFocus={(event) => event.preventDefault()}
          role="tooltip"
          side="bottom"
          align="start"
          sideOffset={6}
          collisionPadding={12}
          className="z-50 max-w-xs rounded-md border border-line bg-surface p-3 text-xs text-text-2 shadow-raised"
        >
          {content}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  )
}
