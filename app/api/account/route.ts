// One's own account; POST changes it.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const GET = (request: Request) => lab().api.account(request, {})
export const POST = (request: Request) => lab().api.actOnAccount(request, {})
