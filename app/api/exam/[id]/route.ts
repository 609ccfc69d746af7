// One drill as its owner sees it.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const GET = async (request: Request, { params }: { params: Promise<Record<string, string>> }) =>
  lab().api.drill(request, await params)
