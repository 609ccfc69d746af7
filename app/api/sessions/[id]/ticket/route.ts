// A single-use ticket for the session's socket.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const POST = async (request: Request, { params }: { params: Promise<Record<string, string>> }) =>
  lab().api.ticket(request, await params)
