'use client'
// Whether the page is dark right now, by the reader's choice and the system's. Knows nothing of colours.
import { useSyncExternalStore } from 'react'

function watch(listener: () => void): () => void {
  const media = matchMedia('(prefers-color-scheme: dark)')
  media.addEventListener('change', listener)
  const observer = new MutationObserver(listener)
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] })
  return () => {
    media.removeEventListener('change', listener)
    observer.disconnect()
  }
}
function isDark(): boolean {
  const chosen = document.documentElement.dataset.theme
  return chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
}
/** Whether the page is dark at this moment; follows the switch and the system. */
export const useDark = (): boolean => useSyncExternalStore(watch, isDark, () => false)
