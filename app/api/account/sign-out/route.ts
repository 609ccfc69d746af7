// Ends this sign-in.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const POST = (request: Request) => lab().api.signOut(request, {})
