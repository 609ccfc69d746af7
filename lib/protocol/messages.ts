// Messages over HTTP bodies and the session's WebSocket, and the binary frames of terminals. Runs in the browser too.
import { z } from 'zod'
import { errorView } from './error.ts'
import {
  backendName,
  checkLive,
  clusterEvent,
  hintView,
  place,
  sessionOutcome,
  sessionState,
  sessionView,
  stepView,
  terminalView,
  topology,
} from './views.ts'

// ---- HTTP bodies. Every mutating request needs an exact Origin; answers are a view or {error: ErrorView}.
/** POST /api/sessions → 201 {id} */
export const startSession = z.strictObject({
  scenario: z.string().max(64),
  backend: backendName.optional(),
  seed: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/)
    .optional(),
})
/** POST /api/sessions/:id/actions → 200 {ok: true} */
export const sessionAction = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('submit') }),
  z.strictObject({ type: z.literal('give-up') }),
  z.strictObject({ type: z.literal('hint') }),
  z.strictObject({ type: z.literal('reset') }),
  z.strictObject({ type: z.literal('retry') }),
])
export type SessionAction = z.infer<typeof sessionAction>
/** PUT /api/sessions/:id/files → 200 FileView, or 409 {error, current: FileView} when `version` is not what is there. `version` null: the file must not exist. */
export const saveFile = z.strictObject({
  place,
  path: z.string().min(1).max(4096),
  content: z.string().max(1024 * 1024),
  version: z.string().nullable(),
})
export type SaveFile = z.infer<typeof saveFile>

// ---- The session's socket: GET /ws/session/:id?ticket=…&after=N
/** What happened in a session; each is stored with its number and replayed after N. */
export const sessionEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('step'), step: stepView }),
  z.object({
    type: z.literal('state'),
    state: sessionState,
    outcome: sessionOutcome.nullable(),
    score: z.number().nullable(),
    error: errorView.nullable(),
    view: sessionView,
  }),
  z.object({ type: z.literal('check'), check: checkLive }),
  z.object({ type: z.literal('hint'), hint: hintView }),
  z.object({ type: z.literal('terminal'), terminal: terminalView }),
  z.object({ type: z.literal('outage'), outage: errorView.nullable() }),
])
export type SessionEvent = z.infer<typeof sessionEvent>

export const serverMessage = z.discriminatedUnion('type', [
  /** first message of every connection; `seq` is the number of the last event it contains */
  z.object({ type: z.literal('snapshot'), seq: z.number().int(), now: z.number(), session: sessionView }),
  z.object({ type: z.literal('event'), seq: z.number().int(), at: z.number(), event: sessionEvent }),
  /** not numbered, only the newest counts */
  z.object({ type: z.literal('topology'), topology }),
  /** not numbered; the newest 200 at most, oldest first */
  z.object({ type: z.literal('cluster-events'), events: z.array(clusterEvent) }),
  /**
   * an answer to `open`: bytes follow from `offset`; when it is later than asked for, `lost` bytes are gone.
   * `head`: the stream's length now; what lies before it is a replay, whose terminal queries the page must not answer again
   */
  z.object({ type: z.literal('opened'), terminal: terminalView, offset: z.number(), lost: z.number(), head: z.number().optional() }),
  z.object({ type: z.literal('error'), error: errorView, terminal: z.number().int().optional() }),
])
export type ServerMessage = z.infer<typeof serverMessage>

const cells = z.number().int().min(1).max(1000)
export const clientMessage = z.discriminatedUnion('type', [
  /** a new terminal at `place` (`terminal` absent), or the bytes of one that is there, from `from` on */
  z.strictObject({
    type: z.literal('open'),
    terminal: z.number().int().optional(),
    place: place.optional(),
    from: z.number().min(0),
    cols: cells,
    rows: cells,
  }),
  z.strictObject({ type: z.literal('resize'), terminal: z.number().int(), cols: cells, rows: cells }),
  /** every byte before `offset` has been parsed by the page; drives back-pressure */
  z.strictObject({ type: z.literal('ack'), terminal: z.number().int(), offset: z.number().min(0) }),
  z.strictObject({ type: z.literal('close'), terminal: z.number().int() }),
])
export type ClientMessage = z.infer<typeof clientMessage>

/** Close codes of the session's socket (4000–4999 are the application's, RFC 6455 §7.4.2). */
export const closeCodes = { ticket: 4001, signedOut: 4003, gone: 4004, protocol: 4400, tooLarge: 1009, shutdown: 1012 } as const
/** Limits that both sides know: bytes a page may leave unacknowledged before the server stops sending, bytes of one input frame. */
export const limits = {
  unackedBytes: 512 * 1024,
  inputBytes: 64 * 1024,
  ringBytes: 4 * 1024 * 1024,
  terminalsPerSession: 12,
  messageBytes: 128 * 1024,
} as const

// ---- Binary frames: u8 kind (1 output, 2 input), u32 terminal, f64 offset (big-endian; output: position of the first byte in the terminal's stream; input: 0), bytes.
export const frameHeader = 13
export type Frame = { kind: 'output' | 'input'; terminal: number; offset: number; bytes: Uint8Array }
/** One frame as bytes. */
export function encodeFrame(frame: Frame): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(frameHeader + frame.bytes.byteLength)
  const view = new DataView(out.buffer)
  view.setUint8(0, frame.kind === 'output' ? 1 : 2)
  view.setUint32(1, frame.terminal)
  view.setFloat64(5, frame.offset)
  out.set(frame.bytes, frameHeader)
  return out
}
/** The frame in `data`, its bytes a view into it; null when it is not one. */
export function decodeFrame(data: Uint8Array): Frame | null {
  if (data.byteLength < frameHeader) return null
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const kind = view.getUint8(0)
  if (kind !== 1 && kind !== 2) return null
  return {
    kind: kind === 1 ? 'output' : 'input',
    terminal: view.getUint32(1),
    offset: view.getFloat64(5),
    bytes: data.subarray(frameHeader),
  }
}
