// Joins a class, or does not.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const POST = async (request: Request, { params }: { params: Promise<Record<string, string>> }) =>
  lab().api.answerInvitation(request, await params)
