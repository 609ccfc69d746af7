// An assignment, for who teaches its class.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const GET = async (request: Request, { params }: { params: Promise<Record<string, string>> }) =>
  lab().api.assignment(request, await params)
