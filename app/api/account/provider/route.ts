// Begins a sign-in at the identity provider.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const POST = (request: Request) => lab().api.signInElsewhere(request, {})
