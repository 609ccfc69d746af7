// One lab's life: a list of steps from a claimed cluster to a confirmed fault, then hints, resets, outages, the grade. A state
// machine whose every change is a numbered event. Knows nothing of HTTP, sockets or other sessions.
// Invariants: the view is the fold of the events; at most one piece of work (start, reset, grading) runs at a time; a cluster that
// was claimed is given back exactly once, whatever happens.
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { type Cluster, hurried, type Size } from '#lib/cluster/index.ts'
import {
  applyEvent,
  asLabError,
  type CheckLive,
  type ClusterEvent,
  type FileView,
  LabError,
  modeRules,
  type Place,
  type Report,
  type SaveFile,
  type SessionAction,
  type SessionEvent,
  type SessionView,
  type StepView,
  type Text,
  type Topology,
} from '#lib/protocol/index.ts'
import type { ResolvedScenario, Scenario } from '#lib/scenario/index.ts'
import type { SessionRow, Store } from '#lib/store/index.ts'
import { type Clock, type StoredTerminal, type Terminal, Terminals, type TerminalsOptions } from '#lib/terminal/index.ts'
import { Company } from './company.ts'
import type { CheckWatch, Clusters, Engine, Grade, StepContext } from './engine.ts'
import { readPlace, requirePlace, savePlace } from './files.ts'
import { readRecordings, transitionsOf } from './timeline.ts'
import { watchTopology } from './topology.ts'

export interface Numbered {
  seq: number
  at: number
  event: SessionEvent
}
/** What a session tells whoever listens. `trouble` is not part of its history: something failed that it survives. */
export interface Listener {
  event(numbered: Numbered): void
  topology(topology: Topology): void
  clusterEvents(events: ClusterEvent[]): void
  trouble(error: LabError, terminal?: number): void
}

export interface SessionDeps {
  engine: Engine
  clusters: Clusters
  store: Store
  clock: Clock
  log: Log
  /** directory of this session's recordings and diagnostics */
  dir: string
  /** milliseconds between two looks at the cluster's health; default 3 000 */
  healthMs?: number
  terminals?: Pick<TerminalsOptions, 'open' | 'tuning'>
  /** the row is gone from the living: the owner may forget the session */
  onEnded: () => void
  /** hears every event, for whoever has more than one session in view */
  onEvent?: (event: SessionEvent) => void
}
/** As much of a logger as is needed; no secrets go into it. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

const startSteps = ['claim', 'prepare', 'baseline', 'inject', 'confirm', 'ready'] as const
const resetSteps = ['restore', 'prepare', 'baseline', 'inject', 'confirm', 'ready'] as const
/** in the session's directory */
export const evidenceFile = 'evidence.json.gz'
/** checks that a learner does not see are watched so long after they were last asked for */
const hiddenMs = 30_000
/** between two tries to wake a cluster up */
const wakeMs = 5000
const tailLength = 500
/** stored events after which old steps and checks are dropped; bounds what a flapping check can write */
const mostEvents = 10_000
const pendingSteps = (ids: readonly StepView['id'][]): StepView[] => ids.map((id) => ({ id, state: 'pending' }))
const quiet = { en: '', ko: '' }

export class Session {
  readonly id: string
  readonly user: string
  readonly scenario: Scenario
  readonly seed: string
  /** id of the drill that it is a task of: then it is handed in there */
  readonly drill: string | null
  readonly #deps: SessionDeps
  readonly #listeners = new Set<Listener>()
  readonly terminals: Terminals
  #view: SessionView
  #seq: number
  /** the newest events, and the view before the first of them */
  #tail: Numbered[] = []
  #tailBase: SessionView
  #forgotten: number
  #writing: Promise<void> = Promise.resolve()
  #cluster: Cluster | null = null
  #resolved: ResolvedScenario | null = null
  #baseline: unknown = null
  /** aborts the work that runs now */
  #work: { controller: AbortController; done: Promise<void> } | null = null
  /** lives while the learner has the lab: checks, health */
  #watching: AbortController | null = null
  #checksWatch: AbortController | null = null
  #topologyWatch: AbortController | null = null
  #topology: Topology | null = null
  #clusterEvents: ClusterEvent[] | null = null
  #runningSince: number | null = null
  #stepDetail: { at: number; cancel: (() => void) | null } = { at: 0, cancel: null }
  #seenAt = new Map<string, number>()
  #saving: Promise<unknown> = Promise.resolve()
  #told = { message: '', at: 0 }
  #closed = false
  /** nobody may change the lab any more: it is handed in */
  #frozen = false
  /** since when no page has been open; null while one is */
  #unseenSince: number | null
  /** its cluster is suspended, or about to be, for nobody looks at it */
  #asleep = false
  /** suspensions and wakings, one after the other */
  #bed: Promise<void> = Promise.resolve()
  #cancelWake: (() => void) | null = null
  /** who else is here, by leave of whoever it is */
  readonly company = new Company()
  /** the checks of a lab that shows none to its learner, while somebody asks for them */
  #hidden: { watch: CheckWatch; controller: AbortController; askedAt: number } | null = null
  #keyAt: number | null = null
  /** of the report, where the time that the lab was there is not the time that was spent on it */
  #workedMs: number | null = null

  constructor(deps: SessionDeps, row: SessionRow, scenario: Scenario, terminals: readonly StoredTerminal[] = []) {
    this.#deps = deps
    this.id = row.id
    this.#unseenSince = deps.clock.now()
    this.user = row.user_id
    this.seed = row.seed
    this.drill = row.drill_id
    this.scenario = scenario
    this.#view = { ...(JSON.parse(row.view) as SessionView), spentMs: row.spent_ms }
    this.#seq = row.seq
    this.#forgotten = 0
    this.#baseline = row.baseline === null ? null : JSON.parse(row.baseline)
    this.terminals = new Terminals(
      {
        ...deps.terminals,
        dir: deps.dir,
        prefix: row.id,
        cluster: () => this.#cluster,
        clock: deps.clock,
        onChange: (stored) => {
          this.#emit({ type: 'terminal', terminal: viewOf(stored) })
          this.#write(() => deps.store.saveTerminal(rowOf(this.id, stored)))
        },
        onTrouble: (error, terminal) => {
          deps.log.warn({ session: this.id, terminal, error: error.message }, 'terminal')
          for (const listener of this.#listeners) listener.trouble(error, terminal)
        },
      },
      terminals,
    )
    this.#view = { ...this.#view, terminals: this.terminals.views() }
    this.#tailBase = this.#view
  }

  // ---- what it looks like

  get cluster(): Cluster | null {
    return this.#cluster
  }
  get state(): SessionView['state'] {
    return this.#view.state
  }
  get alive(): boolean {
    return this.#view.state !== 'ended' && this.#view.state !== 'failed'
  }
  /** Since when no page has been open to it; null while one is. */
  get unseenSince(): number | null {
    return this.#unseenSince
  }
  /** Its cluster is suspended. */
  get asleep(): boolean {
    return this.#asleep
  }
  /** the view now, spent time included */
  view(): SessionView {
    return { ...this.#view, spentMs: this.#spent() }
  }
  /**
   * What a page starts from: the view as of `seq` and the events since. `after` (the last number the page has seen) is honoured
   * while those events are at hand; else, and for 0 (a page that has seen nothing), the view is the newest and there are none.
   */
  snapshot(after?: number): { seq: number; view: SessionView; events: Numbered[] } {
    const oldest = this.#tail[0]?.seq
    if (after === undefined || after <= 0 || after >= this.#seq || oldest === undefined || after < oldest - 1)
      return { seq: this.#seq, view: this.view(), events: [] }
    const known = this.#tail.filter((one) => one.seq <= after)
    const view = known.reduce((folded, one) => applyEvent(folded, one.event), this.#tailBase)
    return { seq: after, view: { ...view, spentMs: this.#spent() }, events: this.#tail.filter((one) => one.seq > after) }
  }
  get latest(): { topology: Topology | null; clusterEvents: ClusterEvent[] | null } {
    return { topology: this.#topology, clusterEvents: this.#clusterEvents }
  }
  /** Calls back until the returned function is called. While anybody listens, the cluster's picture is watched. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    this.#unseenSince = null
    if (this.#asleep) void this.#wake()
    this.#followTopology()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size > 0) return
      this.#unseenSince = this.#deps.clock.now()
      this.#stopTopology()
    }
  }

  // ---- for whoever teaches

  /** Somebody has typed. */
  keyed(): void {
    this.#keyAt = this.#deps.clock.now()
  }
  /** Since when neither a key was pressed nor a check has changed; null before the lab is there. */
  quietSince(): number | null {
    const { readyAt } = this.#view
    if (readyAt === null) return null
    return Math.max(readyAt, this.#keyAt ?? 0, ...(this.checks() ?? []).map(({ since }) => since))
  }
  /**
   * The checks as they are now, also where the learner sees none: then they are watched for as long as somebody asks for them, and nothing of
   * them becomes part of the session. Null while there is nothing to be seen.
   */
  checks(): readonly CheckLive[] | null {
    if (this.#rules.checks) return this.#view.checks
    const now = this.#deps.clock.now()
    if (this.#hidden !== null) {
      this.#hidden.askedAt = now
      return this.#hidden.watch.states()
    }
    const cluster = this.#cluster
    const resolved = this.#resolved
    if (cluster === null || resolved === null || this.#view.state !== 'ready' || this.#watching === null) return null
    const controller = new AbortController()
    this.#watching.signal.addEventListener('abort', () => this.#unhide(), { once: true })
    const watch = this.#deps.engine.watch(cluster, resolved, this.#baseline, { signal: controller.signal, onChange: () => {} })
    this.#hidden = { watch, controller, askedAt: now }
    const look = () => {
      if (this.#hidden?.controller !== controller) return
      if (this.#deps.clock.now() - this.#hidden.askedAt > hiddenMs) this.#unhide()
      else this.#deps.clock.after(hiddenMs, look)
    }
    this.#deps.clock.after(hiddenMs, look)
    return watch.states()
  }
  #unhide(): void {
    this.#hidden?.controller.abort()
    this.#hidden = null
  }
  /** The scenario's hints, for a person who gives them. */
  get hints(): readonly Text[] {
    return this.#resolved?.hints ?? []
  }

  // ---- its life

  /** Begins the steps in the background. */
  begin(): void {
    this.#run('start', (context) => this.#start(context))
  }

  /**
   * Goes on with a cluster of an earlier run of the server.
   * @throws LabError scenario-invalid when the scenario no longer fits the lab
   */
  resume(cluster: Cluster): void {
    this.#cluster = cluster
    this.#resolved = this.#deps.engine.resolve(this.scenario, { seed: this.seed, nodes: cluster.nodes })
    if (this.#view.outage !== null) this.#emit({ type: 'outage', outage: null })
    if (this.#view.state !== 'ready') this.#state({ state: 'ready', steps: allDone(this.#view.steps) })
    this.#watch()
    // A page may have been back before the cluster was.
    void this.terminals.reattach()
  }

  /** Fails a session of an earlier run of the server that cannot be gone on with. */
  failWith(error: LabError): void {
    this.#state({ state: 'failed', error: error.view(), outage: null })
    void this.terminals.closeAll()
  }

  /** Shows or takes back that the ground under the lab is gone, for when its cluster is not even found yet. */
  outage(error: LabError | null): void {
    this.#setOutage(error)
  }

  /**
   * Suspends its cluster until somebody comes back; time does not count until then. False where the cluster cannot be suspended.
   * Does nothing unless the lab is ready and nobody has a page open.
   */
  async suspend(): Promise<boolean> {
    const cluster = this.#cluster
    if (cluster?.suspend === undefined) return false
    if (this.#asleep || this.#closed || this.#work !== null || this.#listeners.size > 0) return true
    if (this.#view.state !== 'ready' || this.#view.outage !== null) return true
    this.#asleep = true
    this.#deps.log.info({ session: this.id }, 'session suspended: nobody looked at it')
    await this.#inBed(async () => {
      if (!this.#asleep) return
      this.#stopWatching()
      this.#setOutage(asleep())
      await this.terminals.park()
      try {
        await cluster.suspend?.()
      } catch (thrown) {
        this.#deps.log.warn({ session: this.id, error: asLabError(thrown).message }, 'a cluster could not be suspended')
        this.#asleep = false
        this.#getUp()
      }
    })
    return true
  }
  #inBed(work: () => Promise<void>): Promise<void> {
    const done = this.#bed.then(work)
    this.#bed = done.catch(() => {})
    return done
  }
  /** Resolves when it is awake, or when that has been told to have failed. */
  async #wake(): Promise<void> {
    this.#asleep = false
    this.#cancelWake?.()
    await this.#inBed(async () => {
      const cluster = this.#cluster
      if (this.#asleep || this.#closed || !this.alive || cluster === null) return
      try {
        await cluster.resume?.()
      } catch (thrown) {
        const error = asLabError(thrown)
        if (this.#closed || !this.alive) return
        if (error.code !== 'backend-unavailable' && error.code !== 'capacity-exceeded') return this.#failed(error)
        this.#asleep = true
        this.#setOutage(error)
        this.#cancelWake = this.#deps.clock.after(wakeMs, () => {
          if (this.#asleep && this.#listeners.size > 0) void this.#wake()
        })
        return
      }
      if (this.#closed || !this.alive) return
      this.#deps.log.info({ session: this.id, cluster: cluster.id }, 'session goes on')
      this.#getUp()
      for (const listener of this.#listeners) listener.trouble(wokenUp())
    })
  }
  #getUp(): void {
    this.#setOutage(null)
    this.#watch()
  }

  /** @throws LabError conflict when the session's state does not allow it */
  async act(action: SessionAction): Promise<void> {
    if (this.#asleep) await this.#wake()
    switch (action.type) {
      case 'hint':
        return this.#hint()
      case 'reset':
        this.#mustAllow('reset', { en: 'A lab cannot be reset in an exam.', ko: '시험에서는 실습을 초기화할 수 없습니다.' })
        this.#mustBeReady('be reset')
        this.#requireGround()
        return this.#run('reset', (context) => this.#reset(context))
      case 'submit':
        this.#mustBeReady('be submitted')
        this.#requireGround()
        return this.#run('grade', (context) => this.#grade('submitted', context))
      case 'give-up':
        if (this.#view.state === 'starting' || this.#view.state === 'resetting') return this.abandon()
        if (this.#view.state === 'failed') return this.#finish('abandoned', null)
        this.#mustBeReady('be given up')
        this.#requireGround()
        return this.#run('grade', (context) => this.#grade('given-up', context))
      case 'retry':
        if (this.#view.state !== 'failed' || this.#work !== null)
          throw new LabError('conflict', {
            en: 'Only a session that failed to start can be tried again.',
            ko: '시작하지 못한 실습만 다시 시도할 수 있습니다.',
          })
        this.#state({ state: 'starting', error: null, steps: pendingSteps(startSteps) })
        return this.begin()
    }
  }

  /**
   * Ends what can change the lab from here: shells are closed, files can no longer be saved. What the cluster does by itself goes on.
   * Also before its cluster is found again after a restart of the server.
   */
  async freeze(): Promise<void> {
    this.#frozen = true
    await this.terminals.closeAll()
    // A save that came in time is still on its way.
    await this.#saving
  }
  /**
   * Hands in the lab of a drill's task: frozen, then graded as it is. Resolves when it has ended, or when grading failed and may be tried again.
   * @param workedMs what the report says was spent on it
   * @throws LabError conflict, backend-unavailable while it cannot be graded
   */
  async handIn(workedMs: number): Promise<void> {
    await this.freeze()
    this.#workedMs = workedMs
    this.#mustBeReady('be handed in')
    this.#requireGround()
    this.#run('grade', (context) => this.#grade('submitted', context))
    await this.idle()
  }

  /** Ends it without a grade, whatever it is doing. */
  async abandon(): Promise<void> {
    if (this.#view.state === 'ended') return
    const work = this.#work
    this.#closed = true
    work?.controller.abort()
    await work?.done
    await this.#finish('abandoned', null)
  }

  /** Lets go of everything and leaves the cluster running, for when this server ends. */
  async detach(): Promise<void> {
    this.#closed = true
    this.#cancelWake?.()
    this.#stopWatching()
    const work = this.#work
    work?.controller.abort()
    await work?.done
    await this.#bed
    await this.terminals.detachAll()
    await this.#persistSpent()
    await this.#writing
  }
  /** All that happened so far is stored. */
  settled(): Promise<void> {
    return this.#writing
  }
  /** The work that runs now has ended. */
  async idle(): Promise<void> {
    while (this.#work !== null) await this.#work.done
  }

  get #rules() {
    return modeRules[this.#view.mode]
  }
  #mustAllow(what: 'hints' | 'reset', why: Text): void {
    if (!this.#rules[what])
      throw new LabError('forbidden', why, {
        hint: {
          en: 'A drill in the mode practice or mastery has hints and resets.',
          ko: '연습이나 숙달 방식의 모의시험에서는 힌트와 초기화를 쓸 수 있습니다.',
        },
      })
  }
  #mustBeReady(verb: string): void {
    const { state } = this.#view
    if (state === 'ready' && this.#work === null && !this.#closed) return
    const why: Record<SessionView['state'], Text> = {
      starting: { en: 'it is still being prepared', ko: '아직 준비하는 중입니다' },
      ready: { en: 'it is busy', ko: '다른 일을 하고 있습니다' },
      resetting: { en: 'it is being reset', ko: '되돌리는 중입니다' },
      grading: { en: 'it is being graded already', ko: '이미 채점하는 중입니다' },
      ended: { en: 'it has ended', ko: '이미 끝났습니다' },
      failed: { en: 'it failed to start', ko: '시작하지 못했습니다' },
    }
    throw new LabError(
      'conflict',
      { en: `This session cannot ${verb}: ${why[state].en}.`, ko: `지금은 할 수 없습니다. ${why[state].ko}.` },
      state === 'ended'
        ? {
            hint: {
              en: 'Its report is there; start the scenario again for another attempt.',
              ko: '보고서가 있습니다. 다시 하려면 시나리오를 새로 시작하세요.',
            },
          }
        : {},
    )
  }
  #requireGround(): void {
    if (this.#view.outage !== null)
      throw new LabError(
        'backend-unavailable',
        {
          en: `Not now: ${this.#view.outage.message}`,
          ko: `지금은 할 수 없습니다. ${(this.#view.outage.ko ?? this.#view.outage).message}`,
        },
        {
          hint: {
            en: 'The lab goes on by itself once that is back; time does not count until then.',
            ko: '복구되면 실습은 저절로 이어집니다. 그때까지 시간은 세지 않습니다.',
          },
        },
      )
  }

  /** One piece of work in the background; what it throws has been told before it gets here. */
  #run(name: string, work: (context: { signal: AbortSignal }) => Promise<void>): void {
    const controller = new AbortController()
    const done = work({ signal: controller.signal })
      .catch((thrown: unknown) =>
        this.#deps.log.error({ session: this.id, work: name, error: asLabError(thrown).message }, 'session work failed'),
      )
      .finally(() => {
        this.#work = null
      })
    this.#work = { controller, done }
  }

  async #start({ signal }: { signal: AbortSignal }): Promise<void> {
    try {
      await this.#step('claim', signal, async (context) => {
        await this.#claim(context)
      })
      await this.#breakIt(signal)
      this.#becomeReady()
    } catch (thrown) {
      await this.#failed(asLabError(thrown))
    }
  }

  async #claim(context: StepContext): Promise<Cluster> {
    const { clusters, engine, store } = this.#deps
    const spec = { workers: this.scenario.spec.needs.workers }
    const cluster = await clusters.claim(
      spec,
      (line) => context.progress(line.detail ? `${line.step}: ${line.detail}` : line.step),
      context.signal,
    )
    this.#cluster = cluster
    await this.#write(() => store.updateSession(this.id, { cluster_id: cluster.id }))
    if (cluster.can.has('restore')) {
      context.progress('recording the state that a reset returns to')
      await cluster.baseline(context.signal)
    }
    this.#resolved = engine.resolve(this.scenario, { seed: this.seed, nodes: cluster.nodes })
    return cluster
  }

  /** From a clean cluster to a confirmed fault. */
  async #breakIt(signal: AbortSignal): Promise<void> {
    const { engine, store } = this.#deps
    const cluster = this.#cluster
    const resolved = this.#resolved
    if (cluster === null || resolved === null) throw new LabError('internal', 'A session was to be prepared without a cluster.')
    // What these steps say may name the fault: it goes to the log, a learner sees only which step it is.
    const quietly = ({ signal }: StepContext, step: string): StepContext => ({
      signal,
      progress: (detail) => this.#deps.log.info({ session: this.id, step, detail }, 'step'),
    })
    // Nobody watches yet: where the cluster's time can pass faster, it does.
    await hurried(cluster, async () => {
      await this.#step('prepare', signal, (context) => engine.prepare(cluster, resolved, quietly(context, 'prepare')))
      const healthy = await this.#step('baseline', signal, (context) => engine.baselineOf(cluster, resolved, quietly(context, 'baseline')))
      await this.#step('inject', signal, (context) => engine.inject(cluster, resolved, quietly(context, 'inject')))
      await this.#step('confirm', signal, async (context) => {
        await engine.confirm(cluster, resolved, quietly(context, 'confirm'))
        this.#baseline = await engine.handOver(cluster, { signal, healthy })
        await this.#write(() => store.updateSession(this.id, { baseline: JSON.stringify(this.#baseline) }))
      })
    })
    signal.throwIfAborted()
  }

  #becomeReady(): void {
    const now = this.#deps.clock.now()
    const resolved = this.#resolved!
    this.#state({
      state: 'ready',
      readyAt: this.#view.readyAt ?? now,
      steps: this.#view.steps.map((step) =>
        step.id === 'ready' ? { ...step, state: 'done' as const, startedAt: now, endedAt: now } : step,
      ),
      brief: resolved.brief,
      nodes: this.#cluster!.nodes.map(({ place, name }) => ({ place, name })),
      hints: { ...this.#view.hints, total: this.#rules.hints ? resolved.hints.length : 0 },
      // Their very titles say what was broken: who sees none while working does not get them to read either.
      checks: this.#rules.checks
        ? resolved.checks.map(
            (check): CheckLive => ({
              id: check.id,
              role: check.role,
              title: check.title,
              weight: check.weight,
              hold: check.hold,
              state: 'waiting',
              since: now,
            }),
          )
        : [],
      error: null,
    })
    this.#watch()
  }

  /** A start or reset that did not get there: diagnostics, cluster given back, words. */
  async #failed(error: LabError): Promise<void> {
    this.#deps.log.warn(
      { session: this.id, scenario: this.scenario.slug, code: error.code, error: error.message, cause: causeOf(error) },
      'session failed',
    )
    const cluster = this.#cluster
    this.#cluster = null
    this.#resolved = null
    this.#asleep = false
    const steps = this.#view.steps.map((step) =>
      step.state === 'running' ? { ...step, state: 'failed' as const, endedAt: this.#deps.clock.now() } : step,
    )
    await this.terminals.closeAll()
    if (cluster !== null) {
      if (error.code !== 'cancelled') await this.#keepDiagnostics(cluster, error)
      await this.#giveBack(cluster)
    }
    if (this.#closed) return
    this.#state({
      state: 'failed',
      steps,
      error: this.#shown(error).view({
        en: 'Try again; a fresh cluster is used. If it happens again, the server log says more.',
        ko: '다시 시도하세요. 새 클러스터를 사용합니다. 또 실패하면 서버 로그에 자세한 내용이 있습니다.',
      }),
    })
  }

  /** What a learner may read of an error: in an exam not what names a scenario's steps or checks. */
  #shown(error: LabError): LabError {
    const inner = ['scenario-invalid', 'fault-not-injected', 'symptom-absent', 'cluster-unreachable', 'restore-mismatch', 'internal']
    if (!this.#rules.sealed || !inner.includes(error.code)) return error
    return new LabError(error.code, {
      en: 'Something failed on our side; the server log says what.',
      ko: '서버 쪽에서 문제가 생겼습니다. 자세한 내용은 서버 로그에 있습니다.',
    })
  }

  async #keepDiagnostics(cluster: Cluster, error: LabError): Promise<void> {
    try {
      const found = await cluster.diagnostics(AbortSignal.timeout(30_000))
      const parts = [
        `${error.code}: ${error.message}`,
        causeOf(error) ?? '',
        found.summary,
        ...found.files.map((file) => `==== ${file.name}\n${file.text}`),
      ]
      await mkdir(this.#deps.dir, { recursive: true, mode: 0o700 })
      await writeFile(path.join(this.#deps.dir, 'diagnostics.txt'), parts.join('\n\n').slice(0, 4 * 1024 * 1024), { mode: 0o600 })
    } catch (thrown) {
      this.#deps.log.warn({ session: this.id, error: asLabError(thrown).message }, 'diagnostics could not be gathered')
    }
  }

  async #giveBack(cluster: Cluster): Promise<void> {
    try {
      await this.#deps.clusters.release(cluster)
      await this.#deps.store.updateSession(this.id, { cluster_id: null })
    } catch (thrown) {
      this.#deps.log.error(
        { session: this.id, cluster: cluster.id, error: asLabError(thrown).message },
        'a cluster could not be given back',
      )
    }
  }

  async #reset({ signal }: { signal: AbortSignal }): Promise<void> {
    this.#stopWatching()
    this.#state({ state: 'resetting', resets: this.#view.resets + 1, steps: pendingSteps(resetSteps), checks: [] })
    try {
      await this.#step('restore', signal, async (context) => {
        const cluster = this.#cluster!
        let mismatch: LabError | null = null
        if (cluster.can.has('restore')) {
          context.progress('putting objects, files and units back')
          await cluster.restore(signal).catch((thrown: unknown) => {
            const error = asLabError(thrown)
            if (error.code !== 'restore-mismatch') throw error
            mismatch = error
          })
          if (mismatch === null) return
        }
        // What cannot be put back is replaced. The home directory goes with it, so this is the last resort.
        this.#deps.log.warn({ session: this.id, why: (mismatch as LabError | null)?.message ?? 'no restore' }, 'reset by a new cluster')
        context.progress('this cluster cannot be put back, a new one takes its place; files in the home directory start anew')
        this.#cluster = null
        await this.terminals.closeAll()
        await this.#giveBack(cluster)
        await this.#claim(context)
      })
      await this.#breakIt(signal)
      this.#becomeReady()
      void this.terminals.reattach()
    } catch (thrown) {
      await this.#failed(asLabError(thrown))
    }
  }

  async #grade(outcome: 'submitted' | 'given-up', { signal }: { signal: AbortSignal }): Promise<void> {
    const { clock, engine } = this.#deps
    const cluster = this.#cluster!
    const resolved = this.#resolved!
    this.#stopWatching()
    const before = this.#view
    this.#state({
      state: 'grading',
      error: null,
      steps: [...before.steps.filter((step) => step.id !== 'grade'), { id: 'grade', state: 'pending' }],
    })
    let grade: Grade
    try {
      // How many checks there are, and how soon they were decided, is part of the verdict.
      const quietly = (context: StepContext): StepContext => (this.#rules.sealed ? { signal: context.signal, progress: () => {} } : context)
      grade = await this.#step('grade', signal, (context) => engine.grade(cluster, resolved, this.#baseline, quietly(context)))
    } catch (thrown) {
      const error = asLabError(thrown)
      this.#deps.log.warn({ session: this.id, code: error.code, error: error.message, cause: causeOf(error) }, 'grading failed')
      if (this.#closed) return
      // Our failure: the learner keeps the lab and may submit again.
      const again = { en: 'Nothing is lost: submit again.', ko: '잃은 것은 없습니다. 다시 제출하세요.' }
      this.#state({ state: 'ready', error: this.#shown(error).view(again) })
      this.#watch()
      return
    }
    const final = grade.score === 100 && outcome === 'submitted' ? 'solved' : outcome
    const gradedAt = clock.now()
    await this.#finish(final, { grade, resolved, gradedAt })
  }

  /** The end: report stored, terminals closed, cluster given back. */
  async #finish(
    outcome: 'solved' | 'submitted' | 'given-up' | 'abandoned',
    graded: { grade: Grade; resolved: ResolvedScenario; gradedAt: number } | null,
  ): Promise<void> {
    const { clock, store } = this.#deps
    this.#stopWatching()
    this.#asleep = false
    this.#cancelWake?.()
    await this.terminals.closeAll()
    const cluster = this.#cluster
    this.company.leave()
    if (graded !== null) {
      const { evidence, ...grade } = graded.grade
      if (evidence !== undefined) await this.#keepEvidence(evidence)
      const report = await this.#report(outcome, { ...graded, grade })
      try {
        await store.saveReport({
          session_id: this.id,
          user_id: this.user,
          scenario_id: this.scenario.id,
          outcome,
          score: report.score,
          graded_at: report.gradedAt,
          sealed: this.#rules.sealed ? 1 : 0,
          body: JSON.stringify(report),
        })
      } catch (thrown) {
        const error = asLabError(thrown)
        this.#deps.log.error({ session: this.id, code: error.code, error: error.message }, 'a report could not be stored')
        this.#state({ state: 'ready', error: error.view() })
        this.#watch()
        return
      }
    }
    this.#cluster = null
    const sealed = this.#rules.sealed && graded !== null
    this.#state({
      state: 'ended',
      outcome: sealed ? 'submitted' : outcome,
      endedAt: clock.now(),
      score: sealed ? null : (graded?.grade.score ?? null),
      outage: null,
      ...(graded === null ? { error: null } : {}),
    })
    if (cluster !== null) await this.#giveBack(cluster)
    await this.#writing
    this.#deps.onEnded()
  }

  /** For a regrade. A report without it is still a report. */
  async #keepEvidence(evidence: unknown): Promise<void> {
    try {
      await mkdir(this.#deps.dir, { recursive: true, mode: 0o700 })
      await writeFile(path.join(this.#deps.dir, evidenceFile), await promisify(gzip)(JSON.stringify(evidence)), { mode: 0o600 })
    } catch (thrown) {
      this.#deps.log.warn({ session: this.id, error: asLabError(thrown).message }, 'what the grader saw could not be kept')
    }
  }
  async #report(
    outcome: Report['outcome'],
    { grade, resolved, gradedAt }: { grade: Grade; resolved: ResolvedScenario; gradedAt: number },
  ): Promise<Report> {
    const { dir, store } = this.#deps
    await this.#writing
    const events = await store.events(this.id, 0, { types: ['state', 'check', 'hint', 'outage'] }).catch(() => [])
    const { commands, recordings } = await readRecordings(dir, this.#view.terminals).catch(() => ({ commands: [], recordings: [] }))
    const timeline = [...transitionsOf(events), ...commands, { kind: 'session' as const, at: gradedAt, what: 'ended' as const }].sort(
      (left, right) => left.at - right.at,
    )
    return {
      sessionId: this.id,
      slug: this.scenario.slug,
      variant: resolved.variant,
      seed: this.seed,
      scenario: this.#view.scenario,
      backend: this.#view.backend,
      outcome,
      score: grade.score,
      evaluatedWeight: grade.evaluatedWeight,
      totalWeight: grade.totalWeight,
      brokenGuards: grade.brokenGuards,
      checks: grade.checks,
      spentMs: this.#workedMs ?? this.#spent(),
      hintsShown: this.#view.hints.shown.length,
      resets: this.#view.resets,
      explanation: resolved.explanation,
      solution: resolved.solution,
      timeline,
      recordings,
      gradedAt,
    }
  }

  #hint(): void {
    this.#mustAllow('hints', { en: 'An exam gives no hints.', ko: '시험에서는 힌트를 볼 수 없습니다.' })
    this.#mustBeReady('give a hint')
    const { shown } = this.#view.hints
    const next = this.#resolved?.hints[shown.length]
    if (next === undefined)
      throw new LabError(
        'conflict',
        { en: 'All hints have been shown.', ko: '힌트를 모두 보았습니다.' },
        { hint: { en: 'Giving up reveals the solution.', ko: '포기하면 풀이를 볼 수 있습니다.' } },
      )
    this.#emit({ type: 'hint', hint: { index: shown.length, text: next } })
  }

  // ---- what is watched while the learner has the lab

  #watch(): void {
    this.#stopWatching()
    if (this.#closed) return
    this.#watching = new AbortController()
    this.#runningSince = this.#deps.clock.now()
    this.#watchChecks()
    this.#watchHealth(this.#watching.signal)
    this.#followTopology()
  }
  #stopWatching(): void {
    this.#pauseTime()
    this.#watching?.abort()
    this.#watching = null
    this.#checksWatch?.abort()
    this.#checksWatch = null
    this.#stopTopology()
  }
  #watchChecks(): void {
    this.#checksWatch?.abort()
    const cluster = this.#cluster
    const resolved = this.#resolved
    if (cluster === null || resolved === null || !this.#rules.checks) return
    const controller = new AbortController()
    this.#checksWatch = controller
    const onChange = (check: CheckLive) => {
      if (!controller.signal.aborted) this.#check(check)
    }
    try {
      const watch = this.#deps.engine.watch(cluster, resolved, this.#baseline, { signal: controller.signal, onChange })
      for (const check of watch.states()) onChange(check)
    } catch (thrown) {
      this.#trouble(asLabError(thrown))
    }
  }
  /** Told when its state changes, and at most once a second when only what is seen does. */
  #check(check: CheckLive): void {
    const known = this.#view.checks.find((one) => one.id === check.id)
    const now = this.#deps.clock.now()
    if (known?.state === 'waiting' && check.state === 'waiting') return
    if (known !== undefined && known.state === check.state && known.since === check.since) {
      if (known.seen?.en === check.seen?.en || now - (this.#seenAt.get(check.id) ?? 0) < 1000) return
    }
    this.#seenAt.set(check.id, now)
    this.#emit({ type: 'check', check })
  }
  #followTopology(): void {
    if (!this.#rules.picture) return
    if (this.#topologyWatch !== null || this.#listeners.size === 0 || this.#watching === null || this.#cluster === null) return
    const controller = new AbortController()
    this.#topologyWatch = controller
    try {
      watchTopology(this.#cluster, {
        signal: controller.signal,
        now: () => this.#deps.clock.now(),
        onTopology: (topology) => {
          this.#topology = topology
          for (const listener of this.#listeners) listener.topology(topology)
        },
        onEvents: (events) => {
          this.#clusterEvents = events
          for (const listener of this.#listeners) listener.clusterEvents(events)
        },
      })
    } catch (thrown) {
      this.#trouble(asLabError(thrown))
    }
  }
  #stopTopology(): void {
    this.#topologyWatch?.abort()
    this.#topologyWatch = null
    this.#topology = null
    this.#clusterEvents = null
  }
  #watchHealth(signal: AbortSignal): void {
    const { clock, healthMs = 3000 } = this.#deps
    let spentSaved = clock.now()
    const look = async () => {
      const cluster = this.#cluster
      if (signal.aborted || cluster === null) return
      const health = await cluster.health(signal).catch((thrown: unknown) => {
        const error = asLabError(thrown)
        return { state: 'backend-gone' as const, message: error.message, hint: error.hint ?? 'It is looked for again every few seconds.' }
      })
      if (signal.aborted) return
      this.#setOutage(health.state === 'backend-gone' ? new LabError('backend-unavailable', health.message, { hint: health.hint }) : null)
      if (clock.now() - spentSaved > 15_000) {
        spentSaved = clock.now()
        void this.#persistSpent()
      }
      const cancel = clock.after(healthMs, () => {
        signal.removeEventListener('abort', cancel)
        void look()
      })
      signal.addEventListener('abort', cancel, { once: true })
    }
    void look()
  }
  #setOutage(error: LabError | null): void {
    const was = this.#view.outage
    if (error === null && was === null) return
    if (error !== null && was?.message === error.message) return
    if (error !== null) {
      if (was === null) this.#pauseTime()
      this.#emit({ type: 'outage', outage: error.view() })
      this.#checksWatch?.abort()
      this.#checksWatch = null
      const since = this.#deps.clock.now()
      for (const check of this.#view.checks)
        if (check.state !== 'not-evaluable')
          this.#emit({ type: 'check', check: { ...check, state: 'not-evaluable', since, seen: { en: error.message, ko: error.message } } })
      return
    }
    this.#emit({ type: 'outage', outage: null })
    if (this.#watching !== null) {
      this.#runningSince = this.#deps.clock.now()
      this.#watchChecks()
    }
    void this.terminals.reattach()
  }

  // ---- files and terminals

  /** @throws LabError conflict when there is no cluster to look at; see `readPlace` */
  async readFile(place: Place, file: string): Promise<FileView> {
    return readPlace(this.#lab(), place, file)
  }
  /** Saves of one session are let through one at a time. @throws see `savePlace` */
  saveFile(save: SaveFile): Promise<FileView> {
    const saved = this.#saving.then(() => savePlace(this.#lab(), save))
    this.#saving = saved.catch(() => {})
    return saved
  }
  /** @throws LabError conflict, capacity-exceeded, what the cluster said */
  async openTerminal(place: Place, size: Size): Promise<Terminal> {
    const cluster = this.#lab()
    requirePlace(cluster, place)
    const terminal = await this.terminals.open(place, size)
    if (this.#frozen) {
      await terminal.close()
      throw handedIn()
    }
    return terminal
  }
  #lab(): Cluster {
    if (this.#frozen && this.#view.state !== 'ended') throw handedIn()
    if (this.#view.state !== 'ready') {
      throw new LabError(
        'conflict',
        this.#view.state === 'ended'
          ? { en: 'This session has ended, its cluster is gone.', ko: '실습이 끝나 클러스터가 없습니다.' }
          : { en: 'The lab is not ready yet.', ko: '실습이 아직 준비되지 않았습니다.' },
        this.#view.state === 'ended' ? {} : { hint: { en: 'Wait until its steps are done.', ko: '준비 단계가 끝날 때까지 기다리세요.' } },
      )
    }
    this.#requireGround()
    if (this.#cluster === null)
      throw new LabError(
        'backend-unavailable',
        { en: 'The cluster of this session has not been found again yet.', ko: '이 실습의 클러스터를 아직 다시 찾지 못했습니다.' },
        {
          hint: { en: 'Wait a moment and try again.', ko: '잠시 기다렸다가 다시 시도하세요.' },
        },
      )
    return this.#cluster
  }

  // ---- events

  #spent(): number {
    return this.#view.spentMs + (this.#runningSince === null ? 0 : Math.max(0, this.#deps.clock.now() - this.#runningSince))
  }
  #pauseTime(): void {
    const spentMs = this.#spent()
    this.#runningSince = null
    this.#view = { ...this.#view, spentMs }
  }
  #persistSpent(): Promise<void> {
    return this.#write(() => this.#deps.store.updateSession(this.id, { spent_ms: Math.round(this.#spent()) }))
  }

  async #step<T>(id: StepView['id'], signal: AbortSignal, work: (context: StepContext) => Promise<T>): Promise<T> {
    signal.throwIfAborted()
    const { clock } = this.#deps
    const step: StepView = { id, state: 'running', startedAt: clock.now() }
    this.#emit({ type: 'step', step })
    let detail: string | undefined
    let over = false
    const tell = () => {
      this.#stepDetail = { at: clock.now(), cancel: null }
      if (!over && detail !== undefined) this.#emit({ type: 'step', step: { ...step, detail } })
    }
    const end = (state: StepView['state']) => {
      over = true
      this.#stepDetail.cancel?.()
      this.#stepDetail = { at: 0, cancel: null }
      this.#emit({ type: 'step', step: { ...step, state, endedAt: clock.now(), ...(detail === undefined ? {} : { detail }) } })
    }
    try {
      const result = await work({
        signal,
        // The newest line counts; four a second are enough for people.
        progress: (line) => {
          if (over) return
          detail = line.slice(0, 500)
          if (clock.now() - this.#stepDetail.at >= 250) tell()
          else this.#stepDetail.cancel ??= clock.after(250, tell)
        },
      })
      signal.throwIfAborted()
      end('done')
      return result
    } catch (thrown) {
      end(signal.aborted ? 'cancelled' : 'failed')
      throw signal.aborted
        ? new LabError(
            'cancelled',
            { en: 'The session was ended while it was being prepared.', ko: '준비하는 동안 실습이 끝났습니다.' },
            { cause: thrown },
          )
        : thrown
    }
  }

  #state(change: Partial<SessionView>): void {
    const view = { ...this.#view, spentMs: this.#spent(), ...change, terminals: this.terminals.views() }
    if (this.#runningSince !== null) this.#runningSince = this.#deps.clock.now()
    this.#emit({ type: 'state', state: view.state, outcome: view.outcome, score: view.score, error: view.error, view })
  }

  #emit(event: SessionEvent): void {
    const { clock, store } = this.#deps
    const numbered: Numbered = { seq: this.#seq + 1, at: clock.now(), event }
    this.#seq = numbered.seq
    this.#view = applyEvent(this.#view, event)
    this.#tail.push(numbered)
    if (this.#tail.length > tailLength) {
      const dropped = this.#tail.shift()!
      this.#tailBase = applyEvent(this.#tailBase, dropped.event)
    }
    for (const listener of this.#listeners) listener.event(numbered)
    this.#deps.onEvent?.(event)
    const view = { ...this.#view, spentMs: this.#spent() }
    const row = {
      seq: numbered.seq,
      view: JSON.stringify(view),
      state: view.state,
      outcome: view.outcome,
      ready_at: view.readyAt,
      ended_at: view.endedAt,
      spent_ms: Math.round(view.spentMs),
      hints_shown: view.hints.shown.length,
      resets: view.resets,
      score: view.score,
    }
    void this.#write(() =>
      store.append({ session_id: this.id, seq: numbered.seq, at: numbered.at, type: event.type, body: JSON.stringify(event) }, row),
    )
    if (numbered.seq - this.#forgotten > mostEvents) {
      this.#forgotten = numbered.seq - mostEvents / 2
      const upTo = this.#forgotten
      void this.#write(() => store.forget(this.id, upTo, ['step', 'check']))
    }
  }

  /** One after the other; a failure is told and does not stop the lab, which lives in memory. */
  #write(work: () => Promise<unknown>): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      try {
        await work()
      } catch (thrown) {
        this.#trouble(asLabError(thrown))
      }
    })
    return this.#writing
  }
  #trouble(error: LabError): void {
    // A disk that is full is full for every event: said again only after a while.
    const now = this.#deps.clock.now()
    if (this.#told.message === error.message && now - this.#told.at < 10_000) return
    this.#told = { message: error.message, at: now }
    this.#deps.log.error({ session: this.id, code: error.code, error: error.message }, 'session trouble')
    for (const listener of this.#listeners) listener.trouble(error)
  }
}

const allDone = (steps: readonly StepView[]): StepView[] =>
  steps.filter((step) => step.id !== 'grade').map((step) => ({ ...step, state: 'done' }))
const viewOf = ({ id, place, title, state, exitCode }: StoredTerminal) => ({ id, place, title, state, exitCode })
const rowOf = (session: string, stored: StoredTerminal) => ({
  session_id: session,
  id: stored.id,
  place: stored.place,
  title: stored.title,
  shell_id: stored.shellId,
  state: stored.state,
  exit_code: stored.exitCode,
})
const handedIn = () =>
  new LabError(
    'conflict',
    { en: 'This task is handed in: its lab can no longer be changed.', ko: '제출한 문제이므로 실습을 더 바꿀 수 없습니다.' },
    { hint: { en: 'Go on with another task of the drill.', ko: '모의시험의 다른 문제를 이어서 푸십시오.' } },
  )
const asleep = () =>
  new LabError(
    'backend-unavailable',
    { en: 'This lab sleeps, for nobody had looked at it for long.', ko: '오랫동안 아무도 보지 않아 실습이 잠들어 있습니다.' },
    { hint: { en: 'It wakes up when its page is opened.', ko: '실습 화면을 열면 깨어납니다.' } },
  )
const wokenUp = () =>
  new LabError(
    'backend-unavailable',
    {
      en: 'This lab had been put to sleep: what ran in its terminals has ended. Files and the cluster are as you left them.',
      ko: '실습이 잠들어 있었습니다. 터미널에서 실행하던 것은 끝났고, 파일과 클러스터는 그대로입니다.',
    },
    { hint: { en: 'Time has not counted meanwhile.', ko: '그동안 시간은 세지 않았습니다.' } },
  )
const causeOf = (error: LabError): string | undefined => (error.cause instanceof Error ? error.cause.message : undefined)

/** The view of one that ended elsewhere, out of its report: there is nothing to go back to but that. */
export function importedView(
  report: Report,
  times: Pick<SessionView, 'mode' | 'createdAt' | 'readyAt' | 'endedAt'>,
  drill: string | null,
): SessionView {
  const { backend, outcome, scenario, score, sessionId, spentMs } = report
  const { createdAt, endedAt, mode, readyAt } = times
  return {
    ...firstView(
      { id: sessionId, scenario: { ...scenario, running: null }, backend, createdAt, mode, ...(drill === null ? {} : { drill }) },
      0,
    ),
    state: 'ended',
    outcome,
    readyAt,
    endedAt,
    spentMs,
    steps: [],
    score,
  }
}

/** The view of a session that has just been asked for. */
export function firstView(
  values: Pick<SessionView, 'id' | 'scenario' | 'backend' | 'createdAt' | 'mode' | 'drill'>,
  hints: number,
): SessionView {
  return {
    ...values,
    state: 'starting',
    outcome: null,
    readyAt: null,
    endedAt: null,
    spentMs: 0,
    steps: pendingSteps(startSteps),
    brief: quiet,
    nodes: [],
    checks: [],
    hints: { total: modeRules[values.mode].hints ? hints : 0, shown: [] },
    resets: 0,
    terminals: [],
    outage: null,
    error: null,
    score: null,
  }
}
