'use client'
// A button that opens a short menu. Knows nothing of what is chosen in it.
import { DropdownMenu } from 'radix-ui'
import type { ReactNode } from 'react'
import { cx } from './cx.ts'

/** of an item; more classes may follow */
export const menuItem =
  'flex h-8 cursor-default items-center gap-2 rounded-sm px-2 text-[0.8125rem] outline-none data-[highlighted]:bg-hover'

/** `className`: of the button, its size among them; `width`: the menu's least, a class */
export function Menu(props: {
  label: string
  icon: ReactNode
  className: string
  width: string
  align?: 'start' | 'end'
  disabled?: boolean
  children: ReactNode
}) {
  const { align = 'end', children, className, disabled, icon, label, width } = props
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger
        aria-label={label}
        title={label}
        disabled={disabled}
        className={cx('inline-flex items-center justify-center rounded-md text-text-2 hover:bg-hover hover:text-text', className)}
      >
        {icon}
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align={align}
          sideOffset={4}
          className={cx('z-50 rounded-md border border-line bg-surface p-1 shadow-raised', width)}
        >
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}
