// Signs in with email address and password.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const POST = (request: Request) => lab().api.signIn(request, {})
