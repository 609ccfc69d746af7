// What the class has to say to who sits this drill; POST answers.
import { lab } from '#lib/server/handle.ts'

export const dynamic = 'force-dynamic'
export const GET = async (request: Request, { params }: { params: Promise<Record<string, string>> }) =>
  lab().api.room(request, await params)
export const POST = async (request: Request, { params }: { params: Promise<Record<string, string>> }) =>
  lab().api.actInRoom(request, await params)
