// DELETE revokes a token.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const DELETE = async (request: Request, { params }: { params: Promise<Record<string, string>> }) =>
  lab().api.revokeToken(request, await params)
