// The only door of scenario: schema, loader and lint, parameters, recorded proofs.
export { fromKillercoda, type Imported } from './killercoda.ts'
export { type Catalogue, idOf, loadCatalogue, loadScenario, type Problem, type Scenario } from './load.ts'
export type { Values } from './params.ts'
export { type Part, plays } from './parts.ts'
export { type ResolvedScenario, resolve } from './resolve.ts'
export {
  type AnyCondition,
  type AnyStep,
  belongs,
  type Check,
  type Condition,
  type ConditionKind,
  conditionOf,
  jsonSchema,
  type ScenarioSpec,
  type Step,
  stepOf,
} from './schema.ts'
export { type ProofFile, type ProofKey, type ProofPart, type ProofVariant, proofOf, trust } from './trust.ts'
