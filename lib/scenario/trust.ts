// Whether a committed proof still speaks for a scenario. Knows the form of proof.<backend>.json, not how it is made.
import { z } from 'zod'
import type { BackendName, TrustView } from '#lib/protocol/index.ts'
import type { Scenario } from './load.ts'

/** What a proof is keyed by; any part that moves makes it stale. */
export const proofKey = z.object({ scenario: z.string(), image: z.string(), kubernetes: z.string(), grader: z.string() })
export type ProofKey = z.infer<typeof proofKey>
export const proofPart = z.object({
  kind: z.enum(['healthy', 'injected', 'solution', 'alternative', 'cheat', 'partial', 'reset', 'with']),
  name: z.string(),
  /** null: the score is reported, not judged */
  expected: z.number().nullable(),
  score: z.number().nullable(),
  ok: z.boolean(),
  seconds: z.number(),
  checks: z.array(z.object({ id: z.string(), role: z.string(), verdict: z.string(), expected: z.string(), actual: z.string() })),
  /** why it is not ok, in words */
  problem: z.string().optional(),
})
export type ProofPart = z.infer<typeof proofPart>
export const proofVariant = z.object({
  slug: z.string(),
  backend: z.string(),
  variant: z.string(),
  proven: z.boolean(),
  seconds: z.number(),
  parts: z.array(proofPart),
})
export type ProofVariant = z.infer<typeof proofVariant>
export const proofFile = z.object({ key: proofKey, provenAt: z.string(), variants: z.array(proofVariant) })
export type ProofFile = z.infer<typeof proofFile>

const words: Record<keyof ProofKey, string> = {
  scenario: 'the scenario',
  image: 'the node image',
  kubernetes: 'the Kubernetes version',
  grader: 'the grader',
}

/** The recorded proof, null when there is none. */
export const proofOf = (scenario: Scenario, backend: BackendName): ProofFile | null => scenario.proofs.get(backend) ?? null

/** `identity` is that of the backend as it is now; null (backend not ready) compares only the scenario and the grader. */
export function trust(
  scenario: Scenario,
  backend: BackendName,
  grader: string,
  identity: { kubernetesVersion: string; image: string } | null,
): TrustView {
  const proof = proofOf(scenario, backend)
  if (proof === null || proof.variants.length === 0 || proof.variants.some((variant) => !variant.proven)) return { state: 'unproven' }
  const count = (kind: ProofPart['kind']) =>
    new Set(proof.variants.flatMap((variant) => variant.parts.filter((part) => part.kind === kind).map((part) => part.name))).size
  const now: Partial<ProofKey> = {
    scenario: scenario.hash,
    grader,
    ...(identity ? { image: identity.image, kubernetes: identity.kubernetesVersion } : {}),
  }
  const moved = (Object.keys(now) as (keyof ProofKey)[]).filter((part) => now[part] !== proof.key[part])
  const counts = { provenAt: proof.provenAt, alternatives: count('alternative'), cheats: count('cheat'), partials: count('partial') }
  return moved.length === 0
    ? { state: 'proven', ...counts }
    : {
        state: 'stale',
        ...counts,
        reason: `changed since: ${moved.map((part) => (backend === 'sim' && part === 'image' ? 'the simulation' : words[part])).join(', ')}`,
      }
}
