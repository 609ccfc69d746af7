// The live board; POST says or gives something.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const GET = async (request: Request, { params }: { params: Promise<Record<string, string>> }) =>
  lab().api.board(request, await params)
export const POST = async (request: Request, { params }: { params: Promise<Record<string, string>> }) =>
  lab().api.actOnBoard(request, await params)
