// How near the simulated cluster is to a real one: the same commands on both, what they answer compared. See docs/decisions/041-fidelity.md.
export { compare, type Difference, type Fidelity, type Known, type Pair } from './compare.ts'
export { type Facts, normalise } from './normalise.ts'
export { type Answer, type PlayOptions, play, type Recording } from './play.ts'
export { loadScripts, type Script, type Step } from './script.ts'
