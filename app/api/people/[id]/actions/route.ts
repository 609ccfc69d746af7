// Role, disable, enable, sign out, delete.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const POST = async (request: Request, { params }: { params: Promise<Record<string, string>> }) =>
  lab().api.actOnPerson(request, await params)
