// The only door of classroom: classes, rosters, assignments, the live board, grades.
export { bookCsv, counting, type ItemAttempt, itemsOf, meanOf } from './book.ts'
export { type AuditEntry, Classroom, type ClassroomOptions, type Person } from './classroom.ts'
export { writeCsv } from './csv.ts'
export { normalEmail, readRoster } from './roster.ts'
export { endsFor, localOf, type Moment, momentOf, penaltyOf, reduced, standing, type WindowRules } from './window.ts'
