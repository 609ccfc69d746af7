// Change, extra time, delete.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const POST = async (request: Request, { params }: { params: Promise<Record<string, string>> }) =>
  lab().api.actOnAssignment(request, await params)
