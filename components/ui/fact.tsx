// A name and what it stands for, in a list of such; what says all by itself has no name.
import type { ReactNode } from 'react'

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex items-baseline gap-1.5 whitespace-nowrap">
      <dt className={name === '' ? 'sr-only' : 'text-text-3'}>{name}</dt>
      <dd className="tabular-nums">{children}</dd>
    </div>
  )
}
