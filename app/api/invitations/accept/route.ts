// Makes the account that one was invited to.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const POST = (request: Request) => lab().api.acceptInvitation(request, {})
