// Whether the server answers.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const GET = (request: Request) => lab().api.health(request, {})
