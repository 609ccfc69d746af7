// Classes as one thing: the parts of which each knows one side of a class, put together, and the server's life with them. An attempt at an
// assignment is a drill with terms. The server's clock decides. Knows nothing of HTTP, of sockets or of how anybody signs in.
//
// Who may: an instructor of a class (and an admin) all of it, a member their own part. To everybody else nothing of it is there.
import type { DrillRecord } from '#lib/exam/index.ts'
import { asLabError } from '#lib/protocol/index.ts'
import { Assignments } from './assignments.ts'
import { Attempts } from './attempts.ts'
import { Board } from './board.ts'
import { Classes } from './classes.ts'
import { Erasure } from './erasure.ts'
import { Gradebooks } from './gradebook.ts'
import { Grades } from './grades.ts'
import { alive, type ClassroomOptions, Ground, parse } from './ground.ts'
import type { AssignmentBody } from './records.ts'
import { Results } from './results.ts'
import { localOf } from './window.ts'

export class Classroom {
  readonly #ground: Ground
  readonly #results: Results
  readonly #attempts: Attempts
  readonly #grades: Grades
  #cancelSweep: (() => void) | null = null
  #closed = false

  // Classes, and who is in them.
  readonly list: Classes['list']
  readonly create: Classes['create']
  readonly view: Classes['view']
  readonly act: Classes['act']
  readonly roster: Classes['roster']
  readonly answer: Attempts['answer']
  readonly bind: Classes['bind']
  readonly forget: Erasure['forget']
  // What is set, and what is done of it.
  readonly capacity: Assignments['capacity']
  readonly assign: Assignments['assign']
  readonly assignment: Assignments['assignment']
  readonly actOnAssignment: Assignments['actOnAssignment']
  readonly due: Attempts['due']
  readonly start: Attempts['start']
  // While it is sat.
  readonly board: Board['board']
  readonly actOnBoard: Board['actOnBoard']
  readonly watch: Board['watch']
  readonly room: Board['room']
  readonly actInRoom: Board['actInRoom']
  // What came of it.
  readonly grade: Grades['grade']
  readonly recording: Grades['recording']
  readonly actOnGrade: Grades['actOnGrade']
  readonly regrade: Grades['regrade']
  readonly sweep: Grades['sweep']
  readonly gradebook: Gradebooks['gradebook']
  readonly csv: Gradebooks['csv']
  readonly items: Gradebooks['items']

  constructor(options: ClassroomOptions) {
    const ground = new Ground(options)
    const results = new Results(ground)
    const assignments = new Assignments(ground, results)
    const erasure = new Erasure(ground)
    const classes = new Classes(ground, assignments, erasure)
    const attempts = new Attempts(ground, assignments, results, classes)
    const board = new Board(ground, assignments, attempts)
    const grades = new Grades(ground)
    const books = new Gradebooks(ground)
    this.#ground = ground
    this.#results = results
    this.#attempts = attempts
    this.#grades = grades

    this.list = classes.list.bind(classes)
    this.create = classes.create.bind(classes)
    this.view = classes.view.bind(classes)
    this.act = classes.act.bind(classes)
    this.roster = classes.roster.bind(classes)
    this.answer = attempts.answer.bind(attempts)
    this.bind = classes.bind.bind(classes)
    this.forget = erasure.forget.bind(erasure)
    this.capacity = assignments.capacity.bind(assignments)
    this.assign = assignments.assign.bind(assignments)
    this.assignment = assignments.assignment.bind(assignments)
    this.actOnAssignment = assignments.actOnAssignment.bind(assignments)
    this.due = attempts.due.bind(attempts)
    this.start = attempts.start.bind(attempts)
    this.board = board.board.bind(board)
    this.actOnBoard = board.actOnBoard.bind(board)
    this.watch = board.watch.bind(board)
    this.room = board.room.bind(board)
    this.actInRoom = board.actInRoom.bind(board)
    this.grade = grades.grade.bind(grades)
    this.recording = grades.recording.bind(grades)
    this.actOnGrade = grades.actOnGrade.bind(grades)
    this.regrade = grades.regrade.bind(grades)
    this.sweep = grades.sweep.bind(grades)
    this.gradebook = books.gradebook.bind(books)
    this.csv = books.csv.bind(books)
    this.items = books.items.bind(books)

    options.drills.observe((record) => {
      if (record.terms !== undefined) void this.#settle(record)
    })
  }

  /** Now, as a form takes it, in a zone. */
  localNow(zone: string): string {
    return localOf(this.#ground.now, zone)
  }

  /** What fails is found again by the next start of the server. */
  async #settle(record: DrillRecord): Promise<void> {
    try {
      await this.#attempts.settle(record)
    } catch (thrown) {
      this.#ground.options.log.error(
        { drill: record.id, error: asLabError(thrown).message },
        'the grade of an attempt could not be stored yet',
      )
    }
  }
  /** After a restart, and the drills have been found again: what ended meanwhile gets its grade. */
  async recall(): Promise<void> {
    const { drills, store } = this.#ground.options
    for (const attempt of await store.rows('attempt').list({ state: 'running' })) {
      const record = await drills.record(attempt.drill_id)
      if (record !== null && !alive(record.state)) await this.#settle(record)
    }
    for (const row of await store.rows('assignment').list({}))
      if (parse<AssignmentBody>(row).settings.results === 'close') await this.#results.open(row.id)
    this.#sweepLater()
  }
  #sweepLater(): void {
    if (this.#closed) return
    const { clock, log, sweepMs = 3_600_000 } = this.#ground.options
    this.#cancelSweep = clock.after(sweepMs, () => {
      this.#grades
        .sweep()
        .catch((thrown: unknown) => log.error({ error: asLabError(thrown).message }, 'recordings could not be swept'))
        .finally(() => this.#sweepLater())
    })
  }
  async close(): Promise<void> {
    this.#closed = true
    this.#cancelSweep?.()
    this.#results.close()
    await this.#ground.idle()
  }
}
