// Steps of a creation as they are shown: what kind prints, and ours after it. Knows nothing of how a step is done.
import type { Progress } from '../port.ts'

/** what kind prints → our step; kind's wording is in its pkg/cluster/internal/create/actions */
const kindSteps: readonly (readonly [RegExp, string])[] = [
  [/^Ensuring node image/, 'Node image'],
  [/^Preparing nodes/, 'Nodes'],
  [/^Writing configuration/, 'Configuration'],
  [/^Starting control-plane/, 'Control plane'],
  [/^Installing StorageClass/, 'Storage class'],
  [/^Joining worker nodes/, 'Workers'],
  [/^Waiting /, 'Control plane ready'],
]

/** A listener for kind's lines that reports each step's beginning and end. */
export function kindProgress(progress: Progress): (line: string) => void {
  return (line) => {
    const [, mark, text] = /^\s*([•✓✗])\s+(.*)$/u.exec(line) ?? []
    if (!mark || !text) return
    const step = kindSteps.find(([pattern]) => pattern.test(text))?.[1]
    if (step) progress({ step, state: mark === '•' ? 'running' : mark === '✓' ? 'done' : 'failed' })
  }
}

/** Runs one step of ours between its two lines. */
export async function step<T>(progress: Progress, name: string, work: (detail: (text: string) => void) => Promise<T>): Promise<T> {
  progress({ step: name, state: 'running' })
  try {
    const result = await work((detail) => progress({ step: name, state: 'running', detail }))
    progress({ step: name, state: 'done' })
    return result
  } catch (error) {
    progress({ step: name, state: 'failed', detail: error instanceof Error ? error.message : String(error) })
    throw error
  }
}
