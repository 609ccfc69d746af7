// What a blueprint draws, without naming a scenario.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const POST = (request: Request) => lab().api.previewDrill(request, {})
