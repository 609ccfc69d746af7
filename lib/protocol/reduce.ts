// What one event does to a session's view: the same fold in the server and in the page. Knows nothing of sockets or storage.
import type { SessionEvent } from './messages.ts'
import type { SessionView } from './views.ts'

const upsert = <T>(list: readonly T[], item: T, same: (other: T) => boolean): T[] =>
  list.some(same) ? list.map((other) => (same(other) ? item : other)) : [...list, item]

/** The view after `event`; `view` itself is left as it was. A `state` event carries the whole view and replaces it. */
export function applyEvent(view: SessionView, event: SessionEvent): SessionView {
  switch (event.type) {
    case 'state':
      return event.view
    case 'step':
      return { ...view, steps: upsert(view.steps, event.step, (other) => other.id === event.step.id) }
    case 'check':
      return { ...view, checks: upsert(view.checks, event.check, (other) => other.id === event.check.id) }
    case 'hint':
      return { ...view, hints: { ...view.hints, shown: upsert(view.hints.shown, event.hint, (other) => other.index === event.hint.index) } }
    case 'terminal':
      return { ...view, terminals: upsert(view.terminals, event.terminal, (other) => other.id === event.terminal.id) }
    case 'outage':
      return { ...view, outage: event.outage }
  }
}
