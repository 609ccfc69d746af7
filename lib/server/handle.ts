// All that Next sees of the lab: types, and the object that the server's main has put on globalThis. It imports no values, because a
// module imported here would exist a second and a third time in this process, with a state of its own.
import type { LabHandle } from './lab.ts'

export type { LabHandle } from './lab.ts'

/** @throws Error when the pages are not served by lib/server/main.ts */
export function lab(): LabHandle {
  const found = (globalThis as { [key: symbol]: unknown })[Symbol.for('kubemend.lab')]
  if (found === undefined)
    throw new Error('The lab is not there: pages are served by `npm start` or `npm run dev`, not by `next start` or `next dev`.')
  return found as LabHandle
}
