// The API's description, OpenAPI 3.1.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const GET = (request: Request) => lab().api.openapi(request, {})
