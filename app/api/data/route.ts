// Drills: what can be begun and what was; POST begins one.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const GET = (request: Request) => lab().api.exportData(request, {})
export const POST = (request: Request) => lab().api.importData(request, {})
