// Classes of who asks; POST makes one.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const GET = (request: Request) => lab().api.classes(request, {})
export const POST = (request: Request) => lab().api.createClass(request, {})
