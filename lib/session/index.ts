// The only door of session: the life of a lab as a state machine and an event stream.
export type { Clock } from '#lib/terminal/index.ts'
export type { Baseline, CheckWatch, Clusters, Engine, Grade, StepContext } from './engine.ts'
export { FileConflict } from './files.ts'
export { importedView, type Listener, type Log, type Numbered, Session } from './session.ts'
export { Sessions, type SessionsOptions } from './sessions.ts'
