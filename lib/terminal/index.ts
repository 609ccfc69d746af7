// The only door of terminal: shells with a ring of their newest bytes, back-pressure, a recording (asciicast v2), and what was typed.
export type { Appendable, OpenAppendable } from './cast.ts'
export { type Command, commandsOf, durationOf } from './commands.ts'
export { type Clock, type Sink, systemClock, Terminal, type TerminalOptions, type Viewer } from './terminal.ts'
export { recordingFile, type StoredTerminal, Terminals, type TerminalsOptions } from './terminals.ts'
