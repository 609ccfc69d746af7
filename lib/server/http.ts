// The HTTP API as functions from Request to Response, so that route handlers stay one line and tests need no server.
// Knows nothing of sockets or Next. Host and Origin have been checked before a request gets here (main.ts).
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { z } from 'zod'
import {
  type Accounts,
  type Answer,
  bearerOf,
  clientHeader,
  type Identify,
  isLoopback,
  Limiter,
  requireRole,
  requireScope,
  type Tickets,
  type Verb,
  type Visitor,
} from '#lib/auth/index.ts'
import type { Classroom } from '#lib/classroom/index.ts'
import type { Drills } from '#lib/exam/index.ts'
import {
  type AuditView,
  acceptInvitation,
  accountAction,
  archiveLimits,
  asLabError,
  type BackendView,
  backendName,
  type DoctorReport,
  drillAction,
  type FileView,
  invite,
  LabError,
  lookAtInvitation,
  makeToken,
  personAction,
  place,
  type Role,
  type ScenarioCard,
  type SetupPlan,
  type SetupView,
  saveFile,
  sessionAction,
  signIn,
  signInElsewhere,
  startDrill,
  startSession,
  statusOf,
  type TokenScope,
} from '#lib/protocol/index.ts'
import { FileConflict, type Sessions } from '#lib/session/index.ts'
import { type ClassRoute, classRoutes } from './classes.ts'
import { openapi, operations } from './openapi.ts'

export interface ApiOptions {
  /** of this kubemend */
  version: string
  sessionsOf: Sessions
  drillsOf: Drills
  classes: Classroom
  tickets: Tickets
  /** who asks by their cookie */
  identify: Identify
  /** null without accounts */
  accounts: Accounts | null
  audit(me: Visitor, before?: string): Promise<AuditView>
  /** whose thing it is, as far as `me` may do that to it, else `me`, whose it is not either */
  whose(me: Visitor, verb: Verb, kind: 'session' | 'drill', id: string): Promise<string>
  catalogue(me: Visitor): Promise<ScenarioCard[]>
  backends(): Promise<BackendView[]>
  doctor(): Promise<DoctorReport>
  setup(): Promise<SetupView>
  setupPlan(): Promise<SetupPlan>
  startSetup(): Promise<SetupView>
}
/** One route's method. `params`: the names in brackets of its path. Never rejects: what goes wrong is in the answer. */
export type Route = (request: Request, params: Record<string, string>) => Promise<Response>
/** A route that has yet to be told which scope a token needs for it; null: none is good for it. */
export type Unscoped = (request: Request, params: Record<string, string>, scope: TokenScope | null) => Promise<Response>
export type Api = Record<
  | ClassRoute
  | 'health'
  | 'openapi'
  | 'catalogue'
  | 'listSessions'
  | 'startSession'
  | 'session'
  | 'act'
  | 'ticket'
  | 'readFile'
  | 'saveFile'
  | 'report'
  | 'recording'
  | 'doctor'
  | 'setup'
  | 'setupPlan'
  | 'startSetup'
  | 'backends'
  | 'exam'
  | 'startDrill'
  | 'previewDrill'
  | 'drill'
  | 'actOnDrill'
  | 'exportData'
  | 'importData'
  | 'signIn'
  | 'signInElsewhere'
  | 'back'
  | 'signOut'
  | 'account'
  | 'actOnAccount'
  | 'tokens'
  | 'makeToken'
  | 'revokeToken'
  | 'lookAtInvitation'
  | 'acceptInvitation'
  | 'invite'
  | 'withdraw'
  | 'people'
  | 'actOnPerson'
  | 'audit',
  Route
>

/** what main.ts sets to the peer's address, and nobody else can */
export const peerHeader = 'x-kubemend-peer'
/** what main.ts sets to the address that was asked for, so that a page knows where it is */
export const pathHeader = 'x-kubemend-path'
/** bytes of a request's body: a file of 1 MiB, escaped, and some */
const bodyLimit = 4 * 1024 * 1024

const json = (value: unknown, status = 200, cookies: readonly string[] = []): Response => {
  const answer = Response.json(value, { status, headers: { 'cache-control': 'no-store' } })
  for (const cookie of cookies) answer.headers.append('set-cookie', cookie)
  return answer
}
const signedIn = ({ cookies }: Answer): Response => json({ ok: true }, 200, cookies)

function failure(thrown: unknown): Response {
  const error = asLabError(thrown)
  // A page sees a message that is meant for people; the inside of an unexpected error stays inside.
  const view =
    error.code === 'internal' && !(thrown instanceof LabError)
      ? { code: error.code, message: 'Something unexpected went wrong on the server.', hint: 'Try again; the server log says more.' }
      : error.view()
  const current: FileView | null | undefined = thrown instanceof FileConflict ? thrown.current : undefined
  return json(current === undefined ? { error: view } : { error: view, current }, statusOf(error.code))
}

/** The body of a request that says it is JSON. @throws LabError bad-request, too-large */
async function content(request: Request, most: number): Promise<string> {
  if (!/^application\/json\b/.test(request.headers.get('content-type') ?? ''))
    throw new LabError('bad-request', 'The body must be JSON (content-type: application/json).')
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength
    if (size <= most) chunks.push(chunk)
    // Somewhat more is read and dropped, so that the sender is still there for the answer.
    else if (size > 4 * most) break
  }
  if (size > most)
    throw new LabError(
      'too-large',
      { en: `The body is larger than ${most / 1024 / 1024} MiB.`, ko: `요청이 ${most / 1024 / 1024} MiB보다 큽니다.` },
      { hint: { en: 'Send less at a time.', ko: '한 번에 보내는 양을 줄이십시오.' } },
    )
  return Buffer.concat(chunks).toString('utf8')
}
/** @throws LabError bad-request, too-large */
async function body<T>(request: Request, schema: z.ZodType<T>): Promise<T> {
  const said = await content(request, bodyLimit)
  let value: unknown
  try {
    value = JSON.parse(said)
  } catch (cause) {
    throw new LabError('bad-request', 'The body is not JSON.', { cause })
  }
  return checked(schema, value)
}
function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the request'}: ${issue.message}`)
  throw new LabError('bad-request', `The request is not understood: ${issues.slice(0, 5).join('; ')}.`)
}

/** The API over one lab. `onError` sees what was not expected. */
export function createApi(options: ApiOptions, onError: (error: LabError, path: string) => void = () => {}): Api {
  const { drillsOf, sessionsOf, tickets } = options
  const anyone =
    (work: Unscoped): Unscoped =>
    async (request, params, scope) => {
      try {
        return await work(request, params, scope)
      } catch (thrown) {
        const error = asLabError(thrown)
        if (statusOf(error.code) >= 500) onError(error, new URL(request.url).pathname)
        return failure(thrown)
      }
    }
  /** Who asks: by a token, or by the cookie of a page. @throws LabError unauthorized for a token that is none, rate-limited */
  const who = async ({ headers }: Request): Promise<Visitor | null> => {
    const token = bearerOf({ authorization: headers.get('authorization') ?? undefined, cookie: headers.get('cookie') ?? undefined })
    // Without accounts there are no tokens, and everybody is the local person anyway.
    return token === undefined || options.accounts === null
      ? options.identify(headers)
      : options.accounts.tokens.identify(token, headers.get(clientHeader) ?? '')
  }
  /** A route for people of this role and above, and for their tokens as the API's document says. */
  const route = (least: Role, work: (me: Visitor, request: Request, params: Record<string, string>) => Promise<Response>): Unscoped =>
    anyone(async (request, params, scope) => work(requireScope(requireRole(await who(request), least), scope), request, params))
  const learner = (work: Parameters<typeof route>[1]) => route('learner', work)
  const admin = (work: Parameters<typeof route>[1]) => route('admin', work)
  /** A route to somebody's session or drill; `owner` is whose. */
  const of = (
    kind: 'session' | 'drill',
    verb: Verb,
    work: (owner: string, id: string, request: Request, params: Record<string, string>, me: Visitor) => Promise<Response>,
  ): Unscoped =>
    learner(async (me, request, params) => {
      const id = params.id ?? ''
      return work(await options.whose(me, verb, kind, id), id, request, params, me)
    })

  /** Reconnecting pages ask for some; a loop would ask for thousands. */
  const ticketLimit = new Limiter({ times: 240, perMs: 60_000 })
  /** @throws LabError not-found without accounts */
  const accounts = (): Accounts => {
    if (options.accounts !== null) return options.accounts
    throw new LabError(
      'not-found',
      { en: 'This server has no accounts.', ko: '이 서버에는 계정이 없습니다.' },
      { hint: { en: 'It is started with KUBEMEND_AUTH=on where people have some.', ko: '계정을 쓰려면 KUBEMEND_AUTH=on으로 시작합니다.' } },
    )
  }

  const routes: Record<keyof Api, Unscoped> = {
    ...classRoutes({ classroom: options.classes, tickets, route, body, json }),
    health: anyone(async () => json({ name: 'kubemend', ok: true })),
    openapi: anyone(async () => json(openapi(options.version))),
    catalogue: learner(async (me) => json({ scenarios: await options.catalogue(me) })),
    backends: learner(async () => json({ backends: await options.backends() })),
    doctor: admin(async () => json(await options.doctor())),
    setup: learner(async () => json(await options.setup())),
    setupPlan: admin(async () => json(await options.setupPlan())),
    startSetup: admin(async (_, request) => {
      await body(request, z.strictObject({ consent: z.literal(true) }))
      const forwarded = request.headers.has('forwarded') || request.headers.has('x-forwarded-for') || request.headers.has('x-real-ip')
      if (!isLoopback(request.headers.get(peerHeader) ?? undefined) || forwarded) {
        throw new LabError('forbidden', 'Set-up changes this machine, so it can only be started on it.', {
          hint: 'Run `npm run setup:kind` there, or open the page on that machine itself.',
        })
      }
      return json(await options.startSetup(), 202)
    }),
    listSessions: learner(async (me) => json({ sessions: await sessionsOf.list(me.id) })),
    startSession: learner(async (me, request) => {
      const { backend, scenario, seed } = await body(request, startSession)
      return json(
        await sessionsOf.start(me.id, scenario, {
          ...(backend === undefined ? {} : { backend }),
          ...(seed === undefined ? {} : { seed }),
        }),
        201,
      )
    }),
    session: of('session', 'see', async (owner, id) => json(await sessionsOf.view(owner, id))),
    act: of('session', 'use', async (owner, id, request) => {
      const action = await body(request, sessionAction)
      await sessionsOf.act(owner, id, action)
      return json({ ok: true })
    }),
    ticket: of('session', 'use', async (owner, id, _request, _params, me) => {
      ticketLimit.take(me.id)
      await sessionsOf.view(owner, id)
      return json(tickets.issue({ session: id, person: me.id, login: me.login, owner }), 201)
    }),
    readFile: of('session', 'see', async (owner, id, request) => {
      const query = new URL(request.url).searchParams
      const asked = checked(z.object({ place, path: z.string().min(1).max(4096) }), { place: query.get('place'), path: query.get('path') })
      return json(await (await sessionsOf.open(owner, id)).readFile(asked.place, asked.path))
    }),
    saveFile: of('session', 'use', async (owner, id, request) => {
      const save = await body(request, saveFile)
      return json(await (await sessionsOf.open(owner, id)).saveFile(save))
    }),
    report: of('session', 'see', async (owner, id) => json(await sessionsOf.report(owner, id))),
    exam: learner(async (me, request) => {
      const backend = checked(backendName.optional(), new URL(request.url).searchParams.get('backend') ?? undefined)
      return json(await drillsOf.overview(me.id, backend))
    }),
    startDrill: learner(async (me, request) => {
      const { backend, blueprint } = await body(request, startDrill)
      return json(await drillsOf.start(me.id, blueprint, backend), 201)
    }),
    previewDrill: learner(async (_, request) => {
      const { backend, blueprint } = await body(request, startDrill)
      return json(await drillsOf.preview(blueprint, backend))
    }),
    drill: of('drill', 'see', async (owner, id) => json(await drillsOf.view(owner, id))),
    actOnDrill: of('drill', 'use', async (owner, id, request) => {
      const action = await body(request, drillAction)
      return json(await drillsOf.act(owner, id, action))
    }),
    exportData: learner(async (me) => {
      const answer = json(await drillsOf.export(me.id))
      answer.headers.set('content-disposition', 'attachment; filename="kubemend-data.json"')
      return answer
    }),
    importData: learner(async (me, request) => json(await drillsOf.import(me.id, await content(request, archiveLimits.bytes)))),
    recording: of('session', 'see', async (owner, id, _, params) => {
      const terminal = checked(z.coerce.number().int().min(1).max(10_000), params.terminal)
      const file = await sessionsOf.recording(owner, id, terminal)
      const stream = createReadStream(file)
      await new Promise<void>((resolve, reject) => {
        stream.once('open', () => resolve())
        stream.once('error', (cause) => reject(new LabError('not-found', `Terminal ${terminal} has no recording.`, { cause })))
      })
      return new Response(Readable.toWeb(stream) as ReadableStream, {
        headers: { 'content-type': 'application/x-asciicast', 'cache-control': 'no-store' },
      })
    }),
    signIn: anyone(async (request) => {
      const { email, password } = await body(request, signIn)
      return signedIn(await accounts().signIn(email, password, request.headers))
    }),
    signInElsewhere: anyone(async (request) => {
      const { invitation, to } = await body(request, signInElsewhere)
      const { cookies, value } = await accounts().signInElsewhere(to, invitation, request.headers)
      return json(value, 200, cookies)
    }),
    back: anyone(async (request) => accounts().back(request)),
    signOut: learner(async (me, request) => signedIn(await accounts().signOut(me, request.headers))),
    account: learner(async (me) => json(await accounts().view(me))),
    actOnAccount: learner(async (me, request) => {
      await accounts().act(me, await body(request, accountAction), request.headers)
      return json({ ok: true })
    }),
    tokens: learner(async (me) => json({ tokens: await accounts().tokens.list(me) })),
    makeToken: learner(async (me, request) => json(await accounts().tokens.make(me, await body(request, makeToken)), 201)),
    revokeToken: learner(async (me, _, params) => {
      await accounts().tokens.revoke(me, params.id ?? '')
      return json({ ok: true })
    }),
    lookAtInvitation: anyone(async (request) =>
      json(await accounts().look((await body(request, lookAtInvitation)).token, request.headers)),
    ),
    acceptInvitation: anyone(async (request) => signedIn(await accounts().accept(await body(request, acceptInvitation), request.headers))),
    invite: route('instructor', async (me, request) => json(await accounts().invite(me, await body(request, invite)), 201)),
    withdraw: admin(async (me, _, params) => {
      await accounts().withdraw(me, params.id ?? '')
      return json({ ok: true })
    }),
    people: admin(async () => json(await accounts().people())),
    actOnPerson: admin(async (me, request, params) => {
      await accounts().actOn(me, params.id ?? '', await body(request, personAction))
      return json({ ok: true })
    }),
    audit: admin(async (me, request) => json(await options.audit(me, new URL(request.url).searchParams.get('before') ?? undefined))),
  }
  return Object.fromEntries(
    Object.entries(routes).map(([name, work]): [string, Route] => {
      const { scope } = operations[name as keyof Api]
      return [name, (request, params) => work(request, params, scope)]
    }),
  ) as Api
}
