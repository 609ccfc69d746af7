// The HTTP API of classes: what is asked, by whom at the least, and which method of lib/classroom answers. Who may see which class or grade
// is decided there; what somebody may not see is not there for them. Knows nothing of sockets or Next.
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import type { z } from 'zod'
import type { Tickets, Visitor } from '#lib/auth/index.ts'
import type { Classroom } from '#lib/classroom/index.ts'
import {
  answerInvitation,
  askRegrade,
  assignmentAction,
  assignmentSettings,
  boardAction,
  classAction,
  gradeAction,
  importRoster,
  LabError,
  newClass,
  type Role,
  roomAction,
  watchTask,
} from '#lib/protocol/index.ts'
import type { Unscoped } from './http.ts'

export type ClassRoute =
  | 'classes'
  | 'createClass'
  | 'class'
  | 'actOnClass'
  | 'roster'
  | 'assign'
  | 'capacity'
  | 'regrade'
  | 'gradebook'
  | 'gradebookCsv'
  | 'items'
  | 'due'
  | 'answerInvitation'
  | 'assignment'
  | 'actOnAssignment'
  | 'startAssignment'
  | 'board'
  | 'actOnBoard'
  | 'watchTask'
  | 'room'
  | 'actInRoom'
  | 'grade'
  | 'actOnGrade'
  | 'gradeRecording'

export interface ClassRoutesOptions {
  classroom: Classroom
  tickets: Tickets
  /** a route for people of this role and above */
  route(least: Role, work: (me: Visitor, request: Request, params: Record<string, string>) => Promise<Response>): Unscoped
  body<T>(request: Request, schema: z.ZodType<T>): Promise<T>
  json(value: unknown, status?: number): Response
}

export function classRoutes({ body, classroom, json, route, tickets }: ClassRoutesOptions): Record<ClassRoute, Unscoped> {
  const id = (params: Record<string, string>) => params.id ?? ''
  type Work = Parameters<typeof route>[1]
  const instructor = (work: Work) => route('instructor', work)
  const learner = (work: Work) => route('learner', work)
  return {
    classes: instructor(async (me) => {
      await classroom.bind(me)
      return json({ classes: await classroom.list(me) })
    }),
    createClass: instructor(async (me, request) => json(await classroom.create(me, await body(request, newClass)), 201)),
    class: instructor(async (me, _, params) => json(await classroom.view(me, id(params)))),
    actOnClass: instructor(async (me, request, params) => json(await classroom.act(me, id(params), await body(request, classAction)))),
    roster: instructor(async (me, request, params) => {
      const { apply, text } = await body(request, importRoster)
      return json(await classroom.roster(me, id(params), text, apply))
    }),
    assign: instructor(async (me, request, params) =>
      json(await classroom.assign(me, id(params), await body(request, assignmentSettings)), 201),
    ),
    capacity: instructor(async (me, request, params) =>
      json(await classroom.capacity(me, id(params), await body(request, assignmentSettings))),
    ),
    regrade: instructor(async (me, request, params) => json(await classroom.regrade(me, id(params), await body(request, askRegrade)))),
    gradebook: instructor(async (me, _, params) => json(await classroom.gradebook(me, id(params)))),
    gradebookCsv: instructor(async (me, request, params) => {
      const locale = new URL(request.url).searchParams.get('locale') === 'ko' ? 'ko' : 'en'
      const text = await classroom.csv(me, id(params), locale)
      return new Response(text, {
        headers: {
          'content-type': 'text/csv; charset=utf-8',
          'content-disposition': `attachment; filename="gradebook-${id(params).replaceAll(/[^a-f0-9]/g, '')}.csv"`,
          'cache-control': 'no-store',
        },
      })
    }),
    items: instructor(async (me, _, params) => json(await classroom.items(me, id(params)))),
    due: learner(async (me) => json(await classroom.due(me))),
    answerInvitation: learner(async (me, request, params) =>
      json(await classroom.answer(me, id(params), await body(request, answerInvitation))),
    ),
    assignment: instructor(async (me, _, params) => json(await classroom.assignment(me, id(params)))),
    actOnAssignment: instructor(async (me, request, params) =>
      json(await classroom.actOnAssignment(me, id(params), await body(request, assignmentAction))),
    ),
    startAssignment: learner(async (me, _, params) => json(await classroom.start(me, id(params)), 201)),
    board: instructor(async (me, _, params) => json(await classroom.board(me, id(params)))),
    actOnBoard: instructor(async (me, request, params) =>
      json(await classroom.actOnBoard(me, id(params), await body(request, boardAction))),
    ),
    watchTask: instructor(async (me, request, params) => {
      const { owner, session } = await classroom.watch(me, id(params), await body(request, watchTask))
      return json({ session, ...tickets.issue({ session, owner, person: me.id, login: me.login, watcher: me.name }) }, 201)
    }),
    room: learner(async (me, _, params) => json(await classroom.room(me, id(params)))),
    actInRoom: learner(async (me, request, params) => json(await classroom.actInRoom(me, id(params), await body(request, roomAction)))),
    grade: learner(async (me, _, params) => json(await classroom.grade(me, id(params)))),
    actOnGrade: learner(async (me, request, params) => json(await classroom.actOnGrade(me, id(params), await body(request, gradeAction)))),
    gradeRecording: learner(async (me, _, params) => {
      const file = await classroom.recording(me, id(params), params.session ?? '', Number(params.terminal))
      const stream = createReadStream(file)
      await new Promise<void>((resolve, reject) => {
        stream.once('open', () => resolve())
        stream.once('error', (cause) => reject(new LabError('not-found', 'This recording is no longer there.', { cause })))
      })
      return new Response(Readable.toWeb(stream) as ReadableStream, {
        headers: { 'content-type': 'application/x-asciicast', 'cache-control': 'no-store' },
      })
    }),
  }
}
