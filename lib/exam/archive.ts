// One's own data as a file and back: what was graded, the drills that ended. An import adds what is not there yet and changes nothing that is.
// Knows rows and the file's form; knows nothing of HTTP.
// Invariants: nothing that an exam keeps sealed leaves; what comes in is marked as such, belongs to whoever brought it, and never takes the
// place of a row that is there, whosever it is.
import { createHash } from 'node:crypto'
import {
  type Archive,
  type ArchivedDrill,
  type ArchivedSession,
  archive,
  archiveLimits,
  type Imported,
  LabError,
  type Report,
  report,
} from '#lib/protocol/index.ts'
import { type Clock, importedView } from '#lib/session/index.ts'
import type { DrillRow, Exported, ReportRow, SessionRow, Store } from '#lib/store/index.ts'
import { Drill, type DrillRecord } from './drill.ts'
import { brokenAt } from './json.ts'

const pageOf = 100

/** What is graded and open of one person, newest first, as much as a file may hold. */
export async function exportOf(store: Store, clock: Clock, user: string): Promise<Archive> {
  const file: Archive = {
    format: 'kubemend-data',
    version: 1,
    exportedAt: clock.now(),
    leftOut: { sessions: 0, drills: 0 },
    sessions: [],
    drills: [],
  }
  // Some room for the rest of the file and for what the page adds.
  let left = archiveLimits.bytes - 256 * 1024
  const drills = await store.drills({ user, states: ['ended'], limit: archiveLimits.drillsInAll + archiveLimits.drills })
  for (const row of drills) {
    const record = JSON.parse(row.body) as DrillRecord
    const drill = new Drill(record).sealed ? null : archivedDrillOf(record)
    left -= drill === null ? 0 : Buffer.byteLength(JSON.stringify(drill)) + 1
    if (drill === null || left < 0 || file.drills.length >= archiveLimits.drills) file.leftOut.drills += 1
    else file.drills.push(drill)
  }
  for (let offset = 0; ; offset += pageOf) {
    const page = await store.graded(user, { offset, limit: pageOf })
    for (const one of page) {
      const session = archivedSessionOf(one)
      left -= session === null ? 0 : Buffer.byteLength(JSON.stringify(session)) + 1
      if (session === null || left < 0 || file.sessions.length >= archiveLimits.sessions) file.leftOut.sessions += 1
      else file.sessions.push(session)
    }
    if (page.length < pageOf) return file
  }
}

function archivedSessionOf({ body, session }: Exported): ArchivedSession | null {
  const found = report.safeParse(JSON.parse(body))
  if (!found.success) return null
  return {
    mode: session.mode as ArchivedSession['mode'],
    drill: session.drill_id,
    createdAt: Number(session.created_at),
    readyAt: session.ready_at === null ? null : Number(session.ready_at),
    endedAt: Number(session.ended_at ?? found.data.gradedAt),
    // The recordings stay where they are.
    report: { ...found.data, recordings: [] },
  }
}
function archivedDrillOf(record: DrillRecord): ArchivedDrill | null {
  if (record.endedAt === null || record.tasks.some(({ verdict }) => verdict === null)) return null
  const { id, name, notices, blueprint, backend, createdAt, startedAt, endedAt, tasks, notepad, timedOut } = record
  return {
    id,
    name,
    notices,
    blueprint,
    backend,
    createdAt,
    startedAt,
    endedAt,
    outages: record.outages.flatMap(({ from, to }) => (to === null ? [] : [{ from: Math.round(from), to: Math.round(to) }])),
    tasks: tasks.map(({ verdict, ...task }) => ({ ...task, verdict: verdict! })),
    notepad,
    timedOut,
  }
}

/**
 * A file as data.
 * @throws LabError too-large, bad-request with the places that are wrong
 */
export function readArchive(content: string): Archive {
  if (Buffer.byteLength(content) > archiveLimits.bytes)
    throw new LabError(
      'too-large',
      {
        en: `The file is larger than ${archiveLimits.bytes / 1024 / 1024} MiB.`,
        ko: `파일이 ${archiveLimits.bytes / 1024 / 1024} MiB보다 큽니다.`,
      },
      { hint: { en: 'Take a file that was exported here.', ko: '여기에서 내보낸 파일을 고르십시오.' } },
    )
  const hint = {
    en: 'Nothing was imported. Take the file as it was exported; one that was edited must keep its form.',
    ko: '아무것도 가져오지 않았습니다. 내보낸 파일을 그대로 쓰십시오. 고친 파일이라면 형식이 그대로여야 합니다.',
  }
  let value: unknown
  try {
    value = JSON.parse(content)
  } catch (cause) {
    const { column, line } = brokenAt(content) ?? { line: 1, column: 1 }
    throw new LabError(
      'bad-request',
      { en: `The file is not JSON: line ${line}, column ${column}.`, ko: `JSON 파일이 아닙니다: ${line}행 ${column}열.` },
      { hint, cause },
    )
  }
  const { format, version } = (typeof value === 'object' && value !== null ? value : {}) as { format?: unknown; version?: unknown }
  if (format === 'kubemend-data' && typeof version === 'number' && version > 1)
    throw new LabError(
      'bad-request',
      {
        en: `The file is of version ${version}, and this server reads version 1.`,
        ko: `파일의 버전은 ${version}인데, 이 서버는 버전 1을 읽습니다.`,
      },
      { hint: { en: 'Import it on a newer kubemend.', ko: '더 새로운 kubemend에서 가져오십시오.' } },
    )
  const parsed = archive.safeParse(value)
  if (parsed.success) return parsed.data
  const { issues } = parsed.error
  const places = issues
    .slice(0, 5)
    .map((issue) => `${placeOf(issue.path)}: ${issue.message}`)
    .join('; ')
  const more = issues.length > 5 ? ` (+${issues.length - 5})` : ''
  throw new LabError(
    'bad-request',
    { en: `The file is not understood at ${places}${more}.`, ko: `파일에서 다음 부분을 해석하지 못했습니다: ${places}${more}.` },
    { hint },
  )
}
const placeOf = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (said, part) => (typeof part === 'number' ? `${said}[${part}]` : said === '' ? String(part) : `${said}.${String(part)}`),
    '',
  ) || 'the top'

/**
 * Adds what is not there yet; the same file twice adds nothing.
 * @throws LabError capacity-exceeded when one person would have more than is kept, disk-full
 */
export async function importInto(store: Store, user: string, file: Archive): Promise<Imported> {
  const mine = await store.keys(user)
  const sessionKey = (scenario: string, seed: string, createdAt: number) => `${createdAt} ${scenario} ${seed}`
  const myIds = new Set([...mine.sessions, ...mine.drills].map(({ id }) => id))
  const mySessions = new Map(mine.sessions.map((row) => [sessionKey(row.scenario_id, row.seed, Number(row.created_at)), row.id]))
  const myDrills = new Map(mine.drills.map((row) => [Number(row.created_at), row.id]))
  const taken = await store.taken([...file.sessions.map((one) => one.report.sessionId), ...file.drills.map(({ id }) => id)])
  const used = new Set<string>()
  /** the id in the file, unless it is somebody else's here; never one that this file has used already */
  const idFor = (wanted: string, kind: string): string => {
    const free = (!taken.has(wanted) || myIds.has(wanted)) && !used.has(wanted)
    const id = free ? wanted : createHash('sha256').update(`${user}\n${kind}\n${wanted}`).digest('hex').slice(0, 16)
    used.add(id)
    return id
  }
  /** ids in the file → ids here */
  const sessionIds = new Map<string, string>()
  const drillIds = new Map<string, string>()
  const newSessions: ArchivedSession[] = []
  const newDrills: ArchivedDrill[] = []
  for (const one of file.drills) {
    if (drillIds.has(one.id)) continue
    const known = myDrills.get(one.createdAt)
    drillIds.set(one.id, known ?? idFor(one.id, 'drill'))
    if (known === undefined) newDrills.push(one)
  }
  for (const one of file.sessions) {
    if (sessionIds.has(one.report.sessionId)) continue
    const key = sessionKey(one.report.scenario.id, one.report.seed, one.createdAt)
    const known = mySessions.get(key)
    const id = known ?? idFor(one.report.sessionId, 'session')
    sessionIds.set(one.report.sessionId, id)
    mySessions.set(key, id)
    if (known === undefined) newSessions.push(one)
  }
  const { drillsInAll, sessionsInAll } = archiveLimits
  if (mine.sessions.length + newSessions.length > sessionsInAll || mine.drills.length + newDrills.length > drillsInAll)
    throw new LabError(
      'capacity-exceeded',
      {
        en: `With this file you would have ${mine.sessions.length + newSessions.length} attempts and ${mine.drills.length + newDrills.length} drills; ${sessionsInAll} and ${drillsInAll} are the most.`,
        ko: `이 파일을 가져오면 시도가 ${mine.sessions.length + newSessions.length}개, 모의시험이 ${mine.drills.length + newDrills.length}개가 됩니다. 한도는 ${sessionsInAll}개와 ${drillsInAll}개입니다.`,
      },
      { hint: { en: 'Nothing was imported. Import a part of it.', ko: '아무것도 가져오지 않았습니다. 일부만 가져오십시오.' } },
    )
  const sessions: SessionRow[] = []
  const reports: ReportRow[] = []
  for (const one of newSessions) {
    const id = sessionIds.get(one.report.sessionId)!
    const body: Report = { ...one.report, sessionId: id, recordings: [], imported: true }
    const drill = one.drill === null ? null : (drillIds.get(one.drill) ?? null)
    sessions.push({
      id,
      user_id: user,
      scenario_id: body.scenario.id.slice(0, 64),
      slug: body.slug.slice(0, 64),
      mode: one.mode,
      drill_id: drill,
      backend: body.backend,
      seed: body.seed.slice(0, 32),
      state: 'ended',
      outcome: body.outcome,
      cluster_id: null,
      baseline: null,
      created_at: one.createdAt,
      ready_at: one.readyAt,
      ended_at: one.endedAt,
      spent_ms: Math.round(body.spentMs),
      hints_shown: 0,
      resets: 0,
      score: body.score,
      view: JSON.stringify(importedView(body, one, drill)),
      seq: 0,
    })
    reports.push({
      session_id: id,
      user_id: user,
      scenario_id: body.scenario.id.slice(0, 64),
      outcome: body.outcome,
      score: body.score,
      graded_at: body.gradedAt,
      sealed: 0,
      body: JSON.stringify(body),
    })
  }
  const drills = newDrills.map((one): DrillRow => {
    const record: DrillRecord = {
      ...one,
      id: drillIds.get(one.id)!,
      user,
      state: 'ended',
      current: null,
      since: null,
      error: null,
      imported: true,
      // A report that is not in the file is not there either.
      tasks: one.tasks.map((task) => ({ ...task, session: task.session === null ? null : (sessionIds.get(task.session) ?? null) })),
    }
    return {
      id: record.id,
      user_id: user,
      state: 'ended',
      mode: record.blueprint.mode,
      backend: record.backend,
      created_at: record.createdAt,
      started_at: record.startedAt,
      ended_at: record.endedAt,
      seen_at: one.endedAt,
      score: new Drill(record).summary(one.endedAt).result?.score ?? null,
      body: JSON.stringify(record),
    }
  })
  await store.insertAll({ sessions, reports, drills })
  return {
    sessions: { added: sessions.length, known: file.sessions.length - sessions.length },
    drills: { added: drills.length, known: file.drills.length - drills.length },
  }
}
