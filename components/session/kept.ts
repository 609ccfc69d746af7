'use client'
// Small choices that this browser remembers: widths, text size. Knows nothing of what they mean.
import { useCallback, useEffect, useState } from 'react'

/** A number kept under `name`, `initial` until the browser has been asked, always within min…max. */
export function useKept(name: string, initial: number, min: number, max: number): [number, (next: number) => void] {
  const [value, setValue] = useState(initial)
  const within = useCallback((n: number) => Math.min(max, Math.max(min, n)), [min, max])
  useEffect(() => {
    const kept = Number(window.localStorage.getItem(`kubemend.${name}`) ?? Number.NaN)
    if (Number.isFinite(kept)) setValue(within(kept))
  }, [name, within])
  const keep = useCallback(
    (next: number) => {
      const rounded = within(next)
      setValue(rounded)
      window.localStorage.setItem(`kubemend.${name}`, String(rounded))
    },
    [name, within],
  )
  return [value, keep]
}
