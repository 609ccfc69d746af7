// What people see, as data: the shapes that the pages draw and the HTTP API answers. Knows nothing of where they come from.
import { z } from 'zod'
import { errorView } from './error.ts'

export const locale = z.enum(['en', 'ko'])
export type Locale = z.infer<typeof locale>
/** What a learner reads, in both languages. */
export const text = z.object({ en: z.string(), ko: z.string() })
export type Text = z.infer<typeof text>

/** `fake` exists for tests of the app itself and is never offered unless KUBEMEND_BACKENDS names it. */
export const backendName = z.enum(['kind', 'sim', 'kubeconfig', 'fake'])
export type BackendName = z.infer<typeof backendName>
export const domain = z.enum(['troubleshooting', 'cluster-architecture', 'services-networking', 'workloads', 'storage'])
export type Domain = z.infer<typeof domain>
/** Shares of the CKA's score in percent, by domain (github.com/cncf/curriculum). */
export const examWeights: Record<Domain, number> = {
  troubleshooting: 30,
  'cluster-architecture': 25,
  'services-networking': 20,
  workloads: 15,
  storage: 10,
}
/** Competencies of the CKA curriculum (github.com/cncf/curriculum, v1.35), by domain. */
export const competencies = {
  troubleshooting: ['clusters-and-nodes', 'cluster-components', 'resource-usage', 'output-streams', 'services-and-networking'],
  'cluster-architecture': [
    'rbac',
    'infrastructure',
    'kubeadm',
    'lifecycle',
    'high-availability',
    'helm-and-kustomize',
    'extension-interfaces',
    'crds-and-operators',
  ],
  'services-networking': ['pod-connectivity', 'network-policies', 'services-and-endpoints', 'gateway-api', 'ingress', 'coredns'],
  workloads: ['deployments', 'configuration', 'autoscaling', 'self-healing', 'admission-and-scheduling'],
  storage: ['storage-classes', 'volumes', 'persistent-volumes'],
} as const satisfies Record<Domain, readonly string[]>
export const competency = z.enum(Object.values(competencies).flat() as [Competency, ...Competency[]])
export type Competency = (typeof competencies)[Domain][number]
export const difficulty = z.enum(['easy', 'medium', 'hard'])
export type Difficulty = z.infer<typeof difficulty>

/** Where a shell, a file or a command is: the workstation or a node by its role name. */
export const place = z.string().regex(/^(workstation|control-plane|worker-[1-9])$/, 'workstation, control-plane or worker-N')
export type Place = z.infer<typeof place>

export const backendView = z.object({
  name: backendName,
  /** ready: can start now. preparable: setup (with consent) would make it ready. unavailable: says why. */
  state: z.enum(['ready', 'preparable', 'unavailable']),
  message: z.string(),
  remedy: z.string().optional(),
  kubernetesVersion: z.string().optional(),
  /** warm clusters that Start can hand out at once */
  warm: z.number().int(),
})
export type BackendView = z.infer<typeof backendView>

export const trustView = z.object({
  /** proven: the committed proof matches folder, image, Kubernetes and grader. stale: it does not any more. unproven: there is none. */
  state: z.enum(['proven', 'stale', 'unproven']),
  provenAt: z.string().optional(),
  /** cheats refused, alternatives accepted, partials scored, as counted in the proof */
  alternatives: z.number().int().optional(),
  cheats: z.number().int().optional(),
  partials: z.number().int().optional(),
  /** said in words when stale: which part of the key moved */
  reason: z.string().optional(),
})
export type TrustView = z.infer<typeof trustView>

/** A card in the catalogue. It names the symptom and carries neither slug nor cause. */
export const scenarioCard = z.object({
  id: z.string(),
  kind: z.enum(['incident', 'task', 'question']),
  title: text,
  summary: text,
  domain,
  competency,
  difficulty,
  /** share of an exam's score, in percent */
  weight: z.number(),
  minutes: z.number().int(),
  nodes: z.number().int(),
  backends: z.array(z.object({ name: backendName, offered: z.boolean(), reason: text.optional(), trust: trustView })),
  attempts: z.number().int(),
  bestScore: z.number().nullable(),
  /** id of this learner's session that is still running, if any */
  running: z.string().nullable(),
})
export type ScenarioCard = z.infer<typeof scenarioCard>

export const verdict = z.enum(['pass', 'fail', 'not-evaluable', 'timed-out'])
export type Verdict = z.infer<typeof verdict>

/** A check while the learner works. `holding`: true now, waits out its hold. `waiting`: not evaluated yet. */
export const checkLive = z.object({
  id: z.string(),
  role: z.enum(['goal', 'guard']),
  title: text,
  weight: z.number(),
  state: z.enum(['waiting', 'failing', 'holding', 'passing', 'not-evaluable']),
  /** since when the state is as it is, epoch ms */
  since: z.number(),
  /** seconds the check must hold in all; green is `since` + hold */
  hold: z.number(),
  /** one line of what is seen now; never names the cause of the incident */
  seen: text.optional(),
})
export type CheckLive = z.infer<typeof checkLive>

export const checkReport = z.object({
  id: z.string(),
  role: z.enum(['goal', 'guard']),
  title: text,
  weight: z.number(),
  verdict,
  expected: text,
  actual: text,
  why: text,
  /** what was looked at: commands, objects, answers, each short enough to read */
  evidence: z.array(z.object({ label: z.string(), text: z.string() })),
  /** for not-evaluable: what failed on our side */
  cause: z.string().optional(),
  seconds: z.number(),
})
export type CheckReport = z.infer<typeof checkReport>

export const stepView = z.object({
  id: z.enum(['claim', 'prepare', 'baseline', 'inject', 'confirm', 'ready', 'restore', 'grade']),
  state: z.enum(['pending', 'running', 'done', 'failed', 'cancelled']),
  /** what is going on inside the step, the newest line */
  detail: z.string().optional(),
  startedAt: z.number().optional(),
  endedAt: z.number().optional(),
})
export type StepView = z.infer<typeof stepView>

export const topology = z.object({
  at: z.number(),
  nodes: z.array(
    z.object({
      name: z.string(),
      place,
      role: z.enum(['control-plane', 'worker']),
      state: z.enum(['ready', 'not-ready', 'unknown', 'gone']),
      reason: z.string().optional(),
      unschedulable: z.boolean(),
      address: z.string().optional(),
    }),
  ),
  pods: z.array(
    z.object({
      namespace: z.string(),
      name: z.string(),
      node: z.string().nullable(),
      ready: z.boolean(),
      /** what `kubectl get pods` prints under STATUS */
      status: z.string(),
      restarts: z.number().int(),
      state: z.enum(['ok', 'pending', 'broken', 'done']),
      system: z.boolean(),
    }),
  ),
  services: z.array(
    z.object({
      namespace: z.string(),
      name: z.string(),
      type: z.string(),
      clusterIP: z.string().nullable(),
      ports: z.array(z.string()),
      readyEndpoints: z.number().int(),
      notReadyEndpoints: z.number().int(),
      /** names of pods behind it */
      pods: z.array(z.string()),
      system: z.boolean(),
    }),
  ),
})
export type Topology = z.infer<typeof topology>

export const clusterEvent = z.object({
  at: z.number(),
  type: z.enum(['Normal', 'Warning']),
  reason: z.string(),
  object: z.string(),
  namespace: z.string(),
  message: z.string(),
  count: z.number().int(),
})
export type ClusterEvent = z.infer<typeof clusterEvent>

export const terminalView = z.object({
  /** small number, unique in the session; names the terminal in binary frames */
  id: z.number().int(),
  place,
  title: z.string(),
  state: z.enum(['open', 'lost', 'closed']),
  exitCode: z.number().int().nullable(),
})
export type TerminalView = z.infer<typeof terminalView>

export const hintView = z.object({ index: z.number().int(), text })
export type HintView = z.infer<typeof hintView>

export const sessionState = z.enum(['starting', 'ready', 'resetting', 'grading', 'ended', 'failed'])
export type SessionState = z.infer<typeof sessionState>
export const sessionOutcome = z.enum(['solved', 'submitted', 'given-up', 'abandoned'])
export const sessionMode = z.enum(['practice', 'mastery', 'exam'])
export type SessionMode = z.infer<typeof sessionMode>
/**
 * What a mode lets a learner have. `sealed`: no score and no report before the drill has ended. `picture`: the cluster's topology and
 * events beside the terminal.
 */
export const modeRules: Record<
  SessionMode,
  { hints: boolean; checks: boolean; reset: boolean; picture: boolean; clock: boolean; sealed: boolean }
> = {
  practice: { hints: true, checks: true, reset: true, picture: true, clock: true, sealed: false },
  mastery: { hints: true, checks: false, reset: true, picture: true, clock: false, sealed: false },
  exam: { hints: false, checks: false, reset: false, picture: false, clock: true, sealed: true },
}

/** All that a page needs to draw a session; events after `seq` continue it. */
export const sessionView = z.object({
  id: z.string(),
  scenario: scenarioCard,
  mode: sessionMode,
  /** id of the drill that it is a task of */
  drill: z.string().optional(),
  backend: backendName,
  state: sessionState,
  outcome: sessionOutcome.nullable(),
  createdAt: z.number(),
  readyAt: z.number().nullable(),
  endedAt: z.number().nullable(),
  /** milliseconds the learner had the lab, outages and resets left out */
  spentMs: z.number(),
  steps: z.array(stepView),
  /** Markdown, params filled in; empty until ready */
  brief: text,
  /** role name → real node name, for the learner's eyes */
  nodes: z.array(z.object({ place, name: z.string() })),
  checks: z.array(checkLive),
  hints: z.object({ total: z.number().int(), shown: z.array(hintView) }),
  resets: z.number().int(),
  terminals: z.array(terminalView),
  /** set while the cluster or Docker cannot be reached; cleared when it is back */
  outage: errorView.nullable(),
  /** set when state is failed */
  error: errorView.nullable(),
  score: z.number().nullable(),
})
export type SessionView = z.infer<typeof sessionView>

export const report = z.object({
  sessionId: z.string(),
  /** revealed now */
  slug: z.string(),
  variant: z.string(),
  seed: z.string(),
  scenario: scenarioCard,
  backend: backendName,
  outcome: sessionOutcome,
  /** 0…100, null when nothing could be evaluated */
  score: z.number().nullable(),
  /** goals' weights that were evaluable, and in all */
  evaluatedWeight: z.number(),
  totalWeight: z.number(),
  /** ids of guards that were broken; any of them voids the score */
  brokenGuards: z.array(z.string()),
  checks: z.array(checkReport),
  spentMs: z.number(),
  hintsShown: z.number().int(),
  resets: z.number().int(),
  explanation: text,
  solution: z.string(),
  /** the commands that the learner sent, as seen in the recording, and the checks' transitions, in order of time */
  timeline: z.array(
    z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('command'), at: z.number(), terminal: z.number().int(), place, command: z.string() }),
      z.object({ kind: z.literal('check'), at: z.number(), check: z.string(), state: checkLive.shape.state }),
      z.object({ kind: z.literal('session'), at: z.number(), what: z.enum(['ready', 'hint', 'reset', 'outage', 'recovered', 'ended']) }),
    ]),
  ),
  recordings: z.array(z.object({ terminal: z.number().int(), place, seconds: z.number(), bytes: z.number() })),
  gradedAt: z.number(),
  /** brought in by its owner from a file: nobody has vouched for it */
  imported: z.literal(true).optional(),
})
export type Report = z.infer<typeof report>

export const doctorReport = z.object({
  ok: z.boolean(),
  checks: z.array(z.object({ id: z.string(), state: z.enum(['ok', 'mended', 'missing']), message: z.string(), remedy: z.string() })),
})
export type DoctorReport = z.infer<typeof doctorReport>

export const setupView = z.object({
  state: z.enum(['idle', 'running', 'done', 'failed']),
  steps: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      state: z.enum(['pending', 'running', 'done', 'failed', 'skipped']),
      detail: z.string().optional(),
      startedAt: z.number().optional(),
      endedAt: z.number().optional(),
    }),
  ),
  error: errorView.nullable(),
})
export type SetupView = z.infer<typeof setupView>

/** What a set-up would change on this machine, one sentence each: what a person is asked to agree to. Empty when nothing has to be done. */
export const setupPlan = z.object({ changes: z.array(z.string()) })
export type SetupPlan = z.infer<typeof setupPlan>

/** A directory or a file, as the editor sees it. `version` is the SHA-256 of the content: a save must name the version it started from. */
export const fileEntry = z.object({
  name: z.string(),
  path: z.string(),
  type: z.enum(['file', 'directory', 'link', 'other']),
  size: z.number(),
})
export type FileEntry = z.infer<typeof fileEntry>
export const fileView = z.discriminatedUnion('type', [
  z.object({ type: z.literal('directory'), place, path: z.string(), entries: z.array(fileEntry) }),
  z.object({ type: z.literal('file'), place, path: z.string(), content: z.string(), version: z.string(), mode: z.string() }),
])
export type FileView = z.infer<typeof fileView>
