// Backends and whether they are ready.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const GET = (request: Request) => lab().api.backends(request, {})
