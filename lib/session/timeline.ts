// The report's timeline out of stored events and recordings: what the learner typed, when checks changed, what befell the session.
// Knows nothing of grading.
import { stat } from 'node:fs/promises'
import { type Report, type SessionEvent, sessionEvent, type TerminalView } from '#lib/protocol/index.ts'
import type { SessionEventRow } from '#lib/store/index.ts'
import { commandsOf, durationOf, recordingFile } from '#lib/terminal/index.ts'

type Entry = Report['timeline'][number]
/** entries of one kind; a report is read by people */
const most = 5000

/** `events` in order; what is not understood (an older version wrote it) is left out. */
export function transitionsOf(events: readonly SessionEventRow[]): Entry[] {
  const entries: Entry[] = []
  const states = new Map<string, string>()
  let sessionState = 'starting'
  let out = false
  for (const row of events) {
    let event: SessionEvent
    try {
      event = sessionEvent.parse(JSON.parse(row.body))
    } catch {
      continue
    }
    if (event.type === 'check' && states.get(event.check.id) !== event.check.state) {
      states.set(event.check.id, event.check.state)
      entries.push({ kind: 'check', at: row.at, check: event.check.id, state: event.check.state })
    } else if (event.type === 'hint') entries.push({ kind: 'session', at: row.at, what: 'hint' })
    else if (event.type === 'outage' && (event.outage !== null) !== out) {
      out = event.outage !== null
      entries.push({ kind: 'session', at: row.at, what: out ? 'outage' : 'recovered' })
    } else if (event.type === 'state' && event.state !== sessionState) {
      if (event.state === 'ready' && sessionState !== 'grading') entries.push({ kind: 'session', at: row.at, what: 'ready' })
      if (event.state === 'resetting') entries.push({ kind: 'session', at: row.at, what: 'reset' })
      if (event.state === 'ended') entries.push({ kind: 'session', at: row.at, what: 'ended' })
      sessionState = event.state
    }
  }
  return entries.slice(-most)
}

/** The terminals' recordings as a report lists them, and the commands in them. */
export async function readRecordings(
  dir: string,
  terminals: readonly TerminalView[],
): Promise<{ recordings: Report['recordings']; commands: Entry[] }> {
  const recordings: Report['recordings'] = []
  const commands: Entry[] = []
  for (const terminal of terminals) {
    const file = recordingFile(dir, terminal.id)
    const there = await stat(file).catch(() => null)
    if (there === null) continue
    recordings.push({ terminal: terminal.id, place: terminal.place, seconds: await durationOf(file), bytes: there.size })
    for (const { at, command } of await commandsOf(file))
      commands.push({ kind: 'command', at, terminal: terminal.id, place: terminal.place, command })
  }
  commands.sort((left, right) => left.at - right.at)
  return { recordings, commands: commands.slice(-most) }
}
