// Every scenario's card.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const GET = (request: Request) => lab().api.catalogue(request, {})
