// The door of the simulated cluster: one lab with its machines, its API and its time. Sandboxes (`ProcessHost`) are handed in.
// Knows nothing of scenarios, grading or the server.
export { type Clock, SimClock, type Timer } from './clock.ts'
export {
  type Diagnostics,
  type ExecOptions,
  type ExecResult,
  type Fingerprint,
  Lab,
  type LabDeps,
  type LabSpec,
  type NodeInfo,
  type Size,
  type Snapshot,
  type SpawnOptions,
  type Where,
} from './lab.ts'
export type { Files, Machine, UnitState } from './machine.ts'
export type { ProcessHost, Sandbox, Spawned } from './process.ts'
export { Spares } from './spare.ts'
