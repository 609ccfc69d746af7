// What all parts of a class stand on: one thing at a time per class, assignment or grade; who teaches what; what is written down of whom. Knows rows;
// knows nothing of what is done with them.

import { randomBytes } from 'node:crypto'
import type { Drills } from '#lib/exam/index.ts'
import { classLimits } from '#lib/protocol/index.ts'
import type { Clock, Log, Sessions } from '#lib/session/index.ts'
import type { AssignmentRow, ClassPersonRow, ClassRow, Store } from '#lib/store/index.ts'
import { type AssignmentBody, type ClassBody, fail, noAssignment, noClass, type PersonBody, say } from './records.ts'
import type { WindowRules } from './window.ts'

/** Who asks. */
export interface Person {
  id: string
  name: string
  /** null without accounts */
  email: string | null
  role: 'learner' | 'instructor' | 'admin'
}
export interface AuditEntry {
  who: Person
  what: string
  /** ids and names, no secrets */
  about: Record<string, string | number | boolean | null>
}
export interface ClassroomOptions {
  sessions: Sessions
  drills: Drills
  store: Store
  clock: Clock
  log: Log
  audit?: (entry: AuditEntry) => void
  /** milliseconds between two looks for recordings whose time is over; default 1 h */
  sweepMs?: number
}

export const newId = (): string => randomBytes(8).toString('hex')
export const parse = <T>(row: { body: string }): T => JSON.parse(row.body) as T
const running = ['preparing', 'running', 'grading'] as const
export const alive = (state: string): boolean => running.some((one) => one === state)
export const minute = 60_000

/** What an assignment means for one member. */
export function rulesOf(body: AssignmentBody, member: string): WindowRules {
  return {
    opensAt: body.opensAt,
    closesAt: body.closesAt,
    late: body.late,
    attempts: body.settings.attempts,
    extraMinutes: body.extra[member] ?? 0,
  }
}

export class Ground {
  readonly options: ClassroomOptions
  readonly #turns = new Map<string, Promise<unknown>>()
  readonly #writes = new Map<string, number[]>()

  constructor(options: ClassroomOptions) {
    this.options = options
  }

  /** One after the other for one key. */
  turn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(key) ?? Promise.resolve()
    const done = before.then(work, work)
    const kept = done.catch(() => {})
    this.#turns.set(key, kept)
    void kept.then(() => {
      if (this.#turns.get(key) === kept) this.#turns.delete(key)
    })
    return done
  }
  get now(): number {
    return this.options.clock.now()
  }
  audit(who: Person, what: string, about: AuditEntry['about']): void {
    this.options.audit?.({ who, what, about })
  }
  /** @throws LabError rate-limited */
  mayWrite(me: Person): void {
    const recent = (this.#writes.get(me.id) ?? []).filter((at) => at > this.now - 10 * minute)
    if (recent.length >= classLimits.writes)
      throw fail(
        'rate-limited',
        say('You have written very often within ten minutes.', '10분 동안 너무 많이 보냈습니다.'),
        say('Wait a few minutes.', '몇 분 뒤에 다시 하십시오.'),
      )
    this.#writes.set(me.id, [...recent, this.now])
  }
  async teaches(me: Person, classId: string): Promise<boolean> {
    if (me.role === 'admin') return true
    if (me.role !== 'instructor') return false
    return (await this.options.store.rows('class_person').list({ class_id: classId, part: 'instructor', person_id: me.id })).length > 0
  }
  /** A class that `me` teaches. @throws LabError not-found */
  async class(me: Person, id: string): Promise<{ row: ClassRow; body: ClassBody }> {
    const row = await this.options.store.rows('class').get(id)
    if (row === null || !(await this.teaches(me, id))) throw noClass()
    return { row, body: parse<ClassBody>(row) }
  }
  living(row: ClassRow): void {
    if (row.deleted_at !== null)
      throw fail(
        'conflict',
        say('This class is deleted; only its grades are left.', '삭제된 수업입니다. 성적만 남아 있습니다.'),
        say('Make a new class.', '새 수업을 만드십시오.'),
      )
  }
  /** An assignment of a class that `me` teaches. @throws LabError not-found */
  async assignment(me: Person, id: string): Promise<{ row: AssignmentRow; body: AssignmentBody; of: ClassBody }> {
    const row = await this.options.store.rows('assignment').get(id)
    if (row === null || !(await this.teaches(me, row.class_id))) throw noAssignment()
    const of = await this.options.store.rows('class').get(row.class_id)
    if (of === null) throw noAssignment()
    return { row, body: parse(row), of: parse(of) }
  }
  async members(classId: string): Promise<ClassPersonRow[]> {
    const rows = await this.options.store.rows('class_person').list({ class_id: classId, part: 'learner' })
    return rows.sort((a, b) => parse<PersonBody>(a).name.localeCompare(parse<PersonBody>(b).name) || a.email.localeCompare(b.email))
  }
  /** Resolves when all that waits for its turn has had it. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#turns.values())
  }
}
