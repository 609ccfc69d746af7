'use client'
// A question that must be answered before going on. Radix keeps focus inside and gives it back. Knows nothing of what is asked.
import { AlertDialog } from 'radix-ui'
import type { ReactNode } from 'react'
import { useMessages } from '../i18n/index.tsx'
import { buttonClass, type Weight } from './button.tsx'
import { cx } from './cx.ts'

export function Confirm({
  open,
  onOpenChange,
  title,
  children,
  yes,
  weight = 'primary',
  onYes,
  wide = false,
  cancel,
}: {
  open: boolean
  onOpenChange(open: boolean): void
  title: string
  children: ReactNode
  yes: string
  weight?: Weight
  onYes(): void
  wide?: boolean
  cancel?: string
}) {
  const m = useMessages()
  return (
    <AlertDialog.Root open={open} onOpenChange={onOpenChange}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="fixed inset-0 z-40 bg-[rgb(0_0_0/0.45)]" />
        <AlertDialog.Content
          className={cx(
            'fixed top-1/2 left-1/2 z-50 max-h-[90dvh] w-[calc(100vw-2rem)] -translate-x-1/2 -translate-y-1/2 overflow-y-auto rounded-lg border border-line bg-surface p-5 shadow-raised',
            wide ? 'max-w-xl' : 'max-w-md',
          )}
        >
          <AlertDialog.Title className="text-base font-semibold text-balance">{title}</AlertDialog.Title>
          <AlertDialog.Description asChild>
            <div className="mt-2 space-y-2 text-text-2">{children}</div>
          </AlertDialog.Description>
          <div className="mt-5 flex flex-wrap justify-end gap-2">
            <AlertDialog.Cancel className={buttonClass('normal')}>{cancel ?? m.common.cancel}</AlertDialog.Cancel>
            <AlertDialog.Action className={buttonClass(weight)} onClick={onYes}>
              {yes}
            </AlertDialog.Action>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  )
}
