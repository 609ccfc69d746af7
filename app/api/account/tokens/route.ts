// One's own tokens for programs; POST makes one.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const GET = (request: Request) => lab().api.tokens(request, {})
export const POST = (request: Request) => lab().api.makeToken(request, {})
