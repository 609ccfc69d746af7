// The REST API described: each route's path, who may ask, what goes in and comes out, and the OpenAPI document that is made of it.
// Knows the protocol's schemas; knows nothing of how an answer is come by.
import { z } from 'zod'
import {
  acceptInvitation,
  accountAction,
  accountView,
  archive,
  auditView,
  backendName,
  backendView,
  doctorReport,
  drillAction,
  drillPreview,
  drillView,
  errorView,
  examView,
  fileView,
  imported,
  invitationView,
  invite,
  lookAtInvitation,
  makeToken,
  newToken,
  peopleView,
  personAction,
  place,
  type Role,
  report,
  saveFile,
  scenarioCard,
  sessionAction,
  sessionView,
  setupPlan,
  setupView,
  signIn,
  signInElsewhere,
  startDrill,
  startSession,
  type TokenScope,
  tokenScope,
  tokensView,
} from '#lib/protocol/index.ts'
import { classOperations } from './class-operations.ts'
import type { Api } from './http.ts'

export interface Operation {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** as Next's folders, names in brackets */
  path: string
  summary: string
  /** the least role that may ask; null: anybody */
  role: Role | null
  /** what a token needs for it; null: no token may, or none is needed */
  scope: TokenScope | null
  query?: z.ZodObject
  body?: z.ZodType
  /** default 200 */
  status?: number
  /** of the JSON answer; a content type where it is none */
  response: z.ZodType | { contentType: string }
}

const created = z.object({ id: z.string() })
const done = z.object({ ok: z.literal(true) })

/** Every route of the API, by its name there. */
export const operations: Record<keyof Api, Operation> = {
  ...classOperations,
  health: {
    method: 'GET',
    path: '/api/health',
    summary: 'Whether the server answers',
    role: null,
    scope: null,
    response: z.object({ name: z.literal('kubemend'), ok: z.literal(true) }),
  },
  openapi: {
    method: 'GET',
    path: '/api/openapi.json',
    summary: 'This document',
    role: null,
    scope: null,
    response: z.record(z.string(), z.unknown()),
  },
  catalogue: {
    method: 'GET',
    path: '/api/catalogue',
    summary: 'Every scenario, with the attempts of who asks',
    role: 'learner',
    scope: 'sessions:read',
    response: z.object({ scenarios: z.array(scenarioCard) }),
  },
  backends: {
    method: 'GET',
    path: '/api/backends',
    summary: 'Backends and whether they are ready',
    role: 'learner',
    scope: 'sessions:read',
    response: z.object({ backends: z.array(backendView) }),
  },
  doctor: {
    method: 'GET',
    path: '/api/doctor',
    summary: 'What the machine has and lacks',
    role: 'admin',
    scope: 'machine:read',
    response: doctorReport,
  },
  setup: {
    method: 'GET',
    path: '/api/setup',
    summary: 'How far the set-up of the machine is',
    role: 'learner',
    scope: 'machine:read',
    response: setupView,
  },
  setupPlan: {
    method: 'GET',
    path: '/api/setup/plan',
    summary: 'What a set-up would change',
    role: 'admin',
    scope: 'machine:read',
    response: setupPlan,
  },
  startSetup: {
    method: 'POST',
    path: '/api/setup',
    summary: 'Starts the set-up; from the machine itself',
    role: 'admin',
    scope: null,
    body: z.strictObject({ consent: z.literal(true) }),
    status: 202,
    response: setupView,
  },
  listSessions: {
    method: 'GET',
    path: '/api/sessions',
    summary: 'One’s own sessions, newest first',
    role: 'learner',
    scope: 'sessions:read',
    response: z.object({ sessions: z.array(sessionView) }),
  },
  startSession: {
    method: 'POST',
    path: '/api/sessions',
    summary: 'Starts a scenario; goes on in the background',
    role: 'learner',
    scope: 'sessions:write',
    body: startSession,
    status: 201,
    response: created,
  },
  session: {
    method: 'GET',
    path: '/api/sessions/[id]',
    summary: 'One session as it is now',
    role: 'learner',
    scope: 'sessions:read',
    response: sessionView,
  },
  act: {
    method: 'POST',
    path: '/api/sessions/[id]/actions',
    summary: 'Submits, gives up, resets, shows a hint, tries again',
    role: 'learner',
    scope: 'sessions:write',
    body: sessionAction,
    response: done,
  },
  ticket: {
    method: 'POST',
    path: '/api/sessions/[id]/ticket',
    summary: 'A ticket for one WebSocket of the session, good once',
    role: 'learner',
    scope: 'sessions:write',
    status: 201,
    response: z.object({ ticket: z.string(), expiresAt: z.number() }),
  },
  readFile: {
    method: 'GET',
    path: '/api/sessions/[id]/files',
    summary: 'A file or a directory in the lab',
    role: 'learner',
    scope: 'sessions:read',
    query: z.object({ place, path: z.string().min(1).max(4096) }),
    response: fileView,
  },
  saveFile: {
    method: 'PUT',
    path: '/api/sessions/[id]/files',
    summary: 'Saves a file in the lab, if it is as it was read',
    role: 'learner',
    scope: 'sessions:write',
    body: saveFile,
    response: fileView,
  },
  report: {
    method: 'GET',
    path: '/api/sessions/[id]/report',
    summary: 'The report of an attempt',
    role: 'learner',
    scope: 'sessions:read',
    response: report,
  },
  recording: {
    method: 'GET',
    path: '/api/sessions/[id]/recordings/[terminal]',
    summary: 'A terminal’s recording, asciicast v2',
    role: 'learner',
    scope: 'sessions:read',
    response: { contentType: 'application/x-asciicast' },
  },
  exam: {
    method: 'GET',
    path: '/api/exam',
    summary: 'Drills: what can be begun, what runs, what was',
    role: 'learner',
    scope: 'exams:read',
    query: z.object({ backend: backendName.optional() }),
    response: examView,
  },
  startDrill: {
    method: 'POST',
    path: '/api/exam',
    summary: 'Draws a drill and begins it',
    role: 'learner',
    scope: 'exams:write',
    body: startDrill,
    status: 201,
    response: created,
  },
  previewDrill: {
    method: 'POST',
    path: '/api/exam/preview',
    summary: 'What a blueprint draws, without naming a scenario',
    role: 'learner',
    scope: 'exams:read',
    body: startDrill,
    response: drillPreview,
  },
  drill: {
    method: 'GET',
    path: '/api/exam/[id]',
    summary: 'One drill as it is now',
    role: 'learner',
    scope: 'exams:read',
    response: drillView,
  },
  actOnDrill: {
    method: 'POST',
    path: '/api/exam/[id]/actions',
    summary: 'Opens, flags, notes, hands in, finishes, cancels',
    role: 'learner',
    scope: 'exams:write',
    body: drillAction,
    response: drillView,
  },
  exportData: {
    method: 'GET',
    path: '/api/data',
    summary: 'One’s own data as a file',
    role: 'learner',
    scope: 'data:read',
    response: archive,
  },
  importData: {
    method: 'POST',
    path: '/api/data',
    summary: 'Adds what a file has and is not there yet',
    role: 'learner',
    scope: 'data:write',
    body: archive,
    response: imported,
  },
  signIn: {
    method: 'POST',
    path: '/api/account/sign-in',
    summary: 'Signs in with email address and password; the answer has a cookie',
    role: null,
    scope: null,
    body: signIn,
    response: done,
  },
  signInElsewhere: {
    method: 'POST',
    path: '/api/account/provider',
    summary: 'Begins a sign-in at the identity provider: where to go on',
    role: null,
    scope: null,
    body: signInElsewhere,
    response: z.object({ url: z.string() }),
  },
  back: {
    method: 'GET',
    path: '/api/auth/callback/[provider]',
    summary: 'The way back from the identity provider: a redirect',
    role: null,
    scope: null,
    status: 302,
    response: { contentType: 'text/html' },
  },
  signOut: { method: 'POST', path: '/api/account/sign-out', summary: 'Ends this sign-in', role: 'learner', scope: null, response: done },
  account: {
    method: 'GET',
    path: '/api/account',
    summary: 'One’s own account and where one is signed in',
    role: 'learner',
    scope: null,
    response: accountView,
  },
  actOnAccount: {
    method: 'POST',
    path: '/api/account',
    summary: 'Changes name or password, ends sign-ins',
    role: 'learner',
    scope: null,
    body: accountAction,
    response: done,
  },
  tokens: {
    method: 'GET',
    path: '/api/account/tokens',
    summary: 'One’s own tokens for programs, newest first',
    role: 'learner',
    scope: null,
    response: tokensView,
  },
  makeToken: {
    method: 'POST',
    path: '/api/account/tokens',
    summary: 'Makes a token, which only this answer has',
    role: 'learner',
    scope: null,
    body: makeToken,
    status: 201,
    response: newToken,
  },
  revokeToken: {
    method: 'DELETE',
    path: '/api/account/tokens/[id]',
    summary: 'Revokes a token; what is open by it is closed',
    role: 'learner',
    scope: null,
    response: done,
  },
  lookAtInvitation: {
    method: 'POST',
    path: '/api/invitations/look',
    summary: 'What an invitation is for',
    role: null,
    scope: null,
    body: lookAtInvitation,
    response: invitationView,
  },
  acceptInvitation: {
    method: 'POST',
    path: '/api/invitations/accept',
    summary: 'Makes the account that one was invited to; the answer has a cookie',
    role: null,
    scope: null,
    body: acceptInvitation,
    response: done,
  },
  invite: {
    method: 'POST',
    path: '/api/invitations',
    summary: 'Makes a link by which one person gets an account; instructors invite learners',
    role: 'instructor',
    scope: 'people:write',
    body: invite,
    status: 201,
    response: z.object({ url: z.string(), expiresAt: z.number() }),
  },
  withdraw: {
    method: 'DELETE',
    path: '/api/invitations/[id]',
    summary: 'Withdraws an invitation',
    role: 'admin',
    scope: 'people:write',
    response: done,
  },
  people: {
    method: 'GET',
    path: '/api/people',
    summary: 'Everybody who has an account, and open invitations',
    role: 'admin',
    scope: 'people:read',
    response: peopleView,
  },
  actOnPerson: {
    method: 'POST',
    path: '/api/people/[id]/actions',
    summary: 'Role, disable, enable, sign out everywhere, delete',
    role: 'admin',
    scope: 'people:write',
    body: personAction,
    response: done,
  },
  audit: {
    method: 'GET',
    path: '/api/audit',
    summary: 'Who did what to whom, newest first',
    role: 'admin',
    scope: 'people:read',
    query: z.object({ before: z.string().optional() }),
    response: auditView,
  },
}

/** Schemas that have a name in the document: of answers, and what those are made of. */
const named: Record<string, z.ZodType> = {
  Account: accountView,
  Archive: archive,
  AuditLog: auditView,
  Backend: backendView,
  DoctorReport: doctorReport,
  Drill: drillView,
  DrillPreview: drillPreview,
  Drills: examView,
  Error: errorView,
  File: fileView,
  Imported: imported,
  Invitation: invitationView,
  NewToken: newToken,
  People: peopleView,
  Report: report,
  Scenario: scenarioCard,
  Session: sessionView,
  Setup: setupView,
  SetupPlan: setupPlan,
}

type Json = Record<string, unknown>
const drop = ({ $schema: _, $id: _id, ...rest }: Json): Json => rest
/** `input`: as it is asked for; `output`: as it is answered */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const name = io === 'output' ? Object.keys(named).find((key) => named[key] === schema) : undefined
  if (name !== undefined) return { $ref: `#/components/schemas/${name}` }
  if (io === 'output' && schema instanceof z.ZodObject) {
    // One level, so that what has a name keeps it.
    const properties = Object.fromEntries(Object.entries(schema.shape).map(([key, inner]) => [key, partOf(inner as z.ZodType)]))
    return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false }
  }
  return drop(z.toJSONSchema(schema, { io }) as Json)
}
function partOf(schema: z.ZodType): Json {
  if (schema instanceof z.ZodArray) return { type: 'array', items: schemaOf(schema.element as z.ZodType, 'output') }
  return schemaOf(schema, 'output')
}
const components = (): Json => {
  const registry = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id })
  const { schemas } = z.toJSONSchema(registry, { io: 'output', uri: (id) => `#/components/schemas/${id}` })
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, drop(schema as Json)]))
}
const errors: Json = {
  description: 'Why not',
  content: { 'application/json': { schema: schemaOf(z.object({ error: errorView }), 'output') } },
}

function operationOf(name: string, operation: Operation): Json {
  const { body, query, response, role, scope, status = 200, summary } = operation
  const parameters: Json[] = [...operation.path.matchAll(/\[(\w+)\]/g)].map(([, key]) => ({
    name: key,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  for (const [key, schema] of Object.entries(query?.shape ?? {}))
    parameters.push({ name: key, in: 'query', required: !schema.safeParse(undefined).success, schema: schemaOf(schema, 'input') })
  return {
    operationId: name,
    summary,
    ...(role === null
      ? { security: [] }
      : {
          description: `Role: ${role} or above. ${scope === null ? 'Not by a token.' : `Token: ${scope}.`}`,
          security: [{ cookie: [] }, ...(scope === null ? [] : [{ token: [scope] }])],
        }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body, 'input') } } } }),
    responses: {
      [status]: {
        description: 'As asked',
        content:
          'contentType' in response
            ? { [response.contentType]: { schema: { type: 'string' } } }
            : { 'application/json': { schema: schemaOf(response, 'output') } },
      },
      default: errors,
    },
  }
}

/** The OpenAPI 3.1 document. @param version of this server */
export function openapi(version: string): Json {
  const paths: Record<string, Json> = {}
  for (const [name, operation] of Object.entries(operations)) {
    const path = operation.path.replaceAll(/\[(\w+)\]/g, '{$1}')
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: operationOf(name, operation) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'kubemend',
      version,
      description:
        'Asked for by the pages with their cookie: then a request that changes something needs this server’s own Origin. Programs have tokens (Authorization: Bearer …). Errors are {error: {code, message, hint, ko}}.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      schemas: components(),
      securitySchemes: {
        cookie: {
          type: 'apiKey',
          in: 'cookie',
          name: 'kubemend.session_token',
          description: 'Of a sign-in; over TLS its name begins with __Secure-. A server without accounts needs none.',
        },
        token: {
          type: 'http',
          scheme: 'bearer',
          description: `Made on the page of one’s account. Good for its scopes (${tokenScope.options.join(', ')}; write includes read), as far as its person’s role reaches. No Origin is needed beside it, unless there is a cookie too.`,
        },
      },
    },
  }
}
