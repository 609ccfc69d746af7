// Files of workstation and nodes; PUT saves one and answers 409 with what is there when it changed meanwhile.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const GET = async (request: Request, { params }: { params: Promise<Record<string, string>> }) =>
  lab().api.readFile(request, await params)
export const PUT = async (request: Request, { params }: { params: Promise<Record<string, string>> }) =>
  lab().api.saveFile(request, await params)
