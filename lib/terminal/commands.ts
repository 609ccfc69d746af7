// The command lines in a recording, as they stood on the screen when Enter was pressed: so a line recalled from the history,
// completed with Tab or edited is read as what ran. Knows nothing of shells but how their line editor shows itself.
//
// How: bash's readline switches bracketed paste on (CSI ? 2004 h) right before its prompt and off when a line is accepted; between
// the two, the prompt ends where the cursor stood at the first key. A shell without readline (busybox) is read from the first key to
// the line feed after Enter. Limits: what runs inside tmux, vim or any program on the alternate screen is not seen; lines typed ahead
// while a command still runs are told from their prompt by the first `$ ` or `# `; what is not echoed (a password) is never seen.
import { readCast } from './cast.ts'
import { type Position, Screen } from './screen.ts'

export interface Command {
  /** epoch milliseconds */
  at: number
  command: string
}
const mostCommands = 5000
const longest = 2000

/** In order of time, at most 5 000, each cut at 2 000 characters. A missing file has none. */
export async function commandsOf(file: string): Promise<Command[]> {
  const commands: Command[] = []
  let startedAt = 0
  let now = 0
  let alternate = false
  /** readline has the line */
  let editing = false
  let lineStart = null as Position | null
  let typedFrom = null as Position | null
  let enters = 0

  const take = (from: Position | null, guessPrompt: boolean): void => {
    if (from === null || commands.length >= mostCommands) return
    let line = screen.lineFrom(from)
    if (line === null) return
    if (guessPrompt) line = line.replace(/^.*?[#$] /, '')
    line = line.trim()
    // A line given up with Ctrl-C never ran.
    if (line !== '' && !line.endsWith('^C')) commands.push({ at: now, command: line.slice(0, longest) })
  }
  const screen = new Screen(
    { cols: 80, rows: 24 },
    {
      mode(mode, on) {
        if (mode === 1049 || mode === 1047 || mode === 47) alternate = on
        else if (mode === 2004 && !alternate) {
          if (on) {
            editing = true
            lineStart = screen.cursor
            typedFrom = null
          } else if (editing) {
            // The line feed of the accepted line came before this.
            editing = false
            if (enters > 0) take(typedFrom ?? lineStart, typedFrom === null)
            enters = Math.max(0, enters - 1)
            typedFrom = null
          }
        }
      },
      lineFeed() {
        if (alternate || editing || enters === 0) return
        take(typedFrom, false)
        enters -= 1
        typedFrom = null
      },
    },
  )
  for await (const line of readCast(file)) {
    if ('header' in line) {
      startedAt = line.header.startedAt
      screen.resize(line.header.size)
      continue
    }
    const { event } = line
    now = Math.round(startedAt + event.at * 1000)
    if (event.kind === 'output') screen.write(event.text)
    else if (event.kind === 'size') screen.resize(event.size)
    else if ((event.kind === 'key' || event.kind === 'enter') && !alternate) {
      const at = screen.cursor
      // At the very start of a line the prompt is not there yet: this key was typed ahead.
      const ahead = editing ? lineStart !== null && at.row === lineStart.row && at.col === lineStart.col : enters > 0
      if (!ahead) typedFrom ??= at
      if (event.kind === 'enter') enters += 1
    }
  }
  return commands
}

/** Length of a recording in seconds; 0 when there is none. */
export async function durationOf(file: string): Promise<number> {
  let seconds = 0
  for await (const line of readCast(file)) if ('event' in line) seconds = Math.max(seconds, line.event.at)
  return seconds
}
