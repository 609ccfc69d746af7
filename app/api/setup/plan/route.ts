// What a set-up would change on this machine, found out without changing anything.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const GET = (request: Request) => lab().api.setupPlan(request, {})
