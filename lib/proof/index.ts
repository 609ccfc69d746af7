// The only door of proof: plays a scenario's solution, alternatives, cheats and partials on a real backend and records the result.
export { keyOf, type ProveOptions, prove, record } from './prove.ts'
