// The rows, as the query builder sees them, and the numbered migrations that make them. Times are epoch milliseconds, documents are JSON text.
import type { Kysely, Migration, MigrationProvider } from 'kysely'

export interface SettingRow {
  key: string
  value: string
}
export interface SessionRow {
  id: string
  user_id: string
  scenario_id: string
  slug: string
  mode: string
  /** the drill that it is a task of */
  drill_id: string | null
  backend: string
  seed: string
  state: string
  outcome: string | null
  cluster_id: string | null
  /** GradeBaseline, JSON */
  baseline: string | null
  created_at: number
  ready_at: number | null
  ended_at: number | null
  spent_ms: number
  hints_shown: number
  resets: number
  score: number | null
  /** the SessionView as of `seq`, JSON */
  view: string
  /** number of the newest event */
  seq: number
}
export interface SessionEventRow {
  session_id: string
  seq: number
  at: number
  type: string
  /** SessionEvent, JSON */
  body: string
}
export interface TerminalRow {
  session_id: string
  id: number
  place: string
  title: string
  shell_id: string
  state: string
  exit_code: number | null
}
export interface ReportRow {
  session_id: string
  user_id: string
  scenario_id: string
  outcome: string
  score: number | null
  graded_at: number
  /** 1: of an exam that has not ended; nobody may see it or count it yet */
  sealed: number
  /** Report, JSON */
  body: string
}
export interface DrillRow {
  id: string
  user_id: string
  state: string
  mode: string
  backend: string
  created_at: number
  started_at: number | null
  ended_at: number | null
  /** when the server was last known to be there, so that what it was away for can be given back */
  seen_at: number
  score: number | null
  /** the drill's record, JSON */
  body: string
}
/** Of classes: what is looked for is a column, all else is in `body`, JSON. */
export interface ClassRow {
  id: string
  created_at: number
  deleted_at: number | null
  body: string
}
/** Somebody of a class, instructor or learner; `person_id` once they are bound to an account. */
export interface ClassPersonRow {
  id: string
  class_id: string
  part: string
  state: string
  email: string
  person_id: string | null
  body: string
}
export interface AssignmentRow {
  id: string
  class_id: string
  created_at: number
  deleted_at: number | null
  body: string
}
export interface AttemptRow {
  id: string
  assignment_id: string
  class_id: string
  class_person_id: string
  person_id: string
  drill_id: string
  number: number
  state: string
  started_at: number
  body: string
}
/** Holds all that an export needs: it outlives its class, its assignment and its person's account. */
export interface GradeRow {
  id: string
  class_id: string
  assignment_id: string
  class_person_id: string
  person_id: string
  attempt_id: string
  graded_at: number
  score: number | null
  body: string
}
export interface ClassMessageRow {
  id: string
  assignment_id: string
  attempt_id: string | null
  at: number
  body: string
}
/** A person who has an account. `login`, `credential` and `verification` are the account library's own, and so are the types of their columns. */
export interface PersonRow {
  id: string
  name: string
  email: string
  role: string
  /** 1 or true: may not sign in */
  disabled: number | boolean
  email_verified: number | boolean
  image: string | null
  created_at: string | Date
  updated_at: string | Date
}
/** A sign-in on one device. */
export interface LoginRow {
  id: string
  token: string
  person_id: string
  expires_at: string | Date
  ip_address: string | null
  user_agent: string | null
  created_at: string | Date
  updated_at: string | Date
}
/** How a person proves who they are: a password's hash, or an account at an identity provider. */
export interface CredentialRow {
  id: string
  account_id: string
  provider_id: string
  person_id: string
  access_token: string | null
  refresh_token: string | null
  id_token: string | null
  access_token_expires_at: string | Date | null
  refresh_token_expires_at: string | Date | null
  scope: string | null
  password: string | null
  created_at: string | Date
  updated_at: string | Date
}
export interface VerificationRow {
  id: string
  identifier: string
  value: string
  expires_at: string | Date
  created_at: string | Date
  updated_at: string | Date
}
/** A link by which one person gets an account. The link itself is kept nowhere. */
export interface InvitationRow {
  id: string
  /** SHA-256 of the link's token */
  digest: string
  role: string
  /** only for this address; null: whoever holds the link */
  email: string | null
  /** null: made by the server itself, for the first admin */
  created_by: string | null
  created_at: number
  expires_at: number
  used_at: number | null
  used_by: string | null
}
/** By which programs ask in a person's name. The token itself is kept nowhere. */
export interface TokenRow {
  id: string
  person_id: string
  /** SHA-256 of the token */
  digest: string
  name: string
  /** what it is good for, with spaces between */
  scopes: string
  created_at: number
  expires_at: number
  used_at: number | null
}
/** Who did what to whom. Names as they were then: rows outlive the people. */
export interface AuditRow {
  id: string
  at: number
  /** null: the server itself, or nobody who is known */
  actor_id: string | null
  actor_name: string | null
  action: string
  subject_id: string | null
  subject_name: string | null
  /** a few words more, or null */
  detail: string | null
}
export interface Tables {
  class: ClassRow
  class_person: ClassPersonRow
  assignment: AssignmentRow
  attempt: AttemptRow
  grade: GradeRow
  class_message: ClassMessageRow
  setting: SettingRow
  session: SessionRow
  session_event: SessionEventRow
  terminal: TerminalRow
  report: ReportRow
  drill: DrillRow
  person: PersonRow
  login: LoginRow
  credential: CredentialRow
  verification: VerificationRow
  invitation: InvitationRow
  token: TokenRow
  audit: AuditRow
}

/** Each runs once, in the order of its name, in one transaction; never edit one that was released, add the next. */
const migrations: Record<string, Migration> = {
  '001-sessions': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('setting')
        .addColumn('key', 'varchar(64)', (column) => column.primaryKey())
        .addColumn('value', 'text', (column) => column.notNull())
        .execute()
      await db.schema
        .createTable('session')
        .addColumn('id', 'varchar(32)', (column) => column.primaryKey())
        .addColumn('user_id', 'varchar(64)', (column) => column.notNull())
        .addColumn('scenario_id', 'varchar(64)', (column) => column.notNull())
        .addColumn('slug', 'varchar(64)', (column) => column.notNull())
        .addColumn('mode', 'varchar(16)', (column) => column.notNull())
        .addColumn('backend', 'varchar(16)', (column) => column.notNull())
        .addColumn('seed', 'varchar(32)', (column) => column.notNull())
        .addColumn('state', 'varchar(16)', (column) => column.notNull())
        .addColumn('outcome', 'varchar(16)')
        .addColumn('cluster_id', 'varchar(64)')
        .addColumn('baseline', 'text')
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('ready_at', 'bigint')
        .addColumn('ended_at', 'bigint')
        .addColumn('spent_ms', 'bigint', (column) => column.notNull())
        .addColumn('hints_shown', 'integer', (column) => column.notNull())
        .addColumn('resets', 'integer', (column) => column.notNull())
        .addColumn('score', 'double precision')
        .addColumn('view', 'text', (column) => column.notNull())
        .addColumn('seq', 'integer', (column) => column.notNull())
        .execute()
      await db.schema.createIndex('session_by_user').on('session').columns(['user_id', 'created_at']).execute()
      await db.schema.createIndex('session_by_state').on('session').column('state').execute()
      await db.schema
        .createTable('session_event')
        .addColumn('session_id', 'varchar(32)', (column) => column.notNull().references('session.id').onDelete('cascade'))
        .addColumn('seq', 'integer', (column) => column.notNull())
        .addColumn('at', 'bigint', (column) => column.notNull())
        .addColumn('type', 'varchar(16)', (column) => column.notNull())
        .addColumn('body', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('session_event_key', ['session_id', 'seq'])
        .execute()
      await db.schema
        .createTable('terminal')
        .addColumn('session_id', 'varchar(32)', (column) => column.notNull().references('session.id').onDelete('cascade'))
        .addColumn('id', 'integer', (column) => column.notNull())
        .addColumn('place', 'varchar(32)', (column) => column.notNull())
        .addColumn('title', 'varchar(128)', (column) => column.notNull())
        .addColumn('shell_id', 'varchar(64)', (column) => column.notNull())
        .addColumn('state', 'varchar(16)', (column) => column.notNull())
        .addColumn('exit_code', 'integer')
        .addPrimaryKeyConstraint('terminal_key', ['session_id', 'id'])
        .execute()
      await db.schema
        .createTable('report')
        .addColumn('session_id', 'varchar(32)', (column) => column.primaryKey().references('session.id').onDelete('cascade'))
        .addColumn('user_id', 'varchar(64)', (column) => column.notNull())
        .addColumn('scenario_id', 'varchar(64)', (column) => column.notNull())
        .addColumn('outcome', 'varchar(16)', (column) => column.notNull())
        .addColumn('score', 'double precision')
        .addColumn('graded_at', 'bigint', (column) => column.notNull())
        .addColumn('body', 'text', (column) => column.notNull())
        .execute()
      await db.schema.createIndex('report_by_scenario').on('report').columns(['user_id', 'scenario_id']).execute()
    },
  },
  '002-drills': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('drill')
        .addColumn('id', 'varchar(32)', (column) => column.primaryKey())
        .addColumn('user_id', 'varchar(64)', (column) => column.notNull())
        .addColumn('state', 'varchar(16)', (column) => column.notNull())
        .addColumn('mode', 'varchar(16)', (column) => column.notNull())
        .addColumn('backend', 'varchar(16)', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('started_at', 'bigint')
        .addColumn('ended_at', 'bigint')
        .addColumn('seen_at', 'bigint', (column) => column.notNull())
        .addColumn('score', 'double precision')
        .addColumn('body', 'text', (column) => column.notNull())
        .execute()
      await db.schema.createIndex('drill_by_user').on('drill').columns(['user_id', 'created_at']).execute()
      await db.schema.createIndex('drill_by_state').on('drill').column('state').execute()
      await db.schema.alterTable('session').addColumn('drill_id', 'varchar(32)').execute()
      await db.schema.createIndex('session_by_drill').on('session').column('drill_id').execute()
      await db.schema
        .alterTable('report')
        .addColumn('sealed', 'integer', (column) => column.notNull().defaultTo(0))
        .execute()
    },
  },
  '004-classes': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('class')
        .addColumn('id', 'varchar(32)', (column) => column.primaryKey())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('deleted_at', 'bigint')
        .addColumn('body', 'text', (column) => column.notNull())
        .execute()
      await db.schema
        .createTable('class_person')
        .addColumn('id', 'varchar(32)', (column) => column.primaryKey())
        .addColumn('class_id', 'varchar(32)', (column) => column.notNull())
        .addColumn('part', 'varchar(16)', (column) => column.notNull())
        .addColumn('state', 'varchar(16)', (column) => column.notNull())
        .addColumn('email', 'varchar(254)', (column) => column.notNull())
        .addColumn('person_id', 'varchar(64)')
        .addColumn('body', 'text', (column) => column.notNull())
        .addUniqueConstraint('class_person_once', ['class_id', 'part', 'email'])
        .execute()
      await db.schema.createIndex('class_person_by_person').on('class_person').column('person_id').execute()
      await db.schema.createIndex('class_person_by_email').on('class_person').column('email').execute()
      await db.schema
        .createTable('assignment')
        .addColumn('id', 'varchar(32)', (column) => column.primaryKey())
        .addColumn('class_id', 'varchar(32)', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('deleted_at', 'bigint')
        .addColumn('body', 'text', (column) => column.notNull())
        .execute()
      await db.schema.createIndex('assignment_by_class').on('assignment').column('class_id').execute()
      await db.schema
        .createTable('attempt')
        .addColumn('id', 'varchar(32)', (column) => column.primaryKey())
        .addColumn('assignment_id', 'varchar(32)', (column) => column.notNull())
        .addColumn('class_id', 'varchar(32)', (column) => column.notNull())
        .addColumn('class_person_id', 'varchar(32)', (column) => column.notNull())
        .addColumn('person_id', 'varchar(64)', (column) => column.notNull())
        .addColumn('drill_id', 'varchar(32)', (column) => column.notNull().unique())
        .addColumn('number', 'integer', (column) => column.notNull())
        .addColumn('state', 'varchar(16)', (column) => column.notNull())
        .addColumn('started_at', 'bigint', (column) => column.notNull())
        .addColumn('body', 'text', (column) => column.notNull())
        .execute()
      await db.schema.createIndex('attempt_by_assignment').on('attempt').column('assignment_id').execute()
      await db.schema.createIndex('attempt_by_person').on('attempt').column('person_id').execute()
      await db.schema
        .createTable('grade')
        .addColumn('id', 'varchar(32)', (column) => column.primaryKey())
        .addColumn('class_id', 'varchar(32)', (column) => column.notNull())
        .addColumn('assignment_id', 'varchar(32)', (column) => column.notNull())
        .addColumn('class_person_id', 'varchar(32)', (column) => column.notNull())
        .addColumn('person_id', 'varchar(64)', (column) => column.notNull())
        .addColumn('attempt_id', 'varchar(32)', (column) => column.notNull().unique())
        .addColumn('graded_at', 'bigint', (column) => column.notNull())
        .addColumn('score', 'double precision')
        .addColumn('body', 'text', (column) => column.notNull())
        .execute()
      await db.schema.createIndex('grade_by_class').on('grade').column('class_id').execute()
      await db.schema.createIndex('grade_by_person').on('grade').column('person_id').execute()
      await db.schema
        .createTable('class_message')
        .addColumn('id', 'varchar(32)', (column) => column.primaryKey())
        .addColumn('assignment_id', 'varchar(32)', (column) => column.notNull())
        .addColumn('attempt_id', 'varchar(32)')
        .addColumn('at', 'bigint', (column) => column.notNull())
        .addColumn('body', 'text', (column) => column.notNull())
        .execute()
      await db.schema.createIndex('class_message_by_assignment').on('class_message').columns(['assignment_id', 'at']).execute()
    },
  },
  // What is somebody's own names its owner in user_id, which is a person's id; 'local' where there are no accounts.
  // Points in time of the account library's tables are of a type that SQLite keeps as the text that the library writes.
  '005-people': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('person')
        .addColumn('id', 'varchar(64)', (column) => column.primaryKey())
        .addColumn('name', 'varchar(200)', (column) => column.notNull())
        .addColumn('email', 'varchar(320)', (column) => column.notNull().unique())
        .addColumn('role', 'varchar(16)', (column) => column.notNull())
        .addColumn('disabled', 'boolean', (column) => column.notNull())
        .addColumn('email_verified', 'boolean', (column) => column.notNull())
        .addColumn('image', 'text')
        .addColumn('created_at', 'timestamptz', (column) => column.notNull())
        .addColumn('updated_at', 'timestamptz', (column) => column.notNull())
        .execute()
      await db.schema
        .createTable('login')
        .addColumn('id', 'varchar(64)', (column) => column.primaryKey())
        .addColumn('token', 'varchar(255)', (column) => column.notNull().unique())
        .addColumn('person_id', 'varchar(64)', (column) => column.notNull().references('person.id').onDelete('cascade'))
        .addColumn('expires_at', 'timestamptz', (column) => column.notNull())
        .addColumn('ip_address', 'varchar(64)')
        .addColumn('user_agent', 'text')
        .addColumn('created_at', 'timestamptz', (column) => column.notNull())
        .addColumn('updated_at', 'timestamptz', (column) => column.notNull())
        .execute()
      await db.schema.createIndex('login_by_person').on('login').column('person_id').execute()
      await db.schema
        .createTable('credential')
        .addColumn('id', 'varchar(64)', (column) => column.primaryKey())
        .addColumn('account_id', 'varchar(255)', (column) => column.notNull())
        .addColumn('provider_id', 'varchar(64)', (column) => column.notNull())
        .addColumn('person_id', 'varchar(64)', (column) => column.notNull().references('person.id').onDelete('cascade'))
        .addColumn('access_token', 'text')
        .addColumn('refresh_token', 'text')
        .addColumn('id_token', 'text')
        .addColumn('access_token_expires_at', 'timestamptz')
        .addColumn('refresh_token_expires_at', 'timestamptz')
        .addColumn('scope', 'text')
        .addColumn('password', 'text')
        .addColumn('created_at', 'timestamptz', (column) => column.notNull())
        .addColumn('updated_at', 'timestamptz', (column) => column.notNull())
        .addUniqueConstraint('credential_key', ['provider_id', 'account_id'])
        .execute()
      await db.schema.createIndex('credential_by_person').on('credential').column('person_id').execute()
      await db.schema
        .createTable('verification')
        .addColumn('id', 'varchar(64)', (column) => column.primaryKey())
        .addColumn('identifier', 'varchar(255)', (column) => column.notNull())
        .addColumn('value', 'text', (column) => column.notNull())
        .addColumn('expires_at', 'timestamptz', (column) => column.notNull())
        .addColumn('created_at', 'timestamptz', (column) => column.notNull())
        .addColumn('updated_at', 'timestamptz', (column) => column.notNull())
        .execute()
      await db.schema.createIndex('verification_by_identifier').on('verification').column('identifier').execute()
      await db.schema
        .createTable('invitation')
        .addColumn('id', 'varchar(32)', (column) => column.primaryKey())
        .addColumn('digest', 'varchar(64)', (column) => column.notNull().unique())
        .addColumn('role', 'varchar(16)', (column) => column.notNull())
        .addColumn('email', 'varchar(320)')
        .addColumn('created_by', 'varchar(64)')
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('expires_at', 'bigint', (column) => column.notNull())
        .addColumn('used_at', 'bigint')
        .addColumn('used_by', 'varchar(64)')
        .execute()
      await db.schema
        .createTable('audit')
        .addColumn('id', 'varchar(32)', (column) => column.primaryKey())
        .addColumn('at', 'bigint', (column) => column.notNull())
        .addColumn('actor_id', 'varchar(64)')
        .addColumn('actor_name', 'varchar(200)')
        .addColumn('action', 'varchar(64)', (column) => column.notNull())
        .addColumn('subject_id', 'varchar(64)')
        .addColumn('subject_name', 'varchar(320)')
        .addColumn('detail', 'text')
        .execute()
      await db.schema.createIndex('audit_by_time').on('audit').columns(['at', 'id']).execute()
    },
  },
  '006-tokens': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('token')
        .addColumn('id', 'varchar(32)', (column) => column.primaryKey())
        .addColumn('person_id', 'varchar(64)', (column) => column.notNull().references('person.id').onDelete('cascade'))
        .addColumn('digest', 'varchar(64)', (column) => column.notNull().unique())
        .addColumn('name', 'varchar(200)', (column) => column.notNull())
        .addColumn('scopes', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('expires_at', 'bigint', (column) => column.notNull())
        .addColumn('used_at', 'bigint')
        .execute()
      await db.schema.createIndex('token_by_person').on('token').column('person_id').execute()
    },
  },
}
export const migrationProvider: MigrationProvider = { getMigrations: async () => migrations }
