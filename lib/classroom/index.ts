// The only door of classroom: classes, rosters, assignments, the live board, grades.
export { bookCsv, counting, type ItemAttempt, itemsOf, meanOf } from './book.ts'
export { Classroom } from './classroom.ts'
export { writeCsv } from './csv.ts'
export type { AuditEntry, ClassroomOptions, Person } from './ground.ts'
export { normalEmail, readRoster } from './roster.ts'
export { endsFor, localOf, type Moment, momentOf, penaltyOf, reduced, standing, type WindowRules } from './window.ts'
