// The form of scenario.yaml as zod schemas, from which the published JSON Schema is generated. Knows nothing of files or clusters.
import { z } from 'zod'
import { competency, difficulty, domain, place, text } from '#lib/protocol/index.ts'

const dnsLabel = z.string().min(1).max(253)
const seconds = z.number().min(0).max(600)
const node = place.refine((value) => value !== 'workstation', 'a node: control-plane or worker-N')

// ---- objects
const objectRef = {
  apiVersion: z.string().describe('as in a manifest: v1, apps/v1'),
  kind: z.string(),
  namespace: dnsLabel.optional(),
  name: dnsLabel.optional(),
  selector: z.record(z.string(), z.string()).optional().describe('labels that must all be equal; in place of a name'),
}
const named = z.strictObject({ ...objectRef, name: dnsLabel })

// ---- conditions: what the cluster does, asked by checks and by symptoms
const resource = z
  .strictObject({
    ...objectRef,
    match: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('part of the object: every field given here must be equal in it; lists match when each given item is matched by some item'),
    expect: z
      .string()
      .optional()
      .describe('CEL over `object` (with a name) or `objects` (a list), and `nodes` (how many nodes the lab has); must be true'),
    describe: text.optional().describe('what is expected, in words, for the report; default: the expression'),
    show: z.string().optional().describe('CEL that gives the line a person sees as "actual"'),
  })
  .refine((value) => value.match !== undefined || value.expect !== undefined, 'needs match or expect')
const rollout = z.strictObject({
  kind: z.enum(['Deployment', 'DaemonSet', 'StatefulSet']),
  namespace: dnsLabel,
  name: dnsLabel,
  everyNode: z.boolean().default(false).describe('DaemonSet only: one ready pod on every node of the lab, none exempted'),
})

const from = z.union([
  z.strictObject({ nodes: z.union([z.literal('all'), z.literal('workers'), z.array(node).min(1)]) }),
  z.strictObject({
    pods: z.strictObject({
      namespace: dnsLabel,
      selector: z.record(z.string(), z.string()),
      nodes: z.array(node).optional().describe('only those on these nodes'),
    }),
  }),
])
const port = z.union([z.number().int().min(1).max(65535), z.string()])
const to = z.union([
  z.strictObject({
    service: z.strictObject({ namespace: dnsLabel, name: dnsLabel }),
    port: port.describe('the service port, by number or name'),
    fresh: z
      .boolean()
      .default(false)
      .describe('a service like this one that the grader makes for the look: rules made by hand for the known one do not help'),
  }),
  z.strictObject({ pods: z.strictObject({ namespace: dnsLabel, selector: z.record(z.string(), z.string()) }), port: z.number().int() }),
  z.strictObject({ node, port: z.number().int() }),
  z.strictObject({ host: z.string(), port: z.number().int() }),
])
const quantifier = z.enum(['every', 'any']).default('every').describe('must hold from every place named in `from`, or from one at least')
const reach = z.strictObject({
  from,
  to,
  protocol: z.enum(['tcp', 'udp']).default('tcp'),
  expect: z.enum(['open', 'refused', 'timeout', 'closed']).default('open').describe('closed: anything but open'),
  quantifier,
})
const dns = z.strictObject({
  from,
  name: z.string(),
  server: z
    .union([z.strictObject({ service: z.strictObject({ namespace: dnsLabel, name: dnsLabel }) }), z.string()])
    .optional()
    .describe('default: the resolver configured there'),
  protocol: z.enum(['udp', 'tcp']).default('udp'),
  expect: z
    .enum(['answered', 'nxdomain', 'servfail', 'timeout', 'refused', 'failed'])
    .default('answered')
    .describe('failed: anything but answered'),
  address: z
    .union([z.strictObject({ service: z.strictObject({ namespace: dnsLabel, name: dnsLabel }) }), z.strictObject({ node }), z.string()])
    .optional()
    .describe('an address that must be among the answers'),
  quantifier,
})
const http = z.strictObject({
  from,
  to,
  path: z.string().default('/'),
  hostHeader: z.string().optional(),
  status: z.number().int().optional(),
  body: z.string().optional().describe('regular expression'),
  expect: z.enum(['answered', 'failed']).default('answered'),
  quantifier,
})
const logs = z.strictObject({
  namespace: dnsLabel,
  selector: z.record(z.string(), z.string()),
  container: z.string().optional(),
  previous: z.boolean().default(false),
  match: z.string().describe('regular expression that a line must match'),
  expect: z.enum(['present', 'absent']).default('present'),
  tail: z.number().int().min(1).max(5000).default(200),
})
const unit = z.strictObject({
  node,
  name: z.string(),
  active: z.enum(['active', 'inactive', 'failed']).default('active'),
  enabled: z.enum(['enabled', 'disabled', 'masked']).optional(),
})
const file = z.strictObject({
  at: place,
  path: z.string(),
  exists: z.boolean().default(true),
  matches: z.string().optional().describe('regular expression over the whole text'),
  yaml: z.string().optional().describe('CEL over `object`, the file parsed as YAML'),
})
const canI = z.strictObject({
  user: z.string().optional(),
  serviceAccount: z.string().optional().describe('namespace/name'),
  groups: z.array(z.string()).default([]),
  verb: z.string(),
  group: z.string().default(''),
  resource: z.string(),
  subresource: z.string().optional(),
  name: z.string().optional(),
  namespace: dnsLabel.optional(),
  expect: z.boolean().default(true),
})
const answer = z.strictObject({
  path: z.string().describe('file on the workstation that the learner writes'),
  expect: z.string().describe('CEL over `answer` (the trimmed text) and `objects` (see `of`)'),
  of: z.strictObject(objectRef).optional(),
  describe: text,
})
const script = z.strictObject({
  at: place,
  run: z.string().describe('bash, run by the grader; exit code 0 is a pass'),
  describe: text,
  timeout: seconds.default(20),
})
/** Nothing that was there when the lab was handed over is gone, scaled down, cordoned, tainted or given more privilege. */
const harmless = z.strictObject({ allow: z.array(z.string()).default([]).describe('findings left out, as Kind/namespace/name') })

export const conditionKinds = {
  resource,
  absent: z.strictObject(objectRef),
  rollout,
  reach,
  dns,
  http,
  logs,
  unit,
  file,
  canI,
  answer,
  script,
  harmless,
} as const
export type ConditionKind = keyof typeof conditionKinds
type ConditionShape = { [K in ConditionKind]: z.ZodOptional<(typeof conditionKinds)[K]> }
const conditionShape = Object.fromEntries(
  Object.entries(conditionKinds).map(([kind, schema]) => [kind, schema.optional()]),
) as unknown as ConditionShape
const kindNames = Object.keys(conditionKinds)

function exactlyOne(names: readonly string[], what: string) {
  return (value: object, context: z.RefinementCtx) => {
    const given = names.filter((name) => (value as Record<string, unknown>)[name] !== undefined)
    if (given.length !== 1)
      context.addIssue({
        code: 'custom',
        message: `needs exactly one ${what} of ${names.join(', ')}; it has ${given.length === 0 ? 'none' : given.join(' and ')}`,
      })
  }
}

const only = z.array(z.string()).min(1).optional().describe('names of the variants that this belongs to; default all')

export const condition = z.strictObject({ ...conditionShape, only }).superRefine(exactlyOne(kindNames, 'condition'))
export type Condition = z.infer<typeof condition>

export const check = z
  .strictObject({
    id: z.string().regex(/^[a-z][a-z0-9-]{1,40}$/),
    role: z.enum(['goal', 'guard']),
    title: text.describe("what holds when all is well, in a user's words; it must not name the cause"),
    weight: z.number().min(0).max(100).default(0).describe('goals only; the goals of a variant add up to 100'),
    hold: seconds.default(5).describe('seconds it must stay true'),
    why: text.describe('shown with expected and actual in the report'),
    ...conditionShape,
    only,
  })
  .superRefine(exactlyOne(kindNames, 'condition'))
  .superRefine((value, context) => {
    if (value.role === 'goal' && value.weight === 0)
      context.addIssue({ code: 'custom', path: ['weight'], message: 'a goal needs a weight above 0' })
    if (value.role === 'guard' && value.weight !== 0)
      context.addIssue({ code: 'custom', path: ['weight'], message: 'a guard has no weight: it voids the score when it breaks' })
  })
export type Check = z.infer<typeof check>

// ---- steps: what prepares a scenario and what breaks it
const absolute = z.string().regex(/^(\/|\$\{)/, 'an absolute path')
const manifest = z.union([z.string(), z.strictObject({ file: z.string().describe("path inside the scenario's folder") })])
const replace = z.array(z.strictObject({ find: z.string().describe('regular expression, flags m and u'), with: z.string() })).min(1)
const steps = {
  apply: manifest.describe('one or more manifests; created or replaced'),
  delete: z
    .strictObject(objectRef)
    .refine((value) => value.name !== undefined || value.selector !== undefined, 'needs a name or a selector'),
  patch: z.strictObject({ ...named.shape, type: z.enum(['merge', 'strategic', 'json']).default('merge'), patch: z.unknown() }),
  scale: z.strictObject({ ...named.shape, replicas: z.number().int().min(0).max(50) }),
  edit: z.strictObject({
    ...named.shape,
    field: z.array(z.string()).min(1).describe('path of a text field, e.g. [data, Corefile]'),
    replace,
  }),
  restart: z
    .strictObject({ namespace: dnsLabel, selector: z.record(z.string(), z.string()), nodes: z.array(node).optional() })
    .describe('deletes the pods, so that their controller makes new ones'),
  file: z
    .strictObject({
      at: place,
      path: absolute,
      content: manifest.optional(),
      copy: z.strictObject({ at: place, path: absolute }).optional().describe('the content of another file'),
      replace: replace.optional(),
      remove: z.boolean().optional(),
      moveTo: absolute.optional(),
      mode: z
        .string()
        .regex(/^0?[0-7]{3,4}$/)
        .optional(),
    })
    .superRefine(exactlyOne(['content', 'copy', 'replace', 'remove', 'moveTo'], 'change')),
  unit: z.strictObject({ node, name: z.string(), action: z.enum(['restart', 'stop', 'start', 'disable', 'enable', 'mask', 'unmask']) }),
  exec: z.strictObject({
    at: place,
    argv: z.array(z.string()).min(1),
    undo: z.array(z.string()).optional().describe('argv that takes it back'),
  }),
  wait: condition.describe('goes on when it holds'),
}
export type StepKind = keyof typeof steps
type StepShape = { [K in StepKind]: z.ZodOptional<(typeof steps)[K]> }
const stepShape = Object.fromEntries(Object.entries(steps).map(([kind, schema]) => [kind, schema.optional()])) as unknown as StepShape
export const step = z
  .strictObject({ ...stepShape, within: seconds.default(120).describe('seconds; wait only'), only })
  .superRefine(exactlyOne(Object.keys(steps), 'action'))
export type Step = z.infer<typeof step>

// ---- parameters
export const param = z
  .strictObject({
    pick: z
      .array(z.union([z.string(), z.number()]))
      .min(1)
      .optional()
      .describe('one of these'),
    int: z.strictObject({ min: z.number().int(), max: z.number().int() }).optional(),
    hex: z.number().int().min(2).max(12).optional().describe('that many random hexadecimal digits'),
    node: z.enum(['any', 'worker']).optional().describe("one of the lab's nodes, by role name"),
    value: z.union([z.string(), z.number()]).optional().describe('always this; a variant may override it'),
  })
  .superRefine(exactlyOne(['pick', 'int', 'hex', 'node', 'value'], 'source'))
export type Param = z.infer<typeof param>

export const scenarioSpec = z.strictObject({
  kind: z.enum(['incident', 'task', 'question']),
  title: text.describe('the symptom, never the cause'),
  summary: text.describe('one sentence for the card'),
  domain,
  competency: competency.describe("of the exam's curriculum"),
  difficulty,
  weight: z.number().min(1).max(30).describe('percent of an exam'),
  minutes: z.number().int().min(1).max(120),
  needs: z.strictObject({
    workers: z.number().int().min(0).max(5).default(2),
    capabilities: z
      .array(z.enum(['node-exec', 'node-files', 'control-plane-faults', 'probe', 'restore', 'workstation']))
      .default(['probe', 'workstation']),
  }),
  docs: z.array(z.url()).default([]).describe('pages of the Kubernetes documentation that belong to it'),
  params: z.record(z.string().regex(/^[a-z][a-zA-Z0-9]*$/), param).default({}),
  variants: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-z][a-z0-9-]*$/),
        params: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
      }),
    )
    .min(1)
    .default([{ name: 'default', params: {} }]),
  prepare: z.array(step).default([]),
  fault: z.array(step).default([]),
  symptom: z.array(condition).default([]).describe('all must be seen before the lab is handed over'),
  symptomWithin: seconds.default(120),
  checks: z.array(check).min(1),
  hints: z.array(text).min(1).max(6),
})
export type ScenarioSpec = z.infer<typeof scenarioSpec>

/** Two incidents at once, scored on both: the content of compound.yaml. All that is not here comes from the two. */
export const compoundSpec = z
  .strictObject({
    combines: z
      .array(
        z.strictObject({
          scenario: z.string().describe('slug of an incident'),
          variant: z.string().default('default'),
          share: z.number().min(1).max(99).describe('its percent of the score'),
        }),
      )
      .length(2),
    title: text.describe('the symptoms, never the causes'),
    summary: text,
    domain,
    competency,
    difficulty,
    weight: z.number().min(1).max(30).describe('percent of an exam'),
    minutes: z.number().int().min(1).max(120),
    hints: z.array(text).min(1).max(6),
  })
  .refine((value) => value.combines.reduce((sum, one) => sum + one.share, 0) === 100, {
    path: ['combines'],
    message: 'the shares add up to 100',
  })
export type CompoundSpec = z.infer<typeof compoundSpec>

/** The one condition that a check, symptom or wait carries, as kind and body. */
export type AnyCondition = { [K in ConditionKind]: { kind: K; body: z.infer<(typeof conditionKinds)[K]> } }[ConditionKind]
export function conditionOf(value: Partial<Record<ConditionKind, unknown>>): AnyCondition {
  for (const kind of kindNames as ConditionKind[]) if (value[kind] !== undefined) return { kind, body: value[kind] } as AnyCondition
  throw new TypeError('a condition without a kind passed the schema')
}
export type AnyStep = { [K in StepKind]: { kind: K; body: z.infer<(typeof steps)[K]> } }[StepKind]
export function stepOf(value: Step): AnyStep {
  for (const kind of Object.keys(steps) as StepKind[]) if (value[kind] !== undefined) return { kind, body: value[kind] } as AnyStep
  throw new TypeError('a step without an action passed the schema')
}
/** The JSON Schemas that editors use, see scenarios/scenario.schema.json and compound.schema.json. */
export const jsonSchema = (of: 'scenario' | 'compound' = 'scenario') =>
  z.toJSONSchema(of === 'scenario' ? scenarioSpec : compoundSpec, { io: 'input', unrepresentable: 'any' })

/** Does a step, condition or check belong to a variant? */
export const belongs = (one: { only?: string[] | undefined }, variant: string): boolean =>
  one.only === undefined || one.only.includes(variant)
