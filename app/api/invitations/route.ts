// Makes a link by which one person gets an account.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const POST = (request: Request) => lab().api.invite(request, {})
