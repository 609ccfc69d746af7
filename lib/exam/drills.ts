// All drills of this server: draws and starts them, prepares their labs ahead of the learner, hands in and grades, finds them again after
// a restart. The server's clock decides. Knows sessions and rows; knows nothing of HTTP. A user is an opaque id.
//
// A task is a session of its own. What is handed in is frozen first and graded then, so that the verdict is about the moment of the
// hand-in. Whatever fails on this side is tried again, and in the end left out of the total.
import { randomBytes } from 'node:crypto'
import {
  type Archive,
  asLabError,
  type BackendName,
  type Blueprint,
  type DrillAction,
  type DrillPreview,
  type DrillView,
  domain,
  drillLimits,
  type ExamView,
  type Imported,
  LabError,
  modeRules,
  type SessionEvent,
  type Text,
} from '#lib/protocol/index.ts'
import type { Clock, Log, Session, Sessions } from '#lib/session/index.ts'
import type { DrillRow, Store } from '#lib/store/index.ts'
import { exportOf, importInto, readArchive } from './archive.ts'
import { cka, mini, oneDomain, weakSpots } from './blueprint.ts'
import { type Candidate, draw } from './draw.ts'
import { Drill, type DrillRecord, type Terms, type Verdict } from './drill.ts'
import { progressOf } from './score.ts'

export interface DrillsOptions {
  sessions: Sessions
  store: Store
  clock: Clock
  log: Log
  /** labs of one drill that are prepared, or graded, at the same time; default 2 */
  atOnce?: number
  /** milliseconds beyond its time, or in all without a clock, after which a drill is handed in whatever holds it up; default 8 h */
  maxAgeMs?: number
  /** milliseconds for which grading is tried again before a task counts as not evaluable; default 10 min */
  patienceMs?: number
}

/** between two tries at what has failed, and between two notes that the server is there */
const beatMs = 5000
/** a lab is asked for as often as this before its task counts as one that cannot be had */
const mostStarts = 3
const living = ['preparing', 'running', 'grading'] as const

const remarks = {
  unprepared: {
    en: 'Not evaluated: its lab could not be prepared. That is not held against you.',
    ko: '평가하지 않음: 실습 환경을 준비하지 못했습니다. 불이익은 없습니다.',
  },
  late: {
    en: 'Not evaluated: its lab was still being prepared when time was up. That is not held against you.',
    ko: '평가하지 않음: 시간이 끝날 때까지 실습 환경이 준비되지 않았습니다. 불이익은 없습니다.',
  },
  unopened: { en: 'Not attempted.', ko: '풀지 않음.' },
  ungraded: {
    en: 'Not evaluated: the grader could not look at its cluster. That is not held against you.',
    ko: '평가하지 않음: 채점기가 클러스터를 확인하지 못했습니다. 불이익은 없습니다.',
  },
  partly: {
    en: 'Part of it could not be evaluated and is left out of the total.',
    ko: '일부를 평가하지 못해 총점에서 제외했습니다.',
  },
} satisfies Record<string, Text>

interface Held {
  drill: Drill
  /** rows are written one after the other */
  writing: Promise<unknown>
  cancelBeat: (() => void) | null
  /** tasks whose lab is being asked for, or waits for its next try */
  asking: Set<number>
  grading: Set<number>
  queue: number[]
  seenAt: number
}

export class Drills {
  readonly #options: DrillsOptions
  readonly #held = new Map<string, Held>()
  /** users whose drill is being drawn, so that two at once do not both begin */
  readonly #beginning = new Set<string>()
  /** users whose file is being read in */
  readonly #importing = new Set<string>()
  readonly #observers = new Set<(record: DrillRecord) => void>()
  #closed = false

  constructor(options: DrillsOptions) {
    this.#options = options
    options.sessions.observe((session, event) => {
      try {
        this.#heard(session, event)
      } catch (thrown) {
        // A session's life does not hang on what its drill makes of it.
        options.log.error({ session: session.id, error: asLabError(thrown).message }, 'an event of a lab was not understood by its drill')
      }
    })
  }

  // ---- what can be begun, and what was

  /** @param backend for which the previews are drawn; default the first that is ready */
  async overview(user: string, backend?: BackendName): Promise<ExamView> {
    const { clock, sessions, store } = this.#options
    const backends = await sessions.backendViews()
    const at = backend ?? backends.find((one) => one.state === 'ready')?.name ?? backends[0]?.name ?? null
    const candidates = at === null ? [] : this.#candidates(at)
    const attempts = new Map((await store.attempts(user)).map((row) => [row.scenario_id, row.best]))
    const rest = () => ({ mode: 'exam' as const, seed: newSeed() })
    const weak = weakSpots(
      candidates.map((one) => ({ id: one.id, domain: one.domain, best: attempts.get(one.id) ?? null })),
      rest(),
    )
    const offers: [preset: ExamView['presets'][number]['preset'], Blueprint, ExamView['presets'][number]['domain']][] = [
      ['cka', cka(rest()), null],
      ['mini', mini(rest()), null],
      ...(weak === null ? [] : [['weak', weak, null] as [(typeof offers)[number][0], Blueprint, null]]),
      ...domain.options.map((name) => ['domain', oneDomain(name, rest()), name] as (typeof offers)[number]),
    ]
    const drills = (await store.drills({ user, limit: drillLimits.history })).map((row) => this.#held.get(row.id)?.drill ?? read(row))
    const now = clock.now()
    const summaries = drills.map((drill) => drill.summary(now))
    const opened = drills.flatMap(({ record, sealed }) =>
      record.state === 'ended' && !sealed ? record.tasks.filter((task) => task.opened) : [],
    )
    return {
      presets: offers.map(([preset, blueprint, name]) => {
        const { preview } = draw(blueprint, candidates)
        return {
          preset,
          domain: name,
          blueprint,
          preview: preview.tasks === 0 ? null : preview,
          unavailable: preview.tasks === 0 ? (preview.notices[0] ?? null) : null,
        }
      }),
      backends,
      backend: at,
      running: summaries.find((one) => living.some((state) => state === one.state)) ?? null,
      history: summaries.filter((one) => one.state === 'ended' || one.state === 'cancelled'),
      progress: progressOf(summaries, opened),
    }
  }
  /** @throws LabError backend-unavailable */
  async preview(blueprint: Blueprint, backend?: BackendName): Promise<DrillPreview> {
    return draw(blueprint, this.#candidates(await this.#options.sessions.readyBackend(backend))).preview
  }
  #candidates(backend: BackendName): Candidate[] {
    return this.#options.sessions.offered(backend).map(({ hash, id, members, slug, spec }) => ({
      id,
      hash,
      slug,
      members,
      domain: spec.domain,
      difficulty: spec.difficulty,
      weight: spec.weight,
    }))
  }

  /** Tasks that are handed in and have no verdict yet, of all drills. */
  ungraded(): number {
    return [...this.#held.values()].reduce(
      (sum, { drill }) => sum + drill.record.tasks.filter((task) => task.handedInAt !== null && task.verdict === null).length,
      0,
    )
  }

  // ---- one's own data

  /** @throws LabError forbidden during an exam */
  async export(user: string): Promise<Archive> {
    this.#options.sessions.mustNotSit(user)
    return exportOf(this.#options.store, this.#options.clock, user)
  }
  /**
   * Adds what a file has and is not there yet.
   * @throws LabError bad-request with places, too-large, capacity-exceeded, conflict while another is read in, forbidden during an exam, disk-full
   */
  async import(user: string, content: string): Promise<Imported> {
    this.#options.sessions.mustNotSit(user)
    if (this.#importing.has(user))
      throw new LabError(
        'conflict',
        { en: 'Another file of yours is being imported.', ko: '다른 파일을 가져오는 중입니다.' },
        { hint: { en: 'Wait until that is done.', ko: '끝날 때까지 기다리십시오.' } },
      )
    this.#importing.add(user)
    try {
      return await importInto(this.#options.store, user, readArchive(content))
    } finally {
      this.#importing.delete(user)
    }
  }

  // ---- one drill

  /**
   * Draws it and answers at once; its labs are prepared in the background, and the clock starts with the first of them.
   * @throws LabError conflict while another runs, capacity-exceeded when the backend cannot hold its labs, bad-request when nothing can be
   * drawn, rate-limited, backend-unavailable, disk-full
   */
  async start(user: string, blueprint: Blueprint, wanted?: BackendName, terms?: Terms): Promise<{ id: string }> {
    const { clock, sessions, store } = this.#options
    if (this.#closed)
      throw new LabError(
        'backend-unavailable',
        { en: 'The server is shutting down.', ko: '서버가 종료되는 중입니다.' },
        { hint: { en: 'Try again in a moment.', ko: '잠시 후 다시 시도하세요.' } },
      )
    if (this.#beginning.has(user) || this.#of(user) !== undefined)
      throw new LabError(
        'conflict',
        { en: 'A drill of yours is running already.', ko: '이미 진행 중인 모의시험이 있습니다.' },
        {
          hint: {
            en: 'Finish or cancel it first; the drills’ page leads to it.',
            ko: '먼저 그것을 끝내거나 취소하십시오. 모의시험 화면에서 이동할 수 있습니다.',
          },
        },
      )
    this.#beginning.add(user)
    const sealed = modeRules[blueprint.mode].sealed
    try {
      const now = clock.now()
      const lately = await store.drills({ user, since: now - 3_600_000, limit: drillLimits.startsPerHour })
      if (lately.length >= drillLimits.startsPerHour)
        throw new LabError(
          'rate-limited',
          {
            en: `You have begun ${lately.length} drills within an hour, and that is the most.`,
            ko: `한 시간 안에 모의시험을 ${lately.length}번 시작했으며, 이것이 한도입니다.`,
          },
          {
            hint: {
              en: 'Wait a while; single scenarios can be started meanwhile.',
              ko: '잠시 기다리십시오. 그동안 시나리오는 하나씩 시작할 수 있습니다.',
            },
          },
        )
      if (sealed) {
        // From here on nothing else can be started; what was started before must have ended.
        sessions.examine(user)
        const others = sessions.practising(user)
        if (others > 0)
          throw new LabError(
            'conflict',
            {
              en: `You have ${others} other ${others === 1 ? 'lab' : 'labs'} running; an exam is sat alone.`,
              ko: `다른 실습 ${others}개가 실행 중입니다. 시험은 다른 실습 없이 봅니다.`,
            },
            {
              hint: {
                en: 'Submit or give up those first; the catalogue shows which are running.',
                ko: '먼저 그것을 제출하거나 포기하세요. 목록에서 실행 중인 실습을 볼 수 있습니다.',
              },
            },
          )
      }
      const backend = await sessions.readyBackend(wanted)
      const { preview, tasks } = draw(blueprint, this.#candidates(backend))
      if (tasks.length === 0)
        throw new LabError(
          'bad-request',
          {
            en: `Nothing can be drawn by this blueprint. ${preview.notices[0]?.en ?? ''}`.trim(),
            ko: `이 구성으로는 출제할 문제가 없습니다. ${preview.notices[0]?.ko ?? ''}`.trim(),
          },
          {
            hint: {
              en: 'Choose other domains or difficulties, or another backend.',
              ko: '다른 영역이나 난이도, 또는 다른 실행 환경을 고르십시오.',
            },
          },
        )
      const scenarios = tasks.map((task) => sessions.scenario(task.scenario)!)
      const room = await sessions.room(backend, Math.max(...scenarios.map(({ spec }) => spec.needs.workers)))
      if (room !== null && room < tasks.length)
        throw new LabError(
          'capacity-exceeded',
          {
            en: `This drill keeps ${tasks.length} labs at a time, and the backend "${backend}" has room for ${room} more on this machine.`,
            ko: `이 모의시험은 실습 ${tasks.length}개를 동시에 유지하는데, 이 컴퓨터의 "${backend}" 백엔드에는 ${room}개만 더 만들 수 있습니다.`,
          },
          {
            hint: {
              en: 'Choose a drill with fewer tasks, end labs that are no longer needed, or take the simulated backend, which holds many.',
              ko: '문제 수가 적은 모의시험을 고르거나, 필요 없는 실습을 끝내거나, 실습을 많이 담을 수 있는 시뮬레이션 환경을 고르십시오.',
            },
          },
        )
      const record: DrillRecord = {
        id: randomBytes(8).toString('hex'),
        user,
        name: terms?.name ?? preview.name,
        notices: preview.notices,
        ...(terms === undefined ? {} : { terms }),
        blueprint,
        backend,
        state: 'preparing',
        createdAt: now,
        startedAt: null,
        endedAt: null,
        outages: [],
        current: null,
        since: null,
        tasks: tasks.map((task, index) => ({
          ...task,
          title: scenarios[index]!.spec.title,
          minutes: scenarios[index]!.spec.minutes,
          session: null,
          starts: 0,
          error: null,
          lost: false,
          opened: false,
          flagged: false,
          spentMs: 0,
          handedInAt: null,
          verdict: null,
        })),
        notepad: { text: '', version: 0 },
        error: null,
        timedOut: false,
      }
      const drill = new Drill(record)
      await store.insertDrill(rowOf(drill, now))
      const held = this.#hold(drill, now)
      this.#prepare(held)
      this.#beat(held)
      return { id: record.id }
    } catch (thrown) {
      if (sealed && this.#of(user) === undefined) sessions.release(user)
      throw thrown
    } finally {
      this.#beginning.delete(user)
    }
  }

  /** Whose drill it is; null when there is none of that id. */
  async owner(id: string): Promise<string | null> {
    const held = this.#held.get(id)
    if (held !== undefined) return held.drill.record.user
    return /^[a-f0-9]{16}$/.test(id) ? ((await this.#options.store.drill(id))?.user_id ?? null) : null
  }

  /** @throws LabError not-found, also for somebody else's */
  async view(user: string, id: string): Promise<DrillView> {
    const held = this.#mine(user, id)
    if (held !== undefined) {
      this.#look(held)
      return this.#viewOf(held.drill)
    }
    return this.#viewOf(await this.#stored(user, id))
  }
  #viewOf(drill: Drill): DrillView {
    const { clock, sessions } = this.#options
    return drill.view(clock.now(), (session) => {
      const view = sessions.live(session)?.view()
      return view === undefined ? null : { state: view.state, error: view.error }
    })
  }
  async #stored(user: string, id: string): Promise<Drill> {
    const row = /^[a-f0-9]{16}$/.test(id) ? await this.#options.store.drill(id) : null
    if (row === null || row.user_id !== user)
      throw new LabError(
        'not-found',
        { en: 'There is no such drill.', ko: '그런 모의시험이 없습니다.' },
        { hint: { en: 'The drills’ page lists yours.', ko: '모의시험 화면에 목록이 있습니다.' } },
      )
    return read(row)
  }
  #of(user: string): Held | undefined {
    return [...this.#held.values()].find(({ drill }) => drill.record.user === user && drill.alive)
  }
  #mine(user: string, id: string): Held | undefined {
    const held = this.#held.get(id)
    return held?.drill.record.user === user ? held : undefined
  }

  /**
   * What its owner does. What comes after the time is up does nothing more: all was handed in then.
   * @throws LabError not-found, conflict, disk-full
   */
  async act(user: string, id: string, action: DrillAction): Promise<DrillView> {
    const held = this.#mine(user, id)
    if (held === undefined) {
      await this.#stored(user, id)
      throw new LabError(
        'conflict',
        { en: 'This drill is over.', ko: '끝난 모의시험입니다.' },
        { hint: { en: 'Its review is there.', ko: '복기 화면을 보십시오.' } },
      )
    }
    const { drill } = held
    this.#look(held)
    const now = this.#options.clock.now()
    if (drill.record.timedOut && (action.type === 'hand-in' || action.type === 'finish')) return this.#viewOf(drill)
    switch (action.type) {
      case 'open':
        drill.open(action.task, now)
        this.#prepare(held)
        break
      case 'flag':
        drill.flag(action.task, action.flagged)
        break
      case 'note':
        drill.note(action.text, action.version)
        break
      case 'hand-in': {
        const state = this.#lab(drill.task(action.task).session)?.state
        if (
          drill.record.state === 'running' &&
          drill.task(action.task).handedInAt === null &&
          (state === undefined || state === 'starting')
        )
          if (drill.task(action.task).error === null)
            throw new LabError(
              'conflict',
              { en: `The lab of task ${action.task} is still being prepared.`, ko: `문제 ${action.task}의 실습을 아직 준비하고 있습니다.` },
              {
                hint: {
                  en: 'Wait until it is there, or go on with another task; finishing the drill hands in all of them.',
                  ko: '준비될 때까지 기다리거나 다른 문제를 먼저 푸십시오. 모의시험을 종료하면 모두 제출됩니다.',
                },
              },
            )
        drill.handIn(action.task, now)
        if (drill.record.tasks.every((task) => task.handedInAt !== null)) drill.finish(now, false)
        this.#freeze(held)
        break
      }
      case 'finish':
        drill.finish(now, false)
        this.#freeze(held)
        break
      case 'cancel':
        if (drill.record.state !== 'preparing')
          throw new LabError(
            'conflict',
            { en: 'This drill has begun and can no longer be cancelled.', ko: '이미 시작되어 취소할 수 없습니다.' },
            { hint: { en: 'Finish it: what is left is handed in as it is.', ko: '종료하십시오. 남은 문제는 지금 상태로 제출됩니다.' } },
          )
        await this.#cancel(held, null)
        break
    }
    await this.#save(held)
    this.#gradeNext(held)
    return this.#viewOf(drill)
  }

  // ---- for whoever has set it

  /** Calls back with every drill that has ended and is graded, or was cancelled. One that ended while nobody listened is found by `record`. */
  observe(observer: (record: DrillRecord) => void): void {
    this.#observers.add(observer)
  }
  /** All that is known of a drill; null when there is none of that id. For those whose business it is: no check of who asks is made here. */
  async record(id: string): Promise<DrillRecord | null> {
    const held = this.#held.get(id)
    if (held !== undefined) {
      this.#look(held)
      return held.drill.record
    }
    const row = /^[a-f0-9]{16}$/.test(id) ? await this.#options.store.drill(id) : null
    return row === null ? null : read(row).record
  }
  /** It as its owner sees it while it lives. @throws LabError not-found */
  async seen(id: string): Promise<DrillView> {
    const record = await this.record(id)
    return this.view(record?.user ?? '', id)
  }
  /** Changes its terms while it runs; the clock follows at once. False when it is over. @throws LabError disk-full */
  async change(id: string, terms: Partial<Pick<Terms, 'notAfter' | 'extraMs' | 'resultsAt'>>): Promise<boolean> {
    const held = this.#held.get(id)
    if (held === undefined) return false
    this.#look(held)
    const { record } = held.drill
    if (record.terms === undefined || (record.state !== 'running' && record.state !== 'preparing')) return false
    record.terms = { ...record.terms, ...terms }
    await this.#save(held)
    this.#beat(held)
    return true
  }
  /** Of a drill that has ended and whose results are kept closed: until when, as things stand now. */
  async withhold(id: string, resultsAt: number): Promise<void> {
    await this.#settled(id, (drill) => {
      if (drill.withheld === null || drill.withheld === resultsAt) return false
      drill.record.terms = { ...drill.record.terms!, resultsAt }
      return true
    })
  }
  /** Opens the results of a drill that has ended and whose terms kept them closed; of any other it changes nothing. */
  async open(id: string): Promise<void> {
    await this.#settled(id, async (drill) => {
      if (drill.withheld === null) return false
      // First what it is about: whoever stops in between does it again.
      await this.#options.sessions.reveal(id)
      drill.record.terms = { ...drill.record.terms!, resultsAt: null }
      return true
    })
  }
  /** Changes what is stored of a drill that has ended, where `work` says that it has changed it. */
  async #settled(id: string, work: (drill: Drill) => boolean | Promise<boolean>): Promise<void> {
    const held = this.#held.get(id)
    if (held !== undefined) {
      if (held.drill.record.state === 'ended' && (await work(held.drill))) await this.#save(held)
      return
    }
    const row = await this.#options.store.drill(id)
    if (row === null || row.state !== 'ended') return
    const drill = read(row)
    if (!(await work(drill))) return
    const { id: _, ...changed } = rowOf(drill, row.seen_at)
    await this.#options.store.updateDrill(id, changed)
  }
  /** Ends it for its owner: what runs is handed in as it is, what has not begun is cancelled. */
  async end(id: string): Promise<void> {
    const held = this.#held.get(id)
    if (held === undefined) return
    const { state, user } = held.drill.record
    if (state === 'running') await this.act(user, id, { type: 'finish' })
    else if (state === 'preparing') await this.act(user, id, { type: 'cancel' })
  }

  // ---- labs

  #lab(session: string | null): Session | undefined {
    return session === null ? undefined : this.#options.sessions.live(session)
  }
  #hold(drill: Drill, seenAt: number): Held {
    const held: Held = { drill, writing: Promise.resolve(), cancelBeat: null, asking: new Set(), grading: new Set(), queue: [], seenAt }
    this.#held.set(drill.record.id, held)
    return held
  }

  /** Asks for as many labs as may be made at the same time: that of the open task first, then in the drill's order. */
  #prepare(held: Held): void {
    const { record } = held.drill
    if (this.#closed || (record.state !== 'preparing' && record.state !== 'running')) return
    const { atOnce = 2 } = this.#options
    const making = new Set([
      ...held.asking,
      ...record.tasks.flatMap((task, index) => (this.#lab(task.session)?.state === 'starting' ? [index + 1] : [])),
    ])
    const left = record.tasks
      .map((task, index) => ({ task, number: index + 1 }))
      .filter(({ task, number }) => task.session === null && task.handedInAt === null && task.starts < mostStarts && !making.has(number))
      .sort((a, b) => Number(b.number === record.current) - Number(a.number === record.current) || a.number - b.number)
    for (const { number } of left.slice(0, Math.max(0, atOnce - making.size))) void this.#ask(held, number)
    // The one that is waited for is not kept waiting by those that are not.
    const first = left[0]
    if (first !== undefined && first.number === record.current && !held.asking.has(first.number)) void this.#ask(held, first.number)
  }
  async #ask(held: Held, number: number): Promise<void> {
    const { record } = held.drill
    const task = held.drill.task(number)
    held.asking.add(number)
    task.starts += 1
    try {
      const { id } = await this.#options.sessions.start(record.user, task.scenario, {
        backend: record.backend,
        seed: task.seed,
        drill: { id: record.id, mode: record.blueprint.mode },
      })
      task.session = id
      task.error = null
    } catch (thrown) {
      task.error = asLabError(thrown).view()
      this.#options.log.warn({ drill: record.id, task: number, error: task.error.message }, 'a lab of a drill could not be started')
      if (task.starts < mostStarts && !this.#closed) {
        this.#later(() => {
          held.asking.delete(number)
          this.#go(held)
        })
        return
      }
    }
    held.asking.delete(number)
    await this.#save(held).catch(() => {})
    // It may have been handed in or cancelled meanwhile.
    if (!held.drill.alive) void this.#lab(task.session)?.abandon()
    this.#go(held)
  }
  #go(held: Held): void {
    this.#follow(held)
    this.#gradeNext(held)
  }

  #heard(session: Session, event: SessionEvent): void {
    const held = session.drill === null ? undefined : this.#held.get(session.drill)
    if (held === undefined || this.#closed) return
    if (event.type === 'outage') this.#outages(held)
    if (event.type !== 'state') return
    const index = held.drill.record.tasks.findIndex((task) => task.session === session.id)
    const task = held.drill.record.tasks[index]
    if (event.state === 'failed' && task !== undefined && task.handedInAt === null && held.drill.alive && task.starts < mostStarts) {
      task.starts += 1
      if (event.view.readyAt !== null) task.lost = true
      this.#retryLater(held, index + 1, session)
    }
    this.#outages(held)
    this.#follow(held)
  }
  /** Another try for a lab that has failed; not within its own event. */
  #retryLater(held: Held, number: number, lab: Session): void {
    held.asking.add(number)
    this.#later(() => {
      held.asking.delete(number)
      if (held.drill.alive && held.drill.task(number).handedInAt === null && lab.state === 'failed')
        void lab.act({ type: 'retry' }).catch(() => {})
      this.#go(held)
    })
  }
  /** What follows from how the labs stand: the drill begins, or cannot; the next labs are prepared. */
  #follow(held: Held): void {
    const { drill } = held
    const { record } = drill
    if (this.#closed || !drill.alive) return
    if (record.state === 'preparing') {
      const ready = record.tasks.map((task) => this.#lab(task.session)?.state === 'ready')
      const lost = record.tasks.map((_, index) => this.#hopeless(held, index + 1))
      const first = ready.indexOf(true)
      if (first >= 0 && (first === 0 || lost[0])) {
        drill.begin(first + 1, this.#options.clock.now())
        this.#outages(held)
        void this.#save(held).catch(() => {})
        this.#beat(held)
      } else if (lost.filter(Boolean).length >= Math.min(2, record.tasks.length)) {
        const at = lost.indexOf(true)
        const error = this.#lab(record.tasks[at]!.session)?.view().error ?? record.tasks[at]!.error
        void this.#cancel(held, error)
          .then(() => this.#save(held))
          .catch(() => {})
        return
      }
    }
    this.#prepare(held)
  }
  #hopeless(held: Held, number: number): boolean {
    const task = held.drill.task(number)
    if (held.asking.has(number) || task.starts < mostStarts) return false
    return task.session === null ? task.error !== null : this.#lab(task.session)?.state === 'failed'
  }
  #outages(held: Held): void {
    const { drill } = held
    if (drill.record.state !== 'running') return
    const out = drill.record.tasks.some((task) => task.handedInAt === null && this.#lab(task.session)?.view().outage != null)
    const before = drill.clock(this.#options.clock.now()).stopped
    drill.outage(out, this.#options.clock.now())
    if (before === out) return
    void this.#save(held).catch(() => {})
    this.#beat(held)
  }
  async #cancel(held: Held, error: DrillView['error']): Promise<void> {
    held.drill.cancel(this.#options.clock.now(), error)
    held.cancelBeat?.()
    const labs = held.drill.record.tasks.flatMap((task) => this.#lab(task.session) ?? [])
    await Promise.allSettled(labs.map((lab) => lab.abandon()))
    this.#options.sessions.release(held.drill.record.user)
    this.#forget(held)
    for (const observer of this.#observers) observer(held.drill.record)
  }
  /** Calls off what a person has running; the rows go with `Sessions.erase`. */
  async erase(user: string): Promise<void> {
    for (const held of [...this.#held.values()].filter(({ drill }) => drill.record.user === user)) {
      await this.#cancel(held, null)
      await held.writing
      this.#held.delete(held.drill.record.id)
    }
  }
  #forget(held: Held): void {
    held.cancelBeat?.()
    void held.writing.finally(() => {
      if (!held.drill.alive) this.#held.delete(held.drill.record.id)
    })
  }

  // ---- time

  /** Hands in what is over; to be asked before anything is said or done, for no timer is exact. */
  #look(held: Held): void {
    const { drill } = held
    if (drill.record.state !== 'running') return
    const now = this.#options.clock.now()
    const { maxAgeMs = 8 * 3_600_000 } = this.#options
    const { over } = drill.clock(now)
    const minutes = drill.minutes ?? 0
    if (!over && now < drill.record.startedAt! + minutes * 60_000 + maxAgeMs) return
    drill.finish(now, true)
    this.#freeze(held)
    void this.#save(held).catch(() => {})
    this.#gradeNext(held)
  }
  /** Once every few seconds, and at the very end of the time. */
  #beat(held: Held): void {
    held.cancelBeat?.()
    held.cancelBeat = null
    if (this.#closed || held.drill.record.state !== 'running') return
    const { clock } = this.#options
    this.#look(held)
    if (held.drill.record.state !== 'running') return
    const now = clock.now()
    if (now - held.seenAt >= beatMs) {
      held.seenAt = now
      held.writing = held.writing.then(() => this.#options.store.updateDrill(held.drill.record.id, { seen_at: now })).catch(() => {})
    }
    const { leftMs, stopped } = held.drill.clock(now)
    held.cancelBeat = clock.after(leftMs === null || stopped ? beatMs : Math.max(1, Math.min(beatMs, leftMs)), () => this.#beat(held))
  }
  #later(work: () => void): void {
    this.#options.clock.after(beatMs, () => {
      if (!this.#closed) work()
    })
  }

  // ---- verdicts

  /** Shells and editors of all that is handed in are shut, all at the same moment, before anything is graded. */
  #freeze(held: Held): void {
    for (const task of held.drill.record.tasks)
      if (task.handedInAt !== null && task.verdict === null) void this.#lab(task.session)?.freeze()
  }
  #gradeNext(held: Held): void {
    if (this.#closed) return
    const { drill } = held
    const { atOnce = 2 } = this.#options
    for (const [index, task] of drill.record.tasks.entries()) {
      if (held.grading.size >= atOnce) return
      const number = index + 1
      if (task.handedInAt === null || task.verdict !== null || held.grading.has(number) || held.asking.has(number)) continue
      held.grading.add(number)
      void this.#verdict(held, number)
        .catch((thrown: unknown): Verdict => {
          this.#options.log.error({ drill: drill.record.id, task: number, error: asLabError(thrown).message }, 'a task could not be graded')
          return { score: null, evaluated: 0, remark: remarks.ungraded }
        })
        .then(async (verdict) => {
          if (this.#closed || verdict === null) return
          drill.settle(number, verdict)
          held.grading.delete(number)
          await this.#save(held).catch(() => {})
          this.#gradeNext(held)
          await this.#endIfDone(held)
        })
    }
  }
  /** null: the server ends meanwhile, and the next run goes on. */
  async #verdict(held: Held, number: number): Promise<Verdict | null> {
    const { clock, log, patienceMs = 600_000, sessions } = this.#options
    const { drill } = held
    const task = drill.task(number)
    const left = (remark: Text): Verdict => ({ score: null, evaluated: 0, remark })
    let troubleSince: number | null = null
    for (;;) {
      if (this.#closed) return null
      if (task.session === null)
        return task.error !== null
          ? left(remarks.unprepared)
          : drill.record.timedOut && task.opened
            ? left(remarks.late)
            : { score: 0, evaluated: 1, remark: remarks.unopened }
      const lab = this.#lab(task.session)
      const state = lab?.state ?? 'ended'
      if (lab === undefined || state === 'ended') {
        const found = await sessions.verdict(task.session)
        if (found === null || found.score === null || found.totalWeight <= 0) return left(remarks.ungraded)
        const evaluated = found.evaluatedWeight / found.totalWeight
        return { score: found.score, evaluated, remark: evaluated < 1 ? remarks.partly : null }
      }
      if (state === 'starting') {
        const handedOver = lab.view().readyAt !== null
        await lab.abandon()
        if (handedOver || task.starts > 1) return left(remarks.unprepared)
        return drill.record.timedOut && task.opened ? left(remarks.late) : { score: 0, evaluated: 1, remark: remarks.unopened }
      }
      if (state === 'failed') {
        await lab.abandon()
        return left(remarks.unprepared)
      }
      if (state === 'resetting' || state === 'grading') {
        await lab.idle()
        if (lab.state === state) await this.#wait()
        continue
      }
      let trouble = 'grading failed'
      try {
        await lab.handIn(Math.round(task.spentMs))
        if (lab.state === 'ended') continue
      } catch (thrown) {
        trouble = asLabError(thrown).message
      }
      const now = clock.now()
      troubleSince ??= now
      log.warn({ drill: drill.record.id, task: number, trouble }, 'a task cannot be graded yet')
      if (now - troubleSince >= patienceMs) {
        await lab.abandon()
        return left(remarks.ungraded)
      }
      await this.#wait()
    }
  }
  #wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.after(beatMs, resolve)
    })
  }
  async #endIfDone(held: Held): Promise<void> {
    const { drill } = held
    const { log, sessions } = this.#options
    if (drill.record.state !== 'grading' || !drill.settled) return
    try {
      // Opened first: a server that ends in between does it again, one that had told the end would not.
      if (drill.sealed && drill.withheld === null) await sessions.reveal(drill.record.id)
    } catch (thrown) {
      log.error({ drill: drill.record.id, error: asLabError(thrown).message }, 'the reports of a drill could not be opened yet')
      this.#later(() => void this.#endIfDone(held))
      return
    }
    if (drill.record.state !== 'grading') return
    drill.end()
    sessions.release(drill.record.user)
    this.#storeEnd(held)
    for (const observer of this.#observers) observer(drill.record)
  }
  /** Until then it is kept in memory: a full disk may take a while. */
  #storeEnd(held: Held): void {
    this.#save(held).then(
      () => this.#forget(held),
      () => this.#later(() => this.#storeEnd(held)),
    )
  }

  // ---- rows

  /** @throws LabError disk-full, backend-unavailable; what was changed stays so in this process */
  #save(held: Held): Promise<void> {
    const saved = held.writing.then(async () => {
      const { id: _, ...row } = rowOf(held.drill, Math.max(held.seenAt, this.#options.clock.now()))
      await this.#options.store.updateDrill(held.drill.record.id, row)
    })
    held.writing = saved.catch((thrown: unknown) => {
      this.#options.log.error({ drill: held.drill.record.id, error: asLabError(thrown).message }, 'a drill could not be stored')
    })
    return saved
  }

  /**
   * Brings the drills of an earlier run back, after the sessions and before anybody may ask. Since that run was last known to be there, the
   * clock has stood still; it goes on when the labs are found again.
   */
  async recall(): Promise<void> {
    const { clock, sessions, store } = this.#options
    for (const row of await store.drills({ states: living, limit: 1000 })) {
      const drill = read(row)
      const { record } = drill
      const held = this.#hold(drill, clock.now())
      if (drill.sealed) sessions.examine(record.user)
      for (const task of record.tasks) {
        if (task.session === null) {
          // Asked for when the server ended: asked for again.
          if (task.handedInAt === null && task.starts >= mostStarts && task.error === null) task.starts -= 1
          continue
        }
        if (task.verdict !== null) continue
        // One that had failed is not among the living, and may be tried again.
        await sessions.open(record.user, task.session).catch(() => undefined)
      }
      if (record.state === 'running') drill.outage(true, clock.now(), Number(row.seen_at))
      this.#freeze(held)
      for (const [index, task] of record.tasks.entries()) {
        const lab = this.#lab(task.session)
        if (lab?.state === 'failed' && task.handedInAt === null && record.state !== 'grading') this.#retryLater(held, index + 1, lab)
      }
      this.#outages(held)
    }
    // What a drill has let go of and the server's end has left behind.
    for (const session of sessions.drilled()) {
      const drill = this.#held.get(session.drill ?? '')?.drill
      if (!drill?.record.tasks.some((task) => task.session === session.id)) void session.abandon()
    }
  }
  /** Goes on with what `recall` found, once labs can be made and found. */
  resume(): void {
    for (const held of this.#held.values()) {
      this.#go(held)
      this.#beat(held)
      void this.#endIfDone(held)
    }
  }

  /** Lets go of all drills; the next run goes on with them. To be called before the sessions are let go of. */
  async close(): Promise<void> {
    this.#closed = true
    for (const held of this.#held.values()) held.cancelBeat?.()
    await Promise.allSettled([...this.#held.values()].map((held) => this.#save(held)))
  }
}

const newSeed = (): string => randomBytes(5).toString('hex')
const read = (row: DrillRow): Drill => new Drill(JSON.parse(row.body) as DrillRecord)
function rowOf(drill: Drill, seenAt: number): DrillRow {
  const { record } = drill
  return {
    id: record.id,
    user_id: record.user,
    state: record.state,
    mode: record.blueprint.mode,
    backend: record.backend,
    created_at: record.createdAt,
    started_at: record.startedAt,
    ended_at: record.endedAt,
    seen_at: seenAt,
    score: drill.summary(record.endedAt ?? record.createdAt).result?.score ?? null,
    body: JSON.stringify(record),
  }
}
