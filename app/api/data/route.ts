// One's own data as a file; POST brings such a file in.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const GET = (request: Request) => lab().api.exportData(request, {})
export const POST = (request: Request) => lab().api.importData(request, {})
