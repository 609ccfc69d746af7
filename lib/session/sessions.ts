// All sessions of this server: starts them within limits, finds them again after a restart, ends what has grown too old.
// Knows nothing of HTTP or sockets; a user is the opaque id of a person, the
// owner of what is started for them; who else may look at it is not decided here.
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { Cluster } from '#lib/cluster/index.ts'
import {
  asLabError,
  type BackendName,
  type BackendView,
  type CheckReport,
  LabError,
  place,
  type Report,
  report as reportSchema,
  type ScenarioCard,
  type SessionAction,
  type SessionEvent,
  type SessionMode,
  type SessionView,
  type Text,
  type TrustView,
  terminalView,
} from '#lib/protocol/index.ts'
import type { Catalogue, Scenario } from '#lib/scenario/index.ts'
import type { SessionRow, Store } from '#lib/store/index.ts'
import { type Clock, recordingFile, type StoredTerminal, systemClock } from '#lib/terminal/index.ts'
import type { Clusters, Engine, Grade } from './engine.ts'
import { evidenceFile, firstView, type Log, Session, type SessionDeps } from './session.ts'

export interface SessionsOptions {
  catalogue: Catalogue
  engine: Engine
  /** in the order of preference: the first that is ready is the default */
  backends: readonly Clusters[]
  trust(scenario: Scenario, backend: BackendName): TrustView
  /** start also what nobody has proven, for authors; default false */
  offerUnproven?: boolean
  store: Store
  log: Log
  clock?: Clock
  /** sessions alive that all users together may have, labs of drills counted, those that sleep not; default as many as the backends hold */
  inAll?: number | undefined
  /** milliseconds without a page after which a practice lab is suspended, or ended where that cannot be; default never */
  idleMs?: number | undefined
  /** sessions alive that one user may have; default 2 */
  perUser?: number
  /** milliseconds after which a session is ended; default 8 h */
  maxAgeMs?: number
  healthMs?: SessionDeps['healthMs']
  terminals?: SessionDeps['terminals']
  /** between two looks for a backend that was gone when the server started; default 5 s */
  adoptMs?: number
}

const living = ['starting', 'ready', 'resetting', 'grading'] as const

export class Sessions {
  readonly #options: SessionsOptions
  readonly #clock: Clock
  readonly #live = new Map<string, Session>()
  readonly #backends: ReadonlyMap<BackendName, Clusters>
  /** users whose start is being written, so that two at once do not both pass the limit */
  readonly #starting = new Map<string, number>()
  /** users who sit an exam: until it ends they have nothing but its labs */
  readonly #examined = new Set<string>()
  readonly #observers = new Set<(session: Session, event: SessionEvent) => void>()
  readonly #watchers = new Set<(session: Session, event: SessionEvent, at: number) => void>()
  /** sessions of an earlier run whose cluster has not been found yet, and its id */
  readonly #waiting = new Map<Session, string | null>()
  #states = new Map<BackendName, BackendView>()
  #cancelSweep: (() => void) | null = null
  #closed = false

  constructor(options: SessionsOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#backends = new Map(options.backends.map((one) => [one.backend, one]))
    this.#sweep()
  }

  // ---- the catalogue as one user sees it

  async backendViews(signal?: AbortSignal): Promise<BackendView[]> {
    return Promise.all(
      [...this.#backends.values()].map(async (clusters) => {
        let view: BackendView
        try {
          view = await clusters.status(signal)
        } catch (thrown) {
          const error = asLabError(thrown)
          view = {
            name: clusters.backend,
            state: 'unavailable',
            message: error.message,
            warm: 0,
            ...(error.hint === undefined ? {} : { remedy: error.hint }),
          }
        }
        this.#states.set(clusters.backend, view)
        return view
      }),
    )
  }

  /** Cards of every scenario, in the catalogue's order. */
  async cards(user: string): Promise<ScenarioCard[]> {
    if (this.#states.size === 0) await this.backendViews()
    const attempts = new Map((await this.#options.store.attempts(user)).map((row) => [row.scenario_id, row]))
    return this.#options.catalogue.scenarios.map((scenario) => this.#card(scenario, user, attempts.get(scenario.id)))
  }

  #card(scenario: Scenario, user: string, attempts?: { attempts: number; best: number | null }): ScenarioCard {
    const { spec } = scenario
    const running = [...this.#live.values()].find(
      (session) => session.user === user && session.scenario.id === scenario.id && session.alive && session.drill === null,
    )
    return {
      id: scenario.id,
      kind: spec.kind,
      title: spec.title,
      summary: spec.summary,
      domain: spec.domain,
      competency: spec.competency,
      difficulty: spec.difficulty,
      weight: spec.weight,
      minutes: spec.minutes,
      nodes: spec.needs.workers + 1,
      backends: [...this.#backends.values()].map((clusters) => ({
        name: clusters.backend,
        ...this.#offer(scenario, clusters),
        trust: this.#options.trust(scenario, clusters.backend),
      })),
      attempts: attempts?.attempts ?? 0,
      bestScore: attempts?.best ?? null,
      running: running?.id ?? null,
    }
  }
  /** Whether a backend can do what the scenario needs; whether it is up is the backend's own view. */
  #offer(scenario: Scenario, clusters: Clusters): { offered: boolean; reason?: Text } {
    const not = (en: string, ko: string) => ({ offered: false, reason: { en, ko } })
    const missing = scenario.spec.needs.capabilities.filter((capability) => !clusters.can.has(capability)).join(', ')
    if (missing !== '') return not(`This backend has no ${missing}.`, `이 백엔드에는 ${missing} 기능이 없습니다.`)
    const unproven = (backend: BackendName) => this.#options.trust(scenario, backend).state === 'unproven'
    // Nothing is proven on the stand-in for tests of the application.
    if (this.#options.offerUnproven || clusters.backend === 'fake') return { offered: true }
    // kind is the authority: what no real cluster has vouched for is not graded on a simulated one either.
    if (unproven('kind'))
      return not('It is planned: nobody has proven it on a real cluster yet.', '준비 중입니다. 아직 실제 클러스터에서 검증되지 않았습니다.')
    if (unproven(clusters.backend)) return not('It has not proven itself on this backend yet.', '아직 이 백엔드에서 검증되지 않았습니다.')
    return { offered: true }
  }

  /** What may be started on a backend, in the catalogue's order. */
  offered(backend: BackendName): Scenario[] {
    const clusters = this.#backends.get(backend)
    return clusters === undefined ? [] : this.#options.catalogue.scenarios.filter((scenario) => this.#offer(scenario, clusters).offered)
  }
  /** How many more labs of these workers a backend holds now, as far as it can tell; null when it cannot. */
  async room(backend: BackendName, workers: number): Promise<number | null> {
    const { inAll } = this.#options
    const held = (await this.#backends.get(backend)?.room?.({ workers })) ?? null
    const left = inAll === undefined ? null : Math.max(0, inAll - this.#alive())
    return held === null || left === null ? (held ?? left) : Math.min(held, left)
  }
  #alive(): number {
    const starting = [...this.#starting.values()].reduce((sum, count) => sum + count, 0)
    return [...this.#live.values()].filter((session) => session.alive && !session.asleep).length + starting
  }
  scenario(id: string): Scenario | undefined {
    return this.#options.catalogue.byId(id)
  }

  // ---- exams

  /** From now on this user has only the labs of a drill: no practice, no reports. What is told of an exam's end is `release`. */
  examine(user: string): void {
    this.#examined.add(user)
  }
  release(user: string): void {
    this.#examined.delete(user)
  }
  #notExamined(user: string, what: Text): void {
    if (this.#examined.has(user))
      throw new LabError(
        'forbidden',
        { en: `An exam of yours is running; ${what.en} until it has ended.`, ko: `시험을 보고 있어 끝날 때까지 ${what.ko}.` },
        { hint: finishFirst },
      )
  }
  /** @throws LabError forbidden while this user sits an exam */
  mustNotSit(user: string): void {
    this.#notExamined(user, { en: 'your data stay closed', ko: '데이터를 내보내거나 가져올 수 없습니다' })
  }
  /** Labs of this user that are alive and belong to no drill. */
  practising(user: string): number {
    const alive = [...this.#live.values()].filter((session) => session.user === user && session.alive && session.drill === null).length
    return alive + (this.#starting.get(user) ?? 0)
  }
  /** Calls back with every event of the sessions of drills. */
  observe(observer: (session: Session, event: SessionEvent) => void): void {
    this.#observers.add(observer)
  }
  /** Calls back with every event of every session; what it throws goes nowhere. */
  watch(watcher: (session: Session, event: SessionEvent, at: number) => void): void {
    this.#watchers.add(watcher)
  }
  /** How many sessions there are by backend and state, of those that have not ended. */
  counts(): { backend: BackendName; state: SessionView['state']; count: number }[] {
    const counted = new Map<string, { backend: BackendName; state: SessionView['state']; count: number }>()
    for (const session of this.#live.values()) {
      if (session.state === 'ended') continue
      const { backend } = session.view()
      const key = `${backend} ${session.state}`
      const one = counted.get(key) ?? { backend, state: session.state, count: 0 }
      counted.set(key, { ...one, count: one.count + 1 })
    }
    return [...counted.values()]
  }
  /** How many sessions sleep. */
  suspended(): number {
    return [...this.#live.values()].filter((session) => session.asleep).length
  }
  /** What was last known of the backends. */
  knownBackends(): BackendView[] {
    return [...this.#states.values()]
  }
  /** The living sessions of drills. */
  drilled(): Session[] {
    return [...this.#live.values()].filter((session) => session.drill !== null)
  }
  /** A drill's session while it lives. */
  live(id: string): Session | undefined {
    return this.#live.get(id)
  }
  /** The report of a drill's session, for its drill alone; null when there is none. */
  async verdict(id: string): Promise<Pick<Report, 'score' | 'evaluatedWeight' | 'totalWeight'> | null> {
    const row = await this.#options.store.report(id)
    return row === null ? null : reportSchema.parse(JSON.parse(row.body))
  }
  /** Opens what a drill has kept sealed: reports, scores and outcomes of its sessions. */
  async reveal(drill: string): Promise<void> {
    const { store } = this.#options
    await store.unseal(drill)
    for (const row of await store.sessions({ drill })) {
      const graded = await store.report(row.id)
      if (graded === null) continue
      const view = { ...(JSON.parse(row.view) as SessionView), score: graded.score, outcome: graded.outcome }
      await store.updateSession(row.id, { score: graded.score, outcome: graded.outcome, view: JSON.stringify(view) })
    }
  }

  // ---- start and find

  /**
   * Writes the row and answers at once; the steps go on in the background.
   * @param options.drill it is a task of: not counted among the sessions that a user may have, the drill answers for it
   * @throws LabError not-found, bad-request, capacity-exceeded, backend-unavailable, disk-full; forbidden while the user sits an exam
   */
  async start(
    user: string,
    scenarioId: string,
    options: { backend?: BackendName; seed?: string; drill?: { id: string; mode: SessionMode } } = {},
  ): Promise<{ id: string }> {
    const { drill } = options
    if (drill === undefined) this.#notExamined(user, { en: 'no other lab is started', ko: '다른 실습을 시작할 수 없습니다' })
    if (this.#closed)
      throw new LabError(
        'backend-unavailable',
        { en: 'The server is shutting down.', ko: '서버가 종료되는 중입니다.' },
        { hint: { en: 'Try again in a moment.', ko: '잠시 후 다시 시도하세요.' } },
      )
    const scenario = this.#options.catalogue.byId(scenarioId)
    if (scenario === undefined)
      throw new LabError(
        'not-found',
        { en: 'There is no such scenario.', ko: '그런 시나리오가 없습니다.' },
        { hint: { en: 'Choose one from the catalogue.', ko: '목록에서 고르세요.' } },
      )
    const clusters = await this.#choose(scenario, options.backend)
    // An exam may have begun while backends were asked.
    if (drill === undefined) this.#notExamined(user, { en: 'no other lab is started', ko: '다른 실습을 시작할 수 없습니다' })
    const limit = this.#options.perUser ?? 2
    const alive = this.practising(user)
    if (drill === undefined && alive >= limit) {
      throw new LabError(
        'capacity-exceeded',
        {
          en: `You have ${alive} ${alive === 1 ? 'session' : 'sessions'} running, and ${limit} is the most on this server.`,
          ko: `실행 중인 실습이 ${alive}개이고, 이 서버에서는 ${limit}개까지 할 수 있습니다.`,
        },
        {
          hint: {
            en: 'Submit or give up one of them first; the catalogue shows which are running.',
            ko: '먼저 그중 하나를 제출하거나 포기하세요. 목록에서 실행 중인 실습을 볼 수 있습니다.',
          },
        },
      )
    }
    const { inAll } = this.#options
    if (drill === undefined && inAll !== undefined && this.#alive() >= inAll)
      throw new LabError(
        'capacity-exceeded',
        {
          en: `${inAll} labs are running on this server, and that is the most.`,
          ko: `이 서버에서 실습 ${inAll}개가 실행 중이며, 이것이 한도입니다.`,
        },
        {
          hint: {
            en: 'Try again when somebody has finished; an operator can raise KUBEMEND_SESSIONS.',
            ko: '다른 사람이 끝낸 뒤 다시 시도하십시오. 운영자는 KUBEMEND_SESSIONS로 한도를 늘릴 수 있습니다.',
          },
        },
      )
    const counted = drill === undefined ? 1 : 0
    this.#starting.set(user, (this.#starting.get(user) ?? 0) + counted)
    try {
      const id = randomBytes(8).toString('hex')
      const seed = options.seed ?? randomBytes(5).toString('hex')
      const createdAt = this.#clock.now()
      const mode = drill?.mode ?? 'practice'
      const attempts = (await this.#options.store.attempts(user)).find((row) => row.scenario_id === scenario.id)
      const view = firstView(
        {
          id,
          scenario: { ...this.#card(scenario, user, attempts), running: id },
          backend: clusters.backend,
          createdAt,
          mode,
          ...(drill ? { drill: drill.id } : {}),
        },
        scenario.spec.hints.length,
      )
      const row: SessionRow = {
        id,
        user_id: user,
        scenario_id: scenario.id,
        slug: scenario.slug,
        mode,
        drill_id: drill?.id ?? null,
        backend: clusters.backend,
        seed,
        state: 'starting',
        outcome: null,
        cluster_id: null,
        baseline: null,
        created_at: createdAt,
        ready_at: null,
        ended_at: null,
        spent_ms: 0,
        hints_shown: 0,
        resets: 0,
        score: null,
        view: JSON.stringify(view),
        seq: 0,
      }
      await this.#options.store.insertSession(row)
      const session = this.#session(row, scenario, clusters)
      this.#live.set(id, session)
      session.begin()
      return { id }
    } finally {
      const left = (this.#starting.get(user) ?? counted) - counted
      if (left > 0) this.#starting.set(user, left)
      else this.#starting.delete(user)
    }
  }

  /**
   * The backend that is asked for, else the first that is ready.
   * @throws LabError bad-request, backend-unavailable
   */
  async readyBackend(wanted?: BackendName): Promise<BackendName> {
    this.#known(wanted)
    const views = (await this.backendViews()).filter((view) => wanted === undefined || view.name === wanted)
    const ready = views.find((view) => view.state === 'ready')
    if (ready === undefined) throw noBackend(views[0])
    return ready.name
  }
  #known(wanted?: BackendName): void {
    if (wanted !== undefined && !this.#backends.has(wanted))
      throw new LabError(
        'bad-request',
        { en: `This server has no backend "${wanted}".`, ko: `이 서버에는 "${wanted}" 백엔드가 없습니다.` },
        {
          hint: {
            en: `It has: ${[...this.#backends.keys()].join(', ') || 'none'}.`,
            ko: `있는 백엔드: ${[...this.#backends.keys()].join(', ') || '없음'}.`,
          },
        },
      )
  }
  async #choose(scenario: Scenario, wanted?: BackendName): Promise<Clusters> {
    this.#known(wanted)
    const views = await this.backendViews()
    const able = views
      .filter((view) => wanted === undefined || view.name === wanted)
      .map((view) => ({ view, clusters: this.#backends.get(view.name)! }))
    const fitting = able.filter(({ clusters }) => this.#offer(scenario, clusters).offered)
    const why = able[0] === undefined ? undefined : this.#offer(scenario, able[0].clusters).reason
    if (able.length > 0 && fitting.length === 0)
      throw new LabError('bad-request', {
        en: `This scenario cannot run here. ${why?.en ?? ''}`.trim(),
        ko: `이 시나리오는 여기에서 실행할 수 없습니다. ${why?.ko ?? ''}`.trim(),
      })
    const ready = fitting.find(({ view }) => view.state === 'ready')
    if (ready !== undefined) return ready.clusters
    throw noBackend(fitting[0]?.view)
  }

  #session(row: SessionRow, scenario: Scenario, clusters: Clusters, terminals: readonly StoredTerminal[] = []): Session {
    const { engine, healthMs, log, store, terminals: terminalOptions } = this.#options
    const session: Session = new Session(
      {
        engine,
        clusters,
        store,
        clock: this.#clock,
        log,
        dir: this.#dir(row.id),
        onEnded: () => this.#live.delete(row.id),
        onEvent: (event: SessionEvent) => {
          if (row.drill_id !== null) for (const observer of this.#observers) observer(session, event)
          for (const watcher of this.#watchers) {
            try {
              watcher(session, event, this.#clock.now())
            } catch (thrown) {
              log.error({ session: session.id, error: asLabError(thrown).message }, 'an event was not understood by who counts')
            }
          }
        },
        ...(healthMs === undefined ? {} : { healthMs }),
        ...(terminalOptions === undefined ? {} : { terminals: terminalOptions }),
      },
      row,
      scenario,
      terminals,
    )
    return session
  }
  #dir(id: string): string {
    return path.join(this.#options.store.dataDir, 'sessions', id)
  }

  /** Whose session it is; null when there is none of that id. */
  async owner(id: string): Promise<string | null> {
    const live = this.#live.get(id)
    if (live !== undefined) return live.user
    return /^[a-f0-9]{16}$/.test(id) ? ((await this.#options.store.session(id))?.user_id ?? null) : null
  }

  /** @throws LabError not-found, also for somebody else's */
  async #row(user: string, id: string): Promise<SessionRow> {
    const row = /^[a-f0-9]{16}$/.test(id) ? await this.#options.store.session(id) : null
    if (row === null || row.user_id !== user)
      throw new LabError(
        'not-found',
        { en: 'There is no such session.', ko: '그런 실습이 없습니다.' },
        { hint: { en: 'The catalogue lists those that are running.', ko: '실행 중인 실습은 목록에 있습니다.' } },
      )
    return row
  }

  /**
   * The session itself, to listen to and act on. One that has ended can still be looked at.
   * @throws LabError not-found; scenario-invalid when its scenario is no longer in the catalogue
   */
  async open(user: string, id: string): Promise<Session> {
    const live = this.#live.get(id)
    if (live !== undefined && live.user === user) return live
    const row = await this.#row(user, id)
    const again = this.#live.get(id)
    if (again !== undefined) return again
    const scenario = this.#options.catalogue.byId(row.scenario_id)
    const clusters = this.#backends.get(row.backend as BackendName) ?? [...this.#backends.values()][0]
    if (scenario === undefined || clusters === undefined)
      throw new LabError(
        'scenario-invalid',
        { en: 'The scenario of this session is no longer in the catalogue.', ko: '이 실습의 시나리오가 더 이상 목록에 없습니다.' },
        {
          hint: { en: 'Its report is still there.', ko: '보고서는 남아 있습니다.' },
        },
      )
    const session = this.#session(row, scenario, clusters, await this.#storedTerminals(id))
    // A failed one may be tried again, and must then be the same for everybody.
    if (row.state === 'failed') this.#live.set(id, session)
    return session
  }

  /**
   * What a learner asks of a session.
   * @throws LabError as `Session.act`; conflict for what only the drill may do that it is a task of; forbidden during an exam
   */
  async act(user: string, id: string, action: SessionAction): Promise<void> {
    const session = await this.open(user, id)
    if (session.drill === null) this.#notExamined(user, { en: 'this lab has to wait', ko: '이 실습은 할 수 없습니다' })
    else if (action.type !== 'hint' && action.type !== 'reset')
      throw new LabError(
        'conflict',
        {
          en: 'This lab is a task of a drill, which hands it in and prepares it.',
          ko: '모의시험의 문제입니다. 준비와 제출은 모의시험에서 합니다.',
        },
        { hint: { en: 'Use the page of the drill.', ko: '모의시험 화면에서 진행하십시오.' } },
      )
    return session.act(action)
  }

  /** @throws LabError not-found */
  async view(user: string, id: string): Promise<SessionView> {
    const live = this.#live.get(id)
    if (live !== undefined && live.user === user) return live.view()
    const row = await this.#row(user, id)
    return { ...(JSON.parse(row.view) as SessionView), spentMs: row.spent_ms }
  }
  /** newest first, at most 100 */
  async list(user: string): Promise<SessionView[]> {
    const rows = await this.#options.store.sessions({ user })
    return rows.map((row) => this.#live.get(row.id)?.view() ?? { ...(JSON.parse(row.view) as SessionView), spentMs: row.spent_ms })
  }
  /** @throws LabError not-found while there is none; forbidden while an exam keeps it sealed, and any report while one runs */
  async report(user: string, id: string): Promise<Report> {
    await this.#row(user, id)
    this.#notExamined(user, { en: 'reports stay closed', ko: '보고서를 볼 수 없습니다' })
    const row = await this.#options.store.report(id)
    if (row === null)
      throw new LabError(
        'not-found',
        { en: 'This session has no report yet.', ko: '아직 보고서가 없습니다.' },
        { hint: { en: 'Submit it or give it up first.', ko: '먼저 제출하거나 포기하세요.' } },
      )
    if (row.sealed !== 0)
      throw new LabError(
        'forbidden',
        {
          en: 'The report of this task is sealed until its exam has ended and its results open.',
          ko: '이 문제의 보고서는 시험이 끝나고 결과가 공개되어야 열립니다.',
        },
        { hint: { en: 'The page of assignments says when.', ko: '언제인지는 과제 화면에 있습니다.' } },
      )
    const report = reportSchema.parse(JSON.parse(row.body))
    // Recordings may be kept for a shorter time than reports.
    return { ...report, recordings: report.recordings.filter(({ terminal }) => existsSync(recordingFile(this.#dir(id), terminal))) }
  }
  /** File of a terminal's recording. @throws LabError not-found; forbidden while an exam runs */
  async recording(user: string, id: string, terminal: number): Promise<string> {
    await this.#row(user, id)
    this.#notExamined(user, { en: 'recordings stay closed', ko: '녹화를 볼 수 없습니다' })
    if ((await this.#options.store.report(id))?.sealed === 1)
      throw new LabError(
        'forbidden',
        { en: 'The recordings of this task open with its results.', ko: '이 문제의 녹화는 결과와 함께 공개됩니다.' },
        { hint: { en: 'The page of assignments says when.', ko: '언제인지는 과제 화면에 있습니다.' } },
      )
    const live = this.#live.get(id)?.terminals.loaded(terminal)
    if (live !== undefined) await (await live).settled()
    const stored = await this.#storedTerminals(id)
    if (!stored.some((one) => one.id === terminal))
      throw new LabError('not-found', {
        en: `This session has no terminal ${terminal}.`,
        ko: `이 실습에는 터미널 ${terminal}이(가) 없습니다.`,
      })
    return recordingFile(this.#dir(id), terminal)
  }
  async #storedTerminals(id: string): Promise<StoredTerminal[]> {
    const rows = await this.#options.store.terminals(id)
    return rows.map((row) => ({
      id: row.id,
      place: place.parse(row.place),
      title: row.title,
      shellId: row.shell_id,
      state: terminalView.shape.state.parse(row.state),
      exitCode: row.exit_code,
    }))
  }

  // ---- for whoever teaches: no check of who asks is made here

  /** A report whoever's it is, sealed or not; null when there is none. */
  async reportOf(id: string): Promise<Report | null> {
    const row = await this.#options.store.report(id)
    return row === null ? null : reportSchema.parse(JSON.parse(row.body))
  }
  /**
   * The verdict on an ended session again, by its scenario's checks as they are now and what was recorded when it was graded.
   * @param before the verdicts that were given, the newest
   */
  async regrade(id: string, before: readonly CheckReport[]): Promise<{ grade: Grade } | { impossible: Text }> {
    const { catalogue, engine, log, store } = this.#options
    const not = (en: string, ko: string) => ({ impossible: { en, ko } })
    const row = /^[a-f0-9]{16}$/.test(id) ? await store.session(id) : null
    if (row === null) return not('Its lab is no longer on record.', '실습 기록이 남아 있지 않습니다.')
    const scenario = catalogue.byId(row.scenario_id)
    if (scenario === undefined) return not('Its scenario is no longer in the catalogue.', '시나리오가 더 이상 목록에 없습니다.')
    if (engine.regrade === undefined) return not('This grader keeps no record.', '이 채점기는 기록을 남기지 않습니다.')
    let evidence: unknown
    try {
      evidence = JSON.parse((await promisify(gunzip)(await readFile(path.join(this.#dir(id), evidenceFile)))).toString('utf8'))
    } catch {
      return not(
        'What the grader saw was not kept: it was graded before such records were made, or their time is over.',
        '채점 당시의 기록이 없습니다. 기록을 남기기 전에 채점했거나 보존 기간이 지났습니다.',
      )
    }
    try {
      return await engine.regrade(evidence, before, (nodes) => engine.resolve(scenario, { seed: row.seed, nodes }))
    } catch (thrown) {
      log.error({ session: id, error: asLabError(thrown).message }, 'a session could not be regraded')
      return not('The grader failed on its record; the server log says how.', '기록을 다시 채점하지 못했습니다. 서버 로그를 확인하십시오.')
    }
  }
  /** Terminals that are recorded. */
  async recorded(id: string): Promise<{ id: number; file: string }[]> {
    return (await this.#storedTerminals(id)).map((one) => ({ id: one.id, file: recordingFile(this.#dir(id), one.id) }))
  }
  /** Removes what was recorded of a session that has ended: terminals, what the grader saw, diagnostics. Its report stays. */
  async forgetRecordings(id: string): Promise<void> {
    if (/^[a-f0-9]{16}$/.test(id) && !this.#live.has(id)) await rm(this.#dir(id), { recursive: true, force: true })
  }

  // ---- after a restart of the server

  /**
   * Brings the sessions of an earlier run back: those that were ready (or being graded) wait for their cluster, others are failed
   * with words. To be done before anybody may ask: a session that is looked up earlier would be a second one of the same id.
   */
  async recall(): Promise<void> {
    const rows = await this.#options.store.sessions({ states: living, limit: 1000 })
    for (const row of rows) {
      const scenario = this.#options.catalogue.byId(row.scenario_id)
      const clusters = this.#backends.get(row.backend as BackendName)
      if (scenario === undefined || clusters === undefined) {
        const why = scenario === undefined ? 'its scenario is no longer in the catalogue' : `the backend "${row.backend}" is switched off`
        const error = new LabError('scenario-invalid', `The server was restarted and this session cannot go on: ${why}.`)
        const view: SessionView = { ...(JSON.parse(row.view) as SessionView), state: 'failed', error: error.view() }
        await this.#options.store.updateSession(row.id, { state: 'failed', view: JSON.stringify(view) })
        continue
      }
      const session = this.#session(row, scenario, clusters, await this.#storedTerminals(row.id))
      this.#live.set(row.id, session)
      const usable = (row.state === 'ready' || row.state === 'grading') && row.cluster_id !== null && row.baseline !== null
      if (!usable) {
        session.failWith(
          new LabError(
            'cancelled',
            { en: 'The server was restarted while this lab was being prepared.', ko: '실습을 준비하는 동안 서버가 다시 시작되었습니다.' },
            {
              hint: { en: 'Try again; a fresh cluster is used.', ko: '다시 시도하세요. 새 클러스터를 사용합니다.' },
            },
          ),
        )
        continue
      }
      session.outage(
        new LabError(
          'backend-unavailable',
          {
            en: 'The server was restarted and is looking for the cluster of this lab.',
            ko: '서버가 다시 시작되어 이 실습의 클러스터를 찾고 있습니다.',
          },
          {
            hint: { en: 'This takes a few seconds; time does not count until then.', ko: '몇 초 걸립니다. 그때까지 시간은 세지 않습니다.' },
          },
        ),
      )
      this.#waiting.set(session, row.cluster_id)
    }
  }

  /**
   * Looks for the clusters of the sessions that wait for one, in the background until each backend has answered. Clusters that
   * nobody uses are given back.
   */
  adopt(): void {
    for (const clusters of this.#backends.values()) void this.#find(clusters)
  }

  async #find(clusters: Clusters, said?: string): Promise<void> {
    const { log } = this.#options
    const left = () => [...this.#waiting.keys()].filter((session) => session.view().backend === clusters.backend)
    try {
      for await (const cluster of clusters.adopt()) {
        const session = left().find((one) => this.#waiting.get(one) === cluster.id)
        if (session !== undefined) this.#waiting.delete(session)
        // One that was ended while it waited needs its cluster no more.
        if (session === undefined || !session.alive) {
          await this.#giveBack(clusters, cluster)
          continue
        }
        try {
          session.resume(cluster)
          log.info({ session: session.id, cluster: cluster.id }, 'session goes on')
        } catch (thrown) {
          session.failWith(asLabError(thrown))
          await this.#giveBack(clusters, cluster)
        }
      }
    } catch (thrown) {
      if (this.#closed) return
      const error = asLabError(thrown)
      // Docker may be gone for days: the log says so once.
      if (error.message !== said) log.warn({ backend: clusters.backend, error: error.message }, 'clusters cannot be looked for yet')
      for (const session of left()) session.outage(error)
      this.#clock.after(this.#options.adoptMs ?? 5000, () => {
        if (!this.#closed) void this.#find(clusters, error.message)
      })
      return
    }
    for (const session of left()) {
      this.#waiting.delete(session)
      if (!session.alive) continue
      session.failWith(
        new LabError(
          'backend-unavailable',
          {
            en: 'The server was restarted, and the cluster of this lab is gone.',
            ko: '서버가 다시 시작되었고 이 실습의 클러스터가 사라졌습니다.',
          },
          {
            hint: { en: 'Try again; a fresh cluster is used.', ko: '다시 시도하세요. 새 클러스터를 사용합니다.' },
          },
        ),
      )
    }
  }
  async #giveBack(clusters: Clusters, cluster: Cluster): Promise<void> {
    try {
      await clusters.release(cluster)
    } catch (thrown) {
      this.#options.log.error(
        { cluster: cluster.id, error: asLabError(thrown).message },
        'a cluster that nobody uses could not be given back',
      )
    }
  }

  // ---- age and end

  /**
   * Ends what a person has running and takes away all their sessions, drills, reports and recordings. To be called once they can start
   * nothing more, and after `Drills.erase`.
   */
  async erase(user: string): Promise<void> {
    const mine = [...this.#live.values()].filter((session) => session.user === user)
    for (const session of mine) {
      await session.abandon()
      await session.settled().catch(() => {})
      this.#live.delete(session.id)
      this.#waiting.delete(session)
    }
    this.#examined.delete(user)
    for (const id of await this.#options.store.people.deleteWork(user))
      await rm(this.#dir(id), { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }

  #sweep(): void {
    this.#cancelSweep = this.#clock.after(60_000, () => {
      const oldest = this.#clock.now() - (this.#options.maxAgeMs ?? 8 * 3_600_000)
      for (const session of this.#live.values()) {
        // A drill has a time of its own.
        if (!session.alive || session.drill !== null || session.view().createdAt >= oldest) continue
        this.#options.log.info({ session: session.id }, 'session ended by age')
        void session.abandon()
      }
      const { idleMs } = this.#options
      if (idleMs !== undefined)
        for (const session of this.#live.values()) {
          if (session.drill !== null || session.state !== 'ready' || session.unseenSince === null || session.asleep) continue
          if (this.#clock.now() - session.unseenSince < idleMs) continue
          void this.#rest(session)
        }
      if (!this.#closed) this.#sweep()
    })
  }

  async #rest(session: Session): Promise<void> {
    if (await session.suspend()) return
    this.#options.log.info({ session: session.id }, 'session ended: nobody looked at it')
    await session.abandon()
  }

  /** Lets go of all sessions and leaves their clusters running, to be adopted by the next run. */
  async close(): Promise<void> {
    this.#closed = true
    this.#cancelSweep?.()
    await Promise.allSettled([...this.#live.values()].map((session) => session.detach()))
  }
}

const finishFirst: Text = { en: 'Finish the exam first.', ko: '먼저 시험을 끝내십시오.' }
const noBackend = (view: BackendView | undefined) =>
  new LabError('backend-unavailable', view === undefined ? 'This server has no backend for labs.' : view.message, {
    hint: view?.remedy ?? 'Run `npm run doctor` on the server, it says what is missing.',
  })
