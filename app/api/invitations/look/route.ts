// What an invitation is for.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const POST = (request: Request) => lab().api.lookAtInvitation(request, {})
