// A ticket for a socket that only looks.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const POST = async (request: Request, { params }: { params: Promise<Record<string, string>> }) =>
  lab().api.watchTask(request, await params)
