// One drill as a record and the rules for changing it: what is open, flagged, noted, handed in, how long each task took, when it is over.
// Time comes in as an argument. Knows nothing of labs, of storage or of who asks; what it is told of labs it repeats.
// Invariants: what is handed in stays so; a verdict is written once; nothing moves on once it has ended.
import {
  type BackendName,
  type Blueprint,
  type DrillState,
  type DrillSummary,
  type DrillTask,
  type DrillView,
  type ErrorView,
  LabError,
  modeRules,
  type SessionState,
  type Text,
} from '#lib/protocol/index.ts'
import { covered, type Reading, readClock, type Span } from './clock.ts'
import type { DrawnTask } from './draw.ts'
import { scoreOf } from './score.ts'

export interface Verdict {
  /** 0…100 of what could be evaluated; null: nothing could */
  score: number | null
  /** 0…1 */
  evaluated: number
  remark: Text | null
}
export interface TaskRecord extends DrawnTask {
  title: Text
  minutes: number
  session: string | null
  /** how often a lab was asked for */
  starts: number
  /** why the last one could not be had */
  error: ErrorView | null
  /** its lab was lost after it had been handed over, and made anew */
  lost: boolean
  opened: boolean
  flagged: boolean
  spentMs: number
  handedInAt: number | null
  verdict: Verdict | null
}
/** What whoever has set a drill adds to its blueprint. */
export interface Terms {
  /** for whom it is kept: the assignment that it is an attempt at */
  assignment: string
  /** shown in place of the name that the draw gives */
  name: Text
  /** when all is handed in at the latest, whatever its clock says (time lost on our side is given back); null: no such time */
  notAfter: number | null
  /** more than the blueprint's minutes */
  extraMs: number
  /**
   * Of what an exam keeps sealed: the results stay closed after its end, until whoever has set it opens them (`Drills.open`), at this time
   * as things stand. Null or absent: they open with the end.
   */
  resultsAt?: number | null
}
/** All that is stored of a drill. Plain JSON. */
export interface DrillRecord {
  /** absent of one's own */
  terms?: Terms
  id: string
  user: string
  name: Text
  notices: Text[]
  blueprint: Blueprint
  backend: BackendName
  state: DrillState
  createdAt: number
  startedAt: number | null
  endedAt: number | null
  outages: Span[]
  current: number | null
  /** since when `current` is open, as far as its time is not in `spentMs` yet */
  since: number | null
  tasks: TaskRecord[]
  notepad: { text: string; version: number }
  error: ErrorView | null
  timedOut: boolean
  /** brought in by its owner from a file */
  imported?: true
}
/** What is known of a task's lab now. */
export interface LabNow {
  state: SessionState
  error: ErrorView | null
}

const lostWords: Text = {
  en: 'The cluster of this task was lost on our side; a fresh one has taken its place.',
  ko: '이 문제의 클러스터가 서버 쪽 문제로 사라져 새 클러스터로 다시 시작했습니다.',
}
/** outages kept apart; older ones are drawn together */
const mostOutages = 200

export class Drill {
  readonly record: DrillRecord
  constructor(record: DrillRecord) {
    this.record = record
  }

  get alive(): boolean {
    return this.record.state === 'preparing' || this.record.state === 'running' || this.record.state === 'grading'
  }
  get sealed(): boolean {
    return modeRules[this.record.blueprint.mode].sealed && (this.record.state !== 'ended' || this.withheld !== null)
  }
  /** until when its results stay closed beyond its end, as things stand; null: not beyond */
  get withheld(): number | null {
    return modeRules[this.record.blueprint.mode].sealed ? (this.record.terms?.resultsAt ?? null) : null
  }
  /** @throws LabError not-found */
  task(number: number): TaskRecord {
    const found = this.record.tasks[number - 1]
    if (found === undefined)
      throw new LabError(
        'not-found',
        { en: `This drill has no task ${number}.`, ko: `이 모의시험에는 ${number}번 문제가 없습니다.` },
        { hint: { en: `It has ${this.record.tasks.length}.`, ko: `문제는 ${this.record.tasks.length}개입니다.` } },
      )
    return found
  }
  clock(now: number): Reading {
    const { endedAt, outages, startedAt } = this.record
    return readClock({ startedAt, minutes: this.minutes, outages }, Math.min(now, endedAt ?? now))
  }
  /** that the clock gives in all, what its terms add and cut included; null: no clock */
  get minutes(): number | null {
    const { blueprint, startedAt, terms } = this.record
    const own = modeRules[blueprint.mode].clock ? blueprint.minutes + (terms?.extraMs ?? 0) / 60_000 : null
    if (terms === undefined || terms.notAfter === null || startedAt === null) return own
    const left = Math.max(0, (terms.notAfter - startedAt) / 60_000)
    return own === null ? left : Math.min(own, left)
  }

  // ---- what changes it

  /** The first lab is there: the clock starts. */
  begin(task: number, now: number): void {
    this.record.state = 'running'
    this.record.startedAt = now
    this.open(task, now)
  }
  /** @throws LabError conflict before the start, for what is handed in */
  open(number: number, now: number): void {
    this.#mustRun()
    const task = this.task(number)
    if (task.handedInAt !== null) throw handedIn(number)
    if (this.record.current === number) return
    this.#flush(now)
    task.opened = true
    this.record.current = number
    this.record.since = now
  }
  flag(number: number, flagged: boolean): void {
    this.#mustRun()
    this.task(number).flagged = flagged
  }
  /** @throws LabError conflict when another window has written since */
  note(text: string, version: number): void {
    if (this.record.state !== 'running' && this.record.state !== 'preparing') throw over()
    if (version !== this.record.notepad.version)
      throw new LabError(
        'conflict',
        { en: 'The notepad was changed in another window since you began to write.', ko: '쓰는 동안 다른 창에서 메모장이 바뀌었습니다.' },
        { hint: { en: 'Take what is there, or write yours over it.', ko: '바뀐 내용을 쓰거나, 지금 쓴 것으로 덮어쓰십시오.' } },
      )
    this.record.notepad = { text, version: version + 1 }
  }
  /** For good. What was open gives way to the next task that is left. @throws LabError conflict */
  handIn(number: number, now: number): void {
    this.#mustRun()
    const task = this.task(number)
    if (task.handedInAt !== null) throw handedIn(number)
    this.#flush(now)
    task.handedInAt = now
    if (this.record.current !== number) return
    this.record.current = null
    this.record.since = null
    const { tasks } = this.record
    const order = [...tasks.keys()].map((index) => ((number + index) % tasks.length) + 1)
    const next = order.find((other) => this.task(other).handedInAt === null)
    if (next !== undefined) this.open(next, now)
  }
  /** Hands in all that is left. */
  finish(now: number, timedOut: boolean): void {
    this.#mustRun()
    const at = timedOut ? Math.min(now, this.clock(now).endsAt ?? now) : now
    this.#flush(at)
    for (const task of this.record.tasks) task.handedInAt ??= at
    this.record.current = null
    this.record.since = null
    this.record.state = 'grading'
    this.record.endedAt = at
    this.record.timedOut = timedOut
    this.record.outages = this.record.outages.filter((span) => span.from < at)
    for (const span of this.record.outages) span.to = Math.min(at, span.to ?? at)
  }
  cancel(now: number, error: ErrorView | null): void {
    this.record.state = 'cancelled'
    this.record.endedAt = now
    this.record.error = error
  }
  /** Outages of this side begin and end. `from`: when it began, where that is known only later. */
  outage(on: boolean, now: number, from = now): void {
    const { outages } = this.record
    const open = outages.find((span) => span.to === null)
    if (on && open === undefined) outages.push({ from, to: null })
    if (!on && open !== undefined) open.to = now
    const [first, second] = outages
    if (outages.length > mostOutages && first?.to != null && second?.to != null) {
      // As long as the two were; when each was matters no more.
      const length = covered([first, second], first.from, Math.max(first.to, second.to))
      outages.splice(0, 2, { from: second.to - length, to: second.to })
    }
  }
  settle(number: number, verdict: Verdict): void {
    this.task(number).verdict ??= verdict
  }
  get settled(): boolean {
    return this.record.tasks.every(({ verdict }) => verdict !== null)
  }
  end(): void {
    this.record.state = 'ended'
  }

  #mustRun(): void {
    if (this.record.state === 'running') return
    throw this.record.state === 'preparing'
      ? new LabError(
          'conflict',
          { en: 'The first lab of this drill is still being prepared.', ko: '모의시험의 첫 실습을 아직 준비하고 있습니다.' },
          { hint: { en: 'The clock has not started yet.', ko: '시간은 아직 시작되지 않았습니다.' } },
        )
      : over()
  }
  #flush(now: number): void {
    const { current, since } = this.record
    if (current === null || since === null) return
    this.task(current).spentMs += this.#open(since, now)
    this.record.since = now
  }
  /** outages left out */
  #open(since: number, now: number): number {
    return Math.max(0, now - since - covered(this.record.outages, since, now))
  }
  spent(number: number, now: number): number {
    const { current, since } = this.record
    return this.task(number).spentMs + (current === number && since !== null ? this.#open(since, now) : 0)
  }

  // ---- what it looks like

  view(now: number, lab: (session: string) => LabNow | null): DrillView {
    const { record } = this
    const { alert, endsAt, givenBackMs, stopped } = this.clock(now)
    const tasks = record.tasks.map((_, index) => this.#taskView(index + 1, now, lab))
    return {
      id: record.id,
      name: record.name,
      notices: record.notices,
      blueprint: record.blueprint,
      backend: record.backend,
      state: record.state,
      now,
      createdAt: record.createdAt,
      startedAt: record.startedAt,
      endsAt,
      endedAt: record.endedAt,
      givenBackMs: Math.round(givenBackMs),
      stopped: stopped && record.state === 'running',
      alert: record.state === 'running' ? alert : null,
      current: record.current,
      tasks,
      notepad: record.notepad,
      error: record.error,
      result: this.#result(),
      timedOut: record.timedOut,
      ...(record.terms === undefined ? {} : { assignment: record.terms.assignment }),
      ...(this.withheld === null ? {} : { resultsAt: this.withheld }),
    }
  }
  #taskView(number: number, now: number, lab: (session: string) => LabNow | null): DrillTask {
    const task = this.task(number)
    const there = task.session === null ? null : lab(task.session)
    const known = this.sealed ? null : task.verdict
    const state = (): DrillTask['state'] => {
      if (known !== null) return 'graded'
      if (task.handedInAt !== null) return 'handed-in'
      if (there === null) return task.error === null ? (task.session === null ? 'waiting' : 'preparing') : 'failed'
      if (there.state === 'starting') return 'preparing'
      return there.state === 'failed' ? 'failed' : 'ready'
    }
    return {
      number,
      title: task.title,
      domain: task.domain,
      weight: task.weight,
      minutes: task.minutes,
      flagged: task.flagged,
      state: state(),
      session: task.opened || this.record.state === 'ended' ? task.session : null,
      lab: there?.state ?? null,
      error: task.handedInAt === null ? (there?.error ?? task.error) : null,
      spentMs: Math.round(this.spent(number, now)),
      opened: task.opened,
      score: known?.score ?? null,
      evaluated: known?.evaluated ?? null,
      remark: known?.remark ?? (task.lost ? lostWords : null),
    }
  }
  #result(): DrillView['result'] {
    const { blueprint, state, tasks } = this.record
    if (state !== 'ended' || this.sealed) return null
    return scoreOf(
      tasks.map(({ domain, verdict, weight }) => ({ domain, weight, score: verdict?.score ?? null, evaluated: verdict?.evaluated ?? 0 })),
      blueprint.passMark,
    )
  }
  summary(now: number): DrillSummary {
    const { blueprint, record } = { blueprint: this.record.blueprint, record: this.record }
    const until = record.endedAt ?? now
    return {
      id: record.id,
      name: record.name,
      mode: blueprint.mode,
      backend: record.backend,
      state: record.state,
      createdAt: record.createdAt,
      tasks: record.tasks.length,
      minutes: blueprint.minutes,
      passMark: blueprint.passMark,
      spentMs: record.startedAt === null ? 0 : Math.round(until - record.startedAt - covered(record.outages, record.startedAt, until)),
      result: this.#result(),
      imported: record.imported === true,
      ...(this.withheld === null ? {} : { resultsAt: this.withheld }),
    }
  }
}

const handedIn = (number: number) =>
  new LabError(
    'conflict',
    { en: `Task ${number} is handed in, for good.`, ko: `문제 ${number}은 이미 제출했습니다.` },
    { hint: { en: 'Go on with another one.', ko: '다른 문제를 이어서 푸십시오.' } },
  )
const over = () =>
  new LabError(
    'conflict',
    { en: 'This drill is over.', ko: '끝난 모의시험입니다.' },
    { hint: { en: 'Its review opens when all is graded.', ko: '채점이 끝나면 복기 화면이 열립니다.' } },
  )
