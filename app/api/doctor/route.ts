// What the machine has and lacks.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const GET = (request: Request) => lab().api.doctor(request, {})
