// The only door of exam: drills of one's own, from the blueprint to the score.
export { exportOf, importInto, readArchive } from './archive.ts'
export { type Best, cka, mini, oneDomain, weakSpots } from './blueprint.ts'
export { alerts, covered, type Reading, readClock, type Span, type Times } from './clock.ts'
export { apportion, type Candidate, type Drawn, type DrawnTask, draw, relatedIn } from './draw.ts'
export { Drill, type DrillRecord, type LabNow, type TaskRecord, type Terms, type Verdict } from './drill.ts'
export { Drills, type DrillsOptions } from './drills.ts'
export { type Graded, median, type Pace, progressOf, scoreOf } from './score.ts'
