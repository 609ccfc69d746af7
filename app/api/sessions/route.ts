// The reader's sessions; POST starts one.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const GET = (request: Request) => lab().api.listSessions(request, {})
export const POST = (request: Request) => lab().api.startSession(request, {})
