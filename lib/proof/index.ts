// The only door of proof: plays a scenario's solution, alternatives, cheats and partials on a real backend and records the result.
export { type ProveOptions, prove, record } from './prove.ts'
export { type Sample, type SampleKind, sampleOf } from './sample.ts'
